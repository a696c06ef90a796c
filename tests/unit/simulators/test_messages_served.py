"""Gateway, service centre and MME each in a process of its own, and the centre killed: nothing acknowledged is lost."""

from __future__ import annotations

import json
import sys
import threading
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from business import ACCOUNTS
from served import NET, Served, serve
from smpp_sender import OUTSTANDING, Sender
from typer.testing import CliRunner
from waiting import reserved_port, until

from simwarden.cli.main import app
from simwarden.scenario.load import Loader
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.trace.events import StateChange
from simwarden.wire.smpp import Address, Command, Pdu, ShortMessage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs loopback addresses beside 127.0.0.1"),
]
CODE, CENTRE, CARDS, MESSAGES, BEFORE_THE_END = "10658000123", "+8613800100500", 4, 400, 150
#: class 0 (TS 23.038 4), by which the last message is known
FLASH = 0xF0
STORY = f"""\
scenario: Meters that are written to
network:
  mme: {{sms: {{centres: {{smsc: "{CENTRE}"}}}}}}
  hss: {{centres: {{smsc: "{CENTRE}"}}}}
  smsc: {{type: smsc, gateways: {{gateway: {{password: secret, codes: ["{CODE}"]}}}}}}
  sms_gateway:
    password: secret
    accounts: {{waterworks: {{system_id: meters, password: s3cret}}}}
    codes: {{"{CODE}": {{account: waterworks}}}}
cards:
  cards:
    count: {CARDS}
    profile: meter
    functions: [sms, data]
    service_centre: "{CENTRE}"
    sms: [{{by: smsc, numbers: ["{CODE}"]}}, {{by: sms_gateway, account: waterworks, numbers: ["{CODE}"]}}]
devices:
  meters: {{count: {CARDS}, type: module, sms: true, sms_room: {2 * MESSAGES}}}
steps:
  - insert: {{card: cards, into: meters}}
    expect: inserted
  - power_on: meters
    expect: accepted
  - expect: {{within: 240 s, meters-1: {{sms: {{message_class: 0}}}}}}
"""


@dataclass
class Net:
    """Where the processes are, and what they hold."""

    folder: Path
    settings: dict[str, dict[str, Any]]
    numbers: list[str]
    #: what the meters took: by text, the time stamps of the centre
    received: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    attached: int = 0

    def look(self, event: object) -> None:
        """Count what the meters take, and that they are attached."""
        if isinstance(event, StateChange) and event.observable == "sms":
            self.received[event.value["text"]].append(event.value["time"])
        elif isinstance(event, StateChange) and event.observable == "attach" and event.value == "accepted":
            self.attached += 1

    def serve(self, name: str) -> Any:
        """Serve an element as its settings say."""
        return serve(self.folder, name, self.settings[name])


@contextmanager
def net(folder: Path) -> Iterator[Net]:
    story = folder / "story.yaml"
    story.write_text(STORY)
    for element in ("hss", "smsc", "sms_gateway"):
        cards = CliRunner().invoke(app, ["export", str(story), "--element", element]).output
        (folder / f"{element}-cards.yaml").write_text(cards)
    numbers = [card.keys.msisdn for card in Loader().load("story.yaml", STORY).cards.values()]
    with reserved_port() as s6a, reserved_port() as sgd, reserved_port() as smpp:
        dedicated = {"smsc": CENTRE}
        yield Net(
            folder,
            {
                "hss": {
                    "settings": {"centres": dedicated},
                    "listen": {"S6a": f"127.0.0.1:{s6a}"},
                    "subscribers": "hss-cards.yaml",
                },
                "mme": {
                    "settings": {"sms": {"centres": dedicated}, "equipment": {"unreachable": "admit"}},
                    "listen": {"S1-MME": "127.0.0.1:0", "S11": f"{NET}.21:2123"},
                    "peers": {
                        "hss": f"127.0.0.1:{s6a}",
                        "eir": "127.0.0.1:9",
                        "sgw": f"{NET}.22:2123",
                        "pgw": f"{NET}.23:2123",
                        "smsc": f"127.0.0.1:{sgd}",
                    },
                    "transport": "tcp",
                },
                "smsc": {
                    "settings": {"gateways": {"gateway": {"password": "secret", "codes": [CODE]}}, "retry": [1]},
                    "listen": {"SGd": f"127.0.0.1:{sgd}", "SMPP": f"127.0.0.1:{smpp}"},
                    "peers": {"hss": f"127.0.0.1:{s6a}"},
                    "store": f"sqlite:///{folder / 'smsc.db'}",
                    "subscribers": "smsc-cards.yaml",
                },
                "sms_gateway": {
                    "settings": {
                        "password": "secret",
                        "accounts": {"waterworks": ACCOUNTS["waterworks"]},
                        "codes": {CODE: {"account": "waterworks"}},
                        "retry": 1,
                    },
                    "listen": {"SMPP": "127.0.0.1:0", "CMPP": "127.0.0.1:0"},
                    "peers": {"smsc": f"127.0.0.1:{smpp}"},
                    "store": f"sqlite:///{folder / 'gateway.db'}",
                    "subscribers": "sms_gateway-cards.yaml",
                },
            },
            numbers,
        )


def submit(sender: Sender, numbers: list[str], texts: range, *, window: int = OUTSTANDING) -> None:
    """Have messages acknowledged, each of them, to the cards in turn."""
    waiting = [Pdu(Command.SUBMIT_SM, each + 2, 0, message(numbers[each % len(numbers)], str(each))) for each in texts]
    under_way = 0
    while waiting or under_way:
        some, waiting = waiting[: window - under_way], waiting[window - under_way :]
        sender.send(*some)
        answers = sender.receive()
        assert {each.status for each in answers} == {0}
        under_way += len(some) - len(answers)


def message(to: str, text: str, coding: int = 0) -> ShortMessage:
    to_card = Address(to, 0, 1)
    return ShortMessage(source=Address(CODE), destination=to_card, data_coding=coding, short_message=text.encode())


def lead(where: Net, gateway: Served) -> None:
    """Write to the meters, kill the centre while it delivers, have it back, and tell a meter when all is over."""
    assert until(lambda: where.attached == CARDS)
    sender = Sender(gateway.where["SMPP"])
    with where.serve("smsc") as first:
        submit(sender, where.numbers, range(MESSAGES))
        assert until(lambda: len(where.received) >= BEFORE_THE_END)
        first.process.kill()
    assert len(where.received) < MESSAGES, "it was over before it was killed"
    with where.serve("smsc") as second:
        submit(sender, where.numbers, range(MESSAGES, MESSAGES + CARDS))
        assert until(lambda: len(where.received) == MESSAGES + CARDS)
        sender.send(Pdu(Command.SUBMIT_SM, 2, 0, message(where.numbers[0], "all told", FLASH)))
        assert until(lambda: "all told" in where.received)
        assert first.faults() + second.faults() + gateway.faults() == ""
    sender.close()


def test_the_centre_killed_between_gateway_and_mme(tmp_path: Path) -> None:
    faults: list[BaseException] = []
    with net(tmp_path) as where, where.serve("hss"), where.serve("mme") as mme, where.serve("sms_gateway") as gateway:
        s1 = "{}:{}".format(*mme.where["S1-MME"])
        elsewhere = {
            "mme": {"external": {"S1-MME": s1, "S11": f"{NET}.21:2123"}},
            "hss": {"external": "127.0.0.1:9"},
            "smsc": {"type": "smsc", "external": "127.0.0.1:9"},
            "sms_gateway": {"external": "127.0.0.1:9"},
            "sgw": {"address": f"{NET}.22"},
            "pgw": {"address": f"{NET}.23"},
            "transport": {"S1-MME": "tcp"},
        }
        (tmp_path / "network.yaml").write_text(json.dumps({"network": elsewhere}))

        def drive() -> None:
            try:
                lead(where, gateway)
            except BaseException as error:  # noqa: BLE001 - told below, by the thread that may fail
                faults.append(error)

        driver = threading.Thread(target=drive)
        driver.start()
        story = Loader(network_file=str(tmp_path / "network.yaml")).load("story.yaml", STORY)
        result = run_scenario(story, "s", RunOptions(), sink=where.look)
        driver.join()
        assert faults == []
        assert result.verdict is Verdict.PASSED, result.failure
        assert mme.faults() == ""
    assert set(where.received) == {str(each) for each in range(MESSAGES + CARDS)} | {"all told"}
    # twice came what a device had answered and the centre could not write any more, one message of a card at most; and
    # what the gateway had no answer for, which the centre takes for another message
    times = [stamps for stamps in where.received.values() if len(stamps) > 1]
    attempts = sum(len(stamps) - len(set(stamps)) for stamps in times)
    submissions = sum(len(set(stamps)) - 1 for stamps in times)
    assert attempts <= CARDS
    assert submissions <= OUTSTANDING
