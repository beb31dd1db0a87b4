"""Three name servers, and stand-ins of Cloudflare and Route 53: the cloud demo's, under names of their own.

The oracles are dig and ldns-compare-zones. What Cloudflare's and Route 53's name servers would answer is answered by
tests/cloud/stand_in, which shares nothing with the collection.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Iterator

import boto3
import pytest
import yaml
from system.conftest import DEMO, HOSTS, Fleet, Run, hosts_of

CLOUD_DEMO = DEMO.parent / "demo_cloud"
NETWORK, IPV4, IPV6 = "dnsops-cloud", "172.30.59", "fd00:53:59:"


class CloudFleet(Fleet):
    """The fleet of the demo with the clouds beside it; its inventory is two files."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, NETWORK, IPV4, IPV6)
        shutil.rmtree(self.zones)
        shutil.copytree(CLOUD_DEMO / "zones", self.zones)
        text = (CLOUD_DEMO / "hosts.yml").read_text()
        text = text.replace("dnsops-demo", NETWORK).replace("172.30.53", IPV4).replace("fd00:53:1:", IPV6)
        inventory = yaml.safe_load(text)
        inventory["all"]["vars"]["dns_zone_directory"] = str(self.zones)
        cloud_hosts = hosts_of(inventory["all"])
        self.api_token = secrets.token_hex(20)
        cloud_hosts["cloudflare"]["cloudflare_secondary_api_token"] = self.api_token
        self.aws_secret = secrets.token_hex(20)
        cloud_hosts["route53"]["route53_secondary_secret_access_key"] = self.aws_secret
        for group in inventory["all"]["children"].values():
            group["hosts"] = {host: cloud_hosts[host] for host in group["hosts"]}
        self.clouds = directory / "clouds.yml"
        self.clouds.write_text(yaml.safe_dump(inventory))
        self.hosts.update(cloud_hosts)
        stand_in = cloud_hosts["providers"]["container_stand_in"]
        self.cloudflare = stand_in["cloudflare"]["dns_addresses"][0]
        self.cloudflare_api = cloud_hosts["cloudflare"]["cloudflare_secondary_api_url"]
        self.account = cloud_hosts["cloudflare"]["cloudflare_secondary_account_id"]
        self.route53 = stand_in["route53"]["dns_addresses"][0]
        self.resolver = stand_in["resolver"]["addresses"][0]
        self.endpoint = cloud_hosts["route53"]["route53_secondary_endpoint_url"]
        self.boto3 = boto3.client(
            "route53",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        #: Where each server of the whole answers, by the name that the table has for it.
        self.answering = {host: self.addresses(host)[0] for host in HOSTS}
        self.answering.update(cloudflare=self.cloudflare, route53=self.route53)

    def play(self, playbook: str, *arguments: str) -> Run:
        run = super().play(playbook, "-i", str(self.clouds), *arguments)
        for secret in (self.api_token, self.aws_secret):
            assert secret not in run.output
        return run

    def dig(self, address: str, *question: str) -> str:
        command = ["dig", "@" + address, "+norecurse", "+tries=2", "+time=2", *question]
        return subprocess.run(command, check=False, text=True, capture_output=True).stdout

    def short(self, address: str, *question: str) -> list[str]:
        """The data of the answer's records, sorted."""
        lines = self.dig(address, "+short", *question).splitlines()
        return sorted(line for line in lines if line and not line.startswith(";"))

    def serial_at(self, server: str, zone: str) -> int | None:
        """The serial that a server, or the name servers of a cloud, answer; None where there is no answer."""
        told = self.short(self.answering[server], zone, "SOA")
        return int(told[0].split()[2]) if told else None

    def difference(self, zone: str, want: str, address: str) -> list[str]:
        """What differs between a zone file's text and the transfer from an address, as ldns-compare-zones tells it.

        Not compared: the apex's SOA and NS, which Route 53 has its own of.
        """
        script = """
            set -e
            mkdir /tmp/compare
            cat > /tmp/compare/file
            named-compilezone -q -i none -f text -F text -o /tmp/compare/all "$zone" /tmp/compare/file
            dig +noall +answer +onesoa "@$address" "$zone" AXFR > /tmp/compare/transfer
            test -s /tmp/compare/transfer
            # It reads no zone without SOA, so both get the same one.
            for side in all transfer; do
                grep -v -E "^$zone\\.[[:space:]]+[0-9]+[[:space:]]+IN[[:space:]]+(SOA|NS)[[:space:]]" \\
                    /tmp/compare/$side > /tmp/compare/$side.rest || true
                { echo "$zone. 1 IN SOA a. b. 1 1 1 1 1"; cat /tmp/compare/$side.rest; } > /tmp/compare/$side.zone
            done
            ldns-compare-zones -a /tmp/compare/all.zone /tmp/compare/transfer.zone || true
        """
        command = ["docker", "run", "--rm", "-i", "--network", "container:" + self.container("providers")]
        command += ["-e", "zone=" + zone, "-e", "address=" + address, "dnsops-test:tools", "sh", "-uc", script]
        done = subprocess.run(command, input=want, check=True, text=True, capture_output=True)
        return [line for line in done.stdout.splitlines() if line[:1] in "+-~"]

    def delegate(self, zone: str, name_servers: list[str]) -> None:
        """What the zone's parent says from now on."""
        url = "http://%s:8080/_stand_in/delegation" % self.resolver
        body = json.dumps({"zone": zone, "name_servers": name_servers}).encode()
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=5) as answer:
            assert answer.status == 200

    def ask_cloudflare(self, path: str, token: str | None = None) -> dict[str, Any]:
        """The envelope of the answer to a GET, of errors too."""
        headers = {"Authorization": "Bearer %s" % (token or self.api_token)}
        request = urllib.request.Request(self.cloudflare_api + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)


@pytest.fixture(scope="session")
def fresh_clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudFleet]:
    """Hosts and stand-ins on which nothing has been deployed yet."""
    fleet = CloudFleet(tmp_path_factory.mktemp("clouds"))
    fleet.play("molecule/shared/create.yml").expect(0)
    yield fleet
    # After all that the tests did: nobody asked anybody outside.
    dropped = fleet.dropped_queries()
    fleet.play("molecule/shared/destroy.yml").expect(0)
    assert set(dropped.values()) <= {0}, dropped
