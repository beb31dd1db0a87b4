# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Views of the topology, as plain data: for templates, for the checks after the deploy, for people.

Each is made from the links; none adds a rule of its own.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Optional, Sequence

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.names import file_name, zone_file
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.topology import (
    FAMILIES,
    KEY_DIRECTORIES,
    Link,
    Topology,
    common,
    family,
    key_file,
    of_family,
)


def host_view(topology: Topology, host: str) -> Dict[str, Any]:
    """What one host's configuration is made of, as plain data for templates.

    ``own_server``, ``asked``: the host, and its zones but those of peers, in the shape that the module ``soa_sync``
    takes: whether a peer gives its zones says nothing about this host. ``served``: names of all its zones.
    ``files_as_primary``, ``files_as_secondary``: names of the zone files on the host.
    ``zones_as_primary``: name, file, links (of its secondaries), ask (address and port of each
    secondary). ``zones_as_secondary``: name, link (to its primary). ``links_as_primary``,
    ``links_as_secondary``: by the other end's id, as :class:`Link`.
    """
    server = topology.servers[host]

    def link_data(link: Link, other: str) -> Dict[str, Any]:
        return {
            "id": topology.end(other).id,
            "port": topology.end(other).port,
            "key_names": list(link.keys),
            "transfer_from": list(link.transfer_from),
            "transfer_to": list(link.transfer_to),
            "notify_from": list(link.notify_from),
            "notify_to": list(link.notify_to),
        }

    links = topology.links_of(host)
    zones = [zone for zone in topology.zones.values() if host in (zone.primary,) + zone.secondaries]
    return {
        "host": host,
        "kind": server.kind,
        "roles": list(server.roles),
        "name": server.name,
        "id": server.id,
        "port": server.port,
        "listen": {"ipv%d" % af: of_family(server.listen, af) for af in FAMILIES},
        "transfer_source": {"ipv%d" % af: (of_family(server.transfer_sources, af) or [""])[0] for af in FAMILIES},
        "key_directory": KEY_DIRECTORIES[server.kind],
        "key_files": [key_file(server.kind, name) for name in sorted({name for link in links for name in link.keys})],
        "self": link_data(topology.self_link(host), host),
        "own_server": {host: {"addresses": list(server.listen), "port": server.port}},
        "served": [zone.name for zone in zones],
        "asked": [{"name": zone.name, "primary": host} for zone in zones if zone.source != "transfer"],
        "server_addresses": sorted(
            {address for each in topology.servers.values() for address in each.addresses + each.transfer_addresses}
            | {address for peer in topology.peers.values() for address in peer.transfer}
            | {address for cloud in topology.clouds.values() for address in cloud.transfer}
            | set(topology.verifiers)
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
                "links": [topology.end(secondary).id for secondary in topology.linked(zone)],
                "ask": [
                    [address, topology.end(secondary).port]
                    for secondary in zone.secondaries
                    for address in common(topology.end(secondary).addresses, server.addresses)[:1]
                ],
                "extra": _lines(zone.extra.get("bind_primary")),
            }
            for zone in topology.zones_as_primary(host)
        ],
        "zones_as_secondary": [
            {
                "name": zone.name,
                "file_name": file_name(zone.name),
                "link": topology.end(zone.primary).id,
                "extra": _lines(zone.extra.get("%s_secondary" % server.kind)),
            }
            for zone in topology.zones_as_secondary(host)
        ],
    }


def cloud_view(topology: Topology, host: str) -> Dict[str, Any]:
    """What the account at a provider is made of, as plain data without secrets.

    ``zones``: name and primary of each; of what is pushed to, name and hosted_zone_id (or None). ``primaries``: of what
    transfers by itself, one for each link: name, addresses where it asks, port, key_name. ``push``: of what is pushed
    to, None with others: host, address, port and key_file of the server's self link, by which the zones are read on
    that host.
    """
    cloud = topology.clouds[host]
    view: Dict[str, Any] = {
        "host": host,
        "provider": cloud.provider,
        "id": cloud.id,
        "zones": [
            {"name": zone.name, "primary": zone.primary}
            if cloud.push_host is None
            else {"name": zone.name, "hosted_zone_id": cloud.hosted_zones.get(zone.name)}
            for zone in topology.zones.values()
            if host in zone.clouds
        ],
        "primaries": [
            {
                "name": link.primary,
                "addresses": list(link.transfer_from),
                "port": topology.end(link.primary).port,
                "key_name": link.keys[0],
            }
            for link in topology.links_of(host)
        ],
        "push": None,
    }
    if cloud.push_host is not None:
        server, link = topology.servers[cloud.push_host], topology.self_link(cloud.push_host)
        view["push"] = {
            "host": cloud.push_host,
            "address": link.transfer_from[0],
            "port": server.port,
            "key_file": key_file(server.kind, link.keys[0]),
        }
    return view


def gate_view(topology: Topology, host: str) -> Dict[str, Any]:
    """What must be answered before a server may be taken down for a moment, and after.

    Zones of peers are left out: whether a peer gives them says nothing about the servers here.

    ``before``, ``after``: zones, in the shape that the module ``soa_sync`` takes. ``others``: the servers that keep the
    zones in service meanwhile; a hidden one does not. ``alone``: names of the zones that no other server has.
    """
    before: List[Dict[str, Any]] = []
    after: List[Dict[str, Any]] = []
    alone: List[str] = []
    for zone in topology.zones.values():
        ends = (zone.primary,) + zone.secondaries
        if host not in ends or zone.source == "transfer":
            continue
        others = [end for end in ends if end != host and end in topology.servers and not topology.servers[end].hidden]
        if others:
            secondaries = [end for end in others if end != zone.primary]
            before.append({"name": zone.name, "primary": zone.primary, "secondaries": secondaries})
        else:
            alone.append(zone.name)
        after.append({"name": zone.name, "primary": zone.primary, "secondaries": [host] * (host != zone.primary)})
    visible = [name for name, server in topology.servers.items() if name != host and not server.hidden]
    return {"before": before, "after": after, "others": visible, "alone": alone}


def _lines(text: Optional[str]) -> List[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def overview(topology: Topology) -> Dict[str, Any]:
    """The whole topology as plain data: servers, zones and links, without secrets and file names."""
    return {
        "servers": {
            host: {
                "kind": server.kind,
                "roles": list(server.roles),
                "name": server.name,
                "addresses": list(server.addresses),
                "port": server.port,
                "site": server.site,
                "hidden": server.hidden,
            }
            for host, server in topology.servers.items()
        },
        "peers": {
            peer.id: {"role": peer.role, "addresses": list(peer.addresses), "port": peer.port}
            for peer in topology.peers.values()
        },
        "clouds": {
            host: {
                "provider": cloud.provider,
                "roles": list(cloud.roles),
                "id": cloud.id,
                "push_host": cloud.push_host,
                "zones": [zone.name for zone in topology.zones.values() if host in zone.clouds],
            }
            for host, cloud in topology.clouds.items()
        },
        "zones": [
            {"name": zone.name, "primary": zone.primary, "secondaries": list(zone.secondaries)}
            for zone in topology.zones.values()
        ],
        "links": [
            {
                "primary": link.primary,
                "secondary": link.secondary,
                "key_names": list(link.keys),
                "transfer_from": list(link.transfer_from),
                "transfer_to": list(link.transfer_to),
                "notify_from": list(link.notify_from),
                "notify_to": list(link.notify_to),
                "zones": [
                    zone.name
                    for zone in topology.zones.values()
                    if zone.primary == link.primary and link.secondary in topology.linked(zone)
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
        kind: str, link: Link, target: str, addresses: Sequence[str], names: Sequence[str], key: Sequence[str]
    ) -> None:
        sources = server.transfer_sources if link.notify_to else ()
        for index, address in enumerate(addresses):
            found.append({
                "check": kind,
                "server": target,
                "address": address,
                "port": topology.end(target).port,
                "source": (of_family(sources, family(address)) or [None])[0],
                "key_file": key_file(server.kind, key[0]) if key else None,
                "zones": list(names if index == 0 and kind != "refusal" else names[:1]),
            })  # fmt: skip

    self_link = topology.self_link(host)
    check("content", self_link, host, server.listen, [name for name in own if name in chosen], self_link.keys)
    for link in topology.links_of(host):
        if link.primary == link.secondary:
            continue
        names = [
            zone.name
            for zone in topology.zones.values()
            if zone.primary == link.primary and link.secondary in zone.secondaries
        ]
        wanted = [name for name in names if name in chosen]
        if link.secondary == host:
            check("transfer", link, link.primary, link.transfer_from, wanted, link.keys)
        # Whom a peer lets transfer is its operator's business; and what a provider does is told by its API.
        if link.primary not in topology.servers or link.secondary not in topology.servers:
            continue
        if link.secondary == host:
            # The right address without a key, and with a key that is not this link's.
            check("refusal", link, link.primary, link.transfer_from, names, ())
            check("refusal", link, link.primary, link.transfer_from, names, self_link.keys)
        else:
            # A key that is for asking the primary must not open the secondary.
            check("refusal", link, link.secondary, link.notify_to, names, link.keys)
    return [each for each in found if each["zones"]]


def stranger_checks(topology: Topology) -> List[Dict[str, Any]]:
    """Refusals that any machine outside the links can check: no key, every address of every server.

    Of each server one zone, and those with statements of their own, which may have changed the ACL.
    """
    example = {
        host: zone.name
        for zone in reversed(list(topology.zones.values()))
        for host in (zone.primary,) + zone.secondaries
    }
    own: Dict[str, List[str]] = {host: [] for host in topology.servers}
    for zone in topology.zones.values():
        for host in (zone.primary,) + zone.secondaries if zone.extra else ():
            if host in own:
                own[host].append(zone.name)
    return [
        {
            "check": "refusal",
            "server": host,
            "address": address,
            "port": server.port,
            "source": None,
            "key_file": None,
            "zones": sorted({example[host], *own[host]}),
        }
        for host, server in topology.servers.items()
        if host in example
        for address in server.addresses
    ]
