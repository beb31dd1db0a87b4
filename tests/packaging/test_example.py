"""inventories/example as it is shipped: understood as it stands, and refused until it has a secret of its own."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECRET = {"vault_tsig_master_secret": base64.b64encode(os.urandom(32)).decode()}


@pytest.fixture
def example(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "inventories" / "example", tmp_path / "dns")
    return tmp_path / "dns"


def ansible(program: str, example: Path, *arguments: str) -> tuple[int, str]:
    """Exit status and output of a run from another folder, with Ansible's own defaults and nothing but the checkout."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(example.parent),
        "LANG": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
    }
    command = [program, "-i", str(example / "my_inventory"), *arguments]
    done = subprocess.run(
        command,
        cwd=example.parent,
        env=environment,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.returncode, done.stdout


def plan(example: Path, *arguments: str) -> tuple[int, str]:
    """What the first task of site says; it needs no connection to a host."""
    return ansible(
        "ansible", example, "ns1.example.net", "-m", "dnsops.redundant_dns.plan", "-a", "content=true", *arguments
    )


def test_no_mistake_and_no_warning(example: Path) -> None:
    for playbook in ("site", "verify"):
        code, said = ansible("ansible-playbook", example, "--syntax-check", "dnsops.redundant_dns." + playbook)
        assert code == 0, said
    code, said = plan(example, "-e", json.dumps(SECRET))
    assert code == 0 and "[WARNING]" not in said, said
    for zone in ("example.com", "example.net", "internal.example.com"):
        assert '"%s": {' % zone in said


def test_it_needs_a_secret_of_its_own(example: Path) -> None:
    vault = example / "my_inventory" / "group_vars" / "all" / "vault.yml"
    wanted = "Make one with  openssl rand -base64 32  and keep it in a file encrypted with ansible-vault."
    code, said = plan(example)
    unresolved = "the variable tsig_master_secret cannot be resolved: 'vault_tsig_master_secret' is undefined."
    assert code != 0 and unresolved in said and wanted in said, said

    # The placeholder, untouched.
    shutil.copy(vault.with_name("vault.yml.example"), vault)
    code, said = plan(example)
    assert code != 0 and "tsig_master_secret is not base64. " + wanted in said, said

    vault.write_text(json.dumps(SECRET), encoding="utf-8")
    assert plan(example)[0] == 0
