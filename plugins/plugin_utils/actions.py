# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection's action plugins have in common."""

from __future__ import annotations

import json
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError


class InputAction(ActionBase):
    """An action that reads the user's input on the controller; mistakes in it become the task's message."""

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """The task's result.

        :raises InputError: for mistakes in the input.
        """
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        result["_ansible_verbose_override"] = True  # ten thousand zones are no reading, at -v either
        try:
            result.update(self.act(task_vars or {}))
        except InputError as error:
            result.update(failed=True, msg=error.as_message())
        return result


class BundleAction(InputAction):
    """An action that sends much or secret data to its module: as a file that only the user can read.

    Arguments would show up in the target's system log. The file is removed with the task's folder.
    """

    TRANSFERS_FILES = True

    def send(
        self, data: Any, option: str, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]
    ) -> dict[str, Any]:
        """Run a module that finds the data, as JSON, in the file that ``option`` names."""
        try:
            if self._connection._shell.tmpdir is None:  # an earlier call removed its own
                self._make_tmp_path()
            path = self._connection._shell.join_path(self._connection._shell.tmpdir, "bundle.json")
            self._transfer_data(path, json.dumps(data))
            self._fixup_perms2((self._connection._shell.tmpdir, path))
            return self._execute_module(
                module_name=module_name, module_args=dict(module_args, **{option: path}), task_vars=task_vars
            )
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
