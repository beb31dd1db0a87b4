"""Write the tables of variables in the READMEs of the roles, from their argument_specs.

tables.py [--check]    with --check, change nothing and fail where a table is not what the specification says
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
# An entry point's table stands between these two lines.
BEGIN, END = "<!-- variables of %s: make tables -->", "<!-- end -->"


def cell(text: str | list[str]) -> str:
    """A description in ansible-doc's markup as Markdown in one line."""
    words = " ".join(text if isinstance(text, list) else [text])
    return re.sub(r"\b[CVO]\(([^)]*)\)", r"`\1`", " ".join(words.split())).replace("|", r"\|")


def table(options: dict[str, Any]) -> str:
    lines = ["| Variable | Type | Default | Meaning |", "|---|---|---|---|"]
    for name, option in options.items():
        default = "required" if option.get("required") else "`%s`" % json.dumps(option["default"])
        lines.append("| `%s` | %s | %s | %s |" % (name, option["type"], default, cell(option["description"])))
    return "\n".join(lines)


def with_tables(readme: str, specs: dict[str, Any]) -> str:
    """The README with the tables that its entry points should have."""
    for entry_point, spec in specs.items():
        begin = BEGIN % entry_point
        if spec["options"]:
            before, rest = readme.split(begin + "\n", 1)
            readme = before + begin + "\n\n" + table(spec["options"]) + "\n\n" + END + rest.split(END, 1)[1]
    return readme


def main() -> None:
    stale = []
    for path in sorted(ROOT.glob("roles/*/README.md")):
        specs = yaml.safe_load((path.parent / "meta" / "argument_specs.yml").read_text())["argument_specs"]
        readme = path.read_text()
        wanted = with_tables(readme, specs)
        if wanted != readme:
            stale.append(str(path.relative_to(ROOT)))
            if "--check" not in sys.argv[1:]:
                path.write_text(wanted)
    if "--check" in sys.argv[1:] and stale:
        sys.exit("Not what the argument_specs say; run 'make tables': %s" % ", ".join(stale))


if __name__ == "__main__":
    main()
