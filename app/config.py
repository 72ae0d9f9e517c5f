"""Settings: one frozen value built from a mapping; nobody else reads the environment or the settings file."""

import logging
import os
import re
import secrets
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.domain.nases import Demand, Protections
from app.domain.units import UnitError, parse_duration

PREFIX: Final = "PESISIR_"
_HOST: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\Z")
_LONGEST_PATIENCE_SECONDS: Final = 60
Address = tuple[str, int]
T = TypeVar("T")


class SettingError(Exception):
    """A setting that stops the start: its variable, and what is wrong with it."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(f"{variable}: {problem}")
        self.variable = variable
        self.problem = problem


def _addresses(text: str) -> tuple[Address, ...]:
    """Read where to listen: one address of this machine or more, not by name, since a name may be several."""
    listening = tuple(_literal(part.strip()) for part in text.split(",") if part.strip())
    if not listening:
        raise ValueError("names no address, such as 127.0.0.1:1812")
    return listening


def _literal(text: str) -> Address:
    host, port = parse_address(text)
    try:
        ip_address(host)
    except ValueError as error:
        raise ValueError(f"{text!r} begins with no address such as 127.0.0.1, 0.0.0.0 or [::1]") from error
    return host, port


def parse_address(text: str) -> Address:
    """Read HOST:PORT, an IPv6 host in brackets; raise ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or not 0 <= int(port) < 65_536:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def written_address(address: Address) -> str:
    """Write HOST:PORT, an IPv6 host in brackets."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine itself reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_wildcard(host: str) -> bool:
    """Tell whether an address stands for every address of this machine: good to listen at, nowhere to send to."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, typed; README lists them. `origins` says where each value came from."""

    data_dir: Path
    database_url: str
    http_listen: tuple[Address, ...]
    admin_listen: tuple[Address, ...]
    portal_url: str
    admin_url: str
    status_listen: tuple[Address, ...]
    radius_auth_listen: tuple[Address, ...]
    radius_acct_listen: tuple[Address, ...]
    radius_workers: int
    radius_patience_seconds: int
    radius_max_attributes: int
    require_message_authenticator: Demand
    limit_proxy_state: Demand
    snapshot_max_age_seconds: int
    journal_keep_seconds: int
    time_zone: ZoneInfo
    language: str
    log_level: int
    tls_cert: Path | None
    tls_key: Path | None
    trusted_proxies: tuple[str, ...]
    secret_key: bytes | None = field(repr=False)
    origins: Mapping[str, str] = field(repr=False, compare=False)

    @property
    def protections(self) -> Protections:
        """Return what is demanded of a NAS whose registration says `auto`."""
        return Protections(self.require_message_authenticator, self.limit_proxy_state)

    @property
    def secret_key_file(self) -> Path:
        """Return where the secret key is kept when the environment does not give it."""
        return self.data_dir / "secret.key"


DEFAULTS: Final[Mapping[str, str]] = {
    "PESISIR_DATA_DIR": "./var",
    "PESISIR_DATABASE_URL": "",
    "PESISIR_SECRET_KEY": "",
    "PESISIR_HTTP_LISTEN": "127.0.0.1:8080",
    "PESISIR_ADMIN_LISTEN": "127.0.0.1:8081",
    "PESISIR_PORTAL_URL": "",
    "PESISIR_ADMIN_URL": "",
    "PESISIR_TLS_CERT": "",
    "PESISIR_TLS_KEY": "",
    "PESISIR_TRUSTED_PROXIES": "",
    "PESISIR_STATUS_LISTEN": "127.0.0.1:8082",
    "PESISIR_SNAPSHOT_MAX_AGE": "7d",
    "PESISIR_JOURNAL_KEEP": "30d",
    "PESISIR_RADIUS_AUTH_LISTEN": "127.0.0.1:1812",
    "PESISIR_RADIUS_ACCT_LISTEN": "127.0.0.1:1813",
    "PESISIR_RADIUS_WORKERS": "1",
    "PESISIR_RADIUS_PATIENCE": "10s",
    "PESISIR_RADIUS_MAX_ATTRIBUTES": "200",
    "PESISIR_REQUIRE_MESSAGE_AUTHENTICATOR": "auto",
    "PESISIR_LIMIT_PROXY_STATE": "auto",
    "PESISIR_TIME_ZONE": "Asia/Makassar",
    "PESISIR_LANGUAGE": "id",
    "PESISIR_LOG_LEVEL": "info",
}


def load(environment: Mapping[str, str]) -> Settings:
    """Build the settings from an environment (and the files it names); raise SettingError."""
    values, origins = _gather(environment)
    data_dir = Path(values["PESISIR_DATA_DIR"]).resolve()
    http_listen = _read(values, "PESISIR_HTTP_LISTEN", _addresses)
    admin_listen = _read(values, "PESISIR_ADMIN_LISTEN", _addresses)
    certificate = values["PESISIR_TLS_CERT"]
    if bool(certificate) != bool(values["PESISIR_TLS_KEY"]):
        raise SettingError("PESISIR_TLS_CERT", "needs PESISIR_TLS_KEY beside it, and the reverse")
    scheme = "https" if certificate else "http"
    return Settings(
        data_dir=data_dir,
        database_url=_read(values, "PESISIR_DATABASE_URL", _database_url) or f"sqlite:///{data_dir / 'pesisir.db'}",
        http_listen=http_listen,
        admin_listen=admin_listen,
        portal_url=_read(values, "PESISIR_PORTAL_URL", _origin) or _url(scheme, http_listen),
        admin_url=_read(values, "PESISIR_ADMIN_URL", _origin) or _url(scheme, admin_listen),
        status_listen=_read(values, "PESISIR_STATUS_LISTEN", _addresses),
        radius_auth_listen=_read(values, "PESISIR_RADIUS_AUTH_LISTEN", _addresses),
        radius_acct_listen=_read(values, "PESISIR_RADIUS_ACCT_LISTEN", _addresses),
        radius_workers=_read(values, "PESISIR_RADIUS_WORKERS", _number(1, 64)),
        radius_patience_seconds=_read(values, "PESISIR_RADIUS_PATIENCE", _patience),
        radius_max_attributes=_read(values, "PESISIR_RADIUS_MAX_ATTRIBUTES", _number(200, 2_000)),
        require_message_authenticator=_read(values, "PESISIR_REQUIRE_MESSAGE_AUTHENTICATOR", _demand),
        limit_proxy_state=_read(values, "PESISIR_LIMIT_PROXY_STATE", _demand),
        snapshot_max_age_seconds=_read(values, "PESISIR_SNAPSHOT_MAX_AGE", parse_duration),
        journal_keep_seconds=_read(values, "PESISIR_JOURNAL_KEEP", parse_duration),
        time_zone=_read(values, "PESISIR_TIME_ZONE", _zone),
        language=_read(values, "PESISIR_LANGUAGE", _language),
        log_level=_read(values, "PESISIR_LOG_LEVEL", _log_level),
        tls_cert=Path(certificate) if certificate else None,
        tls_key=Path(values["PESISIR_TLS_KEY"]) if certificate else None,
        trusted_proxies=tuple(p.strip() for p in values["PESISIR_TRUSTED_PROXIES"].split(",") if p.strip()),
        secret_key=_read(values, "PESISIR_SECRET_KEY", _key) if values["PESISIR_SECRET_KEY"] else None,
        origins=origins,
    )


def load_secret_key(settings: Settings) -> bytes:
    """Return the 32-octet secret key, making it (mode 0600) on the very first start; raise SettingError."""
    if settings.secret_key is not None:
        return settings.secret_key
    path = settings.secret_key_file
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        text = path.read_text(encoding="ascii").strip()
    else:
        text = secrets.token_hex(32)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
    try:
        return _key(text)
    except ValueError as error:
        raise SettingError(str(path), str(error)) from error


def setting_names() -> tuple[str, ...]:
    """Return every variable, for documentation and its test."""
    assert len(DEFAULTS) == len(fields(Settings)) - 1
    return tuple(DEFAULTS)


def _gather(environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Collect each value: environment, then NAME_FILE, then the settings file, then the default."""
    file = environment.get("PESISIR_CONFIG", "")
    from_file = _settings_file(Path(file)) if file else {}
    values, origins = dict(DEFAULTS), dict.fromkeys(DEFAULTS, "default")
    for name in DEFAULTS:
        if name in environment:
            values[name], origins[name] = environment[name], "environment"
        elif f"{name}_FILE" in environment:
            path = Path(environment[f"{name}_FILE"])
            try:
                values[name] = path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SettingError(f"{name}_FILE", f"cannot read {path}: {error}") from error
            origins[name] = str(path)
        elif name in from_file:
            values[name], origins[name] = from_file[name], file
    unknown = [n for n in environment if n.startswith(PREFIX) and n.removesuffix("_FILE") not in DEFAULTS]
    for name in unknown:
        if name != "PESISIR_CONFIG":
            raise SettingError(name, "is not a setting; `pesisir config show` lists them all")
    return values, origins


def _settings_file(path: Path) -> dict[str, str]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError("PESISIR_CONFIG", f"cannot read {path}: {error}") from error
    values = {}
    for key, value in table.items():
        name = PREFIX + key.upper()
        if name not in DEFAULTS or not isinstance(value, str | int):
            raise SettingError("PESISIR_CONFIG", f"{path}: {key} is not a setting")
        values[name] = str(value)
    return values


def _read(values: Mapping[str, str], name: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(values[name])
    except (ValueError, UnitError) as error:
        raise SettingError(name, str(error)) from error


def _url(scheme: str, listen: tuple[Address, ...]) -> str:
    host, port = listen[0]
    name = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[scheme]
    return f"{scheme}://{name}" if port == default else f"{scheme}://{name}:{port}"


def _origin(text: str) -> str:
    """Read http(s)://HOST[:PORT] in lower case, with nothing behind it; "" stays ""."""
    problem = f"{text!r} is not http://HOST[:PORT] or https://HOST[:PORT], with nothing behind it"
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(problem) from error
    bare = parts.scheme in ("http", "https") and parts.path in ("", "/") and not text.endswith(("?", "#", ":"))
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    written = f"{name}:{port}" if port is not None else name
    if not bare or not name or port == 0 or parts.query or parts.fragment or parts.netloc.lower() != written:
        raise ValueError(problem)
    if not (name.startswith("[") or _HOST.match(name)):
        raise ValueError(problem)
    return f"{parts.scheme}://{written}"


def _database_url(text: str) -> str:
    if text and not text.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("begins neither with sqlite:/// nor with postgresql://")
    return text


def _number(least: int, greatest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or not least <= int(text) <= greatest:
            raise ValueError(f"{text!r} is not a number from {least} to {greatest}")
        return int(text)

    return parse


def _patience(text: str) -> int:
    seconds = parse_duration(text)
    if seconds > _LONGEST_PATIENCE_SECONDS:
        raise ValueError(f"{text!r} is longer than a minute: no router waits so long")
    return seconds


def _demand(text: str) -> Demand:
    if text not in set(Demand):
        raise ValueError(f"{text!r} is none of {', '.join(Demand)}")
    return Demand(text)


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{text!r} is not a time zone such as Asia/Makassar") from error


def _language(text: str) -> str:
    if text not in ("id", "en"):
        raise ValueError(f"{text!r} is neither id nor en")
    return text


def _log_level(text: str) -> int:
    levels = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}
    if text not in levels:
        raise ValueError(f"{text!r} is none of {', '.join(levels)}")
    return levels[text]


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ValueError("must be 64 hexadecimal digits, for example from `openssl rand -hex 32`")
    return key
