"""What differs by platform is complete, and stays where the platforms' protection lets the daemons read and write.

Containers run without AppArmor, so a path outside of its profile would show on a real host only.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import topology
from conftest import ROOT

DATA_FILES = sorted(ROOT.glob("roles/*/vars/*-*.yml"))
# Role with the data files -> the roles that use them; -> its daemon's name in the topology.
USERS = {"bind": ("bind", "bind_primary", "bind_secondary"), "nsd_secondary": ("nsd_secondary",)}
KINDS = {"bind": "bind", "nsd_secondary": "nsd"}

# From /etc/apparmor.d/usr.sbin.named of bind9 1:9.18.49-1~deb12u3, 1:9.20.30-1~deb13u1, 1:9.18.39-0ubuntu0.22.04.8 and
# 1:9.18.39-0ubuntu0.24.04.9, the same in all:
#   /etc/bind/** r,
#   /var/lib/bind/** rw,
#   /var/cache/bind/** lrw,
#   /usr/sbin/named mr,
# From nsd.service of nsd 4.6.1-1, 4.12.0-1, 4.3.9-1 and 4.8.0-1build3, the same in all:
#   RuntimeDirectory=nsd
#   ProtectSystem=strict
#   ReadWritePaths=/var/lib/nsd /etc/nsd /run
READABLE = {"bind": ["/etc/bind"], "nsd_secondary": ["/etc/nsd"]}
WRITABLE = {"bind": ["/var/lib/bind", "/var/cache/bind"], "nsd_secondary": ["/var/lib/nsd", "/run/nsd"]}

READ = ("config_directory", "rndc_key")
WRITTEN = (
    "primary_directory",
    "secondary_directory",
    "working_directory",
    "state_directory",
    "zone_directory",
)
BINARIES = {"bind": "/usr/sbin/named", "nsd_secondary": "/usr/sbin/nsd"}


def data_of(path: Path) -> dict[str, Any]:
    """The data of a platform, its keys without the role's prefix."""
    prefix = "__%s_" % role_of(path)
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert all(key.startswith(prefix) for key in data)
    return {key[len(prefix) :]: value for key, value in data.items()}


def role_of(path: Path) -> str:
    return path.parents[1].name


def is_below(path: str, directories: list[str]) -> bool:
    return ".." not in path and any(PurePosixPath(path).is_relative_to(directory) for directory in directories)


def files_of(role: str, *folders: str) -> list[Path]:
    return [file for user in USERS[role] for folder in folders for file in (ROOT / "roles" / user / folder).glob("*")]


each_data_file = pytest.mark.parametrize("path", DATA_FILES, ids=lambda path: "%s-%s" % (role_of(path), path.stem))


def test_there_are_data_files() -> None:
    platforms = {role: {path.name for path in DATA_FILES if role_of(path) == role} for role in USERS}
    assert platforms["bind"] == platforms["nsd_secondary"]
    assert {"Debian-12.yml", "Debian-13.yml"} <= platforms["bind"]


@each_data_file
def test_it_has_what_the_roles_use_and_nothing_else(path: Path) -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in files_of(role_of(path), "tasks", "templates"))
    used = set(re.findall(r"\b__%s_(\w+)" % role_of(path), text))
    made_by_the_roles = set(re.findall(r"^\s+(?:register: )?__%s_(\w+):?(?:$| >-$)" % role_of(path), text, re.M))
    assert set(data_of(path)) == used - made_by_the_roles


@each_data_file
def test_paths_are_where_the_daemon_may_use_them(path: Path) -> None:
    role = role_of(path)
    for key, value in data_of(path).items():
        if key == "binary":
            assert value == BINARIES[role]
        elif key in READ:
            assert is_below(value, READABLE[role]), key
        elif key in WRITTEN:
            assert is_below(value, WRITABLE[role]), key
        else:
            # Not a path; one of a new key has to be sorted in above.
            assert "/" not in str(value), key


@each_data_file
def test_keys_are_in_the_directory_of_the_configuration(path: Path) -> None:
    directory = data_of(path)["config_directory"]
    assert topology.KEY_DIRECTORIES[KINDS[role_of(path)]] == directory + "/keys"


@pytest.mark.parametrize("role", USERS)
def test_paths_in_templates_are_where_the_daemon_may_use_them(role: str) -> None:
    for file in files_of(role, "templates"):
        for value in re.findall(r'"(/[^"]*)"', file.read_text(encoding="utf-8")):
            assert is_below(value, READABLE[role] + WRITABLE[role]), file


def test_nsd_keeps_zones_in_files() -> None:
    """NSD 4.8.0 removed the database, and with it the option; before, it has to be turned off (its RELNOTES)."""
    for path in DATA_FILES:
        if role_of(path) == "nsd_secondary":
            version = re.search(r"^# NSD 4\.(\d+)$", path.read_text(encoding="utf-8"), re.M)
            assert version
            wanted = ['database: ""'] if int(version.group(1)) < 8 else []
            assert data_of(path)["version_options"] == wanted, path
