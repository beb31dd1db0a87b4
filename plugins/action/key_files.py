# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``key_files``: secrets go from here straight into the module's hidden arguments."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import inventory, keys, topology
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError


class ActionModule(ActionBase):
    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec={"group": {"type": "str", "required": True}})
        host = task_vars["inventory_hostname"]
        try:
            site = inventory.read(task_vars["hostvars"], task_vars["groups"])
            kind = site.topology.servers[host].kind
            files = [
                {"path": topology.key_file(kind, key.name), "secret_content": keys.statement(key, kind)}
                for key in site.keys_of(host)
            ]
        except InputError as error:
            result.update(failed=True, msg=error.as_message())
            return result
        result.update(
            self._execute_module(
                module_name="dnsops.redundant_dns.config_set",
                module_args={
                    "files": files,
                    "directories": [{"path": topology.KEY_DIRECTORIES[kind]}],
                    "group": args["group"],
                },
                task_vars=task_vars,
            )
        )
        return result
