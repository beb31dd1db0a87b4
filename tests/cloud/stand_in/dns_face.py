"""A small name server for stand-ins: it answers over UDP and TCP what a function says.

A laboratory's server: whoever asks may transfer a zone, so that tests can compare whole zones; a query with TSIG is
answered as if it had none. Nothing here is shared with the collection, for which it is an oracle.
"""

from __future__ import annotations

import logging
import socket
import socketserver
import struct
import threading
from typing import Callable, Iterable, Iterator

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.zone

UDP_SIZE = 1232
# Octets of records in a message of a transfer: far below the 65,535 of a message, but more than any record has.
TRANSFER_SIZE = 16000
# Links of a chain of CNAMEs that are followed within a zone.
CNAMES = 8

# A query to the messages of its answer; the first alone goes over UDP.
Respond = Callable[[dns.message.Message], Iterable[dns.message.Message]]
# An absolute name to the zone with that apex, None where there is none.
Lookup = Callable[[dns.name.Name], "dns.zone.Zone | None"]

log = logging.getLogger(__name__)


class DnsFace:
    """The server, in threads of its own.

    >>> face = DnsFace(authoritative(lookup))
    >>> face.start("127.0.0.1", 5300)
    >>> face.stop()
    """

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self._servers: list[socketserver.BaseServer] = []

    def start(self, address: str, port: int = 53) -> None:
        """Answer at that address too."""
        for server in (_UdpServer(self, address, port), _TcpServer(self, address, port)):
            self._servers.append(server)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers.clear()

    def answers(self, octets: bytes) -> Iterator[tuple[dns.message.Message, dns.message.Message]]:
        """(query, message of its answer); nothing for what is no query."""
        try:
            query = _read(octets)
        except (dns.exception.DNSException, struct.error):
            return
        if query.flags & dns.flags.QR:
            return
        if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
            yield query, reply(query, dns.rcode.NOTIMP)
            return
        try:
            for answer in self._respond(query):
                yield query, answer
        except Exception:
            # What stands behind the face failed; the one who asks is to see that, and the log why.
            log.exception("no answer to %s", query.question[0])
            yield query, reply(query, dns.rcode.SERVFAIL)


class _UdpServer(socketserver.ThreadingUDPServer):
    allow_reuse_address = True
    daemon_threads = True
    max_packet_size = 65535

    def __init__(self, face: DnsFace, address: str, port: int) -> None:
        self.face = face
        self.address_family = _family(address)
        super().__init__((address, port), _Datagram)


class _TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, face: DnsFace, address: str, port: int) -> None:
        self.face = face
        self.address_family = _family(address)
        super().__init__((address, port), _Connection)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class _Datagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        octets, sending = self.request
        for query, answer in self.server.face.answers(octets):
            size = min(max(query.payload, 512), UDP_SIZE) if query.edns >= 0 else 512
            try:
                wire = answer.to_wire(max_size=size)
            except dns.exception.TooBig:
                answer.answer, answer.authority, answer.additional = [], [], []
                answer.flags |= dns.flags.TC
                wire = answer.to_wire(max_size=size)
            sending.sendto(wire, self.client_address)
            return


class _Connection(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self) -> None:
        try:
            while True:
                size = self.rfile.read(2)
                if len(size) < 2:
                    return
                for _query, answer in self.server.face.answers(self.rfile.read(struct.unpack("!H", size)[0])):
                    wire = answer.to_wire(max_size=65535)
                    self.wfile.write(struct.pack("!H", len(wire)) + wire)
        except OSError:
            # The one who asked has gone, or was silent for too long.
            return


def _read(octets: bytes) -> dns.message.Message:
    """The query; its TSIG, if any, is not looked at."""
    try:
        return dns.message.from_wire(octets, ignore_trailing=True)
    except dns.message.UnknownTSIGKey:
        end = 12 + dns.name.from_wire(octets, 12)[1] + 4
        return dns.message.from_wire(octets[:6] + bytes(6) + octets[12:end])


def reply(query: dns.message.Message, rcode: int = dns.rcode.NOERROR) -> dns.message.Message:
    answer = dns.message.make_response(query, our_payload=UDP_SIZE)
    answer.set_rcode(rcode)
    return answer


# --- an authoritative server -----------------------------------------------------------------------------------------


def authoritative(lookup: Lookup) -> Respond:
    """Answers from zones, RFC 1034 section 4.3.2: records, CNAMEs, wildcards, referrals, and what is not there."""

    def respond(query: dns.message.Message) -> Iterable[dns.message.Message]:
        question = query.question[0]
        zone = next((found for found in map(lookup, _upwards(question.name)) if found is not None), None)
        if zone is None or question.rdclass != dns.rdataclass.IN:
            return [reply(query, dns.rcode.REFUSED)]
        if question.rdtype in (dns.rdatatype.AXFR, dns.rdatatype.IXFR):
            if question.name != zone.origin:
                return [reply(query, dns.rcode.NOTAUTH)]
            return _transfer(query, zone)
        answer = reply(query)
        answer.flags |= dns.flags.AA
        _answer(answer, zone, question.name, question.rdtype)
        return [answer]

    return respond


def _upwards(name: dns.name.Name) -> Iterator[dns.name.Name]:
    while True:
        yield name
        if name == dns.name.root:
            return
        name = name.parent()


def _absolute(zone: dns.zone.Zone, name: dns.name.Name, rdataset: dns.rdataset.Rdataset) -> dns.rrset.RRset:
    """The records under that absolute name, with no relative name left in them."""
    found = dns.rrset.RRset(name, rdataset.rdclass, rdataset.rdtype)
    found.update_ttl(rdataset.ttl)
    for rdata in rdataset:
        wire = rdata.to_wire(origin=zone.origin)
        found.add(dns.rdata.from_wire(rdataset.rdclass, rdataset.rdtype, wire, 0, len(wire)))
    return found


def _node(zone: dns.zone.Zone, name: dns.name.Name) -> dict[int, dns.rrset.RRset] | None:
    """The record sets at an absolute name by type; None where the zone has no such name."""
    node = zone.get_node(name.relativize(zone.origin) if zone.relativize else name)
    if node is None:
        # An empty non-terminal exists (RFC 8020).
        below = any(each.derelativize(zone.origin).is_subdomain(name) for each in zone.keys())
        return {} if below else None
    return {rdataset.rdtype: _absolute(zone, name, rdataset) for rdataset in node.rdatasets}


def _answer(answer: dns.message.Message, zone: dns.zone.Zone, name: dns.name.Name, rdtype: int) -> None:
    for _link in range(CNAMES):
        cut = _cut(zone, name, rdtype)
        if cut is not None:
            answer.authority.append(cut)
            if not answer.answer:
                answer.flags &= ~dns.flags.AA
            return
        records = _node(zone, name)
        if records is None:
            records = _wildcard(zone, name)
        if records is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
            break
        if rdtype == dns.rdatatype.ANY and records:
            answer.answer.extend(records.values())
            return
        if rdtype in records:
            answer.answer.append(records[rdtype])
            return
        if dns.rdatatype.CNAME not in records:
            break
        answer.answer.append(records[dns.rdatatype.CNAME])
        name = records[dns.rdatatype.CNAME][0].target
        if not name.is_subdomain(zone.origin):
            return
    apex = _node(zone, zone.origin) or {}
    if dns.rdatatype.SOA in apex:
        answer.authority.append(apex[dns.rdatatype.SOA])


def _cut(zone: dns.zone.Zone, name: dns.name.Name, rdtype: int) -> dns.rrset.RRset | None:
    """The NS records of the delegation that the name is at or below."""
    depth = len(zone.origin.labels)
    for labels in range(depth + 1, len(name.labels) + 1):
        at = name.split(labels)[1]
        records = _node(zone, at) or {}
        if dns.rdatatype.NS in records and not (at == name and rdtype == dns.rdatatype.DS):
            return records[dns.rdatatype.NS]
    return None


def _wildcard(zone: dns.zone.Zone, name: dns.name.Name) -> dict[int, dns.rrset.RRset] | None:
    """RFC 4592: the records that the wildcard below the closest name that exists has for this name."""
    encloser = next(above for above in _upwards(name.parent()) if _node(zone, above) is not None)
    records = _node(zone, dns.name.Name((b"*", *encloser.labels)))
    if records is None:
        return None
    for rrset in records.values():
        rrset.name = name
    return records


def _transfer(query: dns.message.Message, zone: dns.zone.Zone) -> Iterator[dns.message.Message]:
    """The messages of an AXFR (RFC 5936), which answers an IXFR too (RFC 1995 section 4)."""
    rrsets = [
        _absolute(zone, name.derelativize(zone.origin), rdataset)
        for name, node in zone.items()
        for rdataset in node.rdatasets
    ]
    soa = [rrset for rrset in rrsets if rrset.rdtype == dns.rdatatype.SOA]
    others = [rrset for rrset in rrsets if rrset.rdtype != dns.rdatatype.SOA]
    message, size = _next_message(query), 0
    for rrset in soa + others + soa:
        for rdata in rrset:
            message.answer.append(dns.rrset.from_rdata(rrset.name, rrset.ttl, rdata))
            size += len(rrset.name.to_wire()) + 10 + len(rdata.to_wire())
            if size > TRANSFER_SIZE:
                yield message
                message, size = _next_message(query), 0
    if message.answer:
        yield message


def _next_message(query: dns.message.Message) -> dns.message.Message:
    message = reply(query)
    message.flags |= dns.flags.AA
    return message
