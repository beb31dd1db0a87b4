"""What happens in the life of a fleet, while it is asked."""

from __future__ import annotations

import subprocess

import pytest
from system.conftest import NS1, NS2, NS3

from .lab import MANY, SHORT, ZONES, Lab

CHANGES = "Changes"
SERVERS = "Servers and the network"


@pytest.mark.fast
def test_a_broken_zone(lab: Lab) -> None:
    """An X.25 address has digits only, which named alone insists on."""
    broken, *others = ZONES
    with lab.event(CHANGES, "zones change, one of them broken: red, the others agree") as event:
        served = lab.versions[broken]
        lab.write(broken, more="x X25 abc\n")
        lab.versions[broken] = served
        lab.change(*others)
        with lab.until_agreed(event):
            run = lab.site(*SHORT)
        assert run.code != 0 and "near 'abc'" in run.output
        assert lab.agree()
    lab.change(broken)
    lab.site().expect(0)
    lab.wait_for_agreement()


@pytest.mark.fast
def test_an_option_that_the_checker_refuses(lab: Lab) -> None:
    with lab.event(CHANGES, "zones change, an option that named-checkconf refuses: red, all agree") as event:
        lab.configure("all", bind_extra_options="no-such-option yes;")
        lab.change()
        with lab.until_agreed(event):
            run = lab.site(*SHORT)
        assert run.code != 0 and "no-such-option" in run.output
        lab.configure("all", bind_extra_options=None)
    lab.site().expect(0)


@pytest.mark.fast
def test_an_option_that_stops_the_answers(lab: Lab) -> None:
    """On both servers with BIND; what refuses to answer is seen by asking alone."""
    with lab.event(CHANGES, "an option that stops the answers of BIND: red, the old one is back, all agree") as event:
        lab.configure("all", bind_extra_options="allow-query-on { none; };")
        lab.change()
        with lab.until_agreed(event):
            run = lab.site("-e", "bind_timeout=5", *SHORT)
        assert run.code != 0
        lab.configure("all", bind_extra_options=None)
        assert lab.agree()
    lab.site().expect(0)


def test_many_zones_change(lab: Lab) -> None:
    texts = {zone: lab.write(zone) for zone in MANY}
    lab.site().expect(0)
    for zone, text in texts.items():
        lab.catalogue.offer(zone, text)
    lab.wait_for_agreement()
    with lab.event(CHANGES, "%d zones change" % len(MANY)) as event:
        lab.change(*MANY)
        with lab.until_agreed(event):
            lab.site().expect(0)
    for zone in MANY:
        lab.catalogue.forget(zone)
    # Nothing asks for them any more.
    lab.expect_good_service(lab.resolver.turn(), "with many zones")
    for zone in MANY:
        (lab.zones / (zone + ".zone")).unlink()
    lab.site("-e", "dns_allow_mass_removal=true").expect(0)


@pytest.mark.fast
def test_a_secondary_is_down(lab: Lab) -> None:
    container = lab.container(NS3)
    with lab.event(SERVERS, "ns3 down, zones change, ns3 back: seconds since it is back") as event:
        subprocess.run(["docker", "stop", "--time", "5", container], check=True, capture_output=True)
        try:
            lab.change()
            run = lab.site(*SHORT)
            assert run.code != 0 and NS3 in run.output
            assert run.recap[NS2]["failed"] == 0
        finally:
            event.begin()
            subprocess.run(["docker", "start", container], check=True, capture_output=True)
        lab.wait_for_agreement(60)
        event.end()
    lab.site().expect(0)


def test_the_network_between_primary_and_secondary_is_cut(lab: Lab) -> None:
    """What the primary sends to the secondary goes to nobody: no NOTIFY, no answer, no transfer."""
    title = "network between ns1 and ns3 cut, zones change, network healed: seconds since it is healed"
    with lab.event(SERVERS, title) as event:
        lab.on(NS1, "\n".join(NOBODY % address for address in lab.addresses(NS3)))
        try:
            lab.change()
            # The secondary itself would wait a minute for each transfer that it tries.
            run = lab.site("--limit", NS1, *SHORT)
            assert run.code != 0 and "failed: %s, serial: " % NS3 in run.output
            assert not lab.agree()
        finally:
            event.begin()
            lab.on(NS1, "\n".join(SOMEBODY % address for address in lab.addresses(NS3)))
        lab.wait_for_agreement(60)
        event.end()
    lab.site().expect(0)


NOBODY = "ip neigh replace %s lladdr 02:00:00:00:00:01 dev eth0 nud permanent"
SOMEBODY = "ip neigh del %s dev eth0"


def test_the_packages_are_upgraded(lab: Lab) -> None:
    for host, package in PACKAGES.items():
        lab.on(host, NEWER_PACKAGE.replace("PACKAGE", package))
    with lab.event(SERVERS, "zones change; newer packages, one server after the other: seconds of the roll") as event:
        processes = lab.processes()
        lab.change()
        lab.site().expect(0)
        event.begin()
        lab.play("playbooks/upgrade.yml").expect(0)
        lab.wait_for_agreement()
        event.end()
    after = lab.processes()
    for host, package in PACKAGES.items():
        assert after[host] != processes[host]
        assert lab.on(host, "dpkg-query -W -f '${Version}' %s" % package).endswith("+newer")


PACKAGES = {NS1: "bind9", NS2: "bind9", NS3: "nsd"}
# The same package under a higher version, in a repository on the host.
NEWER_PACKAGE = """
    mkdir -p /srv/newer
    cd /srv/newer
    dpkg-deb -R /var/cache/apt/archives/PACKAGE_*.deb content
    sed -i 's/^Version: .*/&+newer/' content/DEBIAN/control
    dpkg-deb -b content PACKAGE.deb
    dpkg-deb -f PACKAGE.deb > Packages
    echo "Filename: ./PACKAGE.deb" >> Packages
    echo "Size: $(stat -c %s PACKAGE.deb)" >> Packages
    echo "SHA256: $(sha256sum PACKAGE.deb | cut -d ' ' -f 1)" >> Packages
    echo 'deb [trusted=yes] file:/srv/newer ./' > /etc/apt/sources.list.d/newer.list
"""
