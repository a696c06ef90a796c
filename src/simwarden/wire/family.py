"""What a wire family declares of itself, and the families that are installed.

A family is a folder with a `family.py` that holds one `Family`, named by an entry point of the group
`simwarden.families`. It is names and a lazy reference to its `Reading`, so that whoever asks what is spoken where loads
no codec; trace, scenario files, `explain`, captures and pages read nothing else of it. Who speaks a protocol (an
element, a machine, `runtime.diameter`) imports its codec.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, cast

from simwarden.errors import ConfigError
from simwarden.model.interfaces import Interface, Service, declared, spoken_on
from simwarden.wire.stream import cut_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from enum import IntEnum

    from simwarden.model.values import Values
    from simwarden.wire.dissection import Dissection

__all__ = [
    "CauseField",
    "Causes",
    "Export",
    "Family",
    "Inner",
    "Interface",
    "Known",
    "MessageField",
    "MessageInfo",
    "Reading",
    "Service",
    "carried_by",
    "families",
    "family_of",
    "on_interface",
    "with_carried",
]


class Inner(Protocol):
    """Dissects what is carried inside, by family and octets.

    `from_client` is who sent that, where it is not who sent what carries it; `via` see Known.
    """

    def __call__(self, family: str, octets: bytes, *, from_client: bool | None = None, via: int = 0) -> Dissection:
        """Return the dissection. Raises PeerError."""


class Known(NamedTuple):
    """What is known of octets beside themselves.

    `asked` is what the client sent last on the link, for a family whose answers are read by it; `clear` the message
    before it was ciphered, where a frame told; `inner` dissects what is carried inside. A family
    that carries others asks it for each message inside, also for those that turn out to be bad (PeerError). `noted` is
    what a family that is carried has noted of earlier messages of the trace, for itself; `via` the number by which what
    carries it tells whose it is (a subsystem), 0 where there is none.
    """

    from_client: bool = True
    asked: bytes = b""
    clear: bytes | None = None
    inner: Inner | None = None
    noted: set[int] | None = None
    via: int = 0


class Export(NamedTuple):
    """Octets outside IP as a capture has them: the Wireshark dissector that reads them, and what it gets.

    One that is `named` is told of by its summary in the packet list, which Wireshark could not say by itself.
    """

    dissector: str = "data"
    octets: bytes = b""
    named: bool = True


class MessageField(NamedTuple):
    """A field: its name in expectations, whether the message always has it, and what it may be.

    `values` is the enumeration of its values, where it has one.
    """

    name: str
    required: bool
    may_be: Values
    values: type[IntEnum] | None = None


class MessageInfo(NamedTuple):
    """What a message is by its specification, and its fields.

    `interfaces` are those that carry it, empty if any of its protocol may. `others` are fields that it may have
    beside these: of its header, or any that its protocol has.
    """

    about: str
    fields: tuple[MessageField, ...] = ()
    interfaces: tuple[str, ...] = ()
    others: tuple[MessageField, ...] = ()


class Reading:
    """How the octets of a family are read, for all who look at them. A family overrides what it has to tell."""

    #: the Wireshark dissector of octets outside IP; empty: they are octets there
    dissector: str = ""
    #: `dissect` of a family that reads the octets alone
    read: Callable[[bytes], Dissection]
    #: the length of the first message of a stream, as `cut_by` takes it; None: a link keeps messages apart
    length_of: Callable[[bytes], int | None] | None = None

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """Show one message in the field's words. Raises PeerError."""
        del known
        return self.read(data)

    def cut(self, stream: bytes) -> tuple[list[bytes], bytes]:
        """Cut whole messages off a stream, and return the rest; what has a length that cannot be is one (bad) message.

        Where a link keeps messages, each is one already.
        """
        return ([stream], b"") if self.length_of is None else cut_by(stream, self.length_of)

    def mask(self, data: bytes) -> bytes:
        """Return octets with the keys in them zeroed, their length unchanged; malformed ones as they are."""
        return data

    def clear(self, data: bytes, clear: bytes) -> bytes:
        """Return a ciphered message as a capture shows it: with its payload in `clear`, as long as it is."""
        return clear if len(clear) == len(data) else data

    def again(self, data: bytes) -> bytes:
        """Return a request as it is sent again after a failover: it may have been received already."""
        return data

    def altered(self, data: bytes, name: str, fields: Mapping[str, Any]) -> bytes:
        """Return octets whose message of that name has other fields, as dissections show them; `none` takes one away.

        Raises ValueError on fields that no octets can say, PeerError on octets that are no message.
        """
        del name, fields
        return data

    def acknowledged(self, data: bytes) -> bool:  # noqa: ARG002 - for those whose lower layers tell
        """Whether lower layers send a message of a radio until it is acknowledged, or the radio link has failed."""
        return False

    def export(self, data: bytes, known: Known) -> Export | None:
        """Return how a capture has octets that are not put into IP; None: together with what answers them."""
        del known
        return Export(self.dissector, data) if self.dissector else Export()

    def messages(self) -> Iterable[str]:
        """Return the names that `dissect` may give, without those of what is carried; none: any name."""
        return ()

    def short_names(self) -> Mapping[str, str]:
        """Return what the specification calls messages for short (`ULR`), with their names in lower case."""
        return {}

    def info(self, name: str) -> MessageInfo | None:
        """Return what the specification says of a message and its fields; None where there is no telling."""
        del name
        return None


class CauseField(NamedTuple):
    """A field that holds a cause or result, what people call it, and the values that refuse nothing."""

    name: str
    label: str
    fine: range = range(0)

    def refuses(self, value: Any) -> bool:
        """Whether a value, which is a number where some refuse nothing, says that something is refused."""
        return not self.fine or int(value) not in self.fine


class Causes(NamedTuple):
    """A module whose enumerations hold causes and results, with their specification (empty: they tell it)."""

    module: str
    specification: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A wire family.

    `reading` is a lazy reference (`module:class`) to its Reading; `place` where it is spoken between card (0) and core
    (100), by which families are listed; `carries` the families whose messages are inside its own.
    """

    name: str
    title: str
    reading: str
    place: int = 100
    interfaces: tuple[Interface, ...] = ()
    carries: tuple[str, ...] = ()

    causes: tuple[Causes, ...] = ()
    cause_fields: tuple[CauseField, ...] = ()
    #: messages whose cause says why something is done, not that it was refused
    reasons: frozenset[str] = frozenset()
    #: messages that are only there for what they carry
    carriers: frozenset[str] = frozenset()
    #: messages, and fields of any message, that belong to a story, where most are mere reading (None: all do)
    telling: tuple[frozenset[str], frozenset[str]] | None = None

    #: whether it reaches the access side: with the first refusal there a chain of causes ends
    access: bool = False
    #: whether both ends show who they are before anything else is said
    introduced: bool = False
    #: whether who serves it can be made not to answer, and to answer with an error, by a scenario's `fail`
    silenced: bool = False
    results: bool = False
    #: whether it is spoken on the radio, where frames are lost, doubled and overtaken
    radio: bool = False
    #: whether nothing comes between its ends: a card in its terminal
    contacts: bool = False
    #: whether a request can be sent again after a failover (`Reading.again`)
    repeats: bool = False
    #: whether a message can have other fields than it was sent with (`Reading.altered`)
    alters: bool = False

    #: whether frames stand outside IP in a capture, each alone or, `paired`, a request with its answer
    exported: bool = False
    paired: bool = False
    #: what a capture says of its messages inside others that were ciphered
    deciphered: str = ""
    #: the last layers by which Wireshark shows that nothing was left undecoded
    layers: frozenset[str] = frozenset()

    def read(self) -> Reading:
        """Return its Reading, loaded when first asked for. Raises ConfigError."""
        return _reading(self.name, self.reading)

    @property
    def streams(self) -> bool:
        """Whether its messages may come in pieces."""
        return any(each.service is Service.STREAM for each in self.interfaces)


@cache
def _reading(family: str, reference: str) -> Reading:
    module, _, name = reference.partition(":")
    try:
        made: Reading = getattr(import_module(module), name)()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"wire family {family}: {reference} cannot be loaded: {error}") from error
    return made


_UNKNOWN: Final = Family(name="", title="octets", reading="simwarden.wire.octets:Octets")


def families() -> Mapping[str, Family]:
    """Return the families of all installed packages by name, from card to core. Raises ConfigError."""
    return cast("Mapping[str, Family]", declared())


def family_of(protocol: str) -> Family:
    """Return a family by name; for a name that nobody declares one that says how many octets there are."""
    return families().get(protocol, _UNKNOWN)


def carried_by(family: Family) -> tuple[Family, ...]:
    """Return the families inside a family's messages."""
    return tuple(family_of(name) for name in family.carries)


@cache
def with_carried(protocol: str) -> tuple[Family, ...]:
    """Return a family and all that may be inside its messages, at any depth."""
    found: dict[str, Family] = {}
    waiting = [protocol]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = family_of(name)
            waiting += found[name].carries
    return tuple(found.values())


def on_interface(name: str) -> tuple[Family, ...]:
    """Return all families whose messages may be seen on a reference point."""
    found = (family for each in spoken_on(name) for family in with_carried(each.protocol))
    return tuple({family.name: family for family in found}.values())
