"""The words that options of the command line may have."""

from __future__ import annotations

from enum import StrEnum


class RoleName(StrEnum):
    """Who calls a management interface."""

    OPERATOR = "operator"
    CUSTOMER = "customer"


class TransportName(StrEnum):
    """How frames travel between elements of one run."""

    MEMORY = "memory"
    TCP = "tcp"
    UDP = "udp"
    SCTP = "sctp"
    SCTP_UDP = "sctp-udp"


class ClockName(StrEnum):
    """Which time a run lives in."""

    VIRTUAL = "virtual"
    REAL = "real"


class TraceChoice(StrEnum):
    """Which scenarios leave a capture and their events."""

    ON_FAILURE = "on-failure"
    ALWAYS = "always"
    OFF = "off"


class Form(StrEnum):
    """How subscribers are written."""

    YAML = "yaml"
    JSON = "json"
    CSV = "csv"


class LogForm(StrEnum):
    """How a served element's lines are written."""

    CONSOLE = "console"
    JSON = "json"


class Level(StrEnum):
    """From which level on lines are written: admissions, what happens, what peers do wrong, internal errors."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
