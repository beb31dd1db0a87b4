# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zones whose records are written in YAML, inline in dns_zones or in a file NAME.yml.

The YAML becomes the text of a master file, which is published as it is and read by zone_text like any other: the
rules about records have their one place there. Here is what YAML adds: its traps (``name: no``, ``value: 1.10``),
the keys, the defaults of the site, names in Unicode, addresses as owners in reverse zones, TXT without quotes. What
zone_text finds wrong in a line of the made text is told of the entry that the line was made of.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import wire
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.names import printable, to_ascii
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_text import (
    CNAME,
    DNAME,
    MAX_PROBLEMS,
    MAX_SERIAL,
    MAX_TTL,
    MX,
    NS,
    PTR,
    SOA,
    SRV,
    ZoneText,
    is_host_name,
    is_mailbox,
    read_lines,
    read_zone,
    record_type,
    require_dnspython,
    seconds,
)

try:
    import dns.rdatatype
except ImportError:
    pass  # require_dnspython() says it

try:
    import yaml

    # The one in C is ten times as fast; PyYAML may be built without it.
    _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    HAS_YAML = True
except ImportError:
    HAS_YAML = False

INLINE = "dns_zones"  # Records.file of records in the inventory
DEFAULT_TTL = 3600
_MAX_REASON = 400  # characters
RECORD_KEYS = ("name", "type", "value", "values", "ttl")
FILE_KEYS = ("records", "soa", "ttl")  # of NAME.yml, those that are read here


class SoaDefaults(NamedTuple):
    """The times of the SOA record where neither the zone nor dns_soa says them, in seconds."""

    refresh: int = 3600
    retry: int = 600
    expire: int = 1209600
    minimum: int = 3600


SOA_KEYS = ("mname", "rname", "serial") + SoaDefaults._fields + ("ttl",)


class Defaults(NamedTuple):
    """Variables of the site as the inventory has them: checked by check_defaults(), not by who makes this.

    ``ttl`` is dns_default_ttl, ``soa`` dns_soa, ``mname`` dns_mname, ``hostmaster`` dns_hostmaster.
    """

    ttl: Any = DEFAULT_TTL
    soa: Any = None
    mname: Any = None
    hostmaster: Any = None


class Records(NamedTuple):
    """What a user wrote of a zone, unchecked. ``lines`` has the line in ``file`` of each of the records."""

    file: str
    records: Any
    soa: Any = None
    ttl: Any = None
    lines: Sequence[int] = ()


@dataclass(frozen=True)
class Unquoted:
    """A scalar of a YAML file that is no text to YAML and no plain number either, such as ``no`` or ``1.10``."""

    text: str
    kind: str


def zone_from_records(zone: str, content: Records, defaults: Defaults, name_servers: Sequence[str]) -> ZoneText:
    """The zone ``zone`` (lower case, no final dot) from its records in YAML.

    ``name_servers`` are the names of the servers that serve it and are not hidden, without final dots: the NS records
    of a zone that writes none of its own. Without ``soa.serial`` the serial is 1. What is wrong with ``defaults``
    is passed over and the built-in value taken: check_defaults() tells it, once and not for every zone.

    Raises InputError with all problems.
    """
    require_dnspython(zone, content.file)
    made = make_text(zone, content, defaults, name_servers)
    problems = list(made.problems)
    text: Optional[ZoneText] = None
    try:
        if problems:
            read_lines(zone, made.text, content.file, made.place)
        else:
            text = read_zone(zone, made.text, content.file, made.place)
    except InputError as error:
        problems += [made.translate(problem) for problem in error.problems]
    if text is None:
        problems.sort(key=lambda found: found[0])
        told = [problem for _index, problem in problems[:MAX_PROBLEMS]]
        if len(problems) > MAX_PROBLEMS:
            reason = f"more than {MAX_PROBLEMS} problems, the first of them above"
            told.append(Problem(reason, "Mend those first", zone=zone, file=content.file))
        raise InputError(told)
    return text._replace(warnings=tuple(made.translate(warning)[1] for warning in text.warnings))


def check_defaults(defaults: Defaults) -> List[Problem]:
    """The problems of the site's variables, each named by its variable."""
    return _read_defaults(defaults)[1]


# --- What YAML makes of what people write ----------------------------------------------------------------------------


class _Wrong(Exception):
    """A mistake that makes a part of the input unusable."""

    def __init__(self, reason: str, mend: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.mend = mend


def _shown(value: Any, length: int = 80) -> str:
    """A scalar that a message quotes: short, and fit for a terminal."""
    try:
        text = value.text if isinstance(value, Unquoted) else str(value)
    except ValueError:  # a number of thousands of digits
        return "..."
    return printable(text, length)


def _near(word: Any, words: Iterable[str]) -> str:
    near = get_close_matches(_shown(word), list(words), 1)
    return f'Did you mean "{near[0]}"?' if near else ""


def _text(key: str, value: Any, mend: str) -> str:
    """A value that must be text and not empty; ``mend`` is for one that is missing or no scalar."""
    if isinstance(value, str):
        if not value.strip():
            raise _Wrong(f"{key} is empty", mend)
        if not value.isascii() and re.search("[\ud800-\udfff]", value):
            raise _Wrong(f"{key} has a character that is not UTF-8", "Write the text in UTF-8")
        return value
    if value is None:
        raise _Wrong(f"{key} has no value", mend)
    if isinstance(value, bool):
        shown = "yes" if value else "no"
        reason = f"{key} is no text: YAML reads yes, no, on, off, true and false as truth values"
        raise _Wrong(reason, f'Put what you wrote in quotes, as in  {key}: "{shown}"')
    if isinstance(value, Unquoted):
        kind = value.kind
    elif isinstance(value, (int, float)):
        kind = "a number"
    elif isinstance(value, date):
        kind = "a date"
    elif isinstance(value, Mapping):
        raise _Wrong(f"{key} is a mapping", mend)
    elif isinstance(value, (list, tuple)):
        raise _Wrong(f"{key} is a list", mend)
    else:
        raise _Wrong(f"{key} is no text", mend)
    shown = _shown(value)
    form = f'["{shown}"]' if key == "values" else f'"{shown}"'
    raise _Wrong(f"{key} is no text: YAML reads {shown} as {kind}", f"Put it in quotes, as in  {key}: {form}")


def _seconds(key: str, value: Any) -> int:
    """A TTL or another time: a number of seconds, or text with BIND's units."""
    try:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise ValueError
        found = seconds(value) if isinstance(value, str) else value
    except ValueError:
        shown = f" {_shown(value)}" if isinstance(value, (str, int, float, Unquoted)) else ""
        raise _Wrong(f"{key}{shown} is not a time", "Write seconds, such as 3600, or units, such as 1h30m") from None
    if not 0 <= found <= MAX_TTL:
        raise _Wrong(f"{key} {_shown(value)} is not from 0 to {MAX_TTL} seconds", "A day is 86400")
    return found


def _serial(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch("[0-9]{1,10}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SERIAL:
        raise _Wrong(f"serial is not a number from 0 to {MAX_SERIAL}", "Write one such as 2026010100, or leave it out")
    return value


def _refuse_unknown(keys: Iterable[Any], known: Sequence[str], problem: Any) -> None:
    for key in keys:
        if key not in known:
            problem(f'the unknown key "{_shown(key)}"', _near(key, known) or f"Known keys: {', '.join(known)}")


# --- Names -----------------------------------------------------------------------------------------------------------


# A name that needs no escape in a master file and has no label that is empty or too long.
_COMMON_NAME = re.compile(r"(?:[A-Za-z0-9_*-]{1,63}\.)*[A-Za-z0-9_*-]{1,63}\.?")
_FINAL_DOT = re.compile(r"(?:[^\\]|\\.)*\.", re.DOTALL)


@lru_cache(maxsize=4096)  # the same www and mail in zone after zone
def _name(text: str) -> str:
    """A name in presentation form as the master file has it. Raises ValueError."""
    if _COMMON_NAME.fullmatch(text):
        return text
    if not text.isascii():
        if "\\" in text:
            raise ValueError(f'"{_shown(text)}" has a backslash and letters outside ASCII')
        text = to_ascii(text)
    name = wire.name_text(wire.encode_name(text))
    return name if _FINAL_DOT.fullmatch(text) else name[:-1]


def _full_name(value: Any, key: str, example: str) -> str:
    """A host name that is always written in full, with or without the final dot; returned with it."""
    text = _text(key, value, f"Write it like  {example}")
    try:
        name = wire.encode_name(to_ascii(text))
    except ValueError as error:
        raise _Wrong(f"{key}: {_shown(error, _MAX_REASON)}", f"Write it like  {example}") from None
    if not is_host_name(name.lower()) or not _has_two_labels(name):
        raise _Wrong(f'{key}: "{_shown(text)}" is not the full name of a host', f"Write it like  {example}")
    return wire.name_text(name)


def _mailbox(value: Any, key: str) -> str:
    """The RNAME of a mail address (RFC 1035 section 8) or of a domain form; with the final dot."""
    mend = f"Write it like  {key}: hostmaster@example.net"
    text = _text(key, value, mend)
    try:
        local, at_sign, domain = text.rpartition("@")
        if at_sign and not local.endswith("\\"):
            if not local.isascii():
                raise ValueError(f'"{_shown(text)}" has letters outside ASCII before the @, which DNS has no form for')
            domain = "%s.%s" % (re.sub(r"([.\\])", r"\\\1", local), domain)
        else:
            domain = text
        name = wire.encode_name(to_ascii(domain))
    except ValueError as error:
        raise _Wrong(f"{key}: {_shown(error, _MAX_REASON)}", mend) from None
    if not is_mailbox(name.lower()) or not _has_two_labels(name):
        raise _Wrong(f'{key}: "{_shown(text)}" is not a mail address', mend)
    return wire.name_text(name)


def _has_two_labels(name: bytes) -> bool:
    """A name of one label is most likely a relative one, which it can't be where names are written in full."""
    return name[name[0] + 1 :] not in (b"", b"\0")


# --- The site's defaults ---------------------------------------------------------------------------------------------


class _Site(NamedTuple):
    """Defaults, checked: times in seconds, names absolute with the final dot."""

    ttl: int
    times: Dict[str, int]
    mname: Optional[str]
    rname: Optional[str]


def _read_defaults(defaults: Defaults) -> Tuple[_Site, List[Problem]]:
    problems: List[Problem] = []

    def problem(reason: str, mend: str) -> None:
        problems.append(Problem(f"dns_soa: {reason}", mend))

    def checked(default: Any, check: Any, *arguments: Any) -> Any:
        try:
            return check(*arguments)
        except _Wrong as wrong:
            problems.append(Problem(wrong.reason, wrong.mend))
            return default

    times: Dict[str, int] = SoaDefaults()._asdict()
    soa = {} if defaults.soa is None else defaults.soa
    if isinstance(soa, Mapping):
        others = {"mname": "Set dns_mname", "rname": "Set dns_hostmaster", "serial": "Write it in the soa of each zone"}
        for key in [key for key in soa if key in others]:
            problem(f'the key "{key}" does not belong there', others[key])
        _refuse_unknown([key for key in soa if key not in others], SoaDefaults._fields, problem)
        for key in SoaDefaults._fields:
            if soa.get(key) is not None:
                times[key] = checked(times[key], _seconds, f"dns_soa: {key}", soa[key])
    else:
        problem("it is not a mapping", "Write it like  dns_soa: {refresh: 3600, retry: 600}")
    ttl, mname, rname = DEFAULT_TTL, None, None
    if defaults.ttl is not None:
        ttl = checked(DEFAULT_TTL, _seconds, "dns_default_ttl", defaults.ttl)
    if defaults.mname is not None:
        mname = checked(None, _full_name, defaults.mname, "dns_mname", "dns_mname: ns1.example.net")
    if defaults.hostmaster is not None:
        rname = checked(None, _mailbox, defaults.hostmaster, "dns_hostmaster")
    return _Site(ttl, times, mname, rname), problems


# --- From records to the text ----------------------------------------------------------------------------------------


class _Source(NamedTuple):
    """What a line of the made text was made of."""

    index: int  # of the entry in records; -1 for what is made of other things
    label: str  # what its problems begin with
    place: str  # what the problems of other lines call it
    line: Optional[int] = None  # in the user's file
    mend: Optional[str] = None  # in the place of zone_text's, which is for people who wrote the line


class _Line(NamedTuple):
    owner: str
    ttl: Optional[int]
    type: str
    data: str
    source: _Source
    comment: str = ""


class Made(NamedTuple):
    """The made text: ``sources`` has an item for each line that is a record; ``problems`` are (index, problem)."""

    zone: str
    file: str
    text: str
    sources: Mapping[int, _Source]
    problems: Sequence[Tuple[int, Problem]]

    def place(self, line: int) -> str:
        """How a reason writes a line of the made text."""
        return self.sources[line].place

    def translate(self, problem: Problem) -> Tuple[int, Problem]:
        """A problem of the made text in terms of what it was made of, with the entry it is about."""
        if problem.line is None:
            return sys.maxsize, problem  # that there are more than these
        source = self.sources[problem.line]
        mend = _EXAMPLE.sub(r"`type: \1, value: '\2'`", problem.mend)
        reason = f"{source.label}: {problem.reason}"
        return source.index, problem._replace(reason=reason, mend=source.mend or mend, line=source.line)


_EXAMPLE = re.compile(r"`([A-Z0-9]+) ([^`]+)`")

_SOA_SOURCE = _Source(-1, "soa", "made for every zone")
_FORM = "{name: www, type: A, value: 192.0.2.80}"
_VALUE_MEND = 'Write its data as text, such as  value: "192.0.2.80"'
_NAME_MEND = 'Write  name: "@"  for the zone itself, and a name such as www for others'
_TEXT_TYPES = ("TXT", "SPF")
_MAX_STRING = 255  # RFC 1035 section 3.3
# Which word of the data is a name: types in whose data a forgotten final dot is common.
_TARGET_WORD = {NS: 0, CNAME: 0, PTR: 0, DNAME: 0, MX: 1, 18: 1, 36: 1, SRV: 3, 64: 1, 65: 1}  # AFSDB KX SVCB HTTPS
_PLAIN_DATA = re.compile(r'[^\x00-\x08\x0a-\x1f\x7f;()"\\]*')
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TOKEN = re.compile(r'\\.|"(?:[^"\\]|\\.)*"|[^\\"();]+|.', re.DOTALL)
_PLAIN_STRING = re.compile(r"[ !#-\[\]-~]{0,255}")


def make_text(zone: str, content: Records, defaults: Defaults, name_servers: Sequence[str]) -> Made:
    """The text of the zone's master file: SOA, NS, then the records as written. See zone_from_records()."""
    writer = _Writer(zone, content)
    return writer.make(_read_defaults(defaults)[0], name_servers)


class _Writer:
    """Makes the text of one zone."""

    def __init__(self, zone: str, content: Records) -> None:
        self.zone = zone
        self.content = content
        self.problems: List[Tuple[int, Problem]] = []
        self.owners: Set[str] = set()  # relative, in lower case
        self.delegated: Set[str] = set()
        self.has_name_servers = False
        self.reverse = _reverse_family(zone)

    def problem(self, source: Optional[_Source], reason: str, mend: str) -> None:
        index, line = -1, None
        if source:
            index, line, reason = source.index, source.line, f"{source.label}: {reason}"
        self.problems.append((index, Problem(reason, mend, zone=self.zone, file=self.content.file, line=line)))

    def make(self, site: _Site, name_servers: Sequence[str]) -> Made:
        ttl = site.ttl
        if self.content.ttl is not None:
            try:
                ttl = _seconds("ttl", self.content.ttl)
            except _Wrong as wrong:
                self.problem(None, wrong.reason, wrong.mend)
        records = self._records()
        apex = [record for record in records if record.owner == "@" and record.type == "NS"]
        if not self.has_name_servers:
            apex = self._name_servers(name_servers)
        soa = self._soa(site, name_servers, apex)
        others = [record for record in records if record.owner != "@" or record.type != "NS"]
        return self._layout(ttl, [soa] + apex + others)

    def _layout(self, ttl: int, records: Sequence[_Line]) -> Made:
        owner_width = min(max(len(record.owner) for record in records), 32)
        ttls = ["" if record.ttl is None else str(record.ttl) for record in records]
        ttl_width = max(len(text) for text in ttls)
        type_width = max(len(record.type) for record in records)
        file = "".join(character if character.isprintable() else "?" for character in self.content.file)
        lines = [f"; Made from {file} by dnsops.redundant_dns", f"$TTL {ttl}"]
        sources: Dict[int, _Source] = {}
        for record, ttl_text in zip(records, ttls):
            head = f"{record.owner:<{owner_width}} "
            if ttl_width:
                head += f"{ttl_text:>{ttl_width}} "
            comment = f" ; {record.comment}" if record.comment else ""
            lines.append(f"{head}{record.type:<{type_width}} {record.data}{comment}")
            sources[len(lines)] = record.source
        return Made(self.zone, self.content.file, "\n".join(lines) + "\n", sources, self.problems)

    # SOA and NS

    def _soa(self, site: _Site, name_servers: Sequence[str], apex: Sequence[_Line]) -> _Line:
        soa = {} if self.content.soa is None else self.content.soa
        if not isinstance(soa, Mapping):
            self.problem(None, "soa is not a mapping", "Write it like  soa: {refresh: 3600, retry: 600}")
            soa = {}
        _refuse_unknown(soa, SOA_KEYS, lambda reason, mend: self.problem(_SOA_SOURCE, reason, mend))

        def checked(key: str, default: Any, check: Any, *arguments: Any) -> Any:
            if soa.get(key) is None:
                return default
            try:
                return check(*arguments)
            except _Wrong as wrong:
                self.problem(_SOA_SOURCE, wrong.reason, wrong.mend)
                return default

        times = {key: checked(key, site.times[key], _seconds, key, soa[key] if key in soa else 0) for key in site.times}
        mname = site.mname or (f"{name_servers[0]}." if name_servers else apex[0].data if apex else "ns.invalid.")
        mname = checked("mname", mname, _full_name, soa.get("mname"), "mname", "mname: ns1.example.net")
        rname = checked("rname", site.rname, _mailbox, soa.get("rname"), "rname")
        return _Line(
            "@",
            checked("ttl", None, _seconds, "ttl", soa.get("ttl")),
            "SOA",
            "%s %s %d %d %d %d %d"
            % (
                mname,
                rname or self._own_mailbox(),
                checked("serial", 1, _serial, soa.get("serial")),
                times["refresh"],
                times["retry"],
                times["expire"],
                times["minimum"],
            ),
            _SOA_SOURCE,
            "serial refresh retry expire minimum",
        )

    def _own_mailbox(self) -> str:
        rname = f"hostmaster.{self.zone}."
        try:
            if is_mailbox(wire.encode_name(rname).lower()):
                return rname
        except ValueError:
            pass
        self.problem(
            None,
            "the zone needs a mail address for its SOA record: its own name can't be part of one",
            "Set dns_hostmaster: hostmaster@example.net, or the zone's  soa: {rname: hostmaster@example.net}",
        )
        return "hostmaster.invalid."

    def _name_servers(self, names: Sequence[str]) -> List[_Line]:
        """NS records for the servers that serve the zone."""
        if not names:
            self.problem(
                None,
                "it has no NS records: none are in records, and all servers that serve it are hidden (dns_hidden)",
                'Write them, such as {name: "@", type: NS, value: ns1.example.net.}, or let a server be seen; those of'
                " an account at a provider come from its dns_name_servers",
            )
        made = []
        for name in names:
            owner = _relative(f"{name}.", self.zone)
            mend = (
                f"Its name comes from the inventory (dns_name). Add its address to records, such as "
                f'{{name: "{owner}", type: A, value: 192.0.2.1}}, or NS records of your own with name: "@"'
            )
            label = f"NS {name}., made for a server that serves the zone"
            source = _Source(-1, label, "made for its servers", mend=mend)
            made.append(_Line("@", None, "NS", f"{name}.", source, "from the inventory: serves the zone"))
        return made

    # Records

    def _records(self) -> List[_Line]:
        entries = self.content.records
        if entries is None:
            self.problem(None, "it has no records", f"Write them, such as  records: [{_FORM}], or  records: []")
            return []
        if not isinstance(entries, (list, tuple)):
            self.problem(None, "records is not a list", f"Write it like  records: [{_FORM}]")
            return []
        # All owners first: whether the target of a record is a name of this zone depends on them.
        heads = [self._head(index, entry) for index, entry in enumerate(entries)]
        return [record for head in heads if head for record in self._entry(*head)]

    def _head(self, index: int, entry: Any) -> Optional[Tuple[_Source, Mapping[Any, Any], Optional[str], str, int]]:
        """An entry's source, the entry, owner (None where it is wrong), type and its number (0 where it is wrong)."""
        line = self.content.lines[index] if index < len(self.content.lines) else None
        place = f"records[{index}]" if line is None else f"line {line}"
        source = _Source(index, f"records[{index}]", place, line)
        if not isinstance(entry, Mapping):
            self.problem(source, "it is not a mapping", f"Write it like  {_FORM}")
            return None
        told = [_shown(entry[key]) for key in ("name", "type") if isinstance(entry.get(key), (str, Unquoted))]
        if told:
            source = source._replace(label=f"{source.label} ({' '.join(told)})")
        if "class" in entry:
            self.problem(source, "class is not accepted", "Leave it out: all records are of class IN")
        unknown = [key for key in entry if key != "class"]
        _refuse_unknown(unknown, RECORD_KEYS, lambda reason, mend: self.problem(source, reason, mend))
        owner: Optional[str] = None
        try:
            owner = self._owner(entry.get("name"))
            self.owners.add(owner.lower())
        except _Wrong as wrong:
            self.problem(source, wrong.reason, wrong.mend)
        type_text, rdtype = "", 0
        try:
            type_text = _text("type", entry.get("type"), "Write it like  type: A").upper()
            rdtype = _type(type_text)
        except _Wrong as wrong:
            self.problem(source, wrong.reason, wrong.mend)
        if rdtype == NS and owner == "@":
            self.has_name_servers = True
            type_text = "NS"
        elif rdtype == NS and owner is not None:
            self.delegated.add(owner.lower())
        return source, entry, owner, type_text, rdtype

    def _entry(
        self, source: _Source, entry: Mapping[Any, Any], owner: Optional[str], type_text: str, rdtype: int
    ) -> List[_Line]:
        """The records of one entry, as far as it can be read."""
        ttl: Optional[int] = None
        if entry.get("ttl") is not None:
            try:
                ttl = _seconds("ttl", entry["ttl"])
            except _Wrong as wrong:
                self.problem(source, wrong.reason, wrong.mend)
        try:
            values = self._values(entry)
        except _Wrong as wrong:
            self.problem(source, wrong.reason, wrong.mend)
            return []
        written = entry.get("name")
        comment = _shown(written) if isinstance(written, str) and not written.isascii() else ""
        records = []
        for key, value in values:
            try:
                data = self._data(key, value, type_text, rdtype)
            except _Wrong as wrong:
                self.problem(source, wrong.reason, wrong.mend)
                continue
            if owner is not None and rdtype:
                records.append(_Line(owner, ttl, type_text, data, source, comment))
        return records

    def _values(self, entry: Mapping[Any, Any]) -> List[Tuple[str, Any]]:
        """The values, each with the key that messages call it."""
        value, values = entry.get("value"), entry.get("values")
        if "value" in entry and "values" in entry:
            raise _Wrong("value and values are both given", "Keep one: value is text, values a list of texts")
        if "values" not in entry:
            if "value" not in entry:
                raise _Wrong("it has no value", _VALUE_MEND)
            if isinstance(value, (list, tuple)):
                raise _Wrong("value is a list", "Write  values: [...]  for several records of one name and type")
            return [("value", value)]
        if not isinstance(values, (list, tuple)):
            raise _Wrong("values is not a list", "Write  value: ...  for one record, or  values: [..., ...]")
        if not values:
            raise _Wrong("values is empty", "Write the values, or remove the entry")
        return [("values", item) for item in values]

    # Owners

    def _owner(self, value: Any) -> str:
        """The owner as the made text has it: relative where it is in the zone, @ for the zone itself."""
        text = _text("name", value, _NAME_MEND)
        if text == "@":
            return "@"
        if self.reverse and (":" in text or (self.reverse == 4 and _FOUR_NUMBERS.fullmatch(text))):
            return self._reverse_owner(text)
        try:
            name = _name(text)
        except ValueError as error:
            raise _Wrong(f"name: {_shown(error, _MAX_REASON)}", "Mend the name") from None
        owner = _relative(name, self.zone)
        lower = name.lower()
        if owner == name and lower == self.zone:
            return "@"
        if _ends(lower, self.zone):
            short = name[: -len(self.zone) - 1]
            raise _Wrong(
                f"name {_shown(name)} has no final dot, so it would be {_shown(name)}.{self.zone}",
                f"Write `{_shown(short)}` or `{_shown(name)}.`",
            )
        return owner

    def _reverse_owner(self, text: str) -> str:
        """The owner for an address in a reverse zone (RFC 1035 section 3.5, RFC 3596 section 2.5, RFC 2317)."""
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            raise _Wrong(f"name {_shown(text)} is not an IP address", "Mend the address") from None
        name = address.reverse_pointer
        owner = _relative(f"{name}.", self.zone)
        if not owner.endswith("."):
            return owner
        first, _dot, parent = self.zone.partition(".")
        last, _dot, above = name.partition(".")
        if parent == above and re.fullmatch("[0-9]{1,3}/[0-9]{1,2}", first):
            base, length = first.split("/")
            try:
                network = ip_network("%s.%s/%s" % (str(address).rpartition(".")[0], base, length))
            except ValueError:
                network = None
            if network is not None and address in network:
                return last
        raise _Wrong(
            f"the address {address} is not in this zone: its name is {name}",
            "Move the record to the zone of the address, or write the owner as a name",
        )

    # Data

    def _data(self, key: str, value: Any, type_text: str, rdtype: int) -> str:
        """The data as the made text has them: on one line, and nothing but data."""
        text = _text(key, value, "Write an empty text as  '\"\"'" if type_text in _TEXT_TYPES else _VALUE_MEND)
        if type_text in _TEXT_TYPES and not text.startswith('"'):
            return _quoted(text)
        text = text.strip()
        if not _PLAIN_DATA.fullmatch(text):
            _refuse_loose_ends(key, text)
        position = _TARGET_WORD.get(rdtype)
        if position is None or text.startswith("\\#"):
            return text
        words = text.split(None, position + 1)
        if len(words) > position:
            target = self._target(words[position])
            if target != words[position]:
                words[position] = target
                return " ".join(words)
        return text

    def _target(self, text: str) -> str:
        """A name in the data: BIND's rule (without final dot it is relative), and a guard against its trap."""
        target = text
        if not text.isascii():
            try:
                target = _name(text)
            except ValueError as error:
                raise _Wrong(_shown(error, _MAX_REASON), "Mend the name") from None
        if "." not in target.rstrip(".") and ":" not in target:
            return target
        if _is_address(target):
            raise _Wrong(
                f"{_shown(target)} is an address, where a name belongs",
                "Write the name of a host; its addresses are A and AAAA",
            )
        if "." not in target or _FINAL_DOT.fullmatch(target) or self._is_known(target.lower()):
            return target
        shown = _shown(target)
        inside = "" if _ends(target.lower(), self.zone) else f", or `{shown}.{self.zone}.` if it is in this zone"
        raise _Wrong(
            f"{shown} has no final dot, so it would be {shown}.{self.zone}, and records has no such name",
            f"Write `{shown}.`{inside}",
        )

    def _is_known(self, name: str) -> bool:
        """Whether a relative name has records, or is below one that is delegated (the CNAMEs of RFC 2317)."""
        return name in self.owners or any(_ends(name, owner) for owner in self.delegated)


_FOUR_NUMBERS = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")


def _reverse_family(zone: str) -> int:
    """The family of the addresses whose names are in the zone: 4, 6, or 0 for an ordinary zone."""
    return 4 if _ends(zone, "in-addr.arpa") else 6 if _ends(zone, "ip6.arpa") else 0


def _ends(name: str, parent: str) -> bool:
    return name == parent or name.endswith(f".{parent}")


def _relative(name: str, zone: str) -> str:
    """An absolute name (with the final dot) without the zone's, where it is in the zone; other names as they are."""
    lower = name.lower()
    if lower == f"{zone}.":
        return "@"
    return name[: -len(zone) - 2] if lower.endswith(f".{zone}.") else name


def _is_address(text: str) -> bool:
    try:
        ip_address(text.rstrip("."))
    except ValueError:
        return False
    return True


@lru_cache(maxsize=256)
def _type(text: str) -> int:
    """The number of a record type that may be in records. Raises _Wrong."""
    try:
        if not text.isascii():
            raise ValueError(f'"{_shown(text)}" is no known record type')
        rdtype = record_type(text)
    except ValueError as error:
        mend = _near(text, dns.rdatatype.RdataType.__members__) or "Write it like A, MX or TYPE65534 (RFC 3597)"
        raise _Wrong(f"type: {error}", mend) from None
    if rdtype == SOA:
        raise _Wrong(
            "the SOA record is made, and can't be in records", "Write  soa: {...}  beside records for what differs"
        )
    return rdtype


def _quoted(text: str) -> str:
    """Character-strings whose octets are the text in UTF-8."""
    if _PLAIN_STRING.fullmatch(text):
        return f'"{text}"'
    octets = text.encode("utf-8")
    strings = (octets[start : start + _MAX_STRING] for start in range(0, len(octets), _MAX_STRING))
    return " ".join('"%s"' % "".join(_ESCAPED[octet] for octet in string) for string in strings)


_ESCAPED = tuple(
    f"\\{chr(octet)}" if chr(octet) in '"\\' else chr(octet) if 31 < octet < 127 else f"\\{octet:03d}"
    for octet in range(256)
)


def _refuse_loose_ends(key: str, text: str) -> None:
    """Data that would not end with their line, or before it."""
    if _CONTROL.search(text):
        raise _Wrong(f"{key} has a line break or another control character", "Write it on one line; >- folds lines")
    opened = 0
    for token in _TOKEN.findall(text):
        if token == ";":
            raise _Wrong(
                f"{key} has a ; outside of double quotes, where it begins a comment",
                "Put that part in double quotes, inside those of YAML: '... \"a; b\"'",
            )
        if token == '"':
            raise _Wrong(f"{key} has a double quote that is not closed", 'Add the ", or write \\" for a quote')
        if token == "\\":
            raise _Wrong(f"{key} ends in a backslash", "Remove it, or write \\\\ for one")
        opened += (token == "(") - (token == ")")
        if opened < 0:
            break
    if opened:
        raise _Wrong(f"{key} has a parenthesis without its other half", "Leave parentheses out: a value is one line")


# --- NAME.yml --------------------------------------------------------------------------------------------------------

_MAX_DEPTH = 20
# So few opening characters can't be nested so deep that the loader, which calls itself, ends the process.
_FEW = 1000
_TAG = "tag:yaml.org,2002:"
_KINDS = {"bool": "a truth value", "int": "a number", "float": "a number", "timestamp": "a date"}
_SCALARS = ("str", "null", "value", "merge") + tuple(_KINDS)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_TRUE = ("yes", "true", "on")
_TEMPLATE_MEND = "NAME.yml is data and not templated: write it out, or put the records inline into dns_zones"


def read_records_file(zone: str, text: str, file: str) -> Tuple[Dict[str, Any], Records]:
    """Read NAME.yml: a mapping with the keys of an entry of dns_zones, or the list of records alone.

    The first item has the other keys, unchecked: without ``records``, ``soa`` and ``ttl``, which the second has. Raises
    InputError, with the line, where it is not YAML, or YAML that goes beyond plain data.
    """

    def fail(reason: str, mend: str, line: Optional[int]) -> InputError:
        return InputError([Problem(reason, mend, zone=zone, file=file, line=line)])

    if not HAS_YAML:
        raise fail("it can't be read: the Python library PyYAML is missing on the controller", "Install PyYAML", None)
    try:
        _refuse_depth(text)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise fail(f"it is not YAML: {_shown(reason)}", "Mend the line", mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise fail("it has a character that YAML does not allow", "Remove it", line) from None
    except UnicodeError:  # from the loader in C
        raise fail("it has a character that is not UTF-8", "Save the file as UTF-8", None) from None
    except RecursionError:
        raise fail(*_TOO_DEEP, None) from None
    form = f"Write  records: [{_FORM}]"
    if root is None:
        raise fail("it is empty", form, None)
    converter = _Converter(zone, text, file)
    if isinstance(root, yaml.SequenceNode):
        records = Records(file, converter.value(root, True), lines=_lines(root))
    elif isinstance(root, yaml.MappingNode):
        items = converter.items(root)
        nodes = {key: node for key, (_key_node, node) in items.items()}
        for key in ("name", "file"):
            if key in items:
                reason = f'the key "{key}" does not belong here: the name of the file says which zone it is'
                converter.problem(items[key][0], reason, "Remove it")
        values = {key: converter.value(nodes[key], True, 1) for key in FILE_KEYS if key in nodes}
        others = {key: converter.value(node, False, 1) for key, node in nodes.items() if key not in FILE_KEYS}
        records = Records(
            file,
            values.get("records"),
            values.get("soa"),
            values.get("ttl"),
            _lines(nodes["records"]) if "records" in nodes else (),
        )
    else:
        raise fail("it is neither a mapping nor a list", form, root.start_mark.line + 1)
    if converter.problems:
        raise InputError(sorted(converter.problems, key=lambda problem: problem.line or 0)[:MAX_PROBLEMS])
    return (others if isinstance(root, yaml.MappingNode) else {}), records


_TOO_DEEP = ("it is nested too deep", f"Write records as a list of entries like {_FORM}")


def _refuse_depth(text: str) -> None:
    if sum(map(text.count, "[{-?:")) <= _FEW:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem=_TOO_DEEP[0], problem_mark=event.start_mark)


def _lines(node: Any) -> Tuple[int, ...]:
    return tuple(item.start_mark.line + 1 for item in node.value) if isinstance(node, yaml.SequenceNode) else ()


class _Converter:
    """From YAML's nodes, which know their lines and what was written, to values."""

    def __init__(self, zone: str, text: str, file: str) -> None:
        self.zone = zone
        self.file = file
        self.text_lines = text.split("\n") if "{{" in text else []
        self.problems: List[Problem] = []
        # An anchor's value and items are made once, however often it is used.
        self.known: Dict[Tuple[int, bool], Any] = {}
        self.known_items: Dict[int, Dict[str, Tuple[Any, Any]]] = {}

    def problem(self, node: Any, reason: str, mend: str) -> None:
        line = node.start_mark.line + 1
        self.problems.append(Problem(reason, mend, zone=self.zone, file=self.file, line=line))

    def value(self, node: Any, written: bool, depth: int = 0) -> Any:
        """The value of a node; scalars as they were ``written`` (Unquoted) where YAML makes something else of them."""
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, written)
        place = (id(node), written)
        if place not in self.known:
            self.known[place] = None  # for an anchor that is used inside itself
            if depth > _MAX_DEPTH:
                self.problem(node, *_TOO_DEEP)
            elif isinstance(node, yaml.SequenceNode):
                self._refuse_tag(node, ("seq",))
                self.known[place] = [self.value(item, written, depth + 1) for item in node.value]
            else:
                self.known[place] = {
                    key: self.value(item, written, depth + 1) for key, (_key_node, item) in self.items(node).items()
                }
        return self.known[place]

    def items(self, node: Any) -> Dict[str, Tuple[Any, Any]]:
        """The items of a mapping: key to the nodes of key and value. Its own come before those merged in with <<."""
        if id(node) not in self.known_items:
            self.known_items[id(node)] = {}  # for a mapping that is merged into itself
            self.known_items[id(node)] = self._items(node)
        return self.known_items[id(node)]

    def _items(self, node: Any) -> Dict[str, Tuple[Any, Any]]:
        self._refuse_tag(node, ("map",))
        own: Dict[str, Tuple[Any, Any]] = {}
        merged: Dict[str, Tuple[Any, Any]] = {}
        for key_node, item in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                if self._is_template(key_node):
                    self.problem(key_node, "a template, {{ ... }}", _TEMPLATE_MEND)
                else:
                    self.problem(key_node, "a key that is no text", "Write it like  key: value")
            elif key_node.tag == _TAG + "merge":
                for source in item.value if isinstance(item, yaml.SequenceNode) else [item]:
                    if isinstance(source, yaml.MappingNode):
                        for key, nodes in self.items(source).items():
                            merged.setdefault(key, nodes)
                    else:
                        self.problem(source, "<< takes a mapping", "Write it like  <<: *anchor")
            elif key_node.value in own:
                first = own[key_node.value][0].start_mark.line + 1
                reason = f'the key "{_shown(key_node.value)}" is there twice, first in line {first}'
                self.problem(key_node, reason, "Keep one of them")
            else:
                own[key_node.value] = (key_node, item)
        return {**merged, **own}

    def _scalar(self, node: Any, written: bool) -> Any:
        tag = self._refuse_tag(node, _SCALARS)
        text = node.value
        if "{{" in text:
            self.problem(node, f"a template, {_shown(text)}", _TEMPLATE_MEND)
        if tag == "null":
            return None
        if tag == "int" and _INTEGER.fullmatch(text):
            return int(text)
        if tag == "bool" and not written:
            return text.lower() in _TRUE
        if tag in _KINDS and written:
            return Unquoted(text, _KINDS[tag])
        return text

    def _refuse_tag(self, node: Any, tags: Sequence[str]) -> str:
        tag = node.tag[len(_TAG) :] if node.tag.startswith(_TAG) else node.tag
        if tag not in tags:
            shown = f"!!{tag}" if node.tag.startswith(_TAG) else tag
            mend = "Write plain text; for vaulted or templated values put the records inline into dns_zones"
            self.problem(node, f"the tag {_shown(shown)}, which is not plain data", mend)
        return tag

    def _is_template(self, node: Any) -> bool:
        mark = node.start_mark
        return bool(self.text_lines) and "{{" in self.text_lines[mark.line]
