# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks name servers: the serial of many zones at once, and the content of a zone by zone transfer.

ask_serials() is one round of SOA questions, all at once but bounded. transfer() is one AXFR over TCP in bounded
memory, transfer_many() several side by side. No name is ever resolved: addresses are literal, IPv4 or IPv6.

dnspython (2.3 or later) is needed for TSIG only; HAS_DNSPYTHON says whether it is here.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import errno
import itertools
import os
import re
import secrets
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, NamedTuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import wire

try:
    import dns.exception
    import dns.name
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    import dns.rdtypes.ANY.TSIG
    import dns.tsig
except ImportError:
    HAS_DNSPYTHON = False
else:
    HAS_DNSPYTHON = True


# --- What went wrong with a connection --------------------------------------------------------------

# Three classes until Python 3.10 and 3.11 made them one.
_TIMEOUTS = (TimeoutError, asyncio.TimeoutError, socket.timeout)

_NO_ROUTE = frozenset((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EACCES))
_NO_ADDRESS = frozenset((errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT))


def _unreachable_text(error: OSError, port: int) -> str:
    """Keeps apart what is wrong on the server (nothing listens) and what is wrong on the way to it."""
    if error.errno == errno.ECONNREFUSED:
        return f"port {port} is closed"
    if error.errno in _NO_ROUTE:
        return f"no route from here ({os.strerror(error.errno)})"
    if error.errno in _NO_ADDRESS:
        return f"this host has no such address to ask from ({os.strerror(error.errno)})"
    return os.strerror(error.errno) if error.errno else str(error)


def _family(address: str) -> int:
    """AF_INET or AF_INET6. Raises ValueError for what is not an address literal: a name would have to be resolved."""
    try:
        return socket.getaddrinfo(address, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0][0]
    except (OSError, UnicodeError):
        raise ValueError(f"{address!r} is not an IP address") from None


def _check_port(port: int) -> None:
    if not 0 < port < 65536:
        raise ValueError(f"{port} is not a port")


# So many questions without any sign of life from a server, and the others are not put to it: they'd take hours.
_SILENCE = 8


class _SignsOfLife:
    """Whether a server was heard at all. ``dead`` is None, or what came of the last question nobody answered."""

    def __init__(self) -> None:
        self.dead: Any = None
        self._heard = False
        self._silent = 0

    def note(self, outcome: Any, nothing_heard: bool) -> None:
        if nothing_heard:
            self._silent += 1
            if self._silent >= _SILENCE and not self._heard:
                self.dead = outcome
        else:
            self._heard = True
            self.dead = None


# --- Serials ----------------------------------------------------------------------------------------


class Question(NamedTuple):
    """Which serial has this zone at this server? ``address`` is literal, IPv4 or IPv6."""

    zone: str
    address: str
    port: int = 53


class Status:
    """What came of a Question."""

    ANSWER = "answer"  # authoritative, with a serial
    NOT_AUTHORITATIVE = "not_authoritative"  # an answer, but not as an authority for that zone
    REFUSED = "refused"
    SERVFAIL = "servfail"  # a secondary that has not got the zone yet, or has let it expire
    NXDOMAIN = "nxdomain"
    OTHER_RCODE = "other_rcode"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"  # closed port, or no route from here: detail says which
    BROKEN = "broken"  # over TCP: not a DNS message, not the answer to the question, or a closed connection


class SerialSeen(NamedTuple):
    """What one server said about one zone.

    ``serial`` is None unless ``status`` is Status.ANSWER; ``transport`` is ``udp`` or ``tcp``, that of the last try;
    ``detail`` is for people, empty where all is well.
    """

    zone: str
    address: str
    port: int
    status: str
    serial: int | None
    transport: str
    detail: str


_STATUS_OF_RCODE = {
    wire.REFUSED: Status.REFUSED,
    wire.SERVFAIL: Status.SERVFAIL,
    wire.NXDOMAIN: Status.NXDOMAIN,
    wire.NOTAUTH: Status.NOT_AUTHORITATIVE,
}
_CLOSED = "the server closed the connection without an answer"
# A connection takes so long at most, over any path that zones are transferred over; a transfer may take longer.
CONNECT_SECONDS = 10.0
# Nothing was heard of the server.
SILENT = frozenset((Status.TIMEOUT, Status.UNREACHABLE))
# What a server says that has not got the zone yet. All alike, so over UDP a rate limit may hold these answers back.
NOT_LOADED = frozenset((Status.REFUSED, Status.SERVFAIL, Status.NOT_AUTHORITATIVE))
_RCODE_NAMES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 9: "NOTAUTH"}


def _rcode_text(rcode: int) -> str:
    return _RCODE_NAMES.get(rcode, f"RCODE {rcode}")


class _Waiter:
    """One question in flight on one socket, under the id of each of its tries."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.ids: list[int] = []
        self.answer: asyncio.Future[wire.SoaAnswer] = asyncio.get_running_loop().create_future()


class _Channel:
    """The questions in flight on one socket. The socket is connected: the kernel drops what others send."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.answered = 0
        self._pending: dict[int, _Waiter] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def query(self, waiter: _Waiter) -> bytes:
        """A query for the waiter, under a new random id; answers to its earlier tries still count."""
        message_id = secrets.randbelow(65536)
        while message_id in self._pending:
            message_id = secrets.randbelow(65536)
        self._pending[message_id] = waiter
        waiter.ids.append(message_id)
        return wire.build_query(waiter.zone, wire.TYPE_SOA, message_id=message_id)

    def forget(self, waiter: _Waiter) -> None:
        for message_id in waiter.ids:
            del self._pending[message_id]

    def received(self, message: bytes) -> None:
        """Hand the answer to who waits for it, if there still is someone. Raises WireError."""
        message_id = wire.parse_header(message).message_id
        waiter = self._pending.get(message_id)
        if waiter is None:
            return
        answer = wire.parse_soa_answer(message, waiter.zone, message_id)
        self.answered += 1
        if not waiter.answer.done():
            waiter.answer.set_result(answer)

    def fail_all(self, error: Exception) -> None:
        for waiter in self._pending.values():
            if not waiter.answer.done():
                waiter.answer.set_exception(error)


class _UdpChannel(_Channel, asyncio.DatagramProtocol):
    def datagram_received(self, data: bytes, addr: Any) -> None:
        try:
            self.received(data)
        except wire.WireError:
            pass  # Forged or damaged: the right answer may still come (RFC 5452 section 9.1).

    def error_received(self, exc: Exception) -> None:
        """An ICMP error. It does not say which datagram it is about, so it is about all."""
        self.fail_all(exc)


class _TcpChannel(_Channel, asyncio.Protocol):
    """One connection for many questions, which may be answered in any order (RFC 7766 sections 6.2.1.1 and 7)."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer = bytearray()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        for message in _take_messages(self._buffer):
            try:
                self.received(message)
            except wire.WireError as error:
                # Nobody can slip such a message into the connection: the server itself is wrong.
                self.fail_all(error)
                self.transport.abort()
                return

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail_all(wire.WireError(_CLOSED))


def _take_messages(buffer: bytearray) -> Iterator[bytes]:
    """Take the complete messages out of what came over TCP (RFC 1035 section 4.2.2)."""
    while len(buffer) >= 2:
        end = 2 + (buffer[0] << 8 | buffer[1])
        if len(buffer) < end:
            return
        message = bytes(buffer[2:end])
        del buffer[:end]
        yield message


class _Server:
    """One server address: its UDP socket, its TCP connection, its pace, and whether it shows signs of life."""

    def __init__(self, address: str, port: int, rate: float) -> None:
        self.life = _SignsOfLife()
        self._address = address
        self._port = port
        self._interval = 1.0 / rate
        self._next_query = 0.0
        self._udp: asyncio.Future[_UdpChannel] | None = None
        self._tcp: asyncio.Future[_TcpChannel] | None = None

    async def ask_udp(self, zone: str, waits: Iterable[float]) -> wire.SoaAnswer:
        """Ask until there is an answer, each time waiting that long (seconds). Raises OSError, _TIMEOUTS."""
        channel = await self._open_udp()
        waiter = _Waiter(zone)
        try:
            for wait in waits:
                await self._pace()
                channel.transport.sendto(channel.query(waiter))
                try:
                    return await asyncio.wait_for(asyncio.shield(waiter.answer), wait)
                except _TIMEOUTS:
                    pass
            raise TimeoutError
        finally:
            channel.forget(waiter)

    async def ask_tcp(self, zone: str, wait: float) -> wire.SoaAnswer:
        """Ask, waiting that long (seconds) for a connection and for the answer.

        A server may close a connection after a time or a number of answers; then the question is put again on the
        next one. Where there was not even one answer, it is put once more on a connection of its own: some servers
        do not take several questions at once. Raises OSError, _TIMEOUTS, WireError.
        """
        while True:
            await self._pace()
            channel = await asyncio.wait_for(asyncio.shield(self._open_tcp()), wait)
            try:
                return await self._ask_on(channel, zone, wait)
            except wire.WireError:
                if not channel.answered:
                    break
        await self._pace()
        channel = await asyncio.wait_for(self._connect(), wait)
        try:
            return await self._ask_on(channel, zone, wait)
        finally:
            channel.transport.abort()

    async def _ask_on(self, channel: _TcpChannel, zone: str, wait: float) -> wire.SoaAnswer:
        if channel.transport.is_closing():
            raise wire.WireError(_CLOSED)
        waiter = _Waiter(zone)
        query = channel.query(waiter)
        channel.transport.write(len(query).to_bytes(2, "big") + query)
        try:
            return await asyncio.wait_for(asyncio.shield(waiter.answer), wait)
        finally:
            channel.forget(waiter)

    def close(self) -> None:
        for opening in (self._udp, self._tcp):
            if opening is None:
                continue
            if not opening.done():
                opening.cancel()
            elif not opening.cancelled() and opening.exception() is None:
                opening.result().transport.abort()

    async def _pace(self) -> None:
        now = time.monotonic()
        slot = max(now, self._next_query)
        self._next_query = slot + self._interval
        if slot > now:
            await asyncio.sleep(slot - now)

    async def _open_udp(self) -> _UdpChannel:
        """The socket; all who wait for it share one attempt."""
        if self._udp is None:
            loop = asyncio.get_running_loop()
            opening = loop.create_datagram_endpoint(_UdpChannel, remote_addr=(self._address, self._port))
            self._udp = asyncio.ensure_future(_protocol(opening))
        return await asyncio.shield(self._udp)

    def _open_tcp(self) -> asyncio.Future[_TcpChannel]:
        """The connection, a new one where the last has ended; all who wait for it share one attempt."""
        tcp = self._tcp
        if tcp is None or (tcp.done() and (tcp.exception() is not None or tcp.result().transport.is_closing())):
            tcp = self._tcp = asyncio.ensure_future(self._connect())
        return tcp

    async def _connect(self) -> _TcpChannel:
        loop = asyncio.get_running_loop()
        return await _protocol(loop.create_connection(_TcpChannel, self._address, self._port))


async def _protocol(opening: Any) -> Any:
    """The second of asyncio's pairs of transport and protocol."""
    return (await opening)[1]


def _judge(question: Question, answer: wire.SoaAnswer, transport: str) -> SerialSeen:
    status, serial, detail = Status.NOT_AUTHORITATIVE, None, ""
    if answer.rcode != wire.NOERROR:
        status = _STATUS_OF_RCODE.get(answer.rcode, Status.OTHER_RCODE)
        detail = f"the server answers {_rcode_text(answer.rcode)}"
    elif answer.truncated:
        status, detail = Status.BROKEN, "the answer is truncated even over TCP"
    elif not answer.authoritative:
        detail = "the server answers, but not as an authority for the zone"
    elif answer.serial is None:
        detail = "the server is an authority for a zone above, and has no zone of this name"
    else:
        status, serial = Status.ANSWER, answer.serial
    return SerialSeen(*question, status, serial, transport, detail)


def _failure(question: Question, error: Exception, transport: str, before: str) -> SerialSeen:
    """``before`` is what was met over UDP, for the text."""
    if isinstance(error, _TIMEOUTS):
        status, detail = Status.TIMEOUT, f"no answer over {transport.upper()}"
    elif isinstance(error, OSError):
        status, detail = Status.UNREACHABLE, f"{transport.upper()}: {_unreachable_text(error, question.port)}"
    else:
        status, detail = Status.BROKEN, str(error)
    return SerialSeen(*question, status, None, transport, "; ".join(filter(None, (before, detail))))


async def _ask(server: _Server, question: Question, waits: list[float], tcp: bool) -> SerialSeen:
    before = ""
    if not tcp:
        try:
            answer = await server.ask_udp(question.zone, waits)
        except (*_TIMEOUTS, OSError) as error:
            before = _failure(question, error, "udp", "").detail
        else:
            server.life.note(None, False)
            if not answer.truncated:
                return _judge(question, answer, "udp")
            before = "truncated over UDP"
        if server.life.dead is not None:
            return server.life.dead._replace(zone=question.zone)
    try:
        answer = await server.ask_tcp(question.zone, waits[-1])
    except (*_TIMEOUTS, OSError, wire.WireError) as error:
        return _failure(question, error, "tcp", before)
    return _judge(question, answer, "tcp")


async def _ask_all(
    questions: list[Question], timeout: float, attempts: int, concurrency: int, tcp: bool, rate: float
) -> list[SerialSeen]:
    seen: list[Any] = [None] * len(questions)
    waits = [timeout * 2**attempt for attempt in range(attempts)]
    queues: dict[tuple[str, int], deque[int]] = {}
    for index, question in enumerate(questions):
        queues.setdefault((question.address, question.port), deque()).append(index)

    async def work(server: _Server, queue: deque[int]) -> None:
        while queue:
            index = queue.popleft()
            question = questions[index]
            if server.life.dead is not None:
                seen[index] = server.life.dead._replace(zone=question.zone)
                continue
            seen[index] = await _ask(server, question, waits, tcp)
            server.life.note(seen[index], seen[index].status in SILENT)

    servers = [(_Server(address, port, rate), queue) for (address, port), queue in queues.items()]
    try:
        await asyncio.gather(
            *(work(server, queue) for server, queue in servers for _worker in range(min(concurrency, len(queue))))
        )
    finally:
        for server, _queue in servers:
            server.close()
    return seen


def ask_serials(
    questions: Iterable[Question],
    *,
    timeout: float = 1.0,
    attempts: int = 3,
    concurrency: int = 200,
    tcp: bool = False,
    rate: float = 2000.0,
) -> list[SerialSeen]:
    """One round: the SOA serial of every zone at every server. The results come in the order of the questions.

    Over UDP a question is put ``attempts`` times; the first try waits ``timeout`` seconds for an answer, each later
    one twice as long as the one before; then, or when the answer is truncated, one try over TCP waits as long as the
    last one. Nothing is waited for once a server says that the port is closed. With ``tcp`` all goes over TCP, one
    connection for each server: no response rate limit applies there, so it's the way to poll zones that are not
    loaded yet, whose answers (REFUSED, SERVFAIL) are all alike and soon dropped over UDP.

    Bounds, each for one server: ``concurrency`` questions in flight, ``rate`` queries a second. Authoritative answers
    for different zones are not limited by BIND (it counts by name); a server that limits more strictly wants a
    lower rate or TCP. A server from which nothing at all is heard gets few questions; the others share their result.

    Raises ValueError for a zone that is no domain name, an address that is no IP address, and for bounds out of bounds.
    """
    asked = [Question(*question) for question in questions]
    if timeout <= 0 or rate <= 0 or not 1 <= attempts <= 6 or not 1 <= concurrency <= 10000:
        raise ValueError("want timeout and rate above zero, attempts from 1 to 6, concurrency from 1 to 10000")
    for zone in {question.zone for question in asked}:
        wire.encode_name(zone)
    for address, port in {(question.address, question.port) for question in asked}:
        _family(address)
        _check_port(port)
    return asyncio.run(_ask_all(asked, timeout, attempts, concurrency, tcp, rate))


# --- Keys -------------------------------------------------------------------------------------------

_ALGORITHMS = ("hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")


class TsigKey:
    """A TSIG key (RFC 8945). Neither its repr() nor any error shows the secret.

    ``name`` is a domain name; ``algorithm`` one of hmac-sha1 (old peers only), -sha224, -sha256, -sha384, -sha512;
    ``secret_base64`` the shared secret as key files have it. Raises ValueError.
    """

    def __init__(self, name: str, algorithm: str, secret_base64: str) -> None:
        try:
            wire.encode_name(name)
        except ValueError:
            raise ValueError("the name of a TSIG key must be a domain name") from None
        algorithm = algorithm.lower().rstrip(".")
        if algorithm not in _ALGORITHMS:
            raise ValueError(f"the algorithm of a TSIG key must be one of {', '.join(_ALGORITHMS)}")
        try:
            secret = base64.b64decode(secret_base64, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("the secret of a TSIG key must be base64") from None
        if not secret:
            raise ValueError("the secret of a TSIG key is empty")
        self.name = name
        self.algorithm = algorithm
        self.secret = secret

    def __repr__(self) -> str:
        return f"TsigKey(name={self.name!r}, algorithm={self.algorithm!r}, secret=hidden)"


class KeyFileError(ValueError):
    """A key file that can't be used; the text names the file and never shows the secret."""


_TOKEN = r"""
    (?P<space>\s+ | \#[^\n]* {comments})
  | "(?P<quoted>[^"\n]*)"
  | (?P<punctuation>[{{}};])
  | (?P<word>[^\s{{}};"\#]+)
"""
_BIND_TOKEN = re.compile(_TOKEN.format(comments=r"| //[^\n]* | /\*.*?\*/"), re.VERBOSE | re.DOTALL)
_NSD_TOKEN = re.compile(_TOKEN.format(comments=""), re.VERBOSE)  # here // may begin an unquoted secret
_NSD_KEY_CLAUSE = re.compile(r"^\s*key:", re.MULTILINE)
_NSD_OTHER_CLAUSES = frozenset(
    ("server:", "remote-control:", "zone:", "pattern:", "tls-auth:", "dnstap:", "verify:", "include:")
)


def read_key_file(path: str, name: str | None = None) -> TsigKey:
    """The key in a file of BIND's syntax (``key "name" { algorithm …; secret "…"; };``) or NSD's (``key:`` clauses).

    A file of several keys needs the ``name`` of the wanted one. Raises KeyFileError.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise KeyFileError(f"{path}: can't read the key file: {error.strerror}") from None
    except UnicodeDecodeError:
        raise KeyFileError(f"{path}: the key file is not text") from None
    if _NSD_KEY_CLAUSE.search(text):
        keys = _nsd_keys(_tokens(path, text, _NSD_TOKEN))
    else:
        keys = _bind_keys(path, _tokens(path, text, _BIND_TOKEN))
    if name is not None:
        keys = [key for key in keys if _key_name(key.get("name", "")) == _key_name(name)]
    if len(keys) != 1:
        wanted = "key" if name is None else f"key {name}"
        raise KeyFileError(f"{path}: the file must have one {wanted}, it has {len(keys)}")
    missing = [word for word in ("name", "algorithm", "secret") if word not in keys[0]]
    if missing:
        raise KeyFileError(f"{path}: the key has no {' and no '.join(missing)}")
    try:
        return TsigKey(keys[0]["name"], keys[0]["algorithm"], keys[0]["secret"])
    except ValueError as error:
        raise KeyFileError(f"{path}: {error}") from None


def _key_name(name: str) -> str:
    return name.lower().rstrip(".")


def _tokens(path: str, text: str, token: re.Pattern[str]) -> list[str]:
    tokens = []
    position = 0
    while position < len(text):
        match = token.match(text, position)
        if match is None:
            line = text.count("\n", 0, position) + 1
            raise KeyFileError(f"{path}:{line}: a quote is not closed")
        if match.lastgroup != "space":
            tokens.append(match.group(match.lastgroup))
        position = match.end()
    return tokens


def _nsd_keys(tokens: list[str]) -> list[dict[str, str]]:
    keys: list[dict[str, str]] = []
    in_key = False
    for word, value in zip(tokens, tokens[1:] + [""]):
        if word == "key:":
            keys.append({})
            in_key = True
        elif word in _NSD_OTHER_CLAUSES:
            in_key = False
        elif in_key and word in ("name:", "algorithm:", "secret:"):
            keys[-1][word[:-1]] = value
    return keys


def _bind_keys(path: str, tokens: list[str]) -> list[dict[str, str]]:
    keys: list[dict[str, str]] = []
    position = 0
    while position < len(tokens):
        if tokens[position] != "key" or tokens[position + 2 : position + 3] != ["{"] or "}" not in tokens[position:]:
            raise KeyFileError(f'{path}: not a key file: want  key "name" {{ algorithm …; secret "…"; }};')
        end = tokens.index("}", position)
        key = {"name": tokens[position + 1]}
        for word, value in zip(tokens[position + 3 : end], tokens[position + 4 : end]):
            if word in ("algorithm", "secret"):
                key[word] = value
        keys.append(key)
        position = end + 1
        while tokens[position : position + 1] == [";"]:
            position += 1
    return keys


# --- Zone transfers ---------------------------------------------------------------------------------


class Reason:
    """Why there was no zone transfer."""

    REFUSED = "refused"
    NOT_AUTHORITATIVE = "not_authoritative"  # NOTAUTH without a TSIG error: the server does not have the zone
    BAD_KEY = "bad_key"  # the server does not know the key (TSIG error 17)
    BAD_SIG = "bad_sig"  # the server has another secret under that name (TSIG error 16)
    BAD_TIME = "bad_time"  # the clocks differ (TSIG error 18, or the answer was signed at a time out of bounds)
    BAD_SIGNATURE_IN_ANSWER = "bad_signature_in_answer"
    SERVFAIL = "servfail"
    OTHER_RCODE = "other_rcode"
    TIMEOUT = Status.TIMEOUT
    UNREACHABLE = Status.UNREACHABLE
    BROKEN = "broken"  # malformed, cut off, or not the zone that was asked for
    TOO_MANY_RECORDS = "too_many_records"


class TransferError(Exception):
    """A zone transfer that did not succeed: ``reason`` is one of Reason, ``detail`` says it to people.

    str() has the zone and the server before the detail.
    """

    def __init__(self, reason: str, detail: str, where: str = "") -> None:
        super().__init__(where + detail)
        self.reason = reason
        self.detail = detail


class Transfer(NamedTuple):
    """What a zone transfer brought.

    ``records`` counts the SOA once; ``digest`` is that of wire.ContentDigest; ``octets`` are those of the messages,
    without the two of each one's length.
    """

    serial: int
    records: int
    digest: str
    messages: int
    octets: int
    seconds: float


class TransferJob(NamedTuple):
    """The arguments of one transfer() for transfer_many()."""

    zone: str
    address: str
    port: int = 53
    source: str | None = None
    key: TsigKey | None = None


# (owner in lower case, type, TTL, RDATA as of wire.canonical_rdata()); names uncompressed
Sink = Callable[[bytes, int, int, bytes], None]

# RFC 8945 section 5.3.1: a client must accept so many messages without TSIG between two that have it.
_MAX_UNSIGNED = 99
_FUDGE = 300
_BADSIG, _BADKEY, _BADTIME = 16, 17, 18


class _Signature:
    """The TSIG of one query and of the stream of messages that answers it (RFC 8945 sections 5.2 and 5.3)."""

    def __init__(self, key: TsigKey) -> None:
        self._key = dns.tsig.Key(key.name, key.secret, key.algorithm)
        self.key_name = key.name
        self._request_mac = b""
        self._context: Any = None
        self._unsigned = 0

    def sign(self, query: bytes) -> bytes:
        """The query with a TSIG record as its last."""
        header = wire.parse_header(query)
        unsigned = dns.rdtypes.ANY.TSIG.TSIG(
            dns.rdataclass.ANY, dns.rdatatype.TSIG, self._key.algorithm, 0, _FUDGE, b"", header.message_id, 0, b""
        )
        rdata, _context = dns.tsig.sign(query, self._key, unsigned, int(time.time()), b"")
        self._request_mac = rdata.mac
        octets = rdata.to_wire()
        record = self._key.name.to_wire() + b"\0\xfa\0\xff\0\0\0\0" + len(octets).to_bytes(2, "big") + octets
        return query[:10] + (header.additionals + 1).to_bytes(2, "big") + query[12:] + record

    def check(self, message: bytes, found: tuple[wire.Record, int] | None) -> None:
        """Check one message of the stream; ``found`` is its TSIG record and where this begins. Raises TransferError."""
        if found is None:
            if self._context is None:
                raise TransferError(
                    Reason.BAD_SIGNATURE_IN_ANSWER, f"the answer is not signed with key {self.key_name}"
                )
            self._unsigned += 1
            if self._unsigned > _MAX_UNSIGNED:
                raise TransferError(
                    Reason.BAD_SIGNATURE_IN_ANSWER,
                    f"more than {_MAX_UNSIGNED} messages in a row are not signed (RFC 8945 section 5.3.1)",
                )
            self._context.update(message)
            return
        record, start = found
        rdata = _tsig_rdata(message, record)
        now = int(time.time())
        owner = dns.name.from_wire(record.owner, 0)[0]
        try:
            self._context = dns.tsig.validate(
                message, self._key, owner, rdata, now, self._request_mac, start, self._context, True
            )
        except dns.tsig.BadTime:
            raise TransferError(Reason.BAD_TIME, _clock_text(rdata.time_signed - now)) from None
        except dns.exception.DNSException as error:
            raise TransferError(
                Reason.BAD_SIGNATURE_IN_ANSWER,
                f"the answer's signature with key {self.key_name} is wrong ({type(error).__name__})",
            ) from None
        self._unsigned = 0

    def finish(self) -> None:
        """The last message of the stream must be signed. Raises TransferError."""
        if self._unsigned:
            raise TransferError(Reason.BAD_SIGNATURE_IN_ANSWER, "the last message of the transfer is not signed")


def _tsig_rdata(message: bytes, record: wire.Record) -> Any:
    """Raises WireError."""
    try:
        return dns.rdata.from_wire(
            record.rdclass, record.rdtype, message, record.rdata_offset, record.rdata_length, None
        )
    except (dns.exception.DNSException, ValueError):
        raise wire.WireError("a malformed TSIG record") from None


def _clock_text(seconds: int) -> str:
    return f"the clocks of this host and the server differ by {abs(seconds)} seconds: mend the clock"


class _Reader:
    """Reads the messages of one AXFR (RFC 5936 section 2.2): no sockets here."""

    def __init__(
        self,
        zone: str,
        message_id: int,
        signature: _Signature | None,
        max_records: int | None = None,
        sink: Sink | None = None,
    ) -> None:
        self.serial: int | None = None
        self.digest = wire.ContentDigest()
        self.messages = 0
        self.octets = 0
        self._name = wire.encode_name(zone).lower()
        self._message_id = message_id
        self._signature = signature
        self._max_records = max_records
        self._sink = sink
        self._done = False

    def feed(self, message: bytes) -> bool:
        """Take the next message; true when it was the last. Raises TransferError, WireError."""
        header, offset = wire.check_response(message, self._message_id, self._name, wire.TYPE_AXFR)
        if header.rcode != wire.NOERROR:
            raise self._error_answer(message, header)
        if header.truncated:
            raise wire.WireError("a message of the transfer is truncated")
        if self.messages == 0 and header.questions == 0:
            raise wire.WireError("the first message does not repeat the question")
        soas, end = wire.digest_answers(message, offset, header.answers, self.digest)
        if self.messages == 0 and (not soas or soas[0][0] != 0):
            raise wire.WireError("the transfer does not begin with the SOA record")
        for index, soa in soas:
            self._take_soa(message, soa)
            if self._done and index != header.answers - 1:
                raise wire.WireError("there are records after the SOA record that ends the transfer")
        rest = wire.walk_records_after(message, end, header.authorities, header.additionals)
        tsig = _last_tsig(rest, end)
        if self._signature is not None:
            self._signature.check(message, tsig)
        self.messages += 1
        self.octets += len(message)
        if self._max_records is not None and self.digest.records > self._max_records:
            raise TransferError(Reason.TOO_MANY_RECORDS, f"the zone has more than {self._max_records} records")
        if self._done and self._signature is not None:
            self._signature.finish()
        if self._sink is not None:
            self._pour(message, header.answers - 1 if self._done else header.answers)
        return self._done

    def _pour(self, message: bytes, count: int) -> None:
        """Give the first records of a message to the sink; the SOA record that ends the transfer is not among them."""
        for record in itertools.islice(wire.walk_records(message), count):
            if record.rdclass != wire.CLASS_IN:
                raise wire.WireError(f"{wire.name_text(record.owner)} has a record of class {record.rdclass}, not IN")
            rdata = wire.canonical_rdata(message, record.rdata_offset, record.rdata_length, record.rdtype)
            self._sink(record.owner.lower(), record.rdtype, record.ttl, rdata)

    def _take_soa(self, message: bytes, soa: wire.Record) -> None:
        if soa.owner.lower() != self._name:
            raise wire.WireError(f"an SOA record of another name: {wire.name_text(soa.owner)}")
        serial = wire.soa_serial(message, soa)
        if self.serial is None:
            self.serial = serial
            self.digest.add(soa.owner, soa.rdtype, soa.rdclass, soa.ttl, message, soa.rdata_offset, soa.rdata_length)
        elif serial != self.serial:
            raise wire.WireError(f"the transfer begins with serial {self.serial} and ends with {serial}")
        else:
            self._done = True

    def _error_answer(self, message: bytes, header: wire.Header) -> TransferError:
        if header.rcode == wire.NOTAUTH and self._signature is not None:
            found = _last_tsig(wire.walk_records(message), 0)
            if found is not None:
                return _tsig_error(_tsig_rdata(message, found[0]), self._signature.key_name)
        if header.rcode == wire.NOTAUTH:
            return TransferError(Reason.NOT_AUTHORITATIVE, "the server answers NOTAUTH: it does not have the zone")
        reasons = {wire.REFUSED: Reason.REFUSED, wire.SERVFAIL: Reason.SERVFAIL}
        return TransferError(
            reasons.get(header.rcode, Reason.OTHER_RCODE), f"the server answers {_rcode_text(header.rcode)}"
        )


def _last_tsig(records: Iterable[wire.Record], start: int) -> tuple[wire.Record, int] | None:
    """The TSIG record, which must be the last, and where it begins; ``start`` is where the first record does."""
    found = None
    for record in records:
        if found is not None:
            raise wire.WireError("the TSIG record is not the last one (RFC 8945 section 5.1)")
        if record.rdtype == wire.TYPE_TSIG:
            found = record, start
        start = record.rdata_offset + record.rdata_length
    return found


def _tsig_error(rdata: Any, key_name: str) -> TransferError:
    """What an error answer of rcode NOTAUTH says in its TSIG record (RFC 8945 section 5.2)."""
    if rdata.error == _BADKEY:
        return TransferError(Reason.BAD_KEY, f"the server does not know the key {key_name}, or not for this algorithm")
    if rdata.error == _BADSIG:
        return TransferError(Reason.BAD_SIG, f"the server has another secret for the key {key_name}")
    if rdata.error == _BADTIME:
        if len(rdata.other) == 6:
            return TransferError(Reason.BAD_TIME, _clock_text(int.from_bytes(rdata.other, "big") - int(time.time())))
        return TransferError(Reason.BAD_TIME, "the clocks of this host and the server differ: mend the clock")
    if rdata.error == wire.NOERROR:
        return TransferError(Reason.NOT_AUTHORITATIVE, "the server answers NOTAUTH: it does not have the zone")
    return TransferError(Reason.OTHER_RCODE, f"the server answers NOTAUTH with TSIG error {int(rdata.error)}")


def transfer(
    zone: str,
    address: str,
    port: int = 53,
    *,
    source: str | None = None,
    key: TsigKey | None = None,
    timeout: float = 10.0,
    deadline: float = 600.0,
    max_records: int | None = None,
    sink: Sink | None = None,
) -> Transfer:
    """Transfer a zone (AXFR, RFC 5936) and digest its content; memory does not grow with the zone.

    ``source`` is the local address to ask from. With ``key`` the query is signed and the answer's signatures are
    required (RFC 8945 section 5.3). ``timeout`` seconds without a sign of the server, or ``deadline`` seconds in all,
    end it. ``sink`` is called with each record, the SOA once; what it was given counts only if there is no error, since
    the signature may come after it. Raises TransferError; ValueError for a zone or an address that is none;
    RuntimeError for a key without dnspython.
    """
    if key is not None and not HAS_DNSPYTHON:
        raise RuntimeError("TSIG needs the Python library dnspython (Debian: python3-dnspython)")
    _check_port(port)
    if _family(address) != _family(source or address):
        raise ValueError(f"{address} can't be asked from {source}: one is IPv4, the other IPv6")
    started = time.monotonic()
    message_id = secrets.randbelow(65536)
    query = wire.build_query(zone, wire.TYPE_AXFR, message_id=message_id)
    signature = None
    if key is not None:
        signature = _Signature(key)
        query = signature.sign(query)
    reader = _Reader(zone, message_id, signature, max_records, sink)
    try:
        with _connect(address, port, source, min(timeout, deadline, CONNECT_SECONDS)) as connection:
            _receive(connection, query, reader, timeout, started + deadline)
    except wire.WireError as error:
        raise TransferError(Reason.BROKEN, str(error), _where(zone, address, port)) from None
    except TransferError as error:
        raise TransferError(error.reason, error.detail, _where(zone, address, port)) from None
    return Transfer(
        reader.serial,
        reader.digest.records,
        reader.digest.hexdigest(),
        reader.messages,
        reader.octets,
        time.monotonic() - started,
    )


def _where(zone: str, address: str, port: int) -> str:
    return f"zone {zone} from {address} port {port}: "


def _connect(address: str, port: int, source: str | None, timeout: float) -> socket.socket:
    """Raises TransferError."""
    try:
        return socket.create_connection((address, port), timeout, None if source is None else (source, 0))
    except _TIMEOUTS:
        raise TransferError(Reason.TIMEOUT, f"no connection within {timeout:g} seconds") from None
    except OSError as error:
        raise TransferError(Reason.UNREACHABLE, _unreachable_text(error, port)) from None


def _receive(connection: socket.socket, query: bytes, reader: _Reader, timeout: float, ends: float) -> None:
    """Send the query and feed the reader until it is done. Raises TransferError, WireError."""
    buffer = bytearray()
    try:
        connection.sendall(len(query).to_bytes(2, "big") + query)
        while True:
            left = ends - time.monotonic()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(min(timeout, left))
            octets = connection.recv(65536)
            if not octets:
                raise wire.WireError("the server closed the connection before the transfer was complete")
            buffer += octets
            for message in _take_messages(buffer):
                if reader.feed(message):
                    return
    except _TIMEOUTS:
        late = time.monotonic() >= ends
        what = "the transfer took too long" if late else f"nothing came for {timeout:g} seconds"
        raise TransferError(Reason.TIMEOUT, f"{what}; {reader.digest.records} records came until then") from None
    except OSError as error:
        raise wire.WireError(f"the connection broke: {error.strerror or error}") from None


def transfer_many(
    jobs: Iterable[TransferJob],
    *,
    concurrency: int = 4,
    timeout: float = 10.0,
    deadline: float = 600.0,
    max_records: int | None = None,
) -> list[Transfer | TransferError]:
    """transfer() for many, side by side in threads. The results in the order of the jobs, errors in their place.

    BIND serves ten transfers at a time unless told otherwise, to all its secondaries together: hence the low
    ``concurrency``. A server from which nothing at all is heard gets few jobs; the others share their error.
    Raises ValueError and RuntimeError as transfer() does.
    """
    lives: dict[tuple[str, int], _SignsOfLife] = {}

    def run(job: TransferJob) -> Transfer | TransferError:
        life = lives.setdefault((job.address, job.port), _SignsOfLife())
        if life.dead is not None:
            return TransferError(life.dead.reason, life.dead.detail, _where(job.zone, job.address, job.port))
        try:
            result: Transfer | TransferError = transfer(
                job.zone,
                job.address,
                job.port,
                source=job.source,
                key=job.key,
                timeout=timeout,
                deadline=deadline,
                max_records=max_records,
            )
        except TransferError as error:
            result = error
        life.note(result, isinstance(result, TransferError) and result.reason in SILENT)
        return result

    with ThreadPoolExecutor(concurrency) as pool:
        return list(pool.map(run, jobs))
