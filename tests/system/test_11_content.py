"""Content that must not go live, a server that does not survive it, and serials that never go back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from .conftest import HOSTS, NS1, NS2, NS3, Fleet, wait_until
from .test_3_changes import edit

# A zone that an author numbers by hand, at the end of all serials (RFC 1982).
WRAP = """$TTL 300
@ SOA ns1.example.net. hostmaster.example.net. 4294967295 3600 600 1209600 300
@ NS ns1.example.net.
@ NS ns2.example.net.
"""
HOST = "host%d A 192.0.2.%d\n"


def serials(fleet: Fleet, zone: str) -> list[int | None]:
    return [fleet.serial(host, zone) for host in HOSTS]


def answer(fleet: Fleet, host: str, name: str) -> str:
    return fleet.tools(host, "dig +short +norecurse @%s %s A" % (fleet.addresses(host)[0], name)).strip()


@pytest.fixture(scope="module", autouse=True)
def zone(fleet: Fleet, demo_zones: None) -> Iterator[None]:
    """A zone of twelve records beside its SOA, for this module alone."""
    path = fleet.zones / "wrap.example.zone"
    path.write_text(WRAP + "".join(HOST % (number, number) for number in range(10)))
    fleet.site().expect(0)
    assert serials(fleet, "wrap.example") == [4294967295] * 3
    yield
    path.unlink()
    fleet.site().expect(0)


def test_content_that_takes_too_much_away_is_held_back_until_somebody_means_it(fleet: Fleet) -> None:
    path = fleet.zones / "wrap.example.zone"
    path.write_text(WRAP + "".join(HOST % (number, number) for number in range(6)))
    before = fleet.serial(NS1, "example.org")
    edit(fleet, "example.org", "192.0.2.25", "192.0.2.26")

    check = fleet.site("--check")
    assert check.code != 0
    assert re.search(r"wrap.example: 0 added, 0 changed, 4 deleted: HELD BACK", check.output)
    assert re.search(r"example.org: 0 added, 1 changed, 0 deleted, serial %d -> \d+" % before, check.output)
    assert fleet.serial(NS1, "example.org") == before

    run = fleet.site()
    assert run.code != 0
    assert (
        "it changes or deletes 4 of 12 records, and only 30 % may change at once. If that is meant, run once with"
        in (run.output)
    )
    assert re.search(r"^wrap.example .*FAILED: ns1.example.net held back", run.output, re.M)
    assert serials(fleet, "wrap.example") == [4294967295] * 3
    assert [answer(fleet, host, "host9.wrap.example") for host in HOSTS] == ["192.0.2.9"] * 3
    assert len(set(serials(fleet, "example.org"))) == 1 and fleet.serial(NS1, "example.org") != before

    # Past the end of all serials comes 1: 0 is no serial to some servers.
    fleet.site("-e", "dns_allow_changes=wrap.example").expect(0)
    assert serials(fleet, "wrap.example") == [1] * 3
    assert [answer(fleet, host, "host9.wrap.example") for host in HOSTS] == [""] * 3
    assert [answer(fleet, host, "host5.wrap.example") for host in HOSTS] == ["192.0.2.5"] * 3


def test_a_primary_that_dies_of_a_reload_runs_again_with_the_last_good_content(fleet: Fleet) -> None:
    serial = fleet.serial(NS1, "example.com")
    assert serial is not None
    # rndc reload kills named, and systemd does not start it again.
    fleet.on(
        NS1,
        """
        mkdir -p /run/systemd/system/named.service.d
        printf '[Service]\\nRestart=no\\n' > /run/systemd/system/named.service.d/test.conf
        systemctl daemon-reload
        mv /usr/sbin/rndc /usr/sbin/rndc.real
        cat > /usr/sbin/rndc <<'END'
#!/bin/sh
if [ "$1" = reload ]; then exec systemctl kill --signal KILL named; fi
exec /usr/sbin/rndc.real "$@"
END
        chmod 755 /usr/sbin/rndc
        """,
    )
    process = fleet.on(NS1, "systemctl show -p MainPID --value named")
    try:
        edit(fleet, "example.com", "192.0.2.82", "192.0.2.83")
        run = fleet.site()
        assert run.code != 0
        assert "It did not answer at all, and was restarted. The old content is back, under serial" in run.output
        assert re.search(r"^example.com .*FAILED: ns1.example.net held back", run.output, re.M)
        assert fleet.on(NS1, "systemctl show -p MainPID --value named") != process
        rolled = serials(fleet, "example.com")
        assert len(set(rolled)) == 1 and rolled[0] is not None and rolled[0] > serial
        assert [answer(fleet, host, "sip.example.com") for host in HOSTS] == ["192.0.2.82"] * 3
    finally:
        fleet.on(
            NS1,
            """
            mv /usr/sbin/rndc.real /usr/sbin/rndc
            rm -r /run/systemd/system/named.service.d
            systemctl daemon-reload
            """,
        )
    fleet.site().expect(0)
    assert [answer(fleet, host, "sip.example.com") for host in HOSTS] == ["192.0.2.83"] * 3


def test_a_restored_backup_of_the_primary_is_told_and_repaired(fleet: Fleet) -> None:
    """The content is that of the backup again, so that only the serials tell."""
    fleet.on(NS1, "tar -C /var/lib/bind -cf /root/backup.tar primary")
    edit(fleet, "example.org", "192.0.2.26", "192.0.2.27")
    fleet.site().expect(0)
    ahead = fleet.serial(NS2, "example.org")
    assert ahead is not None
    edit(fleet, "example.org", "192.0.2.27", "192.0.2.26")
    fleet.on(
        NS1,
        "systemctl stop named; rm -r /var/lib/bind/primary; tar -C /var/lib/bind -xf /root/backup.tar;"
        " systemctl start named; rm /root/backup.tar",
    )
    wait_until(lambda: fleet.serial(NS1, "example.org") is not None, 10)

    run = fleet.site("-e", "dns_verify_timeout=3")
    assert run.code != 0
    repair = "-e dns_raise_serials=example.org"
    for host in (NS2, NS3):
        assert re.search(r"failed: %s, serial: ahead for example.org .*%s" % (host, repair), run.output)

    fleet.site(*repair.split()).expect(0)
    raised = serials(fleet, "example.org")
    assert len(set(raised)) == 1 and raised[0] is not None and raised[0] > ahead
    assert [answer(fleet, host, "mail.example.org") for host in HOSTS] == ["192.0.2.26"] * 3
    assert fleet.site("-e", "dns_raise_serials=all").expect(0).changed() == dict.fromkeys(HOSTS, 0)
