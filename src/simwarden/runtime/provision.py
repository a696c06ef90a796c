"""What a management interface is told of a card: the body of `PUT /cards/{imsi}`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from simwarden.runtime.declare import Model


class CardProvision(Model):
    """A card as the operator provisions it in an element. Keys are hexadecimal and never shown.

    `sections` holds what the card's owner wrote for this element only: section name to its entries, each valid for one
    of the models that the element declares (`{"binding": [{"by": "hss", "learn": "first-use"}]}`).
    """

    name: str
    imsi: str
    iccid: str
    msisdn: str
    k: str = Field(repr=False)
    opc: str = Field(repr=False)
    #: the ready profile that the card was made from (`meter`)
    profile: str
    #: the form factor (`plug-in`, `soldered`, ...)
    form: str
    sections: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
