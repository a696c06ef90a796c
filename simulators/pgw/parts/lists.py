"""With whom cards exchange packets: what the operator changes, with an approval record; and provisioning of cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.pgw import controls
from simulators.pgw.answers import CardTold, ListsTold
from simulators.pgw.config import DataChange, PgwData
from simulators.pgw.parts.areas import Areas
from simwarden.errors import ManagementError
from simwarden.model.profile import find_use
from simwarden.model.values import GIVEN, IMSI, SWITCH
from simwarden.operations.approval import Approval, By
from simwarden.operations.card_lists import BOTH, CardLists
from simwarden.operations.management import Call, route
from simwarden.operations.provision import CardProvision
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from simulators.pgw.core import Core
    from simulators.pgw.store import DataCard


class Lists(CardLists["DataCard"]):
    """The lists of cards."""

    observables = (
        Observable(
            "list",
            "with whom a card exchanges packets (key: IMSI)",
            fields={
                "imsi": IMSI,
                "whitelist": GIVEN.or_none(),
                "blacklist": GIVEN.or_none(),
                "apps": GIVEN.or_none(),
                "undirected": SWITCH,
            },
            kept=True,
        ),
    )
    section, model = "data", PgwData
    core: Core

    @route("PUT", "/cards/{imsi}", takes=CardProvision, gives=CardTold, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Take a card's cells and lists; the packets of one without pass anywhere, and with anybody.

        What is held is not changed this way (409).
        """
        wanted: CardProvision = call.given
        await Areas(self.core).provision(call)
        if wanted.sections.get("data") or self.core.store.card(wanted.imsi).data is not None:
            await self._provision(call)
        else:
            self.core.store.know(self.new(wanted, None))
        return self.core.store.card(wanted.imsi).tell() | {"cells": sorted(self.core.areas.get(wanted.imsi))}

    @route("PUT", "/cards/{imsi}/data", roles=BOTH, takes=DataChange, gives=ListsTold, errors=(429,))
    async def change_list(self, call: Call) -> dict[str, Any]:
        """Give a card other lists, by which packets of flows that run are judged at once. By the operator."""
        return (await self._change(call, "change the list")).tell()

    @route("DELETE", "/cards/{imsi}/data", roles=BOTH, takes=Approval, gives=ListsTold, errors=(429,))
    async def end_list(self, call: Call) -> dict[str, Any]:
        """Let a card exchange packets with anybody. By the operator, with an approval record."""
        return (await self._change(call, "end the list")).tell()

    @route("GET", "/cards/{imsi}/data", gives=ListsTold)
    async def query_list(self, call: Call) -> dict[str, Any]:
        """Tell with whom a card exchanges packets."""
        return self.core.store.card(call.path["imsi"]).tell()

    @route("GET", "/cards", gives=tuple[ListsTold, ...])
    async def export(self, call: Call) -> list[dict[str, Any]]:
        """Tell all cards that have lists, by IMSI."""
        del call
        return [card.tell() for card in self.core.store.cards()]

    def new(self, wanted: CardProvision, held: DataCard | None) -> DataCard:
        """Make a card of what it is provisioned with."""
        del held
        from simulators.pgw.store import DataCard  # noqa: PLC0415 - checking files needs no database

        use = find_use(wanted.profile)
        return DataCard(wanted.imsi, use=use.name if use is not None else "")

    def check(self, card: DataCard, wanted: PgwData, by: By, action: str) -> None:
        """Let a whitelist be no longer or wider than it may.

        Raises ManagementError (403; 400 for unknown apps; 409 where a PCRF rules all sessions).
        """
        if why := self.core.config.refuses(self.section, asked=True):
            raise ManagementError(409, why)
        try:
            if wanted.apps:
                self.core.app_lists().of("", wanted.apps)
        except ValueError as error:
            raise ManagementError(400, str(error)) from None
        entries = wanted.whitelist or ()
        facts = {"entries": entries, "approved": wanted.exception}
        self.core.audit.require(controls.ENTRIES, card.imsi, by, action, facts, wanted=" ".join(entries))

    async def follow(self, card: DataCard) -> None:
        """Let the lists hold for sessions and flows at once."""
        from simulators.pgw import rules  # noqa: PLC0415 - checking files needs no codec

        rules.follow(self.core, card.imsi)
