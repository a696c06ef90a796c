"""freeDiameter in the place of an MME, and of a service centre: short messages over SGd and S6c."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from freediameter import NEEDED, REALM, Answer, Client, Cutter, build, group, request
from served import card, serve
from smpp_sender import Sender
from waiting import reserved_port, until

from simwarden.scenario.load import Loader
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.wire.smpp import Address, Command, Pdu, ShortMessage

if TYPE_CHECKING:
    from pathlib import Path

MISSING = " ".join(name for name, found in NEEDED.items() if not found)
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING} (apt install {MISSING})"),
]
IMSI, NUMBER, CODE = "001010000000001", "1440000000001", "10658000"
E164 = f"86{NUMBER}"
OURS, THEIRS, NOBODYS = "8613800100500", "8613800100501", "8613800100502"
#: SMS-SUBMIT (TS 23.040 9.2.2.2) of 8-bit data to the listed code and to another one, SMS-DELIVER (9.2.2.1) of the code
SUBMIT, OTHER = (f"0x012a0881{to}00040568656c6c6f" for to in ("01560800", "01560890"))
DELIVER = "0x040881015608000004622072800000000568656c6c6f"


def tbcd(digits: str) -> str:
    """Write digits in telephony binary coded decimal, as a script has octets."""
    filled = digits + "f" * (len(digits) % 2)
    return "0x" + "".join(filled[at + 1] + filled[at] for at in range(0, len(filled), 2))


def user(number: str = E164) -> str:
    return group("User-Identifier", f"MSISDN {tbcd(number)}")


def srr(centre: str = THEIRS) -> str:
    fields = (f"MSISDN {tbcd(E164)}", f"SC-Address {tbcd(centre)}")
    return request("Send-Routing-Info-for-SM-Request", "hss", *fields)


def rdr(cause: int) -> str:
    outcome = group("SM-Delivery-Outcome", group("MME-SM-Delivery-Outcome", f"SM-Delivery-Cause {cause}"))
    return request("Report-SM-Delivery-Status-Request", "hss", user(), f"SC-Address {tbcd(THEIRS)}", outcome)


def ofr(tpdu: str, centre: str = OURS, number: str = E164) -> str:
    fields = (f"SC-Address {tbcd(centre)}", user(number), f"SM-RP-UI {tpdu}")
    return request("MO-Forward-Short-Message-Request", "smsc", *fields)


def tfr(imsi: str = IMSI, centre: str = THEIRS) -> str:
    fields = (f"User-Name {imsi}", f"SC-Address {tbcd(centre)}", f"SM-RP-UI {DELIVER}")
    return request("MT-Forward-Short-Message-Request", "mme", *fields)


def ulr() -> str:
    """Register the MME for the card's messages (TS 29.272 5.2.1.1.2): SMS in MME is bit 0 of list 2."""
    features = group("Supported-Features", "Vendor-Id 10415", "Feature-List-ID 2", "Feature-List 1")
    terminal = group("Terminal-Information", "IMEI 99000101000001", "Software-Version 01")
    sms = (features, "SMS-Register-Request 0", f"MME-Number-for-MT-SMS {tbcd('8613440000001')}")
    fields = (f"User-Name {IMSI}", terminal, "RAT-Type 1004", "ULR-Flags 162", "Visited-PLMN-Id 0x00f110", *sms)
    return request("Update-Location-Request", "hss", *fields)


MME_SCRIPT = [
    (ulr(), 2001),
    (ofr(SUBMIT), 2001),
    (ofr(OTHER), 5555),
    (ofr(SUBMIT, NOBODYS), 5555),
    (ofr(SUBMIT, number="8613900000001"), 5555),
    (ofr("0x01"), 5555),
]
CENTRE_SCRIPT = [
    (srr(), 5550),
    ("await\n", 0),
    (srr(), 2001),
    (srr(NOBODYS), 5101),
    (rdr(1), 2001),
    (rdr(2), 2001),
    ("await\n", 0),  # it waits for the card again since it said that it was absent
]


def provision() -> dict[str, Any]:
    known = card(1) | {"functions": ["sms", "data"], "msisdn": NUMBER, "imsi": IMSI}
    return known | {"sections": {"sms": [{"by": "smsc", "numbers": [CODE]}]}}


@pytest.fixture(name="talk", scope="module")
def _talk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Answer]]:
    """A centre of freeDiameter waits for a card that an MME of freeDiameter registers; our centre writes to it."""
    folder = tmp_path_factory.mktemp("freediameter")
    build(folder)
    (folder / "cards.json").write_text(json.dumps({"subscribers": [provision()]}))
    hss = {
        "settings": {
            "peers": {"mme": {"home_province": True}},
            "centres": {"smsc": f"+{OURS}", "centre": f"+{THEIRS}"},
        },
        "listen": {"S6a": "127.0.0.1:0"},
        "subscribers": "cards.json",
    }
    gateways = {"gateway": {"password": "secret", "codes": [CODE]}}
    with ExitStack() as stack:
        register = stack.enter_context(serve(folder, "hss", hss))
        port = register.where["S6a"][1]
        smsc = {
            "settings": {"number": f"+{OURS}", "gateways": gateways},
            "listen": {"SGd": "127.0.0.1:0", "SMPP": "127.0.0.1:0"},
            "peers": {"hss": f"127.0.0.1:{port}"},
            "subscribers": "cards.json",
        }
        ours = stack.enter_context(serve(folder, "smsc", smsc))
        cutters = [Cutter(port), Cutter(ours.where["SGd"][1])]
        for each in cutters:
            stack.callback(each.close)
        centre = Client(folder, "centre", "".join(text for text, _ in CENTRE_SCRIPT), {"hss": cutters[0].port})
        stack.callback(centre.kill)
        assert until(lambda: centre.came() or centre.process.poll() is not None)
        script = "".join(text for text, _ in MME_SCRIPT) + "await\n"
        mme = Client(folder, "mme", script, {"hss": cutters[0].port, "smsc": cutters[1].port})
        stack.callback(mme.kill)
        assert until(lambda: mme.came() >= len(MME_SCRIPT) or mme.process.poll() is not None)
        gateway = Sender(ours.where["SMPP"], "gateway", "secret")
        stack.callback(gateway.close)
        body = ShortMessage(source=Address(CODE), destination=Address(NUMBER), short_message=b"hello")
        gateway.send(Pdu(Command.SUBMIT_SM, 2, 0, body))
        assert gateway.receive()[0].status == 0
        found = {"mme": mme.answers(), "centre": centre.answers()}
        assert register.faults() + ours.faults() == ""
    return found


def test_requests_are_answered_as_the_specification_says(talk: dict[str, list[Answer]]) -> None:
    assert [each.result for each in talk["mme"][: len(MME_SCRIPT)]] == [result for _, result in MME_SCRIPT]
    answers = [each for each in talk["centre"] if each.command != "Alert-Service-Centre-Request"]
    assert [each.result for each in answers] == [result for _, result in CENTRE_SCRIPT if result]


def test_every_message_keeps_to_the_grammar(talk: dict[str, list[Answer]]) -> None:
    assert {(each.command, each.grammar) for each in talk["mme"] + talk["centre"]} == {
        ("Update-Location-Answer", "ok"),
        ("MO-Forward-Short-Message-Answer", "ok"),
        ("MT-Forward-Short-Message-Request", "ok"),
        ("Send-Routing-Info-for-SM-Answer", "ok"),
        ("Report-SM-Delivery-Status-Answer", "ok"),
        ("Alert-Service-Centre-Request", "ok"),
    }


def test_the_centre_that_waited_is_alerted_when_the_card_is_registered(talk: dict[str, list[Answer]]) -> None:
    alert, _ = [each for each in talk["centre"] if each.command == "Alert-Service-Centre-Request"]
    assert (alert.avps["SC-Address"], alert.avps["MSISDN"]) == (tbcd(THEIRS), tbcd(E164))
    assert int(talk["mme"][0].avps["ULA-Flags"]) & 2, "the MME is registered for messages"


def test_the_dedicated_centre_hears_where_the_card_is_and_another_address_nothing(
    talk: dict[str, list[Answer]],
) -> None:
    absent, found, refused = [each for each in talk["centre"] if each.command.startswith("Send-Routing")]
    assert (found.avps["User-Name"], found.avps["MME-Name"]) == (IMSI, f"mme.{REALM}")
    assert found.avps["MME-Number-for-MT-SMS"] == tbcd("8613440000001")
    for each in (absent, refused):
        assert not {"User-Name", "MME-Name", "MME-Number-for-MT-SMS"} & set(each.avps)


def test_refusals_say_why_in_both_layers(talk: dict[str, list[Answer]]) -> None:
    taken, unlisted, foreign, unknown, unreadable = talk["mme"][1 : len(MME_SCRIPT)]
    assert taken.avps["SM-RP-UI"].startswith("0x01"), "a SUBMIT REPORT"
    told = [
        (each.avps["SM-Enumerated-Delivery-Failure-Cause"], each.avps["SM-RP-UI"][4:6])
        for each in (unlisted, foreign, unknown, unreadable)
    ]
    # invalid SME address with C4, unknown service centre with C2, user not an SC user with C1, B0 (TS 23.040 9.2.3.22)
    assert told == [("5", "c4"), ("3", "c2"), ("6", "c1"), ("5", "b0")]


def test_our_centre_delivers_to_the_mme_that_the_register_names(talk: dict[str, list[Answer]]) -> None:
    delivered = talk["mme"][-1].avps
    assert (delivered["User-Name"], delivered["SC-Address"]) == (IMSI, tbcd(OURS))
    assert delivered["MME-Number-for-MT-SMS"] == tbcd("8613440000001")
    # SMS-DELIVER of the code in septets
    assert delivered["SM-RP-UI"].startswith("0x04088001560800")
    assert delivered["SM-RP-UI"].endswith("05e8329bfd06")


STORY = f"""\
scenario: A meter writes to a centre of freeDiameter, and is written to
network:
  mme: {{sms: {{centres: {{centre: "+{THEIRS}"}}}}}}
  centre: {{type: smsc, external: "127.0.0.1:PORT"}}
cards:
  card: {{profile: meter, functions: [sms, data], imsi: "{IMSI}", msisdn: "{NUMBER}", service_centre: "+{THEIRS}"}}
devices:
  meter: {{type: module, sms: true}}
steps:
  - insert: {{card: card, into: meter}}
  - power_on: meter
    expect: accepted
  - send_sms: {{device: meter, to: "{CODE}", text: hello}}
    expect: accepted
  - expect: {{within: 60 s, meter: {{sms: {{originator: "{CODE}"}}}}}}
  - wait: 1 s
"""


def test_our_mme_and_a_centre_of_freediameter(tmp_path: Path) -> None:
    build(tmp_path)
    script = "await\n" + tfr() + tfr(centre=NOBODYS) + tfr("001010000000099") + "wait 5\n"
    with reserved_port() as port:
        centre = Client(tmp_path, "centre", script, {}, at=port, caller="mme")
        try:
            result = run_scenario(Loader().load("s.yaml", STORY.replace("PORT", str(port))), "s", RunOptions())
            asked, delivered, refused, unknown = centre.answers()
        finally:
            centre.kill()
    assert result.verdict is Verdict.PASSED, result.failure
    assert {each.grammar for each in (asked, delivered, refused, unknown)} == {"ok"}
    assert asked.command == "MO-Forward-Short-Message-Request"
    assert (asked.avps["SC-Address"], asked.avps["MSISDN"]) == (tbcd(THEIRS), tbcd(E164))
    assert asked.avps["SM-RP-UI"].endswith("05e8329bfd06")
    assert (delivered.result, delivered.avps["SM-RP-UI"][:4]) == (2001, "0x00")
    assert [each.result for each in (refused, unknown)] == [5557, 5001]
