# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module object of the collection's modules."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule


class QuietModule(AnsibleModule):
    """Keeps its arguments out of the system log: whole configurations and thousands of zones are no log entry."""

    def _log_invocation(self) -> None:
        self.log("Invoked")

    def make_directory(self, path: str, owner: str, group: str, mode: str) -> bool:
        """Make a directory, or mend its owner, group and mode (octal, as text); whether that was a change.

        In check mode, whether it would be.
        """
        missing = not os.path.isdir(path)
        if missing and self.check_mode:
            return True
        if missing:
            os.makedirs(path, mode=0o700)
        attributes = {"path": path, "secontext": [None, None, None], "attributes": None}
        attributes.update(owner=owner, group=group, mode=mode)
        return self.set_fs_attributes_if_different(attributes, missing)
