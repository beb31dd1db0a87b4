"""A fleet with a load client that asks it all the time, and what a test can do to it.

Every zone has a version in some of its records. What the load client may see of a version begins when the version is
handed to publishing, and what it may see of the one before ends when all servers have been seen with the new one.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, NamedTuple

import yaml
from system.conftest import HOSTS, NS1, NS2, NS3, ROOT, Fleet, Run

from .resolver import Catalogue, Counts, Resolver, older

# For the table; a folder for each lane.
ROWS = ROOT / ".cache" / "faults"
UNITS = {NS1: "named", NS2: "named", NS3: "nsd"}
ZONES = ("a.example", "b.example", "c.example", "d.example")
# For the event with many zones.
MANY = tuple("many%d.example" % number for number in range(200))
# What secondaries wait that got no NOTIFY, in seconds; in practice hours. BIND waits five minutes at least.
REFRESH, RETRY = 4, 2
ON_TARGET = "/usr/local/lib/dnsops-faults"
# As in on_target.
CONTROL, STOPPED, LAST_MODULE = ("/run/dnsops-faults." + name for name in ("control", "stopped", "module"))
RUN_SECONDS = 180

# A check that waits for a server that is meant to be broken need not wait long.
SHORT = ("-e", "dns_verify_timeout=5")


def zone_text(zone: str, version: int) -> str:
    """A zone file; few of its records have the version, so that a new one is a small change."""
    lines = ["$TTL 5", "@ SOA ns1.example.net. hostmaster.example.net. 1 %d %d 1209600 5" % (REFRESH, RETRY)]
    lines += ["@ NS %s." % host for host in HOSTS]
    lines += ['version TXT "%d"' % version, "www A 10.53.%d.%d" % divmod(version, 256), "www AAAA fd00::%x" % version]
    if zone in ZONES:
        # More than an answer over UDP may have.
        lines += ['long TXT "%d %s"' % (number, "x" * 40) for number in range(40)]
        lines += ['long TXT "version %d"' % version]
    return "\n".join(lines) + "\n"


class Answer(NamedTuple):
    serial: int
    version: int


class Event:
    """What is measured while something happens; ``seconds`` count from ``begin``, or from the start of the event."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.seconds: float | None = None
        self._since = time.monotonic()

    def begin(self) -> None:
        self._since = time.monotonic()

    def end(self) -> None:
        self.seconds = time.monotonic() - self._since


class Lab(Fleet):
    """The fleet, its zones, its load client."""

    def __init__(self, directory: Path, name: str, ipv4: str, ipv6: str) -> None:
        super().__init__(directory, name, ipv4, ipv6)
        # Modules run with a Python that can stop them at a point; see on_target.
        text = re.sub(
            r"(?m)^( +)ansible_host: .*$", r"\g<0>\n\1ansible_python_interpreter: %s/python" % ON_TARGET,
            self.inventory.read_text(),
        )  # fmt: skip
        self.inventory.write_text(text)
        (directory / "group_vars").mkdir()
        self.variables: dict[str, dict[str, object]] = {
            "all": {"dns_verifier_addresses": [ipv4 + ".1", ipv6 + ":1"]},
            "bind_primary": {},
            "nsd_secondary": {},
        }
        for path in self.zones.iterdir():
            path.unlink()
        self.versions: dict[str, int] = {}
        self._numbers = itertools.count(1)
        self.catalogue = Catalogue()
        servers = {host: [(address, 53) for address in self.addresses(host)] for host in HOSTS}
        self.resolver = Resolver(servers, self.catalogue)
        self._floor: dict[str, int] = {}
        self.lane = ""
        # How long a run takes, by the last one.
        self.run_seconds = 0.0

    def create(self) -> None:
        self.play("molecule/shared/create.yml").expect(0)
        for host in HOSTS:
            source = Path(__file__).parent / "on_target"
            subprocess.run(["docker", "cp", "-q", str(source), self.container(host) + ":" + ON_TARGET], check=True)

    def about(self) -> dict[str, object]:
        """For the table: what the measurements depend on."""
        return {
            "bind": self.on(NS1, "named -v").split()[1].split("-")[0],
            "nsd": self.on(NS3, "nsd -v 2>&1").split()[2],
            "rate": round(1 / self.resolver.interval),
            "refresh": REFRESH,
            "retry": RETRY,
        }

    def site(self, *arguments: str) -> Run:
        start = time.monotonic()
        run = super().site(*arguments)
        if not arguments:
            self.run_seconds = time.monotonic() - start
        return run

    # --- what is published -------------------------------------------------------------------------------------------

    def write(self, zone: str, more: str = "") -> str:
        """A new version of a zone's file, which is returned; nobody may answer with it yet."""
        self.versions[zone] = next(self._numbers)
        text = zone_text(zone, self.versions[zone]) + more
        (self.zones / (zone + ".zone")).write_text(text)
        return text

    def change(self, *zones: str) -> None:
        """New versions, which the servers may answer with from now on."""
        for zone in zones or ZONES:
            self.catalogue.offer(zone, self.write(zone))

    def configure(self, group: str, **variables: object) -> None:
        """Variables of a group; those that are None go."""
        self.variables[group].update(variables)
        values = {name: value for name, value in self.variables[group].items() if value is not None}
        (self.inventory.parent / "group_vars" / (group + ".yml")).write_text(yaml.safe_dump(values))

    def new_settings(self, host: str) -> None:
        """Change two files of the host's configuration and no other host's."""
        number = next(self._numbers)
        if host == NS1:
            self.configure("bind_primary", bind_max_journal_size="%dk" % (10000 + number))
            extra = {"bind_primary": "max-journal-size %dk;" % (10000 + number)}
        else:
            self.configure("nsd_secondary", nsd_secondary_rate_limit=1000 + number)
            extra = {"nsd_secondary": "max-refresh-time: %d" % (10000 + number)}
        self.configure("all", dns_zones=[{"name": ZONES[0], "extra": extra}])

    # --- what is served ----------------------------------------------------------------------------------------------

    def ask(self, address: str, zones: list[str]) -> dict[str, Answer]:
        """What one address says with authority of each zone, asked by one dig; over TCP, where nothing is limited."""
        command = ["dig", "-f", "-", "@" + address, "+tcp", "+norecurse", "+tries=1", "+time=1"]
        command += ["+noall", "+comments", "+answer"]
        questions = "".join("%s SOA\nversion.%s TXT\n" % (zone, zone) for zone in zones)
        said = subprocess.run(command, input=questions, text=True, capture_output=True, check=False).stdout
        serials = dict(re.findall(r"(?m)^(\S+)\.\s+\d+\s+IN\s+SOA\s+\S+ \S+ (\d+) ", said))
        versions = dict(re.findall(r'(?m)^version\.(\S+)\.\s+\d+\s+IN\s+TXT\s+"(\d+)"', said))
        whole = [zone for zone in zones if zone in serials and zone in versions]
        return {zone: Answer(int(serials[zone]), int(versions[zone])) for zone in whole}

    def agree(self) -> bool:
        """Whether every address of every server has one serial and the newest version of every zone."""
        zones = self.catalogue.zones()
        first: dict[str, Answer] | None = None
        for host in HOSTS:
            for address in self.addresses(host):
                have = self.ask(address, zones)
                first = first or have
                newest = all(zone in have and have[zone].version == self.versions[zone] for zone in zones)
                if have != first or not newest:
                    return False
        assert first is not None
        for zone, answer in first.items():
            floor = self._floor.get(zone)
            assert floor is None or not older(answer.serial, floor), "%s went back: %s, %d" % (zone, answer, floor)
            self._floor[zone] = answer.serial
            self.catalogue.settle(zone)
            for host in HOSTS:
                self.resolver.saw(host, zone, answer.serial)
        return True

    def wait_for_agreement(self, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not self.agree():
            assert time.monotonic() < deadline, "no agreement within %d s" % seconds
            # Each question for all zones takes a part of the machine.
            time.sleep(0.2)

    @contextmanager
    def until_agreed(self, event: Event, seconds: float = RUN_SECONDS) -> Iterator[None]:
        """Note when all servers agree on what has just been changed, while something else goes on."""
        failures: list[BaseException] = []

        def watch() -> None:
            try:
                self.wait_for_agreement(seconds)
                event.end()
            except BaseException as error:
                failures.append(error)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            watcher.join()
        if failures:
            raise failures[0]

    @contextmanager
    def event(self, section: str, title: str) -> Iterator[Event]:
        """Measure what happens within; red where the service left a query unanswered or gave a wrong answer."""
        self.expect_good_service(self.resolver.turn(), "before: %s" % title)
        event = Event(title)
        yield event
        counts = self.resolver.turn()
        self._save_row(section, event, counts)
        print(title, counts, event.seconds)
        self.expect_good_service(counts, title)

    def _save_row(self, section: str, event: Event, counts: Counts) -> None:
        row = {
            "section": section,
            "event": event.title,
            "queries": counts.queries,
            "unanswered": counts.unanswered,
            "wrong": counts.wrong,
            "old": counts.old,
            "failed": [counts.failed[host] for host in HOSTS],
            "seconds": event.seconds,
        }
        self.save(re.sub(r"\W+", "-", "%s-%s" % (section, event.title)) + ".json", row)

    def save(self, name: str, data: dict[str, object]) -> None:
        """For the table; see table.py."""
        (ROWS / self.lane).mkdir(parents=True, exist_ok=True)
        (ROWS / self.lane / name).write_text(json.dumps(data))

    def expect_good_service(self, counts: Counts, title: str) -> None:
        assert (counts.unanswered, counts.wrong, counts.old) == (0, 0, 0), "%s: %s" % (
            title,
            "\n".join(counts.problems),
        )

    # --- runs that are cut off ---------------------------------------------------------------------------------------

    def start(self, *arguments: str) -> Started:
        return Started(self, ["-i", str(self.inventory), "playbooks/site.yml", *arguments])

    def processes(self) -> dict[str, str]:
        return {host: self.on(host, "systemctl show -p MainPID --value %s" % UNITS[host]) for host in HOSTS}

    def kill_daemon(self, host: str) -> None:
        self.on(host, "systemctl kill --signal KILL %s || true" % UNITS[host])

    def expect_whole_files(self) -> None:
        """Every file that a daemon would start from is one that it can start from."""
        self.on(
            NS1,
            """
            for file in /var/lib/bind/primary/*.zone; do
                named-checkzone -q -i local "$(basename "$file" .zone)" "$file" || { echo "$file"; exit 1; }
            done
            named-checkconf
            """,
        )
        self.on(NS3, "nsd-checkconf /etc/nsd/nsd.conf")

    def expect_no_leftovers(self) -> None:
        for host in HOSTS:
            script = "find /etc/bind /var/lib/bind /var/cache/bind /etc/nsd /var/lib/nsd"
            script += " '(' -name '.staging-*' -o -name '*.new' ')' 2>/dev/null || true"
            assert self.on(host, script) == "", host


class Started:
    """A playbook that runs while the test does something else."""

    def __init__(self, lab: Lab, arguments: list[str]) -> None:
        self.lab = lab
        self._output = tempfile.TemporaryFile(mode="w+")
        environment = dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_FORCE_COLOR="0")
        self._process = subprocess.Popen(
            ["ansible-playbook", *arguments], cwd=ROOT, env=environment, stdout=self._output, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.kill()
        self._output.close()

    def over(self) -> bool:
        return self._process.poll() is not None

    def wait(self, seconds: float) -> None:
        """:raises TimeoutError: where the run is not over by then."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None

    def said(self) -> str:
        self._output.seek(0)
        return self._output.read()

    def kill(self) -> None:
        """SIGKILL for ansible-playbook and all that it started, which are in sessions of their own."""
        for process in descendants(self._process.pid) if not self.over() else ():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._process.wait()

    def finish(self) -> Run:
        code = self._process.wait(RUN_SECONDS)
        return Run(subprocess.CompletedProcess([], code, self.said()))

    def wait_for_stop(self, host: str) -> str:
        """The id of the module on the host that stopped itself at the point that the host was told."""
        script = "until cat %s 2>/dev/null; do sleep 0.02; done; rm %s" % (STOPPED, STOPPED)
        command = ["docker", "exec", self.lab.container(host), "timeout", str(RUN_SECONDS), "sh", "-c", script]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as waiting:
            while waiting.poll() is None and not self.over():
                time.sleep(0.05)
            if waiting.poll() is None:
                waiting.kill()
                raise AssertionError("the run ended before that point: %s" % self.said()[-4000:])
            return waiting.stdout.read().strip() if waiting.stdout else ""


def descendants(process: int) -> list[int]:
    """The process and all that come from it, children after their parents."""
    found = [process]
    for each in found:
        for children in Path("/proc/%d/task" % each).glob("*/children"):
            try:
                found += [int(child) for child in children.read_text().split()]
            except OSError:
                pass
    return found
