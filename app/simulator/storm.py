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
    """How it went: phones that came, that were online by themselves, that were refused.

    `seconds` is when the last phone was online, from the first packet of all; `median_wait_seconds` and
    `longest_wait_seconds` are what one phone waited from its own first packet.
    """

    phones: int
    online: int
    refused: int
    seconds: float
    median_wait_seconds: float
    longest_wait_seconds: float


@dataclass(frozen=True, slots=True)
class _Arrival:
    outcome: Outcome
    came_at: float
    done_at: float


async def reconnect(
    phones: Sequence[Browser], *, clock: Clock, within_seconds: float = 0.0, give_up_seconds: float = 60.0
) -> StormReport:
    """Let all phones send a first packet, evenly spread; who gets no answer tries again, who is refused does not."""
    began = clock()
    step = within_seconds / max(1, len(phones))
    arrivals = await asyncio.gather(
        *(_arrive(phone, number * step, clock, began + give_up_seconds) for number, phone in enumerate(phones))
    )
    back = [arrival for arrival in arrivals if arrival.outcome is Outcome.ONLINE]
    waits = [arrival.done_at - arrival.came_at for arrival in back]
    return StormReport(
        phones=len(phones),
        online=len(back),
        refused=sum(arrival.outcome is Outcome.REFUSED for arrival in arrivals),
        seconds=max((arrival.done_at - began for arrival in back), default=0.0),
        median_wait_seconds=median(waits) if waits else 0.0,
        longest_wait_seconds=max(waits, default=0.0),
    )


async def _arrive(phone: Browser, delay: float, clock: Clock, give_up_at: float) -> _Arrival:
    await asyncio.sleep(delay)
    came_at = clock()
    while True:
        outcome = await phone.hotspot.router.appear(phone.ip, phone.mac)
        if outcome is not Outcome.NO_ANSWER or clock() >= give_up_at:
            return _Arrival(outcome, came_at, clock())
        await asyncio.sleep(_AGAIN_SECONDS)


async def tap_all(phones: Sequence[Browser]) -> int:
    """Let every phone tap its way in through the splash page, a few at a time; return how many are online."""
    room = asyncio.Semaphore(_TAPS_AT_ONCE)

    async def tap(phone: Browser) -> bool:
        async with room:
            return (await come_online(phone, Way.TAP, Pass())).online

    return sum(await asyncio.gather(*(tap(phone) for phone in phones)))
