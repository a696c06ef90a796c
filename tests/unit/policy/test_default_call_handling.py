"""What becomes of a call without orders: its CSI says so."""

from __future__ import annotations

import pytest

from simwarden.policy.camel import judge_without_orders


@pytest.mark.parametrize(("releases", "handling"), [(True, "release"), (False, "continue")])
def test_a_call_without_orders_is_released_or_goes_on_as_its_csi_says(handling: str, *, releases: bool) -> None:
    ruling = judge_without_orders(releases=releases, reason="the gsmSCF is silent")
    assert (ruling.admitted, ruling.details) == (not releases, {"handling": handling})
    assert ruling.reason == f"the gsmSCF is silent, and the default call handling is to {handling}"
