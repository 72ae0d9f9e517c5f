"""`/status`: what is left and until when; `/logout`; and the same for the phone itself (RFC 8908)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.domain.access import Denial, DenialReason
from app.domain.users import Account
from app.portal.passes import StatusPass, issue_status
from app.portal.portal import Portal, see_other, source_address
from app.portal.problems import PageProblem
from app.portal.returning import COOKIE, find_status, remember_token, token_of_cookie
from app.portal.tries import limits_at
from app.portal.views import (
    Connected,
    Page,
    Problem,
    connected,
    goal_of,
    level,
    problem_of,
    problem_of_denial,
    tops_up,
)
from app.services import resume, router_grants
from app.services import status as statuses
from app.services.changes import LOGGED_OUT
from app.services.spots import Spot
from app.services.status import ConnectionState, Status
from app.services.vouchers import top_up_by_code
from app.web.forms import FormProblem, read_pairs
from app.web.forms import read_form as read_posted
from app.web.origins import is_foreign_post
from app.web.work import reading, writing

CAPTIVE_JSON: Final = "application/captive+json"
_WAITING_REFRESH: Final = 3  # seconds between two looks of the waiting page
_SETTLING_REFRESH: Final = 2  # after a router that asks by RADIUS: its Accept is on the way to the database
_GONE_LIFE: Final = timedelta(hours=1)


class StatusPages:
    """The handlers of the status page, of log-out, and of the captive portal API."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    async def get(self, request: Request) -> Response:
        """Show how the connection stands."""
        query = read_pairs(request.scope["query_string"])
        if query.get("t"):
            return await reading(self.portal.database, self._show, query)
        cookie = request.cookies.get(COOKIE, "")
        return await reading(self.portal.database, self._find_phone, query, cookie, source_address(request))

    async def post_logout(self, request: Request) -> Response:
        """End the connection: here, and by way of the router's own log-out."""
        return await self._post(request, self._log_out)

    async def get_api(self, request: Request) -> Response:
        """Tell the phone itself whether it is captive (RFC 8908); send a browser to the page (RFC 8910 section 2)."""
        token = request.path_params["token"]
        accept = request.headers.get("accept", "")
        if "text/html" in accept and CAPTIVE_JSON not in accept:
            url = self.portal.url("/status", t=token)
            return RedirectResponse(url, status_code=HTTPStatus.FOUND, headers={"Vary": "Accept"})
        return await reading(self.portal.database, self._api, token)

    async def post_top_up(self, request: Request) -> Response:
        """Add what a voucher holds to the account of a connection, without ending it."""
        return await self._post(request, partial(self._top_up, source_address(request)))

    async def _post(self, request: Request, act: Callable[[Mapping[str, str], str], Response]) -> Response:
        """Read a form and act by it in the language it asks for, unless a foreign page has sent it."""
        posted = await read_posted(request)
        fields: Mapping[str, str] = {} if isinstance(posted, FormProblem) else posted
        language = self.portal.language(fields)
        headers = request.headers
        if is_foreign_post(headers.get("origin"), headers.get("referer"), own_url=self.portal.settings.portal_url):
            return self.portal.message(problem_of(PageProblem.FOREIGN_PAGE), language, status=HTTPStatus.FORBIDDEN)
        return await writing(act, fields, language)

    def _top_up(self, source: str, posted: Mapping[str, str], language: str) -> Response:
        portal, now, token = self.portal, self.portal.clock(), posted.get("t", "")
        found = find_status(portal, token, now)
        if found is None or not found[2].carried_out:
            return portal.message(problem_of(PageProblem.STATUS_UNKNOWN), language, status=HTTPStatus.NOT_FOUND)
        ours, spot, _status = found
        limits = limits_at(spot, ours.mac, source)
        free_at = portal.tries.take(limits, now)
        outcome: Account | Denial | None
        if free_at is not None:
            outcome = Denial(DenialReason.TOO_MANY_TRIES, retry_at=free_at)
        else:
            outcome = top_up_by_code(
                portal.database,
                portal.keyring,
                posted.get("code", ""),
                ours.account_id,
                zone=portal.settings.time_zone,
                now=now,
                chance=portal.chance,
            )
            if not isinstance(outcome, Denial) or outcome.reason is not DenialReason.VOUCHER_UNKNOWN:
                portal.tries.give_back(limits, now)
        if isinstance(outcome, Account):
            return see_other(portal.url("/status", language, t=token))
        problem = (
            problem_of(PageProblem.NO_TOP_UP)
            if outcome is None
            else problem_of_denial(outcome, portal.formats(language), now=now)
        )
        return self._show({"t": token, "lang": language}, code=posted.get("code", "")[:64], code_problem=problem)

    def _find_phone(self, query: Mapping[str, str], cookie: str, source: str) -> Response:
        """Send a browser that has no link to what it kept, else to its router, which knows the phone."""
        portal, language = self.portal, self.portal.language(query)
        token = token_of_cookie(portal, cookie, or_cut=True)
        if token is not None:
            return see_other(portal.url("/status", language, t=token))
        entry = portal.entry_url(source)
        if entry:
            return see_other(entry)
        return portal.message(problem_of(PageProblem.STATUS_UNKNOWN), language, status=HTTPStatus.NOT_FOUND)

    def _show(self, query: Mapping[str, str], *, code: str = "", code_problem: Problem | None = None) -> Response:
        portal, language, now = self.portal, self.portal.language(query), self.portal.clock()
        token = query.get("t", "")
        found = find_status(portal, token, now)
        if found is None:
            problem = problem_of(PageProblem.STATUS_UNKNOWN)
            return portal.message(problem, language, status=HTTPStatus.NOT_FOUND)
        ours, spot, status = found
        page = Page(spot.site.name, portal.other(language, "/status", t=token))
        if self._is_waiting(ours, spot, status):
            return self._wait(ours, page, token, language, now)
        if ours.left:
            status = replace(status, state=ConnectionState.ENDED, stop_cause=LOGGED_OUT, denial=None)
        view = connected(
            status,
            portal.formats(language),
            page=page,
            token=token,
            now=now,
            goal=goal_of(ours.goal_url),
            device_api=f"/captive-portal/api/{token}",
            again_url=ours.router_url,
            look_again_url=portal.url("/status", language, t=token),
            address_url=portal.url("/status"),
        )
        if tops_up(status):
            view = replace(view, tops_up=True, code=code, code_problem=code_problem)
        answered = HTTPStatus.OK if code_problem is None else HTTPStatus.UNPROCESSABLE_ENTITY
        page_of_it = portal.page("status.html", view, language, status=answered, form_origins=_origins(ours))
        if status.carried_out and not ours.left:
            remember_token(portal, page_of_it, token)
        return page_of_it

    def _is_waiting(self, ours: StatusPass, spot: Spot, status: Status) -> bool:
        """Tell whether the router has still to log the device in, or to fetch the grant."""
        if status.carried_out or ours.left or status.state is not ConnectionState.EXPECTED:
            return False
        return not ours.awaited or not router_grants.is_delivered(self.portal.database, spot.nas, ours.awaited)

    def _wait(self, ours: StatusPass, page: Page, token: str, language: str, now: datetime) -> Response:
        """Keep the phone on a page that looks again; a router that stays silent for too long is said to be so."""
        if ours.await_until is not None and now > ours.await_until:
            problem = problem_of(PageProblem.ROUTER_SILENT)
            return self.portal.message(
                problem, language, status=HTTPStatus.GATEWAY_TIMEOUT, site=page.site, again_url=ours.router_url
            )
        view = Connected(
            page=page,
            state="waiting",
            token=token,
            refresh_seconds=_WAITING_REFRESH if ours.awaited else _SETTLING_REFRESH,
            again_url=self.portal.url("/status", language, t=token),
            waited_level=_waited_level(ours, now),
        )
        return self.portal.page("status.html", view, language)

    def _log_out(self, posted: Mapping[str, str], language: str) -> Response:
        portal, now = self.portal, self.portal.clock()
        found = find_status(portal, posted.get("t", ""), now)
        if found is None:
            problem = problem_of(PageProblem.STATUS_UNKNOWN)
            return portal.message(problem, language, status=HTTPStatus.NOT_FOUND)
        ours, _spot, status = found
        if status.carried_out:
            resume.log_out(portal.database, ours.account_id, ours.mac, now=now, chance=portal.chance)
        gone = issue_status(portal.keyring, replace(ours, left=True), now=now, until=now + _GONE_LIFE)
        answer = see_other(ours.logout_url or portal.url("/status", language, t=gone))
        answer.delete_cookie(COOKIE, path="/")
        return answer

    def _api(self, token: str) -> Response:
        now = self.portal.clock()
        found = find_status(self.portal, token, now)
        if found is None:
            return JSONResponse({}, status_code=HTTPStatus.NOT_FOUND, media_type=CAPTIVE_JSON)
        ours, spot, status = found
        waits = bool(ours.awaited) and self._is_waiting(ours, spot, status)
        captive = ours.left or status.state is ConnectionState.ENDED or waits
        answer: dict[str, bool | int | str] = {
            "captive": captive,
            "user-portal-url": self.portal.url("/status", t=token),
            "venue-info-url": self.portal.url("/services"),
            "can-extend-session": False,
        }
        if not captive and status.ends_at is not None:
            answer["seconds-remaining"] = max(0, int((status.ends_at - now).total_seconds()))
        if not captive and status.quota is not None:
            answer["bytes-remaining"] = status.quota.left + status.extra_octets
        return JSONResponse(answer, media_type=CAPTIVE_JSON)


def _waited_level(ours: StatusPass, now: datetime) -> int:
    """Return how far the picture of the waiting page has filled by the time that has passed."""
    until = ours.await_until or ours.logged_in_at + statuses.SETTLING
    whole = (until - ours.logged_in_at) // timedelta(seconds=1)
    return level((now - ours.logged_in_at) // timedelta(seconds=1) + whole // 10, whole)


def _origins(ours: StatusPass) -> tuple[str, ...]:
    """Return where the log-out form may lead: the router's own log-out, which we named ourselves."""
    parts = urlsplit(ours.logout_url)
    return (f"{parts.scheme}://{parts.netloc}",) if parts.netloc else ()
