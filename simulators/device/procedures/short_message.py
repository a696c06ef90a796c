"""Short messages of a terminal over NAS (TS 24.301 5.6.3, TS 24.011, TS 23.040): what it sends, and what it takes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from simulators.device.procedures import service_request
from simulators.device.state import Procedure
from simwarden.errors import PeerError
from simwarden.machine.ppsms import TEMPORARY, acknowledge, refuse
from simwarden.runtime.ppsms import ShortMessageLink
from simwarden.wire import sms
from simwarden.wire.nas import Message, MessageType
from simwarden.wire.ppsms import CpCause, Rp, RpCause, RpType
from simwarden.wire.sms.reading import named

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.device.contexts import Emm
    from simwarden.machine.ppsms import Answered

#: TP-PID of SIM data download (TS 23.040 9.2.3.9), which class 2 messages alone have (TS 31.111 7.1.1)
_DATA_DOWNLOAD, _SIM_CLASS, _FLASH_CLASS = 0x7F, 2, 0
#: TP-DCS of 8 bit data (TS 23.038 4)
_OCTETS = 4
_LARGEST_SEPTET = 0x7F


class Outgoing(NamedTuple):
    """A message to be sent: to whom, what it says, and how.

    `data_coding` is -1 where it follows from the text; of octets it is then 8 bit data. `validity` is in seconds, 0 for
    none.
    """

    destination: sms.Address
    text: str = ""
    octets: bytes = b""
    header: bytes = b""
    data_coding: int = -1
    protocol_identifier: int = 0
    status_report: bool = False
    reply_path: bool = False
    validity: float = 0.0


class Sent(NamedTuple):
    """How a message ended: `accepted`, `refused` (with the RP cause, if it was RP that refused), or what held it."""

    word: str
    rp_cause: int = 0


def on_transport(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """DOWNLINK NAS TRANSPORT: a CP message."""
    link(emm).receive(message["nas_message_container"])


def link(emm: Emm) -> ShortMessageLink:
    """Return CP and RP of this terminal, which begin when they are needed."""
    if emm.short_messages is None:
        emm.short_messages = ShortMessageLink(
            emm.site.clock,
            mobile=True,
            send=lambda octets: _send(emm, octets),
            take=lambda transaction, message: _take(emm, transaction, message),
            fault=emm.radio.fault,
        )
    return emm.short_messages


def _send(emm: Emm, octets: bytes) -> None:
    if emm.wired:
        emm.send(Message(MessageType.UPLINK_NAS_TRANSPORT, nas_message_container=octets))


# -- what it sends


async def send(emm: Emm, message: Outgoing, centre: str) -> str:
    """Send a message, in parts if it is long; return `accepted`, `refused`, or what held it back."""
    return (await send_submits(emm, _submits(emm, message), centre)).word


async def send_submits(emm: Emm, submits: list[sms.Submit], centre: str) -> Sent:
    """Send the parts of a message, one after the other, until one is not taken."""
    emm.observe("send_sms", "started")
    sent = await _send_parts(emm, submits, centre)
    emm.observe("send_sms", sent.word)
    return sent


async def _send_parts(emm: Emm, submits: list[sms.Submit], centre: str) -> Sent:
    # a rogue asks nobody whether it is registered for that, nor does one that took somebody's registration up
    careful = emm.honours_rejects and emm.config.resumes == "no"
    if not emm.state.registered or (careful and not emm.sms_registered):
        return Sent("not-registered")
    for name in ("rp_cause", "cp_cause", "tp_failure_cause"):
        emm.observe(name, None)
    for submit in submits:
        sent = await _transfer(emm, partial(_data, centre, submit))
        if sent.word != "accepted":
            return sent
    return Sent("accepted")


async def _transfer(emm: Emm, make: Callable[[int], Rp]) -> Sent:
    """Have an RP message, made with its reference, transferred and answered, by a service request where one is due."""
    if not emm.wired:
        word = await emm.run(Procedure.SERVICE_REQUEST, service_request.start)
        if word != "accepted":
            return Sent(word)
    heard = await link(emm).ask(make)
    return Sent(_outcome(emm, heard), heard.answer.cause if heard.answer is not None else 0)


def _data(centre: str, submit: sms.Submit, reference: int) -> Rp:
    destination = sms.Address.parse(centre)
    return Rp(RpType.RP_DATA, reference, from_mobile=True, destination=destination, user_data=sms.encode(submit))


def user_data_of(message: Outgoing, reference: int = 0) -> tuple[int, list[sms.UserData]]:
    """Return a message's data coding scheme and user data: one, or the parts of a concatenated one.

    See TS 23.040 9.2.3.24.1. `reference` is that of the parts. Raises ValueError for what the scheme cannot hold, and
    PeerError for a header that is none.
    """
    scheme = message.data_coding
    if scheme < 0:
        scheme = _OCTETS if message.octets else sms.scheme_for(message.text)
    octets = message.octets or sms.octets_for(message.text, scheme)
    if sms.coding_of(scheme).alphabet is sms.Alphabet.GSM_7_BIT and max(octets, default=0) > _LARGEST_SEPTET:
        raise ValueError(
            f"octets above {_LARGEST_SEPTET:02x} do not fit into the 7 bit alphabet of data coding {scheme}"
        )
    header = sms.split_header(message.header)[0] if message.header else ()
    parts = sms.parts_of(octets, scheme, len(message.header))
    if len(parts) == 1:
        return scheme, [sms.UserData(octets, header)]
    room = len(sms.encode_header([*header, sms.Concatenation(reference, 1, 1).element]))
    parts = sms.parts_of(octets, scheme, room)
    elements = [sms.Concatenation(reference, len(parts), number).element for number in range(1, len(parts) + 1)]
    return scheme, [sms.UserData(part, (*header, element)) for part, element in zip(parts, elements, strict=True)]


def _submits(emm: Emm, message: Outgoing) -> list[sms.Submit]:
    scheme, parts = user_data_of(message, emm.sms_long % 255 + 1)
    if len(parts) > 1:
        emm.sms_long = emm.sms_long % 255 + 1
    return [_submit(emm, message, scheme, part) for part in parts]


def next_reference(emm: Emm) -> int:
    """Return the reference of the next message (TP-MR, TS 23.040 9.2.3.6)."""
    emm.sms_reference = (emm.sms_reference + 1) % 256
    return emm.sms_reference


def _submit(emm: Emm, message: Outgoing, scheme: int, data: sms.UserData) -> sms.Submit:
    return sms.Submit(
        reference=next_reference(emm),
        destination=message.destination,
        protocol_identifier=message.protocol_identifier,
        data_coding_scheme=scheme,
        user_data=data,
        status_report_request=message.status_report,
        reply_path=message.reply_path,
        validity=sms.Validity.relative(message.validity) if message.validity else None,
    )


def _outcome(emm: Emm, heard: Answered) -> str:
    answer = heard.answer
    if answer is None:
        if heard.cp_cause:
            emm.observe("cp_cause", named(CpCause, heard.cp_cause))
            return "refused"
        return "no-answer"
    if answer.type is RpType.RP_ACK:
        return "accepted"
    emm.observe("rp_cause", named(RpCause, answer.cause))
    if answer.user_data is not None:
        try:
            report = sms.decode(answer.user_data, from_mobile=False)
        except PeerError as error:
            emm.radio.fault(error.reason, answer.user_data)
        else:
            if isinstance(report, sms.SubmitReport) and report.failure_cause is not None:
                emm.observe("tp_failure_cause", named(sms.FailureCause, report.failure_cause))
    return "refused"


async def tell_room(emm: Emm) -> str:
    """RP-SMMA (TS 24.011 6.3.2): say that there is room again, after a message that found none.

    Where the network does not answer, or cannot for now, it is said once more after TRAM (6.3.3).
    """
    sent = await _say_room(emm)
    again = sent.word == "no-answer" or (sent.word == "refused" and (not sent.rp_cause or sent.rp_cause in TEMPORARY))
    if again:
        await emm.site.clock.sleep(link(emm).entity.timers.tram)
        sent = await _say_room(emm)
    return sent.word


async def _say_room(emm: Emm) -> Sent:
    if not emm.powered or not emm.state.registered:
        return Sent("not-registered")
    return await _transfer(emm, lambda reference: Rp(RpType.RP_SMMA, reference, from_mobile=True))


# -- what it takes


def _take(emm: Emm, transaction: int, message: Rp) -> None:
    """Take a message, or say why not: by RP cause and DELIVER REPORT."""
    emm.site.spawn(_receive(emm, transaction, message), "a short message")


async def _receive(emm: Emm, transaction: int, message: Rp) -> None:
    octets = message.user_data or b""
    try:
        tpdu = sms.decode(octets, from_mobile=False)
    except PeerError as error:
        emm.radio.fault(error.reason, octets)
        link(emm).answer(
            transaction,
            refuse(message, RpCause.PROTOCOL_ERROR_UNSPECIFIED, _report(sms.FailureCause.TPDU_NOT_SUPPORTED)),
        )
        return
    failure: sms.FailureCause | None = None
    if isinstance(tpdu, sms.StatusReport):
        told = {"reference": tpdu.reference, "recipient": str(tpdu.recipient), "status": named(sms.Status, tpdu.status)}
        emm.site.observe("status_report", told, key=str(tpdu.reference))
    elif isinstance(tpdu, sms.Deliver):
        failure = await _deliver(emm, message, tpdu, octets)
    if failure is None:
        answer = acknowledge(message, _report())
    else:
        full = failure is sms.FailureCause.MEMORY_CAPACITY_EXCEEDED
        cause = RpCause.MEMORY_CAPACITY_EXCEEDED if full else RpCause.PROTOCOL_ERROR_UNSPECIFIED
        answer = refuse(message, cause, _report(failure))
    link(emm).answer(transaction, answer)


def _report(failure: sms.FailureCause | None = None) -> bytes:
    return sms.encode(sms.DeliverReport(failure_cause=failure))


async def _deliver(emm: Emm, message: Rp, tpdu: sms.Deliver, octets: bytes) -> sms.FailureCause | None:
    """Take a message: into the card where it is for that, else into the terminal's memory."""
    kind = sms.coding_of(tpdu.data_coding_scheme).message_class
    if tpdu.protocol_identifier == _DATA_DOWNLOAD and kind == _SIM_CLASS:
        return await _download(emm, message, octets)
    if kind != _FLASH_CLASS and len(emm.messages) >= emm.config.sms_room:
        emm.memory_full = True
        return sms.FailureCause.MEMORY_CAPACITY_EXCEEDED
    part = sms.concatenation_of(tpdu.user_data.header)
    text = tpdu.user_data.text(tpdu.data_coding_scheme)
    if part is not None:
        parts = emm.parts.setdefault((tpdu.originator.number, part.reference, part.total), {})
        parts[part.number] = text
        if len(parts) < part.total:
            return None
        del emm.parts[tpdu.originator.number, part.reference, part.total]
        text = "".join(parts[number] for number in sorted(parts))
    _keep(emm, tpdu, text, kind)
    return None


def _keep(emm: Emm, tpdu: sms.Deliver, text: str, kind: int | None) -> None:
    emm.sms_count += 1
    told = {
        "originator": str(tpdu.originator),
        "text": text,
        "octets": tpdu.user_data.octets if not text else b"",
        "time": tpdu.time_stamp.isoformat(),
        "protocol_identifier": tpdu.protocol_identifier,
        "message_class": kind,
    }
    if kind != _FLASH_CLASS:  # what is displayed at once is not stored (TS 23.038 4)
        emm.messages.append(emm.sms_count)
    emm.site.observe("sms", told, key=str(emm.sms_count))


async def _download(emm: Emm, message: Rp, octets: bytes) -> sms.FailureCause | None:
    """SMS-PP data download (TS 31.111 7.1.1): the card takes the message, or says why not."""
    centre = message.originator or sms.Address()
    if emm.session is None:
        return sms.FailureCause.SIM_DATA_DOWNLOAD_ERROR
    return None if await emm.session.download(centre, octets) else sms.FailureCause.SIM_DATA_DOWNLOAD_ERROR
