"""The card in the terminal's slot: put in, moved, swapped while the terminal runs."""

from __future__ import annotations

from functools import partial

from simulators.device.clients.card import CardGoneError, CardSession
from simulators.device.procedures import power, toolkit, usim
from simulators.device.verbs import ENDED, DevicePart, OfDevice
from simwarden.errors import ManagementError
from simwarden.model.form import Slot
from simwarden.model.values import instance_of, one_of
from simwarden.runtime.declare import CardName, DeviceName, Observable, VerbModel, verb


class Insert(VerbModel):
    """Put a card into a terminal."""

    target = "into"
    card: CardName
    """The card."""
    into: DeviceName
    """The terminal."""


class Move(VerbModel):
    """Move a card to another terminal."""

    target = "to"
    card: CardName
    """The card, wherever it is."""
    to: DeviceName
    """The terminal."""


class HotSwap(OfDevice):
    """Change the card of a running terminal."""

    card: CardName
    """The card that goes in."""


#: how a card may come into a terminal, which may attach with it
_INSERTED = ("inserted", "refused", *ENDED)


class CardSlot(DevicePart):
    """What is done with the card by hand."""

    observables = (
        Observable("card", "the card in its slot, none without", values=instance_of("uicc")),
        Observable(
            "usim", "whether the terminal holds its card valid", values=one_of("valid", "invalid-for-eps", "invalid")
        ),
        Observable(
            "interlock",
            "what the terminal's comparison of the IMEI on the card gave",
            values=one_of("matches", "unbound", "mismatch", "not-compared"),
        ),
    )

    @verb(*_INSERTED)
    async def insert(self, arguments: Insert) -> str:
        """Put a card into the terminal: `inserted` or `refused` by its form; in a powered one how the attach ends."""
        return await self._take(arguments.card)

    @verb(*_INSERTED)
    async def move(self, arguments: Move) -> str:
        """Take a card from where it is and put it into this terminal: as `insert`; where it is already, it stays."""
        if self.emm.session is not None and self.emm.card_name == arguments.card:
            return "inserted"
        return await self._take(arguments.card)

    @verb(*_INSERTED)
    async def hot_swap(self, arguments: HotSwap) -> str:
        """Put another card in place of the one in a running terminal: how the attach with it ends, or `refused`.

        By hand a card comes out, and in, as far as its form lets it.
        """
        if not self.emm.powered:
            raise ManagementError(409, f"{self.emm.site.name} is switched off, which makes no hot swap")
        if self.emm.session is not None and not await self._give_up(self.emm.session):
            return "refused"
        return await self._take(arguments.card)

    async def _give_up(self, session: CardSession) -> bool:
        """Have the card pulled out by hand, which its form may not let happen; return whether it is out."""
        card = self.emm.card_name
        session.link.on_close = session.lost  # what follows is done here, before another card comes in
        said = await self.emm.site.manage(card, "POST", "/verbs/pull_out", {"card": card})
        if said == "refused":
            session.link.on_close = partial(usim.on_closed, self.emm, session)
            return False
        await usim.gone(self.emm, "card swapped")
        return True

    async def _take(self, card: str) -> str:
        emm = self.emm
        if emm.session is not None:
            raise ManagementError(409, f"{self.emm.site.name} holds {emm.card_name}")
        try:
            link = await self.emm.site.connect("ME-UICC", card)
        except ConnectionError as error:
            raise ManagementError(409, f"{card} cannot be put into {self.emm.site.name}: {error}") from error
        session = CardSession(self.emm.site, link, emm.terminal)
        if emm.terminal.short_messages:
            session.send_short_message = partial(toolkit.send_short_message, emm, session)
        link.on_close = partial(usim.on_closed, emm, session)
        try:
            await session.put_in(Slot[emm.config.slot.upper().replace("-", "_")])
        except CardGoneError as error:
            self.emm.site.note(f"{card} does not go in: {error}")
            link.close("not in")
            return "refused"
        emm.session, emm.card_name = session, card
        emm.observe("card", card)
        return await power.begin(emm) if emm.powered else "inserted"
