"""The headers of every answer (standards C2.04, C2.06), and the middleware that adds them."""

from collections.abc import Iterable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NO_STORE: Final = "no-store"

_EVERYWHERE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send `Origin: null` on our own forms
    "Cache-Control": NO_STORE,
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def page_headers(style_source: str, form_origins: Iterable[str]) -> dict[str, str]:
    """Return the headers of an HTML page.

    Browsers apply form-action to the redirects that follow a post too, so a page whose form ends at a router must
    name the router's origin.
    """
    policy = (
        "default-src 'none'",
        f"style-src {style_source}",
        "img-src data:",
        " ".join(("form-action 'self'", *form_origins)),
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }


class CommonHeaders:
    """ASGI middleware: what every answer has, unless it says otherwise itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add to its answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _EVERYWHERE.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)
