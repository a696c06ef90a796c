"""The card at its contacts: commands by state, with the status words of TS 102.221 and TS 31.102."""

from __future__ import annotations

import gc
import tracemalloc

import budget
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.uicc.card import Card, Issue
from simulators.uicc.files import SERVICES
from simwarden.model.identity import Guti, Plmn, Tai
from simwarden.wire.apdu import CommandApdu, Ins, ResponseApdu, contents, efs
from simwarden.wire.apdu.control import ATR, Control
from simwarden.wire.apdu.efs import Structure
from simwarden.wire.apdu.fcp import Fcp, PinStatus, access_rule

HOME = Plmn("001", "01")
ISSUE = Issue(HOME, "89860123456789012345"[:19], "87654321", pin1_enabled=True)


def powered(issue: Issue = ISSUE) -> Card:
    card = Card(issue)
    card.contact(Control.POWER_ON)
    return card


def send(card: Card, octets: str) -> tuple[str, str]:
    """Send a command in hexadecimal; return data and status word in hexadecimal."""
    response = ResponseApdu.parse(card.transmit(bytes.fromhex(octets)))
    return response.data.hex(), f"{response.sw:04x}"


def sw(card: Card, octets: str) -> str:
    return send(card, octets)[1]


SELECT_USIM = "00a4040c07a0000000871002"
PIN = b"1234\xff\xff\xff\xff".hex()
ADM = b"87654321".hex()
VERIFY_PIN = f"0020000108{PIN}"
VERIFY_ADM = f"0020000a08{ADM}"


def in_usim(*, pin: bool = False, adm: bool = False) -> Card:
    card = powered()
    assert sw(card, SELECT_USIM) == "9000"
    if pin:
        assert sw(card, VERIFY_PIN) == "9000"
    if adm:
        assert sw(card, VERIFY_ADM) == "9000"
    return card


TABLE = [
    # classes and instructions
    ("a0a40000023f00", "6e00", "class of a GSM SIM"),
    ("00a4000c023f00", "9000", "SELECT MF"),
    ("01a4000c023f00", "6881", "channel 1"),
    ("40a4000c023f00", "6881", "channel 4"),
    *((f"{kind:x}0a4000c023f00", "6881", f"class {kind:X}0 is of channels") for kind in (5, 6, 7, 0xC, 0xD, 0xE)),
    ("81f2000c", "6881", "STATUS on channel 1"),
    ("a3a4000c023f00", "6e00", "class of a GSM SIM, whatever its last bits"),
    ("0070000001", "6d00", "MANAGE CHANNEL: there is channel 0 only"),
    ("04a4000c023f00", "6882", "secure messaging"),
    ("80a4000c023f00", "6e00", "SELECT has class 0X"),
    ("00f2000c", "6e00", "STATUS has class 8X"),
    ("00ff0000", "6d00", "unknown instruction"),
    ("00", "6700", "no header"),
    ("00a4000c033f00", "6700", "Lc beyond the end"),
    # SELECT
    ("00a4000c022fe2", "9000", "EFICCID below the MF"),
    ("00a4000c026f07", "6a82", "EFIMSI is not below the MF"),
    ("00a4000c027fff", "6a82", "no application is active yet"),
    ("00a4000c013f", "6700", "half an identifier"),
    ("50a4000c023f00", "6881", "channel 5"),
    ("00a4000c", "9000", "SELECT without an identifier means the MF"),
    ("00a4042c07a0000000871002", "6a86", "P2: no such use of an application session"),
    ("00a4004c023f00", "6a86", "P2: the end of an application session, and no application"),
    ("00a4004c", "6a86", "the same without an identifier"),
    ("00c0000100", "6b00", "GET RESPONSE: P2"),
    ("00c0010000", "6b00", "GET RESPONSE: P1"),
    ("80f2020c", "9000", "STATUS: P1 to 02"),
    ("80f2030c", "6a86", "STATUS: P1"),
    ("80f20002", "6a86", "STATUS: P2"),
    ("00b0800001", "6a86", "READ BINARY: no short identifier"),
    ("00b0a00001", "6a86", "READ BINARY: more than a short identifier"),
    ("8010000101ff", "6a86", "TERMINAL PROFILE: P2"),
    ("8010010001ff", "6a86", "TERMINAL PROFILE: P1"),
    ("00a4020c022fe2", "6a86", "P1"),
    ("00a40000022fe2", "6a86", "P2"),
    ("00a4080c022fe2", "9000", "path from the MF"),
    ("00a4080c047fff6f07", "6a82", "path through an application that is not active"),
    ("00a4080c042fe22fe2", "6a82", "nothing is below an EF"),
    ("00a4080c032fe26f", "6a80", "half a path"),
    ("00a4040c07a0000000871004", "6a82", "an ISIM is not on the card"),
    ("00a4040c04a0000000", "6a82", "an AID has five bytes at least"),
    # reading
    ("00b0000000", "6986", "no EF selected"),
    ("00b0820000", "9000", "EFICCID by SFI"),
    ("00b0820005", "9000", "a part"),
    ("00b082000b", "6c0a", "too much"),
    ("00b0820a00", "6b00", "offset at the end"),
    ("00b09f0000", "6a82", "no such SFI"),
    ("00b0a20000", "6a86", "P1 with b6"),
    ("00b0820001ff", "6700", "READ BINARY with data"),
    ("00b201f400", "9000", "EFDIR by SFI"),
    ("00b201f405", "6c26", "a record is read whole"),
    ("00b202f400", "6a83", "EFDIR has one record"),
    ("00b201f600", "6a86", "mode"),
    ("00b201f000", "6a86", "no mode"),
    ("00b2011400", "6981", "EFICCID has no records"),
    ("00b09e0000", "6981", "EFDIR is not transparent"),
    # writing
    ("00d6820001ff", "6982", "EFICCID is written by nobody"),
    ("00dc01f426" + "ff" * 38, "6982", "EFDIR needs the administrative key"),
    # PIN
    ("0020000100", "63c3", "tries of PIN1"),
    ("0020000a00", "63ca", "tries of the administrative key"),
    ("0020000200", "6a88", "no such key"),
    ("0020010100", "6b00", "P1"),
    (f"0024000108{PIN}", "6700", "CHANGE PIN: the old one without a new one"),
    ("002600010431323334", "6700", "DISABLE PIN: 8 bytes"),
    (f"002c000108{b'12345678'.hex()}", "6700", "UNBLOCK PIN: the PUK without a new PIN"),
    ("002000010431323334", "6700", "a PIN has 8 bytes"),
    ("002c000100", "63ca", "tries of the PUK"),
    ("002c000a00", "6a88", "nothing unblocks the administrative key"),
    (f"0028000108{PIN}", "6984", "enabled already"),
    (f"0026008108{PIN}", "6a81", "PIN2 is not switched off"),
    # AUTHENTICATE
    ("0088008122" + "10" + "00" * 16 + "10" + "00" * 16, "6a88", "no application selected"),
    ("0088008022" + "10" + "00" * 16 + "10" + "00" * 16, "9864", "GSM context"),
    ("0088018122" + "10" + "00" * 16 + "10" + "00" * 16, "6a86", "AUTHENTICATE: P1"),
    ("0088000022" + "10" + "00" * 16 + "10" + "00" * 16, "6a86", "no key reference"),
    # toolkit
    ("8010000001ff", "9000", "TERMINAL PROFILE"),
    ("8010000000", "6700", "an empty one"),
    ("8010010001ff", "6a86", "P1"),
    ("8012000000", "6f00", "nothing to FETCH"),
    ("801400000c810301260182028182830100", "6a80", "TERMINAL RESPONSE to nothing"),
    ("801401000c810301260182028182830100", "6a86", "TERMINAL RESPONSE: P1"),
    ("8012000100", "6a86", "FETCH: P2"),
    ("80c2010002d100", "6a86", "ENVELOPE: P1"),
    ("80aa000102a900", "6a86", "TERMINAL CAPABILITY: P2"),
    ("80c2000002d100", "9000", "ENVELOPE"),
    ("80aa000002a900", "9000", "TERMINAL CAPABILITY"),
    # STATUS, GET RESPONSE
    ("80f2000c", "9000", "STATUS without data"),
    ("80f2000101", "9000", "no application: no name"),
    ("80f2030000", "6a86", "P1"),
    ("80f20000fe", "6c25", "the exact length of the MF's FCP"),
    ("00c0000010", "6f00", "nothing to fetch"),
    ("00c0010010", "6b00", "P1"),
]


@pytest.mark.parametrize(("octets", "expected", "why"), TABLE, ids=[row[2] for row in TABLE])
def test_status_words_after_a_reset(octets: str, expected: str, why: str) -> None:
    assert sw(powered(), octets) == expected, why


def test_a_card_that_has_had_no_power_gives_the_atr_with_it() -> None:
    card = Card(ISSUE)
    assert not card.powered
    assert (card.contact(Control.ATR), card.powered) == (ATR, True)


def test_the_atr_is_given_again_and_nothing_forgotten_for_it() -> None:
    card = in_usim(pin=True)
    assert sw(card, "00a40004026f07")[:2] == "61"
    assert card.contact(Control.ATR) == ATR
    assert sw(card, "00c0000005")[:2] == "61"
    assert sw(card, "00b0000000") == "9000"
    assert sw(card, "00a40004026f07")[:2] == "61"
    assert card.contact(Control.RESET) == ATR
    assert sw(card, "00c0000005") == "6f00"


def test_reset_gives_the_atr_and_forgets() -> None:
    card = in_usim(pin=True)
    assert sw(card, "00b0870000") == "9000"
    assert card.contact(Control.RESET) == ATR
    assert sw(card, "00b0870000") == "6a82"  # the MF is selected
    assert sw(card, SELECT_USIM) == "9000"
    assert sw(card, "00b0870000") == "6982"  # PIN1 is to be verified again
    assert card.contact(Control.ATR) == ATR
    assert card.contact(Control.POWER_OFF) == b""
    assert card.contact(Control.ATR) == ATR


# (file, read and update with nothing, with PIN1, with PIN1 and ADM1)
ACCESS = {
    efs.EF_IMSI: ("no no", "read no", "read update"),
    efs.EF_AD: ("read no", "read no", "read update"),
    efs.EF_LOCI: ("no no", "read update", "read update"),
    efs.EF_EPSLOCI: ("no no", "read update", "read update"),
    efs.EF_EPSNSC: ("no no", "read update", "read update"),
    efs.EF_MSISDN: ("no no", "read update", "read update"),
    efs.EF_EST: ("no no", "read no", "read no"),
    efs.EF_BIND: ("no no", "read no", "read update"),
    efs.EF_AKA: ("no no", "no no", "no update"),
}


@pytest.mark.parametrize("ef", ACCESS, ids=lambda ef: ef.name)
def test_access_conditions(ef: efs.Ef) -> None:
    for keys, expected in zip(({}, {"pin": True}, {"pin": True, "adm": True}), ACCESS[ef], strict=True):
        card = in_usim(**keys)
        assert sw(card, f"00a4000c02{ef.fid:04x}") == "9000"
        content = card.files.content(ef)[: ef.size].hex()
        if ef.records:
            read, update = sw(card, "00b2010400"), sw(card, f"00dc0104{ef.size:02x}{content}")
        else:
            read, update = sw(card, "00b0000000"), sw(card, f"00d60000{ef.size:02x}{content}")
        wanted = ["9000" if word != "no" else "6982" for word in expected.split()]
        assert [read, update] == wanted, keys


@pytest.mark.parametrize("ef", efs.FILES, ids=lambda ef: f"{ef.fid:04x}")
def test_every_file_is_described_by_its_fcp_and_its_access_rule(ef: efs.Ef) -> None:
    card = in_usim() if ef.in_adf else powered()
    data, status = send(card, f"00a4000402{ef.fid:04x}00")
    assert status == "9000"
    fcp = Fcp.parse(bytes.fromhex(data))
    assert (fcp.fid, fcp.structure, fcp.size, fcp.records, fcp.sfi) == (
        ef.fid,
        ef.structure,
        ef.total,
        ef.records,
        ef.sfi,
    )
    assert fcp.arr is not None
    assert fcp.arr[0] == (0x6F06 if ef.in_adf else 0x2F06)
    assert sw(card, f"00a4000c02{fcp.arr[0]:04x}") == "9000"
    rule, status = send(card, f"00b2{fcp.arr[1]:02x}0400")
    assert status == "9000"
    assert bytes.fromhex(rule) == access_rule(ef.read, ef.update).ljust(32, b"\xff")


def test_status_tells_of_the_directory_and_of_the_application_that_is_active() -> None:
    card = powered()
    assert send(card, "80f2000100") == ("", "9000")
    assert sw(card, SELECT_USIM) == sw(card, "00a4000c026f07") == "9000"
    status = Fcp.parse(bytes.fromhex(send(card, "80f2000000")[0]))
    assert (status.aid, status.structure) == (efs.AID_USIM, Structure.DIRECTORY)


def test_selecting_the_application() -> None:
    card = powered()
    data, status = send(card, "00a4040410a0000000871002ffffffff890709000000")
    assert status == "9000"
    fcp = Fcp.parse(bytes.fromhex(data))
    assert fcp.aid == efs.AID_USIM
    assert PinStatus(0x01, enabled=True) in fcp.pins
    assert send(card, "80f2000100") == ("8410" + efs.AID_USIM.hex(), "9000")
    for octets, expected in (
        ("00a4000c026f07", "9000"),
        ("00a4000c022fe2", "6a82"),
        ("00a4080c022fe2", "9000"),
        ("00a4000c027fff", "9000"),
        ("00a4080c047fff6f07", "9000"),
        ("00a4080c047fff2fe2", "6a82"),
        ("00a4090c026fe3", "9000"),
        ("00a4030c", "9000"),
        ("00a4000c026f07", "6a82"),
        ("00a4044c07a0000000871002", "9000"),
        ("00a4000c027fff", "6a82"),
    ):
        assert sw(card, octets) == expected, octets


def test_a_failed_path_leaves_the_selection() -> None:
    card = in_usim(pin=True)
    assert sw(card, "00a4000c026f07") == "9000"
    assert sw(card, "00a4080c047fff7777") == "6a82"
    assert sw(card, "00b0000000") == "9000"


def test_case_3_announces_its_data() -> None:
    card = powered()
    data, status = send(card, "00a40004023f00")
    assert (data, status) == ("", "6125")
    first, status = send(card, "00c0000010")
    assert status == "6115"
    assert send(card, "00c0000016") == ("", "6c15")
    rest, status = send(card, "00c0000015")
    assert status == "9000"
    assert Fcp.parse(bytes.fromhex(first + rest)).fid == 0x3F00
    assert sw(card, "00c0000015") == "6f00"
    assert sw(card, "00a40004023f00") == "6125"
    assert sw(card, "80f2000c") == "9000"
    assert sw(card, "00c0000025") == "6f00"  # another command came between
    for length in ("", "00", "25"):  # all of it, however that is said
        assert sw(card, "00a40004023f00") == "6125"
        assert Fcp.parse(bytes.fromhex(send(card, f"00c00000{length}")[0])).fid == 0x3F00


def test_records_by_pointer() -> None:
    card = in_usim()
    assert sw(card, "00a4000c026fb7") == "9000"
    assert send(card, "00b2000300") == ("11f0ff00", "9000")  # previous of nothing: the last
    assert send(card, "00b2000300") == ("11f2ff00", "9000")
    assert sw(card, "00b2000300") == "6a83"
    assert send(card, "00b2000200") == ("11f0ff00", "9000")
    assert send(card, "00b2000400") == ("11f0ff00", "9000")  # the current one
    assert sw(card, "00b2000200") == "6a83"
    assert send(card, "00b2010400") == ("11f2ff00", "9000")
    assert sw(card, "00b2010200") == "6a86"
    assert sw(card, "00a4000c026fb7") == "9000"
    assert sw(card, "00b2000400") == "6a83"  # no current record


def test_binary_updates_stay_inside_the_file() -> None:
    card = in_usim(pin=True)
    assert sw(card, "00d69e0c02abcd") == "9000"
    data, _ = send(card, "00b09e0000")
    assert data[24:28] == "abcd"
    assert sw(card, "00d69e1103abcdef") == "6700"
    assert sw(card, "00d69e1201ab") == "6b00"
    assert sw(card, "00d69e00") == "6700"


def test_status_without_le_or_with_a_wrong_one_says_how_long_it_is() -> None:
    card = powered()
    assert sw(card, "80f20000")[:2] == "61"
    data, status = send(card, "80f2000000")
    assert status == "9000"
    assert sw(card, f"80f20000{len(data) // 2 + 1:02x}") == f"6c{len(data) // 2:02x}"
    assert sw(card, f"80f20000{len(data) // 2:02x}") == "9000"


def test_what_the_terminal_keeps_survives_power_and_moves() -> None:
    card = in_usim(pin=True)
    loci = contents.EpsLoci(Guti(HOME, 1, 2, 3), Tai(HOME, 4), contents.UpdateStatus.UPDATED).to_bytes(HOME)
    nsc = contents.EpsNsc(1, b"k" * 32, 5, 6, 2, 2).to_bytes()
    assert sw(card, "00d69e0012" + loci.hex()) == "9000"
    assert sw(card, "00dc01c436" + nsc.hex()) == "9000"
    card.contact(Control.POWER_OFF)
    card.contact(Control.POWER_ON)
    assert sw(card, SELECT_USIM) == "9000"
    assert sw(card, VERIFY_PIN) == "9000"
    assert send(card, "00b09e0000") == (loci.hex(), "9000")
    assert send(card, "00b201c400") == (nsc.hex(), "9000")


def test_pin_counters_block_and_unblock() -> None:
    card = in_usim()
    wrong = "0020000108" + b"9999\xff\xff\xff\xff".hex()
    assert [sw(card, wrong) for _ in range(4)] == ["63c2", "63c1", "63c0", "6983"]
    card.contact(Control.RESET)
    assert sw(card, VERIFY_PIN) == "6983"
    puk, new = b"12345678".hex(), b"4711\xff\xff\xff\xff".hex()
    assert sw(card, f"002c000110{'00' * 8}{new}") == "63c9"
    assert sw(card, f"002c000110{puk}{new}") == "9000"
    assert sw(card, SELECT_USIM) == "9000"
    assert sw(card, "00b0870000") == "9000"  # verified by unblocking
    assert sw(card, "0020000100") == "63c3"
    assert sw(card, VERIFY_PIN) == "63c2"
    assert sw(card, "00b0870000") == "6982"  # a failure takes the right away
    assert sw(card, f"0020000108{new}") == "9000"
    assert sw(card, "0020000100") == "63c3"


def test_ten_wrong_puks_end_the_card() -> None:
    card = powered()
    bad = f"002c000110{'00' * 8}{PIN}"
    assert [sw(card, bad) for _ in range(11)] == [f"63c{n}" for n in range(9, -1, -1)] + ["6983"]
    assert sw(card, f"002c000110{b'12345678'.hex()}{PIN}") == "6983"


def test_pin_is_changed_and_switched_off() -> None:
    card = in_usim()
    new = b"4711\xff\xff\xff\xff".hex()
    assert sw(card, f"0024000110{new}{PIN}") == "63c2"
    assert sw(card, f"0024000110{PIN}{new}") == "9000"
    assert sw(card, "00b0870000") == "9000"  # who changes it has presented it (TS 102.221 9.5.1)
    assert sw(card, f"0026000108{PIN}") == "63c2"
    assert sw(card, f"0026000108{new}") == "9000"
    card.contact(Control.RESET)
    assert sw(card, SELECT_USIM) == "9000"
    assert sw(card, "00b0870000") == "9000"
    for octets in (f"0020000108{new}", f"0026000108{new}", f"0024000110{new}{new}"):
        assert sw(card, octets) == "6984"
    assert sw(card, f"0028000108{new}") == "9000"
    card.contact(Control.RESET)
    assert sw(card, SELECT_USIM) == "9000"
    assert sw(card, "00b0870000") == "6982"


def test_a_pin_is_switched_on_again_by_who_knows_it() -> None:
    card = in_usim()
    assert sw(card, f"0026000108{PIN}") == "9000"
    wrong = b"9999\xff\xff\xff\xff".hex()
    assert sw(card, f"0028000108{wrong}") == "63c2"
    card.contact(Control.RESET)
    assert sw(card, SELECT_USIM) == "9000"
    assert sw(card, "00b0870000") == "9000"  # off as before: a wrong PIN switches nothing
    assert sw(card, "0028000107" + PIN[:14]) == "6700"
    assert [sw(card, f"0028000108{wrong}") for _ in range(3)] == ["63c1", "63c0", "6983"]
    assert sw(card, f"0028000108{PIN}") == "6983"  # blocked, for this as for all else


def test_a_right_puk_gives_all_ten_tries_back() -> None:
    card = powered()
    bad, puk = f"002c000110{'00' * 8}{PIN}", b"12345678".hex()
    assert sw(card, bad) == "63c9"
    assert sw(card, f"002c000110{puk}{PIN}") == "9000"
    assert sw(card, "002c000100") == "63ca"


def test_the_administrative_key_blocks_for_good() -> None:
    card = in_usim(pin=True)
    wrong = "0020000a08" + "00" * 8
    assert [sw(card, wrong) for _ in range(11)] == [f"63c{n:x}" for n in range(9, -1, -1)] + ["6983"]
    assert sw(card, VERIFY_ADM) == "6983"
    bind = contents.Bind("35145120840121").to_bytes().hex()
    assert sw(card, "00a4000c02c001") == "9000"
    assert sw(card, f"00d600000a{bind}") == "6982"


def test_the_factory_gives_what_all_cards_share() -> None:
    one, other = powered(), powered(ISSUE._replace(iccid="8986000000000000001"))
    assert one.files.content(efs.EF_UST) is other.files.content(efs.EF_UST)
    assert contents.Services.parse(one.files.content(efs.EF_UST)) == SERVICES
    assert one.files.content(efs.EF_ICCID) != other.files.content(efs.EF_ICCID)
    assert contents.AdministrativeData.parse(one.files.content(efs.EF_AD)).mnc_length == 2
    assert not contents.EpsNsc.parse(one.files.content(efs.EF_EPSNSC)).valid


def test_nothing_of_a_card_shows_its_keys() -> None:
    card = in_usim(adm=True)
    assert sw(card, "00a4000c02c002") == "9000"
    assert sw(card, "00d6000021" + "01" + "aa" * 16 + "bb" * 16) == "9000"
    shown = repr(card) + repr(ISSUE) + repr(card.pins) + repr(card.files)
    assert "aaaa" not in shown
    assert "87654321" not in shown
    assert sw(card, "00b0000000") == "6982"


HEADERS = st.tuples(st.sampled_from([0, 0x80, 0x01, 0xA0]), st.sampled_from(list(Ins)), *[st.integers(0, 255)] * 2)


@st.composite
def _commands(draw: st.DrawFn) -> bytes:
    cla, ins, p1, p2 = draw(HEADERS)
    data = draw(st.binary(max_size=60))
    return CommandApdu(cla, ins, p1, p2, data, draw(st.none() | st.integers(1, 256))).to_bytes()


@settings(max_examples=budget.examples(200))
@given(st.lists(st.one_of(_commands(), st.binary(max_size=300), st.just(bytes.fromhex(SELECT_USIM)))))
def test_any_octets_give_a_response(script: list[bytes]) -> None:
    card = powered(ISSUE._replace(pin1_enabled=False))
    for octets in script:
        response = ResponseApdu.parse(card.transmit(octets))
        assert response.sw >> 8 in (0x61, 0x63, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, 0x90, 0x91, 0x98)


@given(st.lists(st.one_of(_commands(), st.sampled_from([bytes.fromhex(SELECT_USIM), bytes.fromhex(VERIFY_PIN)]))))
def test_without_the_administrative_key_nobody_writes_what_is_the_operators(script: list[bytes]) -> None:
    card = powered()
    before = [card.files.content(ef) for ef in efs.FILES if ef.update is efs.Access.ADM1]
    for octets in script:
        card.transmit(octets)
    assert before == [card.files.content(ef) for ef in efs.FILES if ef.update is efs.Access.ADM1]


def test_a_card_takes_less_than_8_kilobytes() -> None:
    powered()  # shared content exists
    gc.collect()
    tracemalloc.start()
    cards = [powered(ISSUE._replace(iccid=f"898600000000000{n:04}")) for n in range(500)]
    nsc = contents.EpsNsc(1, bytes(32)).to_bytes()
    for card in cards:
        for octets in (SELECT_USIM, VERIFY_PIN, VERIFY_ADM, "00d6870009" + "08" * 9, "00dc01c436" + nsc.hex()):
            assert sw(card, octets) == "9000"
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used / len(cards) < 8_000


#: the files that each service of EF.UST has for condition (TS 31.102 4.2.8)
SERVICE_FILES = {
    10: (efs.EF_SMS, efs.EF_SMSS),
    12: (efs.EF_SMSP,),
    19: (efs.EF_SPN,),
    21: (efs.EF_MSISDN,),
    34: (efs.EF_EST,),
    85: (efs.EF_EPSLOCI, efs.EF_EPSNSC),
}


def test_what_the_card_announces_it_has() -> None:
    assert set(SERVICE_FILES) == SERVICES
    card = in_usim(pin=True)
    for ef in (each for files in SERVICE_FILES.values() for each in files):
        assert sw(card, f"00a4080c047fff{ef.fid:04x}") == "9000", ef.name
    assert sw(card, "00a4080c047fff6f3c") == "9000"
    assert send(card, "00b20104b0") == ("00" + "ff" * 175, "9000")  # free space (4.2.25)
    assert sw(card, "00dc0104b0" + "01" + "22" * 175) == "9000"
    assert send(card, "00b20104b0")[0][:4] == "0122"


def test_the_atr_says_whose_card_it_is() -> None:
    assert b"simward" in ATR
