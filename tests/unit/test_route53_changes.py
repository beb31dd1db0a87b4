"""Changes for Route 53: what becomes of a difference, in which order, and what no batch may have."""

from __future__ import annotations

import dns.zone
import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import route53_changes
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.route53_changes import (
    Checker,
    TooLarge,
    characters,
    elements,
    plan,
    wanted,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.route53_records import (
    NS,
    SOA,
    RRset,
    canonical,
    from_record_set,
    name_from_text,
    to_record_set,
)
from hypothesis import given, reject, settings
from hypothesis import strategies as st

APEX = name_from_text("example.com")
HEAD = "@ 3600 SOA ns1 h 1 2 3 4 5\n@ 3600 NS ns1.example.net.\n@ 3600 NS ns2.example.net.\n"


def rrsets(body: str, head: str = HEAD) -> dict:
    zone = dns.zone.from_text("$TTL 3600\n" + head + body, "example.com", relativize=False, check_origin=False)
    found = {}
    for owner, node in zone.nodes.items():
        for each in node.rdatasets:
            rdatas = tuple(sorted(canonical(each.rdtype, rdata.to_digestable()) for rdata in each))
            rrset = RRset(owner.canonicalize().to_wire(), int(each.rdtype), each.ttl, rdatas)
            found[rrset.key] = rrset
    return found


def listed(body: str, *foreign: dict) -> list:
    return [from_record_set(to_record_set(each)) for each in rrsets(body).values()] + [
        from_record_set(each) for each in foreign
    ]


def planned(old: str, new: str, *foreign: dict) -> route53_changes.Plan:
    """The plan, which keeps the rules of Route 53 step by step, and leads to what was wanted."""
    stored = listed(old, *foreign)
    raws = [each.raw for each in stored]
    made = plan(APEX, wanted(APEX, rrsets(new), stored, True), stored, True)
    checker = Checker("example.com.", raws)
    for batch in made.batches + ([made.soa] if made.soa else []):
        assert checker.check(batch) == []
        raws = apply(raws, batch)
    after = [from_record_set(each) for each in raws]
    again = plan(APEX, wanted(APEX, rrsets(new), after, True), after, True)
    assert again.empty
    return made


def apply(record_sets: list, batch: list) -> list:
    present = {(each["Name"], each["Type"], each.get("SetIdentifier")): each for each in record_sets}
    for change in batch:
        each = change["ResourceRecordSet"]
        key = each["Name"], each["Type"], None
        if change["Action"] == "DELETE":
            del present[key]
        else:
            present[key] = each
    return list(present.values())


def short(made: route53_changes.Plan) -> list[str]:
    return [
        "{} {} {}".format(
            each["Action"].lower(),
            each["ResourceRecordSet"]["Name"].replace(".example.com.", "").replace("example.com.", "@"),
            each["ResourceRecordSet"]["Type"],
        )
        for batch in made.batches
        for each in batch
    ]


# --- The difference ---------------------------------------------------------------------------------


def test_nothing_to_do() -> None:
    made = planned("www A 192.0.2.1\n", "WWW A 192.0.2.1\n")
    assert made.empty


def test_added_changed_and_deleted() -> None:
    made = planned(
        "a A 192.0.2.1\nb A 192.0.2.1\nc 60 A 192.0.2.1\n", "b A 192.0.2.2\nc 61 A 192.0.2.1\nd A 192.0.2.1\n"
    )
    assert short(made) == ["upsert b A", "upsert c A", "create d A", "delete a A"]
    assert made.soa == []


def test_soa_is_apart() -> None:
    stored = listed("")
    new = rrsets("www A 192.0.2.1\n")
    new[APEX, SOA] = new[APEX, SOA]._replace(ttl=60)
    made = plan(APEX, wanted(APEX, new, stored, True), stored, True)
    assert short(made) == ["create www A"]
    assert [each["ResourceRecordSet"]["Type"] for each in made.soa] == ["SOA"]
    assert made.soa[0]["Action"] == "UPSERT"


@pytest.mark.parametrize("own", [True, False])
def test_name_servers_at_the_apex(own: bool) -> None:
    stored = listed("")
    new = rrsets("", HEAD + "@ 3600 NS ns3.example.net.\n")
    made = plan(APEX, wanted(APEX, new, stored, own), stored, own)
    assert short(made) == ([] if own else ["upsert @ NS"])


def test_what_is_at_the_apex_of_every_zone_is_never_deleted() -> None:
    stored = listed("www A 192.0.2.1\n")
    made = plan(APEX, {}, stored, False)
    assert short(made) == ["delete www A"]
    assert made.soa == []


def test_a_delete_repeats_what_is_listed() -> None:
    raw = {"Name": "WWW.example.com", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "192.0.2.1"}], "More": 1}
    stored = [*listed(""), from_record_set(raw)]
    (batch,) = plan(APEX, wanted(APEX, rrsets(""), stored, True), stored, True).batches
    assert batch == [{"Action": "DELETE", "ResourceRecordSet": {name: raw[name] for name in raw if name != "More"}}]


def test_what_can_not_be_read_is_replaced() -> None:
    raw = {"Name": "a.example.com.", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "{'Value': '192.0.2.1'}"}]}
    stored = [*listed(""), from_record_set(raw)]
    new = rrsets("a 5 A 192.0.2.1\n")
    assert short(plan(APEX, wanted(APEX, new, stored, True), stored, True)) == ["upsert a A"]


# --- The order --------------------------------------------------------------------------------------


def before(words: list[str], *order: str) -> bool:
    places = [words.index(word) for word in order]
    return places == sorted(places)


def test_targets_come_before_what_points_to_them_and_go_after() -> None:
    body = (
        "a CNAME b\nb CNAME z\nz A 192.0.2.1\nm MX 10 n\nn AAAA 2001:db8::1\n_s SRV 1 2 3 y\ny A 192.0.2.1\n"
        "h HTTPS 1 x\nx A 192.0.2.9\n_n NAPTR 1 1 a x x _t\n_t SRV 1 1 1 z\n"
    )
    orders = [("b", "a"), ("z", "b"), ("n", "m"), ("y", "_s"), ("x", "h"), ("_t", "_n"), ("z", "_t")]
    for made, reverse in ((planned("", body), False), (planned(body, ""), True)):
        names = [word.split()[1] for word in short(made)]
        for order in orders:
            assert before(names, *(order[::-1] if reverse else order)), (order, names)


def test_glue_delegation_and_ds() -> None:
    body = "a NS ns.a\nns.a A 192.0.2.1\na DS 1 13 2 %s\n" % ("ab" * 32)
    made = planned("a TXT x\n", "a TXT x\n" + body)
    assert short(made) == ["create ns.a A", "create a NS", "create a DS"]
    made = planned("a TXT x\n", "0 CNAME a\na TXT x\n" + body)
    assert short(made) == ["create ns.a A", "create a NS", "create a DS", "create 0 CNAME"]
    made = planned("a TXT x\n" + body, "a TXT x\n")
    assert short(made) == ["delete a DS", "delete a NS", "delete ns.a A"]


def test_a_target_below_a_new_delegation_or_wildcard() -> None:
    assert short(planned("", "a CNAME x.sub\nsub NS ns1.example.net.\n")) == ["create sub NS", "create a CNAME"]
    assert short(planned("", "a CNAME x.w\n*.w A 192.0.2.1\n")) == [r"create \052.w A", "create a CNAME"]


def test_targets_of_changed_pointers_come_first() -> None:
    made = planned("@ MX 10 old\nold A 192.0.2.1\n", "@ MX 10 zz\nzz A 192.0.2.2\n")
    assert short(made) == ["create zz A", "upsert @ MX", "delete old A"]


MANY = "".join("n%d TXT %s\n" % (number, "x" * 200) for number in range(400))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("www A 192.0.2.1\nwww AAAA 2001:db8::1\nwww TXT x\n", "www CNAME web\nweb A 192.0.2.1\n"),
        ("www CNAME web\nweb A 192.0.2.1\n", "www A 192.0.2.1\nwww AAAA 2001:db8::1\nwww TXT x\nweb A 192.0.2.1\n"),
    ],
)
def test_a_cname_and_others_change_places_in_one_batch(old: str, new: str) -> None:
    made = planned(old, new + MANY)
    assert len(made.batches) > 2
    owners = [
        {
            (each["Action"], each["ResourceRecordSet"]["Type"])
            for each in batch
            if "www" in each["ResourceRecordSet"]["Name"]
        }
        for batch in made.batches
    ]
    (together,) = [owner for owner in owners if owner]
    assert {action for action, _rdtype in together} == {"CREATE", "DELETE"}
    assert len(together) == 4


def test_a_name_that_is_new_or_vanishes_is_whole_in_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a wildcard, a name that exists only in part has nothing of the types that are not there yet."""
    monkeypatch.setattr(route53_changes, "MAX_ELEMENTS", 3)
    old = "* TXT x\n* A 192.0.2.2\n"
    body = "".join("n%d A 192.0.2.1\nn%d TXT x\n" % (number, number) for number in range(9))
    for made in (planned(old, old + body), planned(old + body, old)):
        assert len(made.batches) == 9
        for batch in made.batches:
            assert len({each["ResourceRecordSet"]["Name"] for each in batch}) == 1


def test_a_circle_and_a_long_chain_end() -> None:
    assert len(short(planned("", "a CNAME b\nb CNAME a\n"))) == 2
    chain = "".join("c%d CNAME c%d\n" % (number, number + 1) for number in range(1500))
    names = [word.split()[1] for word in short(planned("", chain + "c1500 A 192.0.2.1\n"))]
    assert names == ["c%d" % number for number in range(1500, -1, -1)]


# --- Limits -----------------------------------------------------------------------------------------


def test_elements_are_counted_and_upserts_twice() -> None:
    body = "".join("n%d A 192.0.2.1\n" % number for number in range(1001))
    made = planned("", body)
    assert [sum(map(elements, batch)) for batch in made.batches] == [1000, 1]
    made = planned(body, body.replace("192.0.2.1", "192.0.2.2"))
    assert [sum(map(elements, batch)) for batch in made.batches] == [1000, 1000, 2]
    assert [len(batch) for batch in made.batches] == [500, 500, 1]


def test_characters_are_counted_and_upserts_twice() -> None:
    body = "".join("n%d TXT %s\n" % (number, "x" * 198) for number in range(161))
    made = planned("", body)
    assert [sum(map(characters, batch)) for batch in made.batches] == [32000, 200]
    made = planned(body, body.replace("x", "y"))
    assert [sum(map(characters, batch)) for batch in made.batches] == [32000, 32000, 400]


def test_what_must_go_together_and_is_too_much() -> None:
    large = "".join("a TXT %s\n" % (str(number) * 60) for number in range(1000, 1070))
    planned("", large)
    with pytest.raises(TooLarge, match=r"a.example.com. TXT.*33880 characters"):
        planned(large.replace("1000" * 60, "x"), large)


# --- Foreign record sets ----------------------------------------------------------------------------


def alias(name: str, rdtype: str = "A") -> dict:
    return {
        "Name": name,
        "Type": rdtype,
        "AliasTarget": {"DNSName": "lb.example.net.", "HostedZoneId": "Z", "E": False},
    }


def weighted(name: str) -> dict:
    values = [{"Value": "192.0.2.1"}]
    return {"Name": name, "Type": "A", "TTL": 5, "SetIdentifier": "blue", "Weight": 1, "ResourceRecords": values}


def test_foreign_record_sets_stay_and_keep_their_place() -> None:
    made = planned(
        "",
        "app A 192.0.2.5\napp TXT x\nw A 192.0.2.6\nc TXT x\nd CNAME x\nok A 192.0.2.7\n",
        alias("app.example.com."),
        weighted("w.example.com."),
        alias("c.example.com.", "CNAME"),
        alias("d.example.com."),
        alias("alone.example.com."),
    )
    assert sorted(short(made)) == ["create app TXT", "create ok A"]
    assert [str(each).split()[0] for each in made.kept] == [
        "app.example.com.", "w.example.com.", "c.example.com.", "d.example.com.", "alone.example.com."
    ]  # fmt: skip
    shadowed = {(each.owner, each.rdtype) for each in made.shadowed}
    expected = (("app", 1), ("w", 1), ("c", 16), ("d", 5))
    assert shadowed == {(name_from_text("%s.example.com" % name), rdtype) for name, rdtype in expected}


# --- Any difference ---------------------------------------------------------------------------------

_names = st.sampled_from(["a", "b", "c", "d.a", "*", "*.b", "e"])
_records = st.one_of(
    st.tuples(_names, st.sampled_from(["A 192.0.2.1", "A 192.0.2.2", "TXT x", "TXT y", "AAAA 2001:db8::1"])),
    st.tuples(_names, st.builds("{} {}".format, st.sampled_from(["MX 1", "SRV 1 2 3", "CNAME"]), _names)),
    st.tuples(st.sampled_from(["a", "b", "c", "e"]), st.builds("NS {}".format, _names)),
)


def _valid(records: list) -> str:
    """A zone with the records: where a CNAME is, nothing else of that name."""
    alone = {name: data for name, data in records if data.startswith("CNAME")}
    lines = ["%s %s" % each for each in alone.items()]
    lines += ["%s %s" % (name, data) for name, data in records if name not in alone]
    return "".join(line + "\n" for line in sorted(set(lines)))


@settings(max_examples=150, deadline=None)
@given(st.lists(_records, max_size=12), st.lists(_records, max_size=12), st.integers(6, 14))
def test_any_difference_keeps_the_rules_at_every_step(old: list, new: list, limit: int) -> None:
    """planned() checks each step, and that the end is what was wanted; small batches, so that there are many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(route53_changes, "MAX_ELEMENTS", limit)
        try:
            planned(_valid(old), _valid(new))
        except TooLarge:
            reject()  # one name with that many values: not often, or hypothesis complains


# --- What Route 53 checks ---------------------------------------------------------------------------


def change(action: str, name: str, rdtype: str, *values: str, ttl: object = 300) -> dict:
    records = [{"Value": value} for value in values]
    return {
        "Action": action,
        "ResourceRecordSet": {"Name": name, "Type": rdtype, "TTL": ttl, "ResourceRecords": records},
    }


def checker() -> Checker:
    return Checker("example.com.", [each.raw for each in listed("a A 192.0.2.1\nc CNAME a\n")])


GOOD = [
    change("CREATE", "www.example.com.", "A", "192.0.2.1", "192.0.2.2"),
    change("UPSERT", "a.example.com.", "A", "192.0.2.1"),
    change("CREATE", r"\052.example.com.", "TXT", '"x" "y"', r'"caf\303\251"', '"%s"' % ("x" * 255)),
    change("CREATE", "example.com.", "CAA", '0 issue "ca.example.net"'),
    change("CREATE", "h.example.com.", "HTTPS", '1 . alpn="h2,h3" no-default-alpn'),
    change("CREATE", "n.example.com.", "NAPTR", r'1 2 "u" "" "!^(.*)$!\\1!" .'),
    change("UPSERT", "example.com.", "NS", "ns1.example.net."),
    change("UPSERT", "example.com.", "SOA", "a. b. 1 2 3 4 4294967295", ttl=0),
    change("DELETE", "c.example.com.", "CNAME", "a.example.com.", ttl=3600),
]


def test_a_good_batch_of_all_kinds() -> None:
    assert checker().check(GOOD) == []


BAD = [
    (change("CREATE", "b.example.com.", "A", "999.1.1.1"), "IPv4"),
    (change("CREATE", "b.example.com.", "AAAA", "fe80::1%eth0"), "zone"),
    (change("CREATE", "b.example.com.", "AAAA", "192.0.2.1"), "IPv6"),
    (change("CREATE", "b.example.com.", "A", "192.0.2.1", "192.0.2.1"), "twice"),
    (change("CREATE", "b.example.com.", "A"), "no value"),
    (change("CREATE", "b.example.com.", "A", *["10.0.%d.%d" % (n // 250, n % 250) for n in range(401)]), "400"),
    (change("CREATE", "b.example.com.", "A", "192.0.2.1", ttl=None), "TTL"),
    (change("CREATE", "b.example.com.", "A", "192.0.2.1", ttl=2**31), "TTL"),
    (change("CREATE", "b.example.com.", "TXT", '"%s"' % ("x" * 256)), "256 octets"),
    (change("CREATE", "b.example.com.", "TXT", '"%s"' % (r"\303" * 256)), "256 octets"),
    (change("CREATE", "b.example.com.", "TXT", " ".join(['"%s"' % ("x" * 255)] * 16)), "4000"),
    (change("CREATE", "b.example.com.", "TXT", "unquoted"), "form"),
    (change("CREATE", "b.example.com.", "TXT", '"café"'), "form"),
    (change("CREATE", "b.example.com.", "TXT", r'"\195\169"'), "form"),
    (change("CREATE", "b.example.com.", "TXT", '"a" b"'), "form"),
    (change("CREATE", "b.example.com.", "TXT", '"a\tb"'), "form"),
    (change("CREATE", "b.example.com.", "HINFO", '"a" "b"'), "does not store"),
    (change("CREATE", "b.example.com.", "DNAME", "a.example.net."), "does not store"),
    (change("CREATE", "b.example.com.", "MX", "10 mail.example.net"), "form"),
    (change("CREATE", "b.example.com.", "MX", "65536 mail.example.net."), "too large"),
    (change("CREATE", "b.example.com.", "CNAME", "a.example.com.", "b.example.com."), "has one"),
    (change("CREATE", "b.example.com.", "CNAME", "%s.example.com." % ("x" * 64)), "form"),
    (change("CREATE", "b.example.com.", "CNAME", "%s.com." % ".".join(["x" * 60] * 5)), "255"),
    (change("CREATE", "b.example.com.", "DS", "1 2 3 abc"), "form"),
    (change("CREATE", "b.example.com.", "CAA", '256 issue "x"'), "too large"),
    (change("CREATE", "b.example.com.", "SOA", "a. b. 1 2 3 4 5"), "apex"),
    (change("CREATE", "example.com.", "CNAME", "www.example.net."), "apex"),
    (change("CREATE", "c.example.com.", "A", "192.0.2.1"), "CNAME beside"),
    (change("CREATE", "a.example.com.", "CNAME", "b.example.com."), "CNAME beside"),
    (change("CREATE", "a.example.com.", "A", "192.0.2.9"), "exists already"),
    (change("CREATE", "b.example.org.", "A", "192.0.2.1"), "not in the zone"),
    (change("CREATE", "bexample.com.", "A", "192.0.2.1"), "not in the zone"),
    (change("CREATE", "B.example.com.", "A", "192.0.2.1"), "lower case"),
    (change("CREATE", "*.example.com.", "A", "192.0.2.1"), "octal"),
    (change("CREATE", r"\052.example.com.", "NS", "ns1.example.net."), "wildcard"),
    (change("DELETE", "example.com.", "NS", "ns1.example.net.", "ns2.example.net.", ttl=3600), "only be replaced"),
    (change("DELETE", "example.com.", "SOA", "a. b. 1 2 3 4 5", ttl=3600), "only be replaced"),
    (change("DELETE", "zz.example.com.", "A", "192.0.2.1"), "no such"),
    (change("DELETE", "a.example.com.", "A", "192.0.2.1", ttl=1), "not those"),
]


@pytest.mark.parametrize(("bad", "word"), BAD)
def test_a_bad_change(bad: dict, word: str) -> None:
    (sentence,) = checker().check([bad])
    assert word in sentence


def test_a_bad_batch_changes_nothing_and_a_good_one_counts() -> None:
    checks = checker()
    good, bad = change("CREATE", "b.example.com.", "A", "192.0.2.1"), BAD[0][0]
    assert checks.check([good, bad])
    assert checks.check([good]) == []
    assert "exists already" in checks.check([good])[0]
    assert checks.check([]) == ["a batch is empty"]


def test_the_limits_of_a_batch() -> None:
    thousand = [change("CREATE", "n%d.example.com." % number, "A", "192.0.2.1") for number in range(1000)]
    assert checker().check(thousand) == []
    assert "1001 values" in checker().check([*thousand, change("CREATE", "x.example.com.", "A", "192.0.2.1")])[0]
    upserts = [{**each, "Action": "UPSERT"} for each in thousand]
    assert checker().check(upserts[:500]) == []
    assert "1002 values" in checker().check(upserts[:501])[0]
    texts = [change("CREATE", "t%d.example.com." % number, "TXT", '"%s"' % ("x" * 198)) for number in range(161)]
    assert checker().check(texts[:160]) == []
    assert "32200 characters" in checker().check(texts)[0]


def test_apex_name_servers_of_the_transfer_are_not_taken_where_those_of_route53_stay() -> None:
    stored = listed("")
    kept = wanted(APEX, rrsets("", HEAD.replace("example.net", "example.org")), stored, True)
    assert kept[APEX, NS] == next(each.rrset for each in stored if each.rdtype == NS)
