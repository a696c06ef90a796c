"""The list of access codes as its keeper tells it: in versions, without gaps, the whole of it where one was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.sms_gateway.answers import CodesTold, VersionTold
from simulators.sms_gateway.procedures.revoking import review_pairs
from simwarden.errors import ManagementError
from simwarden.model.values import ACCESS_CODE, GIVEN, NUMBER, SWITCH, one_of
from simwarden.operations.access_codes import CodeChanges, CodeList
from simwarden.operations.management import Call, route
from simwarden.policy.numbers import party
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.sms_gateway.core import Core
    from simwarden.operations.access_codes import AllocatedCode


class Codes:
    """Whose access codes are."""

    observables = (
        Observable(
            "code",
            "whose an access code is (key: the code)",
            fields={"code": ACCESS_CODE, "account": GIVEN, "ota": SWITCH},
            kept=True,
        ),
        Observable(
            "list",
            "the list of access codes: its version, how many there are, and whether a gap was found in it",
            fields={"version": NUMBER, "codes": NUMBER, "state": one_of("in-step", "drift")},
            passing=("version",),
            kept=True,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("GET", "/codes", gives=CodesTold)
    async def query_codes(self, _call: Call) -> dict[str, Any]:
        """Tell the list, its version, and how many seconds ago it was confirmed."""
        codes = {str(code): each.model_dump(mode="json") for code, each in self.core.codes.items()}
        return {"version": self.core.version, "age": self.core.list_age, "codes": codes}

    @route("PUT", "/codes", takes=CodeList, gives=VersionTold, errors=(409,))
    async def put_codes(self, call: Call) -> dict[str, Any]:
        """Take the whole list, which is answered when it is kept."""
        self._kept_elsewhere()
        wanted: CodeList = call.given
        held = {str(code): None for code in self.core.codes}
        self._take({**held, **wanted.codes}, wanted.version, whole=True)
        return {"version": self.core.version}

    @route("POST", "/codes", takes=CodeChanges, gives=VersionTold, errors=(409,))
    async def change_codes(self, call: Call) -> dict[str, Any]:
        """Take changes of the list, or a word that there are none; 409 where some between are missing."""
        self._kept_elsewhere()
        wanted: CodeChanges = call.given
        if wanted.since != self.core.version:
            self._tell("drift")
            raise ManagementError(409, f"the list here has version {self.core.version}, not {wanted.since}")
        self._take({each.code: each.allocated for each in wanted.changes}, wanted.version, whole=False)
        return {"version": self.core.version}

    def _kept_elsewhere(self) -> None:
        if not self.core.config.keeper:
            raise ManagementError(409, "this gateway's list of codes is in its settings (keeper is empty)")

    def _take(self, codes: Mapping[str, AllocatedCode | None], version: int, *, whole: bool) -> None:
        """Keep changes, and have what waits judged by them; the time of the keeper's word is kept with them."""
        core = self.core
        core.store.put_codes(codes, version, whole=whole)
        core.confirmed = core.now()
        core.store.keep_number("confirmed", core.confirmed)
        core.version = version
        before = dict(core.codes)
        for code, each in codes.items():
            self._take_one(code, each)
        changed = [code for code in before.keys() | core.codes.keys() if before.get(code) != core.codes.get(code)]
        whose = {each.account for code in changed for each in (before.get(code), core.codes.get(code)) if each}
        self._tell("in-step")
        if whose:
            core.review(lambda message: message.account in whose)
        owners = {code: each.account for code, each in core.codes.items()}
        moved = {code: each.account for code, each in before.items() if each.account != owners.get(code)}
        for card in core.cards.values() if moved else ():
            review_pairs(core, card, {code: moved[code] for code in moved.keys() & card.parties})
        core.wake()

    def _take_one(self, code: str, allocated: AllocatedCode | None) -> None:
        if allocated is None:
            self.core.codes.pop(party(code), None)
            self.core.site.observe("code", None, key=code)
            return
        self.core.codes[party(code)] = allocated
        self.core.site.observe("code", {"code": code, **allocated.model_dump()}, key=code)

    def _tell(self, state: str) -> None:
        shown = {"version": self.core.version, "codes": len(self.core.codes), "state": state}
        self.core.site.observe("list", shown, key="codes")
