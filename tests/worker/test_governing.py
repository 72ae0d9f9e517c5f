"""The governor at work on a database: what it sets, says, takes back, and leaves to another worker."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from app.db import ceilings, governor_moves, uplinks
from app.db.engine import Database
from app.db.governor_moves import ListedMove
from app.db.tables.changes import changes
from app.db.tables.meta import leases
from app.db.tables.sessions import sessions
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.governed import Cause, CeilingChange, Decided, Held, Lever, SiteChange, State
from app.domain.local_time import WITA
from app.domain.nases import Family
from app.domain.schedules import Window
from app.domain.service_classes import ServiceClass
from app.domain.uplinks import GovernorMode
from app.services.ceilings import set_ceilings
from app.services.governing import KEPT, View, look, show
from app.services.governing_words import Words, catalogue
from app.services.governor_moves import list_moves, moves_of
from app.services.keyring import Keyring
from app.services.nases import add_nas
from app.services.overrides import Why, set_own
from app.services.plans import add_plan
from app.services.sites import add_site
from app.services.uplinks import add_uplink, remove_uplink, set_class, set_uplink
from app.services.users import add_user
from app.services.windows import set_plan_window
from app.worker.governing import Governing
from tests.factories import NOON
from tests.rows import add_session

Chance = Callable[[int], bytes]
M, K = 1_000_000, 1_000
MINUTE = timedelta(minutes=1)
READERS = 40
PHONE = "02:aa:00:00:00:{:02x}"


@dataclass
class Town:
    """A line of 20 Mbps with a site, on which somebody heavy and readers are online; it reports once a minute."""

    database: Database
    site_id: str
    now: datetime = NOON

    def open_session(self, name: str, account: str, mac: str, nas: str) -> None:
        with self.database.write() as connection:
            add_session(connection, name, nas_id=nas, mac=mac, account_id=account, site_id=self.site_id)

    def minutes(self, governing: Governing, number: int, *, heavy_bps: int = 14 * M, reader_bps: int = 160 * K) -> None:
        for _ in range(number):
            self.now += MINUTE
            with self.database.write() as connection:
                for who, bps in (("heavy", heavy_bps), ("reader", reader_bps)):
                    query = update(sessions).where(sessions.c.id.startswith(who), sessions.c.state == "open")
                    connection.execute(
                        query.values(down_octets=sessions.c.down_octets + bps * 60 // 8, last_report_at=self.now)
                    )
            governing.turn()

    def held(self) -> dict[tuple[str, str], tuple[int | None, str, str]]:
        with self.database.read() as connection:
            found = ceilings.read_all(connection, now=self.now)
        return {
            (one.mac, one.source.value): (one.down_bps, one.author, one.reason)
            for some in found.values()
            for one in some
        }

    def told(self) -> list[str]:
        with self.database.read() as connection:
            return list(connection.scalars(select(changes.c.session_id).order_by(changes.c.created_at)))

    def moves(self, what: Lever) -> list[ListedMove]:
        return [one for one in list_moves(self.database, uplink=None, limit=1000) if one.what is what]

    def view(self) -> View:
        (found,) = show(self.database, now=self.now)
        return found


@pytest.fixture
def town(database: Database, keyring: Keyring, chance: Chance) -> Town:
    add_plan(database, "Warga", now=NOON, chance=chance, down_bps=20 * M)
    add_uplink(database, "Telkom", now=NOON, chance=chance, down_bps=20 * M, up_bps=20 * M)
    set_uplink(database, "Telkom", governor=GovernorMode.ON)
    site = add_site(database, "Gusung", now=NOON, chance=chance)
    nas = add_nas(
        database, keyring, "gusung-1", address="10.0.0.1/32", family=Family.MIKROTIK, site="Gusung",
        now=NOON, chance=chance,
    )  # fmt: skip
    made = Town(database, site.id)
    for number in range(READERS + 1):
        name = "heavy" if number == 0 else f"reader{number}"
        user = add_user(database, keyring, name, password=None, plan="Warga", now=NOON, chance=chance)
        made.open_session(name, user.account.id, PHONE.format(number), nas.nas.id)
    return made


def governing_of(town: Town, node: str = "a" * 16) -> Governing:
    return Governing(town.database, node=node, zone=WITA, language="en", now=lambda: town.now, chance=os.urandom)


@pytest.fixture
def governing(town: Town) -> Governing:
    return governing_of(town)


def test_somebody_heavy_is_held_down_told_and_shown_with_the_reason(town: Town, governing: Governing) -> None:
    with capture_logs() as logs:
        town.minutes(governing, 5)
    (((mac, source), (bps, author, reason)),) = town.held().items()
    assert (mac, source, author) == (PHONE.format(0), "governor", "governor")
    assert bps is not None
    assert 512 * K <= bps < 14 * M
    assert reason == f"took 14 Mbps for minutes while {READERS} others waited for the line; rises when there is room"
    assert town.told() == ["heavy"]
    assert [(one["event"], one["session"], one["why"]) for one in logs if "session" in one] == [
        ("ceiling_lowered", "heavy", reason)
    ]
    view = town.view()
    assert view.last is not None
    assert (view.last.sessions, view.last.others, view.last.load_bps) == (READERS + 1, READERS, 20_400 * K)
    assert [(one.user, one.mac, one.down_bps, one.reason) for one in view.held] == [("heavy", mac, bps, reason)]


def test_what_is_taken_is_not_known_in_the_first_round_of_one_that_starts_again(
    town: Town, governing: Governing
) -> None:
    town.minutes(governing, 2)
    assert town.view().last is not None
    again = governing_of(town)
    again.turn()
    assert town.view().last is None
    town.minutes(again, 1)
    assert town.view().last is not None


def test_it_is_given_back_when_there_is_room(town: Town, governing: Governing) -> None:
    town.minutes(governing, 5)
    town.minutes(governing, 20, heavy_bps=4 * M, reader_bps=20 * K)
    assert town.held() == {}
    assert town.view().last is not None


def test_what_was_moved_is_kept_with_the_reason(town: Town, governing: Governing) -> None:
    town.minutes(governing, 5)
    ((_, (bps, _, reason)),) = town.held().items()
    lowered = town.moves(Lever.CEILING)
    assert [one._replace(at=NOON) for one in lowered] == [
        ListedMove(
            NOON, "Telkom", Lever.CEILING, "heavy", PHONE.format(0), "Gusung", None, None, bps, reason, observed=False
        )
    ]
    assert NOON < lowered[0].at <= town.now
    town.minutes(governing, 20, heavy_bps=4 * M, reader_bps=20 * K)
    last, *between, first = town.moves(Lever.CEILING)
    assert [first] == lowered
    assert (last.user, last.to_bps) == ("heavy", None)
    assert [one.from_bps for one in (last, *between)] == [one.to_bps for one in (*between, first)]
    assert last.reason in {"the line has room", "takes little by itself"}


def test_floors_that_moved_are_kept_by_their_class(town: Town, governing: Governing) -> None:
    set_class(town.database, "Telkom", ServiceClass.OFFICE, floor_bps=2 * M)
    town.minutes(governing, 2)
    (found,) = town.moves(Lever.FLOOR)  # that of the office stays, those of classes of which nobody is there too
    assert found == ListedMove(
        town.now, "Telkom", Lever.FLOOR, None, None, None, ServiceClass.RESIDENT, None, 14 * M,
        "divided by who is online", observed=False,
    )  # fmt: skip
    with town.database.read() as connection:
        floors = uplinks.read_shares(connection, town.view().uplink.id).floors
    assert floors[ServiceClass.RESIDENT] == found.to_bps


def test_what_would_have_been_moved_is_kept_as_such(town: Town, governing: Governing) -> None:
    set_uplink(town.database, "Telkom", governor=GovernorMode.OBSERVE)
    town.minutes(governing, 5)
    (lowered,) = town.moves(Lever.CEILING)
    assert (lowered.user, lowered.observed) == ("heavy", True)
    assert town.held() == {}


def test_what_was_moved_is_forgotten_and_goes_with_its_uplink(town: Town, governing: Governing) -> None:
    town.minutes(governing, 5)
    moved = list_moves(town.database, uplink="Telkom", limit=100)
    assert len({one.at for one in moved}) == 2
    with town.database.write() as connection:
        governor_moves.forget(connection, before=moved[0].at)
    assert list_moves(town.database, uplink=None, limit=100) == [one for one in moved if one.at == moved[0].at]
    remove_uplink(town.database, "Telkom")
    assert list_moves(town.database, uplink=None, limit=100) == []


def test_a_site_that_was_held_is_kept(town: Town, governing: Governing) -> None:
    town.minutes(governing, 2)
    (seen,) = look(town.database, set(), zone=WITA, now=town.now)
    decided = Decided([], [SiteChange(town.site_id, 8 * M)], [], {}, 0, known=True)
    before = State(held={town.site_id: Held(12 * M, NOON)})
    (move,) = moves_of(seen, before, decided, Words("en"), now=town.now)
    assert (move.what, move.site_id, move.from_bps, move.to_bps) == (Lever.SITE, town.site_id, 12 * M, 8 * M)
    assert (
        move.reason == "somebody there was heavy for minutes while others waited, and the router cannot slow them alone"
    )
    freed = replace(decided, sites=[SiteChange(town.site_id, None)])
    (move,) = moves_of(seen, before, freed, Words("en"), now=town.now)
    assert (move.to_bps, move.reason) == (None, "the line has room, or nobody there is heavy any more")


def test_what_is_confirmed_lasts_longer_and_nobody_is_told_again(town: Town, governing: Governing) -> None:
    town.minutes(governing, 5)
    before, since = town.told(), town.view().held[0].since
    town.minutes(governing, 14, heavy_bps=12 * M + 600 * K)  # 19 of 20 Mbps: neither full nor room
    ((_, (bps, _, reason)),) = town.held().items()
    (held,) = town.view().held
    assert held.until > town.now + KEPT / 2
    assert held.since == since
    assert held.reason == reason
    assert held.down_bps == bps
    assert town.told() == before


def test_one_that_starts_again_goes_on_with_what_is_stored(town: Town, governing: Governing) -> None:
    town.minutes(governing, 5)
    held, told = town.held(), town.told()
    town.now += timedelta(minutes=2)
    town.minutes(governing_of(town), 4, heavy_bps=12 * M + 600 * K)
    assert town.held() == held
    assert town.told() == told


def test_who_has_left_holds_nothing(town: Town, governing: Governing) -> None:
    town.minutes(governing, 5)
    with town.database.write() as connection:
        connection.execute(update(sessions).where(sessions.c.id == "heavy").values(state="closed"))
    town.minutes(governing, 1)
    assert town.held() == {}


def test_one_who_only_observes_says_so_and_tells_nobody(town: Town, governing: Governing) -> None:
    set_uplink(town.database, "Telkom", governor=GovernorMode.OBSERVE)
    with capture_logs() as logs:
        town.minutes(governing, 5)
    assert [one["observed"] for one in logs if one["event"] == "ceiling_lowered"] == [True]
    assert town.held() == {}
    assert town.told() == []
    assert town.view().last is not None
    with town.database.read() as connection:
        assert uplinks.read_shares(connection, town.view().uplink.id).floors == {}


def test_one_that_is_switched_off_takes_everything_back(town: Town, governing: Governing) -> None:
    town.minutes(governing, 5)
    uplink = town.view().uplink
    with town.database.read() as connection:
        assert uplinks.read_shares(connection, uplink.id).floors
    with town.database.write() as connection:
        uplinks.change(connection, uplink.id, {"governor": "off"})
    town.minutes(governing, 1)
    assert town.held() == {}
    with town.database.read() as connection:
        assert uplinks.read_shares(connection, uplink.id).floors == {}


def test_one_that_has_died_leaves_nobody_held_down(town: Town, governing: Governing) -> None:
    town.minutes(governing, 5)
    town.now += KEPT + MINUTE
    assert town.held() == {}


def test_only_one_worker_governs_and_another_follows(town: Town, governing: Governing) -> None:
    other = governing_of(town, "b" * 16)
    town.minutes(governing, 1)
    other.turn()
    assert (governing.counters.rounds, other.counters.rounds) == (1, 0)
    town.now += timedelta(minutes=2)
    other.turn()
    governing.turn()
    assert (governing.counters.rounds, other.counters.rounds) == (1, 1)


def test_one_that_was_killed_is_followed_at_once_on_its_own_machine_only(town: Town, governing: Governing) -> None:
    governing.turn()
    elsewhere, here = governing_of(town, "b" * 16), governing_of(town)
    elsewhere.turn()
    here.turn()
    elsewhere.turn()
    assert (elsewhere.counters.rounds, here.counters.rounds) == (0, 1)


def test_of_two_machines_with_one_node_id_the_later_governs_and_they_do_not_take_turns(
    town: Town, governing: Governing
) -> None:
    governing.turn()
    copied = governing_of(town)
    for _ in range(3):
        copied.turn()
        governing.turn()
    assert (governing.counters.rounds, copied.counters.rounds) == (1, 3)


def test_a_city_without_a_governor_costs_no_write(town: Town, governing: Governing) -> None:
    set_uplink(town.database, "Telkom", governor=GovernorMode.OFF)
    town.minutes(governing, 3)
    with town.database.read() as connection:
        assert connection.scalars(select(leases.c.job)).all() == []


def test_a_router_that_cannot_be_told_is_left_alone(town: Town, keyring: Keyring, chance: Chance) -> None:
    nas = add_nas(
        town.database, keyring, "nds", address="10.0.0.2/32", family=Family.OPENNDS, site="Gusung",
        now=NOON, chance=chance,
    )  # fmt: skip
    with town.database.write() as connection:
        connection.execute(update(sessions).where(sessions.c.id == "heavy").values(nas_id=nas.nas.id))
    town.minutes(governing_of(town), 8)
    assert town.held() == {}


def test_a_class_within_its_floor_is_left_alone_also_where_an_override_names_it(
    town: Town, governing: Governing, chance: Chance
) -> None:
    set_class(town.database, "Telkom", ServiceClass.OFFICE, floor_bps=15 * M)
    why = Why("balai desa", "admin")
    set_own(town.database, "heavy", {"service_class": ServiceClass.OFFICE}, why, zone=WITA, now=NOON, chance=chance)
    town.minutes(governing, 8)
    assert town.held() == {}


def test_a_rate_of_the_hour_is_seen_as_what_somebody_may_have(town: Town, chance: Chance) -> None:
    noon = Window("siang", tuple(range(7)), 12 * 60, 13 * 60, rates=(("down_bps", 2 * M),))
    set_plan_window(town.database, "Warga", noon, zone=WITA, now=NOON, chance=chance)
    for moment, rate in ((NOON, 2 * M), (NOON + timedelta(hours=1), 20 * M)):
        (seen,) = look(town.database, (), zone=WITA, now=moment)
        assert {reading.plan_bps for reading in seen.readings} == {rate}


def test_a_failure_of_its_own_is_logged_and_counted(town: Town) -> None:
    broken = Governing(
        town.database, node="a", zone=WITA, language="en", now=lambda: NOON.replace(tzinfo=None), chance=os.urandom
    )
    with capture_logs() as logs:
        broken.turn()
    assert broken.counters.failures == 1
    assert [one["event"] for one in logs] == ["governor_failed"]


def test_a_persons_ceiling_is_none_of_its_business(town: Town, governing: Governing) -> None:
    with town.database.read() as connection:
        account = connection.scalars(select(sessions.c.account_id).where(sessions.c.id == "reader1")).one()
    own = Ceiling(
        account, PHONE.format(1), CeilingSource.PERSON, 1 * M, None, NOON + timedelta(days=1), "rapat", "admin"
    )
    set_ceilings(town.database, [own], now=NOON, chance=os.urandom)
    town.minutes(governing, 5)
    assert (PHONE.format(1), "person") in town.held()


def test_the_reason_is_in_the_language_of_the_city(town: Town) -> None:
    town.minutes(
        Governing(town.database, node="a", zone=WITA, language="id", now=lambda: town.now, chance=os.urandom), 5
    )
    ((_, _, reason),) = town.held().values()
    assert reason == (
        f"memakai 14 Mbps selama beberapa menit saat {READERS} lainnya menunggu saluran; naik lagi begitu ada ruang"
    )


def test_each_reason_is_in_both_languages() -> None:
    texts = catalogue()
    assert set(texts) == {"id", "en"}
    assert texts["id"].keys() == texts["en"].keys()
    for key, text in texts["id"].items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", texts["en"][key]))


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_longest_reason_fits_its_column(language: str) -> None:
    change = CeilingChange(
        "s",
        "n",
        1,
        Cause.WAITING,
        "site",
        10_000 * M,
        99_999,
    )
    assert len(Words(language).why(change, {"site": "x" * 80})) <= 200
