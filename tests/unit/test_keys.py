"""TSIG keys: derivation by RFC 5869, what is refused, and that no text shows a secret."""

from __future__ import annotations

import base64
import os
import random
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import keys, topology, views
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import read_key_file
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.keys import Key
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.topology import GivenKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sites import HOSTS, make_cloud_site, make_site

# Fixed random octets: what a failing test shows is the same each time.
MASTER = bytes.fromhex(
    "28 93 e6 50 2f 44 68 60 67 ae a8 47 78 94 ae 59 c5 3a 04 6b e4 fe c3 81 3a 81 69 3e 2f 8f 4e 6b"
)
MASTER_TEXT = base64.b64encode(MASTER).decode()
GIVEN_TEXT = base64.b64encode(bytes(octet ^ 0x5A for octet in MASTER)).decode()

# RFC 5869, appendices A.1 to A.3: secret, salt, info, length, output.
RFC_5869 = {
    "A.1": (
        "0b" * 22,
        "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9",
        42,
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    "A.2": (
        bytes(range(0x00, 0x50)).hex(),
        bytes(range(0x60, 0xB0)).hex(),
        bytes(range(0xB0, 0x100)).hex(),
        82,
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    "A.3": (
        "0b" * 22,
        "",
        "",
        42,
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
}


@pytest.mark.parametrize("case", RFC_5869)
def test_the_vectors_of_rfc_5869(case: str) -> None:
    secret, salt, info, length, output = RFC_5869[case]
    found = keys.hkdf_sha256(bytes.fromhex(secret), bytes.fromhex(info), length, bytes.fromhex(salt))
    assert found.hex() == output


def test_the_longest_output() -> None:
    assert len(keys.hkdf_sha256(b"secret", b"", 255 * 32)) == 255 * 32
    with pytest.raises(ValueError):
        keys.hkdf_sha256(b"secret", b"", 255 * 32 + 1)


# --- derivation ------------------------------------------------------------------------------------------------------


def independent(master: bytes, primary: str, secondary: str, generation: int) -> str:
    """The same derivation by another implementation of HKDF."""
    hashes = pytest.importorskip("cryptography.hazmat.primitives.hashes")
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = b""
    for part in (b"dnsops.redundant_dns tsig 1", b"hmac-sha256", primary.encode(), secondary.encode()):
        info += struct.pack("!H", len(part)) + part
    info += struct.pack("!I", generation)
    return base64.b64encode(HKDF(hashes.SHA256(), 32, None, info).derive(master)).decode()


# A change of these breaks the keys of every site that is deployed, for as long as its run takes.
PINNED = {
    ("ns1.example.net", "ns2.example.net", 1): "VJvGBPUihBqPmrcA4yhPQ9yf+w4txSN9hhVDoC75gaA=",
    ("ns1.example.net", "ns2.example.net", 2): "BgAdQUK+W15HL2mvLPldllLvlUZ7cw3iuLq6GMiLrY8=",
    ("ns2.example.net", "ns1.example.net", 1): "hrGWGBd+VonIX8iPjwyD0wmJa5+dsuBCBRSsfMYWfC8=",
    ("ns1.example.net", "ns1.example.net", 1): "x2n+r1hsDBWo9SkerVDdqITIzK2JrhnTWnG2F9wXRkU=",
}


@pytest.mark.parametrize("ends", PINNED)
def test_known_answers(ends: tuple[str, str, int]) -> None:
    assert keys.derive(MASTER, *ends) == PINNED[ends]


@pytest.mark.parametrize("ends", PINNED)
def test_known_answers_by_another_implementation(ends: tuple[str, str, int]) -> None:
    assert independent(MASTER, *ends) == PINNED[ends]


@settings(max_examples=50)
@given(st.binary(min_size=32, max_size=64), st.text(max_size=20), st.text(max_size=20), st.integers(1, 2**32 - 1))
def test_any_derivation_by_another_implementation(master: bytes, primary: str, secondary: str, generation: int) -> None:
    assert keys.derive(master, primary, secondary, generation) == independent(master, primary, secondary, generation)


def test_a_secret_depends_on_every_part() -> None:
    parts = [
        (MASTER, "one.test", "two.test", 1),
        (MASTER[:-1] + b"x", "one.test", "two.test", 1),
        (MASTER, "ome.test", "two.test", 1),
        (MASTER, "one.test", "twp.test", 1),
        (MASTER, "two.test", "one.test", 1),
        (MASTER, "one.test", "two.test", 2),
        # The border between the ends is part of it.
        (MASTER, "one.testt", "wo.test", 1),
        (MASTER, "one.tes", "ttwo.test", 1),
        (MASTER, "one.test\x00\x08two.test", "", 1),
    ]
    secrets = [keys.derive(*each) for each in parts]
    assert len(set(secrets)) == len(parts)
    assert all(len(base64.b64decode(secret)) == 32 for secret in secrets)


# --- weak secrets ----------------------------------------------------------------------------------------------------


def text_of(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


MAKE = " Make one with  openssl rand -base64 32  and keep it in a file encrypted with ansible-vault."
GUESSED = "can be guessed: it is a text or a pattern, not random octets"
WEAK = {
    "not set": (None, "is missing"),
    "empty": ("", "is missing"),
    "a number": (12345678901234567890, "is missing"),
    "octets": (MASTER, "is missing"),
    "a list": ([MASTER_TEXT], "is missing"),
    "not base64": ("correct horse battery staple, and what else there is", "is not base64"),
    "cut off": (MASTER_TEXT[:-1], "is not base64"),
    "with a line end": (MASTER_TEXT + "\n", "is not base64"),
    "other letters": ("\u00e4" * 44, "is not base64"),
    "31 octets": (text_of(MASTER[:31]), "has 31 octets; it needs at least 32"),
    "none": ("====", "is not base64"),
    "a text": (text_of(b"correct horse battery staple, and what else"), GUESSED),
    "a text with its line end": (text_of(b"The quick brown fox jumps over the lazy dog, 0123456789\n"), GUESSED),
    "hexadecimal": (text_of(MASTER.hex().encode()), GUESSED),
    "base64 twice": (text_of(MASTER_TEXT.encode()), GUESSED),
    "zeros": (text_of(bytes(32)), GUESSED),
    "one octet": (text_of(b"\xa7" * 32), GUESSED),
    "16 octets twice": (text_of(MASTER[:16] * 2), GUESSED),
    "counting": (text_of(bytes(range(32))), GUESSED),
    "counting down": (text_of(bytes(range(200, 160, -1))), GUESSED),
    "counting by seven": (text_of(bytes(number * 7 % 256 for number in range(64))), GUESSED),
    "two counters": (text_of(bytes(range(16)) + bytes(range(100, 116))), GUESSED),
}  # fmt: skip


@pytest.mark.parametrize("name", WEAK)
def test_a_weak_master_secret_is_refused(name: str) -> None:
    value, reason = WEAK[name]
    with pytest.raises(InputError) as caught:
        keys.read_master(value)
    assert str(caught.value) == "tsig_master_secret %s.%s" % (reason, MAKE)


def test_where_a_pattern_begins() -> None:
    chance = random.Random(5869)
    for count, accepted in ((18, False), (19, True)):
        values = chance.sample(range(256), count)
        octets = bytes(values + chance.choices(values, k=32 - count))
        assert len(set(octets)) == count
        if accepted:
            assert keys.read_master(text_of(octets)) == octets
        else:
            with pytest.raises(InputError, match="can be guessed"):
                keys.read_master(text_of(octets))


def test_random_secrets_are_accepted() -> None:
    for size in (32, 33, 48, 64):
        for _each in range(250):
            octets = os.urandom(size)
            assert keys.read_master(text_of(octets)) == octets


# --- given keys ------------------------------------------------------------------------------------------------------

ENTRY = {"primary": "a.test", "secondary": "b.test", "name": "Transfer-Key.", "secret": GIVEN_TEXT}


def test_a_given_key() -> None:
    ((ends, key),) = keys.read_given([ENTRY])
    assert ends == GivenKey("a.test", "b.test", "transfer-key")
    assert key == Key("transfer-key", "hmac-sha256", GIVEN_TEXT)
    ((_ends, key),) = keys.read_given([{**ENTRY, "algorithm": "hmac-sha512"}])
    assert key.algorithm == "hmac-sha512"


NEEDS = " It needs primary, secondary, name, secret, each a text."
ALGORITHMS = " Use one of hmac-sha256, hmac-sha384, hmac-sha512."
BAD_KEYS = {
    "no list": (
        {"a": ENTRY},
        ["tsig_keys is not a list. Write  - {primary: HOST, secondary: HOST, name: ..., secret: ...}."],
    ),
    "no mapping": (["text"], ["tsig_keys[0] lacks primary, secondary, name, secret." + NEEDS]),
    "no ends": ([{"name": "k", "secret": GIVEN_TEXT}], ["tsig_keys[0] lacks primary, secondary." + NEEDS]),
    "a number as name": ([{**ENTRY, "name": 7}], ["tsig_keys[0] lacks name." + NEEDS]),
    "md5": ([{**ENTRY, "algorithm": "hmac-md5"}], ["tsig_keys[0]: algorithm hmac-md5 is not accepted." + ALGORITHMS]),
    "a list as algorithm": (
        [{**ENTRY, "algorithm": []}],
        ["tsig_keys[0]: its algorithm is not accepted." + ALGORITHMS],
    ),
    "algorithm and secret swapped": (
        [{**ENTRY, "algorithm": GIVEN_TEXT, "secret": "hmac-sha256"}],
        [
            "tsig_keys[0]: its algorithm is not accepted." + ALGORITHMS,
            'tsig_keys[0]: the secret of "transfer-key" is not base64.' + MAKE,
        ],
    ),
    "one key twice": (
        [ENTRY, {**ENTRY, "name": "transfer-key"}],
        ['tsig_keys[1]: the key "transfer-key" is there twice. Keep one of the two.'],
    ),
    "no name": (
        [{**ENTRY, "name": "a b"}],
        ["tsig_keys[0]: its name is not a domain name. Write one, such as transfer-key."],
    ),
    "name and secret swapped": (
        [{**ENTRY, "name": GIVEN_TEXT, "secret": "transfer-key"}],
        ["tsig_keys[0]: its name is not a domain name. Write one, such as transfer-key."],
    ),
    "weak": (
        [{**ENTRY, "secret": text_of(b"x" * 32)}],
        ['tsig_keys[0]: the secret of "transfer-key" %s.%s' % (GUESSED, MAKE)],
    ),
    "all": (
        [ENTRY, {**ENTRY, "algorithm": "x", "secret": "short"}, {**ENTRY, "name": ""}],
        [
            "tsig_keys[1]: its algorithm is not accepted." + ALGORITHMS,
            'tsig_keys[1]: the secret of "transfer-key" is not base64.' + MAKE,
            'tsig_keys[1]: the key "transfer-key" is there twice. Keep one of the two.',
            "tsig_keys[2]: its name is not a domain name. Write one, such as transfer-key.",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_KEYS)
def test_mistakes_in_given_keys(name: str) -> None:
    entries, messages = BAD_KEYS[name]
    with pytest.raises(InputError) as caught:
        keys.read_given(entries)
    assert [str(problem) for problem in caught.value.problems] == messages


def test_names_of_given_keys_may_be_the_same_on_different_links() -> None:
    """Whether a name server could tell them apart is the topology's to say."""
    assert len(keys.read_given([ENTRY, {**ENTRY, "secondary": "c.test"}])) == 2


# --- keys of peers ---------------------------------------------------------------------------------------------------

PEER_TEXT = text_of(MASTER[:16])
PEER_KEY = {"name": "Friend.key.", "secret": PEER_TEXT}


def test_keys_of_peers() -> None:
    second = {"name": "old.key", "algorithm": "hmac-sha512", "secret": GIVEN_TEXT}
    assert keys.read_peer_keys({
        "friend": {"role": "secondary", "keys": [PEER_KEY, second]},
        "other": {"keys": ({**PEER_KEY, "name": "old.key"},)},
        "unsigned": {"keys": []},
        "none": {"role": "secondary"},
        "nothing": None,
    }) == {
        "friend": [Key("friend.key", "hmac-sha256", PEER_TEXT), Key("old.key", "hmac-sha512", GIVEN_TEXT)],
        "other": [Key("old.key", "hmac-sha256", PEER_TEXT)],
        "unsigned": [],
    }  # fmt: skip


PLACE = "dns_peers: friend: keys"
BAD_PEER_KEYS = {
    "no list": (PEER_KEY, [PLACE + " is not a list. Write  keys: [{name: ..., secret: ...}]."]),
    "a text": ("friend.key", [PLACE + " is not a list. Write  keys: [{name: ..., secret: ...}]."]),
    "no name": ([{"secret": PEER_TEXT}], [PLACE + "[0] lacks name. It needs name, secret, each a text."]),
    "15 octets": (
        [{**PEER_KEY, "secret": text_of(MASTER[:15])}],
        [PLACE + '[0]: the secret of "friend.key" has 15 octets; it needs at least 16.' + MAKE],
    ),
    "a pattern": (
        [{**PEER_KEY, "secret": text_of(bytes(range(16)))}],
        [PLACE + '[0]: the secret of "friend.key" %s.%s' % (GUESSED, MAKE)],
    ),
    "one name twice": (
        [PEER_KEY, {**PEER_KEY, "name": "friend.KEY", "secret": GIVEN_TEXT}],
        [PLACE + '[1]: the key "friend.key" is there twice. Keep one of the two.'],
    ),
    "name, algorithm and secret in each other's place": (
        [{"name": PEER_TEXT, "secret": "hmac-sha256"}, {**PEER_KEY, "algorithm": PEER_TEXT}],
        [
            PLACE + "[0]: its name is not a domain name. Write one, such as transfer-key.",
            PLACE + "[1]: its algorithm is not accepted." + ALGORITHMS,
        ],
    ),
}


@pytest.mark.parametrize("name", BAD_PEER_KEYS)
def test_mistakes_in_keys_of_peers(name: str) -> None:
    entries, messages = BAD_PEER_KEYS[name]
    with pytest.raises(InputError) as caught:
        keys.read_peer_keys({"good": {"keys": [PEER_KEY]}, "friend": {"keys": entries}})
    assert [str(problem) for problem in caught.value.problems] == messages
    for secret in (PEER_TEXT, GIVEN_TEXT):
        assert secret not in str(caught.value)


def every_message() -> list[str]:
    messages = []
    for value, _reason in WEAK.values():
        for attempt in (lambda v=value: keys.read_master(v), lambda v=value: keys.read_given([{**ENTRY, "secret": v}])):
            with pytest.raises(InputError) as caught:
                attempt()
            messages += [str(caught.value), repr(caught.value), caught.value.as_message()]
    for entries, _messages in BAD_KEYS.values():
        with pytest.raises(InputError) as caught:
            keys.read_given(entries)
        messages += [str(caught.value), repr(caught.value)]
    return messages


def test_no_message_has_a_secret() -> None:
    secrets = {value for value, _reason in WEAK.values() if isinstance(value, str) and len(value) > 10}
    secrets |= {GIVEN_TEXT, MASTER_TEXT, repr(MASTER)}
    for message in every_message():
        for secret in secrets:
            assert secret.strip() not in message


def test_the_text_form_of_a_key_has_no_secret() -> None:
    key = Key("k", "hmac-sha256", GIVEN_TEXT)
    for text in (repr(key), str(key), "%s" % key, repr([key]), repr(keys.read_given([ENTRY]))):
        assert GIVEN_TEXT not in text
        assert "k" in text


# --- the keys of a host ----------------------------------------------------------------------------------------------


def keys_of(host: str, master: Any = MASTER_TEXT, **settings_: Any) -> Mapping[str, Key]:
    given_keys = settings_.pop("given", [])
    site = settings_.pop("make", make_site)(given_keys=[ends for ends, _key in given_keys], **settings_)
    found = keys.keys_of(topology.build(site), host, master, site.generations, given_keys, {})
    assert [key.name for key in found] == sorted(key.name for key in found)
    return {key.name: key for key in found}


def test_both_ends_of_a_link_have_its_key_and_nobody_else() -> None:
    of = {host: keys_of(host, generations=[2, 1]) for host in HOSTS}
    assert set(of["b.test"]) == {"g2.b.test.from.a.test", "g1.b.test.from.a.test", "g2.self.b.test", "g1.self.b.test"}
    for generation in (1, 2):
        name = "g%d.b.test.from.a.test" % generation
        assert of["a.test"][name] == of["b.test"][name]
        assert of["a.test"][name].secret == keys.derive(MASTER, "a.test", "b.test", generation)
        assert name not in of["c.test"]
    secrets = [key.secret for host in HOSTS for key in of[host].values()]
    assert len(set(secrets)) == len(secrets) - 4  # two links of two generations are at both their ends


def test_the_keys_are_those_of_the_topology() -> None:
    built = topology.build(make_site(generations=[2, 1]))
    for host in HOSTS:
        view = views.host_view(built, host)
        names = {topology.key_file(view["kind"], name) for name in keys_of(host, generations=[2, 1])}
        assert names == set(view["key_files"])


def test_a_given_key_is_taken_as_it_is() -> None:
    given_keys = keys.read_given([{**ENTRY, "algorithm": "hmac-sha384"}])
    found = keys_of("b.test", given=given_keys)
    assert set(found) == {"transfer-key", "g1.self.b.test"}
    assert found["transfer-key"] == Key("transfer-key", "hmac-sha384", GIVEN_TEXT)
    assert found["transfer-key"].secret == GIVEN_TEXT
    assert "transfer-key" not in keys_of("c.test", given=given_keys)


def test_an_account_has_the_keys_of_its_links_and_no_self_link() -> None:
    name = "g1.cloudflare.from.a.test"
    found = keys_of("cloudflare", make=make_cloud_site)
    assert found == {name: Key(name, "hmac-sha256", keys.derive(MASTER, "a.test", "cloudflare", 1))}
    assert keys_of("a.test", make=make_cloud_site)[name] == found[name]
    for host in ("b.test", "c.test"):
        assert name not in keys_of(host, make=make_cloud_site)
    # What is pushed to has none, and its push host none for it.
    assert keys_of("route53", make=make_cloud_site) == {}
    assert keys_of("b.test", make=make_cloud_site) == keys_of("b.test")


def test_a_given_key_of_an_account() -> None:
    given_keys = keys.read_given([{**ENTRY, "secondary": "cloudflare", "algorithm": "hmac-sha512"}])
    for host in ("cloudflare", "a.test"):
        found = keys_of(host, given=given_keys, make=make_cloud_site)
        assert found["transfer-key"] == Key("transfer-key", "hmac-sha512", GIVEN_TEXT)
        assert "g1.cloudflare.from.a.test" not in found


def test_keys_of_peers_are_those_of_their_links() -> None:
    peers = {
        "friend": {"role": "secondary", "transfer_from": "203.0.113.53", "keys": ["friend.key"], "default": True},
        "source": {"role": "primary", "transfer_from": "203.0.113.54", "keys": ["source.key", "source.old"]},
        "open": {"role": "secondary", "transfer_from": "203.0.113.55", "keys": [], "default": True},
    }
    site = make_site(
        ["example.com", {"name": "source.test", "primary": "source", "secondaries": ["c.test"]}], peers=peers
    )
    built = topology.build(site)
    of_peers = {
        "friend": [Key("friend.key", "hmac-sha256", PEER_TEXT)],
        "source": [Key("source.key", "hmac-sha512", GIVEN_TEXT), Key("source.old", "hmac-sha256", PEER_TEXT)],
        "open": [],
    }
    found = {host: keys.keys_of(built, host, MASTER_TEXT, [1], [], of_peers) for host in HOSTS}
    names = {host: {key.name for key in found[host]} - {"g1.self.%s" % host} for host in HOSTS}
    assert names == {
        "a.test": {"friend.key", "g1.b.test.from.a.test", "g1.c.test.from.a.test"},
        "b.test": {"g1.b.test.from.a.test"},
        "c.test": {"source.key", "source.old", "g1.c.test.from.a.test"},
    }
    assert of_peers["source"][0] in found["c.test"]


def test_a_renamed_host_that_keeps_its_id_keeps_its_secrets() -> None:
    hosts = {"b.test": {"dns_id": "stable.test"}}
    other = {"new.test": {"dns_address": "192.0.2.2", "dns_id": "stable.test"}}
    before = keys_of("b.test", hosts=hosts)
    after = keys_of("new.test", hosts=other, groups={"bind_secondary": ["new.test"]})
    assert before == after and len(before) == 2
    assert [key.secret for key in before.values()] == [key.secret for key in after.values()]


def test_a_missing_master_is_told_when_a_key_must_be_derived() -> None:
    with pytest.raises(InputError, match="tsig_master_secret is missing"):
        keys_of("b.test", master=None)


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["bind", "nsd"])
@pytest.mark.parametrize("algorithm", keys.GIVEN_ALGORITHMS)
def test_a_key_file_is_read_back(tmp_path: Path, dialect: str, algorithm: str) -> None:
    file = tmp_path / "key"
    file.write_text(keys.statement(Key("g1.b.test.from.a.test", algorithm, MASTER_TEXT), dialect))
    key = read_key_file(str(file))
    assert (key.name, key.algorithm, key.secret) == ("g1.b.test.from.a.test", algorithm, MASTER)


def test_the_statements_as_they_are_written() -> None:
    key = Key("k.test", "hmac-sha256", "c2VjcmV0")
    assert keys.statement(key, "bind") == 'key "k.test" {\n\talgorithm hmac-sha256;\n\tsecret "c2VjcmV0";\n};\n'
    assert keys.statement(key, "nsd") == 'key:\n\tname: "k.test"\n\talgorithm: hmac-sha256\n\tsecret: "c2VjcmV0"\n'
