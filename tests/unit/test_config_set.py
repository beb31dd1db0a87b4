"""Configuration files published as one set, with a daemon and a checker that are functions of the test."""

from __future__ import annotations

import builtins
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import config_set
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import Question, SerialSeen, Status
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.config_set import (
    MARKER,
    STATE,
    ConfigError,
    ConfigFile,
    ConfigSet,
    Result,
)
from ansible_collections.dnsops.redundant_dns.plugins.modules.config_set import configuration_files

BAD = "not-for-the-checker"
POISON = "not-for-the-daemon"
# What the daemon accepts, and then: dies, hangs, or serves nobody.
DEADLY, HANGING, CLOSED = "deadly", "hanging", "allow none"
SECONDS_TO_START = 1.0
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes owners")


class FakeDaemon:
    """A daemon that starts from main.conf and reads what that includes; and its checker."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.main = str(directory / "main.conf")
        self.zones = str(directory / "zones.conf")
        self.key = str(directory / "k.key")
        self.running = True
        self.asked = 0
        self.runs: list[list[str]] = []
        self.loaded: dict[str, str] = {}
        self.checked: dict[str, str] = {}
        self.checked_modes: set[int] = set()
        self.refuses: set[str] = set()
        # As a server: where it listens, and since when (of the clock) it answers what it has loaded.
        self.addresses = {"192.0.2.1"}
        self.hung = False
        self.ready = 0.0
        self.now = 0.0
        self.rounds: list[tuple[int, bool]] = []

    def read(self, main: str) -> dict[str, str]:
        """What the file and what it includes say, by the names of the files."""
        text = Path(main).read_text()
        found = {os.path.basename(main): text}
        for path in re.findall('include "([^"]+)"', text):
            found[os.path.basename(path)] = Path(path).read_text() if os.path.exists(path) else BAD + " missing"
        return found

    def run(self, command: Sequence[str]) -> tuple[int, str, str]:
        self.runs.append(list(command))
        if command[0] in self.refuses:
            return 1, "", "%s says no\n" % command[0]
        if command[0] == "true":  # the checker
            staging = os.path.dirname(command[-1])
            self.checked = self.read(command[-1])
            self.checked_modes = {
                stat.S_IMODE(os.stat(os.path.join(staging, name)).st_mode) for name in os.listdir(staging)
            }
            wrong = [name for name, text in self.checked.items() if BAD in text]
            return int(bool(wrong)), "", "".join("%s/%s:1: syntax error\n" % (staging, name) for name in wrong)
        if command[0] == "start" or (command[0] == "reconfigure" and self.running and not self.hung):
            now = self.read(self.main)
            text = "".join(now.values())
            if command[0] == "start":
                self.running, self.hung, self.ready = POISON not in text, False, self.now + SECONDS_TO_START
            if POISON in text:
                return 1, "", "%s: failed\n" % command[0]
            self.loaded = now
            self.running = self.running and DEADLY not in text
            self.hung = self.hung or HANGING in text
        elif command[0] == "reconfigure":
            return 1, "", "no connection\n"
        return 0, "", ""

    def is_running(self) -> bool:
        self.asked += 1
        return self.running

    def ask(self, questions: Sequence[Question], over_tcp: bool) -> list[SerialSeen]:
        """As client.ask_serials: it serves the zones that zones.conf names, where main.conf lets it listen."""
        self.rounds.append((len(questions), over_tcp))
        text = self.loaded.get("main.conf", "")
        listens = set(re.findall(r"listen (\S+)", text)) or self.addresses
        zones = set(re.findall(r'zone "(\S+)"', self.loaded.get("zones.conf", "")))
        answers = []
        for question in questions:
            status, detail = Status.ANSWER, ""
            if self.hung:
                status, detail = Status.TIMEOUT, "no answer over UDP"
            elif not self.running or question.address not in listens or self.now < self.ready:
                status, detail = Status.UNREACHABLE, "port 53 is closed"
            elif CLOSED in text or question.zone not in zones:
                status, detail = Status.REFUSED, "the server answers REFUSED"
            elif question.zone in text:  # as an option that breaks one zone
                status, detail = Status.SERVFAIL, "the server answers SERVFAIL"
            answers.append(SerialSeen(*question, status, None if detail else 1, "udp", detail))
        return answers

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def daemon(tmp_path: Path) -> FakeDaemon:
    directory = tmp_path / "etc"
    directory.mkdir()
    return FakeDaemon(directory)


def main_file(daemon: FakeDaemon, text: str = "", **flags: Any) -> ConfigFile:
    content = '# %s\ninclude "%s"\ninclude "%s"\n%s' % (MARKER, daemon.zones, daemon.key, text)
    return ConfigFile(daemon.main, content, **flags)


def zones_file(daemon: FakeDaemon, text: str = "zones one\n", **flags: Any) -> ConfigFile:
    return ConfigFile(daemon.zones, text, **flags)


def make_set(daemon: FakeDaemon, *files: ConfigFile, **settings: Any) -> ConfigSet:
    if not os.path.exists(daemon.key) and not settings.get("check_mode"):
        Path(daemon.key).write_text("key one")
    values: dict[str, Any] = {
        "run": daemon.run,
        "checker": ["true"],
        "reads": [daemon.key],
        "is_running": daemon.is_running,
        "reconfigure": ["reconfigure"],
        "restart": [["stop"], ["start"]],
        "revive": [["reset"], ["start"]],
        "log": "journalctl -u it",
        **settings,
    }
    return ConfigSet(files or (main_file(daemon), zones_file(daemon)), **values)


def deploy(
    daemon: FakeDaemon, *files: ConfigFile, zones: Sequence[str] | None = ("a.test",), **settings: Any
) -> Result:
    of_publish = ("allow_mass_removal", "adopt", "with_diff", "zone_list", "defer_restart")
    options = {name: settings.pop(name) for name in of_publish if name in settings}
    return make_set(daemon, *files, **settings).publish(zones, **options)


def snapshot(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = {".": directory.stat().st_mtime_ns}
    for path in directory.iterdir():
        status = path.stat()
        found[path.name] = (status.st_mtime_ns, status.st_mode, status.st_uid, status.st_gid, path.read_bytes())
    return found


def names(daemon: FakeDaemon) -> set[str]:
    return set(os.listdir(daemon.directory))


# --- going live ------------------------------------------------------------------------------------------------------


def test_the_first_time(daemon: FakeDaemon) -> None:
    result = deploy(daemon)
    assert result.changed_files == [daemon.main, daemon.zones]
    assert result.added_zones == ["a.test"] and result.removed_zones == []
    assert result.activation == "reconfigure" and result.changed
    assert daemon.loaded == {"main.conf": main_file(daemon).content, "zones.conf": "zones one\n", "k.key": "key one"}
    assert names(daemon) == {"main.conf", "zones.conf", "k.key", STATE}


def test_a_second_run_starts_no_process_and_touches_no_file(daemon: FakeDaemon) -> None:
    deploy(daemon)
    before, runs, asked = snapshot(daemon.directory), list(daemon.runs), daemon.asked
    result = deploy(daemon, with_diff=True)
    assert result == Result() and not result.changed
    assert (daemon.runs, daemon.asked) == (runs, asked)
    assert snapshot(daemon.directory) == before


def test_the_check_sees_the_new_content_of_all_files(daemon: FakeDaemon) -> None:
    deploy(daemon)
    deploy(daemon, main_file(daemon, "new main"), zones_file(daemon, "zones two\n"))
    assert "new main" in daemon.checked["main.conf"]
    assert daemon.checked["zones.conf"] == "zones two\n"
    # A file that this run does not change is checked with the others; a key is where it is.
    deploy(daemon, main_file(daemon, "new main"), zones_file(daemon, "zones three\n"))
    assert set(daemon.checked) == {"main.conf", "zones.conf", "k.key"}
    assert daemon.checked["k.key"] == "key one"
    assert daemon.checked_modes == {0o600}
    assert daemon.loaded["zones.conf"] == "zones three\n"
    # What goes live names the real paths.
    assert '"%s"' % daemon.zones in Path(daemon.main).read_text()


@pytest.mark.parametrize("wrong", ["main", "zones", "both"])
def test_a_refused_check_leaves_every_file_as_it_was(daemon: FakeDaemon, wrong: str) -> None:
    deploy(daemon)
    before, loaded = snapshot(daemon.directory), daemon.loaded
    files = [
        main_file(daemon, BAD if wrong in ("main", "both") else "good\n"),
        zones_file(daemon, BAD if wrong in ("zones", "both") else "good\n"),
    ]
    with pytest.raises(ConfigError) as caught:
        deploy(daemon, *files, zones=["a.test", "b.test"])
    message = str(caught.value)
    assert message.startswith("true refused the new configuration, and the old one stays: ")
    # The places are those that people know.
    assert "%s:1: syntax error" % (daemon.main if wrong in ("main", "both") else daemon.zones) in message
    assert ".staging" not in message
    after = snapshot(daemon.directory)
    assert {**after, ".": 0} == {**before, ".": 0}
    assert daemon.loaded == loaded
    assert daemon.runs[-1][0] == "true"


def test_the_check_is_made_though_a_key_is_missing(daemon: FakeDaemon) -> None:
    with pytest.raises(ConfigError, match="refused the new configuration"):
        deploy(daemon, main_file(daemon, BAD), reads=[daemon.key, daemon.key + ".missing"])


def test_a_set_without_a_checker_is_published(daemon: FakeDaemon) -> None:
    deploy(daemon, main_file(daemon, BAD), checker=[])
    assert BAD in Path(daemon.main).read_text()
    assert [command[0] for command in daemon.runs] == ["reconfigure"]


def test_octets_are_kept(daemon: FakeDaemon) -> None:
    text = "Gr\u00fc\u00dfe\r\n\tx\u2028\n"
    deploy(daemon, main_file(daemon), zones_file(daemon, text))
    assert Path(daemon.zones).read_bytes() == text.encode()
    assert not deploy(daemon, main_file(daemon), zones_file(daemon, text)).changed
    Path(daemon.zones).write_bytes(b"\xff")
    assert deploy(daemon, main_file(daemon), zones_file(daemon, text), with_diff=True).changed_files == [daemon.zones]
    assert Path(daemon.zones).read_bytes() == text.encode()


def test_files_alone_without_a_daemon(daemon: FakeDaemon) -> None:
    file = ConfigFile(str(daemon.directory / "g1.key"), "secret text", secret=True)
    # A key file has no marker, and is not taken for somebody else's.
    for each, changed in ((file, True), (file, False), (file._replace(content="other"), True)):
        result = make_set(daemon, each, checker=(), reads=(), reconfigure=(), restart=()).publish(with_diff=True)
        assert (result.changed, result.activation) == (changed, "none")
    assert not daemon.runs and STATE not in names(daemon)


# --- the daemon ------------------------------------------------------------------------------------------------------


def test_a_daemon_that_does_not_run_is_not_activated(daemon: FakeDaemon) -> None:
    daemon.running = False
    result = deploy(daemon)
    assert result.activation == "none" and result.changed
    assert [command[0] for command in daemon.runs] == ["true"]
    # It reads the files when it starts, so nothing is left to do.
    daemon.running = True
    assert not deploy(daemon).changed


@pytest.mark.parametrize(
    "changes, commands", [("main", ["stop", "start"]), ("zones", ["reconfigure"]), ("both", ["stop", "start"])]
)
def test_a_file_that_needs_a_restart_gets_one(daemon: FakeDaemon, changes: str, commands: list[str]) -> None:
    deploy(daemon, main_file(daemon, restart=True), zones_file(daemon))
    daemon.runs = []
    result = deploy(
        daemon,
        main_file(daemon, "new" if changes != "zones" else "", restart=True),
        zones_file(daemon, "zones two\n" if changes != "main" else "zones one\n"),
    )
    assert [command[0] for command in daemon.runs] == ["true", *commands]
    assert result.activation == ("restart" if "start" in commands else "reconfigure")


def test_a_changed_key_makes_the_daemon_read_again(daemon: FakeDaemon) -> None:
    deploy(daemon)
    Path(daemon.key).write_text("key two")
    daemon.runs = []
    result = deploy(daemon)
    assert (result.changed_files, result.activation, result.changed) == ([], "reconfigure", True)
    assert daemon.runs == [["reconfigure"]]
    assert daemon.loaded["k.key"] == "key two"
    assert not deploy(daemon).changed


def test_a_key_that_is_gone_is_no_reason(daemon: FakeDaemon) -> None:
    other = str(daemon.directory / "other.key")
    Path(other).write_text("x")
    deploy(daemon, reads=[daemon.key, other])
    os.unlink(other)
    assert not deploy(daemon, reads=[daemon.key]).changed


def test_a_refused_activation_puts_the_old_files_back(daemon: FakeDaemon) -> None:
    deploy(daemon)
    before, loaded = snapshot(daemon.directory), daemon.loaded
    with pytest.raises(ConfigError) as caught:
        deploy(daemon, main_file(daemon, "new"), zones_file(daemon, POISON), zones=["b.test"], allow_mass_removal=True)
    assert str(caught.value) == (
        "the server did not take the new configuration (reconfigure): reconfigure: reconfigure: failed."
        " The old files are back, and the server answers with them."
        " Mend what changed in %s, %s, and run again; journalctl -u it may say more" % (daemon.main, daemon.zones)
    )
    after = snapshot(daemon.directory)
    assert {name: value[-1] for name, value in after.items() if name != "."} == {
        name: value[-1] for name, value in before.items() if name != "."
    }
    assert daemon.loaded == loaded
    assert [command[0] for command in daemon.runs[-3:]] == ["true", "reconfigure", "reconfigure"]
    assert deploy(daemon) == Result()


def test_a_refused_first_activation_is_told(daemon: FakeDaemon) -> None:
    """The server of a package: its file comes back, and what was not there goes."""
    Path(daemon.main).write_text("stock")
    with pytest.raises(ConfigError, match="did not take the new configuration .* and the server answers with them"):
        deploy(daemon, main_file(daemon), zones_file(daemon, POISON), foreign_file=lambda path: None)
    assert names(daemon) == {"main.conf", "k.key"} and Path(daemon.main).read_text() == "stock"
    assert daemon.loaded == {"main.conf": "stock"}
    assert deploy(daemon, foreign_file=lambda path: None).activation == "reconfigure"


def test_a_refused_restart_puts_the_old_files_back(daemon: FakeDaemon) -> None:
    deploy(daemon, main_file(daemon, restart=True), zones_file(daemon))
    with pytest.raises(ConfigError, match="start: start: failed. The old files are back, and the server answers"):
        deploy(daemon, main_file(daemon, POISON, restart=True), zones_file(daemon))
    assert POISON not in Path(daemon.main).read_text()
    # What it held was saved before the first start, and it holds nothing since.
    assert [command[0] for command in daemon.runs[-4:]] == ["stop", "start", "reset", "start"]
    assert POISON not in daemon.loaded["main.conf"]


def test_a_daemon_that_takes_neither_is_told(daemon: FakeDaemon) -> None:
    deploy(daemon)
    daemon.refuses = {"reconfigure"}
    with pytest.raises(ConfigError) as caught:
        deploy(daemon, main_file(daemon, "new"), zones_file(daemon))
    assert str(caught.value) == (
        "the server did not take the new configuration (reconfigure): reconfigure: reconfigure says no."
        " The old files are back, but the server does not answer as before with them:"
        " reconfigure: reconfigure says no. See journalctl -u it"
    )
    assert "new" not in Path(daemon.main).read_text()
    # It is tried again.
    daemon.refuses = set()
    assert deploy(daemon, main_file(daemon, "new"), zones_file(daemon)).activation == "reconfigure"


class Interrupted(BaseException):
    """As a lost connection: nothing catches it."""


def interrupted_after(last: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What wraps functions so that, after so many calls of them in all, the next one interrupts the run."""
    steps = iter(range(last))

    def before(function: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*args: Any, **kwargs: Any) -> Any:
            if next(steps, None) is None:
                raise Interrupted
            return function(*args, **kwargs)

        return stepping

    return before


def test_an_interrupted_run_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for last in range(30):
        directory = tmp_path / str(last)
        directory.mkdir()
        daemon = FakeDaemon(directory)
        deploy(daemon)
        before = interrupted_after(last)
        files = main_file(daemon, "new"), zones_file(daemon, "zones two\n")
        stopped = False
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", before(os.replace))
            try:
                deploy(daemon, *files, run=before(daemon.run), zones=["a.test", "b.test"])
            except Interrupted:
                stopped = True
        assert not [name for name in names(daemon) if name.startswith(".staging")]
        result = deploy(daemon, *files, zones=["a.test", "b.test"])
        assert result.activation == "none" or stopped
        assert "new" in daemon.loaded["main.conf"] and daemon.loaded["zones.conf"] == "zones two\n"
        assert not deploy(daemon, *files, zones=["a.test", "b.test"]).changed
        if not stopped:
            break
    assert last == 6  # the check, the state, two files, the activation, the state


def test_a_run_that_was_interrupted_before_a_restart_restarts(daemon: FakeDaemon) -> None:
    files = main_file(daemon, "new", restart=True), zones_file(daemon)
    deploy(daemon, main_file(daemon, restart=True), zones_file(daemon))
    Path(daemon.main).write_text(files[0].content)
    os.chmod(daemon.main, 0o640)
    result = deploy(daemon, *files)
    assert (result.changed_files, result.activation) == ([], "restart")
    assert "new" in daemon.loaded["main.conf"]


@pytest.mark.parametrize("damage", ["", "{", "[]", "7", "null"])
def test_a_lost_state_costs_one_activation(daemon: FakeDaemon, damage: str) -> None:
    deploy(daemon)
    state = daemon.directory / STATE
    state.write_text(damage)
    if not damage:
        state.unlink()
    result = deploy(daemon)
    assert (result.changed_files, result.activation) == ([], "reconfigure")
    assert not deploy(daemon).changed


def test_the_state_has_no_content(daemon: FakeDaemon) -> None:
    deploy(daemon)
    state = daemon.directory / STATE
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert json.loads(state.read_text())["zones"] == ["a.test"]
    assert "key one" not in state.read_text()


# --- the proof -------------------------------------------------------------------------------------------------------

ZONES = ("a.test", "b.test", "c.test", "d.test", "e.test")
HERE, THERE = ("192.0.2.1", 53), ("192.0.2.2", 53)


def zone_list(daemon: FakeDaemon, zones: Sequence[str] = ZONES, text: str = "") -> ConfigFile:
    return zones_file(daemon, "# Managed\n" + "".join('zone "%s" {\n\t%s};\n' % (zone, text) for zone in zones))


def serve(daemon: FakeDaemon, text: str = "", zones: Sequence[str] = ZONES, **settings: Any) -> Result:
    """As deploy(), with zones and a server that is asked."""
    files = main_file(daemon, text), settings.pop("list", None) or zone_list(daemon, zones)
    values = {"ask": daemon.ask, "endpoints": [HERE], "sleep": daemon.sleep, "clock": lambda: daemon.now, **settings}
    return deploy(daemon, *files, zones=zones, zone_list=daemon.zones, **values)


def fails(daemon: FakeDaemon, text: str = "", **settings: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        serve(daemon, text, **settings)
    return str(caught.value)


@pytest.fixture
def server(daemon: FakeDaemon) -> FakeDaemon:
    """A daemon that serves the zones, proven."""
    serve(daemon)
    daemon.now, daemon.runs, daemon.rounds = 100.0, [], []
    return daemon


def test_a_change_is_proven_by_two_rounds_of_questions(server: FakeDaemon) -> None:
    assert serve(server, "new").activation == "reconfigure"
    # All zones and one more question, once before and once after.
    assert server.rounds == [(6, False), (6, False)] and server.now == 100.0
    assert "before" not in json.loads((server.directory / STATE).read_text())
    server.rounds = []
    assert not serve(server, "new").changed and server.rounds == []


@pytest.mark.parametrize(
    "option, why, seconds",
    [
        (CLOSED, "it does not answer any more for 5 zones that it answered before"
         " (a.test, b.test, c.test, d.test, ...), at 192.0.2.1 port 53: the server answers REFUSED", 4),
        ("c.test", "it does not answer any more for 1 zone that it answered before (c.test), at 192.0.2.1 port 53:"
         " the server answers SERVFAIL", 10),
        (DEADLY, "it is silent at 192.0.2.1 port 53 (port 53 is closed)", 5),
        (HANGING, "it is silent at 192.0.2.1 port 53 (no answer over UDP)", 10),
        ("listen 192.0.2.9", "it is silent at 192.0.2.1 port 53 (port 53 is closed)", 10),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["reconfigure", "start"])
def test_what_the_checker_accepts_and_stops_the_service_goes_back(
    daemon: FakeDaemon, option: str, why: str, seconds: float, verb: str
) -> None:
    def run(text: str) -> Result:
        files = main_file(daemon, text, restart=verb == "start"), zone_list(daemon)
        return deploy(
            daemon, *files, zones=ZONES, zone_list=daemon.zones, ask=daemon.ask, endpoints=[HERE], sleep=daemon.sleep,
            clock=lambda: daemon.now,
        )  # fmt: skip

    run("")
    before, loaded = snapshot(daemon.directory), daemon.loaded
    daemon.now, daemon.runs = 100.0, []
    with pytest.raises(ConfigError) as caught:
        run(option)
    assert str(caught.value) == (
        "the server did not take the new configuration (%s): %s. The old files are back, and the server answers with"
        " them. Mend what changed in %s, and run again; journalctl -u it may say more" % (verb, why, daemon.main)
    )
    after = snapshot(daemon.directory)
    assert {name: value[-1] for name, value in after.items() if name != "."} == {
        name: value[-1] for name, value in before.items() if name != "."
    }
    assert daemon.loaded == loaded and daemon.running and not daemon.hung
    # Only a server that is not there needs more than the verb.
    taken = [command[0] for command in daemon.runs]
    silent = "silent" in why
    assert taken == [
        "true",
        *(["stop"] if verb == "start" else []),
        verb,
        *(["reset", "start"] if silent else [verb]),
    ] or (not silent and verb == "start" and taken == ["true", "stop", "start", "start"])
    assert daemon.now - 100.0 < seconds + SECONDS_TO_START + 1, "nobody waits for what will not be"
    assert run("") == Result()


def test_a_server_that_starts_slowly_is_waited_for(server: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("%s.SECONDS_TO_START" % __name__, 6.0)
    main = main_file(server, "new", restart=True)
    settings: dict[str, Any] = {"ask": server.ask, "endpoints": [HERE], "sleep": server.sleep}
    result = deploy(
        server, main, zone_list(server), zones=ZONES, zone_list=server.zones, clock=lambda: server.now, **settings
    )
    assert result.activation == "restart" and server.now >= 106.0


def test_progress_is_waited_for_until_the_time_is_up(server: FakeDaemon) -> None:
    """Each zone comes a while after the one before."""
    each = 5.0

    def ask(questions: Sequence[Question], over_tcp: bool) -> list[SerialSeen]:
        answers = server.ask(questions, over_tcp)
        loaded = int((server.now - 100.0) / each) if "new" in server.loaded["main.conf"] else 5
        return [
            seen._replace(status=Status.SERVFAIL) if seen.zone in ZONES[loaded:] else seen for seen in answers
        ]  # fmt: skip

    assert serve(server, "new", ask=ask).activation == "reconfigure"
    assert server.now >= 125.0
    assert {over_tcp for _count, over_tcp in server.rounds[2:]} == {True}, "no rate limit answers for the server"
    server.now, each = 100.0, 7.0
    serve(server)
    assert "does not answer any more for 1 zone that it answered before (e.test)" in fails(server, "new", ask=ask)
    server.now, each = 100.0, 9.0
    assert "for 5 zones" in fails(server, "new", ask=ask), "no progress for a quarter of the time"


def test_what_was_not_answered_before_is_not_waited_for(server: FakeDaemon) -> None:
    serve(server, "c.test", list=zone_list(server, text="changed"))
    # It had it not, and gets it not; nor is a new zone, or one with another primary, waited for.
    server.now = 100.0
    assert serve(server, "c.test new", zones=[*ZONES, "f.test"]).changed
    serve(server, "c.test d.test", list=zone_list(server, text="changed again"))
    assert server.now == 100.0
    assert "for 1 zone that it answered before (e.test)" in fails(
        server, "c.test d.test e.test", list=zone_list(server, text="changed again")
    )


def test_a_lost_state_takes_nothing_from_the_proof(server: FakeDaemon) -> None:
    (server.directory / STATE).unlink()
    assert "for 1 zone that it answered before (c.test)" in fails(server, "c.test")


def test_a_new_address_is_proven_and_an_old_one_comes_back(server: FakeDaemon) -> None:
    message = fails(server, "listen 192.0.2.3", endpoints=[THERE])
    assert "silent at 192.0.2.2 port 53" in message and "and the server answers with them" in message
    assert server.ask([Question("a.test", *HERE)], False)[0].status == Status.ANSWER
    server.now += 100
    message = fails(server, "listen 192.0.2.2 c.test", endpoints=[THERE])
    assert "(c.test), at 192.0.2.2 port 53" in message
    serve(server, "listen 192.0.2.2", endpoints=[THERE])
    # One that never answered is no reason to go back; all of them are.
    serve(server, "listen 192.0.2.2 c", endpoints=[THERE])
    assert "silent at 192.0.2.1" in fails(server, "listen 192.0.2.2", endpoints=[THERE, HERE])
    server.loaded["main.conf"] = "listen 192.0.2.9"
    assert "silent at 192.0.2.2" in fails(server, "listen 192.0.2.9", endpoints=[THERE])


def test_a_silent_address_stays_what_it_was(server: FakeDaemon) -> None:
    """Such as one of IPv6 on a host that has lost it: that is no reason to keep a change from the others."""
    serve(server, "listen 192.0.2.1 listen 192.0.2.2", endpoints=[HERE, THERE])
    server.loaded["main.conf"] = "listen 192.0.2.1"
    assert serve(server, "listen 192.0.2.1", endpoints=[HERE, THERE]).changed
    assert server.now == 100.0


def test_a_server_that_answers_with_neither_is_told_and_tried_again(server: FakeDaemon) -> None:
    real = server.run

    def run(command: Sequence[str]) -> tuple[int, str, str]:
        return (1, "", "no room\n") if command[0] == "start" else real(command)

    assert fails(server, DEADLY, run=run).endswith(
        ". The old files are back, but the server does not answer as before with them: start: no room."
        " See journalctl -u it"
    )
    assert DEADLY not in Path(server.main).read_text() and not server.running
    # The next run knows what was served, and that it is this set that has to be brought to life.
    result = serve(server)
    assert (result.changed_files, result.activation) == ([], "restart") and server.running
    assert serve(server) == Result()


def test_a_change_of_no_file_has_nothing_to_put_back(server: FakeDaemon) -> None:
    Path(server.key).write_text(CLOSED)
    server.loaded["k.key"] = CLOSED
    server.refuses = {"reconfigure"}
    message = fails(server)
    assert "(reconfigure): reconfigure: reconfigure says no. None of its files changed, but the server" in message
    server.refuses = set()
    assert serve(server).activation == "reconfigure"


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("bad", [True, False])
def test_an_interrupted_run_is_finished_or_undone_whatever_it_was_at(tmp_path: Path, bad: bool, dies: bool) -> None:
    """Killed at every process it starts and every question it asks, the daemon maybe too."""
    for last in range(30):
        daemon = FakeDaemon(tmp_path)
        for path in tmp_path.iterdir():
            path.unlink()
        serve(daemon)
        before = interrupted_after(last)
        text, stopped = CLOSED if bad else "new", False
        try:
            serve(daemon, text, run=before(daemon.run), ask=before(daemon.ask))
        except Interrupted:
            stopped = True
            daemon.running = daemon.running and not dies
        except ConfigError:
            assert bad
        noted = "before" in json.loads((tmp_path / STATE).read_text())
        if bad:
            if noted or daemon.running:
                assert "and the server answers with them" in fails(daemon, text)
                assert daemon.running and CLOSED not in daemon.loaded["main.conf"]
                assert CLOSED not in Path(daemon.main).read_text()
        else:
            serve(daemon, text)
            assert Path(daemon.main).read_text().endswith("new")
            if noted or daemon.running:
                assert daemon.running and daemon.loaded["main.conf"].endswith("new")
        if not stopped:
            break
        if noted and dies:
            assert [command[0] for command in daemon.runs].count("start") >= 1
    assert last == 4 if not bad else last > 7


def test_a_run_that_went_back_by_half_is_undone_by_a_mended_one(server: FakeDaemon) -> None:
    """The files are back, the daemon still has the bad ones: nothing differs, and yet something is to be done."""
    state = json.loads((server.directory / STATE).read_text())
    noted = {"files": {server.main: Path(server.main).read_text()}, "heard": [HERE], "answered": [["a.test", *HERE]]}
    (server.directory / STATE).write_text(json.dumps(dict(state, before=noted)))
    server.loaded["main.conf"] = CLOSED
    result = serve(server)
    assert (result.changed_files, result.activation) == ([], "reconfigure")
    assert CLOSED not in server.loaded["main.conf"]
    assert serve(server) == Result()


def test_a_restart_is_left_for_later(server: FakeDaemon) -> None:
    def run(text: str = "", **settings: Any) -> Result:
        main = main_file(server, text, restart=True)
        return deploy(server, main, zone_list(server), zones=ZONES, zone_list=server.zones, **settings)

    before, loaded = snapshot(server.directory), server.loaded
    for options in ({}, {"check_mode": True}):
        result = run("new", defer_restart=True, with_diff=True, **options)
        assert result == Result(activation="deferred") and not result.changed
    after = snapshot(server.directory)
    assert {**after, ".": 0} == {**before, ".": 0}
    assert server.loaded == loaded and {command[0] for command in server.runs} == {"true"}
    with pytest.raises(ConfigError, match="refused the new configuration"):
        run(BAD, defer_restart=True)
    # What needs none is done at once; and so is what does not run.
    files = main_file(server, restart=True), zone_list(server, text="other")
    assert deploy(server, *files, zones=ZONES, defer_restart=True).activation == "reconfigure"
    server.running = False
    assert run("new", defer_restart=True).activation == "none" and "new" in Path(server.main).read_text()
    server.running = True
    assert run("newer").activation == "restart"
    # Interrupted before its restart.
    Path(server.main).write_text(main_file(server, "newest").content)
    os.chmod(server.main, 0o640)
    assert run("newest", defer_restart=True).activation == "deferred"
    assert run("newest").activation == "restart"
    # Interrupted in it, and dead: nothing is kept in service by waiting.
    noted = {"files": {server.main: Path(server.main).read_text()}, "heard": [], "answered": []}
    state = json.loads((server.directory / STATE).read_text())
    (server.directory / STATE).write_text(json.dumps(dict(state, before=noted)))
    server.running = False
    assert run("newest", defer_restart=True).activation == "restart" and server.running
    assert [command[0] for command in server.runs[-2:]] == ["reset", "start"]


# --- files of somebody else ------------------------------------------------------------------------------------------


def test_a_foreign_main_file_is_refused(daemon: FakeDaemon) -> None:
    Path(daemon.main).write_text("options { recursion yes; };\n")
    Path(daemon.key).write_text("key one")
    before = snapshot(daemon.directory)
    for check_mode in (True, False):
        with pytest.raises(ConfigError) as caught:
            deploy(daemon, check_mode=check_mode)
        assert str(caught.value) == (
            "%s was written by someone else, and this run would replace it. To let this collection take over the"
            " server, set the role's ..._adopt variable to true: a copy is kept beside it" % daemon.main
        )
    assert snapshot(daemon.directory) == before and not daemon.runs


def test_a_main_file_of_the_package_is_replaced(daemon: FakeDaemon) -> None:
    Path(daemon.main).write_text("stock")
    result = deploy(daemon, foreign_file=lambda path: None if Path(path).read_text() == "stock" else path)
    assert daemon.main in result.changed_files and result.backups == []
    assert "main.conf.before-dnsops" not in names(daemon)


def test_an_adopted_main_file_is_kept_beside_it(daemon: FakeDaemon) -> None:
    content = b'key "old" { secret "\xe9"; };\r\n'
    Path(daemon.main).write_bytes(content)
    os.chmod(daemon.main, 0o600)
    result = deploy(daemon, adopt=True)
    backup = Path(daemon.main + ".before-dnsops")
    assert result.backups == [daemon.main]
    assert backup.read_bytes() == content
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert MARKER in Path(daemon.main).read_text()
    # Ours by now: neither refused nor kept.
    again = deploy(daemon, main_file(daemon, "new"), zones_file(daemon))
    assert again.backups == [] and backup.read_bytes() == content


def test_all_files_that_adopting_replaces_are_kept(daemon: FakeDaemon) -> None:
    Path(daemon.main).write_text("stock")
    Path(daemon.zones).write_text("theirs")
    local = daemon.main + ".local"
    with pytest.raises(ConfigError) as caught:
        deploy(daemon, foreign_file=lambda path: local)
    assert str(caught.value).startswith(
        "%s was written by someone else, and this run would replace %s, which is what includes it. To let"
        % (local, daemon.main)
    )
    assert deploy(daemon, adopt=True, foreign_file=lambda path: local).backups == [daemon.main, daemon.zones]
    assert Path(daemon.zones + ".before-dnsops").read_text() == "theirs"


class FakeModule:
    """A host with a package, and dpkg's record of it."""

    def __init__(
        self, *conffiles: Path, package: str | None = "bind9", tool: str | None = "/usr/bin/dpkg-query"
    ) -> None:
        self.params = {"package": package}
        self.tool = tool
        lines = [" %s %s" % (path, hashlib.md5(path.read_bytes()).hexdigest()) for path in conffiles]
        self.record = " /etc/default/named 0fcf4e70d1d3811d13a1f7b52fd5e384\n" + "\n".join(lines)

    def get_bin_path(self, name: str) -> str | None:
        return self.tool if name == "dpkg-query" else None

    def run_command(self, command: Sequence[str]) -> tuple[int, str, str]:
        assert command == ["dpkg-query", "-W", "-f", "${Conffiles}", "bind9"]
        return 0, self.record, ""


@pytest.fixture
def packaged(tmp_path: Path) -> tuple[Path, FakeModule]:
    """Files as Debian's bind9 has them, all recorded; the first is named.conf."""
    main = tmp_path / "named.conf"
    parts = ["options", "local", "default-zones"]
    main.write_text("// Read this first.\n" + "".join('include "%s.%s";\n' % (main, part) for part in parts))
    paths = [main, *(tmp_path / ("named.conf." + part) for part in parts), tmp_path / "db.local"]
    for path in paths[1:]:
        path.write_text("// %s\n" % path.name)
    module = FakeModule(*paths)
    module.record += " obsolete"
    return main, module


def foreign(main: Path, module: Any) -> str | None:
    found = config_set.foreign_file(str(main), configuration_files(module))
    return found and os.path.basename(found)


def test_a_configuration_of_the_package_is_nobodys_work(packaged: tuple[Path, FakeModule]) -> None:
    main, module = packaged
    assert foreign(main, module) is None
    (main.parent / "db.local").unlink()
    (main.parent / "named.conf.local").unlink()
    (main.parent / "mine.conf").write_text("which nothing includes")
    assert foreign(main, module) is None


@pytest.mark.parametrize("name", ["named.conf", "named.conf.local", "named.conf.options", "db.local"])
def test_an_edited_file_of_the_package_is_somebodys_work(packaged: tuple[Path, FakeModule], name: str) -> None:
    main, module = packaged
    with open(main.parent / name, "a") as file:
        file.write('zone "theirs.test" { type primary; file "db.theirs"; };\n')
    assert foreign(main, module) == name


def test_without_a_record_every_file_is_somebodys_work(packaged: tuple[Path, FakeModule]) -> None:
    main, module = packaged
    assert foreign(main, FakeModule(main)) == "named.conf.options", "included, and not the package's"
    assert foreign(main, FakeModule(main, package=None)) == "named.conf"
    assert foreign(main, FakeModule(main, tool=None)) == "named.conf"
    module.run_command = lambda command: (1, module.record, "no packages found")
    assert foreign(main, module) == "named.conf"


def test_files_that_a_pattern_includes_must_be_empty(tmp_path: Path) -> None:
    main = tmp_path / "nsd.conf"
    main.write_text('server:\n\tlog-only-syslog: yes\n\ninclude: "%s/nsd.conf.d/*.conf"\n' % tmp_path)
    module = FakeModule(main)
    assert foreign(main, module) is None
    (tmp_path / "nsd.conf.d").mkdir()
    (tmp_path / "nsd.conf.d" / "empty.conf").write_text("\n")
    (tmp_path / "nsd.conf.d" / "off.conf.old").write_text("zone:\n")
    assert foreign(main, module) is None
    (tmp_path / "nsd.conf.d" / "mine.conf").write_text("zone:\n")
    assert foreign(main, module) == "mine.conf"


@pytest.mark.parametrize("state", ["foreign", "interrupted"])
def test_a_daemon_that_never_ran_with_the_set_has_nothing_to_save(
    daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """It may not even listen where the commands before the last ask."""
    files = main_file(daemon, restart=True), zones_file(daemon)
    Path(daemon.main).write_text("foreign" if state == "foreign" else files[0].content)
    daemon.refuses = {"stop"}
    assert deploy(daemon, *files, adopt=True).activation == "restart"
    assert [command[0] for command in daemon.runs] == ["true", "stop", "start"]
    assert MARKER in daemon.loaded["main.conf"]
    # From now on it has.
    before = snapshot(daemon.directory)
    with pytest.raises(ConfigError) as caught:
        deploy(daemon, main_file(daemon, "new", restart=True), files[1])
    assert str(caught.value) == (
        "the server could not save what it holds, so it is not restarted, and the old configuration stays:"
        " stop: stop says no"
    )
    after = snapshot(daemon.directory)
    assert {**after, ".": 0} == {**before, ".": 0}
    assert daemon.runs[-1] == ["stop"]
    # Somebody else has taken the server back.
    Path(daemon.main).write_text("foreign")
    assert deploy(daemon, *files, adopt=True).activation == "restart"


def test_a_restart_that_fails_is_told_though_nothing_is_to_be_saved(daemon: FakeDaemon) -> None:
    daemon.refuses = {"start"}
    with pytest.raises(ConfigError, match=r"configuration \(start\): start: start says no"):
        deploy(daemon, main_file(daemon, restart=True), zones_file(daemon))


def test_a_refused_check_makes_no_backup(daemon: FakeDaemon) -> None:
    Path(daemon.main).write_text("foreign")
    with pytest.raises(ConfigError, match="refused the new configuration"):
        deploy(daemon, main_file(daemon, BAD), zones_file(daemon), adopt=True)
    assert names(daemon) == {"main.conf", "k.key"}
    assert Path(daemon.main).read_text() == "foreign"


# --- mass removal ----------------------------------------------------------------------------------------------------

COUNTS = [
    # zones before, zones that leave, refused
    (3, 1, False),
    (3, 2, False),
    (10, 3, False),
    (9, 3, True),
    (10, 4, True),
    (1, 1, True),
    (2, 2, True),
    (2, 1, False),
    (5, 2, False),
    (5, 3, True),
    (10, 5, True),
    (100, 30, False),
    (100, 31, True),
    (10000, 3000, False),
    (10000, 3001, True),
]


@pytest.mark.parametrize("count, leaving, refused", COUNTS)
def test_the_guard_against_mass_removal(daemon: FakeDaemon, count: int, leaving: int, refused: bool) -> None:
    zones = ["z%05d.test" % number for number in range(count)]
    deploy(daemon, zones=zones)
    fewer, files = zones[leaving:], (main_file(daemon), zones_file(daemon, "fewer\n"))
    if refused:
        before = snapshot(daemon.directory)
        for check_mode in (True, False):
            with pytest.raises(ConfigError) as caught:
                deploy(daemon, *files, zones=fewer, check_mode=check_mode)
        shown = ", ".join(zones[:leaving][:4]) + (", ..." if leaving > 4 else "")
        assert str(caught.value) == (
            "this run would take %d of this host's %d zones out of service (%s). If that is meant, run once with"
            " -e dns_allow_mass_removal=true" % (leaving, count, shown)
        )
        assert snapshot(daemon.directory) == before
    result = deploy(daemon, *files, zones=fewer, allow_mass_removal=refused)
    assert result.removed_zones == zones[:leaving]
    assert deploy(daemon, *files, zones=fewer) == Result()


def test_30_percent_are_30_percent_of_any_number() -> None:
    for tenths in range(1, 400):
        before = ["z%d" % number for number in range(10 * tenths)]
        config_set._guard_removal(before, before[: 3 * tenths], False)
        with pytest.raises(ConfigError):
            config_set._guard_removal(before, before[: 3 * tenths + 1], False)


def test_zones_that_all_change_their_names_leave_at_once(daemon: FakeDaemon) -> None:
    deploy(daemon, zones=["a.test", "b.test"])
    with pytest.raises(ConfigError, match="2 of this host's 2 zones"):
        deploy(daemon, zones=["c.test", "d.test"])


def test_zones_that_come_and_go_are_told(daemon: FakeDaemon) -> None:
    deploy(daemon, zones=["a.test", "b.test"])
    result = deploy(daemon, main_file(daemon), zones_file(daemon, "x"), zones=["f.test", "e.test", "b.test", "d.test"])
    assert (result.added_zones, result.removed_zones) == (["d.test", "e.test", "f.test"], ["a.test"])


BIND_ZONE = 'zone "%s" {\n\ttype primary;\n\tprimaries { "%s"; };\n};\n'
NSD_ZONE = 'zone:\n\tname: "%s"\n\tinclude-pattern: "%s"\n'


@pytest.mark.parametrize("form", [BIND_ZONE, NSD_ZONE])
def test_the_zones_that_a_change_of_their_list_is_about(daemon: FakeDaemon, form: str) -> None:
    def touched(other: str = "", header: str = "# Managed\n", **primaries: str) -> list[str]:
        zones = {"%s.test" % name: primary for name, primary in primaries.items()}
        files = (
            main_file(daemon, other),
            zones_file(daemon, header + "".join(form % zone for zone in zones.items())),
        )
        return deploy(daemon, *files, zones=list(zones), zone_list=daemon.zones, allow_mass_removal=True).touched_zones

    assert touched(a="p", b="p") == ["a.test", "b.test"], "the first time"
    assert touched(a="p", b="p") == []
    assert touched(a="p", b="p", c="p") == ["c.test"]
    assert touched(a="p", b="q", c="p") == ["b.test"]
    # One changes while others come and go.
    assert touched(a="q", c="p", d="p") == ["a.test", "d.test"]
    assert touched(a="q", c="p") == []
    assert touched(c="p", a="q") == [], "their order is nothing"
    assert touched(header="# More\n", c="p", a="q") == []
    # More than their list.
    assert touched("new", c="p", a="q") == ["c.test", "a.test"]
    assert touched("newer", c="p", a="q", e="p") == ["c.test", "a.test", "e.test"]
    Path(daemon.key).write_text("key two")
    assert touched("newer", c="p", a="q") == ["c.test", "a.test"]
    Path(daemon.key).write_text("key three")
    assert touched("newer", c="p", a="q", f="p") == ["c.test", "a.test", "f.test"]
    # The daemon may have read what somebody made of the list.
    Path(daemon.zones).write_text(form % ("c.test", "x") + form % ("a.test", "q"))
    assert touched("newer", c="p", a="q", f="p") == ["c.test", "a.test", "f.test"]


def test_without_a_list_of_zones_all_are_touched(daemon: FakeDaemon) -> None:
    deploy(daemon, zones=["a.test"])
    files = main_file(daemon), zones_file(daemon, "zones two")
    assert deploy(daemon, *files, zones=["a.test", "b.test"]).touched_zones == ["a.test", "b.test"]


# --- modes, owners, secrets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o666])
def test_a_mode_is_mended(daemon: FakeDaemon, mode: int) -> None:
    deploy(daemon)
    os.chmod(daemon.zones, mode)
    assert deploy(daemon).changed_files == [daemon.zones]
    assert stat.S_IMODE(os.stat(daemon.zones).st_mode) == 0o640
    assert not deploy(daemon).changed


@ROOT_ONLY
def test_an_owner_is_mended(daemon: FakeDaemon) -> None:
    deploy(daemon, user_id=0, group_id=4711)
    assert (os.stat(daemon.zones).st_uid, os.stat(daemon.zones).st_gid) == (0, 4711)
    os.chown(daemon.zones, 4712, 0)
    assert deploy(daemon, user_id=0, group_id=4711).changed_files == [daemon.zones]
    assert (os.stat(daemon.zones).st_uid, os.stat(daemon.zones).st_gid) == (0, 4711)
    assert not deploy(daemon, user_id=0, group_id=4711).changed
    assert not deploy(daemon).changed  # no wish, no change


@ROOT_ONLY
def test_an_adopted_file_keeps_its_owner(daemon: FakeDaemon) -> None:
    Path(daemon.main).write_text("foreign")
    os.chown(daemon.main, 4712, 4713)
    deploy(daemon, adopt=True)
    status = os.stat(daemon.main + ".before-dnsops")
    assert (status.st_uid, status.st_gid) == (4712, 4713)


def test_no_file_is_readable_by_others_for_an_instant(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(daemon.main).write_text("foreign")
    os.chmod(daemon.main, 0o600)
    Path(daemon.key).write_text("key one")
    (daemon.directory / (os.path.basename(daemon.main) + ".new")).write_text("left over")
    opened: list[str] = []
    real_open, real_os_open, real_write = builtins.open, os.open, os.fchmod

    def watched_os_open(path: Any, flags: int, mode: int = 0o777, **kwargs: Any) -> int:
        descriptor = real_os_open(path, flags, mode, **kwargs)
        if flags & os.O_CREAT:
            opened.append(os.path.basename(path))
            assert mode & 0o077 == 0
            assert os.fstat(descriptor).st_size == 0
        return descriptor

    def watched_open(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        assert "r" in mode or isinstance(file, int), "%s is made with the umask" % file
        return real_open(file, mode, *args, **kwargs)

    def watched_fchmod(descriptor: int, mode: int) -> None:
        assert os.fstat(descriptor).st_size == 0 or mode & 0o007 == 0
        real_write(descriptor, mode)

    mask = os.umask(0)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", watched_os_open)
            patch.setattr(os, "fchmod", watched_fchmod)
            patch.setattr(builtins, "open", watched_open)
            deploy(daemon, adopt=True)
            with pytest.raises(ConfigError):
                deploy(daemon, main_file(daemon, POISON), zones_file(daemon, "secret"))
    finally:
        os.umask(mask)
    assert {"main.conf", "zones.conf", "main.conf.before-dnsops", "main.conf.new", STATE + ".new"} <= set(opened)
    for path in daemon.directory.iterdir():
        assert path.name == "k.key" or stat.S_IMODE(path.stat().st_mode) & 0o007 == 0, path


def test_a_secret_is_never_in_a_diff_or_a_message(daemon: FakeDaemon) -> None:
    def secret_file(text: str) -> ConfigFile:
        return zones_file(daemon, text, secret=True)

    first = deploy(daemon, main_file(daemon), secret_file("c2VjcmV0 one"), with_diff=True)
    second = deploy(daemon, main_file(daemon), secret_file("c2VjcmV0 two"), with_diff=True)
    header = "%s (secret: content not shown)" % daemon.zones
    shown = {"before_header": header, "after_header": header, "before": "", "after": "changed\n"}
    assert second.diff == [shown] and shown in first.diff
    messages = [repr(first), repr(second)]
    for text in (BAD, POISON):
        with pytest.raises(ConfigError) as caught:
            deploy(daemon, main_file(daemon), secret_file("c2VjcmV0 " + text))
        messages.append(str(caught.value))
    assert not any("c2VjcmV0" in message for message in messages)


def test_the_diff(daemon: FakeDaemon) -> None:
    first = deploy(daemon, with_diff=True)
    assert first.diff[1] == {
        "before_header": daemon.zones + " (absent)",
        "after_header": daemon.zones,
        "before": "",
        "after": "zones one\n",
    }
    second = deploy(daemon, main_file(daemon), zones_file(daemon, "zones two\n"), with_diff=True)
    assert second.diff == [
        {
            "before_header": daemon.zones,
            "after_header": daemon.zones,
            "before": "zones one\n",
            "after": "zones two\n",
        }
    ]


# --- check mode ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["fresh", "no folder", "deployed", "interrupted"])
def test_check_mode_writes_nothing_and_tells_the_truth(daemon: FakeDaemon, tmp_path: Path, state: str) -> None:
    work = tmp_path / "work"
    work.mkdir()
    files = main_file(daemon, "new"), zones_file(daemon, "zones two\n")
    if state in ("deployed", "interrupted"):
        deploy(daemon, zones=["a.test", "b.test"])
    if state == "interrupted":
        for file in files:
            Path(file.path).write_text(file.content)
    if state == "no folder":
        daemon.directory.rmdir()
    before = snapshot(daemon.directory) if state != "no folder" else None
    loaded, zones, daemon.runs = daemon.loaded, ["b.test", "c.test"], []
    predicted = deploy(daemon, *files, check_mode=True, work_directory=str(work), zones=zones, with_diff=True)
    assert before == (snapshot(daemon.directory) if daemon.directory.exists() else None)
    assert list(work.iterdir()) == [] and daemon.loaded == loaded
    assert {command[0] for command in daemon.runs} <= {"true"}
    daemon.directory.mkdir(exist_ok=True)
    done = deploy(daemon, *files, zones=zones, with_diff=True)
    assert done == predicted
    assert done.changed and done.activation == "reconfigure"


def test_check_mode_finds_what_the_checker_refuses(daemon: FakeDaemon, tmp_path: Path) -> None:
    deploy(daemon)
    before = snapshot(daemon.directory)
    with pytest.raises(ConfigError, match="refused the new configuration"):
        deploy(daemon, main_file(daemon, BAD), zones_file(daemon), check_mode=True, work_directory=str(tmp_path))
    assert snapshot(daemon.directory) == before


def test_check_mode_without_the_checker_or_the_keys(daemon: FakeDaemon, tmp_path: Path) -> None:
    for settings in ({"checker": ["no-such-checker"]}, {}):
        result = deploy(daemon, check_mode=True, work_directory=str(tmp_path), **settings)
        assert result.changed_files == [daemon.main, daemon.zones]
    assert daemon.runs == [] and names(daemon) == set()
