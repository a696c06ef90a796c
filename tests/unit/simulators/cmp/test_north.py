"""The CAMARA API over a platform: bind, unbind, query, and subscriptions with their events."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from north_net import (
    IMEI_CHANGE,
    IMSI,
    METER,
    NUMBER,
    OTHER,
    PHONE,
    PREVENTION,
    SUBSCRIPTIONS,
    TABLET,
    Net,
    device,
    subscription,
)

from simulators.cmp.north.delivery import UndeliveredError, host_of, may_reach
from simulators.cmp.north.rest import north_app
from simwarden.errors import ManagementError
from simwarden.operations.management import Role
from simwarden.runtime.loop import TestbedLoop
from simwarden.runtime.store import StoreUnavailableError
from simwarden.trace.events import Decided, StateChange


@pytest.fixture
def net(loop: TestbedLoop) -> Net:
    return Net(loop)


async def test_a_card_is_bound_to_the_terminal_that_it_is_in(net: Net) -> None:
    async with net:
        assert net.seen(METER)
        assert (await net.ask("query", {**device(), "queryType": "IMEIBIND"})).body == {
            "imeiBind": {"bindStatus": "UNBOUND"}
        }
        assert (await net.ask("bind", {**device(), "bindType": "IMEIBIND"})).body == {"bound": True}
        assert (await net.ask("bind", {**device(), "bindType": "IMEIBIND"})).body == {"bound": True}
        told = (await net.ask("query", {**device(), "queryType": "IMEIBIND"}, client="water")).body
        assert told == {"imeiBind": {"bindStatus": "BOUND", "bindImei": "99-000101-000001-6"}}
        assert (net.seen(METER), net.seen(PHONE)) == (True, False)
        await net.pause()
        assert (await net.ask("unbind", {**device(), "unBindType": "IMEIBIND"})).body == {"unbound": True}
        assert net.seen(PHONE)
        again = await net.ask("unbind", {**device(), "unBindType": "IMEIBIND"})
        assert (again.status, again.body["code"]) == (422, "UNNECESSARY_UNBIND_IMEI")
        audit = (await net.cmp.manage(Role.OPERATOR, "GET", f"/cards/{IMSI}/audit"))["records"][::-1]
        assert [(each["action"], each["caller"]) for each in audit] == [
            ("bind", "desk"),
            ("mismatch", ""),
            ("rebind", "desk"),
            ("phone", ""),
        ]


async def test_a_card_that_was_never_seen_is_bound_at_its_first_use(net: Net) -> None:
    async with net:
        assert (await net.ask("bind", {**device(), "bindType": "IMEIBIND"})).body == {"bound": True}
        assert (net.seen(METER), net.seen(PHONE)) == (True, False)


@pytest.mark.parametrize("used_in", ["", PHONE])
async def test_a_binding_that_the_operator_gave_stays(net: Net, used_in: str) -> None:
    async with net:
        assert not used_in or net.seen(used_in)
        await net.rebind(imei=METER)
        assert await net.bind() == ({"bound": True}, "given", METER)
        assert not net.seen(PHONE)
        assert await net.bind() == ({"bound": True}, "given", METER)  # a refused thief contradicts nothing
        assert (net.seen(METER), net.seen(PHONE)) == (True, False)
        audit = (await net.cmp.manage(Role.OPERATOR, "GET", f"/cards/{IMSI}/audit"))["records"][::-1]
        assert [each["caller"] for each in audit if each["action"] in ("bind", "rebind")] == [""]


async def test_a_card_in_what_has_no_imei_is_bound_at_its_next_use(net: Net) -> None:
    async with net:
        assert net.seen("0" * 14)
        assert await net.bind() == ({"bound": True}, "learned", "")


async def test_a_card_that_waits_for_its_first_use_still_does(net: Net) -> None:
    async with net:
        assert net.seen(PHONE)
        await net.rebind(learn="first-use")
        assert await net.bind() == ({"bound": True}, "learned", "")
        assert (net.seen(METER), net.seen(PHONE)) == (True, False)
        assert await net.bind() == ({"bound": True}, "learned", METER)


async def test_a_card_that_is_served_elsewhere_since_it_was_bound_is_bound_there(net: Net) -> None:
    async with net:
        await net.alarm_only()
        assert net.seen(PHONE)
        await net.rebind(imei=METER)
        assert await net.bind() == ({"bound": True}, "given", METER)
        assert net.seen(PHONE)  # with an alarm
        assert net.seen(METER)
        assert await net.bind() == ({"bound": True}, "given", METER)  # it is back where it belongs
        assert net.seen(PHONE)
        assert await net.bind() == ({"bound": True}, "given", PHONE)


async def test_an_area_that_the_operator_gave_stays(net: Net) -> None:
    async with net:
        net.mme.areas[IMSI] = {"cells": ["001-01-0000202"]}
        assert (await net.ask("bind", {**device(), "bindType": "AREALIMIT"})).body == {"bound": True}
        assert net.mme.areas[IMSI] == {"cells": ["001-01-0000202"]}


async def test_a_customer_may_not_bind_and_the_desk_only_with_an_approval(net: Net) -> None:
    async with net:
        for name, kind in (("bind", "bindType"), ("unbind", "unBindType")):
            for what in ("IMEIBIND", "AREALIMIT"):
                answer = await net.ask(name, {**device(), kind: what}, client="water")
                assert (answer.status, answer.body["code"]) == (403, "PERMISSION_DENIED")
        assert (await net.ask("bind", {**device(), "bindType": "IMEIBIND"}, client="bare")).status == 403
        audit = (await net.cmp.manage(Role.OPERATOR, "GET", "/audit"))["records"][::-1]
        refused = [(each["action"], each["details"]["control"]) for each in audit if "refused" in each["action"]]
        operator = [(f"{name}-refused", "bind.operator") for name in ("bind", "bind", "unbind", "unbind")]
        assert refused == [*operator, ("bind-refused", "bind.approval")]
    decided = {
        e.decision.control.id for e in net.host.trace.events if isinstance(e, Decided) and not e.decision.admitted
    }
    assert decided == {"bind.operator", "bind.approval"}


async def test_limits_of_the_business_are_429(net: Net) -> None:
    async with net:
        codes = []
        await net.alarm_only()
        for imei in (METER, PHONE, PHONE, METER, PHONE, METER):
            assert net.seen(imei)
            answer = await net.ask("bind", {**device(), "bindType": "IMEIBIND"})
            codes.append(answer.body.get("code", answer.status))
            if not codes[1:]:
                locked = await net.ask("unbind", {**device(), "unBindType": "IMEIBIND"})
                assert (locked.status, locked.body["code"]) == (429, "TOO_MANY_REQUESTS")
            await net.pause()
        assert codes == [200, 200, 200, 200, "QUOTA_EXCEEDED", 200]


async def test_the_area_agreed_upon(net: Net) -> None:
    async with net:
        limit = {**device(), "bindType": "AREALIMIT"}
        ask = {**device(), "queryType": "AREALIMIT"}
        assert (await net.ask("query", ask)).body == {"areaLimit": {"areaLimitStatus": "UNRESTRICTED"}}
        assert (await net.ask("bind", limit)).body == {"bound": True}
        assert net.mme.areas[IMSI]["cells"] == ["001-01-0000101"]
        circle = {"areaType": "CIRCLE", "center": {"latitude": 50.5, "longitude": 7.25}, "radius": 2000}
        told = {"areaLimitStatus": "RESTRICTED", "limitArea": circle}
        assert (await net.ask("query", ask)).body == {"areaLimit": told}
        lift = {**device(), "unBindType": "AREALIMIT"}
        assert (await net.ask("unbind", lift)).body == {"unbound": True}
        assert (await net.ask("unbind", lift)).body["code"] == "UNNECESSARY_UNBIND_AREALIMIT"
        net.mme.refuses = 403
        wide = await net.ask("bind", limit)
        assert (wide.status, wide.body["code"]) == (400, "OUT_OF_RANGE")
        assert (await net.ask("bind", {**device(OTHER), "bindType": "AREALIMIT"})).body == {"bound": False}
        await net.host.stop("mme")
        assert (await net.ask("bind", limit)).body == {"bound": False}


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({}, 422, "MISSING_IDENTIFIER"),
        ({"ipv6Address": "2001:db8::1"}, 422, "UNSUPPORTED_IDENTIFIER"),
        ({"ipv4Address": {"publicAddress": "192.0.2.1", "publicPort": 1}}, 422, "UNSUPPORTED_IDENTIFIER"),
        ({"phoneNumber": "+99999999"}, 404, "IDENTIFIER_NOT_FOUND"),
        ({"phoneNumber": OTHER}, 404, "IDENTIFIER_NOT_FOUND"),
        ({"networkAccessIdentifier": "somebody@example.com"}, 404, "IDENTIFIER_NOT_FOUND"),
        ({"networkAccessIdentifier": f"0{IMSI}@nai.epc.mnc001.mcc001.3gppnetwork.org"}, 200, ""),
        ({"phoneNumber": NUMBER, "networkAccessIdentifier": f"{IMSI}@ims.mnc001.mcc001.3gppnetwork.org"}, 200, ""),
        (
            {"phoneNumber": NUMBER, "networkAccessIdentifier": "001010000000018@ims.mnc001.mcc001.3gppnetwork.org"},
            404,
            "IDENTIFIER_NOT_FOUND",
        ),
    ],
)
async def test_who_is_meant(net: Net, given: dict[str, Any], status: int, code: str) -> None:
    async with net:
        body = {"queryType": "IMEIBIND", **({"device": given} if given else {})}
        answer = await net.ask("query", body, client="water")
        assert (answer.status, answer.body.get("code", "")) == (status, code)


@pytest.mark.parametrize(
    ("client", "other", "told"),
    [
        ("water", "001010000000018", (404, "IDENTIFIER_NOT_FOUND")),
        ("water", "001010000000099", (404, "IDENTIFIER_NOT_FOUND")),
        ("desk", "001010000000018", (400, "INVALID_ARGUMENT")),
    ],
)
async def test_a_card_of_somebody_else_beside_ones_own_is_as_if_it_were_not(
    net: Net, client: str, other: str, told: tuple[int, str]
) -> None:
    async with net:
        identifier = f"{other}@ims.mnc001.mcc001.3gppnetwork.org"
        body = {"queryType": "IMEIBIND", "device": {"phoneNumber": NUMBER, "networkAccessIdentifier": identifier}}
        answer = await net.ask("query", body, client)
        assert (answer.status, answer.body["code"]) == told


async def test_a_number_of_somebody_else_and_one_of_nobody_leave_the_same(net: Net) -> None:
    async with net:
        engine, said = net.cmp.platform.store._engine, []
        sa.event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
        answers, asked = [], []
        for number in (OTHER, "+14400000099"):
            said.clear()
            answer = await net.ask("query", {**device(number), "queryType": "IMEIBIND"}, client="water")
            answers.append((answer.status, answer.body))
            asked.append(list(said))
        assert answers[0] == answers[1]
        assert asked[0] == asked[1] != []
        audit = (await net.cmp.manage(Role.OPERATOR, "GET", "/audit"))["records"][::-1]
        looks = [each for each in audit if each["action"] == "look-refused"]
        assert [(each["imsi"], each["caller"]) for each in looks] == [("001010000000018", "water"), ("", "water")]
        assert looks[0]["details"] == looks[1]["details"]


async def test_a_token_for_one_device(net: Net) -> None:
    async with net:
        assert (await net.ask("query", {"queryType": "IMEIBIND"}, client="handset")).status == 200
        answer = await net.ask("query", {**device(), "queryType": "IMEIBIND"}, client="handset")
        assert (answer.status, answer.body["code"]) == (422, "UNNECESSARY_IDENTIFIER")


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("bind", {}, "BindType must be specified"),
        ("bind", None, "Client specified an invalid argument, request body or query param."),
        ("bind", {"bindType": "X"}, "The value of bindType can only be IMEIBIND,AREALIMIT"),
        ("unbind", {}, "UnbindType must be specified"),
        ("query", {"queryType": 1}, "The value of queryType can only be IMEIBIND,AREALIMIT"),
        ("query", {"queryType": "IMEIBIND", "device": {"phoneNumber": "1"}}, "Invalid format: phoneNumber"),
        (
            "query",
            {"queryType": "IMEIBIND", "device": {"ipv4Address": {"publicAddress": "192.0.2.1", "publicPort": 65536}}},
            "Invalid value: ipv4Address.publicPort",
        ),
        (
            "query",
            {"queryType": "IMEIBIND", "device": {"ipv4Address": {"publicAddress": "192.0.2.1"}}},
            "Invalid format: ipv4Address",
        ),
        ("query", {"queryType": "IMEIBIND", "device": {"ipv6Address": "x"}}, "Invalid format: ipv6Address"),
        (
            "query",
            {"queryType": "IMEIBIND", "device": {"networkAccessIdentifier": "x"}},
            "Invalid format: networkAccessIdentifier",
        ),
        (
            "query",
            {"queryType": "IMEIBIND", "device": {}},
            "At least one of phoneNumber, networkAccessIdentifier, ipv4Address and ipv6Address must be specified",
        ),
    ],
)
async def test_the_sentences_of_the_api(net: Net, name: str, body: Any, said: str) -> None:
    async with net:
        answer = await net.ask(name, body)
        assert answer.body == {"status": 400, "code": "INVALID_ARGUMENT", "message": said}


async def test_tokens_scopes_and_correlators(net: Net) -> None:
    async with net:
        ask = {**device(), "queryType": "IMEIBIND"}
        for client in ("nobody", "sha256:desk"):
            answer = await net.ask("query", ask, client=client)
            assert (answer.status, answer.body["code"]) == (401, "UNAUTHENTICATED")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert (await net.ask("query", ask, client="reader")).status == 200
        assert (await net.ask("bind", {**device(), "bindType": "IMEIBIND"}, client="reader")).status == 403
        assert (await net.ask("query", ask, correlator="a-b_c:1")).headers["x-correlator"] == "a-b_c:1"
        made = (await net.ask("query", ask)).headers["x-correlator"]
        assert len(made) == 36
        wrong = await net.ask("query", ask, correlator="no spaces")
        assert wrong.status == 400
        assert wrong.headers["x-correlator"] != "no spaces"
        assert (await net.ask("nothing")).status == 404


class Sink:
    """Takes events, or says what it is told to."""

    def __init__(self, net: Net, *says: int) -> None:
        self.says = list(says)
        self.events: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.at: list[float] = []
        self._net = net
        net.cmp.north._subscriptions._post = self

    async def __call__(self, _client: str, url: str, headers: Any, body: bytes) -> int:
        import json

        assert url == "https://sink.example.com/events"
        self.at.append(self._net.host.clock.now())
        said = self.says.pop(0) if self.says else 204
        if not said:
            raise UndeliveredError("down")
        if said < 300:
            self.events.append(json.loads(body))
            self.headers.append(dict(headers))
        return said

    @property
    def told(self) -> list[tuple[str, str]]:
        short = [(e["type"].rpartition(".")[2], e["data"]) for e in self.events]
        return [(kind, data.get("imei") or data.get("terminationReason") or "") for kind, data in short]


STARTED = ("subscription-started", "")


async def test_a_subscriber_is_told_of_another_terminal_once(net: Net) -> None:
    async with net:
        sink = Sink(net)
        credential = {"credentialType": "ACCESSTOKEN", "accessTokenType": "bearer", "accessToken": "t0k3n"}
        credential["accessTokenExpiresUtc"] = "2027-01-01T00:00:00Z"
        made = await net.subs("POST", subscription(sinkCredential=credential))
        assert made.status == 201
        assert made.body["status"] == "ACTIVE"
        assert "t0k3n" not in str(made)
        await net.ask("bind", {**device(), "bindType": "IMEIBIND"})
        for imei in (METER, PHONE, PHONE, METER, TABLET):
            net.seen(imei)
        await net.pause(1)
        assert sink.told == [STARTED, ("imei-change", "99-000201-000001-4"), ("imei-change", "99-000301-000001-2")]
        event = sink.events[1]
        assert event["data"]["subscriptionId"] == made.body["id"]
        assert event["data"]["device"] == device()["device"]
        assert (event["specversion"], event["source"]) == ("1.0", "https://cmp.example.com")
        assert event["time"].startswith("2026-03-02T08:00:")
        assert sink.headers[1]["Authorization"] == "Bearer t0k3n"
        assert sink.headers[1]["Content-Type"] == "application/cloudevents+json"


async def test_retries_keep_the_order_and_are_given_up(net: Net) -> None:
    async with net:
        sink = Sink(net, 204, 503, 0, 429, 204, 404)
        await net.subs("POST", subscription())
        await net.pause(1)
        for imei in (METER, PHONE, TABLET, METER):
            net.seen(imei)
        await net.pause()
        assert [round(b - a) for a, b in zip(sink.at[1:], sink.at[2:], strict=False)] == [10, 20, 40, 0, 0]
        assert sink.told == [STARTED, ("imei-change", "99-000201-000001-4"), ("imei-change", "99-000101-000001-6")]
        sink.says = [500] * 5
        net.seen(PHONE)
        await net.pause(151)
        assert not sink.says
        assert net.cmp.north._outbox.waiting() == []


async def test_the_end_of_a_subscription(net: Net) -> None:
    async with net:
        sink = Sink(net)
        await net.subs("POST", subscription(config={"subscriptionMaxEvents": 1, "initialEvent": True}))
        for imei in (METER, PHONE, TABLET):
            net.seen(imei)
        await net.pause(1)
        ended = "subscription-ended"
        assert sink.told == [STARTED, ("imei-change", "99-000201-000001-4"), (ended, "MAX_EVENTS_REACHED")]
        sink.events.clear()
        soon = {"subscriptionExpireTime": "2026-03-04T08:00:00Z", "initialEvent": True}
        made = (await net.subs("POST", subscription(config=soon))).body
        assert made["expiresAt"] == "2026-03-04T08:00:00.000Z"
        await net.pause(2 * 86400)
        assert sink.told == [STARTED, ("imei-change", "99-000301-000001-2"), (ended, "SUBSCRIPTION_EXPIRED")]
        assert [each["status"] for each in (await net.subs("GET")).body] == ["EXPIRED", "EXPIRED"]
        sink.events.clear()
        path = f"/{(await net.subs('POST', subscription())).body['id']}"
        assert (await net.subs("DELETE", path=path, client="gas")).status == 404
        assert (await net.subs("DELETE", path=path)).status == 204
        assert (await net.subs("GET", path=path)).status == 404
        await net.pause(1)
        assert sink.told[-1] == (ended, "SUBSCRIPTION_DELETED")
        assert net.cmp.north._outbox.get(path[1:]) is None
        assert (await net.subs("GET", client="gas")).body == []


class SlowSink(Sink):
    """Takes the first event when it is told to."""

    def __init__(self, net: Net) -> None:
        super().__init__(net)
        self.free = asyncio.Event()

    async def __call__(self, *given: Any) -> int:
        if not self.at:
            self.at.append(0)
            await self.free.wait()
        return await super().__call__(*given)


async def test_the_end_of_a_subscription_is_told_that_is_deleted_while_an_event_is_on_its_way(net: Net) -> None:
    async with net:
        sink = SlowSink(net)
        made = (await net.subs("POST", subscription())).body
        await net.pause(1)
        assert (await net.subs("DELETE", path=f"/{made['id']}")).status == 204
        sink.free.set()
        await net.pause(1)
        assert sink.told == [STARTED, ("subscription-ended", "SUBSCRIPTION_DELETED")]


@pytest.mark.parametrize("said", [204, 410, 500])
async def test_an_event_on_its_way_takes_none_of_another_subscription_with_it(net: Net, said: int) -> None:
    """The event is forgotten with its subscription, and the next one gets its number in the database."""

    async with net:
        sink = SlowSink(net)
        made = (await net.subs("POST", subscription(config={"subscriptionMaxEvents": 1}))).body
        assert net.seen(METER)
        assert net.seen(PHONE)
        await net.pause(1)
        assert (await net.subs("DELETE", path=f"/{made['id']}")).status == 204
        sink.says = [500]
        other = (await net.subs("POST", subscription(), client="desk")).body
        await net.pause(1)
        sink.says = [said]
        sink.free.set()
        await net.pause(1)
        assert net.seen(METER)
        await net.pause(200)
        mine = [
            each["type"].rpartition(".")[2] for each in sink.events if each["data"]["subscriptionId"] == other["id"]
        ]
        assert mine == ["subscription-started", "imei-change"]


async def test_a_sink_that_is_gone_hears_no_more(net: Net) -> None:
    async with net:
        sink = Sink(net, 410)
        path = f"/{(await net.subs('POST', subscription())).body['id']}"
        await net.pause(1)
        assert (await net.subs("GET", path=path)).body["status"] == "INACTIVE"
        net.seen(METER)
        net.seen(PHONE)
        await net.pause(1)
        assert sink.events == []


AREA_CHANGE = IMEI_CHANGE.replace("imei", "area")


async def test_a_subscriber_is_told_of_a_card_that_leaves_its_area_and_comes_back(net: Net) -> None:
    async with net:
        sink = Sink(net)
        assert (await net.subs("POST", subscription(types=[AREA_CHANGE]))).status == 201
        for inside in (True, False, False, True, True, False):
            body = {"inside": inside, "cell": "001-01-0000201"}
            await net.cmp.manage(Role.OPERATOR, "POST", f"/cards/{IMSI}/presence", body)
        net.seen(METER)
        net.seen(PHONE)
        await net.pause(1)
        assert [kind for kind, _ in sink.told] == ["subscription-started", *["area-change"] * 3]
        circle = {"areaType": "CIRCLE", "center": {"latitude": 50.5, "longitude": 7.25}, "radius": 2000}
        assert sink.events[1]["data"]["area"] == circle
        assert sink.events[1]["data"]["device"] == device()["device"]
        assert sink.events[1]["type"] == AREA_CHANGE


@pytest.mark.parametrize(("wanted", "events"), [(True, 3), (False, 2)])
async def test_a_card_that_is_outside_is_told_of_at_once_to_who_wants_it(net: Net, wanted: bool, events: int) -> None:  # noqa: FBT001
    async with net:
        sink = Sink(net)
        net.mme.outside = True
        await net.subs("POST", subscription(types=[AREA_CHANGE], config={"initialEvent": wanted}))
        await net.cmp.manage(Role.OPERATOR, "POST", f"/cards/{IMSI}/presence", {"inside": False})
        await net.cmp.manage(Role.OPERATOR, "POST", f"/cards/{IMSI}/presence", {"inside": True})
        await net.pause(1)
        assert len(sink.events) == events


async def test_no_area_no_change_of_it(net: Net) -> None:
    async with net:
        config = {"subscriptionDetail": device(OTHER)}
        answer = await net.subs("POST", subscription(types=[AREA_CHANGE], config=config), client="gas")
        assert (answer.status, answer.body["message"]) == (400, "No area is agreed upon for the device")


@pytest.mark.parametrize("to", [{"account": "gas"}, {"account": ""}, {"msisdn": "1440000000019"}])
async def test_a_subscription_ends_when_the_card_is_no_longer_the_customers(net: Net, to: dict[str, str]) -> None:
    client = "handset" if "msisdn" in to else "water"

    async with net:
        sink = Sink(net)
        made = (await net.subs("POST", subscription(), client=client)).body
        net.seen(METER)
        await net.hand_over(**to)
        await net.pause(1)
        assert sink.told == [STARTED, ("subscription-ended", "NETWORK_TERMINATED")]
        net.seen(PHONE)
        await net.pause(1)
        assert len(sink.told) == 2
        assert (await net.subs("GET", path=f"/{made['id']}", client=client)).body["status"] == "EXPIRED"


async def test_a_card_that_is_provisioned_again_as_it_is_keeps_its_subscriptions(net: Net) -> None:
    async with net:
        sink = Sink(net)
        await net.subs("POST", subscription())
        await net.rebind(imei=METER)
        await net.hand_over(account="water", imei=METER)
        await net.pause(1)
        assert sink.told == [STARTED]


async def test_a_binding_that_was_given_is_held_by_the_next_owner_too(net: Net) -> None:
    async with net:
        await net.rebind(imei=METER)
        await net.hand_over(account="gas", imei=METER)
        assert await net.bind() == ({"bound": True}, "given", METER)


async def test_the_end_of_a_subscription_is_kept_with_the_hand_over_or_neither_is(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise StoreUnavailableError("gone")

    async with net:
        sink = Sink(net)
        await net.subs("POST", subscription())
        with monkeypatch.context() as patched:
            patched.setattr("simulators.cmp.north.store.Outbox.add", fail)
            with pytest.raises(ManagementError):
                await net.hand_over(account="gas")
        assert net.cmp.platform.card(IMSI).account == "water"
        await net.pause(1)
        assert sink.told == [STARTED]


async def test_the_desk_hears_of_a_card_whosoever_it_is(net: Net) -> None:
    async with net:
        sink = Sink(net)
        await net.subs("POST", subscription(), client="desk")
        await net.hand_over(account="gas")
        assert net.seen(METER)
        assert net.seen(PHONE)
        await net.pause(1)
        assert [kind for kind, _ in sink.told] == ["subscription-started", "imei-change"]


async def test_who_is_given_a_card_does_not_hear_where_it_was(net: Net) -> None:
    async def terminal(role: Role, *accounts: str) -> str:
        told = await net.cmp.manage(role, "GET", f"/cards/{IMSI}", accounts=accounts)
        return str(told["terminal"])

    async with net:
        sink = Sink(net)
        assert net.seen(PHONE)
        await net.hand_over(account="gas")
        assert await terminal(Role.CUSTOMER, "gas") == ""
        assert await terminal(Role.OPERATOR) == "990002010000014"
        listed = await net.cmp.manage(Role.CUSTOMER, "GET", "/cards", accounts=("gas",))
        assert [each["terminal"] for each in listed["cards"]] == ["", ""]
        await net.subs("POST", subscription(config={"initialEvent": True}), client="gas")
        assert await net.bind() == ({"bound": True}, "learned", "")
        assert net.seen(METER)
        assert sink.told == [STARTED]
        assert await terminal(Role.CUSTOMER, "gas") == "990001010000016"
        assert (await net.bind())[1:] == ("learned", METER)


async def test_a_card_that_stays_where_it_is_shows_its_new_owner_so_when_it_is_used(net: Net) -> None:
    async with net:
        assert net.seen(METER)
        await net.hand_over(account="gas")
        assert net.seen(METER)
        told = await net.cmp.manage(Role.CUSTOMER, "GET", f"/cards/{IMSI}", accounts=("gas",))
        assert told["terminal"] == "990001010000016"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"protocol": "MQTT3"}, "INVALID_PROTOCOL"),
        ({"sink": "http://sink.example.com"}, "INVALID_SINK"),
        ({"sink": "https://127.0.0.1/"}, "INVALID_SINK"),
        ({"sink": "https://localhost/"}, "INVALID_SINK"),
        ({"sink": "https://me:you@sink.example.com/"}, "INVALID_SINK"),
        ({"sinkCredential": {"credentialType": "PLAIN", "identifier": "a", "secret": "b"}}, "INVALID_CREDENTIAL"),
        ({"types": []}, "INVALID_ARGUMENT"),
        ({"config": {"subscriptionExpireTime": "2026-03-01T00:00:00Z"}}, "INVALID_ARGUMENT"),
        ({"config": {"subscriptionExpireTime": "2027-03-01T00:00:00"}}, "INVALID_ARGUMENT"),
        ({"config": {"subscriptionMaxEvents": 0}}, "OUT_OF_RANGE"),
        ({"config": {"subscriptionMaxEvents": "0"}}, "INVALID_ARGUMENT"),
    ],
)
async def test_what_is_no_subscription(net: Net, more: dict[str, Any], code: str) -> None:
    async with net:
        answer = await net.subs("POST", subscription(**more))
        assert (answer.status, answer.body["code"]) == (400, code)


@pytest.mark.parametrize(
    ("without", "status", "code", "message"),
    [
        ("sink", 400, "INVALID_ARGUMENT", "Sink must be specified"),
        ("protocol", 400, "INVALID_ARGUMENT", "Protocol must be specified"),
        ("types", 400, "INVALID_ARGUMENT", "SubscriptionType must be specified"),
        ("device", 422, "MISSING_IDENTIFIER", "The device cannot be identified."),
    ],
)
async def test_what_a_subscription_must_have(net: Net, without: str, status: int, code: str, message: str) -> None:
    async with net:
        body = subscription()
        (body["config"]["subscriptionDetail"] if without == "device" else body).pop(without)
        answer = await net.subs("POST", body)
        assert answer.body == {"status": status, "code": code, "message": message}
        other = await net.subs("POST", subscription(protocol="MQTT9"))
        assert other.body["message"] == "The value of Protocol can only be HTTP, MQTT3, MQTT5, AMQP, NATS, KAFKA"


async def test_a_token_for_one_device_needs_no_other_word_for_it(net: Net) -> None:
    async with net:
        body = subscription()
        del body["config"]["subscriptionDetail"]["device"]
        made = (await net.subs("POST", body, client="handset")).body
        assert made["config"]["subscriptionDetail"] == device()
        other = {"device": {"phoneNumber": OTHER, "ipv6Address": "2001:db8::1"}}
        for named, status in ((device(), 201), ({"device": {"ipv6Address": "2001:db8::1"}}, 201), (other, 422)):
            body["config"]["subscriptionDetail"] |= named
            assert (await net.subs("POST", body, client="handset")).status == status


async def test_an_event_survives_the_platform(loop: TestbedLoop, store_url: str) -> None:
    net = Net(loop, store=store_url)

    async with net:
        Sink(net, 204, 0, 0)
        await net.subs("POST", subscription(config={"subscriptionExpireTime": "2026-03-02T09:00:00Z"}))
        await net.pause(1)
        net.seen(METER)
        net.seen(PHONE)
        await net.pause(1)
        await net.host.stop("cmp", kill=True)
        await net.host.start("cmp")
        sink = Sink(net)
        await net.pause(3600)
        ended = ("subscription-ended", "SUBSCRIPTION_EXPIRED")
        assert sink.told == [("imei-change", "99-000201-000001-4"), ended]


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("bound", [False, True], ids=["another-terminal", "mismatch"])
@pytest.mark.parametrize("after", [False, True], ids=["before-the-commit", "after-the-commit"])
@pytest.mark.parametrize("kill", [False, True], ids=["failure", "kill"])
async def test_a_change_and_its_event_are_kept_together_or_not_at_all(
    loop: TestbedLoop, store_url: str, monkeypatch: pytest.MonkeyPatch, *, bound: bool, after: bool, kill: bool
) -> None:
    net = Net(loop, store=store_url)
    wrong: BaseException = Killed() if kill else StoreUnavailableError("gone")

    def fail(*_: object) -> None:
        raise wrong

    async with net:
        sink = Sink(net)
        await net.subs("POST", subscription())
        if bound:
            await net.ask("bind", {**device(), "bindType": "IMEIBIND"})
        net.seen(METER)
        await net.pause(1)
        engine = net.cmp.platform.store._engine
        with monkeypatch.context() as patched:
            if after:
                patched.setattr("simulators.cmp.north.subscriptions._Notice.kept", fail)
            else:
                sa.event.listen(engine, "commit", fail)
            with pytest.raises(type(wrong)):
                net.seen(PHONE)
            if not after:
                sa.event.remove(engine, "commit", fail)
        if kill:
            await net.host.stop("cmp", kill=True)
            await net.host.start("cmp")
            told, sink = sink.told, Sink(net)
        else:
            told = []
        await net.pause(1)
        card, event = net.cmp.platform.card(IMSI), ("imei-change", "99-000201-000001-4")
        changed = card.mismatches == 1 if bound else card.terminal == PHONE
        assert changed is after
        waiting = net.cmp.north._outbox.waiting()
        if kill:
            assert told == [STARTED]
            assert sink.told == ([event] if after else [])
        else:
            assert sink.told == [STARTED]
            assert len(waiting) == after
        net.seen(PHONE)
        net.seen(PHONE)
        await net.pause(1)
        if not (after and not kill):  # a process that lives on with what it kept untold does not exist
            assert sink.told[-1:] == [event]
            assert sink.told.count(event) == 1


@pytest.mark.parametrize("bound", [False, True], ids=["another-terminal", "mismatch"])
async def test_nothing_can_come_between_a_change_and_its_event(net: Net, *, bound: bool) -> None:
    commits: list[object] = []

    async with net:
        await net.subs("POST", subscription())
        if bound:
            await net.ask("bind", {**device(), "bindType": "IMEIBIND"})
        net.seen(METER)
        await net.pause(1)
        engine = net.cmp.platform.store._engine
        sa.event.listen(engine, "commit", commits.append)
        assert net.seen(PHONE) is not bound
        assert len(commits) == 1
        assert len(net.cmp.north._outbox.waiting()) == 1


async def test_an_alarm_and_the_terminal_that_it_is_about_are_told_as_one(net: Net) -> None:
    async with net:
        sink = Sink(net)
        await net.subs("POST", subscription(config={"subscriptionMaxEvents": 2}))
        await net.cmp.manage(Role.OPERATOR, "PUT", "/accounts/water", {"mismatch": "alarm"})
        await net.ask("bind", {**device(), "bindType": "IMEIBIND"})
        for imei in (METER, PHONE, TABLET, METER):
            assert net.seen(imei)
        await net.pause(1)
        changes = [("imei-change", "99-000201-000001-4"), ("imei-change", "99-000301-000001-2")]
        assert sink.told == [STARTED, *changes, ("subscription-ended", "MAX_EVENTS_REACHED")]


async def test_a_subscription_is_kept_with_its_first_events_and_ended_with_its_last_one(
    loop: TestbedLoop, store_url: str
) -> None:
    net = Net(loop, store=store_url)

    def fail(*_: object) -> None:
        raise StoreUnavailableError("gone")

    async with net:
        sink, engine = Sink(net, 204, 0, 0, 0, 0), net.cmp.north._outbox._engine
        net.seen(METER)
        sa.event.listen(engine, "commit", fail)
        assert (await net.subs("POST", subscription())).status == 503
        sa.event.remove(engine, "commit", fail)
        assert (await net.subs("GET")).body == []
        made = (await net.subs("POST", subscription(config={"initialEvent": True}))).body
        await net.pause(1)
        sa.event.listen(engine, "commit", fail)
        assert (await net.subs("DELETE", path=f"/{made['id']}")).status == 503
        sa.event.remove(engine, "commit", fail)
        assert (await net.subs("GET", path=f"/{made['id']}")).body["status"] == "ACTIVE"
        await net.pause()
        assert sink.told == [STARTED, ("imei-change", "99-000101-000001-6")]


async def test_in_a_run_events_go_to_the_trace(net: Net) -> None:
    async with net:
        verb = {"client": "handset", "card": "card", "do": "subscribe"}
        card, platform = net.cmp.platform.card(IMSI), net.cmp.platform
        platform.store.put(dataclasses.replace(card, name="card"), platform.record("provision", IMSI, None, {}))
        call = net.cmp.manage
        assert await call(Role.OPERATOR, "POST", "/verbs/camara", verb) == "active"
        outcomes = [
            await call(Role.OPERATOR, "POST", "/verbs/camara", {**verb, "client": client, "do": do, "kind": kind})
            for client, do, kind in (
                ("water", "query", "IMEIBIND"),
                ("water", "bind", "IMEIBIND"),
                ("handset", "bind", "IMEIBIND"),
                ("handset", "bind", "AREALIMIT"),
                ("handset", "query", "AREALIMIT"),
            )
        ]
        assert outcomes == ["unbound", "permission-denied", "bound", "bound", "restricted"]
        net.seen(METER)
        net.seen(PHONE)
        await net.pause(1)
        assert await call(Role.OPERATOR, "POST", "/verbs/camara", {**verb, "do": "delete"}) == "deleted"
        await net.pause(1)
    events = [e.value for e in net.host.trace.events if isinstance(e, StateChange) and e.observable == "notification"]
    assert [e["type"] for e in events] == ["subscription-started", "imei-change", "subscription-ended"]
    assert {e["imsi"] for e in events} == {IMSI}


@pytest.mark.parametrize(
    ("sink", "allowed", "may"),
    [
        ("https://a.example.com/x", (), True),
        ("https://a.example.com/x", (".example.com",), True),
        ("https://example.org/x", (".example.com",), False),
        ("https://xexample.com/x", (".example.com",), False),
        ("https://10.0.0.1/", (), False),
        ("https://10.0.0.1/", ("10.0.0.1",), True),
        ("https://[::1]/", (), False),
        ("https://[::ffff:127.0.0.1]/", (), False),
        ("https://169.254.169.254/", (), False),
        ("https://2130706433/", (), False),  # 127.0.0.1, as systems read it
        ("https://0x7f.1/", (), False),
        ("https://127.1/", (), False),
        ("https://example.7eleven.com/", (), True),
        ("https://224.0.0.1/", (), False),
        ("https://[ff0e::1]/", (), False),
        ("https://[fec0::1]/", (), False),
        ("https://[64:ff9b::a9fe:a9fe]/", (), False),
        ("https://[64:ff9b:1::1]/", (), False),
        ("https://[2002:7f00:1::]/", (), False),
        ("https://[::127.0.0.1]/", (), False),
        ("https://[2606:4700::1111]/", (), True),
        ("https://[fe80::1", (), False),
        ("https://host:0/", (), False),
        ("https://host:x/", (), False),
    ],
)
def test_where_events_may_go(sink: str, allowed: tuple[str, ...], may: bool) -> None:  # noqa: FBT001 - a parameter
    assert may_reach(host_of(sink), allowed) == may


@pytest.mark.parametrize("kill", [False, True])
def test_the_api_listens_while_the_platform_runs(*, kill: bool) -> None:
    loop, path = TestbedLoop(virtual=False), f"/{PREVENTION}/vwip/query"

    async def story() -> None:
        async with Net(loop, listen="127.0.0.1:0") as net:
            (url,) = (each.removeprefix("north side ") for each in net.notes() if each.startswith("north side "))
            async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
                assert (await http.post(path)).status_code == 401
                await net.host.stop("cmp", kill=kill)
                with pytest.raises(httpx.TransportError):
                    await http.post(path)

    try:
        loop.run_until_complete(story())
    finally:
        loop.close()


async def test_a_platform_without_clients_has_no_api(loop: TestbedLoop) -> None:
    async with Net(loop, clients={}) as net:
        with pytest.raises(ManagementError, match="no north side"):
            await net.do("cmp", "sinks", say=500)


async def test_over_http(net: Net) -> None:
    async with net:
        app = north_app(net.cmp.north.side, net.cmp.site.guard)
        headers = {"Authorization": "Bearer water-token", "x-correlator": "abc"}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://cmp", headers=headers
        ) as http:
            url = f"/{PREVENTION}/vwip/query"
            answer = await http.post(url, json={**device(), "queryType": "IMEIBIND"})
            assert (answer.status_code, answer.headers["x-correlator"]) == (200, "abc")
            assert (await http.get(url)).headers["allow"] == "POST"
            assert (await http.post(url, content="x=1")).status_code == 415
            kind = {"Content-Type": "application/json"}
            for broken in ("{", '{"queryType": "\\ud800"}', '{"queryType": "\\u0000"}', "[" * 9999):
                assert (await http.post(url, content=broken, headers=kind)).status_code == 400
            assert (await http.post(url, content="1" * 70000, headers=kind)).status_code == 413
            made = await http.post(f"/{SUBSCRIPTIONS}/vwip/subscriptions", json=subscription())
            assert made.status_code == 201
            gone = await http.delete(f"/{SUBSCRIPTIONS}/vwip/subscriptions/{made.json()['id']}")
            assert (gone.status_code, gone.content) == (204, b"")
