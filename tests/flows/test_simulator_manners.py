"""Simulated routers take changes as their families do: what each needs, refuses, resets, and how it answers."""

import asyncio
from collections.abc import Mapping
from time import monotonic

import pytest

from app.simulator.coa import answer_to
from app.simulator.router import Router, RouterSettings
from app.simulator.sessions import Limits, Session
from radius.attributes import Attributes
from radius.client_engine import ClientEngine, Reply
from radius.messages import CoaRequest, DisconnectRequest
from radius.signatures import prepared
from tests.factories import MAC

SECRET = b"a-shared-secret-of-gusung"
NAME: dict[str, str | int] = {"User-Name": "siti"}
SESSION: dict[str, str | int] = {"Acct-Session-Id": "80100001"}
WHEN: dict[str, str | int] = {"Event-Timestamp": 1_795_000_000}
SLOW = {"WISPr-Bandwidth-Max-Down": 512_000}
TIME = {"Session-Timeout": 600}

Said = Mapping[str, str | int]
Answer = tuple[str, str | None] | None


def router_settings(family: str) -> RouterSettings:
    return RouterSettings(
        name="gusung-1",
        address="127.0.0.1",
        radius_secret=SECRET,
        mac_secret="",
        auth=("127.0.0.1", 1),
        acct=("127.0.0.1", 1),
        pages={},
        garden=frozenset(),
        family=family,
    )


def router_of(family: str) -> Router:
    router = Router(router_settings(family), clock=monotonic, chance=bytes)
    limits = Limits(down_bps=4_000_000, up_bps=2_000_000, total_octets=1_000_000)
    router.sessions[MAC] = Session("80100001", MAC, "10.5.50.2", "siti", (), limits, monotonic() - 100)
    return router


def ask(router: Router, identity: Said, changes: Said | None = None, *, sign: bool = True) -> Answer:
    """Return the answer's code and Error-Cause; None is silence."""
    named = Attributes(identity.items())
    query = DisconnectRequest(named) if changes is None else CoaRequest(named, Attributes(changes.items()))
    engine = ClientEngine(SECRET, sign=sign)
    asked = engine.ask(query, now=0.0, chance=bytes(32))

    async def answered() -> bytes | None:  # the router reports in the background
        return answer_to(asked.datagram, router, prepared(SECRET))

    answer = asyncio.run(answered())
    if answer is None:
        return None
    reply = engine.receive(answer)
    assert isinstance(reply, Reply), reply
    return reply.code.name, reply.attributes.word("Error-Cause")


@pytest.mark.parametrize(
    ("family", "identity", "changes", "sign", "answer"),
    [
        pytest.param("coovachilli", SESSION, None, True, None, id="chilli says nothing without the name"),
        pytest.param("coovachilli", NAME | {"Acct-Session-Id": "x"}, None, True, ("DISCONNECT_NAK", None), id="bare"),
        pytest.param("coovachilli", NAME | SESSION | WHEN, SLOW, True, ("COA_ACK", None), id="chilli takes a rate"),
        pytest.param("uspot", NAME, TIME, False, ("COA_ACK", None), id="uspot takes a time"),
        pytest.param("uspot", NAME, SLOW, False, ("COA_NAK", "Unsupported-Attribute"), id="uspot takes no rate"),
        pytest.param("uspot", NAME | WHEN, TIME, False, ("COA_NAK", "Unsupported-Attribute"), id="uspot and time"),
        pytest.param("uspot", NAME, TIME, True, ("COA_NAK", "Unsupported-Attribute"), id="uspot and a signature"),
        pytest.param("hostapd", SESSION | WHEN, None, True, ("DISCONNECT_ACK", None), id="hostapd ends"),
        pytest.param("hostapd", SESSION, TIME, True, ("COA_NAK", "Unsupported-Attribute"), id="hostapd changes not"),
        pytest.param(
            "hostapd",
            SESSION | {"Framed-IP-Address": "10.5.50.2"},
            None,
            True,
            ("DISCONNECT_NAK", "Unsupported-Attribute"),
            id="hostapd refuses what it does not know",
        ),
        pytest.param("strongswan", SESSION, None, True, ("DISCONNECT_NAK", None), id="strongswan wants the name"),
        pytest.param("strongswan", NAME | SESSION, TIME, True, ("COA_ACK", None), id="strongswan takes a time"),
        pytest.param("strongswan", NAME, {"Idle-Timeout": 5}, True, ("COA_NAK", None), id="strongswan and no other"),
    ],
)
def test_answer_is_that_of_the_family(
    family: str, identity: Said, changes: Said | None, sign: bool, answer: Answer
) -> None:
    assert ask(router_of(family), identity, changes, sign=sign) == answer


def test_chilli_lifts_what_a_change_leaves_out() -> None:
    router = router_of("coovachilli")
    ask(router, NAME, SLOW)
    assert router.sessions[MAC].limits == Limits(down_bps=512_000)


def test_strongswan_counts_the_time_from_the_change_and_others_from_the_start() -> None:
    for family, least in (("strongswan", 690), ("uspot", 600)):
        router = router_of(family)
        ask(router, NAME, TIME, sign=family != "uspot")
        seconds = router.sessions[MAC].limits.session_seconds
        assert seconds is not None
        assert least <= seconds < least + 30
