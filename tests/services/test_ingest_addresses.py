"""A6.20: what routers say of IPv6 is stored and shown, the latest word of each kind, in any order."""

from itertools import permutations

from app.db.engine import Database
from app.domain.addresses import AddressKind
from app.domain.reports import ReportKind
from app.services.sessions import StateFilter, list_sessions
from tests.factories import make_report
from tests.services.ingesting import city, say

__all__ = ["city"]
ADDRESS, PREFIX = AddressKind.FRAMED_IPV6_ADDRESS, AddressKind.DELEGATED_IPV6_PREFIX
SAID = (
    make_report(ReportKind.START)._replace(addresses=((PREFIX, "2001:db8:1::/56"),)),
    make_report(ReportKind.INTERIM, minute=5)._replace(
        addresses=((ADDRESS, "2001:db8::1"), (PREFIX, "2001:db8:2::/56"))
    ),
    make_report(ReportKind.STOP, minute=9)._replace(addresses=((ADDRESS, "2001:db8::2"),)),
)


def test_a6_20_the_latest_of_each_kind_is_shown(city: Database) -> None:
    for number, order in enumerate(permutations(SAID)):
        for report in order:
            say(city, report._replace(acct_session_id=str(number)))
    found = [shown.addresses for shown in list_sessions(city, state=StateFilter.ALL)]
    assert (
        found
        == [
            {
                "framed_ipv6_address": "2001:db8::2",
                "framed_ipv6_prefix": None,
                "framed_interface_id": None,
                "delegated_ipv6_prefix": "2001:db8:2::/56",
                "nas_ipv6_address": None,
            }
        ]
        * 6
    )
