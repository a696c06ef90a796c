"""Settings of the ESME."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simwarden.runtime.declare import ElementConfig, Names, VerbModel


class EsmeConfig(ElementConfig):
    """Whom it binds to, and as whom."""

    to: str = "smsc"
    """The element that it binds to as a transceiver: a service centre."""
    system_id: Annotated[str, Field(max_length=15)] = "gateway"
    """Its system_id."""
    password: Annotated[str, Field(max_length=8)] = Field(default="secret", repr=False)
    """Its password, of at most 8 characters."""
    accepts: Literal["all", "none"] = "all"
    """Whether it takes what is delivered to it, or answers each message with ESME_RX_T_APPN."""


class BindEsme(VerbModel):
    """Bind, or bind again."""

    shorthand = "by"
    target = "by"
    by: Annotated[str, Names("esme")] = "esme"
    """The ESME."""


class SubmitSms(VerbModel):
    """Submit a message for a card."""

    target = "by"
    by: Annotated[str, Names("esme")] = "esme"
    """The ESME."""
    to: Annotated[str, Field(max_length=20)]
    """The card's number (`card.msisdn`), in whatever spelling; with a + it is international."""
    source: Annotated[str, Field(max_length=20)]
    """The code in whose name it is sent (source_addr)."""
    source_ton: Annotated[int, Field(ge=0, le=6)] | None = None
    """Its type of number, where it is not to be told by how it is written (5: a text)."""
    text: Annotated[str, Field(max_length=10_000)] = "read the meter"
    """What it says; UCS2 where the default alphabet does not have it, in parts where it is long."""
    protocol_id: Annotated[int, Field(ge=0, le=255)] = 0
    """TP-PID."""
    data_coding: Annotated[int, Field(ge=0, le=255)] | None = None
    """data_coding, where it is not that of the text."""
    receipt: bool = False
    """Whether it wants a delivery receipt."""
    validity: str = ""
    """validity_period as SMPP has it (`000000010000000R`: an hour)."""
