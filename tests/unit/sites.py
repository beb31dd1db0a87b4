"""Small inventories for tests: three servers, one zone, and what a test changes about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.topology import Site

# One primary, a secondary on BIND, and one on NSD.
HOSTS: dict[str, dict[str, Any]] = {
    "a.test": {"dns_address": "192.0.2.1"},
    "b.test": {"dns_address": "192.0.2.2"},
    "c.test": {"dns_address": "192.0.2.3"},
}
GROUPS = {"bind_primary": ["a.test"], "bind_secondary": ["b.test"], "nsd_secondary": ["c.test"]}

# An account at each provider: one that transfers, and one that b.test pushes to.
CLOUD_HOSTS: dict[str, dict[str, Any]] = {"cloudflare": {}, "route53": {"route53_push_host": "b.test"}}
CLOUD_GROUPS = {"cloudflare_secondary": ["cloudflare"], "route53_secondary": ["route53"]}


def make_site(
    zones: Iterable[Any] = ("example.com",),
    hosts: Mapping[str, Mapping[str, Any]] | None = None,
    groups: Mapping[str, list[str]] | None = None,
    **settings: Any,
) -> Site:
    """A site.

    :param zones: entries of dns_zones; a name alone stands for an entry with a file.
    :param hosts: variables to add to those of HOSTS, or hosts to add.
    :param groups: groups to add to GROUPS, or to put in their place.
    :param settings: other fields of Site. Without ``zone_files``, every file is there but those in ``missing/``.
    """
    entries = [{"name": zone, "file": "%s.zone" % zone} if isinstance(zone, str) else zone for zone in zones]
    files = [entry.get("file") for entry in entries if isinstance(entry, Mapping)]
    settings.setdefault(
        "zone_files",
        {file: None if "missing/" in file else "/srv/%s" % file for file in files if isinstance(file, str)},
    )
    changes = dict(hosts or {})
    return Site(
        hosts={host: {**HOSTS.get(host, {}), **changes.get(host, {})} for host in [*HOSTS, *changes]},
        groups={**GROUPS, **(groups or {})},
        zones=entries,
        **settings,
    )


def make_cloud_site(
    zones: Iterable[Any] = ("example.com",),
    hosts: Mapping[str, Mapping[str, Any]] | None = None,
    groups: Mapping[str, list[str]] | None = None,
    **settings: Any,
) -> Site:
    """The site of :func:`make_site`, and the clouds; ``hosts`` and ``groups`` replace or add to those of the clouds."""
    return make_site(zones, {**CLOUD_HOSTS, **(hosts or {})}, {**CLOUD_GROUPS, **(groups or {})}, **settings)
