"""The requests that `pesisir radius test` sends: what a router of ours would say."""

import os
from typing import Final

from app.domain.nases import Nas
from radius.attributes import Attributes
from radius.client_engine import AccessQuery, AccountingQuery, StatusQuery
from radius.credentials import ChapResponse, Credential, PapPassword

_STATUS_TYPES: Final = {"start": "Start", "interim": "Interim-Update", "stop": "Stop"}


def status(router: Nas) -> StatusQuery:
    """Return a Status-Server (RFC 5997)."""
    return StatusQuery(Attributes([("NAS-Identifier", _identifier(router))]))


def access(router: Nas, user: str | None, password: str, *, chap: bool, mac: str, session: str) -> AccessQuery:
    """Return a log-in; without a user it is MAC authentication."""
    return AccessQuery(_attributes(router, user or mac, mac, session), _credential(password, chap=chap))


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


def _credential(password: str, *, chap: bool) -> Credential:
    if not chap:
        return PapPassword(password.encode())
    return ChapResponse.answering(challenge=os.urandom(16), identifier=os.urandom(1)[0], password=password)
