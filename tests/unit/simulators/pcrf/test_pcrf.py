"""A PCRF and a scripted PGW: which rules a session gets, what a change tells, and what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from pcrf_net import ALL, FORM, INITIAL, TERMINATION, UPDATE, Network, removed, reported, rules

from simwarden.errors import ManagementError
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.operations.management import Role
from simwarden.runtime.store import StoreUnavailableError
from simwarden.testing.diameter import IMSI
from simwarden.wire.diameter import ExperimentalResult
from simwarden.wire.diameter.codes import GxFeature
from simwarden.wire.diameter.features import features_of
from simwarden.wire.diameter.location import encode_location
from simwarden.wire.diameter.message import FLAG_RETRANSMITTED

SERVER, OTHER = "192.0.2.10:443", "udp://[2001:db8::10]:5683"
DESCRIBED = {SERVER: "permit out ip from 192.0.2.10/32 443 to assigned"}
UPLOAD = "https://upload.example.net"
CLOUD = ["a.example.net:443", "b.example.net:443"]
SETTINGS: dict[str, Any] = {"applications": {"upload": [UPLOAD], "cloud": CLOUD}}
IN_FORCE = {SERVER: ([DESCRIBED[SERVER]], 2)}


# -- which rules a session gets


async def test_a_card_without_lists_gets_the_rule_for_all_and_one_with_them_its_own() -> None:
    async with Network() as net:
        await net.provision()
        assert rules(await net.pgw.ask(INITIAL, 0)) == {"all flows": (["permit out ip from any to assigned"], 2)}
        await net.provision(
            "001010000000002", "1440000000002", by="pcrf", whitelist=[SERVER, OTHER], blacklist=["192.0.2.99"]
        )
        answer = await net.pgw.ask(INITIAL, 0, "b", imsi="001010000000002")
        assert rules(answer) == {
            "not 192.0.2.99": (["permit out ip from 192.0.2.99/32 to assigned"], 3),
            **IN_FORCE,
            OTHER: (["permit out 17 from 2001:db8::10/128 5683 to assigned"], 2),
        }
        (first, second, third) = (dict(value) for key, value in answer.get("Charging-Rule-Install") if key)
        assert first["Precedence"] < second["Precedence"] < third["Precedence"]
        assert (second["Rating-Group"], second.get("Online"), second["Metering-Method"]) == (1, None, 1)
        assert answer.all("Event-Trigger") == [13, 2, 25]
        assert features_of(answer, GxFeature) == ALL
    assert net.verdicts("data.whitelist") == [True, False]


async def test_a_card_that_nobody_provisioned_and_a_session_of_nobody_are_refused() -> None:
    async with Network() as net:
        unknown = await net.pgw.ask(INITIAL, 0)
        nobodys = await net.pgw.ask(INITIAL, 0, "b", imsi="")
        assert (unknown.result_code, unknown.all("Charging-Rule-Install")) == (5030, [])
        assert nobodys.experimental_result == ExperimentalResult.DIAMETER_ERROR_INITIAL_PARAMETERS
        assert await net.call("GET", "/sessions") == []
    assert net.verdicts("pcrf.subscriber") == [False]


async def test_a_name_goes_as_an_application_to_a_pgw_that_knows_them() -> None:
    async with Network(SETTINGS) as net:
        await net.provision(by="pcrf", whitelist=[UPLOAD, SERVER], blacklist=CLOUD)
        answer = await net.pgw.ask(INITIAL, 0)
        assert rules(answer) == {"not cloud": ("cloud", 3), "upload": ("upload", 2), **IN_FORCE}
        assert (await net.call("GET", "/sessions"))[0]["not_in_force"] == []


@pytest.mark.parametrize("features", [None, GxFeature(0x0B)])
async def test_without_adc_it_is_a_predefined_rule_or_not_in_force_and_the_operator_is_told(
    features: GxFeature | None,
) -> None:
    async with Network({**SETTINGS, "predefined": ["upload", "cloud"]}) as net:
        await net.provision(
            by="pcrf", whitelist=[UPLOAD, "www.example.net:80"], blacklist=["a.example.net:443", "b.example.net:443"]
        )
        answer = await net.pgw.ask(INITIAL, 0, features=features)
        assert rules(answer) == {"upload": "predefined"}
        assert (answer.get("Supported-Features") is None) == (features is None)
        (session,) = await net.call("GET", "/sessions")
        assert session["rules"] == ["upload"]
        assert session["not_in_force"] == ["not a.example.net:443", "not b.example.net:443", "www.example.net:80"]
    assert any("not in force" in each for each in net.notes())


EVERYTHING: dict[str, Any] = {"all flows": (["permit out ip from any to assigned"], 2)}


@pytest.mark.parametrize(
    ("features", "told", "lacking"),
    [
        (ALL, {f"not {each}@meter": (f"{each}@meter", 3) for each in ("social", "games")} | EVERYTHING, []),
        (None, {"not social@meter": "predefined"}, ["all flows", "not games@meter"]),
    ],
)
async def test_kinds_of_apps_go_as_applications_that_are_closed(
    features: GxFeature | None, told: dict[str, Any], lacking: list[str]
) -> None:
    async with Network({"predefined": ["not social@meter"]}) as net:
        await net.provision(by="pcrf", apps=["social", "games"])
        answer = await net.pgw.ask(INITIAL, 0, features=features)
        assert rules(answer) == told
        assert (await net.call("GET", "/sessions"))[0]["not_in_force"] == lacking


async def test_a_card_for_another_use_is_spared_what_that_needs() -> None:
    async with Network() as net:
        await net.provision(by="pcrf", apps=["shopping"])
        assert "not shopping@meter" in rules(await net.pgw.ask(INITIAL, 0))
        await net.provision(by="pcrf", apps=["shopping"], profile="payment-terminal")
        (order,) = net.pgw.heard
        assert removed(order) == ["not shopping@meter"]
        assert "not shopping@payment-terminal" in rules(order)


async def test_a_predefined_rule_may_close_an_application() -> None:
    async with Network({**SETTINGS, "predefined": ["not cloud"]}) as net:
        await net.provision(by="pcrf", blacklist=CLOUD)
        answer = await net.pgw.ask(INITIAL, 0, features=None)
        assert rules(answer)["not cloud"] == "predefined"


async def test_an_application_that_stands_for_more_than_the_list_has_opens_nothing() -> None:
    async with Network(SETTINGS) as net:
        await net.provision(by="pcrf", whitelist=["a.example.net:443"])
        assert rules(await net.pgw.ask(INITIAL, 0)) == {}
        assert (await net.call("GET", "/sessions"))[0]["not_in_force"] == ["a.example.net:443"]


async def test_an_empty_whitelist_opens_nothing() -> None:
    async with Network() as net:
        await net.provision(by="pcrf", whitelist=[])
        answer = await net.pgw.ask(INITIAL, 0)
        assert answer.success
        assert rules(answer) == {}


# -- repeated and strange requests


async def test_a_request_that_comes_again_gets_its_answer_again_and_counts_once() -> None:
    use = ("Usage-Monitoring-Information", [("Used-Service-Unit", [("CC-Total-Octets", 700)])])
    async with Network() as net:
        await net.provision(by="pcrf", whitelist=[SERVER])
        first = await net.pgw.ask(INITIAL, 0)
        again = net.pgw.ccr(INITIAL, 0)
        again.flags |= FLAG_RETRANSMITTED
        assert (await net.pgw.node.ask("pcrf", again)).avps == first.avps
        for _ in range(3):
            assert (await net.pgw.ask(UPDATE, 1, "a", use)).success
        assert (await net.call("GET", "/sessions"))[0]["used"] == 700
        ended = [await net.pgw.ask(TERMINATION, 2, "a", use) for _ in range(2)]
        assert [each.result_code for each in ended] == [2001, 2001]
        assert await net.call("GET", "/sessions") == []
        assert (await net.pgw.ask(UPDATE, 3)).result_code == 5002
    assert net.observed("session")[-2]["used"] == 1400
    assert len(net.decisions("data.whitelist")) == 1


async def test_a_session_that_is_ended_before_it_begins_does_not_begin() -> None:
    """Its first CCR was overtaken by the last one: a PGW that has given it up asks no more."""
    async with Network() as net:
        await net.provision(by="pcrf", whitelist=[SERVER])
        assert (await net.pgw.ask(TERMINATION, 1)).result_code == 5002
        assert (await net.pgw.ask(INITIAL, 0)).result_code == 5002
        assert await net.call("GET", "/sessions") == []
        await net.host.stop("pcrf", kill=True)
        await net.host.start("pcrf")
        await net.sleep(60)
        assert (await net.pgw.ask(INITIAL, 0)).result_code == 5002
        await net.sleep(700)
        await net.pgw.ask(INITIAL, 0, "b")
        assert (await net.pgw.ask(TERMINATION, 1, "b")).success
        assert (await net.pgw.ask(INITIAL, 0)).success  # another one, after all that time


async def test_strange_requests_change_nothing() -> None:
    async with Network({"peers": {"pgw": {}, "other": {}}}) as net:
        other = net.add("other", type(net.pgw))
        await net.host.start("other")
        await net.provision(by="pcrf", whitelist=[SERVER])
        assert (await net.pgw.ask(UPDATE, 1)).result_code == 5002
        assert (await net.pgw.ask(TERMINATION, 1, "nobody's")).result_code == 5002
        assert (await net.pgw.ask(INITIAL, 3)).success
        assert (await net.pgw.ask(UPDATE, 2)).result_code == 5004
        assert (await net.pgw.ask(INITIAL, 4)).result_code == 5004
        assert (await net.pgw.ask(4, 4)).result_code == 5004
        assert (await other.ask(TERMINATION, 4)).result_code == 5002
        assert len(await net.call("GET", "/sessions")) == 1


async def test_a_report_tells_where_the_device_is_and_one_that_cannot_be_read_is_refused() -> None:
    tai, cell = Tai(Plmn("001", "01"), 7), Ecgi(Plmn("001", "01"), 0x101)
    place = ("3GPP-User-Location-Info", encode_location(tai, cell))
    async with Network() as net:
        await net.provision()
        await net.pgw.ask(INITIAL, 0, "a", place)
        assert (await net.pgw.ask(UPDATE, 1, "a", ("3GPP-User-Location-Info", b"\x82\0"))).result_code == 5004
        assert (await net.pgw.ask(UPDATE, 2)).success
        (session,) = await net.call("GET", "/sessions")
        assert (session["tai"], session["cell"]) == (str(tai), str(cell))


async def test_use_that_is_more_than_anybodys_is_as_much() -> None:
    async with Network({"usage_report": 1000}) as net:
        await net.provision()
        await net.pgw.ask(INITIAL, 0)
        used = ("Used-Service-Unit", [("CC-Total-Octets", (1 << 64) - 1)])
        for number in (1, 2):
            report = ("Usage-Monitoring-Information", [("Monitoring-Key", b"session"), used])
            assert (await net.pgw.ask(UPDATE, number, "a", report)).success
        (session,) = await net.call("GET", "/sessions")
        assert session["used"] == 1 << 41


async def test_each_session_of_a_card_gets_the_slower_rate_with_its_next_report() -> None:
    rates = ("QoS-Information", [(f"APN-Aggregate-Max-Bitrate-{way}", 64_000) for way in ("UL", "DL")])
    used = ("Used-Service-Unit", [("CC-Total-Octets", 1000)])
    report = ("Usage-Monitoring-Information", [("Monitoring-Key", b"session"), used])
    async with Network({"slower": {"after": 1000, "rate": [8, 8]}}) as net:
        await net.provision()
        answers = [await net.pgw.ask(INITIAL, 0, session, rates) for session in ("a", "b")]
        answers += [await net.pgw.ask(UPDATE, 1, session, report) for session in ("a", "b")]
        answers += [await net.pgw.ask(INITIAL, 0, "c", rates)]
        found = [each.find("QoS-Information", "APN-Aggregate-Max-Bitrate-UL") for each in answers]
        assert found == [64_000, 64_000, 8000, 8000, 8000]
        assert [bool(each.all("Usage-Monitoring-Information")) for each in answers] == [True] * 2 + [False] * 3


# -- changes


async def test_a_changed_list_goes_to_the_sessions_pgw_at_once() -> None:
    async with Network() as net:
        await net.provision(by="pcrf", whitelist=[SERVER, "192.0.2.11:443"])
        await net.pgw.ask(INITIAL, 0)
        told = await net.change(whitelist=[SERVER, "192.0.2.12:443"])
        (order,) = net.pgw.heard
        assert order.get("Session-Id") == "a"
        assert removed(order) == ["192.0.2.11:443"]
        assert set(rules(order)) == {SERVER, "192.0.2.12:443"}
        assert [(each["rules"], each["pending"]) for each in told["sessions"]] == [([SERVER, "192.0.2.12:443"], False)]
        await net.call("DELETE", f"/cards/{IMSI}/data", FORM)
        assert removed(net.pgw.heard[1]) == [SERVER, "192.0.2.12:443"]
        assert set(rules(net.pgw.heard[1])) == {"all flows"}


async def test_a_card_that_is_provisioned_as_it_is_changes_nothing_at_its_pgw() -> None:
    async with Network() as net:
        for _ in range(2):
            await net.provision(by="pcrf", whitelist=[SERVER])
            await net.pgw.ask(INITIAL, 0)
            assert net.observed("list")[-1]["undirected"] is False
        assert net.pgw.heard == []
        await net.call("PUT", f"/cards/{IMSI}/data", {"blacklist": ["192.0.2.99"], **FORM})
        assert net.observed("list")[-1]["undirected"] is True
        assert len(net.pgw.heard) == 1


async def test_a_session_is_that_of_the_imsi_wherever_it_stands() -> None:
    async with Network() as net:
        await net.provision(by="pcrf", whitelist=[SERVER])
        number = ("Subscription-Id", [("Subscription-Id-Type", 0), ("Subscription-Id-Data", "1440000000009")])
        imsi = ("Subscription-Id", [("Subscription-Id-Type", 1), ("Subscription-Id-Data", IMSI)])
        assert rules(await net.pgw.ask(INITIAL, 0, "a", number, imsi, imsi="")) == IN_FORCE


@pytest.mark.parametrize("killed", [False, True])
async def test_a_change_that_cannot_be_kept_as_heard_is_told_again(
    monkeypatch: pytest.MonkeyPatch, *, killed: bool
) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailableError("the disk is full")

    async with Network() as net:
        await net.provision(by="pcrf", whitelist=[SERVER])
        await net.pgw.ask(INITIAL, 0)
        with monkeypatch.context() as patch:
            patch.setattr(net.pcrf.core.store, "keep", fail)
            with pytest.raises(ManagementError, match="the disk is full"):
                await net.change(whitelist=["192.0.2.11:443"])
            if killed:
                await net.host.stop("pcrf", kill=True)
        assert net.pgw.heard == []
        if killed:
            await net.host.start("pcrf")
        await net.sleep(60)
        assert [set(rules(each)) for each in net.pgw.heard] == [{"192.0.2.11:443"}]
        assert (await net.call("GET", "/sessions"))[0]["pending"] is False


async def test_what_a_pgw_cannot_install_is_not_in_force() -> None:
    async with Network() as net:
        await net.provision(by="pcrf", whitelist=[SERVER, OTHER])
        await net.pgw.ask(INITIAL, 0)
        await net.pgw.ask(UPDATE, 1, "a", reported(OTHER, code=12))
        (session,) = await net.call("GET", "/sessions")
        assert (session["rules"], session["not_in_force"]) == ([SERVER], [OTHER])
        net.pgw.answers = [(2001, [reported("192.0.2.11:443", code=5)])]
        told = await net.change(whitelist=[SERVER, "192.0.2.11:443"])
        assert told["sessions"][0]["not_in_force"] == ["192.0.2.11:443"]
        net.pgw.answers = [(5142, [])]
        told = await net.change(whitelist=[SERVER])
        assert (told["sessions"][0]["rules"], told["sessions"][0]["not_in_force"]) == ([], [SERVER])
        await net.pgw.ask(UPDATE, 2, "a", reported(SERVER, code=0, status=0))
        assert (await net.call("GET", "/sessions"))[0]["rules"] == [SERVER]
    assert len(net.pgw.heard) == 2


@pytest.mark.parametrize("result", [None, 4144, 5012, 3002])
async def test_a_pgw_that_does_not_carry_it_out_is_told_again(result: int | None) -> None:
    async with Network() as net:
        await net.provision(by="pcrf", whitelist=[SERVER])
        await net.pgw.ask(INITIAL, 0)
        net.pgw.answers = [(result, []) if result is not None else None] * 2
        told = await net.change(whitelist=["192.0.2.11:443"])
        assert told["sessions"][0]["pending"] is True
        await net.sleep(60)
        assert [removed(each) for each in net.pgw.heard] == [[SERVER]] * 3
        assert (await net.call("GET", "/sessions"))[0]["pending"] is False
        net.pgw.answers = [(result, []) if result is not None else None]
        await net.change(whitelist=[SERVER])
        await net.sleep(12)  # as soon as the first time
        assert (await net.call("GET", "/sessions"))[0]["pending"] is False


async def test_changes_that_cross_end_with_the_last_one() -> None:
    async with Network() as net:
        await net.provision(by="pcrf", whitelist=[SERVER])
        await net.pgw.ask(INITIAL, 0)
        net.pgw.answers = [None]
        await net.change(whitelist=["192.0.2.11:443"])
        await net.change(whitelist=["192.0.2.12:443"])
        await net.sleep(60)
        assert set(rules(net.pgw.heard[-1])) == {"192.0.2.12:443"}
        (session,) = await net.call("GET", "/sessions")
        assert (session["rules"], session["pending"]) == (["192.0.2.12:443"], False)


async def test_a_session_that_the_pgw_does_not_know_is_over() -> None:
    async with Network() as net:
        await net.provision(by="pcrf", whitelist=[SERVER])
        await net.pgw.ask(INITIAL, 0)
        net.pgw.answers = [(5002, [])]
        assert (await net.change(whitelist=[]))["sessions"] == []
        assert (await net.pgw.ask(UPDATE, 1)).result_code == 5002


async def test_sessions_that_a_restarted_pgw_has_lost_are_over_and_no_others() -> None:
    async with Network({"peers": {"pgw": {}, "other": {}}}) as net:
        other = net.add("other", type(net.pgw))
        await net.host.start("other")
        await net.provision()
        for who, name, state in ((net.pgw, "a", 7), (net.pgw, "b", 0), (other, "c", 7)):
            await who.ask(INITIAL, 0, name, ("Origin-State-Id", state))
        await net.host.stop("pgw", kill=True)
        net.pgw.state_id = 7
        await net.host.start("pgw")
        await net.settle()
        assert len(await net.call("GET", "/sessions")) == 3
        await net.host.stop("pgw", kill=True)
        net.pgw.state_id = 8
        await net.host.start("pgw")
        await net.settle()
        assert [each["id"] for each in await net.call("GET", "/sessions")] == ["b", "c"]


# -- what is kept


async def test_a_killed_pcrf_has_its_sessions_and_tells_what_is_pending() -> None:
    async with Network() as net:
        await net.provision(by="pcrf", whitelist=[SERVER])
        first = await net.pgw.ask(INITIAL, 0)
        net.pgw.answers = [None]
        await net.change(whitelist=["192.0.2.11:443"])
        await net.host.stop("pcrf", kill=True)
        await net.host.start("pcrf")
        await net.sleep(60)
        assert set(rules(net.pgw.heard[-1])) == {"192.0.2.11:443"}
        assert (await net.pgw.ask(INITIAL, 0)).avps == first.avps
        assert (await net.pgw.ask(TERMINATION, 1)).success
        assert (await net.call("GET", "/sessions")) == []


async def test_nothing_is_answered_that_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailableError("the disk is full")

    async with Network() as net:
        await net.provision(by="pcrf", whitelist=[SERVER])
        with monkeypatch.context() as patch:
            patch.setattr("simulators.pcrf.store.carry_out", fail)
            answer = await net.pgw.ask(INITIAL, 0)
        assert (answer.result_code, rules(answer)) == (5012, {})
        assert await net.call("GET", "/sessions") == []


async def test_answers_of_sessions_that_are_over_are_kept_for_a_while_only() -> None:
    async with Network() as net:
        await net.provision()
        for each in ("a", "b"):
            await net.pgw.ask(INITIAL, 0, each)
        await net.pgw.ask(TERMINATION, 1, "a")
        await net.sleep(601)
        await net.pgw.ask(TERMINATION, 1, "b")
        store = net.pcrf.core.store
        assert store.answered("a") is None
        assert store.answered("b") is not None


# -- who may change what


async def test_lists_are_limited_and_changed_by_the_operator_alone() -> None:
    many = [f"192.0.2.{each}:443" for each in range(11)]
    async with Network() as net:
        for wide in (many, ["192.0.0.0/16:443"], ["*.com:443"]):
            with pytest.raises(ManagementError) as refusal:
                await net.provision(by="pcrf", whitelist=wide)
            assert refusal.value.status == 403
        await net.provision(by="pcrf", whitelist=many[:10])
        body = {"whitelist": many[:1], **FORM}
        assert await net.refused("PUT", f"/cards/{IMSI}/data", {"whitelist": many[:1]}) == 403
        assert await net.refused("PUT", f"/cards/{IMSI}/data", body, role=Role.CUSTOMER) == 403
        assert await net.refused("PUT", f"/cards/{IMSI}/data", {"whitelist": ["a b"], **FORM}) == 400
        assert await net.refused("PUT", "/cards/001010000000009/data", body) == 404
        with pytest.raises(ManagementError, match="approval record"):
            await net.provision(by="pcrf", whitelist=many[:9])
        with pytest.raises(ManagementError, match="another card"):
            await net.provision("001010000000002")
        await net.change(whitelist=many, exception="E-7")
        await net.change(whitelist=many[:1])
        assert await net.refused("PUT", f"/cards/{IMSI}/data", body) == 429
        told = await net.call("GET", f"/cards/{IMSI}")
        assert told["data"]["whitelist"] == many[:1]
        assert [each["imsi"] for each in await net.call("GET", "/cards")] == [IMSI]
        audit = [each["action"] for each in await net.call("GET", "/audit")]
        assert audit[-3:] == ["list-changed", "list-changed", "change-the-list-refused"]


async def test_a_node_that_is_not_listed_is_turned_away() -> None:
    async with Network({"peers": {"other": {}}}) as net:
        assert net.pgw.node.peers == ()
    assert net.verdicts("pcrf.peer") == [False]


async def test_a_listed_card_is_no_refused_card_to_the_operators_systems() -> None:
    async with Network() as net:
        refused: list[str] = []
        net.pcrf.site.refused = lambda decision: refused.append(decision.control.id)
        await net.provision(by="pcrf", whitelist=[SERVER])
        assert (await net.pgw.ask(INITIAL, 0)).result_code == 2001
        assert (await net.pgw.ask(INITIAL, 0, "b", imsi="001010000000009")).result_code == 5030
        assert refused == ["pcrf.subscriber"]
    assert net.verdicts("data.whitelist") == [False]
