# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TSIG keys: given in the inventory, or derived from one master secret.

Runs on the controller only. No text made here, errors included, ever holds a secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import string
import struct
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.names import domain_name
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.topology import GivenKey, Topology

ALGORITHM = "hmac-sha256"
# RFC 8945 section 6: md5 must not be used, sha1 is not recommended.
GIVEN_ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512")
_ALGORITHM = re.compile(r"hmac-[a-z0-9.-]{1,24}", re.IGNORECASE)
SECRET_OCTETS = 32
# A peer's secret may be the other side's choice; below 128 bits it could be searched for.
PEER_SECRET_OCTETS = 16
MAKE_SECRET = "Make one with  openssl rand -base64 32  and keep it in a file encrypted with ansible-vault"


@dataclass(frozen=True)
class Key:
    """A TSIG key; the secret is base64 and never part of the text form."""

    name: str
    algorithm: str
    secret: str = field(repr=False)


def hkdf_sha256(secret: bytes, info: bytes, length: int, salt: bytes = b"") -> bytes:
    """HKDF with SHA-256 (RFC 5869 section 2).

    :param length: octets wanted, at most 255 * 32.
    """
    pseudorandom_key = hmac.new(salt or bytes(32), secret, hashlib.sha256).digest()
    output, block, counter = b"", b"", 0
    while len(output) < length:
        counter += 1
        block = hmac.new(pseudorandom_key, block + info + bytes([counter]), hashlib.sha256).digest()
        output += block
    return output[:length]


def derive(master: bytes, primary_id: str, secondary_id: str, generation: int) -> str:
    """The secret of one link's key, base64.

    Each part of the info is preceded by its length, so that no two links can share an info.
    """
    parts = [b"dnsops.redundant_dns tsig 1", ALGORITHM.encode(), primary_id.encode(), secondary_id.encode()]
    info = b"".join(struct.pack("!H", len(part)) + part for part in parts) + struct.pack("!I", generation)
    return base64.b64encode(hkdf_sha256(master, info, SECRET_OCTETS)).decode()


def read_master(value: Any) -> bytes:
    """The octets of ``tsig_master_secret``.

    :raises InputError: for anything that is not the base64 of at least 32 random-looking octets.
    """
    reason = _weakness(value, SECRET_OCTETS)
    if reason:
        raise InputError([Problem("tsig_master_secret %s" % reason, MAKE_SECRET)])
    return base64.b64decode(value)


def _weakness(value: Any, octets: int) -> str:
    """Why this base64 text is no secret of at least so many octets; empty where it is one.

    32 random octets have fewer than 19 different values, or fewer than 19 different steps from one octet to the next,
    or are all printable, less than once in 10^9 times; 16 of them less than half of either once in 10^8.
    """
    if not isinstance(value, str) or not value:
        return "is missing"
    try:
        secret = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return "is not base64"
    if len(secret) < octets:
        return "has %d octets; it needs at least %d" % (len(secret), octets)
    steps = {(after - octet) % 256 for octet, after in zip(secret, secret[1:])}
    different = 19 if len(secret) >= SECRET_OCTETS else len(secret) // 2
    if min(len(set(secret)), len(steps)) < different or all(chr(octet) in string.printable for octet in secret):
        return "can be guessed: it is a text or a pattern, not random octets"
    return ""


def read_given(entries: Any) -> List[Tuple[GivenKey, Key]]:
    """The keys of ``tsig_keys``: a list of {primary, secondary, name, algorithm, secret}.

    :raises InputError: with every mistake found.
    """
    problems: List[Problem] = []
    found: List[Tuple[GivenKey, Key]] = []
    if not isinstance(entries, (list, tuple)):
        raise InputError([
            Problem("tsig_keys is not a list", "Write  - {primary: HOST, secondary: HOST, name: ..., secret: ...}")
        ])  # fmt: skip
    for index, entry in enumerate(entries):
        key = _read_key("tsig_keys[%d]" % index, entry, ("primary", "secondary", "name", "secret"), problems)
        if key is not None:
            ends = GivenKey(entry["primary"], entry["secondary"], key.name)
            _refuse_twice("tsig_keys[%d]" % index, key, [other for each, other in found if each == ends], problems)
            found.append((ends, key))
    if problems:
        raise InputError(problems)
    return found


def read_peer_keys(peers: Mapping[str, Any]) -> Dict[str, List[Key]]:
    """Peer -> the keys in its entry of ``dns_peers``: a list of {name, algorithm, secret}, the one to use first.

    :raises InputError: with every mistake found.
    """
    problems: List[Problem] = []
    found: Dict[str, List[Key]] = {}
    for peer, settings in peers.items():
        entries = settings.get("keys") if isinstance(settings, Mapping) else None
        place = "dns_peers: %s: keys" % peer
        if not isinstance(entries, (list, tuple)):
            if entries is not None:
                problems.append(Problem("%s is not a list" % place, "Write  keys: [{name: ..., secret: ...}]"))
            continue
        keys = [
            _read_key("%s[%d]" % (place, index), entry, ("name", "secret"), problems, octets=PEER_SECRET_OCTETS)
            for index, entry in enumerate(entries)
        ]
        found[peer] = []
        for index, key in enumerate(keys):
            if key is not None:
                _refuse_twice("%s[%d]" % (place, index), key, found[peer], problems)
                found[peer].append(key)
    if problems:
        raise InputError(problems)
    return found


def shared_by_peers(peer_keys: Mapping[str, Sequence[Key]]) -> List[str]:
    """Names of keys that are the same, secret included, with all peers that have one of the name.

    So two peers may be the two directions of one agreement.
    """
    found: Dict[str, List[Key]] = {}
    for keys in peer_keys.values():
        for key in keys:
            found.setdefault(key.name, []).append(key)
    return [name for name, keys in found.items() if len(keys) > 1 and all(key == keys[0] for key in keys)]


def _refuse_twice(place: str, key: Key, others: Sequence[Key], problems: List[Problem]) -> None:
    """A name server knows a key by its name, so that the second of one name would replace the first."""
    if key.name in [other.name for other in others]:
        problems.append(Problem('%s: the key "%s" is there twice' % (place, key.name), "Keep one of the two"))


def _read_key(
    place: str, entry: Any, wanted: Sequence[str], problems: List[Problem], octets: int = SECRET_OCTETS
) -> Optional[Key]:
    """The key of one entry; None where it has not even a name."""
    missing = [key for key in wanted if not isinstance(entry, Mapping) or not isinstance(entry.get(key), str)]
    if missing:
        problems.append(
            Problem("%s lacks %s" % (place, ", ".join(missing)), "It needs %s, each a text" % ", ".join(wanted))
        )
        return None
    algorithm = entry.get("algorithm", ALGORITHM)
    if algorithm not in GIVEN_ALGORITHMS:
        # What is no name of one is not shown: it may be the secret in the wrong place.
        shown = (
            "algorithm %s" % algorithm
            if isinstance(algorithm, str) and _ALGORITHM.fullmatch(algorithm)
            else "its algorithm"
        )
        problems.append(
            Problem("%s: %s is not accepted" % (place, shown), "Use one of %s" % ", ".join(GIVEN_ALGORITHMS))
        )
    try:
        name = domain_name(entry["name"])
    except ValueError:  # its text is not shown: it may be a secret in the wrong place
        problems.append(Problem("%s: its name is not a domain name" % place, "Write one, such as transfer-key"))
        return None
    reason = _weakness(entry["secret"], octets)
    if reason:
        problems.append(Problem('%s: the secret of "%s" %s' % (place, name, reason), MAKE_SECRET))
    return Key(name, str(algorithm), entry["secret"])


def keys_of(
    topology: Topology,
    host: str,
    master: Any,
    generations: Sequence[int],
    given: Sequence[Tuple[GivenKey, Key]],
    of_peers: Mapping[str, Sequence[Key]],
) -> List[Key]:
    """The keys of one host's links, its self link included; sorted by name.

    :param of_peers: peer -> its keys.
    :raises InputError: where a key must be derived and the master secret is missing or weak.
    """
    given_by_name: Dict[str, Key] = {key.name: key for _end, key in given}
    keys: Dict[str, Key] = {}
    for link in topology.links_of(host):
        peer = next((end for end in (link.primary, link.secondary) if end in topology.peers), None)
        if peer is not None:
            found = of_peers.get(peer, ())
        elif link.keys[0] in given_by_name:
            found = [given_by_name[name] for name in link.keys]
        else:
            ids = [topology.end(end).id for end in (link.primary, link.secondary)]
            found = [
                Key(name, ALGORITHM, derive(read_master(master), ids[0], ids[1], generation))
                for name, generation in zip(link.keys, generations)
            ]
        keys.update((key.name, key) for key in found)
    return [keys[name] for name in sorted(keys)]


def statement(key: Key, dialect: str) -> str:
    """One key as the server's configuration has it.

    :param dialect: ``bind`` or ``nsd``. ``dig -k`` reads the form of BIND.
    """
    if dialect == "bind":
        return 'key "%s" {\n\talgorithm %s;\n\tsecret "%s";\n};\n' % (key.name, key.algorithm, key.secret)
    return 'key:\n\tname: "%s"\n\talgorithm: %s\n\tsecret: "%s"\n' % (key.name, key.algorithm, key.secret)
