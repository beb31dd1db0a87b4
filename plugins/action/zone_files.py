# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``zone_files``: zone texts are on the controller, and only those that are needed go over.

First go all zones' digests; where the module finds zones to publish, their texts follow in a second call.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import inventory, publish, views
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.topology import Zone
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_records import INLINE
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_text import ZoneText
from ansible_collections.dnsops.redundant_dns.plugins.plugin_utils.actions import BundleAction


class ActionModule(BundleAction):
    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        host = task_vars["inventory_hostname"]
        site = inventory.read_for_task(task_vars)
        facts = {zone["name"]: zone for zone in views.host_view(site.topology, host)["zones_as_primary"]}
        texts = site.zone_texts(facts)
        raised = set(site.raised_serials)
        # In the shape of publish.WantedZone.
        digests = {
            name: {
                "name": name,
                "file_name": facts[name]["file_name"],
                "serial": text.serial,
                "digest": text.digest,
                "rule": _rule(site.topology.zones[name], text),
                "raise_serial": name in raised,
                "ask": facts[name]["ask"] if name in raised else [],
            }
            for name, text in texts.items()
        }
        result = self._publish(list(digests.values()), task_vars)
        needed = result.pop("needed", None)
        if not needed:
            return result
        whole = [
            {
                **digests[name],
                "file": facts[name]["file"] or INLINE,
                "ask": facts[name]["ask"],
                "before": texts[name].before,
                "after": texts[name].after,
                "records": texts[name].records,
                "name_servers": len(texts[name].name_servers),
                "allowed": name in site.allowed_changes,
            }
            for name in needed
        ]
        published = self._publish(whole, task_vars)
        published.pop("needed", None)
        published["changed"] = bool(published.get("changed")) or result["changed"]
        return published

    def _publish(self, zones: list[dict[str, Any]], task_vars: dict[str, Any]) -> dict[str, Any]:
        return self.send(zones, "bundle", "dnsops.redundant_dns.zone_files", self._task.args, task_vars)


def _rule(zone: Zone, text: ZoneText) -> str:
    if zone.serial == "keep":
        return publish.KEEP
    # Records have serial 1 where their author gave them none.
    return publish.DATE if zone.source == "records" and text.serial == 1 else publish.AUTHOR
