#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gate
short_description: See whether a name server may be restarted, or is back
description:
  - Before a restart, sees that for each of the host's zones another server of the inventory answers, and not behind the
    zone's primary. After it, that the host's server answers with the serials of the primaries at all its addresses.
  - A hidden server keeps no zone in service. Zones of peers are left out, since whether a peer gives them says nothing
    about the servers of the inventory.
  - Runs on the controller, and asks from there; it needs no connection to the host. An address without a route from
    there is no failure.
version_added: 0.1.0
author:
  - The dnsops.redundant_dns authors (@dnsops)
extends_documentation_fragment:
  - dnsops.redundant_dns.attributes
  - dnsops.redundant_dns.attributes.read_only
  - dnsops.redundant_dns.attributes.on_controller
options:
  when:
    description: Which of the two questions is asked.
    type: str
    choices: [before, after]
    required: true
  unpublished:
    description: Zones that are nowhere yet, because their first content was held back; they are not asked for.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds to wait for the serials to agree. A server that is silent is given up earlier.
    type: float
    default: 30
"""

EXAMPLES = r"""
- name: See that the others answer
  dnsops.redundant_dns.gate:
    when: before
"""

RETURN = r"""
alone:
  description: The host's zones that no other server of the inventory keeps in service.
  returned: always
  type: list
  elements: str
"""
