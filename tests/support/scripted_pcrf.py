"""A PGW and a scripted PCRF that installs what a test says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateways import Gateways, udp

from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.testing import ScriptedServer
from simwarden.testing.diameter import REALM
from simwarden.wire.gtpv2 import Cause, CauseIe, FTeid, InterfaceType

if TYPE_CHECKING:
    from simwarden.wire import gtpv2
    from simwarden.wire.diameter import Avps, Message

LISTED, OTHER = "192.0.2.10", "192.0.2.11"
ENB_BEARER_TEID = 0xE2


def rule(name: str, described: str, *more: tuple[str, Any]) -> tuple[str, Avps]:
    flow = [("Flow-Description", described), ("Flow-Direction", 3)]
    avps: Avps = [("Charging-Rule-Name", name.encode()), ("Flow-Information", flow), ("Flow-Status", 2)]
    return "Charging-Rule-Definition", [*avps, *more]


def install(*what: tuple[str, Any]) -> tuple[str, Avps]:
    return "Charging-Rule-Install", list(what)


def to(address: str) -> str:
    return f"permit out ip from {address} to assigned"


class Pcrf(ScriptedServer):
    """A PCRF that installs what a test says."""

    declaration = Declaration(kind="pcrf", title="PCRF", lane=80, config=ElementConfig, listens=("Gx",))
    interface = "Gx"
    requests = ("credit-control",)

    def credit_control(self, message: Message) -> Any:
        return [install(rule("listed", to(LISTED)))] if message.get("CC-Request-Type") == 1 else []

    async def order_rules(self, *avps: tuple[str, Any], session: str = "") -> Message:
        known = session or self.asked[0].get("Session-Id")
        host = f"pgw.{REALM}"
        request = self.node.make(
            "Re-Auth-Request",
            [("Re-Auth-Request-Type", 0), *avps],
            realm=REALM, host=host, point="Gx", session=known,
        )  # fmt: skip
        return await self.node.ask(host, request)

    def kinds(self) -> list[int]:
        return [each.get("CC-Request-Type") for each in self.asked]


class Net(Gateways):
    """With sessions that the PCRF rules."""

    def __init__(self, kind: type[Any] = Pcrf, **apn: Any) -> None:
        super().__init__(
            pgw={
                "apns": {"meters": {"gx": "pcrf", **apn}},
                "applications": {"upload": [LISTED], "named": ["other.example:443"]},
            }
        )
        self.pcrf = self.add("pcrf", kind)

    async def passes(self, made: Any, address: str) -> bool:
        before = len(self.net.packets)
        self.enb.send(made, udp(made["paa"].ipv4, address))
        await self.settle()
        return len(self.net.packets) > before


def used(message: Message) -> list[int]:
    units = [dict(each)["Used-Service-Unit"] for each in message.all("Usage-Monitoring-Information")]
    return [dict(each)["CC-Total-Octets"] for each in units]


def monitor(octets: int, level: int = 0) -> tuple[str, Avps]:
    granted = ("Granted-Service-Unit", [("CC-Total-Octets", octets)])
    return "Usage-Monitoring-Information", [("Monitoring-Key", b"all"), granted, ("Usage-Monitoring-Level", level)]


def failed(message: Message) -> list[tuple[list[bytes], int]]:
    return [
        ([value for name, value in each if name == "Charging-Rule-Name"], dict(each)["Rule-Failure-Code"])
        for each in message.all("Charging-Rule-Report")
    ]


def accept_bearers(net: Gateways) -> None:
    """Make the MME accept the dedicated bearers of the PGW, each with another EPS bearer identity."""
    end = FTeid.at(InterfaceType.S1_U_ENODEB_GTP_U, ENB_BEARER_TEID, net.enb.address)
    identities = iter(range(6, 16))

    def accept(asked: gtpv2.Message) -> dict[str, Any]:
        (context,) = asked["bearer_contexts"]
        cause = CauseIe(Cause.REQUEST_ACCEPTED)
        bearer = {"ebi": next(identities), "cause": cause, "s1_u_enodeb": end, "s1_u_sgw": context["s1_u_sgw"]}
        return {"cause": cause, "bearer_contexts": (bearer,)}

    net.mme.answers["create-bearer-request"] = accept
    accepted = CauseIe(Cause.REQUEST_ACCEPTED)
    net.mme.answers["update-bearer-request"] = lambda asked: {
        "cause": accepted,
        "bearer_contexts": ({"ebi": asked["bearer_contexts"][0]["ebi"], "cause": accepted},),
    }
