"""What a device proves itself with; each credential answers `matches(password)`. No I/O here.

MS-CHAPv1 and EAP are not spoken: `server_engine` refuses such requests as their RFCs ask.
"""

from dataclasses import dataclass
from hashlib import md5
from hmac import compare_digest

from radius.mschap import authenticator_response, challenge_hash, nt_hash, nt_response, session_keys


@dataclass(frozen=True, slots=True, repr=False)
class PapPassword:
    """A password in clear, as it was before the router hid it (RFC 2865 section 5.2)."""

    password: bytes

    def matches(self, password: str | bytes) -> bool:
        """Tell whether this is the password, in constant time."""
        return compare_digest(self.password, _octets(password))

    def __repr__(self) -> str:
        return "PapPassword(***)"


@dataclass(frozen=True, slots=True, repr=False)
class ChapResponse:
    """The answer to a CHAP challenge (RFC 2865 section 5.3, RFC 1994 section 4.1)."""

    identifier: int
    response: bytes
    challenge: bytes

    @classmethod
    def answering(cls, challenge: bytes, identifier: int, password: str | bytes) -> "ChapResponse":
        """Make the response that a router sends for `password`."""
        return cls(identifier, _chap(identifier, password, challenge), challenge)

    def matches(self, password: str | bytes) -> bool:
        """Tell whether the response was made with this password, in constant time."""
        return compare_digest(self.response, _chap(self.identifier, password, self.challenge))

    def __repr__(self) -> str:
        return "ChapResponse(***)"


@dataclass(frozen=True, slots=True, repr=False)
class MsChapV2Success:
    """By what we prove that we know the password as well (RFC 2759 section 5), and the keys for MPPE (RFC 3079).

    The router encrypts what it sends under `send_key`.
    """

    identifier: int
    proof: bytes
    send_key: bytes
    receive_key: bytes

    def __repr__(self) -> str:
        return "MsChapV2Success(***)"


@dataclass(frozen=True, slots=True, repr=False)
class MsChapV2Response:
    """The answer to an MS-CHAPv2 challenge, and a challenge to us (RFC 2759 section 4, RFC 2548 section 2.3.2).

    `user_name` is as it was sent, without a Windows domain before it: `name_in_domain`.
    """

    identifier: int
    response: bytes
    challenge: bytes
    peer_challenge: bytes
    user_name: bytes

    @classmethod
    def answering(
        cls, challenge: bytes, identifier: int, user_name: bytes, password: str | bytes, *, peer_challenge: bytes
    ) -> "MsChapV2Response":
        """Make the response that a device sends for `password`."""
        name = name_in_domain(user_name)
        response = nt_response(challenge_hash(peer_challenge, challenge, name), nt_hash(_text(password)))
        return cls(identifier, response, challenge, peer_challenge, name)

    def matches(self, password: str | bytes) -> bool:
        """Tell whether the response was made with this password, in constant time."""
        return compare_digest(self.response, nt_response(self._hashed_challenge(), nt_hash(_text(password))))

    def success(self, password: str | bytes) -> MsChapV2Success:
        """Return what the device must be shown; `password` is the one that matched."""
        password_hash = nt_hash(_text(password))
        proof = authenticator_response(password_hash, self.response, self._hashed_challenge())
        return MsChapV2Success(self.identifier, proof, *session_keys(password_hash, self.response))

    def _hashed_challenge(self) -> bytes:
        return challenge_hash(self.peer_challenge, self.challenge, self.user_name)

    def __repr__(self) -> str:
        return "MsChapV2Response(***)"


Credential = PapPassword | ChapResponse | MsChapV2Response


def name_in_domain(user_name: bytes) -> bytes:
    r"""Return the user name of `DOMAIN\user` (RFC 2759 section 4); one without a domain is returned as it is."""
    return user_name.partition(b"\\")[2] if b"\\" in user_name else user_name


def _chap(identifier: int, password: str | bytes, challenge: bytes) -> bytes:
    return md5(bytes((identifier,)) + _octets(password) + challenge).digest()


def _octets(password: str | bytes) -> bytes:
    return password.encode() if isinstance(password, str) else password


def _text(password: str | bytes) -> str:
    return password if isinstance(password, str) else password.decode(errors="surrogateescape")
