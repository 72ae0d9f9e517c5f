"""No evening lets anybody use more than the quota and the stated bound, or cuts anybody early.

Phones come and go between two sites, by password or by themselves, vanish and come back under another MAC, change their
rate; their routers ask and tell two servers in turn, journals are merged late, nights and weeks pass, hours are free,
octets are bought, and accounts have billing days. `docs/quotas.md` states the bounds.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from app.db.engine import open_database
from app.domain.nases import Family
from app.domain.quotas import Action, Measure, Period, Quota, Then
from app.services.keyring import Keyring
from tests.conftest import PostgresqlServer
from tests.node.evenings import Evening, Terms

LOOK = (Phase.explicit, Phase.reuse, Phase.generate)  # to shrink an evening takes longer than to read it
RATES = (0, 500, 4_000)
PHONES = 3
LARGE = 4_096  # times as much: more than fields of 32 bits hold

AT_THE_OCTET = (Family.MIKROTIK, Family.COOVACHILLI, Family.CAMBIUM)
ONE_AMOUNT = (Family.USPOT, Family.PFSENSE)
BY_DISCONNECT = (
    Family.ACCEL_PPP,
    Family.GENERIC,
    Family.ARUBA,
    Family.CISCO,
    Family.MERAKI,
    Family.RUCKUS,
    Family.MIST,
    Family.FORTINET,
    Family.HOSTAPD,
    Family.STRONGSWAN,
)
CHILLI = (Family.COOVACHILLI, Family.COOVACHILLI)
SLOWED = (*AT_THE_OCTET, *ONE_AMOUNT, Family.ACCEL_PPP, Family.GENERIC)
COME_BACK = (*AT_THE_OCTET, Family.USPOT)
NOT_AT_ALL = (Family.OPNSENSE, Family.UNIFI, Family.OMADA, Family.JUNIPER)

STEPS = st.one_of(
    st.tuples(st.just("in"), st.integers(0, PHONES - 1), st.integers(0, 3)),
    st.tuples(st.just("out"), st.integers(0, PHONES - 1), st.just(0)),
    st.tuples(st.just("rate"), st.integers(0, PHONES - 1), st.integers(0, len(RATES) - 1)),
    st.tuples(st.just("minutes"), st.integers(0, 7), st.integers(2, 11)),
    st.tuples(st.just("minutes"), st.integers(0, 7), st.integers(2, 11)),
    st.tuples(st.just("night"), st.just(0), st.just(0)),
    st.tuples(st.just("other MAC"), st.integers(0, PHONES - 1), st.integers(0, 3)),
    st.tuples(st.just("days"), st.integers(1, 40), st.just(0)),
    st.tuples(st.just("merge"), st.just(0), st.just(0)),
)
EVENTS = st.lists(STEPS, min_size=5, max_size=25)
TURNS = st.lists(
    st.one_of(
        st.tuples(st.just("minutes"), st.integers(0, 7), st.integers(4, 11)),
        st.tuples(st.just("minutes"), st.integers(0, 7), st.integers(4, 11)),
        st.tuples(st.just("rate"), st.integers(0, PHONES - 1), st.integers(0, len(RATES) - 1)),
        st.tuples(st.sampled_from(["in", "out", "in", "night"]), st.integers(0, PHONES - 1), st.integers(0, 3)),
    ),
    min_size=8,
    max_size=25,
)
"""Who uses much changes, and little else happens."""

BOUGHT = st.tuples(st.just("top up"), st.integers(1, 500_000), st.just(0))
FREE = st.sampled_from([None, None, (12 * 60 + 5, 12 * 60 + 20), (23 * 60 + 55, 5)])


@st.composite
def terms(draw: st.DrawFn, families: tuple[Family, ...], *, topped: bool = False) -> Terms:
    """Draw quotas that cut. What tops up pays for both directions together."""
    scale = 1 if topped else draw(st.sampled_from([1, 1, LARGE]))
    octets = st.builds(
        Quota,
        st.sampled_from(Period),
        st.integers(1, 3_000_000).map(lambda amount: amount * scale),
        st.sampled_from([Measure.BOTH] if topped else [Measure.BOTH, Measure.DOWN, Measure.UP]),
    )
    time = st.builds(Quota, st.sampled_from(Period), st.integers(1, 3_000), st.just(Measure.TIME))
    quotas = draw(
        st.lists(
            st.one_of(octets, octets, time),
            min_size=1,
            max_size=3,
            unique_by=lambda quota: quota.tally,
        )
    )
    phones, servers = draw(st.sampled_from([(1, 1), (PHONES, 2), (1, 1), (PHONES, 1), (1, 2)]))
    return Terms(
        tuple(quotas),
        families=(draw(st.sampled_from(families)), draw(st.sampled_from(families))),
        billing_day=draw(st.sampled_from([1, 15, 25, 29, 31])),
        phones=phones,
        servers=servers,
        free=draw(FREE),
        scale=scale,
    )


@st.composite
def divided_terms(draw: st.DrawFn, families: tuple[Family, ...]) -> Terms:
    """Draw quotas that several phones use for a while."""
    quota = st.builds(
        Quota,
        st.sampled_from(Period),
        st.integers(1_000_000, 25_000_000),
        st.sampled_from([Measure.BOTH, Measure.DOWN]),
    )
    return Terms(
        tuple(draw(st.lists(quota, min_size=1, max_size=2, unique_by=lambda quota: quota.tally))),
        families=(draw(st.sampled_from(families)), draw(st.sampled_from(families))),
        phones=draw(st.integers(2, PHONES)),
        servers=draw(st.integers(1, 2)),
        free=draw(FREE),
    )


@st.composite
def stepped_terms(draw: st.DrawFn, families: tuple[Family, ...], *, deaf: bool = False) -> Terms:
    """Draw steps of one tally: a rate, perhaps a lower one, perhaps a cut."""
    tally = draw(st.sampled_from(Period)), draw(st.sampled_from(Measure))
    unit = 1 if tally[1] is Measure.TIME else 1_000
    fast, slow = Then(Action.THROTTLE, 1_000_000, 512_000), Then(Action.THROTTLE, 256_000)
    thens = draw(st.sampled_from([(fast,), (fast, slow), (fast, None), (fast, slow, None)]))
    amounts = sorted(draw(st.sets(st.integers(1, 3_000), min_size=len(thens), max_size=len(thens))))
    quotas = [Quota(tally[0], amount * unit, tally[1], then) for amount, then in zip(amounts, thens, strict=True)]
    return Terms(
        tuple(quotas),
        families=(draw(st.sampled_from(families)), draw(st.sampled_from(families))),
        billing_day=draw(st.sampled_from([1, 31])),
        phones=1 if deaf else draw(st.sampled_from([1, PHONES])),
        servers=1 if deaf else 2,
        free=draw(FREE),
        deaf=deaf,
    )


def play(evening: Evening, events: list[tuple[str, int, int]]) -> None:
    """Let things happen, each of which holds what it must."""
    phones = evening.phones
    for phone in phones:
        evening.log_in(phone, phone.number)
    for what, number, more in events:
        phone = phones[number % len(phones)]
        match what:
            case "in" if phone.session is None:
                evening.log_in(phone, more, more // 2)
            case "out" if phone.session is not None:
                evening.leave(phone)
            case "rate":
                phone.rate = RATES[more] * evening.terms.scale
            case "minutes":
                for _ in range(more // 2):
                    evening.pass_minute([number >> n & 1 for n in range(len(phones))], merge=more % 2 == 1)
            case "other MAC":
                evening.vanish(phone)
                evening.log_in(phone, more, more // 2)
            case "days":
                evening.pass_days(number)
            case "night":
                evening.pass_the_night()
            case "merge":
                evening.merge()
            case "top up":
                evening.top_up(number)
    evening.check_stored()


Events = list[tuple[str, int, int]]
Evenings = Callable[[Terms, Events], Evening]


@pytest.fixture(scope="module")
def beach(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> Evenings:
    """Play evenings, each with a database of its own, and return them as they ended."""

    def play_one(terms: Terms, events: Events) -> Evening:
        folder = tmp_path_factory.mktemp("evening")
        shutil.copyfile(migrated_sqlite_file, folder / "city.db")
        evening = Evening(open_database(f"sqlite:///{folder / 'city.db'}"), folder, keyring, terms)
        try:
            play(evening, events)
        finally:
            evening.close()
        return evening

    return play_one


@pytest.fixture(scope="module")
def harbour(
    postgresql_server: PostgresqlServer,
    migrated_postgresql_name: str,
    tmp_path_factory: pytest.TempPathFactory,
    keyring: Keyring,
) -> Evenings:
    """The same on PostgreSQL."""

    def play_one(terms: Terms, events: Events) -> Evening:
        name = postgresql_server.create(template=migrated_postgresql_name)
        folder = tmp_path_factory.mktemp("evening")
        evening = Evening(open_database(postgresql_server.url(name)), folder, keyring, terms)
        try:
            play(evening, events)
        finally:
            evening.close()
            postgresql_server.drop(name)
        return evening

    return play_one


@settings(max_examples=10, phases=LOOK)
@given(terms=terms(AT_THE_OCTET), events=EVENTS)
def test_routers_that_cut_at_the_octet(beach: Evenings, terms: Terms, events: Events) -> None:
    beach(terms, events)


@settings(max_examples=10, phases=LOOK)
@example(
    terms=Terms((Quota(Period.DAY, 3_000_000),), families=CHILLI, phones=2, servers=1),
    events=[("rate", 0, 0), ("minutes", 0, 11), ("minutes", 0, 11), ("in", 0, 0), ("minutes", 0, 11)],
)
@example(  # each in turn
    terms=Terms((Quota(Period.WEEK, 4_000_000, Measure.DOWN), Quota(Period.DAY, 3_000_000)), families=CHILLI),
    events=[
        ("rate", 0, 0),
        ("minutes", 1, 10),
        ("rate", 0, 2),
        ("rate", 1, 0),
        ("rate", 2, 1),
        ("minutes", 2, 10),
        ("night", 0, 0),
        ("minutes", 3, 10),
    ],
)
@given(terms=divided_terms((Family.COOVACHILLI,)), events=TURNS)
def test_routers_that_are_told_slices_anew(beach: Evenings, terms: Terms, events: Events) -> None:
    beach(terms, events)


@settings(max_examples=14, phases=LOOK)
@example(
    terms=Terms((Quota(Period.DAY, 300_000),), families=(Family.USPOT, Family.PFSENSE), phones=1, servers=1),
    events=[("minutes", 0, 8)],
)
@given(terms=terms(ONE_AMOUNT), events=EVENTS)
def test_routers_of_one_amount_of_32_bits(beach: Evenings, terms: Terms, events: Events) -> None:
    beach(terms, events)


@settings(max_examples=12, phases=LOOK)
@example(  # the second phone is let in by the other server, just before that learns of the first one's use
    terms=Terms((Quota(Period.DAY, 200_000),), families=(Family.GENERIC, Family.GENERIC), phones=2),
    events=[
        ("out", 0, 0),
        ("out", 1, 0),
        ("in", 0, 0),
        ("minutes", 0, 2),
        ("in", 1, 1),
        ("merge", 0, 0),
        ("minutes", 2, 6),
    ],
)
@given(terms=terms(BY_DISCONNECT), events=EVENTS)
def test_routers_that_are_told_to_end_sessions(beach: Evenings, terms: Terms, events: Events) -> None:
    beach(terms, events)


@settings(max_examples=8, phases=LOOK)
@given(terms=terms(NOT_AT_ALL), events=EVENTS)
def test_routers_that_end_sessions_by_time_alone(beach: Evenings, terms: Terms, events: Events) -> None:
    beach(terms, events)


@settings(max_examples=8, phases=LOOK)
@given(terms=stepped_terms(SLOWED), events=EVENTS)
def test_throttle_slows_in_time_and_takes_no_connection(beach: Evenings, terms: Terms, events: Events) -> None:
    beach(terms, events)


@settings(max_examples=8, phases=LOOK)
@given(terms=stepped_terms(COME_BACK, deaf=True), events=EVENTS)
def test_throttle_begins_at_the_octet_where_a_router_cannot_be_told(
    beach: Evenings, terms: Terms, events: Events
) -> None:
    beach(terms, events)


@settings(max_examples=8, phases=LOOK)
@given(terms=terms(AT_THE_OCTET, topped=True), events=st.lists(st.one_of(STEPS, BOUGHT), min_size=5, max_size=25))
def test_top_ups_are_used_to_the_octet(beach: Evenings, terms: Terms, events: Events) -> None:
    beach(terms, events)


ANY = (*AT_THE_OCTET, *ONE_AMOUNT, *BY_DISCONNECT)


@settings(max_examples=4, phases=LOOK)
@given(terms=st.one_of(terms(ANY), stepped_terms(SLOWED)), events=EVENTS)
def test_the_same_on_postgresql(harbour: Evenings, terms: Terms, events: Events) -> None:
    harbour(terms, events)


QUIET_PHONE = [("rate", 0, 0)]
"""The phone that came first, and was granted all that was left then, uses nothing from now on."""


@pytest.mark.parametrize(
    ("family", "before", "minutes", "cuts"),
    [
        pytest.param(Family.COOVACHILLI, QUIET_PHONE, 11, 0, id="the other one is idle"),
        pytest.param(Family.COOVACHILLI, [("out", 0, 0)], 11, 0, id="the other one has left"),
        pytest.param(Family.COOVACHILLI, [*QUIET_PHONE, ("top up", 3_000_000, 0)], 22, 0, id="more is bought"),
        pytest.param(Family.MIKROTIK, QUIET_PHONE, 11, 2, id="a router that cannot be told"),
    ],
)
def test_phone_is_cut_at_no_slice_before_little_is_left(
    beach: Evenings, family: Family, before: Events, minutes: int, cuts: int
) -> None:
    terms = Terms((Quota(Period.DAY, 3_000_000),), families=(family, family), phones=2, servers=1)
    assert beach(terms, [*before, *[("minutes", 0, 3)] * minutes]).cuts_at_slices == cuts


@pytest.mark.long
@settings(max_examples=150, phases=LOOK)
@given(
    terms=st.one_of(terms(ANY), terms(NOT_AT_ALL), stepped_terms(SLOWED), stepped_terms(COME_BACK, deaf=True)),
    events=EVENTS,
)
def test_many_evenings(beach: Evenings, terms: Terms, events: Events) -> None:
    beach(terms, events)
