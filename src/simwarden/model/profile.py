"""Ready profiles of cards: what a use needs, in the terms by which the guideline (3.1 to 3.3) classifies cards."""

from __future__ import annotations

from dataclasses import dataclass

from simwarden.model.form import FormFactor


@dataclass(frozen=True, slots=True)
class CardProfile:
    """A use of cards: its functions, its attributes by tables 1 to 3 of the guideline, and how the card is made.

    `directed` says that the data of this use can be limited to listed destinations, `large` that it needs more than
    100 MB a month, `fixed` that its terminals do not move.
    """

    name: str
    title: str
    title_zh: str
    voice: bool
    sms: bool
    data: bool
    directed: bool
    large: bool
    fixed: bool
    form: FormFactor = FormFactor.PLUG_IN


_ALL = (
    # name, English, Chinese, voice, SMS, data, directed, large, fixed
    CardProfile("meter", "Smart metering", "智能抄表", False, True, True, False, False, True),
    CardProfile("environment", "Environmental monitoring", "环境监测", False, True, True, True, False, True),
    CardProfile("video-surveillance", "Video surveillance", "视频监控", False, False, True, True, True, True),
    CardProfile("elevator-alarm", "Elevator alarm", "电梯报警", True, True, True, True, True, True),
    CardProfile("tracker", "Goods tracking", "货物跟踪", False, True, True, False, False, False),
    CardProfile(
        "wearable", "Personal wearable", "个人可穿戴设备", True, True, True, False, True, False, FormFactor.NANO
    ),
    CardProfile(
        "car", "Connected car, factory-fitted", "车辆前装", True, True, True, False, True, False, FormFactor.SOLDERED
    ),
    CardProfile("payment", "Payment terminal", "金融支付", False, False, True, False, True, False),
)

PROFILES = {profile.name: profile for profile in _ALL}
