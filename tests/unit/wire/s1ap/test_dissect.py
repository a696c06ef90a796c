"""What a ladder and an expectation see of an S1AP message."""

from __future__ import annotations

import pytest

from simwarden.errors import PeerError
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire.dissection import Dissection
from simwarden.wire.s1ap import (
    SPECS,
    CauseNas,
    CauseRadioNetwork,
    Message,
    RrcEstablishmentCause,
    dissect,
    encode,
)
from simwarden.wire.s1ap.values import STmsi, UeS1apIdPair

PLMN = Plmn("001", "01")
INITIAL = Message(
    "initial-ue-message",
    {
        "enb_ue_s1ap_id": 2,
        "nas_pdu": b"\x07\x44\x06",
        "tai": Tai(PLMN, 7),
        "eutran_cgi": Ecgi(PLMN, 0x12301),
        "rrc_establishment_cause": RrcEstablishmentCause.MO_SIGNALLING,
        "s_tmsi": STmsi(1, 2),
    },
)


def _nas(pdu: bytes) -> Dissection:
    return Dissection("attach-reject", "Attach reject, EMM cause 6 Illegal ME", {"octets": pdu}, "Illegal ME")


def test_message_with_nas() -> None:
    shown = dissect(encode(INITIAL), nas=_nas)
    assert shown.name == "initial-ue-message"
    assert shown.summary == "Initial UE message (cell 001-01-0012301), Attach reject, EMM cause 6 Illegal ME"
    assert shown.cause == "Illegal ME"
    assert shown.inner[0].fields == {"octets": b"\x07\x44\x06"}
    assert shown.fields["s_tmsi"] == {"mmec": 1, "m_tmsi": 2}
    assert shown.fields["rrc_establishment_cause"] == "mo-Signalling"
    assert shown.fields["tai"] == "001-01-0007"


def test_bad_nas_is_shown_as_such() -> None:
    def bad(pdu: bytes) -> Dissection:
        raise PeerError(pdu.hex())

    assert dissect(encode(INITIAL), nas=bad).inner[0].name == "malformed-nas"


def test_cause_is_the_specs() -> None:
    command = Message(
        "ue-context-release-command", {"ue_s1ap_ids": UeS1apIdPair(1, 2), "cause": CauseRadioNetwork.USER_INACTIVITY}
    )
    shown = dissect(encode(command))
    assert shown.cause == shown.fields["cause"] == "radioNetwork: user-inactivity"
    assert shown.summary == "UE context release command (radioNetwork: user-inactivity)"
    assert CauseNas.DETACH.text == "nas: detach"


def test_keys_are_masked() -> None:
    modification = Message(
        "ue-context-modification-request",
        {"mme_ue_s1ap_id": 1, "enb_ue_s1ap_id": 2, "security_key": b"\xaa" * 32},
    )
    shown = dissect(encode(modification))
    assert shown.fields["security_key"] == "***"
    assert "aa" not in repr(shown)


@pytest.mark.parametrize("name", SPECS)
def test_names_are_the_specs(name: str) -> None:
    assert name == name.lower()
    assert SPECS[name].name == name


def test_bad_octets_are_a_peer_error() -> None:
    with pytest.raises(PeerError):
        dissect(b"\x00")
