"""The README's first command, as a newcomer runs it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "inventories" / "demo"
HOSTS = ["ns1.example.net", "ns2.example.net", "ns3.example.net"]
NETWORK = "dnsops-demo"


def containers(*arguments: str) -> list[str]:
    command = ["docker", "ps", "--filter", "label=dnsops.redundant_dns=%s" % NETWORK, "--format", "{{.Names}}"]
    command += arguments
    return sorted(subprocess.run(command, check=True, text=True, capture_output=True).stdout.split())


def test_demo() -> None:
    if containers("--all"):
        pytest.skip("a demo is there already, and this test would take it down")
    # As from a shell, not from the make that runs the tests.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    demo = subprocess.run(
        ["make", "demo"],
        cwd=ROOT,
        env=environment,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        assert demo.returncode == 0, demo.stdout[-4000:]
        assert len(containers()) == 3
        lines = demo.stdout.splitlines()
        table = [line for line in lines if re.search(r"( +\d+){3} +ok: serial, transfer, content$", line)]
        assert [line.split()[0] for line in table] == sorted(path.stem for path in (DEMO / "zones").glob("*.zone"))
        last = [line for line in lines if line][-3:]
        assert [line.split(":")[0] for line in last] == ["Query a server", "Change a record", "Take it down"]

        # The query it tells, and every other server and address.
        told = re.search(r"dig @\S+ \S+ SOA", last[0])
        assert told is not None
        servers = yaml.safe_load((DEMO / "hosts.yml").read_text())["all"]["children"].values()
        addresses = [a for group in servers for host in group["hosts"].values() for a in host["dns_address"]]
        for query in [told.group(0)] + ["dig @%s example.com SOA" % address for address in addresses]:
            answer = subprocess.run(query.split(), check=False, text=True, capture_output=True).stdout
            assert "status: NOERROR" in answer and "flags: qr aa" in answer, query

        # By hand, as it tells.
        command = re.search(r"\.venv/bin/ansible-playbook .*", last[1])
        assert command is not None
        again = subprocess.run(command.group(0).split(), cwd=ROOT, check=False, text=True, stdout=subprocess.PIPE)
        assert again.returncode == 0
        assert re.findall(r"^(\S+) +: .*changed=0 ", again.stdout, re.M) == HOSTS
    finally:
        down = subprocess.run(["make", "demo-down"], cwd=ROOT, check=False, text=True, capture_output=True)
    assert down.returncode == 0
    assert containers("--all") == []
    networks = subprocess.run(
        ["docker", "network", "ls", "--format", "{{.Name}}"], check=False, text=True, capture_output=True
    ).stdout
    assert NETWORK not in networks.split()
