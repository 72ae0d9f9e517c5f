"""What a router family can be told, in words and in JSON; `pesisir nas families` and docs/routers/README.md show it."""

from typing import Final

from app.cli.output import JsonValue
from app.domain.nases import Family
from radius.vendors import profile_for
from radius.vendors.abilities import TWO_WORDS, Coa, CoaBase, CoaKind, Limits, Told, Unit
from radius.vendors.profile import Direction, Profile

COLUMNS: Final = ("family", "tried on", "rate", "data", "times", "filter", "while online", "session named by")

_TIMERS: Final = {"Session-Timeout": "session", "Idle-Timeout": "idle", "Acct-Interim-Interval": "interim"}
_GIGAWORDS: Final = {True: "64 bits", False: "32 bits, wraps are made out", None: "not known"}
_BASES: Final = {CoaBase.START: "since the session began", CoaBase.NOW: "from its arrival on", None: "not known"}


def with_state(family: Family) -> str:
    """Write a family for a list: with a word where it was never tried on the real thing."""
    return f"{family} (experimental)" if profile_for(family.value).experimental else family.value


def row(profile: Profile) -> tuple[str, ...]:
    """Return a family in a line of `COLUMNS`, in words."""
    limits, coa = profile.limits, profile.coa
    return (
        profile.family,
        profile.tried or "experimental",
        _rate(limits.rate),
        _data(limits.octets),
        ", ".join(_TIMERS[name] for name in limits.timers) or "none known",
        f"{limits.role}, to its scripts only" if limits.role_by_script else limits.role or "-",
        _while_online(coa),
        _named_by(coa),
    )


def _rate(told: Told | None) -> str:
    if told is None:
        return "-"
    return "to the bit/s" if told.unit is Unit.BITS else f"{told.unit}, rounded down"


def _data(told: Told | None) -> str:
    match told:
        case None:
            return "-"
        case Told(unit=Unit.KIBIOCTETS):
            return "KiB, rounded down"
        case Told(largest=largest) if largest >= TWO_WORDS:
            return "to the octet"
        case _:
            return "to the octet, 4 GiB at a time"


def _while_online(coa: Coa) -> str:
    names = ", ".join(coa.attributes)
    match coa.kind:
        case CoaKind.FULL_SET:
            return "every limit, all of them each time"
        case CoaKind.ALLOW_LIST:
            return f"{names}, nothing else"
        case CoaKind.IDENTITY_PAIR:
            return names
        case CoaKind.ROLE_ONLY:
            return f"the filter ({names})"
        case CoaKind.DISCONNECT_ONLY:
            return "nothing; it can be ended"
        case CoaKind.REAUTH_POLL:
            return f"{names}, when it asks again"
        case CoaKind.API:
            return "nothing by RADIUS, only by the vendor's API"
        case CoaKind.AGENT:
            return "nothing from outside the router"
        case CoaKind.NONE:
            return "nothing"


def _named_by(coa: Coa) -> str:
    """Say what finds a session: what has to be there, then what may be."""
    others = ", ".join(name for name in coa.identity if name not in coa.needed)
    if not coa.identity:
        return "not known" if coa.kind.takes_disconnect else "-"
    if not coa.needed:
        return f"any of {others}"
    needed = " and ".join(coa.needed)
    return f"{needed}; also {others}" if others else needed


def fields(profile: Profile) -> dict[str, object]:
    """Return everything of a family, in words."""
    limits, coa = profile.limits, profile.coa
    return {
        **dict(zip(COLUMNS, row(profile), strict=True)),
        "rate by": _carriers(limits.rate),
        "data by": _carriers(limits.octets),
        "interim from": f"{profile.shortest_interim_seconds} s",
        "coa": coa.kind.value,
        "coa amounts count": _BASES[coa.base] if _counts(coa, limits) else None,
        "coa signed": coa.signed if coa.kind.takes_disconnect else None,
        "coa port": coa.port if coa.kind.takes_disconnect else None,
        "accounting counts": _GIGAWORDS[profile.reports_gigawords],
        "accounting input is": "what the user received"
        if profile.direction is Direction.CLIENT
        else "what the user sent",
    }


def _carriers(told: Told | None) -> str | None:
    return None if told is None else ", ".join(told.names)


def _counts(coa: Coa, limits: Limits) -> bool:
    octets = limits.octets.names if limits.octets is not None else ()
    return any(name in {"Session-Timeout", *octets} for name in coa.attributes)


def as_json(profile: Profile) -> dict[str, JsonValue]:
    """Return everything of a family, for scripts."""
    limits, coa = profile.limits, profile.coa
    return {
        "family": profile.family,
        "experimental": profile.experimental,
        "tried": profile.tried or None,
        "rate": _told(limits.rate),
        "octets": _told(limits.octets),
        "timers": list(limits.timers),
        "filter": limits.role,
        "filter_by_script": limits.role_by_script,
        "shortest_interim_seconds": profile.shortest_interim_seconds,
        "coa": {
            "kind": coa.kind.value,
            "attributes": list(coa.attributes),
            "base": coa.base.value if coa.base is not None else None,
            "identity": list(coa.identity),
            "needed": list(coa.needed),
            "signed": coa.signed,
            "disconnect": coa.kind.takes_disconnect,
            "port": coa.port,
        },
        "accounting": {"gigawords": profile.reports_gigawords, "direction": profile.direction.value},
    }


def _told(told: Told | None) -> JsonValue:
    return None if told is None else {"names": list(told.names), "unit": told.unit.value, "largest": told.largest}
