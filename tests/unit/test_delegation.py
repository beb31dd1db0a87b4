"""Name servers assigned by a provider: their serials, the NS records of the zone, and its delegation.

A small DNS stands on loopback: a resolver, the name servers of a parent, a primary, and those of a provider.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from ansible.module_utils import basic
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import delegation
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import (
    FAILED,
    NOT_CHECKED,
    OK,
    WARNING,
    Row,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import ask_serials
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.delegation import (
    Assigned,
    name_server_rows,
    resolver_end,
)
from ansible_collections.dnsops.redundant_dns.plugins.modules import name_servers_check
from dns_server import DnsServer, rcode_answer

ADDRESSES = [*("127.0.0.%d" % number for number in range(2, 9)), "::1"]
RESOLVER, PARENT, PARENT2, PRIMARY, PRIMARY2, CLOUD, CLOUD2, CLOUD_IPV6 = ADDRESSES
NAMES = ("a.cloud.test", "b.cloud.test")
OWN = "ns1.own.test"
ALL = (OWN, *NAMES)
ZONE = "z.example"


class Zone:
    """A zone on one server: its serial, its NS records, and what it delegates."""

    def __init__(self, name: str, names: tuple[str, ...], serial: int = 1) -> None:
        self.name = dns.name.from_text(name)
        self.names = names
        self.serial = serial
        self.delegated: dict[dns.name.Name, tuple[str, ...]] = {}

    def delegate(self, zone: str, *names: str) -> None:
        self.delegated[dns.name.from_text(zone)] = names

    def soa(self) -> dns.rrset.RRset:
        return dns.rrset.from_text(self.name, 60, "IN", "SOA", "ns.test. host.test. %d 1 1 1 1" % self.serial)

    def ns(self, name: dns.name.Name, names: tuple[str, ...]) -> dns.rrset.RRset:
        return dns.rrset.from_text(name, 60, "IN", "NS", *("%s." % each for each in names))

    def fill(self, answer: dns.message.Message, addresses: dict[str, list[str]]) -> None:
        """RFC 1034 section 4.3.2, without aliases and wildcards."""
        name, rdtype = answer.question[0].name, answer.question[0].rdtype
        for cut, names in self.delegated.items():
            if name.is_subdomain(cut):
                answer.authority.append(self.ns(cut, names))
                return
        answer.flags |= dns.flags.AA
        found = []
        if name == self.name and rdtype == dns.rdatatype.SOA:
            found = [self.soa()]
        elif name == self.name and rdtype == dns.rdatatype.NS:
            found = [self.ns(name, self.names)]
        elif rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
            wanted = [
                address
                for address in addresses.get(name.to_text(omit_final_dot=True).lower(), [])
                if (":" in address) == (rdtype == dns.rdatatype.AAAA)
            ]
            found = [dns.rrset.from_text(name, 60, "IN", rdtype, *wanted)] if wanted else []
        answer.answer += found
        if not found:
            answer.authority.append(self.soa())
            known = {self.name} | {dns.name.from_text(each) for each in addresses}
            if not any(each.is_subdomain(name) for each in known):
                answer.set_rcode(dns.rcode.NXDOMAIN)


Answer = Callable[[bytes], "list[bytes] | None"]


class Servers:
    """Servers by address, all on one port. They outlive a test, and answer what its world says."""

    def __init__(self, stack: ExitStack) -> None:
        self.world: World | None = None
        self.port = 0
        self.by_address: dict[str, DnsServer] = {}
        for address in ADDRESSES:
            answer = partial(self.answer, address)
            self.by_address[address] = stack.enter_context(DnsServer(answer, answer, address, self.port))
            self.port = self.by_address[address].port

    def answer(self, address: str, query: bytes) -> list[bytes]:
        return self.world.answer(address, query)


class World:
    """What the servers answer. ``instead`` of an address answers where it gives something."""

    def __init__(self, servers: Servers) -> None:
        self.zones: dict[str, list[Zone]] = {address: [] for address in ADDRESSES}
        self.instead: dict[str, Answer] = {}
        self.servers = servers.by_address
        self.port = servers.port
        for server in self.servers.values():
            server.queries.clear()
        servers.world = self
        self.addresses = {
            "a.nic.example": [PARENT],
            "b.nic.example": [PARENT2],
            OWN: [PRIMARY],
            NAMES[0]: [CLOUD],
            NAMES[1]: [CLOUD2],
        }
        self.root = Zone(".", ("root.test",))
        self.parent = Zone("example", ("a.nic.example", "b.nic.example"))
        self.zones[PARENT] = [self.parent]
        self.zones[PARENT2] = [self.parent]
        self.zones[RESOLVER] = [self.root, self.parent]
        self.primary = self.add(ZONE, ALL)

    def add(self, name: str, names: tuple[str, ...]) -> Zone:
        """A zone of the primary, with the same serial at the cloud, and delegated to those names."""
        zone = Zone(name, names)
        for address in (PRIMARY, CLOUD, CLOUD2):
            self.zones[address].append(zone)
        self.parent.delegate(name, *names)
        return zone

    def answer(self, address: str, query: bytes) -> list[bytes]:
        other = self.instead.get(address, lambda query: None)(query)
        if other is not None:
            return other
        answer = dns.message.make_response(dns.message.from_wire(query))
        # The resolver looks in all zones, and never refers.
        zones = (
            [each for zones in self.zones.values() for each in zones] if address == RESOLVER else self.zones[address]
        )
        name = answer.question[0].name
        enclosing = [zone for zone in zones if name.is_subdomain(zone.name)]
        if not enclosing:
            return [rcode_answer(query, dns.rcode.REFUSED)]
        max(enclosing, key=lambda zone: len(zone.name)).fill(answer, self.addresses)
        if address == RESOLVER:
            answer.flags = (answer.flags | dns.flags.RA) & ~dns.flags.AA
        return [answer.to_wire()]

    def assigned(self, *zones: str, names: tuple[str, ...] = NAMES, provider: str = "cloud") -> list[Assigned]:
        return [Assigned(zone, provider, names, (PRIMARY,), self.port) for zone in zones]

    def rows(
        self, assigned: list[Assigned] | None = None, timeout: float = 10, rate: float = 5000, **settings: Any
    ) -> list[Row]:
        return name_server_rows(
            self.assigned(ZONE) if assigned is None else assigned,
            addresses=settings.get("addresses", {}),
            resolvers=settings.get("resolvers", ["%s port %d" % (RESOLVER, self.port)]),
            ask=lambda questions, tcp: ask_serials(questions, tcp=tcp, timeout=0.2, attempts=2),
            timeout=timeout,
            rate=rate,
        )

    def asked(self, address: str) -> list[tuple[str, dns.message.Message]]:
        return [(transport, dns.message.from_wire(query)) for transport, query in self.servers[address].queries]


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    while True:
        with ExitStack() as stack:
            try:
                made = Servers(stack)
            except OSError:
                continue  # The port is free on the first address, and not on all.
            yield made
            return


@pytest.fixture
def world(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(delegation, "PORT", servers.port)
    return World(servers)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait shorter for who is silent. Not where others have much to answer."""
    monkeypatch.setattr(delegation, "TRY_SECONDS", (0.1, 0.2))
    monkeypatch.setattr(delegation, "RESOLVER_SECONDS", 0.5)


def of(rows: list[Row], check: str, zone: str = ZONE) -> Row:
    (found,) = [each for each in rows if each["check"] == check and each["zone"] == zone]
    return found


def said(row: Row) -> tuple[str, str]:
    return row["verdict"], row["status"]


def silent(query: bytes) -> list[bytes]:
    return []


# --- all is well, and what is missing --------------------------------------------------------------------------------


def test_all_is_well(world: World) -> None:
    rows = world.rows()
    assert [(each["check"], each["server"], each["verdict"], each["status"], each["serial"]) for each in rows] == [
        ("serial", "cloud", OK, "in sync", 1),
        ("serial", "cloud", OK, "in sync", 1),
        ("ns", "cloud", OK, "in the zone", None),
        ("delegation", "cloud", OK, "at the parent", None),
    ]
    assert [each["address"] for each in rows[:3]] == [CLOUD, CLOUD2, PRIMARY]
    assert rows[3]["address"] in (PARENT, PARENT2)
    assert all(each["detail"] == "" and each["zone"] == ZONE for each in rows)


def test_authorities_are_asked_without_recursion_and_the_resolver_with(world: World) -> None:
    world.rows()
    authorities = [message for address in (PARENT, PARENT2, PRIMARY) for _transport, message in world.asked(address)]
    assert len(authorities) >= 3 and not any(message.flags & dns.flags.RD for message in authorities)
    resolver = [message for _transport, message in world.asked(RESOLVER)]
    assert resolver and all(message.flags & dns.flags.RD for message in resolver)
    assert ZONE not in {message.question[0].name.to_text(omit_final_dot=True) for message in resolver}


def test_case_does_not_matter(world: World) -> None:
    odd = ("A.Cloud.TEST", "b.CLOUD.test")
    world.primary.names = odd
    world.parent.delegate("Z.Example", *odd)
    rows = world.rows()
    assert {each["verdict"] for each in rows} == {OK}


@pytest.mark.parametrize(("check", "status"), [("ns", "not in the zone"), ("delegation", "not at the parent")])
@pytest.mark.parametrize("missing", [NAMES[:1], NAMES])
def test_assigned_names_that_are_missing(world: World, check: str, status: str, missing: tuple[str, ...]) -> None:
    left = tuple(name for name in ALL if name not in missing)
    if check == "ns":
        world.primary.names = left
    else:
        world.parent.delegate(ZONE, *left)
    rows = world.rows()
    warned = of(rows, check)
    assert said(warned) == (WARNING, status)
    assert all((name in warned["detail"]) == (name in missing) for name in ALL)
    assert "add" in warned["detail"]
    assert {each["verdict"] for each in rows if each is not warned} == {OK}


def test_dig_sees_the_same(world: World) -> None:
    """An oracle for the small DNS too: what is a referral here is one to others."""
    dig = shutil.which("dig")
    if dig is None:
        pytest.skip("dig is not installed")
    world.parent.delegate(ZONE, OWN, NAMES[1])
    warned = of(world.rows(), "delegation")
    command = [dig, "@%s" % PARENT, "-p", str(world.port), "+norecurse", "+noedns", "+noall", "+authority", "+comments"]
    output = subprocess.run([*command, ZONE, "NS"], stdout=subprocess.PIPE, check=True, text=True).stdout
    assert "status: NOERROR" in output and "flags: qr;" in output and "ANSWER: 0" in output
    at_parent = {line.split()[-1].rstrip(".") for line in output.splitlines() if "\tNS\t" in line}
    assert at_parent == {OWN, NAMES[1]}
    assert [name in warned["detail"] for name in NAMES] == [name not in at_parent for name in NAMES] == [True, False]


# --- the parent ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["no such name", "no NS records", "no name server at all"])
def test_a_zone_that_is_not_delegated_is_not_checked(world: World, kind: str) -> None:
    world.add("internal.example", ALL)
    del world.parent.delegated[dns.name.from_text("internal.example")]
    if kind == "no NS records":
        world.addresses["www.internal.example"] = ["192.0.2.80"]
    if kind == "no name server at all":
        world.parent.delegate("internal.example", "blackhole-1.iana.org", "blackhole-2.iana.org")
    rows = world.rows(world.assigned(ZONE, "internal.example"))
    row = of(rows, "delegation", "internal.example")
    assert said(row) == (NOT_CHECKED, "not delegated")
    assert "example" in row["detail"] and row["address"] == ""
    assert said(of(rows, "delegation")) == (OK, "at the parent")
    assert said(of(rows, "ns", "internal.example")) == (OK, "in the zone")


BROKEN: dict[str, tuple[Answer, str]] = {
    "silent": (silent, "does not answer"),
    "REFUSED": (lambda query: [rcode_answer(query, dns.rcode.REFUSED)], "REFUSED"),
    "SERVFAIL": (lambda query: [rcode_answer(query, dns.rcode.SERVFAIL)], "SERVFAIL"),
    "no authority": (lambda query: [rcode_answer(query, dns.rcode.NOERROR)], "not as an authority"),
    "no authority, NXDOMAIN": (lambda query: [rcode_answer(query, dns.rcode.NXDOMAIN)], "not as an authority"),
    "garbage": (lambda query: [query[:2] + b"\x80\0\0\1"], PARENT),
    "upwards": (lambda query: [_refer(query, ".")], "refers to the name servers of ."),
    "elsewhere": (lambda query: [_refer(query, "other.example")], "refers to the name servers of other.example"),
}


def _refer(query: bytes, owner: str) -> bytes:
    answer = dns.message.make_response(dns.message.from_wire(query))
    answer.authority.append(dns.rrset.from_text(dns.name.from_text(owner), 60, "IN", "NS", *("%s." % n for n in ALL)))
    return answer.to_wire()


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_server_of_the_parent(world: World, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    hurry(monkeypatch)
    broken, reason = BROKEN[kind]
    world.instead[PARENT] = broken
    zones = ["z%d.example" % number for number in range(4)]
    for zone in zones:
        world.add(zone, ALL)
    rows = world.rows(world.assigned(*zones))
    assert world.asked(PARENT), "some zone begins with it"
    for zone in zones:
        assert said(of(rows, "delegation", zone)) == (OK, "at the parent")
        assert of(rows, "delegation", zone)["address"] == PARENT2
    world.instead[PARENT2] = broken
    rows = world.rows(world.assigned(*zones))
    for zone in zones:
        row = of(rows, "delegation", zone)
        assert row["verdict"] == NOT_CHECKED
        assert reason in row["detail"] and "example" in row["detail"]


def test_a_truncated_answer_is_asked_for_over_tcp(world: World) -> None:
    def truncated(query: bytes) -> list[bytes] | None:
        over_tcp = world.servers[PARENT].queries[-1][0] == "tcp"
        answer = dns.message.make_response(dns.message.from_wire(query))
        answer.flags |= dns.flags.TC
        return None if over_tcp else [answer.to_wire()]

    world.parent.names = ("a.nic.example",)
    world.instead[PARENT] = truncated
    assert said(of(world.rows(), "delegation")) == (OK, "at the parent")
    assert [transport for transport, _message in world.asked(PARENT)] == ["udp", "tcp"]
    world.parent.delegate(ZONE, OWN)
    assert said(of(world.rows(), "delegation")) == (WARNING, "not at the parent")


def test_a_parents_server_that_has_the_zone_too_does_not_tell_its_delegation(world: World) -> None:
    world.parent.delegate(ZONE, OWN)
    world.zones[PARENT].append(world.primary)
    world.zones[PARENT] = world.zones[PARENT][1:] + world.zones[PARENT][:1]
    # The other one still does.
    row = of(world.rows(), "delegation")
    assert said(row) == (WARNING, "not at the parent") and row["address"] == PARENT2
    world.zones[PARENT2] = world.zones[PARENT]
    row = of(world.rows(), "delegation")
    assert said(row) == (NOT_CHECKED, "delegation hidden")
    assert "its own NS records" in row["detail"]


def test_the_parent_is_the_zone_that_has_the_name_above(world: World) -> None:
    """No zone is between a.b.example and example; the delegation of sub.z.example is in z.example, on the primary."""
    world.add("a.b.example", ALL)
    rows = world.rows(world.assigned("a.b.example"))
    assert said(of(rows, "delegation", "a.b.example")) == (OK, "at the parent")
    world.primary.names = (OWN,)
    world.primary.delegate("sub.z.example", *NAMES)
    sub = Zone("sub.z.example", ALL)
    world.zones[CLOUD].append(sub)
    world.zones[CLOUD2].append(sub)
    rows = world.rows(world.assigned("sub.z.example"), timeout=0.3)
    row = of(rows, "delegation", "sub.z.example")
    assert said(row) == (OK, "at the parent") and row["address"] == PRIMARY


def test_a_parent_that_is_not_known(world: World) -> None:
    assert said(of(world.rows(), "delegation")) == (OK, "at the parent")

    def about_the_parent(query: bytes) -> list[bytes] | None:
        name = dns.message.from_wire(query).question[0].name
        return [rcode_answer(query, dns.rcode.SERVFAIL)] if name == dns.name.from_text("example") else None

    world.instead[RESOLVER] = about_the_parent
    rows = world.rows()
    assert said(of(rows, "delegation")) == (NOT_CHECKED, "does not resolve")
    assert "example" in of(rows, "delegation")["detail"]
    assert said(of(rows, "ns")) == (OK, "in the zone")
    del world.instead[RESOLVER]
    world.addresses = {name: found for name, found in world.addresses.items() if not name.endswith(".nic.example")}
    row = of(world.rows(), "delegation")
    assert row["verdict"] == NOT_CHECKED
    assert "the name a.nic.example does not exist" in row["detail"]


def test_no_route_to_the_parent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegation, "no_route", lambda address, port: address == PARENT)
    rows = world.rows()
    assert of(rows, "delegation")["address"] == PARENT2 and not world.asked(PARENT)
    monkeypatch.setattr(delegation, "no_route", lambda address, port: True)
    rows = world.rows()
    assert said(of(rows, "delegation")) == (NOT_CHECKED, "no route")
    assert said(of(rows, "ns")) == (NOT_CHECKED, "no route")
    assert PARENT in of(rows, "delegation")["detail"] and PRIMARY in of(rows, "ns")["detail"]


# --- the primary -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["silent", "REFUSED", "zone above"])
def test_the_zones_ns_records_come_from_its_primary_or_are_not_checked(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    hurry(monkeypatch)
    if kind == "zone above":
        world.zones[PRIMARY] = [world.parent]
    else:
        world.instead[PRIMARY] = BROKEN[kind][0]
    rows = world.rows(timeout=0.3)
    assert of(rows, "ns")["verdict"] == NOT_CHECKED
    assert PRIMARY in of(rows, "ns")["detail"]
    assert {said(each) for each in rows if each["check"] == "serial"} == {(NOT_CHECKED, "no reference")}
    assert said(of(rows, "delegation")) == (OK, "at the parent")


def test_any_address_of_the_primary_will_do(world: World) -> None:
    world.instead[PRIMARY] = BROKEN["REFUSED"][0]
    world.zones[PRIMARY2] = [world.primary]
    both = [each._replace(primary_addresses=(PRIMARY, PRIMARY2)) for each in world.assigned(ZONE)]
    rows = world.rows(both, timeout=0.3)
    assert said(of(rows, "ns")) == (OK, "in the zone") and of(rows, "ns")["address"] == PRIMARY2
    assert {said(each) for each in rows if each["check"] == "serial"} == {(OK, "in sync")}


# --- the provider ----------------------------------------------------------------------------------------------------


def test_a_name_server_that_is_behind_fails_and_is_waited_for(world: World) -> None:
    old = Zone(ZONE, ALL, serial=1)
    world.primary.serial = 7
    world.zones[CLOUD2] = [old]
    rows = world.rows(timeout=0.5)
    bad = [each for each in rows if each["verdict"] == FAILED]
    assert [(each["server"], each["address"], each["status"], each["serial"]) for each in bad] == [
        ("cloud", CLOUD2, "behind", 1)
    ]
    assert NAMES[1] in bad[0]["detail"] and "7" in bad[0]["detail"]
    begun = time.monotonic()

    def later(query: bytes) -> None:
        if time.monotonic() > begun + 0.3:
            old.serial = 7

    world.instead[CLOUD2] = later
    assert {each["verdict"] for each in world.rows()} == {OK}


def test_a_name_server_that_does_not_have_the_zone_fails(world: World) -> None:
    world.zones[CLOUD] = []
    rows = world.rows(timeout=0.5)
    assert [said(each) for each in rows if each["check"] == "serial"] == [(FAILED, "refused"), (OK, "in sync")]


def test_a_name_that_does_not_resolve_is_not_checked(world: World) -> None:
    del world.addresses[NAMES[0]]
    rows = world.rows()
    serials = [each for each in rows if each["check"] == "serial"]
    assert [said(each) for each in serials] == [(NOT_CHECKED, "does not resolve"), (OK, "in sync")]
    assert NAMES[0] in serials[0]["detail"] and serials[0]["server"] == "cloud"
    # Addresses that are given are not asked for.
    asked = {message.question[0].name.to_text(omit_final_dot=True) for _transport, message in world.asked(RESOLVER)}
    assert asked.issuperset(NAMES)
    world.servers[RESOLVER].queries.clear()
    rows = world.rows(addresses={NAMES[0]: [CLOUD2], NAMES[1]: [CLOUD]})
    asked = {message.question[0].name.to_text(omit_final_dot=True) for _transport, message in world.asked(RESOLVER)}
    assert asked and not asked.intersection(NAMES)
    serials = [each for each in rows if each["check"] == "serial"]
    assert [(each["address"], each["verdict"]) for each in serials] == [(CLOUD2, OK), (CLOUD, OK)]


def test_each_address_of_a_name_server_has_a_row_ipv6_too(world: World) -> None:
    world.addresses[NAMES[0]] = [CLOUD, CLOUD_IPV6]
    world.zones[CLOUD_IPV6] = [world.primary]
    rows = world.rows()
    assert [(each["address"], each["verdict"]) for each in rows if each["check"] == "serial"] == [
        (CLOUD, OK),
        (CLOUD_IPV6, OK),
        (CLOUD2, OK),
    ]


def test_a_zone_at_two_providers(world: World) -> None:
    both = world.assigned(ZONE, names=NAMES[:1], provider="one") + world.assigned(ZONE, names=NAMES[1:], provider="two")
    world.primary.names = (NAMES[0],)
    rows = world.rows(both)
    assert [(each["check"], each["server"], each["address"], each["verdict"]) for each in rows if each["serial"]] == [
        ("serial", "one", CLOUD, OK),
        ("serial", "two", CLOUD2, OK),
    ]
    assert [(each["server"], each["verdict"]) for each in rows if each["check"] == "ns"] == [
        ("one", OK),
        ("two", WARNING),
    ]


def test_a_provider_that_has_assigned_none_yet(world: World) -> None:
    rows = world.rows(world.assigned(ZONE, names=()) + world.assigned(ZONE))
    assert said(rows[0]) == (NOT_CHECKED, "no name servers")
    assert len(rows) == 5 and {each["verdict"] for each in rows[1:]} == {OK}


# --- many zones, and no answers --------------------------------------------------------------------------------------


def test_many_zones_ask_the_resolver_once_for_each_parent_and_name(world: World) -> None:
    zones = ["z%d.example" % number for number in range(150)]
    for zone in zones:
        world.add(zone, ALL if zone != "z7.example" else ALL[:1])
    rows = world.rows(world.assigned(*zones), timeout=20)
    assert len(rows) == 4 * len(zones)
    assert [(each["zone"], each["check"]) for each in rows if each["verdict"] != OK] == [
        ("z7.example", "ns"),
        ("z7.example", "delegation"),
    ]
    asked = [
        (message.question[0].name.to_text(), dns.rdatatype.to_text(message.question[0].rdtype))
        for _transport, message in world.asked(RESOLVER)
    ]
    assert ("example.", "SOA") in asked and ("example.", "NS") in asked
    assert len(asked) == len(set(asked)) == 2 + 2 * 4
    at_parent = [len(world.asked(address)) for address in (PARENT, PARENT2)]
    assert sum(at_parent) == len(zones) and min(at_parent) > len(zones) // 4, "spread over both"


def test_a_dead_resolver_takes_bounded_time_and_leaves_what_needs_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    zones = ["z.d%d.example" % number for number in range(40)]
    for zone in zones:
        world.add(zone, ALL)
    given = {NAMES[0]: [CLOUD], NAMES[1]: [CLOUD2]}
    rows = world.rows(world.assigned(*zones), addresses=given, timeout=20)
    assert {each["verdict"] for each in rows} == {OK}
    assert len(world.asked(RESOLVER)) > len(zones)
    world.servers[RESOLVER].queries.clear()
    hurry(monkeypatch)
    world.instead[RESOLVER] = silent
    begun = time.monotonic()
    rows = world.rows(world.assigned(*zones), addresses=given, timeout=20)
    assert time.monotonic() - begun < 5
    assert len(world.asked(RESOLVER)) < len(zones)
    assert {said(each) for each in rows if each["check"] == "delegation"} == {(NOT_CHECKED, "no resolver")}
    assert {each["verdict"] for each in rows if each["check"] != "delegation"} == {OK}


def test_a_machine_without_a_resolver(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*arguments: object, **named: object) -> None:
        raise delegation.dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(delegation.dns.resolver, "Resolver", none)
    rows = world.rows(resolvers=[], timeout=1)
    assert [said(each) for each in rows] == [
        (NOT_CHECKED, "no resolver"),
        (NOT_CHECKED, "no resolver"),
        (OK, "in the zone"),
        (NOT_CHECKED, "no resolver"),
    ]


def test_the_time_is_bounded(world: World) -> None:
    zones = ["z%d.example" % number for number in range(50)]
    for zone in zones:
        world.add(zone, ALL)
    begun = time.monotonic()
    rows = world.rows(world.assigned(*zones), timeout=0.6, rate=30)
    assert time.monotonic() - begun < 3
    verdicts = [said(each) for each in rows if each["check"] == "ns"]
    assert set(verdicts) == {(OK, "in the zone"), (NOT_CHECKED, "no time")}
    assert 5 <= verdicts.count((OK, "in the zone")) <= 25
    assert 5 <= len([1 for _transport, message in world.asked(PRIMARY) if message.question[0].rdtype == 2]) <= 25


def test_a_silent_primary_is_not_asked_for_every_zone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegation, "THREADS", 4)
    zones = ["z%d.example" % number for number in range(40)]
    for zone in zones:
        world.add(zone, ALL)
    rows = world.rows(world.assigned(*zones), timeout=15)
    assert {each["verdict"] for each in rows} == {OK}
    hurry(monkeypatch)
    world.servers[PRIMARY].queries.clear()
    world.instead[PRIMARY] = silent
    begun = time.monotonic()
    rows = world.rows(world.assigned(*zones), timeout=1)
    assert {said(each) for each in rows if each["check"] == "ns"} == {(NOT_CHECKED, "no answer")}
    assert time.monotonic() - begun < 8
    assert len([1 for _transport, message in world.asked(PRIMARY) if message.question[0].rdtype == 2]) <= 20


# --- the module ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "end"), [("192.0.2.5", ("192.0.2.5", 53)), ("::1 port 5300", ("::1", 5300))])
def test_a_resolver_as_people_write_it(text: str, end: tuple[str, int]) -> None:
    assert resolver_end(text) == end


@pytest.mark.parametrize("text", ["ns.example", "192.0.2.5:53", "192.0.2.5 port", "192.0.2.5 port 0", "::1 port 65536"])
def test_what_is_no_resolver(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        resolver_end(text)


Run = Callable[..., "dict[str, Any]"]


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def module(**arguments: Any) -> dict[str, Any]:
        zone = {"name": "Z.example.", "provider": "cloud", "name_servers": ["A.cloud.test.", "b.cloud.test"]}
        zone.update(primary_addresses=[PRIMARY], primary_port=world.port)
        arguments = {
            "zones": [{**zone, **arguments.pop("zone", {})}],
            "resolvers": ["%s port %d" % (RESOLVER, world.port)],
            "timeout": 0.6,
            **arguments,
        }
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(SystemExit):
            name_servers_check.main()
        return json.loads(capsys.readouterr().out)

    return module


def test_the_module(world: World, run: Run) -> None:
    result = run()
    assert [said(each) for each in result["rows"]] == [
        (OK, "in sync"),
        (OK, "in sync"),
        (OK, "in the zone"),
        (OK, "at the parent"),
    ]
    assert result["changed"] is False
    # A warning is no failure.
    world.parent.delegate(ZONE, OWN)
    result = run()
    assert "failed" not in result and said(result["rows"][-1]) == (WARNING, "not at the parent")
    world.primary.serial = 2
    world.zones[CLOUD] = [Zone(ZONE, ALL, serial=1)]
    result = run()
    assert result["failed"] and [said(each) for each in result["rows"]] == [(FAILED, "behind")]
    assert "cloud" in result["msg"] and ZONE in result["msg"]
    result = run(strict=False)
    assert "failed" not in result and len(result["rows"]) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"zone": {"name": "bad name"}}, "zone bad name"),
        ({"zone": {"name_servers": ["192.0.2.1"]}}, "zone Z.example."),
        ({"zone": {"primary_addresses": ["ns1.own.test"]}}, "ns1.own.test"),
        ({"addresses": {NAMES[0]: CLOUD}}, "needs a list of addresses"),
        ({"addresses": {NAMES[0]: ["here"]}}, "here"),
        ({"resolvers": ["here"]}, "here"),
        ({"timeout": 0}, "above zero"),
        ({"rate": 0}, "above zero"),
    ],
)
def test_the_module_refuses(run: Run, arguments: dict[str, Any], message: str) -> None:
    result = run(**arguments)
    assert result["failed"] and message in result["msg"] and "rows" not in result
