"""The lists of cards: with whom they have calls, which the operator changes with an approval record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulators.scp import controls
from simulators.scp.answers import CardTold, CardUsed
from simulators.scp.card import VoiceCard
from simulators.scp.config import ListChange, ScpVoice
from simulators.scp.events import CHANGE
from simwarden.errors import ManagementError
from simwarden.model.values import GIVEN, IMSI, SWITCH
from simwarden.operations.approval import Approval, By
from simwarden.operations.management import Call, Role, route
from simwarden.operations.provision import AuditPage, AuditTold, CardProvision
from simwarden.policy.operator import PROVISION
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from simulators.scp.core import Core

_BOTH = (Role.OPERATOR, Role.CUSTOMER)


class Lists:
    """The lists of cards."""

    observables = (
        Observable(
            "list",
            "with whom a card has calls (key: IMSI)",
            fields={"imsi": IMSI, "numbers": GIVEN.or_none(), "undirected": SWITCH},
            kept=True,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("PUT", "/cards/{imsi}", takes=CardProvision, gives=CardTold, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Take a card with its list; without one voice is off. A list that is held is not changed this way (409).

        Nor is its number that of another card (409), or that card would be called by it.
        """
        wanted: CardProvision = call.given
        other = self.core.store.numbered(wanted.msisdn)
        if other is not None and other.imsi != wanted.imsi:
            raise ManagementError(409, f"another card has the number {wanted.msisdn}")
        voice, held = wanted.entry("voice", ScpVoice), self.core.store.card(wanted.imsi)
        if held is not None and held.voice is not None:
            self.core.lists.stays(wanted.imsi, By.of(call), changed=voice != held.voice)
        self._check(wanted.imsi, By.of(call), voice, PROVISION)
        suspended = held.suspended if held is not None else None
        return self._put(VoiceCard(wanted.imsi, wanted.msisdn, voice, suspended), By.of(call), "provision")

    @route("PUT", "/cards/{imsi}/voice", roles=_BOTH, takes=ListChange, gives=CardTold, errors=(404, 429))
    async def change_list(self, call: Call) -> dict[str, Any]:
        """Give a card another list, from now on: calls that it no longer admits end at once. By the operator."""
        return self._change(call, "change the list", call.given.wanted())

    @route("DELETE", "/cards/{imsi}/voice", roles=_BOTH, takes=Approval, gives=CardTold, errors=(404, 429))
    async def end_list(self, call: Call) -> dict[str, Any]:
        """Switch a card's voice off; its calls end. By the operator, with an approval record."""
        return self._change(call, "end the list", None)

    @route("GET", "/cards/{imsi}", gives=CardUsed)
    async def query(self, call: Call) -> dict[str, Any]:
        """Tell with whom a card has calls, and the seconds that are used this month."""
        card = self.core.store.card(call.path["imsi"])
        if card is None:
            raise ManagementError(404, f"{self.core.site.name} has no card {call.path['imsi']}")
        return card.tell() | {"used": self.core.store.used(card.imsi, self.core.month) / 10}

    @route("GET", "/cards", gives=tuple[CardTold, ...])
    async def export(self, call: Call) -> list[dict[str, Any]]:
        """Tell all cards with their lists, by IMSI."""
        del call
        return [card.tell() for card in self.core.store.cards()]

    @route("GET", "/audit", query=AuditPage, gives=tuple[AuditTold, ...])
    async def audit(self, call: Call) -> list[dict[str, Any]]:
        """Tell audit records, the oldest first."""
        return self.core.store.audited(after=call.query.after, most=call.query.limit)

    def _change(self, call: Call, action: str, voice: ScpVoice | None) -> dict[str, Any]:
        imsi, by = call.path["imsi"], By.of(call)
        self.core.lists.approve(imsi, by, action)
        card = self.core.store.card(imsi)
        if card is None:
            raise ManagementError(404, f"{self.core.site.name} has no card {imsi}")
        if card.voice is not None:
            self.core.lists.once_more(imsi, by, action)
        self._check(imsi, by, voice, action)
        return self._put(replace(card, voice=voice), by, CHANGE if card.voice is not None else "list")

    def _check(self, imsi: str, by: By, voice: ScpVoice | None, action: str) -> None:
        """Let a list be no longer than it may. Raises ManagementError (403)."""
        if voice is not None:
            facts = {"numbers": voice.all_numbers, "approved": voice.exception}
            self.core.audit.require(controls.NUMBERS, imsi, by, action, facts, wanted=" ".join(voice.all_numbers))

    def _put(self, card: VoiceCard, by: By, action: str) -> dict[str, Any]:
        from simulators.scp.procedures.admission import follow  # noqa: PLC0415 - checking files needs no codec

        before, after = self.core.store.card(card.imsi), card.tell()["voice"]
        details = {"before": before.tell()["voice"] if before is not None else None, "after": after}
        self.core.store.put(card, self.core.lists.record(action, card.imsi, by, details))
        self.core.show_list(card)
        follow(self.core, card.imsi)
        return card.tell()
