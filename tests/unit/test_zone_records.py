# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records in YAML: the text made of them against named's tools and dnspython, and what is refused in which words."""

from __future__ import annotations

import datetime
import shutil
import subprocess
from pathlib import Path
from typing import Any

import dns.rdatatype
import dns.zone
import pytest
import yaml
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import names, zone_records, zone_text
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.names import to_ascii
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_records import (
    Defaults,
    Records,
    check_defaults,
    make_text,
    read_records_file,
    zone_from_records,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_text import ZoneText, read_zone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

ZONE = "example.org"
FILE = "zones/example.org.yml"
DEFAULTS = Defaults(3600, {}, None, None)
SERVERS = ("ns1.example.net", "ns2.example.net")
HEAD = f"zone {ZONE}, dns_zones: "

needs_named = pytest.mark.skipif(not shutil.which("named-compilezone"), reason="needs named-compilezone")
needs_idna = pytest.mark.skipif(not names.HAS_IDNA, reason="needs idna")
# Processes and other users of the machine take what time they take.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


def inline(*records: Any, **others: Any) -> Records:
    return Records("dns_zones", list(records), **others)


def record(name: Any, rdtype: Any, *values: Any, **others: Any) -> dict[str, Any]:
    data = {"value": values[0]} if len(values) == 1 else {"values": list(values)}
    return {"name": name, "type": rdtype, **data, **others}


def lines(content: Records, zone: str = ZONE, defaults: Defaults = DEFAULTS) -> list[str]:
    """The records of the made text without what is the same in all, blanks made one."""
    zone_from_records(zone, content, defaults, SERVERS)
    text = make_text(zone, content, defaults, SERVERS).text
    return [" ".join(line.split()) for line in text.splitlines()[5:]]


def read(*records: Any, zone: str = ZONE, **others: Any) -> ZoneText:
    return zone_from_records(zone, inline(*records, **others), DEFAULTS, SERVERS)


def problems(content: Records, zone: str = ZONE, servers: tuple[str, ...] = SERVERS) -> list[str]:
    with pytest.raises(InputError) as error:
        zone_from_records(zone, content, DEFAULTS, servers)
    return str(error.value).split("\n")


def problem(*records: Any, zone: str = ZONE, **others: Any) -> str:
    """The only problem, without the place that is the same in all."""
    (found,) = problems(inline(*records, **others), zone)
    head = f"zone {zone}, dns_zones: "
    assert found.startswith(head)
    return found[len(head) :]


def file_problems(text: str) -> list[str]:
    with pytest.raises(InputError) as error:
        zone_from_records(ZONE, read_records_file(ZONE, text, FILE)[1], DEFAULTS, SERVERS)
    return str(error.value).split("\n")


WWW = record("www", "A", "192.0.2.80")

BROAD = """\
ttl: 2h
soa: {mname: ns1.example.net, rname: first.last@example.net, serial: 2026010100, refresh: 1d, ttl: 300}
records:
  - {name: "@", type: NS, ttl: 86400, values: [ns1.example.net., ns]}
  - {name: ns, type: A, value: 192.0.2.53}
  - {name: ns.example.org., type: aaaa, value: "2001:db8::53"}
  - {name: example.org, type: MX, values: [10 mail, 20 mail.example.net.]}
  - {name: "mail", type: A, ttl: 300, values: [192.0.2.25, 192.0.2.26]}
  - {name: "*.wild", type: CNAME, value: "@"}
  - {name: WWW, type: CNAME, value: mail}
  - {name: "@", type: TXT, values: [v=spf1 mx -all, '"v=x; two" "strings"']}
  - {name: sel._domainkey, type: TXT, value: 'v=DKIM1; k="rsa"; p=\\a'}
  - {name: _sip._tcp, type: SRV, value: 0 5 5060 mail}
  - {name: "@", type: CAA, value: 0 issue "ca.example.net; validationmethods=dns-01"}
  - {name: naptr, type: NAPTR, value: 100 10 "u" "sip+E2U" "!^.*$!sip:info@example.org!" .}
  - {name: mail, type: SSHFP, value: 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789}
  - {name: _443._tcp.mail, type: TLSA, value: 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}
  - {name: child, type: NS, values: [ns.child, ns1.example.net.]}
  - {name: ns.child, type: A, value: 192.0.2.99}
  - {name: child, type: DS, value: 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}
  - {name: odd, type: TYPE65534, value: '\\# 2 abcd'}
  - {name: odd, type: TYPE16, value: '\\# 3 02 6869'}
  - {name: 'a\\.b', type: TXT, value: dot in a label}
  - {name: "$x", type: TXT, value: dollar}
"""

BROAD_ZONE = """\
$TTL 7200
@ 300 IN SOA ns1.example.net. first\\.last.example.net. 1 86400 600 1209600 3600
@ 86400 IN NS ns1.example.net.
@ 86400 IN NS ns.example.org.
ns A 192.0.2.53
   AAAA 2001:db8:0::53
@ MX 10 mail.example.org.
@ MX 20 mail.example.net.
mail 300 A 192.0.2.25
mail 300 A 192.0.2.26
*.wild CNAME example.org.
www CNAME mail.example.org.
@ TXT "v=spf1 mx -all"
@ TXT "v=x\\; two" strings
sel._domainkey TXT "v=DKIM1\\; k=\\"rsa\\"; p=\\\\a"
_sip._tcp SRV 0 5 5060 mail.example.org.
@ CAA 0 issue "ca.example.net\\; validationmethods=dns-01"
naptr NAPTR 100 10 u "sip+E2U" "!^.*$!sip:info@example.org!" .
mail SSHFP 4 2 ( 123456789abcdef67890123456789abcdef67890123456789abcdef123456789 )
_443._tcp.mail TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
child NS ns.child.example.org.
child NS ns1.example.net.
ns.child A 192.0.2.99
child DS 12345 13 2 0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef
odd TYPE65534 \\# 2 abcd
odd TXT hi
a\\.b TXT "dot in a label"
\\$x TXT dollar
"""


# --- The text --------------------------------------------------------------------------------------


def test_the_text_is_readable_and_says_what_it_was_made_of() -> None:
    content = Records(
        "zones/example.org.yml", [record("@", "MX", "10 mail.example.org."), record("www", "A", "192.0.2.80", ttl=300)]
    )
    text = make_text(ZONE, content, DEFAULTS, SERVERS).text
    assert text == (
        "; Made from zones/example.org.yml by dnsops.redundant_dns\n"
        "$TTL 3600\n"
        "@       SOA ns1.example.net. hostmaster.example.org. 1 3600 600 1209600 3600 "
        "; serial refresh retry expire minimum\n"
        "@       NS  ns1.example.net. ; from the inventory: serves the zone\n"
        "@       NS  ns2.example.net. ; from the inventory: serves the zone\n"
        "@       MX  10 mail.example.org.\n"
        "www 300 A   192.0.2.80\n"
    )


def test_a_broad_zone_is_the_one_written_by_hand() -> None:
    others, content = read_records_file(ZONE, BROAD, FILE)
    made = zone_from_records(ZONE, content, DEFAULTS, ())
    by_hand = read_zone(ZONE, BROAD_ZONE, "by hand")
    assert others == {}
    assert (made.digest, made.records, made.soa) == (by_hand.digest, by_hand.records, by_hand.soa)
    assert made.serial == 2026010100
    assert (
        made.before + "1" + made.after
        == make_text(ZONE, content._replace(soa={**content.soa, "serial": 1}), DEFAULTS, ()).text
    )


@needs_named
def test_a_broad_zone_is_good_for_named(tmp_path: Path) -> None:
    text = make_text(ZONE, read_records_file(ZONE, BROAD, FILE)[1], DEFAULTS, ()).text
    (tmp_path / "made").write_text(text)
    (tmp_path / "by_hand").write_text(BROAD_ZONE)
    check = ["named-checkzone", "-i", "local", "-k", "fail", "-q", ZONE]
    assert subprocess.run([*check, "made"], cwd=tmp_path, check=False).returncode == 0
    compiled = []
    for name in ("made", "by_hand"):
        subprocess.run(
            ["named-compilezone", "-q", "-i", "local", "-o", f"{name}.out", ZONE, name], cwd=tmp_path, check=True
        )
        compiled.append((tmp_path / f"{name}.out").read_text().replace(" 2026010100 ", " 1 "))
    assert compiled[0].replace("WWW", "www") == compiled[1]


def test_soa_and_ns_come_first_and_the_others_as_written() -> None:
    content = inline(WWW, record("@", "ns", "ns.example.com."), record("@", "TXT", "z"), record("a", "TXT", "y"))
    text = make_text(ZONE, content, DEFAULTS, SERVERS).text
    assert [line.split()[:2] for line in text.splitlines()[2:]] == [
        ["@", "SOA"],
        ["@", "NS"],
        ["www", "A"],
        ["@", "TXT"],
        ["a", "TXT"],
    ]
    assert zone_from_records(ZONE, content, DEFAULTS, SERVERS).name_servers == ("ns.example.com",)


def test_a_zone_without_records_of_its_own_has_soa_and_ns() -> None:
    made = read()
    assert (made.records, made.name_servers, made.soa.mname) == (3, SERVERS, SERVERS[0])
    assert "it has no records." in problems(Records("dns_zones", None))[0]


def test_the_serial_is_1_where_none_is_written() -> None:
    assert read(WWW).serial == 1
    assert read(WWW, soa={"serial": 7}).serial == 7
    assert read(WWW, soa={"serial": "2026010100"}).serial == 2026010100


def test_what_the_zone_says_goes_before_what_the_site_says_before_the_built_in() -> None:
    site = Defaults("1d", {"refresh": "2h", "retry": 5}, "mname.example.net", "dns.admin@example.net")
    zone = {"refresh": 7, "rname": "own.example.com."}
    soa = zone_from_records(ZONE, inline(WWW, soa=zone), site, SERVERS).soa
    assert soa == zone_text.Soa("mname.example.net", "own.example.com", 7, 5, 1209600, 3600, 86400)
    soa = zone_from_records(ZONE, inline(WWW, ttl=60), site, SERVERS).soa
    assert (soa.rname, soa.refresh, soa.ttl) == ("dns\\.admin.example.net", 7200, 60)


def test_without_visible_servers_the_first_ns_is_the_mname() -> None:
    content = inline(record("@", "NS", "ns.example.com.", "ns"), record("ns", "A", "192.0.2.1"))
    assert zone_from_records(ZONE, content, DEFAULTS, ()).soa.mname == "ns.example.com"


@pytest.mark.parametrize(
    ("written", "rname"),
    [
        ("hostmaster@example.net", "hostmaster.example.net"),
        ("first.last@example.net.", "first\\.last.example.net"),
        ("hostmaster.example.net", "hostmaster.example.net"),
        ("first\\.last.example.net.", "first\\.last.example.net"),
        ("semi;colon@example.net", "semi\\;colon.example.net"),
        ("a\\@b.example.net", "a\\@b.example.net"),
        pytest.param("info@bücher.example", "info.xn--bcher-kva.example", marks=needs_idna),
    ],
)
def test_mail_addresses_become_domain_names(written: str, rname: str) -> None:
    assert read(WWW, soa={"rname": written}).soa.rname == rname


# --- Owners ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("@", "@"),
        ("example.org", "@"),
        ("EXAMPLE.org.", "@"),
        ("www", "www"),
        ("www.example.org.", "www"),
        ("a.b.Example.ORG.", "a.b"),
        ("notexample.org", "notexample.org"),
        ("_dmarc", "_dmarc"),
        ("*", "*"),
        ("semi\\;colon", "semi\\;colon"),
        ("semi;colon", "semi\\;colon"),
    ],
)
def test_owners(name: str, owner: str) -> None:
    assert lines(inline(record(name, "TXT", "x"))) == [f'{owner} TXT "x"']


@needs_idna
def test_names_in_unicode_become_a_labels() -> None:
    assert to_ascii("_25.Bücher.example.") == "_25.xn--bcher-kva.example."
    assert to_ascii("bu\u0308cher") == "xn--bcher-kva"
    assert to_ascii("faß") == "xn--fa-hia"  # IDNA 2003 made fass of it
    content = inline(record("bücher", "A", "192.0.2.1"), record("@", "MX", "10 bücher", "20 mail.bücher.example."))
    assert lines(content) == [
        "xn--bcher-kva A 192.0.2.1 ; bücher",
        "@ MX 10 xn--bcher-kva",
        "@ MX 20 mail.xn--bcher-kva.example.",
    ]
    with pytest.raises(ValueError, match="☃"):
        to_ascii("☃.example")


def test_names_in_unicode_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "HAS_IDNA", False)
    zone_records._name.cache_clear()
    assert "write its A-labels (xn--...) or install the Python package idna on the controller" in problem(
        record("möbel", "A", "192.0.2.1")
    )


@pytest.mark.parametrize(
    ("zone", "name", "owner"),
    [
        ("2.0.192.in-addr.arpa", "192.0.2.10", "10"),
        ("2.0.192.in-addr.arpa", "10", "10"),
        ("0.192.in-addr.arpa", "192.0.2.10", "10.2"),
        ("10.2.0.192.in-addr.arpa", "192.0.2.10", "@"),
        ("0/25.2.0.192.in-addr.arpa", "192.0.2.10", "10"),
        ("128/26.2.0.192.in-addr.arpa", "192.0.2.191", "191"),
        ("8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8::10", "0.1" + ".0" * 22),
        ("8.b.d.0.1.0.0.2.ip6.arpa", "1.2.3.4", "1.2.3.4"),
        ("8.b.d.0.1.0.0.2.ip6.arpa", "f.f", "f.f"),
    ],
)
def test_addresses_in_reverse_zones(zone: str, name: str, owner: str) -> None:
    content = inline(record(name, "PTR", "www.example.net."), soa={"rname": "hostmaster@example.net"})
    assert lines(content, zone) == [f"{owner} PTR www.example.net."]


@pytest.mark.parametrize(
    ("zone", "name", "message"),
    [
        ("2.0.192.in-addr.arpa", "192.0.3.10", "the address 192.0.3.10 is not in this zone: its name is 10.3.0.192"),
        ("2.0.192.in-addr.arpa", "2001:db8::1", "the address 2001:db8::1 is not in this zone"),
        ("0/25.2.0.192.in-addr.arpa", "192.0.2.130", "the address 192.0.2.130 is not in this zone"),
        ("0/25.2.0.192.in-addr.arpa", "192.0.3.10", "the address 192.0.3.10 is not in this zone"),
        ("5/25.2.0.192.in-addr.arpa", "192.0.2.10", "the address 192.0.2.10 is not in this zone"),
        ("2.0.192.in-addr.arpa", "192.0.2.256", "name 192.0.2.256 is not an IP address"),
        ("2.0.192.in-addr.arpa", 10, 'YAML reads 10 as a number. Put it in quotes, as in  name: "10".'),
        ("2.0.192.in-addr.arpa", "10.2.0.192.in-addr.arpa", "Write `10` or `10.2.0.192.in-addr.arpa.`."),
    ],
)
def test_owners_refused_in_reverse_zones(zone: str, name: Any, message: str) -> None:
    soa = {"rname": "hostmaster@example.net"}
    assert message in problem(record(name, "PTR", "www.example.net."), zone=zone, soa=soa)


def test_a_zone_whose_name_can_not_be_in_a_mail_address_needs_a_hostmaster() -> None:
    zone = "0/25.2.0.192.in-addr.arpa"
    assert "Set dns_hostmaster: hostmaster@example.net" in problem(zone=zone)
    zone_from_records(zone, inline(), DEFAULTS._replace(hostmaster="hostmaster@example.net"), SERVERS)


# --- Data ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "strings"),
    [
        ("v=DMARC1; p=none", [b"v=DMARC1; p=none"]),
        ('say "hi" \\ no', [b'say "hi" \\ no']),
        ("ü", "ü".encode()),
        (" x ", [b" x "]),
        ("\\# 3 026869", [b"\\# 3 026869"]),
        ("a" * 256, [b"a" * 255, b"a"]),
        ("ü" * 128, [("ü" * 128).encode()[:255], ("ü" * 128).encode()[255:]]),
        ('"one" "t;wo"', [b"one", b"t;wo"]),
        ('""', [b""]),
        ("line\nbreak\t\0\x7f", [b"line\nbreak\t\0\x7f"]),
    ],
)
def test_txt(value: str, strings: Any) -> None:
    strings = [strings] if isinstance(strings, bytes) else strings
    assert txt_strings(value) == strings


def txt_strings(value: str) -> list[bytes]:
    """What dnspython's own reader of master files finds in the made text."""
    content = inline(record("@", "TXT", value))
    zone_from_records(ZONE, content, DEFAULTS, SERVERS)
    text = make_text(ZONE, content, DEFAULTS, SERVERS).text
    (rdata,) = dns.zone.from_text(text, ZONE, relativize=False).find_rdataset(f"{ZONE}.", dns.rdatatype.TXT)
    return list(rdata.strings)


any_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)


@unhurried
@given(any_text | st.text(st.sampled_from('\\";() $@0129aü\n\r\t'), min_size=1))
@example("a" * 254 + '"' + "b" * 255 + "\\")
def test_the_octets_of_a_txt_are_those_of_the_value(value: str) -> None:
    if value.strip() and not value.startswith('"'):
        strings = txt_strings(value)
        assert b"".join(strings) == value.encode()
        assert all(len(string) == 255 for string in strings[:-1])


@needs_named
@settings(deadline=None, max_examples=5)
@given(st.lists(any_text, min_size=20, max_size=60, unique=True))
def test_named_reads_the_same_octets(tmp_path_factory: pytest.TempPathFactory, values: list[str]) -> None:
    values = [value for value in values if value.strip() and not value.startswith('"')]
    directory = tmp_path_factory.mktemp("zone")
    content = inline(*(record(f"r{number}", "TXT", value) for number, value in enumerate(values)))
    (directory / "zone").write_text(make_text(ZONE, content, DEFAULTS, SERVERS).text, encoding="utf-8", newline="\n")
    compile_it = ["named-compilezone", "-q", "-i", "local", "-o", "out", ZONE, "zone"]
    subprocess.run(compile_it, cwd=directory, check=True)
    zone = dns.zone.from_text((directory / "out").read_text(), ZONE)
    for number, value in enumerate(values):
        (rdata,) = zone.find_rdataset(f"r{number}", dns.rdatatype.TXT)
        assert b"".join(rdata.strings) == value.encode()


def test_a_relative_target_with_a_dot_must_be_in_the_zone() -> None:
    assert read(record("a", "CNAME", "mail.sub"), record("Mail.Sub", "A", "192.0.2.1"))
    assert read(record("1", "CNAME", "1.0/25"), record("0/25", "NS", "ns.example.net."))  # RFC 2317
    assert read(record("a", "CNAME", "mail"), record("@", "HTTPS", "1 . alpn=h2"))
    for rdtype, value in (
        ("CNAME", "mail.example.net"),
        ("PTR", "mail.example.net"),
        ("DNAME", "mail.example.net"),
        ("MX", "10 mail.example.net"),
        ("SRV", "0 0 25 mail.example.net"),
        ("HTTPS", '1 mail.example.net alpn="h2,h3"'),
        ("NS", "mail.example.net"),
    ):
        assert problem(record("a", rdtype, value)).endswith(
            f"(a {rdtype}): mail.example.net has no final dot, so it would be mail.example.net.{ZONE}, and records "
            f"has no such name. Write `mail.example.net.`, or `mail.example.net.{ZONE}.` if it is in this zone."
        )
    assert problem(record("a", "CNAME", f"www.{ZONE}"), WWW).endswith(f"Write `www.{ZONE}.`.")


@pytest.mark.parametrize("value", ["192.0.2.1", "192.0.2.1.", "2001:db8::1"])
def test_an_address_is_no_target(value: str) -> None:
    assert "is an address, where a name belongs" in problem(record("a", "CNAME", value))


# --- Mistakes --------------------------------------------------------------------------------------

MISTAKES = [
    (record(False, "A", "192.0.2.1"), "records[0] (A): name is no text: YAML reads yes, no, on, off, true and false as"
     ' truth values. Put what you wrote in quotes, as in  name: "no".'),
    (record(10, "A", "192.0.2.1"), 'name is no text: YAML reads 10 as a number. Put it in quotes, as in  name: "10".'),
    (record(None, "A", "192.0.2.1"), 'name has no value. Write  name: "@"  for the zone itself'),
    (record("", "A", "192.0.2.1"), 'name is empty. Write  name: "@"'),
    (record(datetime.date(2026, 1, 2), "A", "192.0.2.1"), "YAML reads 2026-01-02 as a date."),
    (record(["a"], "A", "192.0.2.1"), "name is a list."),
    (record("www.example.org", "A", "192.0.2.1"), "name www.example.org has no final dot, so it would be"
     " www.example.org.example.org. Write `www` or `www.example.org.`."),
    (record("www.example.net.", "A", "192.0.2.1"), "www.example.net is not in the zone."),
    (record("a..b", "A", "192.0.2.1"), "a label is empty"),
    (record("a b", "TXT", "x"), "can't stand in a domain name"),
    (record("a" * 64, "TXT", "x"), "a label has at most 63 octets"),
    (record("under_score", "A", "192.0.2.1"), "under_score.example.org has A records and is no host name"),
    (record("a", None, "x"), "records[0] (a): type has no value. Write it like  type: A."),
    (record("a", "AAA", "192.0.2.1"), 'type: "AAA" is no known record type. Did you mean "AAAA"?'),
    (record("a", "QQ", "192.0.2.1"), "Write it like A, MX or TYPE65534 (RFC 3597)."),
    (record("a", "Ä", "x"), 'type: "Ä" is no known record type.'),
    (record("ü\\.b", "TXT", "x"), "has a backslash and letters outside ASCII"),
    (record("a", "CNAME", "ü\\.b"), "has a backslash and letters outside ASCII"),
    (record("a", "ANY", "x"), "type: ANY is not a type of records in zones."),
    (record("a", 1, "x"), 'type is no text: YAML reads 1 as a number. Put it in quotes, as in  type: "1".'),
    (record("@", "soa", "a b 1 2 3 4 5"), "the SOA record is made, and can't be in records. Write  soa: {...}"),
    (record("a", "RRSIG", "A 8 1 1 20300101000000 20200101000000 1 a. AAAA"), "signed zones are not supported yet"),
    (record("a", "A", 1.1), 'value is no text: YAML reads 1.1 as a number. Put it in quotes, as in  value: "1.1".'),
    (record("a", "A", "192.0.2.1", 1.1), 'values is no text: YAML reads 1.1 as a number. Put it in quotes, as in'
     '  values: ["1.1"].'),
    (record("a", "A", None), "value has no value. Write its data as text"),
    (record("a", "A", ["192.0.2.1"]), "value is a list. Write  values: [...]"),
    (record("a", "A", {"b": "c"}), "value is a mapping."),
    (record("a", "A"), "values is empty. Write the values, or remove the entry."),
    (record("a", "TXT", ""), "value is empty. Write an empty text as  '\"\"'."),
    (record("a", "A", "192.0.2.300"), '"192.0.2.300" is not an IPv4 address. Write it like `type: A, value:'),
    (record("a", "MX", "mail"), "MX record"),
    (record("a", "CAA", "0 issue ca.example.net; x"), "value has a ; outside of double quotes"),
    (record("a", "TXT", '"open'), "value has a double quote that is not closed."),
    (record("a", "A", "192.0.2.1 ("), "value has a parenthesis without its other half."),
    (record("a", "A", ") 192.0.2.1 ("), "value has a parenthesis without its other half."),
    (record("a", "A", "192.0.2.1\nb A 192.0.2.2"), "value has a line break or another control character."),
    (record("a", "CAA", "0 issue ca\\"), "value ends in a backslash."),
    (record("a", "CAA", "0 issue ü"), "has letters that are not ASCII"),
    (record("a", "TXT", "\ud800"), "value has a character that is not UTF-8"),
    (record("a", "TXT", " ".join(['"%s"' % ("x" * 255)] * 257)), "octets, and 65535 fit. Make several records of it."),
    (record("a", "TYPE65534", "\\# 3 abcd"), "the length says 3 octets, and the data have 2."),
    (record("a", "A", "192.0.2.1", ttl="1x"), "ttl 1x is not a time. Write seconds, such as 3600, or units"),
    (record("a", "A", "192.0.2.1", ttl=True), "ttl True is not a time."),
    (record("a", "A", "192.0.2.1", ttl=-1), "ttl -1 is not from 0 to 2147483647 seconds."),
    (record("a", "A", "192.0.2.1", ttl=[1]), "ttl is not a time."),
    (record("a", "A", "192.0.2.1", vlaue="x"), 'the unknown key "vlaue". Did you mean "value"?'),
    (record("a", "A", "192.0.2.1", zzz="x"), 'the unknown key "zzz". Known keys: name, type, value, values, ttl.'),
    (record("a", "A", "192.0.2.1", **{"class": "IN"}), "class is not accepted. Leave it out"),
    ({"name": "a", "type": "A", "value": "192.0.2.1", "values": []}, "value and values are both given. Keep one"),
    ({"name": "a", "type": "A"}, "records[0] (a A): it has no value."),
    ({"name": "a", "type": "A", "values": "192.0.2.1"}, "values is not a list. Write  value: ..."),
    ("a A 192.0.2.1", "records[0]: it is not a mapping. Write it like  {name: www, type: A, value: 192.0.2.80}."),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "message"), MISTAKES, ids=[message[:60] for _entry, message in MISTAKES])
def test_a_mistake_in_an_entry(entry: Any, message: str) -> None:
    found = problem(entry)
    assert found.startswith("records[0]")
    assert message in found


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"ttl": "x"}, "ttl x is not a time."),
        ({"soa": ["x"]}, "soa is not a mapping. Write it like  soa: {refresh: 3600, retry: 600}."),
        ({"soa": {"refesh": 1}}, 'soa: the unknown key "refesh". Did you mean "refresh"?'),
        ({"soa": {"retry": "1y"}}, "soa: retry 1y is not a time."),
        ({"soa": {"serial": 2**32}}, "soa: serial is not a number from 0 to 4294967295."),
        ({"soa": {"serial": True}}, "soa: serial is not a number"),
        ({"soa": {"mname": "ns1"}}, 'soa: mname: "ns1" is not the full name of a host. Write it like  mname: ns1.exam'),
        ({"soa": {"mname": "a..b"}}, "soa: mname: 'a..b': a label is empty"),
        ({"soa": {"mname": "a_b.example.net"}}, "is not the full name of a host."),
        ({"soa": {"rname": "hostmaster"}}, 'soa: rname: "hostmaster" is not a mail address.'),
        ({"soa": {"rname": "ü@example.net"}}, "letters outside ASCII before the @"),
        (
            {"soa": {"rname": 5}},
            'soa: rname is no text: YAML reads 5 as a number. Put it in quotes, as in  rname: "5".',
        ),
        ({"soa": {"minimum": 2**31}}, "soa: minimum 2147483648 is not from 0 to 2147483647 seconds."),
    ],
)
def test_a_mistake_beside_the_records(others: dict[str, Any], message: str) -> None:
    assert message in problem(WWW, **others)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_entries() -> None:
    found = problems(
        inline(
            record("a", "A", "192.0.2.300"), record(True, "B", 1), record("b", "MX", "mail"), WWW, soa={"retry": "x"}
        )
    )
    assert [line[len(HEAD) :].split(":")[0] for line in found] == [
        "soa",
        "records[0] (a A)",
        "records[1] (B)",
        "records[1] (B)",
        "records[1] (B)",
        "records[2] (b MX)",
    ]


def test_a_number_that_python_does_not_print() -> None:
    assert "YAML reads ... as a number" in problem(record("a", "A", 10**5000))
    assert "ttl ... is not from 0" in problem(record("a", "A", "192.0.2.1", ttl=10**5000))


@pytest.mark.parametrize("value", [1, "192.0.2.300"])
def test_more_mistakes_than_anyone_reads(value: Any) -> None:
    found = problems(inline(*[record(f"h{number}", "A", value) for number in range(100)]))
    assert len(found) == zone_text.MAX_PROBLEMS + 1
    assert found[-1] == f"{HEAD}more than 25 problems, the first of them above. Mend those first."


def test_problems_of_two_entries_name_both() -> None:
    assert problem(WWW, record("WWW", "A", "192.0.2.81", ttl=60)) == (
        "records[1] (WWW A): this A record of www.example.org has the TTL 60, the one in records[0] has 3600, and "
        "records of one name and type have one TTL. Make them equal."
    )
    assert problem(WWW, record("www", "CNAME", "a.example.net.")).startswith(
        "records[1] (www CNAME): www.example.org has this CNAME record and other records: A (records[0])."
    )
    assert problem(record("a", "CNAME", "b"), record("a", "CNAME", "c")).startswith(
        "records[1] (a CNAME): a second CNAME record of a.example.org; the first is in records[0]."
    )
    assert "other records: SOA (made for every zone) and NS (made for its servers)." in problem(
        record("@", "CNAME", "www.example.net.")
    )


def test_problems_of_a_file_have_its_lines() -> None:
    text = """\
# a comment
records:
  - {name: www, type: A, value: 192.0.2.80}
  - name: www
    type: A
    ttl: 60
    value: 192.0.2.81
  - {name: no, type: A, value: 1.10}
"""
    head = f"zone {ZONE}, {FILE}"
    assert file_problems(text) == [
        f"{head}:4: records[1] (www A): this A record of www.example.org has the TTL 60, the one in line 3 has 3600, "
        "and records of one name and type have one TTL. Make them equal.",
        f"{head}:8: records[2] (no A): name is no text: YAML reads no as a truth value. Put it in quotes, as in  "
        'name: "no".',
        f"{head}:8: records[2] (no A): value is no text: YAML reads 1.10 as a number. Put it in quotes, as in  "
        'value: "1.10".',
    ]


def test_a_made_ns_record_needs_the_address_of_its_server() -> None:
    servers = (f"ns1.{ZONE}",)
    assert problems(inline(), servers=servers) == [
        f"{HEAD}NS ns1.example.org., made for a server that serves the zone: the name server ns1.example.org has no A "
        "or AAAA record. Its name comes from the inventory (dns_name). Add its address to records, such as "
        '{name: "ns1", type: A, value: 192.0.2.1}, or NS records of your own with name: "@".'
    ]
    zone_from_records(ZONE, inline(record("ns1", "A", "192.0.2.1")), DEFAULTS, servers)


def test_a_zone_of_hidden_servers_needs_ns_records() -> None:
    (found,) = problems(inline(WWW), servers=())
    assert "it has no NS records: none are in records, and all servers that serve it are hidden (dns_hidden)" in found
    # Where they are there and wrong, that is what is told.
    (found,) = problems(inline(record("@", "NS", 5)), servers=())
    assert "records[0] (@ NS): value is no text" in found


def test_warnings_are_told_of_the_entry() -> None:
    (warning,) = read(record("a", "TXT", "x"), record("@", "MX", "10 a")).warnings
    assert str(warning).startswith(f"{HEAD}records[1] (@ MX): the MX target a.example.org has no A or AAAA record.")


def test_without_dnspython(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_text, "HAS_DNSPYTHON", False)
    assert "Install dnspython" in problems(inline(WWW))[0]


# --- The site's defaults ---------------------------------------------------------------------------


def test_good_defaults() -> None:
    assert check_defaults(Defaults("1h", {"refresh": "1d"}, "ns1.example.net.", "hostmaster@example.net")) == []
    assert check_defaults(Defaults()) == []


@pytest.mark.parametrize(
    ("defaults", "message"),
    [
        (Defaults(ttl="x"), "dns_default_ttl x is not a time."),
        (Defaults(soa=[]), "dns_soa: it is not a mapping."),
        (Defaults(soa={"refesh": 1}), 'dns_soa: the unknown key "refesh". Did you mean "refresh"?'),
        (Defaults(soa={"expire": "x"}), "dns_soa: expire x is not a time."),
        (Defaults(soa={"mname": "x"}), 'dns_soa: the key "mname" does not belong there. Set dns_mname.'),
        (Defaults(mname="ns1"), 'dns_mname: "ns1" is not the full name of a host.'),
        (Defaults(mname=True), "dns_mname is no text: YAML reads yes, no"),
        (Defaults(hostmaster="foo bar@example.net"), "dns_hostmaster: "),
        (Defaults(hostmaster="hostmaster"), 'dns_hostmaster: "hostmaster" is not a mail address.'),
    ],
)
def test_wrong_defaults_are_told_once_and_not_with_every_zone(defaults: Defaults, message: str) -> None:
    (found,) = check_defaults(defaults)
    assert message in str(found)
    assert (found.zone, found.file) == (None, None)
    assert zone_from_records(ZONE, inline(WWW), defaults, SERVERS).soa == read(WWW).soa


# --- NAME.yml --------------------------------------------------------------------------------------


def test_a_file_is_a_mapping_or_the_list() -> None:
    text = (
        "primary: ns1\nserial: 010\nextra: {a: no, b: [1, null]}\n"
        "ttl: 5\nsoa: {serial: 3}\nrecords:\n- &a {name: b}\n- *a\n"
    )
    others, content = read_records_file(ZONE, text, FILE)
    assert others == {"primary": "ns1", "serial": "010", "extra": {"a": False, "b": [1, None]}}
    assert content == Records(FILE, [{"name": "b"}, {"name": "b"}], {"serial": 3}, 5, (7, 7))
    assert read_records_file(ZONE, "- {name: b}\n", FILE) == ({}, Records(FILE, [{"name": "b"}], lines=(1,)))


def test_merged_mappings() -> None:
    text = "- &a {name: b, type: A, ttl: 5}\n- {<<: *a, name: c}\n- {<<: [{x: 1, ttl: 9}, *a], type: B}\n"
    assert read_records_file(ZONE, text, FILE)[1].records[1:] == [
        {"name": "c", "type": "A", "ttl": 5},
        {"name": "b", "type": "B", "ttl": 9, "x": 1},
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("records:\n  - {name: a\n", 3, "it is not YAML: while parsing a flow mapping, did not find expected"),
        ("records:\n\t- a\n", 2, "it is not YAML: while scanning for the next token, found character that cannot"),
        ("", None, "it is empty. Write  records: [{name: www"),
        ("just text\n", 1, "it is neither a mapping nor a list."),
        ("a: 1\n---\nb: 2\n", 2, "it is not YAML: expected a single document"),
        ("\n- {name: a,\n   name: b}\n", 3, 'the key "name" is there twice, first in line 2. Keep one of them.'),
        ("- {name: a, value: '{{ x }}'}\n", 1, "a template, {{ x }}. NAME.yml is data and not templated: write it out"),
        ("- name: a\n  value: {{ x }}\n", 2, "a template, {{ ... }}. NAME.yml is data and not templated"),
        ("- ? [a]\n  : b\n", 1, "a key that is no text."),
        ("- {name: !vault a}\n", 1, "the tag !vault, which is not plain data."),
        ("- {name: !!binary YQ==}\n", 1, "the tag !!binary, which is not plain data."),
        ("- !!python/object/apply:os.system [a]\n", 1, "the tag !!python/object/apply:os.system, which"),
        ("records: !!omap [a: b]\n", 1, "the tag !!omap, which is not plain data."),
        ("- {<<: a}\n", 1, "<< takes a mapping."),
        ("records: []\nname: example.org\n", 2, 'the key "name" does not belong here: the name of the file says which'),
        ("a: \x01\n", 1, "it has a character that YAML does not allow."),
        ("a: \ud800\n", None, "it has a character that is not UTF-8."),
        ("- " * 30 + "a", 1, "it is nested too deep."),
        ("[" * 100_000, 1, "it is not YAML: it is nested too deep."),
    ],
)
def test_files_that_are_refused(text: str, line: int | None, message: str) -> None:
    (found,) = file_problems(text)
    place = FILE if line is None else f"{FILE}:{line}"
    assert found.startswith(f"zone {ZONE}, {place}: {message}")


def test_anchors_that_multiply_and_that_hold_themselves() -> None:
    bomb = "a0: &a0 {x: y}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40))
    assert read_records_file(ZONE, bomb, FILE)[0]["a39"] == {"x": "y"}
    assert "records[0]: it is not a mapping." in file_problems("records: &a [*a]\n")[0]
    assert read_records_file(ZONE, "a: &a {<<: *a}\nrecords: []", FILE)[0] == {"a": {}}


def test_the_loader_of_pyyaml_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read_records_file(ZONE, BROAD, FILE)
    monkeypatch.setattr(zone_records, "_Loader", yaml.SafeLoader)
    assert read_records_file(ZONE, BROAD, FILE) == expected
    assert "nested too deep" in file_problems("[" * 900)[0]
    assert "a character that YAML does not allow" in file_problems("a: \ud800\n")[0]


def test_without_pyyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_records, "HAS_YAML", False)
    assert "Install PyYAML" in file_problems("[]")[0]


# --- Any input -------------------------------------------------------------------------------------

NAMES = ["@", "www", "example.org", "www.example.org.", "10", "192.0.2.1", "*", "a;b", "a\\", "ü", "{{ x }}", "$x", "."]
TYPES = ["A", "mx", "TXT", "NS", "CNAME", "SOA", "SRV", "TYPE65534", "TYPE1", "CAA", "ANY", "XYZ", "PTR", "HTTPS"]
VALUES = ["192.0.2.1", "10 mail", "mail.example.net", '"a" "b', "(", ")", "x ; y", "\\# 1 00", "0 0 0 ü", "a\nb", "."]
KEYS = [
    "name",
    "type",
    "value",
    "values",
    "ttl",
    "class",
    "records",
    "soa",
    "file",
    "mname",
    "rname",
    "serial",
    "retry",
]
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(NAMES + TYPES + VALUES)
    | st.text(max_size=20)
    | st.dates()
    | st.binary(max_size=3)
)
keys = st.sampled_from(KEYS) | st.text(max_size=3) | st.booleans() | st.integers() | st.none()
anything = st.recursive(
    leaves, lambda part: st.lists(part, max_size=4) | st.dictionaries(keys, part, max_size=4), max_leaves=8
)
entries = st.fixed_dictionaries(
    {"name": st.sampled_from(NAMES) | anything, "type": st.sampled_from(TYPES) | anything},
    optional={
        "value": st.sampled_from(VALUES) | st.text(max_size=30) | anything,
        "values": st.lists(st.sampled_from(VALUES) | st.text(max_size=30), max_size=3) | anything,
        "ttl": st.sampled_from([60, "1h", "1x"]) | anything,
    },
)
soas = st.dictionaries(st.sampled_from(zone_records.SOA_KEYS), anything, max_size=4)
zones = st.sampled_from([ZONE, "2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"])
server_sets = st.sampled_from([(), SERVERS, (f"ns.{ZONE}",)])


def is_told(content: Records, zone: str, defaults: Defaults, servers: tuple[str, ...]) -> None:
    """It is read, or refused with problems that can be printed."""
    assert all(str(problem).encode() for problem in check_defaults(defaults))
    try:
        zone_from_records(zone, content, defaults, servers)
    except InputError as error:
        assert error.problems
        assert error.as_message().encode()
        assert all(found.zone == zone and found.file == content.file for found in error.problems)


@unhurried
@given(
    st.lists(entries | anything, max_size=4) | anything, soas | anything, anything, zones, server_sets,
    st.builds(Defaults, anything, soas | anything, anything, anything),
)  # fmt: skip
def test_anything_is_read_or_refused(
    records: Any, soa: Any, ttl: Any, zone: str, servers: tuple[str, ...], defaults: Defaults
) -> None:
    is_told(Records("dns_zones", records, soa, ttl), zone, defaults, servers)


yaml_text = st.lists(
    st.sampled_from(["- ", "name", ": ", "\n", "  ", "[", "]", "{", "}", "&a ", "*a", "<<", "!x ", "!!str ", "'", '"'])
    | st.sampled_from(["records", "{{", "}}", "#", "|", ">", "---\n", "? ", ", ", "no", "1.10", "0x1", "2026-01-01"])
    | st.text(max_size=3),
    max_size=30,
).map("".join)


@unhurried
@given(st.lists(entries, max_size=3), yaml_text, st.integers(0, 300), st.booleans())
def test_any_file_is_read_or_refused(records: list[Any], noise: str, position: int, as_list: bool) -> None:
    plain = yaml.dump(records if as_list else {"records": records}, default_flow_style=position % 2 == 0)
    for text in (noise, plain[:position] + noise + plain[position:]):
        for loader in (yaml.SafeLoader, zone_records._Loader):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(zone_records, "_Loader", loader)
                try:
                    _others, content = read_records_file(ZONE, text, FILE)
                except InputError as error:
                    assert error.as_message().encode()
                else:
                    is_told(content, ZONE, DEFAULTS, SERVERS)
