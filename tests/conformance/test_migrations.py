"""The schema: migrations and tables agree, and bringing a database up to date is safe."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from tests.conformance.conftest import Catalog

from partway.catalog import migrate
from partway.catalog.database import open_database
from partway.catalog.migrations import HEAD
from partway.catalog.tables import metadata
from partway.errors import ConfigurationError
from partway.testing.catalog_ground import add_video
from partway.testing.postgres import RunningPostgres

MIGRATIONS = Path(migrate.__file__).parent / "migrations"
NEXT_VERSION = Path(__file__).with_name("next_version.py")
PREPARE = "import sys; from partway.catalog.database import open_database; print(open_database(sys.argv[1]).prepare())"

FOLLOWING = f"{int(HEAD) + 1:04}"

NEXT = """
from alembic import op
import sqlalchemy as sa

revision = "{following}"
down_revision = "{head}"


def upgrade():
    op.add_column("videos", sa.Column("rating", sa.Integer()))
    op.execute("UPDATE videos SET title = 'changed by the next'")
    {broken}
"""


def sync_url(catalog: Catalog) -> str:
    return catalog.url.replace("postgresql://", "postgresql+psycopg://")


def titles(connection: Connection) -> list[str]:
    return list(connection.execute(text("SELECT title FROM videos")).scalars())


def next_migrations(folder: Path, broken: str = "") -> Path:
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    script = NEXT.format(broken=broken, head=HEAD, following=FOLLOWING)
    (folder / "versions" / "m_next.py").write_text(script)
    return folder


def at_once(count: int, *words: str) -> list[str]:
    """Run the same command in so many processes at once; what each has printed."""
    running = [
        subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    ended = [process.communicate(timeout=100) for process in running]
    assert [process.returncode for process in running] == [0] * count, ended
    return sorted(output.strip() for output, _ in ended)


def failing(*words: str) -> str:
    """Run a command that fails; what it says."""
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=100)
    assert done.returncode == 1
    return done.stderr


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new folder' / 'partway.db'}"
    server: RunningPostgres = request.getfixturevalue("postgres")
    return server.url_of(server.create_database())


def test_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_migrations_make_the_tables(catalog: Catalog) -> None:
    engine = create_engine(sync_url(catalog))
    with engine.connect() as connection:
        differences: list[Any] = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": True}), metadata
        )
        assert migrate.revision_of(connection) == HEAD
    engine.dispose()
    assert differences == []


def test_preparing_again_does_nothing(catalog: Catalog) -> None:
    assert open_database(catalog.url).prepare() is False


@pytest.mark.slow
def test_three_processes_start_at_once_on_nothing(empty_url: str) -> None:
    assert at_once(3, "-c", PREPARE, empty_url) == ["False", "False", "True"]


@pytest.mark.slow
@pytest.mark.anyio
async def test_three_processes_upgrade_at_once(catalog: Catalog, tmp_path: Path) -> None:
    database = catalog.open()
    await add_video(database, title="old title")
    await database.close()
    words = (str(NEXT_VERSION), catalog.url, str(next_migrations(tmp_path / "next")))
    assert at_once(3, *words) == ["False", "False", "True"]
    engine = create_engine(sync_url(catalog))
    with engine.connect() as connection:
        assert titles(connection) == ["changed by the next"]
        assert migrate.revision_of(connection) == FOLLOWING
    engine.dispose()
    if (file := make_url(catalog.url).database) and catalog.url.startswith("sqlite"):
        # The copy is the file as it was, whole, and there is no other one.
        with sqlite3.connect(f"{file}.before-{FOLLOWING}") as copy:
            assert copy.execute("SELECT title FROM videos").fetchall() == [("old title",)]
            assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
            assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        copy.close()
        assert [path.name for path in Path(file).parent.glob("*before*")] == [f"partway.db.before-{FOLLOWING}"]
    with pytest.raises(ConfigurationError, match="newer"):
        open_database(catalog.url).prepare()


@pytest.mark.slow
@pytest.mark.anyio
async def test_an_upgrade_that_breaks_off_has_never_been(catalog: Catalog, tmp_path: Path) -> None:
    database = catalog.open()
    await add_video(database, title="old title")
    await database.close()
    broken = next_migrations(tmp_path / "broken", broken="raise ValueError('in the middle')")
    assert "in the middle" in failing(str(NEXT_VERSION), catalog.url, str(broken))
    engine = create_engine(sync_url(catalog))
    with engine.connect() as connection:
        assert titles(connection) == ["old title"]
        assert migrate.revision_of(connection) == HEAD
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    whole = next_migrations(tmp_path / "whole")
    assert at_once(1, str(NEXT_VERSION), catalog.url, str(whole)) == ["True"]


def test_tags_of_before_are_found_whatever_their_case(empty_url: str) -> None:
    """The column that tags are looked for in is filled for those that were there before it."""
    url = empty_url.replace("postgresql://", "postgresql+psycopg://")
    if file := make_url(url).database if url.startswith("sqlite") else None:
        Path(file).parent.mkdir(parents=True)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = create_engine(url)
    values = [f"Élan {at}" for at in range(2500)]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(
            text(
                "INSERT INTO videos"
                " (video_id, title, public, panoramic, mp4_support, generation, created_at, updated_at)"
                " VALUES ('vi1', 't', true, false, true, 0, 1, 1)"
            )
        )
        connection.execute(
            text("INSERT INTO video_tags (video_id, position, value) VALUES ('vi1', :position, :value)"),
            [{"position": at, "value": value} for at, value in enumerate(values)],
        )
    assert open_database(empty_url).prepare()
    with engine.connect() as connection:
        found = connection.execute(text("SELECT value, folded FROM video_tags ORDER BY position")).all()
    engine.dispose()
    assert [tuple(row) for row in found] == [(value, value.replace("É", "e")) for value in values]


def test_a_url_that_can_not_be_read_says_so() -> None:
    for url in ("", "mysql://root@localhost/x", "nonsense", "postgresql//x"):
        with pytest.raises(ConfigurationError, match="database URL"):
            open_database(url)
