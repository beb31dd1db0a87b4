"""The labs of the tests of faults, one for each worker, and what divides these tests into two lanes."""

from __future__ import annotations

import os
import random
import time
from typing import Iterator

import pytest
from system.conftest import HOSTS

from .lab import Lab


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fast: part of `make test`; the others are for `make test-faults`")
    # Workers inherit it.
    os.environ.setdefault("FAULTS_SEED", str(random.randrange(1 << 32)))


def pytest_report_header() -> str:
    return "random moments: FAULTS_SEED=%s" % os.environ["FAULTS_SEED"]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Lab]:
    """Deployed and asked. A test leaves all servers in sync."""
    number = int(worker_id[2:]) if worker_id.startswith("gw") else 0
    lab = Lab(
        tmp_path_factory.mktemp("lab"), "dnsops-faults%d" % number, "172.30.7%d" % number, "fd00:53:7%d:" % number
    )
    try:
        lab.create()
        lab.configure("all")
        lab.change()
        lab.site().expect(0)
        lab.wait_for_agreement()
        with lab.resolver:
            yield lab
            start = time.monotonic()
            assert lab.site().expect(0).changed() == dict.fromkeys(HOSTS, 0)
            print("a run without a change: %.0f s" % (time.monotonic() - start))
            lab.expect_no_leftovers()
            lab.expect_good_service(lab.resolver.turn(), "after all events")
        dropped = lab.dropped_queries()
        assert set(dropped.values()) <= {0}, dropped
    finally:
        lab.play("molecule/shared/destroy.yml").expect(0)


@pytest.fixture(autouse=True)
def _lane(lab: Lab, request: pytest.FixtureRequest) -> None:
    lab.lane = "fast" if request.node.get_closest_marker("fast") else "rest"
    lab.save("about", lab.about())
