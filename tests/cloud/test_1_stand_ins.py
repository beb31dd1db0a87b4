"""The stand-ins themselves, before anything is deployed: that they are fit to be oracles."""

from __future__ import annotations

import time

from .conftest import CloudFleet

ZONE = "stand-in.example"
# What AWS answers, and what it means, written down apart from all code.
AWS = [
    ("stand-in.example.", "MX", ["10 mail.stand-in.example."]),
    ("\\052.apps.stand-in.example.", "A", ["192.0.2.1", "192.0.2.2"]),
    ("at\\100sign.stand-in.example.", "TXT", ['"caf\\303\\251" "a;b" "with \\"quote\\" and \\\\ backslash"']),
    ("www.stand-in.example.", "CNAME", ["stand-in.example"]),
    ("_sip._tcp.stand-in.example.", "SRV", ["10 60 5060 sip.stand-in.example."]),
    ("deep.down.stand-in.example.", "AAAA", ["2001:db8::1"]),
]
MEANT = r"""
$TTL 300
@ SOA a. b. 1 1 1 1 1
@ NS ns1.example.net.
@ MX 10 mail
*.apps A 192.0.2.2
*.apps A 192.0.2.1
at\064sign TXT "caf\195\169" "a\;b" "with \"quote\" and \\ backslash"
www CNAME @
_sip._tcp SRV 10 60 5060 sip
deep.down AAAA 2001:db8::1
"""
NAMES = ["ns-2048.awsdns-64.com", "ns-2049.awsdns-65.net", "ns-2050.awsdns-66.org", "ns-2051.awsdns-67.co.uk"]


def status(answer: str) -> tuple[str, set[str]]:
    """The response code and the flags."""
    return answer.split("status: ")[1].split(",")[0], set(answer.split("flags: ")[1].split(";")[0].split())


def test_route53_answers_what_its_api_was_told(fresh_clouds: CloudFleet) -> None:
    fleet = fresh_clouds
    assert status(fleet.dig(fleet.route53, ZONE, "SOA"))[0] == "REFUSED"
    created = fleet.boto3.create_hosted_zone(Name=ZONE, CallerReference=str(time.time()))
    hosted_zone = created["HostedZone"]["Id"]
    try:
        # What the inventory takes for granted.
        assert created["DelegationSet"]["NameServers"] == NAMES == fleet.hosts["route53"]["dns_name_servers"]
        changes = [
            {
                "Action": "CREATE",
                "ResourceRecordSet": {
                    "Name": name,
                    "Type": rdtype,
                    "TTL": 300,
                    "ResourceRecords": [{"Value": value} for value in values],
                },
            }
            for name, rdtype, values in AWS
        ]
        fleet.boto3.change_resource_record_sets(HostedZoneId=hosted_zone, ChangeBatch={"Changes": changes})
        time.sleep(0.6)  # No longer than that does the face believe what it has read.
        assert status(fleet.dig(fleet.route53, ZONE, "SOA")) == ("NOERROR", {"qr", "aa"})
        assert fleet.difference(ZONE, MEANT, fleet.route53) == []
        # The comparison sees what differs.
        for right, wrong in (("192.0.2.2", "192.0.2.3"), ("\\195", "\\196"), ("www", "new")):
            assert fleet.difference(ZONE, MEANT.replace(right, wrong), fleet.route53) != []
        assert fleet.short(fleet.route53, "anything.apps." + ZONE, "A") == ["192.0.2.1", "192.0.2.2"]
        assert fleet.short(fleet.route53, "www." + ZONE, "MX") == ["10 mail.stand-in.example.", ZONE + "."]
        assert status(fleet.dig(fleet.route53, "down." + ZONE, "A"))[0] == "NOERROR"
        assert status(fleet.dig(fleet.route53, "up." + ZONE, "A"))[0] == "NXDOMAIN"
    finally:
        fleet.boto3.change_resource_record_sets(
            HostedZoneId=hosted_zone,
            ChangeBatch={"Changes": [dict(change, Action="DELETE") for change in changes]},
        )
        fleet.boto3.delete_hosted_zone(Id=hosted_zone)


def test_cloudflare_has_nothing_for_strangers(fresh_clouds: CloudFleet) -> None:
    fleet = fresh_clouds
    assert status(fleet.dig(fleet.cloudflare, "example.com", "SOA"))[0] == "REFUSED"
    tsigs = "/accounts/%s/secondary_dns/tsigs" % fleet.account
    assert fleet.ask_cloudflare(tsigs)["success"]
    assert not fleet.ask_cloudflare(tsigs, token="another")["success"]


def test_resolver_and_parent_are_told_apart(fresh_clouds: CloudFleet) -> None:
    fleet = fresh_clouds
    assert fleet.short(fleet.resolver, "+recurse", "ns2.example.net", "A") == fleet.addresses("ns2.example.net")[:1]
    assert fleet.short(fleet.resolver, "+recurse", "com", "NS") == ["a.parents.example."]
    referral = fleet.dig(fleet.resolver, "example.com", "NS")
    assert status(referral) == ("NOERROR", {"qr"}) and "ANSWER: 0, AUTHORITY: 9" in referral
    assert fleet.short(fleet.resolver, "+recurse", "example.com", "NS")[0] == "ns-2048.awsdns-64.com."
    assert status(fleet.dig(fleet.resolver, "sub.example.com", "A")) == ("NOERROR", {"qr"})
    assert status(fleet.dig(fleet.resolver, "new.org", "NS")) == ("NXDOMAIN", {"qr", "aa"})
    fleet.delegate("new.org", ["ns1.example.net"])
    try:
        assert "ns1.example.net." in fleet.dig(fleet.resolver, "new.org", "NS")
    finally:
        fleet.delegate("new.org", [])
    assert status(fleet.dig(fleet.resolver, "new.org", "NS"))[0] == "NXDOMAIN"
