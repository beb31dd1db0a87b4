"""Rows of checks as people read them."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.action import report as action
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import report
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import FAILED, NOT_CHECKED, OK, WARNING, row
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError


def serial_row(
    zone: str, server: str, serial: int | None = 7, verdict: str = OK, status: str = "in sync", **more: Any
) -> Any:
    return row(
        "serial", zone, server, more.get("address", "192.0.2.1"), verdict, status, serial, more.get("detail", "")
    )


ROWS = [
    serial_row("a.test", "ns1"),
    serial_row("a.test", "ns2"),
    serial_row("a.test", "ns2", address="2001:db8::2"),
    row("transfer", "a.test", "ns1", "192.0.2.1", OK, "transferred", 7),
    row("content", "a.test", "ns2", "192.0.2.2", OK, "same content", 7),
    row("refusal", "a.test", "ns1", "192.0.2.1", OK, "refused", None),
    serial_row("longer-name.test", "ns1", 2026010100),
    serial_row("longer-name.test", "ns2", 2026010100),
    serial_row("longer-name.test", "ns2", 2025010100, FAILED, "behind", address="2001:db8::2", detail="it has 1"),
    serial_row("only-one.test", "ns1", 1),
    row("refusal", "only-one.test", "ns1", "192.0.2.1", NOT_CHECKED, "timeout", None, "no answer in 2 s"),
    serial_row("silent.test", "ns1", None, FAILED, "no answer"),
    serial_row("silent.test", "ns2", 3, NOT_CHECKED, "no reference"),
    row("publish", "silent.test", "ns1", "192.0.2.1", FAILED, "held back", None, "line 3"),
]  # fmt: skip


def test_the_table() -> None:
    assert report.table(ROWS, ["ns1", "ns2"]) == [
        "zone              ns1         ns2                      verdict",
        "----------------  ----------  -----------------------  --------------------------------------",
        "a.test            7           7                        ok: serial, transfer, content",
        "longer-name.test  2026010100  2026010100 / 2025010100  FAILED: ns2 behind (serial)",
        "only-one.test     1           -                        NOT CHECKED: ns1 timeout (refusal)",
        "silent.test       no answer   3                        FAILED: ns1 no answer (serial), 2 more",
    ]


def test_the_table_names_no_check_that_was_not_made() -> None:
    lines = report.table([serial_row("a.test", "ns1")], ["ns1"])
    assert lines == [
        "zone    ns1  verdict",
        "------  ---  ----------",
        "a.test  7    ok: serial",
    ]


def many(count: int, *, bad: int = 0) -> list[Any]:
    rows = [serial_row("z%05d.test" % number, "ns1") for number in range(count - bad)]
    return rows + [serial_row("bad%d.test" % number, "ns1", None, FAILED, "no answer") for number in range(bad)]


@pytest.mark.parametrize(
    "count, bad, lines, last",
    [
        (60, 0, 62, "z00059.test  7    ok: serial"),
        (60, 1, 62, "z00058.test  7          ok: serial"),
        (61, 0, 1, "61 more zones are ok"),
        (61, 1, 4, "60 more zones are ok"),
        (61, 60, 63, "1 more zone is ok"),
        (61, 61, 63, None),
    ],
)
def test_a_long_table_has_what_is_not_green(count: int, bad: int, lines: int, last: str | None) -> None:
    found = report.table(many(count, bad=bad), ["ns1"])
    assert len(found) == lines
    assert last is None or found[-1] == last
    assert sum(line.startswith("bad") for line in found) == bad


def test_an_empty_table() -> None:
    assert report.table([], ["ns1"]) == []


def test_ten_thousand_zones_are_shown_fast() -> None:
    rows = many(10_000, bad=100)
    began = time.process_time()
    report.table(rows, ["ns1", "ns2"])
    report.problem_lines(rows)
    report.summary(rows)
    assert time.process_time() - began < 1


def test_not_checked_is_never_green() -> None:
    lines = report.table([serial_row("a.test", "ns1", None, NOT_CHECKED, "no route")], ["ns1"])
    assert lines[-1] == "a.test  no route  NOT CHECKED: ns1 no route (serial)"
    assert not any("ok" in line for line in lines)


def test_the_summary_counts_rows() -> None:
    assert report.summary(ROWS) == {OK: 9, FAILED: 3, NOT_CHECKED: 2, WARNING: 0}
    assert report.summary([]) == {OK: 0, FAILED: 0, NOT_CHECKED: 0, WARNING: 0}
    assert report.summary(WARNED) == {OK: 2, FAILED: 0, NOT_CHECKED: 0, WARNING: 2}


# --- warnings --------------------------------------------------------------------------------------------------------

MISSING = "kate.ns.cloudflare.test, which Cloudflare assigned; add it"
WARNED = [
    serial_row("a.test", "ns1"),
    serial_row("a.test", "cloudflare", address="API"),
    row("ns", "a.test", "cloudflare", "", WARNING, "not in the zone", None, MISSING),
    row("delegation", "a.test", "cloudflare", "", WARNING, "not at the parent", None, MISSING),
]


def test_a_warning_leaves_a_zone_green_and_is_shown() -> None:
    assert report.table(WARNED, ["ns1", "cloudflare"]) == [
        "zone    ns1  cloudflare  verdict",
        "------  ---  ----------  -----------------------",
        "a.test  7    7           ok: serial (2 warnings)",
    ]
    assert report.table(WARNED[:3], ["ns1", "cloudflare"])[-1].endswith("  ok: serial (1 warning)")
    assert report.problem_lines(WARNED) == [
        "warning: cloudflare, ns: not in the zone for a.test (%s)" % MISSING,
        "warning: cloudflare, delegation: not at the parent for a.test (%s)" % MISSING,
    ]


@pytest.mark.parametrize("verdict", [FAILED, NOT_CHECKED])
def test_what_is_not_green_goes_before_warnings(verdict: str) -> None:
    rows = [*WARNED[1:], serial_row("a.test", "ns1", None, verdict, "no answer")]
    assert report.table(rows, ["ns1", "cloudflare"])[-1].endswith("  %s: ns1 no answer (serial)" % verdict.upper())
    assert [line.split(":")[0] for line in report.problem_lines(rows)] == [verdict, WARNING, WARNING]


def test_a_long_table_leaves_warned_zones_out() -> None:
    """Where the NS records of all zones lack a name, the table would be as long as without its limit."""
    warned = [
        row("ns", "z%05d.test" % number, "cloudflare", "", WARNING, "not in the zone", None) for number in range(99)
    ]
    assert report.table([*many(99), *warned], ["ns1"]) == ["99 more zones are ok"]
    (line,) = report.problem_lines(warned)
    assert line.startswith("warning: cloudflare, ns: not in the zone for 99 (z00000.test, ")


class Task:
    """Stands in for Ansible: runs the action ``report``, and keeps what it shows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown: list[str] = []
        monkeypatch.setattr(action, "DISPLAY", SimpleNamespace(display=self.shown.append))

    def run(self, rows: list[Any], **arguments: Any) -> dict[str, Any]:
        task = action.ActionModule.__new__(action.ActionModule)
        arguments = {
            "rows": rows,
            "servers": ["ns1", "cloudflare"],
            "absent": [],
            "file": None,
            "show": None,
        } | arguments
        task.validate_argument_spec = lambda **_specification: (None, arguments)
        return task.act({})


@pytest.fixture
def task(monkeypatch: pytest.MonkeyPatch) -> Task:
    return Task(monkeypatch)


def test_a_run_with_warnings_is_green_and_counts_them(task: Task) -> None:
    assert task.run(WARNED)["summary"][WARNING] == 2
    assert "failed" not in task.run(WARNED)
    (shown, _again) = task.shown
    assert shown.rstrip().endswith("\n2 checks ok, 0 failed, 0 not checked, 2 warnings")
    for line in report.problem_lines(WARNED):
        assert line in shown
    task.run(WARNED[:2])
    assert task.shown[-1].rstrip().endswith("\n2 checks ok, 0 failed, 0 not checked")
    assert task.run([*WARNED, serial_row("a.test", "ns1", 6, FAILED, "behind")])["failed"]


# --- lines -----------------------------------------------------------------------------------------------------------


def test_the_line_of_refusals() -> None:
    text = "zone transfers without the right key or address: %d tried, %d refused"
    open_one = row("refusal", "a.test", "ns1", "192.0.2.1", FAILED, "open", 7)
    assert report.refusal_line([*ROWS, open_one]) == text % (3, 1) + ", 1 not checked, 1 ALLOWED"
    assert report.refusal_line([each for each in ROWS if each["verdict"] == OK]) == text % (1, 1)
    assert report.refusal_line([]) == text % (0, 0)


def test_lines_of_what_is_not_green_the_gravest_first() -> None:
    assert report.problem_lines(ROWS) == [
        "failed: ns2, serial: behind for longer-name.test at 2001:db8::2 (it has 1)",
        "failed: ns1, serial: no answer for silent.test at 192.0.2.1",
        "failed: ns1, publish: held back for silent.test at 192.0.2.1 (line 3)",
        "not checked: ns1, refusal: timeout for only-one.test at 192.0.2.1 (no answer in 2 s)",
        "not checked: ns2, serial: no reference for silent.test at 192.0.2.1",
    ]
    assert report.problem_lines([each for each in ROWS if each["verdict"] == OK]) == []


@pytest.mark.parametrize("count, zones", [(1, "z0"), (4, "z0, z1, z2, z3"), (5, "5 (z0, z1, z2, z3, ...)")])
def test_a_line_names_a_few_zones(count: int, zones: str) -> None:
    rows = [serial_row("z%d" % number, "ns2", None, FAILED, "no answer") for number in range(count)]
    assert report.problem_lines(rows) == ["failed: ns2, serial: no answer for %s at 192.0.2.1" % zones]


def test_what_is_alike_is_one_line() -> None:
    rows = [
        serial_row("z%d.test" % number, "ns2", None, FAILED, "no answer", address=address, detail="detail %d" % number)
        for number in range(1000)
        for address in ("192.0.2.2", "2001:db8::2")
    ]
    assert report.problem_lines(rows) == [
        "failed: ns2, serial: no answer for 1000 (z0.test, z1.test, z2.test, z3.test, ...)"
        " at 192.0.2.2, 2001:db8::2 (for example: detail 0)"
    ]


def test_a_row_of_no_zone_and_no_address() -> None:
    rows = [row("transfer", "", "ns3", "", NOT_CHECKED, "host absent", None, "it is down")]
    assert report.problem_lines(rows) == ["not checked: ns3, transfer: host absent (it is down)"]


# --- selections ------------------------------------------------------------------------------------------------------


def test_a_selection() -> None:
    assert report.select(ROWS, "[?verdict!=`ok`]") == [each for each in ROWS if each["verdict"] != OK]
    assert report.select(ROWS, "[?server=='ns2'].zone | [0]") == "a.test"
    assert report.select(ROWS, "length(@)") == len(ROWS)
    assert report.select(tuple(ROWS), "length(@)") == len(ROWS)


@pytest.mark.parametrize(
    "expression",
    ["", "[?", "foo(", "sort_by(@, &serial)", "[?serial > 'x']", "[?contains(zone, `1`)]", "[::0]", "`", "length(`1`)"],
)
def test_a_bad_expression_is_told(expression: str) -> None:
    with pytest.raises(InputError) as caught:
        report.select(ROWS, expression)
    (problem,) = caught.value.problems
    assert problem.reason.startswith("dns_show %r: " % expression)
    assert problem.mend == "An example: dns_show='[?verdict!=`ok`]'"
    assert report.select(ROWS, "[?verdict!=`ok`]")


def test_without_jmespath_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "HAS_JMESPATH", False)
    with pytest.raises(InputError, match="dns_show needs the Python package jmespath on the controller. Install it"):
        report.select(ROWS, "@")


@pytest.mark.parametrize(
    "selected, lines",
    [
        (
            [{"zone": "a.test", "serial": 7}, {"zone": "longer.test", "detail": "x", "serial": None}],
            ["zone         serial  detail", "-----------  ------  ------", "a.test       7", "longer.test          x"],
        ),
        (["a.test", "b.test"], ["a.test", "b.test"]),
        (["a.test", {"zone": "b.test"}], ["a.test", "{'zone': 'b.test'}"]),
        ([], ["(no rows)"]),
        (7, ["7"]),
        ("text", ["text"]),
        (None, ["(nothing)"]),
        ({"zone": "a.test"}, ["{'zone': 'a.test'}"]),
    ],
)
def test_what_was_selected_is_shown(selected: Any, lines: list[str]) -> None:
    assert report.show(selected) == lines


def test_selected_rows_are_a_table() -> None:
    lines = report.show(report.select(ROWS, "[?server=='ns2' && check=='serial']"))
    assert lines[0].split() == ["check", "zone", "server", "address", "verdict", "status", "serial", "detail"]
    assert len(lines) == 2 + 5


def test_what_providers_assigned_is_told_for_all_zones_that_have_it() -> None:
    zones = [
        {"name": "a.test", "name_servers": ["two.test", "one.test"]},
        {"name": "b.test", "name_servers": ["one.test", "two.test"]},
        {"name": "c.test", "name_servers": ["three.test"]},
        {"name": "d.test", "name_servers": []},
    ]
    assert report.assigned(zones) == [
        "a.test, b.test: name servers one.test, two.test, for the NS records and the delegation",
        "c.test: name servers three.test, for the NS records and the delegation",
    ]
