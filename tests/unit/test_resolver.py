"""The load client of the tests of faults counts what it should: each of its verdicts, against servers that break."""

from __future__ import annotations

import sys
import time
from typing import Callable, Iterable

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from conftest import ROOT
from dns_server import DnsServer, rcode_answer, soa_answer

sys.path.insert(0, str(ROOT / "tests"))
from faults.resolver import Catalogue, Counts, Resolver, older  # noqa: E402

ZONE = "a.example"
QUERIES = 20


def zone_text(version: int) -> str:
    return '@ 5 SOA ns hostmaster 1 2 3 4 5\n@ 5 NS ns.example.\nwww 5 A 192.0.2.%d\nversion 5 TXT "%d"\n' % (
        version,
        version,
    )


class Zone:
    """What a server has; a test may change it while it serves. ``broken`` answers instead, where it gives something."""

    def __init__(self, version: int = 1, serial: int = 1) -> None:
        self.version = version
        self.serial = serial

    def answer(self, query: bytes) -> Iterable[bytes]:
        question = dns.message.from_wire(query)
        name, rdtype = question.question[0].name, question.question[0].rdtype
        if rdtype == dns.rdatatype.SOA:
            return [soa_answer(query, self.serial)]
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.AA
        text = {"A": "192.0.2.%d" % self.version, "TXT": '"%d"' % self.version, "NS": "ns.example."}
        answer.answer.append(dns.rrset.from_text(name, 5, "IN", rdtype, text[dns.rdatatype.to_text(rdtype)]))
        return [answer.to_wire()]


def offered(*versions: int) -> Catalogue:
    catalogue = Catalogue()
    for version in versions:
        catalogue.offer(ZONE, zone_text(version))
    return catalogue


def resolver(catalogue: Catalogue, **servers: DnsServer) -> Resolver:
    endpoints = {name: [(server.address, server.port)] for name, server in servers.items()}
    return Resolver(endpoints, catalogue, rate=200, timeout=0.4)


def counted(client: Resolver, until: Callable[[Counts], bool] = lambda counts: counts.queries >= QUERIES) -> Counts:
    deadline = time.monotonic() + 20
    while not until(client.counts):
        assert time.monotonic() < deadline, client.counts
        time.sleep(0.01)
    return client.turn()


def asked_for_the_serial(server: DnsServer) -> bool:
    questions = [dns.message.from_wire(query).question[0] for _transport, query in list(server.queries)]
    return any(question.rdtype == dns.rdatatype.SOA for question in questions)


def test_good_service() -> None:
    zone = Zone()
    with DnsServer(zone.answer, zone.answer) as server, resolver(offered(1), ns1=server) as client:
        counts = counted(client)
        asked = [dns.message.from_wire(query) for _transport, query in server.queries]
    assert (counts.unanswered, counts.wrong, counts.old, sum(counts.failed.values())) == (0, 0, 0, 0), counts
    assert {question.question[0].rdtype for question in asked} == {
        dns.rdatatype.from_text(text) for text in ("SOA", "NS", "A", "TXT")
    }
    assert not any(question.flags & dns.flags.RD for question in asked)
    assert len(server.queries) >= counts.queries


def test_one_dead_server_is_made_up_for_by_the_others() -> None:
    zone = Zone()
    # One does not listen, one listens and says nothing.
    with DnsServer() as closed, DnsServer(lambda _query: []) as silent, DnsServer(zone.answer, zone.answer) as good:
        with resolver(offered(1), ns1=closed, ns2=silent, ns3=good) as client:
            counts = counted(client)
    assert (counts.unanswered, counts.wrong, counts.old) == (0, 0, 0), counts
    assert counts.failed["ns1"] > 0 and counts.failed["ns2"] > 0 and counts.failed["ns3"] == 0


@pytest.mark.parametrize(
    "broken",
    [
        lambda query: [rcode_answer(query, dns.rcode.SERVFAIL)],
        lambda query: [rcode_answer(query, dns.rcode.REFUSED)],
        lambda query: [soa_answer(query, 1, authoritative=False)],
        lambda query: [b"\0" + query[1:]],
        lambda query: [query],
    ],
    ids=["SERVFAIL", "REFUSED", "not authoritative", "not an answer to this query", "the query"],
)
def test_what_a_resolver_does_not_use_is_a_failed_attempt(broken: Callable[[bytes], Iterable[bytes]]) -> None:
    zone = Zone()
    with DnsServer(broken) as bad, DnsServer(zone.answer, zone.answer) as good:
        with resolver(offered(1), ns1=bad, ns2=good) as client:
            counts = counted(client)
        assert (counts.unanswered, counts.wrong, counts.old) == (0, 0, 0), counts
        assert counts.failed["ns1"] > 0 and counts.failed["ns2"] == 0
        with resolver(offered(1), ns1=bad) as client:
            counts = counted(client)
    # Each query was tried twice.
    assert counts.unanswered == counts.queries > 0
    assert counts.failed["ns1"] == 2 * counts.queries
    assert "unanswered: " in counts.problems[0]


def test_nobody_answers() -> None:
    with DnsServer() as one, DnsServer(lambda _query: []) as other:
        with resolver(offered(1), ns1=one, ns2=other) as client:
            counts = counted(client)
    assert counts.unanswered == counts.queries > 0 and counts.wrong == 0


def test_content_that_was_not_published_is_wrong() -> None:
    zone = Zone(version=3)
    with DnsServer(zone.answer, zone.answer) as server, resolver(offered(1, 2), ns1=server) as client:
        counts = counted(client, lambda counts: counts.queries > counts.wrong > 3)
        assert counts.unanswered == 0 and counts.wrong < counts.queries
        assert "wrong: " in counts.problems[0] and "never published" in counts.problems[0]
        client.catalogue.offer(ZONE, zone_text(3))
        client.turn()
        assert counted(client).wrong == 0


def test_an_authoritative_no_is_wrong() -> None:
    def no(query: bytes) -> Iterable[bytes]:
        answer = dns.message.make_response(dns.message.from_wire(query))
        answer.flags |= dns.flags.AA
        answer.set_rcode(dns.rcode.NXDOMAIN)
        return [answer.to_wire()]

    with DnsServer(no) as server, resolver(offered(1), ns1=server) as client:
        counts = counted(client)
    assert counts.wrong == counts.queries > 0 and counts.unanswered == 0


def test_old_content_is_old_once_all_servers_had_the_new_one() -> None:
    new, old = Zone(version=2), Zone(version=1)
    with DnsServer(new.answer, new.answer) as one, DnsServer(old.answer, old.answer) as other:
        with resolver(offered(1, 2), ns1=one, ns2=other) as client:
            counts = counted(client)
            assert (counts.wrong, counts.old) == (0, 0)
            client.catalogue.settle(ZONE)
            client.turn()
            counts = counted(client, lambda counts: counts.old > 3)
    assert counts.wrong == 0
    assert all("old: " in problem and " ns2 " in problem for problem in counts.problems)


@pytest.mark.parametrize(("first", "second"), [(7, 6), (1, (1 << 32) - 5)])
def test_a_serial_that_goes_back_is_old(first: int, second: int) -> None:
    zone = Zone(serial=first)
    with DnsServer(zone.answer, zone.answer) as server, resolver(offered(1), ns1=server) as client:
        # Which question comes is chance: one must have been for the serial.
        counted(client, lambda counts: counts.queries >= QUERIES and asked_for_the_serial(server))
        zone.serial = second
        client.turn()
        counts = counted(client, lambda counts: counts.old > 0)
        assert counts.wrong == 0 and "serial %d after %d" % (second, first) in counts.problems[0]
        # Forward again, over the wrap too.
        zone.serial = (first + 100) % (1 << 32)
        client.turn()
        assert counted(client).old == 0


def test_a_serial_that_somebody_else_saw_counts_too() -> None:
    zone = Zone(serial=5)
    with DnsServer(zone.answer, zone.answer) as server, resolver(offered(1), ns1=server) as client:
        client.saw("ns1", ZONE, 6)
        assert "serial 5 after 6" in counted(client, lambda counts: counts.old > 0).problems[0]


def test_truncated_answers_are_fetched_over_tcp() -> None:
    zone = Zone()

    def truncated(query: bytes) -> Iterable[bytes]:
        return [soa_answer(query, 1, truncated=True)]

    with DnsServer(truncated, zone.answer) as server:
        with resolver(offered(1), ns1=server) as client:
            counts = counted(client)
        assert server.connections >= counts.queries
    assert (counts.unanswered, counts.wrong, counts.old, sum(counts.failed.values())) == (0, 0, 0, 0), counts
    with DnsServer(truncated) as server, resolver(offered(1), ns1=server) as client:
        counts = counted(client)
    assert counts.unanswered == counts.queries > 0


def test_each_query_is_counted_in_the_event_in_which_it_began() -> None:
    with DnsServer(lambda _query: []) as silent, resolver(offered(1), ns1=silent) as client:
        first, second = counted(client), counted(client)
    for counts in (first, second):
        assert counts.unanswered == counts.queries > 0 and counts.pending == 0


def test_a_zone_that_is_forgotten_is_asked_for_no_more() -> None:
    zone = Zone()
    catalogue = offered(1)
    catalogue.offer("b.example", zone_text(1))
    with DnsServer(zone.answer, zone.answer) as server, resolver(catalogue, ns1=server) as client:
        counted(client)
        catalogue.forget("b.example")
        client.turn()
        server.queries.clear()
        counted(client)
        names = {str(dns.message.from_wire(query).question[0].name) for _transport, query in server.queries}
    assert names and all(name.endswith("a.example.") for name in names)


def test_serials_are_compared_by_rfc_1982() -> None:
    assert older(1, 2) and not older(2, 1) and not older(1, 1)
    assert older((1 << 32) - 1, 0) and not older(0, (1 << 32) - 1)
