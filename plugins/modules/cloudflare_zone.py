#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_zone
short_description: Have Cloudflare transfer zones from their primaries
description:
  - Brings the secondary zones of a Cloudflare account in line with a list, with their TSIG keys, peers and incoming
    configurations; has those transferred that changed or are behind, and waits until Cloudflare has the serial that the
    primary answers over DNS.
  - A zone that the account has with another type than C(secondary) is left alone, and so is one that is linked to
    somebody else's primary; each is a failed row, and does not keep the others.
  - Zones that are linked to peers of O(owner) and are not in O(zones) are unlinked; the zone itself stays, unless it is
    in O(delete_zones). Peers of O(owner) and TSIG keys that nobody uses afterwards are deleted.
  - In check mode nothing is written, and the rows tell how the zones stand.
  - Secondary DNS is for Enterprise plans of Cloudflare only. The token needs the permissions C(Account Settings Write),
    C(Zone Write) and C(DNS Write). No test of this collection has ever run against the real service.
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
    details: Shows the plan, a step a line.
options:
  account_id:
    description: ID of the account, 32 hexadecimal digits.
    type: str
    required: true
  api_token:
    description:
      - An API token of a user or of the account. The environment variable E(CLOUDFLARE_API_TOKEN) will do too.
    type: str
    required: true
  api_url:
    description: Where the API is.
    type: str
    default: https://api.cloudflare.com/client/v4
  owner:
    description:
      - Marks what is ours in the account; a peer is called C(OWNER PRIMARY ADDRESS). Two inventories that share an
        account need different ones.
    type: str
    default: dnsops
  primaries:
    description: The servers that Cloudflare transfers from. Only those that are the primary of a zone become peers.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      addresses:
        description: Its addresses, as Cloudflare reaches them. At most 30.
        type: list
        elements: str
        required: true
      port:
        description: Its port.
        type: int
        default: 53
      key_name:
        description: Name of the TSIG key that Cloudflare signs its requests with; none, and they are not signed.
        type: str
      key_algorithm:
        description: Its algorithm.
        type: str
        default: hmac-sha256
      key_secret:
        description: Its secret, base64.
        type: str
  zones:
    description: The zones that Cloudflare should have.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The zone's name.
        type: str
        required: true
      primary:
        description: Name of its primary, one of O(primaries).
        type: str
        required: true
      refresh:
        description:
          - Seconds between Cloudflare's own looks at the serial; 300 at least. It ignores the refresh of the zone's
            SOA, so give that here.
        type: int
        default: 3600
  delete_zones:
    description:
      - Names of secondary zones that are deleted at Cloudflare once they are linked to nobody. They must not be in
        O(zones).
    type: list
    elements: str
    default: []
  keep_zones:
    description: Names of zones that stay as they are, neither set up nor unlinked.
    type: list
    elements: str
    default: []
  state:
    description: With V(absent) all zones of O(owner) are unlinked, and O(zones) does not count.
    type: str
    choices: [present, absent]
    default: present
  allow_mass_removal:
    description:
      - Let the run unlink all zones of O(owner), or more than 30 % of them and at least 3. Otherwise that is refused
        with O(state=present).
    type: bool
    default: false
  wait:
    description: Seconds to wait for the serials to agree, in check mode too.
    type: float
    default: 120
  server:
    description: What RV(rows) call Cloudflare.
    type: str
    default: cloudflare
  strict:
    description:
      - Fail when a row failed. Otherwise only return the rows.
      - In check mode, what a run would mend is no failure.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Have Cloudflare transfer two zones
  dnsops.redundant_dns.cloudflare_zone:
    account_id: 0123456789abcdef0123456789abcdef
    api_token: "{{ vault_cloudflare_api_token }}"
    primaries:
      - name: ns1.example.net
        addresses: [192.0.2.1, "2001:db8::1"]
        key_name: cloudflare.ns1.example.net
        key_secret: "{{ vault_cloudflare_tsig_secret }}"
    zones:
      - {name: example.com, primary: ns1.example.net, refresh: 3600}
      - {name: example.org, primary: ns1.example.net}
  delegate_to: localhost

- name: Take one of them away, at Cloudflare too
  dnsops.redundant_dns.cloudflare_zone:
    account_id: 0123456789abcdef0123456789abcdef
    api_token: "{{ vault_cloudflare_api_token }}"
    primaries:
      - name: ns1.example.net
        addresses: [192.0.2.1, "2001:db8::1"]
        key_name: cloudflare.ns1.example.net
        key_secret: "{{ vault_cloudflare_tsig_secret }}"
    zones:
      - {name: example.com, primary: ns1.example.net}
    delete_zones: [example.org]
  delegate_to: localhost
"""

RETURN = r"""
rows:
  description: One for each zone; where the task fails, only those that failed.
  returned: when the account could be read
  type: list
  elements: dict
  contains:
    check:
      description: Always V(serial).
      type: str
    zone:
      description: The zone.
      type: str
    server:
      description: O(server).
      type: str
    address:
      description: Always V(API).
      type: str
    serial:
      description: The serial that Cloudflare has; null where it has none.
      type: int
    verdict:
      description: V(ok), V(failed) or V(not checked); the last where the primary gave no serial to compare with.
      type: str
    status:
      description: >-
        V(in sync), V(behind), V(ahead), V(no reference), V(not transferred), V(not there), V(not linked),
        V(not as planned), V(refused) or V(failed).
      type: str
    detail:
      description: A sentence, empty where all is well.
      type: str
zones:
  description: The zones of O(zones) that the account has.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    id:
      description: Its ID at Cloudflare.
      type: str
    status:
      description: What Cloudflare says of it, such as V(pending) or V(active).
      type: str
    name_servers:
      description: The name servers that Cloudflare gave it, for its NS records and the delegation.
      type: list
      elements: str
    serial:
      description: The serial that Cloudflare has; null before the first transfer.
      type: int
    checked:
      description: When Cloudflare last asked the primary.
      type: str
assigned:
  description:
    - A sentence for each set of name servers that Cloudflare gave, with the zones that have it; only after
      changes.
  returned: success
  type: list
  elements: str
left:
  description: >-
    Secondary zones of the account that are linked to nobody and not in O(zones). Cloudflare may still serve them.
  returned: success
  type: list
  elements: str
warnings:
  description: What was left as it is, and why.
  returned: success
  type: list
  elements: str
plan:
  description: >-
    What was done, or would be done in check mode; a step a line. Where the task fails half-way, all that was planned.
  returned: once there is a plan
  type: list
  elements: str
"""

import re

from ansible.module_utils.basic import env_fallback
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import cloudflare
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import FAILED
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import TsigKey, ask_serials
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.cloudflare_api import Api, CloudflareError
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.names import domain_name
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.quiet import QuietModule, os_errors_told
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.report import assigned, problem_lines

_ACCOUNT = re.compile(r"[0-9a-f]{32}")


def read_wanted(params: dict) -> cloudflare.Wanted:
    """The arguments as the planning has them.

    :raises InputError:
    """
    problems, primaries, zones, deleted, kept = [], {}, [], [], []
    if not _ACCOUNT.fullmatch(params["account_id"]):
        problems.append(Problem("account_id is not 32 hexadecimal digits", "Cloudflare's dashboard shows it"))
    for each in params["primaries"]:
        key = None
        try:
            if each["key_name"] and each["key_secret"]:
                key = TsigKey(each["key_name"], each["key_algorithm"], each["key_secret"])
        except ValueError as error:
            problems.append(Problem("Primary %s: %s" % (each["name"], error)))
        if bool(each["key_name"]) != bool(each["key_secret"]):
            problems.append(Problem("Primary %s has one of key_name and key_secret" % each["name"], "Give both"))
        if each["name"] in primaries:
            problems.append(Problem("Primary %s is there twice" % each["name"], "Leave one of them"))
        primaries[each["name"]] = cloudflare.Primary(each["name"], each["addresses"], each["port"], key)
    try:
        if params["state"] == "present":
            zones = [
                cloudflare.WantedZone(domain_name(zone["name"]), zone["primary"], zone["refresh"])
                for zone in params["zones"]
            ]
        deleted, kept = ([domain_name(name) for name in params[key]] for key in ("delete_zones", "keep_zones"))
    except ValueError as error:
        problems.append(Problem(str(error)))
    if problems:
        raise InputError(problems)
    return cloudflare.Wanted(params["owner"], primaries, zones, deleted, kept)


@os_errors_told
def main() -> None:
    module = QuietModule(
        argument_spec={
            "account_id": {"type": "str", "required": True},
            "api_token": {
                "type": "str",
                "required": True,
                "no_log": True,
                "fallback": (env_fallback, ["CLOUDFLARE_API_TOKEN"]),
            },
            "api_url": {"type": "str", "default": "https://api.cloudflare.com/client/v4"},
            "owner": {"type": "str", "default": "dnsops"},
            "primaries": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "addresses": {"type": "list", "elements": "str", "required": True},
                    "port": {"type": "int", "default": 53},
                    "key_name": {"type": "str", "no_log": False},
                    "key_algorithm": {"type": "str", "default": "hmac-sha256", "no_log": False},
                    "key_secret": {"type": "str", "no_log": True},
                },
            },
            "zones": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "primary": {"type": "str", "required": True},
                    "refresh": {"type": "int", "default": 3600},
                },
            },
            "delete_zones": {"type": "list", "elements": "str", "default": []},
            "keep_zones": {"type": "list", "elements": "str", "default": []},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "allow_mass_removal": {"type": "bool", "default": False},
            "wait": {"type": "float", "default": 120},
            "server": {"type": "str", "default": "cloudflare"},
            "strict": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        api = Api(
            params["api_token"],
            params["account_id"],
            params["api_url"],
            secrets=[each["key_secret"] for each in params["primaries"] if each["key_secret"]],
        )
        outcome = cloudflare.run(
            api,
            read_wanted(params),
            ask=lambda questions, tcp: ask_serials(questions, tcp=tcp),
            server=params["server"],
            wait=params["wait"],
            allow_mass_removal=params["allow_mass_removal"] or params["state"] == "absent",
            check_mode=module.check_mode,
        )
    except InputError as error:
        module.fail_json(msg=error.as_message())
    except cloudflare.Stopped as error:
        module.fail_json(msg=str(error), changed=error.changed, plan=error.plan)
    except CloudflareError as error:
        module.fail_json(msg=str(error))
    result = {
        "changed": outcome.changed,
        "rows": outcome.rows,
        "zones": outcome.zones,
        "left": outcome.left,
        "assigned": assigned(outcome.zones) if outcome.changed else [],
        "plan": outcome.plan,
    }
    if module._diff:
        result["diff"] = {"prepared": "".join("%s\n" % line for line in outcome.plan)}
    for warning in outcome.warnings:
        module.warn(warning)
    failed = [row for row in outcome.rows if row["verdict"] == FAILED]
    if module.check_mode:  # the others are what a run would mend
        failed = [row for row in failed if row["status"] == cloudflare.REFUSED]
    if failed and params["strict"]:
        result["rows"] = failed
        module.fail_json(msg="\n".join(problem_lines(failed)), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
