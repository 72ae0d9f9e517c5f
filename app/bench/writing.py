"""Signed requests, ready to leave: written before they are needed, so that sending costs no thought. No I/O here.

A session's packets are the same octets whenever they are sent. Chance is an argument: octets for authenticators.
"""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from app.bench.kinds import Method
from app.bench.people import Person
from radius.attributes import Attributes
from radius.codes import Code, StatusType
from radius.credentials import ChapResponse
from radius.dictionary import BY_NAME
from radius.signatures import SharedSecret, hide_password, sign_access_request, sign_accounting_request

STEP_SECONDS: Final = 1  # from one report of a session to the next, by the router's own count
UP_PER_STEP: Final = 0x3000_0000  # so that counters pass 4 GiB, and Gigawords are needed, after six reports
DOWN_PER_STEP: Final = 0x8000_0000  # and after two
LONGEST_ECHO: Final = 255
_GIGAWORD: Final = 1 << 32
_ROUTER_MAC: Final = "02-00-00-00-00-01:bench"


@dataclass(frozen=True, slots=True)
class Steps:
    """The reports of one session: a Start, so many Interim-Updates, and a Stop if it ends."""

    interims: int = 3
    ends: bool = True

    def __len__(self) -> int:
        return 1 + self.interims + self.ends

    def status(self, step: int) -> StatusType:
        """Return what the report number `step` says."""
        if step == 0:
            return StatusType.START
        return StatusType.STOP if self.ends and step == len(self) - 1 else StatusType.INTERIM_UPDATE


class Writer:
    """Writes as one router: its address and identifier are in every request."""

    def __init__(
        self, secret: SharedSecret, address: str, identifier: str, *, began: int, proxy_state: bool = False
    ) -> None:
        where = "NAS-IP-Address" if ip_address(address).version == 4 else "NAS-IPv6-Address"
        router = Attributes([(where, address), ("NAS-Identifier", identifier), ("NAS-Port-Type", "Wireless-802.11")])
        self._secret = secret
        self._router = router.add("Called-Station-Id", _ROUTER_MAC).to_bytes()
        self._began = began
        self._proxy_state = proxy_state

    def access(
        self, number: int, person: Person, session: bytes, authenticator: bytes, method: Method = Method.PAP
    ) -> bytes:
        """Return the Access-Request that is number `number` of its socket."""
        body = _attribute(_USER_NAME, person.name)
        if method is Method.PAP:
            body += _attribute(_USER_PASSWORD, hide_password(self._secret, authenticator, person.password))
        else:
            chap = ChapResponse.answering(authenticator, 1, person.password)  # RFC 2865 section 5.40
            body += _attribute(_CHAP_PASSWORD, b"\1" + chap.response)
        body += self._router + _who(person, session) + self._passed_on(number)
        return sign_access_request(self._secret, Code.ACCESS_REQUEST, number & 255, authenticator, body)

    def reports(self, person: Person, session: bytes, steps: Steps) -> list[bytes]:
        """Return the attributes of each report of a session; what the server says in its Accept is not in it yet."""
        head = _attribute(_USER_NAME, person.name) + self._router + _who(person, session)
        return [head + self._report(steps, step) for step in range(len(steps))]

    def accounting(self, number: int, report: bytes, echoed: bytes) -> bytes:
        """Return the Accounting-Request that is number `number` of its socket; `echoed` are Class attributes."""
        body = report + echoed + self._passed_on(number)
        return sign_accounting_request(self._secret, Code.ACCOUNTING_REQUEST, number & 255, body, message=False)

    def _report(self, steps: Steps, step: int) -> bytes:
        up, down = octets_after(step)
        said = Attributes([("Acct-Status-Type", int(steps.status(step))), ("Acct-Session-Time", step * STEP_SECONDS)])
        said.add("Event-Timestamp", self._began + step * STEP_SECONDS)
        if step:
            said.add("Acct-Input-Octets", up % _GIGAWORD).add("Acct-Input-Gigawords", up // _GIGAWORD)
            said.add("Acct-Output-Octets", down % _GIGAWORD).add("Acct-Output-Gigawords", down // _GIGAWORD)
        if steps.status(step) is StatusType.STOP:
            said.add("Acct-Terminate-Cause", "Lost-Carrier")
        return said.to_bytes()

    def _passed_on(self, number: int) -> bytes:
        return _attribute(_PROXY_STATE, number.to_bytes(8)) if self._proxy_state else b""


def octets_after(step: int) -> tuple[int, int]:
    """Return what a session has carried up and down when it makes its report number `step`."""
    return step * UP_PER_STEP, step * DOWN_PER_STEP


def echo_of(reply: bytes) -> bytes:
    """Return the Class attributes of a reply as they came (RFC 2865 section 5.25), as far as they fit into one's room.

    It is read without being verified: that comes later, for every reply.
    """
    found = b""
    at, end = 20, len(reply)
    while at + 2 <= end:
        size = reply[at + 1]
        if size < 2:
            break
        if reply[at] == _CLASS and len(found) + size <= LONGEST_ECHO:
            found += reply[at : at + size]
        at += size
    return found


def session_names(chance: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Return what names the session of a number; no two runs name one alike."""
    run = chance(5).hex().encode()
    return lambda number: b"%b%08x" % (run, number)


def _number(name: str) -> int:
    return BY_NAME[name].number


_USER_NAME: Final = _number("User-Name")
_USER_PASSWORD: Final = _number("User-Password")
_CHAP_PASSWORD: Final = _number("CHAP-Password")
_CLASS: Final = _number("Class")
_CALLING: Final = _number("Calling-Station-Id")
_PROXY_STATE: Final = _number("Proxy-State")
_SESSION_ID: Final = _number("Acct-Session-Id")


def _attribute(number: int, value: bytes) -> bytes:
    return b"%c%c%b" % (number, len(value) + 2, value)


def _who(person: Person, session: bytes) -> bytes:
    mac = person.mac.upper().replace(":", "-").encode()
    return _attribute(_CALLING, mac) + _attribute(_SESSION_ID, session)
