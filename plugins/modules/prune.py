#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: prune
short_description: Remove the files of zones and keys that are gone
description:
  - Removes the files that this collection and a name server wrote into a directory and that are not to be kept. Only
    their names tell them, so this is only for directories that belong to this collection.
  - A file is kept when its name is in the list, or when it is what a server writes beside such a file, as the journal
    C(example.com.zone.jnl) of C(example.com.zone).
  - Files with other suffixes, DNSSEC keys (C(Kexample.com.+013+12345.key)), hidden files and subdirectories are left
    alone, and so are those that BIND is writing, which have no suffix.
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
      suffix:
        description: The end of the names of the files that belong to the collection.
        type: str
        choices: [.key, .zone]
        required: true
      remove_empty:
        description: Remove the directory when nothing is left in it.
        type: bool
        default: false
"""

EXAMPLES = r"""
- name: Remove the files of zones that this host does not serve any more
  dnsops.redundant_dns.prune:
    directories:
      - path: /var/cache/bind/secondary
        keep: [example.com.zone, example.org.zone]
        suffix: .zone
"""

RETURN = r"""
removed:
  description: Paths that were removed, or would be in check mode.
  returned: success
  type: list
  elements: str
"""

import os
import re
from contextlib import suppress

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.quiet import QuietModule, os_errors_told

# What BIND and NSD write beside a zone file, under its name and one of these ends.
COMPANIONS = (".jnl", ".jnw", ".jbk", ".signed", ".signed.jnl", ".db", "~")
# What an interrupted run leaves of a file that it was writing.
LEFT_OVER = ".new"
# As dnssec-keygen(1) names a DNSSEC key.
DNSSEC_KEY = re.compile(r"K.*\+[0-9]{3}\+[0-9]{5}\.key")


def superfluous(path: str, keep: set[str], suffix: str) -> list[str]:
    """Files of the collection in the directory that neither are kept nor belong to one that is."""
    if not os.path.isdir(path):
        return []
    found = []
    for entry in sorted(os.scandir(path), key=lambda item: item.name):
        name = entry.name
        if name.startswith(".") or DNSSEC_KEY.fullmatch(name) or not entry.is_file(follow_symlinks=False):
            continue
        owners = {name} | {name[: -len(end)] for end in COMPANIONS if name.endswith(end)}
        ours = any(owner.endswith((suffix, suffix + LEFT_OVER)) for owner in owners)
        if ours and not owners & keep:
            found.append(entry.path)
    return found


def is_emptied(path: str, removed: list[str]) -> bool:
    """Whether the directory is there, and nothing in it but what is removed."""
    return os.path.isdir(path) and {entry.path for entry in os.scandir(path)} <= set(removed)


@os_errors_told
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
                    "suffix": {"type": "str", "choices": [".key", ".zone"], "required": True},
                    "remove_empty": {"type": "bool", "default": False},
                },
            },
        },
        supports_check_mode=True,
    )
    removed = [
        path
        for directory in module.params["directories"]
        for path in superfluous(directory["path"], set(directory["keep"]), directory["suffix"])
    ]
    emptied = [
        directory["path"]
        for directory in module.params["directories"]
        if directory["remove_empty"] and is_emptied(directory["path"], removed)
    ]
    if not module.check_mode:
        for path in removed:
            with suppress(FileNotFoundError):  # the server may have removed it itself
                os.unlink(path)
        for path in emptied:
            os.rmdir(path)
    removed += emptied
    listing = "".join("%s\n" % path for path in removed)
    diff = {"diff": {"before": listing, "after": ""}} if module._diff else {}
    module.exit_json(changed=bool(removed), removed=removed, **diff)


if __name__ == "__main__":
    main()
