# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with the input, in words an operator can act on.

Everything that reads input collects its problems and raises them together, so that one run shows
all of them. A problem names where it is (zone, host, file, line), what is wrong, and how to mend it.
"""

from __future__ import annotations

from typing import Iterable, NamedTuple, Optional


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
        return where + " ".join(text if text.endswith("?") else text + "." for text in (self.reason, self.mend) if text)


class InputError(Exception):
    """All problems of one reading of the input; ``str()`` gives one line a problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def as_message(self) -> str:
        """For the ``msg`` of a failed task: a count, then one line a problem."""
        count = len(self.problems)
        return "%d mistake%s:\n%s" % (count, "" if count == 1 else "s", self)
