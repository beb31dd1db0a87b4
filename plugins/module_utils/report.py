# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of checks as people read them: counts, a table, a selection.

Runs on the controller. For the shape of a row see :mod:`checks`.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import FAILED, NOT_CHECKED, OK, WARNING, Row
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import NAMED, InputError, Problem, some

try:
    import jmespath
    from jmespath.exceptions import JMESPathError

    HAS_JMESPATH = True
except ImportError:
    HAS_JMESPATH = False

# A longer table is no overview: then only zones that are not green get a row.
LONGEST_TABLE = 60
# What a zone's verdict names first.
_GRAVITY = {FAILED: 0, NOT_CHECKED: 1, WARNING: 2, OK: 3}
_BAD = (FAILED, NOT_CHECKED)
# What a green zone names. Refusals are about a server and an ACL; they have a line of their own.
_ZONE_CHECKS = ("serial", "transfer", "content")


def select(rows: Sequence[Row], expression: str) -> Any:
    """The rows, or whatever else the JMESPath expression makes of them.

    :raises InputError: where the expression is none.
    """
    if not HAS_JMESPATH:
        raise InputError([Problem("dns_show needs the Python package jmespath on the controller", "Install it there")])
    try:
        return jmespath.search(expression, list(rows))
    except (JMESPathError, TypeError, ValueError) as error:  # the library lets comparisons of unlike types escape
        raise InputError([
            Problem("dns_show %r: %s" % (expression, error), "An example: dns_show='[?verdict!=`ok`]'")
        ]) from error  # fmt: skip


def summary(rows: Sequence[Row]) -> Dict[str, int]:
    """How many checks have which verdict."""
    verdicts = (OK, FAILED, NOT_CHECKED, WARNING)
    return {verdict: sum(1 for each in rows if each["verdict"] == verdict) for verdict in verdicts}


def problem_lines(rows: Sequence[Row]) -> List[str]:
    """What is not green, the gravest first: a line for each server, check and status, however many zones have it.

    What was not published has its own reason in each zone, and a line for each reason.
    """
    alike: Dict[Tuple[str, str, str, str, str], List[Row]] = {}
    for each in rows:
        if each["verdict"] != OK:
            reason = each["detail"] if each["check"] == "publish" else ""
            alike.setdefault((each["verdict"], each["server"], each["check"], each["status"], reason), []).append(each)
    lines = []
    for (verdict, server, check, status, _reason), group in sorted(
        alike.items(), key=lambda item: _GRAVITY[item[0][0]]
    ):
        line = "%s: %s, %s: %s" % (verdict, server, check, status)
        zones = _unique(each["zone"] for each in group if each["zone"])
        if zones:
            line += " for %s" % _counted(zones)
        addresses = _unique(each["address"] for each in group if each["address"])
        if addresses:
            line += " at %s" % _counted(addresses)
        details = _unique(each["detail"] for each in group if each["detail"])
        if details:
            line += " (%s)" % (details[0] if len(details) == 1 else "for example: %s" % details[0])
        lines.append(line)
    return lines


def _unique(values: Iterable[str]) -> List[str]:
    return list(dict.fromkeys(values))


def _counted(names: Sequence[str]) -> str:
    """The names, or how many there are and the first of them."""
    return some(names) if len(names) <= NAMED else "%d (%s)" % (len(names), some(names))


def table(rows: Sequence[Row], servers: Sequence[str]) -> List[str]:
    """A line for each zone, a column for each server with the serial seen, and a verdict."""
    by_zone: Dict[str, List[Row]] = {}
    for each in rows:
        by_zone.setdefault(each["zone"], []).append(each)
    shown = sorted(by_zone)
    if len(shown) > LONGEST_TABLE:
        shown = [zone for zone in shown if any(each["verdict"] in _BAD for each in by_zone[zone])]
    cells = [["zone"] + list(servers) + ["verdict"]]
    cells += [
        [zone] + [_serial_cell(by_zone[zone], server) for server in servers] + [_verdict(by_zone[zone])]
        for zone in shown
    ]
    lines = _columns(cells) if shown else []
    more = len(by_zone) - len(shown)
    if more:
        lines.append("1 more zone is ok" if more == 1 else "%d more zones are ok" % more)
    return lines


def refusal_line(rows: Sequence[Row]) -> str:
    """How many of the transfers that must be refused were; what became of the others is said where there are any."""
    tried = [each for each in rows if each["check"] == "refusal"]
    count = {verdict: sum(1 for each in tried if each["verdict"] == verdict) for verdict in (OK, NOT_CHECKED, FAILED)}
    line = "zone transfers without the right key or address: %d tried, %d refused" % (len(tried), count[OK])
    if count[OK] < len(tried):
        line += ", %d not checked, %d ALLOWED" % (count[NOT_CHECKED], count[FAILED])
    return line


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
    bad = sorted((each for each in rows if each["verdict"] in _BAD), key=lambda each: _GRAVITY[each["verdict"]])
    if not bad:
        made = [check for check in _ZONE_CHECKS if any(each["check"] == check for each in rows)]
        warned = sum(1 for each in rows if each["verdict"] == WARNING)
        return "ok: %s" % ", ".join(made) + (" (%s)" % counted(warned, "warning") if warned else "")
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
    return ["(nothing)" if selected is None else str(selected)]


def assigned(zones: Sequence[Mapping[str, Any]]) -> List[str]:
    """A line for each set of name servers that a provider gave, with the zones that have it.

    :param zones: mappings with ``name`` and ``name_servers``.
    """
    alike: Dict[Tuple[str, ...], List[str]] = {}
    for zone in zones:
        if zone["name_servers"]:
            alike.setdefault(tuple(sorted(zone["name_servers"])), []).append(zone["name"])
    line = "%s: name servers %s, for the NS records and the delegation"
    return [line % (_counted(names), ", ".join(servers)) for servers, names in alike.items()]


def counted(count: int, thing: str) -> str:
    return "%d %s%s" % (count, thing, "" if count == 1 else "s")


def _columns(cells: Sequence[Sequence[str]]) -> List[str]:
    """Left-aligned columns, the header underlined."""
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in cells]
    return [lines[0], "  ".join("-" * width for width in widths)] + lines[1:]
