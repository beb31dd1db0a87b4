"""Servers that a run cannot use, or not whole: the others converge, the run is red and names them, the next repairs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from .conftest import HOSTS, NS1, NS2, NS3, Fleet
from .test_3_changes import edit

pytestmark = pytest.mark.usefixtures("demo_zones")

SECONDARY_FILES = "/var/cache/bind/secondary"
PRIMARY_FILES = "/var/lib/bind/primary"
# What a module must never leave behind.
LEFT_OVER = "find /etc /var/lib/bind /var/cache/bind -name '.staging-*' -o -name '*.new' 2>/dev/null || true"


@contextmanager
def full_disk(fleet: Fleet, host: str, directory: str) -> Iterator[None]:
    """A small file system with the same files, and then one file more until nothing fits, where the directory is."""
    fleet.on(
        host,
        """
        cp -a {0} /root/kept
        mount -t tmpfs -o size=128k,mode=0770 tmpfs {0}
        chown root:bind {0}
        cp -a /root/kept/. {0}
        dd if=/dev/zero of={0}/full bs=4k 2>/dev/null || true
        """.format(directory),
    )
    try:
        yield
    finally:
        # What the server wrote meanwhile is kept.
        fleet.on(
            host,
            """
            rm {0}/full; rm -r /root/kept; cp -a {0} /root/kept
            umount {0}
            cp -a /root/kept/. {0}; rm -r /root/kept
            """.format(directory),
        )


@contextmanager
def no_ssh(fleet: Fleet, host: str) -> Iterator[None]:
    """A server that answers, on a host that Ansible does not reach: nobody listens at that port."""
    kept = fleet.inventory.read_text()
    inventory = yaml.safe_load(kept)
    groups = inventory["all"]["children"].values()
    (variables,) = (group["hosts"][host] for group in groups if host in group["hosts"])
    variables.update(ansible_connection="ansible.builtin.ssh", ansible_host="127.0.0.1", ansible_port=1)
    fleet.inventory.write_text(yaml.safe_dump(inventory))
    try:
        yield
    finally:
        fleet.inventory.write_text(kept)


def statuses(report: Path, server: str) -> set[tuple[str, str]]:
    """What the checks said of a server: verdict and status."""
    return {(row["verdict"], row["status"]) for row in json.loads(report.read_text()) if row["server"] == server}


def test_a_masked_daemon_and_a_host_out_of_reach(fleet: Fleet, tmp_path: Path) -> None:
    """The primary publishes; who cannot be reached follows it all the same, who is masked is let be."""
    report = tmp_path / "report.json"
    before = fleet.serial(NS1, "example.com")
    assert before is not None
    # What is in no file yet it would fetch after its start anyway.
    written = "until grep -q %d /var/lib/nsd/secondary/example.com.zone; do sleep 0.1; done" % before
    fleet.on(NS3, "nsd-control write; timeout 10 sh -c '%s'; systemctl mask --now nsd" % written)
    edit(fleet, "example.com", "192.0.2.80", "192.0.2.90")
    with no_ssh(fleet, NS2):
        run = fleet.site("-e", "dns_report_file=%s" % report)
    assert run.code != 0
    assert (run.recap[NS1]["changed"], run.recap[NS2]["unreachable"], run.recap[NS3]["failed"]) == (1, 1, 1)
    said = " ".join(run.output.split())
    assert "nsd is masked (systemctl mask), so this run does not start it." in said
    assert 'do "systemctl unmask nsd" there and run again' in said
    assert fleet.on(NS3, "systemctl is-active nsd || true") == "inactive\n"
    serial = fleet.serial(NS1, "example.com")
    assert serial != before and fleet.serial(NS2, "example.com") == serial
    assert statuses(report, NS2) >= {("ok", "in sync"), ("not checked", "host absent")}
    assert statuses(report, NS3) >= {("failed", "no answer"), ("not checked", "host absent")}
    assert re.search(r"^example.com +%d +%d +no answer +FAILED: %s" % (serial, serial, NS3), run.output, re.M)

    # NSD was stopped in good order, so it would ask for what it missed after the zone's refresh time only.
    fleet.on(NS3, "systemctl unmask nsd")
    run = fleet.site("--limit", NS3).expect(0)
    assert run.changed()[NS3] == 2  # started, and refreshed
    assert fleet.serial(NS3, "example.com") == serial


def test_full_disks_and_a_run_cut_off_in_the_installation(fleet: Fleet) -> None:
    """The zones that were live stay whole and served, though nothing could be written beside them."""
    serials = {host: fleet.serial(host, "example.com") for host in HOSTS}
    edit(fleet, "example.com", "192.0.2.90", "192.0.2.80")
    # The mask of the installation; an administrator's is a link.
    fleet.on(NS3, "systemctl stop nsd; : > /etc/systemd/system/nsd.service; systemctl daemon-reload")
    assert fleet.on(NS3, "systemctl is-enabled nsd || true") == "masked\n"
    with full_disk(fleet, NS1, PRIMARY_FILES), full_disk(fleet, NS2, SECONDARY_FILES):
        files = fleet.on(NS1, "cd %s; sha256sum *.zone .published.json" % PRIMARY_FILES)
        run = fleet.site()
        assert run.code != 0
        assert [run.recap[host]["failed"] for host in HOSTS] == [1, 1, 0]
        said = " ".join(run.output.split())
        for directory in (PRIMARY_FILES, SECONDARY_FILES):
            mend = "Free some space on %s, and run again." % directory
            assert "Could not write to %s: No space left on device. %s" % (directory, mend) in said
        assert "Traceback" not in run.output and "MODULE FAILURE" not in run.output
        assert fleet.on(NS1, "cd %s; sha256sum *.zone .published.json" % PRIMARY_FILES) == files
        assert {host: fleet.serial(host, "example.com") for host in HOSTS} == serials
        assert fleet.on(NS1, LEFT_OVER) == fleet.on(NS2, LEFT_OVER) == ""
        assert fleet.on(NS3, "systemctl is-enabled nsd; systemctl is-active nsd") == "enabled\nactive\n"
    fleet.site().expect(0)
    serial = fleet.serial(NS1, "example.com")
    assert serial != serials[NS1] and {fleet.serial(host, "example.com") for host in HOSTS} == {serial}
