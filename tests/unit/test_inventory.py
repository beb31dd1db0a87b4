"""From Ansible's variables to the topology: what is read, from where, and every mistake in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import checks, inventory, providers, topology
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

SECRET = "l1mRq0oZ0H9u3xR7v5cYb2kq8TjWnE4sAfGdLh6PyXM="
OTHER_SECRET = "N3v0c5Qm8KfT1yRj7sWb4uXe6ZhGd2LpAaVnCkEoIxY="
PEER_SECRET = "NAfRa3dhQaR/CMN5YWI9Qg=="
ZONE = """$TTL 3600
@ IN SOA a.test. hostmaster 7 3600 600 1209600 3600
@ IN NS a.test.
@ IN NS b.test.
www IN A 192.0.2.80
"""


class Site:
    """Ansible's hostvars and groups for a primary and a secondary, with files below a folder; a test changes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.all: dict[str, Any] = {
            "inventory_dir": str(folder),
            "tsig_master_secret": SECRET,
            "dns_zones": [{"name": "example.com", "file": "zones/example.com.zone"}],
        }
        self.hosts: dict[str, Any] = {
            "a.test": {"dns_address": "192.0.2.1"},
            "b.test": {"dns_address": "192.0.2.2"},
        }
        self.groups: dict[str, list[str]] = {
            "all": ["a.test", "b.test"],
            "bind_primary": ["a.test"],
            "bind_secondary": ["b.test"],
        }
        self.write("zones/example.com.zone")

    def write(self, name: str, text: str | bytes = ZONE) -> str:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    @property
    def hostvars(self) -> dict[str, Any]:
        return {host: {**self.all, **variables} for host, variables in self.hosts.items()}

    def read(self) -> inventory.Inventory:
        return inventory.read(self.hostvars, self.groups)

    def mistakes(self) -> list[str]:
        with pytest.raises(InputError) as caught:
            self.read()
        return [str(problem) for problem in caught.value.problems]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


# --- what is read ----------------------------------------------------------------------------------------------------


def test_a_whole_inventory(site: Site) -> None:
    site.write("zones/more/not-a-zone.txt")
    found = site.read()
    assert found.topology.zones == {
        "example.com": topology.Zone("example.com", str(site.folder / "zones/example.com.zone"), "a.test", ("b.test",))
    }
    assert [key.name for key in found.keys_of("b.test")] == ["g1.b.test.from.a.test", "g1.self.b.test"]
    texts = found.zone_texts(found.topology.zones)
    assert texts["example.com"].serial == 7
    assert found.warnings(texts) == []


def test_the_zone_directory(site: Site) -> None:
    del site.all["dns_zones"]
    site.all["dns_zone_directory"] = "zones"
    for name in ("0+25.2.0.192.in-addr.arpa.zone", ".hidden.test.zone", "notes.txt", "backup.zone~", "Upper.TEST.zone"):
        site.write("zones/" + name)
    (site.folder / "zones" / "folder.zone").mkdir()
    assert {zone.name: os.path.basename(zone.file) for zone in site.read().topology.zones.values()} == {
        "0/25.2.0.192.in-addr.arpa": "0+25.2.0.192.in-addr.arpa.zone",
        "example.com": "example.com.zone",
        "upper.test": "Upper.TEST.zone",
    }


def test_an_entry_without_a_file_decorates_the_zone_of_the_directory(site: Site) -> None:
    site.all.update(dns_zone_directory="zones", dns_zones=[{"name": "example.com", "secondaries": ["c.test"]}])
    site.hosts["c.test"] = {"dns_address": "192.0.2.3"}
    site.groups["nsd_secondary"] = ["c.test"]
    site.write("zones/other.test.zone")
    zones = site.read().topology.zones
    assert zones["example.com"].secondaries == ("c.test",)
    assert zones["example.com"].file == str(site.folder / "zones/example.com.zone")
    assert zones["other.test"].secondaries == ("b.test", "c.test")


def test_paths_start_at_the_base_directory(site: Site) -> None:
    elsewhere = site.folder / "elsewhere"
    elsewhere.mkdir()
    site.all["dns_base_directory"] = str(elsewhere)
    path = site.write("elsewhere/x.zone")
    absolute = site.write("zones/y.zone")
    site.all["dns_zones"] = [{"name": "x.test", "file": "x.zone"}, {"name": "y.test", "file": absolute}]
    found = site.read()
    assert [zone.file for zone in found.topology.zones.values()] == [path, absolute]
    assert (found.shown(path), found.shown(absolute)) == ("x.zone", "../zones/y.zone")


def test_variables_of_the_site_may_be_those_of_one_group(site: Site) -> None:
    variables = {name: site.all.pop(name) for name in ("dns_zones", "tsig_master_secret")}
    site.hosts["b.test"].update(variables)
    assert set(site.read().topology.zones) == {"example.com"}


def test_facts_and_the_hosts_of_this_run_have_no_influence(site: Site) -> None:
    before = site.read()
    for number, host in enumerate(site.hosts):
        site.hosts[host].update(
            ansible_facts={"default_ipv4": {"address": "10.0.0.%d" % number}},
            ansible_default_ipv4={"address": "10.0.0.%d" % number},
            ansible_host="10.1.0.%d" % number,
            ansible_play_hosts=["b.test"],
            ansible_limit="b.test",
        )
    after = site.read()
    assert after.topology == before.topology
    assert after.keys_of("b.test") == before.keys_of("b.test")


def test_given_keys_and_generations(site: Site) -> None:
    site.all["tsig_generations"] = [2, 1]
    site.all["tsig_keys"] = [{"primary": "a.test", "secondary": "b.test", "name": "k", "secret": OTHER_SECRET}]
    names = [key.name for key in site.read().keys_of("b.test")]
    assert names == ["g1.self.b.test", "g2.self.b.test", "k"]


ANSIBLE_PLAYBOOK = os.path.join(os.path.dirname(sys.executable), "ansible-playbook")


@pytest.mark.skipif(not os.path.exists(ANSIBLE_PLAYBOOK), reason="ansible-core is not installed")
def test_limit_has_no_influence(site: Site, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.json"
    tree = {
        "all": {
            "vars": {**site.all, "ansible_connection": "local", "ansible_python_interpreter": sys.executable},
            "children": {
                group: {"hosts": {host: site.hosts[host] for host in site.groups[group]}}
                for group in ("bind_primary", "bind_secondary")
            },
        }
    }
    del tree["all"]["vars"]["inventory_dir"]
    hosts.write_text(json.dumps(tree))
    playbook = tmp_path / "play.json"
    playbook.write_text(
        json.dumps([
            {
                "hosts": "all",
                "gather_facts": False,
                "tasks": [
                    {"dnsops.redundant_dns.plan": {"content": True, "verify": "full"}, "register": "plan"},
                    {
                        "ansible.builtin.copy": {
                            "content": "{{ plan | to_json(sort_keys=true) }}",
                            "dest": "{{ folder }}/{{ inventory_hostname }}.json",
                        },
                    },
                ],
            }
        ])
    )  # fmt: skip
    found = {}
    for limit in ("all", "b.test"):
        folder = tmp_path / limit
        folder.mkdir()
        command = [ANSIBLE_PLAYBOOK, "-i", str(hosts), str(playbook), "--limit", limit, "-e", "folder=%s" % folder]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
            "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote"),
        }
        done = subprocess.run(command, env=environment, cwd=tmp_path, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        found[limit] = json.loads((folder / "b.test.json").read_text())
    assert found["all"] == found["b.test"]
    assert found["all"]["host"]["zones_as_secondary"][0]["name"] == "example.com"
    assert not (tmp_path / "b.test" / "a.test.json").exists()


# --- texts -----------------------------------------------------------------------------------------------------------


def test_all_bad_texts_are_told_at_once(site: Site) -> None:
    site.write("zones/bad.test.zone", ZONE + "x IN A 192.0.2.300\n")
    site.write("zones/latin.test.zone", ZONE.encode() + b"; caf\xe9\n")
    site.all.update(dns_zone_directory="zones", dns_zones=[])
    found = site.read()
    with pytest.raises(InputError) as caught:
        found.zone_texts(found.topology.zones)
    problems = caught.value.problems
    assert [(problem.zone, problem.file, problem.line) for problem in problems] == [
        ("bad.test", "zones/bad.test.zone", 6),
        ("latin.test", "zones/latin.test.zone", 6),
    ]
    assert "UTF-8" in problems[1].reason


def test_a_text_that_went_away_is_told(site: Site) -> None:
    found = site.read()
    (site.folder / "zones/example.com.zone").unlink()
    with pytest.raises(InputError) as caught:
        found.zone_texts(found.topology.zones)
    assert str(caught.value) == (
        "zone example.com, zones/example.com.zone: it cannot be read: No such file or directory."
        " See that it can be read."
    )


def test_line_ends_and_letters_are_kept(site: Site) -> None:
    text = ZONE.replace("\n", "\r\n") + '; \u00fc\r\nx IN TXT "\u00e9"\r\n'
    site.write("zones/example.com.zone", text)
    found = site.read()
    read = found.zone_texts(found.topology.zones)["example.com"]
    assert read.before + "7" + read.after == text


def test_name_servers_that_are_not_the_servers_are_a_warning(site: Site) -> None:
    site.hosts["a.test"]["dns_hidden"] = True
    site.hosts["b.test"]["dns_name"] = "z.test"
    site.hosts["c.test"] = {"dns_address": "192.0.2.3"}
    site.groups["nsd_secondary"] = ["c.test"]
    found = site.read()
    texts = found.zone_texts(found.topology.zones)
    (warning,) = found.warnings(texts)
    assert str(warning) == (
        "zone example.com, zones/example.com.zone: its NS records (a.test, b.test) are not the servers that serve it"
        " (c.test, z.test). Change the NS records, or dns_name, dns_hidden and dns_name_servers of the hosts."
    )


def test_warnings_of_a_text_are_told_too(site: Site) -> None:
    site.write("zones/example.com.zone", ZONE.replace("$TTL 3600\n", ""))
    found = site.read()
    (warning,) = found.warnings(found.zone_texts(found.topology.zones))
    assert (warning.zone, warning.file) == ("example.com", "zones/example.com.zone")
    assert "TTL" in str(warning)


# --- records ---------------------------------------------------------------------------------------------------------

RECORDS = """records:
  - {name: www, type: A, value: 192.0.2.80}
"""


def texts_of(site: Site) -> dict[str, Any]:
    found = site.read()
    return found.zone_texts(found.topology.zones)


def refusal(site: Site) -> str:
    """What is told of the zones' texts."""
    found = site.read()
    with pytest.raises(InputError) as caught:
        found.zone_texts(found.topology.zones)
    return str(caught.value)


def test_a_file_of_records_beside_master_files(site: Site) -> None:
    site.write("zones/records.test.yml", RECORDS)
    site.all.update(dns_zone_directory="zones", dns_zones=[])
    assert {name: zone.source for name, zone in site.read().topology.zones.items()} == {
        "example.com": "text",
        "records.test": "records",
    }
    text = texts_of(site)["records.test"]
    assert text.name_servers == ("a.test", "b.test")
    assert (text.records, text.serial) == (4, 1)  # SOA, two NS, A


def test_a_file_of_records_may_be_anywhere(site: Site) -> None:
    site.write("elsewhere/some.yml", RECORDS)
    site.all["dns_zones"] = [{"name": "records.test", "file": "elsewhere/some.yml"}]
    assert texts_of(site)["records.test"].records == 4


def test_an_entry_says_what_the_file_of_records_leaves_out(site: Site) -> None:
    site.write("zones/records.test.yml", RECORDS + "soa: {serial: 7}\n")
    site.all.update(dns_zone_directory="zones", dns_zones=[{"name": "records.test", "ttl": "2h"}])
    text = texts_of(site)["records.test"]
    assert (text.serial, "$TTL 7200\n" in text.before) == (7, True)
    site.all["dns_zones"] = [{"name": "records.test", "soa": {"serial": 8}, "ttl": "2h"}]
    assert refusal(site) == (
        "zone records.test, zones/records.test.yml: soa is in its entry in dns_zones too. Keep it in one place."
    )


def test_defaults_of_the_site_are_in_zones_with_records(site: Site) -> None:
    site.all["dns_zones"] = [{"name": "records.test", "records": [{"name": "www", "type": "A", "value": "192.0.2.80"}]}]
    soa = texts_of(site)["records.test"].soa
    assert soa == ("a.test", "hostmaster.records.test", 3600, 600, 1209600, 3600, 3600)
    site.all.update(
        dns_default_ttl="1h30m",
        dns_soa={"retry": 300, "minimum": "5m"},
        dns_mname="hidden.test",
        dns_hostmaster="dns.team@example.net",
    )
    text = texts_of(site)["records.test"]
    assert text.soa == ("hidden.test", "dns\\.team.example.net", 3600, 300, 1209600, 300, 5400)
    assert "$TTL 5400\n" in text.before
    site.all["dns_zones"][0].update(ttl=60, soa={"retry": 30, "mname": "own.test", "rname": "own@example.net"})
    soa = texts_of(site)["records.test"].soa
    assert soa == ("own.test", "own.example.net", 3600, 30, 1209600, 300, 60)


def test_defaults_are_not_for_master_files(site: Site) -> None:
    before = texts_of(site)
    site.all.update(dns_default_ttl=1, dns_soa={"retry": 1}, dns_mname="x.test", dns_hostmaster="x@example.net")
    assert texts_of(site) == before


def test_serial_keep(site: Site) -> None:
    site.write("zones/records.test.yml", RECORDS)
    site.all["dns_zones"] = [
        {"name": "example.com", "file": "zones/example.com.zone", "serial": "keep"},
        {"name": "records.test", "file": "zones/records.test.yml", "serial": "keep"},
        {"name": "inline.test", "records": [], "serial": "keep", "soa": {"retry": 300}},
    ]
    told = (
        ": serial: keep leaves the serial to you, and it has none. Add  soa: {serial: 2026010100}  or take"
        "  serial: keep  away."
    )
    assert refusal(site).split("\n") == [
        "zone inline.test, dns_zones" + told,
        "zone records.test, zones/records.test.yml" + told,
    ]
    for entry in site.all["dns_zones"][1:]:
        entry["soa"] = {"serial": 42}
    assert {name: text.serial for name, text in texts_of(site).items()} == {
        "example.com": 7,
        "inline.test": 42,
        "records.test": 42,
    }


def test_what_else_is_in_the_folder_of_zones_is_told(site: Site) -> None:
    site.all.update(dns_zone_directory="zones", dns_zones=[])
    assert site.read().idle_files == []
    for name in ("db.example.org", "example.org.zone.bak", "example.net.yaml", ".swp"):
        site.write("zones/" + name)
    (site.folder / "zones" / "folder").mkdir()
    (site.folder / "zones" / "folder.zone").mkdir()
    found = site.read()
    (warning,) = found.warnings(found.zone_texts(found.topology.zones))
    assert str(warning) == (
        "files in dns_zone_directory that are no zones: db.example.org, example.net.yaml, example.org.zone.bak,"
        " folder.zone. Zones are NAME.zone and NAME.yml; put other files elsewhere."
    )


def test_a_link_to_a_zone_file(site: Site) -> None:
    """One that leads nowhere is no reason to take the zone out of service."""
    site.all.update(dns_zone_directory="zones", dns_zones=[])
    target = site.write("elsewhere/zone.txt")
    (site.folder / "zones" / "linked.test.zone").symlink_to(target)
    assert set(texts_of(site)) == {"example.com", "linked.test"}
    os.unlink(target)
    assert site.mistakes() == [
        "%s/zones/linked.test.zone: it is a link to a file that is not there. Mend or remove it." % site.folder
    ]


# --- other names of groups -------------------------------------------------------------------------------------------


def test_groups_of_other_names(site: Site) -> None:
    before = site.read().topology
    site.groups = {"eu_primaries": ["a.test"], "eu": ["b.test"], "nsd_secondary": ["web.test"]}
    site.hosts["web.test"] = {"dns_address": "192.0.2.9"}
    site.all["dns_groups"] = {"bind_primary": "eu_primaries", "bind_secondary": "eu", "nsd_secondary": None}
    assert site.read().topology == before


@pytest.fixture
def two_services(site: Site) -> Site:
    """Two services in one inventory, each with its own groups, secret and zones."""
    for service in ("eu", "us"):
        for role, host in (("bind_primary", "a"), ("bind_secondary", "b")):
            name = "%s.%s.test" % (host, service)
            site.hosts[name] = {
                "dns_address": "198.51.100.%d" % len(site.hosts),
                "dns_groups": {role: "%s_%s" % (service, role) for role in ("bind_primary", "bind_secondary")},
                "dns_zones": [{"name": service + ".example", "file": "zones/example.com.zone"}],
            }
            site.groups["%s_%s" % (service, role)] = [name]
    for host in ("a.test", "b.test"):
        del site.hosts[host]
    del site.groups["bind_primary"], site.groups["bind_secondary"]
    site.groups["all"] = list(site.hosts)
    return site


def test_two_services_in_one_inventory(two_services: Site) -> None:
    site = two_services
    for service in ("eu", "us"):
        hosts = ["%s.%s.test" % (host, service) for host in "ab"]
        found = inventory.read(site.hostvars, site.groups, hosts).topology
        assert list(found.servers) == hosts
        assert list(found.zones) == [service + ".example"]
    assert site.mistakes() == [
        "the hosts of this run have different dns_groups, so it is not clear which service is meant. Limit the run to"
        " the hosts of one, with --limit, or say which with -e."
    ]


def test_a_task_tells_its_hosts(two_services: Site) -> None:
    task = {"hostvars": two_services.hostvars, "groups": two_services.groups}
    assert list(inventory.read_for_task({**task, "ansible_play_hosts_all": ["b.us.test"]}).topology.zones) == [
        "us.example"
    ]
    with pytest.raises(InputError):
        inventory.read_for_task(task)


# --- peers -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_peers(site: Site) -> Site:
    site.all["dns_peers"] = {
        "friend": {
            "role": "secondary",
            "transfer_from": ["203.0.113.0/24"],
            "notify_to": "203.0.113.53",
            "keys": [
                {"name": "Friend-2027.", "algorithm": "hmac-sha512", "secret": OTHER_SECRET},
                {"name": "friend-2026", "secret": PEER_SECRET},
            ],
            "name_servers": ["ns.friend.test"],
            "default": True,
        },
        "customer": {"role": "primary", "transfer_from": ["198.51.100.53"], "keys": []},
    }
    site.all["dns_zones"].append({"name": "customer.test", "primary": "customer"})
    return site


def test_peers(with_peers: Site) -> None:
    found = with_peers.read()
    assert found.topology.zones["example.com"].secondaries == ("b.test", "friend")
    assert found.topology.zones["customer.test"].secondaries == ("b.test",)
    assert found.topology.peers["friend"].keys == ("friend-2027", "friend-2026")
    for secret in (SECRET, OTHER_SECRET, PEER_SECRET):
        assert secret not in repr(found.topology)
        assert secret not in repr(found.peer_keys)


def test_keys_of_peers_are_on_the_hosts_that_talk_to_them(with_peers: Site) -> None:
    found = with_peers.read()
    keys = {host: {key.name: key for key in found.keys_of(host)} for host in found.topology.servers}
    assert set(keys["a.test"]) == {"friend-2026", "friend-2027", "g1.b.test.from.a.test", "g1.self.a.test"}
    assert set(keys["b.test"]) == {"g1.b.test.from.a.test", "g1.self.b.test"}
    assert (keys["a.test"]["friend-2027"].algorithm, keys["a.test"]["friend-2027"].secret) == (
        "hmac-sha512",
        OTHER_SECRET,
    )
    assert (keys["a.test"]["friend-2026"].algorithm, keys["a.test"]["friend-2026"].secret) == (
        "hmac-sha256",
        PEER_SECRET,
    )


def test_the_zone_of_a_peer_has_no_text_here(with_peers: Site) -> None:
    with_peers.write("zones/example.com.zone", ZONE + "@ NS ns.friend.test.\n")
    found = with_peers.read()
    texts = found.zone_texts(found.topology.zones)
    assert set(texts) == {"example.com"}
    (warning,) = found.warnings(texts)
    assert str(warning) == (
        "dns_peers: customer: its transfers are not signed, so that a forged address is enough. Agree on a TSIG key"
        " with its operator."
    )


def test_no_message_about_a_peer_has_its_secret(with_peers: Site) -> None:
    with_peers.all["dns_peers"]["friend"]["role"] = "friend"
    with_peers.all["dns_peers"]["customer"]["keys"] = {"secret": PEER_SECRET}
    found = with_peers.mistakes()
    assert found
    for secret in (SECRET, OTHER_SECRET, PEER_SECRET):
        assert secret not in "\n".join(found)


# --- clouds and presets ----------------------------------------------------------------------------------------------


@pytest.fixture
def with_clouds(site: Site) -> Site:
    site.hosts.update({"cloudflare": {"cloudflare_secondary_account_id": "0123"}, "route53": {}})
    site.hosts["route53"]["route53_push_host"] = "b.test"
    site.groups.update(cloudflare_secondary=["cloudflare"], route53_secondary=["route53"])
    site.groups["all"] += ["cloudflare", "route53"]
    return site


def told_by(site: Site) -> list[str]:
    found = site.read()
    return [str(problem) for problem in found.warnings(found.zone_texts(found.topology.zones))]


def test_clouds(with_clouds: Site) -> None:
    found = with_clouds.read()
    assert list(found.topology.clouds) == ["cloudflare", "route53"]
    assert found.topology.zones["example.com"].clouds == ("cloudflare", "route53")
    assert [key.name for key in found.keys_of("cloudflare")] == ["g1.cloudflare.from.a.test"]
    assert SECRET not in repr(found.topology)
    assert found.overlooked(with_clouds.hostvars) == told_by(with_clouds) == []


def test_groups_of_other_names_for_clouds(with_clouds: Site) -> None:
    before = with_clouds.read().topology
    groups = with_clouds.groups
    names = {role: "eu_" + role for role in topology.GROUPS if role in groups}
    with_clouds.groups = {"all": groups["all"], **{name: groups[role] for role, name in names.items()}}
    with_clouds.all["dns_groups"] = names
    assert with_clouds.read().topology == before
    with_clouds.all["dns_groups"] = {**names, "cloudflare_secondary": None}
    assert list(with_clouds.read().topology.clouds) == ["route53"]
    del names["cloudflare_secondary"]
    with_clouds.all["dns_groups"] = names
    assert list(with_clouds.read().topology.clouds) == ["route53"]


def test_an_account_has_the_variables_of_the_site_too(with_clouds: Site) -> None:
    with_clouds.hosts["cloudflare"]["dns_hostmaster"] = "other.test"
    with_clouds.all["dns_hostmaster"] = "hostmaster.test"
    assert with_clouds.mistakes() == [
        "host cloudflare: its dns_hostmaster differs from that of another server. Set it once for all hosts, in"
        " group_vars/all.yml."
    ]


def test_a_misspelt_variable_of_an_account_is_told(with_clouds: Site) -> None:
    with_clouds.hosts["cloudflare"]["dns_name_server"] = ["kate.ns.cloudflare.test"]
    assert [str(problem) for problem in with_clouds.read().overlooked(with_clouds.hostvars)] == [
        'host cloudflare: the variable "dns_name_server" is none of this collection\'s, and is ignored.'
        ' Did you mean "dns_name_servers"?'
    ]


def test_an_account_in_no_group_is_told(with_clouds: Site) -> None:
    """A misspelt group would take its zones away from it."""

    def overlooked() -> list[str]:
        return [str(problem) for problem in with_clouds.read().overlooked(with_clouds.hostvars)]

    told = "host %s: it has %s, but is not in %s: nothing is done there."
    told += " Put it into that group, or take the variable away."
    with_clouds.hosts["web.test"] = {}
    assert overlooked() == []
    for group in ("cloudflare_secondary", "route53_secondary"):
        with_clouds.groups[group + "s"] = with_clouds.groups.pop(group)
    assert overlooked() == [
        told % ("cloudflare", "cloudflare_secondary_account_id", "cloudflare_secondary"),
        told % ("route53", "route53_push_host", "route53_secondary"),
    ]
    # Set for all hosts, it tells nothing of one.
    with_clouds.all["cloudflare_secondary_account_id"] = "0123"
    assert overlooked() == [told % ("route53", "route53_push_host", "route53_secondary")]


def test_name_servers_that_only_a_provider_knows_are_no_mistake(with_clouds: Site) -> None:
    """They are looked at after the deploy; whatever else is wrong with the NS records is told as ever."""
    wrong = (
        "zone example.com, zones/example.com.zone: its NS records (%s) are not the servers that serve it (%s). Change"
    )
    assert told_by(with_clouds) == []
    with_clouds.write("zones/example.com.zone", ZONE + "@ NS kate.ns.cloudflare.test.\n@ NS ns-1.awsdns-01.test.\n")
    assert told_by(with_clouds) == []
    with_clouds.write("zones/example.com.zone", ZONE.replace("b.test.", "kate.ns.cloudflare.test."))
    (warning,) = told_by(with_clouds)
    assert warning.startswith(wrong % ("a.test, kate.ns.cloudflare.test", "a.test, b.test"))
    # One says its names, the other does not yet.
    with_clouds.hosts["cloudflare"]["dns_name_servers"] = ["Kate.NS.cloudflare.test."]
    with_clouds.write("zones/example.com.zone", ZONE + "@ NS kate.ns.cloudflare.test.\n@ NS ns-1.awsdns-01.test.\n")
    assert told_by(with_clouds) == []
    with_clouds.write("zones/example.com.zone", ZONE + "@ NS ns-1.awsdns-01.test.\n")
    (warning,) = told_by(with_clouds)
    assert warning.startswith(
        wrong % ("a.test, b.test, ns-1.awsdns-01.test", "a.test, b.test, kate.ns.cloudflare.test")
    )
    # Both do.
    with_clouds.hosts["route53"]["dns_name_servers"] = ["ns-1.awsdns-01.test"]
    with_clouds.write("zones/example.com.zone", ZONE + "@ NS kate.ns.cloudflare.test.\n@ NS ns-1.awsdns-01.test.\n")
    assert told_by(with_clouds) == []
    with_clouds.write("zones/example.com.zone", ZONE + "@ NS kate.ns.cloudflare.test.\n@ NS ns-2.awsdns-02.test.\n")
    assert len(told_by(with_clouds)) == 1


def test_zones_with_records_get_the_name_servers_that_accounts_bring(with_clouds: Site) -> None:
    with_clouds.all["dns_zones"] = [{"name": "example.org", "records": []}]

    def name_servers() -> set[str]:
        found = with_clouds.read()
        return set(found.zone_texts(["example.org"])["example.org"].name_servers)

    assert name_servers() == {"a.test", "b.test"}
    with_clouds.hosts["cloudflare"]["dns_name_servers"] = ["kate.ns.cloudflare.test"]
    assert name_servers() == {"a.test", "b.test", "kate.ns.cloudflare.test"}
    assert told_by(with_clouds) == []


class Clock(datetime):
    """The day of a run."""

    day = datetime(2026, 12, 1, tzinfo=timezone.utc)

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        assert tz is timezone.utc
        return cls.day


def test_data_of_providers_that_is_past_its_date_is_told(with_clouds: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    row = providers.PROVIDERS["cloudflare"]
    monkeypatch.setattr(inventory, "datetime", Clock)
    monkeypatch.setitem(providers.PROVIDERS, "cloudflare", row._replace(review="2026-12-02", verified=True))
    assert told_by(with_clouds) == []
    monkeypatch.setitem(providers.PROVIDERS, "cloudflare", row._replace(review="2026-12-01", verified=True))
    (warning,) = told_by(with_clouds)
    assert warning.startswith("preset cloudflare: the addresses of Cloudflare were last checked on %s" % row.checked)
    assert warning.endswith("dns_transfer_from and dns_notify_to of the hosts in cloudflare_secondary.")
    with_clouds.hosts["cloudflare"].update(dns_transfer_from="203.0.113.7", dns_notify_to="203.0.113.8")
    assert told_by(with_clouds) == []
    with_clouds.hosts["cloudflare"].pop("dns_notify_to")
    assert len(told_by(with_clouds)) == 1
    # Not used, not told.
    with_clouds.groups["cloudflare_secondary"] = []
    assert told_by(with_clouds) == []


def test_a_preset_that_could_not_be_checked_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    row = providers.PROVIDERS["hurricane-electric"]._replace(review="2999-01-01")
    site.write("zones/example.com.zone", ZONE + "".join("@ NS %s.\n" % name for name in row.name_servers))
    key = {"name": "he-key", "secret": PEER_SECRET}
    site.all["dns_peers"] = {"he": {"preset": "hurricane-electric", "keys": [key], "default": True}}
    monkeypatch.setitem(providers.PROVIDERS, "hurricane-electric", row._replace(verified=True))
    assert told_by(site) == []
    monkeypatch.setitem(providers.PROVIDERS, "hurricane-electric", row._replace(verified=False))
    (warning,) = told_by(site)
    assert warning.startswith("preset hurricane-electric: what it says could not be checked with Hurricane Electric")
    site.all["dns_peers"]["he"].update(transfer_from="203.0.113.7", notify_to=[])
    assert told_by(site) == []


def test_rows_of_what_providers_said(with_clouds: Site) -> None:
    rows = [checks.row("serial", "example.com", "cloudflare", "API", checks.OK, "in sync", 7)]
    silent = checks.row(
        "serial", "", "route53", "", checks.NOT_CHECKED, "not asked", None, "this run could not ask the provider"
    )
    found = with_clouds.read()
    # Nobody was asked, one gave no answer, one did.
    assert inventory.cloud_rows(found, with_clouds.hostvars) == [dict(silent, server="cloudflare"), silent]
    with_clouds.hosts["route53"]["__route53_secondary_seen"] = {"failed": True, "msg": "no credentials"}
    with_clouds.hosts["cloudflare"]["__cloudflare_secondary_seen"] = {"rows": rows, "zones": []}
    assert inventory.cloud_rows(found, with_clouds.hostvars) == [*rows, dict(silent, detail="no credentials")]
    # A deploy that failed is told where there were no checks after it, with the rows that it has.
    del with_clouds.hosts["route53"]["__route53_secondary_seen"]
    failed = dict(rows[0], server="route53", verdict=checks.FAILED)
    with_clouds.hosts["route53"]["__route53_secondary_pushed"] = {"failed": True, "msg": "so\nand so", "rows": [failed]}
    assert inventory.cloud_rows(found, with_clouds.hostvars) == [*rows, failed, dict(silent, detail="so")]
    with_clouds.hosts["route53"]["__route53_secondary_seen"] = {"rows": []}
    assert inventory.cloud_rows(found, with_clouds.hostvars) == rows
    # What another host has in a variable of that name is none of a provider's.
    with_clouds.hosts["a.test"]["__cloudflare_secondary_seen"] = {"rows": rows}
    assert inventory.cloud_rows(found, with_clouds.hostvars) == rows


def test_name_servers_that_providers_assigned(with_clouds: Site) -> None:
    found = with_clouds.read()
    assert inventory.assigned_name_servers(found, with_clouds.hostvars) == []
    names = ["kate.ns.cloudflare.test", "tom.ns.cloudflare.test"]
    zones = [
        {"name": "example.com", "name_servers": names, "serial": 7},
        {"name": "gone.test", "name_servers": names, "serial": 7},
    ]
    with_clouds.hosts["a.test"].update(dns_port=5300, dns_address=["192.0.2.1", "2001:db8::1"])
    with_clouds.hosts["cloudflare"]["__cloudflare_secondary_seen"] = {"rows": [], "zones": zones}
    with_clouds.hosts["route53"]["__route53_secondary_seen"] = {
        "rows": [],
        "zones": [{"name": "example.com", "name_servers": []}],
    }
    found = with_clouds.read()
    assert inventory.assigned_name_servers(found, with_clouds.hostvars) == [
        {
            "name": "example.com",
            "provider": "cloudflare",
            "name_servers": names,
            "primary_addresses": ["192.0.2.1", "2001:db8::1"],
            "primary_port": 5300,
        }
    ]


# --- a server that leaves --------------------------------------------------------------------------------------------


def test_an_account_is_not_decommissioned(with_clouds: Site) -> None:
    """Nobody could connect to it."""

    def told(host: str) -> str:
        with pytest.raises(InputError) as caught:
            inventory.refuse_to_leave(with_clouds.read(), host, with_clouds.hostvars, force=True)
        return str(caught.value)

    assert told("cloudflare") == (
        "host cloudflare: it is an account in cloudflare_secondary, and no server that could be stopped. Set"
        "  cloudflare_secondary_state: absent  for it, run the playbook site, and take it out of its group."
    )
    assert told("route53") == (
        "host route53: it is an account in route53_secondary, and no server that could be stopped. Take it out of its"
        " group, run the playbook site, and delete its hosted zones at the provider."
    )
    with_clouds.hosts["c.test"] = {"dns_address": "192.0.2.3"}
    inventory.refuse_to_leave(with_clouds.read(), "c.test", with_clouds.hostvars)


def test_a_host_that_may_leave(site: Site) -> None:
    def told(host: str, force: bool = False) -> str:
        with pytest.raises(InputError) as caught:
            inventory.refuse_to_leave(site.read(), host, site.hostvars, force)
        return str(caught.value)

    site.hosts.update({"c.test": {"dns_name": "ns3.test"}, "web.test": {}})
    inventory.refuse_to_leave(site.read(), "web.test", site.hostvars)
    inventory.refuse_to_leave(site.read(), "c.test", site.hostvars)
    assert told("") == (
        "there is no host to decommission. Say which with  -e dns_decommission=HOST; it stays in the inventory until"
        " this is done."
    )
    assert told("gone.test").startswith("the inventory has no host gone.test to decommission. Say which with ")
    assert (
        told("b.test")
        == told("b.test", force=True)
        == (
            "host b.test: it is still in bind_secondary. Take it out of its group, run the playbook site, so that the"
            " others forget it, and then this one."
        )
    )
    # Its name in the NS records, not its inventory name, is what counts; and the apex alone.
    site.write("zones/example.com.zone", ZONE + "@ NS NS3.test.\nsub NS web.test.\n")
    inventory.refuse_to_leave(site.read(), "web.test", site.hostvars)
    assert told("c.test") == (
        "host c.test: the NS records of 1 zone still name ns3.test (example.com), so resolvers ask it. Take it out of"
        " them and of their delegations, wait for the TTL, and run this again; or once with  -e"
        " dns_decommission_force=true."
    )
    inventory.refuse_to_leave(site.read(), "c.test", site.hostvars, force=True)
    site.all["dns_zones"] = [{"name": "z%d.test" % number, "file": "zones/example.com.zone"} for number in range(5)]
    site.write("zones/example.com.zone", ZONE + "@ NS NS3.test.\n")
    assert "of 5 zones still name ns3.test (z0.test, z1.test, z2.test, ...), so" in told("c.test")


# --- mistakes --------------------------------------------------------------------------------------------------------


class Unreadable(dict):
    """A host whose variable cannot be resolved, as Ansible's hostvars do it."""

    def __getitem__(self, name: str) -> Any:
        if name == "dns_address":
            raise RuntimeError("'nowhere' is undefined")
        return super().__getitem__(name)


MISTAKES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "zones as a mapping": (
        {"dns_zones": {"example.com": {}}},
        ["dns_zones is not a list. Write  dns_zones: [{name: example.com, file: ...}]."],
    ),
    "a missing folder": (
        {"dns_zone_directory": "nowhere"},
        ["{0}/nowhere: dns_zone_directory cannot be read: No such file or directory. Relative paths start at"
         " dns_base_directory, which is {0}."],
    ),
    "a list of folders": (
        {"dns_zone_directory": ["zones"]},
        ["dns_zone_directory ['zones'] is not a path. Write one folder, such as zones."],
    ),
    "a relative base": (
        {"dns_base_directory": "zones", "dns_zones": [{"name": "example.com", "file": "/dev/null/x"}]},
        [
            "dns_base_directory 'zones' is not an absolute path. Set it to the absolute path of the folder where the"
            " paths of zone files start.",
            "zone example.com, /dev/null/x: there is no such file on the controller. Relative paths start at"
            " dns_base_directory, by default the inventory's folder.",
        ],
    ),
    "no base": (
        {"inventory_dir": None, "dns_zones": [{"name": "example.com", "file": "/dev/null/x"}]},
        [
            "dns_base_directory is not set, and this inventory has no folder to start from. Set it to the absolute path"
            " of the folder where the paths of zone files start.",
            "zone example.com, /dev/null/x: there is no such file on the controller. Relative paths start at"
            " dns_base_directory, by default the inventory's folder.",
        ],
    ),
    "no master secret": (
        {"tsig_master_secret": None},
        ["tsig_master_secret is missing. Make one with  openssl rand -base64 32  and keep it in a file encrypted with"
         " ansible-vault."],
    ),
    "a weak master secret": (
        {"tsig_master_secret": SECRET[:20]},
        ["tsig_master_secret has 15 octets; it needs at least 32. Make one with  openssl rand -base64 32  and keep it"
         " in a file encrypted with ansible-vault."],
    ),
    "a given key of an unknown host": (
        {"tsig_keys": [{"primary": "a.tset", "secondary": "b.test", "name": "k", "secret": OTHER_SECRET}]},
        ['the key "k" in tsig_keys is for a link from "a.tset" to "b.test", and there is no such link. Write the'
         " hosts' inventory names: primary is where the zones are transferred from."],
    ),
    "everything": (
        {
            "tsig_master_secret": "short",
            "tsig_keys": [{"name": "k", "secret": OTHER_SECRET}],
            "tsig_generations": [],
            "dns_zone_directory": 5,
            "dns_zones": [{"name": True}],
        },
        [
            "dns_zone_directory 5 is not a path. Write one folder, such as zones.",
            "tsig_generations [] is not a list of different numbers from 1. Write  tsig_generations: [1]  or, while a"
            " key is being replaced,  tsig_generations: [2, 1].",
            "tsig_keys[0] lacks primary, secondary. It needs primary, secondary, name, secret, each a text.",
            "dns_zones[0]: name: YAML reads yes, no, on, off, true and false as truth values; put it in quotes. Write"
            " the zone's name, such as example.com.",
            "tsig_master_secret is not base64. Make one with  openssl rand -base64 32  and keep it in a file encrypted"
            " with ansible-vault.",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_mend(site: Site, name: str) -> None:
    variables, messages = MISTAKES[name]
    site.all.update(variables)
    found = site.mistakes()
    assert found == [message.format(site.folder) if "{0}" in message else message for message in messages]
    for secret in (SECRET, SECRET[:20], OTHER_SECRET):
        assert secret not in "\n".join(found)


@pytest.mark.parametrize("value", [[0], [1, 1], [-1], [True], ["1"], [2**32], 1, "1", None, [1.0]])
def test_generations_that_are_none(site: Site, value: Any) -> None:
    site.all["tsig_generations"] = value
    (message,) = site.mistakes()
    assert message.startswith("tsig_generations %r is not a list of different numbers from 1. " % (value,))


def test_a_variable_that_cannot_be_resolved_is_told(site: Site) -> None:
    hostvars = {host: Unreadable(variables) for host, variables in site.hostvars.items()}
    with pytest.raises(InputError) as caught:
        inventory.read(hostvars, site.groups)
    messages = [str(problem) for problem in caught.value.problems]
    assert messages == [
        "host %s: the variable dns_address cannot be resolved: 'nowhere' is undefined. Mend its template; where it is"
        " vaulted, give the password, with --ask-vault-pass for example." % host
        for host in site.hosts
    ]


def test_a_variable_of_the_site_that_cannot_be_resolved_is_told_once(site: Site) -> None:
    """And nothing that would follow from its being missing."""

    class Vaulted(dict):
        def __getitem__(self, name: str) -> Any:
            if name == "tsig_master_secret":
                raise RuntimeError("no vault secrets were found.")
            return super().__getitem__(name)

    with pytest.raises(InputError) as caught:
        inventory.read({host: Vaulted(variables) for host, variables in site.hostvars.items()}, site.groups)
    assert str(caught.value) == (
        "host a.test: the variable tsig_master_secret cannot be resolved: no vault secrets were found. Mend its"
        " template; where it is vaulted, give the password, with --ask-vault-pass for example. Make one with  openssl"
        " rand -base64 32  and keep it in a file encrypted with ansible-vault."
    )


def test_a_path_with_a_character_that_no_path_has_is_told(site: Site) -> None:
    site.all["dns_zone_directory"] = "zo\0nes"
    (message,) = site.mistakes()
    assert "dns_zone_directory cannot be read: it is no path." in message


def test_a_number_that_python_does_not_print_is_told(site: Site) -> None:
    site.hosts["b.test"]["dns_port"] = 16**5000
    (message,) = site.mistakes()
    assert message.startswith("host b.test: dns_port '0x1000")
    assert "is not a port number. " in message and len(message) < 250


def test_primaries_with_different_zones_are_told(site: Site) -> None:
    site.hosts["c.test"] = {"dns_address": "192.0.2.3", "dns_zones": []}
    site.groups["bind_primary"] = ["a.test", "c.test"]
    messages = site.mistakes()
    assert messages[0] == (
        "host c.test: its dns_zones differs from that of another server. Set it once for all hosts, in"
        " group_vars/all.yml."
    )


@pytest.mark.parametrize("name", sorted({*inventory.SITE_VARIABLES} - {"inventory_dir", "dns_zones"}))
def test_a_variable_of_the_site_is_the_same_for_all_servers(site: Site, name: str) -> None:
    """Its value is not shown: it may be a secret."""
    site.all.setdefault(name, None)
    site.hosts["b.test"][name] = "another value"
    assert site.mistakes()[0] == (
        "host b.test: its %s differs from that of another server. Set it once for all hosts, in group_vars/all.yml."
        % name
    )


def services(site: Site, mine: Any, other: Any) -> None:
    """A second service in the inventory, and what the hosts of each say of dns_groups."""
    site.hosts["c.test"] = {"dns_address": "192.0.2.3"}
    site.hosts["d.test"] = {"dns_address": "192.0.2.4"}
    site.groups.update(all=list(site.hosts), more=["c.test"], others=["d.test"])
    for hosts, groups in ((("a.test", "b.test"), mine), (("c.test", "d.test"), other)):
        for host in hosts if groups is not None else ():
            site.hosts[host]["dns_groups"] = groups


OTHER_GROUPS = {"bind_primary": "more", "bind_secondary": "others"}


def test_a_service_with_groups_of_its_own_beside_one_without(site: Site) -> None:
    services(site, None, OTHER_GROUPS)
    assert "different dns_groups" in site.mistakes()[0]
    for hosts in (["a.test", "b.test"], ["c.test", "d.test"]):
        found = inventory.read(site.hostvars, site.groups, hosts)
        assert list(found.topology.servers) == hosts


def test_a_role_that_dns_groups_does_not_name_has_no_hosts(site: Site) -> None:
    """Else a service would take the hosts of the other."""
    services(site, None, OTHER_GROUPS)
    site.groups["nsd_secondary"] = ["b.test"]
    site.groups["bind_secondary"] = []
    found = inventory.read(site.hostvars, site.groups, ["c.test", "d.test"])
    assert list(found.topology.servers) == ["c.test", "d.test"]


def test_a_host_of_a_group_that_ansible_does_not_know_is_told(site: Site) -> None:
    site.groups["bind_secondary"] = ["b.test", "ghost.test"]
    (message,) = site.mistakes()
    assert message.startswith("host ghost.test: dns_address is missing")


# YAML has no NUL, and Ansible no paths with it.
TEXTS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=5)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=5,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(inventory.SITE_VARIABLES), ANYTHING, max_size=4))
def test_no_variable_raises_anything_but_input_errors(variables: Mapping[str, Any]) -> None:
    site = Site.__new__(Site)
    site.all = {"inventory_dir": "/nonexistent", "tsig_master_secret": SECRET, **variables}
    site.hosts = {"a.test": {"dns_address": "192.0.2.1"}, "b.test": {"dns_address": "192.0.2.2"}}
    site.groups = {"bind_primary": ["a.test"], "bind_secondary": ["b.test"]}
    with pytest.raises(InputError):  # there is no zone
        site.read()


# --- what a run touched ----------------------------------------------------------------------------------------------


@pytest.fixture
def many(site: Site) -> Iterator[Site]:
    site.all["dns_zones"] = [{"name": "z%02d.test" % number, "file": "zones/example.com.zone"} for number in range(50)]
    yield site
    shutil.rmtree(site.folder)


def test_zones_to_verify(many: Site) -> None:
    found = many.read()
    names = list(found.topology.zones)

    def chosen(level: str) -> list[str]:
        return inventory.zones_to_verify(found, level, many.hostvars)

    # No role has run: the checks run alone.
    assert chosen("auto") == chosen("full") == names
    assert chosen("changed") == []
    assert len(chosen("sample")) == inventory.SAMPLE
    many.hosts["a.test"]["bind_primary_changed_zones"] = ["z07.test", "z03.test"]
    many.hosts["b.test"]["bind_changed_zones"] = ["z03.test", "gone.test"]
    assert chosen("auto") == chosen("changed") == ["z03.test", "z07.test"]
    assert {"z03.test", "z07.test"} <= set(chosen("sample")) <= set(names)
    assert chosen("full") == names
    # A deploy that touched nothing.
    many.hosts["a.test"]["bind_primary_changed_zones"] = many.hosts["b.test"]["bind_changed_zones"] = []
    assert chosen("auto") == []


def test_zones_held_back_are_failed_rows(site: Site) -> None:
    found = site.read()
    path = str(site.folder / "zones/example.com.zone")
    assert inventory.held_back_rows(found, site.hostvars) == []
    site.hosts["a.test"]["bind_primary_held_back"] = [
        {"zone": "example.com", "file": path, "line": 3, "reason": "bad dotted quad", "unpublished": True},
        {"zone": "other.test", "file": "/elsewhere/f", "line": None, "reason": "no NS", "unpublished": False},
    ]
    rows = inventory.held_back_rows(found, site.hostvars)
    assert [(row["check"], row["zone"], row["server"], row["verdict"], row["status"]) for row in rows] == [
        ("publish", "example.com", "a.test", "failed", "held back"),
        ("publish", "other.test", "a.test", "failed", "held back"),
    ]
    assert [row["detail"] for row in rows] == [
        "zones/example.com.zone:3: bad dotted quad; it is not served yet",
        "/elsewhere/f: no NS; what was served before is still served",
    ]


# --- how problems are told ------------------------------------------------------------------------------------------


def test_what_is_the_same_with_many_zones_is_told_once(site: Site) -> None:
    site.all["dns_zones"] = [{"name": "z%d.test" % number, "file": "zones/example.com.zone"} for number in range(9)]
    site.groups["bind_secondary"] = []
    site.groups["bind_primary"] = ["a.test", "b.test"]
    with pytest.raises(InputError) as caught:
        site.read()
    assert caught.value.as_message() == (
        "9 mistakes:\n"
        "zones z0.test, z1.test, z2.test and 6 more: bind_primary has the hosts a.test, b.test, so the zone must say"
        " which one is its primary. Add  primary: HOST  to its entry in dns_zones."
    )
    del site.all["dns_zones"][3:]
    with pytest.raises(InputError) as caught:
        site.read()
    assert [line.split(":")[0] for line in caught.value.as_message().splitlines()[1:]] == [
        "zone z0.test",
        "zone z1.test",
        "zone z2.test",
    ]


def test_problems_in_lines_of_many_files_are_all_told() -> None:
    problems = [Problem("it is wrong", "Mend it", "z%d" % number, None, "f%d" % number, 7) for number in range(9)]
    assert len(InputError(problems).as_message().splitlines()) == 10


def test_what_the_input_holds_does_not_move_the_cursor() -> None:
    assert str(Problem("it has \x1b[2J and\nanother line", zone="a\rb")) == "zone a?b: it has ?[2J and?another line."


def test_a_misspelt_variable_is_told(site: Site) -> None:
    site.hosts["a.test"].update(dns_hiden=True, dns_colour="blue", other=1)
    site.all["dns_zone_dirctory"] = "zones"
    assert [str(problem) for problem in site.read().overlooked(site.hostvars)] == [
        'host a.test: the variable "dns_zone_dirctory" is none of this collection\'s, and is ignored.'
        ' Did you mean "dns_zone_directory"?',
        'host a.test: the variable "dns_hiden" is none of this collection\'s, and is ignored.'
        ' Did you mean "dns_hidden"?',
    ]


def test_a_server_in_no_group_is_told(site: Site) -> None:
    """A misspelt group would take it out of service."""
    assert site.read().overlooked(site.hostvars) == []
    site.hosts["c.test"] = {"dns_address": "192.0.2.3"}
    site.hosts["web.test"] = {}
    site.groups["bind_secondaries"] = ["c.test"]
    assert [str(problem) for problem in site.read().overlooked(site.hostvars)] == [
        "host c.test: it has dns_address, but is in none of bind_primary, bind_secondary, nsd_secondary: it serves"
        " nothing here, and is not checked. Put it into its group; where it leaves, run the playbook decommission for"
        " it."
    ]
