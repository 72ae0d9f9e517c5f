"""`pesisir simulate`: an evening on one line, shared in four ways; figures and pictures for those who decide."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.failures import Failure
from app.cli.installation import read_settings
from app.cli.noun import example
from app.cli.options import Given, rate
from app.cli.output import Json, JsonValue, say, show_json, show_table
from app.cli.progress import phase_bar
from app.simulator.evening.scene import Scene, Way

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.simulator.evening.measures import Evening, Figures
    from app.simulator.evening.words import Words

_USUAL: Final = Scene()
_ALL: Final = list(Way)


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command(
        epilog=example(
            "pesisir simulate --out malam",
            "pesisir simulate --capacity 100M --readers 600 --language en --out evening",
            "pesisir simulate --evenings 5 --json",
        )
    )(simulate)


def simulate(
    capacity: Annotated[Given[int] | None, rate("--capacity", "What the line carries; unset: 60M.")] = None,
    readers: Annotated[int, typer.Option(min=0, help="People who read pages.")] = _USUAL.readers,
    watchers: Annotated[int, typer.Option(min=0, help="People who watch films.")] = _USUAL.watchers,
    downloaders: Annotated[int, typer.Option(min=0, help="People who download.")] = _USUAL.downloaders,
    staff: Annotated[int, typer.Option(min=0, help="People in an office.")] = _USUAL.staff,
    office_floor: Annotated[
        Given[int] | None, rate("--office-floor", "What the office is promised; unset: 10M, or a sixth.")
    ] = None,
    spots: Annotated[
        int | None, typer.Option(min=1, help="Spots of equal size; unset: the four islands.", show_default=False)
    ] = None,
    spot_capacity: Annotated[Given[int] | None, rate("--spot-capacity", "What a spot carries; unset: 50M.")] = None,
    plan: Annotated[Given[int] | None, rate("--plan", "What one phone may have; unset: 10M.")] = None,
    hours: Annotated[float, typer.Option(min=0.1, max=24, help="How long, from 18.00 on.")] = _USUAL.hours,
    ways: Annotated[
        list[Way] | None,
        typer.Option("--way", help="How the line is shared; several. Unset: all four.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another number is another evening; the same is the same.")] = 1,
    evenings: Annotated[int, typer.Option(min=1, max=1000, help="So many of them; medians are shown.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write pictures and a page with them there.", show_default=False),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            metavar="id|en", help="Of pictures, page and table; unset: as PESISIR_LANGUAGE says.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Play an evening on one line in four ways: nothing, a fair queue, the governor alone, and both.

    People want the same in each. The governor is the one of this product, and sees only what routers would report.
    It touches no database and no router.
    """
    from app.simulator.evening.measures import figures, middle
    from app.simulator.evening.words import LANGUAGES, Words

    language = language or read_settings().language
    if language not in LANGUAGES:
        raise typer.BadParameter(f"{language!r} is not a language; there are {' and '.join(LANGUAGES)}")
    line = _USUAL.capacity_bps if capacity is None or capacity.value is None else capacity.value
    scene = Scene(
        capacity_bps=line,
        readers=readers,
        watchers=watchers,
        downloaders=downloaders,
        staff=staff,
        office_floor_bps=_floor(office_floor, line),
        spots=spots,
        spot_bps=_rate(spot_capacity, _USUAL.spot_bps),
        plan_bps=_rate(plan, _USUAL.plan_bps),
        hours=hours,
        seed=seed,
    )
    if not scene.people:
        raise typer.BadParameter("nobody is there")
    played = _play([replace(scene, seed=seed + number) for number in range(evenings)], ways or _ALL)
    counted = {way: [figures(one) for one in found] for way, found in played.items()}
    summary = [middle(found) for found in counted.values()]
    words = Words(language)
    if out is not None:
        _draw(out, scene, summary, played, words)
    if as_json:
        show_json(_as_json(scene, counted, summary))
    else:
        from app.simulator.evening.pictures import table

        show_table(*table(summary, words))


def _rate(given: Given[int] | None, usual: int) -> int:
    return usual if given is None or given.value is None else given.value


def _floor(given: Given[int] | None, line: int) -> int:
    if given is None:
        return min(_USUAL.office_floor_bps, line // 6)
    floor = given.value or 0
    if floor > line:
        raise typer.BadParameter("--office-floor is more than the line carries")
    return floor


def _play(scenes: "Sequence[Scene]", ways: "Sequence[Way]") -> "dict[Way, list[Evening]]":
    from app.simulator.evening.play import play

    chosen = [way for way in Way if way in ways]
    played: dict[Way, list[Evening]] = {way: [] for way in chosen}
    whole = sum(scene.seconds for scene in scenes) * len(chosen)
    done = 0.0
    with phase_bar() as hear:
        for scene in scenes:
            for way in chosen:
                before = done

                def heard(seconds: float, way: Way = way, before: float = before) -> None:
                    hear(way.value, before + seconds, whole)

                played[way].append(play(scene, way, progress=heard))
                done += scene.seconds
    return played


def _draw(
    out: Path, scene: Scene, summary: "Sequence[Figures]", played: "Mapping[Way, Sequence[Evening]]", words: "Words"
) -> None:
    from app.simulator.evening.pictures import page, pictures

    drawn = pictures(scene, summary, [found[0] for found in played.values()], words)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, svg in drawn.items():
            (out / name).write_text(svg, encoding="utf-8")
        html = page(scene, summary, list(drawn.values()), words, evenings=len(next(iter(played.values()))))
        (out / "index.html").write_text(html, encoding="utf-8")
    except OSError as error:
        raise Failure(f"cannot write to {out}", why=error.strerror or str(error)) from error
    say(f"written to {out}: index.html, {', '.join(drawn)}")


def _as_json(scene: Scene, counted: "Mapping[Way, Sequence[Figures]]", summary: "Sequence[Figures]") -> JsonValue:
    return {
        "scene": asdict(scene),
        "ways": {
            one.way.value: {"median": asdict(one), "evenings": [asdict(each) for each in counted[one.way]]}
            for one in summary
        },
    }
