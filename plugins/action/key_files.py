# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``key_files``: secrets go from here into a file on the host, never through arguments."""

from __future__ import annotations

from typing import Any

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import inventory, keys, topology
from ansible_collections.dnsops.redundant_dns.plugins.plugin_utils.actions import BundleAction


class ActionModule(BundleAction):
    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        _validation, args = self.validate_argument_spec(argument_spec={"group": {"type": "str", "required": True}})
        host = task_vars["inventory_hostname"]
        site = inventory.read_for_task(task_vars)
        kind = site.topology.servers[host].kind
        files = [
            {"path": topology.key_file(kind, key.name), "content": keys.statement(key, kind)}
            for key in site.keys_of(host)
        ]
        return self.send(
            files,
            "secret_files",
            "dnsops.redundant_dns.config_set",
            {"directories": [{"path": topology.KEY_DIRECTORIES[kind]}], "group": args["group"]},
            task_vars,
        )
