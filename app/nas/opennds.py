"""openNDS FAS: what the router tells about a phone at levels 1 to 4, and the two ways back; no I/O.

Levels 1 (http) and 4 (https) carry base64, levels 2 (http) and 3 (https) AES-256-CBC; levels 1 and 2 send the phone
back to the router, at levels 3 and 4 the router comes for the grant itself. Measured with openNDS 9.10; level 4 and
10.x after their source.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote, urlencode

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from app.domain.access import Grant
from app.domain.nases import Nas, NasSecrets
from app.nas.addresses import check_target, parse_address
from app.nas.handoff import AwaitPoll, HandOff, Login, Redirect, Visit, VisitError, VisitOutcome, VisitProblem
from app.nas.opennds_config import config
from app.nas.parameters import ip_of, mac_of, text_of, web_address_of

__all__ = ["config", "login_handoff", "login_origins", "logout_handoff", "read_state", "read_visit"]

_CARRIED: Final = ("hid", "clientip", "clientmac", "gatewayname", "gatewayaddress", "authdir", "originurl", "version")
_ABSENT: Final = "(null)"
_LEVELS: Final = ("1", "2", "3", "4")
_HID: Final = re.compile(r"[0-9a-f]{16,128}\Z")
_AUTHDIR: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_BLOCK: Final = 16
_KEY: Final = 32
_LONGEST_FAS: Final = 8_192  # base64 twice over a text that holds the URL a phone asked for
_POLL_SECONDS: Final = 15  # what the waiting page promises: 9.10 asks every 10 s, 10.x every 5 s


def read_visit(
    query: Mapping[str, str],
    raw_query: str,  # noqa: ARG001 the surface of every family; what is checked here stands in `fas`
    nas: Nas,
    secrets: NasSecrets,
    *,
    page: str = "",
) -> Visit:
    """Read the redirect to the FAS; raise VisitError. A phone that is already in comes without `fas`."""
    if query.get("status") == "authenticated" and not query.get("fas"):
        return Visit(mac=None, ip=None, outcome=VisitOutcome.ALREADY)
    encrypted, https = bool(query.get("iv")), page.startswith("https:")
    level = ("4" if https else "1") if not encrypted else ("3" if https else "2")
    text = _decrypt(query, secrets) if encrypted else _base64(_fas(query), "fas")
    values = _values(text)
    return _visit({name: values[name] for name in _CARRIED if name in values} | {"level": level}, nas)


def read_state(state: Mapping[str, str], nas: Nas, secrets: NasSecrets) -> Visit:  # noqa: ARG001 the surface
    """Read what the form carried; raise VisitError."""
    return _visit(state, nas)


def login_handoff(visit: Visit, login: Login, nas: Nas, secrets: NasSecrets) -> HandOff:
    """Send the phone to the router (levels 1, 2), or keep it until the router has come (levels 3, 4)."""
    token = rhid(_hid(visit.state), secrets)
    if visit.state["level"] in ("3", "4"):
        return AwaitPoll(token, _POLL_SECONDS)
    authdir = visit.state.get("authdir", "opennds_auth")
    if _AUTHDIR.match(authdir) is None:
        raise VisitError(VisitProblem.MALFORMED, "authdir")
    query = urlencode({"tok": token, "redir": login.return_url})
    return Redirect(f"{_origin(visit.state, nas)}/{authdir}/?{query}", token)


def logout_handoff(visit: Visit, nas: Nas) -> str | None:
    """Return the router's own log-out URL."""
    return f"{_origin(visit.state, nas)}/opennds_deny/" if _known(visit.state, nas) else None


def login_origins(visit: Visit, nas: Nas) -> tuple[str, ...]:
    """Return where the router's /opennds_auth is."""
    return (_origin(visit.state, nas),) if _known(visit.state, nas) else ()


def rhid(hid: str, secrets: NasSecrets) -> str:
    """Return the name under which the router knows the phone's log-in at every level."""
    return hashlib.sha256((hid + secrets.portal).encode()).hexdigest()


def hid_of_token(token: str) -> str:
    """Return the hid of a client whose token the router names in its own reports."""
    return hashlib.sha256(token.encode()).hexdigest()


def gateway_hash(gatewayname: str) -> str:
    """Return how the router calls itself when it polls: over the name as it stands in `fas`, percent-encoded."""
    return hashlib.sha256(gatewayname.encode()).hexdigest()


def is_encrypted(state: Mapping[str, str]) -> bool:
    """Tell whether the redirect was encrypted with the FAS key: then the router itself wrote it."""
    return state.get("level") in ("2", "3")


def within_reach(grant: Grant, state: Mapping[str, str]) -> Grant:
    """Return what the router that sent `state` can hold without harm.

    openNDS 9.10 on Debian 12 stops counting what a phone sends once it has an upload rate (tried; the download side
    goes on counting): a quota that holds is worth more than that rate.
    """
    return grant._replace(up_bps=None) if state.get("version", "").startswith("9.") else grant


def auth_line(token: str, grant: Grant, reference: str) -> str:
    """Write one entry of the list that authmon takes, percent-encoded: minutes, kbit/s and KiB, 0 for no limit."""
    minutes = -(-grant.session_seconds // 60) if grant.session_seconds is not None else 0
    custom = base64.b64encode(reference.encode()).decode("ascii")
    return quote(f"{token} {minutes} {_limits(grant)} {custom}", safe="")


def binauth_line(grant: Grant) -> str:
    """Write what BinAuth prints for openNDS: seconds, kbit/s and KiB, 0 for no limit."""
    return f"{grant.session_seconds or 0} {_limits(grant)}"


def limits_in_words(grant: Grant) -> list[tuple[str, str]]:
    """Return what `binauth_line` says with its units, as `ndsctl json` names it; what is not limited is left out."""
    names = (
        ("sessiontimeout", "s"),
        *((f"{way}rate", "kbit/s") for way in _WAYS),
        *((f"{way}quota", "KiB") for way in _WAYS),
    )
    values = zip(names, binauth_line(grant).split(), strict=True)
    return [(name, f"{value} {unit}") for (name, unit), value in values if value != "0"]


def _limits(grant: Grant) -> str:
    """Write up and down rate in kbit/s, up and down quota in KiB.

    openNDS has no quota for both directions together, so what is left is divided: an eighth for sending, but never
    less than the last megabytes, by which it may be overrun.
    """
    up_octets, down_octets = grant.up_octets_left, grant.down_octets_left
    if grant.octets_left is not None:
        floor = min(grant.octets_left, _LAST_OCTETS)
        up_share = max(grant.octets_left // 8, floor)
        down_share = max(grant.octets_left - up_share, floor)
        up_octets = up_share if up_octets is None else min(up_share, up_octets)
        down_octets = down_share if down_octets is None else min(down_share, down_octets)
    return f"{_kbits(grant.up_bps)} {_kbits(grant.down_bps)} {_kib(up_octets)} {_kib(down_octets)}"


_WAYS: Final = ("upload", "download")
_LAST_OCTETS: Final = 2_000_000


def _kib(octets: int | None) -> int:
    return 0 if octets is None else max(1, octets // 1024)


def _kbits(bps: int | None) -> int:
    return 0 if bps is None else max(1, bps // 1000)


def _visit(state: Mapping[str, str], nas: Nas) -> Visit:
    if state.get("level") not in _LEVELS:
        raise VisitError(VisitProblem.MALFORMED, "level")
    _hid(state)
    _origin(state, nas)
    decoded = {**state, "originurl": unquote(state.get("originurl", ""))}
    mac = mac_of(state, "clientmac")
    if mac is None:
        raise VisitError(VisitProblem.MALFORMED, "clientmac")
    return Visit(
        mac=mac, ip=ip_of(state, "clientip"), state=dict(state), continue_url=web_address_of(decoded, "originurl")
    )


def _hid(state: Mapping[str, str]) -> str:
    hid = state.get("hid", "")
    if _HID.match(hid) is None:
        raise VisitError(VisitProblem.MALFORMED, "hid")
    return hid


def _known(state: Mapping[str, str], nas: Nas) -> bool:
    return "gatewayaddress" in state or nas.login_address is not None


def _origin(state: Mapping[str, str], nas: Nas) -> str:
    """Return the router's own web server; raise VisitError."""
    target = parse_address(state.get("gatewayaddress", "") or nas.login_address or "")
    if target is None:
        raise VisitError(VisitProblem.MALFORMED, "gatewayaddress")
    proven = is_encrypted(state)
    return f"http://{check_target(target, nas.login_address, proven=proven, parameter='gatewayaddress').authority}"


def _values(text: str) -> Mapping[str, str]:
    """Read `name=value, name=value`; unknown names and a tail without `=` are passed over."""
    pairs = (item.partition("=") for item in text.split(", "))
    return {name: value for name, sign, value in pairs if sign and value and value != _ABSENT}


def _decrypt(query: Mapping[str, str], secrets: NasSecrets) -> str:
    """Open levels 2 and 3: base64 twice, then AES-256-CBC; zeros fill the key, the digits of iv are its octets."""
    iv = text_of(query, "iv")
    if len(iv) != _BLOCK or not iv.isascii():
        raise VisitError(VisitProblem.MALFORMED, "iv")
    sealed = _octets(_base64(_fas(query), "fas"), "fas")
    if not sealed or len(sealed) % _BLOCK:
        raise VisitError(VisitProblem.MALFORMED, "fas")
    key = secrets.portal.encode()[:_KEY].ljust(_KEY, b"\0")
    decryptor = Cipher(AES256(key), CBC(iv.encode("ascii"))).decryptor()
    padded = decryptor.update(sealed) + decryptor.finalize()
    unpadder = PKCS7(_BLOCK * 8).unpadder()
    try:
        text = (unpadder.update(padded) + unpadder.finalize()).decode()
    except ValueError as error:
        raise VisitError(VisitProblem.BAD_SIGNATURE, "fas") from error
    if not text.startswith("hid="):
        raise VisitError(VisitProblem.BAD_SIGNATURE, "fas")
    return text


def _fas(query: Mapping[str, str]) -> str:
    """Return `fas`; openNDS leaves `+` as it is, which a form decoder has made a space."""
    return text_of(query, "fas", longest=_LONGEST_FAS).replace(" ", "+")


def _base64(text: str, parameter: str) -> str:
    try:
        return _octets(text, parameter).decode()
    except UnicodeDecodeError as error:
        raise VisitError(VisitProblem.MALFORMED, parameter) from error


def _octets(text: str, parameter: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise VisitError(VisitProblem.MALFORMED, parameter) from error
