"""What follows from being in a cell, and from timers that open what a reject closed (TS 24.301 5.2, 5.3.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.device.config import split_cell
from simulators.device.procedures import attach, tracking_area_update
from simulators.device.rejects import Usim
from simulators.device.state import EmmState
from simwarden.wire.nas import UpdateType

if TYPE_CHECKING:
    from simulators.device.contexts import Emm
    from simwarden.wire.nas import Message
    from simwarden.wire.uu import CellInformation

_SEARCH_PAUSE = 30.0
"""Seconds after which a terminal without coverage looks for a cell again; doubled each time, up to an hour."""
_SEARCH_LONGEST = 3600.0
_WANT_TAU = (EmmState.ATTEMPTING_TO_UPDATE, EmmState.REGISTERED_LIMITED_SERVICE, EmmState.REGISTERED_PLMN_SEARCH)
_WANT_ATTACH = (
    EmmState.ATTACH_NEEDED,
    EmmState.ATTEMPTING_TO_ATTACH,
    EmmState.LIMITED_SERVICE,
    EmmState.PLMN_SEARCH,
)


async def select(emm: Emm) -> None:
    """Camp on the best suitable cell that is heard; without one on the best that is heard at all."""
    found: tuple[str, CellInformation] | None = None
    for name in (emm.config.cell, *emm.config.hears):
        cell = await emm.radio.find(name)
        if cell is None:
            continue
        found = found or (name, cell)
        if emm.suitable(cell):
            found = name, cell
            break
    if found is not None:
        emm.radio.camp(split_cell(found[0])[0], found[1])


async def search(emm: Emm, *, other_plmn: bool) -> None:
    """Look for a suitable cell elsewhere: in another network, or in another tracking area."""
    left = emm.cell
    for name in (emm.config.cell, *emm.config.hears):
        cell = await emm.radio.find(name)
        if cell is None or not emm.suitable(cell):
            continue
        if left is None or (cell.tai.plmn != left.tai.plmn if other_plmn else cell.tai != left.tai):
            emm.radio.camp(split_cell(name)[0], cell)
            return
    emm.site.note("no other PLMN is heard" if other_plmn else "no suitable cell in another tracking area is heard")


def on_coverage_lost(emm: Emm, pause: float = _SEARCH_PAUSE) -> None:
    """Look for a cell again after a pause, which doubles each time."""

    def look() -> None:
        if emm.powered and emm.radio.cell is None:
            emm.site.spawn(_regain(emm, pause), "search for coverage")

    emm.cell = None
    emm.site.clock.call_later(pause, look)


async def _regain(emm: Emm, pause: float) -> None:
    await select(emm)
    if emm.radio.cell is None:
        on_coverage_lost(emm, min(2 * pause, _SEARCH_LONGEST))
    else:
        try_again(emm)


def on_camped(emm: Emm, cell: CellInformation) -> None:
    """Listen in a cell: outside the TAI list a registered UE updates; one that found no service tries here."""
    before, emm.cell = emm.cell, cell
    emm.observe("cell", str(cell.cell))
    emm.observe("tai", str(cell.tai))
    if emm.procedure is not None or not emm.suitable(cell):
        return
    if emm.state.registered:
        if cell.tai not in emm.tai_list or emm.state in _WANT_TAU:
            emm.update_type = UpdateType.TA_UPDATING
            tracking_area_update.start(emm)
    elif emm.state in _WANT_ATTACH and before is not None and before.cell != cell.cell and emm.usim is Usim.KEEP:
        attach.start(emm)


def try_again(emm: Emm) -> None:
    """Do what is wanted when a pause ends: attach, or update, whichever the state waits for."""
    if emm.procedure is not None:
        return
    if emm.state in _WANT_TAU or (emm.state is EmmState.REGISTERED and emm.tau_attempts):
        tracking_area_update.start(emm)
    elif not emm.state.registered and emm.state not in (EmmState.NULL, EmmState.DEREGISTERED):
        attach.start(emm)


def on_t3402(emm: Emm) -> None:
    """The long pause is over: five new attempts."""
    emm.attach_attempts = emm.tau_attempts = 0
    try_again(emm)


def on_t3396(emm: Emm) -> None:
    """The APN's back-off is over."""
    if not emm.state.registered and emm.procedure is None:
        attach.start(emm)


def on_t3247(emm: Emm) -> None:
    """Forgive rejects that came without integrity protection (5.3.7b)."""
    emm.forbidden_areas = frozenset()
    if emm.usim_events < emm.max_unprotected:
        _revive(emm)
    forgiven = [plmn for plmn, events in emm.plmn_events.items() if events < emm.max_unprotected]
    changed = [plmn for plmn in forgiven if plmn in emm.forbidden_plmns]
    for plmn in changed:
        emm.forbidden_plmns.remove(plmn)
    emm.forbidden_plmns_gprs = emm.forbidden_plmns_gprs.difference(forgiven)
    if changed:
        emm.store_forbidden_plmns()
    _serve(emm)


def on_t3245(emm: Emm) -> None:
    """Give a card that was held invalid another chance (5.3.7a)."""
    _revive(emm)
    emm.forbidden_areas = frozenset()
    emm.forbidden_plmns_gprs = frozenset()
    _serve(emm)


def on_areas_forgotten(emm: Emm) -> None:
    """Erase the lists of forbidden tracking areas, which is due once in 12 to 24 hours (5.3.2, TS 23.122 3.1)."""
    emm.forbidden_areas = frozenset()
    _serve(emm)


def on_plmn_rested(emm: Emm) -> None:
    """A network with severe failure is a candidate again (#42)."""
    emm.resting_plmn = None
    _serve(emm)


def _revive(emm: Emm) -> None:
    if emm.usim is not Usim.KEEP:
        emm.usim = Usim.KEEP
        emm.observe("usim", "valid")


def _serve(emm: Emm) -> None:
    if emm.procedure is not None or emm.state is EmmState.NULL:
        return
    if emm.state in _WANT_TAU:
        tracking_area_update.start(emm)
    elif not emm.state.registered:
        attach.start(emm)


def on_information(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """Messages that change nothing here, but are worth a line."""
    cause = message.get("emm_cause")
    emm.site.note(f"{message.type.name.replace('_', ' ')}{'' if cause is None else f' with cause {int(cause)}'}")
