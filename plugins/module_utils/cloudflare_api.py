# Copyright (c) 2026, the dnsops.redundant_dns authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of Cloudflare's API, version 4: one request at a time, its answer or one clear sentence.

Every answer is an envelope (https://developers.cloudflare.com/api/): ``success``, ``errors`` with ``code`` and
``message``, ``result``, and for lists ``result_info``. What may pass is tried again within bounds: the rate limit
(1,200 requests in five minutes, then HTTP 429 with Retry-After), HTTP 5xx, and connections that fail. What creates
something is never sent twice without looking in between whether the first one arrived.

Neither the token nor any other secret it was told of is in its repr or in a message.
"""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.error
from email.utils import parsedate_to_datetime
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence
from urllib.parse import urlencode

from ansible.module_utils.urls import ConnectionError as UrlsConnectionError
from ansible.module_utils.urls import MissingModuleError, open_url
from ansible_collections.dnsops.redundant_dns.plugins.module_utils.names import printable

URL = "https://api.cloudflare.com/client/v4"
# Zones on one page of a list; the API gives no more.
PAGE = 50
# A list that goes on for longer is none.
MOST_PAGES = 2000
# Seconds without a sign of the API.
TIMEOUT = 30.0
# Pauses between tries, where no Retry-After says otherwise.
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
# Seconds that one request may take with all its tries: the rate limit blocks for five minutes.
PATIENCE = 620.0
# More than this is never waited for at once, whatever Retry-After says.
LONGEST_PAUSE = 310.0

TOKEN = "token"
ACCOUNT = "account"
ENTITLEMENT = "entitlement"
RATE_LIMIT = "rate limit"
NO_ANSWER = "no answer"
NOT_JSON = "not JSON"
NOT_FOUND = "not found"
EXISTS = "exists"
OTHER = "other"

# No use in going on with the next zone after one of these.
HOPELESS = frozenset((TOKEN, ACCOUNT, ENTITLEMENT, RATE_LIMIT, NO_ANSWER, NOT_JSON))

# 1000 Invalid API Token; 6003, 6111 malformed header; 9103, 9106, 9107 no credentials; 9109 Invalid access token, or
# not for that resource; 10000 Authentication error; 10001 Unable to authenticate request.
_TOKEN_CODES = frozenset(("1000", "6003", "6111", "9103", "9106", "9107", "9109", "10000", "10001"))
# 7000 No route for that URI; 7003 Could not route to ..., perhaps your object identifier is invalid?
_ROUTE_CODES = frozenset(("7000", "7003"))
# 1001 Invalid zone identifier: what a zone that is gone answers, with HTTP 400.
_GONE_CODES = frozenset(("1001",))
_EXISTS_CODES = frozenset(("1061",))
# "Secondary zone signup not allowed" is what an account without it was seen to answer.
_ENTITLEMENT = re.compile(r"secondary.*not allowed|not allowed.*secondary|entitle|enterprise", re.IGNORECASE)
_RATE_LIMIT = (
    "Cloudflare's rate limit (1,200 requests in five minutes, for all that uses this token or its user) stays exceeded"
)
_SECONDS = re.compile("[0-9]+")
_TOKEN_FORM = re.compile(r"[!-~]+")


class CloudflareError(Exception):
    """Why a request did not succeed, in one sentence. ``kind`` is one of the constants above."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class _Lost(CloudflareError):
    """The API may or may not have done what it was asked."""


class Answer(NamedTuple):
    """An HTTP answer; the names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


class NoAnswer(Exception):
    """Why there was none, in words without secrets."""


# (method, URL, headers, body, timeout) -> the answer; raises NoAnswer
Send = Callable[[str, str, Mapping[str, str], Optional[str], float], Answer]


def send(method: str, url: str, headers: Mapping[str, str], body: Optional[str], timeout: float) -> Answer:
    """One HTTP request, with the proxies of the environment. A redirect is not followed: it would get the token.

    :raises NoAnswer:
    """
    try:
        try:
            # A netrc file would put its own credentials in the place of the token.
            response = open_url(
                url,
                method=method,
                headers=dict(headers),
                data=body,
                timeout=timeout,
                follow_redirects="none",
                use_netrc=False,
            )
        except urllib.error.HTTPError as error:
            response = error
        text = response.read().decode("utf-8", "replace")
    except (UrlsConnectionError, MissingModuleError) as error:
        raise NoAnswer(printable(str(error), 200)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(_reason(error)) from None
    return Answer(response.code, {name.lower(): value for name, value in response.headers.items()}, text)


def _reason(error: Exception) -> str:
    """What went wrong with a connection. Other texts of these libraries may quote a header, and so the token."""
    inner = getattr(error, "reason", None)
    if isinstance(inner, Exception):
        error = inner
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "nothing came in time"
    if isinstance(error, OSError) and (error.strerror or isinstance(inner, str)):
        return printable(str(error.strerror or inner), 200)
    return "the connection broke" if isinstance(error, (OSError, http.client.HTTPException)) else "no usable address"


class Api:
    """The API with one token, for one account.

    :param secrets: texts that must be in no message, beside the token: an answer may quote what it was sent.
    :param sleep: and the clocks, for tests. ``clock`` runs steadily; ``now`` is the time of day in seconds, for a
        Retry-After that is a date.
    :raises CloudflareError: for a token that can't be one.

    ``wrote`` tells whether any request that changes something has succeeded.
    """

    def __init__(
        self,
        token: str,
        account_id: str,
        url: str = URL,
        *,
        secrets: Iterable[str] = (),
        timeout: float = TIMEOUT,
        send: Send = send,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        # http.client would quote a header with a line feed in its error.
        if not _TOKEN_FORM.fullmatch(token):
            raise CloudflareError(
                TOKEN, "The API token is empty, or has blanks or characters outside ASCII: copy it again, without them."
            )
        self.wrote = False
        self.account_id = account_id
        self.account = "/accounts/%s" % account_id
        self._token = token
        self._secrets = sorted((each for each in [token, *secrets] if each), key=len, reverse=True)
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._send = send
        self._sleep = sleep
        self._clock = clock
        self._now = now

    def __repr__(self) -> str:
        return "Api(%r, account_id=%r)" % (self._url, self.account_id)

    # --- requests ----------------------------------------------------------------------------------------------------

    def request(self, what: str, method: str, path: str, body: Any = None, query: Sequence[Any] = ()) -> Any:
        """The ``result`` of the answer.

        :param what: what this is for, as it goes on after "Could not".
        :raises CloudflareError:
        """
        return self._envelope(what, method, path, body, query, True)["result"]

    def list(self, what: str, path: str, query: Sequence[Any] = ()) -> List[Dict[str, Any]]:
        """All pages of a list.

        :raises CloudflareError:
        """
        items: List[Dict[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            numbered = [*query, ("page", page), ("per_page", PAGE)]
            try:
                envelope = self._envelope(what, "GET", path, None, numbered, True)
            except CloudflareError as error:
                if error.kind == NOT_FOUND:  # a list is always there, if its account is
                    raise CloudflareError(ACCOUNT, self._sentence(what, self._no_account("HTTP 404"))) from None
                raise
            found = [] if envelope["result"] is None else envelope["result"]
            if not isinstance(found, list) or not all(_is_object(each) for each in found):
                raise self._no_api(what, "its list is none of objects with IDs")
            items += found
            info = envelope.get("result_info")
            if page >= (number(info.get("total_pages"), 1) if isinstance(info, dict) else 1):
                return items
        raise CloudflareError(OTHER, "Could not %s: the list has more than %d pages." % (what, MOST_PAGES))

    def find(self, what: str, path: str) -> Optional[Dict[str, Any]]:
        """What is at that path; None where there is nothing.

        :raises CloudflareError:
        """
        try:
            found = self.request(what, "GET", path)
        except CloudflareError as error:
            if error.kind == NOT_FOUND:
                return None
            raise
        if not isinstance(found, dict):
            raise self._no_api(what, "its result is no object")
        return found

    def create(self, what: str, path: str, body: Any, look: Callable[[], Optional[Dict[str, Any]]]) -> Dict[str, Any]:
        """Create an object. ``look`` finds it where it is there already, after an answer that got lost.

        :raises CloudflareError:
        """
        for pause in (*PAUSES, None):
            try:
                made = self._envelope(what, "POST", path, body, (), False)["result"]
            except _Lost:
                if pause is None:
                    raise
                self._sleep(pause)
                found = look()
            except CloudflareError as error:
                found = look() if error.kind == EXISTS else None
                if found is None:
                    raise
            else:
                if not _is_object(made):
                    raise self._no_api(what, "its result is no object with an ID")
                return made
            if found is not None:
                return found
        raise AssertionError("the last try returns or raises")

    def delete(self, what: str, path: str) -> None:
        """Delete what may be gone already: a try before, whose answer got lost, may have done it.

        :raises CloudflareError:
        """
        try:
            self._envelope(what, "DELETE", path, None, (), True)
        except CloudflareError as error:
            if error.kind != NOT_FOUND:
                raise

    def _envelope(
        self, what: str, method: str, path: str, body: Any, query: Sequence[Any], again: bool
    ) -> Dict[str, Any]:
        """
        :param again: whether to send it again when nobody knows whether it arrived.
        """
        ends = self._clock() + PATIENCE
        for pause in (*PAUSES, None):
            kind, wait = NO_ANSWER, None
            try:
                answer = self._once(method, path, body, query)
            except NoAnswer as error:
                reason = "Cloudflare's API does not answer: %s" % error
            else:
                if answer.status != 429 and answer.status < 500:
                    envelope = self._read(what, method, path, answer)
                    self.wrote = self.wrote or method != "GET"
                    return envelope
                reason = "Cloudflare's API answers HTTP %d" % answer.status
                wait = _retry_after(answer.headers.get("retry-after"), self._now())
                if answer.status == 429:
                    kind, reason = RATE_LIMIT, _RATE_LIMIT
            if kind == NO_ANSWER and not again:
                raise _Lost(kind, self._sentence(what, reason))
            if pause is not None and wait is not None:
                pause = wait
            if pause is None or pause > LONGEST_PAUSE or self._clock() + pause > ends:
                break
            self._sleep(pause)
        raise CloudflareError(kind, self._sentence(what, reason + "; run again later"))

    def _once(self, method: str, path: str, body: Any, query: Sequence[Any]) -> Answer:
        url = self._url + path + ("?" + urlencode(query) if query else "")
        headers = {"Authorization": "Bearer %s" % self._token, "Accept": "application/json"}
        text = None
        if method in ("POST", "PUT"):
            headers["Content-Type"] = "application/json"
            text = json.dumps(body if body is not None else {})
        return self._send(method, url, headers, text, self._timeout)

    # --- answers -----------------------------------------------------------------------------------------------------

    def _read(self, what: str, method: str, path: str, answer: Answer) -> Dict[str, Any]:
        try:
            envelope = json.loads(answer.text)
        except (ValueError, RecursionError):
            envelope = None
        if not isinstance(envelope, dict) or "success" not in envelope:
            raise self._no_api(what, "HTTP %d" % answer.status)
        if answer.status < 300 and envelope["success"]:
            if "result" not in envelope and method != "DELETE":
                raise self._no_api(what, "it has no result")
            return envelope
        raise self._refusal(what, path, answer.status, _objects(envelope.get("errors")))

    def _no_api(self, what: str, detail: str) -> CloudflareError:
        reason = "the answer (%s) is not one of Cloudflare's API: see api_url, and proxies in between"
        return CloudflareError(NOT_JSON, self._sentence(what, reason % detail))

    def _refusal(self, what: str, path: str, status: int, errors: Sequence[Mapping[str, Any]]) -> CloudflareError:
        """The sentence for an answer that is a refusal."""
        codes = {str(each.get("code")) for each in errors}
        for each in errors:
            codes.update(str(inner.get("code")) for inner in _objects(each.get("error_chain")))
        said = "; ".join("code %s: %s" % (each.get("code"), str(each.get("message")).rstrip(".")) for each in errors)
        said = said or "HTTP %d" % status
        if _ENTITLEMENT.search(said):
            reason = (
                "Cloudflare has not enabled Secondary DNS for account %s, which is for Enterprise plans only and is "
                "switched on by its account team (%s)" % (self.account_id, said)
            )
            return CloudflareError(ENTITLEMENT, self._sentence(what, reason))
        if codes & _TOKEN_CODES or status in (401, 403):
            return self._not_allowed(what, path, said)
        if codes & _ROUTE_CODES and path.startswith(self.account):
            return CloudflareError(ACCOUNT, self._sentence(what, self._no_account(said)))
        kind = OTHER
        if status == 404 or codes & _GONE_CODES:
            kind = NOT_FOUND
        elif codes & _EXISTS_CODES:
            kind = EXISTS
        return CloudflareError(kind, self._sentence(what, "Cloudflare answers %s" % said))

    def _no_account(self, said: str) -> str:
        return "Cloudflare knows no account %s; see account_id (%s)" % (self.account_id, said)

    def _not_allowed(self, what: str, path: str, said: str) -> CloudflareError:
        """A wrong token and a right one for another account are answered alike, so the token is asked about."""
        if self._token_is_valid():
            reason = (
                "the API token is valid, but not for this in account %s: see account_id, and give the token the "
                "permissions Account Settings Write, Zone Write and DNS Write for that account (%s)"
            )
            return CloudflareError(ACCOUNT, self._sentence(what, reason % (self.account_id, said)))
        reason = (
            "Cloudflare does not accept the API token: it must be the value of an API token, neither its ID nor the "
            "Global API Key, and not be expired (%s)" % said
        )
        return CloudflareError(TOKEN, self._sentence(what, reason))

    def _token_is_valid(self) -> bool:
        """Tokens of a user and tokens of an account are asked about at different places."""
        for path in ("/user/tokens/verify", self.account + "/tokens/verify"):
            try:
                answer = self._once("GET", path, None, ())
                if answer.status == 200 and json.loads(answer.text)["result"]["status"] == "active":
                    return True
            except (NoAnswer, ValueError, KeyError, TypeError):
                pass
        return False

    def _sentence(self, what: str, reason: str) -> str:
        text = "Could not %s: %s." % (what, reason)
        for secret in self._secrets:
            text = text.replace(secret, "(hidden)")
        return printable(text, 600)


def number(value: Any, default: int) -> int:
    """A number of an answer; the default where there is none (null, 0, empty), -1 where it is something else."""
    try:
        return default if value in (None, 0, "") else int(value)
    except (TypeError, ValueError, OverflowError):
        return -1


def _is_object(value: Any) -> bool:
    """Whether it is what the API has for a zone, a peer and so on."""
    return isinstance(value, dict) and isinstance(value.get("id"), str)


def _objects(value: Any) -> List[Dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _retry_after(value: Optional[str], now: float) -> Optional[float]:
    """Seconds to wait (RFC 9110 section 10.2.3), at least one; None for what is neither seconds nor a date."""
    if value is None:
        return None
    if _SECONDS.fullmatch(value):
        return max(1.0, float(value))  # infinite for hundreds of digits, where int() raises
    try:
        seconds = parsedate_to_datetime(value).timestamp() - now
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return max(1.0, seconds)
