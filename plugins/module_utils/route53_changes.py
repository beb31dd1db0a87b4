# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

r"""From two sets of record sets to batches of changes for Route 53, and the rules that a batch must keep.

A batch is atomic, a sync of several batches is not. So that no name stops resolving between two of them:

- What is added or changed goes first, what is deleted goes last: a pointer is never deleted late or its target early.
- What a record points to (the target of CNAME, MX, SRV, NS, SVCB, HTTPS, NAPTR and PTR, a wildcard that covers it, the
  delegation it is below) comes before the record. So do glue before a delegation, and a delegation before its DS.
- Deletions go the other way round: pointers, then targets; a DS, then the delegation, then its glue.
- A CNAME can't be beside other types (RFC 1034 section 3.6.2). Where one takes the place of others, or others take its
  place, all changes of the name are one unit, which is never split over batches.
- A name that is new, or vanishes, is one unit too: half of it would hide a wildcard from the other half's types.
- SOA comes alone, last, when all else is on all of Route 53's servers: whoever sees the serial sees the content.

Names that point at each other in a circle have no such order; they go in the order of names.

Limits: "Quotas" of the Amazon Route 53 Developer Guide, and the API's model (RData, TTL).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import wire
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import some
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.route53_records import (
    AAAA,
    CNAME,
    DS,
    HTTPS,
    MX,
    NAMES,
    NAPTR,
    NS,
    PTR,
    SOA,
    SRV,
    SVCB,
    A,
    Key,
    RRset,
    Stored,
    by_key,
    name_from_text,
    name_to_text,
    to_record_set,
)

# Of one request; an UPSERT counts twice.
MAX_ELEMENTS = 1000
MAX_CHARACTERS = 32000
MAX_VALUES = 400  # of one record set
MAX_VALUE = 4000  # characters of one value
MAX_TTL = 2**31 - 1
MAX_STRING = 255  # octets of one character-string (RFC 1035 section 3.3)

CREATE, UPSERT, DELETE = "CREATE", "UPSERT", "DELETE"

Change = Dict[str, Any]
Batch = List[Change]


class Plan(NamedTuple):
    """What to send: the batches in order, and the one with the SOA record, empty where that is up to date.

    :param kept: foreign record sets that stay.
    :param shadowed: record sets of the zone that are not pushed, since a foreign one has their place.
    """

    batches: List[Batch]
    soa: Batch
    kept: List[Stored]
    shadowed: List[RRset]

    @property
    def empty(self) -> bool:
        return not self.batches and not self.soa


class Unit(NamedTuple):
    """Changes that go together."""

    changes: Batch

    @property
    def elements(self) -> int:
        return sum(elements(change) for change in self.changes)

    @property
    def characters(self) -> int:
        return sum(characters(change) for change in self.changes)


class TooLarge(Exception):
    """Changes that must go together and are more than one request takes; the text names the record sets."""


def elements(change: Change) -> int:
    """How many ResourceRecord elements Route 53 counts."""
    return len(change["ResourceRecordSet"]["ResourceRecords"]) * (2 if change["Action"] == UPSERT else 1)


def characters(change: Change) -> int:
    """How many characters of values Route 53 counts."""
    count = sum(len(record["Value"]) for record in change["ResourceRecordSet"]["ResourceRecords"])
    return count * (2 if change["Action"] == UPSERT else 1)


# --- The difference ---------------------------------------------------------------------------------


def wanted(zone: bytes, rrsets: Mapping[Key, RRset], stored: Iterable[Stored], own_ns: bool) -> Dict[Key, RRset]:
    """What the hosted zone should have: the transferred record sets, with its own name servers if that's the policy."""
    apex_ns = zone, NS
    result = dict(rrsets)
    if own_ns:
        result.pop(apex_ns, None)
        for each in stored:
            if (each.owner, each.rdtype) == apex_ns and each.rrset is not None:
                result[apex_ns] = each.rrset
    return result


def plan(zone: bytes, new: Mapping[Key, RRset], stored: Sequence[Stored], own_ns: bool) -> Plan:
    """The changes that make of what is stored what is wanted.

    :param zone: wire name. :param new: as of :func:`wanted`.
    :param own_ns: the apex NS set is Route 53's own, and not touched.
    :raises TooLarge: where changes that must go together are too many.
    """
    kept = [each for each in stored if each.foreign is not None]
    new, shadowed = _without_shadowed(new, kept)
    old = by_key(stored)
    adds: Dict[Key, Change] = {}
    for key, rrset in new.items():
        if key == (zone, SOA) or (own_ns and key == (zone, NS)):
            continue
        if key not in old:
            adds[key] = _change(CREATE, to_record_set(rrset))
        elif old[key].rrset != rrset:
            adds[key] = _change(UPSERT, to_record_set(rrset))
    deletes = {
        key: _change(DELETE, _bare(each.raw))
        for key, each in old.items()
        if key not in new and key not in ((zone, SOA), (zone, NS))
    }
    units = _ordered_units(zone, new, old, adds, deletes)
    soa_key = zone, SOA
    soa = []
    if soa_key in new and (soa_key not in old or old[soa_key].rrset != new[soa_key]):
        soa = [_change(UPSERT, to_record_set(new[soa_key]))]
    return Plan(_batches(units), soa, kept, shadowed)


def _without_shadowed(new: Mapping[Key, RRset], kept: Sequence[Stored]) -> Tuple[Dict[Key, RRset], List[RRset]]:
    """A foreign record set keeps its name and type; beside it no CNAME can be, and nothing beside a foreign CNAME."""
    taken: Dict[bytes, Set[int]] = {}
    for each in kept:
        taken.setdefault(each.owner, set()).add(each.rdtype)
    free, shadowed = {}, []
    for key, rrset in new.items():
        there = taken.get(rrset.owner)
        if there and (rrset.rdtype in there or CNAME in there or rrset.rdtype == CNAME):
            shadowed.append(rrset)
        else:
            free[key] = rrset
    return free, shadowed


def _change(action: str, record_set: Mapping[str, Any]) -> Change:
    return {"Action": action, "ResourceRecordSet": dict(record_set)}


def _bare(raw: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: raw[name] for name in ("Name", "Type", "TTL", "ResourceRecords")}


# --- The order --------------------------------------------------------------------------------------


def _ordered_units(
    zone: bytes,
    new: Mapping[Key, RRset],
    old: Mapping[Key, Stored],
    adds: Mapping[Key, Change],
    deletes: Mapping[Key, Change],
) -> List[Unit]:
    had, has = {owner for owner, _rdtype in old}, {owner for owner, _rdtype in new}
    swapped = {owner for owner, rdtype in adds if (rdtype == CNAME) != ((owner, CNAME) in old) and owner in had}
    swapped -= {owner for owner in swapped if not any(key[0] == owner for key in deletes)}
    first: Dict[Key, Batch] = {}
    for key in sorted(adds):
        owner, rdtype = key
        first.setdefault((owner, 0) if owner in swapped or owner not in had else key, []).append(adds[key])
    last: Dict[Key, Batch] = {}
    for key in sorted(deletes):
        owner, rdtype = key
        if owner in swapped:
            # Before what replaces it, as in RFC 2136: a CNAME must be gone when the others come.
            first[(owner, 0)].insert(0, deletes[key])
        else:
            last.setdefault((owner, 0) if owner not in has else key, []).append(deletes[key])
    before = {key: each.rrset for key, each in old.items() if each.rrset is not None}
    ordered = _targets_first(zone, first, {key: new[key] for key in adds})
    reverse = _targets_first(zone, last, {key: before[key] for key in deletes if key in before})
    return [Unit(first[each]) for each in ordered] + [Unit(last[each]) for each in reversed(reverse)]


def _targets_first(zone: bytes, units: Mapping[Key, Any], rrsets: Mapping[Key, RRset]) -> List[Key]:
    """The units so that each comes after those that it depends on, as far as there is such an order.

    A unit's key is that of its record set, or has type 0 where it is all of a name.
    """
    needs: Dict[Key, List[Key]] = {key: [] for key in units}
    for key, rrset in rrsets.items():
        unit = key if key in units else (key[0], 0)
        if unit in needs:
            needs[unit] += [each for each in _needed(zone, rrset, units) if each != unit]
    ordered: List[Key] = []
    seen: Set[Key] = set()
    for start in sorted(units):
        # Depth first, without recursion: a chain of CNAMEs may be long.
        path = [(start, iter(needs[start]))] if start not in seen else []
        seen.add(start)
        while path:
            unit, rest = path[-1]
            following = next((each for each in rest if each not in seen), None)
            if following is None:
                ordered.append(unit)
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(needs[following])))
    return ordered


def _needed(zone: bytes, rrset: RRset, units: Mapping[Key, Any]) -> List[Key]:
    """The units that have what the record set leads to."""
    keys: List[Key] = []
    for target in _targets(rrset):
        # Any type is asked for through a CNAME; NAPTR, SVCB and HTTPS lead to more than addresses, too.
        beyond = (CNAME, NAPTR, SVCB, HTTPS)
        wanted_types = NAMES if rrset.rdtype in beyond else (A, AAAA, CNAME)
        keys += [(target, rdtype) for rdtype in (0, *wanted_types)]
        for above in _above(target, zone):
            keys += [(b"\1*" + above, rdtype) for rdtype in (0, A, AAAA, CNAME)]
            keys += [(above, NS), (above, 0)]
    if rrset.rdtype == DS:
        keys += [(rrset.owner, NS)]
    return [key for key in keys if key in units]


def _above(name: bytes, zone: bytes) -> List[bytes]:
    """The names above a name of the zone, the apex included; none for a name outside."""
    names = []
    while name != zone and len(name) > len(zone):
        name = name[1 + name[0] :]
        names.append(name)
    return names if names and names[-1] == zone else []


def _targets(rrset: RRset) -> List[bytes]:
    """The names that a record set points to, by where they stand in the RDATA."""
    places = {NS: 0, CNAME: 0, PTR: 0, MX: 2, SVCB: 2, HTTPS: 2, SRV: 6}
    targets = []
    for rdata in rrset.rdatas:
        place = places.get(rrset.rdtype)
        if rrset.rdtype == NAPTR:
            place = 4
            for _string in range(3):
                place += 1 + rdata[place]
        if place is not None:
            target = wire.decode_name(rdata, place)[0]
            # The owner itself is what a dot means in SVCB and HTTPS.
            targets.append(rrset.owner if target == b"\0" and rrset.rdtype in (SVCB, HTTPS) else target)
    return targets


def _batches(units: Sequence[Unit]) -> List[Batch]:
    """The units in order, as few requests as their limits allow."""
    batches: List[Batch] = []
    count = size = 0
    for unit in units:
        more, larger = unit.elements, unit.characters
        if more > MAX_ELEMENTS or larger > MAX_CHARACTERS:
            names = some("%(Name)s %(Type)s" % change["ResourceRecordSet"] for change in unit.changes)
            raise TooLarge(
                "%s: these changes must go in one request, and have %d values of %d characters, what they replace "
                "counted twice; Route 53 takes %d and %d" % (names, more, larger, MAX_ELEMENTS, MAX_CHARACTERS)
            )
        if not batches or count + more > MAX_ELEMENTS or size + larger > MAX_CHARACTERS:
            batches.append([])
            count = size = 0
        batches[-1].extend(unit.changes)
        count += more
        size += larger
    return batches


# --- What Route 53 checks ---------------------------------------------------------------------------

_NUMBER = r"(?:0|[1-9][0-9]*)"
_LABEL_CHARACTER = r"(?:[a-z0-9_-]|\\[0-3][0-7][0-7])"
_NAME = r"(?:\.|(?:%s{1,63}\.)+)" % _LABEL_CHARACTER
_STRING = r'"(?:[ !#-\[\]-~]|\\["\\]|\\[0-3][0-7][0-7])*"'
_HEX = r"(?:[0-9a-fA-F]{2})+"

_FORMS = {
    "CNAME": "(?P<name>{name})",
    "NS": "(?P<name>{name})",
    "PTR": "(?P<name>{name})",
    "MX": "(?P<u16>{n}) (?P<name>{name})",
    "SRV": "(?P<u16>{n}) (?P<u16_2>{n}) (?P<u16_3>{n}) (?P<name>{name})",
    "SOA": "(?P<name>{name}) (?P<name_2>{name}) "
    "(?P<u32>{n}) (?P<u32_2>{n}) (?P<u32_3>{n}) (?P<u32_4>{n}) (?P<u32_5>{n})",
    "NAPTR": "(?P<u16>{n}) (?P<u16_2>{n}) {string} {string} {string} (?P<name>{name})",
    "CAA": "(?P<u8>{n}) [a-zA-Z0-9]+ {string}",
    "DS": "(?P<u16>{n}) (?P<u8>{n}) (?P<u8_2>{n}) {hex}",
    "SSHFP": "(?P<u8>{n}) (?P<u8_2>{n}) {hex}",
    "TLSA": "(?P<u8>{n}) (?P<u8_2>{n}) (?P<u8_3>{n}) {hex}",
    "SVCB": "(?P<u16>{n}) (?P<name>{name})(?: [a-z0-9-]+(?:={string})?)*",
    "HTTPS": "(?P<u16>{n}) (?P<name>{name})(?: [a-z0-9-]+(?:={string})?)*",
    "SPF": "{string}(?: {string})*",
    "TXT": "{string}(?: {string})*",
}
_VALUES = {
    rdtype: re.compile(form.format(n=_NUMBER, name=_NAME, string=_STRING, hex=_HEX)) for rdtype, form in _FORMS.items()
}
_STRINGS = re.compile(_STRING)
_OCTET = re.compile(r"\\[0-3][0-7][0-7]|\\.|.")
_BITS = {"u8": 8, "u16": 16, "u32": 32}
_IP = {"A": IPv4Address, "AAAA": IPv6Address}


class Checker:
    """Whether a hosted zone takes a batch: its rules, from the documentation, and what the zone has at that moment.

    It shares nothing with what writes values, and runs before every request.
    """

    def __init__(self, zone: str, record_sets: Iterable[Mapping[str, Any]]) -> None:
        """:param zone: its name. :param record_sets: all of the hosted zone, as listed."""
        self._zone = name_from_text(zone)
        self._present = {_identity(each): each for each in record_sets}

    def check(self, batch: Batch) -> List[str]:
        """What is wrong with the batch, a sentence each; where nothing is, the zone is taken to have it from now on."""
        if not batch:
            return ["a batch is empty"]
        wrong = []
        counted, size = sum(elements(each) for each in batch), sum(characters(each) for each in batch)
        if counted > MAX_ELEMENTS:
            wrong.append("a batch of %d values, an UPSERT's counted twice; %d is the limit" % (counted, MAX_ELEMENTS))
        if size > MAX_CHARACTERS:
            wrong.append(
                "a batch has %d characters, an UPSERT's counted twice; %d is the limit" % (size, MAX_CHARACTERS)
            )
        present = dict(self._present)
        touched = set()
        for change in batch:
            record_set = change["ResourceRecordSet"]
            sentences = self._check_change(change["Action"], record_set, present)
            wrong += ["%s %s: %s" % (record_set["Name"], record_set["Type"], sentence) for sentence in sentences]
            if not sentences:
                owner = _identity(record_set)[0]
                touched.add(owner)
                if change["Action"] == DELETE:
                    del present[_identity(record_set)]
                else:
                    present[_identity(record_set)] = record_set
        types: Dict[bytes, Set[str]] = {}
        for owner, rdtype, _identifier in present:
            types.setdefault(owner, set()).add(rdtype)
        for owner in sorted(touched):
            there = types.get(owner, set())
            if "CNAME" in there and len(there) > 1:
                wrong.append("%s: a CNAME beside %s" % (name_to_text(owner), ", ".join(sorted(there - {"CNAME"}))))
        if not wrong:
            self._present = present
        return wrong

    def _check_change(self, action: str, record_set: Mapping[str, Any], present: Mapping[Any, Any]) -> List[str]:
        try:
            identity = _identity(record_set)
        except ValueError as error:
            return [str(error)]
        owner, rdtype, _identifier = identity
        if rdtype not in _VALUES and rdtype not in _IP:
            return ["Route 53 does not store this type"]
        at_apex = owner == self._zone
        if at_apex and rdtype in ("SOA", "NS") and action != UPSERT:
            return ["%s at the apex can only be replaced" % rdtype]
        if action == DELETE:
            if identity not in present:
                return ["there is no such record set to delete"]
            same = all(record_set.get(name) == present[identity].get(name) for name in ("TTL", "ResourceRecords"))
            return [] if same else ["TTL or values are not those that are stored"]
        wrong = []
        if action == CREATE and identity in present:
            wrong.append("it exists already")
        if not at_apex and self._zone not in _above(owner, self._zone):
            wrong.append("the name is not in the zone")
        if not re.fullmatch(_NAME, record_set["Name"]):
            wrong.append("the name is not in lower case, absolute, with octal escapes")
        if at_apex and rdtype == "CNAME":
            wrong.append("a CNAME can't be at the apex")
        if not at_apex and rdtype == "SOA":
            wrong.append("SOA can only be at the apex")
        if owner[:2] == b"\1*" and rdtype == "NS":
            wrong.append("NS can't be at a wildcard")
        ttl = record_set.get("TTL")
        if not isinstance(ttl, int) or not 0 <= ttl <= MAX_TTL:
            wrong.append("TTL is %r, not a number from 0 to %d" % (ttl, MAX_TTL))
        return wrong + _check_values(rdtype, [record["Value"] for record in record_set["ResourceRecords"]])


def _identity(record_set: Mapping[str, Any]) -> Tuple[bytes, str, Optional[str]]:
    return name_from_text(record_set["Name"]), record_set["Type"], record_set.get("SetIdentifier")


def _check_values(rdtype: str, values: Sequence[str]) -> List[str]:
    wrong = []
    if not values:
        wrong.append("no value")
    if len(values) > MAX_VALUES:
        wrong.append("%d values; %d is the limit" % (len(values), MAX_VALUES))
    if len(values) > 1 and rdtype in ("CNAME", "SOA"):
        wrong.append("%d values; %s has one" % (len(values), rdtype))
    if len(set(values)) < len(values):
        wrong.append("the same value twice")
    for value in values:
        reason = _check_value(rdtype, value)
        if reason:
            wrong.append("%s: %s" % (value if len(value) <= 60 else value[:60] + "...", reason))
    return wrong


def _check_value(rdtype: str, value: str) -> Optional[str]:
    if len(value) > MAX_VALUE:
        return "the value has %d characters; %d is the limit" % (len(value), MAX_VALUE)
    if rdtype in _IP:
        try:
            _IP[rdtype](value)
        except ValueError:
            return "not an %s address" % ("IPv4" if rdtype == "A" else "IPv6")
        return "an address with a zone" if "%" in value else None
    match = _VALUES[rdtype].fullmatch(value)
    if match is None:
        return "not the form of %s values" % rdtype
    for group, text in match.groupdict().items():
        kind = group.split("_")[0]
        if kind == "name":
            try:
                name_from_text(text)
            except ValueError as error:
                return str(error)
        elif int(text) >= 2 ** _BITS[kind]:
            return "%s is too large" % text
    for string in _STRINGS.findall(value):
        octets = len(_OCTET.findall(string[1:-1]))
        if octets > MAX_STRING and rdtype not in ("SVCB", "HTTPS", "CAA"):
            return "a string has %d octets; %d is the limit" % (octets, MAX_STRING)
    return None
