"""When sessions were free of charge, by the schedules that hold for their accounts where they are."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.db import accounts
from app.db.engine import Connection
from app.domain.local_time import day_begins_at
from app.domain.marks import Cuts
from app.domain.online import Place, Stretch
from app.domain.policies import Rules
from app.domain.schedules import DAY_MINUTES, Calendars, Span, Window, free_stretches
from app.domain.sessions import Session

_DAY = timedelta(days=1)


def cuts_of(rules: Rules) -> Cuts:
    """Return the minutes at which anything begins or ends to be free of charge, but for midnight."""
    edges = {edge % DAY_MINUTES for window in rules.free_windows for edge in (window.begins, window.ends)}
    return tuple(sorted(edges - {0}))


class FreeTimes:
    """Tells when sessions, and whole days of accounts, were free of charge; a schedule that changes changes no past."""

    def __init__(
        self, windows: Mapping[tuple[str, str | None], Sequence[Window]], calendars: Calendars, zone: ZoneInfo
    ) -> None:
        self._windows, self._calendars, self._zone = windows, calendars, zone
        self._anywhere = {account_id: some for (account_id, _), some in windows.items() if some}

    def of_session(self, session: Session) -> Sequence[Span]:
        """Return the parts of a session that were free."""
        windows = self._windows.get((session.account_id or "", session.site_id), ())
        return self._spans(windows, session.started_at, session.last_report_at) if windows else ()

    def on_day(self, place: Place) -> Sequence[Stretch]:
        """Return the parts of a day that were free for an account, where its last sessions were."""
        account_id, day = place
        windows = self._anywhere.get(account_id, ())
        if not windows:
            return ()
        begins, ends = day_begins_at(day, self._zone), day_begins_at(day + _DAY, self._zone)
        spans = self._spans(windows, begins, ends)
        return [Stretch(int(span.begins_at.timestamp()), int(span.ends_at.timestamp())) for span in spans]

    def _spans(self, windows: Sequence[Window], since: datetime, until: datetime) -> Sequence[Span]:
        return free_stretches(windows, self._calendars, since, until, self._zone)


def free_times(
    connection: Connection, rules: Rules, some: Iterable[Session], *, zone: ZoneInfo, now: datetime
) -> FreeTimes:
    """Return when these sessions, and others of their accounts, were free of charge."""
    if not rules.free_windows:
        return FreeTimes({}, {}, zone)
    places = {(session.account_id, session.site_id) for session in some if session.account_id is not None}
    found = accounts.by_places(connection, places, zone=zone, now=now)
    windows = {
        place: tuple(window for window in account.policy.windows if window.free) for place, account in found.items()
    }
    return FreeTimes(windows, rules.calendars, zone)
