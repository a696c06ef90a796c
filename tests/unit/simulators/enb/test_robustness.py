"""Invariant: whatever arrives on S1, X2 or the radio, the eNB answers or notes it, raises nothing, and serves on."""

from __future__ import annotations

from typing import Any

import budget
import pytest
import s1ap_oracle as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.enb import dispatch
from simulators.enb.procedures import x2 as x2_procedures
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire import s1ap, uu, x2
from simwarden.wire.s1ap.values import UeS1apIdPair

PLMN = Plmn("001", "01")
# a bench is made anew for each example inside the test
eager = settings(max_examples=budget.examples(15))


def still_serves(bench: Any) -> None:
    """A new device gets through (on a fresh S1 if the MME has just reset or refused ours)."""
    bench.s1.far = None
    bench.mme.link, bench.mme.state, bench.mme.overload = bench.s1, "up", None
    bench.s1.sent.clear()
    device = bench.device()
    device.send(uu.RrcConnectionRequest(0x101, uu.RandomValue(1), uu.EstablishmentCause.MO_DATA))
    device.send(uu.RrcConnectionSetupComplete(PLMN, b"\x07"))
    assert bench.s1.sent[-1].name == "initial-ue-message"


def aimed(message: s1ap.Message, device: Any, data: st.DataObject) -> s1ap.Message:
    """Often put the device's own numbers into a message, so that it gets past their check."""
    if data.draw(st.booleans()):
        message.ies |= {name: value for name, value in device.ids.items() if name in message.ies}
        if "ue_s1ap_ids" in message.ies:
            message.ies["ue_s1ap_ids"] = UeS1apIdPair(**device.ids)
        if "target_cell_id" in message.ies:
            message.ies["target_cell_id"] = Ecgi(PLMN, 0x101)
    return message


@pytest.mark.parametrize("name", s1ap.SPECS)
@eager
@given(data=st.data())
def test_any_message_on_s1(make_bench: Any, name: str, data: st.DataObject) -> None:
    bench = make_bench()
    bench.set_up()
    device = bench.attached()
    if data.draw(st.booleans()):
        device.send(uu.MeasurementReport((uu.MeasuredCell(Ecgi(PLMN, 0x201)),)))
    for _ in range(2):
        message = aimed(data.draw(oracle.messages(s1ap.Message, name)), device, data)
        dispatch.from_mme(bench.station, bench.mme, s1ap.encode(message))
    bench.clock.wind(data.draw(st.sampled_from([0, 100])))
    device.send(uu.UlInformationTransfer(b"\x07"))
    still_serves(bench)


@pytest.mark.parametrize("name", x2.SPECS)
@eager
@given(data=st.data())
def test_any_message_on_x2(make_bench: Any, x2_joined: Any, name: str, data: st.DataObject) -> None:
    bench, other = make_bench(), make_bench("enb2")
    bench.set_up()
    other.set_up()
    near, _ = x2_joined(bench, other)
    near.far = None
    device = bench.attached()
    device.send(uu.MeasurementReport((uu.MeasuredCell(Ecgi(PLMN, 0x201)),)))
    message: Any = data.draw(oracle.messages(x2.Message, name))
    if data.draw(st.booleans()):
        message.ies |= {"old_enb_ue_x2ap_id": 1} if "old_enb_ue_x2ap_id" in message.ies else {}
    if data.draw(st.booleans()) and "target_cell_id" in message.ies:
        message.ies["target_cell_id"] = Ecgi(PLMN, 0x101)
    (neighbour,) = bench.station.neighbours
    x2_procedures.receive(bench.station, neighbour, x2.encode(message))
    bench.clock.wind(data.draw(st.sampled_from([0, 100])))
    still_serves(bench)


FRAMES: list[uu.Message] = [
    uu.CellSearch(),
    uu.Camp(0x101, 5),
    uu.RrcConnectionRequest(0x101, uu.RandomValue(1), uu.EstablishmentCause.MO_DATA),
    uu.RrcConnectionSetupComplete(PLMN, b"\x07\x41"),
    uu.UlInformationTransfer(b"\x07\x45"),
    uu.SecurityModeComplete(),
    uu.SecurityModeFailure(),
    uu.RrcConnectionReconfigurationComplete(),
    uu.RrcConnectionReconfigurationComplete(0x3D),
    uu.RrcConnectionReconfigurationComplete(0x3E),
    uu.MeasurementReport((uu.MeasuredCell(Ecgi(PLMN, 0x102)),)),
    uu.MeasurementReport((uu.MeasuredCell(Ecgi(PLMN, 0x201), 80, Tai(PLMN, 2)),)),
    uu.UserData(5, b"\x45"),
]


@eager
@given(data=st.data())
def test_any_order_of_frames_on_the_radio(make_bench: Any, data: st.DataObject) -> None:
    bench = make_bench(cells=[{"tac": 1}, {"tac": 2}])
    bench.set_up()
    devices = [bench.device(), bench.attached()]
    for _ in range(data.draw(st.integers(1, 12))):
        device = data.draw(st.sampled_from(devices))
        if data.draw(st.integers(0, 3)) == 0:
            bench.from_mme("initial-context-setup-request", **devices[1].context())
        device.send(data.draw(st.sampled_from(FRAMES)))
        bench.clock.wind(data.draw(st.sampled_from([0, 0, 0, 6, 20])))
    for device in devices:
        device.vanish()
    bench.clock.wind(100)
    assert not bench.station.ues
    assert not bench.station.radio
    assert all(cell.connected == 0 and not cell.camped for cell in bench.station.cells.values())
    still_serves(bench)
