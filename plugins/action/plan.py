# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``plan``: reads the inventory on the controller."""

from __future__ import annotations

from typing import Any

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import inventory, problem, views
from ansible_collections.dnsops.redundant_dns.plugins.plugin_utils.actions import InputAction


class ActionModule(InputAction):
    """Returns this host's part of the topology; with ``content``, reads all zone texts too."""

    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        _validation, args = self.validate_argument_spec(
            argument_spec={
                "topology": {"type": "bool", "default": False},
                "content": {"type": "bool", "default": False},
                "verify": {"type": "str", "choices": list(inventory.LEVELS)},
                "leaving": {"type": "str"},
                "force": {"type": "bool", "default": False},
            }
        )
        host, hostvars = task_vars["inventory_hostname"], task_vars["hostvars"]
        site = inventory.read_for_task(task_vars)
        is_server = host in site.topology.servers
        plan: dict[str, Any] = {"changed": False}
        if is_server:
            plan["host"] = views.host_view(site.topology, host)
        elif host in site.topology.clouds:
            plan["cloud"] = views.cloud_view(site.topology, host)
            plan["cloud"]["allowed_changes"] = list(site.allowed_changes)
        if args["topology"]:
            plan["topology"] = views.overview(site.topology)
        if args["leaving"] is not None:
            inventory.refuse_to_leave(site, args["leaving"], hostvars, args["force"])
        if args["content"]:
            texts = site.zone_texts(site.topology.zones)
            plan["content"] = {
                name: {"serial": text.serial, "records": text.records, "digest": text.digest}
                for name, text in texts.items()
            }
            plan["warnings"] = problem.told(site.overlooked(hostvars) + site.warnings(texts))
        if args["verify"]:
            zones = inventory.zones_to_verify(site, args["verify"], hostvars)
            checks = views.checks_on(site.topology, host, zones) if is_server else []
            compared = {name for check in checks if check["check"] != "refusal" for name in check["zones"]}
            plan["checks"] = checks
            plan["digests"] = {name: text.digest for name, text in site.zone_texts(sorted(compared)).items()}
            plan["stranger_checks"] = views.stranger_checks(site.topology)
            plan["held_back"] = inventory.held_back_rows(site, hostvars)
            plan["stopped"] = inventory.stopped_rows(site, hostvars)
            plan["cloud_rows"] = inventory.cloud_rows(site, hostvars)
            plan["assigned"] = inventory.assigned_name_servers(site, hostvars)
        return plan
