"""What new content changes in a zone, and how that is told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_change import (
    LONGEST_PLAN,
    ZoneChange,
    compare,
    plan_lines,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_text import ZoneTextError, read_records

SOA = "@ 60 SOA ns1.example.net. h.example.net. %d 3600 600 1209600 %d\n"
OLD = "@ 60 NS ns1.example.net.\n@ 60 NS ns2.example.net.\nwww 60 A 192.0.2.1\nwww 60 A 192.0.2.2\nx 60 TXT a\n"


def change(old: str, new: str, minimum: int = 300) -> ZoneChange:
    return compare(
        read_records("example.com", SOA % (1, 300) + old, "old"),
        read_records("example.com", SOA % (2, minimum) + new, "new"),
    )


@pytest.mark.parametrize(
    "new, counts",
    [
        (OLD, (0, 0, 0)),
        ("; a comment\n" + OLD.replace("www 60 A", "WWW.example.com. 60 IN A"), (0, 0, 0)),
        (OLD + "y 60 A 192.0.2.3\n", (1, 0, 0)),
        (OLD.replace("x 60 TXT a\n", ""), (0, 0, 1)),
        (OLD.replace("x 60 TXT a", "x 60 TXT A"), (0, 1, 0)),
        (OLD.replace("192.0.2.2", "192.0.2.3"), (0, 1, 0)),
        (OLD.replace("www 60", "www 61"), (0, 2, 0)),
        (OLD.replace("www 60 A 192.0.2.2\n", "www 60 AAAA ::1\nwww 60 AAAA ::2\n"), (2, 0, 1)),
        (OLD.replace("www 60 A 192.0.2.2\n", "www 60 A 192.0.2.3\nwww 60 A 192.0.2.4\n"), (1, 1, 0)),
    ],
)
def test_records_are_added_changed_and_deleted(new: str, counts: tuple[int, int, int]) -> None:
    found = change(OLD, new)
    assert (found.added, found.changed, found.deleted) == counts
    assert (found.before, found.name_servers) == (5, 2)
    assert found.altered == counts[1] + counts[2]


def test_the_soa_is_a_record_but_for_its_serial_and_no_part_of_the_share() -> None:
    assert change(OLD, OLD, minimum=60) == ZoneChange(0, 1, 0, before=5, altered=0, name_servers=2)


def test_a_text_that_is_no_zone_file_has_no_records() -> None:
    with pytest.raises(ZoneTextError):
        read_records("example.com", "www 60 A 192.0.2.1 (\n", "file")


def entry(zone: str, previous: int | None = 1, **counts: int) -> dict[str, Any]:
    return {"zone": zone, "serial": 2, "previous": previous, **{"added": 0, "changed": 0, "deleted": 0, **counts}}


def test_the_plan_has_the_largest_changes_first() -> None:
    zones = [
        entry("new.test", None, added=7),
        entry("same.test"),
        entry("less.test", deleted=3),
        entry("other.test", changed=4, added=1),
        {**entry("held.test", deleted=9), "serial": None},
        {**entry("held-new.test", None, added=2), "serial": None},
    ]
    assert plan_lines(zones) == [
        "held.test: 0 added, 0 changed, 9 deleted: HELD BACK",
        "other.test: 1 added, 4 changed, 0 deleted, serial 1 -> 2",
        "less.test: 0 added, 0 changed, 3 deleted, serial 1 -> 2",
        "new.test: new, 7 records, serial 2",
        "held-new.test: new, 2 records: HELD BACK",
        "same.test: 0 added, 0 changed, 0 deleted, serial 1 -> 2",
    ]
    assert plan_lines([]) == []


def test_a_long_plan_counts_the_rest() -> None:
    lines = plan_lines([entry("z%03d.test" % number, added=1) for number in range(LONGEST_PLAN + 5)])
    assert len(lines) == LONGEST_PLAN + 1
    assert lines[-1] == "5 more zones: 5 added, 0 changed, 0 deleted"
