"""Every mistake that people make in inventories and zone files, and what they are told.

The corpus is data, in ``mistakes/``: each case is a change of an inventory without a mistake (``base.yml``), with all
messages that follow, word for word. A case, and the base, has

``title``
    what is wrong, for people
``vars``
    YAML of variables for all hosts; each replaces the base's variable of that name
``without``
    variables that the base has and the case has not
``ns1``, ``ns2``, ``ns3``
    YAML of the variables of that host
``groups``
    YAML of the groups
``inventory``
    YAML of the whole inventory, instead of these
``append``
    file: lines to add to a file of the base
``files``
    file: its text; null for no file; {folder: true}; {link: target}; {text, encoding}
``unreadable``
    files that the user may not read
``play_hosts``
    hosts of the run, where that is not all
``messages``, ``warnings``
    what is told; the folder of the inventory is called /srv/dns
"""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import inventory, topology, views
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CORPUS = Path(__file__).parent / "mistakes"
SHOWN = "/srv/dns"
NOBODY = 65534
EXAMPLES = int(os.environ.get("EXAMPLES", "300"))  # of each property


def corpus() -> dict[str, dict[str, Any]]:
    """All cases by file and title."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(CORPUS.glob("*.yml")):
        if path.name != "base.yml":
            for case in yaml.safe_load(path.read_text(encoding="utf-8")):
                name = "%s: %s" % (path.stem, case["title"])
                assert name not in found, name
                found[name] = case
    return found


BASE = yaml.safe_load((CORPUS / "base.yml").read_text(encoding="utf-8"))
CASES = corpus()


def variables(text: str) -> dict[str, str]:
    """Top-level keys of YAML -> their text: what a parser makes of it is part of the test."""
    parts = re.split(r"^(?=[^\s#-])", text, flags=re.MULTILINE)
    return {re.split(":", part, maxsplit=1)[0]: part for part in parts if part}


def inventory_text(case: Mapping[str, Any]) -> str:
    if "inventory" in case:
        return case["inventory"]
    parts = {**variables(BASE["vars"]), **variables(case.get("vars", ""))}
    for name in case.get("without", []):
        del parts[name]
    lines = ["all:", "  vars:", textwrap.indent("".join(parts.values()), "    "), "  hosts:"]
    for host in ("ns1", "ns2", "ns3"):
        lines += ["    %s.example.net:" % host, textwrap.indent(case.get(host, BASE[host]), "      ")]
    lines += ["  children:", textwrap.indent(case.get("groups", BASE["groups"]), "    ")]
    return "\n".join(lines)


def write(folder: Path, case: Mapping[str, Any]) -> Path:
    """Write the inventory and its files into a folder; the path of the inventory."""
    for name, content in {**BASE["files"], **case.get("files", {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content + case.get("append", {}).get(name, ""), encoding="utf-8", newline="")
        elif content is None:
            continue
        elif "folder" in content:
            path.mkdir()
        elif "link" in content:
            path.symlink_to(content["link"])
        else:
            path.write_bytes(content["text"].encode(content["encoding"]))
    for name in case.get("unreadable", []):
        (folder / name).chmod(0)
    path = folder / "hosts.yml"
    path.write_text(inventory_text(case), encoding="utf-8")
    return path


class Told(NamedTuple):
    """What a reading of an inventory came to."""

    messages: list[str]
    warnings: list[str]


def read_with_ansible(path: Path) -> tuple[Any, Mapping[str, list[str]]]:
    """hostvars and groups as tasks of Ansible have them."""
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader
    from ansible.vars.hostvars import HostVars
    from ansible.vars.manager import VariableManager

    loader = DataLoader()
    manager = InventoryManager(loader, sources=[str(path)])
    variable_manager = VariableManager(loader, manager)
    return HostVars(manager, variable_manager, loader), manager.get_groups_dict()


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root reads every file."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def told(folder: Path, case: Mapping[str, Any]) -> Told:
    """What the action plan tells about an inventory, read as it reads it."""
    hostvars, groups = read_with_ansible(write(folder, case))
    hosts = case.get("play_hosts")
    try:
        with as_nobody() if "unreadable" in case else nullcontext():
            site = inventory.read(hostvars, groups, hosts)
            texts = site.zone_texts(site.topology.zones)
            warnings = site.warnings(texts)
    except InputError as error:
        return Told([str(problem).replace(str(folder), SHOWN) for problem in error.problems], [])
    return Told([], [str(problem).replace(str(folder), SHOWN) for problem in warnings])


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may look into, which pytest's are not."""
    with tempfile.TemporaryDirectory(prefix="dns-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


def test_the_base_of_all_cases_has_no_mistake(folder: Path) -> None:
    assert told(folder, {}) == Told([], [])


@pytest.mark.parametrize("name", CASES)
def test_what_is_told(folder: Path, name: str) -> None:
    case = CASES[name]
    assert told(folder, case) == Told(case.get("messages", []), case.get("warnings", []))


def test_every_variable_and_key_is_in_a_message() -> None:
    """But dns_site, which may be anything."""
    messages = "\n".join(
        text for case in CASES.values() for kind in ("messages", "warnings") for text in case.get(kind, [])
    )
    names = {
        *topology.HOST_VARIABLES,
        *topology.ZONE_KEYS,
        *topology.PEER_KEYS,
        *inventory.SITE_VARIABLES,
        "dns_groups",
    }
    found = set(re.findall(r"[a-z0-9_]+", messages))
    assert names - found == {"dns_site", "inventory_dir"}


# --- a run -----------------------------------------------------------------------------------------------------------

ANSIBLE_PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"
# A connection that leaves a mark where somebody connects.
CONNECTION = '''
DOCUMENTATION = """
name: marking
short_description: Leaves a mark
description: Leaves a mark.
options: {}
"""
import os

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase


class Connection(ConnectionBase):
    transport = "marking"

    def _connect(self):
        open(os.environ["MARK"], "w").close()
        raise AnsibleConnectionFailure("nobody is there")

    exec_command = put_file = fetch_file = lambda self, *args, **kwargs: self._connect()

    def close(self):
        pass
'''


class Run(NamedTuple):
    """A run of the playbook site."""

    status: int
    output: str
    connected: bool


def deploy(folder: Path, case: Mapping[str, Any], *arguments: str, playbook: str = "site") -> Run:
    path = write(folder, case)
    (folder / "plugins").mkdir(exist_ok=True)
    (folder / "plugins" / "marking.py").write_text(CONNECTION, encoding="utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
        "ANSIBLE_CONNECTION_PLUGINS": str(folder / "plugins"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_NOCOLOR": "1",
        "MARK": str(folder / "mark"),
    }
    command = [
        str(ANSIBLE_PLAYBOOK),
        "-i",
        str(path),
        "-c",
        "marking",
        str(ROOT / "playbooks" / playbook) + ".yml",
        *arguments,
    ]
    # Not in the checkout, whose ansible.cfg is not the users'.
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    output = (done.stdout + done.stderr).replace(str(folder), SHOWN)
    return Run(done.returncode, output, (folder / "mark").exists())


needs_ansible = pytest.mark.skipif(not ANSIBLE_PLAYBOOK.exists(), reason="ansible-core is not installed")


@needs_ansible
def test_a_run_without_a_mistake_connects(folder: Path) -> None:
    """Else the next test would prove nothing."""
    run = deploy(folder, {})
    assert run.connected, run.output
    assert "nobody is there" in run.output
    assert "mistake" not in run.output


@needs_ansible
@pytest.mark.parametrize(
    "name",
    [
        "hosts: ansible's address alone, for all hosts",
        "site: a vaulted secret that is nowhere",
        "zone_files: records of another zone",
    ],
)
def test_a_run_with_mistakes_tells_them_and_connects_to_no_host(folder: Path, name: str) -> None:
    messages = CASES[name]["messages"]
    run = deploy(folder, CASES[name])
    assert run.status == 2
    assert not run.connected
    words = " ".join(run.output.split())
    count = len(messages)
    assert "%d mistake%s:" % (count, "" if count == 1 else "s") in words
    for message in messages:
        assert " ".join(message.split()) in words, run.output
    for unwanted in ("Traceback", "WARNING", "Deploy the", "unreachable=1", "ok=1"):
        assert unwanted not in run.output, run.output


PLAYBOOKS = pytest.mark.parametrize("playbook", ["site", "verify", "decommission"])
LEAVING = ["-e", "dns_decommission=www.example.net"]


@needs_ansible
@PLAYBOOKS
def test_a_run_for_no_name_server_is_red(folder: Path, playbook: str) -> None:
    """A host of the inventory that is none, as --limit; nothing would be done, and nobody would know."""
    run = deploy(folder, {}, "--limit", "ns1.example.net", *LEAVING, playbook=playbook)
    if playbook == "decommission":
        assert (
            "www.example.net is not among the hosts of this run, so it would not be stopped: mend --limit."
            in run.output
        )
    else:
        assert run.connected, run.output
        (folder / "mark").unlink()
        run = deploy(folder, {}, "--limit", "www.example.net", playbook=playbook)
        words = "No name server is among the hosts of this run (www.example.net), so there is nothing to do."
        assert words in " ".join(run.output.split())
    assert run.status == 2 and not run.connected, run.output


@needs_ansible
@PLAYBOOKS
def test_a_run_with_an_inventory_that_cannot_be_read_is_red(folder: Path, playbook: str) -> None:
    run = deploy(folder, {"inventory": "all:\n\thosts: {}\n"}, *LEAVING, playbook=playbook)
    assert run.status == 2 and "the inventory has no hosts in bind_primary" in run.output, run.output


# --- properties ------------------------------------------------------------------------------------------------------

WHOLE: dict[str, Any] = {
    "vars": yaml.safe_load(BASE["vars"]),
    **{host: yaml.safe_load(BASE[host]) for host in ("ns1", "ns2", "ns3")},
    "cloudflare": {"dns_id": "account.example", "dns_notify_to": ["203.0.113.7"]},
    "route53": {"route53_push_host": "ns2.example.net", "route53_hosted_zones": {"example.com": "Z0123456789ABC"}},
}
SECRETS = re.findall(r"[A-Za-z0-9+/]{22,}={1,2}", BASE["vars"])
ROLES = ("bind_primary", "bind_secondary", "nsd_secondary")
HOSTS = [host + ".example.net" for host in ("ns1", "ns2", "ns3", "www")]


class Text(str):
    """As the values of Ansible are, which know where they come from."""


class Number(int):
    pass


KEYS = sorted({
    *topology.HOST_VARIABLES, *topology.ZONE_KEYS, *topology.PEER_KEYS, *inventory.SITE_VARIABLES, "dns_groups",
    "algorithm", "refresh", "type", "value", "values",
})  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from([*KEYS, *ROLES, *HOSTS, "friend", "customer", "example.com", "example.org", "customer.example"]),
    st.sampled_from(
        ["", " ", ".", "..", "/", "*", "@", "no", "keep", "1h", "192.0.2.9", "2001:db8::9", "192.0.2.0/24"]
    ),
    st.sampled_from(
        ["bücher.example", "☃", "a\0b", "a\nb", "\x1b[2J", "\ud800", "{{ x }}", "%s %d %", "{0}", "a" * 300]
    ),
    st.sampled_from(["zones", "zones/example.com.zone", "zones/example.net.yml", "../..", "/dev/null", "x" * 5000]),
    st.text(max_size=6),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 53, 2**31, 2**32, float("nan"), float("inf")]),
    st.builds(pow, st.just(16), st.just(5000)),  # written in hexadecimal, YAML reads it; Python does not print it
    st.dates(),
    st.datetimes(),
    st.binary(max_size=3),
    TEXTS,
    TEXTS.map(Text),
    st.integers().map(Number),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(TEXTS | st.integers() | st.none() | st.booleans(), inner, max_size=3),
    ),
    max_leaves=6,
)


ANYTHING_HASHABLE = TEXTS | st.integers() | st.none()


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Everything in nested lists and mappings, each as its container and its key there."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(items):
        yield node, key
        yield from places(value)


@st.composite
def inventories(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The base with some things changed as no inventory should be; hostvars and groups."""
    whole = copy.deepcopy(WHOLE)
    for _change in range(draw(st.integers(1, 4))):
        container, key = draw(st.sampled_from(list(places({"": whole}))[2:]))
        change = draw(st.sampled_from(["put", "put", "remove", "wrap", "add", "add", "again"]))
        if change == "put":
            container[key] = draw(ANYTHING)
        elif change == "remove":
            del container[key]
        elif change == "wrap":
            container[key] = draw(st.sampled_from([[container[key]], {"name": container[key]}]))
        elif isinstance(container[key], dict):
            container[key][draw(st.sampled_from(KEYS) | ANYTHING_HASHABLE)] = draw(ANYTHING)
        elif isinstance(container[key], list):
            container[key].append(
                copy.deepcopy(container[key][0]) if change == "again" and container[key] else draw(ANYTHING)
            )
    groups = {"all": [*HOSTS, "cloudflare", "route53"], "web": HOSTS[3:]}
    for number, role in enumerate(ROLES):
        groups[role] = draw(st.just([HOSTS[number]]) | st.lists(st.sampled_from(HOSTS), max_size=2, unique=True))
    for role, provider in topology.CLOUD_GROUPS.items():
        groups[role] = draw(st.sampled_from([[], [provider], [provider], HOSTS[3:]]))
    site = whole.get("vars")
    hostvars = {
        name: {**(site if isinstance(site, dict) else {}), **(own if isinstance(own, dict) else {})}
        for name, own in zip(
            groups["all"], [whole.get(name) for name in ("ns1", "ns2", "ns3", "www", "cloudflare", "route53")]
        )
    }
    return hostvars, groups


def check_told(error: InputError) -> None:
    """What people are told is for people, and has no secret."""
    assert error.problems
    message = error.as_message()
    for unwanted in ("Traceback", "<class", "object at 0x", *SECRETS):
        assert unwanted not in message


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The files of the base."""
    with tempfile.TemporaryDirectory(prefix="dns-") as name:
        write(Path(name), {})
        yield Path(name)


unhurried = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(unhurried, max_examples=EXAMPLES)
@given(inventories())
def test_any_inventory_is_read_or_refused(home: Path, made: tuple[dict[str, Any], dict[str, list[str]]]) -> None:
    hostvars, groups = made
    for variables_ in hostvars.values():
        variables_.setdefault("inventory_dir", str(home))
    try:
        site = inventory.read(hostvars, groups)
        json.dumps([views.overview(site.topology), views.stranger_checks(site.topology)])
        for host in site.topology.servers:
            json.dumps([
                views.host_view(site.topology, host), views.checks_on(site.topology, host, site.topology.zones)
            ])  # fmt: skip
        for host in site.topology.clouds:
            json.dumps(views.cloud_view(site.topology, host))
        for host in [*site.topology.servers, *site.topology.clouds]:
            assert all(key.secret in SECRETS or len(key.secret) == 44 for key in site.keys_of(host))
        texts = site.zone_texts(site.topology.zones)
        warnings = site.warnings(texts)
    except InputError as error:
        check_told(error)
    else:
        if warnings:
            check_told(InputError(warnings))


SWAPPED = st.permutations(["name", "algorithm", "secret"])


@settings(unhurried, max_examples=30)
@given(SWAPPED, st.sampled_from(["tsig_keys", "friend", "customer"]), st.sampled_from(SECRETS))
def test_no_secret_in_another_place_of_its_key_is_shown(home: Path, order: list[str], place: str, secret: str) -> None:
    site = copy.deepcopy(WHOLE["vars"])
    (entry,) = site["tsig_keys"] if place == "tsig_keys" else site["dns_peers"][place]["keys"]
    entry.update(zip(order, ["a-key", "hmac-sha256", secret]))
    hostvars = {
        name: {"inventory_dir": str(home), **site, **own}
        for name, own in zip(HOSTS, [WHOLE["ns1"], WHOLE["ns2"], WHOLE["ns3"]])
    }
    groups = {role: [host] for role, host in zip(ROLES, HOSTS)}
    if order == ["name", "algorithm", "secret"] and (secret != SECRETS[1] or place != "tsig_keys"):
        inventory.read(hostvars, groups)
        return
    with pytest.raises(InputError) as caught:
        inventory.read(hostvars, groups)
    check_told(caught.value)


FRAGMENTS = [
    *'@ * . .. \\ " ( ) ; $TTL $ORIGIN $GENERATE $INCLUDE CH SOA NS A AAAA TXT CNAME MX SRV CAA 1h 4294967296'.split(),
    *"- , : { } [ ] # & *a << ! | > ' records: soa: ttl: name: type: value: values: no 1.10 0x1F 2026-01-01".split(),
    *(
        " ",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\0",
        "\ufeff",
        "é",
        "\u2028",
        "\ud800",
        "example.com",
        "ns1.example.net.",
        "9" * 5000,
    ),
]


@st.composite
def changed_texts(draw: st.DrawFn, text: str) -> bytes:
    """A text with some slips of the keyboard, as octets of a file."""
    for _slip in range(draw(st.integers(1, 5))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        end = min(end, start + draw(st.sampled_from([0, 1, 8, 80])))
        slip = draw(st.sampled_from(["put", "remove", "twice", "cut", "lines"]))
        if slip == "put":
            text = text[:start] + draw(st.sampled_from(FRAGMENTS) | st.text(max_size=4)) + text[end:]
        elif slip == "remove":
            text = text[:start] + text[end:]
        elif slip == "twice":
            text = text[:end] + text[start:]
        elif slip == "cut" and draw(st.integers(0, 3)) == 0:
            text = text[:start]
        elif slip == "lines":
            text = "".join(draw(st.permutations(text.splitlines(keepends=True))))
    encoding = draw(st.sampled_from(["utf-8"] * 8 + ["utf-16", "utf-8-sig", "latin-1"]))
    return text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")


@settings(unhurried, max_examples=EXAMPLES)
@given(*[changed_texts(BASE["files"]["zones/" + file]) for file in ("example.com.zone", "example.net.yml")])
def test_any_zone_file_is_read_or_refused(home: Path, text: bytes, records: bytes) -> None:
    hostvars = {
        name: {"inventory_dir": str(home), **WHOLE["vars"], **own}
        for name, own in zip(HOSTS, [WHOLE["ns1"], WHOLE["ns2"], WHOLE["ns3"]])
    }
    site = inventory.read(hostvars, {role: [host] for role, host in zip(ROLES, HOSTS)})
    for zone, octets in (("example.com", text), ("example.net", records)):
        path = Path(site.topology.zones[zone].file)
        before = path.read_bytes()
        path.write_bytes(octets)
        try:
            found = site.zone_texts([zone])[zone]
            for warning in site.warnings({zone: found}):
                check_told(InputError([warning]))
        except InputError as error:
            check_told(error)
            assert all(problem.zone == zone and problem.file for problem in error.problems)
        finally:
            path.write_bytes(before)
