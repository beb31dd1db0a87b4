"""What the actions of accounts at providers hand to their modules."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.action import cloudflare_account, plan
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import keys
from sites import CLOUD_GROUPS, CLOUD_HOSTS, GROUPS, HOSTS

MASTER = "KJPmUC9EaGBnrqhHeiSuWcU6eBrk/sOBomFPi++Tmrs="
GIVEN = "fewO8wmXw3BV4LTei0pGt70UAzupqihXCarIrOTN44M="
TEXT = "@ 3600 IN SOA a.test. x. (5 %d 600 1209600 3600)\n@ 3600 IN NS a.test.\n@ 3600 IN NS b.test.\n"


class Account:
    """Stands in for Ansible: runs an action for a host that is an account, and keeps what its module would get."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "zones").mkdir()
        self.variables: dict[str, Any] = {
            "dns_zone_directory": "zones",
            "inventory_dir": str(folder),
            "tsig_master_secret": MASTER,
        }
        self.hosts: dict[str, dict[str, Any]] = {**HOSTS, **CLOUD_HOSTS}
        self.module = ""
        self.given: dict[str, Any] = {}
        self.write("one.test", 7200)
        self.write("two.test", 86400)

    def write(self, zone: str, refresh: int) -> None:
        (self.folder / "zones" / (zone + ".zone")).write_text(TEXT % refresh)

    def run(
        self, arguments: dict[str, Any], host: str = "cloudflare", kind: Any = cloudflare_account
    ) -> dict[str, Any]:
        action = kind.ActionModule.__new__(kind.ActionModule)
        action._task = SimpleNamespace(args=arguments)
        action._execute_module = self.execute
        action.validate_argument_spec = lambda **_specification: (None, {**PLAN, **arguments})
        hostvars = {name: {**self.variables, **own} for name, own in self.hosts.items()}
        return action.act(
            {"inventory_hostname": host, "hostvars": hostvars, "groups": {**GROUPS, **CLOUD_GROUPS}},
        )

    def execute(self, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        assert task_vars["inventory_hostname"] == "cloudflare"
        self.module, self.given = module_name, module_args
        return {"changed": True, "rows": []}


PLAN: dict[str, Any] = {"topology": False, "content": False, "verify": None, "leaving": None, "force": False}


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path)


def test_zones_and_keys_come_from_the_inventory(account: Account) -> None:
    arguments = {"account_id": "0123", "api_token": "token", "wait": 5, "delete_zones": ["gone.test"]}
    before = dict(arguments)
    assert account.run(arguments) == {"changed": True, "rows": []}
    assert arguments == before, "the task's own arguments are not changed, a loop uses them again"
    assert account.module == "dnsops.redundant_dns.cloudflare_zone"
    assert account.given == {
        **arguments,
        "owner": "cloudflare",
        "server": "cloudflare",
        "zones": [
            {"name": "one.test", "primary": "a.test", "refresh": 7200},
            {"name": "two.test", "primary": "a.test", "refresh": 86400},
        ],
        "primaries": [
            {
                "name": "a.test",
                "addresses": ["192.0.2.1"],
                "port": 53,
                "key_name": "g1.cloudflare.from.a.test",
                "key_algorithm": "hmac-sha256",
                "key_secret": keys.derive(keys.read_master(MASTER), "a.test", "cloudflare", 1),
            }
        ],
    }


def test_secrets_are_where_the_module_keeps_them_out_of_outputs(account: Account) -> None:
    """Those of this account's links alone; the module's specification has no_log there."""
    account.run({"account_id": "0123", "keep_zones": []})
    (primary,) = account.given["primaries"]
    secret = primary.pop("key_secret")
    rest = json.dumps(account.given)
    assert len(secret) == 44 and secret not in rest and MASTER not in rest
    assert "secret" not in rest


def test_a_given_key_and_an_id_of_its_own(account: Account) -> None:
    ends = {"primary": "a.test", "secondary": "cloudflare"}
    account.variables["tsig_keys"] = [{**ends, "name": "k", "algorithm": "hmac-sha512", "secret": GIVEN}]
    account.hosts["cloudflare"] = {"dns_id": "dns.example"}
    account.run({})
    assert (account.given["owner"], account.given["server"]) == ("dns.example", "cloudflare")
    (primary,) = account.given["primaries"]
    assert [primary["key_" + part] for part in ("name", "algorithm", "secret")] == ["k", "hmac-sha512", GIVEN]


def test_the_first_generation_of_a_key_is_used(account: Account) -> None:
    account.variables["tsig_generations"] = [2, 1]
    account.run({})
    assert [each["key_name"] for each in account.given["primaries"]] == ["g2.cloudflare.from.a.test"]


def test_zones_that_are_not_published_yet_are_left_out(account: Account) -> None:
    """Their text may be what was held back, so it is not even read; and what Cloudflare has of them stays."""
    (account.folder / "zones" / "two.test.zone").write_text("broken")
    with pytest.raises(Exception, match=r"two\.test"):
        account.run({})
    account.run({"keep_zones": ["two.test"]})
    assert [zone["name"] for zone in account.given["zones"]] == ["one.test"]
    assert account.given["keep_zones"] == ["two.test"]


def test_plan_of_an_account(account: Account) -> None:
    account.variables["dns_allow_changes"] = "one.test"
    found = account.run({}, "route53", plan)
    assert "host" not in found
    assert found["cloud"]["push"]["host"] == "b.test"
    assert found["cloud"]["zones"] == [{"name": name, "hosted_zone_id": None} for name in ("one.test", "two.test")]
    assert found["cloud"]["allowed_changes"] == ["one.test"]
    found = account.run({}, "b.test", plan)
    assert "cloud" not in found and found["host"]["host"] == "b.test"


def test_plan_of_a_verification_has_what_providers_said(account: Account) -> None:
    rows = [{"check": "serial", "zone": "one.test"}]
    told = {"rows": rows, "zones": [{"name": "one.test", "name_servers": ["kate.ns.cloudflare.test"]}]}
    account.hosts["cloudflare"] = {"__cloudflare_secondary_seen": told}
    found = account.run({"verify": "full"}, "a.test", plan)
    assert found["cloud_rows"][0] == rows[0]
    assert [row["status"] for row in found["cloud_rows"][1:]] == ["not asked"]
    assert [each["provider"] for each in found["assigned"]] == ["cloudflare"]
