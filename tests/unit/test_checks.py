"""The checks after a deploy, with servers and a clock that are functions of the test."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import checks
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import (
    FAILED,
    NOT_CHECKED,
    OK,
    SILENT_SECONDS,
    Row,
    Server,
    TransferCheck,
    Zone,
    transfer_rows,
    wait_for_sync,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import (
    Question,
    Reason,
    SerialSeen,
    Status,
    Transfer,
    TransferError,
    TransferJob,
)

P, S, S6 = "192.0.2.1", "192.0.2.2", "2001:db8::2"
SERVERS = {"p": Server((P,)), "s": Server((S,), 5353)}
ZONE = Zone("z.test", "p", ("s",))

# What a server says: a serial, or a status.
Said = Any


class World:
    """Servers that say what ``says`` gives for a zone, an address and the time; time passes by sleeping and asking."""

    def __init__(self, says: Callable[[str, str, float], Said], takes: float = 0.01) -> None:
        self.says = says
        self.takes = takes
        self.now = 1000.0
        self.slept: list[float] = []
        self.rounds: list[tuple[bool, list[Question]]] = []

    def ask(self, questions: Sequence[Question], tcp: bool) -> list[SerialSeen]:
        self.rounds.append((tcp, list(questions)))
        self.now += self.takes
        return [self.answer(question, tcp) for question in questions]

    def answer(self, question: Question, tcp: bool) -> SerialSeen:
        said = self.says(question.zone, question.address, self.now - 1000.0)
        status, serial = (said, None) if isinstance(said, str) else (Status.ANSWER, said)
        detail = "" if status == Status.ANSWER else "it said %s" % status
        return SerialSeen(*question, status, serial, "tcp" if tcp else "udp", detail)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.now += seconds

    def sync(
        self,
        zones: Sequence[Zone] = (ZONE,),
        servers: Mapping[str, Server] | None = None,
        timeout: float = 30,
        cut_off: Callable[[str, int], bool] = lambda address, port: False,
    ) -> list[Row]:
        return wait_for_sync(
            zones,
            SERVERS if servers is None else servers,
            ask=self.ask,
            timeout=timeout,
            cut_off=cut_off,
            sleep=self.sleep,
            clock=lambda: self.now,
        )

    def addresses(self) -> list[list[str]]:
        return [[question.address for question in questions] for _tcp, questions in self.rounds]

    @property
    def took(self) -> float:
        return self.now - 1000.0


def constant(answers: Mapping[str, Said]) -> World:
    return World(lambda _zone, address, _now: answers[address])


def short(rows: Sequence[Row]) -> list[tuple[str, str, str, int | None]]:
    return [(row["address"], row["verdict"], row["status"], row["serial"]) for row in rows]


# --- serials ---------------------------------------------------------------------------------------------------------


def test_in_sync_at_once() -> None:
    world = constant({P: 7, S: 7})
    assert world.sync() == [
        checks.row("serial", "z.test", "p", P, OK, "in sync", 7),
        checks.row("serial", "z.test", "s", S, OK, "in sync", 7),
    ]
    assert world.rounds == [(False, [Question("z.test", P, 53), Question("z.test", S, 5353)])]
    assert world.slept == []


def test_behind_and_then_in_sync() -> None:
    world = World(lambda _zone, address, now: 7 if address == P or now > 3 else 6)
    assert short(world.sync()) == [(P, OK, "in sync", 7), (S, OK, "in sync", 7)]
    assert 3 < world.took < 6
    # The pauses grow, and not beyond two seconds.
    assert world.slept == sorted(world.slept) and max(world.slept) <= 2


def test_behind_until_the_deadline() -> None:
    world = constant({P: 7, S: 6})
    rows = world.sync(timeout=30)
    assert short(rows) == [(P, OK, "in sync", 7), (S, FAILED, "behind", 6)]
    assert rows[1]["detail"] == "it has serial 6, its primary 7"
    assert 27 < world.took <= 30
    assert len(world.rounds) < 30


def test_no_time_is_one_round() -> None:
    world = constant({P: 7, S: 6})
    assert short(world.sync(timeout=0))[1] == (S, FAILED, "behind", 6)
    assert len(world.rounds) == 1


def test_a_secondary_ahead_of_its_primary_is_a_failure() -> None:
    rows = constant({P: 7, S: 8}).sync(timeout=1)
    assert short(rows)[1] == (S, FAILED, "ahead", 8)
    assert rows[1]["detail"] == (
        "it has serial 8, its primary only 7: the primary went back, and changes would not arrive. To repair it, run "
        "the playbook site once with -e dns_raise_serials=z.test"
    )


def test_serials_that_cannot_be_compared_are_a_failure() -> None:
    (_primary, row) = constant({P: 1, S: 1 + 2**31}).sync(timeout=1)
    assert (row["verdict"], row["serial"]) == (FAILED, 1 + 2**31)


def test_the_wrap_of_serials() -> None:
    assert short(constant({P: 1, S: 2**32 - 1}).sync(timeout=1))[1] == (S, FAILED, "behind", 2**32 - 1)
    assert short(constant({P: 2**32 - 1, S: 1}).sync(timeout=1))[1] == (S, FAILED, "ahead", 1)


@pytest.mark.parametrize("status", [Status.TIMEOUT, Status.UNREACHABLE])
def test_a_silent_primary_leaves_its_secondaries_unchecked(status: str) -> None:
    world = constant({P: status, S: 7})
    rows = world.sync(timeout=60)
    assert short(rows) == [(P, FAILED, "no answer", None), (S, NOT_CHECKED, "no reference", 7)]
    assert rows[0]["detail"] == "it said %s" % status
    assert rows[1]["detail"] == "its primary p gave no serial to compare with"
    assert SILENT_SECONDS < world.took < 10


def test_one_silent_address_of_two_is_given_up_early() -> None:
    servers = {"p": Server((P,)), "s": Server((S, S6))}
    world = World(lambda _zone, address, now: Status.TIMEOUT if address == S6 else 7 if address == P or now > 20 else 6)
    rows = world.sync(servers=servers, timeout=60)
    # The other address is waited for.
    assert short(rows) == [(P, OK, "in sync", 7), (S, OK, "in sync", 7), (S6, FAILED, "no answer", None)]
    assert world.took < 25
    asked = [addresses.count(S6) for addresses in world.addresses()]
    assert asked[0] == 1 and asked[-1] == 0


def test_a_server_that_is_starting_is_waited_for() -> None:
    """A closed port answers at once; a round is no measure of patience."""
    world = World(lambda _zone, address, now: Status.UNREACHABLE if address == S and now < 3 else 7)
    assert short(world.sync())[1] == (S, OK, "in sync", 7)


def test_silence_that_ends_is_forgotten() -> None:
    # Heard again after three seconds; in sync long after it would have been given up.
    world = World(lambda _zone, address, now: 7 if address == P or now > 20 else Status.UNREACHABLE if now < 3 else 6)
    assert short(world.sync())[1] == (S, OK, "in sync", 7)


def test_a_server_that_answers_for_one_zone_is_not_silent() -> None:
    zones = [Zone("a.test", "p", ("s",)), Zone("b.test", "p", ("s",))]
    # Of a.test nothing is heard for long, as when answers get lost; b.test is behind as long.
    world = World(
        lambda zone, address, now: 7 if address == P or now > 20 else Status.TIMEOUT if zone == "a.test" else 6
    )
    assert {row["verdict"] for row in world.sync(zones, timeout=60)} == {OK}


def test_a_whole_silent_server_costs_its_patience_once() -> None:
    zones = [Zone("z%d.test" % number, "p", ("s",)) for number in range(100)]
    world = constant({P: 7, S: Status.TIMEOUT})
    world.takes = 11  # as long as the client tries
    rows = world.sync(zones, timeout=120)
    assert [row["verdict"] for row in rows] == [OK, FAILED] * 100
    assert len(world.rounds) == 1


@pytest.mark.parametrize("status", [Status.REFUSED, Status.SERVFAIL, Status.NOT_AUTHORITATIVE])
def test_what_is_not_loaded_yet_is_asked_again_over_tcp(status: str) -> None:
    world = World(lambda _zone, address, now: 7 if address == P or now > 2 else status)
    assert short(world.sync())[1] == (S, OK, "in sync", 7)
    transports = {
        tcp: [q.address for over, questions in world.rounds if over is tcp for q in questions] for tcp in (True, False)
    }
    # Once over UDP; since then no rate limit of the server is in the way.
    assert transports[False].count(S) == 1
    assert set(transports[True]) == {S} and len(transports[True]) > 1


@pytest.mark.parametrize(
    "status, word",
    [
        (Status.REFUSED, "refused"),
        (Status.SERVFAIL, "servfail"),
        (Status.NOT_AUTHORITATIVE, "not authoritative"),
        (Status.NXDOMAIN, "nxdomain"),
        (Status.OTHER_RCODE, "error"),
        (Status.BROKEN, "broken"),
    ],
)
def test_what_else_a_server_says_is_a_failure(status: str, word: str) -> None:
    (_primary, row) = constant({P: 7, S: status}).sync(timeout=3)
    assert (row["verdict"], row["status"], row["serial"]) == (FAILED, word, None)
    assert row["detail"] == "it said %s" % status


def test_an_address_without_a_route_is_not_checked() -> None:
    servers = {"p": Server((P,)), "s": Server((S, S6))}
    world = constant({P: 7, S: 7, S6: "never asked"})
    rows = world.sync(servers=servers, cut_off=lambda address, port: ":" in address)
    assert short(rows) == [(P, OK, "in sync", 7), (S, OK, "in sync", 7), (S6, NOT_CHECKED, "no route", None)]
    assert rows[2]["detail"] == "there is no route from here to %s" % S6
    assert world.addresses() == [[P, S]]


def test_no_route_to_the_primary() -> None:
    rows = constant({P: 0, S: 7}).sync(cut_off=lambda address, port: address == P)
    assert [row["status"] for row in rows] == ["no route", "no reference"]
    assert {row["verdict"] for row in rows} == {NOT_CHECKED}


def test_the_reference_is_the_newest_that_the_primary_says() -> None:
    servers = {"p": Server((P, S6)), "s": Server((S,))}
    rows = constant({P: 6, S6: 7, S: 6}).sync(servers=servers, timeout=1)
    assert short(rows) == [(P, FAILED, "behind", 6), (S6, OK, "in sync", 7), (S, FAILED, "behind", 6)]


def test_a_primary_that_contradicts_itself_makes_nothing_green() -> None:
    servers = {"p": Server((P, S6)), "s": Server((S,))}
    rows = constant({P: 1, S6: 1 + 2**31, S: 1}).sync(servers=servers, timeout=1)
    assert OK not in {row["verdict"] for row in rows}


def test_a_thousand_zones_are_asked_for_together() -> None:
    zones = [Zone("z%d.test" % number, "p", ("s",)) for number in range(1000)]
    world = World(lambda zone, address, now: 7 if address == P or now > 1 or zone != "z5.test" else 6)
    rows = world.sync(zones)
    assert [row["zone"] for row in rows[:4]] == ["z0.test", "z0.test", "z1.test", "z1.test"]
    assert len(rows) == 2000 and {row["verdict"] for row in rows} == {OK}
    assert len(world.rounds) < 8
    # What has settled is not asked again.
    assert [len(questions) for _tcp, questions in world.rounds[1:]] == [2] * (len(world.rounds) - 1)


def test_a_zone_of_a_primary_alone() -> None:
    assert short(constant({P: 7}).sync([Zone("z.test", "p", ())], {"p": Server((P,))})) == [(P, OK, "in sync", 7)]


def test_no_zones() -> None:
    world = constant({})
    assert world.sync([]) == [] and world.rounds == []


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_there_is_a_route_to_loopback(address: str) -> None:
    if ":" in address:
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 53))
        except OSError:
            pytest.skip("no IPv6 here")
    assert not checks.no_route(address, 53)


@pytest.mark.parametrize("address, family", [(P, socket.AF_INET), (S6, socket.AF_INET6)])
@pytest.mark.parametrize(
    "number, cut",
    [(errno.ENETUNREACH, True), (errno.EAFNOSUPPORT, True), (errno.EADDRNOTAVAIL, True), (errno.EACCES, False)],
)
def test_only_a_missing_route_is_no_route(
    monkeypatch: pytest.MonkeyPatch, address: str, family: int, number: int, cut: bool
) -> None:
    class Probe:
        def __init__(self, *arguments: int) -> None:
            assert arguments == (family, socket.SOCK_DGRAM)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_exception: object) -> None:
            pass

        def connect(self, end: tuple[str, int]) -> None:
            assert end == (address, 5353)
            raise OSError(number, "no")

    monkeypatch.setattr(socket, "socket", Probe)
    assert checks.no_route(address, 5353) is cut


# --- transfers -------------------------------------------------------------------------------------------------------

GOOD = Transfer(serial=7, records=12, digest="d1", messages=1, octets=500, seconds=0.1)


class Transfers:
    """Transfers that end as ``outcomes`` says for a zone and an address."""

    def __init__(self, outcomes: Mapping[tuple[str, str], Any], serving: Said = 7) -> None:
        self.outcomes = outcomes
        self.serving = serving
        self.jobs: list[TransferJob] = []
        self.calls = 0
        self.asked: list[tuple[list[Question], bool]] = []

    def many(self, jobs: Sequence[TransferJob]) -> list[Any]:
        self.calls += 1
        self.jobs += jobs
        return [self.outcomes[(job.zone, job.address)] for job in jobs]

    def ask(self, questions: Sequence[Question], tcp: bool) -> list[SerialSeen]:
        self.asked.append((list(questions), tcp))
        status, serial = (self.serving, None) if isinstance(self.serving, str) else (Status.ANSWER, self.serving)
        return [SerialSeen(*question, status, serial, "tcp", "") for question in questions]

    def rows(self, *of: TransferCheck, digests: Mapping[str, str] | None = None) -> list[Row]:
        return transfer_rows(of, digests or {}, ask=self.ask, transfer_many=self.many)


def check(kind: str, zones: Sequence[str] = ("z.test",), **more: Any) -> TransferCheck:
    return TransferCheck(kind, "s", S, 5353, zones, **more)


def error(reason: str) -> TransferError:
    return TransferError(reason, "it said so", "z.test at s: ")


def one(kind: str, outcome: Any, serving: Said = 7, digests: Mapping[str, str] | None = None) -> Row:
    (row,) = Transfers({("z.test", S): outcome}, serving).rows(check(kind), digests=digests)
    assert (row["check"], row["zone"], row["server"], row["address"]) == (kind, "z.test", "s", S)
    return row


def verdict(row: Row) -> tuple[str, str, int | None, str]:
    return row["verdict"], row["status"], row["serial"], row["detail"]


@pytest.mark.parametrize("kind", ["transfer", "content"])
def test_a_transfer_that_succeeds(kind: str) -> None:
    assert verdict(one(kind, GOOD, digests={"z.test": "d1"})) == (OK, "same content", 7, "")


@pytest.mark.parametrize("digests", [{}, {"other.test": "d2"}])
def test_what_there_is_nothing_to_compare_with(digests: dict[str, str]) -> None:
    """A transfer has been proven all the same; a content has not."""
    assert verdict(one("transfer", GOOD, digests=digests)) == (OK, "transferred", 7, "")
    detail = "there is nothing to compare its content with"
    assert verdict(one("content", GOOD, digests=digests)) == (NOT_CHECKED, "no reference", 7, detail)


@pytest.mark.parametrize("own", [GOOD, GOOD._replace(digest="other")])
def test_without_a_zone_file_content_is_compared_with_what_the_primary_gave(own: Transfer) -> None:
    outcomes = {("z.test", S): own, ("z.test", P): GOOD}
    transfer = TransferCheck("transfer", "p", P, 53, ["z.test"])
    rows = Transfers(outcomes).rows(check("content"), transfer, digests={})
    if own == GOOD:
        assert verdict(rows[0]) == (OK, "same content", 7, "")
    else:
        assert verdict(rows[0]) == (FAILED, "differs", 7, "its content is not what its primary gives")
    assert verdict(rows[1]) == (OK, "transferred", 7, "")


@pytest.mark.parametrize("kind", ["transfer", "content"])
def test_content_that_differs_is_a_failure(kind: str) -> None:
    row = one(kind, GOOD, digests={"z.test": "d2"})
    assert verdict(row) == (FAILED, "differs", 7, "its content is not what the zone file has")


REASONS = [value for name, value in vars(Reason).items() if name.isupper()]


@pytest.mark.parametrize("kind", ["transfer", "content"])
@pytest.mark.parametrize("reason", REASONS)
def test_a_transfer_that_does_not_succeed_is_a_failure(kind: str, reason: str) -> None:
    row = one(kind, error(reason))
    assert verdict(row)[:3] == (FAILED, reason.replace("_", " "), None)
    assert row["detail"].startswith("it said so")
    assert ("timedatectl" in row["detail"] and "clock" in row["detail"]) == (reason == Reason.BAD_TIME)


@pytest.mark.parametrize("reason", REASONS)
def test_only_a_real_refusal_is_one(reason: str) -> None:
    refused = reason in (Reason.REFUSED, Reason.BAD_KEY, Reason.BAD_SIG)
    expected = (OK, "refused", None, "") if refused else (NOT_CHECKED, reason.replace("_", " "), None, "it said so")
    assert verdict(one("refusal", error(reason))) == expected


@pytest.mark.parametrize("serving", [7, Status.REFUSED, Status.TIMEOUT])
def test_a_transfer_that_should_have_been_refused_is_a_failure(serving: Said) -> None:
    row = one("refusal", GOOD, serving)
    assert verdict(row) == (FAILED, "open", 7, "it gave all 12 records to a stranger")


NOT_SERVING = [value for name, value in vars(Status).items() if name.isupper() and value != Status.ANSWER]


@pytest.mark.parametrize("status", NOT_SERVING)
def test_a_refusal_by_a_server_without_the_zone_proves_nothing(status: str) -> None:
    row = one("refusal", error(Reason.REFUSED), status)
    assert verdict(row)[:3] == (NOT_CHECKED, "not serving", None)


def test_all_is_asked_and_transferred_together() -> None:
    key = object()
    zones = ["z%d.test" % number for number in range(100)]
    outcomes: dict[tuple[str, str], Any] = {(zone, S): GOOD for zone in zones}
    outcomes[("z0.test", P)] = error(Reason.REFUSED)
    transfers = Transfers(outcomes)
    rows = transfers.rows(
        check("content", zones, source="192.0.2.9", key=key),
        TransferCheck("refusal", "p", P, 53, ("z0.test",)),
        TransferCheck("refusal", "p", P, 53, ("z0.test",), key=key),
        digests=dict.fromkeys(zones, "d1"),
    )
    assert transfers.calls == 1
    assert transfers.jobs[0] == TransferJob("z0.test", S, 5353, "192.0.2.9", key)
    assert transfers.jobs[-2:] == [TransferJob("z0.test", P, 53, None, None), TransferJob("z0.test", P, 53, None, key)]
    # Only refusals need to know that the zone is served; over TCP, so that no rate limit answers.
    assert transfers.asked == [([Question("z0.test", P, 53)] * 2, True)]
    assert [row["zone"] for row in rows] == [*zones, "z0.test", "z0.test"]
    assert {row["verdict"] for row in rows} == {OK}


def test_nothing_is_asked_without_refusals() -> None:
    transfers = Transfers({("z.test", S): GOOD})
    transfers.rows(check("transfer"))
    assert transfers.asked == []
    assert Transfers({}).rows() == []
