"""After all that the other tests did: no name server asked anybody outside. Runs last, by its name."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from .conftest import NS1, Fleet

TABLES = ("iptables", "ip6tables")
guarded = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("iptables", path=os.environ["PATH"] + ":/usr/sbin") is None,
    reason="without root and iptables nothing counts the queries that leave",
)


def dropped(tables: str) -> int:
    """Queries that wanted to leave the fleet's network; see molecule/shared/dns_guard.sh."""
    command = ["/usr/sbin/" + tables, "-w", "-t", "raw", "-L", "dnsops-system", "-nvx"]
    listing = subprocess.run(command, check=True, text=True, capture_output=True).stdout
    rule = re.search(r"^ *(\d+) +\d+ +DROP", listing, re.M)
    assert rule is not None, listing
    return int(rule.group(1))


@guarded
def test_no_query_left_for_root_servers_or_anybody(fleet: Fleet) -> None:
    assert {tables: dropped(tables) for tables in TABLES} == dict.fromkeys(TABLES, 0)
    # The counter counts: documentation addresses, and the guard keeps the question on this machine.
    for tables, address in zip(TABLES, ("192.0.2.1", "2001:db8::1")):
        fleet.tools(NS1, "ip route; dig @%s example.com SOA +tries=1 +time=1 || true" % address)
        if tables == "iptables":
            assert dropped(tables) > 0
