"""The first runs on fresh hosts: check mode, deploy, run again."""

from __future__ import annotations

import re

from .conftest import HOSTS, NS1, NS2, NS3, Deployment, Fleet

UNITS = {NS1: "named", NS2: "named", NS3: "nsd"}
MAIN_FILES = {NS1: "/etc/bind/named.conf", NS2: "/etc/bind/named.conf", NS3: "/etc/nsd/nsd.conf"}


def test_check_mode_on_a_fresh_host_tells_what_would_happen_and_does_nothing(deployment: Deployment) -> None:
    assert all(count > 0 for count in deployment.check.changed().values())
    assert "+zone " in deployment.check.output and "+example.com" not in deployment.check.output
    assert "/etc/bind/named.conf (absent)" in deployment.check.output
    assert deployment.after_check == dict.fromkeys(HOSTS, "")


def test_the_deploy_ends_with_a_table(deployment: Deployment) -> None:
    lines = deployment.first.output.splitlines()
    header = next(index for index, line in enumerate(lines) if re.match(r"zone +ns1", line))
    assert lines[header].split() == ["zone", *HOSTS, "verdict"]
    for zone, line in zip(("2.0.192.in-addr.arpa", "example.com", "example.org"), lines[header + 2 :]):
        assert re.match(r"%s( +\d+){3} +ok: serial, transfer, content$" % re.escape(zone), line), line


def test_a_second_run_changes_nothing_and_needs_few_modules(fleet: Fleet) -> None:
    """Not with a new comment in a zone file either."""
    serial = fleet.serial(NS1, "example.com")
    path = fleet.zones / "example.com.zone"
    path.write_text("; only a comment\n" + path.read_text())
    run = fleet.site("-vvv").expect(0)
    assert run.changed() == dict.fromkeys(HOSTS, 0)
    assert fleet.serial(NS1, "example.com") == serial
    # Each "Using module file" is followed by the connection that runs it.
    runs = re.findall(r"Using module file \S+\n(?:.*\n)*?<([^>]+)> EXEC", run.output)
    for host in HOSTS:
        assert 5 <= runs.count(fleet.container(host)) <= 20


def test_all_servers_answer_with_authority_on_every_address(fleet: Fleet) -> None:
    for host in HOSTS:
        assert len(fleet.addresses(host)) == 2
        for address in fleet.addresses(host):
            assert fleet.serial(host, "example.com", address) is not None
            assert fleet.serial(host, "not.ours.example", address) is None


def test_all_servers_hold_what_the_files_say(fleet: Fleet) -> None:
    fleet.compare_with_files()


def test_nothing_but_our_configuration_was_ever_live(fleet: Fleet) -> None:
    for host in HOSTS:
        started = fleet.on(host, "journalctl -u %s -o short-unix --no-pager | head -n 1" % UNITS[host])
        written = fleet.on(host, "stat -c %%.9Y %s" % MAIN_FILES[host])
        assert float(started.split()[0]) > float(written), "%s ran before its configuration was there" % host
        assert fleet.on(host, "systemctl is-enabled %s" % UNITS[host]).strip() == "enabled"


def test_no_default_zones_are_served(fleet: Fleet) -> None:
    for host in HOSTS:
        for zone in ("localhost", "127.in-addr.arpa", "."):
            assert fleet.serial(host, zone) is None


def test_key_files_are_for_root_and_the_daemon(fleet: Fleet) -> None:
    for host, group in ((NS1, "bind"), (NS2, "bind"), (NS3, "nsd")):
        files = fleet.on(host, "stat -c '%a %U %G' /etc/bind/keys/*.key /etc/nsd/keys/*.key 2>/dev/null || true")
        assert files.splitlines() and set(files.splitlines()) == {"640 root %s" % group}


def test_a_host_has_the_keys_of_its_own_links_only(fleet: Fleet) -> None:
    keys = {host: set(fleet.keys(host)) for host in HOSTS}
    assert len(keys[NS1]) == 3 and len(keys[NS2]) == 2 and len(keys[NS3]) == 2
    assert keys[NS2] & keys[NS3] == set()
    assert len(keys[NS1] & keys[NS2]) == 1 and len(keys[NS1] & keys[NS3]) == 1


def test_secrets_are_nowhere_but_in_the_key_files(fleet: Fleet, deployment: Deployment) -> None:
    secrets = {key.split(":")[2] for host in HOSTS for key in fleet.keys(host).values()}
    assert len(secrets) == 5
    for secret in secrets | {fleet.master_secret}:
        assert secret not in deployment.first.output
        assert secret not in deployment.check.output
        assert secret not in deployment.processes
    assert "ansible-playbook" in deployment.processes and "named-checkconf" in deployment.processes
    for host in HOSTS:
        patterns = "\n".join(secrets | {fleet.master_secret})
        script = (
            "journalctl --no-pager > /var/tmp/journal; cat > /var/tmp/patterns <<'END'\n%s\nEND\n"
            "grep -rlFf /var/tmp/patterns /etc /var /root /home /tmp /run 2>/dev/null || true; rm /var/tmp/journal"
            % patterns
        )
        found = set(fleet.on(host, script).split()) - {"/var/tmp/patterns"}
        assert found and all(re.fullmatch(r"/etc/(bind|nsd)/keys/[^/]+\.key", path) for path in found), found
