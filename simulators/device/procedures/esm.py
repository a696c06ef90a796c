"""Session management as far as attach, emergency and the end of bearers need it (TS 24.301 clause 6)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from simulators.device.contexts import Bearer
from simulators.device.procedures import dedicated_bearers as bearer_packets
from simulators.device.procedures import transactions
from simulators.device.state import EmmState, Procedure, Timer
from simwarden.wire import pco
from simwarden.wire.nas import EsmCause, Message, MessageType, RequestType

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


def pdn_connectivity_request(emm: Emm, kind: RequestType, apn: str = "") -> Message:
    """Make a PDN CONNECTIVITY REQUEST (6.5.1.2); that of an attach has its APN told when it is secure."""
    emm.esm_pti = emm.esm_pti % 254 + 1
    request = Message(
        MessageType.PDN_CONNECTIVITY_REQUEST,
        procedure_transaction_identity=emm.esm_pti,
        request_type=kind,
        pdn_type=emm.pdn_type,
        protocol_configuration_options=_OPTIONS,
    )
    if apn:
        request.fields["access_point_name"] = apn
    elif emm.apn and kind is not RequestType.EMERGENCY:
        request.fields["esm_information_transfer_flag"] = 1
    return request


def start_emergency(emm: Emm) -> None:
    """Ask, while registered, for a PDN connection for an emergency call (6.5.1)."""
    transactions.ask(emm, pdn_connectivity_request(emm, RequestType.EMERGENCY))


def start_connection(emm: Emm, apn: str) -> None:
    """Ask, while registered, for another PDN connection (6.5.1.2)."""
    transactions.ask(emm, pdn_connectivity_request(emm, RequestType.INITIAL_REQUEST, apn=apn))


def start_disconnection(emm: Emm, identity: int) -> None:
    """Ask for the end of a PDN connection (6.5.2.2)."""
    transactions.start(emm, MessageType.PDN_DISCONNECT_REQUEST, linked_eps_bearer_identity=identity)


def on_default_bearer(emm: Emm, request: Message, *, emergency: bool = False) -> Message | None:
    """Set up a default bearer; return its accept, None if the message is no activation."""
    if request.type is not MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST:
        return None
    identity = request["eps_bearer_identity"]
    address: PdnAddress = request["pdn_address"]
    name, identifier = request["access_point_name"], address.interface_id
    options = request.get("protocol_configuration_options", b"")
    emm.drop_bearer(identity)
    rate = bearer_packets.ambr_bucket(emm, request.get("apn_ambr", b""))
    bearer = Bearer(name, address.ipv4, emergency, identifier, options, rate)
    emm.add_bearer(identity, bearer)
    emm.packets.on_bearer(identity)
    emm.observe("esm_cause", request.get("esm_cause"))
    return Message(MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_ACCEPT, eps_bearer_identity=identity)


def on_activate(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """A default bearer outside an attach (6.4.1)."""
    asked = transactions.answered(emm, message)
    emergency = asked is not None and asked.get("request_type") is RequestType.EMERGENCY
    answer = on_default_bearer(emm, message, emergency=emergency)
    if answer is not None:
        emm.send(answer)
    if asked is not None:
        transactions.tell(emm, asked, "accepted")


def on_pdn_reject(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """The network gives no PDN connection (6.5.1.4); its APN is left alone for a while (6.5.1.4.3)."""
    cause = message["esm_cause"]
    emm.observe("esm_cause", cause)
    asked = transactions.answered(emm, message)
    if asked is None:
        return
    seconds = message.get("back_off_timer", Timer.T3396.seconds if cause in BACKED_OFF else 0.0)
    apn = asked.get("access_point_name", "")
    if seconds and apn and emm.honours_rejects:
        emm.resting_apns[apn.lower()] = emm.site.clock.now() + seconds
    transactions.tell(emm, asked, "rejected")


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
    if emm.drop_dedicated(identity):
        transactions.end(emm, message, "accepted")
        emm.send(Message(MessageType.DEACTIVATE_EPS_BEARER_CONTEXT_ACCEPT, eps_bearer_identity=identity))
        return
    bearer, asked = emm.drop_bearer(identity), transactions.answered(emm, message)
    if bearer is None:
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
    if asked is not None:
        transactions.tell(emm, asked, "accepted")
    if emm.bearers:
        if message["esm_cause"] == EsmCause.REACTIVATION_REQUESTED and emm.asked is None:
            start_connection(emm, bearer.apn)  # 6.4.4.3
    else:
        emm.enter(EmmState.DEREGISTERED)
        emm.observe("attach", "detached")
        if message["esm_cause"] == EsmCause.REACTIVATION_REQUESTED:
            emm.pending = Procedure.ATTACH
        elif message.get("back_off_timer"):
            emm.start(Timer.T3396, message["back_off_timer"])


def on_status(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """An ESM STATUS is worth a line."""
    emm.observe("esm_cause", message["esm_cause"])
