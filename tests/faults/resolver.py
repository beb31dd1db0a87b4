"""A load client that asks a set of authoritative servers as a resolver does, and checks every answer.

Each query is for a record set that the service has, chosen at random. It goes to the servers' addresses in random
order, over UDP, without recursion desired, and to the next address when a second has passed; each address is tried
twice at most. A truncated answer is fetched over TCP (RFC 7766). What a resolver would not use (an error, an answer
without authority, none at all) is a failed attempt of that server; a query that no server answered is unanswered by
the service; an answer that a resolver would use, but that nobody published, is wrong; one that all servers had
replaced already, or with a serial that went back, is old.
"""

from __future__ import annotations

import asyncio
import random
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Mapping, NamedTuple, Sequence

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zone

WRONG, OLD = "wrong", "old"
TRIES = 2
UDP_SIZE = 1232
# Failures that are shown; more of the same says no more.
SHOWN = 20

Key = tuple[dns.name.Name, dns.rdatatype.RdataType]
Content = Mapping[Key, frozenset[dns.rdata.Rdata]]


def older(serial: int, than: int) -> bool:
    """RFC 1982 section 3.2: whether the serial stands before the other one."""
    return serial != than and (than - serial) & 0xFFFFFFFF < 1 << 31


def content_of(zone: str, text: str) -> Content:
    """What a zone file makes a server answer: (name, type) -> records. Of the SOA record nothing is compared here."""
    parsed = dns.zone.from_text(text, zone, relativize=False, check_origin=False)
    return {
        (name, rdataset.rdtype): frozenset(rdataset)
        for name, rdataset in parsed.iterate_rdatasets()
        if rdataset.rdtype != dns.rdatatype.SOA
    }


class Catalogue:
    """What each zone may answer now: the content that all servers agreed on, and what was handed to publishing since.

    What publishing refused was never offered here, so that an answer with it is wrong. One thread writes; others read.
    """

    def __init__(self) -> None:
        self._live: dict[str, tuple[Content, ...]] = {}
        self._past: dict[str, tuple[Content, ...]] = {}

    def offer(self, zone: str, text: str) -> None:
        """From now on the zone may have this content too."""
        self._live[zone] = (*self._live.get(zone, ()), content_of(zone, text))

    def settle(self, zone: str) -> None:
        """All servers have the content that was offered last: from now on the zone has that and no other."""
        self._past[zone] = (*self._past.get(zone, ()), *self._live[zone][:-1])
        self._live[zone] = self._live[zone][-1:]

    def forget(self, zone: str) -> None:
        """The zone is asked for no more, because it is about to go."""
        del self._live[zone]

    def zones(self) -> list[str]:
        return list(self._live)

    def live(self, zone: str) -> tuple[Content, ...]:
        return self._live.get(zone, ())

    def past(self, zone: str) -> tuple[Content, ...]:
        """What the zone was, and what all servers have replaced."""
        return self._past.get(zone, ())

    def questions(self, zone: str) -> list[Key]:
        """The record sets that the zone has in each of its live contents, and its SOA record."""
        apex: Key = (dns.name.from_text(zone), dns.rdatatype.SOA)
        contents = self.live(zone)
        return [apex, *(key for key in (contents[0] if contents else ()) if all(key in other for other in contents))]


@dataclass
class Counts:
    """What became of the queries that were begun during one event.

    ``failed`` counts attempts by server; ``problems`` tells the first unanswered, wrong and old ones.
    """

    queries: int = 0
    unanswered: int = 0
    wrong: int = 0
    old: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    pending: int = 0

    def tell(self, problem: str) -> None:
        if len(self.problems) < SHOWN:
            self.problems.append(problem)


class Endpoint(NamedTuple):
    server: str
    address: str
    port: int


class Resolver:
    """A context manager that asks at a steady rate, in a thread of its own.

    :param servers: name -> (address, port) of each of its addresses.
    :param rate: queries a second.
    """

    def __init__(
        self,
        servers: Mapping[str, Sequence[tuple[str, int]]],
        catalogue: Catalogue,
        rate: float = 60.0,
        timeout: float = 1.0,
    ) -> None:
        self.catalogue = catalogue
        self.counts = Counts()
        self._endpoints = [Endpoint(name, *address) for name, addresses in servers.items() for address in addresses]
        self.interval = 1.0 / rate
        self._timeout = timeout
        # The highest serial that was seen, by server and zone.
        self._serials: dict[tuple[str, str], int] = {}
        self._random = random.Random()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Resolver:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stopping.set()
        self._thread.join()

    def turn(self) -> Counts:
        """The counts until now, when their last query has come to its end; from now on new ones are filled."""
        done, self.counts = self.counts, Counts()
        # A query that was just about to be counted, and those under way: each ends after all its time-outs.
        deadline = time.monotonic() + 5 + 2 * TRIES * len(self._endpoints) * self._timeout
        time.sleep(2 * self.interval)
        while done.pending:
            assert time.monotonic() < deadline, "%d queries do not end" % done.pending
            time.sleep(0.01)
        return done

    def saw(self, server: str, zone: str, serial: int) -> None:
        """Another observer has seen that serial: that server may not fall behind it any more."""
        before = self._serials.get((server, zone))
        if before is None or older(before, serial):
            self._serials[server, zone] = serial

    # --- the loop ----------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        tasks = set()
        due = time.monotonic()
        while not self._stopping.is_set():
            zones = self.catalogue.zones()
            if zones:
                task = asyncio.ensure_future(self._query(self._random.choice(zones), self.counts))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            # Where the machine was busy, what is late is not made up for: a burst is no steady rate.
            due = max(due + self.interval, time.monotonic())
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await asyncio.gather(*tasks)

    async def _query(self, zone: str, counts: Counts) -> None:
        questions = self.catalogue.questions(zone)
        key = self._random.choice(questions)
        counts.queries += 1
        counts.pending += 1
        try:
            order = self._random.sample(self._endpoints, len(self._endpoints))
            reasons = []
            for endpoint in order * TRIES:
                reason = await self._attempt(endpoint, zone, key, counts)
                if reason is None:
                    return
                counts.failed[endpoint.server] += 1
                reasons.append("%s %s: %s" % (endpoint.server, endpoint.address, reason))
            counts.unanswered += 1
            counts.tell("unanswered: %s: %s" % (_show(key), "; ".join(reasons)))
        finally:
            counts.pending -= 1

    async def _attempt(self, endpoint: Endpoint, zone: str, key: Key, counts: Counts) -> str | None:
        """None where the server gave an answer that a resolver uses, right or wrong; else why not."""
        # What was right when the query left is right, whatever happens while it is on its way.
        allowed = self.catalogue.live(zone)
        seen = self._serials.get((endpoint.server, zone))
        try:
            answer = await self._exchange(endpoint, key)
        except (OSError, EOFError, asyncio.TimeoutError, dns.exception.DNSException) as error:
            return type(error).__name__
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return dns.rcode.to_text(answer.rcode())
        if not answer.flags & dns.flags.AA:
            return "not authoritative"
        verdict, detail = self._judge(endpoint, zone, key, answer, (*allowed, *self.catalogue.live(zone)), seen)
        if verdict:
            counts.wrong += verdict == WRONG
            counts.old += verdict == OLD
            counts.tell("%s: %s from %s %s: %s" % (verdict, _show(key), endpoint.server, endpoint.address, detail))
        return None

    def _judge(
        self,
        endpoint: Endpoint,
        zone: str,
        key: Key,
        answer: dns.message.Message,
        allowed: Sequence[Content],
        seen: int | None,
    ) -> tuple[str, str]:
        """WRONG or OLD and why; both empty where the answer is right.

        :param seen: the highest serial that this server had given for this zone when the query left.
        """
        records = answer.get_rrset(answer.answer, key[0], dns.rdataclass.IN, key[1])
        if answer.rcode() != dns.rcode.NOERROR or records is None:
            return WRONG, "%s without the records" % dns.rcode.to_text(answer.rcode())
        if key[1] == dns.rdatatype.SOA:
            serial = records[0].serial
            self.saw(endpoint.server, zone, serial)
            back = seen is not None and older(serial, seen)
            return (OLD, "serial %d after %d" % (serial, seen)) if back else ("", "")
        shown = ", ".join(sorted(record.to_text() for record in records))[:200]
        if any(content.get(key) == frozenset(records) for content in allowed):
            return "", ""
        past = any(content.get(key) == frozenset(records) for content in self.catalogue.past(zone))
        return (OLD, "replaced already: %s" % shown) if past else (WRONG, "never published: %s" % shown)

    # --- one question and its answer ---------------------------------------------------------------------------------

    async def _exchange(self, endpoint: Endpoint, key: Key) -> dns.message.Message:
        query = dns.message.make_query(*key, use_edns=0, payload=UDP_SIZE)
        query.flags &= ~dns.flags.RD
        octets = query.to_wire()
        answer = await asyncio.wait_for(self._udp(endpoint, query, octets), self._timeout)
        if answer.flags & dns.flags.TC:
            answer = await asyncio.wait_for(self._tcp(endpoint, query, octets), self._timeout)
        return answer

    async def _udp(self, endpoint: Endpoint, query: dns.message.Message, octets: bytes) -> dns.message.Message:
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[dns.message.Message] = loop.create_future()
        transport, _protocol = await loop.create_datagram_endpoint(
            lambda: _Datagrams(query, arrived), remote_addr=(endpoint.address, endpoint.port)
        )
        try:
            transport.sendto(octets)
            return await arrived
        finally:
            transport.close()

    async def _tcp(self, endpoint: Endpoint, query: dns.message.Message, octets: bytes) -> dns.message.Message:
        reader, writer = await asyncio.open_connection(endpoint.address, endpoint.port)
        try:
            writer.write(struct.pack("!H", len(octets)) + octets)
            size = struct.unpack("!H", await reader.readexactly(2))[0]
            answer = dns.message.from_wire(await reader.readexactly(size))
        finally:
            writer.close()
        if not query.is_response(answer):
            raise dns.exception.FormError
        return answer


class _Datagrams(asyncio.DatagramProtocol):
    """Waits for the answer to one query; other datagrams are no answer."""

    def __init__(self, query: dns.message.Message, arrived: asyncio.Future[dns.message.Message]) -> None:
        self._query = query
        self._arrived = arrived

    def datagram_received(self, data: bytes, _address: object) -> None:
        try:
            answer = dns.message.from_wire(data, ignore_trailing=True, raise_on_truncation=False)
        except dns.exception.DNSException:
            return
        if self._query.is_response(answer) and not self._arrived.done():
            self._arrived.set_result(answer)

    def error_received(self, exc: Exception) -> None:
        """A closed port: nobody needs to wait for it."""
        if not self._arrived.done():
            self._arrived.set_exception(exc)


def _show(key: Key) -> str:
    return "%s %s" % (key[0], dns.rdatatype.to_text(key[1]))
