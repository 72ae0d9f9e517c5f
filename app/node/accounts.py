"""The accounts that a node knows, by id and by name, each with its effective policy. No I/O here.

One thread changes them, another reads: every change is one assignment to one key, and no reader holds two.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import NamedTuple

from app.db.snapshot import AccountFacts
from app.domain.plans import Plan
from app.domain.policies import Policy, effective_policy
from app.domain.quotas import QuotaOverride
from app.domain.users import Account, Credential


class Login(NamedTuple):
    """How a person proves to be an account; None: not by a password."""

    username: str
    credential: Credential | None


class Accounts:
    """Every account that exists. Accounts without overrides share their plan's policy."""

    def __init__(
        self,
        plans: Mapping[str, Plan],
        facts: Iterable[AccountFacts],
        overrides: Mapping[str, Sequence[QuotaOverride]],
        *,
        now: datetime,
    ) -> None:
        self._plans = dict(plans)
        self._policies = _policies(self._plans, now)
        self._overrides = {account_id: tuple(some) for account_id, some in overrides.items()}
        self._by_id: dict[str, Account] = {}
        self._by_name: dict[str, str] = {}
        self._logins: dict[str, Login] = {}
        for fact in facts:
            self._add(fact, now)

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, account_id: str, now: datetime) -> Account | None:
        """Return an account with the policy that holds at `now`."""
        account = self._by_id.get(account_id)
        if account is not None:
            changes_at = account.policy.changes_at
            if changes_at is not None and changes_at <= now:
                account = self._with_policy(account, account.policy.plan.id, now)
                self._by_id[account_id] = account
        return account

    def id_of(self, username: str) -> str | None:
        """Return the account id behind a canonical user name."""
        return self._by_name.get(username)

    def login(self, account_id: str) -> Login | None:
        """Return the name and credential of an account; None for guests and vouchers."""
        return self._logins.get(account_id)

    # What is written to the disk

    def copied(self) -> "Accounts":
        """Return a copy that changes no more; it shares with this one what never changes."""
        other = copy(self)
        for name in ("_overrides", "_by_id", "_by_name", "_logins"):
            setattr(other, name, dict(getattr(self, name)))
        return other

    @property
    def plans(self) -> Mapping[str, Plan]:
        """Return the plans by id."""
        return self._plans

    @property
    def overrides(self) -> Mapping[str, Sequence[QuotaOverride]]:
        """Return the overrides by account id."""
        return self._overrides

    @property
    def ids(self) -> Collection[str]:
        """Return every account's id."""
        return self._by_id.keys()

    def facts(self, account_id: str) -> AccountFacts:
        """Return what the database said about an account that is there."""
        account, login = self._by_id[account_id], self._logins.get(account_id)
        return AccountFacts(
            account.id,
            account.kind,
            account.policy.plan.id,
            account.version,
            account.suspended,
            account.valid_until,
            account.first_used_at,
            account.site_id,
            None if login is None else login.username,
            None if login is None else login.credential,
        )

    # What the database says

    def put(
        self,
        ids: Iterable[str],
        facts: Iterable[AccountFacts],
        overrides: Mapping[str, Sequence[QuotaOverride]],
        *,
        now: datetime,
    ) -> None:
        """Take what the database says now about the accounts `ids`; those without facts are gone."""
        found = {fact.id: fact for fact in facts}
        for account_id in ids:
            self._overrides.pop(account_id, None)
            if account_id in overrides:
                self._overrides[account_id] = tuple(overrides[account_id])
            fact = found.get(account_id)
            if fact is None:
                self._by_id.pop(account_id, None)
                self._forget_login(account_id, keep=None)
            else:
                self._put(fact, now)

    def of_plans_with_new_validity(self, plans: Mapping[str, Plan]) -> list[str]:
        """Return the ids of accounts whose first use has begun to matter: a node was not told of it before."""
        gained = {
            plan_id
            for plan_id, plan in plans.items()
            if plan.validity_seconds is not None
            and plan_id in self._plans
            and self._plans[plan_id].validity_seconds is None
        }
        return [id_ for id_, account in self._by_id.items() if account.policy.plan.id in gained] if gained else []

    def replace_plans(self, plans: Mapping[str, Plan], now: datetime) -> None:
        """Take new plans, and bring the accounts whose plan changed to them."""
        changed = {plan_id for plan_id, plan in plans.items() if self._plans.get(plan_id) != plan}
        self._plans = dict(plans)
        self._policies = _policies(self._plans, now)
        for account_id, account in list(self._by_id.items()):
            if account.policy.plan.id in changed:
                self._by_id[account_id] = self._with_policy(account, account.policy.plan.id, now)

    def _put(self, fact: AccountFacts, now: datetime) -> None:
        self._forget_login(fact.id, keep=fact.username)
        self._add(fact, now)

    def _add(self, fact: AccountFacts, now: datetime) -> None:
        self._by_id[fact.id] = Account(
            fact.id,
            fact.kind,
            self._policy(fact.id, fact.plan_id, now),
            fact.version,
            fact.suspended,
            False,  # `removed`: those are never read
            fact.valid_until,
            fact.first_used_at,
            fact.site_id,
        )
        if fact.username is not None:
            self._logins[fact.id] = Login(fact.username, fact.credential)
            self._by_name[fact.username] = fact.id

    def _forget_login(self, account_id: str, *, keep: str | None) -> None:
        login = self._logins.get(account_id)
        if login is not None and login.username != keep:
            del self._logins[account_id]
            if self._by_name.get(login.username) == account_id:
                del self._by_name[login.username]

    def _policy(self, account_id: str, plan_id: str, now: datetime) -> Policy:
        overrides = self._overrides.get(account_id)
        return (
            self._policies[plan_id] if overrides is None else effective_policy(self._plans[plan_id], overrides, now=now)
        )

    def _with_policy(self, account: Account, plan_id: str, now: datetime) -> Account:
        return Account(
            account.id,
            account.kind,
            self._policy(account.id, plan_id, now),
            account.version,
            account.suspended,
            account.removed,
            account.valid_until,
            account.first_used_at,
            account.site_id,
        )


def _policies(plans: Mapping[str, Plan], now: datetime) -> dict[str, Policy]:
    return {plan_id: effective_policy(plan, (), now=now) for plan_id, plan in plans.items()}
