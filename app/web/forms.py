"""Reading a posted form: urlencoded, capped, each field once; whatever else is posted is refused with its reason."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

MAX_BODY_OCTETS: Final = 16_384
_MAX_FIELDS: Final = 64


class FormProblem(StrEnum):
    """Why a body is no form."""

    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"


async def read_form(request: Request) -> Mapping[str, str] | FormProblem:
    """Return the fields of an urlencoded body; of a repeated field the first."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_OCTETS:
                return FormProblem.TOO_LARGE
    except ClientDisconnect:
        return FormProblem.UNREADABLE
    if kind != "application/x-www-form-urlencoded":
        return FormProblem.UNREADABLE
    return read_pairs(bytes(body)) or FormProblem.UNREADABLE


def read_pairs(encoded: bytes) -> Mapping[str, str]:
    """Read `a=b&c=d`; nothing is raised, undecodable octets become U+FFFD, too many fields read as none."""
    try:
        pairs = parse_qsl(
            encoded.decode("utf-8", "replace"), keep_blank_values=True, errors="replace", max_num_fields=_MAX_FIELDS
        )
    except ValueError:
        return {}
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields
