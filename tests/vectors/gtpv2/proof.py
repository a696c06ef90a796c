"""GTPv2-C, against pycrate; and some of it against scapy."""

from __future__ import annotations

from pathlib import Path

import mutation
from vectors import Octets, Proof, load

from simwarden.wire import gtpv2


def _gtpv2(data: bytes) -> None:
    """Read a message as a node does; what is wrong in a request is answered, and the answer can be read."""
    for each in gtpv2.split(data):
        try:
            message = gtpv2.decode(each)
            assert gtpv2.decode(gtpv2.encode(message)) == message
        except gtpv2.UnsupportedVersionError:
            gtpv2.decode(gtpv2.version_not_supported(each))
            raise
        except gtpv2.GtpError as error:
            _answer(error)
            raise


def _answer(error: gtpv2.GtpError) -> None:
    answer = gtpv2.answer_to(error)
    if answer is not None:
        assert gtpv2.decode(gtpv2.encode(answer)).get("cause") == error.ie


def _compared() -> set[str]:
    return set(load(Path(__file__).with_name("test_pycrate.py")).MESSAGES)


PROOF = Proof(
    {"gtpv2": Octets("gtpv2/seeds.txt", mutation.gtpv2, (_gtpv2, gtpv2.dissect), 14)},
    lambda: set(gtpv2.SPECS),
    _compared,
)
