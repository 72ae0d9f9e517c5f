"""MikroTik hotspot: the redirect that our login.html writes, and the way back to the router's own /login; no I/O.

The variables and their octal escapes are those of the RouterOS manual, "Hotspot customisation". Nothing in this
redirect is signed, so the phone goes only to the registered address or to a private literal.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

from app.domain.nases import Nas, NasSecrets
from app.nas.addresses import Address, check_target, parse_address
from app.nas.handoff import HandOff, Login, Redirect, Visit, VisitError, VisitOutcome, VisitProblem
from app.nas.mikrotik_config import config
from app.nas.parameters import ip_of, mac_of, message_of, text_of, web_address_of

__all__ = ["config", "login_handoff", "login_origins", "logout_handoff", "read_state", "read_visit"]

_CARRIED: Final = ("mac", "ip", "link-login-only", "link-orig", "chap-id", "chap-challenge")
_ESCAPE: Final = re.compile(r"\\([0-7]{1,3})|\\([\\\"'])|([^\\])", re.DOTALL)
_LONGEST_CHALLENGE: Final = 64  # octets; RouterOS sends 16
_LONGEST_CLASS: Final = 253  # RFC 2865 section 5.25
_PAGES: Final = {"logout": VisitOutcome.LOGGED_OFF, "status": VisitOutcome.ALREADY}


def read_visit(
    query: Mapping[str, str],
    raw_query: str,  # noqa: ARG001 the surface of every family; nothing is signed here
    nas: Nas,
    secrets: NasSecrets,  # noqa: ARG001 the same
    *,
    page: str = "",  # noqa: ARG001 the same
) -> Visit:
    """Read the redirect of the router's login, status and logout pages; raise VisitError."""
    state = {name: text_of(query, name) for name in _CARRIED if query.get(name)}
    _challenge(state)
    _target(state, nas)
    message = message_of(query, "error")
    return Visit(
        mac=mac_of(query, "mac"),
        ip=ip_of(query, "ip"),
        state=state,
        continue_url=web_address_of(query, "link-orig"),
        outcome=_outcome(query, message),
        message=message,
        acceptance_class=text_of(query, "class", longest=_LONGEST_CLASS) or None,
    )


def read_state(state: Mapping[str, str], nas: Nas, secrets: NasSecrets) -> Visit:
    """Read what the form carried; raise VisitError."""
    return read_visit(state, "", nas, secrets)


def login_handoff(visit: Visit, login: Login, nas: Nas, secrets: NasSecrets) -> HandOff:  # noqa: ARG001 the surface
    """Send the browser to the router's /login with the ticket: by CHAP if the router gave a challenge, else by PAP."""
    challenge = _challenge(visit.state)
    password = login.ticket.password
    if challenge is not None:
        identifier, value = challenge
        password = hashlib.md5(identifier + password.encode() + value).hexdigest()
    fields = {"username": login.ticket.name, "password": password, "dst": login.return_url, "popup": "false"}
    return Redirect(f"{_origin(visit, nas)}/login?{urlencode(fields)}")


def logout_handoff(visit: Visit, nas: Nas) -> str | None:
    """Return the router's log-out URL, which also forgets its cookie."""
    return f"{_origin(visit, nas)}/logout?erase-cookie=on"


def login_origins(visit: Visit, nas: Nas) -> tuple[str, ...]:
    """Return where the router's login page is."""
    return (_origin(visit, nas),)


def _outcome(query: Mapping[str, str], message: str | None) -> VisitOutcome:
    if message is not None:
        return VisitOutcome.TIMEOUT if "not responding" in message.lower() else VisitOutcome.FAILED
    return _PAGES.get(query.get("page", ""), VisitOutcome.NOT_YET)


def _origin(visit: Visit, nas: Nas) -> str:
    scheme, target = _target(visit.state, nas)
    return f"{scheme}://{target.authority}"


def _target(state: Mapping[str, str], nas: Nas) -> tuple[str, Address]:
    """Return the scheme and address of the router's login page; raise VisitError.

    Only they are taken from `link-login-only`; path and query are ours.
    """
    name = "link-login-only"
    link = state.get(name, "")
    if not link:
        registered = parse_address(nas.login_address or "")
        if registered is None:
            raise VisitError(VisitProblem.NO_LOGIN_ADDRESS, name)
        return "http", registered
    try:
        parts = urlsplit(link)
    except ValueError as error:
        raise VisitError(VisitProblem.MALFORMED, name) from error
    target = parse_address(parts.netloc.lower())
    if parts.scheme not in ("http", "https") or target is None:
        raise VisitError(VisitProblem.MALFORMED, name)
    return parts.scheme, check_target(target, nas.login_address, proven=False, parameter=name)


def _challenge(state: Mapping[str, str]) -> tuple[bytes, bytes] | None:
    """Return chap-id (one octet) and chap-challenge as raw octets; None if the router wants PAP; raise VisitError."""
    if not state.get("chap-id"):
        return None
    identifier = unescape(state["chap-id"], "chap-id")
    challenge = unescape(state.get("chap-challenge", ""), "chap-challenge")
    if len(identifier) != 1:
        raise VisitError(VisitProblem.MALFORMED, "chap-id")
    if not 1 <= len(challenge) <= _LONGEST_CHALLENGE:
        raise VisitError(VisitProblem.MALFORMED, "chap-challenge")
    return identifier, challenge


def unescape(text: str, parameter: str) -> bytes:
    r"""Turn RouterOS's octal escapes (`\371`) into the octets they stand for; raise VisitError."""
    octets = bytearray()
    position = 0
    while position < len(text):
        match = _ESCAPE.match(text, position)
        value = 256 if match is None else int(match[1], 8) if match[1] else ord(match[2] or match[3])
        if match is None or value > 255:
            raise VisitError(VisitProblem.MALFORMED, parameter)
        octets.append(value)
        position = match.end()
    return bytes(octets)
