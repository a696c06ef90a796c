"""A publisher's machine and a broker's, back to back and each alone, on a clock of the tests'."""

from __future__ import annotations

import pytest

from simwarden.machine import mqtt_broker
from simwarden.machine.mqtt_broker import Broker, Connection
from simwarden.machine.mqtt_publisher import Accepted, Acknowledged, Failed, MqttPublisher
from simwarden.wire.mqtt import (
    Ack,
    Bare,
    ConnAck,
    Connect,
    ConnectCode,
    Packet,
    PacketType,
    Publish,
    Splitter,
    SubAck,
    Subscribe,
    Unsubscribe,
    Will,
    encode,
)


class Client:
    """A client that says what it is told to, and keeps what it hears."""

    def __init__(self, broker: Broker, name: str = "ops", *, now: float = 0.0, **connect: object) -> None:
        self.connection: Connection = broker.open(now)
        self._splitter = Splitter()
        self.heard: list[Packet] = []
        self.say(Connect(name, **connect))  # type: ignore[arg-type]

    def say(self, *packets: Packet, now: float = 0.0) -> list[Packet]:
        for each in packets:
            self.connection.receive(encode(each), now)
        return self.hear()

    def hear(self) -> list[Packet]:
        new = [each for octets in self.connection.data_to_send() for each in self._splitter.feed(octets)]
        self.heard += new
        return new

    def take(self, *, most: int = 10_000) -> list[bytes]:
        """Acknowledge all that comes; return the payloads."""
        taken: list[bytes] = []
        while len(taken) < most and (new := [each for each in self.hear() if isinstance(each, Publish)]):
            for each in new:
                taken.append(each.payload)
                if each.qos:
                    self.connection.receive(encode(Ack(PacketType.PUBACK, each.identifier)), 0.0)
        return taken


# -- the publisher


def test_a_publisher_and_a_broker_understand_each_other() -> None:
    broker, publisher = Broker(), MqttPublisher(Connect("hss", keep_alive=60))
    connection = broker.open(0.0)
    publisher.connected(0.0)
    acknowledged, sent = 0, 0
    for _ in range(200):
        for data in publisher.data_to_send():
            connection.receive(data, 0.0)
        for data in connection.data_to_send():
            publisher.receive(data, 0.0)
        for event in publisher.events():
            if isinstance(event, Acknowledged):
                assert event.tag > acknowledged
                acknowledged = event.tag
        while publisher.room and sent < 1000:
            sent += 1
            publisher.publish("t", b"%d" % sent, sent, 0.0)
    assert acknowledged == sent == 1000
    assert [each.message.payload for each in broker.events] == [b"%d" % n for n in range(1, 1001)]
    assert publisher.quiet


def opened(**settings: float) -> MqttPublisher:
    publisher = MqttPublisher(Connect("hss", keep_alive=60), **settings)  # type: ignore[arg-type]
    publisher.connected(0.0)
    assert publisher.room == 0
    publisher.receive(encode(ConnAck()), 0.0)
    assert publisher.events() == [Accepted()]
    publisher.data_to_send()
    return publisher


def test_no_more_than_a_window_flies() -> None:
    publisher = opened(window=3)
    for tag in (1, 2, 3):
        publisher.publish("t", b"", tag, 0.0)
    assert publisher.room == 0
    publisher.receive(encode(Ack(PacketType.PUBACK, 2)), 0.0)
    assert publisher.events() == []  # the first one is not there yet
    assert publisher.room == 0
    publisher.receive(encode(Ack(PacketType.PUBACK, 1)), 0.0)
    assert publisher.events() == [Acknowledged(2)]
    assert publisher.room == 2


@pytest.mark.parametrize(
    "packet",
    [Ack(PacketType.PUBACK, 7), Ack(PacketType.PUBREC, 1), Publish("t", b""), ConnAck(), Bare(PacketType.PINGREQ)],
)
def test_what_a_broker_may_not_say_ends_the_connection(packet: Packet) -> None:
    publisher = opened()
    publisher.publish("t", b"", 1, 0.0)
    publisher.receive(encode(packet), 0.0)
    assert isinstance(publisher.events()[0], Failed)
    assert publisher.room == 0
    assert publisher.next_timer() is None


def test_a_second_puback_ends_the_connection() -> None:
    publisher = opened()
    publisher.publish("t", b"", 1, 0.0)
    publisher.publish("t", b"", 2, 0.0)
    for _ in range(2):
        publisher.receive(encode(Ack(PacketType.PUBACK, 2)), 0.0)
    assert isinstance(publisher.events()[0], Failed)


def test_a_refusal_is_told() -> None:
    publisher = MqttPublisher(Connect("hss"))
    publisher.connected(0.0)
    publisher.receive(encode(ConnAck(5)), 0.0)
    assert publisher.events() == [Failed("the broker refuses: not authorized")]


def test_a_broker_that_falls_silent_is_given_up() -> None:
    publisher = opened(answer=10.0)
    publisher.publish("t", b"", 1, 5.0)
    timer = publisher.next_timer()
    assert timer is not None
    assert timer == (15.0, False)
    publisher.on_timer(14.9)
    assert publisher.events() == []
    publisher.on_timer(15.0)
    assert publisher.events() == [Failed("no PUBACK within 10 s")]


def test_an_idle_connection_is_kept_alive() -> None:
    publisher = opened()
    assert publisher.next_timer() == (60.0, True)
    publisher.on_timer(60.0)
    assert publisher.data_to_send() == [bytes.fromhex("c000")]
    assert publisher.next_timer() == (70.0, False)
    publisher.receive(bytes.fromhex("d000"), 61.0)
    assert publisher.next_timer() == (120.0, True)
    publisher.on_timer(120.0)
    publisher.on_timer(130.0)
    assert publisher.events() == [Failed("no PINGRESP within 10 s")]


def test_identifiers_go_round_and_are_never_zero() -> None:
    publisher = opened(window=1)
    for tag in range(1, 70_000):
        publisher.publish("t", b"", tag, 0.0)
        octets = publisher.data_to_send()[0]
        identifier = int.from_bytes(octets[5:7], "big")
        assert identifier == (tag - 1) % 65535 + 1
        publisher.receive(encode(Ack(PacketType.PUBACK, identifier)), 0.0)
    assert len(publisher.events()) == 69_999


# -- the broker


def test_a_message_goes_to_whom_it_concerns_once_and_with_the_lower_qos() -> None:
    broker = Broker()
    a, b, c = Client(broker, "a"), Client(broker, "b"), Client(broker, "c")
    assert a.say(Subscribe(1, (("x/+", 2), ("x/#", 0)))) == [SubAck(1, (1, 0))]
    b.say(Subscribe(1, (("x/y", 0),)))
    c.say(Subscribe(1, (("z", 1),)))
    sender = Client(broker, "s")
    sender.hear()
    assert sender.say(Publish("x/y", b"1", 1, identifier=9)) == [Ack(PacketType.PUBACK, 9)]
    assert a.hear() == [Publish("x/y", b"1", 1, identifier=2)]
    assert b.hear() == [Publish("x/y", b"1")]
    assert c.hear() == []
    assert a.say(Unsubscribe(2, ("x/+", "x/#"))) == [Ack(PacketType.UNSUBACK, 2)]
    sender.say(Publish("x/y", b"2", 1, identifier=10))
    assert a.hear() == []


def test_what_waits_for_a_kept_session_outlives_its_connection() -> None:
    broker = Broker()
    ops = Client(broker, clean=False)
    ops.say(Subscribe(1, (("#", 1),)))
    ops.connection.lost()
    sender = Client(broker, "s")
    for number in range(300):
        sender.say(Publish("t", b"%d" % number, 1, identifier=number + 1))
    ops = Client(broker, clean=False)
    assert ops.heard[0] == ConnAck(session_present=True)
    taken = [each.payload for each in ops.heard if isinstance(each, Publish)]
    assert taken == [b"%d" % number for number in range(mqtt_broker.WINDOW)]  # as far as the window allows
    ops.connection.lost()
    ops = Client(broker, clean=False)
    for each in [each for each in ops.heard if isinstance(each, Publish)]:
        ops.connection.receive(encode(Ack(PacketType.PUBACK, each.identifier)), 0.0)
    rest = ops.take()
    assert [b"%d" % n for n in range(mqtt_broker.WINDOW)] + rest == [b"%d" % n for n in range(300)]
    assert [waiting for _, waiting in broker.kept_sessions().values()] == [0]


def test_a_clean_connection_ends_a_kept_session() -> None:
    broker = Broker()
    Client(broker, clean=False).say(Subscribe(1, (("#", 1),)))
    assert Client(broker).heard == [ConnAck()]
    assert broker.kept_sessions() == {}


def test_messages_beyond_the_queue_of_an_absent_client_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_broker, "MOST_QUEUED", 2)
    broker = Broker()
    ops = Client(broker, clean=False)
    ops.say(Subscribe(1, (("#", 1),)))
    ops.connection.lost()
    sender = Client(broker, "s")
    for number in range(4):
        sender.say(Publish("t", b"%d" % number, 1, identifier=number + 1))
    assert [each.payload for each in Client(broker, clean=False).heard if isinstance(each, Publish)] == [b"0", b"1"]


def test_further_sessions_are_refused_and_further_topics_not_retained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_broker, "MOST_SESSIONS", 1)
    monkeypatch.setattr(mqtt_broker, "MOST_RETAINED", 1)
    broker = Broker()
    kept = [Client(broker, name, clean=False).heard[0] for name in ("a", "b", "a")]
    assert kept == [ConnAck(), ConnAck(ConnectCode.SERVER_UNAVAILABLE), ConnAck(session_present=True)]
    clean = Client(broker, "b")
    assert Client(broker, "b", clean=False).heard == [ConnAck(ConnectCode.SERVER_UNAVAILABLE)]
    assert not clean.connection.over
    Client(broker, "s").say(Publish("t/a", b"1", 0, retain=True), Publish("t/b", b"2", 0, retain=True))
    assert Client(broker, "c").say(Subscribe(1, (("t/#", 1),)))[1:] == [Publish("t/a", b"1", 0, retain=True)]


def test_a_second_connection_of_a_client_takes_over() -> None:
    broker = Broker()
    first = Client(broker, "a")
    second = Client(broker, "a")
    assert first.connection.over
    assert not second.connection.over
    assert first.connection in broker.touched()


def test_retained_messages_greet_a_new_subscription() -> None:
    broker = Broker()
    Client(broker, "s").say(Publish("state/a", b"up", 1, retain=True, identifier=1), Publish("state/b", b"x"))
    ops = Client(broker)
    assert ops.say(Subscribe(1, (("state/#", 1),)))[1:] == [Publish("state/a", b"up", 1, retain=True, identifier=2)]
    Client(broker, "s").say(Publish("state/a", b"", 1, retain=True, identifier=1))
    assert ops.hear() == [Publish("state/a", b"", 1, identifier=3)]
    late = Client(broker, "late")
    assert late.say(Subscribe(1, (("state/#", 1),)))[1:] == []


@pytest.mark.parametrize(("goodbye", "told"), [(True, []), (False, [b"gone"])])
def test_a_will_is_published_unless_the_client_says_goodbye(goodbye: bool, told: list[bytes]) -> None:  # noqa: FBT001
    broker = Broker()
    ops = Client(broker)
    ops.say(Subscribe(1, (("state/#", 1),)))
    leaving = Client(broker, "s", will=Will("state/s", b"gone", 1))
    if goodbye:
        leaving.say(Bare(PacketType.DISCONNECT))
    leaving.connection.lost()
    assert ops.take() == told


@pytest.mark.parametrize(
    ("connect", "code"),
    [
        (Connect("a", user="ops", password=b"right"), 0),
        (Connect("a", user="ops", password=b"wrong"), 4),
        (Connect("a"), 4),
        (Connect("", clean=False, user="ops", password=b"right"), 2),
        (Connect("a", level=5), 1),
    ],
)
def test_who_may_connect(connect: Connect, code: int) -> None:
    broker = Broker({"ops": "right"})
    connection = broker.open(0.0)
    connection.receive(encode(connect), 0.0)
    assert connection.data_to_send() == [encode(ConnAck(code))]
    assert connection.over is (code != 0)


@pytest.mark.parametrize(
    "packets",
    [
        [Publish("t", b"")],
        [Bare(PacketType.PINGREQ)],
        [Connect("a"), Connect("a")],
        [Connect("a"), Publish("t", b"", 2, identifier=1)],
        [Connect("a"), Ack(PacketType.PUBREL, 1)],
        [Connect("a"), Bare(PacketType.PINGRESP)],
        [Connect("a"), ConnAck()],
        [Connect("a"), SubAck(1, (0,))],
    ],
    ids=str,
)
def test_what_a_client_may_not_say_ends_its_connection_only(packets: list[Packet]) -> None:
    broker = Broker()
    other = Client(broker, "other")
    connection = broker.open(0.0)
    for each in packets:
        connection.receive(encode(each), 0.0)
    assert connection.over
    assert connection.events()[0].reason
    assert other.say(Bare(PacketType.PINGREQ)) == [Bare(PacketType.PINGRESP)]


def test_a_puback_for_nothing_is_let_pass() -> None:
    ops = Client(Broker())
    assert ops.say(Ack(PacketType.PUBACK, 77)) == []
    assert not ops.connection.over


def test_silent_clients_are_given_up() -> None:
    broker = Broker()
    mute = broker.open(0.0)
    assert mute.next_timer() == (10.0, False)
    mute.on_timer(10.0)
    assert mute.over
    ops = Client(broker, keep_alive=20)
    assert ops.connection.next_timer() == (30.0, True)
    ops.say(Bare(PacketType.PINGREQ), now=29.0)
    ops.connection.on_timer(30.0)
    assert not ops.connection.over
    ops.connection.on_timer(59.0)
    assert ops.connection.over


def test_a_subscriber_that_takes_nothing_is_cut_off_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_broker, "MOST_QUEUED", 100)
    broker = Broker()
    slow, quick = Client(broker, "slow"), Client(broker, "quick")
    for each in (slow, quick):
        each.say(Subscribe(1, (("#", 1),)))
    sender = Client(broker, "s")
    taken = []
    for number in range(120):
        sender.say(Publish("t", b"%d" % number, 1, identifier=number + 1))
        taken += quick.take()
    assert slow.connection.over
    assert taken == [b"%d" % number for number in range(120)]
