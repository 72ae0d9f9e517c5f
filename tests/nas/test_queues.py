"""Scripts of queues, compared with `golden_queues/`; `python -m tests.nas.test_queues` writes them anew."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.domain.nases import Family
from app.domain.service_classes import ServiceClass
from app.domain.uplinks import ClassTerms, Shares, SiteLine, SiteNetwork, Uplink
from app.nas.linux_queues import changes_of, read_numbers
from app.nas.queues import HeadFormat, head_files, router_files
from app.nas.rendering import routeros
from tests.factories import make_nas

GOLDEN = Path(__file__).parent / "golden_queues"
OFFICE, PUBLIC, RESIDENT, _ = ServiceClass
M = 1_000_000
UPLINK = Uplink(
    "uplink",
    "Telkom",
    60 * M,
    20 * M,
    "eth1",
    {
        OFFICE: ClassTerms(OFFICE, 10 * M, 30 * M, weight=4),
        PUBLIC: ClassTerms(
            PUBLIC, 5 * M, dscp=34, networks=(ip_network("103.10.1.0/24"), ip_network("2001:db8:9::/48"))
        ),
    },
)
SITES = (
    SiteLine(
        "gusunggusunggusu", "Gusung", 20 * M, 30, None,
        (SiteNetwork(ip_network("10.9.1.0/24")), SiteNetwork(ip_network("10.9.1.0/28"), OFFICE), SiteNetwork(ip_network("2001:db8:1::/64"))),
    ),
    SiteLine("melahingmelahing", "Melahing", 7 * M, 30, None, (SiteNetwork(ip_network("10.9.2.0/24")),)),
)  # fmt: skip
CASES: Mapping[str, Mapping[str, str]] = {
    **{f"head-{one}": head_files(UPLINK, SITES, one) for one in HeadFormat},
    **{f"router-{one}": router_files(make_nas(family=one), SITES[1]) for one in Family},
}


@pytest.mark.parametrize("name", CASES)
def test_queues_are_as_agreed(name: str) -> None:
    folder = GOLDEN / name
    files = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} if folder.exists() else {}
    assert CASES[name] == files


def test_routers_that_run_linux_or_routeros_have_queues() -> None:
    with_queues = {family for family in Family if CASES[f"router-{family}"]}
    assert with_queues == {Family.MIKROTIK, Family.COOVACHILLI, Family.OPENNDS, Family.USPOT, Family.HOSTAPD}


@pytest.mark.parametrize("family", list(Family))
def test_router_of_a_site_without_a_ceiling_has_none(family: Family) -> None:
    assert router_files(make_nas(family=family), replace(SITES[1], capacity_bps=None)) == {}


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
@pytest.mark.parametrize("name", [name for name in CASES if "pesisir-queues" in CASES[name]])
def test_shell_of_a_router_reads_the_script(shell: str, name: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "pesisir-queues"
    script.write_text(CASES[name]["pesisir-queues"], encoding="utf-8")
    command = [program, "sh"] if shell == "busybox" else [program]
    subprocess.run([*command, "-n", str(script)], check=True, capture_output=True)


def printed(script: str, tmp_path: Path, way: str) -> list[str]:
    """Return what the script would tell tc, down and up, on a kernel that has `way`."""
    file = tmp_path / "pesisir-queues"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["sh", str(file), "print"],
        env={"PATH": "/usr/bin:/bin", "WAY": way},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("way", ["cake", "fq_codel", "htb"])
def test_every_way_has_the_same_classes_and_its_own_leaves(way: str, tmp_path: Path) -> None:
    lines = printed(CASES["head-linux"]["pesisir-queues"], tmp_path, way)
    down = [line for line in lines if " dev eth1 " in line]
    assert len(down) > 0
    assert "class add dev eth1 parent 9e5:1 classid 9e5:10 htb rate 10000000bit ceil 30000000bit" in "\n".join(down)
    leaves = [line for line in down if line.startswith("qdisc add") and "bfifo" not in line and " root " not in line]
    hosts = [line for line in down if "burst 64000 " in line]
    assert (len(leaves), len(hosts)) == ((0, 16 + 64 + 64 + 64) if way == "htb" else (4, 0))
    assert all((way in leaf) and (way != "cake" or "dual-dsthost" in leaf) for leaf in leaves)
    keyed = [line for line in lines if "flow hash" in line]
    assert len(keyed) == (8 if way == "fq_codel" else 0)
    assert all(("keys dst" in line) == (" dev eth1 " in line) for line in keyed)


def test_narrower_network_is_asked_first(tmp_path: Path) -> None:
    lines = printed(CASES["head-linux"]["pesisir-queues"], tmp_path, "cake")
    order = [
        line.split("match ip dst ")[1].split()[0] for line in lines if " dev eth1 " in line and "match ip dst" in line
    ]
    assert order == ["10.9.1.0/28", "10.9.1.0/24", "10.9.2.0/24"]


def test_numbers_in_the_script_are_those_that_apply_uses() -> None:
    script = CASES["head-linux"]["pesisir-queues"]
    numbers = read_numbers(script.partition("cat <<END\n")[2].partition("END\n")[0])
    assert set(numbers) == {
        "office", "office/gusunggusunggusu", "public_service", "public_service/services", "resident",
        "resident/gusunggusunggusu", "resident/melahingmelahing",
    }  # fmt: skip
    shares = Shares({OFFICE: 25 * M, RESIDENT: 12 * M}, {"melahingmelahing": 3 * M})
    lines = changes_of(UPLINK, SITES, shares, "eth1", numbers)
    assert len(lines) == len(numbers)
    assert (
        f"class change dev eth1 parent 9e5:1 classid 9e5:{numbers['office']:x} htb rate 25000000bit ceil 30000000bit"
        " burst 31250 cburst 37500 quantum 1514"
    ) in lines
    (melahing,) = [line for line in lines if f"classid 9e5:{numbers['resident/melahingmelahing']:x} " in line]
    assert " ceil 3000000bit " in melahing


def test_unchanged_shares_change_nothing_of_what_the_script_has_put_on(tmp_path: Path) -> None:
    script = CASES["head-linux"]["pesisir-queues"]
    numbers = read_numbers(script.partition("cat <<END\n")[2].partition("END\n")[0])
    put_on = printed(script, tmp_path, "cake")
    for line in changes_of(UPLINK, SITES, Shares(), "eth1", numbers):
        assert line.replace("class change", "class add") in put_on


def test_site_that_is_not_on_yet_is_left_out() -> None:
    lines = changes_of(UPLINK, SITES, Shares(), "eth1", {"resident": 0x12, "resident/gusunggusunggusu": 0x20})
    assert [line.split()[7] for line in lines] == ["9e5:12", "9e5:20"]


def test_names_cannot_leave_their_place(tmp_path: Path) -> None:
    evil = "a\"b'c$d`e%n"
    site = replace(SITES[1], name=evil)
    uplink = replace(UPLINK, name=evil)
    files = head_files(uplink, [site], HeadFormat.LINUX)
    assert f"Description=Queues of uplink {evil.replace('%', '%%')}\n" in files["pesisir-queues.service"]
    assert printed(files["pesisir-queues"], tmp_path, "cake")
    rsc = head_files(uplink, [site], HeadFormat.ROUTEROS)["pesisir-queues.rsc"]
    assert f"name={routeros(f'pesisir-resident-{evil}')} " in rsc


def write() -> None:
    shutil.rmtree(GOLDEN, ignore_errors=True)
    for name, files in CASES.items():
        for file, text in files.items():
            (GOLDEN / name).mkdir(parents=True, exist_ok=True)
            (GOLDEN / name / file).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
