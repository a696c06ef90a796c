"""`explain` knows each word that a file, an expectation or a page may hold, and guesses what was meant."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from simwarden.cli import explaining_files
from simwarden.cli.main import app
from simwarden.model.interfaces import INTERFACES
from simwarden.scenario.message_fields import message_infos
from simwarden.scenario.messages import message_names
from simwarden.scenario.registry import Registry
from simwarden.trace.dissect import MALFORMED

if TYPE_CHECKING:
    from pathlib import Path

REGISTRY = Registry.installed()
#: messages that stand for something else than a message with fields
_BARE = {MALFORMED, "malformed-nas", "ciphered-nas", "answer-to-reset", "insertion", "response"}


def explain(name: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["explain", name])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("meter", ["use of cards, Meter with a plug-in card", "functions sms, data; form plug-in", "table 2, scene 5"]),
        ("smart-metering", ["智能抄表", "appendix 2(4)", "must have quota (3.3.2(3), 3.2(2))", "risk low", "soldered"]),
        ("智能抄表", ["use of cards, Smart metering"]),
        (
            "wearable",
            ["personal-wearable, or wearable", "must have limited card form (3.3.1(2), 3.2(4))", "actual user"],
        ),
        ("car-rescue", ["variant of car-after-market", "these functions together are not in the guideline"]),
        ("2.1.3(1)", ["bind.hss.given (clause 2.1.3(1) one)", "bind.pool (clause 2.1.3(1) three)"]),
        ("clause 2.1.3 （1） 2", ["2.1.3(1) two: clause", "bind.cmp"]),
        ("1.2", ["fn.sms.directed", "fn.change (clause 1.1-1.3)"]),
        ("4.6", ["reg.check (clause 4.5, 4.6)"]),
        ("appendix 2(4)", ["smart-metering: use", "meter: use"]),
        ("class.uses", ["27 uses", "  smart-metering: Smart metering (智能抄表), appendix 2(4)", "    meter: "]),
        ("appendix", ["  warehouse-video: "]),
        ("车载wifi", ["variant of car-after-market"]),
        ("clause 3", ["class.need", "class.table1"]),
        ("pool", ["bind.pool", "clause 2.1.3(1) three", "mon.separation"]),
        ("misuse", ["contract", "mon.phone", "simwarden matrix"]),
        ("机卡绑定", ["bind.hss.given", "class.large"]),
        ("card-form", ["control of tables 1 to 3", "clause 2.1.2", "uicc, control pre.form"]),
        ("class.form", ["clause 3.2(4)", "卡片限定"]),
        ("#15", ["NO_SUITABLE_CELLS_IN_TRACKING_AREA (15): EmmCause, TS 24.301"]),
        ("S6a", ["interface, diameter, port 3868", "listens: hss", "    update-location-answer"]),
        ("s6a.update-location-answer", ["command 316", "experimental_result: ", "origin_host (always there)"]),
        ("attach-reject", ["uu.attach-reject or s1-mme.attach-reject", "TS 24.301 8.2.3", "emm_cause (always there)"]),
        ("attach-reject.emm_cause", ["field of", "ILLEGAL_ME (6)"]),
        ("service-request", ["TS 24.301 8.2.25", "short_mac (always there)"]),
        ("x2.handover-request", ["X2AP", "target_cell_id (always there)"]),
        ("expect", ["judges a step", "observables"]),
        ("never", ["judges a step", "at any moment since the first verb"]),
        ("wait", ["verb", "90 days"]),
        ("within", ["key of an `expect`"]),
        ("twin", ["key of a scenario", "or a mapping of what differs"]),
        ("set", ["set: key of a scenario"]),
        ("vary", ["key of a scenario", "at most 12"]),
        ("exclude", ["key of a scenario"]),
        ("given", ["key of a scenario", "attached: {meter: card}"]),
        ("with", ["key of any mapping"]),
        ("without", ["key of a `twin`"]),
        ("from", ["key of a `twin`"]),
        ("at_least", ["bound of a number"]),
        ("at_most", ["bound of a number"]),
        ("exchange", ["verb of device", "`dropped` if the flow is over already."]),
        ("opc", ["key of a card"]),
        ("external", ["key of an element in a network file", "inconclusive"]),
        ("tokens", ["key of a `serve` file"]),
        ("hss.mismatch", ["setting of hss", "mismatch.experimental_result"]),
        ("causes.barred", ["setting of mme", "default ESM_FAILURE (19)"]),
        ("binding", ["section of a card, for hss with `by: hss`", "binding.learn"]),
        ("binding.learn", ["in a card, for hss"]),
        ("card.refused", ["event of", "hss", "data: control, requirement"]),
        ("EMM #19", ["ESM_FAILURE (19): EmmCause", "in attach-reject", "T3402 has run out (12 min)"]),
        ("esm cause 33", ["REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED (33): EsmCause", "alone for 12 min"]),
        ("T3346", ["timers.t3346: setting of mme", "T3346: timer of device, 15 min (TS 24.301 5.3.9)"]),
        ("CLR", ["s6a.cancel-location-request", "command 317"]),
        ("ida", ["s6a.insert-subscriber-data-answer"]),
        ("cancel-location", ["s6a.cancel-location-request", "s6a.cancel-location-answer"]),
        ("hss-given", ["method of the matrix", "serves bind.hss.given"]),
        ("movable", ["combination of methods of the matrix: ", "Everything but a card soldered in"]),
        ("clone", ["misuse of the matrix", "simwarden matrix --misuse clone"]),
        ("data", ["service of the matrix", "simwarden matrix --service data"]),
        ("mo-call", ["service of the matrix", "simwarden matrix --service mo-call"]),
        ("LEAK", ["word in a cell of `matrix`", "a day later"]),
        ("delay-hss", ["experiment of `impact`", "simwarden impact --match delay-hss"]),
        ("suspended", ["state of a card", "does not serve it", "resume to active", "active by suspend"]),
        ("closed", ["leads on: nowhere"]),
        ("restore", ["operation on a card", "leads from pre-cancelled to suspended"]),
        ("phase", ["first verb after an `expect`"]),
        ("ILLEGAL_ME", ["EmmCause, TS 24.301", "in attach-reject", "the device holds the card invalid"]),
    ],
)
def test_a_name_is_told(name: str, parts: list[str]) -> None:
    code, output = explain(name)
    assert code == 0
    assert [part for part in parts if part not in output] == [], output


def test_the_cards_of_a_scenario_are_told_with_their_effective_profile(tmp_path: Path) -> None:
    path = tmp_path / "story.yaml"
    card = "{use: smart-metering, functions: [voice, data], large: yes, form: esim}"
    path.write_text(f"scenario: s\ncards:\n  card: {card}\nsteps:\n  - wait: 1 s\n", encoding="utf-8")
    code, output = explain(str(path))
    assert code == 0
    assert "for smart-metering (Smart metering)\n  functions voice, data; form esim" in output
    assert "otherwise than its use says: voice, sms, large, form" in output
    assert "must have limited card form (3.3.1(2), 3.2(4))" in output


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("s6a.update-locaton-answer", "s6a.update-location-answer"),
        ("attach-reject.emm_caus", "attach-reject.emm_cause"),
        ("hss.mismach", "hss.mismatch"),
        ("exspect", "expect"),
        ("video-survailance", "video-surveillance"),
        ("S13a", "S13"),
        ("card.refuse", "card.refused"),
    ],
)
def test_what_was_meant_is_guessed(name: str, meant: str) -> None:
    code, output = explain(name)
    assert code == 2
    assert f"did you mean {meant!r}?" in output


def test_all_names_that_are_guessed_are_told() -> None:
    names = list(dict.fromkeys(explaining_files.names(REGISTRY)))
    assert len(names) > 500
    untold = [name for name in names if not any(list(tell(name, REGISTRY)) for tell in explaining_files.TELLERS)]
    assert untold == []


@pytest.mark.parametrize("interface", ["ME-UICC", "Uu", "S1-MME", "X2", "S6a", "S13"])
def test_each_message_of_a_table_has_its_fields(interface: str) -> None:
    protocol = INTERFACES[interface].protocol
    contacts = {f"{word}{end}" for word in ("atr", "reset", "power-on", "power-off") for end in ("", "-response")}
    untold = {name for name in message_names(protocol) if not message_infos(protocol, name)}
    assert untold <= _BARE | (contacts if protocol == "apdu" else set())


@pytest.mark.slow
def test_no_database_is_loaded_to_explain_a_word() -> None:
    code = (
        "import sys; from simwarden.cli.explaining import explain_name; explain_name('bind.hss.learned');"
        "explain_name('#8'); sys.exit('sqlalchemy' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)  # noqa: S603 - our own
