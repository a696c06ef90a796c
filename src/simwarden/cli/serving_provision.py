"""Provisioning a served element from its file of subscribers: new cards many at a time, all others one by one."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

from simwarden.errors import ConfigError, ManagementError
from simwarden.operations.approval import By
from simwarden.operations.management import Role, validated
from simwarden.operations.provision import CardProvision

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simwarden.cli.serving_subscribers import Row
    from simwarden.operations.element import Element
    from simwarden.runtime.host import Host

#: rows that are taken at a time, and after how many that is told
_BATCH, _TOLD = 100, 10_000
_CALLER = "serve"
#: what is a scenario's, and what is told only to those who keep keys
_NEEDLESS, _KEYS = frozenset({"scenario"}), frozenset({"k", "opc"})


async def provision(host: Host, element: Element[Any], rows: Iterator[Row], stop: asyncio.Event) -> None:
    """Provision cards, save those that an earlier start has provisioned: management may have changed them since.

    Until a first file is taken to its end no peer is accepted: a card whose binding, pool or area is still to come
    would be served without, or refused for good as one that is not known. Raises ConfigError for a row that is wrong.
    """
    name, kept, done = element.site.name, None, 0
    if host.has_store(name):
        from simwarden.operations.provisioned import METADATA, Provisioned  # noqa: PLC0415 - SQLAlchemy is heavy

        kept = Provisioned(host.open_store(name, METADATA))
        if kept.whole:
            host.transport.wiring.release()
    while not stop.is_set() and (batch := list(itertools.islice(rows, _BATCH))):
        digests = kept.new(row.values for row in batch) if kept is not None else {}
        new = [row for row in batch if kept is None or str(row.values["imsi"]) in digests]
        if new:
            await _take(element, new)
        if kept is not None:
            kept.taken(digests)
        done += len(batch)
        if done % _TOLD == 0:
            element.site.note(f"{done} cards of the file are read")
        await asyncio.sleep(0)  # others are served meanwhile
    if stop.is_set():
        return
    if kept is not None:
        kept.ended()
    host.transport.wiring.release()


async def _take(element: Element[Any], rows: Sequence[Row]) -> None:
    """Provision the cards of some rows. Raises ConfigError, with the place of the row that is wrong."""
    needless = _NEEDLESS if element.declaration.keys else _NEEDLESS | _KEYS
    bodies = [{key: value for key, value in row.values.items() if key not in needless} for row in rows]
    cards = []
    for row, body in zip(rows, bodies, strict=True):
        try:
            cards.append(validated(CardProvision, body))
        except ManagementError as error:
            raise _wrong(element, row, error) from error
    try:
        if await element.provision_new(cards, By(caller=_CALLER)):
            return
    except ManagementError as error:
        row = next(row for row, card in zip(rows, cards, strict=True) if card.imsi == error.subject)
        raise _wrong(element, row, error) from error
    for row, body in zip(rows, bodies, strict=True):
        await _take_one(element, row, body)
        await asyncio.sleep(0)  # one takes a millisecond or two


async def _take_one(element: Element[Any], row: Row, body: dict[str, Any]) -> None:
    try:
        await element.manage(Role.OPERATOR, "PUT", f"/cards/{row.values['imsi']}", body, caller=_CALLER)
    except ManagementError as error:
        if error.status != 409:
            raise _wrong(element, row, error) from error
        element.site.note(f"{row.place}: card {row.values['imsi']} is left as it is: {error}")


def _wrong(element: Element[Any], row: Row, error: ManagementError) -> Exception:
    """Return what to raise for a row; that an element does not work now is no mistake in it."""
    if error.status >= 500:
        return error
    return ConfigError(f"{element.site.name} does not take card {row.values['imsi']}: {error}", row.place)
