"""A change: what an open session must be told, until its NAS has answered."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ChangeKind(StrEnum):
    """What the NAS is asked to do."""

    DISCONNECT = "disconnect"
    CHANGE = "change"


class ChangeState(StrEnum):
    """A change's life: pending until it is sent, sent until it is answered."""

    PENDING = "pending"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Change:
    """One change; `payload` is JSON that the NAS's family understands, `result` what came of it."""

    id: str
    session_id: str
    kind: ChangeKind
    reason: str
    state: ChangeState
    due_at: datetime
    created_at: datetime
    payload: str = ""
    attempts: int = 0
    result: str = ""
