"""Which routers sign their requests (A2.09): kept, shared by nodes, and learnt anew where an admin wants it."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.db.tables.changes import feed
from app.domain.nases import Demand as Required
from app.services import nases
from app.services.nases import NasOptions
from radius.backend import Demand
from tests.node.city import City, Node

Start = Callable[[City], Node]
Told = list[tuple[str, Demand | None]]


def listening(node: Node) -> Told:
    told: Told = []
    node.snapshot.learned.on_correction = lambda nas_id, demand: told.append((nas_id, demand))
    return told


def stored(city: City) -> bool | None:
    return nases.show_nas(city.database, "gusung-1").learned_message_authenticator


def set_nas(city: City, **options: object) -> None:
    nases.set_nas(city.database, city.keyring, "gusung-1", now=city.time.at, **options)  # type: ignore[arg-type] # any


@pytest.mark.parametrize(
    ("lessons", "kept"),
    [
        pytest.param([Demand.NO], False, id="it does not sign"),
        pytest.param([Demand.YES], True, id="it signs"),
        pytest.param([Demand.NO, Demand.YES], True, id="another process has seen a signature"),
        pytest.param([Demand.YES, Demand.NO], True, id="another process has not"),
    ],
)
def test_a_signature_outweighs_its_absence(both_city: City, start: Start, lessons: list[Demand], kept: bool) -> None:
    for lesson in lessons:
        node = start(both_city)
        node.snapshot.learned.add(both_city.nas.id, lesson)
        node.snapshot.learned.keep(both_city.database, both_city.time.at)
    assert stored(both_city) is kept


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"require_message_authenticator": Required.AUTO}, id="auto"),
        pytest.param({"debug_answers": True}, id="debug answers"),
    ],
)
@pytest.mark.parametrize("lesson", [Demand.YES, Demand.NO])
def test_what_was_learnt_is_forgotten_where_an_admin_asks_for_it_anew(
    city: City, start: Start, options: NasOptions, lesson: Demand
) -> None:
    node, other = start(city), start(city)
    node.snapshot.learned.add(city.nas.id, lesson)
    node.snapshot.learned.keep(city.database, city.time.at)
    other.load()
    told, told_too = listening(node), listening(other)
    set_nas(city, **options)
    node.learn()
    other.learn()
    assert stored(city) is None
    assert told == told_too == [(city.nas.id, None)]
    assert node.snapshot.learned.lessons() == []


def test_other_changes_of_a_nas_forget_nothing(city: City, start: Start) -> None:
    node = start(city)
    node.snapshot.learned.add(city.nas.id, Demand.YES)
    node.snapshot.learned.keep(city.database, city.time.at)
    told = listening(node)
    set_nas(city, coa_port=1700, require_message_authenticator=Required.NO, debug_answers=False)
    node.learn()
    assert stored(city) is True
    assert told == []


def test_what_another_node_has_seen_is_taken_over_with_the_next_read(both_city: City, start: Start) -> None:
    node, other = start(both_city), start(both_city)
    told = listening(other)
    other.snapshot.learned.add(both_city.nas.id, Demand.NO)
    other.snapshot.learned.keep(both_city.database, both_city.time.at)
    node.snapshot.learned.add(both_city.nas.id, Demand.YES)
    node.snapshot.learned.keep(both_city.database, both_city.time.at)
    other.learn()
    assert told == [(both_city.nas.id, Demand.YES)]


def test_only_news_is_told(both_city: City, start: Start) -> None:
    def rows() -> int:
        with both_city.database.read() as connection:
            return len(connection.execute(select(feed)).all())

    before, found = rows(), []
    for lesson in (Demand.NO, Demand.NO, Demand.YES, Demand.NO, Demand.YES):
        node = start(both_city)
        node.snapshot.learned.add(both_city.nas.id, lesson)
        node.snapshot.learned.keep(both_city.database, both_city.time.at)
        found.append(rows() - before)
    assert found == [0, 0, 1, 1, 1]
