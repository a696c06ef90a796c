"""SCCP without connections at one signalling point, as a machine without I/O (Q.714 chapters 2, 4 and 5).

It routes by point code and subsystem, translates global titles by a table, brings back what cannot be delivered where
that was asked for, and tells of subsystems that come and go. What does not fit into one message goes in segments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from simwarden.errors import PeerError
from simwarden.machine.outputs import Outputs
from simwarden.machine.sccp_segments import Reassembly, segments
from simwarden.machine.timer import Timer
from simwarden.wire.m3ua import ProtocolData, ServiceIndicator
from simwarden.wire.sccp import (
    Address,
    Management,
    ManagementType,
    Message,
    MessageType,
    ReturnCause,
    Subsystem,
    decode,
    decode_management,
    encode,
    encode_management,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_SERVICE: Final = {
    MessageType.UNITDATA: MessageType.UNITDATA_SERVICE,
    MessageType.EXTENDED_UNITDATA: MessageType.EXTENDED_UNITDATA_SERVICE,
}
#: T(stat info): how long until a subsystem that is away is asked for, first and at most (Q.714 5.3.4.2)
_FIRST_TEST, _LAST_TEST = 10.0, 600.0
_NATIONAL: Final = 2


class Translation(NamedTuple):
    """A row of the table of global titles: digits that begin so, of a plan (None: any), go to a point and subsystem.

    Without `ssn` the subsystem is the one that the message names. What is not `final` is translated there again.
    """

    prefix: str
    point_code: int
    ssn: int | None = None
    numbering_plan: int | None = None
    final: bool = True


@dataclass(frozen=True, slots=True)
class Unitdata:
    """Data for a subsystem of this point."""

    called: Address
    calling: Address
    data: bytes


@dataclass(frozen=True, slots=True)
class Returned:
    """Data of a subsystem of this point could not be delivered; the addresses are those that they were sent with."""

    called: Address
    calling: Address
    data: bytes
    cause: int


@dataclass(frozen=True, slots=True)
class SubsystemChanged:
    """A subsystem elsewhere is there, or not."""

    point_code: int
    ssn: int
    allowed: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """What came is no message, or breaks the protocol."""

    reason: str
    data: bytes = b""


Event: TypeAlias = Unitdata | Returned | SubsystemChanged | Fault


@dataclass(slots=True)
class _Away:
    """A subsystem that is away: when it is asked for next, and how long after that."""

    test_at: float
    pause: float


class SccpPoint(Outputs[ProtocolData, Event]):
    """One signalling point. Times are seconds of the owner's clock."""

    def __init__(
        self,
        point_code: int,
        subsystems: Iterable[int],
        translations: Iterable[Translation] = (),
        *,
        network_indicator: int = _NATIONAL,
    ) -> None:
        super().__init__()
        self.point_code, self._network = point_code, network_indicator
        self.subsystems = dict.fromkeys(subsystems, True)
        #: longest prefix first
        self._translations = sorted(translations, key=lambda each: -len(each.prefix))
        self._unreachable: set[int] = set()
        self._away: dict[tuple[int, int], _Away] = {}
        self._reassembly, self._reference, self._now = Reassembly(), 0, 0.0

    # -- what the owner does

    def send(self, called: Address, calling: Address, data: bytes, *, sequence: int | None = None) -> None:
        """Send data of a subsystem of this point; what cannot be delivered comes back as `Returned`.

        Data with the same `sequence` arrive in their order (class 1).
        """
        protocol_class = 0 if sequence is None else 1
        message = Message(MessageType.UNITDATA, called, calling, data, protocol_class, return_on_error=True)
        self._route(message, sequence or 0, origin=None)

    def allow(self, ssn: int, *, allowed: bool, concerned: Iterable[int] = ()) -> None:
        """Bring a subsystem of this point into service, or out of it, and tell the points that are concerned."""
        self.subsystems[ssn] = allowed
        kind = ManagementType.SUBSYSTEM_ALLOWED if allowed else ManagementType.SUBSYSTEM_PROHIBITED
        for each in concerned:
            self._manage(kind, ssn, self.point_code, each)

    def pause(self, point_code: int) -> None:
        """Take note that a point cannot be reached (MTP-PAUSE)."""
        self._unreachable.add(point_code)

    def resume(self, point_code: int) -> None:
        """Take note that a point can be reached again; its subsystems count as there (Q.714 5.2.3)."""
        self._unreachable.discard(point_code)
        for away in [each for each in self._away if each[0] == point_code]:
            self._come(*away)

    def undelivered(self, data: ProtocolData) -> None:
        """Take note that MTP had no way for a message of this point: who sent it is told, if it is of here."""
        message = decode(data.user_data)
        if message.calling.point_code in (None, self.point_code) and not message.is_service:
            self._bring_back(message, ReturnCause.MTP_FAILURE, None)

    # -- the five calls

    def receive(self, data: ProtocolData, now: float) -> None:
        """Take a message from MTP."""
        self._now = now
        if data.service_indicator != ServiceIndicator.SCCP:
            self._events.append(Fault(f"a message of user part {data.service_indicator}", data.user_data))
            return
        try:
            message = decode(data.user_data)
            origin = data.originating_point_code
            if message.called.ssn == Subsystem.SCCP_MANAGEMENT:
                self._hear_management(decode_management(message.data), origin, now)
            else:
                self._route(_with_origin(message, origin), data.signalling_link_selection, origin=origin)
        except PeerError as error:
            self._events.append(Fault(error.reason, data.user_data))

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` is due."""
        due = [each.test_at for each in self._away.values()]
        return Timer(min(due), keep_alive=False) if due else None

    def on_timer(self, now: float) -> None:
        """Ask for subsystems that are away (Q.714 5.3.4)."""
        for (point_code, ssn), away in self._away.items():
            if now >= away.test_at:
                away.pause = min(2 * away.pause, _LAST_TEST)
                away.test_at = now + away.pause
                self._manage(ManagementType.SUBSYSTEM_STATUS_TEST, ssn, point_code, point_code)

    # -- routing

    def _route(self, message: Message, sls: int, *, origin: int | None) -> None:
        """Deliver a message here, send it on, or bring it back (Q.714 2.3)."""
        called = message.called
        if not called.route_on_ssn:
            found = self._translate(called)
            if isinstance(found, ReturnCause):
                self._bring_back(message, found, origin)
                return
            called = found
        message = message._replace(called=called)
        if called.point_code in (None, self.point_code):
            self._deliver(message, origin)
        elif called.point_code in self._unreachable:
            self._bring_back(message, ReturnCause.MTP_FAILURE, origin)
        elif called.route_on_ssn and (called.point_code, called.ssn) in self._away:
            self._bring_back(message, ReturnCause.SUBSYSTEM_FAILURE, origin)
        else:
            self._forward(message, called.point_code, sls, origin)

    def _translate(self, called: Address) -> Address | ReturnCause:
        title = called.global_title
        if title is None:
            return ReturnCause.NO_TRANSLATION_FOR_NATURE
        for each in self._translations:
            plan_fits = each.numbering_plan in (None, title.numbering_plan)
            if plan_fits and title.digits.startswith(each.prefix):
                ssn = called.ssn if each.ssn is None else each.ssn
                return Address(ssn, each.point_code, title, each.final)
        return ReturnCause.NO_TRANSLATION_FOR_ADDRESS

    def _deliver(self, message: Message, origin: int | None) -> None:
        """Give a message to a subsystem here; one that is not there is told of (Q.714 5.3.2.2)."""
        ssn = message.called.ssn
        if message.is_service:
            self._events.append(Returned(message.calling, message.called, message.data, message.return_cause))
        elif ssn is None or ssn not in self.subsystems:
            self._bring_back(message, ReturnCause.UNEQUIPPED_USER, origin)
        elif not self.subsystems[ssn]:
            self._bring_back(message, ReturnCause.SUBSYSTEM_FAILURE, origin)
            if origin is not None:
                self._manage(ManagementType.SUBSYSTEM_PROHIBITED, ssn, self.point_code, origin)
        else:
            data = self._reassembly.take(message, origin, self._now)
            if isinstance(data, ReturnCause):
                self._bring_back(message, data, origin)
            elif data is not None:
                self._events.append(Unitdata(message.called, message.calling, data))

    def _forward(self, message: Message, point_code: int, sls: int, origin: int | None) -> None:
        if origin is not None and message.type in (
            MessageType.EXTENDED_UNITDATA,
            MessageType.EXTENDED_UNITDATA_SERVICE,
        ):
            if message.hop_counter <= 1:
                self._bring_back(message, ReturnCause.HOP_COUNTER_VIOLATION, origin)
                return
            message = message._replace(hop_counter=message.hop_counter - 1)
        try:
            octets = encode(message)
        except ValueError:
            self._send_in_segments(message, point_code, sls, origin)
            return
        self._transmit(octets, point_code, sls)

    def _send_in_segments(self, message: Message, point_code: int, sls: int, origin: int | None) -> None:
        self._reference = self._reference + 1 & 0xFFFFFF
        try:
            pieces = [encode(each) for each in segments(message, self._reference)]
        except ValueError:
            self._bring_back(message, ReturnCause.SEGMENTATION_NOT_SUPPORTED, origin)
            return
        for each in pieces:
            self._transmit(each, point_code, sls)

    def _bring_back(self, message: Message, cause: ReturnCause, origin: int | None) -> None:
        """Return a message to who sent it, if that was asked for; what was returned is never returned again."""
        if origin is None:
            self._events.append(Returned(message.called, message.calling, message.data, cause))
            return
        self._events.append(Fault(f"returned: {cause.name.lower().replace('_', ' ')}"))
        if message.is_service or not message.return_on_error:
            return
        back = message._replace(
            type=_SERVICE[message.type], called=message.calling, calling=message.called, return_cause=cause
        )
        self._route(back._replace(hop_counter=15), 0, origin=origin)

    def _transmit(self, octets: bytes, point_code: int, sls: int) -> None:
        label = (self.point_code, point_code, ServiceIndicator.SCCP, self._network, 0, sls & 15)
        self._out.append(ProtocolData(*label, octets))

    # -- management

    def _manage(self, kind: ManagementType, ssn: int, affected: int, to: int) -> None:
        octets = encode_management(Management(kind, ssn, affected))
        called, calling = Address(Subsystem.SCCP_MANAGEMENT, to), Address(Subsystem.SCCP_MANAGEMENT, self.point_code)
        self._transmit(encode(Message(MessageType.UNITDATA, called, calling, octets)), to, 0)

    def _hear_management(self, message: Management, origin: int, now: float) -> None:
        where = (message.affected_point_code, message.affected_ssn)
        match message.type:
            case ManagementType.SUBSYSTEM_PROHIBITED if where not in self._away:
                self._away[where] = _Away(now + _FIRST_TEST, _FIRST_TEST)
                self._events.append(SubsystemChanged(*where, allowed=False))
            case ManagementType.SUBSYSTEM_ALLOWED:
                self._come(*where)
            case ManagementType.SUBSYSTEM_STATUS_TEST if self.subsystems.get(message.affected_ssn):
                self._manage(ManagementType.SUBSYSTEM_ALLOWED, message.affected_ssn, self.point_code, origin)
            case _:
                pass  # nothing new, or of replicated subsystems and of congestion, which are not here

    def _come(self, point_code: int, ssn: int) -> None:
        if self._away.pop((point_code, ssn), None) is not None:
            self._events.append(SubsystemChanged(point_code, ssn, allowed=True))


def _with_origin(message: Message, origin: int) -> Message:
    """Complete the address of who sent a message, so that it can be answered (Q.714 2.7.4)."""
    calling = message.calling
    if calling.route_on_ssn and calling.point_code is None:
        return message._replace(calling=calling._replace(point_code=origin))
    return message
