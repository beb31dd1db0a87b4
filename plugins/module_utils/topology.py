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
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem

# group -> the daemon its hosts run
PRIMARY_GROUPS = {"bind_primary": "bind"}
SECONDARY_GROUPS = {"bind_secondary": "bind", "nsd_secondary": "nsd"}

HOST_VARIABLES = (
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

ZONE_KEYS = ("name", "file", "primary", "secondaries", "kind", "serial")
# Part of the design, built later: refused with these words instead of "unknown key".
ZONE_KEYS_TO_COME = ("records", "soa", "ttl", "secondaries_add", "secondaries_remove", "extra")

FAMILIES = (4, 6)

# Where a daemon's TSIG keys are, one file a key.
KEY_DIRECTORIES = {"bind": "/etc/bind/keys", "nsd": "/etc/nsd/keys"}

# RFC 1035 section 2.3.4. Slash as in RFC 2317 names, underscore as in RFC 8552.
_LABEL = re.compile(r"[a-z0-9_/]([a-z0-9_/-]{0,61}[a-z0-9_/])?")
_HOST_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


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
    """

    hosts: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, Sequence[str]]
    zones: Sequence[Any] = ()
    directory_files: Mapping[str, str] = field(default_factory=dict)
    zone_files: Mapping[str, Optional[str]] = field(default_factory=dict)
    generations: Sequence[int] = (1,)
    given_keys: Sequence[GivenKey] = ()


@dataclass(frozen=True)
class Server:
    """One name server. Addresses are canonical text (RFC 5952), in the order of the inventory."""

    host: str
    kind: str
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
class Zone:
    """One zone; ``file`` is the absolute path of its text on the controller."""

    name: str
    file: str
    primary: str
    secondaries: Tuple[str, ...]


@dataclass(frozen=True)
class Link:
    """A secondary that transfers from a primary; a server's self link has itself at both ends.

    Only address families that both ends have are in it.

    :param keys: TSIG key names that the primary accepts, the one to use first.
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
    """The whole: servers by host, zones by name (sorted), links by (primary, secondary)."""

    servers: Mapping[str, Server]
    zones: Mapping[str, Zone]
    links: Mapping[Tuple[str, str], Link]

    def self_link(self, host: str) -> Link:
        return self.links[(host, host)]

    def zones_as_primary(self, host: str) -> List[Zone]:
        return [zone for zone in self.zones.values() if zone.primary == host]

    def zones_as_secondary(self, host: str) -> List[Zone]:
        return [zone for zone in self.zones.values() if host in zone.secondaries]

    def links_of(self, host: str) -> List[Link]:
        """All links that end at this host, its self link included."""
        return [link for ends, link in self.links.items() if host in ends]


def family(address: str) -> int:
    """4 or 6."""
    return 6 if ":" in address else 4


def file_name(zone: str) -> str:
    """The file name of a zone or key, without an extension. A slash (RFC 2317) becomes a plus, which no name has."""
    return zone.replace("/", "+")


def zone_file(zone: str) -> str:
    """The name of a zone's file on a name server."""
    return "%s.zone" % file_name(zone)


def zone_name_of_file(stem: str) -> str:
    """The reverse of :func:`file_name`."""
    return stem.replace("+", "/")


def key_name(primary_id: str, secondary_id: str, generation: int) -> str:
    """The name of a derived TSIG key. Both ends and the generation are in it, so that a log line tells all."""
    if primary_id == secondary_id:
        return "g%d.self.%s" % (generation, primary_id)
    return "g%d.%s.from.%s" % (generation, secondary_id, primary_id)


def key_file(kind: str, name: str) -> str:
    """The file of a TSIG key on a host that runs that kind of daemon."""
    return "%s/%s.key" % (KEY_DIRECTORIES[kind], file_name(name))


def domain_name(value: Any, host_name: bool = False) -> str:
    """A name as it is used everywhere here: lower case, no final dot.

    :param host_name: only letters, digits and hyphens, and no IP address (RFC 1123 section 2.1).
    :raises ValueError: with the reason, for what is no such name (RFC 1035 section 2.3.4).
    """
    if not isinstance(value, str):
        raise ValueError("%r is not text; YAML reads it as %s: put it in quotes" % (value, type(value).__name__))
    if not value.isascii():
        raise ValueError('"%s" has letters outside ASCII: write its A-labels (xn--...)' % value)
    name = value.lower()
    if name.endswith("."):
        name = name[:-1]
    label_form = _HOST_LABEL if host_name else _LABEL
    labels = name.split(".")
    wrong = len(name) > 253 or not all(label_form.fullmatch(label) for label in labels)
    if wrong or (host_name and labels[-1].isdigit()):
        raise ValueError('"%s" is not a domain name' % value)
    return name


def build(site: Site) -> Topology:
    """The topology of a site.

    :raises InputError: with every mistake found.
    """
    problems: List[Problem] = []
    servers = _servers(site, problems)
    zones = _zones(site, servers, problems)
    links = _links(site, servers, zones, problems)
    if problems:
        raise InputError(problems)
    return Topology(servers, zones, links)


# --- servers ---------------------------------------------------------------------------------------------------------


def _servers(site: Site, problems: List[Problem]) -> Dict[str, Server]:
    daemons: Dict[str, str] = {}
    for group, kind in list(PRIMARY_GROUPS.items()) + list(SECONDARY_GROUPS.items()):
        for host in site.groups.get(group, ()):
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
                "the inventory has no hosts in %s" % ", ".join(list(PRIMARY_GROUPS) + list(SECONDARY_GROUPS)),
                "Put the primary into bind_primary and at least one host into bind_secondary or nsd_secondary",
            )
        ])  # fmt: skip
    servers: Dict[str, Server] = {}
    for host, kind in daemons.items():
        server = _server(host, kind, site.hosts.get(host, {}), problems)
        if server is not None:
            servers[host] = server
    _refuse_shared(servers.values(), problems)
    return servers


def _server(host: str, kind: str, variables: Mapping[str, Any], problems: List[Problem]) -> Optional[Server]:
    before = len(problems)

    def problem(reason: str, mend: str) -> None:
        problems.append(Problem(reason, mend, host=host))

    def addresses(variable: str, default: Tuple[str, ...]) -> Tuple[str, ...]:
        value = variables.get(variable)
        if value is None or value == []:
            return default
        found: List[str] = []
        for item in value if isinstance(value, (list, tuple)) else [value]:
            try:
                address = ipaddress.ip_address(item if isinstance(item, str) else "")
            except ValueError:
                problem(
                    "%s has %r, which is not an IP address" % (variable, item),
                    'Write one address or a list, such as %s: [192.0.2.1, "2001:db8::1"]' % variable,
                )
                continue
            if address.is_unspecified or address.is_multicast or "%" in item:
                problem("%s has %s, which is not the address of one host" % (variable, item), "Write that address")
                continue
            if str(address) not in found:
                found.append(str(address))
        return tuple(found)

    def name(variable: str, value: Any, mend: str) -> str:
        try:
            return domain_name(value, host_name=True)
        except ValueError as error:
            problem("%s: %s" % (variable, error), mend)
            return ""

    if variables.get("dns_address") in (None, "", []):
        problem(
            "dns_address is missing: the address where this server answers DNS",
            "Add it to the host, for example  %s: {dns_address: 192.0.2.1}" % host,
        )
        return None
    dns_address = addresses("dns_address", ())
    if variables.get("dns_name") is not None:
        dns_name = name("dns_name", variables["dns_name"], "Write the server's host name, as NS records have it")
    else:
        dns_name = name(
            "dns_name",
            host if "." in host else "%s (the inventory name)" % host,
            "Add  dns_name: %s.example.net  (its name in NS records) to the host"
            % (host if _HOST_LABEL.fullmatch(host) else "ns1"),
        )
    dns_id = dns_name
    if variables.get("dns_id") is not None:
        dns_id = name("dns_id", variables["dns_id"], "Write a domain name")

    port = variables.get("dns_port", 53)
    if isinstance(port, bool) or not re.fullmatch("[0-9]{1,5}", str(port)) or not 0 < int(port) < 65536:
        problem("dns_port %r is not a port number" % (port,), "Write a number from 1 to 65535, or leave it out for 53")
        port = 53
    hidden = variables.get("dns_hidden", False)
    if not isinstance(hidden, bool):
        problem("dns_hidden %r is not true or false" % (hidden,), "Write  dns_hidden: true  or leave it out")
    site_name = variables.get("dns_site")

    server = Server(
        host=host,
        kind=kind,
        name=dns_name,
        id=dns_id,
        addresses=dns_address,
        listen=addresses("dns_listen_address", dns_address),
        transfer_addresses=addresses("dns_transfer_address", dns_address),
        transfer_sources=addresses("dns_transfer_source", ()),
        port=int(port),
        hidden=hidden is True,
        site=None if site_name is None else str(site_name),
    )
    for af in FAMILIES:
        if len(_of_family(server.transfer_sources, af)) > 1:
            problem("dns_transfer_source has more than one IPv%d address" % af, "Leave one: a query has one source")
    return server if len(problems) == before else None


def _refuse_shared(servers: Iterable[Server], problems: List[Problem]) -> None:
    """Two servers with one identity would share keys, with one address they would answer for each other."""
    for what, values_of in (
        ("dns_name", lambda server: [server.name]),
        ("dns_id", lambda server: [server.id]),
        ("dns_address", lambda server: ["%s port %d" % (address, server.port) for address in server.addresses]),
    ):
        owner: Dict[str, str] = {}
        for server in servers:
            for value in values_of(server):
                if value in owner:
                    problems.append(
                        Problem(
                            "%s %s is also that of host %s" % (what, value, owner[value]),
                            "Every server needs its own",
                            host=server.host,
                        )
                    )
                owner.setdefault(value, server.host)


# --- zones -----------------------------------------------------------------------------------------------------------


def _zones(site: Site, servers: Mapping[str, Server], problems: List[Problem]) -> Dict[str, Zone]:
    entries = _entries(site, problems)
    if not entries and not problems:
        problems.append(
            Problem(
                "the inventory has no zones",
                "Set dns_zones, or dns_zone_directory to a folder with files named like example.com.zone",
            )
        )
    zones: Dict[str, Zone] = {}
    for name in sorted(entries):
        zone = _zone(name, entries[name], site, problems)
        if zone is not None:
            zones[name] = zone
    return zones


def _entries(site: Site, problems: List[Problem]) -> Dict[str, Dict[str, Any]]:
    """Zone name -> its settings; ``path`` is the file's absolute path. Directory zones first, then dns_zones."""
    entries: Dict[str, Dict[str, Any]] = {}
    for file, path in sorted(site.directory_files.items()):
        try:
            name = domain_name(zone_name_of_file(file[: -len(".zone")]))
        except ValueError as error:
            problems.append(Problem(str(error), "Name zone files like example.com.zone", file=path))
            continue
        if name in entries:
            problems.append(
                Problem(
                    "%s is a file of the same zone" % entries[name]["path"],
                    "Keep one of the two files",
                    zone=name,
                    file=path,
                )
            )
            continue
        entries[name] = {"path": path}

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
        if "path" in settings and name in entries:
            problems.append(
                Problem(
                    "its text is in two places: %s and %s" % (settings["path"], entries[name]["path"]),
                    "Take  file  out of its entry in dns_zones, or move the other file out of dns_zone_directory",
                    zone=name,
                )
            )
        elif "path" not in settings and name not in entries:
            if "file" not in entry:
                problems.append(
                    Problem(
                        "%s has no file, and dns_zone_directory has no %s.zone" % (place, file_name(name)),
                        "Add  file: zones/%s.zone" % file_name(name),
                        zone=name,
                    )
                )
            continue
        entries.setdefault(name, {}).update(settings)
    return entries


def _settings(name: str, entry: Mapping[str, Any], site: Site, problems: List[Problem]) -> Dict[str, Any]:
    """The checked settings of one entry of dns_zones."""
    for key in entry:
        if key in ZONE_KEYS_TO_COME:
            problems.append(
                Problem('"%s" is not built yet' % key, "Take it out, and put the records into a zone file", zone=name)
            )
        elif key not in ZONE_KEYS:
            near = get_close_matches(str(key), ZONE_KEYS, 1)
            problems.append(
                Problem(
                    'its entry in dns_zones has the unknown key "%s"' % key,
                    'Did you mean "%s"?' % near[0] if near else "Known keys: %s" % ", ".join(ZONE_KEYS),
                    zone=name,
                )
            )
    settings = {key: entry[key] for key in ("primary", "secondaries") if entry.get(key) is not None}
    for key, built in (("kind", "static"), ("serial", "auto")):
        if entry.get(key, built) != built:
            problems.append(
                Problem('%s "%s" is not built yet' % (key, entry[key]), 'Write "%s" or leave it out' % built, zone=name)
            )
    if "file" in entry:
        path = site.zone_files.get(entry["file"]) if isinstance(entry["file"], str) else None
        if path is None:
            problems.append(
                Problem(
                    "there is no such file on the controller",
                    "Relative paths start at dns_base_directory, by default the inventory's folder",
                    zone=name,
                    file=str(entry["file"]),
                )
            )
        else:
            settings["path"] = path
    return settings


def _zone(name: str, settings: Mapping[str, Any], site: Site, problems: List[Problem]) -> Optional[Zone]:
    def problem(reason: str, mend: str) -> None:
        problems.append(Problem(reason, mend, zone=name))

    primaries = _members(site, PRIMARY_GROUPS)
    secondaries = _members(site, SECONDARY_GROUPS)

    primary = settings.get("primary")
    if primary is None:
        if len(primaries) != 1:
            problem(
                "bind_primary has %s, so the zone must say which one is its primary"
                % ("the hosts %s" % ", ".join(primaries) if primaries else "no host"),
                "Add  primary: HOST  to its entry in dns_zones" if primaries else "Put a host into bind_primary",
            )
            return None
        primary = primaries[0]
    elif primary not in primaries:
        problem(
            'its primary "%s" is not a host of bind_primary%s' % (primary, _near(primary, primaries)),
            "Name one of: %s" % ", ".join(primaries) if primaries else "Put it into bind_primary",
        )
        return None

    wanted = settings.get("secondaries")
    before = len(problems)
    chosen: List[str] = []
    if wanted is None:
        chosen = [host for host in secondaries if host != primary]
    elif not isinstance(wanted, (list, tuple)):
        problem("secondaries is not a list", "Write  secondaries: [HOST or GROUP, ...]")
        return None
    else:
        for item in wanted:
            if not isinstance(item, str):
                problem("secondaries has %r, which is not text" % (item,), "Write  secondaries: [HOST or GROUP, ...]")
                continue
            if item in site.groups and item not in secondaries:
                hosts: Sequence[str] = [host for host in site.groups[item] if host != primary]
            elif any(item in members for members in site.groups.values()):
                hosts = [item]
            else:
                problem(
                    'its secondary "%s" is neither a host nor a group%s'
                    % (item, _near(item, secondaries + list(site.groups))),
                    "Secondaries are hosts of %s, or groups of them" % " and ".join(SECONDARY_GROUPS),
                )
                continue
            for host in hosts:
                if host == primary:
                    problem('its primary "%s" is listed as its secondary' % host, "Take it out of secondaries")
                elif host not in secondaries:
                    problem(
                        'its secondary "%s" is in none of the groups %s' % (host, ", ".join(SECONDARY_GROUPS)),
                        "Add the host to one of them",
                    )
                elif host not in chosen:
                    chosen.append(host)
    if not chosen:
        if len(problems) == before:
            problem(
                "it has no secondary, so it would not be redundant",
                "Put a host into bind_secondary or nsd_secondary, or list one under secondaries",
            )
        return None
    # Sorted, so that an inventory that lists its hosts in changing order changes no configuration.
    return Zone(name, settings["path"], primary, tuple(sorted(chosen)))


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
    site: Site, servers: Mapping[str, Server], zones: Mapping[str, Zone], problems: List[Problem]
) -> Dict[Tuple[str, str], Link]:
    pairs = {(zone.primary, host): zone.name for zone in reversed(list(zones.values())) for host in zone.secondaries}
    links: Dict[Tuple[str, str], Link] = {}
    for (primary_host, secondary_host), example in sorted(pairs.items()):
        if primary_host not in servers or secondary_host not in servers:
            continue  # its own problem has been noted
        primary, secondary = servers[primary_host], servers[secondary_host]
        link = _link(site, primary, secondary)
        if not link.transfer_from or not link.notify_to:
            problems.append(
                Problem(
                    "%s and %s have no address family in common (%s; %s)"
                    % (primary.host, secondary.host, ", ".join(primary.addresses), ", ".join(secondary.addresses)),
                    "Give both an IPv4 or both an IPv6 address in dns_address",
                    zone=example,
                )
            )
        links[(primary_host, secondary_host)] = link
    for host, server in servers.items():
        links[(host, host)] = _self_link(site, server)
    _check_key_names(links, problems)
    if not problems:  # else the link may be missing because of another mistake
        _refuse_idle_keys(site, links, problems)
    return links


def _link(site: Site, primary: Server, secondary: Server) -> Link:
    return Link(
        primary=primary.host,
        secondary=secondary.host,
        keys=_keys(site, primary, secondary),
        transfer_from=_common(primary.addresses, secondary.transfer_addresses),
        transfer_to=_common(secondary.transfer_addresses, primary.addresses),
        notify_from=_common(primary.transfer_addresses, secondary.addresses),
        notify_to=_common(secondary.addresses, primary.transfer_addresses),
    )


def _self_link(site: Site, server: Server) -> Link:
    """A server may transfer its own zones from itself, so that what it holds can be checked on it.

    It talks to its own listening addresses: those of dns_address may exist only on a NAT device.
    """
    own = server.listen
    return Link(server.host, server.host, _keys(site, server, server), own, own, (), ())


def _keys(site: Site, primary: Server, secondary: Server) -> Tuple[str, ...]:
    given = [key.name for key in site.given_keys if (key.primary, key.secondary) == (primary.host, secondary.host)]
    if given:
        return tuple(given)
    return tuple(key_name(primary.id, secondary.id, generation) for generation in site.generations)


def _check_key_names(links: Mapping[Tuple[str, str], Link], problems: List[Problem]) -> None:
    owner: Dict[str, Link] = {}
    for link in links.values():
        for name in link.keys:
            if len(name) > 253:
                problems.append(
                    Problem(
                        "the name of its TSIG key is longer than 253 octets: %s" % name,
                        "Give %s or %s a shorter dns_id" % (link.primary, link.secondary),
                        host=link.secondary,
                    )
                )
            if name in owner:
                problems.append(
                    Problem(
                        'the TSIG key "%s" is that of the link from %s to %s already'
                        % (name, owner[name].primary, owner[name].secondary),
                        "Every link needs its own key",
                        host=link.secondary,
                    )
                )
            owner.setdefault(name, link)


def _refuse_idle_keys(site: Site, links: Mapping[Tuple[str, str], Link], problems: List[Problem]) -> None:
    """A given key of no link is a misspelt or swapped host: the link it is meant for would have a derived key."""
    for key in site.given_keys:
        if (key.primary, key.secondary) not in links:
            problems.append(
                Problem(
                    'the key "%s" in tsig_keys is for a link from "%s" to "%s", and there is no such link'
                    % (key.name, key.primary, key.secondary),
                    "Write the hosts' inventory names: primary is where the zones are transferred from",
                )
            )


def _of_family(addresses: Iterable[str], af: int) -> List[str]:
    return [address for address in addresses if family(address) == af]


def _common(addresses: Iterable[str], others: Iterable[str]) -> Tuple[str, ...]:
    """Those addresses whose family the others have too."""
    families = {family(address) for address in others}
    return tuple(address for address in addresses if family(address) in families)


# --- views -----------------------------------------------------------------------------------------------------------


def host_view(topology: Topology, host: str) -> Dict[str, Any]:
    """What one host's configuration is made of, as plain data for templates.

    ``own_server``, ``served``: the host and all its zones, in the shape that the module ``soa_sync`` takes.
    ``files_as_primary``, ``files_as_secondary``: names of the zone files on the host.
    ``zones_as_primary``: name, file, links (of its secondaries), ask (address and port of each
    secondary). ``zones_as_secondary``: name, link (to its primary). ``links_as_primary``,
    ``links_as_secondary``: by the other end's id, as :class:`Link`.
    """
    server = topology.servers[host]
    servers = topology.servers

    def link_data(link: Link, other: str) -> Dict[str, Any]:
        return {
            "id": servers[other].id,
            "port": servers[other].port,
            "keys": list(link.keys),
            "transfer_from": list(link.transfer_from),
            "transfer_to": list(link.transfer_to),
            "notify_from": list(link.notify_from),
            "notify_to": list(link.notify_to),
        }

    links = topology.links_of(host)
    return {
        "host": host,
        "kind": server.kind,
        "name": server.name,
        "id": server.id,
        "port": server.port,
        "listen": {"ipv%d" % af: _of_family(server.listen, af) for af in FAMILIES},
        "transfer_source": {"ipv%d" % af: (_of_family(server.transfer_sources, af) or [""])[0] for af in FAMILIES},
        "key_directory": KEY_DIRECTORIES[server.kind],
        "key_files": [key_file(server.kind, name) for name in sorted(name for link in links for name in link.keys)],
        "self": link_data(topology.self_link(host), host),
        "own_server": {host: {"addresses": list(server.listen), "port": server.port}},
        "served": [
            {"name": zone.name, "primary": host}
            for zone in topology.zones.values()
            if host in (zone.primary,) + zone.secondaries
        ],
        "server_addresses": sorted(
            {address for each in servers.values() for address in each.addresses + each.transfer_addresses}
        ),
        "links_as_primary": [
            link_data(link, link.secondary) for link in links if link.primary == host != link.secondary
        ],
        "links_as_secondary": [
            link_data(link, link.primary) for link in links if link.secondary == host != link.primary
        ],
        "files_as_primary": [zone_file(zone.name) for zone in topology.zones_as_primary(host)],
        "files_as_secondary": [zone_file(zone.name) for zone in topology.zones_as_secondary(host)],
        "zones_as_primary": [
            {
                "name": zone.name,
                "file": zone.file,
                "file_name": file_name(zone.name),
                "links": [servers[secondary].id for secondary in zone.secondaries],
                "ask": [
                    [topology.links[(host, secondary)].notify_to[0], servers[secondary].port]
                    for secondary in zone.secondaries
                ],
            }
            for zone in topology.zones_as_primary(host)
        ],
        "zones_as_secondary": [
            {"name": zone.name, "file_name": file_name(zone.name), "link": servers[zone.primary].id}
            for zone in topology.zones_as_secondary(host)
        ],
    }


def overview(topology: Topology) -> Dict[str, Any]:
    """The whole topology as plain data: servers, zones and links, without secrets and file names."""
    return {
        "servers": {
            host: {
                "kind": server.kind,
                "name": server.name,
                "addresses": list(server.addresses),
                "port": server.port,
                "site": server.site,
                "hidden": server.hidden,
            }
            for host, server in topology.servers.items()
        },
        "zones": [
            {"name": zone.name, "primary": zone.primary, "secondaries": list(zone.secondaries)}
            for zone in topology.zones.values()
        ],
        "links": [
            {
                "primary": link.primary,
                "secondary": link.secondary,
                "keys": list(link.keys),
                "transfer_from": list(link.transfer_from),
                "transfer_to": list(link.transfer_to),
                "notify_from": list(link.notify_from),
                "notify_to": list(link.notify_to),
                "zones": [
                    zone.name
                    for zone in topology.zones.values()
                    if zone.primary == link.primary and link.secondary in zone.secondaries
                ],
            }
            for link in topology.links.values()
            if link.primary != link.secondary
        ],
    }


def checks_on(topology: Topology, host: str, zones: Iterable[str]) -> List[Dict[str, Any]]:
    """The zone transfers that prove this host's links, done on the host itself.

    Of every link, all of ``zones`` over its first address, and one zone over each other address: what
    the second address proves is the ACL and the route, not the content. Refusals once a server and ACL.

    :returns: plain data in the shape of :class:`checks.TransferCheck`, with ``key_file`` for the key.
    """
    server = topology.servers[host]
    chosen = set(zones)
    own = [zone.name for zone in topology.zones.values() if host in (zone.primary,) + zone.secondaries]
    found: List[Dict[str, Any]] = []

    def check(
        kind: str, link: Link, target: Server, addresses: Sequence[str], names: Sequence[str], key: Optional[str]
    ) -> None:
        sources = server.transfer_sources if link.notify_to else ()
        for index, address in enumerate(addresses):
            found.append({
                "check": kind,
                "server": target.host,
                "address": address,
                "port": target.port,
                "source": (_of_family(sources, family(address)) or [None])[0],
                "key_file": None if key is None else key_file(server.kind, key),
                "zones": list(names if index == 0 and kind != "refusal" else names[:1]),
            })  # fmt: skip

    self_link = topology.self_link(host)
    check("content", self_link, server, server.listen, [name for name in own if name in chosen], self_link.keys[0])
    for link in topology.links_of(host):
        if link.primary == link.secondary:
            continue
        names = [
            zone.name
            for zone in topology.zones.values()
            if zone.primary == link.primary and link.secondary in zone.secondaries
        ]
        if link.secondary == host:
            primary = topology.servers[link.primary]
            check(
                "transfer", link, primary, link.transfer_from, [name for name in names if name in chosen], link.keys[0]
            )
            # The right address without a key, and with a key that is not this link's.
            check("refusal", link, primary, link.transfer_from, names, None)
            check("refusal", link, primary, link.transfer_from, names, self_link.keys[0])
        else:
            # A key that is for asking the primary must not open the secondary.
            check("refusal", link, topology.servers[link.secondary], link.notify_to, names, link.keys[0])
    return [each for each in found if each["zones"]]


def stranger_checks(topology: Topology) -> List[Dict[str, Any]]:
    """Refusals that any machine outside the links can check: no key, one zone, every address of every server."""
    example = {
        host: zone.name
        for zone in reversed(list(topology.zones.values()))
        for host in (zone.primary,) + zone.secondaries
    }
    return [
        {
            "check": "refusal",
            "server": host,
            "address": address,
            "port": server.port,
            "source": None,
            "key_file": None,
            "zones": [example[host]],
        }
        for host, server in topology.servers.items()
        if host in example
        for address in server.addresses
    ]
