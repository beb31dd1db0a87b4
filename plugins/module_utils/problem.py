# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with the input, in words an operator can act on.

Everything that reads input collects its problems and raises them together, so that one run shows
all of them. A problem names where it is (zone, host, file, line), what is wrong, and how to mend it.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

# More zones than these with the same problem are told in one line.
MANY_ZONES = 3
# A sentence names so many of several things.
NAMED = 4


class Problem(NamedTuple):
    """One mistake: ``reason`` and ``mend`` are sentences without the final dot; a question has its mark."""

    reason: str
    mend: str = ""
    zone: Optional[str] = None
    host: Optional[str] = None
    file: Optional[str] = None
    line: Optional[int] = None

    def __str__(self) -> str:
        places = []
        if self.host is not None:
            places.append("host %s" % self.host)
        if self.zone is not None:
            places.append("zone %s" % self.zone)
        if self.file is not None:
            places.append(self.file if self.line is None else "%s:%d" % (self.file, self.line))
        where = "%s: " % ", ".join(places) if places else ""
        text = where + " ".join(part if part.endswith("?") else part + "." for part in (self.reason, self.mend) if part)
        # Names and values of the input may hold what moves the cursor of a terminal.
        return "".join(character if character.isprintable() else "?" for character in text)


class InputError(Exception):
    """All problems of one reading of the input; ``str()`` gives one line a problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def as_message(self) -> str:
        """For the ``msg`` of a failed task: a count, then the problems as :func:`told` has them."""
        count = len(self.problems)
        return "%d mistake%s:\n%s" % (count, "" if count == 1 else "s", "\n".join(told(self.problems)))


def some(items: Iterable[str], separator: str = ", ") -> str:
    """The first of the items, and a sign where there are more."""
    found = list(items)
    return separator.join(found[:NAMED] + ["..."] * (len(found) > NAMED))


def told(problems: Iterable[Problem]) -> List[str]:
    """A line for each problem; but one for what is the same with many zones, and not about a line of their files."""
    problems = list(problems)
    zones: Dict[Tuple[str, str, Optional[str]], List[str]] = {}
    for problem in problems:
        if problem.zone is not None and problem.line is None:
            zones.setdefault((problem.reason, problem.mend, problem.host), []).append(problem.zone)
    lines = []
    for problem in problems:
        alike = zones.get((problem.reason, problem.mend, problem.host), [])
        if problem.zone is None or problem.line is not None or len(alike) <= MANY_ZONES:
            lines.append(str(problem))
        elif problem.zone == alike[0]:
            shown = "%s and %d more" % (", ".join(alike[:MANY_ZONES]), len(alike) - MANY_ZONES)
            lines.append(str(problem._replace(zone=shown, file=None)).replace("zone ", "zones ", 1))
    return lines
