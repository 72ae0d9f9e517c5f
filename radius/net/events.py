"""What an observer of a server is told about a datagram; nothing is decoded for it."""

from typing import NamedTuple

from radius.backend import Service
from radius.codes import Code
from radius.errors import DropReason
from radius.messages import AccessRequest, AccountingRecord


class Event(NamedTuple):
    """What became of one datagram. `outcome` is the reply's code, or why there was none; `reply` its octets.

    `nas_id` is None where the datagram is nobody's; `request` is what the backend was asked, None where it was not.
    `reason` is what the backend said of its decision. `repeated` says that the reply had been given before. `at` is
    the arrival in seconds since 1970, `seconds` the time from then to the outcome.
    """

    service: Service
    source: tuple[str, int]
    nas_id: str | None
    datagram: bytes
    outcome: Code | DropReason
    reply: bytes | None
    reason: str
    repeated: bool
    at: float
    seconds: float
    request: AccessRequest | AccountingRecord | None = None
