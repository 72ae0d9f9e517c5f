"""The alarm of a disk that fills up, or that takes nothing any more: said once in the log when it begins and ends."""

import structlog

from app.node.journal.writer import Journal

log = structlog.get_logger("node")


class DiskAlarm:
    """Looks at a journal whenever it is asked to."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._low = self._failing = False

    def look(self) -> None:
        """Say what has changed since the last look."""
        low, failing = self._journal.space_low, not self._journal.healthy
        folder = str(self._journal.directory)
        if failing and not self._failing:
            log.error("journal_failing", folder=folder, effect="accounting is not acknowledged", next="pesisir doctor")
        elif self._failing and not failing:
            log.warning("journal_writes_again", folder=folder)
        if low and not self._low:
            log.warning("disk_nearly_full", folder=folder, next="make room: a full disk stops accounting")
        elif self._low and not low:
            log.info("disk_has_room", folder=folder)
        self._low, self._failing = low, failing
