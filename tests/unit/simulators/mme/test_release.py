"""What an MME keeps of a context whose connection is released."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.mme.contexts import UeContext
from simulators.mme.procedures.release import settle
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.testing.diameter import IMSI
from simwarden.testing.radio import CAPABILITY

PLMN = Plmn("001", "01")


def context() -> UeContext:
    return UeContext(IMSI, Tai(PLMN, 1), Ecgi(PLMN, 1 << 8 | 1), CAPABILITY)


@pytest.mark.parametrize(
    ("emergency", "is_former", "kept"), [(False, False, True), (True, False, False), (False, True, False)]
)
async def test_of_who_is_not_registered_the_keys_are_kept_but_not_of_an_emergency_or_a_former_context(
    run: Any, *, emergency: bool, is_former: bool, kept: bool
) -> None:
    async with run() as network:
        core, ue = network.mme.core, context()
        core.allocate_guti(ue)
        ue.emergency = emergency
        core.by_imsi[ue.key] = context() if is_former else ue
        settle(core, ue)
        assert (ue.timer is not None, ue.guti is not None, bool(core.by_m_tmsi)) == (kept,) * 3
        core.forget(ue)
        core.by_imsi.clear()
