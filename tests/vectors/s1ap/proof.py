"""S1AP, against pycrate."""

from __future__ import annotations

from pathlib import Path

import mutation
from vectors import Octets, Proof, load

from simwarden.wire import nas, s1ap


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


def _with_nas(data: bytes) -> None:
    s1ap.dissect(data, nas.dissect)


def _compared() -> set[str]:
    messages = load(Path(__file__).with_name("test_pycrate.py")).MESSAGES
    return {name for each, name in messages if each is s1ap.Message}


PROOF = Proof(
    {"s1ap": Octets("s1ap/seeds.txt", mutation.aper, (_s1ap, _with_nas), 18)},
    lambda: set(s1ap.Message.specs),
    _compared,
)
