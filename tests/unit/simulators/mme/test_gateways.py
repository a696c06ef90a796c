"""The MME and its gateways: each contact of a device changes the session as TS 23.401 says, and each end ends it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from simulators.mme.procedures.paging import page
from simwarden.model.identity import Ecgi
from simwarden.operations.management import Role
from simwarden.testing.diameter import IMSI
from simwarden.testing.radio import TAI
from simwarden.trace.events import Frame, Rejected, StateChange
from simwarden.wire import gtpv2
from simwarden.wire.gtpv2 import Cause, CauseIe
from simwarden.wire.nas.elements import MobileIdentity
from simwarden.wire.nas.enums import EmmCause, EsmCause, IdentityType, MessageType
from simwarden.wire.nas.message import Message, decode, encode
from simwarden.wire.s1ap.values import ErabTunnel

_T = MessageType


def asked(network: Any, since: int = 0) -> list[str]:
    """What the MME has asked of the SGW, by name."""
    frames = [event for event in network.of(Frame) if event.interface == "S11" and event.source == "mme"]
    names = [gtpv2.decode(event.data).name for event in frames[since:]]
    return [name.removesuffix("-request") for name in names if name != "echo-request"]


def sent(network: Any, name: str) -> list[gtpv2.Message]:
    """What the MME has sent on S11 under a name."""
    frames = [event for event in network.of(Frame) if event.interface == "S11" and event.source == "mme"]
    return [message for event in frames if (message := gtpv2.decode(event.data)).name == name]


def at(network: Any, element: str) -> Any:
    """The session that a gateway has now."""
    found = [
        event.value
        for event in network.of(StateChange)
        if (event.element, event.observable, event.key) == (element, "session", f"{IMSI}/5")
    ]
    return found[-1] if found else None


def refusing(network: Any, cause: Cause, request: str = "create-session-request") -> None:
    """Let the SGW refuse what it is asked for."""

    async def refuse(message: gtpv2.Message, _peer: Any) -> gtpv2.Message:
        sender = message.get("sender_f_teid")
        return gtpv2.refusal(message, CauseIe(cause), sender.teid if sender else 0)

    network.host.elements["sgw"].core.node._handlers[request] = refuse


def esm_cause(phone: Any) -> Any:
    reject = phone.got[-1]
    assert (reject.type, reject["emm_cause"]) == (_T.ATTACH_REJECT, EmmCause.ESM_FAILURE)
    return decode(reject["esm_message_container"], uplink=False)["esm_cause"]


async def test_a_request_about_no_session_of_this_mme_is_answered_so(run: Any) -> None:
    async with run() as network:
        await network.attached()
        sgw = network.host.elements["sgw"].core.node
        about = gtpv2.Message("delete-bearer-request", {"linked_ebi": 5}, 0xDEAD)
        answer = await sgw.ask(about, network.mme.core.gateways.node.address, "S11")
        assert (answer.cause, answer.teid) == (Cause.CONTEXT_NOT_FOUND, 0)
        assert network.session() is not None


async def test_a_faulty_request_about_nobody_is_answered_to_nobody(run: Any) -> None:
    async with run() as network:
        await network.attached()
        sgw = network.host.elements["sgw"].core.node
        sgw.send(bytes.fromhex("48610008 0000dead 000001 00"), (network.mme.core.gateways.node.address, 2123))
        await network.settle()
        answer = gtpv2.decode([each.data for each in network.of(Frame) if each.source == "mme"][-1])
        assert (answer.name, answer.cause, answer.teid) == ("update-bearer-response", Cause.MANDATORY_IE_MISSING, 0)


async def test_the_rate_that_the_gateways_give_is_that_of_the_session(run: Any) -> None:
    async with run() as network:
        sgw = network.host.elements["sgw"].core.node
        create, given = sgw._handlers["create-session-request"], gtpv2.Ambr(64, 128)

        async def give(message: gtpv2.Message, peer: Any) -> gtpv2.Message:
            answer = await create(message, peer)
            return gtpv2.Message(answer.name, {**answer.ies, "apn_ambr": given}, answer.teid)

        sgw._handlers["create-session-request"] = give
        await network.attached()
        assert network.mme.core.by_imsi[IMSI].bearer.ambr == given


async def test_a_place_that_the_gateways_will_not_hear_costs_no_session(run: Any) -> None:
    async with run() as network:
        await network.attached()
        refusing(network, Cause.REQUEST_REJECTED, "change-notification-request")
        ue = network.mme.core.by_imsi[IMSI]
        ue.bearer.reported, ue.bearer.place = True, None
        network.mme.core.gateways.tell_place(ue)
        await network.settle()
        (told,) = sent(network, "change-notification-request")
        assert (told["imsi"], told["linked_ebi"], told["user_location_information"].ecgi) == (IMSI, 5, ue.cell)
        assert network.session() is not None
        assert f"change-notification-response with cause {Cause.REQUEST_REJECTED:d}" in network.notes()
        network.mme.core.gateways.tell_place(ue)
        await network.settle()
        assert asked(network).count("change-notification") == 1, "it has been told already"


@pytest.mark.parametrize("is_wanted", [False, True])
async def test_a_place_is_told_to_a_gateway_that_wants_to_hear_it(run: Any, *, is_wanted: bool) -> None:
    async with run() as network:
        phone = await network.attached()
        network.mme.core.by_imsi[IMSI].bearer.reported = is_wanted
        phone.cell = Ecgi.parse("001-01-0000102")
        phone.raw(b"\x07\x60\x6f")
        await network.settle()
        assert network.session()["cell"] == "001-01-0000102"
        assert asked(network)[2:] == ["change-notification"] * is_wanted
        (modified,) = sent(network, "modify-bearer-request")
        assert modified.get("user_location_information") is None


async def test_an_update_alone_releases_no_bearers_that_are_not_there(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.update()
        await network.settle()
        assert phone.released
        assert network.session()["state"] == "idle"
        assert asked(network).count("release-access-bearers") == 1


async def test_packets_go_to_an_enb_when_both_it_and_the_device_have_taken_the_bearer(run: Any) -> None:
    """TS 23.401 5.3.2.1 step 23: also where the device is the first of them."""
    async with run() as network:
        phone = network.phone()
        network.enb.auto = False
        phone.attach()
        await network.settle()
        (item,) = network.enb.last("initial-context-setup-request")["e_rab_to_be_setup_list_ctxt_su_req"]
        phone.take(item.nas_pdu)
        await network.settle()
        assert asked(network) == ["create-session"]
        tunnel = ErabTunnel(5, bytes([192, 0, 2, 9]), 77)
        phone.up("initial-context-setup-response", e_rab_setup_list_ctxt_su_res=(tunnel,))
        await network.settle()
        (modified,) = sent(network, "modify-bearer-request")
        assert modified["bearer_contexts_to_be_modified"][0]["s1_u_enodeb"].teid == 77
        assert at(network, "sgw")["state"] == "connected"


async def test_a_refusal_about_a_session_that_is_over_concerns_nobody(run: Any) -> None:
    async with run() as network:
        await network.attached()
        refusing(network, Cause.CONTEXT_NOT_FOUND, "modify-bearer-request")
        lost: list[Any] = []
        gateways, ue = network.mme.core.gateways, network.mme.core.by_imsi[IMSI]
        gateways.on_lost = lambda *told: lost.append(told)
        gateways.modify(ue, {5})
        gateways.end(ue, ue.bearer, tell=False)
        await network.settle()
        assert lost == []


_IMEI = "356987650000019"


@pytest.mark.parametrize(
    ("is_proven", "card", "terminal"),
    [
        (True, IMSI, {"imeisv": "3569876500000101"}),
        (True, IMSI, {"imeisv": "", "imei": _IMEI}),
        (False, IMSI, {"imeisv": "3569876500000101"}),
        (False, "", {"imeisv": "", "imei": _IMEI}),
        (True, IMSI, {"imeisv": "", "imei": ""}),
    ],
)
async def test_the_gateways_hear_whose_session_it_is(
    run: Any, card: str, terminal: dict[str, str], *, is_proven: bool
) -> None:
    """MEI is the IMEISV where it is known (TS 29.274 8.10); UIMSI marks an IMSI that nothing proves (8.12)."""
    async with run(equipment={"unidentified": "admit"}) as network:
        fields: dict[str, Any] = {} if is_proven else {"eps_attach_type": 6}
        if not is_proven:
            network.hss.answers["authentication-information"] = 5001
        if not card:
            fields["eps_mobile_identity"] = MobileIdentity(IdentityType.IMEI, _IMEI)
        phone = network.phone(**terminal)
        if not card:
            phone.imsi = ""
        phone.attach(**fields)
        await network.settle()
        assert phone.types()[-1] is _T.ATTACH_ACCEPT
        (asked_for,) = sent(network, "create-session-request")
        assert asked_for.get("imsi", "") == card
        assert asked_for.get("mei", "") == (terminal["imeisv"] or terminal["imei"])
        assert bool(asked_for["indication_flags"] & gtpv2.Indication.UIMSI) == (not is_proven and bool(card))
        ue = next(iter(network.mme.core.by_imsi.values()))
        ue.bearer.reported, ue.bearer.place = True, None
        network.mme.core.gateways.tell_place(ue)
        await network.settle()
        assert sent(network, "change-notification-request")[0].get("imsi", "") == card


async def test_of_two_that_page_a_device_both_hear_that_it_has_come(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        core = network.mme.core
        pagings = [asyncio.ensure_future(page(core, core.by_imsi[IMSI])) for _ in range(2)]
        await network.settle()
        phone.service()
        await network.settle()
        assert [each.done() and each.result() for each in pagings] == [True, True]


async def test_an_mme_that_is_killed_while_a_gateway_is_silent_is_over(run: Any) -> None:
    async with run() as network:
        never = asyncio.get_running_loop().create_future()

        async def silent(_message: gtpv2.Message, _peer: Any) -> gtpv2.Message:
            answer: gtpv2.Message = await never
            return answer

        network.host.elements["sgw"].core.node._handlers["create-session-request"] = silent
        phone = network.phone()
        phone.attach()
        await network.settle()
        phone.idle()
        await network.settle()
        await network.host.stop("mme", kill=True)
        await network.settle()
        assert network.session() is None
        never.cancel()


def saying_the_least(network: Any) -> None:
    """Let the SGW leave out of its answers what another core's leaves out: all that says what was asked for anyway."""
    handlers = network.host.elements["sgw"].core.node._handlers
    create, modify = handlers["create-session-request"], handlers["modify-bearer-request"]

    async def created(message: gtpv2.Message, peer: Any) -> gtpv2.Message:
        answer: gtpv2.Message = await create(message, peer)
        (context,) = answer["bearer_contexts_created"]
        least = {name: context[name] for name in ("ebi", "cause", "s1_u_sgw", "s5_u_pgw")}
        names = ("cause", "sender_f_teid", "pgw_s5_f_teid", "paa")
        ies = {**{name: answer[name] for name in names}, "bearer_contexts_created": (least,)}
        return gtpv2.Message(answer.name, ies, answer.teid)

    async def modified(message: gtpv2.Message, peer: Any) -> gtpv2.Message:
        answer: gtpv2.Message = await modify(message, peer)
        return gtpv2.Message(answer.name, {"cause": answer["cause"]}, answer.teid)

    handlers |= {"create-session-request": created, "modify-bearer-request": modified}


async def test_an_sgw_that_says_the_least_serves(run: Any) -> None:
    async with run() as network:
        saying_the_least(network)
        phone = await network.attached()
        assert at(network, "sgw")["state"] == "connected"
        phone.idle()
        await network.settle()
        phone.service()
        await network.settle()
        assert at(network, "sgw")["state"] == "connected"
        (ue,) = network.mme.core.by_imsi.values()
        (bearer,) = ue.bearers.values()
        assert (bearer.qos.qci, bearer.ambr.uplink) == (9, 50_000)


async def test_a_session_from_attach_to_detach(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        assert asked(network) == ["create-session", "modify-bearer"]
        assert at(network, "sgw") == {
            "imsi": IMSI,
            "apn": "meters.example",
            "ebi": 5,
            "mme": "mme",
            "pgw": "pgw",
            "state": "connected",
        }
        assert (str(at(network, "pgw")["tai"]), str(at(network, "pgw")["cell"])) == ("001-01-0001", "001-01-0000101")
        phone.idle()
        await network.settle()
        assert at(network, "sgw")["state"] == "idle"
        phone.service()
        await network.settle()
        assert at(network, "sgw")["state"] == "connected"
        phone.send(
            Message(
                _T.DETACH_REQUEST,
                detach_type=1,
                nas_key_set_identifier=0,
                eps_mobile_identity=phone.attach_request()["eps_mobile_identity"],
            )
        )
        await network.settle()
        assert asked(network)[2:] == ["release-access-bearers", "modify-bearer", "delete-session"]
        assert (at(network, "sgw"), at(network, "pgw")) == (None, None)
        assert network.mme.core.gateways.by_teid == {}


@pytest.mark.parametrize("end", ["withdrawn", "elsewhere", "barred", "operator", "new attach", "silence"])
async def test_whatever_ends_a_device_ends_its_session(run: Any, end: str) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        if end == "withdrawn":
            await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), ("Cancellation-Type", 2)])
        elif end == "elsewhere":
            await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), ("Cancellation-Type", 0)])
        elif end == "barred":
            barred = [("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)]
            await network.hss.order(
                "Insert-Subscriber-Data-Request", [("User-Name", IMSI), ("Subscription-Data", barred)]
            )
        elif end == "operator":
            await network.mme.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}")
        elif end == "silence":
            network.host.clock.skip_keep_alives = False
            phone.service()
            await network.settle()
            phone.idle()
            await network.sleep(3240 + 240 + 300 + 1)
        else:
            phone.attach()
        await network.settle()
        assert "delete-session" in asked(network)
        if end == "new attach":
            assert at(network, "pgw")["ipv4"] == "10.64.0.2"
        else:
            assert (at(network, "sgw"), at(network, "pgw")) == (None, None)


@pytest.mark.parametrize(
    ("cause", "esm"),
    [
        (Cause.MISSING_OR_UNKNOWN_APN, EsmCause.MISSING_OR_UNKNOWN_APN),
        (Cause.ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED, EsmCause.INSUFFICIENT_RESOURCES),
        (Cause.APN_ACCESS_DENIED_NO_SUBSCRIPTION, EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED),
        (Cause.REMOTE_PEER_NOT_RESPONDING, EsmCause.NETWORK_FAILURE),
        (Cause.PREFERRED_PDN_TYPE_NOT_SUPPORTED, EsmCause.PDN_TYPE_IPV6_ONLY_ALLOWED),
        (Cause.INVALID_PEER, EsmCause.REQUEST_REJECTED_BY_SERVING_GW_OR_PDN_GW),
        (Cause.USER_AUTHENTICATION_FAILED, EsmCause.USER_AUTHENTICATION_FAILED),
        (Cause.UE_NOT_AUTHORISED_BY_OCS_OR_EXTERNAL_AAA_SERVER, EsmCause.USER_AUTHENTICATION_FAILED),
    ],
)
async def test_a_gateways_refusal_becomes_an_esm_cause(run: Any, cause: Cause, esm: EsmCause) -> None:
    async with run() as network:
        refusing(network, cause)
        phone = network.phone()
        phone.attach()
        await network.settle()
        assert esm_cause(phone) is esm
        assert network.session() is None
        assert network.mme.core.gateways.by_teid == {}
        (rejected,) = network.of(Rejected)
        is_decided = esm in (
            EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED,
            EsmCause.REQUEST_REJECTED_BY_SERVING_GW_OR_PDN_GW,
            EsmCause.USER_AUTHENTICATION_FAILED,
        )
        assert bool(rejected.clause) is not is_decided, "what a rule of a gateway decides, no protocol demands"


@pytest.mark.parametrize(("table", "told"), [(None, 720.0), ({"USER_AUTHENTICATION_FAILED": 3600}, 3600.0), ({}, None)])
async def test_an_apn_without_units_of_an_ocs_rests_as_long_as_the_table_says(
    run: Any, table: dict[str, float] | None, told: float | None
) -> None:
    async with run(causes={} if table is None else {"back_off": table}) as network:
        refusing(network, Cause.UE_NOT_AUTHORISED_BY_OCS_OR_EXTERNAL_AAA_SERVER)
        phone = network.phone()
        phone.attach()
        await network.settle()
        assert esm_cause(phone) is EsmCause.USER_AUTHENTICATION_FAILED
        inner = decode(phone.got[-1]["esm_message_container"], uplink=False)
        assert inner.get("back_off_timer") == told
        (request,) = sent(network, "create-session-request")
        assert gtpv2.Indication.UNACCSI in request["indication_flags"]  # else the gateway may not say that cause


async def test_without_a_gateway_nobody_is_served_for_a_time(run: Any) -> None:
    async with run() as network:
        await network.host.stop("sgw")
        phone = network.phone()
        phone.attach()
        await network.sleep(10)
        assert esm_cause(phone) is EsmCause.NETWORK_FAILURE
        assert network.mme.core.gateways.by_teid == {}


@pytest.mark.parametrize(
    ("subscribed", "wanted", "told"),
    [
        (0, 3, EsmCause.PDN_TYPE_IPV4_ONLY_ALLOWED),
        (1, 3, EsmCause.PDN_TYPE_IPV6_ONLY_ALLOWED),
        (3, 3, EsmCause.SINGLE_ADDRESS_BEARERS_ONLY_ALLOWED),
        (2, 3, None),
        (0, 1, None),
    ],
)
async def test_the_kind_of_address_is_of_the_subscription(run: Any, subscribed: int, wanted: int, told: Any) -> None:
    async with run() as network:
        phone = wanting(network, subscribed, wanted)
        await network.settle()
        accept = next(each for each in phone.got if each.type is _T.ATTACH_ACCEPT)
        esm = decode(accept["esm_message_container"], uplink=False)
        assert esm.get("esm_cause") is told
        kind = {EsmCause.PDN_TYPE_IPV6_ONLY_ALLOWED: 2, None: wanted}.get(told, 1)
        assert esm["pdn_address"].type == kind
        (asked_for,) = sent(network, "create-session-request")
        assert bool(asked_for["indication_flags"] & gtpv2.Indication.DAF) == (kind == 3)


@pytest.mark.parametrize(("subscribed", "wanted", "told"), [(0, 2, 50), (1, 1, 51), (0, 5, 28)])
async def test_a_kind_of_address_that_is_not_subscribed_is_refused(
    run: Any, subscribed: int, wanted: int, told: int
) -> None:
    async with run() as network:
        phone = wanting(network, subscribed, wanted)
        await network.settle()
        assert esm_cause(phone) == told


def wanting(network: Any, subscribed: int, wanted: int) -> Any:
    data = network.hss.update_location(None)
    ((_, point),) = [each for each in data[1][1][2][1] if each[0] == "APN-Configuration"]
    point[1] = ("PDN-Type", subscribed)
    network.hss.answers["update-location"] = data
    phone = network.phone()
    request = phone.attach_request()
    pdn = decode(request["esm_message_container"], uplink=True)
    pdn.fields["pdn_type"] = wanted
    phone.attach(esm_message_container=encode(pdn))
    return phone


async def test_tunnels_whose_end_nobody_confirms_are_told_of(run: Any) -> None:
    async with run() as network:
        await network.attached()

        async def ignore(_message: gtpv2.Message, _peer: Any) -> None:
            """The SGW does not hear."""

        name = "delete-indirect-data-forwarding-tunnel-request"
        network.host.elements["sgw"].core.node._handlers[name] = ignore
        network.mme.core.gateways.end_forwarding(network.mme.core.by_imsi[IMSI])
        await network.sleep(20)
        assert any(each.startswith("what was asked was not confirmed") for each in network.notes())
        assert network.session() is not None


async def test_a_session_that_was_asked_for_in_vain_is_ended_when_it_is_there(run: Any) -> None:
    async with run() as network:
        pgw = network.host.elements["pgw"].core.node
        create, wait = pgw._handlers["create-session-request"], network.host.clock.sleep

        async def late(message: Any, peer: Any) -> Any:
            await wait(2)
            return await create(message, peer)

        pgw._handlers["create-session-request"] = late
        phone = network.phone()
        phone.attach()
        await network.settle()
        phone.idle()  # the connection goes, and the attach with it
        await network.sleep(5)
        assert asked(network) == ["create-session", "delete-session"]
        assert (at(network, "sgw"), at(network, "pgw")) == (None, None)


async def test_a_session_that_the_sgw_has_lost_brings_the_device_back(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        await network.host.stop("sgw", kill=True)
        await network.host.start("sgw")
        phone.service()
        await network.settle()
        assert "delete-session" not in asked(network)
        assert _T.DETACH_REQUEST in phone.types()
        assert network.session() is None
        phone.attach()
        await network.settle()
        assert at(network, "sgw")["state"] == "connected"


async def test_a_session_that_the_pgw_ends_detaches_the_device(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        ended = await network.host.elements["pgw"].manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}")
        await network.settle()
        assert ended == {"ended": 1}
        assert phone.types()[-1] is _T.DETACH_REQUEST
        assert network.session() is None
        assert asked(network)[2:] == ["delete-bearer-response"]  # the gateways ended it themselves


async def test_sessions_of_an_mme_that_restarts_are_over_at_once(run: Any) -> None:
    async with run() as network:
        await network.attached()
        await network.host.stop("mme", kill=True)
        assert at(network, "pgw") is not None
        await network.host.start("mme")
        await network.settle()
        assert (at(network, "sgw"), at(network, "pgw")) == (None, None)


@pytest.mark.parametrize("answers", [True, False])
async def test_packets_for_an_idle_device_page_it(run: Any, *, answers: bool) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        sgw = network.host.elements["sgw"].core
        (connection,) = sgw.connections()
        sgw.downlink(connection, [b"E" * 20])
        await network.settle()
        assert "paging" in network.enb.names()
        if answers:
            phone.service()
            await network.settle()
            assert (connection.waiting, at(network, "sgw")["state"]) == (type(connection.waiting)(), "connected")
        else:
            await network.sleep(13)
            assert "downlink-data-notification-failure-indication" in asked(network)
            assert not connection.waiting


async def test_a_detached_device_is_not_paged_for_packets(run: Any) -> None:
    async with run() as network:
        await network.attached_idle()
        sgw = network.host.elements["sgw"].core
        (connection,) = sgw.connections()
        network.mme.core.gateways.by_teid.clear()
        sgw.downlink(connection, [b"E" * 20])
        await network.settle()
        assert "paging" not in network.enb.names()
        assert "the MME does not page: cause 64" in " ".join(network.notes())


async def test_a_device_that_is_detached_while_it_is_paged_is_paged_no_more(run: Any) -> None:
    async with run() as network:
        await network.attached_idle()
        paged = asyncio.ensure_future(network.mme.manage(Role.OPERATOR, "POST", f"/sessions/{IMSI}/page", {}))
        await network.settle()
        barred = [("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)]
        avps = [("User-Name", IMSI), ("Subscription-Data", barred)]
        await network.hss.order("Insert-Subscriber-Data-Request", avps)
        await network.sleep(30)
        assert paged.result() == {"answered": False}
        assert network.enb.names().count("paging") == 1


async def test_a_device_is_paged_in_its_tracking_areas(run: Any) -> None:
    async with run() as network:
        network.enb2.setup(tac=2)
        phone = await network.attached_idle()
        paged = asyncio.ensure_future(network.mme.manage(Role.OPERATOR, "POST", f"/sessions/{IMSI}/page", {}))
        await network.settle()
        paging = network.enb.last("paging")
        assert (paging["ue_identity_index_value"], paging["tai_list"]) == (int(IMSI) % 1024, (TAI,))
        assert "paging" not in network.enb2.names()
        phone.service()
        assert await paged == {"answered": True}


async def test_a_device_without_a_card_is_paged_by_its_number_alone(run: Any) -> None:
    async with run(emergency={"callback": 300}) as network:
        phone = network.phone(imeisv="", imei="")
        phone.attach(eps_attach_type=6, eps_mobile_identity=MobileIdentity(IdentityType.IMEI, "356987650000013"))
        await network.settle()
        phone.idle()
        await network.settle()
        (connection,) = network.host.elements["sgw"].core.connections()
        network.host.elements["sgw"].core.downlink(connection, [b"E" * 20])
        await network.settle()
        paging = network.enb.last("paging")
        assert (paging["ue_identity_index_value"], paging["ue_paging_id"].m_tmsi) == (0, phone.guti.m_tmsi)


async def test_packets_for_a_device_that_attaches_anew_meanwhile_page_nobody(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.replies[_T.ATTACH_ACCEPT] = None
        phone.send(phone.attach_request(nas_key_set_identifier=0))
        await network.settle()
        sgw = network.host.elements["sgw"].core
        (ue,) = network.mme.core.gateways.by_teid.values()
        about = gtpv2.Message("downlink-data-notification", {"ebi": 5}, ue.s11_teid)
        assert (await sgw.node.ask(about, network.mme.core.gateways.node.address, "S11")).accepted
        await network.settle()
        assert "paging" not in network.enb.names()
        assert "downlink-data-notification-failure-indication" not in asked(network)


async def test_a_device_that_attaches_on_the_connection_it_has_gets_another_bearer(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.replies[_T.ATTACH_ACCEPT], network.enb.auto = None, False
        phone.send(phone.attach_request(nas_key_set_identifier=0))
        await network.settle()
        assert network.enb.names()[-2:] == ["e-rab-release-command", "e-rab-setup-request"]
        item = network.enb.seen[-1]["e_rab_to_be_setup_list_bearer_su_req"][0]
        phone.take(item.nas_pdu)
        phone.up("e-rab-release-response", e_rab_release_list_bearer_rel_comp=(5,))
        phone.up("e-rab-setup-response", e_rab_setup_list_bearer_su_res=(ErabTunnel(5, bytes([192, 0, 2, 9]), 78),))
        phone.take_again(phone.got[-1])
        await network.settle()
        assert asked(network) == [
            "create-session",
            "modify-bearer",
            "delete-session",
            "create-session",
            "modify-bearer",
        ]
        (connection,) = network.host.elements["sgw"].core.connections()
        assert (connection.enb.teid, connection.s1_teid) == (78, item.gtp_teid)


async def test_the_pgw_of_an_apn(run: Any) -> None:
    gateways = {"apns": {"METERS.example": "other"}, "dedicated": ["other"]}
    async with run(gateways=gateways) as network:
        phone = network.phone()
        phone.attach()
        await network.sleep(10)
        assert esm_cause(phone) is EsmCause.NETWORK_FAILURE
        assert "other has no address for S5-C" in network.reject()["reason"]


async def test_an_address_that_a_card_has_for_good_is_asked_for_as_the_kind_that_it_is(run: Any) -> None:
    async with run() as network:
        given = network.hss.update_location

        def with_address(message: Any) -> Any:
            flags, (name, data) = given(message)
            profile = dict(data)["APN-Configuration-Profile"]
            apn = [("Context-Identifier", 1), ("PDN-Type", 2), ("Service-Selection", "meters.example")]
            apn += [("Served-Party-IP-Address", "2001:db8:7::1")]
            profile = [*profile[:2], ("APN-Configuration", apn)]
            return [flags, (name, [*data[:2], ("APN-Configuration-Profile", profile)])]

        network.hss.update_location = with_address
        network.phone().attach()
        await network.settle()
        frames = [event for event in network.of(Frame) if event.interface == "S11" and event.source == "mme"]
        asked_for = next(made for each in frames if (made := gtpv2.decode(each.data)).name == "create-session-request")
        assert asked_for["paa"].ipv4 == "0.0.0.0"  # noqa: S104 - any


async def test_a_place_for_a_session_that_the_sgw_has_lost_brings_the_device_back(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        refusing(network, Cause.CONTEXT_NOT_FOUND, "change-notification-request")
        ue = network.mme.core.by_imsi[IMSI]
        ue.bearer.reported, ue.bearer.place = True, None
        network.mme.core.gateways.tell_place(ue)
        await network.settle()
        assert phone.got[-1].type is _T.DETACH_REQUEST
        assert network.session() is None


async def test_a_subscription_without_a_default_apn_has_none_for_who_names_none(run: Any) -> None:
    async with run() as network:
        data = network.hss.update_location(None)
        profile = next(value for name, value in data[1][1] if name == "APN-Configuration-Profile")
        assert profile[0][0] == "Context-Identifier"
        profile[0] = ("Context-Identifier", 7)
        network.hss.answers["update-location"] = data
        phone = network.phone()
        phone.attach()
        await network.settle()
        assert esm_cause(phone) == EsmCause.MISSING_OR_UNKNOWN_APN
        assert asked(network) == []


@pytest.mark.parametrize("cause", [Cause.INVALID_PEER, None])
async def test_a_rate_that_the_gateways_do_not_follow_costs_no_session(run: Any, cause: Cause | None) -> None:
    async with run() as network:
        await network.attached()
        sgw = network.host.elements["sgw"].core.node

        async def fail(message: gtpv2.Message, peer: Any) -> None:
            if cause is not None:
                failure = gtpv2.failure_of(message, cause, sgw.sender_teid(message.teid))
                sgw.tell(failure, peer.host, "S11", message.sequence)

        sgw._handlers["modify-bearer-command"] = fail
        lowered = [("AMBR", [("Max-Requested-Bandwidth-UL", 8000), ("Max-Requested-Bandwidth-DL", 8000)])]
        order = [("User-Name", IMSI), ("IDR-Flags", 0), ("Subscription-Data", lowered)]
        await network.hss.order("Insert-Subscriber-Data-Request", order)
        await network.sleep(20)
        assert "modify-bearer-command" in asked(network)
        told = "the gateways do not follow a subscription: cause 109" if cause else "what was asked was not confirmed"
        assert [each for each in network.notes() if each.startswith(told)]
        assert network.session() is not None


async def test_a_rate_that_the_gateways_follow_is_nothing_to_speak_of(run: Any) -> None:
    async with run() as network:
        await network.attached()
        lowered = [("AMBR", [("Max-Requested-Bandwidth-UL", 8000), ("Max-Requested-Bandwidth-DL", 8000)])]
        order = [("User-Name", IMSI), ("IDR-Flags", 0), ("Subscription-Data", lowered)]
        await network.hss.order("Insert-Subscriber-Data-Request", order)
        await network.sleep(20)
        assert "modify-bearer-command" in asked(network)
        assert not any("follow" in each for each in network.notes())
