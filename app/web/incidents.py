"""What nobody foresaw: one line in the log with the traceback, and a page with a number to ask by."""

from collections.abc import Callable
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.db.errors import AWAY
from app.domain.keys import Chance, base32

_log: Final = structlog.get_logger("http")
_OCTETS: Final = 5


class Incidents:
    """ASGI middleware: answers for what fails below it. `page` makes the answer from the request and the number."""

    def __init__(self, app: ASGIApp, page: Callable[[Request, str], Response], chance: Chance) -> None:
        self.app = app
        self.page = page
        self.chance = chance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; the one place that catches whatever is raised."""
        started = False

        async def send_noticing(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_noticing)
        except Exception as error:
            if scope["type"] != "http":
                raise
            number = base32(self.chance(_OCTETS))
            away = isinstance(error, AWAY)
            _log.error("request_failed", incident=number, path=scope["path"], database_away=away, exc_info=not away)
            if started:
                raise
            await self.page(Request(scope), number)(scope, receive, send)
