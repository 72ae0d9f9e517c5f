"""The portal as an ASGI application: what a resident's phone and its router ask of us."""

import os
from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from app.config import Settings
from app.db.engine import Database
from app.domain.keys import Chance
from app.portal.front import FrontPages
from app.portal.login import LoginPages
from app.portal.portal import TRIES_WINDOW, Portal
from app.portal.splash import SplashPages
from app.portal.status import StatusPages
from app.services.keyring import Keyring
from app.web.headers import CommonHeaders
from app.web.incidents import Incidents
from app.web.theme import Theme, theme_folders
from app.web.throttle import Throttle


def utc_now() -> datetime:
    """Return the moment, as the process's clock has it."""
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    database: Database,
    keyring: Keyring,
    *,
    clock: Callable[[], datetime] = utc_now,
    chance: Chance = os.urandom,
) -> FastAPI:
    """Put the portal together. The database must be ready; it stays the caller's to close."""
    portal = Portal(
        settings=settings,
        database=database,
        keyring=keyring,
        theme=Theme(theme_folders(settings.data_dir)),
        tries=Throttle(window=TRIES_WINDOW),
        clock=clock,
        chance=chance,
    )
    splash, login, status, front = SplashPages(portal), LoginPages(portal), StatusPages(portal), FrontPages(portal)
    return FastAPI(
        title="Pesisir portal",
        openapi_url=None,
        redirect_slashes=False,  # its redirect would be built from the Host header, which a phone chooses
        routes=[
            Route("/", front.get),
            Route("/hotspot/{nas:path}", splash.get),
            Route("/hotspot/{nas:path}", splash.post, methods=["POST"]),
            Route("/login", login.post, methods=["POST"]),
            Route("/status", status.get),
            Route("/top-up", status.post_top_up, methods=["POST"]),
            Route("/logout", status.post_logout, methods=["POST"]),
            Route("/services", front.get_services),
            Route("/captive-portal/api/{token}", status.get_api),
            Route("/healthz", front.get_health),
            Route("/readyz", front.get_ready),
        ],
        middleware=[
            Middleware(CommonHeaders),
            Middleware(GZipMiddleware, minimum_size=500, compresslevel=6),
            Middleware(Incidents, page=front.failed, chance=chance),
        ],
        exception_handlers={HTTPException: front.refuse},
    )
