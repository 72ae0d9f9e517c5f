"""The pages that belong to no router: front page, public services, health, and whatever else is asked."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.db.errors import AWAY
from app.portal import probes
from app.portal.portal import Portal, source_address
from app.portal.problems import PageProblem
from app.portal.views import Catalogue, Page, Public, problem_of
from app.web.forms import read_pairs
from app.web.origins import is_own_host
from app.web.work import reading


class FrontPages:
    """The handlers of everything that is the same everywhere."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    async def get(self, request: Request) -> Response:
        """Show the front page; a phone of ours is led to its router, which sends it to the splash page."""
        if not is_own_host(request.headers.get("host"), own_url=self.portal.settings.portal_url):
            return self._to_front()
        language = self.portal.language(read_pairs(request.scope["query_string"]))
        entry = await reading(self.portal.database, self.portal.entry_url, source_address(request))
        view = Public(Page("", self.portal.other(language, "/")), entry)
        return self.portal.page("public.html", view, language)

    async def get_services(self, request: Request) -> Response:
        """Show the public services."""
        language = self.portal.language(read_pairs(request.scope["query_string"]))
        view = Catalogue(Page("", self.portal.other(language, "/services")), self.portal.theme.services)
        return self.portal.page("services.html", view, language)

    async def get_health(self, _request: Request) -> Response:
        """Say that this process lives."""
        return JSONResponse({"status": "ok"})

    async def get_ready(self, _request: Request) -> Response:
        """Say whether people can be served: the database answers."""
        try:
            await reading(self.portal.database, self._ask_database)
        except AWAY:
            return JSONResponse({"status": "database away"}, status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        return JSONResponse({"status": "ok"})

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer what has no page. A phone's connectivity probe, or any foreign host, is sent to the front page."""
        assert isinstance(error, HTTPException), "this handler is for those"
        own = is_own_host(request.headers.get("host"), own_url=self.portal.settings.portal_url)
        if request.method in ("GET", "HEAD") and (not own or request.url.path in probes.PATHS):
            return self._to_front()
        language = self.portal.language(read_pairs(request.scope["query_string"]))
        answer = self.portal.message(problem_of(PageProblem.NOT_FOUND), language, status=error.status_code)
        answer.headers.update(error.headers or {})
        return answer

    def failed(self, _request: Request, incident: str) -> Response:
        """Answer what failed inside, with a number to ask by."""
        problem = problem_of(PageProblem.BUSY, incident=incident)
        language = self.portal.settings.language
        return self.portal.message(problem, language, status=HTTPStatus.SERVICE_UNAVAILABLE)

    def _to_front(self) -> Response:
        return RedirectResponse(self.portal.url("/"), status_code=HTTPStatus.FOUND)

    def _ask_database(self) -> None:
        with self.portal.database.read():
            pass
