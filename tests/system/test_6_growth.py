"""A thousand zones: all of them arrive, and a run that has nothing to do costs little more than with one."""

from __future__ import annotations

import re
import subprocess
import time

import pytest

from .conftest import HOSTS, Fleet

COUNT = 1000
# Times vary with what else the machine does; the least of several is what a run takes.
RUNS = 2
MORE_RUNS = 3


def zone_name(number: int) -> str:
    return (
        "%d.%d.10.in-addr.arpa" % (number % 256, number // 256) if number % 10 == 9 else "customer%d.example" % number
    )


def zone_serial(number: int) -> int:
    """In one of the three ways that people number."""
    return (number + 1, 2026010100 + number % 100, 1700000000 + number)[number % 3]


def zone_text(number: int) -> str:
    """A zone file as a hoster's customers have it, no two alike."""
    name = zone_name(number)
    lines = ["; %s" % name, "$TTL %d" % (300, 3600, 86400)[number % 3]]
    lines += ["$ORIGIN %s." % name] if number % 4 == 0 else []
    lines += ["@ IN SOA ns1.example.net. hostmaster.example.net. ("]
    lines += ["        %d ; serial" % zone_serial(number), "        3600 600 1209600 300 )"]
    lines += ["        IN NS %s." % host for host in HOSTS]
    if number % 10 == 9:
        lines += ["%d IN PTR host%d.customer%d.example." % (host, host, number) for host in range(1, number % 25)]
        return "\n".join(lines) + "\n"
    lines += ["@ A 192.0.2.%d" % (number % 254 + 1), "www 300 IN AAAA 2001:db8::%x" % (number + 1)]
    if number % 2:
        lines += ["@ MX 10 mail", "  MX 20 mail.example.net.", "mail A 198.51.100.%d" % (number % 254 + 1)]
        lines += ['@ TXT "v=spf1 mx -all"']
    if number % 5 == 0:
        lines += ['_dmarc TXT ( "v=DMARC1; p=none;"', '  "rua=mailto:postmaster@%s" )' % name]
        lines += ["_sip._tcp SRV 10 60 5060 sip", "sip A 203.0.113.9"]
    if number % 7 == 0:
        lines += ["* CNAME www", '@ CAA 0 issue "ca.example.net"']
    if number % 11 == 0:
        lines += ["branch NS ns.branch", "ns.branch A 203.0.113.53"]
    return "\n".join(lines + ["host%d A 10.0.0.%d" % (host, host) for host in range(1, number % 20)]) + "\n"


def write_zones(fleet: Fleet, numbers: range) -> None:
    """These zones and no others."""
    for path in fleet.zones.glob("*.zone"):
        path.unlink()
    for number in numbers:
        (fleet.zones / (zone_name(number) + ".zone")).write_text(zone_text(number))


def serials(address: str, zones: list[str]) -> dict[str, int]:
    """What one server says with authority, asked by one dig; over TCP, where no rate limit drops an answer."""
    command = ["dig", "-f", "-", "@" + address, "+tcp", "+norecurse", "+noall", "+comments", "+answer"]
    said = subprocess.run(
        command, input="".join("%s SOA\n" % zone for zone in zones), text=True, capture_output=True, check=True
    ).stdout
    found = {}
    for answer in said.split("->>HEADER<<-")[1:]:
        record = re.search(r"^(\S+)\.\s+\d+\s+IN\s+SOA\s+\S+ \S+ (\d+) ", answer, re.M)
        if record and "status: NOERROR" in answer and "flags: qr aa" in answer:
            found[record.group(1)] = int(record.group(2))
    return found


def steady_run(fleet: Fleet) -> float:
    """Seconds that a run takes that changes nothing."""
    start = time.monotonic()
    run = fleet.site().expect(0)
    seconds = time.monotonic() - start
    assert run.changed() == dict.fromkeys(HOSTS, 0)
    return seconds


@pytest.mark.usefixtures("kept_zones")
def test_a_thousand_zones(fleet: Fleet) -> None:
    write_zones(fleet, range(COUNT, COUNT + 1))
    fleet.site("-e", "dns_allow_mass_removal=true").expect(0)
    one = [steady_run(fleet) for _run in range(RUNS)]

    write_zones(fleet, range(COUNT))
    start = time.monotonic()
    fleet.site("-e", "dns_allow_mass_removal=true").expect(0)
    deploy = time.monotonic() - start
    expected = {zone_name(number): zone_serial(number) for number in range(COUNT)}
    assert len(expected) == COUNT
    for host in HOSTS:
        for address in fleet.addresses(host):
            assert serials(address, [*expected, zone_name(COUNT)]) == expected, address
    fleet.compare_with_files("*77*.zone")

    many = [steady_run(fleet) for _run in range(RUNS)]
    while min(many) > 1.5 * min(one) and len(many) < RUNS + MORE_RUNS:
        many.append(steady_run(fleet))
    figures = "1 zone %s; %d zones %s, their deploy %.0f" % (seconds(one), COUNT, seconds(many), deploy)
    print("seconds without a change:", figures)
    assert min(many) <= 1.5 * min(one), figures


def seconds(times: list[float]) -> str:
    return ", ".join("%.1f" % each for each in times)
