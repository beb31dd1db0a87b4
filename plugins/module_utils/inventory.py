# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From Ansible's variables to the topology: reads variables and looks for files on the controller.

The site's variables (``dns_zones``, ``dns_zone_directory``, ``tsig_…``) are the same for all hosts;
they are read once, from the first host that has them. Nothing comes from facts, so ``--limit`` and
an unreachable host change nothing for the others.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import checks, topology
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import keys as tsig
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_text import ZoneText, decode, read_zone

SITE_VARIABLES = (
    "dns_zones",
    "dns_zone_directory",
    "dns_base_directory",
    "inventory_dir",
    "tsig_master_secret",
    "tsig_keys",
    "tsig_generations",
)
ZONE_FILE_SUFFIX = ".zone"

# How much is transferred and compared after a deploy. Serials are always compared for all zones.
LEVELS = ("auto", "full", "changed", "sample")
SAMPLE = 20
# Facts in which the roles note what their run touched.
CHANGED_ZONES = ("bind_primary_changed_zones", "bind_changed_zones", "nsd_secondary_changed_zones")
HELD_BACK = "bind_primary_held_back"


@dataclass(frozen=True)
class Inventory:
    """The site as read: its topology, and what is needed to make its keys."""

    topology: topology.Topology
    base_directory: str
    master: Any
    generations: Sequence[int]
    given: Sequence[Any]

    def keys_of(self, host: str) -> List[tsig.Key]:
        return tsig.keys_of(self.topology, host, self.master, self.generations, self.given)

    def zone_texts(self, names: Iterable[str]) -> Dict[str, ZoneText]:
        """The texts of the zones, read and checked; see :func:`read_texts`."""
        return read_texts({name: self.topology.zones[name].file for name in names}, self.shown)

    def warnings(self, texts: Mapping[str, ZoneText]) -> List[Problem]:
        """What is no error but worth a look: of the texts, and of the texts beside the topology."""
        found: List[Problem] = []
        for name, text in texts.items():
            found += text.warnings
            zone = self.topology.zones[name]
            servers = [self.topology.servers[host] for host in (zone.primary,) + zone.secondaries]
            visible = {server.name for server in servers if not server.hidden}
            listed = {server.rstrip(".").lower() for server in text.name_servers}
            if visible != listed:
                found.append(
                    Problem(
                        "its NS records (%s) are not the servers that serve it (%s)"
                        % (", ".join(sorted(listed)), ", ".join(sorted(visible))),
                        "Change the NS records, or dns_name and dns_hidden of the hosts",
                        zone=name,
                        file=self.shown(zone.file),
                    )
                )
        return found

    def shown(self, path: str) -> str:
        """A path as people wrote it: relative to the base directory where it is inside."""
        relative = os.path.relpath(path, self.base_directory)
        return path if relative.startswith("..") else relative


def read_texts(files: Mapping[str, str], shown: Callable[[str], str] = str) -> Dict[str, ZoneText]:
    """Zone -> its text, read and checked.

    :param files: zone -> path.
    :param shown: how to write a path for people.
    :raises InputError: with the mistakes of all zones.
    """
    texts: Dict[str, ZoneText] = {}
    problems: List[Problem] = []
    for zone, path in files.items():
        place = shown(path)
        try:
            with open(path, "rb") as file:
                data = file.read()
            texts[zone] = read_zone(zone, decode(zone, data, place), place)
        except InputError as error:
            problems += error.problems
        except OSError as error:
            problems.append(
                Problem("it cannot be read: %s" % error.strerror, "Mend its permissions", zone=zone, file=place)
            )
    if problems:
        raise InputError(problems)
    return texts


def read(hostvars: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Sequence[str]]) -> Inventory:
    """Read and check the whole inventory.

    :param hostvars: Ansible's ``hostvars``.
    :param groups: Ansible's ``groups``.
    :raises InputError: with every mistake found.
    """
    groups = {str(group): [str(host) for host in hosts] for group, hosts in groups.items()}
    hosts: List[str] = []
    for group in list(topology.PRIMARY_GROUPS) + list(topology.SECONDARY_GROUPS):
        hosts += [host for host in groups.get(group, ()) if host not in hosts]

    problems: List[Problem] = []
    site = _site_variables(hostvars, hosts, groups, problems)
    host_variables = {
        host: _variables(hostvars[host], topology.HOST_VARIABLES, host, problems) for host in hosts if host in hostvars
    }
    base = _base_directory(site, problems)
    directory_files = _directory_files(site, base, problems)
    zones = site.get("dns_zones") or []
    if not isinstance(zones, list):
        problems.append(Problem("dns_zones is not a list", "Write  dns_zones: [{name: example.com, file: ...}]"))
        zones = []
    generations = _generations(site.get("tsig_generations", [1]), problems)
    given = []
    try:
        given = tsig.read_given(site.get("tsig_keys") or [])
    except InputError as error:
        problems += error.problems

    built: Optional[topology.Topology] = None
    try:
        built = topology.build(
            topology.Site(
                hosts=host_variables,
                groups=groups,
                zones=zones,
                directory_files=directory_files,
                zone_files=_zone_files(zones, base),
                generations=generations,
                given_keys=[ends for ends, _key in given],
            )
        )
    except InputError as error:
        problems += error.problems
    try:
        tsig.read_master(site.get("tsig_master_secret"))
    except InputError as error:
        problems += error.problems
    if problems or built is None:
        raise InputError(problems)
    return Inventory(built, base, site.get("tsig_master_secret"), generations, given)


def zones_to_verify(site: Inventory, level: str, hostvars: Mapping[str, Mapping[str, Any]]) -> List[str]:
    """The zones to transfer and compare.

    :param level: ``full``: all. ``changed``: those that this run touched on any host. ``sample``: those, and some more
        by chance. ``auto``: ``changed`` after a deploy, ``full`` where the checks run alone.
    """
    notes = [hostvars[host][name] for host in site.topology.servers for name in CHANGED_ZONES if name in hostvars[host]]
    names = list(site.topology.zones)
    if level == "full" or (level == "auto" and not notes):
        return names
    touched = {zone for note in notes for zone in note}
    if level == "sample":
        touched.update(random.sample(names, min(SAMPLE, len(names))))
    return [name for name in names if name in touched]


def held_back_rows(site: Inventory, hostvars: Mapping[str, Mapping[str, Any]]) -> List[checks.Row]:
    """A failed row for every zone that a primary held back in this run."""
    rows = []
    for host, server in site.topology.servers.items():
        for problem in hostvars[host][HELD_BACK] if HELD_BACK in hostvars[host] else []:
            place = site.shown(problem["file"]) + (":%d" % problem["line"] if problem["line"] else "")
            detail = "%s: %s; what was served before is still served" % (place, problem["reason"])
            rows.append(
                checks.row(
                    "publish", problem["zone"], host, server.addresses[0], checks.FAILED, "held back", None, detail
                )
            )
    return rows


def _plain(value: Any) -> Any:
    """Ansible's lazy, tagged containers as ordinary ones; this is what resolves their templates."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _variables(source: Mapping[str, Any], names: Sequence[str], host: str, problems: List[Problem]) -> Dict[str, Any]:
    """Those of the variables that are set; one that cannot be resolved (template, vault) is a problem."""
    found = {}
    for name in names:
        try:
            if name in source:
                found[name] = _plain(source[name])
        except Exception as error:  # pylint: disable=broad-except  # a template may raise anything
            problems.append(Problem("the variable %s cannot be resolved: %s" % (name, error), host=host))
    return found


def _site_variables(
    hostvars: Mapping[str, Mapping[str, Any]],
    hosts: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    problems: List[Problem],
) -> Dict[str, Any]:
    site: Dict[str, Any] = {}
    for host in hosts:
        missing = [name for name in SITE_VARIABLES if name not in site]
        if host in hostvars and missing:
            site.update(_variables(hostvars[host], missing, host, problems))
    for group in topology.PRIMARY_GROUPS:
        for host in groups.get(group, ()):
            own = _variables(hostvars.get(host, {}), ("dns_zones", "dns_zone_directory"), host, [])
            for name, value in own.items():
                if value != site.get(name):
                    problems.append(
                        Problem(
                            "its %s differs from that of another primary" % name,
                            "Set it once for all hosts, in group_vars/all.yml; a zone names its primary itself",
                            host=host,
                        )
                    )
    return site


def _base_directory(site: Mapping[str, Any], problems: List[Problem]) -> str:
    base = site.get("dns_base_directory") or site.get("inventory_dir")
    if isinstance(base, str) and os.path.isabs(base):
        return base
    if base is None:
        reason = "dns_base_directory is not set, and this inventory has no folder to start from"
    else:
        reason = "dns_base_directory %r is not an absolute path" % (base,)
    problems.append(Problem(reason, "Set it to the absolute path of the folder where the paths of zone files start"))
    return "/"


def _directory_files(site: Mapping[str, Any], base: str, problems: List[Problem]) -> Dict[str, str]:
    """Zone files of ``dns_zone_directory``: file name -> path."""
    value = site.get("dns_zone_directory")
    if not value:
        return {}
    if not isinstance(value, str):
        problems.append(Problem("dns_zone_directory %r is not a path" % (value,), "Write one folder, such as zones"))
        return {}
    directory = os.path.join(base, value)
    try:
        names = os.listdir(directory)
    except OSError as error:
        problems.append(
            Problem(
                "dns_zone_directory cannot be read: %s" % error.strerror,
                "Relative paths start at dns_base_directory, which is %s" % base,
                file=directory,
            )
        )
        return {}
    return {
        name: os.path.join(directory, name)
        for name in names
        if name.endswith(ZONE_FILE_SUFFIX)
        and not name.startswith(".")
        and os.path.isfile(os.path.join(directory, name))
    }


def _zone_files(zones: Sequence[Any], base: str) -> Dict[str, Optional[str]]:
    """``file`` of each entry of dns_zones -> absolute path, or None where there is no such file."""
    files: Dict[str, Optional[str]] = {}
    for entry in zones:
        file = entry.get("file") if isinstance(entry, Mapping) else None
        if isinstance(file, str) and file not in files:
            path = os.path.join(base, file)
            files[file] = path if os.path.isfile(path) else None
    return files


def _generations(value: Any, problems: List[Problem]) -> List[int]:
    if (
        isinstance(value, list)
        and value
        and all(isinstance(item, int) and not isinstance(item, bool) and 0 < item < 2**32 for item in value)
        and len(set(value)) == len(value)
    ):
        return value
    problems.append(
        Problem(
            "tsig_generations %r is not a list of different numbers from 1" % (value,),
            "Write  tsig_generations: [1]  or, while a key is being replaced,  tsig_generations: [2, 1]",
        )
    )
    return [1]
