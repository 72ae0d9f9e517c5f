"""Tickets: one-time names and passwords that any router carries unharmed."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.keys import base32
from app.domain.tickets import (
    NONCE_OCTETS,
    TicketKind,
    TicketName,
    account_id_in,
    issue,
    new_nonce,
    password_of,
    read_name,
)
from tests.factories import MAC

IDS = st.binary(min_size=10, max_size=10).map(base32)
NAMES = st.builds(
    TicketName,
    account_id=IDS,
    kind=st.sampled_from(TicketKind),
    expires_at=st.integers(0, 2**35 - 1).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    nonce=st.binary(min_size=NONCE_OCTETS, max_size=NONCE_OCTETS).map(new_nonce),
    account_version=st.integers(0, 2**60),
)
NAME = TicketName("userauserauserau", TicketKind.FREE, datetime(2026, 11, 24, tzinfo=UTC), "abcdefgh", 3)
KEY = b"k" * 32


@given(NAMES)
def test_name_is_read_as_it_was_written(name: TicketName) -> None:
    ticket = issue(name, key=KEY, binding=MAC)
    assert read_name(ticket.name) == name
    assert account_id_in(ticket.name) == name.account_id


@given(NAMES)
def test_name_and_password_pass_through_every_router(name: TicketName) -> None:
    ticket = issue(name, key=KEY, binding=MAC)
    assert len(ticket.name) <= 63
    assert set(ticket.name) <= set("abcdefghijklmnopqrstuvwxyz234567~")
    assert len(ticket.password) == 26
    assert set(ticket.password) <= set("abcdefghijklmnopqrstuvwxyz234567")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(issue(NAME, key=b"x" * 32, binding=MAC), id="another NAS's key"),
        pytest.param(issue(NAME, key=KEY, binding="02:aa:00:00:00:02"), id="another device"),
        pytest.param(issue(replace(NAME, nonce="abcdefga"), key=KEY, binding=MAC), id="another nonce"),
        pytest.param(issue(replace(NAME, account_version=4), key=KEY, binding=MAC), id="another version"),
        pytest.param(issue(replace(NAME, kind=TicketKind.PASSWORD), key=KEY, binding=MAC), id="another kind"),
    ],
)
def test_password_opens_its_own_ticket_only(other: object) -> None:
    ticket = issue(NAME, key=KEY, binding=MAC)
    assert password_of(ticket.name, key=KEY, binding=MAC) == ticket.password
    assert getattr(other, "password", None) != ticket.password


@pytest.mark.parametrize(
    "name",
    ["", "~", "siti", "userauserauserau", "userauserauserau~", "userauserauserau~faaaaaaaabcdefgh",
     "USERAUSERAUSERAU~faaaaaaaabcdefghd", "userauserauserau~xaaaaaaaabcdefghd", "userauserauserau~faaaaaa1abcdefghd",
     "userauserauserau~faaaaaaaabcdefg!d", "userauserauserau~faaaaaaaabcdefghD", "user~faaaaaaaabcdefghd",
     "userauserauserau~faaaaaaaabcdefgh" + "a" * 31],
)  # fmt: skip
def test_what_is_no_ticket_is_none(name: str) -> None:
    assert read_name(name) is None


@given(st.text(max_size=80))
def test_any_name_is_read_without_an_error(name: str) -> None:
    read_name(name)
    account_id_in(name)
