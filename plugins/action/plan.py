# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``plan``: reads the inventory on the controller."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import inventory, topology
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError


class ActionModule(ActionBase):
    """Returns this host's part of the topology; with ``content``, reads all zone texts too."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        result["_ansible_verbose_override"] = True  # ten thousand zones are no reading, at -v either
        _validation, args = self.validate_argument_spec(
            argument_spec={
                "content": {"type": "bool", "default": False},
                "verify": {"type": "str", "choices": list(inventory.LEVELS)},
            }
        )
        host = task_vars["inventory_hostname"]
        try:
            site = inventory.read(task_vars["hostvars"], task_vars["groups"])
            result.update(changed=False, topology=topology.overview(site.topology))
            if host in site.topology.servers:
                result["host"] = topology.host_view(site.topology, host)
            if args["content"]:
                texts = site.zone_texts(site.topology.zones.values())
                result["content"] = {
                    name: {"serial": text.serial, "records": text.records, "digest": text.digest}
                    for name, text in texts.items()
                }
                result["warnings"] = [str(problem) for problem in site.warnings(texts)]
            if args["verify"]:
                result["held_back"] = inventory.held_back_rows(site, task_vars["hostvars"])
                self._add_checks(
                    result, site, host, inventory.zones_to_verify(site, args["verify"], task_vars["hostvars"])
                )
        except InputError as error:
            result.update(failed=True, msg=error.as_message())
        return result

    @staticmethod
    def _add_checks(result: dict[str, Any], site: inventory.Inventory, host: str, zones: list[str]) -> None:
        checks = topology.checks_on(site.topology, host, zones) if host in site.topology.servers else []
        names = {name for check in checks if check["check"] != "refusal" for name in check["zones"]}
        texts = site.zone_texts(site.topology.zones[name] for name in sorted(names))
        result.update(
            checks=checks,
            digests={name: text.digest for name, text in texts.items()},
            stranger_checks=topology.stranger_checks(site.topology),
        )
