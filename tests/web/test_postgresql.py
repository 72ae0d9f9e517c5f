"""The portal on PostgreSQL, where even reads leave the event loop: one resident's way through it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.engine import Database
from app.domain.acceptances import Acceptance, class_value
from app.domain.keys import Chance
from app.services import nases, resume
from app.services.keyring import Keyring
from tests.factories import MAC
from tests.web.city import NAS, City, Clock, build_city, status_token, words


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


def test_phone_that_came_back_by_itself_is_shown_what_is_left(city: City) -> None:
    account = city.account_of(city.let_in(city.post()))
    nas = nases.show_nas(city.database, NAS)
    city.report(account, 188_000_000, session="80000777")
    proof = class_value(Acceptance("0000000080000777", account), key=city.keyring.class_key, nas_id=nas.id).decode()
    answer = city.client.get(city.splash_url(page="status", **{"class": proof}))
    assert "312 MB tersisa" in words(city.client.get(answer.headers["location"])).replace("\xa0", " ")
    known = resume.device_of_session(city.database, nas.id, MAC, "80000777")
    assert known is not None
    assert (known.account_id, known.mac) == (account, MAC)
    assert resume.device_of_session(city.database, nas.id, MAC, "80000778") is None
