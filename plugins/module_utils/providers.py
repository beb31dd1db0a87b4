# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of secondary DNS services: the presets of ``dns_peers``, and the addresses of Cloudflare.

Addresses of others change without a word to us, so every row has the page where it was read and the date, and a
date from which runs warn. docs/providers has a page for each row that can be used; docs/providers/README.md says
how to add one. Plain data: nothing here asks the network.
"""

from __future__ import annotations

import datetime
from typing import Dict, Iterable, List, NamedTuple, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import Problem


class Provider(NamedTuple):
    """One service. Dates are ISO 8601, addresses and networks in canonical form (RFC 5952), names without final dot.

    :param transfer_from: addresses and networks that it transfers from; empty where ``told_in`` or ``refused`` is set.
    :param notify_to: addresses where it takes NOTIFY; empty where it takes none, or where its page names none.
    :param name_servers: names for NS records; empty where it assigns them to each zone or account.
    :param source: the page that says so, or that should.
    :param checked: when the source was read, or, of an unverified row, when others' reports were gathered.
    :param review: from this day on a run warns that the row may be out of date.
    :param verified: read in the provider's own text; else it is what others report.
    :param note: a sentence without its final dot, or nothing.
    :param told_in: where the provider tells each customer his addresses; empty where they are the same for all.
    :param refused: why it can't be a secondary, and what to do instead; empty where it can.
    :param address: addresses that answer queries for the zones, to check serials at. What transfers and what takes
        NOTIFY often does not.
    """

    title: str
    transfer_from: Tuple[str, ...]
    notify_to: Tuple[str, ...]
    name_servers: Tuple[str, ...]
    source: str
    checked: str
    review: str
    verified: bool
    note: str = ""
    told_in: str = ""
    refused: str = ""
    address: Tuple[str, ...] = ()


_HETZNER = (
    "213.239.242.238",
    "213.133.100.103",
    "193.47.99.3",
    "2a01:4f8:0:a101::a:1",
    "2a01:4f8:0:1::5ddc:2",
    "2001:67c:192c::add:a3",
)
_LINODE = (
    "104.237.137.10",
    "45.79.109.10",
    "74.207.225.10",
    "207.192.70.10",
    "109.74.194.10",
    "2600:3c00::a",
    "2600:3c01::a",
    "2600:3c02::a",
    "2600:3c03::a",
    "2a01:7e00::a",
)
_NS_GLOBAL = ("204.87.183.53", "2607:7c80:54:6::53")
_AFRAID = ("69.65.50.192", "2001:1850:1:5:800::6b")

PROVIDERS: Dict[str, Provider] = {
    "akamai": Provider(
        title="Akamai Edge DNS",
        transfer_from=(),
        notify_to=(),
        name_servers=(),
        source="https://learn.akamai.com/en-us/webhelp/edge-dns/edge-dns-user-guide/GUID-CFDFF764-E58F-4CB6-82F1-AA5C21CB1B6B.html",
        checked="2026-11-22",
        review="2027-05-22",
        verified=True,
        note="All zone transfer agents should get NOTIFY; one that accepts it is enough",
        told_in="Control Center, Firewall change notifications, service Edge DNS Zone Transfer Agents",
    ),
    "buddyns": Provider(
        title="BuddyNS",
        transfer_from=(),
        notify_to=(),
        name_servers=(),
        source="https://www.buddyns.com/",
        checked="2026-11-22",
        review="2027-05-22",
        verified=False,
        note="Users list about thirty addresses that transfer, and four of them that take NOTIFY",
        told_in="the panel at buddyns.com",
    ),
    "cloudflare": Provider(
        title="Cloudflare",
        # In use since 2026-04-15. The former ones (198.41.144.240/28, 198.41.150.240/28, 2a06:98c0:3601::/48,
        # 2a06:98c0:1401::/48) stop on 2026-12-01, and serve until then only where these are blocked: so not in here.
        transfer_from=("104.30.167.163", "104.30.167.173", "2a09:bac0:1000:c47::/64"),
        notify_to=(
            "172.65.30.82",
            "172.65.50.145",
            "2606:4700:60:0:317:26ee:3bdf:5774",
            "2606:4700:60:0:35a:4be3:4144:c5ee",
        ),
        name_servers=(),
        source="https://developers.cloudflare.com/dns/zone-setups/zone-transfers/access-control-lists/cloudflare-ip-addresses/",
        checked="2026-11-22",
        review="2027-05-22",
        verified=True,
        note="Firewalls that know its former addresses need the new ones before 2026-12-01, when the former stop",
    ),
    "cloudns": Provider(
        title="ClouDNS",
        transfer_from=(),
        notify_to=(),
        name_servers=(),
        source="https://www.cloudns.net/wiki/article/196/",
        checked="2026-11-22",
        review="2027-05-22",
        verified=True,
        note="The addresses of the list are to have transfer and NOTIFY",
        told_in="the panel, page of the zone, Primary Settings",
    ),
    "dnsimple": Provider(
        title="DNSimple",
        transfer_from=("3.12.234.2", "2600:1f16:ae2:e900:f05c:9438:865f:64a0"),
        notify_to=(),
        name_servers=(
            "ns1.dnsimple-edge.com",
            "ns2.dnsimple-edge.net",
            "ns3.dnsimple-edge.io",
            "ns4.dnsimple-edge.org",
        ),
        source="https://support.dnsimple.com/articles/secondary-dns-dnsimple-as-secondary/",
        checked="2026-11-22",
        review="2027-05-22",
        verified=True,
        note="Its page says nothing of NOTIFY and nothing of TSIG",
    ),
    "freedns-afraid": Provider(
        title="FreeDNS (afraid.org)",
        transfer_from=_AFRAID,
        notify_to=("69.65.50.192",),
        name_servers=("ns2.afraid.org",),
        source="https://freedns.afraid.org/secondary/",
        checked="2026-11-22",
        review="2027-05-22",
        verified=False,
        address=_AFRAID,
    ),
    "hetzner": Provider(
        title="Hetzner DNS",
        transfer_from=_HETZNER,
        notify_to=_HETZNER,
        name_servers=("ns1.first-ns.de", "robotns2.second-ns.de", "robotns3.second-ns.com"),
        source="https://docs.hetzner.com/dns-console/dns/general/authoritative-name-servers",
        checked="2026-11-22",
        review="2027-05-22",
        verified=False,
        note="Older reports have 213.133.105.6 and 2a01:4f8:d0a:2004::2 for robotns2.second-ns.de",
        address=_HETZNER,
    ),
    "hurricane-electric": Provider(
        title="Hurricane Electric",
        transfer_from=("216.218.133.2", "2001:470:600::2"),
        notify_to=("216.218.130.2",),
        name_servers=("ns1.he.net", "ns2.he.net", "ns3.he.net", "ns4.he.net", "ns5.he.net"),
        source="https://dns.he.net/",
        checked="2026-11-22",
        review="2027-05-22",
        verified=False,
        note="It transfers from slave.dns.he.net, which refuses NOTIFY, and takes NOTIFY at ns1.he.net",
        address=("216.218.130.2",),
    ),
    "linode": Provider(
        title="Linode (Akamai cloud)",
        transfer_from=_LINODE,
        notify_to=_LINODE,
        name_servers=("ns1.linode.com", "ns2.linode.com", "ns3.linode.com", "ns4.linode.com", "ns5.linode.com"),
        source="https://www.linode.com/docs/products/networking/dns-manager/guides/incoming-dns-zone-transfers/",
        checked="2026-11-22",
        review="2027-05-22",
        verified=True,
        note="65.19.178.10 in older texts is now 45.79.109.10",
    ),
    "ns-global": Provider(
        title="NS-Global",
        transfer_from=_NS_GLOBAL,
        notify_to=_NS_GLOBAL,
        name_servers=("ns-global.kjsl.com",),
        source="https://ns-global.zone/about/",
        checked="2026-11-22",
        review="2027-05-22",
        verified=True,
        note="One host transfers and takes NOTIFY; the anycast name server does neither",
    ),
    "ns1": Provider(
        title="IBM NS1 Connect",
        transfer_from=("192.135.223.10",),
        notify_to=(),
        name_servers=(),
        source="https://www.ibm.com/docs/en/ns1-connect?topic=started-configuring-ns1-as-secondary-dns-provider",
        checked="2026-11-22",
        review="2027-05-22",
        verified=True,
        note="For the shared Managed DNS network; for others it tells the address at the set-up. It takes NOTIFY, but "
        "its pages do not say where",
    ),
    "oracle": Provider(
        title="Oracle Cloud (OCI DNS)",
        transfer_from=("208.78.68.65", "204.13.249.65", "2600:2001:0:1::65", "2600:2003:0:1::65"),
        notify_to=(),
        name_servers=(),
        # The Japanese edition of the page is the one that was read.
        source="https://docs.oracle.com/ja-jp/iaas/Content/DNS/Tasks/zone-update.htm",
        checked="2026-11-22",
        review="2027-05-22",
        verified=True,
        note="It transfers from port 53 only; its pages do not say where it takes NOTIFY",
    ),
    "rollernet": Provider(
        title="Roller Network",
        transfer_from=(),
        notify_to=(),
        name_servers=(),
        source="https://acc.rollernet.us/help/dns/secondary.php",
        checked="2026-11-22",
        review="2027-05-22",
        verified=True,
        note="It disables a zone whose primary answers REFUSED or NOTAUTH: deploy first, and add the zone there after",
        told_in="its account control center, Server Information",
    ),
    "wedos": Provider(
        title="WEDOS",
        transfer_from=("46.28.104.64/27",),
        notify_to=(),
        name_servers=("ns.wedos.cz", "ns.wedos.eu", "ns.wedos.com", "ns.wedos.net"),
        source="https://kb.vedos.cz/en/dns-axfr/",
        checked="2026-11-22",
        review="2027-05-22",
        verified=True,
        note="It takes no NOTIFY and follows by the zone's refresh, over IPv4 alone",
    ),
    "azure-dns": Provider(
        title="Azure DNS",
        transfer_from=(),
        notify_to=(),
        name_servers=(),
        source="https://learn.microsoft.com/en-us/azure/dns/dns-faq",
        checked="2026-11-22",
        review="2027-05-22",
        verified=True,
        refused="it knows no zone transfers; push the records over its API, as octoDNS does",
    ),
    "desec": Provider(
        title="deSEC",
        transfer_from=(),
        notify_to=(),
        name_servers=(),
        source="https://github.com/desec-io/desec-stack/issues/579",
        checked="2026-11-22",
        review="2027-05-22",
        verified=False,
        refused="it is a primary that signs, and follows no other; push the records over its API, as octoDNS does",
    ),
    "digitalocean": Provider(
        title="DigitalOcean DNS",
        transfer_from=(),
        notify_to=(),
        name_servers=(),
        source="https://docs.digitalocean.com/products/networking/dns/",
        checked="2026-11-22",
        review="2027-05-22",
        verified=False,
        refused="it has no secondary zones; push the records over its API, as octoDNS does",
    ),
    "google-cloud-dns": Provider(
        title="Google Cloud DNS",
        transfer_from=(),
        notify_to=(),
        name_servers=(),
        source="https://cloud.google.com/dns/docs/zones/zones-overview",
        checked="2026-11-22",
        review="2027-05-22",
        verified=False,
        refused="it has no secondary zones; push the records over its API, as octoDNS does",
    ),
    "ovh": Provider(
        title="OVHcloud secondary DNS",
        transfer_from=(),
        notify_to=(),
        name_servers=(),
        source="https://github.com/ovh/docs/issues/3512",
        checked="2026-11-22",
        review="2027-05-22",
        verified=False,
        refused="it does not publish where it transfers from; watch for its addresses in the log of your primary, "
        "and write transfer_from without a preset",
    ),
}


def warnings(used: Iterable[str], today: datetime.date) -> List[Problem]:
    """What to tell of presets in use: those that nobody could check, and those whose review is due.

    :param used: names of :data:`PROVIDERS` from which addresses were taken. Somebody who wrote both lists himself
        relies on nothing in here: the warnings go away with that.
    """
    found = []
    for name in sorted(set(used)):
        provider = PROVIDERS[name]
        yourself = "transfer_from and notify_to in dns_peers"
        if name == "cloudflare":
            yourself = "dns_transfer_from and dns_notify_to of the hosts in cloudflare_secondary"
        if not provider.verified:
            reason = "preset %s: what it says could not be checked with %s itself; it is what others reported by %s" % (
                name,
                provider.title,
                provider.checked,
            )
        elif provider.transfer_from and today >= datetime.date.fromisoformat(provider.review):
            reason = "preset %s: the addresses of %s were last checked on %s, and may have changed since" % (
                name,
                provider.title,
                provider.checked,
            )
        else:
            continue
        mend = "Compare with %s and write the addresses yourself: %s" % (provider.source, yourself)
        found.append(Problem(reason, mend))
    return found
