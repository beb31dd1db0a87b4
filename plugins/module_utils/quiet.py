# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module object of the collection's modules."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule


class QuietModule(AnsibleModule):
    """Keeps its arguments out of the system log: whole configurations and thousands of zones are no log entry."""

    def _log_invocation(self) -> None:
        self.log("Invoked")
