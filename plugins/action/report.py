# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``report``: prints, writes and judges on the controller."""

from __future__ import annotations

import json
from typing import Any

from ansible.utils.display import Display
from ansible_collections.dnsops.redundant_dns.plugins.module_utils import report
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import FAILED, NOT_CHECKED, WARNING, row
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem
from ansible_collections.dnsops.redundant_dns.plugins.plugin_utils.actions import InputAction

DISPLAY = Display()


class ActionModule(InputAction):
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        _validation, args = self.validate_argument_spec(
            argument_spec={
                "rows": {"type": "list", "elements": "dict", "required": True},
                "servers": {"type": "list", "elements": "str", "required": True},
                "absent": {"type": "list", "elements": "str", "default": []},
                "file": {"type": "path"},
                "show": {"type": "str"},
            }
        )
        rows = [dict(each) for each in args["rows"]] + _absent_rows(args["absent"])
        column = {server: index for index, server in enumerate(args["servers"])}
        rows.sort(key=lambda each: (each["zone"], column.get(each["server"], -1), each["check"], each["address"]))
        bad = report.problem_lines(rows)
        if args["show"]:
            lines = report.show(report.select(rows, args["show"]))
        else:
            lines = report.table([each for each in rows if each["zone"]], args["servers"])
            lines += ["", *bad] if bad else []
        if args["file"]:
            _write(args["file"], rows)
        summary = report.summary(rows)
        lines += [
            "",
            report.refusal_line(rows),
            "%d checks ok, %d failed, %d not checked" % (summary["ok"], summary[FAILED], summary[NOT_CHECKED])
            + (", %s" % report.counted(summary[WARNING], "warning") if summary[WARNING] else ""),
        ]
        DISPLAY.display("\n" + "\n".join(lines) + "\n")
        result: dict[str, Any] = {"changed": False, "summary": summary}
        if summary[FAILED]:
            result.update(failed=True, msg="\n".join(line for line in bad if line.startswith(FAILED)))
        return result


def _write(path: str, rows: list[dict[str, Any]]) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")
    except OSError as error:
        raise InputError([
            Problem("dns_report_file cannot be written: %s" % error.strerror, "Name another file", file=path)
        ]) from error  # fmt: skip


def _absent_rows(hosts: list[str]) -> list[dict[str, Any]]:
    """A host that the run could not use: what only it can check has not been checked."""
    detail = "this run could not use the host, so its zone transfers were not checked"
    return [row("transfer", "", host, "", NOT_CHECKED, "host absent", None, detail) for host in hosts]
