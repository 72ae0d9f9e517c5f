"""What an Access-Request is decided by, and what its Accept carries."""

from datetime import timedelta

import pytest

from app.db import hints
from app.domain.acceptances import Acceptance, read_class
from app.domain.access import DenialReason
from app.domain.hints import HintKind
from app.domain.nases import Family
from app.domain.quotas import Action, Measure, Period, Quota, Tally, Then
from app.domain.reports import Method
from app.domain.schedules import Window
from app.node.journal.records import Verdict
from app.node.stored.contents import decode, encode
from app.services import calendars, overrides, plans, quotas, sites, users, windows
from app.services.overrides import Why
from radius.codes import StatusType
from radius.messages import Accept, Answer
from tests.factories import MAC, by_tally
from tests.node.answers import OTHER_MAC, Start, accepted, refused
from tests.node.city import City, Said


def test_suspended_account_is_refused(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    users.suspend_user(city.database, "budi", suspended=True, **city.circumstances)
    node.learn()
    assert refused(node, node.ask(node.request("budi", "rahasia-123"))) is DenialReason.SUSPENDED


def test_octets_reported_here_count_before_they_are_merged(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    accept = accepted(node.ask(node.request("budi", "rahasia-123")))
    used: Said = {"Acct_Session_Id": "81a00001", "Calling_Station_Id": MAC, "Class": accept.class_value}
    record = node.report(StatusType.INTERIM_UPDATE, Acct_Input_Octets=300_000, Acct_Output_Octets=100_000, **used)
    assert node.backend.account([record]) == [True]
    assert accepted(node.ask(node.request("budi", "rahasia-123"))).authorization.total_octets == 600_000
    record = node.report(StatusType.STOP, Acct_Input_Octets=600_000, Acct_Output_Octets=400_000, **used)
    assert node.backend.account([record]) == [True]
    answer = node.ask(node.request("budi", "rahasia-123", session="81a00002"))
    assert refused(node, answer) is DenialReason.QUOTA_EXHAUSTED


# A6.18
def test_remaining_octets_are_divided_among_open_devices(city: City, start: Start) -> None:
    city.add_user("budi")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, daily_octets=5_000_000)
    node = start(city)
    assert accepted(node.ask(node.request("budi", "rahasia-123"))).authorization.total_octets == 5_000_000
    second = node.ask(node.request("budi", "rahasia-123", mac=OTHER_MAC, session="81a00002"))
    assert accepted(second).authorization.total_octets == 2_500_000


def test_last_megabyte_is_not_divided(city: City, start: Start) -> None:
    city.add_user("budi")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, daily_octets=900_000)
    node = start(city)
    for mac, session in ((MAC, "81a00001"), (OTHER_MAC, "81a00002")):
        answer = node.ask(node.request("budi", "rahasia-123", mac=mac, session=session))
        assert accepted(answer).authorization.total_octets == 900_000


# A6.17
def test_device_limit_counts_devices_that_are_about_to_be_online_for_90_seconds(city: City, start: Start) -> None:
    city.add_user("budi")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, device_limit=1)
    node = start(city)
    accepted(node.ask(node.request("budi", "rahasia-123")))
    other = {"mac": OTHER_MAC, "session": "81a00002"}
    assert refused(node, node.ask(node.request("budi", "rahasia-123", **other))) is DenialReason.DEVICE_LIMIT
    accepted(node.ask(node.request("budi", "rahasia-123", session="81a00003")))  # the same device again
    city.time.pass_by(89.9)
    assert refused(node, node.ask(node.request("budi", "rahasia-123", **other))) is DenialReason.DEVICE_LIMIT
    city.time.pass_by(0.1)
    accepted(node.ask(node.request("budi", "rahasia-123", **other)))


def test_session_that_has_stopped_holds_no_place(city: City, start: Start) -> None:
    city.add_user("budi")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, device_limit=1)
    node = start(city)
    accept = accepted(node.ask(node.request("budi", "rahasia-123")))
    said: Said = {"Acct_Session_Id": "81a00001", "Calling_Station_Id": MAC, "Class": accept.class_value}
    node.backend.account([node.report(StatusType.START, **said)])
    city.time.pass_by(3600)
    other = {"mac": OTHER_MAC, "session": "81a00002"}
    assert refused(node, node.ask(node.request("budi", "rahasia-123", **other))) is DenialReason.DEVICE_LIMIT
    node.backend.account([node.report(StatusType.STOP, **said)])
    accepted(node.ask(node.request("budi", "rahasia-123", **other)))


def test_restart_of_the_nas_empties_it(city: City, start: Start) -> None:
    city.add_user("budi")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, device_limit=1)
    node = start(city)
    accept = accepted(node.ask(node.request("budi", "rahasia-123", NAS_Identifier="gusung-1")))
    said: Said = {"NAS_Identifier": "gusung-1", "Acct_Session_Id": "81a00001", "Calling_Station_Id": MAC}
    node.backend.account([node.report(StatusType.START, Class=accept.class_value, **said)])
    city.time.pass_by(600)
    node.backend.account([node.report(StatusType.ACCOUNTING_ON, NAS_Identifier="another")])
    other = {"mac": OTHER_MAC, "session": "81a00002"}
    assert refused(node, node.ask(node.request("budi", "rahasia-123", **other))) is DenialReason.DEVICE_LIMIT
    node.backend.account([node.report(StatusType.ACCOUNTING_ON, NAS_Identifier="gusung-1")])
    accepted(node.ask(node.request("budi", "rahasia-123", **other)))


# A6.04
def test_reauthentication_of_an_open_session_repeats_its_class_and_interim(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    first = accepted(node.ask(node.request("budi", "rahasia-123")))
    said: Said = {"Acct_Session_Id": "81a00001", "Calling_Station_Id": MAC, "Class": first.class_value}
    node.backend.account([node.report(StatusType.START, **said)])
    city.time.pass_by(3600)
    again = accepted(node.ask(node.request("budi", "rahasia-123")))
    assert again.class_value == first.class_value
    assert again.authorization.interim_seconds == first.authorization.interim_seconds
    other = accepted(node.ask(node.request("budi", "rahasia-123", session="81a00002")))
    assert other.class_value != first.class_value


# A6.17
def test_mac_that_logs_in_with_another_account_frees_the_first(city: City, start: Start) -> None:
    city.add_user("budi")
    city.add_user("siti")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, device_limit=1)
    node = start(city)
    accepted(node.ask(node.request("budi", "rahasia-123")))
    accepted(node.ask(node.request("siti", "rahasia-123", session="81a00002")))
    accepted(node.ask(node.request("budi", "rahasia-123", mac=OTHER_MAC, session="81a00003")))


# A4.08
def test_interim_interval_is_jittered_and_never_below_a_minute(city: City, start: Start) -> None:
    city.add_user("budi")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, interim_seconds=300)
    node = start(city)
    seen = {
        accepted(node.ask(node.request("budi", "rahasia-123", session=f"{n}"))).authorization.interim_seconds
        for n in range(60)
    }
    assert len(seen) > 10
    assert min(s for s in seen if s is not None) >= 270
    assert max(s for s in seen if s is not None) <= 330
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, interim_seconds=None)
    node.learn()
    assert all(
        (accepted(node.ask(node.request("budi", "rahasia-123", session=f"x{n}"))).authorization.interim_seconds or 0)
        >= 60
        for n in range(30)
    )


def test_family_that_accounts_by_the_accepts_name_is_told_the_account(city: City, start: Start) -> None:
    account = city.add_user("budi")
    hostapd = city.add_nas("hostapd-1", family=Family.HOSTAPD, address="127.0.0.7")
    node = start(city)
    accept = accepted(node.ask(node.request("budi", "rahasia-123", nas_id=hostapd.id)))
    assert accept.user_name in (account.id, None)
    assert (accept.user_name is not None) == node.snapshot.nases.by_id[hostapd.id].profile.accounts_by_accept_name


def test_verdict_says_who_where_what_and_which_limits(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    accept = accepted(node.ask(node.request("budi", "rahasia-123")))
    acceptance = read_class(accept.class_value, key=city.keyring.class_key, nas_id=city.nas.id)
    assert isinstance(acceptance, Acceptance)
    (verdict,) = node.verdicts()
    assert verdict == Verdict(
        at=city.time.at.timestamp(),
        nas_id=city.nas.id,
        method=Method.PASSWORD,
        accepted=True,
        reason="",
        mac=MAC,
        account_id=account.id,
        acceptance_id=acceptance.id,
        acct_session_id="81a00001",
        user_name="budi",
        limits=verdict.limits,
    )
    assert (verdict.limits.down_bps, verdict.limits.octets) == (4_000_000, 1_000_000)


def test_accept_carries_bursts_vlan_filter_and_address_list_and_so_does_its_verdict(city: City, start: Start) -> None:
    city.add_user("budi")
    plans.set_plan(
        city.database,
        "Warga",
        now=city.time.at,
        chance=city.chance,
        down_burst_bps=8_000_000,
        up_burst_bps=6_000_000,
        burst_seconds=8,
        vlan=20,
        filter_id="warga",
        address_list="pulau",
    )
    node = start(city)
    told = accepted(node.ask(node.request("budi", "rahasia-123"))).authorization
    assert (told.down_burst_bps, told.up_burst_bps, told.burst_seconds) == (8_000_000, 6_000_000, 8)
    assert (told.vlan, told.filter_id, told.address_list) == (20, "warga", "pulau")
    attributes = node.known.profile.attributes(told)
    assert attributes.text("Mikrotik-Rate-Limit") == "2000000/4000000 6000000/8000000 2000000/4000000 8/8"
    (verdict,) = node.verdicts()
    assert verdict.limits[6:12] == (8_000_000, 6_000_000, 8, 20, "warga", "pulau")


def test_site_and_own_values_decide_what_is_granted_and_end_by_the_clock(city: City, start: Start) -> None:
    city.add_user("budi")
    other_site = sites.add_site(city.database, "Melahing", now=city.time.at, chance=city.chance)
    melahing = city.add_nas("melahing-1", address="127.0.0.2", site=other_site.name)
    node = start(city)

    def rate(nas_id: str) -> int | None:
        return accepted(node.ask(node.request("budi", "rahasia-123", nas_id=nas_id))).authorization.down_bps

    why = Why("satelit penuh", "admin", city.time.at + timedelta(hours=1))
    overrides.set_at_site(city.database, "Gusung", {"down_bps": 1_000_000}, why, plan=None, **city.circumstances)
    node.learn()
    assert (rate(city.nas.id), rate(melahing.id)) == (1_000_000, 4_000_000)
    own = Why("ujian", "admin", city.time.at + timedelta(minutes=1))
    overrides.set_own(city.database, "budi", {"down_bps": 8_000_000}, own, **city.circumstances)
    node.learn()
    assert (rate(city.nas.id), rate(melahing.id)) == (8_000_000, 8_000_000)
    city.time.pass_by(60)
    assert (rate(city.nas.id), rate(melahing.id)) == (1_000_000, 4_000_000)
    city.time.pass_by(3_600)
    assert (rate(city.nas.id), rate(melahing.id)) == (4_000_000, 4_000_000)


def test_hours_decide_by_the_clock_alone(city: City, start: Start) -> None:
    city.add_user("budi")
    busy = Window("ramai", tuple(range(7)), 13 * 60, 14 * 60, rates=(("down_bps", 1_000_000),))
    closed = Window("tutup", tuple(range(7)), 14 * 60, 15 * 60, closed=True)
    for window in (busy, closed):
        windows.set_plan_window(city.database, "Warga", window, **city.circumstances)
    node = start(city)

    def ask() -> Answer:
        return node.ask(node.request("budi", "rahasia-123"))

    told = accepted(ask()).authorization
    assert (told.down_bps, told.session_timeout_seconds) == (4_000_000, 2 * 3_600)
    city.time.pass_by(3_599)
    assert accepted(ask()).authorization.down_bps == 4_000_000
    city.time.pass_by(1)
    told = accepted(ask()).authorization
    assert (told.down_bps, told.session_timeout_seconds) == (1_000_000, 3_600)
    city.time.pass_by(3_600)
    assert refused(node, ask()) is DenialReason.CLOSED
    city.time.pass_by(3_600)
    told = accepted(ask()).authorization
    assert (told.down_bps, told.session_timeout_seconds) == (4_000_000, 23 * 3_600)
    city.time.at -= timedelta(hours=1)  # a clock that is set back
    assert refused(node, ask()) is DenialReason.CLOSED


def test_snapshot_of_the_disk_knows_the_hours(city: City, start: Start) -> None:
    city.add_user("budi")
    closed = Window("tutup", tuple(range(7)), 14 * 60, 15 * 60, closed=True, not_on="libur")
    calendar = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261125\nEND:VEVENT\nEND:VCALENDAR"
    calendars.import_calendar(city.database, "libur", calendar, **city.circumstances)
    windows.set_plan_window(city.database, "Warga", closed, **city.circumstances)
    before = start(city)
    stored = decode(list(encode(before.snapshot.contents(before.snapshot.seen))), now=city.time.at)
    for hours, is_closed in ((2, True), (26, False), (50, True)):
        now = city.time.at + timedelta(hours=hours)
        account_id = stored.accounts.id_of("budi")
        assert account_id is not None
        account = stored.accounts.get(account_id, now)
        assert account is not None
        assert (account.policy.phase.closed is not None) == is_closed


# A6.18
def test_account_that_ends_soon_gets_what_is_left(city: City, start: Start) -> None:
    city.add_user("budi")
    ends_at = city.time.at + timedelta(seconds=600)
    users.set_user(city.database, "budi", valid_until=ends_at, **city.circumstances)
    node = start(city)
    assert accepted(node.ask(node.request("budi", "rahasia-123"))).authorization.session_timeout_seconds == 600


def test_one_bad_request_spoils_no_other(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    good = node.request("budi", "rahasia-123")
    removed = node.request("budi", "rahasia-123", nas_id="nosuchnasnosuchn")
    hostile = node.request("~" * 60, "x")
    answers = node.backend.authorize([removed, hostile, good])
    assert answers[0] is None
    assert isinstance(answers[2], Accept)


@pytest.mark.parametrize(
    ("of_plan", "granted"),
    [
        pytest.param(None, 600, id="no limit"),
        pytest.param(3600, 600, id="a longer one"),
        pytest.param(60, 60, id="a shorter one"),
    ],
)
def test_a6_21_session_of_a_nas_that_does_not_account_is_short(
    city: City, start: Start, of_plan: int | None, granted: int
) -> None:
    city.add_user("budi")
    plans.set_plan(city.database, "Warga", chance=city.chance, session_seconds=of_plan, now=city.time.at)
    with city.database.write() as connection:
        hints.add(connection, [hints.Notice(city.nas.id, HintKind.NO_ACCOUNTING, "5 5", 1)], now=city.time.at)
    node = start(city)
    accept = node.ask(node.request("budi", "rahasia-123"))
    assert isinstance(accept, Accept)
    assert accept.authorization.session_timeout_seconds == granted


@pytest.mark.parametrize(
    ("deaf", "octets"), [(False, None), (True, 500_000)], ids=["a router that is told", "one that cannot be"]
)
def test_router_that_cannot_be_told_gets_the_octets_until_the_next_step(
    city: City, start: Start, deaf: bool, octets: int | None
) -> None:
    step = Quota(Period.DAY, 500_000, then=Then(Action.THROTTLE, 256_000, 128_000))
    plans.set_plan(city.database, "Warga", quotas={step.tally: (step,)}, now=city.time.at, chance=city.chance)
    city.add_user("budi")
    if deaf:
        with city.database.write() as connection:
            notice = hints.Notice(city.nas.id, HintKind.COA_SILENT, "", 1)
            hints.add(connection, [notice], now=city.time.at)
    node = start(city)
    told = accepted(node.ask(node.request("budi", "rahasia-123"))).authorization
    assert (told.total_octets, told.down_bps) == (octets, 4_000_000)


def test_quotas_of_one_direction_and_of_time_reach_the_router(city: City, start: Start) -> None:
    own = (Quota(Period.WEEK, 300_000, Measure.DOWN), Quota(Period.WEEK, 100_000, Measure.UP))
    city.add_user("budi")
    quotas.change_quotas(
        city.database, "budi", by_tally(*own, Quota(Period.DAY, 1_800, Measure.TIME)),
        reason="rapat", author="admin", **city.circumstances,
    )  # fmt: skip
    node = start(city)
    told = accepted(node.ask(node.request("budi", "rahasia-123"))).authorization
    assert (told.total_octets, told.down_octets, told.up_octets) == (1_000_000, 300_000, 100_000)
    assert told.session_timeout_seconds == 1_800


def test_own_reports_count_by_direction_and_time_until_they_are_merged(city: City, start: Start) -> None:
    account = city.add_user("budi")
    tallies = [Quota(Period.DAY, 10**9, measure) for measure in Measure]
    quotas.change_quotas(
        city.database, "budi", by_tally(*tallies), reason="rapat", author="admin", **city.circumstances
    )
    node = start(city)
    accept = accepted(node.ask(node.request("budi", "rahasia-123")))
    city.time.pass_by(60)
    report = node.report(
        StatusType.INTERIM_UPDATE,
        Acct_Session_Id="81a00001",
        Calling_Station_Id=MAC,
        Class=accept.class_value,
        Acct_Input_Octets=1_000,
        Acct_Output_Octets=20_000,
        Acct_Session_Time=60,
    )
    node.backend.account([report])
    usage = node.snapshot.usage_of(account, city.time.at)
    assert [usage.used(Tally(Period.DAY, measure)) for measure in Measure] == [21_000, 20_000, 1_000, 60]


def test_own_reports_of_a_free_hour_count_for_no_quota(city: City, start: Start) -> None:
    """The database is away: nothing is merged, from 12.00 to 13.10; it is free from 12.30 to 13.00."""
    account = city.add_user("budi")
    window = Window("siang", tuple(range(7)), 12 * 60 + 30, 13 * 60, free=True)
    windows.set_plan_window(city.database, "Warga", window, **city.circumstances)
    node = start(city)
    accept = accepted(node.ask(node.request("budi", "rahasia-123")))
    city.time.pass_by(70 * 60)
    report = node.report(
        StatusType.INTERIM_UPDATE,
        Acct_Session_Id="81a00001",
        Calling_Station_Id=MAC,
        Class=accept.class_value,
        Acct_Output_Octets=700_000,
        Acct_Session_Time=70 * 60,
    )
    node.backend.account([report])
    known = node.snapshot.accounts.get(account.id, city.time.at, site_id=city.site.id)
    assert known is not None
    used = node.snapshot.usage_of(known, city.time.at).used(Tally(Period.DAY, Measure.BOTH))
    assert used == pytest.approx(400_000, abs=200)
