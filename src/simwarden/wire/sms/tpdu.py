"""The TPDUs (TS 23.040 9.2.2): what the two ends of the transfer layer say to each other.

A type is told by TP-MTI and by who sent it. Where a value is optional (TP-PI), None is that it is not there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from simwarden.wire.sms.coding import UserData

if TYPE_CHECKING:
    import datetime as dt

    from simwarden.wire.sms.address import Address
    from simwarden.wire.sms.times import Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """SMS-SUBMIT (9.2.2.2): a mobile's message to the service centre."""

    name: ClassVar[str] = "sms-submit"
    reference: int
    destination: Address
    protocol_identifier: int = 0
    data_coding_scheme: int = 0
    validity: Validity | None = None
    user_data: UserData = field(default_factory=UserData)
    reject_duplicates: bool = False
    status_report_request: bool = False
    reply_path: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """SMS-DELIVER (9.2.2.1): a message of the service centre for a mobile."""

    name: ClassVar[str] = "sms-deliver"
    originator: Address
    time_stamp: dt.datetime
    protocol_identifier: int = 0
    data_coding_scheme: int = 0
    user_data: UserData = field(default_factory=UserData)
    more_messages: bool = False
    loop_prevention: bool = False
    status_report_indication: bool = False
    reply_path: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """SMS-STATUS-REPORT (9.2.2.3): what became of a message that a mobile sent."""

    name: ClassVar[str] = "sms-status-report"
    reference: int
    recipient: Address
    time_stamp: dt.datetime
    discharge_time: dt.datetime
    status: int
    more_messages: bool = False
    loop_prevention: bool = False
    of_command: bool = False
    protocol_identifier: int | None = None
    data_coding_scheme: int | None = None
    user_data: UserData | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """SMS-COMMAND (9.2.2.4): a mobile's order about a message that it sent."""

    name: ClassVar[str] = "sms-command"
    reference: int
    command_type: int
    message_number: int
    destination: Address
    protocol_identifier: int = 0
    command_data: bytes = b""
    status_report_request: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverReport:
    """SMS-DELIVER-REPORT (9.2.2.1a): a mobile took a message, or (`failure_cause`) did not."""

    name: ClassVar[str] = "sms-deliver-report"
    failure_cause: int | None = None
    protocol_identifier: int | None = None
    data_coding_scheme: int | None = None
    user_data: UserData | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitReport:
    """SMS-SUBMIT-REPORT (9.2.2.2a): the service centre took a message, or (`failure_cause`) did not."""

    name: ClassVar[str] = "sms-submit-report"
    time_stamp: dt.datetime
    failure_cause: int | None = None
    protocol_identifier: int | None = None
    data_coding_scheme: int | None = None
    user_data: UserData | None = None


Tpdu: TypeAlias = Submit | Deliver | StatusReport | Command | DeliverReport | SubmitReport
TYPES: tuple[type[Tpdu], ...] = (Submit, Deliver, StatusReport, Command, DeliverReport, SubmitReport)
