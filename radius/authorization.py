"""What a session may do, in neutral units; `vendors` turns it into a router's own attributes. No I/O here."""

from typing import NamedTuple


class Authorization(NamedTuple):
    """The limits of one session. None means "no such limit"; zero is never valid (RADIUS readers take it for none).

    Rates are bits per second, amounts octets that remain from now on, times seconds from now on, all by the user's
    view: *down* is towards the phone.
    """

    down_bps: int | None = None
    up_bps: int | None = None
    down_burst_bps: int | None = None
    up_burst_bps: int | None = None
    burst_seconds: int | None = None
    down_octets: int | None = None
    up_octets: int | None = None
    total_octets: int | None = None
    session_timeout_seconds: int | None = None
    idle_timeout_seconds: int | None = None
    interim_seconds: int | None = None
    address_list: str | None = None
    filter_id: str | None = None
    vlan: int | None = None
