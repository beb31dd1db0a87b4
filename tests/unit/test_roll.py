"""Restarts and upgrades of one server at a time: what its gates ask, and where it stopped."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import gate as gates
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import inventory, topology, views
from ansible_collections.dnsops.redundant_dns.plugins.modules import config_set
from sites import make_site


def gate(host: str, *zones: Any, **settings: Any) -> dict[str, Any]:
    return views.gate_view(topology.build(make_site(zones, **settings)), host)


def test_a_secondary_needs_the_others_and_its_primary() -> None:
    assert gate("b.test", "one.test") == {
        "before": [{"name": "one.test", "primary": "a.test", "secondaries": ["c.test"]}],
        "after": [{"name": "one.test", "primary": "a.test", "secondaries": ["b.test"]}],
        "others": ["a.test", "c.test"],
        "alone": [],
    }


def test_a_primary_is_the_reference_of_its_secondaries_and_of_itself() -> None:
    found = gate("a.test", "one.test")
    assert found["before"] == [{"name": "one.test", "primary": "a.test", "secondaries": ["b.test", "c.test"]}]
    assert found["after"] == [{"name": "one.test", "primary": "a.test", "secondaries": []}]


def test_zones_of_other_servers_are_nothing_to_it() -> None:
    only_c = {"name": "two.test", "file": "two.test.zone", "secondaries": ["c.test"]}
    found = gate("b.test", "one.test", only_c)
    assert [zone["name"] for zone in found["before"]] == ["one.test"] == [zone["name"] for zone in found["after"]]


def test_a_hidden_primary_keeps_nothing_in_service() -> None:
    hidden = {"a.test": {"dns_hidden": True}}
    alone = {"name": "two.test", "file": "two.test.zone", "secondaries": ["b.test"]}
    found = gate("b.test", "one.test", alone, hosts=hidden)
    # It is asked, since it has the serial; but it does not count.
    assert found["before"] == [{"name": "one.test", "primary": "a.test", "secondaries": ["c.test"]}]
    assert found["others"] == ["c.test"] and found["alone"] == ["two.test"]
    assert [zone["name"] for zone in found["after"]] == ["one.test", "two.test"]
    assert gate("a.test", "one.test", hosts=hidden)["alone"] == []


def test_the_gates_leave_a_zone_of_a_peer_to_its_operator() -> None:
    source = {"role": "primary", "transfer_from": "192.0.2.7", "keys": ["source.key"]}
    found = gate("b.test", "one.test", {"name": "theirs.test", "primary": "source"}, peers={"source": source})
    assert [each["name"] for each in found["before"] + found["after"]] == ["one.test", "one.test"]


def seen(zone: str, server: str, status: str = "in sync", serial: int | None = 1) -> dict[str, Any]:
    verdict = {"in sync": "ok", "no reference": "not checked", "no route": "not checked"}.get(status, "failed")
    address = "192.0.2.%d" % (ord(server[0]) - 96)
    return {"zone": zone, "server": server, "address": address, "verdict": verdict, "status": status, "serial": serial}


def test_the_gate_before_wants_one_other_server_for_each_zone() -> None:
    def closed(*rows: dict[str, Any]) -> str:
        return gates.closed_before("b.test", ["a.test", "c.test"], rows)

    silent = ("no answer", None)
    assert closed() == ""
    assert closed(seen("z.test", "a.test"), seen("z.test", "c.test")) == ""
    assert closed(seen("z.test", "a.test", *silent), seen("z.test", "c.test", "no reference")) == ""
    assert closed(seen("z.test", "a.test"), seen("z.test", "c.test", "behind")) == ""
    message = closed(seen("y.test", "a.test"), seen("z.test", "a.test", *silent), seen("z.test", "c.test", "behind"))
    assert message == (
        "b.test stays as it is, for no other server is in sync for 1 of its zones (z.test)."
        " a.test for z.test at 192.0.2.1: no answer; c.test for z.test at 192.0.2.3: behind"
    )
    # One that can't be asked, is hidden or is itself keeps nothing in service.
    assert closed(seen("z.test", "c.test", "no route", None))
    assert closed(seen("z.test", "h.test"))
    assert closed(seen("z.test", "b.test"))


def test_the_gate_after_wants_the_server_itself() -> None:
    rows = [seen("z%d.test" % number, "b.test", "no answer", None) for number in range(6)]
    assert gates.closed_after("c.test", rows) == ""
    assert gates.closed_after("b.test", [seen("z.test", "b.test"), seen("z.test", "b.test", "no route", None)]) == ""
    message = gates.closed_after("b.test", rows)
    assert message.startswith(
        "b.test does not answer in sync for 6 of its zones (z0.test, z1.test, z2.test, z3.test, ...)."
        " b.test for z0.test at 192.0.2.2: no answer; "
    )


def test_the_row_of_a_roll_that_stopped() -> None:
    site = SimpleNamespace(topology=topology.build(make_site()))
    stop = {"task": "Restart the server", "reason": "Unable to restart\n service nsd.", "left": ["c.test", "a.test"]}
    hostvars: dict[str, Any] = {"a.test": {}, "b.test": {inventory.STOPPED: stop}, "c.test": {}}
    (row,) = inventory.stopped_rows(site, hostvars)  # type: ignore[arg-type]
    assert (row["check"], row["server"], row["verdict"], row["status"]) == ("roll", "b.test", "failed", "stopped")
    assert row["detail"] == ("Restart the server: Unable to restart service nsd; not touched therefore: c.test, a.test")
    hostvars["b.test"] = {inventory.STOPPED: {**stop, "left": []}}
    assert inventory.stopped_rows(site, hostvars)[0]["detail"].endswith("restart service nsd")  # type: ignore[arg-type]
    assert inventory.stopped_rows(site, {host: {} for host in hostvars}) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("code, text", [(0, "out"), (1, "out"), (124, "outno result within 120 s")])
def test_a_command_that_hangs_is_ended(code: int, text: str) -> None:
    class Module:
        def run_command(self, command: list[str]) -> tuple[int, str, str]:
            assert command == ["timeout", "120", "rndc", "reconfig"]
            return code, "out", ""

    done = config_set.run_in_time(Module(), ["rndc", "reconfig"])  # type: ignore[arg-type]
    assert done[0] == code and done[1] + done[2] == text
