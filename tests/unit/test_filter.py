"""The topology as Jinja sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.dnsops.redundant_dns.plugins.filter.topology import FilterModule
from sites import CLOUD_GROUPS, CLOUD_HOSTS, GROUPS, HOSTS

MASTER = "KJPmUC9EaGBnrqhHeiSuWcU6eBrk/sOBomFPi++Tmrs="


@pytest.fixture
def hostvars(tmp_path: Path) -> dict[str, dict[str, Any]]:
    (tmp_path / "example.com.zone").touch()
    site = {"dns_zone_directory": ".", "inventory_dir": str(tmp_path), "tsig_master_secret": MASTER}
    return {host: {**variables, **site} for host, variables in HOSTS.items()}


def test_links(hostvars: dict[str, dict[str, Any]]) -> None:
    found = FilterModule().filters()["topology"](hostvars, GROUPS)
    assert [(link["primary"], link["secondary"], link["zones"]) for link in found["links"]] == [
        ("a.test", "b.test", ["example.com"]),
        ("a.test", "c.test", ["example.com"]),
    ]
    assert found["zones"] == [{"name": "example.com", "primary": "a.test", "secondaries": ["b.test", "c.test"]}]
    assert list(found["servers"]) == list(HOSTS)
    assert MASTER not in repr(found)


def test_clouds(hostvars: dict[str, dict[str, Any]]) -> None:
    hostvars.update({host: {**hostvars["a.test"], **own} for host, own in CLOUD_HOSTS.items()})
    for host in CLOUD_HOSTS:
        del hostvars[host]["dns_address"]
    found = FilterModule().filters()["topology"](hostvars, {**GROUPS, **CLOUD_GROUPS})
    assert {host: cloud["zones"] for host, cloud in found["clouds"].items()} == {
        "cloudflare": ["example.com"],
        "route53": ["example.com"],
    }
    assert [(link["primary"], link["secondary"]) for link in found["links"]] == [
        ("a.test", "b.test"),
        ("a.test", "c.test"),
        ("a.test", "cloudflare"),
    ]


def test_mistakes_become_the_message(hostvars: dict[str, dict[str, Any]]) -> None:
    del hostvars["b.test"]["dns_address"], hostvars["c.test"]["dns_address"]
    with pytest.raises(AnsibleFilterError) as raised:
        FilterModule().filters()["topology"](hostvars, GROUPS)
    assert "2 mistakes" in str(raised.value)
    assert "host b.test: dns_address is missing" in str(raised.value)
    assert "host c.test: dns_address is missing" in str(raised.value)
