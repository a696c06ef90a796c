"""freeDiameter asks the served HSS and EIR, over a wire that cuts every message into pieces."""

from __future__ import annotations

import selectors
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import osmo
import pytest
from waiting import LONG, until

if TYPE_CHECKING:
    from collections.abc import Iterator

DAEMON = shutil.which("freeDiameterd")
SOURCE = Path(__file__).parent / "freediameter" / "s6a_client.c"
HEADERS = Path("/usr/include/freeDiameter/extension.h")
DICTIONARIES = ("dict_nasreq", "dict_dcca", "dict_dcca_3gpp", "dict_rfc5777", "dict_mip6i")
NEEDED = {
    "freediameterd": DAEMON,
    "freediameter-extensions": Path("/usr/lib/freeDiameter/dict_dcca_3gpp.fdx").exists(),
    "libfreediameter-dev": HEADERS.exists(),
    "gcc": shutil.which("gcc"),
    "libosmocore-utils": osmo.AUC_GEN,
}
MISSING = " ".join(name for name, found in NEEDED.items() if not found)
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING} (apt install {MISSING})"),
]
REALM = "epc.mnc001.mcc001.3gppnetwork.org"
IMSI, BOUND, OTHER, PHONE = "001010000000001", "99000101000001", "99000101000002", "99000201000001"
K, OPC = bytes.fromhex("000102030405060708090a0b0c0d0e0f"), bytes.fromhex("f0e0d0c0b0a090807060504030201000")
CARDS = f"""\
subscribers:
  - {{name: card, imsi: "{IMSI}", iccid: "89860100000000000010", msisdn: "861440000000001", profile: meter,
      form: plug-in, k: {K.hex()}, opc: {OPC.hex()}, sections: {{binding: [{{by: hss, learn: first-use}}]}}}}
"""
CONFIG = """\
Identity = "{name}.{realm}"; Realm = "{realm}";
No_SCTP; No_IPv6; Port = 0; SecPort = 0; TwTimer = 6; ListenOn = "127.0.0.1";
{extensions}
LoadExtension = "{client}" : "{script} {output}";
{peers}
"""
PEER = 'ConnectPeer = "{name}.{realm}" {{ ConnectTo = "127.0.0.1"; No_TLS; Port = {port}; Prefer_TCP; }};\n'


class Cutter:
    """Carries connections to a port of ours in pieces of 1, 2, 3... octets, and keeps what was said."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.said: dict[str, bytearray] = {"up": bytearray(), "down": bytearray()}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        try:
            while True:
                near = self._listener.accept()[0]
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()
        except OSError:
            return

    def _carry(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self.target)) as far, selectors.DefaultSelector() as both:
            both.register(near, selectors.EVENT_READ, (near, far, "up"))
            both.register(far, selectors.EVENT_READ, (far, near, "down"))
            for each in (near, far):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while all(self._pass_on(*key.data) for key, _ in both.select()):
                pass

    def _pass_on(self, source: socket.socket, sink: socket.socket, way: str) -> bool:
        data = source.recv(65536)
        self.said[way] += data
        size = 1
        while data:
            sink.sendall(data[:size])
            data, size = data[size:], size % 61 + 1
            if not data:
                return True
        return False

    def commands(self, way: str) -> list[int]:
        """Return the command codes of the messages that went one way."""
        data, found = bytes(self.said[way]), []
        while data:
            found.append(int.from_bytes(data[5:8]))
            data = data[int.from_bytes(data[1:4]) :]
        return found


class Answer(NamedTuple):
    """A message as freeDiameter printed it: AVPs by name, those in groups too; of several of a name the first."""

    command: str
    flags: int
    grammar: str
    avps: dict[str, str]

    @classmethod
    def read(cls, text: str) -> Answer:
        head, *lines = text.strip().split("\n")
        command, flags, grammar = head.split(" ", 2)
        avps: dict[str, str] = {}
        for line in lines:
            name, _, value = line.strip().partition(" ")
            avps.setdefault(name, value)
        return cls(command, int(flags.removeprefix("flags="), 16), grammar.removeprefix("grammar="), avps)

    @property
    def result(self) -> int:
        return int(self.avps.get("Result-Code") or self.avps["Experimental-Result-Code"])


@contextmanager
def served(folder: Path, name: str, interface: str, settings: str) -> Iterator[Cutter]:
    """Run one of our elements alone, behind a cutter."""
    path = folder / f"{name}.yaml"
    path.write_text(f"listen: {{{interface}: '127.0.0.1:0'}}\nsettings: {settings}\n")
    if name == "hss":
        path.write_text(path.read_text() + "subscribers: cards.yaml\n")
    command = [sys.executable, "-m", "simwarden", "serve", name, "--config", str(path)]
    with (
        (folder / f"{name}.log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,  # noqa: S603
    ):
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("ready"), (folder / f"{name}.log").read_text()
        cutter = Cutter(int(ready.rpartition(":")[2]))
        try:
            yield cutter
        finally:
            cutter.close()
            process.terminate()
            process.communicate(timeout=LONG)
    assert "fault" not in (folder / f"{name}.log").read_text()


class Client:
    """A freeDiameter daemon with our extension, for one script."""

    def __init__(self, folder: Path, name: str, script: str, ports: dict[str, int]) -> None:
        self.output, self.log = folder / f"{name}.out", folder / f"{name}.log"
        (folder / f"{name}.script").write_text("".join(f"peer {peer}.{REALM}\n" for peer in ports) + script)
        (folder / f"{name}.conf").write_text(
            CONFIG.format(
                name=name,
                realm=REALM,
                extensions="".join(f'LoadExtension = "{each}.fdx";\n' for each in DICTIONARIES),
                client=folder / "s6a_client.fdx",
                script=folder / f"{name}.script",
                output=self.output,
                peers="".join(PEER.format(name=peer, realm=REALM, port=port) for peer, port in ports.items()),
            )
        )
        with self.log.open("w") as log:
            command = [str(DAEMON), "-c", str(folder / f"{name}.conf")]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def came(self) -> int:
        """How many messages have come so far."""
        return self.output.read_text().count("\n.\n") if self.output.exists() else 0

    def answers(self) -> list[Answer]:
        """Wait for the script's end; return what came."""
        assert self.process.wait(2 * LONG) == 0, self.log.read_text()
        *messages, end = self.output.read_text().split("\n.\n")
        assert end == "done\n", f"{end}\n{self.output.read_text()}\n{self.log.read_text()}"
        return [Answer.read(each) for each in messages]


def request(command: str, to: str, *avps: str) -> str:
    """Write a request for the script."""
    common = ["Auth-Session-State 1", f"Destination-Host {to}.{REALM}", f"Destination-Realm {REALM}"]
    return "\n".join([command, *common, *avps, "send", ""])


def group(name: str, *avps: str) -> str:
    return "\n".join([f"{name} {{", *avps, "}"])


def terminal(imei: str) -> str:
    return group("Terminal-Information", f"IMEI {imei}", "Software-Version 01")


def ulr(imei: str) -> str:
    fields = (f"User-Name {IMSI}", terminal(imei), "RAT-Type 1004", "ULR-Flags 34", "Visited-PLMN-Id 0x00f110")
    return request("Update-Location-Request", "hss", *fields)


def air(imsi: str = IMSI) -> str:
    wanted = group("Requested-EUTRAN-Authentication-Info", "Number-Of-Requested-Vectors 2")
    fields = (f"User-Name {imsi}", wanted, "Visited-PLMN-Id 0x00f110")
    return request("Authentication-Information-Request", "hss", *fields)


def ecr(*avps: str) -> str:
    return request("ME-Identity-Check-Request", "eir", *avps)


SCRIPT = [
    (air(), 2001, 0x40),
    (air("001010000000099"), 5001, 0x40),
    (ulr(BOUND), 2001, 0x40),
    (ulr(OTHER), 5001, 0x40),
    (ecr(terminal(BOUND), f"User-Name {IMSI}"), 2001, 0x40),
    (ecr(terminal(PHONE)), 2001, 0x40),
    (ecr(), 5005, 0x40),
    (request("Unknown-Request", "hss"), 3001, 0x60),
    (request("Unknown-Request", "eir"), 3007, 0x60),  # of an application that the EIR has not
    ("wait 9\n" + request("Notify-Request", "hss", f"User-Name {IMSI}", "NOR-Flags 0"), 2001, 0x40),
]


@pytest.fixture(name="talk", scope="module")
def _talk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two MMEs of freeDiameter: the second takes the subscriber over, the first is told."""
    folder = tmp_path_factory.mktemp("freediameter")
    build = ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC"]
    subprocess.run([*build, "-o", str(folder / "s6a_client.fdx"), str(SOURCE)], check=True, timeout=60)  # noqa: S603
    (folder / "cards.yaml").write_text(CARDS)
    peers = "{peers: {mme: {home_province: true}, mme2: {home_province: true}}}"
    with ExitStack() as stack:
        hss = stack.enter_context(served(folder, "hss", "S6a", peers))
        eir = stack.enter_context(served(folder, "eir", "S13", "{peers: {mme: {}}, prohibited: [phone]}"))
        ports = {"hss": hss.port, "eir": eir.port}
        first = Client(folder, "mme", "".join(text for text, _, _ in SCRIPT) + "await\n", ports)
        stack.callback(first.kill)
        assert until(lambda: first.came() >= len(SCRIPT) or first.process.poll() is not None)
        second = Client(folder, "mme2", ulr(BOUND), {"hss": hss.port})
        stack.callback(second.kill)
        answers = first.answers()
        other = second.answers()
    log = (folder / "hss.log").read_text() + (folder / "eir.log").read_text()
    return {"answers": answers, "other": other, "hss": hss, "eir": eir, "log": log}


def test_every_request_is_answered_as_the_specification_says(talk: dict[str, Any]) -> None:
    found = [(each.result, each.flags) for each in talk["answers"][: len(SCRIPT)]]
    assert found == [(result, flags) for _, result, flags in SCRIPT]


def test_every_answer_keeps_to_the_grammar(talk: dict[str, Any]) -> None:
    assert {(each.command, each.grammar) for each in talk["answers"] + talk["other"]} == {
        ("Authentication-Information-Answer", "ok"),
        ("Update-Location-Answer", "ok"),
        ("ME-Identity-Check-Answer", "ok"),
        ("Unknown-Answer", "ok"),
        ("Notify-Answer", "ok"),
        ("Cancel-Location-Request", "ok"),
    }


def test_vectors_are_those_of_another_authentication_centre(talk: dict[str, Any]) -> None:
    avps = talk["answers"][0].avps
    rand, autn = bytes.fromhex(avps["RAND"][2:]), bytes.fromhex(avps["AUTN"][2:])
    theirs = osmo.quintuple(K, OPC, rand, sqn=0)
    concealed = bytes(a ^ b for a, b in zip(bytes.fromhex(theirs["AUTN"])[:6], autn[:6], strict=True))  # SQN xor 0
    theirs = osmo.quintuple(K, OPC, rand, sqn=int.from_bytes(concealed))
    assert (avps["XRES"], avps["AUTN"]) == (f"0x{theirs['RES']}", f"0x{theirs['AUTN']}")
    assert len(avps["KASME"]) == 2 + 64


def test_subscription_data_arrive(talk: dict[str, Any]) -> None:
    avps = talk["answers"][2].avps
    assert avps["MSISDN"] == "0x68410400000000f1"
    assert avps["Subscriber-Status"] == "0"
    assert avps["Service-Selection"] == "iot"
    assert int(avps["ULA-Flags"]) & 1


def test_the_equipment_has_its_status(talk: dict[str, Any]) -> None:
    assert [each.avps.get("Equipment-Status") for each in talk["answers"][4:7]] == ["0", "1", None]
    assert "Failed-AVP" in talk["answers"][6].avps


def test_the_first_node_is_told_of_the_second(talk: dict[str, Any]) -> None:
    told = talk["answers"][-1]
    assert (told.command, told.avps["User-Name"], told.avps["Cancellation-Type"]) == (
        "Cancel-Location-Request",
        IMSI,
        "0",
    )
    assert [each.result for each in talk["other"]] == [2001]


@pytest.mark.parametrize("element", ["hss", "eir"])
def test_the_peers_watch_and_leave_each_other_properly(talk: dict[str, Any], element: str) -> None:
    asked, answered = talk[element].commands("up"), talk[element].commands("down")
    for code, name in ((257, "capabilities exchange"), (280, "watchdog"), (282, "disconnect")):
        assert code in asked, name
        assert asked.count(code) == answered.count(code), name


def test_the_operator_is_told_who_was_refused_and_who_is_wrong(talk: dict[str, Any]) -> None:
    lines = [line.split(" ", 1)[1] for line in talk["log"].splitlines()]
    assert [line.partition(":")[0] for line in lines if line.startswith("refused")] == [
        "refused 001010000000099 by hss.subscriber",
        f"refused {IMSI} by bind.hss.learned",
        "refused 990002010000014 by eir.equipment",
    ]
    assert [line.rpartition(": ")[2] for line in lines if line.startswith("warning: peer")] == [
        "command 8388600 is not of application 16777251",
        "ME-Identity-Check-Request lacks Terminal-Information",
        "application 16777251 is not served here",
    ]
