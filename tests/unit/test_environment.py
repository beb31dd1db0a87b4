"""The set-up says in one line what is missing where it cannot install it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

ENVIRONMENT = ROOT / "tests" / "environment"
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def run(script: Path, *arguments: str, path: str, user: int | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(script), *arguments],
        env={"PATH": path},
        user=user,
        check=False,
        text=True,
        capture_output=True,
        cwd="/",
    )


@pytest.fixture
def readable(tmp_path: Path) -> Path:
    """The scripts where any user can read them, at their places in a checkout."""
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:3]:
        parent.chmod(0o755)
    shutil.copytree(ENVIRONMENT, tmp_path / "tests" / "environment")
    return tmp_path / "tests" / "environment"


def commands(folder: Path, **scripts: str) -> str:
    """A PATH with nothing but bash's surroundings and these commands."""
    folder.mkdir()
    folder.chmod(0o755)
    for name in ("bash", "id", "dirname"):
        (folder / name).symlink_to(shutil.which(name) or name)
    for name, text in scripts.items():
        (folder / name.replace("_", "-")).write_text("#!/bin/sh\n%s\n" % text)
        (folder / name.replace("_", "-")).chmod(0o755)
    return str(folder)


def test_another_system_is_told_what_to_install(tmp_path: Path) -> None:
    said = run(ENVIRONMENT / "install.sh", "docker.io", "knot-dnsutils", path=commands(tmp_path / "bin"))
    assert said.returncode == 1 and said.stdout == ""
    assert said.stderr.count("\n") == 1
    assert "not Debian" in said.stderr and "docker.io knot-dnsutils" in said.stderr


@as_root
def test_without_root_it_is_told_what_to_install(readable: Path, tmp_path: Path) -> None:
    path = commands(tmp_path / "bin", apt_get="echo $* >> %s/log" % tmp_path)
    said = run(readable / "install.sh", "docker.io", path=path, user=NOBODY)
    assert said.returncode == 1 and said.stdout == ""
    assert said.stderr.count("\n") == 1 and "apt-get install docker.io" in said.stderr
    assert not (tmp_path / "log").exists()
    # The same as root says first what it installs, then does.
    said = run(readable / "install.sh", "docker.io", path=path)
    assert said.returncode == 0
    assert said.stdout == "Installing Debian packages: apt-get update && apt-get install docker.io\n"
    assert "install" in (tmp_path / "log").read_text()


@as_root
def test_without_root_a_silent_engine_is_named(readable: Path, tmp_path: Path) -> None:
    path = commands(tmp_path / "bin", docker="exit 1")
    said = run(readable / "engine.sh", path=path, user=NOBODY)
    assert said.returncode == 1 and said.stderr.count("\n") == 1 and "No Docker engine answers" in said.stderr
    answering = commands(tmp_path / "other", docker="exit 0")
    assert run(readable / "engine.sh", path=answering, user=NOBODY).returncode == 0
