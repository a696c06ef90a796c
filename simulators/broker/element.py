"""The event broker as an element: it takes MQTT from elements and from an operator's systems, and shows what came."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.broker.answers import SessionTold
from simulators.broker.config import BrokerConfig
from simulators.broker.sources import Source
from simwarden.machine.mqtt_broker import Broker as Machine
from simwarden.model.values import IMSI, NUMBER, TEXT, instance_of
from simwarden.operations.element import Element
from simwarden.operations.event_kinds import DATA, TOPIC
from simwarden.operations.management import Call, route
from simwarden.runtime.declare import HISTORY, Declaration, Observable
from simwarden.runtime.machine_timer import MachineTimer
from simwarden.wire.mqtt.reading import parse_event

if TYPE_CHECKING:
    from simwarden.machine.mqtt_broker import Connection
    from simwarden.runtime.link import Link
    from simwarden.wire.mqtt import Publish


#: sources of events that are counted; the first one is forgotten
_MOST = 10_000


class Broker(Element[BrokerConfig]):
    """Takes events and hands them to whoever subscribed."""

    declaration = Declaration(
        kind="broker",
        title="Event broker",
        lane=90,
        config=BrokerConfig,
        standing=False,
        listens=("MQTT",),
        observables=(
            Observable(
                "event",
                "an event that came for the first time, by its id: its topic (`card/refused`), the card, what it tells",
                fields={
                    "id": TEXT,
                    "topic": TOPIC,
                    "source": instance_of("element"),
                    "imsi": IMSI.or_none(),
                    "sequence": NUMBER,
                    "data": DATA,
                },
                passing=HISTORY,
                evidence="record",
                kept=True,
            ),
            Observable(
                "delivery",
                "what came of an element's events: how many, how many again, how many are missing, the last one",
                fields={
                    "source": instance_of("element"),
                    **dict.fromkeys(("received", "repeated", "missing", "last"), NUMBER),
                },
                passing=HISTORY,
                kept=True,
            ),
        ),
    )
    machine: Machine

    async def start(self) -> None:
        """Listen."""
        self.machine = Machine(self.config.users)
        self._sources: dict[tuple[str, str], Source] = {}
        self._links: dict[Connection, tuple[Link, MachineTimer]] = {}
        await self.site.listen("MQTT", self._accept)

    async def stop(self) -> None:
        """Close all connections: MQTT 3.1.1 has no goodbye of a server's."""
        self._close_all("closed by peer")

    async def killed(self) -> None:
        """Lose power."""
        self._close_all("connection lost")

    def _close_all(self, reason: str) -> None:
        for link, timer in self._links.values():
            timer.arm(None)
            link.close(reason)
        self._links.clear()

    @route("GET", "/sessions", gives=tuple[SessionTold, ...])
    async def sessions(self, _call: Call) -> list[dict[str, Any]]:
        """Tell the kept sessions: filters, and how many messages wait."""
        kept = self.machine.kept_sessions().items()
        return [{"client": name, "filters": filters, "waiting": waiting} for name, (filters, waiting) in kept]

    # -- links

    def _accept(self, link: Link) -> None:
        connection = self.machine.open(self._now())
        timer = MachineTimer(self.site.clock, partial(self._on_timer, connection), internal=link.internal)
        self._links[connection] = link, timer
        link.on_receive = partial(self._receive, connection)
        link.on_close = partial(self._lost, connection)
        timer.arm(connection.next_timer())

    def _receive(self, connection: Connection, data: bytes, _stream: int) -> None:
        if connection in self._links:
            self._links[connection][0].record_received(data)
            if self.site.injected_fault is not None:
                return  # it fails for now: what it is told is lost on it, and nobody hears that
            connection.receive(data, self._now())
            self._flush(connection)

    def _on_timer(self, connection: Connection, now: float) -> None:
        if self.site.injected_fault is not None:
            return  # nor does it give up anybody
        connection.on_timer(now)
        self._flush(connection)

    def _lost(self, connection: Connection, _reason: str) -> None:
        connection.lost()
        self._flush(connection)

    def _now(self) -> float:
        return self.site.clock.now()

    def _flush(self, cause: Connection) -> None:
        """Send what there is to send, to all whom it concerns, and show what came."""
        self._settle(cause)
        for connection in self.machine.touched():
            if connection is not cause:
                self._settle(connection)
        published, self.machine.events = self.machine.events, []
        for each in published:
            self._show(each.message)

    def _settle(self, connection: Connection) -> None:
        held = self._links.get(connection)
        if held is None:
            return
        link, timer = held
        for data in connection.data_to_send():
            link.send(data)
        for fault in connection.events():
            self.site.peer_fault(link, fault.reason, fault.data)
        if connection.client:
            link.know()
        timer.arm(connection.next_timer())
        if connection.over:
            del self._links[connection]
            link.close()

    # -- what others may observe

    def _show(self, message: Publish) -> None:
        event = _event(message.payload)
        if event is None:
            return
        epoch, _, number = event["id"].rpartition("-")
        source, name = self._source_of(event["source"], epoch), event["source"].rpartition("/")[2]
        fresh = source.count(int(number))
        self.site.observe("delivery", {"source": name, **asdict(source)}, key=f"{event['source']} {epoch}")
        if fresh:
            topic = event["type"].removeprefix("simwarden.").replace(".", "/")
            shown = {"id": event["id"], "topic": topic, "sequence": int(number)}
            shown |= {"source": name, "imsi": event.get("subject", "")}
            self.site.observe("event", {**shown, "data": event.get("data", {})}, key=event["id"])

    def _source_of(self, name: str, epoch: str) -> Source:
        if (name, epoch) not in self._sources and len(self._sources) >= _MOST:
            del self._sources[next(iter(self._sources))]
        return self._sources.setdefault((name, epoch), Source())


def _is_text(value: object) -> bool:
    """Return True for a text that can be written in UTF-8: JSON can hold a NUL and half a surrogate pair."""
    return isinstance(value, str) and "\0" not in value and not any("\ud800" <= each <= "\udfff" for each in value)


def _event(payload: bytes) -> dict[str, Any] | None:
    """Return the CloudEvent of an element of ours that a payload is; None for another one."""
    found = parse_event(payload)
    if found is None or not all(_is_text(found.get(name, "")) for name in ("id", "source", "type", "subject")):
        return None
    if not all(found.get(name) for name in ("id", "source", "type")):
        return None
    epoch, dash, number = found["id"].rpartition("-")
    fits = epoch and dash and number.isdecimal() and len(number) < 18 and number.isascii()
    return found if fits and isinstance(found.get("data", {}), dict) else None
