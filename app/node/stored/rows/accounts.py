"""Accounts, and what they hold beside their plan."""

from datetime import datetime
from typing import Final

from app.db.snapshot import AccountFacts
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.resume import ResumeGrant
from app.domain.top_ups import TopUp
from app.domain.users import AccountKind, Credential, CredentialKind
from app.node.stored.rows.values import Row, moment_of, text_of


def account_row(facts: AccountFacts) -> Row:
    """Write an account."""
    credential = facts.credential
    return [
        facts.id,
        facts.kind.value,
        facts.plan_id,
        facts.version,
        facts.suspended,
        text_of(facts.valid_until),
        text_of(facts.first_used_at),
        facts.site_id,
        facts.username,
        None if credential is None else credential.kind.value,
        None if credential is None else credential.secret.decode("latin-1"),
        facts.billing_day,
        facts.extra_seconds,
        [[one.id, one.left_octets, text_of(one.ends_at)] for one in facts.top_ups],
    ]


def read_account(row: Row) -> AccountFacts:
    """Read an account."""
    id_, kind, plan_id, version, suspended, valid_until, first_used_at, site_id, username, how, secret, *rest = row
    billing, longer, extra = rest
    return AccountFacts(
        id_,
        _KINDS[kind],
        plan_id,
        version,
        suspended,
        valid_until and datetime.fromisoformat(valid_until),
        first_used_at and datetime.fromisoformat(first_used_at),
        site_id,
        username,
        None if how is None else Credential(_CREDENTIALS[how], secret.encode("latin-1")),
        billing,
        longer,
        tuple(TopUp(id_, octets, moment_of(ends_at)) for id_, octets, ends_at in extra),
    )


_KINDS: Final = {kind.value: kind for kind in AccountKind}
_CREDENTIALS: Final = {kind.value: kind for kind in CredentialKind}


def grant_row(grant: ResumeGrant) -> Row:
    """Write a resume grant."""
    return [grant.mac, grant.account_id, grant.site_id, text_of(grant.expires_at)]


def read_grant(row: Row) -> ResumeGrant:
    """Read a resume grant."""
    mac, account_id, site_id, expires_at = row
    return ResumeGrant(mac, account_id, site_id, datetime.fromisoformat(expires_at))


def ceiling_row(one: Ceiling) -> Row:
    """Write a ceiling."""
    return [*one[:5], text_of(one.until), one.reason, one.author]


def read_ceiling(row: Row) -> Ceiling:
    """Read a ceiling."""
    account_id, mac, source, down_bps, up_bps, until, reason, author = row
    end = datetime.fromisoformat(until)
    return Ceiling(account_id, mac, CeilingSource(source), down_bps, up_bps, end, reason, author)
