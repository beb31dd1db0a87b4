"""Writes docs/faults.md from the rows that the tests of faults have left; see Makefile."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROWS = ROOT / ".cache" / "faults"
DOCUMENT = ROOT / "docs" / "faults.md"
SECTIONS = ("Changes", "Servers and the network", "Runs that are cut off")


def main() -> None:
    rows = [json.loads(path.read_text()) for path in sorted(ROWS.glob("*/*.json"))]
    about: dict[str, Any] = json.loads((ROWS / "rest" / "about").read_text())
    text = (Path(__file__).parent / "head.md").read_text().format(**about)
    for section in SECTIONS:
        text += "\n## %s\n\n" % section
        text += "| Event | Queries | Unanswered by the service | Wrong | Old | Failed attempts ns1/2/3 | Seconds |\n"
        text += "|---|---|---|---|---|---|---|\n"
        for row in rows:
            if row["section"] == section:
                failed = " / ".join("%d" % count for count in row["failed"])
                counts = tuple(row[name] for name in ("queries", "unanswered", "wrong", "old"))
                text += "| %s | %d | %d | %d | %d | %s | %.1f |\n" % (row["event"], *counts, failed, row["seconds"])
    DOCUMENT.write_text(text)


if __name__ == "__main__":
    sys.exit(main())
