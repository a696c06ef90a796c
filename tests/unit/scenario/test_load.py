"""What is wrong with a file is told with its place, all at once, and with what was probably meant."""

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from simwarden.errors import ConfigError, ScenarioError
from simwarden.scenario import registry
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors
from simwarden.scenario.registry import Registry

FIRST_STORY = (Path(__file__).parents[3] / "scenarios/demo/first-story.yaml").read_text("utf-8")

Errors = Callable[..., list[str]]
HEAD = "scenario: s\ncards: {card: }\ndevices: {meter: , phone: {type: handset}}\n"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("power_onn: meter", "5:3: verb 'power_onn' is not known (did you mean 'power_on'?)"),
        ("power_on: metre", "5:13: no device is called 'metre' (did you mean 'meter'?)"),
        ("power_on: gate", "5:13: no device is called 'gate' (known: meter, phone)"),
        ("insert: {card: card, too: meter}", "5:24: argument 'too' is not known (known: card, into)"),
        ("insert: {card: card, too: meter}", "5:11: argument 'into' is missing"),
        ("insert: {card: meter, into: phone}", "5:18: no card is called 'meter' (known: card)"),
        ("wait: soon", "5:9: 'soon' is no duration; write for example 15 s, 500 ms, 2 h or 90 days"),
        ("stop: hss", "5:9: no element is called 'hss' (known: gate, card, meter, phone)"),
        ("expect: {gate: {bindings: {card: card}}}", "5:19: observable of gate 'bindings' is not known (did you mean"),
        ("never: {gate: {binding: {crad: card}}}", "5:28: field of binding 'crad' is not known (known: imsi, imei)"),
        ("never: {gate: {binding: {card: kard}}}", "5:34: name 'kard' is not known (did you mean 'card'?)"),
        ("expect: {meter: {attach: acepted}}", "5:28: attach is never 'acepted' (did you mean 'accepted'?)"),
        ("expect: {meter: {emm_cause: ILEGAL_ME}}", "(did you mean 'ILLEGAL_ME'?)"),
        ("never: {hss: {session: {}}}", "5:11: nothing here is called 'hss'"),
        ("expect: {s6aa.update-location-answer: {}}", "(did you mean 's6a.update-location-answer'?)"),
        ("expect: {decision: {by: gat}}", "5:27: element 'gat' is not known (did you mean 'gate'?)"),
        (
            "expect: {decision: {by: gate, control: bind.hss.given}}",
            "control of gate 'bind.hss.given' is not known (did",
        ),
        (
            "expect: {decision: {by: gate, verdict: refusal}}",
            "verdict: 'refusal' is not one of admit, admitted, refuse, refused",
        ),
        ("fail: {element: gate, database: up}", "database: 'up' is not one of down"),
        (
            "expect: {decision: {by: gate, control: bind.hss.learned, on: atach}}",
            "occasion of bind.hss.learned 'atach' is not known (did you mean 'attach'?)",
        ),
        ("expect: {meter: {attach: !not accepted}}", "5:28: the tag !not is not read (a value is written without one)"),
        ("expect: {gate: {open: !!bool yes}}", "5:25: the tag !!bool is not read"),
        ("!not expect: {gate: {open: yes}}", "5:3: the tag !not is not read"),
        ("expect: {gate: {binding: {card: [card]}}}", "5:35: card: one value is expected, not a list of 1"),
        ("expect: {gate: {binding: {card: card, times: 0}}}", "times: a number from 1 on is expected"),
        ("never: {gate: {binding: {card: card, times: 2}}}", "times: `never` is about each one"),
        ("expect: {gate: {binding: {}}}", "binding: fields, `any` or `none` are expected"),
        ("expect: {gate: {binding: [any, any]}}", "binding: this stands here twice"),
        ("expect: {decision: {verdict: admit}}", "decision: say by whom, or by which control"),
        ("never: {gate: {open: [yes, no]}}", "a list: `never` would be about all of its members at once"),
        ("expect: {decision: {by: [gate]}}", "5:27: by: a text is expected, not a list of 1"),
        ("expect: {decision: {by: gate, reason: []}}", "5:41: reason: a text is expected, not a list of 0"),
        ("expect: {within: {s: 1}, gate: {open: yes}}", "5:20: within: a duration is expected, not a mapping with s"),
        ("expect: {meter.attach: accepted}", "(what is seen of an element stands below it: meter: {attach: ...})"),
        ("never: {decision: []}", "5:21: an empty list says nothing"),
        ("expect: {gate: {open: yes, binding: []}}", "5:39: an empty list says nothing"),
        ("expect: {within: 20 s}", "5:12: within: say what is expected by then"),
        ("expect: {decision: {by: gate, card: card, device: metre}}", "a decision is about one subject, not card"),
        ("expect: {gate: {binding: {card: card, imsi: meter.imei}}}", "binding: imsi says again what stands beside it"),
        ("never: {decision: {by: gate, reason: nobdy}}", "reason: a misspelt one would pass `never`; name the control"),
        ("expect: {gate: {binding: {imei: meter.imie}}}", "5:35: meter has no identity 'imie' (did you mean 'imei'?)"),
        ("expect: {within: never, gate: {open: yes}}", "5:20: within: 'never' is no duration"),
        (
            "manage: {element: gate, put: '/cards/{card.imsi}', body: {imei: card.imsi}}",
            "5:67: imei is never an IMSI (an IMEI is expected)",
        ),
        ("manage: {element: gate, put: /card/1}", "5:32: gate has no route PUT /card/1"),
        (
            "manage: {element: gate, method: PUT, path: /cards/1}",
            "5:27: method and path are written as one key: put: /cards/1",
        ),
        ("manage: {element: gate, path: [1]}", "5:27: method and path are written as one key: get: /..."),
        ("manage: {element: gate, pot: /}", "key 'pot' is not known (did you mean 'post'?)"),
        (
            "manage: {element: gate, as: customer}",
            "5:11: one of get, put, post, delete, patch is expected with a path, not none",
        ),
        (
            "manage: {element: gate, put: /, delete: /}",
            "5:11: one of get, put, post, delete, patch is expected with a path, not put, delete",
        ),
        ("manage: {element: gate, as: buyer, get: /}", "5:31: as: 'buyer' is not one of operator, customer"),
        ("power_on: meter\n  evry: 1 s", "'evry' stands beside 'power_on' (did you mean 'every'?)"),
        ("power_on: meter\n  expect: acepted", "6:11: 'acepted' is no outcome of power_on (did you mean 'accepted'?)"),
        ("power_on: meter\n  expect: served", "'served' is no outcome of power_on (known: accepted, rejected"),
        ("manage: {element: gate, get: /}\n  expect: fobidden", "no outcome of manage (did you mean 'Forbidden'?)"),
        ("{power_on: meter, power_off: meter}", "5:21: one verb a step: 'power_off' stands beside 'power_on'"),
        ("[power_on]", "5:3: a step is one verb with its arguments, not a list of 1"),
    ],
)
def test_steps(errors: Errors, step: str, said: str) -> None:
    assert any(said in each for each in errors(f"- {step}\n", HEAD)), errors(f"- {step}\n", HEAD)


@pytest.mark.parametrize(
    "step",
    [
        "power_on: meter\n  expect: accepted",
        "insert: {card: card, into: meter}\n  expect: whatever",  # a verb that declares no outcomes
        "manage: {element: gate, get: /}\n  expect: 451",
        "manage: {element: gate, get: /}\n  expect: not-found",
    ],
)
def test_outcomes_that_may_be(errors: Errors, step: str) -> None:
    (only,) = errors(f"- {step}\n- wait: soon\n", HEAD)
    assert "'soon' is no duration" in only


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (
            "scenario: s\nproves: [bind.hss.learnt]\n",
            "story.yaml:2:10: requirement 'bind.hss.learnt' is not known (did",
        ),
        ("scenario: s\ntagz: [a]\n", "story.yaml:2:1: key 'tagz' is not known (did you mean 'tags'?)"),
        ("scenario: s\nclock: fast\n", "story.yaml:2:8: clock: "),
        ("scenario: s\nscenario: t\n", "story.yaml:2:1: key 'scenario' is here twice (first in line 1)"),
        ("title: s\n", "story.yaml:1:1: key 'scenario' is missing"),
        ("scenario: s\nseed: x\n", "story.yaml:2:7: seed: "),
        (
            "scenario: s\ncards: {c: {profile: metre}}\n",
            "story.yaml:2:22: profile: profile 'metre' is not known (did you",
        ),
        (
            "scenario: s\ncards: {c: {use: smart-meterin}}\n",
            "use 'smart-meterin' is not known (did you mean 'smart-meter",
        ),
        ("scenario: s\ncards: {c: {use: meter, profile: meter}}\n", "profile is the former word for use"),
        ("scenario: s\ncards: {c: {functions: [dta]}}\n", "'dta' is not one of voice, sms, data"),
        ("scenario: s\ncards: {c: {imsi: 12a}}\n", "story.yaml:2:19: imsi: IMSI must be"),
        (
            "scenario: s\ncards: {c: {formm: plug-in}}\n",
            "story.yaml:2:13: key 'formm' is not known (did you mean 'form'?)",
        ),
        (
            "scenario: s\ncards: {c: {binding: {by: hss}}}\n",
            "story.yaml:2:27: binding by 'hss' is not known (known: sim, gate)",
        ),
        ("scenario: s\ncards: {c: {binding: {learn: never}}}\n", "binding must say by whom (by: sim or gate)"),
        (
            "scenario: s\ncards: {c: {binding: {by: gate, learn: nver}}}\n",
            "learn: 'nver' is not one of first-use, never (did",
        ),
        (
            "scenario: s\ndevices: {m: {type: modul}}\n",
            "story.yaml:2:21: type: 'modul' is not one of module, handset (did",
        ),
        ("scenario: s\ndevices: {gate: }\n", "story.yaml:2:11: two elements are called 'gate'"),
        (
            "scenario: s\nnetwork: {gat: {delay: 1}}\n",
            "story.yaml:2:11: the network has no element 'gat' (did you mean 'gate'?)",
        ),
        ("scenario: s\nnetwork: {gate2: {type: gat}}\n", "element type 'gat' is not known (did you mean 'gate'?)"),
        (
            "scenario: s\ndevices: {meter: {gate: gat}}\n",
            "story.yaml:2:25: no gate is called 'gat' (did you mean 'gate'?)",
        ),
        ("scenario: s\ndevices: {meter: {gate: meter}}\n", "2:25: no gate is called 'meter' (known: gate)"),
        ("scenario: s\ndevices: {meter: {gates: {gat: []}}}\n", "no element is called 'gat' (did you mean 'gate'?)"),
        ("scenario: s\ndevices: {meter: {gates: {gate: [meter, metre]}}}\n", "2:41: no device is called 'metre' (did"),
        ("scenario: s\nnetwork: {gate: {dealy: 1}}\n", "story.yaml:2:18: setting 'dealy' is not known (did you mean"),
        ("scenario: s\nnetwork: {gate: {external: nowhere}}\n", "'nowhere' is no address; write host:port"),
        ("scenario: s\nnetwork: {gate: {external: {S6b: 'h:1'}}}\n", "interface 'S6b' is not known"),
    ],
)
def test_heads(errors: Errors, head: str, said: str) -> None:
    found = errors("- wait: 1 s\n", head)
    assert any(said in each for each in found), found


def test_all_errors_come_at_once_in_the_order_of_the_file(errors: Errors) -> None:
    found = errors(
        "- power_onn: meter\n- expect: {gate: {opn: yes}}\n- wait: x\n",
        "scenario: s\nproves: [x]\ndevices: {meter: }\n",
    )
    assert [each.split(":")[1] for each in found] == ["2", "5", "6", "7"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "story.yaml: a scenario starts with the key `scenario`"),
        ("- a\n", "story.yaml:1:1: a scenario starts with the key `scenario`"),
        ("scenario: [\n", "story.yaml:2:1: no YAML"),
        ("scenario: s\n\tsteps: x\n", "story.yaml:2:1: no YAML"),
        ("scenario: \x00\n", "story.yaml: no YAML"),
        ("scenario: s\nsteps:\n- power_on x\n  name: y\n", "story.yaml:4:7: no YAML: a ':' cannot stand here (put"),
        ("scenario: s\nsteps:\n- power_on x\n  name: y\n", "or the line before lacks its colon"),
        ("scenario: *a\n", "no YAML: nothing above is marked '&'"),
    ],
)
def test_what_is_no_scenario(loader: Loader, text: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        loader.load("story.yaml", text)
    assert said in str(caught.value)


def test_files_that_cannot_be_read(loader: Loader, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml: cannot be read: No such file"):
        loader.load(tmp_path / "nothing.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"scenario: s\nabout: caf\xe9\n")
    with pytest.raises(ScenarioError, match=r"latin\.yaml:2: is no text in UTF-8"):
        loader.load(tmp_path / "latin.yaml")


def test_scalars_are_texts_and_identities_are_made_up(loader: Loader) -> None:
    text = "scenario: s\ncards: {a: {imsi: 001010000000001}, b: }\ndevices: {meter: , phone: }\nsteps: [wait: 1]\n"
    scenario = loader.load("story.yaml", text)
    assert [card.keys.imsi for card in scenario.cards.values()] == ["001010000000001", "001010000000002"]
    identities = scenario.instances["meter"].identities, scenario.instances["phone"].identities
    assert identities[0] != identities[1]
    assert len(identities[0]["imei"]) == 15


@pytest.mark.parametrize(
    ("card", "wanted"),
    [
        ("", ("meter", "sms data", False, False, True, "plug-in")),
        ("use: smart-metering", ("smart-metering", "sms data", False, False, True, "soldered")),
        ("use: 智能抄表, form: esim", ("smart-metering", "sms data", False, False, True, "esim")),
        ("use: wearable, functions: [data], large: no", ("personal-wearable", "data", False, False, False, "soldered")),
        ("profile: tracker, directed: yes, fixed: yes", ("goods-tracking", "sms data", True, False, True, "plug-in")),
        ("functions: []", ("meter", "", False, False, True, "plug-in")),
    ],
)
def test_a_card_is_for_a_use_and_says_what_is_otherwise(loader: Loader, card: str, wanted: tuple[object, ...]) -> None:
    scenario = loader.load("story.yaml", f"scenario: s\ncards: {{c: {{{card}}}}}\nsteps:\n  - wait: 1 s\n")
    keys = scenario.cards["c"].keys
    told = keys.assessment
    assert keys.form is not None
    functions = " ".join(told.functions)
    assert (keys.made_for.name, functions, told.directed, told.large, told.fixed, keys.form.value) == wanted


def test_references_in_sections_and_steps_are_resolved(loader: Loader) -> None:
    text = (
        "scenario: s\ncards: {card: {binding: {by: gate, imei: meter.imei}}}\ndevices: {meter: }\nsteps:\n"
        "- manage: {element: gate, put: '/cards/{card.imsi}/binding', body: {imei: meter.imei}}\n"
    )
    scenario = loader.load("story.yaml", text)
    imei = scenario.instances["meter"].identities["imei"]
    assert scenario.cards["card"].sections_for("gate") == {"binding": [{"by": "gate", "imei": imei}]}
    assert scenario.cards["card"].sections_for("sim") == {}
    action = scenario.steps[0].action
    assert action is not None
    assert (action.path, action.body) == ("/cards/001010000000001/binding", {"imei": imei})  # type: ignore[union-attr]


def test_a_network_file_is_the_base_and_the_scenario_has_the_last_word(registry: object, tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text("network:\n  gate: {delay: 3, cause: 0}\n  gate2: {type: gate, external: '192.0.2.1:36412'}\n")
    loader = Loader(registry, str(file))  # type: ignore[arg-type]
    scenario = loader.load("s.yaml", "scenario: s\nnetwork: {gate: {delay: 1}}\nsteps: [wait: 1]\n")
    config = scenario.instances["gate"].config
    assert (config.delay, config.cause) == (1.0, 0)  # type: ignore[attr-defined]
    assert scenario.external["gate2"].external == {"": ("192.0.2.1", 36412)}
    off = loader.load("s.yaml", "scenario: s\nnetwork: {gate: off}\nsteps: [wait: 1]\n")
    assert list(off.instances) == ["gate2"]
    file.write_text("gate: {delay: 1, spede: 2}\n")
    with pytest.raises(ScenarioErrors, match=r"net\.yaml:1:18: setting 'spede' is not known"):
        Loader(registry, str(file))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("subject", "meant"),
    [
        ("s6a.update-location-anser", "update-location-answer"),
        ("uu.atach-reject", "attach-reject"),
        ("s1-mme.initial-ue-mesage", "initial-ue-message"),
        ("x2.handover-reqest", "handover-request"),
        ("me-uicc.autenticate", "authenticate"),
    ],
)
def test_a_message_that_no_interface_carries(errors: Errors, subject: str, meant: str) -> None:
    (said,) = errors(f"- never: {{{subject}: {{}}}}\n", HEAD)
    assert said.startswith("story.yaml:5:11: ")
    assert f"(did you mean {meant!r}?)" in said


def test_every_message_of_the_demo_has_a_known_name() -> None:
    from simwarden.model.interfaces import INTERFACES
    from simwarden.scenario.messages import message_names
    from simwarden.scenario.runner import RunOptions, run_scenario
    from simwarden.trace.dissect import Dissector
    from simwarden.trace.events import Frame

    demo = Path(__file__).parents[3] / "scenarios" / "demo" / "moved-card.yaml"
    dissector = Dissector()
    for event in run_scenario(Loader().load(demo), "demo", RunOptions()).events:
        if isinstance(event, Frame):
            dissection = dissector.dissect(event)
            assert {dissection.name, *(each.name for each in dissection.inner)} <= message_names(
                INTERFACES[event.interface].protocol
            )


def test_an_identity_that_is_none_is_told_once_and_nothing_that_follows_from_it(errors: Errors) -> None:
    head = "scenario: s\ncards: {card: {binding: {by: gate, imei: meter.imsi}}}\ndevices: {meter: }\n"
    (only,) = errors("- power_on: meter\n", head)
    assert "2:42: meter has no identity 'imsi'" in only


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (("devices:", "device:"), "key 'device' is not known"),
        (("cards:", "card:"), "key 'card' is not known"),
        (("steps:", "stepps:"), "key 'stepps' is not known"),
        (
            ("{type: handset}", "{type: handset, count: many}"),
            "count: a number from 1 to 10000 is expected, not 'many'",
        ),
        (("{type: handset}", "handset"), "phone: keys and values are expected, not 'handset'"),
    ],
)
def test_what_only_follows_from_a_mistake_is_not_told(mistake: tuple[str, str], told: str) -> None:
    text = FIRST_STORY.replace(*mistake)
    assert text != FIRST_STORY
    with pytest.raises(ScenarioErrors) as caught:
        Loader().load("story.yaml", text)
    assert [told in str(each) for each in caught.value.problems] == [True]


@pytest.mark.parametrize("send", ["to: 198.51.100.800", "to: 198.51.100.8, source: meter"])
def test_what_is_no_address_is_told_in_our_words(send: str) -> None:
    head = "scenario: A\ncards: {card: {profile: meter}}\ndevices: {meter: {}}\nsteps:\n"
    with pytest.raises(ScenarioErrors, match=r"' is no IP address$"):
        Loader().load("story.yaml", f"{head}- send: {{device: meter, {send}}}\n- expect: {{meter: {{attach: none}}}}\n")


def test_a_setting_may_name_nobody_or_a_node_beyond_the_network(loader: Loader) -> None:
    for name in ("off", "gate.another.example"):
        loader.load("s.yaml", HEAD.replace("meter: ,", f"meter: {{gate: {name}}},") + "steps:\n- power_on: meter\n")


@pytest.mark.parametrize(("value", "hours"), [("8", 8.0), ("5.5", 5.5), ("-12", -12.0), ("5.75", 5.75)])
def test_network_file_sets_the_operators_time_zone(value: str, hours: float) -> None:
    text = f"{FIRST_STORY}\nnetwork: {{utc_offset: {value}}}\n"
    assert Loader().load("first.yaml", text).utc_offset == hours
    assert Loader().load("first.yaml", FIRST_STORY).utc_offset is None


@pytest.mark.parametrize("value", ["5.6", "15", "-12.25", "China", "[8]"])
def test_time_zone_that_is_none_is_told_with_its_place(value: str) -> None:
    text = f"network: {{utc_offset: {value}}}\n{FIRST_STORY}"
    with pytest.raises(ScenarioError, match=r"first.yaml:1:23: utc_offset: expected hours from -12 to 14 in quarters"):
        Loader().load("first.yaml", text)


def test_tests_judge_no_element_of_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = tmp_path / "policy_server-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: policy-server\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[{registry.GROUP}]\npolicy_server = policy_server.element:PolicyServer\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "policy_server" in {each.name for each in entry_points(group=registry.GROUP)}
    names = {each.name for each in vars(registry)["entry_points"](group=registry.GROUP)}
    assert "policy_server" not in names
    assert names == Registry.installed().kinds.keys()
