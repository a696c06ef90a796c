"""A terminal at its MSC: the MM connection and the call on it (TS 24.008 4, 5), of which there is one at a time.

There is no cell between them yet: RR, the A interface and authentication are not spoken, and a link stands for the
radio. What a radio would page for is sent on it all the same.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from simulators.ssp.clients.call_control import Leg
from simwarden.errors import PeerError
from simwarden.wire.dtap import (
    CODING_GSM,
    CmServiceType,
    Discriminator,
    Message,
    MessageType,
    MmCause,
    RrCause,
    decode,
    encode,
)
from simwarden.wire.nas import IdentityType, MobileIdentity
from simwarden.wire.q850 import Cause, CauseValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.ssp.call import Setup, Upstream
    from simulators.ssp.core import Core
    from simwarden.runtime.clock import Timer
    from simwarden.runtime.link import Link

T = MessageType
#: invalid transaction identifier value (10.5.4.11)
_INVALID_TRANSACTION: Final = 81
#: seconds that an MM connection waits for its SETUP, before it is released
_UNUSED: Final = 30.0
_PURPOSES: Final = {CmServiceType.MOBILE_ORIGINATING_CALL, CmServiceType.EMERGENCY_CALL}


class Terminal:
    """A terminal. `update` is what carries out a location update, `originate` what sets up its calls."""

    def __init__(
        self,
        core: Core,
        link: Link,
        update: Callable[[Terminal, Message], None],
        detach: Callable[[Terminal, str], None],
        originate: Callable[[Terminal, Leg, Message], None],
    ) -> None:
        self.core, self.link = core, link
        #: the registered card, the service of the MM connection (a call or an emergency call), and the call on it
        self.imsi = ""
        self.service: CmServiceType | None = None
        #: the card that the MM connection was granted to; empty in an emergency call without one
        self.caller = ""
        self.leg: Leg | None = None
        self._update, self._detach, self._originate = update, detach, originate
        self._identity: asyncio.Future[MobileIdentity] | None = None
        self._page: tuple[Timer, Leg, Setup] | None = None
        self._unused: Timer | None = None
        self._handlers: dict[MessageType, Callable[[Message], None]] = {
            T.LOCATION_UPDATING_REQUEST: self._on_location_updating,
            T.IDENTITY_RESPONSE: self._on_identity,
            T.IMSI_DETACH_INDICATION: self._on_detach,
            T.CM_SERVICE_REQUEST: self._on_service_request,
            T.PAGING_RESPONSE: self._on_paging_response,
            T.MM_STATUS: lambda _message: None,
        }
        link.on_receive, link.on_close = self._receive, self._lost

    # -- what is sent

    def send(self, kind: MessageType, transaction: int = 0, *, answering: bool = False, **fields: Any) -> None:
        """Send a message."""
        self.link.send(encode(Message(kind, transaction, answering=answering, **fields)))

    def release(self) -> None:
        """Release the connection, and clear a call on it: the terminal is idle again, and paged as before."""
        self.clear_call()
        self._stop_waiting()
        self.service = None
        self.send(T.CHANNEL_RELEASE, rr_cause=RrCause.NORMAL_EVENT)

    def clear_call(self) -> None:
        """Clear the call of a terminal that has left its connection, without a message to the terminal."""
        leg, self.leg = self.leg, None
        if leg is not None:
            leg.lost(Cause(CauseValue.DESTINATION_OUT_OF_ORDER, 2))

    def reject_update(self, cause: MmCause) -> None:
        """Refuse a location update."""
        self.send(T.LOCATION_UPDATING_REJECT, mm_cause=cause)
        self.release()

    async def ask_identity(self, kind: IdentityType) -> str:
        """Ask who it is (4.3.3); empty if it does not say."""
        self._identity = asyncio.get_running_loop().create_future()
        self.send(T.IDENTITY_REQUEST, identity_type=kind)
        try:
            async with asyncio.timeout(self.core.config.identity):
                told = await self._identity
        except TimeoutError:
            return ""
        finally:
            self._identity = None
        return told.digits if told.type == kind else ""

    # -- what comes

    def _receive(self, data: bytes, _stream: int) -> None:
        try:
            message = decode(data)
            self.link.know()
            self._dispatch(message)
        except PeerError as error:
            self.core.site.peer_fault(self.link, error.reason, data)
            if error.code is not None and data[0] & 15 == Discriminator.MM:
                self.send(T.MM_STATUS, mm_cause=MmCause(error.code))
            elif error.code is not None and self.leg is not None:
                self.leg.status(error.code)

    def _dispatch(self, message: Message) -> None:
        handler = self._handlers.get(message.type)
        if handler is not None:
            handler(message)
        elif message.type.discriminator is not Discriminator.CC:
            raise PeerError(
                f"{message.type.name} makes no sense to an MSC",
                code=MmCause.MESSAGE_TYPE_NOT_COMPATIBLE_WITH_THE_PROTOCOL_STATE,
            )
        elif self.leg is not None and self.leg.is_of(message):
            self.leg.take(message)
        elif message.type in (T.SETUP, T.EMERGENCY_SETUP):
            self._on_setup(message)
        elif message.type is not T.RELEASE_COMPLETE:  # of no call: 8.3.1
            cause = Cause(_INVALID_TRANSACTION, 0, CODING_GSM)
            self.send(T.RELEASE_COMPLETE, message.transaction, answering=not message.answering, cc_cause=cause)

    def _on_location_updating(self, message: Message) -> None:
        """Clear an earlier call and start a location update, which a terminal requests in MM idle (4.4.1)."""
        self.clear_call()
        self._update(self, message)

    def _on_identity(self, message: Message) -> None:
        if self._identity is not None and not self._identity.done():
            self._identity.set_result(message["mobile_identity"])

    def _on_detach(self, message: Message) -> None:
        self._detach(self, message["mobile_identity"].digits)

    def _on_service_request(self, message: Message) -> None:
        """Give a connection for a call (4.5.1): to whom is registered here, or calls for help."""
        asked, identity = message["cm_service_type"], message["mobile_identity"]
        subscriber = self.core.subscribers.get(identity.digits)
        known = subscriber is not None and subscriber.terminal is self and identity.type is IdentityType.IMSI
        if asked == CmServiceType.EMERGENCY_CALL and not known and not self.core.config.emergency_without_card:
            self._refuse_service(MmCause.IMEI_NOT_ACCEPTED)
        elif asked not in _PURPOSES or (self.leg is not None and asked != CmServiceType.EMERGENCY_CALL):
            self._refuse_service(MmCause.SERVICE_OPTION_NOT_SUPPORTED)
        elif asked == CmServiceType.MOBILE_ORIGINATING_CALL and not known:
            self._refuse_service(MmCause.IMSI_UNKNOWN_IN_VLR)
        else:
            self.clear_call()  # an emergency call comes before the call in progress
            self.caller = identity.digits if known else ""
            self.service = CmServiceType(asked)
            self._stop_waiting()
            self._unused = self.core.clock.call_later(_UNUSED, self.release)
            self.send(T.CM_SERVICE_ACCEPT)

    def _stop_waiting(self) -> None:
        """Stop waiting for the SETUP of an MM connection."""
        if self._unused is not None:
            self._unused.cancel()
            self._unused = None

    def _refuse_service(self, cause: MmCause) -> None:
        """Refuse an MM connection; a call on another one goes on (4.5.1.7)."""
        self.send(T.CM_SERVICE_REJECT, mm_cause=cause)
        if self.leg is None:
            self.release()

    def _on_setup(self, message: Message) -> None:
        emergency = message.type is T.EMERGENCY_SETUP
        wanted = CmServiceType.EMERGENCY_CALL if emergency else CmServiceType.MOBILE_ORIGINATING_CALL
        if self.service is not wanted or self.leg is not None:
            raise PeerError(f"{message.type.name} without a connection for it")
        self._stop_waiting()
        self.leg = Leg(self, message.transaction, originating=True)
        self._originate(self, self.leg, message)

    # -- calls to it

    def page(self, up: Upstream, setup: Setup) -> Leg | None:
        """Look for the terminal, and set up a call when it answers; None where it has a call already."""
        if self.leg is not None or self.service is not None or self._page is not None:
            return None
        leg = Leg(self, 0, originating=False, up=up)
        self._page = self.core.clock.call_later(self.core.config.paging, self.give_up_page), leg, setup
        identity = MobileIdentity(IdentityType.IMSI, self.imsi)
        self.send(T.PAGING_REQUEST_TYPE_1, page_mode=0, channels_needed=0, mobile_identity=identity)
        return leg

    def give_up_page(self) -> None:
        """End the call that a terminal is paged for, if it is: it has not answered in time (T3113), or is gone."""
        if self._page is not None:
            _, leg, _ = self._page
            self.stop_paging()
            leg.clears(Cause(CauseValue.SUBSCRIBER_ABSENT, 2))

    def stop_paging(self) -> bool:
        """Look no more for the terminal; whether it has not answered yet."""
        if self._page is None:
            return False
        self._page[0].cancel()
        self._page = None
        return True

    def _on_paging_response(self, message: Message) -> None:
        if self._page is None or self.leg is not None or message["mobile_identity"].digits != self.imsi:
            raise PeerError("PAGING RESPONSE of whom nobody has paged")
        _, self.leg, setup = self._page
        self.stop_paging()
        self.leg.offer(setup)

    # -- its end

    def _lost(self, reason: str) -> None:
        del reason
        self.give_up_page()
        self._stop_waiting()
        if self._identity is not None:
            self._identity.cancel()
        del self.core.terminals[self.link.number]
        self.clear_call()
