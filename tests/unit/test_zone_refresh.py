"""Which zones a secondary has to fetch."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import Question, SerialSeen, Status
from ansible_collections.dnsops.redundant_dns.plugins.modules.zone_refresh import (
    SINGLE_COMMANDS,
    commands,
    zones_behind,
)

OWN = ("192.0.2.3", 53)
PRIMARY = [("192.0.2.1", 53), ("2001:db8::1", 53)]


def behind(serials: Mapping[tuple[str, tuple[str, int]], int]) -> list[str]:
    """Those of a.test and b.test; who has no serial is silent."""

    def ask(questions: list[Question]) -> list[SerialSeen]:
        answers = []
        for zone, address, port in questions:
            serial = serials.get((zone, (address, port)))
            status = Status.TIMEOUT if serial is None else Status.ANSWER
            answers.append(SerialSeen(zone, address, port, status, serial, "udp", ""))
        return answers

    return zones_behind({"a.test": PRIMARY, "b.test": PRIMARY}, OWN, ask)


@pytest.mark.parametrize(
    ("own", "primary", "other_address", "fetched"),
    [
        (1, 2, 2, True),
        (1, None, 2, True),
        (2**32 - 1, 0, 0, True),  # RFC 1982
        (2, 2, 2, False),
        (3, 2, 2, False),  # ahead: nothing to fetch there
        (1, None, None, False),
        (None, 2, 2, False),
    ],
)
def test_what_the_primary_has_newer_is_fetched(
    own: int | None, primary: int | None, other_address: int | None, fetched: bool
) -> None:
    serials = {("b.test", OWN): 5, ("b.test", PRIMARY[0]): 5}
    for end, serial in ((OWN, own), (PRIMARY[0], primary), (PRIMARY[1], other_address)):
        if serial is not None:
            serials["a.test", end] = serial
    assert behind(serials) == (["a.test"] if fetched else [])


def test_many_zones_take_one_command_where_the_server_has_one() -> None:
    few, many = (["z%d.test" % number for number in range(count)] for count in (SINGLE_COMMANDS, SINGLE_COMMANDS + 1))
    single = ["nsd-control", "transfer"]
    assert commands(few, single, ["all"]) == [[*single, zone] for zone in few]
    assert commands(many, single, ["all"]) == [["all"]]
    assert commands(many, single, []) == [[*single, zone] for zone in many]
    assert commands([], single, ["all"]) == []
