"""The portal on PostgreSQL, where even reads leave the event loop: one resident's way through it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.engine import Database
from app.domain.keys import Chance
from app.services.keyring import Keyring
from tests.web.city import City, Clock, build_city, status_token, words


@pytest.fixture
def city(postgresql_database: Database, keyring: Keyring, chance: Chance, tmp_path: Path) -> Iterator[City]:
    built = build_city(postgresql_database, keyring, Clock(), chance, tmp_path)
    with built.client:
        yield built


def test_resident_logs_in_sees_what_is_left_and_logs_out(city: City) -> None:
    answer = city.let_in(city.post())
    city.report(city.account_of(answer), 188_000_000)
    token = status_token(answer)
    assert "312 MB tersisa" in words(city.client.get("/status", params={"t": token})).replace("\xa0", " ")
    assert city.client.post("/logout", data={"t": token}).status_code == 303


def test_resident_is_refused_with_the_reason(city: City) -> None:
    assert "Kode voucher tidak dikenal." in words(city.post("voucher", code="ABCDEFGH2"))
