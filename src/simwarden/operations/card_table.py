"""What tables of cards have in common: a number (in any spelling) and a card's own identity are those of one card.

Apart from `provision`: SQLAlchemy is heavy.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simwarden.policy.numbers import international, spellings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: values that are looked for by one statement, fewer than any database takes
_AT_ONCE = 500


def taken(
    connection: sa.Connection, table: sa.Table, identities: Mapping[str, Sequence[str]], *, but: str = ""
) -> list[tuple[str, str]]:
    """Return those of some values that cards have already, with the names of their columns; of one card never mind."""
    found: list[tuple[str, str]] = []
    for name, values in identities.items():
        forms = spellings if name == "msisdn" else _as_it_is
        wanted = [form for value in values if value for form in forms(value)]
        for start in range(0, len(wanted), _AT_ONCE):
            some = {"some": wanted[start : start + _AT_ONCE], "but": but}
            found += [(name, value) for value in connection.execute(_query(table, name), some).scalars()]
    return found


def _as_it_is(value: str) -> tuple[str, ...]:
    return (value,)


@cache
def _query(table: sa.Table, name: str) -> sa.Select[Any]:
    some = table.c[name].in_(sa.bindparam("some", expanding=True))
    return sa.select(table.c[name]).where(some, table.c.imsi != sa.bindparam("but")).order_by(table.c[name])


def alike(identities: Mapping[str, Sequence[str]]) -> bool:
    """Whether some cards have a number or an identity in common."""
    given = [
        [international(value) if name == "msisdn" else value for value in values if value]
        for name, values in identities.items()
    ]
    return any(len(set(values)) < len(values) for values in given)
