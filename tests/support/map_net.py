"""A VLR and GMSC of a few lines: it registers cards at an HLR, asks for routes, and keeps what it was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.sigtran.map_node import MapError, MapNode
from simwarden.runtime.sigtran.point import Route, SignallingPoint
from simwarden.wire import map as m
from simwarden.wire.sccp import Address
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simwarden.runtime.sigtran.map_node import Dialogue

HLR_CODE, EIR_CODE = 6, 9
SSP, SSP2 = ("8613800000008", 8), ("8613800000018", 18)
NODES = {"ssp": {"number": SSP[0], "point_code": SSP[1]}, "ssp2": {"number": SSP2[0], "point_code": SSP2[1]}}
PHASES, OFFERED = (1, 2, 3, 4), (0, 2, 3)


class Settings(ElementConfig):
    """Who it says to be, where it is, and with whom it associates itself."""

    number: str = SSP[0]
    point_code: int = SSP[1]
    dials: str = "hss"
    far: int = HLR_CODE


class ScriptedVlr(Element[Settings]):
    """VLR (subsystem 7) and GMSC (8). What it was told is in `heard`, by the operations' names."""

    declaration = Declaration(kind="ssp", title="SSP", lane=50, config=Settings, starts_after=("node", "hss", "eir"))

    async def start(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        #: what it answers subscriber data with, and errors by which it fails operations
        self.isd_result: m.InsertSubscriberDataResult | None = None
        self.fails: dict[str, int] = {}
        #: done before an operation is answered, by its name
        self.meanwhile: dict[str, Callable[[], Awaitable[Any]]] = {}
        self.roaming_number = "8613800990001"
        config = self.config
        self.point = SignallingPoint(self.site, config.point_code, routes=[Route(config.dials, config.point_code)])
        operations = (m.INSERT_SUBSCRIBER_DATA, m.DELETE_SUBSCRIBER_DATA, m.CANCEL_LOCATION, m.PROVIDE_ROAMING_NUMBER)
        handlers = {each: self._handler(each.name) for each in operations}
        self.vlr, self.msc = MapNode(self.point, 7, handlers), MapNode(self.point, 8)
        await self.point.start()

    def _handler(self, name: str) -> Any:
        async def hear(argument: Any, _dialogue: Dialogue) -> Any:
            self.heard.append((name, argument))
            if name in self.meanwhile:
                await self.meanwhile.pop(name)()
            if name in self.fails:
                raise MapError(self.fails[name])
            if name == "provideRoamingNumber":
                return m.ProvideRoamingNumberResult(AddressString(self.roaming_number)) if self.roaming_number else None
            return self.isd_result if name == "insertSubscriberData" else None

        return hear

    async def stop(self) -> None:
        self.point.stop()

    async def killed(self) -> None:
        self.point.stop(kill=True)

    def told(self, name: str) -> list[Any]:
        """Return what it was told by an operation."""
        return [argument for each, argument in self.heard if each == name]

    async def register(
        self, imsi: str, imeisv: str = "", phases: tuple[int, ...] | None = PHASES, number: str = ""
    ) -> str:
        """Register a card; return `registered`, or the error in words."""
        who = AddressString(number or self.config.number)
        capability = m.VlrCapability(phases, OFFERED if 4 in phases else None) if phases is not None else None
        asked = m.UpdateLocation(
            imsi, who, who, vlr_capability=capability, add_info=m.AddInfo(imeisv) if imeisv else None
        )
        word: str = await _word(self.vlr.ask(self._hlr(), m.NETWORK_LOC_UP, m.UPDATE_LOCATION, asked), "registered")
        return word

    async def route(
        self,
        msisdn: str | AddressString,
        phases: tuple[int, ...] | None = PHASES,
        *,
        suppressed: bool = False,
        kind: m.InterrogationType = m.InterrogationType.BASIC_CALL,
        offers: bool = True,
    ) -> Any:
        """Ask for the way to a card; return the result, or the error in words."""
        offered = OFFERED if offers and 4 in (phases or ()) else None
        camel = m.CamelInfo(phases, suppressed, offered) if phases is not None else None
        asked = m.SendRoutingInfo(
            AddressString(msisdn) if isinstance(msisdn, str) else msisdn,
            kind,
            AddressString(self.config.number),
            call_reference_number=b"\x01",
            camel_info=camel,
        )
        return await _word(self.msc.ask(self._hlr(), m.LOCATION_INFO_RETRIEVAL, m.SEND_ROUTING_INFO, asked))

    async def check(self, imei: str) -> Any:
        """Ask what is known of a terminal; return the status, or the error in words."""
        asked = m.CheckImei(imei, (0,))
        to = Address(9, EIR_CODE)
        told = await _word(self.msc.ask(to, m.EQUIPMENT_MNGT, m.CHECK_IMEI, asked))
        return told if isinstance(told, str) else told.equipment_status

    def _hlr(self) -> Address:
        return Address(6, self.config.far)


async def _word(asked: Any, done: str = "") -> Any:
    try:
        result = await asked
    except MapError as error:
        return m.ErrorCode(error.code).name.lower().replace("_", "-")
    return done or result
