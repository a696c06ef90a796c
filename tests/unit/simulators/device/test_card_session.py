"""The contacts to a card that says what no card should, or lacks what cards may lack."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from simulators.device.clients.card import CardData, CardGoneError, CardSession
from simulators.device.terminal import Terminal
from simulators.uicc.card import Card, Issue
from simwarden.errors import PeerError
from simwarden.model.identity import Imei, Plmn
from simwarden.wire.apdu import CommandApdu, Ins, cat, contents, efs
from simwarden.wire.apdu.coding import encode_imsi
from simwarden.wire.apdu.control import Control, control_of

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_FILE, NO_RIGHT, PROACTIVE, OK = (bytes.fromhex(each) for each in ("6a82", "6982", "9110", "9000"))
BIND, SMSP = (f"00a4000c02{each.fid:04x}" for each in (efs.EF_BIND, efs.EF_SMSP))
READ_AD = f"00b0{0x80 | efs.EF_AD.sfi:02x}"
WRITE_LOCI = f"00d6{0x80 | efs.EF_EPSLOCI.sfi:02x}"
#: MORE TIME (TS 102.223 6.6.4)
MORE_TIME = bytes.fromhex("d009810301020082028182")
MESSAGE = cat.send_short_message(1, b"\x01").to_bytes()
AUTHENTICATE, READ_IMSI = "0088", f"00b0{0x80 | efs.EF_IMSI.sfi:02x}"
READ_DIR, READ_NSC = (f"00b201{each.sfi << 3 | 4:02x}" for each in (efs.EF_DIR, efs.EF_EPSNSC))
SELECT_AID = "00a404"
OTHER_AID = efs.AID_USIM_PREFIX + bytes.fromhex("ffff86ff01890e0000")
IMSI = encode_imsi("001010000000017") + OK


class Contacts(CardSession):
    """A session with a card of ours; what begins with some octets is answered by others, `None`: not at all."""

    def __init__(self, answers: Mapping[str, bytes | None] = {}) -> None:
        self.card = Card(Issue(Plmn("001", "01"), "8986012345678901234", "87654321"))
        self.answers, self.sent = dict(answers), list[bytes]()
        site: Any = SimpleNamespace()
        link: Any = SimpleNamespace(up=True, send=self.pass_on)
        terminal: Any = SimpleNamespace(short_messages=True, gives_imeisv_to_card=False)
        super().__init__(site, link, terminal)
        self.far = link

    def pass_on(self, octets: bytes) -> None:
        self.sent.append(octets)
        control = control_of(octets)
        found = next((each for begin, each in self.answers.items() if octets.hex().startswith(begin)), b"")
        if found == b"":
            found = self.card.contact(control) if control is not None else self.card.transmit(octets)
        if found:
            self.far.on_receive(found, 0)

    async def begin(self) -> CardData:
        await self.reset(Control.POWER_ON)
        return await self.start("")


@pytest.mark.parametrize("without", [BIND, SMSP, READ_DIR])
async def test_a_card_may_lack_files(without: str) -> None:
    card = Contacts({without: NO_FILE, READ_IMSI: IMSI})
    read = await card.begin()
    assert read.imsi == "001010000000017"
    assert (read.bind, read.service_centre) == (contents.Bind(), "")
    assert (CommandApdu(0, Ins.READ_RECORD, 1, 4, le=efs.EF_SMSP.size).to_bytes() in card.sent) == (without != SMSP)


@pytest.mark.parametrize("able", [False, True])
async def test_a_terminal_that_takes_part_in_messages_says_so_and_reads_their_service_centre(*, able: bool) -> None:
    card = Contacts({READ_IMSI: IMSI})
    imei = Imei("490154203237518")
    card.terminal = Terminal(imei, imei, imei, short_messages=able)

    own = Imei("490154203237518")
    card.terminal = Terminal(own, own, own, short_messages=able)
    card.send_short_message = (lambda _command: None) if able else None
    await card.begin()
    told = [cat.TerminalProfile.parse(each[5:]) for each in card.sent if each[1:2] == bytes((Ins.TERMINAL_PROFILE,))]
    assert [each.short_messages for each in told] == [able]
    assert (bytes.fromhex(SMSP) in [each[: len(SMSP) // 2] for each in card.sent]) == able


@pytest.mark.parametrize(("listed", "asked"), [(OK, OTHER_AID), (NO_RIGHT, efs.AID_USIM_PREFIX)])
async def test_the_application_is_the_one_that_the_card_lists_or_any_usim(listed: bytes, asked: bytes) -> None:
    record = contents.Application(OTHER_AID, "USIM").to_bytes(efs.EF_DIR.size)
    card = Contacts({READ_DIR: record + listed, READ_IMSI: IMSI, SELECT_AID: NO_FILE})
    with pytest.raises(CardGoneError, match="no USIM"):
        await card.begin()
    assert card.sent[-1] == CommandApdu(0, Ins.SELECT, 4, 0x0C, asked).to_bytes()


@pytest.mark.parametrize(
    ("pin", "first", "verified", "then", "told"),
    [
        ("1234", IMSI, None, None, ""),
        ("", NO_RIGHT, None, None, "does not give its IMSI"),
        ("1234", NO_RIGHT, OK, IMSI, ""),
        ("1234", NO_RIGHT, OK, NO_RIGHT, "does not give its IMSI"),
        ("1234", NO_RIGHT, bytes.fromhex("63c2"), None, "refuses the PIN"),
        ("1234", NO_FILE, None, None, "does not give its IMSI"),
    ],
)
async def test_the_pin_is_given_to_a_card_that_asks_for_it(
    pin: str, first: bytes, verified: bytes | None, then: bytes | None, told: str
) -> None:
    card = Contacts({READ_IMSI: first})

    def send(octets: bytes) -> None:
        if octets.hex().startswith("0020"):
            card.answers |= {"0020": verified, READ_IMSI: then}
        card.pass_on(octets)

    card.far.send = send
    await card.reset(Control.POWER_ON)
    with pytest.raises(CardGoneError, match=told) if told else nullcontext():
        assert (await card.start(pin)).imsi == "001010000000017"
    given = [each[5:] for each in card.sent if each.hex().startswith("0020")]
    assert given == [b"1234\xff\xff\xff\xff"] * (verified is not None)


async def test_what_an_earlier_terminal_spoiled_is_written_anew_and_is_well_then() -> None:
    card = Contacts({READ_IMSI: IMSI, READ_NSC: b"\x00" * efs.EF_EPSNSC.size + OK})
    await card.begin()
    assert len(card.unreadable) == 1
    card.answers |= {"00dc": OK}
    before = len(card.sent)
    await card.write(efs.EF_EPSNSC, contents.EpsNsc().to_bytes())
    assert len(card.sent) == before + 1
    del card.answers[READ_NSC]
    await card.begin()
    assert card.unreadable == []


async def test_a_file_that_must_be_there_is_missed() -> None:
    card = Contacts({READ_AD: NO_RIGHT, READ_IMSI: IMSI})
    with pytest.raises(PeerError, match="cannot be read"):
        await card.begin()


async def test_octets_that_nobody_asked_for_are_nobodys_answer() -> None:
    card = Contacts({"00a4": None})
    card.far.on_receive(b"\x90\x00", 0)
    await card.reset(Control.POWER_ON)
    asked = CommandApdu(0, Ins.SELECT, 0, 0x0C, b"\x3f\x00")
    card.answers["00a4"] = b"\x6a\x82"
    twice = card.far.on_receive

    def send(octets: bytes) -> None:
        card.pass_on(octets)
        twice(b"\x90\x00", 0)

    card.far.send = send
    assert (await card.command(asked)).sw == 0x6A82
    card.lost("pulled out")
    with pytest.raises(CardGoneError, match="pulled out"):
        await card.command(asked)


@pytest.mark.parametrize(("gone", "up", "said"), [("", False, "no contact"), ("torn out", True, "torn out")])
async def test_nothing_is_sent_to_a_card_without_contact(gone: str, *, up: bool, said: str) -> None:
    card = Contacts()
    card.gone, card.far.up = gone, up
    with pytest.raises(CardGoneError, match=said):
        await card.status()
    assert card.sent == []


@pytest.mark.parametrize("gone", ["", "torn out"])
def test_the_power_is_taken_from_a_card_that_is_there(gone: str) -> None:
    card = Contacts()
    card.gone = gone
    card.power_off()
    assert card.sent == ([] if gone else [Control.POWER_OFF.message()])


async def test_what_loses_its_card_while_it_waits_hears_so_at_once() -> None:
    card = Contacts({"80f2": None})
    card.far.send = lambda _octets: card.lost("pulled out")
    with pytest.raises(CardGoneError, match="pulled out"):
        await card.status()


async def test_an_answer_that_has_come_stands_though_the_card_is_torn_out_right_after_it() -> None:
    card = Contacts()
    await card.reset(Control.POWER_ON)

    def send(octets: bytes) -> None:
        card.pass_on(octets)
        card.lost("torn out")

    card.far.send = send
    assert (await card.command(CommandApdu(0, Ins.SELECT, 0, 0x0C, b"\x3f\x00"))).ok
    with pytest.raises(CardGoneError, match="torn out"):
        await card.status()


async def test_an_answer_to_reset_that_is_none_is_a_fault_of_the_card() -> None:
    card = Contacts({Control.POWER_ON.message().hex(): b"\x00\x01"})
    with pytest.raises(PeerError, match="no answer to reset"):
        await card.reset(Control.POWER_ON)


async def test_a_card_that_always_has_one_more_command_is_a_fault() -> None:
    card = Contacts({"8012": MORE_TIME + OK, "80": PROACTIVE})
    await card.reset(Control.POWER_ON)
    with pytest.raises(PeerError, match="no end"):
        await card.command(CommandApdu(0x80, Ins.STATUS, 0, 0x0C))


@pytest.mark.parametrize(
    ("wanted", "able", "is_taken"), [(MESSAGE, False, False), (MESSAGE, True, True), (MORE_TIME, True, False)]
)
async def test_a_message_of_the_card_is_for_a_terminal_that_sends_messages(
    wanted: bytes, *, able: bool, is_taken: bool
) -> None:
    card = Contacts({"8012": wanted + OK, "80f2": PROACTIVE, "8014": OK})
    taken = list[cat.ProactiveCommand]()
    card.send_short_message = taken.append if able else None
    await card.status()
    assert [each.kind for each in taken] == [cat.CommandType.SEND_SHORT_MESSAGE] * is_taken
    answers = [cat.TerminalResponse.parse(each[5:]).result for each in card.sent if each[1] == Ins.TERMINAL_RESPONSE]
    assert answers == ([] if is_taken else [cat.Result.BEYOND_CAPABILITIES])


@pytest.mark.parametrize("kept", [contents.EpsNsc(), contents.EpsNsc(1, b"k" * 32, 5, 6, 2, 2)])
async def test_keys_are_written_where_they_are_not_those_on_the_card(kept: contents.EpsNsc) -> None:
    """A terminal that has no keys any more takes those away that it found."""
    card = Contacts({READ_IMSI: IMSI})
    card.card.files.put(efs.EF_EPSNSC, kept.to_bytes())
    await card.begin()
    card.answers |= {"00dc": OK}
    for content in (kept, contents.EpsNsc()):
        before = len(card.sent)
        await card.write(efs.EF_EPSNSC, content.to_bytes())
        assert len(card.sent) - before == (content != kept)


async def test_a_success_without_an_answer_authenticates_nobody() -> None:
    card = Contacts({AUTHENTICATE: OK})
    await card.reset(Control.POWER_ON)
    assert await card.authenticate(bytes(16), bytes(16)) == 0x9000


@pytest.mark.parametrize("answer", [NO_RIGHT, OK])
async def test_what_the_card_has_not_taken_is_written_again(answer: bytes) -> None:
    card = Contacts({WRITE_LOCI: answer})
    await card.reset(Control.POWER_ON)
    for _ in range(2):
        if answer == OK:
            await card.write(efs.EF_EPSLOCI, bytes(18))
        else:
            with pytest.raises(PeerError, match="cannot be written"):
                await card.write(efs.EF_EPSLOCI, bytes(18))
    assert len(card.sent) == (2 if answer == OK else 3)


async def test_a_card_that_had_no_power_is_written_anew() -> None:
    card = Contacts({WRITE_LOCI: OK})
    for _ in range(2):
        await card.reset(Control.POWER_ON)
        await card.write(efs.EF_EPSLOCI, bytes(18))
        card.power_off()
    assert [each[1] for each in card.sent if len(each) > 1] == [Ins.UPDATE_BINARY] * 2


async def test_a_card_that_always_has_more_to_fetch_is_a_fault() -> None:
    card = Contacts({"00c0": b"\x00" + bytes.fromhex("6101"), "80f2": bytes.fromhex("6101")})
    with pytest.raises(PeerError, match="no end of responses"):
        await card.status()


async def test_a_refusal_is_no_answer_to_a_challenge_whatever_comes_with_it() -> None:
    card = Contacts({AUTHENTICATE: b"\xdb\x00" + NO_RIGHT})
    assert await card.authenticate(bytes(16), bytes(16)) == 0x6982
