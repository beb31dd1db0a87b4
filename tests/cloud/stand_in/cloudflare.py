"""A stand-in for Cloudflare's API: zones of type secondary, peers, TSIGs, and zone transfers that are real.

It answers as Cloudflare's documentation has it (https://developers.cloudflare.com/api/) and enforces the rules written
there. Where that is silent it is as strict as anybody reported: what is assumed is marked "assumed". Needs only
dnspython.

For tests: POST /_stand_in/fail (see :class:`Failure`), DELETE /_stand_in/fail, GET and DELETE /_stand_in/log.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
import socket
import socketserver
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.xfr
import dns.zone

BASE = "/client/v4"
NAME_SERVERS = ("ns0123.secondary.cloudflare.com", "ns0456.secondary.cloudflare.com")
TYPES = ("full", "partial", "secondary", "internal")
MOST_PEERS = 30
LEAST_REFRESH = 300
# Zones on a page: by default, and at most.
PAGE, LARGEST_PAGE = 20, 50

Object = dict[str, Any]


@dataclass
class Failure:
    """What goes wrong on purpose, with the next ``count`` requests whose "METHOD /path" matches ``pattern``.

    ``status`` is answered (None: closes the connection), with ``retry_after``, ``location`` and ``text`` as its body;
    ``hang`` seconds pass before. ``after``: the request is carried out first, so that only its answer is lost.
    """

    status: int | None = 500
    count: int = 1
    pattern: str = "."
    retry_after: str | None = None
    location: str | None = None
    text: str | None = None
    hang: float = 0
    after: bool = False


class Refused(Exception):
    """An answer with success: false."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class CloudflareStandIn:
    """Accounts, their objects, and the zones transferred.

    :param accounts: their IDs. :param token: the one that is valid, for all of them.
    :param name_servers: what a new zone is given.
    :param transfer_source: local address that zone transfers come from.
    :param clock: time of day in seconds, for the refresh.
    """

    def __init__(
        self,
        accounts: Iterable[str],
        token: str,
        name_servers: Sequence[str] = NAME_SERVERS,
        transfer_source: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.accounts = set(accounts)
        self.token = token
        self.name_servers = list(name_servers)
        self.transfer_source = transfer_source
        self.clock = clock
        self.entitled = True
        self.zones: dict[str, Object] = {}
        self.tsigs: dict[str, Object] = {}
        self.peers: dict[str, Object] = {}
        self.incoming: dict[str, Object] = {}
        self.failures: list[Failure] = []
        self.log: list[tuple[str, str]] = []
        self.transfers: list[tuple[str, str]] = []  # (zone, what came of it)
        self._contents: dict[str, dns.zone.Zone] = {}
        self._checked: dict[str, float] = {}
        self._lock = threading.RLock()
        self._servers: list[socketserver.BaseServer] = []
        self._stopped = threading.Event()

    # --- its life ----------------------------------------------------------------------------------------------------

    def start(self, address: str = "127.0.0.1", port: int = 0) -> str:
        """Serve the API; its URL."""
        server = _serve(type("Api", (_Http,), {"stand_in": self}), ThreadingHTTPServer, address, port)
        self._servers.append(server)
        threading.Thread(target=self._refresh, daemon=True).start()
        host = "[%s]" % address if ":" in address else address
        return "http://%s:%d%s" % (host, server.server_address[1], BASE)

    def start_notify(self, address: str = "127.0.0.1", port: int = 0) -> int:
        """Listen for NOTIFY over UDP and TCP; the port."""
        tcp = _serve(type("Tcp", (_Tcp,), {"stand_in": self}), socketserver.ThreadingTCPServer, address, port)
        self._servers.append(tcp)
        try:
            udp = _serve(
                type("Udp", (_Udp,), {"stand_in": self}), socketserver.ThreadingUDPServer, *tcp.server_address[:2]
            )
        except OSError:
            if port:
                raise
            return self.start_notify(address)  # that port was free for one of both only
        self._servers.append(udp)
        return udp.server_address[1]

    def stop(self) -> None:
        self._stopped.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def zone(self, name: str) -> dns.zone.Zone | None:
        """The content last transferred of a zone that is linked or was, for a name server in front."""
        return self._contents.get(_normal(name))

    def fail(self, **settings: Any) -> None:
        """Have something go wrong; see :class:`Failure`. ``entitlement`` switches Secondary DNS off or on."""
        if "entitlement" in settings:
            self.entitled = bool(settings.pop("entitlement"))
        if settings:
            self.failures.append(Failure(**settings))

    def writes(self) -> list[tuple[str, str]]:
        """The requests seen that were to change something."""
        return [each for each in self.log if each[0] != "GET"]

    # --- requests ----------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: Object, body: Any, token: str) -> tuple[int, Object]:
        """Status and envelope for a request."""
        try:
            with self._lock:
                self._authorise(path, token)
                result, info = self._route(method, path, query, body)
        except Refused as error:
            errors = [{"code": error.code, "message": str(error)}]
            return error.status, {"success": False, "errors": errors, "messages": [], "result": None}
        envelope: Object = {"success": True, "errors": [], "messages": [], "result": result}
        return 200, {**envelope, "result_info": info} if info else envelope

    def failure(self, request: str) -> Failure | None:
        with self._lock:
            for failure in self.failures:
                if failure.count and re.search(failure.pattern, request):
                    failure.count -= 1
                    return failure
        return None

    def _authorise(self, path: str, token: str) -> None:
        valid = token == self.token
        if path.endswith("/tokens/verify") and not valid:
            raise Refused(401, 1000, "Invalid API Token")
        if not valid and path.startswith("/accounts/"):
            raise Refused(403, 10000, "Authentication error")
        if not valid:
            raise Refused(403, 9109, "Invalid access token")
        account = path.split("/")[2] if path.startswith("/accounts/") else None
        if account is not None and not re.fullmatch("[0-9a-f]{32}", account):
            raise Refused(404, 7003, "Could not route to %s, perhaps your object identifier is invalid?" % path)
        if account is not None and account not in self.accounts:
            raise Refused(403, 10000, "Authentication error")

    def _route(self, method: str, path: str, query: Object, body: Any) -> tuple[Any, Object | None]:
        for pattern, function in (
            (r"/(?:user|accounts/[^/]+)/tokens/verify", self._verify),
            (r"/zones", self._zones),
            (r"/zones/([^/]+)", self._zone),
            (r"/zones/([^/]+)/secondary_dns/incoming", self._incoming),
            (r"/zones/([^/]+)/secondary_dns/force_axfr", self._force_axfr),
            (r"/accounts/([^/]+)/secondary_dns/(tsigs|peers)", self._objects),
            (r"/accounts/([^/]+)/secondary_dns/(tsigs|peers)/([^/]+)", self._object),
        ):
            match = re.fullmatch(pattern, path)
            if match:
                result = function(method, query, body, *match.groups())
                return _paged(result, query) if isinstance(result, list) else (result, None)
        raise Refused(404, 7000, "No route for that URI")

    def _verify(self, method: str, query: Object, body: Any) -> Object:
        return {"id": "0" * 32, "status": "active"}

    def _zones(self, method: str, query: Object, body: Any) -> Any:
        if method == "GET":
            asked = {"name": query.get("name"), "type": query.get("type"), "account": query.get("account.id")}
            seen = [{"zone": _told(zone), "name": zone["name"], "type": zone["type"], "account": zone["account"]["id"]}
                    for zone in self.zones.values()]  # fmt: skip
            return [each["zone"] for each in seen if all(v is None or each[k] == v for k, v in asked.items())]
        _only(method, "POST")
        _need(body, "name", "account")
        name, kind, account = _normal(body["name"]), body.get("type", "full"), (body["account"] or {}).get("id")
        if kind not in TYPES:
            raise Refused(400, 1003, "Invalid zone type")  # assumed: the code
        if account not in self.accounts:
            raise Refused(403, 1068, "Permission denied")
        if kind == "secondary" and not self.entitled:
            raise Refused(400, 1104, "Secondary zone signup not allowed")  # the message was seen; assumed: the code
        if any(zone["name"] == name for zone in self.zones.values()):
            raise Refused(400, 1061, "%s already exists" % name)
        if "." not in name:
            raise Refused(400, 1099, "We were unable to identify %s as a registered domain." % name)
        zone = {"id": _id(), "name": name, "type": kind, "status": "pending", "account": {"id": account}}
        zone["name_servers"] = list(self.name_servers)
        self.zones[zone["id"]] = zone
        return _told(zone)

    def _zone(self, method: str, query: Object, body: Any, zone_id: str) -> Object:
        zone = self._known(zone_id)
        if method == "GET":
            return _told(zone)
        _only(method, "DELETE")
        del self.zones[zone_id]
        self.incoming.pop(zone_id, None)
        self._contents.pop(zone["name"], None)
        return {"id": zone_id}

    def _known(self, zone_id: str) -> Object:
        if zone_id not in self.zones:
            raise Refused(400, 1001, "Invalid zone identifier")
        return self.zones[zone_id]

    def _incoming(self, method: str, query: Object, body: Any, zone_id: str) -> Object:
        zone = self._known(zone_id)
        there = self.incoming.get(zone_id)
        if method == "POST" and there is not None:
            raise Refused(409, 1005, "An incoming configuration exists already")  # assumed
        if method != "POST" and there is None:
            raise Refused(404, 1001, "Incoming zone transfer configuration not found")  # assumed: the code
        if method in ("POST", "PUT"):
            self._check_incoming(zone, body)
            known = there or {"id": _id(), "created_time": self._time(), "soa_serial": 0, "checked_time": None}
            new = {"name": _normal(body["name"]) + ".", "peers": list(body["peers"])}
            new.update(auto_refresh_seconds=body["auto_refresh_seconds"], modified_time=self._time())
            there = self.incoming[zone_id] = {**known, **new}
            if method == "POST":
                self._start_transfer(zone_id, force=True)
        elif method == "DELETE":
            del self.incoming[zone_id]
            return {"id": there["id"]}
        return dict(there)

    def _check_incoming(self, zone: Object, body: Any) -> None:
        _need(body, "name", "peers", "auto_refresh_seconds")
        if zone["type"] != "secondary":
            raise Refused(400, 1002, "The zone is not a secondary zone")  # assumed
        if _normal(body["name"]) != zone["name"]:
            raise Refused(400, 1002, "The name is not that of the zone")  # assumed
        if not isinstance(body["auto_refresh_seconds"], int) or body["auto_refresh_seconds"] < LEAST_REFRESH:
            raise Refused(400, 1004, "auto_refresh_seconds must be at least %d" % LEAST_REFRESH)
        if len(body["peers"]) > MOST_PEERS:
            raise Refused(400, 1004, "No more than %d peers can be linked to a zone" % MOST_PEERS)
        for peer in body["peers"]:
            if peer not in self.peers or self.peers[peer]["account"] != zone["account"]["id"]:
                raise Refused(400, 1004, "There is no peer %s" % peer)

    def _force_axfr(self, method: str, query: Object, body: Any, zone_id: str) -> str:
        _only(method, "POST")
        self._known(zone_id)
        if zone_id not in self.incoming:
            raise Refused(404, 1001, "Incoming zone transfer configuration not found")
        self._start_transfer(zone_id, force=True)
        return "OK"

    def _objects(self, method: str, query: Object, body: Any, account: str, kind: str) -> Any:
        objects = getattr(self, kind)
        if method == "GET":
            return [_shown(each) for each in objects.values() if each["account"] == account]
        _only(method, "POST")
        _need(body, *(("name", "algo", "secret") if kind == "tsigs" else ("name",)))
        made: Object = {"id": _id(), "account": account}
        # The documented request to create a peer has its name alone; the rest comes by PUT.
        made.update(self._tsig(body) if kind == "tsigs" else {"name": body["name"]})
        objects[made["id"]] = made
        return _shown(made)

    def _object(self, method: str, query: Object, body: Any, account: str, kind: str, id_: str) -> Any:
        objects = getattr(self, kind)
        if id_ not in objects or objects[id_]["account"] != account:
            raise Refused(404, 1001, "Not found")  # assumed: the code
        if method == "PUT":
            _need(body, *(("name", "algo", "secret") if kind == "tsigs" else ("name",)))
            new = self._tsig(body) if kind == "tsigs" else self._peer(account, body)
            objects[id_] = {"id": id_, "account": account, **new}
        elif method == "DELETE":
            if kind == "peers" and any(id_ in each["peers"] for each in self.incoming.values()):
                raise Refused(400, 1007, "The peer is still linked to a zone")  # assumed: the code
            if kind == "tsigs" and any(peer.get("tsig_id") == id_ for peer in self.peers.values()):
                raise Refused(400, 1007, "The TSIG is still used by a peer")  # assumed: the code
            del objects[id_]
            return {"id": id_}
        return _shown(objects[id_])

    def _tsig(self, body: Object) -> Object:
        return {"name": _normal(body["name"]) + ".", "algo": body["algo"], "secret": body["secret"]}

    def _peer(self, account: str, body: Object) -> Object:
        peer = {key: body[key] for key in ("name", "ip", "port", "ixfr_enable", "tsig_id") if key in body}
        try:
            ipaddress.ip_address(peer.get("ip", "192.0.2.1"))
        except ValueError:
            raise Refused(400, 1004, "Invalid IP address") from None
        if "tsig_id" in peer and self.tsigs.get(peer["tsig_id"], {}).get("account") != account:
            raise Refused(400, 1004, "There is no such TSIG")
        return peer

    def _time(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock()))

    # --- transfers ---------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """What auto_refresh_seconds does."""
        while not self._stopped.wait(0.2):
            with self._lock:
                due = [id_ for id_, each in self.incoming.items()
                       if self.clock() - self._checked.get(id_, 0) >= each["auto_refresh_seconds"]]  # fmt: skip
                for zone_id in due:
                    self._start_transfer(zone_id, force=False)

    def _start_transfer(self, zone_id: str, force: bool) -> None:
        """In the background, as at Cloudflare: an answer of the API does not wait for it."""
        self._checked[zone_id] = self.clock()
        zone, incoming = self.zones[zone_id], self.incoming[zone_id]
        peers = [dict(self.peers[id_]) for id_ in incoming["peers"]]
        keys = [dict(self.tsigs[peer["tsig_id"]]) if "tsig_id" in peer else None for peer in peers]
        thread = threading.Thread(target=self._transfer, args=(zone_id, zone["name"], zip(peers, keys), force))
        thread.daemon = True
        thread.start()

    def _transfer(self, zone_id: str, name: str, ends: Iterable[tuple[Object, Object | None]], force: bool) -> None:
        """From the first peer that gives it. One that fails leaves the old content."""
        outcome = "no peer has an address"
        for peer, key in ends:
            if "ip" not in peer:
                continue
            try:
                content = axfr(name, peer["ip"], int(peer.get("port", 53)), key, self.transfer_source)
            except (OSError, EOFError, ValueError, dns.exception.DNSException) as error:
                outcome = "%s: %s %s" % (peer["ip"], type(error).__name__, error)
                continue
            serial = content.get_soa().serial
            with self._lock:
                incoming = self.incoming.get(zone_id)
                if incoming is not None:
                    held = self._contents.get(name)
                    if force or held is None or 0 < (serial - held.get_soa().serial) % 2**32 < 2**31:  # RFC 1982
                        self._contents[name] = content
                        incoming["soa_serial"] = serial
                    incoming["checked_time"] = self._time()
            outcome = "serial %d" % serial
            break
        self.transfers.append((name, outcome))

    def handle_notify(self, octets: bytes, source: str) -> bytes | None:
        """The answer to a NOTIFY (RFC 1996) from that address; None where it gets none."""
        with self._lock:
            keyring = {
                dns.name.from_text(tsig["name"]): dns.tsig.Key(tsig["name"], tsig["secret"], tsig["algo"])
                for tsig in self.tsigs.values()
            }
            try:
                message = dns.message.from_wire(octets, keyring=keyring)
            except dns.exception.DNSException:
                return None
            if message.opcode() != dns.opcode.NOTIFY or len(message.question) != 1:
                return None
            answer = dns.message.make_response(message)
            name = _normal(message.question[0].name.to_text())
            found = [id_ for id_, each in self.incoming.items() if _normal(each["name"]) == name]
            senders = {self.peers[peer].get("ip") for id_ in found for peer in self.incoming[id_]["peers"]}
            if source not in senders:
                answer.set_rcode(dns.rcode.REFUSED)
                return answer.to_wire()
            answer.flags |= dns.flags.AA
            self._start_transfer(found[0], force=False)
            return answer.to_wire()


def axfr(name: str, address: str, port: int, tsig: Object | None, source: str | None) -> dns.zone.Zone:
    """A zone transfer (RFC 5936), with TSIG where there is one (RFC 8945)."""
    zone = dns.zone.Zone(name)
    query = dns.message.make_query(zone.origin, dns.rdatatype.AXFR)
    if tsig is not None:
        query.use_tsig({dns.name.from_text(tsig["name"]): dns.tsig.Key(tsig["name"], tsig["secret"], tsig["algo"])})
    dns.query.inbound_xfr(address, zone, query, port, timeout=5, lifetime=60, source=source)
    return zone


def _paged(items: list[Object], query: Object) -> tuple[list[Object], Object]:
    size = min(int(query.get("per_page", PAGE)), LARGEST_PAGE)
    page = int(query.get("page", 1))
    shown = items[(page - 1) * size : page * size]
    pages = -(-len(items) // size)
    return shown, {
        "page": page, "per_page": size, "count": len(shown), "total_count": len(items), "total_pages": pages
    }  # fmt: skip


def _normal(name: str) -> str:
    return name.lower().rstrip(".")


def _id() -> str:
    return uuid.uuid4().hex


def _told(zone: Object) -> Object:
    """A zone as the API answers it: its name in Unicode."""
    labels = [
        label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label
        for label in zone["name"].split(".")
    ]
    return {**zone, "name": ".".join(labels)}


def _shown(item: Object) -> Object:
    return {key: value for key, value in item.items() if key != "account"}


def _only(method: str, allowed: str) -> None:
    if method != allowed:
        raise Refused(405, 10405, "Method not allowed for this authentication scheme")


def _need(body: Any, *names: str) -> None:
    for name in names:
        if not isinstance(body, dict) or body.get(name) in (None, ""):
            raise Refused(400, 1004, "%s is required" % name)  # assumed: the code


# --- servers ---------------------------------------------------------------------------------------------------------


def _serve(handler: type, server_class: type, address: str, port: int) -> Any:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    settings = {"address_family": family, "daemon_threads": True, "allow_reuse_address": True, "block_on_close": False,
                "request_queue_size": 128, "handle_error": _handle_error}  # fmt: skip
    server = type("Server", (server_class,), settings)((address, port), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


def _handle_error(server: socketserver.BaseServer, request: Any, client_address: Any) -> None:
    """A client that went away is no error here."""
    if not isinstance(sys.exc_info()[1], ConnectionError):
        socketserver.BaseServer.handle_error(server, request, client_address)


class _Http(BaseHTTPRequestHandler):
    stand_in: CloudflareStandIn
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        octets = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if parts.path.startswith("/_stand_in/"):
            self._send(200, json.dumps(self._administer(parts.path, octets)))
            return
        path = parts.path[len(BASE) :] if parts.path.startswith(BASE + "/") else parts.path
        self.stand_in.log.append((self.command, path))
        failure = self.stand_in.failure("%s %s" % (self.command, path))
        if failure is None or failure.after:
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            token = (self.headers.get("Authorization") or "").partition("Bearer ")[2]
            try:
                body = json.loads(octets) if octets else None
            except ValueError:
                body = None
            status, envelope = self.stand_in.answer(self.command, path, query, body, token)
            text = json.dumps(envelope)
        if failure is not None:
            time.sleep(failure.hang)
            if failure.status is None:
                self.close_connection = True
                return
            default = {"success": False, "errors": [{"code": 10013, "message": "on purpose"}], "result": None}
            status, text = failure.status, failure.text if failure.text is not None else json.dumps(default)
        self._send(status, text, failure)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def _administer(self, path: str, octets: bytes) -> Any:
        if path == "/_stand_in/fail" and self.command == "POST":
            self.stand_in.fail(**json.loads(octets))
        elif path == "/_stand_in/fail":
            self.stand_in.failures.clear()
        elif path == "/_stand_in/log" and self.command == "DELETE":
            self.stand_in.log.clear()
        elif path == "/_stand_in/log":
            return [{"method": method, "path": seen} for method, seen in self.stand_in.log]
        return {}

    def _send(self, status: int, text: str, failure: Failure | None = None) -> None:
        octets = text.encode("utf-8")
        self.send_response(status, http.client.responses.get(status, ""))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        if failure is not None and failure.retry_after is not None:
            self.send_header("Retry-After", failure.retry_after)
        if failure is not None and failure.location is not None:
            self.send_header("Location", failure.location)
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format: str, *args: Any) -> None:
        """Not to the console."""


class _Udp(socketserver.BaseRequestHandler):
    stand_in: CloudflareStandIn

    def handle(self) -> None:
        octets, server = self.request
        answer = self.stand_in.handle_notify(octets, self.client_address[0])
        if answer is not None:
            server.sendto(answer, self.client_address)


class _Tcp(socketserver.StreamRequestHandler):
    stand_in: CloudflareStandIn

    def handle(self) -> None:
        size = self.rfile.read(2)
        octets = self.rfile.read(int.from_bytes(size, "big"))
        answer = self.stand_in.handle_notify(octets, self.client_address[0])
        if answer is not None:
            self.wfile.write(len(answer).to_bytes(2, "big") + answer)
