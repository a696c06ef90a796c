"""PDN connections of a terminal beside that of its attach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from simulators.device.procedures import esm, service_request
from simulators.device.state import Procedure
from simulators.device.verbs import ENDED, need_power
from simwarden.errors import ManagementError
from simwarden.model.values import APN, NUMBER, USER_ADDRESS
from simwarden.runtime.declare import DeviceName, Observable, VerbModel, verb

if TYPE_CHECKING:
    from simulators.device.contexts import Emm


class Apn(VerbModel):
    """A PDN connection by its APN."""

    target = "device"
    device: DeviceName
    """The terminal."""
    apn: Annotated[str, Field(min_length=1, max_length=99)]
    """The APN."""


class Connections:
    """What a terminal asks session management for."""

    observables = (
        Observable(
            "connection",
            "a PDN connection beside that of the attach, by its default bearer",
            fields={"apn": APN, "address": USER_ADDRESS, "ebi": NUMBER},
            passing=("address",),
        ),
        Observable(
            "bearer",
            "a dedicated bearer, by its identity",
            fields={"apn": APN, "ebi": NUMBER, "qci": NUMBER},
            passing=("qci",),
        ),
    )

    def __init__(self, emm: Emm) -> None:
        self.emm = emm

    @verb(*ENDED)
    async def connect(self, arguments: Apn) -> str:
        """Ask for another PDN connection (a service request comes first if need be): `accepted`, `rejected`,
        `no-answer`, or what holds it back.
        """  # noqa: D205 - the whole of it is the outcome
        emm = self.emm
        word = await self._in_service()
        if word != "accepted":
            return word
        if emm.resting_apns.get(arguments.apn, 0.0) > emm.site.clock.now():
            return "backed-off"
        answer = emm.ending(Procedure.CONNECT)
        esm.start_connection(emm, arguments.apn)
        return await answer

    @verb(*ENDED)
    async def disconnect(self, arguments: Apn) -> str:
        """Give a PDN connection up: `accepted`, `rejected` (the last one stays), `no-answer`, or what holds it back."""
        emm = self.emm
        word = await self._in_service()
        if word != "accepted":
            return word
        found = [identity for identity, each in emm.bearers.items() if each.apn == arguments.apn]
        if not found:
            raise ManagementError(409, f"{emm.site.name} has no PDN connection to {arguments.apn}")
        answer = emm.ending(Procedure.DISCONNECT)
        esm.start_disconnection(emm, found[0])
        return await answer

    async def _in_service(self) -> str:
        """Be connected, and wait until nothing is asked for."""
        emm = self.emm
        need_power(emm)
        if not emm.state.registered:
            return "not-registered"
        while emm.asked is not None:
            await emm.ending(esm.procedure_of(emm.asked))
        if emm.wired and emm.procedure is None:
            return "accepted"
        return await emm.run(Procedure.SERVICE_REQUEST, service_request.start)
