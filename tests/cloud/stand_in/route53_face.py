"""Hosted zones of a Route 53, or of what stands in for it, as zones that a name server can answer from.

Reads them through the API, and turns the text forms of AWS back into records on its own: nothing here is shared with
the collection, for whose encoding it is an oracle. What has no form in a zone, aliases and routed record sets, is left
out.

Text forms: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html and ResourceRecordTypes.html
"""

from __future__ import annotations

import ast
import logging
import threading
import time
from typing import Any

import boto3
import botocore.config
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zone

# How long an answer of the API is good for, in seconds.
FRESH = 0.5

log = logging.getLogger(__name__)


class HostedZones:
    """The public hosted zones behind an endpoint; ``zone`` is a Lookup of dns_face.

    :param endpoint: its URL.
    """

    def __init__(self, endpoint: str) -> None:
        self._client = boto3.client(
            "route53",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=botocore.config.Config(max_pool_connections=32, proxies={}),
        )
        self._lock = threading.Lock()
        self._ids: tuple[float, dict[dns.name.Name, str]] = (0.0, {})
        self._zones: dict[str, tuple[float, dns.zone.Zone]] = {}

    def zone(self, name: dns.name.Name) -> dns.zone.Zone | None:
        """The hosted zone of that name, as it is now; of several one, which the API lists first."""
        with self._lock:
            if time.monotonic() - self._ids[0] > FRESH:
                self._ids = (time.monotonic(), self._list())
            hosted_zone = self._ids[1].get(name)
            if hosted_zone is None:
                return None
            read, zone = self._zones.get(hosted_zone, (0.0, None))
            if zone is None or time.monotonic() - read > FRESH:
                zone = self._read(hosted_zone, name)
                self._zones[hosted_zone] = (time.monotonic(), zone)
            return zone

    def _list(self) -> dict[dns.name.Name, str]:
        found: dict[dns.name.Name, str] = {}
        for page in self._client.get_paginator("list_hosted_zones").paginate():
            for hosted_zone in page["HostedZones"]:
                if not hosted_zone.get("Config", {}).get("PrivateZone", False):
                    found.setdefault(name_of(hosted_zone["Name"]), hosted_zone["Id"])
        return found

    def _read(self, hosted_zone: str, origin: dns.name.Name) -> dns.zone.Zone:
        zone = dns.zone.Zone(origin, relativize=False)
        for page in self._client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=hosted_zone):
            for record_set in page["ResourceRecordSets"]:
                _add(zone, record_set)
        return zone


def _add(zone: dns.zone.Zone, record_set: dict[str, Any]) -> None:
    name = name_of(record_set["Name"])
    if "SetIdentifier" in record_set or "AliasTarget" in record_set:
        log.warning("%s %s has no form in a zone", name, record_set["Type"])
        return
    # SPF (99) is a type that nobody else uses any more, but it has the form of TXT.
    rdtype = dns.rdatatype.from_text(record_set["Type"])
    rdataset = zone.find_rdataset(name, rdtype, create=True)
    for record in record_set["ResourceRecords"]:
        rdataset.add(_rdata(rdtype, record["Value"]), record_set["TTL"])


def _rdata(rdtype: int, value: str) -> dns.rdata.Rdata:
    if value.startswith("{'Value'"):
        # moto gives the SOA record that it makes for a new zone in this form.
        value = ast.literal_eval(value)["Value"]
    # A name without a final dot is absolute too.
    return dns.rdata.from_text(
        dns.rdataclass.IN, rdtype, decimal_escapes(value), origin=dns.name.root, relativize=False
    )


def name_of(text: str) -> dns.name.Name:
    r"""The name that AWS writes so: ``\052.example.com.`` is ``*.example.com.``"""
    labels, label, rest = [], bytearray(), text
    while rest:
        if rest[0] == "\\":
            label.append(_octet(rest[1:4]))
            rest = rest[4:]
        elif rest[0] == ".":
            labels.append(bytes(label))
            label.clear()
            rest = rest[1:]
        else:
            label += rest[0].encode("ascii")
            rest = rest[1:]
    if label:
        labels.append(bytes(label))
    return dns.name.Name([*labels, b""])


def decimal_escapes(value: str) -> str:
    r"""A value with its escapes in decimal, as a master file has them: AWS writes ``\303``, a master file ``\195``.

    :raises ValueError: where AWS would not take it: an escape that is none, an octet that must be escaped.
    """
    said, at = [], 0
    while at < len(value):
        if value[at] != "\\":
            if not " " <= value[at] <= "~":
                raise ValueError("not escaped: %r" % value)
            said.append(value[at])
            at += 1
        elif value[at + 1 : at + 2].isdigit():
            said.append("\\%03d" % _octet(value[at + 1 : at + 4]))
            at += 4
        else:
            said.append(value[at : at + 2])
            at += 2
    return "".join(said)


def _octet(digits: str) -> int:
    octet = int(digits, 8)
    if len(digits) != 3 or octet > 255:
        raise ValueError("not an octal escape: \\%s" % digits)
    return octet
