#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Show the rows of all checks as a table, and fail if one failed
description:
  - Prints a line for each zone with a column for each server, the serial seen there, and a verdict; then a line for
    all checks of a kind that are not green. With more than 60 zones, only those that are not green.
  - Writes the rows as JSON, or prints those that a JMESPath expression selects.
  - Fails when any check failed.
  - Runs on the controller.
version_added: 0.1.0
author:
  - The dnsops.redundant_dns authors (@dnsops)
extends_documentation_fragment:
  - dnsops.redundant_dns.attributes
  - dnsops.redundant_dns.attributes.on_controller
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  rows:
    description: Rows of M(dnsops.redundant_dns.soa_sync) and M(dnsops.redundant_dns.axfr_check).
    type: list
    elements: dict
    required: true
  servers:
    description: Names of the servers, in the order of the columns.
    type: list
    elements: str
    required: true
  absent:
    description: Servers that took no part in the run; their checks are counted as not checked.
    type: list
    elements: str
    default: []
  file:
    description: Where to write the rows as JSON, on the controller.
    type: path
  show:
    description: A JMESPath expression over the list of rows; prints what it selects instead of the table.
    type: str
requirements:
  - jmespath on the controller, for O(show)
"""

EXAMPLES = r"""
- name: Show what is wrong
  dnsops.redundant_dns.report:
    rows: "{{ serials.rows + transfers.rows }}"
    servers: [ns1.example.net, ns2.example.net]
    show: "[?verdict!=`ok`]"
  run_once: true
"""

RETURN = r"""
summary:
  description: How many checks have which verdict.
  returned: always
  type: dict
  sample: {"ok": 24, "failed": 0, "not checked": 0}
"""
