"""What a device proves itself with; each credential answers `matches(password)`. No I/O here.

MS-CHAP and EAP are not spoken: `server_engine` refuses such requests as their RFCs ask.
"""

from dataclasses import dataclass
from hashlib import md5
from hmac import compare_digest


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


Credential = PapPassword | ChapResponse


def _chap(identifier: int, password: str | bytes, challenge: bytes) -> bytes:
    return md5(bytes((identifier,)) + _octets(password) + challenge).digest()


def _octets(password: str | bytes) -> bytes:
    return password.encode() if isinstance(password, str) else password
