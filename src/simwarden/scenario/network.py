"""The elements of a scenario: the default network, what a file changes in it, and the instances a scenario adds."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from simwarden.errors import ConfigError
from simwarden.model.address import is_number, read_address, read_addresses
from simwarden.model.interfaces import INTERFACES, Service
from simwarden.runtime.declare import UtcOffset
from simwarden.runtime.reach import Reach
from simwarden.runtime.transport.choose import NAMES, carrier_to_outside, carriers_of, check_hosts
from simwarden.scenario.problems import guess, nearest
from simwarden.scenario.validation import check, short
from simwarden.scenario.yamlfile import Spot
from simwarden.wire.mqtt.family import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simwarden.runtime.declare import ElementConfig
    from simwarden.runtime.host import EventSettings
    from simwarden.scenario.document import Scenario
    from simwarden.scenario.problems import Problems
    from simwarden.scenario.registry import Registry
    from simwarden.scenario.yamlfile import Path

Address = tuple[str, int]
#: words that may stand where an element's settings do, to leave it out
_OFF = ("off", "absent", "none")
#: keys beside the settings of an element
_KEYS = ("type", "external", "address", "source")
#: says that a source has no port of its own; none connects from it
_ANY_PORT = 1
#: keys of `network` that are settings of the whole network
TRANSPORT, UTC_OFFSET, SERVICES = "transport", "utc_offset", "services"


@dataclass(slots=True)
class Instance:
    """One element of a run.

    `section` is the part of the scenario it comes from (`devices`), empty for the network; `external` maps its
    interfaces ("" for any) to addresses when it is somebody's real one; `address` is where its own sockets are, and
    `source` where it connects from, if a file says so; `identities` are what other parts of the file may name
    (`meter.imei`).
    """

    name: str
    kind: str
    config: ElementConfig
    section: str = ""
    external: Mapping[str, Address] | None = None
    address: str = ""
    source: Mapping[str, Address] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Wish:
    """What files say of one network element: its type and settings, each setting with its place."""

    name: str
    spot: Spot
    kind: str = ""
    off: bool = False
    external: Mapping[str, Address] | None = None
    address: str = ""
    source: Mapping[str, Address] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Spot] = field(default_factory=dict)


class Wishes(dict[str, Wish]):
    """What files say of the network: its elements, and what carries frames, all of them or those of an interface."""

    def __init__(self) -> None:
        super().__init__()
        self.transport = ""
        self.carriers: dict[str, str] = {}
        #: hours by which the operator's time is ahead of UTC; None if no file sets them
        self.utc_offset: float | None = None
        #: services that files name, each with its place
        self.services: dict[str, Spot] = {}


def collect(data: Any, spot: Spot, wishes: Wishes, problems: Problems) -> None:
    """Read a `network:` mapping into `wishes`; what is said later wins, setting by setting."""
    if data == "":
        return
    if not isinstance(data, dict):
        problems.add(f"network: element names with their settings are expected, not {short(data)}", spot.place)
        problems.nameless = problems.unset = True
        return
    for name, entry in data.items():
        here = spot / name
        if name in _WHOLE:
            _WHOLE[name](entry, here, wishes, problems)
            continue
        wish = wishes.setdefault(name, Wish(name, here))
        wish.spot = here
        if isinstance(entry, str) and entry.lower() in _OFF:
            wish.off = True
        elif isinstance(entry, str) and entry.lower() in ("", "on"):
            wish.off = False
        elif isinstance(entry, dict):
            _read_entry(wish, entry, here, problems)
        else:
            problems.add(f"{name}: settings or `off` are expected, not {short(entry)}", here.place)


def _read_entry(wish: Wish, entry: dict[str, Any], here: Spot, problems: Problems) -> None:
    wish.off = False
    for key, value in entry.items():
        if key == "type":
            wish.kind = value if isinstance(value, str) else short(value)
        elif key == "external":
            wish.external = _addresses(value, here / key, problems)
            wish.places[key] = here
        elif key == "source":
            wish.source = read_sources(value, here / key, problems)
        elif key == "address":
            wish.address = _own_address(value, here / key, problems)
        else:
            wish.settings[key] = value
            wish.places[key] = here


def _addresses(value: Any, spot: Spot, problems: Problems) -> dict[str, Address]:
    if isinstance(value, str):
        return {"": parse_address(value, spot, problems, several=True)}
    if not isinstance(value, dict):
        problems.add("external: host:port is expected, or one for each interface", spot.place)
        return {}
    found = {}
    for name, text in value.items():
        interface = _interface(name, spot, problems)
        if interface:
            port = INTERFACES[interface].port
            found[interface] = parse_address(str(text), spot / name, problems, port, several=True)
    return found


def _interface(name: str, spot: Spot, problems: Problems) -> str:
    interface = next((known for known in INTERFACES if known.lower() == name.lower()), "")
    if not interface:
        problems.unknown("interface", name, INTERFACES, (spot / name).key)
    return interface


def read_sources(value: Any, spot: Spot, problems: Problems) -> dict[str, Address]:
    """Read where an element connects from: one local address, or one for each interface; without a port, any."""
    entries = value if isinstance(value, dict) else {"": value}
    found = {}
    for name, text in entries.items():
        if not (name or text):
            continue
        here = spot / name if name else spot
        interface = _interface(name, spot, problems) if name else ""
        host, port = parse_address(str(text), here, problems, _ANY_PORT, several=True)
        if host and not all(is_number(each) or ":" in each for each in host.split(",")):
            problems.add(f"source: expected an IP address of this machine, got {short(text)}", here.place)
        if interface or not name:
            found[interface] = host, 0 if port == _ANY_PORT else port
    return found


def _own_address(value: Any, spot: Spot, problems: Problems) -> str:
    """Read the IP address of an element; several are those of a multi-homed endpoint of SCTP, and of IPv4."""
    hosts = [each.strip() for each in str(value).split(",")]
    try:
        read = [ipaddress.IPv4Address(each) if len(hosts) > 1 else ipaddress.ip_address(each) for each in hosts]
    except ValueError:
        problems.add(f"{short(value)} is no IP address", spot.place)
        return ""
    return ",".join(map(str, read))


def _read_transport(value: Any, spot: Spot, wishes: Wishes, problems: Problems) -> None:
    """Read what carries frames: a word for all, or one for each of some interfaces."""
    if isinstance(value, str) and value in NAMES:
        wishes.transport = value
        return
    if not isinstance(value, dict):
        problems.add(f"transport: {' or '.join(NAMES)} is expected, or one for each interface", spot.place)
        return
    for name, word in value.items():
        interface = _interface(name, spot, problems)
        if interface and word not in carriers_of(INTERFACES[interface]):
            problems.unknown(
                f"transport of {interface}", str(word), carriers_of(INTERFACES[interface]), (spot / name).place
            )
        elif interface:
            wishes.carriers[interface] = word


def _read_utc_offset(value: Any, spot: Spot, wishes: Wishes, problems: Problems) -> None:
    try:
        wishes.utc_offset = TypeAdapter(UtcOffset).validate_python(value)
    except ValidationError:
        problems.add(f"utc_offset: expected hours from -12 to 14 in quarters, got {short(value)}", spot.place)


def _read_services(value: Any, spot: Spot, wishes: Wishes, problems: Problems) -> None:
    """Read which services the network has, one or a list; their elements are those that declare them."""
    for place, name in enumerate(value if isinstance(value, list) else [value]):
        here = spot / place if isinstance(value, list) else spot
        if isinstance(name, str):
            wishes.services[name] = here
        else:
            problems.add(f"services: the name of a service is expected, not {short(name)}", here.place)


_WHOLE = {TRANSPORT: _read_transport, UTC_OFFSET: _read_utc_offset, SERVICES: _read_services}


def parse_address(text: str, spot: Spot, problems: Problems, port: int = 0, *, several: bool = False) -> Address:
    """Read `host:port` (IPv6 in brackets; `several` hosts for SCTP); where `port` is given it is the default."""
    try:
        return read_addresses(text, port) if several else read_address(text, port)
    except ValueError as error:
        problems.add(str(error), spot.place)
        return "", 0


def build(registry: Registry, wishes: Wishes, problems: Problems) -> dict[str, Instance]:
    """Make the network: one of each standing kind, changed and added to as the files say."""
    declared = {kind: each.declaration for kind, each in registry.kinds.items()}
    standing = [kind for kind, each in declared.items() if each.standing and not each.instances]
    instances = {}
    wished = {**_serving(registry, wishes, problems), **wishes}
    for name in dict.fromkeys((*standing, *wished)):
        wish = wished.get(name)
        if wish is not None:
            _check_hosts(wish, wishes, problems)
        if wish is None:
            instances[name] = Instance(name, name, registry.declaration(name).config())
        elif not wish.off:
            made = _make(registry, wish, standing, problems)
            if made is not None:
                instances[name] = made
    return instances


def _serving(registry: Registry, wishes: Wishes, problems: Problems) -> dict[str, Wish]:
    """Return the elements of the services that files name; what files say of one comes before its settings there."""
    found: dict[str, Wish] = {}
    declared = {kind: each.declaration for kind, each in registry.kinds.items()}
    for service, spot in wishes.services.items():
        serving = [kind for kind, each in declared.items() if service in each.services]
        if not serving:
            known = dict.fromkeys(name for each in declared.values() for name in each.services)
            problems.unknown("service", service, known, spot.place)
        serving.sort(key=lambda kind: declared[kind].lane)
        for kind in dict.fromkeys(each for last in serving for each in (*declared[last].starts_after, last)):
            if kind in serving:
                wish = found[kind] = wishes.get(kind) or found.get(kind) or Wish(kind, spot)
                if wish.kind in ("", kind):  # else another stands in its place
                    wish.settings = {**declared[kind].services[service], **wish.settings}
    return found


def _check_hosts(wish: Wish, wishes: Wishes, problems: Problems) -> None:
    """Report addresses that the carrier of their interface cannot have."""
    for key, addresses in (("external", wish.external or {}), ("source", wish.source)):
        for name, address in addresses.items():
            if not name:
                continue
            try:
                point = INTERFACES[name]
                check_hosts(point, carrier_to_outside(point, wishes.transport, wishes.carriers), address)
            except ConfigError as error:
                problems.add(error.reason, (wish.spot / key).place, error.hint)


def _make(registry: Registry, wish: Wish, standing: list[str], problems: Problems) -> Instance | None:
    kind = wish.kind or (wish.name if wish.name in registry.kinds else "")
    network_kinds = [each for each in registry.kinds if not registry.declaration(each).instances]
    if not kind:
        another = f"another one needs a type, as in `{wish.name}: {{type: {standing[0] if standing else 'hss'}}}`"
        hint = guess(wish.name, standing, most=0) or another
        problems.add(f"the network has no element {wish.name!r}", wish.spot.key, hint)
        kind = nearest(wish.name, standing)
    elif kind not in network_kinds:
        problems.unknown("element type", kind, network_kinds, (wish.spot / "type").place)
        kind = nearest(kind, network_kinds) or nearest(wish.name, standing)
    if not kind:
        problems.nameless = True
        return None
    model = registry.declaration(kind).config
    config = check(model, wish.settings, spot_of(wish), problems, also=_KEYS, what="setting")
    # What is wrong is told once; the element is there all the same, so that what names it is not told as wrong.
    problems.unset = problems.unset or config is None
    config = config or model.model_construct()
    return Instance(wish.name, kind, config, external=wish.external, address=wish.address, source=wish.source)


def check_external(
    registry: Registry, instances: Mapping[str, Instance], wishes: Mapping[str, Wish], problems: Problems
) -> None:
    """Note the addresses that external elements lack, and reference points that only simwarden speaks."""
    ours = _spoken(registry, [each.kind for each in instances.values() if each.external is None])
    for name, each in instances.items():
        addresses = each.external
        if addresses is None:
            continue
        common = [point for point in _spoken(registry, [each.kind]) if point in ours]
        own = [point for point in common if INTERFACES[point].own_frame and point not in addresses]
        datagrams = [point for point in common if INTERFACES[point].service is Service.DATAGRAMS]
        told = "" in addresses or addresses.keys().isdisjoint(datagrams)
        lacking = [] if told else [point for point in datagrams if point not in addresses]
        place = (wishes[name].places["external"] / "external").place
        if own:
            problems.add(
                f"{name}: {own[0]} is a frame of simwarden, which only its own {each.kind} speaks", place, _OWN
            )
        if lacking:
            hint = f"write each: external: {{{', '.join(f'{point}: HOST:PORT' for point in datagrams)}}}"
            problems.add(f"{name}: external: an address is missing for {', '.join(lacking)}", place, hint)


#: the way to an element that simwarden cannot reach because no other implementation speaks its frame
_OWN = (
    "leave it out (`off`), and let yours call the `address` of the next element; one that `simwarden serve` runs is "
    "named by the interface: external: {Uu: HOST:PORT}"
)


def _spoken(registry: Registry, kinds: Iterable[str]) -> list[str]:
    declared = [registry.declaration(kind) for kind in kinds]
    return list(dict.fromkeys(point for each in declared for point in (*each.listens, *each.calls)))


def spot_of(wish: Wish) -> Spot:
    """Return the place of an element's settings, each of which may stand in a file of its own."""
    return _MergedSpot(wish.spot.source, wish.spot.path, wish.places)


@dataclass(frozen=True, slots=True)
class _MergedSpot(Spot):
    """The place of settings that come from several files: each key knows its own."""

    places: Mapping[str, Spot] = field(default_factory=dict)

    def join(self, steps: Path) -> Spot:
        """See Spot."""
        origin = self.places.get(str(steps[0])) if steps else None
        return Spot(self.source, self.path + steps) if origin is None else origin.join(steps)


def events_to(scenario: Scenario) -> EventSettings | None:
    """Return where events go: to the first element that takes them; nowhere in a network that has none."""
    for name, each in scenario.instances.items():
        if EVENTS in scenario.registry.declaration(each.kind).listens:
            from simwarden.runtime.host import EventSettings  # noqa: PLC0415 - few runs have a broker

            return EventSettings(name)
    return None


def lacking_links(scenario: Scenario, reason: str) -> list[Reach]:
    """Return the links to elements outside that take a transport of messages, none of which can be made here."""
    kinds = {name: scenario.registry.declaration(each.kind) for name, each in scenario.instances.items()}
    return [
        Reach(caller, interface, name, f"{address[0]}:{address[1]}", reason)
        for name, outside in scenario.external.items()
        for interface in kinds[name].listens
        if INTERFACES[interface].service is Service.MESSAGES or "sctp" in scenario.carriers.get(interface, "")
        for caller, each in scenario.instances.items()
        if each.external is None and interface in kinds[caller].calls
        if (address := (outside.external or {}).get(interface) or (outside.external or {}).get(""))
    ]
