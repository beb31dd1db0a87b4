"""Syncs from a name server on loopback to moto's Route 53, every batch watched by the strict checker."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import botocore.exceptions
import pytest
import yaml
from ansible.module_utils import basic
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import client, route53
from ansible_collections.dnsops.redundant_dns.plugins.modules import route53_zone
from moto.server import ThreadedMotoServer
from route53_lab import CREDENTIALS, KEY, Lab, NameServer, zone_text

WWW = "www A 192.0.2.80\nwww AAAA 2001:db8::80\n"
HOSTS = "".join("h%d A 192.0.2.%d\n" % (number, number) for number in range(1, 101))


@pytest.fixture(scope="session")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One server and one client for all tests: both take a moment to set up."""
    credentials = tmp_path_factory.mktemp("route53") / "credentials"
    credentials.write_text(CREDENTIALS)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    yield Lab("http://%s:%d" % (host, port), str(credentials))
    server.stop()


@pytest.fixture
def lab(shared_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(route53, "ATTEMPTS", 1)
    with NameServer() as server:
        shared_lab.reset(server)
        yield shared_lab


def verdicts(result: route53.Result) -> list[tuple]:
    return [(row["check"], row["verdict"], row["status"], row["serial"]) for row in result.rows]


GREEN = [("serial", "ok", "in sync", 2026112200), ("content", "ok", "same content", 2026112200)]


def refused(lab: Lab, word: str, others: bool = True, **more: object) -> None:
    """The zone is refused, with that word, and nothing at all was written; another zone goes through."""
    names = ["example.com"] + ["other.example"] * others
    lab.server.zones["other.example"] = zone_text("x A 192.0.2.1\n")
    hosted = [each for each in lab.api.list_hosted_zones()["HostedZones"] if each["Name"] != "other.example."]
    before = {zone["Id"]: lab.stored(zone["Id"]) for zone in hosted}
    for check in (True, False):
        result = lab.sync(*names, check=check, **more)
        (problem,) = result.problems
        assert problem.zone == "example.com"
        assert word in str(problem)
        assert problem.mend
        assert "never-shows" not in repr(result)
        assert [row["verdict"] for row in result.rows[:2]].count("failed") >= 1
        assert result.rows[1]["detail"]
        assert "example.com" not in result.pushed
        assert result.zones[0]["batches"] == 0
    if others:
        assert verdicts(result)[2:] == GREEN
        assert set(result.pushed) == {"other.example"}
    for zone_id, record_sets in before.items():
        assert lab.stored(zone_id) == record_sets


def pushed(lab: Lab, **more: object) -> route53.Result:
    """The positive control: the same is taken."""
    result = lab.sync("example.com", **more)
    assert result.problems == []
    assert result.pushed == {"example.com": result.zones[0]["serial"]}
    assert [row["verdict"] for row in result.rows] == ["ok", "ok"]
    return result


# --- The way it goes --------------------------------------------------------------------------------


def test_a_new_zone_and_nothing_the_second_time(lab: Lab) -> None:
    text = r"""* TXT "caf\195\169" "b"
    a\@b A 192.0.2.1
    x CAA 0 issue "ca.example.net"
    y HTTPS 1 . alpn=h2,h3
    sub NS ns.sub
    ns.sub A 192.0.2.9
    WWW CNAME a.b
    """
    lab.server.zones["example.com"] = zone_text("\n".join(line.strip() for line in text.splitlines()) + "\n" + WWW[:0])
    first = lab.sync()
    assert first.changed and first.problems == []
    assert verdicts(first) == GREEN
    (zone,) = first.zones
    assert (zone["name"], zone["serial"], zone["added"], zone["batches"]) == ("example.com", 2026112200, 8, 2)
    assert len(zone["name_servers"]) == 4 and all("awsdns" in name for name in zone["name_servers"])
    zone_id = zone["id"]
    assert lab.values(zone_id, r"\052.example.com.", "TXT") == [r'"caf\303\251" "b"']
    assert lab.values(zone_id, r"a\100b.example.com.", "A") == ["192.0.2.1"]
    assert lab.values(zone_id, "www.example.com.", "CNAME") == ["a.b.example.com."]
    assert len(lab.values(zone_id, "example.com.", "NS")) == 4
    assert "2026112200" in lab.values(zone_id, "example.com.", "SOA")[0]
    for check in (False, True):
        second = lab.sync(check=check)
        assert not second.changed and lab.sent == [] and second.plan == ""
        assert verdicts(second) == GREEN
        assert second.zones[0]["batches"] == 0


def test_a_change_and_its_plan(lab: Lab) -> None:
    lab.server.zones["example.com"] = zone_text(HOSTS + "old A 192.0.2.1\n", 1000)
    zone_id = pushed(lab).zones[0]["id"]
    lab.server.zones["example.com"] = zone_text(
        HOSTS.replace("192.0.2.7\n", "192.0.2.77\n") + "new A 192.0.2.1\n", 1001
    )
    planned = lab.sync(check=True)
    assert planned.changed and lab.sent == []
    assert planned.plan.splitlines()[0] == "example.com: 1 added, 1 changed, 1 deleted, serial 1001"
    for line in ("- h7.example.com. 3600 A 192.0.2.7", "+ h7.example.com. 3600 A 192.0.2.77"):
        assert line in planned.plan.splitlines()
    for line in ("+ new.example.com. 3600 A 192.0.2.1", "- old.example.com. 3600 A 192.0.2.1"):
        assert line in planned.plan.splitlines()
    assert verdicts(planned) == [("serial", "failed", "behind", 1000), ("content", "failed", "differs", None)]
    assert planned.problems == []
    assert lab.values(zone_id, "new.example.com.", "A") is None
    done = pushed(lab)
    assert done.plan == planned.plan
    assert (done.zones[0]["added"], done.zones[0]["changed"], done.zones[0]["deleted"]) == (1, 1, 1)
    assert lab.values(zone_id, "h7.example.com.", "A") == ["192.0.2.77"]
    assert lab.values(zone_id, "old.example.com.", "A") is None


def test_check_mode_of_a_new_zone_makes_none(lab: Lab) -> None:
    lab.server.zones["example.com"] = zone_text(WWW)
    result = lab.sync(check=True)
    assert result.changed and result.problems == []
    assert result.plan.startswith("example.com: 4 added, 0 changed, 0 deleted, serial 2026112200 (new hosted zone)\n")
    assert {row["status"] for row in result.rows} == {"no hosted zone"}
    assert lab.api.list_hosted_zones()["HostedZones"] == []
    assert result.zones[0]["id"] is None


def test_the_soa_goes_alone_and_last_when_all_else_is_in_sync(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route53.route53_changes, "MAX_ELEMENTS", 60)
    lab.server.zones["example.com"] = zone_text(HOSTS)
    events = []
    monkeypatch.setattr(route53._Api, "in_sync", recorded(events, "look", route53._Api.in_sync))
    monkeypatch.setattr(route53._Api, "send", recorded(events, "send", route53._Api.send))
    result = pushed(lab)
    assert result.zones[0]["batches"] == 3
    types = [{change["ResourceRecordSet"]["Type"] for change in batch} for batch in lab.sent]
    assert types == [{"A"}, {"A"}, {"SOA"}]
    # The change that made the zone, the two batches, the SOA.
    assert events == ["send", "send", "look", "look", "look", "send", "look"]


def recorded(events: list, word: str, function: object) -> object:
    def wrapped(*arguments: object) -> object:
        events.append(word)
        return function(*arguments)

    return wrapped


def test_a_change_that_does_not_get_in_sync(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.server.zones["example.com"] = zone_text(WWW)
    with monkeypatch.context() as patch:
        patch.setattr(route53._Api, "in_sync", lambda self, change_id: False)
        result = lab.sync(wait=0)
    assert "has not got the change to all its servers" in str(result.problems[0])
    assert "SOA" not in {change["ResourceRecordSet"]["Type"] for batch in lab.sent for change in batch}
    assert result.rows[1]["status"] == "not in sync" and result.pushed == {}
    again = pushed(lab)
    assert again.zones[0]["batches"] == 1  # the SOA


def test_it_looks_again_with_pauses_until_it_is_in_sync(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.server.zones["example.com"] = zone_text(WWW)
    answers = [False, False, False, True, True, False, True]
    pauses = []
    monkeypatch.setattr(route53._Api, "in_sync", lambda self, change_id: answers.pop(0))
    zones = [{"name": "example.com"}]
    result = route53.sync(zones, lab.settings, lab.watched, key=KEY, sleep=pauses.append)
    assert result.problems == [] and answers == []
    assert pauses == [0.5, 1.0, 2.0, 0.5]


def test_a_batch_that_fails_in_the_middle_is_finished_by_the_next_run(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route53.route53_changes, "MAX_ELEMENTS", 60)
    lab.server.zones["example.com"] = zone_text(HOSTS)
    lab.server.zones["other.example"] = zone_text(WWW)
    send = route53._Api.send
    calls = []

    def failing(self: object, zone_id: str, batch: list) -> str:
        calls.append(zone_id)
        if len(calls) == 2:
            raise client_error("InternalFailure", "We encountered an internal error")
        return send(self, zone_id, batch)

    with monkeypatch.context() as patch:
        patch.setattr(route53._Api, "send", failing)
        result = lab.sync()
    (problem,) = result.problems
    assert "example.com" in str(problem) and "InternalFailure" in str(problem)
    assert set(result.pushed) == {"other.example"}
    zone_id = result.zones[0]["id"]
    assert result.zones[0]["batches"] == 1
    assert len(lab.stored(zone_id)) == 62
    assert "2026112200" not in str(lab.values(zone_id, "example.com.", "SOA"))
    finished = pushed(lab)
    assert finished.zones[0]["batches"] == 2
    assert len(lab.stored(zone_id)) == 103


def test_what_somebody_else_changed_in_between_is_read_anew(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.server.zones["example.com"] = zone_text("")
    zone_id = pushed(lab).zones[0]["id"]
    lab.server.zones["example.com"] = zone_text("a A 192.0.2.1\n", 2026112201)
    send = route53._Api.send
    records = [{"Value": "192.0.2.9"}]

    def late(self: object, *arguments: object) -> str:
        monkeypatch.setattr(route53._Api, "send", send)
        lab.put(zone_id, Name="a.example.com.", Type="A", TTL=60, ResourceRecords=records)
        with pytest.raises(AssertionError, match="exists already"):  # the watch sees it, too
            send(self, *arguments)
        raise client_error("InvalidChangeBatch", "[Tried to create resource record set but it already exists]")

    monkeypatch.setattr(route53._Api, "send", late)
    pushed(lab)
    assert lab.values(zone_id, "a.example.com.", "A") == ["192.0.2.1"]


def test_a_zone_made_by_moto_has_an_soa_that_can_not_be_read(lab: Lab) -> None:
    """Moto gives it as a stringified dictionary: it is replaced, like all that is unreadable."""
    zone_id = lab.create("example.com")
    lab.server.zones["example.com"] = zone_text(WWW)
    assert pushed(lab).zones[0]["id"] == zone_id


# --- Refusals ---------------------------------------------------------------------------------------


def test_records_that_route53_does_not_store(lab: Lab) -> None:
    lab.server.zones["example.com"] = zone_text('x HINFO "a" "b"\ny DNAME example.net.\n' + WWW)
    refused(lab, "HINFO at x.example.com")
    result = pushed(lab, on_unsupported="warn")
    assert "HINFO at x.example.com" in result.warnings[0] and "DNAME at y.example.com" in result.warnings[0]
    assert "DNAME" in result.rows[1]["detail"]


@pytest.mark.parametrize(
    "record",
    [
        "@ DNSKEY 257 3 13 " + "A" * 88,
        "www RRSIG A 13 2 3600 20300101000000 20250101000000 1 example.com. " + "A" * 88,
        "@ NSEC www.example.com. A NS",
        "@ NSEC3PARAM 1 0 0 -",
    ],
)
def test_a_signed_zone(lab: Lab, record: str) -> None:
    lab.server.zones["example.com"] = zone_text(WWW)
    pushed(lab)
    lab.server.zones["example.com"] = zone_text(WWW + record + "\n")
    refused(lab, "signed", on_unsupported="warn")


def test_an_empty_transfer(lab: Lab) -> None:
    lab.server.zones["example.com"] = zone_text(WWW)
    pushed(lab)
    soa = zone_text("", 2026112201).splitlines()[:2]
    lab.server.zones["example.com"] = "\n".join(soa) + "\n"
    refused(lab, "empty", allow_changes=["example.com"])


def test_a_transfer_of_nothing_but_name_servers(lab: Lab) -> None:
    lab.server.zones["example.com"] = zone_text(WWW)
    pushed(lab)
    lab.server.zones["example.com"] = (
        "\n".join(zone_text("", 2026112201).splitlines()[:2]) + "\n@ NS ns1.example.net.\n"
    )
    refused(lab, "nothing in it but SOA and NS")
    pushed(lab, allow_changes=["Example.com."])


def test_a_shrunken_transfer(lab: Lab) -> None:
    lab.server.zones["example.com"] = zone_text(HOSTS)
    pushed(lab)
    lab.server.zones["example.com"] = zone_text("".join(HOSTS.splitlines(True)[:60]), 2026112201)
    refused(lab, "only 30 % may change")
    pushed(lab, largest_change=50)
    lab.server.zones["example.com"] = zone_text("".join(HOSTS.splitlines(True)[:20]), 2026112202)
    refused(lab, "only 30 % may change")
    pushed(lab, allow_changes=["example.com"])


def test_a_server_that_is_behind(lab: Lab) -> None:
    lab.server.zones["example.com"] = zone_text(WWW, 2026112205)
    pushed(lab)
    lab.server.zones["example.com"] = zone_text(WWW, 2026112204)
    refused(lab, "Route 53 has serial 2026112205")
    pushed(lab, allow_changes=["example.com"])
    lab.server.zones["example.com"] = zone_text(WWW, 2026112206)
    pushed(lab)


def test_a_zone_the_server_does_not_give(lab: Lab) -> None:
    refused(lab, "no transfer: the server answers REFUSED")
    lab.server.zones["example.com"] = zone_text(WWW)
    pushed(lab)


def test_a_wrong_key(lab: Lab) -> None:
    lab.server.zones["example.com"] = zone_text(WWW)
    pushed(lab)
    other = client.TsigKey(KEY.name, KEY.algorithm, "A" * 44)
    lab.server._tcp_answer = wrong_secret(lab)
    result = route53.sync([{"name": "example.com"}], lab.settings, lab.watched, key=other)
    assert "another secret" in str(result.problems[0])
    assert result.rows[1]["status"] == "bad sig"


def wrong_secret(lab: Lab) -> object:
    from dns_server import axfr_answer

    return lambda query: axfr_answer(query, lab.server.records("example.com"), key=lab.server._key)


ALIAS = {
    "AliasTarget": {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": "d.cloudfront.net.", "EvaluateTargetHealth": False}
}
VALUE = {"TTL": 60, "ResourceRecords": [{"Value": "192.0.2.99"}]}


@pytest.mark.parametrize(
    ("foreign", "word"),
    [
        (ALIAS, "an alias of d.cloudfront.net"),
        ({**VALUE, "SetIdentifier": "blue", "Weight": 10}, "routed, set identifier blue"),
        ({**VALUE, "SetIdentifier": "eu", "Region": "eu-central-1"}, "routed, set identifier eu"),
    ],
)
@pytest.mark.parametrize("name", ["www", "alone"])
def test_foreign_record_sets(lab: Lab, foreign: dict, word: str, name: str) -> None:
    lab.server.zones["example.com"] = zone_text("")
    zone_id = pushed(lab).zones[0]["id"]
    lab.put(zone_id, Name="%s.example.com." % name, Type="A", **foreign)
    before = [each for each in lab.stored(zone_id) if each["Name"].startswith(name)]
    lab.server.zones["example.com"] = zone_text(WWW, 2026112201)
    refused(lab, "%s.example.com. A (%s" % (name, word))
    result = pushed(lab, keep_foreign=True)
    after = [each for each in lab.stored(zone_id) if each["Name"].startswith(name) and each["Type"] == "A"]
    assert after == before
    assert lab.values(zone_id, "www.example.com.", "AAAA") == ["2001:db8::80"]
    assert ("not pushed" in str(result.warnings)) == (name == "www")
    assert not lab.sync("example.com", keep_foreign=True).changed


def test_two_hosted_zones_of_one_name(lab: Lab) -> None:
    lab.server.zones["example.com"] = zone_text(WWW)
    first = lab.create("example.com")
    pushed(lab)
    second = lab.create("example.com")
    refused(lab, ", ".join(sorted((first, second))))
    assert pushed(lab, ids={"example.com": second}).zones[0]["id"] == second
    assert pushed(lab, ids={"example.com": "/hostedzone/" + second}).zones[0]["id"] == second


def test_hosted_zones_that_are_not_pushed_to_any_more(lab: Lab) -> None:
    lab.server.zones = {"stays.test": zone_text(""), "leaves.test": zone_text("")}
    assert not lab.sync().problems
    lab.create("foreign.test")

    def told(*names: str, owner: str = "dnsops") -> list[str]:
        settings = lab.settings._replace(owner=owner)
        return route53.left_behind([{"name": name} for name in names], settings, lab.api)

    assert told("stays.test", "leaves.test") == []
    (sentence,) = told("stays.test")
    assert re.fullmatch("the hosted zone [A-Z0-9]+ of leaves.test is not pushed to any more, .*", sentence)
    # Those of another account of the inventory are its own business.
    assert told("stays.test", owner="another") == []


def test_a_zone_listed_twice_is_not_created_twice(lab: Lab) -> None:
    lab.server.zones = {"example.com": zone_text("")}
    with pytest.raises(ValueError, match=r"zones has a zone twice: example\.com"):
        lab.sync("example.com", "Example.COM.")
    assert not lab.api.list_hosted_zones()["HostedZones"]
    assert lab.sync("Example.COM.").pushed == {"example.com": 2026112200}


def test_a_foreign_change_while_it_waits_is_told_for_that_zone_alone(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.server.zones = {"one.test": zone_text(""), "two.test": zone_text("")}
    plan = route53.route53_changes.plan
    calls: list[bytes] = []
    one = b"\3one\4test\0"

    def planned(apex: bytes, *arguments: object) -> object:
        calls.append(apex)
        # Before and after the hosted zone is made; and when it looks again.
        if apex == one and calls.count(one) == 3:
            raise route53.route53_changes.TooLarge("so large")
        return plan(apex, *arguments)

    monkeypatch.setattr(route53.route53_changes, "plan", planned)
    result = lab.sync()
    assert [(problem.zone, problem.reason) for problem in result.problems] == [("one.test", "so large")]
    assert list(result.pushed) == ["two.test"]


def test_a_private_hosted_zone_is_none(lab: Lab) -> None:
    private = lab.create("example.com", private=True)
    lab.server.zones["example.com"] = zone_text(WWW)
    refused(lab, "private", ids={"example.com": private})
    assert pushed(lab).zones[0]["id"] != private


def test_an_id_of_another_name_or_of_nothing(lab: Lab) -> None:
    other = lab.create("example.net")
    own = lab.create("example.com")
    lab.server.zones["example.com"] = zone_text(WWW)
    refused(lab, "the hosted zone %s is of example.net" % other, ids={"example.com": other})
    refused(lab, "no hosted zone of the id Z0NOTHING", ids={"example.com": "Z0NOTHING"})
    pushed(lab, ids={"example.com": own})


def test_no_hosted_zone_and_none_to_be_made(lab: Lab) -> None:
    lab.server.zones["example.com"] = zone_text(WWW)
    lab.create("other.example")
    refused(lab, "there is no public hosted zone", create=False)
    pushed(lab)
    pushed(lab, create=False)


def test_mirrored_name_servers(lab: Lab) -> None:
    zone_id = lab.create("example.com")
    lab.server.zones["example.com"] = zone_text(WWW)
    names = lab.api.get_hosted_zone(Id=zone_id)["DelegationSet"]["NameServers"]
    refused(lab, names[0], others=False, apex_ns="mirror")
    lab.server.zones["example.com"] = zone_text(WWW + "".join("@ NS %s.\n" % name for name in names[:3]))
    refused(lab, names[3], others=False, apex_ns="mirror")
    assert len(lab.values(zone_id, "example.com.", "NS")) == 4
    lab.server.zones["example.com"] = zone_text(WWW + "".join("@ NS %s.\n" % name for name in names))
    pushed(lab, apex_ns="mirror")
    assert len(lab.values(zone_id, "example.com.", "NS")) == 6
    assert not lab.sync("example.com", apex_ns="mirror").changed


def test_what_route53_would_not_take_is_told_before_a_hosted_zone_is_made(lab: Lab) -> None:
    lab.server.zones["example.com"] = zone_text("big TXT " + " ".join(['"%s"' % ("x" * 255)] * 16) + "\n")
    refused(lab, "4000 is the limit")
    assert [zone["Name"] for zone in lab.api.list_hosted_zones()["HostedZones"]] == ["other.example."]
    lab.server.zones["example.com"] = zone_text("big TXT " + " ".join(['"%s"' % ("x" * 255)] * 15) + "\n")
    pushed(lab)


def test_a_reusable_delegation_set(lab: Lab) -> None:
    answer = lab.api.create_reusable_delegation_set(CallerReference="x")["DelegationSet"]
    lab.server.zones["example.com"] = zone_text(WWW)
    result = pushed(lab, delegation_set_id=answer["Id"])
    assert result.zones[0]["name_servers"] == answer["NameServers"]


# --- The account and the way to it ------------------------------------------------------------------


def client_error(code: str, message: str, operation: str = "ChangeResourceRecordSets") -> Exception:
    return botocore.exceptions.ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("AccessDenied", "route53:ChangeResourceRecordSets"),
        ("InvalidClientTokenId", "does not know the credentials"),
        ("SignatureDoesNotMatch", "secret access key"),
        ("ExpiredToken", "expired"),
        ("RequestExpired", "clock"),
        ("Throttling", "rate"),
        ("PriorRequestNotComplete", "earlier change"),
        ("InvalidInput", "an access key id"),
        ("InvalidChangeBatch", "InvalidChangeBatch"),
    ],
)
def test_what_the_api_refuses(lab: Lab, monkeypatch: pytest.MonkeyPatch, code: str, word: str) -> None:
    lab.server.zones["example.com"] = zone_text(WWW)
    secret = "Credential=AKIAEXAMPLEEXAMPLE00/20261122 is bad"

    def failing(*_arguments: object) -> str:
        raise client_error(code, secret)

    with monkeypatch.context() as patch:
        patch.setattr(route53._Api, "send", failing)
        result = lab.sync()
    (problem,) = result.problems
    assert problem.zone == "example.com" and word in str(problem) and problem.mend
    assert "AKIAEXAMPLE" not in repr(result)
    pushed(lab)


def test_an_account_error_is_met_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        lab.server.zones["z%d.example" % number] = zone_text(WWW)
    calls = []

    def failing(self: object, owner: bytes) -> list:
        calls.append(owner)
        raise client_error("InvalidClientTokenId", "x", "ListHostedZones")

    with monkeypatch.context() as patch:
        patch.setattr(route53._Api, "public_zones", failing)
        result = lab.sync()
    assert len(calls) == 1
    assert [problem.zone for problem in result.problems] == list(lab.server.zones)
    assert lab.sync().problems == []


def test_nobody_answers_at_the_endpoint(lab: Lab) -> None:
    lab.server.zones["example.com"] = zone_text(WWW)
    pushed(lab)
    api = route53.connect(lab.settings._replace(endpoint_url="http://127.0.0.1:1"))
    result = route53.sync([{"name": "example.com"}], lab.settings, api, key=KEY)
    assert "no connection to 127.0.0.1 (EndpointConnectionError)" in str(result.problems[0])


def test_no_credentials(lab: Lab, tmp_path: Path) -> None:
    lab.server.zones["example.com"] = zone_text(WWW)
    (tmp_path / "empty").write_text("")
    api = route53.connect(lab.settings._replace(credentials_file=str(tmp_path / "empty")))
    result = route53.sync([{"name": "example.com"}], lab.settings, api, key=KEY)
    assert "there are no AWS credentials" in str(result.problems[0])
    (tmp_path / "half").write_text("[default]\naws_access_key_id = AKIAEXAMPLEEXAMPLE00\n")
    with pytest.raises(route53.InputError, match="aws_secret_access_key is missing") as error:
        route53.connect(lab.settings._replace(credentials_file=str(tmp_path / "half")))
    assert "AKIAEXAMPLE" not in str(error.value)
    pushed(lab)


def test_settings_that_boto3_can_not_be_set_up_with(lab: Lab, tmp_path: Path) -> None:
    route53.connect(lab.settings)
    (tmp_path / "broken").write_text("no section\n")
    for change, word in (
        ({"credentials_file": str(tmp_path / "missing")}, "No such file"),
        ({"credentials_file": str(tmp_path / "broken")}, "Unable to parse"),
        ({"endpoint_url": "no url"}, "boto3 can't be set up"),
    ):
        with pytest.raises(route53.InputError, match=word):
            route53.connect(lab.settings._replace(**change))


# --- The module -------------------------------------------------------------------------------------


def run_module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, **arguments: object) -> dict:
    text = json.dumps({"ANSIBLE_MODULE_ARGS": arguments})
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", text.encode())
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    with pytest.raises(SystemExit):
        route53_zone.main()
    return json.loads(capsys.readouterr().out)


def test_the_module(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "key").write_text(
        'key "verify.example.net" { algorithm hmac-sha256; secret "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="; };'
    )
    lab.server.zones["example.com"] = zone_text(WWW)
    arguments = {
        "zones": [{"name": "example.com"}],
        "address": lab.server.address,
        "port": lab.server.port,
        "key_file": str(tmp_path / "key"),
        "credentials_file": lab.settings.credentials_file,
        "endpoint_url": lab.settings.endpoint_url,
    }
    planned = run_module(monkeypatch, capsys, _ansible_check_mode=True, _ansible_diff=True, **arguments)
    assert planned["changed"] and "failed" not in planned
    assert "+ www.example.com. 3600 A 192.0.2.80" in planned["diff"]["prepared"]
    done = run_module(monkeypatch, capsys, **arguments)
    assert done["changed"] and {row["verdict"] for row in done["rows"]} == {"ok"}
    again = run_module(monkeypatch, capsys, **arguments)
    assert not again["changed"] and again["zones"][0]["serial"] == 2026112200
    lab.server.zones["example.com"] = zone_text('x HINFO "a" "b"\n')
    failed = run_module(monkeypatch, capsys, **arguments)
    assert failed["failed"] and failed["msg"].startswith("zone example.com: Route 53 does not store HINFO")
    assert not run_module(monkeypatch, capsys, strict=False, **arguments).get("failed")
    (tmp_path / "key").write_text("nonsense")
    failed = run_module(monkeypatch, capsys, **arguments)
    assert str(tmp_path / "key") in failed["msg"] and "\n" not in failed["msg"]


# What the program has in other ways, or no use for.
OF_THE_MODULE = {"zones", "strict", "keep_zones", "lock_directory"}


def test_the_documentation_the_arguments_and_the_settings_agree() -> None:
    documented = yaml.safe_load(route53_zone.DOCUMENTATION)["options"]
    assert set(documented) == set(route53_zone.ARGUMENTS) == set(route53.Settings._fields) | OF_THE_MODULE
    for name, argument in route53_zone.ARGUMENTS.items():
        assert documented[name].get("default") == argument.get("default")
        assert documented[name].get("choices") == argument.get("choices")
        default = route53.Settings._field_defaults.get(name)
        if name in route53.Settings._field_defaults:
            assert argument.get("default") == (list(default) if isinstance(default, tuple) else default)
