from datetime import timedelta

import pytest

from app.domain.local_time import WITA
from app.domain.units import GB, MB
from app.web.formats import Formats, When
from tests.factories import NOON

ID, EN = Formats("id", WITA), Formats("en", WITA)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        pytest.param(0, "0 MB", id="nothing"),
        pytest.param(420_000, "0,4 MB", id="below one"),
        pytest.param(312 * MB + 999_999, "312 MB", id="rounded down"),
        pytest.param(1_234 * MB, "1,2 GB", id="decimal comma"),
        pytest.param(1 * GB, "1 GB", id="no empty decimal"),
        pytest.param(12_345 * GB, "12.345 GB", id="thousands"),
    ],
)
def test_e24_amounts(octets: int, text: str) -> None:
    assert ID.amount(octets) == text.replace(" ", "\u00a0")


def test_amounts_in_english_have_a_decimal_point() -> None:
    assert EN.amount(1_500 * MB) == "1.5\u00a0GB"


@pytest.mark.parametrize(("bps", "text"), [(4_000_000, "4 Mbps"), (2_500_000, "2,5 Mbps"), (512_000, "512 kbps")])
def test_rates(bps: int, text: str) -> None:
    assert ID.rate(bps) == text.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0, "1 menit", id="never nothing"),
        pytest.param(3_600, "1 jam", id="an hour"),
        pytest.param(19_200, "5 jam 20 menit", id="two units"),
        pytest.param(30 * 86_400, "30 hari", id="days"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert ID.duration(seconds) == text


def test_durations_in_english() -> None:
    assert EN.duration(19_200) == "5 hours 20 minutes"


def test_e23_clock_is_local_with_a_dot_and_the_zone() -> None:
    assert ID.when(NOON + timedelta(hours=12), now=NOON) == When("00.00 WITA", None)


def test_e23_moment_beyond_a_day_has_its_date() -> None:
    assert ID.when(NOON + timedelta(days=6, hours=12), now=NOON) == When("00.00 WITA", "1 Desember 2026")


@pytest.mark.parametrize(("seconds", "text"), [(12, "12 detik"), (180, "3 menit"), (10_800, "3 jam")])
def test_ages(seconds: int, text: str) -> None:
    assert ID.age(seconds) == text
