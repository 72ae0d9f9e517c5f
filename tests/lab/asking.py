"""Ask a router one thing by RADIUS from within a namespace, and print what it says; `asked` runs this there."""

import json
import sys
from typing import Final

from radius.attributes import Attributes
from radius.client_engine import Timing
from radius.messages import CoaRequest, DisconnectRequest
from radius.net.client import Silence, exchange
from tests.lab.topology import HERE, Topology

Identity = dict[str, str | int]
"""Attributes by name, each once."""

_QUICK: Final = Timing(first_seconds=1.0, longest_seconds=1.0, attempts=3, give_up_seconds=3.0)


def asked(
    topology: Topology,
    router: str,
    secret: str,
    identity: Identity,
    *,
    changes: Identity | None = None,
    sign: bool = True,
) -> tuple[str, int | None]:
    """Send a Disconnect-Request, or a CoA-Request with `changes`; return the answer's code and Error-Cause."""
    question = json.dumps([router, secret, identity, changes, sign])
    said = topology.run(topology.server, "env", f"PYTHONPATH={HERE.parents[1]}", sys.executable, __file__, question)
    code, cause = json.loads(said)
    return code, cause


def _main(question: str) -> None:
    router, secret, identity, changes, sign = json.loads(question)
    named = Attributes(identity.items())
    query = DisconnectRequest(named) if changes is None else CoaRequest(named, Attributes(changes.items()))
    answer = exchange((router, 3799), secret.encode(), query, timing=_QUICK, sign=sign)
    if isinstance(answer, Silence):
        print(json.dumps(["silence", None]))
    else:
        print(json.dumps([answer.reply.code.name, answer.reply.attributes.integer("Error-Cause")]))


if __name__ == "__main__":
    _main(sys.argv[1])
