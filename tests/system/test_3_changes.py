"""Zones change: what follows, how fast, and at what cost."""

from __future__ import annotations

import re
import shutil
import time

import pytest

from .conftest import HOSTS, NS1, NS2, NS3, ROOT, Fleet, Run, wait_until

pytestmark = pytest.mark.usefixtures("demo_zones")

REAL_ZONES = ROOT.parent / "shared" / "zones"
DAEMONS = {NS1: "named", NS2: "named", NS3: "nsd"}


def edit(fleet: Fleet, zone: str, old: str, new: str) -> None:
    path = fleet.zones / ("%s.zone" % zone)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def main_processes(fleet: Fleet) -> dict[str, str]:
    return {host: fleet.on(host, "systemctl show -p MainPID --value %s" % DAEMONS[host]) for host in HOSTS}


def test_secondaries_follow_by_notify(fleet: Fleet) -> None:
    """Only the primary is deployed, so nothing but its NOTIFY can tell the secondaries; refresh is an hour."""
    before = fleet.serial(NS1, "example.com")
    processes = main_processes(fleet)
    edit(fleet, "example.com", "192.0.2.81", "192.0.2.181")
    fleet.site("--limit", NS1).expect(0)
    serial = fleet.serial(NS1, "example.com")
    assert before is not None and serial is not None and serial > before
    for host in (NS2, NS3):
        wait_until(lambda host=host: fleet.serial(host, "example.com") == serial, 5)
    assert main_processes(fleet) == processes, "reloaded, not restarted"


class Cost:
    """What a run costs on each host: tasks, and processes and threads started in it."""

    def __init__(self, fleet: Fleet, *arguments: str) -> None:
        before = {host: last_process(fleet, host) for host in HOSTS}
        start = time.monotonic()
        self.run: Run = fleet.site(*arguments).expect(0)
        self.seconds = time.monotonic() - start
        self.processes = {host: last_process(fleet, host) - before[host] for host in HOSTS}
        self.tasks = {host: counts["ok"] + counts["skipped"] for host, counts in self.run.recap.items()}


def last_process(fleet: Fleet, host: str) -> int:
    """Process ids count up in a container's own namespace, so their difference is how many were started."""
    return int(fleet.on(host, "cat /proc/sys/kernel/ns_last_pid"))


@pytest.mark.usefixtures("kept_zones")
def test_the_cost_of_a_run_does_not_depend_on_the_number_of_zones(fleet: Fleet) -> None:
    template = (fleet.zones / "example.com.zone").read_text()
    for path in fleet.zones.glob("*.zone"):
        path.unlink()
    (fleet.zones / "zone0.example.zone").write_text(template)
    main = main_processes(fleet)
    one = [Cost(fleet, "-e", "dns_allow_mass_removal=true"), Cost(fleet)]
    # The one zone changes again, together with 199 new ones, so that publishing and reloading are in the count.
    for number in range(200):
        (fleet.zones / ("zone%d.example.zone" % number)).write_text(template.replace("192.0.2.80", "192.0.2.88"))
    many = [Cost(fleet), Cost(fleet)]
    assert [cost.run.changed() for cost in (one[1], many[1])] == [dict.fromkeys(HOSTS, 0)] * 2
    for host in HOSTS:
        assert fleet.serial(host, "zone199.example") is not None
    for few, lots in zip(one, many):
        assert few.tasks == lots.tasks
        for host in HOSTS:
            # A timer of systemd's may start something of its own meanwhile.
            assert lots.processes[host] <= few.processes[host] + 20, (few.processes, lots.processes)
    assert main_processes(fleet) == main, "zones came and went without a restart"
    for zones, costs in ((1, one), (200, many)):
        for what, cost in zip(("change", "steady"), costs):
            print("%d zones, %s: %.0f s, processes %s" % (zones, what, cost.seconds, cost.processes))


@pytest.mark.skipif(not REAL_ZONES.is_dir(), reason="the real zone files are not beside this checkout")
@pytest.mark.usefixtures("kept_zones")
def test_real_zone_files(fleet: Fleet) -> None:
    for path in fleet.zones.glob("*.zone"):
        path.unlink()
    for path in REAL_ZONES.glob("*.zone"):
        shutil.copyfile(path, fleet.zones / path.name)
    refused = fleet.site()
    assert refused.code != 0 and "dns_allow_mass_removal=true" in refused.output
    assert fleet.serial(NS1, "zone199.example") is not None, "the guard keeps what is served"
    run = fleet.site("-e", "dns_allow_mass_removal=true").expect(0)
    for zone in sorted(path.stem for path in REAL_ZONES.glob("*.zone")):
        assert re.search(r"^%s( +\d+){3} +ok: serial, transfer, content$" % re.escape(zone), run.output, re.M)
    fleet.compare_with_files()
