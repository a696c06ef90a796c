"""`events` in a `serve` file: which broker takes a served element's events, and how to get there."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from simwarden.model.interfaces import INTERFACES
from simwarden.runtime.host import EventSettings
from simwarden.scenario.network import parse_address
from simwarden.scenario.registry import Registry
from simwarden.wire.mqtt.family import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from simwarden.cli.serving_file import EventsFile
    from simwarden.operations.element import Element
    from simwarden.scenario.problems import Problems
    from simwarden.scenario.yamlfile import Spot

    Address = tuple[str, int]

#: what the broker is called in notes and traces
BROKER = "broker"
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class EventsService:
    """What `events` comes to: the settings, and the broker's address outside, or its element and address inside."""

    settings: EventSettings
    outside: Address | None = None
    tls: ssl.SSLContext | None = None
    kind: type[Element[Any]] | None = None
    listen: Address = ("127.0.0.1", 1883)


def read_events(
    file: EventsFile, spot: Spot, problems: Problems, folder: Path, secret: Callable[[str, Spot], str]
) -> EventsService:
    """Read the section at `spot`; what is wrong is noted. Raises ConfigError for a secret that cannot be read."""
    password = secret(file.password, spot / "password") if file.password else ""
    if file.password and not file.user:
        problems.add("password: MQTT has none without a user", (spot / "password").place)
    settings = EventSettings(
        BROKER,
        prefix=file.prefix,
        client=file.client,
        user=file.user or None,
        password=password.encode() if file.password else None,
        most=file.most,
    )
    if not file.broker:
        return _inside(file, spot, problems, settings)
    if file.listen:
        problems.add("listen: is for the broker of ours, and `broker` names another", (spot / "listen").place)
    url = urlsplit(file.broker)
    if url.scheme not in _PORTS or url.username is not None or url.path not in ("", "/") or url.query or url.fragment:
        # Not repeated: it may hold a password.
        text = "broker: mqtt://HOST:PORT or mqtts://HOST:PORT is expected"
        problems.add(text, (spot / "broker").place, "name and password stand beside it, as user and password")
        return EventsService(settings)
    address = parse_address(url.netloc, spot / "broker", problems, _PORTS[url.scheme])
    tls = _tls(file, spot, problems, folder) if url.scheme == "mqtts" else None
    for name in ("authorities", "certificate", "key") if tls is None and url.scheme == "mqtt" else ():
        if getattr(file, name):
            problems.add(f"{name}: is for mqtts://", (spot / name).place)
    return EventsService(settings, address, tls)


def _inside(file: EventsFile, spot: Spot, problems: Problems, settings: EventSettings) -> EventsService:
    for name in ("authorities", "certificate", "key", "user", "password"):
        if getattr(file, name):
            problems.add(f"{name}: is for a broker elsewhere, which `broker` names", (spot / name).place)
    port = INTERFACES[EVENTS].port
    listen = parse_address(file.listen, spot / "listen", problems, port) if file.listen else ("127.0.0.1", port)
    check_broker(listen, spot / "listen", problems)
    kinds = Registry.installed().kinds.values()
    kind = next((each for each in kinds if EVENTS in each.declaration.listens), None)
    if kind is None:
        problems.add("no broker is installed; name one by `broker`", spot.place)
    return EventsService(settings, kind=kind, listen=listen)


def check_broker(address: Address, spot: Spot, problems: Problems) -> None:
    """See that the broker of ours, which has neither TLS nor limits of its users, is for this machine only."""
    try:
        near = ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        near = address[0] == "localhost"
    if not near:
        text = f"the broker of ours is for programs on this machine only, and {address[0]} is beyond"
        problems.add(text, spot.place, "let `events` name a broker with TLS: mqtts://HOST:PORT")


def _tls(file: EventsFile, spot: Spot, problems: Problems, folder: Path) -> ssl.SSLContext | None:
    try:
        context = ssl.create_default_context(cafile=str(folder / file.authorities) if file.authorities else None)
    except (OSError, ssl.SSLError) as error:
        problems.add(f"authorities: {file.authorities} cannot be used: {_reason(error)}", (spot / "authorities").place)
        return None
    if file.key and not file.certificate:
        problems.add("key: is that of a certificate", (spot / "key").place)
    elif file.certificate:
        key = str(folder / file.key) if file.key else None
        try:
            # An encrypted key is not asked for at a terminal: there is none under `serve`.
            context.load_cert_chain(str(folder / file.certificate), key, password=lambda: "")
        except (OSError, ssl.SSLError, ValueError) as error:
            text = f"certificate: {file.certificate} cannot be used: {_reason(error)}"
            problems.add(text, (spot / "certificate").place)
    return context


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)).strip()
