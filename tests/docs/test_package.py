"""The wheel carries what it must, and its base is the client alone."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENDOR = "partway/web/static/vendor/"
SERVER_ONLY = [
    "fastapi",
    "starlette",
    "granian",
    "uvicorn",
    "sqlalchemy",
    "alembic",
    "numpy",
    "pydantic_settings",
    "structlog",
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = target.glob("*.whl")
    return zipfile.ZipFile(built)


def test_wheel_carries_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    source = ROOT / "src"
    ours = {
        path.relative_to(source).as_posix()
        for path in (source / "partway").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "vendor" not in path.parts
    }
    assert ours - set(wheel.namelist()) == set()


def test_wheel_carries_the_player_libraries_and_their_licences(wheel: zipfile.ZipFile) -> None:
    manifest = json.loads(wheel.read(VENDOR + "manifest.json"))
    lock = json.loads((ROOT / "web-assets" / "package-lock.json").read_text(encoding="utf-8"))
    for name, version in manifest["packages"].items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
    for name, digest in manifest["files"].items():
        assert hashlib.sha256(wheel.read(VENDOR + name)).hexdigest() == digest
    assert set(manifest["files"]) == {
        "hls.min.js",
        "hls.js.LICENSE.txt",
        "media-chrome.min.js",
        "media-chrome.LICENSE.txt",
    }


def test_base_requirements_are_the_client(wheel: zipfile.ZipFile) -> None:
    metadata = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    asked = message_from_string(wheel.read(metadata).decode()).get_all("Requires-Dist") or []
    base = {entry.split(">")[0] for entry in asked if "extra ==" not in entry}
    assert base == {"anyio", "httpx2", "platformdirs", "rich", "typer", "xxhash"}


def test_version_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"partway": "partway.cli:main"}
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")}
    assert [path.name for path, text in texts.items() if f'"{project["version"]}"' in text] == []


def test_client_and_command_line_start_without_the_server() -> None:
    """With every server-only package made unimportable, as `pip install .` leaves it."""
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({SERVER_ONLY!r}))\n"
        "import partway.client\n"
        "from typer.testing import CliRunner\n"
        "from partway.cli import app\n"
        "for command in ([], ['upload'], ['list']):\n"
        "    outcome = CliRunner().invoke(app, [*command, '--help'])\n"
        "    assert outcome.exit_code == 0, outcome.output\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
