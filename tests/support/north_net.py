"""The CAMARA API over a platform, with cards of two accounts, and what keeps areas."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from simulators.cmp.element import Cmp
from simulators.cmp.procedures.identity_check import check
from simwarden.errors import ManagementError
from simwarden.operations.approval import Approval
from simwarden.operations.element import Element
from simwarden.operations.management import Call, Role, route
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.testing import Bench

if TYPE_CHECKING:
    from simwarden.operations.routing import Answer
    from simwarden.runtime.loop import TestbedLoop

IMSI, NUMBER, OTHER = "001010000000017", "+861440000000017", "+861440000000018"
METER, PHONE, TABLET = "99000101000001", "99000201000001", "99000301000001"
PREVENTION, SUBSCRIPTIONS = "iot-sim-fraud-prevention", "iot-sim-fraud-prevention-subscriptions"
ALL = [f"{PREVENTION}:{each}" for each in ("bind", "unbind", "query")]
ALL += [f"{SUBSCRIPTIONS}:{each}" for each in ("subscribe", "read", "delete")]
IMEI_CHANGE = "org.camaraproject.iot-sim-fraud-prevention.v0.imei-change"
DESK = {"role": "operator", "approver": "desk", "form": "17"}
CLIENTS = {
    "desk": {"token": "sha256:" + hashlib.sha256(b"desk-token").hexdigest(), "scopes": ALL, **DESK},
    "water": {"token": "water-token", "scopes": ALL, "account": "water"},
    "gas": {"token": "gas-token", "scopes": ALL, "account": "gas"},
    "reader": {"token": "reader-token", "scopes": [f"{PREVENTION}:query"], "account": "water"},
    "bare": {"token": "bare-token", "scopes": ALL, "role": "operator"},
    "handset": {"token": "handset-token", "scopes": ALL, "device": NUMBER, **DESK},
}
AREA = {"latitude": "50.5", "longitude": "7.25", "radius": "2000", "cells": ["001-01-0000101"]}


class AreaKeeper(Element[ElementConfig]):
    """Keeps areas."""

    declaration = Declaration(kind="mme", title="MME", lane=1, config=ElementConfig)
    areas: dict[str, Any]
    refuses: int = 0
    outside = False

    async def start(self) -> None:
        self.areas = {}

    async def stop(self) -> None:
        pass

    @route("PUT", "/cards/{imsi}/area")
    async def put(self, call: Call) -> Any:
        if self.refuses:
            raise ManagementError(self.refuses, "two provinces")
        self.areas[call.path["imsi"]] = dict(call.body)
        return await self.get(call)

    @route("DELETE", "/cards/{imsi}/area", takes=Approval)
    async def delete(self, call: Call) -> Any:
        self.areas.pop(call.path["imsi"], None)
        return await self.get(call)

    @route("GET", "/cards/{imsi}/area")
    async def get(self, call: Call) -> Any:
        return {"imsi": call.path["imsi"], "area": self.areas.get(call.path["imsi"]), "outside": self.outside}


class Net(Bench):
    """A platform with cards of two accounts, and what keeps areas."""

    def __init__(self, loop: TestbedLoop, store: str = "", **north: Any) -> None:
        super().__init__(loop, stores={"cmp": store})
        config = {"clients": CLIENTS, "areas": {"water": AREA}, **north}
        self.mme = self.add("mme", AreaKeeper)
        self.cmp: Any = self.add("cmp", Cmp, {"hss": "off", "north": config})
        self.provisions = True

    def as_it_was(self) -> Net:
        """Start again with what the store has."""
        self.provisions = False
        return self

    async def start(self) -> None:
        await super().start()
        if self.provisions:
            await self.card(IMSI, NUMBER, "water")
            await self.card("001010000000018", OTHER, "gas")

    async def card(self, imsi: str, number: str, account: str) -> None:
        entry = {"imsi": imsi, "msisdn": number, "account": account, "iccid": imsi, "state": "active"}
        await self.cmp.manage(Role.OPERATOR, "POST", "/cards", {"cards": [entry]})

    async def ask(self, name: str, body: Any = None, client: str = "desk", **more: Any) -> Answer:
        answer: Answer = await self.cmp.north.side.call(
            "POST", f"/{PREVENTION}/vwip/{name}", body, token=f"{client}-token", **more
        )
        return answer

    async def subs(self, method: str, body: Any = None, path: str = "", client: str = "water") -> Answer:
        answer: Answer = await self.cmp.north.side.call(
            method, f"/{SUBSCRIPTIONS}/vwip/subscriptions{path}", body, token=f"{client}-token"
        )
        return answer

    async def alarm_only(self) -> None:
        """Let the card's account want its cards served in wrong terminals, with an alarm."""
        await self.cmp.manage(Role.OPERATOR, "PUT", "/accounts/water", {"mismatch": "alarm"})

    async def hand_over(self, *, account: str = "water", msisdn: str = NUMBER, **binding: str) -> None:
        """Provision the card as another account's, or under another number, with the binding that it has."""
        card = {
            "name": "",
            "imsi": IMSI,
            "iccid": IMSI,
            "msisdn": msisdn,
            "k": "",
            "opc": "",
            "profile": "",
            "form": "",
        }
        sections = {"platform": [{"account": account}], "binding": [binding] if binding else []}
        await self.cmp.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", {**card, "sections": sections})

    async def rebind(self, **binding: str) -> None:
        """Let the operator bind the card by the management interface."""
        body = {**binding, "approver": "J. Okonedo", "reason": "meter replaced", "form": "F-2"}
        await self.cmp.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}/binding", body)
        await self.pause()

    async def bind(self) -> tuple[Any, str, str]:
        """Bind by the API; return the answer, and how and to what the card is bound now."""
        answer = await self.ask("bind", {**device(), "bindType": "IMEIBIND"})
        card = self.cmp.platform.card(IMSI)
        await self.pause()
        return answer.body, card.mode, card.bound

    def seen(self, imei: str) -> bool:
        return check(self.cmp.platform, IMSI, imei)

    async def pause(self, seconds: float = 200) -> None:
        await self.host.clock.sleep(seconds)


def device(number: str = NUMBER) -> dict[str, Any]:
    return {"device": {"phoneNumber": number}}


def subscription(**more: Any) -> dict[str, Any]:
    config = {"subscriptionDetail": device(), **more.pop("config", {})}
    sink = "https://sink.example.com/events"
    return {"sink": sink, "protocol": "HTTP", "types": [IMEI_CHANGE], "config": config, **more}
