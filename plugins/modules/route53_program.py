#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: route53_program
short_description: Install the program that pushes zones to Route 53 between runs
description:
  - Writes the Python files of M(dnsops.redundant_dns.route53_zone) below a directory, from which they run without
    Ansible, as C(python3 -m ansible_collections.dnsops.redundant_dns.plugins.module_utils.route53_push CONFIG.json).
  - One call for all files. Owner is root, mode 0644.
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
    details: It names the files that change.
options:
  directory:
    description: The directory, which C(PYTHONPATH) has then.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Install the program
  dnsops.redundant_dns.route53_program:
    directory: /usr/local/lib/dnsops-route53
"""

RETURN = r"""
changed_files:
  description: Paths of the files that changed, or would change in check mode.
  returned: success
  type: list
  elements: str
"""

import importlib
import os

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import files, route53_push
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.quiet import QuietModule, os_errors_told

# The collection's name of the folder, as the program imports it.
PACKAGE = route53_push.__name__.rpartition(".")[0]


def program() -> dict[str, str]:
    """Path below the directory -> text. What this module has imported, wherever Ansible has it, is what it installs."""
    texts = {}
    for name in route53_push.PROGRAM_FILES:
        module = importlib.import_module("%s.%s" % (PACKAGE, os.path.splitext(name)[0]))
        text = module.__spec__.loader.get_data(module.__file__).decode("utf-8")
        texts[os.path.join(*PACKAGE.split("."), name)] = text
    return texts


@os_errors_told
def main() -> None:
    module = QuietModule(
        argument_spec={"directory": {"type": "path", "required": True}},
        supports_check_mode=True,
    )
    directory = module.params["directory"]
    texts = {os.path.join(directory, name): text for name, text in program().items()}
    changed = [path for path, text in texts.items() if files.read_file(path) != text]
    for path in changed if not module.check_mode else []:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        files.put_file(path, texts[path], 0o644)
    diff = {"prepared": "".join("%s\n" % path for path in changed)}
    module.exit_json(changed=bool(changed), changed_files=changed, diff=diff)


if __name__ == "__main__":
    main()
