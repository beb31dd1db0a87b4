"""What the documentation says is what the code does: names, defaults, numbers, links, and the README's inventory."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import (
    checks,
    config_set,
    inventory,
    keys,
    report,
    topology,
    views,
)
from conftest import ROOT
from sites import make_cloud_site, make_site

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOB = "https://github.com/dnsops/redundant_dns/blob/main/"
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("roles/*/README.md")), *sorted(ROOT.glob("docs/*.md"))]


def yaml_of(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def tables(text: str) -> list[list[list[str]]]:
    """The Markdown tables of a text, each a list of rows without the line under the header."""
    found: list[list[list[str]]] = [[]]
    without_blocks = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for line in without_blocks.splitlines():
        if line.startswith("|"):
            found[-1].append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif found[-1]:
            found.append([])
    return [[table[0], *table[2:]] for table in found if table]


def table_with(first_variable: str) -> dict[str, list[str]]:
    """The README's table whose first row is about that variable: name -> the other cells."""
    for table in tables(README):
        if table[1][0] == "`%s`" % first_variable:
            return {row[0].strip("`"): row[1:] for row in table[1:]}
    raise AssertionError("README.md has no table that begins with %s" % first_variable)


def section(title: str) -> str:
    return README.split("\n## %s\n" % title, 1)[1].split("\n## ", 1)[0]


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(r"^```%s\n(.*?)^```" % language, text, re.MULTILINE | re.DOTALL)


# --- the first screen ------------------------------------------------------------------------------------------------


def read_inventory(text: str, directory: Path) -> inventory.Inventory:
    """An inventory in YAML, read as Ansible would hand it over."""
    tree = yaml.safe_load(text)["all"]
    groups = {name: list(group["hosts"]) for name, group in tree["children"].items()}
    secret = "KJPmUC9EaGBnrqhHeiSuWcU6eBrk/sOBomFPi++Tmrs="
    hostvars = {
        host: {"inventory_dir": str(directory), **tree["vars"], "tsig_master_secret": secret, **(variables or {})}
        for group in tree["children"].values()
        for host, variables in group["hosts"].items()
    }
    return inventory.read(hostvars, groups)


def test_the_inventory_of_the_readme_works(tmp_path: Path) -> None:
    text = blocks("yaml")[0]
    assert len(text.splitlines()) <= 24
    assert yaml.safe_load(text)["all"]["vars"]["tsig_master_secret"] == "{{ vault_tsig_master_secret }}"
    (tmp_path / "zones").mkdir()
    for name in ("example.com", "internal.example.com"):
        (tmp_path / "zones" / (name + ".zone")).write_text("", encoding="utf-8")
    site = read_inventory(text, tmp_path).topology
    assert site.zones["example.com"].secondaries == ("ns2.example.net", "ns3.example.net")
    assert site.zones["internal.example.com"].secondaries == ("ns2.example.net",)
    assert {server.kind for server in site.servers.values()} == {"bind", "nsd"}


def test_make_targets_named_in_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        commands = [*re.findall(r"`(make [^`]*)`", text), *"\n".join(blocks("sh", text)).splitlines()]
        named = {word for command in commands for word in re.findall(r"^make ([a-z-]+)", command)}
        assert named <= targets, path
    assert {"demo", "test"} <= targets


def test_what_make_demo_prints_at_its_end_is_in_the_readme() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split("\ndemo:", 1)[1].split("\n.PHONY", 1)[0]
    lines = re.findall(r"^\t@echo '(.*)'$", recipe, re.MULTILINE)
    assert len(lines) == 3
    assert "\n".join(lines) in README


def test_the_demos_zones_are_those_of_the_readmes_table() -> None:
    zones = {path.name[: -len(".zone")] for path in (ROOT / "inventories" / "demo" / "zones").glob("*.zone")}
    hosts = [
        host for group in yaml_of("inventories/demo/hosts.yml")["all"]["children"].values() for host in group["hosts"]
    ]
    table = next(block for block in blocks("text") if block.startswith("zone "))
    lines = [line.split() for line in table.split("\n\n")[0].splitlines()]
    assert lines[0] == ["zone", *hosts, "verdict"]
    assert {line[0] for line in lines[2:]} == zones


# --- variables -------------------------------------------------------------------------------------------------------


def test_host_variables() -> None:
    assert tuple(table_with("dns_address")) == topology.SERVER_VARIABLES
    assert tuple(table_with("dns_id")) == topology.CLOUD_VARIABLES
    assert set(topology.HOST_VARIABLES) == {*topology.SERVER_VARIABLES, *topology.CLOUD_VARIABLES}


def test_zone_keys() -> None:
    assert tuple(table_with("name")) == topology.ZONE_KEYS


def test_peer_keys() -> None:
    assert tuple(table_with("preset")) == topology.PEER_KEYS


def test_site_variables() -> None:
    assert set(table_with("dns_zones")) == {*inventory.SITE_VARIABLES, "dns_groups"} - {
        "inventory_dir",
        *inventory.ZONES_OF_A_RUN,
    }


def test_variables_of_a_run() -> None:
    """Every variable of the site that a playbook or role reads is in one of the tables, and those of a run are read."""
    of_run = table_with("dns_verify")
    read = set()
    for path in [*ROOT.glob("playbooks/*.yml"), *ROOT.glob("roles/*/tasks/*"), *ROOT.glob("roles/*/templates/*")]:
        text = path.read_text(encoding="utf-8")
        read |= set(re.findall(r"(?<![\w.])dns_[a-z_]+", text))
        for name, default in re.findall(r"\b(dns_[a-z_]+) \| default\(([^)]*)\)", text):
            wanted = "" if default in ("omit", "''") else "`%s`" % default.strip("'")
            if name == "dns_resolvers":
                assert default == "[]"
                wanted = "the system's"
            assert of_run[name][0] == wanted, name
    known = {*topology.HOST_VARIABLES, *inventory.SITE_VARIABLES, "dns_groups"}
    assert read - known == set(inventory.RUN_VARIABLES)
    assert set(of_run) == {*inventory.RUN_VARIABLES, *inventory.ZONES_OF_A_RUN}


def test_defaults_of_the_tables() -> None:
    site = topology.build(make_site())
    server = site.servers["a.test"]
    table = table_with("dns_address")
    assert table["dns_port"][0] == "`%d`" % server.port
    assert table["dns_hidden"][0] == "`%s`" % str(server.hidden).lower()
    assert server.listen == server.transfer_addresses == server.addresses
    assert table["dns_listen_address"][0] == table["dns_transfer_address"][0] == "`dns_address`"
    assert (server.name, server.id) == (server.host, server.name)
    assert [table[name][0] for name in ("dns_name", "dns_id")] == ["the inventory name", "`dns_name`"]
    assert table_with("dns_zones")["tsig_generations"][0] == "`%s`" % list(topology.Site({}, {}).generations)


def test_what_is_not_built_is_said() -> None:
    missing = section("Not yet")
    for kind in topology.KINDS_TO_COME:
        assert "`kind: %s`" % kind in missing, kind


def test_numbers() -> None:
    removal = section("Changing a zone")
    assert "at least %d" % config_set.MASS_REMOVAL_ZONES in removal
    assert "%d %%" % (config_set.MASS_REMOVAL_PART * 100) in removal
    checking = section("Checking")
    assert all("`%s`" % level in checking for level in inventory.LEVELS)
    assert "%d more by chance" % inventory.SAMPLE in checking
    assert "more than %d zones" % report.LONGEST_TABLE in checking
    assert all(
        "`%s`" % verdict in checking for verdict in (checks.OK, checks.FAILED, checks.NOT_CHECKED, checks.WARNING)
    )
    assert "Fewer than %d octets" % keys.SECRET_OCTETS in section("Secrets")
    assert all(algorithm in section("Secrets") for algorithm in keys.GIVEN_ALGORITHMS)


def test_rate_limits() -> None:
    bind = yaml_of("roles/bind/defaults/main.yml")["bind_rate_limit"]
    nsd = yaml_of("roles/nsd_secondary/defaults/main.yml")["nsd_secondary_rate_limit"]
    limits = "BIND: %(responses)d equal answers, %(errors)d errors and %(all)d answers of any kind a second" % bind
    text = " ".join(section("Security").split())
    assert limits in text
    assert "NSD: %d (" % nsd in text
    role = (ROOT / "roles" / "bind" / "README.md").read_text(encoding="utf-8")
    rows = {row[0].strip("`"): row[1] for table in tables(role) for row in table if row[0].strip("`") in bind}
    assert rows == {name: str(value) for name, value in bind.items()}


# --- roles -----------------------------------------------------------------------------------------------------------


def test_the_roles_tables_are_those_of_their_specifications() -> None:
    command = [sys.executable, str(ROOT / "tests" / "environment" / "tables.py"), "--check"]
    done = subprocess.run(command, check=False, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    for role in ROLES:
        text = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
        for name, spec in yaml_of("roles/%s/meta/argument_specs.yml" % role)["argument_specs"].items():
            assert ("variables of %s: make tables" % name in text) == bool(spec["options"]), role
            for variable in spec["options"]:
                assert "| `%s` |" % variable in text, variable


# --- plugins ---------------------------------------------------------------------------------------------------------


def text_of(module: str, variable: str) -> Any:
    """DOCUMENTATION or RETURN of a module."""
    tree = ast.parse((ROOT / "plugins" / "modules" / (module + ".py")).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == variable:
            return yaml.safe_load(ast.literal_eval(node.value))
    raise AssertionError("%s has no %s" % (module, variable))


def constant(path: Path, name: str) -> Any:
    """The value of a constant of a plugin, as it is written."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return node.value
    raise AssertionError("%s has no %s" % (path, name))


def specification(module: str) -> dict[str, dict[str, Any]]:
    """The argument_spec in the code of a module, or of its action: option -> what is written out as a literal."""
    for folder in ("modules", "action"):
        path = ROOT / "plugins" / folder / (module + ".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])):
            if isinstance(node, ast.keyword) and node.arg == "argument_spec":
                written = node.value if isinstance(node.value, ast.Dict) else constant(path, node.value.id)
                return {
                    ast.literal_eval(name): {
                        ast.literal_eval(key): value.value if isinstance(value, ast.Constant) else value
                        for key, value in zip(option.keys, option.values)
                    }
                    for name, option in zip(written.keys, written.values)
                }
    raise AssertionError("%s has no argument_spec" % module)


# Its action hands what it is given to another module.
ACCOUNT = "cloudflare_account"


def test_options_of_the_account_are_those_of_the_module_but_for_what_the_inventory_has() -> None:
    of_inventory = {"owner", "server", "zones", "primaries"}
    assert set(text_of(ACCOUNT, "DOCUMENTATION")["options"]) == set(specification("cloudflare_zone")) - of_inventory
    action = (ROOT / "plugins" / "action" / (ACCOUNT + ".py")).read_text(encoding="utf-8")
    assert all(re.search(r"\b%s=" % name, action) for name in of_inventory)


@pytest.mark.parametrize("module", [module for module in MODULES if module != ACCOUNT])
def test_options_of_a_module_are_documented_as_they_are(module: str) -> None:
    """What ansible-test checks for modules, here for those too that run as actions on the controller."""
    documented = text_of(module, "DOCUMENTATION")["options"]
    code = specification(module)
    assert set(documented) == set(code)
    for name, option in code.items():
        assert documented[name].get("type") == option["type"], name
        assert documented[name].get("required", False) == option.get("required", False), name
        if not isinstance(option.get("default"), ast.AST):
            assert documented[name].get("default") == option.get("default"), name


def test_what_plan_returns_is_documented() -> None:
    site = topology.build(make_site())
    documented = text_of("plan", "RETURN")["host"]["contains"]
    for host, kind in (("a.test", "primary"), ("b.test", "secondary")):
        view = views.host_view(site, host)
        assert set(documented) == set(view)
        for part in ("links_as_%s" % kind, "zones_as_%s" % kind):
            assert set(documented[part]["contains"]) == set(view[part][0]), part
    cloud = text_of("plan", "RETURN")["cloud"]["contains"]
    for host in ("cloudflare", "route53"):
        assert set(cloud) == {"allowed_changes", *views.cloud_view(topology.build(make_cloud_site()), host)}
    filters = yaml_of("plugins/filter/topology.yml")["RETURN"]["_value"]["contains"]
    assert set(filters) == set(views.overview(site))


# --- names and links -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_are_absolute_and_lead_somewhere(path: Path) -> None:
    """Galaxy shows the READMEs, where a relative link leads nowhere."""
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        assert link.startswith("https://"), link
        if link.startswith(BLOB):
            file, _hash, anchor = link[len(BLOB) :].partition("#")
            assert (ROOT / file).exists(), link
            headings = re.findall(r"^#+ (.*)$", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
            assert not anchor or anchor in [heading.lower().replace(" ", "-") for heading in headings], link


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_of_the_collection_exist(path: Path) -> None:
    names = set(re.findall(r"\bdnsops\.redundant_dns\.(\w+)", path.read_text(encoding="utf-8")))
    content = {file.stem for kind in ("modules", "filter") for file in (ROOT / "plugins" / kind).glob("*.*")}
    content |= {file.stem for file in (ROOT / "playbooks").glob("*.yml")} | set(ROLES)
    assert names <= content


def test_every_role_is_linked() -> None:
    for role in ROLES:
        assert BLOB + "roles/%s/README.md" % role in README


def test_versions_agree() -> None:
    wanted = yaml_of("meta/runtime.yml")["requires_ansible"]
    assert wanted == ">=2.18.0"
    assert "ansible-core 2.18 or later" in section("Installation")
    for role in ROLES:
        assert yaml_of("roles/%s/meta/main.yml" % role)["galaxy_info"]["min_ansible_version"] == "2.18"
    pins = (ROOT / "tests" / "environment" / "requirements.txt").read_text(encoding="utf-8")
    tested = re.search(r"^ansible-core==(\d+\.\d+)\.", pins, re.MULTILINE)
    assert tested and "the tests deploy with %s," % tested.group(1) in section("Supported platforms")


def test_platforms_are_those_with_data_files_and_the_tested_ones_are_deployed() -> None:
    # Data files are named after the major version: Ubuntu 24.04 is Ubuntu-24.yml.
    rows = {row[0].split(".")[0]: row[1:] for table in tables(section("Supported platforms")) for row in table[1:]}
    data = {file.stem.replace("-", " ") for file in ROOT.glob("roles/*/vars/*-*.yml")}
    assert set(rows) == data
    made = re.search(r"^DEBIAN_RELEASES := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert made
    deployed = {"Debian " + release for release in made.group(1).split()}
    assert {platform for platform, row in rows.items() if "not deployed" not in row[2]} == deployed
    for platform, row in rows.items():
        for role, name, version in (("bind", "BIND", row[0]), ("nsd_secondary", "NSD", row[1])):
            file = ROOT / "roles" / role / "vars" / (platform.replace(" ", "-") + ".yml")
            assert "# %s %s\n" % (name, version) in file.read_text(encoding="utf-8")


def test_galaxy_metadata() -> None:
    galaxy = yaml_of("galaxy.yml")
    assert re.fullmatch(r"\d+\.\d+\.\d+", galaxy["version"])
    assert galaxy["dependencies"] == {}
    for folder in ("plugins", "roles", "playbooks", "meta"):
        assert not any(pattern.startswith(folder) for pattern in galaxy["build_ignore"])
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").split()[:4] == ["GNU", "GENERAL", "PUBLIC", "LICENSE"]


def test_changelog_fragments() -> None:
    config = yaml_of("changelogs/config.yaml")
    sections = {name for name, _title in config["sections"]} | {"release_summary", "trivial"}
    for path in ROOT.glob("changelogs/fragments/*.yml"):
        assert set(yaml.safe_load(path.read_text(encoding="utf-8"))) <= sections, path
