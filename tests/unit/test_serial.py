# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import permutations

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.serial import (
    MODULUS,
    SerialError,
    highest,
    newer,
    next_serial,
)
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

HALF = 2**31
NOON = datetime(2026, 3, 14, 12, 0, tzinfo=timezone.utc)
EPOCH = int(NOON.timestamp())
serials = st.integers(0, MODULUS - 1) | st.sampled_from([0, 1, HALF - 1, HALF, HALF + 1, MODULUS - 2, MODULUS - 1])


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 0),
        (44, 0),
        (100, 0),
        (100, 44),
        (200, 100),
        (HALF - 1, 0),
        (0, MODULUS - 1),
        (0, MODULUS - 100),
        (100, MODULUS - 56),
        (0, HALF + 1),
    ],
)
def test_newer(a: int, b: int) -> None:
    """RFC 1982 section 5.2 gives the like of these for eight bits."""
    assert newer(a, b)
    a, b = b, a
    assert not newer(a, b)


def test_neither_is_newer_half_a_circle_apart_or_equal() -> None:
    assert not newer(HALF, 0)
    assert not newer(0, HALF)
    assert not newer(7, 7)


@given(serials, serials)
def test_newer_is_what_rfc_1982_says(a: int, b: int) -> None:
    """Section 3.2, its formula word by word."""
    formula = (a < b and b - a > HALF) or (a > b and a - b < HALF)
    assert newer(a, b) == formula


@given(serials, st.integers(1, HALF - 1))
def test_adding_makes_newer(serial: int, step: int) -> None:
    assert newer((serial + step) % MODULUS, serial)


def test_highest() -> None:
    assert highest([]) is None
    assert highest([5]) == 5
    assert highest([5, 5]) == 5
    for order in permutations([MODULUS - 3, 2, MODULUS - 1, 0]):
        assert highest(order) == 2
        assert highest(iter(order)) == 2


def test_highest_is_none_where_serials_are_too_far_apart() -> None:
    for order in permutations([0, HALF]):
        assert highest(order) is None
    third = MODULUS // 3
    for order in permutations([0, third, 2 * third]):  # each is newer than another
        assert highest(order) is None


@pytest.mark.parametrize(
    ("seen", "hint", "expected"),
    [
        pytest.param([], 1, 1, id="first publication"),
        pytest.param([], 2026031400, 2026031400, id="first publication with a date"),
        pytest.param([], 0, 1, id="0 is no serial"),
        pytest.param([5, 7], 12, 12, id="people who count"),
        pytest.param([2026031400], 2026031407, 2026031407, id="people who count in dates"),
        pytest.param([2026031400], 2026031399, 2026031401, id="date behind, today in use"),
        pytest.param([2026031202], 2026031202, 2026031400, id="date of another day"),
        pytest.param([2026031400], 2026031400, 2026031401, id="second edit of the day"),
        pytest.param([2026031499], 2026031499, 2026031500, id="more than 99 edits in a day"),
        pytest.param([2026031502], 2026031400, 2026031503, id="clock went back"),
        pytest.param([EPOCH - 1000], EPOCH - 1000, EPOCH, id="epoch"),
        pytest.param([EPOCH], EPOCH, EPOCH + 1, id="two edits in a second"),
        pytest.param([1454081758], 1454081758, EPOCH, id="epoch of ten years ago"),
        pytest.param([2026031400], EPOCH, 2026031401, id="move from dates to epoch"),
        pytest.param([EPOCH], 2026031400, 2026031400, id="move from epoch to dates"),
        pytest.param([41], 41, 42, id="counter"),
        pytest.param([41, 12], 7, 42, id="counter behind"),
        pytest.param([2026999900], 2026999900, 2026999901, id="a date that is none"),
        pytest.param([2099010100], 2099010100, 2099010101, id="a date far ahead"),
        pytest.param([MODULUS - 1], MODULUS - 1, 1, id="wrap leaves out 0"),
        pytest.param([MODULUS - 1], 0, 1, id="wrap with the hint at 0"),
        pytest.param([MODULUS - 2], 5, 5, id="the hint is beyond the wrap"),
        pytest.param([MODULUS - 1, 3], 3, 4, id="secondary beyond the wrap"),
        pytest.param([0, HALF - 2], 5, HALF - 1, id="as far apart as can be"),
        pytest.param([], None, 2026031400, id="no author's serial"),
        pytest.param([1], None, 2026031400, id="no author's serial, a counter before"),
        pytest.param([2026031202, 7], None, 2026031400, id="no author's serial, a date of another day"),
        pytest.param([2026031400], None, 2026031401, id="no author's serial, second edit of the day"),
        pytest.param([2026031499], None, 2026031500, id="no author's serial, more than 99 edits in a day"),
        pytest.param([2026041500], None, 2026041501, id="no author's serial, clock went back"),
        pytest.param([3000000000], None, 3000000001, id="no author's serial, above all dates"),
        pytest.param([MODULUS - 1], None, 2026031400, id="no author's serial, a date beyond the wrap"),
    ],
)
def test_next_serial(seen: list[int], hint: int | None, expected: int) -> None:
    assert next_serial(seen, hint=hint, now=NOON) == expected
    assert next_serial(iter(reversed(seen)), hint=hint, now=NOON) == expected


def test_a_number_that_is_date_and_epoch_is_what_is_closer() -> None:
    in_2034 = datetime(2034, 5, 2, 12, 0, tzinfo=timezone.utc)
    date_of_april = 2034042900  # as seconds it is in June
    assert next_serial([date_of_april], hint=date_of_april, now=in_2034) == 2034050200
    epoch_of_yesterday = 2030113000  # as a date it is in 2030
    assert next_serial([epoch_of_yesterday], hint=epoch_of_yesterday, now=in_2034) == int(in_2034.timestamp())


def nothing_is_newer(seen: list[int]) -> bool:
    """Only the two numbers after one of those seen are worth trying, as 0 is not to be used."""
    candidates = {(other + step) % MODULUS for other in seen for step in (1, 2)} - {0}
    return not any(all(newer(candidate, other) for other in seen) for candidate in candidates)


@pytest.mark.parametrize("seen", [[1, HALF + 1], [0, HALF - 1], [5, HALF + 4, 9]])
def test_too_far_apart(seen: list[int]) -> None:
    near = [seen[0], seen[0] + 3]
    assert next_serial(near, hint=1, now=NOON) == seen[0] + 4
    with pytest.raises(SerialError) as error:
        next_serial(seen, hint=1, now=NOON)
    assert f"serials {seen[0]} and {seen[1]} are both in use" in str(error.value)
    assert "RFC 2182 section 7" in str(error.value)


@given(st.lists(serials, max_size=5), serials | st.none(), st.datetimes(datetime(1971, 1, 2), datetime(2200, 1, 1)))
def test_next_serial_is_newer_than_all_or_there_is_none(seen: list[int], hint: int | None, now: datetime) -> None:
    try:
        serial = next_serial(seen, hint=hint, now=now.replace(tzinfo=timezone.utc))
    except SerialError:
        assert nothing_is_newer(seen)
        return
    assert 0 < serial < MODULUS
    assert all(newer(serial, other) for other in seen)


@given(serials, st.lists(st.integers(0, 1000), max_size=4))
def test_the_users_serial_is_taken_where_it_is_newer(hint: int, behind: list[int]) -> None:
    assume(hint)
    seen = [(hint - 1 - step) % MODULUS for step in behind]
    assert next_serial(seen, hint=hint, now=NOON) == hint


class Edits(RuleBasedStateMachine):
    """A zone's life: edits under any clock, rollbacks, a primary that forgets, secondaries that lag."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.hint = 1
        self.published: list[int] = []
        self.secondaries = [0, 0]

    def publish(self, seen: list[int]) -> None:
        try:
            serial = next_serial(seen, hint=self.hint, now=self.now)
        except SerialError:
            assert nothing_is_newer(seen)
            self.secondaries = [0, 0]  # the operator removes the copies, as the error says
            serial = next_serial(self.published[-1:], hint=self.hint, now=self.now)
            seen = self.published[-1:]
        assert 0 < serial < MODULUS
        assert all(newer(serial, other) for other in seen), "the secondaries would keep what they have"
        self.published.append(serial)

    @rule(hint=serials)
    def user_sets_any_serial(self, hint: int) -> None:
        self.hint = hint

    @rule()
    def user_writes_the_date(self) -> None:
        self.hint = int(self.now.strftime("%Y%m%d")) * 100

    @rule()
    def user_writes_the_epoch(self) -> None:
        self.hint = int(self.now.timestamp())

    @rule(seconds=st.integers(-(10**7), 10**7))
    def clock_jumps(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def edit(self) -> None:
        self.publish(self.published[-1:] + self.secondaries_seen())

    @rule(times=st.integers(90, 120))
    def many_edits_in_a_second(self, times: int) -> None:
        for _edit in range(times):
            self.edit()

    @precondition(lambda self: len(self.published) > 1)
    @rule()
    def roll_back(self) -> None:
        """Older content, with the serial in its own file, comes back under a newer number."""
        self.hint = self.published[-2]
        self.edit()

    @precondition(lambda self: any(self.secondaries))
    @rule()
    def primary_is_reinstalled(self) -> None:
        self.published = []
        self.publish(self.secondaries_seen())

    @precondition(lambda self: self.published)
    @rule(which=st.integers(0, 1))
    def transfer(self, which: int) -> None:
        if self.secondaries[which]:
            assert not newer(self.secondaries[which], self.published[-1]), "a secondary ahead of its primary"
        self.secondaries[which] = self.published[-1]

    def secondaries_seen(self) -> list[int]:
        return [serial for serial in self.secondaries if serial]

    @invariant()
    def never_backwards(self) -> None:
        for before, after in zip(self.published, self.published[1:]):
            assert newer(after, before)


TestEdits = Edits.TestCase
