"""What a router is sent so that an open session changes or ends: by what its family understands. No I/O, no clock.

`radius/vendors/abilities.py` says what each family takes; nothing here knows one by name. What names a session is what
its router itself has reported of it, octet for octet. Where a change cannot be told within the session it is cut, if
its device comes back by itself with the new limits; otherwise it holds from the next login on.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from app.domain.changes import ChangeState, Result, Way
from app.domain.granted import Limits
from app.nas.authorization import authorization_of
from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.messages import CoaRequest, DisconnectRequest
from radius.vendors.abilities import WORD, CoaBase, CoaKind
from radius.vendors.profile import Profile

_RATES: Final = ("down_bps", "up_bps", "down_burst_bps", "up_burst_bps", "burst_seconds")
_ROLE: Final = ("filter_id", "address_list", "vlan")
_OCTETS: Final = ("down_octets", "up_octets", "total_octets")
_TIME: Final = ("session_timeout_seconds",)
_IDLE: Final = ("idle_timeout_seconds",)
_COUNTED: Final = (_OCTETS, _TIME)  # from some moment on: without knowing from which one they are not sent
_ASPECTS: Final = (_RATES, _ROLE, _OCTETS, _TIME, _IDLE)
_TOLERANCE_SECONDS: Final = 60  # by which whole seconds, delays and clocks may move an end
_LONGEST_SECONDS: Final = 2**31 - 1  # some routers take Session-Timeout as signed
_WITHIN: Final = frozenset({CoaKind.FULL_SET, CoaKind.ALLOW_LIST, CoaKind.IDENTITY_PAIR, CoaKind.ROLE_ONLY})
_SESSION_OF_AVPAIR: Final = b"audit-session-id="


class Amounts(NamedTuple):
    """Octets of both directions together, and of each; None: no such limit."""

    octets: int | None
    down_octets: int | None = None
    up_octets: int | None = None


class OpenSession(NamedTuple):
    """One open session as far as it is known.

    `reported` are the attributes of its last accounting. `held` is what it was told, counted from its start; None:
    nobody knows, and it is taken for nothing. `resumes` tells whether its device comes back by itself after a cut.
    """

    reported: Attributes
    down_octets: int
    up_octets: int
    elapsed_seconds: int
    held: Limits | None
    resumes: bool


class Rest(NamedTuple):
    """Nothing is sent, and what that means."""

    state: ChangeState
    result: Result
    detail: str = ""


class Send(NamedTuple):
    """A request to send; once it is acknowledged the session is held to `told` (CoA only).

    `otherwise` is what follows when the router refuses it; None: nothing.
    """

    query: CoaRequest | DisconnectRequest
    way: Way
    told: Limits | None = None
    otherwise: "Send | Rest | None" = None


def steers_rates(profile: Profile) -> bool:
    """Tell whether an open session of this family can be told a new rate without being cut."""
    names = {name for name, _ in profile.attributes(Authorization()._replace(down_bps=1, up_bps=1))}
    return bool(names) and names <= _carried(profile, _RATES)


def end(profile: Profile, session: OpenSession, *, at: int) -> Send | Rest:
    """Return how a session is ended; `at` is now, in seconds since 1970."""
    match profile.coa.kind:
        case CoaKind.REAUTH_POLL:
            return Rest(ChangeState.WAITING, Result.NEXT_QUESTION)
        case CoaKind.AGENT:
            return Rest(ChangeState.WAITING, Result.NEXT_REPORT)
    named = _disconnect(profile, session, at)
    return named if isinstance(named, Rest) else Send(named, Way.DISCONNECT)


def change(
    profile: Profile, session: OpenSession, granted: Limits, *, left: Amounts, at: int, gently: bool = False
) -> Send | Rest:
    """Return how a session learns of what it is granted from now on.

    `left` is what its account may still use altogether, of which `granted` may hold slices. `gently`: whoever would not
    come back by itself is not cut, also where it gets less.
    """
    moves = _Moves(profile, session, granted, left, gently=gently)
    if moves.must_cut(moves.by_login):
        return _cut(profile, session, at)
    if moves.by_coa:
        return _coa(profile, session, moves, granted, at=at)
    if moves.by_login:
        asks = profile.coa.kind is CoaKind.REAUTH_POLL
        return Rest(ChangeState.WAITING, Result.NEXT_QUESTION if asks else Result.NEXT_LOGIN)
    if any(aspect in (_RATES, _ROLE) for aspect in moves.untold):
        return Rest(ChangeState.FAILED, Result.UNSUPPORTED)
    return Rest(ChangeState.DONE, Result.UNNEEDED)


class _Moves:
    """What is different from what a session is held to, sorted by what can carry it."""

    def __init__(self, profile: Profile, session: OpenSession, granted: Limits, left: Amounts, *, gently: bool) -> None:
        self._resumes, self._gently = session.resumes, gently
        self._held = authorization_of(session.held or Limits())
        self._wanted = authorization_of(_from_start(granted, session))
        self._most = authorization_of(_from_start(Limits()._replace(**left._asdict()), session))
        self.by_coa: list[tuple[str, ...]] = []
        self.by_login: list[tuple[str, ...]] = []
        self.untold: list[tuple[str, ...]] = []
        for aspect in _ASPECTS:
            differs, names = self._is_less(aspect) or self._is_more(aspect), self._names(profile, aspect)
            by_coa = names <= _carried(profile, aspect) and not self._takes_back(profile, aspect)
            if names and by_coa and (differs or self._is_smaller_slice(aspect)):
                self.by_coa.append(aspect)
            elif differs:
                (self.by_login if names else self.untold).append(aspect)

    def must_cut(self, aspects: Iterable[tuple[str, ...]]) -> bool:
        """Tell whether a session is cut for what only its next login can tell.

        Rates and roles are held to at once where they are less, unless it is only the hour that says so; a gain or an
        amount is worth a cut only where nobody notices. Ends in time are kept anyway: the session is ended when they
        come.
        """
        return any(
            (aspect in (_RATES, _ROLE) and (self._resumes or (self._is_less(aspect) and not self._gently)))
            or (aspect is _OCTETS and self._resumes and self._is_less(aspect))
            for aspect in aspects
        )

    def lifted(self, authorization: Authorization) -> Authorization:
        """Say "no limit" aloud where a family keeps what it is not told anew: by the largest value there is."""
        gone = [
            field
            for field in ("down_bps", "up_bps", *_TIME, *_IDLE)
            if getattr(authorization, field) is None and getattr(self._held, field) is not None
        ]
        largest: dict[str, Any] = {field: WORD if field in _RATES else _LONGEST_SECONDS for field in gone}
        return authorization._replace(**largest)

    def _is_less(self, aspect: tuple[str, ...]) -> bool:
        if aspect is _OCTETS:  # a slice may be less and the account's whole the same
            return any(_below(getattr(self._most, field), getattr(self._held, field)) for field in _OCTETS)
        if aspect is _ROLE:  # another place is held to at once, whichever of the two gives more
            return any(wanted != held for wanted, held in self._pairs(aspect))
        tolerance = _TOLERANCE_SECONDS if aspect is _TIME else 0
        return any(_below(wanted, held, tolerance) for wanted, held in self._pairs(aspect))

    def _is_more(self, aspect: tuple[str, ...]) -> bool:
        tolerance = _TOLERANCE_SECONDS if aspect is _TIME else 0
        return any(_below(held, wanted, tolerance) for wanted, held in self._pairs(aspect))

    def _is_smaller_slice(self, aspect: tuple[str, ...]) -> bool:
        """Tell whether a device gets less of the same whole: worth no cut, but said where it can be."""
        return aspect is _OCTETS and any(_below(wanted, held) for wanted, held in self._pairs(aspect))

    def _takes_back(self, profile: Profile, aspect: tuple[str, ...]) -> bool:
        """Tell whether a role goes and none comes: where what is left out stays, no CoA can say that."""
        if aspect is not _ROLE or profile.coa.kind is CoaKind.FULL_SET:
            return False
        return any(wanted is None and held is not None for wanted, held in self._pairs(aspect))

    def _pairs(self, aspect: tuple[str, ...]) -> list[tuple[int | str | None, int | str | None]]:
        return [(getattr(self._wanted, field), getattr(self._held, field)) for field in aspect]

    def _names(self, profile: Profile, aspect: tuple[str, ...]) -> set[str]:
        """Return the attributes of an Accept that carry an aspect; none: this family cannot be told."""
        concerned = [
            field
            for field, (wanted, held) in zip(aspect, self._pairs(aspect), strict=True)
            if wanted is not None or held is not None
        ]
        values: dict[str, Any] = {field: "x" if field in ("filter_id", "address_list") else 1 for field in concerned}
        return {name for name, _ in profile.attributes(Authorization()._replace(**values))}


def _below(one: int | str | None, other: int | str | None, tolerance: int = 0) -> bool:
    """Tell whether a limit is lower than another; None is none."""
    if one is None or other is None:
        return one is not None
    return isinstance(one, int) and isinstance(other, int) and one + tolerance < other


def _carried(profile: Profile, aspect: tuple[str, ...]) -> frozenset[str]:
    """Return what a CoA to this family may carry of an aspect."""
    coa = profile.coa
    if coa.kind not in _WITHIN or (aspect in _COUNTED and coa.base is None):
        return frozenset()
    return frozenset(coa.attributes)


def _from_start(granted: Limits, session: OpenSession) -> Limits:
    """Return the same limits, amounts and times counted from the session's start."""
    return granted._replace(
        octets=_plus(granted.octets, session.down_octets + session.up_octets),
        down_octets=_plus(granted.down_octets, session.down_octets),
        up_octets=_plus(granted.up_octets, session.up_octets),
        session_seconds=_plus(granted.session_seconds, session.elapsed_seconds),
    )


def _plus(limit: int | None, used: int) -> int | None:
    return None if limit is None else limit + used


def _coa(profile: Profile, session: OpenSession, moves: _Moves, granted: Limits, *, at: int) -> Send | Rest:
    identity = _identity(profile, session, at)
    if isinstance(identity, Rest):
        return identity
    coa, wanted = profile.coa, _from_start(granted, session)
    limits = authorization_of(wanted if coa.base is CoaBase.START else granted)
    if coa.kind is not CoaKind.FULL_SET:
        limits = moves.lifted(limits)
    if coa.base is None:
        limits = limits._replace(**dict.fromkeys((*_OCTETS, *_TIME)))
    changes = profile.attributes(limits).only(coa.attributes)
    held = session.held or Limits()
    told = wanted._replace(**{one: getattr(held, one) for aspect in moves.by_login for one in _FIELDS[aspect]})
    refused = Rest(ChangeState.WAITING, Result.NEXT_LOGIN)
    otherwise = _cut(profile, session, at) if moves.must_cut(moves.by_coa) else refused
    return Send(CoaRequest(identity, changes), Way.COA, told, otherwise)


_FIELDS: Final[dict[tuple[str, ...], tuple[str, ...]]] = {
    _RATES: _RATES,
    _ROLE: _ROLE,
    _OCTETS: ("octets", "down_octets", "up_octets"),
    _TIME: ("session_seconds",),
    _IDLE: ("idle_seconds",),
}
"""What each aspect is called in `Limits`."""


def _cut(profile: Profile, session: OpenSession, at: int) -> Send | Rest:
    """End a session so that its device comes back with the new limits; wait for that where it cannot be ended."""
    if not profile.coa.kind.takes_disconnect:
        asks = profile.coa.kind is CoaKind.REAUTH_POLL
        return Rest(ChangeState.WAITING, Result.NEXT_QUESTION if asks else Result.NEXT_LOGIN)
    query = _disconnect(profile, session, at)
    return query if isinstance(query, Rest) else Send(query, Way.RESUME)


def _disconnect(profile: Profile, session: OpenSession, at: int) -> DisconnectRequest | Rest:
    if not profile.coa.kind.takes_disconnect:
        return Rest(ChangeState.FAILED, Result.UNSUPPORTED)
    identity = _identity(profile, session, at)
    return identity if isinstance(identity, Rest) else DisconnectRequest(identity)


def _identity(profile: Profile, session: OpenSession, at: int) -> Attributes | Rest:
    """Return what names the session to this family, as its router wrote it, and when we ask (RFC 5176 section 3)."""
    coa = profile.coa
    if not coa.identity:
        return Rest(ChangeState.FAILED, Result.UNSUPPORTED)
    found = session.reported.only(coa.identity)
    if "Cisco-AVPair" in coa.identity:
        found = session.reported.only([name for name in coa.identity if name != "Cisco-AVPair"])
        for pair in session.reported.all_octets("Cisco-AVPair"):
            if pair.startswith(_SESSION_OF_AVPAIR):
                found.add("Cisco-AVPair", pair)
    missing = [name for name in coa.needed if name not in found]
    if missing or not found:
        return Rest(ChangeState.FAILED, Result.NAMELESS, (missing or list(coa.identity))[0])
    if coa.signed:
        found.add("Event-Timestamp", at)
    return found
