"""Attach, as the messages on all sides tell it."""

from __future__ import annotations

from typing import Any

import pytest

from simwarden.machine.nas_security import SPENT_SOON
from simwarden.model.identity import Imei
from simwarden.wire.nas.enums import EmmCause, EsmCause, IdentityType, MessageType
from simwarden.wire.nas.message import Message, decode

_T = MessageType
IMSI = "001010000000001"


async def test_the_order_is_authentication_security_equipment_location(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        assert phone.types() == [_T.AUTHENTICATION_REQUEST, _T.SECURITY_MODE_COMMAND, _T.ATTACH_ACCEPT]
        names = [message.name for message in network.hss.asked]
        assert names == ["authentication-information-request", "update-location-request"]
        located = network.hss.asked[1]
        assert located.find("Terminal-Information", "IMEI") == "35698765000001"
        assert located.find("Terminal-Information", "Software-Version") == "01"
        assert network.eir.asked[0].get("User-Name") == IMSI
        session = network.session()
        assert session["imeisv"] == "3569876500000101"
        assert session["cell"] == "001-01-0000101"
        assert session["apn"] == "meters.example"
        assert session["address"] == "10.64.0.1"
        assert network.decisions("fn.core")[-1].admitted


async def test_the_equipment_register_is_asked_before_the_hss_is_told(run: Any) -> None:
    async with run() as network:
        network.eir.answers["me-identity-check"] = [("Equipment-Status", 1)]
        phone = network.phone()
        phone.attach()
        await network.settle()
        assert phone.got[-1]["emm_cause"] is EmmCause.ILLEGAL_ME
        assert network.hss.names() == ["authentication-information"]
        assert network.session() is None
        decision = network.decisions("mme.equipment")[-1]
        assert not decision.admitted
        assert network.mme.core.by_imsi == {}


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (5001, EmmCause.EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED),
        (5420, EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA),
        (5421, EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA),
        (5004, EmmCause.PLMN_NOT_ALLOWED),
        (5003, EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA),
        (5012, EmmCause.NETWORK_FAILURE),
        (3002, EmmCause.NETWORK_FAILURE),
        (5999, EmmCause.NETWORK_FAILURE),
    ],
)
async def test_what_the_hss_refuses_the_device_is_told_by_the_table(run: Any, answer: int, cause: EmmCause) -> None:
    async with run() as network:
        network.hss.answers["update-location"] = answer
        phone = network.phone()
        phone.attach()
        await network.settle()
        assert phone.got[-1].type is _T.ATTACH_REJECT
        assert phone.got[-1]["emm_cause"] is cause
        assert phone.released
        assert network.session() is None
        assert network.reject()["emm_cause"] is cause


async def test_a_deployment_changes_the_table(run: Any) -> None:
    async with run(causes={"experimental_results": {"5001": "illegal-me"}}) as network:
        network.hss.answers["update-location"] = 5001
        phone = network.phone()
        phone.attach()
        await network.settle()
        assert phone.got[-1]["emm_cause"] is EmmCause.ILLEGAL_ME


@pytest.mark.parametrize("who", ["hss", "eir"])
@pytest.mark.parametrize("how", ["silent", "down"])
async def test_without_a_decider_the_attach_is_refused_for_a_time(run: Any, who: str, how: str) -> None:
    async with run() as network:
        if how == "down":
            await network.host.stop(who, kill=True)
            await network.settle()
        else:
            getattr(network, who).silent = True
        phone = network.phone()
        phone.attach()
        await network.sleep(20)
        assert phone.got[-1]["emm_cause"] is EmmCause.NETWORK_FAILURE
        refused = network.decisions("mme.hss" if who == "hss" else "mme.equipment")[-1]
        assert not refused.admitted
        assert refused.details["temporary"]


async def test_the_fleet_returns_when_the_register_does(run: Any) -> None:
    async with run() as network:
        await network.host.stop("eir", kill=True)
        phone = network.phone()
        phone.attach()
        await network.sleep(20)
        assert network.session() is None
        await network.host.start("eir")
        again = network.phone()
        again.attach()
        await network.settle()
        assert network.session() is not None


async def test_congestion_carries_a_back_off(run: Any) -> None:
    async with run(causes={"unreachable": "congestion"}, timers={"t3346_spread": 0}) as network:
        await network.host.stop("hss", kill=True)
        phone = network.phone()
        phone.attach()
        await network.sleep(20)
        assert phone.got[-1]["emm_cause"] is EmmCause.CONGESTION
        assert phone.got[-1]["t3346"] == 900


async def test_back_offs_are_spread_so_that_a_fleet_does_not_return_at_one_moment(run: Any) -> None:
    async with run(causes={"unreachable": "congestion"}) as network:
        await network.host.stop("hss", kill=True)
        phone = network.phone()
        told = set()
        for _ in range(30):
            phone.attach()
            await network.sleep(20)
            told.add(phone.got[-1]["t3346"])
        assert min(told) >= 900
        assert max(told) <= 1800
        assert len(told) > 5


async def test_an_eir_that_is_down_may_be_set_to_admit(run: Any) -> None:
    async with run(equipment={"unreachable": "admit"}) as network:
        await network.host.stop("eir", kill=True)
        phone = network.phone()
        phone.attach()
        await network.sleep(20)
        assert network.session() is not None
        assert "set to admit" in network.decisions("mme.equipment")[-1].reason


async def test_a_terminal_without_imeisv_is_asked_for_its_imei(run: Any) -> None:
    async with run() as network:
        phone = network.phone(imeisv="", imei="356987650000010")
        phone.attach()
        await network.settle()
        assert [IdentityType(m["identity_type"]) for m in phone.got if m.type is _T.IDENTITY_REQUEST] == [
            IdentityType.IMEISV,
            IdentityType.IMEI,
        ]
        assert network.hss.asked[-1].find("Terminal-Information", "IMEI") == "35698765000001"
        assert network.hss.asked[-1].find("Terminal-Information", "Software-Version") is None
        assert network.session()["imeisv"] == ""


async def test_a_terminal_that_says_nothing_is_refused(run: Any) -> None:
    async with run() as network:
        phone = network.phone(imeisv="")
        phone.attach()
        await network.settle()
        assert phone.got[-1]["emm_cause"] is EmmCause.ILLEGAL_ME
        assert network.hss.names() == ["authentication-information"]


async def test_a_known_guti_and_its_keys_skip_authentication_but_not_the_imeisv(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.attach()
        await network.settle()
        assert phone.types() == [_T.IDENTITY_REQUEST, _T.ATTACH_ACCEPT]
        assert network.hss.names() == []
        assert network.eir.names() == []


async def test_keys_whose_count_is_nearly_spent_are_replaced(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.security.ul_count = network.mme.core.by_imsi[phone.imsi].security.ul_count = SPENT_SOON
        phone.attach()
        await network.settle()
        assert _T.AUTHENTICATION_REQUEST in phone.types()
        assert network.mme.core.by_imsi[phone.imsi].security.ul_count < SPENT_SOON
        assert network.session()["state"] == "connected"


async def test_a_moved_card_with_guti_and_keys_is_found_by_its_terminal(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.imeisv = "8612340000000001"
        network.hss.answers["update-location"] = 5001
        phone.attach()
        await network.settle()
        assert network.eir.asked[-1].find("Terminal-Information", "IMEI") == "86123400000000"
        assert network.hss.asked[-1].find("Terminal-Information", "IMEI") == "86123400000000"
        assert phone.got[-1].type is _T.ATTACH_REJECT
        assert network.session() is None


async def test_the_eir_is_asked_again_when_the_verdict_is_old(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.attach()
        await network.settle()
        assert network.eir.names() == []
        await network.sleep(3601)
        phone.idle()
        await network.settle()
        phone.attach()
        await network.settle()
        assert network.eir.names() == ["me-identity-check"]


@pytest.mark.parametrize("code", [1, 2])
async def test_a_strange_guti_asks_for_the_imsi(run: Any, code: int) -> None:
    async with run() as network:
        phone = await network.attached()
        other = network.phone(imsi="001010000000002", enb_id=9)
        other.guti = type(phone.guti)(phone.guti.plmn, phone.guti.mme_group_id, code, phone.guti.m_tmsi ^ 1)
        other.attach()
        await network.settle()
        assert other.types()[0] is _T.IDENTITY_REQUEST
        assert network.session("001010000000002") is not None


async def test_a_replayed_attach_request_proves_nothing(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        captured = phone.protected(phone.attach_request())
        phone.first(captured)
        phone.secured = True
        await network.settle()
        phone.idle()
        await network.settle()
        thief = network.phone(guti=phone.guti, enb_id=50)
        thief.replies[_T.AUTHENTICATION_REQUEST] = None
        # the GUTI was reallocated, so the captured request names nobody; one with the GUTI of now has no valid MAC
        thief.first(captured)
        thief.first(captured[:6] + phone.protected(phone.attach_request())[6:])
        await network.sleep(1)
        assert _T.ATTACH_ACCEPT not in thief.types()
        assert network.session()["state"] == "idle"


async def test_a_wrong_response_is_answered_by_authentication_reject(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.replies[_T.AUTHENTICATION_REQUEST] = lambda self, _: self.send(
            Message(_T.AUTHENTICATION_RESPONSE, res=bytes(8))
        )
        phone.attach()
        await network.settle()
        assert phone.types() == [_T.AUTHENTICATION_REQUEST, _T.AUTHENTICATION_REJECT]
        assert phone.released
        assert network.mme.core.by_imsi == {}


async def test_an_sqn_out_of_range_is_resynchronised_once(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        failures = [EmmCause.SYNCH_FAILURE]

        def respond(self: Any, _message: Message) -> None:
            if failures:
                cause = failures.pop()
                self.send(
                    Message(_T.AUTHENTICATION_FAILURE, emm_cause=cause, authentication_failure_parameter=b"a" * 14)
                )
            else:
                self.send(Message(_T.AUTHENTICATION_RESPONSE, res=b"\x01\x02\x03\x04\x05\x06\x07\x08"))

        phone.replies[_T.AUTHENTICATION_REQUEST] = respond
        phone.attach()
        await network.settle()
        again = network.hss.asked[1]
        assert again.find("Requested-EUTRAN-Authentication-Info", "Re-Synchronization-Info") == bytes(16) + b"a" * 14
        assert network.session() is not None


@pytest.mark.parametrize("network_answer", ["t3460", "t3450"])
async def test_a_silent_device_is_asked_five_times_and_let_go(run: Any, network_answer: str) -> None:
    async with run() as network:
        phone = network.phone()
        kind = _T.AUTHENTICATION_REQUEST if network_answer == "t3460" else _T.ATTACH_ACCEPT
        phone.replies[kind] = None
        phone.attach()
        await network.sleep(60)
        assert phone.types().count(kind) == 5
        assert phone.released
        assert network.session() is None
        core = network.mme.core
        assert core.connections == {}
        assert all(ue.bearer is None for ue in core.by_imsi.values())


async def test_barring_is_told_by_an_esm_cause(run: Any) -> None:
    async with run() as network:
        network.hss.answers["update-location"] = [
            ("Subscription-Data", [("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)])
        ]
        phone = network.phone()
        phone.attach()
        await network.settle()
        reject = phone.got[-1]
        assert reject["emm_cause"] is EmmCause.ESM_FAILURE
        inner = decode(reject["esm_message_container"], uplink=False)
        assert inner["esm_cause"] is EsmCause.OPERATOR_DETERMINED_BARRING


@pytest.mark.parametrize(("seconds", "told"), [(720, None), (1800, 1800.0)])
async def test_a_refused_apn_may_rest_for_longer(run: Any, seconds: float, told: float | None) -> None:
    async with run(timers={"t3396": seconds}) as network:
        phone = network.phone()
        phone.attach(access_point_name="internet.example")
        await network.settle()
        inner = decode(phone.got[-1]["esm_message_container"], uplink=False)
        assert inner.get("back_off_timer") == told


async def test_an_apn_that_is_not_subscribed_is_refused(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.attach(access_point_name="internet.example")
        await network.settle()
        inner = decode(phone.got[-1]["esm_message_container"], uplink=False)
        assert inner["esm_cause"] is EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED
        assert network.decisions("mme.apn")[-1].details["expected"] == ["meters.example"]


async def test_an_apn_held_back_is_asked_for_when_ciphered(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.replies[_T.ESM_INFORMATION_REQUEST] = lambda self, message: self.send(
            Message(
                _T.ESM_INFORMATION_RESPONSE,
                eps_bearer_identity=0,
                procedure_transaction_identity=message["procedure_transaction_identity"],
                access_point_name="METERS.example",
            )
        )
        phone.attach(esm_information_transfer_flag=1)
        await network.settle()
        assert network.session()["apn"] == "METERS.example"


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("iot", True),
        ("", False),
        ("*", False),
        ("\u4e2d", False),
        ("x" * 64, False),
        (("a" * 60 + ".") * 5, False),
        ("a..b", False),
    ],
)
async def test_subscription_data_of_any_kind_is_survived(run: Any, name: str, accepted: bool) -> None:  # noqa: FBT001
    async with run() as network:
        most = 0xFFFFFFFF
        priority = [("Priority-Level", most), ("Pre-emption-Capability", -1), ("Pre-emption-Vulnerability", 99)]
        quality = [("QoS-Class-Identifier", -1), ("Allocation-Retention-Priority", priority)]
        point = [
            ("Context-Identifier", 1),
            ("PDN-Type", 2),
            ("Service-Selection", name),
            ("EPS-Subscribed-QoS-Profile", quality),
        ]
        profile = [
            ("Context-Identifier", 1),
            ("All-APN-Configurations-Included-Indicator", 0),
            ("APN-Configuration", point),
        ]
        bandwidth = [("Max-Requested-Bandwidth-UL", most), ("Max-Requested-Bandwidth-DL", most)]
        data = [
            ("MSISDN", "1064700000001"),
            ("AMBR", bandwidth),
            ("APN-Configuration-Profile", profile),
            ("Subscribed-Periodic-RAU-TAU-Timer", most),
        ]
        network.hss.answers["update-location"] = [("Subscription-Data", data)]
        phone = network.phone()
        phone.attach(ms_network_feature_support=1)
        await network.settle()
        assert (phone.got[-1].type is _T.ATTACH_ACCEPT) == accepted


@pytest.mark.parametrize("same", [True, False])
async def test_a_second_attach_request_meanwhile(run: Any, same: bool) -> None:  # noqa: FBT001
    async with run() as network:
        phone = network.phone()
        phone.replies[_T.AUTHENTICATION_REQUEST] = None
        phone.attach()
        await network.settle()
        fields = {} if same else {"eps_attach_type": 2}
        del phone.replies[_T.AUTHENTICATION_REQUEST]
        phone.send(phone.attach_request(**fields))
        await network.settle()
        assert phone.types().count(_T.AUTHENTICATION_REQUEST) == (1 if same else 2)
        assert (network.session() is None) == same


async def test_the_accept_is_repeated_for_a_repeated_request(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.replies[_T.ATTACH_ACCEPT] = None
        request = phone.attach_request()
        phone.attach()
        await network.settle()
        del phone.replies[_T.ATTACH_ACCEPT]
        phone.send(request)
        await network.settle()
        assert phone.types().count(_T.ATTACH_ACCEPT) == 2
        assert network.session() is not None


async def test_the_same_card_attaching_elsewhere_ends_the_older_session(run: Any) -> None:
    async with run() as network:
        old = await network.attached()
        new = network.phone(enb_id=70, imeisv="8612340000000001")
        new.attach()
        await network.settle()
        assert old.released
        assert network.session()["imeisv"] == "8612340000000001"
        assert len(network.mme.core.by_imsi) == 1
        assert len(network.mme.core.by_m_tmsi) == 1


async def test_an_attach_that_proves_nothing_leaves_the_session_alone(run: Any) -> None:
    async with run() as network:
        await network.attached()
        forger = network.phone(enb_id=70)
        forger.replies[_T.AUTHENTICATION_REQUEST] = lambda self, _: self.send(
            Message(_T.AUTHENTICATION_RESPONSE, res=bytes(8))
        )
        forger.attach()
        await network.settle()
        assert network.session()["state"] == "connected"


async def test_an_emergency_call_needs_no_card_that_can_be_proven(run: Any) -> None:
    async with run() as network:
        network.hss.answers["authentication-information"] = 5001
        network.eir.answers["me-identity-check"] = [("Equipment-Status", 1)]
        phone = network.phone()
        phone.attach(eps_attach_type=6)
        await network.settle()
        session = network.session(f"imei-{Imei('35698765000001').imei}")
        assert session["emergency"]
        assert session["apn"] == "sos"
        assert phone.security.eia == 0
        assert network.eir.names() == []
        assert network.session() is None


@pytest.mark.parametrize("proven", [True, False])
async def test_an_emergency_call_reaches_its_apn_whatever_it_asks_for(run: Any, *, proven: bool) -> None:
    async with run() as network:
        if not proven:
            network.hss.answers["authentication-information"] = 5001
        phone = network.phone()
        phone.attach(eps_attach_type=6, access_point_name="meters.example")
        await network.settle()
        session = network.session(IMSI if proven else f"imei-{Imei('35698765000001').imei}")
        assert (session["emergency"], session["apn"]) == (True, "sos")


async def test_an_unproven_emergency_call_takes_nothing_from_the_card_it_names(run: Any) -> None:
    async with run() as network:
        await network.attached()
        network.hss.answers["authentication-information"] = 5001
        forger = network.phone(enb_id=70, imeisv=IMSI + "0")
        forger.attach(eps_attach_type=6)
        await network.settle()
        assert forger.types()[-1] is _T.ATTACH_ACCEPT
        assert network.session()["state"] == "connected"
        assert not network.session()["emergency"]


@pytest.mark.parametrize("same_connection", [True, False])
async def test_an_unproven_emergency_call_is_no_way_round_authentication(run: Any, same_connection: bool) -> None:  # noqa: FBT001
    async with run() as network:
        network.hss.answers["authentication-information"] = 5001
        forger = network.phone()
        forger.attach(eps_attach_type=6)
        await network.settle()
        del network.hss.answers["authentication-information"]
        forger.replies[_T.AUTHENTICATION_REQUEST] = lambda self, _: self.send(
            Message(_T.AUTHENTICATION_RESPONSE, res=bytes(8))
        )
        forger.got.clear()
        network.hss.asked.clear()
        if same_connection:
            forger.send(forger.attach_request())
            forger.secured = False
        else:
            forger.attach()
            forger.secured = False
        await network.settle()
        assert _T.AUTHENTICATION_REJECT in forger.types()
        assert _T.ATTACH_ACCEPT not in forger.types()
        assert "update-location" not in network.hss.names()


@pytest.mark.parametrize("allowed", ["authenticated", "nobody"])
async def test_an_emergency_call_where_the_network_is_set_to_refuse_it(run: Any, allowed: str) -> None:
    async with run(emergency={"allowed": allowed}) as network:
        network.hss.answers["authentication-information"] = 5001
        phone = network.phone()
        phone.attach(eps_attach_type=6)
        await network.settle()
        assert phone.got[-1].type is _T.ATTACH_REJECT


@pytest.mark.parametrize(("seconds", "told"), [(720, None), (10800, 10800.0)])
async def test_a_reject_tells_t3402_where_it_is_not_the_one_of_each_device(
    run: Any, seconds: float, told: float | None
) -> None:
    async with run(timers={"t3402": seconds}) as network:
        network.hss.answers["update-location"] = 5012
        phone = network.phone()
        phone.attach()
        await network.settle()
        assert (phone.got[-1].type, phone.got[-1].get("t3402")) == (_T.ATTACH_REJECT, told)


async def test_null_algorithms_are_never_chosen_otherwise(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        from simwarden.wire.nas.elements import UeNetworkCapability

        phone.attach(ue_network_capability=UeNetworkCapability(0x80, 0x80))
        await network.settle()
        assert phone.types() == [_T.AUTHENTICATION_REQUEST, _T.ATTACH_REJECT]


@pytest.mark.parametrize("control", ["mme.equipment", "mme.terminal-identity", "mme.hss", "mme.barring", "mme.apn"])
async def test_each_control_refuses_an_attach_when_switched(run: Any, control: str) -> None:
    async with run(switches={control: "always-refuse"}) as network:
        phone = network.phone()
        phone.attach()
        await network.settle()
        assert phone.got[-1].type is _T.ATTACH_REJECT
