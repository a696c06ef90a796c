"""The messages of the radio, by their names in TS 36.331 (and cell-search and camp, which stand for listening)."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeVar, dataclass_transform

from simwarden.model import values as v
from simwarden.wire.uu.fields import (
    CELL,
    ECGI,
    FLAG,
    IMSI,
    OCTETS,
    PLMN,
    REST,
    TAI,
    U8,
    U16,
    U32,
    Record,
    choice,
    coded,
    declared,
    enum,
    number,
    optional,
    record,
    sequence_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.model.identity import Ecgi, Plmn, Tai


class FrameType(IntEnum):
    """The first octet of a frame."""

    CELL_SEARCH = 0x01
    SYSTEM_INFORMATION = 0x02
    CAMP = 0x03
    PAGING = 0x04
    RRC_CONNECTION_REQUEST = 0x10
    RRC_CONNECTION_SETUP = 0x11
    RRC_CONNECTION_REJECT = 0x12
    RRC_CONNECTION_SETUP_COMPLETE = 0x13
    RRC_CONNECTION_RELEASE = 0x14
    UL_INFORMATION_TRANSFER = 0x20
    DL_INFORMATION_TRANSFER = 0x21
    SECURITY_MODE_COMMAND = 0x22
    SECURITY_MODE_COMPLETE = 0x23
    SECURITY_MODE_FAILURE = 0x24
    RRC_CONNECTION_RECONFIGURATION = 0x30
    RRC_CONNECTION_RECONFIGURATION_COMPLETE = 0x31
    MEASUREMENT_REPORT = 0x32
    USER_DATA = 0x40


class EstablishmentCause(IntEnum):
    """Why a device asks for a connection (TS 36.331 EstablishmentCause); S1AP's enumeration has the same numbers."""

    EMERGENCY = 0
    HIGH_PRIORITY_ACCESS = 1
    MT_ACCESS = 2
    MO_SIGNALLING = 3
    MO_DATA = 4
    DELAY_TOLERANT_ACCESS = 5
    MO_VOICE_CALL = 6


class ReleaseCause(IntEnum):
    """Why a connection is released (TS 36.331 ReleaseCause)."""

    LOAD_BALANCING_TAU_REQUIRED = 0
    OTHER = 1
    CS_FALLBACK_HIGH_PRIORITY = 2


class CnDomain(IntEnum):
    """For which domain a device is paged (TS 36.331 cn-Domain)."""

    PS = 0
    CS = 1


@declared
class CellInformation(Record):
    """What a cell broadcasts (MIB, SIB1, SIB2): who it is and who is barred from it."""

    cell: Ecgi = coded(ECGI)
    tai: Tai = coded(TAI)
    cell_barred: bool = coded(FLAG, default=False)
    ac_barring_for_emergency: bool = coded(FLAG, default=False)
    ac_barring_for_mo_signalling: bool = coded(FLAG, default=False)
    ac_barring_for_mo_data: bool = coded(FLAG, default=False)
    ims_emergency_support: bool = coded(FLAG, default=True)
    q_rx_lev_min: int = coded(U8, default=70)  # minus dBm


@declared
class STmsi(Record):
    """A device's temporary identity in its pool of MMEs (TS 36.331 S-TMSI)."""

    mmec: int = coded(U8)
    m_tmsi: int = coded(U32)


@declared
class RandomValue(Record):
    """40 random bits: who asks without having an S-TMSI for this tracking area."""

    value: int = coded(number(5))


@declared
class RegisteredMme(Record):
    """The MME that a device is registered with (TS 36.331 RegisteredMME)."""

    plmn: Plmn = coded(PLMN)
    mmegi: int = coded(U16)
    mmec: int = coded(U8)


@declared
class MobilityControlInfo(Record):
    """The handover in a reconfiguration: go to `target`, and be `new_ue_identity` (the C-RNTI) there."""

    target: Ecgi = coded(ECGI)
    new_ue_identity: int = coded(U16)
    next_hop_chaining_count: int = coded(number(1, 7), default=0)


@declared
class MeasuredCell(Record):
    """A neighbour that a device hears; `rsrp` in minus dBm, and its tracking area if the device has read it there."""

    cell: Ecgi = coded(ECGI)
    rsrp: int = coded(U8, default=90)
    tai: Tai | None = coded(optional(TAI), default=None)


class Message(Record):
    """Base of all messages on the radio."""

    __slots__ = ()
    type: ClassVar[FrameType]
    name: ClassVar[str]


MESSAGES: dict[int, type[Message]] = {}
M = TypeVar("M", bound=Message)


@dataclass_transform(field_specifiers=(coded,))
def message(number: FrameType) -> Callable[[type[M]], type[M]]:
    """Declare a message: its codecs, its number and its name."""

    def register(cls: type[M]) -> type[M]:
        made = declared(cls, frozen=False)
        made.type, made.name = number, number.name.lower().replace("_", "-")
        MESSAGES[number] = made
        return made

    return register


@message(FrameType.CELL_SEARCH)
class CellSearch(Message):
    """The device listens for cells. Answered with SystemInformation."""


@message(FrameType.SYSTEM_INFORMATION)
class SystemInformation(Message):
    """What the cells of an eNB broadcast; sent on search, and again when it changes."""

    cells: tuple[CellInformation, ...] = coded(sequence_of(record(CellInformation)))


@message(FrameType.CAMP)
class Camp(Message):
    """The device listens in this cell, at the paging occasions of `ue_identity_index` (IMSI mod 1024; 0 without)."""

    cell_identity: int = coded(CELL)
    ue_identity_index: int = coded(number(2, 1023), default=0)


@message(FrameType.PAGING)
class Paging(Message):
    """The network looks for these devices: S-TMSIs, or IMSIs as digits (TS 36.331 Paging)."""

    ue_identities: tuple[STmsi | Annotated[str, v.IMSI], ...] = coded(sequence_of(choice(STmsi, IMSI)))
    cn_domain: CnDomain = coded(enum(CnDomain), default=CnDomain.PS)


@message(FrameType.RRC_CONNECTION_REQUEST)
class RrcConnectionRequest(Message):
    """A device asks for a connection in a cell."""

    cell_identity: int = coded(CELL)
    ue_identity: STmsi | RandomValue = coded(choice(STmsi, record(RandomValue)))
    establishment_cause: EstablishmentCause = coded(enum(EstablishmentCause))


@message(FrameType.RRC_CONNECTION_SETUP)
class RrcConnectionSetup(Message):
    """The connection is given; `c_rnti` names the device in the cell."""

    c_rnti: int = coded(U16)


@message(FrameType.RRC_CONNECTION_REJECT)
class RrcConnectionReject(Message):
    """No connection for `wait_time` seconds (T302, 1 to 16), or for a delay-tolerant device `extended_wait_time`."""

    wait_time: int = coded(U8)
    extended_wait_time: int | None = coded(optional(U16), default=None)


@message(FrameType.RRC_CONNECTION_SETUP_COMPLETE)
class RrcConnectionSetupComplete(Message):
    """The connection stands; carries the first NAS message and which network and MME it is for."""

    selected_plmn: Plmn = coded(PLMN)
    dedicated_info_nas: bytes = coded(OCTETS)
    registered_mme: RegisteredMme | None = coded(optional(record(RegisteredMme)), default=None)


@message(FrameType.RRC_CONNECTION_RELEASE)
class RrcConnectionRelease(Message):
    """The device is idle again; `extended_wait_time` (seconds) keeps a delay-tolerant one away."""

    release_cause: ReleaseCause = coded(enum(ReleaseCause), default=ReleaseCause.OTHER)
    extended_wait_time: int | None = coded(optional(U16), default=None)


@message(FrameType.UL_INFORMATION_TRANSFER)
class UlInformationTransfer(Message):
    """A NAS message to the network."""

    dedicated_info_nas: bytes = coded(OCTETS)


@message(FrameType.DL_INFORMATION_TRANSFER)
class DlInformationTransfer(Message):
    """A NAS message to the device."""

    dedicated_info_nas: bytes = coded(OCTETS)


@message(FrameType.SECURITY_MODE_COMMAND)
class SecurityModeCommand(Message):
    """AS security is on from here, with these algorithms (0 to 3: EEA and EIA numbers of TS 33.401)."""

    ciphering_algorithm: int = coded(number(1, 7))
    integrity_prot_algorithm: int = coded(number(1, 7))


@message(FrameType.SECURITY_MODE_COMPLETE)
class SecurityModeComplete(Message):
    """The device has AS security on."""


@message(FrameType.SECURITY_MODE_FAILURE)
class SecurityModeFailure(Message):
    """The device cannot turn AS security on as commanded."""


@message(FrameType.RRC_CONNECTION_RECONFIGURATION)
class RrcConnectionReconfiguration(Message):
    """Bearers (EPS bearer identities) added and released, NAS messages, or a handover command."""

    drb_to_add: tuple[int, ...] = coded(sequence_of(number(1, 15)), default=())
    drb_to_release: tuple[int, ...] = coded(sequence_of(number(1, 15)), default=())
    dedicated_info_nas: tuple[bytes, ...] = coded(sequence_of(OCTETS), default=())
    mobility_control_info: MobilityControlInfo | None = coded(optional(record(MobilityControlInfo)), default=None)


@message(FrameType.RRC_CONNECTION_RECONFIGURATION_COMPLETE)
class RrcConnectionReconfigurationComplete(Message):
    """Done; after a handover sent in the target cell, with the C-RNTI that the command gave."""

    c_rnti: int | None = coded(optional(U16), default=None)


@message(FrameType.MEASUREMENT_REPORT)
class MeasurementReport(Message):
    """Neighbours that the device hears better than its own cell, best first."""

    cells: tuple[MeasuredCell, ...] = coded(sequence_of(record(MeasuredCell)))


@message(FrameType.USER_DATA)
class UserData(Message):
    """An IP packet on the bearer `eps_bearer_identity` (5 to 15)."""

    eps_bearer_identity: int = coded(number(1, 15))
    packet: bytes = coded(REST)
