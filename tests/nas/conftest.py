"""Secrets, a login and the portal as every family test sees them."""

import pytest

from app.domain.access import Grant
from app.domain.nases import NasSecrets
from app.domain.tickets import Ticket
from app.nas.handoff import Login

RETURN_URL = "http://portal.lab:8080/status?t=abc&x=1"


@pytest.fixture
def secrets() -> NasSecrets:
    return NasSecrets(radius="radius-secret", portal="0123456789abcdefghijklmnopqrstuv", mac="mac-secret")


@pytest.fixture
def login() -> Login:
    return Login(
        ticket=Ticket("useraccountaaaaa~f2345672abcdefghb", "ticketpasswordticketpasswo"),
        grant=Grant(4_000_000, 2_000_000, 500_000_000, 3_600, 900, 60),
        account_id="useraccountaaaaa",
        acceptance_id="00112233aabbccdd",
        return_url=RETURN_URL,
    )
