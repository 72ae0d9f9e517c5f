"""What a change of a plan would do, before it is done."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.db.engine import Database
from app.db.tables.columns import metadata
from app.domain.local_time import WITA
from app.domain.policies import Origin, Source
from app.domain.quotas import Period, Quota
from app.domain.schedules import Window
from app.services import overrides
from app.services.errors import Invalid, NotFound
from app.services.explain import explain
from app.services.keyring import Keyring
from app.services.overrides import OverrideValues, Why, set_quotas_at_site
from app.services.plans import PlanValues, add_plan, set_plan
from app.services.previews import Moved, Of, Preview, preview
from app.services.quotas import change_quotas
from app.services.sites import add_site
from app.services.users import add_user, set_user
from app.services.windows import set_plan_window, set_site_window
from tests.factories import NOON, by_tally
from tests.rows import add_session

Chance = Callable[[int], bytes]
M = 1_000_000
WHY = Why("uji", "admin", NOON + timedelta(days=1))


@pytest.fixture
def town(database: Database, keyring: Keyring, chance: Chance) -> Database:
    """Twelve people with the plan Warga: the first two online at Gusung, the third elsewhere with a rate of its own."""
    add_plan(database, "Warga", now=NOON, chance=chance, down_bps=4 * M, up_bps=2 * M, daily_octets=500 * M)
    add_plan(database, "Tamu", now=NOON, chance=chance)
    site = add_site(database, "Gusung", now=NOON, chance=chance)
    for number in range(12):
        user = add_user(database, keyring, f"w{number:02}", password=None, plan="Warga", now=NOON, chance=chance)
        if number < 3:
            open_session(database, user.account.id, site.id if number < 2 else None, f"s{number}")
    add_user(database, keyring, "tamu", password=None, plan="Tamu", now=NOON, chance=chance)
    overrides.set_own(database, "w02", {"down_bps": 8 * M}, WHY, zone=WITA, now=NOON, chance=chance)
    overrides.set_at_site(database, "Gusung", {"down_bps": 1 * M}, WHY, plan=None, zone=WITA, now=NOON, chance=chance)
    return database


def open_session(database: Database, account_id: str, site_id: str | None, session_id: str) -> None:
    with database.write() as connection:
        add_session(connection, session_id, account_id=account_id, site_id=site_id)


def preview_of(database: Database, plan: str, values: PlanValues) -> Preview:
    """Ask what `set_plan` would do."""

    def change(rehearsed: Database) -> None:
        set_plan(rehearsed, plan, now=NOON, chance=os.urandom, **values)

    return preview(database, change, Of.PLAN, plan, zone=WITA, now=NOON)


def test_groups_say_who_would_get_what(town: Database) -> None:
    found = preview_of(town, "Warga", {"down_bps": 3 * M, "daily_octets": 1_000 * M})
    assert (found.accounts, found.online) == (12, 3)
    quota = Moved("quotas", (Quota(Period.DAY, 500 * M),), (Quota(Period.DAY, 1_000 * M),))
    down = Moved("down_bps", 4 * M, 3 * M)
    assert [(g.site, g.own, g.accounts, g.online, tuple(g.moved)) for g in found.groups] == [
        (None, False, 9, 0, (down, quota)),
        ("Gusung", False, 2, 2, (down._replace(begins_at=WHY.until), quota)),
        (None, True, 1, 1, (down._replace(begins_at=WHY.until), quota)),
    ]
    assert found.groups[1].names == ["w00", "w01"]
    assert len(found.groups[0].names) == 9


def test_what_hours_or_an_end_hide_is_seen_from_then_on(town: Database, chance: Chance) -> None:
    opens, noon = NOON + timedelta(hours=2), NOON.astimezone(WITA).hour * 60
    early = Window("rapat", tuple(range(7)), noon - 60, noon + 60, rates=(("up_bps", 512_000),))
    late = replace(early, name="sore", begins=noon + 60, ends=noon + 120)
    for window in (early, late):
        set_site_window(town, "Gusung", window, plan=None, zone=WITA, now=NOON, chance=chance)
    found = preview_of(town, "Warga", {"up_bps": 1 * M, "down_bps": 3 * M})
    down, up = Moved("down_bps", 4 * M, 3 * M), Moved("up_bps", 2 * M, 1 * M)
    assert {(g.site, g.own): tuple(g.moved) for g in found.groups} == {
        (None, False): (down, up),
        ("Gusung", False): (down._replace(begins_at=WHY.until), up._replace(begins_at=opens)),
        (None, True): (down._replace(begins_at=WHY.until), up),
    }


def test_what_is_hidden_for_good_is_never_seen(town: Database, chance: Chance) -> None:
    for_good = Why("uji", "admin", None)
    overrides.set_at_site(town, "Gusung", {"up_bps": 1 * M}, for_good, plan=None, zone=WITA, now=NOON, chance=chance)
    always = Window("selalu", tuple(range(7)), 0, 1440, rates=(("down_bps", 512_000),))
    set_site_window(town, "Gusung", always, plan=None, zone=WITA, now=NOON, chance=chance)
    found = preview_of(town, "Warga", {"up_bps": 3 * M, "down_bps": 3 * M})
    assert [tuple(group.moved) for group in found.groups if group.site == "Gusung"] == [()]


def test_quota_that_another_hides_is_seen_when_that_ends(town: Database, chance: Chance) -> None:
    given = {Quota(Period.DAY, 1).tally: [Quota(Period.DAY, 50 * M)]}
    set_quotas_at_site(town, "Gusung", given, WHY, plan=None, zone=WITA, now=NOON, chance=chance)
    found = preview_of(town, "Warga", {"daily_octets": 600 * M})
    moved = Moved("quotas", (Quota(Period.DAY, 500 * M),), (Quota(Period.DAY, 600 * M),), WHY.until)
    assert [tuple(group.moved) for group in found.groups if group.site == "Gusung"] == [(moved,)]


EVENING = Window("malam", tuple(range(7)), 20 * 60, 22 * 60, rates=(("down_bps", 512_000),))
SIEGE = Window("tutup", tuple(range(7)), 20 * 60, 22 * 60, closed=True)
TONIGHT, LATE = (datetime(2026, 11, 24, hour, tzinfo=WITA) for hour in (20, 22))


def at_site(field: str, value: int | None, plan: str | None = None) -> Callable[[Database], object]:
    values: OverrideValues = {field: value}  # type: ignore[misc] # mypy wants each name written out
    return lambda town: overrides.set_at_site(
        town, "Gusung", values, WHY, plan=plan, zone=WITA, now=NOON, chance=os.urandom
    )


def own(field: str, value: int | None) -> Callable[[Database], object]:
    values: OverrideValues = {field: value}  # type: ignore[misc] # mypy wants each name written out
    return lambda town: overrides.set_own(town, "w05", values, WHY, zone=WITA, now=NOON, chance=os.urandom)


def own_quota(octets: int) -> Callable[[Database], object]:
    quota = Quota(Period.DAY, octets)
    return lambda town: change_quotas(
        town, "w05", by_tally(quota), reason="uji", author="admin", zone=WITA, now=NOON, chance=os.urandom
    )


def site_hours(window: Window, plan: str | None = None) -> Callable[[Database], object]:
    return lambda town: set_site_window(town, "Gusung", window, plan=plan, zone=WITA, now=NOON, chance=os.urandom)


def plan_hours(window: Window) -> Callable[[Database], object]:
    return lambda town: set_plan_window(town, "Warga", window, zone=WITA, now=NOON, chance=os.urandom)


@pytest.mark.parametrize(
    ("change", "of", "name", "expected"),
    [
        pytest.param(
            at_site("vlan", 20),
            Of.SITE,
            "Gusung",
            {("Warga", 2): [Moved("vlan", None, 20, None, WHY.until)]}
            | {("Tamu", 0): [Moved("vlan", None, 20, None, WHY.until)]},
            id="a value at a site",
        ),
        pytest.param(
            at_site("vlan", 20, "Tamu"),
            Of.SITE,
            "Gusung",
            {("Warga", 2): [], ("Tamu", 0): [Moved("vlan", None, 20, None, WHY.until)]},
            id="of one plan",
        ),
        pytest.param(own("down_bps", 1 * M), Of.USER, "w05", {(None, 1): [
            Moved("down_bps", 4 * M, 1 * M, None, WHY.until)]}, id="a person's value"),
        pytest.param(own_quota(9 * M), Of.USER, "w05", {(None, 1): [
            Moved("quotas", (Quota(Period.DAY, 500 * M),), (Quota(Period.DAY, 9 * M),))]}, id="a person's quota"),
        pytest.param(site_hours(SIEGE, "Warga"), Of.SITE, "Gusung", {("Warga", 2): [
            Moved("closed", False, True, TONIGHT, LATE)]}, id="closed hours at a site"),
        pytest.param(plan_hours(EVENING), Of.PLAN, "Warga", {
            (None, 9): [Moved("down_bps", 4 * M, 512_000, TONIGHT, LATE)],
            (None, 2): [Moved("down_bps", 4 * M, 512_000, TONIGHT + timedelta(days=1), LATE + timedelta(days=1))],
            (None, 1): [Moved("down_bps", 4 * M, 512_000, TONIGHT + timedelta(days=1), LATE + timedelta(days=1))],
        }, id="hours of a plan, hidden by values with an end"),
    ],
)  # fmt: skip
def test_every_change_says_what_it_would_do_and_does_nothing(
    town: Database,
    change: Callable[[Database], object],
    of: Of,
    name: str,
    expected: dict[tuple[str | None, int], list[Moved]],
) -> None:
    before = everything(town)
    found = preview(town, change, of, name, zone=WITA, now=NOON)
    assert everything(town) == before
    assert {(group.plan, group.accounts): list(group.moved) for group in found.groups} == expected
    change(town)
    assert not [group for group in preview(town, change, of, name, zone=WITA, now=NOON).groups if group.moved]


def everything(database: Database) -> dict[str, list[str]]:
    with database.read() as connection:
        return {table.name: sorted(map(str, connection.execute(select(table)))) for table in metadata.sorted_tables}


def test_preview_comes_true(town: Database, chance: Chance) -> None:
    found = preview_of(town, "Warga", {"up_bps": None})
    changed = set_plan(town, "Warga", now=NOON, chance=chance, up_bps=None)
    assert {group.moved for group in found.groups} == {(Moved("up_bps", 2 * M, changed.up_bps),)}


def test_preview_refuses_what_the_change_would_refuse(town: Database) -> None:
    with pytest.raises(NotFound):
        preview_of(town, "Kantor", {"up_bps": None})
    for values in ({"up_bps": 1}, {"down_burst_bps": 1 * M}):
        with pytest.raises(Invalid):
            preview_of(town, "Warga", values)  # type: ignore[arg-type] # a TypedDict in a tuple


# ---- explain, where no router is asked


@pytest.mark.parametrize(
    ("name", "site", "down", "source"),
    [
        ("w00", None, 1 * M, Source(Origin.SITE, *WHY[::2])),
        ("w02", None, 8 * M, Source(Origin.USER, *WHY[::2])),
        ("w02", "Gusung", 8 * M, Source(Origin.USER, *WHY[::2])),
        ("w05", None, 4 * M, Source()),
        ("w05", "Gusung", 1 * M, Source(Origin.SITE, *WHY[::2])),
    ],
)
def test_place_is_where_somebody_is_online_unless_one_is_named(
    town: Database, name: str, site: str | None, down: int, source: Source
) -> None:
    found = explain(town, name, site=site, at=NOON, now=NOON, zone=WITA)
    (value,) = [one for one in found.values if one.field == "down_bps"]
    assert (value.value, value.source, value.of_plan) == (down, source, 4 * M)


def test_account_is_found_by_its_id_too_and_others_are_not(town: Database) -> None:
    account = explain(town, "w00", at=NOON, now=NOON, zone=WITA).account
    assert explain(town, account.id, at=NOON, now=NOON, zone=WITA).name == "w00"
    for wrong in ({"name": "siapa"}, {"name": "w00", "site": "Melahing"}, {"name": "w00", "nas": "x"}):
        with pytest.raises(NotFound):
            explain(town, at=NOON, now=NOON, zone=WITA, **wrong)


def test_later_moment_says_what_holds_then(town: Database) -> None:
    def down(at: datetime) -> object:
        found = explain(town, "w05", site="Gusung", at=at, now=NOON, zone=WITA)
        return next(one.value for one in found.values if one.field == "down_bps")

    assert down(NOON + timedelta(hours=23)) == 1 * M
    assert down(NOON + timedelta(hours=24)) == 4 * M


def test_another_plan_of_a_person_is_held_against_the_one_before_under_what_lies_over_both(town: Database) -> None:
    def change(rehearsed: Database) -> None:
        set_user(rehearsed, "w00", zone=WITA, now=NOON, chance=os.urandom, plan="Tamu")

    for _ in range(2):  # the first has left nothing
        found = preview(town, change, Of.USER, "w00", zone=WITA, now=NOON)
        (group,) = found.groups
        assert (found.accounts, found.online, group.site) == (1, 1, "Gusung")
        assert {one for one in group.moved if one.field != "quotas"} == {
            Moved("up_bps", 2 * M, None),
            Moved("down_bps", 4 * M, None, NOON + timedelta(days=1)),  # until then the site says 1 Mbps over every plan
        }
        assert [one[1:3] for one in group.moved if one.field == "quotas"] == [((Quota(Period.DAY, 500 * M),), ())]
