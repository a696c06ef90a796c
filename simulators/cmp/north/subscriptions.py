"""Subscriptions to changes of terminals, and their CloudEvents.

An event is kept in the transaction of the change that it tells of, and until it is delivered or given up, so that a
killed process loses none (it may send one twice, under the same id), and tells of nothing that was not kept. Events of
one subscription are sent in order.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.cmp.north.camara import by_of, written
from simulators.cmp.north.delivery import UndeliveredError, host_of, may_reach
from simulators.cmp.north.errors import invalid, not_found, quota
from simulators.cmp.north.model import AREA_CHANGE, IMEI_CHANGE, Subscribe, fault, read
from simwarden.model.identity import imei_key
from simwarden.policy.numbers import international
from simwarden.runtime.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from simulators.cmp.card import Card, Happening, Notice
    from simulators.cmp.north.camara import Prevention
    from simulators.cmp.north.config import Client, NorthConfig
    from simulators.cmp.north.delivery import Post
    from simulators.cmp.north.store import Event, Outbox, Subscription
    from simulators.cmp.platform import Platform
    from simwarden.runtime.clock import Timer

_PREFIX = "org.camaraproject.iot-sim-fraud-prevention.v0.subscription-"
#: what a sink says that is worth another attempt, besides a fault of its own (RFC 9110 15.5.9, 15.5.26)
_AGAIN = frozenset({408, 425, 429})
_GONE = 410
_DELETED = "DELETED"
_DAY = 86400.0
#: what a subscription to changes of the area remembers of a card that is outside
_OUTSIDE = "outside"
#: where a happening tells the terminal that a card is in
_SEEN = {"terminal-changed": "after", "mismatch": "seen"}
#: which subscriptions hear of a happening, if not those to changes of the IMEI; empty: all
_TOLD_OF = {"presence": AREA_CHANGE, "reassigned": ""}
#: most in one list, by the API
_LISTED = 1000


def _is_number_of(device: str, card: Card) -> bool:
    return bool(card.msisdn) and international(device) == international(card.msisdn)


class _Notice:
    """Events that are kept in one transaction, and what they make of their subscriptions."""

    def __init__(self, owner: Subscriptions) -> None:
        self._owner = owner
        self.events: list[tuple[Subscription, dict[str, Any]]] = []

    def keep(self, connection: Connection) -> None:
        """See `Notice`."""
        self._owner.outbox.add(connection, self.events)

    def kept(self) -> None:
        """See `Notice`."""
        for subscription in {each.id: each for each, _ in self.events}.values():
            self._owner.kept(subscription)

    def changed(self, subscription: Subscription, imei: str) -> None:
        """Tell which terminal the card is in now, once for a device that tries again and again."""
        key = imei_key(imei) if imei else ""
        if key not in ("", subscription.last):
            self._happened(subscription, key, {"imei": written(key)})

    def moved(self, subscription: Subscription, area: dict[str, Any] | None, *, inside: bool) -> None:
        """Tell that a card has crossed the border of its area; it begins inside."""
        state = "" if inside else _OUTSIDE
        if subscription.last != state and area is not None:
            self._happened(subscription, state, {"area": area})

    def tell(self, subscription: Subscription, what: str, data: dict[str, Any]) -> None:
        """Tell that the subscription begins or ends."""
        self.events.append((subscription, self._owner.event(subscription, f"{_PREFIX}{what}", data)))

    def end(self, subscription: Subscription, why: str, status: str = "EXPIRED") -> None:
        """End an active subscription, and tell it."""
        subscription.status = status
        self.tell(subscription, "ended", {"terminationReason": why})

    def _happened(self, subscription: Subscription, last: str, data: dict[str, Any]) -> None:
        if subscription.status != "ACTIVE":  # ended by what was told just before
            return
        subscription.last, subscription.events = last, subscription.events + 1
        device = subscription.config["subscriptionDetail"]["device"]
        event = self._owner.event(subscription, subscription.type, {**data, "device": device})
        self.events.append((subscription, event))
        most = subscription.config.get("subscriptionMaxEvents")
        if most is not None and subscription.events >= most:
            self.end(subscription, "MAX_EVENTS_REACHED")


class Subscriptions:
    """All subscriptions of a platform. Operations take the client's name, the client and a body, and raise ApiError."""

    def __init__(
        self, platform: Platform, config: NorthConfig, prevention: Prevention, outbox: Outbox, post: Post
    ) -> None:
        self._platform, self._config, self._prevention = platform, config, prevention
        self.outbox, self._post = outbox, post
        self._timers: dict[str, Timer] = {}
        self._sending: set[str] = set()
        platform.listeners.append(self.hear)
        for each in outbox.active():
            self._arm(each)
        for each_id in outbox.waiting():
            self._send(each_id)

    # -- operations

    async def create(self, name: str, client: Client, body: Any) -> dict[str, Any]:
        """`POST /subscriptions`."""
        wanted = read(Subscribe, body)
        made, card = self._made(name, client, wanted)
        outside = made.type == AREA_CHANGE and await self._prevention.is_outside(card)
        if outside and not wanted.config.initialEvent:
            made.last = _OUTSIDE
        if len(self.outbox.of(name)) >= self._config.subscriptions:
            raise quota()
        first = _Notice(self)
        first.tell(made, "started", {"initiationReason": "SUBSCRIPTION_CREATED"})
        if wanted.config.initialEvent:
            self._tell_present(first, made, card, outside=outside)
        self.outbox.keep(first.events, new=made)
        if made.status == "ACTIVE":
            self._arm(made)
        first.kept()
        return made.told()

    def _tell_present(self, notice: _Notice, made: Subscription, card: Card, *, outside: bool) -> None:
        """Tell what would be told if it happened now: the terminal that a card is in, or that it is outside."""
        if made.type == IMEI_CHANGE and card.own_terminal:
            notice.changed(made, card.own_terminal)
        elif outside:
            notice.moved(made, self._prevention.area_of(card), inside=False)

    def _made(self, name: str, client: Client, wanted: Subscribe) -> tuple[Subscription, Card]:
        if not may_reach(host_of(wanted.sink), self._config.sinks):
            raise fault("sink")
        now, credential, config = self._platform.now(), wanted.sinkCredential, wanted.config
        if credential is not None and credential.accessTokenExpiresUtc <= now:
            raise fault("sinkCredential")
        if config.subscriptionExpireTime is not None and config.subscriptionExpireTime <= now:
            raise invalid("subscriptionExpireTime must be in the future")
        card = self._prevention.identify(client, by_of(name, client), config.subscriptionDetail.device, twice=True)
        if wanted.types[0] == AREA_CHANGE and self._prevention.area_of(card) is None:
            raise invalid("No area is agreed upon for the device")
        told = config.model_dump(mode="json", exclude_none=True)
        told["subscriptionDetail"].setdefault("device", {"phoneNumber": client.device})  # the one that the token means
        from simulators.cmp.north.store import Subscription  # noqa: PLC0415 - SQLAlchemy is heavy

        made = Subscription(
            id=self._uuid(),
            client=name,
            imsi=card.imsi,
            type=wanted.types[0],
            sink=wanted.sink,
            config=told,
            token=credential.accessToken if credential is not None else "",
            token_expires=_stamp(credential.accessTokenExpiresUtc) if credential is not None else "",
            starts=_stamp(now),
            expires=_stamp(config.subscriptionExpireTime) if config.subscriptionExpireTime is not None else "",
        )
        return made, card

    async def list(self, name: str, _client: Client, _body: Any) -> list[dict[str, Any]]:
        """`GET /subscriptions`: those of the client."""
        return [each.told() for each in self.outbox.of(name)[:_LISTED]]

    async def get(self, name: str, _client: Client, _body: Any, subscription: str) -> dict[str, Any]:
        """`GET /subscriptions/{subscriptionId}`."""
        return self._own(name, subscription).told()

    def _own(self, name: str, subscription: str) -> Subscription:
        """Return a subscription of a client. Raises ApiError (404)."""
        found = self.outbox.get(subscription)
        if found is None or found.client != name or found.status == _DELETED:
            raise not_found()
        return found

    async def delete(self, name: str, _client: Client, _body: Any, subscription: str) -> None:
        """`DELETE /subscriptions/{subscriptionId}`: what waits to be delivered is not, and the end is told."""
        found = self._own(name, subscription)
        if found.status != "ACTIVE":
            self.outbox.remove(found.id)
            return
        last = _Notice(self)
        last.end(found, "SUBSCRIPTION_DELETED", _DELETED)
        self.outbox.keep(last.events, instead=found.id)
        last.kept()

    # -- what happens

    def hear(self, happenings: Sequence[Happening]) -> Notice | None:
        """Say what is to be told of what happens to cards, and kept with it; None if it concerns no subscriber."""
        notice = _Notice(self)
        known: dict[tuple[str, str], list[Subscription]] = {}
        for each in happenings:
            card, kind = each.card, _TOLD_OF.get(each.kind, IMEI_CHANGE)
            key = (card.imsi, kind)
            if key not in known:
                known[key] = [found for found in self.outbox.about(*key) if self._may_hear(notice, found, card)]
            for subscription in known[key]:
                if each.kind == "presence":
                    notice.moved(subscription, self._prevention.area_of(card), inside=each.details["inside"])
                elif each.kind in _SEEN:
                    notice.changed(subscription, str(each.details[_SEEN[each.kind]]))
        return notice if notice.events else None

    def _may_hear(self, notice: _Notice, subscription: Subscription, card: Card) -> bool:
        """Whether a client may still know of a card; a subscription to one that is no longer its own ends."""
        client = self._config.clients.get(subscription.client)
        named = client is not None and (not client.device or _is_number_of(client.device, card))
        if client is not None and named and self._platform.may_hear(card, by_of(subscription.client, client)):
            return True
        notice.end(subscription, "NETWORK_TERMINATED")
        return False

    def event(self, subscription: Subscription, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Make an event of a subscription."""
        return {
            "id": self._uuid(),
            "source": self._config.source,
            "specversion": "1.0",
            "type": kind,
            "time": _stamp(self._platform.now()),
            "datacontenttype": "application/json",
            "data": {"subscriptionId": subscription.id, **data},
        }

    def kept(self, subscription: Subscription) -> None:
        """Send what is kept for a subscription now; one that has ended needs its timer no more."""
        if subscription.status != "ACTIVE":
            timer = self._timers.pop(subscription.id, None)
            if timer is not None:
                timer.cancel()
        self._send(subscription.id)

    # -- the end

    def _arm(self, subscription: Subscription) -> None:
        ends = [
            (dt.datetime.fromisoformat(at), why)
            for at, why in (
                (subscription.expires, "SUBSCRIPTION_EXPIRED"),
                (subscription.token_expires, "ACCESS_TOKEN_EXPIRED"),
            )
            if at
        ]
        if ends:
            at, why = min(ends)
            delay = max(0.0, (at - self._platform.now()).total_seconds())
            # A timer of an event loop goes no further than a year or so.
            later = (
                partial(self._expire, subscription.id, why) if delay <= _DAY else partial(self._rearm, subscription.id)
            )
            self._timers[subscription.id] = self._platform.site.clock.call_later(min(delay, _DAY), later)

    def _rearm(self, subscription: str) -> None:
        self._if_active(subscription, self._arm)

    def _expire(self, subscription: str, why: str) -> None:
        self._if_active(subscription, lambda found: self._end(found, why))

    def _if_active(self, subscription: str, then: Callable[[Subscription], None]) -> None:
        """Do something about a subscription that is active still, again and again until the database answers."""
        try:
            found = self.outbox.get(subscription)
            if found is not None and found.status == "ACTIVE":
                then(found)
        except StoreError as error:
            self._platform.site.note(f"done later: {error}", subscription=subscription)
            again = partial(self._if_active, subscription, then)
            self._timers[subscription] = self._platform.site.clock.call_later(self._config.backoff, again)

    def _end(self, subscription: Subscription, why: str) -> None:
        notice = _Notice(self)
        notice.end(subscription, why)
        self.outbox.keep(notice.events)
        notice.kept()

    def stop(self) -> None:
        """Stop all timers; what waits is sent after the next start."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    # -- delivery

    def _send(self, subscription: str) -> None:
        if subscription not in self._sending:
            self._sending.add(subscription)
            self._platform.site.spawn(self._deliver_all(subscription), "delivery of events")

    async def _deliver_all(self, subscription: str) -> None:
        try:
            while (pause := await self._deliver_next(subscription)) is not None:
                if pause:
                    await self._platform.site.clock.sleep(pause)
        finally:
            self._sending.discard(subscription)

    async def _deliver_next(self, subscription: str) -> float | None:
        """Try to deliver what waits longest; return the seconds until the next attempt, None if nothing waits."""
        try:
            event, found = self.outbox.first(subscription), self.outbox.get(subscription)
            if event is None or found is None:
                return None
            delivered = await self._deliver(found, event)
        except StoreError as error:
            self._platform.site.note(f"events are sent later: {error}", subscription=subscription)
            return self._config.backoff
        return 0.0 if delivered else self._config.backoff * 2 ** (event.attempts - 1)

    async def _deliver(self, subscription: Subscription, event: Event) -> bool:
        """Try once; True when there is nothing more to do about the event."""
        headers = {"Content-Type": "application/cloudevents+json", "x-correlator": event.body["id"]}
        if subscription.token:
            headers["Authorization"] = f"Bearer {subscription.token}"
        try:
            status = await self._post(subscription.client, subscription.sink, headers, json.dumps(event.body).encode())
            trouble = "" if 200 <= status < 300 else f"status {status}"
        except UndeliveredError as error:
            status, trouble = 0, str(error)
        event.attempts += 1
        again = status in _AGAIN or not 300 <= status < 500
        if trouble and again and event.attempts < self._config.attempts:
            self.outbox.attempted(event)
            return False
        self.outbox.done(event)
        if trouble:
            self._platform.site.note(f"an event is given up: {trouble}", subscription=subscription.id)
        if status == _GONE:
            self.outbox.drop_events(subscription.id)
        now = self.outbox.get(subscription.id)
        if now is not None and now.status == _DELETED and self.outbox.first(now.id) is None:
            self.outbox.remove(now.id)
        elif now is not None and status == _GONE and now.status == "ACTIVE":
            now.status = "INACTIVE"
            self.outbox.change(now)
        return True

    def _uuid(self) -> str:
        return str(uuid.UUID(bytes=self._platform.site.rng.randbytes(16), version=4))


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
