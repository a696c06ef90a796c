"""Events for an operator's systems: CloudEvents 1.0 in JSON over MQTT, from an element's outbox to a broker.

An event is kept in the transaction of what it tells of (see `outbox`) and forgotten after the broker's PUBACK. On a new
connection all that was not acknowledged is published again, in order: a subscriber gets each event at least once, and
drops what it has by the event's id. An element never waits for the broker.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from typing import TYPE_CHECKING, Final

from simwarden.errors import ConfigError
from simwarden.machine.mqtt_publisher import Accepted, Acknowledged, Event, Failed, MqttPublisher
from simwarden.operations.event_kinds import REFUSED
from simwarden.operations.outbox import METADATA, Outbox
from simwarden.operations.outbox import Event as Told
from simwarden.runtime.machine_timer import MachineTimer
from simwarden.runtime.store import StoreError, UnstorableError
from simwarden.wire.mqtt import Connect, level
from simwarden.wire.mqtt.family import EVENTS

if TYPE_CHECKING:
    from simwarden.operations.outbox import Waiting
    from simwarden.policy.decision import Decision
    from simwarden.runtime.clock import Timer
    from simwarden.runtime.host import EventSettings
    from simwarden.runtime.link import Link
    from simwarden.runtime.site import Site

#: seconds between attempts to connect, doubled from the first to the longest
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
KEEP_ALIVE = 60
#: events that are forgotten at once, so that a busy element does not commit for each
_BATCH = 32
#: seconds that a stopping element waits for the broker's last PUBACK
_GOODBYE = 2.0
#: seconds until a database that was away is tried again
_PATIENCE = 1.0
#: of the outbox, what refusals may fill
REFUSALS: Final = 0.9


def publish(site: Site, settings: EventSettings) -> Publisher:
    """Give an element an outbox in its database, and publish what is in it."""
    epoch = site.host.generator(f"{site.name}/events").randbytes(4).hex()
    outbox = Outbox(site.open_store(METADATA), epoch=epoch, most=settings.most)
    publisher = Publisher(site, outbox, settings)
    site.refused = publisher.tell_refusal
    site.spawn(publisher.run(), "events", standing=True)
    return publisher


class Publisher:
    """Publishes what is in one element's outbox, for as long as the element runs."""

    def __init__(self, site: Site, outbox: Outbox, settings: EventSettings) -> None:
        self._site, self._outbox, self._settings = site, outbox, settings
        self._link: Link | None = None
        self._machine: MqttPublisher | None = None
        self._timer: MachineTimer | None = None
        self._over: asyncio.Future[str] | None = None
        self._idle: asyncio.Future[None] | None = None
        self._planned = self._stopping = self._more = False
        self._reasons: set[str] = set()
        self._sent = self._kept_until = 0
        self._pause = FIRST_PAUSE
        self._unkept: deque[Told] = deque()
        self._retry: Timer | None = None
        outbox.wake, outbox.full = self.wake, self._say_full

    def tell_refusal(self, decision: Decision) -> None:
        """Keep the event of a refusal. With a database that is away the refusal stands, and the event waits for it."""
        control = decision.control
        data = {"control": control.id, "requirement": control.requirement, "reason": decision.reason}
        at = self._site.clock.wall().isoformat()
        told = Told(REFUSED.type, decision.subject, at, {**data, "details": dict(decision.details)})
        self._unkept.append(told)
        if self._retry is None:
            self._keep()

    def _keep(self) -> None:
        self._retry = None
        try:
            while self._unkept:
                self._keep_one(self._unkept[0])
                self._unkept.popleft()
        except StoreError as error:
            self._site.note(f"{len(self._unkept)} events wait for the database: {error}")
            self._retry = self._site.clock.call_later(_PATIENCE, self._keep)

    def _keep_one(self, told: Told) -> None:
        try:
            self._outbox.tell(told, share=REFUSALS)
        except UnstorableError as error:
            self._site.note(f"an event is not kept: {error}", type=told.type)

    async def run(self) -> None:
        """Connect, publish, and connect again when the connection is lost; never returns."""
        while True:
            try:
                link = await self._site.connect(EVENTS, self._settings.broker)
            except (OSError, ConfigError) as error:
                self._say_down(str(error))
            else:
                self._say_down(await self._serve(link))
            await self._site.clock.sleep(self._pause)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def wake(self) -> None:
        """Take note of a new event; it is published when the transaction that keeps it is over."""
        self._more = True
        if self._machine is not None and not self._planned:
            self._planned = True
            asyncio.get_running_loop().call_soon(self._wake_up)

    async def stop(self, *, kill: bool = False) -> None:
        """Give the broker a moment to take what waits, and say goodbye; or let go of the link without a word."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if kill:
            self.drop()
            return
        if self._machine is not None and self._link is not None:
            self._stopping = True
            self._idle = asyncio.get_running_loop().create_future()
            self._flush()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE):
                    await self._idle
        if self._machine is not None:
            self._machine.disconnect(self._site.clock.now())
            self._flush()
        self.drop("closed by peer")

    def drop(self, reason: str = "connection lost") -> None:
        """Let go of the link without a word."""
        link, timer = self._link, self._timer
        self._link = self._machine = self._timer = None
        if timer is not None:
            timer.arm(None)
        if link is not None:
            link.close(reason)

    # -- one connection

    async def _serve(self, link: Link) -> str:
        """Publish over a link until it is lost; return why it was."""
        clock = self._site.clock
        name = self._settings.client or f"{self._settings.prefix}-{self._site.name}"
        connect = Connect(name, keep_alive=KEEP_ALIVE, user=self._settings.user, password=self._settings.password)
        self._over = asyncio.get_running_loop().create_future()
        self._link, self._machine = link, MqttPublisher(connect)
        self._timer = MachineTimer(clock, self._machine.on_timer, self._flush, internal=link.internal)
        self._sent, self._kept_until, self._more = 0, 0, True
        link.on_receive, link.on_close = self._receive, self._lose
        self._machine.connected(clock.now())
        self._flush()
        reason = await self._over
        self.drop(reason)
        return reason

    def _receive(self, data: bytes, _stream: int) -> None:
        if self._link is not None and self._machine is not None:
            self._link.record_received(data)
            self._machine.receive(data, self._site.clock.now())
            self._flush()

    def _lose(self, reason: str) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(reason)
        self._end_idle()

    def _wake_up(self) -> None:
        self._planned = False
        self._flush()

    def _flush(self) -> None:
        """Act on what happened, publish what there is room for, and send; without its database a connection ends."""
        try:
            self._act()
        except StoreError as error:
            self._lose(str(error))

    def _act(self) -> None:
        machine, link = self._machine, self._link
        if machine is None or link is None:
            return
        for event in machine.events():
            self._handle(event, link)
        self._fill(machine)
        for data in machine.data_to_send():
            link.send(data)
        if self._timer is not None:
            self._timer.arm(machine.next_timer())
        if self._stopping and machine.quiet and not self._more:
            self._end_idle()

    def _fill(self, machine: MqttPublisher) -> None:
        room = machine.room
        if not (room and self._more):
            return
        now, found = self._site.clock.now(), self._outbox.after(self._sent, room)
        self._more = len(found) == room
        for each in found:
            machine.publish(self._topic(each), self._payload(each), each.number, now)
            self._sent = each.number

    def _handle(self, event: Event, link: Link) -> None:
        match event:
            case Accepted():
                link.know()
                self._pause = FIRST_PAUSE
                if self._reasons:
                    self._reasons.clear()
                    self._site.note(f"events go to {self._settings.broker} again")
            case Acknowledged(tag):
                machine = self._machine
                if tag - self._kept_until >= _BATCH or machine is None or machine.quiet:
                    self._outbox.delivered(tag)
                    self._kept_until = tag
            case Failed(reason, data):
                if data:
                    self._site.peer_fault(link, reason, data)
                self._lose(reason)

    # -- events

    def _topic(self, event: Waiting) -> str:
        levels = [self._settings.prefix, self._site.name, *event.type.split(".")]
        return "/".join([*levels, level(event.subject)] if event.subject else levels)

    def _payload(self, event: Waiting) -> bytes:
        attributes = {
            "specversion": "1.0",
            "id": f"{self._outbox.epoch}-{event.number}",
            "source": f"/{self._settings.prefix}/{self._site.name}",
            "type": f"simwarden.{event.type}",
            **({"subject": event.subject} if event.subject else {}),
            "time": event.at,
            "datacontenttype": "application/json",
            "sequence": f"{event.number:012d}",
        }
        head = json.dumps(attributes, separators=(",", ":"), ensure_ascii=False)
        return f'{head[:-1]},"data":{event.data}}}'.encode()

    # -- what is said

    def _say_down(self, reason: str) -> None:
        """Say that events wait, and why; each reason once until they go on."""
        if reason not in self._reasons:
            self._reasons.add(reason)
            self._site.note(f"events wait, {self._settings.broker} does not get them: {reason}")

    def _say_full(self) -> None:
        """Say that events are not kept any more."""
        self._site.note(f"{self._settings.most} events wait: further ones are counted, not kept")

    def _end_idle(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
