"""Tests with clouds, none of them real."""

from __future__ import annotations
