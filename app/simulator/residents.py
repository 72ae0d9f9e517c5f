"""Who lives where, how they come online, and what they use: a small model, the same for the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

_KB: Final = 1_000
_MB: Final = 1_000_000


class Way(StrEnum):
    """How a person logs in; the word is the portal's own (field `way` of its forms)."""

    TAP = "free"
    VOUCHER = "voucher"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Habit:
    """What somebody does online: every `pause_seconds` or so they fetch `least` to `most` octets and send a share."""

    name: str
    pause_seconds: float
    least: int
    most: int
    up_share: float

    def demand(self, seconds: float, chance: Random) -> tuple[int, int]:
        """Return the octets (up, down) that are wanted in the next `seconds`."""
        if chance.random() >= seconds / self.pause_seconds:
            return 2 * _KB, 2 * _KB  # a phone in use is never quite silent
        down = chance.randint(self.least, self.most)
        return int(down * self.up_share) + _KB, down


READING: Final = Habit("reading", 6.0, 300 * _KB, 1_500 * _KB, 0.05)
CHATTING: Final = Habit("chatting", 2.0, 5 * _KB, 120 * _KB, 0.8)
WATCHING: Final = Habit("watching", 4.0, 700 * _KB, 1_400 * _KB, 0.02)
DOWNLOADING: Final = Habit("downloading", 1.0, 2 * _MB, 4 * _MB, 0.02)


@dataclass(frozen=True, slots=True)
class Resident:
    """One person with one phone. `place` is the name of the router they live at."""

    name: str
    place: str
    way: Way
    habit: Habit


@dataclass(frozen=True, slots=True)
class Pass:
    """What a person holds to log in with: nothing for a tap, a code, or a user name and a password."""

    code: str = ""
    username: str = ""
    password: str = ""


# Names as they are heard in Bontang's stilt villages (Bugis, Bajau, Mandar, Kutai, Java) and in its offices.
_PEOPLE: Final = (
    ("gusung", "Andi Baso", Way.TAP, WATCHING),
    ("gusung", "Sitti Rahmah", Way.TAP, CHATTING),
    ("gusung", "Daeng Mattola", Way.VOUCHER, READING),
    ("gusung", "Nurhayati", Way.TAP, READING),
    ("gusung", "Amiruddin", Way.ACCOUNT, CHATTING),
    ("gusung", "Fitriani", Way.VOUCHER, WATCHING),
    ("gusung", "Rusdi", Way.TAP, DOWNLOADING),
    ("melahing", "Hasnah", Way.TAP, CHATTING),
    ("melahing", "Sudirman", Way.TAP, READING),
    ("melahing", "Jumriah", Way.VOUCHER, CHATTING),
    ("melahing", "Baharuddin", Way.TAP, WATCHING),
    ("melahing", "Nasrullah", Way.ACCOUNT, READING),
    ("melahing", "Suryani", Way.TAP, CHATTING),
    ("melahing", "Muh. Arsyad", Way.VOUCHER, DOWNLOADING),
    ("tihi-tihi", "Dahlia", Way.TAP, READING),
    ("tihi-tihi", "Syamsul Bahri", Way.TAP, CHATTING),
    ("tihi-tihi", "Hj. Ramlah", Way.ACCOUNT, CHATTING),
    ("tihi-tihi", "Irwansyah", Way.TAP, WATCHING),
    ("tihi-tihi", "Mariati", Way.VOUCHER, READING),
    ("tihi-tihi", "La Ode Safar", Way.TAP, CHATTING),
    ("lok-tunggul", "Rosmini", Way.TAP, CHATTING),
    ("lok-tunggul", "Sahabuddin", Way.VOUCHER, READING),
    ("lok-tunggul", "Nur Aisyah", Way.TAP, WATCHING),
    ("lok-tunggul", "Ambo Tuwo", Way.TAP, READING),
    ("lok-tunggul", "Herlina", Way.ACCOUNT, CHATTING),
    ("diskominfo", "Dwi Lestari", Way.ACCOUNT, READING),
    ("diskominfo", "Bambang Setiawan", Way.ACCOUNT, WATCHING),
    ("diskominfo", "Rina Kusuma", Way.ACCOUNT, CHATTING),
    ("diskominfo", "Ahmad Fauzi", Way.ACCOUNT, DOWNLOADING),
    ("diskominfo", "Yuliana", Way.ACCOUNT, READING),
)
RESIDENTS: Final[Sequence[Resident]] = tuple(Resident(name, place, way, habit) for place, name, way, habit in _PEOPLE)
PLACES: Final[Sequence[str]] = tuple(dict.fromkeys(resident.place for resident in RESIDENTS))
