# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data of the presets, its warnings, and that docs/providers says the same."""

from __future__ import annotations

import re
from datetime import date, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
import yaml
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.names import domain_name, is_host_label
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.providers import PROVIDERS, Provider, warnings
from conftest import ROOT

PAGES = ROOT / "docs" / "providers"
OVERVIEW = (PAGES / "README.md").read_text(encoding="utf-8")
BLOB = "https://github.com/dnsops/redundant_dns/blob/main/"
USABLE = {name: provider for name, provider in PROVIDERS.items() if not provider.refused}
REFUSED = {name: provider for name, provider in PROVIDERS.items() if provider.refused}
# Cloudflare is managed: its page is about the role, not about a peer.
PEERS = {name: provider for name, provider in USABLE.items() if name != "cloudflare"}
every = pytest.mark.parametrize(("name", "provider"), PROVIDERS.items(), ids=PROVIDERS)
every_peer = pytest.mark.parametrize(("name", "provider"), PEERS.items(), ids=PEERS)


# --- the data --------------------------------------------------------------------------------------------------------


@every
def test_names_and_texts(name: str, provider: Provider) -> None:
    assert is_host_label(name)
    assert name == name.lower()
    assert provider.title
    assert re.fullmatch(r"https://\S+", provider.source)
    for text in (provider.note, provider.told_in, provider.refused):
        assert text.isprintable()
        assert not text.endswith(".")


@every
def test_addresses_are_public_and_as_named_has_them(name: str, provider: Provider) -> None:
    # Networks are fit for an ACL alone: nobody can be notified or asked at one.
    for address in (*provider.notify_to, *provider.address):
        assert str(ip_address(address)) == address
    for address in (*provider.transfer_from, *provider.notify_to, *provider.address):
        network = ip_network(address)
        assert str(network if "/" in address else network.network_address) == address
        assert network.is_global
    for addresses in (provider.transfer_from, provider.notify_to, provider.address):
        assert len(set(addresses)) == len(addresses)


@every
def test_families(name: str, provider: Provider) -> None:
    """A primary with one of the provider's transfer families alone is notified over it, or not at all."""
    transfers, notified = (
        {ip_network(address).version for address in addresses}
        for addresses in (provider.transfer_from, provider.notify_to)
    )
    assert notified <= transfers
    assert 4 in transfers or not transfers, "an IPv6 address alone leaves most primaries out"


@every
def test_name_servers_are_host_names(name: str, provider: Provider) -> None:
    for server in provider.name_servers:
        assert domain_name(server, host_name=True) == server


@every
def test_dates(name: str, provider: Provider) -> None:
    checked, review = date.fromisoformat(provider.checked), date.fromisoformat(provider.review)
    assert timedelta(days=30) <= review - checked <= timedelta(days=200)


@every
def test_a_row_has_addresses_or_says_why_not(name: str, provider: Provider) -> None:
    told_or_refused = bool(provider.told_in or provider.refused)
    assert bool(provider.transfer_from) != told_or_refused
    assert not (provider.told_in and provider.refused)
    if told_or_refused:
        assert not (provider.notify_to or provider.name_servers or provider.address)


def test_presets_of_the_larger_services_exist() -> None:
    wanted = {
        "hurricane-electric",
        "hetzner",
        "ns1",
        "oracle",
        "cloudns",
        "akamai",
        "dnsimple",
        "buddyns",
        "cloudflare",
    }
    assert wanted <= set(USABLE)
    assert set(REFUSED) == {"azure-dns", "desec", "digitalocean", "google-cloud-dns", "ovh"}


def test_what_transfers_from_hurricane_electric_is_not_notified() -> None:
    provider = PROVIDERS["hurricane-electric"]
    assert provider.transfer_from
    assert provider.notify_to
    assert not set(provider.transfer_from) & set(provider.notify_to)


def test_former_addresses_of_cloudflare_are_gone() -> None:
    """They stop on 2026-12-01."""
    former = ["198.41.144.240/28", "198.41.150.240/28", "2a06:98c0:3601::/48", "2a06:98c0:1401::/48"]
    for address in PROVIDERS["cloudflare"].transfer_from:
        for network in former:
            same_family = ip_network(address).version == ip_network(network).version
            assert not (same_family and ip_network(address).overlaps(ip_network(network)))


# --- warnings --------------------------------------------------------------------------------------------------------

DUE = date.fromisoformat(PROVIDERS["dnsimple"].review)


def test_a_checked_preset_warns_from_its_review_on() -> None:
    assert warnings(["dnsimple"], DUE - timedelta(days=1)) == []
    for day in (DUE, DUE + timedelta(days=400)):
        assert [str(problem) for problem in warnings(["dnsimple"], day)] == [
            "preset dnsimple: the addresses of DNSimple were last checked on 2026-11-22, and may have changed since. "
            "Compare with https://support.dnsimple.com/articles/secondary-dns-dnsimple-as-secondary/ and write the "
            "addresses yourself: transfer_from and notify_to in dns_peers."
        ]


def test_an_unchecked_preset_warns_always() -> None:
    for day in (date(2026, 11, 22), DUE):
        assert [str(problem) for problem in warnings(["hurricane-electric"], day)] == [
            "preset hurricane-electric: what it says could not be checked with Hurricane Electric itself; it is what "
            "others reported by 2026-11-22. Compare with https://dns.he.net/ and write the addresses yourself: "
            "transfer_from and notify_to in dns_peers."
        ]


def test_the_mend_for_cloudflare_is_on_its_hosts() -> None:
    due = date.fromisoformat(PROVIDERS["cloudflare"].review)
    assert warnings(["cloudflare"], due - timedelta(days=1)) == []
    (problem,) = warnings(["cloudflare"], due)
    assert "dns_transfer_from and dns_notify_to of the hosts in cloudflare_secondary" in problem.mend
    assert "dns_peers" not in problem.mend


def test_addresses_that_the_user_wrote_do_not_age() -> None:
    assert warnings(["akamai"], DUE + timedelta(days=400)) == []


def test_each_preset_is_told_once_and_in_order() -> None:
    found = warnings(iter(["linode", "hetzner", "linode", "hetzner", "wedos"]), DUE)
    assert [problem.reason.split(":")[0] for problem in found] == ["preset hetzner", "preset linode", "preset wedos"]
    assert warnings([], DUE) == []


@every
def test_every_row_can_be_told(name: str, provider: Provider) -> None:
    for problem in warnings([name], DUE):
        assert provider.title in problem.reason
        assert provider.checked in problem.reason
        assert provider.source in problem.mend


# --- docs/providers --------------------------------------------------------------------------------------------------


def table(first: str) -> dict[str, list[str]]:
    """The table of the overview with that second column: preset -> its other cells."""
    found = re.search(r"^\| Preset \| %s \|.*\n\|[-|]+\n((?:\|.*\n)+)" % first, OVERVIEW, re.MULTILINE)
    assert found is not None
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in found[1].splitlines()]
    named = {row[0].split("`")[1]: row[1:] for row in rows}
    assert len(named) == len(rows)
    return named


def quoted(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]*)`", text))


def checked(provider: Provider) -> str:
    return provider.checked if provider.verified else "no"


def test_the_table_of_presets_is_the_data() -> None:
    rows = table("Transfers from")
    assert list(rows) == list(USABLE)
    for name, (transfers, notified, _tsig, read) in rows.items():
        provider = USABLE[name]
        assert quoted(transfers) == provider.transfer_from
        assert quoted(notified) == provider.notify_to
        assert (transfers == "told") == bool(provider.told_in)
        assert read == checked(provider)


def test_the_table_of_those_without_is_the_data() -> None:
    assert table("Why") == {name: [provider.refused, checked(provider)] for name, provider in REFUSED.items()}


def test_the_overview_names_the_review() -> None:
    (review,) = {provider.review for provider in USABLE.values()}
    assert "for all of them on %s." % review in OVERVIEW


@every_peer
def test_the_page_of_a_preset_is_the_data(name: str, provider: Provider) -> None:
    page = (PAGES / ("%s.md" % name)).read_text(encoding="utf-8")
    assert page.startswith("# %s\n" % provider.title)
    assert "<%s>" % provider.source in page
    assert provider.checked in page
    assert ("Not checked at the source" in page) != provider.verified
    rows = dict(re.findall(r"^\| (transfers from|takes NOTIFY at|name servers) \| (.*) \|$", page, re.MULTILINE))
    if provider.told_in:
        assert provider.told_in in page
        assert not rows
        return
    assert quoted(rows["transfers from"]) == provider.transfer_from
    assert quoted(rows["takes NOTIFY at"]) == provider.notify_to
    assert quoted(rows["name servers"]) == provider.name_servers


@every_peer
def test_the_inventory_of_a_page(name: str, provider: Provider) -> None:
    page = (PAGES / ("%s.md" % name)).read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    ((peer, settings),) = yaml.safe_load(block)["dns_peers"].items()
    assert is_host_label(peer)
    assert settings["preset"] == name
    assert ("transfer_from" in settings) == bool(provider.told_in)
    for key in settings["keys"]:
        assert key["algorithm"] in ("hmac-sha256", "hmac-sha384", "hmac-sha512")


def test_no_page_is_left_over() -> None:
    others = {"README", "cloudflare", "route53"}
    assert {path.stem for path in PAGES.glob("*.md")} - others == set(PEERS)


def _anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.md")), ids=lambda path: path.stem)
def test_links_of_the_pages_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith("#"):
            link = "%sdocs/providers/%s%s" % (BLOB, path.name, link)
        assert link.startswith("https://"), link
        if link.startswith(BLOB):
            file, _hash, anchor = link[len(BLOB) :].partition("#")
            assert (ROOT / file).exists(), link
            headings = re.findall(r"^#+ (.*)$", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
            assert not anchor or anchor in [_anchor(heading) for heading in headings], link
