"""Runs that are cut off at any moment; FAULTS_SEED repeats them."""

from __future__ import annotations

import os

import pytest

from .cuts import cut_at_random
from .lab import Lab


@pytest.mark.parametrize("number", range(10))
def test_at_a_random_moment(lab: Lab, number: int) -> None:
    cut_at_random(lab, os.environ["FAULTS_SEED"], number)
