# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that pushes changed zones to Route 53 between runs, without Ansible::

    python3 -m ansible_collections.dnsops.redundant_dns.plugins.module_utils.route53_push CONFIG.json

CONFIG.json is an object with the options of the module ``route53_zone`` by their names, ``zones`` among them, and
``state_file``, in which the program keeps the serial that it has pushed last of each zone. A zone whose serial at the
name server is that one costs one SOA question and no request. It ends when nothing is new: a change that comes while
one is pushed is pushed too. One line a zone goes to standard output. Exit status 0: all zones are at Route 53 as the
server has them; 1: some are not, and a line says why.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import client, files, route53
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem, told

# All that the program imports, in plugins/module_utils of the collection. Copied into a tree of that shape, it runs on
# boto3 and dnspython alone.
PROGRAM_FILES = (
    "checks.py",
    "client.py",
    "files.py",
    "names.py",
    "problem.py",
    "route53.py",
    "route53_changes.py",
    "route53_push.py",
    "route53_records.py",
    "serial.py",
    "wire.py",
    "zone_change.py",
    "zone_text.py",
)
# A zone that changes again in each of so many rounds is left to the next start.
ROUNDS = 10
# Seconds that another push is waited for: one of a large zone may take minutes.
PATIENCE = 900.0
# Options of the module that are of no use here.
_OF_THE_MODULE = frozenset(("strict",))


class Config(NamedTuple):
    """What CONFIG.json says."""

    zones: Sequence[Mapping[str, Any]]
    settings: route53.Settings
    state_file: str


def read_config(path: str) -> Config:
    """:raises InputError: with the file, for what is no such object."""
    try:
        with open(path, encoding="utf-8") as file:
            values = json.load(file)
    except OSError as error:
        raise _wrong(path, "Can't read it: %s" % error.strerror) from None
    except ValueError as error:
        raise _wrong(path, "It is not JSON: %s" % error) from None
    if not isinstance(values, dict):
        raise _wrong(path, "It is not a JSON object")
    known = set(route53.Settings._fields) | {"zones", "state_file"} | _OF_THE_MODULE
    unknown = sorted(set(values) - known)
    if unknown:
        raise _wrong(path, "There is no option %s" % ", ".join(unknown))
    missing = [name for name in ("address", "state_file") if not values.get(name)]
    missing += [name for name in ("zones",) if name not in values]
    if missing:
        raise _wrong(path, "It lacks %s" % ", ".join(missing))
    zones = values["zones"]
    if not isinstance(zones, list) or not all(isinstance(zone, dict) and zone.get("name") for zone in zones):
        raise _wrong(path, "zones is not a list of objects with a name")
    try:
        settings = {
            name: _typed(values[name], route53.Settings._field_defaults.get(name))
            for name in route53.Settings._fields
            if values.get(name) not in (None, "")
        }
    except ValueError as error:
        raise _wrong(path, str(error)) from None
    return Config(zones, route53.Settings(**settings), values["state_file"])


def _typed(value: Any, default: Any) -> Any:
    """The value of an option: templates of ansible-core before 2.19 make texts of numbers and truth values.

    :raises ValueError: for a text that is none.
    """
    if isinstance(default, bool):
        if str(value).lower() not in ("true", "false"):
            raise ValueError("%r is neither true nor false" % (value,))
        return str(value).lower() == "true"
    if isinstance(default, (int, float)):
        return type(default)(value)
    return value


def _wrong(path: str, reason: str) -> InputError:
    return InputError([Problem(reason, "The playbook site writes it anew", file=path)])


def read_state(path: str) -> Dict[str, int]:
    """Zone -> serial pushed last. A file that is missing or damaged is none: then all zones are compared."""
    try:
        state = json.loads(files.read_file(path) or "{}")
    except ValueError:
        return {}
    if not isinstance(state, dict):
        return {}
    return {zone: serial for zone, serial in state.items() if isinstance(serial, int)}


@contextmanager
def one_at_a_time(directory: Optional[str]) -> Iterator[None]:
    """The only push on this host, of the program or a run: a zone is transferred when those before have ended.

    Else one that transferred an older serial could write it after the newer one.

    :param directory: where the lock is; None for none.
    :raises OSError: EBUSY where others take longer than PATIENCE.
    """
    if directory is None:
        yield
        return
    with files.alone_in(directory, lambda name: name.endswith(".json"), patience=PATIENCE):
        yield


def push(
    config: Config,
    sync: Callable[[Sequence[Mapping[str, Any]]], route53.Result],
    ask: Callable[[List[client.Question]], List[client.SerialSeen]],
    say: Callable[[str], None],
) -> bool:
    """Push what is new until nothing is; whether all zones are at Route 53 as the server has them.

    :raises OSError: where the state file can't be written.
    """
    state = read_state(config.state_file)
    zones = {zone["name"]: zone for zone in config.zones}
    failed: Dict[str, None] = {}
    for _round in range(ROUNDS):
        due, silent = _due([name for name in zones if name not in failed], config.settings, state, ask)
        for answer in silent:
            failed[answer.zone] = None
            say("%s: the name server gives no serial (%s)" % (answer.zone, answer.detail or answer.status))
        if not due:
            break
        result = sync([zones[name] for name in due])
        for each in result.zones:
            if each["name"] in result.pushed:
                counts = (each["added"], each["changed"], each["deleted"], each["serial"], each["batches"])
                said = "%d added, %d changed, %d deleted, serial %s, %d requests" % counts
                say("%s: %s" % (each["name"], said))
        for text in result.warnings + told(result.problems):
            say(text)
        state.update(result.pushed)
        files.put_file(config.state_file, json.dumps(state, indent=0, sort_keys=True) + "\n", 0o644)
        wrong = {problem.zone for problem in result.problems}
        for name in due:
            if name not in result.pushed:
                failed[name] = None
                if name not in wrong:
                    say("%s: after the push its record sets differ from what was sent" % name)
    return not failed


def _due(
    names: List[str],
    settings: route53.Settings,
    state: Mapping[str, int],
    ask: Callable[[List[client.Question]], List[client.SerialSeen]],
) -> Tuple[List[str], List[client.SerialSeen]]:
    """The zones whose serial is not the one pushed last, and the answers that have none."""
    answers = ask([client.Question(name, settings.address, settings.port) for name in names]) if names else []
    due = [answer.zone for answer in answers if answer.serial is not None and answer.serial != state.get(answer.zone)]
    return due, [answer for answer in answers if answer.serial is None]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: Optional[Sequence[str]] = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 1:
        _say("usage: route53_push CONFIG.json")
        return 1
    try:
        config = read_config(arguments[0])
        key = route53.read_key(config.settings.key_file)
        connection: List[Any] = []

        def sync(zones: Sequence[Mapping[str, Any]]) -> route53.Result:
            if not connection:  # boto3 takes a moment to set up, which a start without changes need not
                connection.append(route53.connect(config.settings))
            return route53.sync(zones, config.settings, connection[0], key=key)

        with one_at_a_time(os.path.dirname(config.state_file)):
            good = push(config, sync, client.ask_serials, _say)
    except InputError as error:
        _say("\n".join(told(error.problems)))
        return 1
    except OSError as error:
        _say("%s: %s" % (error.filename or "this host", error.strerror or error))
        return 1
    except (TypeError, ValueError) as error:
        _say("%s: %s" % (arguments[0], error))
        return 1
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
