#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: prune
short_description: Remove the files of zones and keys that are gone
description:
  - Removes every file from a directory that is not to be kept. Only for directories that belong to this collection.
  - A file is kept when its name is in the list, or when it is what a server writes beside such a file, as the journal
    C(example.com.zone.jnl) of C(example.com.zone). Hidden files, files that BIND is writing (C(tmp-...)) and
    subdirectories are left alone.
version_added: 0.1.0
author:
  - The dnsops.redundant_dns authors (@dnsops)
extends_documentation_fragment:
  - dnsops.redundant_dns.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  directories:
    description: The directories. One that does not exist has nothing to remove.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      keep:
        description: Names of the files to keep.
        type: list
        elements: str
        required: true
"""

EXAMPLES = r"""
- name: Remove the files of zones that this host does not serve any more
  dnsops.redundant_dns.prune:
    directories:
      - path: /var/cache/bind/secondary
        keep: [example.com.zone, example.org.zone]
"""

RETURN = r"""
removed:
  description: Paths that were removed, or would be in check mode.
  returned: success
  type: list
  elements: str
"""

import os
from contextlib import suppress

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.quiet import QuietModule

# What BIND and NSD write beside a zone file, under its name and one of these ends.
COMPANIONS = (".jnl", ".jbk", ".signed", ".signed.jnl", ".db", "~")
# A file that BIND writes now, and renames when it is done, and hidden files.
OTHERS = (".", "tmp-")


def superfluous(path: str, keep: set[str]) -> list[str]:
    """Files of the directory that neither are kept nor belong to one that is."""
    if not os.path.isdir(path):
        return []
    found = []
    for entry in sorted(os.scandir(path), key=lambda item: item.name):
        if entry.name.startswith(OTHERS) or not entry.is_file(follow_symlinks=False):
            continue
        owners = {entry.name} | {entry.name[: -len(end)] for end in COMPANIONS if entry.name.endswith(end)}
        if not owners & keep:
            found.append(entry.path)
    return found


def main() -> None:
    module = QuietModule(
        argument_spec={
            "directories": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "path": {"type": "path", "required": True},
                    "keep": {"type": "list", "elements": "str", "required": True, "no_log": False},
                },
            },
        },
        supports_check_mode=True,
    )
    removed = [
        path
        for directory in module.params["directories"]
        for path in superfluous(directory["path"], set(directory["keep"]))
    ]
    if not module.check_mode:
        for path in removed:
            with suppress(FileNotFoundError):  # the server may have removed it itself
                os.unlink(path)
    listing = "".join("%s\n" % path for path in removed)
    diff = {"diff": {"before": listing, "after": ""}} if module._diff else {}
    module.exit_json(changed=bool(removed), removed=removed, **diff)


if __name__ == "__main__":
    main()
