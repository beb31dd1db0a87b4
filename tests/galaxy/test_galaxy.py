"""The collection as a stranger gets it: built, installed, and run with a copy of the example from another folder."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Done = subprocess.CompletedProcess[str]
HOSTS = ["ns1.example.net", "ns2.example.net", "ns3.example.net"]
NETWORK, IPV4, IPV6 = "dnsops-galaxy", "172.30.82", "fd00:53:82:"
# What the example has, and what it is on this machine.
FILLED_IN = {
    "192.0.2.53": IPV4 + ".11",
    "198.51.100.53": IPV4 + ".12",
    "203.0.113.53": IPV4 + ".13",
    "2001:db8:1::53": IPV6 + ":11",
    "2001:db8:2::53": IPV6 + ":12",
    "2001:db8:3::53": IPV6 + ":13",
    "ns1.mgmt.example.net": NETWORK + "-ns1",
    "ns2.mgmt.example.net": NETWORK + "-ns2",
    "ns3.mgmt.example.net": NETWORK + "-ns3",
}
CONTAINERS = """
ansible_connection: community.docker.docker
container_image: dnsops-test:debian13
container_network: {name: %s, ipv4: %s.0/24, ipv6: "%s:/64"}
""" % (NETWORK, IPV4, IPV6)


def run(
    command: list[str], folder: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def succeeds(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    done = run(command, folder, environment)
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


class Stranger:
    """A user with an empty home, whose Ansible knows nothing of the checkout but the programs in its .venv."""

    def __init__(self, folder: Path) -> None:
        self.collections = folder / "collections"
        self.folder = folder / "elsewhere"
        self.folder.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
        }
        self.example = folder / "dns"
        self.inventory = self.example / "my_inventory"
        self.password = folder / "password"
        self.password.write_text("a password\n", encoding="utf-8")

    def install(self) -> list[str]:
        """Build and install the collection; the names of the files in the tarball."""
        succeeds(["ansible-galaxy", "collection", "build", str(ROOT)], self.folder, self.environment)
        (tarball,) = self.folder.glob("*.tar.gz")
        command = ["ansible-galaxy", "collection", "install", "--offline", str(tarball), "-p", str(self.collections)]
        succeeds(command, self.folder, self.environment)
        with tarfile.open(tarball) as content:
            return content.getnames()

    def copy_example(self) -> None:
        """Copy the example from where it was installed, and fill in everything but the secret."""
        shutil.copytree(self.collections / "ansible_collections/dnsops/redundant_dns/inventories/example", self.example)
        texts = {path: path.read_text(encoding="utf-8") for path in self.example.rglob("*") if path.is_file()}
        assert [wanted for wanted in FILLED_IN if not any(wanted in text for text in texts.values())] == []
        for path, text in texts.items():
            for example, real in FILLED_IN.items():
                text = text.replace(example, real)
            path.write_text(text, encoding="utf-8")
        (self.inventory / "group_vars/all/containers.yml").write_text(CONTAINERS, encoding="utf-8")

    def add_secret(self) -> None:
        """As vault.yml.example says."""
        vault = self.inventory / "group_vars/all/vault.yml"
        secret = base64.b64encode(os.urandom(32)).decode()
        vault.write_text("vault_tsig_master_secret: %s\n" % secret, encoding="utf-8")
        command = ["ansible-vault", "encrypt", "--vault-password-file", str(self.password), str(vault)]
        succeeds(command, self.folder, self.environment)

    def site(self, *arguments: str) -> Done:
        command = ["ansible-playbook", "-i", str(self.inventory), "dnsops.redundant_dns.site"]
        command += ["--vault-password-file", str(self.password), *arguments]
        return run(command, self.folder, self.environment)

    def lab(self, playbook: str) -> None:
        """Create or destroy the containers, with the checkout's own tools."""
        command = ["ansible-playbook", "-i", str(self.inventory), "molecule/shared/%s.yml" % playbook]
        succeeds([*command, "--vault-password-file", str(self.password)], ROOT)


def answer(address: str, zone: str) -> str:
    command = ["dig", "@" + address, zone, "SOA", "+norecurse", "+tries=1", "+time=2"]
    return run(command, ROOT).stdout


def test_galaxy(tmp_path: Path) -> None:
    if "dnsops-galaxy" in succeeds(["docker", "network", "ls", "--format", "{{.Name}}"], ROOT).split():
        pytest.fail("the network dnsops-galaxy is there already: a run that was broken off left it; remove it")
    stranger = Stranger(tmp_path)

    # What is only for work on the collection stays at home; the example goes along.
    names = stranger.install()
    assert {"playbooks/site.yml", "inventories/example/my_inventory/hosts.yml", "requirements.txt"} <= set(names)
    tops = {name.split("/")[0] for name in names}
    assert tops == {
        *("FILES.json", "LICENSE", "MANIFEST.json", "README.md", "changelogs", "inventories", "meta", "playbooks"),
        *("plugins", "requirements.txt", "roles"),
    }
    assert [name for name in names if "demo" in name or "__pycache__" in name or "changelogs/fragments" in name] == []

    stranger.copy_example()
    refused = stranger.site()
    assert refused.returncode != 0
    assert "tsig_master_secret cannot be resolved: 'vault_tsig_master_secret' is undefined" in " ".join(
        refused.stdout.split()
    )
    assert "unreachable=1" not in refused.stdout, "a host was touched"

    stranger.add_secret()
    try:
        stranger.lab("create")
        first = stranger.site("-vvv")
        assert first.returncode == 0, first.stdout[-6000:]
        assert re.search(r"^\d+ checks ok, 0 failed, 0 not checked$", first.stdout, re.M)

        # All that ran came from the installed collection: the paths of plays, tasks and modules are in the output.
        assert "config file = None" in first.stdout
        assert str(stranger.collections / "ansible_collections/dnsops/redundant_dns/playbooks/site.yml") in first.stdout
        for folder in ("playbooks", "plugins", "roles", "molecule", "inventories", ".cache/collections"):
            assert "%s/%s" % (ROOT, folder) not in first.stdout
        # Nothing for a newcomer to wonder about.
        assert "[WARNING]" not in first.stdout and "[DEPRECATION" not in first.stdout

        second = stranger.site()
        assert second.returncode == 0, second.stdout[-6000:]
        assert re.findall(r"^(\S+) +: .*changed=0 ", second.stdout, re.M) == HOSTS
        rows = re.findall(r"^(\S+)((?: +(?:\d+|-)){3}) +ok: ", second.stdout, re.M)
        assert {zone: serials.split() for zone, serials in rows} == {
            "example.com": ["1", "1", "1"],
            "example.net": ["1", "1", "1"],
            "internal.example.com": ["1", "1", "-"],
        }

        for number, zones in enumerate((3, 3, 2), start=11):
            for address in ("%s.%d" % (IPV4, number), "%s:%d" % (IPV6, number)):
                for zone in ["example.com", "example.net", "internal.example.com"][:zones]:
                    said = answer(address, zone)
                    assert "status: NOERROR" in said and "flags: qr aa" in said, said
    finally:
        stranger.lab("destroy")
