import hashlib

import pytest

from radius import ChapResponse, Credential, PapPassword

CHALLENGE = b"sixteen octets.."
CHAP = ChapResponse.answering(CHALLENGE, 7, "rahasia")


@pytest.mark.parametrize("credential", [PapPassword(b"rahasia"), CHAP], ids=["pap", "chap"])
def test_credential_matches_its_password_only(credential: Credential) -> None:
    assert credential.matches("rahasia")
    assert credential.matches(b"rahasia")
    assert not credential.matches("Rahasia")
    assert not credential.matches("")


@pytest.mark.parametrize("credential", [PapPassword(b"rahasia"), CHAP], ids=["pap", "chap"])
def test_a10_04_credential_is_never_shown(credential: Credential) -> None:
    assert "rahasia" not in repr(credential)
    assert CHALLENGE.decode() not in repr(credential)


def test_a3_02_chap_is_the_md5_of_identifier_password_and_challenge() -> None:
    assert CHAP.response == hashlib.md5(b"\x07rahasia" + CHALLENGE).digest()


def test_password_beyond_ascii_is_utf8() -> None:
    assert PapPassword("kata·sandi".encode()).matches("kata·sandi")
