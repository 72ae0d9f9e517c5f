"""The image, the compose file and the unit, as far as they can be held without a container engine."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
UNIT = ROOT / "deploy" / "pesisir.service"


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


def test_image_has_two_stages_and_no_root() -> None:
    assert DOCKERFILE.count("\nFROM ") == 2
    assert re.search(r"^USER \d+:\d+$", DOCKERFILE, re.MULTILINE)


def test_health_of_the_image_is_asked_of_the_product() -> None:
    assert 'CMD ["pesisir", "doctor", "--alive"]' in DOCKERFILE


def test_build_sees_what_it_copies_and_nothing_else() -> None:
    lines = DOCKERFILE.splitlines()
    copied = {
        name for line in lines if line.startswith("COPY ") and "--from" not in line for name in line.split()[1:-1]
    }
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignore[1] == "*"
    assert {line[1:] for line in ignore if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)


def test_image_installs_only_what_the_lock_names() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert "--no-index --no-build-isolation --no-deps" in DOCKERFILE


def test_compose_gives_secrets_by_file_and_nothing_writable() -> None:
    assert re.findall(r"PASSWORD: |SECRET_KEY: |DATABASE_URL: ", COMPOSE) == []
    assert COMPOSE.count("read_only: true") == 2  # the product's services share one
    assert "cap_drop: [ALL]" in COMPOSE


def test_secrets_of_compose_are_never_committed() -> None:
    done = subprocess.run(["git", "check-ignore", "-q", "secrets/secret_key"], cwd=ROOT, check=False, timeout=60)
    if done.returncode == 128:
        pytest.skip("not a git checkout")
    assert done.returncode == 0


def test_unit_is_confined() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # systemd's names have capitals
    unit.read(UNIT, encoding="utf-8")
    confined = {"NoNewPrivileges", "PrivateDevices", "PrivateTmp", "ProtectHome", "RestrictNamespaces"}
    assert {unit["Service"][name] for name in confined} == {"yes"}
    assert unit["Service"]["ProtectSystem"] == "strict"


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not here")
    copy = tmp_path / "pesisir.service"
    copy.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/pesisir/bin/pesisir", "/bin/true"), encoding="utf-8")
    done = subprocess.run([analyze, "verify", copy], capture_output=True, text=True, check=False, timeout=60)
    assert [line for line in done.stderr.splitlines() if line.startswith("pesisir.service")] == []
