"""Logs: one line per thing, key=value, to standard error; never a password, secret, ticket or voucher code."""

import logging
import sys
from typing import Final

import structlog
from structlog.typing import Processor

from app.domain.text import escaped

DATAGRAMS: Final = "datagrams"
"""The logger of `app.node.datagram_log`, the only one that has more to say at DEBUG."""

_SHARED: Final[tuple[Processor, ...]] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(process: str, *, level: int = logging.INFO) -> None:
    """Send every log line of this process, those of libraries too, to standard error in one form.

    Nothing that a router or phone sends can begin a line of its own or move a terminal's cursor. `level` is that of
    the datagrams of RADIUS; libraries say no more than at INFO, for some of them would tell of passwords.
    """
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(min(level, logging.INFO)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _with_process(process),
            structlog.processors.format_exc_info,
            _harmless,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "process", "event"]),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger(DATAGRAMS).setLevel(level)
    logging.getLogger("uvicorn.access").disabled = True  # a query may carry a ticket
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _harmless(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Escape control characters; the renderer does it with line ends, which a traceback is full of."""
    for key, value in event.items():
        if value is not None and not isinstance(value, bool | int | float):
            event[key] = "\n".join(escaped(line) for line in str(value).split("\n"))
    return event


def _with_process(process: str) -> Processor:
    def add(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["process"] = process
        return event

    return add
