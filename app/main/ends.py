"""How a process ends: by a signal, or because its start cannot succeed. It needs nothing, so that starting is quick."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

START_FAILED: Final = 3
"""Exit code of a child whose start cannot succeed: it is not started again."""


class StartError(Exception):
    """A start that cannot succeed: what is wrong, and what to do about it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}; {remedy}")
        self.problem = problem
        self.remedy = remedy


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` on SIGTERM and SIGINT while the block runs."""

    def handle(_number: int, _frame: object) -> None:
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
