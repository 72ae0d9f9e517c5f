"""openNDS's calls to the portal: authmon's polls, BinAuth's question, and the report when a phone has left.

authmon (levels 3 and 4) proves nothing but that it knows the gateway's name, so what it may do is bounded: it learns
tokens that open the door of one phone each, and may forget grants. What is charged to people must be proven: BinAuth
signs with the FAS key, and an unsigned report must name the client's secret token, of which a phone knows but a hash.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Final
from zoneinfo import ZoneInfo

from app.db.engine import Database
from app.domain.devices import parse_mac
from app.domain.nases import Nas, NasSecrets
from app.domain.reports import Decided, Reported, SessionReport
from app.nas.handoff import AwaitPoll, HandOff, Login, Redirect, Visit
from app.nas.opennds import auth_line, binauth_line, gateway_hash, hid_of_token, is_encrypted, rhid, within_reach
from app.services import ingest, router_grants, session_changes
from app.services.router_grants import PhoneReport

_SOURCE: Final = "http"
_SIGNED: Final = ("binauth", "departed", "counters")
_MOST_ENTRIES: Final = 4  # what authmon takes in one poll
_MOST_CHARACTERS: Final = 1_024  # of which it reads no more
_LONGEST_PAYLOAD: Final = 8_192
_HASH: Final = re.compile(r"[0-9a-f]{64}\Z")
_TOKEN: Final = re.compile(r"[0-9a-zA-Z]{1,64}\Z")
_LARGEST_COUNTER: Final = 2**43  # of KiB it is still below what JSON readers can hold
_CAUSES: Final = {
    "client": "User-Request",
    "idle": "Idle-Timeout",
    "timeout": "Session-Timeout",
    "downquota": "Quota",
    "upquota": "Quota",
    "download_quota": "Quota",
    "upload_quota": "Quota",
    "ndsctl": "Admin-Reset",
    "shutdown": "NAS-Reboot",
}


@dataclass(frozen=True, slots=True)
class PollAnswer:
    """What the router reads: plain text."""

    body: str
    status: int = HTTPStatus.OK


_REFUSED: Final = PollAnswer("", HTTPStatus.FORBIDDEN)
_UNREADABLE: Final = PollAnswer("", HTTPStatus.BAD_REQUEST)
_ACK: Final = PollAnswer("ack")


@dataclass(frozen=True, slots=True)
class _Call:
    """One call, and what answering it needs."""

    nas: Nas
    secrets: NasSecrets
    gateway: str
    payload: str
    database: Database
    now: datetime
    zone: ZoneInfo
    chance: Callable[[int], bytes]


def answer(
    nas: Nas,
    secrets: NasSecrets,
    parameters: Mapping[str, str],
    *,
    database: Database,
    now: datetime,
    zone: ZoneInfo,
    chance: Callable[[int], bytes],
) -> PollAnswer:
    """Answer a call with `auth_get`, whether it came by GET or by POST; whatever it says, this raises nothing."""
    verb, payload = parameters.get("auth_get", ""), parameters.get("payload", "")
    gateway = parameters.get("gatewayhash", "")
    tag = parameters.get("tag", "")
    if not (payload.isascii() and tag.isascii()) or len(payload) > _LONGEST_PAYLOAD:
        return _UNREADABLE
    if gateway and _HASH.match(gateway) is None:
        return _UNREADABLE
    signed = verb in _SIGNED
    text = payload if signed else _decode(payload)
    if text is None:
        return _UNREADABLE
    call = _Call(nas, secrets, gateway, text, database, now, zone, chance)
    if signed and not hmac.compare_digest(sign(secrets, verb, text), tag):
        return _REFUSED
    match verb:
        case "clear":
            router_grants.clear(database, nas, gateway, now=now)
            return PollAnswer("")
        case "view":
            return _list(call) if text in ("none", "") else _acknowledge(call, text.replace("*", " ").split())
        case "list":
            return _list_and_forget(call)
        case "deauthed":
            return _deauthed(call)
        case "custom":
            return _ACK
        case "binauth":
            return _admit(call)
        case "departed":
            return _departed(call)
        case "counters":
            return _counters(call)
        case _:
            return _UNREADABLE


def register(
    handoff: HandOff,
    visit: Visit,
    login: Login,
    nas: Nas,
    *,
    database: Database,
    now: datetime,
    chance: Callable[[int], bytes],
) -> None:
    """Keep what the router will ask for after this hand-off; nothing where the router asks by RADIUS."""
    match handoff:
        case Redirect(token=None):
            return
        case Redirect(token=str(token)) | AwaitPoll(token=token):
            assert visit.mac is not None
            router_grants.keep(
                database,
                nas,
                token=token,
                mac=visit.mac,
                ip=visit.ip,
                gateway=gateway_hash(visit.state["gatewayname"]) if "gatewayname" in visit.state else "",
                account_id=login.account_id,
                acceptance_id=login.acceptance_id,
                grant=within_reach(login.grant, visit.state),
                proven=is_encrypted(visit.state),
                now=now,
                chance=chance,
            )


def sign(secrets: NasSecrets, verb: str, text: str) -> str:
    """Return the tag of a signed call or answer: SHA-256 twice with the FAS key, as a shell can make it too."""
    inner = hashlib.sha256(f"{secrets.portal}:{verb}:{text}".encode()).hexdigest()
    return hashlib.sha256(f"{secrets.portal}:{inner}".encode()).hexdigest()


def _list(call: _Call) -> PollAnswer:
    return PollAnswer("".join(("*", *(f" {line}" for _token, line in _entries(call)))))


def _list_and_forget(call: _Call) -> PollAnswer:
    """Answer `list`, which takes every entry as delivered by this answer."""
    entries = _entries(call)
    _merge(call, router_grants.acknowledge(call.database, call.nas, [token for token, _line in entries], now=call.now))
    return PollAnswer("".join(("*", *(f" {line}" for _token, line in entries))))


def _entries(call: _Call) -> Sequence[tuple[str, str]]:
    """Return the (token, line) pairs that the router will read of one answer."""
    entries: list[tuple[str, str]] = []
    length = 0
    for grant in router_grants.waiting(call.database, call.nas, call.gateway, now=call.now):
        line = auth_line(grant.token, grant.grant, grant.id)
        length += len(line) + 1
        if len(entries) == _MOST_ENTRIES or length > _MOST_CHARACTERS:
            break
        entries.append((grant.token, line))
    return entries


def _acknowledge(call: _Call, tokens: Sequence[str]) -> PollAnswer:
    """Take the router's list of phones that it has let in."""
    known = [token for token in tokens[:_LONGEST_ACK] if _HASH.match(token)]
    if known:
        _merge(call, router_grants.acknowledge(call.database, call.nas, known, now=call.now))
    return _ACK


_LONGEST_ACK: Final = 64


def _deauthed(call: _Call) -> PollAnswer:
    """Take libopennds's report (level 3), if it names the token that our grant's hid was made from."""
    said = _departure(dict(item.partition("=")[::2] for item in call.payload.split(", ")))
    if said is None:
        return _UNREADABLE
    grant = router_grants.delivered_to(call.database, call.nas, said.mac, _token_name(call, said.token))
    if grant is None:
        return _REFUSED
    _merge(call, [router_grants.session_report(call.nas, said, grant, now=call.now)])
    return _ACK


def _departed(call: _Call) -> PollAnswer:
    """Take BinAuth's signed report: method, MAC, incoming, outgoing, start, end, token."""
    said = _departure(dict(zip(_REPORT, call.payload.split(","), strict=False)))
    return _UNREADABLE if said is None else _take(call, said)


def _counters(call: _Call) -> PollAnswer:
    """Take what a phone has used so far, signed: MAC, KiB received, KiB sent, start, now, token.

    The answer says, signed together with the report, whether its session is to end: the router hears it no other way.
    """
    fields = call.payload.split(",")
    if len(fields) != len(_COUNTERS):
        return _UNREADABLE
    values = dict(zip(_COUNTERS, fields, strict=True))
    said = _phone_report(values, kib=True)
    if said is None:
        return _UNREADABLE
    answer = _take(call, said)
    if session_changes.is_to_end(call.database, call.nas.id, said.mac):
        return PollAnswer(f"cut {sign(call.secrets, 'cut', call.payload)}")
    return answer


_REPORT: Final = ("method", "clientmac", "bytes_incoming", "bytes_outgoing", "session_start", "session_end", "token")
_COUNTERS: Final = ("clientmac", "bytes_incoming", "bytes_outgoing", "session_start", "session_end", "token")


def _take(call: _Call, said: PhoneReport) -> PollAnswer:
    """Store a signed report. A phone that we know nothing of is recorded too, and charged to nobody."""
    grant = router_grants.delivered_to(call.database, call.nas, said.mac, _token_name(call, said.token))
    if grant is None:
        restored = router_grants.restored_to(call.database, call.nas, said.mac, now=call.now)
        grant = None if restored is None else replace(restored, id=f"{said.token}-{said.started}")
    _merge(call, [router_grants.session_report(call.nas, said, grant, now=call.now)])
    return _ACK


def _admit(call: _Call) -> PollAnswer:
    """Answer BinAuth's question (MAC, token): the limits of the grant, signed together with the question, or a no."""
    text, _comma, token = call.payload.partition(",")
    mac = parse_mac(text)
    if mac is None or _TOKEN.match(token) is None:
        return _UNREADABLE
    admitted = router_grants.admit(call.database, call.nas, mac, _token_name(call, token), now=call.now)
    if admitted is None:
        return PollAnswer("no", HTTPStatus.FORBIDDEN)
    grant, begun = admitted
    _merge(call, begun)
    limits = binauth_line(grant.grant)
    return PollAnswer(f"{limits} {sign(call.secrets, 'admit', f'{call.payload}:{limits}')}")


def _token_name(call: _Call, token: str) -> str:
    """Return the name of the grant of the client whose secret token the router tells: hid is its hash."""
    return rhid(hid_of_token(token), call.secrets)


def _departure(values: Mapping[str, str]) -> PhoneReport | None:
    """Read a report that a phone has left; None if it is not one."""
    method = values.get("method", "")
    cause = _CAUSES.get(method.removesuffix("_deauth")) if method.endswith("_deauth") else None
    said = _phone_report(values)
    return None if said is None or cause is None else replace(said, cause=cause)


def _phone_report(values: Mapping[str, str], *, kib: bool = False) -> PhoneReport | None:
    """Read a phone's counters (in KiB or octets): incoming is what it received; None if they are none."""
    mac, token = parse_mac(values.get("clientmac", "")), values.get("token", "")
    down, up = _counter(values.get("bytes_incoming", "")), _counter(values.get("bytes_outgoing", ""))
    started, at = _counter(values.get("session_start", "")), _counter(values.get("session_end", ""))
    if mac is None or down is None or up is None or started is None or at is None or _TOKEN.match(token) is None:
        return None
    scale = 1024 if kib else 1
    return PhoneReport(mac, up * scale, down * scale, started, at, token)


def _counter(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 16) or int(text) >= _LARGEST_COUNTER:
        return None
    return int(text)


def _decode(payload: str) -> str | None:
    """Read authmon's base64, in which a form decoder may have made a space of `+`; None if it is none."""
    if payload in ("", "none"):
        return payload
    try:
        return base64.b64decode(payload.replace(" ", "+").encode("ascii"), validate=True).decode()
    except (UnicodeError, binascii.Error):
        return None


def _merge(call: _Call, said: Sequence[Decided | SessionReport]) -> None:
    items = [
        one if isinstance(one, Decided) else Reported(one, call.payload.encode(), call.now, _SOURCE, call.nas.id)
        for one in said
    ]
    if items:
        ingest.merge(
            call.database, items, position=None, origin=_SOURCE, zone=call.zone, now=call.now, chance=call.chance
        )
