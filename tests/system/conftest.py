"""A fleet of name servers in containers, deployed with this checkout, for the tests of the whole.

The oracles are dig, ldns-compare-zones and named-compilezone, and what the systems themselves say;
never the modules of the collection. Tools run in a container of their own that shares the network of
a name server's container, so that they ask from its addresses while nothing is installed on it.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "inventories" / "demo"
TOOLS_IMAGE = "dnsops-test:tools"
NS1, NS2, NS3 = HOSTS = ("ns1.example.net", "ns2.example.net", "ns3.example.net")


class Run:
    """What a playbook run said: exit code, output, and the counts of its recap by host."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.output = done.stdout
        self.recap: dict[str, dict[str, int]] = {}
        for host, counts in re.findall(r"^(\S+) +: (ok=.*)$", self.output, re.M):
            self.recap[host] = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", counts)}

    def changed(self) -> dict[str, int]:
        return {host: counts["changed"] for host, counts in self.recap.items()}

    def expect(self, code: int) -> Run:
        assert self.code == code, self.output[-8000:]
        return self


def hosts_of(group: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The hosts of a group of an inventory and of the groups in it, with their variables."""
    found: dict[str, dict[str, Any]] = {}
    for child in group.get("children", {}).values():
        for host, variables in hosts_of(child).items():
            found.setdefault(host, {}).update(variables)
    for host, variables in group.get("hosts", {}).items():
        found.setdefault(host, {}).update(variables or {})
    return found


def secrets_of(data: Any) -> list[str]:
    """The values of the keys of an inventory that are called secret."""
    if isinstance(data, dict):
        own = [value for key, value in data.items() if str(key).endswith("secret") and isinstance(value, str)]
        return own + [secret for value in data.values() for secret in secrets_of(value)]
    return [secret for value in data for secret in secrets_of(value)] if isinstance(data, list) else []


class Fleet:
    """Hosts like those of the demo, or of another such folder, with an inventory and zones that a test may change."""

    def __init__(self, directory: Path, name: str, ipv4: str, ipv6: str, like: Path = DEMO) -> None:
        self.name = name
        self.zones = directory / "zones"
        shutil.copytree(like / "zones", self.zones)
        text = (like / "hosts.yml").read_text()
        text = text.replace("dnsops-demo", name).replace("172.30.53", ipv4).replace("fd00:53:1:", ipv6)
        # Its own secret, so that what another fleet's test shows of its keys says nothing about these.
        self.master_secret = base64.b64encode(os.urandom(32)).decode()
        public = yaml.safe_load(text)["all"]["vars"]["tsig_master_secret"]
        text = text.replace(public, self.master_secret)
        self.inventory = directory / "hosts.yml"
        self.inventory.write_text(text)
        self.hosts = hosts_of(yaml.safe_load(text)["all"])

    def play(self, playbook: str, *arguments: str) -> Run:
        command = ["ansible-playbook", "-i", str(self.inventory), playbook, *arguments]
        environment = dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_FORCE_COLOR="0")
        run = Run(
            subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                check=False,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        )
        # Whatever a test does: nothing secret of the inventory is ever shown.
        for secret in secrets_of(yaml.safe_load(self.inventory.read_text())):
            assert secret not in run.output
        return run

    def site(self, *arguments: str) -> Run:
        return self.play("playbooks/site.yml", *arguments)

    def container(self, host: str) -> str:
        return self.hosts[host]["ansible_host"]

    def addresses(self, host: str) -> list[str]:
        return self.hosts[host]["dns_address"]

    def on(self, host: str, script: str) -> str:
        """Output of a shell script on a host."""
        command = ["docker", "exec", "-i", self.container(host), "sh", "-euc", script]
        return subprocess.run(command, check=True, text=True, capture_output=True).stdout

    def tools(self, host: str, script: str) -> str:
        """Output of a shell script with the tools, in the network of a host; the zones are in /zones."""
        command = ["docker", "run", "--rm", "-i", "--network", "container:%s" % self.container(host)]
        command += ["-v", "%s:/zones:ro" % self.zones, TOOLS_IMAGE, "sh", "-uc", script]
        return subprocess.run(command, check=True, text=True, capture_output=True).stdout

    def keys(self, host: str) -> dict[str, str]:
        """The TSIG keys on a host's disk: name -> ``algorithm:name:secret`` as dig takes it."""
        text = self.on(host, "cat /etc/bind/keys/*.key /etc/nsd/keys/*.key 2>/dev/null || true")
        found = {}
        for block in re.split(r"(?m)^key", text)[1:]:
            name, secret = re.findall(r'"([^"]+)"', block)
            algorithm = re.search(r"hmac-sha\d+", block)
            assert algorithm is not None
            found[name] = "%s:%s:%s" % (algorithm.group(0), name, secret)
        return found

    def self_key(self, host: str) -> str:
        return next(key for name, key in self.keys(host).items() if ".self." in name)

    def serial(self, host: str, zone: str, address: str | None = None) -> int | None:
        """The serial a server answers with authority; None where it has none."""
        command = [
            "dig",
            "@%s" % (address or self.addresses(host)[0]),
            "-p%d" % self.hosts[host].get("dns_port", 53),
            zone,
            "SOA",
            "+norecurse",
            "+tries=1",
            "+time=1",
        ]
        answer = subprocess.run(command, check=False, text=True, capture_output=True).stdout
        if "status: NOERROR" not in answer or not re.search(r"flags: qr aa", answer):
            return None
        record = re.search(r"\sSOA\s+\S+ \S+ (\d+) ", answer)
        return int(record.group(1)) if record else None

    def dropped_queries(self) -> dict[str, int]:
        """Queries that wanted to leave the network, by protocol; see molecule/shared/dns_guard.sh.

        Empty where this user may not count them.
        """
        counts = {}
        for tables in ("iptables", "ip6tables") if os.geteuid() == 0 else ():
            command = ["/usr/sbin/" + tables, "-w", "-t", "raw", "-L", self.name, "-nvx"]
            listing = subprocess.run(command, check=True, text=True, capture_output=True).stdout
            rule = re.search(r"^ *(\d+) +\d+ +DROP", listing, re.M)
            assert rule is not None, listing
            counts[tables] = int(rule.group(1))
        return counts

    def files(self, host: str) -> str:
        """Name, time and size of every file of the server. NSD writes zones late, so it is told to first."""
        if host == NS3:
            self.on(host, "nsd-control write")
        folders = "/etc/bind /etc/nsd /var/lib/bind /var/cache/bind /var/lib/nsd"
        return self.on(host, "find %s -type f -exec stat -c '%%n %%Y %%s' {} + 2>/dev/null | sort" % folders)

    def compare_with_files(self, pattern: str = "*.zone") -> None:
        """Every such zone file against what every server holds, both read by BIND's and compared by ldns' tools."""
        for host in HOSTS:
            script = "key=%s; address=%s\n" % (self.self_key(host), self.addresses(host)[0])
            script += "for file in /zones/%s; do" % pattern
            script += """
                zone=$(basename "$file" .zone)
                named-compilezone -q -i local -f text -F text -o /tmp/want "$zone" "$file" || echo "unread: $zone"
                dig +noall +answer +onesoa -y "$key" "@$address" "$zone" AXFR > /tmp/have
                test -s /tmp/have || echo "no transfer: $zone"
                ldns-compare-zones -a -e /tmp/want /tmp/have || echo "different: $zone"
                echo "compared $zone"
            done"""
            said = self.tools(host, script).splitlines()
            zones = sorted(path.stem for path in self.zones.glob(pattern))
            assert zones
            assert [line for line in said if line.startswith("compared")] == ["compared %s" % zone for zone in zones]
            wrong = [line for line in said if line.startswith(("unread", "no transfer", "different"))]
            assert not wrong, "%s: %s" % (host, said)


def wait_until(condition: Callable[[], bool], seconds: float) -> float:
    """Seconds until the condition held; fails where it does not in time."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "it did not happen within %s s" % seconds
        time.sleep(0.05)
    return time.monotonic() - start


@pytest.fixture(scope="session")
def fresh_fleet(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Fleet]:
    """Hosts on which nothing has been deployed yet; each worker has its own."""
    number = int(worker_id[2:]) if worker_id.startswith("gw") else 0
    fleet = Fleet(
        tmp_path_factory.mktemp("fleet"),
        "dnsops-system%d" % number,
        "172.30.%d" % (60 + number),
        "fd00:53:1%d:" % number,
    )
    fleet.play("molecule/shared/create.yml").expect(0)
    yield fleet
    # After all that the tests did: no name server asked anybody outside.
    dropped = fleet.dropped_queries()
    fleet.play("molecule/shared/destroy.yml").expect(0)
    assert set(dropped.values()) <= {0}, dropped


@pytest.fixture(scope="module")
def demo_zones(fleet: Fleet) -> None:
    """The zones as the demo has them, deployed: another module of the same worker may have changed them before."""
    changed = [path for path in sorted((DEMO / "zones").iterdir()) if not same_text(path, fleet.zones / path.name)]
    for path in changed:
        shutil.copy(path, fleet.zones)
    if changed:
        fleet.site("-e", "dns_allow_changes=" + ",".join(path.stem for path in changed)).expect(0)


def same_text(path: Path, other: Path) -> bool:
    return other.exists() and path.read_text() == other.read_text()


@pytest.fixture(scope="module")
def kept_zones(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Puts the zone files back after the tests that replace them all, and the servers in line with them."""
    kept = tmp_path_factory.mktemp("kept")
    shutil.copytree(fleet.zones, kept / "zones")
    yield
    shutil.rmtree(fleet.zones)
    shutil.copytree(kept / "zones", fleet.zones)
    fleet.site("-e", "dns_allow_mass_removal=true").expect(0)


class Deployment:
    """The first runs on fresh hosts, and what was seen meanwhile."""

    def __init__(self, fleet: Fleet) -> None:
        self.check = fleet.site("--check", "--diff").expect(0)
        self.after_check = {host: fleet.on(host, "ls -d /etc/bind /etc/nsd 2>/dev/null || true") for host in HOSTS}
        self.first, self.processes = watch_processes(lambda: fleet.site("-vvvv", "--diff").expect(0))


def watch_processes(action: Callable[[], Run]) -> tuple[Run, str]:
    """The result of the action, and the command lines and environments of all processes seen while it ran."""
    seen: set[bytes] = set()
    done = threading.Event()

    def sample() -> None:
        while not done.is_set():
            for process in Path("/proc").iterdir():
                if process.name.isdigit():
                    for part in ("cmdline", "environ"):
                        try:
                            seen.add((process / part).read_bytes())
                        except OSError:
                            pass
            time.sleep(0.01)

    watcher = threading.Thread(target=sample)
    watcher.start()
    try:
        result = action()
    finally:
        done.set()
        watcher.join()
    return result, b"\n".join(seen).decode(errors="replace")


@pytest.fixture(scope="session")
def deployment(fresh_fleet: Fleet) -> Deployment:
    return Deployment(fresh_fleet)


@pytest.fixture(scope="session")
def fleet(fresh_fleet: Fleet, deployment: Deployment) -> Fleet:
    """The deployed fleet. A test may change its zones and run again; it leaves all servers in sync."""
    return fresh_fleet
