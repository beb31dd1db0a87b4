#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: name_servers_check
short_description: Check that the name servers assigned by a provider have a zone, and that resolvers find them
description:
  - Asks every name server that a provider assigned to a zone, at each of its addresses, for the SOA record of the zone,
    and waits until all serials agree with that of the zone's primary (RFC 1982) or the time is up.
  - Asks the primary for the zone's NS records, and the name servers of the parent zone for its delegation. An assigned
    name server that is missing from either is a warning. Nobody asks a name server that is missing from both.
  - The resolver is asked only for addresses, and which zone is the parent; once for each parent, not for each zone.
  - What could not be seen is C(not checked), with the reason. That is so for a zone that is not delegated, and for one
    whose parent's name servers all have the zone itself, since these do not tell its delegation.
version_added: 0.1.0
author:
  - The dnsops.redundant_dns authors (@dnsops)
extends_documentation_fragment:
  - dnsops.redundant_dns.attributes
  - dnsops.redundant_dns.attributes.read_only
options:
  zones:
    description: The zones. One that is at several providers is there once for each.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The zone's name.
        type: str
        required: true
      provider:
        description: The provider's name, for the rows.
        type: str
        required: true
      name_servers:
        description: Names of the name servers that the provider assigned to the zone.
        type: list
        elements: str
        required: true
      primary_addresses:
        description: The IP addresses of the zone's primary.
        type: list
        elements: str
        required: true
      primary_port:
        description: The primary's port.
        type: int
        default: 53
  addresses:
    description:
      - IP addresses of name servers, a list by name. Those that are not in it are resolved.
    type: dict
    default: {}
  resolvers:
    description:
      - The resolvers to ask, each an IP address, or one with its port as in V(192.0.2.53 port 5353).
      - Without any, those of the host where the module runs.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds for everything, the wait for the serials to agree included.
    type: float
    default: 30
  rate:
    description:
      - Queries a second to one server, at most. The default stays below the rate limits of the roles' servers.
      - The name servers of parents are asked at a lower rate.
    type: float
    default: 900
  strict:
    description: Fail when a check fails, which a warning is not. Otherwise only return the rows.
    type: bool
    default: true
requirements:
  - dnspython >= 2.3 on the host where it runs
"""

EXAMPLES = r"""
- name: Check the name servers that Cloudflare assigned
  dnsops.redundant_dns.name_servers_check:
    zones:
      - name: example.com
        provider: cloudflare
        name_servers: [ns0123.secondary.cloudflare.com, ns0124.secondary.cloudflare.com]
        primary_addresses: [192.0.2.1, "2001:db8::1"]
  delegate_to: localhost

- name: The same where names do not resolve yet
  dnsops.redundant_dns.name_servers_check:
    zones:
      - name: example.com
        provider: route53
        name_servers: [ns1.example.net]
        primary_addresses: [192.0.2.1]
    addresses:
      ns1.example.net: [198.51.100.2]
    resolvers: [192.0.2.53, 192.0.2.54 port 5353]
  delegate_to: localhost
"""

RETURN = r"""
rows:
  description: >-
    For each zone and provider one for each address of an assigned name server, and one for each of the two sets of NS
    records; where the task fails, only those that failed.
  returned: always
  type: list
  elements: dict
  contains:
    check:
      description: V(serial), V(ns) for the NS records of the zone itself, or V(delegation) for those at its parent.
      type: str
    zone:
      description: The zone.
      type: str
    server:
      description: The provider's name.
      type: str
    address:
      description: The address that was asked; empty where none was, or none answered about NS records.
      type: str
    serial:
      description: The serial it answered; null where it answered none.
      type: int
    verdict:
      description: V(ok), V(failed), V(warning) or V(not checked).
      type: str
    status:
      description: >-
        For serials as with M(dnsops.redundant_dns.soa_sync), or V(does not resolve). Otherwise V(in the zone),
        V(not in the zone), V(at the parent), V(not at the parent), V(not delegated), V(delegation hidden),
        V(no answer), V(no route), V(no resolver), V(no time), V(does not resolve) or V(no name servers).
      type: str
    detail:
      description: A sentence, empty where all is well.
      type: str
"""

from ipaddress import ip_address

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import FAILED
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import ask_serials
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.delegation import (
    HAS_DNSPYTHON,
    Assigned,
    name_server_rows,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.names import domain_name
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.quiet import QuietModule, os_errors_told
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.report import problem_lines


def read_zones(zones: list[dict]) -> list[Assigned]:
    """Raises ValueError."""
    assigned = []
    for zone in zones:
        try:
            assigned.append(
                Assigned(
                    domain_name(zone["name"]),
                    zone["provider"],
                    tuple(dict.fromkeys(domain_name(name, host_name=True) for name in zone["name_servers"])),
                    tuple(str(ip_address(address)) for address in zone["primary_addresses"]),
                    zone["primary_port"],
                )
            )
        except ValueError as error:
            raise ValueError("zone %s: %s" % (zone["name"], error)) from None
    return assigned


def read_addresses(addresses: dict) -> dict[str, list[str]]:
    """Raises ValueError."""
    read = {}
    for name, found in addresses.items():
        if not isinstance(found, list):
            raise ValueError("addresses: %s needs a list of addresses, such as [192.0.2.1]" % name)
        try:
            read[domain_name(name, host_name=True)] = [str(ip_address(address)) for address in found]
        except ValueError as error:
            raise ValueError("addresses: %s: %s" % (name, error)) from None
    return read


@os_errors_told
def main() -> None:
    module = QuietModule(
        argument_spec={
            "zones": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"type": "str", "required": True},
                    "provider": {"type": "str", "required": True},
                    "name_servers": {"type": "list", "elements": "str", "required": True},
                    "primary_addresses": {"type": "list", "elements": "str", "required": True},
                    "primary_port": {"type": "int", "default": 53},
                },
            },
            "addresses": {"type": "dict", "default": {}},
            "resolvers": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "float", "default": 30},
            "rate": {"type": "float", "default": 900},
            "strict": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    if not HAS_DNSPYTHON:
        module.fail_json(msg=missing_required_lib("dnspython"))
    if params["rate"] <= 0 or params["timeout"] <= 0:
        module.fail_json(msg="timeout and rate must be above zero")
    try:
        rows = name_server_rows(
            read_zones(params["zones"]),
            addresses=read_addresses(params["addresses"]),
            resolvers=params["resolvers"],
            ask=lambda questions, tcp: ask_serials(questions, tcp=tcp, rate=params["rate"]),
            timeout=params["timeout"],
            rate=params["rate"],
        )
    except ValueError as error:
        module.fail_json(msg=str(error))
    failed = [row for row in rows if row["verdict"] == FAILED]
    if failed and params["strict"]:
        module.fail_json(msg="\n".join(problem_lines(failed)), rows=failed)
    module.exit_json(changed=False, rows=rows)


if __name__ == "__main__":
    main()
