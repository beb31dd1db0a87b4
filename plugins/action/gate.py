# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``gate``: reads the inventory, and asks the servers, on the controller."""

from __future__ import annotations

from typing import Any

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import checks, gate, inventory, views
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import ask_serials
from ansible_collections.dnsops.redundant_dns.plugins.plugin_utils.actions import InputAction

# Stays below the rate limits of the roles' servers, as that of soa_sync.
RATE = 900


class ActionModule(InputAction):
    """Fails where this host's server must not be taken down, or is not back."""

    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        _validation, args = self.validate_argument_spec(
            argument_spec={
                "when": {"type": "str", "choices": ["before", "after"], "required": True},
                "unpublished": {"type": "list", "elements": "str", "default": []},
                "timeout": {"type": "float", "default": 30},
            }
        )
        host = task_vars["inventory_hostname"]
        topology = inventory.read_for_task(task_vars).topology
        view = views.gate_view(topology, host)
        unpublished = set(args["unpublished"])
        rows = checks.wait_for_sync(
            [checks.Zone(**zone) for zone in view[args["when"]] if zone["name"] not in unpublished],
            {name: checks.Server(server.addresses, server.port) for name, server in topology.servers.items()},
            ask=lambda questions, tcp: ask_serials(questions, tcp=tcp, rate=RATE),
            timeout=args["timeout"],
        )
        if args["when"] == "before":
            closed = gate.closed_before(host, view["others"], rows)
        else:
            closed = gate.closed_after(host, rows)
        return {"changed": False, "failed": bool(closed), "msg": closed, "alone": view["alone"]}
