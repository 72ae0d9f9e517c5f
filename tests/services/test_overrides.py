"""Values in place of a plan's, for one person and at a site, and what open sessions are told about them."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select

from app.db import accounts, feed, overlays
from app.db.engine import Database
from app.db.feed import FeedKind
from app.db.tables.changes import changes
from app.db.tables.sessions import usage
from app.domain.changes import ChangeKind
from app.domain.local_time import WITA, local_day
from app.domain.nases import Site
from app.domain.overlays import Overlay, Override
from app.domain.policies import Origin, Source, Where
from app.domain.quotas import Period, Quota, Tally
from app.domain.service_classes import ServiceClass
from app.domain.users import User
from app.services import overrides
from app.services.errors import Invalid, NotFound
from app.services.keyring import Keyring
from app.services.limits import heed_usage
from app.services.overrides import OverrideValues, Why
from app.services.plans import add_plan
from app.services.sites import add_site
from app.services.users import add_user, remove_user, show_user
from tests.factories import NOON
from tests.rows import add_session

Chance = Callable[[int], bytes]
WHY = Why("ujian", "admin", NOON + timedelta(days=1))


@pytest.fixture
def user(database: Database, keyring: Keyring, chance: Chance) -> User:
    add_plan(database, "Warga", now=NOON, chance=chance, down_bps=4_000_000, up_bps=2_000_000)
    return add_user(database, keyring, "siti", password=None, now=NOON, chance=chance)


@pytest.fixture
def site(database: Database, chance: Chance) -> Site:
    return add_site(database, "Gusung", now=NOON, chance=chance)


def give(database: Database, chance: Chance, values: OverrideValues, why: Why = WHY) -> Overlay:
    return overrides.set_own(database, "siti", values, why, zone=WITA, now=NOON, chance=chance)


def at_site(database: Database, chance: Chance, values: OverrideValues, plan: str | None = None) -> Overlay:
    return overrides.set_at_site(database, "Gusung", values, WHY, plan=plan, zone=WITA, now=NOON, chance=chance)


def open_session(database: Database, user: User, site_id: str | None, session_id: str = "sessionasessiona") -> None:
    with database.write() as connection:
        add_session(connection, session_id, account_id=user.account.id, site_id=site_id)


def told(database: Database) -> list[tuple[str, str]]:
    with database.read() as connection:
        return [(row.session_id, row.kind) for row in connection.execute(select(changes))]


def rate_at(database: Database, user: User, site_id: str | None, now: datetime = NOON) -> int | None:
    with database.read() as connection:
        account = accounts.by_id(connection, user.account.id, now=now, where=Where(site_id, WITA))
    assert account is not None
    return account.policy.plan.down_bps


def test_own_value_stands_in_place_of_the_plans_until_it_ends(database: Database, user: User, chance: Chance) -> None:
    given = give(database, chance, {"down_bps": 8_000_000, "service_class": ServiceClass.PUBLIC_SERVICE})
    assert {one.field: one.value for one in given.overrides} == {
        "down_bps": 8_000_000,
        "service_class": ServiceClass.PUBLIC_SERVICE,
    }
    policy = show_user(database, "siti", now=NOON).account.policy
    assert (policy.plan.down_bps, policy.plan.up_bps) == (8_000_000, 2_000_000)
    assert policy.plan.service_class is ServiceClass.PUBLIC_SERVICE
    assert policy.source("down_bps") == Source(Origin.USER, "ujian", WHY.until)
    assert policy.source("up_bps").origin is Origin.PLAN
    assert WHY.until is not None
    assert show_user(database, "siti", now=WHY.until).account.policy.plan.down_bps == 4_000_000


def test_second_value_replaces_the_first_and_none_is_no_limit(database: Database, user: User, chance: Chance) -> None:
    give(database, chance, {"down_bps": 8_000_000})
    assert give(database, chance, {"down_bps": None}).overrides == (Override("down_bps", None, *WHY),)
    assert overrides.own_values(database, "siti", now=NOON).overrides == (Override("down_bps", None, *WHY),)
    assert rate_at(database, user, None) is None


def test_values_are_given_and_taken_back_together_or_not_at_all(
    database: Database, user: User, site: Site, chance: Chance
) -> None:
    give(database, chance, {"down_bps": 8_000_000})
    at_site(database, chance, {"down_bps": 1_000_000})
    with pytest.raises(Invalid):
        overrides.set_own(database, "siti", {"up_bps": 1}, WHY, clear=["down_bps"], zone=WITA, now=NOON, chance=chance)
    with pytest.raises(NotFound):
        overrides.set_at_site(
            database, "Gusung", {"up_bps": 9_000}, WHY, plan=None, clear=["vlan"], zone=WITA, now=NOON, chance=chance
        )
    assert rate_at(database, user, None) == 8_000_000
    assert [one.field for one in overrides.values_at_site(database, "Gusung")[None].overrides] == ["down_bps"]
    own = overrides.set_own(
        database, "siti", {"up_bps": 9_000}, WHY, clear=["down_bps"], zone=WITA, now=NOON, chance=chance
    )
    assert [one.field for one in own.overrides] == ["up_bps"]


def test_value_that_is_taken_back_gives_the_plans_again(database: Database, user: User, chance: Chance) -> None:
    give(database, chance, {"down_bps": 8_000_000, "up_bps": 8_000_000})
    left = overrides.clear_own(database, "siti", ["down_bps"], zone=WITA, now=NOON, chance=chance)
    assert [one.field for one in left.overrides] == ["up_bps"]
    assert rate_at(database, user, None) == 4_000_000
    with pytest.raises(NotFound):
        overrides.clear_own(database, "siti", ["down_bps"], zone=WITA, now=NOON, chance=chance)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        pytest.param({"down_bps": 1}, "down_bps", id="no such rate"),
        pytest.param({"daily_octets": 1}, "daily_octets", id="a quota is set as one"),
        pytest.param({}, "values", id="nothing"),
    ],
)
def test_what_cannot_be_laid_over_is_refused(
    database: Database, user: User, chance: Chance, values: OverrideValues, field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        give(database, chance, values)
    assert caught.value.field == field
    assert rate_at(database, user, None) == 4_000_000


@pytest.mark.parametrize(
    ("why", "field"),
    [(Why(" ", "admin"), "reason"), (Why("ujian", "admin", NOON), "until")],
    ids=["no reason", "over already"],
)
@pytest.mark.usefixtures("user")
def test_reason_and_end_must_make_sense(database: Database, chance: Chance, why: Why, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        give(database, chance, {"down_bps": 8_000_000}, why)
    assert caught.value.field == field


def test_own_value_raises_the_version_and_tells_nodes_and_sessions(
    database: Database, user: User, chance: Chance
) -> None:
    open_session(database, user, None)
    with database.read() as connection:
        before = feed.cursor_now(connection)
    give(database, chance, {"down_bps": 8_000_000})
    assert show_user(database, "siti", now=NOON).account.version == user.account.version + 1
    assert told(database) == [("sessionasessiona", ChangeKind.CHANGE.value)]
    with database.read() as connection:
        news = feed.read(connection, before)
    assert news is not None
    assert news.items[FeedKind.ACCOUNT] == {user.account.id}


def test_site_lays_values_over_the_plans_of_those_who_are_there(
    database: Database, user: User, site: Site, chance: Chance
) -> None:
    at_site(database, chance, {"down_bps": 1_000_000})
    assert (rate_at(database, user, site.id), rate_at(database, user, None)) == (1_000_000, 4_000_000)
    at_site(database, chance, {"down_bps": 512_000}, plan="Warga")
    assert rate_at(database, user, site.id) == 512_000
    give(database, chance, {"down_bps": 8_000_000})
    assert rate_at(database, user, site.id) == 8_000_000
    named = overrides.values_at_site(database, "Gusung")
    assert {plan: [one.value for one in overlay.overrides] for plan, overlay in named.items()} == {
        None: [1_000_000],
        "Warga": [512_000],
    }


def test_value_at_a_site_is_told_to_the_sessions_there_alone(
    database: Database, keyring: Keyring, user: User, site: Site, chance: Chance
) -> None:
    add_plan(database, "Tamu", now=NOON, chance=chance)
    guest = add_user(database, keyring, "budi", password=None, now=NOON, chance=chance, plan="Tamu")
    open_session(database, user, site.id, "siti-there")
    open_session(database, user, None, "siti-elsewhere")
    open_session(database, guest, site.id, "budi-there")
    at_site(database, chance, {"down_bps": 1_000_000}, plan="Tamu")
    assert told(database) == [("budi-there", ChangeKind.CHANGE.value)]
    overrides.clear_at_site(database, "Gusung", ["down_bps"], plan="Tamu", zone=WITA, now=NOON, chance=chance)
    assert overrides.values_at_site(database, "Gusung") == {}


def test_quota_at_a_site_holds_there_against_all_that_was_used(
    database: Database, user: User, site: Site, chance: Chance
) -> None:
    def set_quotas(quotas: dict[Tally, tuple[Quota, ...]], plan: str | None = None) -> None:
        overrides.set_quotas_at_site(database, "Gusung", quotas, WHY, plan=plan, zone=WITA, now=NOON, chance=chance)

    small, other = Quota(Period.DAY, 200_000_000), Quota(Period.DAY, 300_000_000)
    set_quotas({small.tally: (small,)})
    set_quotas({other.tally: (other,)}, plan="Warga")
    with database.read() as connection:
        there = accounts.by_id(connection, user.account.id, now=NOON, where=Where(site.id, WITA))
        elsewhere = accounts.by_id(connection, user.account.id, now=NOON, where=Where(None, WITA))
    assert there is not None
    assert elsewhere is not None
    assert [(one.quota, one.origin, one.reason) for one in there.policy.quotas] == [(other, Origin.SITE, "ujian")]
    assert elsewhere.policy.quotas == ()
    open_session(database, user, site.id, "there")
    open_session(database, user, None, "elsewhere")
    with database.write() as connection:
        connection.execute(
            insert(usage).values(account_id=user.account.id, day=local_day(NOON, WITA), down_octets=300_000_000)
        )
        used_more = accounts.by_ids(connection, [user.account.id], now=NOON)
        heed_usage(connection, used_more, (), zone=WITA, now=NOON, chance=chance)
    assert told(database) == [("there", ChangeKind.DISCONNECT.value)]
    set_quotas({other.tally: ()}, plan="Warga")
    with pytest.raises(NotFound):
        set_quotas({other.tally: ()}, plan="Warga")


def test_sites_plans_and_values_that_are_not_there_are_not_found(
    database: Database, user: User, site: Site, chance: Chance
) -> None:
    with pytest.raises(NotFound, match="plan"):
        at_site(database, chance, {"down_bps": 1_000_000}, plan="Kantor")
    with pytest.raises(NotFound, match="site"):
        overrides.values_at_site(database, "Melahing")
    with pytest.raises(NotFound, match="value at site"):
        overrides.clear_at_site(database, "Gusung", ["vlan"], plan=None, zone=WITA, now=NOON, chance=chance)


def test_what_a_person_had_goes_with_the_person(database: Database, user: User, chance: Chance) -> None:
    give(database, chance, {"down_bps": 8_000_000})
    remove_user(database, "siti", zone=WITA, now=NOON, chance=chance)
    with database.read() as connection:
        assert overlays.read_own(connection) == {}
