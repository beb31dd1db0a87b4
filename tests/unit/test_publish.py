"""Publishing on a primary: a small simulated BIND, and the real named-checkconf as an oracle."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.action.zone_files import ActionModule
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import files, publish
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.client import Question, SerialSeen, Status
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.publish import (
    HeldBack,
    Outcome,
    Publisher,
    WantedZone,
    read_checker,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.serial import newer
from ansible_collections.dnsops.redundant_dns.plugins.modules.zone_files import read_bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from sites import GROUPS, HOSTS

OWN = ("192.0.2.1", 53)
SECONDARY = ("192.0.2.2", 53)
# The simulated checker and server take every text but those with these words in it.
BAD = "not-for-the-checker"
POISON = "not-for-the-server"
# The server dies when it loads this.
DEADLY = "deadly-for-the-server"

GROUP = 12345 if os.geteuid() == 0 else os.getgid()


def wanted(
    name: str = "example.com",
    content: str = "one",
    serial: int = 1,
    comment: str = "",
    ask: Sequence[Any] = (SECONDARY,),
    rule: str = publish.AUTHOR,
) -> WantedZone:
    """A zone; the comment is no part of its content."""
    return WantedZone(
        name=name,
        file_name=name.replace("/", "+"),
        file="zones/%s.zone" % name,
        before="; %s\n@ 60 SOA ns1.example.net. hostmaster.example.net. (" % comment,
        after=" 3600 600 1209600 300)\n@ 60 NS ns1.example.net.\n@ 60 NS ns2.example.net.\nx 60 TXT %s\n" % content,
        records=4,
        name_servers=2,
        serial=serial,
        digest=hashlib.sha256(content.encode()).hexdigest(),
        ask=ask,
        rule=rule,
    )


class FakeBind:
    """A primary with one secondary that follows it at once: loads files, answers for serials, checks files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.runs: list[list[str]] = []
        self.asked = 0
        self.running = True
        self.frozen = False
        self.silent: set[tuple[str, int]] = set()
        self.lost_answers = 0
        self.configured: set[str] = set()
        self.served: dict[str, tuple[int, str]] = {}
        # Zones that it has as a secondary, of another primary, with their serials.
        self.follows: dict[str, int] = {}
        self.secondary: dict[str, int | None] = {}
        self.history: list[tuple[str, int, str]] = []
        # Its clock, in seconds before ours, and when it loaded what.
        self.clock_ahead = 0.0
        self.loaded_at: dict[str, float] = {}

    # What publishing is given.

    def run(self, command: Sequence[str]) -> tuple[int, str, str]:
        self.runs.append(list(command))
        if command[0] == "reload":
            for zone in command[1:] or sorted(self.configured):
                self.load(zone)
            return 0, "", ""  # as rndc does, whatever came of it
        if command[0] == "restart":
            self.restart()
        if command[0] in ("restart", "forget-failures"):
            return 0, "", ""
        return self.check(Path(command[-1]))

    def ask(self, questions: Sequence[Question]) -> list[SerialSeen]:
        self.asked += 1
        return [self.answer(*question) for question in questions]

    def answer(self, zone: str, address: str, port: int) -> SerialSeen:
        status, serial = Status.REFUSED, None
        end = (address, port)
        if end in self.silent or (end == OWN and self.lost_answers > 0):
            self.lost_answers -= end not in self.silent
            status = Status.TIMEOUT
        elif end == OWN and not self.running:
            status = Status.UNREACHABLE
        elif end == OWN and zone in self.follows:
            status, serial = Status.ANSWER, self.follows[zone]
        elif end == OWN and zone in self.served:
            status, serial = Status.ANSWER, self.served[zone][0]
        elif end == OWN and zone in self.configured:
            status = Status.SERVFAIL
        elif end == SECONDARY and zone in self.secondary:
            serial = self.secondary[zone]
            status = Status.SERVFAIL if serial is None else Status.ANSWER
        return SerialSeen(zone, address, port, status, serial, "udp", "")

    def check(self, config: Path) -> tuple[int, str, str]:
        lines = []
        for zone, file in re.findall(r'zone "([^"]+)" \{ type primary; file "([^"]+)"; \};', config.read_text()):
            text = (config.parent / file).read_bytes().decode("utf-8")
            if BAD in text:
                lines.append("dns_rdata_fromtext: %s:3: near '%s': syntax error" % (file, BAD))
                lines.append("zone %s/IN: loading from master file %s failed: syntax error" % (zone, file))
                lines.append("zone %s/IN: not loaded due to errors." % zone)
            else:
                lines.append("zone %s/IN: loaded serial %d" % (zone, serial_of(text)))
        return int(any("not loaded" in line for line in lines)), "\n".join(lines), ""

    # The server.

    def load(self, zone: str) -> None:
        path = self.directory / (zone.replace("/", "+") + ".zone")
        if not self.running or self.frozen or zone not in self.configured or not path.exists():
            return
        if zone in self.follows:
            return  # a secondary asks its primary, whatever is in this directory
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        if DEADLY in text:
            self.stop()
        if POISON in text or DEADLY in text or path.stat().st_mtime <= self.loaded_at.get(zone, 0):
            return
        journal = Path(str(path) + publish.JOURNAL)
        if zone not in self.served and journal.exists() and journal.read_text() != str(serial_of(text)):
            return  # it starts, and the journal does not end at the serial of the file
        self.loaded_at[zone] = time.time() + self.clock_ahead
        serial = serial_of(text)
        if (serial, text) != ([(0, ""), *((each[1], each[2]) for each in self.history if each[0] == zone)])[-1]:
            self.history.append((zone, serial, text))
        self.served[zone] = (serial, text)
        self.secondary[zone] = serial
        journal.write_text(str(serial))

    def configure(self, *zones: str) -> None:
        """What the configuration brings after publishing: it names the zones that have a file."""
        self.configured |= set(zones)
        for zone in zones:
            self.follows.pop(zone, None)
            if zone not in self.served:
                self.load(zone)

    def restart(self) -> None:
        self.running = True
        self.served, self.loaded_at = {}, {}
        for zone in self.configured:
            self.load(zone)

    def stop(self) -> None:
        self.running = False
        self.served = {}

    def content(self, zone: str = "example.com") -> str:
        return re.search("TXT (.*)", self.served[zone][1]).group(1)

    def assert_history(self) -> None:
        """Serials only ever grow, and none stands for two contents."""
        last: dict[str, int] = {}
        for zone, serial, _text in self.history:
            assert zone not in last or newer(serial, last[zone]), self.history
            last[zone] = serial


def serial_of(text: str) -> int:
    return int(re.search(r"SOA [^(]*\((\d+)", text).group(1))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "zones"
    path.mkdir()
    return path


@pytest.fixture
def bind(directory: Path) -> FakeBind:
    return FakeBind(directory)


def publisher(bind: FakeBind, **settings_: Any) -> Publisher:
    values: dict[str, Any] = {
        "server": OWN,
        "checker": ["true", "-z"],  # a command that exists; the simulated one is run
        "reload_command": ["reload"],
        "revive": [["forget-failures"], ["restart"]],
        "largest_change": 30,
        "run": bind.run,
        "ask": bind.ask,
        "deadline": 0,
        **settings_,
    }
    return Publisher(str(bind.directory), **values)


def deploy(bind: FakeBind, *zones: WantedZone, **settings_: Any) -> Outcome:
    """Publish and configure, as a role does."""
    outcome = publisher(bind, **settings_).publish(zones, with_diff=True)
    bind.configure(*({zone.name for zone in zones} - set(outcome.unpublished)))
    return outcome


def file(directory: Path, name: str = "example.com") -> Path:
    return directory / (name + ".zone")


def snapshot(directory: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file with its times, mode and octets, and the folder's own time of change."""
    found = {
        str(path): (path.stat().st_mtime_ns, path.stat().st_mode, path.read_bytes()) for path in directory.iterdir()
    }
    found["."] = (directory.stat().st_mtime_ns, directory.stat().st_mode, b"")
    return found


def plan(zone: str, serial: int, previous: int | None, **counts: int) -> dict[str, Any]:
    """An entry of Outcome.published."""
    counts = {"added": 0, "changed": 0, "deleted": 0, **counts}
    return {"zone": zone, "serial": serial, "previous": previous, **counts}


def published(outcome: Outcome) -> dict[str, int]:
    return {entry["zone"]: entry["serial"] for entry in outcome.published}


# --- what is published -----------------------------------------------------------------------------------------------


def test_the_first_time(bind: FakeBind, directory: Path) -> None:
    outcome = deploy(bind, wanted(serial=7))
    assert outcome.published == [plan("example.com", 7, None, added=4)]
    assert outcome.changed and not outcome.held_back and not outcome.unpublished
    assert file(directory).read_text() == wanted().text(7)
    assert bind.served["example.com"][0] == 7
    # The zone is not configured yet, so nothing was reloaded.
    assert [command[0] for command in bind.runs] == ["true"]


def test_a_second_run_does_nothing(bind: FakeBind, directory: Path) -> None:
    zones = [wanted("z%d.test" % number) for number in range(20)]
    deploy(bind, *zones)
    before, runs, asked = snapshot(directory), len(bind.runs), bind.asked
    outcome = publisher(bind).publish(zones, with_diff=True)
    assert outcome == Outcome() and not outcome.changed
    assert (len(bind.runs), bind.asked) == (runs, asked)
    assert snapshot(directory) == before


def test_no_zones(bind: FakeBind, directory: Path) -> None:
    before = snapshot(directory)
    assert publisher(bind).publish([]) == Outcome()
    assert snapshot(directory) == before and not bind.runs and not bind.asked


def test_an_edit_of_a_comment_changes_nothing(bind: FakeBind, directory: Path) -> None:
    deploy(bind, wanted())
    before, runs = snapshot(directory), len(bind.runs)
    assert publisher(bind).publish([wanted(comment="who to call")]) == Outcome()
    assert snapshot(directory) == before and len(bind.runs) == runs


def test_an_edit_goes_live_under_the_next_serial(bind: FakeBind, directory: Path) -> None:
    deploy(bind, wanted(serial=7))
    outcome = deploy(bind, wanted(content="two", serial=7))
    assert outcome.published == [plan("example.com", 8, 7, changed=1)]
    assert bind.served["example.com"] == (8, wanted(content="two").text(8))
    assert file(directory).read_text() == wanted(content="two").text(8)
    assert bind.runs[-1] == ["reload", "example.com"]
    assert deploy(bind, wanted(content="two", serial=7)) == Outcome()


HIGH = 40


@pytest.mark.parametrize("where", ["file", "published", "served", "secondary"])
def test_the_next_serial_is_above_all_that_are_in_use(bind: FakeBind, directory: Path, where: str) -> None:
    deploy(bind, wanted(serial=5))
    hint = 5
    if where == "file":
        hint = HIGH
    elif where == "published":
        manifest = directory / publish.MANIFEST
        manifest.write_text(manifest.read_text().replace('"serial": 5', '"serial": %d' % HIGH))
    elif where == "served":
        bind.served["example.com"] = (HIGH, bind.served["example.com"][1])
    else:
        bind.secondary["example.com"] = HIGH
    serial = published(deploy(bind, wanted(content="two", serial=hint)))["example.com"]
    assert serial == (HIGH if where == "file" else HIGH + 1)


def test_a_primary_without_memory_asks_its_secondaries(bind: FakeBind) -> None:
    bind.secondary["example.com"] = 2026010199
    assert published(deploy(bind, wanted(serial=3))) == {"example.com": 2026010200}


def test_an_author_raises_the_serial_by_hand(bind: FakeBind) -> None:
    deploy(bind, wanted(serial=5))
    assert published(deploy(bind, wanted(serial=9))) == {"example.com": 9}
    assert bind.served["example.com"][0] == 9
    assert not deploy(bind, wanted(serial=9)).changed
    # Lowered again: the content is the same, so nothing is to do.
    assert not deploy(bind, wanted(serial=5)).changed


def test_edits_in_one_second(bind: FakeBind) -> None:
    today = int(time.strftime("%Y%m%d", time.gmtime())) * 100
    serials = []
    for number in range(101):
        outcome = deploy(bind, wanted(content="edit%d" % number, serial=today - 5000))
        serials += published(outcome).values()
    assert len(serials) == 101 and all(newer(after, before) for before, after in zip(serials, serials[1:]))
    assert bind.content() == "edit100"
    bind.assert_history()


def test_a_lost_manifest_costs_one_serial(bind: FakeBind, directory: Path) -> None:
    deploy(bind, wanted(serial=5))
    for damage in ("", "{", "[]", "{}"):
        (directory / publish.MANIFEST).write_text(damage)
        if not damage:
            (directory / publish.MANIFEST).unlink()
        before = bind.served["example.com"][0]
        assert published(deploy(bind, wanted(serial=5))) == {"example.com": before + 1}
        assert not deploy(bind, wanted(serial=5)).changed


@pytest.mark.parametrize("octets", [b"; empty\n", b"\xff\xfe not text\n", b""])
def test_a_file_that_was_edited_on_the_server_is_mended(bind: FakeBind, directory: Path, octets: bytes) -> None:
    deploy(bind, wanted(serial=5))
    file(directory).write_bytes(octets)
    outcome = deploy(bind, wanted(serial=5))
    assert published(outcome) == {"example.com": 6}
    assert file(directory).read_text() == wanted().text(6)
    assert bind.served["example.com"][0] == 6


def test_a_file_that_was_deleted_is_mended(bind: FakeBind, directory: Path) -> None:
    deploy(bind, wanted(serial=5))
    file(directory).unlink()
    assert published(deploy(bind, wanted(serial=5))) == {"example.com": 6}
    assert bind.served["example.com"][0] == 6


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("count", [1, 5])
def test_zones_move_to_a_host_that_has_them_as_a_secondary(
    bind: FakeBind, directory: Path, count: int, before: bool
) -> None:
    """Its server answers for them, but not with what is published, until it is configured anew."""
    names = ["z%d.test" % number for number in range(count)]
    zones = [wanted(name, serial=3) for name in names]
    if before:  # it was their primary once, until they moved away
        deploy(bind, *zones)
        for name in names:
            file(directory, name).unlink()
            del bind.served[name]
    bind.configured |= set(names)
    bind.follows = dict.fromkeys(names, HIGH)
    stays = wanted("stays.test")
    deploy(bind, stays)
    outcome = deploy(bind, *zones, wanted("stays.test", "two"))
    assert not outcome.held_back and not outcome.rolled_forward
    assert published(outcome) == {"stays.test": 2, **dict.fromkeys(names, HIGH + 1)}
    assert {bind.served[name] for name in names} == {(HIGH + 1, wanted().text(HIGH + 1))}
    assert deploy(bind, *zones, wanted("stays.test", "two")) == Outcome()
    bind.assert_history()


def test_octets_are_kept(bind: FakeBind, directory: Path) -> None:
    zone = wanted()._replace(before="; Gr\u00fc\u00dfe\r\n@ SOA (", after=' 3600)\r\nx TXT "\u00e9\u2028"\r\n\ty\u0085')
    deploy(bind, zone)
    assert file(directory).read_bytes() == (zone.before + "1" + zone.after).encode()
    assert not deploy(bind, zone).changed
    changed = zone._replace(after=zone.after + "; more\r\n", digest="other")
    assert published(deploy(bind, changed)) == {"example.com": 2}
    assert file(directory).read_bytes() == (changed.before + "2" + changed.after).encode()


def test_modes_and_group(bind: FakeBind, directory: Path) -> None:
    mask = os.umask(0)
    try:
        deploy(bind, wanted(), group_id=GROUP)
        deploy(bind, wanted(content=POISON), group_id=GROUP)
    finally:
        os.umask(mask)
    status = file(directory).stat()
    assert (status.st_mode & 0o7777, status.st_gid) == (0o640, GROUP)


def test_a_name_with_a_slash(bind: FakeBind, directory: Path) -> None:
    deploy(bind, wanted("0/25.2.0.192.in-addr.arpa"))
    assert file(directory, "0+25.2.0.192.in-addr.arpa").exists()
    assert deploy(bind, wanted("0/25.2.0.192.in-addr.arpa", "two")).changed
    assert bind.runs[-1] == ["reload", "0/25.2.0.192.in-addr.arpa"]


def test_the_diff(bind: FakeBind, directory: Path) -> None:
    path = str(file(directory))
    first = deploy(bind, wanted(serial=5))
    assert first.diff == [
        {
            "before_header": path + " (absent)",
            "after_header": path + " (4 records added, 0 changed, 0 deleted)",
            "before": "",
            "after": wanted().text(5),
        }
    ]
    second = deploy(bind, wanted(content="two", serial=5), wanted("bad.test", BAD))
    assert second.diff == [
        {
            "before_header": path,
            "after_header": path + " (0 records added, 1 changed, 0 deleted)",
            "before": wanted().text(5),
            "after": wanted(content="two").text(6),
        }
    ]
    assert publisher(bind).publish([wanted(content="three")]).diff == []


def test_secondaries_that_do_not_answer_are_told_and_hold_up_nothing(bind: FakeBind) -> None:
    bind.silent = {SECONDARY, ("192.0.2.9", 5353)}
    outcome = deploy(bind, wanted(ask=[SECONDARY, ("192.0.2.9", 5353), ("192.0.2.8", 53)]))
    assert outcome.not_asked == ["192.0.2.2 port 53", "192.0.2.9 port 5353"]
    assert published(outcome) == {"example.com": 1}


# --- whose serial ----------------------------------------------------------------------------------------------------


def keep(content: str = "one", serial: int = 5, name: str = "example.com") -> WantedZone:
    return wanted(name, content, serial, rule=publish.KEEP)


def test_a_zone_without_an_author_of_its_serial_has_todays_date(bind: FakeBind) -> None:
    today = int(time.strftime("%Y%m%d", time.gmtime())) * 100
    for number, content in enumerate(["one", "two", "three"]):
        zone = wanted(content=content, rule=publish.DATE)
        assert published(deploy(bind, zone)) == {"example.com": today + number}
        assert not deploy(bind, zone).changed
    bind.secondary["example.com"] = today + 50
    assert published(deploy(bind, wanted(content="four", rule=publish.DATE))) == {"example.com": today + 51}
    bind.assert_history()


def test_a_zone_without_an_author_of_its_serial_is_not_published_for_a_serials_sake(bind: FakeBind) -> None:
    """Such as serial 1 where the published one is beyond the wrap, and so older."""
    deploy(bind, wanted(serial=2**32 - 5))
    assert newer(1, bind.served["example.com"][0])
    assert not deploy(bind, wanted(serial=1, rule=publish.DATE)).changed
    assert deploy(bind, wanted(serial=1)).changed


def test_a_kept_serial_is_published_as_it_is(bind: FakeBind) -> None:
    for content, serial in (("one", 5), ("two", 6), ("three", 2026010100), ("three", 2026010107)):
        assert published(deploy(bind, keep(content, serial))) == {"example.com": serial}
        assert bind.served["example.com"] == (serial, wanted(content=content).text(serial))
        assert not deploy(bind, keep(content, serial)).changed
    # As with other zones, the same content under a lower serial is nothing to do.
    assert deploy(bind, keep("three", 5)) == Outcome()


@pytest.mark.parametrize("serial", [5, 3])
def test_a_kept_serial_that_did_not_follow_the_content_holds_back_its_zone_alone(
    bind: FakeBind, directory: Path, tmp_path: Path, serial: int
) -> None:
    deploy(bind, keep(), wanted("b.test"))
    before = file(directory).stat().st_mtime_ns
    zones = [keep("two", serial), wanted("b.test", "two")]
    work = tmp_path / "work"
    work.mkdir()
    predicted = publisher(bind, check_mode=True, work_directory=str(work)).publish(zones, with_diff=True)
    outcome = deploy(bind, *zones)
    assert outcome == predicted
    reason = {
        5: "the content has changed and its serial 5 has not",
        3: "its serial 3 is not newer than one that was seen",
    }[serial] + (
        ": `serial: keep` leaves the serial to you; raise it above 5"
        " (seen: 192.0.2.1 port 53, 192.0.2.2 port 53, the published file)"
    )
    assert outcome.held_back == [HeldBack("example.com", "zones/example.com.zone", None, reason)]
    assert published(outcome) == {"b.test": 2} and not outcome.unpublished
    assert bind.served["example.com"][0] == 5 and bind.content() == "one"
    assert file(directory).stat().st_mtime_ns == before
    assert not deploy(bind, *zones).changed, "it stays held back"
    assert published(deploy(bind, keep("two", 6), zones[1])) == {"example.com": 6}
    bind.assert_history()


def test_a_kept_serial_below_that_of_a_secondary_is_held_back(bind: FakeBind) -> None:
    bind.secondary["example.com"] = 9
    outcome = deploy(bind, keep())
    (problem,) = outcome.held_back
    assert problem.reason.endswith(
        "`serial: keep` leaves the serial to you; raise it above 9 (seen: 192.0.2.2 port 53)"
    )
    assert outcome.unpublished == ["example.com"] and not outcome.changed
    assert deploy(bind, keep(serial=9)).held_back, "the same serial may stand for other content there"
    assert published(deploy(bind, keep(serial=10))) == {"example.com": 10}


def test_kept_serials_too_far_apart_are_told(bind: FakeBind) -> None:
    deploy(bind, keep())
    bind.secondary["example.com"] = 5 + 2**31
    (problem,) = deploy(bind, keep("two", 6)).held_back
    assert "raise it above 2147483653 (seen: 192.0.2.2 port 53)" in problem.reason


@pytest.mark.parametrize("what", ["manifest", "file", "content of the file"])
def test_what_was_damaged_is_mended_under_the_kept_serial(bind: FakeBind, directory: Path, what: str) -> None:
    deploy(bind, keep())
    if what == "manifest":
        (directory / publish.MANIFEST).unlink()
    elif what == "file":
        file(directory).unlink()
    else:
        file(directory).write_text("rubbish")
    assert published(deploy(bind, keep())) == {"example.com": 5}
    assert file(directory).read_text() == wanted().text(5)
    assert not deploy(bind, keep()).changed
    bind.assert_history()


def test_an_interrupted_run_keeps_the_serial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for last in range(100):
        directory = tmp_path / str(last)
        directory.mkdir()
        bind = FakeBind(directory)
        deploy(bind, keep())
        stopped = interrupted(bind, monkeypatch, last, [keep("two", 6)])
        deploy(bind, keep("two", 6))
        assert bind.served["example.com"] == (6, wanted(content="two").text(6))
        assert not deploy(bind, keep("two", 6)).changed
        bind.assert_history()
        if not stopped:
            break
    assert 3 < last < 50


def test_a_kept_serial_is_given_up_to_roll_forward(bind: FakeBind) -> None:
    deploy(bind, keep())
    outcome = deploy(bind, keep(POISON, 6))
    (problem,) = outcome.held_back
    assert problem.reason == (
        "the server did not answer with serial 6 within 0 s of the reload; its log says why. The old content is back, "
        "under serial 7, in spite of `serial: keep`; raise yours above it"
    )
    assert outcome.rolled_forward == ["example.com"]
    assert bind.served["example.com"] == (7, wanted().text(7))
    (again,) = deploy(bind, keep(POISON, 6)).held_back
    assert "raise it above 7" in again.reason and bind.served["example.com"][0] == 7
    # The author takes it back, then mends it.
    assert not deploy(bind, keep()).changed
    assert published(deploy(bind, keep("two", 8))) == {"example.com": 8}
    bind.assert_history()


# --- what goes to the host -------------------------------------------------------------------------------------------


def digest_of(zone: WantedZone) -> WantedZone:
    """What is known of a zone before its text is sent."""
    return WantedZone(zone.name, zone.file_name, zone.serial, zone.digest, zone.rule)


def test_digests_tell_which_texts_are_needed(bind: FakeBind, directory: Path) -> None:
    zones = [wanted("z%d.test" % number) for number in range(8)]

    def needed(*changed: WantedZone) -> list[str]:
        now = {zone.name: digest_of(zone) for zone in [*zones, *changed]}
        return publisher(bind).stale(list(now.values()))

    names = [zone.name for zone in zones]
    assert needed() == names
    deploy(bind, *zones)
    before = snapshot(directory)
    assert needed() == []
    assert needed(wanted("z1.test", "two"), wanted("z2.test", serial=9), wanted("new.test")) == [
        "z1.test",
        "z2.test",
        "new.test",
    ]
    assert needed(wanted("z1.test", comment="more")) == []
    assert snapshot(directory) == before
    file(directory, "z3.test").write_text("edited here")
    file(directory, "z4.test").unlink()
    assert needed() == ["z3.test", "z4.test"]
    (directory / publish.MANIFEST).unlink()
    assert needed() == names


class Host:
    """Stands in for the module on the host: reads what the action sends, and publishes it."""

    def __init__(self, bind: FakeBind, site: Path) -> None:
        self.bind = bind
        self.site = site
        self.sent: list[list[dict[str, Any]]] = []

    def send(self, data: Any, option: str, module: str, args: dict[str, Any], _task_vars: Any) -> dict[str, Any]:
        assert (option, module, args) == ("bundle", "dnsops.redundant_dns.zone_files", {"group": "bind"})
        self.sent.append(data)
        bundle = self.site / "bundle.json"
        bundle.write_text(json.dumps(data))
        digests, zones = read_bundle(str(bundle))
        outcome = publisher(self.bind).publish(zones)
        self.bind.configure(*(zone.name for zone in zones))
        needed = publisher(self.bind).stale(digests)
        # The first call made the directory.
        return {"changed": outcome.changed or len(self.sent) == 1, "needed": needed, "published": outcome.published}

    def run(self) -> dict[str, Any]:
        variables = {
            "dns_zone_directory": "zones",
            "inventory_dir": str(self.site),
            "tsig_master_secret": "KJPmUC9EaGBnrqhHeiSuWcU6eBrk/sOBomFPi++Tmrs=",
        }
        action = ActionModule.__new__(ActionModule)
        action._task = SimpleNamespace(args={"group": "bind"})
        action.send = self.send
        hostvars = {host: {**HOSTS[host], **variables} for host in HOSTS}
        return action.act({"inventory_hostname": "a.test", "hostvars": hostvars, "groups": GROUPS})


def test_only_the_texts_that_are_needed_go_over(bind: FakeBind, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "zones").mkdir(parents=True)
    text = "@ 3600 IN SOA a.test. x. (5 3600 600 1209600 3600)\n@ 3600 IN NS a.test.\n@ 3600 IN NS b.test.\n"
    text += "w 5 A 192.0.2.2\n"
    bind.load = lambda zone: None  # what it would load is tested above
    host = Host(bind, site)
    bind.running = False

    broken = site / "zones" / "broken.test.zone"
    broken.write_text(text + "x 300 TXT %s\n" % BAD)
    held_back = host.run()
    assert held_back["changed"] and not held_back["published"], "the first call made the directory"
    broken.unlink()

    for name in ("one.test", "two.test"):
        (site / "zones" / (name + ".zone")).write_text(text)
    host.sent = []
    first = host.run()
    assert "needed" not in first and first["changed"]
    assert published_by(first) == {"one.test": 5, "two.test": 5}
    assert len(host.sent) == 2
    digests, whole = host.sent
    keys = {"name", "file_name", "serial", "digest", "rule", "raise_serial", "ask"}
    assert [set(zone) for zone in digests] == [keys] * 2 and not any(zone["ask"] for zone in digests)
    assert [zone["before"] + "5" + zone["after"] for zone in whole] == [text] * 2
    assert {tuple(end) for zone in whole for end in zone["ask"]} == {("192.0.2.2", 53), ("192.0.2.3", 53)}
    assert whole[0]["file"] == str(site / "zones" / "one.test.zone")

    host.sent = [[]]
    steady = host.run()
    assert steady == {"changed": False, "published": []}
    assert host.sent[1:] == [digests]

    (site / "zones" / "two.test.zone").write_text(text + "www 300 A 192.0.2.1\n")
    host.sent = [[]]
    assert published_by(host.run()) == {"two.test": 6}
    assert [[zone["name"] for zone in bundle] for bundle in host.sent[1:]] == [["one.test", "two.test"], ["two.test"]]


def published_by(result: dict[str, Any]) -> dict[str, int]:
    return {entry["zone"]: entry["serial"] for entry in result["published"]}


# --- processes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count, reloads", [(1, 1), (3, 3), (4, 1), (200, 1)])
def test_the_number_of_processes_is_bounded(bind: FakeBind, count: int, reloads: int) -> None:
    names = ["z%d.test" % number for number in range(count)]
    deploy(bind, *(wanted(name) for name in names))
    bind.runs, bind.asked = [], 0
    deploy(bind, *(wanted(name, "two") for name in names))
    assert [command[0] for command in bind.runs] == ["true"] + ["reload"] * reloads
    assert {zone for command in bind.runs[1:] for zone in command[1:]} == (set(names) if count < 4 else set())
    assert bind.asked == 2  # serials in use before, the result after
    assert {bind.content(name) for name in names} == {"two"}


def test_only_what_changed_is_staged_and_reloaded(bind: FakeBind) -> None:
    names = ["z%d.test" % number for number in range(10)]
    deploy(bind, *(wanted(name) for name in names))
    bind.runs = []
    deploy(bind, *(wanted(name, "two" if name == "z4.test" else "one") for name in names))
    assert bind.runs[1:] == [["reload", "z4.test"]]
    assert {name for name in names if bind.served[name][0] == 2} == {"z4.test"}


def test_the_server_is_waited_for(bind: FakeBind) -> None:
    deploy(bind, wanted())
    # The first answer is that before the publishing, then two get lost.
    answers = iter([0, 2])

    def ask(questions: Sequence[Question]) -> list[SerialSeen]:
        bind.lost_answers = next(answers, bind.lost_answers)
        return bind.ask(questions)

    outcome = deploy(bind, wanted(content="two"), ask=ask, deadline=10)
    assert published(outcome) == {"example.com": 2} and not outcome.held_back
    assert bind.asked == 1 + 1 + 3


# --- zones held back -------------------------------------------------------------------------------------------------


def test_a_bad_zone_is_held_back_while_others_go_live(bind: FakeBind, directory: Path) -> None:
    deploy(bind, wanted("a.test"), wanted("b.test"), wanted("c.test"))
    before = file(directory, "b.test").stat().st_mtime_ns
    outcome = deploy(bind, wanted("a.test", "two"), wanted("b.test", BAD), wanted("c.test", "two"))
    assert outcome.held_back == [
        HeldBack("b.test", "zones/b.test.zone", 3, "near '%s': syntax error" % BAD),
    ]
    assert published(outcome) == {"a.test": 2, "c.test": 2}
    assert outcome.changed and not outcome.unpublished
    assert file(directory, "b.test").stat().st_mtime_ns == before
    assert bind.content("b.test") == "one" and bind.content("a.test") == bind.content("c.test") == "two"
    # It stays held back in every run, and does no more than that.
    again = deploy(bind, wanted("a.test", "two"), wanted("b.test", BAD), wanted("c.test", "two"))
    assert [problem.zone for problem in again.held_back] == ["b.test"] and not again.changed


def test_a_new_zone_that_is_held_back_has_no_file(bind: FakeBind, directory: Path) -> None:
    outcome = deploy(bind, wanted("a.test"), wanted("b.test", BAD))
    assert outcome.unpublished == ["b.test"]
    assert not file(directory, "b.test").exists()
    assert "b.test" not in bind.configured
    assert deploy(bind, wanted("a.test"), wanted("b.test", BAD)).unpublished == ["b.test"]
    mended = deploy(bind, wanted("a.test"), wanted("b.test"))
    assert published(mended) == {"b.test": 1} and not mended.unpublished


def test_a_checker_that_says_nothing_holds_back_everything(bind: FakeBind, directory: Path) -> None:
    before = snapshot(directory)
    outcome = publisher(bind, run=lambda command: (139, "", "Segmentation fault")).publish([wanted()])
    assert [problem.reason for problem in outcome.held_back] == ["the checker did not load it"]
    assert snapshot(directory).keys() == before.keys()


def test_serials_that_no_serial_is_above_hold_back_their_zone_alone(bind: FakeBind) -> None:
    deploy(bind, wanted("a.test", serial=1), wanted("b.test", serial=1))
    bind.secondary["a.test"] = 1 + 2**31
    outcome = deploy(bind, wanted("a.test", "two"), wanted("b.test", "two"), wanted("c.test"))
    (problem,) = outcome.held_back
    assert (problem.zone, problem.file, problem.line) == ("a.test", "zones/a.test.zone", None)
    assert "serials 1 and 2147483649 are both in use" in problem.reason
    assert published(outcome) == {"b.test": 2, "c.test": 1}
    bind.secondary["d.test"], bind.served["d.test"] = 1, (1 + 2**31, "")
    assert deploy(bind, wanted("d.test")).unpublished == ["d.test"]


# --- content that the server does not take ---------------------------------------------------------------------------


def test_content_that_the_server_does_not_take_is_rolled_forward(bind: FakeBind, directory: Path) -> None:
    deploy(bind, wanted("a.test", "one", 5), wanted("b.test"))
    outcome = deploy(bind, wanted("a.test", POISON, 5), wanted("b.test", "two"))
    (problem,) = outcome.held_back
    assert (problem.zone, problem.line) == ("a.test", None)
    assert problem.reason == (
        "the server did not answer with serial 6 within 0 s of the reload; its log says why. The old content is back, "
        "under serial 7"
    )
    assert published(outcome) == {"b.test": 2}
    assert outcome.rolled_forward == ["a.test"] and outcome.changed
    # The old content, under a serial above that of the content that was never served.
    assert file(directory, "a.test").read_text() == wanted("a.test").text(7)
    assert bind.served["a.test"] == (7, wanted("a.test").text(7))
    assert bind.secondary["a.test"] == 7
    # It is tried again, and reported again, until it is mended.
    again = deploy(bind, wanted("a.test", POISON, 5), wanted("b.test", "two"))
    assert [problem.zone for problem in again.held_back] == ["a.test"]
    assert (bind.content("a.test"), bind.served["a.test"][0]) == ("one", 9)
    mended = deploy(bind, wanted("a.test", "two", 5), wanted("b.test", "two"))
    assert published(mended) == {"a.test": 10} and bind.content("a.test") == "two"
    bind.assert_history()


def test_a_clock_that_was_set_back(bind: FakeBind, directory: Path) -> None:
    """named compares the file's time with the moment when it loaded the zone."""
    bind.clock_ahead = 7200
    deploy(bind, wanted(), wanted("b.test"))
    bind.load("example.com")
    bind.clock_ahead = 0
    assert published(deploy(bind, wanted(content="two"), wanted("b.test", POISON))) == {"example.com": 2}
    assert bind.content() == "two" and bind.served["b.test"] == (3, wanted().text(3)), "rolled forward too"
    # Afterwards the files have times that people believe.
    assert all(path.stat().st_mtime <= time.time() for path in directory.iterdir())
    assert time.time() - file(directory).stat().st_mtime < 60


def test_a_server_that_dies_of_new_content_runs_again_with_the_old(bind: FakeBind) -> None:
    deploy(bind, wanted(), wanted("b.test"))
    bind.runs = []
    outcome = deploy(bind, wanted(content=DEADLY), wanted("b.test"))
    assert [command[0] for command in bind.runs] == ["true", "reload", "forget-failures", "restart"]
    assert bind.running and bind.served["example.com"] == (3, wanted().text(3)) and bind.content("b.test") == "one"
    (problem,) = outcome.held_back
    assert problem.reason == (
        "the server did not answer with serial 2 within 0 s of the reload; its log says why. It did not answer at all, "
        "and was restarted. The old content is back, under serial 3"
    )
    assert outcome.rolled_forward == ["example.com"]
    assert published(deploy(bind, wanted(content="two"), wanted("b.test"))) == {"example.com": 4}
    bind.assert_history()


def test_a_server_that_is_merely_behind_is_not_restarted(bind: FakeBind) -> None:
    deploy(bind, wanted())
    bind.frozen, bind.runs = True, []
    deploy(bind, wanted(content="two"))
    assert [command[0] for command in bind.runs] == ["true", "reload", "reload"]


# --- content that takes much away ------------------------------------------------------------------------------------


def with_records(count: int, serial: int = 1, name_servers: int = 2, ttl: int = 60, **more: Any) -> WantedZone:
    """A zone of so many records beside SOA and NS."""
    text = "".join("@ 60 NS ns%d.example.net.\n" % number for number in range(name_servers))
    text += "".join("h%d %d A 192.0.2.%d\n" % (number, ttl, number) for number in range(count))
    zone = wanted(serial=serial)
    return zone._replace(
        after=" 3600 600 1209600 300)\n" + text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        records=1 + name_servers + count,
        name_servers=name_servers,
        **more,
    )


MEANT = ". If that is meant, run once with -e dns_allow_changes=example.com"
NOTHING_IN_IT = "there is nothing in it but SOA and NS records"
ONE_LEFT = "it leaves 1 name server at the apex, and a zone needs two (RFC 1034 section 4.1)"


@pytest.mark.parametrize(
    "before, after, reason",
    [
        (18, 12, None),  # 6 of 20
        (18, 11, "it changes or deletes 7 of 20 records, and only 30 % may change at once"),
        (18, 40, None),
        (7, 1, None),  # 9 records: a small zone
        (8, 5, None),  # 3 of 10
        (8, 4, "it changes or deletes 4 of 10 records, and only 30 % may change at once"),
        (7, 0, NOTHING_IN_IT),
        (0, 0, None),
        (None, 0, NOTHING_IN_IT),
        (None, 1, None),
        (18, 0, NOTHING_IN_IT + "; it changes or deletes 18 of 20 records, and only 30 % may change at once"),
    ],
)
def test_content_that_takes_much_away_is_held_back_until_it_is_meant(
    bind: FakeBind, before: int | None, after: int, reason: str | None
) -> None:
    if before is not None:
        deploy(bind, with_records(before, allowed=True))
    runs = len(bind.runs)
    outcome = deploy(bind, with_records(after, serial=2))
    if reason is None:
        assert published(outcome) == {"example.com": 2}
        return
    assert outcome.held_back == [HeldBack("example.com", "zones/example.com.zone", None, reason + MEANT)]
    assert [each["serial"] for each in outcome.refused] == [None] and not outcome.published
    assert outcome.unpublished == ([] if before is not None else ["example.com"])
    assert len(bind.runs) == runs and (
        before is None or bind.served["example.com"] == (1, with_records(before).text(1))
    )
    # Check mode says the same; other zones go on; who means it is let through, once.
    assert publisher(bind, check_mode=True).publish([with_records(after)]).held_back == outcome.held_back
    assert published(deploy(bind, with_records(after), wanted("b.test"))) == {"b.test": 1}
    assert published(deploy(bind, with_records(after, serial=2, allowed=True))) == {"example.com": 2}
    assert not deploy(bind, with_records(after, serial=2)).changed


@pytest.mark.parametrize(
    "before, after, reason",
    [(2, 1, ONE_LEFT), (3, 1, ONE_LEFT), (None, 1, None), (1, 1, None), (1, 2, None), (3, 2, None)],
)
def test_a_zone_keeps_two_name_servers(bind: FakeBind, before: int | None, after: int, reason: str | None) -> None:
    if before is not None:
        deploy(bind, with_records(3, name_servers=before, allowed=True))
    outcome = deploy(bind, with_records(4, name_servers=after))
    assert [problem.reason for problem in outcome.held_back] == ([reason + MEANT] if reason else [])


def test_another_ttl_is_a_change_too(bind: FakeBind) -> None:
    deploy(bind, with_records(20))
    (problem,) = deploy(bind, with_records(20, ttl=300)).held_back
    assert "changes or deletes 20 of 22 records" in problem.reason
    outcome = deploy(bind, with_records(20, ttl=300, serial=9, allowed=True))
    assert outcome.published == [plan("example.com", 9, 1, changed=20)]


def test_the_share_can_be_set(bind: FakeBind) -> None:
    deploy(bind, with_records(18))
    assert deploy(bind, with_records(8), largest_change=49).held_back
    assert deploy(bind, with_records(8), largest_change=50).published


# --- a secondary that is ahead ---------------------------------------------------------------------------------------


def test_a_serial_is_raised_above_that_of_a_secondary_that_is_ahead(bind: FakeBind) -> None:
    zones = [wanted(), wanted("b.test")]
    deploy(bind, *zones)
    bind.secondary["example.com"] = 2026010100
    raised = [zone._replace(raise_serial=True) for zone in zones]
    assert publisher(bind).stale(zones) == [], "unless it is asked for, nobody looks"
    assert publisher(bind).stale(raised) == ["example.com"]
    assert deploy(bind, raised[0]).published == [plan("example.com", 2026010101, 1)]
    assert bind.served["example.com"] == (2026010101, wanted().text(2026010101))
    # It may stay in the command: then there is nothing to do.
    assert publisher(bind).stale(raised) == []


def test_a_kept_serial_is_not_raised_but_told(bind: FakeBind) -> None:
    deploy(bind, keep())
    bind.secondary["example.com"] = 9
    zone = keep()._replace(raise_serial=True)
    assert publisher(bind).stale([zone]) == ["example.com"]
    (problem,) = deploy(bind, zone).held_back
    assert "raise it above 9" in problem.reason


def test_an_author_who_takes_it_back_has_nothing_to_wait_for(bind: FakeBind) -> None:
    deploy(bind, wanted())
    deploy(bind, wanted(content=POISON))
    assert not deploy(bind, wanted()).changed
    assert bind.content() == "one"


def test_the_whole_server_hangs(bind: FakeBind) -> None:
    zones = ["z%d.test" % number for number in range(30)]
    deploy(bind, *map(wanted, zones))
    bind.frozen, bind.runs = True, []
    outcome = deploy(bind, *(wanted(zone, "two") for zone in zones))
    assert len(outcome.held_back) == 30 and not outcome.published
    assert [command[0] for command in bind.runs] == ["true", "reload", "reload"]
    # What is on disk was never confirmed; the next run does not take it for done.
    bind.frozen = False
    assert set(published(deploy(bind, *map(wanted, zones)))) == set(zones)
    assert {bind.content(zone) for zone in zones} == {"one"}
    bind.assert_history()


def test_without_a_proven_old_content_the_zone_stays_red(bind: FakeBind, directory: Path) -> None:
    deploy(bind, wanted())
    (directory / publish.MANIFEST).unlink()
    for _each in range(2):
        outcome = deploy(bind, wanted(content=POISON))
        assert [problem.zone for problem in outcome.held_back] == ["example.com"]
        assert not outcome.published and not outcome.rolled_forward
    assert published(deploy(bind, wanted(content="two")))
    assert bind.content() == "two"
    bind.assert_history()


def test_a_lost_answer_does_not_cost_the_reload(bind: FakeBind) -> None:
    deploy(bind, wanted())
    bind.lost_answers = 1
    assert published(deploy(bind, wanted(content="two"))) == {"example.com": 2}
    assert bind.content() == "two"


def test_a_server_that_could_not_load_the_zone_is_made_to(bind: FakeBind, directory: Path) -> None:
    deploy(bind, wanted())
    file(directory).write_text("rubbish " + POISON)
    bind.restart()
    assert "example.com" not in bind.served
    assert published(deploy(bind, wanted())) == {"example.com": 2}
    assert bind.content() == "one"


def test_a_server_that_does_not_run_loads_the_files_when_it_starts(bind: FakeBind) -> None:
    deploy(bind, wanted())
    bind.stop()
    outcome = deploy(bind, wanted(content="two"))
    assert published(outcome) == {"example.com": 2} and not outcome.held_back
    bind.restart()
    assert bind.content() == "two"
    assert not deploy(bind, wanted(content="two")).changed


# --- check mode ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["fresh", "no folder", "published"])
def test_check_mode_writes_nothing_and_tells_the_truth(
    bind: FakeBind, directory: Path, tmp_path: Path, state: str
) -> None:
    if state == "published":
        deploy(bind, wanted("a.test"), wanted("b.test"))
    if state == "no folder":
        directory.rmdir()
    work = tmp_path / "work"
    work.mkdir()
    zones = [wanted("a.test", "two"), wanted("b.test", BAD), wanted("c.test")]
    before = snapshot(directory) if directory.exists() else None
    served = dict(bind.served)
    predicted = publisher(bind, check_mode=True, work_directory=str(work)).publish(zones, with_diff=True)
    assert before == (snapshot(directory) if directory.exists() else None)
    assert list(work.iterdir()) == [] and bind.served == served
    assert "reload" not in [command[0] for command in bind.runs[-1:]]
    directory.mkdir(exist_ok=True)
    done = deploy(bind, *zones)
    assert done == predicted
    assert [problem.zone for problem in done.held_back] == ["b.test"]
    assert done.published[0]["zone"] == "a.test"


def test_check_mode_on_a_host_without_the_checker(bind: FakeBind, directory: Path, tmp_path: Path) -> None:
    outcome = publisher(bind, check_mode=True, work_directory=str(tmp_path), checker=["no-such-checker", "-z"]).publish(
        [wanted()]
    )
    assert published(outcome) == {"example.com": 1}
    assert not bind.runs and not list(directory.iterdir())


# --- interrupted runs ------------------------------------------------------------------------------------------------


class Interrupted(BaseException):
    """Nothing catches it, as a lost connection or the end of the process."""


class Steps:
    """Counts what a run does to the outside, and ends it before one of these steps."""

    def __init__(self, last: int) -> None:
        self.left = last

    def step(self) -> None:
        if self.left == 0:
            raise Interrupted
        self.left -= 1

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*args: Any, **kwargs: Any) -> Any:
            self.step()
            return function(*args, **kwargs)

        return stepping


def interrupted(bind: FakeBind, monkeypatch: pytest.MonkeyPatch, last: int, zones: Iterable[WantedZone]) -> bool:
    """Whether the run came to its end before the step it was to be interrupted at."""
    steps = Steps(last)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", steps.before(os.replace))
        try:
            publisher(bind, run=steps.before(bind.run), ask=steps.before(bind.ask)).publish(list(zones))
        except Interrupted:
            return True
    return False


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("edits", [False, True])
def test_an_interrupted_run_is_healed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restarts: bool, edits: bool
) -> None:
    names = ["a.test", "b.test", "bad.test", "new.test"]
    for last in range(100):
        directory = tmp_path / str(last)
        directory.mkdir()
        bind = FakeBind(directory)
        deploy(bind, *map(wanted, names[:3]))
        contents = {"a.test": "two", "b.test": "two", "bad.test": POISON, "new.test": "two"}
        stopped = interrupted(bind, monkeypatch, last, [wanted(zone, text) for zone, text in contents.items()])
        assert not [path for path in directory.iterdir() if path.name.startswith(files.STAGING)]
        serials = {path.name[:-5]: serial_of(path.read_text()) for path in directory.glob("*.zone")}
        if restarts:
            bind.restart()
        if edits:
            contents.update({"a.test": "three", "new.test": "three"})
        contents["bad.test"] = "mended"
        outcome = deploy(bind, *(wanted(zone, text) for zone, text in contents.items()))
        assert not outcome.held_back
        # Whatever is published now is above what was on disk.
        assert all(newer(serial, serials[zone]) for zone, serial in published(outcome).items() if zone in serials)
        assert {zone: bind.content(zone) for zone in contents} == contents, last
        assert not deploy(bind, *(wanted(zone, text) for zone, text in contents.items())).changed
        bind.assert_history()
        if not stopped:
            break
    assert 10 < last < 50


def test_a_disk_that_is_full_leaves_everything_as_it_was(
    bind: FakeBind, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(bind, wanted())
    before = snapshot(directory)

    def full(*_args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(publish, "write_file", full)
        with pytest.raises(OSError, match="No space"):
            publisher(bind).publish([wanted(content="two")])
    after = snapshot(directory)
    assert {name: value for name, value in after.items() if name != "."} == {
        name: value for name, value in before.items() if name != "."
    }


ACTIONS = ["edit", "poison", "bad", "comment", "raise", "stop", "restart", "freeze", "lose manifest", "damage file"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(ACTIONS), max_size=12))
def test_whatever_happens_serials_only_grow_and_the_last_content_is_served(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str]
) -> None:
    directory = tmp_path_factory.mktemp("zones")
    bind = FakeBind(directory)
    content, comment, serial = "one", "", 1
    deploy(bind, wanted())
    for number, action in enumerate(actions):
        if action in ("edit", "poison", "bad"):
            content = {"edit": "edit%d", "poison": POISON + "%d", "bad": BAD + "%d"}[action] % number
        elif action == "comment":
            comment = "c%d" % number
        elif action == "raise":
            serial += 10
        elif action == "stop":
            bind.stop()
        elif action == "restart":
            bind.restart()
        elif action == "freeze":
            bind.frozen = not bind.frozen
        elif action == "lose manifest":
            (directory / publish.MANIFEST).unlink(missing_ok=True)
        else:
            file(directory).write_text("rubbish " + POISON)
        deploy(bind, wanted(content=content, comment=comment, serial=serial))
    bind.frozen = False
    bind.restart()
    deploy(bind, wanted(content="last", serial=serial))
    assert bind.content() == "last"
    assert not deploy(bind, wanted(content="last", serial=serial)).changed
    bind.assert_history()
    shutil.rmtree(directory)


# --- the checker -----------------------------------------------------------------------------------------------------

SOA = "$TTL 3600\n@ IN SOA ns1 hostmaster 5 3600 600 1209600 3600\n"
GOOD = SOA + "@ IN NS ns1\nns1 IN A 192.0.2.1\n"
REVERSE = SOA.replace("ns1 hostmaster", "a.test. b.test.") + "@ IN NS a.test.\n"
# Text -> line and reason, or None where named-checkconf loads it.
TEXTS: dict[str, tuple[str, tuple[int | None, str] | None]] = {
    "good-first.test": (GOOD, None),
    "address.test": (GOOD + "www IN A 192.0.2.300\n", (5, "near '192.0.2.300': bad dotted quad")),
    "type.test": (GOOD + "www IN AA 192.0.2.3\n", (5, "unknown RR type 'AA'")),
    "cname.test": (
        GOOD + "www IN A 192.0.2.3\nwww IN CNAME ns1\n",
        (6, "www.cname.test: CNAME and other data"),
    ),
    "no-ns.test": (SOA, (None, "has no NS records")),
    "no-soa.test": ("$TTL 3600\n@ IN NS ns1\nns1 IN A 192.0.2.1\n", (None, "has 0 SOA records")),
    "two-soa.test": (GOOD + SOA.replace(" 5 ", " 6 "), (6, "two-soa.test: multiple RRs of singleton type")),
    "glue.test": (
        SOA + "@ IN NS ns9\n",
        (None, "NS 'ns9.glue.test' has no address records (A or AAAA)"),
    ),
    "ns-cname.test": (
        SOA + "@ IN NS ns1\nns1 IN CNAME x\nx A 192.0.2.1\n",
        (None, "NS 'ns1.ns-cname.test' is a CNAME (illegal)"),
    ),
    "owner.test": (GOOD + "a_b IN A 192.0.2.3\n", (5, "a_b.owner.test: bad owner name (check-names)")),
    "parenthesis.test": (GOOD + 'x IN TXT ( "a"\n', (6, "near eof: unbalanced parentheses")),
    "quote.test": (GOOD + 'x IN TXT "a\n', (5, "unbalanced quotes")),
    "include.test": (GOOD + "$INCLUDE no.such.file\n", (5, "no.such.file: file not found")),
    "ttl.test": ("$TTL abc\n" + GOOD, (None, "loading from master file ttl.test.zone failed: bad ttl")),
    "empty.test": ("", (None, "has 0 SOA records; has no NS records")),
    "label.test": (GOOD + "a" * 64 + " IN A 192.0.2.1\n", (5, "label too long")),
    "class.test": (GOOD + "x CH A 192.0.2.1\n", (5, "class 'CH' != zone class 'IN'")),
    "serial.test": (GOOD.replace(" 5 ", " 99999999999 "), (2, "near '99999999999': out of range")),
    "0/25.2.0.192.in-addr.arpa": (REVERSE + "1 IN PTX a.b.\n", (4, "unknown RR type 'PTX'")),
    "1/25.2.0.192.in-addr.arpa": (REVERSE + "1 IN PTR a.b.\n", None),
    "crlf.test": (GOOD.replace("\n", "\r\n") + "www IN A 192.0.2.400\r\n", (5, "near '192.0.2.400': bad dotted quad")),
    # Lines that the checker only warns about, before and without a line that it refuses.
    "warned.test": (
        GOOD + "x 5 IN A 192.0.2.3\nx 6 IN A 192.0.2.4\nw.elsewhere. IN A 192.0.2.5\nwww IN A nowhere\n",
        (8, "near 'nowhere': bad dotted quad"),
    ),
    "no-ttl.test": (GOOD[len("$TTL 3600\n") :] + "x IN A y\n", (4, "near 'y': bad dotted quad")),
    "warned-only.test": (GOOD + "x 5 IN A 192.0.2.3\nx 6 IN A 192.0.2.4\nw.elsewhere. IN A 192.0.2.5\n", None),
    "mx.test": (GOOD + "@ MX 10 192.0.2.1\nm CNAME ns1\n@ MX 5 m\n", None),
    # Names elsewhere, which a checker with a resolver would look up.
    "elsewhere.test": (SOA + "@ NS ns.elsewhere.\n@ MX 5 mx.elsewhere.\n_x._tcp SRV 0 0 5 h.elsewhere.\n", None),
    "letters.test": (GOOD + 'x TXT "\u00fc" ; \u00e4\n', None),
    "good-last.test": (GOOD, None),
}  # fmt: skip


def wanted_text(name: str) -> WantedZone:
    text = TEXTS[name][0]
    if " 5 " not in text:  # nowhere to put a serial
        return wanted(name)._replace(before=text + "; ", after="\n")
    before, after = text.split(" 5 ", 1)
    return wanted(name)._replace(before=before + " ", after=" " + after)


# named-checkconf -z of BIND 9.18.49, stdout before stderr.
RECORDED = """\
zone good.test/IN: loaded serial 5
dns_rdata_fromtext: bad.test.zone:5: near '192.0.2.300': bad dotted quad
zone bad.test/IN: loading from master file bad.test.zone failed: bad dotted quad
zone bad.test/IN: not loaded due to errors.
bad-ttl.test.zone:2: no TTL specified; using SOA MINTTL instead
zone bad-ttl.test/IN: loading from master file bad-ttl.test.zone failed: bad ttl
zone bad-ttl.test/IN: not loaded due to errors.
zone no-ns.test/IN: has no NS records
zone no-ns.test/IN: not loaded due to errors.
mx.test.zone:5: warning: '192.0.2.1': MX is an address
zone mx.test/IN: mx.test/MX '192.0.2.1.mx.test' has no address records (A or AAAA)
zone mx.test/IN: loaded serial 5
0+25.2.0.192.in-addr.arpa.zone:4: unknown RR type 'PTX'
zone 0/25.2.0.192.in-addr.arpa/IN: loading from master file 0+25.2.0.192.in-addr.arpa.zone failed: unknown class/type
zone 0/25.2.0.192.in-addr.arpa/IN: not loaded due to errors.

_default/bad.test/IN: bad dotted quad
_default/bad-ttl.test/IN: bad ttl
_default/no-ns.test/IN: bad zone
_default/0/25.2.0.192.in-addr.arpa/IN: unknown class/type
"""


def test_recorded_output_is_understood() -> None:
    verdicts = read_checker(
        RECORDED,
        [
            wanted(name)
            for name in (
                "good.test",
                "bad.test",
                "bad-ttl.test",
                "no-ns.test",
                "mx.test",
                "0/25.2.0.192.in-addr.arpa",
                "unheard.test",
            )
        ],
    )
    assert {zone: problem and (problem.line, problem.reason) for zone, problem in verdicts.items()} == {
        "good.test": None,
        "bad.test": (5, "near '192.0.2.300': bad dotted quad"),
        "bad-ttl.test": (None, "loading from master file bad-ttl.test.zone failed: bad ttl"),
        "no-ns.test": (None, "has no NS records"),
        "mx.test": None,
        "0/25.2.0.192.in-addr.arpa": (4, "unknown RR type 'PTX'"),
        "unheard.test": (None, "the checker did not load it"),
    }
    assert verdicts["bad.test"].file == "zones/bad.test.zone"


def real_run(command: Sequence[str]) -> tuple[int, str, str]:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


needs_checker = pytest.mark.skipif(shutil.which("named-checkconf") is None, reason="named-checkconf is not installed")


def check_for_real(bind: FakeBind, run: Callable[..., Any] = real_run) -> Outcome:
    bind.running = False
    zones = [wanted_text(name) for name in TEXTS]
    # What is refused is so by named-checkconf, with the serial that the text had.
    return publisher(bind, checker=["named-checkconf", "-z"], run=run).publish(
        [zone._replace(serial=5) for zone in zones]
    )


@needs_checker
def test_the_real_checker_among_many_zones(bind: FakeBind, directory: Path) -> None:
    outcome = check_for_real(bind)
    held = {problem.zone: (problem.line, problem.reason) for problem in outcome.held_back}
    assert held == {name: verdict for name, (_text, verdict) in TEXTS.items() if verdict is not None}
    assert set(published(outcome)) == {name for name, (_text, verdict) in TEXTS.items() if verdict is None}
    assert {path.name for path in directory.glob("*.zone")} == {
        name.replace("/", "+") + ".zone" for name, (_text, verdict) in TEXTS.items() if verdict is None
    }
    assert outcome.unpublished == sorted(held)


@needs_checker
@pytest.mark.parametrize("name", TEXTS)
def test_the_real_checker_says_the_same_of_a_zone_alone(tmp_path: Path, name: str) -> None:
    """The oracle is its exit code: one bad zone neither hides nor spoils another."""
    text, verdict = TEXTS[name]
    (tmp_path / "f.zone").write_bytes(text.encode())
    (tmp_path / "c").write_text(
        'options {directory "%s";}; zone "%s" {type primary; file "f.zone";};' % (tmp_path, name)
    )
    assert (real_run(["named-checkconf", "-z", str(tmp_path / "c")])[0] == 0) == (verdict is None)


@needs_checker
def test_the_real_checker_asks_no_network(bind: FakeBind, tmp_path: Path) -> None:
    if shutil.which("strace") is None or real_run(["strace", "-o", os.devnull, "true"])[0] != 0:
        pytest.skip("strace is not installed, or not allowed")
    trace = tmp_path / "trace"

    def traced(command: Sequence[str]) -> tuple[int, str, str]:
        return real_run(["strace", "-f", "-o", str(trace), "-e", "trace=socket,connect,sendto,execve", *command])

    outcome = check_for_real(bind, traced)
    assert outcome.held_back and outcome.published
    calls = trace.read_text()
    assert "execve" in calls
    assert "AF_INET" not in calls and "sendto" not in calls


@needs_checker
def test_the_real_checker_takes_two_thousand_zones_in_one_process(bind: FakeBind) -> None:
    zone = wanted_text("good-first.test")
    zones = [zone._replace(name="z%d.test" % number, file_name="z%d.test" % number) for number in range(2_000)]
    runs = []

    def run(command: Sequence[str]) -> tuple[int, str, str]:
        runs.append(command)
        return real_run(command)

    bind.running = False
    outcome = publisher(bind, checker=["named-checkconf", "-z"], run=run).publish(zones)
    assert len(runs) == 1 and len(outcome.published) == 2_000
    assert len(json.loads((bind.directory / publish.MANIFEST).read_text())["zones"]) == 2_000
