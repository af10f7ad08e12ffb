"""``partway tokens``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from partway.cli.options import ApiKey, Cacert, Config, Json, Server, connect
from partway.cli.outcome import say

app = typer.Typer(
    help="Upload tokens: let somebody upload who must not have an API key, such as a web page or an app.",
    no_args_is_help=True,
)


@app.command("create")
def create(
    ttl: Annotated[
        int, typer.Option(min=0, max=2147483647, metavar="SECONDS", help="How long it is good; 0 is for ever.")
    ] = 0,
    as_json: Json = False,
    server: Server = None,
    api_key: ApiKey = None,
    config: Config = None,
    cacert: Cacert = None,
) -> None:
    """Make a token. It may be used any number of times until it expires or is deleted.

    Example: partway tokens create --ttl 3600
    """
    with connect(server, api_key, config, cacert) as client:
        token = client.create_token(ttl)
    if as_json:
        import json
        from dataclasses import asdict

        print(json.dumps(asdict(token)))
        return
    say(f"Good until {token.expires_at}." if token.expires_at else "Good until it is deleted.")
    print(token.token)


@app.command("list")
def list_tokens(
    as_json: Json = False,
    server: Server = None,
    api_key: ApiKey = None,
    config: Config = None,
    cacert: Cacert = None,
) -> None:
    """List the tokens that are still good."""
    with connect(server, api_key, config, cacert) as client:
        for token in client.list_tokens():
            if as_json:
                import json
                from dataclasses import asdict

                print(json.dumps(asdict(token)))
            elif sys.stdout.isatty():
                print(f"{token.token}  {'until ' + token.expires_at if token.expires_at else 'for ever'}")
            else:
                print(token.token, token.created_at, token.expires_at or "", sep="\t")


@app.command("delete")
def delete_token(
    tokens: Annotated[list[str], typer.Argument(metavar="TOKEN...", help="The tokens to revoke.")],
    server: Server = None,
    api_key: ApiKey = None,
    config: Config = None,
    cacert: Cacert = None,
) -> None:
    """Revoke tokens. They are dead at once, videos uploaded with them stay."""
    with connect(server, api_key, config, cacert) as client:
        for token in tokens:
            client.delete_token(token)
            say(f"Deleted {token}.")
