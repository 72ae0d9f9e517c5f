"""The requests and answers that pass between the library and an application, as plain data. No I/O here.

Times: `received_at` is wall-clock seconds since 1970 (UTC), `received` is monotonic seconds; both are read once per
batch by `radius.net` and handed in.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.codes import StatusType
from radius.credentials import Credential, MsChapV2Success


class AccessRequest(NamedTuple):
    """One Access-Request whose source, structure and signature have been checked (RFC 2865 section 4.1).

    `nas_id` is the `Nas.id` it was verified for. `credential` is None where the router sent none (call check).
    `user_name` is the attribute as text, None if absent or not UTF-8.
    """

    nas_id: str
    user_name: str | None
    credential: Credential | None
    attributes: Attributes
    source: tuple[str, int]
    received_at: float
    received: float


class Accept(NamedTuple):
    """Access-Accept: let the session begin within `authorization`.

    `class_value` is our opaque proof, echoed in accounting (RFC 2865 section 5.25). `user_name` is sent only where the
    family uses it (hostapd accounts under it). `ms_chap` is what a device that came by MS-CHAPv2 must be shown: without
    it, it hangs up. `chargeable_identity` is for whoever asked for one (RFC 4372). `reason` is for observers; it is
    never sent.
    """

    authorization: Authorization
    class_value: bytes
    user_name: str | None = None
    reply_message: str | None = None
    reason: str = ""
    ms_chap: MsChapV2Success | None = None
    chargeable_identity: bytes | None = None


class Reject(NamedTuple):
    """Access-Reject. `delay_seconds` holds the answer back without holding up anything else (throttling guesses).

    `reason` is for observers; it is never sent.
    """

    reply_message: str | None = None
    delay_seconds: float = 0.0
    reason: str = ""


class Challenge(NamedTuple):
    """Access-Challenge (RFC 2865 section 4.4): `state` comes back with the next request."""

    state: bytes
    reply_message: str | None = None
    reason: str = ""


class Later(NamedTuple):
    """No decision yet: ask again with the same request at `not_before` (monotonic seconds), or sooner when woken."""

    not_before: float


class AccountingRecord(NamedTuple):
    """One Accounting-Request whose source, structure and Request Authenticator have been checked (RFC 2866).

    `raw` is the packet as it came, without padding. `status_type` is None if absent or not one that we know.
    """

    nas_id: str
    status_type: StatusType | int | None
    attributes: Attributes
    raw: bytes
    source: tuple[str, int]
    received_at: float
    received: float


@dataclass(frozen=True, slots=True)
class DisconnectRequest:
    """Disconnect-Request (RFC 5176 section 2.1): `attributes` identify the session, nothing else."""

    attributes: Attributes


@dataclass(frozen=True, slots=True)
class CoaRequest:
    """CoA-Request (RFC 5176 section 2.2): `identity` picks the session, `changes` are its new limits."""

    identity: Attributes
    changes: Attributes = field(default_factory=Attributes)


Answer = Accept | Reject | Challenge | Later | None
