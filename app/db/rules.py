"""The rules by which policies are worked out, read in one transaction."""

from sqlalchemy import Connection

from app.db import overlays, plans
from app.domain.policies import Rules


def read_rules(connection: Connection, *, with_sites: bool = True) -> Rules:
    """Return the plans, and what sites lay over them if the policies are for a site."""
    return Rules(plans.by_id(connection), overlays.of_sites(connection) if with_sites else None)
