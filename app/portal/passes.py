"""What the portal's tokens carry: the visit behind a form, the login behind a status link."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from app.services.keyring import Keyring
from app.web import tokens
from app.web.tokens import TokenProblem, TokenPurpose

FORM_LIFE: Final = timedelta(minutes=30)
"""Long enough to fetch a voucher from the kiosk; a challenge of the router may end sooner, and then it says so."""

_STATE: Final = "v."


@dataclass(frozen=True, slots=True)
class FormPass:
    """A visit at a NAS; `nonce` makes one form lead to one ticket.

    `proven` is an account whose password was typed here and that could not go online: a code that adds is for it.
    """

    nas_id: str
    nonce: bytes
    state: Mapping[str, str]
    proven: str | None = None


@dataclass(frozen=True, slots=True)
class StatusPass:
    """One login. `router_url` is the router's own address, `logout_url` its log-out ("" where it has none).

    `login` is the nonce of its ticket: who forges a visit has such a pass too, so it opens nothing before a router has
    used that ticket; None where the router has shown by itself whose session the device has. `awaited` is the name
    under which the router asks for the grant, until `await_until`; "" where it asks by RADIUS.
    """

    nas_id: str
    account_id: str
    mac: str
    logged_in_at: datetime
    login: str | None = ""
    router_url: str = ""
    logout_url: str = ""
    goal_url: str = ""
    awaited: str = ""
    await_until: datetime | None = None
    left: bool = False

    def awaiting(self, awaited: str, now: datetime, seconds: int) -> "StatusPass":
        """Return the pass of a login whose grant the router still has to fetch."""
        return replace(self, awaited=awaited, await_until=now + timedelta(seconds=seconds))


def issue_form(keyring: Keyring, form: FormPass, *, now: datetime) -> str:
    """Seal a form's pass."""
    content = {"n": form.nas_id, "k": form.nonce.hex()} | {_STATE + name: value for name, value in form.state.items()}
    if form.proven is not None:
        content["a"] = form.proven
    return tokens.issue(keyring, TokenPurpose.FORM, content, now=now, life=FORM_LIFE)


def read_form(keyring: Keyring, token: str, *, now: datetime) -> FormPass | TokenProblem:
    """Open a form's pass."""
    content = tokens.read(keyring, TokenPurpose.FORM, token, now=now)
    if isinstance(content, TokenProblem):
        return content
    state = {name[len(_STATE) :]: value for name, value in content.items() if name.startswith(_STATE)}
    return FormPass(content["n"], bytes.fromhex(content["k"]), state, content.get("a"))


def issue_status(keyring: Keyring, status: StatusPass, *, now: datetime, until: datetime) -> str:
    """Seal a status link's pass; it ends a day after the device could last come back by itself."""
    content = {
        "n": status.nas_id,
        "a": status.account_id,
        "m": status.mac,
        "s": _seconds(status.logged_in_at),
        "k": status.login or "",
        "r": status.router_url,
        "o": status.logout_url,
        "g": status.goal_url,
        "w": status.awaited,
        "d": "" if status.await_until is None else _seconds(status.await_until),
        "l": "1" if status.left else "",
        "v": "1" if status.login is None else "",
    }
    life = until - now + timedelta(days=1)
    kept = {name: value for name, value in content.items() if value}
    return tokens.issue(keyring, TokenPurpose.STATUS, kept, now=now, life=life)


def read_status(keyring: Keyring, token: str, *, now: datetime) -> StatusPass | TokenProblem:
    """Open a status link's pass."""
    content = tokens.read(keyring, TokenPurpose.STATUS, token, now=now)
    if isinstance(content, TokenProblem):
        return content
    return StatusPass(
        nas_id=content["n"],
        account_id=content["a"],
        mac=content["m"],
        logged_in_at=_moment(content["s"]),
        login=None if "v" in content else content.get("k", ""),
        router_url=content.get("r", ""),
        logout_url=content.get("o", ""),
        goal_url=content.get("g", ""),
        awaited=content.get("w", ""),
        await_until=_moment(content["d"]) if "d" in content else None,
        left="l" in content,
    )


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
