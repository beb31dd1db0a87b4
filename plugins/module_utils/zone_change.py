# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What new content changes in a zone, and when that is too much to be meant.

A slip (half a file, an empty export, the wrong file under a zone's name) is a valid zone. What tells it from an edit
is how much it takes away, so such a change needs somebody who says that it is meant.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_text import NS, SOA, Record

# A zone with fewer records may change as a whole: there, one edit is a large part.
SMALL_ZONE = 10
# RFC 1034 section 4.1, RFC 2182 section 5.
NAME_SERVERS = 2
# A longer plan shows the largest changes and counts the others.
LONGEST_PLAN = 60


class ZoneChange(NamedTuple):
    """Records that new content adds, changes (others of the same name and type, or another TTL), and deletes.

    :param before: how many the old content has beside its SOA record; None where there is no old content.
    :param altered: how many of those are changed or deleted.
    :param name_servers: how many of those are NS records at the apex.
    """

    added: int
    changed: int = 0
    deleted: int = 0
    before: Optional[int] = None
    altered: int = 0
    name_servers: int = 0


def compare(old: Iterable[Record], new: Iterable[Record]) -> ZoneChange:
    """What becomes of the records of the old content; the serial is no difference."""
    before, after = _by_name_and_type(old), _by_name_and_type(new)
    apex = next(owner for owner, rdtype in after if rdtype == SOA)
    added = changed = deleted = altered = count = 0
    for key in set(before) | set(after):
        had, has = before.get(key, set()), after.get(key, set())
        gone, come = len(had - has), len(has - had)
        both = min(gone, come)
        changed += both
        added += come - both
        deleted += gone - both
        if key[1] != SOA:
            altered += gone
            count += len(had)
    return ZoneChange(added, changed, deleted, count, altered, len(before.get((apex, NS), ())))


def _by_name_and_type(records: Iterable[Record]) -> Dict[Tuple[bytes, int], Set[Tuple[int, bytes]]]:
    found: Dict[Tuple[bytes, int], Set[Tuple[int, bytes]]] = {}
    for record in records:
        found.setdefault((record.owner, record.rdtype), set()).add((record.ttl, record.rdata))
    return found


def refusal(change: ZoneChange, records: int, name_servers: int, largest: float) -> Optional[str]:
    """Why somebody must say that the change is meant; None where nobody need.

    A zone that was as small before is let be. A new one may have a single name server: many in the field do, and the
    warnings tell of it; but nobody means to publish nothing.

    :param records: how many the new content has. :param name_servers: how many of those are NS records at the apex.
    :param largest: per cent of a zone's records that may be changed or deleted at once.
    """
    is_new = change.before is None
    before = change.before or 0
    reasons = []
    if records == 1 + name_servers and (is_new or before > change.name_servers):
        reasons.append("there is nothing in it but SOA and NS records")
    if name_servers < NAME_SERVERS and name_servers < change.name_servers:
        reasons.append(
            "it leaves %d name server at the apex, and a zone needs two (RFC 1034 section 4.1)" % name_servers
        )
    if before >= SMALL_ZONE and change.altered * 100 > largest * before:
        reasons.append(
            "it changes or deletes %d of %d records, and only %g %% may change at once"
            % (change.altered, before, largest)
        )
    return "; ".join(reasons) or None


def plan_lines(published: Sequence[Mapping[str, Any]]) -> List[str]:
    """A line for each zone that goes live, or would if it were not held back, the largest changes first.

    :param published: mappings with ``zone``, ``serial`` (None: held back), ``previous`` (serial or None), ``added``,
        ``changed`` and ``deleted``.
    """
    ordered = sorted(published, key=lambda each: (-each["deleted"] - each["changed"], -each["added"], each["zone"]))
    lines = []
    for each in ordered[:LONGEST_PLAN]:
        if each["previous"] is None:
            line = "%s: new, %d records" % (each["zone"], each["added"])
        else:
            counts = (each["added"], each["changed"], each["deleted"])
            line = "%s: %d added, %d changed, %d deleted" % ((each["zone"],) + counts)
        if each["serial"] is None:
            line += ": HELD BACK"
        elif each["previous"] is None:
            line += ", serial %d" % each["serial"]
        else:
            line += ", serial %d -> %d" % (each["previous"], each["serial"])
        lines.append(line)
    rest = ordered[LONGEST_PLAN:]
    if rest:
        counts = tuple(sum(each[what] for each in rest) for what in ("added", "changed", "deleted"))
        lines.append("%d more zones: %d added, %d changed, %d deleted" % ((len(rest),) + counts))
    return lines
