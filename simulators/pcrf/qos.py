"""QoS of sessions: requested by the PGW, authorised by the PCRF (TS 29.212 4.5.5, 5.3.48, 5.6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.policy.flow_rule import Quality
from simwarden.runtime.diameter.gx_qos import ambr_of, apn_ambr, default_bearer, quality_of
from simwarden.runtime.diameter.pcc_rules import online_of

if TYPE_CHECKING:
    from simulators.pcrf.config import PcrfConfig
    from simwarden.wire.diameter import Avps, Message

#: the QoS of a default bearer that the PGW does not name
_DEFAULT: Final = Quality(9, priority=8)


class SessionQos(NamedTuple):
    """The QoS that a PGW asks for: of the default bearer, and the APN-AMBR in bit/s (0: unknown).

    `online` is the PGW's default charging method (TS 29.212 5.3.10), None if it announces none.
    """

    qci: int = _DEFAULT.qci
    priority: int = _DEFAULT.priority
    may_preempt: bool = _DEFAULT.may_preempt
    preemptable: bool = _DEFAULT.preemptable
    uplink: int = 0
    downlink: int = 0
    online: bool | None = None

    @property
    def default(self) -> Quality:
        """The QoS of the default bearer and of rules without a configured QoS."""
        return Quality(*self[:4])


#: of a session whose PGW has named none
UNKNOWN_QOS: Final = SessionQos()


def requested_qos(message: Message, previous: SessionQos) -> SessionQos:
    """Return the QoS that a CCR asks for; what it leaves out stays as before."""
    default = quality_of(message.get("Default-EPS-Bearer-QoS", []))
    rates = ambr_of(next(iter(message.all("QoS-Information")), []))
    online = online_of(message.get("Online"))
    return SessionQos(
        *(previous[:4] if default is None else default[:4]),
        previous.uplink if rates[0] is None else rates[0],
        previous.downlink if rates[1] is None else rates[1],
        previous.online if online is None else online,
    )


def is_slowed(config: PcrfConfig, used: int) -> bool:
    """Return True if a card has used so much this month that its sessions get the slower rate."""
    return config.slower is not None and used >= config.slower.after


def authorized_qos(config: PcrfConfig, asked: SessionQos, used: int) -> Avps:
    """Build the AVPs that authorise the APN-AMBR and the QoS of the default bearer."""
    limits = [(asked.uplink, asked.downlink), _bits(config.apn_ambr)]
    if config.slower is not None and is_slowed(config, used):
        limits.append(_bits(config.slower.rate))
    uplink, downlink = (min(filter(None, way), default=0) for way in zip(*limits, strict=True))
    return [*apn_ambr(uplink, downlink), default_bearer(asked.default)]


def _bits(kbits: tuple[int, int]) -> tuple[int, int]:
    return kbits[0] * 1000, kbits[1] * 1000
