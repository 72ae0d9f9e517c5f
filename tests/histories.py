"""A city's accounting, made up: evenings with power, phones that come and go, routers that reboot, links that lose.

`make_history` gives packets in the order in which they arrive, with all that a RADIUS packet needs. What must come
of them is for the test to say: each packet names the session it truly belongs to.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

SIX_PM = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # 18.00 WITA
ON, OFF, START, INTERIM, STOP = "on", "off", "start", "interim", "stop"


@dataclass(frozen=True, slots=True)
class Packet:
    """One Accounting-Request as its router means it. `session` counts the true sessions; None is a restart.

    `event_at` are whole seconds. `delay_seconds` is what the router says in Acct-Delay-Time when the packet that
    arrives is sent; `copy` counts the copies of one packet: 0, or later ones with a larger delay.
    """

    kind: str
    nas: int
    event_at: datetime
    session: int | None = None
    acct_session_id: str = ""
    mac: str = ""
    user_name: str = ""
    account: int | None = None
    ip: str = ""
    up_octets: int = 0
    down_octets: int = 0
    session_seconds: int | None = None
    cause: str = ""
    delay_seconds: int = 0
    copy: int = 0


@dataclass(frozen=True, slots=True)
class Router:
    """How one router behaves. `dated`: it sends Acct-Session-Time. `small_ids`: it counts ids in a small circle."""

    dated: bool = True
    small_ids: bool = False


ROUTERS = (Router(), Router(), Router(small_ids=True), Router(dated=False))


@dataclass(frozen=True, slots=True)
class Settings:
    """How much of everything."""

    evenings: int = 4
    hours: int = 12
    devices: int = 120
    accounts: int = 60
    lost: float = 0.03
    repeated: float = 0.04
    late: float = 0.06


def make_history(
    packets: int, *, seed: int = 1, begins_at: datetime = SIX_PM, settings: Settings | None = None
) -> list[Packet]:
    """Return that many packets in the order of their arrival; each evening is 24 hours after the one before."""
    chance = random.Random(seed)
    town = _Town(chance, begins_at, settings or Settings())
    arrivals: list[tuple[float, int, Packet]] = []
    for evening in town.evenings():
        for packet in evening:
            for arrived_at, copy in _arrivals(packet, chance, town.settings):
                arrivals.append((arrived_at, len(arrivals), copy))
    if len(arrivals) < packets:
        raise ValueError(f"{len(arrivals)} packets, {packets} asked for: give it more devices or evenings")
    arrivals.sort()
    return [packet for _, _, packet in arrivals[:packets]]


def settings_for(packets: int) -> Settings:
    """Return settings that give at least that many packets."""
    return Settings(devices=max(40, packets // 270), accounts=max(20, packets // 600))


def _arrivals(packet: Packet, chance: random.Random, settings: Settings) -> Iterator[tuple[float, Packet]]:
    """Lose, delay and repeat a packet."""
    if chance.random() < settings.lost:
        return
    delay = chance.uniform(0, 2)
    if chance.random() < settings.late:
        delay = chance.uniform(0, chance.choice([60, 900, 6 * 3_600]))
    copies = 1 + (chance.random() < settings.repeated) + (chance.random() < settings.repeated / 4)
    for copy in range(copies):
        values = {name: getattr(packet, name) for name in Packet.__slots__}
        yield packet.event_at.timestamp() + delay, Packet(**values | {"delay_seconds": int(delay), "copy": copy})
        delay += chance.choice([0.001, 3, 40])


class _Town:
    def __init__(self, chance: random.Random, begins_at: datetime, settings: Settings) -> None:
        self.settings = settings
        self._chance = chance
        self._begins_at = begins_at
        self._session = 0
        self._boots = [0] * len(ROUTERS)
        self._ids = [0] * len(ROUTERS)

    def evenings(self) -> Iterator[list[Packet]]:
        for evening in range(self.settings.evenings):
            begin = self._begins_at + timedelta(days=evening)
            for nas in range(len(ROUTERS)):
                yield self._evening(nas, begin)

    def _evening(self, nas: int, begin: datetime) -> list[Packet]:
        """Power on, often a reboot in between, and power off, at times with time to say so."""
        hours = self.settings.hours
        end = begin + timedelta(hours=hours)
        cuts = [begin, end]
        if self._chance.random() < 0.6:
            cuts.insert(1, begin + timedelta(seconds=self._chance.randrange(3_600, (hours - 1) * 3_600)))
        told: list[Packet] = []
        for up_at, down_at in pairwise(cuts):
            told += self._boot(nas, up_at + timedelta(seconds=self._chance.randrange(60, 180)), down_at)
        return told

    def _boot(self, nas: int, up_at: datetime, down_at: datetime) -> list[Packet]:
        self._boots[nas] += 1
        self._ids[nas] = 0
        told = [Packet(ON, nas, up_at, cause="NAS-Reboot")]
        polite = self._chance.random() < 0.3
        for device in range(nas, self.settings.devices, len(ROUTERS)):
            told += self._stay(nas, device, up_at, down_at - timedelta(seconds=60 if polite else 0))
        if polite:
            told.append(Packet(OFF, nas, down_at - timedelta(seconds=50), cause="NAS-Request"))
        return told

    def _stay(self, nas: int, device: int, up_at: datetime, down_at: datetime) -> list[Packet]:
        """One device's sessions between two boots: some begin in the very second in which the router says it is up."""
        told: list[Packet] = []
        at = up_at + timedelta(seconds=self._chance.choice([0, 1, self._chance.randrange(7_200)]))
        while at < down_at - timedelta(seconds=10):
            session = self._session_of(nas, device, at, down_at)
            told += session
            at = session[-1].event_at + timedelta(seconds=self._chance.randrange(40, 5_400))
        return told

    def _session_of(self, nas: int, device: int, start: datetime, down_at: datetime) -> list[Packet]:
        chance = self._chance
        lasts = timedelta(seconds=int(chance.expovariate(1 / 5_000)) + 1)
        every = chance.choice([300, 600])
        up_rate, down_rate = chance.choice([(500, 4_000), (20_000, 150_000), (900_000, 12_000_000)])
        who = self._who(nas, device, start)
        account = None if device % 11 == 0 else device % self.settings.accounts
        up = down = seconds = 0
        told = []

        def tell(kind: str, cause: str = "") -> None:
            at = start + timedelta(seconds=seconds)
            said = max(0, seconds - chance.choice([0, 0, 0, 1])) if ROUTERS[nas].dated else None
            told.append(
                Packet(kind, nas, at, self._session, *who, account, f"10.{nas}.0.{device % 250}", up, down, said, cause)
            )

        tell(START)
        ends_at = min(start + lasts, down_at)
        while True:
            step = min(every, int((ends_at - start).total_seconds()) - seconds)
            if step <= 0:
                break
            seconds += step
            up += int(up_rate * step * chance.random())
            down += int(down_rate * step * chance.random())
            if seconds % every == 0 and start + timedelta(seconds=seconds) < ends_at:
                tell(INTERIM)
        if ends_at < down_at:
            tell(STOP, chance.choice(["User-Request", "Idle-Timeout", "Session-Timeout"]))
        self._session += 1
        return told

    def _who(self, nas: int, device: int, start: datetime) -> tuple[str, str, str]:
        """Return Acct-Session-Id, MAC and User-Name: ids repeat every third boot, for everybody or for each device."""
        self._ids[nas] += 1
        mac = f"02:aa:00:00:{device // 256:02x}:{device % 256:02x}"
        name = mac if device % 3 else f"account{device % self.settings.accounts}~{int(start.timestamp()):x}"
        if ROUTERS[nas].small_ids:
            return str(self._ids[nas] % 32_768 + 1), mac, name
        if not ROUTERS[nas].dated:
            return f"{int(start.timestamp()):08x}{device:04x}", mac, name
        return f"8{self._boots[nas] % 3}{self._ids[nas]:06x}", mac, name
