"""`/hotspot/<nas>`: the one URL that every router of every family is pointed at; openNDS polls it too."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.domain.nases import Family
from app.nas import polls
from app.nas.families import portal_family
from app.nas.handoff import PortalFamily, Visit, VisitError, VisitOutcome
from app.portal.passes import FormPass, issue_form, read_form
from app.portal.portal import Portal, see_other
from app.portal.problems import PageProblem
from app.portal.returning import COOKIE, token_of_cookie, token_of_visit
from app.portal.views import Page, Problem, Splash, offer_of, problem_of
from app.services.spots import Spot, find_spot, offered_at, refusal_at
from app.web.forms import FormProblem, read_pairs
from app.web.forms import read_form as read_posted
from app.web.tokens import TokenProblem
from app.web.work import reading, writing

NONCE_OCTETS: Final = 16
PASS: Final = "v"  # noqa: S105 the parameter that carries a visit from one of our pages to the next

_log: Final = structlog.get_logger("portal")
_OUTCOMES: Final = {
    VisitOutcome.FAILED: PageProblem.ROUTER_FAILED,
    VisitOutcome.TIMEOUT: PageProblem.ROUTER_TIMEOUT,
    VisitOutcome.LOGGED_OFF: PageProblem.LOGGED_OFF,
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A phone at a spot, as its router describes it, and the language it is spoken to in."""

    spot: Spot
    family: PortalFamily
    visit: Visit
    language: str


class SplashPages:
    """The handlers of the splash page."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    async def get(self, request: Request) -> Response:
        """Show the splash page to a phone, or answer a router's poll."""
        raw_query = request.scope["query_string"]
        query = read_pairs(raw_query)
        spot = await reading(
            self.portal.database, find_spot, self.portal.database, self.portal.keyring, request.path_params["nas"]
        )
        if spot is not None and _is_poll(spot, query):
            return await writing(self._answer_poll, spot, query)
        page = f"{self.portal.settings.portal_url}{request.scope['raw_path'].decode('latin-1')}"
        cookie = request.cookies.get(COOKIE, "")
        return await reading(self.portal.database, self._show, spot, query, raw_query.decode("latin-1"), page, cookie)

    async def post(self, request: Request) -> Response:
        """Answer a router's poll; nothing else is posted here."""
        language = self.portal.language({})
        spot = await reading(
            self.portal.database, find_spot, self.portal.database, self.portal.keyring, request.path_params["nas"]
        )
        if spot is None:
            return unknown_place(self.portal, language)
        form = await read_posted(request)
        match form:
            case FormProblem.TOO_LARGE:
                return self._refuse(PageProblem.FORM_TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            case FormProblem.UNREADABLE:
                return self._refuse(PageProblem.FORM_UNREADABLE, HTTPStatus.BAD_REQUEST)
            case _ if _is_poll(spot, form):
                return await writing(self._answer_poll, spot, form)
            case _:
                return self._refuse(PageProblem.FORM_UNREADABLE, HTTPStatus.BAD_REQUEST)

    def _refuse(self, problem: PageProblem, status: HTTPStatus) -> Response:
        return self.portal.message(problem_of(problem), self.portal.language({}), status=status)

    def _answer_poll(self, spot: Spot, parameters: Mapping[str, str]) -> Response:
        answer = polls.answer(
            spot.nas,
            spot.secrets,
            parameters,
            database=self.portal.database,
            now=self.portal.clock(),
            zone=self.portal.settings.time_zone,
            chance=self.portal.chance,
        )
        return PlainTextResponse(answer.body, status_code=answer.status)

    def _show(self, spot: Spot | None, query: Mapping[str, str], raw_query: str, page: str, cookie: str) -> Response:
        portal, language = self.portal, self.portal.language(query)
        family = None if spot is None else portal_family(spot.nas.family)
        if spot is None or family is None:
            return unknown_place(portal, language)
        try:
            visit = self._visit(spot, family, query, raw_query, page)
            if visit is None:
                return portal.message(
                    problem_of(PageProblem.FORM_EXPIRED), language, status=HTTPStatus.BAD_REQUEST, site=spot.site.name
                )
            if visit.outcome in (VisitOutcome.SUCCESS, VisitOutcome.ALREADY):
                return self._welcome_back(Arrival(spot, family, visit, language), cookie)
            return splash_page(portal, Arrival(spot, family, visit, language), problem=self._earlier(spot, visit))
        except VisitError as error:
            return not_believed(portal, spot, error, language)

    def _visit(
        self, spot: Spot, family: PortalFamily, query: Mapping[str, str], raw_query: str, page: str
    ) -> Visit | None:
        """Read the router's redirect, or what one of our own pages carried on; None if that is too old."""
        if PASS not in query:
            return family.read_visit(query, raw_query, spot.nas, spot.secrets, page=page)
        carried = read_form(self.portal.keyring, query[PASS], now=self.portal.clock())
        if isinstance(carried, TokenProblem) or carried.nas_id != spot.nas.id:
            return None
        return replace(family.read_state(carried.state, spot.nas, spot.secrets), outcome=VisitOutcome.NOT_YET)

    def _welcome_back(self, arrival: Arrival, cookie: str) -> Response:
        """Show the status page: the one that the log-in named, or what router or browser prove; else just say so."""
        portal, spot, visit, language = self.portal, arrival.spot, arrival.visit, arrival.language
        if visit.continue_url is not None and visit.continue_url.startswith(f"{portal.url('/status')}?"):
            return see_other(visit.continue_url)
        token = token_of_visit(portal, spot, arrival.family, visit) or token_of_cookie(portal, cookie)
        if token is not None:
            return see_other(portal.url("/status", language, t=token))
        return portal.message(
            problem_of(PageProblem.ALREADY),
            language,
            status=HTTPStatus.OK,
            site=spot.site.name,
            leave_url=arrival.family.logout_handoff(visit, spot.nas) or "",
        )

    def _earlier(self, spot: Spot, visit: Visit) -> Problem | None:
        """Say what became of the attempt that the router sends the phone back from."""
        problem = _OUTCOMES.get(visit.outcome)
        if problem is None:
            return None
        if problem is PageProblem.ROUTER_FAILED and visit.mac is not None:
            reason = refusal_at(self.portal.database, spot.nas, visit.mac, now=self.portal.clock())
            return problem_of(reason or problem)
        return problem_of(problem)


def splash_page(
    portal: Portal,
    arrival: Arrival,
    *,
    problem: Problem | None = None,
    form: str | None = None,
    status: int = HTTPStatus.OK,
    way: str = "",
    code: str = "",
    username: str = "",
    remember: bool = False,
    tops_up: bool = False,
) -> Response:
    """Render the splash page of a visit; raise VisitError."""
    spot, visit, language = arrival.spot, arrival.visit, arrival.language
    if visit.mac is None:
        return portal.message(
            problem_of(PageProblem.NO_DEVICE), language, status=HTTPStatus.BAD_REQUEST, site=spot.site.name
        )
    token = form or issue_form(
        portal.keyring, FormPass(spot.nas.id, portal.chance(NONCE_OCTETS), visit.state), now=portal.clock()
    )
    offered = offered_at(portal.database, spot, zone=portal.settings.time_zone, now=portal.clock())
    view = Splash(
        page=Page(spot.site.name, portal.other(language, f"/hotspot/{quote(spot.nas.name)}", v=token)),
        offer=None if offered is None else offer_of(offered, portal.formats(language)),
        form=token,
        problem=problem,
        way=way or ("free" if spot.free_plan is not None else "voucher"),
        code=code,
        username=username,
        remember=remember,
        tops_up=tops_up,
    )
    origins = arrival.family.login_origins(visit, spot.nas)
    return portal.page("splash.html", view, language, status=status, form_origins=origins)


def _is_poll(spot: Spot, parameters: Mapping[str, str]) -> bool:
    """Tell openNDS's own calls, by GET or by POST, from phones."""
    return spot.nas.family is Family.OPENNDS and "auth_get" in parameters


def unknown_place(portal: Portal, language: str) -> Response:
    """Say that no NAS of ours is called so."""
    return portal.message(problem_of(PageProblem.UNKNOWN_PLACE), language, status=HTTPStatus.NOT_FOUND)


def not_believed(portal: Portal, spot: Spot, error: VisitError, language: str) -> Response:
    """Say, without a word on how it was noticed, that a redirect is not this NAS's own."""
    _log.warning("visit_not_believed", nas=spot.nas.name, problem=error.problem.value, parameter=error.parameter)
    return portal.message(
        problem_of(PageProblem.VISIT_NOT_BELIEVED), language, status=HTTPStatus.BAD_REQUEST, site=spot.site.name
    )
