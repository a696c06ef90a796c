"""What each ruling on calls, messages, and the nodes that carry them says beside yes and no."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.model.form import FormFactor, Slot
from simwarden.policy.access import judge_emergency, judge_station
from simwarden.policy.access_codes import (
    judge_bind,
    judge_card_owner,
    judge_code,
    judge_content,
    judge_list_age,
    judge_listed,
    judge_own_code,
    judge_rate,
)
from simwarden.policy.binding import judge_withdrawn
from simwarden.policy.calls import (
    judge_call_hours,
    judge_call_numbers,
    judge_call_party,
    judge_call_state,
    judge_call_time,
    judge_pin,
    judge_same_owner,
    judge_ssp,
)
from simwarden.policy.camel import (
    O_CSI,
    T_CSI,
    VT_CSI,
    common_phase,
    judge_camel,
    judge_ims,
    judge_node,
    judge_voice,
    judge_without_orders,
)
from simwarden.policy.core import judge_core_element, judge_core_number
from simwarden.policy.equipment import EquipmentAnswer, judge_equipment
from simwarden.policy.form import judge_form
from simwarden.policy.number_ranges import judge_number, judge_numbers
from simwarden.policy.numbers import party
from simwarden.policy.operator import judge_role
from simwarden.policy.short_messages import (
    judge_correspondent,
    judge_gateway,
    judge_message_quota,
    judge_originator,
    judge_service_centre,
    judge_sms_registration,
)
from simwarden.policy.short_messages import judge_numbers as judge_sms_numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.policy.decision import Ruling

CODE, OTHER = "10658000123", "10658000999"
CENTRES = {"smsc.example.net": "+8613800100500", "other.example.net": "+8613800100501"}
ADDRESSES = ["+8613800100500", "+8613800100501"]
BEHIND: dict[str, Any] = {
    "address": "8613800100500",
    "centres": CENTRES,
    "host": "smsc.example.net",
    "agents": ["dra.example.net"],
}
BIND: dict[str, Any] = {"account": "meters", "proven": True, "tries": 1, "most": 2, "here": True}
STATION: dict[str, Any] = {"station": 17, "areas": [1, 2]}
IOT = "a dedicated IoT number"
ODD: dict[str, Any] = {"form": FormFactor.ODD_SHAPED, "home": "meter"}


@pytest.mark.parametrize(
    ("rule", "admitted", "reason", "facts"),
    [
        (
            partial(judge_call_hours, minute=480, hours="08:00-18:00"),
            True,
            "is within",
            {"expected": "08:00-18:00", "seen": 480},
        ),
        (
            partial(judge_call_hours, minute=60, hours="22:00-06:00"),
            True,
            "is within",
            {"expected": "22:00-06:00", "seen": 60},
        ),
        (
            partial(judge_call_hours, minute=60, hours="08:00-18:00"),
            False,
            "is outside",
            {"expected": "08:00-18:00", "seen": 60},
        ),
        (partial(judge_call_time, used=599, quota=600), True, "allows it", {"expected": 600, "seen": 599}),
        (partial(judge_call_time, used=600, quota=600), False, "60 s of 60 s are used", {"expected": 600, "seen": 600}),
        (
            partial(judge_call_numbers, numbers=["110", "120"], most=1),
            False,
            "2 numbers, and a card has 1",
            {"expected": 1, "seen": 2},
        ),
        (partial(judge_call_state, suspended=None), True, "in force", {}),
        (partial(judge_call_state, suspended="misuse"), False, "is suspended", {"seen": "misuse"}),
        (partial(judge_pin, right=True, tried=2, most=3), True, "is right", {"expected": 3, "seen": 2}),
        (partial(judge_pin, right=False, tried=2, most=3), False, "try 2 of 3", {"expected": 3, "seen": 2}),
        (partial(judge_same_owner, began="a", account="a"), True, "is the same", {"expected": "a", "seen": "a"}),
        (partial(judge_same_owner, began="a", account="b"), False, "another owner", {"expected": "a", "seen": "b"}),
        (partial(judge_ssp, ssp="b", listed=["b", "a"]), True, "is one of", {"expected": ["a", "b"], "seen": "b"}),
        (partial(judge_ssp, ssp="", listed=["a"]), False, "is none of", {"expected": ["a"], "seen": "none"}),
        (
            partial(judge_camel, csis=[O_CSI], phases=[3, 1], supported=[2, 1]),
            True,
            "offers",
            {"expected": [1, 3], "seen": [1, 2], "lacking": []},
        ),
        (
            partial(judge_camel, csis=[VT_CSI, T_CSI, O_CSI], phases=[1], supported=[1]),
            False,
            "for vt-csi",
            {"expected": [1], "seen": [1], "lacking": [VT_CSI]},
        ),
        (partial(judge_without_orders, releases=True, reason="silence"), False, "to release", {"handling": "release"}),
        (
            partial(judge_without_orders, releases=False, reason="silence"),
            True,
            "to continue",
            {"handling": "continue"},
        ),
        (partial(judge_voice, opened=True), True, "was opened", {"seen": "on"}),
        (partial(judge_voice, opened=False), False, "is off", {"seen": "off"}),
        (partial(judge_ims, apns=["iot"], opened=False, directed=True), True, "no APN", {"seen": []}),
        (
            partial(judge_ims, apns=["iot", "ims"], opened=False, directed=False),
            False,
            "ims leads to IMS",
            {"seen": ["ims"]},
        ),
        (partial(judge_ims, apns=["IMS"], opened=True, directed=True), False, "leads past it", {"seen": ["IMS"]}),
        (partial(judge_ims, apns=["ims"], opened=True, directed=False), True, "no APN", {"seen": ["ims"]}),
        (
            partial(judge_node, number="2", listed={"2": True, "1": True}),
            True,
            "is a known node",
            {"expected": ["1", "2"], "seen": "2"},
        ),
        (
            partial(judge_node, number="2", listed={"2": False}),
            False,
            "from elsewhere",
            {"expected": ["2"], "seen": "2"},
        ),
        (
            partial(judge_node, number="3", listed={"2": True}),
            False,
            "is no known node",
            {"expected": ["2"], "seen": "3"},
        ),
        (
            partial(judge_core_element, name="sgw", host="192.0.2.1", listed=["sgw", "a"]),
            True,
            "is an element",
            {"expected": ["a", "sgw"], "seen": "sgw"},
        ),
        (
            partial(judge_core_element, name="sgw", host="192.0.2.1", listed=["192.0.2.1"]),
            True,
            "is an element",
            {"expected": ["192.0.2.1"], "seen": "sgw"},
        ),
        (
            partial(judge_core_element, name="sgw", host="192.0.2.1", listed=["192.0.2.2"]),
            False,
            "is no element",
            {"expected": ["192.0.2.2"], "seen": "sgw"},
        ),
        (partial(judge_core_number, number=" "), False, "is not told", {"expected": IOT, "seen": "none"}),
        (partial(judge_number, number=" "), True, "has no number", {"seen": "none"}),
        (partial(judge_number, number="999"), False, "999", {"expected": IOT, "seen": "999"}),
        (
            partial(judge_numbers, numbers=["1440000000001"]),
            True,
            "1440000000001 is of the dedicated range",
            {"expected": IOT, "seen": "IoT"},
        ),
        (
            partial(judge_form, **ODD | {"home": ""}, terminal="meter", slot=Slot.ANY),
            True,
            "fits into meter",
            {"expected": "odd-shaped", "seen": "meter"},
        ),
        (partial(judge_numbers, numbers=["1440000000001", "1440000000002"]), True, "2 cards", {"seen": 2}),
        (partial(judge_sms_registration, opened=True), True, "was opened", {"seen": "on"}),
        (partial(judge_sms_registration, opened=True, voice=True), False, "by the MSC", {"seen": "circuit-switched"}),
        (partial(judge_sms_registration, opened=False, voice=True), False, "is off", {"seen": "off"}),
        (partial(judge_correspondent, number=CODE, listed=None), False, "is off", {"seen": CODE}),
        (partial(judge_correspondent, number=CODE, listed=[], undirected=True), True, "not directed", {"seen": CODE}),
        (
            partial(judge_correspondent, number=CODE, listed=[OTHER, CODE]),
            True,
            "is listed",
            {"expected": [CODE, OTHER], "seen": CODE},
        ),
        (
            partial(judge_correspondent, number=CODE, listed=[OTHER]),
            False,
            "is not listed",
            {"expected": [OTHER], "seen": CODE},
        ),
        (partial(judge_sms_numbers, numbers=[CODE, OTHER], most=1), False, "2 numbers", {"expected": 1, "seen": 2}),
        (
            partial(judge_sms_numbers, numbers=["+447785016005", "alarm"]),
            False,
            "+447785016005 is no",
            {"expected": 5, "seen": "+447785016005"},
        ),
        (
            partial(judge_originator, number=CODE + "7", codes=[OTHER, CODE]),
            True,
            "gateway's own",
            {"expected": [CODE, OTHER], "seen": CODE + "7"},
        ),
        (
            partial(judge_originator, number="", codes=[CODE]),
            False,
            "none of the gateway's",
            {"expected": [CODE], "seen": "none"},
        ),
        (partial(judge_message_quota, used=8, parts=2, quota=10), True, "allows it", {"expected": 10, "seen": 10}),
        (
            partial(judge_message_quota, used=9, parts=2, quota=10),
            False,
            "9 messages of 10",
            {"expected": 10, "seen": 11},
        ),
        (
            partial(judge_service_centre, address="8613800100500", centres=CENTRES),
            True,
            "it is",
            {"expected": ADDRESSES, "seen": "8613800100500"},
        ),
        (
            partial(judge_service_centre, address="", centres=CENTRES),
            False,
            "is not that",
            {"expected": ADDRESSES, "seen": ""},
        ),
        (
            partial(judge_service_centre, address="+8613800100501", centres=CENTRES, host="smsc.example.net"),
            False,
            "is not that",
            {"expected": ADDRESSES, "seen": "+8613800100501"},
        ),
        (
            partial(judge_service_centre, address="+8613800100501", centres=CENTRES, host="x.example.net"),
            False,
            "x.example.net is no",
            {"expected": ADDRESSES, "seen": "x.example.net"},
        ),
        (
            partial(judge_service_centre, **BEHIND, way=["smsc.example.net", "dra.example.net"]),
            True,
            "it is",
            {"expected": ADDRESSES, "seen": "8613800100500"},
        ),
        (
            partial(judge_service_centre, **BEHIND, way=["smsc.example.net", "x.example.net", "dra.example.net"]),
            False,
            "x.example.net is not to speak for smsc.example.net",
            {"expected": ADDRESSES, "seen": "x.example.net"},
        ),
        (partial(judge_bind, **BIND), True, "it is meters", {"seen": "right"}),
        (partial(judge_bind, **BIND | {"here": False}), False, "may not bind from there", {"seen": "another address"}),
        (partial(judge_bind, **BIND | {"proven": False, "here": False}), False, "no such account", {"seen": "wrong"}),
        (partial(judge_bind, **BIND | {"tries": 2}), False, "2 binds from there failed", {"seen": "too many"}),
        (
            partial(judge_code, account="meters", owner="meters", number=party(CODE)),
            True,
            "10658000123 is a code of meters",
            {"expected": "meters", "seen": "10658000123"},
        ),
        (
            partial(judge_code, account="meters", owner="lifts", number=party(CODE)),
            False,
            "10658000123 is no code of meters",
            {"expected": "meters", "seen": "10658000123"},
        ),
        (
            partial(judge_code, account="", owner="lifts", number=party(CODE)),
            True,
            "10658000123 is a code of lifts",
            {"expected": "a code of the list", "seen": "10658000123"},
        ),
        (
            partial(judge_code, account="", owner="", number=party(CODE)),
            False,
            "10658000123 is nobody's code",
            {"expected": "a code of the list", "seen": "10658000123"},
        ),
        (
            partial(judge_own_code, code=party(CODE), number=party("+8610658000123")),
            True,
            "its own code",
            {"expected": "10658000123", "seen": "10658000123"},
        ),
        (
            partial(judge_own_code, code=party(CODE), number=party("+447785016005")),
            False,
            "is not its code",
            {"expected": "10658000123", "seen": "+447785016005"},
        ),
        (
            partial(judge_call_party, number="", listed=None, emergency=True),
            True,
            "an emergency number",
            {"seen": "none"},
        ),
        (partial(judge_call_party, number="110", listed=None), False, "voice is off", {"seen": "110"}),
        (
            partial(judge_call_party, number="110", listed=[], undirected=True),
            True,
            "are not directed",
            {"seen": "110"},
        ),
        (
            partial(judge_call_party, number=" ", listed=["b", "a"]),
            False,
            "no number that the network has verified",
            {"expected": ["a", "b"], "seen": "none"},
        ),
        (
            partial(judge_call_party, number="110", listed=["120"]),
            False,
            "is not listed",
            {"expected": ["120"], "seen": "110"},
        ),
        (
            partial(judge_call_party, number="110", listed=["110"]),
            True,
            "is listed",
            {"expected": ["110"], "seen": "110"},
        ),
        (partial(judge_list_age, age=60.0, most=60.0), True, "young enough", {"expected": 60.0, "seen": 60.0}),
        (partial(judge_list_age, age=61.0, most=60.0), False, "61 s ago", {"expected": 60.0, "seen": 61.0}),
        (partial(judge_card_owner, account="a", owner="a"), True, "a's own", {"expected": "a", "seen": "a"}),
        (
            partial(judge_card_owner, account="a", owner="b"),
            False,
            "none of a's",
            {"expected": "a", "seen": "another's or none"},
        ),
        (
            partial(judge_listed, opened=False, number=party(CODE), listed=[party(CODE)]),
            False,
            "not opened",
            {"expected": [CODE], "seen": CODE},
        ),
        (
            partial(judge_listed, opened=True, number=party(CODE), listed=[party(OTHER), party(CODE)]),
            True,
            "is on",
            {"expected": [CODE, OTHER], "seen": CODE},
        ),
        (
            partial(judge_listed, opened=True, number=party(CODE), listed=[party(OTHER)]),
            False,
            "is not on",
            {"expected": [OTHER], "seen": CODE},
        ),
        (partial(judge_content, beyond_text="", ota=False), True, "a text", {"seen": "text"}),
        (partial(judge_content, beyond_text="class 2", ota=True), True, "own code", {"seen": "class 2"}),
        (partial(judge_content, beyond_text="class 2", ota=False), False, "own code only", {"seen": "class 2"}),
        (partial(judge_rate, sent=9, most=0), True, "within", {"expected": 0, "seen": 9}),
        (partial(judge_rate, sent=1, most=2), True, "within", {"expected": 2, "seen": 1}),
        (partial(judge_rate, sent=2, most=2), False, "has 2", {"expected": 2, "seen": 2}),
        (partial(judge_emergency, allowed="nobody", proven=True), False, "not served here", {"expected": "nobody"}),
        (
            partial(judge_emergency, allowed="authenticated", proven=False),
            False,
            "proves itself",
            {"expected": "authenticated"},
        ),
        (
            partial(judge_emergency, allowed="authenticated", proven=True),
            True,
            "of authenticated",
            {"expected": "authenticated"},
        ),
        (partial(judge_emergency, allowed="everybody", proven=False), True, "of everybody", {"expected": "everybody"}),
        (partial(judge_station, **STATION, stations=[], served=[]), True, "are served here", {"seen": 17}),
        (partial(judge_station, **STATION, stations=[17], served=[2]), True, "are served here", {"seen": 17}),
        (
            partial(judge_station, **STATION, stations=[19, 18], served=[]),
            False,
            "station is not listed",
            {"expected": [18, 19], "seen": 17},
        ),
        (
            partial(judge_station, **STATION, stations=[], served=[4, 3]),
            False,
            "no tracking area",
            {"expected": [3, 4], "seen": [1, 2]},
        ),
        (
            partial(judge_role, role="operator", roles={"operator"}, call="GET /"),
            True,
            "GET / is for the operator",
            {"expected": ["operator"], "seen": "operator"},
        ),
        (
            partial(judge_equipment, answer=EquipmentAnswer.UNKNOWN, imei="", age=1.2345),
            False,
            "the EIR does not know the equipment (a verdict kept for 1.2345 s)",
            {"seen": "", "temporary": False, "kept": 1.234},
        ),
        (
            partial(judge_form, **ODD, terminal="other", slot=Slot.ANY),
            False,
            "made for meter",
            {"expected": "meter", "seen": "other"},
        ),
        (
            partial(judge_form, **ODD, terminal="other", slot=Slot.ODD_SHAPED),
            True,
            "fits into other",
            {"expected": "meter", "seen": "other"},
        ),
        (
            partial(judge_form, **ODD, terminal="meter", slot=Slot.ANY),
            True,
            "fits into meter",
            {"expected": "meter", "seen": "meter"},
        ),
    ],
)
def test_a_ruling_says_why_and_what_was_expected_and_seen(
    rule: Callable[[], Ruling], reason: str, facts: dict[str, Any], *, admitted: bool
) -> None:
    ruling = rule()
    assert (ruling.admitted, dict(ruling.details)) == (admitted, facts)
    assert reason in ruling.reason


@pytest.mark.parametrize(
    ("csi", "phases", "supported", "offered", "phase"),
    [
        (O_CSI, [1, 2], [1, 2], [], 2),
        (VT_CSI, [1, 3], [1, 3], [], 3),
        (VT_CSI, [1, 2], [1, 2], [], 0),  # there is none before phase 3
        (T_CSI, [2, 4], [1, 2, 3, 4], [3], 4),
        (T_CSI, [2, 4], [1, 2, 3, 4], [0], 2),  # in phase 4 it does not offer this one
        (O_CSI, [4], [4], [0], 4),
        (VT_CSI, [4], [4], [2], 4),
        (O_CSI, [4], [4], [], 0),
    ],
)
def test_the_highest_common_phase_is_taken(
    csi: str, phases: list[int], supported: list[int], offered: list[int], phase: int
) -> None:
    assert common_phase(csi, phases, supported, offered) == phase


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (partial(judge_withdrawn, withdrawn=True), "the subscription is withdrawn"),
        (partial(judge_call_numbers, numbers=["110"]), "1 numbers"),
        (partial(judge_call_numbers, numbers=["110"], approved="E-7"), "1 numbers, approved: E-7"),
        (partial(judge_sms_numbers, numbers=["10658000"]), "1 numbers"),
        (partial(judge_sms_numbers, numbers=["10658000"], approved="E-7"), "1 numbers, approved: E-7"),
        (partial(judge_call_time, used=1, quota=0), "no quota is set"),
        (partial(judge_call_time, used=1, quota=2), "the quota allows it"),
        (partial(judge_message_quota, used=1, parts=1, quota=0), "no quota is set"),
        (partial(judge_message_quota, used=1, parts=1, quota=2), "the quota allows it"),
    ],
)
def test_a_reason_tells_what_there_is(rule: Callable[[], Ruling], reason: str) -> None:
    assert rule().reason == reason


def test_a_gateway_without_a_name_is_seen_as_none() -> None:
    for name, shown in (("", "none"), ("meters", "meters")):
        ruling = judge_gateway(system_id=name, listed=["lifts"], proven=False, tries=0, most=1)
        assert (ruling.admitted, dict(ruling.details)) == (False, {"expected": ["lifts"], "seen": shown})
