# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks after a deploy, as rows of data.

A row is a dictionary: ``zone``, ``server`` (inventory name), ``address`` (``API`` for what a provider's API said),
``check`` (``publish``, ``serial``, ``transfer``, ``content``, ``refusal``, ``ns`` or ``delegation``), ``verdict``
(``ok``, ``failed``, ``not checked`` or ``warning``), ``status`` (a word), ``serial`` (or None) and ``detail`` (a
sentence, empty where all is well). "Not checked" is neither good nor bad: it is counted and shown, and never green. A
warning is about what somebody has to do elsewhere: it is shown, and leaves a zone green.
"""

from __future__ import annotations

import errno
import socket
import time
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import (
    NOT_LOADED,
    SILENT,
    Question,
    Reason,
    SerialSeen,
    Status,
    Transfer,
    TransferError,
    TransferJob,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.serial import highest, newer

OK = "ok"
FAILED = "failed"
NOT_CHECKED = "not checked"
WARNING = "warning"

Row = Dict[str, Any]
# (questions, over TCP) -> answers
Ask = Callable[[Sequence[Question], bool], List[SerialSeen]]
TransferMany = Callable[[Sequence[TransferJob]], List[Any]]

# An address that stayed silent for so many seconds is not waited for any longer. Rounds are no measure: a closed port,
# which a server that is starting has, answers at once.
SILENT_SECONDS = 5.0
_WORDS = {
    Status.TIMEOUT: "no answer",
    Status.UNREACHABLE: "no answer",
    Status.NOT_AUTHORITATIVE: "not authoritative",
    Status.OTHER_RCODE: "error",
}


class Server(NamedTuple):
    """A name server: where it answers."""

    addresses: Sequence[str]
    port: int = 53


class Zone(NamedTuple):
    """A zone: which servers have it, by name."""

    name: str
    primary: str
    secondaries: Sequence[str]


def row(
    check: str, zone: str, server: str, address: str, verdict: str, status: str, serial: Optional[int], detail: str = ""
) -> Row:
    return {
        "check": check,
        "zone": zone,
        "server": server,
        "address": address,
        "verdict": verdict,
        "status": status,
        "serial": serial,
        "detail": detail,
    }


def no_route(address: str, port: int) -> bool:
    """Whether this machine has no way at all to that address, such as no IPv6. Sends nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, port))
    except OSError as error:
        return error.errno in (errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
    return False


# --- serials ---------------------------------------------------------------------------------------------------------


def wait_for_sync(
    zones: Sequence[Zone],
    servers: Mapping[str, Server],
    *,
    ask: Ask,
    timeout: float,
    cut_off: Callable[[str, int], bool] = no_route,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> List[Row]:
    """Ask every server for every of its zones until all serials agree, or the time is up.

    :param timeout: seconds to wait at most. Silent servers are given up earlier.
    :returns: a row for each zone, server and address, in that order.
    """
    endpoints = {(name, address) for name, server in servers.items() for address in server.addresses}
    unreachable = {end for end in endpoints if cut_off(end[1], servers[end[0]].port)}
    seen: Dict[Tuple[str, str, str], SerialSeen] = {}
    silent_since: Dict[Tuple[str, str], float] = {}
    given_up: Set[Tuple[str, str]] = set()
    open_zones = list(zones)
    deadline = clock() + timeout
    pause = 0.1
    while True:
        _ask_round(open_zones, servers, ask, seen, unreachable | given_up, silent_since, clock())
        given_up = {end for end, since in silent_since.items() if clock() - since >= SILENT_SECONDS}
        open_zones = [zone for zone in open_zones if _may_settle(zone, servers, seen, unreachable, given_up)]
        if not open_zones or clock() + pause > deadline:
            break
        sleep(pause)
        pause = min(pause * 2, 2.0)
    return [each for zone in zones for each in _serial_rows(zone, servers, seen, unreachable)]


def _endpoints(zone: Zone, servers: Mapping[str, Server]) -> Iterable[Tuple[str, str]]:
    for name in [zone.primary] + list(zone.secondaries):
        for address in servers[name].addresses:
            yield name, address


def _ask_round(
    zones: Sequence[Zone],
    servers: Mapping[str, Server],
    ask: Ask,
    seen: Dict[Tuple[str, str, str], SerialSeen],
    left_out: Set[Tuple[str, str]],
    silent_since: Dict[Tuple[str, str], float],
    now: float,
) -> None:
    """Ask once more; what was not loaded yet over TCP, so that no rate limit answers for the server."""
    rounds: Dict[bool, List[Tuple[Tuple[str, str, str], Question]]] = {False: [], True: []}
    for zone in zones:
        for end in _endpoints(zone, servers):
            if end in left_out:
                continue
            key = (zone.name,) + end
            over_tcp = key in seen and seen[key].status in NOT_LOADED
            rounds[over_tcp].append((key, Question(zone.name, end[1], servers[end[0]].port)))
    heard, asked = set(), set()
    for over_tcp, questions in rounds.items():
        if not questions:
            continue
        for (key, _question), answer in zip(questions, ask([question for _key, question in questions], over_tcp)):
            seen[key] = answer
            asked.add(key[1:])
            if answer.status not in SILENT:
                heard.add(key[1:])
    for end in asked - heard:
        silent_since.setdefault(end, now)
    for end in heard:
        silent_since.pop(end, None)


def _may_settle(
    zone: Zone,
    servers: Mapping[str, Server],
    seen: Mapping[Tuple[str, str, str], SerialSeen],
    unreachable: Set[Tuple[str, str]],
    given_up: Set[Tuple[str, str]],
) -> bool:
    """Whether asking again may turn a row green."""
    return any(
        each["verdict"] == FAILED and (each["server"], each["address"]) not in given_up
        for each in _serial_rows(zone, servers, seen, unreachable)
    )


def _serial_rows(
    zone: Zone,
    servers: Mapping[str, Server],
    seen: Mapping[Tuple[str, str, str], SerialSeen],
    unreachable: Set[Tuple[str, str]],
) -> List[Row]:
    """The rows of one zone; the reference is the highest serial that its primary answers."""
    of_primary = [
        seen[(zone.name, zone.primary, address)].serial
        for address in servers[zone.primary].addresses
        if (zone.name, zone.primary, address) in seen
    ]
    reference = highest(serial for serial in of_primary if serial is not None)
    rows = [
        row("serial", zone.name, server, "", NOT_CHECKED, "not asked", None, "no address to ask it at is known")
        for server in [zone.primary] + list(zone.secondaries)
        if not servers[server].addresses
    ]
    for server, address in _endpoints(zone, servers):
        if (server, address) in unreachable:
            detail = "there is no route from here to %s" % address
            rows.append(row("serial", zone.name, server, address, NOT_CHECKED, "no route", None, detail))
            continue
        answer = seen[(zone.name, server, address)]
        verdict, status, detail = _judge_serial(answer, reference, zone.primary)
        rows.append(row("serial", zone.name, server, address, verdict, status, answer.serial, detail))
    return rows


def _judge_serial(answer: SerialSeen, reference: Optional[int], primary: str) -> Tuple[str, str, str]:
    """Verdict, status and detail of one answer."""
    if answer.status != Status.ANSWER or answer.serial is None:
        return FAILED, _WORDS.get(answer.status, answer.status), answer.detail
    if reference is None:
        return NOT_CHECKED, "no reference", "its primary %s gave no serial to compare with" % primary
    if answer.serial == reference:
        return OK, "in sync", ""
    if newer(reference, answer.serial):
        return FAILED, "behind", "it has serial %d, its primary %d" % (answer.serial, reference)
    detail = (
        "it has serial %d, its primary only %d: the primary went back, and changes would not arrive. To repair it, "
    )
    detail += "run the playbook site once with -e dns_raise_serials=%s"
    return FAILED, "ahead", detail % (answer.serial, reference, answer.zone)


# --- transfers -------------------------------------------------------------------------------------------------------


class TransferCheck(NamedTuple):
    """Zones to transfer from one address of one server, in one way.

    ``check`` is ``transfer`` (must succeed), ``content`` (must succeed and have the digest) or
    ``refusal`` (must be refused).
    """

    check: str
    server: str
    address: str
    port: int
    zones: Sequence[str]
    source: Optional[str] = None
    key: Any = None


_REFUSALS = (Reason.REFUSED, Reason.BAD_KEY, Reason.BAD_SIG)
_MEND_CLOCK = "mend the clock of one of the two hosts (timedatectl); signatures are valid for 300 seconds"


def transfer_rows(
    checks: Sequence[TransferCheck],
    digests: Mapping[str, str],
    *,
    ask: Ask,
    transfer_many: TransferMany,
) -> List[Row]:
    """Do the transfers of all checks.

    :param digests: zone -> the digest its content should have. A zone that is not in it, because its text is at a
        primary of somebody else, is compared with what one of these checks transferred from its primary.
    """
    serving = _serving(checks, ask)
    jobs = [
        (check, zone, TransferJob(zone, check.address, check.port, check.source, check.key))
        for check in checks
        for zone in check.zones
    ]
    outcomes = transfer_many([job for _check, _zone, job in jobs])
    # What the primary gave in this run, for zones whose text is not at hand.
    given = {
        zone: outcome.digest
        for (check, zone, _job), outcome in zip(jobs, outcomes)
        if check.check == "transfer" and isinstance(outcome, Transfer)
    }
    rows = []
    for (check, zone, _job), outcome in zip(jobs, outcomes):
        if check.check == "refusal":
            answered = serving[(zone, check.address, check.port)]
            verdict, status, detail = _judge_refusal(outcome, answered)
        else:
            if check.check == "content" and zone not in digests:
                verdict, status, detail = _judge_transfer(outcome, given.get(zone), "its primary gives", True)
            else:
                verdict, status, detail = _judge_transfer(outcome, digests.get(zone), "the zone file has", False)
        serial = outcome.serial if isinstance(outcome, Transfer) else None
        rows.append(row(check.check, zone, check.server, check.address, verdict, status, serial, detail))
    return rows


def _serving(checks: Sequence[TransferCheck], ask: Ask) -> Dict[Tuple[str, str, int], SerialSeen]:
    """A refusal counts only from a server that does serve the zone, so it is asked first."""
    questions = [
        Question(zone, check.address, check.port)
        for check in checks
        if check.check == "refusal"
        for zone in check.zones
    ]
    answers = ask(questions, True) if questions else []
    return {(answer.zone, answer.address, answer.port): answer for answer in answers}


def _judge_transfer(outcome: Any, digest: Optional[str], source: str, compare: bool) -> Tuple[str, str, str]:
    """
    :param digest: what to compare with, or None.
    :param source: where the digest is from.
    :param compare: the content is what is checked, so that without a digest nothing was.
    """
    if isinstance(outcome, TransferError):
        detail = outcome.detail
        if outcome.reason == Reason.BAD_TIME:
            detail = "%s; %s" % (detail, _MEND_CLOCK)
        return FAILED, outcome.reason.replace("_", " "), detail
    if digest is None:
        if compare:
            return NOT_CHECKED, "no reference", "there is nothing to compare its content with"
        return OK, "transferred", ""
    if outcome.digest != digest:
        return FAILED, "differs", "its content is not what %s" % source
    return OK, "same content", ""


def _judge_refusal(outcome: Any, answered: SerialSeen) -> Tuple[str, str, str]:
    if isinstance(outcome, Transfer):
        return FAILED, "open", "it gave all %d records to a stranger" % outcome.records
    if answered.status != Status.ANSWER:
        return NOT_CHECKED, "not serving", "it does not answer for the zone, so a refusal proves nothing"
    if outcome.reason in _REFUSALS:
        return OK, "refused", ""
    return NOT_CHECKED, outcome.reason.replace("_", " "), outcome.detail
