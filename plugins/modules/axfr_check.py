#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: axfr_check
short_description: Check zone transfers, by doing them
description:
  - Transfers zones (AXFR, RFC 5936) from where the module runs, with the TSIG key (RFC 8945) and source address that
    are given, and says what came of each.
  - Transfers are streamed; a zone of a million records does not need memory for a million records.
  - Content is compared by a digest that does not depend on the order of the records, nor on the serial.
  - A refusal counts only when the server answers for the zone; it must be C(REFUSED), or C(NOTAUTH) with the TSIG error
    BADKEY or BADSIG. A time-out or a closed port is C(not checked).
version_added: 0.1.0
author:
  - The dnsops.redundant_dns authors (@dnsops)
extends_documentation_fragment:
  - dnsops.redundant_dns.attributes
  - dnsops.redundant_dns.attributes.read_only
options:
  checks:
    description: What to transfer.
    type: list
    elements: dict
    required: true
    suboptions:
      check:
        description:
          - V(transfer) must succeed; V(content) is the same, said of a server's own copy; V(refusal) must be refused.
        type: str
        choices: [transfer, content, refusal]
        default: transfer
      server:
        description: The server's name, for the rows. The address where it is not given.
        type: str
      address:
        description: The server's IP address.
        type: str
        required: true
      port:
        description: The server's port.
        type: int
        default: 53
      source:
        description: The local IP address to ask from.
        type: str
      key_file:
        description: A file on this host with the TSIG key, in the syntax of named.conf or nsd.conf.
        type: path
      zones:
        description: The zones to transfer.
        type: list
        elements: str
        required: true
  digests:
    description:
      - The digest that a zone's content should have, by zone, as RV(dnsops.redundant_dns.plan#module:digests) has them.
      - Zones that are not in it are not compared.
    type: dict
    default: {}
  timeout:
    description: Seconds for one transfer.
    type: float
    default: 60
  concurrency:
    description: Transfers at the same time.
    type: int
    default: 4
  strict:
    description: Fail when a check fails. Otherwise only return the rows.
    type: bool
    default: true
requirements:
  - dnspython >= 2.3 on the host where it runs, for TSIG
"""

EXAMPLES = r"""
- name: Check on the secondary that the transfer works with its key, and only with its key
  dnsops.redundant_dns.axfr_check:
    checks:
      - check: transfer
        address: 192.0.2.1
        key_file: /etc/bind/keys/g1.ns2.example.net.from.ns1.example.net.key
        zones: [example.com]
      - check: refusal
        address: 192.0.2.1
        zones: [example.com]
"""

RETURN = r"""
rows:
  description: One for each check and zone; where the task fails, only those that failed.
  returned: always
  type: list
  elements: dict
  contains:
    check:
      description: V(transfer), V(content) or V(refusal).
      type: str
    zone:
      description: The zone.
      type: str
    server:
      description: The server's name.
      type: str
    address:
      description: The address that was asked.
      type: str
    serial:
      description: The serial of the transferred zone; null where there was no transfer.
      type: int
    verdict:
      description: V(ok), V(failed) or V(not checked).
      type: str
    status:
      description: V(same content), V(transferred), V(differs), V(refused), V(open), V(bad key), or what else there was.
      type: str
    detail:
      description: A sentence, empty where all is well.
      type: str
"""

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import FAILED, TransferCheck, transfer_rows
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import (
    HAS_DNSPYTHON,
    KeyFileError,
    ask_serials,
    read_key_file,
    transfer_many,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.quiet import QuietModule, os_errors_told
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.report import problem_lines


def read_checks(module: QuietModule) -> list[TransferCheck]:
    keys: dict = {None: None}
    checks = []
    for check in module.params["checks"]:
        path = check["key_file"]
        if path not in keys:
            if not HAS_DNSPYTHON:
                module.fail_json(msg=missing_required_lib("dnspython"))
            try:
                keys[path] = read_key_file(path)
            except (KeyFileError, OSError) as error:
                module.fail_json(msg="key_file: %s" % error)
        checks.append(
            TransferCheck(
                check=check["check"],
                server=check["server"] or check["address"],
                address=check["address"],
                port=check["port"],
                zones=check["zones"],
                source=check["source"],
                key=keys[path],
            )
        )
    return checks


@os_errors_told
def main() -> None:
    module = QuietModule(
        argument_spec={
            "checks": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "check": {"type": "str", "choices": ["transfer", "content", "refusal"], "default": "transfer"},
                    "server": {"type": "str"},
                    "address": {"type": "str", "required": True},
                    "port": {"type": "int", "default": 53},
                    "source": {"type": "str"},
                    "key_file": {"type": "path", "no_log": False},
                    "zones": {"type": "list", "elements": "str", "required": True},
                },
            },
            "digests": {"type": "dict", "default": {}},
            "timeout": {"type": "float", "default": 60},
            "concurrency": {"type": "int", "default": 4},
            "strict": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    checks = read_checks(module)
    try:
        rows = transfer_rows(
            checks,
            params["digests"],
            ask=lambda questions, tcp: ask_serials(questions, tcp=tcp),
            transfer_many=lambda jobs: transfer_many(
                jobs, concurrency=params["concurrency"], timeout=params["timeout"]
            ),
        )
    except ValueError as error:
        module.fail_json(msg=str(error))
    failed = [row for row in rows if row["verdict"] == FAILED]
    if failed and params["strict"]:
        module.fail_json(msg="\n".join(problem_lines(failed)), rows=failed)
    module.exit_json(changed=False, rows=rows)


if __name__ == "__main__":
    main()
