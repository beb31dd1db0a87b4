"""Runs that are cut off while they work on the NSD secondary."""

from __future__ import annotations

import pytest
from system.conftest import NS3

from .cuts import PLAYBOOK, SOME, cut_at_point, points
from .lab import Lab


@pytest.mark.parametrize(("victim", "point"), points(SOME, fast=(PLAYBOOK, "before-verb")))
def test_while_the_configuration_of_nsd_is_published(lab: Lab, victim: str, point: str) -> None:
    cut_at_point(lab, NS3, "config_set", victim, point)
