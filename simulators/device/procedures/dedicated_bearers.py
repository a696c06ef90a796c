"""Dedicated bearers, and what bearers change to, as the network orders them (TS 24.301 6.4.2, 6.4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.device.contexts import Dedicated
from simulators.device.procedures import transactions
from simwarden.machine.token_bucket import Bucket
from simwarden.wire.nas import EsmCause, Message, MessageType
from simwarden.wire.nas.rates import decode_ambr, decode_rates
from simwarden.wire.tft import Operation, Tft, TftError, decode

if TYPE_CHECKING:
    from simulators.device.contexts import Emm
    from simwarden.wire.nas.elements import EpsQos
    from simwarden.wire.tft import Filter

_T = MessageType
#: two packets of this size pass a rate at once: what GTP leaves of 1500 octets (TS 23.060 annex C)
_MTU: Final = 1358
#: the least identity of a bearer (TS 24.007 11.2.3.1.5)
_FIRST: Final = 5
#: why a well-behaved terminal sends a packet no further (TS 23.401 4.7.3)
_OVER_AMBR: Final = "ambr: above the rate of the APN"
_OVER_MBR: Final = "mbr: above the rate of its bearer"


class _RefusedError(Exception):
    """An order of the network's cannot be carried out; `cause` says why."""

    def __init__(self, cause: EsmCause) -> None:
        super().__init__(cause.name)
        self.cause = cause


def ambr_bucket(emm: Emm, octets: bytes) -> Bucket | None:
    """Return what the APN-AMBR lets pass; one that says nothing, or cannot be read, lets everything pass."""
    try:
        rate = decode_ambr(octets).uplink if octets else 0
    except ValueError as error:
        emm.radio.fault(str(error), octets)
        return None
    return Bucket(rate, _MTU, emm.site.clock.now(), _OVER_AMBR) if rate else None


def _own_bucket(emm: Emm, qos: EpsQos) -> Bucket | None:
    """Return what a bearer with a guaranteed rate lets pass, None for any other."""
    try:
        most = decode_rates(qos.rates).mbr_uplink
    except ValueError:
        raise _RefusedError(EsmCause.EPS_QOS_NOT_ACCEPTED) from None
    return Bucket(most, _MTU, emm.site.clock.now(), _OVER_MBR) if most else None


def on_activate(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """Set a dedicated bearer up (6.4.2.3), or say why not (6.4.2.4)."""
    identity, linked = message["eps_bearer_identity"], message["linked_eps_bearer_identity"]
    try:
        if linked not in emm.bearers or identity in emm.bearers or identity < _FIRST:
            raise _RefusedError(EsmCause.INVALID_EPS_BEARER_IDENTITY)  # noqa: TRY301 - answered as all else
        template = _read(message["tft"])
        if template.operation is not Operation.CREATE:
            raise _RefusedError(EsmCause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION)  # noqa: TRY301 - as above
        qos: EpsQos = message["eps_qos"]
        bearer = Dedicated(linked, qos.qci, template.filters, _own_bucket(emm, qos))
    except _RefusedError as refused:
        transactions.end(emm, message, "rejected")
        _answer(emm, _T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REJECT, identity, refused.cause)
        return
    emm.put_dedicated(identity, bearer)
    transactions.end(emm, message, "accepted")
    _answer(emm, _T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_ACCEPT, identity)
    _give_way(emm, identity, bearer)


def _read(octets: bytes) -> Tft:
    try:
        return decode(octets)
    except TftError as error:
        kinds = {
            (False, False): EsmCause.SYNTACTICAL_ERROR_IN_THE_TFT_OPERATION,
            (False, True): EsmCause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION,
            (True, False): EsmCause.SYNTACTICAL_ERRORS_IN_PACKET_FILTERS,
            (True, True): EsmCause.SEMANTIC_ERRORS_IN_PACKET_FILTERS,
        }
        raise _RefusedError(kinds[error.filters, error.semantic]) from None


def _give_way(emm: Emm, identity: int, changed: Dedicated) -> None:
    """Delete filters of other bearers of the PDN connection that have a precedence of a new one.

    That is case 2 of syntactical errors in packet filters, on which no error is diagnosed (6.4.2.4 d, 6.4.3.4 d). A
    bearer without any is deactivated; the network learns that from the bearers that the next update tells.
    """
    taken = {each.precedence for each in changed.filters}
    for number, bearer in list(emm.dedicated.items()):
        left = tuple(each for each in bearer.filters if each.precedence not in taken)
        if number == identity or bearer.linked != changed.linked or left == bearer.filters:
            continue
        if left:
            emm.put_dedicated(number, bearer._replace(filters=left))
        else:
            emm.drop_dedicated(number)


def on_modify(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """Change a bearer (6.4.3.3), or say why not, and leave it as it is (6.4.3.4)."""
    identity = message["eps_bearer_identity"]
    try:
        _modify(emm, identity, message)
    except _RefusedError as refused:
        transactions.end(emm, message, "rejected")
        _answer(emm, _T.MODIFY_EPS_BEARER_CONTEXT_REJECT, identity, refused.cause)
    else:
        transactions.end(emm, message, "accepted")
        _answer(emm, _T.MODIFY_EPS_BEARER_CONTEXT_ACCEPT, identity)


def _modify(emm: Emm, identity: int, message: Message) -> None:
    held, default = emm.dedicated.get(identity), emm.bearers.get(identity)
    if held is None and default is None:
        raise _RefusedError(EsmCause.INVALID_EPS_BEARER_IDENTITY)
    if held is not None:
        qos: EpsQos | None = message.get("new_eps_qos")
        if qos is not None:
            held = held._replace(qci=qos.qci, uplink=_own_bucket(emm, qos))
        if "tft" in message:
            held = held._replace(filters=_apply(_read(message["tft"]), held.filters))
        emm.put_dedicated(identity, held)
        _give_way(emm, identity, held)
    owner = held.linked if held is not None else identity
    if "apn_ambr" in message:
        emm.bearers[owner] = emm.bearers[owner]._replace(uplink=ambr_bucket(emm, message["apn_ambr"]))


def _apply(template: Tft, held: tuple[Filter, ...]) -> tuple[Filter, ...]:
    """Return the filters that a bearer has by a template; none is no dedicated bearer's (6.4.3.4).

    What is there already is replaced, what is to go and is not there is gone.
    """
    now = {each.identifier: each for each in held}
    given = {each.identifier: each for each in template.filters}
    match template.operation:
        case Operation.NONE:
            pass
        case Operation.CREATE:
            now = given
        case Operation.ADD_FILTERS | Operation.REPLACE_FILTERS:
            now |= given
        case Operation.DELETE_FILTERS:
            now = {number: each for number, each in now.items() if number not in template.deleted}
        case _:
            raise _RefusedError(EsmCause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION)
    if not now:
        raise _RefusedError(EsmCause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION)
    return tuple(now.values())


def _answer(emm: Emm, kind: MessageType, identity: int, cause: EsmCause | None = None) -> None:
    fields = {} if cause is None else {"esm_cause": cause}
    emm.send(Message(kind, eps_bearer_identity=identity, **fields))
