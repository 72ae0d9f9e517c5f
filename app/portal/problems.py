"""What can go wrong on a page besides a denial; each has a message in the catalogue."""

from enum import StrEnum
from typing import Final

from app.domain.access import DenialReason


class PageProblem(StrEnum):
    """Why a page is not the one that was hoped for."""

    ROUTER_FAILED = "router_failed"  # the router says no, and why is not known here
    ROUTER_TIMEOUT = "router_timeout"  # the router says that it got no answer from us
    ROUTER_SILENT = "router_silent"  # the router has not come for the grant
    LOGGED_OFF = "logged_off"
    ALREADY = "already"
    NO_DEVICE = "no_device"  # a visit without a MAC: not by way of a router
    UNKNOWN_PLACE = "unknown_place"  # no NAS of that name, or one without a splash page
    VISIT_NOT_BELIEVED = "visit_not_believed"
    FORM_EXPIRED = "form_expired"
    FORM_UNREADABLE = "form_unreadable"
    FORM_TOO_LARGE = "form_too_large"
    FOREIGN_PAGE = "foreign_page"
    STATUS_UNKNOWN = "status_unknown"
    NO_TOP_UP = "no_top_up"  # a voucher that opens a plan of its own, where one that adds was asked for
    NOT_FOUND = "not_found"
    BUSY = "busy"  # our own failure


GOOD: Final = frozenset({PageProblem.LOGGED_OFF, PageProblem.ALREADY})
WARNINGS: Final = frozenset(
    {
        DenialReason.CLOSED,
        DenialReason.QUOTA_EXHAUSTED,
        DenialReason.NO_FREE_PLAN,
        DenialReason.TERMS_NOT_ACCEPTED,
        DenialReason.TOO_MANY_TRIES,
        DenialReason.TOP_UP_OF_NOBODY,
        DenialReason.TOP_UP_ADDS_NOTHING,
        PageProblem.ROUTER_TIMEOUT,
        PageProblem.ROUTER_SILENT,
        PageProblem.NO_DEVICE,
    }
)
