"""An MME whose gateways are a stub in it: a session costs nothing, and carries nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from simulators.mme.clients.gateways import Gateways
from simwarden.wire.gtpv2 import Cause, CauseIe, FTeid, InterfaceType, Message, Paa, PdnType

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from simulators.mme.contexts import UeContext

_ACCEPTED = CauseIe(Cause.REQUEST_ACCEPTED)
_HOST = "192.0.2.1"


class StubGateways(Gateways):
    """The MME's S11 client without S11: mypy checks that both methods have the signatures of the real client."""

    @override
    async def create(self, ue: UeContext, apn: str, ies: Mapping[str, Any]) -> Message:
        ue.s11_teid = ue.s11_teid or len(self.by_teid) + 1
        self.by_teid[ue.s11_teid] = ue
        teid, (bearer,) = ue.s11_teid, ies["bearer_contexts_to_be_created"]
        s1_u = FTeid.at(InterfaceType.S1_U_SGW_GTP_U, teid, _HOST)
        response = {
            "cause": _ACCEPTED,
            "sender_f_teid": FTeid.at(InterfaceType.S11_S4_SGW_GTP_C, teid, _HOST),
            "paa": Paa(PdnType.IPV4, f"10.64.{teid >> 8}.{teid & 255}"),
            "bearer_contexts_created": ({"ebi": bearer["ebi"], "cause": _ACCEPTED, "s1_u_sgw": s1_u},),
        }
        return Message("create-session-response", response, teid)

    @override
    def modify(self, ue: UeContext, taken: Container[int], then: Callable[[bool], None] | None = None) -> bool:
        if then is not None:
            then(True)
        return True


def put(mme: Any) -> None:
    """Replace the S11 client of an MME with the stub; sessions already set up stay as they are."""
    mme.core.gateways.__class__ = StubGateways
