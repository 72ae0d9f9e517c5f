"""What `--dry-run` of a change says: whom it touches, and what each group gets before and after."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from app.cli.explain_words import Language, Words
from app.cli.failures import usage
from app.cli.installation import Installation, now
from app.cli.output import JsonValue, harmless, iso, say, show_json
from app.cli.quota_options import quota_json
from app.domain.overlays import stored

if TYPE_CHECKING:
    from app.db.engine import Database
    from app.services.previews import Group, Moved, Of, Preview

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say whom it would touch, and what each would get.")]
PreviewJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts; with --dry-run.")]
JustDryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would do, and do nothing.")]
__all__ = ["DryRun", "JustDryRun", "Language", "PreviewJson", "carry_out", "concerned", "only_with_dry_run"]


def only_with_dry_run(dry_run: bool, language: str | None, *, as_json: bool = False) -> None:
    """Refuse options of a preview without one."""
    if not dry_run and (as_json or language is not None):
        usage(f"{'--json' if as_json else '--language'} is of what --dry-run says", hint="name --dry-run too")


def carry_out(
    here: Installation,
    change: Callable[["Database"], object],
    of: "Of",
    name: str,
    *,
    dry_run: bool,
    language: str | None,
    as_json: bool,
) -> bool:
    """Make a change and return True; for a dry run say what it would do, do nothing, and return False."""
    if not dry_run:
        change(here.database)
        return True
    from app.services.previews import preview

    found = preview(here.database, change, of, name, zone=here.zone, now=now())
    words = Words(language or here.settings.language, here.zone)
    show_json(_json(found, here.zone)) if as_json else print("\n".join(_lines(found, words)))
    return False


@contextmanager
def concerned(here: Installation, *, dry_run: bool) -> Iterator["Database"]:
    """Give the database that a change is made to; for a dry run nothing of it will be left."""
    if not dry_run:
        yield here.database
        return
    with here.database.rehearse() as rehearsed:
        yield rehearsed
    say("a dry run: nothing was changed")


def _lines(found: "Preview", words: Words) -> Iterator[str]:
    """Write it for people, a line each."""
    what = harmless(words(f"preview_{found.of.value}", name=found.name))
    yield words("preview", what=what, accounts=words.accounts(found.accounts), online=found.online)
    if all(not group.moved for group in found.groups):
        yield words("nothing_changes")
        return
    for group in found.groups:
        yield harmless(_heading(group, words))
        if group.names:
            yield harmless("  " + words("some", names=", ".join(group.names)))
        for moved in group.moved:
            yield harmless("  " + _moved_line(moved, words))
        if not group.moved:
            yield "  " + words("group_same")


def _heading(group: "Group", words: Words) -> str:
    place = words("elsewhere") if group.site is None else words("here", site=group.site)
    if group.plan is not None:
        place = words("with_plan", place=place, plan=group.plan)
        if not group.accounts:
            return words("group_later", place=place)
    kind = "group_own" if group.own else "group"
    return words(kind, accounts=words.accounts(group.accounts), place=place, online=group.online)


def _moved_line(moved: "Moved", words: Words) -> str:
    if moved.field == "quotas":
        title = words("quota_title")
        before, after = (", ".join(map(words.quota, each)) or words("no_value") for each in moved[1:3])
    elif isinstance(moved.after, bool):
        title = words(moved.field)
        before, after = (words("is_so" if each else "is_not_so") for each in moved[1:3])
    else:
        title = words.title(moved.field)
        before, after = (words.value(moved.field, each) for each in moved[1:3])
    said = words("change", title=title, before=before, after=after)
    if moved.begins_at is not None:
        said = words("from", text=said, when=words.when(moved.begins_at))
    return said if moved.ends_at is None else words("until", text=said, when=words.when(moved.ends_at))


def _json(found: "Preview", zone: ZoneInfo) -> dict[str, JsonValue]:
    """Write it for scripts."""
    return {
        found.of.value: found.name,
        "accounts": found.accounts,
        "online": found.online,
        "groups": [_group(group, zone) for group in found.groups],
    }


def _group(group: "Group", zone: ZoneInfo) -> dict[str, JsonValue]:
    return {
        "site": group.site,
        "plan": group.plan,
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
                "ends_at": iso(one.ends_at, zone),
            }
            for one in group.moved
        ],
    }


def _value(field: str, value: Any) -> JsonValue:  # Any: of the field's own type
    if field == "quotas":
        return [quota_json(quota) for quota in value]
    return stored(value)
