"""View models: what a template gets, ready to be written; no queries, no decisions, no database rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from app.domain.access import Denial, DenialReason, Held
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.plans import Plan
from app.domain.quotas import Measure
from app.portal.problems import GOOD, WARNINGS, PageProblem
from app.services.status import ConnectionState, QuotaLeft, Status
from app.web.formats import Formats, When
from app.web.public_services import Service

_TANK: Final = 84  # units of the picture's height from full to empty
_TANK_TOP: Final = 6
_FIELDS: Final = {
    DenialReason.VOUCHER_UNKNOWN: "code",
    DenialReason.VOUCHER_USED: "code",
    DenialReason.VOUCHER_REVOKED: "code",
    DenialReason.TOP_UP_OF_NOBODY: "code",
    DenialReason.TOP_UP_ADDS_NOTHING: "code",
    DenialReason.WRONG_CREDENTIALS: "username",
}


@dataclass(frozen=True, slots=True)
class Page:
    """What every page shows: where one is, and the same page in the other language ("" where there is none)."""

    site: str = ""
    other_url: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong: a DenialReason or PageProblem, and what its message needs. `field` is the input it is about.

    `period` and `measure` are those of a quota that is used up.
    """

    kind: str
    tone: str
    retry: When | None = None
    period: str | None = None
    measure: str | None = None
    field: str | None = None
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the free tap gives."""

    amount: str | None
    period: str | None
    rate: str | None
    time: str | None


@dataclass(frozen=True, slots=True)
class Splash:
    """The splash page. `way` is the form that was tried last; what was typed is kept, but for the password.

    `tops_up` tells that a code that adds would be for the account of `username`, whose password was right.
    """

    page: Page
    offer: Offer | None
    form: str
    problem: Problem | None = None
    way: str = "free"
    code: str = ""
    username: str = ""
    remember: bool = False
    tops_up: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """What remains of the tightest quota; `level` is where the picture's water stands, from the top."""

    amount: str
    whole: str
    period: str
    level: int
    measure: str = "both"


@dataclass(frozen=True, slots=True)
class Slow:
    """Why a connection is slow, or only the public services are left (`rate` ""), and until when.

    `amount` is what was to be had at full speed; `problem` is the quota that is used up.
    """

    problem: Problem
    amount: str
    rate: str
    until: When | None


@dataclass(frozen=True, slots=True)
class Goal:
    """Where the phone wanted to go: a link that somebody may follow."""

    host: str
    url: str


@dataclass(frozen=True, slots=True)
class Capped:
    """To what a device is held down for now, by whom (a CeilingSource), and until when, where that is certain."""

    source: str
    rate: str
    until: When | None


@dataclass(frozen=True, slots=True)
class Connected:
    """The status page."""

    page: Page
    state: str
    token: str
    left: Left | None = None
    slow: Slow | None = None
    capped: Capped | None = None
    extra: str | None = None
    used: str | None = None
    time: str | None = None
    rate: str | None = None
    devices: str = ""
    device_limit: str | None = None
    age: str | None = None
    goal: Goal | None = None
    problem: Problem | None = None
    refresh_seconds: int | None = None
    device_api: str = ""
    again_url: str = ""
    look_again_url: str = ""
    address_url: str = ""
    waited_level: int = 0
    tops_up: bool = False
    code: str = ""
    code_problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A problem by itself, to be said in a second language."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Message:
    """A page that only says something, and what to do next; `other` says it in the other language too, as HTML.

    `leave_url` is the router's own log-out, for who is in and wants to be asked again.
    """

    page: Page
    problem: Problem
    other_language: str
    other: str
    again_url: str = ""
    leave_url: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The public services."""

    page: Page
    services: Sequence[Service]


@dataclass(frozen=True, slots=True)
class Public:
    """The front page; `entry_url` leads a phone of ours to its router, "" for everybody else."""

    page: Page
    entry_url: str = ""


def problem_of(reason: DenialReason | PageProblem, *, incident: str = "") -> Problem:
    """Describe what needs no more than its name."""
    tone = "good" if reason in GOOD else "warn" if reason in WARNINGS else "bad"
    field = _FIELDS.get(reason) if isinstance(reason, DenialReason) else None
    return Problem(kind=reason.value, tone=tone, field=field, incident=incident)


def problem_of_denial(denial: Denial, formats: Formats, *, now: datetime) -> Problem:
    """Describe a denial, with the moment from which on it is worth trying again."""
    plain = problem_of(denial.reason)
    return Problem(
        kind=plain.kind,
        tone=plain.tone,
        retry=None if denial.retry_at is None else formats.when(denial.retry_at, now=now),
        period=None if denial.quota is None else denial.quota.period.value,
        measure=None if denial.quota is None else denial.quota.measure.value,
        field=plain.field,
    )


def offer_of(plan: Plan, formats: Formats) -> Offer:
    """Describe a plan before it is used: its tightest quota first, as a person meets it."""
    quota = next((quota for quota in plan.quotas if quota.measure is not Measure.TIME), None)
    timed = next((quota.amount for quota in plan.quotas if quota.measure is Measure.TIME), None)
    seconds = timed or plan.session_seconds or plan.validity_seconds
    return Offer(
        amount=None if quota is None else formats.amount(quota.amount),
        period=None if quota is None else quota.period.value,
        rate=None if plan.down_bps is None else formats.rate(plan.down_bps),
        time=None if seconds is None else formats.duration(seconds),
    )


def level(part: int, whole: int) -> int:
    """Return where the picture's water stands, from the top, for a part of a whole."""
    return _TANK_TOP + _TANK - _TANK * min(part, whole) // max(1, whole)


def goal_of(url: str) -> Goal | None:
    """Describe where the phone wanted to go; None for nowhere."""
    host = urlsplit(url).hostname if url else None
    return None if host is None else Goal(host, url)


def connected(
    status: Status,
    formats: Formats,
    *,
    page: Page,
    token: str,
    now: datetime,
    goal: Goal | None,
    device_api: str,
    again_url: str,
    look_again_url: str,
    address_url: str,
) -> Connected:
    """Describe a connection."""
    plan, tightest = status.plan, status.quota or status.time
    ended = status.state is ConnectionState.ENDED or status.denial is not None
    return Connected(
        page=page,
        state="ended" if ended else "online" if status.carried_out else "connected",
        token=token,
        left=None if tightest is None else _left(tightest, formats),
        used=None
        if status.quota is not None or status.held is not None or status.used_today_octets is None
        else formats.amount(status.used_today_octets),
        time=_time_left(status, formats, now),
        extra=formats.amount(status.extra_octets) if status.extra_octets else None,
        slow=None if status.held is None or ended else _slow(status.held, status.down_bps, formats, now),
        capped=None if status.ceiling is None or ended else _capped(status.ceiling, formats, now),
        rate=None if status.down_bps is None else formats.rate(status.down_bps),
        devices="" if status.devices_online is None else formats.count(status.devices_online),
        device_limit=None if plan.device_limit is None else formats.count(plan.device_limit),
        age=None
        if status.reported_at is None
        else formats.age(max(0, int((now - status.reported_at).total_seconds()))),
        goal=goal,
        problem=_ending(status, formats, now=now) if ended else None,
        look_again_url=look_again_url,
        address_url=address_url,
        device_api=device_api,
        again_url=again_url if status.denial is None and (ended or status.carried_out) else "",
    )


def tops_up(status: Status) -> bool:
    """Tell whether a voucher could add anything to a connection: it has a quota or an end, and is there or was cut."""
    if not status.carried_out:
        return False
    if status.denial is not None:
        return status.denial.reason in (DenialReason.QUOTA_EXHAUSTED, DenialReason.EXPIRED)
    limited = status.quota is not None or status.held is not None
    return status.state is ConnectionState.ONLINE and limited


def _left(left: QuotaLeft, formats: Formats) -> Left:
    quota = left.quota
    write = formats.duration if quota.measure is Measure.TIME else formats.amount
    return Left(
        write(left.left), write(quota.amount), quota.period.value, level(left.left, quota.amount), quota.measure.value
    )


def _slow(held: Held, down_bps: int | None, formats: Formats, now: datetime) -> Slow:
    """Describe what a quota has done; `down_bps` holds now: a ceiling may be lower than the quota's rate."""
    bps, quota = down_bps if held.down_bps is not None else held.up_bps, held.quota
    write = formats.duration if quota.measure is Measure.TIME else formats.amount
    return Slow(
        problem_of_denial(Denial(DenialReason.QUOTA_EXHAUSTED, held.until, quota), formats, now=now),
        write(quota.amount),
        "" if held.in_garden or bps is None else formats.rate(bps),
        None if held.until is None else formats.when(held.until, now=now),
    )


def _capped(ceiling: Ceiling, formats: Formats, now: datetime) -> Capped:
    bps = ceiling.down_bps or ceiling.up_bps
    certain = ceiling.source is CeilingSource.PERSON  # the governor gives back sooner, or goes on
    return Capped(
        ceiling.source.value,
        "" if bps is None else formats.rate(bps),
        formats.when(ceiling.until, now=now) if certain else None,
    )


def _time_left(status: Status, formats: Formats, now: datetime) -> str | None:
    """Write how long the connection may last: until it must end, or until the time of a quota is used up."""
    seconds = [] if status.ends_at is None else [int((status.ends_at - now).total_seconds())]
    if status.time is not None:
        seconds.append(status.time.left)
    return formats.duration(min(seconds)) if seconds else None


def _ending(status: Status, formats: Formats, *, now: datetime) -> Problem | None:
    """Say why a connection has ended, where that is known."""
    if status.denial is not None:
        return problem_of_denial(status.denial, formats, now=now)
    return problem_of(PageProblem.LOGGED_OFF) if status.stop_cause in _LOGGED_OFF else None


_LOGGED_OFF: Final = ("User-Request", "logged_out")
