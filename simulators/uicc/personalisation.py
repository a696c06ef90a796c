"""What the operator writes on a card, over the commands that any terminal could send, under the administrative key.

It happens beside what a terminal does, in a security environment of its own, as remote file management does (TS
102.226 8.2). These commands carry keys, so they are on no link and in no trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.apdu import contents, efs
from simwarden.wire.apdu.coding import encode_imsi
from simwarden.wire.apdu.command import CommandApdu, Ins, ResponseApdu

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.uicc.card import Card

Writing = tuple[efs.Ef, bytes]


class WriteRefusedError(Exception):
    """The card did not take it: which file, and the status word in words."""


def subscription(imsi: str, msisdn: str, k: bytes, opc: bytes) -> list[Writing]:
    """Return the files that make a blank card a subscriber's; K and OPc have 16 bytes each."""
    return [
        (efs.EF_IMSI, encode_imsi(imsi)),
        (efs.EF_ACC, contents.AccessClasses({int(imsi[-1])}).to_bytes()),
        (efs.EF_MSISDN, contents.Msisdn(msisdn).to_bytes()),
        (efs.EF_AKA, b"\x01" + k + opc),
    ]


def binding(bind: contents.Bind) -> list[Writing]:
    """Return the interlock's area."""
    return [(efs.EF_BIND, bind.to_bytes())]


def write(card: Card, adm: bytes, pin1: bytes, writings: Iterable[Writing]) -> None:
    """Write files of the USIM. Raises WriteRefusedError; what was written before that stays."""
    with card.aside():
        _send(card, CommandApdu(0x00, Ins.SELECT, 0x04, 0x0C, efs.AID_USIM), "ADF.USIM")
        _send(card, CommandApdu(0x00, Ins.VERIFY_PIN, 0x00, efs.Access.ADM1.value or 0, adm), "the administrative key")
        if pin1:
            _send(card, CommandApdu(0x00, Ins.VERIFY_PIN, 0x00, efs.Access.PIN1.value or 0, pin1), "PIN1")
        for ef, octets in writings:
            _send(card, CommandApdu(0x00, Ins.SELECT, 0x00, 0x0C, ef.fid.to_bytes(2, "big")), ef.name)
            ins, p1, p2 = (Ins.UPDATE_RECORD, 1, 0x04) if ef.records else (Ins.UPDATE_BINARY, 0, 0)
            _send(card, CommandApdu(0x00, ins, p1, p2, octets), ef.name)


def _send(card: Card, command: CommandApdu, what: str) -> None:
    response = ResponseApdu.parse(card.transmit(command.to_bytes()))
    if not response.ok:
        raise WriteRefusedError(f"the card refuses {what}: {response.sw:04X} {response.text}")
