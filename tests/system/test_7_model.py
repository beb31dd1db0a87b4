"""The whole inventory model on one fleet, and what follows when it changes.

Hosts with several addresses, other ports, several primaries, records in YAML, groups of other names, and servers
outside the inventory, which are Knot DNS.

The tests of this file go on from one another, since every deploy takes its time: each run proves many things.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml

from .conftest import NS1, NS2, NS3, TOOLS_IMAGE, Fleet, Run, hosts_of, wait_until

THIRD = "third.example.net"  # the later name of NS3
SERVERS = (NS1, NS2, NS3)
REVERSE = "2.0.192.in-addr.arpa"

# As dig takes it, and as ldns-notify does.
FRIEND_KEY = "hmac-sha256:friend-2026:FRIEND_SECRET"
SOURCE_KEY = "-y source-key:SOURCE_SECRET:hmac-sha512"

# Of every host: .1x dns_address, .2x in dns_listen_address or dns_address too, .3x the source of its transfers.
# Of the peers: .51 friend transfers, .52 friend takes NOTIFY, .61 source is asked, .62 its NOTIFY comes from,
# .70 and .71 plain, .79 a stranger.
INVENTORY = """
all:
  vars:
    tsig_master_secret: KJPmUC9EaGBnrqhHeiSuWcU6eBrk/sOBomFPi++Tmrs=
    ansible_connection: community.docker.docker
    ansible_user: root
    container_image: dnsops-test:debian13
    container_network: {name: dnsops-demo, ipv4: 172.30.53.0/24, ipv6: "fd00:53:1::/64"}
  children:
    eu:
      vars:
        dns_groups: {bind_primary: eu_primaries, bind_secondary: eu_bind, nsd_secondary: eu_nsd}
        dns_hostmaster: dns.admin@example.net
        dns_soa: {refresh: 7200}
        dns_zone_directory: zones
        dns_peers:
          friend:
            role: secondary
            transfer_from: [172.30.53.51, "fd00:53:1::51"]
            notify_to: [172.30.53.52]
            port: 5354
            keys: [{name: friend-2026, secret: FRIEND_SECRET}]
            name_servers: [ns.friend.example]
            default: true
          source:
            role: primary
            transfer_from: [172.30.53.61, "fd00:53:1::61"]
            notify_from: [172.30.53.62]
            keys: [{name: source-key, algorithm: hmac-sha512, secret: SOURCE_SECRET}]
          plain:
            role: secondary
            transfer_from: [172.30.53.70/31]
            notify_to: []
            address: []
            keys: []
        dns_zones:
          - name: example.com
            primary: ns1.example.net
            extra:
              bind_primary: |
                allow-query { !172.30.53.79; any; };
                max-journal-size 1m;
              nsd_secondary: |
                allow-query: 172.30.53.79 BLOCKED
                allow-query: 0.0.0.0/0 NOKEY
                allow-query: ::0/0 NOKEY
          - {name: keep.example, primary: ns1.example.net, serial: keep}
          - {name: 2.0.192.in-addr.arpa, primary: ns2.example.net}
          - name: example.org
            primary: ns1.example.net
            soa: {expire: 2419200}
            ttl: 1800
            records:
              - {name: "@", type: MX, value: 10 mail.example.org.}
              - {name: "@", type: TXT, value: v=spf1 mx -all}
              - {name: mail, type: AAAA, value: "2001:db8::25"}
              - {name: www, type: A, ttl: 300, values: [192.0.2.80, 192.0.2.81]}
              - {name: bücher, type: CNAME, value: www}
              - {name: raw, type: TYPE65534, value: '\\# 2 abcd'}
          - name: second.example
            primary: ns2.example.net
            records: &few
              - {name: www, type: A, value: 192.0.2.80}
          - name: lean.example
            primary: ns1.example.net
            secondaries_remove: [eu_bind, friend]
            records: *few
          - name: plain.example
            primary: ns1.example.net
            secondaries: [eu_nsd]
            secondaries_add: [ns2.example.net, plain]
            records: *few
          - {name: foreign.example, primary: source}
      children:
        eu_primaries:
          hosts:
            ns1.example.net:
              ansible_host: dnsops-demo-ns1
              dns_address: [172.30.53.11, 172.30.53.21, "fd00:53:1::11", "fd00:53:1::21"]
              dns_transfer_source: [172.30.53.31, "fd00:53:1::31"]
              dns_transfer_address: [172.30.53.31, "fd00:53:1::31"]
              dns_port: 5300
              dns_hidden: true
              bind_extra_options: answer-cookie no;
            ns2.example.net:
              ansible_host: dnsops-demo-ns2
              dns_address: [172.30.53.12, "fd00:53:1::12"]
              dns_listen_address: [172.30.53.12, 172.30.53.22, "fd00:53:1::12"]
              dns_transfer_source: [172.30.53.32, "fd00:53:1::32"]
              dns_transfer_address: [172.30.53.32, "fd00:53:1::32"]
        eu_bind:
          hosts:
            ns2.example.net:
        eu_nsd:
          hosts:
            ns3.example.net:
              ansible_host: dnsops-demo-ns3
              dns_address: [172.30.53.13, 172.30.53.23, "fd00:53:1::13", "fd00:53:1::23"]
              dns_transfer_source: [172.30.53.33, "fd00:53:1::33"]
              dns_transfer_address: [172.30.53.33, "fd00:53:1::33"]
              dns_port: 5353
              nsd_secondary_extra_server: 'nsid: "ascii_third"'
"""

# A second service in the same inventory; its host does not exist, and nothing may ask for it.
OTHER_SERVICE = """
all:
  children:
    us:
      vars:
        dns_groups: {bind_primary: us_primaries, bind_secondary: us_bind, nsd_secondary: null}
      children:
        us_primaries:
          hosts:
            us1.example.net: {ansible_host: nowhere, dns_address: 192.0.2.111}
        us_bind:
          hosts:
            us2.example.net: {ansible_host: nowhere, dns_address: 192.0.2.112}
"""

SOA = "@ SOA ns2.example.net. hostmaster.example.net. ( %d 3600 600 1209600 3600 )\n"
NS = "@ NS ns2.example.net.\n@ NS ns3.example.net.\n@ NS ns.friend.example.\n"
EXAMPLE_COM = "$TTL 3600\n" + SOA % 5 + NS + "www A 192.0.2.80\n"
KEEP_EXAMPLE = "$TTL 3600\n" + SOA % 7 + NS + "www A 192.0.2.80\n"
REVERSE_YML = """
soa: {serial: 41}
records:
  - {name: 192.0.2.80, type: PTR, value: www.example.org.}
  - {name: "81", type: PTR, value: www.example.org.}
"""
FOREIGN = (
    "$TTL 600\n@ SOA ns.source.example. admin.source.example. ( %d 3600 600 1209600 60 )\n"
    "@ NS ns.source.example.\n@ NS ns2.example.net.\nwww A 192.0.2.%d\n"
)

# What the zones with records should be, written by hand. The tools leave the serial out of the comparison.
MADE_SOA = "$TTL 3600\n@ SOA ns2.example.net. dns\\.admin.example.net. ( 1 7200 600 1209600 3600 )\n"
WANT = {
    "example.org": """
$TTL 1800
@ 1800 SOA ns2.example.net. dns\\.admin.example.net. ( 1 7200 600 2419200 3600 )
@ NS ns2.example.net.
@ NS ns3.example.net.
@ NS ns.friend.example.
@ MX 10 mail.example.org.
@ TXT "v=spf1 mx -all"
mail AAAA 2001:db8:0::25
www 300 A 192.0.2.80
www 300 A 192.0.2.81
xn--bcher-kva CNAME www.example.org.
raw TYPE65534 \\# 2 ABCD
""",
    REVERSE: MADE_SOA + NS + "80 PTR www.example.org.\n81 PTR www.example.org.\n",
    "second.example": MADE_SOA + NS + "www A 192.0.2.80\n",
    "lean.example": MADE_SOA.replace("ns2", "ns3") + "@ NS ns3.example.net.\nwww A 192.0.2.80\n",
    "plain.example": MADE_SOA + "@ NS ns2.example.net.\n@ NS ns3.example.net.\nwww A 192.0.2.80\n",
    "example.com": EXAMPLE_COM,
    "keep.example": KEEP_EXAMPLE,
    "foreign.example": FOREIGN % (1, 1),
}
HAVE = {
    NS1: ["example.com", "keep.example", "example.org", "lean.example", "plain.example"],
    NS2: ["example.com", "keep.example", "example.org", "plain.example", REVERSE, "second.example", "foreign.example"],
    NS3: list(WANT),
}
FRIENDS = ["example.com", "keep.example", "example.org", REVERSE, "second.example"]

FRIEND_CONF = """
server:
    rundir: /run/knot
    listen: 172.30.53.52@5354
log:
  - target: stderr
    any: info
key:
  - id: friend-2026
    algorithm: hmac-sha256
    secret: FRIEND_SECRET
remote:
  - id: ns1
    address: 172.30.53.11@5300
    via: 172.30.53.51
    key: friend-2026
  - id: ns2
    address: fd00:53:1::12
    via: fd00:53:1::51
    key: friend-2026
acl:
  - id: notify
    address: [172.30.53.31, 172.30.53.32]
    key: friend-2026
    action: notify
  - id: test
    address: 172.30.53.52
    action: transfer
template:
  - id: default
    storage: /var/lib/knot
    acl: [notify, test]
zone:
""" + "".join(
    "  - domain: %s\n    master: %s\n" % (zone, "ns2" if zone in (REVERSE, "second.example") else "ns1")
    for zone in FRIENDS
)
SOURCE_CONF = """
server:
    rundir: /run/knot
    listen: [172.30.53.61, fd00:53:1::61]
log:
  - target: stderr
    any: info
key:
  - id: source-key
    algorithm: hmac-sha512
    secret: SOURCE_SECRET
remote:
  - id: ns2
    address: 172.30.53.12
    via: 172.30.53.62
    key: source-key
  - id: ns3
    address: 172.30.53.13@5353
    via: 172.30.53.62
    key: source-key
acl:
  - id: transfer
    address: [172.30.53.32, 172.30.53.33, fd00:53:1::32, fd00:53:1::33]
    key: source-key
    action: transfer
template:
  - id: default
    storage: /knot
    zonefile-sync: -1
zone:
  - domain: foreign.example
    file: foreign.example.zone
    acl: transfer
    notify: [ns2, ns3]
"""


class Model(Fleet):
    """The fleet, its peers, and the containers that the tools run in."""

    containers = "containers.yml"  # a second inventory, for what makes and removes the containers

    def __init__(self, directory: Path, name: str, ipv4: str, ipv6: str) -> None:
        template = directory / "template"
        (template / "zones").mkdir(parents=True)
        secrets = {name: base64.b64encode(os.urandom(32)).decode() for name in ("FRIEND_SECRET", "SOURCE_SECRET")}
        self.placeholders = {"dnsops-demo": name, "172.30.53": ipv4, "fd00:53:1:": ipv6, **secrets}
        (template / "hosts.yml").write_text(self.real(INVENTORY))
        super().__init__(directory, name, ipv4, ipv6, template)
        self.directory = directory
        for file, text in {
            "example.com.zone": EXAMPLE_COM,
            "keep.example.zone": KEEP_EXAMPLE,
            REVERSE + ".yml": REVERSE_YML,
        }.items():
            (self.zones / file).write_text(text)
        self.site_file = yaml.safe_load(self.inventory.read_text())

    def real(self, text: str) -> str:
        """A text with this fleet's name and addresses."""
        for old, new in self.placeholders.items():
            text = text.replace(old, new)
        return text

    def write(self, name: str, text: str) -> str:
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(self.real(text))
        return str(path)

    @property
    def variables(self) -> dict[str, Any]:
        return self.site_file["all"]["children"]["eu"]["vars"]

    def zone(self, name: str) -> dict[str, Any]:
        """The entry of a zone in dns_zones."""
        return next(zone for zone in self.variables["dns_zones"] if zone["name"] == name)

    def host(self, name: str) -> dict[str, Any]:
        groups = self.site_file["all"]["children"]["eu"]["children"]
        return next(group["hosts"][name] for group in groups.values() if name in group["hosts"])

    def save(self) -> None:
        """Write the inventory as the test has changed it."""
        self.inventory.write_text(yaml.safe_dump(self.site_file, allow_unicode=True, sort_keys=False))
        self.hosts = hosts_of(self.site_file["all"])

    def create(self) -> None:
        """Containers with all their addresses; the playbook knows the usual groups only."""
        groups: dict[str, Any] = {}
        for number, group in enumerate(("bind_primary", "bind_secondary", "nsd_secondary"), start=1):
            addresses = [
                self.real(prefix + "%d%d" % (tens, number))
                for prefix in ("172.30.53.", "fd00:53:1::")
                for tens in (1, 2, 3)
            ]
            groups[group] = {"hosts": {"ns%d.example.net" % number: {"dns_address": addresses}}}
        self.write(self.containers, yaml.safe_dump({"all": {"children": groups}}))
        self.play("molecule/shared/create.yml", "-i", str(self.directory / self.containers)).expect(0)
        for number in (1, 2, 3):
            self.start("tools%d" % number, ["--network", "container:%s-ns%d" % (self.name, number)], "sleep infinity")

    def destroy(self) -> None:
        self.play("molecule/shared/destroy.yml", "-i", str(self.directory / self.containers)).expect(0)

    def start(self, name: str, options: list[str], script: str) -> None:
        command = ["docker", "run", "--detach", "--name", "%s-%s" % (self.name, name), "--label"]
        command += ["dnsops.redundant_dns=" + self.name, *options, TOOLS_IMAGE, "sh", "-euc", script]
        subprocess.run(command, check=True, capture_output=True)

    def start_knot(self, name: str, config: str, *addresses: str) -> None:
        """A Knot DNS in a container; the first IPv4 and the first IPv6 address are Docker's business."""
        self.write("%s/knot.conf" % name, config)
        addresses = tuple(map(self.real, addresses))
        options = ["--network", self.name, "--cap-add", "NET_ADMIN", "--volume", "%s:/knot" % (self.directory / name)]
        options += ["--ip", addresses[0], "--ip6", addresses[1]]
        script = "".join("ip address add %s/24 dev eth0\n" % address for address in addresses[2:])
        # A process number of an earlier start of the container may be that of the new one.
        script += "rm -rf /run/knot\nmkdir /run/knot\nexec knotd -c /knot/knot.conf"
        self.start(name, options, script)
        self.wait_for_knot(name)

    def wait_for_knot(self, name: str) -> None:
        wait_until(lambda: "Running" in self.at(name, "knotc -c /knot/knot.conf status 2>&1 || true"), 20)

    def at(self, container: str, script: str) -> str:
        """Output of a shell script in one of the containers beside the hosts."""
        command = ["docker", "exec", "-i", "%s-%s" % (self.name, container), "sh", "-uc", self.real(script)]
        return subprocess.run(command, check=True, text=True, capture_output=True).stdout

    def axfr(self, where: str, server: str, zone: str, key: str = "", source: str = "", port: int = 53) -> str:
        """What became of a zone transfer: granted, refused or silent."""
        said = self.at(where, "dig +noall +answer %s || true" % dig(server, zone, "AXFR", key, source, port))
        if re.search(r"\sSOA\s", said):
            return "granted"
        return "refused" if "Transfer failed." in said else "silent"

    def status(self, where: str, server: str, zone: str, source: str = "", port: int = 53) -> str:
        """The response code of a query; empty where there is no response."""
        said = self.at(where, "dig %s || true" % dig(server, zone, "SOA", "", source, port))
        found = re.search(r"status: (\w+)", said)
        return found.group(1) if found else ""

    def checksums(self, host: str) -> str:
        return self.on(host, "find /etc/bind /etc/nsd -type f -exec sha256sum {} + 2>/dev/null | sort -k 2")

    def tools_of(self, host: str) -> str:
        return "tools" + self.container(host)[-1]

    def compare(self, host: str, wanted: dict[str, str], peer: str = "") -> None:
        """What a host, or friend, holds of these zones against texts written by hand."""
        where = peer or self.tools_of(host)
        key = "" if peer else self.self_key(host)
        server = self.real("172.30.53.52") if peer else self.addresses(host)[0]
        source = server if peer else ""
        port = 5354 if peer else self.hosts[host].get("dns_port", 53)
        script = ""
        for zone, text in wanted.items():
            script += "cat > /tmp/text <<'END'\n%s\nEND\n" % text
            script += "named-compilezone -q -i local -f text -F text -o /tmp/want %s /tmp/text || echo unread\n" % zone
            script += "dig +noall +answer +onesoa %s > /tmp/have\n" % dig(server, zone, "AXFR", key, source, port)
            script += "ldns-compare-zones -a -e /tmp/want /tmp/have && echo 'same %s' || cat /tmp/have\n" % zone
        said = self.at(where, script)
        assert [line[5:] for line in said.splitlines() if line.startswith("same")] == list(wanted), (host, said)


def dig(server: str, zone: str, rdtype: str, key: str, source: str, port: int) -> str:
    """The arguments of a dig."""
    arguments = "-p %d @%s %s %s +norecurse +time=2 +tries=1" % (port, server, zone, rdtype)
    return arguments + (" -y " + key if key else "") + (" -b " + source if source else "")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Model]:
    number = int(worker_id[2:]) if worker_id.startswith("gw") else 0
    model = Model(
        tmp_path_factory.mktemp("model"),
        "dnsops-model%d" % number,
        "172.30.%d" % (100 + number),
        "fd00:53:20%d:" % number,
    )
    try:
        model.create()
        model.write("source/foreign.example.zone", FOREIGN % (1, 1))
        model.start_knot("source", SOURCE_CONF, "172.30.53.61", "fd00:53:1::61", "172.30.53.62")
        model.start_knot(
            "friend", FRIEND_CONF, "172.30.53.51", "fd00:53:1::51", "172.30.53.52", "172.30.53.71", "172.30.53.79"
        )
        yield model
        dropped = model.dropped_queries()
    finally:
        model.destroy()
    assert set(dropped.values()) <= {0}, dropped


@pytest.fixture(scope="module")
def first(model: Model) -> Run:
    """The deploy. Its rows are in rows.json."""
    # With everything that Ansible can be made to say: play() looks for the peers' secrets in it.
    return model.site("-vvvv", "--diff", "-e", "dns_report_file=%s" % (model.directory / "rows.json")).expect(0)


def test_a_run_for_two_services_at_once_is_refused(model: Model) -> None:
    run = model.site("-i", model.write("other.yml", OTHER_SERVICE))
    assert run.code != 0 and "different dns_groups" in run.output and "--limit" in run.output
    assert "Traceback" not in run.output and "TASK [dnsops" not in run.output
    for host in SERVERS:
        assert model.on(host, "ls -d /etc/bind /etc/nsd 2>/dev/null || true") == ""


def test_the_deploy_is_green_and_shows_the_peers(model: Model, first: Run) -> None:
    """Each zone in the columns of the servers that have it, peers included; what can't be asked is not green."""
    columns = (NS1, NS2, NS3, "friend", "source", "plain")
    header = next(line for line in first.output.splitlines() if re.match(r"zone +ns1", line))
    assert header.split() == ["zone", *columns, "verdict"]
    expected = {
        "example.com": ("5", "5", "5", "5", "-", "-"),
        "keep.example": ("7", "7", "7", "7", "-", "-"),
        REVERSE: ("-", "41", "41", "41", "-", "-"),
        "foreign.example": ("-", "1", "1", "-", "1", "-"),
    }
    for zone, cells in expected.items():
        pattern = r"^%s +%s +ok: serial, transfer, content$" % (re.escape(zone), " +".join(cells))
        assert re.search(pattern, first.output, re.M), (zone, first.output[-4000:])
    assert re.search(r"^second.example +- +(\d{10}) +\1 +\1 +- +- +ok", first.output, re.M)
    assert re.search(r"^lean.example +(\d{10}) +- +\1 +- +- +- +ok", first.output, re.M)
    pattern = r"^plain.example +(\d{10}) +\1 +\1 +- +- +not asked +NOT CHECKED: plain not asked \(serial\)$"
    assert re.search(pattern, first.output, re.M)
    assert re.search(r"\b0 failed, 1 not checked", first.output)
    rows = json.loads((model.directory / "rows.json").read_text())
    compared = {(row["zone"], row["server"]) for row in rows if row["check"] == "content" and row["verdict"] == "ok"}
    assert compared == {(zone, host) for host, zones in HAVE.items() for zone in zones}


def test_warnings(first: Run) -> None:
    """Of the peer without TSIG, and nothing of NS records: the hidden primary is in none."""
    text = " ".join(first.output.split())
    assert "dns_peers: plain: its transfers are not signed" in text
    assert "dns_peers: friend" not in text and "its NS records" not in text


@pytest.mark.usefixtures("first")
def test_all_hold_what_was_written_by_hand(model: Model) -> None:
    for host, zones in HAVE.items():
        model.compare(host, {zone: WANT[zone] for zone in zones})
    model.compare("", {zone: WANT[zone] for zone in FRIENDS}, peer="friend")
    today = model.on(NS1, "date -u +%Y%m%d").strip()
    assert str(model.serial(NS1, "example.org"))[:8] == today


@pytest.mark.usefixtures("first")
def test_daemons_listen_where_the_inventory_says(model: Model) -> None:
    listen = {
        NS1: (5300, [11, 21], [11, 21]),
        NS2: (53, [12, 22], [12]),
        NS3: (5353, [13, 23], [13, 23]),
    }
    for host, (port, ipv4, ipv6) in listen.items():
        wanted = {model.real("172.30.53.%d:%d" % (number, port)) for number in ipv4}
        wanted |= {model.real("[fd00:53:1::%d]:%d" % (number, port)) for number in ipv6}
        lines = model.on(host, "ss -Hlntu").splitlines()
        # But for rndc's, and for Docker's resolver.
        sockets = {line.split()[4] for line in lines if "127.0.0.1:953" not in line and "127.0.0.11:" not in line}
        assert sockets == wanted
        for number in (10, 20, 30):
            last = number + int(host[2])
            for address in (model.real("172.30.53.%d" % last), model.real("fd00:53:1::%d" % last)):
                family = ipv6 if ":" in address else ipv4
                status = model.status("source", address, "plain.example", port=port)
                assert status == ("NOERROR" if last in family else ""), address


@pytest.mark.usefixtures("first")
def test_transfers_need_the_transfer_source_and_the_key(model: Model) -> None:
    """Of two hosts and keys, one pair of a source and a key is right."""
    keys = {host: next(key for name, key in model.keys(host).items() if ".from.ns1" in name) for host in (NS2, NS3)}
    for host in (NS2, NS3):
        where, number = model.tools_of(host), int(host[2])
        for prefix, server in (("172.30.53.", "172.30.53.21"), ("fd00:53:1::", "fd00:53:1::11")):
            for owner, key in [*keys.items(), ("", "")]:
                for tens in (1, 3):
                    source = model.real(prefix + "%d%d" % (tens, number))
                    granted = owner == host and tens == 3
                    became = model.axfr(where, model.real(server), "example.com", key, source, 5300)
                    assert became == ("granted" if granted else "refused"), (host, owner, source)


@pytest.mark.usefixtures("first")
def test_friend_and_plain_transfer_from_their_addresses_alone(model: Model) -> None:
    for server, port, zone in (("172.30.53.11", 5300, "example.com"), ("172.30.53.12", 53, "second.example")):
        for source, key, granted in (
            ("172.30.53.51", FRIEND_KEY, True),
            ("172.30.53.51", "", False),
            ("172.30.53.52", FRIEND_KEY, False),
            ("172.30.53.79", FRIEND_KEY, False),
        ):
            became = model.axfr("friend", server, zone, key, source, port)
            assert became == ("granted" if granted else "refused"), (server, source)
    for source, granted in (("172.30.53.71", True), ("172.30.53.79", False), ("172.30.53.51", False)):
        became = model.axfr("friend", "172.30.53.11", "plain.example", "", source, 5300)
        assert became == ("granted" if granted else "refused"), source
    assert model.axfr("friend", "172.30.53.11", "example.com", "", "172.30.53.71", 5300) == "refused", "another zone"


@pytest.mark.usefixtures("first")
def test_settings_of_ones_own_are_in_effect(model: Model) -> None:
    """The option, the zone's statements, and the same questions where they do not hold."""
    ask = "dig -b %s -p %d @%s example.com SOA +norecurse +nsid +cookie=0123456789abcdef"
    answers = {
        host: model.at("friend", ask % ("172.30.53.52", port, model.addresses(host)[0]))
        for host, port in ((NS1, 5300), (NS2, 53), (NS3, 5353))
    }
    assert all("status: NOERROR" in answer for answer in answers.values())
    assert "(good)" in answers[NS2] and "(good)" not in answers[NS1], "answer-cookie of ns1 alone"
    assert "third" in answers[NS3] and "third" not in answers[NS2]
    for host, port in ((NS1, 5300), (NS3, 5353)):
        server = model.addresses(host)[0]
        assert model.status("friend", server, "example.com", "172.30.53.79", port) == "REFUSED"
        assert model.status("friend", server, "example.org", "172.30.53.79", port) == "NOERROR"
    assert model.status("friend", model.addresses(NS2)[0], "example.com", "172.30.53.79") == "NOERROR"


def foreign_serials(model: Model) -> set[int | None]:
    return {model.serial(host, "foreign.example") for host in (NS2, NS3)}


@pytest.mark.usefixtures("first")
def test_secondaries_follow_the_notify_of_their_foreign_primary_alone(model: Model) -> None:
    knotc = "knotc -b -c /knot/knot.conf "
    model.write("source/foreign.example.zone", FOREIGN % (2, 2))
    model.at("source", knotc + "zone-reload foreign.example")
    wait_until(lambda: foreign_serials(model) == {2}, 5)

    # Now Knot itself is silent, so that the others' NOTIFY is all there is.
    model.write("source/knot.conf", SOURCE_CONF.replace("    notify: [ns2, ns3]\n", ""))
    model.write("source/foreign.example.zone", FOREIGN % (3, 3))
    model.at("source", knotc + "reload")
    notify = "ldns-notify -z foreign.example -r 1 -I %s %s -p %d %s 2>&1 || true"
    for server, port in (("172.30.53.12", 53), ("172.30.53.13", 5353)):
        for where, address, key in (
            ("friend", "172.30.53.79", ""),
            ("friend", "172.30.53.79", SOURCE_KEY),
            ("source", "172.30.53.62", ""),
        ):
            said = model.at(where, notify % (address, key, port, server))
            assert "NOERROR" not in said.partition("# reply from")[2], (server, address, key, said)
    assert foreign_serials(model) == {2}
    for server, port in (("172.30.53.12", 53), ("172.30.53.13", 5353)):
        model.at("source", notify % ("172.30.53.62", SOURCE_KEY, port, server))
    wait_until(lambda: foreign_serials(model) == {3}, 5)
    model.write("source/knot.conf", SOURCE_CONF)
    model.at("source", knotc + "reload")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.usefixtures("first")
def test_edits_reach_all_and_a_kept_serial_is_not_counted(model: Model) -> None:
    zones = ("example.com", "example.org", REVERSE, "lean.example")
    primaries = dict.fromkeys(zones, NS1)
    primaries[REVERSE] = NS2
    before = {zone: model.serial(host, zone) for zone, host in primaries.items()}
    edit(model.zones / "example.com.zone", "192.0.2.80", "192.0.2.180")
    kept = (model.zones / "keep.example.zone").read_text()
    edit(model.zones / "keep.example.zone", "192.0.2.80", "192.0.2.180")
    edit(model.zones / (REVERSE + ".yml"), "www.example.org.", "web.example.org.")
    model.zone("example.org")["records"][3]["values"] = ["192.0.2.82"]
    model.zone("lean.example")["records"] = [{"name": "www", "type": "A", "value": "192.0.2.180"}]
    model.save()
    run = model.site("-e", "dns_verify_timeout=5")
    (model.zones / "keep.example.zone").write_text(kept)
    assert run.code != 0
    assert re.search(r"keep.example.zone: .*serial 7 has not.*above 7", " ".join(run.output.split()))
    want = dict(
        WANT,
        **{
            "example.com": EXAMPLE_COM.replace(".80", ".180"),
            "example.org": re.sub(r"www 300 A .*80\nwww 300 A .*81\n", "www 300 A 192.0.2.82\n", WANT["example.org"]),
            "lean.example": WANT["lean.example"].replace(".80", ".180"),
            REVERSE: WANT[REVERSE].replace("www.", "web."),
        },
    )
    changed = [*zones, "keep.example"]
    for zone in FRIENDS:
        if zone in primaries:
            wait_until(lambda zone=zone: friend_serial(model, zone) == model.serial(primaries[zone], zone), 5)
    for host, have in HAVE.items():
        model.compare(host, {zone: want[zone] for zone in have if zone in changed})
    model.compare("", {zone: want[zone] for zone in FRIENDS if zone in changed}, peer="friend")
    for zone, host in primaries.items():
        now = model.serial(host, zone)
        assert now is not None and before[zone] is not None and now > before[zone], zone


def friend_serial(model: Model, zone: str) -> int | None:
    said = model.at("friend", "dig +short -p 5354 @172.30.53.52 %s SOA" % zone).split()
    return int(said[2]) if len(said) > 2 else None


@pytest.mark.usefixtures("first")
def test_a_renamed_host_keeps_its_keys_and_a_limited_run_renders_the_same(model: Model) -> None:
    """One run for the renamed host alone: what it renders, the run for all does not change."""
    keys = model.keys(NS3)
    files = {host: model.checksums(host) for host in SERVERS}
    model.host(NS3)["dns_id"] = NS3
    group = model.site_file["all"]["children"]["eu"]["children"]["eu_nsd"]
    group["hosts"] = {THIRD: group["hosts"][NS3]}
    # Something that the others must hear of: another address that NOTIFY of ns1 may come from.
    model.host(NS1)["dns_transfer_address"].append(model.real("172.30.53.21"))
    model.save()
    run = model.site("--limit", THIRD)
    # The NS records that were made have the new name, and the primaries have not published them yet. So contents differ
    # from the inventory's, which was seen by transfers: every link still works.
    failed = re.findall(r"^failed: .*", run.output, re.M)
    assert failed and all(re.search(r", (transfer|content): differs for ", line) for line in failed), failed
    assert re.search(r"^example.com .* ok: serial, transfer, content$", run.output, re.M)
    limited = model.checksums(THIRD)
    assert limited != files[NS3]
    assert model.keys(THIRD) == keys
    assert [model.checksums(host) for host in (NS1, NS2)] == [files[NS1], files[NS2]]
    (model.zones / "keep.example.zone").write_text(KEEP_EXAMPLE.replace(" 7 ", " 1000 ").replace(".80", ".180"))
    run = model.site().expect(0)
    assert model.checksums(THIRD) == limited
    assert model.checksums(NS2) != files[NS2]
    assert model.keys(THIRD) == keys
    assert {model.serial(host, "keep.example") for host in (NS1, NS2, THIRD)} == {1000}
    wait_until(lambda: friend_serial(model, "keep.example") == 1000, 5)
    # Names alone follow: NS records that were made, and the warning about those that were not.
    names = model.at("friend", "dig +short -p 5353 @172.30.53.13 example.org NS").split()
    assert sorted(names) == ["ns.friend.example.", "ns2.example.net.", "third.example.net."]
    assert "example.com.zone: its NS records" in " ".join(run.output.split())


@pytest.mark.usefixtures("first")
def test_wrong_settings_of_ones_own_do_not_go_live(model: Model) -> None:
    hosts = (NS1, NS2, THIRD)
    files = {host: model.checksums(host) for host in hosts}
    kept = model.inventory.read_text()
    model.zone("example.org")["extra"] = {"bind_primary": "max-journal-sise 1m;"}
    model.host(NS2)["bind_extra_options"] = "recursion yes;"
    model.host(THIRD)["nsd_secondary_extra_server"] = "no-such-option: 1"
    model.save()
    run = model.site()
    model.site_file = yaml.safe_load(kept)
    model.save()
    assert run.code != 0
    assert [run.recap[host]["failed"] for host in hosts] == [1, 1, 1]
    text = " ".join(run.output.split())
    for reason in (
        r"/etc/bind/named.conf:\d+: 'recursion' redefined",
        r"/etc/bind/zones.conf:\d+: unknown option 'max-journal-sise'",
        r"/etc/nsd/nsd.conf:\d+: at 'no-such-option:'",
    ):
        assert re.search(reason, text), (reason, text[-6000:])
    for host in hosts:
        assert model.checksums(host) == files[host]
        assert model.serial(host, "example.org") is not None


REMOVED = ("example.org", "lean.example", "keep.example", "second.example")


@pytest.mark.usefixtures("first")
def test_removal_is_guarded_while_a_foreign_primary_is_down_and_serials_outlive_it(model: Model) -> None:
    hosts = (NS1, NS2, THIRD)
    before = {zone: model.serial(THIRD, zone) for zone in REMOVED}
    assert None not in before.values()
    find = "find /var/lib/bind /var/cache/bind /var/lib/nsd -name 'lean*' 2>/dev/null || true"
    assert model.on(NS1, find)
    kept = model.inventory.read_text()
    (model.zones / "keep.example.zone").rename(model.directory / "keep.example.zone")
    zones = model.variables["dns_zones"]
    model.variables["dns_zones"] = [zone for zone in zones if zone["name"] not in REMOVED]
    model.save()
    run = model.site("--limit", THIRD)
    assert run.code != 0
    assert "take 4 of this host's 8 zones out of service" in run.output and "dns_allow_mass_removal=true" in run.output
    assert {zone: model.serial(THIRD, zone) for zone in REMOVED} == before

    edit(model.zones / "example.com.zone", "192.0.2.180", "192.0.2.181")
    subprocess.run(["docker", "stop", "--time", "2", model.name + "-source"], check=True, capture_output=True)
    run = model.site("-e", "dns_allow_mass_removal=true", "-e", "dns_verify_timeout=5")
    assert run.code != 0
    # One task has failed, on the host that runs it for all: the one that shows the result.
    assert [run.recap[host]["failed"] + run.recap[host]["unreachable"] for host in hosts] == [1, 0, 0]
    lines = {line.split()[0]: line for line in run.output.splitlines() if re.match(r"\S+ .*(ok: |FAILED: )", line)}
    assert sorted(lines) == sorted({*WANT} - {*REMOVED} - {"plain.example"})
    assert {zone for zone, line in lines.items() if "FAILED: " in line} == {"foreign.example"}
    assert "FAILED: source no answer (serial)" in lines["foreign.example"]
    assert {model.serial(host, "foreign.example") for host in (NS2, THIRD)} == {3}
    for host in hosts:
        assert not [zone for zone in REMOVED if model.serial(host, zone) is not None]
        assert not model.on(host, find)
    subprocess.run(["docker", "start", model.name + "-source"], check=True, capture_output=True)
    model.wait_for_knot("source")

    # Made anew, a zone goes on from the serials that it had, also where no server knows them any more.
    # It is the run for one of two services as well.
    model.site_file = yaml.safe_load(kept)
    (model.directory / "keep.example.zone").rename(model.zones / "keep.example.zone")
    model.save()
    run = model.site("-i", model.write("other.yml", OTHER_SERVICE), "--limit", "eu").expect(0)
    assert sorted(run.recap) == sorted(hosts)
    for zone in ("example.org", "lean.example", "second.example"):
        after = model.serial(THIRD, zone)
        assert after is not None and after > before[zone], zone
    assert model.serial(THIRD, "keep.example") == before["keep.example"]
    wait_until(lambda: friend_serial(model, "example.org") == model.serial(THIRD, "example.org"), 10)
