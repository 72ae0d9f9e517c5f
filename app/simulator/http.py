"""Just enough HTTP/1.1 for a router's pages and a phone's browser, on asyncio streams: one request a connection.

Whatever comes is bounded in size and time; what is not HTTP gets 400.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from app.simulator.router import Address

_LONGEST_HEAD: Final = 16_384
_LONGEST_BODY: Final = 65_536
_LARGEST_ANSWER: Final = 4_194_304
_PATIENCE_SECONDS: Final = 20.0
_URL_CHARACTERS: Final = "%/:=&?~#+!$,;'@()*[]\\"


class HttpError(Exception):
    """What came over the connection is not HTTP that we speak."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a router. `form` has the first value of each field, of the body over the query."""

    method: str
    path: str
    query: str
    host: str
    form: Mapping[str, str]
    source: str  # the phone's IP address


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, to be sent or as received; header names are in lower case."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def location(url: str) -> str:
    """Write a URL so that it can stand in a header; what may not be there, a line's end above all, is escaped."""
    return quote(url, safe=_URL_CHARACTERS)


def html(text: str, status: int = HTTPStatus.OK) -> Response:
    """Show a page."""
    return Response(status, text.encode(), {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"})


Handler = Callable[[Request], Awaitable[Response]]


async def serve(handler: Handler, address: Address) -> asyncio.Server:
    """Answer every connection to an address with what the handler makes of it."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                writer.write(_rendered(await _answer(handler, reader, writer)))
                await writer.drain()
        except (ConnectionError, TimeoutError):  # the phone is gone; it asks again if it wants to know
            pass
        finally:
            writer.close()

    return await asyncio.start_server(connected, *address, limit=_LONGEST_HEAD)


async def exchange(address: Address, request: bytes, *, source: str) -> Response:
    """Send a request from one of our addresses and read the answer; raise OSError, TimeoutError or HttpError."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection(*address, local_addr=(source, 0), limit=_LONGEST_HEAD)
        try:
            writer.write(request)
            await writer.drain()
            first, headers = await _read_head(reader)
            body = await _read_body(reader, headers, _LARGEST_ANSWER)
        finally:
            writer.close()
    parts = first.split(" ", 2)
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdigit():
        raise HttpError(first)
    return Response(int(parts[1]), body, headers)


async def _answer(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Response:
    try:
        request = await _read_request(reader, writer.get_extra_info("peername")[0])
    except HttpError:
        return html("400", HTTPStatus.BAD_REQUEST)
    return await handler(request)


async def _read_request(reader: asyncio.StreamReader, source: str) -> Request:
    first, headers = await _read_head(reader)
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise HttpError(first)
    method, target, _ = parts
    try:
        url = urlsplit(target)
    except ValueError as error:
        raise HttpError(target) from error
    body = await _read_body(reader, headers, _LONGEST_BODY) if "content-length" in headers else b""
    form = parse_fields(url.query) | parse_fields(body.decode("latin-1"))
    return Request(method, url.path or "/", url.query, headers.get("host", url.netloc), form, source)


def parse_fields(text: str) -> dict[str, str]:
    """Read a query or a form; octets that are not UTF-8 are replaced, more than 100 fields are none at all."""
    try:
        return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True, max_num_fields=100).items()}
    except ValueError:
        return {}


async def _read_head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise HttpError("head") from error
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
    return first, headers


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str], longest: int) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader, longest)
    length = headers.get("content-length")
    if length is None:
        return await _read_rest(reader, longest)
    if not length.isascii() or not length.isdigit() or int(length) > longest:
        raise HttpError("Content-Length")
    return await _read_exactly(reader, int(length))


async def _read_chunks(reader: asyncio.StreamReader, longest: int) -> bytes:
    body = b""
    while True:
        try:
            size = int((await reader.readline()).split(b";")[0], 16)
        except ValueError as error:
            raise HttpError("chunk") from error
        if not 0 <= size <= longest - len(body):
            raise HttpError("chunk")
        body += await _read_exactly(reader, size)
        await reader.readline()
        if size == 0:
            return body


async def _read_exactly(reader: asyncio.StreamReader, size: int) -> bytes:
    try:
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as error:
        raise HttpError("body") from error


async def _read_rest(reader: asyncio.StreamReader, longest: int) -> bytes:
    body = b""
    while chunk := await reader.read(_LONGEST_BODY):
        body += chunk
        if len(body) > longest:
            raise HttpError("body")
    return body


def _rendered(response: Response) -> bytes:
    reason = HTTPStatus(response.status).phrase
    headers = {**response.headers, "content-length": str(len(response.body)), "connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {response.status} {reason}\r\n{head}\r\n".encode("latin-1", "replace") + response.body
