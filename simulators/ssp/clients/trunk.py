"""Trunks: calls to other networks and from them by SIP, with the causes of RFC 3398."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.ssp import controls
from simulators.ssp.call import LOCATION, NOT_CONNECTED, Nowhere, Setup
from simulators.ssp.numbers import (
    NETWORK_PROVIDED,
    NOT_VERIFIED,
    RESTRICTED,
    is_e164,
    longest,
    number_of,
    read,
    written,
)
from simwarden.errors import ConfigError, PeerError
from simwarden.machine.sip_call import CallState
from simwarden.machine.sip_events import Alerting, Answered, DigitAnswered, Incoming, Refused, Released
from simwarden.model.address import as_network, is_within
from simwarden.runtime.sip import SipTrunk
from simwarden.wire import isup
from simwarden.wire.isup import GenericNumber
from simwarden.wire.q850 import Cause, CauseValue
from simwarden.wire.sip import NameAddress, Uri, cause_of, describe
from simwarden.wire.sip.family import TRUNK

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.ssp.call import DigitReply, Downstream, Upstream
    from simulators.ssp.core import Core
    from simwarden.machine.sip_events import Address, CallEvent
    from simwarden.runtime.clock import Timer
    from simwarden.wire.isup import Number
    from simwarden.wire.sip import Request

#: additional calling party number (Q.763 3.26)
_ADDITIONAL: Final = 6
_RINGING: Final = 180
_MEDIA: Final = 4000
"""The port that sessions are described with; nothing is there."""


class IncomingLeg:
    """A call that comes on a trunk: what is upstream of it."""

    def __init__(self, trunks: Trunks, call: int, peer: str) -> None:
        self._trunks, self._call, self.peer = trunks, call, peer
        self.down: Downstream = Nowhere()

    def progress(self) -> None:
        """See Upstream: nothing is heard on a trunk without media."""

    def alerting(self) -> None:
        """See Upstream."""
        self._trunks.ring(self._call)

    def answered(self) -> None:
        """See Upstream."""
        self._trunks.accept(self._call)

    def cleared(self, cause: Cause) -> None:
        """See Upstream."""
        self._trunks.hang_up(self._call, cause.value)

    def called_party_digit(self, key: str, reply: DigitReply) -> None:
        """See Upstream."""
        self._trunks.send_digit(self._call, key, reply)

    def take(self, event: CallEvent) -> None:
        """Take what became of the call."""
        match event:
            case Refused(_, _, cause) | Released(_, cause):
                self._trunks.forget(self._call)
                self.down.release(Cause(cause, 0))


class OutgoingLeg:
    """A call that goes on a trunk: what is downstream of `up`."""

    def __init__(self, trunks: Trunks, call: int, up: Upstream, peer: str) -> None:
        self._trunks, self._call, self._up, self.peer = trunks, call, up, peer
        self._rings = False
        self._timer = trunks.later(self._unanswered)

    def release(self, cause: Cause) -> None:
        """See Downstream."""
        self._timer.cancel()
        self._trunks.hang_up(self._call, cause.value)

    def digit(self, key: str, reply: DigitReply) -> None:
        """See Downstream."""
        self._trunks.send_digit(self._call, key, reply)

    def take(self, event: CallEvent) -> None:
        """Take what became of the call."""
        self._timer.cancel()
        match event:
            case Alerting(_, status):
                self._timer = self._trunks.later(self._unanswered)
                if status == _RINGING:
                    self._rings = True
                    self._up.alerting()
            case Answered():
                self._up.answered()
            case Refused(_, _, cause) | Released(_, cause):
                self._trunks.forget(self._call)
                self._up.cleared(Cause(cause, 0))

    def _unanswered(self) -> None:
        """End a call of which nothing is heard: a far end that died says nothing (timer C, RFC 3261 16.6)."""
        value = CauseValue.NO_ANSWER_FROM_USER if self._rings else CauseValue.RECOVERY_ON_TIMER_EXPIRY
        self._trunks.hang_up(self._call, value)
        self._up.cleared(Cause(value, LOCATION))


class Trunks:
    """The endpoint of SIP; `arrive` sets up a call that comes."""

    def __init__(self, core: Core, arrive: Callable[[IncomingLeg, Setup], None]) -> None:
        self._core, self._arrive = core, arrive
        self._legs: dict[int, IncomingLeg | OutgoingLeg] = {}
        #: replies that are due when the other network answers the DTMF digit of a call
        self._digits: dict[int, DigitReply] = {}
        self._sip = SipTrunk(core.site, self._take)
        self._agent = self._sip.agent

    def stop(self) -> None:
        """Rest."""
        self._sip.stop()

    def __len__(self) -> int:
        return len(self._legs)

    def peers(self) -> list[str]:
        """Return the element at the other end of each call on a trunk."""
        return [leg.peer for leg in self._legs.values()]

    def _take(self, event: CallEvent) -> None:
        if isinstance(event, Incoming):
            self._come(event)
        elif isinstance(event, DigitAnswered):
            self._end_digit(event.call, None if event.status < 300 else cause_of(event.status))
        else:
            leg = self._legs.get(getattr(event, "call", -1))
            if leg is not None:
                leg.take(event)

    # -- calls that come

    def _come(self, event: Incoming) -> None:
        source = event.source[0]
        trunks = self._networks()
        decision = self._core.site.decide(
            controls.TRUNK, on=controls.INVITE, address=source, trunks={each for of in trunks.values() for each in of}
        )
        if not decision.admitted:
            self._agent.reject(event.call, CauseValue.CALL_REJECTED, self._core.clock.now())
            self._sip.flush()
            return
        config = self._core.config.trunks
        trusted = all(config[name].trusted for name, networks in trunks.items() if is_within(source, networks))
        try:
            called = Uri.parse(event.request.uri).number
            caller, additional = _callers(event.request, trusted=trusted)
        except PeerError as error:
            self._core.site.note(f"SIP: {error.reason}")
            called, caller, additional = "", None, None
        if not called:
            self._agent.reject(event.call, CauseValue.INVALID_NUMBER_FORMAT, self._core.clock.now())
            self._sip.flush()
            return
        leg = self._legs[event.call] = IncomingLeg(self, event.call, self._core.site.behind(source))
        self._arrive(leg, Setup(read(called), caller, additional, self._core.next_reference()))

    def _networks(self) -> dict[str, tuple[str, ...]]:
        """Return the source networks of each trunk: its own address and those of its settings."""
        return {
            name: (*([as_network(to[0])] if (to := self._address(name)) else []), *trunk.addresses)
            for name, trunk in self._core.config.trunks.items()
        }

    def ring(self, call: int) -> None:
        """Tell the caller that it rings, unless it is answered or gone."""
        if self._agent.state(call) is CallState.OFFERED:
            self._agent.ring(call, self._core.clock.now())
            self._sip.flush()

    def accept(self, call: int) -> None:
        """Answer a call, unless that was done or the caller is gone."""
        if self._agent.state(call) is CallState.OFFERED:
            self._agent.accept(call, self._core.clock.now(), describe(self._sip.address[0], _MEDIA))
            self._sip.flush()

    def hang_up(self, call: int, cause: int) -> None:
        """End a call, or refuse it."""
        self.forget(call)
        if self._agent.state(call) is not None:
            self._agent.hang_up(call, self._core.clock.now(), cause)
            self._sip.flush()

    def later(self, then: Callable[[], None]) -> Timer:
        """Have something done when there was no sign of life of a call for as long as it waits for its answer."""
        return self._core.clock.call_later(self._core.config.answer, then)

    def forget(self, call: int) -> None:
        """Take it that a call is over."""
        self._legs.pop(call, None)
        self._end_digit(call, NOT_CONNECTED)

    # -- digits; received ones would be tones towards the terminal: without media they are accepted and dropped

    def send_digit(self, call: int, key: str, reply: DigitReply) -> None:
        """Send a DTMF digit to the other network, if the call is connected there."""
        if self._agent.state(call) is not CallState.STANDING or call in self._digits:
            reply(NOT_CONNECTED)
            return
        self._digits[call] = reply
        self._agent.send_digit(call, key, self._core.clock.now())
        self._sip.flush()

    def _end_digit(self, call: int, cause: int | None) -> None:
        reply = self._digits.pop(call, None)
        if reply is not None:
            reply(cause)

    # -- calls that go

    def call(self, up: Upstream, setup: Setup) -> OutgoingLeg | None:
        """Call a number by the trunk that reaches it; None where none does."""
        number = written(setup.called)
        name = self._way(number)
        to = self._address(name) if name else None
        if to is None:
            return None
        host, port = to
        caller, more = _identity(setup.caller, self._sip.address[0], trusted=self._core.config.trunks[name].trusted)
        body = describe(self._sip.address[0], _MEDIA)
        target = f"sip:{number}@{host}:{port}"
        try:
            call = self._agent.invite(target, caller, to, self._core.clock.now(), *more, body=body)
        except PeerError as error:  # keys that no URI has
            self._core.site.note(f"SIP: {error.reason}")
            return None
        leg = self._legs[call] = OutgoingLeg(self, call, up, name)
        self._sip.flush()
        return leg

    def _way(self, number: str) -> str:
        """Return the trunk that reaches a number, by the longest prefix of all trunks, or an empty string."""
        found = [(longest(number, each.prefixes), name) for name, each in self._core.config.trunks.items()]
        best, name = max(found, default=(-1, ""))
        return name if best >= 0 else ""

    def _address(self, name: str) -> Address | None:
        """Return where the element at the far end of a trunk is; None if it has no address."""
        try:
            return self._core.site.address_of(name, TRUNK)
        except ConfigError as error:
            self._core.site.note(f"no trunk to {name}: {error}")
            return None


def _number(who: NameAddress) -> str:
    """Return the number of an address, empty where it has none that CAP could tell."""
    number = who.uri.number
    return number if is_e164(number.removeprefix("+")) else ""


def _callers(request: Request, *, trusted: bool) -> tuple[Number | None, GenericNumber | None]:
    """Return who calls: what the network asserts (RFC 3325) is provided by it, what the caller says nobody verified.

    An assertion of a node outside the trust domain is ignored.

    Beside an asserted number the caller's own is told as a generic one (TS 29.163 7.2.3.1.2.6).
    """
    said = _number(request.sender)
    asserted = [_number(NameAddress.parse(each)) for each in request.headers.all("P-Asserted-Identity") if trusted]
    verified = next((each for each in asserted if each), "")
    hidden = RESTRICTED if "id" in (request.headers.get("Privacy") or "").replace(" ", "").split(";") else 0
    if not verified:
        if not said:
            return None, None
        return number_of(read(said), presentation=hidden, screening=NOT_VERIFIED), None
    number = number_of(read(verified), presentation=hidden, screening=NETWORK_PROVIDED)
    if not said or said == verified:
        return number, None
    return number, GenericNumber(_ADDITIONAL, number_of(read(said), presentation=hidden, screening=NOT_VERIFIED))


def _identity(caller: Number | None, host: str, *, trusted: bool) -> tuple[NameAddress, tuple[tuple[str, str], ...]]:
    """Return From and the asserted identity, with the privacy that the caller requests (RFC 3323, RFC 3325).

    A restricted number is not asserted to a node outside the trust domain (RFC 3325 7).
    """
    anonymous = NameAddress(Uri("anonymous", "anonymous.invalid"))
    if caller is None:
        return anonymous, ()
    user = f"+{caller.digits}" if caller.nature == isup.INTERNATIONAL else caller.digits
    who = NameAddress(Uri(user, host))
    asserted = (("P-Asserted-Identity", str(who)),) if caller.screening == NETWORK_PROVIDED else ()
    if caller.presentation == RESTRICTED:
        return anonymous, (*(asserted if trusted else ()), ("Privacy", "id"))
    return who, asserted
