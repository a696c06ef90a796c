"""The circuit-switched side of a 2G terminal: its link to the MSC, MM and call control (TS 24.008 4, 5).

There is no cell between them yet, and nobody is authenticated: RR and the A interface are not spoken.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from simulators.device.clients.cs_call import Call
from simwarden.errors import PeerError
from simwarden.model.identity import Plmn
from simwarden.wire import dtap
from simwarden.wire.dtap.family import UM
from simwarden.wire.nas import IdentityType, Lai, MobileIdentity

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.device.contexts import Emm
    from simwarden.runtime.link import Link

T = dtap.MessageType
#: no valid CKSN, since nobody authenticates (TS 24.008 10.5.1.2)
_NO_KEY: Final = 7
#: revision level 2, RF power class 2; and early classmark sending, SM capability (10.5.1.5, 10.5.1.6)
_CLASSMARK_1, _CLASSMARK_2 = b"\x31", b"\x31\x18\x00"
_NOWHERE: Final = Lai(Plmn("001", "01"), 0xFFFE)
"""The location area of who has none (TS 23.003 4.1)."""
#: T3210 and T3230: how long a location update and a request for service wait for their answers, in seconds (11.2)
_T3210, _T3230 = 20.0, 15.0


class Cs:
    """What a terminal is to its MSC: registered or not, and in a call or not."""

    def __init__(self, emm: Emm) -> None:
        self.emm = emm
        self.link: Link | None = None
        #: the location area where it is registered, None where it is not
        self.area: Lai | None = None
        self.call: Call | None = None
        #: its card was refused for good, until it is switched on again (4.4.4.7)
        self.invalid = False
        self._answer: asyncio.Future[dtap.Message | None] | None = None
        self._handlers: dict[dtap.MessageType, Callable[[dtap.Message], None]] = {
            T.IDENTITY_REQUEST: self._on_identity_request,
            T.LOCATION_UPDATING_ACCEPT: self._tell,
            T.LOCATION_UPDATING_REJECT: self._tell,
            T.CM_SERVICE_ACCEPT: self._tell,
            T.CM_SERVICE_REJECT: self._tell,
            T.PAGING_REQUEST_TYPE_1: self._on_paging,
            T.CHANNEL_RELEASE: self._on_channel_release,
            T.ABORT: self._on_channel_release,
            T.MM_STATUS: lambda _message: None,
        }

    # -- the link

    async def listen(self) -> bool:
        """Hear the MSC; whether anything is heard."""
        if self.link is not None and self.link.up:
            return True
        try:
            link = self.link = await self.emm.site.connect(UM, self.emm.config.msc)
        except ConnectionError as error:
            self.emm.site.note(f"nothing is heard of {self.emm.config.msc}: {error}")
            return False
        link.on_receive, link.on_close = self._receive, self._lost
        return True

    def send(self, kind: dtap.MessageType, transaction: int = 0, *, answering: bool = False, **fields: Any) -> None:
        """Send a message."""
        if self.link is not None:
            self.link.send(dtap.encode(dtap.Message(kind, transaction, answering=answering, **fields)))

    def close(self) -> None:
        """Be out of coverage, or without power."""
        link, self.link = self.link, None
        if link is not None:
            link.close("terminal gone")
        self._forget()

    def switch_off(self) -> None:
        """Say goodbye (IMSI detach, 4.3.4), and hear no more."""
        if self.area is not None and self.emm.card is not None:
            identity = self.identity()
            self.send(T.IMSI_DETACH_INDICATION, mobile_station_classmark_1=_CLASSMARK_1, mobile_identity=identity)
            self.emm.observe("location_update", "detached")
        self.close()

    def _lost(self, _reason: str) -> None:
        self.link = None
        self._forget()

    def _forget(self) -> None:
        self.area = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(None)
        call, self.call = self.call, None
        if call is not None:
            call.lost()

    @property
    def in_call(self) -> bool:
        """True if the terminal has a call at an MSC of this process."""
        return self.link is not None and self.link.internal and self.call is not None

    def identity(self) -> MobileIdentity:
        """Return who it says it is where nobody has asked: its card, or the terminal itself without one."""
        if self.emm.card is not None:
            return MobileIdentity(IdentityType.IMSI, self.emm.card.imsi)
        return self.emm.terminal.identity(IdentityType.IMEI)

    # -- procedures of MM

    async def update_location(self) -> dtap.Message | None:
        """Ask to be registered (4.4.4.1); return the answer, None for none."""
        return await self._ask(
            _T3210,
            T.LOCATION_UPDATING_REQUEST,
            location_updating_type=dtap.LocationUpdatingType.IMSI_ATTACH,
            ciphering_key_sequence_number=_NO_KEY,
            location_area_identification=self.area or _NOWHERE,
            mobile_station_classmark_1=_CLASSMARK_1,
            mobile_identity=self.identity(),
        )

    async def ask_service(self, purpose: dtap.CmServiceType) -> dtap.Message | None:
        """Ask for a connection (4.5.1.1); return the answer, None for none."""
        return await self._ask(
            _T3230,
            T.CM_SERVICE_REQUEST,
            cm_service_type=purpose,
            ciphering_key_sequence_number=_NO_KEY,
            mobile_station_classmark_2=_CLASSMARK_2,
            mobile_identity=self.identity(),
        )

    async def _ask(self, seconds: float, kind: dtap.MessageType, **fields: Any) -> dtap.Message | None:
        if self._answer is not None:
            return None
        answer: asyncio.Future[dtap.Message | None] = asyncio.get_running_loop().create_future()
        self._answer = answer
        self.send(kind, **fields)
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            return None
        finally:
            self._answer = None

    # -- what comes

    def _receive(self, data: bytes, _stream: int) -> None:
        try:
            message = dtap.decode(data)
            if self.link is not None:
                self.link.know()
            if message.type.discriminator is dtap.Discriminator.CC:
                self._on_call_control(message)
            elif message.type in self._handlers:
                self._handlers[message.type](message)
            else:
                raise PeerError(f"{message.type.name} makes no sense to a terminal")  # noqa: TRY301 - as the decoder's
        except PeerError as error:
            if self.link is not None:
                self.emm.site.peer_fault(self.link, error.reason, data)

    def _tell(self, message: dtap.Message) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(message)

    def _on_identity_request(self, message: dtap.Message) -> None:
        asked = message["identity_type"]
        mine = self.identity() if asked == IdentityType.IMSI else self.emm.terminal.identity(asked)
        self.send(T.IDENTITY_RESPONSE, mobile_identity=mine)

    def _on_paging(self, message: dtap.Message) -> None:
        """Answer a page for the card (TS 44.018 3.3.2.2)."""
        if self.area is not None and message["mobile_identity"] == self.identity():
            self.send(
                T.PAGING_RESPONSE,
                ciphering_key_sequence_number=_NO_KEY,
                mobile_station_classmark_2=_CLASSMARK_2,
                mobile_identity=self.identity(),
            )

    def _on_channel_release(self, _message: dtap.Message) -> None:
        call, self.call = self.call, None
        if call is not None:
            call.lost()

    def _on_call_control(self, message: dtap.Message) -> None:
        if message.type is T.SETUP and self.call is None:
            self.call = Call(self.emm, self.send, message.transaction, originating=False)
        if self.call is None or not self.call.is_of(message):
            raise PeerError(f"{message.type.name} of no call")
        self.call.take(message)
