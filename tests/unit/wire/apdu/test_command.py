import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.errors import PeerError
from simwarden.wire.apdu import CommandApdu, Ins, ResponseApdu, again_with, dissect, explain
from simwarden.wire.apdu.control import ATR, Control, control_of, is_atr
from simwarden.wire.apdu.status import StatusWord, exact_length, is_normal, proactive_command, retries_left, retries_of

# The examples of the four cases: ISO/IEC 7816-4 5.1
CASES = {
    "00440000": CommandApdu(0x00, 0x44),
    "80f2000000": CommandApdu(0x80, 0xF2, le=256),
    "00b0000009": CommandApdu(0x00, 0xB0, le=9),
    "00a40004023f00": CommandApdu(0x00, 0xA4, 0, 4, b"\x3f\x00"),
    "00a40004022fe21c": CommandApdu(0x00, 0xA4, 0, 4, b"\x2f\xe2", 0x1C),
}


@pytest.mark.parametrize("octets", CASES)
def test_each_case_is_parsed_and_built(octets: str) -> None:
    assert CommandApdu.parse(bytes.fromhex(octets)) == CASES[octets]
    assert CASES[octets].to_bytes().hex() == octets


@pytest.mark.parametrize(
    "octets", ["", "00", "00a400", "00a4000402", "00a40004023f", "00a40004023f0000ff", "00a4000400003f"]
)
def test_lengths_that_do_not_fit_are_the_peers_fault(octets: str) -> None:
    if octets == "00a4000402":  # case 2 with Le 2: legal
        assert CommandApdu.parse(bytes.fromhex(octets)).le == 2
        return
    with pytest.raises(PeerError) as caught:
        CommandApdu.parse(bytes.fromhex(octets))
    assert caught.value.code == StatusWord.WRONG_LENGTH


@given(st.builds(CommandApdu, *[st.integers(0, 255)] * 4, st.binary(max_size=255), st.none() | st.integers(1, 256)))
def test_a_command_survives_the_wire(command: CommandApdu) -> None:
    assert CommandApdu.parse(command.to_bytes()) == command


def test_a_response_has_a_status_word() -> None:
    assert ResponseApdu.parse(b"\x01\x02\x90\x00") == (b"\x01\x02", 0x9000)
    assert ResponseApdu(b"", 0x6A82).to_bytes() == b"\x6a\x82"
    for octets in (b"", b"\x90", bytes(259)):
        with pytest.raises(PeerError):
            ResponseApdu.parse(octets)


@pytest.mark.parametrize(
    ("sw", "words"),
    [
        (0x9000, "Normal ending of the command"),
        (0x910B, "Normal ending, a proactive command of 11 bytes waits for FETCH"),
        (0x6135, "Normal ending, 53 bytes can be fetched by GET RESPONSE"),
        (0x6C09, "Wrong length Le, the exact length is 9"),
        (0x63C2, "Verification failed, 2 tries left"),
        (0x6982, "Security status not satisfied"),
        (0x6983, "Authentication/PIN method blocked"),
        (0x9862, "Authentication error, incorrect MAC"),
        (0x9864, "Authentication error, security context not supported"),
        (0x1234, "Status word 1234, not in TS 102.221"),
    ],
)
def test_status_words_explain_themselves(sw: int, words: str) -> None:
    assert explain(sw) == words


def test_counts_in_status_words() -> None:
    assert (proactive_command(11), exact_length(256), retries_left(3)) == (0x910B, 0x6C00, 0x63C3)
    assert [retries_of(sw) for sw in (0x63C0, 0x63CA, 0x6300)] == [0, 10, None]
    assert [is_normal(sw) for sw in (0x9000, 0x910B, 0x6101, 0x6200, 0x6982)] == [True, True, True, False, False]


def test_what_a_terminal_sends_next() -> None:
    read = CommandApdu(0, Ins.READ_BINARY, le=255)
    assert again_with(read, 0x6112) == CommandApdu(0, Ins.GET_RESPONSE, le=0x12)
    assert again_with(read, 0x6C09) == read._replace(le=9)
    assert again_with(read, 0x9000) is None


def test_power_and_reset_are_no_apdus() -> None:
    assert control_of(Control.RESET.message()) is Control.RESET
    assert control_of(b"\x77") is None
    assert control_of(bytes(4)) is None
    assert is_atr(ATR)
    assert not is_atr(b"\x3b\x00\x90\x00")
    assert dissect(b"\x02").name == "reset"
    assert dissect(ATR, is_response=True).name == "answer-to-reset"


def test_the_atr_is_well_formed() -> None:
    """Walk the interface bytes as ISO/IEC 7816-3 8.2 says; the historical bytes must end before TCK."""
    historical, y, at = ATR[1] & 0x0F, ATR[1] >> 4, 2
    protocols = []
    while True:
        at += (y & 0x7).bit_count()
        if not y & 0x8:
            break
        protocols.append(ATR[at] & 0x0F)
        y, at = ATR[at] >> 4, at + 1
    assert protocols == [0, 15]
    assert len(ATR) == at + historical + 1


@pytest.mark.parametrize(
    ("octets", "name", "summary"),
    [
        ("00a40004023f00", "select", "SELECT MF"),
        ("00a4080404 7fff6f07", "select", "SELECT ADF.USIM/EF.IMSI"),
        ("00a404040ca0000000871002ffffffff89", "select", "SELECT ADF.USIM"),
        ("00b0870009", "read-binary", "READ BINARY EF.IMSI"),
        ("00b201c436", "read-record", "READ RECORD EF.EPSNSC record 1"),
        ("0020000100", "verify-pin", "VERIFY PIN PIN1"),
        ("801200000b", "fetch", "FETCH"),
        ("80f2000000", "status", "STATUS"),
        ("00fe0000", "command-fe", "COMMAND FE"),
    ],
)
def test_commands_in_the_fields_words(octets: str, name: str, summary: str) -> None:
    found = dissect(bytes.fromhex(octets))
    assert (found.name, found.summary.removesuffix(", tries left?")) == (name, summary)


def test_no_view_shows_a_pin_or_a_key() -> None:
    verify = bytes.fromhex("0020000a08") + b"87654321"
    update = bytes.fromhex("00d6000021") + bytes(range(64, 97))
    context = bytes.fromhex("00dc01c436a034800101812000") + b"KASME" * 7 + bytes(12)
    response = bytes.fromhex("db08") + b"RESRESRE" + b"\x10" + b"C" * 16 + b"\x10" + b"I" * 16 + b"\x90\x00"
    for data, is_response, secrets in (
        (verify, False, ["87654321"]),
        (update, False, ["@ABCDEF", bytes(range(64, 97)).hex()]),
        (context, False, ["KASME"]),
        (response, True, ["CCCC", "IIII"]),
    ):
        found = repr(dissect(data, is_response=is_response))
        assert "***" in found
        for secret in secrets:
            assert secret not in found
        assert not any(secret in repr(CommandApdu.parse(verify)) for secret in ("87654321", b"87654321".hex()))


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_give_a_dissection_or_a_peer_error(data: bytes, is_response: bool) -> None:  # noqa: FBT001
    with contextlib.suppress(PeerError):
        dissect(data, is_response=is_response)


@given(st.sampled_from(list(Ins)), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=60))
def test_any_parameters_of_known_commands_give_a_dissection(ins: Ins, p1: int, p2: int, data: bytes) -> None:
    assert dissect(CommandApdu(0, ins, p1, p2, data).to_bytes()).name


@given(st.sampled_from([0x62, 0xD0, 0xDB, 0xDC, 0xA0, 0x61]), st.binary(max_size=60))
def test_any_response_body_gives_a_dissection(tag: int, body: bytes) -> None:
    assert dissect(bytes((tag,)) + body + b"\x90\x00", is_response=True).name


def test_a_fetched_response_is_named_after_the_command_before() -> None:
    command = bytes.fromhex("00c000002c")
    success = bytes.fromhex("db08") + b"R" * 8 + b"\x10" + b"C" * 16 + b"\x10" + b"I" * 16 + b"\x90\x00"
    assert dissect(success, is_response=True, command=command).name == "authenticate-response"
    assert dissect(b"\x62\x00\x90\x00", is_response=True, command=command).name == "select-response"
    assert dissect(b"\x6f\x00", is_response=True, command=command).name == "get-response-response"
    refused = dissect(b"\x69\x85", is_response=True, command=bytes.fromhex("00880081"))
    assert (refused.name, refused.fields["sw"], refused.cause) == (
        "authenticate-response",
        "6985",
        "Conditions of use not satisfied",
    )
