# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishing zone files on a primary that runs BIND.

All zones of a host at once: compare, choose serials, stage, check the staged files in one process,
rename file by file, reload, ask the server. A file that fails the check never goes live; content
that the server does not take after all is replaced by the last good content under a higher serial
(BIND skips a restored file with its old time, and a lower serial would strand the secondaries).

The zones' texts are much; so the caller first asks with the zones' digests which texts are needed, and publishes
those alone.

Content that takes much away, or leaves little, is held back until somebody says that it is meant (:mod:`zone_change`).

Runs on the target. What touches the outside is handed in: ``run`` starts a process, ``ask`` asks
name servers for serials.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import (
    SILENT,
    Question,
    SerialSeen,
    Status,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.config_set import Run
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.files import (
    NEW,
    put_file,
    read_file,
    staging,
    write_file,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.serial import (
    SerialError,
    highest,
    newer,
    next_serial,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_change import ZoneChange, compare, refusal
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_text import read_records

MANIFEST = ".published.json"
SUFFIX = ".zone"
JOURNAL = ".jnl"
MODE = 0o640
# What gives a zone its serial: the author's where it is newer than all that were seen, today's date, or the author's
# and no other.
AUTHOR, DATE, KEEP = RULES = ("author", "date", "keep")
# Answers of a server that does not have the zone, or does not run.
_NOT_THERE = (Status.REFUSED, Status.NXDOMAIN, Status.NOT_AUTHORITATIVE, Status.UNREACHABLE)
# A server that said nothing for so many seconds at the end of the wait has died or hangs. One that is slow has not.
SILENT_SECONDS = 5.0
# More changed zones than this are loaded with one command for the whole server.
SINGLE_RELOADS = 3
# named takes a file for old whose time is not after the moment when it loaded the zone. Its clock may have been set
# back since, so a file that it is to load says that it is from the far future, until it is loaded.
FAR_FUTURE = 10 * 365 * 86400

Endpoint = Tuple[str, int]
Ask = Callable[[Sequence[Question]], List[SerialSeen]]


class WantedZone(NamedTuple):
    """A zone to publish.

    :param serial: the serial in the user's text.
    :param digest: of the zone's content.
    :param rule: one of RULES.
    :param file: where the user finds the text. From here on, needed for zones to be published only.
    :param before: the user's text up to the serial. :param after: the rest.
    :param records: how many there are. :param name_servers: how many of those are NS records at the apex.
    :param ask: where to look for serials already used.
    :param allowed: somebody said that the change is meant, however large.
    :param raise_serial: to be published again, though its content is the same, where a secondary is ahead.
    """

    name: str
    file_name: str
    serial: int
    digest: str
    rule: str = AUTHOR
    file: str = ""
    before: str = ""
    after: str = ""
    records: int = 0
    name_servers: int = 0
    ask: Sequence[Endpoint] = ()
    allowed: bool = False
    raise_serial: bool = False

    def text(self, serial: int) -> str:
        return "%s%d%s" % (self.before, serial, self.after)


class HeldBack(NamedTuple):
    """A zone whose new content did not go live, or did not stay, and why."""

    zone: str
    file: str
    line: Optional[int]
    reason: str


@dataclass
class Outcome:
    """What publishing did, or in check mode would do."""

    published: List[Dict[str, Any]] = field(default_factory=list)
    # In the shape of what is published: changes that nobody said are meant.
    refused: List[Dict[str, Any]] = field(default_factory=list)
    held_back: List[HeldBack] = field(default_factory=list)
    rolled_forward: List[str] = field(default_factory=list)
    unpublished: List[str] = field(default_factory=list)
    not_asked: List[str] = field(default_factory=list)
    diff: List[Dict[str, str]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return bool(self.published or self.rolled_forward)


class _Change(NamedTuple):
    wanted: WantedZone
    old: Optional[str]
    old_serial: Optional[int]
    # Where the serial is in the old text; None where that text is not one that was published and served.
    proven_at: Optional[int]
    old_digest: str
    serial: int
    records: ZoneChange


class Publisher:
    """Publishes into one directory that nothing else writes to, the server's journals excepted.

    :param server: where the host's own server answers.
    :param checker: the command that reads a named.conf and loads its zones, as ``named-checkconf -z``.
    :param reload_command: the command that makes the server load a zone (its name is appended), or all.
    :param revive: commands that make a server run again that has died or hangs.
    :param largest_change: per cent of a zone's records that may be changed or deleted at once.
    :param deadline: seconds to wait for the server to answer with new content.
    """

    def __init__(
        self,
        directory: str,
        *,
        server: Endpoint,
        checker: Sequence[str],
        reload_command: Sequence[str],
        revive: Sequence[Sequence[str]],
        largest_change: float,
        run: Run,
        ask: Ask,
        group_id: int = -1,
        deadline: float = 30.0,
        check_mode: bool = False,
        work_directory: Optional[str] = None,
    ) -> None:
        self.directory = directory
        self.server = server
        self.checker = checker
        self.reload_command = reload_command
        self.revive = revive
        self.largest_change = largest_change
        self.run = run
        self.ask = ask
        self.group_id = group_id
        self.deadline = deadline
        self.check_mode = check_mode
        self.work_directory = work_directory or directory

    def stale(self, zones: Sequence[WantedZone]) -> List[str]:
        """The names of the zones that must be published."""
        manifest = self._read_manifest()
        differ = {zone.name for zone in zones if _differs(zone, self._read(zone), manifest.get(zone.name))}
        raised = [zone for zone in zones if zone.raise_serial and zone.name not in differ]
        for name, seen in self._serials_seen(raised, Outcome()).items():
            serial = manifest[name]["serial"]
            if any(other is not None and other != serial and not newer(serial, other) for other in seen.values()):
                differ.add(name)
        return [zone.name for zone in zones if zone.name in differ]

    def publish(self, zones: Sequence[WantedZone], with_diff: bool = False) -> Outcome:
        outcome = Outcome()
        manifest = self._read_manifest()
        stale = [(zone, self._read(zone)) for zone in zones]
        stale = [
            (zone, text) for zone, text in stale if zone.raise_serial or _differs(zone, text, manifest.get(zone.name))
        ]
        if not stale:
            return outcome

        started = time.time()
        seen = self._serials_seen([zone for zone, _text in stale], outcome)
        now = datetime.now(timezone.utc)
        changes = []
        for zone, text in stale:
            known = manifest.get(zone.name, {})
            records = _compare(zone, text)
            reason = refusal(records, zone.records, zone.name_servers, self.largest_change)
            if reason is not None and not zone.allowed:
                reason += ". If that is meant, run once with -e dns_allow_changes=%s" % zone.name
                outcome.held_back.append(HeldBack(zone.name, zone.file, None, reason))
                outcome.refused.append(_entry(zone, records, known.get("serial"), None))
                continue
            used = {"%s port %d" % endpoint: serial for endpoint, serial in seen[zone.name].items()}
            used["the published file"] = known.get("serial")
            used = {place: serial for place, serial in used.items() if serial is not None}
            proven = known and text is not None and known["sha256"] == _sha256(text) and not known.get("pending")
            try:
                if zone.rule == KEEP:
                    serial = _kept_serial(zone, text, known, used)
                else:
                    serial = next_serial(used.values(), hint=None if zone.rule == DATE else zone.serial, now=now)
            except SerialError as error:
                outcome.held_back.append(HeldBack(zone.name, zone.file, None, str(error)))
                continue
            at = known["serial_at"] if proven else None
            changes.append(_Change(zone, text, known.get("serial"), at, known.get("digest", ""), serial, records))

        with staging(self.work_directory) as folder:
            good = self._check(folder, changes, outcome)
            if good and not self.check_mode:
                self._go_live(folder, good, manifest)
        outcome.published = [_entry(change.wanted, change.records, change.old_serial, change.serial) for change in good]
        outcome.unpublished = sorted(
            {zone.name for zone, text in stale if text is None} - {change.wanted.name for change in good}
        )
        if with_diff:
            outcome.diff = [self._diff(change) for change in good]
        if good and not self.check_mode:
            loaded = [change for change in good if self.server in seen[change.wanted.name]]
            not_live = self._activate(loaded, manifest, outcome)
            for change in good:
                manifest[change.wanted.name]["pending"] = change.wanted.name in not_live
                os.utime(_zone_path(self.directory, change.wanted), (started, started))
            self._write_manifest(manifest)
        return outcome

    # --- reading -----------------------------------------------------------------------------------------------------

    def _read(self, zone: WantedZone) -> Optional[str]:
        return read_file(_zone_path(self.directory, zone))

    def _read_manifest(self) -> Dict[str, Dict[str, Any]]:
        """What was published last, by zone. A lost manifest costs one more serial for every zone, no more."""
        try:
            with open(os.path.join(self.directory, MANIFEST), encoding="utf-8") as file:
                return json.load(file)["zones"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return {}

    def _write_manifest(self, manifest: Mapping[str, Any]) -> None:
        put_file(os.path.join(self.directory, MANIFEST), json.dumps({"zones": manifest}, sort_keys=True), 0o644)

    def _serials_seen(self, zones: Sequence[WantedZone], outcome: Outcome) -> Dict[str, Dict[Endpoint, Optional[int]]]:
        """Zone -> the endpoints that know it, with the serials they answer.

        A server that has the zone but cannot serve it (SERVFAIL) counts as knowing it, without a serial; so does the
        host's own server unless it says otherwise or is not there: a lost answer must not cost a reload.
        """
        questions = [Question(zone.name, *endpoint) for zone in zones for endpoint in [self.server] + list(zone.ask)]
        seen: Dict[str, Dict[Endpoint, Optional[int]]] = {zone.name: {} for zone in zones}
        silent = set()
        for answer in self.ask(questions):
            endpoint = (answer.address, answer.port)
            own = endpoint == self.server
            if answer.status in (Status.ANSWER, Status.SERVFAIL) or (own and answer.status not in _NOT_THERE):
                seen[answer.zone][endpoint] = answer.serial
            elif answer.status in SILENT and not own:
                silent.add("%s port %d" % endpoint)
        outcome.not_asked = sorted(silent)
        return seen

    # --- checking ----------------------------------------------------------------------------------------------------

    def _check(self, folder: str, changes: Sequence[_Change], outcome: Outcome) -> List[_Change]:
        """Those changes that the checker accepts; the others are held back with its reasons."""
        if not changes:
            return []
        for change in changes:
            text = change.wanted.text(change.serial)
            write_file(_zone_path(folder, change.wanted), text, MODE, (-1, self.group_id))
        if self.check_mode and shutil.which(self.checker[0]) is None:
            return list(changes)  # a host without the package yet: nothing can be checked on it
        config = os.path.join(folder, "named.conf")
        write_file(config, _checker_config(folder, [change.wanted for change in changes]), 0o600)
        _code, out, err = self.run(list(self.checker) + [config])
        verdicts = read_checker(out + "\n" + err, [change.wanted for change in changes])
        outcome.held_back += [problem for problem in verdicts.values() if problem is not None]
        return [change for change in changes if verdicts[change.wanted.name] is None]

    # --- going live --------------------------------------------------------------------------------------------------

    def _go_live(self, folder: str, changes: Sequence[_Change], manifest: Dict[str, Dict[str, Any]]) -> None:
        """The manifest goes first, so that an interrupted run leaves zones that are pending, and no serial unknown."""
        for change in changes:
            zone = change.wanted
            manifest[zone.name] = {
                "serial": change.serial,
                "serial_at": len(zone.before),
                "digest": zone.digest,
                "sha256": _sha256(zone.text(change.serial)),
                "pending": True,
            }
        self._write_manifest(manifest)
        for change in changes:
            _replace(_zone_path(folder, change.wanted), _zone_path(self.directory, change.wanted))

    def _activate(self, changes: Sequence[_Change], manifest: Dict[str, Dict[str, Any]], outcome: Outcome) -> Set[str]:
        """Make the server load the zones it already has; a new zone comes in with the configuration.

        A zone that had no file here is not waited for: the server may have it as a secondary still, until the
        configuration makes it the primary.

        :returns: those zones of which the server has not got what is on disk.
        """
        self._reload([change.wanted.name for change in changes])
        missing, silent = self._wait(
            {change.wanted.name: change.serial for change in changes if change.old is not None}
        )
        failed = [change for change in changes if change.wanted.name in missing]
        rolled = self._roll_forward([change for change in failed if change.proven_at is not None], missing, manifest)
        for change in failed:
            zone = change.wanted
            reason = "the server did not answer with serial %d within %d s of the reload; its log says why" % (
                change.serial,
                self.deadline,
            )
            if silent:
                reason += ". It did not answer at all, and was restarted"
            if zone.name in rolled:
                reason += ". The old content is back, under serial %d" % rolled[zone.name]
            if zone.rule == KEEP and zone.name in rolled:
                # The old serial would leave a server that did take the new one without the old content.
                reason += ", in spite of `serial: keep`; raise yours above it"
            outcome.held_back.append(HeldBack(zone.name, zone.file, None, reason))
        outcome.published = [entry for entry in outcome.published if entry["zone"] not in missing]
        outcome.rolled_forward = sorted(rolled)
        if silent:
            for command in self.revive:
                self.run(command)
        else:
            self._reload(list(rolled))
        still_missing, _silent = self._wait(rolled)
        return {zone for zone in missing if zone not in rolled or zone in still_missing}

    def _roll_forward(
        self, changes: Sequence[_Change], served: Mapping[str, Optional[int]], manifest: Dict[str, Dict[str, Any]]
    ) -> Dict[str, int]:
        """The old content again, each zone's under a serial above all that was ever out; returns these serials."""
        texts: Dict[str, str] = {}
        now = datetime.now(timezone.utc)
        for change in changes:
            name = change.wanted.name
            used = [serial for serial in (change.serial, change.old_serial, served[name]) if serial is not None]
            serial = next_serial(used, hint=change.serial, now=now)
            at, end = change.proven_at, change.proven_at + len(str(change.old_serial))
            texts[name] = change.old[:at] + str(serial) + change.old[end:]
            manifest[name] = {
                "serial": serial,
                "serial_at": at,
                "digest": change.old_digest,
                "sha256": _sha256(texts[name]),
                "pending": True,
            }
        self._write_manifest(manifest)
        for change in changes:
            path = _zone_path(self.directory, change.wanted)
            write_file(path + NEW, texts[change.wanted.name], MODE, (-1, self.group_id))
            _replace(path + NEW, path)
        return {name: manifest[name]["serial"] for name in texts}

    def _reload(self, zones: Sequence[str]) -> None:
        """Its exit status is no news: it is 0 on a broken file too, so only the answers count."""
        if len(zones) > SINGLE_RELOADS:
            self.run(list(self.reload_command))
        else:
            for zone in zones:
                self.run(list(self.reload_command) + [zone])

    def _wait(self, expected: Mapping[str, int]) -> Tuple[Dict[str, Optional[int]], bool]:
        """Ask until every zone has at least its serial.

        :returns: those that have not, with what they have; and whether the server is silent.
        """
        missing: Dict[str, Optional[int]] = dict.fromkeys(expected)
        heard = -math.inf
        deadline = time.monotonic() + self.deadline
        pause = 0.05
        while missing:
            for answer in self.ask([Question(zone, *self.server) for zone in missing]):
                wanted = expected[answer.zone]
                if answer.status not in SILENT:
                    heard = time.monotonic()
                if answer.serial is not None and (answer.serial == wanted or newer(answer.serial, wanted)):
                    del missing[answer.zone]
                else:
                    missing[answer.zone] = answer.serial
            if time.monotonic() + pause > deadline:
                break
            time.sleep(pause if missing else 0)
            pause = min(pause * 2, 1.0)
        return missing, bool(missing) and time.monotonic() - heard >= SILENT_SECONDS

    def _diff(self, change: _Change) -> Dict[str, str]:
        path = _zone_path(self.directory, change.wanted)
        return {
            "before_header": path if change.old is not None else "%s (absent)" % path,
            "after_header": "%s (%d records added, %d changed, %d deleted)"
            % (path, change.records.added, change.records.changed, change.records.deleted),
            "before": change.old or "",
            "after": change.wanted.text(change.serial),
        }


def _zone_path(directory: str, zone: WantedZone) -> str:
    return os.path.join(directory, zone.file_name + SUFFIX)


def _replace(new: str, path: str) -> None:
    """Put a zone file into its place.

    A named that starts with a file that its journal does not lead to ("journal out of sync with zone") does not load
    the zone. It may die, or its host may, before it has loaded this file; so the journal goes first. The running named
    begins another, with the difference to this file; a secondary that is further behind gets the whole zone.
    """
    with suppress(FileNotFoundError):
        os.unlink(path + JOURNAL)
    time_ahead = time.time() + FAR_FUTURE
    os.utime(new, (time_ahead, time_ahead))
    os.replace(new, path)


def _compare(zone: WantedZone, old: Optional[str]) -> ZoneChange:
    """A file that is no zone any more, because somebody damaged it, counts as none."""
    if old is None:
        return ZoneChange(added=zone.records)
    try:
        return compare(read_records(zone.name, old, zone.file), read_records(zone.name, zone.text(1), zone.file))
    except InputError:
        return ZoneChange(added=zone.records)


def _entry(zone: WantedZone, records: ZoneChange, previous: Optional[int], serial: Optional[int]) -> Dict[str, Any]:
    return {
        "zone": zone.name,
        "serial": serial,
        "previous": previous,
        "added": records.added,
        "changed": records.changed,
        "deleted": records.deleted,
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _differs(zone: WantedZone, text: Optional[str], known: Optional[Mapping[str, Any]]) -> bool:
    """Whether the zone must be published: its content differs, its author raised the serial by hand, or an earlier run
    did not come to its end.

    The text may differ in comments and layout alone; then the content is the same and nothing is done.
    """
    if text is None or known is None or known.get("pending"):
        return True
    if zone.rule != DATE and newer(zone.serial, known["serial"]):
        return True
    # Edited on the server, or interrupted: the file is not the one that was published.
    return known["sha256"] != _sha256(text) or known["digest"] != zone.digest


def _kept_serial(zone: WantedZone, text: Optional[str], known: Mapping[str, Any], used: Mapping[str, int]) -> int:
    """The author's serial.

    :param used: where a serial was seen -> that serial.
    :raises SerialError: where it stands for other content already, or a later one does.
    """
    published = known.get("serial") == zone.serial
    # An interrupted run, a damaged file or a lost manifest: the serial stood for this very content.
    same = (published and known["digest"] == zone.digest) or text == zone.text(zone.serial)
    if all(newer(zone.serial, serial) or (same and serial == zone.serial) for serial in used.values()):
        return zone.serial
    top = highest(used.values())
    if top is None:
        top = next(serial for serial in used.values() if not newer(zone.serial, serial))
    if published and not same:
        reason = "the content has changed and its serial %d has not" % zone.serial
    else:
        reason = "its serial %d is not newer than one that was seen" % zone.serial
    raise SerialError(
        "%s: `serial: keep` leaves the serial to you; raise it above %d (seen: %s)"
        % (reason, top, ", ".join(sorted(place for place, serial in used.items() if serial == top)))
    )


def _checker_config(directory: str, zones: Sequence[WantedZone]) -> str:
    """A configuration with nothing but the staged zones, as primaries."""
    lines = ['options { directory "%s"; };' % directory]
    lines += ['zone "%s" { type primary; file "%s%s"; };' % (zone.name, zone.file_name, SUFFIX) for zone in zones]
    return "\n".join(lines) + "\n"


# What the checker says about a line that it accepts.
_WARNINGS = (
    "TTL set to prior TTL",
    "file does not end with newline",
    "ignoring out-of-zone data",
    "no TTL specified; using SOA MINTTL instead",
    "record with inherited owner",
    "using RFC1035 TTL semantics",
    "warning:",
)


def read_checker(output: str, zones: Sequence[WantedZone]) -> Dict[str, Optional[HeldBack]]:
    """The verdict of ``named-checkconf -z`` for each zone: None where it loaded.

    Its lines, in order of the zones: reasons as ``FILE:LINE: TEXT`` or ``zone NAME/IN: TEXT``, then
    ``zone NAME/IN: loaded serial N`` or ``zone NAME/IN: not loaded due to errors.`` Some reasons, a bad $TTL among
    them, are only in ``zone NAME/IN: loading from master file FILE failed: TEXT``.
    """
    loaded = set()
    reasons: Dict[str, List[Tuple[Optional[int], str]]] = {zone.name: [] for zone in zones}
    by_file = {zone.file_name + SUFFIX: zone.name for zone in zones}
    for line in output.splitlines():
        match = re.match(r"zone (\S+?)/IN: loaded serial", line)
        if match:
            loaded.add(match.group(1).lower())
            continue
        match = re.match(r"zone (\S+?)/IN: (.*)", line)
        if match and match.group(1).lower() in reasons:
            reasons[match.group(1).lower()].append((None, match.group(2)))
            continue
        match = re.search(r"([^\s/:]+%s):(\d+): (.*)" % re.escape(SUFFIX), line)
        if match and match.group(1) in by_file and not match.group(3).startswith(_WARNINGS):
            reasons[by_file[match.group(1)]].append((int(match.group(2)), match.group(3)))
    verdicts: Dict[str, Optional[HeldBack]] = {}
    for zone in zones:
        if zone.name in loaded:
            verdicts[zone.name] = None
            continue
        found = reasons[zone.name]
        lines = [number for number, _text in found if number is not None]
        texts = [text for _number, text in found if not text.startswith(("not loaded", "loading from"))]
        texts = texts or [text for _number, text in found if text.startswith("loading from")]
        verdicts[zone.name] = HeldBack(
            zone.name, zone.file, lines[0] if lines else None, "; ".join(texts) or "the checker did not load it"
        )
    return verdicts
