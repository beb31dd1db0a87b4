# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``zone_files``: zone texts are on the controller, and go over in one file."""

from __future__ import annotations

from typing import Any

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import inventory
from ansible_collections.dnsops.redundant_dns.plugins.plugin_utils.actions import BundleAction


class ActionModule(BundleAction):
    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        args = dict(self._task.args)
        zones = args.pop("zones", None) or []
        texts = inventory.read_texts({zone["name"]: zone["file"] for zone in zones})
        wanted = [
            # In the shape of publish.WantedZone.
            {
                "name": zone["name"],
                "file_name": zone.get("file_name") or zone["name"],
                "file": zone["file"],
                "before": texts[zone["name"]].before,
                "after": texts[zone["name"]].after,
                "serial": texts[zone["name"]].serial,
                "digest": texts[zone["name"]].digest,
                "ask": zone.get("ask") or [],
            }
            for zone in zones
        ]
        return self.send(wanted, "bundle", "dnsops.redundant_dns.zone_files", args, task_vars)
