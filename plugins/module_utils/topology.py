# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who transfers what from whom: the one list of links, made from the inventory.

Pure: plain data in (:class:`Site`), plain data out (:class:`Topology`), no I/O, no Ansible, no
secrets. Configuration files, ACLs, the checks after the deploy and the drawing are views of the
topology; nothing else decides who may transfer a zone.

Names follow RFC 9499: a zone is transferred from its *primary* to its *secondaries*.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Callable, Collection, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple, Union

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.names import (
    domain_name,
    file_name,
    is_host_label,
    reverse_zone,
    shown,
    zone_file,
    zone_name_of_file,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.providers import PROVIDERS

# role, and the group of its hosts -> the daemon they run
PRIMARY_GROUPS = {"bind_primary": "bind"}
SECONDARY_GROUPS = {"bind_secondary": "bind", "nsd_secondary": "nsd"}
SERVER_GROUPS = tuple(PRIMARY_GROUPS) + tuple(SECONDARY_GROUPS)
# role, and the group of its hosts -> the provider whose accounts they are: secondaries that are no machines
CLOUD_GROUPS = {"cloudflare_secondary": "cloudflare", "route53_secondary": "route53"}
GROUPS = SERVER_GROUPS + tuple(CLOUD_GROUPS)

SERVER_VARIABLES = (
    "dns_address",
    "dns_listen_address",
    "dns_transfer_address",
    "dns_transfer_source",
    "dns_name",
    "dns_hidden",
    "dns_site",
    "dns_port",
    "dns_id",
)
_OF_CLOUDFLARE = ("dns_transfer_from", "dns_notify_to")
_OF_ROUTE53 = ("route53_push_host", "route53_hosted_zones")
CLOUD_VARIABLES = ("dns_id", "dns_name_servers", *_OF_CLOUDFLARE, *_OF_ROUTE53)
HOST_VARIABLES = SERVER_VARIABLES + CLOUD_VARIABLES[1:]

# What the text of a zone is made of where it has no file.
CONTENT_KEYS = ("records", "soa", "ttl")
ZONE_KEYS = (
    "name",
    "file",
    *CONTENT_KEYS,
    "primary",
    "secondaries",
    "secondaries_add",
    "secondaries_remove",
    "kind",
    "serial",
    "extra",
)
KINDS = ("static",)
KINDS_TO_COME = ("dynamic", "signed")
SERIAL_RULES = ("auto", "keep")
PEER_KEYS = (
    "preset",
    "role",
    "transfer_from",
    "notify_from",
    "notify_to",
    "address",
    "port",
    "keys",
    "name_servers",
    "default",
)

# Octets of a name that is the name of a file too, with an end such as .zone.jnl; file systems take 255.
LONGEST_NAME = 245

# Suffixes of zone files in dns_zone_directory -> what they hold.
SOURCES = {".zone": "text", ".yml": "records"}

FAMILIES = (4, 6)

# Where a daemon's TSIG keys are, one file a key.
KEY_DIRECTORIES = {"bind": "/etc/bind/keys", "nsd": "/etc/nsd/keys"}


@dataclass(frozen=True)
class GivenKey:
    """A TSIG key that the inventory names for one link; its secret stays outside the topology."""

    primary: str
    secondary: str
    name: str


@dataclass(frozen=True)
class Site:
    """The inventory as plain data, before any check.

    :param hosts: host -> its ``dns_…`` variables (only those that are set).
    :param groups: group -> hosts, every group of the inventory.
    :param zones: the entries of ``dns_zones`` as written.
    :param directory_files: zone files found in ``dns_zone_directory``: file name -> absolute path.
    :param zone_files: ``file`` as written in ``dns_zones`` -> absolute path, or None where no such file is.
    :param generations: accepted key generations, the preferred one first.
    :param given_keys: keys from ``tsig_keys``, without their secrets.
    :param peers: the entries of ``dns_peers`` as written, but of ``keys`` their names only.
    :param verifiers: ``dns_verifier_addresses`` as written.
    :param shared_keys: names of keys that several peers may have, since their secrets are the same too.
    """

    hosts: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, Sequence[str]]
    zones: Sequence[Any] = ()
    directory_files: Mapping[str, str] = field(default_factory=dict)
    zone_files: Mapping[str, Optional[str]] = field(default_factory=dict)
    generations: Sequence[int] = (1,)
    given_keys: Sequence[GivenKey] = ()
    peers: Mapping[str, Any] = field(default_factory=dict)
    verifiers: Any = ()
    shared_keys: Sequence[str] = ()


@dataclass(frozen=True)
class Server:
    """One name server. Addresses are canonical text (RFC 5952), in the order of the inventory.

    :param kind: its daemon, ``bind`` or ``nsd``.
    :param roles: the role groups it is in.
    """

    host: str
    kind: str
    roles: Tuple[str, ...]
    name: str
    id: str
    addresses: Tuple[str, ...]
    listen: Tuple[str, ...]
    transfer_addresses: Tuple[str, ...]
    transfer_sources: Tuple[str, ...]
    port: int
    hidden: bool
    site: Optional[str]


@dataclass(frozen=True)
class Peer:
    """A name server outside the inventory; ``id`` is its name in ``dns_peers``.

    :param role: what it is to this site's servers, ``primary`` or ``secondary``.
    :param transfer: of a secondary, the addresses and networks that it transfers from, as the primary sees them;
        of a primary, the addresses where the secondaries ask.
    :param notify: of a secondary, where it takes NOTIFY; of a primary, where its NOTIFY comes from.
    :param addresses: where it answers queries; empty where it can't be asked.
    :param keys: names of its TSIG keys, the one to use first; empty for transfers by address alone.
    :param name_servers: the names it brings to NS records.
    :param default: whether it is a secondary of every zone that names none.
    :param preset: the provider (:data:`providers.PROVIDERS`) whose addresses are among its own; empty where none are.
    """

    id: str
    role: str
    transfer: Tuple[str, ...]
    notify: Tuple[str, ...]
    addresses: Tuple[str, ...]
    port: int
    keys: Tuple[str, ...]
    name_servers: Tuple[str, ...]
    default: bool
    preset: str = ""


@dataclass(frozen=True)
class Cloud:
    """A secondary that is managed over the API of its provider: a host of the inventory that is no machine.

    :param provider: ``cloudflare`` or ``route53``.
    :param transfer: the addresses and networks that it transfers from; empty for one that is pushed to.
    :param notify: where it takes NOTIFY.
    :param name_servers: the names it brings to NS records; empty while the inventory does not say.
    :param push_host: the server that pushes to it, which has the zones by links of its own; None where it transfers.
    :param hosted_zones: zone -> id of its hosted zone, for those that are not found by their names.
    :param preset: as with :class:`Peer`.
    """

    host: str
    provider: str
    roles: Tuple[str, ...]
    id: str
    transfer: Tuple[str, ...]
    notify: Tuple[str, ...]
    name_servers: Tuple[str, ...]
    push_host: Optional[str]
    preset: str = ""
    hosted_zones: Mapping[str, str] = field(default_factory=dict)
    # Its name servers are known to its provider only.
    addresses: Tuple[str, ...] = ()
    port: int = 53


End = Union[Server, Peer, Cloud]


@dataclass(frozen=True)
class Zone:
    """One zone.

    :param file: absolute path on the controller of its text or records; None where it has none.
    :param primary: host or peer.
    :param secondaries: hosts and peers. :param clouds: the hosts among its secondaries that are accounts at providers.
    :param source: ``text``: a master file. ``records``: made from records. ``transfer``: its primary is a peer.
    :param serial: ``auto``, or ``keep`` for the serial that the file says.
    :param content: those of CONTENT_KEYS that its entry in ``dns_zones`` has.
    :param extra: role -> statements for the zone in the configuration of that role's hosts.
    """

    name: str
    file: Optional[str]
    primary: str
    secondaries: Tuple[str, ...]
    source: str = "text"
    serial: str = "auto"
    content: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    clouds: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Link:
    """A secondary that transfers from a primary; a server's self link has itself at both ends, a peer is one end.

    What is pushed to has none: its push host has the zones by links of its own.

    Only address families that both ends have are in it.

    :param keys: TSIG key names that the primary accepts, the one to use first; a peer may have none.
    :param transfer_from: addresses where the secondary asks the primary.
    :param transfer_to: the secondary's addresses as the primary sees them.
    :param notify_from: the primary's addresses as the secondary sees them.
    :param notify_to: addresses where the primary notifies the secondary.
    """

    primary: str
    secondary: str
    keys: Tuple[str, ...]
    transfer_from: Tuple[str, ...]
    transfer_to: Tuple[str, ...]
    notify_from: Tuple[str, ...]
    notify_to: Tuple[str, ...]


@dataclass(frozen=True)
class Topology:
    """The whole: servers and clouds by host, peers by name, zones by name (sorted), links by (primary, secondary).

    :param verifiers: addresses and networks that check the servers.
    """

    servers: Mapping[str, Server]
    peers: Mapping[str, Peer]
    zones: Mapping[str, Zone]
    links: Mapping[Tuple[str, str], Link]
    verifiers: Tuple[str, ...] = ()
    clouds: Mapping[str, Cloud] = field(default_factory=dict)

    def end(self, name: str) -> End:
        """The host or peer at one end of a link."""
        return self.servers.get(name) or self.clouds.get(name) or self.peers[name]

    def linked(self, zone: Zone) -> List[str]:
        """The hosts and peers that transfer the zone from its primary."""
        return list(zone.secondaries) + [cloud for cloud in zone.clouds if self.clouds[cloud].push_host is None]

    def name_servers(self, zone: Zone) -> List[str]:
        """The names that the zone's NS records should have: of all visible servers, the primary first.

        Those of a cloud only where the inventory has them; see :meth:`unnamed`.
        """
        found: List[str] = []
        for end in (self.end(name) for name in (zone.primary,) + zone.secondaries + zone.clouds):
            names = () if isinstance(end, Server) and end.hidden else _names_of(end)
            found += [name for name in names if name not in found]
        return found

    def unnamed(self, zone: Zone) -> List[str]:
        """The clouds among its secondaries whose name servers only their provider knows."""
        return [cloud for cloud in zone.clouds if not self.clouds[cloud].name_servers]

    def self_link(self, host: str) -> Link:
        return self.links[(host, host)]

    def zones_as_primary(self, host: str) -> List[Zone]:
        return [zone for zone in self.zones.values() if zone.primary == host]

    def zones_as_secondary(self, host: str) -> List[Zone]:
        return [zone for zone in self.zones.values() if host in zone.secondaries]

    def links_of(self, host: str) -> List[Link]:
        """All links that end at this host, its self link included."""
        return [link for ends, link in self.links.items() if host in ends]


def _names_of(end: End) -> Tuple[str, ...]:
    return (end.name,) if isinstance(end, Server) else end.name_servers


def family(address: str) -> int:
    """4 or 6."""
    return 6 if ":" in address else 4


def key_name(primary_id: str, secondary_id: str, generation: int) -> str:
    """The name of a derived TSIG key. Both ends and the generation are in it, so that a log line tells all."""
    if primary_id == secondary_id:
        return "g%d.self.%s" % (generation, primary_id)
    return "g%d.%s.from.%s" % (generation, secondary_id, primary_id)


def key_file(kind: str, name: str) -> str:
    """The file of a TSIG key on a host that runs that kind of daemon."""
    return "%s/%s.key" % (KEY_DIRECTORIES[kind], file_name(name))


def build(site: Site) -> Topology:
    """The topology of a site.

    :raises InputError: with every mistake found.
    """
    problems: List[Problem] = []
    servers = _servers(site, problems)
    clouds = _clouds(site, servers, problems)
    peers = _peers(site, servers, clouds, problems)
    zones = _zones(site, peers, clouds, problems)
    links = _links(site, servers, peers, clouds, zones, problems)
    verifiers = _addresses(
        site.verifiers,
        "dns_verifier_addresses",
        lambda reason, mend: problems.append(Problem(reason, mend)),
        networks=True,
    )
    if problems:
        raise InputError(problems)
    return Topology(servers, peers, zones, links, verifiers, clouds)


# --- servers ---------------------------------------------------------------------------------------------------------


def _servers(site: Site, problems: List[Problem]) -> Dict[str, Server]:
    daemons: Dict[str, str] = {}
    roles: Dict[str, List[str]] = {}
    for group, kind in list(PRIMARY_GROUPS.items()) + list(SECONDARY_GROUPS.items()):
        for host in site.groups.get(group, ()):
            roles.setdefault(host, []).append(group)
            if daemons.setdefault(host, kind) != kind:
                problems.append(
                    Problem(
                        "it is in a BIND group and in %s" % group,
                        "One host runs one name server: take it out of one of the groups",
                        host=host,
                    )
                )
    if not daemons:
        raise InputError([
            Problem(
                "the inventory has no hosts in %s" % ", ".join(SERVER_GROUPS),
                "Put the primary into bind_primary and at least one host into bind_secondary or nsd_secondary",
            )
        ])  # fmt: skip
    servers: Dict[str, Server] = {}
    for host, kind in daemons.items():
        server = _server(host, kind, tuple(roles[host]), site.hosts.get(host, {}), problems)
        if server is not None:
            servers[host] = server
    _refuse_shared(servers.values(), problems)
    return servers


def _addresses(
    value: Any,
    variable: str,
    problem: Callable[[str, str], None],
    default: Tuple[str, ...] = (),
    networks: bool = False,
) -> Tuple[str, ...]:
    """One address or a list as canonical text, each once; the default where nothing is written."""
    if value is None:
        return default
    found: List[str] = []
    for item in value if isinstance(value, (list, tuple)) else [value]:
        text = item if isinstance(item, str) else ""
        try:
            if networks and "/" in text:
                address = str(ipaddress.ip_network(text))
            else:
                address = str(ipaddress.ip_address(text))
        except ValueError:
            network = _without_host_bits(text) if networks else None
            if network:
                problem(
                    "%s has %s, an address with the length of its network" % (variable, text),
                    "Write %s for the network, or %s for the one address" % (network, text.partition("/")[0]),
                )
                continue
            problem(
                "%s has %s, which is not an IP address%s" % (variable, shown(item), " or network" if networks else ""),
                'Write one address or a list, such as %s: [192.0.2.1, "2001:db8::1"]' % variable,
            )
            continue
        first = ipaddress.ip_address(address.partition("/")[0])
        if ("/" not in address and first.is_unspecified) or first.is_multicast or "%" in text:
            problem("%s has %s, which is not the address of one host" % (variable, item), "Write that address")
        elif address not in found:
            found.append(address)
    return tuple(found)


def _without_host_bits(text: str) -> Optional[str]:
    """The network of an address that is written with a prefix length."""
    try:
        return str(ipaddress.ip_network(text, strict=False)) if "/" in text else None
    except ValueError:
        return None


def _port(value: Any, variable: str, problem: Callable[[str, str], None]) -> int:
    if isinstance(value, bool) or not re.fullmatch("[0-9]{1,5}", str(value)) or not 0 < int(value) < 65536:
        problem(
            "%s %s is not a port number" % (variable, shown(value)),
            "Write a number from 1 to 65535, or leave it out for 53",
        )
        return 53
    return int(value)


def _server(
    host: str, kind: str, roles: Tuple[str, ...], variables: Mapping[str, Any], problems: List[Problem]
) -> Optional[Server]:
    before = len(problems)

    def problem(reason: str, mend: str) -> None:
        problems.append(Problem(reason, mend, host=host))

    def addresses(variable: str, default: Tuple[str, ...]) -> Tuple[str, ...]:
        return _addresses(variables.get(variable) or None, variable, problem, default)

    def name(variable: str, value: Any, mend: str) -> str:
        try:
            return domain_name(value, host_name=True)
        except ValueError as error:
            problem("%s: %s" % (variable, error), mend)
            return ""

    _refuse_foreign(variables, SERVER_VARIABLES, problem)
    if variables.get("dns_address") in (None, "", []):
        problem(
            "dns_address is missing: the address where this server answers DNS",
            "Add it to the host, for example  %s: {dns_address: 192.0.2.1}" % host,
        )
        return None
    dns_address = addresses("dns_address", ())
    dns_name = ""
    if variables.get("dns_name") is not None:
        dns_name = name("dns_name", variables["dns_name"], "Write the server's host name, as NS records have it")
    elif "." in host and _is_host_name(host):
        dns_name = domain_name(host, host_name=True)
    else:
        problem(
            "dns_name is missing, and the inventory name is not the full name of a host",
            "Add  dns_name: %s.example.net  (its name in NS records) to the host"
            % (host if is_host_label(host) else "ns1"),
        )
    dns_id = dns_name
    if variables.get("dns_id") is not None:
        dns_id = name("dns_id", variables["dns_id"], "Write a name such as ns1.example.net")

    hidden = variables.get("dns_hidden", False)
    if not isinstance(hidden, bool):
        problem("dns_hidden %s is not true or false" % shown(hidden), "Write  dns_hidden: true  or leave it out")
    site_name = variables.get("dns_site")

    server = Server(
        host=host,
        kind=kind,
        roles=roles,
        name=dns_name,
        id=dns_id,
        addresses=dns_address,
        listen=addresses("dns_listen_address", dns_address),
        transfer_addresses=addresses("dns_transfer_address", dns_address),
        transfer_sources=addresses("dns_transfer_source", ()),
        port=_port(variables.get("dns_port", 53), "dns_port", problem),
        hidden=hidden is True,
        site=None if site_name is None else str(site_name),
    )
    for af in FAMILIES:
        if len(of_family(server.transfer_sources, af)) > 1:
            problem("dns_transfer_source has more than one IPv%d address" % af, "Leave one: a query has one source")
    return server if len(problems) == before else None


def _refuse_foreign(variables: Iterable[str], own: Sequence[str], problem: Callable[[str, str], None]) -> None:
    """A variable of another kind of hosts would be ignored without a word."""
    for variable in variables:
        if variable not in own:
            owners = [
                whose
                for whose, names in (
                    ("servers", SERVER_VARIABLES),
                    ("hosts of cloudflare_secondary", _OF_CLOUDFLARE),
                    ("hosts of route53_secondary", _OF_ROUTE53),
                )
                if variable in names
            ]
            problem(
                "%s is a variable of %s" % (variable, next(iter(owners), "hosts of %s" % " and ".join(CLOUD_GROUPS))),
                "Take it away from this host; where all hosts have it, set it for the groups that it is for",
            )


def _is_host_name(text: str) -> bool:
    try:
        domain_name(text, host_name=True)
    except ValueError:
        return False
    return True


def _refuse_shared(servers: Iterable[Server], problems: List[Problem]) -> None:
    """Two servers with one identity would share keys, with one address they would answer for each other."""
    told: Set[Tuple[str, str]] = set()
    for what, values_of in (
        ("dns_name", lambda server: [server.name]),
        ("dns_id", lambda server: [server.id]),
        ("dns_address", lambda server: ["%s port %d" % (address, server.port) for address in server.addresses]),
    ):
        owner: Dict[str, str] = {}
        for server in servers:
            for value in values_of(server):
                if value in owner and (server.host, value) not in told:  # the id is the name where none is given
                    told.add((server.host, value))
                    problems.append(
                        Problem(
                            "%s %s is also that of host %s" % (what, value, owner[value]),
                            "Every server needs its own",
                            host=server.host,
                        )
                    )
                owner.setdefault(value, server.host)


# --- clouds ----------------------------------------------------------------------------------------------------------


def _clouds(site: Site, servers: Mapping[str, Server], problems: List[Problem]) -> Dict[str, Cloud]:
    clouds: Dict[str, Cloud] = {}
    groups: Dict[str, List[str]] = {}
    for group in GROUPS:
        for host in site.groups.get(group, ()):
            groups.setdefault(host, []).append(group)
    ids = {server.id: server.host for server in servers.values()}
    for host, roles in groups.items():
        if not set(roles) & set(CLOUD_GROUPS):
            continue
        if len(roles) > 1:
            reason = "it is in %s, and a host of %s is an account, not a server" % (" and ".join(roles), roles[-1])
            problems.append(Problem(reason, "Give the account a host of its own, such as  cloudflare:", host=host))
            continue
        cloud = _cloud(host, roles[0], site, servers, problems)
        if cloud is None:
            continue
        clouds[host] = cloud
        if ids.setdefault(cloud.id, host) != host:
            reason = "dns_id %s is also that of host %s" % (cloud.id, ids[cloud.id])
            problems.append(Problem(reason, "Every secondary needs its own", host=host))
    return clouds


def _cloud(host: str, role: str, site: Site, servers: Mapping[str, Server], problems: List[Problem]) -> Optional[Cloud]:
    variables = site.hosts.get(host, {})
    before = len(problems)

    def problem(reason: str, mend: str) -> None:
        problems.append(Problem(reason, mend, host=host))

    provider = CLOUD_GROUPS[role]
    pushed = provider == "route53"
    foreign = _OF_CLOUDFLARE if pushed else _OF_ROUTE53
    own = [name for name in CLOUD_VARIABLES if name not in foreign]
    _refuse_foreign(variables, own, problem)
    identity = ""
    try:
        identity = domain_name(host if variables.get("dns_id") is None else variables["dns_id"], host_name=True)
    except ValueError as error:
        problem("dns_id: %s" % error, "Write a name, such as  dns_id: %s" % provider)
    push_host = variables.get("route53_push_host")
    ours = _members(site, SERVER_GROUPS)
    if pushed and push_host not in ours:
        problem(
            "route53_push_host is missing: the server that pushes the zones"
            if push_host is None
            else "route53_push_host %s is not one of the name servers%s" % (shown(push_host), _near(push_host, ours)),
            "Write the inventory name of one that has the zones, as  route53_push_host: %s" % ours[0],
        )
    elif pushed and push_host in servers and servers[push_host].kind != "bind":
        problem(
            "route53_push_host %s runs NSD, which does not write a changed zone to disk at once" % push_host,
            "Name one that runs BIND, so that changes are pushed within seconds",
        )
    known = None if pushed else PROVIDERS[provider]
    transfer = _addresses(variables.get("dns_transfer_from") or None, "dns_transfer_from", problem, networks=True)
    notify = _addresses(variables.get("dns_notify_to") or None, "dns_notify_to", problem)
    cloud = Cloud(
        host=host,
        provider=provider,
        roles=(role,),
        id=identity,
        transfer=transfer or known.transfer_from if known else (),
        notify=notify or known.notify_to if known else (),
        name_servers=_host_names(variables.get("dns_name_servers"), "dns_name_servers", problem),
        push_host=push_host if pushed else None,
        preset=provider if known and not (transfer and notify) else "",
        hosted_zones=_hosted_zones(variables.get("route53_hosted_zones"), problem),
    )
    return cloud if len(problems) == before else None


def _hosted_zones(value: Any, problem: Callable[[str, str], None]) -> Dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for pair in value.items() for text in pair):
        problem("route53_hosted_zones is not a mapping", "Write  route53_hosted_zones: {example.com: Z0123456789ABC}")
        return {}
    try:
        return {domain_name(zone): hosted_zone for zone, hosted_zone in value.items()}
    except ValueError as error:
        problem("route53_hosted_zones: %s" % error, "Write the names of zones, as  {example.com: Z0123456789ABC}")
        return {}


def _host_names(value: Any, variable: str, problem: Callable[[str, str], None]) -> Tuple[str, ...]:
    """One host name or a list."""
    names: List[str] = []
    for each in value if isinstance(value, (list, tuple)) else [] if value is None else [value]:
        try:
            names.append(domain_name(each, host_name=True))
        except ValueError as error:
            problem("%s: %s" % (variable, error), "Write host names, as NS records have them")
    return tuple(names)


# --- peers -----------------------------------------------------------------------------------------------------------


def _peers(
    site: Site, servers: Mapping[str, Server], clouds: Mapping[str, Cloud], problems: List[Problem]
) -> Dict[str, Peer]:
    peers: Dict[str, Peer] = {}
    taken = {name for server in servers.values() for name in (server.id, server.name)}
    taken.update(cloud.id for cloud in clouds.values())
    taken.update(site.groups, *site.groups.values())
    for name, settings in site.peers.items():
        peer = _peer(name, settings, taken, problems)
        if peer is not None:
            peers[peer.id] = peer
    return peers


def _peer(name: Any, settings: Any, taken: Collection[str], problems: List[Problem]) -> Optional[Peer]:
    before = len(problems)
    place = "dns_peers: %s" % name

    def problem(reason: str, mend: str) -> None:
        problems.append(Problem("%s: %s" % (place, reason), mend))

    if not isinstance(name, str) or not is_host_label(name):
        problem(
            "the name of a peer has lower-case letters, digits and hyphens only", "Name it like  friend  or  provider-2"
        )
    elif name in taken:
        problem("a host or group has the same name", "Give the peer another name")
    if not isinstance(settings, Mapping):
        problem("it has no settings", "Write  %s: {role: secondary, transfer_from: [...], keys: [...]}" % name)
        return None
    _refuse_unknown(settings, PEER_KEYS, problem)
    written_here = set(settings)
    if "preset" in settings:
        settings = _with_preset(settings, problem)
    role = settings.get("role")
    if role not in ("primary", "secondary"):
        problem("its role is neither primary nor secondary", "Write what it is to your servers, as  role: secondary")
        return None
    notify_key, foreign_key = ("notify_to", "notify_from") if role == "secondary" else ("notify_from", "notify_to")
    if foreign_key in settings:
        problem("a %s has no %s" % (role, foreign_key), "Write  %s" % notify_key)
    transfer = _addresses(settings.get("transfer_from"), "transfer_from", problem, networks=role == "secondary")
    if not transfer and len(problems) == before:
        problem(
            "transfer_from is missing: "
            + (
                "the addresses that it transfers from" if role == "secondary" else "where your servers transfer from it"
            ),
            "Add it, as  transfer_from: [192.0.2.53]",
        )
    hosts_only = tuple(address for address in transfer if "/" not in address)
    notify = _addresses(settings.get(notify_key), notify_key, problem, hosts_only, networks=role == "primary")
    if "keys" not in settings:
        problem(
            "it has no keys",
            "Add  keys: [{name: ..., algorithm: hmac-sha256, secret: ...}], or  keys: []  where it knows no TSIG",
        )
    default = settings.get("default", False)
    if not isinstance(default, bool):
        problem("default %s is not true or false" % shown(default), "Write  default: true  or leave it out")
    elif default and role == "primary":
        problem("a primary has no default", "Take it away; a zone names its primary, as  primary: %s" % name)
    peer = Peer(
        id=str(name),
        role=role,
        transfer=transfer,
        notify=notify,
        addresses=_addresses(
            settings.get("address"), "address", problem, hosts_only if role == "primary" else notify
        ),
        port=_port(settings.get("port", 53), "port", problem),
        keys=tuple(settings.get("keys") or ()),
        name_servers=_host_names(settings.get("name_servers"), "name_servers", problem),
        default=default is True,
        # Somebody who writes both lists relies on nothing of the preset.
        preset="" if {"transfer_from", "notify_to"} <= written_here else str(settings.get("preset", "")),
    )  # fmt: skip
    return peer if len(problems) == before else None


def _with_preset(settings: Mapping[str, Any], problem: Callable[[str, str], None]) -> Mapping[str, Any]:
    """The settings of a peer with what its preset says beside them; its role too where the preset has a mistake."""
    name = settings["preset"]
    given: Dict[str, Any] = {"role": "secondary"}
    provider = PROVIDERS.get(name) if isinstance(name, str) else None
    if name in CLOUD_GROUPS.values():
        problem(
            "preset %s is managed over the API of its provider" % name,
            "Put a host for the account into the group %s_secondary" % name,
        )
    elif provider is None:
        usable = [each for each, data in PROVIDERS.items() if not data.refused and each not in CLOUD_GROUPS.values()]
        problem(
            "the unknown preset %s%s" % (shown(name), _near(name, usable)),
            "Presets are %s; for another secondary write transfer_from" % ", ".join(usable),
        )
    elif provider.refused:
        problem("preset %s: %s" % (name, provider.refused), "Take it out of dns_peers")
    elif settings.get("role") == "primary":
        problem(
            "preset %s is for secondaries, and its role is primary" % name,
            "Take  preset  away, and write transfer_from and notify_from",
        )
    elif not provider.transfer_from and "transfer_from" not in settings:
        problem(
            "preset %s: %s tells its addresses to each customer: %s" % (name, provider.title, provider.told_in),
            "Write them, as  transfer_from: [...]  and  notify_to: [...]",
        )
    else:
        # What transfers and what takes NOTIFY often answers no queries.
        given.update(name_servers=provider.name_servers, address=provider.address)
        if provider.transfer_from:
            given.update(transfer_from=provider.transfer_from, notify_to=provider.notify_to)
    return {**given, **settings}


def _refuse_unknown(settings: Mapping[str, Any], known: Sequence[str], problem: Callable[[str, str], None]) -> None:
    for key in settings:
        if key not in known:
            near = get_close_matches(str(key), known, 1)
            problem(
                'the unknown key "%s"' % key,
                'Did you mean "%s"?' % near[0] if near else "Known keys: %s" % ", ".join(known),
            )


# --- zones -----------------------------------------------------------------------------------------------------------


def _zones(
    site: Site, peers: Mapping[str, Peer], clouds: Mapping[str, Cloud], problems: List[Problem]
) -> Dict[str, Zone]:
    entries = _entries(site, peers, problems)
    if not entries and not problems:
        problems.append(
            Problem(
                "the inventory has no zones",
                "Set dns_zones, or dns_zone_directory to a folder with files named like example.com.zone",
            )
        )
    zones: Dict[str, Zone] = {}
    choices = _Choices(site, peers, clouds)
    for name in sorted(entries):
        zone = _zone(name, entries[name], choices, problems)
        if zone is not None:
            zones[name] = zone
    return zones


def _entries(site: Site, peers: Mapping[str, Peer], problems: List[Problem]) -> Dict[str, Dict[str, Any]]:
    """Zone name -> its settings, as :class:`Zone` has them. Directory zones first, then dns_zones."""
    entries: Dict[str, Dict[str, Any]] = {}
    for file, path in sorted(site.directory_files.items()):
        stem, dot, suffix = file.rpartition(".")
        try:
            name = domain_name(zone_name_of_file(stem))
        except ValueError as error:
            problems.append(Problem(str(error), "Name zone files like example.com.zone", file=path))
            continue
        if name in entries:
            problems.append(
                Problem(
                    "%s is a file of the same zone" % entries[name]["file"],
                    "Keep one of the two files",
                    zone=name,
                    file=path,
                )
            )
            continue
        entries[name] = {"file": path, "source": SOURCES[dot + suffix]}

    listed: Dict[str, int] = {}
    for index, entry in enumerate(site.zones):
        place = "dns_zones[%d]" % index
        if not isinstance(entry, Mapping) or "name" not in entry:
            problems.append(
                Problem("%s has no name" % place, "Write it as  {name: example.com, file: zones/example.com.zone}")
            )
            continue
        try:
            name = domain_name(entry["name"])
        except ValueError as error:
            problems.append(Problem("%s: name: %s" % (place, error), "Write the zone's name, such as example.com"))
            continue
        reverse = reverse_zone(name)
        if reverse:
            problems.append(Problem("%s: name: %s is a network" % (place, name), "Write its zone: %s" % reverse))
            continue
        if name in listed:
            problems.append(
                Problem(
                    "it is in dns_zones twice, as entries %d and %d" % (listed[name], index),
                    "Keep one of the two",
                    zone=name,
                )
            )
            continue
        listed[name] = index
        settings = _settings(name, entry, site, problems)
        if settings is not None:
            _join(name, place, entries, settings, site, peers, problems)
    return entries


def _join(
    name: str,
    place: str,
    entries: Dict[str, Dict[str, Any]],
    settings: Dict[str, Any],
    site: Site,
    peers: Mapping[str, Peer],
    problems: List[Problem],
) -> None:
    """Put the settings of an entry of dns_zones beside what dns_zone_directory has of the zone."""

    def problem(reason: str, mend: str) -> None:
        problems.append(Problem(reason, mend, zone=name))

    in_directory = name in entries
    content = settings.get("content", {})
    if settings.get("primary") in peers:
        given = (
            "a file in dns_zone_directory"
            if in_directory
            else "a file"
            if "file" in settings
            else next(iter(content), "")
        )
        if given:
            problem(
                'its content comes from its primary "%s", a peer, and here it has %s too'
                % (settings["primary"], given),
                "Take that away, or name a host of bind_primary",
            )
        else:
            entries[name] = dict(settings, source="transfer", file=None)
        return
    if in_directory and ("file" in settings or "records" in content):
        problem(
            "its content is in two places: %s and %s"
            % (settings.get("file", "the records of %s" % place), entries[name]["file"]),
            "Take  %s  out of its entry in dns_zones, or move the other file out of dns_zone_directory"
            % ("file" if "file" in settings else "records"),
        )
        return
    if not in_directory:
        if "records" in content:
            settings["source"] = "records"
        elif "file" not in settings and settings.get("primary") not in [None, *site.groups.get("bind_primary", ())]:
            # A peer with mistakes, or a misspelt one: told where the zone's primary is looked up.
            entries[name] = dict(settings, source="transfer", file=None)
            return
        elif "file" not in settings:
            problem(
                "%s has neither file nor records, and dns_zone_directory has no %s.zone" % (place, file_name(name)),
                "Take its entry out if the zone is gone; else add its file there, or  file: PATH , or  records: [...]",
            )
            return
    merged = dict(entries.get(name, {}), **settings)
    if merged["source"] == "text" and content:
        problem(
            "%s %s for zones with records; %s says it itself"
            % (" and ".join(content), "is" if len(content) == 1 else "are", merged["file"]),
            "Take it out of its entry in dns_zones, and write it in the file",
        )
        return
    entries[name] = merged


def _settings(name: str, entry: Mapping[str, Any], site: Site, problems: List[Problem]) -> Optional[Dict[str, Any]]:
    """The checked settings of one entry of dns_zones; None where its content can't be told."""

    def problem(reason: str, mend: str) -> None:
        problems.append(Problem(reason, mend, zone=name))

    _refuse_unknown(entry, ZONE_KEYS, lambda reason, mend: problem("its entry in dns_zones has %s" % reason, mend))
    settings = {
        key: entry[key]
        for key in ("primary", "secondaries", "secondaries_add", "secondaries_remove")
        if entry.get(key) is not None
    }
    if not isinstance(settings.get("primary", ""), str):
        problem("primary %s is not the name of a host" % shown(settings["primary"]), "Write one, as  primary: HOST")
        return None
    kind = entry.get("kind", "static")
    if kind in KINDS_TO_COME:
        problem('kind "%s" is not built yet' % kind, 'Write "static" or leave it out')
    elif kind not in KINDS:
        problem("the unknown kind %s" % shown(kind), 'Write "static" or leave it out')
    settings["serial"] = entry.get("serial", "auto")
    if settings["serial"] not in SERIAL_RULES:
        problem(
            "serial %s is neither auto nor keep" % shown(settings["serial"]),
            "Write  serial: keep  where you count by hand, in the zone file",
        )
    settings["extra"] = _extra(entry.get("extra"), problem)
    content = {key: entry[key] for key in CONTENT_KEYS if entry.get(key) is not None}
    if content:
        settings["content"] = content
    if entry.get("file") is not None:
        if not isinstance(entry["file"], str):
            problem(
                "file %s is not a path" % shown(entry["file"]), "Write one file, such as zones/%s" % zone_file(name)
            )
            return None
        path = site.zone_files.get(entry["file"])
        if "records" in content:
            problem("it has both a file and records", "Take one of the two away")
            return None
        if path is None:
            problems.append(
                Problem(
                    "there is no such file on the controller",
                    "Relative paths start at dns_base_directory, by default the inventory's folder",
                    zone=name,
                    file=str(entry["file"]),
                )
            )
            return None
        settings.update(file=path, source="records" if path.endswith(".yml") else "text")
    return settings


def _extra(value: Any, problem: Callable[[str, str], None]) -> Dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
        problem("extra has no statements by role", "Write  extra: {bind_primary: 'max-journal-size 1m;'}")
        return {}
    _refuse_unknown(value, SERVER_GROUPS, lambda reason, mend: problem("extra has %s" % reason, mend))
    for role, text in value.items():
        if _leaves_its_block(text):
            problem(
                "the statements of extra for %s do not stay in the zone's block" % role,
                "Write only what belongs to this zone; zones, keys and ACLs come from the inventory",
            )
    return {str(role): text.strip() for role, text in value.items()}


def _leaves_its_block(text: str) -> bool:
    """Whether statements for named.conf close a brace that they do not open, or those for nsd.conf begin a clause."""
    bare = re.sub(r'"[^"\n]*"|//[^\n]*|#[^\n]*|/\*.*?\*/', "", text, flags=re.DOTALL)
    depth = 0
    for character in bare:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return True
    clause = re.search(r"(?m)^\s*(zone|pattern|key|server|remote-control|include|provide-xfr)\s*:", bare)
    return depth != 0 or clause is not None


class _Choices:
    """Which hosts and peers a zone may name."""

    def __init__(self, site: Site, peers: Mapping[str, Peer], clouds: Mapping[str, Cloud]) -> None:
        self.groups = site.groups
        self.cloud_hosts = _members(site, CLOUD_GROUPS)
        # Of those whose mistakes have been told, nothing is known.
        self.push_hosts = {cloud.host: cloud.push_host for cloud in clouds.values()}
        self.primary_hosts = _members(site, PRIMARY_GROUPS)
        self.primary_peers = [peer.id for peer in peers.values() if peer.role == "primary"]
        self.secondary_hosts = _members(site, [*SECONDARY_GROUPS, *CLOUD_GROUPS])
        self.secondary_peers = [peer.id for peer in peers.values() if peer.role == "secondary"]
        self.default_secondaries = self.secondary_hosts + [
            peer.id for peer in peers.values() if peer.role == "secondary" and peer.default
        ]
        self.hosts = {host for hosts in site.groups.values() for host in hosts}
        self.wrong_peers = set(site.peers) - set(peers)  # their mistakes have been told

    def pulls(self, host: str) -> bool:
        """Whether it is an account that transfers zones by itself."""
        return host in self.push_hosts and self.push_hosts[host] is None


def _zone(name: str, settings: Mapping[str, Any], choices: _Choices, problems: List[Problem]) -> Optional[Zone]:
    before = len(problems)

    def problem(reason: str, mend: str) -> None:
        problems.append(Problem(reason, mend, zone=name))

    if len(name) > LONGEST_NAME:
        problem(
            "its name has more than %d octets, too many for the name of a file" % LONGEST_NAME, "Serve its parent zone"
        )
    primary = _primary(settings.get("primary"), choices, problem)
    if primary is None:
        return None

    def resolve(key: str) -> List[str]:
        """The hosts and peers that a list of secondaries names."""
        value = settings[key]
        found: List[str] = []
        if not isinstance(value, (list, tuple)):
            problem("%s is not a list" % key, "Write  %s: [HOST or GROUP, ...]" % key)
            return found
        for item in value:
            if not isinstance(item, str):
                problem("%s has %s, which is not text" % (key, shown(item)), "Write  %s: [HOST or GROUP, ...]" % key)
            elif item in choices.groups:
                found += [host for host in choices.groups[item] if host != primary]
            elif item in choices.hosts or item in choices.secondary_peers:
                found.append(item)
            elif item in choices.primary_peers:
                problem(
                    'its secondary "%s" is a peer with  role: primary' % item,
                    "Take it out, or change its role in dns_peers",
                )
            elif item not in choices.wrong_peers:
                known = choices.secondary_hosts + choices.secondary_peers + list(choices.groups)
                problem(
                    'its secondary "%s" is neither a host nor a group%s' % (item, _near(item, known)),
                    "Put it into dns_peers, as  %s: {preset: %s, keys: [...]}" % (item, item)
                    if item in PROVIDERS and not PROVIDERS[item].refused and item not in CLOUD_GROUPS.values()
                    else "Secondaries are hosts of %s, groups of them, or peers"
                    % ", ".join([*SECONDARY_GROUPS, *CLOUD_GROUPS]),
                )
        return found

    if "secondaries" in settings:
        wanted = resolve("secondaries")
    else:
        wanted = [host for host in choices.default_secondaries if host != primary]
    if primary in choices.primary_peers and "secondaries" not in settings:
        wanted = [host for host in wanted if host not in choices.secondary_peers and not choices.pulls(host)]
    if "secondaries_add" in settings:
        wanted += resolve("secondaries_add")
    if "secondaries_remove" in settings:
        removed = resolve("secondaries_remove")
        for item in removed:
            if item not in wanted:
                problem('"%s" in secondaries_remove is not among its secondaries' % item, "Take it out")
        wanted = [item for item in wanted if item not in removed]

    chosen: List[str] = []
    for item in wanted:
        if item == primary:
            problem('its primary "%s" is listed as its secondary' % item, "Take it out of secondaries")
        elif item in choices.secondary_peers or choices.pulls(item):
            if primary in choices.primary_peers:
                problem(
                    'its primary "%s" is a peer, and its secondary "%s" is no server of yours, so the transfer is not'
                    " yours" % (primary, item),
                    "Take the secondary out",
                )
            chosen.append(item)
        elif item not in choices.secondary_hosts:
            problem(
                'its secondary "%s" is in none of the groups %s'
                % (item, ", ".join([*SECONDARY_GROUPS, *CLOUD_GROUPS])),
                "Add the host to one of them",
            )
        else:
            chosen.append(item)
    if not chosen:
        if len(problems) == before and not choices.wrong_peers:
            problem(
                "it has no secondary, so it would not be redundant",
                "Put a host into bind_secondary or nsd_secondary, or list one under secondaries",
            )
        return None
    for item in sorted(set(chosen) & set(choices.push_hosts)):
        push_host = choices.push_hosts[item]
        if push_host is not None and push_host not in [primary, *chosen]:
            problem(
                'its secondary "%s" gets its zones from %s, which is not among the servers of this one'
                % (item, push_host),
                "Add %s to its secondaries, take %s out of them, or name another server as route53_push_host"
                % (push_host, item),
            )
    return Zone(
        name,
        settings.get("file"),
        primary,
        # Sorted, so that an inventory that lists its hosts in changing order changes no configuration; peers last.
        tuple(sorted(set(chosen) - set(choices.cloud_hosts), key=lambda end: (end in choices.secondary_peers, end))),
        settings["source"],
        settings.get("serial", "auto"),
        settings.get("content", {}),
        settings.get("extra", {}),
        tuple(sorted(set(chosen) & set(choices.push_hosts))),
    )


def _primary(named: Any, choices: _Choices, problem: Callable[[str, str], None]) -> Optional[str]:
    """The zone's primary; None where that can't be told."""
    primaries = choices.primary_hosts
    if named is None:
        if len(primaries) != 1:
            problem(
                "bind_primary has %s, so the zone must say which one is its primary"
                % ("the hosts %s" % ", ".join(primaries) if primaries else "no host"),
                "Add  primary: HOST  to its entry in dns_zones"
                if primaries
                else "Put a host into bind_primary, or name a peer: add  primary: PEER  to its entry in dns_zones",
            )
            return None
        return primaries[0]
    if named in choices.wrong_peers:
        return None
    if named in choices.secondary_peers:
        problem(
            'its primary "%s" is a peer with  role: secondary' % named, "Name another, or change its role in dns_peers"
        )
        return None
    if named not in primaries + choices.primary_peers:
        known = primaries + choices.primary_peers
        problem(
            'its primary "%s" is not a host of bind_primary%s'
            % (named, "" if named in choices.hosts else _near(named, known)),
            ("Put it into bind_primary, or name" if named in choices.hosts else "Name")
            + " one of: %s" % ", ".join(known)
            if known
            else "Put it into bind_primary",
        )
        return None
    return named


def _members(site: Site, groups: Iterable[str]) -> List[str]:
    """Hosts of the groups, each once, in the order of the inventory."""
    found: List[str] = []
    for group in groups:
        found += [host for host in site.groups.get(group, ()) if host not in found]
    return found


def _near(word: Any, words: Sequence[str]) -> str:
    near = get_close_matches(str(word), words, 1)
    return ' (did you mean "%s"?)' % near[0] if near else ""


# --- links -----------------------------------------------------------------------------------------------------------


def _links(
    site: Site,
    servers: Mapping[str, Server],
    peers: Mapping[str, Peer],
    clouds: Mapping[str, Cloud],
    zones: Mapping[str, Zone],
    problems: List[Problem],
) -> Dict[Tuple[str, str], Link]:
    pairs = {
        (zone.primary, end): zone.name
        for zone in reversed(list(zones.values()))
        for end in zone.secondaries + zone.clouds
        if end not in clouds or clouds[end].push_host is None
    }
    links: Dict[Tuple[str, str], Link] = {}
    for (primary, secondary), example in sorted(pairs.items()):
        ends = [peers.get(name) or servers.get(name) or clouds.get(name) for name in (primary, secondary)]
        if None in ends:
            continue  # its own problem has been noted
        link = _link(site, *ends)
        silent = any(not isinstance(end, Server) and not end.notify for end in ends)
        if not link.transfer_from or not link.transfer_to or not (link.notify_to or silent):
            problems.append(
                Problem(
                    "%s and %s have no address family in common (%s; %s)"
                    % (primary, secondary, *(", ".join(_as_primary(end)[0]) for end in ends)),
                    "Give both an IPv4 or both an IPv6 address in %s"
                    % (
                        "dns_peers and dns_address"
                        if {primary, secondary} & set(peers)
                        else "dns_transfer_from, dns_notify_to and dns_address"
                        if secondary in clouds
                        else "dns_address"
                    ),
                    zone=example,
                )
            )
        links[(primary, secondary)] = link
    for host, server in servers.items():
        links[(host, host)] = _self_link(site, server)
    if not problems:  # else a link may be missing, or have the name of another, because of another mistake
        _check_key_names(site, links, peers, problems)
        _refuse_idle_keys(site, links, peers, problems)
        _refuse_idle_peers(links, peers, problems)
        _refuse_idle_hosted_zones(clouds, zones, problems)
    return links


def _link(site: Site, primary: End, secondary: End) -> Link:
    asked, notifies = _as_primary(primary)
    transfers, notified = _as_secondary(secondary)
    return Link(
        primary=_name(primary),
        secondary=_name(secondary),
        keys=_keys(site, primary, secondary),
        transfer_from=common(asked, transfers),
        transfer_to=common(transfers, asked),
        notify_from=common(notifies, notified),
        notify_to=common(notified, notifies),
    )


def _name(end: End) -> str:
    return end.id if isinstance(end, Peer) else end.host


def _as_primary(end: End) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
    """Where it is asked for zones, and where its NOTIFY comes from."""
    return (end.addresses, end.transfer_addresses) if isinstance(end, Server) else (end.transfer, end.notify)


def _as_secondary(end: End) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
    """Where it transfers from, and where it takes NOTIFY."""
    return (end.transfer_addresses, end.addresses) if isinstance(end, Server) else (end.transfer, end.notify)


def _self_link(site: Site, server: Server) -> Link:
    """A server may transfer its own zones from itself, so that what it holds can be checked on it.

    It talks to its own listening addresses: those of dns_address may exist only on a NAT device.
    """
    own = server.listen
    return Link(server.host, server.host, _keys(site, server, server), own, own, (), ())


def _keys(site: Site, primary: End, secondary: End) -> Tuple[str, ...]:
    for end in (primary, secondary):
        if isinstance(end, Peer):
            return end.keys
    given = [key.name for key in site.given_keys if (key.primary, key.secondary) == (_name(primary), _name(secondary))]
    if given:
        return tuple(given)
    return tuple(key_name(primary.id, secondary.id, generation) for generation in site.generations)


def _check_key_names(
    site: Site, links: Mapping[Tuple[str, str], Link], peers: Mapping[str, Peer], problems: List[Problem]
) -> None:
    """A name server knows a key by its name alone, so that two links can't have different keys of one name."""
    owner: Dict[str, Link] = {}
    for link in links.values():
        for name in link.keys:
            if len(name) > LONGEST_NAME:
                problems.append(
                    Problem(
                        "the name of its TSIG key has more than %d octets, too many for a file: %s"
                        % (LONGEST_NAME, name),
                        "Give %s or %s a shorter dns_id" % (link.primary, link.secondary),
                        host=link.secondary,
                    )
                )
            first = owner.setdefault(name, link)
            # All links of a peer have the keys of the peer, and two peers may have agreed on the same key.
            of_peers = [{each.primary, each.secondary} & set(peers) for each in (first, link)]
            same = of_peers[0] & of_peers[1] or (all(of_peers) and name in site.shared_keys)
            if first is not link and not same:
                peer = next(iter(of_peers[1]), None)
                problems.append(
                    Problem(
                        '%sthe TSIG key "%s" is that of the link from %s to %s already'
                        % ("dns_peers: %s: " % peer if peer else "", name, first.primary, first.secondary),
                        "Every link needs its own key",
                        host=None if peer else link.secondary,
                    )
                )


def _refuse_idle_keys(
    site: Site, links: Mapping[Tuple[str, str], Link], peers: Mapping[str, Peer], problems: List[Problem]
) -> None:
    """A given key of no link is a misspelt or swapped host: the link it is meant for would have a derived key."""
    for key in site.given_keys:
        place = 'the key "%s" in tsig_keys is for a link from "%s" to "%s"' % (key.name, key.primary, key.secondary)
        if key.primary in peers or key.secondary in peers:
            problems.append(Problem("%s, which is a link of a peer" % place, "Put it into the keys of dns_peers"))
        elif (key.primary, key.secondary) not in links:
            problems.append(
                Problem(
                    "%s, and there is no such link" % place,
                    "Write the hosts' inventory names: primary is where the zones are transferred from",
                )
            )


def _refuse_idle_peers(
    links: Mapping[Tuple[str, str], Link], peers: Mapping[str, Peer], problems: List[Problem]
) -> None:
    """A peer that nothing is transferred with looks as if it served something."""
    linked = {end for ends in links for end in ends}
    for peer in peers.values():
        if peer.id not in linked:
            problems.append(
                Problem(
                    "dns_peers: %s: no zone has it as its %s" % (peer.id, peer.role),
                    "Name it in a zone's %s"
                    % ("secondaries_add, or set  default: true" if peer.role == "secondary" else "primary")
                    + ", or take it out of dns_peers",
                )
            )


def _refuse_idle_hosted_zones(clouds: Mapping[str, Cloud], zones: Mapping[str, Zone], problems: List[Problem]) -> None:
    """The hosted zone of a misspelt zone would be looked up by name, and another one changed."""
    for cloud in clouds.values():
        pushed = [zone.name for zone in zones.values() if cloud.host in zone.clouds]
        for name in cloud.hosted_zones:
            if name not in pushed:
                problems.append(
                    Problem(
                        "route53_hosted_zones has %s, and no such zone is pushed there%s" % (name, _near(name, pushed)),
                        "Write names of zones that have it among their secondaries",
                        host=cloud.host,
                    )
                )


def of_family(addresses: Iterable[str], af: int) -> List[str]:
    return [address for address in addresses if family(address) == af]


def common(addresses: Iterable[str], others: Iterable[str]) -> Tuple[str, ...]:
    """Those addresses whose family the others have too."""
    families = {family(address) for address in others}
    return tuple(address for address in addresses if family(address) in families)
