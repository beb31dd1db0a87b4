"""On a name server of the lab: a module of the collection stops itself at the point that a control file names.

The control file has one line, MODULE POINT:

- ``staged``: the checker is about to read what was staged
- ``between``: one file has been renamed into place, the next one is about to be
- ``before-verb``: all files are in place, and the daemon is about to be told
- ``after-verb``: the daemon has been told, and nobody has asked yet whether it took it

At that point the process notes its id in another file and stops. What is renamed and which command is run is seen
from outside, so that this knows nothing of how the modules are made.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

CONTROL = "/run/dnsops-faults.control"
STOPPED = "/run/dnsops-faults.stopped"
# Files that go live together, by the ends of their names.
LIVE = {"zone_files": (".zone",), "config_set": ("/named.conf", "/nsd.conf", "/links.conf", "/zones.conf")}
CHECKERS = ("named-checkconf", "nsd-checkconf", "named-checkzone")
VERBS = (["rndc", "reload"], ["rndc", "reconfig"], ["nsd-control", "reconfig"], ["systemctl", "restart"])

renamed = 0


def reach(point: str) -> None:
    """Stop here if this is the point; whoever sends SIGCONT lets the module go on."""
    module = os.path.basename(sys.argv[0])[: -len(".py")]
    try:
        with open(CONTROL) as control:
            wanted = control.read().split()
    except FileNotFoundError:
        return
    if wanted == [module, point]:
        os.unlink(CONTROL)
        with open(STOPPED + ".new", "w") as stopped:
            stopped.write(str(os.getpid()))
        os.rename(STOPPED + ".new", STOPPED)
        os.kill(os.getpid(), signal.SIGSTOP)


def watch() -> None:
    plain_replace = os.replace
    plain_popen = subprocess.Popen

    def replace(source: str, target: str, **options: int) -> None:
        global renamed
        live = LIVE.get(os.path.basename(sys.argv[0])[: -len(".py")], ())
        if str(target).endswith(live or ("/",)):
            if renamed == 1:
                reach("between")
            renamed += 1
        plain_replace(source, target, **options)

    class Popen(plain_popen):
        def __init__(self, args: object, *rest: object, **options: object) -> None:
            words = [word.decode() if isinstance(word, bytes) else str(word) for word in args]
            if words[0] == "timeout":
                del words[:2]
            command = [os.path.basename(words[0]), *words[1:2]]
            self.is_verb = command in VERBS
            if command[0] in CHECKERS:
                reach("staged")
            if self.is_verb:
                reach("before-verb")
            super().__init__(args, *rest, **options)

        def poll(self) -> object:
            code = super().poll()
            if code is not None and self.is_verb:
                self.is_verb = False
                reach("after-verb")
            return code

        def wait(self, timeout: object = None) -> object:
            code = super().wait(timeout)
            if self.is_verb:
                self.is_verb = False
                reach("after-verb")
            return code

    os.replace = replace
    subprocess.Popen = Popen


if os.path.exists(CONTROL):
    watch()
