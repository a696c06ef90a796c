"""The card in the slot: read and compared at its reset, polled, gone (TS 31.102 5.1, TS 102.221 14.5)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simulators.device.clients.card import CardGoneError
from simulators.device.controls import CARD_RESET, INTERLOCK
from simulators.device.procedures.detach import say_goodbye
from simulators.device.state import EmmState, Procedure
from simwarden.errors import PeerError
from simwarden.wire.apdu.control import Control

if TYPE_CHECKING:
    from simulators.device.clients.card import CardData, CardSession
    from simulators.device.contexts import Emm

_POLL = 30.0
"""Seconds between looks for the card's presence (TS 102.221 14.5.2)."""


async def read(emm: Emm) -> CardData | None:
    """Reset the card and read it; None without one that can be used."""
    session = emm.session
    if session is None:
        return None
    try:
        await session.reset(Control.POWER_ON)
        data = await session.start(emm.config.pin)
    except CardGoneError as error:
        emm.site.note(f"the card cannot be used: {error}")
        return None
    except PeerError as error:
        emm.site.peer_fault(session.link, error.reason)
        return None
    for reason in session.unreadable:
        emm.site.peer_fault(session.link, reason)
    emm.insert(data)
    emm.observe("usim", emm.usim.value)
    _compare(emm, data)
    poll(emm)
    return data


def _compare(emm: Emm, data: CardData) -> None:
    bound, own = data.bind.imei_key, emm.terminal.own
    if emm.config.compares:
        decision = emm.site.decide(INTERLOCK, data.imsi, on=CARD_RESET, bound=bound, seen=own.imei)
        emm.interlocked = not decision.admitted
        word = ("matches" if bound else "unbound") if decision.admitted else "mismatch"
    else:
        word = "not-compared" if bound else "unbound"
        if bound and bound != own.key:
            emm.site.note("the card is bound to another terminal, which this one cannot see")
    emm.observe("interlock", word)


def poll(emm: Emm) -> None:
    """Look every 30 seconds whether the card is there."""
    stop_polling(emm)
    session = emm.session
    if session is not None:
        emm.polling = emm.site.clock.keep_alive(_POLL, partial(_look, emm), internal=session.link.internal)


def _look(emm: Emm) -> None:
    emm.site.spawn(_ask_status(emm), "polling of the card")


async def _ask_status(emm: Emm) -> None:
    session = emm.session
    if session is None:
        return
    try:
        await session.status()
    except (CardGoneError, PeerError) as error:
        session.link.close(str(error))
        await gone(emm, str(error))
    else:
        poll(emm)


def stop_polling(emm: Emm) -> None:
    """Look no more."""
    if emm.polling is not None:
        emm.polling.cancel()
        emm.polling = None


def on_closed(emm: Emm, session: CardSession, reason: str) -> None:
    """Be told that the contacts to a card are broken."""
    session.lost(reason)
    if emm.session is session:
        emm.site.spawn(gone(emm, reason), "removal of the card")


async def gone(emm: Emm, reason: str) -> None:
    """The card is out: a powered terminal detaches with the keys it has in memory (TS 24.301 5.5.2.1)."""
    session, emm.session, emm.card_name = emm.session, None, ""
    stop_polling(emm)
    emm.observe("card", None)
    if not emm.powered:
        return
    emm.site.note(f"card removed: {reason}")
    await say_goodbye(emm, session)
    emm.cs.switch_off()
    emm.reset()
    emm.card = None
    emm.cell = emm.radio.cell
    emm.enter(EmmState.NO_IMSI)
    emm.observe("usim", None)
    emm.observe("interlock", None)
    emm.observe("attach", "no-card")
    emm.answer(Procedure.ATTACH, "no-card")
