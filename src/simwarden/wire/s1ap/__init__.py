"""S1AP between eNB and MME (TS 36.413, release 17), by hand in aligned PER.

    message = Message("downlink-nas-transport", {"mme_ue_s1ap_id": 1, "enb_ue_s1ap_id": 2, "nas_pdu": pdu})
    octets = encode(message)
    decode(octets)["nas_pdu"]

Messages and their elements are listed in `messages`, the elements' values in `values` and `enums`.
"""

# mypy: implicit-reexport
# ruff: noqa: F401, F403

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.s1ap.codec import Message, S1apError, answer_to, decode, encode, notification_of, ue_ids
    from simwarden.wire.s1ap.enums import *
    from simwarden.wire.s1ap.messages import SPECS
    from simwarden.wire.s1ap.reading import dissect

__getattr__ = offer(__name__, "codec", "enums", "messages", "reading")
