"""The role route53_secondary against the module and the program that it feeds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import route53, route53_push
from ansible_collections.dnsops.redundant_dns.plugins.modules import route53_program, route53_zone

ROLE = Path(__file__).resolve().parents[2] / "roles" / "route53_secondary"


def tasks(name: str) -> list[dict[str, Any]]:
    return yaml.safe_load((ROLE / "tasks" / name).read_text())


def arguments_of_the_push() -> dict[str, Any]:
    block = tasks("main.yml")[1]["block"]
    return next(task["dnsops.redundant_dns.route53_zone"] for task in block if "route53_zone" in str(list(task)))


def test_what_is_installed_is_the_program(tmp_path: Path) -> None:
    texts = route53_program.program()
    assert [Path(path).name for path in texts] == list(route53_push.PROGRAM_FILES)
    for path, text in texts.items():
        own = ROLE.parents[1] / "plugins" / "module_utils" / Path(path).name
        assert text == own.read_text()
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    unit = (ROLE / "templates" / "service.j2").read_text()
    command = re.search(r"^ExecStart=/usr/bin/python3 (.*) /etc/", unit, re.M)
    assert command is not None
    run = subprocess.run(
        [sys.executable, *command.group(1).split()],
        env={"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        check=False,
        text=True,
        capture_output=True,
    )
    assert (run.returncode, run.stdout, run.stderr) == (1, "usage: route53_push CONFIG.json\n", "")


def test_the_module_and_the_program_get_the_same() -> None:
    settings = tasks("main.yml")[1]["vars"]["__route53_secondary_settings"]
    assert settings["zones"] and settings["key_file"]
    assert {**arguments_of_the_push(), **settings} == arguments_of_the_push()
    assert set(arguments_of_the_push()) - set(settings) == {
        "allow_changes",
        "keep_zones",
        "lock_directory",
    }
    assert set(settings) <= {*route53.Settings._fields, "zones"}


def test_the_checks_look_at_what_is_pushed() -> None:
    """What decides which record sets are right is the same for both."""
    checked = next(task for task in tasks("verify.yml") if "dnsops.redundant_dns.route53_zone" in task)
    seen = checked["dnsops.redundant_dns.route53_zone"]
    pushed = arguments_of_the_push()
    only_there = set(pushed) - set(seen)
    assert {name: seen[name] for name in set(seen) & set(pushed) - {"zones"}} == {
        name: pushed[name] for name in set(seen) & set(pushed) - {"zones"}
    }
    assert only_there == {"allow_changes", "delegation_set_id", "lock_directory", "wait"}
    assert checked["check_mode"] is True


def test_every_argument_is_one_of_the_module() -> None:
    assert set(arguments_of_the_push()) <= set(route53_zone.ARGUMENTS)
