"""Who is online, as far as a node knows, and what they used that the database does not know yet. No I/O, no clock.

What the database says is joined with what this node was told itself: usage of an account is the database's, plus for
each session what the node's own reports say beyond what the database holds for it. A reservation is an Accept whose
Start has not come: it holds a place for 90 s.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.db.snapshot import SessionFacts
from app.domain.online import Stretch, by_day, union
from app.domain.reports import ReportKind, SessionReport
from app.domain.spending import Used
from app.node.octets import Key, LocalDays, Octets, Place, always_charged

RESERVATION_SECONDS: Final = 90
_DECIDED_WITHIN_SECONDS: Final = 10.0  # of its coming; a request that was parked may be overtaken by that much
_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class Presence:
    """One device that is online, or about to be. `reserved_until` is wall-clock seconds, None once it has started."""

    account_id: str
    acceptance_id: str
    nas_id: str
    nas_scope: str
    acct_session_id: str
    user_name: str
    since: float
    reserved_until: float | None


class Sessions:
    """Devices by MAC (the newest session of each; an Accept supersedes the older one anywhere), octets by session."""

    def __init__(self, zone: ZoneInfo, stored: Iterable[SessionFacts] = ()) -> None:
        self._zone = zone
        self._days = LocalDays(zone)
        self._devices: dict[str, Presence] = {}
        self._reserved: deque[tuple[float, str]] = deque()  # (until, device) of reservations, in order
        self._of_account: dict[str, set[str]] = {}
        self._octets: dict[Key, Octets] = {}
        self._unmerged: dict[str, set[Key]] = {}  # of each account
        self._reported: deque[tuple[Place, Key]] = deque()  # the same, by where each stood in our journal when it came
        for facts in stored:
            self.take_stored(facts)

    # What a decision asks

    def online(self, account_id: str, now: float) -> set[str]:
        """Return the devices that are online with an account or about to be."""
        macs = self._of_account.get(account_id)
        if not macs:
            return set()
        for mac in [mac for mac in macs if self._lapsed(mac, now)]:
            self._leave(mac)
        return set(self._of_account.get(account_id, ()))

    def unmerged(
        self, account_id: str, online_until: int, charged: Callable[[int, int], float] = always_charged
    ) -> Sequence[tuple[date, Used]]:
        """Return what the account used that the database does not know yet, by local day.

        Time online is what goes beyond `online_until`, until which the database counts it; once for several devices.
        `charged` tells how much of the time between two seconds counts for quotas.
        """
        keys = self._unmerged.get(account_id)
        if not keys:
            return ()
        used: list[tuple[date, Used]] = []
        stretches: list[Stretch] = []
        for key in keys:
            octets = self._octets[key]
            share = charged(octets.merged_at or octets.since, octets.at)
            up = int(share * max(0, octets.up - octets.merged_up))
            down = int(share * max(0, octets.down - octets.merged_down))
            up_today = min(up, max(0, octets.up - octets.day_up))
            down_today = min(down, max(0, octets.down - octets.day_down))
            day = date.fromordinal(octets.day)
            used.append((day, Used(up_today, down_today)))
            if up > up_today or down > down_today:
                used.append((day - _DAY, Used(up - up_today, down - down_today)))
            since = max(octets.since, online_until)
            if octets.until > since:
                stretches.append(Stretch(since, octets.until))
        for stretch in union(stretches):
            used += [
                (day, Used(seconds=int((until - since) * charged(since, until))))
                for day, (since, until) in by_day(stretch, self._zone)
            ]
        return used

    def acceptance_of(self, account_id: str, nas_id: str, mac: str, acct_session_id: str) -> str | None:
        """Return the acceptance id of the session that a re-authentication is about; None if it is a new one."""
        presence = self._devices.get(device_name(mac, nas_id, acct_session_id))
        if (
            presence is None
            or not acct_session_id
            or (presence.account_id, presence.nas_id, presence.acct_session_id) != (account_id, nas_id, acct_session_id)
        ):
            return None
        return presence.acceptance_id or None

    def accepted_here(self, nas_id: str, mac: str, user_name: str) -> tuple[str, str] | None:
        """Return (account id, acceptance id) of this device's latest Accept, if it was here and for this name."""
        presence = self._devices.get(mac)
        if presence is None or (presence.nas_id, presence.user_name) != (nas_id, user_name):
            return None
        return presence.account_id, presence.acceptance_id

    # What happens here

    def reserve(self, mac: str, accept: Presence, *, replayed: bool = False) -> None:
        """Note an Accept: the device takes its place, whatever session it had before.

        The re-authentication of an open session leaves it open; what is newer already stays. Of an Accept that was not
        `replayed` from the journal, what is newer by more than the request can have waited began by another clock.
        """
        name = device_name(mac, accept.nas_id, accept.acct_session_id)
        before = self._devices.get(name)
        if before is not None:
            newer_by = before.since - accept.since
            if newer_by > 0 and (replayed or newer_by <= _DECIDED_WITHIN_SECONDS):
                return
            if before.acceptance_id == accept.acceptance_id and before.reserved_until is None:
                return
        self._enter(name, accept)
        self._end_reservations(name, accept)

    def _end_reservations(self, device: str, accept: Presence) -> None:
        """Forget Accepts whose Start never came, also of accounts that nobody asks about again."""
        if accept.reserved_until is not None:
            self._reserved.append((accept.reserved_until, device))
        while self._reserved and self._is_over(self._reserved[0][0], accept.since):
            until, name = self._reserved.popleft()
            presence = self._devices.get(name)
            if presence is not None and presence.reserved_until == until:
                self._leave(name)

    def take_report(self, report: SessionReport, place: Place) -> bool:
        """Move on with a report that is safe in our own journal at `place`; tell whether its device has left by it."""
        if report.account_id is None:
            return False
        left = False
        name = device_name(report.mac, report.nas_id, report.acct_session_id)
        if report.kind is ReportKind.STOP:
            left = self._stop(name, report.nas_id, report.acct_session_id)
        else:
            self._started(name, report, report.account_id)
        key = (report.nas_id, report.nas_scope, report.acct_session_id, report.mac, report.acceptance_id or "")
        octets = self._octets.get(key)
        if octets is None:
            since = report.starts_at or report.event_at
            octets = self._octets[key] = Octets(report.account_id, int(since.timestamp()))
        octets.move_on(report, self._days)
        octets.place = place
        self._note_unmerged(key, octets)
        return left

    def take_restart(self, nas_id: str, nas_scope: str, at: float) -> None:
        """Empty a NAS that has restarted: nothing that began before `at` is online there."""
        gone = [
            name
            for name, presence in self._devices.items()
            if (presence.nas_id, presence.nas_scope) == (nas_id, nas_scope) and presence.since <= at
        ]
        for name in gone:
            self._leave(name)

    # What the database says

    def take_stored(self, facts: SessionFacts) -> None:
        """Take what the database says about one session."""
        key = (facts.nas_id, facts.nas_scope, facts.acct_session_id, facts.mac, facts.acceptance_id or "")
        name = device_name(facts.mac, facts.nas_id, facts.acct_session_id)
        if not facts.open:
            self._stop(name, facts.nas_id, facts.acct_session_id)
            if key in self._octets and key not in self._unmerged.get(facts.account_id, ()):
                del self._octets[key]
                return
        octets = self._octets.get(key)
        if octets is None:
            if not facts.open:
                return
            octets = Octets(facts.account_id, int(facts.started_at.timestamp()))
        self._octets[key] = replace(
            octets,
            merged_up=facts.up_octets,
            merged_down=facts.down_octets,
            merged_at=int(facts.last_report_at.timestamp()),
        )
        if facts.open:
            since = facts.started_at.timestamp()
            here = self._devices.get(name)
            if here is None or here.since < since:
                self._enter(
                    name,
                    Presence(
                        facts.account_id,
                        facts.acceptance_id or "",
                        facts.nas_id,
                        facts.nas_scope,
                        facts.acct_session_id,
                        facts.user_name,
                        since,
                        None,
                    ),
                )

    def take_position(self, merged: Place) -> None:
        """Forget own reports that the database holds by now: those up to `merged` in our own journal."""
        later: list[Key] = []
        while self._reported and self._reported[0][0] <= merged:
            key = self._reported.popleft()[1]
            octets = self._octets[key]
            if octets.place > merged:  # it has reported again
                later.append(key)
                continue
            self._forget_unmerged(key, octets)
            if self._is_here(key):
                self._octets[key] = replace(octets, up=0, down=0)
            else:
                del self._octets[key]
        self._reported += sorted((self._octets[key].place, key) for key in later)

    def carry_unmerged(self, older: "Sessions", merged: Place) -> None:
        """Take over, after a fresh load, what only we know: own reports not merged yet, their devices, reservations."""
        reported = set()
        for keys in older._unmerged.values():  # noqa: SLF001 its own class
            for key in keys:
                theirs = older._octets[key]  # noqa: SLF001 its own class
                if theirs.place > merged:
                    stored = self._octets.get(key) or Octets(theirs.account_id)
                    mine = replace(
                        theirs,
                        merged_up=stored.merged_up,
                        merged_down=stored.merged_down,
                        merged_at=stored.merged_at,
                    )
                    self._octets[key] = mine
                    self._note_unmerged(key, mine)
                    reported.add((mine.account_id, key[0], key[2]))
        self._reported = deque(sorted(self._reported))
        for name, presence in older._devices.items():  # noqa: SLF001 its own class
            here = self._devices.get(name)
            if here is not None and here.since >= presence.since:
                continue
            if presence.reserved_until is not None:
                self._enter(name, presence)
                self._reserved.append((presence.reserved_until, name))
            elif (presence.account_id, presence.nas_id, presence.acct_session_id) in reported:
                self._enter(name, presence)

    # What is written to the disk

    def copied(self) -> tuple[Mapping[str, Presence], Mapping[Key, Octets]]:
        """Return the devices by name and the octets by session, as references."""
        return dict(self._devices), dict(self._octets)

    @classmethod
    def restored(
        cls, zone: ZoneInfo, devices: Mapping[str, Presence], octets: Mapping[Key, Octets], merged: Place
    ) -> "Sessions":
        """Return what was `copied`; own reports behind `merged` in our own journal are not in the database yet."""
        sessions = cls(zone)
        for name, presence in devices.items():
            sessions._enter(name, presence)
        sessions._octets = dict(octets)
        for key, one in octets.items():
            if one.place > merged:
                sessions._note_unmerged(key, one)
        sessions._reported = deque(sorted(sessions._reported))
        return sessions

    def __len__(self) -> int:
        return len(self._devices)

    def _started(self, name: str, report: SessionReport, account_id: str) -> None:
        here = self._devices.get(name)
        if here is not None and (here.nas_id, here.acct_session_id) == (report.nas_id, report.acct_session_id):
            here.reserved_until = None
            return
        since = (report.starts_at or report.event_at).timestamp()
        if here is not None and here.reserved_until is not None and here.acceptance_id == report.acceptance_id:
            here.reserved_until, here.acct_session_id = None, report.acct_session_id
        elif here is None or here.since < since:
            presence = Presence(
                account_id,
                report.acceptance_id or "",
                report.nas_id,
                report.nas_scope,
                report.acct_session_id,
                report.user_name,
                since,
                None,
            )
            self._enter(name, presence)

    def _stop(self, name: str, nas_id: str, acct_session_id: str) -> bool:
        here = self._devices.get(name)
        if here is None or (here.nas_id, here.acct_session_id) != (nas_id, acct_session_id):
            return False
        self._leave(name)
        return True

    def _note_unmerged(self, key: Key, octets: Octets) -> None:
        keys = self._unmerged.setdefault(octets.account_id, set())
        if key not in keys:
            keys.add(key)
            self._reported.append((octets.place, key))

    def _forget_unmerged(self, key: Key, octets: Octets) -> None:
        keys = self._unmerged[octets.account_id]
        keys.discard(key)
        if not keys:
            del self._unmerged[octets.account_id]

    def _is_here(self, key: Key) -> bool:
        nas_id, _, acct_session_id, mac, _ = key
        here = self._devices.get(device_name(mac, nas_id, acct_session_id))
        return here is not None and (here.nas_id, here.acct_session_id) == (nas_id, acct_session_id)

    def _lapsed(self, name: str, now: float) -> bool:
        until = self._devices[name].reserved_until
        return until is not None and self._is_over(until, now)

    @staticmethod
    def _is_over(until: float, now: float) -> bool:
        """Tell whether a reservation has ended; one that lasts longer than any was made before the clock was set back.

        `now` may be when a request came that has waited for its decision since.
        """
        return not now < until <= now + RESERVATION_SECONDS + _DECIDED_WITHIN_SECONDS

    def _enter(self, name: str, presence: Presence) -> None:
        if name in self._devices:
            self._leave(name)
        self._devices[name] = presence
        self._of_account.setdefault(presence.account_id, set()).add(name)

    def _leave(self, name: str) -> None:
        presence = self._devices.pop(name)
        others = self._of_account[presence.account_id]
        others.discard(name)
        if not others:
            del self._of_account[presence.account_id]


def device_name(mac: str, nas_id: str, acct_session_id: str) -> str:
    """Return what stands for a device: its MAC, or the session itself where the NAS names no device."""
    return mac or f"{nas_id}/{acct_session_id}"
