"""The north side as part of a running platform: what it is put together from, its server, its verbs in scenarios."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from simulators.cmp.card import Change
from simulators.cmp.north.camara import Prevention
from simulators.cmp.north.config import PREVENTION, SUBSCRIPTIONS
from simulators.cmp.north.delivery import Courier, UndeliveredError, host_of
from simulators.cmp.north.rest import NorthSide, north_app
from simulators.cmp.north.subscriptions import Subscriptions
from simwarden.errors import ManagementError
from simwarden.model.address import read_address
from simwarden.operations.management import Call, route
from simwarden.operations.tokens import is_hashed
from simwarden.runtime.declare import CardName, Model, VerbModel, verb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.cmp.north.config import NorthConfig
    from simulators.cmp.platform import Platform
    from simwarden.operations.http import HttpServer
    from simwarden.operations.routing import Answer


class North:
    """The north side of one platform while it runs."""

    side: NorthSide

    def __init__(self, platform: Platform, config: NorthConfig) -> None:
        from simulators.cmp.north.store import METADATA, Outbox  # noqa: PLC0415 - SQLAlchemy is heavy

        self._site, self._config = platform.site, config
        self._courier = Courier(config.sinks, config.authorities, config.patience)
        self._server: HttpServer | None = None
        #: what sinks answer in virtual time: an HTTP status, 0 for none
        self.sinks_say = 204
        prevention = Prevention(platform, config)
        self._outbox = Outbox(platform.site.open_store(METADATA))
        self._subscriptions = Subscriptions(platform, config, prevention, self._outbox, self._post)
        self.side = NorthSide(platform, config, prevention, self._subscriptions)

    async def start(self) -> None:
        """Listen where the settings say so; a run in virtual time calls without sockets."""
        if not self._config.listen or self._site.clock.virtual:
            return
        from simwarden.operations.http import HttpServer  # noqa: PLC0415 - only who serves pays for it

        host, port = read_address(self._config.listen)
        self._server = HttpServer(self._site, north_app(self.side, self._site.guard), host, port)
        self._site.note(f"north side {await self._server.start()}")

    async def stop(self) -> None:
        """Let calls under way end; events that wait are sent after the next start."""
        self._subscriptions.stop()
        await self._courier.stop()
        if self._server is not None:
            await self._server.stop()

    async def _post(self, client: str, sink: str, headers: Mapping[str, str], body: bytes) -> int:
        if self._site.clock.virtual:
            if self.sinks_say == 0:
                raise UndeliveredError(f"{host_of(sink)} does not answer")
            if not 200 <= self.sinks_say < 300:
                return self.sinks_say
            event = json.loads(body)
            data, kind = event["data"], event["type"].rpartition(".")[2]
            held = self._outbox.get(data["subscriptionId"])
            imsi = held.imsi if held is not None else ""
            reason = data.get("terminationReason", data.get("initiationReason", ""))
            told = data["imei"].replace("-", "") if "imei" in data else reason
            shown = {
                "subscription": data["subscriptionId"],
                "imsi": imsi,
                "type": kind,
                "told": told,
                "sink": host_of(sink),
            }
            self._site.observe("notification", shown, key=imsi)
            return self.sinks_say
        try:
            return await self._courier.post(client, sink, headers, body)
        except UndeliveredError as error:
            self._site.note(f"an event was not delivered: {error}")
            raise


class Camara(VerbModel):
    """Call the CAMARA API as one of its clients."""

    client: str
    """Who calls, by name in the platform's settings."""
    do: Literal["bind", "unbind", "query", "subscribe", "delete"]
    """Which operation. `delete` is of all subscriptions of the client to the card."""
    card: CardName
    """The card, named by its phone number where the token is for no device."""
    device: dict[str, Any] | None = None
    """Or the device as the call has it: `{networkAccessIdentifier: ...}`."""
    kind: Literal["IMEIBIND", "AREALIMIT"] = "IMEIBIND"
    """What to bind, unbind or query."""
    sink: str = "https://sink.example.com/events"
    """Where events go."""
    change: Literal["imei", "area"] = "imei"
    """What to subscribe to changes of."""
    most: int = Field(default=0, ge=0)
    """`subscriptionMaxEvents`; 0: not given."""


class Sinks(VerbModel):
    """What the sinks of events answer from now on."""

    say: int = Field(ge=0, le=599)
    """An HTTP status; 0: nothing."""


class Presence(Model):
    """Body of `POST /cards/{imsi}/presence`."""

    inside: bool
    """Whether the card is inside its area again, or was found outside."""
    cell: str = ""
    """Where."""


_SAID = (
    *("bound", "unbound", "restricted", "unrestricted", "active", "inactive", "expired", "deleted", "failed", "none"),
    *("invalid-argument", "out-of-range", "invalid-sink", "invalid-protocol", "invalid-credential", "unauthenticated"),
    *("permission-denied", "not-found", "identifier-not-found", "method-not-allowed", "missing-identifier"),
    *("unsupported-identifier", "unnecessary-identifier", "unnecessary-unbind-imei", "unnecessary-unbind-arealimit"),
    *("quota-exceeded", "too-many-requests", "internal", "network-terminated", "unavailable"),
)
"""How a call of the API may end: what it answers, or the code of an error (see `errors`)."""


class NorthVerbs:
    """The verbs of the north side and what it hears from the network, for the platform's element."""

    north: North | None
    platform: Platform

    @route("POST", "/cards/{imsi}/presence", takes=Presence, gives=type(None))
    async def report_presence(self, call: Call) -> None:
        """Hear from an MME that a card has left its area, or is back."""
        card = self.platform.card(call.path["imsi"])
        place = "inside" if call.given.inside else "outside"
        value = {"imsi": card.imsi, "place": place, "cell": call.given.cell}
        self.platform.site.observe("presence", value, key=card.imsi)
        change = Change(card)
        self.platform.happens(change, "presence", inside=call.given.inside)
        self.platform.keep(change)

    @verb()
    async def sinks(self, arguments: Sinks) -> None:
        """Have the sinks of events answer by a status, or not at all: in virtual time nothing is on a network."""
        if self.north is None:
            raise ManagementError(404, "the platform has no north side")
        self.north.sinks_say = arguments.say

    @verb(*_SAID)
    async def camara(self, arguments: Camara) -> str:
        """Call the API: `bound`, `restricted`, `active`... as it answers, or an error's code (`permission-denied`)."""
        card = self.platform.store.named(arguments.card)
        if card is None:
            raise ManagementError(404, f"the platform has no card {arguments.card}")
        client = self.platform.config.north.clients.get(arguments.client)
        if client is None or self.north is None:
            raise ManagementError(404, f"the north side has no client {arguments.client}")
        named = arguments.device or ({} if client.device else {"phoneNumber": f"+{card.msisdn}"})
        device = {"device": named} if named else {}
        if is_hashed(client.token):
            raise ManagementError(400, f"the token of {arguments.client} is not known, only its hash")
        call = partial(self.north.side.call, token=client.token)
        base, subscriptions = f"/{PREVENTION}/vwip", f"/{SUBSCRIPTIONS}/vwip/subscriptions"
        if arguments.do == "subscribe":
            config: dict[str, Any] = {"subscriptionDetail": {"device": {"phoneNumber": f"+{card.msisdn}"}}}
            if arguments.most:
                config["subscriptionMaxEvents"] = arguments.most
            kind = f"org.camaraproject.iot-sim-fraud-prevention.v0.{arguments.change}-change"
            body = {"sink": arguments.sink, "protocol": "HTTP", "types": [kind], "config": config}
            return _outcome(await call("POST", subscriptions, body))
        if arguments.do == "delete":
            held = await call("GET", subscriptions)
            number = f"+{card.msisdn}"
            for each in held.body if held.status == 200 else ():
                if each["config"]["subscriptionDetail"]["device"].get("phoneNumber") == number:
                    held = await call("DELETE", f"{subscriptions}/{each['id']}")
            return "deleted" if held.status == 204 else _outcome(held)
        field = {"bind": "bindType", "unbind": "unBindType", "query": "queryType"}[arguments.do]
        return _outcome(await call("POST", f"{base}/{arguments.do}", {**device, field: arguments.kind}))


def _outcome(answer: Answer) -> str:
    """Say the outcome of a call in a word."""
    body = answer.body
    if isinstance(body, list):
        return "none"
    if answer.status >= 400:
        return str(body["code"]).lower().replace("_", "-")
    for name in ("bound", "unbound"):
        if name in body:
            return name if body[name] else "failed"
    told = body.get("imeiBind", {}).get("bindStatus") or body.get("areaLimit", {}).get("areaLimitStatus")
    return str(told or body["status"]).lower()
