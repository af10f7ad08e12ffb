"""The tables. Times are whole microseconds since 1970 (UTC); identifiers are the contract's.

A change here needs a migration beside it (``migrations/versions``); a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s",
    }
)

videos = Table(
    "videos",
    metadata,
    Column("video_id", String(32), primary_key=True),
    Column("title", Text, nullable=False),
    Column("description", Text),
    Column("public", Boolean, nullable=False),
    Column("panoramic", Boolean, nullable=False),
    Column("mp4_support", Boolean, nullable=False),
    Column("early_playback", Boolean, doc="whether it may be watched while it arrives; none: as the server is set"),
    Column("player_id", Text),
    Column("language", Text),
    Column("clip", JSON(none_as_null=True), doc="where to cut it; only given at creation"),
    Column("watermark", JSON(none_as_null=True), doc="which one, and where; only given at creation"),
    Column("transcript", Boolean, nullable=False, server_default=false()),
    Column("transcript_summary", Boolean, nullable=False, server_default=false()),
    Column("transcript_summary_attributes", JSON(none_as_null=True)),
    Column("generation", Integer, nullable=False, doc="raised when visibility changes; part of segment URLs"),
    Column("created_at", BigInteger, nullable=False),
    Column("published_at", BigInteger),
    Column("updated_at", BigInteger, nullable=False),
    Column("discarded_at", BigInteger, doc="in the trash since"),
    Column("deletes_at", BigInteger, doc="until when it stays there"),
    Column("deleted_at", BigInteger, doc="a tombstone: the rows wait for their blobs to be removed"),
    Index(None, "created_at"),
    Index(None, "deletes_at"),
)

video_tags = Table(
    "video_tags",
    metadata,
    Column("video_id", ForeignKey("videos.video_id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("value", Text, nullable=False),
    Column("folded", Text, nullable=False, server_default="", doc="as it is looked for: no case, no accents"),
    Index(None, "value"),
)

video_metadata = Table(
    "video_metadata",
    metadata,
    Column("video_id", ForeignKey("videos.video_id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    Index(None, "key", "value"),
)

uploads = Table(
    "uploads",
    metadata,
    Column("video_id", ForeignKey("videos.video_id", ondelete="CASCADE"), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("mode", String(16)),
    Column("total", BigInteger),
    Column("pieces", Integer, nullable=False),
    Column("received_bytes", BigInteger, nullable=False),
    Column("highest", BigInteger, nullable=False),
    Column("upload_token", String(64), doc="the token that started it, if any"),
    Column("origin", String(16), doc="copied or downloaded, where it is no upload"),
    Column("restarts", Integer, nullable=False, server_default="0", doc="how often a download was begun anew"),
    Column("reason", Text, doc="why it will never be complete"),
    Column("changed_at", BigInteger, nullable=False),
    Column("completed_at", BigInteger),
    Index(None, "state", "changed_at"),
)

parts = Table(
    "parts",
    metadata,
    Column("video_id", ForeignKey("videos.video_id", ondelete="CASCADE"), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("length", BigInteger, nullable=False),
    Column("digest", String(32), nullable=False),
    Column("crc32c", BigInteger, nullable=False),
    Column("blob_key", String(64), nullable=False, doc="several videos may name it: one is a copy of the other"),
    Column("total", BigInteger, doc="what its own header said"),
    Column("received_at", BigInteger, nullable=False),
    Index(None, "blob_key"),
)

ingests = Table(
    "ingests",
    metadata,
    Column("video_id", ForeignKey("videos.video_id", ondelete="CASCADE"), primary_key=True),
    Column("url", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("size", BigInteger, doc="bytes, once the other side has told"),
    Column("validator", Text, doc="ETag or date, to go on with the same file"),
    Column("failures", Integer, nullable=False, doc="attempts in a row that have brought nothing"),
)

pictures = Table(
    "pictures",
    metadata,
    Column("video_id", ForeignKey("videos.video_id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(16), primary_key=True, doc="poster"),
    Column("blob_key", String(64), unique=True, doc="none where no picture could be made"),
    Column("media_type", String(32), nullable=False, server_default="image/jpeg"),
    Column("length", BigInteger, nullable=False),
    Column("reason", Text, doc="why there is none"),
    Column("timecode", String(32), doc="where somebody wants it taken; none leaves that to us"),
    Column("version", Integer, nullable=False, server_default="0", doc="raised by every choice"),
    Column("made_version", Integer, nullable=False, server_default="0", doc="the choice that this is the outcome of"),
    Column("made_at", BigInteger, nullable=False),
)

probes = Table(
    "probes",
    metadata,
    Column("video_id", ForeignKey("videos.video_id", ondelete="CASCADE"), primary_key=True),
    Column("facts", Text, doc="JSON; none where nothing could be found out"),
    Column("reason", Text, doc="why there are none"),
    Column("probed_at", BigInteger, nullable=False),
)

text_tracks = Table(
    "text_tracks",
    metadata,
    Column("video_id", ForeignKey("videos.video_id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(16), primary_key=True, doc="captions or chapters"),
    Column("language", String(40), primary_key=True, doc="the tag in lower case"),
    Column("tag", String(40), nullable=False, doc="the tag as it was given"),
    Column("is_default", Boolean, nullable=False),
    Column("blob_key", String(64), nullable=False, unique=True),
    Column("length", BigInteger, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("watermark_id", String(40), primary_key=True),
    Column("blob_key", String(64), nullable=False, unique=True),
    Column("length", BigInteger, nullable=False),
    Column("media_type", String(32), nullable=False),
    Column("width", Integer, nullable=False, doc="pixels"),
    Column("height", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

summaries = Table(
    "summaries",
    metadata,
    Column("summary_id", String(40), primary_key=True),
    Column("video_id", ForeignKey("videos.video_id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("origin", String(16), nullable=False, doc="api or auto"),
    Column("source_status", String(16), nullable=False),
    Column("abstract", Text),
    Column("takeaways", Text, doc="JSON"),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

players = Table(
    "players",
    metadata,
    Column("player_id", String(32), primary_key=True),
    Column("name", Text),
    Column("look", Text, nullable=False, doc="JSON: colours and switches that were set"),
    Column("logo_key", String(64), unique=True),
    Column("logo_length", BigInteger),
    Column("logo_type", String(32)),
    Column("logo_link", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

derivations = Table(
    "derivations",
    metadata,
    Column("video_id", ForeignKey("videos.video_id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, nullable=False, doc="raised when a derived stream is begun anew; 0 before the first"),
    Column("state", String(16), nullable=False, doc="needless, making, later, ended or failed"),
    Column("reason", Text, doc="of later and failed"),
    Column("plan", Text, doc="JSON: how this attempt is made; the same as long as the attempt is"),
    Column("fed_bytes", BigInteger, nullable=False, doc="of the source, when its making was last interrupted"),
    Column("changed_at", BigInteger, nullable=False),
)

derived = Table(
    "derived",
    metadata,
    Column("video_id", ForeignKey("videos.video_id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False, doc="of its first byte in the stream"),
    Column("length", BigInteger, nullable=False),
    Column("digest", String(32), nullable=False),
    Column("blob_key", String(64), nullable=False, unique=True),
    Column("made_at", BigInteger, nullable=False),
)

upload_tokens = Table(
    "upload_tokens",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("ttl", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("deleted_at", BigInteger),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True, doc="SHA-256, hex"),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True, doc="SHA-256, hex"),
    Column("kind", String(16), nullable=False, doc="access or refresh"),
    Column("key_id", ForeignKey("api_keys.key_id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", String(80), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False, doc="SHA-256 of what was asked for"),
    Column("resource", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

used_tokens = Table(
    "used_tokens",
    metadata,
    Column("nonce", String(32), primary_key=True),
    Column("used_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, doc="when the token would have ended unused"),
    Index(None, "expires_at"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook_id", String(40), primary_key=True),
    Column("url", Text, nullable=False),
    Column("signature_secret", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

webhook_events = Table(
    "webhook_events",
    metadata,
    Column("webhook_id", ForeignKey("webhooks.webhook_id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("event", String(64), nullable=False),
    Index(None, "event"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    # No foreign key: a fact must not fail to be written because a webhook is being deleted.
    Column("webhook_id", String(40), nullable=False),
    Column("event", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False, doc="waiting, delivered or failed"),
    Column("attempts", Integer, nullable=False),
    Column("response_status", Integer),
    Column("error", Text),
    Column("redelivery_of", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("next_at", BigInteger),
    Column("ended_at", BigInteger),
    Index(None, "state", "webhook_id", "number"),
    Index(None, "webhook_id", "number"),
    Index(None, "created_at"),
    # A number names one delivery for ever, even when the newest rows have been swept.
    sqlite_autoincrement=True,
)
