"""Options that stop the service, restarts and upgrades: one server at a time, and back where it does not work."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import pytest

from .conftest import HOSTS, NS1, NS2, NS3, Fleet, Run, wait_until
from .test_3_changes import DAEMONS

ZONES = ("2.0.192.in-addr.arpa", "example.com", "example.org")
# Secondaries first, the primary last.
ORDER = [NS2, NS3, NS1]
PACKAGES = {NS1: "bind9", NS2: "bind9", NS3: "nsd"}


class Watch:
    """Asks all servers all the time, as quickly as their rate limits let one client: who was silent, and when."""

    def __init__(self, fleet: Fleet) -> None:
        self.addresses = {host: fleet.addresses(host)[0] for host in HOSTS}
        self.rounds: list[set[str]] = []
        self.done = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.done.is_set():
            zone = ZONES[number % len(ZONES)]
            self.rounds.append({host for host in HOSTS if not self.answers(host, zone)})
            number += 1
            time.sleep(0.1)

    def answers(self, host: str, zone: str) -> bool:
        query = dns.message.make_query(zone, "SOA", flags=0)
        # Connected, so that a closed port is told at once.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(1.0)
            try:
                client.connect((self.addresses[host], 53))
                client.send(query.to_wire())
                answer = dns.message.from_wire(client.recv(4096))
            except OSError:
                return False
        return bool(answer.flags & dns.flags.AA and answer.answer)

    def silent(self) -> list[str]:
        """The servers that were silent, in the order in which they were first."""
        return list(dict.fromkeys(host for silent in self.rounds for host in sorted(silent)))


@contextmanager
def watched(fleet: Fleet) -> Iterator[Watch]:
    watch = Watch(fleet)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        watch.done.set()
        thread.join()
    assert len(watch.rounds) > 10
    assert max(len(silent) for silent in watch.rounds) <= 1, "two servers were silent at the same time"


def starts(fleet: Fleet) -> dict[str, int]:
    """When each daemon was started, in microseconds of the one clock of all containers."""
    script = "systemctl show -p ActiveEnterTimestampMonotonic --value %s"
    return {host: int(fleet.on(host, script % DAEMONS[host])) for host in HOSTS}


def all_answer(fleet: Fleet) -> None:
    for zone in ZONES:
        serials = {fleet.serial(host, zone, address) for host in HOSTS for address in fleet.addresses(host)}
        assert len(serials) == 1 and None not in serials, "%s: %s" % (zone, serials)


def restarted_in_order(before: dict[str, int], after: dict[str, int]) -> None:
    assert all(after[host] > before[host] for host in HOSTS)
    assert sorted(HOSTS, key=lambda host: after[host]) == ORDER


def upgrade(fleet: Fleet, *arguments: str) -> Run:
    return fleet.play("playbooks/upgrade.yml", *arguments)


def test_an_option_that_stops_the_service_is_taken_back(fleet: Fleet) -> None:
    """named-checkconf has nothing against it, and named takes it."""
    option = "allow-query-on { none; };"
    checked = "echo 'options { %s };' > /root/c; named-checkconf /root/c; rm /root/c" % option
    fleet.on(NS1, checked)
    before, started = {host: fleet.on(host, "cat /etc/bind/named.conf") for host in (NS1, NS2)}, starts(fleet)
    with watched(fleet) as watch:
        run = fleet.site("-e", '{"bind_extra_options": "%s", "bind_timeout": 20}' % option)
    assert run.code != 0
    # It was live, on one server after the other.
    assert set(watch.silent()) == {NS1, NS2}
    output = " ".join(run.output.split())
    for host in (NS1, NS2):
        assert run.recap[host]["failed"] == 1 and run.recap[host]["changed"] == 0
        assert fleet.on(host, "cat /etc/bind/named.conf") == before[host]
    told = re.search(
        r"\(rndc reconfig\): it does not answer any more for 3 zones that it answered before \((.*?)\)", output
    )
    assert told is not None and told.group(1) == ", ".join(ZONES)
    assert "the server answers REFUSED. The old files are back, and the server answers with them. Mend what" in output
    all_answer(fleet)
    assert starts(fleet) == started, "nothing was restarted"


def test_nsd_restarts_for_its_options_in_a_play_of_its_own(fleet: Fleet) -> None:
    started = starts(fleet)
    setting = ("-e", "nsd_secondary_rate_limit=301")
    foreseen = fleet.site("--check", *setting).expect(0)
    assert foreseen.changed() == {NS1: 0, NS2: 0, NS3: 1}
    with watched(fleet):
        run = fleet.site(*setting).expect(0)
    assert run.changed() == {NS1: 0, NS2: 0, NS3: 1}
    play = run.output.split("PLAY [Restart one server at a time")[1]
    assert "changed: [%s]" % NS3 in play
    now = starts(fleet)
    assert now[NS3] > started[NS3] and (now[NS1], now[NS2]) == (started[NS1], started[NS2])
    assert "rrl-ratelimit: 301" in fleet.on(NS3, "cat /etc/nsd/nsd.conf")
    # Back again, while no other server answers: it stays as it is, and the run says so.
    fleet.on(NS1, "systemctl stop named")
    fleet.on(NS2, "systemctl stop named")
    try:
        run = fleet.site("--limit", NS3, "-e", "dns_verify_timeout=5")
    finally:
        fleet.on(NS1, "systemctl start named")
        fleet.on(NS2, "systemctl start named")
    assert run.code != 0 and run.changed()[NS3] == 0
    assert "failed: %s, roll: stopped" % NS3 in run.output
    assert "stays as it is, for no other server is in sync for 3 of its zones" in run.output
    assert starts(fleet)[NS3] == now[NS3]
    fleet.site().expect(0)
    assert starts(fleet)[NS3] > now[NS3]


@pytest.fixture
def newer_packages(fleet: Fleet) -> Iterator[None]:
    """A repository with a higher version of the servers' packages on each host, and no other."""
    for host, package in PACKAGES.items():
        fleet.on(
            host,
            """
            cp -a /var/lib/apt/lists /etc/apt/sources.list.d /root
            mkdir /srv/new
            dpkg-deb -R /var/cache/apt/archives/{0}_*.deb /srv/new/tree
            sed -i 's/^Version: .*/&+new1/' /srv/new/tree/DEBIAN/control
            dpkg-deb -Zgzip -b /srv/new/tree /srv/new/{0}.deb
            cd /srv/new
            dpkg-deb -f {0}.deb > Packages
            echo "Filename: ./{0}.deb" >> Packages
            echo "Size: $(stat -c %s {0}.deb)" >> Packages
            echo "SHA256: $(sha256sum {0}.deb | cut -d ' ' -f 1)" >> Packages
            rm -r /etc/apt/sources.list.d/*
            echo 'deb [trusted=yes] file:/srv/new ./' > /etc/apt/sources.list.d/new.list
            """.format(package),
        )
    yield
    for host in HOSTS:
        fleet.on(
            host,
            """
            rm -r /srv/new /var/lib/apt/lists /etc/apt/sources.list.d
            mv /root/lists /var/lib/apt; mv /root/sources.list.d /etc/apt
            """,
        )


def test_packages_are_upgraded_one_server_at_a_time(fleet: Fleet, newer_packages: None) -> None:
    def versions() -> dict[str, str]:
        return {host: fleet.on(host, "dpkg-query -W -f '${Version}' %s" % PACKAGES[host]) for host in HOSTS}

    before, started = versions(), starts(fleet)
    for host in HOSTS:  # in check mode nothing is updated, the lists of packages neither
        fleet.on(host, "apt-get update -qq")
    foreseen = upgrade(fleet, "--check").expect(0)
    assert min(foreseen.changed().values()) >= 1
    assert (versions(), starts(fleet)) == (before, started)
    with watched(fleet) as watch:
        run = upgrade(fleet).expect(0)
    # The packages' own scripts have restarted them, and nothing did again.
    assert run.changed() == dict.fromkeys(HOSTS, 1)
    assert versions() == {host: version + "+new1" for host, version in before.items()}
    now = starts(fleet)
    restarted_in_order(started, now)
    assert [host for host in ORDER if host in watch.silent()] == watch.silent()
    all_answer(fleet)
    assert set(upgrade(fleet).expect(0).changed().values()) == {0}
    assert starts(fleet) == now


def test_a_server_that_does_not_come_back_stops_the_roll(fleet: Fleet) -> None:
    fleet.on(
        NS3,
        """
        mkdir -p /etc/systemd/system/nsd.service.d
        printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' > /etc/systemd/system/nsd.service.d/broken.conf
        systemctl daemon-reload
        """,
    )
    started = starts(fleet)
    try:
        with watched(fleet):
            run = upgrade(fleet, "-e", "dns_restart=true")
    finally:
        fleet.on(NS3, "rm -r /etc/systemd/system/nsd.service.d; systemctl daemon-reload; systemctl reset-failed nsd")
    assert run.code != 0
    stopped = starts(fleet)
    assert stopped[NS2] > started[NS2] and stopped[NS1] == started[NS1], "the primary was not touched"
    line = next(line for line in run.output.splitlines() if line.startswith("failed: %s, roll: stopped" % NS3))
    assert "Restart the server: " in line and line.endswith("; not touched therefore: %s)" % NS1)
    assert re.search(r"^example.com .* no answer +FAILED: %s" % NS3, run.output, re.M), "the table shows"
    # Mended; from now on each of them is restarted while the others answer.
    fleet.on(NS3, "systemctl start nsd")
    wait_until(lambda: all(fleet.serial(NS3, zone) is not None for zone in ZONES), 10)
    started = starts(fleet)
    with watched(fleet) as watch:
        run = upgrade(fleet, "-e", "dns_restart=true").expect(0)
    assert run.changed() == dict.fromkeys(HOSTS, 1)
    restarted_in_order(started, starts(fleet))
    assert [host for host in ORDER if host in watch.silent()] == watch.silent()
    all_answer(fleet)
    fleet.compare_with_files()
