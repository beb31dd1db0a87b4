"""Runs that are cut off: what is killed, when, and what must hold afterwards."""

from __future__ import annotations

import random

import pytest
from system.conftest import HOSTS, NS1, NS3

from .lab import CONTROL, LAST_MODULE, SHORT, UNITS, Event, Lab, Started

SECTION = "Runs that are cut off"
POINTS = {
    "staged": "after staging",
    "between": "between two renames",
    "before-verb": "after the renames, before the daemon is told",
    "after-verb": "after the daemon was told, before the proof",
}
MODULE, PLAYBOOK, DAEMON = VICTIMS = ("module", "ansible-playbook", "daemon")
ALL = [(victim, point) for victim in VICTIMS for point in POINTS]
# The module at every point; a playbook and a daemon that are killed differ less by module.
SOME = [(MODULE, point) for point in POINTS] + [(PLAYBOOK, "before-verb"), (DAEMON, "after-verb")]


def points(chosen: list[tuple[str, str]], fast: tuple[str, str]) -> list[object]:
    """Arguments for pytest.mark.parametrize("victim, point", ...); one of them is part of `make test`."""
    return [pytest.param(*each, marks=[pytest.mark.fast] if each == fast else []) for each in chosen]


def cut_at_point(lab: Lab, host: str, module: str, victim: str, point: str) -> None:
    name = "%s on %s" % (module, host.split(".")[0])
    killed = UNITS[host] if victim == DAEMON else victim
    with lab.event(SECTION, "%s, %s: %s killed" % (name, POINTS[point], killed)) as event:
        if host == NS1:
            lab.change()
        if module == "config_set":
            lab.new_settings(host)
        lab.on(host, "echo %s %s > %s" % (module, point, CONTROL))
        with lab.start("--limit", host, *SHORT) as run:
            process = run.wait_for_stop(host)
            event.begin()
            kill(lab, run, victim, host, process)
            run.finish()
        _recover(lab, event, "--limit", host)


def cut_at_random(lab: Lab, seed: str, number: int) -> None:
    chance = random.Random("%s %d" % (seed, number))
    victim, host, delay = chance.choice(VICTIMS), chance.choice(HOSTS), chance.random() * lab.run_seconds
    place = "" if victim == PLAYBOOK else " on %s" % host.split(".")[0]
    killed = (UNITS[host] if victim == DAEMON else victim) + place
    with lab.event(SECTION, "random moment %02d, %.1f s into a run: %s killed" % (number + 1, delay, killed)) as event:
        lab.change()
        lab.new_settings(chance.choice((NS1, NS3)))
        with lab.start(*SHORT) as run:
            try:
                run.wait(delay)
            except TimeoutError:
                pass
            event.begin()
            kill(lab, run, victim, host, "$(cat %s)" % LAST_MODULE)
            run.finish()
        _recover(lab, event)


def kill(lab: Lab, run: Started, victim: str, host: str, process: str) -> None:
    """SIGKILL; a module that stopped itself and is not the victim goes on.

    :param process: the module's process, in shell. Where it is not there, the next one is waited for.
    """
    if victim == MODULE:
        lab.on(host, "timeout 10 sh -c 'until %s; do sleep 0.02; done; kill -KILL %s' || true" % (LIVES, process))
    elif victim == PLAYBOOK:
        run.kill()
    else:
        lab.kill_daemon(host)
    lab.on(host, "kill -CONT %s || true" % process)
    if victim == PLAYBOOK:
        for each in HOSTS:
            # What goes on by itself is not to be in the way of the next run.
            lab.on(each, "timeout 60 sh -c 'while %s; do sleep 0.05; done'" % LIVES)


# Whether the last module that was begun on a host is still there.
LIVES = "readlink /proc/$(cat %s)/exe | grep -q python" % LAST_MODULE


def _recover(lab: Lab, event: Event, *arguments: str) -> None:
    lab.expect_whole_files()
    lab.site(*arguments).expect(0)
    lab.wait_for_agreement()
    event.end()
    lab.expect_no_leftovers()
