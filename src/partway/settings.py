"""Every setting of the server: name, type, default and one line of reason.

A setting is a flag of ``partway serve``, ``PARTWAY_<NAME>`` in the environment, or a key of one TOML
file (``PARTWAY_CONFIG``, else ``partway.toml`` in the data folder); the first of these that names it wins.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from partway.errors import ConfigurationError
from partway.ledger import Limits

HOURS = 3600
MIB = 1024 * 1024


class Settings(BaseSettings):
    """The server's settings; immutable once read."""

    model_config = SettingsConfigDict(env_prefix="PARTWAY_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for every interface.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    data: Path = Field(Path("partway-data"), description="Folder for everything that is kept.")
    database: str = Field("", description="Database URL; empty is an SQLite file in the data folder.")
    blobs: str = Field("", description="Blob store URL; empty is a folder in the data folder.")
    public_url: str = Field("", description="Base of every URL we write; empty takes it from the listener.")
    trusted_proxies: str = Field(
        "", description="Addresses and networks whose forwarded headers are believed, such as 127.0.0.1, 10.0.0.0/8."
    )
    tls_self_signed: bool = Field(False, description="Serve https with a certificate of our own making.")
    tls_cert: str = Field("", description="Serve https with this certificate: a PEM file, its chain included.")
    tls_key: str = Field("", description="The key of tls_cert: a PEM file without a password.")
    http_server: str = Field(
        "granian", pattern="^(granian|uvicorn)$", description="HTTP server beneath: granian or uvicorn."
    )
    api_key: str = Field("", description="Accept this API key; empty makes one at the first start.", repr=False)
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="Least severe log line written: debug, info, ..."
    )

    request_deadline: float = Field(
        6 * HOURS, gt=0, description="Seconds one upload request may take; the sweep relies on it."
    )
    stop_grace: float = Field(10, ge=0, description="Seconds requests in flight get to end when the server stops.")
    expire_after: float = Field(
        168 * HOURS, gt=0, description="Seconds until an unfinished upload or an empty container is removed."
    )
    trash_days: float = Field(
        0, ge=0, le=36500, description="Days a deleted video can be restored (the original: 90); 0 deletes at once."
    )
    workers: int = Field(-1, ge=-1, description="Jobs done at a time by partway serve; 0 for none, -1 for cores - 1.")
    jobs: str = Field("", description="Jobs database URL; empty: the catalog's PostgreSQL, else a file.")
    lease_seconds: float = Field(30, gt=0, description="Seconds without a sign of life until a worker loses its jobs.")
    ffmpeg: str = Field("", description="The ffmpeg to use; empty takes the [ffmpeg] extra's, else the one on PATH.")
    ffprobe: str = Field("", description="The ffprobe to use; empty takes the [ffmpeg] extra's, else the one on PATH.")
    live_encoders: int = Field(
        1, ge=0, description="Uploads that need transcoding made playable at a time, by each worker; 0 for none."
    )
    early_playback: bool = Field(True, description="Let videos be watched while they are still arriving.")
    complete_after_idle: float = Field(
        0, ge=0, description="Complete an upload without gaps after so many idle seconds; 0 is off."
    )
    upload_token_grace: float = Field(
        24 * HOURS, ge=0, description="Seconds an expired upload token still fills what it has started."
    )
    private_token_life: float = Field(
        30 * 24 * HOURS, gt=0, description="Seconds a private video's address waits for its first viewer."
    )
    private_token_grace: float = Field(
        60, ge=0, description="Seconds a private video's address is still good after its first viewer."
    )
    viewer_session_life: float = Field(
        24 * HOURS, gt=0, description="Seconds somebody may go on watching a private video."
    )
    access_token_life: int = Field(HOURS, gt=300, description="Seconds a bearer token lives (contract.md 0, fact 14).")

    webhooks_max: int = Field(100, ge=1, description="Most webhooks that can be registered.")
    webhook_log_kept: float = Field(168 * HOURS, gt=0, description="Seconds a delivery stays in its webhook's log.")
    fetches: int = Field(2, ge=1, description="Sources fetched by URL at a time, beside the other jobs of a worker.")
    fetch_deadline: float = Field(
        24 * HOURS, gt=0, description="Seconds fetching a source by URL may take, from its creation on."
    )
    allow_private_addresses: bool = Field(
        False, description="Let webhooks and sources by URL lead to this machine and its private network."
    )

    piece_bytes_min: int = Field(
        5 * MIB, ge=1, description="Smallest part or range that is not the last one, in bytes."
    )
    piece_bytes_max: int = Field(200 * MIB, ge=1, description="Largest file of one request, in bytes.")
    parts_max: int = Field(10_000, ge=1, description="Most parts of one video.")
    source_bytes_max: int = Field(50_000 * MIB, ge=1, description="Largest video, in bytes.")

    rate_limit_enforced: bool = Field(
        False, description="Refuse with 429 who asks more often than rate_limit_... allow; each process counts alone."
    )
    rate_limit_uploads: int = Field(100, ge=1, description="Uploads a minute and caller told in X-RateLimit headers.")
    rate_limit_writes: int = Field(200, ge=1, description="Writes a minute and caller told in X-RateLimit headers.")
    rate_limit_reads: int = Field(500, ge=1, description="Reads a minute and caller told in X-RateLimit headers.")
    index_cache_bytes: int = Field(64 * MIB, ge=0, description="Memory kept for indexes of watched videos, in bytes.")

    @field_validator("public_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        joined = ",".join(value) if isinstance(value, list) else value
        if isinstance(joined, str):
            _networks_of(joined)
        return joined

    @property
    def trusted_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """``trusted_proxies`` as networks."""
        return _networks_of(self.trusted_proxies)

    @property
    def is_tls(self) -> bool:
        """Whether https is served."""
        return self.tls_self_signed or bool(self.tls_cert or self.tls_key)

    @property
    def limits(self) -> Limits:
        """The ledger's bounds."""
        return Limits(self.piece_bytes_min, self.piece_bytes_max, self.parts_max, self.source_bytes_max)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        data = init_settings().get("data") or os.environ.get("PARTWAY_DATA") or "partway-data"
        toml = os.environ.get("PARTWAY_CONFIG") or Path(data) / "partway.toml"
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=toml)


def _networks_of(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())


def read_settings(**flags: Any) -> Settings:
    """Read the settings; flags that are None are left to the environment and the file.

    Raises:
        ConfigurationError: a value is wrong; the message names the setting.
    """
    named = os.environ.get("PARTWAY_CONFIG")
    if named and not Path(named).is_file():
        raise ConfigurationError(f"PARTWAY_CONFIG names {named}, which is not there.")
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(step) for step in first["loc"])
        raise ConfigurationError(f"The setting {name} is wrong: {first['msg']} (got {first['input']!r}).") from error
    except ValueError as error:
        raise ConfigurationError(f"The configuration file can't be read: {error}.") from error
