"""Events at a real broker, and a real client at ours: nothing is lost, whoever is killed."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import socket
import subprocess
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import pytest
import served
from mosquitto import MOSQUITTO, Mosquitto, Subscriber
from typer.testing import CliRunner
from waiting import LONG, reserved_port, until

from simwarden.cli.main import app
from simwarden.errors import PeerError
from simwarden.wire.mqtt import Ack, PacketType, Publish, Splitter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simwarden.wire.mqtt import Packet

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not MOSQUITTO, reason="mosquitto is not installed (apt install mosquitto)"),
]
CARD = served.card(1, imei="99000101000001")
IMSI = CARD["imsi"]
#: events of the round that is about mosquitto being killed, and of the others
MANY, EVENTS = 2000, 600
KILLS = 5


def imei(number: int) -> str:
    return f"990002{number:08d}"


class Register:
    """A served HSS with one bound card, which is asked for it from ever new terminals."""

    def __init__(self, folder: Path, events: dict[str, Any], store: str = "") -> None:
        self._folder, self._cards = folder, folder / "cards.yaml"
        self._cards.write_text(json.dumps({"subscribers": [CARD]}))
        self._settings = {
            "listen": {"S6a": "127.0.0.1:0"},
            "subscribers": "cards.yaml",
            "store": store or f"sqlite:///{folder}/hss.sqlite",
            "events": events,
        }
        self._started = ExitStack()
        self.answered: set[str] = set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        with ExitStack() as stack:
            self.process = stack.enter_context(served.serve(self._folder, "hss", self._settings))
            self.client = stack.enter_context(served.Client(self.process.where["S6a"]))
            self._started = stack.pop_all()
        self._settings["subscribers"] = ""  # they are in the store now

    def kill(self) -> None:
        self._started.close()

    def refuse(self, first: int, count: int) -> None:
        """Ask from so many wrong terminals; each answer that came is noted."""
        for number in range(first, first + count):
            answer = self.client.ask(self.client.update(IMSI, imei(number)))
            assert answer.experimental_result == 5001
            self.answered.add(imei(number))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


def refusals(events: list[dict[str, Any]]) -> list[str]:
    """The terminals of the refusals told, in order, each once."""
    found = [each["data"]["details"]["seen"][:14] for each in events if each["type"] == "simwarden.card.refused"]
    return list(dict.fromkeys(found))


def test_a_scenario_tells_its_events_to_mosquitto(tmp_path: Path, broker: Mosquitto) -> None:
    with Subscriber(broker.port) as subscriber:
        (tmp_path / "net.yaml").write_text(f"broker: {{external: '127.0.0.1:{broker.port}'}}\n")
        story = tmp_path / "story.yaml"
        story.write_text(
            "scenario: A meter attaches\n"
            "cards: {card: {profile: meter, binding: {by: hss, learn: first-use}}}\n"
            "devices: {meter: {type: module}}\n"
            "steps:\n"
            "  - insert: {card: card, into: meter}\n"
            "  - power_on: meter\n"
            "  - expect: {meter: {attach: accepted}}\n"
        )
        arguments = ["run", str(story), "--network", str(tmp_path / "net.yaml"), "--report", str(tmp_path / "r")]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        assert until(lambda: len(subscriber.events) >= 2)
        assert subscriber.topics == [
            f"simwarden/hss/{what}/001010000000001" for what in ("card/provisioned", "binding/learned")
        ]


class Tap:
    """Stands between the HSS and the broker, and reads along what is published and acknowledged."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.published: list[int] = []
        self.acknowledged: set[int] = set()
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)  # else a thread goes on accepting
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.socket()
            if far.connect_ex(("127.0.0.1", self._target)):
                near.close()
                far.close()
                continue
            flying: dict[int, int] = {}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, target, flying), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, flying: dict[int, int]) -> None:
        splitter, read = Splitter(), 0
        try:
            while data := source.recv(65536):
                for packet in splitter.feed(data):
                    self._note(packet, flying)
                    read += 1
                target.sendall(data)
        except OSError:
            pass
        except PeerError:
            if read:
                raise
            # what begins with no MQTT is not meant for us: another test may have had the port before
        for each in (source, target):
            each.close()

    def _note(self, packet: Packet, flying: dict[int, int]) -> None:
        if isinstance(packet, Publish):
            flying[packet.identifier] = number = int(json.loads(packet.payload)["sequence"])
            self.published.append(number)
        elif isinstance(packet, Ack) and packet.type is PacketType.PUBACK:
            self.acknowledged.add(flying.pop(packet.identifier))


def test_a_mosquitto_without_persistence_is_killed_and_gets_what_it_has_not_acknowledged(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path) as broker,
        Tap(broker.port) as tap,
        Register(tmp_path, {"broker": f"mqtt://127.0.0.1:{tap.port}"}) as register,
    ):
        part = MANY // 2 // KILLS  # a refusal is two events: the decision, and the record of the risk
        for number in range(KILLS):
            register.refuse(number * part, part // 2)
            broker.kill()
            register.refuse(number * part + part // 2, part - part // 2)
            broker.start()
        total = 1 + MANY  # the card was provisioned
        assert until(lambda: len(tap.acknowledged) >= total), register.process.faults()
        assert tap.acknowledged == set(range(1, total + 1))
        assert list(dict.fromkeys(tap.published)) == list(range(1, total + 1))  # in order, whatever came again
        assert len(register.answered) == part * KILLS


def test_a_mosquitto_with_persistence_is_stopped_and_its_subscriber_misses_nothing(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path, persistent=True) as broker,
        Subscriber(broker.port) as subscriber,
        Register(tmp_path, {"broker": f"mqtt://127.0.0.1:{broker.port}"}) as register,
    ):
        part = EVENTS // 2 // KILLS
        for number in range(KILLS):
            register.refuse(number * part, part)
            broker.stop()
            broker.start()
        assert until(lambda: len(subscriber.numbers()) >= 1 + EVENTS), len(subscriber.numbers())
        assert subscriber.numbers() == list(range(1, 2 + EVENTS))
        assert refusals(subscriber.events) == [imei(number) for number in range(part * KILLS)]


def test_a_register_is_killed_again_and_again_and_each_refusal_that_it_answered_is_told(
    tmp_path: Path, store_url: str
) -> None:
    with (
        Mosquitto(tmp_path) as broker,
        Subscriber(broker.port) as subscriber,
        Register(tmp_path, {"broker": f"mqtt://127.0.0.1:{broker.port}"}, store_url) as register,
    ):
        part = EVENTS // 2 // KILLS
        for number in range(KILLS):
            register.refuse(number * part, part)
            register.kill()
            register.start()
        assert until(lambda: set(refusals(subscriber.events)) >= register.answered)
        assert until(lambda: len(subscriber.numbers()) >= 1 + EVENTS)
        assert subscriber.numbers() == list(range(1, 2 + EVENTS))


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 that signs itself, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker.example.com")])
    begin = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    import ipaddress

    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "broker.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "broker.key").write_bytes(key.private_bytes(*pem))
    return tmp_path


@pytest.mark.parametrize("password", ["right", "wrong"])
def test_tls_and_a_password(certificates: Path, password: str) -> None:
    folder = certificates
    tool = shutil.which("mosquitto_passwd") or "mosquitto_passwd"
    subprocess.run([tool, "-c", "-b", "users", "hss", "right"], cwd=folder, check=True)  # noqa: S603
    lines = [f"certfile {folder}/broker.pem", f"keyfile {folder}/broker.key"]
    lines += [f"password_file {folder}/users", "allow_anonymous false", "per_listener_settings false"]
    with Mosquitto(folder, *lines) as broker:
        (folder / "secret").write_text(f"{password}\n")
        events = {"broker": f"mqtts://127.0.0.1:{broker.port}", "authorities": "broker.pem"}
        with Register(folder, {**events, "user": "hss", "password": "file:secret"}) as register:
            log = folder / "hss.log"
            if password == "wrong":
                assert until(lambda: "events wait, broker does not get them" in log.read_text())
                assert until(lambda: "not authorized" in log.read_text())
                assert "wrong" not in log.read_text()
                register.refuse(0, 10)  # service goes on
            else:
                register.refuse(0, 10)
                seen = folder / "mosquitto.log"
                assert until(lambda: "simwarden-hss" in seen.read_text())
                assert until(lambda: waiting(folder) == 0)


def waiting(folder: Path) -> int:
    """How many events are in the HSS's outbox, asked of its database."""
    return rows(folder, "outbox")


def rows(folder: Path, table: str) -> int:
    """How many rows a table of the HSS's database has."""
    import sqlite3

    with sqlite3.connect(folder / "hss.sqlite") as database:
        count: int = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - a name of ours
    database.close()
    return count


def test_a_broker_whose_certificate_is_not_trusted_gets_nothing(certificates: Path) -> None:
    with (
        Mosquitto(
            certificates,
            f"certfile {certificates}/broker.pem",
            f"keyfile {certificates}/broker.key",
            "allow_anonymous true",
        ) as broker,
        Register(certificates, {"broker": f"mqtts://127.0.0.1:{broker.port}"}) as register,
    ):
        log = certificates / "hss.log"
        assert until(lambda: "events wait" in log.read_text())
        assert until(lambda: "certificate verify failed" in log.read_text())
        register.refuse(0, 5)
        assert waiting(certificates) == 11


@pytest.mark.skipif(
    not shutil.which("mosquitto_sub"), reason="mosquitto_sub is missing (apt install mosquitto-clients)"
)
def test_mosquitto_sub_reads_from_the_broker_of_ours(tmp_path: Path) -> None:
    with (
        reserved_port() as port,
        Register(tmp_path, {"listen": f"127.0.0.1:{port}", "prefix": "ops/lab"}) as register,
    ):
        command = f"stdbuf -oL mosquitto_sub -d -p {port} -q 1 -c -i me -t ops/lab/+/card/refused/# -C 3 -v".split()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:  # noqa: S603
            try:
                assert reader.stdout is not None
                assert any("received SUBACK" in line for line in iter(reader.stdout.readline, ""))
                register.refuse(0, 3)
                out, _ = reader.communicate(timeout=LONG)
            finally:
                reader.kill()
        assert out.count(f"ops/lab/hss/card/refused/{IMSI} ") == 3
