"""`pesisir user show`: one person, and why they are online or not."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import typer

from app.cli.installation import Installation, now, open_installation
from app.cli.noun import example
from app.cli.output import Json, JsonValue, duration, iso, local, octets, show_fields, show_json
from app.cli.quota_options import quota_json
from app.cli.sites import site_names
from app.cli.users import Username, state_of, user_json
from app.domain.access import DenialReason
from app.domain.quota_words import format_quota
from app.domain.quotas import Measure
from app.domain.units import format_rate
from app.domain.users import User

if TYPE_CHECKING:
    from app.db.top_ups import Entry
    from app.domain.access import Held
    from app.services.standing import QuotaStanding, Refused, Standing

REASONS: Final = {
    DenialReason.WRONG_CREDENTIALS: "wrong password",
    DenialReason.SUSPENDED: "suspended",
    DenialReason.EXPIRED: "no longer valid",
    DenialReason.CLOSED: "closed at this hour",
    DenialReason.QUOTA_EXHAUSTED: "a quota was used up",
    DenialReason.DEVICE_LIMIT: "as many devices online as the plan allows",
    DenialReason.NO_FREE_PLAN: "the site gives nothing freely",
    DenialReason.TERMS_NOT_ACCEPTED: "the terms were not accepted",
    DenialReason.VOUCHER_UNKNOWN: "no such voucher",
    DenialReason.VOUCHER_USED: "the voucher is another device's",
    DenialReason.VOUCHER_REVOKED: "the voucher was revoked",
    DenialReason.TOP_UP_OF_NOBODY: "a code that tops up, at a phone that nobody has logged in",
    DenialReason.TOP_UP_ADDS_NOTHING: "a code that adds days, and the account has no end",
    DenialReason.TOO_MANY_TRIES: "too many wrong tries",
    DenialReason.TICKET_INVALID: "the ticket of the portal is not ours",
    DenialReason.TICKET_EXPIRED: "the ticket of the portal came too late",
    DenialReason.TICKET_USED: "the ticket of the portal was used already",
    DenialReason.RESUME_UNKNOWN: "a known phone whose time without the page is over",
    DenialReason.METHOD_NOT_ALLOWED: "a way to log in that this account or router may not use",
}


def register(users: typer.Typer) -> None:
    """Add the verb to its noun."""
    users.command("show", epilog=example("pesisir user show siti"))(show)


def show(username: Username, as_json: Json = False) -> None:
    """Show one user: plan, validity, what is used of each quota, devices, and the last refusals with their reason."""
    from app.services.standing import standing_of

    with open_installation() as here:
        found = standing_of(here.database, username, now=now(), zone=here.zone)
        sites = site_names(here)
    if as_json:
        show_json(_json(found, here, sites))
        return
    user = found.user
    show_fields(
        {
            "user": user.username,
            "account": user.account.id,
            "name": user.name,
            "phone": user.phone,
            "plan": user.account.policy.plan.name,
            "site": sites.get(user.account.site_id),
            "state": state_of(user),
            **_suspension(found, here),
            "valid until": _validity(user, here),
            "first used": local(user.account.first_used_at, here.zone),
            "billing day": str(user.account.billing_day),
            **_numbered("quota", [_quota(each, here) for each in found.quotas]),
            "held down": None if found.held is None else _held(found.held, here),
            **_numbered("top-up", [_top_up(entry, here) for entry in found.top_ups]),
            "devices online": _online(found),
            **_numbered(
                "device",
                [
                    f"{device.mac}, last seen {local(device.last_seen_at, here.zone)}"
                    + (", online" if device.mac in found.online_macs else "")
                    for device in found.devices
                ],
            ),
            **_numbered("refused", [_refusal(refused, here) for refused in found.refusals]),
        }
    )


def _numbered(name: str, lines: list[str]) -> dict[str, str]:
    return {f"{name} {number}": line for number, line in enumerate(lines, start=1)}


def _suspension(found: "Standing", here: Installation) -> dict[str, str]:
    """Say who suspended them, or who let them in again."""
    if found.suspension is None:
        return {}
    name = "suspended by" if found.user.account.suspended else "let in by"
    return {name: f"{found.suspension.author}, {local(found.suspension.at, here.zone)}"}


def _validity(user: User, here: Installation) -> str | None:
    """Say when the account ends; the plan's own validity begins with the first use."""
    seconds = user.account.policy.plan.validity_seconds
    if user.account.first_used_at is not None or seconds is None:
        return local(user.account.ends_at(now()), here.zone)
    ends = local(user.account.valid_until, here.zone)
    return f"{duration(seconds)} from the first use" + (f", and no longer than {ends}" if ends else "")


def _quota(standing: "QuotaStanding", here: Installation) -> str:
    """Say what is used of a quota, where the quota comes from, and why it is what it is."""
    effective = standing.effective
    origin = f"{effective.origin.value}: {effective.reason}" if effective.reason else effective.origin.value
    used = f"{standing.used // 60} min" if effective.quota.measure is Measure.TIME else octets(standing.used)
    said = f"{format_quota(effective.quota)}, {used} used ({origin})"
    if not standing.used_up:
        return said
    until = local(standing.renewed_at, here.zone)
    return f"{said}, used up {f'until {until}' if until else 'for good'}"


def _held(held: "Held", here: Installation) -> str:
    """Say what a used up quota does to somebody who stays online, and until when."""
    rates = f"{format_rate(held.down_bps)} down" if held.down_bps is not None else ""
    rates += f"{', ' if rates else ''}{format_rate(held.up_bps)} up" if held.up_bps is not None else ""
    what = "only the public services" if held.in_garden else rates
    until = local(held.until, here.zone)
    used_up = format_quota(replace(held.quota, then=None))
    return f"{what} {f'until {until}' if until else 'for good'}, since {used_up} is used up"


def _top_up(entry: "Entry", here: Installation) -> str:
    """Say what was added, how much of it is left, why, by whom and when."""
    parts = [f"{octets(entry.octets)}, {octets(entry.left_octets)} left"] if entry.octets else []
    parts += [f"{entry.seconds // 86_400} days"] if entry.seconds else []
    parts += [f"until {local(entry.ends_at, here.zone)}"] if entry.ends_at is not None else []
    return f"{', '.join(parts)} ({entry.reason}; {entry.author}, {local(entry.created_at, here.zone)})"


def _online(found: "Standing") -> str:
    limit = found.user.account.policy.plan.device_limit
    return f"{len(found.online_macs)} of {limit}" if limit is not None else f"{len(found.online_macs)}, no limit"


def _refusal(refused: "Refused", here: Installation) -> str:
    words = REASONS.get(DenialReason(refused.reason)) if refused.reason in set(DenialReason) else refused.reason
    device = f", device {refused.mac}" if refused.mac else ""
    return f"{local(refused.at, here.zone)} at {refused.nas or 'a NAS that was removed'}{device}: {words}"


def _json(found: "Standing", here: Installation, sites: dict[str | None, str]) -> dict[str, JsonValue]:
    account = found.user.account
    suspension = found.suspension
    return user_json(found.user, here, sites) | {
        "suspension": None
        if suspension is None
        else {"author": suspension.author, "at": iso(suspension.at, here.zone), "suspended": account.suspended},
        "ends_at": iso(account.ends_at(now()) if account.first_used_at else account.valid_until, here.zone),
        "quotas": [
            {
                **quota_json(each.effective.quota),
                "used_seconds" if each.effective.quota.measure is Measure.TIME else "used_octets": each.used,
                "used_up": each.used_up,
                "renewed_at": iso(each.renewed_at, here.zone),
                "origin": each.effective.origin.value,
                "reason": each.effective.reason,
            }
            for each in found.quotas
        ],
        "held": None
        if found.held is None
        else {
            "down_bps": found.held.down_bps,
            "up_bps": found.held.up_bps,
            "garden": found.held.in_garden,
            "until": iso(found.held.until, here.zone),
        },
        "top_ups": [
            {
                "octets": entry.octets,
                "left_octets": entry.left_octets,
                "days": entry.seconds // 86_400,
                "until": iso(entry.ends_at, here.zone),
                "reason": entry.reason,
                "author": entry.author,
                "created_at": iso(entry.created_at, here.zone),
            }
            for entry in found.top_ups
        ],
        "device_limit": account.policy.plan.device_limit,
        "devices_online": len(found.online_macs),
        "devices": [
            {
                "mac": device.mac,
                "first_seen_at": iso(device.first_seen_at, here.zone),
                "last_seen_at": iso(device.last_seen_at, here.zone),
            }
            for device in found.devices
        ],
        "refusals": [
            {"at": iso(each.at, here.zone), "nas": each.nas, "device": each.mac or None, "reason": each.reason}
            for each in found.refusals
        ],
    }
