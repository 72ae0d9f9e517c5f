"""The asyncio client over real sockets on loopback."""

import asyncio

from radius import Code, Timing
from radius.net.async_client import AsyncClient
from radius.net.client import Answered, Silence
from tests.radius.serving import code_of, make_backend, serving
from tests.radius.support import OTHER_SECRET, SECRET, make_query


def test_many_questions_at_a_time() -> None:
    async def ask_all(server: tuple[str, int]) -> list[Answered | Silence]:
        client = AsyncClient(server, SECRET, timing=Timing(first_seconds=2))
        try:
            return await asyncio.gather(*(client.ask(make_query()) for _ in range(300)))
        finally:
            client.close()

    with serving(make_backend()) as running:
        results = asyncio.run(ask_all(running.auth))
    assert {code_of(result) for result in results} == {Code.ACCESS_ACCEPT}


def test_asyncio_client_asks_again_and_gives_up() -> None:
    async def ask(server: tuple[str, int]) -> Answered | Silence:
        client = AsyncClient(server, OTHER_SECRET, timing=Timing(0.05, 1, 3, 3))
        try:
            return await client.ask(make_query())
        finally:
            client.close()

    with serving(make_backend()) as running:
        assert asyncio.run(ask(running.auth)) == Silence(3, ())


def test_closing_the_asyncio_client_ends_the_waiting() -> None:
    async def ask(server: tuple[str, int]) -> Answered | Silence:
        client = AsyncClient(server, OTHER_SECRET)
        asking = asyncio.create_task(client.ask(make_query()))
        await asyncio.sleep(0.05)
        client.close()
        return await asking

    with serving(make_backend()) as running:
        assert asyncio.run(ask(running.auth)) == Silence(1, ())
