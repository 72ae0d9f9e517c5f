"""`POST /login`: from a form of the splash page to the router, or to the page again with the reason."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import Response

from app.domain.access import Denial, DenialReason
from app.domain.text import TextError, canonical_username
from app.nas import polls
from app.nas.families import portal_family
from app.nas.handoff import AwaitPoll, Login, Redirect, Visit, VisitError
from app.portal import probes
from app.portal.passes import FormPass, StatusPass, issue_form, issue_status, read_form
from app.portal.portal import Portal, see_other, source_address
from app.portal.problems import PageProblem
from app.portal.splash import Arrival, not_believed, splash_page, unknown_place
from app.portal.tries import TRIES, limits_at
from app.portal.views import problem_of, problem_of_denial
from app.services.login import AccountPassword, FreeTap, LoggedIn, LoginAttempt, VoucherCode, Way, log_in
from app.services.spots import Spot, spot_of
from app.web.forms import FormProblem
from app.web.forms import read_form as read_posted
from app.web.origins import is_foreign_post
from app.web.tokens import TokenProblem
from app.web.work import writing

_log: Final = structlog.get_logger("portal")
_GUESSES: Final = (DenialReason.WRONG_CREDENTIALS, DenialReason.VOUCHER_UNKNOWN)
_HOPELESS: Final = (DenialReason.QUOTA_EXHAUSTED, DenialReason.SUSPENDED, DenialReason.EXPIRED)
_HELPED_BY_A_CODE: Final = (DenialReason.QUOTA_EXHAUSTED, DenialReason.EXPIRED)
_LONGEST_GOAL: Final = 300  # characters; a longer URL would not fit through the router and back
_PATIENCE: Final = 4  # times the interval at which a router asks, before it counts as silent

_STATUSES: Final = {
    DenialReason.TOO_MANY_TRIES: HTTPStatus.TOO_MANY_REQUESTS,
    DenialReason.VOUCHER_UNKNOWN: HTTPStatus.UNPROCESSABLE_ENTITY,
    DenialReason.TERMS_NOT_ACCEPTED: HTTPStatus.UNPROCESSABLE_ENTITY,
}


class LoginPages:
    """The handler of the log-in."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    async def post(self, request: Request) -> Response:
        """Log a phone in."""
        portal = self.portal
        posted = await read_posted(request)
        language = portal.language({} if isinstance(posted, FormProblem) else posted)
        if posted is FormProblem.TOO_LARGE:
            return self._refuse(PageProblem.FORM_TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, language)
        if isinstance(posted, FormProblem):
            return self._refuse(PageProblem.FORM_UNREADABLE, HTTPStatus.BAD_REQUEST, language)
        headers = request.headers
        if is_foreign_post(headers.get("origin"), headers.get("referer"), own_url=portal.settings.portal_url):
            return self._refuse(PageProblem.FOREIGN_PAGE, HTTPStatus.FORBIDDEN, language)
        return await writing(self._log_in, posted, source_address(request), language)

    def _refuse(self, problem: PageProblem, status: HTTPStatus, language: str) -> Response:
        return self.portal.message(problem_of(problem), language, status=status)

    def _log_in(self, posted: Mapping[str, str], source: str, language: str) -> Response:
        portal, now = self.portal, self.portal.clock()
        carried = read_form(portal.keyring, posted.get("form", ""), now=now)
        if isinstance(carried, TokenProblem):
            expired = carried is TokenProblem.EXPIRED
            problem = PageProblem.FORM_EXPIRED if expired else PageProblem.FORM_UNREADABLE
            return self._refuse(problem, HTTPStatus.BAD_REQUEST, language)
        way = _way(posted, carried.proven)
        spot = spot_of(portal.database, portal.keyring, carried.nas_id)
        family = None if spot is None else portal_family(spot.nas.family)
        if spot is None or family is None:
            return unknown_place(portal, language)
        if way is None:
            return self._refuse(PageProblem.FORM_UNREADABLE, HTTPStatus.BAD_REQUEST, language)
        try:
            visit = family.read_state(carried.state, spot.nas, spot.secrets)
            arrival = Arrival(spot, family, visit, language)
            if visit.mac is None:
                return splash_page(portal, arrival)
            attempt = LoginAttempt(
                way=way,
                mac=visit.mac,
                nonce=carried.nonce,
                terms_accepted=posted.get("terms") == "yes",
                remember=posted.get("remember") == "yes",
            )
            outcome = self._decide(spot, visit, attempt, source, now)
            _log.info("login", nas=spot.nas.name, way=posted["way"], outcome=_word(outcome))
            if isinstance(outcome, LoggedIn):
                return self._hand_off(arrival, outcome, now)
            return self._again(arrival, outcome, posted, carried, now)
        except VisitError as error:
            return not_believed(portal, spot, error, language)

    def _decide(self, spot: Spot, visit: Visit, attempt: LoginAttempt, source: str, now: datetime) -> LoggedIn | Denial:
        """Ask the service, unless there were too many wrong codes or passwords; one that fits is not counted."""
        portal = self.portal
        limits = _limits(spot, visit, attempt, source)
        free_at = portal.tries.take(limits, now)
        if free_at is not None:
            return Denial(DenialReason.TOO_MANY_TRIES, retry_at=free_at)
        outcome = log_in(
            portal.database,
            portal.keyring,
            spot,
            attempt,
            now=now,
            zone=portal.settings.time_zone,
            chance=portal.chance,
        )
        if not isinstance(outcome, Denial) or outcome.reason not in _GUESSES:
            portal.tries.give_back(limits, now)
        return outcome

    def _hand_off(self, arrival: Arrival, outcome: LoggedIn, now: datetime) -> Response:
        """Send the phone to its router, or to the waiting page while the router comes for the grant."""
        portal, spot, visit = self.portal, arrival.spot, arrival.visit
        status, until = _status_pass(arrival, outcome, now), outcome.resume_until
        token = issue_status(portal.keyring, status, now=now, until=until)
        login = Login(
            ticket=outcome.ticket,
            grant=outcome.grant,
            account_id=outcome.account_id,
            acceptance_id=outcome.acceptance_id,
            return_url=portal.url("/status", arrival.language, t=token),
        )
        handoff = arrival.family.login_handoff(visit, login, spot.nas, spot.secrets)
        polls.register(handoff, visit, login, spot.nas, database=portal.database, now=now, chance=portal.chance)
        match handoff:
            case Redirect(url=url):
                return see_other(url)
            case AwaitPoll(token=awaited, seconds=seconds):
                waiting = status.awaiting(awaited, now, _PATIENCE * seconds)
                token = issue_status(portal.keyring, waiting, now=now, until=until)
                return see_other(portal.url("/status", arrival.language, t=token))

    def _again(
        self, arrival: Arrival, denial: Denial, posted: Mapping[str, str], carried: FormPass, now: datetime
    ) -> Response:
        """Show the same form again, with the reason and with what was typed; never the password.

        It remembers whose password was right: a code that adds may help them, and only they are known to be here.
        """
        portal = self.portal
        form, proven = posted["form"], denial.proven or carried.proven
        if proven != carried.proven:
            form = issue_form(portal.keyring, replace(carried, proven=proven), now=now)
        return splash_page(
            portal,
            arrival,
            problem=problem_of_denial(denial, portal.formats(arrival.language), now=now),
            form=form,
            status=_STATUSES.get(denial.reason, HTTPStatus.FORBIDDEN),
            way=_way_to_show(arrival, denial, posted["way"]),
            code=posted.get("code", "")[:64],
            username=posted.get("username", "")[:253],
            remember=posted.get("remember") == "yes",
            tops_up=proven is not None and denial.reason in _HELPED_BY_A_CODE,
        )


def _way_to_show(arrival: Arrival, denial: Denial, way: str) -> str:
    """Return the form to show first: the one that was tried, unless it cannot help however often it is tried."""
    if denial.reason is DenialReason.TOP_UP_OF_NOBODY:
        return "account" if arrival.spot.free_plan is None else "free"
    if denial.proven is not None and denial.reason in _HELPED_BY_A_CODE:
        return "voucher"
    hopeless = denial.reason in _HOPELESS or arrival.spot.free_plan is None
    return "voucher" if way == "free" and hopeless else way


def _status_pass(arrival: Arrival, outcome: LoggedIn, now: datetime) -> StatusPass:
    visit, nas = arrival.visit, arrival.spot.nas
    assert visit.mac is not None, "a phone without a MAC was sent away"
    origins = arrival.family.login_origins(visit, nas)
    return StatusPass(
        nas_id=nas.id,
        account_id=outcome.account_id,
        mac=visit.mac,
        logged_in_at=now,
        login=outcome.nonce,
        router_url=f"{origins[0]}/" if origins else "",
        logout_url=arrival.family.logout_handoff(visit, nas) or "",
        goal_url=_goal(visit),
    )


def _way(posted: Mapping[str, str], proven: str | None) -> Way | None:
    match posted.get("way"):
        case "free":
            return FreeTap()
        case "voucher":
            return VoucherCode(posted.get("code", ""), proven)
        case "account":
            return AccountPassword(posted.get("username", ""), posted.get("password", ""))
        case _:
            return None


def _limits(spot: Spot, visit: Visit, attempt: LoginAttempt, source: str) -> list[tuple[str, int]]:
    """Return what a try of a voucher or a password counts against; a free tap guesses nothing."""
    if isinstance(attempt.way, FreeTap):
        return []
    limits = limits_at(spot, attempt.mac, source, visit.ip or source)
    if isinstance(attempt.way, AccountPassword):
        with suppress(TextError):  # no such name can exist
            limits.append((f"user {canonical_username(attempt.way.username)}", TRIES))
    return limits


def _goal(visit: Visit) -> str:
    """Return where the phone wanted to go, if a person may have wanted it: no connectivity probe, not too long."""
    url = visit.continue_url or ""
    host = urlsplit(url).hostname if url else None
    return "" if host is None or host in probes.HOSTS or len(url) > _LONGEST_GOAL else url


def _word(outcome: LoggedIn | Denial) -> str:
    return outcome.reason.value if isinstance(outcome, Denial) else "accept"
