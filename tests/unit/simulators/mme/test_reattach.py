"""What an attach tells and is told: of a device known before, in an emergency, and where it comes to nothing."""

from __future__ import annotations

from typing import Any

import pytest

from simwarden.trace.events import Decided
from simwarden.wire.nas.elements import UeNetworkCapability
from simwarden.wire.nas.enums import AttachResult, EmmCause, EpsNetworkFeature, MessageType
from simwarden.wire.nas.message import Message

_T = MessageType
IMSI = "001010000000001"
EMERGENCY = 6
_INITIAL_ATTACH = 1 << 5


def _initial(network: Any) -> list[bool]:
    """Whether each report of the location said that it is an initial attach (TS 29.272 7.3.7)."""
    reports = [each for each in network.hss.asked if each.name == "update-location-request"]
    return [bool(each.get("ULR-Flags") & _INITIAL_ATTACH) for each in reports]


async def test_a_request_for_a_connection_that_cannot_be_read_is_refused_before_anybody_is_asked(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.attach(esm_message_container=b"\x02\x01\xff")
        await network.settle()
        assert phone.types() == [_T.ATTACH_REJECT]
        assert network.hss.names() == []
        assert phone.released


@pytest.mark.parametrize(
    ("allowed", "told"), [("everybody", EpsNetworkFeature.EMC_BS), ("nobody", EpsNetworkFeature(0))]
)
async def test_emergency_calls_are_a_matter_of_emergency_attaches(run: Any, allowed: str, told: Any) -> None:
    async with run(emergency={"allowed": allowed}) as network:
        phone = await network.attached()
        accept = phone.got[-1]
        assert network.decisions("mme.emergency") == []
        assert accept["eps_network_feature_support"] == told
        assert (accept["eps_attach_result"], accept.get("emm_cause")) == (AttachResult.EPS_ONLY, None)


async def test_an_emergency_attach_by_guti_is_decided_about_the_card_that_has_it(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.attach(eps_attach_type=EMERGENCY)
        await network.settle()
        (decided,) = [each for each in network.of(Decided) if each.decision.control.id == "mme.emergency"]
        assert decided.decision.subject == IMSI


async def test_a_device_that_has_lost_its_keys_is_known_by_its_guti(run: Any) -> None:
    async with run(equipment={"report_change": "notify"}) as network:
        phone = await network.attached_idle()
        phone.security = None
        phone.attach()
        await network.settle()
        assert phone.types() == [_T.AUTHENTICATION_REQUEST, _T.SECURITY_MODE_COMMAND, _T.ATTACH_ACCEPT]
        assert phone.got[0]["nas_key_set_identifier"] == 1, "0 names the keys that it had"
        assert _initial(network) == [True]
        assert network.eir.names() == [], "its verdict holds, as the HSS has the card here"


@pytest.mark.parametrize(("contact", "initial"), [("attach", True), ("update", False), ("service", False)])
async def test_the_hss_hears_of_another_terminal_and_by_what_it_came(run: Any, contact: str, *, initial: bool) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.imeisv = "8612340000000001"
        getattr(phone, contact)()
        await network.settle()
        assert _initial(network) == [initial]
        assert network.session()["imeisv"] == phone.imeisv


async def test_a_location_that_is_taken_without_data_leaves_what_is_known(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        known = network.mme.core.by_imsi[IMSI].subscription
        await network.hss.order("Reset-Request", [])
        network.hss.answers["update-location"] = [("ULA-Flags", 1)]
        phone.service()
        await network.settle()
        assert network.hss.names() == ["update-location"]
        assert network.mme.core.by_imsi[IMSI].subscription is known
        assert phone.bearers == 1


async def test_a_result_that_no_table_has_is_named(run: Any) -> None:
    async with run() as network:
        network.hss.answers["update-location"] = 5999
        network.phone().attach()
        await network.settle()
        assert "5999" in network.reject()["reason"]


@pytest.mark.parametrize(
    ("answer", "cause"), [([("Equipment-Status", 1)], EmmCause.ILLEGAL_ME), (5422, EmmCause.PLMN_NOT_ALLOWED)]
)
async def test_prohibited_and_unknown_terminals_are_told_apart(run: Any, answer: Any, cause: EmmCause) -> None:
    causes = {"prohibited_equipment": "ILLEGAL_ME", "unknown_equipment": "PLMN_NOT_ALLOWED"}
    async with run(causes=causes) as network:
        network.eir.answers["me-identity-check"] = answer
        network.phone().attach()
        await network.settle()
        assert network.reject()["emm_cause"] is cause


async def test_a_device_known_by_its_keys_tells_what_has_changed(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        former = phone.guti
        phone.attach(ue_network_capability=UeNetworkCapability(0xF0, 0xF0))
        await network.settle()
        told = network.enb.last("initial-context-setup-request")["ue_security_capabilities"]
        assert (told.encryption_algorithms, told.integrity_protection_algorithms) == (0xE000, 0xE000)
        assert _initial(network) == []
        core = network.mme.core
        assert core.find(former) is None
        assert core.find(phone.guti) is core.by_imsi[IMSI]
        assert len(core.connections) == 1


async def test_an_accept_is_repeated_without_another_context(run: Any) -> None:
    async with run() as network:
        phone = network.phone(replies={_T.ATTACH_ACCEPT: None})
        phone.attach()
        await network.sleep(10)
        assert phone.types().count(_T.ATTACH_ACCEPT) == 2
        assert [each for each in network.enb.names() if each != "downlink-nas-transport"] == [
            "s1-setup-response",
            "initial-context-setup-request",
        ]


async def test_the_context_of_an_attach_that_was_refused_at_its_end_is_purged(run: Any) -> None:
    async with run(timers={"purge": 60}) as network:
        network.phone().attach(access_point_name="internet.example")
        await network.settle()
        assert network.reject()["emm_cause"] is EmmCause.ESM_FAILURE
        assert IMSI in network.mme.core.by_imsi
        network.hss.asked.clear()
        await network.sleep(60)
        assert network.hss.names() == ["purge-ue"]
        assert network.mme.core.by_imsi == {}


async def test_emergency_calls_that_prove_nothing_are_told_apart_by_their_terminals(run: Any) -> None:
    """Who gives no IMEISV with the security mode is asked for the IMEI: the call is known by it (TS 23.401 5.7.2)."""
    async with run() as network:
        network.hss.answers["authentication-information"] = 5001
        phones = [network.phone(imeisv="", imei=imei) for imei in ("356987650000013", "356987650000021", "")]
        for phone in phones:
            phone.attach(eps_attach_type=EMERGENCY)
            await network.settle()
        known = network.phone(imeisv="3569876500000301", imei="")
        known.attach(eps_attach_type=EMERGENCY)
        await network.settle()
        keys = [f"imei-35698765000{number}" for number in ("0019", "0027", "0035")]
        assert sorted(network.mme.core.by_imsi) == keys
        assert _T.IDENTITY_REQUEST not in known.types()
        assert (phones[2].got[-1].type, phones[2].got[-1]["emm_cause"]) == (
            _T.ATTACH_REJECT,
            EmmCause.IMEI_NOT_ACCEPTED,
        )


async def test_an_emergency_call_that_proves_its_card_and_rejects_the_keys_knows_no_subscription(run: Any) -> None:
    def refuse_once(phone: Any, _message: Message) -> None:
        del phone.replies[_T.SECURITY_MODE_COMMAND]
        phone.secured = False
        phone.security = None
        phone.send(Message(_T.SECURITY_MODE_REJECT, emm_cause=EmmCause.SECURITY_MODE_REJECTED_UNSPECIFIED))

    async with run() as network:
        await network.attached()
        phone = network.phone(enb_id=70, replies={_T.SECURITY_MODE_COMMAND: refuse_once})
        phone.attach(eps_attach_type=EMERGENCY)
        await network.settle()
        ue = network.mme.core.by_imsi["imei-356987650000019"]
        assert (ue.emergency, ue.subscription, ue.located) == (True, None, False)
        assert network.session()["state"] == "connected"


# -- other contacts that are refused


@pytest.mark.parametrize(
    ("contact", "kind"), [("update", _T.TRACKING_AREA_UPDATE_REJECT), ("service", _T.SERVICE_REJECT)]
)
async def test_a_contact_that_is_refused_for_a_time_tells_for_how_long(
    run: Any, contact: str, kind: MessageType
) -> None:
    async with run(causes={"unreachable": "congestion"}, timers={"t3346": 600, "t3346_spread": 0}) as network:
        phone = await network.attached_idle(imeisv="3569876500000101")
        phone.imeisv = "8612340000000001"
        await network.host.stop("hss", kill=True)
        getattr(phone, contact)()
        await network.sleep(20)
        told = phone.got[-1]
        assert (told.type, told["emm_cause"], told["t3346"]) == (kind, EmmCause.CONGESTION, 600)
        assert network.session()["state"] == "idle"


@pytest.mark.parametrize("contact", ["update", "service"])
async def test_the_context_of_a_contact_that_was_refused_is_purged(run: Any, contact: str) -> None:
    async with run(timers={"purge": 60}) as network:
        phone = await network.attached_idle()
        phone.imeisv = "8612340000000001"
        network.hss.answers["update-location"] = 5001
        getattr(phone, contact)()
        await network.settle()
        assert network.session() is None
        network.hss.asked.clear()
        await network.sleep(60)
        assert network.hss.names() == ["purge-ue"]
        assert network.mme.core.by_imsi == {}


# -- verdicts on equipment that are kept


async def test_a_prohibited_terminal_is_refused_by_the_verdict_that_is_kept(run: Any) -> None:
    async with run(equipment={"verdict_lifetime": 600}) as network:
        network.eir.answers["me-identity-check"] = [("Equipment-Status", 1)]
        for seconds, asked in ((0, 1), (599, 1), (1, 2)):
            await network.sleep(seconds)
            network.phone().attach()
            await network.settle()
            assert network.reject()["emm_cause"] is EmmCause.ILLEGAL_ME
            assert len(network.eir.names()) == asked


async def test_silence_is_no_verdict_that_is_kept(run: Any) -> None:
    async with run(equipment={"verdict_lifetime": 600}) as network:
        phone = await network.attached_idle()
        await network.sleep(600)
        await network.host.stop("eir", kill=True)
        phone.update()
        await network.sleep(60)
        assert (phone.got[-1].type, phone.got[-1]["emm_cause"]) == (
            _T.TRACKING_AREA_UPDATE_REJECT,
            EmmCause.NETWORK_FAILURE,
        )
        await network.host.start("eir")
        await network.sleep(60)
        phone.update()
        await network.settle()
        assert phone.got[-1].type is _T.TRACKING_AREA_UPDATE_ACCEPT
        assert network.eir.names() == ["me-identity-check"]
