"""`pesisir user explain`: what one person gets at a place, why, and what the router there is told."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.explain_words import Language, Words
from app.cli.installation import Installation, now, open_installation
from app.cli.noun import example
from app.cli.options import read_moment
from app.cli.output import Json, JsonValue, harmless, iso, octets, show_json
from app.cli.quota_options import quota_json
from app.cli.windows import window_json
from app.domain.access import Denial, DenialReason, Grant, Held
from app.domain.granted import Limits
from app.domain.nases import Family, Nas
from app.domain.overlays import Value, stored
from app.domain.policies import FREE, Source
from app.domain.units import format_rate

if TYPE_CHECKING:
    from app.services.explain import Explanation

Name = Annotated[str, typer.Argument(metavar="NAME", help="A user name, or the id of an account as routers see it.")]
AtSite = Annotated[str | None, typer.Option("--site", metavar="SITE", help="Where; unset: where the person is online.")]
AtNas = Annotated[str | None, typer.Option("--nas", metavar="NAS", help="Show also what this router is told.")]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="When, such as 2026-12-24T20:00; unset: now.")]


def register(users: typer.Typer) -> None:
    """Add the verb to its noun."""
    users.command(
        "explain",
        epilog=example("pesisir user explain siti --nas gusung-1", "pesisir user explain siti --at 2026-12-24T20:00"),
    )(explain)


def explain(
    name: Name,
    site: AtSite = None,
    nas: AtNas = None,
    at: At = None,
    language: Language = None,
    as_json: Json = False,
) -> None:
    """Say what a person gets, each value with where it comes from, what is left, and what changes next."""
    from app.services.explain import explain as found_by

    with open_installation() as here:
        moment = now()
        words = Words(language or here.settings.language, here.zone)
        found = found_by(
            here.database,
            name,
            site=site,
            nas=nas,
            at=moment if at is None else read_moment(at, here.zone, flag="--at"),
            now=moment,
            zone=here.zone,
        )
    if as_json:
        show_json(_json(found, here))
    else:
        for said in _lines(found, words):
            print(harmless(said))


def _lines(found: "Explanation", words: Words) -> Iterator[str]:
    place = words("anywhere") if found.site is None else words("at_site", site=found.site.name)
    person = words("person", name=found.name, plan=found.policy.plan.name)
    yield f"{person}, {place}, {words.when(found.at)}"
    yield verdict(found.decision, words)
    if found.suspension is not None:
        yield words("suspended_by", author=found.suspension.author, when=words.when(found.suspension.at))
    if found.no_garden == "plan":
        yield words("no_garden_plan")
    elif found.no_garden == "nas" and found.nas is not None:
        yield words("no_garden_nas", nas=found.nas.name, family=found.nas.family.value)
    used_up = isinstance(found.decision, Denial) and found.decision.reason is DenialReason.QUOTA_EXHAUSTED
    if used_up and found.nas is not None:
        yield words(f"walled_{found.nas.walled_garden.value}", nas=found.nas.name)
    if found.policy.phase.free is not None:
        yield words("free_now", source=words.source(found.policy.source(FREE)))
    if found.held is not None:
        yield held_line(found.held, words)
    yield words("values")
    for field, value, source, of_plan in found.values:
        lower = _held_to(found, field, value)
        if value is None and of_plan is None and lower is None:
            continue
        said = {"title": words.title(field), "value": words.value(field, value), "source": words.source(source)}
        plain = words.value(field, of_plan)
        kind = "value" if value == of_plan else "by_plan" if of_plan is None else "instead"
        line = words(kind, **said, plain=plain)
        yield "  " + (line if lower is None else words("held_to", text=line, rate=format_rate(lower)))
    yield from _more_lines(found, words)
    yield from _told_lines(found, words)


def _held_to(found: "Explanation", field: str, value: Value) -> int | None:
    """Return the rate below a value to which a quota that is used up or a ceiling holds; None if nothing does."""
    if field not in {"down_bps", "up_bps"} or not isinstance(found.decision, Grant):
        return None
    granted: int | None = getattr(found.decision, field)
    return None if granted == value else granted


def _more_lines(found: "Explanation", words: Words) -> Iterator[str]:
    if found.quotas:
        yield words("quotas")
    for each in found.quotas:
        quota, effective = each.effective.quota, each.effective
        said = words(
            "quota",
            quota=words.quota(quota),
            used=words.amount(quota, each.used),
            left=words.amount(quota, quota.left(each.used)),
            source=words.source(Source(effective.origin, effective.reason, effective.until)),
        )
        yield "  " + (
            said if each.renewed_at is None else words("renewed", text=said, when=words.when(each.renewed_at))
        )
    if found.topped_up_octets:
        yield "  " + words("topped_up", left=octets(found.topped_up_octets))
    if found.ceilings:
        yield words("ceilings")
    for one in found.ceilings:
        ways = (("down_bps", one.down_bps), ("up_bps", one.up_bps))
        rates = ", ".join(f"{words.title(field)} {format_rate(bps)}" for field, bps in ways if bps is not None)
        device = one.mac or words("every_device")
        yield "  " + words(
            "ceiling", rates=rates, device=device, when=words.when(one.until), author=one.author, reason=one.reason
        )
    if found.windows:
        yield words("windows")
    for window, is_open in found.windows:
        said = words.window(window)
        yield "  " + (words("open_now", window=said) if is_open else said)
    limit = found.policy.plan.device_limit
    count = found.devices_online
    yield words("devices", count=count) if limit is None else words("devices_of", count=count, limit=limit)
    if found.ends_at is not None:
        yield words("ends", when=words.when(found.ends_at))
    if found.policy.phase.closes_at is not None:
        yield words("closes", when=words.when(found.policy.phase.closes_at))
    yield words("never_changes") if found.changes_at is None else words("changes", when=words.when(found.changes_at))


def _told_lines(found: "Explanation", words: Words) -> Iterator[str]:
    from app.nas.answers import holds_octets

    if found.nas is None:
        return
    if found.granted is None:
        yield words("told_nothing", nas=found.nas.name)
        return
    yield words("told", nas=found.nas.name, family=found.nas.family.value)
    for name, value in _attributes(found):
        yield f"  {name} = {value}"
    opennds = found.nas.family is Family.OPENNDS
    if found.parts > 1 and not opennds and holds_octets(found.nas, found.granted):
        yield f"  ({words('slice_anew' if found.anew else 'slice_cut', count=found.parts, nas=found.nas.name)})"
    if opennds and found.granted.up_bps is not None:
        yield "  " + words("no_upload_rate")
    yield from _not_held_lines(found.nas, found.granted, words)
    if not found.certain and not opennds:
        yield f"  ({words('jitter')})"


def _not_held_lines(nas: Nas, granted: Limits, words: Words) -> Iterator[str]:
    from app.nas.answers import can_be_ended, cuts_at_octets, not_held

    if fields := not_held(nas, granted):
        titles = ", ".join(map(words.title, fields))
        yield words("not_held", nas=nas.name, family=nas.family.value, titles=titles)
    if not cuts_at_octets(nas, granted):
        yield words("ended_by_report" if can_be_ended(nas) else "held_at_login", nas=nas.name, family=nas.family.value)


def verdict(decision: Grant | Denial, words: Words) -> str:
    """Say whether, and why not."""
    if isinstance(decision, Grant):
        return words("yes")
    quota = "" if decision.quota is None else words.quota(replace(decision.quota, then=None))
    reason = words(f"reason_{decision.reason.value}", quota=quota)
    if decision.retry_at is None:
        return words("no", reason=reason)
    return words("no_until", reason=reason, when=words.when(decision.retry_at))


def held_line(held: Held, words: Words) -> str:
    """Say what a quota that is used up does to somebody who stays online."""
    quota = words.quota(replace(held.quota, then=None))
    if held.in_garden:
        said = words("garden_now", quota=quota)
    else:
        ways = (("down_bps", held.down_bps), ("up_bps", held.up_bps))
        rates = ", ".join(f"{words.title(field)} {format_rate(bps)}" for field, bps in ways if bps is not None)
        said = words("held_now", quota=quota, rates=rates)
    return said if held.until is None else words("until", text=said, when=words.when(held.until))


REASONS = (
    DenialReason.WRONG_CREDENTIALS,
    DenialReason.SUSPENDED,
    DenialReason.EXPIRED,
    DenialReason.CLOSED,
    DenialReason.QUOTA_EXHAUSTED,
    DenialReason.DEVICE_LIMIT,
)
"""What `decide_access` can say."""


def _attributes(found: "Explanation") -> list[tuple[str, str]]:
    from app.nas.answers import told

    if found.nas is None or found.granted is None or not isinstance(found.decision, Grant):
        return []
    return list(told(found.nas, found.decision, found.granted))


def _not_held(found: "Explanation") -> list[JsonValue]:
    from app.nas.answers import not_held

    return [] if found.nas is None or found.granted is None else list(not_held(found.nas, found.granted))


def _json(found: "Explanation", here: Installation) -> dict[str, JsonValue]:
    decision, zone = found.decision, here.zone
    phase = found.policy.phase
    return {
        "user": found.name,
        "account": found.account.id,
        "plan": found.policy.plan.name,
        "site": None if found.site is None else found.site.name,
        "nas": None if found.nas is None else found.nas.name,
        "at": iso(found.at, zone),
        "allowed": isinstance(decision, Grant),
        "denial": None
        if isinstance(decision, Grant)
        else {
            "reason": decision.reason.value,
            "retry_at": iso(decision.retry_at, zone),
            "quota": None if decision.quota is None else quota_json(decision.quota),
            "no_garden": found.no_garden,
            "walled_garden": None if found.nas is None else found.nas.walled_garden.value,
        },
        "suspension": None
        if found.suspension is None
        else {"author": found.suspension.author, "at": iso(found.suspension.at, zone)},
        "grant": dict(decision._asdict()) if isinstance(decision, Grant) else None,
        "held": None
        if found.held is None
        else {
            "quota": quota_json(found.held.quota),
            "down_bps": found.held.down_bps,
            "up_bps": found.held.up_bps,
            "in_garden": found.held.in_garden,
            "until": iso(found.held.until, zone),
        },
        "values": {
            one.field: {"value": stored(one.value), "plan_value": stored(one.of_plan), **_source(one.source, here)}
            for one in found.values
        },
        "quotas": [
            quota_json(each.effective.quota)
            | {
                "used": each.used,
                "left": each.effective.quota.left(each.used),
                "renewed_at": iso(each.renewed_at, zone),
                **_source(Source(each.effective.origin, each.effective.reason, each.effective.until), here),
            }
            for each in found.quotas
        ],
        "topped_up_octets": found.topped_up_octets,
        "ceilings": [
            {
                "device": one.mac or None,
                "down_bps": one.down_bps,
                "up_bps": one.up_bps,
                "until": iso(one.until, zone),
                "author": one.author,
                "reason": one.reason,
            }
            for one in found.ceilings
        ],
        "windows": [window_json(window) | {"open": is_open} for window, is_open in found.windows],
        "free_until": iso(found.policy.counts_at, zone),
        "closed_until": iso(found.policy.opens_at, zone),
        "closes_at": iso(phase.closes_at, zone),
        "devices_online": found.devices_online,
        "octets_divided_among": found.parts,
        "slices_granted_anew": found.anew,
        "ends_at": iso(found.ends_at, zone),
        "changes_at": iso(found.changes_at, zone),
        "attributes": [{"name": name, "value": value} for name, value in _attributes(found)],
        "not_held": _not_held(found),
        "interim_certain": found.certain,
    }


def _source(source: Source, here: Installation) -> dict[str, JsonValue]:
    return {
        "origin": source.origin.value,
        "reason": source.reason,
        "window": source.window or None,
        "until": iso(source.until, here.zone),
    }
