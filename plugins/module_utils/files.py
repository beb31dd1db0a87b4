# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on a name server: whole at every moment, and written by one run at a time.

What is to go live is written beside its place, as ``NAME.new`` or in a staging folder, and renamed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from typing import Callable, Iterator, Optional, Tuple

STAGING = ".staging-"
NEW = ".new"
# Another run is waited for so long.
PATIENCE = 60.0


def read_file(path: str) -> Optional[str]:
    """The text of a file as it is, octets that are not UTF-8 as surrogates; None where there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def write_file(path: str, content: str, mode: int, owner: Tuple[int, int] = (-1, -1)) -> None:
    """Never readable by others, not for an instant: the file is made with its mode, then filled.

    :raises OSError: with the path, which a write alone does not tell; a file that was begun does not stay.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            os.fchown(descriptor, *owner)
            os.fchmod(descriptor, mode)
            file.write(content)
    except OSError as error:
        os.unlink(path)
        raise OSError(error.errno, error.strerror, path) from error


def put_file(path: str, content: str, mode: int, owner: Tuple[int, int] = (-1, -1)) -> None:
    """write_file() beside the file's place, and a rename: whoever reads it sees the old text or the new one, whole."""
    write_file(path + NEW, content, mode, owner)
    os.replace(path + NEW, path)


@contextmanager
def staging(directory: str) -> Iterator[str]:
    """A folder on the file system of the directory, so that going live is a rename."""
    folder = tempfile.mkdtemp(prefix=STAGING, dir=directory)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def alone_in(directory: str, is_ours: Callable[[str], bool], patience: float = PATIENCE) -> Iterator[None]:
    """The only run that writes into a directory. What one that was killed had begun there is removed.

    :param is_ours: whether a file that is called ``NAME.new`` is of these runs, by NAME.
    :raises OSError: EBUSY where another run is at it for longer than ``patience`` seconds.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        _lock(descriptor, directory, time.monotonic() + patience)
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            if name.startswith(STAGING):
                shutil.rmtree(path)
            elif name.endswith(NEW) and is_ours(name[: -len(NEW)]):
                os.unlink(path)
        yield
    finally:
        os.close(descriptor)  # which unlocks, as does the end of the process, whatever ends it


def _lock(descriptor: int, directory: str, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise OSError(errno.EBUSY, "another run is writing there", directory) from None
        time.sleep(0.1)
