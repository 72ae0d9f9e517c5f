"""What is stored is what was known, in every field."""

import zlib
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from app.db.snapshot import AccountFacts
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.local_time import WITA
from app.domain.nases import Demand, Direction, Family, Nas, NasSecrets, Site
from app.domain.overlays import Overlay, Override
from app.domain.plans import Plan
from app.domain.policies import Rules
from app.domain.quotas import Action, Measure, Period, Quota, QuotaOverride, Tally, Then
from app.domain.resume import ResumeGrant
from app.domain.schedules import Window
from app.domain.service_classes import ServiceClass
from app.domain.spending import Usage
from app.domain.top_ups import TopUp
from app.domain.users import AccountKind, Credential, CredentialKind
from app.node.accounts import Accounts
from app.node.journal.segment import Position
from app.node.learned import Lesson
from app.node.nases import NasTable, known_nas
from app.node.octets import NOWHERE, Octets, Place
from app.node.sessions import Presence
from app.node.stored.contents import LAYOUT, ROWS, Contents, UnknownContentsError, decode, encode, read_counts
from radius.backend import Demand as WireDemand
from tests.factories import MAC, NOON

LATER = NOON + timedelta(days=3, microseconds=1)
WINDOW = Window("malam", (4, 5), 1_320, 300, True, True, (("down_bps", None), ("up_bps", 1_000)), "libur", "ujian")
PLAN = Plan(
    "plan",
    "Warga “A”",
    4_000_000,
    2_000_000,
    (Quota(Period.DAY, 10**9, then=Then(Action.THROTTLE, 1_000_000, None)), Quota(Period.TOTAL, 1)),
    3,
    4,
    5,
    6,
    7,
    ServiceClass.PUBLIC_SERVICE,
    8_000_000,
    9_000_000,
    10,
    11,
    "tamu",
    "pulau",
    (WINDOW,),
    Then(Action.GARDEN),
    "layanan",
)
BARE_PLAN = Plan("bare", "Tamu")
OVERRIDE = QuotaOverride(Quota(Period.MONTH, 9), "rapat", "admin", LATER)
OWN_VALUE = Override("service_class", ServiceClass.OFFICE, "piket", "admin", LATER)
AT_SITE = Overlay(
    (
        Override("down_bps", 1_000_000, "satelit", "admin"),
        Override("vlan", None, "satelit", "admin"),
        Override("used_up", Then(Action.THROTTLE, None, 256_000), "satelit", "admin"),
    ),
    windows=(WINDOW,),
)
SITE = Site("site", "Gusung", 60_000_000, "bare", 61)
NAS = Nas(
    "nas",
    "gusung-1",
    "site",
    Family.COOVACHILLI,
    ip_network("10.1.0.0/16"),
    "chilli",
    "10.1.0.1:3990",
    Demand.YES,
    Demand.NO,
    True,
    Direction.CLIENT,
    3800,
    "gusung.lan",
    False,
    True,
    True,
    False,
)
SECRETS = NasSecrets("rahasia-router", "", "rahasia-mac", "rahasia-lama", LATER)
KNOWN = known_nas(NAS, SITE, SECRETS, now=NOON, accounts=False, deaf=True)
USER = AccountFacts(
    "user",
    AccountKind.USER,
    "plan",
    7,
    True,
    LATER,
    NOON,
    "site",
    "budi",
    Credential(CredentialKind.ENCRYPTED, bytes(range(256))),
    31,
    86_400,
    (TopUp("topup", 5, LATER), TopUp("other", 6)),
)
GUEST = AccountFacts("guest", AccountKind.GUEST, "bare", 1, False, None, None, None, None, None)
NO_PASSWORD = USER._replace(id="siti", username="siti", credential=None)
HERE = Presence("user", "acceptance", "nas", "scope", "\udcff81a0", "name", 1_795_000_000.25, None)
CEILING = Ceiling("user", MAC, CeilingSource.GOVERNOR, 512_000, None, LATER, "antre", "governor")
TALLIES = (Tally(Period.DAY, Measure.BOTH), Tally(Period.BILLING, Measure.TIME))
USAGE = Usage(NOON.date(), TALLIES, (1, 2**60), 1_795_000_000)
OCTETS = Octets(
    "user",
    1_795_000_000,
    5,
    6,
    1_795_000_030,
    2**40,
    2**41,
    1_795_000_060,
    1_795_000_120,
    739_000,
    7,
    8,
    Place(3, 4096),
)


def full() -> Contents:
    return Contents(
        Accounts(
            Rules(
                {"plan": PLAN, "bare": BARE_PLAN},
                {"site": {"": AT_SITE, "bare": Overlay((OWN_VALUE,))}},
                {"libur": frozenset({NOON.date()})},
                WITA,
            ),
            [USER, GUEST, NO_PASSWORD],
            {"user": Overlay((OWN_VALUE,), (OVERRIDE,))},
            now=NOON,
        ),
        {
            MAC: (ResumeGrant(MAC, "user", "site", LATER), ResumeGrant(MAC, "guest", None, NOON)),
            "02:aa:00:00:00:02": (ResumeGrant("02:aa:00:00:00:02", "user", None, LATER),),
        },
        NasTable([KNOWN]),
        {"user": (CEILING, CEILING._replace(mac="", source=CeilingSource.PERSON, down_bps=None, up_bps=1_000))},
        TALLIES,
        {"user": USAGE},
        {MAC: HERE},
        {("nas", "scope", "81a0", MAC, "acceptance"): OCTETS},
        [Lesson("nas", WireDemand.YES, kept=False), Lesson("other", WireDemand.NO, kept=True)],
        Position(3, "ab" * 16, 128),
        Place(3, 5000),
    )


def described(contents: Contents) -> dict[str, Any]:
    accounts = contents.accounts
    everything = {field.name: getattr(contents, field.name) for field in fields(contents)}
    everything["accounts"] = [accounts.facts(account_id) for account_id in accounts.ids]
    everything["policies"] = [accounts.get(account_id, NOON) for account_id in accounts.ids]
    everything["at_site"] = [accounts.get(account_id, NOON, site_id="site") for account_id in accounts.ids]
    everything["plans"], everything["own"] = accounts.rules.plans, accounts.own
    everything["sites"] = accounts.rules.sites
    everything["calendars"], everything["zone"] = accounts.rules.calendars, accounts.rules.zone
    everything["names"] = {name: accounts.id_of(name) for name in ("budi", "siti")}
    everything["nases"] = contents.nases.by_id
    return everything


def test_everything_comes_back() -> None:
    contents = full()
    assert described(decode(list(encode(contents)), now=NOON)) == described(contents)


@pytest.mark.parametrize(
    "thing",
    [PLAN, WINDOW, OVERRIDE, OWN_VALUE, SITE, NAS, SECRETS, KNOWN, OCTETS, USAGE],
    ids=lambda thing: type(thing).__name__,
)
def test_the_examples_leave_no_field_at_its_default(thing: Any) -> None:
    """So that a field that is new and not stored fails the test above."""
    defaults = getattr(thing, "_field_defaults", None) or {field.name: field.default for field in fields(thing)}
    assert [name for name, default in defaults.items() if getattr(thing, name) == default] == []


@pytest.mark.parametrize("count", [0, 1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS])
def test_any_number_of_rows_comes_back(count: int) -> None:
    contents = replace(full(), usage={f"user-{n}": Usage(NOON.date(), TALLIES, (n, n)) for n in range(count)})
    parts = list(encode(contents))
    assert decode(parts, now=NOON).usage == contents.usage
    assert read_counts(parts[0])["usage"] == count


def test_a_journal_that_was_never_merged_comes_back() -> None:
    contents = replace(full(), merged=None, seen=NOWHERE)
    read = decode(list(encode(contents)), now=NOON)
    assert (read.merged, read.seen) == (None, NOWHERE)


def test_a_place_that_is_only_reserved_is_left_to_the_journal() -> None:
    contents = replace(full(), devices={MAC: replace(HERE, reserved_until=1_795_000_090.0)})
    assert decode(list(encode(contents)), now=NOON).devices == {}


def test_an_old_secret_that_has_ended_meanwhile_is_left_out() -> None:
    (known,) = decode(list(encode(full())), now=LATER).nases.by_id.values()
    assert known.wire.secrets == (b"rahasia-router",)
    assert known.old_secret_until is None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda parts: parts[:-1], id="a part too few"),
        pytest.param(lambda parts: [*parts, parts[-1]], id="a part too many"),
        pytest.param(lambda parts: [parts[0], *parts[2:], parts[1]], id="another order"),
        pytest.param(lambda parts: [b"?", *parts[1:]], id="not compressed"),
        pytest.param(lambda parts: [zlib.compress(b"[]"), *parts[1:]], id="no counts"),
        pytest.param(lambda parts: [zlib.compress(f'{{"layout":{LAYOUT},"rows":{{}}}}'.encode())], id="kinds missing"),
    ],
)
def test_what_does_not_fit_together_is_not_read(change: Callable[[list[bytes]], list[bytes]]) -> None:
    with pytest.raises(UnknownContentsError):
        decode(change(list(encode(full()))), now=NOON)


def test_rows_of_another_layout_are_not_read() -> None:
    first, *rest = encode(full())
    other = zlib.decompress(first).replace(str(LAYOUT).encode(), b"1")
    with pytest.raises(UnknownContentsError, match="rows of another version"):
        decode([zlib.compress(other), *rest], now=NOON)


def test_a_kind_of_account_of_a_newer_version_is_not_read() -> None:
    parts = [zlib.decompress(part).replace(b'"guest","guest"', b'"guest","kiosk"') for part in encode(full())]
    with pytest.raises(UnknownContentsError, match="kiosk"):
        decode([zlib.compress(part) for part in parts], now=NOON)
