# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zones that Cloudflare transfers from primaries: what is wanted, what is there, and the way from one to the other.

At Cloudflare a zone of type ``secondary`` has an *incoming configuration*, which links it to *peers*: addresses that
it is transferred from. A peer has at most one TSIG. Peers and TSIGs belong to the account, and may serve many zones.

Ours are the peers whose names begin with the owner; no other peer is ever changed or deleted. A TSIG has no such mark:
ours are those that our peers use, and those named after our keys.
"""

from __future__ import annotations

import base64
import binascii
import time
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import Ask, Row, Server, Zone, wait_for_sync
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import Question, SerialSeen, Status, TsigKey
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.cloudflare_api import (
    ACCOUNT,
    HOPELESS,
    TOKEN,
    Api,
    CloudflareError,
    number,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.config_set import is_mass_removal
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.names import domain_name, printable
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem, some
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.serial import highest

SECONDARY = "secondary"
# What the rows have for an address.
API = "API"
# Cloudflare's documentation: peers linked to one zone, and the least seconds between its own looks at the serial.
MOST_PEERS = 30
LEAST_REFRESH = 300
# Requests at the same time: together with their round trips about as many as the rate limit allows.
CONCURRENCY = 4
# Seconds between looks at the serials after a change. Each costs one request for each zone that is not there yet.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
LONGEST_PAUSE = 30.0

_MASS_REMOVAL = "If that is meant, run once with -e dns_allow_mass_removal=true, the module's allow_mass_removal"
_NOT_TRANSFERRED = (
    "Cloudflare has not got it from its primary yet: see that Cloudflare's transfer sources reach the primary, that it "
    "admits them, and that both have the same TSIG key"
)

Object = Dict[str, Any]

# The status of a zone that is left alone.
REFUSED = "refused"


class Primary(NamedTuple):
    """A primary, and the key that Cloudflare signs with when it asks there."""

    name: str
    addresses: Sequence[str]
    port: int = 53
    key: Optional[TsigKey] = None


class WantedZone(NamedTuple):
    """``primary`` is its name; ``refresh`` seconds between Cloudflare's own looks at the serial."""

    name: str
    primary: str
    refresh: int = 3600


class Wanted(NamedTuple):
    """What there should be. All names of zones are as :func:`domain_name` has them.

    ``keep_zones`` stay as they are: neither set up nor unlinked.
    """

    owner: str
    primaries: Mapping[str, Primary]
    zones: Sequence[WantedZone]
    delete_zones: Sequence[str] = ()
    keep_zones: Sequence[str] = ()


class Seen(NamedTuple):
    """What is in the account, as the API tells it; ``zones`` and ``incoming`` by name of the zone.

    ``unread`` has a sentence for each zone that is not ours to read; ``zones`` does not have it.
    """

    zones: Dict[str, Object]
    incoming: Dict[str, Optional[Object]]
    peers: List[Object]
    tsigs: List[Object]
    unread: Sequence[str] = ()


class Step(NamedTuple):
    """One thing to do: ``kind`` is the name of a method of _Work, ``name`` that of a key, a peer or a zone.

    ``text`` says it to people; ``id`` is that of the object at Cloudflare, empty where it has yet to be created.
    ``peers`` are the ids that a zone is to keep.
    """

    kind: str
    name: str
    text: str
    id: str = ""
    peers: Sequence[str] = ()


class Plan(NamedTuple):
    """The way: account-wide steps, those of each zone, zones that go, and what nobody uses afterwards; in this order.

    ``refused`` has the reason for each zone that is left alone; ``transfers`` are the zones that get a transfer because
    something of theirs changes. ``tsigs`` and ``peers`` have the ids by name, empty for what has yet to be created.
    """

    before: List[Step]
    zones: Dict[str, List[Step]]
    leaving: Dict[str, List[Step]]
    after: List[Step]
    refused: Dict[str, str]
    transfers: List[str]
    left: List[str]
    warnings: List[str]
    tsigs: Dict[str, str]
    peers: Dict[str, str]

    def steps(self) -> List[Step]:
        """All, in order."""
        of_zones = [step for steps in self.zones.values() for step in steps]
        return self.before + of_zones + [step for steps in self.leaving.values() for step in steps] + self.after


class Outcome(NamedTuple):
    """What was done, or in check mode would be done, and how the zones stand."""

    changed: bool
    rows: List[Row]
    zones: List[Dict[str, Any]]
    left: List[str]
    warnings: List[str]
    plan: List[str]


class Stopped(CloudflareError):
    """The API did not let it go on; ``changed``: after something had been written, ``plan``: all that was planned."""

    def __init__(self, error: CloudflareError, changed: bool, planned: List[str]) -> None:
        super().__init__(error.kind, str(error))
        self.changed = changed
        self.plan = planned


def name_of(value: Any) -> str:
    """A name of the API as names are compared here. What is no name by our rules is nobody's but its owner's.

    The API answers names in Unicode. These are names that exist, so no rule of IDNA needs to be looked at, and Python's
    own Punycode (RFC 3492) does.
    """
    try:
        return domain_name(".".join(map(_a_label, value.split("."))) if isinstance(value, str) else value)
    except ValueError:
        return str(value).lower().rstrip(".")


def _a_label(label: str) -> str:
    return label if label.isascii() else "xn--" + label.lower().encode("punycode").decode("ascii")


def peer_name(owner: str, primary: str, address: str) -> str:
    """The name of one of our peers."""
    return "%s %s %s" % (owner, primary, address)


def check(wanted: Wanted) -> None:
    """Find all mistakes in what is wanted.

    :raises InputError:
    """
    problems = []
    if not wanted.owner or wanted.owner.split() != [wanted.owner]:
        problems.append(Problem("owner %r is no single word" % wanted.owner, "Peers at Cloudflare are known by it"))
    keys: Dict[str, TsigKey] = {}
    for primary in wanted.primaries.values():
        try:
            addresses = [ip_address(address) for address in primary.addresses]
        except ValueError as error:
            problems.append(Problem("Primary %s: %s" % (primary.name, error), "Give IP addresses"))
            continue
        if not addresses or len(set(addresses)) != len(addresses):
            problems.append(Problem("Primary %s has no address, or one twice" % primary.name, "Mend its addresses"))
        key = primary.key
        other = keys.setdefault(name_of(key.name), key) if key else None
        if key and other and (key.secret, key.algorithm) != (other.secret, other.algorithm):
            mend = "Give the keys different names"
            problems.append(Problem("Two primaries have different TSIG keys of the name %s" % key.name, mend))
    names: Set[str] = set()
    for zone in wanted.zones:
        if zone.name in names:
            problems.append(Problem("It is in the list of zones twice", "Leave one of them", zone=zone.name))
        names.add(zone.name)
        if zone.primary not in wanted.primaries:
            problems.append(Problem("Its primary %s is not among the primaries" % zone.primary, zone=zone.name))
    for name in names & set(wanted.delete_zones):
        mend = "Take it out of one of them"
        problems.append(Problem("It is both in zones and in delete_zones", mend, zone=name))
    if problems:
        raise InputError(problems)


# --- the plan --------------------------------------------------------------------------------------------------------


def plan(wanted: Wanted, seen: Seen, allow_mass_removal: bool = False) -> Plan:
    """The way from what is there to what is wanted. Does nothing, and asks nothing.

    :raises InputError: where going on would take something away that nobody said should go.
    """
    return _Planner(wanted, seen).plan(allow_mass_removal)


class _Planner:
    def __init__(self, wanted: Wanted, seen: Seen) -> None:
        self.wanted = wanted
        self.seen = seen
        self.peers = {peer["id"]: peer for peer in seen.peers}
        self.ours = {id_ for id_, peer in self.peers.items() if str(peer.get("name")).startswith(wanted.owner + " ")}
        self.result = Plan([], {}, {}, [], {}, [], [], list(seen.unread), {}, {})
        # Names of the peers that are created or change, or whose key does: their zones are transferred anew.
        self.touched: Set[str] = set()

    def plan(self, allow_mass_removal: bool) -> Plan:
        used = {zone.primary for zone in self.wanted.zones}
        primaries = [primary for name, primary in self.wanted.primaries.items() if name in used]
        touched_keys = {name for name in map(self._plan_key, primaries) if name}
        for primary in primaries:
            for address in primary.addresses:
                self._plan_peer(primary, str(ip_address(address)), touched_keys)
        for zone in self.wanted.zones:
            self._plan_zone(zone)
        self._plan_leaving(allow_mass_removal)
        self._plan_unused()
        return self.result

    def _plan_key(self, primary: Primary) -> Optional[str]:
        """The name of the key, where it is created or changes now."""
        key = primary.key
        if key is None or name_of(key.name) in self.result.tsigs:
            return None
        name = name_of(key.name)
        users = {peer.get("tsig_id") for id_, peer in self.peers.items() if id_ in self.ours}
        alike = [tsig for tsig in self.seen.tsigs if name_of(tsig.get("name")) == name]
        # After an accident there may be several; the others go when nobody uses them any more.
        alike.sort(key=lambda tsig: (bool(_key_differs(tsig, key)), tsig["id"] not in users, tsig["id"]))
        if not alike:
            self.result.tsigs[name] = ""
            self.result.before.append(Step("create_key", name, "create TSIG key %s (%s)" % (name, key.algorithm)))
            return name
        found = alike[0]
        self.result.tsigs[name] = found["id"]
        if not _octets(found.get("secret")):
            text = "Cloudflare does not tell the secret of TSIG key %s, so a changed one can't be noticed: give a new "
            self.result.warnings.append((text + "key another name") % name)
        what = _key_differs(found, key)
        if not what:
            return None
        foreign = self._foreign_users(found["id"])
        if foreign:
            reason = "TSIG key %s at Cloudflare has another %s, and is used by peers that are not of owner %s: %s"
            reason %= (name, " and ".join(what), self.wanted.owner, some(foreign))
            raise InputError([Problem(reason, "Give the key another name")])
        text = "change TSIG key %s: %s" % (name, " and ".join(what))
        self.result.before.append(Step("change_key", name, text, found["id"]))
        return name

    def _foreign_users(self, tsig_id: str) -> List[str]:
        return [
            printable(str(peer.get("name")))
            for id_, peer in self.peers.items()
            if id_ not in self.ours and peer.get("tsig_id") == tsig_id
        ]

    def _plan_peer(self, primary: Primary, address: str, touched_keys: Set[str]) -> None:
        name = peer_name(self.wanted.owner, primary.name, address)
        key_name = name_of(primary.key.name) if primary.key else None
        alike = [id_ for id_ in self.ours if self.peers[id_].get("name") == name]
        links = [id_ for incoming in self.seen.incoming.values() for id_ in _linked(incoming)]
        # As with keys; the one that more zones are linked to stays, so that fewer have to change.
        alike.sort(key=lambda id_: (-links.count(id_), id_))
        where = "%s port %d, %s" % (address, primary.port, "key %s" % key_name if key_name else "no key")
        self.result.peers[name] = alike[0] if alike else ""
        if not alike:
            self.result.before.append(Step("create_peer", name, "create peer %s: %s" % (name, where)))
            self.touched.add(name)
            return
        peer = self.peers[alike[0]]
        tsig_id = self.result.tsigs[key_name] if key_name else None
        same = _ip(peer.get("ip")) == address and number(peer.get("port"), 53) == primary.port
        if not same or (peer.get("tsig_id") or None) != tsig_id:
            self.result.before.append(Step("change_peer", name, "change peer %s: %s" % (name, where), alike[0]))
            self.touched.add(name)
        elif key_name in touched_keys:
            self.touched.add(name)

    def names_of_peers(self, zone: WantedZone) -> List[str]:
        """The peers that the zone should be linked to."""
        addresses = self.wanted.primaries[zone.primary].addresses
        return [peer_name(self.wanted.owner, zone.primary, str(ip_address(address))) for address in addresses]

    def _plan_zone(self, zone: WantedZone) -> None:
        there = self.seen.zones.get(zone.name)
        incoming = self.seen.incoming.get(zone.name)
        refused = self._refusal(zone, there, incoming)
        if refused:
            self.result.refused[zone.name] = refused
            return
        names = self.names_of_peers(zone)
        steps = []
        link = "%s, refresh %d s" % (", ".join(names), auto_refresh(zone.refresh))
        if there is None:
            steps.append(Step("create_zone", zone.name, "create zone %s, type secondary" % zone.name))
        if incoming is None:
            steps.append(Step("link_zone", zone.name, "link zone %s to %s" % (zone.name, link)))
        elif (
            set(_linked(incoming)) != {self.result.peers[name] for name in names}
            or number(incoming.get("auto_refresh_seconds"), 0) != auto_refresh(zone.refresh)
            or name_of(incoming.get("name")) != zone.name
        ):
            steps.append(Step("change_link", zone.name, "change the link of zone %s: %s" % (zone.name, link)))
        if steps:
            self.result.zones[zone.name] = steps
        if steps or self.touched & set(names):
            self.result.transfers.append(zone.name)

    def _refusal(self, zone: WantedZone, there: Optional[Object], incoming: Optional[Object]) -> str:
        """Why the zone is left alone; empty where it is not.

        A peer of somebody else is refused, not kept beside ours: Cloudflare takes the zone from whichever answers, and
        two primaries that differ would take turns. One with the address of our primary is the same server, so the link
        moves to our peer.
        """
        primary = self.wanted.primaries[zone.primary]
        if len(primary.addresses) > MOST_PEERS:
            reason = "its primary %s has %d addresses, and Cloudflare links at most %d peers to a zone"
            return reason % (primary.name, len(primary.addresses), MOST_PEERS)
        if there is not None and there.get("type") != SECONDARY:
            return (
                "the account has it as a zone of type %s, which is left alone; for a secondary of that name delete it "
                "at Cloudflare first" % printable(str(there.get("type")))
            )
        own = {(str(ip_address(address)), primary.port) for address in primary.addresses}
        foreign = [
            self._shown(id_)
            for id_ in _linked(incoming)
            if id_ not in self.ours
            and (_ip(self.peers.get(id_, {}).get("ip")), number(self.peers.get(id_, {}).get("port"), 53)) not in own
        ]
        if foreign:
            return (
                "at Cloudflare it is linked to peers that are neither of owner %s nor an address of its primary (%s); "
                "unlink them there, or take the zone out of the inventory" % (self.wanted.owner, some(foreign))
            )
        return ""

    def _shown(self, peer_id: str) -> str:
        peer = self.peers.get(peer_id, {})
        return printable("%s at %s" % (peer.get("name", peer_id), peer.get("ip") or "no address"))

    def _plan_leaving(self, allow_mass_removal: bool) -> None:
        wanted = {zone.name for zone in self.wanted.zones}.union(self.wanted.keep_zones)
        ours = [name for name, incoming in self.seen.incoming.items() if self.ours & set(_linked(incoming))]
        unlinked = [name for name in ours if name not in wanted]
        if not allow_mass_removal and is_mass_removal(len(ours), len(unlinked)):
            reason = "This run would unlink %d of the %d zones that Cloudflare has from peers of owner %s (%s)"
            reason %= (len(unlinked), len(ours), self.wanted.owner, some(unlinked))
            raise InputError([Problem(reason, _MASS_REMOVAL)])
        for name, zone in self.seen.zones.items():
            named = name in self.wanted.delete_zones
            if named and zone.get("type") != SECONDARY:
                text = "zone %s is named in delete_zones, but is of type %s at Cloudflare: it stays"
                self.result.warnings.append(text % (name, printable(str(zone.get("type")))))
            if name in wanted or zone.get("type") != SECONDARY:
                continue
            rest = [id_ for id_ in _linked(self.seen.incoming.get(name)) if id_ not in self.ours]
            if rest:
                self._keep_foreign(name, rest, name in unlinked, named)
                continue
            steps = []
            if name in unlinked:
                steps.append(Step("unlink_zone", name, "unlink zone %s" % name))
            if named:
                steps.append(Step("delete_zone", name, "delete zone %s" % name))
            else:
                self.result.left.append(name)
            if steps:
                self.result.leaving[name] = steps

    def _keep_foreign(self, name: str, rest: List[str], ours_go: bool, named: bool) -> None:
        """The zone is somebody else's too."""
        if named:
            text = "zone %s is named in delete_zones, but is linked to other peers at Cloudflare (%s): it stays"
            self.result.warnings.append(text % (name, some(self._shown(id_) for id_ in rest)))
        if ours_go:
            text = "unlink zone %s from the peers of owner %s" % (name, self.wanted.owner)
            self.result.leaving[name] = [Step("unlink_ours", name, text, peers=rest)]

    def _plan_unused(self) -> None:
        """Peers of ours without a zone, and then TSIGs without a peer."""
        if self.seen.unread:  # nobody knows what those are linked to
            return
        kept = set(self.result.peers.values())
        for name in [*self.result.refused, *self.wanted.keep_zones]:
            kept.update(_linked(self.seen.incoming.get(name)))
        gone = sorted(self.ours - kept)
        for id_ in gone:
            name = printable(str(self.peers[id_].get("name")))
            self.result.after.append(Step("delete_peer", name, "delete peer %s" % name, id_))
        names = {name_of(primary.key.name) for primary in self.wanted.primaries.values() if primary.key}
        ours = {self.peers[id_].get("tsig_id") for id_ in self.ours}
        changing = {step.id for step in self.result.before if step.kind == "change_peer"}
        users = {peer.get("tsig_id") for id_, peer in self.peers.items() if id_ not in gone and id_ not in changing}
        users.update(self.result.tsigs.values())
        for tsig in self.seen.tsigs:
            name = name_of(tsig.get("name"))
            if tsig["id"] not in users and (tsig["id"] in ours or name in names):
                self.result.after.append(Step("delete_key", name, "delete TSIG key %s" % name, tsig["id"]))


def auto_refresh(refresh: int) -> int:
    """Seconds between Cloudflare's own looks at the serial; it ignores the refresh of the zone's SOA."""
    return max(LEAST_REFRESH, refresh)


def _linked(incoming: Optional[Object]) -> List[str]:
    peers = (incoming or {}).get("peers")
    return [str(peer) for peer in peers] if isinstance(peers, list) else []


def _ip(value: Any) -> str:
    try:
        return str(ip_address(str(value)))
    except ValueError:
        return ""


def _key_differs(tsig: Object, key: TsigKey) -> List[str]:
    """What of a TSIG at Cloudflare is not as it should be. A secret that it does not tell, or only a mask such as
    ``********``, is taken to be right.
    """
    algorithm = str(tsig.get("algo")).lower().rstrip(".")
    secret = _octets(tsig.get("secret"))
    what = [] if algorithm == key.algorithm else ["algorithm"]
    return what + (["secret"] if secret and secret != key.secret else [])


def _octets(secret: Any) -> bytes:
    """Those of a secret; none where it is not told."""
    try:
        return base64.b64decode(str(secret or ""), validate=True)
    except (binascii.Error, ValueError):
        return b""


# --- doing it --------------------------------------------------------------------------------------------------------


def read(api: Api, needed: Set[str]) -> Seen:
    """Read the account: three lists, and the incoming configuration of each secondary zone.

    :param needed: zones without which the run makes no sense; another one that must not be read is left alone.
    :raises CloudflareError:
    """
    tsigs = _tsigs(api)
    peers = _peers(api)
    zones = {}
    for zone in api.list("list the zones of the account", "/zones", [("account.id", api.account_id)]):
        zones[name_of(zone.get("name"))] = zone
    names = [name for name, zone in zones.items() if zone.get("type") == SECONDARY]
    unread: Dict[str, str] = {}

    def incoming_of(name: str) -> Optional[Object]:
        try:
            return read_incoming(api, name, zones[name]["id"])
        except CloudflareError as error:
            # The lists above could be read, so the token is a good one, but not for this zone.
            if name in needed or error.kind not in (ACCOUNT, TOKEN):
                raise
            text = "%s The zone is left alone, and so are all peers and TSIG keys that nobody uses"
            unread[name] = text % error
            return None

    incoming = dict(zip(names, _side_by_side(incoming_of, names)))
    for name in unread:
        del zones[name], incoming[name]
    return Seen(zones, incoming, peers, tsigs, [unread[name] for name in sorted(unread)])


def _tsigs(api: Api) -> List[Object]:
    tsigs = api.list("list the TSIG keys of the account", api.account + "/secondary_dns/tsigs")
    return [
        tsig
        if "secret" in tsig
        else api.request("read a TSIG key", "GET", "%s/secondary_dns/tsigs/%s" % (api.account, tsig["id"]))
        for tsig in tsigs
    ]


def _peers(api: Api) -> List[Object]:
    return api.list("list the peers of the account", api.account + "/secondary_dns/peers")


def read_incoming(api: Api, name: str, zone_id: str) -> Optional[Object]:
    """The incoming configuration of a zone; None where it has none.

    :raises CloudflareError:
    """
    return api.find("read the incoming configuration of zone %s" % name, _incoming_path(zone_id))


def _incoming_path(zone_id: str) -> str:
    return "/zones/%s/secondary_dns/incoming" % zone_id


def _side_by_side(function: Callable[[str], Any], names: Iterable[str]) -> List[Any]:
    """The results in the order of the names; an error ends it."""
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        futures = [pool.submit(function, name) for name in names]
        try:
            return [future.result() for future in futures]
        except CloudflareError:
            for future in futures:
                future.cancel()
            raise


class _Work:
    """Does the steps of a plan, and notes in ``seen`` what is there then."""

    def __init__(self, api: Api, wanted: Wanted, seen: Seen, planned: Plan) -> None:
        self.api = api
        self.wanted = wanted
        self.seen = seen
        self.planned = planned
        self.zones = {zone.name: zone for zone in wanted.zones}
        self.keys = {name_of(primary.key.name): primary.key for primary in wanted.primaries.values() if primary.key}
        self.ends = {
            peer_name(wanted.owner, primary.name, str(ip_address(address))): (primary, str(ip_address(address)))
            for primary in wanted.primaries.values()
            for address in primary.addresses
        }
        self.done: List[Step] = []
        self.failed: Dict[str, str] = {}
        self.warnings: List[str] = []

    def do_all(self) -> None:
        """
        :raises CloudflareError: where going on makes no sense. What is about one zone is noted in ``failed``.
        """
        for step in self.planned.before:
            self._do(step)
        _side_by_side(lambda name: self._do_zone(name, self.planned.zones[name]), self.planned.zones)
        _side_by_side(lambda name: self._do_zone(name, self.planned.leaving[name]), self.planned.leaving)
        kept_keys: Set[Any] = set()
        for step in self.planned.after:
            users = [name for name, incoming in self.seen.incoming.items() if step.id in _linked(incoming)]
            if step.kind == "delete_peer" and users:  # their unlinking failed
                text = "peer %s stays with its TSIG key, because zones are still linked to it: %s"
                self.warnings.append(text % (step.name, some(sorted(users))))
                kept_keys.update(peer.get("tsig_id") for peer in self.seen.peers if peer["id"] == step.id)
                continue
            if step.kind == "delete_key" and step.id in kept_keys:
                continue
            # What still has a use that is not seen here, such as a peer of a zone that Cloudflare is primary for.
            try:
                self._do(step)
            except CloudflareError as error:
                if error.kind in HOPELESS:
                    raise
                self.warnings.append("%s It stays." % error)

    def _do(self, step: Step) -> None:
        getattr(self, step.kind)(step)
        self.done.append(step)

    def _do_zone(self, name: str, steps: Sequence[Step]) -> None:
        try:
            for step in steps:
                self._do(step)
        except CloudflareError as error:
            if error.kind in HOPELESS:
                raise
            self.failed[name] = str(error)

    # --- keys and peers ----------------------------------------------------------------------------------------------

    def _key_body(self, name: str) -> Object:
        key = self.keys[name]
        # Both with a final dot, as Cloudflare gives them back.
        return {
            "name": key.name.rstrip(".") + ".",
            "algo": key.algorithm + ".",
            "secret": base64.b64encode(key.secret).decode("ascii"),
        }

    def create_key(self, step: Step) -> None:
        path = self.api.account + "/secondary_dns/tsigs"
        made = self.api.create(
            "create TSIG key %s" % step.name,
            path,
            self._key_body(step.name),
            lambda: _first(tsig for tsig in _tsigs(self.api) if name_of(tsig.get("name")) == step.name),
        )
        self.planned.tsigs[step.name] = made["id"]

    def change_key(self, step: Step) -> None:
        path = "%s/secondary_dns/tsigs/%s" % (self.api.account, step.id)
        self.api.request("change TSIG key %s" % step.name, "PUT", path, self._key_body(step.name))

    def delete_key(self, step: Step) -> None:
        self.api.delete("delete TSIG key %s" % step.name, "%s/secondary_dns/tsigs/%s" % (self.api.account, step.id))

    def create_peer(self, step: Step) -> None:
        """The documented request has the name only; the rest is put in afterwards."""
        path = self.api.account + "/secondary_dns/peers"
        made = self.api.create(
            "create peer %s" % step.name,
            path,
            {"name": step.name},
            lambda: _first(peer for peer in _peers(self.api) if peer.get("name") == step.name),
        )
        self.planned.peers[step.name] = made["id"]
        self._put_peer(step.name, made["id"], {})

    def change_peer(self, step: Step) -> None:
        self._put_peer(step.name, step.id, next(peer for peer in self.seen.peers if peer["id"] == step.id))

    def _put_peer(self, name: str, id_: str, before: Object) -> None:
        primary, address = self.ends[name]
        body = {
            "name": name,
            "ip": address,
            "port": primary.port,
            # Cloudflare's default; who has switched it on there keeps it.
            "ixfr_enable": bool(before.get("ixfr_enable")),
        }
        if primary.key:
            body["tsig_id"] = self.planned.tsigs[name_of(primary.key.name)]
        self.api.request("change peer %s" % name, "PUT", "%s/secondary_dns/peers/%s" % (self.api.account, id_), body)

    def delete_peer(self, step: Step) -> None:
        self.api.delete("delete peer %s" % step.name, "%s/secondary_dns/peers/%s" % (self.api.account, step.id))

    # --- zones -------------------------------------------------------------------------------------------------------

    def create_zone(self, step: Step) -> None:
        what = "create zone %s" % step.name
        query = [("account.id", self.api.account_id), ("name", step.name)]
        made = self.api.create(
            what,
            "/zones",
            {"name": step.name, "account": {"id": self.api.account_id}, "type": SECONDARY},
            lambda: _first(
                zone for zone in self.api.list(what, "/zones", query) if name_of(zone.get("name")) == step.name
            ),
        )
        self.seen.zones[step.name] = made

    def _link_body(self, name: str) -> Object:
        zone = self.zones[name]
        peers = [self.planned.peers[peer] for peer, (primary, _ip) in self.ends.items() if primary.name == zone.primary]
        return {"name": name + ".", "peers": peers, "auto_refresh_seconds": auto_refresh(zone.refresh)}

    def link_zone(self, step: Step) -> None:
        id_ = self.seen.zones[step.name]["id"]
        self.seen.incoming[step.name] = self.api.create(
            "link zone %s" % step.name,
            _incoming_path(id_),
            self._link_body(step.name),
            lambda: read_incoming(self.api, step.name, id_),
        )

    def change_link(self, step: Step) -> None:
        self._put_link(step.name, self._link_body(step.name))

    def unlink_ours(self, step: Step) -> None:
        self._put_link(step.name, self._without_ours(step))

    def unlink_zone(self, step: Step) -> None:
        """The peers first: Cloudflare's own tools unlink that way before they delete a peer."""
        self._put_link(step.name, self._without_ours(step))
        path = _incoming_path(self.seen.zones[step.name]["id"])
        self.api.delete("delete the incoming configuration of zone %s" % step.name, path)
        self.seen.incoming[step.name] = None

    def _without_ours(self, step: Step) -> Object:
        incoming = self.seen.incoming[step.name] or {}
        refresh = auto_refresh(number(incoming.get("auto_refresh_seconds"), 0))
        return {"name": step.name + ".", "peers": list(step.peers), "auto_refresh_seconds": refresh}

    def _put_link(self, name: str, body: Object) -> None:
        path = _incoming_path(self.seen.zones[name]["id"])
        now = self.api.request("change the link of zone %s" % name, "PUT", path, body)
        self.seen.incoming[name] = {**(now if isinstance(now, dict) else {}), **body}

    def delete_zone(self, step: Step) -> None:
        self.api.delete("delete zone %s" % step.name, "/zones/%s" % self.seen.zones[step.name]["id"])
        del self.seen.zones[step.name]
        self.seen.incoming.pop(step.name, None)

    def transfer(self, name: str) -> None:
        """Have Cloudflare transfer the zone now."""
        path = "/zones/%s/secondary_dns/force_axfr" % self.seen.zones[name]["id"]
        try:
            self.api.request("have zone %s transferred" % name, "POST", path, {})
        except CloudflareError as error:
            if error.kind in HOPELESS:
                raise
            self.failed[name] = str(error)


def _first(items: Iterable[Object]) -> Optional[Object]:
    return next(iter(items), None)


# --- the run ---------------------------------------------------------------------------------------------------------


def run(
    api: Api,
    wanted: Wanted,
    *,
    ask: Ask,
    server: str = "cloudflare",
    wait: float = 120.0,
    allow_mass_removal: bool = False,
    check_mode: bool = False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Bring the account in line, have zones transferred that are behind, and see whether they arrive.

    :param ask: asks the primaries for their serials over DNS.
    :param server: what the rows call Cloudflare.
    :param wait: seconds to wait for the serials to agree, in check mode too.
    :raises InputError: for what is refused before anything is written.
    :raises CloudflareError: where the API did not let it go on: Stopped from the first write on.
    """
    check(wanted)
    seen = read(api, {zone.name for zone in wanted.zones}.union(wanted.delete_zones, wanted.keep_zones))
    planned = plan(wanted, seen, allow_mass_removal)
    serials = _Serials(wanted, seen, ask)
    serials.ask_primaries([zone.name for zone in wanted.zones])
    behind = [
        name
        for name in serials.apart()
        if name not in planned.refused and name not in planned.zones and name not in planned.transfers
    ]
    transfers = planned.transfers + behind
    texts = [step.text for step in planned.steps()] + ["transfer zone %s" % name for name in transfers]
    texts += ["leave zone %s alone: %s" % item for item in planned.refused.items()]
    work = _Work(api, wanted, seen, planned)
    pending = set(planned.transfers) if check_mode else set()
    if not check_mode:
        try:
            work.do_all()
            transfers = [name for name in transfers if name not in work.failed]
            _side_by_side(work.transfer, transfers)
        except CloudflareError as error:
            raise Stopped(error, api.wrote, texts) from None
    left_out = pending | set(planned.refused) | set(work.failed)
    try:
        _wait(api, serials, left_out, () if check_mode else transfers, wait, sleep, clock)
    except CloudflareError as error:
        work.warnings.append("%s The zones' serials at Cloudflare are told as they were before that look" % error)
    return Outcome(
        changed=bool(transfers or (planned.steps() if check_mode else work.done or api.wrote)),
        rows=serials.rows(server, planned.refused, work.failed, pending),
        zones=[_told(zone.name, seen) for zone in wanted.zones if zone.name in seen.zones],
        left=sorted(name for name in planned.left if name in seen.zones),
        warnings=planned.warnings + work.warnings + _failed_leaving(wanted, work.failed),
        plan=texts,
    )


def _failed_leaving(wanted: Wanted, failed: Mapping[str, str]) -> List[str]:
    """Zones that should have gone have no row that would tell."""
    wanted_names = {zone.name for zone in wanted.zones}
    return [reason for name, reason in failed.items() if name not in wanted_names]


def _told(name: str, seen: Seen) -> Dict[str, Any]:
    zone, incoming = seen.zones[name], seen.incoming.get(name) or {}
    return {
        "name": name,
        "id": zone.get("id"),
        "status": zone.get("status"),
        "name_servers": [name_of(each) for each in zone.get("name_servers") or []],
        "serial": serial_of(incoming),
        "checked": incoming.get("checked_time"),
    }


def serial_of(incoming: Optional[Object]) -> Optional[int]:
    """The serial that Cloudflare has; None before the first transfer."""
    incoming = incoming or {}
    serial = number(incoming.get("soa_serial"), 0)
    missing = incoming.get("soa_serial") is None or (serial == 0 and not incoming.get("checked_time"))
    return None if missing or not 0 <= serial < 2**32 else serial


class _Serials:
    """Cloudflare's serials beside those of the primaries."""

    def __init__(self, wanted: Wanted, seen: Seen, ask: Ask) -> None:
        self._wanted = wanted
        self._seen = seen
        self._ask = ask
        self._zones = {zone.name: zone for zone in wanted.zones}
        self._answers: Dict[Question, SerialSeen] = {}

    def _questions(self, name: str) -> List[Question]:
        primary = self._wanted.primaries[self._zones[name].primary]
        return [Question(name, address, primary.port) for address in primary.addresses]

    def ask_primaries(self, names: Sequence[str]) -> None:
        questions = [question for name in names for question in self._questions(name)]
        if questions:
            self._answers.update(zip(questions, self._ask(questions, False)))

    def apart(self) -> List[str]:
        """The zones whose serial at Cloudflare is known not to be that of their primary."""
        apart = []
        for name in self._zones:
            serials = [self._answers[question].serial for question in self._questions(name)]
            primary = highest(serial for serial in serials if serial is not None)
            if primary is not None and serial_of(self._seen.incoming.get(name)) != primary:
                apart.append(name)
        return apart

    def look_again(self, api: Api, names: Sequence[str]) -> None:
        found = _side_by_side(lambda name: read_incoming(api, name, self._seen.zones[name]["id"]), names)
        self._seen.incoming.update(zip(names, found))
        self.ask_primaries(names)

    def rows(self, server: str, refused: Mapping[str, str], failed: Mapping[str, str], pending: Set[str]) -> List[Row]:
        """A row for each zone, judged as those of any other server."""

        def told(name: str) -> Tuple[str, Optional[int], str]:
            for reasons, status in ((refused, REFUSED), (failed, "failed")):
                if name in reasons:
                    return status, None, reasons[name]
            if name not in self._seen.zones:
                return "not there", None, "Cloudflare does not have the zone"
            if self._seen.incoming.get(name) is None:
                return "not linked", None, "Cloudflare has the zone, but not from where to transfer it"
            if name in pending:
                return (
                    "not as planned",
                    None,
                    "its link, peer or TSIG key at Cloudflare is not as it should be",
                )
            serial = serial_of(self._seen.incoming[name])
            if serial is None:
                return "not transferred", None, _NOT_TRANSFERRED
            return Status.ANSWER, serial, ""

        def answer(question: Question) -> SerialSeen:
            if question.address != API:
                return self._answers[question]
            status, serial, detail = told(question.zone)
            return SerialSeen(question.zone, API, question.port, status, serial, "tcp", detail)

        servers = {name: Server(primary.addresses, primary.port) for name, primary in self._wanted.primaries.items()}
        servers[server] = Server((API,))
        rows = wait_for_sync(
            [Zone(zone.name, zone.primary, (server,)) for zone in self._zones.values()],
            servers,
            ask=lambda questions, tcp: [answer(question) for question in questions],
            timeout=0,
            cut_off=lambda address, port: False,
        )
        return [row for row in rows if row["server"] == server]


def _wait(
    api: Api,
    serials: _Serials,
    left_out: Set[str],
    transfers: Sequence[str],
    wait: float,
    sleep: Callable[[float], None],
    clock: Callable[[], float],
) -> None:
    """Look until the serials agree, or the time is up. What was just transferred is looked at once in any case."""
    deadline = clock() + wait
    pauses = list(PAUSES)
    names = sorted((set(serials.apart()) | set(transfers)) - left_out)
    due = bool(transfers)
    while names:
        pause = pauses.pop(0) if pauses else LONGEST_PAUSE
        left = max(0.0, deadline - clock())
        if not left and not due:
            return
        due = False
        sleep(min(pause, left))
        serials.look_again(api, names)
        names = [name for name in serials.apart() if name in names]
