"""HSS, MME, service centre and gateway in processes of their own, and meters of a run that are written to."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from business import ACCOUNTS
from served import NET, Served, serve
from smpp_sender import OUTSTANDING, Sender
from typer.testing import CliRunner
from waiting import reserved_port, until

from simwarden.cli.main import app
from simwarden.scenario.load import Loader
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.trace.events import StateChange
from simwarden.wire.smpp import Address, Command, Pdu, ShortMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from simwarden.scenario.result import ScenarioResult

CODE, CENTRE = "10658000123", "+8613800100500"
#: class 0 (TS 23.038 4), by which the last message is known
FLASH = 0xF0
_STORY = """\
scenario: Meters that are written to
network:
  enb: {inactivity: 0}
  mme: {sms: {centres: {smsc: "CENTRE"}}}
  hss: {centres: {smsc: "CENTRE"}}
  smsc: {type: smsc, gateways: {gateway: {password: secret, codes: ["CODE"]}}}
  sms_gateway:
    password: secret
    accounts: {waterworks: {system_id: meters, password: s3cret}}
    codes: {"CODE": {account: waterworks}}
cards:
  cards:
    count: COUNT
    profile: meter
    functions: [sms, data]
    service_centre: "CENTRE"
    sms: [{by: smsc, numbers: ["CODE"]}, {by: sms_gateway, account: waterworks, numbers: ["CODE"]}]
devices:
  meters: {count: COUNT, type: module, sms: true, sms_room: 10000}
steps:
  - insert: {card: cards, into: meters}
    expect: inserted
  - power_on: meters
    expect: accepted
  - expect: {within: 400 s, meters-1: {sms: {message_class: 0}}}
"""


@dataclass
class Net:
    """Where the processes are, and what they hold."""

    folder: Path
    story: str
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

    @contextmanager
    def serve(self, name: str) -> Iterator[Served]:
        """Serve an element as its settings say."""
        with serve(self.folder, name, self.settings[name]) as served:
            yield served

    def run(self, mme: Served, lead: Callable[[], None]) -> ScenarioResult:
        """Have the meters in service at the MME until one has the last message, and meanwhile do what `lead` does."""
        faults: list[BaseException] = []
        s1 = "{}:{}".format(*mme.where["S1-MME"])
        elsewhere: dict[str, Any] = {
            "mme": {"external": {"S1-MME": s1, "S11": f"{NET}.21:2123"}},
            "hss": {"external": "127.0.0.1:9"},
            "smsc": {"type": "smsc", "external": "127.0.0.1:9"},
            "sms_gateway": {"external": "127.0.0.1:9"},
            "sgw": {"address": f"{NET}.22"},
            "pgw": {"address": f"{NET}.23"},
            "transport": {"S1-MME": "tcp"},
        }
        (self.folder / "network.yaml").write_text(json.dumps({"network": elsewhere}))

        def drive() -> None:
            try:
                lead()
            except BaseException as error:  # noqa: BLE001 - told below, by the thread that may fail
                faults.append(error)

        driver = threading.Thread(target=drive)
        driver.start()
        story = Loader(network_file=str(self.folder / "network.yaml")).load("story.yaml", self.story)
        result = run_scenario(story, "s", RunOptions(), sink=self.look)
        driver.join()
        if faults:
            raise faults[0]
        assert mme.faults() == ""
        return result

    def tell_the_end(self, sender: Sender) -> None:
        """Send the message that ends the story, and wait until it has come."""
        sender.send(Pdu(Command.SUBMIT_SM, 2, 0, message(self.numbers[0], "all told", FLASH)))
        assert until(lambda: "all told" in self.received)


@contextmanager
def net(folder: Path, cards: int) -> Iterator[Net]:
    """Reserve ports, and write the files of all processes."""
    text = _STORY.replace("CENTRE", CENTRE).replace("CODE", CODE).replace("COUNT", str(cards))
    story = folder / "story.yaml"
    story.write_text(text)
    for element in ("hss", "smsc", "sms_gateway"):
        provisioned = CliRunner().invoke(app, ["export", str(story), "--element", element]).output
        (folder / f"{element}-cards.yaml").write_text(provisioned)
    numbers = [card.keys.msisdn for card in Loader().load("story.yaml", text).cards.values()]
    with reserved_port() as s6a, reserved_port() as sgd, reserved_port() as smpp:
        dedicated = {"smsc": CENTRE}
        yield Net(
            folder,
            text,
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
