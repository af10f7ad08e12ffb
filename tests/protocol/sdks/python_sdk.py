"""The Python package ``api.video``: logged in, what it offers (by introspection), and what these tests call of it."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import apivideo.api
from apivideo.api.analytics_api import AnalyticsApi
from apivideo.api.captions_api import CaptionsApi
from apivideo.api.chapters_api import ChaptersApi
from apivideo.api.live_streams_api import LiveStreamsApi
from apivideo.api.player_themes_api import PlayerThemesApi
from apivideo.api.summaries_api import SummariesApi
from apivideo.api.tags_api import TagsApi
from apivideo.api.upload_tokens_api import UploadTokensApi
from apivideo.api.videos_api import VideosApi
from apivideo.api.watermarks_api import WatermarksApi
from apivideo.api.webhooks_api import WebhooksApi
from tests.protocol.wire import Wire

CHUNK = 5 * 2**20
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Sdk:
    """The Python package's client with every one of its APIs; tests call them by these names."""

    client: apivideo.AuthenticatedApiClient
    analytics: AnalyticsApi
    captions: CaptionsApi
    chapters: ChaptersApi
    live_streams: LiveStreamsApi
    player_themes: PlayerThemesApi
    summaries: SummariesApi
    tags: TagsApi
    upload_tokens: UploadTokensApi
    videos: VideosApi
    watermarks: WatermarksApi
    webhooks: WebhooksApi

    @classmethod
    def of(cls, client: apivideo.AuthenticatedApiClient) -> Sdk:
        return cls(client, **{name: kind(client) for name, kind in APIS.items()})


APIS: dict[str, type] = {
    "analytics": AnalyticsApi,
    "captions": CaptionsApi,
    "chapters": ChaptersApi,
    "live_streams": LiveStreamsApi,
    "player_themes": PlayerThemesApi,
    "summaries": SummariesApi,
    "tags": TagsApi,
    "upload_tokens": UploadTokensApi,
    "videos": VideosApi,
    "watermarks": WatermarksApi,
    "webhooks": WebhooksApi,
}
"""Name in ``Sdk``: class of the package."""


@contextmanager
def logged_in(wire: Wire) -> Iterator[Sdk]:
    """The package as a user has it, but for the host and the smallest pieces it can send."""
    client = apivideo.AuthenticatedApiClient(wire.server.api_key)
    client.configuration.host = wire.server.url
    client.configuration.chunk_size = CHUNK
    client.connect()
    yield Sdk.of(client)
    client.close()


@cache
def python_methods() -> frozenset[str]:
    """Every public method of every API class of the Python package, as ``videos.create``; new classes included."""
    names = {kind: name for name, kind in APIS.items()}
    found = set()
    for module in pkgutil.iter_modules(apivideo.api.__path__, "apivideo.api."):
        for name, kind in vars(importlib.import_module(module.name)).items():
            if inspect.isclass(kind) and name.endswith("Api") and kind.__module__ == module.name:
                methods = (method for method, value in vars(kind).items() if inspect.isfunction(value))
                found |= {f"{names.get(kind, name)}.{method}" for method in methods if not method.startswith("_")}
    return frozenset(found)


@cache
def python_endpoints() -> dict[str, str]:
    """What each method asks for, as ``POST /videos``: read in the package's source."""
    found = {}
    for name, kind in APIS.items():
        for method in (one for one in vars(kind) if not one.startswith("_")):
            asked = re.findall(r'call_api\(\s*"([^"]+)",\s*"([A-Z]+)"', inspect.getsource(getattr(kind, method)))
            [(path, verb)] = set(asked)
            found[f"{name}.{method}"] = f"{verb} {path}"
    return found


@cache
def python_calls() -> frozenset[str]:
    """What the tests of the Python package call: every ``sdk.videos.create(...)`` in their source."""
    found = set()
    for path in HERE.glob("test_python_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Attribute(value=ast.Name(id="sdk"), attr=api), attr=method)):
                    found.add(f"{api}.{method}")
    return frozenset(found)
