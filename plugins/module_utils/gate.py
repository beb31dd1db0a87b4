# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a server may be taken down for a moment, or is back: what its gates say of the serials that were seen."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import FAILED, Row
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import some


def closed_before(host: str, others: Sequence[str], rows: Sequence[Row]) -> str:
    """Why the server must not be taken down; empty where it may.

    For each zone another server must answer, and not behind its primary. Where the primary is silent, an answer with
    authority will do: its secondaries are what keeps the zone in service.

    :param others: the servers that keep zones in service.
    :param rows: of the host's zones, at all their servers.
    """
    kept = {row["zone"] for row in rows if row["server"] in others and _answers(row)}
    left = list(dict.fromkeys(row["zone"] for row in rows if row["zone"] not in kept))
    if not left:
        return ""
    wrong = [row for row in rows if row["server"] != host and row["zone"] in set(left)]
    return "%s stays as it is, for no other server is in sync for %d of its zones (%s). %s" % (
        host, len(left), some(left), some([_told(row) for row in wrong], "; ")
    )  # fmt: skip


def closed_after(host: str, rows: Sequence[Row]) -> str:
    """Why the server is not back; empty where it is: in sync for all its zones, at all addresses that can be asked."""
    wrong = [row for row in rows if row["server"] == host and row["verdict"] == FAILED]
    if not wrong:
        return ""
    zones = list(dict.fromkeys(row["zone"] for row in wrong))
    return "%s does not answer in sync for %d of its zones (%s). %s" % (
        host, len(zones), some(zones), some([_told(row) for row in wrong], "; ")
    )  # fmt: skip


def _answers(row: Mapping[str, Any]) -> bool:
    return row["verdict"] != FAILED and row["serial"] is not None


def _told(row: Mapping[str, Any]) -> str:
    return "%s for %s at %s: %s" % (row["server"], row["zone"], row["address"], row["status"])
