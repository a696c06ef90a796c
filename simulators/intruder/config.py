"""Settings of the intruder."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from simulators.intruder.avps import check_avps, request_name
from simwarden.model.interfaces import INTERFACES
from simwarden.runtime.declare import ElementConfig, Names, VerbModel
from simwarden.runtime.sigtran.settings import Nodes, PointCode, Signalling
from simwarden.wire.diameter.family import DIAMETER

#: what answers an operation that was heard, and how a message of a dialogue may be said
ANSWERS: Final = ("result", "error", "reject")
_WAYS: Final = ("begin", "continue", "end", "abort", "nothing")
#: the reference points at which it may stand for a server of credit control
SERVED: Final = ("Gx", "Gy")


def _of_diameter(value: str) -> str:
    known = INTERFACES.get(value)
    if known is None or known.protocol != DIAMETER.name:
        raise ValueError(f"{value} is no Diameter interface")
    return value


def _sayable(said: list[Any]) -> list[Any]:
    for each in said:
        if not isinstance(each, dict) and each not in _WAYS:
            raise ValueError(f"an operation with its argument, or one of {', '.join(_WAYS)} is expected, not {each!r}")
        for name in ANSWERS if isinstance(each, dict) else ():
            given = each.get(name, {"of": "", "code": "0"})
            if not isinstance(given, dict) or "of" not in given:
                raise ValueError(f"{name}: the operation that it is `of` is expected, not {given!r}")
            if name == "error" and not str(given.get("code", "")).isdecimal():
                raise ValueError(f"error: its code is expected, a number, not {given.get('code', '')!r}")
    return said


Said = Annotated[list[Any], AfterValidator(_sayable)]


class IntruderSignalling(Signalling):
    """Where it is in the signalling network: as an exchange, or as a gsmSCF."""

    nodes: Nodes = Field(default_factory=dict)
    """Who may associate themselves with it, by any names."""


class IntruderConfig(ElementConfig):
    """Who it says it is when it connects."""

    host: str = "intruder.example.net"
    """Origin-Host of its capabilities exchange: its own name, or that of a node it pretends to be."""
    realm: str = "example.net"
    """Origin-Realm; by default the domain of its host (what follows the first label)."""
    unanswered: int = Field(default=0, ge=0)
    """How many requests of others (CLR, IDR, ALR, RAR) it leaves unanswered before it answers one."""
    agent: dict[Annotated[str, AfterValidator(_of_diameter)], str] = Field(default_factory=dict)
    """As an agent that relays all requests (DRA): the element that each reference point leads to (`{SGd: smsc}`)."""
    serves: tuple[Literal["Gx", "Gy"], ...] = ()
    """Where it stands for a PCRF or an OCS, and answers as a step says (`answer_requests`)."""
    signalling: IntruderSignalling | None = None
    """Where it is in the signalling network; none: it is not in it."""

    @model_validator(mode="before")
    @classmethod
    def _derive_realm(cls, data: Any) -> Any:
        host = data.get("host") if isinstance(data, dict) else None
        domain = host.partition(".")[2] if isinstance(host, str) else ""
        return {"realm": domain, **data} if domain else data


class IntruderVerb(VerbModel):
    """A verb that an intruder carries out."""

    target = "by"
    by: Annotated[str, Names("intruder")] = "intruder"
    """The intruder."""


class Forge(IntruderVerb):
    """Send a request that is made up, and say what became of it."""

    to: str
    """The element that is asked (`hss`)."""
    interface: Annotated[str, AfterValidator(_of_diameter)] = "S6a"
    """The reference point to connect on."""
    message: Annotated[str, AfterValidator(request_name)]
    """The request by its spec's name (`update-location-request`)."""
    application: int | None = None
    """Application-Id in the request's header, where it is not that of the message."""
    origin_host: str = ""
    """Origin-Host of the request, where it differs from that of the connection."""
    origin_realm: str = ""
    """Origin-Realm of the request, where it differs from that of the connection."""
    destination_realm: str = "epc.mnc001.mcc001.3gppnetwork.org"
    """Destination-Realm of the request."""
    session: str = ""
    """Session-Id of the request, where it is that of an earlier one; a server's is that of which it was asked last."""
    avps: Annotated[dict[str, Any], AfterValidator(check_avps)] = Field(default_factory=dict)
    """The other AVPs by their spec's names; groups as mappings, octets in hexadecimal or as `{text: ...}`, repeated
    ones as lists."""


class AnswerRequests(IntruderVerb):
    """From now on answer what is asked of it where it stands for a PCRF or an OCS (`serves`)."""

    answers: list[Annotated[dict[str, Any], AfterValidator(check_avps)]]
    """What is said to each CCR that comes, one after another: AVPs as those of `forge`, Result-Code among them where it
    is no success. Then success, and nothing else."""


class SayInDialogue(IntruderVerb):
    """Say something in the last dialogue of CAP."""

    say: Said
    """Operations by their names (`initial-dp`), each with its argument: a mapping by our names of its parts, or octets
    in hexadecimal; `result`, `error` and `reject` with what they are `of`; how it is said: `end`, `abort` or
    `nothing`."""


class BeginDialogue(SayInDialogue):
    """Begin a dialogue of CAP as an exchange does, and say what came of it."""

    point_code: PointCode = 146
    """Whom it asks."""
    phase: Annotated[int, Field(ge=2, le=4)] = 4
    """The phase of CAP in which it asks."""


class AnswerDialogues(IntruderVerb):
    """From now on answer who begins a dialogue of CAP."""

    answers: list[Said]
    """What is said to each message that comes, one after another, as `say` has it. Then nothing."""
    phases: tuple[Annotated[int, Field(ge=2, le=4)], ...] = (2, 3, 4)
    """The phases of CAP that it takes."""
