"""What `pesisir plan set --dry-run` says: whom a change touches, and what each group gets before and after."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from app.cli.explain_words import Words
from app.cli.output import JsonValue, harmless, iso
from app.cli.quota_options import quota_json
from app.domain.overlays import stored

if TYPE_CHECKING:
    from app.services.previews import Group, Moved, Preview


def preview_lines(found: "Preview", words: Words) -> Iterator[str]:
    """Write it for people, a line each."""
    yield words("preview", plan=found.before.name, accounts=words.accounts(found.accounts), online=found.online)
    if all(not group.moved for group in found.groups):
        yield words("nothing_changes")
        return
    for group in found.groups:
        place = words("elsewhere") if group.site is None else words("here", site=group.site)
        kind = "group_own" if group.own else "group"
        yield harmless(words(kind, accounts=words.accounts(group.accounts), place=place, online=group.online))
        if group.names:
            yield harmless("  " + words("some", names=", ".join(group.names)))
        for moved in group.moved:
            yield harmless("  " + _moved_line(moved, words))
        if not group.moved:
            yield "  " + words("group_same")


def _moved_line(moved: "Moved", words: Words) -> str:
    field, *sides, begins_at = moved
    if field == "quotas":
        title = words("quota_title")
        before, after = (", ".join(map(words.quota, each)) or words("no_value") for each in sides)
    else:
        title = words.title(field)
        before, after = (words.value(field, each) for each in sides)
    said = words("change", title=title, before=before, after=after)
    return said if begins_at is None else words("from", text=said, when=words.when(begins_at))


def preview_json(found: "Preview", zone: ZoneInfo) -> dict[str, JsonValue]:
    """Write it for scripts."""
    return {
        "plan": found.before.name,
        "accounts": found.accounts,
        "online": found.online,
        "groups": [_group(group, zone) for group in found.groups],
    }


def _group(group: "Group", zone: ZoneInfo) -> dict[str, JsonValue]:
    return {
        "site": group.site,
        "own_values": group.own,
        "accounts": group.accounts,
        "online": group.online,
        "names": list(group.names),
        "changes": [
            {
                "field": one.field,
                "before": _value(one.field, one.before),
                "after": _value(one.field, one.after),
                "begins_at": iso(one.begins_at, zone),
            }
            for one in group.moved
        ],
    }


def _value(field: str, value: Any) -> JsonValue:  # Any: of the field's own type
    if field == "quotas":
        return [quota_json(quota) for quota in value]
    return stored(value)
