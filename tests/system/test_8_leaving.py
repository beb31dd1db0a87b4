"""A server leaves its group: what the others then do, and how it is taken out of service."""

from __future__ import annotations

import subprocess
from typing import Iterator

import pytest
import yaml

from .conftest import HOSTS, NS1, NS2, NS3, Fleet

KEY = "g1.ns3.example.net.from.ns1.example.net"


def ask(fleet: Fleet, host: str, zone: str = "example.com") -> str:
    command = ["dig", "@%s" % fleet.addresses(host)[0], zone, "SOA", "+norecurse", "+tries=1", "+time=2"]
    return subprocess.run(command, check=False, text=True, capture_output=True).stdout


def decommission(fleet: Fleet, *arguments: str, code: int) -> str:
    return fleet.play("playbooks/decommission.yml", "-e", "dns_decommission=%s" % NS3, *arguments).expect(code).output


@pytest.fixture
def left(fleet: Fleet) -> Iterator[None]:
    """NS3 out of its group, but still in the inventory."""
    before = fleet.inventory.read_text()
    site = yaml.safe_load(before)
    site["all"]["hosts"] = site["all"]["children"].pop("nsd_secondary")["hosts"]
    fleet.inventory.write_text(yaml.safe_dump(site))
    yield
    fleet.inventory.write_text(before)


def test_a_server_in_its_group_is_not_stopped(fleet: Fleet) -> None:
    output = decommission(fleet, code=2)
    assert "host %s: it is still in nsd_secondary. Take it out of its group" % NS3 in output
    assert "aa" in ask(fleet, NS3) and "NOERROR" in ask(fleet, NS3)
    nowhere = fleet.play("playbooks/decommission.yml").expect(2).output
    assert "there is no host to decommission" in nowhere


def test_a_server_leaves(fleet: Fleet, left: None) -> None:
    # The others forget it; it is not touched, and still answers with what it has.
    before = fleet.files(NS3)
    transfer = "dig +tries=1 -y %s @%s example.com AXFR" % (fleet.keys(NS3)[KEY], fleet.addresses(NS1)[0])
    assert "XFR size" in fleet.tools(NS3, transfer)
    assert fleet.site().expect(0).changed()[NS1] > 0
    assert fleet.files(NS3) == before
    assert KEY not in fleet.on(NS1, "cat /etc/bind/named.conf; ls /etc/bind/keys")
    assert "Transfer failed" in fleet.tools(NS3, transfer)
    assert "NOERROR" in ask(fleet, NS3)

    # The zones' NS records still name it.
    output = decommission(fleet, code=2)
    assert "still name %s (2.0.192.in-addr.arpa, example.com, example.org), so resolvers ask it" % NS3 in output
    assert "NOERROR" in ask(fleet, NS3)

    output = decommission(fleet, "-e", "dns_decommission_force=true", code=0)
    state = "systemctl is-enabled nsd || true; systemctl is-active nsd || true"
    assert fleet.on(NS3, state).split() == ["disabled", "inactive"]
    assert fleet.on(NS3, "ls -A /etc/nsd/keys 2>/dev/null || true; grep -rl secret: /etc/nsd || true") == ""
    assert fleet.on(NS3, "find /var/lib/nsd/secondary /etc/nsd -name '*.zone' 2>/dev/null || true") == ""
    again = fleet.play(
        "playbooks/decommission.yml", "-e", "dns_decommission=%s" % NS3, "-e", "dns_decommission_force=true"
    ).expect(0)
    assert again.changed()[NS3] == 0
    for host in (NS1, NS2):
        assert "NOERROR" in ask(fleet, host)


def test_it_comes_back(fleet: Fleet) -> None:
    """Taken into its group again, it is a server like any other."""
    fleet.site().expect(0)
    fleet.compare_with_files()
    assert set(fleet.site().expect(0).changed().values()) == {0}
    assert {fleet.serial(host, "example.com") for host in HOSTS} == {fleet.serial(NS1, "example.com")}
