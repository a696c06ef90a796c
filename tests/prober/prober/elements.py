"""A node that asks for sessions on S11, with numbers that a story says."""

from __future__ import annotations

from simwarden.model.values import one_of
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, Observable, VerbModel, verb
from simwarden.runtime.gtp.config import GtpConfig
from simwarden.runtime.gtp.node import GtpNode
from simwarden.wire.gtpv2 import BearerQos, FTeid, InterfaceType, Message, Paa, PdnType, RatType


class RequestSession(VerbModel):
    """What is asked for."""

    imsi: str = "001010000000001"
    """The card."""
    number: str = ""
    """Its MSISDN; empty: it is not told."""


class Prober(Element[GtpConfig]):
    """Asks for sessions as an MME does."""

    declaration = Declaration(
        kind="prober",
        title="Prober",
        lane=50,
        config=GtpConfig,
        standing=False,
        starts_after=("sgw",),
        listens=("S11",),
        calls=("S11",),
        observables=(Observable("asked", "how it ended", values=one_of("accepted", "refused")),),
    )

    async def start(self) -> None:
        """Wait to be told."""
        self.node = GtpNode(self.site, ("S11",), {}, self.config.path(), lambda _teid: 0)

    async def stop(self) -> None:
        """Nothing is left to end."""

    @verb("accepted", "refused")
    async def request_session(self, arguments: RequestSession) -> str:
        """Ask for a session at the SGW and PGW of the network."""
        pgw, _ = self.site.address_of("pgw", "S5-C")
        sgw, _ = self.site.address_of("sgw", "S11")
        ies = {
            "imsi": arguments.imsi,
            "msisdn": arguments.number or None,
            "rat_type": RatType.EUTRAN,
            "sender_f_teid": FTeid.at(InterfaceType.S11_MME_GTP_C, 1, self.node.address),
            "pgw_s5_address": FTeid.at(InterfaceType.S5_S8_PGW_GTP_C, 0, pgw),
            "apn": "meters",
            "paa": Paa(PdnType.IPV4, "0.0.0.0"),  # noqa: S104 - any address
            "bearer_contexts_to_be_created": ({"ebi": 5, "bearer_qos": BearerQos(9)},),
        }
        answer = await self.node.ask(Message("create-session-request", ies), sgw, "S11")
        outcome = "accepted" if answer.accepted else "refused"
        self.site.observe("asked", outcome)
        return outcome
