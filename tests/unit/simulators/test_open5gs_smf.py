"""Open5GS' SMF at our OCS and our PCRF: its requests octet for octet; the program itself does not run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import open5gs_smf as smf
from credit_net import GROUPS, ScriptedClient, card
from pcrf_net import MSISDN, Pgw
from pcrf_net import Network as PcrfNet

from simulators.ocs.element import Ocs
from simwarden.testing import Bench
from simwarden.wire.diameter import Message, check_request, decode, first
from simwarden.wire.diameter.codec import HEADER_LENGTH
from simwarden.wire.diameter.dictionary import BY_POINT

if TYPE_CHECKING:
    from simwarden.runtime.diameter import DiameterNode

QUOTA, GIVEN = 10_000, 4_000


async def ask(node: DiameterNode, to: str, octets: bytes) -> Message:
    """Send a request as its octets are."""
    request = decode(octets)
    assert request.unsupported == []
    request.body = octets[HEADER_LENGTH:]
    request.hop_by_hop = request.end_to_end = 0  # the node gives each its own
    return await node.ask(to, request)


def host_of(node: DiameterNode) -> str:
    return str(node.local.host)


class OcsNet(Bench):
    """Our OCS and a client."""

    subject = "ocs"

    def __init__(self) -> None:
        super().__init__()
        self.ocs = self.add("ocs", Ocs, {"peers": {"smf": {}}, "octets": GIVEN})
        self.smf = self.add("smf", ScriptedClient)


def test_its_requests_are_in_the_grammar() -> None:
    for kind in (smf.INITIAL, smf.UPDATE, smf.TERMINATION):
        check_request(decode(smf.gy_request("smf.example", kind, kind)), [BY_POINT["Gy"]])
        check_request(decode(smf.gx_request("smf.example", kind, kind)), [BY_POINT["Gx"]])


async def test_its_session_gets_octets_and_is_charged_what_it_reports() -> None:
    async with OcsNet() as net:
        await net.call("PUT", f"/cards/{smf.IMSI}", card({"data": QUOTA}, smf.IMSI, smf.MSISDN[2:]))
        host = host_of(net.smf.node)
        begun = await ask(net.smf.node, "ocs", smf.gy_request(host, smf.INITIAL, 0))
        assert begun.result_code == 2001
        (group,) = begun.all(GROUPS)
        assert first(first(group, "Granted-Service-Unit"), "CC-Total-Octets") == GIVEN
        assert first(group, "Rating-Group") is None
        more = await ask(net.smf.node, "ocs", smf.gy_request(host, smf.UPDATE, 1, (60, 1500, 2500)))
        assert more.result_code == 2001
        ended = await ask(net.smf.node, "ocs", smf.gy_request(host, smf.TERMINATION, 2, (5, 100, 200)))
        assert ended.result_code == 2001
        used = (await net.call("GET", f"/cards/{smf.IMSI}"))["used"]["data"]
        assert used == 1500 + 2500 + 100 + 200


async def test_its_session_gets_the_qos_that_it_reads() -> None:
    """It takes QCI 0 of an answer without Default-EPS-Bearer-QoS, and of a rule without QoS-Information."""
    async with PcrfNet() as net:
        await net.provision(smf.IMSI, MSISDN, by="pcrf", whitelist=["udp://192.0.2.10:5683"])
        host = host_of(net.pgw.node)
        begun = await ask(net.pgw.node, "pcrf", smf.gx_request(host, smf.INITIAL, 0))
        assert begun.result_code == 2001
        assert begun.get("CC-Request-Type") == smf.INITIAL
        assert begun.find("Default-EPS-Bearer-QoS", "QoS-Class-Identifier") == 9
        assert begun.find("QoS-Information", "APN-Aggregate-Max-Bitrate-DL") == 150_000_000
        ((_, rule),) = begun.get("Charging-Rule-Install")
        quality = first(rule, "QoS-Information")
        assert first(quality, "QoS-Class-Identifier") == 9
        assert first(first(quality, "Allocation-Retention-Priority"), "Priority-Level") == 8
        ended = await ask(net.pgw.node, "pcrf", smf.gx_request(host, smf.TERMINATION, 1))
        assert ended.result_code == 2001
        assert await net.call("GET", "/sessions") == []
    assert isinstance(net.pgw, Pgw)
