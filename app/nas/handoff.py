"""What a router's redirect tells the portal, and what brings the phone back to it; the surface of every family.

Each family module has the same functions:

    read_visit(query, raw_query, nas, secrets, page=) -> Visit   what the redirect says, checked; raises VisitError
    read_state(state, nas, secrets) -> Visit                     the same, from what the form carried (portal-signed)
    login_handoff(visit, login, nas, secrets) -> HandOff         where the browser goes next; raises VisitError
    logout_handoff(visit, nas) -> str | None                     the router's own log-out URL, None if it has none
    login_origins(visit, nas) -> tuple[str, ...]                 the origins that the hand-off may lead to
    config(nas, secrets, portal) -> Mapping[str, str]            paste-ready files by name (what to paste where)

`page` is the URL of this NAS's splash page as the phone asked for it, without the query: what the router was
configured with. chilli signs it, and openNDS's level follows from its scheme.

Everything in a query is untrusted (it comes from the phone): length-capped, typed, shown escaped, and never a target
unless it equals what is registered for that NAS.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from urllib.parse import quote

from app.domain.access import Grant
from app.domain.nases import Nas, NasSecrets
from app.domain.tickets import Ticket


class VisitProblem(StrEnum):
    """Why a redirect is not believed."""

    MALFORMED = "malformed"  # a value that is too long, of the wrong type, or missing
    BAD_SIGNATURE = "bad_signature"  # md, or what was encrypted, does not fit the NAS's secret
    FOREIGN_ADDRESS = "foreign_address"  # it wants the phone sent to an address that is not this NAS's
    NO_LOGIN_ADDRESS = "no_login_address"  # nothing is registered to send the phone to


class VisitError(Exception):
    """A redirect that is not believed: the problem, and the parameter that has it."""

    def __init__(self, problem: VisitProblem, parameter: str) -> None:
        super().__init__(f"{problem}: {parameter}")
        self.problem = problem
        self.parameter = parameter


class VisitOutcome(StrEnum):
    """What the router says about an earlier attempt when it sends the phone to us."""

    NOT_YET = "not_yet"
    SUCCESS = "success"
    FAILED = "failed"
    TIMEOUT = "timeout"  # the router could not reach RADIUS
    LOGGED_OFF = "logged_off"
    ALREADY = "already"


@dataclass(frozen=True, slots=True)
class Visit:
    """A phone at the splash page, as its router describes it. `state` is what the family needs again at the hand-off.

    `continue_url` is where the phone wanted to go: http or https, shown as text, never followed by itself.
    `message` is what the router says (Reply-Message), untrusted text.

    Of a phone that is in, `session_id` is the Acct-Session-Id where the router signs what it says, and
    `acceptance_class` the Class that it was let in with, where the router writes it: that proves itself.
    """

    mac: str | None
    ip: str | None
    state: Mapping[str, str] = field(default_factory=dict)
    continue_url: str | None = None
    outcome: VisitOutcome = VisitOutcome.NOT_YET
    message: str | None = None
    session_id: str | None = None
    acceptance_class: str | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """What the portal decided: the ticket, the limits behind it, and the page of ours to come back to.

    `acceptance_id` and `account_id` matter to families without RADIUS, whose session begins right here.
    """

    ticket: Ticket
    grant: Grant
    account_id: str
    acceptance_id: str
    return_url: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """303 to the router: it logs the phone in and sends it on to the return URL.

    `token` is set where the router then asks us for the limits (openNDS levels 1 and 2, through BinAuth).
    """

    url: str
    token: str | None = None


@dataclass(frozen=True, slots=True)
class AwaitPoll:
    """The router will fetch the grant itself (openNDS level 3): keep the phone on a waiting page until it has.

    `token` is the name under which the router asks for it.
    """

    token: str
    seconds: int


HandOff = Redirect | AwaitPoll


@dataclass(frozen=True, slots=True)
class Portal:
    """Where a router finds us: the portal's base URL, the RADIUS server, and what phones may reach before a login.

    `garden` are exact host names of the city's own services; there are no wildcards in a walled garden.
    """

    url: str
    radius_host: str
    auth_port: int = 1812
    acct_port: int = 1813
    interim_seconds: int = 60
    time_zone: str = "Asia/Makassar"
    garden: tuple[str, ...] = ()

    def page(self, nas: Nas) -> str:
        """Return the one URL that this router is pointed at."""
        return f"{self.url}/hotspot/{quote(nas.name, safe='')}"


class PortalFamily(Protocol):
    """What each family module with a portal is."""

    def read_visit(
        self, query: Mapping[str, str], raw_query: str, nas: Nas, secrets: NasSecrets, *, page: str = ""
    ) -> Visit:
        """Read a redirect; raise VisitError."""

    def read_state(self, state: Mapping[str, str], nas: Nas, secrets: NasSecrets) -> Visit:
        """Read what `Visit.state` carried through the form; raise VisitError."""

    def login_handoff(self, visit: Visit, login: Login, nas: Nas, secrets: NasSecrets) -> HandOff:
        """Say where the browser goes next; raise VisitError."""

    def logout_handoff(self, visit: Visit, nas: Nas) -> str | None:
        """Return the router's own log-out URL; None if it has none."""

    def login_origins(self, visit: Visit, nas: Nas) -> tuple[str, ...]:
        """Return the origins that the hand-off may lead to."""

    def config(self, nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
        """Return paste-ready files by name."""
