"""The lists of cards: with whom they exchange packets, which the operator changes with an approval record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.pcrf import controls
from simulators.pcrf.answers import CardChanged, CardTold
from simulators.pcrf.card import DataCard
from simulators.pcrf.config import ListChange, PcrfData
from simwarden.model.profile import find_use
from simwarden.model.values import GIVEN, IMSI, SWITCH
from simwarden.operations.approval import Approval, By
from simwarden.operations.card_lists import BOTH, CardLists, keep_number
from simwarden.operations.management import Call, route
from simwarden.operations.provision import CardProvision
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from simulators.pcrf.core import Core


class Lists(CardLists[DataCard]):
    """The lists of cards."""

    observables = (
        Observable(
            "list",
            "with whom a card exchanges packets (key: IMSI)",
            fields={
                "imsi": IMSI,
                "undirected": SWITCH,
                **dict.fromkeys(("whitelist", "blacklist", "apps"), GIVEN.or_none()),
            },
            kept=True,
        ),
    )
    section, model = "data", PcrfData
    core: Core

    @route("PUT", "/cards/{imsi}", takes=CardProvision, gives=CardTold, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Take a card with its lists; without them its data is not directed. Those held are not changed this way (409).

        Nor is its number that of another card (409).
        """
        keep_number(call.given, self.core.store.numbered(call.given.msisdn))
        card = await self._provision(call)
        self.core.prepare(card)
        return card.tell()

    @route("PUT", "/cards/{imsi}/data", roles=BOTH, takes=ListChange, gives=CardChanged, errors=(404, 429))
    async def change_list(self, call: Call) -> dict[str, Any]:
        """Give a card other lists; the PGWs of its sessions are told at once. By the operator."""
        return self._told(await self._change(call, "change the list"))

    @route("DELETE", "/cards/{imsi}/data", roles=BOTH, takes=Approval, gives=CardChanged, errors=(404, 429))
    async def end_list(self, call: Call) -> dict[str, Any]:
        """Take a card's lists away: its data is not directed any more. By the operator, with an approval record."""
        return self._told(await self._change(call, "end the list"))

    @route("GET", "/cards/{imsi}", gives=CardChanged)
    async def query(self, call: Call) -> dict[str, Any]:
        """Tell with whom a card exchanges packets, and what its sessions are told."""
        return self._told(self._card(call.path["imsi"]))

    @route("GET", "/cards", gives=tuple[CardTold, ...])
    async def export(self, call: Call) -> list[dict[str, Any]]:
        """Tell all cards with their lists, by IMSI."""
        del call
        return [card.tell() for card in self.core.store.cards()]

    def new(self, wanted: CardProvision, held: DataCard | None) -> DataCard:
        """Make a card of what it is provisioned with."""
        del held
        use = find_use(wanted.profile)
        return DataCard(wanted.imsi, wanted.msisdn, use=use.name if use is not None else "")

    def check(self, card: DataCard, wanted: PcrfData, by: By, action: str) -> None:
        """Let a whitelist be no longer and no wider than it may. Raises ManagementError (403)."""
        entries = wanted.whitelist or ()
        facts = {"entries": entries, "approved": wanted.exception}
        self.core.audit.require(controls.ENTRIES, card.imsi, by, action, facts, wanted=" ".join(entries))

    async def follow(self, card: DataCard) -> None:
        """Tell the PGWs of its sessions."""
        from simulators.pcrf.procedures.re_auth import follow  # noqa: PLC0415 - checking files needs no codec

        await follow(self.core, card.imsi)

    def _told(self, card: DataCard) -> dict[str, Any]:
        return card.tell() | {"sessions": [each.tell() for each in self.core.store.sessions_of(card.imsi)]}
