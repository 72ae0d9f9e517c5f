"""The slow loop: who is lowered, how far, for how long, and whom it never touches."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.fairshare import Terms, divide
from app.domain.governed import (
    RULE,
    Cause,
    CeilingChange,
    Decided,
    FloorChange,
    Line,
    Promise,
    Reading,
    SiteChange,
    State,
)
from app.domain.governor import decide
from app.domain.service_classes import ServiceClass
from tests.factories import NOON

M = 1_000_000
K = 1_000
CAPACITY = 60 * M
MINUTE = timedelta(minutes=1)


@dataclass
class Phone:
    """Somebody who takes what they want, as far as the line and their ceiling let them; more flows take more."""

    wants_bps: int
    flows: int = 1
    nas: str = "nas-1"
    site: str = "Gusung"
    service_class: ServiceClass = ServiceClass.RESIDENT
    steerable: bool = True
    plan_bps: int | None = None
    octets: int = 0
    ceiling_bps: int | None = None
    takes_bps: int = 0


@dataclass
class Street:
    """A line with one queue, its people, and the governor that sees their reports once a minute."""

    phones: dict[str, Phone]
    line: Line = field(default_factory=lambda: Line(CAPACITY, sites={"Gusung": None}))
    now = NOON
    state: State = field(default_factory=State)

    def minute(self) -> Decided:
        self.now += MINUTE
        limits = [
            phone.wants_bps if phone.ceiling_bps is None else min(phone.wants_bps, phone.ceiling_bps)
            for phone in self.phones.values()
        ]
        for phone, bps in zip(
            self.phones.values(),
            divide(
                self.line.capacity_bps,
                [Terms(phone.flows, 0, most) for phone, most in zip(self.phones.values(), limits, strict=True)],
            ),
            strict=True,
        ):
            phone.takes_bps = bps
            phone.octets += bps * 60 // 8
        self.state, decided = decide(self.line, self.state, self.readings(), now=self.now)
        for change in decided.ceilings:
            self.phones[change.session_id].ceiling_bps = change.down_bps
        return decided

    def minutes(self, number: int) -> list[Decided]:
        return [self.minute() for _ in range(number)]

    def readings(self) -> list[Reading]:
        return [
            Reading(name, one.nas, one.site, one.service_class, one.octets, self.now, one.plan_bps, one.steerable)
            for name, one in self.phones.items()
        ]

    def ceilings(self) -> dict[str, int | None]:
        return {name: phone.ceiling_bps for name, phone in self.phones.items()}


def readers(number: int, bps: int = 100 * K) -> dict[str, Phone]:
    return {f"reader {n}": Phone(bps) for n in range(number)}


def changes(decided: list[Decided]) -> list[CeilingChange]:
    return [change for one in decided for change in one.ceilings]


def test_nobody_is_lowered_while_there_is_room() -> None:
    street = Street({"heavy": Phone(40 * M, 50), **readers(20)})
    assert changes(street.minutes(20)) == []


def test_nobody_is_lowered_where_nobody_else_waits() -> None:
    street = Street({"heavy": Phone(90 * M, 50), "other": Phone(90 * M)})
    assert changes(street.minutes(20)) == []


def test_those_heavy_for_minutes_are_lowered_while_others_wait() -> None:
    street = Street({"heavy": Phone(90 * M, 50), **readers(200, 300 * K)})
    (first,) = next(one.ceilings for one in street.minutes(10) if one.ceilings)
    assert first.session_id == "heavy"
    assert (first.cause, first.place, first.others) == (Cause.WAITING, None, 200)
    assert first.down_bps is not None
    assert first.down_bps < first.rate_bps


def test_all_who_are_heavy_share_one_level_whatever_they_would_take() -> None:
    heavy = {"heavy": Phone(20 * M, 50), "heavier": Phone(55 * M, 60), "heaviest": Phone(90 * M, 80)}
    street = Street({**heavy, **readers(200, 300 * K)})
    street.minutes(20)
    ceilings = {street.ceilings()[name] for name in heavy}
    assert len(ceilings) == 1
    assert None not in ceilings


def test_three_heavy_reports_are_needed() -> None:
    street = Street({"heavy": Phone(60 * M, 50), **readers(200, 290 * K)})
    assert [bool(one.ceilings) for one in street.minutes(4)] == [False, False, False, True]  # the first tells no rate


def test_a_pause_is_no_reason_to_wait_for_more() -> None:
    street = Street({"bursty": Phone(60 * M, 50), **readers(200, 300 * K)})
    for _ in range(10):
        street.phones["bursty"].wants_bps = 60 * M
        assert changes(street.minutes(2)) == []
        street.phones["bursty"].wants_bps = 10 * K
        assert changes(street.minutes(1)) == []


def test_a_level_is_never_below_an_equal_share_or_what_is_usable() -> None:
    many, few = (
        Street({"heavy": Phone(60 * M, 50), **readers(400, 1 * M)}),
        Street({"heavy": Phone(60 * M, 50), **readers(20, 5 * M)}),
    )
    for street, least in ((many, RULE.minimum_bps), (few, CAPACITY // 21)):
        street.minutes(60)
        ceiling = street.ceilings()["heavy"]
        assert ceiling is not None
        assert least <= ceiling < least + RULE.grain_bps


def test_the_line_stays_in_use_and_the_level_comes_to_rest() -> None:
    street = Street({**{f"heavy {n}": Phone(20 * M, 50) for n in range(6)}, **readers(100, 200 * K)})
    street.minutes(30)
    last = street.minutes(60)
    assert changes(last) == []
    assert all(one.places[None].use >= RULE.room for one in last)


def test_everything_is_given_back_when_the_others_have_gone() -> None:
    street = Street({"heavy": Phone(20 * M, 50), "heavy too": Phone(15 * M, 50), **readers(200, 300 * K)})
    street.minutes(20)
    assert None not in (street.ceilings()["heavy"], street.ceilings()["heavy too"])
    for name in readers(200):
        street.phones[name].wants_bps = 10 * K
    raised = changes(street.minutes(20))
    assert {change.cause for change in raised} <= {Cause.ROOM, Cause.LIGHT}
    assert (street.ceilings()["heavy"], street.ceilings()["heavy too"]) == (None, None)


def test_who_takes_little_gets_it_all_back_though_the_line_is_full() -> None:
    street = Street({"heavy": Phone(30 * M, 50), **readers(200, 400 * K)})
    street.minutes(20)
    assert street.ceilings()["heavy"] is not None
    street.phones["heavy"].wants_bps = 50 * K
    given_back = changes(street.minutes(3))
    assert [(change.session_id, change.down_bps, change.cause) for change in given_back] == [
        ("heavy", None, Cause.LIGHT)
    ]


def test_nobody_gets_a_ceiling_above_their_plan() -> None:
    street = Street({"heavy": Phone(60 * M, 50), "slow plan": Phone(1 * M, plan_bps=1 * M), **readers(150, 320 * K)})
    street.minutes(8)
    assert street.ceilings()["heavy"] is not None
    assert street.ceilings()["slow plan"] is None


def test_what_a_class_takes_within_its_floor_is_left_alone() -> None:
    line = Line(CAPACITY, (Promise(ServiceClass.OFFICE, 10 * M), Promise(ServiceClass.RESIDENT)), {"Gusung": None})
    office = {"backup": Phone(9 * M, service_class=ServiceClass.OFFICE, flows=50)}
    street = Street({**office, "heavy": Phone(90 * M, 50), **readers(200, 400 * K)}, line)
    street.minutes(30)
    assert street.ceilings()["backup"] is None
    assert street.ceilings()["heavy"] is not None


def test_a_site_that_is_full_lowers_its_own_people_only() -> None:
    line = Line(CAPACITY, sites={"Gusung": 7 * M, "Melahing": 20 * M})
    phones = {"heavy": Phone(10 * M), "elsewhere": Phone(10 * M, site="Melahing"), **readers(20, 100 * K)}
    street = Street(phones, line)
    phones["heavy"].wants_bps = 5 * M
    street.minutes(10)
    assert street.ceilings()["elsewhere"] is None
    ceiling = street.ceilings()["heavy"]
    assert ceiling is not None
    assert 4 * M < ceiling < 5 * M
    assert street.state.pressures[None].level_bps is None


def test_a_nas_is_told_so_much_in_a_minute_and_the_rest_later() -> None:
    heavy = {f"heavy {n}": Phone(4 * M, 50) for n in range(50)}
    street = Street({**heavy, **readers(100, 400 * K)})
    told = [(len(one.ceilings), one.postponed) for one in street.minutes(6) if one.ceilings or one.postponed]
    assert told[:3] == [(20, 30), (20, 10), (10, 0)]


def test_who_is_silent_is_neither_counted_nor_touched() -> None:
    street = Street({"heavy": Phone(90 * M, 50), **readers(200, 300 * K)})
    street.minutes(2)
    later = street.now + RULE.stale + MINUTE
    _, decided = decide(street.line, street.state, street.readings(), now=later)
    assert decided.ceilings == []
    assert decided.places[None].load_bps == 0
    assert not decided.known


def test_silence_of_everybody_is_no_room() -> None:
    line = Line(CAPACITY, sites={"Gusung": None, "Melahing": None})
    stubborn = {f"stubborn {n}": Phone(30 * M, 50, site="Melahing", steerable=False) for n in range(3)}
    street = Street({**stubborn, "heavy": Phone(90 * M, 50), **readers(150, 300 * K)}, line)
    street.minutes(8)
    before, later = street.state, street.now + RULE.stale
    assert before.pressures[None].level_bps is not None
    assert before.held["Melahing"].down_bps is not None
    for _ in range(10):
        later += MINUTE
        street.state, decided = decide(street.line, street.state, street.readings(), now=later)
        assert (decided.ceilings, decided.sites, decided.floors) == ([], [], [])
    assert street.state.pressures[None].level_bps == before.pressures[None].level_bps


def test_a_counter_that_began_anew_is_no_rate() -> None:
    street = Street({"heavy": Phone(90 * M, 50), **readers(200, 300 * K)})
    street.minutes(2)
    street.phones["heavy"].octets = 0
    street.phones["heavy"].wants_bps = 0
    assert street.minute().places[None].load_bps == sum(phone.takes_bps for phone in street.phones.values())
    assert street.state.watched["heavy"].rate_bps is None


def test_a_site_is_held_where_somebody_heavy_cannot_be_told() -> None:
    line = Line(CAPACITY, sites={"Gusung": None, "Melahing": None})
    stubborn = {f"stubborn {n}": Phone(30 * M, 50, site="Melahing", steerable=False) for n in range(3)}
    street = Street({**stubborn, **readers(150, 300 * K)}, line)
    decided = street.minutes(8)
    assert changes(decided) == []
    held = [change for one in decided for change in one.sites]
    part = CAPACITY * 3 // 153
    assert held == [SiteChange("Melahing", int(RULE.site_slack * part) // RULE.grain_bps * RULE.grain_bps)]
    for name in stubborn:
        street.phones[name].wants_bps = 10 * K
    assert [change for one in street.minutes(8) for change in one.sites] == [SiteChange("Melahing", None)]


PROMISES = (Promise(ServiceClass.OFFICE, 10 * M, 2), Promise(ServiceClass.RESIDENT), Promise(ServiceClass.GUEST, 2 * M))


def test_floors_follow_who_is_there_and_an_absent_class_keeps_what_was_promised() -> None:
    street = Street(readers(50), Line(CAPACITY, PROMISES, {"Gusung": None}))
    floors = {change.service_class: change.floor_bps for one in street.minutes(2) for change in one.floors}
    assert floors == {ServiceClass.OFFICE: 10 * M, ServiceClass.GUEST: 2 * M, ServiceClass.RESIDENT: 36 * M}
    street.phones |= {f"guest {n}": Phone(100 * K, service_class=ServiceClass.GUEST) for n in range(50)}
    moved = [one.floors for one in street.minutes(8) if one.floors]
    assert moved == [[FloorChange(ServiceClass.RESIDENT, 19 * M), FloorChange(ServiceClass.GUEST, 19 * M)]]


@given(
    promised=st.lists(
        st.tuples(st.sampled_from(ServiceClass), st.integers(0, 15)), max_size=4, unique_by=lambda one: one[0]
    ),
    present=st.lists(st.sampled_from(ServiceClass), max_size=30),
    rounds=st.integers(2, 9),
)
def test_floors_never_fall_below_a_promise_and_always_fit(
    promised: list[tuple[ServiceClass, int]], present: list[ServiceClass], rounds: int
) -> None:
    line = Line(CAPACITY, tuple(Promise(name, floor * M, 1) for name, floor in promised), {"Gusung": None})
    street = Street({f"phone {n}": Phone(1 * M, service_class=one) for n, one in enumerate(present)}, line)
    for number in range(rounds):
        if number == rounds // 2:
            street.phones = dict(list(street.phones.items())[::2])
        street.minute()
        floors = street.state.floors
        assert sum(floors.values()) <= CAPACITY
        assert all(floors.get(name, floor * M) >= floor * M for name, floor in promised)


@given(
    wants=st.lists(st.integers(0, 30), min_size=1, max_size=40),
    moods=st.lists(st.integers(0, 39), max_size=12),
    minutes=st.integers(1, 14),
)
def test_whatever_people_do_ceilings_are_usable_alike_and_few(wants: list[int], moods: list[int], minutes: int) -> None:
    street = Street({f"phone {n}": Phone(one * one * 100 * K) for n, one in enumerate(wants)})
    for number in range(minutes):
        if number < len(moods):
            street.phones[f"phone {moods[number] % len(wants)}"].wants_bps = 40 * M
        decided = street.minute()
        lowered = [change for change in decided.ceilings if change.down_bps is not None]
        assert all(change.down_bps is not None and change.down_bps >= RULE.minimum_bps for change in lowered)
        assert len({change.down_bps for change in lowered}) <= 1
        assert len(decided.ceilings) <= RULE.changes_per_nas
        assert sum(phone.takes_bps for phone in street.phones.values()) <= CAPACITY


def test_no_session_of_another_line_is_remembered() -> None:
    street = Street({"heavy": Phone(90 * M, 50), **readers(5)})
    street.minutes(3)
    street.phones.pop("heavy")
    street.minute()
    assert set(street.state.watched) == set(street.phones)


@pytest.mark.parametrize("use", [0.2, 0.5, 0.9])
def test_an_evening_that_changes_nothing_sends_nothing(use: float) -> None:
    street = Street(readers(100, int(use * CAPACITY / 100)))
    assert changes(street.minutes(60)) == []
