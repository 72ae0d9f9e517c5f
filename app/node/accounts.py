"""The accounts that a node knows, by id and by name, each with its effective policy. No I/O here.

One thread changes them, another reads: every change is one assignment to one key, and no reader holds two.
"""

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from datetime import datetime
from typing import NamedTuple

from app.db.snapshot import AccountFacts
from app.domain.overlays import Overlay
from app.domain.plans import Plan
from app.domain.policies import Policy, Rules
from app.domain.quotas import Tally, tallies_of
from app.domain.users import Account, Credential


class Login(NamedTuple):
    """How a person proves to be an account; None: not by a password."""

    username: str
    credential: Credential | None


class Accounts:
    """Every account that exists. Accounts that have nothing of their own share the policy of their plan.

    An account is kept with its policy at no place in particular, as it was when the account came. What has changed
    since then by the hour, or is otherwise at a site, is worked out when it is first asked for, and kept for as long as
    neither the account nor the rules are others.
    """

    def __init__(
        self, rules: Rules, facts: Iterable[AccountFacts], own: Mapping[str, Overlay], *, now: datetime
    ) -> None:
        self._rules = rules
        self._own = dict(own)
        self._worked_out: dict[tuple[str, str | None], tuple[Account, Rules, Account]] = {}
        self._by_id: dict[str, Account] = {}
        self._by_name: dict[str, str] = {}
        self._logins: dict[str, Login] = {}
        for fact in facts:
            self._add(fact, now)

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, account_id: str, now: datetime, *, site_id: str | None = None) -> Account | None:
        """Return an account with the policy that holds at `now`, at a site if one is named."""
        account = self._by_id.get(account_id)
        if account is None:
            return None
        rules = self._rules
        if site_id not in rules.sites:
            site_id = None
            if account.policy.holds(now):
                return account
        kept = self._worked_out.get((account_id, site_id))
        if kept is not None and kept[0] is account and kept[1] is rules and kept[2].policy.holds(now):
            return kept[2]
        policy = rules.policy(account.policy.plan.id, self._own.get(account_id), site_id, now)
        found = account._replace(policy=policy)
        self._worked_out[account_id, site_id] = account, rules, found
        return found

    def id_of(self, username: str) -> str | None:
        """Return the account id behind a canonical user name."""
        return self._by_name.get(username)

    def login(self, account_id: str) -> Login | None:
        """Return the name and credential of an account; None for guests and vouchers."""
        return self._logins.get(account_id)

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """Return whatever the quotas of any plan or person are held against."""
        own = (override.quota for overlay in self._own.values() for override in overlay.quotas)
        return tallies_of((*self._rules.quotas, *own))

    # What is written to the disk

    def copied(self) -> "Accounts":
        """Return a copy that changes no more; it shares with this one what never changes."""
        other = copy(self)
        for name in ("_own", "_by_id", "_by_name", "_logins"):
            setattr(other, name, dict(getattr(self, name)))
        return other

    @property
    def rules(self) -> Rules:
        """Return the plans, and what sites lay over them."""
        return self._rules

    @property
    def own(self) -> Mapping[str, Overlay]:
        """Return what accounts have of their own, by account id."""
        return self._own

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
            account.billing_day,
            account.extra_seconds,
            account.top_ups,
        )

    # What the database says

    def put(
        self,
        ids: Iterable[str],
        facts: Iterable[AccountFacts],
        own: Mapping[str, Overlay],
        *,
        now: datetime,
    ) -> None:
        """Take what the database says now about the accounts `ids`; those without facts are gone."""
        found = {fact.id: fact for fact in facts}
        for account_id in ids:
            self._own.pop(account_id, None)
            if account_id in own:
                self._own[account_id] = own[account_id]
            fact = found.get(account_id)
            if fact is None:
                self._by_id.pop(account_id, None)
                self._forget_login(account_id, keep=None)
            else:
                self._put(fact, now)

    def of_plans_with_new_validity(self, plans: Mapping[str, Plan]) -> list[str]:
        """Return the ids of accounts whose first use has begun to matter: a node was not told of it before."""
        known = self._rules.plans
        gained = {
            plan_id
            for plan_id, plan in plans.items()
            if plan.validity_seconds is not None and plan_id in known and known[plan_id].validity_seconds is None
        }
        return [id_ for id_, account in self._by_id.items() if account.policy.plan.id in gained] if gained else []

    def replace_rules(self, rules: Rules, now: datetime) -> None:
        """Take new rules, and bring the accounts whose plan changed to them."""
        before = self._rules
        changed = {
            plan_id
            for plan_id, plan in rules.plans.items()
            if before.plans.get(plan_id) != plan or (plan.windows and before.calendars != rules.calendars)
        }
        self._rules = rules
        self._worked_out = {}
        for account_id, account in list(self._by_id.items()):
            plan_id = account.policy.plan.id
            if plan_id in changed:
                self._by_id[account_id] = account._replace(policy=self._policy(account_id, plan_id, now))

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
            fact.billing_day,
            fact.extra_seconds,
            fact.top_ups,
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
        return self._rules.policy(plan_id, self._own.get(account_id), None, now)
