# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``cloudflare_account``: what the inventory says of an account, for ``cloudflare_zone``."""

from __future__ import annotations

from typing import Any

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import inventory, views
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem
from ansible_collections.dnsops.redundant_dns.plugins.plugin_utils.actions import InputAction


class ActionModule(InputAction):
    """Keys and zones come from the inventory; all other arguments go to the module as they are."""

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        host = task_vars["inventory_hostname"]
        site = inventory.read_for_task(task_vars)
        if host not in site.topology.clouds or site.topology.clouds[host].provider != "cloudflare":
            raise InputError([Problem("it is not in cloudflare_secondary", "Limit the play to that group", host=host)])
        view = views.cloud_view(site.topology, host)
        keys = {key.name: key for key in site.keys_of(host)}
        arguments = dict(self._task.args)
        kept = arguments.get("keep_zones") or []
        texts = site.zone_texts([zone["name"] for zone in view["zones"] if zone["name"] not in kept])
        arguments.update(
            owner=view["id"],
            server=host,
            zones=[
                dict(zone, refresh=texts[zone["name"]].soa.refresh) for zone in view["zones"] if zone["name"] in texts
            ],
            primaries=[
                {
                    "name": primary["name"],
                    "addresses": primary["addresses"],
                    "port": primary["port"],
                    "key_name": primary["key_name"],
                    "key_algorithm": keys[primary["key_name"]].algorithm,
                    "key_secret": keys[primary["key_name"]].secret,
                }
                for primary in view["primaries"]
            ],
        )
        return self._execute_module(
            module_name="dnsops.redundant_dns.cloudflare_zone", module_args=arguments, task_vars=task_vars
        )
