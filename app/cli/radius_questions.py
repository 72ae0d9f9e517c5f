"""The requests that `pesisir radius test` sends: what a router of ours would say, and a device behind it."""

import os
from typing import Final

from app.domain.nases import Nas
from radius.attributes import Attributes
from radius.client_engine import AccessQuery, AccountingQuery, Query, Reply, StatusQuery
from radius.codes import Code
from radius.credentials import ChapResponse, Credential, MsChapV2Response, PapPassword

_STATUS_TYPES: Final = {"start": "Start", "interim": "Interim-Update", "stop": "Stop"}


def status(router: Nas) -> StatusQuery:
    """Return a Status-Server (RFC 5997)."""
    return StatusQuery(Attributes([("NAS-Identifier", _identifier(router))]))


def access(router: Nas, user: str | None, password: str, *, method: str, mac: str, session: str) -> AccessQuery:
    """Return a log-in; without a user it is MAC authentication."""
    name = user or mac
    return AccessQuery(_attributes(router, name, mac, session), _credential(name, password, method))


def proves_itself(asked: Query, reply: Reply, password: str) -> bool:
    """Tell whether a server that accepts knows the password too: MS-CHAPv2 makes it show that (RFC 2759 section 5)."""
    credential = asked.credential if isinstance(asked, AccessQuery) else None
    if not isinstance(credential, MsChapV2Response) or reply.code is not Code.ACCESS_ACCEPT:
        return True
    success = credential.success(password)
    return reply.attributes.octets("MS-CHAP2-Success") == bytes((success.identifier,)) + success.proof


def accounting(
    router: Nas, kind: str, user: str, *, mac: str, session: str, up: int, down: int, session_seconds: int
) -> AccountingQuery:
    """Return a report of octets since the start; a NAS counts *input* what the phone sent (RFC 2866 section 5.3)."""
    attributes = _attributes(router, user, mac, session).add("Acct-Status-Type", _STATUS_TYPES[kind])
    if kind != "start":
        for way, octets in (("Input", up), ("Output", down)):
            attributes.add(f"Acct-{way}-Octets", octets % 2**32)
            attributes.add(f"Acct-{way}-Gigawords", octets // 2**32)
        attributes.add("Acct-Session-Time", session_seconds)
    return AccountingQuery(attributes)


def _attributes(router: Nas, user: str, mac: str, session: str) -> Attributes:
    return (
        Attributes()
        .add("User-Name", user)
        .add("NAS-Identifier", _identifier(router))
        .add("NAS-Port-Type", "Wireless-802.11")
        .add("Calling-Station-Id", mac.upper().replace(":", "-"))
        .add("Acct-Session-Id", session)
    )


def _identifier(router: Nas) -> str:
    return router.identifier or router.name


def _credential(name: str, password: str, method: str) -> Credential:
    challenge, identifier = os.urandom(16), os.urandom(1)[0]
    match method:
        case "chap":
            return ChapResponse.answering(challenge, identifier, password)
        case "mschapv2":
            own = os.urandom(16)
            return MsChapV2Response.answering(challenge, identifier, name.encode(), password, peer_challenge=own)
        case _:
            return PapPassword(password.encode())
