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
import string
import struct
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.topology import GivenKey, Topology, domain_name

ALGORITHM = "hmac-sha256"
# RFC 8945 section 6: md5 must not be used, sha1 is not recommended.
GIVEN_ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512")
SECRET_OCTETS = 32
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
    or are all printable, less than once in 10^9 times.
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
    if min(len(set(secret)), len(steps)) < 19 or all(chr(octet) in string.printable for octet in secret):
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
        place = "tsig_keys[%d]" % index
        wanted = ("primary", "secondary", "name", "secret")
        missing = [key for key in wanted if not isinstance(entry, Mapping) or not isinstance(entry.get(key), str)]
        if missing:
            problems.append(
                Problem("%s lacks %s" % (place, ", ".join(missing)), "It needs %s, each a text" % ", ".join(wanted))
            )
            continue
        algorithm = entry.get("algorithm", ALGORITHM)
        if algorithm not in GIVEN_ALGORITHMS:
            problems.append(
                Problem(
                    "%s: algorithm %s is not accepted" % (place, algorithm),
                    "Use one of %s" % ", ".join(GIVEN_ALGORITHMS),
                )
            )
        try:
            name = domain_name(entry["name"])
        except ValueError:  # its text is not shown: it may be a secret in the wrong place
            problems.append(Problem("%s: its name is not a domain name" % place, "Write one, such as transfer-key"))
            continue
        reason = _weakness(entry["secret"], SECRET_OCTETS)
        if reason:
            problems.append(Problem('%s: the secret of "%s" %s' % (place, name, reason), MAKE_SECRET))
        found.append((GivenKey(entry["primary"], entry["secondary"], name), Key(name, str(algorithm), entry["secret"])))
    if problems:
        raise InputError(problems)
    return found


def keys_of(
    topology: Topology, host: str, master: Any, generations: Sequence[int], given: Sequence[Tuple[GivenKey, Key]]
) -> List[Key]:
    """The keys of one host's links, its self link included; sorted by name.

    :raises InputError: where a key must be derived and the master secret is missing or weak.
    """
    given_by_name: Dict[str, Key] = {key.name: key for _end, key in given}
    keys: List[Key] = []
    for link in topology.links_of(host):
        if link.keys and link.keys[0] in given_by_name:
            keys += [given_by_name[name] for name in link.keys]
            continue
        ids = [topology.servers[end].id for end in (link.primary, link.secondary)]
        keys += [
            Key(name, ALGORITHM, derive(read_master(master), ids[0], ids[1], generation))
            for name, generation in zip(link.keys, generations)
        ]
    return sorted(keys, key=lambda key: key.name)


def statement(key: Key, dialect: str) -> str:
    """One key as the server's configuration has it.

    :param dialect: ``bind`` or ``nsd``. ``dig -k`` reads the form of BIND.
    """
    if dialect == "bind":
        return 'key "%s" {\n\talgorithm %s;\n\tsecret "%s";\n};\n' % (key.name, key.algorithm, key.secret)
    return 'key:\n\tname: "%s"\n\talgorithm: %s\n\tsecret: "%s"\n' % (key.name, key.algorithm, key.secret)
