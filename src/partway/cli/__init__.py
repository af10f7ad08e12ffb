"""The command line: one file per subcommand, each importing what it needs inside itself."""

from partway.cli.root import app, main

__all__ = ["app", "main"]
