#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Read the inventory and say who transfers which zone from whom
description:
  - Reads groups, host variables and zones of the inventory, checks them, and returns the plan that everything else
    follows from.
  - Runs on the controller. It needs no connection to any host, and uses no facts, so that the plan is the same with
    C(--limit) and with unreachable hosts.
  - Fails with all mistakes at once; each message names the zone, host, file and line, and how to mend it.
version_added: 0.1.0
author:
  - The dnsops.redundant_dns authors (@dnsops)
extends_documentation_fragment:
  - dnsops.redundant_dns.attributes
  - dnsops.redundant_dns.attributes.read_only
  - dnsops.redundant_dns.attributes.on_controller
options:
  topology:
    description:
      - Also return the whole topology. With thousands of zones it is large, so ask for it once, not on each host.
    type: bool
    default: false
  content:
    description:
      - Also read and check the text of every zone.
    type: bool
    default: false
  verify:
    description:
      - Also say which zone transfers prove this host's links, for M(dnsops.redundant_dns.axfr_check).
      - V(full) is all zones, V(changed) those that the roles touched in this run, V(sample) 20 more by chance.
      - V(auto) is V(changed) after a deploy, and V(full) where no role has run.
    type: str
    choices: [auto, full, changed, sample]
  leaving:
    description:
      - A host that is to be decommissioned. Fails while a role has it, or while NS records name it.
    type: str
  force:
    description: Let NS records that name O(leaving) be.
    type: bool
    default: false
requirements:
  - dnspython >= 2.3 on the controller, for O(content=true) and O(verify)
"""

EXAMPLES = r"""
- name: Check the inventory and all zone files before any host is touched
  dnsops.redundant_dns.plan:
    content: true
  run_once: true

- name: Read this host's part
  dnsops.redundant_dns.plan:
  register: plan

- name: Show the zones that this host serves as a secondary
  ansible.builtin.debug:
    msg: "{{ plan.host.zones_as_secondary | map(attribute='name') }}"
"""

RETURN = r"""
host:
  description:
    - What this host's configuration is made of.
    - Absent for a host that is not a name server of the inventory.
  returned: success
  type: dict
  contains:
    host:
      description: The inventory name.
      type: str
    kind:
      description: The daemon it runs, V(bind) or V(nsd).
      type: str
    roles:
      description: The roles whose groups it is in.
      type: list
      elements: str
    name:
      description: Its name in NS records, from C(dns_name).
      type: str
    id:
      description: The stable identity of the server, from C(dns_id).
      type: str
    port:
      description: The port to answer on.
      type: int
    listen:
      description: Addresses to answer on, as lists C(ipv4) and C(ipv6).
      type: dict
    transfer_source:
      description: The local source address of transfers and NOTIFY, as C(ipv4) and C(ipv6); empty where none is set.
      type: dict
    key_directory:
      description: Where its TSIG keys are.
      type: str
    key_files:
      description: Paths of the TSIG keys that the host needs. Secrets are never returned.
      type: list
      elements: str
    self:
      description: The link of the server to itself, in the shape of RV(host.links_as_primary).
      type: dict
    own_server:
      description: The host itself, in the shape of the option O(dnsops.redundant_dns.soa_sync#module:servers).
      type: dict
    served:
      description: The names of all its zones.
      type: list
      elements: str
    asked:
      description:
        - Its zones but those of peers, in the shape of the option O(dnsops.redundant_dns.soa_sync#module:zones).
      type: list
      elements: dict
    server_addresses:
      description: All addresses of all servers, to be exempt from a rate limit.
      type: list
      elements: str
    links_as_primary:
      description: One entry for each secondary that transfers from this host.
      type: list
      elements: dict
      contains: &link
        id:
          description: Identity of the other end.
          type: str
        port:
          description: Port of the other end.
          type: int
        key_names:
          description: Names of the TSIG keys that are accepted, the one to use first.
          type: list
          elements: str
        transfer_from:
          description: Addresses where the secondary asks the primary.
          type: list
          elements: str
        transfer_to:
          description: Addresses of the secondary as the primary sees them.
          type: list
          elements: str
        notify_from:
          description: Addresses of the primary as the secondary sees them.
          type: list
          elements: str
        notify_to:
          description: Addresses where the primary notifies the secondary.
          type: list
          elements: str
    links_as_secondary:
      description: One entry for each primary that this host transfers from.
      type: list
      elements: dict
      contains: *link
    files_as_primary:
      description: Names of the files of RV(host.zones_as_primary).
      type: list
      elements: str
    files_as_secondary:
      description: Names of the files of RV(host.zones_as_secondary).
      type: list
      elements: str
    zones_as_primary:
      description: The zones whose primary is this host.
      type: list
      elements: dict
      contains:
        name:
          description: The zone.
          type: str
        file:
          description: Path of its text or records on the controller; null where its records are in C(dns_zones).
          type: str
        file_name:
          description: Name for its file, without an extension.
          type: str
        links:
          description: Identities of its secondaries.
          type: list
          elements: str
        ask:
          description: Where its secondaries answer, as pairs of address and port.
          type: list
          elements: list
        extra:
          description: Statements of its own, line by line.
          type: list
          elements: str
    zones_as_secondary:
      description: The zones whose secondary is this host.
      type: list
      elements: dict
      contains:
        name:
          description: The zone.
          type: str
        file_name:
          description: Name for its file, without an extension.
          type: str
        link:
          description: Identity of its primary.
          type: str
        extra:
          description: Statements of its own, line by line.
          type: list
          elements: str
cloud:
  description: What the account at a provider is made of. Only for hosts of the groups of providers.
  returned: where the host is one
  type: dict
  contains:
    host:
      description: Its inventory name.
      type: str
    provider:
      description: V(cloudflare) or V(route53).
      type: str
    id:
      description: Its stable identity, from C(dns_id).
      type: str
    zones:
      description: Name and primary of each of its zones; at Route 53, name and C(hosted_zone_id), which may be null.
      type: list
      elements: dict
    primaries:
      description:
        - Where it transfers from, as dictionaries of C(name), C(addresses), C(port) and C(key_name); empty for what is
          pushed to.
      type: list
      elements: dict
    allowed_changes:
      description: Zones that may change by whatever much in this run, from C(dns_allow_changes).
      type: list
      elements: str
    push:
      description:
        - The server that pushes to it, as C(host), C(address), C(port) and C(key_file); null for what transfers by
          itself.
      type: dict
topology:
  description: All servers, zones and links, as the filter P(dnsops.redundant_dns.topology#filter) returns them.
  returned: with O(topology=true)
  type: dict
content:
  description: For each zone, what its text on the controller holds.
  returned: with O(content=true)
  type: dict
  sample: {"example.com": {"digest": "5df6e0e2...", "records": 12, "serial": 2026112201}}
checks:
  description: What to check on this host, as O(dnsops.redundant_dns.axfr_check#module:checks) takes it.
  returned: with O(verify)
  type: list
  elements: dict
digests:
  description: For each zone in RV(checks) that is to be compared, the digest of its text.
  returned: with O(verify)
  type: dict
held_back:
  description: A failed row for every zone that a primary held back in this run.
  returned: with O(verify)
  type: list
  elements: dict
stopped:
  description: A failed row for every server where a roll of restarts or upgrades stopped in this run.
  returned: with O(verify)
  type: list
  elements: dict
cloud_rows:
  description: What the providers said in this run, as rows.
  returned: with O(verify)
  type: list
  elements: dict
assigned:
  description:
    - For every zone that a provider serves, the name servers that it assigned, as
      O(dnsops.redundant_dns.name_servers_check#module:zones) takes them.
  returned: with O(verify)
  type: list
  elements: dict
stranger_checks:
  description: Refusals that any other machine can check, in the shape of RV(checks).
  returned: with O(verify)
  type: list
  elements: dict
"""
