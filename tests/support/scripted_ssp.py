"""An SSP that does what a test says: it asks about calls, tells of events, and keeps what it is ordered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simwarden.machine.tcap_events import Aborted, Cancelled, Continued, Ended, Event, Rejected
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.sigtran.point import Route, SignallingPoint, TcapUser
from simwarden.wire import cap
from simwarden.wire.isup import Number
from simwarden.wire.q850 import Cause
from simwarden.wire.sccp import Address
from simwarden.wire.tbcd import AddressString
from simwarden.wire.tcap import Invoke, Reject, ReturnError, ReturnResult

if TYPE_CHECKING:
    from simwarden.wire.tcap.user import Operation

E = cap.EventType
SERVICE = 1


class SspSettings(ElementConfig):
    """Where it is, and whom it asks."""

    point_code: int = 8
    scp: str = "scp"
    scp_point_code: int = 146


@dataclass
class SspCall:
    """A call that its SSP asks about. `orders` are the messages so far, each with its operations and arguments."""

    ssp: ScriptedSsp
    dialogue: int
    phase: cap.Phase
    orders: list[list[tuple[Operation, Any]]] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    answers: list[ReturnResult | ReturnError] = field(default_factory=list)
    #: how the dialogue came to its end: `ended`, or why it was aborted
    end: str = ""
    refused: Any = None

    def names(self) -> list[str]:
        """Return what was ordered, by name."""
        return [operation.name for message in self.orders for operation, _ in message]

    def last(self, name: str) -> Any:
        """Return the argument of the last order of a name."""
        return next(
            argument for message in reversed(self.orders) for op, argument in reversed(message) if op.name == name
        )

    @property
    def cause(self) -> int | None:
        """The cause of its release, None where it is not released."""
        return self.last("releaseCall").cause.value if "releaseCall" in self.names() else None

    def say(self, operation: Operation, argument: Any = None, *, end: bool = False, linked: int | None = None) -> int:
        """Tell something."""
        octets = cap.invoke(operation, argument, invoke_id=1, phase=self.phase).argument
        return self.say_octets(operation, octets, end=end, linked=linked)

    def say_octets(self, operation: Operation, octets: bytes, *, end: bool = False, linked: int | None = None) -> int:
        """Tell octets."""
        tc = self.ssp.user.tc
        invoke_id = tc.invoke(self.dialogue, operation, octets, self.ssp.site.clock.now(), linked=linked)
        (tc.end if end else tc.proceed)(self.dialogue)
        self.ssp.user.flush()
        return invoke_id

    def answer(self, what: ReturnResult | ReturnError | Reject) -> None:
        """Answer an order."""
        self.ssp.user.tc.answer(self.dialogue, what)
        self.ssp.user.tc.proceed(self.dialogue)
        self.ssp.user.flush()

    def abort(self) -> None:
        """Give the dialogue up."""
        self.ssp.user.tc.abort(self.dialogue)
        self.ssp.user.flush()

    def tell(self, event: cap.EventType, *, waits: bool = False, end: bool = False) -> None:
        """Tell of an event of the call."""
        mode = cap.EventMode.REQUEST if waits else cap.EventMode.NOTIFICATION
        self.say(
            cap.EVENT_REPORT_BCSM,
            cap.EventReportBCSM(event, leg=cap.Leg(receiving_side=2), misc_call_info=cap.Misc(mode)),
            end=end,
        )

    def report(self, tenths: int, *, active: bool = False, expired: bool = False, end: bool = False) -> None:
        """Tell how long the call is since its answer."""
        result = cap.CallResult(1, tenths, leg_active=active, released_at_expiry=expired)
        self.say(cap.APPLY_CHARGING_REPORT, cap.ApplyChargingReport(result), end=end)

    def played(self) -> None:
        """Tell that the announcement is over."""
        done = cap.SpecializedResourceReport(all_announcements_complete=True)
        self.say(cap.SPECIALIZED_RESOURCE_REPORT, done, linked=self.ids["playAnnouncement"])

    def dials(self, digits: str) -> None:
        """Answer a prompt."""
        operation = cap.PROMPT_AND_COLLECT
        octets = cap.CAP_USER.encode_result(operation, cap.ReceivedInformation(digits))
        self.answer(ReturnResult(self.ids[operation.name], operation.opcode, octets))


class ScriptedSsp(Element[SspSettings]):
    """An SSP under the test's control."""

    declaration = Declaration(kind="ssp", title="SSP", lane=80, config=SspSettings, starts_after=("scp",))
    point: SignallingPoint
    user: TcapUser

    async def start(self) -> None:
        config = self.config
        self.calls: dict[int, SspCall] = {}
        #: it answers no activity test
        self.mute = False
        self.point = SignallingPoint(self.site, config.point_code, routes=[Route(config.scp, config.point_code)])
        self.user = self.point.user(146, cap.CAP_USER, self.take)
        await self.point.start()

    async def stop(self) -> None:
        self.point.stop()

    async def killed(self) -> None:
        self.point.stop(kill=True)

    def ask(self, asked: cap.InitialDP, phase: cap.Phase = cap.Phase.FOUR) -> SspCall:
        """Ask about a call."""
        octets = cap.invoke(cap.INITIAL_DP, asked, invoke_id=1, phase=phase).argument
        return self.ask_octets(octets, phase)

    def ask_octets(self, octets: bytes, phase: cap.Phase = cap.Phase.FOUR, operation: Any = cap.INITIAL_DP) -> SspCall:
        """Ask by octets."""
        tc = self.user.tc
        dialogue = tc.open(Address(146, self.config.scp_point_code), cap.CONTEXTS[phase])
        tc.invoke(dialogue, operation, octets, self.site.clock.now())
        call = self.calls[dialogue] = SspCall(self, dialogue, phase)
        tc.begin(dialogue)
        self.user.flush()
        return call

    def take(self, event: Event) -> None:
        """Keep what is ordered; an activity test is answered."""
        call = self.calls.get(getattr(event, "dialogue", -1))
        if call is None:
            return
        match event:
            case Continued(_, components) | Ended(_, components):
                if isinstance(event, Ended):
                    call.end = "ended"
                self._keep(call, components)
            case Aborted(_, reason, _, _, refused):
                call.end, call.refused = reason, refused
            case Rejected(_, _, problem, local):
                call.answers.append(f"rejected {problem} {local}")  # type: ignore[arg-type]
            case Cancelled():
                pass

    def _keep(self, call: SspCall, components: Any) -> None:
        message = []
        for each in components:
            if isinstance(each, Invoke):
                operation, argument = cap.decode_invoke(each, call.phase)
                message.append((operation, argument))
                call.ids[operation.name] = each.invoke_id
            else:
                call.answers.append(each)
        call.orders.append(message)
        if "activityTest" in [operation.name for operation, _ in message] and not self.mute:
            call.answer(ReturnResult(call.ids["activityTest"]))


# -- what is asked


def originating(imsi: str, number: str, *, own: str = "", ton: int = 0, **more: Any) -> cap.InitialDP:
    """Return the InitialDP of a call of a card."""
    return cap.InitialDP(
        SERVICE,
        calling_party_number=Number(own, screening=3) if own else None,
        calling_partys_category=10,
        event_type_bcsm=E.COLLECTED_INFO,
        imsi=imsi,
        basic_service=cap.BasicService(teleservice=b"\x11"),
        called_party_bcd_number=AddressString(number, ton),
        **more,
    )


def terminating(imsi: str, own: str, caller: Number | None, **more: Any) -> cap.InitialDP:
    """Return the InitialDP of a call to a card."""
    return cap.InitialDP(
        SERVICE,
        called_party_number=Number(own),
        calling_party_number=caller,
        event_type_bcsm=E.TERM_ATTEMPT_AUTHORIZED,
        imsi=imsi,
        basic_service=cap.BasicService(teleservice=b"\x11"),
        **more,
    )


def forwarded(imsi: str, own: str, to: Number, **more: Any) -> cap.InitialDP:
    """Return the InitialDP of the leg by which a card forwards calls."""
    return cap.InitialDP(
        SERVICE,
        called_party_number=to,
        calling_party_number=Number("8613900000001", screening=3),
        original_called_party_id=Number(own),
        redirecting_party_id=Number(own),
        redirection_information=b"\x03\x11",
        event_type_bcsm=E.COLLECTED_INFO,
        imsi=imsi,
        basic_service=cap.BasicService(teleservice=b"\x11"),
        **more,
    )


BUSY = Cause(17, 0)
