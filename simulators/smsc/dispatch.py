"""What comes to a centre from outside, and the procedure for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simulators.smsc.clients.gateway import GatewayLink
from simulators.smsc.procedures import alerting, submission
from simulators.smsc.procedures.delivery import hurry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.smsc.core import Core
    from simwarden.runtime.diameter import Handler
    from simwarden.runtime.link import Link


def handlers(core: Core) -> Mapping[str, Mapping[str, Handler]]:
    """Return the handlers of the reference points: MMEs ask on SGd, the HSS alerts on S6c."""
    alert = {"alert-service-centre-request": partial(alerting.alert, core)}
    mo_forward = {"mo-forward-short-message-request": partial(submission.mo_forward, core)}
    ro: Mapping[str, Mapping[str, Handler]] = {"Ro": {}} if core.config.ocs else {}
    return {"SGd": {**mo_forward, **alert}, "S6c": alert, **ro}


def accept(core: Core, link: Link) -> None:
    """Take a connection of a gateway; before it binds it can ask for nothing."""
    GatewayLink(
        core,
        link,
        take=lambda gateway, asked: submission.submit(core, gateway, asked),
        cancel=lambda gateway, asked: submission.cancel(core, gateway, asked),
        bound=lambda name: hurry(core, gateway=name),
    )
