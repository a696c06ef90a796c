"""Databases of elements: SQLite (WAL) by default, another by URL; what is committed survives a killed process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine, MetaData


def open_engine(url: str, metadata: MetaData, *, lasting: bool = True) -> Engine:
    """Open a database by SQLAlchemy URL and create the tables it lacks. Raises ConfigError for an unusable URL.

    One that does not outlive the process (`lasting` False) need not reach the disk: what is committed survives the
    element, as it must, but not the run.
    """
    import sqlalchemy as sa  # noqa: PLC0415 - heavy; only elements with state pay for it

    from simwarden.errors import ConfigError  # noqa: PLC0415

    try:
        engine = sa.create_engine(url)
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _set_up_lasting if lasting else _set_up_passing)
        metadata.create_all(engine)
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise ConfigError(f"store {url}: {error}") from error
    return engine


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path}"


def _set_up_lasting(connection: Any, _record: Any) -> None:
    """WAL with synchronous NORMAL: a commit survives kill -9 (FULL would be needed for a power cut)."""
    _pragmas(connection, "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")


def _set_up_passing(connection: Any, _record: Any) -> None:
    """No waiting for the disk, and no journal beside the file."""
    _pragmas(connection, "journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=ON")


def _pragmas(connection: Any, *pragmas: str) -> None:
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
