import hashlib
import hmac

import pytest

from radius import Code
from radius.signatures import (
    ZEROS,
    SharedSecret,
    hide_password,
    prepared,
    reveal_password,
    sign_access_request,
    sign_accounting_request,
    sign_reply,
    verify_accounting,
    verify_message,
    verify_reply,
)

SECRET = prepared(b"a shared secret of 32 octets, ok")
AUTHENTICATOR = bytes(range(16))


@pytest.mark.parametrize("length", [1, 16, 32, 63, 64, 65, 200])
def test_a1_17_hmac_is_that_of_the_standard_library_for_any_secret(length: int) -> None:
    key = b"k" * length
    assert prepared(key).hmac_md5(b"message") == hmac.digest(key, b"message", "md5")


def test_a1_17_empty_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        SharedSecret(b"")


def test_secret_is_never_shown() -> None:
    assert "shared" not in repr(SECRET)


def test_a2_07_reply_begins_with_message_authenticator() -> None:
    reply = sign_reply(SECRET, Code.ACCESS_ACCEPT, 7, AUTHENTICATOR, b"\x01\x03x")
    assert reply[20:22] == b"\x50\x12"
    assert verify_message(SECRET, reply, 22, AUTHENTICATOR)
    assert verify_reply(SECRET, reply, AUTHENTICATOR)


def test_a4_01_response_authenticator_is_the_md5_of_the_rfc() -> None:
    reply = sign_reply(SECRET, Code.ACCESS_ACCEPT, 7, AUTHENTICATOR, b"")
    assert reply[4:20] == hashlib.md5(reply[:4] + AUTHENTICATOR + reply[20:] + SECRET.octets).digest()


def test_one_changed_octet_breaks_a_reply() -> None:
    reply = bytearray(sign_reply(SECRET, Code.ACCESS_REJECT, 7, AUTHENTICATOR, b"\x01\x03x"))
    reply[0] = Code.ACCESS_ACCEPT
    assert not verify_reply(SECRET, bytes(reply), AUTHENTICATOR)
    assert not verify_message(SECRET, bytes(reply), 22, AUTHENTICATOR)


def test_access_request_is_signed_over_its_own_authenticator() -> None:
    request = sign_access_request(SECRET, Code.ACCESS_REQUEST, 7, AUTHENTICATOR, b"\x01\x03x")
    assert request[4:20] == AUTHENTICATOR
    assert verify_message(SECRET, request, 22)
    assert not verify_message(prepared(b"another"), request, 22)


@pytest.mark.parametrize("message", [True, False])
def test_a6_01_accounting_request_is_signed_over_zeros(message: bool) -> None:
    request = sign_accounting_request(SECRET, Code.ACCOUNTING_REQUEST, 7, b"\x01\x03x", message=message)
    assert verify_accounting(SECRET, request)
    assert not verify_accounting(prepared(b"another"), request)
    assert not message or verify_message(SECRET, request, 22, ZEROS)


@pytest.mark.parametrize(
    ("password", "octets"),
    [
        pytest.param(b"", 16, id="empty"),
        pytest.param(b"x", 16, id="one"),
        pytest.param(b"x" * 15, 16, id="fifteen"),
        pytest.param(b"x" * 16, 16, id="sixteen"),
        pytest.param(b"x" * 17, 32, id="seventeen"),
        pytest.param(b"x" * 128, 128, id="the longest"),
        pytest.param(b"in\0side", 16, id="a NUL inside"),
    ],
)
def test_a3_01_password_survives_hiding(password: bytes, octets: int) -> None:
    hidden = hide_password(SECRET, AUTHENTICATOR, password)
    assert len(hidden) == octets
    assert reveal_password(SECRET, AUTHENTICATOR, hidden) == password


@pytest.mark.parametrize("length", [1, 15, 17, 31, 129, 144, 253])
def test_a3_01_hidden_password_of_another_length_is_none(length: int) -> None:
    assert reveal_password(SECRET, AUTHENTICATOR, b"x" * length) is None


def test_a3_01_longer_password_is_not_hidden() -> None:
    with pytest.raises(ValueError, match="129"):
        hide_password(SECRET, AUTHENTICATOR, b"x" * 129)
