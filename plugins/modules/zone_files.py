#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: zone_files
short_description: Publish the zone files of a primary
description:
  - Publishes all zones whose primary the host is, as the inventory has them. The text stays the user's, comments
    included; only the serial of the SOA record is replaced, and only when the content changes.
  - Content is compared in canonical form without the serial, so that layout and comments are no change.
  - The next serial is greater (RFC 1982) than that of the file, of the published file, and of every serial seen on the
    primary and its secondaries. Zones made of records without a serial of their own get today's date as YYYYMMDD00.
  - >-
    A zone with C(serial: keep) is published with the serial of its author, and held back where that is not newer than
    all serials seen. Where the server does not take it, the old content comes back under a serial higher than that.
  - All changed zones are checked by one C(named-checkconf -z) before any of them goes live. A zone that is refused is
    held back, while the others go live.
  - Zones that the server has loaded are reloaded, and the server is asked whether it answers with the new serial. Where
    it does not, the old content comes back under a higher serial.
  - A change that leaves no records but SOA and NS, or fewer than two NS records at the apex, or that changes or deletes
    more than O(largest_change) of a zone, is held back unless C(dns_allow_changes) names the zone.
  - A server that does not answer at all after a reload is restarted, with the old content.
  - For zones that C(dns_raise_serials) names, secondaries are asked for their serials though the content is the same,
    and where one is ahead the zone is published again under a serial above that.
  - A file in O(directory) that belongs to no zone is left to M(dnsops.redundant_dns.prune).
version_added: 0.1.0
author:
  - The dnsops.redundant_dns authors (@dnsops)
extends_documentation_fragment:
  - dnsops.redundant_dns.attributes
  - dnsops.redundant_dns.attributes.on_controller
attributes:
  action:
    details: >-
      Inventory and zone texts are read and checked on the controller. Digests of all zones go to the host in one file,
      and only the texts of zones to be published follow.
  check_mode:
    support: full
    details: Serials are asked for and texts are checked in check mode too, so that it says what a run would do.
  diff_mode:
    support: full
options:
  bundle:
    description: Used by the action plugin; a file on the target with the zones' digests, or also their texts.
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
  unit:
    description: The server's systemd unit, which is restarted where it has died or hangs after a reload.
    type: str
    required: true
  largest_change:
    description:
      - Per cent of a zone's records that may be changed or deleted at once, where it has ten or more beside its SOA.
      - Zones that the variable C(dns_allow_changes) names may change by more.
    type: float
    default: 30
  timeout:
    description: Seconds to wait for the server to answer with the new content.
    type: float
    default: 30
requirements:
  - dnspython >= 2.3 on the controller
  - named-checkconf and rndc on the target
"""

EXAMPLES = r"""
- name: Publish the zones of this primary
  dnsops.redundant_dns.zone_files:
    directory: /var/lib/bind/primary
    address: 192.0.2.1
    unit: named
"""

RETURN = r"""
published:
  description:
    - Zones that went live, or would in check mode; how many records that adds, changes (others of the same name and
      type, or another TTL) and deletes.
  returned: success
  type: list
  elements: dict
  sample:
    - {"zone": "example.com", "serial": 2026112201, "previous": 2026112200, "added": 1, "changed": 2, "deleted": 0}
plan:
  description:
    - RV(published) for people, and what is held back because nobody said that it is meant; the largest changes first.
    - The longest show 60 zones and count the others.
  returned: success
  type: list
  elements: str
  sample: ["example.com: 1 added, 2 changed, 0 deleted, serial 2026112200 -> 2026112201"]
held_back:
  description:
    - Zones whose new content did not go live; file, line where the checker names one, reason, and whether the zone has
      no published file at all.
  returned: success
  type: list
  elements: dict
  sample:
    - {"zone": "example.org", "file": "example.org.zone", "line": 2, "reason": "unknown RR type", "unpublished": false}
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
import tempfile
from contextlib import nullcontext

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import Question, SerialSeen, ask_serials
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.files import alone_in
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.publish import Publisher, WantedZone
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.quiet import QuietModule, os_errors_told
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.serial import SerialError
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_change import plan_lines


def read_bundle(path: str) -> tuple[list[WantedZone], list[WantedZone]]:
    """The zones of which only the digest came, and those with their texts."""
    with open(path, encoding="utf-8") as file:
        zones = json.load(file)
    wanted = [WantedZone(**dict(zone, ask=[(address, int(port)) for address, port in zone["ask"]])) for zone in zones]
    return [zone for zone in wanted if not zone.before], [zone for zone in wanted if zone.before]


def ask(questions: list[Question]) -> list[SerialSeen]:
    """A secondary that is down must not hold up the publishing, so it is not asked for long."""
    return ask_serials(questions, timeout=0.5, attempts=2)


@os_errors_told
def main() -> None:
    module = QuietModule(
        argument_spec={
            "bundle": {"type": "path"},
            "directory": {"type": "path", "required": True},
            "group": {"type": "str", "default": "bind"},
            "address": {"type": "str", "required": True},
            "port": {"type": "int", "default": 53},
            "unit": {"type": "str", "required": True},
            "largest_change": {"type": "float", "default": 30},
            "timeout": {"type": "float", "default": 30},
        },
        supports_check_mode=True,
    )
    params = module.params
    if not params["bundle"]:
        module.fail_json(msg="zone_files runs as an action: call it as dnsops.redundant_dns.zone_files in a task")
    digests, zones = read_bundle(params["bundle"])
    # The server writes its journals beside the files, so the directory is its group's.
    directory_changed = module.make_directory(params["directory"], "root", params["group"], "0770")
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
        # A unit that failed too often in a row is not started again, unless that is forgotten.
        revive=[["systemctl", "reset-failed", params["unit"]], ["systemctl", "restart", params["unit"]]],
        largest_change=params["largest_change"],
        run=module.run_command,
        ask=ask,
        group_id=group_id,
        deadline=params["timeout"],
        check_mode=module.check_mode,
        work_directory=tempfile.gettempdir() if module.check_mode else None,
    )
    try:
        with nullcontext() if module.check_mode else alone_in(params["directory"], is_ours=lambda name: True):
            outcome = publisher.publish(zones, with_diff=module._diff)
    except SerialError as error:
        module.fail_json(msg=str(error))
    diff = {"diff": outcome.diff} if module._diff else {}
    module.exit_json(
        changed=outcome.changed or directory_changed,
        published=outcome.published,
        plan=plan_lines(outcome.published + outcome.refused),
        held_back=[
            dict(problem._asdict(), unpublished=problem.zone in outcome.unpublished) for problem in outcome.held_back
        ],
        unpublished=outcome.unpublished,
        rolled_forward=outcome.rolled_forward,
        not_asked=outcome.not_asked,
        needed=publisher.stale(digests),  # for the action plugin, which takes it out of the result
        **diff,
    )


if __name__ == "__main__":
    main()
