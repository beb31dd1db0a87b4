# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server's configuration files, published as one set.

They refer to each other, so they are checked together before any goes live. Only an answer proves
that the daemon serves with them, so it is asked before and after; where it does not answer any more
for what it answered before, the old files come back.

What is live but not yet loaded by the daemon (an interrupted run) is noticed and loaded by the next run. The state
file holds the old files until the new ones are proven, so that the next run can go back too.

Runs on the target. What touches the outside is handed in: ``run`` starts a process, ``ask`` asks the server.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import shutil
import stat
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import (
    NOT_LOADED,
    SILENT,
    Question,
    SerialSeen,
    Status,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.files import put_file, read_file, staging, write_file
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import some

Run = Callable[[Sequence[str]], Tuple[int, str, str]]
Endpoint = Tuple[str, int]
# (questions, over TCP) -> answers, in the order of the questions
Ask = Callable[[Sequence[Question], bool], List[SerialSeen]]
# Question -> whether only an answer with authority will do. Else any answer shows that the server is there.
Expected = Dict[Question, bool]

# Text that every main file of ours begins with, and that tells it from one somebody else wrote.
MARKER = "Managed by dnsops.redundant_dns"
STATE = ".dnsops-state.json"

# A run that takes away at least so many zones, and more than this part of a host's zones, or all, is refused.
MASS_REMOVAL_ZONES = 3
MASS_REMOVAL_PART = 0.3

# A server is not waited for any longer that makes no progress for this part of the time to wait,
PATIENCE = 0.25
# or that for so many seconds only refuses what it answered before, or does not run: then it is as it will be.
HOPELESS_SECONDS = 2.0
# Asked of a server that has no zone yet, only to see whether it is there. Whatever it answers will do.
ROOT = "."


class ConfigError(Exception):
    """Why the set did not go live, or did not stay; what is live then is in the message."""


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
        return bool(self.changed_files) or self.activation not in ("none", "deferred")


class _Before(NamedTuple):
    """What was live and served before: what a change must not break, and what a change that does goes back to.

    :param files: path -> text, None for a file that was not there.
    :param heard: where the server gave a sign of life. :param answered: what it answered with authority.
    """

    files: Mapping[str, Optional[str]]
    heard: Set[Endpoint]
    answered: Set[Question]


class ConfigSet:
    """The files of one daemon; the first is the one that the daemon starts from.

    :param checker: command that checks a main file; its path is appended. Empty: no check.
    :param reads: other files that the daemon reads, published before (key files).
    :param is_running: whether the daemon runs now; what does not run needs no activation.
    :param reconfigure: command that makes the daemon read the files again.
    :param restart: commands that restart it, in order. Those before the last save what the running daemon holds, and
        may fail where it does not run with this set: it then holds nothing of ours, and may listen elsewhere.
    :param revive: commands that start it in whatever state it is; those before the last may fail.
    :param ask: asks the host's own server; None: what the commands say is believed.
    :param endpoints: addresses and ports where the server answers with this set.
    :param timeout: seconds to wait for its answers after an activation.
    :param log: what shows the daemon's log, for messages.
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
        revive: Sequence[Sequence[str]] = (),
        ask: Optional[Ask] = None,
        endpoints: Sequence[Endpoint] = (),
        timeout: float = 30.0,
        log: str = "its log",
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
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
        self.revive = revive
        self.ask = ask
        self.endpoints = list(endpoints)
        self.timeout = timeout
        self.log = log
        self.sleep = sleep
        self.clock = clock
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
        defer_restart: bool = False,
    ) -> Result:
        """Bring the files and the daemon in line.

        :param zones: the zones that this configuration serves, for the guard against mass removal, and for the proof:
            those that the server answered before with authority, it must answer after.
        :param zone_list: path of the file of the set that only lists the zones. A zone whose part of it changes may
            have to be transferred first, so the proof leaves it out.
        :param defer_restart: where the running daemon would have to restart, only check the set.
        :raises ConfigError: when the check, the activation or its proof fails, or a guard says no.
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

        running = bool(self.reconfigure) and bool(different or stale) and self.is_running()
        result.activation = self._activation(different, stale, running, "before" in state)
        deferred = defer_restart and running and result.activation == "restart"
        was = None
        with self._checked(different) as staged:
            if deferred:
                return Result(activation="deferred")
            if not self.check_mode:
                if result.activation != "none":
                    was = self._before(state, old, zones or ())
                    if result.activation == "restart" and running:
                        self._save(must_succeed=self._is_ours(old, state))
                    self._write_state(dict(state, before=_noted(was)))
                self._go_live(different, staged, old, result.backups)
        if was is not None:
            changed = _changed_zones(was.files.get(zone_list or "") or "", self._new(zone_list), zones or [])
            self._activate(result, was, state, set(zones or []) - set(changed), running)
        if result.changed:
            result.touched_zones = list(zones or [])
            if result.changed_files == [zone_list] and not stale:
                result.touched_zones = _changed_zones(old[zone_list] or "", self._new(zone_list), zones or [])
        if not self.check_mode and (self.reconfigure or zones is not None):
            self._note_state(state if was is None else {}, zones)
        return result

    def is_ours(self, name: str) -> bool:
        """Whether a file of that name in the directory is one that is published here."""
        return name == STATE or any(os.path.basename(file.path) == name for file in self.files)

    def _new(self, path: Optional[str]) -> str:
        """The new text of a file of the set; empty for none."""
        return next((file.content for file in self.files if file.path == path), "")

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

    @contextmanager
    def _checked(self, different: Sequence[ConfigFile]) -> Iterator[Dict[str, str]]:
        """The set, staged on the file system of the files and accepted by the checker; path -> place in the staging."""
        if not different:
            yield {}
            return
        with staging(self.work_directory) as folder:
            staged = {file.path: os.path.join(folder, os.path.basename(file.path)) for file in self.files}
            if self.checker and self._can_check():
                for file in self.files:
                    content = file.content
                    for path, place in staged.items():
                        content = content.replace('"%s"' % path, '"%s"' % place)
                    write_file(staged[file.path], content, 0o600)
                self._check(staged[self.files[0].path], folder)
            yield staged

    def _go_live(
        self,
        different: Sequence[ConfigFile],
        staged: Mapping[str, str],
        old: Mapping[str, Optional[str]],
        backups: Sequence[str],
    ) -> None:
        for path in backups:
            status = os.stat(path)
            owner = (status.st_uid, status.st_gid)
            write_file(path + ".before-dnsops", old[path] or "", stat.S_IMODE(status.st_mode), owner)
        for file in different:
            write_file(staged[file.path], file.content, self.mode, self.owner)
        for file in different:
            os.replace(staged[file.path], file.path)

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
        """Files on disk that the daemon was not made to read as they are, as far as is known."""
        loaded = state.get("loaded", {})
        digests = self._digests()
        return [
            path
            for path, digest in digests.items()
            if digest is not None and ("before" in state or loaded.get(path) != digest)
        ]

    def _activation(self, different: Sequence[ConfigFile], stale: Sequence[str], running: bool, unproven: bool) -> str:
        """``restart``, ``reconfigure`` or ``none``: what the daemon needs to have what is on disk.

        :param unproven: an activation was interrupted; a daemon that does not run may have died of it.
        """
        if not different and not stale:
            return "none"
        if not running:
            return "restart" if unproven else "none"  # it reads the files when it starts
        changed = {file.path for file in different} | set(stale)
        return "restart" if any(file.restart and file.path in changed for file in self.files) else "reconfigure"

    def _is_ours(self, old: Mapping[str, Optional[str]], state: Mapping[str, Any]) -> bool:
        """Whether the daemon was made to run with this set before."""
        main = self.files[0].path
        return MARKER in (old[main] or "") and main in state.get("loaded", {})

    def _save(self, must_succeed: bool) -> None:
        """Before a restart: what the daemon holds in memory alone would be lost with it."""
        failure = self._failure(self.restart[:-1])
        if failure and must_succeed:
            raise ConfigError(
                "the server could not save what it holds, so it is not restarted, and the old configuration stays: %s"
                % failure
            )

    def _activate(self, result: Result, was: _Before, state: Mapping[str, Any], zones: Set[str], running: bool) -> None:
        """Make the daemon take the new files, and prove it; else go back.

        :param zones: those that it must go on answering for.
        :raises ConfigError: when it went back, or tried to.
        """
        restart = self.restart[-1:] if running else self.revive
        commands = [self.reconfigure] if result.activation == "reconfigure" else restart
        failure = self._failure(commands, last_only=not running) or self._missing(self._expected(was, state, zones))
        if not failure:
            return
        done = ", ".join(" ".join(command) for command in commands)
        restored = self._put_back(was.files)
        expected = self._expected_before(was, state)
        if not self.is_running() or not self._is_heard(expected):
            commands = self.revive
        again = self._failure(commands, last_only=True) or self._missing(expected)
        message = "the server did not take the new configuration (%s): %s. " % (done, failure.rstrip("."))
        message += "The old files are back" if restored else "None of its files changed"
        if again:
            message += ", but the server does not answer as before with them: %s. See %s" % (again, self.log)
        else:
            self._write_state({key: value for key, value in state.items() if key != "before"})
            message += ", and the server answers with them. "
            message += "Mend what changed in %s, and run again; " % ", ".join(restored or self.reads or ["it"])
            message += "%s may say more" % self.log
        raise ConfigError(message)

    def _put_back(self, files: Mapping[str, Optional[str]]) -> List[str]:
        """The files as they were; returns those that were not so."""
        restored = [path for path, content in files.items() if read_file(path) != content]
        for path in restored:
            content = files[path]
            if content is None:
                os.unlink(path)
            else:
                put_file(path, content, self.mode, self.owner)
        return restored

    def _failure(self, commands: Sequence[Sequence[str]], last_only: bool = False) -> str:
        """What the first failing command said, of all or the last alone; empty where none failed."""
        for command in commands:
            code, out, err = self.run(command)
            if code != 0 and (not last_only or command is commands[-1]):
                return "%s: %s" % (" ".join(command), (out + err).strip() or "exit status %d" % code)
        return ""

    # --- the proof ---------------------------------------------------------------------------------------------------

    def _endpoints_before(self, state: Mapping[str, Any]) -> List[Endpoint]:
        return [tuple(end) for end in state.get("endpoints", [])] or self.endpoints

    def _before(self, state: Mapping[str, Any], old: Mapping[str, Optional[str]], zones: Sequence[str]) -> _Before:
        """What is live and answered, of the zones that are to be served; or was before the run that was interrupted."""
        noted = state.get("before", {})
        files = {path: noted.get("files", {}).get(path, text) for path, text in old.items()}
        heard = {tuple(end) for end in noted.get("heard", [])}
        wanted = set(zones)
        answered = {Question(*question) for question in noted.get("answered", []) if question[0] in wanted}
        ends = self._endpoints_before(state) if self.ask else []
        questions = [Question(zone, *end) for end in ends for zone in [ROOT, *zones]]
        for seen in self.ask(questions, False) if self.ask else []:
            if seen.status not in SILENT:
                heard.add((seen.address, seen.port))
            if seen.status == Status.ANSWER:
                answered.add(Question(seen.zone, seen.address, seen.port))
        return _Before(files, heard, answered)

    def _expected(self, was: _Before, state: Mapping[str, Any], zones: Set[str]) -> Expected:
        """What the server must answer with the new files: at each address what it answered there before; at a new
        address what it answered anywhere. An address that was silent before may stay so, unless all were.
        """
        known = self._endpoints_before(state)
        expected: Expected = {}
        for end in self.endpoints:
            for zone, address, port in was.answered:
                if zone in zones and (end == (address, port) or end not in known):
                    expected[Question(zone, *end)] = True
            if end in was.heard or end not in known:
                expected[Question(ROOT, *end)] = False
        return expected or {Question(ROOT, *end): False for end in self.endpoints[:1]}

    def _expected_before(self, was: _Before, state: Mapping[str, Any]) -> Expected:
        """What it must answer with the old files."""
        expected: Expected = dict.fromkeys(was.answered, True)
        expected.update((Question(ROOT, *end), False) for end in was.heard)
        return expected or {Question(ROOT, *end): False for end in self._endpoints_before(state)[:1]}

    def _is_heard(self, expected: Expected) -> bool:
        probes = [question for question in expected if question.zone == ROOT]
        return self.ask is None or any(seen.status not in SILENT for seen in self.ask(probes, False))

    def _missing(self, expected: Expected) -> str:
        """Wait until the server answers all that is expected; what it does not answer, empty for nothing."""
        if self.ask is None or not expected:
            return ""
        missing: Dict[Question, SerialSeen] = {}
        start = progress = hope = self.clock()
        open_questions, pause = list(expected), 0.05
        while True:
            left = self._ask_again(open_questions, expected, missing)
            now = self.clock()
            progress = now if len(left) < len(open_questions) else progress
            refused = all(seen.status == Status.REFUSED for seen in left.values())
            dead = not refused and all(seen.status in SILENT for seen in left.values()) and not self.is_running()
            hope = hope if refused or dead else now
            missing, open_questions = left, list(left)
            late = now + pause - start > self.timeout
            if not left or late or now - progress > PATIENCE * self.timeout or now - hope > HOPELESS_SECONDS:
                return _told(missing)
            self.sleep(pause)
            pause = min(pause * 2, 1.0)

    def _ask_again(
        self, questions: Sequence[Question], expected: Expected, before: Mapping[Question, SerialSeen]
    ) -> Dict[Question, SerialSeen]:
        """Those of the questions that are not answered as expected, with what was said."""
        rounds: Dict[bool, List[Question]] = {False: [], True: []}
        for question in questions:
            rounds[question in before and before[question].status in NOT_LOADED].append(question)
        left = {}
        for over_tcp, asked in rounds.items():
            for question, seen in zip(asked, self.ask(asked, over_tcp) if asked else []):
                if seen.status != Status.ANSWER if expected[question] else seen.status in SILENT:
                    left[question] = seen
        return left

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

    def _note_state(self, state: Mapping[str, Any], zones: Optional[Sequence[str]]) -> None:
        """That the daemon has what is on disk.

        :param state: what the state file says.
        """
        new: Dict[str, Any] = {"zones": sorted(zones or []), "loaded": self._digests()}
        if self.endpoints:
            new["endpoints"] = [list(end) for end in self.endpoints]
        if new != state:
            self._write_state(new)

    def _write_state(self, state: Mapping[str, Any]) -> None:
        path = os.path.join(self.directory, STATE)
        if state:
            put_file(path, json.dumps(state, indent=0, sort_keys=True), 0o600)
        elif os.path.exists(path):
            os.unlink(path)


def _noted(was: _Before) -> Dict[str, Any]:
    """As the state file has it."""
    return {"files": dict(was.files), "heard": sorted(was.heard), "answered": sorted(was.answered)}


def _told(missing: Mapping[Question, SerialSeen]) -> str:
    """What the server does not answer, for people."""
    silent = {question[1:]: seen for question, seen in missing.items() if question.zone == ROOT}
    told = ["it is silent at %s port %d (%s)" % (*end, seen.detail) for end, seen in sorted(silent.items())]
    refused = {question.zone: seen for question, seen in missing.items() if question[1:] not in silent}
    if refused:
        names = sorted(refused)
        seen = refused[names[0]]
        told.append(
            "it does not answer any more for %d zone%s that it answered before (%s), at %s port %d: %s"
            % (len(names), "" if len(names) == 1 else "s", some(names), seen.address, seen.port, seen.detail)
        )
    return "; ".join(told)


def is_mass_removal(before: int, removed: int) -> bool:
    """Whether so many zones of so many may not go without somebody saying so."""
    mass = removed >= MASS_REMOVAL_ZONES and removed > before * MASS_REMOVAL_PART
    return mass or bool(before) and removed == before


def _guard_removal(before: Sequence[str], removed: Sequence[str], allowed: bool) -> None:
    if allowed or not is_mass_removal(len(before), len(removed)):
        return
    raise ConfigError(
        "this run would take %d of this host's %d zones out of service (%s). If that is meant, run once with "
        "-e dns_allow_mass_removal=true" % (len(removed), len(before), some(removed))
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
