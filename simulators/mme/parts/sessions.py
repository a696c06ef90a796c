"""The devices that are registered: listed, paged, detached; and what was refused to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from simulators.mme.answers import DetachedTold, PagedTold, SessionTold
from simulators.mme.contexts import EmmState, UeContext
from simulators.mme.procedures.detach import detach_by_network
from simulators.mme.procedures.paging import page
from simwarden.errors import ManagementError
from simwarden.model.values import (
    APN,
    CELL,
    GIVEN,
    GUTI,
    IMEI,
    IMSI,
    NUMBER,
    SWITCH,
    TAI,
    TEXT,
    USER_ADDRESS,
    instance_of,
    members,
    one_of,
)
from simwarden.operations.management import Call, route
from simwarden.runtime.declare import HISTORY, Observable, VerbModel, verb
from simwarden.wire.nas.enums import EmmCause, EsmCause, NetworkDetachType

if TYPE_CHECKING:
    from simulators.mme.core import Core

#: what is told of a registration by management
_TOLD = ("imsi", "imei", "guti", "cell", "tai", "state", "apn", "address")


class Page(VerbModel):
    """Page the device of a card, by its identity (`page: card.imsi`)."""

    shorthand: ClassVar[str] = "imsi"
    imsi: str
    """The card's IMSI."""


class Sessions:
    """Registrations, and the eNBs by which they are served."""

    observables = (
        Observable(
            "session",
            "a card's device is registered (key: IMSI)",
            fields={
                "imsi": IMSI.or_none(),
                "imei": IMEI.or_none(),
                "imeisv": IMEI.or_none(),
                "guti": GUTI,
                "cell": CELL,
                "tai": TAI,
                "state": one_of("connected", "idle"),
                "apn": APN.or_none(),
                "address": USER_ADDRESS.or_none(),
                "emergency": SWITCH,
            },
            passing=("guti", "address", "state"),
            serving="imsi",
        ),
        Observable(
            "reject",
            "the last refusal that a card's device was told (key: IMSI)",
            fields={
                "imsi": IMSI,
                "procedure": one_of("attach", "tracking-area-update", "service-request"),
                "emm_cause": members(EmmCause),
                "esm_cause": members(EsmCause).or_none(),
                "reason": TEXT,
            },
            passing=HISTORY,
            evidence="decision",
        ),
        Observable(
            "s1",
            "an eNB is in service (key: its name)",
            fields={"enb": instance_of("enb") | GIVEN, "enb_id": NUMBER, "tais": TAI, "state": one_of("up")},
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("GET", "/sessions", gives=tuple[SessionTold, ...])
    async def sessions(self, _call: Call) -> list[dict[str, Any]]:
        """List the registered devices."""
        return [_tell(ue) for ue in self.core.by_imsi.values() if ue.state is EmmState.REGISTERED]

    @route("GET", "/sessions/{imsi}", gives=SessionTold)
    async def session(self, call: Call) -> dict[str, Any]:
        """Show a card's registration."""
        return _tell(self._registered(call.path["imsi"]))

    @route("POST", "/sessions/{imsi}/page", gives=PagedTold)
    async def page_session(self, call: Call) -> dict[str, bool]:
        """Page a card's device; tells whether it answered."""
        return {"answered": await page(self.core, self._registered(call.path["imsi"]))}

    @route("DELETE", "/sessions/{imsi}", gives=DetachedTold)
    async def detach_session(self, call: Call) -> dict[str, Any]:
        """Detach a card's device; it must attach again."""
        ue = self._registered(call.path["imsi"])
        detach_by_network(self.core, ue, NetworkDetachType.RE_ATTACH_REQUIRED, None)
        return {"imsi": ue.imsi}

    @verb("answered", "no-answer")
    async def page(self, arguments: Page) -> str:
        """Page a card's device: `answered` or `no-answer`."""
        return "answered" if await page(self.core, self._registered(arguments.imsi)) else "no-answer"

    def _registered(self, imsi: str) -> UeContext:
        ue = self.core.by_imsi.get(imsi)
        if ue is None or ue.state is not EmmState.REGISTERED:
            raise ManagementError(404, f"{imsi} is not registered")
        return ue


def _tell(ue: UeContext) -> dict[str, Any]:
    told = ue.tell()
    return {name: told[name] for name in _TOLD} | {"msisdn": ue.subscription.msisdn if ue.subscription else ""}
