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
from datetime import datetime, timezone
from difflib import get_close_matches
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import checks, providers, topology
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import keys as tsig
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.names import domain_name, shown
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.topology import Topology, Zone
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_records import (
    DEFAULT_TTL,
    INLINE,
    Defaults,
    Records,
    check_defaults,
    read_records_file,
    zone_from_records,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_text import ZoneText, decode, read_zone

# Given with -e, and so the same for all hosts too: zones that may change by whatever much, and zones whose serial is
# raised where a secondary is ahead.
ZONES_OF_A_RUN = ("dns_allow_changes", "dns_raise_serials")
SITE_VARIABLES = (
    "dns_zones",
    "dns_zone_directory",
    "dns_base_directory",
    "dns_default_ttl",
    "dns_soa",
    "dns_mname",
    "dns_hostmaster",
    "dns_peers",
    "dns_verifier_addresses",
    "inventory_dir",
    "tsig_master_secret",
    "tsig_keys",
    "tsig_generations",
    *ZONES_OF_A_RUN,
)
# Read by the playbooks, and by nothing here.
RUN_VARIABLES = (
    "dns_verify",
    "dns_verify_timeout",
    "dns_show",
    "dns_report_file",
    "dns_allow_mass_removal",
    "dns_restart",
    "dns_decommission",
    "dns_decommission_force",
    "dns_resolvers",
    "dns_name_server_addresses",
)

# How much is transferred and compared after a deploy. Serials are always compared for all zones.
LEVELS = ("auto", "full", "changed", "sample")
SAMPLE = 20
# Facts in which the roles note what their run touched.
CHANGED_ZONES = ("bind_primary_changed_zones", "bind_changed_zones", "nsd_secondary_changed_zones")
HELD_BACK = "bind_primary_held_back"
# Fact in which a roll notes at which server it stopped: task, reason, left (the servers after it).
STOPPED = "__dns_stopped"
# What an account has -> its group.
OF_ACCOUNTS = {"cloudflare_secondary_account_id": "cloudflare_secondary", "route53_push_host": "route53_secondary"}
# Variables in which the roles of providers register what came of their module: the checks, and the deploy, which is of
# interest where it failed and no checks were made.
TOLD_BY_PROVIDERS = (
    "__cloudflare_secondary_seen",
    "__route53_secondary_seen",
    "__cloudflare_secondary_zones",
    "__route53_secondary_pushed",
)


@dataclass(frozen=True)
class Inventory:
    """The site as read: its topology, and what is needed to make its keys."""

    topology: Topology
    base_directory: str
    master: Any
    generations: Sequence[int]
    given: Sequence[Any]
    peer_keys: Mapping[str, Sequence[tsig.Key]]
    defaults: Defaults
    idle_files: Sequence[str]
    # The two of ZONES_OF_A_RUN.
    allowed_changes: Sequence[str]
    raised_serials: Sequence[str]

    def keys_of(self, host: str) -> List[tsig.Key]:
        return tsig.keys_of(self.topology, host, self.master, self.generations, self.given, self.peer_keys)

    def zone_texts(self, names: Iterable[str]) -> Dict[str, ZoneText]:
        """Zone -> its text, read or made, and checked; zones whose text is at a peer are left out.

        :raises InputError: with the mistakes of all zones.
        """
        texts: Dict[str, ZoneText] = {}
        problems: List[Problem] = []
        for name in names:
            zone = self.topology.zones[name]
            if zone.source == "transfer":
                continue
            text = _gather(problems, self._zone_text, zone)
            if text is not None:
                texts[name] = text
        if problems:
            raise InputError(problems)
        return texts

    def _zone_text(self, zone: Zone) -> ZoneText:
        place = self.place(zone)
        text = "" if zone.file is None else decode(zone.name, _read_file(zone.name, zone.file, place), place)
        if zone.source == "text":
            return read_zone(zone.name, text, place)
        if zone.file is None:
            content = Records(place, **{"records": None, **zone.content})
        else:
            content = _records_of_file(zone, text, place)
        name_servers = self.topology.name_servers(zone)
        made = zone_from_records(zone.name, content, self.defaults, name_servers)
        if zone.serial == "keep" and not (isinstance(content.soa, Mapping) and content.soa.get("serial") is not None):
            raise InputError([
                Problem(
                    "serial: keep leaves the serial to you, and it has none",
                    "Add  soa: {serial: 2026010100}  or take  serial: keep  away",
                    zone=zone.name,
                    file=place,
                )
            ])  # fmt: skip
        return made

    def overlooked(self, hostvars: Mapping[str, Mapping[str, Any]]) -> List[Problem]:
        """What would be ignored without a word: a host that is a server but for its group, a variable nearly ours."""
        found: List[Problem] = []
        # Where services have groups of their own, the servers of another service are no strays.
        strays = [] if any("dns_groups" in variables for variables in hostvars.values()) else list(hostvars)
        for host in strays:
            if host in self.topology.servers or host in self.topology.clouds:
                continue
            if "dns_address" in hostvars[host]:
                reason = "it has dns_address, but is in none of %s: it serves nothing here, and is not checked"
                mend = "Put it into its group; where it leaves, run the playbook decommission for it"
                found.append(Problem(reason % ", ".join(topology.SERVER_GROUPS), mend, host=host))
            for name, group in OF_ACCOUNTS.items():
                # A variable that servers have too is set for all hosts.
                if name in hostvars[host] and not any(name in hostvars[server] for server in self.topology.servers):
                    reason = "it has %s, but is not in %s: nothing is done there" % (name, group)
                    found.append(Problem(reason, "Put it into that group, or take the variable away", host=host))
        known = [*topology.HOST_VARIABLES, *SITE_VARIABLES, *RUN_VARIABLES, "dns_groups"]
        told = set(known)
        for host in [*self.topology.servers, *self.topology.clouds]:
            for name in hostvars[host]:
                if str(name).startswith(("dns_", "tsig_")) and name not in told:
                    told.add(name)
                    near = get_close_matches(str(name), known, 1, 0.8)
                    if near:
                        reason = 'the variable "%s" is none of this collection\'s, and is ignored' % name
                        found.append(Problem(reason, 'Did you mean "%s"?' % near[0], host=host))
        return found

    def warnings(self, texts: Mapping[str, ZoneText]) -> List[Problem]:
        """What is no error but worth a look: of the texts, and of the texts beside the topology."""
        found: List[Problem] = []
        if self.idle_files:
            found.append(
                Problem(
                    "files in dns_zone_directory that are no zones: %s" % ", ".join(self.idle_files),
                    "Zones are NAME.zone and NAME.yml; put other files elsewhere",
                )
            )
        for peer in self.topology.peers.values():
            if not peer.keys:
                found.append(
                    Problem(
                        "dns_peers: %s: its transfers are not signed, so that a forged address is enough" % peer.id,
                        "Agree on a TSIG key with its operator",
                    )
                )
        presets = [end.preset for end in [*self.topology.peers.values(), *self.topology.clouds.values()] if end.preset]
        found += providers.warnings(presets, datetime.now(timezone.utc).date())
        for name, text in texts.items():
            found += text.warnings
            zone = self.topology.zones[name]
            visible = set(self.topology.name_servers(zone))
            listed = {server.rstrip(".").lower() for server in text.name_servers}
            # Names that only a provider knows are looked at by the checks after the deploy.
            if visible != listed and not (visible < listed and self.topology.unnamed(zone)):
                found.append(
                    Problem(
                        "its NS records (%s) are not the servers that serve it (%s)"
                        % (", ".join(sorted(listed)), ", ".join(sorted(visible))),
                        "Change the NS records, or dns_name, dns_hidden and dns_name_servers of the hosts",
                        zone=name,
                        file=self.place(zone),
                    )
                )
        return found

    def place(self, zone: Zone) -> str:
        """What messages call the place of a zone's content."""
        return INLINE if zone.file is None else self.shown(zone.file)

    def shown(self, path: str) -> str:
        """A path as people wrote it: relative to the base directory where it is inside."""
        if not os.path.isabs(path):
            return path
        relative = os.path.relpath(path, self.base_directory)
        # Zones beside the folder of the inventory are near enough.
        return os.path.normpath(path) if relative.startswith("../..") else relative


def _read_file(zone: str, path: str, place: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        mend = "Mend its permissions" if isinstance(error, PermissionError) else "See that it can be read"
        raise InputError([
            Problem("it cannot be read: %s" % error.strerror, mend, zone=zone, file=place)
        ]) from error  # fmt: skip


def _records_of_file(zone: Zone, text: str, place: str) -> Records:
    """The records of a NAME.yml, with what its entry in dns_zones says of them."""
    others, content = read_records_file(zone.name, text, place)
    problems = [
        Problem(
            '"%s" has no place in a file of records' % key,
            "Put it into the zone's entry in dns_zones"
            if key in topology.ZONE_KEYS
            else "Known keys: %s" % ", ".join(topology.CONTENT_KEYS),
            zone=zone.name,
            file=place,
        )
        for key in others
    ]
    for key in zone.content:
        if getattr(content, key) is not None:
            problems.append(
                Problem("%s is in its entry in dns_zones too" % key, "Keep it in one place", zone=zone.name, file=place)
            )
    if problems:
        raise InputError(problems)
    return content._replace(**zone.content)


def read(
    hostvars: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, Sequence[str]],
    play_hosts: Optional[Sequence[str]] = None,
) -> Inventory:
    """Read and check the whole inventory.

    :param hostvars: Ansible's ``hostvars``.
    :param groups: Ansible's ``groups``.
    :param play_hosts: the hosts of the play, which tell which ``dns_groups`` hold; None for all hosts.
    :raises InputError: with every mistake found.
    """
    problems: List[Problem] = []
    groups = {str(group): [str(host) for host in hosts] for group, hosts in groups.items()}
    groups = _with_roles(hostvars, groups, play_hosts, problems)
    hosts: List[str] = []
    for group in topology.GROUPS:
        hosts += [host for host in groups.get(group, ()) if host not in hosts]

    site = _site_variables(hostvars, hosts or list(hostvars), groups, problems)
    host_variables = {
        host: _variables(hostvars[host], topology.HOST_VARIABLES, host, problems) for host in hosts if host in hostvars
    }
    if problems:  # the rest would tell of what is missing because of these
        raise InputError(problems)
    base = _base_directory(site, problems)
    directory_files, idle_files = _directory_files(site, base, problems)
    zones = site.get("dns_zones") or []
    if not isinstance(zones, list):
        problems.append(Problem("dns_zones is not a list", "Write  dns_zones: [{name: example.com, file: ...}]"))
    peers = site.get("dns_peers") or {}
    if not isinstance(peers, Mapping):
        problems.append(
            Problem("dns_peers is not a mapping", "Write  dns_peers: {friend: {role: secondary, transfer_from: [...]}}")
        )
    if not isinstance(zones, list) or not isinstance(peers, Mapping):
        raise InputError(problems)  # without zones and peers, all others would seem to be for nothing
    generations = _generations(site.get("tsig_generations", [1]), problems)
    given: Sequence[Any] = _gather(problems, tsig.read_given, site.get("tsig_keys") or []) or []
    peer_keys: Mapping[str, Sequence[tsig.Key]] = _gather(problems, tsig.read_peer_keys, peers) or {}
    defaults = Defaults(
        ttl=site.get("dns_default_ttl", DEFAULT_TTL),
        soa=site.get("dns_soa") or {},
        mname=site.get("dns_mname"),
        hostmaster=site.get("dns_hostmaster"),
    )
    problems += check_defaults(defaults)

    built = _gather(
        problems,
        topology.build,
        topology.Site(
            hosts=host_variables,
            groups=groups,
            zones=zones,
            directory_files=directory_files,
            zone_files=_zone_files(zones, base),
            generations=generations,
            given_keys=[ends for ends, _key in given],
            verifiers=site.get("dns_verifier_addresses") or (),
            shared_keys=tsig.shared_by_peers(peer_keys),
            # Secrets stay outside of the topology.
            peers={
                name: dict(settings, keys=[key.name for key in peer_keys.get(name, ())])
                if isinstance(settings, Mapping) and "keys" in settings
                else settings
                for name, settings in peers.items()
            },
        ),
    )
    _gather(problems, tsig.read_master, site.get("tsig_master_secret"))
    if built is None:
        raise InputError(problems)
    allowed = _named_zones("dns_allow_changes", site, built, problems)
    raised = _named_zones("dns_raise_serials", site, built, problems)
    if problems:
        raise InputError(problems)
    return Inventory(
        built,
        base,
        site.get("tsig_master_secret"),
        generations,
        given,
        peer_keys,
        defaults,
        idle_files,
        allowed,
        raised,
    )


def _gather(problems: List[Problem], read_part: Callable[[Any], Any], value: Any) -> Any:
    """What a reading of the value gives; None where it has mistakes, which join the problems."""
    try:
        return read_part(value)
    except InputError as error:
        problems += error.problems
        return None


def read_for_task(task_vars: Mapping[str, Any]) -> Inventory:
    """The inventory as a task of Ansible sees it."""
    return read(task_vars["hostvars"], task_vars["groups"], task_vars.get("ansible_play_hosts_all"))


def _with_roles(
    hostvars: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, Sequence[str]],
    play_hosts: Optional[Sequence[str]],
    problems: List[Problem],
) -> Dict[str, Sequence[str]]:
    """The groups, those of the roles as ``dns_groups`` maps them: role -> group; a role that it does not name has none.

    Two DNS services in one inventory have different ``dns_groups``, or one has none; a run is for one of them.
    """
    mappings: List[Any] = []
    of_roles = {host for role in topology.GROUPS for host in groups.get(role, ())}
    for host in groups.get("all", list(hostvars)) if play_hosts is None else play_hosts:
        found = _variables(hostvars.get(host, {}), ("dns_groups",), host, problems).get("dns_groups")
        if found not in mappings and (found is not None or host in of_roles):
            mappings.append(found)
    if not mappings or mappings == [None]:
        return dict(groups)
    if len(mappings) > 1:
        problems.append(
            Problem(
                "the hosts of this run have different dns_groups, so it is not clear which service is meant",
                "Limit the run to the hosts of one, with --limit, or say which with -e",
            )
        )
        return dict(groups)
    if not isinstance(mappings[0], Mapping):
        problems.append(Problem("dns_groups is not a mapping", "Write  dns_groups: {bind_primary: my_primaries}"))
        return dict(groups)
    mapped: Dict[str, Sequence[str]] = dict(groups, **{role: [] for role in topology.GROUPS})
    for role, group in mappings[0].items():
        if role not in topology.GROUPS:
            reason, mend = 'dns_groups has the unknown role "%s"' % role, "Roles are %s" % ", ".join(topology.GROUPS)
            problems.append(Problem(reason, mend))
        elif group and (not isinstance(group, str) or group not in groups):
            problems.append(
                Problem(
                    "dns_groups: %s: there is no group %s" % (role, group)
                    if isinstance(group, str)
                    else "dns_groups: %s: it is not the name of a group" % role,
                    "Write the name of a group, or null for none",
                )
            )
        elif group:
            mapped[role] = groups[group]
    return mapped


def refuse_to_leave(site: Inventory, host: str, hostvars: Mapping[str, Mapping[str, Any]], force: bool = False) -> None:
    """See that a host may be decommissioned: no role has it, and no NS record names it.

    :param force: let NS records be.
    :raises InputError: with what still depends on it.
    """
    if not host or host not in hostvars:
        raise InputError([
            Problem(
                "the inventory has no host %s to decommission" % host if host else "there is no host to decommission",
                "Say which with  -e dns_decommission=HOST; it stays in the inventory until this is done",
            )
        ])  # fmt: skip
    if host in site.topology.servers:
        raise InputError([
            Problem(
                "it is still in %s" % ", ".join(site.topology.servers[host].roles),
                "Take it out of its group, run the playbook site, so that the others forget it, and then this one",
                host=host,
            )
        ])  # fmt: skip
    if host in site.topology.clouds:
        cloud = site.topology.clouds[host]
        raise InputError([
            Problem(
                "it is an account in %s, and no server that could be stopped" % ", ".join(cloud.roles),
                "Set  cloudflare_secondary_state: absent  for it, run the playbook site, and take it out of its group"
                if cloud.push_host is None
                else "Take it out of its group, run the playbook site, and delete its hosted zones at the provider",
                host=host,
            )
        ])  # fmt: skip
    name = str(_variables(hostvars[host], ("dns_name",), host, []).get("dns_name") or host).rstrip(".").lower()
    texts = {} if force else site.zone_texts(site.topology.zones)
    named = [zone for zone, text in texts.items() if name in text.name_servers]
    if named:
        raise InputError([
            Problem(
                "the NS records of %d zone%s still name %s (%s%s), so resolvers ask it"
                % (len(named), "" if len(named) == 1 else "s", name, ", ".join(named[:3]), ", ..." * (len(named) > 3)),
                "Take it out of them and of their delegations, wait for the TTL, and run this again;"
                " or once with  -e dns_decommission_force=true",
                host=host,
            )
        ])  # fmt: skip


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
            served = "it is not served yet" if problem["unpublished"] else "what was served before is still served"
            detail = "%s: %s; %s" % (place, problem["reason"], served)
            rows.append(
                checks.row(
                    "publish", problem["zone"], host, server.addresses[0], checks.FAILED, "held back", None, detail
                )
            )
    return rows


def stopped_rows(site: Inventory, hostvars: Mapping[str, Mapping[str, Any]]) -> List[checks.Row]:
    """A failed row for every server where a roll of restarts or upgrades stopped in this run."""
    rows = []
    for host in site.topology.servers:
        if STOPPED in hostvars[host]:
            stop = hostvars[host][STOPPED]
            left = "; not touched therefore: %s" % ", ".join(stop["left"]) if stop["left"] else ""
            detail = "%s: %s%s" % (stop["task"], " ".join(str(stop["reason"]).split()).rstrip("."), left)
            rows.append(checks.row("roll", "", host, "", checks.FAILED, "stopped", None, detail))
    return rows


def _told_by(host: str, hostvars: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """What came of the module that asked a provider last in this run; empty where none did."""
    return next((hostvars[host][name] for name in TOLD_BY_PROVIDERS if name in hostvars[host]), {})


def cloud_rows(site: Inventory, hostvars: Mapping[str, Mapping[str, Any]]) -> List[checks.Row]:
    """What the providers said in this run; a row that is not checked for each that could not be asked to the end."""
    rows: List[checks.Row] = []
    for host in site.topology.clouds:
        told = _told_by(host, hostvars)
        rows += [dict(row) for row in told.get("rows", ())]
        if told.get("failed") or "rows" not in told:
            detail = str(told.get("msg") or "this run could not ask the provider").splitlines()[0]
            rows.append(checks.row("serial", "", host, "", checks.NOT_CHECKED, "not asked", None, detail))
    return rows


def assigned_name_servers(site: Inventory, hostvars: Mapping[str, Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """For every zone that a provider told of, its name servers there, and where the zone's primary answers."""
    found = []
    for host in site.topology.clouds:
        for told in _told_by(host, hostvars).get("zones", ()):
            zone = site.topology.zones.get(told["name"])
            if zone is not None and told["name_servers"]:
                primary = site.topology.end(zone.primary)
                found.append({
                    "name": zone.name,
                    "provider": host,
                    "name_servers": list(told["name_servers"]),
                    "primary_addresses": list(primary.addresses),
                    "primary_port": primary.port,
                })  # fmt: skip
    return found


def _plain(value: Any) -> Any:
    """Ansible's lazy, tagged containers as ordinary ones; this is what resolves their templates."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, int) and value.bit_length() > 4096:
        return hex(value)  # Python does not print it in decimal
    return value


def _variables(source: Mapping[str, Any], names: Sequence[str], host: str, problems: List[Problem]) -> Dict[str, Any]:
    """Those of the variables that are set; one that cannot be resolved (template, vault) is a problem, and None."""
    found = {}
    for name in names:
        try:
            if name in source:
                found[name] = _plain(source[name])
        except Exception as error:  # pylint: disable=broad-except  # a template may raise anything
            found[name] = None
            mend = "Mend its template; where it is vaulted, give the password, with --ask-vault-pass for example"
            if name == "tsig_master_secret":
                mend = "%s. %s" % (mend, tsig.MAKE_SECRET)
            reason = "the variable %s cannot be resolved: %s" % (name, str(error).rstrip("."))
            problems.append(Problem(reason, mend, host=host))
    return found


def _site_variables(
    hostvars: Mapping[str, Mapping[str, Any]],
    hosts: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    problems: List[Problem],
) -> Dict[str, Any]:
    site: Dict[str, Any] = {}
    # Ten thousand zones are not resolved for every server: secondaries commonly have the primary's.
    primaries = {host for group in topology.PRIMARY_GROUPS for host in groups.get(group, ())}
    for host in hosts:
        variables = hostvars.get(host, {})
        compared = [name for name in site if name != "inventory_dir" and (name != "dns_zones" or host in primaries)]
        for name, value in _variables(variables, compared, host, []).items():
            if value != site[name]:
                problems.append(
                    Problem(
                        "its %s differs from that of another server" % name,
                        "Set it once for all hosts, in group_vars/all.yml",
                        host=host,
                    )
                )
        site.update(_variables(variables, [name for name in SITE_VARIABLES if name not in site], host, problems))
    return site


def _base_directory(site: Mapping[str, Any], problems: List[Problem]) -> str:
    base = site.get("dns_base_directory") or site.get("inventory_dir")
    if isinstance(base, str) and os.path.isabs(base):
        return base
    if base is None:
        reason = "dns_base_directory is not set, and this inventory has no folder to start from"
    else:
        reason = "dns_base_directory %s is not an absolute path" % shown(base)
    problems.append(Problem(reason, "Set it to the absolute path of the folder where the paths of zone files start"))
    # What is said of files then is about those that were meant.
    return os.path.join(str(site.get("inventory_dir") or "/"), base if isinstance(base, str) else "")


def _directory_files(site: Mapping[str, Any], base: str, problems: List[Problem]) -> Tuple[Dict[str, str], List[str]]:
    """Zone files of ``dns_zone_directory``: file name -> path; and the names of the other files there."""
    value = site.get("dns_zone_directory")
    if not value:
        return {}, []
    if not isinstance(value, str):
        problems.append(
            Problem("dns_zone_directory %s is not a path" % shown(value), "Write one folder, such as zones")
        )
        return {}, []
    directory = os.path.join(base, value)
    try:
        entries = sorted(
            (entry for entry in os.scandir(directory) if entry.name[0] != "."), key=lambda entry: entry.name
        )
    except (OSError, ValueError) as error:  # ValueError: a character that no path has
        problems.append(
            Problem(
                "dns_zone_directory cannot be read: %s" % getattr(error, "strerror", "it is no path"),
                "Mend its permissions"
                if isinstance(error, PermissionError)
                else "Relative paths start at dns_base_directory, which is %s" % base,
                file=directory,
            )
        )
        return {}, []
    zones: Dict[str, str] = {}
    others: List[str] = []
    for entry in entries:
        is_named_so = os.path.splitext(entry.name)[1] in topology.SOURCES
        if is_named_so and entry.is_symlink() and not os.path.exists(entry.path):
            # Passed over, it would take its zone out of service.
            problems.append(Problem("it is a link to a file that is not there", "Mend or remove it", file=entry.path))
        elif is_named_so and entry.is_file():
            zones[entry.name] = entry.path
        elif is_named_so or entry.is_file():
            others.append(entry.name)
    return zones, others


def _zone_files(zones: Sequence[Any], base: str) -> Dict[str, Optional[str]]:
    """``file`` of each entry of dns_zones -> absolute path, or None where there is no such file."""
    files: Dict[str, Optional[str]] = {}
    for entry in zones:
        file = entry.get("file") if isinstance(entry, Mapping) else None
        if isinstance(file, str) and file not in files:
            path = os.path.join(base, file)
            files[file] = path if os.path.isfile(path) else None
    return files


def _named_zones(variable: str, site: Mapping[str, Any], built: Topology, problems: List[Problem]) -> List[str]:
    """The zones that a variable names, as a list or separated by commas; for serials, ``all`` are all."""
    value = site.get(variable) or []
    if isinstance(value, str):
        value = value.split(",")
    ours = [name for name, zone in built.zones.items() if zone.source != "transfer"]
    if variable == "dns_raise_serials" and value == ["all"]:
        return ours
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        problems.append(Problem("%s is no list of zones" % variable, "Write  -e %s=example.com,example.org" % variable))
        return []
    zones = []
    for name in [each.strip() for each in value]:
        try:
            zone = domain_name(name)
        except ValueError:
            zone = name
        if zone in ours:
            zones.append(zone)
            continue
        reason = "%s names %s, which is no zone of this inventory" % (variable, shown(name))
        near = get_close_matches(zone, ours, 1, 0.8)
        mend = 'Did you mean "%s"?' % near[0] if near else "Write names of its zones, separated by commas"
        if zone in built.zones:
            reason = "%s names %s, whose content and serial are those of its primary, a peer" % (variable, shown(name))
            mend = "Ask the operator of that"
        problems.append(Problem(reason, mend))
    return zones


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
            "tsig_generations %s is not a list of different numbers from 1" % shown(value),
            "Write  tsig_generations: [1]  or, while a key is being replaced,  tsig_generations: [2, 1]",
        )
    )
    return [1]
