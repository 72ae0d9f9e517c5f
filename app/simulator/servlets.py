"""The pages of the hotspot folder, as the router fills them in: `$(name)`, `$(if ...)`, `$(else)`, `$(endif)`.

Only what the pages that Pesisir generates use; RouterOS manual, "Hotspot customisation". No I/O here.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from app.simulator.http import Response, location

_MARK: Final = re.compile(r"\$\(([^()]*)\)")
_TEST: Final = re.compile(r"if ([a-z-]+)(?: (==|!=) ['\"]?([^'\"]*)['\"]?)?\Z")


class ServletError(Exception):
    """A page with a mark that is not one of RouterOS: the mark."""


def fill(page: str, variables: Mapping[str, str]) -> Response:
    """Fill a page in; what it says of `http-status` and `http-header` becomes status and header of the answer."""
    out: dict[str, list[str]] = {"": []}  # what is written, by where it goes: the body, the status, a header
    states: list[tuple[bool, str]] = [(True, "")]  # whether this branch is written, and where to
    position = 0
    for mark in _MARK.finditer(page):
        _write(out, states[-1], page[position : mark.start()])
        position = mark.end()
        word = mark[1]
        if word.startswith("if "):
            states.append(_branch(word, variables, states[-1]))
        elif word == "else":
            states[-1] = (states[-2][0] and not states[-1][0], states[-1][1])
        elif word == "endif":
            states.pop()
        else:
            _write(out, states[-1], variables.get(word, ""))
    _write(out, states[-1], page[position:])
    return _response({place: "".join(parts) for place, parts in out.items()})


def _branch(word: str, variables: Mapping[str, str], around: tuple[bool, str]) -> tuple[bool, str]:
    match = _TEST.match(word)
    if match is None:
        raise ServletError(word)
    name, operator, value = match.groups()
    if name in ("http-status", "http-header"):
        return around[0], f"{name} {value}"
    actual = variables.get(name, "")
    holds = bool(actual) if operator is None else (actual == value) is (operator == "==")
    return around[0] and holds, around[1]


def _write(out: dict[str, list[str]], state: tuple[bool, str], text: str) -> None:
    written, place = state
    if written:
        out.setdefault(place, []).append(text)


def _response(written: Mapping[str, str]) -> Response:
    status = HTTPStatus.OK
    headers = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"}
    for place, text in written.items():
        kind, _, value = place.partition(" ")
        if kind == "http-status":
            status = HTTPStatus(int(value))
        elif kind == "http-header":
            headers[value.lower()] = location(text)
    return Response(status, written[""].lstrip().encode(), headers)
