#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: soa_sync
short_description: Check that all servers of a zone answer with the serial of its primary
description:
  - Asks every server, at each of its addresses, for the SOA record of each of its zones; all at once, within bounds.
  - Waits until all serials agree (RFC 1982) or the time is up, and says for each zone, server and address what it saw.
  - A secondary that is ahead of its primary is a failure too; the primary has gone back, and the secondary would not
    follow it any more.
  - What cannot be reached from where the module runs, such as IPv6 addresses from a machine without IPv6, is
    C(not checked), not good and not bad.
version_added: 0.1.0
author:
  - The dnsops.redundant_dns authors (@dnsops)
extends_documentation_fragment:
  - dnsops.redundant_dns.attributes
  - dnsops.redundant_dns.attributes.read_only
options:
  zones:
    description: The zones.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The zone's name.
        type: str
        required: true
      primary:
        description: Name of its primary, a key of O(servers).
        type: str
        required: true
      secondaries:
        description: Names of its secondaries, keys of O(servers).
        type: list
        elements: str
        default: []
  servers:
    description:
      - The servers by name. Each has C(addresses), a list of IP addresses, and C(port), by default 53.
    type: dict
    required: true
  timeout:
    description: Seconds to wait for the serials to agree. A server that is silent is given up earlier.
    type: float
    default: 30
  rate:
    description:
      - Queries a second to one server, at most. The default stays below the rate limits of the roles' servers.
    type: float
    default: 900
  strict:
    description: Fail when a check fails. Otherwise only return the rows.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Check that both secondaries have the zone of the primary
  dnsops.redundant_dns.soa_sync:
    zones:
      - name: example.com
        primary: ns1.example.net
        secondaries: [ns2.example.net, ns3.example.net]
    servers:
      ns1.example.net: {addresses: [192.0.2.1]}
      ns2.example.net: {addresses: [198.51.100.2, "2001:db8::2"]}
      ns3.example.net: {addresses: [203.0.113.3]}
  delegate_to: localhost
"""

RETURN = r"""
rows:
  description: One for each zone, server and address; where the task fails, only those that failed.
  returned: always
  type: list
  elements: dict
  contains:
    check:
      description: Always V(serial).
      type: str
    zone:
      description: The zone.
      type: str
    server:
      description: The server's name.
      type: str
    address:
      description: The address that was asked.
      type: str
    serial:
      description: The serial it answered; null where it answered none.
      type: int
    verdict:
      description: V(ok), V(failed) or V(not checked).
      type: str
    status:
      description: >-
        V(in sync), V(behind), V(ahead), V(no answer), V(not authoritative), V(refused), V(servfail), V(no route), or
        what else there was.
      type: str
    detail:
      description: A sentence, empty where all is well.
      type: str
in_sync:
  description: Whether no check failed.
  returned: always
  type: bool
"""

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import FAILED, Server, Zone, wait_for_sync
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import ask_serials
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.quiet import QuietModule, os_errors_told
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.report import problem_lines


def read_servers(module: QuietModule) -> dict[str, Server]:
    servers = {}
    for name, value in module.params["servers"].items():
        if not isinstance(value, dict) or not isinstance(value.get("addresses"), list):
            module.fail_json(msg="servers: %s needs a list of addresses, such as {addresses: [192.0.2.1]}" % name)
        servers[name] = Server(tuple(value["addresses"]), int(value.get("port", 53)))
    return servers


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
                    "primary": {"type": "str", "required": True},
                    "secondaries": {"type": "list", "elements": "str", "default": []},
                },
            },
            "servers": {"type": "dict", "required": True},
            "timeout": {"type": "float", "default": 30},
            "rate": {"type": "float", "default": 900},
            "strict": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    servers = read_servers(module)
    zones = [Zone(zone["name"], zone["primary"], zone["secondaries"]) for zone in module.params["zones"]]
    for zone in zones:
        for name in [zone.primary, *zone.secondaries]:
            if name not in servers:
                module.fail_json(msg="zone %s: its server %s is not in servers" % (zone.name, name))
    try:
        rows = wait_for_sync(
            zones,
            servers,
            ask=lambda questions, tcp: ask_serials(questions, tcp=tcp, rate=module.params["rate"]),
            timeout=module.params["timeout"],
        )
    except ValueError as error:
        module.fail_json(msg=str(error))
    failed = [row for row in rows if row["verdict"] == FAILED]
    if failed and module.params["strict"]:
        module.fail_json(msg="\n".join(problem_lines(failed)), rows=failed, in_sync=False)
    module.exit_json(changed=False, rows=rows, in_sync=not failed)


if __name__ == "__main__":
    main()
