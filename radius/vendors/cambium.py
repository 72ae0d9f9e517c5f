"""Cambium cnPilot and XV (private enterprise number 17713). Source: its attribute list; WISPr rates by its manual."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import SESSION_TIMEOUT, TWO_WORDS, Coa, CoaKind, Limits, Told, Unit
from radius.vendors.profile import Profile, add_timers, add_vlan, add_wide_limit, add_wispr_rates


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    add_wispr_rates(reply, authorization)
    add_wide_limit(
        reply, "Cambium-Traffic-Quota-Limit-Up", "Cambium-Traffic-Quota-Limit-Up-Gigawords", authorization.up_octets
    )
    add_wide_limit(
        reply,
        "Cambium-Traffic-Quota-Limit-Down",
        "Cambium-Traffic-Quota-Limit-Down-Gigawords",
        authorization.down_octets,
    )
    add_wide_limit(
        reply, "Cambium-Traffic-Quota-Limit-Total", "Cambium-Traffic-Quota-Limit-Total-Gigawords",
        authorization.total_octets,
    )  # fmt: skip
    add_vlan(reply, authorization)
    return reply


PROFILE = Profile(
    family="cambium",
    encode=_encode,
    limits=Limits(
        rate=Told(("WISPr-Bandwidth-Max-Down", "WISPr-Bandwidth-Max-Up"), Unit.BITS),
        octets=Told(
            (
                "Cambium-Traffic-Quota-Limit-Up",
                "Cambium-Traffic-Quota-Limit-Down",
                "Cambium-Traffic-Quota-Limit-Total",
            ),
            Unit.OCTETS,
            TWO_WORDS,
        ),
        timers=(SESSION_TIMEOUT,),
    ),
    coa=Coa(CoaKind.DISCONNECT_ONLY, identity=("User-Name",), needed=("User-Name",)),
)
