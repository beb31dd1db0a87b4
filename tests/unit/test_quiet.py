"""What the operating system refuses a module: one sentence, nothing half-written, never a traceback."""

from __future__ import annotations

import errno
import grp
import importlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import quiet
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.files import write_file
from conftest import ROOT

PACKAGE = "ansible_collections.dnsops.redundant_dns.plugins.modules."
# Those that run on a host; the others are actions on the controller alone.
ON_HOSTS = sorted(
    path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if "def main(" in path.read_text("utf-8")
)
BIG = 100_000


def error(number: int, path: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), path) if path else OSError(number, os.strerror(number))


def run(module: str, folder: Path, *, file_size: int | None = None, before: str = "", **arguments: Any) -> Any:
    """The module as Ansible runs it: its exit status and result.

    :param file_size: no file may become larger (EFBIG; Python ignores the signal).
    :param before: Python, executed first.
    """
    limit = resource.RLIM_INFINITY if file_size is None else file_size
    arguments.update(_ansible_remote_tmp=str(folder))
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "%s\nimport runpy\nrunpy.run_module(%r, run_name='__main__')" % (before, PACKAGE + module),
        ],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": os.environ["PATH"]},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return SimpleNamespace(code=done.returncode, **{"msg": "", **json.loads(done.stdout)})


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (
            error(errno.ENOSPC, "/nowhere/nsd/zones.conf"),
            "Could not write to /nowhere/nsd/zones.conf: No space left on device. "
            "Free some space on /nowhere/nsd, and run again.",
        ),
        (
            error(errno.ENOSPC, "/nowhere/bind/.staging-x_1/a.zone"),
            "Could not write to /nowhere/bind/a.zone: No space left on device. "
            "Free some space on /nowhere/bind, and run again.",
        ),
        (
            error(errno.ENOSPC),
            "Could not write to a file: No space left on device. Free some space on the disk, and run",
        ),
        (error(errno.EDQUOT, "/nowhere/x.new"), "Could not write to /nowhere/x: Disk quota exceeded. Free some space"),
        (
            error(errno.EROFS, "/usr"),
            "Could not write to /usr: Read-only file system. Mount the file system of /usr for",
        ),
        (
            error(errno.EACCES, "/nowhere/x"),
            "Could not read or write /nowhere/x: Permission denied. Let Ansible become",
        ),
        (
            error(errno.EPERM, "/nowhere/x"),
            "Could not read or write /nowhere/x: Operation not permitted. Let Ansible bec",
        ),
        (error(errno.EIO, "/nowhere/x"), "Could not read or write /nowhere/x: Input/output error. See what dmesg says"),
        (error(errno.EFBIG, "/nowhere/x"), "Could not read or write /nowhere/x: File too large. Raise the limit"),
        (
            error(errno.EMFILE, "/nowhere/x"),
            "Could not read or write /nowhere/x: Too many open files. Mend that on the",
        ),
        (OSError("odd"), "Could not read or write a file: odd. Mend that on the host, and run again."),
    ],
)
def test_a_refusal_names_path_reason_and_mend(failure: OSError, said: str) -> None:
    assert str(quiet.problem_of(failure)).startswith(said)


@pytest.mark.parametrize("module", ON_HOSTS)
def test_every_module_tells_what_it_was_refused(module: str) -> None:
    assert {"config_set", "prune", "zone_files"} <= set(ON_HOSTS)
    assert hasattr(importlib.import_module(PACKAGE + module).main, "__wrapped__")


def test_no_half_written_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.zone.new"
    path.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_file(str(path), "text", 0o640)
    assert caught.value.filename == str(path) and caught.value.errno == errno.ENOSPC
    assert not list(tmp_path.iterdir())


def own_group() -> str:
    return grp.getgrgid(os.getgid()).gr_name


def test_config_set_leaves_all_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    main, zones = folder / "main.conf", folder / "zones.conf"

    def publish(text: str, **settings: Any) -> Any:
        files = [{"path": str(main), "content": "main\n"}, {"path": str(zones), "content": text}]
        owner = {"owner": "root" if os.geteuid() == 0 else os.environ["USER"], "group": own_group()}
        return run("config_set", tmp_path, files=files, **owner, **settings)

    assert publish("old\n").changed
    result = publish("x" * BIG, file_size=BIG // 2)
    assert result.failed and result.code == 1
    assert result.msg == (
        "Could not read or write %s: File too large. Raise the limit of the size of files (ulimit -f), and run again."
        % zones
    )
    assert sorted(path.name for path in folder.iterdir()) == ["main.conf", "zones.conf"]
    assert zones.read_text() == "old\n"
    assert publish("x" * BIG, file_size=BIG * 2).changed


def test_zone_files_leaves_all_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "zones"
    checker = tmp_path / "bin" / "named-checkconf"
    checker.parent.mkdir()
    checker.write_text('#!/bin/sh\necho "zone a.test/IN: loaded serial 1"\n')
    checker.chmod(0o755)
    prefer = "import os\nos.environ['PATH'] = %r + ':' + os.environ['PATH']\n" % str(checker.parent)

    def publish(content: str, **settings: Any) -> Any:
        zone = {"name": "a.test", "file_name": "a.test", "file": "a.test.zone", "serial": 1, "digest": content}
        zone.update(before="@ SOA (", after=" 3600)\n%s\n" % content, ask=[], allowed=True)
        bundle = tmp_path / "bundle.json"
        bundle.write_text(json.dumps([zone]))
        where = {"directory": str(folder), "group": own_group(), "address": "127.0.0.1", "port": 9, "unit": "none"}
        return run("zone_files", tmp_path, before=prefer, bundle=str(bundle), **where, **settings)

    first = publish("old")
    assert [each["zone"] for each in first.published] == ["a.test"], first
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    result = publish("x" * BIG, file_size=BIG // 2)
    assert result.failed and result.msg.startswith("Could not read or write %s/a.test.zone: File too large" % folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_prune_says_what_it_cannot_remove(tmp_path: Path) -> None:
    (tmp_path / "a.test.zone").write_text("")
    before = "import os\ndef unlink(path):\n    raise OSError(30, os.strerror(30), path)\nos.unlink = unlink\n"
    directories = [{"path": str(tmp_path), "keep": [], "suffix": ".zone"}]
    result = run("prune", tmp_path, before=before, directories=directories)
    assert result.failed and result.msg.startswith("Could not write to %s/a.test.zone: Read-only" % tmp_path)
    assert run("prune", tmp_path, directories=directories).removed == [str(tmp_path / "a.test.zone")]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets what the system says of every file system."""

    def say(**changes: int) -> None:
        status = {"f_flag": 0, "f_bavail": 1000, "f_frsize": 4096, "f_files": 100, "f_favail": 10, **changes}
        monkeypatch.setattr(quiet.os, "statvfs", lambda _path: SimpleNamespace(**status))

    return say


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({}, None),
        ({"f_files": 0, "f_favail": 0}, None),
        ({"f_flag": os.ST_RDONLY}, errno.EROFS),
        ({"f_bavail": 255}, errno.ENOSPC),
        ({"f_favail": 0}, errno.ENOSPC),
    ],
)
def test_a_full_or_read_only_disk_is_seen(
    disk: Callable[..., None], tmp_path: Path, changes: dict[str, int], number: int | None
) -> None:
    disk(**changes)
    if number is None:
        quiet.refuse_what_is_full(str(tmp_path))
        return
    with pytest.raises(OSError) as caught:
        quiet.refuse_what_is_full(str(tmp_path))
    assert (caught.value.errno, caught.value.filename) == (number, str(tmp_path))
