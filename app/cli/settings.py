"""`pesisir config`: the settings in force."""

import re
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from app.cli.installation import read_settings
from app.cli.noun import example, noun
from app.cli.output import Json, show_json, show_table
from app.config import PREFIX, Settings, setting_names, written_address

commands = noun("config", "The settings in force.")

_SECONDS: Final = ("snapshot_max_age", "journal_keep", "radius_patience")
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_PASSWORD: Final = re.compile(r"(://[^:/@]*:)[^/]*@|(password=)[^&]*")


@commands.callback()
def _config() -> None:
    """Keep `show` a verb, though it is the only one."""


@commands.command(epilog=example("pesisir config show --origin"))
def show(
    origin: Annotated[bool, typer.Option("--origin", help="Also say where each value comes from.")] = False,
    as_json: Json = False,
) -> None:
    """Print every setting and its value. Secrets are hidden."""
    settings = read_settings()
    values = {name: shown(settings, name) for name in setting_names()}
    if as_json and origin:
        show_json({name: {"value": value, "origin": settings.origins[name]} for name, value in values.items()})
    elif as_json:
        show_json(values)
    elif origin:
        show_table(("setting", "value", "from"), [(n, v, settings.origins[n]) for n, v in values.items()])
    else:
        show_table(("setting", "value"), values.items())


def shown(settings: Settings, name: str) -> str:
    """Write one setting as the environment would give it; never a secret."""
    if name == "PESISIR_SECRET_KEY":
        return "(given)" if settings.secret_key is not None else f"(in {settings.secret_key_file})"
    field = name.removeprefix(PREFIX).lower()
    value: object = getattr(settings, f"{field}_seconds" if field in _SECONDS else field)
    if name == "PESISIR_DATABASE_URL":
        return hide_password(settings.database_url)
    if field in _SECONDS:
        assert isinstance(value, int)
        return _time(value)
    return _text(value)


def hide_password(url: str) -> str:
    """Return a database's URL without its password."""
    return _PASSWORD.sub(lambda match: f"{match[1]}***@" if match[1] else f"{match[2]}***", url)


def _time(seconds: int) -> str:
    """Write seconds in the largest unit that holds them exactly."""
    return next(f"{seconds // size}{unit}" for size, unit in _UNITS if seconds % size == 0)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case ZoneInfo():
            return value.key
        case tuple():
            return ",".join(part if isinstance(part, str) else written_address(part) for part in value)
        case _:
            return str(value)
