"""Write docs/reference/ from the code: ``make docs``.

``tests/docs/test_reference.py`` fails while a committed page differs from what this writes or says ``UNSAID``, so a
setting, route, command, flag, error or metric can't be added without its words.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from starlette.routing import Mount

REFERENCE = Path(__file__).resolve().parent / "reference"
MARK = "<!-- Written by `make docs` from the code; edits are lost. -->"
UNSAID = "(not described)"


def settings_page() -> str:
    """Every setting, with its type, default and reason."""
    from partway import settings
    from partway.settings import Settings

    rows = []
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        shown = "" if default in ("", None) else f"`{default}`"
        variable = f"`PARTWAY_{name.upper()}`"
        rows.append((f"`{name}`", variable, _type_name(field.annotation), shown, field.description or UNSAID))
    heads = ("setting", "environment", "type", "default", "what for")
    return _page("Settings", _prose(inspect.getdoc(settings)), _table(heads, rows))


def errors_page() -> str:
    """Every problem object a client may get, and every error class."""
    from partway import errors
    from partway.api import problems

    answers = [
        (f"`{slug}`", str(status), problems.problem_of(kind())[1]["title"], f"`{kind.__name__}`")
        for kind, (status, slug) in problems.PROBLEMS.items()
    ]
    others = [problems.unknown_path(), problems.wrong_method("GET"), problems.too_slow()]
    bodies = [*(json.loads(bytes(answer.body)) for answer in others), problems.server_error()]
    answers += [(f"`{body['type'].rsplit('/', 1)[1]}`", str(body["status"]), body["title"], "") for body in bodies]
    classes = [
        (f"`{name}`", f"`{kind.__mro__[1].__name__}`", errors.message_of(kind))
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.PartwayError) and kind not in problems.PROBLEMS
    ]
    return _page(
        "Errors",
        "A refused request is answered with a problem object: `type` (an address that ends in the slug), `title`, "
        "`status` and, where they help, `name`, `detail`, `range` and `problems`.",
        _table(("slug", "status", "title", "raised as"), sorted(answers, key=lambda row: (row[1], row[0]))),
        "## The other classes",
        "`partway.errors` is one tree, drawn at its top. The client raises `ServerRefused` for every problem object; "
        "its `slug` says which.",
        _table(("class", "is a", "says"), classes),
    )


def routes_page() -> str:
    """Every route, by what it belongs to."""
    from partway.api.app import create_routes
    from partway.settings import Settings

    groups: dict[str, list[tuple[str, str, str]]] = {}
    nothing: Any = _Nothing()
    for prefix, route in _routes("", create_routes(nothing, Settings()).routes):
        methods = " ".join(sorted(getattr(route, "methods", None) or ("GET", "HEAD")))
        path = re.sub(r"{(\w+):\w+}", r"{\1}", prefix + route.path)
        if isinstance(route, Mount):
            group, path, says = "Pages", f"{path}/{{file}}", "A file the pages are made of."
        else:
            group = next(iter(getattr(route, "tags", [])), "Playback")
            says = (route.endpoint.__doc__ or UNSAID).splitlines()[0]
        groups.setdefault(group, []).append((methods, f"`{path}`", says))
    blocks = []
    for group, rows in groups.items():
        blocks += [f"## {group}", _table(("method", "path", "what it does"), rows)]
    return _page("Routes", *blocks)


class _Nothing:
    """Stands where routes only keep a service for later."""

    def __getattr__(self, name: str) -> _Nothing:
        return self


def _routes(prefix: str, routes: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Every route with what stands before its path, through routers that were included."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from _routes(prefix + route.include_context.prefix, route.original_router.routes)
        else:
            yield prefix, route


def cli_page() -> str:
    """Every command with its arguments and flags."""
    import typer.main

    from partway.cli import app

    blocks = []
    for words, command in _commands(("partway",), typer.main.get_command(app)):
        blocks += [f"## {' '.join(words)}", _prose(command.help) or UNSAID]
        rows = [
            (
                _parameter_name(one),
                f"`{one.envvar}`" if one.envvar else "",
                _default(one),
                getattr(one, "help", None) or UNSAID,
            )
            for one in command.params
            if not getattr(one, "hidden", False)
        ]
        if rows:
            blocks.append(_table(("flag or argument", "environment", "default", "what for"), rows))
    return _page("Command line", *blocks)


def metrics_page() -> str:
    """Every metric of GET /metrics."""
    from partway.api import metrics

    rows = []
    for metric in metrics.REGISTRY.collect():
        name = metric.name + ("_total" if metric.type == "counter" else "")
        labels = next(
            (one._labelnames for one in vars(metrics).values() if getattr(one, "_name", None) == metric.name), ()
        )
        rows.append(
            (f"`{name}`", metric.type, ", ".join(f"`{label}`" for label in labels), metric.documentation or UNSAID)
        )
    return _page(
        "Metrics", "`GET /metrics`, for Prometheus.", _table(("metric", "type", "labels", "what it says"), rows)
    )


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "errors.md": errors_page,
    "routes.md": routes_page,
    "cli.md": cli_page,
    "metrics.md": metrics_page,
}


def _commands(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """A command and all below it, depth first, in the order of definition."""
    yield words, command
    for name, child in getattr(command, "commands", {}).items():
        if not child.hidden:
            yield from _commands((*words, name), child)


def _parameter_name(parameter: Any) -> str:
    names = [*parameter.opts, *parameter.secondary_opts]
    if parameter.param_type_name == "argument":
        return f"`{(parameter.metavar or parameter.name).upper()}`"
    return ", ".join(f"`{name}`" for name in names)


def _default(parameter: Any) -> str:
    value = parameter.default
    if parameter.required:
        return "required"
    if value in (None, False, "") or callable(value):
        return ""
    return f"`{value}`"


def _page(title: str, *blocks: str) -> str:
    return "\n\n".join([f"# {title}", MARK, *blocks]) + "\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )


def _prose(docstring: str | None) -> str:
    """A docstring without its reStructuredText."""
    return inspect.cleandoc(docstring or "").replace("``", "`")


def _type_name(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    if isinstance(kind, UnionType):
        return " or ".join(_type_name(one) for one in get_args(kind))
    plain = {"Path": "path", "str": "text", "int": "whole number", "float": "number", "bool": "yes or no"}
    return plain.get(getattr(kind, "__name__", ""), str(kind))


def main() -> None:
    """Write every page."""
    REFERENCE.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
