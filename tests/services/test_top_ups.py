"""Top-ups: octets after the quota, days after the end, by an admin or a voucher; each once, and none is lost."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from app.db import accounts, devices, resume
from app.db.engine import Database
from app.db.tables.accounts import accounts as accounts_table
from app.db.tables.changes import changes
from app.db.tables.sessions import usage
from app.db.tables.vouchers import top_ups
from app.db.tables.vouchers import vouchers as vouchers_table
from app.domain.access import Denial, DenialReason, Grant, decide_access
from app.domain.keys import draw_id
from app.domain.local_time import WITA, local_day
from app.domain.plans import Plan
from app.domain.policies import Where
from app.domain.quotas import Action, Measure, Period, Quota, Then
from app.domain.reports import Reported, ReportKind
from app.domain.resume import ResumeGrant
from app.domain.spending import Used
from app.domain.top_ups import Drawn, TopUp, draw, left_in, take_from
from app.domain.users import Account, AccountKind
from app.domain.vouchers import VoucherState
from app.services.errors import Invalid, NotFound
from app.services.ingest import merge
from app.services.keyring import Keyring
from app.services.plans import add_plan, set_plan
from app.services.sites import add_site
from app.services.standing import standing_of
from app.services.top_ups import Addition, top_up_user
from app.services.usage import usages_of
from app.services.users import add_user
from app.services.vouchers import addition_of, create_batch, list_batches, redeem, revoke_batch, top_up_by_code
from tests.factories import MAC, NOON, make_report, usage_from_days

Chance = Callable[[int], bytes]
DAY = timedelta(days=1)
MB = 1_000_000


@pytest.fixture
def siti(database: Database, keyring: Keyring, chance: Chance) -> Account:
    add_plan(database, "Warga", now=NOON, chance=chance, daily_octets=500 * MB, validity_seconds=30 * 86_400)
    return add_user(database, keyring, "siti", password=None, now=NOON, chance=chance).account


@pytest.fixture
def give(database: Database, siti: Account, chance: Chance) -> Callable[..., Account]:
    def give(octets: int = 0, days: int = 0, *, until: datetime | None = None, now: datetime = NOON) -> Account:
        addition = Addition(octets, days * 86_400, until)
        return top_up_user(
            database, "siti", addition, reason="ujian", author="admin", zone=WITA, now=now, chance=chance
        )

    return give


def use(database: Database, siti: Account, down: int, chance: Chance, *, now: datetime = NOON) -> None:
    """Let the one session of Siti, which began at noon, have used so much by now."""
    minute = (now - NOON).total_seconds() / 60 + 1
    report = make_report(ReportKind.INTERIM, minute=minute, down=down, account_id=siti.id)
    item = Reported(report, b"", now, "127.0.0.1:1813", "nasanasanasanasa")
    merge(database, [item], position=None, origin="node/0", zone=WITA, now=now, chance=chance)


def decide(database: Database, siti: Account, now: datetime = NOON) -> Grant | Denial:
    with database.read() as connection:
        account = accounts.by_id(connection, siti.id, now=now)
        assert account is not None
        used = usages_of(connection, [account], local_day(now, WITA))[siti.id]
    return decide_access(account, used, device=MAC, online_devices=(), now=now, zone=WITA)


def left(database: Database, siti: Account, now: datetime = NOON) -> int | None:
    decision = decide(database, siti, now)
    return decision.octets_left if isinstance(decision, Grant) else 0


def test_octets_are_used_after_the_quota_and_outlive_its_period(
    database: Database, siti: Account, give: Callable[..., Account], chance: Chance
) -> None:
    give(200 * MB)
    assert left(database, siti) == 700 * MB
    use(database, siti, 600 * MB, chance)
    assert left(database, siti) == 100 * MB
    assert left(database, siti, NOON + DAY) == 600 * MB
    use(database, siti, 700 * MB, chance)
    assert left(database, siti) == 0
    assert left(database, siti, NOON + DAY) == 500 * MB


def test_what_was_used_stays_what_routers_reported(
    database: Database, siti: Account, give: Callable[..., Account], chance: Chance
) -> None:
    give(200 * MB)
    use(database, siti, 600 * MB, chance)
    with database.read() as connection:
        (row,) = connection.execute(select(usage))
        (entry,) = connection.execute(select(top_ups))
    assert (row.down_octets, row.topped_octets) == (600 * MB, 100 * MB)
    assert (entry.octets, entry.left_octets, entry.reason, entry.author) == (200 * MB, 100 * MB, "ujian", "admin")


def test_what_is_paid_for_just_after_midnight_counts_for_no_longer_quota(
    database: Database, siti: Account, give: Callable[..., Account], chance: Chance
) -> None:
    set_plan(database, "Warga", now=NOON, chance=chance, daily_octets=None, monthly_octets=500 * MB)
    give(200 * MB)
    midnight = NOON + timedelta(hours=12)
    report = make_report(ReportKind.INTERIM, minute=12 * 60 - 1, down=600 * MB, account_id=siti.id)
    item = Reported(report, b"", midnight, "127.0.0.1:1813", "nasanasanasanasa")
    merge(database, [item], position=None, origin="node/0", zone=WITA, now=midnight, chance=chance)
    assert left(database, siti, midnight) == 100 * MB


def test_octets_end(database: Database, siti: Account, give: Callable[..., Account]) -> None:
    give(200 * MB, until=NOON + DAY)
    assert left(database, siti, NOON + DAY - timedelta(seconds=1)) == 700 * MB
    assert left(database, siti, NOON + DAY) == 500 * MB


def test_session_that_was_to_end_goes_on_with_a_top_up(
    database: Database, siti: Account, give: Callable[..., Account], chance: Chance
) -> None:
    use(database, siti, 500 * MB, chance)
    with database.read() as connection:
        assert [row.kind for row in connection.execute(select(changes))] == ["disconnect"]
    give(100 * MB)
    with database.read() as connection:
        assert [row.kind for row in connection.execute(select(changes))] == ["change"]


def test_days_are_added_to_the_end_or_to_now(database: Database, siti: Account, give: Callable[..., Account]) -> None:
    with database.write() as connection:
        accounts.note_first_use(connection, siti.id, NOON)
    assert give(days=7).ends_at(NOON) == NOON + 37 * DAY
    later = NOON + 40 * DAY
    assert decide(database, siti, later) == Denial(DenialReason.EXPIRED)
    assert give(days=7, now=later).ends_at(later) == later + 7 * DAY


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "octets"),
        ({"octets": -1}, "octets"),
        ({"octets": 1, "until": NOON}, "until"),
        ({"days": 1, "until": NOON + DAY}, "until"),
    ],
    ids=["nothing", "less", "of the past", "an end of days"],
)
def test_bad_top_up(give: Callable[..., Account], values: dict[str, int], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        give(**values)
    assert caught.value.field == field


def test_days_are_nothing_to_an_account_without_an_end(
    database: Database, keyring: Keyring, give: Callable[..., Account], *, siti: Account, gusung: Where, chance: Chance
) -> None:
    add_plan(database, "Seminggu", now=NOON, chance=chance, validity_seconds=7 * 86_400)
    made = create_batch(database, keyring, plan="Seminggu", count=1, top_up=True, now=NOON, chance=chance)
    set_plan(database, "Warga", now=NOON, chance=chance, validity_seconds=None)
    with pytest.raises(Invalid, match="no end"):
        give(days=7)
    code = made.codes[0]
    nothing = Denial(DenialReason.TOP_UP_ADDS_NOTHING)
    assert top_up_by_code(database, keyring, code, siti.id, zone=WITA, now=NOON, chance=chance) == nothing
    log_in(database, siti, chance)
    assert redeem(database, keyring, code, mac=MAC, where=gusung, now=NOON, chance=chance) == nothing
    assert states(database) == {VoucherState.NEW: 1}, "the card is not used up for nothing"


def test_top_up_of_nobody(database: Database, siti: Account, chance: Chance) -> None:
    with pytest.raises(NotFound):
        top_up_user(database, "budi", Addition(1), reason="x", author="y", zone=WITA, now=NOON, chance=chance)


def test_standing_has_the_ledger_the_newest_first(database: Database, give: Callable[..., Account]) -> None:
    give(1)
    give(days=2, now=NOON + DAY)
    entries = standing_of(database, "siti", now=NOON + DAY, zone=WITA).top_ups
    assert [(entry.octets, entry.seconds) for entry in entries] == [(0, 2 * 86_400), (1, 0)]


# ---- by voucher


@pytest.fixture
def card(database: Database, keyring: Keyring, siti: Account, chance: Chance) -> str:
    add_plan(database, "Tambah", now=NOON, chance=chance, total_octets=100 * MB, validity_seconds=7 * 86_400)
    made = create_batch(database, keyring, plan="Tambah", count=1, top_up=True, now=NOON, chance=chance)
    return made.codes[0]


def test_card_of_a_total_in_steps_adds_the_last_of_them() -> None:
    steps = (Quota(Period.TOTAL, 100 * MB, then=Then(Action.THROTTLE, 1_000_000)), Quota(Period.TOTAL, 300 * MB))
    assert addition_of(Plan("p", "Tambah", quotas=steps), NOON).octets == 300 * MB


@pytest.fixture
def gusung(database: Database, chance: Chance) -> Where:
    return Where(add_site(database, "Gusung", now=NOON, chance=chance).id, WITA)


def log_in(database: Database, siti: Account, chance: Chance) -> None:
    with database.write() as connection:
        resume.keep(connection, draw_id(chance), ResumeGrant(MAC, siti.id, None, NOON + DAY), now=NOON)


def test_card_tops_up_who_is_there_and_once(
    database: Database, keyring: Keyring, siti: Account, *, card: str, gusung: Where, chance: Chance
) -> None:
    log_in(database, siti, chance)
    for _ in range(2):  # a double tap
        opened = redeem(database, keyring, card, mac=MAC, where=gusung, now=NOON, chance=chance)
        assert isinstance(opened, Account)
        assert opened.id == siti.id
    assert left(database, siti) == 600 * MB
    assert left(database, siti, NOON + 7 * DAY) == 500 * MB
    other = redeem(database, keyring, card, mac="02:aa:00:00:00:02", where=gusung, now=NOON, chance=chance)
    assert other == Denial(DenialReason.VOUCHER_USED)


def states(database: Database) -> Mapping[VoucherState, int]:
    return list_batches(database)[0].states


def test_card_of_a_phone_that_nobody_knows_is_not_used_up(
    database: Database, keyring: Keyring, siti: Account, *, card: str, gusung: Where, chance: Chance
) -> None:
    for where in (gusung, None):
        opened = redeem(database, keyring, card, mac=MAC, where=where, now=NOON, chance=chance)
        assert opened == Denial(DenialReason.TOP_UP_OF_NOBODY)
    assert states(database) == {VoucherState.NEW: 1}
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(accounts_table)) == 1, "Siti's own"


@pytest.mark.parametrize("logged_in_as", [None, "somebody who was removed"])
def test_card_tops_up_the_guest_that_the_phone_was(
    database: Database,
    keyring: Keyring,
    siti: Account,
    *,
    card: str,
    gusung: Where,
    logged_in_as: str | None,
    chance: Chance,
) -> None:
    with database.write() as connection:
        accounts.add(
            connection, "guestguestguestg", AccountKind.GUEST, plan_id=siti.policy.plan.id, guest_mac=MAC, now=NOON
        )
    if logged_in_as is not None:
        log_in(database, siti, chance)
        with database.write() as connection:
            accounts.change(connection, siti.id, {"removed_at": NOON})
    for _ in range(2):  # a double tap
        opened = redeem(database, keyring, card, mac=MAC, where=gusung, now=NOON + 2 * DAY, chance=chance)
        assert isinstance(opened, Account)
        assert opened.id == "guestguestguestg"
        assert left_in(opened.top_ups, NOON + 2 * DAY) == 100 * MB


def test_card_tops_up_whose_password_was_typed_before_whom_the_phone_was(
    database: Database, keyring: Keyring, siti: Account, *, card: str, gusung: Where, chance: Chance
) -> None:
    budi = add_user(database, keyring, "budi", password=None, now=NOON, chance=chance).account
    log_in(database, siti, chance)
    opened = redeem(database, keyring, card, mac=MAC, where=gusung, proven=budi.id, now=NOON, chance=chance)
    assert isinstance(opened, Account)
    assert opened.id == budi.id


def test_card_that_has_opened_a_plan_before_goes_on_to_open_it(
    database: Database, keyring: Keyring, siti: Account, *, card: str, gusung: Where, chance: Chance
) -> None:
    with database.write() as connection:
        accounts.add(connection, "cardcardcardcard", AccountKind.VOUCHER, plan_id=siti.policy.plan.id, now=NOON)
        connection.execute(update(vouchers_table).values(state="used", account_id="cardcardcardcard"))
        devices.note(connection, "cardcardcardcard", MAC, at=NOON)
    again = redeem(database, keyring, card, mac=MAC, where=gusung, now=NOON, chance=chance)
    assert isinstance(again, Account)
    assert again.id == "cardcardcardcard"


@pytest.mark.parametrize("known", [True, False], ids=["who is there", "who is not"])
def test_card_that_is_no_good_any_more_says_so(
    database: Database, keyring: Keyring, siti: Account, *, card: str, gusung: Where, known: bool, chance: Chance
) -> None:
    if known:
        log_in(database, siti, chance)
    (batch,) = list_batches(database)
    revoke_batch(database, batch.batch.id, zone=WITA, now=NOON, chance=chance)
    revoked = Denial(DenialReason.VOUCHER_REVOKED)
    assert redeem(database, keyring, card, mac=MAC, where=gusung, now=NOON, chance=chance) == revoked
    assert top_up_by_code(database, keyring, card, siti.id, zone=WITA, now=NOON, chance=chance) == revoked


def test_plan_that_adds_nothing_makes_no_cards(
    database: Database, keyring: Keyring, siti: Account, chance: Chance
) -> None:
    add_plan(database, "Kosong", now=NOON, chance=chance, daily_octets=1)
    with pytest.raises(Invalid):
        create_batch(database, keyring, plan="Kosong", count=1, top_up=True, now=NOON, chance=chance)


# ---- the rule


quotas = st.lists(
    st.builds(
        Quota,
        st.sampled_from(Period),
        st.integers(1, 1_000),
        st.sampled_from([Measure.BOTH, Measure.DOWN, Measure.UP]),
    ),
    max_size=4,
)


@given(quotas, st.integers(0, 2_000), st.integers(0, 2_000), st.integers(0, 2_000))
def test_what_is_drawn_is_within_balance_and_use_and_leaves_nothing_beyond_unless_the_balance_is_used_up(
    some: list[Quota], up: int, down: int, balance: int
) -> None:
    today = local_day(NOON, WITA)
    tallies = tuple({quota.tally for quota in some})
    drawn = draw(some, usage_from_days({today: Used(up, down)}, today, tallies, 1), balance)
    assert 0 <= drawn.down + drawn.up <= drawn.octets <= balance
    assert drawn.octets <= up + down
    net = {Measure.BOTH: up + down - drawn.octets, Measure.DOWN: down - drawn.down, Measure.UP: up - drawn.up}
    if drawn.octets < balance:
        assert all(net[quota.measure] <= quota.amount for quota in some)


def test_what_ends_first_is_used_first() -> None:
    later, soon, never = TopUp("a", 10, NOON + 2 * DAY), TopUp("b", 10, NOON + DAY), TopUp("c", 10)
    gone = TopUp("d", 10, NOON)
    assert take_from([never, later, gone, soon], 25, NOON) == {"b": 10, "a": 10, "c": 5}
    assert left_in([never, later, gone, soon], NOON) == 30
    assert draw([], usage_from_days({}, NOON.date(), (), 1), 5) == Drawn()
