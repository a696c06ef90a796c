"""An MME whose gateways are a stub in it: a session costs nothing, and carries nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.wire.gtpv2 import Cause, CauseIe, FTeid, InterfaceType, Message, Paa, PdnType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ACCEPTED = CauseIe(Cause.REQUEST_ACCEPTED)
_HOST = "192.0.2.1"


def put(mme: Any) -> None:
    """Let sessions of an MME be answered for by a stub, in place of its SGW and PGW."""
    gateways = mme.core.gateways

    async def create(ue: Any, _apn: str, ies: Mapping[str, Any]) -> Message:
        ue.s11_teid = ue.s11_teid or len(gateways.by_teid) + 1
        gateways.by_teid[ue.s11_teid] = ue
        teid, (asked,) = ue.s11_teid, ies["bearer_contexts_to_be_created"]
        end = FTeid.at(InterfaceType.S1_U_SGW_GTP_U, teid, _HOST)
        told = {
            "cause": _ACCEPTED,
            "sender_f_teid": FTeid.at(InterfaceType.S11_S4_SGW_GTP_C, teid, _HOST),
            "paa": Paa(PdnType.IPV4, f"10.64.{teid >> 8}.{teid & 255}"),
            "bearer_contexts_created": ({"ebi": asked["ebi"], "cause": _ACCEPTED, "s1_u_sgw": end},),
        }
        return Message("create-session-response", told, teid)

    def modify(_ue: Any, then: Callable[[bool], None] | None = None, only: object = None) -> bool:
        del only
        if then is not None:
            then(True)
        return True

    gateways.create, gateways.modify = create, modify
