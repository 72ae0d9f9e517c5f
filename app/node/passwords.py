"""Checking account passwords that come by RADIUS: argon2id beside the loop, once; then by a keyed verifier for a day.

A flood of wrong passwords fills its own NAS's lane only: lanes take turns, and each, and each account, is bounded.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hmac import compare_digest
from typing import Final, NamedTuple

import structlog

from app.domain.keys import tag
from app.domain.users import Credential, CredentialKind
from app.services import passwords
from app.services.keyring import Keyring

_RIGHT_SECONDS: Final = 86_400.0
_WRONG_SECONDS: Final = 60.0
_MOST_WRONG: Final = 4096
_MOST_IN_LANE: Final = 16
_MOST_OF_ACCOUNT: Final = 2
_MOST_WAITING: Final = 256

log = structlog.get_logger("node")


class Check(StrEnum):
    """What is known about a password now."""

    RIGHT = "right"
    WRONG = "wrong"
    PENDING = "pending"  # being checked; ask again when woken
    BUSY = "busy"  # too much is being checked


class _Job(NamedTuple):
    account_id: str
    credential: Credential
    password: str
    proof: bytes


@dataclass(slots=True)
class Counters:
    """What the checker has done since the start."""

    checked: int = 0
    wrong: int = 0
    remembered: int = 0
    busy: int = 0


class PasswordChecker:
    """Checks in `threads` threads; `on_done` is called after each check. `now` arguments are monotonic seconds."""

    def __init__(
        self, keyring: Keyring, *, monotonic: Callable[[], float], on_done: Callable[[], None], threads: int = 1
    ) -> None:
        self.counters = Counters()
        self._keyring, self._monotonic, self._on_done = keyring, monotonic, on_done
        self._right: dict[str, tuple[bytes, float]] = {}
        self._opened: dict[str, bytes] = {}  # of accounts whose password is kept sealed
        self._wrong: OrderedDict[bytes, float] = OrderedDict()
        self._lanes: dict[str, deque[_Job]] = {}
        self._pending: dict[bytes, str] = {}
        self._condition = threading.Condition()
        self._stopping = False
        self._threads = [threading.Thread(target=self._run, name="password", daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def check(self, account_id: str, credential: Credential, password: str, *, lane: str) -> Check:
        """Tell what is known; a hashed password that is not is put in its lane."""
        proof = tag(self._keyring.verifier_key, account_id.encode(), credential.secret, password.encode())
        if credential.kind is CredentialKind.ENCRYPTED:
            return self._check_now(account_id, credential, password, proof)
        with self._condition:
            known = self._known(account_id, proof, self._monotonic())
            if known is not None:
                return known
            return self._enqueue(_Job(account_id, credential, password, proof), lane)

    def stop(self) -> None:
        """End the threads; what waits is dropped."""
        with self._condition:
            self._stopping = True
            self._lanes.clear()
            self._condition.notify_all()
        for thread in self._threads:
            thread.join()

    def _check_now(self, account_id: str, credential: Credential, password: str, proof: bytes) -> Check:
        """Open a sealed password, the first time; it costs five times the verifier."""
        if compare_digest(self._opened.get(account_id, b""), proof):
            self.counters.remembered += 1
            return Check.RIGHT
        if not passwords.verify(self._keyring, account_id, credential, password):
            return Check.WRONG
        self._opened[account_id] = proof
        return Check.RIGHT

    def _known(self, account_id: str, proof: bytes, now: float) -> Check | None:
        right = self._right.get(account_id)
        if right is not None and compare_digest(right[0], proof) and right[1] > now:
            self.counters.remembered += 1
            return Check.RIGHT
        if self._wrong.get(proof, now) > now:
            return Check.WRONG
        return Check.PENDING if proof in self._pending else None

    def _enqueue(self, job: _Job, lane: str) -> Check:
        of_account = sum(1 for account_id in self._pending.values() if account_id == job.account_id)
        waiting = self._lanes.setdefault(lane, deque())
        if (
            of_account >= _MOST_OF_ACCOUNT
            or len(waiting) >= _MOST_IN_LANE
            or len(self._pending) >= _MOST_WAITING
            or self._stopping
        ):
            self.counters.busy += 1
            return Check.BUSY
        waiting.append(job)
        self._pending[job.proof] = job.account_id
        self._condition.notify()
        return Check.PENDING

    # In the threads

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                right = passwords.verify(self._keyring, job.account_id, job.credential, job.password)
            except Exception:  # the thread must outlive any stored hash; the request stays unanswered
                log.exception("password_check_failed", account=job.account_id)
                self._finish(job, None)
            else:
                self._finish(job, right)
            self._on_done()

    def _next(self) -> _Job | None:
        """Wait for work; take it from the lane whose turn it is."""
        with self._condition:
            while not self._stopping:
                for lane in list(self._lanes):
                    waiting = self._lanes.pop(lane)
                    if waiting:
                        self._lanes[lane] = waiting  # to the end: the others come first next time
                        return waiting.popleft()
                self._condition.wait()
            return None

    def _finish(self, job: _Job, right: bool | None) -> None:
        now = self._monotonic()
        with self._condition:
            self._pending.pop(job.proof, None)
            self.counters.checked += 1
            if right:
                self._right[job.account_id] = (job.proof, now + _RIGHT_SECONDS)
            elif right is not None:
                self.counters.wrong += 1
                self._wrong[job.proof] = now + _WRONG_SECONDS
                while len(self._wrong) > _MOST_WRONG:
                    self._wrong.popitem(last=False)
