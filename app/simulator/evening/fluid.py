"""The physics of one short step: nobody gets more than they ask for, and no line carries more than it can.

Amounts are bits within the step. The line is shared by weight, max-min: what one does not ask for, the others get.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Ask(NamedTuple):
    """What one phone could take in this step, its weight in the queue, and where it is."""

    bits: float
    weight: float
    site: str
    promised: bool = False  # belongs to the class that has a floor


def spread(
    amount: float, asks: Sequence[Ask], site_bits: Mapping[str, float], floor_bits: float = 0.0
) -> tuple[list[float], float]:
    """Return what each ask gets, and the level: what the line gives per weight to those who get less than they ask.

    Those with a promise get `floor_bits` together, if they ask for so much, before the others get anything of it. The
    level is that of the widest part; infinite where nobody lacks anything.
    """
    got, level = _within_sites(amount, asks, site_bits)
    if not floor_bits:
        return got, level
    promised = [number for number, ask in enumerate(asks) if ask.promised]
    due = min(floor_bits, amount, sum(asks[number].bits for number in promised))
    if sum(got[number] for number in promised) >= due * (1 - 1e-9):
        return got, level
    others = [number for number, ask in enumerate(asks) if not ask.promised]
    inside, _ = _within_sites(due, [asks[number] for number in promised], site_bits)
    outside, level = _within_sites(amount - sum(inside), [asks[number] for number in others], site_bits)
    for number, bits in zip(promised + others, inside + outside, strict=True):
        got[number] = bits
    return got, level


def fill(amount: float, asks: Sequence[Ask]) -> tuple[list[float], float]:
    """Return what each gets of one line, and the level."""
    if sum([ask[0] for ask in asks]) <= amount:
        return [ask[0] for ask in asks], float("inf")
    left, weight = amount, sum([ask[1] for ask in asks])
    level = left / weight
    for per_weight, bits, own in sorted([(ask[0] / ask[1], ask[0], ask[1]) for ask in asks]):
        if per_weight > level:
            break
        left -= bits
        weight -= own
        if weight <= 0:
            break
        level = left / weight
    return [min(ask[0], level * ask[1]) for ask in asks], level


def _within_sites(amount: float, asks: Sequence[Ask], site_bits: Mapping[str, float]) -> tuple[list[float], float]:
    """Return what each gets where sites have lines of their own: a site that is full has a level of its own."""
    got, level = fill(amount, asks)
    sums: dict[str, float] = dict.fromkeys(site_bits, 0.0)
    for ask, bits in zip(asks, got, strict=True):
        sums[ask.site] += bits
    narrow = {site for site, bits in sums.items() if bits > site_bits[site] * (1 + 1e-9)}
    if not narrow:
        return got, level
    left = amount
    for site in narrow:
        inside = [number for number, ask in enumerate(asks) if ask.site == site]
        parts, _ = fill(site_bits[site], [asks[number] for number in inside])
        for number, part in zip(inside, parts, strict=True):
            got[number] = part
        left -= sum(parts)
    rest = [number for number, ask in enumerate(asks) if ask.site not in narrow]
    parts, level = _within_sites(left, [asks[number] for number in rest], site_bits)
    for number, part in zip(rest, parts, strict=True):
        got[number] = part
    return got, level
