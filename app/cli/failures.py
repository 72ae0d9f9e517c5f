"""How a command fails: what, why, and the next command; one line each, never a traceback. Exit codes are fixed."""

import traceback
from enum import IntEnum
from typing import NoReturn


class ExitCode(IntEnum):
    """What a script may rely on."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    CONFLICT = 4
    CLOSED_PIPE = 141  # as a shell says of a program that SIGPIPE ended


class Failure(Exception):  # noqa: N818 read as "raise Failure(what, why, hint)"
    """A command that could not do its work: `what` happened, `why`, and the `hint` that helps; "" where none is."""

    def __init__(self, what: str, *, why: str = "", hint: str = "", code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint
        self.code = code

    def lines(self) -> list[str]:
        """Return what is said on stderr."""
        said = [f"pesisir: {self.what}"]
        if self.why:
            said.append(f"  why:  {self.why}")
        if self.hint:
            said.append(f"  next: {self.hint}")
        return said


def usage(what: str, *, why: str = "", hint: str = "") -> NoReturn:
    """Stop because of how the command was called."""
    raise Failure(what, why=why, hint=hint, code=ExitCode.USAGE)


def nothing_to_change(command: str) -> NoReturn:
    """Stop because a command that changes values was given none."""
    usage("nothing was given to change", hint=f"the values that can be: pesisir {command} --help")


def where(error: BaseException) -> str:
    """Name the innermost line that raised, for an error that nobody foresaw."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "unknown place"
