"""What an admin does with NASes: one function, one transaction each. Secrets are sealed before they are stored."""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_network
from typing import Final, TypedDict, Unpack

from app.db import feed, nases, sites
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.db.nases import SealedSecrets
from app.domain.keys import Chance, base32, draw_id
from app.domain.nases import SIGNING_FAMILIES, Demand, Direction, Family, Nas, NasSecrets
from app.domain.text import spelled
from app.services import fields
from app.services.changes import ask_again
from app.services.errors import Conflict, Invalid, NotFound
from app.services.keyring import Keyring

SECRET_OCTETS: Final = 20  # 160 bits: 32 characters, which openNDS takes whole as its AES-256 key
ROTATION: Final = timedelta(days=7)
SHORT_SECRET_OCTETS: Final = 12  # standards ask for more than that
_LONGEST_SECRET: Final = 128
_OPENNDS_KEY: Final = 32
_ADDRESS: Final = "an address or network such as 10.1.2.3 or 10.1.2.0/24"
_RADIUS: Final = "nas-radius"
_PORTAL: Final = "nas-portal"
_MAC: Final = "nas-mac"
_KNOWN_BY: Final = frozenset({"address", "identifier", "secret"})
_REACHED_BY: Final = frozenset({"address", "family", "secret", "coa_address", "coa_port"})
_HOST: Final = re.compile(r"(?=.{1,200}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\Z")


class NasOptions(TypedDict, total=False):
    """What a NAS may have besides; what is left out keeps its value (a new NAS: learned, or made)."""

    identifier: str | None  # NAS-Identifier: tells several NASes behind one address apart
    login_address: str | None  # HOST[:PORT]: the only place phones are sent back to
    require_message_authenticator: Demand
    limit_proxy_state: Demand
    direction: Direction
    coa_port: int
    coa_address: str | None  # HOST that takes CoA and Disconnect; None: whence the session was last heard of
    status_server: bool  # Status-Server is answered
    strict_identity: bool  # whoever calls itself otherwise than it is registered is refused
    debug_answers: bool  # a router that does not sign is told so, until it does
    mac_login: bool  # known devices may come back through it by their MAC alone
    secret: str
    portal_secret: str
    mac_secret: str


class NasValues(NasOptions, total=False):
    """Everything of a NAS that can be changed."""

    address: str
    family: Family
    site: str


class NasWarning(StrEnum):
    """What is stored as asked, yet unwise."""

    SHORT_SECRET = "short_secret"  # noqa: S105 a word; 12 octets or fewer
    SHARED_SECRET = "shared_secret"  # noqa: S105 a word; another NAS has the same


@dataclass(frozen=True, slots=True)
class StoredNas:
    """A NAS as it is stored now, and what is unwise about its secret."""

    nas: Nas
    warnings: tuple[NasWarning, ...]


def add_nas(
    database: Database,
    keyring: Keyring,
    name: str,
    *,
    address: str,
    family: Family,
    site: str,
    now: datetime,
    chance: Chance,
    **options: Unpack[NasOptions],
) -> StoredNas:
    """Register a NAS; secrets that are not given are made. Raise Conflict (name, twin), Invalid, NotFound (site)."""
    name = fields.label("name", name)
    made = {field: base32(chance(SECRET_OCTETS)) for field in ("secret", "portal_secret", "mac_secret")}
    made |= {"require_message_authenticator": Demand.YES if family in SIGNING_FAMILIES else Demand.AUTO}
    values = NasValues(**{**made, **options, "address": address, "family": family, "site": site})  # type: ignore[typeddict-item] # mypy loses the keys of a merged mapping
    nas_id = draw_id(chance)
    with database.write() as connection:
        if nases.by_name(connection, name) is not None:
            raise Conflict("nas", name)
        warnings = _warnings(connection, keyring, nas_id, values)
        nases.add(connection, nas_id, name, _columns(connection, keyring, nas_id, values), now=now)
        _refuse_twin(connection, keyring, nas_id)
        return _announce(connection, nas_id, warnings, now)


def list_nases(database: Database, *, site: str | None = None) -> list[Nas]:
    """Return the NASes by name, of all sites or of one; raise NotFound (the site)."""
    with database.read() as connection:
        if site is None:
            return nases.read_all(connection)
        found = sites.by_name(connection, spelled(site))
        if found is None:
            raise NotFound("site", site)
        return nases.read_all(connection, site_id=found.id)


def silent_nases(database: Database) -> list[str]:
    """Return the names of NASes that have never spoken."""
    with database.read() as connection:
        return nases.silent(connection)


def show_nas(database: Database, name: str) -> Nas:
    """Return one NAS; raise NotFound."""
    with database.read() as connection:
        return _stored(connection, name)


def nas_secrets(database: Database, keyring: Keyring, name: str) -> NasSecrets:
    """Return the secrets of one NAS in clear; raise NotFound."""
    with database.read() as connection:
        nas = _stored(connection, name)
        return open_secrets(keyring, nas.id, nases.secrets(connection, nas.id)[nas.id])


def set_nas(
    database: Database,
    keyring: Keyring,
    name: str,
    *,
    now: datetime,
    old_secret_until: datetime | None = None,
    **values: Unpack[NasValues],
) -> StoredNas:
    """Change a NAS; raise NotFound, Invalid, Conflict (another could not be told apart from it).

    A new RADIUS secret keeps the one before it valid until `old_secret_until` (None: for `ROTATION` from now), so
    that the router can be changed without an outage; a moment that has passed ends the old one at once. With `auto`,
    or with debug answers, whether the router signs is learnt anew. Who was to be put out and could not, because the
    router did not take it, is asked for again where that may have been mended.
    """
    with database.write() as connection:
        nas = _stored(connection, name)
        columns = _columns(connection, keyring, nas.id, values, family=nas.family)
        sealed = nases.secrets(connection, nas.id)[nas.id]
        if values.get("require_message_authenticator") is Demand.AUTO or values.get("debug_answers"):
            columns["learned_message_authenticator"] = None  # whoever asks for it again means a router that has changed
        columns |= _rotation(keyring, nas.id, sealed, values, until=old_secret_until, now=now)
        warnings = _warnings(connection, keyring, nas.id, values)
        nases.change(connection, nas.id, columns)
        if _KNOWN_BY & values.keys():
            _refuse_twin(connection, keyring, nas.id)
        if _REACHED_BY & values.keys():
            ask_again(connection, now=now, nas_id=nas.id)
        return _announce(connection, nas.id, warnings, now)


def remove_nas(database: Database, name: str, *, now: datetime) -> None:
    """Remove a NAS: it is answered no more; its sessions stay. Raise NotFound."""
    with database.write() as connection:
        nas = _stored(connection, name)
        nases.remove(connection, nas.id)
        feed.append(connection, now=now, items={FeedKind.NAS: [nas.id]})


def open_secrets(keyring: Keyring, nas_id: str, sealed: SealedSecrets) -> NasSecrets:
    """Return a NAS's secrets in clear; raise SealError."""
    old = sealed.old_radius
    return NasSecrets(
        radius=keyring.open(sealed.radius, purpose=_purpose(_RADIUS, nas_id)).decode(),
        portal=keyring.open(sealed.portal, purpose=_purpose(_PORTAL, nas_id)).decode(),
        mac=keyring.open(sealed.mac, purpose=_purpose(_MAC, nas_id)).decode(),
        old_radius=None if old is None else keyring.open(old, purpose=_purpose(_RADIUS, nas_id)).decode(),
        old_radius_until=sealed.old_radius_until,
    )


def _purpose(which: str, nas_id: str) -> str:
    """Bind a sealed secret to its NAS, so that one cannot be moved to another in the database."""
    return f"{which}:{nas_id}"


def _stored(connection: Connection, name: str) -> Nas:
    nas = nases.by_name(connection, spelled(name))
    if nas is None:
        raise NotFound("nas", name)
    return nas


def _announce(connection: Connection, nas_id: str, warnings: tuple[NasWarning, ...], now: datetime) -> StoredNas:
    feed.append(connection, now=now, items={FeedKind.NAS: [nas_id]})
    nas = nases.by_id(connection, nas_id)
    assert nas is not None
    return StoredNas(nas, warnings)


def _rotation(
    keyring: Keyring, nas_id: str, sealed: SealedSecrets, values: NasValues, *, until: datetime | None, now: datetime
) -> dict[str, object]:
    """Return the columns of the old secret: kept if the secret really changes, or given a new end if asked."""
    if "secret" in values and values["secret"].encode() != keyring.open(
        sealed.radius, purpose=_purpose(_RADIUS, nas_id)
    ):
        ends_at = until if until is not None else now + ROTATION
        if ends_at <= now:
            return {"old_secret_sealed": None, "old_secret_until": None}
        return {"old_secret_sealed": sealed.radius, "old_secret_until": ends_at}
    if until is None or sealed.old_radius is None:
        return {}
    if until <= now:
        return {"old_secret_sealed": None, "old_secret_until": None}
    return {"old_secret_until": until}


def _warnings(connection: Connection, keyring: Keyring, nas_id: str, values: NasValues) -> tuple[NasWarning, ...]:
    if "secret" not in values:
        return ()
    secret = values["secret"].encode()
    found = [NasWarning.SHORT_SECRET] if len(secret) <= SHORT_SECRET_OCTETS else []
    others = (
        keyring.open(sealed, purpose=_purpose(_RADIUS, other))
        for other, sealed in nases.radius_secrets(connection)
        if other != nas_id
    )
    if _any_is(secret, others):
        found.append(NasWarning.SHARED_SECRET)
    return tuple(found)


def _refuse_twin(connection: Connection, keyring: Keyring, nas_id: str) -> None:
    """Raise Conflict where another NAS of the same address has the same NAS-Identifier, or none, and the same secret.

    Nothing in a packet would tell the two apart.
    """
    every = {nas.id: nas for nas in nases.read_all(connection)}
    nas = every[nas_id]
    alike = [one for one in every.values() if (one.address, one.identifier) == (nas.address, nas.identifier)]
    if len(alike) == 1:
        return
    secrets = {
        other: keyring.open(sealed, purpose=_purpose(_RADIUS, other))
        for other, sealed in nases.radius_secrets(connection)
    }
    for one in alike:
        if one.id != nas_id and hmac.compare_digest(secrets[one.id], secrets[nas_id]):
            named = "no NAS-Identifier" if nas.identifier is None else f"the NAS-Identifier {nas.identifier!r}"
            raise Conflict(
                "nas",
                nas.name,
                f"could not be told apart from {one.name!r}: both are at {nas.address} with {named} and the same"
                " secret; give each its own by --identifier, or another secret by --secret-file",
            )


def _any_is(secret: bytes, others: Iterable[bytes]) -> bool:
    return any(hmac.compare_digest(secret, other) for other in others)


def _columns(
    connection: Connection, keyring: Keyring, nas_id: str, values: NasValues, *, family: Family | None = None
) -> dict[str, object]:
    """Check what was given and turn it into columns; `family` is the stored one, where none is given."""
    columns: dict[str, object] = {}
    if "address" in values:
        columns["address"] = str(fields.network("address", values["address"], _ADDRESS))
    if "family" in values:
        columns["family"] = values["family"].value
    if "site" in values:
        columns["site_id"] = _site_id(connection, values["site"])
    if "identifier" in values:
        columns["identifier"] = fields.line("identifier", values["identifier"] or "", limit=253) or None
    if "login_address" in values:
        columns["login_address"] = _login_address(values["login_address"])
    if "require_message_authenticator" in values:
        columns["require_message_authenticator"] = values["require_message_authenticator"].value
    if "limit_proxy_state" in values:
        columns["limit_proxy_state"] = values["limit_proxy_state"].value
    if "direction" in values:
        columns["direction"] = values["direction"].value
    if "coa_port" in values:
        columns["coa_port"] = fields.amount("coa_port", values["coa_port"], greatest=65_535)
    if "coa_address" in values:
        columns["coa_address"] = _coa_address(values["coa_address"])
    for switch in ("status_server", "strict_identity", "debug_answers", "mac_login"):
        if switch in values:
            columns[switch] = values[switch]
    if "secret" in values:
        columns["secret_sealed"] = keyring.seal(_secret("secret", values["secret"]), purpose=_purpose(_RADIUS, nas_id))
    if "portal_secret" in values:
        longest = _OPENNDS_KEY if values.get("family", family) is Family.OPENNDS else _LONGEST_SECRET
        portal = _secret("portal_secret", values["portal_secret"], longest=longest)
        columns["portal_secret_sealed"] = keyring.seal(portal, purpose=_purpose(_PORTAL, nas_id))
    if "mac_secret" in values:
        columns["mac_secret_sealed"] = keyring.seal(
            _secret("mac_secret", values["mac_secret"]), purpose=_purpose(_MAC, nas_id)
        )
    return columns


def _site_id(connection: Connection, name: str) -> str:
    site = sites.by_name(connection, spelled(name))
    if site is None:
        raise NotFound("site", name)
    return site.id


def _secret(field: str, value: str, *, longest: int = _LONGEST_SECRET) -> bytes:
    """Return a secret's octets: printable ASCII, since routers differ about everything else."""
    if not value:
        raise Invalid(field, "is empty")
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise Invalid(field, "must be printable ASCII without spaces around it")
    if len(value) > longest:
        raise Invalid(field, f"has {len(value)} characters, {longest} are allowed")
    return value.encode()


def _login_address(value: str | None) -> str | None:
    """Return HOST[:PORT] in lower case: an IPv4 address, [IPv6] or a name."""
    if value is None or not value.strip():
        return None
    text = value.strip().lower()
    host, port = _split_port(text)
    if not _is_host(host) or (port is not None and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536)):
        raise Invalid("login_address", f"{value!r} is not HOST or HOST:PORT")
    return text


def _coa_address(value: str | None) -> str | None:
    """Return HOST in lower case: an address of IPv4 or IPv6, or a name."""
    text = (value or "").strip().lower().removeprefix("[").removesuffix("]")
    if text and not _is_host(text) and not _is_host(f"[{text}]"):
        raise Invalid("coa_address", f"{value!r} is not an address or a name")
    return text or None


def _split_port(text: str) -> tuple[str, str | None]:
    if text.startswith("["):
        host, closing, rest = text.partition("]")
        return host + closing, rest[1:] if rest.startswith(":") else (None if not rest else "?")
    host, colon, port = text.partition(":")
    return host, port if colon else None


def _is_host(host: str) -> bool:
    if host.startswith("["):
        try:
            return host.endswith("]") and ip_network(host[1:-1]).version == 6
        except ValueError:
            return False
    if host.replace(".", "").isdigit():
        try:
            return ip_network(host).version == 4
        except ValueError:
            return False
    return _HOST.match(host) is not None
