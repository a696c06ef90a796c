"""Columns of a table whose rows are records: a dataclass of the element is the one declaration of both."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_TYPES: Mapping[str, sa.types.TypeEngine[Any]] = {
    "str": sa.String(),
    "int": sa.BigInteger().with_variant(sa.Integer, "sqlite"),  # as a primary key SQLite wants this very word
    "float": sa.Float(),
    "bool": sa.Boolean(),
    "bytes": sa.LargeBinary(),
}


def record_columns(
    record: type[Any], key: str, *, index: Collection[str] = (), lengths: Mapping[str, int] = {}
) -> Iterator[sa.Column[Any]]:
    """Yield a column for each field of a dataclass, whose annotations are strings (`from __future__`).

    Fields that are `... | None` may be null. Those without a type of the database's own are JSON. `lengths` are
    those of texts that have one, also of an enumeration that is written as its value.
    """
    for each in fields(record):
        name = str(each.type).removesuffix(" | None")
        kind = sa.String(lengths[each.name]) if each.name in lengths else _TYPES.get(name, sa.JSON())
        nullable = name != each.type
        yield sa.Column(each.name, kind, primary_key=each.name == key, nullable=nullable, index=each.name in index)


def row_of(record: Any) -> dict[str, Any]:
    """Return the values of a record's fields by the names of its columns."""
    return {name: getattr(record, name) for name in record.__dataclass_fields__}
