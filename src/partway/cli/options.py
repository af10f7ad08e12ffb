"""What the commands that talk to a server have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from partway.errors import ConfigurationError

if TYPE_CHECKING:
    from partway.client import Client

_PANEL = "The server to talk to"
_KEYS = ("server", "api_key", "cacert")

Server = Annotated[
    str | None,
    typer.Option(
        envvar="PARTWAY_SERVER",
        metavar="URL",
        help="The server's address. (default: http://127.0.0.1:8080)",
        rich_help_panel=_PANEL,
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(envvar="PARTWAY_API_KEY", metavar="KEY", help="An API key of it.", rich_help_panel=_PANEL),
]
Config = Annotated[
    Path | None,
    typer.Option(
        envvar="PARTWAY_CONFIG",
        metavar="FILE",
        help="A TOML file with `server`, `api_key`, `cacert`. (default: config.toml in the user's folder for partway)",
        rich_help_panel=_PANEL,
    ),
]
Cacert = Annotated[
    Path | None,
    typer.Option(
        envvar="PARTWAY_CACERT",
        metavar="FILE",
        help="A certificate to trust besides those of this machine; of `serve --tls-self-signed`, tls/cert.pem.",
        rich_help_panel=_PANEL,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="For programs: one JSON object a line, on standard output.")]


def connect(
    server: str | None,
    api_key: str | None,
    config: Path | None,
    cacert: Path | None = None,
    *,
    retry_for: float = 10.0,
    parallel: int = 4,
) -> Client:
    """The client that the options, the environment and the configuration file describe, in this order.

    Raises:
        ConfigurationError: the file can't be read, or nobody gave a key.
    """
    from partway.client import Client

    path = config or _default_config()
    kept = _read(path, is_asked_for=config is not None)
    api_key = api_key or kept.get("api_key")
    if not api_key:
        raise ConfigurationError(
            "An API key is needed: --api-key, PARTWAY_API_KEY, or `api_key` in "
            f"{path}. The server shows one at its first start, or writes it to the file `api-key` in its data "
            "folder; `partway keys create` on its machine makes another."
        )
    return Client(
        server or kept.get("server"),
        api_key,
        retry_for=retry_for,
        parallel=parallel,
        cacert=cacert or kept.get("cacert"),
    )


def _default_config() -> Path:
    import platformdirs

    return platformdirs.user_config_path("partway") / "config.toml"


def _read(path: Path, *, is_asked_for: bool) -> dict[str, str]:
    import tomllib

    try:
        content: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if is_asked_for:
            raise ConfigurationError(f"There is no configuration file {path}.") from None
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The configuration file {path} can't be read: {error}.") from error
    for key in _KEYS:
        if not isinstance(content.get(key, ""), str):
            raise ConfigurationError(f"`{key}` in {path} must be a text in quotes.")
    return {key: content[key] for key in _KEYS if key in content}
