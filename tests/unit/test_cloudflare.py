"""Zones at Cloudflare, against the stand-in of its API, which transfers them from a name server on loopback."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rrset
import dns.tsig
import pytest
from ansible.module_utils import urls
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import cloudflare, cloudflare_api, names
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import TsigKey, ask_serials
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.cloudflare_api import Answer, Api, CloudflareError
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError
from conftest import ROOT
from dns_server import DnsServer, axfr_answer, soa_answer, tsig_key
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(ROOT / "tests"))

from cloud.stand_in.cloudflare import CloudflareStandIn  # noqa: E402

ACCOUNT = "0123456789abcdef0123456789abcdef"
TOKEN = "tokenTOKENtokenTOKENtokenTOKENtokenTOKEN"
SECRETS = [base64.b64encode(bytes([number]) * 32).decode() for number in range(1, 4)]
KEY = "g1.cloudflare.from.ns1.example.net"
PEER = "dnsops ns1.example.net 127.0.0.1"
Object = dict[str, Any]


@pytest.fixture(autouse=True, scope="module")
def one_tls_context() -> Iterator[None]:
    """Reading the system's certificates for each request would take longer than all the rest."""
    context = urls.make_context()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urls, "make_context", lambda **_settings: context)
        yield


class Primary:
    """A primary on loopback that gives its zones only with its key. ``serials`` has them."""

    def __init__(self) -> None:
        self.serials: dict[str, int] = {}
        self.key: dns.tsig.Key | None = None
        self.server = DnsServer(self._soa, self._tcp)

    def _soa(self, query: bytes) -> list[bytes]:
        name = dns.message.from_wire(query).question[0].name.to_text(True)
        return [soa_answer(query, self.serials[name])] if name in self.serials else []

    def _tcp(self, query: bytes) -> Iterator[bytes]:
        name = dns.name.from_wire(query, 12)[0]
        serial = self.serials.get(name.to_text(True))
        if serial is None:
            return iter(())
        text = "ns1.example.net. hostmaster.example.net. %d 3600 600 1209600 3600" % serial
        records = [
            dns.rrset.from_text(name, 3600, "IN", "SOA", text),
            dns.rrset.from_text(name, 3600, "IN", "NS", "ns1.example.net."),
        ]
        return axfr_answer(query, records, key=self.key)

    @property
    def port(self) -> int:
        return self.server.port


@pytest.fixture
def cloud() -> Iterator[CloudflareStandIn]:
    stand_in = CloudflareStandIn([ACCOUNT, "f" * 32], TOKEN)
    stand_in.url = stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture(scope="module")
def one_primary() -> Iterator[Primary]:
    made = Primary()
    with made.server:
        yield made


@pytest.fixture
def primary(one_primary: Primary) -> Primary:
    one_primary.serials = {"example.com": 7, "example.org": 8}
    one_primary.key = tsig_key(KEY, base64.b64decode(SECRETS[0]))
    return one_primary


def api(cloud: CloudflareStandIn, **changes: Any) -> Api:
    changes.setdefault("sleep", lambda seconds: None)
    token, account = changes.pop("token", TOKEN), changes.pop("account", ACCOUNT)
    return Api(token, account, changes.pop("url", cloud.url), secrets=SECRETS, **changes)


def wanted(primary: Primary, *zones: str, **changes: Any) -> cloudflare.Wanted:
    key = TsigKey(changes.pop("key", KEY), "hmac-sha256", changes.pop("secret", SECRETS[0]))
    key = None if changes.pop("keyless", False) else key
    ns1 = cloudflare.Primary("ns1.example.net", changes.pop("addresses", ["127.0.0.1"]), primary.port, key)
    refresh = changes.pop("refresh", 3600)
    listed = [cloudflare.WantedZone(zone, "ns1.example.net", refresh) for zone in zones]
    return cloudflare.Wanted(changes.pop("owner", "dnsops"), {ns1.name: ns1}, listed, **changes)


def ask(questions: Sequence[Any], tcp: bool) -> list[Any]:
    return ask_serials(questions, timeout=1, attempts=1)


def run(cloud: CloudflareStandIn, what: cloudflare.Wanted, **changes: Any) -> cloudflare.Outcome:
    """A run that looks often; ``written`` of its outcome has the requests that were to change something."""
    cloud.log.clear()
    changes.setdefault("ask", ask)
    changes.setdefault("wait", 5)
    changes.setdefault("sleep", lambda seconds: time.sleep(min(seconds, 0.03)))
    return cloudflare.run(changes.pop("api", None) or api(cloud), what, **changes)


def written(cloud: CloudflareStandIn) -> list[str]:
    """What was to change something, without IDs."""
    return [re.sub("/[0-9a-f]{32}", "", "%s %s" % each) for each in cloud.writes()]


def verdicts(outcome: cloudflare.Outcome) -> dict[str, str]:
    return {row["zone"]: row["status"] for row in outcome.rows}


def put(cloud: CloudflareStandIn, method: str, path: str, body: Any = None, account: str = ACCOUNT) -> Object:
    """What somebody else does in the account."""
    path = path.replace("{a}", "/accounts/%s/secondary_dns" % account)
    status, answer = cloud.answer(method, path, {}, body, TOKEN)
    assert status == 200, answer
    return answer["result"]


def foreign_peer(cloud: CloudflareStandIn, name: str = "by hand", **body: Any) -> str:
    id_ = put(cloud, "POST", "{a}/peers", {"name": name})["id"]
    put(cloud, "PUT", "{a}/peers/" + id_, {"name": name, "ip": "192.0.2.9", "port": 53, **body})
    return id_


def foreign_zone(cloud: CloudflareStandIn, name: str, kind: str = "secondary", *peers: str) -> str:
    id_ = put(cloud, "POST", "/zones", {"name": name, "account": {"id": ACCOUNT}, "type": kind})["id"]
    if peers:
        body = {"name": name, "peers": list(peers), "auto_refresh_seconds": 300}
        put(cloud, "POST", "/zones/%s/secondary_dns/incoming" % id_, body)
    return id_


def linked(cloud: CloudflareStandIn, zone: str) -> list[str]:
    """The names of the peers that a zone is linked to."""
    for id_, incoming in cloud.incoming.items():
        if cloud.zones[id_]["name"] == zone:
            return [cloud.peers[peer]["name"] for peer in incoming["peers"]]
    return []


# --- the way there ---------------------------------------------------------------------------------------------------


def test_the_first_run_and_the_second(cloud: CloudflareStandIn, primary: Primary) -> None:
    what = wanted(primary, "example.com", "example.org", refresh=60)
    first = run(cloud, what)
    of_zone = ["POST /zones", "POST /zones/secondary_dns/incoming"]
    assert written(cloud)[:3] == [
        "POST /accounts/secondary_dns/tsigs", "POST /accounts/secondary_dns/peers", "PUT /accounts/secondary_dns/peers"
    ]  # fmt: skip
    assert sorted(written(cloud)[3:7]) == sorted(of_zone * 2)
    assert written(cloud)[7:] == ["POST /zones/secondary_dns/force_axfr"] * 2
    assert first.changed and verdicts(first) == {"example.com": "in sync", "example.org": "in sync"}
    assert {(row["server"], row["address"], row["verdict"], row["serial"]) for row in first.rows} == {
        ("cloudflare", "API", "ok", 7),
        ("cloudflare", "API", "ok", 8),
    }
    assert first.zones[0] == {
        "name": "example.com",
        "id": next(id_ for id_, zone in cloud.zones.items() if zone["name"] == "example.com"),
        "status": "pending",
        "name_servers": ["ns0123.secondary.cloudflare.com", "ns0456.secondary.cloudflare.com"],
        "serial": 7,
        "checked": first.zones[0]["checked"],
    }
    assert first.zones[0]["checked"] and cloud.zone("Example.COM.").get_soa().serial == 7
    (peer,) = cloud.peers.values()
    (tsig,) = cloud.tsigs.values()
    assert (peer["ip"], peer["port"], peer["ixfr_enable"]) == ("127.0.0.1", primary.port, False)
    assert (peer["tsig_id"], tsig["name"], tsig["algo"]) == (tsig["id"], KEY + ".", "hmac-sha256.")
    assert {each["auto_refresh_seconds"] for each in cloud.incoming.values()} == {300}

    for check_mode in (True, False):
        again = run(cloud, what, check_mode=check_mode)
        assert not cloud.writes() and not again.changed and not again.plan
        assert again.rows == first.rows and again.zones == first.zones
    # Three lists, and one request for each zone.
    assert len(cloud.log) == 3 + 2


def test_check_mode_writes_nothing(cloud: CloudflareStandIn, primary: Primary) -> None:
    what = wanted(primary, "example.com")
    told = run(cloud, what, check_mode=True)
    assert not cloud.writes() and not cloud.zones and told.changed
    assert verdicts(told) == {"example.com": "not there"} and told.rows[0]["verdict"] == "failed"
    done = run(cloud, what)
    assert cloud.writes() and done.plan == told.plan
    assert told.plan == [
        "create TSIG key %s (hmac-sha256)" % KEY,
        "create peer %s: 127.0.0.1 port %d, key %s" % (PEER, primary.port, KEY),
        "create zone example.com, type secondary",
        "link zone example.com to %s, refresh 3600 s" % PEER,
        "transfer zone example.com",
    ]
    # Removal too.
    for check_mode in (True, False):
        told = run(cloud, wanted(primary), check_mode=check_mode, allow_mass_removal=True)
        assert bool(cloud.writes()) is not check_mode and told.changed


def drift_incoming(cloud: CloudflareStandIn, **change: Any) -> None:
    next(iter(cloud.incoming.values())).update(change)


def drift_peer(cloud: CloudflareStandIn, **change: Any) -> None:
    next(iter(cloud.peers.values())).update(change)


def drift_key(cloud: CloudflareStandIn, **change: Any) -> None:
    next(iter(cloud.tsigs.values())).update(change)


PUT_PEER, PUT_KEY = "PUT /accounts/secondary_dns/peers", "PUT /accounts/secondary_dns/tsigs"
POST_LINK, PUT_LINK = "POST /zones/secondary_dns/incoming", "PUT /zones/secondary_dns/incoming"


@pytest.mark.parametrize(
    ("drift", "mended"),
    [
        (lambda cloud: drift_incoming(cloud, auto_refresh_seconds=86400), PUT_LINK),
        (lambda cloud: drift_incoming(cloud, peers=[]), PUT_LINK),
        (lambda cloud: drift_incoming(cloud, name="example.net."), PUT_LINK),
        (lambda cloud: cloud.incoming.clear(), POST_LINK),
        (lambda cloud: drift_peer(cloud, ip="192.0.2.77"), PUT_PEER),
        (lambda cloud: drift_peer(cloud, port=5353), PUT_PEER),
        (lambda cloud: drift_peer(cloud, tsig_id=None), PUT_PEER),
        (lambda cloud: drift_key(cloud, secret=SECRETS[1]), PUT_KEY),
        (lambda cloud: drift_key(cloud, algo="hmac-sha512."), PUT_KEY),
    ],
)
def test_what_drifted_is_mended(
    cloud: CloudflareStandIn, primary: Primary, drift: Callable[[CloudflareStandIn], None], mended: str
) -> None:
    what = wanted(primary, "example.com")
    run(cloud, what)
    run(cloud, what)
    assert not cloud.writes()
    drift(cloud)
    seen = run(cloud, what, check_mode=True)
    assert not cloud.writes() and seen.changed
    assert verdicts(seen) == {"example.com": "not linked" if mended == POST_LINK else "not as planned"}
    outcome = run(cloud, what)
    assert written(cloud) == [mended, "POST /zones/secondary_dns/force_axfr"]
    assert verdicts(outcome) == {"example.com": "in sync"}
    assert not any(secret in text for secret in SECRETS for text in outcome.plan)
    run(cloud, what)
    assert not cloud.writes()


@pytest.mark.parametrize(
    ("drift"),
    [
        lambda cloud: drift_key(cloud, name=KEY.upper()),
        lambda cloud: drift_key(cloud, name=KEY),
        lambda cloud: drift_key(cloud, algo="HMAC-SHA256"),
        lambda cloud: drift_incoming(cloud, name="Example.COM"),
        lambda cloud: drift_peer(cloud, ixfr_enable=True),
        lambda cloud: [zone.update(name="EXAMPLE.com.") for zone in cloud.zones.values()],
        lambda cloud: [tsig.update(secret=None) for tsig in cloud.tsigs.values()],
    ],
)
def test_what_only_looks_different_is_left(
    cloud: CloudflareStandIn, primary: Primary, drift: Callable[[CloudflareStandIn], None]
) -> None:
    what = wanted(primary, "example.com")
    run(cloud, what)
    drift(cloud)
    outcome = run(cloud, what)
    assert not cloud.writes() and not outcome.changed and verdicts(outcome) == {"example.com": "in sync"}


@given(st.text("aB1-.", min_size=1, max_size=12), st.booleans(), st.booleans())
def test_names_are_the_same_with_dots_and_in_capitals(name: str, dot: bool, capitals: bool) -> None:
    stem = name.rstrip(".") or "a"
    written_ = (stem.upper() if capitals else stem) + ("." if dot else "")
    assert cloudflare.name_of(written_) == cloudflare.name_of(stem) == stem.lower()
    assert cloudflare.name_of(stem + "x") != cloudflare.name_of(stem)


def test_ipv6_and_several_addresses(cloud: CloudflareStandIn, primary: Primary) -> None:
    what = wanted(primary, "example.com", addresses=["127.0.0.1", "0:0:0::1"])
    run(cloud, what)
    assert linked(cloud, "example.com") == [PEER, "dnsops ns1.example.net ::1"]
    run(cloud, what)
    assert not cloud.writes()
    # One less: the zone goes to the other alone before the peer is deleted.
    run(cloud, wanted(primary, "example.com"))
    assert written(cloud) == [PUT_LINK, "DELETE /accounts/secondary_dns/peers", "POST /zones/secondary_dns/force_axfr"]


def test_without_a_key(cloud: CloudflareStandIn, primary: Primary) -> None:
    primary.key = None
    what = wanted(primary, "example.com", keyless=True)
    assert verdicts(run(cloud, what)) == {"example.com": "in sync"} and not cloud.tsigs
    run(cloud, what)
    assert not cloud.writes()


def test_a_key_gets_another_secret(cloud: CloudflareStandIn, primary: Primary) -> None:
    run(cloud, wanted(primary, "example.com"))
    primary.key = tsig_key(KEY, base64.b64decode(SECRETS[1]))
    primary.serials["example.com"] = 9
    # The old one does not do any more.
    outcome = run(cloud, wanted(primary, "example.com"), wait=0.3)
    assert verdicts(outcome) == {"example.com": "behind"}
    outcome = run(cloud, wanted(primary, "example.com", secret=SECRETS[1]))
    assert written(cloud) == [PUT_KEY, "POST /zones/secondary_dns/force_axfr"]
    assert verdicts(outcome) == {"example.com": "in sync"}
    assert outcome.plan[0] == "change TSIG key %s: secret" % KEY


def test_a_key_gets_another_name(cloud: CloudflareStandIn, primary: Primary) -> None:
    run(cloud, wanted(primary, "example.com"))
    new = KEY.replace("g1", "g2")
    primary.key = tsig_key(new, base64.b64decode(SECRETS[1]))
    outcome = run(cloud, wanted(primary, "example.com", key=new, secret=SECRETS[1]))
    assert written(cloud) == [
        "POST /accounts/secondary_dns/tsigs", PUT_PEER, "DELETE /accounts/secondary_dns/tsigs",
        "POST /zones/secondary_dns/force_axfr",
    ]  # fmt: skip
    assert [tsig["name"] for tsig in cloud.tsigs.values()] == [new + "."]
    assert verdicts(outcome) == {"example.com": "in sync"} and cloud.transfers[-1] == ("example.com", "serial 7")


def test_more_zones_than_a_page(cloud: CloudflareStandIn, primary: Primary) -> None:
    names = ["z%d.example" % number for number in range(120)]
    primary.serials.update({name: 5 for name in names})
    what = wanted(primary, *names)
    assert set(verdicts(run(cloud, what)).values()) == {"in sync"} and len(cloud.zones) == 120
    outcome = run(cloud, what)
    assert not cloud.writes() and len(outcome.rows) == 120
    assert [path for _method, path in cloud.log].count("/zones") == 3 and len(cloud.log) == 2 + 3 + 120


# --- serials ---------------------------------------------------------------------------------------------------------


def test_what_is_behind_is_transferred(cloud: CloudflareStandIn, primary: Primary) -> None:
    what = wanted(primary, "example.com", "example.org")
    run(cloud, what)
    primary.serials["example.org"] = 99
    seen = run(cloud, what, check_mode=True, wait=0)
    assert verdicts(seen) == {"example.com": "in sync", "example.org": "behind"} and not cloud.writes()
    assert seen.plan == ["transfer zone example.org"] and seen.changed
    outcome = run(cloud, what)
    assert written(cloud) == ["POST /zones/secondary_dns/force_axfr"] and outcome.changed
    assert verdicts(outcome) == {"example.com": "in sync", "example.org": "in sync"}


def test_what_does_not_arrive_is_red_within_bounds(cloud: CloudflareStandIn, primary: Primary) -> None:
    primary.key = tsig_key("another.example", b"x" * 32)
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    outcome = run(cloud, wanted(primary, "example.com"), wait=120, sleep=sleep, clock=lambda: now[0])
    (row,) = outcome.rows
    assert (row["verdict"], row["status"], row["serial"]) == ("failed", "not transferred", None)
    assert "TSIG key" in row["detail"]
    assert slept[:4] == sorted(slept[:4]) and sum(slept) == 120 and len(slept) < 12


def test_a_primary_that_is_silent_here(cloud: CloudflareStandIn, primary: Primary) -> None:
    """It may be hidden from the controller, and serve Cloudflare all the same."""
    what = wanted(primary, "example.com")
    assert verdicts(run(cloud, what)) == {"example.com": "in sync"}
    serials = dict(primary.serials)
    primary.serials.clear()
    outcome = run(cloud, what)
    assert not cloud.writes() and not outcome.changed
    assert (outcome.rows[0]["verdict"], outcome.rows[0]["status"]) == ("not checked", "no reference")
    primary.serials.update(serials)
    assert verdicts(run(cloud, what)) == {"example.com": "in sync"}


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["full", "partial", "internal"])
def test_a_zone_of_another_type_is_left_alone(cloud: CloudflareStandIn, primary: Primary, kind: str) -> None:
    id_ = foreign_zone(cloud, "example.com", kind)
    before = dict(cloud.zones[id_])
    outcome = run(cloud, wanted(primary, "example.com", "example.org"))
    assert verdicts(outcome) == {"example.com": "refused", "example.org": "in sync"}
    assert "zone of type %s" % kind in outcome.rows[0]["detail"] and cloud.zones[id_] == before
    assert not any(id_ in path for _method, path in cloud.log)
    outcome = run(cloud, wanted(primary, "example.com", "example.org"))
    assert not cloud.writes() and not outcome.changed


def test_a_zone_of_somebody_elses_primary_is_left_alone(cloud: CloudflareStandIn, primary: Primary) -> None:
    peer = foreign_peer(cloud)
    foreign_zone(cloud, "example.com", "secondary", peer)
    outcome = run(cloud, wanted(primary, "example.com", "example.org"))
    assert verdicts(outcome) == {"example.com": "refused", "example.org": "in sync"}
    assert "by hand at 192.0.2.9" in outcome.rows[0]["detail"] and linked(cloud, "example.com") == ["by hand"]
    # The same peer, once it is the same server.
    cloud.peers[peer].update(ip="127.0.0.1", port=primary.port)
    outcome = run(cloud, wanted(primary, "example.com", "example.org"))
    assert verdicts(outcome) == {"example.com": "in sync", "example.org": "in sync"}
    assert linked(cloud, "example.com") == [PEER] and peer in cloud.peers


def test_more_peers_than_a_zone_can_have(cloud: CloudflareStandIn, primary: Primary) -> None:
    for count, verdict in ((31, "refused"), (30, "in sync")):
        addresses = ["127.0.0.1"] + ["192.0.2.%d" % number for number in range(1, count)]
        silent = [cloudflare.Question("example.com", address, primary.port) for address in addresses[1:]]

        def ask_one(questions: Sequence[Any], tcp: bool, silent: Any = silent) -> list[Any]:
            there = ask([question for question in questions if question not in silent], tcp)
            none = cloudflare.SerialSeen("", "", 53, "timeout", None, "udp", "")
            return [there[0] if question not in silent else none for question in questions]

        outcome = run(cloud, wanted(primary, "example.com", addresses=addresses), ask=ask_one)
        assert verdicts(outcome) == {"example.com": verdict}
    assert len(linked(cloud, "example.com")) == 30


def test_a_key_that_somebody_else_uses(cloud: CloudflareStandIn, primary: Primary) -> None:
    body = {"name": KEY + ".", "algo": "hmac-sha256.", "secret": SECRETS[0]}
    tsig = put(cloud, "POST", "{a}/tsigs", body)["id"]
    foreign_peer(cloud, tsig_id=tsig)
    outcome = run(cloud, wanted(primary, "example.com"))
    assert verdicts(outcome) == {"example.com": "in sync"} and list(cloud.tsigs) == [tsig]
    with pytest.raises(InputError, match="another secret, and is used by peers that are not of owner dnsops: by hand"):
        run(cloud, wanted(primary, "example.com", secret=SECRETS[1]))
    assert not cloud.writes() and cloud.tsigs[tsig]["secret"] == SECRETS[0]
    # It is not deleted either.
    run(cloud, wanted(primary), allow_mass_removal=True)
    assert list(cloud.tsigs) == [tsig] and [peer["name"] for peer in cloud.peers.values()] == ["by hand"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"owner": "two words"}, "owner 'two words' is no single word"),
        ({"owner": ""}, "is no single word"),
        ({"addresses": ["ns1"]}, "'ns1' does not appear to be an IPv4 or IPv6 address"),
        ({"addresses": []}, "has no address"),
        ({"addresses": ["::1", "0::1"]}, "or one twice"),
        ({"delete_zones": ["example.com"]}, "both in zones and in delete_zones"),
    ],
)
def test_mistakes(primary: Primary, change: Object, message: str) -> None:
    cloudflare.check(wanted(primary, "example.com"))
    with pytest.raises(InputError, match=message):
        cloudflare.check(wanted(primary, "example.com", **change))


def test_mistakes_between_zones_and_primaries(primary: Primary) -> None:
    good = wanted(primary, "example.com")
    other = cloudflare.Primary("ns2.example.net", ["192.0.2.2"], 53, TsigKey(KEY + ".", "hmac-sha256", SECRETS[0]))
    cloudflare.check(good._replace(primaries={**good.primaries, "ns2.example.net": other}))
    different = other._replace(key=TsigKey(KEY.upper(), "hmac-sha256", SECRETS[1]))
    for bad, message in (
        (good._replace(primaries={**good.primaries, "ns2.example.net": different}), "different TSIG keys of the name"),
        (good._replace(zones=good.zones * 2), "zone example.com: It is in the list of zones twice"),
        (good._replace(primaries={}), "Its primary ns1.example.net is not among the primaries"),
    ):
        with pytest.raises(InputError, match=message):
            cloudflare.check(bad)


# --- removal ---------------------------------------------------------------------------------------------------------


def test_removal_goes_in_the_right_order(cloud: CloudflareStandIn, primary: Primary) -> None:
    run(cloud, wanted(primary, "example.com", "example.org"))
    outcome = run(cloud, wanted(primary, "example.com"))
    assert written(cloud) == [PUT_LINK, "DELETE /zones/secondary_dns/incoming"]
    assert outcome.left == ["example.org"] and outcome.changed and len(cloud.zones) == 2
    outcome = run(cloud, wanted(primary, "example.com"))
    assert not cloud.writes() and outcome.left == ["example.org"]
    # Later still it can be deleted, by name.
    outcome = run(cloud, wanted(primary, "example.com", delete_zones=["example.org"]))
    assert written(cloud) == ["DELETE /zones"] and outcome.left == [] and len(cloud.zones) == 1
    assert outcome.plan == ["delete zone example.org"]
    # The last one: all that was ours goes, each after what uses it.
    what = wanted(primary, delete_zones=["example.com"])
    with pytest.raises(InputError, match=r"unlink 1 of the 1 zones .* \(example.com\)\. If that is meant"):
        run(cloud, what)
    assert not cloud.writes()
    run(cloud, what, allow_mass_removal=True)
    assert written(cloud) == [
        PUT_LINK, "DELETE /zones/secondary_dns/incoming", "DELETE /zones", "DELETE /accounts/secondary_dns/peers",
        "DELETE /accounts/secondary_dns/tsigs",
    ]  # fmt: skip
    assert not (cloud.zones or cloud.incoming or cloud.peers or cloud.tsigs)
    assert not run(cloud, what).changed


def test_a_zone_that_is_to_stay_as_it_is(cloud: CloudflareStandIn, primary: Primary) -> None:
    """Its primary does not have it now; what Cloudflare has goes on being answered, and nothing of it is taken away."""
    run(cloud, wanted(primary, "example.com", "example.org"))
    kept = wanted(primary, "example.com", keep_zones=["example.org", "new.example"])
    outcome = run(cloud, kept)
    assert not cloud.writes() and not outcome.changed and outcome.left == []
    assert linked(cloud, "example.org") == [PEER] and len(cloud.zones) == 2
    alone = wanted(primary, keep_zones=["example.com", "example.org"])
    assert not run(cloud, alone).changed and not cloud.writes() and cloud.peers and cloud.tsigs
    assert run(cloud, wanted(primary, "example.com")).left == ["example.org"]


def test_mass_removal_is_refused(cloud: CloudflareStandIn, primary: Primary) -> None:
    names = ["z%d.example" % number for number in range(8)]
    primary.serials.update({name: 5 for name in names})
    run(cloud, wanted(primary, *names))
    with pytest.raises(InputError, match="unlink 3 of the 8 zones"):
        run(cloud, wanted(primary, *names[3:]))
    assert not cloud.writes()
    assert run(cloud, wanted(primary, *names[2:])).left == names[:2]


def test_what_is_not_ours_stays(cloud: CloudflareStandIn, primary: Primary) -> None:
    run(cloud, wanted(primary, "example.com", "example.org"))
    other = foreign_peer(cloud)
    own = next(id_ for id_, peer in cloud.peers.items() if peer["name"] == PEER)
    spare = foreign_peer(cloud, "dnsopsx ns1.example.net 127.0.0.1")
    put(cloud, "POST", "{a}/tsigs", {"name": "other.", "algo": "hmac-sha256.", "secret": SECRETS[2]})
    foreign_zone(cloud, "full.example", "full")
    foreign_zone(cloud, "theirs.example", "secondary", other)
    both = next(id_ for id_, zone in cloud.zones.items() if zone["name"] == "example.org")
    cloud.incoming[both]["peers"] = [own, other]
    named = ["full.example", "theirs.example", "example.org", "gone.example"]
    what = wanted(primary, "example.com", delete_zones=named)
    outcome = run(cloud, what)
    assert linked(cloud, "example.org") == ["by hand"] == linked(cloud, "theirs.example")
    assert len(cloud.zones) == 4 and {other, spare} < set(cloud.peers) and len(cloud.tsigs) == 2
    assert [warning.split(" is named")[0] for warning in outcome.warnings] == [
        "zone example.org", "zone full.example", "zone theirs.example"
    ]  # fmt: skip
    assert outcome.changed and not run(cloud, what).changed and not cloud.writes()


def test_a_peer_that_has_another_use_stays_with_a_warning(cloud: CloudflareStandIn, primary: Primary) -> None:
    run(cloud, wanted(primary, "example.com"))
    cloud.fail(status=400, pattern="DELETE .*/peers/", text=envelope(1007, "The peer is linked to an outgoing zone"))
    cloud.fail(status=400, pattern="DELETE .*/tsigs/", text=envelope(1007, "A peer uses it"))
    outcome = run(cloud, wanted(primary), allow_mass_removal=True)
    assert [text for text in outcome.warnings if text.endswith("It stays.")] == outcome.warnings
    assert "linked to an outgoing zone" in outcome.warnings[0] and len(outcome.warnings) == 2
    run(cloud, wanted(primary), allow_mass_removal=True)
    assert written(cloud) == ["DELETE /accounts/secondary_dns/peers", "DELETE /accounts/secondary_dns/tsigs"]
    assert not cloud.peers and not cloud.tsigs


def test_what_a_refused_zone_is_linked_to_stays(cloud: CloudflareStandIn, primary: Primary) -> None:
    old = foreign_peer(cloud, "dnsops ns9.example.net 192.0.2.9", ip="192.0.2.9")
    foreign_zone(cloud, "example.com", "secondary", old, foreign_peer(cloud))
    outcome = run(cloud, wanted(primary, "example.com", "example.org"))
    assert verdicts(outcome) == {"example.com": "refused", "example.org": "in sync"}
    assert old in cloud.peers and not outcome.warnings
    # Without the other one the zone moves to the primary's peer, and the old one goes.
    next(each for each in cloud.incoming.values() if old in each["peers"])["peers"] = [old]
    outcome = run(cloud, wanted(primary, "example.com", "example.org"))
    assert set(verdicts(outcome).values()) == {"in sync"} and old not in cloud.peers


def test_ixfr_stays_as_it_was_set(cloud: CloudflareStandIn, primary: Primary) -> None:
    run(cloud, wanted(primary, "example.com"))
    drift_peer(cloud, ixfr_enable=True, port=5353)
    run(cloud, wanted(primary, "example.com"))
    assert [(peer["port"], peer["ixfr_enable"]) for peer in cloud.peers.values()] == [(primary.port, True)]


def test_twins_of_an_earlier_accident(cloud: CloudflareStandIn, primary: Primary) -> None:
    primary.serials["example.net"] = 9
    names = ["example.com", "example.org", "example.net"]
    run(cloud, wanted(primary, *names))
    (own,) = cloud.peers
    body = {"name": KEY + ".", "algo": "hmac-sha256.", "secret": SECRETS[0]}
    twin_key = put(cloud, "POST", "{a}/tsigs", body)["id"]
    twin_peer = "0" * 32
    made = foreign_peer(cloud, PEER, ip="127.0.0.1", port=primary.port, tsig_id=twin_key)
    cloud.peers[twin_peer] = {**cloud.peers.pop(made), "id": twin_peer}
    zone = next(id_ for id_, zone in cloud.zones.items() if zone["name"] == "example.com")
    cloud.incoming[zone]["peers"] = [twin_peer]
    outcome = run(cloud, wanted(primary, *names))
    # The one with more zones stays.
    assert set(verdicts(outcome).values()) == {"in sync"} and list(cloud.peers) == [own] and len(cloud.tsigs) == 1
    assert all(linked(cloud, name) == [PEER] for name in names)
    run(cloud, wanted(primary, *names))
    assert not cloud.writes()


states = st.fixed_dictionaries(
    {
        "zones": st.dictionaries(
            st.sampled_from(["a.test", "b.test", "c.test", "d.test"]),
            st.tuples(st.sampled_from(["secondary", "full"]), st.none() | st.sets(st.integers(0, 3))),
        ),
        "peers": st.lists(
            st.tuples(
                st.sampled_from([PEER, "by hand", "dnsops ns9 192.0.2.9", "dnsopsx y"]),
                st.sampled_from(["127.0.0.1", "192.0.2.9"]),
                st.none() | st.integers(0, 2),
            ),
            min_size=4,
            max_size=4,
        ),
        "tsigs": st.lists(
            st.tuples(st.sampled_from([KEY, KEY.upper() + ".", "other"]), st.sampled_from(SECRETS)),
            min_size=3,
            max_size=3,
        ),
        "wanted": st.sets(st.sampled_from(["a.test", "b.test", "c.test"])),
        "deleted": st.sets(st.sampled_from(["d.test"])),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(states)
def test_from_anywhere_one_run_is_enough(state: Object) -> None:
    """Whatever was there: the second run does nothing, and what is somebody else's is as it was."""
    cloud = CloudflareStandIn([ACCOUNT], TOKEN)
    cloud._start_transfer = lambda zone_id, force: None
    primary = SimpleNamespace(port=5300)
    tsigs = [put(cloud, "POST", "{a}/tsigs", {"name": n, "algo": "hmac-sha256", "secret": s})["id"]
             for n, s in state["tsigs"]]  # fmt: skip
    peers = []
    for name, ip, tsig in state["peers"]:
        peers.append(foreign_peer(cloud, name, ip=ip, port=5300, **({} if tsig is None else {"tsig_id": tsigs[tsig]})))
    for name, (kind, links) in state["zones"].items():
        id_ = foreign_zone(cloud, name, kind)
        if kind == "secondary" and links is not None:
            body = {"name": name, "peers": [peers[link] for link in links], "auto_refresh_seconds": 300}
            put(cloud, "POST", "/zones/%s/secondary_dns/incoming" % id_, body)

    def others() -> Any:
        theirs = {id_: peer for id_, peer in cloud.peers.items() if not peer["name"].startswith("dnsops ")}
        keys = {peer["tsig_id"]: dict(cloud.tsigs[peer["tsig_id"]]) for peer in theirs.values() if "tsig_id" in peer}
        return theirs, keys, {id_: dict(zone) for id_, zone in cloud.zones.items() if zone["type"] == "full"}

    def send(method: str, url: str, headers: Any, body: str | None, timeout: float) -> Answer:
        path, _mark, query = url.partition("?")
        cloud.log.append((method, path))
        asked = dict(pair.split("=") for pair in query.split("&") if pair)
        token = headers["Authorization"].split()[1]
        status, answer = cloud.answer(method, path, asked, json.loads(body) if body else None, token)
        return Answer(status, {}, json.dumps(answer))

    def silent(questions: Sequence[Any], tcp: bool) -> list[Any]:
        return [cloudflare.SerialSeen(q.zone, q.address, q.port, "timeout", None, "udp", "") for q in questions]

    before = others()
    what = wanted(primary, *sorted(state["wanted"]), delete_zones=sorted(state["deleted"]))
    outcomes = []
    for _turn in range(2):
        cloud.log.clear()
        try:
            outcomes.append(cloudflare.run(Api(TOKEN, ACCOUNT, "", send=send), what, ask=silent, wait=0,
                                           allow_mass_removal=True))  # fmt: skip
        except InputError as error:
            assert "used by peers that are not of owner" in str(error) and not cloud.writes()
            return
        assert others() == before
    assert not cloud.writes() and not outcomes[1].changed and not outcomes[1].plan[len(outcomes[1].rows) :]
    for row in outcomes[0].rows:
        assert (row["status"] == "refused") != (linked(cloud, row["zone"]) == [PEER])


# --- requests that fail ----------------------------------------------------------------------------------------------


def envelope(code: int, message: str, **more: Any) -> str:
    return json.dumps({"success": False, "errors": [{"code": code, "message": message, **more}], "result": None})


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def api(self, cloud: CloudflareStandIn, **changes: Any) -> Api:
        return api(cloud, sleep=self.sleep, clock=lambda: self.now, now=lambda: self.now, **changes)


def peers_listed(api_: Api) -> list[Object]:
    return api_.list("list the peers", api_.account + "/secondary_dns/peers")


@pytest.mark.parametrize(
    ("failure", "slept"),
    [
        ({"status": 429, "retry_after": "17", "count": 3}, [17.0, 17.0, 17.0]),
        ({"status": 429, "retry_after": formatdate(1_000_000 + 40, usegmt=True)}, [40.0]),
        ({"status": 429, "retry_after": formatdate(1_000_000 - 40, usegmt=True)}, [1.0]),
        ({"status": 429, "retry_after": "soon", "count": 2}, [1.0, 2.0]),
        ({"status": 429, "count": 5}, [1.0, 2.0, 4.0, 8.0, 16.0]),
        ({"status": 500, "count": 5}, [1.0, 2.0, 4.0, 8.0, 16.0]),
        ({"status": 503, "retry_after": "9"}, [9.0]),
        ({"status": 502, "text": "<html>Bad gateway</html>"}, [1.0]),
        ({"status": None, "count": 2}, [1.0, 2.0]),
        ({"status": 200, "hang": 0.4}, [1.0]),
    ],
)
def test_what_passes_is_tried_again(cloud: CloudflareStandIn, failure: Object, slept: list[float]) -> None:
    clock = Clock()
    assert peers_listed(clock.api(cloud)) == [] and clock.slept == []
    cloud.fail(**failure)
    assert peers_listed(clock.api(cloud, timeout=0.2)) == [] and clock.slept == slept


@pytest.mark.parametrize(
    ("failure", "sentence", "longest"),
    [
        ({"status": 429, "retry_after": "300"}, "Cloudflare's rate limit .* stays exceeded", 620),
        ({"status": 429, "retry_after": "86400"}, "Cloudflare's rate limit .* stays exceeded", 0),
        ({"status": 429, "retry_after": "311"}, "Cloudflare's rate limit .* stays exceeded", 0),
        ({"status": 429}, "Cloudflare's rate limit .* stays exceeded", 31),
        ({"status": 500}, "Cloudflare's API answers HTTP 500; run again later", 31),
        ({"status": 503, "retry_after": "100"}, "Cloudflare's API answers HTTP 503", 620),
        ({"status": None}, "Cloudflare's API does not answer: .*; run again later", 31),
        ({"status": 200, "hang": 0.15}, "Cloudflare's API does not answer: nothing came in time", 31),
    ],
)
def test_what_does_not_pass_ends(cloud: CloudflareStandIn, failure: Object, sentence: str, longest: float) -> None:
    clock = Clock()
    cloud.fail(**failure, count=100)
    with pytest.raises(CloudflareError, match="^Could not list the peers: %s" % sentence) as caught:
        peers_listed(clock.api(cloud, timeout=0.05))
    assert sum(clock.slept) <= longest and len(clock.slept) < 10
    one_sentence(caught.value)
    cloud.failures.clear()
    assert peers_listed(clock.api(cloud)) == []


def one_sentence(error: Exception) -> None:
    text = str(error)
    assert text.endswith(".") and "\n" not in text and "Traceback" not in text
    assert not any(secret in text + repr(error) for secret in [TOKEN, *SECRETS])
    assert error.__cause__ is None and (error.__context__ is None or error.__suppress_context__)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("failure", [{"status": 502}, {"status": None}, {"status": 200, "hang": 0.5}])
@pytest.mark.parametrize("where", ["/tsigs$", "/peers$", " /zones$", "/incoming$"])
def test_nothing_is_created_twice(
    cloud: CloudflareStandIn, primary: Primary, where: str, failure: Object, after: bool
) -> None:
    cloud.fail(**failure, pattern="POST.*" + where, after=after)
    outcome = run(cloud, wanted(primary, "example.com"), api=api(cloud, timeout=0.3))
    assert verdicts(outcome) == {"example.com": "in sync"}
    assert [len(each) for each in (cloud.tsigs, cloud.peers, cloud.zones, cloud.incoming)] == [1, 1, 1, 1]
    sent = [each for each in cloud.writes() if re.search("POST.*" + where, "%s %s" % each)]
    assert len(sent) == (1 if after else 2)


def test_deleting_what_is_gone_is_no_error(cloud: CloudflareStandIn, primary: Primary) -> None:
    run(cloud, wanted(primary, "example.com"))
    for where in ("/incoming$", "/zones/[^/]+$", "/peers/", "/tsigs/"):
        cloud.fail(status=502, pattern="DELETE.*" + where, after=True)
    outcome = run(cloud, wanted(primary, delete_zones=["example.com"]), allow_mass_removal=True)
    assert not outcome.warnings and not (cloud.zones or cloud.peers or cloud.tsigs)


def refused_with(cloud: CloudflareStandIn, api_: Api, primary: Primary, *zones: str) -> CloudflareError:
    with pytest.raises(CloudflareError) as caught:
        run(cloud, wanted(primary, *zones or ("example.com",)), api=api_)
    one_sentence(caught.value)
    return caught.value


def test_a_wrong_token(cloud: CloudflareStandIn, primary: Primary) -> None:
    error = refused_with(cloud, api(cloud, token="another"), primary)
    assert error.kind == cloudflare_api.TOKEN and "does not accept the API token" in str(error)
    assert "code 10000: Authentication error" in str(error) and "another" not in str(error)
    assert not cloud.writes()
    for number in (1000, 9109, 6003, 10001):
        cloud.fail(status=400, text=envelope(number, "No"), count=3)
        assert refused_with(cloud, api(cloud), primary).kind == cloudflare_api.TOKEN
    chained = envelope(6100, "Headers", error_chain=[{"code": 6111, "message": "Invalid format"}])
    cloud.fail(status=400, text=chained, count=3)
    assert refused_with(cloud, api(cloud), primary).kind == cloudflare_api.TOKEN
    assert verdicts(run(cloud, wanted(primary, "example.com"))) == {"example.com": "in sync"}


@pytest.mark.parametrize("token", ["", "a b", "line\nfeed" + TOKEN, "schlüssel"])
def test_a_token_that_can_be_none(cloud: CloudflareStandIn, token: str) -> None:
    with pytest.raises(CloudflareError, match="The API token is empty, or has blanks") as caught:
        api(cloud, token=token)
    one_sentence(caught.value)
    assert not token or token not in str(caught.value)


def test_a_wrong_account(cloud: CloudflareStandIn, primary: Primary) -> None:
    error = refused_with(cloud, api(cloud, account="e" * 32), primary)
    assert error.kind == cloudflare_api.ACCOUNT
    assert "the API token is valid, but not for this in account eeee" in str(error)
    error = refused_with(cloud, api(cloud, account="nonsense"), primary)
    assert error.kind == cloudflare_api.ACCOUNT and "knows no account nonsense; see account_id (code 7003" in str(error)
    cloud.fail(status=404, text=envelope(9999, "Nothing"))
    assert refused_with(cloud, api(cloud), primary).kind == cloudflare_api.ACCOUNT
    assert verdicts(run(cloud, wanted(primary, "example.com"))) == {"example.com": "in sync"}


def test_a_token_without_a_permission(cloud: CloudflareStandIn, primary: Primary) -> None:
    cloud.fail(status=403, text=envelope(10000, "Authentication error"), pattern="POST /zones$")
    error = refused_with(cloud, api(cloud), primary)
    assert str(error).startswith("Could not create zone example.com: the API token is valid, but not for this")
    assert "Zone Write" in str(error)
    assert verdicts(run(cloud, wanted(primary, "example.com"))) == {"example.com": "in sync"}


def test_no_entitlement(cloud: CloudflareStandIn, primary: Primary) -> None:
    cloud.fail(entitlement=False)
    error = refused_with(cloud, api(cloud), primary, "example.com", "example.org")
    assert error.kind == cloudflare_api.ENTITLEMENT
    assert "has not enabled Secondary DNS for account %s, which is for Enterprise plans only" % ACCOUNT in str(error)
    cloud.fail(entitlement=True)
    outcome = run(cloud, wanted(primary, "example.com", "example.org"))
    assert set(verdicts(outcome).values()) == {"in sync"}


@pytest.mark.parametrize("text", ["<html>", "", "[]", '"x"', '{"other": 1}'])
def test_what_is_no_answer_of_the_api(cloud: CloudflareStandIn, primary: Primary, text: str) -> None:
    cloud.fail(status=200, text=text)
    error = refused_with(cloud, api(cloud), primary)
    assert error.kind == cloudflare_api.NOT_JSON and "not one of Cloudflare's API: see api_url" in str(error)


def test_nobody_there(cloud: CloudflareStandIn, primary: Primary) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = "http://127.0.0.1:%d" % closed.getsockname()[1]
    error = refused_with(cloud, api(cloud, url=url), primary)
    assert error.kind == cloudflare_api.NO_ANSWER and "Connection refused" in str(error)
    for url in ("nonsense", "http://127.0.0.1:port/"):
        assert refused_with(cloud, api(cloud, url=url), primary).kind == cloudflare_api.NO_ANSWER


def test_a_redirect_is_not_followed(cloud: CloudflareStandIn) -> None:
    other = CloudflareStandIn([ACCOUNT], TOKEN)
    try:
        url = other.start()
        assert peers_listed(api(cloud, url=url)) == [] and other.log
        other.log.clear()
        cloud.fail(status=302, text="<a>", location=url + "/accounts/%s/secondary_dns/peers" % ACCOUNT)
        with pytest.raises(CloudflareError, match=r"\(HTTP 302\) is not one of Cloudflare's API"):
            peers_listed(api(cloud))
        assert not other.log
    finally:
        other.stop()


def test_what_is_about_one_zone_does_not_keep_the_others(cloud: CloudflareStandIn, primary: Primary) -> None:
    put(cloud, "POST", "/zones", {"name": "example.com", "account": {"id": "f" * 32}, "type": "full"}, "f" * 32)
    outcome = run(cloud, wanted(primary, "example.com", "example.org"))
    assert verdicts(outcome) == {"example.com": "failed", "example.org": "in sync"}
    assert outcome.rows[0]["detail"] == (
        "Could not create zone example.com: Cloudflare answers code 1061: example.com already exists."
    )


def test_an_answer_that_quotes_a_secret(cloud: CloudflareStandIn, primary: Primary) -> None:
    said = "no good: %s %s\x1b[2J" % (SECRETS[0], TOKEN)
    cloud.fail(status=400, text=envelope(1004, said), pattern="POST.*tsigs")
    error = refused_with(cloud, api(cloud), primary)
    assert "code 1004: no good: (hidden) (hidden)?[2J" in str(error) and error.kind == cloudflare_api.OTHER


def test_secrets_are_in_no_repr(cloud: CloudflareStandIn, primary: Primary) -> None:
    what = wanted(primary, "example.com")
    shown = repr(what) + repr(api(cloud))
    assert KEY in shown and not any(secret in shown for secret in [TOKEN, *SECRETS])


# --- the module ------------------------------------------------------------------------------------------------------


def module(cloud: CloudflareStandIn, primary: Primary, check: bool = False, **changes: Any) -> SimpleNamespace:
    """As Ansible runs it at -vvvv with --diff: what it prints, and that it shows no secret."""
    cloud.log.clear()
    arguments: Object = {
        "account_id": ACCOUNT,
        "api_token": TOKEN,
        "api_url": cloud.url,
        "primaries": [
            {
                "name": "ns1.example.net", "addresses": ["127.0.0.1"], "port": primary.port, "key_name": KEY + ".",
                "key_secret": SECRETS[0],
            }
        ],
        "zones": [{"name": "Example.COM.", "primary": "ns1.example.net", "refresh": 7200}],
        "wait": 10,
    }  # fmt: skip
    arguments.update(changes)
    arguments = {name: value for name, value in arguments.items() if value is not None}
    arguments.update(_ansible_check_mode=check, _ansible_diff=True, _ansible_verbosity=4)
    done = subprocess.run(
        [sys.executable, "-m", "ansible_collections.dnsops.redundant_dns.plugins.modules.cloudflare_zone"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        capture_output=True,
        text=True,
        check=False,
        env={
            "PYTHONPATH": str(ROOT / ".cache" / "collections"),
            "PATH": os.environ["PATH"],
            **({"CLOUDFLARE_API_TOKEN": TOKEN} if "api_token" not in arguments else {}),
        },
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    for secret in [TOKEN, *SECRETS]:
        assert secret not in done.stdout + done.stderr
    return SimpleNamespace(**{"msg": "", "diff": {}, "failed": False, **json.loads(done.stdout)})


def test_the_module(cloud: CloudflareStandIn, primary: Primary) -> None:
    told = module(cloud, primary, check=True, strict=False)
    assert not cloud.writes() and told.changed and told.rows[0]["status"] == "not there"
    done = module(cloud, primary)
    assert cloud.writes() and done.changed and not done.failed and done.diff == told.diff
    assert done.diff["prepared"].splitlines() == done.plan and "link zone example.com to" in done.diff["prepared"]
    assert [(row["zone"], row["status"], row["serial"]) for row in done.rows] == [("example.com", "in sync", 7)]
    assert done.zones[0]["name_servers"] == ["ns0123.secondary.cloudflare.com", "ns0456.secondary.cloudflare.com"]
    assert next(iter(cloud.incoming.values()))["auto_refresh_seconds"] == 7200
    # The second run, with the token from the environment.
    again = module(cloud, primary, api_token=None)
    assert not cloud.writes() and not again.changed and again.diff["prepared"] == ""
    # All goes, and says so by its state alone.
    refused = module(cloud, primary, zones=[])
    assert refused.failed and "unlink 1 of the 1 zones" in refused.msg and not cloud.writes()
    gone = module(cloud, primary, state="absent")
    assert gone.changed and gone.left == ["example.com"] and not cloud.peers and not cloud.tsigs and cloud.zones


def test_the_module_fails_in_words(cloud: CloudflareStandIn, primary: Primary) -> None:
    said = module(cloud, primary, account_id="example", zones=[{"name": "no name", "primary": "x"}])
    assert said.failed and said.msg.startswith("2 mistakes:\naccount_id is not 32 hexadecimal digits.")
    assert '"no name" is not a domain name' in said.msg and not cloud.log
    said = module(cloud, primary, api_token="another")
    assert said.failed and "does not accept the API token" in said.msg
    primary.key = tsig_key(KEY, b"x" * 32)
    said = module(cloud, primary, wait=0.6)
    assert said.failed and said.msg.startswith("failed: cloudflare, serial: not transferred for example.com at API (")
    said = module(cloud, primary, wait=0.6, strict=False)
    assert not said.failed and said.rows[0]["verdict"] == "failed"


# --- the stand-in itself ---------------------------------------------------------------------------------------------


def status(cloud: CloudflareStandIn, method: str, path: str, body: Any = None) -> int:
    return cloud.answer(method, path.replace("{a}", "/accounts/%s/secondary_dns" % ACCOUNT), {}, body, TOKEN)[0]


def test_the_rules_of_the_stand_in(cloud: CloudflareStandIn) -> None:
    zone_body = {"name": "example.com.", "account": {"id": ACCOUNT}, "type": "secondary"}
    for bad in ({"name": None}, {"account": None}, {"type": "slave"}, {"account": {"id": "d" * 32}}):
        assert status(cloud, "POST", "/zones", {**zone_body, **bad}) >= 400
    zone = put(cloud, "POST", "/zones", zone_body)
    assert zone["name"] == "example.com" and status(cloud, "POST", "/zones", zone_body) == 400
    key_body = {"name": "key.example", "algo": "hmac-sha256.", "secret": SECRETS[0]}
    for missing in key_body:
        assert status(cloud, "POST", "{a}/tsigs", {**key_body, missing: None}) == 400
    tsig = put(cloud, "POST", "{a}/tsigs", key_body)
    assert (tsig["name"], tsig["secret"]) == ("key.example.", SECRETS[0])
    assert status(cloud, "POST", "{a}/peers", {}) == 400
    # Like the documented request: what is beside the name is not taken.
    peer = put(cloud, "POST", "{a}/peers", {"name": "p", "ip": "192.0.2.1"})
    assert set(peer) == {"id", "name"}
    path = "{a}/peers/" + peer["id"]
    for bad in ({"ip": "x"}, {"tsig_id": "none"}, {"name": ""}):
        assert status(cloud, "PUT", path, {"name": "p", **bad}) == 400
    put(cloud, "PUT", path, {"name": "p", "ip": "192.0.2.1", "port": 53, "tsig_id": tsig["id"]})
    incoming = "/zones/%s/secondary_dns/incoming" % zone["id"]
    link = {"name": "example.com", "peers": [peer["id"]], "auto_refresh_seconds": 300}
    assert status(cloud, "GET", incoming) == 404 == status(cloud, "PUT", incoming, link)
    assert status(cloud, "POST", incoming.replace("incoming", "force_axfr"), {}) == 404
    for bad in ({"auto_refresh_seconds": 299}, {"peers": ["none"]}, {"peers": [peer["id"]] * 31}, {"name": "other"}):
        assert status(cloud, "POST", incoming, {**link, **bad}) == 400
    assert put(cloud, "POST", incoming, link)["name"] == "example.com."
    assert status(cloud, "POST", incoming, link) == 409
    assert status(cloud, "DELETE", path) == 400 == status(cloud, "DELETE", "{a}/tsigs/" + tsig["id"])
    put(cloud, "PUT", incoming, {**link, "peers": []})
    put(cloud, "DELETE", incoming)
    put(cloud, "DELETE", path)
    put(cloud, "DELETE", "{a}/tsigs/" + tsig["id"])
    full = put(cloud, "POST", "/zones", {**zone_body, "name": "full.example", "type": "full"})
    assert status(cloud, "POST", "/zones/%s/secondary_dns/incoming" % full["id"], {**link, "peers": []}) == 400
    put(cloud, "DELETE", "/zones/" + zone["id"])
    assert status(cloud, "DELETE", "/zones/" + zone["id"]) == 400 and status(cloud, "GET", "/nothing") == 404


def wait_for(condition: Callable[[], bool]) -> None:
    for _turn in itertools.repeat(None, 500):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not come about")


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_notify(cloud: CloudflareStandIn, primary: Primary, tcp: bool, signed: bool) -> None:
    run(cloud, wanted(primary, "example.com"))
    port = cloud.start_notify()
    notify = dns.message.make_query("example.com", "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    notify.flags = (notify.flags & ~dns.flags.RD) | dns.flags.AA
    if signed:
        notify.use_tsig({primary.key.name: primary.key})
    send = dns.query.tcp if tcp else dns.query.udp
    primary.serials["example.com"] = 8
    # Not from an address that is no peer's.
    assert send(notify, "127.0.0.1", 5, port, source="127.0.0.2").rcode() == dns.rcode.REFUSED
    answer = send(notify, "127.0.0.1", 5, port)
    assert answer.rcode() == dns.rcode.NOERROR and answer.opcode() == dns.opcode.NOTIFY
    assert answer.had_tsig is signed
    wait_for(lambda: cloud.zone("example.com").get_soa().serial == 8)
    # What is not newer does not replace it; a transfer that fails leaves it.
    transfers = len(cloud.transfers)
    primary.serials["example.com"] = 7
    send(notify, "127.0.0.1", 5, port)
    wait_for(lambda: len(cloud.transfers) == transfers + 1)
    assert cloud.transfers[-1] == ("example.com", "serial 7") and cloud.zone("example.com").get_soa().serial == 8


def test_the_stand_in_refreshes_by_its_clock(primary: Primary) -> None:
    now = [1000.0]
    cloud = CloudflareStandIn([ACCOUNT], TOKEN, clock=lambda: now[0])
    cloud.url = cloud.start()
    try:
        run(cloud, wanted(primary, "example.com"))
        primary.serials["example.com"] = 8
        transfers = len(cloud.transfers)
        now[0] += 3600
        wait_for(lambda: len(cloud.transfers) > transfers)
        assert cloud.zone("example.com").get_soa().serial == 8
        assert cloud.transfers[-1] == ("example.com", "serial 8")
    finally:
        cloud.stop()


def test_the_stand_in_takes_orders_over_http(cloud: CloudflareStandIn) -> None:
    base = cloud.url.replace("/client/v4", "/_stand_in")
    cloudflare_api.send("POST", base + "/fail", {}, json.dumps({"status": 418, "pattern": "GET /zones"}), 5)
    headers = {"Authorization": "Bearer " + TOKEN}
    assert cloudflare_api.send("GET", cloud.url + "/zones", headers, None, 5).status == 418
    assert cloudflare_api.send("GET", cloud.url + "/zones", headers, None, 5).status == 200
    cloudflare_api.send("POST", base + "/fail", {}, json.dumps({"entitlement": False}), 5)
    assert not cloud.entitled
    log = cloudflare_api.send("GET", base + "/log", {}, None, 5).text
    assert json.loads(log) == [{"method": "GET", "path": "/zones"}] * 2 and TOKEN not in log
    cloudflare_api.send("DELETE", base + "/log", {}, None, 5)
    assert json.loads(cloudflare_api.send("GET", base + "/log", {}, None, 5).text) == []


# --- odd answers, and what must not get lost -------------------------------------------------------------------------


@pytest.mark.parametrize("has_idna", [True, False])
def test_zone_names_are_answered_in_unicode(
    cloud: CloudflareStandIn, primary: Primary, monkeypatch: pytest.MonkeyPatch, has_idna: bool
) -> None:
    monkeypatch.setattr(names, "HAS_IDNA", has_idna)
    primary.serials["xn--mller-kva.de"] = 5
    what = wanted(primary, "example.com", "xn--mller-kva.de")
    assert set(verdicts(run(cloud, what)).values()) == {"in sync"}
    _status, listed = cloud.answer("GET", "/zones", {}, None, TOKEN)
    assert {zone["name"] for zone in listed["result"]} == {"example.com", "müller.de"}
    again = run(cloud, what)
    assert not cloud.writes() and not again.left and verdicts(again)["xn--mller-kva.de"] == "in sync"
    assert [zone["name"] for zone in again.zones] == ["example.com", "xn--mller-kva.de"]
    assert cloudflare.name_of("MÜLLER.De.") == "xn--mller-kva.de" != cloudflare.name_of("muller.de")


@pytest.mark.parametrize("why", [None, "Zone is locked"])
def test_peers_of_a_zone_that_could_not_be_unlinked_stay(
    cloud: CloudflareStandIn, primary: Primary, why: str | None
) -> None:
    run(cloud, wanted(primary, "example.com"))
    if why:
        cloud.fail(status=400, pattern="PUT .*/incoming", text=envelope(1234, why))
    outcome = run(cloud, wanted(primary), allow_mass_removal=True)
    gone = {"DELETE /accounts/secondary_dns/peers", "DELETE /accounts/secondary_dns/tsigs"}
    assert gone & set(written(cloud)) == (set() if why else gone)
    assert (len(cloud.peers), len(cloud.tsigs)) == ((1, 1) if why else (0, 0))
    told = ["peer %s stays with its TSIG key, because zones are still linked to it: example.com" % PEER]
    assert [text for text in outcome.warnings if "stays" in text] == (told if why else [])
    # The next run ends it.
    run(cloud, wanted(primary), allow_mass_removal=True)
    assert not cloud.peers and not cloud.tsigs


def good(result: Any) -> str:
    return json.dumps({"success": True, "errors": [], "messages": [], "result": result})


@pytest.mark.parametrize("result", [{}, "x", 7, ["x"], [None], [{}], [{"id": 7}], [{"id": ["x"]}], True])
@pytest.mark.parametrize("where", ["GET .*/tsigs$", "GET .*/peers$", "GET /zones$"])
def test_lists_that_are_none(cloud: CloudflareStandIn, primary: Primary, where: str, result: Any) -> None:
    assert peers_listed(api(cloud)) == []
    cloud.fail(status=200, text=good(result), pattern=where)
    error = refused_with(cloud, api(cloud), primary)
    assert error.kind == cloudflare_api.NOT_JSON and "not one of Cloudflare's API" in str(error)


@pytest.mark.parametrize("result", [None, [], "x", {}, {"id": 7}])
@pytest.mark.parametrize("where", ["POST .*/tsigs$", "POST .*/peers$", "POST /zones$", "POST .*/incoming$"])
def test_what_was_created_has_an_id(cloud: CloudflareStandIn, primary: Primary, where: str, result: Any) -> None:
    cloud.fail(status=200, text=good(result), pattern=where, after=True)
    error = refused_with(cloud, api(cloud), primary)
    assert error.kind == cloudflare_api.NOT_JSON and "not one of Cloudflare's API" in str(error)
    assert verdicts(run(cloud, wanted(primary, "example.com"))) == {"example.com": "in sync"}


@pytest.mark.parametrize("result", [[], "x", 7])
def test_an_incoming_configuration_that_is_none(cloud: CloudflareStandIn, primary: Primary, result: Any) -> None:
    run(cloud, wanted(primary, "example.com"))
    cloud.fail(status=200, text=good(result), pattern="GET .*/incoming$")
    assert refused_with(cloud, api(cloud), primary).kind == cloudflare_api.NOT_JSON


def test_deleting_needs_no_result(cloud: CloudflareStandIn, primary: Primary) -> None:
    run(cloud, wanted(primary, "example.com"))
    cloud.fail(status=200, text='{"success": true}', pattern="DELETE", count=9, after=True)
    outcome = run(cloud, wanted(primary, delete_zones=["example.com"]), allow_mass_removal=True)
    assert not outcome.warnings and not (cloud.zones or cloud.peers or cloud.tsigs)
    cloud.failures.clear()
    cloud.fail(status=200, text='{"success": true}', pattern="GET")
    assert refused_with(cloud, api(cloud), primary).kind == cloudflare_api.NOT_JSON


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ([{"code": "1000", "message": "No"}], cloudflare_api.TOKEN),
        ([{"code": ["1000"], "message": "No"}], cloudflare_api.OTHER),
        ([{"code": {}, "message": ["No"], "error_chain": 7}], cloudflare_api.OTHER),
        ([{"code": 1, "error_chain": [{"code": [1]}]}], cloudflare_api.OTHER),
        (7, cloudflare_api.OTHER),
        ({"code": 1000}, cloudflare_api.OTHER),
    ],
)
def test_odd_errors(cloud: CloudflareStandIn, primary: Primary, errors: Any, kind: str) -> None:
    text = json.dumps({"success": False, "errors": errors, "result": None})
    cloud.fail(status=400, text=text, pattern="GET .*/peers", count=3)
    cloud.fail(status=400, text=text, pattern="verify", count=3)
    assert refused_with(cloud, api(cloud), primary).kind == kind


def test_a_retry_after_without_end(cloud: CloudflareStandIn) -> None:
    clock = Clock()
    for digits, waits in (("2", True), ("9" * 400, False), ("9" * 5000, False)):
        cloud.fail(status=429, retry_after=digits)
        if waits:
            assert peers_listed(clock.api(cloud)) == [] and clock.slept == [2.0]
        else:
            with pytest.raises(CloudflareError, match="rate limit .* stays exceeded"):
                peers_listed(clock.api(cloud))
    assert clock.slept == [2.0]


@pytest.mark.parametrize("value", ["soon", [], {}, True, "7.5", -1])
def test_what_is_no_number(cloud: CloudflareStandIn, primary: Primary, value: Any) -> None:
    what = wanted(primary, "example.com")
    run(cloud, what)
    drift_peer(cloud, port=str(primary.port))
    shown = json.loads(json.dumps(next(iter(cloud.incoming.values()))))
    shown.update(auto_refresh_seconds="3600", soa_serial="7")
    cloud.fail(status=200, text=good(shown), pattern="GET .*/incoming$")
    assert verdicts(run(cloud, what)) == {"example.com": "in sync"} and not cloud.writes()
    drift_peer(cloud, port=value or "none")
    seen = run(cloud, what, check_mode=True, wait=0)
    assert seen.plan[0].startswith("change peer")
    drift_peer(cloud, port=primary.port)
    shown.update(soa_serial=value, auto_refresh_seconds=value or "none")
    cloud.fail(status=200, text=good(shown), pattern="GET .*/incoming$")
    seen = run(cloud, what, check_mode=True, wait=0)
    assert seen.plan[0].startswith("change the link") and seen.zones[0]["serial"] in (None, 1)


def test_looking_that_fails_does_not_lose_what_was_done(cloud: CloudflareStandIn, primary: Primary) -> None:
    cloud.fail(status=500, pattern="GET .*/incoming$", count=100)
    outcome = run(cloud, wanted(primary, "example.com"))
    assert outcome.changed and "create zone example.com, type secondary" in outcome.plan
    assert verdicts(outcome) == {"example.com": "not transferred"} and len(outcome.warnings) == 1
    assert "answers HTTP 500" in outcome.warnings[0] and "told as they were before that look" in outcome.warnings[0]
    cloud.failures.clear()
    outcome = run(cloud, wanted(primary, "example.com"))
    assert verdicts(outcome) == {"example.com": "in sync"} and not outcome.warnings


@pytest.mark.parametrize("where", ["PUT .*/peers/", "POST .*/peers$", "POST .*/tsigs$", "POST /zones$"])
def test_a_run_that_ends_half_way_says_what_it_did(cloud: CloudflareStandIn, primary: Primary, where: str) -> None:
    cloud.fail(status=403, pattern=where, text=envelope(10000, "Authentication error"))
    said = module(cloud, primary)
    assert said.failed and "Authentication error" in said.msg
    assert said.changed is (where != "POST .*/tsigs$") and said.plan[0].startswith("create TSIG key")
    done = module(cloud, primary)
    assert not done.failed and done.changed
    cloud.fail(status=403, pattern="GET .*/tsigs$", text=envelope(10000, "Authentication error"))
    said = module(cloud, primary)
    assert said.failed and not getattr(said, "changed", False) and not cloud.writes()


@pytest.mark.parametrize("mask", ["********", "not base64!", None, ""])
def test_a_secret_that_is_masked_counts_as_not_told(cloud: CloudflareStandIn, primary: Primary, mask: Any) -> None:
    what = wanted(primary, "example.com")
    run(cloud, what)
    assert not run(cloud, what).warnings
    drift_key(cloud, secret=mask)
    outcome = run(cloud, what)
    assert not cloud.writes() and not outcome.changed and verdicts(outcome) == {"example.com": "in sync"}
    assert outcome.warnings == [
        "Cloudflare does not tell the secret of TSIG key %s, so a changed one can't be noticed: give a new key another "
        "name" % KEY
    ]


def test_no_time_to_wait_is_one_look(cloud: CloudflareStandIn, primary: Primary) -> None:
    what = wanted(primary, "example.com")
    run(cloud, what)
    primary.serials["example.com"] = 8

    def sleep(_seconds: float) -> None:
        """The transfer is done when the look comes."""
        wait_for(lambda: cloud.zone("example.com").get_soa().serial == 8)

    outcome = run(cloud, what, wait=0, sleep=sleep)
    assert written(cloud) == ["POST /zones/secondary_dns/force_axfr"] and verdicts(outcome) == {
        "example.com": "in sync"
    }
    assert [path.rpartition("/")[2] for _method, path in cloud.log].count("incoming") == 2


def test_a_zone_of_others_that_cannot_be_read(cloud: CloudflareStandIn, primary: Primary) -> None:
    what = wanted(primary, "example.com")
    run(cloud, what)
    id_ = foreign_zone(cloud, "theirs.example", "secondary", foreign_peer(cloud))
    spare = foreign_peer(cloud, "dnsops ns9.example.net 192.0.2.9")
    refusal = {"status": 403, "text": envelope(10000, "Authentication error"), "pattern": "%s/.*incoming$" % id_}
    cloud.fail(**refusal)
    outcome = run(cloud, what)
    assert not cloud.writes() and outcome.left == [] and verdicts(outcome) == {"example.com": "in sync"}
    # It may be linked to any peer.
    assert spare in cloud.peers and len(outcome.warnings) == 1
    assert "the incoming configuration of zone theirs.example" in outcome.warnings[0]
    for change in ({"delete_zones": ["theirs.example"]}, {"keep_zones": ["theirs.example"]}):
        cloud.fail(**refusal)
        with pytest.raises(CloudflareError, match=r"theirs\.example"):
            run(cloud, what._replace(**change))
    cloud.fail(**refusal)
    refused_with(cloud, api(cloud), primary, "example.com", "theirs.example")
    assert not run(cloud, what).warnings and spare not in cloud.peers


def test_the_stand_in_is_quiet_about_clients_that_went_away(
    cloud: CloudflareStandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    before = set(threading.enumerate())

    def done() -> bool:
        return not [each for each in set(threading.enumerate()) - before if "process_request" in each.name]

    cloud.fail(status=200, hang=0.1)
    host, port = cloud.url.split("/")[2].split(":")
    client = socket.create_connection((host, int(port)))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sendall(b"GET /client/v4/zones HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_for(lambda: bool(cloud.log))
    client.close()
    wait_for(done)
    assert capfd.readouterr().err == ""
    # What is wrong with itself is told.
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"POST /_stand_in/fail HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n{")
        client.recv(1)
    wait_for(done)
    assert "JSONDecodeError" in capfd.readouterr().err
