"""The client against name servers on loopback that encode and sign with dnspython (dns_server.py)."""

from __future__ import annotations

import base64
import errno
import itertools
import os
import shutil
import socket
import subprocess
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import dns.tsig
import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import client, wire
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import (
    Question,
    Reason,
    Status,
    TransferError,
    TransferJob,
    TsigKey,
)
from dns_server import DnsServer, axfr_answer, rcode_answer, replace_tsig, soa_answer, tsig_error_answer, tsig_key
from hypothesis import given, settings
from hypothesis import strategies as st

LOOPBACKS = ["127.0.0.1", "::1"]
SECRET = bytes(range(32))


def ask_one(server: DnsServer, zone: str = "example.com", **settings_: object) -> client.SerialSeen:
    settings_.setdefault("timeout", 0.2)
    (seen,) = client.ask_serials([Question(zone, server.address, server.port)], **settings_)
    return seen


# --- Serials ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", LOOPBACKS)
@pytest.mark.parametrize("tcp", [False, True])
def test_the_serial_of_a_zone(address: str, tcp: bool) -> None:
    with DnsServer(lambda query: [soa_answer(query, 7)], lambda query: [soa_answer(query, 7)], address) as server:
        seen = ask_one(server, "Example.COM.", tcp=tcp)
    transport = "tcp" if tcp else "udp"
    assert seen == client.SerialSeen("Example.COM.", address, server.port, "answer", 7, transport, "")
    (query,) = server.queries
    assert query[0] == transport
    asked = dns.message.from_wire(query[1])
    assert asked.question[0].to_text() == "Example.COM. IN SOA"
    assert not asked.flags & dns.flags.RD


@pytest.mark.parametrize(
    ("rcode", "status"),
    [
        (dns.rcode.REFUSED, Status.REFUSED),
        (dns.rcode.SERVFAIL, Status.SERVFAIL),
        (dns.rcode.NXDOMAIN, Status.NXDOMAIN),
        (dns.rcode.NOTAUTH, Status.NOT_AUTHORITATIVE),
        (dns.rcode.NOTIMP, Status.OTHER_RCODE),
    ],
)
@pytest.mark.parametrize("tcp", [False, True])
def test_error_answers(rcode: dns.rcode.Rcode, status: str, tcp: bool) -> None:
    with DnsServer(lambda query: [rcode_answer(query, rcode)], lambda query: [rcode_answer(query, rcode)]) as server:
        seen = ask_one(server, tcp=tcp)
    assert (seen.status, seen.serial) == (status, None)
    assert dns.rcode.to_text(rcode) in seen.detail
    assert len(server.queries) == 1


def test_an_answer_without_authority() -> None:
    with DnsServer(lambda query: [soa_answer(query, 7, authoritative=False)]) as server:
        seen = ask_one(server)
    assert (seen.status, seen.serial) == (Status.NOT_AUTHORITATIVE, None)
    assert "not as an authority" in seen.detail


def test_a_zone_above_answers() -> None:
    def nodata(query: bytes) -> list[bytes]:
        answer = dns.message.from_wire(soa_answer(query, 7))
        answer.answer, answer.authority = [], answer.answer
        return [answer.to_wire()]

    with DnsServer(nodata) as server:
        seen = ask_one(server)
    assert (seen.status, seen.serial) == (Status.NOT_AUTHORITATIVE, None)
    assert "zone above" in seen.detail


def test_a_truncated_answer_is_asked_for_over_tcp() -> None:
    with DnsServer(
        lambda query: [soa_answer(query, 7, truncated=True)], lambda query: [soa_answer(query, 7)]
    ) as server:
        seen = ask_one(server)
    assert (seen.status, seen.serial, seen.transport) == ("answer", 7, "tcp")
    assert [transport for transport, _query in server.queries] == ["udp", "tcp"]


def test_a_lost_answer_is_asked_for_again_with_another_id() -> None:
    def every_third(query: bytes) -> list[bytes]:
        return [soa_answer(query, 7)] if len(server.queries) == 3 else []

    with DnsServer(every_third) as server:
        seen = ask_one(server, timeout=0.1, attempts=3)
    assert (seen.status, seen.serial, seen.transport) == ("answer", 7, "udp")
    assert len({query[:2] for _transport, query in server.queries}) == 3


def test_a_late_answer_to_an_earlier_try_counts() -> None:
    def answer_the_first_late(query: bytes) -> list[bytes]:
        return [soa_answer(server.queries[0][1], 7)] if len(server.queries) == 2 else []

    with DnsServer(answer_the_first_late) as server:
        seen = ask_one(server, timeout=0.1, attempts=2)
    assert (seen.status, seen.serial, seen.transport) == ("answer", 7, "udp")


def test_over_tcp_when_nothing_comes_over_udp() -> None:
    with DnsServer(lambda query: [], lambda query: [soa_answer(query, 7)]) as server:
        seen = ask_one(server, timeout=0.05, attempts=2)
    assert (seen.status, seen.serial, seen.transport) == ("answer", 7, "tcp")
    assert [transport for transport, _query in server.queries] == ["udp", "udp", "tcp"]


def test_forged_and_damaged_answers_are_ignored() -> None:
    def forge(query: bytes) -> Iterator[bytes]:
        good = soa_answer(query, 7)
        wrong_id = (int.from_bytes(query[:2], "big") ^ 1).to_bytes(2, "big")
        yield wrong_id + soa_answer(query, 666)[2:]
        yield soa_answer(query[:2] + query[2:].replace(b"\7example", b"\7exemple"), 666)
        yield b""
        yield good[:7]
        yield good[:-3]
        yield query  # not a response
        yield good

    with DnsServer(forge) as server:
        seen = ask_one(server, timeout=5, attempts=1)
    assert (seen.status, seen.serial, seen.transport) == ("answer", 7, "udp")


def test_an_answer_from_another_source_is_ignored() -> None:
    """Right in all but its source port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, socket.socket(
        socket.AF_INET, socket.SOCK_DGRAM
    ) as other:
        server.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))

        def serve() -> None:
            query, peer = server.recvfrom(512)
            other.sendto(soa_answer(query, 666), peer)
            server.sendto(soa_answer(query, 7), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        (seen,) = client.ask_serials([Question("example.com", *server.getsockname())], timeout=5)
        thread.join()
    assert (seen.status, seen.serial) == ("answer", 7)


@pytest.mark.parametrize("address", LOOPBACKS)
@pytest.mark.parametrize("tcp", [False, True])
def test_a_closed_port(address: str, tcp: bool) -> None:
    with DnsServer(address=address) as server:
        started = time.monotonic()
        seen = ask_one(server, timeout=5, tcp=tcp)
    assert (seen.status, seen.serial) == (Status.UNREACHABLE, None)
    assert f"port {server.port} is closed" in seen.detail
    assert time.monotonic() - started < 4


def test_no_route(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_route(self: socket.socket, address: object) -> None:
        raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))

    monkeypatch.setattr(socket.socket, "connect", no_route)
    (seen,) = client.ask_serials([Question("example.com", "192.0.2.1")], timeout=1)
    assert seen.status == Status.UNREACHABLE
    assert "no route from here" in seen.detail
    with pytest.raises(TransferError) as failed:
        client.transfer("example.com", "192.0.2.1", 53)
    assert failed.value.reason == Reason.UNREACHABLE
    assert "no route from here" in failed.value.detail


def test_a_silent_server() -> None:
    def hang(query: bytes) -> Iterator[bytes]:
        released.wait(10)
        yield from ()

    released = threading.Event()
    with DnsServer(lambda query: [], hang) as server:
        started = time.monotonic()
        seen = ask_one(server, timeout=0.05, attempts=2)
        seconds = time.monotonic() - started
        released.set()
    assert (seen.status, seen.serial, seen.transport) == (Status.TIMEOUT, None, "tcp")
    assert seen.detail == "no answer over UDP; no answer over TCP"
    assert 0.05 * (1 + 2 + 2) <= seconds < 2


def test_nonsense_over_tcp() -> None:
    with DnsServer(None, lambda query: [query[:2] + b"nonsense"]) as server:
        seen = ask_one(server, tcp=True)
    assert seen.status == Status.BROKEN
    with DnsServer(None, lambda query: []) as server:
        seen = ask_one(server, tcp=True)
    assert seen.status == Status.BROKEN
    assert "closed the connection" in seen.detail
    with DnsServer(None, lambda query: [soa_answer(query, 7, truncated=True)]) as server:
        seen = ask_one(server, tcp=True)
    assert seen.status == Status.BROKEN
    assert "truncated" in seen.detail


def quick_soa(query: bytes) -> list[bytes]:
    """soa_answer() for many: the serial is the number in the zone's first label."""
    end = query.index(b"\0", 12)
    serial = int(query[13 : 13 + query[12]])
    rdata = b"\0\0" + serial.to_bytes(4, "big") + bytes(16)
    record = b"\xc0\x0c\0\6\0\1\0\0\x0e\x10" + len(rdata).to_bytes(2, "big") + rdata
    return [query[:2] + b"\x84\0\0\1\0\1\0\0\0\0" + query[12 : end + 5] + record]


@pytest.mark.parametrize("tcp", [False, True])
def test_two_thousand_zones_in_one_call(tcp: bool) -> None:
    with DnsServer(quick_soa, quick_soa) as server4, DnsServer(quick_soa, quick_soa, "::1") as server6:
        questions = [
            Question(f"{zone}.example", server.address, server.port)
            for zone in range(2000)
            for server in (server4, server6)
        ]
        started = time.monotonic()
        seen = client.ask_serials(questions, tcp=tcp, rate=10000)
        seconds = time.monotonic() - started
    assert [(each.zone, each.address, each.port) for each in seen] == questions
    assert {each.status for each in seen} == {"answer"}
    assert [each.serial for each in seen] == [index // 2 for index in range(4000)]
    assert seconds < 10
    # The ids are random, hence about three per cent of them meet among the 65,536.
    ids = [query[:2] for _transport, query in server4.queries]
    assert len(set(ids)) > 1800
    assert max(Counter(b[0] for b in ids).values()) < 50
    if tcp:
        assert (server4.connections, server6.connections) == (1, 1)


def test_the_pace_is_kept() -> None:
    with DnsServer(quick_soa) as server:
        started = time.monotonic()
        seen = client.ask_serials(
            [Question(f"{zone}.example", "127.0.0.1", server.port) for zone in range(41)], rate=100
        )
        seconds = time.monotonic() - started
    assert {each.status for each in seen} == {"answer"}
    assert seconds >= 0.4


def test_no_more_questions_in_flight_than_allowed() -> None:
    """The server answers when three queries have come."""
    held: list[bytes] = []

    def hold(query: bytes) -> list[bytes]:
        held.append(query)
        return [quick_soa(each)[0] for each in held] if len(held) == 3 else []

    with DnsServer(hold) as server:
        questions = [Question(f"{zone}.example", "127.0.0.1", server.port) for zone in range(3)]
        seen = client.ask_serials(questions, timeout=5, concurrency=3)
        assert [each.status for each in seen] == ["answer"] * 3
        held.clear()
        seen = client.ask_serials(questions, timeout=0.1, attempts=1, concurrency=2)
        assert seen[2].status == "answer"  # which was put only when one of the first two had been given up
        assert Status.UNREACHABLE in {each.status for each in seen[:2]}


def test_a_dead_server_costs_little_and_holds_up_nobody() -> None:
    with DnsServer(quick_soa, quick_soa) as alive, DnsServer(lambda query: []) as dead:
        questions = [
            Question(f"{zone}.example", "127.0.0.1", server.port) for zone in range(2000) for server in (alive, dead)
        ]
        started = time.monotonic()
        seen = client.ask_serials(questions, timeout=0.3, attempts=2, rate=10000)
        seconds = time.monotonic() - started
    assert {each.status for each in seen[::2]} == {"answer"}
    assert {each.status for each in seen[1::2]} == {Status.UNREACHABLE}
    assert [each.zone for each in seen] == [question.zone for question in questions]
    assert len(dead.queries) <= 2 * (200 + 8)  # the tries of those in flight when it was given up
    assert seconds < 10


def test_a_server_that_does_not_answer_for_some_zones_is_not_dead() -> None:
    with DnsServer(lambda query: quick_soa(query) if query[13:14] == b"7" else []) as server:
        zones = ["7.example"] + [f"{zone}.example" for zone in range(100, 112)] + ["77.example"]
        questions = [Question(zone, "127.0.0.1", server.port) for zone in zones]
        seen = client.ask_serials(questions, timeout=0.05, attempts=1, concurrency=1)
    assert [each.status for each in seen] == ["answer"] + [Status.UNREACHABLE] * 12 + ["answer"]


def test_a_server_that_closes_after_each_answer() -> None:
    """No answer is lost by that, over TCP alone."""

    def one_then_close(query: bytes) -> Iterator[bytes]:
        yield quick_soa(query)[0]
        raise ConnectionAbortedError

    with DnsServer(None, one_then_close) as server:
        questions = [Question(f"{zone}.example", "127.0.0.1", server.port) for zone in range(20)]
        seen = client.ask_serials(questions, tcp=True, timeout=2)
    assert [each.serial for each in seen] == list(range(20))
    assert server.connections >= 20


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (Question("a..b", "127.0.0.1"), "label is empty"),
        (Question("example.com", "localhost"), "not an IP address"),
        (Question("example.com", ""), "not an IP address"),
        (Question("example.com", "127.0.0.1", 0), "not a port"),
        (Question("example.com", "127.0.0.1", 65536), "not a port"),
    ],
)
def test_questions_that_can_not_be_put(question: Question, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        client.ask_serials([question])


@pytest.mark.parametrize("bounds", [{"timeout": 0}, {"rate": 0}, {"attempts": 0}, {"concurrency": 0}])
def test_bounds_that_are_none(bounds: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="want timeout"):
        client.ask_serials([], **bounds)


def test_no_question_at_all() -> None:
    assert client.ask_serials([]) == []


# --- Keys -------------------------------------------------------------------------------------------

SECRET_TEXT = base64.b64encode(SECRET).decode()
SLASHES = base64.b64encode(b"\xff" * 32).decode()  # begins with //, which BIND takes for a comment outside quotes


@pytest.mark.parametrize(
    ("text", "name", "secret"),
    [
        (f'key "a.example" {{\n\talgorithm hmac-sha256;\n\tsecret "{SECRET_TEXT}";\n}};\n', None, SECRET),
        (f"key a.example {{ algorithm hmac-sha256; secret {SECRET_TEXT}; }};", None, SECRET),
        (
            f'// a # b\n/* key "no" {{ */ key "a.example" {{ secret "{SECRET_TEXT}"; algorithm HMAC-SHA256; }}',
            None,
            SECRET,
        ),
        (f'key "a.example" {{ algorithm hmac-sha256; secret "{SLASHES}"; }};', None, b"\xff" * 32),
        (f'key:\n    name: "a.example"\n    algorithm: hmac-sha256\n    secret: "{SECRET_TEXT}"\n', None, SECRET),
        (f"# x\nkey:\n  name: a.example # y\n  secret: {SLASHES}\n  algorithm: hmac-sha256\n", None, b"\xff" * 32),
        (
            f'key:\n name: "a.example"\n algorithm: hmac-sha256\n secret: "{SECRET_TEXT}"\nzone:\n name: "z"',
            None,
            SECRET,
        ),
        (
            "".join(
                f'key "{name}" {{ algorithm hmac-sha256; secret "{secret}"; }};\n'
                for name, secret in (("b.example", SLASHES), ("A.example.", SECRET_TEXT))
            ),
            "a.EXAMPLE",
            SECRET,
        ),
        (
            "".join(
                f"key:\n name: {name}\n algorithm: hmac-sha256\n secret: {secret}\n"
                for name, secret in (("b.example", SLASHES), ("a.example.", SECRET_TEXT))
            ),
            "a.example",
            SECRET,
        ),
    ],
)
def test_key_files(tmp_path: Path, text: str, name: str | None, secret: bytes) -> None:
    file = tmp_path / "tsig.key"
    file.write_text(text)
    key = client.read_key_file(str(file), name)
    assert key.name.lower().rstrip(".") == "a.example"
    assert (key.algorithm, key.secret) == ("hmac-sha256", secret)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "one key, it has 0"),
        ("zone {};", "not a key file"),
        ('key "a" { algorithm hmac-sha256; secret "@";', "not a key file"),
        ('key "a" { algorithm hmac-sha256; secret "@; };', ":1: a quote is not closed"),
        ('key "a" {\n algorithm hmac-sha256;\n secret "@\n}', ":3: a quote is not closed"),
        ('key "a" { algorithm hmac-sha256; };', "no secret"),
        ('key "a" { secret "@"; };', "no algorithm"),
        ('key "a" { algorithm hmac-md5; secret "@"; };', "one of hmac-sha1"),
        ('key "a" { algorithm "@"; secret "@"; };', "one of hmac-sha1"),
        ('key "a" { algorithm hmac-sha256; secret "-@"; };', "must be base64"),
        ('key "a" { algorithm hmac-sha256; secret ""; };', "secret of a TSIG key is empty"),
        ('key "..@" { algorithm hmac-sha256; secret "@"; };', "must be a domain name"),
        ('key "a" { algorithm hmac-sha256; secret "@"; }; key "b" { };', "one key, it has 2"),
        ("key:\n name: a\n secret: @\n", "no algorithm"),
        ("key:\n name: a\n algorithm: @\n secret: hmac-sha256\n", "one of hmac-sha1"),
    ],
)
def test_key_files_that_are_none(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "tsig.key"
    file.write_text(text.replace("@", SECRET_TEXT))
    with pytest.raises(client.KeyFileError) as failed:
        client.read_key_file(str(file))
    assert reason in str(failed.value)
    assert str(failed.value).startswith(str(file))
    assert SECRET_TEXT not in str(failed.value)
    assert SECRET_TEXT not in str(failed.value.__context__)


def test_key_files_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(client.KeyFileError, match="No such file"):
        client.read_key_file(str(tmp_path / "none"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\0")
    with pytest.raises(client.KeyFileError, match="not text"):
        client.read_key_file(str(tmp_path / "binary"))
    good = f'key "a" {{ algorithm hmac-sha256; secret "{SECRET_TEXT}"; }};'
    (tmp_path / "other").write_text(good)
    assert client.read_key_file(str(tmp_path / "other"), "a").secret == SECRET
    with pytest.raises(client.KeyFileError, match="one key b, it has 0"):
        client.read_key_file(str(tmp_path / "other"), "b")


def test_a_key_does_not_show_its_secret() -> None:
    key = TsigKey("a.example", "hmac-sha256", SECRET_TEXT)
    for text in (repr(key), str(key), f"{key}", repr([key]), repr(TransferJob("z", "::1", key=key))):
        assert "a.example" in text
        assert SECRET_TEXT not in text
        assert repr(SECRET) not in text


# --- Zone transfers ---------------------------------------------------------------------------------

KEY = tsig_key("link.example.", SECRET)
CLIENT_KEY = TsigKey("link.example", "hmac-sha256", SECRET_TEXT)
SOA = dns.rrset.from_text("example.com.", 3600, "IN", "SOA", "ns1.example.com. host.example.com. 42 2 3 4 5")


def zone_of(count: int) -> list[dns.rrset.RRset]:
    return [SOA] + [
        dns.rrset.from_text(f"host{i}.example.com.", 300, "IN", "MX", f"10 Mail{i}.example.com.") for i in range(count)
    ]


def expected_digest(records: list[dns.rrset.RRset]) -> str:
    digest = wire.ContentDigest()
    for record in records:
        digest.add_wire(record.name.to_wire(), record.rdtype, record.rdclass, record.ttl, record[0].to_wire())
    return digest.hexdigest()


ZONE = zone_of(20)


def transfer_from(server: DnsServer, **settings_: object) -> client.Transfer:
    settings_.setdefault("timeout", 5.0)
    return client.transfer("example.com", server.address, server.port, **settings_)


def failed_transfer(tcp: object, **settings_: object) -> TransferError:
    with DnsServer(None, tcp) as server:
        with pytest.raises(TransferError) as failed:
            transfer_from(server, **settings_)
    assert str(failed.value) == f"zone example.com from 127.0.0.1 port {server.port}: {failed.value.detail}"
    assert SECRET_TEXT not in str(failed.value)
    return failed.value


@pytest.mark.parametrize("address", LOOPBACKS)
@pytest.mark.parametrize("per_message", [1, 7, 1000])
@pytest.mark.parametrize("key", [None, KEY])
def test_a_zone_transfer(address: str, per_message: int, key: dns.tsig.Key | None) -> None:
    with DnsServer(None, lambda query: axfr_answer(query, ZONE, key=key, per_message=per_message), address) as server:
        done = transfer_from(server, key=CLIENT_KEY if key else None, source=address)
    assert (done.serial, done.records, done.digest) == (42, 21, expected_digest(ZONE))
    assert done.messages == -(-22 // per_message)
    assert done.octets > 22 * 12
    assert 0 < done.seconds < 5


@pytest.mark.parametrize("algorithm", ["hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"])
def test_the_algorithms(algorithm: str) -> None:
    key = tsig_key("link.example.", SECRET, algorithm)
    with DnsServer(None, lambda query: axfr_answer(query, ZONE, key=key, per_message=7)) as server:
        done = transfer_from(server, key=TsigKey("LINK.Example.", algorithm.upper(), SECRET_TEXT))
    assert done.digest == expected_digest(ZONE)


@pytest.mark.skipif(shutil.which("dig") is None, reason="dig is not installed")
@pytest.mark.parametrize("every", [1, 4])
def test_dig_agrees_that_the_test_server_signs_well(tmp_path: Path, every: int) -> None:
    """Client and server here share dnspython's TSIG; dig does not."""

    def serve(query: bytes) -> Iterator[bytes]:
        return axfr_answer(query, ZONE, key=KEY, per_message=3, unsigned=lambda index, last: index % every and not last)

    with DnsServer(None, serve) as server:
        assert transfer_from(server, key=CLIENT_KEY).digest == expected_digest(ZONE)
        (tmp_path / "key").write_text(f'key "link.example" {{ algorithm hmac-sha256; secret "{SECRET_TEXT}"; }};')
        command = ["dig", "-p", str(server.port), "@127.0.0.1", "-k", str(tmp_path / "key"), "AXFR", "example.com"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    assert "XFR size: 22 records" in result.stdout
    assert "verify failure" not in result.stdout + result.stderr


def test_unsigned_messages_in_between() -> None:
    """RFC 8945 section 5.3.1: up to 99 of them, and neither the first nor the last."""

    def transfer_with(unsigned: object, count: int = 20) -> client.Transfer:
        zone = zone_of(count)
        with DnsServer(
            None, lambda query: axfr_answer(query, zone, key=KEY, per_message=1, unsigned=unsigned)
        ) as server:
            return transfer_from(server, key=CLIENT_KEY)

    assert transfer_with(lambda index, last: index % 3 and not last).records == 21
    assert transfer_with(lambda index, last: index % 100 and not last, 210).records == 211
    for unsigned, count, reason in (
        (lambda index, last: last, 20, "last message"),
        (lambda index, last: index == 0, 20, "is not signed with key link.example"),
        (lambda index, last: index % 101 and not last, 210, "more than 99"),
        (lambda index, last: True, 20, "is not signed"),
    ):
        with pytest.raises(TransferError) as failed:
            transfer_with(unsigned, count)
        assert failed.value.reason == Reason.BAD_SIGNATURE_IN_ANSWER
        assert reason in failed.value.detail


def test_a_key_the_server_does_not_know() -> None:
    other = TsigKey("other.example", "hmac-sha256", SECRET_TEXT)
    error = failed_transfer(lambda query: axfr_answer(query, ZONE, key=KEY), key=other)
    assert error.reason == Reason.BAD_KEY
    assert "does not know the key other.example" in error.detail


def test_another_secret() -> None:
    other = TsigKey("link.example", "hmac-sha256", SLASHES)
    error = failed_transfer(lambda query: axfr_answer(query, ZONE, key=KEY), key=other)
    assert error.reason == Reason.BAD_SIG
    assert "another secret" in error.detail


class ShiftedTime:
    """The time module of a host whose clock is wrong."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time() + self.seconds


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_clocks_that_differ(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    monkeypatch.setattr(client, "time", ShiftedTime(seconds // 60))
    with DnsServer(None, lambda query: axfr_answer(query, ZONE, key=KEY)) as server:
        assert transfer_from(server, key=CLIENT_KEY).records == 21  # 60 seconds are within the fudge
    monkeypatch.setattr(client, "time", ShiftedTime(seconds))
    error = failed_transfer(lambda query: axfr_answer(query, ZONE, key=KEY), key=CLIENT_KEY)
    assert error.reason == Reason.BAD_TIME
    assert "differ by 3600 seconds" in error.detail or "differ by 3599 seconds" in error.detail
    assert "mend the clock" in error.detail


def test_an_answer_signed_at_the_wrong_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server took our time for good, but signs by a clock that is out of bounds."""

    def serve(query: bytes) -> Iterator[bytes]:
        messages = list(axfr_answer(query, ZONE, key=KEY))
        monkeypatch.setattr(client, "time", ShiftedTime(1000))
        yield from messages

    error = failed_transfer(serve, key=CLIENT_KEY)
    assert error.reason == Reason.BAD_TIME
    assert "mend the clock" in error.detail


def test_a_bad_time_answer_without_the_time() -> None:
    def serve(query: bytes) -> list[bytes]:
        answer = tsig_error_answer(query, dns.rcode.BADTIME)
        return [replace_tsig(answer, KEY.name, lambda rdata: rdata.replace(other=b""))]

    error = failed_transfer(serve, key=CLIENT_KEY)
    assert (error.reason, "mend the clock" in error.detail) == (Reason.BAD_TIME, True)


@pytest.mark.parametrize(
    ("rcode", "reason"),
    [
        (dns.rcode.REFUSED, Reason.REFUSED),
        (dns.rcode.NOTAUTH, Reason.NOT_AUTHORITATIVE),
        (dns.rcode.SERVFAIL, Reason.SERVFAIL),
        (dns.rcode.NOTIMP, Reason.OTHER_RCODE),
    ],
)
@pytest.mark.parametrize("key", [None, CLIENT_KEY])
def test_error_answers_to_a_transfer(rcode: dns.rcode.Rcode, reason: str, key: TsigKey | None) -> None:
    error = failed_transfer(lambda query: [rcode_answer(query, rcode)], key=key)
    assert error.reason == reason
    assert dns.rcode.to_text(rcode) in error.detail


def test_an_error_in_the_middle() -> None:
    def serve(query: bytes) -> Iterator[bytes]:
        yield from itertools.islice(axfr_answer(query, ZONE, per_message=7), 1)
        yield rcode_answer(query, dns.rcode.SERVFAIL)

    assert failed_transfer(serve).reason == Reason.SERVFAIL


def changed(change: object, key: dns.tsig.Key | None = None) -> object:
    """A server whose stream of messages is right but for what ``change`` does to their list."""

    def serve(query: bytes) -> Iterable[bytes]:
        messages = [bytearray(message) for message in axfr_answer(query, ZONE, key=key, per_message=7)]
        change(messages)
        return [bytes(message) for message in messages]

    return serve


def flip(message: bytearray, position: int, mask: int = 1) -> None:
    message[position] ^= mask


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda messages: messages.pop(), "closed the connection"),
        (lambda messages: messages.clear(), "closed the connection"),
        (lambda messages: messages.reverse(), "question"),
        (lambda messages: flip(messages[0], 1), "has id"),
        (lambda messages: flip(messages[2], 0), "has id"),
        (lambda messages: flip(messages[0], 2, 0x80), "not a response"),
        (lambda messages: flip(messages[0], 2, 0x08), "not a response"),
        (lambda messages: flip(messages[1], 2, 0x02), "truncated"),
        (lambda messages: flip(messages[0], 13), "another question"),
        (lambda messages: flip(messages[0], 5), "question"),
        (lambda messages: messages[1].pop(), "end of the message"),
        (lambda messages: messages[1].append(0), "left over"),
        (lambda messages: messages.__setitem__(1, bytearray(b"x")), "too few"),
        (lambda messages: messages.__setitem__(1, bytearray()), "too few"),
        (lambda messages: messages[-1].__setitem__(slice(-17, -16), b"\1"), "begins with serial 42 and ends with"),
    ],
)
def test_streams_that_are_broken(change: object, text: str) -> None:
    with DnsServer(None, changed(lambda messages: None)) as server:
        assert transfer_from(server).records == 21
    error = failed_transfer(changed(change), timeout=0.5)
    if error.reason == Reason.TIMEOUT:
        assert text == "closed the connection"  # a server that only stops
    else:
        assert error.reason == Reason.BROKEN
        assert text in error.detail


def test_a_missing_first_and_last_soa() -> None:
    error = failed_transfer(lambda query: axfr_answer(query, ZONE[1:], finish=False))
    assert (error.reason, error.detail) == (Reason.BROKEN, "the transfer does not begin with the SOA record")
    error = failed_transfer(lambda query: axfr_answer(query, ZONE, finish=False), timeout=0.2)
    assert error.reason == Reason.TIMEOUT
    assert "21 records" in error.detail
    error = failed_transfer(lambda query: axfr_answer(query, [*ZONE, SOA, *ZONE[1:]], finish=False))
    assert (error.reason, "after the SOA" in error.detail) == (Reason.BROKEN, True)
    below = dns.rrset.from_text("below.example.com.", 3600, "IN", "SOA", "a. b. 1 2 3 4 5")
    error = failed_transfer(lambda query: axfr_answer(query, [*ZONE, below]))
    assert (error.reason, "another name: below" in error.detail) == (Reason.BROKEN, True)


def test_a_connection_cut_in_a_message() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)

        def serve() -> None:
            connection, _peer = listener.accept()
            with connection:
                query = connection.recv(512)[2:]
                message = next(axfr_answer(query, ZONE))
                connection.sendall(len(message).to_bytes(2, "big") + message[:-1])

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(TransferError, match="closed the connection") as failed:
            client.transfer("example.com", *listener.getsockname(), timeout=5)
        thread.join()
    assert failed.value.reason == Reason.BROKEN


def tsig_start(message: bytearray) -> int:
    return message.rindex(b"\4link\7example\0")


@pytest.mark.parametrize(
    "change",
    [
        lambda messages: flip(messages[0], -20),  # the MAC
        lambda messages: flip(messages[1], -20),
        lambda messages: flip(messages[-1], -20),
        lambda messages: flip(messages[1], messages[1].index(b"\0\0\1\x2c") + 3),  # a TTL
        lambda messages: flip(messages[2], tsig_start(messages[2]) + 1),  # the key's name
        lambda messages: messages.__delitem__(1),  # a message
        lambda messages: messages.__setitem__(slice(1, 3), messages[2:0:-1]),  # two messages swapped
        lambda messages: messages.insert(1, messages[1]),  # a message twice
    ],
)
def test_streams_that_were_tampered_with(change: object) -> None:
    with DnsServer(None, changed(lambda messages: None, KEY)) as server:
        assert transfer_from(server, key=CLIENT_KEY).records == 21
    assert failed_transfer(changed(change, KEY), key=CLIENT_KEY).reason == Reason.BAD_SIGNATURE_IN_ANSWER


@pytest.mark.parametrize("size", [0, 10, 16, 31, 32])
def test_a_truncated_mac_is_not_accepted(size: int) -> None:
    """RFC 8945 section 5.2.2.1 leaves it to policy; ours is that a full one was asked for."""

    def serve(query: bytes) -> Iterator[bytes]:
        for message in axfr_answer(query, ZONE, key=KEY):
            yield replace_tsig(message, KEY.name, lambda rdata: rdata.replace(mac=rdata.mac[:size]))

    if size == 32:
        with DnsServer(None, serve) as server:
            assert transfer_from(server, key=CLIENT_KEY).records == 21
    else:
        assert failed_transfer(serve, key=CLIENT_KEY).reason == Reason.BAD_SIGNATURE_IN_ANSWER


def test_a_tsig_that_is_not_the_last_record() -> None:
    def double(messages: list[bytearray]) -> None:
        message = messages[0]
        message += message[tsig_start(message) :]
        message[11] = 2

    error = failed_transfer(changed(double, KEY), key=CLIENT_KEY)
    assert (error.reason, "not the last" in error.detail) == (Reason.BROKEN, True)


def test_a_malformed_tsig() -> None:
    def cut(messages: list[bytearray]) -> None:
        message = messages[0]
        rdlength_at = tsig_start(message) + len(b"\4link\7example\0") + 8
        del message[rdlength_at + 2 + 15 :]
        message[rdlength_at : rdlength_at + 2] = b"\0\x0f"

    error = failed_transfer(changed(cut, KEY), key=CLIENT_KEY)
    assert (error.reason, error.detail) == (Reason.BROKEN, "a malformed TSIG record")


def test_too_many_records() -> None:
    with DnsServer(None, lambda query: axfr_answer(query, ZONE)) as server:
        assert transfer_from(server, max_records=21).records == 21
    error = failed_transfer(lambda query: axfr_answer(query, ZONE), max_records=20)
    assert (error.reason, "more than 20" in error.detail) == (Reason.TOO_MANY_RECORDS, True)


def test_a_slow_server() -> None:
    stop = threading.Event()

    def pause(query: bytes) -> Iterator[bytes]:
        yield from itertools.islice(axfr_answer(query, ZONE, per_message=7), 1)
        stop.wait(10)

    started = time.monotonic()
    with DnsServer(None, pause) as server:
        with pytest.raises(TransferError, match=r"nothing came for 0\.2 seconds; 7 records") as failed:
            transfer_from(server, timeout=0.2)
        stop.set()
    assert failed.value.reason == Reason.TIMEOUT
    assert time.monotonic() - started < 5


def test_a_server_that_never_ends() -> None:
    """Never slow, never done: only the deadline ends it."""

    def drip(query: bytes) -> Iterator[bytes]:
        messages = list(axfr_answer(query, ZONE, per_message=7))
        yield messages[0]
        while True:
            yield messages[1]

    started = time.monotonic()
    error = failed_transfer(drip, timeout=5, deadline=0.3)
    assert (error.reason, "took too long" in error.detail) == (Reason.TIMEOUT, True)
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("address", LOOPBACKS)
def test_a_transfer_from_a_closed_port(address: str) -> None:
    with DnsServer(address=address) as server:
        with pytest.raises(TransferError) as failed:
            transfer_from(server)
    assert (failed.value.reason, failed.value.detail) == (Reason.UNREACHABLE, f"port {server.port} is closed")


def test_a_source_address_this_host_does_not_have() -> None:
    with DnsServer(None, lambda query: axfr_answer(query, ZONE)) as server:
        assert transfer_from(server, source="127.0.0.2").records == 21
        with pytest.raises(TransferError) as failed:
            transfer_from(server, source="192.0.2.1")
        with pytest.raises(ValueError, match="one is IPv4, the other IPv6"):
            transfer_from(server, source="::1")
    assert failed.value.reason == Reason.UNREACHABLE
    assert "no such address" in failed.value.detail


def test_without_dnspython_there_are_transfers_but_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "HAS_DNSPYTHON", False)
    with DnsServer(None, lambda query: axfr_answer(query, ZONE)) as server:
        assert transfer_from(server).records == 21
        with pytest.raises(RuntimeError, match="python3-dnspython"):
            transfer_from(server, key=CLIENT_KEY)


def test_memory_does_not_grow_with_the_zone() -> None:
    """100,000 records in half a megabyte: the buffer, one message, and what it is taken apart into."""
    query = wire.build_query("example.com", wire.TYPE_AXFR, message_id=0)
    zone = [SOA] + [dns.rrset.from_text(f"host{i}.example.com.", 300, "IN", "A", "192.0.2.1") for i in range(1499)]
    first, middle, _middle, last = axfr_answer(query, zone, per_message=500)

    def serve(query: bytes) -> Iterator[bytes]:
        yield query[:2] + first[2:]
        for _index in range(199):
            yield query[:2] + middle[2:]
        yield query[:2] + last[2:]

    with DnsServer(None, serve) as server:
        tracemalloc.start()
        done = transfer_from(server, timeout=20)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (done.records, done.messages) == (100_000, 201)
    assert peak < 500_000


# --- Many transfers ---------------------------------------------------------------------------------


def test_many_transfers() -> None:
    def serve(query: bytes) -> Iterable[bytes]:
        name = dns.message.from_wire(query).question[0].name
        if name.to_text() == "bad.":
            return [rcode_answer(query, dns.rcode.REFUSED)]
        soa = dns.rrset.from_text(name, 1, "IN", "SOA", f"a. b. {name.labels[0].decode()[1:]} 1 1 1 1")
        return axfr_answer(query, [soa])

    with DnsServer(None, serve) as server:
        jobs = [TransferJob(f"z{i}", "127.0.0.1", server.port) for i in range(300)]
        jobs.insert(100, TransferJob("bad", "127.0.0.1", server.port))
        results = client.transfer_many(jobs, concurrency=8)
    refused = results.pop(100)
    assert isinstance(refused, TransferError)
    assert refused.reason == Reason.REFUSED
    assert str(refused).startswith("zone bad from 127.0.0.1")
    assert [result.serial for result in results] == list(range(300))


def test_many_transfers_from_a_dead_server() -> None:
    stop = threading.Event()

    def hang(query: bytes) -> Iterator[bytes]:
        stop.wait(20)
        yield from ()

    with DnsServer(None, hang) as dead, DnsServer(None, lambda query: axfr_answer(query, ZONE)) as alive:
        jobs = [TransferJob("example.com", "127.0.0.1", server.port) for _i in range(100) for server in (dead, alive)]
        started = time.monotonic()
        results = client.transfer_many(jobs, timeout=0.2)
        seconds = time.monotonic() - started
        stop.set()
    assert seconds < 10
    assert {result.reason for result in results[::2]} == {Reason.TIMEOUT}
    assert {result.records for result in results[1::2]} == {21}
    assert dead.connections < 20


# --- Fuzz -------------------------------------------------------------------------------------------

FUZZ_QUERY = wire.build_query("example.com", wire.TYPE_AXFR, message_id=1)


def fuzzed(data: st.DataObject, messages: list[bytes]) -> list[bytes]:
    fuzzed_messages = []
    for message in messages:
        octets = bytearray(message)
        for _change in range(data.draw(st.integers(0, 3))):
            octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
        fuzzed_messages.append(bytes(octets[: data.draw(st.integers(max(0, len(octets) - 40), len(octets)))]))
    return fuzzed_messages


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_streams(data: st.DataObject) -> None:
    """Whatever comes: a transfer, or one of the two errors that transfer() makes a TransferError of."""
    signature = client._Signature(CLIENT_KEY) if data.draw(st.booleans()) else None
    query = signature.sign(FUZZ_QUERY) if signature else FUZZ_QUERY
    messages = data.draw(
        st.sampled_from(
            [
                list(axfr_answer(query, ZONE[:8], key=KEY if signature else None, per_message=3)),
                [tsig_error_answer(query, dns.rcode.BADKEY)] if signature else [rcode_answer(query, 5)],
            ]
        )
    )
    reader = client._Reader("example.com", 1, signature)
    try:
        for message in fuzzed(data, messages):
            if reader.feed(message):
                break
    except (TransferError, wire.WireError):
        pass
    if signature and reader.messages == len(messages):
        assert reader.digest.hexdigest() == expected_digest(ZONE[:8])
