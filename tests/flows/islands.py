"""Simulated islands for tests of whole flows: routers that the database knows, phones that were here before."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.db import guests, resume
from app.db.engine import Database
from app.domain.keys import draw_id
from app.domain.nases import Family
from app.domain.resume import ResumeGrant
from app.services import nases, plans, sites
from app.services.keyring import Keyring
from app.services.plans import PlanValues
from app.simulator.browser import Browser
from app.simulator.island import Island
from app.simulator.router import RouterSettings
from tests.flows.serving import Installation

PLACES = ("gusung", "melahing", "tihi-tihi", "lok-tunggul")
PLAN: PlanValues = {"down_bps": 4_000_000, "up_bps": 2_000_000}


def add_routers(
    database: Database, keyring: Keyring, serving: Installation, plan: PlanValues = PLAN
) -> list[RouterSettings]:
    now = datetime.now(UTC)
    plans.add_plan(database, "Warga", now=now, chance=os.urandom, **plan)
    settings = []
    for number, place in enumerate(PLACES, start=1):
        address = f"127.20.0.{number}"
        sites.add_site(database, place, now=now, chance=os.urandom, guest_plan="Warga")
        nases.add_nas(
            database,
            keyring,
            place,
            address=address,
            family=Family.MIKROTIK,
            site=place,
            now=now,
            chance=os.urandom,
            identifier=place,
        )
        secrets = nases.nas_secrets(database, keyring, place)
        settings.append(
            RouterSettings(
                name=place,
                address=address,
                radius_secret=secrets.radius.encode(),
                mac_secret=secrets.mac,
                auth=("127.0.0.1", serving.auth_port),
                acct=("127.0.0.1", serving.acct_port),
                pages={},
                garden=frozenset(),
            )
        )
    return settings


def remember(database: Database, phones: Sequence[Browser]) -> None:
    """Leave what a tap at the splash page leaves: a guest and a resume grant."""
    now = datetime.now(UTC)
    plan_id = plans.show_plan(database, "Warga").id
    site_ids = {place: sites.show_site(database, place).id for place in PLACES}
    with database.write() as connection:
        for phone in phones:
            account_id = draw_id(os.urandom)
            site_id = site_ids[phone.hotspot.router.settings.name]
            guests.welcome(connection, account_id, phone.mac, plan_id=plan_id, site_id=site_id, now=now)
            grant = ResumeGrant(phone.mac, account_id, site_id, now + timedelta(hours=6))
            resume.keep(connection, draw_id(os.urandom), grant, now=now)


def phones_of(islands: Sequence[Island], count: int, *, first: int) -> list[Browser]:
    return [islands[number % len(islands)].phone(first + number // len(islands)) for number in range(count)]
