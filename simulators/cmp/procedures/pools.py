"""Pools of terminals, and what a customer's account wants: they hold from now on, and end what they no longer allow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from simulators.cmp import controls
from simulators.cmp.platform import Terminals
from simulators.cmp.procedures.sweep import carry_out, new_sweep

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.cmp.config import Account, Pool
    from simulators.cmp.platform import Platform, Settings
    from simwarden.operations.approval import By

#: entries of a pool from which on they are read in a thread
_MANY = 1000


async def put_pool(platform: Platform, name: str, pool: Pool | None, by: By) -> int:
    """Set a pool of terminals, or take it away; it holds from now on. Returns how many cards' use ended by it."""
    platform.audit.require(controls.OPERATOR, "", by, "pool", by.asks("pool"))
    terminals = await _terminals(pool) if pool is not None else None
    held, settings = platform.settings.pools.get(name), platform.settings.with_pool(name, pool, terminals)
    accounts = {each.account for each in (held, pool) if each is not None}
    value = pool.model_dump(mode="json") if pool is not None else None
    details = {"pool": name, "imeis": len(pool.imeis) if pool is not None else 0, **by.approval}
    record = platform.record("pool", "", by, details)
    of: list[str | None] = [None] if "" in accounts else [*sorted(accounts)]
    return await _set(platform, settings, ("pool", name, value), record, of)


async def _terminals(pool: Pool) -> Terminals:
    """Read the terminals of a pool; very many in a thread, so that S13 is served meanwhile."""
    if len(pool.imeis) < _MANY:
        return Terminals(pool)
    return await asyncio.get_running_loop().run_in_executor(None, Terminals, pool)


async def put_account(platform: Platform, name: str, account: Account, by: By) -> int:
    """Set what an account wants; it holds from now on. Returns how many cards' use ended by it."""
    platform.audit.require(controls.OPERATOR, "", by, "account", by.asks("account"))
    value = account.model_dump(mode="json")
    record = platform.record("account", "", by, {"account": name, **value})
    return await _set(platform, platform.settings.with_account(name, account), ("account", name, value), record, [name])


async def _set(
    platform: Platform,
    settings: Settings,
    value: tuple[str, str, Any],
    record: dict[str, Any],
    accounts: Iterable[str | None],
) -> int:
    """Keep settings, and end the use of cards of accounts (None: of all) that they refuse; return of how many."""
    sweeps = [new_sweep(platform, account) for account in accounts]
    platform.take_over(settings, lambda: platform.store.set(record, value, *(sweep.kept for sweep in sweeps)))
    return sum([await carry_out(platform, sweep) for sweep in sweeps])
