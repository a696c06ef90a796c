"""What each ruling says beside yes and no, for people and expectations: why, what was expected and what was seen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.model.form import FormFactor, Slot
from simwarden.model.identity import Ecgi, Tai
from simwarden.policy.access import judge_apn, judge_barring, judge_hss
from simwarden.policy.area import judge_cell, judge_extent, judge_province, judge_stations, judge_zones
from simwarden.policy.binding import (
    FirstUse,
    judge_features,
    judge_given,
    judge_learned,
    judge_peer,
    judge_subscriber,
    judge_withdrawn,
)
from simwarden.policy.card_states import CardState, Operation, judge_bindable, judge_state, judge_transition
from simwarden.policy.equipment import EquipmentAnswer, judge_equipment, judge_identified
from simwarden.policy.equipment_lists import EquipmentRange, Status, judge_listed, judge_pool
from simwarden.policy.form import judge_form
from simwarden.policy.interlock import card_serves_terminal, terminal_accepts_card
from simwarden.policy.operator import judge_binder, judge_change, judge_frequency, judge_owner, judge_scope
from simwarden.policy.platform import (
    Mismatch,
    PhoneWish,
    judge_batch,
    judge_captured,
    judge_lock,
    judge_phone,
    judge_pools,
    judge_record,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.policy.decision import Ruling

METER, PHONE = "99000101000001", "99000201000001"
FIRST_USE = FirstUse(home_province=True, home_network=True, vectors=True, initial_attach=True)
METER_SHOWN, PHONE_SHOWN = "990001010000016", "990002010000014"
BOTH = {"expected": METER_SHOWN, "seen": PHONE_SHOWN}
SAME = {"expected": METER_SHOWN, "seen": METER_SHOWN}
FIRST_USE = FirstUse(home_province=True, home_network=True, vectors=True, initial_attach=True)
CELL, OTHER = Ecgi.parse("001-01-0000101"), Ecgi.parse("001-01-0000201")
POOL = [EquipmentRange.parse("99000101")]
POOL_FACTS = {"kind": "module", "expected": ["99000101", "tracker"]}
HOST, REALM = "mme.example.net", "example.net"
PEER_FACTS: dict[str, Any] = {"seen": HOST, "expected": [HOST]}
PEER: dict[str, Any] = {"host": HOST, "realm": REALM, "listed": {HOST: REALM}}
TAI = Tai(CELL.plmn, 1)
ZONES = {"zones": ["0001"], "expected": ["001-01-0001"], "seen": "001-01-0001"}
FORM: dict[str, Any] = {"form": FormFactor.SOLDERED, "home": "meter", "slot": Slot.ANY}


@pytest.mark.parametrize(
    ("rule", "admitted", "reason", "facts"),
    [
        (partial(judge_barring, barred=True), False, "barred", {"temporary": True}),
        (partial(judge_barring, barred=False), True, "not barred", {}),
        (partial(judge_hss, reachable=True), True, "answered", {}),
        (partial(judge_hss, reachable=False), False, "the HSS cannot be reached", {"temporary": True}),
        (partial(judge_hss, reachable=False, reason="silence"), False, "silence", {"temporary": True}),
        (partial(judge_apn, requested="IOT", subscribed=["iot"]), True, "is", {"seen": "IOT", "expected": ["iot"]}),
        (partial(judge_apn, requested="x", subscribed=["*"]), True, "is", {"seen": "x", "expected": ["*"]}),
        (partial(judge_apn, requested="x", subscribed=["iot"]), False, "not", {"seen": "x", "expected": ["iot"]}),
        (
            partial(judge_features, needed=["A"], supported=["B", "A"]),
            True,
            "supports",
            {"expected": ["A"], "seen": ["A", "B"]},
        ),
        (
            partial(judge_features, needed=["A"], supported=["B"]),
            False,
            "not support A",
            {"expected": ["A"], "seen": ["B"]},
        ),
        (partial(judge_given, bound=METER, seen=METER), True, "the bound one", SAME),
        (partial(judge_given, bound=METER, seen=PHONE), False, "not the bound one", BOTH),
        (partial(judge_given, bound=METER, seen=""), False, "not given", {"expected": METER_SHOWN, "seen": ""}),
        (
            partial(judge_given, bound=METER, seen="", admit_unidentified=True),
            True,
            "not given",
            {"expected": METER_SHOWN, "seen": ""},
        ),
        (partial(judge_learned, bound=METER, seen=PHONE, use=FIRST_USE), False, "not the bound one", BOTH),
        (
            partial(judge_learned, bound="", seen=METER, use=FIRST_USE),
            True,
            "binds",
            {"seen": METER_SHOWN, "teaches": METER_SHOWN},
        ),
        (
            partial(judge_learned, bound="", seen=METER, use=FIRST_USE._replace(home_province=False)),
            True,
            "teaches nothing",
            {"seen": METER_SHOWN, "teaches": ""},
        ),
        (partial(judge_learned, bound="", seen="", use=FIRST_USE), False, "binds nothing", {"seen": "", "teaches": ""}),
        (
            partial(judge_learned, bound="", seen="", use=FIRST_USE, admit_unidentified=True),
            True,
            "binds nothing",
            {"seen": "", "teaches": ""},
        ),
        (partial(judge_peer, **PEER), True, "is a known node", PEER_FACTS),
        (partial(judge_peer, **PEER | {"realm": "other.net"}), False, "is of realm", PEER_FACTS),
        (
            partial(judge_peer, **PEER | {"host": "x.net"}),
            False,
            "is not a known node",
            {"seen": "x.net", "expected": [HOST]},
        ),
        (partial(judge_peer, **PEER, through=HOST), True, "is a known node", PEER_FACTS),
        (partial(judge_peer, **PEER, through="dra.net"), False, "is no relay", PEER_FACTS),
        (partial(judge_peer, **PEER, through="dra.net", relays=["dra.net"]), True, "is a known node", PEER_FACTS),
        (partial(judge_subscriber, known=True), True, "is provisioned", {}),
        (partial(judge_subscriber, known=False), False, "not provisioned", {}),
        (partial(judge_withdrawn, withdrawn=False, reason="misuse"), True, "in force", {}),
        (partial(judge_withdrawn, withdrawn=True, reason="misuse"), False, "withdrawn: misuse", {}),
        (partial(judge_identified, imei=METER), True, "gave", {"seen": METER}),
        (partial(judge_identified, imei=""), False, "does not give", {"seen": "", "temporary": False}),
        (partial(judge_identified, imei="", admit_unidentified=True), True, "does not give", {"seen": ""}),
        (partial(judge_equipment, answer=EquipmentAnswer.ALLOWED, imei=METER), True, "allowed", {"seen": METER}),
        (partial(judge_equipment, answer=EquipmentAnswer.TRACKED, imei=METER), True, "tracked", {"seen": METER}),
        (
            partial(
                judge_equipment,
                answer=EquipmentAnswer.PROHIBITED,
                imei=METER,
                admit_unknown=True,
                admit_without_verdict=True,
            ),
            False,
            "prohibited",
            {"seen": METER, "temporary": False},
        ),
        (
            partial(judge_equipment, answer=EquipmentAnswer.UNKNOWN, imei=METER, admit_without_verdict=True),
            False,
            "does not know",
            {"seen": METER, "temporary": False},
        ),
        (
            partial(judge_equipment, answer=EquipmentAnswer.UNKNOWN, imei=METER, admit_unknown=True),
            True,
            "does not know",
            {"seen": METER},
        ),
        (
            partial(judge_equipment, answer=EquipmentAnswer.NO_VERDICT, imei=METER, admit_unknown=True),
            False,
            "no verdict",
            {"seen": METER, "temporary": True},
        ),
        (
            partial(judge_equipment, answer=EquipmentAnswer.NO_VERDICT, imei=METER, admit_without_verdict=True),
            True,
            "set to admit",
            {"seen": METER},
        ),
        (
            partial(judge_listed, imei=METER, listed=None, kind="module", kinds={}, unlisted=Status.UNKNOWN),
            False,
            "unlisted",
            {"seen": METER_SHOWN, "status": "unknown", "kind": "module"},
        ),
        (
            partial(judge_pool, imei=METER, pool=POOL, kind="module", kinds=["tracker"]),
            True,
            "is of",
            {"seen": METER_SHOWN, **POOL_FACTS},
        ),
        (
            partial(judge_pool, imei=PHONE, pool=POOL, kind="module", kinds=["tracker"]),
            False,
            "outside",
            {"seen": PHONE_SHOWN, **POOL_FACTS},
        ),
        (partial(card_serves_terminal, bound=METER, seen=METER), True, "the bound one", SAME),
        (partial(card_serves_terminal, bound=METER, seen=PHONE, fail_open=True), False, "not the bound one", BOTH),
        (
            partial(card_serves_terminal, bound=METER, seen=""),
            False,
            "gives no IMEI",
            {"expected": METER_SHOWN, "seen": ""},
        ),
        (
            partial(card_serves_terminal, bound=METER, seen="", fail_open=True),
            True,
            "fails open",
            {"expected": METER_SHOWN, "seen": ""},
        ),
        (partial(terminal_accepts_card, bound=METER, seen=PHONE), False, "not the terminal's own", BOTH),
        (partial(terminal_accepts_card, bound=METER, seen=METER), True, "the terminal's own", SAME),
        (
            partial(terminal_accepts_card, bound="", seen=METER),
            True,
            "no terminal",
            {"expected": "", "seen": METER_SHOWN},
        ),
        (
            partial(judge_form, **FORM, terminal="meter"),
            True,
            "fits into meter",
            {"expected": "meter", "seen": "meter"},
        ),
        (
            partial(judge_form, **FORM, terminal="phone"),
            False,
            "stays in meter",
            {"expected": "meter", "seen": "phone"},
        ),
        (partial(judge_form, **FORM, terminal=""), False, "stays in meter", {"expected": "meter", "seen": "nowhere"}),
        (
            partial(judge_form, form=FormFactor.PLUG_IN, home="", terminal="", slot=Slot.ANY),
            True,
            "comes out",
            {"expected": "plug-in", "seen": "nowhere"},
        ),
        (
            partial(judge_cell, cells=[str(OTHER), str(CELL)], seen=CELL),
            True,
            "one of the card's",
            {"expected": [str(CELL), str(OTHER)], "seen": str(CELL)},
        ),
        (
            partial(judge_cell, cells=[str(CELL)], seen=OTHER, station=CELL.station),
            False,
            "none of the card's",
            {"expected": [str(CELL)], "seen": str(OTHER)},
        ),
        (
            partial(judge_cell, cells=[str(CELL)], station=CELL.station),
            True,
            "has a cell",
            {"expected": [str(CELL)], "seen": CELL.station},
        ),
        (
            partial(judge_cell, cells=[str(OTHER), str(CELL)], station=CELL.station),
            True,
            "has a cell",
            {"expected": [str(CELL), str(OTHER)], "seen": CELL.station},
        ),
        (
            partial(judge_cell, cells=[CELL.station], seen=CELL),
            True,
            "one of the card's",
            {"expected": [CELL.station], "seen": str(CELL)},
        ),
        (
            partial(judge_cell, cells=[str(CELL)], station=OTHER.station),
            False,
            "has no cell",
            {"expected": [str(CELL)], "seen": OTHER.station},
        ),
        (
            partial(judge_stations, limit=2, used=["b", "a"], seen="a"),
            True,
            "before",
            {"expected": ["a", "b"], "seen": "a", "counts": ""},
        ),
        (
            partial(judge_stations, limit=2, used=["a"], seen="b"),
            True,
            "base station 2 of at most 2",
            {"expected": ["a"], "seen": "b", "counts": "b"},
        ),
        (
            partial(judge_stations, limit=1, used=["a"], seen="b"),
            False,
            "may be at 1",
            {"expected": ["a"], "seen": "b"},
        ),
        (partial(judge_zones, zones=["0001"], areas={"0001": [1]}, seen=TAI), True, "is in", ZONES),
        (
            partial(judge_zones, zones=["0002", "0001"], areas={"0002": [2]}, seen=TAI),
            False,
            "outside",
            {"zones": ["0001", "0002"], "expected": ["001-01-0002"], "seen": "001-01-0001"},
        ),
        (
            partial(judge_province, province="east", homes=["west", "east"], seen="17"),
            True,
            "is in",
            {"expected": "east", "seen": "east, west", "station": "17"},
        ),
        (
            partial(judge_province, province="east", homes=[], seen="17"),
            False,
            "outside",
            {"expected": "east", "seen": "no province", "station": "17"},
        ),
        (partial(judge_extent, province="", homes={"1": []}, known=[]), True, "one province", {"seen": ["1"]}),
        (
            partial(judge_extent, province="x", homes={}, known=["b", "a"]),
            False,
            "there is no province",
            {"expected": ["a", "b"], "seen": "x"},
        ),
        (
            partial(judge_extent, province="", homes={"1": []}, known=["b", "a"]),
            False,
            "1 is in no province",
            {"expected": ["a", "b"], "seen": "1"},
        ),
        (
            partial(judge_extent, province="a", homes={"1": ["b"]}, known=["a", "b"]),
            False,
            "larger",
            {"expected": ["a"], "seen": ["a", "b"]},
        ),
        (
            partial(judge_extent, province="", homes={"1": ["a", "b"]}, known=["a", "b"]),
            True,
            "within one",
            {"expected": ["a", "b"], "seen": ["a", "b"]},
        ),
        (partial(judge_binder, role="operator"), True, "the operator", {"expected": "operator", "seen": "operator"}),
        (partial(judge_binder, role="customer"), False, "may not", {"expected": "operator", "seen": "customer"}),
        (partial(judge_change, approver="Li", reason="r", form="F"), True, "by Li", {"seen": "Li"}),
        (partial(judge_change, approver="Li", reason="", form="F"), False, "reason missing", {"seen": "Li"}),
        (partial(judge_frequency, changes=1, most=2, period="day"), True, "change 2 of 2", {"seen": 1, "expected": 2}),
        (partial(judge_frequency, changes=2, most=2, period="day"), False, "2 times", {"seen": 2, "expected": 2}),
        (partial(judge_owner, account="a", accounts=["b", "a"]), True, "own", {"expected": ["a", "b"], "seen": "a"}),
        (
            partial(judge_owner, account="c", accounts=["a"], caller="Li"),
            False,
            "of Li's",
            {"expected": ["a"]},
        ),
        (partial(judge_owner, account="", accounts=[""]), False, "none of", {"expected": [""]}),
        (
            partial(judge_scope, scope="b", scopes=["b", "a"]),
            True,
            "has the scope",
            {"expected": "b", "seen": ["a", "b"]},
        ),
        (partial(judge_scope, scope="c", scopes=["a"]), False, "not for c", {"expected": "c", "seen": ["a"]}),
        (
            partial(judge_captured, bound="", seen=METER),
            True,
            "first use",
            {"seen": METER_SHOWN, "teaches": METER_SHOWN},
        ),
        (partial(judge_captured, bound=METER, seen=METER), True, "the bound one", {**SAME, "teaches": ""}),
        (partial(judge_captured, bound=METER, seen=PHONE), False, "not the bound one", {**BOTH, "teaches": ""}),
        (
            partial(judge_captured, bound=METER, seen=PHONE, mismatch=Mismatch.ALARM),
            True,
            "an alarm only",
            {**BOTH, "teaches": "", "alarm": True},
        ),
        (
            partial(judge_captured, bound=METER, seen=PHONE, before=1, grace=2),
            True,
            "mismatch 2 of 2",
            {**BOTH, "teaches": "", "alarm": True},
        ),
        (partial(judge_captured, bound=METER, seen=PHONE, before=2, grace=2), False, "not", {**BOTH, "teaches": ""}),
        (partial(judge_pools, seen=METER, pools={}), True, "no pool", {"expected": [], "seen": METER_SHOWN}),
        (
            partial(judge_pools, seen=METER, pools={"b": [], "a": [METER]}),
            True,
            "of pool a",
            {"expected": ["a", "b"], "seen": METER_SHOWN},
        ),
        (
            partial(judge_pools, seen=PHONE, pools={"a": [METER]}),
            False,
            "in none",
            {"expected": ["a"], "seen": PHONE_SHOWN},
        ),
        (partial(judge_record, seen=PHONE, bound=METER, pools={}), False, "not the bound one", {**BOTH, "teaches": ""}),
        (partial(judge_record, seen=PHONE, bound="", pools={}, embedded=True, first=METER), False, "built into", BOTH),
        (
            partial(judge_record, seen=METER, bound="", pools={}, embedded=True, first=METER),
            True,
            "no pool",
            {"expected": [], "seen": METER_SHOWN},
        ),
        (
            partial(judge_record, seen=PHONE, bound="", pools={}, first=METER),
            True,
            "no pool",
            {"expected": [], "seen": PHONE_SHOWN},
        ),
        (
            partial(judge_phone, kind="phone", seen=PHONE, wish=PhoneWish.REFUSE),
            False,
            "is a phone",
            {"expected": "no phone", "seen": PHONE_SHOWN, "kind": "phone"},
        ),
        (
            partial(judge_phone, kind="phone", seen=PHONE, wish=PhoneWish.ALARM),
            True,
            "alarm only",
            {"expected": "no phone", "seen": PHONE_SHOWN, "kind": "phone", "alarm": True},
        ),
        (
            partial(judge_phone, kind="", seen=PHONE, wish=PhoneWish.REFUSE),
            True,
            "lacks",
            {"expected": "no phone", "seen": PHONE_SHOWN, "kind": ""},
        ),
        (
            partial(judge_phone, kind="module", seen=METER, wish=PhoneWish.REFUSE),
            True,
            "is no phone",
            {"expected": "no phone", "seen": METER_SHOWN, "kind": "module"},
        ),
        (
            partial(judge_phone, kind="phone", seen=PHONE, wish=PhoneWish.SERVE),
            True,
            "may have",
            {"expected": "no phone", "seen": PHONE_SHOWN, "kind": "phone"},
        ),
        (
            partial(judge_record, seen=PHONE, bound="", pools={}, embedded=True),
            True,
            "no pool",
            {"expected": [], "seen": PHONE_SHOWN},
        ),
        (partial(judge_lock, elapsed=None), True, "not locked", {"seen": None, "expected": 180.0}),
        (partial(judge_lock, elapsed=180.0), True, "not locked", {"seen": 180.0, "expected": 180.0}),
        (partial(judge_lock, elapsed=179.0), False, "for 1 s more", {"seen": 179.0, "expected": 180.0}),
        (partial(judge_batch, size=100), True, "small enough", {"seen": 100, "expected": 100}),
        (partial(judge_batch, size=101), False, "at most 100", {"seen": 101, "expected": 100}),
        (
            partial(judge_transition, state=CardState.ACTIVE, operation=Operation.SUSPEND),
            True,
            "to suspended",
            {"seen": "active", "after": "suspended"},
        ),
        (
            partial(judge_transition, state=CardState.CLOSED, operation=Operation.RESUME),
            False,
            "leads nowhere",
            {"seen": "closed", "after": ""},
        ),
        (partial(judge_state, state=CardState.TEST), True, "is test", {"seen": "test"}),
        (partial(judge_state, state=CardState.CLOSED), False, "is closed", {"seen": "closed"}),
        (partial(judge_bindable, state=CardState.STOCK), True, "may be bound", {"seen": "stock"}),
        (partial(judge_bindable, state=CardState.TEST), False, "is not bound", {"seen": "test"}),
    ],
)
def test_a_ruling_says_why_and_what_was_expected_and_seen(
    rule: Callable[[], Ruling], reason: str, facts: dict[str, Any], *, admitted: bool
) -> None:
    ruling = rule()
    assert (ruling.admitted, dict(ruling.details)) == (admitted, facts)
    assert reason in ruling.reason


@pytest.mark.parametrize(
    "text", ["9900020１", "9900020a", "٩٩٠٠٠٢٠١", "9900020-99000299", "x-99000299", "99000201-9900020１"]
)
def test_a_type_code_has_eight_ascii_digits(text: str) -> None:
    with pytest.raises(ValueError, match=r"IMEI|range"):
        EquipmentRange.parse(text)
