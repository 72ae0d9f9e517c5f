"""Status links for phones that have none at hand: they came back by themselves, or their page was closed.

Three things show whose connection a browser means: a status link, a router that proves which session the phone has with
which it speaks (the Class of its Accept, or an Acct-Session-Id under its signature), and the cookie that the page left
in this browser. A MAC or an address that a browser names shows nothing. docs/decisions/0034.
"""

from datetime import datetime, timedelta
from typing import Final

from starlette.responses import Response

from app.nas.handoff import PortalFamily, Visit
from app.portal.passes import StatusPass, issue_status, read_status
from app.portal.portal import Portal
from app.services import resume
from app.services import status as statuses
from app.services.resume import KnownDevice
from app.services.spots import Spot, spot_of
from app.services.status import ConnectionState, Status
from app.web.tokens import TokenProblem

COOKIE: Final = "status"
_COOKIE_LIFE: Final = timedelta(days=32)  # what it holds ends by itself, at the latest then
_LONGEST: Final = 3_800  # characters; browsers keep 4,096 with name and attributes


def find_status(portal: Portal, token: str, now: datetime) -> tuple[StatusPass, Spot, Status] | None:
    """Return what a status link is about; None if it is not believed or its NAS or account is gone."""
    ours = read_status(portal.keyring, token, now=now)
    if isinstance(ours, TokenProblem):
        return None
    spot = spot_of(portal.database, portal.keyring, ours.nas_id)
    status = statuses.read_status(
        portal.database,
        account_id=ours.account_id,
        mac=ours.mac,
        login=ours.login,
        logged_in_at=ours.logged_in_at,
        now=now,
        zone=portal.settings.time_zone,
    )
    return None if spot is None or status is None else (ours, spot, status)


def token_of_visit(portal: Portal, spot: Spot, family: PortalFamily, visit: Visit) -> str | None:
    """Return a status link's token for a phone that is in; None if its router does not prove which session it has."""
    device = _device(portal, spot, visit)
    if device is None:
        return None
    origins, now = family.login_origins(visit, spot.nas), portal.clock()
    status = StatusPass(
        nas_id=spot.nas.id,
        account_id=device.account_id,
        mac=device.mac,
        logged_in_at=device.since,
        login=None,
        router_url=f"{origins[0]}/" if origins else "",
        logout_url=family.logout_handoff(visit, spot.nas) or "",
    )
    return issue_status(portal.keyring, status, now=now, until=now)


def token_of_cookie(portal: Portal, cookie: str, *, or_cut: bool = False) -> str | None:
    """Return the token that this browser kept, if its device is online; `or_cut`: or may not be, for a reason."""
    found = find_status(portal, cookie, portal.clock())
    if found is None:
        return None
    ours, _spot, status = found
    counts = status.state is ConnectionState.ONLINE or (or_cut and status.denial is not None)
    return cookie if counts and status.carried_out and not ours.left else None


def remember_token(portal: Portal, response: Response, token: str) -> None:
    """Leave a status link's token in the browser. No login needs it, and many mini-browsers forget it."""
    if len(token) > _LONGEST:
        return
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(_COOKIE_LIFE.total_seconds()),
        path="/",
        secure=portal.settings.portal_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def _device(portal: Portal, spot: Spot, visit: Visit) -> KnownDevice | None:
    if visit.acceptance_class is not None:
        return resume.device_of_class(portal.database, portal.keyring, spot.nas.id, visit.acceptance_class)
    if visit.session_id is not None and visit.mac is not None:
        return resume.device_of_session(portal.database, spot.nas.id, visit.mac, visit.session_id)
    return None
