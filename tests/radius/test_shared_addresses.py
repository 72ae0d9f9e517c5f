"""Several NASes behind one address, and several secrets of one NAS."""

import pytest

from radius import DropReason, PapPassword
from radius.server_engine import PendingAccess
from radius.signatures import prepared, verify_reply
from tests.radius.engines import ACCEPT, ACCT, AUTH, make_chap_query, make_engine, pending, pending_accounting
from tests.radius.support import NOW, NOW_AT, OTHER_SECRET, SECRET, make_accounting, make_datagram, make_nas, make_query

NAMED = make_nas("named", identifier="gusung")
OTHER = make_nas("other", secrets=(OTHER_SECRET,), identifier="barrang")
ANY = make_nas("any", secrets=(b"a third secret of 32 octets.....",))


@pytest.mark.parametrize(
    ("identifier", "secret", "expected"),
    [
        pytest.param("gusung", SECRET, "named", id="by identifier"),
        pytest.param("barrang", OTHER_SECRET, "other", id="by the other identifier"),
        pytest.param("gusung", OTHER_SECRET, DropReason.BAD_MESSAGE_AUTHENTICATOR, id="secret of another"),
        pytest.param("samalona", ANY.secrets[0], "any", id="unknown identifier goes to the one that takes any"),
        pytest.param(None, OTHER_SECRET, "other", id="no identifier: by the secret"),
        pytest.param(None, b"a secret of nobody", DropReason.BAD_MESSAGE_AUTHENTICATOR, id="a secret of nobody"),
    ],
)
def test_signed_request_behind_a_shared_address(
    identifier: str | None, secret: bytes, expected: str | DropReason
) -> None:
    query = make_query() if identifier is None else make_query(NAS_Identifier=identifier)
    received = make_engine(NAMED, OTHER, ANY).receive(make_datagram(query, secret=secret), AUTH)
    assert (received if isinstance(received, DropReason) else pending(received).request.nas_id) == expected


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        pytest.param("gusung", "named", id="by identifier"),
        pytest.param("samalona", DropReason.NAS_MISMATCH, id="unknown identifier"),
        pytest.param(None, DropReason.NAS_MISMATCH, id="no identifier"),
    ],
)
def test_unsigned_request_behind_a_shared_address(identifier: str | None, expected: str | DropReason) -> None:
    query = make_query() if identifier is None else make_query(NAS_Identifier=identifier)
    received = make_engine(NAMED, OTHER).receive(make_datagram(query, sign=False), AUTH)
    assert (received if isinstance(received, DropReason) else pending(received).request.nas_id) == expected


def test_a1_16_only_nas_of_an_address_may_call_itself_otherwise_and_it_is_counted() -> None:
    engine = make_engine(NAMED)
    assert isinstance(engine.receive(make_datagram(make_query(NAS_Identifier="samalona")), AUTH), PendingAccess)
    assert engine.counters.by_nas["named"].identifier_mismatches == 1


def test_accounting_behind_a_shared_address_is_told_by_its_secret() -> None:
    received = make_engine(NAMED, OTHER).receive(make_datagram(make_accounting(), secret=OTHER_SECRET), ACCT)
    assert pending_accounting(received).record.nas_id == "other"


ROTATING = make_nas(secrets=(SECRET, OTHER_SECRET))


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET], ids=["newest", "older"])
def test_reply_is_signed_by_the_secret_of_the_request(secret: bytes) -> None:
    engine = make_engine(ROTATING)
    datagram = make_datagram(make_query(), secret=secret)
    waiting = pending(engine.receive(datagram, AUTH))
    assert waiting.request.credential == PapPassword(b"rahasia")
    reply = engine.reply(waiting, ACCEPT, NOW)
    assert verify_reply(prepared(secret), reply, datagram[4:20])


def test_last_use_of_the_older_secret_is_reported() -> None:
    engine = make_engine(ROTATING)
    engine.receive(make_datagram(make_accounting(), secret=SECRET), ACCT)
    assert engine.counters.by_nas["nas"].older_secret_last_used_at is None
    engine.receive(make_datagram(make_accounting(), secret=OTHER_SECRET), ACCT)
    assert engine.counters.by_nas["nas"].older_secret_last_used_at == NOW_AT


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET], ids=["newest", "older"])
def test_unsigned_pap_tells_its_secret_by_a_password_that_is_text(secret: bytes) -> None:
    received = make_engine(ROTATING).receive(make_datagram(make_query(), secret=secret, sign=False), AUTH)
    assert pending(received).secret.octets == secret


def test_unsigned_chap_takes_the_secret_last_proved_else_the_newest() -> None:
    engine = make_engine(ROTATING)
    first = engine.receive(make_datagram(make_chap_query(), sign=False, chance=b"1" * 32), AUTH)
    assert pending(first).secret.octets == SECRET
    engine.receive(make_datagram(make_accounting(), secret=OTHER_SECRET), ACCT)
    then = engine.receive(make_datagram(make_chap_query(), sign=False, chance=b"2" * 32), AUTH)
    assert pending(then).secret.octets == OTHER_SECRET


def test_nas_without_a_secret_cannot_be_made() -> None:
    for secrets in ((), (b"",), (SECRET, b"")):
        with pytest.raises(ValueError, match="secret"):
            make_nas(secrets=secrets)
