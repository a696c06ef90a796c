"""What the machine of TCAP tells its user (the indications of Q.771), and its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from simwarden.wire.sccp import Address
    from simwarden.wire.tcap import Component, Context, Problem
    from simwarden.wire.tcap.user import OperationClass


class TcapLimits(NamedTuple):
    """How much an endpoint takes."""

    #: transactions at a time; one more is answered by P-ABORT resourceLimitation
    dialogues: int = 100_000
    #: operations of ours in a dialogue that may be without an answer
    invokes: int = 64


@dataclass(frozen=True, slots=True)
class Begun:
    """TC-BEGIN: a peer opens a dialogue. Without a dialogue portion there is no context (MAP version 1)."""

    dialogue: int
    called: Address
    calling: Address
    context: Context | None
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class Continued:
    """TC-CONTINUE: the dialogue goes on; the first one after our TC-BEGIN confirms it, with the context agreed."""

    dialogue: int
    components: tuple[Component, ...]
    context: Context | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """TC-END: the peer ends the dialogue, with a last word."""

    dialogue: int
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class Aborted:
    """The dialogue is over: given up by the peer's user, or by a provider (`cause`, or a reason of its own).

    `refused` is the context that a peer names which does not take the one that was asked for.
    """

    dialogue: int
    reason: str
    by_provider: bool
    cause: int | None = None
    refused: Context | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """TC-L-CANCEL: an operation of ours has had no answer in its time. By its kind that is success, or failure."""

    dialogue: int
    invoke_id: int
    opcode: int
    kind: OperationClass


@dataclass(frozen=True, slots=True)
class Rejected:
    """A component is rejected: one of ours by the peer, or (`local`) one of the peer's by us with our next message."""

    dialogue: int
    invoke_id: int | None
    problem: Problem
    local: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """What came is no message, or of no transaction; it was answered where there is an answer."""

    reason: str
    data: bytes = b""


DialogueEvent: TypeAlias = Begun | Continued | Ended | Aborted | Cancelled | Rejected
"""What is told of a dialogue."""
Event: TypeAlias = DialogueEvent | Fault
