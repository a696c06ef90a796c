"""Open5GS' SMF 2.8.0 at our OCS and our PCRF: the requests of a real run; the program itself does not run here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from charging import REALM
from credit_net import GROUPS, ScriptedClient, card
from pcrf_net import FORM, MSISDN
from pcrf_net import Pgw as GxClient
from recorded import body_of, recorded, request_of

from simulators.ocs.element import Ocs
from simulators.pcrf.element import Pcrf
from simwarden.testing import Bench
from simwarden.testing.diameter import IMSI
from simwarden.wire.diameter import check_request, decode, first
from simwarden.wire.diameter.dictionary import BY_POINT

if TYPE_CHECKING:
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Message

RECORDED = recorded("open5gs_smf_2_8_0")
HOST = f"smf.{REALM}"
QUOTA, GIVEN = 20_000, 4_000
LIST = ["udp://10.45.0.1:5683"]


class GySmf(ScriptedClient):
    """Open5GS' SMF on Gy."""

    async def hear(self, asked: Message, peer: Peer) -> Message:
        """Answer a Re-Auth-Request with its octets."""
        answer = await super().hear(asked, peer)
        answer.body = body_of(RECORDED["gy-raa"], asked.get("Session-Id"))
        return answer

    async def replay(self, name: str) -> Message:
        """Send a recorded request; return the answer."""
        return await self.node.ask("ocs", request_of(RECORDED[name]))


class GxSmf(GxClient):
    """Open5GS' SMF on Gx, which gives its Origin-State-Id in the CER only."""

    state_id = 7

    async def take(self, message: Message, peer: Peer) -> Message | None:
        """Answer a Re-Auth-Request with its octets."""
        answer = await super().take(message, peer)
        assert answer is not None
        answer.body = body_of(RECORDED["gx-raa"], message.get("Session-Id"))
        return answer

    async def replay(self, name: str) -> Message:
        """Send a recorded request; return the answer."""
        return await self.node.ask("pcrf", request_of(RECORDED[name]))


class OcsNet(Bench):
    """Our OCS and the SMF."""

    subject = "ocs"

    def __init__(self) -> None:
        super().__init__()
        self.ocs = self.add("ocs", Ocs, {"peers": {"smf": {}}, "octets": GIVEN})
        self.smf = self.add("smf", GySmf)

    async def provision(self) -> None:
        """Provision the card with its quota."""
        await self.call("PUT", f"/cards/{IMSI}", card({"data": QUOTA}, IMSI, MSISDN))

    async def used(self) -> int:
        """Return the octets that the card has used."""
        return int((await self.call("GET", f"/cards/{IMSI}"))["used"]["data"])


class PcrfNet(Bench):
    """Our PCRF and the SMF."""

    subject = "pcrf"

    def __init__(self) -> None:
        super().__init__()
        self.pcrf = self.add("pcrf", Pcrf, {"peers": {"smf": {}}})
        self.smf = self.add("smf", GxSmf)

    async def provision(self) -> None:
        """Provision the card with its list."""
        sections = {"data": [{"by": "pcrf", "whitelist": LIST}]}
        await self.call("PUT", f"/cards/{IMSI}", card(None, IMSI, MSISDN, sections=sections))


@pytest.mark.parametrize("name", RECORDED)
def test_its_messages_are_in_the_grammar(name: str) -> None:
    message = decode(RECORDED[name])
    assert message.unsupported == []
    if message.request and name != "cer":
        check_request(message, [BY_POINT["Gx" if name.startswith("gx") else "Gy"]])


async def test_its_session_is_charged_to_the_last_octet_of_the_quota() -> None:
    async with OcsNet() as net:
        await net.provision()
        requests = ["gy-initial", *(f"gy-update-{number}" for number in range(1, 5))]
        answers = [await net.smf.replay(each) for each in requests]
        groups: list[Any] = [group for answer in answers for group in answer.all(GROUPS)]
        assert [answer.result_code for answer in answers] == [2001] * 5
        assert [first(first(each, "Granted-Service-Unit"), "CC-Total-Octets") for each in groups] == [GIVEN] * 5
        assert {first(each, "Rating-Group") for each in groups} == {None}
        assert [first(each, "Final-Unit-Indication") is not None for each in groups] == [False] * 4 + [True]
        assert (await net.smf.replay("gy-terminate")).result_code == 2001
        assert await net.used() == QUOTA
        assert await net.call("GET", "/sessions") == []
        assert (await net.smf.replay("gy-initial-again")).result_code == 4012


async def test_a_changed_quota_waits_for_its_next_report() -> None:
    """It answers a Re-Auth-Request with 2001 and sends no CCR, so that what was granted stays granted."""
    async with OcsNet() as net:
        await net.provision()
        await net.smf.replay("gy-initial")
        await net.call("PUT", f"/cards/{IMSI}/quota", {"by": "ocs", "data": GIVEN, **FORM})
        await net.settle()
        assert [each.name for each in net.smf.heard] == ["re-auth-request"]
        answer = await net.smf.replay("gy-update-1")
        (group,) = answer.all(GROUPS)
        assert (first(group, "Result-Code"), first(group, "Granted-Service-Unit")) == (4012, None)
        assert await net.used() == GIVEN


async def test_its_session_gets_the_qos_that_it_reads() -> None:
    """It takes QCI 0 of an answer without Default-EPS-Bearer-QoS, and of a rule without QoS-Information."""
    async with PcrfNet() as net:
        await net.provision()
        begun = await net.smf.replay("gx-initial")
        assert begun.result_code == 2001
        assert begun.get("CC-Request-Type") == 1
        assert begun.find("Default-EPS-Bearer-QoS", "QoS-Class-Identifier") == 9
        assert begun.find("QoS-Information", "APN-Aggregate-Max-Bitrate-DL") == 10_000_000
        ((_, rule),) = begun.get("Charging-Rule-Install")
        quality = first(rule, "QoS-Information")
        assert first(quality, "QoS-Class-Identifier") == 9
        assert first(first(quality, "Allocation-Retention-Priority"), "Priority-Level") == 8
        assert (await net.smf.replay("gx-terminate")).result_code == 2001
        assert await net.call("GET", "/sessions") == []


async def test_its_answer_confirms_a_changed_list() -> None:
    async with PcrfNet() as net:
        await net.provision()
        await net.smf.replay("gx-initial")
        await net.call("PUT", f"/cards/{IMSI}/data", {"by": "pcrf", "whitelist": ["10.45.0.9"], **FORM})
        await net.settle()
        assert [each.name for each in net.smf.heard] == ["re-auth-request"]
        (session,) = await net.call("GET", "/sessions")
        assert (session["pgw"], session["rules"], session["pending"]) == (HOST, ["10.45.0.9"], False)


async def test_its_session_ends_when_it_is_restarted() -> None:
    async with PcrfNet() as net:
        await net.provision()
        await net.smf.replay("gx-initial")
        for state, sessions in ((7, 1), (8, 0)):
            await net.host.stop("smf", kill=True)
            net.smf.state_id = state
            await net.host.start("smf")
            await net.settle()
            assert len(await net.call("GET", "/sessions")) == sessions
