"""From the inventory to five places that answer the same: three servers, Cloudflare, Route 53."""

from __future__ import annotations

import re
import time
from typing import Iterator

import pytest
from system.conftest import HOSTS, NS1, NS2, Run, wait_until

from .conftest import CloudFleet

ZONES = ["2.0.192.in-addr.arpa", "example.com", "example.org"]
SERVERS = [*HOSTS, "cloudflare", "route53"]
CLOUDS = ["cloudflare", "route53"]
# What a change takes to be everywhere after it was published; seconds, with room for a busy machine.
BY_NOTIFY = 10
BY_PUSH = 20


class Deployed:
    """The fleet after its first run, and what that said."""

    def __init__(self, fleet: CloudFleet) -> None:
        self.check = fleet.site("--check", "--diff")
        self.after_check = {server: fleet.serial_at(server, "example.com") for server in CLOUDS}
        self.first = fleet.site("-vvvv", "--diff").expect(0)


@pytest.fixture(scope="module")
def deployed(fresh_clouds: CloudFleet) -> Deployed:
    return Deployed(fresh_clouds)


@pytest.fixture
def fleet(fresh_clouds: CloudFleet, deployed: Deployed) -> Iterator[CloudFleet]:
    """The deployed fleet; a test that fails in the middle leaves the zones as they were to the others."""
    texts = {path: path.read_text() for path in fresh_clouds.zones.iterdir()}
    yield fresh_clouds
    for path, text in texts.items():
        path.write_text(text)


def rows_of(run: Run) -> dict[str, list[str]]:
    """The table: zone -> the cells of its row."""
    lines = run.output.splitlines()
    header = next(number for number, line in enumerate(lines) if re.match(r"zone +ns1", line))
    rows = {}
    for line in lines[header + 2 :]:
        if not line.strip():
            break
        cells = re.split(r" {2,}", line.strip())
        rows[cells[0]] = cells[1:]
    assert re.split(r" {2,}", lines[header].strip()) == ["zone", *SERVERS, "verdict"]
    return rows


def counts_of(run: Run) -> tuple[int, int, int, int]:
    """Checks that are ok, failed, not checked, warnings."""
    told = re.search(r"^(\d+) checks ok, (\d+) failed, (\d+) not checked(?:, (\d+) warnings?)?$", run.output, re.M)
    assert told is not None, run.output[-3000:]
    ok, failed, unchecked, warnings = (int(number or 0) for number in told.groups())
    return ok, failed, unchecked, warnings


def edit(fleet: CloudFleet, zone: str, old: str, new: str) -> str:
    """The zone file's new text."""
    path = fleet.zones / (zone + ".zone")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path.read_text()


def expect_everywhere(fleet: CloudFleet) -> None:
    """All five answer each zone with one serial and the content of its file."""
    for zone in ZONES:
        assert len({fleet.serial_at(server, zone) for server in SERVERS} - {None}) == 1
        text = (fleet.zones / (zone + ".zone")).read_text()
        for server in CLOUDS:
            assert fleet.difference(zone, text, fleet.answering[server]) == [], (zone, server)


def test_check_mode_promises_and_changes_nothing(fresh_clouds: CloudFleet, deployed: Deployed) -> None:
    assert deployed.check.expect(0).changed()["cloudflare"] == 1
    assert deployed.after_check == {"cloudflare": None, "route53": None}


def test_first_run_ends_with_all_five_in_the_table(fresh_clouds: CloudFleet, deployed: Deployed) -> None:
    rows = rows_of(deployed.first)
    assert sorted(rows) == ZONES
    for zone, (*serials, verdict) in rows.items():
        assert len(serials) == 5 and len(set(serials)) == 1 and verdict.startswith("ok: "), rows
        assert {fresh_clouds.serial_at(server, zone) for server in SERVERS} == {int(serials[0])}
    assert counts_of(deployed.first)[1:] == (0, 0, 0)
    expect_everywhere(fresh_clouds)


def test_second_run_changes_nothing(fleet: CloudFleet) -> None:
    again = fleet.site().expect(0)
    assert set(again.changed().values()) == {0}
    assert all(row[-1].startswith("ok: ") for row in rows_of(again).values())


def test_the_first_run_tells_the_names_that_providers_assigned(deployed: Deployed) -> None:
    joined = " ".join(deployed.first.output.split())
    assert "example.org: name servers ns-2048.awsdns-64.com, ns-2049" in joined
    assert "example.org: name servers ns0101.secondary.cloudflare.com, ns0152.secondary.cloudflare.com" in joined


def test_transfers_without_the_key_or_from_elsewhere_are_refused(fleet: CloudFleet, deployed: Deployed) -> None:
    keys = fleet.keys(NS1)
    own = next(key for name, key in keys.items() if ".cloudflare.from." in "." + name)
    other = next(key for name, key in keys.items() if "ns2.example.net.from." in name)
    assert all(key.rsplit(":", 1)[1] not in deployed.first.output for key in (own, other)), "shown at -vvvv"
    primary = fleet.addresses(NS1)[0]
    own_address, elsewhere = fleet.hosts["providers"]["container_address"][:2]

    def transfer(address: str, *key: str) -> str:
        script = "dig -b %s %s @%s example.com AXFR +tries=1 +time=3" % (address, " ".join(key), primary)
        return fleet.tools("providers", script)

    assert "XFR size" in transfer(own_address, "-y", own)
    wrong = own.rsplit(":", 1)[0] + ":" + "A" * 43 + "="
    for address, key in (
        (elsewhere, ("-y", own)),
        (own_address, ()),
        (own_address, ("-y", other)),
        (own_address, ("-y", wrong)),
    ):
        said = transfer(address, *key)
        assert "XFR size" not in said and re.search("Transfer failed|NOTAUTH|REFUSED|BADSIG", said), said


def test_a_change_arrives_without_a_run_for_the_clouds(fleet: CloudFleet) -> None:
    text = edit(fleet, "example.com", "192.0.2.81", "192.0.2.181")
    before = {server: fleet.serial_at(server, "example.com") for server in SERVERS}
    # The primary alone is in this run: it publishes, and its NOTIFY does the rest.
    fleet.site("--limit", NS1)
    serial = fleet.serial_at(NS1, "example.com")
    assert serial not in before.values()
    wait_until(lambda: fleet.serial_at("cloudflare", "example.com") == serial, BY_NOTIFY)
    wait_until(lambda: fleet.serial_at("route53", "example.com") == serial, BY_PUSH)
    for server in CLOUDS:
        assert fleet.difference("example.com", text, fleet.answering[server]) == []
        assert fleet.short(fleet.answering[server], "any.apps.example.com", "A") == ["192.0.2.181"]


def test_what_is_wrong_at_a_cloud_is_told_and_mended(fleet: CloudFleet) -> None:
    """Three things at once, for the sake of time: a change that does not get there, one made there, a delegation."""
    # Without NOTIFY and push a change does not arrive: it was these two that brought the one of the test above.
    lost = "route %%s blackhole %s/32" % fleet.hosts["cloudflare"]["dns_notify_to"][0]
    units = "dnsops-route53@route53.path dnsops-route53@route53.timer"
    before = {server: fleet.serial_at(server, "example.org") for server in SERVERS}
    fleet.on(NS1, "ip " + lost % "add")
    fleet.on(NS2, "systemctl stop " + units)
    try:
        edit(fleet, "example.org", "192.0.2.25", "192.0.2.26")
        fleet.site("--limit", NS1)
        serial = fleet.serial_at(NS1, "example.org")
        assert serial != before[NS1]
        wait_until(lambda: fleet.serial_at(NS2, "example.org") == serial, BY_NOTIFY)
        # Longer than it took when nothing was in the way.
        time.sleep(5)
        assert [fleet.serial_at(cloud, "example.org") for cloud in CLOUDS] == [before[cloud] for cloud in CLOUDS]
    finally:
        fleet.on(NS1, "ip " + lost % "delete")
    # Somebody changes a record at Route 53.
    hosted_zone = fleet.boto3.list_hosted_zones_by_name(DNSName="2.0.192.in-addr.arpa")["HostedZones"][0]["Id"]
    pointer = {"Name": "25.2.0.192.in-addr.arpa.", "Type": "PTR", "TTL": 86400}
    pointer["ResourceRecords"] = [{"Value": "elsewhere.example.org."}]
    change = {"Action": "UPSERT", "ResourceRecordSet": pointer}
    fleet.boto3.change_resource_record_sets(HostedZoneId=hosted_zone, ChangeBatch={"Changes": [change]})
    # The parent knows nothing of Cloudflare.
    every = fleet.hosts["providers"]["container_stand_in"]["resolver"]["delegations"]["example.com"]
    fleet.delegate("example.com", [name for name in every if "cloudflare" not in name])
    try:
        told = fleet.play("playbooks/verify.yml", "-e", "dns_verify_timeout=3", "-e", "cloudflare_secondary_wait=3")
        assert told.code != 0
        rows = rows_of(told)
        assert "route53" in rows["2.0.192.in-addr.arpa"][-1]
        assert re.search("cloudflare|route53", rows["example.org"][-1])
        assert [row[-1].startswith("ok") for row in rows.values()].count(True) <= 1
        assert counts_of(told)[3] == 1
        assert "not at the parent" in told.output and "ns0101.secondary.cloudflare.com" in told.output
    finally:
        fleet.delegate("example.com", every)

    mended = fleet.site().expect(0)
    assert mended.changed()["cloudflare"] == 1 and mended.changed()["route53"] > 0
    assert counts_of(mended)[1:] == (0, 0, 0)
    assert fleet.on(NS2, "systemctl is-active " + units).split() == ["active"] * 2
    expect_everywhere(fleet)


def test_a_zone_that_leaves_is_unlinked_and_comes_back(fleet: CloudFleet) -> None:
    def at_cloudflare(zone: str) -> tuple[bool, bool]:
        """Whether the zone is there; whether it is linked to a primary."""
        found = fleet.ask_cloudflare("/zones?name=%s" % zone)["result"]
        linked = bool(found) and fleet.ask_cloudflare("/zones/%s/secondary_dns/incoming" % found[0]["id"])["success"]
        return bool(found), linked

    assert at_cloudflare("example.org") == (True, True)
    (fleet.zones / "example.org.zone").rename(fleet.zones.parent / "kept")
    try:
        left = fleet.site().expect(0)
        assert sorted(rows_of(left)) == ["2.0.192.in-addr.arpa", "example.com"]
        assert at_cloudflare("example.org") == (True, False)
        assert at_cloudflare("example.com") == (True, True)
        # Deleted only when it is said.
        delete = '{"cloudflare_secondary_delete_zones": ["example.org"]}'
        fleet.site("--limit", "%s,cloudflare" % NS1, "-e", delete)
        assert at_cloudflare("example.org") == (False, False)
        assert at_cloudflare("example.com") == (True, True)
    finally:
        (fleet.zones.parent / "kept").rename(fleet.zones / "example.org.zone")

    # Clouds that cannot be asked are told in a sentence each; the servers are deployed and checked all the same.
    nobody = "http://%s:1" % fleet.resolver
    wrong = ["-e", "cloudflare_secondary_api_token=no-such-token", "-e", "route53_secondary_endpoint_url=" + nobody]
    run = fleet.site(*wrong)
    assert run.code != 0
    assert "Traceback" not in run.output and "no-such-token" not in run.output
    assert "Cloudflare does not accept the API token" in run.output
    assert [run.recap[cloud]["failed"] for cloud in CLOUDS] == [1, 1]
    for *serials, _verdict in rows_of(run).values():
        assert len(set(serials[:3])) == 1 and set(serials[3:]) <= {"-", "not asked"}

    # The settings were at fault: with the right ones all is as it was. The push moves to another server meanwhile.
    left_there = "ls -d /*/dnsops-route53* /*/*/dnsops-route53* /etc/systemd/system/dnsops* 2>/dev/null | wc -l"
    assert int(fleet.on(NS2, left_there)) > 3 and int(fleet.on(NS1, left_there)) == 0
    fleet.clouds.write_text(fleet.clouds.read_text().replace("route53_push_host: " + NS2, "route53_push_host: " + NS1))
    assert counts_of(fleet.site().expect(0))[1:] == (0, 0, 0)
    assert at_cloudflare("example.org") == (True, True)
    expect_everywhere(fleet)
    assert int(fleet.on(NS2, left_there)) == 0 and int(fleet.on(NS1, left_there)) > 3
    units = "dnsops-route53@route53.path dnsops-route53@route53.timer"
    assert fleet.on(NS1, "systemctl is-active " + units).split() == ["active"] * 2
    text = edit(fleet, "example.com", "192.0.2.81", "192.0.2.182")
    fleet.site("--limit", NS1)
    serial = fleet.serial_at(NS1, "example.com")
    wait_until(lambda: fleet.serial_at("route53", "example.com") == serial, BY_PUSH)
    assert fleet.difference("example.com", text, fleet.answering["route53"]) == []
