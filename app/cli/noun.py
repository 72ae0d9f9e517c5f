"""One noun of the command line is a group of verbs; at the root every failure becomes a message and an exit code."""

import os
import sys
from typing import Any, Final

import typer
from typer.core import TyperGroup

from app.cli.failures import ExitCode, Failure, where
from app.config import SettingError

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
_WORDS: Final = {"nas": "NAS", "batch": "batch of vouchers", "window at site": "window"}


def noun(name: str, text: str) -> typer.Typer:
    """Return an empty group of verbs."""
    return typer.Typer(name=name, help=text, rich_markup_mode=None, no_args_is_help=True, add_completion=False)


def example(*commands: str) -> str:
    """Return the end of a help page: how it is called."""
    return "Example: " + "; ".join(commands)


class Root(TyperGroup):
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
        return result


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
    from app.services.errors import Conflict, Invalid, NotFound

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
