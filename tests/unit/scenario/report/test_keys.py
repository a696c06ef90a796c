"""No file of a report and no line of a failure shows a key of a card, wherever a scenario gives it (law 13)."""

from __future__ import annotations

import base64
import re
import zlib
from pathlib import Path

import pytest

from simwarden.errors import SimwardenError
from simwarden.scenario import suite
from simwarden.scenario.failure import text_of
from simwarden.scenario.load import Loader
from simwarden.scenario.provisioning import provision_of
from simwarden.scenario.report import write_report
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions

SHIPPED = Path(__file__).parents[4] / "scenarios"
K, OPC, OTHER = (
    "465b5ce8b199b49faa5f0a2ee238a6bc",
    "cd63cb71954a9f4e48a5994e37a02baf",
    "00112233445566778899aabbccddeeff",
)
GIVEN = re.compile(r"\b(?:k|opc)['\"]? *:\s*['\"]?([0-9a-fA-F]{31,32})\b", re.IGNORECASE)
CARD = 'imsi: "001010000000061", iccid: "89001010000000000618", msisdn: "1440000000061"'
EVERYWHERE = f"""\
# K is {K}
scenario: Keys {K} in all places
about: OPc is {OPC}
cards:
  card: {{profile: meter, {CARD}, 'k' : "{K.upper()}", opc:
     {OPC}}}
  other: {{profile: meter}}
devices: {{meter: {{type: module}}}}
steps:
- insert: {{card: card, into: meter}}
- manage:
    element: hss
    put: /cards/001010000000061
    body: {{name: card, {CARD}, k: {OTHER[:-1]}, opc: {OPC}}}
  expect: 400
- manage: {{element: hss, get: /cards/{K}}}
  expect: 404
- expect: {{hss: {{answer: {{status: EXPECTED, body: {{message: "{K}"}}}}}}}}
"""
PROVISIONED = f"""\
scenario: A card is provisioned with other keys
cards: {{card: {{profile: meter, {CARD}, k: {K}, opc: {OPC}}}}}
devices: {{meter: {{type: module}}}}
steps:
- manage:
    element: hss
    put: /cards/001010000000061
    body: {{name: card, {CARD}, k: {OTHER}, opc: {OPC}, profile: meter, form: plug-in}}
  expect: 200
- insert: {{card: card, into: meter}}
- power_on: meter
- expect: {{meter: {{attach: EXPECTED}}}}
"""


def texts_in(folder: Path) -> dict[str, str]:
    """Return the texts of the files of a folder, with the compressed parts of a page."""
    texts = {}
    for path in folder.iterdir():
        data = path.read_bytes()
        text = data.decode("latin-1") + data.hex()
        if path.suffix == ".html":
            packed = [each for each in re.findall(rb"[A-Za-z0-9+/=]{40,}", data) if each.startswith(b"eJ")]
            assert packed
            text += "".join(zlib.decompress(base64.b64decode(each)).decode() for each in packed)
        texts[path.name] = text.lower()
    return texts


def keys_of(path: Path, reference: str) -> set[str]:
    """Return all keys of a run: those that its file gives, and those that are derived for its cards."""
    scenario = Loader().load(reference)
    keys = set(map(str.lower, GIVEN.findall(path.read_text("utf-8"))))
    hss = scenario.registry.declaration("hss")
    for card in scenario.cards.values():
        told = provision_of(card, hss, 0)
        keys |= {str(told.k).lower(), str(told.opc).lower()}
    return {key for key in keys if len(set(key)) > 1}  # zeros are in many messages


def check(path: Path, folder: Path) -> Verdict:
    """Play the cases of a file, look for its keys in the report, and return the verdict of the first."""
    verdicts = [check_case(path, job, folder / str(number)) for number, job in enumerate(suite.find([str(path)]))]
    return verdicts[0]


def check_case(path: Path, job: suite.Job, folder: Path) -> Verdict:
    [result] = suite.run_all([(job, Loader().load(job.reference))], RunOptions(), "", 1)
    write_report([result], folder)
    texts = texts_in(folder)
    assert {"index.html", "junit.xml", "events.jsonl", result.capture_name} <= texts.keys()
    said = text_of(result.failure).lower() if result.failure else ""
    for key in keys_of(path, job.reference):
        assert [name for name, text in texts.items() if key in text] == []
        assert key not in said
        assert key not in result.title
    return result.verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (EVERYWHERE.replace("EXPECTED", "500"), Verdict.FAILED),
        (EVERYWHERE.replace("EXPECTED", "404"), Verdict.FAILED),
        (PROVISIONED.replace("EXPECTED", "rejected"), Verdict.PASSED),
        (PROVISIONED.replace("expect: 200", "expect: 409").replace("EXPECTED", "accepted"), Verdict.FAILED),
        (PROVISIONED.replace("EXPECTED", "accepted"), Verdict.FAILED),
    ],
)
def test_no_report_has_a_key(tmp_path: Path, text: str, verdict: Verdict) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(text)
    assert check(path, tmp_path / "report") is verdict


def test_an_error_of_a_file_does_not_quote_a_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(PROVISIONED.replace(f"k: {K}", f"k: {K[:-1]}").replace("EXPECTED", "rejected"))
    with pytest.raises(SimwardenError) as error:
        Loader().load(path)
    assert "k: " in str(error.value)
    assert K[:-1] not in str(error.value)


@pytest.mark.slow
def test_no_report_of_a_shipped_scenario_with_keys_has_one(tmp_path: Path) -> None:
    files = [path for path in SHIPPED.rglob("*.yaml") if GIVEN.search(path.read_text("utf-8"))]
    assert len(files) > 30
    for path in files:
        check(path, tmp_path / path.stem)
