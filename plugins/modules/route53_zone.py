#!/usr/bin/python

# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: route53_zone
short_description: Push zones from a name server to Amazon Route 53
description:
  - Transfers each zone (AXFR, RFC 5936, with TSIG) from a name server, compares it with its hosted zone at Route 53 and
    sends the difference. Route 53 takes no zone transfers itself.
  - The SOA record is written last, with the serial of the transfer, when all of Route 53's servers have the rest.
  - Changes are ordered so that nothing stops resolving between two requests, and checked before they are sent.
  - A zone that is signed, empty or behind Route 53, has records that Route 53 does not store, or would change too much,
    is refused; so is a hosted zone with aliases or routing policies, which no zone file has. The other zones are pushed
    all the same, and the task fails.
  - In check mode nothing is written; the rows then say where Route 53 differs.
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
  zones:
    description: The zones to push.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The zone's name, without the final dot.
        type: str
        required: true
      hosted_zone_id:
        description: The id of its hosted zone. Found by the zone's name among the public ones where it is not given.
        type: str
  address:
    description: The IP address of the name server to transfer from.
    type: str
    required: true
  port:
    description: Its port.
    type: int
    default: 53
  source:
    description: The local IP address to ask from.
    type: str
  key_file:
    description: A file on this host with the TSIG key, in the syntax of named.conf or nsd.conf.
    type: path
  endpoint_url:
    description: The URL of the API, where it is not that of the region.
    type: str
  region:
    description: The AWS region whose name is in signatures. Route 53 is one service for all regions.
    type: str
    default: us-east-1
  credentials_file:
    description:
      - A file in the syntax of C(~/.aws/credentials); its profile C(default) is used.
      - Otherwise boto3 looks for credentials in its usual places, such as an instance profile.
    type: path
  apex_ns:
    description:
      - V(own) leaves the NS records at the apex as Route 53 made them.
      - V(mirror) writes the zone's own, and refuses where they lack one of the hosted zone's name servers.
    type: str
    choices: [own, mirror]
    default: own
  on_unsupported:
    description:
      - What to do about records of types that Route 53 does not store.
      - V(fail) refuses the zone. V(warn) leaves them out and says so.
    type: str
    choices: [fail, warn]
    default: fail
  keep_foreign:
    description:
      - Leave record sets alone that have no form in a zone file, such as aliases and weighted ones.
      - Record sets of the zone that have the same name and type are then not pushed. Otherwise the zone is refused.
    type: bool
    default: false
  create:
    description: Create hosted zones that are missing.
    type: bool
    default: true
  delegation_set_id:
    description: The reusable delegation set of hosted zones that are created.
    type: str
  largest_change:
    description: How many per cent of a zone of ten records or more may be changed or deleted at once.
    type: float
    default: 30
  allow_changes:
    description: Zones of which this run may change any part, or bring back an older serial.
    type: list
    elements: str
    default: []
  wait:
    description: Seconds to wait until all of Route 53's servers have a change.
    type: float
    default: 120
  owner:
    description: Marks the hosted zones that are created, so that those can be told that are not pushed to any more.
    type: str
    default: dnsops
  keep_zones:
    description: Names of zones that are left alone now; their hosted zones are told as no leftovers.
    type: list
    elements: str
    default: []
  lock_directory:
    description:
      - A directory on this host. One push at a time has it, so that none brings back what another has replaced.
      - The program takes that of its C(state_file).
    type: path
  server:
    description: The name that the rows have for Route 53.
    type: str
    default: route53
  strict:
    description:
      - Fail where a zone is not at Route 53 as the name server has it. Otherwise only return the rows.
      - In check mode, differences that a run would mend are no failure.
    type: bool
    default: true
requirements:
  - boto3 >= 1.26 on the host where it runs
  - dnspython >= 2.3 on the host where it runs
"""

EXAMPLES = r"""
- name: Push what this secondary serves
  dnsops.redundant_dns.route53_zone:
    zones:
      - name: example.com
      - name: example.org
        hosted_zone_id: Z0123456789EXAMPLE
    address: 198.51.100.2
    key_file: /etc/bind/keys/g1.verify.ns2.example.net.key
    credentials_file: /etc/dnsops/route53-credentials
"""

RETURN = r"""
rows:
  description: Two for each zone.
  returned: always
  type: list
  elements: dict
  contains:
    check:
      description: V(serial), the SOA record at Route 53 against the transfer, or V(content), its record sets.
      type: str
    zone:
      description: The zone.
      type: str
    server:
      description: The value of O(server).
      type: str
    address:
      description: V(API).
      type: str
    verdict:
      description: V(ok), V(failed) or V(not checked).
      type: str
    status:
      description: V(in sync), V(behind), V(same content), V(differs), V(refused), or what else there was.
      type: str
    serial:
      description: The serial at Route 53, or null.
      type: int
    detail:
      description: A sentence, empty where all is well.
      type: str
zones:
  description: What became of each zone.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The zone.
      type: str
    id:
      description: The id of its hosted zone; null where there is none.
      type: str
    name_servers:
      description: The name servers that Route 53 assigned to the hosted zone.
      type: list
      elements: str
    serial:
      description: The serial at Route 53; in check mode that of the transfer. Null where it is not known.
      type: int
    added:
      description: Records added, or that would be.
      type: int
    changed:
      description: Records changed, or that would be.
      type: int
    deleted:
      description: Records deleted, or that would be.
      type: int
    batches:
      description: Requests that changed record sets, or would; that of the SOA record included.
      type: int
assigned:
  description:
    - A sentence for each set of name servers that Route 53 gave, with the zones that have it; only after
      changes.
  returned: always
  type: list
  elements: str
warnings:
  description: What was left out or left alone, and hosted zones that are not pushed to any more; a sentence each.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import route53
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import FAILED
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import HAS_DNSPYTHON
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, told
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.quiet import QuietModule, os_errors_told
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.report import assigned, problem_lines
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.route53_push import one_at_a_time

ARGUMENTS = {
    "zones": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"name": {"type": "str", "required": True}, "hosted_zone_id": {"type": "str"}},
    },
    "address": {"type": "str", "required": True},
    "port": {"type": "int", "default": 53},
    "source": {"type": "str"},
    "key_file": {"type": "path", "no_log": False},
    "endpoint_url": {"type": "str"},
    "region": {"type": "str", "default": "us-east-1"},
    "credentials_file": {"type": "path", "no_log": False},
    "apex_ns": {"type": "str", "choices": ["own", "mirror"], "default": "own"},
    "on_unsupported": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
    "keep_foreign": {"type": "bool", "default": False},
    "create": {"type": "bool", "default": True},
    "delegation_set_id": {"type": "str"},
    "largest_change": {"type": "float", "default": 30},
    "allow_changes": {"type": "list", "elements": "str", "default": []},
    "wait": {"type": "float", "default": 120},
    "owner": {"type": "str", "default": "dnsops"},
    "keep_zones": {"type": "list", "elements": "str", "default": []},
    "lock_directory": {"type": "path"},
    "server": {"type": "str", "default": "route53"},
    "strict": {"type": "bool", "default": True},
}


@os_errors_told
def main() -> None:
    module = QuietModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    for library, there in (("boto3", route53.HAS_BOTO3), ("dnspython", HAS_DNSPYTHON)):
        if not there:
            module.fail_json(msg=missing_required_lib(library))
    settings = route53.Settings(**{name: params[name] for name in route53.Settings._fields})
    try:
        key = route53.read_key(settings.key_file)
        api = route53.connect(settings)
        with one_at_a_time(None if module.check_mode else params["lock_directory"]):
            result = route53.sync(params["zones"], settings, api, check=module.check_mode, key=key)
        kept = [{"name": name} for name in params["keep_zones"]]
        left_behind = route53.left_behind(params["zones"] + kept, settings, api)
    except InputError as error:
        module.fail_json(msg="\n".join(told(error.problems)))
    except ValueError as error:
        module.fail_json(msg=str(error))
    answer = {
        "changed": result.changed,
        "rows": result.rows,
        "zones": result.zones,
        "assigned": assigned(result.zones) if result.changed else [],
    }
    for warning in result.warnings + left_behind:
        module.warn(warning)
    answer["diff"] = {"prepared": result.plan}
    failed = [row for row in result.rows if row["verdict"] == FAILED]
    if params["strict"] and result.problems:
        module.fail_json(msg="\n".join(told(result.problems)), **answer)
    if params["strict"] and failed and not module.check_mode:
        module.fail_json(msg="\n".join(problem_lines(failed)), **answer)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
