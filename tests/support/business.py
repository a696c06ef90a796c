"""A gateway with its SMSC and two customers' platforms, and what a test says to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platform.element import Platform
from simulators.sms_gateway.element import SmsGateway
from simwarden.testing import Bench, ScriptedSmppSmsc

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop

CODE, OTHER_CODE, OTA_CODE = "10658000123", "10658000999", "10658000000"
IMSI, OTHER_IMSI = "001010000000017", "001010000000025"
MSISDN, OTHER_MSISDN = "8614400000017", "8614400000025"
APPROVAL = {"approver": "He Lan", "reason": "contract 12", "form": "scan 8831"}
ACCOUNTS = {
    "waterworks": {"system_id": "meters", "password": "s3cret", "source_addr": "901234", "secret": "shared"},
    "heating": {"system_id": "heat", "password": "other", "source_addr": "905678", "secret": "hidden"},
    "operator": {"system_id": "ota", "password": "ota"},
}
CODES = {
    CODE: {"account": "waterworks"},
    OTHER_CODE: {"account": "heating"},
    OTA_CODE: {"account": "operator", "ota": "true"},
}


def provision(imsi: str = IMSI, msisdn: str = MSISDN, **entry: Any) -> dict[str, Any]:
    """Return the body that provisions a card; `functions` and `sms` as in a file."""
    functions = entry.pop("functions", ["sms", "data"])
    section = {"by": "sms_gateway", "account": "waterworks", "numbers": [CODE, OTA_CODE], **entry}
    return {
        "name": "card",
        "imsi": imsi,
        "iccid": f"8986{imsi}",
        "msisdn": msisdn,
        "profile": "meter",
        "functions": functions,
        "form": "plug-in",
        "sections": {"sms": [section]},
    }


class Business(Bench):
    """A scripted SMSC, the gateway, and the platforms of the waterworks, of the heating works and of the operator."""

    subject = "sms_gateway"

    def __init__(
        self,
        loop: TestbedLoop | None = None,
        *,
        transport: str = "memory",
        store: str = "",
        platform: dict[str, Any] | None = None,
        switches: dict[str, str] | None = None,
        **config: Any,
    ) -> None:
        super().__init__(loop, transport=transport, stores={"sms_gateway": store}, switches=switches or {})
        self.smsc = self.add("smsc", ScriptedSmppSmsc)
        self.gateway = self.add("sms_gateway", SmsGateway, {"accounts": ACCOUNTS, "codes": CODES, **config})
        settings = {"system_id": "meters", "password": "s3cret", "code": CODE, **(platform or {})}
        self.platform = self.add("platform", Platform, settings)
        self.heating = self.add("heating", Platform, {"system_id": "heat", "password": "other", "code": OTHER_CODE})
        self.ota = self.add("ota", Platform, {"system_id": "ota", "password": "ota", "code": OTA_CODE})

    async def start(self) -> None:
        await super().start()
        await self.settle()
        await self.call("PUT", f"/cards/{IMSI}", provision())
        other = provision(OTHER_IMSI, OTHER_MSISDN, account="heating", numbers=[OTHER_CODE])
        await self.call("PUT", f"/cards/{OTHER_IMSI}", other)

    async def submit(self, to: str = f"+{MSISDN}", name: str = "platform", **more: Any) -> str:
        """Have a platform submit a message; return the outcome."""
        text = {} if "octets" in more else {"text": "read your meter"}
        return str(await self.do(name, "submit_message", platform=name, to=to, **{**text, **more}))

    def states(self, key: str | None = None) -> list[str]:
        """Return what became of messages, in order."""
        return [each["state"] for each in self.observed("message", element="sms_gateway", key=key)]

    def receipts(self, name: str = "platform") -> list[str]:
        """Return the words of the receipts that a platform had."""
        return [each["state"] for each in self.observed("receipt", element=name)]

    def texts(self, name: str = "platform") -> list[str]:
        """Return what a platform heard of cards."""
        return [each["text"] for each in self.observed("message", element=name)]
