"""Diameter, against python-diameter."""

from __future__ import annotations

from pathlib import Path

import mutation
from vectors import Octets, Proof, in_pieces, load

from simwarden.wire import diameter
from simwarden.wire.diameter.dictionary import BY_POINT, COMMANDS

HERE = Path(__file__).parent


def _diameter(data: bytes) -> None:
    """Read a message as a peer does; what is wrong in a request is answered, and the answer can be read."""
    header = diameter.decode_header(data)
    try:
        message = diameter.decode(data)
        assert diameter.decode(diameter.encode(message)) == message
        if message.request:
            diameter.check_request(message, tuple(BY_POINT.values()))
    except diameter.DiameterError as error:
        answer = diameter.answer_to(header, error.result, ("a.example", "example"), failed=error.failed, reason="no")
        octets = diameter.encode(answer)
        assert diameter.encode(diameter.decode(octets)) == octets
        raise


def _compared() -> set[tuple[int, str]]:
    return {key for key, vectors in load(HERE / "test_python_diameter.py").BY_APPLICATION.items() if vectors}


TAKES = (_diameter, diameter.dissect, in_pieces(diameter.Splitter), diameter.mask_keys)
PROOF = Proof(
    {"diameter": Octets("diameter/seeds.txt", mutation.diameter, TAKES, 26)},
    lambda: {(command.application, command.name) for command in COMMANDS.values()},
    _compared,
)
