"""A resolver that knows nothing but what it is told, and the parents of the zones under test; both at one address.

It tells them apart by RD: a query that asks for recursion is answered as by a resolver, from names that it was told and
from delegations; one that does not as by the parent, with a referral. Delegations are set over HTTP:

    POST /_stand_in/delegation   {"zone": "example.com", "name_servers": ["ns1.example.net", ...]}

No name server removes the delegation. GET of the same path gives all: {zone: [name server, ...]}.
"""

from __future__ import annotations

import http.server
import json
import threading
from typing import Iterable, Mapping, Sequence

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from . import dns_face

TTL = 60
PATH = "/_stand_in/delegation"


class ResolverFace:
    """``respond`` is for a DnsFace; ``start_control`` opens the HTTP port.

    :param parents: zones that are served as parents, as ``com``.
    :param server: the name of their name server; it must be in ``names``.
    :param names: name -> addresses that it resolves to.
    """

    def __init__(self, parents: Sequence[str], server: str, names: Mapping[str, Sequence[str]]) -> None:
        self._parents = [dns.name.from_text(parent) for parent in parents]
        self._server = server
        self._names = {dns.name.from_text(name): list(addresses) for name, addresses in names.items()}
        self._delegations: dict[dns.name.Name, list[str]] = {}
        self._control: http.server.ThreadingHTTPServer | None = None

    def delegate(self, zone: str, name_servers: Sequence[str]) -> None:
        """:raises ValueError: where no parent of the zone is served here."""
        name = dns.name.from_text(zone)
        if self._parent(name) is None:
            raise ValueError("no parent of %s is served here" % zone)
        if name_servers:
            self._delegations[name] = [dns.name.from_text(server).to_text() for server in name_servers]
        else:
            self._delegations.pop(name, None)

    def delegations(self) -> dict[str, list[str]]:
        return {zone.to_text(omit_final_dot=True): list(servers) for zone, servers in self._delegations.items()}

    # --- DNS ---------------------------------------------------------------------------------------------------------

    def respond(self, query: dns.message.Message) -> Iterable[dns.message.Message]:
        recursive = bool(query.flags & dns.flags.RD)
        answer = dns_face.reply(query)
        (self._as_resolver if recursive else self._as_parent)(query.question[0], answer)
        return [answer]

    def _as_resolver(self, question: dns.rrset.RRset, answer: dns.message.Message) -> None:
        answer.flags |= dns.flags.RA
        name, rdtype = question.name, question.rdtype
        if name in self._delegations and rdtype == dns.rdatatype.NS:
            answer.answer.append(_ns(name, self._delegations[name]))
        elif name in self._parents and rdtype in (dns.rdatatype.NS, dns.rdatatype.SOA):
            answer.answer.append(_ns(name, [self._server]) if rdtype == dns.rdatatype.NS else self._soa(name))
        elif name in self._names:
            addresses = [each for each in self._names[name] if (":" in each) == (rdtype == dns.rdatatype.AAAA)]
            if addresses and rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
                answer.answer.append(dns.rrset.from_text(name, TTL, "IN", rdtype, *addresses))
        elif name in self._delegations:
            pass  # The zone is there, but this resolver asks nobody what is in it.
        else:
            self._absent(name, answer)

    def _as_parent(self, question: dns.rrset.RRset, answer: dns.message.Message) -> None:
        name, rdtype = question.name, question.rdtype
        zone = next((each for each in _upwards(name) if each in self._delegations), None)
        if zone is not None and not (name == zone and rdtype == dns.rdatatype.DS):
            answer.authority.append(_ns(zone, self._delegations[zone]))
        elif self._parent(name) is None:
            answer.set_rcode(dns.rcode.REFUSED)
        else:
            answer.flags |= dns.flags.AA
            if name in self._parents and rdtype in (dns.rdatatype.NS, dns.rdatatype.SOA):
                answer.answer.append(_ns(name, [self._server]) if rdtype == dns.rdatatype.NS else self._soa(name))
            else:
                self._absent(name, answer)

    def _absent(self, name: dns.name.Name, answer: dns.message.Message) -> None:
        """No such name, or no such record; told by the parent where there is one."""
        there = (*self._parents, *self._delegations, *self._names)
        if not any(each.is_subdomain(name) for each in there):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        parent = self._parent(name)
        if parent is not None:
            answer.authority.append(self._soa(parent))

    def _parent(self, name: dns.name.Name) -> dns.name.Name | None:
        return next((each for each in _upwards(name) if each in self._parents), None)

    def _soa(self, zone: dns.name.Name) -> dns.rrset.RRset:
        server = dns.name.from_text(self._server)
        return dns.rrset.from_text(zone, TTL, "IN", "SOA", "%s hostmaster.%s 1 3600 600 1209600 60" % (server, server))

    # --- HTTP --------------------------------------------------------------------------------------------------------

    def start_control(self, address: str, port: int) -> None:
        face = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == PATH:
                    self._say(200, face.delegations())
                else:
                    self._say(404, {"error": "no such path"})

            def do_POST(self) -> None:
                if self.path != PATH:
                    self._say(404, {"error": "no such path"})
                    return
                try:
                    body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                    face.delegate(body["zone"], body["name_servers"])
                except (ValueError, KeyError, TypeError) as error:
                    self._say(400, {"error": str(error)})
                    return
                self._say(200, face.delegations())

            def _say(self, status: int, data: object) -> None:
                octets = json.dumps(data).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            def log_message(self, *_arguments: object) -> None:
                pass

        self._control = http.server.ThreadingHTTPServer((address, port), Handler)
        threading.Thread(target=self._control.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._control is not None:
            self._control.shutdown()
            self._control.server_close()


def _upwards(name: dns.name.Name) -> Iterable[dns.name.Name]:
    while name != dns.name.root:
        yield name
        name = name.parent()


def _ns(name: dns.name.Name, servers: Sequence[str]) -> dns.rrset.RRset:
    absolute = [dns.name.from_text(server).to_text() for server in servers]
    return dns.rrset.from_text(name, TTL, "IN", "NS", *absolute)
