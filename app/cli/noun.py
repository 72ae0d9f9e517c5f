"""One noun of the command line is a group of verbs; at the root every failure becomes a message and an exit code."""

import os
import re
import sys
from itertools import pairwise
from typing import Any, Final, NamedTuple

import typer
from typer.core import TyperGroup

from app.cli.failures import ExitCode, Failure, where
from app.config import SettingError
from app.domain.text import escaped
from app.services.errors import Conflict, Invalid, NotFound

_LISTS: Final = {
    "uplink": "pesisir uplink list",
    "site": "pesisir site list",
    "plan": "pesisir plan list",
    "nas": "pesisir nas list",
    "user": "pesisir user list",
    "voucher": "pesisir voucher list",
    "batch": "pesisir voucher list",
    "session": "pesisir session list",
    "calendar": "pesisir calendar list",
    "window": "pesisir plan show NAME",
    "window at site": "pesisir site show NAME",
    "own quota": "pesisir user show NAME",
    "own value": "pesisir user override NAME",
    "value at site": "pesisir site override NAME",
}
_CALLED: Final = "pesisir.called"
_LONGEST_REPEATED: Final = 60  # characters of a value
_UNITS: Final = re.compile(r"_(bps|seconds|octets)\Z")
_SECRET: Final = frozenset({"password", "secret", "portal_secret"})
_OTHERWISE: Final = {
    "author": ("by",),
    "portal_secret": ("portal_secret_file",),
    "quotas": ("quota", "daily", "weekly", "monthly", "billing", "total"),
    "seconds": ("days",),
    "secret": ("secret_file",),
    "valid_until": ("until",),
}
"""What an option is called where it is not called as the value is."""

_WORDS: Final = {"nas": "NAS", "batch": "batch of vouchers", "window at site": "window"}


def noun(name: str, text: str) -> typer.Typer:
    """Return an empty group of verbs."""
    return typer.Typer(
        name=name, cls=Noun, help=text, rich_markup_mode=None, no_args_is_help=True, add_completion=False
    )


class Called(NamedTuple):
    """A command, and what was typed behind it."""

    command: Any  # click's, which Typer brings along
    typed: tuple[str, ...]

    def said_of(self, field: str) -> tuple[str, str | None] | None:
        """Return the option that a field was given by, and its value if it was typed once and is no secret."""
        flags = {flag: flag.removeprefix("--").replace("-", "_") for one in self.command.params for flag in one.opts}
        names = {one.name: flag for one in self.command.params for flag in one.opts if flag.startswith("--")}
        known = {name: flag for flag, name in flags.items() if flag.startswith("--")} | names
        wanted = field.replace(" ", "_")
        found = [known[name] for name in (wanted, _UNITS.sub("", wanted), *_OTHERWISE.get(wanted, ())) if name in known]
        if not found:
            return None
        given = [flag for flag in found if self._values(flag)]
        option = given[0] if given else found[0]
        values = self._values(option)
        return option, values[0] if len(values) == 1 and wanted not in _SECRET else None

    def _values(self, option: str) -> list[str]:
        """Return the values that were typed for an option."""
        apart = [after for one, after in pairwise(self.typed) if one == option]
        return apart + [one.partition("=")[2] for one in self.typed if one.startswith(f"{option}=")]


def example(*commands: str) -> str:
    """Return the end of a help page: how it is called."""
    return "Example: " + "; ".join(commands)


class Noun(TyperGroup):
    """A group of verbs, which keeps what was called, so that what is said of a value names its option."""

    def resolve_command(self, ctx: Any, args: Any) -> Any:  # Any: Typer's own signature
        """Find a verb, and keep it with what was typed behind it."""
        name, command, rest = super().resolve_command(ctx, args)
        ctx.meta[_CALLED] = Called(command, tuple(rest))
        return name, command, rest


class Root(Noun):
    """The command `pesisir` itself."""

    def main(self, *args: Any, **options: Any) -> Any:  # Any: Typer's own signature, passed on unread
        """Run a command; whatever it raises is told in a line or three, and never as a traceback."""
        try:
            return super().main(*args, **options)
        except Exception as error:  # noqa: BLE001 the one edge of the command line, which answers for every command
            failure = explain(error)
            print("\n".join(failure.lines()), file=sys.stderr)
            sys.exit(failure.code)

    def invoke(self, ctx: Any) -> Any:  # Any: the same
        """Run a command; end without a word where nobody reads on, such as `| head`, and speak as we speak."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is for nobody
            raise typer.Exit(ExitCode.CLOSED_PIPE) from error
        except typer.BadParameter as error:
            error.message = _in_our_words(error.message)
            raise
        except Invalid as error:
            said = _of_an_option(error, ctx.meta.get(_CALLED))
            if said is None:
                raise
            raise said from error
        return result


def _of_an_option(error: Invalid, called: Called | None) -> Failure | None:
    """Say of the option and the value that were typed why they cannot be used; None if no option is meant."""
    said = None if called is None else called.said_of(error.field)
    if said is None:
        return None
    option, typed = said
    unsaid = typed is not None and typed not in error.problem and len(typed) <= _LONGEST_REPEATED
    named = f"{option} {escaped(typed or '')}" if unsaid else option
    return Failure(f"{named} {error.problem}", code=ExitCode.USAGE)


def _in_our_words(message: str) -> str:
    """Return what Typer's library says of a bad value, without the library."""
    words = message.removeprefix("Value error, ").partition(", unable to parse")[0].removesuffix(".")
    return words.replace("Input should be", "must be")


def explain(error: Exception) -> Failure:
    """Turn what a command raised into what is said about it."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, SettingError):
        return Failure(
            f"{error.variable} is not usable", why=error.problem, hint="set it right, or unset it to take the default"
        )
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return Failure(f"cannot use {error.filename}", why=error.strerror, hint="pesisir doctor")
    return _explain_service(error) or Failure(
        "something went wrong that should not", why=f"{type(error).__name__} at {where(error)}: {error}"
    )


def _explain_service(error: Exception) -> Failure | None:
    match error:
        case NotFound(kind=kind, name=name):
            said = f"there is no {_WORDS.get(kind, kind)} {name!r}"
            return Failure(said, hint=_LISTS.get(kind, ""), code=ExitCode.NOT_FOUND)
        case Conflict(kind=kind, name=name, problem=problem):
            return Failure(
                f"{_WORDS.get(kind, kind)} {name!r} {problem}", hint=_LISTS.get(kind, ""), code=ExitCode.CONFLICT
            )
        case Invalid(field=field, problem=problem):
            return Failure(f"{field.replace('_', ' ')} {problem}", code=ExitCode.USAGE)
        case _:
            return _explain_database(error)


def _explain_database(error: Exception) -> Failure | None:
    from app.db.errors import AWAY
    from app.services.keyring import SealError
    from app.services.schema import SchemaError

    if isinstance(error, SchemaError):
        return Failure(error.problem, hint=error.remedy)
    if isinstance(error, SealError):
        return Failure("a stored secret cannot be opened", why="it was sealed with another key", hint="pesisir doctor")
    if isinstance(error, AWAY):
        return Failure("the database does not answer", why=str(error).splitlines()[0], hint="pesisir doctor")
    return None
