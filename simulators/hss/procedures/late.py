"""What is pending for MMEs and VLRs, told when they are back: cancelled locations, other subscriber data.

It is kept with the change that it comes from, so that neither a node that was away nor a killed HSS forgets it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.hss.procedures.location import cancel_location, drop_vlr, follow_up
from simulators.hss.procedures.subscriber_data import reset, tell_barring, tell_subscription
from simulators.hss.subscriber import ENDS, Due
from simwarden.runtime.store import StoreError

if TYPE_CHECKING:
    from simulators.hss.core import Core
    from simulators.hss.subscriber import Notice, Subscriber
    from simwarden.runtime.diameter import Peer


def opened(core: Core, peer: Peer) -> None:
    """An MME has connected: it hears that the HSS was restarted, and what is pending for it and those behind it."""
    if peer.host in core.to_reset:
        core.to_reset.discard(peer.host)
        core.site.spawn(reset(core, peer), "reset")
    for host in (peer.host, *(host for host, relay in core.peers.ways.items() if relay == peer.host)):
        core.site.spawn(tell_pending(core, host), "pending notifications")


async def tell_pending(core: Core, host: str) -> None:
    """Tell an MME or a VLR all that is pending for it, card by card; one that does not answer is left for a while."""
    if host in core.telling:
        return
    core.telling.add(host)
    try:
        for notice in core.store.pending(host):
            if core.store.is_pending(notice):  # it may have heard of it meanwhile
                await _tell(core, notice)
            if core.store.is_pending(notice):
                core.tell_again(host)
                return
        core.all_told(host)
    except StoreError:
        core.tell_again(host)
        raise
    finally:
        core.telling.discard(host)


async def _tell(core: Core, notice: Notice) -> None:
    if notice.what in (*ENDS, Due.UPDATE):
        await cancel_location(core, notice)
        return
    subscriber = core.card(notice.imsi)
    if notice.at_vlr:
        await _tell_calls(core, subscriber, notice)
    elif subscriber.mme != notice.host:
        core.store.told(notice)
    else:
        tell = tell_barring if notice.what is Due.BARRING else tell_subscription
        await follow_up(core, subscriber, await tell(core, subscriber, notice))


async def _tell_calls(core: Core, subscriber: Subscriber, notice: Notice) -> None:
    from simulators.hss.procedures.visited import tell_calls  # noqa: PLC0415 - only who serves calls pays for it

    if subscriber.vlr != notice.host:
        core.store.told(notice)
    elif not await tell_calls(core, subscriber, notice):
        await drop_vlr(core, subscriber, f"VLR {notice.host} does not support what the card needs")


async def tell_vlrs(core: Core, *imsis: str) -> None:
    """Tell VLRs what is pending for them of cards; one that does not answer is told again."""
    for imsi in imsis:
        for notice in core.store.at_vlrs(imsi):
            await _tell(core, notice)
