"""What is committed names no package index and no place on anybody's machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# In two pieces each, so that this file doesn't find itself.
FORBIDDEN = [
    left + right
    for left, right in (
        ("pypi", ".org"),
        ("files.python", "hosted"),
        ("registry.npm", "js"),
        ("static.crates", ".io"),
        ("proxy.golang", ".org"),
        ("repo1.", "maven"),
        ("deb.debian", ".org"),
        ("/wo", "rk/"),
        ("/ro", "ot/"),
        ("/tmp/", "venv"),
    )
]


def committed_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_index_address_and_no_machine_path() -> None:
    found = []
    for path in committed_files():
        content = path.read_bytes()
        found += [f"{path.relative_to(ROOT)}: {word}" for word in FORBIDDEN if word.encode() in content]
    assert found == []


@pytest.mark.parametrize("folder", ["web-assets", "tests/protocol/sdks/node"])
def test_the_npm_lock_has_hashes_and_no_addresses(folder: str) -> None:
    lock = (ROOT / folder / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert lock.count('"integrity": "sha512-') == lock.count('"node_modules/')
