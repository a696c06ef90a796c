"""What a user can do with a terminal (the arguments of its verbs), and what can be observed of it."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from simulators.device.config import split_cell
from simulators.device.misbehaviour import MESSAGES
from simulators.device.state import EmmState
from simwarden.model.values import ADDRESS, APN, CELL, IMEI, TAI, instance_of, members, one_of
from simwarden.runtime.declare import HISTORY, CardName, DeviceName, Observable, VerbModel
from simwarden.wire.nas.enums import EmmCause, EsmCause


class OneDevice(VerbModel):
    """A verb that needs to know the terminal only."""

    shorthand = "device"
    target = "device"
    device: DeviceName
    """The terminal."""


class Insert(VerbModel):
    """Put a card into a terminal."""

    target = "into"
    card: CardName
    """The card."""
    into: DeviceName
    """The terminal."""


class Move(VerbModel):
    """Move a card to another terminal."""

    target = "to"
    card: CardName
    """The card, wherever it is."""
    to: DeviceName
    """The terminal."""


class HotSwap(VerbModel):
    """Change the card of a running terminal."""

    target = "device"
    device: DeviceName
    """The terminal."""
    card: CardName
    """The card that goes in."""


class Tau(VerbModel):
    """Update the tracking area."""

    shorthand = "device"
    target = "device"
    device: DeviceName
    """The terminal."""
    periodic: bool = False
    """As the periodic update, else as one for a new tracking area."""


class Goto(VerbModel):
    """Take a terminal to another cell."""

    target = "device"
    device: DeviceName
    """The terminal."""
    cell: str
    """The cell by its name (enb2/1)."""

    @field_validator("cell")
    @classmethod
    def _is_cell(cls, value: str) -> str:
        split_cell(value)
        return value


class SendNas(VerbModel):
    """Send a NAS message that is not due, or not as it is due."""

    target = "device"
    device: DeviceName
    """The terminal."""
    message: str
    """The message by its spec's name (`detach-request`)."""
    protection: Literal["due", "none", "wrong-mac", "replayed"] = "due"
    """As it is due; none; a false message authentication code; or an earlier message of that name, octet by octet."""
    imsi: str = ""
    """Whom it names, if not whom the terminal is registered as."""

    @field_validator("message")
    @classmethod
    def _is_known(cls, value: str) -> str:
        name = value.lower().replace("_", "-")
        if name not in MESSAGES:
            raise ValueError(f"a terminal cannot make up {value!r}; it can: {', '.join(MESSAGES)}")
        return name


_OUTCOMES = (
    "accepted",
    "rejected",
    "no-answer",
    "card-refused",
    "interlocked",
    "backed-off",
    "barred",
    "no-suitable-cell",
    "no-cell",
    "usim-invalid",
)
#: how an attach, an update or a service request may end, with what holds it back
ENDED = (*_OUTCOMES, "no-card", "detached", "off", "emergency", "not-registered", "no-keys")
#: how a card may come into a terminal, which may attach with it
INSERTED = ("inserted", "refused", *ENDED)
#: how a terminal may come to another cell
CAMPED = ("camped", "handed-over", "no-cell", "refused", *ENDED)

OBSERVABLES = (
    Observable("power", "whether the terminal is on", values=one_of("on", "off")),
    Observable("card", "the card in its slot, none without", values=instance_of("uicc")),
    Observable(
        "attach",
        "how the last attach ended, or what became of it",
        values=one_of("started", *_OUTCOMES, "no-card", "detached", "off", "emergency"),
        passing=HISTORY,
    ),
    Observable("tau", "how the last tracking area update ended", values=one_of(*ENDED), passing=HISTORY),
    Observable("service_request", "how the last service request ended", values=one_of(*ENDED), passing=HISTORY),
    Observable(
        "detach", "how the last detach of its own ended", values=one_of("accepted", "no-answer"), passing=HISTORY
    ),
    Observable("emergency_call", "how the last emergency call ended", values=one_of(*ENDED), passing=HISTORY),
    Observable(
        "emm_cause",
        "the EMM cause of the network's last answer, by the name of TS 24.301; one on which the terminal attaches "
        "again is still to be seen then",
        values=members(EmmCause),
        passing=HISTORY,
    ),
    Observable(
        "esm_cause",
        "the ESM cause of the network's last answer, by the name of TS 24.301",
        values=members(EsmCause),
        passing=HISTORY,
    ),
    Observable("emm_state", "state and substate of EMM", values=members(EmmState)),
    Observable(
        "usim", "whether the terminal holds its card valid", values=one_of("valid", "invalid-for-eps", "invalid")
    ),
    Observable(
        "interlock",
        "what the terminal's comparison of the IMEI on the card gave",
        values=one_of("matches", "unbound", "mismatch", "not-compared"),
    ),
    Observable("cell", "E-CGI of the cell that it is in", values=CELL),
    Observable("tai", "TAI of the cell that it is in", values=TAI),
    Observable("apn", "access point name of its default bearer", values=APN),
    Observable("address", "address of its default bearer", values=ADDRESS, passing=HISTORY),
    Observable("imei", "its true IMEI, 15 digits", values=IMEI),
)
