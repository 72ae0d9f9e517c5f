"""What a session may do, in neutral units; `vendors` turns it into a router's own attributes. No I/O here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Authorization:
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

    def __post_init__(self) -> None:
        """Refuse zero and negative limits: an exhausted session is rejected, not limited to nothing."""
        for name in _LIMITS:
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be positive, not {value}")


_LIMITS = (
    "down_bps",
    "up_bps",
    "down_burst_bps",
    "up_burst_bps",
    "burst_seconds",
    "down_octets",
    "up_octets",
    "total_octets",
    "session_timeout_seconds",
    "idle_timeout_seconds",
    "interim_seconds",
    "vlan",
)
