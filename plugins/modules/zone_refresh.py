#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: zone_refresh
short_description: Make a secondary fetch the zones in which it is behind
description:
  - Asks the server and its primaries for the serials of its zones, and has the server refresh those in which it is
    behind (RFC 1996), a moment later still.
  - A secondary that was down while a zone changed has lost the NOTIFY. After its start BIND asks within the retry time
    of the zone, and NSD not before the refresh time that it has noted.
  - A primary that does not answer says nothing about its zones, and is not waited for.
version_added: 0.1.0
author:
  - The dnsops.redundant_dns authors (@dnsops)
extends_documentation_fragment:
  - dnsops.redundant_dns.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  zones:
    description:
      - The zones, as RV(dnsops.redundant_dns.plan#module:host) has them in C(zones_as_secondary).
      - A list of objects with C(name) and C(link), the C(id) of one of O(links).
    type: list
    elements: dict
    required: true
  links:
    description:
      - Where primaries answer, as RV(dnsops.redundant_dns.plan#module:host) has it in C(links_as_secondary).
      - A list of objects with C(id), C(port) and C(transfer_from), a list of addresses.
    type: list
    elements: dict
    required: true
  address:
    description: Where the server itself answers.
    type: str
    required: true
  port:
    description: Its port.
    type: int
    default: 53
  command:
    description: Command that makes the server ask its primary; the zone is appended.
    type: list
    elements: str
    required: true
  command_for_all:
    description: Command that makes it ask for all zones, where it has one; used for more than 20 zones at once.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Fetch what NSD has missed
  dnsops.redundant_dns.zone_refresh:
    zones: [{name: example.com, link: ns1.example.net}]
    links: [{id: ns1.example.net, port: 53, transfer_from: [192.0.2.1]}]
    address: 203.0.113.3
    command: [nsd-control, transfer]
"""

RETURN = r"""
refreshed:
  description: The zones that the server was made to refresh, or would be in check mode.
  returned: success
  type: list
  elements: str
"""

import time
from typing import Callable

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import Question, SerialSeen, ask_serials
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.quiet import QuietModule, os_errors_told
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.serial import newer

# More zones than these are refreshed with one command for all, where the server has one.
SINGLE_COMMANDS = 20
# What a NOTIFY and the transfer after it take.
PATIENCE = 2.0


def zones_behind(
    primaries: dict[str, list[tuple[str, int]]],
    server: tuple[str, int],
    ask: Callable[[list[Question]], list[SerialSeen]],
) -> list[str]:
    """Those zones of which a primary has a newer serial than the server.

    :param primaries: zone -> address and port of its primary.
    """
    questions = [Question(zone, *end) for zone in primaries for end in [server] + primaries[zone]]
    answers = [answer for answer in ask(questions) if answer.serial is not None]
    own = {answer.zone: answer.serial for answer in answers if (answer.address, answer.port) == server}
    behind = {answer.zone for answer in answers if answer.zone in own and newer(answer.serial, own[answer.zone])}
    return [zone for zone in primaries if zone in behind]


def ask(questions: list[Question]) -> list[SerialSeen]:
    """A primary that is down is none to fetch from, so it is not asked for long."""
    return ask_serials(questions, timeout=0.5, attempts=2, rate=5000)


def commands(zones: list[str], single: list[str], for_all: list[str]) -> list[list[str]]:
    """What makes the server refresh the zones."""
    if len(zones) > SINGLE_COMMANDS and for_all:
        return [for_all]
    return [single + [zone] for zone in zones]


@os_errors_told
def main() -> None:
    module = QuietModule(
        argument_spec={
            "zones": {"type": "list", "elements": "dict", "required": True},
            "links": {"type": "list", "elements": "dict", "required": True},
            "address": {"type": "str", "required": True},
            "port": {"type": "int", "default": 53},
            "command": {"type": "list", "elements": "str", "required": True},
            "command_for_all": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    params = module.params
    ends = {link["id"]: [(address, int(link["port"])) for address in link["transfer_from"]] for link in params["links"]}
    primaries = {zone["name"]: ends[zone["link"]] for zone in params["zones"]}
    server = (params["address"], params["port"])
    behind = zones_behind(primaries, server, ask)
    if behind:
        time.sleep(PATIENCE)
        behind = zones_behind({zone: primaries[zone] for zone in behind}, server, ask)
    if not module.check_mode:
        for command in commands(behind, params["command"], params["command_for_all"]):
            module.run_command(command, check_rc=True)
    module.exit_json(changed=bool(behind), refreshed=behind)


if __name__ == "__main__":
    main()
