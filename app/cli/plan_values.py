"""What a plan holds, as options of the command line and as people and scripts read it: each value stands here once."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, cast
from zoneinfo import ZoneInfo

from typer.models import OptionInfo

from app.cli.failures import usage
from app.cli.options import Given, amount, number, one_of, parsed, rate, seconds, word
from app.cli.output import JsonValue, iso, local
from app.cli.quota_options import QUOTA, by_tally, quota_json
from app.domain.overlays import FIELDS, SCHEDULE, Override, stored
from app.domain.plans import PERIOD_FIELDS, Plan
from app.domain.quota_words import Written, format_quotas, format_then, parse_then
from app.domain.quotas import CUT, Measure, QuotaOverride
from app.domain.schedules import RATES
from app.domain.service_classes import ServiceClass
from app.domain.units import format_amount, format_duration, format_rate

if TYPE_CHECKING:
    from app.services.plans import PlanValues


class _Value(NamedTuple):
    """One value: how it is typed, under which name it is shown, and how it is written for people."""

    option: OptionInfo
    title: str
    write: Callable[[Any], str | None]  # the value's own type


def _rate(bps: int | None) -> str | None:
    return None if bps is None else format_rate(bps)


def _amount(octets: int | None) -> str | None:
    return None if octets is None else format_amount(octets)


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else format_duration(seconds)


def _plain(value: object) -> str | None:
    return None if value is None else str(value)


_VALUES: Final[dict[str, _Value]] = {
    "down_bps": _Value(rate("--down", "Rate to the phone, in bit/s, such as 4M or 512k."), "down", _rate),
    "up_bps": _Value(rate("--up", "Rate from the phone, in bit/s."), "up", _rate),
    "daily_octets": _Value(
        amount("--daily", "Data per local day, up and down together, such as 500MB."), "daily", _amount
    ),
    "weekly_octets": _Value(amount("--weekly", "Data per week, which begins on Monday."), "weekly", _amount),
    "monthly_octets": _Value(amount("--monthly", "Data per local month, such as 10GB."), "monthly", _amount),
    "billing_octets": _Value(
        amount("--billing", "Data from one billing day of the account to the next."), "billing", _amount
    ),
    "total_octets": _Value(amount("--total", "Data in all, such as 2GB."), "total", _amount),
    "quotas": _Value(QUOTA, "quotas", lambda quotas: format_quotas(quotas) or None),
    "device_limit": _Value(
        number("--devices", "How many devices may be online at once.", largest=1_000), "devices", _plain
    ),
    "session_seconds": _Value(
        seconds("--session", "Longest session, such as 8h; a known phone comes back by itself."), "session", _time
    ),
    "idle_seconds": _Value(seconds("--idle", "End a session after so long without data, such as 10m."), "idle", _time),
    "interim_seconds": _Value(
        seconds("--interim", "How often usage is reported, 60s or more; unset: as the site says."), "reports", _time
    ),
    "validity_seconds": _Value(
        seconds("--validity", "How long it lasts from the first use, such as 30d."), "validity", _time
    ),
    "service_class": _Value(
        one_of("--class", ServiceClass, "Whom a full line serves first: office, public_service, resident, guest."),
        "class",
        _plain,
    ),
    "down_burst_bps": _Value(
        rate("--down-burst", "Rate to the phone for the first seconds, so that a page opens at once."),
        "down burst",
        _rate,
    ),
    "up_burst_bps": _Value(rate("--up-burst", "Rate from the phone for the first seconds."), "up burst", _rate),
    "burst_seconds": _Value(seconds("--burst-time", "How long a burst lasts, such as 8s."), "burst time", _time),
    "vlan": _Value(number("--vlan", "VLAN where the router puts the device.", largest=4_094), "vlan", _plain),
    "filter_id": _Value(
        word("--filter", "NAME", "Filter, role or policy that the router knows by this name."), "filter", _plain
    ),
    "address_list": _Value(
        word("--address-list", "NAME", "MikroTik's address list for the device."), "address list", _plain
    ),
    "used_up": _Value(
        parsed(
            "--used-up",
            parse_then,
            "WHAT",
            "What happens when a quota is used up: cut, garden, or a rate such as 1M or 1M/256k.",
        ),
        "used up",
        lambda what: None if what == CUT else format_then(what),
    ),
    "garden": _Value(
        word("--garden", "NAME", "Filter that the router knows and that leaves the public services only."),
        "garden",
        _plain,
    ),
}


def _no_word(typed: str) -> str:
    raise ValueError(f"{typed!r} cannot be said here: windows are set by set-window, and only none takes them away")


_SCHEDULE: Final[dict[str, _Value]] = {
    SCHEDULE: _Value(
        parsed("--schedule", _no_word, "none", "none: the windows of what lies below do not open."), "schedule", _plain
    )
}


def with_values(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a plan's values; it gets those that were named as its argument `values`."""
    return _with(_VALUES, command)


def with_overridable_values(command: Callable[..., None]) -> Callable[..., None]:
    """Do so with those that are overridden one by one: all but the quotas, and the schedule as a whole."""
    return _with({field: value for field, value in _VALUES.items() if field in FIELDS} | _SCHEDULE, command)


def with_rates(command: Callable[..., None]) -> Callable[..., None]:
    """Do so with the rates and bursts, which a window may change."""
    return _with({field: _VALUES[field] for field in RATES}, command)


def _with(values: Mapping[str, _Value], command: Callable[..., None]) -> Callable[..., None]:
    @wraps(command)
    def run(**arguments: object) -> None:
        options = {field: arguments.pop(field) for field in values}
        given = {field: option.value for field, option in options.items() if isinstance(option, Given)}
        if options.get("quotas"):
            given["quotas"] = by_tally(cast("list[Written]", options["quotas"]))
        command(**arguments, values=cast("PlanValues", given))  # the keys are those of the TypedDict

    own = [parameter for name, parameter in signature(command).parameters.items() if name != "values"]
    added = [
        Parameter(field, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[_type(field), value.option])
        for field, value in values.items()
    ]
    run.__signature__ = signature(command).replace(parameters=[*own, *added])  # type: ignore[attr-defined]  # typer reads it
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *added]}
    return run


def _type(field: str) -> Any:
    return list[Written] | None if field == "quotas" else Given[Any] | None


def shown(plan: Plan) -> dict[str, str | None]:
    """Write a plan's values for people, a quota once: steps are all among the quotas."""
    steps = Counter(quota.tally for quota in plan.quotas)
    stepped = [quota for quota in plan.quotas if quota.then is not None or steps[quota.tally] > 1]
    held = _held(plan) | {PERIOD_FIELDS[quota.period]: None for quota in stepped if quota.measure is Measure.BOTH}
    held["quotas"] = [quota for quota in plan.quotas if quota in stepped or quota.measure is not Measure.BOTH]
    return {value.title: value.write(held[field]) for field, value in _VALUES.items()}


def written_value(field: str, value: Any) -> str | None:
    """Write one value of a plan for people; None for none."""
    return _VALUES[field].write(value)


def written(values: Mapping[str, Any]) -> dict[str, str]:
    """Write some values of a plan for people, by what they are called."""
    return {_VALUES[field].title: _VALUES[field].write(value) or "no limit" for field, value in values.items()}


def titles() -> list[str]:
    """Return the names under which `shown` writes the values."""
    return [value.title for value in _VALUES.values()]


def plan_json(plan: Plan) -> dict[str, JsonValue]:
    """Write a plan for scripts."""
    return {
        "id": plan.id,
        "name": plan.name,
        **_held(plan),
        "quotas": [quota_json(quota) for quota in plan.quotas],
        "used_up": format_then(plan.used_up),
    }


def fields_of(names: Sequence[str]) -> list[str]:
    """Return the values that options name, as in `down` for --down; `all` is every one of them. Raise Failure."""
    every = {field: value for field, value in (_VALUES | _SCHEDULE).items() if field in FIELDS}
    by_name = {_flag(value.option).removeprefix("--"): field for field, value in every.items()}
    found: list[str] = []
    for name in names:
        if name == "all":
            return list(FIELDS)
        if name not in by_name:
            usage(f"{name!r} is no value of a plan", hint=f"one of {', '.join(by_name)}, or all")
        found.append(by_name[name])
    return found


def _flag(option: OptionInfo) -> str:
    """Return how an option is spelled; typer keeps the first spelling as the default until a command has it."""
    return str(option.default)


def override_line(override: Override, zone: ZoneInfo) -> tuple[str, str, str, str, str | None]:
    """Write an override for people: value, what it is, why, who said so, until when."""
    value = (_VALUES | _SCHEDULE)[override.field]
    until = local(override.until, zone)
    return value.title, value.write(override.value) or "no limit", override.reason, override.author, until


def override_json(override: Override, zone: ZoneInfo) -> dict[str, JsonValue]:
    """Write an override for scripts."""
    return {"field": override.field, "value": stored(override.value), **said_json(override, zone)}


def said_json(override: Override | QuotaOverride, zone: ZoneInfo) -> dict[str, JsonValue]:
    """Write for scripts why something is laid over a plan, who said so, and until when."""
    return {"reason": override.reason, "author": override.author, "until": iso(override.until, zone)}


def _held(plan: Plan) -> dict[str, Any]:  # Any: of each field's own type
    """Return the values that a plan holds, in the order of the options."""
    plain = {quota.period: quota.amount for quota in reversed(plan.quotas) if quota.measure is Measure.BOTH}
    of_quotas = {field: plain.get(period) for period, field in PERIOD_FIELDS.items()}
    return {field: of_quotas[field] if field in of_quotas else getattr(plan, field) for field in _VALUES}
