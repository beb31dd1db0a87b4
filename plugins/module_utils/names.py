# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Domain names as people write them, and as they are used everywhere here."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from ipaddress import ip_network
from typing import Any, Optional

try:
    import idna

    HAS_IDNA = True
except ImportError:
    HAS_IDNA = False

# RFC 1035 section 2.3.4. Slash as in RFC 2317 names, underscore as in RFC 8552.
_LABEL = re.compile(r"[a-z0-9_/]([a-z0-9_/-]{0,61}[a-z0-9_/])?")
_HOST_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def printable(text: str, length: int = 80) -> str:
    """What a message quotes: short, and fit for a terminal."""
    if len(text) <= length and text.isprintable():
        return text
    shown = "".join(character if character.isprintable() else "?" for character in text[:length])
    return shown if len(text) <= length else f"{shown}..."


def shown(value: Any) -> str:
    """Any value of the inventory as a message quotes it; text in quotes."""
    return printable(str(value) if isinstance(value, date) else repr(value))


def not_text(value: Any) -> str:
    """Why a value of YAML is no name: most often it has been read as something else than was written."""
    if isinstance(value, bool):
        return "YAML reads yes, no, on, off, true and false as truth values; put it in quotes"
    if isinstance(value, (int, float)):
        return "YAML reads %s as a number; put it in quotes" % shown(value)
    if isinstance(value, date):
        return "YAML reads %s as a date; put it in quotes" % shown(value)
    return "it has no value" if value is None else "it is not text"


def to_ascii(name: str) -> str:
    """A domain name with its labels outside ASCII as A-labels (IDNA 2008, RFC 5891); a name in ASCII as it is.

    Labels are brought to lower case and normal form C first, as RFC 5895 suggests; there is no other mapping.
    Raises ValueError with the reason and the mend.
    """
    if name.isascii():
        return name
    return ".".join(label if label.isascii() else _a_label(label, name) for label in name.split("."))


def _a_label(label: str, name: str) -> str:
    if not HAS_IDNA:
        raise ValueError(
            f'"{printable(name)}" has letters outside ASCII: write its A-labels (xn--...) or install the Python '
            "package idna on the controller"
        )
    try:
        return idna.alabel(unicodedata.normalize("NFC", label.lower())).decode("ascii")
    except ValueError as error:  # idna.IDNAError is one
        raise ValueError(
            f'"{printable(name)}" is no internationalised name: {printable(str(error)).rstrip(".")}'
        ) from None


def domain_name(value: Any, host_name: bool = False) -> str:
    """A name as it is used everywhere here: A-labels, lower case, no final dot.

    :param host_name: only letters, digits and hyphens, and no IP address (RFC 1123 section 2.1).
    :raises ValueError: with the reason, for what is no such name (RFC 1035 section 2.3.4).
    """
    if not isinstance(value, str):
        raise ValueError(not_text(value))
    name = to_ascii(value).lower()
    if name.endswith("."):
        name = name[:-1]
    label_form = _HOST_LABEL if host_name else _LABEL
    labels = name.split(".")
    wrong = len(name) > 253 or not all(label_form.fullmatch(label) for label in labels)
    if wrong or (host_name and labels[-1].isdigit()):
        what = "host name, which has letters, digits and hyphens between the dots" if host_name else "domain name"
        raise ValueError('"%s" is not a %s' % (printable(value), what))
    return name


def file_name(zone: str) -> str:
    """The file name of a zone or key, without an extension. A slash (RFC 2317) becomes a plus, which no name has."""
    return zone.replace("/", "+")


def zone_file(zone: str) -> str:
    """The name of a zone's file on a name server."""
    return "%s.zone" % file_name(zone)


def zone_name_of_file(stem: str) -> str:
    """The reverse of :func:`file_name`."""
    return stem.replace("+", "/")


def is_host_label(text: str) -> bool:
    """Whether it is one label of a host name, in lower case."""
    return _HOST_LABEL.fullmatch(text) is not None


def reverse_zone(network: str) -> Optional[str]:
    """The reverse zone of an IP network that ends where a label does (RFC 1035 section 3.5, RFC 3596 section 2.5).

    None for what is no network, or ends within a label.
    """
    try:
        parsed = ip_network(network)
    except ValueError:
        return None
    bits = 8 if parsed.version == 4 else 4
    if "/" not in network or parsed.prefixlen == 0 or parsed.prefixlen % bits:
        return None
    labels = parsed.network_address.reverse_pointer.split(".")
    return ".".join(labels[(parsed.max_prefixlen - parsed.prefixlen) // bits :])
