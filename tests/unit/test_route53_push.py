"""The program between runs: what it asks, pushes, notes and says; and that it runs from its files alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import client, route53, route53_push
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem

ROOT = Path(__file__).resolve().parents[2]


def config(tmp_path: Path, *names: str, **more: object) -> route53_push.Config:
    values = {
        "zones": [{"name": name} for name in names],
        "address": "127.0.0.1",
        "state_file": str(tmp_path / "state.json"),
        **more,
    }
    (tmp_path / "config.json").write_text(json.dumps(values))
    return route53_push.read_config(str(tmp_path / "config.json"))


class World:
    """A name server with ``serials``, and a Route 53 that takes all zones but those in ``refused``."""

    def __init__(self, **serials: int | None) -> None:
        self.serials = {name.replace("_", "."): serial for name, serial in serials.items()}
        self.refused: set[str] = set()
        self.syncs: list[list[str]] = []
        self.said: list[str] = []
        self.during = lambda: None

    def ask(self, questions: list[client.Question]) -> list[client.SerialSeen]:
        seen = []
        for question in questions:
            serial = self.serials[question.zone]
            status = client.Status.SERVFAIL if serial is None else client.Status.ANSWER
            seen.append(client.SerialSeen(*question, status, serial, "udp", ""))
        return seen

    def sync(self, zones: list[dict]) -> route53.Result:
        names = [zone["name"] for zone in zones]
        self.syncs.append(names)
        good = {name: self.serials[name] for name in names if name not in self.refused}
        problems = [Problem("it is refused", "mend it", zone=name) for name in names if name in self.refused]
        told = {"added": 1, "changed": 0, "deleted": 0, "batches": 2}
        counts = [{"name": name, "serial": self.serials[name], **told} for name in names]
        self.during()
        return route53.Result(True, [], counts, [], problems, good, "")

    def push(self, found: route53_push.Config) -> bool:
        self.syncs.clear()
        self.said.clear()
        return route53_push.push(found, self.sync, self.ask, self.said.append)


def state(tmp_path: Path) -> dict:
    return json.loads((tmp_path / "state.json").read_text())


def test_only_what_is_new_is_pushed(tmp_path: Path) -> None:
    found = config(tmp_path, "a.example", "b.example")
    world = World(a_example=5, b_example=6)
    assert world.push(found)
    assert world.syncs == [["a.example", "b.example"]]
    assert world.said[0] == "a.example: 1 added, 0 changed, 0 deleted, serial 5, 2 requests"
    assert state(tmp_path) == {"a.example": 5, "b.example": 6}
    assert world.push(found)
    assert world.syncs == [] and world.said == []
    world.serials["b.example"] = 7
    assert world.push(found)
    assert world.syncs == [["b.example"]]
    world.serials["b.example"] = 3  # a serial that went back is new, too
    assert world.push(found)
    assert state(tmp_path) == {"a.example": 5, "b.example": 3}


def test_a_change_during_a_push_is_not_missed(tmp_path: Path) -> None:
    world = World(a_example=5, b_example=6)

    def change() -> None:
        world.during = lambda: None
        world.serials["b.example"] = 8

    world.during = change
    assert world.push(config(tmp_path, "a.example", "b.example"))
    assert world.syncs == [["a.example", "b.example"], ["b.example"]]
    assert state(tmp_path) == {"a.example": 5, "b.example": 8}


def test_a_zone_that_never_rests_is_left_after_a_while(tmp_path: Path) -> None:
    world = World(a_example=5)
    world.during = lambda: world.serials.update({"a.example": world.serials["a.example"] + 1})
    world.push(config(tmp_path, "a.example"))
    assert len(world.syncs) == route53_push.ROUNDS


def test_a_refused_zone_is_told_once_and_tried_again_at_the_next_start(tmp_path: Path) -> None:
    found = config(tmp_path, "a.example", "b.example")
    world = World(a_example=5, b_example=6)
    world.refused = {"a.example"}
    assert not world.push(found)
    assert world.syncs == [["a.example", "b.example"]]
    assert world.said[1:] == ["zone a.example: it is refused. mend it."]
    assert state(tmp_path) == {"b.example": 6}
    world.refused = set()
    assert world.push(found)
    assert world.syncs == [["a.example"]]


def test_a_server_without_the_zone(tmp_path: Path) -> None:
    world = World(a_example=None, b_example=6)
    assert not world.push(config(tmp_path, "a.example", "b.example"))
    assert world.said[0] == "a.example: the name server gives no serial (servfail)"
    assert world.syncs == [["b.example"]]


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"a.example": "x"}'])
def test_a_damaged_state_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    world = World(a_example=5)
    assert world.push(config(tmp_path, "a.example"))
    assert world.syncs == [["a.example"]]
    assert state(tmp_path) == {"a.example": 5}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (None, "No such file"),
        ("no json", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"zones": [{"name": "a"}], "address": "::1", "state_file": "s", "nonsense": 1}', "no option nonsense"),
        ('{"zones": [{"name": "a"}]}', "lacks address, state_file"),
        ('{"zones": ["a"], "address": "::1", "state_file": "s"}', "not a list of objects"),
    ],
)
def test_configurations_that_are_none(
    tmp_path: Path, capsys: pytest.CaptureFixture, text: str | None, word: str
) -> None:
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=word):
        route53_push.read_config(str(path))
    assert route53_push.main([str(path)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert str(path) in line and word in line


def test_texts_of_numbers_and_truth_values(tmp_path: Path) -> None:
    found = config(tmp_path, "a.example", port="5353", keep_foreign="False", create="True", wait="60", endpoint_url="")
    assert found.settings == route53.Settings("127.0.0.1", 5353, wait=60.0)
    for wrong in ({"port": "x"}, {"keep_foreign": "perhaps"}):
        with pytest.raises(InputError, match="config.json"):
            config(tmp_path, "a.example", **wrong)


def test_options_have_the_defaults_of_the_module(tmp_path: Path) -> None:
    found = config(tmp_path, "a.example", source=None, keep_foreign=True, strict=False)
    assert found.settings == route53.Settings("127.0.0.1", keep_foreign=True)


def test_it_runs_from_its_files_alone(tmp_path: Path) -> None:
    """Without Ansible, without the checkout: what the program imports of the collection is in PROGRAM_FILES."""
    parts = ("ansible_collections", "dnsops", "redundant_dns", "plugins", "module_utils")
    place = tmp_path / "program"
    folder = place.joinpath(*parts)
    folder.mkdir(parents=True)
    for name in route53_push.PROGRAM_FILES:
        (folder / name).write_bytes((ROOT / "plugins" / "module_utils" / name).read_bytes())
    # One zone of a name server that is not there: all modules are loaded, and the end is told.
    config(tmp_path, "a.example", port=1)
    code = (
        "import sys, runpy\n"
        "class NoAnsible:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'ansible' or name.startswith('ansible.'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, NoAnsible())\n"
        "sys.path[:] = [%r] + [each for each in sys.path if 'collections' not in each]\n"
        "sys.argv = ['route53_push', %r]\n"
        "runpy.run_module(%r, run_name='__main__')\n"
    ) % (str(place), str(tmp_path / "config.json"), ".".join((*parts, "route53_push")))

    def run() -> subprocess.CompletedProcess:
        command = [sys.executable, "-I", "-W", "error", "-c", code]
        return subprocess.run(command, check=False, capture_output=True, text=True, env=dict(os.environ), timeout=60)

    done = run()
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == "a.example: the name server gives no serial (UDP: port 1 is closed; TCP: port 1 is closed)\n"
    (folder / "serial.py").unlink()
    assert "ModuleNotFoundError" in run().stderr or "ImportError" in run().stderr


def test_all_of_its_files_are_needed() -> None:
    """Each is loaded by the program, so that none is copied for nothing."""
    prefix = "ansible_collections.dnsops.redundant_dns.plugins.module_utils."
    code = "import sys; sys.path.insert(0, %r); import %sroute53_push; print(*sorted(sys.modules))"
    command = [sys.executable, "-c", code % (str(ROOT / ".cache" / "collections"), prefix)]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    files = {name[len(prefix) :] + ".py" for name in loaded if name.startswith(prefix)}
    assert files == set(route53_push.PROGRAM_FILES)


def test_no_zones_are_no_mistake(tmp_path: Path) -> None:
    found = config(tmp_path)
    world = World()
    assert world.push(found) and world.syncs == []


def test_one_push_at_a_time(tmp_path: Path) -> None:
    """One that came while another was at it begins when that has ended, and so reads what is new then."""
    entered: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with route53_push.one_at_a_time(str(tmp_path)):
            entered.append("second")

    with route53_push.one_at_a_time(str(tmp_path)):
        other = threading.Thread(target=second)
        other.start()
        assert waiting.wait(5)
        other.join(0.3)
        assert other.is_alive() and entered == []
        entered.append("first")
    other.join(5)
    assert entered == ["first", "second"]
    with route53_push.one_at_a_time(None), route53_push.one_at_a_time(None):
        pass  # where no directory is given, nothing is waited for


def test_the_program_waits_for_a_push_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    config(tmp_path)
    monkeypatch.setattr(route53_push, "PATIENCE", 0.0)
    arguments = [str(tmp_path / "config.json")]
    assert route53_push.main(arguments) == 0
    with route53_push.one_at_a_time(str(tmp_path)):
        assert route53_push.main(arguments) == 1
    assert "another run is writing there" in capsys.readouterr().out
