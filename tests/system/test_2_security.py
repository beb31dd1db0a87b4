"""Who may transfer, and what the servers tell strangers."""

from __future__ import annotations

import re
import subprocess

import pytest

from .conftest import HOSTS, NS1, NS2, NS3, Fleet

ZONE = "example.com"


def allowed(fleet: Fleet, server: str, source: str, key: str) -> bool:
    """The links of this fleet, written down by hand."""
    if ".self." in key:
        return source == server and key.endswith(".self.%s" % server)
    return server == NS1 and source in (NS2, NS3) and ".%s.from." % source in key


def test_every_server_gives_zones_to_its_links_only(fleet: Fleet) -> None:
    """Every server and address, asked from every host, with every key there is, and without one."""
    keys = {name: key for host in HOSTS for name, key in fleet.keys(host).items()}
    assert len(keys) == 5
    outcomes = []
    for source in HOSTS:
        script = ""
        for server in HOSTS:
            for address in fleet.addresses(server):
                for name, key in [("none", ""), *keys.items()]:
                    script += "echo '#### %s %s %s'; dig %s @%s %s AXFR +tries=1 +time=5 || true\n" % (
                        server, address, name, "-y %s" % key if key else "", address, ZONE,
                    )  # fmt: skip
        for block in fleet.tools(source, script).split("#### ")[1:]:
            server, address, name = block.split("\n")[0].split()
            transferred = "XFR size:" in block
            refused = "Transfer failed" in block
            assert transferred != refused, block
            outcomes.append((source, server, name, transferred))
    assert len(outcomes) == 3 * 6 * 6
    for source, server, name, transferred in outcomes:
        assert transferred == allowed(fleet, server, source, name), (source, server, name)
    # Both links over both address families, and three self links over two.
    assert sum(transferred for *_rest, transferred in outcomes) == 2 * 2 + 3 * 2


@pytest.mark.parametrize("host", HOSTS)
def test_authoritative_only(fleet: Fleet, host: str) -> None:
    said = subprocess.run(
        ["dig", "@%s" % fleet.addresses(host)[0], "www.iana.org", "A", "+tries=1"],
        check=False,
        text=True,
        capture_output=True,
    ).stdout
    assert "status: REFUSED" in said and " ra;" not in said and re.search(r"flags: qr rd;", said)
    own = subprocess.run(
        ["dig", "@%s" % fleet.addresses(host)[0], ZONE, "A"], check=False, text=True, capture_output=True
    ).stdout
    assert "status: NOERROR" in own and re.search(r"flags: qr aa rd;", own)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("name", ["version.bind", "hostname.bind", "id.server", "version.server"])
def test_version_and_host_name_are_hidden(fleet: Fleet, host: str, name: str) -> None:
    command = ["dig", "@%s" % fleet.addresses(host)[0], name, "CH", "TXT", "+tries=1"]
    said = subprocess.run(command, check=False, text=True, capture_output=True).stdout
    assert "status: " in said
    assert "ANSWER: 0" in said, said


@pytest.mark.parametrize("host", HOSTS)
def test_answers_are_minimal(fleet: Fleet, host: str) -> None:
    command = ["dig", "@%s" % fleet.addresses(host)[0], "www.%s" % ZONE, "A", "+norecurse"]
    said = subprocess.run(command, check=False, text=True, capture_output=True).stdout
    assert "status: NOERROR" in said and "AUTHORITY: 0" in said


# The same question again and again, as fast as it is answered; prints how many times there was no whole answer.
BURST = """
import socket, struct
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(("{address}", 53))
name = b"".join(bytes([len(label)]) + label for label in b"{zone}".split(b".")) + bytes(1)
limited = 0
for number in range({questions}):
    client.send(struct.pack("!6H", number, 0, 1, 0, 0, 0) + name + struct.pack("!2H", 6, 1))
    client.settimeout({seconds})
    try:
        limited += bool(client.recv(4096)[2] & 2)
    except socket.timeout:
        limited += 1
    if limited == 20:
        break
print(limited)
"""


@pytest.mark.parametrize("host", HOSTS)
def test_strangers_are_rate_limited(fleet: Fleet, host: str) -> None:
    script = BURST.format(address=fleet.addresses(host)[0], zone=ZONE, questions=3000, seconds=0.05)
    said = subprocess.run(["python3", "-c", script], check=True, text=True, capture_output=True).stdout
    assert int(said) == 20


@pytest.mark.parametrize("host", [NS1, NS2])
def test_own_servers_are_not_rate_limited(fleet: Fleet, host: str) -> None:
    script = BURST.format(address=fleet.addresses(host)[0], zone=ZONE, questions=1000, seconds=2)
    assert int(fleet.tools(NS3, "python3 -c '%s'" % script)) == 0
