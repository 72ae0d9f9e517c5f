"""What is laid over a plan: single values and quotas, for those at a site or for one person, each with its reason."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from app.domain.plans import Plan
from app.domain.quotas import QuotaOverride, Then, read_then
from app.domain.schedules import Window
from app.domain.service_classes import ServiceClass

Value = int | str | Then | None
"""A value of a plan; None is "no such limit"."""

SCHEDULE: Final = "schedule"
"""Overridden, by None alone, it takes away the windows of what lies below: the plan's, or the plan's and the site's."""

FIELDS: Final = (
    *(field.name for field in fields(Plan) if field.name not in {"id", "name", "quotas", "windows"}),
    SCHEDULE,
)
"""What of a plan may be replaced by itself; a quota is replaced by one of the same kind, windows come beside others."""


@dataclass(frozen=True, slots=True)
class Override:
    """A value that stands in place of the plan's until `until` (None: for good); `field` is one of FIELDS."""

    field: str
    value: Value
    reason: str
    author: str
    until: datetime | None = None

    def active(self, now: datetime) -> bool:
        """Tell whether the override holds at `now`."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Overlay:
    """What stands in place of a plan's values, at most one for each, and more windows; the order means nothing."""

    overrides: tuple[Override, ...] = ()
    quotas: tuple[QuotaOverride, ...] = ()
    windows: tuple[Window, ...] = ()


NOTHING: Final = Overlay()


def value_of(field: str, written: int | str | None) -> Value:
    """Return a value of a plan from how it is written down."""
    match field:
        case "service_class":
            return ServiceClass(str(written))
        case "used_up":
            return read_then(str(written))
        case _:
            return written


def stored(value: Value) -> int | str | None:
    """Return how a value of a plan is written down."""
    return str(value) if isinstance(value, Then) else value
