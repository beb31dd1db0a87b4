"""The one list of links: what follows from an inventory, and every mistake in one."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
import time
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import names, topology, views
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.providers import Provider
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.topology import GivenKey, Link, Site, Topology
from hypothesis import given, settings
from hypothesis import strategies as st
from sites import CLOUD_HOSTS, HOSTS, make_cloud_site, make_site

V4 = {"a.test": "192.0.2.1", "b.test": "192.0.2.2", "c.test": "192.0.2.3"}
V6 = {"a.test": "2001:db8::1", "b.test": "2001:db8::2", "c.test": "2001:db8::3"}


def build(*args: Any, **kwargs: Any) -> Topology:
    return topology.build(make_site(*args, **kwargs))


def mistakes(site: Site) -> list[str]:
    with pytest.raises(InputError) as caught:
        topology.build(site)
    return [str(problem) for problem in caught.value.problems]


# --- links ----------------------------------------------------------------------------------------------------------


def test_one_primary_and_its_secondaries() -> None:
    built = build()
    assert built.zones == {
        "example.com": topology.Zone("example.com", "/srv/example.com.zone", "a.test", ("b.test", "c.test"))
    }
    assert built.links == {
        ("a.test", "b.test"): Link(
            primary="a.test",
            secondary="b.test",
            keys=("g1.b.test.from.a.test",),
            transfer_from=("192.0.2.1",),
            transfer_to=("192.0.2.2",),
            notify_from=("192.0.2.1",),
            notify_to=("192.0.2.2",),
        ),
        ("a.test", "c.test"): Link(
            primary="a.test",
            secondary="c.test",
            keys=("g1.c.test.from.a.test",),
            transfer_from=("192.0.2.1",),
            transfer_to=("192.0.2.3",),
            notify_from=("192.0.2.1",),
            notify_to=("192.0.2.3",),
        ),
        **{
            (host, host): Link(host, host, ("g1.self.%s" % host,), (V4[host],), (V4[host],), (), ())
            for host in HOSTS
        },
    }  # fmt: skip
    assert {host: server.kind for host, server in built.servers.items()} == {
        "a.test": "bind",
        "b.test": "bind",
        "c.test": "nsd",
    }


def test_a_server_without_a_zone_still_has_its_self_link() -> None:
    built = build([{"name": "example.com", "file": "f", "secondaries": ["b.test"]}])
    assert set(built.links) == {("a.test", "b.test"), ("a.test", "a.test"), ("b.test", "b.test"), ("c.test", "c.test")}
    assert views.host_view(built, "c.test")["served"] == []


def test_every_secondary_of_many_has_a_link() -> None:
    names = ["s%d.test" % number for number in range(20)]
    hosts = {name: {"dns_address": "198.51.100.%d" % number} for number, name in enumerate(names)}
    built = build(hosts=hosts, groups={"bind_secondary": names[:10], "nsd_secondary": names[10:]})
    assert {ends for ends in built.links if ends[0] != ends[1]} == {("a.test", name) for name in names}
    assert built.zones["example.com"].secondaries == tuple(sorted(names))


BOTH = "both"


@pytest.mark.parametrize("primary", ["v4", "v6", BOTH])
@pytest.mark.parametrize("secondary", ["v4", "v6", BOTH])
def test_only_families_that_both_ends_have(primary: str, secondary: str) -> None:
    of = {"v4": lambda host: [V4[host]], "v6": lambda host: [V6[host]], BOTH: lambda host: [V4[host], V6[host]]}
    hosts = {
        "a.test": {"dns_address": of[primary]("a.test")},
        "b.test": {"dns_address": of[secondary]("b.test")},
        "c.test": {"dns_address": of[primary]("c.test")},
    }
    if {primary, secondary} == {"v4", "v6"}:
        a, b = (of[which](host)[0] for which, host in ((primary, "a.test"), (secondary, "b.test")))
        assert mistakes(make_site(hosts=hosts)) == [
            "zone example.com: a.test and b.test have no address family in common (%s; %s)."
            " Give both an IPv4 or both an IPv6 address in dns_address." % (a, b)
        ]
        return
    link = build(hosts=hosts).links[("a.test", "b.test")]
    shared = primary if secondary == BOTH else secondary
    assert link.transfer_from == link.notify_from == tuple(of[shared]("a.test"))
    assert link.transfer_to == link.notify_to == tuple(of[shared]("b.test"))


def test_no_common_family_names_one_zone_for_each_pair_of_hosts() -> None:
    zones = ["z%d.test" % number for number in range(50)]
    hosts = {"b.test": {"dns_address": V6["b.test"]}, "c.test": {"dns_address": V6["c.test"]}}
    found = mistakes(make_site(zones, hosts=hosts))
    assert [line.split(" have ")[0] for line in found] == [
        "zone z0.test: a.test and b.test",
        "zone z0.test: a.test and c.test",
    ]


def test_a_zone_names_its_primary_and_its_secondaries_as_hosts_and_groups() -> None:
    hosts = {"d.test": {"dns_address": "192.0.2.4"}, "e.test": {"dns_address": "192.0.2.5"}}
    groups = {
        "bind_primary": ["a.test", "d.test"],
        "bind_secondary": ["b.test", "e.test"],
        "frankfurt": ["b.test", "c.test"],
    }
    built = build(
        [
            {"name": "one.test", "file": "1", "primary": "a.test"},
            {"name": "two.test", "file": "2", "primary": "d.test", "secondaries": ["e.test"]},
            {"name": "three.test", "file": "3", "primary": "d.test", "secondaries": ["frankfurt", "e.test", "b.test"]},
            {"name": "four.test", "file": "4", "primary": "a.test", "secondaries": ("nsd_secondary",)},
        ],
        hosts=hosts,
        groups=groups,
    )
    assert {zone.name: (zone.primary, zone.secondaries) for zone in built.zones.values()} == {
        "one.test": ("a.test", ("b.test", "c.test", "e.test")),
        "two.test": ("d.test", ("e.test",)),
        "three.test": ("d.test", ("b.test", "c.test", "e.test")),
        "four.test": ("a.test", ("c.test",)),
    }
    assert {ends for ends in built.links if ends[0] != ends[1]} == {
        *itertools.product(["a.test"], ["b.test", "c.test", "e.test"]),
        *itertools.product(["d.test"], ["b.test", "c.test", "e.test"]),
    }


def test_a_host_is_primary_for_one_zone_and_secondary_for_another() -> None:
    built = build(
        [
            {"name": "one.test", "file": "1", "primary": "a.test", "secondaries": ["b.test"]},
            {"name": "two.test", "file": "2", "primary": "b.test", "secondaries": ["a.test", "c.test"]},
            {"name": "three.test", "file": "3", "primary": "b.test"},
        ],
        groups={"bind_primary": ["a.test", "b.test"], "bind_secondary": ["a.test", "b.test"]},
    )
    # By default all secondaries but the zone's own primary; a group does not count it either.
    assert built.zones["three.test"].secondaries == ("a.test", "c.test")
    there, back = built.links[("a.test", "b.test")], built.links[("b.test", "a.test")]
    assert set(there.keys).isdisjoint(back.keys)
    assert (there.transfer_from, there.transfer_to) == (("192.0.2.1",), ("192.0.2.2",))
    assert (back.transfer_from, back.transfer_to) == (("192.0.2.2",), ("192.0.2.1",))
    view = views.host_view(built, "b.test")
    assert [zone["name"] for zone in view["zones_as_primary"]] == ["three.test", "two.test"]
    assert view["zones_as_secondary"] == [{"name": "one.test", "file_name": "one.test", "link": "a.test", "extra": []}]
    assert [link["id"] for link in view["links_as_primary"]] == ["a.test", "c.test"]
    assert [link["id"] for link in view["links_as_secondary"]] == ["a.test"]


def test_a_group_of_secondaries_leaves_the_primary_out() -> None:
    built = build(
        [{"name": "one.test", "file": "1", "primary": "a.test", "secondaries": ["bind_secondary"]}],
        groups={"bind_secondary": ["a.test", "b.test"]},
    )
    assert built.zones["one.test"].secondaries == ("b.test",)


def test_a_zone_name_in_unicode() -> None:
    assert list(build([{"name": "Bücher.example", "file": "f"}]).zones) == ["xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("network", "zone"),
    [
        ("192.0.2.0/24", "2.0.192.in-addr.arpa"),
        ("10.0.0.0/8", "10.in-addr.arpa"),
        ("2001:db8::/32", "8.b.d.0.1.0.0.2.ip6.arpa"),
        ("192.0.2.0/25", None),
        ("192.0.2.1", None),
        ("0/25.2.0.192.in-addr.arpa", None),
    ],
)
def test_the_zone_of_a_network(network: str, zone: str | None) -> None:
    assert names.reverse_zone(network) == zone


# --- zones ----------------------------------------------------------------------------------------------------------


def test_where_a_zone_has_its_content() -> None:
    built = build(
        [
            {"name": "file.test", "file": "file.zone"},
            {"name": "yml.test", "file": "records.yml", "ttl": 60},
            {"name": "inline.test", "records": [], "soa": {"retry": 60}},
            {"name": "decorated.test", "ttl": 60, "serial": "keep", "secondaries": ["c.test"]},
            {"name": "foreign.test", "primary": "source", "secondaries": ["b.test"]},
        ],
        directory_files={name: "/z/%s" % name for name in ("text.test.zone", "records.test.yml", "decorated.test.yml")},
        peers={"source": SOURCE},
    )
    found = {zone.name: (zone.source, zone.file, dict(zone.content)) for zone in built.zones.values()}
    assert found == {
        "file.test": ("text", "/srv/file.zone", {}),
        "yml.test": ("records", "/srv/records.yml", {"ttl": 60}),
        "inline.test": ("records", None, {"records": [], "soa": {"retry": 60}}),
        "text.test": ("text", "/z/text.test.zone", {}),
        "records.test": ("records", "/z/records.test.yml", {}),
        "decorated.test": ("records", "/z/decorated.test.yml", {"ttl": 60}),
        "foreign.test": ("transfer", None, {}),
    }
    assert {zone.name for zone in built.zones.values() if zone.serial == "keep"} == {"decorated.test"}
    assert built.zones["decorated.test"].secondaries == ("c.test",)


@pytest.mark.parametrize(
    ("settings", "secondaries"),
    [
        ({}, ["b.test", "c.test"]),
        ({"secondaries_add": ["d.test"]}, ["b.test", "c.test", "d.test"]),
        ({"secondaries_add": ["friend"]}, ["b.test", "c.test", "friend"]),
        ({"secondaries_remove": ["b.test"]}, ["c.test"]),
        ({"secondaries_remove": ["nsd_secondary"]}, ["b.test"]),
        ({"secondaries_add": ["friend"], "secondaries_remove": ["b.test", "c.test"]}, ["friend"]),
        ({"secondaries": ["b.test"], "secondaries_add": ["friend", "b.test"]}, ["b.test", "friend"]),
        ({"secondaries": []}, None),
    ],
)
def test_secondaries_added_and_removed(settings: dict[str, Any], secondaries: list[str] | None) -> None:
    other = {"name": "other.test", "file": "o", "secondaries": ["d.test", "friend"]}
    site = make_site(
        [{**ONE, **settings}, other],
        hosts={"d.test": {"dns_address": "192.0.2.4"}},
        groups={
            "bind_primary": ["a.test"],
            "bind_secondary": ["b.test"],
            "nsd_secondary": ["c.test"],
            "more": ["d.test"],
        },
        peers={"friend": {**FRIEND, "default": False}},
    )
    if "d.test" in settings.get("secondaries_add", []) or secondaries is None:
        # A host that is in no group of secondaries is no default, and no secondary either.
        assert any("d.test" in line or "no secondary" in line for line in mistakes(site))
        return
    zones = [{**ONE, **settings}, {**other, "secondaries": ["friend"]}]
    assert (
        list(build(zones, peers={"friend": {**FRIEND, "default": False}}).zones["example.com"].secondaries)
        == secondaries
    )


def test_name_servers_of_a_zone() -> None:
    """Those that serve it and are visible, the primary first, and what a peer brings."""
    hosts = {"a.test": {"dns_name": "ns1.test"}, "b.test": {"dns_hidden": True}}
    peers = {"friend": {**FRIEND, "default": True, "name_servers": ["x.friend.test", "y.friend.test"]}}
    built = build(hosts=hosts, peers=peers)
    assert built.name_servers(built.zones["example.com"]) == ["ns1.test", "c.test", "x.friend.test", "y.friend.test"]


def test_extra_statements_go_to_the_hosts_of_their_role() -> None:
    extra = {"bind_primary": "max-journal-size 1m;\n\n  notify-delay 1;\n", "nsd_secondary": "min-retry-time: 60"}
    built = build([{**ONE, "extra": extra}])
    assert views.host_view(built, "a.test")["zones_as_primary"][0]["extra"] == [
        "max-journal-size 1m;",
        "notify-delay 1;",
    ]
    assert views.host_view(built, "b.test")["zones_as_secondary"][0]["extra"] == []
    assert views.host_view(built, "c.test")["zones_as_secondary"][0]["extra"] == ["min-retry-time: 60"]


@pytest.mark.parametrize(
    "text", ['update-policy { grant "a" self x.; };', "max-journal-size 1m; // }; {", "# };\nnotify yes;", 'x "}";']
)
def test_extra_may_have_blocks_comments_and_texts(text: str) -> None:
    built = build([{**ONE, "extra": {"bind_primary": text}}])
    assert built.zones["example.com"].extra == {"bind_primary": text}


def test_strangers_try_every_zone_with_statements_of_its_own() -> None:
    """They may have opened its ACL; of the others, one for each server is enough."""
    extra = {"bind_primary": "max-journal-size 1m;"}
    zones = ["a.test", {"name": "b.test", "file": "b", "extra": extra}, {"name": "c.test", "file": "c", "extra": extra}]
    found = {check["server"]: check["zones"] for check in views.stranger_checks(build([*zones, "d.test"]))}
    assert found == dict.fromkeys(HOSTS, ["a.test", "b.test", "c.test"])


def test_verifiers_are_spared_by_the_rate_limit() -> None:
    built = build(verifiers=["198.51.100.0/24", "2001:db8::77"])
    assert {"198.51.100.0/24", "2001:db8::77"} <= set(views.host_view(built, "b.test")["server_addresses"])


# --- peers ----------------------------------------------------------------------------------------------------------


def test_a_secondary_outside_the_inventory() -> None:
    """It transfers from one address and a network, and takes NOTIFY on another address."""
    peer = {
        "role": "secondary",
        "transfer_from": ["192.0.2.9", "198.51.100.0/24", "2001:db8::9"],
        "notify_to": "192.0.2.10",
        "port": 5353,
        "keys": ["new.key", "old.key"],
        "default": True,
    }
    built = build(peers={"friend": peer})
    assert built.zones["example.com"].secondaries == ("b.test", "c.test", "friend")
    assert built.links[("a.test", "friend")] == Link(
        primary="a.test",
        secondary="friend",
        keys=("new.key", "old.key"),
        transfer_from=("192.0.2.1",),
        transfer_to=("192.0.2.9", "198.51.100.0/24"),
        notify_from=("192.0.2.1",),
        notify_to=("192.0.2.10",),
    )
    view = views.host_view(built, "a.test")
    assert view["zones_as_primary"][0]["links"] == ["b.test", "c.test", "friend"]
    assert view["zones_as_primary"][0]["ask"][-1] == ["192.0.2.10", 5353]
    assert {"/etc/bind/keys/new.key.key", "/etc/bind/keys/old.key.key"} <= set(view["key_files"])
    assert [link["port"] for link in view["links_as_primary"] if link["id"] == "friend"] == [5353]
    # The rate limit of every server spares it; no other server learns anything else of it.
    assert "198.51.100.0/24" in view["server_addresses"]
    assert "friend" not in json.dumps(views.host_view(built, "b.test"))
    assert views.overview(built)["peers"] == {
        "friend": {"role": "secondary", "addresses": ["192.0.2.10"], "port": 5353}
    }
    # Whom it lets transfer is its operator's business; nobody here has its key but the primary.
    every = [check for host in HOSTS for check in views.checks_on(built, host, built.zones)]
    assert [check for check in every if check["server"] == "friend"] == []
    assert "friend" not in json.dumps(views.stranger_checks(built))


def test_a_secondary_outside_that_takes_no_notify_and_no_question() -> None:
    built = build(peers={"friend": {**FRIEND, "notify_to": [], "default": True}})
    assert built.links[("a.test", "friend")].notify_to == ()
    assert built.peers["friend"].addresses == ()
    assert [end[0] for end in views.host_view(built, "a.test")["zones_as_primary"][0]["ask"]] == [
        "192.0.2.2",
        "192.0.2.3",
    ]


def test_a_primary_outside_the_inventory() -> None:
    peer = {**SOURCE, "transfer_from": ["192.0.2.7", "2001:db8::7"], "notify_from": ["192.0.2.70"], "port": 54}
    built = build(
        [{"name": "foreign.test", "primary": "source"}, "example.com"], peers={"source": peer, "friend": FRIEND}
    )
    # Every own secondary by default; the transfer to another peer would not be ours.
    assert built.zones["foreign.test"].secondaries == ("b.test", "c.test")
    assert built.links[("source", "b.test")] == Link(
        primary="source",
        secondary="b.test",
        keys=("source.key",),
        transfer_from=("192.0.2.7",),
        transfer_to=("192.0.2.2",),
        notify_from=("192.0.2.70",),
        notify_to=("192.0.2.2",),
    )
    view = views.host_view(built, "c.test")
    assert [(link["id"], link["port"]) for link in view["links_as_secondary"]] == [("a.test", 53), ("source", 54)]
    assert "/etc/nsd/keys/source.key.key" in view["key_files"]
    found = views.checks_on(built, "b.test", ["foreign.test"])
    assert [(check["check"], check["server"]) for check in found if "foreign.test" in check["zones"]] == [
        ("content", "b.test"),
        ("transfer", "source"),
    ]
    assert {check["port"] for check in found if check["server"] == "source"} == {54}


def test_only_zones_of_peers() -> None:
    """A site that is secondary for others, and primary for nothing."""
    zone = {"name": "foreign.test", "primary": "source"}
    built = build([zone], groups={"bind_primary": []}, peers={"source": SOURCE})
    assert set(built.servers) == {"b.test", "c.test"}
    assert built.zones["foreign.test"].primary == "source"


def test_a_primary_outside_that_never_notifies() -> None:
    zone = {"name": "foreign.test", "primary": "source"}
    built = build([zone], peers={"source": {**SOURCE, "notify_from": []}})
    assert built.links[("source", "b.test")].notify_from == ()


def test_two_peers_may_be_the_two_directions_of_one_agreement() -> None:
    peers = {"friend": FRIEND, "source": {**SOURCE, "keys": ["friend.key"]}}
    zones = ["example.com", {"name": "foreign.test", "primary": "source"}]
    groups = {"bind_secondary": ["a.test", "b.test"]}
    assert len(mistakes(make_site(zones, groups=groups, peers=peers))) > 0
    built = build(zones, groups=groups, peers=peers, shared_keys=["friend.key"])
    assert views.host_view(built, "a.test")["key_files"].count("/etc/bind/keys/friend.key.key") == 1


def test_a_peer_is_asked_at_an_address_of_a_family_that_the_primary_has() -> None:
    built = build(peers={"friend": {**FRIEND, "address": ["2001:db8::9", "192.0.2.9"]}})
    assert views.host_view(built, "a.test")["zones_as_primary"][0]["ask"][-1] == ["192.0.2.9", 53]


def test_a_peer_without_tsig() -> None:
    built = build(peers={"friend": {**FRIEND, "keys": [], "default": True}})
    assert built.links[("a.test", "friend")].keys == ()


# --- clouds ----------------------------------------------------------------------------------------------------------

CLOUDFLARE = topology.PROVIDERS["cloudflare"]


def cloud_build(*args: Any, **kwargs: Any) -> Topology:
    return topology.build(make_cloud_site(*args, **kwargs))


def v4(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(address for address in addresses if ":" not in address)


def test_an_account_that_transfers_has_a_link_with_the_addresses_of_its_provider() -> None:
    built = cloud_build()
    assert built.links[("a.test", "cloudflare")] == Link(
        primary="a.test",
        secondary="cloudflare",
        keys=("g1.cloudflare.from.a.test",),
        transfer_from=("192.0.2.1",),
        transfer_to=v4(CLOUDFLARE.transfer_from),
        notify_from=("192.0.2.1",),
        notify_to=v4(CLOUDFLARE.notify_to),
    )
    # The primary has no IPv6 address, and else it would have all of them.
    six = cloud_build(hosts={host: {"dns_address": V6[host]} for host in HOSTS})
    both = cloud_build(hosts={host: {"dns_address": [V4[host], V6[host]]} for host in HOSTS})
    link = six.links[("a.test", "cloudflare")]
    assert link.transfer_to == tuple(each for each in CLOUDFLARE.transfer_from if ":" in each) != ()
    assert link.notify_to == tuple(each for each in CLOUDFLARE.notify_to if ":" in each) != ()
    link = both.links[("a.test", "cloudflare")]
    assert (link.transfer_to, link.notify_to) == (CLOUDFLARE.transfer_from, CLOUDFLARE.notify_to)
    assert built.clouds["cloudflare"].preset == "cloudflare"


def test_where_an_account_transfers_from_and_takes_notify_may_be_written() -> None:
    own = {"dns_transfer_from": ["203.0.113.0/28", "203.0.113.99"], "dns_notify_to": "203.0.113.200"}
    for variables in (own, *({name: own[name]} for name in own)):
        built = cloud_build(hosts={"cloudflare": variables})
        link = built.links[("a.test", "cloudflare")]
        transfer = ("203.0.113.0/28", "203.0.113.99") if "dns_transfer_from" in variables else None
        assert link.transfer_to == (transfer or v4(CLOUDFLARE.transfer_from))
        assert link.notify_to == (("203.0.113.200",) if "dns_notify_to" in variables else v4(CLOUDFLARE.notify_to))
        # With both its own, nothing of the provider's data is used, and no warning is due.
        assert built.clouds["cloudflare"].preset == ("" if variables is own else "cloudflare")


def test_the_primary_opens_to_an_account_and_notifies_it() -> None:
    """What transfers and what takes NOTIFY are different addresses."""
    built = cloud_build(hosts={"cloudflare": {"dns_transfer_from": "203.0.113.0/28", "dns_notify_to": "203.0.113.200"}})
    view = views.host_view(built, "a.test")
    assert [link for link in view["links_as_primary"] if link["id"] == "cloudflare"] == [
        {
            "id": "cloudflare",
            "port": 53,
            "key_names": ["g1.cloudflare.from.a.test"],
            "transfer_from": ["192.0.2.1"],
            "transfer_to": ["203.0.113.0/28"],
            "notify_from": ["192.0.2.1"],
            "notify_to": ["203.0.113.200"],
        }
    ]
    assert view["zones_as_primary"][0]["links"] == ["b.test", "c.test", "cloudflare"]
    assert "/etc/bind/keys/g1.cloudflare.from.a.test.key" in view["key_files"]
    # It can't be asked for its serial, and nobody tries to transfer from it.
    assert view["zones_as_primary"][0]["ask"] == [["192.0.2.2", 53], ["192.0.2.3", 53]]
    every = [check for host in HOSTS for check in views.checks_on(built, host, built.zones)]
    assert {check["server"] for check in every} == set(HOSTS)
    # The rate limit of every server spares it; no other server learns anything else of it.
    other = views.host_view(built, "b.test")
    assert "203.0.113.0/28" in other["server_addresses"]
    assert "cloudflare" not in json.dumps(other) + json.dumps(views.stranger_checks(built))


def test_what_is_pushed_to_has_no_link() -> None:
    built = cloud_build()
    assert [ends for ends in built.links if "route53" in ends] == []
    assert built.zones["example.com"].clouds == ("cloudflare", "route53")
    assert built.zones["example.com"].secondaries == ("b.test", "c.test")
    assert built.linked(built.zones["example.com"]) == ["b.test", "c.test", "cloudflare"]
    route53 = built.clouds["route53"]
    assert (route53.transfer, route53.notify, route53.push_host, route53.preset) == ((), (), "b.test", "")
    without = cloud_build(groups={"route53_secondary": []})
    for host in HOSTS:
        assert views.host_view(built, host) == views.host_view(without, host)


def test_an_account_as_data() -> None:
    hosts = {
        "a.test": {"dns_port": 5300},
        "route53": {"route53_push_host": "b.test", "route53_hosted_zones": {"Example.com.": "Z0123456789ABC"}},
    }
    built = cloud_build(["example.com", "other.test"], hosts=hosts)
    assert views.cloud_view(built, "cloudflare") == {
        "host": "cloudflare",
        "provider": "cloudflare",
        "id": "cloudflare",
        "zones": [{"name": "example.com", "primary": "a.test"}, {"name": "other.test", "primary": "a.test"}],
        "primaries": [
            {"name": "a.test", "addresses": ["192.0.2.1"], "port": 5300, "key_name": "g1.cloudflare.from.a.test"}
        ],
        "push": None,
    }
    assert views.cloud_view(built, "route53") == {
        "host": "route53",
        "provider": "route53",
        "id": "route53",
        "zones": [
            {"name": "example.com", "hosted_zone_id": "Z0123456789ABC"},
            {"name": "other.test", "hosted_zone_id": None},
        ],
        "primaries": [],
        "push": {
            "host": "b.test",
            "address": "192.0.2.2",
            "port": 53,
            "key_file": "/etc/bind/keys/g1.self.b.test.key",
        },
    }


def test_a_push_host_reads_where_it_listens() -> None:
    built = cloud_build(hosts={"b.test": {"dns_listen_address": "10.0.0.2", "dns_port": 5353, "dns_id": "id.test"}})
    assert views.cloud_view(built, "route53")["push"] == {
        "host": "b.test",
        "address": "10.0.0.2",
        "port": 5353,
        "key_file": "/etc/bind/keys/g1.self.id.test.key",
    }


def test_the_overview_has_clouds() -> None:
    built = cloud_build(["example.com", {"name": "one.test", "file": "f", "secondaries": ["c.test", "cloudflare"]}])
    view = views.overview(built)
    assert view["clouds"] == {
        "cloudflare": {
            "provider": "cloudflare",
            "roles": ["cloudflare_secondary"],
            "id": "cloudflare",
            "push_host": None,
            "zones": ["example.com", "one.test"],
        },
        "route53": {
            "provider": "route53",
            "roles": ["route53_secondary"],
            "id": "route53",
            "push_host": "b.test",
            "zones": ["example.com"],
        },
    }
    zones = {(link["primary"], link["secondary"]): link["zones"] for link in view["links"]}
    assert zones[("a.test", "cloudflare")] == ["example.com", "one.test"]
    assert set(view["servers"]) == set(HOSTS)


def test_primaries_of_an_account() -> None:
    zones = [
        {"name": "one.test", "file": "1", "primary": "a.test"},
        {"name": "two.test", "file": "2", "primary": "b.test"},
        {"name": "three.test", "file": "3", "primary": "b.test", "secondaries_remove": ["cloudflare"]},
    ]
    built = cloud_build(zones, groups={"bind_primary": ["a.test", "b.test"]})
    view = views.cloud_view(built, "cloudflare")
    assert [(each["name"], each["key_name"]) for each in view["primaries"]] == [
        ("a.test", "g1.cloudflare.from.a.test"),
        ("b.test", "g1.cloudflare.from.b.test"),
    ]
    assert [(zone["name"], zone["primary"]) for zone in view["zones"]] == [
        ("one.test", "a.test"),
        ("two.test", "b.test"),
    ]


def test_keys_of_an_account() -> None:
    built = cloud_build(given_keys=[GivenKey("a.test", "cloudflare", "k")], generations=[2, 1])
    assert built.links[("a.test", "cloudflare")].keys == ("k",)
    assert built.links[("a.test", "b.test")].keys == ("g2.b.test.from.a.test", "g1.b.test.from.a.test")
    built = cloud_build(hosts={"cloudflare": {"dns_id": "account.example"}}, generations=[2, 1])
    assert built.links[("a.test", "cloudflare")].keys == (
        "g2.account.example.from.a.test",
        "g1.account.example.from.a.test",
    )
    # The first is the one to use.
    view = views.cloud_view(built, "cloudflare")
    assert (view["id"], view["primaries"][0]["key_name"]) == ("account.example", "g2.account.example.from.a.test")
    assert "account.example" in views.host_view(built, "a.test")["zones_as_primary"][0]["links"]


def test_an_id_that_is_empty_is_the_inventory_name() -> None:
    assert cloud_build(hosts={"cloudflare": {"dns_id": None}}).clouds["cloudflare"].id == "cloudflare"


@pytest.mark.parametrize(
    "settings, secondaries, clouds",
    [
        ({}, ["b.test", "c.test"], ["cloudflare", "route53"]),
        ({"secondaries": ["c.test"]}, ["c.test"], []),
        ({"secondaries": ["cloudflare"]}, [], ["cloudflare"]),
        ({"secondaries": ["c.test", "cloudflare"]}, ["c.test"], ["cloudflare"]),
        ({"secondaries": ["bind_secondary", "cloudflare_secondary"]}, ["b.test"], ["cloudflare"]),
        ({"secondaries": ["everywhere"]}, ["b.test"], ["route53"]),
        ({"secondaries": ["c.test"], "secondaries_add": ["cloudflare"]}, ["c.test"], ["cloudflare"]),
        ({"secondaries": ["b.test"], "secondaries_add": ["route53_secondary"]}, ["b.test"], ["route53"]),
        ({"secondaries_remove": ["cloudflare"]}, ["b.test", "c.test"], ["route53"]),
        ({"secondaries_remove": ["route53_secondary", "b.test"]}, ["c.test"], ["cloudflare"]),
        ({"secondaries_remove": ["nsd_secondary", "bind_secondary", "route53"]}, [], ["cloudflare"]),
    ],
)
def test_clouds_among_the_secondaries_of_a_zone(
    settings: dict[str, Any], secondaries: list[str], clouds: list[str]
) -> None:
    built = cloud_build(
        [{"name": "example.com", "file": "f", **settings}, "other.test"], groups={"everywhere": ["b.test", "route53"]}
    )
    zone = built.zones["example.com"]
    assert (list(zone.secondaries), list(zone.clouds)) == (secondaries, clouds)
    assert ("a.test", "cloudflare") in built.links  # of the other zone
    assert [each["name"] for each in views.cloud_view(built, "route53")["zones"]] == [
        *["example.com"] * ("route53" in clouds),
        "other.test",
    ]


def test_a_primary_may_push() -> None:
    """The zone then has no other server of its own."""
    hosts = {"route53": {"route53_push_host": "a.test"}}
    built = cloud_build([{"name": "example.com", "file": "f", "secondaries": ["route53"]}], hosts=hosts)
    zone = built.zones["example.com"]
    assert (zone.secondaries, zone.clouds, built.linked(zone)) == ((), ("route53",), [])
    assert views.host_view(built, "a.test")["links_as_primary"] == []
    assert views.cloud_view(built, "route53")["push"]["key_file"] == "/etc/bind/keys/g1.self.a.test.key"


def test_a_zone_of_a_primary_outside_is_pushed_and_not_transferred_by_an_account() -> None:
    """By default: to Cloudflare its operator would have to open. What is pushed comes from a server of ours."""
    built = cloud_build([{"name": "foreign.test", "primary": "source"}, "example.com"], peers={"source": SOURCE})
    zone = built.zones["foreign.test"]
    assert (zone.secondaries, zone.clouds) == (("b.test", "c.test"), ("route53",))
    assert ("source", "cloudflare") not in built.links


def test_names_of_clouds_in_ns_records() -> None:
    built = cloud_build(hosts={"cloudflare": {"dns_name_servers": ["A.ns.cloudflare.test.", "b.ns.cloudflare.test"]}})
    zone = built.zones["example.com"]
    assert built.name_servers(zone) == ["a.test", "b.test", "c.test", "a.ns.cloudflare.test", "b.ns.cloudflare.test"]
    assert built.unnamed(zone) == ["route53"]
    hidden = {"cloudflare": {"dns_name_servers": "a.ns.cloudflare.test"}, "a.test": {"dns_hidden": True}}
    built = cloud_build(hosts=hidden)
    assert built.name_servers(built.zones["example.com"]) == ["b.test", "c.test", "a.ns.cloudflare.test"]
    built = build()
    assert built.unnamed(built.zones["example.com"]) == []


# --- presets ---------------------------------------------------------------------------------------------------------


def provider(**settings: Any) -> Provider:
    given = {"transfer_from": (), "notify_to": (), "name_servers": (), "source": "https://provider.example/list"}
    return Provider(**{**given, "title": "A provider", "checked": "2026-01-01", "review": "2026-07-01"}, **settings)


@pytest.fixture
def presets(monkeypatch: pytest.MonkeyPatch) -> None:
    """One preset of each kind, instead of those that change with what is known of their providers."""
    split = {"transfer_from": ("192.0.2.96/28", "192.0.2.90"), "notify_to": ("192.0.2.91",)}
    usual = provider(verified=True)._replace(**split)
    monkeypatch.setattr(
        topology,
        "PROVIDERS",
        {
            "split": usual._replace(name_servers=("ns1.split.test", "ns2.split.test"), address=("192.0.2.92",)),
            "deaf": usual._replace(notify_to=()),
            "told": provider(verified=True, told_in="its panel"),
            "cloudflare": usual,
            "push-only": provider(verified=True, refused="it knows no zone transfers; push over its API"),
        },
    )


def with_peer(**settings: Any) -> Site:
    return make_site(peers={"friend": {"keys": ["friend.key"], "default": True, **settings}})


@pytest.mark.usefixtures("presets")
def test_a_preset_has_the_addresses_and_names_of_a_provider() -> None:
    """It transfers from one address, takes NOTIFY at another, and answers queries at a third."""
    built = topology.build(with_peer(preset="split"))
    link = built.links[("a.test", "friend")]
    assert (link.transfer_to, link.notify_to) == (("192.0.2.96/28", "192.0.2.90"), ("192.0.2.91",))
    peer = built.peers["friend"]
    assert (peer.role, peer.addresses, peer.preset) == ("secondary", ("192.0.2.92",), "split")
    assert built.name_servers(built.zones["example.com"])[-2:] == ["ns1.split.test", "ns2.split.test"]
    assert topology.build(with_peer(preset="split", role="secondary")) == built


@pytest.mark.usefixtures("presets")
def test_what_a_provider_does_not_take_is_not_sent_to_where_it_transfers_from() -> None:
    built = topology.build(with_peer(preset="deaf"))
    assert built.links[("a.test", "friend")].notify_to == built.peers["friend"].addresses == ()
    plain = topology.build(with_peer(role="secondary", transfer_from=["192.0.2.90"]))
    assert plain.links[("a.test", "friend")].notify_to == plain.peers["friend"].addresses == ("192.0.2.90",)


@pytest.mark.usefixtures("presets")
@pytest.mark.parametrize(
    "written, field, value",
    [
        ({"transfer_from": "192.0.2.50"}, "transfer", ("192.0.2.50",)),
        ({"notify_to": "192.0.2.51"}, "notify", ("192.0.2.51",)),
        ({"notify_to": []}, "notify", ()),
        ({"address": ["192.0.2.52"]}, "addresses", ("192.0.2.52",)),
        ({"name_servers": ["ns.friend.test"]}, "name_servers", ("ns.friend.test",)),
        ({"port": 5353}, "port", 5353),
    ],
)
def test_what_is_written_replaces_what_a_preset_says_each_for_itself(
    written: dict[str, Any], field: str, value: Any
) -> None:
    usual = topology.build(with_peer(preset="split")).peers["friend"]
    changed = topology.build(with_peer(preset="split", **written)).peers["friend"]
    assert getattr(usual, field) != value
    assert changed == dataclasses.replace(usual, **{field: value})


@pytest.mark.usefixtures("presets")
def test_who_writes_both_lists_relies_on_nothing_of_a_preset() -> None:
    both = {"transfer_from": "192.0.2.50", "notify_to": "192.0.2.51"}
    assert topology.build(with_peer(preset="split", **both)).peers["friend"].preset == ""
    for name in both:
        assert topology.build(with_peer(preset="split", **{name: both[name]})).peers["friend"].preset == "split"


@pytest.mark.usefixtures("presets")
def test_addresses_that_a_provider_tells_each_customer_are_written() -> None:
    peer = topology.build(with_peer(preset="told", transfer_from=["192.0.2.90"])).peers["friend"]
    assert (peer.transfer, peer.notify, peer.addresses) == (("192.0.2.90",), ("192.0.2.90",), ())


@pytest.mark.usefixtures("presets")
@pytest.mark.parametrize(
    "settings, message",
    [
        (
            {"preset": "splitt"},
            "the unknown preset 'splitt' (did you mean \"split\"?). Presets are split, deaf, told; for another"
            " secondary write transfer_from.",
        ),
        (
            {"preset": ["split"]},
            "the unknown preset ['split'] (did you mean \"split\"?). Presets are split, deaf, told; for another"
            " secondary write transfer_from.",
        ),
        (
            {"preset": "push-only"},
            "preset push-only: it knows no zone transfers; push over its API. Take it out of dns_peers.",
        ),
        (
            {"preset": "cloudflare"},
            "preset cloudflare is managed over the API of its provider. Put a host for the account into the group"
            " cloudflare_secondary.",
        ),
        (
            {"preset": "route53"},
            "preset route53 is managed over the API of its provider. Put a host for the account into the group"
            " route53_secondary.",
        ),
        (
            {"preset": "told"},
            "preset told: A provider tells its addresses to each customer: its panel. Write them, as  transfer_from:"
            " [...]  and  notify_to: [...].",
        ),
        (
            {"preset": "split", "role": "primary", "default": False},
            "preset split is for secondaries, and its role is primary. Take  preset  away, and write transfer_from and"
            " notify_from.",
        ),
        (
            {"preset": "split", "role": "mirror"},
            "its role is neither primary nor secondary. Write what it is to your servers, as  role: secondary.",
        ),
    ],
)
def test_a_mistake_with_a_preset_is_told_alone(settings: dict[str, Any], message: str) -> None:
    assert mistakes(with_peer(**settings)) == ["dns_peers: friend: " + message]


@pytest.mark.usefixtures("presets")
def test_a_preset_that_a_zone_names_is_not_a_peer_yet() -> None:
    def named(name: str, **settings: Any) -> list[str]:
        return mistakes(make_site([{**ONE, "secondaries_add": [name]}], **settings))

    start = 'zone example.com: its secondary "%s" is neither a host nor a group'
    assert named("split") == [start % "split" + ". Put it into dns_peers, as  split: {preset: split, keys: [...]}."]
    for other in ("push-only", "cloudflare"):
        assert named(other) == [
            start % other + ". Secondaries are hosts of bind_secondary, nsd_secondary, cloudflare_secondary,"
            " route53_secondary, groups of them, or peers."
        ]
    peers = {"split": {"preset": "split", "keys": []}}
    built = build([{**ONE, "secondaries_add": ["split"]}], peers=peers)
    assert built.zones["example.com"].secondaries == ("b.test", "c.test", "split")


# --- what each variable of a host shifts -----------------------------------------------------------------------------


def flat(built: Topology) -> dict[str, Any]:
    """Everything that follows from a topology: part -> value."""
    parts: dict[str, Any] = {}
    for link in built.links.values():
        for field, value in dataclasses.asdict(link).items():
            parts["link %s>%s %s" % (link.primary[0], link.secondary[0], field)] = value
    for host in built.servers:
        for key, value in views.host_view(built, host).items():
            for each in value if key.startswith("links_as_") else [value]:
                name = "%s %s" % (key, each["id"][0]) if key.startswith("links_as_") else key
                parts["view %s %s" % (host[0], name)] = each
        for number, check in enumerate(views.checks_on(built, host, built.zones)):
            for key, value in check.items():
                parts["check %s %d %s" % (host[0], number, key)] = value
    for check in views.stranger_checks(built):
        for key, value in check.items():
            parts["stranger %s %s" % (check["server"][0], key)] = value
    return parts


def shifted(hosts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The parts that differ once these variables are set, with their new values; no part comes or goes."""
    before, after = flat(build()), flat(build(hosts=hosts))
    assert before.keys() == after.keys()
    return {part: after[part] for part in after if after[part] != before[part]}


def test_dns_transfer_address_of_a_secondary_is_what_its_primary_sees() -> None:
    found = shifted({"b.test": {"dns_transfer_address": "203.0.113.2"}})
    assert found.pop("view a links_as_primary b")["transfer_to"] == ["203.0.113.2"]
    assert found.pop("view b links_as_secondary a")["transfer_to"] == ["203.0.113.2"]
    addresses = [V4[host] for host in HOSTS] + ["203.0.113.2"]
    assert [found.pop("view %s server_addresses" % host) for host in "abc"] == [addresses] * 3
    assert found == {"link a>b transfer_to": ("203.0.113.2",)}


def test_dns_transfer_address_of_a_primary_is_where_its_notifies_come_from() -> None:
    found = shifted({"a.test": {"dns_transfer_address": "203.0.113.1"}})
    for secondary in "bc":
        assert found.pop("view a links_as_primary %s" % secondary)["notify_from"] == ["203.0.113.1"]
        assert found.pop("view %s links_as_secondary a" % secondary)["notify_from"] == ["203.0.113.1"]
    for host in "abc":
        found.pop("view %s server_addresses" % host)
    assert found == {"link a>b notify_from": ("203.0.113.1",), "link a>c notify_from": ("203.0.113.1",)}


def test_dns_transfer_source_is_local_to_its_host() -> None:
    assert shifted({"b.test": {"dns_transfer_source": "10.0.0.2"}}) == {
        "view b transfer_source": {"ipv4": "10.0.0.2", "ipv6": ""},
        # The transfer and the two refusals ask from there; the check of its own content does not.
        "check b 1 source": "10.0.0.2",
        "check b 2 source": "10.0.0.2",
        "check b 3 source": "10.0.0.2",
    }
    both = build(hosts={"b.test": {"dns_transfer_source": ["2001:db8::5", "10.0.0.2"]}})
    assert views.host_view(both, "b.test")["transfer_source"] == {"ipv4": "10.0.0.2", "ipv6": "2001:db8::5"}


def test_dns_listen_address_is_where_the_server_finds_itself() -> None:
    found = shifted({"b.test": {"dns_listen_address": ["10.0.0.2"]}})
    assert found.pop("view b self")["transfer_from"] == ["10.0.0.2"]
    assert found == {
        "link b>b transfer_from": ("10.0.0.2",),
        "link b>b transfer_to": ("10.0.0.2",),
        "view b listen": {"ipv4": ["10.0.0.2"], "ipv6": []},
        "view b own_server": {"b.test": {"addresses": ["10.0.0.2"], "port": 53}},
        "check b 0 address": "10.0.0.2",
    }


def test_dns_port_is_where_others_ask() -> None:
    found = shifted({"b.test": {"dns_port": 5353}})
    assert found.pop("view a links_as_primary b")["port"] == 5353
    assert found.pop("view b self")["port"] == 5353
    (zone,) = found.pop("view a zones_as_primary")
    assert zone["ask"] == [["192.0.2.2", 5353], ["192.0.2.3", 53]]
    assert found == {
        "view b port": 5353,
        "view b own_server": {"b.test": {"addresses": ["192.0.2.2"], "port": 5353}},
        "check a 1 port": 5353,
        "check b 0 port": 5353,
        "stranger b port": 5353,
    }


def test_dns_id_is_in_key_names_and_nowhere_else() -> None:
    hosts = {"b.test": {"dns_id": "stable.id"}}
    built = build(hosts=hosts)
    assert built.links[("a.test", "b.test")].keys == ("g1.stable.id.from.a.test",)
    assert built.links[("b.test", "b.test")].keys == ("g1.self.stable.id",)
    assert set(map(lambda part: part.split(" ", 2)[0] + " " + part.split()[-1], shifted_keys(hosts))) == {
        "link keys",
        "view key_files",
        "view id",
        "view self",
        "view zones_as_primary",  # names its links by id
        "check key_file",
    }


def shifted_keys(hosts: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Like shifted() where an id changes: the views of links go by id, and are left out."""
    before, after = flat(build()), flat(build(hosts=hosts))
    return {part for part in after if "links_as_" not in part and after[part] != before.get(part)}


def test_dns_name_is_the_id_too_unless_that_is_given() -> None:
    assert build(hosts={"b.test": {"dns_name": "NS2.example.org."}}).servers["b.test"].id == "ns2.example.org"
    found = shifted({"b.test": {"dns_name": "ns2.example.org", "dns_id": "b.test"}})
    assert found == {"view b name": "ns2.example.org"}


def test_dns_hidden_and_dns_site_change_no_link() -> None:
    assert shifted({"a.test": {"dns_hidden": True, "dns_site": "fra2"}}) == {}
    server = build(hosts={"a.test": {"dns_hidden": True, "dns_site": 2}}).servers["a.test"]
    assert (server.hidden, server.site) == (True, "2")


def test_a_renamed_host_that_keeps_its_id_keeps_its_keys() -> None:
    def names(host: str) -> set[str]:
        hosts = {host: {"dns_address": "192.0.2.7", "dns_name": "ns7.example.net", "dns_id": "seven.test"}}
        built = build(hosts=hosts, groups={"bind_secondary": [host]})
        return {name for link in built.links.values() for name in link.keys}

    assert names("old-name") == names("new.name.test")
    assert "g1.seven.test.from.a.test" in names("old-name")


def test_addresses_are_canonical_and_each_once() -> None:
    written = ["2001:DB8:0::0002", "192.0.2.2", "2001:db8::2"]
    assert build(hosts={"b.test": {"dns_address": written}}).servers["b.test"].addresses == ("2001:db8::2", "192.0.2.2")


def test_an_empty_list_is_the_default() -> None:
    empty = {variable: [] for variable in ("dns_listen_address", "dns_transfer_address", "dns_transfer_source")}
    assert shifted({"b.test": empty}) == {}


# --- keys ------------------------------------------------------------------------------------------------------------


def test_generations_are_in_the_order_of_preference() -> None:
    built = build(generations=[2, 1])
    assert built.links[("a.test", "b.test")].keys == ("g2.b.test.from.a.test", "g1.b.test.from.a.test")
    assert built.self_link("c.test").keys == ("g2.self.c.test", "g1.self.c.test")


def test_given_keys_replace_those_of_their_link_only() -> None:
    given_keys = [GivenKey("a.test", "b.test", "new.key"), GivenKey("a.test", "b.test", "old.key")]
    found = build(generations=[2, 1], given_keys=given_keys).links
    assert found[("a.test", "b.test")].keys == ("new.key", "old.key")
    assert found[("a.test", "c.test")].keys == ("g2.c.test.from.a.test", "g1.c.test.from.a.test")
    assert found[("b.test", "b.test")].keys == ("g2.self.b.test", "g1.self.b.test")


def test_a_key_may_be_given_for_a_self_link() -> None:
    found = build(given_keys=[GivenKey("b.test", "b.test", "verify")]).links
    assert found[("b.test", "b.test")].keys == ("verify",)


def test_a_host_has_the_keys_of_its_own_links_only() -> None:
    built = build(generations=[2, 1])
    assert views.host_view(built, "a.test")["key_files"] == [
        "/etc/bind/keys/%s.key" % name
        for name in (
            "g1.b.test.from.a.test",
            "g1.c.test.from.a.test",
            "g1.self.a.test",
            "g2.b.test.from.a.test",
            "g2.c.test.from.a.test",
            "g2.self.a.test",
        )
    ]
    assert views.host_view(built, "c.test")["key_files"] == [
        "/etc/nsd/keys/%s.key" % name
        for name in ("g1.c.test.from.a.test", "g1.self.c.test", "g2.c.test.from.a.test", "g2.self.c.test")
    ]


def test_a_key_file_is_a_file_in_the_folder_of_keys() -> None:
    assert topology.key_file("bind", "a/b") == "/etc/bind/keys/a+b.key"


# --- views -----------------------------------------------------------------------------------------------------------


def test_views_are_plain_data_without_secrets() -> None:
    built = build()
    for view in [views.overview(built), *(views.host_view(built, host) for host in HOSTS)]:
        assert json.loads(json.dumps(view)) == view
        assert "secret" not in json.dumps(view)


def test_the_overview() -> None:
    built = build(["one.test", {"name": "two.test", "file": "2", "secondaries": ["b.test"]}])
    view = views.overview(built)
    assert view["servers"]["b.test"] == {
        "kind": "bind",
        "roles": ["bind_secondary"],
        "name": "b.test",
        "addresses": ["192.0.2.2"],
        "port": 53,
        "site": None,
        "hidden": False,
    }
    assert view["zones"] == [
        {"name": "one.test", "primary": "a.test", "secondaries": ["b.test", "c.test"]},
        {"name": "two.test", "primary": "a.test", "secondaries": ["b.test"]},
    ]
    assert [(link["secondary"], link["zones"]) for link in view["links"]] == [
        ("b.test", ["one.test", "two.test"]),
        ("c.test", ["one.test"]),
    ]
    assert "/srv" not in json.dumps(view)


def test_a_secondary_proves_its_transfers_and_refusals() -> None:
    built = build(
        ["one.test", "two.test", {"name": "three.test", "file": "3", "secondaries": ["c.test"]}],
        hosts={host: {"dns_address": [V4[host], V6[host]]} for host in HOSTS},
    )
    found = views.checks_on(built, "b.test", ["two.test", "one.test", "three.test"])
    short = [
        (check["check"], check["server"], check["address"], (check["key_file"] or "").split("/")[-1], check["zones"])
        for check in found
    ]
    own, link = "g1.self.b.test.key", "g1.b.test.from.a.test.key"
    assert short == [
        # All it serves by its own addresses; the content is compared once.
        ("content", "b.test", "192.0.2.2", own, ["one.test", "two.test"]),
        ("content", "b.test", "2001:db8::2", own, ["one.test"]),
        ("transfer", "a.test", "192.0.2.1", link, ["one.test", "two.test"]),
        ("transfer", "a.test", "2001:db8::1", link, ["one.test"]),
        # Once a server and ACL: no key, and a key that is not this link's.
        ("refusal", "a.test", "192.0.2.1", "", ["one.test"]),
        ("refusal", "a.test", "2001:db8::1", "", ["one.test"]),
        ("refusal", "a.test", "192.0.2.1", own, ["one.test"]),
        ("refusal", "a.test", "2001:db8::1", own, ["one.test"]),
    ]


def test_a_primary_proves_that_the_key_of_a_link_does_not_open_the_secondary() -> None:
    found = views.checks_on(build(), "a.test", ["example.com"])
    assert [(check["check"], check["server"], check["key_file"]) for check in found] == [
        ("content", "a.test", "/etc/bind/keys/g1.self.a.test.key"),
        ("refusal", "b.test", "/etc/bind/keys/g1.b.test.from.a.test.key"),
        ("refusal", "c.test", "/etc/bind/keys/g1.c.test.from.a.test.key"),
    ]


def test_refusals_are_checked_though_no_zone_is_chosen() -> None:
    found = views.checks_on(build(), "b.test", [])
    assert [(check["check"], check["zones"]) for check in found] == [("refusal", ["example.com"])] * 2


def test_a_host_checks_with_its_own_keys_only() -> None:
    built = build(generations=[2, 1])
    for host in HOSTS:
        own = set(views.host_view(built, host)["key_files"])
        used = {check["key_file"] for check in views.checks_on(built, host, built.zones)} - {None}
        assert used and used <= own


def test_a_stranger_tries_every_address_of_every_server_that_has_a_zone() -> None:
    built = build(
        [{"name": name, "file": name, "secondaries": ["b.test"]} for name in ("two.test", "one.test")],
        hosts={"b.test": {"dns_address": ["192.0.2.2", "2001:db8::2"], "dns_port": 5353}},
    )
    common = {"check": "refusal", "source": None, "key_file": None, "zones": ["one.test"]}
    assert views.stranger_checks(built) == [
        {**common, "server": "a.test", "address": "192.0.2.1", "port": 53},
        {**common, "server": "b.test", "address": "192.0.2.2", "port": 5353},
        {**common, "server": "b.test", "address": "2001:db8::2", "port": 5353},
    ]


# --- names -----------------------------------------------------------------------------------------------------------

LABELS = st.from_regex(r"[a-z0-9_/]([a-z0-9_/-]{0,20}[a-z0-9_/])?", fullmatch=True)
NAMES = st.lists(LABELS, min_size=1, max_size=6).map(".".join)


@settings(max_examples=50)
@given(NAMES)
def test_a_zone_name_survives_its_file_name(name: str) -> None:
    assert names.domain_name(name) == name
    stem = names.file_name(name)
    assert "/" not in stem
    assert names.zone_name_of_file(stem) == name


@settings(max_examples=50)
@given(NAMES, NAMES)
def test_two_zones_never_share_a_file(one: str, other: str) -> None:
    assert (names.file_name(one) == names.file_name(other)) == (one == other)


def test_a_delegation_of_a_part_of_a_network() -> None:
    built = build([], directory_files={"0+25.2.0.192.in-addr.arpa.zone": "/srv/z"})
    primary, secondary = (views.host_view(built, host) for host in ("a.test", "c.test"))
    for view, role, other in ((primary, "primary", "secondary"), (secondary, "secondary", "primary")):
        (zone,) = view["zones_as_%s" % role]
        assert (zone["name"], zone["file_name"]) == ("0/25.2.0.192.in-addr.arpa", "0+25.2.0.192.in-addr.arpa")
        assert view["files_as_%s" % role] == ["0+25.2.0.192.in-addr.arpa.zone"]
        assert view["files_as_%s" % other] == view["zones_as_%s" % other] == []


@pytest.mark.parametrize(
    "value, name",
    [("Example.COM", "example.com"), ("example.com.", "example.com"), ("com", "com"), ("_dmarc.a_b.c", "_dmarc.a_b.c")],
)
def test_domain_names(value: str, name: str) -> None:
    assert names.domain_name(value) == name


LONG = ".".join(["a" * 63] * 3 + ["a" * 62])


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "..",
        "a..b",
        ".a",
        "a b",
        "a\n",
        "example.com\n",
        "-a",
        "a-",
        "a" * 64,
        LONG,
        "a;b",
        'a"',
        "/../b",
        "*.a",
    ],
)
def test_what_is_no_domain_name(value: str) -> None:
    with pytest.raises(ValueError, match="is not a domain name"):
        names.domain_name(value)


def test_a_name_of_253_octets_is_one() -> None:
    assert names.domain_name(LONG[:-1]) == LONG[:-1]


@pytest.mark.parametrize("value", ["a_b.test", "a/b.test", "192.0.2.1", "ns1.test\n"])
def test_what_is_no_host_name(value: str) -> None:
    with pytest.raises(ValueError, match="is not a host name"):
        names.domain_name(value, host_name=True)


# --- mistakes --------------------------------------------------------------------------------------------------------

LIST = 'Write one address or a list, such as %s: [192.0.2.1, "2001:db8::1"].'
ONE = {"name": "example.com", "file": "f"}

FRIEND = {"role": "secondary", "transfer_from": "192.0.2.9", "keys": ["friend.key"], "default": True}
SOURCE = {"role": "primary", "transfer_from": "192.0.2.7", "keys": ["source.key"]}

MISTAKES = {
    "secondary misspelt": (
        make_site([{**ONE, "secondaries": ["c.tset"]}]),
        'zone example.com: its secondary "c.tset" is neither a host nor a group (did you mean "c.test"?).'
        " Secondaries are hosts of bind_secondary, nsd_secondary, cloudflare_secondary,"
        " route53_secondary, groups of them, or peers.",
    ),
    "group misspelt": (
        make_site([{**ONE, "secondaries": ["nsd_secondaries"]}]),
        'zone example.com: its secondary "nsd_secondaries" is neither a host nor a group'
        ' (did you mean "nsd_secondary"?).'
        " Secondaries are hosts of bind_secondary, nsd_secondary, cloudflare_secondary,"
        " route53_secondary, groups of them, or peers.",
    ),
    "secondary like nothing": (
        make_site([{**ONE, "secondaries": ["zzz"]}]),
        'zone example.com: its secondary "zzz" is neither a host nor a group.'
        " Secondaries are hosts of bind_secondary, nsd_secondary, cloudflare_secondary,"
        " route53_secondary, groups of them, or peers.",
    ),
    "secondary that is another host": (
        make_site([{**ONE, "secondaries": ["web.test"]}], groups={"web": ["web.test"]}),
        'zone example.com: its secondary "web.test" is in none of the groups bind_secondary, nsd_secondary,'
        " cloudflare_secondary, route53_secondary. Add the host to one of them.",
    ),
    "group of other hosts": (
        make_site([{**ONE, "secondaries": ["web"]}], groups={"web": ["web.test"]}),
        'zone example.com: its secondary "web.test" is in none of the groups bind_secondary, nsd_secondary,'
        " cloudflare_secondary, route53_secondary. Add the host to one of them.",
    ),
    "the primary as secondary": (
        make_site([{**ONE, "secondaries": ["a.test"]}]),
        'zone example.com: its primary "a.test" is listed as its secondary. Take it out of secondaries.',
    ),
    "a group with nobody but the primary": (
        make_site([{**ONE, "secondaries": ["bind_primary"]}]),
        "zone example.com: it has no secondary, so it would not be redundant."
        " Put a host into bind_secondary or nsd_secondary, or list one under secondaries.",
    ),
    "an empty group": (
        make_site([{**ONE, "secondaries": ["later"]}], groups={"later": []}),
        "zone example.com: it has no secondary, so it would not be redundant."
        " Put a host into bind_secondary or nsd_secondary, or list one under secondaries.",
    ),
    "no secondary named": (
        make_site([{**ONE, "secondaries": []}]),
        "zone example.com: it has no secondary, so it would not be redundant."
        " Put a host into bind_secondary or nsd_secondary, or list one under secondaries.",
    ),
    "no secondary at all": (
        make_site(groups={"bind_secondary": [], "nsd_secondary": []}),
        "zone example.com: it has no secondary, so it would not be redundant."
        " Put a host into bind_secondary or nsd_secondary, or list one under secondaries.",
    ),
    "secondaries as text": (
        make_site([{**ONE, "secondaries": "b.test"}]),
        "zone example.com: secondaries is not a list. Write  secondaries: [HOST or GROUP, ...].",
    ),
    "a mapping among the secondaries": (
        make_site([{**ONE, "secondaries": [{"b.test": None}]}]),
        "zone example.com: secondaries has {'b.test': None}, which is not text."
        " Write  secondaries: [HOST or GROUP, ...].",
    ),
    "primary misspelt": (
        make_site([{**ONE, "primary": "a.tset"}]),
        'zone example.com: its primary "a.tset" is not a host of bind_primary (did you mean "a.test"?).'
        " Name one of: a.test.",
    ),
    "several primaries": (
        make_site(groups={"bind_primary": ["a.test", "b.test"]}),
        "zone example.com: bind_primary has the hosts a.test, b.test, so the zone must say which one is its primary."
        " Add  primary: HOST  to its entry in dns_zones.",
    ),
    "no primary": (
        make_site(groups={"bind_primary": []}),
        "zone example.com: bind_primary has no host, so the zone must say which one is its primary."
        " Put a host into bind_primary, or name a peer: add  primary: PEER  to its entry in dns_zones.",
    ),
    "no primary, but one is named": (
        make_site([{**ONE, "primary": "a.test"}], groups={"bind_primary": []}),
        'zone example.com: its primary "a.test" is not a host of bind_primary. Put it into bind_primary.',
    ),
    "no server": (
        make_site(groups={"bind_primary": [], "bind_secondary": [], "nsd_secondary": []}),
        "the inventory has no hosts in bind_primary, bind_secondary, nsd_secondary."
        " Put the primary into bind_primary and at least one host into bind_secondary or nsd_secondary.",
    ),
    "no zone": (
        make_site([]),
        "the inventory has no zones."
        " Set dns_zones, or dns_zone_directory to a folder with files named like example.com.zone.",
    ),
    "BIND and NSD on one host": (
        make_site(groups={"nsd_secondary": ["b.test", "c.test"]}),
        "host b.test: it is in a BIND group and in nsd_secondary."
        " One host runs one name server: take it out of one of the groups.",
    ),
    "no address": (
        make_site(hosts={"b.test": {"dns_address": None}}),
        "host b.test: dns_address is missing: the address where this server answers DNS."
        " Add it to the host, for example  b.test: {dns_address: 192.0.2.1}.",
    ),
    "an empty list of addresses": (
        make_site(hosts={"b.test": {"dns_address": []}}),
        "host b.test: dns_address is missing: the address where this server answers DNS."
        " Add it to the host, for example  b.test: {dns_address: 192.0.2.1}.",
    ),
    "an address with a hole": (
        make_site(hosts={"b.test": {"dns_address": ["192.0.2.2", "192.0.2"]}}),
        "host b.test: dns_address has '192.0.2', which is not an IP address. " + LIST % "dns_address",
    ),
    "a number as address": (
        make_site(hosts={"b.test": {"dns_address": 3221225986}}),
        "host b.test: dns_address has 3221225986, which is not an IP address. " + LIST % "dns_address",
    ),
    "two addresses in one text": (
        make_site(hosts={"b.test": {"dns_address": "192.0.2.2, 192.0.2.9"}}),
        "host b.test: dns_address has '192.0.2.2, 192.0.2.9', which is not an IP address. " + LIST % "dns_address",
    ),
    "a network as address": (
        make_site(hosts={"b.test": {"dns_transfer_address": "192.0.2.0/24"}}),
        "host b.test: dns_transfer_address has '192.0.2.0/24', which is not an IP address. "
        + LIST % "dns_transfer_address",
    ),
    "a mapping as address": (
        make_site(hosts={"b.test": {"dns_listen_address": {"ipv4": "192.0.2.2"}}}),
        "host b.test: dns_listen_address has {'ipv4': '192.0.2.2'}, which is not an IP address. "
        + LIST % "dns_listen_address",
    ),
    "every address": (
        make_site(hosts={"b.test": {"dns_listen_address": "0.0.0.0"}}),
        "host b.test: dns_listen_address has 0.0.0.0, which is not the address of one host. Write that address.",
    ),
    "a multicast address": (
        make_site(hosts={"b.test": {"dns_address": "ff02::1"}}),
        "host b.test: dns_address has ff02::1, which is not the address of one host. Write that address.",
    ),
    "two sources of one family": (
        make_site(hosts={"b.test": {"dns_transfer_source": ["10.0.0.1", "10.0.0.2", "2001:db8::2"]}}),
        "host b.test: dns_transfer_source has more than one IPv4 address. Leave one: a query has one source.",
    ),
    "a port of text": (
        make_site(hosts={"b.test": {"dns_port": "domain"}}),
        "host b.test: dns_port 'domain' is not a port number."
        " Write a number from 1 to 65535, or leave it out for 53.",
    ),
    "a port that is a digit of another script": (
        make_site(hosts={"b.test": {"dns_port": "\u00b2"}}),
        "host b.test: dns_port '\u00b2' is not a port number."
        " Write a number from 1 to 65535, or leave it out for 53.",
    ),
    "port 0": (
        make_site(hosts={"b.test": {"dns_port": 0}}),
        "host b.test: dns_port 0 is not a port number. Write a number from 1 to 65535, or leave it out for 53.",
    ),
    "port true": (
        make_site(hosts={"b.test": {"dns_port": True}}),
        "host b.test: dns_port True is not a port number. Write a number from 1 to 65535, or leave it out for 53.",
    ),
    "hidden as text": (
        make_site(hosts={"b.test": {"dns_hidden": "maybe"}}),
        "host b.test: dns_hidden 'maybe' is not true or false. Write  dns_hidden: true  or leave it out.",
    ),
    "a short inventory name": (
        make_site(hosts={"ns9": {"dns_address": "192.0.2.9"}}, groups={"bind_secondary": ["ns9"]}),
        "host ns9: dns_name is missing, and the inventory name is not the full name of a host."
        " Add  dns_name: ns9.example.net  (its name in NS records) to the host.",
    ),
    "an address as inventory name": (
        make_site(hosts={"192.0.2.9": {"dns_address": "192.0.2.9"}}, groups={"bind_secondary": ["192.0.2.9"]}),
        "host 192.0.2.9: dns_name is missing, and the inventory name is not the full name of a host."
        " Add  dns_name: ns1.example.net  (its name in NS records) to the host.",
    ),
    "a name that is none": (
        make_site(hosts={"b.test": {"dns_name": "ns_2.test"}}),
        'host b.test: dns_name: "ns_2.test" is not a host name, which has letters, digits and hyphens between the dots.'
        " Write the server's host name, as NS records have it.",
    ),
    "an id that is none": (
        make_site(hosts={"b.test": {"dns_id": 'b"; };'}}),
        'host b.test: dns_id: "b"; };" is not a host name, which has letters, digits and hyphens between the dots.'
        " Write a name such as ns1.example.net.",
    ),
    "one name for two servers": (
        make_site(hosts={"b.test": {"dns_name": "ns.test"}, "c.test": {"dns_name": "NS.test.", "dns_id": "c.test"}}),
        "host c.test: dns_name ns.test is also that of host b.test. Every server needs its own.",
    ),
    "one id for two servers": (
        make_site(hosts={"c.test": {"dns_id": "b.test"}}),
        "host c.test: dns_id b.test is also that of host b.test. Every server needs its own.",
    ),
    "one address for two servers": (
        make_site(
            hosts={
                "b.test": {"dns_address": ["192.0.2.2", "2001:db8::2"]},
                "c.test": {"dns_address": ["2001:DB8::2", "192.0.2.3"]},
            }
        ),
        "host c.test: dns_address 2001:db8::2 port 53 is also that of host b.test. Every server needs its own.",
    ),
    "zone name no": (
        make_site([{"name": False, "file": "f"}]),
        "dns_zones[0]: name: YAML reads yes, no, on, off, true and false as truth values; put it in quotes."
        " Write the zone's name, such as example.com.",
    ),
    "zone name 1.5": (
        make_site([{"name": 1.5, "file": "f"}]),
        "dns_zones[0]: name: YAML reads 1.5 as a number; put it in quotes."
        " Write the zone's name, such as example.com.",
    ),
    "zone name that is no name in any alphabet": (
        make_site([{"name": "☃.example", "file": "f"}]),
        'dns_zones[0]: name: "☃.example" is no internationalised name:'
        " Codepoint U+2603 at position 1 of '☃' not allowed."
        " Write the zone's name, such as example.com.",
    ),
    "zone name of two lines": (
        make_site([{"name": "example.com\n", "file": "f"}]),
        'dns_zones[0]: name: "example.com?" is not a domain name. Write the zone\'s name, such as example.com.',
    ),
    "zone as text": (
        make_site(zones=[["example.com"]]),
        "dns_zones[0] has no name. Write it as  {name: example.com, file: zones/example.com.zone}.",
    ),
    "zone without a name": (
        make_site(["ok.test", {"file": "f"}]),
        "dns_zones[1] has no name. Write it as  {name: example.com, file: zones/example.com.zone}.",
    ),
    "zone twice": (
        make_site(["example.com", "other.test", {"name": "EXAMPLE.com.", "file": "g"}]),
        "zone example.com: it is in dns_zones twice, as entries 0 and 2. Keep one of the two.",
    ),
    "zone with text in two places": (
        make_site(directory_files={"example.com.zone": "/srv/zones/example.com.zone"}),
        "zone example.com: its content is in two places: /srv/example.com.zone and /srv/zones/example.com.zone."
        " Take  file  out of its entry in dns_zones, or move the other file out of dns_zone_directory.",
    ),
    "two files of one zone": (
        make_site([], directory_files={name: "/srv/" + name for name in ("example.com.zone", "Example.com.zone")}),
        "zone example.com, /srv/example.com.zone: /srv/Example.com.zone is a file of the same zone."
        " Keep one of the two files.",
    ),
    "a file that is named after no zone": (
        make_site(directory_files={"my zone.zone": "/srv/my zone.zone"}),
        '/srv/my zone.zone: "my zone" is not a domain name. Name zone files like example.com.zone.',
    ),
    "missing file": (
        make_site([{"name": "example.com", "file": "missing/example.com.zone"}]),
        "zone example.com, missing/example.com.zone: there is no such file on the controller."
        " Relative paths start at dns_base_directory, by default the inventory's folder.",
    ),
    "a list as file": (
        make_site([{"name": "example.com", "file": ["f"]}]),
        "zone example.com: file ['f'] is not a path. Write one file, such as zones/example.com.zone.",
    ),
    "no file": (
        make_site([{"name": "0/25.2.0.192.in-addr.arpa"}]),
        "zone 0/25.2.0.192.in-addr.arpa: dns_zones[0] has neither file nor records, and dns_zone_directory has no"
        " 0+25.2.0.192.in-addr.arpa.zone. Take its entry out if the zone is gone; else add its file there,"
        " or  file: PATH , or  records: [...].",
    ),
    "unknown key": (
        make_site([{**ONE, "secondary": ["b.test"]}]),
        'zone example.com: its entry in dns_zones has the unknown key "secondary". Did you mean "secondaries"?',
    ),
    "unknown key like nothing": (
        make_site([{**ONE, 7: 7}]),
        'zone example.com: its entry in dns_zones has the unknown key "7".'
        " Known keys: %s." % ", ".join(topology.ZONE_KEYS),
    ),
    "a zone named like a network": (
        make_site([{"name": "192.0.2.0/24", "file": "f"}]),
        "dns_zones[0]: name: 192.0.2.0/24 is a network. Write its zone: 2.0.192.in-addr.arpa.",
    ),
    "a file and records": (
        make_site([{**ONE, "records": []}]),
        "zone example.com: it has both a file and records. Take one of the two away.",
    ),
    "records of a zone in the directory": (
        make_site(
            [{"name": "example.com", "records": []}], directory_files={"example.com.yml": "/srv/zones/example.com.yml"}
        ),
        "zone example.com: its content is in two places: the records of dns_zones[0] and /srv/zones/example.com.yml."
        " Take  records  out of its entry in dns_zones, or move the other file out of dns_zone_directory.",
    ),
    "a text and records in the directory": (
        make_site([], directory_files={"example.com" + end: "/z/example.com" + end for end in (".yml", ".zone")}),
        "zone example.com, /z/example.com.zone: /z/example.com.yml is a file of the same zone."
        " Keep one of the two files.",
    ),
    "settings that a text has itself": (
        make_site([{**ONE, "ttl": 300, "soa": {"retry": 600}}]),
        "zone example.com: soa and ttl are for zones with records; /srv/f says it itself."
        " Take it out of its entry in dns_zones, and write it in the file.",
    ),
    "a secondary removed that is misspelt": (
        make_site([{**ONE, "secondaries_add": ["b.test"], "secondaries_remove": ["c.tset"]}]),
        'zone example.com: its secondary "c.tset" is neither a host nor a group (did you mean "c.test"?).'
        " Secondaries are hosts of bind_secondary, nsd_secondary, cloudflare_secondary,"
        " route53_secondary, groups of them, or peers.",
    ),
    "a secondary removed that is none": (
        make_site([{**ONE, "secondaries": ["b.test"], "secondaries_remove": ["c.test"]}]),
        'zone example.com: "c.test" in secondaries_remove is not among its secondaries. Take it out.',
    ),
    "all secondaries removed": (
        make_site([{**ONE, "secondaries_remove": ["b.test", "c.test"]}]),
        "zone example.com: it has no secondary, so it would not be redundant."
        " Put a host into bind_secondary or nsd_secondary, or list one under secondaries.",
    ),
    "extra as one text": (
        make_site([{**ONE, "extra": "max-journal-size 1m;"}]),
        "zone example.com: extra has no statements by role. Write  extra: {bind_primary: 'max-journal-size 1m;'}.",
    ),
    "extra for an unknown role": (
        make_site([{**ONE, "extra": {"bind_primry": ""}}]),
        'zone example.com: extra has the unknown key "bind_primry". Did you mean "bind_primary"?',
    ),
    "a key in tsig_keys for a peer": (
        make_site(peers={"friend": FRIEND}, given_keys=[GivenKey("a.test", "friend", "other.key")]),
        'the key "other.key" in tsig_keys is for a link from "a.test" to "friend", which is a link of a peer.'
        " Put it into the keys of dns_peers.",
    ),
    "a peer without settings": (
        make_site(peers={"friend": None}),
        "dns_peers: friend: it has no settings."
        " Write  friend: {role: secondary, transfer_from: [...], keys: [...]}.",
    ),
    "a peer named like a host": (
        make_site(peers={"web": FRIEND, "friend": FRIEND}, groups={"web": ["web.test"]}),
        "dns_peers: web: a host or group has the same name. Give the peer another name.",
    ),
    "a peer with a name of another form": (
        make_site(peers={"My friend": FRIEND}),
        "dns_peers: My friend: the name of a peer has lower-case letters, digits and hyphens only."
        " Name it like  friend  or  provider-2.",
    ),
    "a peer without a role": (
        make_site(peers={"friend": {"transfer_from": "192.0.2.9", "keys": []}}),
        "dns_peers: friend: its role is neither primary nor secondary."
        " Write what it is to your servers, as  role: secondary.",
    ),
    "a peer with a key misspelt": (
        make_site(peers={"friend": {**FRIEND, "notfy_to": []}}),
        'dns_peers: friend: the unknown key "notfy_to". Did you mean "notify_to"?',
    ),
    "a secondary peer that notifies": (
        make_site(peers={"friend": {**FRIEND, "notify_from": []}}),
        "dns_peers: friend: a secondary has no notify_from. Write  notify_to.",
    ),
    "a peer without addresses": (
        make_site(peers={"friend": {"role": "secondary", "keys": []}}),
        "dns_peers: friend: transfer_from is missing: the addresses that it transfers from."
        " Add it, as  transfer_from: [192.0.2.53].",
    ),
    "a primary peer without addresses": (
        make_site(peers={"friend": {"role": "primary", "keys": []}}),
        "dns_peers: friend: transfer_from is missing: where your servers transfer from it."
        " Add it, as  transfer_from: [192.0.2.53].",
    ),
    "a primary peer that is a network": (
        make_site(peers={"friend": {"role": "primary", "keys": [], "transfer_from": "192.0.2.0/24"}}),
        "dns_peers: friend: transfer_from has '192.0.2.0/24', which is not an IP address."
        ' Write one address or a list, such as transfer_from: [192.0.2.1, "2001:db8::1"].',
    ),
    "a peer without a word about keys": (
        make_site(peers={"friend": {"role": "secondary", "transfer_from": "192.0.2.9"}}),
        "dns_peers: friend: it has no keys. Add  keys: [{name: ..., algorithm: hmac-sha256, secret: ...}],"
        " or  keys: []  where it knows no TSIG.",
    ),
    "a peer with a wrong name server": (
        make_site(peers={"friend": {**FRIEND, "name_servers": ["ns_1.friend.test"]}}),
        'dns_peers: friend: name_servers: "ns_1.friend.test" is not a host name,'
        " which has letters, digits and hyphens between the dots."
        " Write host names, as NS records have them.",
    ),
    "a primary peer by default": (
        make_site(peers={"friend": {**FRIEND, "role": "primary", "default": True}}),
        "dns_peers: friend: a primary has no default. Take it away; a zone names its primary, as  primary: friend.",
    ),
    "a peer that serves nothing": (
        make_site(peers={"friend": {**FRIEND, "default": False}}),
        "dns_peers: friend: no zone has it as its secondary."
        " Name it in a zone's secondaries_add, or set  default: true, or take it out of dns_peers.",
    ),
    "a peer of the other family": (
        make_site(peers={"friend": {**FRIEND, "transfer_from": "2001:db8::9"}}),
        "zone example.com: a.test and friend have no address family in common (192.0.2.1; 2001:db8::9)."
        " Give both an IPv4 or both an IPv6 address in dns_peers and dns_address.",
    ),
    "a file for a zone of a peer": (
        make_site([{**ONE, "primary": "source"}], peers={"source": SOURCE}),
        'zone example.com: its content comes from its primary "source", a peer, and here it has a file too.'
        " Take that away, or name a host of bind_primary.",
    ),
    "a zone between two peers": (
        make_site(
            [{"name": "example.com", "primary": "source", "secondaries": ["b.test", "friend"]}],
            peers={"source": SOURCE, "friend": FRIEND},
        ),
        'zone example.com: its primary "source" is a peer, and its secondary "friend" is no server of yours,'
        " so the transfer is not yours. Take the secondary out.",
    ),
    "two peers with keys of one name": (
        make_site(peers={"friend": FRIEND, "other": {**FRIEND, "transfer_from": "192.0.2.8"}}),
        'dns_peers: other: the TSIG key "friend.key" is that of the link from a.test to friend already.'
        " Every link needs its own key.",
    ),
    "a variable of servers on an account": (
        make_cloud_site(hosts={"cloudflare": {"dns_id": "account.test", "dns_hidden": True}}),
        "host cloudflare: dns_hidden is a variable of servers."
        " Take it away from this host; where all hosts have it, set it for the groups that it is for.",
    ),
    "a variable of accounts on a server": (
        make_site(hosts={"b.test": {"dns_name_servers": ["b.test"]}}),
        "host b.test: dns_name_servers is a variable of hosts of cloudflare_secondary and route53_secondary."
        " Take it away from this host; where all hosts have it, set it for the groups that it is for.",
    ),
    "a variable of the other provider, with an id": (
        make_cloud_site(hosts={"cloudflare": {"dns_id": "account.test", "route53_push_host": "b.test"}}),
        "host cloudflare: route53_push_host is a variable of hosts of route53_secondary."
        " Take it away from this host; where all hosts have it, set it for the groups that it is for.",
    ),
    "a variable of what transfers on what is pushed to": (
        make_cloud_site(hosts={"route53": {"route53_push_host": "b.test", "dns_notify_to": "192.0.2.9"}}),
        "host route53: dns_notify_to is a variable of hosts of cloudflare_secondary."
        " Take it away from this host; where all hosts have it, set it for the groups that it is for.",
    ),
    "no push host": (
        make_cloud_site(hosts={"route53": {}}),
        "host route53: route53_push_host is missing: the server that pushes the zones."
        " Write the inventory name of one that has the zones, as  route53_push_host: a.test.",
    ),
    "a push host misspelt": (
        make_cloud_site(hosts={"route53": {"route53_push_host": "b.tset"}}),
        "host route53: route53_push_host 'b.tset' is not one of the name servers (did you mean \"b.test\"?)."
        " Write the inventory name of one that has the zones, as  route53_push_host: a.test.",
    ),
    "a list of push hosts": (
        make_cloud_site(hosts={"route53": {"route53_push_host": ["b.test"]}}),
        "host route53: route53_push_host ['b.test'] is not one of the name servers (did you mean \"b.test\"?)."
        " Write the inventory name of one that has the zones, as  route53_push_host: a.test.",
    ),
    "a push host that is no server": (
        make_cloud_site(hosts={"route53": {"route53_push_host": "monitoring"}}, groups={"web": ["monitoring"]}),
        "host route53: route53_push_host 'monitoring' is not one of the name servers."
        " Write the inventory name of one that has the zones, as  route53_push_host: a.test.",
    ),
    "a push host that is an account": (
        make_cloud_site(hosts={"route53": {"route53_push_host": "cloudflare"}}),
        "host route53: route53_push_host 'cloudflare' is not one of the name servers."
        " Write the inventory name of one that has the zones, as  route53_push_host: a.test.",
    ),
    "a push host with NSD": (
        make_cloud_site(hosts={"route53": {"route53_push_host": "c.test"}}),
        "host route53: route53_push_host c.test runs NSD, which does not write a changed zone to disk at once."
        " Name one that runs BIND, so that changes are pushed within seconds.",
    ),
    "a push host without the zone": (
        make_cloud_site([{**ONE, "secondaries": ["c.test", "route53"]}]),
        'zone example.com: its secondary "route53" gets its zones from b.test, which is not among the servers of this'
        " one. Add b.test to its secondaries, take route53 out of them, or name another server as route53_push_host.",
    ),
    "hosted zones as a list": (
        make_cloud_site(hosts={"route53": {**CLOUD_HOSTS["route53"], "route53_hosted_zones": ["Z0123456789ABC"]}}),
        "host route53: route53_hosted_zones is not a mapping."
        " Write  route53_hosted_zones: {example.com: Z0123456789ABC}.",
    ),
    "a hosted zone of what is no zone name": (
        make_cloud_site(hosts={"route53": {**CLOUD_HOSTS["route53"], "route53_hosted_zones": {"a b": "Z0123"}}}),
        'host route53: route53_hosted_zones: "a b" is not a domain name.'
        " Write the names of zones, as  {example.com: Z0123456789ABC}.",
    ),
    "a hosted zone of a misspelt zone": (
        make_cloud_site(hosts={"route53": {**CLOUD_HOSTS["route53"], "route53_hosted_zones": {"exmaple.com": "Z01"}}}),
        "host route53: route53_hosted_zones has exmaple.com, and no such zone is pushed there"
        ' (did you mean "example.com"?). Write names of zones that have it among their secondaries.',
    ),
    "an account in two groups": (
        make_cloud_site(groups={"route53_secondary": ["route53", "cloudflare"]}),
        "host cloudflare: it is in cloudflare_secondary and route53_secondary, and a host of route53_secondary is an"
        " account, not a server. Give the account a host of its own, such as  cloudflare:.",
    ),
    "a server that is an account": (
        make_cloud_site(groups={"cloudflare_secondary": ["b.test"]}),
        "host b.test: it is in bind_secondary and cloudflare_secondary, and a host of cloudflare_secondary is an"
        " account, not a server. Give the account a host of its own, such as  cloudflare:.",
    ),
    "an account with the id of a server": (
        make_cloud_site(hosts={"cloudflare": {"dns_id": "b.test"}}),
        "host cloudflare: dns_id b.test is also that of host b.test. Every secondary needs its own.",
    ),
    "two accounts with one id": (
        make_cloud_site(hosts={"route53": {**CLOUD_HOSTS["route53"], "dns_id": "cloudflare"}}),
        "host route53: dns_id cloudflare is also that of host cloudflare. Every secondary needs its own.",
    ),
    "a peer named like the id of an account": (
        make_cloud_site(hosts={"cloudflare": {"dns_id": "friend"}}, peers={"friend": FRIEND}),
        "dns_peers: friend: a host or group has the same name. Give the peer another name.",
    ),
    "an account whose name is no id": (
        make_cloud_site(hosts={"my_account": {}}, groups={"cloudflare_secondary": ["my_account"]}),
        'host my_account: dns_id: "my_account" is not a host name, which has letters, digits and hyphens between the'
        " dots. Write a name, such as  dns_id: cloudflare.",
    ),
    "addresses of an account that are none": (
        make_cloud_site(hosts={"cloudflare": {"dns_transfer_from": "cloudflare.test"}}),
        "host cloudflare: dns_transfer_from has 'cloudflare.test', which is not an IP address or network. "
        + LIST % "dns_transfer_from",
    ),
    "a network where an account takes NOTIFY": (
        make_cloud_site(hosts={"cloudflare": {"dns_notify_to": ["203.0.113.0/28"]}}),
        "host cloudflare: dns_notify_to has '203.0.113.0/28', which is not an IP address. " + LIST % "dns_notify_to",
    ),
    "name servers of an account that are addresses": (
        make_cloud_site(hosts={"cloudflare": {"dns_name_servers": ["203.0.113.5"]}}),
        'host cloudflare: dns_name_servers: "203.0.113.5" is not a host name, which has letters, digits and hyphens'
        " between the dots. Write host names, as NS records have them.",
    ),
    "an account of the other family": (
        make_cloud_site(hosts={"cloudflare": {"dns_transfer_from": "2001:db8::9", "dns_notify_to": "2001:db8::9"}}),
        "zone example.com: a.test and cloudflare have no address family in common (192.0.2.1; 2001:db8::9)."
        " Give both an IPv4 or both an IPv6 address in dns_transfer_from, dns_notify_to and dns_address.",
    ),
    "an account that transfers from a primary outside": (
        make_cloud_site(
            [{"name": "example.com", "primary": "source", "secondaries_add": ["cloudflare"]}], peers={"source": SOURCE}
        ),
        'zone example.com: its primary "source" is a peer, and its secondary "cloudflare" is no server of yours,'
        " so the transfer is not yours. Take the secondary out.",
    ),
    "a key for what is pushed to": (
        make_cloud_site(given_keys=[GivenKey("b.test", "route53", "k")]),
        'the key "k" in tsig_keys is for a link from "b.test" to "route53", and there is no such link.'
        " Write the hosts' inventory names: primary is where the zones are transferred from.",
    ),
    "an account as primary": (
        make_cloud_site([{**ONE, "primary": "cloudflare"}]),
        'zone example.com: its primary "cloudflare" is not a host of bind_primary.'
        " Put it into bind_primary, or name one of: a.test.",
    ),
    "accounts without any server": (
        make_cloud_site(groups={group: [] for group in topology.SERVER_GROUPS}),
        "the inventory has no hosts in bind_primary, bind_secondary, nsd_secondary."
        " Put the primary into bind_primary and at least one host into bind_secondary or nsd_secondary.",
    ),
    "kind to come": (
        make_site([{**ONE, "kind": "signed"}]),
        'zone example.com: kind "signed" is not built yet. Write "static" or leave it out.',
    ),
    "no serial rule": (
        make_site([{**ONE, "serial": 2026010100}]),
        "zone example.com: serial 2026010100 is neither auto nor keep."
        " Write  serial: keep  where you count by hand, in the zone file.",
    ),
    "no kind": (
        make_site([{**ONE, "kind": "dynamc"}]),
        "zone example.com: the unknown kind 'dynamc'. Write \"static\" or leave it out.",
    ),
    "one key for two links": (
        make_site(given_keys=[GivenKey("a.test", "b.test", "k"), GivenKey("a.test", "c.test", "k")]),
        'host c.test: the TSIG key "k" is that of the link from a.test to b.test already.'
        " Every link needs its own key.",
    ),
    "a given key with the name of a derived one": (
        make_site(given_keys=[GivenKey("a.test", "b.test", "g1.c.test.from.a.test")]),
        'host c.test: the TSIG key "g1.c.test.from.a.test" is that of the link from a.test to b.test already.'
        " Every link needs its own key.",
    ),
    "a key with its ends swapped": (
        make_site(given_keys=[GivenKey("b.test", "a.test", "k")]),
        'the key "k" in tsig_keys is for a link from "b.test" to "a.test", and there is no such link.'
        " Write the hosts' inventory names: primary is where the zones are transferred from.",
    ),
    "a key name that is too long": (
        make_site(hosts={"b.test": {"dns_id": LONG[:-20]}}),
        "host b.test: the name of its TSIG key has more than 245 octets, too many for a file: g1.%s.from.a.test."
        " Give a.test or b.test a shorter dns_id." % LONG[:-20],
    ),
    "a zone name too long for a file": (
        make_site([{"name": LONG[:-1], "file": "f"}]),
        "zone %s: its name has more than 245 octets, too many for the name of a file."
        " Serve its parent zone." % LONG[:-1],
    ),
    "a verifier that is no address": (
        make_site(verifiers=["monitor.test"]),
        "dns_verifier_addresses has 'monitor.test', which is not an IP address or network."
        ' Write one address or a list, such as dns_verifier_addresses: [192.0.2.1, "2001:db8::1"].',
    ),
    "extra that closes the zone's block": (
        make_site([{**ONE, "extra": {"bind_primary": 'notify yes; };\nzone "evil" { type primary;'}}]),
        "zone example.com: the statements of extra for bind_primary do not stay in the zone's block."
        " Write only what belongs to this zone; zones, keys and ACLs come from the inventory.",
    ),
    "extra that opens NSD to everybody": (
        make_site([{**ONE, "extra": {"nsd_secondary": "provide-xfr: 0.0.0.0/0 NOKEY"}}]),
        "zone example.com: the statements of extra for nsd_secondary do not stay in the zone's block."
        " Write only what belongs to this zone; zones, keys and ACLs come from the inventory.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_mend(name: str) -> None:
    site, message = MISTAKES[name]
    assert message in mistakes(site)
    # One mistake, one message; but two servers of one id have keys of one name too.
    assert len(mistakes(site)) == 1 or name == "one id for two servers"


def test_what_the_design_calls_default_is_accepted() -> None:
    zone = {**ONE, "kind": "static", "serial": "auto", "primary": None, "secondaries": None}
    assert build([zone]) == build([ONE])


def test_all_mistakes_are_told_at_once() -> None:
    found = mistakes(
        make_site(
            [
                {"name": "one.test", "file": "missing/1", "secondaries": ["nobody"]},
                {"name": "two.test", "file": "2", "primary": "nobody"},
                {"name": False},
                {"name": "three.test", "file": "3", "tll": 5},
            ],
            hosts={"a.test": {"dns_port": -1}, "b.test": {"dns_address": "x"}, "c.test": {"dns_address": None}},
            directory_files={"no zone.zone": "/srv/no zone.zone"},
        )
    )
    # The zone without a file is not looked at any further.
    for part in ("dns_port -1", "'x'", "dns_address is missing", "no such file", 'primary "nobody"', "truth", "tll"):
        assert sum(part in line for line in found) == 1, part
    assert any("no zone" in line for line in found)


def test_a_problem_in_words() -> None:
    assert str(Problem("it is wrong")) == "it is wrong."
    assert str(Problem("it is wrong", "Mend it")) == "it is wrong. Mend it."
    assert str(Problem("wrong", "Mend", zone="z", host="h", file="f", line=3)) == "host h, zone z, f:3: wrong. Mend."
    one, two = InputError([Problem("x")]), InputError(iter([Problem("x"), Problem("y")]))
    assert one.as_message() == "1 mistake:\nx."
    assert two.as_message() == "2 mistakes:\nx.\ny."


# --- properties ------------------------------------------------------------------------------------------------------

ADDRESSES = st.one_of(
    st.sampled_from([*V4.values(), *V6.values(), "10.0.0.1", "2001:db8::9"]),
    st.lists(st.sampled_from([*V4.values(), *V6.values(), "10.0.0.1", "2001:db8::9"]), max_size=3),
)
RUBBISH = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", "0.0.0.0", "::", "fe80::1%eth0", "b.test", "no", "\u0661"]),
    st.recursive(
        st.one_of(st.none(), st.text(max_size=3), st.integers()),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
        max_leaves=4,
    ),
)
HOST_NAMES = ["a.test", "b.test", "c.test", "d.test", "short", "192.0.2.7"]
ALL_GROUPS = [*topology.GROUPS, "web", "empty"]
VARIABLES = st.fixed_dictionaries(
    {},
    optional={
        "dns_address": ADDRESSES | RUBBISH,
        "dns_listen_address": ADDRESSES | RUBBISH,
        "dns_transfer_address": ADDRESSES | RUBBISH,
        "dns_transfer_source": ADDRESSES | RUBBISH,
        "dns_name": st.sampled_from(["ns1.example.net", "ns2.example.net"]) | RUBBISH,
        "dns_id": st.sampled_from(["x.test", "y.from.test", "from"]) | RUBBISH,
        "dns_port": st.integers(-1, 70000) | RUBBISH,
        "dns_hidden": st.booleans() | RUBBISH,
        "dns_site": RUBBISH,
        "dns_name_servers": st.just(["ns1.example.net"]) | RUBBISH,
        "dns_transfer_from": ADDRESSES | RUBBISH,
        "dns_notify_to": ADDRESSES | RUBBISH,
        "route53_push_host": st.sampled_from(["a.test", "b.test"]) | RUBBISH,
        "route53_hosted_zones": st.just({"example.com": "Z0123456789ABC"}) | RUBBISH,
    },
)
ZONE_NAMES = ["example.com", "Example.com.", "other.test", "0/25.2.0.192.in-addr.arpa"]
ENTRIES = st.one_of(
    RUBBISH,
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(ZONE_NAMES) | RUBBISH,
            "file": st.sampled_from(["f", "g", "missing/h"]) | RUBBISH,
            "primary": st.sampled_from(HOST_NAMES) | RUBBISH,
            "secondaries": st.lists(st.sampled_from(HOST_NAMES + ALL_GROUPS) | RUBBISH, max_size=3) | RUBBISH,
            "secondaries_add": st.lists(st.sampled_from(HOST_NAMES + ALL_GROUPS + ["friend", "hetzner"]), max_size=2),
            "kind": RUBBISH,
            "serial": RUBBISH,
            "records": RUBBISH,
            "nonsense": RUBBISH,
        },
    ),
)
PEERS = st.fixed_dictionaries(
    {},
    optional={
        "preset": st.sampled_from(sorted(topology.PROVIDERS)) | RUBBISH,
        "role": st.sampled_from(["primary", "secondary"]) | RUBBISH,
        "transfer_from": ADDRESSES | RUBBISH,
        "notify_to": ADDRESSES | RUBBISH,
        "keys": st.just(["friend.key"]),
        "default": st.booleans(),
    },
)
ANY_SITE = st.builds(
    Site,
    hosts=st.dictionaries(st.sampled_from(HOST_NAMES), VARIABLES, max_size=5),
    groups=st.dictionaries(
        st.sampled_from(ALL_GROUPS), st.lists(st.sampled_from(HOST_NAMES), max_size=4, unique=True), max_size=5
    ),
    zones=st.lists(ENTRIES, max_size=4),
    directory_files=st.dictionaries(
        st.sampled_from(["example.com.zone", "Example.com.zone", "x.test.zone", ".zone", "a b.zone"]),
        st.just("/srv/file"),
        max_size=3,
    ),
    zone_files=st.just({"f": "/srv/f", "g": "/srv/g", "missing/h": None}),
    generations=st.sampled_from([(1,), (2, 1), (3, 2, 1)]),
    given_keys=st.lists(
        st.builds(GivenKey, st.sampled_from(HOST_NAMES), st.sampled_from(HOST_NAMES), st.sampled_from(["k1", "k2"])),
        max_size=2,
    ),
    peers=st.dictionaries(st.sampled_from(["friend", "hetzner", "b.test"]), PEERS, max_size=2),
)


@settings(max_examples=400, deadline=None)
@given(ANY_SITE)
def test_no_inventory_raises_anything_but_input_errors(site: Site) -> None:
    try:
        built = topology.build(site)
    except InputError as error:
        assert error.problems
        assert all(isinstance(problem, Problem) and str(problem) for problem in error.problems)
    else:
        check_invariants(built)


# The first two hosts have the first two.
ROLES = [["bind_primary"], ["bind_secondary"], ["nsd_secondary"], ["bind_primary", "bind_secondary"]]


@st.composite
def good_sites(draw: st.DrawFn) -> Site:
    """Inventories without a mistake: every host is dual-stack, or all hosts have the same family."""
    count = draw(st.integers(2, 6))
    families = draw(st.sampled_from([(4,), (6,), (4, 6)]))
    hosts: dict[str, dict[str, Any]] = {}
    groups: dict[str, list[str]] = {group: [] for group in ALL_GROUPS}
    for number in range(count):
        host = "h%d.test" % number
        both = ["192.0.2.%d" % number, "2001:db8::%x" % (number + 1)]
        hosts[host] = {"dns_address": both if families == (4, 6) else both[families[0] == 6]}
        if draw(st.booleans()):
            hosts[host]["dns_transfer_address"] = draw(
                st.permutations(["203.0.113.%d" % number, "2001:db8:1::%x" % number])
            )
        if draw(st.booleans()):
            hosts[host]["dns_id"] = "id%d.test" % number
        roles = draw(st.sampled_from(ROLES)) if number > 1 else ROLES[number]
        for role in roles:
            groups[role].append(host)
    for role in draw(st.lists(st.sampled_from(sorted(topology.CLOUD_GROUPS)), max_size=3)):
        host = "cloud%d" % len(hosts)
        hosts[host] = {"route53_push_host": "h1.test"} if role == "route53_secondary" else {}
        groups[role].append(host)
    secondaries = groups["bind_secondary"] + groups["nsd_secondary"] + groups["cloudflare_secondary"]
    zones = []
    for number in range(draw(st.integers(1, 5))):
        primary = draw(st.sampled_from(groups["bind_primary"]))
        choice = [host for host in secondaries if host != primary]
        chosen = draw(st.lists(st.sampled_from(choice), min_size=1, unique=True))
        if "h1.test" in [primary, *chosen]:
            chosen += draw(st.sampled_from([[], groups["route53_secondary"]]))
        zones.append({"name": "z%d.test" % number, "file": "f", "primary": primary, "secondaries": chosen})
    return Site(
        hosts, groups, zones, zone_files={"f": "/srv/f"}, generations=draw(st.sampled_from([(1,), (2, 1), (7, 3, 1)]))
    )


@settings(max_examples=100, deadline=None)
@given(good_sites())
def test_an_inventory_without_a_mistake_is_built(site: Site) -> None:
    built = topology.build(site)
    assert set(built.zones) == {zone["name"] for zone in site.zones}
    check_invariants(built)


def families_of(addresses: Iterable[str]) -> set[int]:
    return {topology.family(address) for address in addresses}


def check_invariants(built: Topology) -> None:
    for zone in built.zones.values():
        assert zone.primary not in zone.secondaries and set(zone.clouds) <= set(built.clouds)
        all_secondaries = zone.secondaries + zone.clouds
        assert all_secondaries and len(set(all_secondaries)) == len(all_secondaries)
        for secondary in built.linked(zone):
            assert (zone.primary, secondary) in built.links
        for cloud in set(all_secondaries) - set(built.linked(zone)):
            assert built.clouds[cloud].push_host in (zone.primary, *zone.secondaries)
    for (primary, secondary), link in built.links.items():
        assert (primary, secondary) == (link.primary, link.secondary)
        assert link.transfer_from and link.transfer_to
        assert link.keys or {primary, secondary} & set(built.peers)
        assert families_of(link.transfer_from) == families_of(link.transfer_to)
        assert families_of(link.notify_from) == families_of(link.notify_to)
        if primary != secondary:
            assert link.notify_to or {primary, secondary} & set(built.peers)
            assert any(zone.primary == primary and secondary in built.linked(zone) for zone in built.zones.values())
    # All links of a peer have its key.
    names = [name for ends, link in built.links.items() if not set(ends) & set(built.peers) for name in link.keys]
    assert len(names) == len(set(names))
    for host in built.servers:
        view = views.host_view(built, host)
        own = {name for ends, link in built.links.items() if host in ends for name in link.keys}
        assert {topology.key_file(view["kind"], name) for name in own} == set(view["key_files"])
        assert json.loads(json.dumps(view)) == view
        views.checks_on(built, host, built.zones)
    for host in built.clouds:
        view = views.cloud_view(built, host)
        assert json.loads(json.dumps(view)) == view
        assert (
            view["primaries"] == []
            if view["push"]
            else {zone["primary"] for zone in view["zones"]} == {primary["name"] for primary in view["primaries"]}
        )
    json.dumps([views.overview(built), views.stranger_checks(built)])


@settings(max_examples=50, deadline=None)
@given(good_sites(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(site: Site, chance: random.Random) -> None:
    def shuffled(values: Iterable[Any]) -> list[Any]:
        found = list(values)
        chance.shuffle(found)
        return found

    other = dataclasses.replace(
        site,
        hosts=dict(shuffled(site.hosts.items())),
        groups={group: shuffled(site.groups[group]) for group in shuffled(site.groups)},
        zones=shuffled({**zone, "secondaries": shuffled(zone["secondaries"])} for zone in site.zones),
    )
    one, two = topology.build(site), topology.build(other)
    assert one == two
    for host in one.clouds:
        assert views.cloud_view(one, host) == views.cloud_view(two, host)
    for host in one.servers:
        # As text: what is written into files is in the same order too.
        texts = [json.dumps(views.host_view(built, host)) for built in (one, two)]
        assert texts[0] == texts[1]
        assert views.checks_on(one, host, one.zones) == views.checks_on(two, host, two.zones)


def test_ten_thousand_zones_are_built_fast() -> None:
    zones = [{"name": "z%d.test" % number, "file": "f"} for number in range(10_000)]
    began = time.process_time()
    built = build(zones)
    for host in built.servers:
        views.host_view(built, host)
        views.checks_on(built, host, built.zones)
    assert time.process_time() - began < 5
