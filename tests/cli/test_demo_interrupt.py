"""Ctrl-C ends the demo even where Python swallows the exception that a signal raises."""

import os
import signal

import pytest

from app.cli.demo import quiet_interrupt


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_that_was_swallowed_counts_at_the_next_step(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    steps = []
    with quiet_interrupt() as stop_if_asked:
        stop_if_asked()
        try:
            os.kill(os.getpid(), number)
        except KeyboardInterrupt:
            steps.append("swallowed")
        stop_if_asked()
        steps.append("went on")
    assert steps == ["swallowed"]
    assert signal.getsignal(number) is before
