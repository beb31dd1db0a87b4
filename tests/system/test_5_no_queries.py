"""No name server asks anybody outside. What all tests of a fleet let out is counted when it's taken down."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from .conftest import NS1, NS2, Fleet

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="without root nothing counts the queries that leave")


@pytest.fixture(scope="module")
def other_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Hosts that nothing is deployed on: what leaves them must not be put down to the deployed ones."""
    fleet = Fleet(tmp_path_factory.mktemp("other"), "dnsops-system-leak", "172.30.65", "fd00:53:19:")
    fleet.play("molecule/shared/create.yml").expect(0)
    yield fleet
    fleet.play("molecule/shared/destroy.yml").expect(0)


@as_root
def test_queries_that_leave_are_counted(other_fleet: Fleet) -> None:
    """The positive control, with documentation addresses; the guard keeps the questions on this machine."""
    assert other_fleet.dropped_queries() == {"iptables": 0, "ip6tables": 0}
    other_fleet.tools(NS1, "dig @192.0.2.1 example.com SOA +tries=1 +time=1 || true")
    assert other_fleet.dropped_queries()["iptables"] > 0
    # To its own network nothing is in the way.
    address = other_fleet.addresses(NS2)[0]
    before = other_fleet.dropped_queries()
    other_fleet.tools(NS1, "dig @%s example.com SOA +tries=1 +time=1 || true" % address)
    assert other_fleet.dropped_queries() == before
