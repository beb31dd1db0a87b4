"""What is superfluous in a directory of zone files, and what is not."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.dnsops.redundant_dns.plugins.modules import prune


def test_only_files_of_zones_that_are_gone_are_superfluous(tmp_path: Path) -> None:
    kept = ["a.test.zone", "a.test.zone.jnl", "a.test.zone~", ".published.json", "tmp-Xa81kd02Lw"]
    gone = ["b.test.zone", "b.test.zone.jnl", "a.test", "xa.test.zone"]
    for name in kept + gone:
        (tmp_path / name).write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.zone").symlink_to(tmp_path / "a.test.zone")
    assert prune.superfluous(str(tmp_path), {"a.test.zone"}) == sorted(str(tmp_path / name) for name in gone)
    assert prune.superfluous(str(tmp_path / "nowhere"), {"a.test.zone"}) == []
