"""Session management as far as attach, emergency and the end of bearers need it (TS 24.301 clause 6)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from simulators.device.contexts import Bearer
from simulators.device.state import EmmState, Procedure, Timer
from simwarden.wire import pco
from simwarden.wire.nas import EsmCause, Message, MessageType, RequestType
from simwarden.wire.uu import EstablishmentCause

if TYPE_CHECKING:
    from simulators.device.contexts import Emm
    from simwarden.wire.nas import PdnAddress

#: what every PDN connection asks for: DNS servers of both versions, and the MTU (TS 24.008 10.5.6.3)
_OPTIONS: Final = pco.encode(
    [
        pco.Option(pco.Container.DNS_SERVER_IPV4_ADDRESS),
        pco.Option(pco.Container.DNS_SERVER_IPV6_ADDRESS),
        pco.Option(pco.Container.IPV4_LINK_MTU),
    ]
)
BACKED_OFF: Final = frozenset(
    {
        EsmCause.OPERATOR_DETERMINED_BARRING,
        EsmCause.MISSING_OR_UNKNOWN_APN,
        EsmCause.SERVICE_OPTION_NOT_SUPPORTED,
        EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED,
    }
)
"""Causes on which the APN is left alone for a while, also where the network names no time (6.5.1.4.3)."""


def pdn_connectivity_request(emm: Emm, kind: RequestType, *, in_attach: bool) -> Message:
    """Make a PDN CONNECTIVITY REQUEST (6.5.1.2); in an attach the APN waits for the secure exchange."""
    emm.esm_pti = emm.esm_pti % 254 + 1
    request = Message(
        MessageType.PDN_CONNECTIVITY_REQUEST,
        procedure_transaction_identity=emm.esm_pti,
        request_type=kind,
        pdn_type=emm.pdn_type,
        protocol_configuration_options=_OPTIONS,
    )
    if emm.apn and kind is not RequestType.EMERGENCY:
        name, value = ("esm_information_transfer_flag", 1) if in_attach else ("access_point_name", emm.apn)
        request.fields[name] = value
    return request


def start_emergency(emm: Emm) -> None:
    """Ask, while registered, for a PDN connection for an emergency call (6.5.1)."""
    emm.start(Timer.T3482)
    emm.send(pdn_connectivity_request(emm, RequestType.EMERGENCY, in_attach=False), EstablishmentCause.EMERGENCY)


def on_default_bearer(emm: Emm, request: Message) -> Message | None:
    """Set up a default bearer; return its accept, None if the message is no activation."""
    if request.type is not MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST:
        return None
    identity = request["eps_bearer_identity"]
    address: PdnAddress = request["pdn_address"]
    emergency = emm.running(Timer.T3482)
    name, identifier = request["access_point_name"], address.interface_id
    options = request.get("protocol_configuration_options", b"")
    emm.bearers[identity] = Bearer(name, address.ipv4, emergency=emergency, interface_id=identifier, options=options)
    emm.observe("apn", request["access_point_name"])
    emm.observe("address", address.ipv4 or address.interface_id.hex())
    emm.observe("esm_cause", request.get("esm_cause"))
    return Message(MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_ACCEPT, eps_bearer_identity=identity)


def on_activate(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """A default bearer outside an attach: the emergency call's (6.4.1)."""
    answer = on_default_bearer(emm, message)
    if answer is not None:
        emm.send(answer)
    if emm.running(Timer.T3482):
        emm.stop(Timer.T3482)
        emm.observe("emergency_call", "accepted")


def on_pdn_reject(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """The network gives no PDN connection (6.5.1.4)."""
    emm.observe("esm_cause", message["esm_cause"])
    if emm.running(Timer.T3482):
        emm.stop(Timer.T3482)
        emm.answer(Procedure.EMERGENCY_BEARER, "rejected")  # and the call goes on with an emergency attach


def on_t3482(emm: Emm) -> None:
    """No answer to the request for a PDN connection came."""
    emm.answer(Procedure.EMERGENCY_BEARER, "no-answer")


def on_attach_refused(emm: Emm, message: Message, *, protected: bool) -> None:
    """Take the ESM cause out of an ATTACH REJECT with #19, and honour its back-off timer (6.5.1.4.3, 5.5.1.2.6 d).

    Without a timer the causes in `BACKED_OFF` hold for 12 minutes: the terminal has no SM Retry Timer of TS 24.368.
    """
    if "esm_cause" not in message:
        return
    emm.observe("esm_cause", message["esm_cause"])
    seconds = message.get("back_off_timer", Timer.T3396.seconds if message["esm_cause"] in BACKED_OFF else 0.0)
    if seconds and emm.honours_rejects:
        # "deactivated" holds until power-off or removal; one that anybody may have sent does not.
        if seconds == math.inf and not protected:
            seconds = emm.site.rng.uniform(43200, 86400)
        emm.start(Timer.T3396, seconds)


def on_information_request(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """Tell the APN now that it cannot be overheard (6.6.1.2)."""
    answer = Message(
        MessageType.ESM_INFORMATION_RESPONSE,
        procedure_transaction_identity=message["procedure_transaction_identity"],
    )
    if emm.apn:
        answer.fields["access_point_name"] = emm.apn
    emm.send(answer)


def on_deactivate(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """A bearer ends (6.4.4); with the last one the UE is deregistered, and attaches anew if it is told so."""
    identity = message["eps_bearer_identity"]
    emm.prefixes.pop(identity, None)
    if emm.bearers.pop(identity, None) is None:
        emm.send(
            Message(
                MessageType.ESM_STATUS,
                eps_bearer_identity=identity,
                esm_cause=EsmCause.INVALID_EPS_BEARER_IDENTITY,
            )
        )
        return
    emm.observe("esm_cause", message["esm_cause"])
    emm.send(Message(MessageType.DEACTIVATE_EPS_BEARER_CONTEXT_ACCEPT, eps_bearer_identity=identity))
    if not emm.bearers:
        emm.show_no_bearer()
        emm.enter(EmmState.DEREGISTERED)
        emm.observe("attach", "detached")
        if message["esm_cause"] == EsmCause.REACTIVATION_REQUESTED:
            emm.pending = Procedure.ATTACH
        elif message.get("back_off_timer"):
            emm.start(Timer.T3396, message["back_off_timer"])


def on_status(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """An ESM STATUS is worth a line."""
    emm.observe("esm_cause", message["esm_cause"])
