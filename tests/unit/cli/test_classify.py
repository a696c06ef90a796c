"""`classify`: uses, flags and files of cards, wrong lines, encodings and exit codes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from simwarden.cli.card_table import COLUMNS
from simwarden.cli.main import app
from simwarden.cli.shipped import shipped
from simwarden.model.profile import use_names

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

HEAD = "imsi,msisdn,use,functions,data_list,sms_list,quota,binding,form,area,blacklist,monitoring"
GOOD = "001010000000001,1440000000001,smart-metering,,,1069012,30 MB,hss,soldered,enb/1,yes,yes"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def table(folder: Path, *lines: str, head: str = HEAD, encoding: str = "utf-8") -> Path:
    path = folder / "cards.csv"
    path.write_bytes("\r\n".join([head, *lines, ""]).encode(encoding))
    return path


@pytest.mark.parametrize("name", [*use_names(), "Smart Metering", "smart_metering", "车载wifi", "pad类办公设备"])
def test_every_use_is_told_by_all_its_names(name: str) -> None:
    result = run("classify", name)
    assert result.exit_code == 0
    assert "table " in result.output


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (
            ["--voice", "--sms", "--data", "--large"],
            ["table 1, scene 4 (3.3.1(2))", "limited card form (3.3.1(2), 3.2(4))"],
        ),
        (["--voice", "--large"], ["functions voice, data", "not in the guideline", "by real name"]),
        (["--sms"], ["table 2, scene 2", "not in the guideline", "must have directed SMS"]),
        (
            ["--data", "--directed", "--large", "--fixed"],
            ["table 3, scene 1", "binding (3.3.3(1), 3.2(3))", "(3.2(5))"],
        ),
        (["--fixed"], ["functions none", "area restriction (3.2(5))"]),
        (["smart-metering", "--voice"], ["table 1, scene 5", "directed voice (3.3.1(3), 3.2(1))"]),
        (["smart-metering", "--no-sms"], ["table 3, scene 5"]),
        (["智能抄表"], ["smart-metering: Smart metering"]),
    ],
)
def test_functions_and_attributes_are_classified(arguments: list[str], parts: list[str]) -> None:
    result = run("classify", *arguments)
    assert result.exit_code == 0
    assert [part for part in parts if part not in result.output] == [], result.output


def test_a_classification_as_json() -> None:
    told = json.loads(run("classify", "meter", "--json").output)
    assert (told["use"], told["table"], told["scene"], told["registration"]) == ("meter", 2, 5, "unit-may")
    assert {"control": "quota", "clauses": ["3.3.2(3)", "3.2(2)"]} in told["must_have"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["smart-meterng"], "did you mean 'smart-metering'?"),
        ([], "say a use, functions"),
        (["nothing.csv"], "cannot be read"),
        (["smart-metering", "--given", "magic"], "no control is called 'magic'"),
    ],
)
def test_what_cannot_be_classified(arguments: list[str], said: str, tmp_path: Path) -> None:
    result = run("classify", *(arguments if "--given" not in arguments else [table(tmp_path, GOOD), *arguments[1:]]))
    assert result.exit_code == 2
    assert said in result.output


# -- an operator's cards


def test_a_card_that_has_all_fits(tmp_path: Path) -> None:
    result = run("classify", table(tmp_path, GOOD))
    assert result.exit_code == 0, result.output
    assert "smart-metering, scene 2.5  fits; must have directed-sms, area, quota" in result.output
    assert "1 cards: 1 fit, 0 lack something" in result.output


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",hss,", ",no,", "lacks binding (3.3.2(3))"),
        (",hss,", ",无,", "lacks binding"),
        (",enb/1,", ",,", "lacks area restriction (3.3.2(3), 3.2(5))"),
        (",yes,yes", ",social video,yes", "lacks blacklist"),
        (",30 MB,", ",unlimited,", "lacks quota"),
        (",1069012,", ",,", "lacks directed SMS"),
        ("1440000000001", "13800000000", "lacks dedicated number: 13800000000 is a public mobile number"),
        ("1440000000001", "+861440000000001", "1 fit"),
        ("1440000000001", "", "1 fit"),
        (",soldered,", ",贴片卡,", "1 fit"),
        ("smart-metering", "智能抄表", "1 fit"),
        (",yes,yes", ",社交;视频;购物;游戏,有", "1 fit"),
        (
            "smart-metering,,",
            "smart-metering,语音;短信;流量,",
            "without need: voice: smart-metering needs none (3.1.2)",
        ),
        ("smart-metering,,", "smart-metering,data,", "a list for SMS, which is not opened"),
        ("smart-metering,,,", "smart-metering,,192.0.2.1,", "192.0.2.1: names no port (3.1.2)"),
        (",30 MB,", ",2 GB,", "a quota of 2000 MB, and the use needs at most 100 MB"),
        ("smart-metering,,", ",sms data,", "lacks a use (3.1.2)"),
    ],
)
def test_one_fact_decides(old: str, new: str, said: str, tmp_path: Path) -> None:
    result = run("classify", table(tmp_path, GOOD.replace(old, new, 1)))
    assert said in result.output
    assert result.exit_code == (0 if said == "1 fit" else 1)


@pytest.mark.parametrize("column", ["quota", "binding", "area", "blacklist", "monitoring", "sms_list"])
def test_what_a_file_does_not_tell_a_card_does_not_have(column: str, tmp_path: Path) -> None:
    place = HEAD.split(",").index(column)
    head, line = (",".join(text.split(",")[:place] + text.split(",")[place + 1 :]) for text in (HEAD, GOOD))
    assert run("classify", table(tmp_path, line, head=head)).exit_code == 1
    if column in ("binding", "area", "blacklist", "monitoring"):
        assert run("classify", table(tmp_path, line, head=head), "--given", column).exit_code == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (GOOD.replace("001010000000001", "00101x"), "IMSI must be 6 to 15 digits"),
        (GOOD.replace("001010000000001", "1.01E+14"), "a spreadsheet has rounded it"),
        (GOOD, "001010000000001 stands in a line before"),
        (GOOD + ",more", "13 cells, and the head has 12 columns"),
        ("001010000000009", "1 cells"),
        ("001010000000009,,smart-meter,,,,,,,,,", "use: no use is called 'smart-meter'"),
        ("001010000000009,,,,,,,,,,,", "neither a use nor functions"),
        ("001010000000009,,,fax,,,,,,,,", "functions: 'fax' is not one of voice, sms, data"),
        ("001010000000009,,meter,,a b:c,,,,,,,", "data_list: "),
        ("001010000000009,,meter,,,call me,,,,,,", "sms_list: 'call' is no number"),
        ("001010000000009,,meter,,,,much,,,,,", "quota: 'much' is no volume"),
        ("001010000000009,,meter,,,,-1,,,,,", "quota: "),
        (f"001010000000009,,meter,,,,{'9' * 400},,,,,", "quota: '99999999999999999999' is more than a network"),
        ("001010000000009,,meter,,,,,glue,,,,", "binding: 'glue' is no binding"),
        ("001010000000009,,meter,,,,,000000000000000,,,,", "binding: IMEI 000000000000000 is no terminal's"),
        ("001010000000009,,meter,,,,,,round,,,", "form: 'round' is no form"),
        ("001010000000009,,meter,,,,,,,,,perhaps", "monitoring: 'perhaps' is neither yes nor no"),
    ],
)
def test_wrong_lines_are_named_and_the_others_judged(wrong: str, said: str, tmp_path: Path) -> None:
    path = table(tmp_path, GOOD, wrong, GOOD.replace("001010000000001", "001010000000002"))
    result = run("classify", path)
    assert result.exit_code == 2
    assert f"{path}:3: " in result.output
    assert said in result.output
    assert "2 cards: 2 fit" in result.output
    assert "1 lines cannot be read" in result.output


def test_a_cell_over_two_lines_does_not_shift_the_lines_after_it(tmp_path: Path) -> None:
    two = GOOD.replace("1069012", '"1069012\n1069013"')
    path = table(tmp_path, two, "001010000000009,,meter,,,,much,,,,,")
    assert f"{path}:4: quota" in run("classify", path).output


def test_a_head_over_two_lines_is_one(tmp_path: Path) -> None:
    path = table(tmp_path, GOOD, "001010000000009,,meter,,,,much,,,,,", head=HEAD.replace("quota", '"\nquota"'))
    result = run("classify", path)
    assert f"{path}:3: 001010000000001  smart-metering, scene 2.5  fits" in result.output
    assert f"{path}:4: quota" in result.output


@pytest.mark.parametrize("more", [1, 3000], ids=["to the end", "beyond what a cell holds"])
def test_a_quotation_mark_that_is_not_closed_tells_which_lines_it_takes(more: int, tmp_path: Path) -> None:
    lines = [f"0010100{n:08},1440000000001,meter,,,,30 MB,hss,,yes,yes,yes" for n in range(more)]
    path = table(tmp_path, GOOD.replace("1069012", '"1069012'), *lines)
    result = run("classify", path)
    told = re.search(rf"{re.escape(str(path))}:2: .*; by a quotation mark lines 2 to (\d+) are one", result.output)
    assert told is not None, result.output
    judged = len(re.findall(r":\d+: 0010100\d{8}  meter", result.output))
    assert int(told[1]) - 2 + judged == more
    assert result.exit_code == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_files_are_read_as_they_are_written(encoding: str, tmp_path: Path) -> None:
    head = "imsi,号码,使用场景,功能,流量白名单,短信白名单,限额,机卡绑定,卡片形态,区域限制,黑名单,使用监测"
    line = "001010000000001,1440000000001,智能抄表,短信 流量,,1069012,30MB,是,贴片卡,小区一,有,有"
    result = run("classify", table(tmp_path, line, head=head, encoding=encoding))
    assert result.exit_code == 0, result.output
    assert ("read as GBK" in result.output) == encoding.startswith("gb")


def test_what_is_in_no_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    path = table(tmp_path, GOOD)
    path.write_bytes(path.read_bytes() + b"\xff\xff\xff,\r\n")
    result = run("classify", path)
    assert result.exit_code == 2
    assert f"{path}:3: is no text in UTF-8 or GBK" in result.output
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.encode() + b"\r\n\xd6\xc7\r\n")
    assert "is no text in UTF-8" in run("classify", path).output


@pytest.mark.parametrize("command", ["classify", "numbers"])
@pytest.mark.parametrize("encoding", ["klingon", "base64", "hex", "rot13", "zlib", "undefined", "utf\0"])
def test_what_is_no_encoding_of_text_is_told(encoding: str, command: str, tmp_path: Path) -> None:
    result = run(command, table(tmp_path, GOOD), "--encoding", encoding)
    assert result.exit_code == 2
    assert f"--encoding: nothing is known of {encoding!r}" in result.output


def test_a_byte_order_mark_is_no_part_of_the_head_although_utf_8_is_told(tmp_path: Path) -> None:
    for encoding in ("utf-8", "UTF8", "utf-8-sig"):
        assert run("classify", table(tmp_path, GOOD, encoding="utf-8-sig"), "--encoding", encoding).exit_code == 0


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("imsi,use,quotta", "column 'quotta' is not read"),
        ("imsi,use,use", "two columns are use"),
        ("name,form", "the head must name imsi or msisdn, and use or functions"),
        ("", "the head must name"),
    ],
)
def test_the_head_is_checked(head: str, said: str, tmp_path: Path) -> None:
    result = run("classify", table(tmp_path, "001010000000001,meter,1", head=head))
    assert said in result.output
    assert result.exit_code == (1 if "quotta" in head else 2)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_and_what_keeps_digits_a_text(delimiter: str, tmp_path: Path) -> None:
    line = GOOD.replace(",", delimiter).replace("001010000000001", '"=""001010000000001"""')
    assert run("classify", table(tmp_path, line, head=HEAD.replace(",", delimiter))).exit_code == 0


def test_cards_known_by_their_numbers_alone(tmp_path: Path) -> None:
    head, line = HEAD.removeprefix("imsi,"), GOOD.removeprefix("001010000000001,")
    assert run("classify", table(tmp_path, line, head=head)).exit_code == 0
    twice = run("classify", table(tmp_path, line, line, line.replace("1440000000001", "", 1), head=head))
    assert "1440000000001 stands in a line before" in twice.output
    assert twice.exit_code == 2


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("vpdn", "fits"),
        ("专用APN", "fits"),
        ("edge", "fits"),
        ("no", "lacks directed data (3.3.3(1))"),
        ("", "lacks directed data (3.3.3(1))"),
        ("luck", "directed_by: 'luck' is no way to direct data"),
    ],
)
def test_data_may_be_directed_without_a_whitelist(way: str, said: str, tmp_path: Path) -> None:
    line = f"001010000000001,1440000000001,video-surveillance,,,,2 GB,hss,plug-in,enb/1,yes,yes,{way}"
    assert said in run("classify", table(tmp_path, line, head=f"{HEAD},directed_by")).output


@pytest.mark.parametrize("option", ["--given quota", "--contract x", "--failing", "--ranges x", "--encoding gbk"])
def test_what_is_for_cards_of_a_file_is_not_ignored_with_a_use(option: str) -> None:
    result = run("classify", "smart-metering", *option.split())
    assert result.exit_code == 2
    assert f"{option.split(maxsplit=1)[0]} is for the cards of a file" in result.output


def test_a_file_without_cards_is_a_bad_file(tmp_path: Path) -> None:
    assert run("classify", table(tmp_path)).exit_code == 2


def test_cards_as_json_and_only_those_that_fall_short(tmp_path: Path) -> None:
    path = table(tmp_path, GOOD, GOOD.replace("001010000000001", "001010000000002").replace(",hss,", ",,"))
    told = json.loads(run("classify", path, "--json").output)
    assert [each["fits"] for each in told["cards"]] == [True, False]
    assert told["cards"][1]["lacks"] == [{"what": "binding", "clauses": ["3.3.2(3)"]}]
    assert told["sum"] == {"cards": 2, "fits": 1, "lacks": 1, "needless": 0, "wrong": 0}
    told = json.loads(run("classify", path, "--json", "--failing").output)
    assert [each["line"] for each in told["cards"]] == [3]
    told = json.loads(run("classify", table(tmp_path, GOOD), "--json", "--failing").output)
    assert told["cards"] == []


def test_lines_that_cannot_be_read_are_in_the_json(tmp_path: Path) -> None:
    path = table(tmp_path, GOOD, "001010000000009,,meter,,,,much,,,,,")
    result = CliRunner().invoke(app, ["classify", str(path), "--json"])
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    said = "quota: 'much' is no volume; write for example 30 MB, 1.5 GB or unlimited"
    assert told["unread"] == [{"file": str(path), "line": 3, "what": said}]
    assert told["sum"]["wrong"] == 1


def test_what_a_contract_does_not_name_is_without_need(tmp_path: Path) -> None:
    contract = tmp_path / "contract.yaml"
    contract.write_text(
        'meter: {sms: ["1069012"]}\nsmart-metering: {sms: ["1069013"], quota: 40 MB}\n', encoding="utf-8"
    )
    result = run("classify", table(tmp_path, GOOD), "--contract", contract)
    assert result.exit_code == 1
    assert "SMS number 1069012 is not in the contract (3.1.2)" in result.output
    for wrong in ("metre: {}", "meter: {fax: []}", "meter: {sms: 1}", "- 1", "meter: {data: ['a b']}", "a: ["):
        contract.write_text(wrong, encoding="utf-8")
        assert run("classify", table(tmp_path, GOOD), "--contract", contract).exit_code == 2


def test_the_columns_of_the_page_are_those_that_are_read() -> None:
    page = (shipped().parent / "docs" / "classify.md").read_text(encoding="utf-8")
    for words in COLUMNS.values():
        assert words[0] == "sections" or f"`{words[0]}`" in page


def test_the_example_of_the_page_is_judged_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (shipped().parent / "docs" / "classify.md").read_text(encoding="utf-8")
    cards, told = (re.search(f"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("csv", "text"))
    assert cards is not None
    assert told is not None
    (tmp_path / "cards.csv").write_text(cards[1], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run("classify", "cards.csv").output == told[1]


# -- scenarios and exports

STORY = """\
scenario: s
cards:
  good: {use: smart-parking, binding: {by: hss, learn: first-use}, area: {by: mme, cells: [enb/1]}, form: esim}
  wide: {use: meter, functions: [voice, sms, data]}
devices:
  meter: {type: module}
steps:
  - power_on: meter
"""
SMS_NETWORK = """\
scenario: A card
network: {smsc: {type: smsc}, eir: {type: eir}, sms_gateway: {type: sms_gateway}}
devices: {meter: {type: module}}
steps: [{power_on: meter}]"""
GIVEN = ("--given", "quota", "--given", "blacklist", "--given", "monitoring")


def test_cards_of_a_scenario(tmp_path: Path) -> None:
    path = tmp_path / "story.yaml"
    path.write_text(STORY, encoding="utf-8")
    result = run("classify", path, *GIVEN)
    assert result.exit_code == 1, result.output
    good, wide, lacks, needless, *_ = result.output.splitlines()
    assert "smart-parking, scene 3.5  fits" in good
    assert "meter, scene 1.5  falls short" in wide
    assert "lacks directed voice (3.3.1(3), 3.2(1)); directed SMS" in lacks
    assert "area restriction (3.3.1(3), 3.2(5)); binding" in lacks
    assert "voice: meter needs none" in needless


@pytest.mark.parametrize(
    ("sections", "lacks", "needless"),
    [
        ("sms: {by: smsc, numbers: ['1069012']}", "", ""),
        ("sms: {by: smsc}", "", ""),
        ("sms: {by: smsc, undirected: true}", "directed SMS", "* stands for many numbers"),
        ("sms: {by: smsc, numbers: ['13800000000']}", "directed SMS", "SMS number 13800000000 is of range 13"),
        ("sms: {by: smsc, numbers: ['1069013']}", "", "SMS number 1069013 is not in the contract"),
        ("sms: [{by: smsc}, {by: sms_gateway, account: acme, numbers: ['1069013']}]", "", "SMS number 1069013 is not"),
        (
            "sms: {by: smsc}, subscription: {apns: [{name: meters}, {name: Open}]}",
            "",
            "APN open is not in the contract",
        ),
        ("sms: {by: smsc}, binding: {by: eir, imeis: ['35693803']}", "", ""),
        ("sms: {by: smsc}, binding: {by: eir, imeis: ['35693803'], kinds: [module]}", "binding", ""),
    ],
)
def test_what_a_section_says_is_judged_and_not_that_there_is_one(
    sections: str, lacks: str, needless: str, tmp_path: Path
) -> None:
    binding = "" if "binding" in sections else ", binding: {by: hss, learn: first-use}"
    story, contract, exported = tmp_path / "story.yaml", tmp_path / "contract.yaml", tmp_path / "cards.csv"
    card = f"  card: {{use: goods-tracking, msisdn: '1440000000009', {sections}{binding}}}"
    story.write_text(f"{SMS_NETWORK}\ncards:\n  other: {{use: smart-parking}}\n{card}\n", encoding="utf-8")
    contract.write_text("goods-tracking: {sms: ['1069012', '13800000000'], apns: [meters]}", encoding="utf-8")
    told = json.loads(run("classify", story, "--contract", contract, *GIVEN, "--json").output)["cards"][1]
    assert told["line"] == story.read_text(encoding="utf-8").splitlines().index(card) + 1
    assert [each["what"] for each in told["lacks"]] == ([lacks] if lacks else [])
    assert bool(told["without_need"]) == bool(needless)
    assert not needless or told["without_need"][0]["what"].startswith(needless)
    if lacks == "directed SMS":
        exported.write_text(run("export", story, "--element", "smsc", "--format", "csv").output, encoding="utf-8")
        lines = run("classify", exported, "--failing", *GIVEN).output.splitlines()
        assert any("lacks directed SMS" in line for line in lines)
        assert any(f"without need: {needless}" in line for line in lines)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"sms": [{"by": "smsc", "numbers": "x", "nonsense": 1}]}, "entry 1: sms: numbers"),
        ({"sms": [{"by": "nobody"}]}, "entry 1: sms by 'nobody' is not known"),
        ({"sms": ["1069012"]}, "entry 1: sms: keys and values are expected"),
        ({"sms": "smsc"}, "entry 1: sms: keys and values are expected"),
    ],
)
def test_a_section_that_says_nothing_sound_directs_nothing(section: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / "cards.json"
    row = {"imsi": "001010000000001", "use": "smart-metering", "sections": section}
    path.write_text(json.dumps({"subscribers": [row]}), encoding="utf-8")
    result = run("classify", path)
    assert result.exit_code == 2
    assert f"{path}:1: {said}" in result.output


@pytest.mark.parametrize("form", ["yaml", "json", "csv"])
def test_an_export_is_judged_as_its_scenario_is(form: str, tmp_path: Path) -> None:
    story = tmp_path / "story.yaml"
    story.write_text(STORY.replace("area: {by: mme, cells: [enb/1]}, ", ""), encoding="utf-8")
    exported = tmp_path / f"cards.{form}"
    exported.write_text(run("export", story, "--format", form).output, encoding="utf-8")
    wanted = json.loads(run("classify", story, *GIVEN, "--json").output)
    told = json.loads(run("classify", exported, *GIVEN, "--json").output)
    kept = {"imsi", "table", "scene", "functions", "lacks", "without_need", "fits"}
    assert [{k: each[k] for k in kept} for each in told["cards"]] == [
        {k: each[k] for k in kept} for each in wanted["cards"]
    ]


def test_what_is_wrong_with_a_card_of_an_export_is_told_by_its_key(tmp_path: Path) -> None:
    path = tmp_path / "cards.json"
    rows = [1, {"imsi": "1", "use": "meter"}, {"imsi": "001010000000001", "use": "metre"}]
    path.write_text(json.dumps({"made": "by hand", "subscribers": rows}, indent=0), encoding="utf-8")
    result = run("classify", path)
    assert result.exit_code == 2
    for said in (
        ":4: entry 1: keys and values",
        ":5: entry 2: imsi: IMSI must be 6 to 15 digits",
        ":9: entry 3: use: use 'metre' is not known",
    ):
        assert f"{path}{said}" in result.output
    path.write_text("[" * 100_000, encoding="utf-8")
    assert "exceeded maximum nesting depth" in run("classify", path).output
    path.write_text('{"subscribers": [', encoding="utf-8")
    assert f"{path}:1: no JSON" in run("classify", path).output
    head = f"{HEAD},sections"
    assert "sections: no JSON object" in run("classify", table(tmp_path, f"{GOOD},{'[' * 100_000}", head=head)).output


def test_a_file_that_is_neither(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    for text in ("a: 1", "[", "subscribers: 3"):
        path.write_text(text, encoding="utf-8")
        assert run("classify", path).exit_code == 2
    path.write_text("subscribers: [{imsi: '12'},\n 3, {imsi: '001010000000001', profile: metre}]", encoding="utf-8")
    result = run("classify", path)
    assert result.exit_code == 2
    assert "3 lines cannot be read" in result.output
    for said in (":1: entry 1: imsi", ":2: entry 2: keys", ":2: entry 3: profile"):
        assert f"{path}{said}" in result.output


def test_the_shipped_scenarios_can_be_judged() -> None:
    result = run("classify", shipped() / "demo")
    assert result.exit_code == 1  # no element enforces quotas yet
