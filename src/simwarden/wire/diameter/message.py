"""Diameter messages as values, and what may be wrong with one: RFC 6733 3, 4 and 7."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from simwarden.errors import PeerError
from simwarden.wire.diameter.codes import VENDOR_3GPP, Application, ExperimentalResult, ResultCode
from simwarden.wire.diameter.dictionary import APPLICATIONS, BY_CODE, COMMANDS, KEYS, NAMES, find_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from simwarden.wire.diameter.dictionary import Command, Grammar

T = TypeVar("T")
FLAG_REQUEST = 0x80
FLAG_PROXIABLE = 0x40
FLAG_ERROR = 0x20
FLAG_RETRANSMITTED = 0x10
#: what an Auth-Session-State says (RFC 6733 8.11) wherever a grammar wants it
NO_STATE_MAINTAINED: Final = 1

Avps = list[tuple[str, Any]]
"""AVPs in order: name by the spec and value; the value of a group is again such a list, of an unknown AVP a RawAvp.
A Failed-AVP may end in Undecoded."""


@dataclass(frozen=True, slots=True)
class RawAvp:
    """An AVP kept as it came: one that the dictionary lacks, or the offender in a Failed-AVP."""

    code: int
    vendor: int
    flags: int
    data: bytes

    @property
    def mandatory(self) -> bool:
        """Whether a receiver that does not know it must reject the message (RFC 6733 4.1, M bit)."""
        return bool(self.flags & 0x40)

    @property
    def name(self) -> str:
        """What stands for a name: `AVP-10415-9999`, or `AVP-9999` without a vendor."""
        return f"AVP-{self.vendor}-{self.code}" if self.vendor else f"AVP-{self.code}"


@dataclass(frozen=True, slots=True)
class Undecoded:
    """The rest of a Failed-AVP from where no AVP's header can be true: octets as they came, sent so again."""

    name: ClassVar[str] = "undecoded"
    data: bytes


class SharedGroup(list[tuple[str, Any]]):
    """The value of a group that messages have in common: it is that of all of them, and never changes.

    `grammar` is the one that it was checked against, `octets` are its encoded AVPs; None until then.
    """

    __slots__ = ("_meanings", "grammar", "octets")

    def __init__(self, avps: Iterable[tuple[str, Any]]) -> None:
        self.grammar: Grammar | None = None
        self.octets: bytes | None = None
        self._meanings: dict[Callable[[Avps], Any], Any] = {}
        super().__init__([(each[0], SharedGroup(each[1])) if each[1].__class__ is list else each for each in avps])

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise TypeError("the group is in several messages")

    def read(self, reader: Callable[[Avps], T]) -> T:
        """Return what a reader makes of the group, which is made once for each reader."""
        if reader not in self._meanings:
            self._meanings[reader] = reader(self)
        meaning: T = self._meanings[reader]
        return meaning

    append = extend = insert = remove = pop = clear = sort = reverse = _refuse
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse


def read_group(avps: Avps, reader: Callable[[Avps], T]) -> T:
    """Return what a reader makes of a group; of one that messages have in common it is made once."""
    return avps.read(reader) if isinstance(avps, SharedGroup) else reader(avps)


class DiameterError(PeerError):
    """A message is wrong; `code` is the Result-Code that says how, `failed` the AVPs for Failed-AVP (RFC 6733 7.5)."""

    def __init__(self, code: ResultCode, reason: str, failed: Sequence[tuple[str, Any]] = ()) -> None:
        super().__init__(reason, code=int(code))
        self.result = code
        self.failed = tuple(failed)


def first(avps: Iterable[tuple[str, Any]], name: str, default: Any = None) -> Any:
    """Return the value of the first AVP of that name in a list (a message's or a group's), else the default."""
    for key, value in avps:
        if key == name:
            return value
    return default


@dataclass(slots=True, repr=False)
class Message:
    """One message (RFC 6733 3): the header's fields and the AVPs in their order.

    `unsupported` holds AVPs with the M bit that the dictionary lacks, also those inside groups: whoever must
    understand the message answers it with 5001. `body`, where it is there, are the AVPs as they came: an agent sends
    these on, flags and all, and not the values (RFC 6733 6.1.9).
    """

    command: int
    application: int
    flags: int
    hop_by_hop: int = 0
    end_to_end: int = 0
    avps: Avps = field(default_factory=list)
    unsupported: list[RawAvp] = field(default_factory=list, compare=False)
    body: bytes | None = field(default=None, compare=False)

    @property
    def request(self) -> bool:
        """Whether the R bit is set."""
        return self.flags & FLAG_REQUEST != 0

    @property
    def error(self) -> bool:
        """Whether the E bit is set."""
        return self.flags & FLAG_ERROR != 0

    @property
    def name(self) -> str:
        """The message's name (`update-location-request`), or `command-N-request` if the command is unknown."""
        known = COMMANDS.get((self.application, self.command, self.request))
        if known is not None:
            return known.name
        kind = "request" if self.request else "answer"
        return NAMES.get((self.command, self.request), f"command-{self.command}-{kind}")

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of the first AVP of that name, else the default."""
        for key, value in self.avps:
            if key == name:
                return value
        return default

    def all(self, name: str) -> list[Any]:
        """Return the values of all AVPs of that name, in order."""
        return [value for key, value in self.avps if key == name]

    def find(self, *path: str) -> Any:
        """Return the value at a path through groups (`find("Terminal-Information", "IMEI")`), else None."""
        avps: Any = self.avps
        for name in path:
            if avps is None:
                return None
            avps = first(avps, name)
        return avps

    @property
    def result_code(self) -> int | None:
        """Result-Code of an answer, None if it has none."""
        code: int | None = self.get("Result-Code")
        return code

    @property
    def experimental_result(self) -> int | None:
        """Experimental-Result-Code of an answer, None if it has none."""
        code: int | None = self.find("Experimental-Result", "Experimental-Result-Code")
        return code

    @property
    def success(self) -> bool:
        """Whether this is an answer with a 2xxx result."""
        code = self.result_code or self.experimental_result or 0
        return 2000 <= code < 3000

    def __repr__(self) -> str:
        return f"Message({self.name}, hop_by_hop={self.hop_by_hop:#010x}, {_masked(self.avps)!r})"


def secret(name: str, value: Any) -> bool:
    """Whether an AVP's value must not be shown: a key, also one that was kept as it came, and what may be one."""
    if value.__class__ is RawAvp:
        known = BY_CODE.get(value.vendor, {}).get(value.code)
        return known is not None and known.name in KEYS
    return name in KEYS or value.__class__ is Undecoded


def _masked(avps: Avps) -> Avps:
    return [
        (name, "***" if secret(name, value) else _masked(value) if isinstance(value, list) else value)
        for name, value in avps
    ]


@cache
def _request_named(name: str, application: int | None) -> Command:
    return find_request(name, application)


def request(
    name: str,
    avps: Iterable[tuple[str, Any]],
    *,
    application: int | None = None,
    hop_by_hop: int = 0,
    end_to_end: int = 0,
) -> Message:
    """Make a request by its spec's name (`Update-Location-Request`) with the flags and application of its grammar.

    `application` says of which, where several have such a request. Raises KeyError for a name that the dictionary
    lacks, and for one of which the application must be said.
    """
    command = _request_named(name, application)
    flags = FLAG_REQUEST | (FLAG_PROXIABLE if command.proxiable else 0)
    return Message(command.code, command.application, flags, hop_by_hop, end_to_end, list(avps))


def begin(message: Message, session: str, origin: tuple[str, str], realm: str, host: str = "") -> None:
    """Put before a request's AVPs what its grammar begins with; Destination-Host is left out where `host` is empty."""
    application = message.application
    values: dict[str, Any] = {
        "Session-Id": session,
        "Vendor-Specific-Application-Id": application_id(application)[1],
        "Auth-Application-Id": application,
        "Auth-Session-State": NO_STATE_MAINTAINED,
        "Origin-Host": origin[0],
        "Origin-Realm": origin[1],
        "Destination-Host": host,
        "Destination-Realm": realm,
    }
    head = COMMANDS[application, message.command, True].head
    message.avps = [(name, values[name]) for name in head if values[name] != ""] + message.avps


def application_id(application: int) -> tuple[str, Any]:
    """Make the AVP that names an authorisation application (RFC 6733 6.8, 6.11): a vendor's in a group with it."""
    known = APPLICATIONS.get(application)
    vendor = VENDOR_3GPP if known is None else known.vendor
    if not vendor or application == Application.RELAY:
        return "Auth-Application-Id", application
    return "Vendor-Specific-Application-Id", [("Vendor-Id", vendor), ("Auth-Application-Id", application)]


def result_avp(result: ResultCode | ExperimentalResult | int, *, experimental: bool = False) -> tuple[str, Any]:
    """Make the AVP that carries a result: Result-Code, or Experimental-Result for codes of TS 29.272.

    An ExperimentalResult says by its type what it is; for a bare number (an operator's own code) `experimental` does.
    """
    if experimental or isinstance(result, ExperimentalResult):
        return "Experimental-Result", [("Vendor-Id", VENDOR_3GPP), ("Experimental-Result-Code", int(result))]
    return "Result-Code", int(result)


#: of each request, what its answer begins with and what it repeats of it
_ANSWERS: Final = {
    (each.application, each.code): (each.head, each.repeated) for each in COMMANDS.values() if not each.request
}
#: an answer to what no application has is one of the generic grammar (RFC 6733 7.2)
_ANY_ANSWER: Final[tuple[tuple[str, ...], tuple[str, ...]]] = ((), ())


def answer_to(
    asked: Message,
    result: ResultCode | ExperimentalResult | int,
    origin: tuple[str, str],
    avps: Iterable[tuple[str, Any]] = (),
    *,
    experimental: bool = False,
    failed: Sequence[tuple[str, Any]] = (),
    reason: str = "",
) -> Message:
    """Make the answer to a request (RFC 6733 6.2): same identifiers and command, Session-Id first, Proxy-Info kept.

    `origin` is our Origin-Host and Origin-Realm. A 3xxx result sets the E bit (7.1.3), where the answer follows the
    generic grammar of 7.2 with `reason` as Error-Message. `failed` becomes Failed-AVP.
    """
    flags = asked.flags & FLAG_PROXIABLE
    protocol_error = 3000 <= int(result) < 4000 and not experimental
    out: Avps = []
    session = asked.get("Session-Id")
    if session is not None:
        out.append(("Session-Id", session))
    head, repeated = _ANSWERS.get((asked.application, asked.command), _ANY_ANSWER)
    if protocol_error:
        flags |= FLAG_ERROR
        head, repeated = (), ()
    if "Vendor-Specific-Application-Id" in head:
        out.append(application_id(asked.application))
    out.append(result_avp(result, experimental=experimental))
    if "Auth-Session-State" in head:
        out.append(("Auth-Session-State", NO_STATE_MAINTAINED))
    out += [("Origin-Host", origin[0]), ("Origin-Realm", origin[1])]
    if "Auth-Application-Id" in head:
        out.append(("Auth-Application-Id", asked.application))
    if repeated:
        out += [(name, value) for name, value in asked.avps if name in repeated]
    out += avps
    if reason:
        out.append(("Error-Message", reason))
    if failed:
        out.append(("Failed-AVP", list(failed)))
    out += [(name, value) for name, value in asked.avps if name == "Proxy-Info"]
    return Message(asked.command, asked.application, flags, asked.hop_by_hop, asked.end_to_end, out)
