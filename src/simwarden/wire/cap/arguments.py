"""Arguments and results of the operations of CAP that calls need (TS 29.078 6.1, 7.1), by the specification's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.wire import ber
from simwarden.wire.asn1 import (
    ADDRESS,
    CAUSE,
    DIGITS,
    FLAG,
    GENERIC_NUMBER,
    IMEI,
    IMSI,
    NUMBER,
    NUMBER_STRING,
    OCTET,
    OCTETS,
    SWITCH,
    Form,
    Kind,
    Record,
    bits,
    enumerated,
    list_of,
    needed,
    part,
    record_of,
)
from simwarden.wire.cap.enums import ErrorTreatment, EventMode, EventType, MonitorMode

if TYPE_CHECKING:
    from simwarden.wire.isup import GenericNumber, Number
    from simwarden.wire.q850 import Cause
    from simwarden.wire.tbcd import AddressString

LEG_1: Final = 1
"""The calling party's side of a call."""
LEG_2: Final = 2
"""The called party's."""
LONGEST_CALL: Final = 864_000
"""maxCallPeriodDuration in units of 100 ms: a day (TS 29.078 5.1)."""


class Leg(Record, form=Form.CHOICE):
    """A party of a call: whose side sends what is said, or gets it."""

    sending_side: int | None = part("sendingSideID", OCTET)
    receiving_side: int | None = part("receivingSideID", OCTET)


class BasicService(Record, form=Form.CHOICE):
    """The service of a call, by MAP's codes (TS 29.002 17.7.9, 17.7.10); telephony is teleservice 11."""

    bearer_service: bytes | None = part("ext-BearerService", OCTETS)
    teleservice: bytes | None = part("ext-Teleservice", OCTETS)


class Cell(Record, form=Form.CHOICE):
    """Where a subscriber is: a cell or service area (7 octets), or a location area (5)."""

    cell_global_id: bytes | None = part("cellGlobalIdOrServiceAreaIdFixedLength", OCTETS)
    location_area: bytes | None = part("laiFixedLength", OCTETS)


class Location(Record):
    """What the VLR knows of where a subscriber is; `age` in minutes."""

    age: int | None = part("ageOfLocationInformation", NUMBER)
    vlr_number: AddressString | None = part("vlr-number", ADDRESS)
    location_number: Number | None = part("locationNumber", NUMBER_STRING)
    cell: Cell | None = part("cellGlobalIdOrServiceAreaIdOrLAI", record_of(Cell))
    msc_number: AddressString | None = part("msc-Number", ADDRESS)


class BearerCapability(Record, form=Form.CHOICE):
    """What a call carries (Q.763 3.57)."""

    bearer_cap: bytes | None = part("bearerCap", OCTETS)


class InitialDpExtension(Record):
    """What later phases add to an InitialDP."""

    gmsc_address: AddressString | None = part("gmscAddress", ADDRESS)
    forwarding_destination_number: Number | None = part("forwardingDestinationNumber", NUMBER_STRING)
    imei: str | None = part("iMEI", IMEI)
    supported_camel_phases: tuple[int, ...] | None = part("supportedCamelPhases", bits(4, first=1))


class InitialDP(Record):
    """A call is at a trigger detection point, and waits for orders (TS 29.078 11.18)."""

    service_key: int = needed("serviceKey", NUMBER)
    called_party_number: Number | None = part("calledPartyNumber", NUMBER_STRING)
    calling_party_number: Number | None = part("callingPartyNumber", NUMBER_STRING)
    calling_partys_category: int | None = part("callingPartysCategory", OCTET)
    ipssp_capabilities: bytes | None = part("iPSSPCapabilities", OCTETS)
    location_number: Number | None = part("locationNumber", NUMBER_STRING)
    original_called_party_id: Number | None = part("originalCalledPartyID", NUMBER_STRING)
    additional_calling_party_number: GenericNumber | None = part("additionalCallingPartyNumber", GENERIC_NUMBER)
    bearer_capability: BearerCapability | None = part("bearerCapability", record_of(BearerCapability))
    event_type_bcsm: EventType | None = part("eventTypeBCSM", enumerated(EventType))
    redirecting_party_id: Number | None = part("redirectingPartyID", NUMBER_STRING)
    redirection_information: bytes | None = part("redirectionInformation", OCTETS)
    cause: Cause | None = part("cause", CAUSE)
    imsi: str | None = part("iMSI", IMSI)
    location_information: Location | None = part("locationInformation", record_of(Location))
    basic_service: BasicService | None = part("ext-basicServiceCode", record_of(BasicService))
    call_reference_number: bytes | None = part("callReferenceNumber", OCTETS)
    msc_address: AddressString | None = part("mscAddress", ADDRESS)
    called_party_bcd_number: AddressString | None = part("calledPartyBCDNumber", ADDRESS)
    time_and_timezone: bytes | None = part("timeAndTimezone", OCTETS)
    call_forwarding_pending: bool = part("callForwardingSS-Pending", FLAG, default=False)
    extension: InitialDpExtension | None = part("initialDPArgExtension", record_of(InitialDpExtension))


class Criteria(Record, form=Form.CHOICE):
    """When an event counts: `application_timer` is the no-answer time in seconds."""

    application_timer: int | None = part("applicationTimer", NUMBER)


class BcsmEvent(Record):
    """An event to be armed; without a leg the one that it belongs to by its side of the call."""

    event_type_bcsm: EventType = needed("eventTypeBCSM", enumerated(EventType))
    monitor_mode: MonitorMode = needed("monitorMode", enumerated(MonitorMode))
    leg: Leg | None = part("legID", record_of(Leg))
    criteria: Criteria | None = part("dpSpecificCriteria", record_of(Criteria))


class RequestReportBCSMEvent(Record):
    """Tell of these events (TS 29.078 11.23)."""

    events: tuple[BcsmEvent, ...] = needed("bcsmEvents", list_of(record_of(BcsmEvent)))


class FailureInfo(Record):
    """Why a route could not be selected."""

    cause: Cause | None = part("failureCause", CAUSE)


class BusyInfo(Record):
    """Why a party is busy, and whether the call is forwarded."""

    cause: Cause | None = part("busyCause", CAUSE)


class DisconnectInfo(Record):
    """Why a call ended."""

    cause: Cause | None = part("releaseCause", CAUSE)


class AnswerInfo(Record):
    """Who answered."""

    destination_address: Number | None = part("destinationAddress", NUMBER_STRING)
    forwarded_call: bool = part("forwardedCall", FLAG, default=False)


class EventInfo(Record, form=Form.CHOICE):
    """What there is to tell of an event."""

    route_select_failure: FailureInfo | None = part("routeSelectFailureSpecificInfo", record_of(FailureInfo))
    o_called_party_busy: BusyInfo | None = part("oCalledPartyBusySpecificInfo", record_of(BusyInfo))
    o_answer: AnswerInfo | None = part("oAnswerSpecificInfo", record_of(AnswerInfo))
    o_disconnect: DisconnectInfo | None = part("oDisconnectSpecificInfo", record_of(DisconnectInfo))
    t_busy: BusyInfo | None = part("tBusySpecificInfo", record_of(BusyInfo))
    t_answer: AnswerInfo | None = part("tAnswerSpecificInfo", record_of(AnswerInfo))
    t_disconnect: DisconnectInfo | None = part("tDisconnectSpecificInfo", record_of(DisconnectInfo))


def _take_event(value: Any) -> EventInfo | None:
    """Read what is told of an event; what nobody here needs to know is nothing."""
    known = {"routeSelect", "oCalledParty", "oAnswer", "oDisconnect", "tBusy", "tAnswer", "tDisconnect"}
    kind = record_of(EventInfo)
    return kind.take(value) if value[0].startswith(tuple(known)) else None


_EVENT_INFO: Final = record_of(EventInfo)._replace(take=_take_event)


class Misc(Record):
    """Whether the event waits for orders."""

    mode: EventMode = needed("messageType", enumerated(EventMode))


class EventReportBCSM(Record):
    """An armed event has come (TS 29.078 11.12)."""

    event_type_bcsm: EventType = needed("eventTypeBCSM", enumerated(EventType))
    information: EventInfo | None = part("eventSpecificInformationBCSM", _EVENT_INFO)
    leg: Leg | None = part("legID", record_of(Leg))
    misc_call_info: Misc = part("miscCallInfo", record_of(Misc), default=Misc(EventMode.REQUEST))


class Connect(Record):
    """Route the call to this number (TS 29.078 11.9)."""

    destination_routing_address: tuple[Number, ...] = needed("destinationRoutingAddress", list_of(NUMBER_STRING))
    original_called_party_id: Number | None = part("originalCalledPartyID", NUMBER_STRING)
    calling_partys_category: int | None = part("callingPartysCategory", OCTET)
    redirecting_party_id: Number | None = part("redirectingPartyID", NUMBER_STRING)
    redirection_information: bytes | None = part("redirectionInformation", OCTETS)
    generic_numbers: tuple[GenericNumber, ...] | None = part("genericNumbers", list_of(GENERIC_NUMBER))
    suppression_of_announcement: bool = part("suppressionOfAnnouncement", FLAG, default=False)
    o_csi_applicable: bool = part("oCSIApplicable", FLAG, default=False)


class ContinueWithArgument(Record):
    """Go on as the call would, with this changed (TS 29.078 11.11; from phase 3)."""

    calling_partys_category: int | None = part("callingPartysCategory", OCTET)
    generic_numbers: tuple[GenericNumber, ...] | None = part("genericNumbers", list_of(GENERIC_NUMBER))
    suppression_of_announcement: bool = part("suppressionOfAnnouncement", FLAG, default=False)


class ReleaseCall(Record, form=Form.CHOICE):
    """End the call, or do not set it up (TS 29.078 11.22)."""

    cause: Cause | None = part("allCallSegments", CAUSE)


# -- charging: octet strings that hold elements of their own


class TimeCharging(NamedTuple):
    """How long a call may last from its answer, in units of 100 ms (1 to 864,000), and whether it ends then.

    Phase 2 says the latter by a SEQUENCE (ReleaseIfDurationExceeded), later ones by a BOOLEAN.
    """

    max_call_period_duration: int
    release_if_duration_exceeded: bool = False
    by_sequence: bool = False


def _take_charging(octets: bytes) -> TimeCharging:
    found = {each.tag: each.value for each in ber.elements(_only(octets, 0xA0))}
    limit = ber.take_integer(found.get(0x80, b""))
    if not 1 <= limit <= LONGEST_CALL:
        raise PeerError(f"maxCallPeriodDuration {limit}")
    return TimeCharging(limit, 0xA1 in found or found.get(0x81, b"\0") != b"\0", by_sequence=0xA1 in found)


def _put_charging(value: TimeCharging) -> bytes:
    limit, release, by_sequence = value
    if not 1 <= limit <= LONGEST_CALL:
        raise ValueError(f"a call of {limit} times 100 ms")
    ends = ber.put(0xA1, b"") if by_sequence else ber.put(0x81, b"\xff")
    return ber.put(0xA0, ber.put_integer(limit, 0x80) + (ends if release else b""))


def _only(octets: bytes, tag: int) -> bytes:
    found = ber.only(octets)
    if found.tag != tag:
        raise PeerError(f"an element {found.tag:#04x}, not {tag:#04x}")
    return found.value


_CHARGING_FIELDS: Final = {"max_call_period_duration": v.NUMBER} | dict.fromkeys(
    ("release_if_duration_exceeded", "by_sequence"), v.SWITCH
)
_CHARGING: Final = Kind(_take_charging, _put_charging, v.mapping(lambda: _CHARGING_FIELDS), TimeCharging._asdict)


class SendingSide(Record, form=Form.CHOICE):
    """Whose side pays."""

    sending_side: int = part("sendingSideID", OCTET)


class ApplyCharging(Record):
    """Let the call last so long (TS 29.078 11.1), and tell how long it was."""

    time_duration_charging: TimeCharging = needed("aChBillingChargingCharacteristics", _CHARGING)
    party_to_charge: SendingSide = part("partyToCharge", record_of(SendingSide), default=SendingSide(LEG_1))


class CallResult(NamedTuple):
    """How long a call has lasted on a leg's account, in units of 100 ms, and whether it still does."""

    party_to_charge: int
    time: int
    leg_active: bool = True
    released_at_expiry: bool = False


def _take_result(octets: bytes) -> CallResult:
    found = {each.tag: each.value for each in ber.elements(_only(octets, 0xA0))}
    side = _only(found.get(0xA0, b""), 0x81)
    time = ber.only(found.get(0xA1, b""))
    if len(side) != 1 or time.tag != 0x80:
        raise PeerError("a call result without a leg, or by a tariff that was switched")
    return CallResult(side[0], ber.take_integer(time.value), found.get(0x82, b"\xff") != b"\0", 0x83 in found)


def _put_result(result: CallResult) -> bytes:
    out = ber.put(0xA0, ber.put(0x81, bytes((result.party_to_charge,))))
    out += ber.put(0xA1, ber.put_integer(result.time, 0x80))
    out += b"" if result.leg_active else ber.put(0x82, b"\0")
    return ber.put(0xA0, out + (ber.put(0x83, b"") if result.released_at_expiry else b""))


_RESULT_FIELDS: Final = {"party_to_charge": v.NUMBER, "time": v.NUMBER} | dict.fromkeys(
    ("leg_active", "released_at_expiry"), v.SWITCH
)
_RESULT: Final = Kind(_take_result, _put_result, v.mapping(lambda: _RESULT_FIELDS), CallResult._asdict)


class ApplyChargingReport(Record, form=Form.VALUE):
    """What ApplyCharging asked for (TS 29.078 11.2): a CAMEL-CallResult in an octet string."""

    result: CallResult = needed("callResult", _RESULT)


# -- special resources


class Resource(Record, form=Form.CHOICE):
    """Where the special resources are: in the SSP itself (`none`), or elsewhere."""

    ip_routing_address: Number | None = part("ipRoutingAddress", NUMBER_STRING)
    none: bool = part("none", FLAG, default=False)


class ConnectToResource(Record):
    """Connect the party to special resources (TS 29.078 11.10)."""

    resource_address: Resource = needed("resourceAddress", record_of(Resource))


class MessageId(Record, form=Form.CHOICE):
    """Which announcement."""

    elementary_message_id: int | None = part("elementaryMessageID", NUMBER)
    elementary_message_ids: tuple[int, ...] | None = part("elementaryMessageIDs", list_of(NUMBER))


class InbandInfo(Record):
    """An announcement, how often it is played, and for how long together (seconds, 0: as long as it takes)."""

    message: MessageId = needed("messageID", record_of(MessageId))
    number_of_repetitions: int | None = part("numberOfRepetitions", NUMBER)
    duration: int | None = part("duration", NUMBER)
    interval: int | None = part("interval", NUMBER)


class Tone(Record):
    """A tone, and for how many seconds."""

    tone_id: int = needed("toneID", NUMBER)
    duration: int | None = part("duration", NUMBER)


class Information(Record, form=Form.CHOICE):
    """What a party hears."""

    inband_info: InbandInfo | None = part("inbandInfo", record_of(InbandInfo))
    tone: Tone | None = part("tone", record_of(Tone))


class PlayAnnouncement(Record):
    """Play this (TS 29.078 7.1, 11.20); both switches are true unless they are said."""

    information: Information = needed("informationToSend", record_of(Information))
    disconnect_from_ip_forbidden: bool = part("disconnectFromIPForbidden", SWITCH, default=True)
    request_announcement_complete: bool = part("requestAnnouncementCompleteNotification", SWITCH, default=True)


class CollectedDigits(Record):
    """Which digits are waited for, and how long (seconds); `end_of_reply_digit` is a code: 0x0c is #."""

    maximum: int = needed("maximumNbOfDigits", NUMBER)
    minimum: int = part("minimumNbOfDigits", NUMBER, default=1)
    end_of_reply_digit: bytes | None = part("endOfReplyDigit", OCTETS)
    cancel_digit: bytes | None = part("cancelDigit", OCTETS)
    start_digit: bytes | None = part("startDigit", OCTETS)
    first_digit_timeout: int | None = part("firstDigitTimeOut", NUMBER)
    inter_digit_timeout: int | None = part("interDigitTimeOut", NUMBER)
    error_treatment: ErrorTreatment = part(
        "errorTreatment", enumerated(ErrorTreatment), default=ErrorTreatment.STD_ERROR_AND_INFO
    )
    interruptable_announcement: bool = part("interruptableAnnInd", SWITCH, default=True)


class CollectedInfo(Record, form=Form.CHOICE):
    """What is collected."""

    digits: CollectedDigits = needed("collectedDigits", record_of(CollectedDigits))


class PromptAndCollectUserInformation(Record):
    """Play this, and tell what is dialled (TS 29.078 7.1, 11.21)."""

    collected_info: CollectedInfo = needed("collectedInfo", record_of(CollectedInfo))
    disconnect_from_ip_forbidden: bool = part("disconnectFromIPForbidden", SWITCH, default=True)
    information: Information | None = part("informationToSend", record_of(Information))


class ReceivedInformation(Record, form=Form.CHOICE):
    """What was dialled: the result of PromptAndCollectUserInformation."""

    digits: str | None = part("digitsResponse", DIGITS)


class SpecializedResourceReport(Record, form=Form.CHOICE):
    """What was played is over (TS 29.078 11.25). In phases before 4 it has no parts, and is NULL."""

    all_announcements_complete: bool = part("allAnnouncementsComplete", FLAG, default=False)
    first_announcement_started: bool = part("firstAnnouncementStarted", FLAG, default=False)


class Cancel(Record, form=Form.CHOICE):
    """Give up an announcement by its invoke id, or disarm all events and reports (TS 29.078 11.7)."""

    invoke_id: int | None = part("invokeID", NUMBER)
    all_requests: bool = part("allRequests", FLAG, default=False)
