"""``partway doctor``: what is wrong with this machine, store and database, in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from partway.settings import Settings
    from partway.wiring import Finding

_GIB = 1024**3
_RELEASED = 1_790_000_000
_ROOM = 5 * _GIB


def doctor(
    data: Annotated[Path | None, typer.Option(help="The server's data folder (PARTWAY_DATA).")] = None,
    database: Annotated[str | None, typer.Option(help="The server's database URL (PARTWAY_DATABASE).")] = None,
    blobs: Annotated[str | None, typer.Option(help="The server's blob store URL (PARTWAY_BLOBS).")] = None,
    public_url: Annotated[str | None, typer.Option(help="The URL others reach the server by.")] = None,
) -> None:
    """Check this machine, the blob store and the database; exits 1 when something is wrong."""
    import asyncio

    from partway.errors import ConfigurationError
    from partway.settings import read_settings

    try:
        settings = read_settings(data=data, database=database, blobs=blobs, public_url=public_url)
        findings = asyncio.run(_examine(settings))
    except (ConfigurationError, OSError) as error:
        typer.echo(f"partway: {error}", err=True)
        raise typer.Exit(2) from None
    for finding in findings:
        typer.echo(f"{'ok   ' if finding.is_fine else 'WRONG'}  {finding.subject:<24} {finding.words}")
    wrong = [finding for finding in findings if not finding.is_fine]
    if wrong:
        typer.echo(f"{len(wrong)} of {len(findings)} checks found something wrong.", err=True)
        raise typer.Exit(1)


async def _examine(settings: Settings) -> list[Finding]:
    from partway.cli.logs import configure_logs
    from partway.wiring import check_clock, check_sandbox, check_up

    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    configure_logs("error")
    findings = [_versions(), check_clock(_RELEASED), _room(settings.data)]
    findings.extend(await check_up(settings))
    findings.append(_player())
    findings.extend(await check_sandbox(settings))
    if settings.public_url:
        findings.append(await _reachable(settings))
    return findings


def _versions() -> Finding:
    import platform
    import sqlite3
    from importlib.metadata import version

    from partway.wiring import Finding

    words = f"{version('partway')} on Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return Finding("partway", sqlite3.sqlite_version_info >= (3, 35), f"{words}, {platform.platform(terse=True)}")


def _room(data: Path) -> Finding:
    import shutil

    from partway.wiring import Finding

    free = shutil.disk_usage(data).free
    words = f"{free / _GIB:.1f} GiB free in {data.absolute()}"
    return Finding("room", free > _ROOM, words if free > _ROOM else f"only {words}; big videos will not fit")


def _player() -> Finding:
    from importlib.resources import files

    from partway.wiring import Finding

    if files("partway.web").joinpath("static/vendor/hls.min.js").is_file():
        return Finding("player", True, "hls.js and media-chrome are here")
    words = "hls.js was not fetched when this was built: only browsers with their own HLS can play; reinstall online"
    return Finding("player", False, words)


async def _reachable(settings: Settings) -> Finding:
    """Ask ``public_url`` as a client would: no redirects, since an upload is not sent twice, and no blind trust."""
    import ssl

    import httpx2

    from partway.wiring import Finding

    url, own = settings.public_url, settings.data / "tls" / "cert.pem"
    trust = ssl.create_default_context()
    if own.is_file():
        trust.load_verify_locations(cafile=own)
    try:
        async with httpx2.AsyncClient(timeout=5, verify=trust) as client:
            answer = await client.get(f"{url}/healthz")
    except (httpx2.HTTPError, OSError) as error:
        why = f"its certificate is not trusted: {error}" if "CERTIFICATE_VERIFY" in str(error) else str(error)
        return Finding("public_url", False, f"{url} can't be reached from here: {why or type(error).__name__}")
    if answer.is_redirect:
        return Finding("public_url", False, f"{url} sends us on to {answer.headers.get('location')}; set it to that")
    if answer.status_code != 200 or "ok" not in answer.text:
        return Finding("public_url", False, f"{url}/healthz answers {answer.status_code}; is this our server?")
    return Finding("public_url", True, f"{url} answers")
