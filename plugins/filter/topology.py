# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The topology as Jinja sees it."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import inventory, views
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError


def topology(
    hostvars: Mapping[str, Any], groups: Mapping[str, Sequence[str]], play_hosts: Sequence[str] | None = None
) -> dict[str, Any]:
    try:
        return views.overview(inventory.read(hostvars, groups, play_hosts).topology)
    except InputError as error:
        raise AnsibleFilterError(error.as_message()) from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"topology": topology}
