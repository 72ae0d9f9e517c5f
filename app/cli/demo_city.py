"""The demo's city in a database: sites, plans, routers, residents, and something for you to try."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from app.cli.demo_ports import Ports, router_address
from app.cli.installation import Installation
from app.config import load, load_secret_key
from app.db.engine import open_database
from app.domain.nases import Family
from app.domain.service_classes import ServiceClass
from app.domain.units import MB
from app.domain.uplinks import GovernorMode
from app.domain.vouchers import printed
from app.nas.families import portal_of
from app.nas.mikrotik_config import pages
from app.services import nases, plans, schema, sites, uplinks, users, vouchers
from app.services.keyring import Keyring
from app.services.plans import PlanValues
from app.simulator.residents import DOWNLOADING, PLACES, RESIDENTS, Pass, Resident, Way
from app.simulator.router import RouterSettings

OFFICE: Final = "diskominfo"
SITES: Final[Mapping[str, str]] = {
    "gusung": "Gusung",
    "melahing": "Melahing",
    "tihi-tihi": "Tihi-tihi",
    "lok-tunggul": "Lok Tunggul",
    OFFICE: "Diskominfo",
}
_PAP: Final = "tihi-tihi"  # one router without HTTP-CHAP, as older configurations are
_INTERIM_SECONDS: Final = 5.0  # set at the router (`radius-interim-update=5s`), so that usage is seen to grow

_FREE: Final = "Warga gratis"
_HOUSEHOLD: Final = "Warga rumah"
_DAY: Final = "Kupon harian"
_TASTE: Final = "Kupon coba"
_STAFF: Final = "Pegawai"
_PLANS: Final[Mapping[str, PlanValues]] = {
    _FREE: {
        "down_bps": 4 * MB,
        "up_bps": 2 * MB,
        "daily_octets": 500 * MB,
        "service_class": ServiceClass.GUEST,
    },
    _HOUSEHOLD: {"down_bps": 6 * MB, "up_bps": 3 * MB, "monthly_octets": 20_000 * MB, "device_limit": 3},
    _DAY: {"down_bps": 6 * MB, "up_bps": 3 * MB, "daily_octets": 2_000 * MB, "validity_seconds": 86_400},
    _TASTE: {"down_bps": 8 * MB, "up_bps": 4 * MB, "total_octets": 30 * MB},  # used up while you watch
    _STAFF: {
        "down_bps": 10 * MB,
        "up_bps": 10 * MB,
        "device_limit": 5,
        "service_class": ServiceClass.OFFICE,
    },
}

_LINE: Final = "Telkom"
LINE_BPS: Final = 23 * MB  # less than thirty residents want, so that there is something to share
_OFFICE_FLOOR_BPS: Final = 5 * MB


@dataclass(frozen=True, slots=True)
class DemoCity:
    """The routers' settings by place, the residents with what they log in with, and what is left for you to try."""

    routers: Mapping[str, RouterSettings]
    people: Sequence[tuple[Resident, Pass]]
    spare_voucher: str
    spare_account: Pass = field(repr=False)


def make_city(config: Path, ports: Ports, *, now: datetime) -> DemoCity:
    """Make the database that a settings file names, and the city in it."""
    settings = load({"PESISIR_CONFIG": str(config)})
    keyring = Keyring(load_secret_key(settings))
    database = open_database(settings.database_url)
    try:
        schema.upgrade(database, keyring, chance=os.urandom)
        return _found(Installation(settings, database, keyring), ports, now)
    finally:
        database.close()


def _found(installation: Installation, ports: Ports, now: datetime) -> DemoCity:
    database, chance = installation.database, os.urandom
    for name, values in _PLANS.items():
        plans.add_plan(database, name, now=now, chance=chance, **values)
    uplinks.add_uplink(
        database, _LINE, now=now, chance=chance, down_bps=LINE_BPS, up_bps=LINE_BPS, governor=GovernorMode.ON
    )
    uplinks.set_class(database, _LINE, ServiceClass.OFFICE, floor_bps=_OFFICE_FLOOR_BPS)
    for place, name in SITES.items():
        guest_plan = None if place == OFFICE else _FREE
        sites.add_site(database, name, now=now, chance=chance, guest_plan=guest_plan)
    routers = {place: _add_router(installation, place, ports, now) for place in PLACES}
    return DemoCity(
        routers=routers,
        people=_add_people(installation, now),
        spare_voucher=printed(_codes(installation, _DAY, 1, now)[0]),
        spare_account=_add_user(installation, "Tamu Peragaan", _HOUSEHOLD, now),
    )


def _add_router(installation: Installation, place: str, ports: Ports, now: datetime) -> RouterSettings:
    address = router_address(place)
    nas = nases.add_nas(
        installation.database,
        installation.keyring,
        place,
        address=f"{address}/32",
        family=Family.MIKROTIK,
        site=SITES[place],
        now=now,
        chance=os.urandom,
        identifier=place,
        login_address=f"{address}:{ports.login[place]}",
        coa_port=ports.coa[place],
    ).nas
    secrets = nases.nas_secrets(installation.database, installation.keyring, place)
    return RouterSettings(
        name=place,
        address=address,
        radius_secret=secrets.radius.encode(),
        mac_secret=secrets.mac,
        auth=ports.auth,
        acct=ports.acct,
        pages=pages(portal_of(installation.settings).page(nas)),
        garden=frozenset((ports.portal,)),
        http_port=ports.login[place],
        coa_port=ports.coa[place],
        chap=place != _PAP,
        interim_seconds=_INTERIM_SECONDS,
    )


def _add_people(installation: Installation, now: datetime) -> Sequence[tuple[Resident, Pass]]:
    with_vouchers = [resident for resident in RESIDENTS if resident.way is Way.VOUCHER]
    day = iter(_codes(installation, _DAY, len(with_vouchers), now))
    taste = iter(_codes(installation, _TASTE, len(with_vouchers), now))
    held: list[tuple[Resident, Pass]] = []
    for resident in RESIDENTS:
        match resident.way:
            case Way.TAP:
                held.append((resident, Pass()))
            case Way.VOUCHER:
                held.append((resident, Pass(code=next(taste if resident.habit is DOWNLOADING else day))))
            case Way.ACCOUNT:
                plan = _STAFF if resident.place == OFFICE else _HOUSEHOLD
                held.append((resident, _add_user(installation, resident.name, plan, now)))
    return held


def _codes(installation: Installation, plan: str, count: int, now: datetime) -> Sequence[str]:
    database, keyring = installation.database, installation.keyring
    return vouchers.create_batch(database, keyring, plan=plan, count=count, now=now, chance=os.urandom).codes


def _add_user(installation: Installation, name: str, plan: str, now: datetime) -> Pass:
    username = re.sub(r"[^a-z]+", ".", name.lower()).strip(".")
    password = os.urandom(5).hex()
    users.add_user(
        installation.database,
        installation.keyring,
        username,
        password=password,
        now=now,
        chance=os.urandom,
        name=name,
        plan=plan,
    )
    return Pass(username=username, password=password)
