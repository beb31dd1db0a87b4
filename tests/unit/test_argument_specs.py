"""Roles and playbooks as Ansible will read them: specifications, defaults, and what their literals name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from conftest import ROOT

NAMESPACE = "dnsops.redundant_dns."
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
# Words of a task that run a role, or tasks of a role.
RUN_ROLE = ("ansible.builtin.import_role", "ansible.builtin.include_role")
RUN_TASKS = ("ansible.builtin.import_tasks", "ansible.builtin.include_tasks")
PYTHON_TYPES = {"bool": bool, "dict": dict, "float": (float, int), "int": int, "list": list, "str": str}


class Call(NamedTuple):
    """A role called somewhere: its name, the entry point as written, and the variables that it is given."""

    place: str
    role: str
    entry: str
    variables: dict[str, Any]


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None


def specs(role: str) -> dict[str, Any]:
    return read(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]


def options(role: str) -> dict[str, Any]:
    """The options of all entry points of a role."""
    return {name: option for spec in specs(role).values() for name, option in spec["options"].items()}


def tasks_in(items: Any) -> Iterator[dict[str, Any]]:
    """All tasks of a task list or a playbook, those in blocks included."""
    for item in items or []:
        yield item
        for key in ("pre_tasks", "tasks", "post_tasks", "handlers", "block", "rescue", "always"):
            yield from tasks_in(item.get(key))


def all_tasks() -> Iterator[tuple[Path, dict[str, Any]]]:
    for pattern in ("roles/*/tasks/*.yml", "roles/*/handlers/*.yml", "playbooks/*.yml"):
        for path in ROOT.glob(pattern):
            for task in tasks_in(read(path)):
                yield path, task


def calls() -> Iterator[Call]:
    for path, task in all_tasks():
        place = str(path.relative_to(ROOT))
        for word in RUN_ROLE:
            if word in task:
                arguments = task[word]
                yield Call(place, arguments["name"], arguments.get("tasks_from", "main"), task.get("vars") or {})
        for role in task.get("roles") or []:
            named = role if isinstance(role, dict) else {"role": role}
            yield Call(place, named["role"], "main", named.get("vars") or {})


def included_tasks() -> Iterator[tuple[Path, str]]:
    for path, task in all_tasks():
        for word in RUN_TASKS:
            if word in task:
                yield path, task[word] if isinstance(task[word], str) else task[word]["file"]


CALLS = list(calls())


def test_roles_and_their_calls_are_found() -> None:
    assert len(ROLES) >= 5
    assert {call.role for call in CALLS} == {NAMESPACE + role for role in ROLES}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_describes_itself(role: str) -> None:
    galaxy = read(ROOT / "roles" / role / "meta" / "main.yml")["galaxy_info"]
    assert galaxy["description"]
    assert galaxy["license"] == "GPL-3.0-or-later"
    assert (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8").startswith("# %s\n" % role)


@pytest.mark.parametrize("role", ROLES)
def test_every_entry_point_has_a_specification(role: str) -> None:
    parts = {path.parent / file for path, file in included_tasks()}
    entries = {path.stem for path in (ROOT / "roles" / role / "tasks").glob("*.yml") if path not in parts}
    # A part may be an entry point for other roles too.
    entries |= {call.entry for call in CALLS if call.role == NAMESPACE + role}
    assert set(specs(role)) == entries
    assert all(spec["short_description"] for spec in specs(role).values())


@pytest.mark.parametrize("role", ROLES)
def test_defaults_and_specification_are_in_step(role: str) -> None:
    defaults = read(ROOT / "roles" / role / "defaults" / "main.yml") or {}
    wanted = {name: option["default"] for name, option in options(role).items() if not option.get("required")}
    assert wanted == defaults
    for name, option in options(role).items():
        if not option.get("required"):
            value = defaults[name]
            assert isinstance(value, PYTHON_TYPES[option["type"]]), name
            assert isinstance(value, bool) == (option["type"] == "bool"), name


@pytest.mark.parametrize("role", ROLES)
def test_defaults_pass_the_validation_that_ansible_does(role: str) -> None:
    defaults = read(ROOT / "roles" / role / "defaults" / "main.yml") or {}
    for spec in specs(role).values():
        given = {name: defaults.get(name, "a text") for name in spec["options"]}
        validator = ArgumentSpecValidator(spec["options"])
        assert validator.validate(given).error_messages == []
        for name, option in spec["options"].items():
            if option["type"] not in ("str", "bool"):
                assert validator.validate({**given, name: {"no": ["such", "value"]}}).error_messages != [], name


@pytest.mark.parametrize("role", ROLES)
def test_options_are_named_after_their_role_and_used_by_it(role: str) -> None:
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("tasks", "templates", "vars")
        for path in (ROOT / "roles" / role / folder).glob("*")
    )
    for name in options(role):
        assert name.startswith(role + "_"), name
        assert re.search(r"\b%s\b" % name, text), "%s is not used" % name


@pytest.mark.parametrize("role", ROLES)
def test_the_sites_variables_are_not_validated_by_a_role(role: str) -> None:
    """They are checked once in Python; and their secrets must not become arguments of a validation task."""
    text = (ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"^ +(\w+):", text, re.MULTILINE))
    assert not {name for name in named if name.startswith("dns_") or name in ("tsig_master_secret", "tsig_keys")}


@pytest.mark.parametrize("role", ROLES)
def test_a_secret_of_a_role_is_kept_out_of_outputs(role: str) -> None:
    """As text: a message that a value is of another type would have the value in it."""
    for name, option in options(role).items():
        if re.search("secret_|_token|password", name.removeprefix(role)):
            assert option.get("no_log") is True and option["type"] == "str", name
        else:
            assert "no_log" not in option, name


def test_secrets_of_roles_are_found() -> None:
    """Else the test above would prove nothing."""
    secrets = {name for role in ROLES for name, option in options(role).items() if option.get("no_log")}
    assert secrets == {"cloudflare_secondary_api_token", "route53_secondary_secret_access_key"}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: "%s to %s %s" % (call.place, call.role, call.entry))
def test_a_role_is_called_by_what_it_has(call: Call) -> None:
    """An entry point with a suffix runs too, but ansible finds no specification for it and validates nothing."""
    assert call.role.startswith(NAMESPACE)
    role = call.role[len(NAMESPACE) :]
    assert call.entry in specs(role)
    assert (ROOT / "roles" / role / "tasks" / (call.entry + ".yml")).exists()
    unknown = [name for name in call.variables if not name.startswith("__") and name not in options(role)]
    assert unknown == []


def test_included_task_files_exist() -> None:
    for path, file in included_tasks():
        assert "{{" in file or (path.parent / file).exists(), "%s: %s" % (path, file)


def test_templates_exist_and_each_is_used() -> None:
    used = set()
    for path in ROOT.glob("roles/*/tasks/*.yml"):
        for name in re.findall(r"lookup\('ansible\.builtin\.template', '([^']+)'", path.read_text(encoding="utf-8")):
            template = path.parents[1] / "templates" / name
            assert template.exists(), "%s: %s" % (path, name)
            used.add(template)
    for path, task in all_tasks():
        if "ansible.builtin.template" in task:
            for item in task.get("loop", [""]):
                template = (
                    path.parents[1] / "templates" / task["ansible.builtin.template"]["src"].replace("{{ item }}", item)
                )
                assert template.exists(), "%s: %s" % (path, template.name)
                used.add(template)
    assert used == set(ROOT.glob("roles/*/templates/*"))


def test_imported_playbooks_exist() -> None:
    imported = [
        path.parent / play["ansible.builtin.import_playbook"]
        for path in ROOT.glob("playbooks/*.yml")
        for play in read(path)
        if "ansible.builtin.import_playbook" in play
    ]
    assert imported
    assert all(path.exists() for path in imported)


def test_plugins_of_the_collection_exist() -> None:
    """Every dnsops.redundant_dns.NAME in a task is a module."""
    used = {word[len(NAMESPACE) :] for _path, task in all_tasks() for word in task if str(word).startswith(NAMESPACE)}
    assert used
    assert used <= {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}


@pytest.mark.parametrize("role", ROLES)
def test_platforms_have_the_same_names_everywhere(role: str) -> None:
    """What differs by platform is data: each file sets the same variables, all of them internal."""
    names = {path.name: sorted(read(path)) for path in (ROOT / "roles" / role / "vars").glob("*.yml")}
    if names:
        first = next(iter(names.values()))
        assert all(each == first for each in names.values()), names
        assert all(name.startswith("__%s_" % role) for name in first)
