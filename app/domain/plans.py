"""Plans: what an admin gives."""

from dataclasses import dataclass

from app.domain.quotas import Quota


@dataclass(frozen=True, slots=True)
class Plan:
    """What an admin gives: rates, quotas, timers, devices, validity. None means "no such limit".

    `validity_seconds` runs from the first use. `interim_seconds` None takes the default of the site.
    """

    id: str
    name: str
    down_bps: int | None = None
    up_bps: int | None = None
    quotas: tuple[Quota, ...] = ()
    device_limit: int | None = None
    session_seconds: int | None = None
    idle_seconds: int | None = None
    interim_seconds: int | None = None
    validity_seconds: int | None = None
