"""What the README tells people to type is what works."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from partway.cli import app
from partway.testing.media import sample
from partway.testing.server import running_server

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
TOLD = sorted([README, ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
LOCAL_SERVER = "http://127.0.0.1:8080"


def blocks(page: Path, *languages: str) -> list[str]:
    """The fenced code blocks of a page in the given languages."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [code for language, code in found if language in languages]


def typed_lines(page: Path) -> list[str]:
    """Every command line of a page's shell blocks, continued lines joined, prompts and comments removed."""
    lines = "".join(blocks(page, "sh", "bash", "shell", "console")).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ").strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def test_two_commands_come_first() -> None:
    first = [line for line in typed_lines(README) if line.startswith("make ")]
    assert [line.split("#")[0].strip() for line in first[:2]] == ["make serve", "make test"]


def test_ci_runs_the_readmes_test_command() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert any(re.fullmatch(r"(timeout .* )?make test", line) for line in lines)


@pytest.mark.parametrize("page", TOLD, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    inline = re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8"))
    typed = [word for line in typed_lines(page) for word in re.findall(r"^make ([a-z-]+)", line)]
    assert set(inline + typed) - targets == set()


@pytest.mark.parametrize("page", TOLD, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_partway_command_and_flag_exists(page: Path) -> None:
    for line in typed_lines(page):
        for call in re.findall(r"(?:^|[|;&] *)partway ([^|;&#]*)", line):
            check_call(shlex.split(call))


def check_call(words: list[str]) -> None:
    """Follow the words into the tree of commands; every flag must be one of the command reached."""
    command: Any = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert not getattr(command, "commands", None) or words[:1] in ([], ["--help"]), f"no command {words[:1]}"
    known = {"--help"} | {name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]}
    flags = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert flags - known == set()


def test_python_snippets_run(media_dir: Path, tmp_path: Path) -> None:
    """Each as it stands, in a folder with the files it names, but for the address and the key of the server."""
    snippets = blocks(README, "python")
    assert snippets
    with running_server() as server:
        environment = {**os.environ, "PARTWAY_SERVER": server.url, "PARTWAY_API_KEY": server.api_key}
        environment["XDG_STATE_HOME"] = environment["XDG_DATA_HOME"] = str(tmp_path / "state")
        for snippet in snippets:
            for name in re.findall(r"""["']([\w./-]+\.(?:mp4|mov))["']""", snippet):
                shutil.copyfile(sample(media_dir, "plain"), tmp_path / name)
            code = re.sub(r'api_key="[^"]*"', f'api_key="{server.api_key}"', snippet.replace(LOCAL_SERVER, server.url))
            done = subprocess.run(
                [sys.executable, "-W", "error", "-c", code],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stderr
