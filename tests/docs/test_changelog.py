"""Every changelog fragment fits the template of changelog/README.md."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "changelog"
FORM = re.compile(r"(Added|Changed|Fixed): \S.*[^.\s]\n\n\S(?:.|\n)+\S\n")


def test_every_fragment_fits_the_template() -> None:
    for path in FOLDER.iterdir():
        if path.name == "README.md":
            continue
        text = path.read_text(encoding="utf-8")
        assert re.fullmatch(r"\d+-[a-z0-9-]+\.md", path.name), path.name
        assert FORM.fullmatch(text), f"{path.name} does not fit the template of changelog/README.md"
        assert len(text.splitlines()[0]) <= 100, path.name
