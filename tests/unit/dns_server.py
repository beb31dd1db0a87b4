"""A name server on loopback for the tests of the client, in threads of the test's own process.

It encodes and signs with dnspython only, never with the wire module under test. A test says what the server does by
giving functions: ``udp`` takes a query's octets and gives the answers' octets, ``tcp`` takes a query's octets and
yields the messages of the answer. What is in a list or yielded is sent as it is, so a test can break anything.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from typing import Callable, Iterable, Iterator

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig

Udp = Callable[[bytes], Iterable[bytes]]
Tcp = Callable[[bytes], Iterable[bytes]]


class DnsServer:
    """A context manager; ``port`` is free for both UDP and TCP on ``address``, and is closed where a function is None.

    ``queries`` holds (transport, octets) of every query received; ``connections`` counts those over TCP.
    """

    def __init__(
        self, udp: Udp | None = None, tcp: Tcp | None = None, address: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.address = address
        self.queries: list[tuple[str, bytes]] = []
        self.connections = 0
        self._udp_answer = udp
        self._tcp_answer = tcp
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._closing = False
        self._udp, self._tcp = _bind_both(address, port)
        self.port: int = self._udp.getsockname()[1]

    def __enter__(self) -> DnsServer:
        if self._udp_answer is None:
            self._udp.close()
        else:
            # Room for a burst: this server is slower than the client that is tested.
            self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            self._start(self._serve_udp)
        if self._tcp_answer is None:
            self._tcp.close()
        else:
            self._tcp.listen(64)
            self._start(self._serve_tcp)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._closing = True
        with self._lock:
            sockets = [self._udp, self._tcp, *self._sockets]
        for each in sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            if each is not self._udp:
                each.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()
        self._udp.close()

    def _start(self, function: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve_udp(self) -> None:
        self._udp.settimeout(0.05)
        while not self._closing:
            try:
                query, peer = self._udp.recvfrom(65535)
            except socket.timeout:
                continue
            self.queries.append(("udp", query))
            for answer in self._udp_answer(query):
                self._udp.sendto(answer, peer)

    def _serve_tcp(self) -> None:
        while True:
            try:
                connection = self._tcp.accept()[0]
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._sockets.append(connection)
            self._start(self._serve_connection, connection)

    def _serve_connection(self, connection: socket.socket) -> None:
        """Answer query after query; an answer function that returns without an answer closes the connection."""
        with connection:
            try:
                while True:
                    size = _receive(connection, 2)
                    query = _receive(connection, int.from_bytes(size, "big")) if size else b""
                    if not query:
                        return
                    self.queries.append(("tcp", query))
                    answered = False
                    for message in self._tcp_answer(query):
                        connection.sendall(struct.pack("!H", len(message)) + message)
                        answered = True
                    if not answered:
                        return
            except OSError:
                return


def _bind_both(address: str, port: int) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on the same port: that one, or any free one for 0."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    while True:
        udp = socket.socket(family, socket.SOCK_DGRAM)
        udp.bind((address, port))
        tcp = socket.socket(family, socket.SOCK_STREAM)
        try:
            tcp.bind((address, udp.getsockname()[1]))
        except OSError:
            udp.close()
            tcp.close()
            if port:
                raise
        else:
            return udp, tcp


def _receive(connection: socket.socket, count: int) -> bytes:
    octets = b""
    while len(octets) < count:
        more = connection.recv(count - len(octets))
        if not more:
            return b""
        octets += more
    return octets


# --- SOA answers ------------------------------------------------------------------------------------


def soa_answer(query: bytes, serial: int, *, authoritative: bool = True, truncated: bool = False) -> bytes:
    """The answer to an SOA query: NOERROR with that serial."""
    question = dns.message.from_wire(query)
    answer = dns.message.make_response(question)
    if authoritative:
        answer.flags |= dns.flags.AA
    if truncated:
        answer.flags |= dns.flags.TC
    else:
        zone = question.question[0].name
        text = f"ns1.{zone} hostmaster.{zone} {serial} 3600 600 1209600 3600"
        answer.answer.append(dns.rrset.from_text(zone, 3600, "IN", "SOA", text))
    return answer.to_wire()


def rcode_answer(query: bytes, rcode: int) -> bytes:
    """An answer without records, and without TSIG whether or not the query has one."""
    answer = dns.message.make_response(_without_tsig(query))
    answer.set_rcode(rcode)
    return answer.to_wire()


# --- Zone transfers ---------------------------------------------------------------------------------


def tsig_key(name: str, secret: bytes, algorithm: str = "hmac-sha256") -> dns.tsig.Key:
    return dns.tsig.Key(name, secret, algorithm)


def axfr_answer(
    query: bytes,
    records: list[dns.rrset.RRset],
    *,
    key: dns.tsig.Key | None = None,
    per_message: int = 100,
    unsigned: Callable[[int, bool], bool] = lambda index, last: False,
    finish: bool = True,
) -> Iterator[bytes]:
    """The messages of an AXFR: ``records`` begin with the SOA, which is sent again at the end if ``finish``.

    With ``key`` the query's TSIG is checked, and a wrong one gets the error answer of RFC 8945 section 5.2.
    ``unsigned(index, last)`` says which messages go without TSIG.
    """
    keyring = None if key is None else {key.name: key}
    try:
        question = dns.message.from_wire(query, keyring=keyring)
    except dns.message.UnknownTSIGKey:
        yield tsig_error_answer(query, dns.rcode.BADKEY)
        return
    except dns.tsig.BadSignature:
        yield tsig_error_answer(query, dns.rcode.BADSIG)
        return
    except dns.tsig.BadTime:
        yield tsig_error_answer(query, dns.rcode.BADTIME, key)
        return
    if key is not None and not question.had_tsig:
        yield rcode_answer(query, dns.rcode.REFUSED)
        return
    stream = records + records[:1] if finish else list(records)
    chunks = [stream[start : start + per_message] for start in range(0, len(stream), per_message)]
    context = None
    for index, chunk in enumerate(chunks):
        message = dns.message.make_response(question)
        message.flags |= dns.flags.AA
        if index:
            message.question = []
        message.answer = chunk
        if key is None:
            yield message.to_wire(max_size=65535)
        elif unsigned(index, index == len(chunks) - 1):
            message.tsig = None
            message.want_tsig_sign = False
            octets = message.to_wire(max_size=65535)
            if context is not None:
                context.update(octets)
            yield octets
        else:
            yield message.to_wire(max_size=65535, multi=True, tsig_ctx=context)
            context = message.tsig_ctx


def tsig_error_answer(query: bytes, error: int, key: dns.tsig.Key | None = None) -> bytes:
    """NOTAUTH with that error in the TSIG record: unsigned, but for BADTIME signed with ``key`` and with our time."""
    name, theirs = _tsig_of_query(query)
    octets = rcode_answer(query, dns.rcode.NOTAUTH)
    other = int(time.time()).to_bytes(6, "big") if error == dns.rcode.BADTIME else b""
    rdata = theirs.replace(mac=b"", error=error, other=other)
    if key is not None:
        rdata = dns.tsig.sign(octets, key, rdata, theirs.time_signed, theirs.mac)[0]
    return octets[:11] + b"\x01" + octets[12:] + _tsig_record(name, rdata)


def replace_tsig(message: bytes, name: dns.name.Name, change: Callable[[dns.rdata.Rdata], dns.rdata.Rdata]) -> bytes:
    """The message with another TSIG record of that name at its end, which nobody signs anew."""
    start = message.rindex(name.to_wire() + _TSIG_FIXED)
    return message[:start] + _tsig_record(name, change(_tsig_at(message, start)[1]))


# dnspython 2.3 does not parse a TSIG record without checking it, hence the following.

_TSIG_FIXED = struct.pack("!HHI", dns.rdatatype.TSIG, dns.rdataclass.ANY, 0)


def _without_tsig(query: bytes) -> dns.message.Message:
    return dns.message.from_wire(query[:10] + b"\0\0" + query[12 : _end_of_question(query)])


def _tsig_of_query(query: bytes) -> tuple[dns.name.Name, dns.rdata.Rdata]:
    return _tsig_at(query, _end_of_question(query))


def _end_of_question(query: bytes) -> int:
    return 12 + dns.name.from_wire(query, 12)[1] + 4


def _tsig_at(message: bytes, start: int) -> tuple[dns.name.Name, dns.rdata.Rdata]:
    name, octets = dns.name.from_wire(message, start)
    rdata_at = start + octets + 10
    rdata = dns.rdata.from_wire(dns.rdataclass.ANY, dns.rdatatype.TSIG, message, rdata_at, len(message) - rdata_at)
    return name, rdata


def _tsig_record(name: dns.name.Name, rdata: dns.rdata.Rdata) -> bytes:
    body = rdata.to_wire()
    return name.to_wire() + _TSIG_FIXED + struct.pack("!H", len(body)) + body
