"""What the EIR keeps over a restart: entries set by management, pools of cards, an imported library, the audit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simulators.eir.config import EirBinding
from simulators.eir.events import AUDITED
from simwarden.operations.audit_table import AuditTable
from simwarden.operations.terminal_library import TerminalType, read_library
from simwarden.policy.equipment_lists import EquipmentRange, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

METADATA = sa.MetaData(info={"schema": "eir"})
_ENTRIES = sa.Table(
    "entries",
    METADATA,
    sa.Column("entry", sa.String, primary_key=True),
    sa.Column("status", sa.String, nullable=False),
)
_POOLS = sa.Table(
    "pools",
    METADATA,
    sa.Column("imsi", sa.String(15), primary_key=True),
    sa.Column("pool", sa.JSON, nullable=False),
)
_PENDING = sa.Table("pending", METADATA, sa.Column("imsi", sa.String(15), primary_key=True))
#: as it was imported: a text is kept in a hundredth of the time that 100,000 rows take, in which nothing else is done
_LIBRARY = sa.Table(
    "imported_library",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("csv", sa.Text, nullable=False),
)
#: how older programs kept it
_ROWS = sa.Table(
    "library",
    METADATA,
    sa.Column("tac", sa.String(8), primary_key=True),
    *(sa.Column(name, sa.String, nullable=False) for name in ("kind", "maker", "model")),
)
_AUDIT = AuditTable(METADATA, key="subject", events=AUDITED)
_REMOVED = "removed"
_ALL_ENTRIES, _ALL_POOLS, _ALL_ROWS = sa.select(_ENTRIES), sa.select(_POOLS), sa.select(_ROWS)
_TEXT, _ALL_PENDING = sa.select(_LIBRARY.c.csv), sa.select(_PENDING.c.imsi).order_by(_PENDING.c.imsi)
_UNTIE = sa.delete(_POOLS).where(_POOLS.c.imsi == sa.bindparam("key"))


class Store:
    """The database of one EIR."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.audit, self.audited = partial(_AUDIT.keep, engine), partial(_AUDIT.read, engine)

    def entries(self) -> dict[EquipmentRange, Status | None]:
        """Return the entries set by management; None for one of the configuration that was removed."""
        with self._engine.connect() as connection:
            rows = connection.execute(_ALL_ENTRIES).all()
        return {EquipmentRange.parse(row.entry): None if row.status == _REMOVED else Status(row.status) for row in rows}

    def put_entry(self, entry: EquipmentRange, status: Status | None, audit: dict[str, Any]) -> None:
        """Keep an entry, or with no status that it is removed."""
        word = status.value if status is not None else _REMOVED
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_ENTRIES).where(_ENTRIES.c.entry == str(entry)))
            connection.execute(sa.insert(_ENTRIES).values(entry=str(entry), status=word))
            _AUDIT.add(connection, [audit])

    def pools(self) -> dict[str, EirBinding]:
        """Return the pools of cards by IMSI."""
        with self._engine.connect() as connection:
            rows = connection.execute(_ALL_POOLS).all()
        return {row.imsi: EirBinding.model_validate(row.pool) for row in rows}

    def put_pool(self, imsi: str, pool: EirBinding | None, audit: dict[str, Any], *, pending: bool = False) -> None:
        """Keep a card's pool, or that it has none; `pending`: the HSS has to hear that its use is over."""
        with self._engine.begin() as connection:
            connection.execute(_UNTIE, {"key": imsi})
            if pool is not None:
                connection.execute(sa.insert(_POOLS).values(imsi=imsi, pool=pool.model_dump(mode="json")))
            if pending:
                connection.execute(sa.delete(_PENDING).where(_PENDING.c.imsi == imsi))
                connection.execute(sa.insert(_PENDING).values(imsi=imsi))
            _AUDIT.add(connection, [audit])

    def pending(self) -> list[str]:
        """Return the cards of which the HSS has still to hear."""
        with self._engine.connect() as connection:
            return list(connection.execute(_ALL_PENDING).scalars())

    def told(self, imsi: str) -> None:
        """Keep that the HSS has heard of a card."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_PENDING).where(_PENDING.c.imsi == imsi))

    def library(self) -> Mapping[str, TerminalType]:
        """Return the imported library; empty if none was imported."""
        with self._engine.connect() as connection:
            text = connection.execute(_TEXT).scalar()
            if text is not None:
                return read_library(text)
            rows = connection.execute(_ALL_ROWS).mappings().all()
        return {row["tac"]: TerminalType(**row) for row in rows}

    def put_library(self, text: str, audit: dict[str, Any]) -> None:
        """Keep a library (CSV) in place of the one before."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_LIBRARY))
            connection.execute(sa.insert(_LIBRARY).values(id=1, csv=text))
            _AUDIT.add(connection, [audit])
