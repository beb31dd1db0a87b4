#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: config_set
short_description: Publish a name server's configuration files as one set
description:
  - Compares, stages and checks all files of a daemon together, then moves them into place, makes the daemon read them,
    and puts the old files back if it does not take them.
  - A set that fails its check never goes live.
  - >-
    With O(addresses), the server is asked for its zones before and after. What it answered with authority before, it
    must answer again; where it does not, the old files come back, the daemon is made to take them, restarted where it
    is silent or does not run, and the task fails.
  - A change that is live but not yet loaded or proven, because an earlier run was interrupted, is loaded and proven, or
    taken back.
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
    details: The content of O(secret_files) is never shown.
options:
  files:
    description:
      - The files. The first one is the one that the daemon starts from.
      - Where one names another by its path in double quotes, it names the staged one while the set is checked.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      content:
        description: Its text.
        type: str
        required: true
      restart:
        description: The daemon takes a change of this file only by a restart.
        type: bool
        default: false
  secret_files:
    description:
      - Files whose text is never shown, in a JSON file on this host; a list of objects with C(path) and C(content).
      - Used by M(dnsops.redundant_dns.key_files), since arguments show up in the system log.
    type: path
  directories:
    description: Directories that must be there before the daemon reads the files.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      owner:
        description: Its owner.
        type: str
        default: root
      mode:
        description: Its mode, octal, as a string.
        type: str
        default: "0750"
  owner:
    description: Owner of the files.
    type: str
    default: root
  group:
    description: Group of the files and directories, that of the daemon.
    type: str
    default: root
  mode:
    description: Mode of the files, octal, as a string.
    type: str
    default: "0640"
  reads:
    description: Other files that the daemon reads and that were published before, such as keys. A change makes it read.
    type: list
    elements: path
    default: []
  checker:
    description: Command that checks the set; the path of the first file is appended. Without it nothing is checked.
    type: list
    elements: str
    default: []
  unit:
    description: The daemon's systemd unit. A unit that does not run is not made to read anything.
    type: str
  addresses:
    description:
      - Where the host's own server answers with this configuration. Without them, the commands' word is taken.
      - An address that was silent before is no reason to take a change back, unless all of them were.
    type: list
    elements: str
    default: []
  port:
    description: Port where it answers.
    type: int
    default: 53
  timeout:
    description:
      - Seconds to wait for its answers after a change. A server that makes no progress for a quarter of it, or that
        only refuses what it answered before, is given up earlier.
    type: float
    default: 30
  reconfigure:
    description: Command that makes the daemon read its configuration.
    type: list
    elements: str
    default: []
  restart:
    description:
      - Commands that restart the daemon, in order.
      - Those before the last save what the running daemon holds. They may fail where it does not run with this
        configuration yet. Otherwise nothing changes where one of them fails.
    type: list
    elements: list
    default: []
  defer_restart:
    description:
      - Where the change would need O(restart) of a daemon that runs, only check it, and return V(deferred) as
        RV(activation).
    type: bool
    default: false
  zones:
    description: Names of the zones that this configuration serves, for the guard against mass removal and the proof.
    type: list
    elements: str
  zone_list:
    description:
      - The file of the set that only lists the zones. A change of it alone touches only the zones whose part changes.
      - The part of a zone starts at a line that begins with C(zone), and its first word in double quotes is the name.
      - A zone whose part changes may have to be transferred first, so that the proof leaves it out.
    type: path
  allow_mass_removal:
    description: Let all zones, or more than 30 % of them and at least three, leave at once.
    type: bool
    default: false
  package:
    description:
      - The package whose untouched configuration may be replaced. Any other one is somebody's work.
      - All its configuration files in the directory of the first file and below must be those of the package, and other
        files that the first one includes must be empty.
    type: str
  adopt:
    description: Replace a configuration that somebody else wrote; copies of the files are kept beside them.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Configure BIND
  dnsops.redundant_dns.config_set:
    files:
      - path: /etc/bind/named.conf
        content: "{{ lookup('ansible.builtin.template', 'named.conf.j2') }}"
    group: bind
    checker: [named-checkconf]
    unit: named
    reconfigure: [rndc, reconfig]
    addresses: [192.0.2.1, "2001:db8::1"]
    package: bind9
"""

RETURN = r"""
changed_files:
  description: Paths of the directories and files that changed, or would change in check mode.
  returned: success
  type: list
  elements: str
added_zones:
  description: Zones that this host did not serve before.
  returned: success
  type: list
  elements: str
touched_zones:
  description: Zones that the change is about; all of them, unless only O(zone_list) changed.
  returned: success
  type: list
  elements: str
removed_zones:
  description: Zones that this host does not serve any more.
  returned: success
  type: list
  elements: str
activation:
  description:
    - What the daemon was made to do; V(none), V(reconfigure) or V(restart).
    - V(deferred) with O(defer_restart) where it would have to restart; then nothing has changed.
  returned: success
  type: str
backups:
  description: Files of somebody else that were replaced; the copy has C(.before-dnsops) at its end.
  returned: success
  type: list
  elements: str
"""

import grp
import json
import pwd
import tempfile
from contextlib import nullcontext

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import Question, SerialSeen, ask_serials
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.config_set import (
    ConfigError,
    ConfigFile,
    ConfigSet,
    foreign_file,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.files import alone_in
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.quiet import QuietModule, os_errors_told

# Longer than systemd waits for a daemon that does not stop; then a command is taken for hung.
COMMAND_SECONDS = 120


def ask(questions: list[Question], over_tcp: bool) -> list[SerialSeen]:
    """The host asks itself, over no network."""
    return ask_serials(questions, timeout=0.5, attempts=2, tcp=over_tcp, rate=5000)


def run_in_time(module: QuietModule, command: list[str]) -> tuple[int, str, str]:
    """A daemon that hangs must not hang the run."""
    code, out, err = module.run_command(["timeout", str(COMMAND_SECONDS), *command])
    return code, out, err + "no result within %d s" % COMMAND_SECONDS if code == 124 else err


def configuration_files(module: QuietModule) -> str:
    """dpkg's record of the package's configuration files; empty where there is none."""
    package = module.params["package"]
    if not package or module.get_bin_path("dpkg-query") is None:
        return ""
    code, out, _err = module.run_command(["dpkg-query", "-W", "-f", "${Conffiles}", package])
    return out if code == 0 else ""


def read_files(module: QuietModule) -> list[ConfigFile]:
    files = [ConfigFile(file["path"], file["content"], restart=file["restart"]) for file in module.params["files"]]
    if module.params["secret_files"]:
        with open(module.params["secret_files"], encoding="utf-8") as bundle:
            files += [ConfigFile(file["path"], file["content"], secret=True) for file in json.load(bundle)]
    return files


def numeric_owner(module: QuietModule) -> tuple[int, int]:
    """User and group id; -1 in check mode for what a package not yet installed will bring."""
    try:
        return pwd.getpwnam(module.params["owner"]).pw_uid, grp.getgrnam(module.params["group"]).gr_gid
    except KeyError as error:
        if module.check_mode:
            return -1, -1
        module.fail_json(msg="%s: install the name server's package first" % error.args[0])


@os_errors_told
def main() -> None:
    module = QuietModule(
        argument_spec={
            "files": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "path": {"type": "path", "required": True},
                    "content": {"type": "str", "required": True},
                    "restart": {"type": "bool", "default": False},
                },
            },
            "secret_files": {"type": "path", "no_log": False},
            "directories": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "path": {"type": "path", "required": True},
                    "owner": {"type": "str", "default": "root"},
                    "mode": {"type": "str", "default": "0750"},
                },
            },
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str", "default": "root"},
            "mode": {"type": "str", "default": "0640"},
            "reads": {"type": "list", "elements": "path", "default": []},
            "checker": {"type": "list", "elements": "str", "default": []},
            "unit": {"type": "str"},
            "addresses": {"type": "list", "elements": "str", "default": []},
            "port": {"type": "int", "default": 53},
            "timeout": {"type": "float", "default": 30},
            "reconfigure": {"type": "list", "elements": "str", "default": []},
            "restart": {"type": "list", "elements": "list", "default": []},
            "defer_restart": {"type": "bool", "default": False},
            "zones": {"type": "list", "elements": "str"},
            "zone_list": {"type": "path"},
            "allow_mass_removal": {"type": "bool", "default": False},
            "package": {"type": "str"},
            "adopt": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    directories = [
        directory["path"]
        for directory in params["directories"]
        if module.make_directory(directory["path"], directory["owner"], params["group"], directory["mode"])
    ]
    user_id, group_id = numeric_owner(module)
    config_set = ConfigSet(
        read_files(module),
        run=lambda command: run_in_time(module, list(command)),
        checker=params["checker"],
        reads=params["reads"],
        is_running=lambda: module.run_command(["systemctl", "is-active", "--quiet", params["unit"]])[0] == 0,
        reconfigure=params["reconfigure"],
        restart=params["restart"],
        # A unit that failed too often is not started again before it is reset.
        revive=[["systemctl", action, params["unit"]] for action in ("reset-failed", "restart")],
        ask=ask if params["addresses"] else None,
        endpoints=[(address, params["port"]) for address in params["addresses"]],
        timeout=params["timeout"],
        log="journalctl -u %s" % params["unit"],
        foreign_file=lambda path: foreign_file(path, configuration_files(module)),
        mode=int(params["mode"], 8),
        user_id=user_id,
        group_id=group_id,
        check_mode=module.check_mode,
        work_directory=tempfile.gettempdir() if module.check_mode else None,
    )
    # The directory of a set without files is not there, or holds nothing of ours.
    is_alone = config_set.files and not module.check_mode
    try:
        with alone_in(config_set.directory, config_set.is_ours) if is_alone else nullcontext():
            result = config_set.publish(
                params["zones"],
                params["allow_mass_removal"],
                params["adopt"],
                with_diff=module._diff,
                zone_list=params["zone_list"],
                defer_restart=params["defer_restart"],
            )
    except ConfigError as error:
        module.fail_json(msg=str(error))
    diff = {"diff": result.diff} if module._diff else {}
    module.exit_json(
        changed=result.changed or bool(directories),
        changed_files=directories + result.changed_files,
        added_zones=result.added_zones,
        touched_zones=result.touched_zones,
        removed_zones=result.removed_zones,
        activation=result.activation,
        backups=result.backups,
        **diff,
    )


if __name__ == "__main__":
    main()
