"""The wire module against dnspython, which encodes and decodes on its own."""

from __future__ import annotations

import hashlib
import random
import struct
import time

import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import wire
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# --- Names ------------------------------------------------------------------------------------------

labels = st.binary(min_size=1, max_size=63)
names = (
    st.lists(labels, max_size=6)
    .map(lambda parts: dns.name.Name([*parts, b""]) if sum(len(part) + 1 for part in parts) < 255 else None)
    .filter(lambda name: name is not None)
)


@given(names)
def test_names_are_encoded_as_dnspython_does(name: dns.name.Name) -> None:
    octets = name.to_wire()
    assert wire.encode_name(name.to_text()) == octets
    assert wire.decode_name(b"xx" + octets + b"yy", 2) == (octets, 2 + len(octets))
    assert dns.name.from_text(wire.name_text(octets)) == name
    assert wire.encode_name(wire.name_text(octets)) == octets


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        (".", b"\0"),
        ("example.com", b"\7example\3com\0"),
        ("Example.COM.", b"\7Example\3COM\0"),
        (r"a\.b.c", b"\3a.b\1c\0"),
        (r"\000\255.c", b"\2\0\xff\1c\0"),
        (r"a\@b.c.", b"\3a@b\1c\0"),
        (r"a\.", b"\2a.\0"),
        ("_sip._tcp.*.example", b"\4_sip\4_tcp\1*\7example\0"),
        ("0/25.2.0.192.in-addr.arpa", b"\x040/25\x012\x010\x03192\x07in-addr\x04arpa\0"),
        ("a" * 63 + ".b", b"\x3f" + b"a" * 63 + b"\1b\0"),
    ],
)
def test_names_in_presentation_form(text: str, octets: bytes) -> None:
    assert wire.encode_name(text) == octets


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("a..b", "label is empty"),
        (".a", "label is empty"),
        ("..", "label is empty"),
        ("a" * 64, "63 octets"),
        (".".join(["a" * 63] * 4), "255 octets"),
        ("a\\", "backslash"),
        (r"a\25", "three digits"),
        (r"a\256", "three digits"),
        (r"a\2x5", "three digits"),
        ("münchen.example", "xn--"),
        ("a\\ü", "DDD"),
        ("a b", "can't stand"),
        ("a\tb", "can't stand"),
        ("٣.example", "can't stand"),
        (r"a\1٣3", "three digits"),
    ],
)
def test_names_that_are_none(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        wire.encode_name(text)


def test_the_longest_name() -> None:
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
    assert len(wire.encode_name(longest)) == 255
    with pytest.raises(ValueError, match="255 octets"):
        wire.encode_name(longest + "d")


@pytest.mark.parametrize(
    ("message", "offset", "name", "after"),
    [
        (b"\3com\0\7example\xc0\0", 5, b"\7example\3com\0", 15),
        (b"\3com\0\1b\xc0\0\1a\xc0\5", 9, b"\1a\1b\3com\0", 13),
        (b"\3com\0\xc0\0", 5, b"\3com\0", 7),
        (b"\0\xc0\0", 1, b"\0", 3),
    ],
)
def test_compressed_names(message: bytes, offset: int, name: bytes, after: int) -> None:
    assert wire.decode_name(message, offset) == (name, after)


@pytest.mark.parametrize(
    ("message", "offset"),
    [
        (b"\xc0\0", 0),  # to itself
        (b"\1a\xc0\0", 0),  # to the beginning of itself
        (b"\xc0\2\1a\0", 0),  # forwards
        (b"\1a\xc0\4\xc0\0", 4),  # two names that lead to each other
        (b"\xc0", 0),  # half a pointer
        (b"\3ab", 0),
        (b"\3abc", 0),
        (b"", 0),
        (b"\0", 7),
        (b"\x40a\0", 0),  # kinds of labels that were never assigned, or withdrawn
        (b"\x80a\0", 0),
        (b"\x3f" + b"a" * 63 + b"\x3f" + b"b" * 63 + b"\x3f" + b"c" * 63 + b"\x3f" + b"d" * 63 + b"\0", 0),
        (
            b"\x3f" + b"a" * 63 + b"\x3f" + b"b" * 63 + b"\x3f" + b"c" * 63 + b"\0" + b"\x3f" + b"d" * 63 + b"\xc0\0",
            193,
        ),
    ],
)
def test_names_that_are_malformed(message: bytes, offset: int) -> None:
    with pytest.raises(wire.WireError):
        wire.decode_name(message, offset)


def test_a_chain_of_pointers_ends() -> None:
    hops = 8000
    message = b"\0" + b"".join(struct.pack("!H", 0xC000 | max(0, 2 * hop - 1)) for hop in range(hops))
    assert wire.decode_name(message, 1) == (b"\0", 3)
    assert wire.decode_name(message, 101)[0] == b"\0"
    with pytest.raises(wire.WireError, match="too many"):
        wire.decode_name(message, len(message) - 2)


# --- Queries and SOA answers ------------------------------------------------------------------------


def test_a_query() -> None:
    query = wire.build_query("Example.com", wire.TYPE_SOA, message_id=0xABCD)
    expected = dns.message.make_query("Example.com", "SOA", id=0xABCD, flags=0)
    assert query == expected.to_wire()
    recursive = wire.build_query(".", 2, message_id=1, recursion_desired=True, edns_payload=1232)
    message = dns.message.from_wire(recursive)
    assert message.flags == dns.flags.RD
    assert (message.edns, message.payload) == (0, 1232)
    assert message.question == [dns.rrset.RRset(dns.name.root, dns.rdataclass.IN, dns.rdatatype.NS)]


def soa_response(zone: str = "example.com", serial: int = 2026112201, **changes: object) -> dns.message.Message:
    message = dns.message.make_response(dns.message.make_query(zone, "SOA", id=4711))
    message.flags |= dns.flags.AA
    text = f"NS1.{zone}. hostmaster.{zone}. {serial} 3600 600 1209600 3600"
    message.answer.append(dns.rrset.from_text(zone + ".", 3600, "IN", "SOA", text))
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def test_an_soa_answer() -> None:
    answer = wire.parse_soa_answer(soa_response().to_wire(), "EXAMPLE.com.", 4711)
    assert answer == wire.SoaAnswer(rcode=0, authoritative=True, truncated=False, serial=2026112201)
    highest = wire.parse_soa_answer(soa_response(serial=2**32 - 1).to_wire(), "example.com", 4711)
    assert highest.serial == 2**32 - 1


def test_soa_answers_without_a_serial() -> None:
    def parse(message: dns.message.Message) -> wire.SoaAnswer:
        return wire.parse_soa_answer(message.to_wire(), "example.com", 4711)

    message = soa_response()
    message.flags &= ~dns.flags.AA
    assert parse(message) == wire.SoaAnswer(0, False, False, 2026112201)
    message = soa_response()
    message.answer, message.authority = [], message.answer  # NODATA: the SOA of a zone above
    assert parse(message) == wire.SoaAnswer(0, True, False, None)
    message = soa_response(answer=[dns.rrset.from_text("other.example.", 1, "IN", "SOA", "a. b. 1 2 3 4 5")])
    assert parse(message) == wire.SoaAnswer(0, True, False, None)
    message = soa_response(answer=[])
    message.set_rcode(5)
    assert parse(message) == wire.SoaAnswer(5, True, False, None)
    message = soa_response(answer=[])
    message.flags |= dns.flags.TC
    assert parse(message) == wire.SoaAnswer(0, True, True, None)


def test_a_truncated_answer_may_be_cut_anywhere() -> None:
    octets = bytearray(soa_response().to_wire()[:-10])
    octets[2] |= 0x02
    assert wire.parse_soa_answer(bytes(octets), "example.com", 4711).truncated


def test_messages_that_are_no_answer() -> None:
    octets = soa_response().to_wire()
    other = dns.message.make_response(dns.message.make_query("example.com", "NS", id=4711)).to_wire()
    assert wire.parse_soa_answer(octets, "example.com", 4711).serial is not None
    for message, name, message_id in (
        (octets, "example.com", 4712),
        (octets, "example.org", 4711),
        (octets[:2] + b"\0\0" + octets[4:], "example.com", 4711),  # a query
        (octets[:2] + bytes([octets[2] | 0x20]) + octets[3:], "example.com", 4711),  # opcode 4, NOTIFY
        (octets[:4] + b"\0\2" + octets[6:], "example.com", 4711),  # two questions
        (octets[:4] + b"\0\0\0\0" + octets[8:12], "example.com", 4711),  # no question
        (octets[:-1], "example.com", 4711),
        (octets + b"\0", "example.com", 4711),
        (octets[:11], "example.com", 4711),
        (b"", "example.com", 4711),
        (other, "example.com", 4711),  # another type
    ):
        with pytest.raises(wire.WireError):
            wire.parse_soa_answer(message, name, message_id)


def test_an_error_answer_may_lack_the_question() -> None:
    assert wire.parse_soa_answer(b"\x12\x67\x80\x01" + bytes(8), "example.com", 0x1267).rcode == 1


# --- Records ----------------------------------------------------------------------------------------

# Every type is given twice where names are in it: compressible ones come to share their tails with the owner.
RECORDS = """
@ 3600 SOA NS1 HostMaster 2026112201 3600 600 1209600 3600
@ 3600 NS NS1
@ 3600 NS ns2.OTHER.example.
www 300 A 192.0.2.80
www 300 AAAA 2001:db8::80
alias 300 CNAME WWW
@ 300 MX 10 Mail
@ 300 TXT "v=spf1 -all" "Second String"
Big 300 TXT {big}
_sip._tcp 300 SRV 1 2 5060 SIP
@ 300 CAA 0 issue "CA.example.net"
4.3.2.1.e164 300 NAPTR 100 10 "U" "E2U+sip" "!^.*$!sip:Info@example.com!" .
3.e164 300 NAPTR 100 10 "S" "SIP+D2U" "" _SIP._UDP
sub 300 DNAME Other.Example.
host 300 SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
_443._tcp.www 300 TLSA 3 1 1 0d6fce1dff8de4bd3e5b5e0c4e1dfb5a6c5c3e9a4c1f1c6c8a6b0a8d8e1e2e3f
child 300 DS 60485 13 2 d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a
@ 300 DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==
@ 300 RRSIG A 13 2 300 20260101000000 20250101000000 12345 Example.COM. U2lnbmF0dXJl
www 300 NSEC Host.Example.COM. A AAAA RRSIG NSEC
2t7b4g4vsa5smi47k61mv5bv1a22bojr 300 NSEC3 1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG
host 300 HINFO "PC-Intel" "Linux"
host 300 RP Mbox.People TXT.people
cell 300 AFSDB 1 AFS
place 300 LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
_http 300 URI 10 1 "ftp://FTP1.example.com/public"
@ 300 TYPE65534 \\# 5 0141434344
1.2.0.192.in-addr.arpa 300 PTR Host
*.wild 300 A 192.0.2.1
rt 300 RT 10 Relay
kx 300 KX 10 Kx
px 300 PX 10 Ma.Ma.P Mb.Px
svc 300 SVCB 1 SVC.example.com. alpn=h2
https 300 HTTPS 0 Alias.Example.
@ 300 ZONEMD 2026112201 1 1 {zonemd}
"""


def all_records(origin: str = "Example.COM.") -> list[dns.rrset.RRset]:
    """One RRset a line: dnspython's rdata objects with absolute names."""
    name = dns.name.from_text(origin)
    text = RECORDS.format(big=" ".join(['"{}"'.format("X" * 255)] * 5), zonemd="ab" * 48)
    records = []
    for line in text.strip().splitlines():
        owner, ttl, rdtype, value = line.split(None, 3)
        rdata = dns.rdata.from_text("IN", rdtype, value, origin=name, relativize=False)
        records.append(dns.rrset.from_rdata(dns.name.from_text(owner, name), int(ttl), rdata))
    return records


def render(records: list[dns.rrset.RRset], **sections: list[dns.rrset.RRset]) -> bytes:
    message = dns.message.Message(id=1)
    message.flags = dns.flags.QR
    message.find_rrset(message.question, dns.name.from_text("example.com."), 1, 252, create=True)
    message.answer = records
    for section, rrsets in sections.items():
        setattr(message, section, rrsets)
    return message.to_wire(max_size=65535)


RECORDS_BY_TYPE = [
    pytest.param(record, id=f"{index}-{dns.rdatatype.to_text(record.rdtype)}")
    for index, record in enumerate(all_records())
]


def test_the_walk_yields_what_dnspython_parses() -> None:
    records = all_records()
    message = render(records[:20], authority=records[20:25], additional=records[25:])
    assert b"\xc0\x0c" in message  # dnspython compresses, or else this shows little
    walked = list(wire.walk_records(message))
    assert len(walked) == len(records)
    assert [each.section for each in walked] == [1] * 20 + [2] * 5 + [3] * (len(records) - 25)
    for each, record in zip(walked, records):
        assert each.owner.lower() == record.name.to_digestable()  # dnspython's compression ignores case
        assert (each.rdtype, each.rdclass, each.ttl) == (record.rdtype, record.rdclass, record.ttl)
        parsed = dns.rdata.from_wire(
            each.rdclass, each.rdtype, message, each.rdata_offset, each.rdata_length, origin=None
        )
        assert parsed == record[0]


@pytest.mark.parametrize("record", RECORDS_BY_TYPE)
def test_canonical_rdata_is_that_of_dnspython(record: dns.rrset.RRset) -> None:
    message = render([record, record])  # in the second its own names can be compressed, too
    for each in wire.walk_records(message):
        canonical = wire.canonical_rdata(message, each.rdata_offset, each.rdata_length, each.rdtype)
        assert canonical == record[0].to_digestable()
    uncompressed = record[0].to_wire()
    assert wire.canonical_rdata(uncompressed, 0, len(uncompressed), record.rdtype) == record[0].to_digestable()


def test_case_is_folded_where_the_standards_say_so() -> None:
    """By value and not through dnspython: RFC 4034 section 6.2 item 3 with RFC 6840 section 5.1."""
    name = b"\1A\1B\0"
    folded = {2: b"", 5: b"", 12: b"", 39: b"", 3: b"", 4: b"", 7: b"", 8: b"", 9: b"", 30: b""}
    folded.update({15: b"\0\1", 18: b"\0\1", 21: b"\0\1", 36: b"\0\1", 33: b"AAAAAA", 46: b"A" * 18, 24: b"A" * 18})
    folded[35] = b"AAAA\1A\1B\1C"
    for rdtype, before in folded.items():
        rdata = before + name
        assert wire.canonical_rdata(rdata, 0, len(rdata), rdtype) == before + name.lower(), rdtype
    for rdtype, before, after in ((17, b"", b""), (14, b"", b""), (26, b"AA", b""), (6, b"", b"A" * 20)):
        rdata = before + name + name + after
        assert wire.canonical_rdata(rdata, 0, len(rdata), rdtype) == before + name.lower() * 2 + after, rdtype
    for rdtype in (1, 13, 16, 38, 47, 64, 65, 65534):  # NSEC is 47, HINFO 13
        assert wire.canonical_rdata(name, 0, len(name), rdtype) == name, rdtype


@pytest.mark.parametrize("rdtype", [36, 39, 46])
def test_names_that_must_come_uncompressed(rdtype: int) -> None:
    fixed = {36: b"\0\1", 39: b"", 46: b"x" * 18}[rdtype]
    message = b"\3com\0" + fixed + b"\1a\3com\0"
    assert wire.canonical_rdata(message, 5, len(message) - 5, rdtype) == fixed + b"\1a\3com\0"
    message = b"\3com\0" + fixed + b"\1a\xc0\0"
    with pytest.raises(wire.WireError, match="compressed"):
        wire.canonical_rdata(message, 5, len(message) - 5, rdtype)


@pytest.mark.parametrize(
    ("rdtype", "rdata"),
    [
        (2, b""),
        (2, b"\1a\0x"),
        (2, b"\1a"),
        (15, b"\0"),
        (15, b"\0\1"),
        (6, b"\0\0" + b"x" * 19),
        (6, b"\0\0" + b"x" * 21),
        (33, b"\0\0\0\0\0\0"),
        (35, b"\0\0\0\0\1a\1b"),
        (35, b"\0\0\0\0\1a\1b\1c"),
        (46, b"x" * 18),
    ],
)
def test_rdata_of_the_wrong_size(rdtype: int, rdata: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.canonical_rdata(rdata, 0, len(rdata), rdtype)
    # Octets of the next record must not be taken for the missing ones.
    with pytest.raises(wire.WireError):
        wire.canonical_rdata(rdata + b"\0" * 40, 0, len(rdata), rdtype)


def test_rdata_over_the_end_of_the_message() -> None:
    with pytest.raises(wire.WireError):
        wire.canonical_rdata(b"abcd", 1, 4, 1)


@given(
    st.lists(st.tuples(names, st.integers(0, 2**31 - 1), st.sampled_from(["NS", "MX", "TXT", "A"]), names), max_size=30)
)
@settings(deadline=None)
def test_any_message_dnspython_renders(parts: list[tuple[dns.name.Name, int, str, dns.name.Name]]) -> None:
    records = []
    for owner, ttl, rdtype, target in parts:
        text = {"NS": target.to_text(), "MX": f"5 {target}", "TXT": '"a"', "A": "192.0.2.1"}[rdtype]
        records.append(dns.rrset.from_rdata(owner, ttl, dns.rdata.from_text("IN", rdtype, text)))
    message = render(records)
    walked = list(wire.walk_records(message))
    assert [each.owner.lower() for each in walked] == [record.name.to_digestable() for record in records]
    for each, record in zip(walked, records):
        assert each.ttl == record.ttl
        canonical = wire.canonical_rdata(message, each.rdata_offset, each.rdata_length, each.rdtype)
        assert canonical == record[0].to_digestable()
    assert digest_of_message(message) == digest_of(records)


def test_a_message_cut_short_anywhere() -> None:
    message = render(all_records()[:2])
    assert len(list(wire.walk_records(message))) == 2
    for cut in range(1, len(message)):
        with pytest.raises(wire.WireError):
            list(wire.walk_records(message[:-cut]))


# --- Fuzz -------------------------------------------------------------------------------------------


def use_everything(message: bytes) -> None:
    """Whatever the octets are: a result, or WireError."""
    for function in (
        lambda: wire.decode_name(message, 12),
        lambda: wire.parse_soa_answer(message, "example.com", int.from_bytes(message[:2], "big")),
        lambda: [
            wire.canonical_rdata(message, each.rdata_offset, each.rdata_length, each.rdtype)
            for each in wire.walk_records(message)
        ],
        lambda: wire.digest_answers(message, 12, 50, wire.ContentDigest()),
        lambda: digest_of_message(message),
    ):
        try:
            function()
        except wire.WireError:
            pass


@given(st.binary(max_size=300))
@settings(max_examples=500, deadline=None)
def test_random_octets(message: bytes) -> None:
    use_everything(message)
    for rdtype in (2, 6, 15, 17, 24, 33, 35, 46):
        try:
            wire.canonical_rdata(message, 3, len(message) // 2, rdtype)
        except wire.WireError:
            pass


@given(st.data())
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_mutated_messages(data: st.DataObject) -> None:
    message = bytearray(MUTATED_BASE)
    for _change in range(data.draw(st.integers(1, 8))):
        position = data.draw(st.integers(0, len(message) - 1))
        message[position] = data.draw(st.sampled_from([0, 1, 12, 63, 64, 0xC0, 0xFF, message[position] ^ 1]))
    use_everything(bytes(message[: data.draw(st.integers(0, len(message)))]))
    use_everything(bytes(message))


MUTATED_BASE = render([record for record in all_records() if len(record[0].to_wire()) < 200])


def test_a_hostile_message_takes_no_long_time() -> None:
    """The dearest name: as many hops as are allowed, again and again to the end of the message."""
    chain = b"\0" + b"".join(struct.pack("!H", 0xC000 | 12 + max(0, 2 * hop - 1)) for hop in range(126))
    pointer = struct.pack("!H", 0xC000 | 12 + len(chain) - 2)
    record = pointer + struct.pack("!HHIH", 17, 1, 0, 4) + pointer + pointer
    count = (65535 - 12 - len(chain)) // len(record)
    message = bytes(12) + chain + record * count
    started = time.process_time()
    wire.digest_answers(message, 12 + len(chain), count, wire.ContentDigest())
    assert time.process_time() - started < 1


# --- Digest -----------------------------------------------------------------------------------------


def digest_of(records: list[dns.rrset.RRset]) -> str:
    """Through add_wire(), with uncompressed RDATA as dnspython has it."""
    digest = wire.ContentDigest()
    for record in records:
        digest.add_wire(record.name.to_wire(), record.rdtype, record.rdclass, record.ttl, record[0].to_wire())
    assert digest.records == len(records)
    return digest.hexdigest()


def digest_of_message(message: bytes) -> str:
    """Through digest_answers(), SOA records added by add()."""
    digest = wire.ContentDigest()
    header = wire.parse_header(message)
    offset = 12
    for _question in range(header.questions):
        offset = wire.decode_name(message, offset)[1] + 4
    for _index, soa in wire.digest_answers(message, offset, header.answers, digest).soas:
        digest.add(soa.owner, soa.rdtype, soa.rdclass, soa.ttl, message, soa.rdata_offset, soa.rdata_length)
    assert digest.records == header.answers
    return digest.hexdigest()


def test_the_digest_by_its_definition() -> None:
    """Sum of SHA-256 values, here made with dnspython's canonical form and nothing of the wire module."""
    records = [record for record in all_records() if record.rdtype not in (dns.rdatatype.SVCB, dns.rdatatype.HTTPS)]
    assert records.pop(0).rdtype == dns.rdatatype.SOA
    total = 0
    for record in records:
        rdata = record[0].to_digestable()
        fixed = struct.pack("!HHIH", record.rdtype, 1, record.ttl, len(rdata))
        total += int.from_bytes(hashlib.sha256(record.name.to_digestable() + fixed + rdata).digest(), "big")
    assert digest_of(records) == f"{total % 2**256:064x}"


def test_message_and_uncompressed_records_digest_alike() -> None:
    records = all_records()
    assert digest_of_message(render(records)) == digest_of(records)
    # add() with RDATA in a message, for every type.
    digest = wire.ContentDigest()
    message = render(records)
    for each in wire.walk_records(message):
        digest.add(each.owner, each.rdtype, each.rdclass, each.ttl, message, each.rdata_offset, each.rdata_length)
    assert digest.hexdigest() == digest_of(records)


def test_order_does_not_matter_and_duplicates_do() -> None:
    records = all_records()
    shuffled = list(records)
    random.Random(1).shuffle(shuffled)
    assert shuffled != records
    assert digest_of(shuffled) == digest_of(records)
    assert digest_of_message(render(shuffled)) == digest_of(records)
    assert digest_of([*records, records[3]]) != digest_of(records)
    assert digest_of([*records, records[3], records[3]]) != digest_of(records)


def test_case_of_names_is_ignored_and_case_of_text_is_not() -> None:
    def digest(owner: str, rdtype: str, value: str) -> str:
        return digest_of([dns.rrset.from_text(owner, 300, "IN", rdtype, value)])

    assert digest("WWW.example.", "A", "192.0.2.1") == digest("www.EXAMPLE.", "A", "192.0.2.1")
    assert digest("www.example.", "NS", "NS.Example.") == digest("www.example.", "NS", "ns.example.")
    assert digest("www.example.", "TXT", '"A"') != digest("www.example.", "TXT", '"a"')
    assert digest("www.example.", "NSEC", "A.example. A") != digest("www.example.", "NSEC", "a.example. A")
    # NSD gives these in lower case, BIND as they were written: no difference in content.
    for rdtype, after in (("SVCB", "alpn=h2"), ("HTTPS", "alpn=h2"), ("LP", "")):
        was = digest("www.example.", rdtype, f"1 WWW.Example. {after}")
        assert was == digest("www.example.", rdtype, f"1 www.example. {after}")
        assert was != digest("www.example.", rdtype, f"2 WWW.Example. {after}")
    assert digest("a.example.", "HTTPS", "1 . alpn=h2") != digest("a.example.", "HTTPS", "1 . alpn=h3")


def soa_text(serial: int, mname: str = "ns1.example.", refresh: int = 3600) -> dns.rrset.RRset:
    text = f"{mname} hostmaster.example. {serial} {refresh} 600 1209600 3600"
    return dns.rrset.from_text("example.", 3600, "IN", "SOA", text)


def test_only_the_serial_of_the_soa_is_ignored() -> None:
    assert digest_of([soa_text(1)]) == digest_of([soa_text(4294967295)])
    assert digest_of_message(render([soa_text(1)])) == digest_of([soa_text(2)])
    assert digest_of([soa_text(1)]) != digest_of([soa_text(1, refresh=3601)])
    assert digest_of([soa_text(1)]) != digest_of([soa_text(1, mname="ns2.example.")])


@given(st.sampled_from(all_records()), st.data())
@settings(deadline=None)
def test_every_other_change_is_seen(record: dns.rrset.RRset, data: st.DataObject) -> None:
    """By octets, in a type without names: owner, type, class, TTL, RDATA."""
    owner, rdata = record.name.to_wire().lower(), record[0].to_wire()
    generic = 65000

    def digest(*arguments: object) -> str:
        content = wire.ContentDigest()
        content.add_wire(*arguments)  # type: ignore[arg-type]
        return content.hexdigest()

    was = digest(owner, generic, 1, 300, rdata)
    assert digest(b"\1x" + owner, generic, 1, 300, rdata) != was
    assert digest(owner, generic + 1, 1, 300, rdata) != was
    assert digest(owner, generic, 3, 300, rdata) != was
    assert digest(owner, generic, 1, 301, rdata) != was
    assert digest(owner, generic, 1, 300, rdata + b"\0") != was
    position = data.draw(st.integers(0, len(rdata) - 1))
    changed = bytearray(rdata)
    changed[position] ^= 1 << data.draw(st.integers(0, 7))
    assert digest(owner, generic, 1, 300, bytes(changed)) != was


def test_an_empty_digest() -> None:
    assert wire.ContentDigest().hexdigest() == "0" * 64


def test_what_the_fast_loop_must_not_mistake() -> None:
    """An owner that is the root, with a type that looks like the compression pointer to the question."""
    generic = dns.rdata.GenericRdata(1, 0xC00C, b"data")
    records = [
        dns.rrset.from_rdata(dns.name.from_text("a.example.com."), 300, generic),
        dns.rrset.from_rdata(dns.name.from_text("b.example.com."), 300, generic),
        dns.rrset.from_rdata(dns.name.root, 300, generic),
        dns.rrset.from_rdata(dns.name.from_text("a.b.c.d.example.com."), 300, generic),
        dns.rrset.from_rdata(dns.name.from_text("z.d.example.com."), 300, generic),
    ]
    assert digest_of_message(render(records)) == digest_of(records)


def test_a_kind_of_label_that_the_fast_loop_must_refuse() -> None:
    fixed = struct.pack("!HHIH", 1, 1, 300, 4) + b"abcd"
    first = bytes(12) + b"\1a\0" + fixed + b"\xc0\x0c" + fixed
    good = first + b"\x3f" + b"x" * 0x3F + b"\xc0\x0c" + fixed
    assert wire.digest_answers(good, 12, 3, wire.ContentDigest()).end == len(good)
    bad = first + b"\x41" + b"x" * 0x41 + b"\xc0\x0c" + fixed
    with pytest.raises(wire.WireError, match="kind of label"):
        wire.digest_answers(bad, 12, 3, wire.ContentDigest())


def test_a_name_that_grows_too_long_by_its_pointer() -> None:
    long = wire.encode_name(".".join(["a" * 63, "b" * 63, "c" * 63]))
    fixed = struct.pack("!HHIH", 1, 1, 300, 4) + b"abcd"
    good = bytes(12) + long + fixed + b"\xc0\x0c" + fixed + b"\x3c" + b"d" * 60 + b"\xc0\x0c" + fixed
    assert wire.digest_answers(good, 12, 3, wire.ContentDigest()).end == len(good)
    bad = bytes(12) + long + fixed + b"\xc0\x0c" + fixed + b"\x3f" + b"d" * 63 + b"\xc0\x0c" + fixed
    digest = wire.ContentDigest()
    with pytest.raises(wire.WireError, match="longer"):
        wire.digest_answers(bad, 12, 3, digest)
    assert (digest.records, digest.hexdigest()) == (0, "0" * 64)


def test_the_walk_is_fast() -> None:
    """A zone of a million records must take seconds: a wide bound, for a slow and busy machine."""
    count = 2000
    message = render([dns.rrset.from_text(f"host{i}.example.com.", 300, "IN", "A", "192.0.2.1") for i in range(count)])
    digest = wire.ContentDigest()
    started = time.process_time()
    for _round in range(25):
        wire.digest_answers(message, 12 + len(wire.encode_name("example.com")) + 4, count, digest)
    seconds = time.process_time() - started
    assert digest.records == 25 * count
    assert digest.records / seconds > 100_000
