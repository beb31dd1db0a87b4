# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A zone file as its owner wrote it: what is in it, what is wrong with it, and where its serial stands.

The master file format (RFC 1035 section 5, RFC 2308 section 4 for $TTL, BIND's $GENERATE) is read here, the data
of each record by dnspython. dnspython's own reader is not used: what it makes of missing TTLs, $GENERATE and CRLF
differs between its versions and from BIND, it stops at the first mistake, skips records outside the zone without
a word, and does not say where the serial is. What is unusual here is read as BIND reads it; what named refuses in
a primary zone is refused here too, with file, line and mend, before any host is touched.
"""

from __future__ import annotations

import re
import struct
from enum import Enum
from functools import lru_cache
from ipaddress import ip_address
from socket import AF_INET, AF_INET6, inet_pton
from typing import Callable, Dict, Iterator, NamedTuple, Sequence

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import wire
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem

try:
    import dns.exception
    import dns.name
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    import dns.tokenizer

    HAS_DNSPYTHON = True
    _Tokenizer = dns.tokenizer.Tokenizer
except ImportError:
    HAS_DNSPYTHON = False
    _Tokenizer = object

MAX_TTL = 2**31 - 1  # RFC 2181 section 8
MAX_SERIAL = 2**32 - 1
MAX_GENERATED = 100_000  # records of one $GENERATE: more is a slip of the keyboard
MAX_PROBLEMS = 25  # of one zone: a file of another format has as many as it has lines
_MAX_REASON = 400  # characters
_MAX_RDATA = 65535  # octets: RFC 1035 section 3.2.1

A = 1
NS = 2
CNAME = 5
SOA = 6
PTR = 12
MX = 15
TXT = 16
KEY = 25
AAAA = 28
SRV = 33
NAPTR = 35
DNAME = 39
OPT = 41
DS = 43
RRSIG = 46
NSEC = 47
ZONEMD = 63
CAA = 257

_SINGLE = {CNAME: "CNAME", DNAME: "DNAME"}
_OVER_SERIAL = {RRSIG: "RRSIG", ZONEMD: "ZONEMD"}  # what holds a signature or a digest over the SOA record
_BESIDE_CNAME = {CNAME, KEY, RRSIG, NSEC}  # RFC 2181 section 10.1, RFC 4034 section 2.5

_EXAMPLES = {
    A: "A 192.0.2.80",
    NS: "NS ns1.example.net.",
    CNAME: "CNAME www.example.net.",
    SOA: "SOA ns1.example.net. hostmaster.example.net. 2026010100 3600 600 1209600 3600",
    PTR: "PTR www.example.net.",
    MX: "MX 10 mail.example.net.",
    TXT: 'TXT "one string of up to 255 octets" "and another"',
    AAAA: "AAAA 2001:db8::80",
    SRV: "SRV 10 50 5060 sip.example.net.",
    DNAME: "DNAME example.net.",
    CAA: 'CAA 0 issue "letsencrypt.org"',
}


class ZoneTextError(InputError):
    """All problems of one zone file."""


class Soa(NamedTuple):
    """The SOA record without its serial: names lower-case without final dot, times in seconds."""

    mname: str
    rname: str
    refresh: int
    retry: int
    expire: int
    minimum: int
    ttl: int


class ZoneText(NamedTuple):
    """A zone file that can be published.

    ``before + str(serial) + after`` is the user's text with another serial. ``digest`` is the
    wire.ContentDigest of all records, ``records`` their number, exact duplicates counted once as name servers do.
    Names are lower-case and absolute without the final dot. ``name_servers`` are the targets of the
    NS records at the apex, sorted; ``addresses`` has an entry for each of them that is inside the zone.
    """

    name: str
    before: str
    after: str
    serial: int
    digest: str
    records: int
    soa: Soa
    name_servers: tuple[str, ...]
    addresses: dict[str, tuple[str, ...]]
    warnings: tuple[Problem, ...]


class Record(NamedTuple):
    """A record in canonical wire form: owner in lower case, type, TTL in seconds, RDATA; the SOA's serial is zero."""

    owner: bytes
    rdtype: int
    ttl: int
    rdata: bytes


def line_place(line: int) -> str:
    return f"line {line}"


def decode(name: str, data: bytes, file: str) -> str:
    """The text of a zone file's octets. Raises ZoneTextError where they are not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"the octet 0x{data[error.start]:02x} is not UTF-8"
        raise ZoneTextError([Problem(reason, "Save the file as UTF-8", zone=name, file=file, line=line)]) from None


def require_dnspython(name: str, file: str) -> None:
    """Raises ZoneTextError where dnspython is missing, without which no record can be read."""
    if not HAS_DNSPYTHON:
        reason = "zone files can't be read: the Python library dnspython is missing on the controller"
        raise ZoneTextError([Problem(reason, "Install dnspython 2.3 or later", zone=name, file=file)])


def read_zone(name: str, text: str, file: str, place: Callable[[int], str] = line_place) -> ZoneText:
    """Read the text of the zone ``name``, a domain name without final dot; ``file`` is what messages call it.

    ``place`` says how reasons write another line than their own, for text that was made of something else.
    Raises ZoneTextError with all problems of the text, as far as one does not hide another: the zone as
    a whole is looked at once each line can be read.
    """
    require_dnspython(name, file)
    reader = _Reader(name, file, place)
    reader.read(text)
    reader.stop_on_problems()
    _Checks(reader).run()
    reader.stop_on_problems()
    return reader.result(text)


def read_lines(name: str, text: str, file: str, place: Callable[[int], str] = line_place) -> None:
    """read_zone() without its look at the zone as a whole: for a text that lacks records. Raises ZoneTextError."""
    reader = _Reader(name, file, place)
    reader.read(text)
    reader.stop_on_problems()


def read_records(name: str, text: str, file: str) -> list[Record]:
    """The records of a text that was published: as read_lines(), and raises ZoneTextError as that does."""
    require_dnspython(name, file)
    reader = _Reader(name, file, line_place)
    reader.read(text)
    reader.stop_on_problems()
    return [
        Record(owner, rdtype, rrset.ttl, wire.without_serial(rdata) if rdtype == SOA else rdata)
        for owner, node in reader.nodes.items()
        for rdtype, rrset in node.items()
        for rdata in rrset.records
    ]


# --- From text to lines and words ------------------------------------------------------------------


class _Word(NamedTuple):
    text: str  # without the quotes, escapes as written
    quoted: bool
    spaced: bool  # something stands between this word and the one before
    start: int  # offset in the text
    line: int


class _Line(NamedTuple):
    """A line of the zone file, or several held together by parentheses; never without words."""

    words: list[_Word]
    indented: bool  # begins with a blank: the owner is that of the record before


class _Wrong(Exception):
    """A mistake that makes the rest of the line unreadable."""

    def __init__(self, line: int, reason: str, mend: str = "") -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason
        self.mend = mend


_WORD = re.compile(
    r"""[ \t]*(?:
        ((?:[^ \t\r\n;()"\\]|\\[^\r\n])+)           # 1: a word
        |"([^"\\\r\n]*(?:\\[^\r\n][^"\\\r\n]*)*)"  # 2: a quoted string
        |(\r?\n)                                    # 3: the end of a line
        |;[^\n]*                                    # a comment
        |([()])                                     # 4: a parenthesis
        |(["\\][^\r\n]*)                            # 5: what can't be read, to the end of the line
        |\Z
    )""",
    re.VERBOSE,
)


def _lines(text: str) -> Iterator[_Line | _Wrong]:
    """The lines that have words on them, and in their places the lines that can't be split into words."""
    words: list[_Word] = []
    wrong: _Wrong | None = None
    number = 1
    line_start = end = 0
    opened: list[int] = []  # the lines of the parentheses that are open
    for match in _WORD.finditer(text):
        kind = match.lastindex
        if kind == 1:
            start = match.start(1)
            words.append(_Word(match.group(1), False, start != end, start, number))
            end = match.end()
        elif kind == 2:
            words.append(_Word(match.group(2), True, match.start(2) - 1 != end, match.start(2), number))
            end = match.end()
        elif kind == 3:
            number += 1
            if not opened:
                if wrong:
                    yield wrong
                elif words:
                    yield _Line(words, text[line_start] in " \t")
                words = []
                wrong = None
                line_start = match.end()
        elif kind == 4:
            if match.group(4) == "(":
                opened.append(number)
            elif opened:
                opened.pop()
            else:
                wrong = wrong or _Wrong(number, "a ) without a ( before it", "Remove it, or add the (")
        elif kind == 5:
            if match.group(5)[0] == '"':
                wrong = wrong or _Wrong(
                    number, "a quoted string is not closed on its line", 'Add the ", or write \\" for a quote in a text'
                )
            else:
                wrong = wrong or _Wrong(number, "the line ends in a backslash", "Remove it, or write \\\\ for one")
    if wrong:
        yield wrong
    elif opened:
        yield _Wrong(opened[0], "a ( is not closed", "Add the ) after the last part of the record")
    elif words:
        yield _Line(words, text[line_start] in " \t")


class _RecordWords(_Tokenizer):
    """dnspython's tokenizer over the words of a record that are split already.

    Its own one goes letter by letter, and not alike in all versions.
    """

    def __init__(self, words: Sequence[_Word]) -> None:
        # Not super().__init__(): that opens a text to read from. This one is all that the inherited methods use.
        self.idna_codec = None
        self.words = words
        self.position = 0

    def get(self, want_leading: bool = False, want_comment: bool = False) -> dns.tokenizer.Token:
        if self.position >= len(self.words):
            self.position += 1
            return dns.tokenizer.Token(dns.tokenizer.EOL, "\n")
        word = self.words[self.position]
        if want_leading and word.spaced:
            return dns.tokenizer.Token(dns.tokenizer.WHITESPACE, " ")
        self.position += 1
        kind = dns.tokenizer.QUOTED_STRING if word.quoted else dns.tokenizer.IDENTIFIER
        return dns.tokenizer.Token(kind, word.text, "\\" in word.text)

    def unget(self, token: dns.tokenizer.Token) -> None:
        self.position -= 1

    @property
    def ended(self) -> bool:
        return self.position > len(self.words)

    @property
    def last(self) -> _Word:
        """The word read last."""
        return self.words[-1] if self.ended else self.words[max(self.position, 1) - 1]


# --- From lines to records -------------------------------------------------------------------------

_TTL = re.compile(r"[0-9]{1,20}|(?:[0-9]{1,20}[wdhms])+", re.IGNORECASE)
_TTL_PART = re.compile(r"([0-9]+)([wdhms]?)")
_TTL_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_CLASS = re.compile(r"IN|CH|CHAOS|HS|HESIOD|ANY|NONE|RESERVED0|CLASS[0-9]+", re.IGNORECASE)
_IN = ("IN", "CLASS1")
_ABSOLUTE = re.compile(r"(?:[^\\]|\\.)*\.", re.DOTALL)
_INTEGER = re.compile(r"[0-9]{1,20}")
_RANGE = re.compile(r"([0-9]{1,10})-([0-9]{1,10})(?:/([0-9]{1,10}))?")
_MODIFIER = re.compile(r"\{([+-]?[0-9]{1,9})(?:,([0-9]{1,9})(?:,([doxXnN]))?)?\}")
# BIND's limits of a number in $GENERATE and of the digits it is written with.
_MAX_NUMBER = 2**31 - 1
_MAX_WIDTH = 127

_STRING_TYPES = {13, 19, 20, 27, NAPTR, 256, 257}  # HINFO, X25, ISDN, GPOS, NAPTR, URI, CAA
_HIGH_OCTET = re.compile(r"(?<!\\)(?:\\\\)*\\(?:12[89]|1[3-9][0-9]|2[0-9][0-9])")

_ADDRESS_FAMILIES = {A: AF_INET, AAAA: AF_INET6}
# How many 16 bit numbers, names and 32 bit numbers the data have.
_PLAIN_FORMS = {
    NS: (0, 1, 0),
    CNAME: (0, 1, 0),
    SOA: (0, 2, 5),
    PTR: (0, 1, 0),
    MX: (1, 1, 0),
    SRV: (3, 1, 0),
    DNAME: (0, 1, 0),
}

_RECORD_FORM = "Write owner, TTL, class, type and data in this order, such as `www 3600 IN A 192.0.2.80`"


class _RRset(NamedTuple):
    ttl: int
    line: int  # of the first record
    records: dict[bytes, int]  # canonical RDATA to the line it stands on


_Node = Dict[int, _RRset]


class _Reader:
    """Reads one zone file, line by line, into nodes: owner in lower case to RRsets by type."""

    def __init__(self, name: str, file: str, place: Callable[[int], str]) -> None:
        self.name = name
        self.file = file
        self.place = place
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.apex = wire.encode_name(name).lower()
        self.origin = self.apex
        self.origin_name = _dns_name(self.origin)
        self.origin_line = 0  # of the $ORIGIN since which no owner was written
        self.owner: bytes | None = None
        self.owner_is_wrong = False  # said once: lines that inherit it are passed over
        self.default_ttl: int | None = None
        self.last_ttl: int | None = None
        self.warned_of_ttl = False
        self.nodes: dict[bytes, _Node] = {}
        self.digest = wire.ContentDigest()
        self.soa_line: int | None = None
        self.serial_word: _Word | None = None

    def problem(self, line: int | None, reason: str, mend: str) -> None:
        self.problems.append(self._make(line, reason, mend))

    def warn(self, line: int, reason: str, mend: str) -> None:
        self.warnings.append(self._make(line, reason, mend))

    def _make(self, line: int | None, reason: str, mend: str) -> Problem:
        """A reason may quote the file, where lines can be long and not for terminals."""
        shown = "".join(character if character.isprintable() else "?" for character in reason[:_MAX_REASON])
        return Problem(shown if len(reason) <= _MAX_REASON else f"{shown}...", mend, self.name, None, self.file, line)

    def stop_on_problems(self) -> None:
        if not self.problems:
            return
        problems = sorted(self.problems, key=lambda problem: problem.line or 0)
        if len(problems) > MAX_PROBLEMS:
            self.problems = []
            self.problem(None, f"more than {MAX_PROBLEMS} problems, the first of them above", "Mend those first")
            problems = problems[:MAX_PROBLEMS] + self.problems
        raise ZoneTextError(problems)

    def read(self, text: str) -> None:
        if self._is_no_text(text):
            return
        empty = True
        for line in _lines(text):
            empty = False
            try:
                if isinstance(line, _Wrong):
                    self.owner_is_wrong = True
                    raise line
                self._line(line)
            except _Wrong as wrong:
                self.problem(wrong.line, wrong.reason, wrong.mend)
                if len(self.problems) > MAX_PROBLEMS:
                    return
        if empty:
            self.problem(None, "the file has no records", "Write at least an SOA and an NS record")

    def _is_no_text(self, text: str) -> bool:
        """What named would misread or cut off without a word."""
        for pattern, reason, mend in (
            ("^\ufeff", "the file begins with a byte order mark", "Save it as UTF-8 without one"),
            ("\0", "a NUL character", "Remove it: this is no text file"),
            ("\r(?!\n)", "a carriage return that ends no line", "Save the file with LF or CRLF line ends"),
            ("[\ud800-\udfff]", "a character that is not UTF-8", "Save the file as UTF-8"),
        ):
            match = re.search(pattern, text)
            if match:
                self.problem(text.count("\n", 0, match.start()) + 1, reason, mend)
        return bool(self.problems)

    def _line(self, line: _Line) -> None:
        words = line.words
        first = words[0]
        _refuse_letters(words)
        if line.indented:
            self._inherit_owner(first)
            if not self.owner_is_wrong:
                self._record(words, 0)
        elif first.text.startswith("$") and not first.quoted:
            self._directive(words)
        else:
            self.owner_is_wrong = True
            self.origin_line = 0
            self.owner = self._owner(first)
            self._refuse_outside(self.owner, first.line)
            self.owner_is_wrong = False
            self._record(words, 1)

    def _inherit_owner(self, first: _Word) -> None:
        if first.text.startswith("$"):
            raise _Wrong(first.line, f"{first.text} after a blank is no directive", "Begin the line with it")
        if self.owner is None and not self.owner_is_wrong:
            raise _Wrong(
                first.line,
                "a line that begins with a blank has the owner of the record before it, and there is none",
                "Begin the line with the owner, @ for the zone itself",
            )
        if self.origin_line and self.owner is not None:
            self.warn(
                first.line,
                f"this record belongs to {_text(self.owner)}, the owner before the $ORIGIN in line {self.origin_line}",
                "Write the owner out",
            )
        self.origin_line = 0

    def _refuse_outside(self, owner: bytes, line: int) -> None:
        if not _within(owner, self.apex):
            raise _Wrong(
                line,
                f"{_text(owner)} is not in the zone",
                f"Move the record to its own zone, or make the name one that ends in {self.name}",
            )

    def _owner(self, word: _Word) -> bytes:
        """The absolute name in wire form and lower case."""
        if word.quoted:
            raise _Wrong(word.line, f'a quoted string, "{word.text}", where a name belongs', "Remove the quotes")
        return self._name(word.text, word.line)

    def _name(self, text: str, line: int) -> bytes:
        if text == "@":
            return self.origin
        try:
            name = _encode_name(text)
        except ValueError as error:
            raise _Wrong(line, str(error), "Mend the name") from None
        if _ABSOLUTE.fullmatch(text):
            return name
        name = name[:-1] + self.origin
        if len(name) > wire.MAX_NAME:
            raise _Wrong(line, f"{_text(name)} is longer than {wire.MAX_NAME} octets", "Shorten the name")
        return name

    # Directives

    def _directive(self, words: list[_Word]) -> None:
        directive = words[0].text.upper()
        line = words[0].line
        if directive == "$INCLUDE":
            raise _Wrong(line, "$INCLUDE is not supported yet", "Put the text of that file here")
        if directive == "$GENERATE":
            self._generate(words)
            return
        if directive not in ("$TTL", "$ORIGIN"):
            raise _Wrong(line, f"{words[0].text} is not a directive", "Use $TTL, $ORIGIN or $GENERATE, or write \\$")
        if len(words) != 2:
            raise _Wrong(line, f"{directive} takes one value", f"Write `{directive} value` on a line of its own")
        if directive == "$ORIGIN":
            self.origin = self._owner(words[1])
            self.origin_name = _dns_name(self.origin)
            self.origin_line = line
        else:
            if words[1].quoted or not _TTL.fullmatch(words[1].text):
                raise _Wrong(line, f'"{words[1].text}" is not a TTL', "Write seconds, or units such as 1h30m")
            self.default_ttl = _ttl(words[1])

    def _generate(self, words: list[_Word]) -> None:
        """$GENERATE range owner [TTL] [class] type data, as in BIND's manual."""
        line = words[0].line
        form = "Write it like `$GENERATE 1-50 host-$ A 192.0.2.$` with quotes round data that have blanks"
        if len(words) < 5 or any(word.quoted for word in words[1:-1]):
            raise _Wrong(line, "$GENERATE takes a range, an owner, a type and data", form)
        span = _RANGE.fullmatch(words[1].text)
        start, stop, step = (int(number or 1) for number in span.groups()) if span else (1, 0, 1)
        if start > stop or stop > _MAX_NUMBER or step == 0:
            raise _Wrong(line, f"{words[1].text} is not a range for $GENERATE", "Write it like 1-50 or 0-100/4")
        numbers = range(start, stop + 1, step)
        if len(numbers) > MAX_GENERATED:
            raise _Wrong(line, f"$GENERATE makes {len(numbers)} records", f"Make at most {MAX_GENERATED} in one go")
        ttl, rdtype, position = self._ttl_and_type(words, 3)
        if position != len(words) - 1:
            raise _Wrong(line, "$GENERATE takes one word or one quoted string as data", form)
        if rdtype == SOA:
            raise _Wrong(line, "$GENERATE can't make an SOA record", "Write the record out")
        data = words[position].text
        if words[position].quoted and '\\"' in data:
            # BIND reads such data twice, and the second time the quote is a quote.
            raise _Wrong(line, '\\" inside the data of $GENERATE', "Write the records out")
        ttl = self._implied_ttl(ttl, line)
        for number in numbers:
            owner = self._name(_substitute(words[2].text, number, line), line)
            self._refuse_outside(owner, line)
            made = [item for item in _lines(_substitute(data, number, line)) if isinstance(item, _Line)]
            if len(made) != 1:
                raise _Wrong(line, "the data of $GENERATE can't be read", form)
            rdata_words = [word._replace(line=line) for word in made[0].words]
            _refuse_letters(rdata_words)
            self._add(owner, rdtype, ttl, self._rdata(rdtype, rdata_words, line), line)

    # Records

    def _record(self, words: list[_Word], position: int) -> None:
        line = words[0].line
        ttl, rdtype, position = self._ttl_and_type(words, position)
        data = words[position:]
        if rdtype == SOA:
            self._soa(data, line)
        rdata = self._rdata(rdtype, data, line)
        if rdtype == SOA and self.default_ttl is None and self.last_ttl is None:
            ttl = self.default_ttl = _limit_ttl(struct.unpack_from("!I", rdata, len(rdata) - 4)[0], line)
            self.warn(
                line,
                f"there is no $TTL, so the last number of the SOA record, {ttl}, becomes the default TTL",
                f"Write `$TTL {ttl}` as the first line",
            )
        ttl = self._implied_ttl(ttl, line)
        self._add(self.owner, rdtype, ttl, rdata, line)

    def _ttl_and_type(self, words: list[_Word], position: int) -> tuple[int | None, int, int]:
        """Read ``[TTL] [class] type`` in the orders that are allowed: the TTL, the type, and where the data begin."""
        ttl: int | None = None
        has_class = False
        for index in range(position, len(words)):
            word = words[index]
            if word.quoted:
                raise _Wrong(word.line, f'a quoted string, "{word.text}", where the type belongs', _RECORD_FORM)
            if not has_class and _CLASS.fullmatch(word.text):
                if word.text.upper() not in _IN:
                    raise _Wrong(word.line, f"class {word.text} is not the zone's class IN", "Remove the record")
                has_class = True
            elif ttl is None and _TTL.fullmatch(word.text):
                ttl = self.last_ttl = _ttl(word)
            else:
                try:
                    return ttl, record_type(word.text), index + 1
                except ValueError as error:
                    raise _Wrong(word.line, str(error), _RECORD_FORM) from None
        raise _Wrong(words[-1].line, "the record has no type", _RECORD_FORM)

    def _implied_ttl(self, ttl: int | None, line: int) -> int:
        """The TTL of a record that may not have its own (RFC 2308 section 4; before that RFC 1035 section 5.1)."""
        if ttl is not None:
            return ttl
        if self.default_ttl is not None:
            return self.default_ttl
        if self.last_ttl is None:
            raise _Wrong(line, "there is no TTL for this record", "Write `$TTL 3600` as the first line of the file")
        if not self.warned_of_ttl:
            self.warned_of_ttl = True
            self.warn(
                line,
                f"there is no $TTL, so this record has the last TTL before it, {self.last_ttl}",
                f"Write `$TTL {self.last_ttl}` as the first line",
            )
        return self.last_ttl

    def _soa(self, words: list[_Word], line: int) -> None:
        if self.soa_line is not None:
            raise _Wrong(line, f"a second SOA record; the first is in line {self.soa_line}", "Remove one of them")
        if self.owner != self.apex:
            raise _Wrong(
                line,
                f"the SOA record belongs to {_text(self.owner)} and not to {self.name}",
                f"Give it the owner {self.name}. (with the final dot)",
            )
        self.soa_line = line
        if words and words[0].text == "\\#":
            raise _Wrong(line, "the SOA record is in generic form", f"Write it like `{_EXAMPLES[SOA]}`")
        if len(words) < 3:
            return  # the data are incomplete, which _rdata() says in its words
        word = words[2]
        if word.quoted or not _INTEGER.fullmatch(word.text) or int(word.text) > MAX_SERIAL:
            raise _Wrong(
                word.line,
                f"the serial {word.text} is not a number from 0 to {MAX_SERIAL}",
                "Write one of at most ten digits, such as 2026010100",
            )
        self.serial_word = word

    def _rdata(self, rdtype: int, words: list[_Word], line: int) -> bytes:
        """The canonical RDATA in wire form."""
        if words and words[0].text == "\\#" and not words[0].quoted:
            return _generic_rdata(rdtype, words)
        rdata = self._plain_rdata(rdtype, words)
        if rdata is not None:
            return rdata
        _refuse_escapes(rdtype, words)
        source = _RecordWords(words)
        try:
            record = dns.rdata.from_text(dns.rdataclass.IN, rdtype, source, self.origin_name, False)
            return _canonical(rdtype, record.to_wire())
        except Exception as error:  # dnspython has no one class for what it finds wrong
            line = source.last.line if words else line
            raise _Wrong(line, f"{_type_text(rdtype)} record: {_explain(source, error)}", _data_mend(rdtype)) from None

    def _plain_rdata(self, rdtype: int, words: list[_Word]) -> bytes | None:
        """_rdata() for the common types in their common form, else None.

        dnspython takes ten times as long, and nearly all records of nearly all zones are of this kind.
        """
        texts = [word.text for word in words]
        if rdtype == TXT and texts:
            return _plain_strings(texts)
        if any(word.quoted for word in words):
            return None
        if rdtype in _ADDRESS_FAMILIES and len(texts) == 1:
            try:
                return inet_pton(_ADDRESS_FAMILIES[rdtype], texts[0])
            except OSError:
                version = "IPv4" if rdtype == A else "IPv6"
                reason = f'"{texts[0]}" is not an {version} address'
                raise _Wrong(words[0].line, reason, f"Write it like `{_EXAMPLES[rdtype]}`") from None
        if rdtype not in _PLAIN_FORMS or len(texts) != sum(_PLAIN_FORMS[rdtype]):
            return None
        shorts, names, longs = _PLAIN_FORMS[rdtype]
        try:
            before = struct.pack(f"!{shorts}H", *map(_integer, texts[:shorts]))
            after = struct.pack(f"!{longs}I", *map(_integer, texts[shorts + names :]))
        except (ValueError, struct.error):
            return None
        return before + b"".join(self._name(word.text, word.line) for word in words[shorts : shorts + names]) + after

    def _add(self, owner: bytes, rdtype: int, ttl: int, rdata: bytes, line: int) -> None:
        if len(rdata) > _MAX_RDATA:
            reason = f"the data of this {_type_text(rdtype)} record have {len(rdata)} octets, and {_MAX_RDATA} fit"
            raise _Wrong(line, reason, "Make several records of it")
        rrset = self.nodes.setdefault(owner, {}).setdefault(rdtype, _RRset(ttl, line, {}))
        if ttl != rrset.ttl:
            type_text = _type_text(rdtype)
            raise _Wrong(
                line,
                f"this {type_text} record of {_text(owner)} has the TTL {ttl}, the one in "
                f"{self.place(rrset.line)} has {rrset.ttl}, and records of one name and type have one TTL",
                "Make them equal",
            )
        if rdata not in rrset.records:
            rrset.records[rdata] = line
            self.digest.add_wire(owner, rdtype, wire.CLASS_IN, ttl, rdata)

    def result(self, text: str) -> ZoneText:
        """What was read, once the checks are passed."""
        start = self.serial_word.start
        serial = self.serial_word.text
        rrset = self.nodes[self.apex][SOA]
        (rdata,) = rrset.records
        mname, offset = wire.decode_name(rdata, 0)
        rname, offset = wire.decode_name(rdata, offset)
        _serial, refresh, retry, expire, minimum = struct.unpack_from("!5I", rdata, offset)
        name_servers = sorted(self.nodes[self.apex][NS].records, key=_text)
        return ZoneText(
            name=self.name,
            before=text[:start],
            after=text[start + len(serial) :],
            serial=int(serial),
            digest=self.digest.hexdigest(),
            records=self.digest.records,
            soa=Soa(_text(mname), _text(rname), refresh, retry, expire, minimum, rrset.ttl),
            name_servers=tuple(_text(server) for server in name_servers),
            addresses={_text(server): self._addresses(server) for server in name_servers if _within(server, self.apex)},
            warnings=tuple(sorted(self.warnings, key=lambda warning: warning.line or 0)),
        )

    def _addresses(self, name: bytes) -> tuple[str, ...]:
        node = self.nodes.get(name, {})
        return tuple(str(ip_address(rdata)) for rdtype in (A, AAAA) if rdtype in node for rdata in node[rdtype].records)


def _limit_ttl(ttl: int, line: int) -> int:
    if ttl > MAX_TTL:
        raise _Wrong(line, f"the TTL {ttl} is more than {MAX_TTL}", "Write a smaller one: 86400 is a day")
    return ttl


def _ttl(word: _Word) -> int:
    return _limit_ttl(seconds(word.text), word.line)


def seconds(text: str) -> int:
    """Seconds of a TTL such as 3600 or 1h30m. Raises ValueError for text that is none."""
    if not _TTL.fullmatch(text):
        raise ValueError(text)
    return sum(int(number) * _TTL_UNITS[unit] for number, unit in _TTL_PART.findall(text.lower()))


@lru_cache(maxsize=256)
def record_type(text: str) -> int:
    """The number of a record type. Raises ValueError for one that is unknown or can't be in a zone."""
    try:
        rdtype = int(dns.rdatatype.from_text(text))
    except (dns.exception.DNSException, ValueError):
        raise ValueError(f'"{text}" is no known record type') from None
    if rdtype in (0, OPT) or 128 <= rdtype <= 255:  # RFC 6895 section 3.1
        raise ValueError(f"{text} is not a type of records in zones")
    return rdtype


def _dns_name(name: bytes) -> dns.name.Name:
    return dns.name.from_wire(name, 0)[0]


def _text(name: bytes) -> str:
    """A name for people and for comparing with those of the inventory: no final dot, save the root's."""
    text = wire.name_text(name)
    return text if text == "." else text[:-1]


# The same host names, and the same www and mail, come back in zone after zone.
@lru_cache(maxsize=4096)
def _encode_name(text: str) -> bytes:
    return wire.encode_name(text).lower()


def _parent(name: bytes) -> bytes:
    return name[name[0] + 1 :]


def _within(name: bytes, apex: bytes) -> bool:
    while len(name) > len(apex):
        name = _parent(name)
    return name == apex


def _substitute(template: str, number: int, line: int) -> str:
    """The owner or data of one record that $GENERATE makes: $, ${offset,width,base}, $$ and \\$."""
    made = []
    offset = 0
    position = 0
    while position < len(template):
        character = template[position]
        position += 1
        if character == "\\":
            made.append(template[position - 1 : position + 1])
            position += 1
        elif character != "$":
            made.append(character)
        elif template.startswith("$", position):
            made.append("$")
            position += 1
        elif template.startswith("{", position):
            match = _MODIFIER.match(template, position)
            if not match:
                raise _Wrong(line, "a ${ that $GENERATE can't read", "Write it like ${0}, ${0,3} or ${0,3,x}")
            position = match.end()
            offset = int(match[1])
            made.append(_digits(number + offset, int(match[2] or 0), match[3] or "d", line))
        elif offset:  # to named the offset still holds, to others it does not
            raise _Wrong(line, "a $ without offset after one that has an offset", "Write ${0} for it")
        else:
            made.append(_digits(number, 0, "d", line))
    return "".join(made)


def _digits(value: int, width: int, base: str, line: int) -> str:
    """A number as $GENERATE writes it; n and N are nibbles, the lowest first, with dots that count as width."""
    if width > _MAX_WIDTH:
        raise _Wrong(line, f"$GENERATE writes numbers of at most {_MAX_WIDTH} digits", "Make the width smaller")
    if value > _MAX_NUMBER or (value < 0 and base != "d"):
        raise _Wrong(line, f"$GENERATE can't write {value} in base {base}", "Start the range later")
    if base not in "nN":
        return format(value, base).zfill(width)
    nibbles = format(value, "x" if base == "n" else "X")[::-1]
    final_dot = "." if width % 2 == 0 and width >= 2 * len(nibbles) else ""
    return ".".join(nibbles.ljust((width + 1) // 2, "0")) + final_dot


def _canonical(rdtype: int, rdata: bytes) -> bytes:
    return wire.canonical_rdata(rdata, 0, len(rdata), rdtype)


def _data_mend(rdtype: int) -> str:
    example = _EXAMPLES.get(rdtype)
    return f"Write it like `{example}`" if example else "Write its data as its RFC says, or as RFC 3597 does"


def _generic_rdata(rdtype: int, words: Sequence[_Word]) -> bytes:
    """The canonical RDATA from ``\\# length hexadecimal`` (RFC 3597 section 5)."""
    line = words[-1].line
    try:
        size = _integer(words[1].text)
        rdata = bytes.fromhex("".join(word.text for word in words[2:]))
    except (IndexError, ValueError):
        mend = "Write it like `TYPE65534 \\# 2 abcd`"
        raise _Wrong(line, "the generic form is \\#, the number of octets, and these in hexadecimal", mend) from None
    if len(rdata) != size:
        raise _Wrong(
            line, f"the length says {size} octets, and the data have {len(rdata)}", "Mend the number or the data"
        )
    try:
        known = dns.rdata.from_wire(dns.rdataclass.IN, rdtype, rdata, 0, size)
        if known.to_wire() != rdata:
            raise ValueError("compressed names")
        return _canonical(rdtype, rdata)
    except Exception:  # as in _rdata()
        raise _Wrong(line, f"the data are no {_type_text(rdtype)} record", _data_mend(rdtype)) from None


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _plain_strings(texts: Sequence[str]) -> bytes | None:
    strings = [text.encode() for text in texts]
    if any(len(string) > 255 or b"\\" in string for string in strings):
        return None
    return b"".join(bytes([len(string)]) + string for string in strings)


def _refuse_letters(words: Sequence[_Word]) -> None:
    """In a name named takes other letters as octets, dnspython as IDNA."""
    for word in words:
        if not word.quoted and not word.text.isascii():
            raise _Wrong(
                word.line,
                f'"{word.text}" has letters that are not ASCII',
                "Put a text into quotes, and write a name in its ASCII form (xn--...)",
            )


def _refuse_escapes(rdtype: int, words: Sequence[_Word]) -> None:
    """Older versions of dnspython take \\228 in these types for the letter of that number, and encode it in UTF-8."""
    if rdtype in _STRING_TYPES:
        for word in words:
            if _HIGH_OCTET.search(word.text):
                raise _Wrong(
                    word.line,
                    f'"{word.text}" has an escape above \\127, which is not supported in this type of record',
                    "Write the data in generic form, \\# LENGTH HEXADECIMAL (RFC 3597 section 5)",
                )


def _explain(source: _RecordWords, error: Exception) -> str:
    """What dnspython found wrong, in words that help."""
    if not source.words:
        return "it has no data"
    detail = str(error).rstrip(".")
    if source.ended and (isinstance(error, dns.exception.UnexpectedEnd) or "expecting" in detail):
        return "its data end too early"
    word = f'"{source.last.text}"'
    if "expected EOL" in detail:
        return f"{word} is more than it takes"
    return f"{word} does not fit ({detail})"


# --- The zone as a whole ---------------------------------------------------------------------------

_WILDCARD = b"\1*"
_ACTIVE_DIRECTORY = wire.encode_name("gc._msdcs")[:-1]  # named lets such names have addresses
_REVERSE_TREES = (wire.encode_name("in-addr.arpa"), wire.encode_name("ip6.arpa"))
_TARGETS = {NS: 0, SOA: 0, PTR: 0, MX: 2, SRV: 6}  # where in the RDATA the name of a host is
_HOST_LABEL = re.compile(rb"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")  # names are in lower case here
_MAILBOX_LABEL = re.compile(rb"[!-~]+")


class _Found(Enum):
    """What the name of a server comes to."""

    ADDRESS = "has an address"
    NO_ADDRESS = "has no A or AAAA record"
    ALIAS = "is a CNAME"
    BELOW_DNAME = "is below a DNAME"
    DELEGATED = "is in a zone of its own"
    ELSEWHERE = "is outside the zone"


_MENDS = {
    _Found.NO_ADDRESS: "Add its address, or end the name in a dot if it is outside the zone",
    _Found.ALIAS: "Write the name the CNAME leads to, or give this one addresses",
    _Found.BELOW_DNAME: "Write a name that the DNAME does not cover",
}


class _Checks:
    """The checks named makes when it loads a primary zone, and those of named-checkzone -i local."""

    def __init__(self, reader: _Reader) -> None:
        self.reader = reader
        self.nodes = reader.nodes
        self.apex = reader.apex
        # All names there are, with those that have no records but names below them (RFC 9499, "empty non-terminal").
        self.names = set(reader.nodes)
        for owner in reader.nodes:
            while owner != reader.apex:
                owner = _parent(owner)
                self.names.add(owner)

    def run(self) -> None:
        self._apex()
        self._signatures()
        for owner, node in self.nodes.items():
            self._beside_cname(owner, node)
            self._single(owner, node)
            self._host_names(owner, node)
            if NS in node:
                if owner == self.apex:
                    self._name_servers(node)
                else:
                    self._delegation(owner, node)
            self._targets_of_services(node)
            self._missing_dots(owner, node)

    def _apex(self) -> None:
        reader = self.reader
        node = self.nodes.get(self.apex, {})
        if SOA not in node:
            reader.problem(None, "there is no SOA record", f"Add one, such as `@ {_EXAMPLES[SOA]}`")
        elif int(reader.serial_word.text) == 0:
            reader.warn(
                reader.serial_word.line,
                "the serial is 0, which some servers take for no serial at all; another one is published",
                "Write the date, such as 2026010100",
            )
        if NS not in node:
            reader.problem(
                None, f"there is no NS record of {reader.name} itself", f"Add them, such as `@ {_EXAMPLES[NS]}`"
            )
        if DS in node:
            reader.problem(node[DS].line, "a DS record of the zone itself", "Give it to the registrar of the domain")

    def _beside_cname(self, owner: bytes, node: _Node) -> None:
        others = [rdtype for rdtype in node if rdtype not in _BESIDE_CNAME]
        if CNAME not in node or not others:
            return
        if owner == self.apex:
            mend = "Write A and AAAA records: the zone itself has SOA and NS records and can't be an alias"
        else:
            mend = "Remove one or the other: a CNAME record stands alone"
        beside = " and ".join(f"{_type_text(rdtype)} ({self.reader.place(node[rdtype].line)})" for rdtype in others)
        self.reader.problem(node[CNAME].line, f"{_text(owner)} has this CNAME record and other records: {beside}", mend)

    def _single(self, owner: bytes, node: _Node) -> None:
        for rdtype, type_text in _SINGLE.items():
            if rdtype in node and len(node[rdtype].records) > 1:
                first, second = list(node[rdtype].records.values())[:2]
                self.reader.problem(
                    second,
                    f"a second {type_text} record of {_text(owner)}; the first is in {self.reader.place(first)}",
                    "Remove one of them",
                )

    def _signatures(self) -> None:
        for rdtype, type_text in _OVER_SERIAL.items():
            lines = [node[rdtype].line for node in self.nodes.values() if rdtype in node]
            if lines:
                self.reader.problem(
                    min(lines),
                    f"the zone has {type_text} records: these cover the serial, and a new serial makes them wrong",
                    "Publish the zone without them: signed zones are not supported yet",
                )

    def _host_names(self, owner: bytes, node: _Node) -> None:
        """named's check-names as it is by default for primary zones (RFC 952, RFC 1123 section 2.1)."""
        for rdtype in (A, AAAA, MX):
            if rdtype in node and not _may_have_addresses(owner):
                self._not_a_host_name(node[rdtype].line, owner, f"has {_type_text(rdtype)} records")
        in_reverse_tree = any(_within(owner, tree) for tree in _REVERSE_TREES)
        for rdtype, offset in _TARGETS.items():
            if rdtype in node and (rdtype != PTR or in_reverse_tree):
                for rdata, line in node[rdtype].records.items():
                    target, end = wire.decode_name(rdata, offset)
                    if not is_host_name(target):
                        self._not_a_host_name(line, target, f"is named in this {_type_text(rdtype)} record")
                    if rdtype == SOA:
                        mailbox = wire.decode_name(rdata, end)[0]
                        if b"@" in mailbox:
                            name = _text(mailbox).replace("\\@", "@")
                            reason = f"the mailbox of the SOA record is {name}, where an @ is a letter like others"
                            self.reader.warn(line, reason, f"Write {name.replace('@', '.')}. (RFC 1035 section 8)")
                        if not is_mailbox(mailbox):
                            self._not_a_host_name(line, mailbox, "is the mailbox of the SOA record")

    def _not_a_host_name(self, line: int, name: bytes, part: str) -> None:
        self.reader.problem(
            line,
            f"{_text(name)} {part} and is no host name, which named refuses (check-names)",
            "Use letters, digits and hyphens between the dots",
        )

    def _name_servers(self, node: _Node) -> None:
        """The NS records at the apex: named does not load the zone when one of these is wrong."""
        for target, line in node[NS].records.items():
            found = self._look_up(target)
            if found in _MENDS:
                self.reader.problem(line, f"the name server {_text(target)} {found.value}", _MENDS[found])

    def _delegation(self, owner: bytes, node: _Node) -> None:
        if owner.startswith(_WILDCARD):
            self.reader.problem(node[NS].line, f"{_text(owner)} can't have NS records", "Delegate each name by itself")
        for target, line in node[NS].records.items():
            found = self._look_up(target)
            if found is _Found.DELEGATED and _within(target, owner) and not self._has_address(target):
                found = _Found.NO_ADDRESS
            if found in _MENDS:
                reason = f"the name server {_text(target)} of {_text(owner)} {found.value}"
                self.reader.warn(line, reason, _MENDS[found])

    def _targets_of_services(self, node: _Node) -> None:
        for rdtype in (MX, SRV):
            if rdtype in node:
                for rdata, line in node[rdtype].records.items():
                    target = rdata[_TARGETS[rdtype] :]
                    found = self._look_up(target)
                    if found in _MENDS:
                        reason = f"the {_type_text(rdtype)} target {_text(target)} {found.value}"
                        self.reader.warn(line, reason, _MENDS[found])

    def _missing_dots(self, owner: bytes, node: _Node) -> None:
        """Names that became others because their final dot was forgotten; named loads them without a word."""
        if owner != self.apex and _within(owner[: -len(self.apex)] + b"\0", self.apex):
            line = min(rrset.line for rrset in node.values())
            reason = f"{_text(owner)} has the name of the zone in it twice"
            self.reader.warn(line, reason, "Leave that out of the name, or end the name in a dot")
        for rdtype in (CNAME, PTR):
            for target, line in node[rdtype].records.items() if rdtype in node else ():
                if self._look_up(target) is _Found.NO_ADDRESS and not self._is_there(target):
                    reason = f"the {_type_text(rdtype)} target {_text(target)} is not in the zone"
                    self.reader.warn(line, reason, "Add it, or end the name in a dot if it is outside the zone")

    def _is_there(self, name: bytes) -> bool:
        """Whether the zone, or a wildcard in it, has the name."""
        closest = name
        while closest not in self.names:
            closest = _parent(closest)
        return closest == name or _WILDCARD + closest in self.nodes

    def _look_up(self, name: bytes) -> _Found:
        if not _within(name, self.apex):
            return _Found.ELSEWHERE
        path = [name]
        while path[-1] != self.apex:
            path.append(_parent(path[-1]))
        for above in reversed(path):
            node = self.nodes.get(above, {})
            if NS in node and above != self.apex:
                return _Found.DELEGATED
            if DNAME in node and above != name:
                return _Found.BELOW_DNAME
        if name not in self.names:  # a wildcard may answer for it (RFC 4592 section 3.3.1)
            name = _WILDCARD + next(above for above in path if above in self.names)
        if CNAME in self.nodes.get(name, {}):
            return _Found.ALIAS
        return _Found.ADDRESS if self._has_address(name) else _Found.NO_ADDRESS

    def _has_address(self, name: bytes) -> bool:
        node = self.nodes.get(name, {})
        return A in node or AAAA in node


def _type_text(rdtype: int) -> str:
    return dns.rdatatype.to_text(rdtype)


def _may_have_addresses(owner: bytes) -> bool:
    for prefix in (_WILDCARD, _ACTIVE_DIRECTORY):
        if owner.startswith(prefix):
            return is_host_name(owner[len(prefix) :])
    return is_host_name(owner)


def is_mailbox(name: bytes) -> bool:
    return name == b"\0" or (bool(_MAILBOX_LABEL.fullmatch(name[1 : name[0] + 1])) and is_host_name(_parent(name)))


def is_host_name(name: bytes) -> bool:
    while name != b"\0":
        length = name[0] + 1
        if not _HOST_LABEL.fullmatch(name[1:length]):
            return False
        name = name[length:]
    return True
