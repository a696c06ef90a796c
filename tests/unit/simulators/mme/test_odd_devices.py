"""What devices, eNBs, HSS and operators seldom do: leave out identities, answer twice, order what is not there."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from odd_enb import without

from simulators.mme.clients import home, s1
from simulators.mme.clients.home import Home, merge_subscription
from simulators.mme.dispatch.s1 import receive
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.operations.management import Role
from simwarden.runtime.store import StoreUnavailableError
from simwarden.testing.diameter import AUTN, RAND, RES
from simwarden.wire import s1ap
from simwarden.wire.diameter.codes import Feature, IdrFlags
from simwarden.wire.nas.elements import MobileIdentity
from simwarden.wire.nas.enums import EmmCause, EsmCause, IdentityType, MessageType
from simwarden.wire.nas.message import Message, encode
from simwarden.wire.s1ap import CauseRadioNetwork

_T = MessageType
PLMN = Plmn("001", "01")
TAI = Tai(PLMN, 1)
IMSI, OTHER = "001010000000001", "001010000000002"
EMERGENCY = 6
NOBODY = MobileIdentity(IdentityType.NO_IDENTITY, None)


def _nameless(phone: Any, _message: Message) -> None:
    phone.send(Message(_T.IDENTITY_RESPONSE, mobile_identity=NOBODY))


# -- attach


@pytest.mark.parametrize(
    ("kind", "identity", "cause"),
    [
        (1, "guti", EmmCause.UE_IDENTITY_CANNOT_BE_DERIVED_BY_THE_NETWORK),
        (1, "imei", EmmCause.UE_IDENTITY_CANNOT_BE_DERIVED_BY_THE_NETWORK),
        (EMERGENCY, "guti", EmmCause.IMEI_NOT_ACCEPTED),
        (EMERGENCY, "imei", None),
    ],
)
async def test_a_device_that_gives_no_imsi(run: Any, kind: int, identity: str, cause: Any) -> None:
    async with run() as network:
        known = await network.attached_idle()
        phone = network.phone(imei="356987650000013")
        phone.replies[_T.IDENTITY_REQUEST] = _nameless
        names = {
            "guti": MobileIdentity(IdentityType.GUTI, replace(known.guti, m_tmsi=7)),
            "imei": MobileIdentity(IdentityType.IMEI, "356987650000013"),
        }
        phone.attach(eps_attach_type=kind, eps_mobile_identity=names[identity])
        await network.settle()
        if cause is None:
            assert phone.types()[-1] is _T.ATTACH_ACCEPT
        else:
            assert (phone.got[-1].type, phone.got[-1]["emm_cause"]) == (_T.ATTACH_REJECT, cause)
            assert phone.released


async def test_gea_algorithms_are_replayed_to_the_device(run: Any) -> None:
    """GEA1 is bit 8 of the first octet, GEA2 to GEA7 are bits 7 to 2 of the second (TS 24.008 10.5.5.12)."""
    async with run() as network:
        phone = network.phone()
        phone.attach(ms_network_capability=b"\xe5\x60")
        await network.settle()
        (command,) = [each for each in phone.got if each.type is _T.SECURITY_MODE_COMMAND]
        assert command["replayed_ue_security_capabilities"].rest == b"\0\0\x70"


async def test_an_emergency_call_whose_device_rejects_the_security_mode(run: Any) -> None:
    def refuse(phone: Any, _message: Message) -> None:
        phone.secured = False
        phone.send(Message(_T.SECURITY_MODE_REJECT, emm_cause=EmmCause.SECURITY_MODE_REJECTED_UNSPECIFIED))

    async with run() as network:
        network.hss.answers["authentication-information"] = 5001
        phone = network.phone(replies={_T.SECURITY_MODE_COMMAND: refuse})
        phone.attach(eps_attach_type=EMERGENCY)
        await network.settle()
        assert phone.types() == [_T.SECURITY_MODE_COMMAND]
        assert phone.released
        assert network.mme.core.by_imsi == {}


async def test_an_emergency_call_that_proves_nothing_where_it_must(run: Any) -> None:
    async with run(emergency={"allowed": "authenticated"}) as network:
        phone = network.phone()
        phone.replies[_T.AUTHENTICATION_REQUEST] = lambda self, _: self.send(
            Message(_T.AUTHENTICATION_RESPONSE, res=bytes(8))
        )
        phone.attach(eps_attach_type=EMERGENCY)
        await network.settle()
        assert phone.types() == [_T.AUTHENTICATION_REQUEST, _T.AUTHENTICATION_REJECT]
        assert network.session() is None


@pytest.mark.parametrize(
    ("cause", "told", "esm"),
    [("PLMN_NOT_ALLOWED", EmmCause.PLMN_NOT_ALLOWED, None), ("ESM_FAILURE", EmmCause.ESM_FAILURE, EsmCause)],
)
async def test_barring_has_an_esm_cause_only_where_an_esm_failure_stands_for_it(
    run: Any, cause: str, told: Any, esm: Any
) -> None:
    async with run(causes={"barred": cause}) as network:
        data = [("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)]
        network.hss.answers["update-location"] = [("ULA-Flags", 1), ("Subscription-Data", data)]
        phone = network.phone()
        phone.attach()
        await network.settle()
        assert phone.got[-1]["emm_cause"] is told
        assert (network.reject()["esm_cause"] is None) == (esm is None)
        assert (phone.got[-1].get("esm_message_container") is None) == (esm is None)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"t3412_extended": 7200.0}, 7200.0),
        ({"ms_network_feature_support": 1}, 1116000.0),
        ({}, None),
    ],
)
async def test_the_extended_period_is_the_devices_wish_or_the_networks(run: Any, fields: Any, told: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.attach(**fields)
        await network.settle()
        (accept,) = [each for each in phone.got if each.type is _T.ATTACH_ACCEPT]
        assert accept.get("t3412_extended") == told


async def test_a_device_without_periodic_updates_is_waited_for_without_end(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.attach(t3412_extended=math.inf)
        await network.settle()
        phone.idle()
        await network.sleep(40_000_000)
        assert network.session()["state"] == "idle"


# -- authentication


async def test_a_device_that_is_out_of_range_twice_is_rejected(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.replies[_T.AUTHENTICATION_REQUEST] = lambda self, _: self.send(
            Message(
                _T.AUTHENTICATION_FAILURE,
                emm_cause=EmmCause.SYNCH_FAILURE,
                authentication_failure_parameter=b"a" * 14,
            )
        )
        phone.attach()
        await network.settle()
        assert network.hss.names() == ["authentication-information"] * 2
        assert phone.types()[-1] is _T.AUTHENTICATION_REJECT


async def test_a_device_that_proves_nothing_and_says_not_who_it_is_is_rejected(run: Any) -> None:
    async with run(security={"authenticate": "every-attach"}) as network:
        phone = await network.attached_idle()
        phone.replies[_T.AUTHENTICATION_REQUEST] = lambda self, _: self.send(
            Message(_T.AUTHENTICATION_RESPONSE, res=bytes(8))
        )
        phone.replies[_T.IDENTITY_REQUEST] = _nameless
        phone.attach()
        await network.settle()
        assert network.hss.names() == ["authentication-information"]
        assert phone.types()[-1] is _T.AUTHENTICATION_REJECT


@pytest.mark.parametrize("lacking", ["RAND", "XRES", "AUTN", "KASME"])
async def test_half_a_vector_is_none(run: Any, lacking: str) -> None:
    async with run() as network:
        vector = {"RAND": RAND, "XRES": RES, "AUTN": AUTN, "KASME": bytes(32)}
        del vector[lacking]
        given = [("Authentication-Info", [("E-UTRAN-Vector", list(vector.items()))])]
        network.hss.answers["authentication-information"] = given
        network.phone().attach()
        await network.settle()
        assert network.reject()["emm_cause"] is EmmCause.NETWORK_FAILURE


async def test_the_second_answer_in_one_moment_is_one_that_nothing_waits_for(run: Any) -> None:
    async with run() as network:
        phone = network.phone(replies={_T.AUTHENTICATION_REQUEST: None})
        phone.attach()
        await network.settle()
        core = network.mme.core
        (enb,) = [each for each in core.enbs.values() if each.identity == 1]
        ids = {"mme_ue_s1ap_id": phone.mme_id, "enb_ue_s1ap_id": phone.enb_id}
        pdu = encode(Message(_T.AUTHENTICATION_RESPONSE, res=RES))
        cell = Ecgi(PLMN, 1 << 8 | 1)
        uplink = s1ap.Message("uplink-nas-transport", {**ids, "nas_pdu": pdu, "eutran_cgi": cell, "tai": TAI})
        for _ in range(2):
            receive(core, enb, s1ap.encode(uplink), 1)
        await network.settle()
        assert network.session() is not None
        assert any("AUTHENTICATION_RESPONSE that nothing waits for" in each for each in network.peer_faults())


async def test_a_device_that_is_silent_before_it_is_known_is_let_go(run: Any) -> None:
    async with run() as network:
        known = await network.attached_idle()
        phone = network.phone(replies={_T.IDENTITY_REQUEST: None})
        phone.attach(eps_mobile_identity=MobileIdentity(IdentityType.GUTI, replace(known.guti, m_tmsi=7)))
        await network.sleep(60)
        assert phone.types() == [_T.IDENTITY_REQUEST] * 5
        assert phone.released
        assert network.mme.core.connections == {}


# -- what is served although a decider is silent, where a control is switched so


async def test_a_card_without_its_areas_is_served_where_that_control_is_off(run: Any) -> None:
    async with run({"area.data": "always-admit"}) as network:

        def away(_imsi: str) -> Any:
            raise StoreUnavailableError("database", "down")

        network.mme.core.areas.get = away
        phone = await network.attached()
        phone.up("uplink-nas-transport", nas_pdu=b"\x07", eutran_cgi=Ecgi(PLMN, 1 << 8 | 2), tai=TAI)
        await network.settle()
        assert network.session()["cell"] == "001-01-0000102"


async def test_who_is_known_is_served_on_where_the_control_of_the_hss_is_off(run: Any) -> None:
    async with run({"mme.hss": "always-admit"}, equipment={"at_tracking_area_update": True}) as network:
        phone = await network.attached_idle()
        network.hss.silent = True
        phone.imeisv = "8612340000000001"
        phone.update()
        await network.sleep(60)
        assert phone.types()[-1] is _T.TRACKING_AREA_UPDATE_ACCEPT
        assert network.session() is not None
        stranger = network.phone(imsi=OTHER, enb_id=40)
        stranger.attach()
        await network.sleep(60)
        assert network.reject(OTHER)["emm_cause"] is EmmCause.NETWORK_FAILURE


async def test_provisioning_changes_an_area_where_the_control_of_that_is_off(run: Any) -> None:
    async with run({"area.held": "always-admit"}) as network:
        keys = dict.fromkeys(("name", "iccid", "msisdn", "k", "opc", "profile", "form"), "")
        for cell in ("001-01-0000101", "001-01-0000201"):
            body = {**keys, "imsi": IMSI, "sections": {"area": [{"cells": [cell]}]}}
            told = await network.mme.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", body)
            assert told["area"]["cells"] == [cell]


# -- the HSS


async def test_a_reset_for_other_cards_leaves_a_card_where_it_is(run: Any) -> None:
    async with run() as network:
        await network.attached_idle()
        ue = network.mme.core.by_imsi[IMSI]
        await network.hss.order("Reset-Request", [("User-Id", "0019")])
        assert ue.located
        await network.hss.order("Reset-Request", [("User-Id", "0019"), ("User-Id", "00101")])
        assert not ue.located


async def test_the_hss_hears_of_no_purge_of_a_card_that_it_has_forgotten(run: Any) -> None:
    async with run(timers={"purge": 60}) as network:
        await network.attached_idle()
        await network.hss.order("Reset-Request", [])
        await network.mme.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}")
        await network.sleep(100)
        assert network.mme.core.by_imsi == {}
        assert "purge-ue" not in network.hss.names()


async def test_a_cancelled_card_takes_no_verdict_on_another_with_it(run: Any) -> None:
    async with run(equipment={"verdict_lifetime": 600}) as network:
        await network.attached()
        other = network.phone(imsi=OTHER, enb_id=40)
        other.attach()
        await network.settle()
        await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), ("Cancellation-Type", 2)])
        assert [imsi for imsi, _ in network.mme.core.verdicts] == [OTHER]


async def test_a_device_that_is_detached_is_told_so_to_the_hss(run: Any) -> None:
    async with run() as network:
        await network.attached_idle()
        network.mme.core.end_session(network.mme.core.by_imsi[IMSI])
        avps = [("User-Name", IMSI), ("IDR-Flags", int(IdrFlags.EPS_USER_STATE)), ("Subscription-Data", [])]
        answer = await network.hss.order("Insert-Subscriber-Data-Request", avps)
        assert answer.find("EPS-User-State", "MME-User-State", "User-State") == 0


async def test_a_changed_rate_of_an_idle_device_goes_to_no_base_station(run: Any) -> None:
    async with run() as network:
        await network.attached_idle()
        before = len(network.enb.seen)
        ambr = [("Max-Requested-Bandwidth-UL", 1000), ("Max-Requested-Bandwidth-DL", 1000)]
        avps = [("User-Name", IMSI), ("Subscription-Data", [("AMBR", ambr)])]
        assert (await network.hss.order("Insert-Subscriber-Data-Request", avps)).success
        await network.settle()
        assert "ue-context-modification-request" not in network.enb.names()[before:]


async def test_an_emergency_call_has_no_subscription_that_an_order_could_change(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.attach(eps_attach_type=EMERGENCY)
        await network.settle()
        avps = [("User-Name", IMSI), ("Subscription-Data", [("Subscriber-Status", 1)])]
        assert (await network.hss.order("Insert-Subscriber-Data-Request", avps)).success
        assert network.session()["emergency"]


def test_zones_are_no_matter_of_an_mme_without_that_feature() -> None:
    data = [("Regional-Subscription-Zone-Code", b"\x00\x07")]
    assert merge_subscription(None, data, Feature.ODB_ALL_APN).zones == frozenset()
    assert merge_subscription(None, data, Feature.REG_SUB).zones == {"0007"}


@pytest.mark.parametrize(
    ("error", "relay", "host", "told"),
    [
        (True, True, "dra.example", "dra.example, which relays to the HSS,"),
        (False, True, "dra.example", "the HSS"),
        (True, False, "dra.example", "the HSS"),
        (True, True, "hss.example", "the HSS"),
        (True, None, "dra.example", "the HSS"),
    ],
)
def test_whose_word_an_answer_is(error: bool, relay: bool | None, host: str, told: str) -> None:  # noqa: FBT001
    agent = None if relay is None else SimpleNamespace(relay=relay, host="dra.example")
    asker: Any = SimpleNamespace(node=SimpleNamespace(peer_of=lambda _: agent), config=SimpleNamespace(hss="dra"))
    answer: Any = SimpleNamespace(error=error, get=lambda _: host)
    assert Home.who_answered(asker, answer) == told


def test_the_servers_of_cards_are_forgotten_in_the_order_of_their_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "MOST_SERVERS", 2)
    asker: Any = SimpleNamespace(_servers={})
    for imsi in ("1", "2"):
        Home._learn(asker, imsi, "hss1")
    assert asker._servers == {"1": "hss1", "2": "hss1"}
    Home._learn(asker, "3", "hss2")
    assert asker._servers == {"2": "hss1", "3": "hss2"}


async def test_an_mme_has_the_names_that_its_configuration_gives(run: Any) -> None:
    names = {"origin_host": "mme7.core.example.net", "realm": "core.example.net", "hss_realm": "home.example.net"}
    async with run(
        **names, sms={"centres": {"smsc.example.org": "+8613800100500", "smsc": "+8613800100501"}}
    ) as network:
        made = network.mme.core.home.node.make("Notify-Request", [], realm="home.example.net")
        assert (made.get("Origin-Host"), made.get("Origin-Realm")) == (names["origin_host"], names["realm"])
        assert set(network.mme.core.home.centres) == {"smsc.example.org", "smsc.core.example.net"}


# -- eNBs


@pytest.mark.parametrize(
    ("octets", "address"),
    [
        ("c0000208", "192.0.2.8"),
        ("20010db8000000000000000000000001", "2001:db8::1"),
        ("c000020820010db8000000000000000000000001", "192.0.2.8"),
    ],
)
def test_an_address_of_both_versions_counts_by_its_first(octets: str, address: str) -> None:
    assert s1.enb_end(9, bytes.fromhex(octets)).address == address


async def test_an_enb_that_is_gone_is_not_told_of_as_silent(run: Any) -> None:
    async with run() as network:
        approval = {"approver": "Li Wei", "reason": "meter moved", "form": "F-21"}
        await network.mme.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}/area", {"cells": ["001-01-0000101"], **approval})
        await network.attached()
        network.enb.link.close()
        await network.sleep(60)
        assert network.observed("location_reports") == []


async def test_an_active_update_of_a_device_that_has_its_bearers_sets_up_none(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        before = network.enb.names().count("initial-context-setup-request")
        phone.send(
            Message(
                _T.TRACKING_AREA_UPDATE_REQUEST,
                eps_update_type=8,
                nas_key_set_identifier=phone.security.ksi,
                old_guti=phone.guti,
            )
        )
        await network.settle()
        assert _T.TRACKING_AREA_UPDATE_ACCEPT in phone.types()
        assert network.enb.names().count("initial-context-setup-request") == before
        assert network.session()["state"] == "connected"
        assert phone.released == []


async def test_a_device_that_detaches_for_messages_only_stays_attached(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.send(
            Message(
                _T.DETACH_REQUEST,
                detach_type=2,
                nas_key_set_identifier=phone.security.ksi,
                eps_mobile_identity=MobileIdentity(IdentityType.GUTI, phone.guti),
            )
        )
        await network.settle()
        assert phone.types()[-1] is _T.DETACH_ACCEPT
        assert network.session()["state"] == "connected"
        assert phone.released == []


@pytest.mark.parametrize(
    ("name", "state"), [("ue-context-release-request", "idle"), ("location-report-failure-indication", "connected")]
)
async def test_an_enb_that_does_not_say_why(run: Any, name: str, state: str) -> None:
    async with run() as network:
        phone = await network.attached()
        ids = {"mme_ue_s1ap_id": phone.mme_id, "enb_ue_s1ap_id": phone.enb_id}
        network.enb.link.send(without(name, "cause", **ids, cause=CauseRadioNetwork.USER_INACTIVITY))
        await network.settle()
        assert network.session()["state"] == state
