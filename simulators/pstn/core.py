"""The telephones while they run: calls that came, calls that they make, and what becomes of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from simwarden.errors import ManagementError, PeerError
from simwarden.machine.sip_events import Alerting, Answered, DigitAnswered, DigitReceived, Incoming, Refused, Released
from simwarden.policy.numbers import party
from simwarden.runtime.sip import SipTrunk
from simwarden.wire.q850 import CauseValue
from simwarden.wire.sip import NameAddress, Request, Status, Uri, describe, status_of
from simwarden.wire.sip.family import TRUNK

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.pstn.config import Phone, PstnConfig
    from simwarden.machine.sip_events import CallEvent
    from simwarden.runtime.clock import Timer
    from simwarden.runtime.site import Site

#: who withholds a number says this instead (RFC 3323 4.1)
_ANONYMOUS: Final = NameAddress(Uri("anonymous", "anonymous.invalid"), "Anonymous")
#: where a described session would have its media, which there are not
_MEDIA_PORT: Final = 40000
_NO_ANSWER: Final = frozenset(
    {CauseValue.NO_USER_RESPONDING, CauseValue.NO_ANSWER_FROM_USER, CauseValue.RECOVERY_ON_TIMER_EXPIRY}
)
#: DTMF digits of a call that are kept; of more the first is dropped
_MOST_DIGITS: Final = 255


@dataclass(slots=True)
class Talk:
    """A call of a phone: of which one, with whom, and how it stands (`calling`, `ringing`, `connected`, or its end)."""

    phone: str
    other: str
    outgoing: bool
    state: str
    status: int = 0
    cause: int = 0
    #: what a step waits for: that it is settled whether the call stands, and that it is over
    settled: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    over: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    timer: Timer | None = None
    #: received DTMF digits, and the answer to the one that is being sent
    digits: str = ""
    digit_outcome: asyncio.Future[str] | None = None

    def end_digit(self, outcome: str) -> None:
        """Set how the other party answers the DTMF digit that is being sent, if one is."""
        if self.digit_outcome is not None and not self.digit_outcome.done():
            self.digit_outcome.set_result(outcome)

    def finish(self, outcome: str) -> None:
        """Set the outcome that steps wait for."""
        self.end_digit("released")
        for waited in (self.settled, self.over):
            if not waited.done():
                waited.set_result(outcome)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a call says it is from: `shown` is in From, `asserted` in P-Asserted-Identity where it is not empty."""

    shown: str
    asserted: str
    withheld: bool = False


class Core:
    """The telephones at one trunk."""

    def __init__(self, site: Site, config: PstnConfig) -> None:
        self.site, self.config = site, config
        self.trunk = SipTrunk(site, self._take)
        self.talks: dict[int, Talk] = {}
        self._invited: dict[tuple[str, str, str, str], int] = {}

    def stop(self) -> None:
        """Hang up nothing: phones and trunk are gone, and so is what somebody waits for at one of them."""
        for talk in self.talks.values():
            _disarm(talk)
            talk.finish("released")
        self.trunk.stop()

    # -- what steps do

    def named(self, name: str) -> Phone:
        """Return a phone. Raises ManagementError (404)."""
        if name not in self.config.phones:
            raise ManagementError(404, f"{self.site.name} has no phone {name}")
        return self.config.phones[name]

    def standing(self, name: str, *states: str) -> int:
        """Return the call that a phone has, in one of some states. Raises ManagementError (404, 409)."""
        self.named(name)
        found = next((call for call, talk in self.talks.items() if talk.phone == name and talk.state in states), None)
        if found is None:
            raise ManagementError(409, f"{name} has no call that is {' or '.join(states)}")
        return found

    def call(self, name: str, to: str, caller: Caller) -> Talk:
        """Have a phone call a number. Raises ManagementError."""
        if any(talk.phone == name for talk in self.talks.values()):
            raise ManagementError(409, f"{name} has a call")
        host, port = address = self.site.address_of(self.config.trunk, TRUNK)
        here, headers = self.trunk.address[0], []
        if caller.asserted:
            headers.append(("P-Asserted-Identity", str(NameAddress(Uri(caller.asserted, here)))))
        if caller.withheld:
            headers.append(("Privacy", "id"))
        shown = _ANONYMOUS if caller.withheld else NameAddress(Uri(caller.shown, here))
        target, body = f"sip:{to}@{host}:{port}", describe(here, _MEDIA_PORT)
        try:
            number = self.trunk.agent.invite(target, shown, address, self.site.clock.now(), *headers, body=body)
        except PeerError as error:
            raise ManagementError(400, error.reason) from None
        talk = self._add(number, Talk(name, to, outgoing=True, state="calling"))
        self.trunk.flush()
        return talk

    def pick_up(self, call: int) -> None:
        """Answer a call that rings."""
        talk = self.talks.get(call)
        if talk is not None and talk.state == "ringing" and not talk.outgoing:
            _disarm(talk)
            self.trunk.agent.accept(call, self.site.clock.now(), describe(self.trunk.address[0], _MEDIA_PORT))
            self.trunk.flush()

    def hang_up(self, call: int, cause: int = CauseValue.NORMAL_CALL_CLEARING) -> None:
        """End a call; one that rings here is refused, or given up."""
        talk = self.talks.get(call)
        if talk is not None:
            self.trunk.agent.hang_up(call, self.site.clock.now(), cause)
            self._end(call, talk, "released", cause)
            self.trunk.flush()

    async def dial(self, call: int, digits: str) -> str:
        """Send DTMF digits; return `accepted`, or the outcome of the first other one. Raises ManagementError (409)."""
        talk = self.talks[call]
        if talk.digit_outcome is not None and not talk.digit_outcome.done():
            raise ManagementError(409, f"{talk.phone} is dialling")
        for key in digits:
            if talk.state != "connected":
                return "released"
            talk.digit_outcome = asyncio.get_running_loop().create_future()
            self.trunk.agent.send_digit(call, key, self.site.clock.now())
            self.trunk.flush()
            outcome = await talk.digit_outcome
            if outcome != "accepted":
                return outcome
        return "accepted"

    def hang_up_after(self, call: int, seconds: float) -> None:
        """End a call after a while, in place of what was planned for it."""
        if call in self.talks:
            self._later(self.talks[call], seconds, partial(self.hang_up, call))

    def _later(self, talk: Talk, seconds: float, what: Callable[[], None]) -> None:
        _disarm(talk)
        talk.timer = self.site.clock.call_later(seconds, what)

    # -- what comes

    def _take(self, event: CallEvent) -> None:
        match event:
            case Incoming(call, request):
                self._hear_invite(call, request)
            case Alerting(call, status) if call in self.talks:
                talk = self.talks[call]
                talk.state, talk.status = "ringing", status
                self._show(talk)
            case Answered(call) if call in self.talks:
                self._connect(call, self.talks[call])
            case Refused(call, status, cause) if call in self.talks:
                self.talks[call].status = status
                self._end(call, self.talks[call], _outcome(cause), cause)
            case Released(call, cause) if call in self.talks:
                self._end(call, self.talks[call], "released", cause)
            case DigitReceived(call, key) if call in self.talks:
                self._show_digit(self.talks[call], key)
            case DigitAnswered(call, status) if call in self.talks:
                self.talks[call].end_digit("accepted" if status < 300 else "rejected")
            case _:
                pass
        self.trunk.flush()

    def _hear_invite(self, call: int, request: Request) -> None:
        called, shown, asserted = _parties(request)
        wanted = {word.strip() for each in request.headers.all("Privacy") for word in each.split(";")}
        self._note(called, shown, asserted, "id" if "id" in wanted else "none")
        name = self._name_of(called)
        if name is None:
            return self._refuse(call, CauseValue.UNALLOCATED_NUMBER)
        phone = self.config.phones[name]
        if phone.when_called == "busy" or any(talk.phone == name for talk in self.talks.values()):
            return self._refuse(call, CauseValue.USER_BUSY)
        if phone.when_called == "refuse":
            return self._refuse(call, phone.cause)
        talk = self._add(call, Talk(name, asserted or shown, outgoing=False, state="ringing"))
        self.trunk.agent.ring(call, self.site.clock.now())
        if phone.when_called == "answer":
            self._later(talk, phone.after, partial(self.pick_up, call))
        else:
            self._later(talk, phone.gives_up, partial(self.hang_up, call, CauseValue.NO_ANSWER_FROM_USER))
        return None

    def _add(self, call: int, talk: Talk) -> Talk:
        """Register a call of a phone."""
        self.talks[call] = talk
        if self.config.phones[talk.phone].digits == "reject":
            self.trunk.agent.reject_digits(call)
        self._show(talk)
        return talk

    def _refuse(self, call: int, cause: int) -> None:
        self.trunk.agent.reject(call, cause, self.site.clock.now(), status_of(cause))

    def _connect(self, call: int, talk: Talk) -> None:
        _disarm(talk)
        talk.state, talk.status = "connected", Status.OK
        self._show(talk)
        if not talk.settled.done():
            talk.settled.set_result("connected")
        talks = 0.0 if talk.outgoing else self.config.phones[talk.phone].talks
        if talks:
            self.hang_up_after(call, talks)

    def _end(self, call: int, talk: Talk, outcome: str, cause: int) -> None:
        del self.talks[call]
        _disarm(talk)
        talk.state, talk.cause = outcome, cause
        self._show(talk)
        talk.finish(outcome)

    # -- what others may observe

    def _name_of(self, number: str) -> str | None:
        who = party(number) if number else None
        return next((name for name, each in self.config.phones.items() if party(each.number) == who), None)

    def _note(self, called: str, shown: str, asserted: str, privacy: str) -> None:
        key = (called, shown, asserted, privacy)
        times = self._invited[key] = self._invited.get(key, 0) + 1
        fields = dict(zip(("called", "caller", "asserted", "privacy"), key, strict=True))
        self.site.observe(
            "invited", {**fields, "phone": self._name_of(called) or "", "times": times}, key=" ".join(key)
        )

    def _show_digit(self, talk: Talk, key: str) -> None:
        talk.digits = (talk.digits + key)[-_MOST_DIGITS:]
        value = {"phone": talk.phone, "other": talk.other, "received": talk.digits}
        self.site.observe("digits", value, key=talk.phone)

    def _show(self, talk: Talk) -> None:
        value = {
            "phone": talk.phone,
            "other": talk.other,
            "direction": "outgoing" if talk.outgoing else "incoming",
            "state": talk.state,
            "status": talk.status,
            "cause": talk.cause,
        }
        self.site.observe("call", value, key=talk.phone)


def _parties(request: Request) -> tuple[str, str, str]:
    """Return the number that is called, and those in From and P-Asserted-Identity; empty where there is none."""

    def number(text: str, *, address: bool = True) -> str:
        try:
            return (NameAddress.parse(text).uri if address else Uri.parse(text)).number
        except PeerError:
            return ""

    asserted = [found for each in request.headers.all("P-Asserted-Identity") if (found := number(each))]
    sender = request.headers.get("From") or ""
    return number(request.uri, address=False), number(sender), asserted[0] if asserted else ""


def _outcome(cause: int) -> str:
    if cause == CauseValue.USER_BUSY:
        return "busy"
    return "no-answer" if cause in _NO_ANSWER else "refused"


def _disarm(talk: Talk) -> None:
    if talk.timer is not None:
        talk.timer.cancel()
        talk.timer = None
