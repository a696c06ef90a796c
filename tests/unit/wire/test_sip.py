"""SIP's parts: URIs and addresses as they are written, causes both ways, and messages that are no messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sip_messages import DTMF, MESSAGES, TARGET, headers

from simwarden.errors import PeerError
from simwarden.wire import sip
from simwarden.wire.q850 import CauseValue
from simwarden.wire.sip import CSeq, NameAddress, Request, Status, Uri, Via, cause_of, reason_header, status_of
from simwarden.wire.sip.parts import split_list


@pytest.mark.parametrize(
    ("text", "number", "host"),
    [
        ("sip:+8610800000001@gw.example;user=phone", "+8610800000001", "gw.example"),
        ("sip:010-8000(0001)@192.0.2.1:5070", "01080000001", "192.0.2.1"),
        ("SIP:1234;phone-context=+86@host", "1234", "host"),
        ("sips:alice@[2001:db8::1]:5061", "", "[2001:db8::1]"),
        ("tel:+86-10-8000-0001;ext=5", "+861080000001", ""),
        ("sip:gw.example", "", "gw.example"),
        ("sip:12345:secret@host?Subject=x", "12345", "host"),
    ],
)
def test_uris(text: str, number: str, host: str) -> None:
    uri = Uri.parse(text)
    assert (uri.number, uri.host) == (number, host)
    assert Uri.parse(str(uri)) == uri


@pytest.mark.parametrize(
    ("text", "code"), [("mailto:a@b", 416), ("nothing", 400), ("sip:", 400), ("tel:abc", 400), ("sip:a@b:0", 400)]
)
def test_no_uris(text: str, code: int) -> None:
    with pytest.raises(PeerError) as error:
        Uri.parse(text)
    assert error.value.code == code


def test_addresses() -> None:
    one = NameAddress.parse('"Smith, ""A;B" <sip:a@b;lr>;tag=1;x="y;z"')
    assert (one.tag, one.uri.parameters, one.parameters["x"]) == ("1", {"lr": ""}, "y;z")
    other = NameAddress.parse("sip:a@b;tag=2")
    assert (other.tag, other.uri.parameters) == ("2", {})
    assert split_list('<sip:a@b>, "x,y" <sip:c@d>') == ["<sip:a@b>", '"x,y" <sip:c@d>']
    with pytest.raises(PeerError):
        NameAddress.parse("<sip:a@b")


def test_via_and_cseq() -> None:
    via = Via.parse("SIP/2.0/UDP first.example:4000;branch=z9hG4bK87asdks7;rport")
    assert (via.branch, via.sent_by) == ("z9hG4bK87asdks7", "first.example:4000")
    assert Via.parse("SIP/2.0/UDP h;branch=old").branch == ""
    for text in ("UDP host", "SIP/3.0/UDP host", "SIP/2.0/UDP"):
        with pytest.raises(PeerError):
            Via.parse(text)
    assert CSeq.parse("4711 INVITE") == CSeq(4711, "INVITE")
    for text in ("x INVITE", "1", "4294967296 INVITE", "-1 INVITE"):
        with pytest.raises(PeerError):
            CSeq.parse(text)


def info(body: bytes, *more: tuple[str, str]) -> Request:
    return Request("INFO", TARGET, headers("INFO", 2, *(more or (DTMF,)), tag="a6c85cf"), body)


@pytest.mark.parametrize("key", sorted(sip.KEYS))
def test_a_digit_is_read_as_it_was_written(key: str) -> None:
    assert sip.decode_digit(info(sip.encode_digit(key))) == key


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b"Signal=5\nDuration=160", "5"),
        (b"Signal= 1\r\nDuration= 160\r\n\r\n", "1"),
        (b"signal=d\r\n", "D"),
        (b"Duration=160\r\nSignal=11", "#"),
        (b"Signal=10\r\nDuration=160\r\nVolume=10", "*"),
        (b"", ""),
    ],
)
def test_digits_of_other_implementations_are_read(body: bytes, key: str) -> None:
    assert sip.decode_digit(info(body, ("Content-Type", "Application/DTMF-Relay ;charset=utf-8"))) == key


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"5",
            b"Signal=",
            b"Signal=55",
            b"Signal=16",
            b"Signal=X",
            b"Signal==5",
            b"Signal=\xb2",
            b"Duration=100",
            b"=5",
        ),
        *(b"Signal=5\r\nDuration=x", b"Signal=5\r\nDuration=-1", b"Signal=5\r\nSignal=6", b"\r\n", b"\xff\xfe\x00"),
    ],
)
def test_malformed_digits_are_answered_400(body: bytes) -> None:
    with pytest.raises(PeerError) as error:
        sip.decode_digit(info(body))
    assert error.value.code == 400


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (("Content-Type", "application/dtmf"), 415),
        (("Content-Length", "9"), 415),
        (("Info-Package", "infoDtmf"), 469),
    ],
)
def test_other_bodies_and_info_packages_are_refused(more: tuple[str, str], status: int) -> None:
    with pytest.raises(PeerError) as error:
        sip.decode_digit(info(b"Signal=5\r\n", more))
    assert error.value.code == status


@pytest.mark.parametrize(("body", "shown"), [(sip.encode_digit("7"), "7"), (b"Signal=77", "malformed: ")])
def test_a_digit_is_shown(body: bytes, shown: str) -> None:
    seen = sip.dissect(sip.encode(info(body)))
    assert seen.fields["dtmf_digit"].startswith(shown)
    assert f"DTMF {shown}" in seen.summary


# RFC 3261 25.1 with its compact forms, folded lines and blanks (after 3.1.1.1 of RFC 4475, with other names)
TORTURE = b"""\
INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
TO :
 sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n
from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>
  ;
  tag = 98asjd8
MaX-fOrWaRdS: 0068
Call-ID: wsinv.ndaksdj@192.0.2.1
Content-Length   : 4
cseq: 0009
  INVITE
Via  : SIP/2.0/UDP 192.0.2.2;branch=390skdjuw
s :
NewFangledHeader:   newfangled value
v:  SIP/2.0/TCP 192.0.2.3;branch=z9hG4bK9ikj8
m:"Quoted string" <sip:jdrosen@example.com> ; newparam = newvalue ;
  secondparam ; q = 0.33

bodyand more"""


def test_unusual_spelling() -> None:
    message = sip.decode(TORTURE.replace(b"\n", b"\r\n"))
    assert isinstance(message, sip.Request)
    assert message.to.tag == "1918181833n"
    assert message.sender.tag == "98asjd8"
    assert message.cseq == CSeq(9, "INVITE")
    assert [each.host for each in message.vias] == ["192.0.2.2", "192.0.2.3"]
    assert message.contact is not None
    assert message.contact.parameters["q"] == "0.33"
    assert message.body == b"body"
    assert sip.decode(b"\r\n\r\n" + TORTURE).headers == message.headers


WHOLE = sip.encode(MESSAGES["invite"])


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ((b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia"), 505),
        ((b"INVITE sip", b"INV@TE sip"), 400),
        ((b"Call-ID", b"Call-Ix"), 400),
        ((b"CSeq: 1 INVITE", b"CSeq: 1 BYE"), 400),
        ((b"Content-Length: ", b"Content-Length: 9"), 400),
        ((b"Max-Forwards: 70", b"Max-Forwards 70"), 400),
        ((b"From: <sip:", b"From: <http:"), 416),
        ((b"\r\n\r\n", b"\r\n"), 400),
    ],
)
def test_what_is_no_message(change: tuple[bytes, bytes], status: int) -> None:
    assert change[0] in WHOLE
    with pytest.raises(PeerError) as error:
        sip.decode(WHOLE.replace(*change))
    assert error.value.code == status


@pytest.mark.parametrize("name", MESSAGES)
def test_round_trips(name: str) -> None:
    message = MESSAGES[name]
    again = sip.decode(sip.encode(message))
    assert (again.headers, again.body) == (message.headers, message.body)
    assert sip.dissect(sip.encode(message)).name == name.partition(",")[0]


def test_causes() -> None:
    """A whitelist's refusal is told as 403 and comes back as it was; what says nothing is told by its status."""
    refused = MESSAGES["invite-response"]
    assert isinstance(refused, sip.Response)
    assert cause_of(refused) == CauseValue.CALL_REJECTED
    assert cause_of(sip.Response(486, refused.headers.without("Reason"))) == CauseValue.USER_BUSY
    assert cause_of(MESSAGES["cancel"]) == CauseValue.NORMAL_CALL_CLEARING
    assert cause_of(sip.Response(418, refused.headers.without("Reason"))) == CauseValue.INTERWORKING
    assert cause_of(Status.REQUEST_TIMEOUT) == 102
    for text in ("SIP;cause=200", "Q.850", "Q.850;cause=999", "Q.850;cause=x"):
        headers = sip.Headers((*refused.headers.without("Reason"), ("Reason", text)))
        assert cause_of(sip.Response(404, headers)) == CauseValue.UNALLOCATED_NUMBER
    headers = sip.Headers(
        (*refused.headers.without("Reason"), ("Reason", 'SIP ;cause=1, q.850 ;text="a" ; cause = 17'))
    )
    assert cause_of(sip.Response(404, headers)) == 17


@given(st.integers(0, 127))
def test_every_cause_comes_back_by_its_reason(cause: int) -> None:
    assert 400 <= status_of(cause) <= 699
    response = sip.Response(status_of(cause), sip.Headers((*MESSAGES["bye-response"].headers, reason_header(cause))))
    assert cause_of(sip.decode(sip.encode(response))) == cause
