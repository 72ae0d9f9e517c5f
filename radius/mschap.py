"""The arithmetic of MS-CHAPv2 (RFC 2759 section 8) and of its MPPE keys (RFC 3079 section 3). No I/O, no chance here.

MD4 is written out because OpenSSL 3 no longer offers it by itself; DES is Triple DES with one key thrice.
"""

from hashlib import sha1
from struct import pack, unpack
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

CHALLENGE_LENGTH: Final = 16

_SIGNING: Final = b"Magic server to client signing constant"
_ITERATION: Final = b"Pad to make it do more than one iteration"
_MASTER_KEY: Final = b"This is the MPPE Master Key"
_SERVER_SENDS: Final = b"On the client side, this is the receive key; on the server side, it is the send key."
_SERVER_RECEIVES: Final = b"On the client side, this is the send key; on the server side, it is the receive key."
_KEY_LENGTH: Final = 16  # RFC 3079 section 3.3: 128 bits


def nt_hash(password: str) -> bytes:
    """Return the MD4 of the password in UTF-16, little end first (NtPasswordHash)."""
    return md4(password.encode("utf-16-le", "surrogatepass"))


def challenge_hash(peer_challenge: bytes, challenge: bytes, user_name: bytes) -> bytes:
    """Return the 8 octets that are really answered (ChallengeHash); `user_name` is without its domain."""
    return sha1(peer_challenge + challenge + user_name).digest()[:8]


def nt_response(hashed_challenge: bytes, password_hash: bytes) -> bytes:
    """Return the 24 octets that prove the password (ChallengeResponse)."""
    keys = password_hash.ljust(21, b"\0")
    return b"".join([_des(keys[at : at + 7], hashed_challenge) for at in (0, 7, 14)])


def authenticator_response(password_hash: bytes, response: bytes, hashed_challenge: bytes) -> bytes:
    """Return `S=` and 40 digits by which we prove that we know the password too (GenerateAuthenticatorResponse)."""
    inner = sha1(md4(password_hash) + response + _SIGNING).digest()
    return b"S=" + sha1(inner + hashed_challenge + _ITERATION).hexdigest().upper().encode()


def session_keys(password_hash: bytes, response: bytes) -> tuple[bytes, bytes]:
    """Return the keys with which the router sends and receives (GetMasterKey, GetAsymmetricStartKey)."""
    master = sha1(md4(password_hash) + response + _MASTER_KEY).digest()[:_KEY_LENGTH]
    return _start_key(master, _SERVER_SENDS), _start_key(master, _SERVER_RECEIVES)


def _start_key(master: bytes, direction: bytes) -> bytes:
    return sha1(master + b"\0" * 40 + direction + b"\xf2" * 40).digest()[:_KEY_LENGTH]


def _des(key: bytes, block: bytes) -> bytes:
    """Encrypt 8 octets under 7: each 7 bits of the key get a parity bit, which DES ignores (RFC 2759 section 8.6)."""
    bits = int.from_bytes(key)
    spread = bytes([(bits >> shift & 0x7F) << 1 for shift in range(49, -1, -7)])
    # One block under a key of its own: what RFC 2759 asks for, so there is no choice of algorithm or of mode.
    return Cipher(TripleDES(spread * 3), modes.ECB()).encryptor().update(block)  # noqa: S305  # see above


def md4(message: bytes) -> bytes:
    """Return the MD4 of the message (RFC 1320 section 3)."""
    padded = message + b"\x80" + b"\0" * (-(len(message) + 9) % 64) + pack("<Q", len(message) * 8 % 2**64)
    state = _MD4_START
    for at in range(0, len(padded), 64):
        state = _md4_block(state, unpack("<16I", padded[at : at + 64]))
    return pack("<4I", *state)


_State = tuple[int, int, int, int]
_MD4_START: Final[_State] = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
# The order in which each round takes the sixteen words, and by how much it rotates.
_ROUND_1: Final = [(word, (3, 7, 11, 19)[word % 4]) for word in range(16)]
_ROUND_2: Final = [(step % 4 * 4 + step // 4, (3, 5, 9, 13)[step % 4]) for step in range(16)]
_ROUND_3: Final = [
    (word, (3, 9, 11, 15)[step % 4]) for step, word in enumerate((0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15))
]


def _md4_block(state: _State, words: tuple[int, ...]) -> _State:
    a, b, c, d = state
    for word, by in _ROUND_1:
        turned = (a + (b & c | ~b & d) + words[word]) & 0xFFFFFFFF
        a, b, c, d = d, (turned << by | turned >> 32 - by) & 0xFFFFFFFF, b, c
    for word, by in _ROUND_2:
        turned = (a + (b & c | b & d | c & d) + words[word] + 0x5A827999) & 0xFFFFFFFF
        a, b, c, d = d, (turned << by | turned >> 32 - by) & 0xFFFFFFFF, b, c
    for word, by in _ROUND_3:
        turned = (a + (b ^ c ^ d) + words[word] + 0x6ED9EBA1) & 0xFFFFFFFF
        a, b, c, d = d, (turned << by | turned >> 32 - by) & 0xFFFFFFFF, b, c
    return (
        (a + state[0]) & 0xFFFFFFFF,
        (b + state[1]) & 0xFFFFFFFF,
        (c + state[2]) & 0xFFFFFFFF,
        (d + state[3]) & 0xFFFFFFFF,
    )
