"""When something goes wrong: what works goes on, and the run says what does not."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from .conftest import HOSTS, NS1, NS2, NS3, Fleet, wait_until
from .test_3_changes import edit

pytestmark = pytest.mark.usefixtures("demo_zones")


def docker(*arguments: str) -> None:
    subprocess.run(["docker", *arguments], check=True, capture_output=True)


def test_with_one_secondary_down_the_others_converge_and_the_run_names_it(fleet: Fleet, tmp_path: Path) -> None:
    docker("stop", "--time", "5", fleet.container(NS3))
    try:
        edit(fleet, "example.com", "192.0.2.82", "192.0.2.182")
        report = tmp_path / "report.json"
        run = fleet.site("-e", "dns_report_file=%s" % report)
        assert run.code != 0
        assert run.recap[NS2]["failed"] == 0 and run.recap[NS2]["unreachable"] == 0
        serial = fleet.serial(NS1, "example.com")
        assert serial is not None and fleet.serial(NS2, "example.com") == serial
        rows = json.loads(report.read_text())
        assert {row["server"] for row in rows if row["verdict"] == "failed"} == {NS3}
        assert re.search(r"^example.com +%d +%d +no answer +FAILED: %s" % (serial, serial, NS3), run.output, re.M)
        assert re.search(r"failed: %s, serial: no answer for .*example.com" % NS3, run.output)
    finally:
        docker("start", fleet.container(NS3))
    # It was enabled, so it starts by itself, and then sees that it is behind.
    wait_until(lambda: fleet.serial(NS3, "example.com") == serial, 60)
    fleet.site().expect(0)


def test_nsd_restarts_for_its_options_and_loses_nothing_though_its_primary_is_down(fleet: Fleet) -> None:
    """What it received a moment ago is not in a file yet; only the run can have had it written."""
    edit(fleet, "example.org", "192.0.2.25", "192.0.2.125")
    fleet.site("--limit", NS1).expect(0)
    serial = fleet.serial(NS1, "example.org")
    wait_until(lambda: fleet.serial(NS3, "example.org") == serial, 5)
    process = fleet.on(NS3, "systemctl show -p MainPID --value nsd")
    fleet.on(NS1, "systemctl stop named")
    try:
        run = fleet.site("--limit", NS3, "-e", "nsd_secondary_rate_limit=300")
        assert run.code != 0 and "failed: %s, serial: no answer" % NS1 in run.output
        assert fleet.on(NS3, "systemctl show -p MainPID --value nsd") != process
        assert [fleet.serial(NS3, "example.org", address) for address in fleet.addresses(NS3)] == [serial] * 2
    finally:
        fleet.on(NS1, "systemctl start named")
    fleet.site().expect(0)


def test_a_zone_that_named_refuses_is_held_back_while_others_go_live(fleet: Fleet) -> None:
    """An X.25 address has digits only, which named alone insists on."""
    before = fleet.serial(NS1, "example.org")
    path = fleet.zones / "example.org.zone"
    good = path.read_text()
    path.write_text(good + "x X25 abc\n")
    new = fleet.zones / "new.example.zone"
    new.write_text(good.replace("example.org", "new.example") + "x X25 abc\n")
    edit(fleet, "example.com", "192.0.2.182", "192.0.2.183")
    serial = fleet.serial(NS1, "example.com")
    foreseen = fleet.site("--check")
    run = fleet.site("-e", "dns_verify_timeout=5")
    try:
        assert foreseen.code != 0 and "zone example.org, " in foreseen.output and "held back" in foreseen.output
        assert run.code != 0
        # A zone that is nowhere yet is no reason to lose a secondary for the checks.
        assert [run.recap[host]["failed"] for host in (NS2, NS3)] == [0, 0]
        assert re.search(r"^new.example .* FAILED: ", run.output, re.M)
        line = good.count("\n") + 1
        assert "zones/example.org.zone:%d: near 'abc'" % line in run.output
        for host in HOSTS:
            assert fleet.serial(host, "example.org") == before, "what was served is still served"
        now = fleet.serial(NS1, "example.com")
        assert now is not None and serial is not None and now > serial
        assert [fleet.serial(host, "example.com") for host in HOSTS] == [now] * 3
    finally:
        path.write_text(good)
        new.unlink()
    fleet.site().expect(0)


def test_a_wrong_inventory_touches_no_host(fleet: Fleet) -> None:
    path = fleet.zones / "example.org.zone"
    good = path.read_text()
    before = {host: fleet.files(host) for host in HOSTS}
    serials = [fleet.serial(host, "example.com") for host in HOSTS]
    edit(fleet, "example.com", "192.0.2.183", "192.0.2.184")
    path.write_text(good + "y IN AA 192.0.2.1\nz IN A 192.0.2.256\n")
    run = fleet.site()
    path.write_text(good)
    edit(fleet, "example.com", "192.0.2.184", "192.0.2.183")
    assert run.code != 0
    line = good.count("\n")
    for number in (line + 1, line + 2):
        assert "zone example.org, zones/example.org.zone:%d: " % number in run.output, run.output
    assert "Traceback" not in run.output
    assert [fleet.serial(host, "example.com") for host in HOSTS] == serials
    assert "Deploy the primaries" not in run.output
    assert {host: fleet.files(host) for host in HOSTS} == before


def test_a_server_of_somebody_else_is_not_overwritten(fleet: Fleet) -> None:
    # As Debian wants it: named.conf is the package's, zones are in a file that it includes.
    fleet.on(
        NS2,
        """
        cd /etc/bind; cp -p named.conf /root/kept; cp -p named.conf.local /root/local
        dpkg-deb --fsys-tarfile /var/cache/apt/archives/bind9_*.deb | tar -xO ./etc/bind/named.conf > named.conf
        cp named.conf /root/stock
        echo 'zone "theirs.test" { type primary; file "/var/lib/bind/db.theirs"; };' >> named.conf.local
        """,
    )
    run = fleet.site("--limit", NS2)
    assert run.code != 0
    assert "/etc/bind/named.conf.local was written by someone else" in run.output
    fleet.on(NS2, "cmp /root/stock /etc/bind/named.conf; mv /root/local /etc/bind/named.conf.local; rm /root/stock")
    fleet.site("--limit", NS2).expect(0)
    fleet.on(NS2, "cmp /root/kept /etc/bind/named.conf")

    foreign = '// mine\noptions { directory "/var/cache/bind"; };\n'
    fleet.on(NS2, "printf '%s' > /etc/bind/named.conf" % foreign.replace("\n", "\\n"))
    run = fleet.site("--limit", NS2)
    assert run.code != 0 and "/etc/bind/named.conf was written by someone else" in run.output
    assert fleet.on(NS2, "cat /etc/bind/named.conf") == foreign
    assert fleet.serial(NS2, "example.com") is not None
    fleet.site("--limit", NS2, "-e", "bind_adopt=true").expect(0)
    assert fleet.on(NS2, "cat /etc/bind/named.conf.before-dnsops") == foreign
    fleet.on(NS2, "cmp /root/kept /etc/bind/named.conf; rm /root/kept /etc/bind/named.conf.before-dnsops")


def test_rows_can_be_selected(fleet: Fleet) -> None:
    run = fleet.play(
        "playbooks/verify.yml", "-e", "dns_show='[?server==`%s` && check==`serial`].[zone, address]'" % NS2
    )
    lines = run.expect(0).output.splitlines()
    for zone in ("2.0.192.in-addr.arpa", "example.com", "example.org"):
        for address in fleet.addresses(NS2):
            assert "['%s', '%s']" % (zone, address) in lines
    assert not any(NS3 in line and line.startswith("[") for line in lines)
    wrong = fleet.play("playbooks/verify.yml", "-e", "dns_show='[?'")
    assert wrong.code != 0 and "dns_show '[?'" in wrong.output and "Traceback" not in wrong.output


def test_verify_is_read_only(fleet: Fleet) -> None:
    """No file of the servers changes, in check mode neither."""
    before = {host: fleet.files(host) for host in HOSTS}
    assert fleet.play("playbooks/verify.yml").expect(0).changed() == dict.fromkeys(HOSTS, 0)
    fleet.play("playbooks/verify.yml", "--check").expect(0)
    assert {host: fleet.files(host) for host in HOSTS} == before
