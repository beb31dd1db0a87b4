# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the name servers that a provider assigned to a zone have it, and whether resolvers find them.

They are found where the zone itself and its delegation name them (RFC 1034 section 4.2.2). The zone's NS records are
asked from its primary. The delegation is asked from the parent's name servers, since a resolver prefers what the zone
itself says (RFC 2181 section 5.4.1); a resolver is only asked which zone the parent is and where its servers are.

Needs dnspython (2.3 or later); HAS_DNSPYTHON says whether it is here.
"""

from __future__ import annotations

import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Sequence, Tuple, TypeVar, Union

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import (
    NOT_CHECKED,
    OK,
    WARNING,
    Ask,
    Row,
    Server,
    Zone,
    no_route,
    row,
    wait_for_sync,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import some

try:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.query
    import dns.rcode
    import dns.rdataclass
    import dns.rdatatype
    import dns.resolver

    HAS_DNSPYTHON = True
except ImportError:
    HAS_DNSPYTHON = False

# Where the name servers of parents and providers answer.
PORT = 53
# Questions in flight.
THREADS = 32
# Queries a second to one name server of a parent, mostly a stranger's. The questions are spread over all of them.
PARENT_RATE = 100.0
# How long each try waits for an answer.
TRY_SECONDS = (1.0, 2.0)
RESOLVER_SECONDS = 5.0
# So many questions without any sign of life, and the others are not put: they would take hours.
SILENCE = 4
# Whom names for local use are delegated to, so that questions for them end there (RFC 7534, RFC 7535).
AS112 = frozenset(("blackhole-1.iana.org", "blackhole-2.iana.org", "blackhole.as112.arpa"))

NO_TIME = "no time"

_Item = TypeVar("_Item")


class Assigned(NamedTuple):
    """A zone at a provider, and the name servers that it has there. Names as names.domain_name() gives them."""

    zone: str
    provider: str
    name_servers: Tuple[str, ...]
    primary_addresses: Tuple[str, ...]
    primary_port: int = 53


class Seen(NamedTuple):
    """The names of an NS set, and the address that gave them."""

    names: FrozenSet[str]
    address: str


class NotSeen(Exception):
    """Why something could not be found out: ``status`` and ``detail`` of the row that is not checked."""

    def __init__(self, status: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def resolver_end(text: str) -> Tuple[str, int]:
    """Address and port of a resolver, written ``ADDRESS`` or ``ADDRESS port N``. Raises ValueError."""
    address, separator, port = text.partition(" port ")
    if separator and not (port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("%r is no resolver; write an IP address, or ADDRESS port NUMBER" % text)
    return str(ip_address(address)), int(port or 53)


class _Deadline:
    """The end of the time that all questions together have."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._ends = time.monotonic() + timeout

    def left(self) -> float:
        """Seconds, more than none. Raises NotSeen."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise self.over()
        return left

    def over(self) -> NotSeen:
        return NotSeen(NO_TIME, "the timeout of %g seconds was too short to ask for it" % self._timeout)


class _SignsOfLife:
    """Whether an end was heard at all."""

    def __init__(self) -> None:
        self._heard = False
        self._silent = 0

    @property
    def dead(self) -> bool:
        return not self._heard and self._silent >= SILENCE

    def note(self, heard: bool) -> None:
        self._heard = self._heard or heard
        self._silent += not heard


# --- resolvers -------------------------------------------------------------------------------------------------------


class Resolver:
    """Asks resolvers: those given, or else those of this machine. Raises ValueError for what is none.

    Its questions raise NotSeen.
    """

    def __init__(self, ends: Sequence[str], deadline: _Deadline) -> None:
        self._deadline = deadline
        self._life = _SignsOfLife()
        self._resolver = None
        if ends:
            ports = dict(resolver_end(end) for end in ends)
            self._resolver = dns.resolver.Resolver(configure=False)
            self._resolver.nameserver_ports = ports
            self._resolver.nameservers = list(ports)
            return
        try:
            self._resolver = dns.resolver.Resolver()
        except dns.resolver.NoResolverConfiguration:
            pass

    def enclosing_zone(self, name: str) -> str:
        """The zone that the name is in; itself where it is an apex."""

        def find(lifetime: float) -> dns.name.Name:
            return dns.resolver.zone_for_name(dns.name.from_text(name), resolver=self._resolver, lifetime=lifetime)

        return _text(self._asked(name, "SOA record", find))

    def name_servers(self, zone: str) -> List[str]:
        return sorted(_text(record.target) for record in self._resolve(zone, "NS", "NS record"))

    def addresses(self, name: str) -> List[str]:
        """Its addresses, IPv4 first."""
        found: List[str] = []
        reasons = []
        for rdtype in ("A", "AAAA"):
            try:
                found += sorted(record.address for record in self._resolve(name, rdtype, "address"))
            except NotSeen as error:
                reasons.append(error)
        if not found:
            raise reasons[0]
        return found

    def _resolve(self, name: str, rdtype: str, what: str) -> Any:
        absolute = dns.name.from_text(name)
        return self._asked(name, what, lambda lifetime: self._resolver.resolve(absolute, rdtype, lifetime=lifetime))

    def _asked(self, name: str, what: str, question: Callable[[float], Any]) -> Any:
        """What the question gives; it gets the seconds that it may take. ``what`` is asked for, in words."""
        if self._resolver is None:
            raise NotSeen("no resolver", "this machine has no resolver in /etc/resolv.conf")
        lifetime = min(self._deadline.left(), RESOLVER_SECONDS)
        silent = NotSeen("no resolver", "the resolver gives no answer for %s" % name)
        if self._life.dead:
            raise silent
        try:
            answer = question(lifetime)
        except dns.exception.Timeout:
            self._life.note(False)
            raise silent from None
        except dns.exception.DNSException as error:
            self._life.note(True)
            if isinstance(error, dns.resolver.NXDOMAIN):
                raise NotSeen("does not resolve", "the name %s does not exist" % name) from None
            if isinstance(error, dns.resolver.NoAnswer):
                raise NotSeen("does not resolve", "the name %s has no %s" % (name, what)) from None
            raise NotSeen("does not resolve", "the resolver could not find out about %s" % name) from None
        self._life.note(True)
        return answer


def _text(name: Any) -> str:
    """A name of dnspython as names are written here."""
    return name.to_text(omit_final_dot=True).lower()


# --- authoritative servers -------------------------------------------------------------------------------------------


class _Pace:
    """So many queries a second to one server, and whether it shows signs of life."""

    def __init__(self, rate: float) -> None:
        self.life = _SignsOfLife()
        self._interval = 1.0 / rate
        self._next_query = 0.0
        self._lock = threading.Lock()

    def wait(self, deadline: _Deadline) -> None:
        """Until the next query may be sent. Raises NotSeen where that is too late."""
        left = deadline.left()
        with self._lock:
            now = time.monotonic()
            slot = max(now, self._next_query)
            if slot - now >= left:
                raise deadline.over()
            self._next_query = slot + self._interval
        time.sleep(slot - now)


class _Authorities:
    """Asks name servers for the NS records of zones, without recursion. Its questions raise NotSeen."""

    def __init__(self, rate: float, deadline: _Deadline) -> None:
        self._rate = rate
        self._deadline = deadline
        self._paces: Dict[Tuple[str, int], _Pace] = {}

    def ask(self, zone: str, address: str, port: int) -> Any:
        """The answer, from TCP where that over UDP is truncated."""
        pace = self._paces.setdefault((address, port), _Pace(self._rate))
        reason = NotSeen("no answer", "%s does not answer" % address)
        if pace.life.dead:
            raise reason
        for wait in TRY_SECONDS:
            pace.wait(self._deadline)
            query = dns.message.make_query(zone, "NS")
            query.flags &= ~dns.flags.RD
            seconds = min(wait, self._deadline.left())
            try:
                answer, _tcp = dns.query.udp_with_fallback(query, address, seconds, port, ignore_unexpected=True)
            except dns.exception.Timeout:
                continue
            except (dns.exception.DNSException, OSError, EOFError) as error:
                reason = NotSeen("no answer", "%s: %s" % (address, str(error) or type(error).__name__))
                continue
            pace.life.note(True)
            return answer
        pace.life.note(False)
        raise reason


AUTHORITY, REFERRAL, NOTHING = "authority", "referral", "nothing"


def read_ns(answer: Any, zone: str, address: str) -> Tuple[str, FrozenSet[str]]:
    """What an answer to the question for the zone's NS records is, and the names in it.

    AUTHORITY where the server has the zone, REFERRAL where it delegates it (RFC 1034 section 4.3.2), NOTHING where it
    is the authority for a zone above and does not delegate it. Raises NotSeen for any other answer.
    """
    name = dns.name.from_text(zone)
    authoritative = bool(answer.flags & dns.flags.AA)
    if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise NotSeen("no answer", "%s answers %s" % (address, dns.rcode.to_text(answer.rcode())))
    own = answer.get_rrset(answer.answer, name, dns.rdataclass.IN, dns.rdatatype.NS)
    if own is not None and authoritative:
        return AUTHORITY, frozenset(_text(record.target) for record in own)
    delegated = answer.get_rrset(answer.authority, name, dns.rdataclass.IN, dns.rdatatype.NS)
    if delegated is not None and not answer.answer:
        return REFERRAL, frozenset(_text(record.target) for record in delegated)
    if authoritative:
        return NOTHING, frozenset()
    elsewhere = [rrset for rrset in answer.authority if rrset.rdtype == dns.rdatatype.NS]
    if elsewhere and not answer.answer:
        raise NotSeen("no answer", "%s refers to the name servers of %s" % (address, _text(elsewhere[0].name)))
    raise NotSeen("no answer", "%s answers, but not as an authority" % address)


# --- NS sets of many zones -------------------------------------------------------------------------------------------


def _each(function: Callable[[_Item], Any], items: Iterable[_Item]) -> Dict[_Item, Any]:
    """What the function gives for each item, or the NotSeen that it raised; side by side, no item twice."""

    def attempt(item: _Item) -> Any:
        try:
            return function(item)
        except NotSeen as error:
            return error

    once = list(dict.fromkeys(items))
    with ThreadPoolExecutor(THREADS) as pool:
        return dict(zip(once, pool.map(attempt, once)))


def delegations(zones: Iterable[str], resolver: Resolver, authorities: _Authorities) -> Dict[str, Union[Seen, NotSeen]]:
    """The delegation of each zone at its parent. The resolver is asked once for each parent, not for each zone."""
    above = {zone: zone.partition(".")[2] or "." for zone in zones}
    parents = _each(resolver.enclosing_zone, above.values())
    names = _each(resolver.name_servers, (parent for parent in parents.values() if isinstance(parent, str)))
    addresses = _each(
        resolver.addresses, (name for found in names.values() if isinstance(found, list) for name in found)
    )
    unreachable = {
        address
        for found in addresses.values()
        if isinstance(found, list)
        for address in found
        if no_route(address, PORT)
    }

    def ask(zone: str) -> Seen:
        parent = parents[above[zone]]
        if isinstance(parent, NotSeen):
            raise NotSeen(parent.status, "its parent is not known: %s" % parent.detail)
        if isinstance(names[parent], NotSeen):
            raise NotSeen(
                names[parent].status, "the name servers of %s are not known: %s" % (_called(parent), names[parent])
            )
        found: List[str] = []
        reasons: List[NotSeen] = []
        for name in names[parent]:
            if isinstance(addresses[name], NotSeen):
                reasons.append(addresses[name])
            else:
                found += addresses[name]
        reachable = [address for address in found if address not in unreachable]
        reasons += [
            NotSeen("no route", "there is no route from here to %s" % address)
            for address in found
            if address in unreachable
        ]
        return _delegation(zone, parent, reachable, reasons, authorities)

    return _each(ask, above)


def _delegation(
    zone: str, parent: str, addresses: Sequence[str], reasons: List[NotSeen], authorities: _Authorities
) -> Seen:
    """Ask the parent's servers one after the other until one delegates the zone, or says that it does not.

    :param reasons: why others of them are not asked.
    """
    called = _called(parent)
    serves_both = False
    # Not all zones begin with the same server.
    first = zlib.crc32(zone.encode()) % max(1, len(addresses))
    for address in [*addresses[first:], *addresses[:first]]:
        try:
            kind, names = read_ns(authorities.ask(zone, address, PORT), zone, address)
        except NotSeen as error:
            if error.status == NO_TIME:
                raise
            reasons.append(error)
            continue
        if kind == REFERRAL and names <= AS112:
            raise NotSeen("not delegated", "%s has it for local use, and delegates it to nobody (AS112)" % called)
        if kind == REFERRAL:
            return Seen(names, address)
        if kind == NOTHING:
            raise NotSeen("not delegated", "%s does not delegate it, %s answers" % (called, address))
        serves_both = True
    if serves_both:
        raise NotSeen(
            "delegation hidden",
            "the name servers of %s that answer have the zone too, and give its own NS records" % called,
        )
    raise _none_answered("the name servers of %s" % called, reasons)


def _called(parent: str) -> str:
    return "the root zone" if parent == "." else "its parent %s" % parent


def _apex(zone: str, addresses: Sequence[str], port: int, authorities: _Authorities) -> Seen:
    """The zone's NS records as its primary has them."""
    reasons = []
    for address in addresses:
        try:
            if no_route(address, port):
                raise NotSeen("no route", "there is no route from here to %s" % address)
            kind, names = read_ns(authorities.ask(zone, address, port), zone, address)
            if kind == AUTHORITY:
                return Seen(names, address)
            raise NotSeen("no answer", "%s does not have the zone" % address)
        except NotSeen as error:
            if error.status == NO_TIME:
                raise
            reasons.append(error)
    raise _none_answered("its primary", reasons)


def _none_answered(who: str, reasons: Sequence[NotSeen]) -> NotSeen:
    status = reasons[0].status if len({reason.status for reason in reasons}) == 1 else "no answer"
    told = dict.fromkeys(reason.detail for reason in reasons)
    return NotSeen(status, "%s could not be asked: %s" % (who, some(told, "; ") or "no address is known"))


# --- rows ------------------------------------------------------------------------------------------------------------


def name_server_rows(
    assigned: Sequence[Assigned],
    *,
    addresses: Mapping[str, Sequence[str]],
    resolvers: Sequence[str],
    ask: Ask,
    timeout: float,
    rate: float,
) -> List[Row]:
    """For each zone and provider a row ``serial`` for each address of its name servers, one ``ns``, one ``delegation``.

    :param addresses: those of name servers that are not to be resolved.
    :param resolvers: as :func:`resolver_end` has them; none for those of this machine.
    :param ask: one round of questions for serials.
    :param timeout: seconds for all, and for the serials to agree.
    :param rate: queries a second to a primary for NS records, at most.
    :raises ValueError: for an address or resolver that is none.
    """
    deadline = _Deadline(timeout)
    resolver = Resolver(resolvers, deadline)
    known = [each for each in assigned if each.name_servers]
    # The parents are asked while the serials are waited for; the primaries are not, for the sake of their rate limits.
    with ThreadPoolExecutor(2) as aside:
        at_parent = aside.submit(
            delegations, [each.zone for each in known], resolver, _Authorities(PARENT_RATE, deadline)
        )
        ends = aside.submit(_name_server_addresses, known, addresses, resolver)
        primaries = _Authorities(rate, deadline)
        at_primary = _each(
            lambda question: _apex(*question, authorities=primaries),
            [(each.zone, each.primary_addresses, each.primary_port) for each in known],
        )
        serials = _serial_rows(known, ends.result(), ask, deadline)
        delegated = at_parent.result()
    rows = []
    for each in assigned:
        if not each.name_servers:
            detail = "the provider has assigned no name servers to the zone yet"
            rows.append(row("ns", each.zone, each.provider, "", NOT_CHECKED, "no name servers", None, detail))
            continue
        rows += serials.pop((each.zone, each.provider), [])
        apex = at_primary[(each.zone, each.primary_addresses, each.primary_port)]
        rows.append(_ns_row("ns", each, apex))
        rows.append(_ns_row("delegation", each, delegated[each.zone]))
    return rows


def _name_server_addresses(
    assigned: Sequence[Assigned], given: Mapping[str, Sequence[str]], resolver: Resolver
) -> Dict[str, Union[Sequence[str], NotSeen]]:
    names = [name for each in assigned for name in each.name_servers]
    return {**_each(resolver.addresses, [name for name in names if name not in given]), **given}


def _serial_rows(
    assigned: Sequence[Assigned],
    ends: Mapping[str, Union[Sequence[str], NotSeen]],
    ask: Ask,
    deadline: _Deadline,
) -> Dict[Tuple[str, str], List[Row]]:
    """The rows of each zone and provider. All zones are waited for together."""
    rows: Dict[Tuple[str, str], List[Row]] = {}
    servers: Dict[str, Server] = {}
    zones = []
    provider_of = {}
    for each in assigned:
        # No host name looks like this, so it is not a name server's.
        primary = "%s port %d" % (", ".join(each.primary_addresses), each.primary_port)
        servers[primary] = Server(each.primary_addresses, each.primary_port)
        resolved = []
        for name in each.name_servers:
            found = ends[name]
            if isinstance(found, NotSeen):
                missing = row("serial", each.zone, each.provider, "", NOT_CHECKED, found.status, None, found.detail)
                rows.setdefault((each.zone, each.provider), []).append(missing)
                continue
            servers[name] = Server(tuple(found), PORT)
            provider_of[(each.zone, name)] = each.provider
            resolved.append(name)
        zones.append(Zone(each.zone, primary, resolved))
    try:
        timeout = deadline.left()
    except NotSeen:
        timeout = 0.0  # one round
    for seen in wait_for_sync(zones, servers, ask=ask, timeout=timeout):
        name = seen["server"]
        if (seen["zone"], name) in provider_of:
            provider = provider_of[(seen["zone"], name)]
            detail = seen["detail"] and "%s: %s" % (name, seen["detail"])
            rows.setdefault((seen["zone"], provider), []).append({**seen, "server": provider, "detail": detail})
    return rows


def _ns_row(check: str, assigned: Assigned, seen: Union[Seen, NotSeen]) -> Row:
    zone, provider = assigned.zone, assigned.provider
    if isinstance(seen, NotSeen):
        return row(check, zone, provider, "", NOT_CHECKED, seen.status, None, seen.detail)
    place = "in the zone" if check == "ns" else "at the parent"
    missing = ", ".join(name for name in assigned.name_servers if name not in seen.names)
    if not missing:
        return row(check, zone, provider, seen.address, OK, place, None)
    if check == "ns":
        detail = "the zone has no NS record for %s; add it to the zone, or to dns_name_servers of %s"
        detail %= (missing, provider)
    else:
        detail = "its delegation lacks %s; have that added by the registrar of the zone, or in the zone above" % missing
    return row(check, zone, provider, seen.address, WARNING, "not %s" % place, None, detail)
