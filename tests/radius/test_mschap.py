"""The arithmetic of MS-CHAPv2 against the examples of its RFCs."""

import pytest

from radius.mschap import authenticator_response, challenge_hash, md4, nt_hash, nt_response, session_keys

# RFC 2759 section 9.2, RFC 3079 section 3.5.3
USER_NAME, PASSWORD = b"User", "clientPass"
CHALLENGE = bytes.fromhex("5B5D7C7D7B3F2F3E3C2C602132262628")
PEER_CHALLENGE = bytes.fromhex("21402324255E262A28295F2B3A337C7E")
HASHED_CHALLENGE = bytes.fromhex("D02E4386BCE91226")
PASSWORD_HASH = bytes.fromhex("44EBBA8D5312B8D611474411F56989AE")
RESPONSE = bytes.fromhex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF")


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        (b"a", "bde52cb31de33e46245e05fbdbd6fb24"),
        (b"abc", "a448017aaf21d8525fc10ae87aa6729d"),
        (b"message digest", "d9130a8164549fe818874806e1c7014b"),
        (b"abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"),
        (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "043f8582f241db351ce627e153e7f0e4"),
        (b"1234567890" * 8, "e33b4ddc9c38f2199c3e7b164fcc0536"),
    ],
)
def test_rfc1320_a_5_md4(message: bytes, digest: str) -> None:
    assert md4(message).hex() == digest


# Of Debian's `openssl dgst -provider legacy -md4` (3.0): the lengths around which the padding takes another block.
@pytest.mark.parametrize(
    ("length", "digest"),
    [
        (55, "92f32bb82c95ad10e8f87ae58ab06807"),
        (56, "374d5f08103b7092c83b4626ebceffab"),
        (63, "2870452596e98fffd48332289b3472b9"),
        (64, "b1abf956a5ae6f3221e5fe85e300fbb0"),
        (119, "b55ae15e41e55643b0c3daad5e05c905"),
        (120, "d8f9adfc41ec43552619606c70cfd287"),
    ],
)
def test_md4_pads_to_whole_blocks(length: int, digest: str) -> None:
    assert md4(b"x" * length).hex() == digest


def test_rfc2759_9_2_password_hash() -> None:
    assert nt_hash(PASSWORD) == PASSWORD_HASH
    assert md4(PASSWORD_HASH).hex().upper() == "41C00C584BD2D91C4017A2A12FA59F3F"


def test_rfc2759_9_2_challenge_hash() -> None:
    assert challenge_hash(PEER_CHALLENGE, CHALLENGE, USER_NAME) == HASHED_CHALLENGE


def test_rfc2759_9_2_nt_response() -> None:
    assert nt_response(HASHED_CHALLENGE, PASSWORD_HASH) == RESPONSE


def test_rfc2759_9_2_authenticator_response() -> None:
    proof = authenticator_response(PASSWORD_HASH, RESPONSE, HASHED_CHALLENGE)
    assert proof == b"S=407A5589115FD0D6209F510FE9C04566932CDA56"


def test_rfc3079_3_5_3_the_server_sends_with_the_128_bit_start_key() -> None:
    send, receive = session_keys(PASSWORD_HASH, RESPONSE)
    assert send.hex().upper() == "8B7CDC149B993A1BA118CB153F56DCCB"
    assert receive.hex().upper() == "D5F0E9521E3EA9589645E86051C82226"


def test_password_beyond_the_basic_plane_is_a_pair_of_surrogates() -> None:
    assert nt_hash("\N{PALM TREE}") == md4(b"\x3c\xd8\x34\xdf")
