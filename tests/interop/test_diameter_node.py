"""An EIR of ours on a real socket and the real clock, asked by the node of python-diameter."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from diameter.message import constants as names
from diameter.message.avp.grouped import TerminalInformation
from diameter.message.commands import MeIdentityCheckRequest
from diameter.node import Node
from diameter.node.application import SimpleThreadingApplication
from waiting import LONG

from simulators.eir.config import EirConfig
from simulators.eir.element import Eir
from simwarden.model.identity import Plmn
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings, Placement
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.dissect import dissect
from simwarden.trace.events import Fault, Frame, PeerFault
from simwarden.trace.trace import Trace

REALM = Plmn.parse("001-01").realm
pytestmark = pytest.mark.interop


class Client:
    """python-diameter's node with an S13 application, in threads of its own."""

    def __init__(self, port: int) -> None:
        self.node = Node(f"client.{REALM}", REALM, vendor_ids=[10415])
        self.node.wakeup_interval = 1
        peer = self.node.add_peer(f"aaa://eir.{REALM}:{port}", REALM, ip_addresses=["127.0.0.1"], is_persistent=True)
        self.app = SimpleThreadingApplication(names.APP_3GPP_S13_S13, is_auth_application=True)
        self.node.add_application(self.app, [peer])

    def ask(self, imei: str) -> Any:
        message = MeIdentityCheckRequest()
        message.header.application_id = names.APP_3GPP_S13_S13
        message.header.is_proxyable = True
        message.session_id = self.node.session_generator.next_id()
        message.auth_session_state = 1
        message.origin_host = self.node.origin_host.encode()
        message.origin_realm = message.destination_realm = REALM.encode()
        message.terminal_information = TerminalInformation(imei=imei)
        message.user_name = "001010000000017"
        return self.app.send_request(message, timeout=LONG)

    def talk(self) -> list[Any]:
        self.node.start()
        try:
            self.app.wait_for_ready(LONG)
            return [self.ask(imei) for imei in ("99000201000001", "99000101000001", "1234")]
        finally:
            self.node.stop(wait_timeout=2)


def test_an_independent_node_asks_the_eir() -> None:
    loop = TestbedLoop(virtual=False)
    clock = Clock(loop)
    settings = HostSettings(transport="tcp", placements={"eir": Placement(listen={"S13": ("127.0.0.1", 0)})})
    host = Host(loop, clock, Trace(clock.now), settings)
    peers: dict[str, Any] = {f"client.{REALM}": {}}
    host.add("eir", Eir, EirConfig.model_validate({"peers": peers, "prohibited": ["phone"]}))
    loop.run_until_complete(host.start_all())
    port = host.transport.address_of("eir", "S13")[1]
    serving = threading.Thread(target=loop.run_forever)
    serving.start()
    try:
        phone, module, bad = Client(port).talk()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        serving.join()
        loop.run_until_complete(host.close())
        loop.close()
    assert (phone.result_code, phone.equipment_status) == (2001, 1)
    assert (module.result_code, module.equipment_status) == (2001, 0)
    assert bad.result_code == 5004
    assert [e.reason for e in host.trace.events if isinstance(e, Fault)] == []
    assert [e.reason for e in host.trace.events if isinstance(e, PeerFault)] == [
        "IMEI must be 14 or 15 or 16 digits, not '1234'"
    ]
    seen = [dissect(e).name for e in host.trace.events if isinstance(e, Frame)]
    assert seen[:2] == ["capabilities-exchange-request", "capabilities-exchange-answer"]
    assert seen.count("me-identity-check-answer") == 3
