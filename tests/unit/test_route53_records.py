"""Route 53's forms of names and values, with literal examples from its documentation, and dnspython as oracle."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import dns.name
import dns.rdata
import dns.rrset
import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import client, route53_records, wire
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.route53_records import (
    NAMES,
    TYPES,
    Content,
    RRset,
    from_record_set,
    name_from_text,
    name_to_text,
    to_record_set,
    value_from_text,
    value_to_text,
)
from dns_server import DnsServer, axfr_answer
from hypothesis import given
from hypothesis import strategies as st
from route53_lab import KEY, NameServer, zone_text


def wire_of(labels: list[bytes]) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


# --- Names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ([b"www", b"example", b"com"], "www.example.com."),
        ([b"*", b"example", b"com"], r"\052.example.com."),
        ([b"a@b", b"example", b"com"], r"a\100b.example.com."),
        ([b"f\xfcbar", b"example", b"com"], r"f\374bar.example.com."),  # the Developer Guide's own example
        ([b"a.b", b"example", b"com"], r"a\056b.example.com."),
        ([b"0/25", b"2", b"0", b"192", b"in-addr", b"arpa"], r"0\05725.2.0.192.in-addr.arpa."),
        ([b"_dmarc", b"x-1", b"com"], "_dmarc.x-1.com."),
        ([b"back\\slash", b"com"], r"back\134slash.com."),
        ([], "."),
    ],
)
def test_names(labels: list[bytes], text: str) -> None:
    assert name_to_text(wire_of(labels)) == text
    assert name_from_text(text) == wire_of(labels)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("WWW.Example.COM", "www.example.com."),
        ("*.example.com.", r"\052.example.com."),
        ("a@b.example.com.", r"a\100b.example.com."),
        (r"\127ww.example.com.", "www.example.com."),
        (r"a\.b.example.com.", r"a\056b.example.com."),
    ],
)
def test_other_spellings_of_a_name(text: str, same: str) -> None:
    assert name_to_text(name_from_text(text)) == same


@pytest.mark.parametrize("text", ["", "a..b.", r"a\09.b.", r"a\400.b.", r"a\5", "a" * 64 + ".com."])
def test_names_that_are_none(text: str) -> None:
    with pytest.raises(ValueError):
        name_from_text(text)


labels_ = st.lists(st.binary(min_size=1, max_size=63), max_size=3).map(lambda found: [each.lower() for each in found])


@given(labels_)
def test_any_name_comes_back(labels: list[bytes]) -> None:
    text = name_to_text(wire_of(labels))
    assert name_from_text(text) == wire_of(labels)
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.\\")


# --- Values -----------------------------------------------------------------------------------------

# Master file's form, Route 53's form.
VALUES = [
    ("A", "192.0.2.80", "192.0.2.80"),
    ("AAAA", "2001:DB8:0:0::80", "2001:db8::80"),
    ("CAA", '0 ISSUE "Letsencrypt.org; x=\\"y\\""', '0 ISSUE "Letsencrypt.org; x=\\"y\\""'),
    ("CNAME", "WWW.Example.NET.", "www.example.net."),
    ("CNAME", "*.example.net.", r"\052.example.net."),
    ("DS", "12345 13 2 " + "AB" * 32, "12345 13 2 " + "ab" * 32),
    ("HTTPS", "1 . alpn=h2,h3", '1 . alpn="h2,h3"'),
    ("HTTPS", '1 Svc.example.net. alpn="h2" port=8443 ipv4hint=192.0.2.1', None),
    ("MX", "10 Mail.example.net.", "10 mail.example.net."),
    ("NAPTR", '100 10 "u" "E2U+sip" "!^(.*)$!sip:\\\\1@b!" .', '100 10 "u" "E2U+sip" "!^(.*)$!sip:\\\\1@b!" .'),
    ("NS", "ns1.example.net.", "ns1.example.net."),
    ("PTR", "host.example.net.", "host.example.net."),
    ("SOA", "ns1.x.net. host\\.master.x.net. 1 2 3 4 5", "ns1.x.net. host\\056master.x.net. 1 2 3 4 5"),
    ("SPF", '"v=spf1 -all"', '"v=spf1 -all"'),
    ("SRV", "10 20 5060 Sip.example.net.", "10 20 5060 sip.example.net."),
    ("SSHFP", "4 2 " + "CD" * 32, "4 2 " + "cd" * 32),
    ("SVCB", "0 alias.example.net.", "0 alias.example.net."),
    ("TLSA", "3 1 1 " + "EF" * 32, "3 1 1 " + "ef" * 32),
    ("TLSA", "3 0 0 " + "01" * 200, "3 0 0 " + "01" * 200),
    ("TXT", '"caf\\195\\169"', '"caf\\303\\251"'),
    ("TXT", '"a;b" "with \\"quote\\" and \\\\ backslash"', '"a;b" "with \\"quote\\" and \\\\ backslash"'),
    ("TXT", '"" "tab\\009" "del\\127"', '"" "tab\\011" "del\\177"'),
    ("TXT", '"@ * ( ) ; $"', '"@ * ( ) ; $"'),
]


def rdata_of(rdtype: str, text: str) -> bytes:
    rdata = dns.rdata.from_text("IN", rdtype, text, relativize=False).to_wire()
    return route53_records.canonical(TYPES[rdtype], rdata)


@pytest.mark.parametrize(("rdtype", "text", "expected"), VALUES)
def test_values(rdtype: str, text: str, expected: str | None) -> None:
    rdata = rdata_of(rdtype, text)
    value = value_to_text(TYPES[rdtype], rdata)
    if expected is not None:
        assert value == expected
    assert value_from_text(TYPES[rdtype], value) == rdata


def test_every_type_of_route53_has_an_example() -> None:
    assert {rdtype for rdtype, _text, _value in VALUES} == set(TYPES)


@pytest.mark.parametrize(
    ("rdtype", "value", "same"),
    [
        ("MX", "10 Mail.Example.NET", "10 mail.example.net."),
        ("CNAME", "www.example.net", "www.example.net."),
        ("CNAME", "_x.*.example.net", r"_x.\052.example.net."),
        ("TXT", r'"caf\303\251" "\042"', '"caf\\303\\251" "\\""'),
        ("TXT", '  "a"   "b" ', '"a" "b"'),
        ("DS", "12345 13 2 " + "AB" * 32, "12345 13 2 " + "ab" * 32),
        ("AAAA", "2001:0db8:85a3:0:0:8a2e:0370:7334", "2001:db8:85a3::8a2e:370:7334"),
        ("HTTPS", '1 SVC.example.net alpn="h3,h2" port=443', '1 svc.example.net. alpn="h3,h2" port="443"'),
        ("CAA", "0 issue letsencrypt.org", '0 issue "letsencrypt.org"'),
        ("SOA", "ns-1.awsdns-00.com awsdns-hostmaster.amazon.com 1 7200 900 1209600 86400", None),
    ],
)
def test_values_as_real_accounts_have_them(rdtype: str, value: str, same: str | None) -> None:
    text = value_to_text(TYPES[rdtype], value_from_text(TYPES[rdtype], value))
    if same is not None:
        assert text == same


def test_boundaries_of_strings_are_kept() -> None:
    two = value_from_text(TYPES["TXT"], '"ab" "c"')
    assert two == b"\2ab\1c"
    assert two != value_from_text(TYPES["TXT"], '"abc"')


@pytest.mark.parametrize(
    ("rdtype", "value"),
    [("A", "999.1.1.1"), ("TXT", '"%s"' % ("x" * 256)), ("TXT", r'"\999"'), ("SOA", "{'Value': 'ns-1. h. 1 2 3 4 5'}")],
)
def test_values_that_can_not_be_read(rdtype: str, value: str) -> None:
    with pytest.raises(ValueError):
        value_from_text(TYPES[rdtype], value)


@given(st.lists(st.binary(max_size=255), min_size=1, max_size=4))
def test_any_text_comes_back(strings: list[bytes]) -> None:
    rdata = b"".join(bytes([len(string)]) + string for string in strings)
    value = value_to_text(TYPES["TXT"], rdata)
    assert value.isascii() and value.isprintable()
    assert value_from_text(TYPES["TXT"], value) == rdata


@given(labels_, st.sampled_from(["CNAME", "NS", "PTR"]))
def test_any_target_comes_back(labels: list[bytes], rdtype: str) -> None:
    rdata = wire_of(labels)
    assert value_from_text(TYPES[rdtype], value_to_text(TYPES[rdtype], rdata)) == rdata


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60), labels_)
def test_any_naptr_comes_back(flags: bytes, service: bytes, regexp: bytes, labels: list[bytes]) -> None:
    strings = b"".join(bytes([len(each)]) + each for each in (flags, service, regexp))
    rdata = b"\0\1\0\2" + strings + wire_of(labels)
    assert value_from_text(TYPES["NAPTR"], value_to_text(TYPES["NAPTR"], rdata)) == rdata


@given(st.binary(max_size=300))
def test_any_caa_comes_back(value: bytes) -> None:
    rdata = b"\0\5issue" + value
    assert value_from_text(TYPES["CAA"], value_to_text(TYPES["CAA"], rdata)) == rdata


# --- Record sets ------------------------------------------------------------------------------------


def test_a_record_set() -> None:
    rrset = RRset(name_from_text("*.example.com"), TYPES["A"], 300, (b"\xc0\0\2\1", b"\xc0\0\2\2"))
    raw = to_record_set(rrset)
    assert raw == {
        "Name": r"\052.example.com.",
        "Type": "A",
        "TTL": 300,
        "ResourceRecords": [{"Value": "192.0.2.1"}, {"Value": "192.0.2.2"}],
    }
    assert from_record_set(raw).rrset == rrset
    assert from_record_set({**raw, "ResourceRecords": raw["ResourceRecords"][::-1]}).rrset == rrset
    assert from_record_set({**raw, "TTL": 301}).rrset != rrset


PLAIN = {"Name": "a.example.com.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (
            {"AliasTarget": {"DNSName": "lb.example.net."}, "TTL": None, "ResourceRecords": []},
            "alias of lb.example.net",
        ),
        ({"SetIdentifier": "blue", "Weight": 10}, "set identifier blue"),
        ({"TrafficPolicyInstanceId": "x"}, "traffic policy"),
        ({"Type": "NEWTYPE"}, "not known"),
    ],
)
def test_foreign_record_sets(more: dict, word: str) -> None:
    assert from_record_set(PLAIN).foreign is None
    stored = from_record_set({**PLAIN, **more})
    assert stored.rrset is None
    assert word in str(stored)


def test_what_a_transfer_brings() -> None:
    content = Content()
    owner = name_from_text("a.example.com")
    content.add(owner, TYPES["A"], 300, b"\xc0\0\2\2")
    content.add(owner, TYPES["A"], 200, b"\xc0\0\2\1")
    content.add(owner, TYPES["A"], 300, b"\xc0\0\2\1")
    assert content.unsupported() == []
    assert content.rrsets() == {(owner, 1): RRset(owner, 1, 200, (b"\xc0\0\2\1", b"\xc0\0\2\2"))}
    content.add(owner, 13, 300, b"\1a\1b")
    content.add(owner, 65280, 300, b"x")
    assert content.unsupported() == ["HINFO at a.example.com", "TYPE65280 at a.example.com"]
    assert not content.signed()
    content.add(owner, 48, 300, b"x")
    assert content.signed()


# --- From a name server -----------------------------------------------------------------------------


def test_the_sink_gets_each_record_once_and_the_digest_is_the_same() -> None:
    body = "".join(f"h{number} MX 10 Mail{number}.example.com.\n" for number in range(250))
    got: list[tuple[bytes, int, int, bytes]] = []
    with NameServer() as server:
        server.zones["example.com"] = zone_text(body)
        plain = client.transfer("example.com", server.address, server.port, key=KEY)
        kept = client.transfer("example.com", server.address, server.port, key=KEY, sink=lambda *each: got.append(each))
        records = server.records("example.com")
    assert kept[:5] == plain[:5]
    assert len(got) == kept.records == 254
    assert sum(1 for each in got if each[1] == wire.TYPE_SOA) == 1
    digest = wire.ContentDigest()
    for owner, rdtype, ttl, rdata in got:
        digest.add_wire(owner, rdtype, wire.CLASS_IN, ttl, rdata)
    assert digest.hexdigest() == kept.digest
    expected = {
        (rrset.name.canonicalize().to_wire(), int(rrset.rdtype), rrset.ttl, rdata.to_digestable())
        for rrset in records
        for rdata in rrset
    }
    assert set(got) == expected


def test_a_record_of_another_class_goes_to_no_sink() -> None:
    soa = dns.rrset.from_text("example.com.", 60, "IN", "SOA", "a. b. 1 2 3 4 5")
    chaos = dns.rrset.from_text("x.example.com.", 60, "CH", "TXT", '"x"')
    with DnsServer(tcp=lambda query: axfr_answer(query, [soa, chaos])) as server:
        assert client.transfer("example.com", server.address, server.port).records == 2
        with pytest.raises(client.TransferError, match="class 3"):
            client.transfer("example.com", server.address, server.port, sink=lambda *each: None)


@pytest.mark.skipif(not shutil.which("named-compilezone"), reason="named-compilezone is not installed")
def test_named_reads_the_same_values_with_decimal_escapes(tmp_path: Path) -> None:
    """What we'd send, as a master file: the same records as those it was made of."""
    body = "".join(
        f"n{number} {rdtype} {text}\n" for number, (rdtype, text, _value) in enumerate(VALUES) if rdtype != "SOA"
    )
    again = []
    for number, (rdtype, text, _value) in enumerate(VALUES):
        if rdtype != "SOA":
            rrset = RRset(name_from_text(f"n{number}.example.com"), TYPES[rdtype], 3600, (rdata_of(rdtype, text),))
            record_set = to_record_set(rrset)
            value = route53_records._to_decimal(record_set["ResourceRecords"][0]["Value"], "")
            again.append(f"{record_set['Name']} {record_set['Type']} {value}\n")
    assert _compiled(tmp_path, zone_text(body)) == _compiled(tmp_path, zone_text("".join(again)))


def _compiled(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "in").write_text(text)
    command = ["named-compilezone", "-i", "none", "-k", "ignore", "-n", "ignore", "-r", "ignore", "-o"]
    command += [str(tmp_path / "out"), "example.com", str(tmp_path / "in")]
    subprocess.run(command, check=True, capture_output=True)
    lines = []
    for line in (tmp_path / "out").read_text().splitlines():
        owner, ttl, rdclass, rdtype, rest = line.split(None, 4)
        if rdtype not in ("TXT", "SPF", "CAA", "NAPTR"):
            rest = rest.lower()  # named keeps the case in which names were written
        lines.append(f"{owner.lower()} {ttl} {rdclass} {rdtype} {rest}")
    return sorted(lines)


def test_names_and_numbers_of_types_agree() -> None:
    assert {dns.rdatatype.to_text(number): number for number in NAMES} == TYPES
