"""Files that are whole, and one run at a time in a directory."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.files import alone_in, staging, write_file

# Begins as a run does, says so, and goes on until it is killed.
RUN = """
import sys
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.files import alone_in, staging, write_file
with alone_in(sys.argv[1], lambda name: True), staging(sys.argv[1]) as folder:
    write_file(folder + "/zone", "half", 0o600)
    write_file(sys.argv[1] + "/a.new", "half", 0o600)
    print("begun", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_run(tmp_path: Path) -> subprocess.Popen[str]:
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path)],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert run.stdout is not None and run.stdout.readline() == "begun\n"
    yield run
    run.kill()
    run.communicate()


def test_while_another_run_writes_there_a_run_waits_and_then_says_so(
    tmp_path: Path, other_run: subprocess.Popen[str]
) -> None:
    with pytest.raises(OSError, match="another run is writing there") as caught:
        with alone_in(str(tmp_path), lambda name: True, patience=0.2):
            raise AssertionError
    assert (caught.value.errno, caught.value.filename) == (errno.EBUSY, str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 2, "what the other run has begun is left alone"
    other_run.communicate("")
    with alone_in(str(tmp_path), lambda name: True, patience=0.2):
        pass


def test_what_a_killed_run_had_begun_is_removed(tmp_path: Path, other_run: subprocess.Popen[str]) -> None:
    for name in ("b.new", "kept.zone", "somebody.new"):
        write_file(str(tmp_path / name), "text", 0o640)
    other_run.send_signal(signal.SIGKILL)
    other_run.wait()
    assert len(list(tmp_path.iterdir())) == 5
    with alone_in(str(tmp_path), lambda name: name in ("a", "b"), patience=5):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.zone", "somebody.new"]
        with staging(str(tmp_path)) as folder:
            assert Path(folder).parent == tmp_path
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.zone", "somebody.new"]
