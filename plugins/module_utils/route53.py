# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zones pushed to Route 53: transferred from a name server, compared, and the difference sent.

Route 53 takes no zone transfer. A sync transfers each zone (AXFR, with TSIG), lists the record sets of its hosted
zone, sends the difference in the order of route53_changes, waits until Route 53 says that all its servers have it
(INSYNC), and only then writes the SOA record with the primary's serial. So the serial at Route 53 says which content is
there, and a sync that was cut off leaves the old one and is finished by the next. (One exception: after changes that
did not get INSYNC in time, the next sync finds the content complete, and writes the serial without waiting for them.)

A zone that is refused keeps none of the others; what is wrong with the account or the way to the API is asked once.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple
from urllib.parse import urlsplit

from ansible_collections.dnsops.redundant_dns.plugins.module_utils import client, route53_changes, wire, zone_change
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.checks import FAILED, NOT_CHECKED, OK, Row, row
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.names import domain_name, printable
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.problem import InputError, Problem, some
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.route53_records import (
    NAMES,
    NS,
    SOA,
    Content,
    Key,
    RRset,
    Stored,
    by_key,
    from_record_set,
    name_from_text,
    name_to_text,
)
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.serial import newer
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.zone_text import Record

try:
    import boto3.session
    import botocore.config
    import botocore.exceptions
    import botocore.session
except ImportError:
    HAS_BOTO3 = False
    _API_ERRORS: Tuple[Any, ...] = ()
else:
    HAS_BOTO3 = True
    _API_ERRORS = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)

# Tries of one request, with pauses that double from one second on (botocore's standard mode): half a minute in all.
ATTEMPTS = 6
CONNECT_SECONDS = 10
READ_SECONDS = 60
# Between two looks at whether a change is INSYNC; seconds.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
# The serial of the SOA record that comes with a hosted zone: it is nobody's.
SERIAL_OF_A_NEW_ZONE = 1
# A plan shows so many lines of a zone.
LONGEST_DIFF = 100
API = "API"


class Settings(NamedTuple):
    """The options of the module ``route53_zone``, where they are described; and those of route53_push."""

    address: str
    port: int = 53
    source: Optional[str] = None
    key_file: Optional[str] = None
    endpoint_url: Optional[str] = None
    region: str = "us-east-1"
    credentials_file: Optional[str] = None
    apex_ns: str = "own"
    on_unsupported: str = "fail"
    keep_foreign: bool = False
    create: bool = True
    delegation_set_id: Optional[str] = None
    largest_change: float = 30.0
    allow_changes: Sequence[str] = ()
    wait: float = 120.0
    owner: str = "dnsops"
    server: str = "route53"


class Result(NamedTuple):
    """What came of a sync.

    :param rows: two a zone, see :mod:`checks`: ``serial`` and ``content``.
    :param zones: a dictionary a zone, see RETURN of the module.
    :param problems: zones that were refused, and requests that failed.
    :param pushed: zone -> the serial that Route 53 has now, for zones that are as they should be.
    :param plan: what was changed, or would be in check mode, as text.
    """

    changed: bool
    rows: List[Row]
    zones: List[Dict[str, Any]]
    warnings: List[str]
    problems: List[Problem]
    pushed: Dict[str, int]
    plan: str


class _Refused(Exception):
    """A zone that is not pushed; ``status`` is the word for its row."""

    def __init__(self, reason: str, mend: str, status: str = "refused") -> None:
        super().__init__(reason)
        self.reason = reason
        self.mend = mend
        self.status = status


class _Work:
    """One zone on its way."""

    def __init__(self, name: str, hosted_zone_id: Optional[str]) -> None:
        self.name = name
        self.owner = wire.encode_name(name).lower()
        self.asked_id = hosted_zone_id
        self.id: Optional[str] = None
        self.name_servers: List[str] = []
        self.rrsets: Dict[Key, RRset] = {}
        self.serial: Optional[int] = None
        self.stored: List[Stored] = []
        self.plan: Optional[route53_changes.Plan] = None
        self.checker: Optional[route53_changes.Checker] = None
        self.change = zone_change.ZoneChange(0)
        self.lines: List[str] = []
        self.left_out: List[str] = []
        self.notes: List[str] = []
        self.created = False
        self.missing = False  # there is no hosted zone, in check mode
        self.batches = 0
        self.pending: List[str] = []  # ids of changes that are not INSYNC yet
        self.problem: Optional[Problem] = None
        self.status = ""

    @property
    def stored_serial(self) -> Optional[int]:
        soa = by_key(self.stored).get((self.owner, SOA))
        return None if soa is None or soa.rrset is None else _serial_of(soa.rrset)


def _serial_of(soa: RRset) -> int:
    return int.from_bytes(soa.rdatas[0][-20:-16], "big")


# --- The API ----------------------------------------------------------------------------------------


def connect(settings: Settings) -> Any:
    """boto3's client for Route 53. Asks nothing yet.

    :raises InputError: where boto3 is missing, or its configuration is no such thing.
    """
    if not HAS_BOTO3:
        raise InputError([Problem("The Python library boto3 is missing", "Install it (Debian: python3-boto3)")])
    try:
        session = botocore.session.Session()
        if settings.credentials_file:
            with open(settings.credentials_file, "rb"):
                pass
            session.set_config_variable("credentials_file", settings.credentials_file)
        return boto3.session.Session(botocore_session=session, region_name=settings.region).client(
            "route53",
            endpoint_url=settings.endpoint_url or None,
            config=botocore.config.Config(
                retries={"mode": "standard", "max_attempts": ATTEMPTS},
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
            ),
        )
    except OSError as error:
        problem = Problem(
            "Can't read the credentials file: %s" % error.strerror,
            "See that the file is there and that the sync may read it",
            file=settings.credentials_file,
        )
        raise InputError([problem]) from None
    except ValueError as error:
        reason = "boto3 can't be set up: %s" % printable(str(error), 200).rstrip(".")
        raise InputError([Problem(reason, "Mend the setting that it names")]) from None
    except botocore.exceptions.BotoCoreError as error:
        reason, mend, _for_all = _explain_local(error)
        raise InputError([Problem(reason, mend)]) from None


_NO_CREDENTIALS = (
    "there are no AWS credentials",
    "Give the host an instance profile, or set credentials_file to a file with aws_access_key_id and "
    "aws_secret_access_key under [default]",
)
_WRONG_CREDENTIALS = (
    "AWS does not know the credentials",
    "Put the access key of a user or role that exists, id and secret, into the credentials file",
)
_EXPIRED = (
    "the AWS credentials have expired",
    "Renew them; an instance profile or a user's access key does not expire",
)
_CLOCK = ("AWS refuses the request for its time", "Mend the clock of this host (timedatectl)")
_THROTTLED = (
    "Route 53 still refuses requests for their rate after %d tries" % ATTEMPTS,
    "Run again later; all users of the account share the rate, so see who else is asking",
)

# Code of the error -> reason, mend. These concern the account, so that no other zone is tried.
_ACCOUNT_ERRORS = {
    "InvalidClientTokenId": _WRONG_CREDENTIALS,
    "UnrecognizedClientException": _WRONG_CREDENTIALS,
    "InvalidAccessKeyId": _WRONG_CREDENTIALS,
    "SignatureDoesNotMatch": (
        "the secret access key is not that of the access key id",
        "Put both into the credentials file as AWS gave them, and mend the clock of this host if it is wrong",
    ),
    "InvalidSignatureException": _CLOCK,
    "RequestTimeTooSkewed": _CLOCK,
    "RequestExpired": _CLOCK,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "OptInRequired": ("the AWS account may not use Route 53", "See in the AWS console what the account lacks"),
    "Throttling": _THROTTLED,
    "ThrottlingException": _THROTTLED,
    "TooManyRequestsException": _THROTTLED,
}
# These concern the zone.
_ZONE_ERRORS = {
    "NoSuchHostedZone": (
        "there is no hosted zone of the id %(id)s in this account",
        "Give the id of the hosted zone that is meant, or leave it out, so that it is found by its name",
    ),
    "PriorRequestNotComplete": (
        "Route 53 is still busy with an earlier change of the zone after %d tries" % ATTEMPTS,
        "Run again; nothing is lost",
    ),
    "NoSuchDelegationSet": ("there is no reusable delegation set of that id", "Mend delegation_set_id"),
    "DelegationSetNotReusable": ("the delegation set is not a reusable one", "Mend delegation_set_id"),
    "DelegationSetNotAvailable": (
        "Route 53 has no name servers left that do not have this name already",
        "Ask AWS support, or use a hosted zone that is there",
    ),
    "ConflictingDomainExists": (
        "the delegation set has a zone of this name, of one above or below it, already",
        "Use another delegation set, or none",
    ),
    "TooManyHostedZones": (
        "the account has as many hosted zones as it may have",
        "Have the quota raised (Service Quotas in the AWS console), or delete hosted zones that nobody needs",
    ),
}
_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{8,}\b")


def _explain(error: Any, hosted_zone_id: Optional[str]) -> Tuple[str, str, bool]:
    """Reason, mend, and whether it is the same for all zones. No credential shows."""
    if not isinstance(error, botocore.exceptions.ClientError):
        return _explain_local(error)
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _ACCOUNT_ERRORS:
        return _ACCOUNT_ERRORS[code] + (True,)
    if code in _ZONE_ERRORS:
        reason, mend = _ZONE_ERRORS[code]
        return reason % {"id": hosted_zone_id} if "%(" in reason else reason, mend, False
    if code.startswith("AccessDenied"):
        reason = "the AWS credentials do not allow %s" % error.operation_name
        mend = "Allow route53:%s in the IAM policy of the user or role" % error.operation_name
        return reason, mend, error.operation_name == "ListHostedZones"
    text = _KEY_ID.sub("(an access key id)", printable(_message(error), 300).rstrip("."))
    reason = "Route 53 answers %s to %s: %s" % (code or "an error", error.operation_name, text or "no reason given")
    return reason, "Mend what it names, and run again", False


def _message(error: Any) -> str:
    return " ".join(str(error.response.get("Error", {}).get("Message", "")).split())


def _explain_local(error: Any) -> Tuple[str, str, bool]:
    """What came up before an answer of the API."""
    exceptions = botocore.exceptions
    if isinstance(error, exceptions.NoCredentialsError):
        return _NO_CREDENTIALS + (True,)
    if isinstance(error, exceptions.PartialCredentialsError):
        reason = "the AWS credentials are not complete, %s is missing" % error.kwargs.get("cred_var", "a part")
        return reason, _NO_CREDENTIALS[1], True
    if isinstance(error, (exceptions.CredentialRetrievalError, exceptions.UnauthorizedSSOTokenError)):
        return "the AWS credentials could not be fetched", "See to the instance profile or the credential process", True
    if isinstance(error, (exceptions.HTTPClientError, exceptions.ConnectionError)):
        host = urlsplit(str(error.kwargs.get("endpoint_url") or "")).hostname or "Route 53"
        reason = "no connection to %s (%s)" % (host, type(error).__name__)
        return reason, "Let this host connect to it over HTTPS, or mend endpoint_url", True
    reason = "boto3 gives up: %s (%s)" % (printable(str(error), 200).rstrip("."), type(error).__name__)
    return reason, "Mend what it names, and run again", True


class _Api:
    """The requests that a sync makes."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self._by_name: Optional[Dict[bytes, List[str]]] = None

    def public_zones(self, owner: bytes) -> List[str]:
        """The ids of the public hosted zones of a name. All are listed once: that is a request for each hundred."""
        if self._by_name is None:
            self._by_name = {}
            for page in self._api.get_paginator("list_hosted_zones").paginate():
                for zone in page["HostedZones"]:
                    if not zone.get("Config", {}).get("PrivateZone"):
                        self._by_name.setdefault(name_from_text(zone["Name"]), []).append(_bare_id(zone["Id"]))
        return self._by_name.get(owner, [])

    def hosted_zone(self, hosted_zone_id: str) -> Mapping[str, Any]:
        return self._api.get_hosted_zone(Id=hosted_zone_id)

    def create(self, name: str, comment: str, delegation_set_id: Optional[str]) -> Mapping[str, Any]:
        more = {"DelegationSetId": delegation_set_id} if delegation_set_id else {}
        return self._api.create_hosted_zone(
            Name=name,
            CallerReference="dnsops-%d-%s" % (time.time_ns(), secrets.token_hex(8)),
            HostedZoneConfig={"Comment": comment, "PrivateZone": False},
            **more,
        )

    def record_sets(self, hosted_zone_id: str) -> List[Stored]:
        pages = self._api.get_paginator("list_resource_record_sets").paginate(HostedZoneId=hosted_zone_id)
        return [from_record_set(raw) for page in pages for raw in page["ResourceRecordSets"]]

    def send(self, hosted_zone_id: str, batch: route53_changes.Batch) -> str:
        """The id of the change."""
        answer = self._api.change_resource_record_sets(HostedZoneId=hosted_zone_id, ChangeBatch={"Changes": batch})
        return _bare_id(answer["ChangeInfo"]["Id"])

    def in_sync(self, change_id: str) -> bool:
        return self._api.get_change(Id=change_id)["ChangeInfo"]["Status"] == "INSYNC"


def _comment(settings: Settings) -> str:
    """What tells the hosted zones that syncs of this owner have made."""
    return "Pushed from its primary by dnsops.redundant_dns (%s)" % settings.owner


def left_behind(zones: Sequence[Mapping[str, Any]], settings: Settings, api: Any) -> List[str]:
    """A sentence for each hosted zone that was made here and is none of these zones any more.

    Route 53 goes on answering for it with its last content. Empty where hosted zones can't be listed.
    """
    wanted = {wire.encode_name(zone["name"]).lower() for zone in zones}
    try:
        pages = list(api.get_paginator("list_hosted_zones").paginate())
    except _API_ERRORS:  # those of the sync itself are told by it
        return []
    return [
        "the hosted zone %s of %s is not pushed to any more, and still answers: delete it at Route 53"
        % (_bare_id(zone["Id"]), zone["Name"].rstrip("."))
        for page in pages
        for zone in page["HostedZones"]
        if zone.get("Config", {}).get("Comment") == _comment(settings) and name_from_text(zone["Name"]) not in wanted
    ]


def _bare_id(identifier: str) -> str:
    """Ids come as ``/hostedzone/Z123`` and ``/change/C123``."""
    return identifier.rsplit("/", 1)[-1]


# --- The sync ---------------------------------------------------------------------------------------


def sync(
    zones: Sequence[Mapping[str, Any]],
    settings: Settings,
    api: Any,
    *,
    check: bool = False,
    key: Optional[client.TsigKey] = None,
    transfer: Callable[..., client.Transfer] = client.transfer,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """Bring the hosted zones in line with what the name server gives; with ``check``, say what that would change.

    :param zones: mappings with ``name`` and, if it is known, ``hosted_zone_id``.
    :param api: as of :func:`connect`.
    :raises ValueError: for names and addresses that are none.
    """
    syncing = _Sync(settings, _Api(api), check, key, transfer, sleep, clock)
    works = [_Work(domain_name(zone["name"]), zone.get("hosted_zone_id")) for zone in zones]
    names = [work.name for work in works]
    if len(set(names)) < len(names):
        raise ValueError("zones has a zone twice: %s" % some(sorted({n for n in names if names.count(n) > 1})))
    return syncing.run(works)


class _Sync:
    def __init__(
        self,
        settings: Settings,
        api: _Api,
        check: bool,
        key: Optional[client.TsigKey],
        transfer: Callable[..., client.Transfer],
        sleep: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._api = api
        self._check = check
        self._key = key
        self._transfer = transfer
        self._sleep = sleep
        self._clock = clock
        self._allowed = {domain_name(name) for name in settings.allow_changes}
        self._account: Optional[Tuple[str, str]] = None  # what is wrong with the account: reason, mend

    def run(self, works: Sequence[_Work]) -> Result:
        # Each step for all zones before the next, so that the waits for INSYNC are one wait.
        self._each(works, self._prepare)
        changing = [work for work in works if work.plan is not None and not work.plan.empty]
        if not self._check:
            self._each(changing, self._push_content)
            self._wait(changing)
            self._each([work for work in changing if work.plan.soa], self._push_soa)
            self._wait(changing)
            self._each(changing, self._look_again)
        return self._result(works)

    def _each(self, works: Sequence[_Work], step: Callable[[_Work], None]) -> None:
        for work in works:
            if work.problem is None:
                self._guarded(work, step)

    def _guarded(self, work: _Work, step: Callable[[_Work], None]) -> None:
        if self._account is not None:
            self._fail(work, *self._account, "error")
            return
        try:
            step(work)
        except _Refused as error:
            self._fail(work, error.reason, error.mend, error.status)
        except _API_ERRORS as error:
            reason, mend, for_all = _explain(error, work.id or work.asked_id)
            self._fail(work, reason, mend, "error")
            if for_all:
                self._account = reason, mend

    @staticmethod
    def _fail(work: _Work, reason: str, mend: str, status: str) -> None:
        work.problem = Problem(reason, mend, zone=work.name)
        work.status = status

    # --- reading and deciding

    def _prepare(self, work: _Work) -> None:
        self._read_zone(work)
        hosted = self._find(work)
        if hosted is None:
            # Before it is made: a hosted zone of a zone that can't be pushed is of no use.
            self._decide(work)
            work.missing = self._check
            if self._check:
                return
            comment = _comment(self._settings)
            hosted = self._api.create(name_to_text(work.owner), comment, self._settings.delegation_set_id)
            work.created = True
            work.pending.append(_bare_id(hosted["ChangeInfo"]["Id"]))
        work.id = _bare_id(hosted["HostedZone"]["Id"])
        work.name_servers = [
            name.lower().rstrip(".") for name in hosted.get("DelegationSet", {}).get("NameServers", [])
        ]
        work.stored = self._api.record_sets(work.id)
        self._decide(work)

    def _read_zone(self, work: _Work) -> None:
        settings = self._settings
        source = settings.source or None
        content = Content()
        try:
            transferred = self._transfer(
                work.name,
                settings.address,
                settings.port,
                source=source,
                key=self._key,
                sink=content.add,
            )
            work.rrsets = content.rrsets()
        except client.TransferError as error:
            mend = "See that the server has the zone and allows the transfer from this host with this key"
            raise _Refused("no transfer: %s" % error.detail, mend, error.reason.replace("_", " ")) from None
        except ValueError as error:
            raise _Refused("the transfer can't be read: %s" % error, "Mend the record") from None
        work.serial = transferred.serial
        if content.signed():
            raise _Refused(
                "the zone is signed with DNSSEC, and Route 53 neither stores signatures nor makes the same ones",
                "Take the cloud host out of the zone's secondaries, or serve the zone unsigned",
            )
        if (work.owner, NS) not in work.rrsets:
            raise _Refused(
                "the transfer is empty: it has no NS record at the apex", "See what the server has under that name"
            )
        work.left_out = content.unsupported()
        if work.left_out and settings.on_unsupported == "fail":
            raise _Refused(
                "Route 53 does not store %s" % some(work.left_out),
                "Remove the records, take the cloud host out of the zone's secondaries, or set on_unsupported to warn, "
                "which leaves them out",
            )

    def _find(self, work: _Work) -> Optional[Mapping[str, Any]]:
        """The hosted zone, as GetHostedZone answers; None where there is none, and one is to be made."""
        wanted_id = work.asked_id and _bare_id(work.asked_id)
        if not wanted_id:
            found = self._api.public_zones(work.owner)
            if len(found) > 1:
                raise _Refused(
                    "there are %d public hosted zones of this name, %s" % (len(found), ", ".join(sorted(found))),
                    "Give the hosted_zone_id of the one that the world is to ask, or delete the others",
                )
            if not found:
                if not self._settings.create:
                    raise _Refused(
                        "there is no public hosted zone of this name in the account",
                        "Create it, or let create be true",
                        "no hosted zone",
                    )
                return None
            wanted_id = found[0]
        hosted = self._api.hosted_zone(wanted_id)
        name = hosted["HostedZone"]["Name"]
        if name_from_text(name) != work.owner:
            raise _Refused(
                "the hosted zone %s is of %s" % (wanted_id, name.rstrip(".")),
                "Give the id of this zone's own, or leave it out, so that it is found by its name",
            )
        if hosted["HostedZone"].get("Config", {}).get("PrivateZone"):
            raise _Refused(
                "the hosted zone %s is a private one, which the world can't ask" % wanted_id,
                "Give the id of a public hosted zone, or leave it out, so that it is found by its name",
            )
        return hosted

    def _decide(self, work: _Work) -> None:
        """The plan, or the reason why there is none."""
        settings = self._settings
        work.notes = []
        foreign = [str(each) for each in work.stored if each.foreign is not None]
        if foreign and not settings.keep_foreign:
            raise _Refused(
                "the hosted zone has record sets that no zone file has: %s" % some(sorted(foreign)),
                "Delete them at Route 53, or set keep_foreign, which leaves them alone",
            )
        if settings.apex_ns != "own":
            self._check_mirror(work)
        if work.name not in self._allowed:
            self._check_serial(work)
        new = self._plan(work)
        if foreign:
            work.notes.append("left alone, they have no form in a zone file: %s" % some(sorted(foreign)))
        shadowed = [_set_text(rrset) for rrset in work.plan.shadowed]
        if shadowed:
            work.notes.append("not pushed, such record sets have their place: %s" % some(shadowed))
        if work.left_out:
            work.notes.append("left out, Route 53 does not store them: %s" % some(work.left_out))
        gone = {rrset.key for rrset in work.plan.shadowed}
        self._check_size(work, {key: rrset for key, rrset in new.items() if key not in gone})
        self._check_batches(work)

    def _plan(self, work: _Work) -> Dict[Key, RRset]:
        """Sets the plan; the record sets that there should be."""
        own_ns = self._settings.apex_ns == "own"
        new = route53_changes.wanted(work.owner, work.rrsets, work.stored, own_ns)
        try:
            work.plan = route53_changes.plan(work.owner, new, work.stored, own_ns)
        except route53_changes.TooLarge as error:
            raise _Refused(str(error), "Make it in two steps on the primary") from None
        except ValueError as error:
            raise _Refused("a record can't be written for Route 53: %s" % error, "Mend the record") from None
        return new

    def _check_mirror(self, work: _Work) -> None:
        if work.id is None:
            return  # a new hosted zone's name servers are not known yet
        has = set(work.rrsets[work.owner, NS].rdatas)
        missing = [name for name in work.name_servers if name_from_text(name) not in has]
        if missing or not work.name_servers:
            raise _Refused(
                "the zone's NS records are to be mirrored, and name servers of the hosted zone are not among them: %s"
                % ", ".join(missing),
                "Add them to the zone on its primary, or set apex_ns to own",
            )

    def _check_serial(self, work: _Work) -> None:
        at_route53 = work.stored_serial
        if at_route53 in (None, SERIAL_OF_A_NEW_ZONE) or not newer(at_route53, work.serial):
            return
        raise _Refused(
            "Route 53 has serial %d, the server that it is pushed from only %d" % (at_route53, work.serial),
            "Wait until that server has the newer one; if the older is meant, run once with the zone in allow_changes",
            "ahead",
        )

    def _check_size(self, work: _Work, new: Mapping[Key, RRset]) -> None:
        old = [record for each in by_key(work.stored).values() for record in _stored_records(each)]
        work.change = zone_change.compare(old, [record for rrset in new.values() for record in _records(rrset)])
        work.lines = _plan_lines(work)
        reason = None
        if work.id is not None and not work.created:
            servers = len(new[work.owner, NS].rdatas) if (work.owner, NS) in new else zone_change.NAME_SERVERS
            count = sum(len(rrset.rdatas) for rrset in new.values())
            reason = zone_change.refusal(work.change, count, servers, self._settings.largest_change)
        if reason and work.name not in self._allowed:
            work.plan = None
            raise _Refused(
                "the change is too large to be pushed unseen: %s" % reason,
                "If that is meant, run once with the zone in allow_changes",
            )

    def _check_batches(self, work: _Work) -> None:
        """Before anything is sent: half a zone helps nobody."""
        wrong = _wrong_in(_checker(work), work.plan.batches + [work.plan.soa] * bool(work.plan.soa))
        if wrong:
            work.plan = None
            raise _Refused("Route 53 would not take it: %s" % some(wrong, "; "), "Mend the records on the primary")
        work.checker = _checker(work)

    # --- writing

    def _push_content(self, work: _Work) -> None:
        try:
            self._send(work, work.plan.batches)
        except botocore.exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") != "InvalidChangeBatch":
                raise
            # Somebody else has changed the zone after it was listed. Once more, from what there is now.
            work.stored = self._api.record_sets(work.id)
            self._decide(work)
            self._send(work, work.plan.batches)

    def _push_soa(self, work: _Work) -> None:
        self._send(work, [work.plan.soa])

    def _send(self, work: _Work, batches: Sequence[route53_changes.Batch]) -> None:
        for batch in batches:
            wrong = work.checker.check(batch)
            if wrong:
                raise _Refused("Route 53 would not take it: %s" % some(wrong, "; "), "Mend the records on the primary")
            work.pending.append(self._api.send(work.id, batch))
            work.batches += 1

    def _wait(self, works: Sequence[_Work]) -> None:
        """Until all changes are on all of Route 53's servers."""
        ends = self._clock() + self._settings.wait
        pause = FIRST_PAUSE
        while True:
            waiting = [work for work in works if work.pending and work.problem is None]
            self._each(waiting, self._look_for_sync)
            waiting = [work for work in waiting if work.pending and work.problem is None]
            if not waiting:
                return
            if self._clock() + pause > ends:
                for work in waiting:
                    reason = (
                        "Route 53 has not got the change to all its servers within %g seconds" % self._settings.wait
                    )
                    mend = "Run again; the serial follows when the content is there"
                    self._fail(work, reason, mend, "not in sync")
                return
            self._sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _look_for_sync(self, work: _Work) -> None:
        while work.pending and self._api.in_sync(work.pending[0]):
            work.pending.pop(0)

    def _look_again(self, work: _Work) -> None:
        """What was written proves nothing; what is read does."""
        work.stored = self._api.record_sets(work.id)
        self._plan(work)

    # --- telling

    def _result(self, works: Sequence[_Work]) -> Result:
        problems = [work.problem for work in works if work.problem is not None]
        in_line = [work for work in works if work.problem is None and work.plan is not None and work.plan.empty]
        would = [work for work in works if work.plan is not None and not work.plan.empty and work.problem is None]
        return Result(
            changed=bool(would) if self._check else any(work.batches or work.created for work in works),
            rows=[each for work in works for each in self._rows(work)],
            zones=[_told(work, self._check) for work in works],
            warnings=["zone %s: %s" % (work.name, note) for work in works for note in work.notes],
            problems=problems,
            pushed={work.name: work.serial for work in in_line},
            plan="".join("%s\n" % line for work in works for line in work.lines),
        )

    def _rows(self, work: _Work) -> List[Row]:
        return [
            row(check, work.name, self._settings.server, API, *found)
            for check, found in (("serial", _judge_serial(work)), ("content", _judge_content(work)))
        ]


def _judge_serial(work: _Work) -> Tuple[str, str, Optional[int], str]:
    """Verdict, status, serial, detail."""
    at_route53 = work.stored_serial
    if work.missing:
        return FAILED, "no hosted zone", None, "there is no hosted zone yet"
    if at_route53 is None or work.serial is None:
        return NOT_CHECKED, "not asked", at_route53, str(work.problem or "")
    if at_route53 == work.serial:
        return OK, "in sync", at_route53, ""
    status = "behind" if newer(work.serial, at_route53) else "ahead"
    return FAILED, status, at_route53, "Route 53 has serial %d, the server %d" % (at_route53, work.serial)


def _judge_content(work: _Work) -> Tuple[str, str, Optional[int], str]:
    """Verdict, status, serial, detail."""
    if work.problem is not None:
        return FAILED, work.status, None, str(work.problem._replace(zone=None))
    plan = work.plan
    if work.missing:
        return FAILED, "no hosted zone", None, "there is no hosted zone yet"
    if plan is not None and not plan.batches:
        return OK, "same content", work.serial, "; ".join(work.notes)
    return FAILED, "differs", None, "%d record sets differ from the transfer" % sum(map(len, plan.batches))


def _told(work: _Work, check: bool) -> Dict[str, Any]:
    count = len(work.plan.batches) + bool(work.plan.soa) if check and work.plan is not None else work.batches
    return {
        "name": work.name,
        "id": work.id,
        "name_servers": work.name_servers,
        "serial": work.serial if check else work.stored_serial,
        "added": work.change.added,
        "changed": work.change.changed,
        "deleted": work.change.deleted,
        "batches": count,
    }


def _checker(work: _Work) -> route53_changes.Checker:
    return route53_changes.Checker(name_to_text(work.owner), [each.raw for each in work.stored])


def _wrong_in(checker: route53_changes.Checker, batches: Sequence[route53_changes.Batch]) -> List[str]:
    return [sentence for batch in batches for sentence in checker.check(batch)]


def _set_text(rrset: RRset) -> str:
    return "%s %s" % (name_to_text(rrset.owner), NAMES[rrset.rdtype])


def _records(rrset: RRset) -> List[Record]:
    rdatas = [wire.without_serial(rdata) for rdata in rrset.rdatas] if rrset.rdtype == SOA else rrset.rdatas
    return [Record(rrset.owner, rrset.rdtype, rrset.ttl, rdata) for rdata in rdatas]


def _stored_records(stored: Stored) -> List[Record]:
    """A value that can't be read is a record all the same, another than any that can."""
    if stored.rrset is not None:
        return _records(stored.rrset)
    values = [record["Value"].encode("utf-8", "replace") for record in stored.raw["ResourceRecords"]]
    return [Record(stored.owner, stored.rdtype, -1, value) for value in values]


def _plan_lines(work: _Work) -> List[str]:
    """A zone's part of the plan: what goes and what comes, as people write records."""
    if work.plan.empty:
        return []
    counts = (work.name, work.change.added, work.change.changed, work.change.deleted, work.serial)
    new = " (new hosted zone)" if work.created or work.id is None else ""
    lines = ["%s: %d added, %d changed, %d deleted, serial %d%s" % (counts + (new,))]
    stored = by_key(work.stored)
    details = []
    for batch in work.plan.batches + [work.plan.soa]:
        for change in batch:
            record_set = change["ResourceRecordSet"]
            before = stored.get(from_record_set(record_set)[:2])
            if before is not None:
                details += ["- %s" % line for line in _record_lines(before.raw)]
            if change["Action"] != route53_changes.DELETE:
                details += ["+ %s" % line for line in _record_lines(record_set)]
    if len(details) > LONGEST_DIFF:
        details[LONGEST_DIFF:] = ["... and %d more lines" % (len(details) - LONGEST_DIFF)]
    return lines + details


def _record_lines(record_set: Mapping[str, Any]) -> List[str]:
    head = "%s %s %s" % (record_set["Name"], record_set.get("TTL"), record_set["Type"])
    return ["%s %s" % (head, printable(record["Value"], 300)) for record in record_set["ResourceRecords"]]


def read_key(path: Optional[str]) -> Optional[client.TsigKey]:
    """The TSIG key of a file; None without one.

    :raises InputError: where dnspython is missing, or the file has no key.
    """
    if not client.HAS_DNSPYTHON:
        raise InputError([Problem("The Python library dnspython is missing", "Install it (Debian: python3-dnspython)")])
    if not path:
        return None
    try:
        return client.read_key_file(os.fspath(path))
    except client.KeyFileError as error:
        raise InputError([Problem(str(error), "Mend the file, or give another as key_file")]) from None
