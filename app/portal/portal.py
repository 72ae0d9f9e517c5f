"""What every page of the portal works with, and how a page leaves: one response, sealed by its headers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from app.config import Settings
from app.db.engine import Database
from app.domain.keys import Chance
from app.nas.families import portal_family
from app.portal.views import Message, Page, Problem, Said
from app.services.keyring import Keyring
from app.services.spots import nas_at
from app.web.catalogue import LANGUAGES
from app.web.formats import Formats
from app.web.headers import page_headers
from app.web.theme import Theme
from app.web.throttle import Throttle

TRIES_WINDOW: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Portal:
    """The portal of one process. `tries` counts vouchers and passwords that did not fit."""

    settings: Settings
    database: Database
    keyring: Keyring
    theme: Theme
    tries: Throttle
    clock: Callable[[], datetime]
    chance: Chance

    def language(self, parameters: Mapping[str, str]) -> str:
        """Return the language that was asked for, else the city's."""
        asked = parameters.get("lang", "")
        return asked if asked in LANGUAGES else self.settings.language

    def formats(self, language: str) -> Formats:
        """Return how a language writes numbers and times here."""
        return Formats(language, self.settings.time_zone)

    def url(self, path: str, language: str = "", **parameters: str) -> str:
        """Return the absolute URL of a page; our address comes from the settings, never from the request."""
        if language and language != self.settings.language:
            parameters["lang"] = language
        return f"{self.settings.portal_url}{path}{'?' if parameters else ''}{urlencode(parameters)}"

    def other(self, language: str, path: str, **parameters: str) -> str:
        """Return the URL of the same page in the other language."""
        return f"{path}?{urlencode({**parameters, 'lang': other_language(language)})}"

    def entry_url(self, source: str) -> str:
        """Return where the router of a phone takes it up; "" if the phone comes from none of ours."""
        try:
            nas = nas_at(self.database, ip_address(source))
        except ValueError:
            return ""
        if nas is None or nas.login_address is None or portal_family(nas.family) is None:
            return ""
        return f"http://{nas.login_address}/"

    def page(
        self,
        template: str,
        view: object,
        language: str,
        *,
        status: int = HTTPStatus.OK,
        form_origins: Iterable[str] = (),
    ) -> HTMLResponse:
        """Render a page; its forms may lead to us and, by our redirect, to `form_origins`."""
        html = self.theme.render(language, template, view)
        headers = page_headers(self.theme.style_source, form_origins)
        return HTMLResponse(html, status_code=status, headers=headers)

    def message(
        self, problem: Problem, language: str, *, status: int, site: str = "", again_url: str = "", leave_url: str = ""
    ) -> HTMLResponse:
        """Render a page that only says what went wrong, in both languages."""
        other = other_language(language)
        said = Markup(self.theme.render(other, "said.html", Said(problem)))  # noqa: S704 a template's output
        view = Message(Page(site), problem, other, said, again_url, leave_url)
        return self.page("problem.html", view, language, status=status)


def other_language(language: str) -> str:
    """Return the one that `language` is not."""
    return next(known for known in LANGUAGES if known != language)


def see_other(url: str) -> RedirectResponse:
    """Send the browser on by GET (303), whatever it came by."""
    return RedirectResponse(url, status_code=HTTPStatus.SEE_OTHER)


def source_address(request: Request) -> str:
    """Return where a request came from, as the server below us knows it; "" if it does not."""
    return request.client.host if request.client is not None else ""
