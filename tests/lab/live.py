"""What a test of live changes asks of an installation: the newest session and change, and waiting for a state."""

import json
from collections.abc import Collection
from dataclasses import dataclass

from tests.lab.product import Product
from tests.lab.topology import wait_for

Shown = dict[str, object]


@dataclass(frozen=True)
class Live:
    """One installation under change."""

    product: Product

    def session(self) -> Shown:
        """Return the newest session as it is shown, with its changes."""
        newest = self.product.sessions()[0]
        shown: Shown = json.loads(self.product.run("session", "show", str(newest["id"]), "--json"))
        return shown

    def wait_for_session(self, state: str = "open") -> Shown:
        """Return the newest session once it is in a state."""
        wait_for(
            f"a session that is {state}",
            lambda: bool(found := self.product.sessions()) and found[0]["state"] == state,
        )
        return self.session()

    def change(self) -> Shown:
        """Return the newest change."""
        changes: list[Shown] = json.loads(self.product.run("change", "list", "--state", "all", "--json"))
        return changes[0]

    def wait_for_change(self, state: str, results: Collection[str], *, seconds: float = 10) -> Shown:
        """Return the newest change once it is in a state with one of some results."""

        def reached() -> bool:
            change = self.change()
            return change["state"] == state and change["result"] in results

        wait_for(f"a change that is {state}: {results}; it is {self.change()}", reached, seconds=seconds)
        return self.change()
