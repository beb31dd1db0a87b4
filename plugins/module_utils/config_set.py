# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server's configuration files, published as one set.

They refer to each other, so they are checked together before any goes live; and what is live but
not yet loaded by the daemon (an interrupted run) is noticed and loaded by the next run.

Runs on the target. ``run`` starts a process and is handed in.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

Run = Callable[[Sequence[str]], Tuple[int, str, str]]

# Text that every main file of ours begins with, and that tells it from one somebody else wrote.
MARKER = "Managed by dnsops.redundant_dns"
STATE = ".dnsops-state.json"

# A run that takes away at least so many zones, and more than this part of a host's zones, or all, is refused.
MASS_REMOVAL_ZONES = 3
MASS_REMOVAL_PART = 0.3


class ConfigError(Exception):
    """Why the set did not go live; nothing of it is live then."""


class ConfigFile(NamedTuple):
    """One file of the set. ``restart``: the daemon takes a change of it only by a restart."""

    path: str
    content: str
    secret: bool = False
    restart: bool = False


@dataclass
class Result:
    """What was done, or in check mode would be done."""

    changed_files: List[str] = field(default_factory=list)
    added_zones: List[str] = field(default_factory=list)
    removed_zones: List[str] = field(default_factory=list)
    touched_zones: List[str] = field(default_factory=list)
    activation: str = "none"
    backups: List[str] = field(default_factory=list)
    diff: List[Dict[str, str]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return bool(self.changed_files) or self.activation != "none"


class ConfigSet:
    """The files of one daemon; the first is the one that the daemon starts from.

    :param checker: command that checks a main file; its path is appended. Empty: no check.
    :param reads: other files that the daemon reads, published before (key files).
    :param is_running: whether the daemon runs now; what does not run needs no activation.
    :param reconfigure: command that makes the daemon read the files again.
    :param restart: commands that restart it, in order. Those before the last save what the running daemon holds, and
        may fail where it does not run with this set: it then holds nothing of ours, and may listen elsewhere.
    :param foreign_file: the file that makes a main file without our marker somebody's work; None where all is as the
        package brought it.
    """

    def __init__(
        self,
        files: Sequence[ConfigFile],
        *,
        run: Run,
        checker: Sequence[str] = (),
        reads: Sequence[str] = (),
        is_running: Callable[[], bool] = lambda: False,
        reconfigure: Sequence[str] = (),
        restart: Sequence[Sequence[str]] = (),
        foreign_file: Callable[[str], Optional[str]] = lambda path: path,
        mode: int = 0o640,
        user_id: int = -1,
        group_id: int = -1,
        check_mode: bool = False,
        work_directory: Optional[str] = None,
    ) -> None:
        self.files = files
        self.run = run
        self.checker = checker
        self.reads = reads
        self.is_running = is_running
        self.reconfigure = reconfigure
        self.restart = restart
        self.foreign_file = foreign_file
        self.mode = mode
        self.owner = (user_id, group_id)
        self.check_mode = check_mode
        self.directory = os.path.dirname(files[0].path) if files else ""
        self.work_directory = work_directory or self.directory

    def publish(
        self,
        zones: Optional[Sequence[str]] = None,
        allow_mass_removal: bool = False,
        adopt: bool = False,
        with_diff: bool = False,
        zone_list: Optional[str] = None,
    ) -> Result:
        """Bring the files and the daemon in line.

        :param zones: the zones that this configuration serves, for the guard against mass removal.
        :param zone_list: path of the file of the set that only lists the zones.
        :raises ConfigError: when a check or the activation fails, or a guard says no.
        """
        result = Result()
        state = self._read_state()
        old = {file.path: read_file(file.path) for file in self.files}
        different = [file for file in self.files if old[file.path] != file.content or self._mode_differs(file.path)]
        result.changed_files = [file.path for file in different]
        stale = self._stale(state)
        if different and self.checker:
            result.backups = self._respect_foreign(old, adopt)
        if zones is not None:
            before = state.get("zones", [])
            result.added_zones = sorted(set(zones) - set(before))
            result.removed_zones = sorted(set(before) - set(zones))
            _guard_removal(before, result.removed_zones, allow_mass_removal)
        if with_diff:
            result.diff = [_diff(file, old[file.path]) for file in different]

        if different:
            self._stage_check_and_go_live(different, old, result.backups)
        if self.reconfigure:
            result.activation = self._activation(different, stale)
            if not self.check_mode:
                ours = MARKER in (old[self.files[0].path] or "") and self.files[0].path in state.get("loaded", {})
                self._activate(result.activation, different, old, ours)
        if result.changed:
            result.touched_zones = list(zones or [])
            if result.changed_files == [zone_list] and not stale:
                new = next(file.content for file in self.files if file.path == zone_list)
                result.touched_zones = _changed_zones(old[zone_list] or "", new, zones or [])
        if not self.check_mode and (self.reconfigure or zones is not None):
            self._write_state(state, zones)
        return result

    def _mode_differs(self, path: str) -> bool:
        status = os.stat(path)
        return stat.S_IMODE(status.st_mode) != self.mode or any(
            wanted not in (-1, real) for wanted, real in zip(self.owner, (status.st_uid, status.st_gid))
        )

    # --- guards ------------------------------------------------------------------------------------------------------

    def _respect_foreign(self, old: Mapping[str, Optional[str]], adopt: bool) -> List[str]:
        """Refuse to overwrite a configuration that somebody else wrote; with ``adopt``, keep a backup of its files."""
        main = self.files[0].path
        content = old[main]
        foreign = None if content is None or MARKER in content else self.foreign_file(main)
        if foreign is None:
            return []
        if not adopt:
            raise ConfigError(
                "%s was written by someone else, and this run would replace %s. To let this collection take over the "
                "server, set the role's ..._adopt variable to true: a copy is kept beside it"
                % (foreign, "it" if foreign == main else "%s, which is what includes it" % main)
            )
        return [path for path, text in old.items() if text is not None and MARKER not in text]

    # --- going live --------------------------------------------------------------------------------------------------

    def _stage_check_and_go_live(
        self, different: Sequence[ConfigFile], old: Mapping[str, Optional[str]], backups: Sequence[str]
    ) -> None:
        staging = tempfile.mkdtemp(prefix=".staging-", dir=self.work_directory)
        try:
            staged = {file.path: os.path.join(staging, os.path.basename(file.path)) for file in self.files}
            if self.checker and self._can_check():
                for file in self.files:
                    content = file.content
                    for path, place in staged.items():
                        content = content.replace('"%s"' % path, '"%s"' % place)
                    write_file(staged[file.path], content, 0o600)
                self._check(staged[self.files[0].path], staging)
            if self.check_mode:
                return
            for path in backups:
                status = os.stat(path)
                owner = (status.st_uid, status.st_gid)
                write_file(path + ".before-dnsops", old[path] or "", stat.S_IMODE(status.st_mode), owner)
            for file in different:
                write_file(staged[file.path], file.content, self.mode, self.owner)
            for file in different:
                os.replace(staged[file.path], file.path)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _can_check(self) -> bool:
        """In check mode the checker, or key files that the set includes, may not be there yet."""
        if not self.check_mode:
            return True
        return shutil.which(self.checker[0]) is not None and all(os.path.exists(path) for path in self.reads)

    def _check(self, path: str, staging: str) -> None:
        code, out, err = self.run(list(self.checker) + [path])
        if code != 0:
            text = (out + err).strip().replace(staging, os.path.dirname(self.files[0].path))
            raise ConfigError("%s refused the new configuration, and the old one stays: %s" % (self.checker[0], text))

    # --- the daemon --------------------------------------------------------------------------------------------------

    def _stale(self, state: Mapping[str, Any]) -> List[str]:
        """Files on disk that the daemon was not made to read as they are."""
        loaded = state.get("loaded", {})
        digests = self._digests()
        return [path for path, digest in digests.items() if digest is not None and loaded.get(path) != digest]

    def _activation(self, different: Sequence[ConfigFile], stale: Sequence[str]) -> str:
        """``restart``, ``reconfigure`` or ``none``: what the daemon needs to have what is on disk."""
        if not different and not stale:
            return "none"
        if not self.is_running():
            return "none"  # it reads the files when it starts
        changed = {file.path for file in different} | set(stale)
        return "restart" if any(file.restart and file.path in changed for file in self.files) else "reconfigure"

    def _activate(
        self, how: str, different: Sequence[ConfigFile], old: Mapping[str, Optional[str]], ours: bool
    ) -> None:
        """:param ours: whether the daemon was made to run with this set before."""
        if how == "none":
            return
        commands = self.restart if how == "restart" else [self.reconfigure]
        failure = self._failure(commands, ours)
        if failure is None:
            return
        for file in different:
            content = old[file.path]
            if content is not None:
                write_file(file.path + ".new", content, self.mode, self.owner)
                os.replace(file.path + ".new", file.path)
        second = self._failure(commands, ours)
        raise ConfigError(
            "the server did not take the new configuration: %s. The old files are back%s"
            % (failure, "" if second is None else ", but the server does not take them either: %s" % second)
        )

    def _failure(self, commands: Sequence[Sequence[str]], all_must_succeed: bool) -> Optional[str]:
        """What the first failing command said, of all or the last alone."""
        for command in commands:
            code, out, err = self.run(command)
            if code != 0 and (all_must_succeed or command is commands[-1]):
                return "%s: %s" % (" ".join(command), (out + err).strip())
        return None

    # --- state -------------------------------------------------------------------------------------------------------

    def _digests(self) -> Dict[str, Optional[str]]:
        contents = {path: read_file(path) for path in [file.path for file in self.files] + list(self.reads)}
        return {
            path: None if content is None else hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()
            for path, content in contents.items()
        }

    def _read_state(self) -> Dict[str, Any]:
        try:
            with open(os.path.join(self.directory, STATE), encoding="utf-8") as file:
                state = json.load(file)
                return state if isinstance(state, dict) else {}
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return {}

    def _write_state(self, state: Mapping[str, Any], zones: Optional[Sequence[str]]) -> None:
        new = {"zones": sorted(zones or []), "loaded": self._digests()}
        if new != state:
            path = os.path.join(self.directory, STATE)
            write_file(path + ".new", json.dumps(new, indent=0, sort_keys=True), 0o600)
            os.replace(path + ".new", path)


def _guard_removal(before: Sequence[str], removed: Sequence[str], allowed: bool) -> None:
    mass = len(removed) >= MASS_REMOVAL_ZONES and len(removed) > len(before) * MASS_REMOVAL_PART
    everything = bool(before) and len(removed) == len(before)
    if allowed or not (mass or everything):
        return
    shown = ", ".join(removed[:5]) + (", ..." if len(removed) > 5 else "")
    raise ConfigError(
        "this run would take %d of this host's %d zones out of service (%s). If that is meant, run once with "
        "-e dns_allow_mass_removal=true" % (len(removed), len(before), shown)
    )


def _changed_zones(old: str, new: str, zones: Sequence[str]) -> List[str]:
    """Those of the zones whose block in the new list is not the one in the old list.

    A block starts at a line that begins with ``zone``; the first quoted word in it is the name, for BIND and for NSD.
    """
    before, after = (
        {block.split('"', 2)[1]: block for block in re.split(r"(?m)^(?=zone\b)", text)[1:] if block.count('"') > 1}
        for text in (old, new)
    )
    return [zone for zone in zones if before.get(zone) != after.get(zone)]


def foreign_file(main: str, conffiles: str) -> Optional[str]:
    """The file that somebody wrote or edited in a configuration; None where all is as the package brought it.

    Debian's main files ask their users to leave them alone and to write into files that they include.

    :param conffiles: what dpkg-query shows as ``${Conffiles}``: lines of path, MD5 digest, and maybe a flag. Those of
        the main file's directory and below count.
    """
    recorded = dict(re.findall(r"(?m)^ (/.+?) ([0-9a-f]{32})(?: .*)?$", conffiles))
    if main not in recorded:
        return main
    folder = os.path.dirname(main) + os.sep
    for path in sorted(recorded, key=lambda path: (path != main, path)):
        if path.startswith(folder) and os.path.exists(path) and _md5(path) != recorded[path]:
            return path
    # BIND: include "FILE";  NSD: include: "PATTERN"
    for pattern in re.findall(r'(?m)^[ \t]*include:?[ \t]*"([^"]+)"', read_file(main) or ""):
        for path in sorted(glob.glob(pattern)):
            if path not in recorded and (read_file(path) or "").strip():
                return path
    return None


def _md5(path: str) -> str:
    """As dpkg has it; nothing depends on its strength."""
    with open(path, "rb") as file:
        return hashlib.md5(file.read()).hexdigest()


def read_file(path: str) -> Optional[str]:
    """The text of a file as it is, octets that are not UTF-8 as surrogates; None where there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def write_file(path: str, content: str, mode: int, owner: Tuple[int, int] = (-1, -1)) -> None:
    """Never readable by others, not for an instant: the file is made with its mode, then filled."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        os.fchown(descriptor, *owner)
        os.fchmod(descriptor, mode)
        file.write(content)


def _diff(file: ConfigFile, old: Optional[str]) -> Dict[str, str]:
    if file.secret:
        header = "%s (secret: content not shown)" % file.path
        return {"before_header": header, "after_header": header, "before": "", "after": "changed\n"}
    return {
        "before_header": file.path if old is not None else "%s (absent)" % file.path,
        "after_header": file.path,
        "before": old or "",
        "after": file.content,
    }
