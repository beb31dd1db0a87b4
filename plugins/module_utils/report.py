# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of checks as people read them: counts, a table, a selection.

Runs on the controller. For the shape of a row see :mod:`checks`.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import FAILED, NOT_CHECKED, OK, Row
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem

try:
    import jmespath
    from jmespath.exceptions import JMESPathError

    HAS_JMESPATH = True
except ImportError:
    HAS_JMESPATH = False

# A longer table is no overview: then only zones that are not green get a row.
LONGEST_TABLE = 60
# What a zone's verdict names first.
_GRAVITY = {FAILED: 0, NOT_CHECKED: 1, OK: 2}
_CHECKS = ("publish", "serial", "transfer", "content", "refusal")


def select(rows: Sequence[Row], expression: str) -> Any:
    """The rows, or whatever else the JMESPath expression makes of them.

    :raises InputError: where the expression is none.
    """
    if not HAS_JMESPATH:
        raise InputError([Problem("dns_show needs the Python package jmespath on the controller", "Install it there")])
    try:
        return jmespath.search(expression, list(rows))
    except JMESPathError as error:
        raise InputError([
            Problem("dns_show %r: %s" % (expression, error), "An example: dns_show='[?verdict!=`ok`]'")
        ]) from error  # fmt: skip


def summary(rows: Sequence[Row]) -> Dict[str, int]:
    """How many checks have which verdict."""
    return {verdict: sum(1 for each in rows if each["verdict"] == verdict) for verdict in (OK, FAILED, NOT_CHECKED)}


def problem_lines(rows: Sequence[Row]) -> List[str]:
    """A line for every row that is not green, the worst first."""
    return [
        "%s: %s at %s (%s): %s, %s%s"
        % (
            each["zone"],
            each["server"],
            each["address"],
            each["check"],
            each["verdict"],
            each["status"],
            ": " + each["detail"] if each["detail"] else "",
        )
        for each in sorted((each for each in rows if each["verdict"] != OK), key=lambda each: _GRAVITY[each["verdict"]])
    ]


def table(rows: Sequence[Row], servers: Sequence[str]) -> List[str]:
    """A line for each zone, a column for each server with the serial seen, and a verdict."""
    by_zone: Dict[str, List[Row]] = {}
    for each in rows:
        by_zone.setdefault(each["zone"], []).append(each)
    shown = sorted(by_zone)
    green = [zone for zone in shown if all(each["verdict"] == OK for each in by_zone[zone])]
    if len(shown) > LONGEST_TABLE:
        shown = [zone for zone in shown if zone not in set(green)]
    cells = [["zone"] + list(servers) + ["verdict"]]
    cells += [
        [zone] + [_serial_cell(by_zone[zone], server) for server in servers] + [_verdict(by_zone[zone])]
        for zone in shown
    ]
    lines = _columns(cells) if shown else []
    if len(shown) < len(by_zone):
        lines.append("%d more zones are ok" % (len(by_zone) - len(shown)))
    return lines


def _serial_cell(rows: Sequence[Row], server: str) -> str:
    """The serial that all addresses of the server answer; else what each says."""
    own = [each for each in rows if each["server"] == server and each["check"] == "serial"]
    if not own:
        return "-"
    said: List[str] = []
    for each in own:
        word = str(each["serial"]) if each["serial"] is not None else each["status"]
        if word not in said:
            said.append(word)
    return " / ".join(said)


def _verdict(rows: Sequence[Row]) -> str:
    """``ok`` with the checks that were made, or the gravest row and how many more there are."""
    bad = sorted((each for each in rows if each["verdict"] != OK), key=lambda each: _GRAVITY[each["verdict"]])
    if not bad:
        return "ok: %s" % ", ".join(check for check in _CHECKS if any(each["check"] == check for each in rows))
    first = bad[0]
    verdict = "%s: %s %s (%s)" % (first["verdict"].upper(), first["server"], first["status"], first["check"])
    return verdict if len(bad) == 1 else "%s, %d more" % (verdict, len(bad) - 1)


def show(selected: Any) -> List[str]:
    """What an expression selected: rows as a table, anything else as it is, an item a line."""
    if isinstance(selected, list) and selected and all(isinstance(item, Mapping) for item in selected):
        keys: List[str] = []
        for item in selected:
            keys += [key for key in item if key not in keys]
        return _columns(
            [keys] + [["" if item.get(key) is None else str(item[key]) for key in keys] for item in selected]
        )
    if isinstance(selected, list):
        return [str(item) for item in selected] or ["(no rows)"]
    return [str(selected)]


def _columns(cells: Sequence[Sequence[str]]) -> List[str]:
    """Left-aligned columns, the header underlined."""
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in cells]
    return [lines[0], "  ".join("-" * width for width in widths)] + lines[1:]
