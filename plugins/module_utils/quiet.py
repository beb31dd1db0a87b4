# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module object of the collection's modules, and what the operating system refuses them, in words."""

from __future__ import annotations

import errno
import functools
import json
import os
import re
import sys
from typing import Callable

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.files import NEW, STAGING
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import Problem

# Less than this is full: a daemon could not write a zone of a few thousand records.
ROOM = 1024 * 1024

# What a file is called until it goes live; people know its place by the other name.
_WORKING_NAME = re.compile("/%s[^/]*|%s$" % (re.escape(STAGING), re.escape(NEW)))


def problem_of(error: OSError) -> Problem:
    """What the operating system refused: the path, its reason, and the mend."""
    path = _WORKING_NAME.sub("", os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else ""
    reason = error.strerror or str(error)
    place = (path if os.path.isdir(path) else os.path.dirname(path)) or "the disk"
    path = path or "a file"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Problem("Could not write to %s: %s" % (path, reason), "Free some space on %s, and run again" % place)
    if error.errno == errno.EROFS:
        mend = "Mount the file system of %s for writing, and run again; dmesg may tell why it is not" % place
        return Problem("Could not write to %s: %s" % (path, reason), mend)
    mend = {
        errno.EACCES: "Let Ansible become root, and see that nothing else (AppArmor, SELinux) keeps root out",
        errno.EPERM: "Let Ansible become root, and see that the file is not immutable (lsattr)",
        errno.EIO: "See what dmesg says about the disk, and run again when it is mended",
        errno.EBUSY: "Run again when that has ended",
        errno.EFBIG: "Raise the limit of the size of files (ulimit -f), and run again",
    }.get(error.errno, "Mend that on the host, and run again")
    return Problem("Could not read or write %s: %s" % (path, reason), mend)


def refuse_what_is_full(path: str) -> None:
    """Free blocks are those for everybody but root, as daemons have them; some file systems do not count inodes.

    :raises OSError: where the file system of the path is full or read-only.
    """
    status = os.statvfs(path)
    if status.f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
    if status.f_bavail * status.f_frsize < ROOM or (status.f_files and not status.f_favail):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


def os_errors_told(main: Callable[[], None]) -> Callable[[], None]:
    """For the ``main`` of a module: an :class:`OSError` becomes the task's message instead of a traceback."""

    @functools.wraps(main)
    def told() -> None:
        try:
            main()
        except OSError as error:
            # Not fail_json: making the module object may be what failed.
            sys.stdout.write(json.dumps({"failed": True, "msg": str(problem_of(error))}))
            raise SystemExit(1) from None

    return told


class QuietModule(AnsibleModule):
    """Keeps its arguments out of the system log: whole configurations and thousands of zones are no log entry."""

    def _log_invocation(self) -> None:
        self.log("Invoked")

    def make_directory(self, path: str, owner: str, group: str, mode: str) -> bool:
        """Make a directory, or mend its owner, group and mode (octal, as text); whether that was a change.

        In check mode, whether it would be.

        :raises OSError: also where its file system is full or read-only: a daemon serves from memory then, until it
            restarts, and nothing else would tell.
        """
        missing = not os.path.isdir(path)
        if missing and self.check_mode:
            return True
        if missing:
            os.makedirs(path, mode=0o700)
        refuse_what_is_full(path)
        attributes = {"path": path, "secontext": [None, None, None], "attributes": None}
        attributes.update(owner=owner, group=group, mode=mode)
        return self.set_fs_attributes_if_different(attributes, missing)
