"""Messages of SIP, each type at least once, and two agents on a wire that may lose what it carries."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

from simwarden.machine.sip_agent import SipAgent
from simwarden.wire import sip
from simwarden.wire.sip import Headers, NameAddress, Request, Response, Uri

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.wire.sip import Message

LOCAL, FAR = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
CALLER: Final = NameAddress(Uri("+8614400000017", "192.0.2.1"))
TARGET: Final = "sip:+8610800000001@192.0.2.2"
OFFER: Final = sip.describe("192.0.2.1", 4000)


def headers(method: str, number: int = 1, *more: tuple[str, str], tag: str = "") -> Headers:
    to = NameAddress(Uri("+8610800000001", "192.0.2.2"))
    return Headers(
        (
            ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds;rport"),
            ("Max-Forwards", "70"),
            ("From", str(CALLER.with_tag("1928301774"))),
            ("To", str(to.with_tag(tag) if tag else to)),
            ("Call-ID", "a84b4c76e66710@192.0.2.1"),
            ("CSeq", f"{number} {method}"),
            *more,
        )
    )


_CONTACT = ("Contact", "<sip:+8614400000017@192.0.2.1:5060>")
_SDP = ("Content-Type", "application/sdp")
DTMF = ("Content-Type", "application/dtmf-relay")
_REASON = sip.reason_header(21)
MESSAGES: Final[dict[str, Message]] = {
    "invite": Request(
        "INVITE",
        TARGET,
        headers("INVITE", 1, _CONTACT, ("P-Asserted-Identity", "<sip:+8614400000017@192.0.2.1>"), _SDP),
        OFFER,
    ),
    "ack": Request("ACK", TARGET, headers("ACK", tag="a6c85cf")),
    "bye": Request("BYE", TARGET, headers("BYE", 2, sip.reason_header(16), tag="a6c85cf")),
    "cancel": Request("CANCEL", TARGET, headers("CANCEL")),
    "options": Request("OPTIONS", "sip:192.0.2.2", headers("OPTIONS")),
    "info": Request("INFO", TARGET, headers("INFO", 3, DTMF, tag="a6c85cf"), sip.encode_digit("5")),
    "request": Request("UPDATE", TARGET, headers("UPDATE", 4, tag="a6c85cf")),
    "invite-response": Response(403, headers("INVITE", 1, _REASON, tag="a6c85cf")),
    "invite-response, answered": Response(200, headers("INVITE", 1, _CONTACT, _SDP, tag="a6c85cf"), OFFER),
    "invite-response, timer": Response(180, headers("INVITE", 1, _CONTACT, tag="a6c85cf")),
    "bye-response": Response(200, headers("BYE", 2, tag="a6c85cf")),
    "cancel-response": Response(200, headers("CANCEL", tag="a6c85cf")),
    "options-response": Response(200, headers("OPTIONS", 1, ("Allow", "INVITE, ACK"), tag="a6c85cf")),
    "info-response": Response(469, headers("INFO", 3, ("Recv-Info", ""), tag="a6c85cf")),
    "request-response": Response(405, headers("UPDATE", 4, ("Allow", "INVITE"), tag="a6c85cf")),
}


def draw(seed: int) -> Callable[[int], bytes]:
    """Return what gives octets at random, the same in each run."""
    return random.Random(seed).randbytes


class Wire:
    """Two agents, and datagrams between them, of which some may be lost."""

    def __init__(self, loses: Callable[[Message], bool] = lambda _message: False) -> None:
        self.now = 0.0
        self.near, self.far = SipAgent(LOCAL, draw(1)), SipAgent(FAR, draw(2))
        self.heard: dict[SipAgent, list[Any]] = {self.near: [], self.far: []}
        self.said: list[str] = []
        self._loses = loses

    def run(self) -> None:
        """Carry datagrams until all is quiet."""
        moved = True
        while moved:
            moved = False
            for agent, other, source in ((self.near, self.far, LOCAL), (self.far, self.near, FAR)):
                for data, _ in agent.data_to_send():
                    message = sip.decode(data)
                    told = message.method if isinstance(message, Request) else str(message.status)
                    self.said.append(told)
                    if not self._loses(message):
                        moved = True
                        other.receive(data, source, self.now)
                self.heard[agent] += agent.events()

    def wait(self, seconds: float) -> None:
        """Let time pass, with all that is due."""
        end = self.now + seconds
        while True:
            self.run()
            timers = [each.next_timer() for each in (self.near, self.far)]
            due = [each.deadline for each in timers if each is not None and each.deadline <= end]
            if not due:
                break
            self.now = max(self.now, min(due))
            for each in (self.near, self.far):
                each.on_timer(self.now)
        self.now = end

    def call(self) -> tuple[int, int]:
        """Call; return the numbers of the call at both ends."""
        call = self.near.invite(TARGET, CALLER, FAR, self.now, body=OFFER)
        self.run()
        return call, self.heard[self.far][-1].call
