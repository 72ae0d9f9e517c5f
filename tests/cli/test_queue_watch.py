"""`pesisir uplink apply --watch`: queues that follow what is moved, whatever fails meanwhile."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from app.cli.queue_watch import follow
from app.domain.service_classes import ServiceClass
from app.domain.uplinks import Shares, Uplink
from app.nas.local_queues import QueuesError
from app.services.errors import NotFound
from app.services.uplinks import UplinkView

VIEW = UplinkView(Uplink("u", "Telkom", 60_000_000, 20_000_000), [], Shares())
MOVED = replace(VIEW, shares=Shares({ServiceClass.OFFICE: 9_000_000}))
AWAY = OperationalError("SELECT", {}, Exception("gone"))
OFF = QueuesError("eth1 has no queues of ours here")


class Head:
    """What is read, look by look, and what was applied; `fails` is what the queues answer at the first attempts."""

    def __init__(self, *looks: UplinkView | Exception, fails: tuple[QueuesError, ...] = ()) -> None:
        self.looks, self.fails = list(looks), list(fails)
        self.applied: list[UplinkView] = []

    def read(self) -> UplinkView:
        found = self.looks.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def apply(self, view: UplinkView) -> int:
        if self.fails:
            raise self.fails.pop(0)
        self.applied.append(view)
        return 4

    def wait(self) -> bool:
        return bool(self.looks)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    def lines() -> list[str]:
        return capsys.readouterr().err.splitlines()

    return lines


def test_what_has_moved_is_applied_once(said: Callable[[], list[str]]) -> None:
    head = Head(VIEW, VIEW, MOVED, MOVED, VIEW)
    follow(head.read, head.apply, head.wait)
    assert head.applied == [VIEW, MOVED, VIEW]
    assert said() == ["uplink Telkom: 4 queues as they should be"] * 3


def test_it_is_done_again_after_a_minute_without_a_word(said: Callable[[], list[str]]) -> None:
    head = Head(*[VIEW] * 26)
    follow(head.read, head.apply, head.wait)
    assert head.applied == [VIEW] * 3
    assert said() == ["uplink Telkom: 4 queues as they should be"]


def test_a_database_that_is_away_is_said_once_and_waited_for(said: Callable[[], list[str]]) -> None:
    head = Head(VIEW, AWAY, AWAY, VIEW)
    follow(head.read, head.apply, head.wait)
    assert head.applied == [VIEW, VIEW]
    assert said() == [
        "uplink Telkom: 4 queues as they should be",
        "the database cannot be read; the queues stay as they are",
        "uplink Telkom: 4 queues as they should be",
    ]


def test_queues_that_are_off_are_said_once_and_tried_again(said: Callable[[], list[str]]) -> None:
    head = Head(VIEW, VIEW, VIEW, fails=(OFF, OFF))
    follow(head.read, head.apply, head.wait)
    assert head.applied == [VIEW]
    first, second = said()
    assert "eth1 has no queues of ours here" in first
    assert "pesisir-queues start" in first
    assert second == "uplink Telkom: 4 queues as they should be"


def test_an_uplink_that_is_gone_ends_it() -> None:
    head = Head(VIEW, NotFound("uplink", "Telkom"))
    with pytest.raises(NotFound):
        follow(head.read, head.apply, head.wait)
