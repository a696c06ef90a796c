"""The interlock's applet: it asks the terminal who it is (TS 102.223 6.4.15) and guards AUTHENTICATE."""

from __future__ import annotations

from simwarden.errors import PeerError
from simwarden.wire.apdu import cat
from simwarden.wire.apdu.cat import Local, ProactiveCommand, TerminalProfile, TerminalResponse


class ProactiveApplet:
    """An applet with a command for the terminal: one that waits, or one that the terminal carries out."""

    __slots__ = ("_asked", "_number", "waiting")

    def __init__(self) -> None:
        self._number = 0
        self.reset()

    def reset(self) -> None:
        """Begin a card session."""
        self.waiting: ProactiveCommand | None = None
        self._asked: ProactiveCommand | None = None

    def next_number(self) -> int:
        """Return the number of the next command (TS 102.223 8.6)."""
        self._number = self._number % 0xFE + 1
        return self._number

    def fetch(self) -> None:
        """FETCH: what waits is handed out."""
        self._asked, self.waiting = self.waiting, None


class Interlock(ProactiveApplet):
    """What the applet learns in one card session; a reset forgets it.

    It asks for the IMEISV, and for the IMEI if the terminal cannot give that. What the terminal claims in its profile
    decides only where to begin: a terminal that claims neither is asked all the same, for claims cost nothing.
    """

    __slots__ = ("seen",)

    def reset(self) -> None:
        """Begin a card session: nothing is known of the terminal."""
        super().reset()
        self.seen = ""

    def on_profile(self, profile: TerminalProfile) -> None:
        """TERMINAL PROFILE: ask."""
        self.reset()
        self._ask(Local.IMEISV if profile.imeisv or not profile.imei else Local.IMEI)

    def _ask(self, what: Local) -> None:
        self.waiting = cat.provide_local_information(self.next_number(), what)

    def on_response(self, data: bytes) -> None:
        """TERMINAL RESPONSE: learn the identity, or ask for the IMEI instead. Raises PeerError if malformed."""
        asked, self._asked = self._asked, None
        if asked is None:
            raise PeerError("TERMINAL RESPONSE to nothing")
        response = TerminalResponse.parse(data)
        fits = (response.number, response.kind, response.qualifier) == (asked.number, asked.kind, asked.qualifier)
        if fits and response.result < 0x10 and response.identity:
            self.seen = response.identity
        elif asked.qualifier == Local.IMEISV:
            self._ask(Local.IMEI)
