# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serial numbers of SOA records: which is newer, and which to publish next (RFC 1982).

Serials are points on a circle of 2**32. "Newer" is a relation between two points less than half a
circle apart; it is no order of all points, and max() of serials means nothing.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Iterable, Optional

MODULUS = 2**32
_HALF = 2**31

# Before these a number is a plain counter: date serials came with RFC 1912 (1996), and an epoch of the last
# century is less likely than somebody who counts to a billion.
_FIRST_DATE = date(1990, 1, 1)
_FIRST_EPOCH = date(2000, 1, 1)
# A clock that is ahead, or a serial numbered for a change planned ahead.
_AHEAD = timedelta(days=366)


class SerialError(Exception):
    """No serial is newer than all that were seen; the text names two of them and the mend."""


def newer(a: int, b: int) -> bool:
    """Is serial ``a`` newer than ``b`` (RFC 1982 section 3.2)?

    False both ways for equal serials, and for two that are exactly 2**31 apart: that is undefined.
    """
    return 0 < (a - b) % MODULUS < _HALF


def highest(serials: Iterable[int]) -> Optional[int]:
    """The serial newer than all the others, in whichever order they come.

    None where there is no such serial: there are none at all, or they are too far apart.
    """
    distinct = set(serials)
    for serial in distinct:
        if all(newer(serial, other) for other in distinct if other != serial):
            return serial
    return None


def next_serial(seen: Iterable[int], *, hint: Optional[int], now: datetime) -> int:
    """The serial to publish new content with, be that an edit or a rollback to older content.

    ``seen`` are the serials of the published file, served by the primary, and met on its secondaries;
    ``hint`` is the serial in the user's own zone file, None where it has none; ``now`` says which day it is for date
    serials.

    The result is newer than every serial in ``seen``, and never 0, which some servers take for "no serial".
    It is the hint itself where that is newer, for people who count. Otherwise it keeps the hint's style: today's
    YYYYMMDD00 (also without a hint), or the seconds since 1970; and where that is not newer either, and for any other
    style, it is the highest seen and one.

    Raises SerialError where the serials seen are too far apart for any number to be newer than all of them.
    """
    known = set(seen)
    top = highest(known)
    styled = [_of_day(now.date())] if hint is None else [hint, _styled(hint, now)]
    candidates = styled + [1 if top is None else (top + 1) % MODULUS or 1]
    for candidate in candidates:
        if candidate and all(newer(candidate, serial) for serial in known):
            return candidate
    one, other = max(combinations(sorted(known), 2), key=lambda pair: _distance(*pair))
    raise SerialError(
        f"serials {one} and {other} are both in use, and too far apart for any serial to be newer than both "
        "(RFC 1982). Remove the zone's copy from the server that has the wrong one, so that it transfers "
        "the zone anew, or bring that server round in two steps as RFC 2182 section 7 says"
    )


def _distance(a: int, b: int) -> int:
    return min((a - b) % MODULUS, (b - a) % MODULUS)


def _styled(hint: int, now: datetime) -> int:
    """A serial of today in the style of the hint; 0 where the hint has no style but counting."""
    today = now.date()
    as_date = _plausible(_read_date(hint), _FIRST_DATE, today)
    as_epoch = _plausible(_read_epoch(hint), _FIRST_EPOCH, today)
    # From 2033 on a number can be both; the reading closer to today is meant.
    if as_date and (not as_epoch or abs(today - as_date) <= abs(today - as_epoch)):
        return _of_day(today)
    if as_epoch:
        return int(now.timestamp()) % MODULUS
    return 0


def _of_day(day: date) -> int:
    return int(day.strftime("%Y%m%d")) * 100


def _plausible(reading: date | None, first: date, today: date) -> date | None:
    return reading if reading and first <= reading <= today + _AHEAD else None


def _read_date(serial: int) -> date | None:
    day = serial // 100
    try:
        return date(day // 10000, day // 100 % 100, day % 100)
    except ValueError:
        return None


def _read_epoch(serial: int) -> date:
    return date(1970, 1, 1) + timedelta(seconds=serial)
