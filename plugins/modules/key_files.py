#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: key_files
short_description: Write the TSIG keys of a host, one file a key
description:
  - Writes the keys of all links that end at this host, its self link included. A host gets no other keys.
  - Keys come from C(tsig_keys), or are derived from C(tsig_master_secret) on the controller.
  - Files of keys that are gone are left to M(dnsops.redundant_dns.prune), so that what is live never misses one.
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
    details: It names the files that change, and never shows a secret.
options:
  group:
    description: Group that may read the files, that of the daemon.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Write this host's TSIG keys
  dnsops.redundant_dns.key_files:
    group: bind
"""

RETURN = r"""
changed_files:
  description: Paths of the directory and the files that changed, or would change in check mode.
  returned: success
  type: list
  elements: str
"""
