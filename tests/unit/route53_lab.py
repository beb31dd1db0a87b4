"""A name server and moto's Route 53 on loopback, and a strict watch over all that is sent."""

from __future__ import annotations

import secrets

import dns.message
import dns.rrset
import dns.tsig
import dns.zone
import requests
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import route53
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import TsigKey
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.route53_changes import Checker
from dns_server import DnsServer, axfr_answer, rcode_answer, soa_answer, tsig_key

SECRET = bytes(range(32))
KEY = TsigKey("verify.example.net", "hmac-sha256", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
CREDENTIALS = "[default]\naws_access_key_id = AKIAEXAMPLEEXAMPLE00\naws_secret_access_key = a-secret-that-never-shows\n"
HEAD = """$TTL 3600
@ SOA ns1 hostmaster {serial} 3600 600 1209600 3600
@ NS ns1
@ NS ns2.example.net.
ns1 A 192.0.2.1
"""


def zone_text(body: str, serial: int = 2026112200) -> str:
    return HEAD.format(serial=serial) + body


class NameServer(DnsServer):
    """Serves ``zones``, name -> text of a zone file, and gives transfers to who has the key."""

    def __init__(self) -> None:
        super().__init__(self._udp_answers, self._tcp_answers)
        self.zones: dict[str, str] = {}
        self.on_transfer = lambda name: None
        self._key: dns.tsig.Key = tsig_key("verify.example.net", SECRET)

    def _udp_answers(self, query: bytes) -> list[bytes]:
        name = dns.message.from_wire(query).question[0].name.to_text().rstrip(".")
        if name not in self.zones:
            return [rcode_answer(query, 5)]
        return [soa_answer(query, _soa(self.records(name))[0].serial)]

    def _tcp_answers(self, query: bytes) -> object:
        question = dns.message.from_wire(query, keyring={self._key.name: self._key}).question[0]
        name = question.name.to_text().rstrip(".")
        if name not in self.zones:
            return [rcode_answer(query, 5)]
        if question.rdtype == 6:
            return self._udp_answers(query)
        records = self.records(name)
        self.on_transfer(name)
        return axfr_answer(query, records, key=self._key)

    def records(self, name: str) -> list[dns.rrset.RRset]:
        zone = dns.zone.from_text(self.zones[name], name, relativize=False, check_origin=False)
        rrsets = []
        for owner, node in zone.nodes.items():
            for rdataset in node.rdatasets:
                rrset = dns.rrset.RRset(owner, rdataset.rdclass, rdataset.rdtype)
                rrset.update(rdataset)
                rrsets.append(rrset)
        soa = _soa(rrsets)
        return [soa] + [rrset for rrset in rrsets if rrset is not soa]


def _soa(rrsets: list[dns.rrset.RRset]) -> dns.rrset.RRset:
    return next(rrset for rrset in rrsets if rrset.rdtype == 6)


class Lab:
    """The two servers, and syncs from one to the other."""

    server: NameServer

    def __init__(self, endpoint: str, credentials: str) -> None:
        self.settings = route53.Settings("", endpoint_url=endpoint, credentials_file=credentials, wait=5)
        self.api = route53.connect(self.settings)
        self.watched = route53.connect(self.settings)
        self.watched.meta.events.register("provide-client-params.route53.ChangeResourceRecordSets", self._watch)
        self.sent: list[list[dict]] = []

    def reset(self, server: NameServer) -> None:
        self.server = server
        self.settings = self.settings._replace(address=server.address, port=server.port)
        requests.post(self.settings.endpoint_url + "/moto-api/reset", timeout=10).raise_for_status()

    def _watch(self, params: dict, **_more: object) -> None:
        """Every batch keeps the rules of Route 53, those that moto does not know among them."""
        zone_id = params["HostedZoneId"]
        name = self.api.get_hosted_zone(Id=zone_id)["HostedZone"]["Name"]
        # Each time anew: what was sent before may have failed.
        wrong = Checker(name, self.stored(zone_id)).check(params["ChangeBatch"]["Changes"])
        if wrong:
            raise AssertionError(wrong)
        self.sent.append(params["ChangeBatch"]["Changes"])

    def sync(self, *names: str, ids: dict | None = None, check: bool = False, **settings: object) -> route53.Result:
        zones = [{"name": name, "hosted_zone_id": (ids or {}).get(name)} for name in names or self.server.zones]
        self.sent.clear()
        return route53.sync(
            zones, self.settings._replace(**settings), self.watched, check=check, key=KEY, sleep=lambda _seconds: None
        )

    def create(self, name: str, private: bool = False) -> str:
        more = {"VPC": {"VPCRegion": "us-east-1", "VPCId": "vpc-1"}} if private else {}
        answer = self.api.create_hosted_zone(
            Name=name, CallerReference=secrets.token_hex(8), HostedZoneConfig={"PrivateZone": private}, **more
        )
        return answer["HostedZone"]["Id"].rsplit("/")[-1]

    def stored(self, zone_id: str) -> list[dict]:
        pages = self.api.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id)
        return [record_set for page in pages for record_set in page["ResourceRecordSets"]]

    def values(self, zone_id: str, name: str, rdtype: str) -> list[str] | None:
        for each in self.stored(zone_id):
            if (each["Name"], each["Type"]) == (name, rdtype):
                return [record["Value"] for record in each.get("ResourceRecords", [])]
        return None

    def put(self, zone_id: str, **record_set: object) -> None:
        change = {"Action": "UPSERT", "ResourceRecordSet": record_set}
        self.api.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": [change]})
