"""A terminal as an element."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.device.answers import StatusTold
from simulators.device.clients.cs import Cs
from simulators.device.clients.packets import Packets
from simulators.device.clients.radio import Radio
from simulators.device.config import TACS, DeviceConfig
from simulators.device.consequences import consequences, timers
from simulators.device.contexts import Emm
from simulators.device.controls import INTERLOCK
from simulators.device.dispatch import Dispatch
from simulators.device.parts.calls import Calls
from simulators.device.parts.card import CardSlot
from simulators.device.parts.connections import Connections
from simulators.device.parts.flows import Flows
from simulators.device.parts.misbehaviour import Misbehaviour
from simulators.device.parts.place import Place
from simulators.device.parts.power import Power
from simulators.device.parts.service import Service
from simulators.device.parts.short_messages import ShortMessages
from simulators.device.parts.traffic import Traffic, wake
from simulators.device.parts.web import Web
from simulators.device.procedures import power, usim
from simulators.device.terminal import Terminal
from simwarden.model.identity import Imei
from simwarden.operations.call_views import TERMINAL_CALLS
from simwarden.operations.element import Element
from simwarden.operations.management import Call, route
from simwarden.runtime.declare import Declaration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simwarden.runtime.site import Site


class Device(Element[DeviceConfig]):
    """A terminal. All that an honest one keeps is kept on the card; a rogue has a memory of its own besides."""

    declaration = Declaration(
        kind="device",
        title="Terminal",
        lane=10,
        config=DeviceConfig,
        instances="devices",
        starts_after=("uicc", "enb", "ssp"),
        calls=("ME-UICC", "Uu", "Um"),
        controls=(INTERLOCK,),
        consequences=tuple(consequences()),
        timers=tuple(timers()),
    )
    parts = (Power, CardSlot, Service, Connections, Calls, ShortMessages, Traffic, Web, Flows, Place, Misbehaviour)

    def __init__(self, site: Site, config: DeviceConfig) -> None:
        super().__init__(site, config)
        self.emm = Emm(site, config, _terminal(site, config))
        self.emm.radio, self.emm.packets = Radio(site, Dispatch(self.emm)), Packets(self.emm)
        self.emm.cs = Cs(self.emm)
        self.emm.packets.wake = partial(wake, self.emm)
        self.emm.on_no_bearer = self.emm.packets.cut
        self.fit(self.emm)

    async def start(self) -> None:
        """Be on the table, switched off."""
        self.emm.packets.tun = self.site.tun(self.emm.packets.forward)
        self.emm.observe("imei", self.emm.terminal.own.imei)
        self.emm.observe("power", "off")

    async def stop(self) -> None:
        """Be switched off, with its goodbyes."""
        if self.emm.powered:
            await power.switch_off(self.emm)
        self.emm.packets.tun = None
        self._let_go()

    async def killed(self) -> None:
        """Lose power: nobody is told."""
        self.emm.packets.tun = None
        self.emm.powered = False
        self.emm.reset()
        usim.stop_polling(self.emm)
        self.emm.radio.close()
        self.emm.cs.close()
        power.go_dark(self.emm)
        self._let_go()

    def census(self) -> Mapping[str, int]:
        """Count its connection, if it has one."""
        return {"connections": int(self.emm.wired)}

    def views(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        """Return the state shared with its MSC, or with its MME during a connection."""
        emm = self.emm
        if emm.config.msc:
            return {TERMINAL_CALLS: [(self.site.name,)] if emm.cs.in_call else []}
        if not (emm.wired and emm.state.registered and emm.guti is not None):
            return {}
        guti, keys = str(emm.guti), emm.security
        held = (keys.ksi, keys.eia, keys.eea) if keys is not None else ()
        return {
            "NAS security": [(guti, *held)],
            "TAI lists": [(guti, *sorted(map(str, emm.tai_list)))],
            "EPS bearers": [
                *((guti, number, number, each.apn.lower()) for number, each in emm.bearers.items()),
                *((guti, number, each.linked, each.qci) for number, each in emm.dedicated.items()),
            ],
        }

    def _let_go(self) -> None:
        session, self.emm.session = self.emm.session, None
        self.emm.card_name = ""
        if session is not None:
            session.link.close("terminal gone")
            self.emm.observe("card", None)

    @route("GET", "/status", gives=StatusTold)
    async def status(self, _call: Call) -> dict[str, Any]:
        """Tell what the terminal does, without any key."""
        emm = self.emm
        return {
            "power": "on" if emm.powered else "off",
            "card": emm.card_name,
            "imei": emm.terminal.own.imei,
            "emm_state": emm.state.value,
            "usim": emm.usim.value if emm.card is not None else "",
            "guti": str(emm.guti or ""),
            "cell": str(emm.cell.cell) if emm.cell is not None else "",
            "timers": sorted(timer.name for timer in emm.timers),
            "addresses": [bearer.address for bearer in emm.bearers.values()],
        }


def _terminal(site: Site, config: DeviceConfig) -> Terminal:
    own = Imei.parse(config.imei) if config.imei else Imei(TACS[config.type] + f"{site.rng.randrange(10**6):06d}")
    network, card = (Imei.parse(claim) if claim else own for claim in (config.claims.network, config.claims.card))
    able = config.voice_capable, config.gives_imeisv, config.gives_imeisv_to_card, config.sms
    return Terminal(own, network, card, *able)
