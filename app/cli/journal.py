"""`pesisir journal`: what this machine has stored and the database does not have yet."""

from datetime import UTC, datetime

from app.cli.installation import Installation, now, open_installation
from app.cli.noun import example, noun
from app.cli.output import Json, duration, iso, local, octets, show_fields, show_json
from app.node.journal.segment import Position
from app.node.journal.status import JournalStatus, journal_status

commands = noun("journal", "What this machine has stored and the database does not have yet.")


@commands.callback()
def _journal() -> None:
    """Keep `status` a verb, though it is the only one."""


@commands.command(epilog=example("pesisir journal status --json"))
def status(as_json: Json = False) -> None:
    """Say how many records wait to be merged into the database, and since when."""
    with open_installation() as here:
        found = read_status(here)
    oldest_at = None if found.oldest_at is None else datetime.fromtimestamp(found.oldest_at, UTC)
    if as_json:
        show_json(
            {
                "pending": found.pending,
                "octets": found.octets,
                "oldest_at": iso(oldest_at, here.zone),
                "damaged": [str(path) for path in found.damaged],
            }
        )
        return
    show_fields(
        {
            "pending": found.pending,
            "size": octets(found.octets),
            "oldest": local(oldest_at, here.zone),
            "waits for": None if oldest_at is None else duration(max(0, int((now() - oldest_at).total_seconds()))),
            "damaged": ", ".join(str(path) for path in found.damaged),
        }
    )


def read_status(here: Installation) -> JournalStatus:
    """Return what waits in the journals of this machine; the positions are read first, so nothing is counted short."""
    from app.services.positions import ingest_state

    positions = {
        (one.node, one.worker): Position(one.segment, one.segment_id, one.offset)
        for one in ingest_state(here.database).positions
    }
    return journal_status(here.settings.data_dir, positions)
