#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_account
short_description: Bring the zones of a Cloudflare account in line with the inventory
description:
  - Gives M(dnsops.redundant_dns.cloudflare_zone) the zones, primaries and TSIG keys that the inventory has for this
    host of the group C(cloudflare_secondary), and returns what that returns.
  - Keys come from C(tsig_keys), or are derived from C(tsig_master_secret) on the controller.
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
    support: full
    details: It shows the plan, and never a secret.
options:
  account_id: &same
    description: As with M(dnsops.redundant_dns.cloudflare_zone).
    type: raw
  api_token: *same
  api_url: *same
  state: *same
  delete_zones: *same
  keep_zones: *same
  allow_mass_removal: *same
  wait: *same
  strict: *same
"""

EXAMPLES = r"""
- name: Set up the zones at Cloudflare
  dnsops.redundant_dns.cloudflare_account:
    account_id: "{{ cloudflare_secondary_account_id }}"
    api_token: "{{ cloudflare_secondary_api_token }}"
  delegate_to: localhost
"""

RETURN = r"""
zones:
  description: As M(dnsops.redundant_dns.cloudflare_zone) returns it.
  returned: success
  type: list
  elements: dict
"""
