"""Whatever octets a wire family is given: a message or a PeerError, within a second, and nothing of it is kept."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import budget
import mutation
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simwarden.errors import PeerError
from simwarden.machine.nas_security import NasSecurityContext
from simwarden.runtime.transport.framing import Deframer, enclose
from simwarden.wire import apdu, diameter, mqtt, nas, rrc, s1ap, uu, x2
from simwarden.wire.apdu import authenticate, cat, contents, fcp
from simwarden.wire.diameter.codec import mask_keys

HERE = Path(__file__).parent
#: seconds that one case may take, of which most take microseconds
SLOW = 1.0
SHARES = 4

Take = Callable[[bytes], Any]


class Family(NamedTuple):
    """A wire family: files of valid messages, how to change them, all that reads them, and its part of the budget."""

    seeds: str
    change: Callable[..., bytes]
    takes: tuple[Take, ...]
    part: int


# -- all that takes octets from outside


def _diameter(data: bytes) -> None:
    """Read a message as a peer does; what is wrong in a request is answered, and the answer can be read."""
    header = diameter.decode_header(data)
    try:
        message = diameter.decode(data)
        assert diameter.decode(diameter.encode(message)) == message
        if message.request:
            diameter.check_request(message, (16777251, 16777252))
    except diameter.DiameterError as error:
        answer = diameter.answer_to(header, error.result, ("a.example", "example"), failed=error.failed, reason="no")
        octets = diameter.encode(answer)
        assert diameter.encode(diameter.decode(octets)) == octets
        raise


def _stream(kind: Callable[[], Any]) -> Take:
    def take(data: bytes) -> None:
        reader, at, rng = kind(), 0, random.Random(len(data))
        while at < len(data):
            size = rng.choice((1, 3, 20, 1000))
            reader.feed(data[at : at + size])
            at += size

    return take


def _nas(data: bytes) -> None:
    kind = nas.header_type(data)
    message = nas.decode(data, uplink=len(data) % 2 == 0)
    if kind is nas.SecurityHeaderType.PLAIN:
        nas.may_process(nas.UE_PROCESSES, message)
        nas.may_process(nas.NETWORK_PROCESSES, message)


def _protected(data: bytes) -> None:
    """A peer that owns the keys: what is protected is opened, and read."""
    near = NasSecurityContext(bytes(32), ksi=0, eia=2, eea=2, is_network=False)
    far = NasSecurityContext(bytes(32), ksi=0, eia=2, eea=2, is_network=True)
    opened = far.unprotect(near.protect(data, nas.SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED))
    assert opened == data
    nas.decode(opened, uplink=True)


def _secured(data: bytes) -> None:
    nas.split(data)
    NasSecurityContext(bytes(32), ksi=0, eia=2, eea=2, is_network=True).unprotect(data)


def _service_request(data: bytes) -> None:
    NasSecurityContext(bytes(32), ksi=0, eia=2, eea=2, is_network=True).verify_service_request(data)


def _s1ap(data: bytes) -> None:
    try:
        message = s1ap.decode(data)
    except s1ap.S1apError as error:
        answer = s1ap.answer_to(error)
        if answer is not None:
            s1ap.decode(s1ap.encode(answer))
        raise
    s1ap.ue_ids(message)
    notification = s1ap.notification_of(message)
    if notification is not None:
        s1ap.decode(s1ap.encode(notification))


def _with_nas(dissect: Callable[..., Any]) -> Take:
    return lambda data: dissect(data, nas.dissect)


def _response(data: bytes) -> None:
    apdu.dissect(data, is_response=True)


_CONTENTS = (
    contents.EpsLoci,
    contents.EpsNsc,
    contents.Keys,
    contents.Loci,
    contents.PsLoci,
    contents.AdministrativeData,
    contents.Services,
    contents.AccessClasses,
    contents.ServiceProvider,
    contents.Msisdn,
    contents.SmsParameters,
    contents.StartHfn,
    contents.Application,
    contents.Bind,
)
_INSIDE = (
    *(each.parse for each in _CONTENTS),
    contents.languages,
    cat.TerminalProfile.parse,
    cat.ProactiveCommand.parse,
    cat.TerminalResponse.parse,
    fcp.Fcp.parse,
    fcp.parse_access_rule,
    authenticate.AuthenticateResponse.parse,
    authenticate.parse_challenge,
)


def _inside(data: bytes) -> None:
    """The data of commands and responses, by all that reads such data."""
    for start in (0, 5):
        for parse in _INSIDE:
            with_suppressed(parse, data[start:])
            with_suppressed(parse, data[start:-2])


def with_suppressed(take: Take, data: bytes) -> bool:
    """Give octets to a reader; whether it could read them."""
    try:
        take(data)
    except PeerError:
        return False
    return True


def _change_frames(rng: random.Random, data: bytes, others: Any) -> bytes:
    """Several frames in one stream, of which one is damaged."""
    whole = enclose(data, rng.randrange(4), 18) + enclose(data[:40], 0, 18)
    return mutation.mutate(rng, whole, others)


FAMILIES = {
    "diameter": Family(
        "diameter", mutation.diameter, (_diameter, diameter.dissect, _stream(diameter.Splitter), mask_keys), 26
    ),
    "mqtt": Family("mqtt", mutation.mutate, (mqtt.decode, mqtt.dissect, _stream(mqtt.Splitter), mqtt.mask_password), 6),
    "nas": Family("nas", mutation.mutate, (_nas, nas.dissect, _protected, _secured, _service_request), 18),
    "s1ap": Family("s1ap", mutation.aper, (_s1ap, _with_nas(s1ap.dissect)), 18),
    "x2": Family("x2", mutation.aper, (x2.decode, x2.dissect), 6),
    "uu": Family("uu", mutation.uu, (uu.decode, _with_nas(uu.dissect)), 8),
    "apdu-command": Family("apdu-command", mutation.mutate, (apdu.CommandApdu.parse, apdu.dissect, _inside), 6),
    "apdu-response": Family("apdu-response", mutation.mutate, (apdu.ResponseApdu.parse, _response, _inside), 6),
    "rrc": Family("rrc", mutation.mutate, (rrc.decode_handover_command,), 2),
    "framing": Family("s1ap", _change_frames, (_stream(Deframer),), 4),
}


def read_lines(file: Path) -> list[bytes]:
    """Octets in hexadecimal, one a line, each followed by what it is."""
    return [bytes.fromhex(line.split("  ")[0]) for line in file.read_text().splitlines() if line]


def feed(family: Family, data: bytes) -> int:
    """Give octets to all that reads them. Returns how many could."""
    begun = time.process_time()
    read = sum(with_suppressed(take, data) for take in family.takes)
    taken = time.process_time() - begun
    assert taken < SLOW, f"{taken:.2f} s for {data.hex()}"
    return read


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("name", FAMILIES)
def test_octets_give_a_message_or_a_peer_error(name: str, share: int, record_property: Any) -> None:
    family = FAMILIES[name]
    rng = random.Random(f"{budget.SEED}/{name}/{share}")
    seeds = read_lines(HERE / "seeds" / f"{family.seeds}.txt")
    cases = budget.WIRE_CASES * family.part // (100 * SHARES) + 1
    read = 0
    for number in range(cases):
        data = family.change(rng, rng.choice(seeds), seeds)
        try:
            read += feed(family, data) > 0
        except Exception as error:
            error.add_note(f"case {number} of {name}; a line for corpus/{name}.txt:\n{data.hex()}  {error!r}")
            raise
    record_property("read", read)


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=budget.examples(150))
@given(noise=st.binary(max_size=300))
def test_noise_gives_a_message_or_a_peer_error(name: str, noise: bytes) -> None:
    feed(FAMILIES[name], noise)


@pytest.mark.parametrize("name", FAMILIES)
def test_valid_messages_are_read(name: str) -> None:
    family = FAMILIES[name]
    for data in read_lines(HERE / "seeds" / f"{family.seeds}.txt"):
        assert feed(family, enclose(data, 0, 18) if name == "framing" else data), data.hex()


@pytest.mark.parametrize("file", sorted((HERE / "corpus").glob("*.txt")), ids=lambda file: file.stem)
def test_found_cases_stay_fixed(file: Path) -> None:
    for data in read_lines(file):
        feed(FAMILIES[file.stem], data)


@pytest.mark.parametrize("name", FAMILIES)
def test_memory_is_flat(name: str) -> None:
    family = FAMILIES[name]
    rng = random.Random(name)
    seeds = read_lines(HERE / "seeds" / f"{family.seeds}.txt")
    counts = []
    for _ in range(2):
        for _ in range(500):
            feed(family, family.change(rng, rng.choice(seeds), seeds))
        gc.collect()
        counts.append(len(gc.get_objects()))
    assert counts[1] - counts[0] < 200
