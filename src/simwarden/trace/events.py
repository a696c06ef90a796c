"""The events of the trace. Elements make them through their Site; sinks and expectations read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from simwarden.policy.decision import Decision  # noqa: TC001 - a field's type, resolved by readers at run time
from simwarden.wire.dissection import Dissection  # noqa: TC001 - as above


@dataclass(slots=True, kw_only=True)
class Event:
    """What all events have: `number` (order in the trace, from 1) and `time` in seconds since the run's start."""

    kind: ClassVar[str] = "event"
    number: int = 0
    time: float = 0.0


@dataclass(slots=True, kw_only=True)
class Frame(Event):
    """Bytes that one element sent to another. Decoding happens when somebody asks (`trace.dissect.dissect`).

    `interface` is a reference point by name (`S6a`); `protocol` the wire family (`diameter`); `stream` and `ppid`
    belong to SCTP. `clear` is the same message before it was ciphered, where the sender ciphered it.
    """

    kind: ClassVar[str] = "frame"
    source: str
    target: str
    interface: str
    protocol: str
    data: bytes
    link: int = 0
    stream: int = 0
    ppid: int = 0
    clear: bytes | None = None
    #: whether the sender is the side that connected; captures derive ports from it
    from_client: bool = True
    #: whether it was on SCTP, also where its reference point is a stream (Diameter)
    on_sctp: bool = False
    #: host and port of sender and receiver, of a datagram
    ends: tuple[tuple[str, int], tuple[str, int]] | None = None
    #: what `trace.dissect.dissect` found, kept so that a frame is decoded once
    dissection: Dissection | None = field(default=None, repr=False, compare=False)


@dataclass(slots=True, kw_only=True)
class StateChange(Event):
    """An element's observable took a value.

    A scalar observable has no key: (`meter`, `attach`) is now `accepted`. A record has a key and a mapping as value
    (`hss`, `binding`, key an IMSI: {imsi, imei}); None means that the record is gone.
    """

    kind: ClassVar[str] = "state"
    element: str
    observable: str
    value: Any
    key: str | None = None


@dataclass(slots=True, kw_only=True)
class Decided(Event):
    """A control decided."""

    kind: ClassVar[str] = "decision"
    element: str
    decision: Decision
    #: the switch that replaced the rule or ignored its refusal (`policy/decision.py`), else empty
    forced: str = ""


@dataclass(slots=True, kw_only=True)
class Rejected(Event):
    """An element is about to reject what a device asked for: in which message, with which cause, and why.

    `by` is the element that it comes from, mostly this one. `clause` says that the protocol itself demands it; without
    one a control of `by` refused the `subject` (an IMSI, or an IMEI where no card is known; empty where the device is
    not known at all).
    """

    kind: ClassVar[str] = "rejection"
    element: str
    message: str
    cause: Any
    reason: str
    subject: str = ""
    clause: str = ""
    by: str = ""


@dataclass(slots=True, kw_only=True)
class Note(Event):
    """Something worth a line in the ladder: a timer that ran out, keep-alives skipped, a stub at work, a link down."""

    kind: ClassVar[str] = "note"
    element: str
    text: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class PeerFault(Event):
    """An element received bytes that are malformed or break the protocol (a PeerError), and served on."""

    kind: ClassVar[str] = "peer-fault"
    element: str
    peer: str
    interface: str
    reason: str
    data: bytes = b""


@dataclass(slots=True, kw_only=True)
class PacketDropped(Event):
    """A user packet came as far as `element` and went no further; `data` as it came (in GTP-U, say, where it was)."""

    kind: ClassVar[str] = "packet-dropped"
    element: str
    interface: str
    protocol: str
    reason: str
    subject: str = ""
    data: bytes = b""


@dataclass(slots=True, kw_only=True)
class Fault(Event):
    """A bug of ours, caught by the host: the traceback is in `detail`. A run with a Fault ends as an internal error."""

    kind: ClassVar[str] = "fault"
    element: str
    reason: str
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class Answered(Event):
    """An element answered a management call of the story: who called in which role, and what status and body it got."""

    kind: ClassVar[str] = "answer"
    element: str
    role: str
    caller: str
    method: str
    path: str
    status: int
    body: Any = None


@dataclass(slots=True, kw_only=True)
class StepMark(Event):
    """The runner began a step of the scenario."""

    kind: ClassVar[str] = "step"
    index: int
    text: str
    line: int = 0
