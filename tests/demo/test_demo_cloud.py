"""The demo with Cloudflare and Route 53, as somebody runs it who wants to see a change arrive there."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from test_demo import ROOT, containers

SERVERS = ["ns1.example.net", "ns2.example.net", "ns3.example.net", "cloudflare", "route53"]


def make(target: str) -> subprocess.CompletedProcess[str]:
    # As from a shell, not from the make that runs the tests.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", target],
        cwd=ROOT,
        env=environment,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def test_demo_cloud() -> None:
    if containers("--all"):
        pytest.skip("a demo is there already, and this test would take it down")
    demo = make("demo-cloud")
    try:
        assert demo.returncode == 0, demo.stdout[-4000:]
        assert len(containers()) == 4
        lines = demo.stdout.splitlines()
        headers = [line.split() for line in lines if re.match("zone +ns1", line)]
        assert headers == [["zone", *SERVERS, "verdict"]] * 2
        before, after = [re.split(r" {2,}", line) for line in lines if re.match(r"example\.com ", line)]
        for row in (before, after):
            assert len(set(row[1:6])) == 1 and row[6].startswith("ok: "), row
        assert int(after[1]) > int(before[1])
        answers = [line.split(": ")[1] for line in lines if line.startswith("dig @") and "+short" in line]
        assert answers == ["192.0.2.181"] * 5
    finally:
        down = make("demo-down")
    assert down.returncode == 0
    assert containers("--all") == []
