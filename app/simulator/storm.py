"""The evening: every router boots, every phone that was online wants to be so again, all in the same minute."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from app.simulator.browser import Browser
from app.simulator.phones import come_online
from app.simulator.residents import Pass, Way
from app.simulator.router import Clock, Outcome

_AGAIN_SECONDS: Final = 1.0
_TAPS_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class StormReport:
    """How it went: phones that came, that were online by themselves, that were refused; seconds from the first packet.

    `seconds` is when the last phone was online, `median_seconds` when half of them were.
    """

    phones: int
    online: int
    refused: int
    seconds: float
    median_seconds: float


async def reconnect(phones: Sequence[Browser], *, clock: Clock, give_up_seconds: float = 60.0) -> StormReport:
    """Let all phones send their first packet at once; who gets no answer tries again, who is refused does not."""
    began = clock()
    results = await asyncio.gather(*(_first_packet(phone, clock, began + give_up_seconds) for phone in phones))
    took = sorted(at - began for outcome, at in results if outcome is Outcome.ONLINE)
    return StormReport(
        phones=len(phones),
        online=len(took),
        refused=sum(outcome is Outcome.REFUSED for outcome, _ in results),
        seconds=took[-1] if took else 0.0,
        median_seconds=median(took) if took else 0.0,
    )


async def _first_packet(phone: Browser, clock: Clock, give_up_at: float) -> tuple[Outcome, float]:
    while True:
        outcome = await phone.hotspot.router.appear(phone.ip, phone.mac)
        if outcome is not Outcome.NO_ANSWER or clock() >= give_up_at:
            return outcome, clock()
        await asyncio.sleep(_AGAIN_SECONDS)


async def tap_all(phones: Sequence[Browser]) -> int:
    """Let every phone tap its way in through the splash page, a few at a time; return how many are online."""
    room = asyncio.Semaphore(_TAPS_AT_ONCE)

    async def tap(phone: Browser) -> bool:
        async with room:
            return (await come_online(phone, Way.TAP, Pass())).online

    return sum(await asyncio.gather(*(tap(phone) for phone in phones)))
