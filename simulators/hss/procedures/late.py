"""What MMEs and VLRs are owed, told when they are back or answer again: cancelled locations, other subscriber data.

It is kept with the change that it comes from, so that neither a node that was away nor a killed HSS forgets it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.hss.procedures.location import cancel_location, drop_vlr, follow_up
from simulators.hss.procedures.subscriber_data import reset, tell_barring, tell_subscription
from simulators.hss.subscriber import ENDS, Owed
from simwarden.runtime.store import StoreError

if TYPE_CHECKING:
    from simulators.hss.core import Core
    from simulators.hss.subscriber import Debt, Subscriber
    from simwarden.runtime.diameter import Peer


def opened(core: Core, peer: Peer) -> None:
    """An MME has connected: it hears that the HSS was restarted, and what it and those behind it are owed."""
    if peer.host in core.to_reset:
        core.to_reset.discard(peer.host)
        core.site.spawn(reset(core, peer), "reset")
    for host in (peer.host, *(host for host, relay in core.peers.ways.items() if relay == peer.host)):
        core.site.spawn(tell_owed(core, host), "pending notifications")


async def tell_owed(core: Core, host: str) -> None:
    """Tell an MME or a VLR all that it is owed, card by card; one that does not answer is left in peace for a while."""
    if host in core.telling:
        return
    core.telling.add(host)
    try:
        for debt in core.store.owed(host):
            if core.store.owes(debt):  # it may have heard of it meanwhile
                await _tell(core, debt)
            if core.store.owes(debt):
                core.tell_again(host)
                return
        core.all_told(host)
    except StoreError:
        core.tell_again(host)
        raise
    finally:
        core.telling.discard(host)


async def _tell(core: Core, debt: Debt) -> None:
    if debt.what in (*ENDS, Owed.UPDATE):
        await cancel_location(core, debt)
        return
    subscriber = core.card(debt.imsi)
    if debt.at_vlr:
        await _tell_calls(core, subscriber, debt)
    elif subscriber.mme != debt.host:
        core.store.paid(debt)
    else:
        tell = tell_barring if debt.what is Owed.BARRING else tell_subscription
        await follow_up(core, subscriber, await tell(core, subscriber, debt))


async def _tell_calls(core: Core, subscriber: Subscriber, debt: Debt) -> None:
    from simulators.hss.procedures.visited import tell_calls  # noqa: PLC0415 - only who serves calls pays for it

    if subscriber.vlr != debt.host:
        core.store.paid(debt)
    elif not await tell_calls(core, subscriber, debt):
        await drop_vlr(core, subscriber, f"VLR {debt.host} does not support what the card needs")


async def tell_vlrs(core: Core, *imsis: str) -> None:
    """Tell VLRs what they are owed of cards; one that does not answer is told again."""
    for imsi in imsis:
        for debt in core.store.at_vlrs(imsi):
            await _tell(core, debt)
