"""What became of a change of an open session, in words."""

from typing import Final

from app.cli.installation import Installation
from app.cli.output import JsonValue, iso
from app.db.change_list import ListedChange
from app.domain.changes import Change, ChangeKind, ChangeState, Result, Way, read_result

_CAUSES: Final = {
    "401": "it does not know an attribute",
    "402": "an attribute is missing",
    "403": "it takes itself for another NAS",
    "404": "it does not understand the request",
    "405": "it offers no such service",
    "407": "it does not take a value",
    "501": "it is forbidden there",
    "502": "it cannot pass it on",
    "504": "it cannot remove the session now",
    "506": "it lacks resources now",
    "508": "it found several sessions",
}
_WAYS: Final = {
    Way.COA: "changed within the session",
    Way.DISCONNECT: "the router has ended it",
    Way.RESUME: "the router has ended it; the device comes back within its new limits",
}


def state_words(change: Change) -> str:
    """Say where a change stands."""
    result, detail = read_result(change.result)
    match change.state:
        case ChangeState.PENDING if result is Result.LATER:
            return f"pending: the router could not yet ({_cause(detail)}), it is asked again"
        case ChangeState.PENDING:
            return "pending: it is sent within a second"
        case ChangeState.SENT:
            return "sent: the router has not answered yet"
        case ChangeState.UNKNOWN:
            return "unknown: the router did not answer; it is asked again when it next reports the session"
        case ChangeState.WAITING:
            return f"waiting: {_result(result, detail, change)}"
        case ChangeState.DONE:
            return f"done: {_result(result, detail, change)}"
        case ChangeState.FAILED:
            return f"failed: {_result(result, detail, change)}"


def _result(result: Result | None, detail: str, change: Change) -> str:
    match result:
        case Result.ACKNOWLEDGED:
            return "the router has agreed" if change.way is None else _WAYS[change.way]
        case Result.ENDED:
            return "the session is over"
        case Result.NO_SESSION:
            return "the router knows of no such session; it is closed here"
        case Result.UNNEEDED:
            return "nothing changes that this router holds the session to"
        case Result.NEXT_LOGIN:
            refused = f" ({_cause(detail)})" if detail else ""
            return f"it holds from the next login on; within the session this router cannot be told{refused}"
        case Result.NEXT_QUESTION:
            return "the router asks about its sessions by itself, and is told then"
        case Result.NEXT_REPORT:
            return "the router is told when it next reports"
        case Result.REFUSED:
            return f"the router refused: {_cause(detail)}"
        case Result.LATER:
            return f"given up after {change.attempts} tries: {_cause(detail)}"
        case Result.SILENT:
            why = " that could be believed: another secret?" if detail else ""
            return f"given up after {change.attempts} tries: the router gave no answer{why}"
        case Result.UNSUPPORTED:
            return "a router of this family cannot be told that"
        case Result.NAMELESS:
            return f"the router never reported {detail}, by which it wants the session named"
        case Result.NOWHERE:
            return "nobody knows at which address the router takes changes: pesisir nas set NAME --coa-address HOST"
        case Result.WITHDRAWN:
            return "it was not needed any more"
        case None:
            return change.result or "-"


def _cause(detail: str) -> str:
    if detail in ("", "0"):
        return "it did not say why"
    return f"{_CAUSES.get(detail, 'it says')}, Error-Cause {detail}" if detail.isdigit() else detail


def kind_words(change: Change) -> str:
    """Say what was asked, by whom and why."""
    what = "end" if change.kind is ChangeKind.DISCONNECT else "new limits"
    why = change.note or change.reason.replace("_", " ")
    return f"{what} ({why})" if not change.author else f"{what} ({why}; {change.author})"


def change_json(listed: ListedChange, here: Installation) -> dict[str, JsonValue]:
    """Return a change as scripts read it."""
    change = listed.change
    return {
        "id": change.id,
        "session": change.session_id,
        "user": listed.user,
        "device": listed.device,
        "nas": listed.nas,
        "kind": change.kind.value,
        "reason": change.reason,
        "author": change.author or None,
        "note": change.note or None,
        "state": change.state.value,
        "way": None if change.way is None else change.way.value,
        "result": change.result or None,
        "words": state_words(change),
        "attempts": change.attempts,
        "created_at": iso(change.created_at, here.zone),
        "finished_at": iso(change.finished_at, here.zone),
    }
