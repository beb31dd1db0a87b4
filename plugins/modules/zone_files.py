#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: zone_files
short_description: Publish the zone files of a primary
description:
  - Publishes the text of all zones of a host in one call. The text stays the user's, comments included; only the serial
    of the SOA record is replaced, and only when the content changes.
  - Content is compared in canonical form without the serial, so that layout and comments are no change.
  - The next serial is greater (RFC 1982) than that of the file, of the published file, and of every serial seen on the
    primary and its secondaries.
  - All changed zones are checked by one C(named-checkconf -z) before any of them goes live. A zone that is refused is
    held back, while the others go live.
  - Zones that the server has loaded are reloaded, and the server is asked whether it answers with the new serial. Where
    it does not, the old content comes back under a higher serial.
  - A file in O(directory) that belongs to no zone is left to M(dnsops.redundant_dns.prune).
version_added: 0.1.0
author:
  - The dnsops.redundant_dns authors (@dnsops)
extends_documentation_fragment:
  - dnsops.redundant_dns.attributes
  - dnsops.redundant_dns.attributes.on_controller
attributes:
  action:
    details: Zone texts are read and checked on the controller, and sent as one file.
  check_mode:
    support: full
    details: Serials are asked for and texts are checked in check mode too, so that it says what a run would do.
  diff_mode:
    support: full
options:
  zones:
    description: The zones. Not with O(bundle).
    type: list
    elements: dict
    suboptions:
      name:
        description: The zone's name.
        type: str
        required: true
      file:
        description: Path of the zone's text on the controller, in the format of RFC 1035 section 5.
        type: str
        required: true
      file_name:
        description: Name of the published file, without C(.zone). The zone's name where it is not given.
        type: str
      ask:
        description: Where its secondaries answer, as pairs of address and port; their serials are respected.
        type: list
        elements: list
        default: []
  bundle:
    description: Used by the action plugin; a file on the target with the zones' texts.
    type: path
  directory:
    description: Where the files are published. Nothing else may write there but the server.
    type: path
    required: true
  group:
    description: Group of the files and the directory, that of the server.
    type: str
    default: bind
  address:
    description: Address where the host's own server answers.
    type: str
    required: true
  port:
    description: Port where it answers.
    type: int
    default: 53
  timeout:
    description: Seconds to wait for the server to answer with the new content.
    type: float
    default: 30
requirements:
  - dnspython >= 2.3 on the controller
  - named-checkconf and rndc on the target
"""

EXAMPLES = r"""
- name: Publish two zones
  dnsops.redundant_dns.zone_files:
    directory: /var/lib/bind/primary
    address: 192.0.2.1
    zones:
      - name: example.com
        file: /srv/dns/example.com.zone
        ask: [[198.51.100.2, 53]]
      - name: example.org
        file: /srv/dns/example.org.zone
"""

RETURN = r"""
published:
  description: Zones that went live, or would in check mode.
  returned: success
  type: list
  elements: dict
  sample: [{"zone": "example.com", "serial": 2026112201, "previous": 2026112200}]
held_back:
  description: Zones whose new content did not go live; file, line where the checker names one, and reason.
  returned: success
  type: list
  elements: dict
  sample: [{"zone": "example.org", "file": "zones/example.org.zone", "line": 12, "reason": "unknown RR type 'AA'"}]
unpublished:
  description: Zones that have no published file at all, because their first content was held back.
  returned: success
  type: list
  elements: str
rolled_forward:
  description: Zones that got their old content back under a higher serial; the server did not take the new one.
  returned: success
  type: list
  elements: str
not_asked:
  description: Secondaries that did not answer when they were asked for their serials.
  returned: success
  type: list
  elements: str
"""

import grp
import json
import os
import tempfile

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import Question, SerialSeen, ask_serials
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.publish import Publisher, WantedZone
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.quiet import QuietModule
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.serial import SerialError


def read_bundle(path: str) -> list[WantedZone]:
    with open(path, encoding="utf-8") as file:
        return [
            WantedZone(**dict(zone, ask=[(address, int(port)) for address, port in zone["ask"]]))
            for zone in json.load(file)
        ]


def make_directory(module: QuietModule) -> bool:
    """The server writes its journals beside the files, so the directory is its group's."""
    path = module.params["directory"]
    missing = not os.path.isdir(path)
    if missing and module.check_mode:
        return True
    if missing:
        os.makedirs(path, mode=0o700)
    attributes = {"path": path, "secontext": [None, None, None], "attributes": None}
    attributes.update(owner="root", group=module.params["group"], mode="0770")
    return module.set_fs_attributes_if_different(attributes, missing)


def ask(questions: list[Question]) -> list[SerialSeen]:
    """A secondary that is down must not hold up the publishing, so it is not asked for long."""
    return ask_serials(questions, timeout=0.5, attempts=2)


def main() -> None:
    module = QuietModule(
        argument_spec={
            "zones": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "name": {"type": "str", "required": True},
                    "file": {"type": "str", "required": True},
                    "file_name": {"type": "str"},
                    "ask": {"type": "list", "elements": "list", "default": []},
                },
            },
            "bundle": {"type": "path"},
            "directory": {"type": "path", "required": True},
            "group": {"type": "str", "default": "bind"},
            "address": {"type": "str", "required": True},
            "port": {"type": "int", "default": 53},
            "timeout": {"type": "float", "default": 30},
        },
        supports_check_mode=True,
    )
    params = module.params
    if not params["bundle"]:
        module.fail_json(msg="zone_files runs as an action: call it as dnsops.redundant_dns.zone_files in a task")
    zones = read_bundle(params["bundle"])
    directory_changed = make_directory(module)
    try:
        group_id = grp.getgrnam(params["group"]).gr_gid
    except KeyError:
        if not module.check_mode:
            module.fail_json(msg="There is no group %s: install the name server's package first" % params["group"])
        group_id = -1
    publisher = Publisher(
        params["directory"],
        server=(params["address"], params["port"]),
        checker=["named-checkconf", "-z"],
        reload_command=["rndc", "reload"],
        run=module.run_command,
        ask=ask,
        group_id=group_id,
        deadline=params["timeout"],
        check_mode=module.check_mode,
        work_directory=tempfile.gettempdir() if module.check_mode else None,
    )
    try:
        outcome = publisher.publish(zones, with_diff=module._diff)
    except SerialError as error:
        module.fail_json(msg=str(error))
    diff = {"diff": outcome.diff} if module._diff else {}
    module.exit_json(
        changed=outcome.changed or directory_changed,
        published=outcome.published,
        held_back=[problem._asdict() for problem in outcome.held_back],
        unpublished=outcome.unpublished,
        rolled_forward=outcome.rolled_forward,
        not_asked=outcome.not_asked,
        **diff,
    )


if __name__ == "__main__":
    main()
