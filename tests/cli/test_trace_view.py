"""How a traced datagram looks on a terminal."""

import io
from zoneinfo import ZoneInfo

import pytest

from app.cli.trace_view import DROPS, hint_lines, lines, meaning, painter
from app.node.trace import Traced
from radius.errors import DropReason

ZONE = ZoneInfo("Asia/Makassar")
ACCEPT: Traced = {
    "at": 1_800_000_000.123,
    "process": "radius-0",
    "nas": "gusung-1",
    "hints": [],
    "source": "10.9.1.2:40000",
    "service": "auth",
    "packet": "Access-Request",
    "id": 17,
    "octets": 90,
    "signed": True,
    "account": None,
    "attributes": [{"name": "User-Name", "value": "siti"}, {"name": "User-Password", "value": "***"}],
    "malformed": "",
    "outcome": "Access-Accept",
    "reason": "password",
    "repeated": False,
    "milliseconds": 1.23,
    "reply": [{"name": "Session-Timeout", "value": "3600"}],
}


def drawn(shown: Traced) -> list[str]:
    return list(lines(shown, ZONE, lambda text, _: text))


def test_accept_is_the_request_the_decision_and_the_reply() -> None:
    assert drawn(ACCEPT) == [
        "16:00:00.123  gusung-1  Access-Request 17 from 10.9.1.2:40000, signed",
        "    User-Name                siti",
        "    User-Password            ***",
        "  -> Access-Accept password: by its password, 1.23 ms",
        "    Session-Timeout          3600",
    ]


def test_drop_of_a_stranger_says_what_is_wrong() -> None:
    dropped: Traced = {
        **ACCEPT, "nas": None, "signed": False, "attributes": [], "reply": [], "malformed": "too_short: 3 octets",
        "octets": 3, "outcome": "dropped", "reason": "unknown_nas",
    }  # fmt: skip
    assert drawn(dropped) == [
        "16:00:00.123  -  Access-Request 17 from 10.9.1.2:40000",
        "    3 octets, too_short: 3 octets",
        "  -> dropped unknown_nas: no NAS is registered for this address, 1.23 ms",
    ]


def test_hint_about_the_nas_is_a_line() -> None:
    hinted: Traced = {**ACCEPT, "hints": [{"hint": "clock_off", "detail": "-2400"}]}
    assert list(hint_lines(hinted, lambda text, _: text)) == ["! gusung-1: its clock is 40m 00s slow"]


def test_repeated_reply_is_called_so() -> None:
    again: Traced = {**ACCEPT, "repeated": True, "reason": "", "attributes": [], "reply": []}
    assert drawn(again)[-1] == "  -> Access-Accept, the same octets again, 1.23 ms"


def test_c3_07_what_was_sent_cannot_speak_to_the_terminal() -> None:
    hostile: Traced = {**ACCEPT, "attributes": [{"name": "User-Name", "value": "\x1b[2J\n\u202eevil"}], "reply": []}
    text = "\n".join(drawn(hostile))
    assert text.count("\n") == 2
    assert not {"\x1b", "\u202e"} & set(text)


@pytest.mark.parametrize("reason", DropReason)
def test_every_drop_is_explained(reason: DropReason) -> None:
    assert meaning("dropped", reason.value) == DROPS[reason]


@pytest.mark.parametrize(
    ("outcome", "reason", "words"),
    [
        pytest.param("Access-Reject", "quota_exhausted", "a quota was used up", id="a denial"),
        pytest.param(
            "Access-Reject",
            "resume_unknown",
            "no log-in lets this device come back, or the MAC secret is wrong",
            id="a phone that nobody knows",
        ),
        pytest.param("Access-Reject", "unbuildable", "the answer did not fit a packet", id="our own"),
        pytest.param("Access-Reject", "another", "", id="unknown"),
        pytest.param("Access-Accept", "resume", "a device that may come back", id="an accept"),
        pytest.param("Accounting-Response", "", "", id="none"),
    ],
)
def test_reason_is_explained_where_it_does_not_explain_itself(outcome: str, reason: str, words: str) -> None:
    assert meaning(outcome, reason) == words


class Output(io.StringIO):
    """A standard output that is a terminal, or is not."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        pytest.param(True, {"TERM": "xterm"}, True, id="a terminal"),
        pytest.param(False, {"TERM": "xterm"}, False, id="a pipe"),
        pytest.param(True, {"TERM": "xterm", "NO_COLOR": "1"}, False, id="nobody wants them"),
        pytest.param(True, {"TERM": "dumb"}, False, id="a dumb terminal"),
    ],
)
def test_colours_are_for_terminals_alone(terminal: bool, environment: dict[str, str], coloured: bool) -> None:
    assert painter(Output(terminal=terminal), environment)("dropped", "31") == (
        "\x1b[31mdropped\x1b[0m" if coloured else "dropped"
    )
