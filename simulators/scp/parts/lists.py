"""The lists of cards: with whom they have calls, which the operator changes with an approval record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.scp import controls
from simulators.scp.answers import CardTold, CardUsed
from simulators.scp.card import VoiceCard
from simulators.scp.config import ListChange, ScpVoice
from simwarden.model.values import GIVEN, IMSI, SWITCH
from simwarden.operations.approval import Approval, By
from simwarden.operations.card_lists import BOTH, CardLists, keep_number
from simwarden.operations.management import Call, route
from simwarden.operations.provision import CardProvision
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from simulators.scp.core import Core


class Lists(CardLists[VoiceCard]):
    """The lists of cards."""

    observables = (
        Observable(
            "list",
            "with whom a card has calls (key: IMSI)",
            fields={"imsi": IMSI, "numbers": GIVEN.or_none(), "undirected": SWITCH},
            kept=True,
        ),
    )
    section, model = "voice", ScpVoice
    core: Core

    @route("PUT", "/cards/{imsi}", takes=CardProvision, gives=CardTold, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Take a card with its list; without one voice is off. A list that is held is not changed this way (409).

        Nor is its number that of another card (409), or that card would be called by it.
        """
        keep_number(call.given, self.core.store.numbered(call.given.msisdn))
        return (await self._provision(call)).tell()

    @route("PUT", "/cards/{imsi}/voice", roles=BOTH, takes=ListChange, gives=CardTold, errors=(404, 429))
    async def change_list(self, call: Call) -> dict[str, Any]:
        """Give a card another list, from now on: calls that it no longer admits end at once. By the operator."""
        return (await self._change(call, "change the list")).tell()

    @route("DELETE", "/cards/{imsi}/voice", roles=BOTH, takes=Approval, gives=CardTold, errors=(404, 429))
    async def end_list(self, call: Call) -> dict[str, Any]:
        """Switch a card's voice off; its calls end. By the operator, with an approval record."""
        return (await self._change(call, "end the list")).tell()

    @route("GET", "/cards/{imsi}", gives=CardUsed)
    async def query(self, call: Call) -> dict[str, Any]:
        """Tell with whom a card has calls, and the seconds that are used this month."""
        card = self._card(call.path["imsi"])
        return card.tell() | {"used": self.core.store.used(card.imsi, self.core.month) / 10}

    @route("GET", "/cards", gives=tuple[CardTold, ...])
    async def export(self, call: Call) -> list[dict[str, Any]]:
        """Tell all cards with their lists, by IMSI."""
        del call
        return [card.tell() for card in self.core.store.cards()]

    def new(self, wanted: CardProvision, held: VoiceCard | None) -> VoiceCard:
        """Make a card of what it is provisioned with; one that is suspended stays so."""
        return VoiceCard(wanted.imsi, wanted.msisdn, suspended=held.suspended if held is not None else None)

    def check(self, card: VoiceCard, wanted: ScpVoice, by: By, action: str) -> None:
        """Let a list be no longer than it may. Raises ManagementError (403)."""
        facts = {"numbers": wanted.all_numbers, "approved": wanted.exception}
        self.core.audit.require(controls.NUMBERS, card.imsi, by, action, facts, wanted=" ".join(wanted.all_numbers))

    async def follow(self, card: VoiceCard) -> None:
        """End the calls that the list admits no longer."""
        from simulators.scp.procedures.admission import follow  # noqa: PLC0415 - checking files needs no codec

        follow(self.core, card.imsi)
