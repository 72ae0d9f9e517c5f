"""CoovaChilli's UAM (and uspot, which speaks the same): the signed redirect, and the way back to its /logon; no I/O.

Measured with CoovaChilli 1.8 and 1.9; uspot after its source. The uamsecret never leaves the server: `md` is checked
and the answer to the challenge is computed here.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from app.domain.nases import Family, Nas, NasSecrets
from app.nas.addresses import Address, check_target, parse_port
from app.nas.coovachilli_config import config
from app.nas.handoff import HandOff, Login, Redirect, Visit, VisitError, VisitOutcome, VisitProblem
from app.nas.parameters import ip_of, mac_of, message_of, text_of, web_address_of

__all__ = ["config", "login_handoff", "login_origins", "logout_handoff", "read_state", "read_visit"]

_CARRIED: Final = ("uamip", "uamport", "challenge", "mac", "ip", "userurl")
_MD: Final = re.compile(r"(.*)[?&]md=([0-9A-Fa-f]{32})\Z", re.DOTALL)
_CHALLENGE: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){8,32}\Z")
_BLOCK: Final = 16
_LONGEST_SESSION_ID: Final = 253  # RFC 2866 section 5.5
_OUTCOMES: Final = {
    "notyet": VisitOutcome.NOT_YET,
    "challenge": VisitOutcome.NOT_YET,
    "splash": VisitOutcome.NOT_YET,
    "wispr": VisitOutcome.NOT_YET,
    "success": VisitOutcome.SUCCESS,
    "failed": VisitOutcome.FAILED,
    "logoff": VisitOutcome.LOGGED_OFF,
    "already": VisitOutcome.ALREADY,
}


def read_visit(query: Mapping[str, str], raw_query: str, nas: Nas, secrets: NasSecrets, *, page: str = "") -> Visit:
    """Read chilli's redirect to `page`, once its signature fits; raise VisitError.

    After `res=failed` the redirect carries the next challenge, so the person can try again at once. `continue_url` is
    chilli's `userurl`: after a success that is the page which the hand-off named.
    """
    _check_signature(page, raw_query, secrets)
    visit = _visit({name: text_of(query, name) for name in _CARRIED if query.get(name)}, query, nas)
    return replace(visit, session_id=text_of(query, "sessionid", longest=_LONGEST_SESSION_ID) or None)


def read_state(state: Mapping[str, str], nas: Nas, secrets: NasSecrets) -> Visit:  # noqa: ARG001 the surface
    """Read what the form carried; raise VisitError."""
    return _visit(state, state, nas)


def login_handoff(visit: Visit, login: Login, nas: Nas, secrets: NasSecrets) -> HandOff:
    """Send the browser to chilli's /logon with the answer to its challenge: chilli by CHAP, uspot by PAP."""
    hidden = _hidden_challenge(visit, secrets)
    fields = {"username": login.ticket.name}
    if nas.family is Family.USPOT:
        fields["password"] = pap_password(login.ticket.password, hidden)
    else:
        fields["response"] = chap_response(login.ticket.password, hidden)
    query = urlencode({**fields, "userurl": login.return_url})
    return Redirect(f"{_origin(visit, nas)}/logon?{query}")


def logout_handoff(visit: Visit, nas: Nas) -> str | None:
    """Return chilli's log-out URL."""
    return f"{_origin(visit, nas)}/logoff"


def login_origins(visit: Visit, nas: Nas) -> tuple[str, ...]:
    """Return where chilli's /logon is."""
    return (_origin(visit, nas),)


def chap_response(password: str, hidden: bytes) -> str:
    """Return chilli's `response`: MD5 over identifier 0, password and hidden challenge (RFC 1994 section 4.1)."""
    return hashlib.md5(b"\0" + password.encode() + hidden).hexdigest()


def pap_password(password: str, hidden: bytes) -> str:
    """Return chilli's `password`: padded with zeros to whole blocks, each XORed with the hidden challenge."""
    octets = password.encode()
    padded = octets.ljust(-(-max(1, len(octets)) // _BLOCK) * _BLOCK, b"\0")
    return bytes(octet ^ hidden[index % _BLOCK] for index, octet in enumerate(padded)).hex()


def _check_signature(page: str, raw_query: str, secrets: NasSecrets) -> None:
    """Compare `md`, which comes last: MD5 over everything before it and the uamsecret."""
    match = _MD.match(f"{page}?{raw_query}")
    if match is None:
        raise VisitError(VisitProblem.BAD_SIGNATURE, "md")
    expected = hashlib.md5(match[1].encode() + secrets.portal.encode()).hexdigest()
    if not hmac.compare_digest(expected, match[2].lower()):
        raise VisitError(VisitProblem.BAD_SIGNATURE, "md")


def _visit(state: Mapping[str, str], query: Mapping[str, str], nas: Nas) -> Visit:
    _target(state, nas)
    outcome = _OUTCOMES.get(query.get("res", "notyet"))
    if outcome is None:
        raise VisitError(VisitProblem.MALFORMED, "res")
    if outcome is VisitOutcome.FAILED and query.get("reason") == "timeout":
        outcome = VisitOutcome.TIMEOUT
    if "challenge" in state and _CHALLENGE.match(state["challenge"]) is None:
        raise VisitError(VisitProblem.MALFORMED, "challenge")
    return Visit(
        mac=mac_of(state, "mac"),
        ip=ip_of(state, "ip"),
        state=dict(state),
        continue_url=web_address_of(state, "userurl"),
        outcome=outcome,
        message=message_of(query, "reply"),
    )


def _hidden_challenge(visit: Visit, secrets: NasSecrets) -> bytes:
    """Return MD5 over the challenge and the uamsecret, which is what RADIUS will show as CHAP-Challenge."""
    challenge = visit.state.get("challenge")
    if challenge is None:
        raise VisitError(VisitProblem.MALFORMED, "challenge")
    return hashlib.md5(bytes.fromhex(challenge) + secrets.portal.encode()).digest()


def _origin(visit: Visit, nas: Nas) -> str:
    return f"http://{_target(visit.state, nas).authority}"


def _target(state: Mapping[str, str], nas: Nas) -> Address:
    """Return uamip:uamport, which must be the registered address where there is one; raise VisitError."""
    host, port = ip_of(state, "uamip"), parse_port(state.get("uamport", ""))
    if host is None:
        raise VisitError(VisitProblem.MALFORMED, "uamip")
    if port is None:
        raise VisitError(VisitProblem.MALFORMED, "uamport")
    return check_target(Address(host, port), nas.login_address, proven=True, parameter="uamip")
