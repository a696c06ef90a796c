"""Databases of elements: SQLite (WAL) by default, another by URL; what is committed survives a killed process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine, MetaData


def open_engine(url: str, metadata: MetaData) -> Engine:
    """Open a database by SQLAlchemy URL and create the tables it lacks. Raises ConfigError for an unusable URL."""
    import sqlalchemy as sa  # noqa: PLC0415 - heavy; only elements with state pay for it

    from simwarden.errors import ConfigError  # noqa: PLC0415

    try:
        engine = sa.create_engine(url)
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _set_up_sqlite)
        metadata.create_all(engine)
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise ConfigError(f"store {url}: {error}") from error
    return engine


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path}"


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    """WAL with synchronous NORMAL: a commit survives kill -9 (FULL would be needed for a power cut)."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
