"""Start the stand-ins of Cloudflare and Route 53, the name servers of both, and a resolver that knows their parents.

    python3 -m cloud.stand_in CONFIG.json        (in the folder tests, or what it is mounted as)

CONFIG.json, where every address is one of this host:

    {"cloudflare": {"address": "192.0.2.30", "port": 8080, "accounts": ["0123..."], "token": "...",
                    "name_servers": ["ns0101.secondary.cloudflare.com", ...], "dns_addresses": ["192.0.2.31"]},
     "route53": {"address": "192.0.2.32", "port": 5000, "dns_addresses": ["192.0.2.32"]},
     "resolver": {"addresses": ["192.0.2.33"], "control_port": 8080, "parents": ["com", ...],
                  "server": "a.parents.example", "names": {"NAME": ["ADDRESS", ...]},
                  "delegations": {"ZONE": ["NAME", ...]}}}

Cloudflare's ``address`` is that of its API, of its transfers, and where it listens for NOTIFY. DNS is at port 53.
Told to systemd as ready when all of it answers. All state is in memory.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import dns.name
import dns.zone
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from .cloudflare import CloudflareStandIn
from .dns_face import DnsFace, Respond, authoritative
from .resolver_face import ResolverFace
from .route53_face import HostedZones


def serve(respond: Respond, addresses: list[str]) -> None:
    face = DnsFace(respond)
    for address in addresses:
        face.start(address)


def start_cloudflare(config: dict[str, Any]) -> None:
    stand_in = CloudflareStandIn(
        config["accounts"], config["token"], config["name_servers"], transfer_source=config["address"]
    )
    stand_in.start(config["address"], config["port"])
    stand_in.start_notify(config["address"], 53)

    def lookup(name: dns.name.Name) -> dns.zone.Zone | None:
        return stand_in.zone(name.to_text(omit_final_dot=True))

    serve(authoritative(lookup), config["dns_addresses"])


def start_route53(config: dict[str, Any]) -> None:
    ThreadedMotoServer(config["address"], config["port"]).start()
    hosted_zones = HostedZones("http://%s:%d" % (config["address"], config["port"]))
    serve(authoritative(hosted_zones.zone), config["dns_addresses"])


def start_resolver(config: dict[str, Any]) -> None:
    face = ResolverFace(config["parents"], config["server"], config["names"])
    for zone, name_servers in config["delegations"].items():
        face.delegate(zone, name_servers)
    serve(face.respond, config["addresses"])
    face.start_control(config["addresses"][0], config["control_port"])


def tell_systemd() -> None:
    """sd_notify(3), where systemd started this."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.connect("\0" + path[1:] if path.startswith("@") else path)
            notify.send(b"READY=1")


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python3 -m cloud.stand_in CONFIG.json", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    # A line for each request is too much.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    config = json.loads(Path(arguments[0]).read_text())
    # Before any thread begins: all of them leave the signal to this one.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    start_route53(config["route53"])
    start_cloudflare(config["cloudflare"])
    start_resolver(config["resolver"])
    tell_systemd()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
