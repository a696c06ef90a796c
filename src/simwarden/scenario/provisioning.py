"""What elements are told of the cards of a scenario before its first step."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from simwarden.operations.provision import CardProvision

if TYPE_CHECKING:
    from simwarden.runtime.declare import Declaration
    from simwarden.scenario.identities import Card


def provision_of(card: Card, declaration: Declaration, seed: int) -> CardProvision:
    """Return what an element is told of a card: its keys only if it declares to need them.

    Keys that a file leaves out are derived from seed and IMSI: an external element can hold them for many files.
    """
    keys = card.keys

    def derived(which: str) -> str:
        generator = random.Random(f"{seed}/{keys.imsi}/{which}")  # noqa: S311 - keys of invented cards
        return generator.getrandbits(128).to_bytes(16, "big").hex()

    return CardProvision(
        name=card.name,
        imsi=keys.imsi,
        iccid=keys.iccid,
        msisdn=keys.msisdn,
        k=(keys.k or derived("k")) if declaration.keys else None,
        opc=(keys.opc or derived("opc")) if declaration.keys else None,
        profile=keys.made_for.name,
        **keys.model_dump(include={"functions", "directed", "large", "fixed"}),
        form=keys.form.value if keys.form else "",
        sections=card.sections_for(declaration.kind),
    )
