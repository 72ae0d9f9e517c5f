"""A film as a player fetches it: in pieces, each in the quality in which the last ones came in. Sizes are in bits."""

from dataclasses import dataclass
from random import Random
from typing import Final

_QUALITIES: Final = (400e3, 800e3, 1_400e3, 2_500e3, 4_500e3)  # bit/s
_PIECE_SECONDS: Final = 6.0
_BUFFER_SECONDS: Final = 30.0


@dataclass(slots=True)
class Film:
    """A player: what it has in store, in which quality it fetches, and how long it had to stand still."""

    quality: int = 1
    stored_seconds: float = 0.0
    left_seconds: float = 0.0
    last_at: float = 0.0
    played_seconds: float = 0.0
    still_seconds: float = 0.0
    fetched_bits: float = 0.0

    def next_piece(self, now: float, rate_bps: float | None, chance: Random) -> tuple[float, float]:
        """Return when it fetches its next piece, and how large that is."""
        if rate_bps is None:
            return self._begin(now + chance.uniform(1, 20), chance)
        self._store(now)
        within = [number for number, bps in enumerate(_QUALITIES) if bps <= 0.8 * rate_bps]
        self.quality = min(max(within, default=0), self.quality + 1)
        self.left_seconds -= _PIECE_SECONDS
        if self.left_seconds <= 0:
            return self._begin(now + self.stored_seconds + chance.expovariate(1 / 120), chance)
        wait = max(0.0, self.stored_seconds - (_BUFFER_SECONDS - _PIECE_SECONDS))
        return now + wait, self._piece()

    def _begin(self, at: float, chance: Random) -> tuple[float, float]:
        self.left_seconds = chance.uniform(600, 2_400)
        self.stored_seconds, self.last_at, self.quality = 0.0, -1.0, 1
        return at, self._piece()

    def _store(self, now: float) -> None:
        """Count what was played since the last piece, and put this one into store."""
        if self.last_at >= 0:
            passed = now - self.last_at
            self.still_seconds += max(0.0, passed - self.stored_seconds)
            self.played_seconds += min(passed, self.stored_seconds)
            self.stored_seconds = max(0.0, self.stored_seconds - passed)
        self.stored_seconds += _PIECE_SECONDS
        self.fetched_bits += _QUALITIES[self.quality] * _PIECE_SECONDS
        self.last_at = now

    def _piece(self) -> float:
        return _QUALITIES[self.quality] * _PIECE_SECONDS
