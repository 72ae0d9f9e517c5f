"""What a node answered, looked at."""

from collections.abc import Callable

from app.domain.access import DenialReason
from radius.messages import Accept, Answer, Reject
from tests.node.city import City, Node

Start = Callable[[City], Node]
OTHER_MAC = "02:aa:00:00:00:02"
UNKNOWN_MAC = Reject(reason="resume_unknown")


def accepted(answer: Answer) -> Accept:
    assert isinstance(answer, Accept)
    return answer


def refused(node: Node, answer: Answer) -> DenialReason:
    assert isinstance(answer, Reject)
    verdict = node.verdicts()[-1]
    assert not verdict.accepted
    return DenialReason(verdict.reason)
