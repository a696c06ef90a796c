"""What comes to an OCS from outside, and the procedure for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simulators.ocs.procedures.credit_control import credit_control

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.ocs.core import Core
    from simwarden.runtime.diameter import Handler


def handlers(core: Core) -> Mapping[str, Mapping[str, Handler]]:
    """Return the handlers of the reference points, Gy and Ro, which are one application."""
    asked = {"credit-control-request": partial(credit_control, core)}
    return {"Gy": asked, "Ro": asked}
