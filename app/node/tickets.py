"""Which tickets were used, and where: once means once per (NAS, MAC, Acct-Session-Id). No I/O, no clock here."""

from collections import OrderedDict
from typing import Final, NamedTuple

from app.node.journal.records import Verdict

KEEP_SECONDS: Final = 60.0  # after it has expired: routers ask again, with a new Identifier, for some seconds


class _Use(NamedTuple):
    verdict: Verdict
    forget_at: float


class UsedTickets:
    """The Accept that each used ticket got; a repeat from the same place gets the same, another place gets nothing."""

    def __init__(self) -> None:
        self._uses: OrderedDict[str, _Use] = OrderedDict()

    def __len__(self) -> int:
        return len(self._uses)

    def use(self, name: str) -> Verdict | None:
        """Return the verdict that the ticket `name` was used for; None if it was not used."""
        found = self._uses.get(name)
        return None if found is None else found.verdict

    def note(self, verdict: Verdict, expires_at: float) -> None:
        """Remember an Accept of the ticket `verdict.user_name` until some time after it expires (epoch seconds)."""
        self._uses.setdefault(verdict.user_name, _Use(verdict, expires_at + KEEP_SECONDS))
        self._forget(verdict.at)

    def _forget(self, now: float) -> None:
        """Drop from the front, where the oldest stand: all tickets live equally long."""
        while self._uses:
            oldest = next(iter(self._uses))
            if self._uses[oldest].forget_at > now:
                return
            del self._uses[oldest]


def same_place(verdict: Verdict, nas_id: str, mac: str, acct_session_id: str) -> bool:
    """Tell whether a repeat comes from where the ticket was used."""
    return (verdict.nas_id, verdict.mac, verdict.acct_session_id) == (nas_id, mac, acct_session_id)
