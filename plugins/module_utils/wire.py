# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS messages as octets: names, queries, a walk over records, and a digest of a zone's content.

Pure and standard library only: no I/O, no dnspython, nothing of Ansible. A zone transfer of a million
records goes through here without becoming a million objects.

Two errors and no other leave this module: :class:`WireError` for octets received that are not a
well-formed message, :class:`ValueError` for names given by people that are not domain names.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

CLASS_IN = 1
TYPE_SOA = 6
TYPE_OPT = 41
TYPE_TSIG = 250
TYPE_AXFR = 252

NOERROR = 0
SERVFAIL = 2
NXDOMAIN = 3
REFUSED = 5
NOTAUTH = 9

ANSWER = 1
AUTHORITY = 2
ADDITIONAL = 3

MAX_LABEL = 63
MAX_NAME = 255

_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")  # type, class, TTL, RDLENGTH (RFC 1035 section 3.2.1)
_QUESTION = struct.Struct("!HH")
_U16 = struct.Struct("!H")
_U32 = struct.Struct("!I")

# A pointer leads to at least one label, and no name has more than 127 labels: more hops are an attack.
_MAX_HOPS = 127
_MODULUS_MASK = (1 << 256) - 1

_NO_TAIL = 0
_ANY_TAIL = -1


class _Layout(NamedTuple):
    """Where the domain names are inside an RDATA: fixed octets, character-strings, names, the rest."""

    fixed: int
    strings: int
    names: int
    tail: int  # octets after the names: a number, or _ANY_TAIL
    compressible: bool  # RFC 3597 section 4: may a receiver meet a compression pointer here


# The types of RFC 4034 section 6.2 item 3, as amended by RFC 6840 section 5.1.
_LAYOUTS: dict[int, _Layout] = {
    2: _Layout(0, 0, 1, _NO_TAIL, True),  # NS
    3: _Layout(0, 0, 1, _NO_TAIL, True),  # MD
    4: _Layout(0, 0, 1, _NO_TAIL, True),  # MF
    5: _Layout(0, 0, 1, _NO_TAIL, True),  # CNAME
    TYPE_SOA: _Layout(0, 0, 2, 20, True),
    7: _Layout(0, 0, 1, _NO_TAIL, True),  # MB
    8: _Layout(0, 0, 1, _NO_TAIL, True),  # MG
    9: _Layout(0, 0, 1, _NO_TAIL, True),  # MR
    12: _Layout(0, 0, 1, _NO_TAIL, True),  # PTR
    14: _Layout(0, 0, 2, _NO_TAIL, True),  # MINFO
    15: _Layout(2, 0, 1, _NO_TAIL, True),  # MX
    17: _Layout(0, 0, 2, _NO_TAIL, True),  # RP
    18: _Layout(2, 0, 1, _NO_TAIL, True),  # AFSDB
    21: _Layout(2, 0, 1, _NO_TAIL, True),  # RT
    24: _Layout(18, 0, 1, _ANY_TAIL, True),  # SIG
    26: _Layout(2, 0, 2, _NO_TAIL, True),  # PX
    30: _Layout(0, 0, 1, _ANY_TAIL, True),  # NXT
    33: _Layout(6, 0, 1, _NO_TAIL, True),  # SRV
    35: _Layout(4, 3, 1, _NO_TAIL, True),  # NAPTR
    36: _Layout(2, 0, 1, _NO_TAIL, False),  # KX
    39: _Layout(0, 0, 1, _NO_TAIL, False),  # DNAME
    46: _Layout(18, 0, 1, _ANY_TAIL, False),  # RRSIG
}
# NSD (4.12) hands out these in lower case although they are not of the list above, BIND as they were written. It does
# the same with the names that some IPSECKEY and AMTRELAY records have: too rare to take them apart here.
_DIGEST_LAYOUTS: dict[int, _Layout] = {
    **_LAYOUTS,
    64: _Layout(2, 0, 1, _ANY_TAIL, False),  # SVCB
    65: _Layout(2, 0, 1, _ANY_TAIL, False),  # HTTPS
    107: _Layout(2, 0, 1, _NO_TAIL, False),  # LP
}


class WireError(Exception):
    """Octets that are not a well-formed DNS message, or not the answer to what was asked."""


# --- Names -----------------------------------------------------------------------------------------


def encode_name(name: str) -> bytes:
    """The uncompressed wire form of a domain name in presentation form (RFC 1035 sections 3.1 and 5.1).

    The name is absolute whether or not it ends in a dot; ``.`` is the root. Case is kept. ``\\.`` and
    ``\\DDD`` are understood. Raises ValueError for what is not a domain name in ASCII.
    """
    if name == ".":
        return b"\0"
    if not name:
        raise ValueError("a domain name is empty; the root is written as a single dot")
    labels: list[bytes] = []
    label = bytearray()
    position = 0
    while position < len(name):
        character = name[position]
        position += 1
        if character == ".":
            labels.append(_label(label, name))
            label = bytearray()
            continue
        if character == "\\":
            octet, position = _escape(name, position)
        else:
            octet = ord(character)
            if octet > 126 or octet < 33:
                raise ValueError(
                    f"{name!r}: {character!r} can't stand in a domain name; write an internationalised name in its "
                    "ASCII form (xn--…), any other octet as \\DDD"
                )
        label.append(octet)
    if not name.endswith(".") or label:
        labels.append(_label(label, name))
    wire = b"".join(labels) + b"\0"
    if len(wire) > MAX_NAME:
        raise ValueError(
            f"{name!r}: a domain name has at most {MAX_NAME} octets in wire form, this one has {len(wire)}"
        )
    return wire


def _label(label: bytearray, name: str) -> bytes:
    if not label:
        raise ValueError(f"{name!r}: a label is empty (two dots in a row, or a dot in front)")
    if len(label) > MAX_LABEL:
        raise ValueError(f"{name!r}: a label has at most {MAX_LABEL} octets, one here has {len(label)}")
    return bytes([len(label)]) + bytes(label)


def _escape(name: str, position: int) -> tuple[int, int]:
    """The octet of the escape whose backslash is just before ``position``, and the position after it."""
    character = name[position : position + 1]
    if not character:
        raise ValueError(f"{name!r}: ends in a backslash with nothing to escape")
    if character not in "0123456789":
        if not 32 < ord(character) < 127:
            raise ValueError(f"{name!r}: {character!r} can't be escaped with a backslash, write \\DDD")
        return ord(character), position + 1
    digits = name[position : position + 3]
    if len(digits) != 3 or any(digit not in "0123456789" for digit in digits) or int(digits) > 255:
        raise ValueError(f"{name!r}: \\{digits} is not an octet; \\DDD wants three digits, 000 to 255")
    return int(digits), position + 3


def decode_name(message: bytes, offset: int) -> tuple[bytes, int]:
    """The uncompressed wire form of the name at ``offset``, case as sent, and the offset after it.

    Compression (RFC 1035 section 4.1.4) may lead backwards only, each hop further back than the one
    before, so that no message can make a loop. Raises WireError.
    """
    return _read_name(message, offset, {})


def _read_name(message: bytes, offset: int, known: dict[int, bytes]) -> tuple[bytes, int]:
    """decode_name() that remembers in ``known`` the names that pointers led to, by their offset."""
    parts: list[bytes] = []
    start = position = offset
    after = -1
    first_target = -1
    try:
        while True:
            length = message[position]
            if length == 0:
                position += 1
                parts.append(message[start:position])
                break
            if length <= MAX_LABEL:
                position += length + 1
                continue
            if length < 0xC0:
                raise WireError(f"octet {position}: unknown kind of label")
            target = (length & 0x3F) << 8 | message[position + 1]
            if target >= start:
                raise WireError(f"octet {position}: a compression pointer that does not lead backwards")
            parts.append(message[start:position])
            if after < 0:
                after = position + 2
                first_target = target
            suffix = known.get(target)
            if suffix is not None:
                parts.append(suffix)
                break
            if len(parts) > _MAX_HOPS:
                raise WireError(f"octet {offset}: a name of too many compression pointers")
            start = position = target
    except IndexError:
        raise WireError(f"octet {offset}: a name runs over the end of the message") from None
    wire = b"".join(parts)
    if len(wire) > MAX_NAME:
        raise WireError(f"octet {offset}: a name is longer than {MAX_NAME} octets")
    if after < 0:
        return wire, position
    known[first_target] = wire[len(parts[0]) :]
    return wire, after


_ESCAPED = frozenset(b'."\\();@$')


def name_text(wire: bytes) -> str:
    """The presentation form, with final dot, of an uncompressed wire name: for messages to people."""
    if wire == b"\0":
        return "."
    text: list[str] = []
    position = 0
    while position < len(wire) and wire[position]:
        length = wire[position]
        for octet in wire[position + 1 : position + 1 + length]:
            if octet in _ESCAPED:
                text.append("\\" + chr(octet))
            elif 32 < octet < 127:
                text.append(chr(octet))
            else:
                text.append(f"\\{octet:03d}")
        text.append(".")
        position += length + 1
    return "".join(text)


# --- Messages --------------------------------------------------------------------------------------


class Header(NamedTuple):
    """The header of a message (RFC 1035 section 4.1.1)."""

    message_id: int
    flags: int
    questions: int
    answers: int
    authorities: int
    additionals: int

    @property
    def is_response(self) -> bool:
        return bool(self.flags & 0x8000)

    @property
    def opcode(self) -> int:
        return self.flags >> 11 & 0xF

    @property
    def authoritative(self) -> bool:
        return bool(self.flags & 0x0400)

    @property
    def truncated(self) -> bool:
        return bool(self.flags & 0x0200)

    @property
    def rcode(self) -> int:
        return self.flags & 0xF


class Record(NamedTuple):
    """Where one resource record of a message is. The owner is uncompressed, its case as sent."""

    section: int
    owner: bytes
    rdtype: int
    rdclass: int
    ttl: int
    rdata_offset: int
    rdata_length: int


class SoaAnswer(NamedTuple):
    """What a server said when asked for a zone's SOA; serial is None where no such record came."""

    rcode: int
    authoritative: bool
    truncated: bool
    serial: int | None


def build_query(
    name: str,
    rdtype: int,
    *,
    message_id: int,
    recursion_desired: bool = False,
    edns_payload: int | None = None,
) -> bytes:
    """A query of class IN; with ``edns_payload`` (octets) it carries an OPT record (RFC 6891).

    Raises ValueError for a bad name.
    """
    flags = 0x0100 if recursion_desired else 0
    query = _HEADER.pack(message_id, flags, 1, 0, 0, 0 if edns_payload is None else 1)
    query += encode_name(name) + _QUESTION.pack(rdtype, CLASS_IN)
    if edns_payload is not None:
        query += b"\0" + _RECORD.pack(TYPE_OPT, edns_payload, 0, 0)
    return query


def parse_header(message: bytes) -> Header:
    """The header. Raises WireError where the message is too short for one."""
    try:
        return Header._make(_HEADER.unpack_from(message))
    except struct.error:
        raise WireError(f"{len(message)} octets are too few for a DNS header") from None


def check_response(message: bytes, message_id: int, name_wire: bytes, rdtype: int) -> tuple[Header, int]:
    """Is this the response to the query with that id and question? The header and the offset after the question.

    An error response, and the second and later messages of a zone transfer (RFC 5936 section 2.2.1),
    may come without the question. Raises WireError where it is not the response.
    """
    header = parse_header(message)
    if not header.is_response or header.opcode != 0:
        raise WireError("not a response to a query")
    if header.message_id != message_id:
        raise WireError(f"the response has id {header.message_id}, the query had {message_id}")
    if header.questions == 0:
        return header, 12
    if header.questions > 1:
        raise WireError(f"the response has {header.questions} questions")
    name, offset = decode_name(message, 12)
    try:
        question = _QUESTION.unpack_from(message, offset)
    except struct.error:
        raise WireError("the question runs over the end of the message") from None
    if name.lower() != name_wire.lower() or question != (rdtype, CLASS_IN):
        raise WireError(f"the response is to another question: {name_text(name)} type {question[0]}")
    return header, offset + 4


def parse_soa_answer(message: bytes, name: str, message_id: int) -> SoaAnswer:
    """The response to ``build_query(name, TYPE_SOA, message_id=message_id)``.

    Raises WireError for a message that is malformed or no response to that query: over UDP such a
    message is to be ignored, the right one may still come (RFC 5452 section 9.1).
    """
    wire = encode_name(name)
    header, offset = check_response(message, message_id, wire, TYPE_SOA)
    if header.questions == 0 and header.rcode == NOERROR:
        raise WireError("the response does not repeat the question")
    serial = None
    if not header.truncated:
        for record in _records(message, header, offset):
            wanted = record.section == ANSWER and record.rdtype == TYPE_SOA and record.rdclass == CLASS_IN
            if wanted and record.owner.lower() == wire.lower():
                serial = soa_serial(message, record)
    return SoaAnswer(header.rcode, header.authoritative, header.truncated, serial)


def soa_serial(message: bytes, record: Record) -> int:
    """The SERIAL of an SOA record (RFC 1035 section 3.3.13). Raises WireError."""
    rdata = canonical_rdata(message, record.rdata_offset, record.rdata_length, TYPE_SOA)
    return _U32.unpack_from(rdata, len(rdata) - 20)[0]


def walk_records(message: bytes) -> Iterator[Record]:
    """Every record of the answer, authority and additional sections, in order. Raises WireError.

    RDATA is not looked into: see canonical_rdata().
    """
    header = parse_header(message)
    offset = 12
    for _question in range(header.questions):
        offset = decode_name(message, offset)[1] + 4
    return _records(message, header, offset)


def walk_records_after(message: bytes, offset: int, authorities: int, additionals: int) -> Iterator[Record]:
    """As walk_records(), for what follows the answer section, which ends at ``offset``."""
    return _records(message, Header(0, 0, 0, 0, authorities, additionals), offset)


def _records(message: bytes, header: Header, offset: int) -> Iterator[Record]:
    known: dict[int, bytes] = {}
    size = len(message)
    counts = ((ANSWER, header.answers), (AUTHORITY, header.authorities), (ADDITIONAL, header.additionals))
    for section, count in counts:
        for _record in range(count):
            owner, fixed = _read_name(message, offset, known)
            start = fixed + 10
            if start > size:
                raise WireError(f"octet {offset}: a record runs over the end of the message")
            rdtype, rdclass, ttl, length = _RECORD.unpack_from(message, fixed)
            offset = start + length
            if offset > size:
                raise WireError(f"octet {start}: RDATA runs over the end of the message")
            yield Record(section, owner, rdtype, rdclass, ttl, start, length)
    if offset != size:
        raise WireError(f"{size - offset} octets left over after the last record")


# --- Content ---------------------------------------------------------------------------------------


def canonical_rdata(message: bytes, offset: int, length: int, rdtype: int) -> bytes:
    """RDATA without compression, embedded names in lower case (RFC 4034 section 6.2 item 3, RFC 6840 section 5.1).

    Lower case for NS MD MF CNAME SOA MB MG MR PTR MINFO MX RP AFSDB RT SIG PX NXT NAPTR KX SRV DNAME and the
    signer's name of RRSIG; not for NSEC, and HINFO has no names (RFC 6840). A6 is historic and opaque here, as is
    every other type. KX, DNAME and RRSIG must come uncompressed, the others may not (RFC 3597 section 4).
    Raises WireError.
    """
    return _fold_names(message, offset, offset + length, rdtype, _LAYOUTS.get(rdtype), {})


def _fold_names(
    message: bytes, offset: int, end: int, rdtype: int, layout: _Layout | None, known: dict[int, bytes]
) -> bytes:
    if end > len(message):
        raise WireError(f"octet {offset}: RDATA runs over the end of the message")
    if layout is None:
        return message[offset:end]
    position = offset + layout.fixed
    for _string in range(layout.strings):
        if position >= end:
            raise _bad_rdata(offset, rdtype)
        position += message[position] + 1
    rdata = message[offset:position]
    for _name in range(layout.names):
        start = position
        name, position = _read_name(message, start, known)
        if not layout.compressible and position - start != len(name):
            raise WireError(f"octet {start}: a compressed name in the RDATA of type {rdtype} (RFC 3597 section 4)")
        rdata += name.lower()
    left = end - position
    if left < 0 or (layout.tail != _ANY_TAIL and left != layout.tail):
        raise _bad_rdata(offset, rdtype)
    return rdata + message[position:end]


def _bad_rdata(offset: int, rdtype: int) -> WireError:
    return WireError(f"octet {offset}: RDATA of the wrong size for type {rdtype}")


def without_serial(soa: bytes) -> bytes:
    """The RDATA of an SOA record, its SERIAL zero (RFC 1035 section 3.3.13: five numbers of four octets at its end)."""
    return soa[:-20] + b"\0\0\0\0" + soa[-16:]


class ContentDigest:
    """A digest of a zone's content that depends neither on the order of records nor on the SOA's serial.

    Every record becomes SHA-256(owner | type | class | TTL | RDLENGTH | RDATA), the owner in lower case, RDATA as of
    canonical_rdata() with the names of SVCB, HTTPS and LP in lower case, too; the digest is the sum of these modulo
    2**256. So order does not matter, a record that comes twice counts twice, and a million records need no memory.
    The SOA's SERIAL is taken as zero.

    A zone transfer ends with the SOA it began with (RFC 5936 section 2.2): the caller adds it once.
    It finds differences that happen; it is no protection against someone who may choose records (that's TSIG's
    part), since sums of hashes can be made to collide.
    """

    def __init__(self) -> None:
        self.records = 0
        self._sum = 0

    def add(
        self, owner_wire: bytes, rdtype: int, rdclass: int, ttl: int, message: bytes, offset: int, length: int
    ) -> None:
        """Add a record whose RDATA is in a message, possibly compressed; the owner is not. Raises WireError."""
        rdata = _fold_names(message, offset, offset + length, rdtype, _DIGEST_LAYOUTS.get(rdtype), {})
        if rdtype == TYPE_SOA:
            rdata = without_serial(rdata)
        fixed = _RECORD.pack(rdtype, rdclass, ttl, len(rdata))
        record_hash = sha256(owner_wire.lower() + fixed + rdata).digest()
        self._sum = (self._sum + int.from_bytes(record_hash, "big")) & _MODULUS_MASK
        self.records += 1

    def add_wire(self, owner_wire: bytes, rdtype: int, rdclass: int, ttl: int, rdata: bytes) -> None:
        """Add a record whose owner and RDATA are uncompressed wire form, case as it comes. Raises WireError."""
        self.add(owner_wire, rdtype, rdclass, ttl, rdata, 0, len(rdata))

    def add_sum(self, records: int, hashes: int) -> None:
        """Add the sum of record hashes made elsewhere: for digest_answers()."""
        self._sum = (self._sum + hashes) & _MODULUS_MASK
        self.records += records

    def hexdigest(self) -> str:
        """64 hexadecimal digits; all zero for no records."""
        return f"{self._sum:064x}"


class Digested(NamedTuple):
    """What digest_answers() met: the SOA records with their place in the section, and the offset after it."""

    soas: list[tuple[int, Record]]
    end: int


def digest_answers(message: bytes, offset: int, answers: int, digest: ContentDigest) -> Digested:
    """Add the ``answers`` records from ``offset`` on to the digest, except SOA records: these are handed back.

    The caller knows which SOA begins a transfer and which ends it. This is the one hot loop of a zone transfer
    (about a million records a second), hence no object per record and the name decoding of the two
    common shapes (a pointer, a label and a pointer) in line; it adds what ContentDigest.add() would.
    Raises WireError; the digest is then as before.
    """
    known: dict[int, bytes] = {}
    layouts = _DIGEST_LAYOUTS
    unpack = _RECORD.unpack_from
    pack = _RECORD.pack
    hashed = sha256
    number = int.from_bytes
    size = len(message)
    soas: list[tuple[int, Record]] = []
    hashes = 0
    for index in range(answers):
        try:
            # A name in `known` was read at an earlier, lower offset than this: the pointer leads backwards.
            first = message[offset]
            if first >= 0xC0:
                fixed = offset + 2
                owner = known[(first & 0x3F) << 8 | message[offset + 1]]
            else:
                fixed = offset + first + 3
                second = message[fixed - 2]
                if second < 0xC0 or not 0 < first <= MAX_LABEL:
                    raise KeyError
                owner = message[offset : fixed - 2] + known[(second & 0x3F) << 8 | message[fixed - 1]]
                if len(owner) > MAX_NAME:
                    raise KeyError
        except (KeyError, IndexError):
            owner, fixed = _read_name(message, offset, known)
        start = fixed + 10
        if start > size:
            raise WireError(f"octet {offset}: a record runs over the end of the message")
        rdtype, rdclass, ttl, length = unpack(message, fixed)
        offset = start + length
        if offset > size:
            raise WireError(f"octet {start}: RDATA runs over the end of the message")
        layout = layouts.get(rdtype)
        if layout is None:
            # Type, class, TTL, RDLENGTH and RDATA stand in the message as they are hashed.
            hashes += number(hashed(owner.lower() + message[fixed:offset]).digest(), "big")
        elif rdtype == TYPE_SOA:
            soas.append((index, Record(ANSWER, owner, rdtype, rdclass, ttl, start, length)))
        else:
            rdata = _fold_names(message, start, offset, rdtype, layout, known)
            record = owner.lower() + pack(rdtype, rdclass, ttl, len(rdata)) + rdata
            hashes += number(hashed(record).digest(), "big")
    digest.add_sum(answers - len(soas), hashes)
    return Digested(soas, offset)
