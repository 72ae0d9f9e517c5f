"""What the governor has moved: worked out from what a round decided, and shown to those who ask."""

from datetime import datetime

from app.db import governor_moves
from app.db.engine import Database
from app.db.governor_moves import GovernorMove, ListedMove
from app.domain.governed import Decided, FloorChange, Lever, SiteChange, State
from app.domain.uplinks import GovernorMode
from app.services.governing import Governed
from app.services.governing_words import Words
from app.services.uplinks import show_uplink


def moves_of(seen: Governed, before: State, decided: Decided, words: Words, *, now: datetime) -> list[GovernorMove]:
    """Return what a round moves; `before` is what it began with."""
    observed = seen.uplink.governor is GovernorMode.OBSERVE
    sites = {one.session_id: one.site_id for one in seen.readings} if decided.ceilings else {}
    moves = []
    for change in decided.ceilings:
        device, watched = seen.devices.get(change.session_id), before.watched.get(change.session_id)
        if device is not None:
            moves.append(
                GovernorMove(
                    now,
                    seen.uplink.id,
                    Lever.CEILING,
                    None if watched is None else watched.ceiling_bps,
                    change.down_bps,
                    words.why(change, seen.site_names),
                    observed,
                    *device,
                    sites.get(change.session_id) or None,
                )
            )
    moves += [_of_site(seen, before, site, words, now=now, observed=observed) for site in decided.sites]
    promised = {one.service_class: one.floor_bps for one in seen.line.promises}
    moves += [
        _of_floor(seen, before, floor, words, now=now, observed=observed)
        for floor in decided.floors
        if floor.floor_bps != before.floors.get(floor.service_class, promised.get(floor.service_class))
    ]
    return moves


def list_moves(database: Database, *, uplink: str | None, limit: int) -> list[ListedMove]:
    """Return what was moved last, the newest first; raise NotFound."""
    uplink_id = None if uplink is None else show_uplink(database, uplink).uplink.id
    with database.read() as connection:
        return governor_moves.newest(connection, uplink_id=uplink_id, limit=limit)


def _of_site(
    seen: Governed, before: State, site: SiteChange, words: Words, *, now: datetime, observed: bool
) -> GovernorMove:
    held = before.held.get(site.site_id)
    return GovernorMove(
        now,
        seen.uplink.id,
        Lever.SITE,
        None if held is None else held.down_bps,
        site.down_bps,
        words.of_site(held=site.down_bps is not None),
        observed,
        site_id=site.site_id,
    )


def _of_floor(
    seen: Governed, before: State, floor: FloorChange, words: Words, *, now: datetime, observed: bool
) -> GovernorMove:
    return GovernorMove(
        now,
        seen.uplink.id,
        Lever.FLOOR,
        before.floors.get(floor.service_class),
        floor.floor_bps,
        words.of_floor,
        observed,
        service_class=floor.service_class,
    )
