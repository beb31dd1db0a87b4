# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record sets as wire-level values, and in the forms that Route 53's API has for them.

Both sides of a comparison are RRsets: names in lower case, RDATA canonical. So neither the spelling of a name, nor
how a text is quoted, nor the case of a digest is ever a difference.

Sources: "DNS domain name format" and "Supported DNS record types" of the Amazon Route 53 Developer Guide. The escapes
of Route 53 are octal, those of master files (RFC 1035 section 5.1) decimal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import wire

try:
    import dns.exception
    import dns.name
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype

    HAS_DNSPYTHON = True
except ImportError:
    HAS_DNSPYTHON = False

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, NAPTR = 1, 2, 5, 6, 12, 15, 16, 28, 33, 35
DS, SSHFP, DNSKEY, TLSA, SVCB, HTTPS, SPF, CAA = 43, 44, 48, 52, 64, 65, 99, 257

# All that Route 53 stores.
TYPES: Dict[str, int] = {
    "A": A,
    "AAAA": AAAA,
    "CAA": CAA,
    "CNAME": CNAME,
    "DS": DS,
    "HTTPS": HTTPS,
    "MX": MX,
    "NAPTR": NAPTR,
    "NS": NS,
    "PTR": PTR,
    "SOA": SOA,
    "SPF": SPF,
    "SRV": SRV,
    "SSHFP": SSHFP,
    "SVCB": SVCB,
    "TLSA": TLSA,
    "TXT": TXT,
}
NAMES: Dict[int, str] = {number: name for name, number in TYPES.items()}
# DNSKEY, RRSIG, NSEC, NSEC3, NSEC3PARAM: a zone that has one of these is signed.
SIGNED = frozenset((DNSKEY, 46, 47, 50, 51))

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")
_ESCAPE = re.compile(r"\\(?:([0-3][0-7][0-7])|([0-9]{1,3})|(.))", re.DOTALL)
_DECIMAL = re.compile(r"\\(?:([0-9]{3})|(.))", re.DOTALL)
# How many numbers of 16 bits stand before the one name of these.
_NUMBERS = {NS: 0, CNAME: 0, PTR: 0, MX: 1, SRV: 3}

# (owner, type), the owner in wire form
Key = Tuple[bytes, int]


class RRset(NamedTuple):
    """A record set: owner and RDATA in canonical wire form (RFC 4034 section 6.2), each RDATA once, sorted."""

    owner: bytes
    rdtype: int
    ttl: int
    rdatas: Tuple[bytes, ...]

    @property
    def key(self) -> Key:
        return self.owner, self.rdtype


class Stored(NamedTuple):
    """A record set as Route 53 lists it.

    :param rdtype: 0 for a type that is not in TYPES.
    :param rrset: None where a value can't be read: then it is not what any zone has.
    :param foreign: why it has no form in a zone file; None where it has one.
    :param raw: as listed; a DELETE must repeat it exactly.
    """

    owner: bytes
    rdtype: int
    rrset: Optional[RRset]
    foreign: Optional[str]
    raw: Mapping[str, Any]

    def __str__(self) -> str:
        text = "%s %s" % (self.raw["Name"], self.raw["Type"])
        return text if self.foreign is None else "%s (%s)" % (text, self.foreign)


# --- Names ------------------------------------------------------------------------------------------


def name_to_text(owner: bytes) -> str:
    r"""A wire name as Route 53 gives it back: absolute, lower case, all but ``a-z 0-9 - _`` as ``\ooo`` octal."""
    if owner == b"\0":
        return "."
    text: List[str] = []
    position = 0
    while owner[position]:
        end = position + 1 + owner[position]
        text += [_octal(octet) for octet in owner[position + 1 : end].lower()]
        text.append(".")
        position = end
    return "".join(text)


def _octal(octet: int) -> str:
    return chr(octet) if octet in _PLAIN else "\\%03o" % octet


def name_from_text(text: str) -> bytes:
    """The wire form in lower case of a name in Route 53's form; absolute with or without the final dot.

    :raises ValueError: for what is no domain name.
    """
    return wire.encode_name(_to_decimal(text, text)).lower()


def _to_decimal(text: str, whole: str) -> str:
    """Octal escapes as decimal ones, which is what readers of master files know."""

    def decimal(match: re.Match) -> str:
        octal, digits, character = match.groups()
        if octal is not None:
            return "\\%03d" % int(octal, 8)
        if character is None:
            raise ValueError("%r: \\%s is no octal escape; those have three digits, 000 to 377" % (whole, digits))
        return "\\" + character

    return _ESCAPE.sub(decimal, text)


# --- Values -----------------------------------------------------------------------------------------


def value_to_text(rdtype: int, rdata: bytes) -> str:
    """One ``Value`` of a ResourceRecord; names absolute, with their final dot.

    :raises ValueError: for RDATA that is not well-formed.
    """
    try:
        return _value_to_text(rdtype, rdata)
    except (IndexError, wire.WireError) as error:
        raise _malformed(rdtype, error) from None


def _value_to_text(rdtype: int, rdata: bytes) -> str:
    if rdtype in (TXT, SPF):
        return " ".join(_strings(rdata, 0, None)[0])
    if rdtype in _NUMBERS:
        count = _NUMBERS[rdtype]
        return " ".join(_numbers(rdata, 0, count, 2) + [_name(rdata, 2 * count)[0]])
    if rdtype == SOA:
        mname, end = _name(rdata, 0)
        rname, end = _name(rdata, end)
        return " ".join([mname, rname] + _numbers(rdata, end, 5, 4))
    if rdtype == NAPTR:
        strings, end = _strings(rdata, 4, 3)
        return " ".join(_numbers(rdata, 0, 2, 2) + strings + [_name(rdata, end)[0]])
    if rdtype == DS:
        return " ".join(_numbers(rdata, 0, 1, 2) + _numbers(rdata, 2, 2, 1) + [rdata[4:].hex()])
    if rdtype in (SSHFP, TLSA):
        count = 2 if rdtype == SSHFP else 3
        return " ".join(_numbers(rdata, 0, count, 1) + [rdata[count:].hex()])
    text = _DECIMAL.sub(_octal_in_quotes, _rdata_from_wire(rdtype, rdata).to_text())
    if rdtype in (SVCB, HTTPS):
        return " ".join(_numbers(rdata, 0, 1, 2) + [_name(rdata, 2)[0]] + text.split(" ", 2)[2:])
    return text


def _malformed(rdtype: int, error: Exception) -> ValueError:
    return ValueError("malformed RDATA of type %s: %s" % (NAMES.get(rdtype, rdtype), error))


def _rdata_from_wire(rdtype: int, rdata: bytes) -> Any:
    try:
        return dns.rdata.from_wire(dns.rdataclass.IN, rdtype, rdata, 0, len(rdata))
    except (dns.exception.DNSException, ValueError) as error:
        raise _malformed(rdtype, error) from None


def _numbers(rdata: bytes, start: int, count: int, size: int) -> List[str]:
    return [str(int.from_bytes(rdata[at : at + size], "big")) for at in range(start, start + count * size, size)]


def _name(rdata: bytes, start: int) -> Tuple[str, int]:
    name, end = wire.decode_name(rdata, start)
    return name_to_text(name), end


def _strings(rdata: bytes, start: int, count: Optional[int]) -> Tuple[List[str], int]:
    """So many character-strings, or all up to the end, in quotes, and where they end."""
    strings: List[str] = []
    while start < len(rdata) if count is None else len(strings) < count:
        end = start + 1 + rdata[start]
        if end > len(rdata):
            raise wire.WireError("a character-string runs over the end of its record")
        strings.append('"%s"' % "".join(_in_quotes(octet) for octet in rdata[start + 1 : end]))
        start = end
    return strings, start


def _in_quotes(octet: int) -> str:
    if octet in b'"\\':
        return "\\" + chr(octet)
    return chr(octet) if 32 <= octet < 127 else "\\%03o" % octet


def _octal_in_quotes(match: re.Match) -> str:
    digits = match.group(1)
    return _in_quotes(int(digits)) if digits else match.group()


def value_from_text(rdtype: int, value: str) -> bytes:
    """The canonical RDATA of a ``Value``; names are absolute with or without their final dot.

    :raises ValueError: for what is no such value.
    """
    try:
        text = _to_decimal(value, value)
        rdata = dns.rdata.from_text(dns.rdataclass.IN, rdtype, text, dns.name.root, False).to_wire()
    except (dns.exception.DNSException, ValueError, IndexError) as error:
        raise ValueError("%s %r: %s" % (NAMES.get(rdtype, rdtype), value, error)) from None
    return canonical(rdtype, rdata)


def canonical(rdtype: int, rdata: bytes) -> bytes:
    """RDATA with all its names in lower case: wire.canonical_rdata() leaves the target of SVCB and HTTPS as it is.

    :raises ValueError: for RDATA that is not well-formed.
    """
    try:
        rdata = wire.canonical_rdata(rdata, 0, len(rdata), rdtype)
        if rdtype in (SVCB, HTTPS):
            name, end = wire.decode_name(rdata, 2)
            rdata = rdata[:2] + name.lower() + rdata[end:]
    except wire.WireError as error:
        raise _malformed(rdtype, error) from None
    return rdata


# --- Record sets ------------------------------------------------------------------------------------


class Content:
    """What a zone transfer brings, as record sets; ``add`` is a client.Sink.

    ``left_out`` has the types that Route 53 does not store, and the first of their owners.
    """

    def __init__(self) -> None:
        self._ttls: Dict[Key, int] = {}
        self._rdatas: Dict[Key, Set[bytes]] = {}
        self.left_out: Dict[int, bytes] = {}

    def add(self, owner: bytes, rdtype: int, ttl: int, rdata: bytes) -> None:
        """:raises ValueError: for RDATA that is not well-formed."""
        if rdtype not in NAMES:
            self.left_out.setdefault(rdtype, owner)
            return
        key = owner.lower(), rdtype
        # The TTLs of a set are one; where they differ, the least (RFC 2181 section 5.2).
        self._ttls[key] = min(ttl, self._ttls.get(key, ttl))
        self._rdatas.setdefault(key, set()).add(canonical(rdtype, rdata))

    def rrsets(self) -> Dict[Key, RRset]:
        return {key: RRset(key[0], key[1], self._ttls[key], tuple(sorted(self._rdatas[key]))) for key in self._rdatas}

    def unsupported(self) -> List[str]:
        """``TYPE at NAME`` for each type that Route 53 does not store, its first owner."""
        return [
            "%s at %s" % (type_text(rdtype), wire.name_text(owner).rstrip("."))
            for rdtype, owner in sorted(self.left_out.items())
        ]

    def signed(self) -> bool:
        return not SIGNED.isdisjoint(self.left_out)


def type_text(rdtype: int) -> str:
    return NAMES.get(rdtype) or dns.rdatatype.to_text(rdtype)


def to_record_set(rrset: RRset) -> Dict[str, Any]:
    """A ResourceRecordSet of the API."""
    return {
        "Name": name_to_text(rrset.owner),
        "Type": NAMES[rrset.rdtype],
        "TTL": rrset.ttl,
        "ResourceRecords": [{"Value": value_to_text(rrset.rdtype, rdata)} for rdata in rrset.rdatas],
    }


def from_record_set(raw: Mapping[str, Any]) -> Stored:
    """A ResourceRecordSet of the API as it is listed.

    :raises ValueError: for a name that is none.
    """
    owner = name_from_text(raw["Name"])
    rdtype = TYPES.get(raw["Type"], 0)
    foreign = _why_foreign(raw, rdtype)
    rrset = None
    if foreign is None:
        try:
            values = [value_from_text(rdtype, record["Value"]) for record in raw["ResourceRecords"]]
            rrset = RRset(owner, rdtype, int(raw["TTL"]), tuple(sorted(set(values))))
        except ValueError:
            pass
    return Stored(owner, rdtype, rrset, foreign, raw)


def _why_foreign(raw: Mapping[str, Any], rdtype: int) -> Optional[str]:
    if raw.get("AliasTarget"):
        return "an alias of %s" % raw["AliasTarget"].get("DNSName", "another record set")
    if raw.get("TrafficPolicyInstanceId"):
        return "of a traffic policy"
    if raw.get("SetIdentifier") is not None:
        return "routed, set identifier %s" % raw["SetIdentifier"]
    if not rdtype:
        return "of a type that is not known here"
    if not raw.get("ResourceRecords") or raw.get("TTL") is None:
        return "without values of its own"
    return None


def by_key(stored: Iterable[Stored]) -> Dict[Key, Stored]:
    """Those that a zone file has a form for."""
    return {(each.owner, each.rdtype): each for each in stored if each.foreign is None}
