"""What `explain` says is what the node answers, attribute for attribute, for any plan, site, person, hour and family."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.db.engine import Database
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.local_time import WITA
from app.domain.nases import Family
from app.domain.schedules import Window
from app.nas.answers import accept_attributes
from app.services import overrides, plans, quotas, windows
from app.services.ceilings import set_ceilings
from app.services.explain import Explanation, explain
from app.services.keyring import Keyring
from app.services.overrides import OverrideValues, Why
from app.services.plans import PlanValues
from radius.messages import Accept
from tests.factories import by_tally
from tests.node.city import City, Node

EVERY = tuple(range(7))
M = 1_000_000
Start = Callable[[City], Node]

RATES = st.none() | st.sampled_from([512_000, 2 * M, 4 * M])
PLANS = st.fixed_dictionaries(
    {},
    optional={
        "down_bps": RATES,
        "up_bps": RATES,
        "daily_octets": st.none() | st.sampled_from([1, 500 * M]),
        "session_seconds": st.none() | st.sampled_from([3_600, 28_800]),
        "idle_seconds": st.none() | st.just(600),
        "interim_seconds": st.none() | st.sampled_from([60, 300]),
        "vlan": st.none() | st.just(20),
        "filter_id": st.none() | st.just("warga"),
        "address_list": st.none() | st.just("pulau"),
    },
)
LAID_OVER = st.fixed_dictionaries(
    {}, optional={"down_bps": RATES, "interim_seconds": st.just(600), "filter_id": st.just("pulau"), "vlan": st.none()}
)
OWN = st.fixed_dictionaries({}, optional={"up_bps": RATES, "filter_id": st.just("piket"), "schedule": st.none()})
HOURS = st.lists(
    st.builds(
        Window,
        st.sampled_from(["pagi", "siang"]),
        st.just(EVERY),
        st.sampled_from([11 * 60, 13 * 60]),
        st.sampled_from([12 * 60 + 30, 15 * 60]),
        st.just(False),
        st.booleans(),
        st.just((("down_bps", 1 * M),)),
    ),
    max_size=2,
    unique_by=lambda window: window.name,
)


def asked(node: Node, nas_id: str) -> list[tuple[str, str]] | None:
    """Return the limits that the node's Accept carries; None if it refuses."""
    answer = node.ask(node.request("budi", "rahasia-123", nas_id=nas_id, session=""))
    if not isinstance(answer, Accept):
        return None
    return list(node.snapshot.nases.by_id[nas_id].profile.attributes(answer.authorization))


def said(found: Explanation) -> list[tuple[str, str]] | None:
    """Return the limits that the explanation says; None if it says no."""
    if found.granted is None or found.nas is None:
        return None
    return list(accept_attributes(found.nas, found.granted))


def without_interim(attributes: list[tuple[str, str]] | None) -> list[tuple[str, str]] | None:
    return None if attributes is None else [each for each in attributes if each[0] != "Acct-Interim-Interval"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    given_to=st.tuples(PLANS, LAID_OVER, OWN, HOURS),
    family=st.sampled_from([Family.MIKROTIK, Family.COOVACHILLI, Family.HOSTAPD, Family.MERAKI]),
    later=st.integers(0, 30),
)
def test_explanation_is_what_the_router_gets(
    explained_city: tuple[City, Node, dict[Family, str]],
    given_to: tuple[PlanValues, OverrideValues, OverrideValues, list[Window]],
    family: Family,
    later: int,
) -> None:
    city, node, names = explained_city
    plan, at_site, own, hours = given_to
    city.time.pass_by(86_400 - (city.time.at.hour - 4) * 3_600 + later * 3_600)
    circumstances, why = city.circumstances, Why("uji", "admin")
    blank: PlanValues = {
        "down_bps": None, "up_bps": None, "daily_octets": None, "session_seconds": None, "idle_seconds": None,
        "interim_seconds": None, "vlan": None, "filter_id": None, "address_list": None,
    }  # fmt: skip
    plans.set_plan(city.database, "Warga", now=city.time.at, chance=city.chance, **_joined(blank, plan))
    for window in plans.show_plan(city.database, "Warga").windows:
        windows.remove_plan_window(city.database, "Warga", window.name, **circumstances)
    for window in hours:
        windows.set_plan_window(city.database, "Warga", window, **circumstances)
    for values in overrides.values_at_site(city.database, "Gusung").values():
        fields = [one.field for one in values.overrides]
        overrides.clear_at_site(city.database, "Gusung", fields, plan=None, **circumstances)
    if at_site:
        overrides.set_at_site(city.database, "Gusung", at_site, why, plan=None, **circumstances)
    mine = [one.field for one in overrides.own_values(city.database, "budi", now=city.time.at).overrides]
    if mine:
        overrides.clear_own(city.database, "budi", mine, **circumstances)
    if own:
        overrides.set_own(city.database, "budi", own, why, **circumstances)
    node.learn()
    city.time.at = city.time.at.replace(microsecond=0)
    found = explain(city.database, "budi", nas=names[family], at=city.time.at, now=city.time.at, zone=WITA)
    nas_id = "" if found.nas is None else found.nas.id
    assert without_interim(said(found)) == without_interim(asked(node, nas_id))


@pytest.fixture
def explained_city(sqlite_database: Database, keyring: Keyring, start: Start) -> tuple[City, Node, dict[Family, str]]:
    city = City(sqlite_database, keyring)
    city.add_user("budi")
    names = {Family.MIKROTIK: "gusung-1"}
    for number, family in enumerate((Family.COOVACHILLI, Family.HOSTAPD, Family.MERAKI), start=2):
        names[family] = f"gusung-{number}"
        city.add_nas(names[family], family=family, address=f"127.0.0.{number}")
    return city, start(city), names


def test_ceilings_and_own_quotas_are_in_what_is_explained(city: City, start: Start) -> None:
    account = city.add_user("budi")
    until = city.time.at + timedelta(hours=1)
    overrides.set_own(city.database, "budi", {"up_bps": 1 * M}, Why("ujian", "admin", until), **city.circumstances)
    daily = plans.show_plan(city.database, "Warga").quotas[0]
    quotas.change_quotas(
        city.database, "budi", by_tally(type(daily)(daily.period, 7 * M)), reason="ujian", author="admin", until=until,
        **city.circumstances,
    )  # fmt: skip
    set_ceilings_of(city, account.id)
    node = start(city)
    found = explain(city.database, "budi", nas="gusung-1", at=city.time.at, now=city.time.at, zone=WITA)
    assert without_interim(said(found)) == without_interim(asked(node, city.nas.id))
    assert [one.down_bps for one in found.ceilings] == [512_000]
    assert [(one.effective.quota.amount, one.effective.reason, one.effective.until) for one in found.quotas] == [
        (7 * M, "ujian", until)
    ]
    assert found.changes_at == until
    assert found.granted is not None
    assert (found.granted.down_bps, found.granted.up_bps) == (512_000, 1 * M)


def _joined(blank: PlanValues, plan: PlanValues) -> PlanValues:
    joined = blank.copy()
    joined.update(plan)
    return joined


def set_ceilings_of(city: City, account_id: str) -> None:
    until = city.time.at + timedelta(hours=2)
    held = Ceiling(account_id, "", CeilingSource.PERSON, 512_000, None, until, "antre", "admin")
    set_ceilings(city.database, [held], now=city.time.at, chance=city.chance)
