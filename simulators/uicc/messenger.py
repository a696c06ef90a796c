"""An applet that has the terminal send a short message (SEND SHORT MESSAGE) each time that the operator calls the card.

It is called by SIM data download (TS 31.111 7.1.1). Whoever wrote it chose to whom it writes, and by which service
centre: to the network its messages are as any of the card's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.uicc.applet import ProactiveApplet
from simwarden.errors import PeerError
from simwarden.wire.apdu import cat
from simwarden.wire.apdu.cat import ProactiveCommand, TerminalResponse
from simwarden.wire.apdu.tlv import objects
from simwarden.wire.sms import Address, Submit, UserData, encode, encode_rp_address, octets_for, scheme_for

if TYPE_CHECKING:
    from simulators.uicc.config import AppletSms

_PP_DOWNLOAD = 0xD1


class Messenger(ProactiveApplet):
    """What the applet has to send in one card session; a reset forgets it."""

    __slots__ = ("_command", "result")

    def __init__(self, message: AppletSms | None = None) -> None:
        self._command = _command(message) if message is not None and message.to else None
        #: how the terminal said that the last one ended
        self.result: TerminalResponse | None = None
        super().__init__()

    @property
    def open(self) -> bool:
        """Whether the terminal is at work for it."""
        return self._asked is not None

    def on_envelope(self, data: bytes) -> None:
        """ENVELOPE: where it brings a message for the card, have one sent. Raises PeerError."""
        if self._command is not None and any(tag == _PP_DOWNLOAD for tag, _ in objects(data)):
            self.waiting = self._command._replace(number=self.next_number())

    def on_response(self, data: bytes) -> None:
        """TERMINAL RESPONSE: learn how it ended. Raises PeerError if malformed."""
        asked, self._asked = self._asked, None
        response = TerminalResponse.parse(data)
        if asked is None or (response.number, response.kind) != (asked.number, asked.kind):
            raise PeerError("TERMINAL RESPONSE to another command")
        self.result = response


def _command(message: AppletSms) -> ProactiveCommand:
    scheme = scheme_for(message.text)
    submit = Submit(
        reference=0,  # the terminal's to give (TS 31.111 6.4.10)
        destination=Address.parse(message.to),
        data_coding_scheme=scheme,
        user_data=UserData(octets_for(message.text, scheme)),
    )
    centre = Address.parse(message.service_centre) if message.service_centre else None
    return cat.send_short_message(0, encode(submit), encode_rp_address(centre)[1:])
