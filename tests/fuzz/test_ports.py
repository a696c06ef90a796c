"""Bad octets and bad manners on open ports of served elements: who behaves is served on, and nothing piles up."""

from __future__ import annotations

import random
import resource
import socket
import struct
import time
from contextlib import ExitStack, closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import budget
import map_client
import pytest
from scripted_ssp import originating
from served import REALM, Client, Served, Where, card, serve
from ssp_sender import SspSender
from vectors import FOLDER, seeds

from simwarden.machine.tcap_events import Ended
from simwarden.model.form import Slot
from simwarden.runtime.transport.framing import Deframer, enclose
from simwarden.wire import cap, cmpp, dtap, mqtt, s1ap, smpp, uu
from simwarden.wire.apdu.control import Control, insertion, is_atr
from simwarden.wire.diameter import ResultCode, request
from simwarden.wire.diameter.dictionary import BY_POINT
from simwarden.wire.m3ua.family import SIGTRAN
from simwarden.wire.map import ErrorCode
from simwarden.wire.nas import IdentityType, MobileIdentity
from simwarden.wire.tcap import ReturnError, ReturnResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: seconds within which somebody who behaves has an answer, whatever others do; also on a machine that is busy
PATIENCE = 20.0
IDLE = 300
#: octets that an element may grow by under all of this together
GROWTH = 64 << 20


class Port(NamedTuple):
    """A port of a served element: how it is set, which seeds are spoken there, and a peer that behaves."""

    kind: str
    interface: str
    settings: dict[str, Any]
    seeds: str
    behave: Callable[[Where], None]


def exchange(where: Where, *messages: bytes) -> list[bytes]:
    """Send messages in frames of SCTP over TCP, each after an answer to the one before; return the answers."""
    answers: list[bytes] = []
    deframer = Deframer()
    with closing(socket.create_connection(where, timeout=PATIENCE)) as peer:
        for message in messages:
            peer.sendall(enclose(message, 0, 18))
            wanted = len(answers) + 1
            while len(answers) < wanted:
                data = peer.recv(65536)
                assert data, "closed instead of an answer"
                answers += [octets for octets, _ in deframer.feed(data)]
    return answers


def ask_hss(where: Where) -> None:
    with closing(Client(where)) as client:
        assert client.ask(client.update("001010000000001", "35000000000001")).success


def ask_eir(where: Where) -> None:
    with closing(Client(where, application=16777252)) as client:
        terminal = [("IMEI", "35000000000001"), ("Software-Version", "01")]
        assert client.ask(client.make("ME-Identity-Check-Request", ("Terminal-Information", terminal))).success


def set_up_s1(where: Where) -> None:
    seeds = (FOLDER / "s1ap/seeds.txt").read_text().splitlines()
    request = next(line for line in seeds if line.endswith("  s1-setup-request") and "enb" in _text(line))
    (answer,) = exchange(where, bytes.fromhex(request.split("  ")[0]))
    assert s1ap.decode(answer).name == "s1-setup-response"


def _text(line: str) -> str:
    return bytes.fromhex(line.partition("  ")[0]).decode("latin-1")


def search_cells(where: Where) -> None:
    (answer,) = exchange(where, uu.encode(uu.CellSearch()))
    assert uu.decode(answer).name == "system-information"


def ask_broker(where: Where) -> None:
    with closing(socket.create_connection(where, timeout=PATIENCE)) as peer:
        peer.sendall(mqtt.encode(mqtt.Connect("well-behaved")))
        assert peer.recv(4) == mqtt.encode(mqtt.ConnAck())


def bind_smpp(where: Where, name: str, password: str) -> None:
    bind = smpp.Pdu(smpp.Command.BIND_TRANSCEIVER, 1, 0, smpp.Bind(name, password))
    with closing(socket.create_connection(where, timeout=PATIENCE)) as peer:
        peer.sendall(smpp.encode(bind))
        answer = smpp.decode(peer.recv(4096))
        assert (answer.command, answer.status) == (smpp.Command.BIND_TRANSCEIVER_RESP, 0)


def connect_to_centre(where: Where) -> None:
    """An MME's capabilities exchange is answered."""
    with closing(Client(where, application=16777313)) as client:
        assert client is not None


def ask_pcrf(where: Where) -> None:
    """A PGW is told that nobody knows the session that it reports on."""
    _ask_of_a_session(where, "Gx")


def ask_ocs(where: Where) -> None:
    """So is a PGW by an OCS."""
    _ask_of_a_session(where, "Gy", ("Service-Context-Id", "32251@3gpp.org"))


def _ask_of_a_session(where: Where, point: str, *more: tuple[str, Any]) -> None:
    with closing(Client(where, host="pgw", application=BY_POINT[point])) as client:
        avps = [("Session-Id", f"{client.host};1;1"), ("Auth-Application-Id", BY_POINT[point])]
        avps += [("Origin-Host", client.host), ("Origin-Realm", REALM), ("Destination-Realm", REALM)]
        avps += [*more, ("CC-Request-Type", 2), ("CC-Request-Number", 1)]
        answer = client.ask(request("Credit-Control-Request", avps, application=BY_POINT[point]))
        assert answer.result_code == ResultCode.DIAMETER_UNKNOWN_SESSION_ID


def associate(where: Where) -> None:
    """An SSP comes up, and is told to release the call of a card that nobody knows."""
    octets = cap.CAP_USER.encode_argument(cap.INITIAL_DP, originating("001019999999999", "01065800012"))
    with SspSender(where, patience=PATIENCE) as ssp:
        ssp.ask(octets)
        until = time.monotonic() + PATIENCE
        while not (found := ssp.receive(1)):  # what M3UA says beside is no event of TCAP
            assert time.monotonic() < until, "no answer"
        ordered = found[0]
        assert isinstance(ordered, Ended)
        assert getattr(ordered.components[0], "opcode", None) == cap.RELEASE_CALL.opcode


def connect_cmpp(where: Where) -> None:
    """Be told that nobody knows the secret: a time stamp is good once, and these connections are many."""
    with closing(socket.create_connection(where, timeout=PATIENCE)) as peer:
        peer.sendall(cmpp.encode(cmpp.Message(cmpp.Command.CONNECT, 1, cmpp.Connect("901234", bytes(16)))))
        answer = cmpp.decode(peer.recv(100)).body
        assert isinstance(answer, cmpp.Connected)
        assert answer.status


def ask_hlr(where: Where) -> None:
    (answer,) = map_client.ask_route(where, "8614400000099", PATIENCE)
    assert answer == ReturnError(1, ErrorCode.UNKNOWN_SUBSCRIBER)


def check_imei(where: Where) -> None:
    (answer,) = map_client.check_imei(where, "350000000000010", PATIENCE)
    assert isinstance(answer, ReturnResult)


def ask_msc(where: Where) -> None:
    """Who calls for help without a card is given a connection."""
    identity = MobileIdentity(IdentityType.IMEI, "990001010000010")
    asked = dtap.Message(
        dtap.MessageType.CM_SERVICE_REQUEST,
        cm_service_type=dtap.CmServiceType.EMERGENCY_CALL,
        ciphering_key_sequence_number=7,
        mobile_station_classmark_2=b"\x30\x18\x00",
        mobile_identity=identity,
    )
    (answer,) = exchange(where, dtap.encode(asked))
    assert dtap.decode(answer).type is dtap.MessageType.CM_SERVICE_ACCEPT


def touch_card(where: Where) -> None:
    answers = exchange(where, insertion(Slot.ANY), Control.POWER_ON.message())
    assert is_atr(answers[1])


def connects(where: Where) -> None:
    """A neighbour's X2 set-up needs one that knows us; a port that still accepts is what can be seen from outside."""
    socket.create_connection(where, timeout=PATIENCE).close()


NOWHERE = "127.0.0.1:9"
#: seeds hold binds, of which those that are wrong are no matter here
GUESSES = {"tries": "1000000"}
CUSTOMERS = {
    "settings": {
        "smsc": "",
        "accounts": {"waterworks": {"system_id": "meters", "password": "s3cret"}},
        "guessing": GUESSES,
    }
}
PORTS = {
    "hss": Port("hss", "S6a", {"subscribers": "cards.yaml"}, "diameter/seeds.txt", ask_hss),
    "eir": Port("eir", "S13", {}, "diameter/seeds.txt", ask_eir),
    "hss-map": Port(
        "hss",
        SIGTRAN,
        {"subscribers": "cards.yaml", "settings": {"signalling": ""}, "listen": {"S6a": "127.0.0.1:0"}},
        "m3ua/seeds.txt",
        ask_hlr,
    ),
    "eir-map": Port(
        "eir",
        SIGTRAN,
        {"settings": {"signalling": ""}, "listen": {"S13": "127.0.0.1:0"}},
        "m3ua/seeds.txt",
        check_imei,
    ),
    "ocs": Port("ocs", "Gy", {"listen": {"Ro": "127.0.0.1:0"}}, "diameter/seeds.txt", ask_ocs),
    "pcrf": Port("pcrf", "Gx", {}, "diameter/seeds.txt", ask_pcrf),
    "mme": Port("mme", "S1-MME", {"peers": {"hss": NOWHERE, "eir": NOWHERE}}, "s1ap/seeds.txt", set_up_s1),
    "enb": Port(
        "enb", "Uu", {"peers": {"mme": NOWHERE}, "listen": {"X2": "127.0.0.1:0"}}, "uu/seeds.txt", search_cells
    ),
    "enb-x2": Port(
        "enb", "X2", {"peers": {"mme": NOWHERE}, "listen": {"Uu": "127.0.0.1:0"}}, "x2/seeds.txt", lambda _where: None
    ),
    "broker": Port("broker", "MQTT", {}, "mqtt/seeds.txt", ask_broker),
    "scp": Port("scp", "M3UA", {"transport": "tcp"}, "m3ua/seeds.txt", associate),
    "smsc": Port(
        "smsc",
        "SMPP",
        {"settings": {"guessing": GUESSES, "gateways": {"gateway": {"password": "secret", "codes": ["10658000"]}}}}
        | {"peers": {"hss": NOWHERE}, "listen": {"SGd": "127.0.0.1:0"}},
        "smpp/seeds.txt",
        partial(bind_smpp, name="gateway", password="secret"),
    ),
    "smsc-sgd": Port(
        "smsc",
        "SGd",
        {"peers": {"hss": NOWHERE}, "listen": {"SMPP": "127.0.0.1:0"}},
        "diameter/seeds.txt",
        connect_to_centre,
    ),
    "sms_gateway": Port(
        "sms_gateway",
        "SMPP",
        {**CUSTOMERS, "listen": {"CMPP": "127.0.0.1:0"}},
        "smpp/seeds.txt",
        partial(bind_smpp, name="meters", password="s3cret"),
    ),
    "sms_gateway-cmpp": Port(
        "sms_gateway", "CMPP", {**CUSTOMERS, "listen": {"SMPP": "127.0.0.1:0"}}, "cmpp/seeds.txt", connect_cmpp
    ),
    "ssp": Port(
        "ssp",
        "Um",
        {"peers": {"hss": NOWHERE, "eir": NOWHERE, "scp": NOWHERE}, "listen": {"SIP": "127.0.0.1:0"}},
        "dtap/seeds.txt",
        ask_msc,
    ),
    "uicc": Port("uicc", "ME-UICC", {"subscribers": "cards.yaml"}, "apdu/commands.txt", touch_card),
}


def connect(where: Where) -> socket.socket:
    peer = socket.create_connection(where, timeout=PATIENCE)
    peer.settimeout(0.5)
    return peer


# -- what may arrive


def garbage(rng: random.Random, where: Where, _messages: list[bytes], _held: ExitStack) -> None:
    for size in (1, 3, 12, 100, 5000):
        for _ in range(4):
            with suppress(OSError), closing(connect(where)) as peer:
                peer.sendall(rng.randbytes(size))


def half_messages(rng: random.Random, where: Where, messages: list[bytes], held: ExitStack) -> None:
    for _ in range(40):
        message = rng.choice(messages)
        peer = held.enter_context(closing(connect(where)))
        with suppress(OSError):
            peer.sendall(message[: rng.randrange(len(message))])


def idle(_rng: random.Random, where: Where, _messages: list[bytes], held: ExitStack) -> None:
    for _ in range(IDLE):
        held.enter_context(closing(connect(where)))


def huge_lengths(_rng: random.Random, where: Where, messages: list[bytes], held: ExitStack) -> None:
    for head in (b"\x01\xff\xff\xff", b"\xff" * 12, struct.pack(">IHHI", 1 << 20, 0, 0, 18), b"\x01\0\0\0", b"\0" * 12):
        peer = held.enter_context(closing(connect(where)))
        with suppress(OSError):
            peer.sendall(head + messages[0] + bytes(100_000))


def flood(rng: random.Random, where: Where, messages: list[bytes], held: ExitStack) -> None:
    """Valid messages out of turn, as fast as they go, from one that reads nothing."""
    peer = held.enter_context(closing(connect(where)))
    with suppress(OSError):
        for _ in range(3000):
            peer.sendall(rng.choice(messages))


def reconnect(_rng: random.Random, where: Where, messages: list[bytes], _held: ExitStack) -> None:
    for _ in range(150):
        with suppress(OSError), closing(connect(where)) as peer:
            peer.sendall(messages[0])
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


ATTACKS = (garbage, half_messages, idle, huge_lengths, flood, reconnect)


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    port = PORTS[request.param]
    # fewer than there will be connections, unless the element asks for more
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(IDLE, allowed[1]), allowed[1]))
    request.addfinalizer(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, allowed))  # noqa: PT021 - before the yield
    (tmp_path / "cards.yaml").write_text(str({"subscribers": [card(1)]}))
    settings = port.settings | {
        "transport": "tcp",
        "listen": {port.interface: "127.0.0.1:0"} | port.settings.get("listen", {}),
    }
    with serve(tmp_path, port.kind, settings) as element:
        resource.setrlimit(resource.RLIMIT_NOFILE, allowed)
        yield element


@pytest.mark.parametrize(("name", "served"), [(name, name) for name in PORTS], indirect=["served"], ids=list(PORTS))
def test_service_goes_on(name: str, served: Served) -> None:
    port = PORTS[name]
    where = served.where[port.interface]
    rng = random.Random(f"{budget.SEED}/{name}")
    messages = seeds(port.seeds)
    if port.seeds != "m3ua/seeds.txt":  # it is cut by its own length
        messages = [enclose(message, 1, 18) for message in messages]
    port.behave(where)
    before = served.memory
    with ExitStack() as held:
        for attack in ATTACKS:
            attack(rng, where, messages, held)
            begun = time.monotonic()
            port.behave(where)
            assert time.monotonic() - begun < PATIENCE, attack.__name__
            assert served.process.poll() is None
    port.behave(where)
    assert served.faults() == ""
    assert served.memory - before < GROWTH
