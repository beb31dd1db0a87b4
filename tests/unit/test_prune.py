"""What is superfluous in a directory of zone files, and what is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.modules import prune


def test_only_files_of_zones_that_are_gone_are_superfluous(tmp_path: Path) -> None:
    kept = ["a.test.zone", "a.test.zone.jnl", "a.test.zone.jnw", "a.test.zone~", ".published.json", "tmp-Xa81kd02Lw"]
    kept += ["a.test", "db.b.test", "b.test.key", "Kb.test.+013+12345.private", "xa.zone.txt", "zone", ".b.test.zone"]
    gone = [
        "b.test.zone",
        "b.test.zone.jnl",
        "b.test.zone.jnw",
        "b.test.zone.signed.jnl",
        "xa.test.zone",
        "tmp-x.example.zone",
    ]
    gone += ["a.test.zone.new", "b.test.zone.new"]
    for name in kept + gone:
        (tmp_path / name).write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.zone").symlink_to(tmp_path / "a.test.zone")
    assert prune.superfluous(str(tmp_path), {"a.test.zone"}, ".zone") == sorted(str(tmp_path / name) for name in gone)
    assert prune.superfluous(str(tmp_path / "nowhere"), {"a.test.zone"}, ".zone") == []


def test_dnssec_keys_are_not_ours(tmp_path: Path) -> None:
    theirs = ["Kb.test.+013+12345" + end for end in (".key", ".private", ".state")] + ["K0+25.2.0.192.+008+00001.key"]
    gone = ["g1.a.from.b.key", "kb.test.key", "Kb.test.key"]
    for name in [*theirs, *gone, "g2.a.from.b.key"]:
        (tmp_path / name).write_text("")
    found = prune.superfluous(str(tmp_path), {"g2.a.from.b.key"}, ".key")
    assert found == sorted(str(tmp_path / name) for name in gone)


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_directory_goes_when_nothing_is_left_in_it(tmp_path: Path, check_mode: bool) -> None:
    for name in ("emptied", "theirs", "kept"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.test.zone").write_text("")
    (tmp_path / "theirs" / "db.b.test").write_text("")
    directories = [
        {"path": str(tmp_path / name), "keep": [], "suffix": ".zone", "remove_empty": name != "kept"}
        for name in ("emptied", "theirs", "kept", "nowhere")
    ]
    before = sorted(tmp_path.rglob("*"))
    arguments = {"directories": directories, "_ansible_check_mode": check_mode, "_ansible_remote_tmp": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", prune.__name__, json.dumps({"ANSIBLE_MODULE_ARGS": arguments})],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    result = json.loads(done.stdout)
    gone = [tmp_path / name / "a.test.zone" for name in ("emptied", "theirs", "kept")] + [tmp_path / "emptied"]
    assert result["changed"] and result["removed"] == [str(path) for path in gone]
    assert sorted(tmp_path.rglob("*")) == (before if check_mode else sorted(set(before) - set(gone)))
