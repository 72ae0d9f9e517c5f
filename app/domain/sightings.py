"""What the governor sees in a round: who takes what of which line, and who is heavy. No I/O, no clock."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.domain.governed import Line, Place, Reading, Rule, Watched
from app.domain.service_classes import ServiceClass


class Seen(NamedTuple):
    """A session now; `new` tells whether it has reported since the last round."""

    reading: Reading
    watched: Watched
    new: bool


def see(reading: Reading, before: Watched | None, rule: Rule) -> Seen:
    """Return a session as it is now: what it has taken since the report before."""
    if before is None or reading.down_octets < before.octets:  # begun anew: what it took is not known
        ceiling = None if before is None else before.ceiling_bps
        return Seen(reading, Watched(reading.down_octets, reading.reported_at, ceiling_bps=ceiling), new=False)
    lasted = reading.reported_at - before.reported_at
    if lasted < rule.shortest:
        return Seen(reading, before, new=False)
    rate = int((reading.down_octets - before.octets) * 8 / lasted.total_seconds())
    watched = Watched(
        reading.down_octets, reading.reported_at, rate, before.heavy_reports, before.light_reports, before.ceiling_bps
    )
    return Seen(reading, watched, new=True)


def is_known(seen: Sequence[Seen], live: Sequence[Seen], rule: Rule) -> bool:
    """Tell whether what is taken of the line is known: by most who used to report, and by nearly all who do."""
    silent = sum(one.watched.rate_bps is not None for one in seen) - sum(
        one.watched.rate_bps is not None for one in live
    )
    unknown = sum(one.watched.rate_bps is None for one in live)
    return bool(live or not seen) and silent <= len(live) and unknown <= rule.unknown * len(live)


class Sums(NamedTuple):
    """What the sessions take together; sites by id, the line as None. `exempt` classes keep within their floors."""

    capacities: Mapping[str | None, int]
    loads: Mapping[str | None, int]
    heads: Mapping[str | None, int]
    equal_bps: Mapping[str | None, int]
    class_heads: Mapping[ServiceClass, int]
    exempt: frozenset[ServiceClass]


def sums_of(line: Line, live: Sequence[Seen], rule: Rule) -> Sums:
    """Return what the sessions take together, and what an equal share is."""
    heads: Counter[tuple[str, ServiceClass]] = Counter()
    takes: Counter[tuple[str, ServiceClass]] = Counter()
    for reading, watched, _ in live:
        rate = watched.rate_bps
        if rate is None or rate >= rule.idle_bps:
            key = (reading.site_id, reading.service_class)
            heads[key] += 1
            takes[key] += rate or 0
    class_heads, class_takes = _by_class(heads), _by_class(takes)
    exempt = frozenset(
        one.service_class for one in line.promises if 0 < one.floor_bps >= class_takes[one.service_class]
    )
    capacities: dict[str | None, int] = {site: bps for site, bps in line.sites.items() if bps is not None}
    capacities[None] = line.capacity_bps
    open_heads = _by_site({key: count for key, count in heads.items() if key[1] not in exempt})
    promised = _by_site({key: bps for key, bps in takes.items() if key[1] in exempt})
    equal = {key: max(0, bps - promised[key]) // max(1, open_heads[key]) for key, bps in capacities.items()}
    return Sums(capacities, _by_site(takes), open_heads, equal, class_heads, exempt)


def _by_class(sums: Mapping[tuple[str, ServiceClass], int]) -> Counter[ServiceClass]:
    found: Counter[ServiceClass] = Counter()
    for (_, service_class), value in sums.items():
        found[service_class] += value
    return found


def _by_site(sums: Mapping[tuple[str, ServiceClass], int]) -> Counter[str | None]:
    """Add up by site, and for the whole line under None."""
    found: Counter[str | None] = Counter({None: sum(sums.values())})
    for (site, _), value in sums.items():
        found[site] += value
    return found


def weigh(one: Seen, sums: Sums, rule: Rule) -> Seen:
    """Count its reports: heavy ones while it is free, light ones while it has a ceiling of ours."""
    watched = one.watched
    if not one.new or watched.rate_bps is None:
        return one
    if watched.ceiling_bps is not None:
        light = watched.rate_bps < rule.light_share * watched.ceiling_bps
        return one._replace(watched=watched._replace(light_reports=watched.light_reports + 1 if light else 0))
    line = sums.equal_bps[None]
    equal = min(line, sums.equal_bps.get(one.reading.site_id, line))
    is_heavy = watched.rate_bps >= max(rule.minimum_bps, rule.heavy_shares * equal)
    if not is_heavy and not watched.heavy_reports:
        return one
    return one._replace(watched=watched._replace(heavy_reports=watched.heavy_reports + 1 if is_heavy else 0))


def is_heavy(one: Seen, sums: Sums, rule: Rule) -> bool:
    """Tell whether a session takes part in a level: heavy for long enough, and nothing that was promised."""
    watched = one.watched
    if one.reading.service_class in sums.exempt:
        return False
    if watched.ceiling_bps is not None:
        return watched.light_reports < rule.light_reports
    return watched.heavy_reports >= rule.heavy_reports


def places_of(sums: Sums, heavy: Sequence[Seen]) -> dict[str | None, Place]:
    """Return how it stands with the line and with each site's own."""
    counts: Counter[str | None] = Counter(one.reading.site_id for one in heavy)
    counts[None] = len(heavy)
    return {
        key: Place(bps, sums.loads.get(key, 0), sums.equal_bps[key], max(0, sums.heads.get(key, 0) - counts[key]))
        for key, bps in sums.capacities.items()
    }
