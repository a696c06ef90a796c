"""PDN connections beside that of the attach: set up, refused, ended by device, MME and gateways (TS 23.401 5.10)."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.device.procedures.esm import BACKED_OFF
from simulators.pgw.config import ApnConfig
from simwarden.operations.management import Role
from simwarden.testing.diameter import IMSI
from simwarden.trace.events import Frame, StateChange
from simwarden.wire import s1ap
from simwarden.wire.diameter.codes import DsrFlags
from simwarden.wire.nas.enums import EmmCause, EsmCause, MessageType
from simwarden.wire.nas.message import Message, encode
from simwarden.wire.s1ap import CauseRadioNetwork
from simwarden.wire.s1ap.values import ErabItem

from .test_gateways import asked, sent

_T = MessageType
_TWO = ("meters.example", "service.example")
_ASK = _T.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST


def subscribe(network: Any, *names: str, pdn_type: int = 0) -> None:
    """Let the HSS give several APNs."""
    data = network.hss.update_location(None)
    profile = next(value for name, value in data[1][1] if name == "APN-Configuration-Profile")
    profile[2:] = [
        (
            "APN-Configuration",
            [("Context-Identifier", number), ("PDN-Type", pdn_type), ("Service-Selection", name)],
        )
        for number, name in enumerate(names, 1)
    ]
    network.hss.answers["update-location"] = data


def connect(phone: Any, apn: str = _TWO[1], transaction: int = 7, **fields: Any) -> None:
    """Ask for a PDN connection."""
    request = {"request_type": 1, "pdn_type": 1, "access_point_name": apn} | fields
    phone.send(Message(_T.PDN_CONNECTIVITY_REQUEST, procedure_transaction_identity=transaction, **request))


def disconnect(phone: Any, identity: int) -> None:
    """Give a PDN connection up."""
    phone.send(
        Message(_T.PDN_DISCONNECT_REQUEST, procedure_transaction_identity=9, linked_eps_bearer_identity=identity)
    )


def at(network: Any, element: str) -> dict[str, str]:
    """The APNs of the sessions that a gateway has, by bearer."""
    held: dict[str, Any] = {}
    for event in network.of(StateChange):
        if (event.element, event.observable) == (element, "session"):
            held[event.key] = event.value
    return {key.removeprefix(f"{IMSI}/"): value["apn"] for key, value in held.items() if value is not None}


async def connected(network: Any) -> Any:
    """Return a device with two PDN connections."""
    subscribe(network, *_TWO)
    phone = await network.attached()
    connect(phone)
    await network.settle()
    assert at(network, "pgw") == at(network, "sgw") == {"5": _TWO[0], "6": _TWO[1]}
    return phone


async def test_from_the_request_to_the_detach(run: Any) -> None:
    async with run() as network:
        phone = await connected(network)
        told = phone.got[-1]
        assert (told.type, told["eps_bearer_identity"], told["procedure_transaction_identity"]) == (_ASK, 6, 7)
        assert asked(network)[2:] == ["create-session", "modify-bearer"]
        first, second = sent(network, "create-session-request")
        assert (first.teid, second.teid) == (0, network.mme.core.by_imsi[IMSI].sgw.teid)

        assert "e-rab-release-command" not in network.enb.names()
        rates = network.enb.last("e-rab-setup-request")["ue_aggregate_maximum_bitrate"]
        assert rates == network.enb.last("initial-context-setup-request")["ue_aggregate_maximum_bitrate"]
        phone.idle()
        await network.settle()
        phone.service()
        await network.settle()
        items = network.enb.last("initial-context-setup-request")["e_rab_to_be_setup_list_ctxt_su_req"]
        assert [item.e_rab_id for item in items] == [5, 6]
        assert asked(network)[4:] == ["release-access-bearers", "modify-bearer", "modify-bearer"]
        ends = {each.ebi: each.enb.teid for each in network.sgw.core.connections()}
        assert ends == {5: 77, 6: 78}
        await network.mme.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}")
        await network.settle()
        assert asked(network)[7:] == ["delete-session", "delete-session"]
        assert (at(network, "sgw"), network.mme.core.gateways.by_teid) == ({}, {})


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        *[
            ({"apn": name}, EsmCause.MISSING_OR_UNKNOWN_APN)
            for name in ("no name", "no_name", "-a", "a-", "a" * 63, ".".join("a" * 32), "a.mnc001.mcc001.GPRS", "*")
        ],
        ({"pdn_type": 5}, EsmCause.UNKNOWN_PDN_TYPE),
        ({"request_type": 4}, EsmCause.SERVICE_OPTION_NOT_SUPPORTED),
        ({"apn": "internet"}, EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED),
        ({"pdn_type": 2}, EsmCause.PDN_TYPE_IPV4_ONLY_ALLOWED),
        ({"apn": "METERS.example"}, EsmCause.MULTIPLE_PDN_CONNECTIONS_FOR_A_GIVEN_APN_NOT_ALLOWED),
    ],
)
async def test_what_is_refused(run: Any, fields: dict[str, Any], cause: EsmCause) -> None:
    async with run(timers={"t3396": 3600}) as network:
        subscribe(network, *_TWO)
        phone = await network.attached()
        connect(phone, **fields)
        await network.settle()
        told = phone.got[-1]
        assert (told.type, told["esm_cause"]) == (_T.PDN_CONNECTIVITY_REJECT, cause)
        assert told.get("back_off_timer") == (3600.0 if cause in BACKED_OFF else None)
        assert told["procedure_transaction_identity"] == 7
        assert at(network, "pgw") == {"5": _TWO[0]}


async def test_a_subscription_for_ipv6_alone(run: Any) -> None:
    async with run() as network:
        subscribe(network, *_TWO, pdn_type=1)
        phone = network.phone()
        phone.attach()  # by IPv4
        await network.settle()
        assert network.reject()["esm_cause"] is EsmCause.PDN_TYPE_IPV6_ONLY_ALLOWED


async def test_both_kinds_where_one_is_subscribed(run: Any) -> None:
    async with run() as network:
        subscribe(network, *_TWO)
        phone = await network.attached()
        connect(phone, pdn_type=3)
        await network.settle()
        assert (phone.got[-1].type, phone.got[-1]["esm_cause"]) == (_ASK, EsmCause.PDN_TYPE_IPV4_ONLY_ALLOWED)


async def test_an_emergency_attach_has_its_own_connection_only(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.attach(eps_attach_type=6)
        await network.settle()
        connect(phone)
        await network.settle()
        assert phone.got[-1]["esm_cause"] is EsmCause.REQUEST_REJECTED_UNSPECIFIED
        assert at(network, "pgw") == {"5": "sos"}


async def test_several_by_one_apn_where_that_is_allowed(run: Any) -> None:
    async with run(gateways={"several_per_apn": True}) as network:
        phone = await network.attached()
        for transaction in range(1, 12):
            connect(phone, _TWO[0], transaction)
        await network.settle()
        assert list(at(network, "pgw")) == [str(number) for number in range(5, 16)]
        refused = [each["esm_cause"] for each in phone.got if each.type is _T.PDN_CONNECTIVITY_REJECT]
        assert refused == [EsmCause.INSUFFICIENT_RESOURCES]


async def test_what_is_asked_twice_at_once(run: Any) -> None:
    async with run() as network:
        subscribe(network, *_TWO)
        phone = await network.attached()
        connect(phone, transaction=7)
        connect(phone, transaction=7)  # a repetition
        connect(phone, transaction=8)  # another one
        await network.settle()
        assert phone.types().count(_T.PDN_CONNECTIVITY_REJECT) == 1
        kinds = [each.type for each in phone.got[-2:]]
        assert sorted(kinds) == sorted([_T.PDN_CONNECTIVITY_REJECT, _ASK])
        assert at(network, "pgw") == {"5": _TWO[0], "6": _TWO[1]}


async def test_a_second_connection_by_the_apn_of_one_of_two_is_refused(run: Any) -> None:
    async with run() as network:
        phone = await connected(network)
        for name in _TWO:
            connect(phone, name, transaction=8)
            await network.settle()
            assert phone.got[-1]["esm_cause"] is EsmCause.MULTIPLE_PDN_CONNECTIONS_FOR_A_GIVEN_APN_NOT_ALLOWED


async def test_a_connection_of_which_the_pgw_wants_reports_has_them_ordered(run: Any) -> None:
    async with run() as network:
        subscribe(network, *_TWO)
        phone = await network.attached()
        network.pgw.core._apns["*"].config = ApnConfig(report_location=True)
        assert "location-reporting-control" not in network.enb.names()
        connect(phone)
        await network.settle()
        assert "location-reporting-control" in network.enb.names()


async def test_a_request_to_end_a_connection_that_is_repeated_is_at_work_already(run: Any) -> None:
    async with run() as network:
        phone = await connected(network)
        phone.replies[_T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST] = None
        for _ in range(2):
            disconnect(phone, 6)
            await network.settle()
        assert phone.types().count(_T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST) == 1
        assert phone.got[-1]["procedure_transaction_identity"] == 9
        assert _T.PDN_DISCONNECT_REJECT not in phone.types()


@pytest.mark.parametrize("comes", ["idle", "for an update", "connected"])
async def test_the_end_of_a_connection_is_told_where_the_device_has_its_bearers(run: Any, comes: str) -> None:
    async with run() as network:
        phone = await connected(network)
        phone.replies = {_T.IDENTITY_REQUEST: None, _T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST: None}
        if comes != "connected":
            phone.idle()
            await network.settle()
        if comes == "for an update":
            phone.update()
            await network.settle()
        await network.host.elements["pgw"].manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}/{_TWO[1]}")
        await network.settle()
        told = comes == "connected"
        assert (_T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST in phone.types()) == told
        assert ("e-rab-release-command" in network.enb.names()) == told
        connection = network.mme.core.by_imsi[IMSI].connection
        assert list(connection.transactions if connection is not None else ()) == [(0, 6)] * told
        assert at(network, "sgw") == {"5": _TWO[0]}


async def test_the_device_gives_connections_up(run: Any) -> None:
    async with run() as network:
        phone = await connected(network)
        disconnect(phone, 8)
        await network.settle()
        assert phone.got[-1]["esm_cause"] is EsmCause.INVALID_EPS_BEARER_IDENTITY
        disconnect(phone, 5)
        await network.settle()
        told = phone.got[-1]
        assert (told["eps_bearer_identity"], told["esm_cause"]) == (5, EsmCause.REGULAR_DEACTIVATION)
        assert network.enb.names()[-1] == "e-rab-release-command"
        assert at(network, "pgw") == {"6": _TWO[1]}
        assert network.session()["apn"] == _TWO[1]
        disconnect(phone, 6)
        await network.settle()
        assert phone.got[-1]["esm_cause"] is EsmCause.LAST_PDN_DISCONNECTION_NOT_ALLOWED
        assert at(network, "pgw") == {"6": _TWO[1]}


async def test_what_has_not_been_heard_to_end_is_given_to_no_other_connection(run: Any) -> None:
    async with run() as network:
        phone = await connected(network)
        phone.replies[_T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST] = None
        disconnect(phone, 6)
        await network.settle()
        connect(phone, transaction=8)
        await network.sleep(60)  # the end of the former one is told five times, under T3495
        assert at(network, "pgw") == {"5": _TWO[0], "7": _TWO[1]}


async def test_a_device_that_does_not_answer_has_its_connection_ended(run: Any) -> None:
    async with run() as network:
        subscribe(network, *_TWO)
        phone = await network.attached()
        phone.replies[_ASK] = phone.replies[_T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST] = None
        connect(phone)
        await network.sleep(39)
        assert phone.types().count(_ASK) == 5
        assert at(network, "pgw") == {"5": _TWO[0], "6": _TWO[1]}
        assert "modify-bearer" not in asked(network)[2:]
        await network.sleep(2)
        assert at(network, "pgw") == {"5": _TWO[0]}
        assert network.enb.names()[-1] == "e-rab-release-command"


async def test_one_that_the_pgw_ends_while_the_device_does_not_answer_is_ended_once(run: Any) -> None:
    async with run() as network:
        subscribe(network, *_TWO)
        phone = await network.attached()
        phone.replies[_ASK] = phone.replies[_T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST] = None
        connect(phone)
        await network.sleep(1)
        await network.host.elements["pgw"].manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}/{_TWO[1]}")
        await network.sleep(60)
        assert "delete-session" not in asked(network)
        assert at(network, "pgw") == at(network, "sgw") == {"5": _TWO[0]}


async def test_one_that_is_ended_is_told_five_times(run: Any) -> None:
    async with run() as network:
        phone = await connected(network)
        phone.replies[_T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST] = None
        disconnect(phone, 6)
        await network.sleep(41)
        assert phone.types().count(_T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST) == 5
        assert network.session() is not None


async def test_a_bearer_that_the_enb_does_not_set_up(run: Any) -> None:
    async with run() as network:
        subscribe(network, *_TWO)
        phone = await network.attached()
        network.enb.auto = False
        connect(phone)
        await network.settle()
        failed = ErabItem(6, CauseRadioNetwork.RADIO_RESOURCES_NOT_AVAILABLE)
        phone.up("e-rab-setup-response", e_rab_failed_to_setup_list_bearer_su_res=(failed,))
        await network.settle()
        assert at(network, "pgw") == {"5": _TWO[0]}
        assert network.session() is not None


async def test_an_enb_that_has_lost_what_nobody_waits_for_is_heard(run: Any) -> None:
    async with run() as network:
        phone = await connected(network)
        for number, changed in ((9, 0), (6, 1)):  # there is no bearer 9
            failed = ErabItem(number, CauseRadioNetwork.RADIO_RESOURCES_NOT_AVAILABLE)
            phone.up("e-rab-setup-response", e_rab_failed_to_setup_list_bearer_su_res=(failed,))
            await network.settle()
            assert network.notes()[-1] == "the eNB has not set a bearer up"
            sent = [s1ap.decode(each.data).name for each in network.of(Frame) if each.interface == "S1-MME"]
            assert sent.count("ue-context-modification-request") == changed
        assert at(network, "pgw") == {"5": _TWO[0], "6": _TWO[1]}


async def test_the_pgw_ends_one_of_two(run: Any) -> None:
    async with run() as network:
        phone = await connected(network)
        pgw = network.host.elements["pgw"]
        await pgw.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}/{_TWO[1]}")
        await network.settle()
        told = phone.got[-1]
        assert (told["eps_bearer_identity"], told["esm_cause"]) == (6, EsmCause.REACTIVATION_REQUESTED)
        assert at(network, "sgw") == {"5": _TWO[0]}
        assert network.session() is not None


async def test_an_idle_device_learns_at_its_update_that_a_connection_has_ended(run: Any) -> None:
    async with run() as network:
        phone = await connected(network)
        phone.idle()
        await network.settle()
        phone.update(eps_bearer_context_status=(6,))
        await network.settle()
        accept = next(each for each in phone.got if each.type is _T.TRACKING_AREA_UPDATE_ACCEPT)
        assert tuple(accept["eps_bearer_context_status"]) == (6,)
        assert at(network, "pgw") == {"6": _TWO[1]}


async def test_an_update_that_crosses_the_answer_to_a_request_leaves_the_new_connection_alone(run: Any) -> None:
    """The device says by its status that it has no bearer 6, before it has heard of that (TS 24.301 5.5.3.2.4)."""
    async with run(reallocate_guti_at_update=False) as network:
        subscribe(network, *_TWO)
        phone = await network.attached(replies={_ASK: None})
        connect(phone)
        await network.settle()
        asked_for, ksi = phone.got[-1], phone.security.ksi
        assert asked_for.type is _ASK
        fields = {"eps_update_type": 0, "nas_key_set_identifier": ksi, "old_guti": phone.guti}
        phone.send(Message(_T.TRACKING_AREA_UPDATE_REQUEST, **fields, eps_bearer_context_status=(5,)))
        await network.settle()
        assert phone.types()[-1] is _T.TRACKING_AREA_UPDATE_ACCEPT
        phone.take_again(asked_for)
        await network.settle()
        assert at(network, "pgw") == at(network, "sgw") == {"5": _TWO[0], "6": _TWO[1]}


@pytest.mark.parametrize("late", [False, True])
async def test_an_apn_that_is_withdrawn_ends_its_own(run: Any, *, late: bool) -> None:
    async with run() as network:
        subscribe(network, *_TWO)
        phone = await network.attached()
        pgw = network.host.elements["pgw"].core.node
        create, wait = pgw._handlers["create-session-request"], network.host.clock.sleep

        async def slow(message: Any, peer: Any) -> Any:
            await wait(2)
            return await create(message, peer)

        if late:  # the gateways are still at it
            pgw._handlers["create-session-request"] = slow
        connect(phone)
        await network.settle()
        orders = [
            ("User-Name", IMSI),
            ("DSR-Flags", int(DsrFlags.PDN_SUBSCRIPTION_CONTEXTS_WITHDRAWAL)),
            ("Context-Identifier", 2),
        ]
        await network.hss.order("Delete-Subscriber-Data-Request", orders)
        await network.sleep(3)
        assert at(network, "pgw") == {"5": _TWO[0]}
        assert network.session()["apn"] == _TWO[0]
        kinds = phone.types()
        assert (_T.PDN_CONNECTIVITY_REJECT if late else _T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST) in kinds
        assert _T.DETACH_REQUEST not in kinds


async def test_a_connection_that_is_asked_for_as_the_device_goes_ends_when_it_is_there(run: Any) -> None:
    async with run() as network:
        subscribe(network, *_TWO)
        phone = await network.attached()
        pgw = network.host.elements["pgw"].core.node
        create, wait = pgw._handlers["create-session-request"], network.host.clock.sleep

        async def slow(message: Any, peer: Any) -> Any:
            await wait(2)
            return await create(message, peer)

        pgw._handlers["create-session-request"] = slow
        connect(phone)
        await network.settle()
        phone.idle()
        await network.sleep(3)
        assert at(network, "pgw") == {"5": _TWO[0]}
        assert network.session()["state"] == "idle"


async def test_an_sgw_that_has_lost_one_session_has_the_device_set_it_up_again(run: Any) -> None:
    async with run() as network:
        phone = await connected(network)
        phone.idle()
        await network.settle()
        second = next(each for each in network.sgw.core.connections() if each.ebi == 6)
        network.sgw.core.close(second)
        phone.service()
        await network.settle()
        told = phone.got[-1]
        assert (told["eps_bearer_identity"], told["esm_cause"]) == (6, EsmCause.REACTIVATION_REQUESTED)
        assert network.session()["apn"] == _TWO[0]


async def test_an_update_that_is_proven_anew_goes_on_by_no_apn_that_was_taken_away(run: Any) -> None:
    """The subscription that comes with the device's new proof says nothing of bearers, which are the context's."""
    async with run() as network:
        phone = await network.attached_idle()
        await network.hss.order("Reset-Request", [("User-Id", IMSI[:8])])
        subscribe(network, _TWO[1])
        request = Message(
            _T.TRACKING_AREA_UPDATE_REQUEST, eps_update_type=0, nas_key_set_identifier=7, old_guti=phone.guti
        )
        phone.first(encode(request))
        await network.settle()
        assert (phone.got[-1].type, phone.got[-1]["emm_cause"]) == (
            _T.TRACKING_AREA_UPDATE_REJECT,
            EmmCause.IMPLICITLY_DETACHED,
        )
        assert network.session() is None
