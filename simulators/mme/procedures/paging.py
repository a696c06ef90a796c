"""Paging (TS 24.301 5.6.2, TS 36.413 8.5): calling an idle device in its tracking areas."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from simulators.mme.clients import s1
from simulators.mme.contexts import EmmState
from simwarden.wire.s1ap import CnDomain
from simwarden.wire.s1ap.values import STmsi

if TYPE_CHECKING:
    from simulators.mme.contexts import UeContext
    from simulators.mme.core import Core
    from simwarden.model.identity import Guti

#: how often a device is paged before it counts as out of reach
_ATTEMPTS = 3


async def page(core: Core, ue: UeContext) -> bool:
    """Page a device until it answers with a service request; False if T3413 ran out for the last time.

    One that is detached is paged only to be told so.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        if ue.connection is not None:
            return True
        guti = ue.guti
        if guti is None or (ue.state is not EmmState.REGISTERED and ue.detach is None):
            return False
        if ue.paged is None or ue.paged.done():
            ue.paged = asyncio.get_running_loop().create_future()
        waiting = ue.paged
        _call(core, ue, guti)
        if await s1.within(core, waiting, core.config.timers.t3413):
            return True
        core.site.note("T3413 ran out", imsi=ue.imsi, times=attempt)
    return False


def answered(ue: UeContext) -> None:
    """Let the paging of a device end: it has made contact."""
    if ue.paged is not None and not ue.paged.done():
        ue.paged.set_result(True)


def _call(core: Core, ue: UeContext, guti: Guti) -> None:
    """Send PAGING to each eNB that serves one of the device's tracking areas."""
    for enb in core.enbs.values():
        served = tuple(tai for tai in ue.tai_list if tai in enb.tais)
        if served:
            s1.send_common(
                enb,
                "paging",
                ue_identity_index_value=int(ue.imsi or 0) % 1024,
                ue_paging_id=STmsi(guti.mme_code, guti.m_tmsi),
                cn_domain=CnDomain.PS,
                tai_list=served,
            )
