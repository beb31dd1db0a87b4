"""Runs that are cut off while they work on the primary."""

from __future__ import annotations

import pytest
from system.conftest import NS1

from .cuts import ALL, DAEMON, MODULE, SOME, cut_at_point, points
from .lab import Lab


@pytest.mark.parametrize(("victim", "point"), points(ALL, fast=(DAEMON, "before-verb")))
def test_while_zones_are_published(lab: Lab, victim: str, point: str) -> None:
    cut_at_point(lab, NS1, "zone_files", victim, point)


@pytest.mark.parametrize(("victim", "point"), points(SOME, fast=(MODULE, "between")))
def test_while_the_configuration_of_bind_is_published(lab: Lab, victim: str, point: str) -> None:
    cut_at_point(lab, NS1, "config_set", victim, point)
