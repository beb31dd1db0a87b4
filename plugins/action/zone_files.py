# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``zone_files``: zone texts are on the controller, and go over in one file."""

from __future__ import annotations

import json
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import inventory
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError


class ActionModule(ActionBase):
    TRANSFERS_FILES = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        result["_ansible_verbose_override"] = True
        args = dict(self._task.args)
        try:
            bundle = self._bundle(args.pop("zones", None) or [])
        except InputError as error:
            result.update(failed=True, msg=error.as_message())
            return result
        try:
            self._make_tmp_path()
            path = self._connection._shell.join_path(self._connection._shell.tmpdir, "zones.json")
            self._transfer_data(path, bundle)
            self._fixup_perms2((self._connection._shell.tmpdir, path))
            result.update(
                self._execute_module(
                    module_name="dnsops.redundant_dns.zone_files",
                    module_args=dict(args, bundle=path),
                    task_vars=task_vars,
                )
            )
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    @staticmethod
    def _bundle(zones: list[dict[str, Any]]) -> str:
        """All zones as JSON, in the shape of ``publish.WantedZone``."""
        texts = inventory.read_texts({zone["name"]: zone["file"] for zone in zones})
        return json.dumps([
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
        ])  # fmt: skip
