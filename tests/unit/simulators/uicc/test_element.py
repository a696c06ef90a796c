"""The card as an element: in a terminal, moved, torn out, and personalised by its operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from simulators.uicc.config import AppletSms, UiccConfig
from simulators.uicc.element import Uicc
from simwarden.errors import ManagementError
from simwarden.machine import milenage
from simwarden.model.form import Slot
from simwarden.model.identity import Imei
from simwarden.operations.management import Role
from simwarden.testing import Bench, ScriptedTerminal
from simwarden.trace.events import Frame, PeerFault
from simwarden.wire.apdu import CommandApdu, Ins, cat, contents, dissect, efs
from simwarden.wire.apdu.authenticate import authenticate_command
from simwarden.wire.apdu.control import ATR, Control, insertion

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop

K, OPC = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"
IMSI = "001010000000001"
METER, PHONE = Imei("86990100000001"), Imei("86990200000001")
BODY: dict[str, Any] = {
    "name": "card",
    "imsi": IMSI,
    "iccid": "8900101000000000014",
    "msisdn": "1440000000001",
    "k": K,
    "opc": OPC,
    "profile": "meter",
    "form": "plug-in",
}
USIM = CommandApdu(0, Ins.SELECT, 4, 0x0C, efs.AID_USIM)


async def authenticate(terminal: ScriptedTerminal, sqn: int) -> int:
    await terminal.ask(USIM)
    return (await terminal.ask(challenge(sqn))).sw


def challenge(sqn: int) -> CommandApdu:
    k, opc, rand, amf = bytes.fromhex(K), bytes.fromhex(OPC), bytes(range(16)), b"\x80\x00"
    octets = sqn.to_bytes(6, "big")
    ak = milenage.f2345(k, opc, rand)[3]
    mac = milenage.f1(k, opc, rand, octets, amf)[0]
    return authenticate_command(rand, bytes(a ^ b for a, b in zip(octets, ak, strict=True)) + amf + mac)


class Cards(Bench):
    """A card and two terminals in one process."""

    def __init__(self, loop: TestbedLoop, config: UiccConfig) -> None:
        super().__init__(loop, seed=1, scenario="cards")
        self.card = self.add("card", Uicc, config)
        self.meter, self.phone = (self.add(name, ScriptedTerminal) for name in ("meter", "phone"))

    async def provision(self, **changes: Any) -> Any:
        return await self.card.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", BODY | changes)


@pytest.fixture
def bench(request: pytest.FixtureRequest, loop: TestbedLoop) -> Cards:
    return Cards(loop, getattr(request, "param", UiccConfig()))


APPLET = {"sections": {"binding": [{"by": "card", "imei": METER.imei, "applet": "true"}]}}
SOLDERED = {"form": "soldered"}


async def test_a_personalised_card_authenticates(bench: Cards) -> None:
    async with bench:
        await bench.provision()
        assert await bench.meter.put_in()
        assert await authenticate(bench.meter, 32) == 0x9000
        assert await authenticate(bench.meter, 32) == 0x9000
        assert (await bench.meter.ask(CommandApdu(0, Ins.READ_BINARY, 0x87, 0, le=9))).data[1:3] == b"\x09\x10"
    assert bench.observed("authentication") == ["accepted", "synchronisation-failure"]
    assert bench.observed("terminal") == ["meter", "nowhere"]
    assert bench.observed("power") == ["on", "off"]
    assert bench.verdicts("bind.card.applet") == []


async def test_an_interlocked_card_serves_its_terminal_only(bench: Cards) -> None:
    async with bench:
        await bench.provision(**APPLET)
        assert await bench.meter.put_in()
        await bench.meter.introduce(METER)
        assert await authenticate(bench.meter, 32) == 0x9000
        assert await bench.phone.put_in()
        await bench.phone.introduce(PHONE)
        assert await authenticate(bench.phone, 64) == 0x6985
        assert bench.meter.closed == ["card moved to phone"]
    assert bench.verdicts("bind.card.applet") == [True, False]
    assert bench.observed("authentication") == ["accepted", "refused"]
    assert bench.observed("interlock") == [{"imsi": IMSI, "imei": METER.imei, "applet": True}]


async def test_a_soldered_card_is_not_moved(bench: Cards) -> None:
    async with bench:
        await bench.provision(**SOLDERED)
        assert await bench.meter.put_in()
        assert not await bench.phone.put_in()
        assert bench.phone.closed == ["a soldered card stays in meter"]
        assert bench.meter.closed == []
        assert await authenticate(bench.meter, 32) == 0x9000
        assert await bench.card.manage(Role.OPERATOR, "POST", "/verbs/pull_out", {"card": "card"}) == "refused"
    assert bench.verdicts("pre.form") == [True, False, False]


@pytest.mark.parametrize(
    ("bench", "alive"), [(UiccConfig(), False), (UiccConfig(survives_removal=True), True)], indirect=["bench"]
)
async def test_a_soldered_card_that_is_torn_out(bench: Cards, alive: bool) -> None:  # noqa: FBT001
    async with bench:
        await bench.provision(**SOLDERED)
        assert await bench.meter.put_in()
        outcome = await bench.card.manage(Role.OPERATOR, "POST", "/verbs/pull_out", {"card": "card", "force": "true"})
        assert outcome == ("out" if alive else "destroyed")
        await bench.meter.quiet()
        assert bench.meter.closed == ["card pulled out"]
        assert await bench.phone.put_in() is alive
    assert bench.observed("power")[1] == ("off" if alive else "destroyed")


async def test_a_plug_in_card_comes_out_and_keeps_its_memory(bench: Cards) -> None:
    async with bench:
        await bench.provision()
        assert await bench.meter.put_in()
        assert await authenticate(bench.meter, 32) == 0x9000
        await bench.meter.ask(CommandApdu(0, Ins.UPDATE_BINARY, 0x9E, 0, b"\x0b\xf6" + bytes(16)))
        assert await bench.card.manage(Role.OPERATOR, "POST", "/verbs/pull_out", {"card": "card"}) == "out"
        with pytest.raises(ManagementError):
            await bench.card.manage(Role.OPERATOR, "POST", "/verbs/pull_out", {"card": "card"})
        await bench.host.stop("card")
        await bench.host.start("card")
        assert await bench.phone.put_in()
        await bench.phone.ask(USIM)
        loci = await bench.phone.ask(CommandApdu(0, Ins.READ_BINARY, 0x9E, 0, le=18))
        assert loci.data == b"\x0b\xf6" + bytes(16)
        assert (await bench.phone.ask(challenge(32))).data[0] == 0xDC


@pytest.mark.parametrize("kill", [False, True])
async def test_a_card_that_is_taken_away_is_gone_for_its_terminal(bench: Cards, *, kill: bool) -> None:
    async with bench:
        await bench.provision()
        assert await bench.meter.put_in()
        await bench.host.stop("card", kill=kill)
        await bench.meter.quiet()
        assert bench.meter.closed == ["card taken away"]
        assert bench.observed("power")[-1] == "off"


async def test_a_plug_in_card_that_is_torn_out_is_not_destroyed(bench: Cards) -> None:
    async with bench:
        await bench.provision()
        assert await bench.meter.put_in()
        assert await bench.do("card", "pull_out", card="card", force="true") == "out"
        assert await bench.phone.put_in()


async def test_nothing_is_pulled_out_before_there_is_a_card(bench: Cards) -> None:
    async with bench:
        with pytest.raises(ManagementError, match="not provisioned"):
            await bench.do("card", "pull_out", card="card")


async def test_an_answer_that_comes_at_once_says_how_it_went(bench: Cards) -> None:
    """With T=1, or a terminal that says how much it takes, data and status word come as one."""
    async with bench:
        await bench.provision()
        await bench.meter.put_in()
        await bench.meter.ask(USIM)
        asked = challenge(32)
        answer = await bench.meter.ask(CommandApdu(asked.cla, asked.ins, asked.p1, asked.p2, asked.data, le=256))
        assert (answer.sw, answer.data[0]) == (0x9000, 0xDB)
        assert bench.observed("authentication") == ["accepted"]


@pytest.mark.parametrize(("bench", "length"), [(UiccConfig(), 2), (UiccConfig(home="001-010"), 3)], indirect=["bench"])
async def test_the_card_says_how_long_its_home_networks_mnc_is(bench: Cards, length: int) -> None:
    async with bench:
        await bench.provision()
        await bench.meter.put_in()
        await bench.meter.ask(USIM)
        read = await bench.meter.ask(CommandApdu(0, Ins.READ_BINARY, 0x80 | efs.EF_AD.sfi, 0, le=efs.EF_AD.size))
        assert contents.AdministrativeData.parse(read.data).mnc_length == length


@pytest.mark.parametrize(("result", "shown"), [(cat.Result.PERFORMED, "PERFORMED"), (0x7F, 0x7F)])
@pytest.mark.parametrize("bench", [UiccConfig(applet_sms=AppletSms(to="10658000"))], indirect=True)
async def test_how_a_message_of_the_applet_ended_is_told_in_whatever_words(
    bench: Cards, result: int, shown: str | int
) -> None:
    async with bench:
        await bench.provision()
        await bench.meter.put_in()
        await bench.meter.ask(cat.TerminalProfile(short_messages=True).command())
        called = await bench.meter.ask(CommandApdu(0x80, Ins.ENVELOPE, 0, 0, bytes.fromhex("d10482028381")))
        command = cat.ProactiveCommand.parse((await bench.meter.ask(cat.fetch(called.sw & 0xFF))).data)
        assert bench.observed("applet_sms") == []
        await bench.meter.ask(cat.TerminalResponse(*command[:3], result).command())
    (told,) = bench.observed("applet_sms")
    assert getattr(told, "name", told) == shown


async def test_a_card_without_an_area_is_given_one_by_provisioning(bench: Cards) -> None:
    async with bench:
        await bench.provision()
        await bench.provision(**APPLET)
        assert bench.observed("interlock")[-1]["imei"] == METER.imei


async def test_what_the_card_does_not_let_be_written_is_told_the_operator(bench: Cards) -> None:
    """A terminal has blocked the administrative key: no more is written (TS 102.221 9.5.1)."""
    async with bench:
        await bench.provision()
        await bench.meter.put_in()
        for _ in range(10):
            await bench.meter.ask(CommandApdu(0, Ins.VERIFY_PIN, 0, 0x0A, b"00000000"))
        body = {"imei": METER.imei, **APPROVED}
        with pytest.raises(ManagementError) as caught:
            await bench.card.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}/binding", body)
        assert caught.value.status == 409
        assert bench.observed("interlock") == []


async def test_a_card_that_is_not_there(bench: Cards) -> None:
    async with bench:
        assert not await bench.meter.put_in()
        assert bench.meter.closed == ["the card is dead"]
        with pytest.raises(ManagementError):
            await bench.card.manage(Role.OPERATOR, "GET", f"/cards/{IMSI}")


async def test_a_reader_that_presents_no_slot(bench: Cards) -> None:
    async with bench:
        await bench.provision()
        assert await bench.meter.put_in(slot=None)
        assert bench.meter.heard == [ATR]


async def test_an_odd_shaped_card_was_made_for_the_terminal_that_it_was_put_into_first(bench: Cards) -> None:
    async with bench:
        await bench.provision(form="odd-shaped")
        for terminal, slot in ((bench.meter, Slot.ANY), (bench.phone, Slot.ODD_SHAPED), (bench.meter, Slot.ANY)):
            await terminal.put_in(slot=slot)
            assert bench.observed("terminal")[-1] == terminal.site.name
        await bench.phone.put_in()
        assert bench.phone.closed[-1] == "an odd-shaped card made for meter does not fit into phone"


async def test_a_card_whose_terminal_is_gone_has_no_power_and_is_nowhere(bench: Cards) -> None:
    async with bench:
        await bench.provision()
        assert await bench.meter.put_in()
        assert bench.meter.link is not None
        assert (bench.card.card and bench.card.card.powered, bench.card._link and bench.card._link.known) == (
            True,
            True,
        )

        card, link = bench.card.card, bench.card._link
        assert card is not None
        assert link is not None
        assert (card.powered, link.known) == (True, True)
        bench.meter.link.close("torn")
        await bench.settle()
        assert not card.powered
        assert (bench.observed("power")[-1], bench.observed("terminal")[-1]) == ("off", "nowhere")
        with pytest.raises(ManagementError, match="in no terminal"):
            await bench.do("card", "pull_out", card="card")
        assert await bench.phone.put_in()


async def test_a_card_too_large_for_its_slot(bench: Cards) -> None:
    async with bench:
        await bench.provision()
        assert not await bench.meter.put_in(slot=Slot.NANO)
        assert bench.meter.closed == ["a plug-in card does not fit into the nano slot of meter"]


APPROVED = {"approver": "Li Wei", "reason": "terminal replaced", "form": "F-21"}


async def test_only_the_operator_binds(bench: Cards) -> None:
    path = f"/cards/{IMSI}/binding"

    async with bench:
        await bench.provision()
        wanted = {"imei": METER.imei, "applet": True, **APPROVED}
        with pytest.raises(ManagementError) as caught:
            await bench.card.manage(Role.CUSTOMER, "PUT", path, wanted, caller="buyer")
        assert (caught.value.status, str(caught.value)) == (403, "buyer may not bind, the operator does")
        found = await bench.card.manage(Role.OPERATOR, "PUT", path, wanted)
        assert found["binding"] == {"imei": METER.imei, "applet": True}
        with pytest.raises(ManagementError):
            await bench.card.manage(Role.CUSTOMER, "DELETE", path)
        with pytest.raises(ManagementError) as caught:
            await bench.card.manage(Role.CUSTOMER, "DELETE", "/cards/001019999999999/binding")
        assert caught.value.status == 403
        with pytest.raises(ManagementError) as caught:
            await bench.card.manage(Role.CUSTOMER, "GET", f"/cards/{IMSI}")
        assert caught.value.status == 403
        assert (await bench.card.manage(Role.OPERATOR, "GET", f"/cards/{IMSI}"))["binding"] == found["binding"]
        assert (await bench.card.manage(Role.OPERATOR, "DELETE", path, APPROVED))["binding"] is None
        assert [each and each["imei"] for each in bench.observed("interlock")] == [METER.imei, None]
    assert bench.verdicts("bind.operator") == [False, True, False, False, True]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PUT", "/binding"), ("DELETE", "/binding")])
async def test_a_card_answers_for_itself_only(bench: Cards, method: str, path: str) -> None:
    async with bench:
        await bench.provision(**APPLET)
        body = {"imei": PHONE.imei, **APPROVED} if method == "PUT" else APPROVED if method == "DELETE" else {}
        with pytest.raises(ManagementError) as caught:
            await bench.card.manage(Role.OPERATOR, method, f"/cards/001010000000002{path}", body)
        assert caught.value.status == 404
        held = await bench.card.manage(Role.OPERATOR, "GET", f"/cards/{IMSI}")
        assert held["binding"] == {"imei": METER.imei, "applet": True}
        assert held["terminal"] == "nowhere"
        assert await bench.meter.put_in()
        assert (await bench.card.manage(Role.OPERATOR, "GET", f"/cards/{IMSI}"))["terminal"] == "meter"


async def test_a_terminal_does_not_write_the_area(bench: Cards) -> None:
    async with bench:
        await bench.provision(**APPLET)
        await bench.meter.put_in()
        await bench.meter.ask(USIM)
        select = CommandApdu(0, Ins.SELECT, 0, 0x0C, efs.EF_BIND.fid.to_bytes(2, "big"))
        assert (await bench.meter.ask(select)).sw == 0x9000
        assert (await bench.meter.ask(CommandApdu(0, Ins.READ_BINARY, le=10))).data[0] == 0x03
        assert (await bench.meter.ask(CommandApdu(0, Ins.UPDATE_BINARY, data=bytes(10)))).sw == 0x6982


async def test_the_operator_writes_while_the_terminal_works(bench: Cards) -> None:
    async with bench:
        await bench.provision()
        await bench.meter.put_in()
        await bench.meter.ask(USIM)
        await bench.meter.ask(CommandApdu(0, Ins.SELECT, 0, 0x0C, b"\x6f\x07"))
        await bench.card.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}/binding", {"imei": METER.imei, **APPROVED})
        assert (await bench.meter.ask(CommandApdu(0, Ins.READ_BINARY, le=9))).sw == 0x9000
        assert (await bench.meter.ask(CommandApdu(0, Ins.VERIFY_PIN, 0, 0x0A))).sw == 0x63CA


@pytest.mark.parametrize("bench", [UiccConfig(pin="4711")], indirect=True)
async def test_a_card_with_a_pin(bench: Cards) -> None:
    async with bench:
        await bench.provision()
        await bench.meter.put_in()
        assert await authenticate(bench.meter, 32) == 0x6982
        pin = CommandApdu(0, Ins.VERIFY_PIN, 0, 1, b"4711\xff\xff\xff\xff")
        assert (await bench.meter.ask(pin)).sw == 0x9000
        assert await authenticate(bench.meter, 32) == 0x9000


async def test_a_card_without_a_pin_has_0000_for_who_switches_it_on(bench: Cards) -> None:
    async with bench:
        await bench.provision()
        await bench.meter.put_in()
        assert (await bench.meter.ask(CommandApdu(0, Ins.ENABLE_PIN, 0, 1, b"1234\xff\xff\xff\xff"))).sw == 0x63C2
        assert (await bench.meter.ask(CommandApdu(0, Ins.ENABLE_PIN, 0, 1, b"0000\xff\xff\xff\xff"))).sw == 0x9000


@pytest.mark.parametrize(
    "wrong",
    [
        {"k": "00"},
        {"k": "secret-key-material-that-is-no-hex"},
        {"imsi": "00101"},
        {"iccid": "89" * 12},
        {"form": "round"},
        {"msisdn": "9" * 40},
        {"colour": "red"},
        {"sections": {"binding": [{"by": "card", "imei": "12"}]}},
        {"sections": {"binding": [{"by": "card", "imei": METER.imei, "apple": True}]}},
    ],
)
async def test_a_provisioning_that_makes_no_sense(bench: Cards, wrong: dict[str, Any]) -> None:
    async with bench:
        with pytest.raises(ManagementError) as caught:
            await bench.provision(**wrong)
        assert caught.value.status == 400
        assert "secret" not in str(caught.value)
        assert K not in str(caught.value)


async def test_provisioning_again(bench: Cards) -> None:
    async with bench:
        await bench.provision(**APPLET)
        await bench.meter.put_in()
        await bench.meter.introduce(METER)
        assert await authenticate(bench.meter, 32) == 0x9000
        with pytest.raises(ManagementError) as caught:
            await bench.provision()  # the same card, no longer bound: by an approval record only
        assert caught.value.status == 409
        await bench.provision(**APPLET)  # the same card, as it was
        assert await authenticate(bench.meter, 32) == 0x9000
        assert bench.meter.closed == []
        await bench.provision(iccid="8900101000000000022")  # a new card
        await bench.meter.quiet()
        assert bench.meter.closed == ["another card"]
    assert bench.observed("authentication") == ["accepted", "synchronisation-failure"]
    assert bench.observed("interlock")[-1]["applet"]


async def test_nonsense_on_the_contacts(bench: Cards) -> None:
    async with bench:
        await bench.provision()
        await bench.meter.put_in()
        assert bench.meter.link is not None
        before = len(bench.meter.heard)
        for octets in (b"", b"\x77", insertion(Slot.ANY)):
            bench.meter.link.send(octets)
        await bench.meter.quiet()
        assert len(bench.meter.heard) == before
        for octets in (b"\x00\xa4\x00", b"\x00\xa4"):
            bench.meter.link.send(octets)
            await bench.meter.quiet()
            assert bench.meter.heard[-1] == b"\x67\x00"
        bench.meter.link.send(bytes((Control.POWER_OFF,)))
        bench.meter.link.send(USIM.to_bytes())
        await bench.meter.quiet()
        assert bench.meter.heard[-1] == b"\x67\x00"
        assert bench.observed("power") == ["on", "off"]
    assert len([event for event in bench.trace.events if isinstance(event, PeerFault)]) == 4


async def test_no_key_is_in_the_trace(bench: Cards) -> None:
    async with bench:
        await bench.provision(**APPLET)
        await bench.meter.put_in()
        await bench.meter.introduce(METER)
        await authenticate(bench.meter, 32)
    adm = bench.card._adm.encode()
    octets = b"".join(event.data for event in bench.trace.events if isinstance(event, Frame))
    for secret in (bytes.fromhex(K), bytes.fromhex(OPC), adm):
        assert secret not in octets
    words = "".join(repr(event) for event in bench.trace.events if not isinstance(event, Frame))
    assert K not in words.lower()
    for event in bench.trace.events:
        if isinstance(event, Frame):
            dissect(event.data, is_response=not event.from_client)
