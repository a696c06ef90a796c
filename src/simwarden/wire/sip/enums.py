"""Methods and statuses of SIP (RFC 3261 7.1, 21; RFC 6086)."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Method(StrEnum):
    """Methods that are spoken here; the others of the registry are answered by 405."""

    INVITE = "INVITE"
    ACK = "ACK"
    BYE = "BYE"
    CANCEL = "CANCEL"
    OPTIONS = "OPTIONS"
    INFO = "INFO"


class Status(IntEnum):
    """Statuses of responses (RFC 3261 21, RFC 6086 11.6)."""

    TRYING = 100
    RINGING = 180
    CALL_IS_BEING_FORWARDED = 181
    QUEUED = 182
    SESSION_PROGRESS = 183
    OK = 200
    MULTIPLE_CHOICES = 300
    MOVED_PERMANENTLY = 301
    MOVED_TEMPORARILY = 302
    USE_PROXY = 305
    ALTERNATIVE_SERVICE = 380
    BAD_REQUEST = 400
    UNAUTHORIZED = 401
    PAYMENT_REQUIRED = 402
    FORBIDDEN = 403
    NOT_FOUND = 404
    METHOD_NOT_ALLOWED = 405
    NOT_ACCEPTABLE = 406
    PROXY_AUTHENTICATION_REQUIRED = 407
    REQUEST_TIMEOUT = 408
    GONE = 410
    REQUEST_ENTITY_TOO_LARGE = 413
    REQUEST_URI_TOO_LONG = 414
    UNSUPPORTED_MEDIA_TYPE = 415
    UNSUPPORTED_URI_SCHEME = 416
    BAD_EXTENSION = 420
    EXTENSION_REQUIRED = 421
    INTERVAL_TOO_BRIEF = 423
    BAD_INFO_PACKAGE = 469
    TEMPORARILY_UNAVAILABLE = 480
    CALL_TRANSACTION_DOES_NOT_EXIST = 481
    LOOP_DETECTED = 482
    TOO_MANY_HOPS = 483
    ADDRESS_INCOMPLETE = 484
    AMBIGUOUS = 485
    BUSY_HERE = 486
    REQUEST_TERMINATED = 487
    NOT_ACCEPTABLE_HERE = 488
    REQUEST_PENDING = 491
    UNDECIPHERABLE = 493
    SERVER_INTERNAL_ERROR = 500
    NOT_IMPLEMENTED = 501
    BAD_GATEWAY = 502
    SERVICE_UNAVAILABLE = 503
    SERVER_TIMEOUT = 504
    VERSION_NOT_SUPPORTED = 505
    MESSAGE_TOO_LARGE = 513
    BUSY_EVERYWHERE = 600
    DECLINE = 603
    DOES_NOT_EXIST_ANYWHERE = 604
    NOT_ACCEPTABLE_ANYWHERE = 606

    @property
    def phrase(self) -> str:
        """The reason phrase that RFC 3261 has for it."""
        if self in _PHRASES:
            return _PHRASES[self]
        return " ".join("URI" if word == "URI" else word.capitalize() for word in self.name.split("_"))


_PHRASES = {
    Status.OK: "OK",
    Status.CALL_IS_BEING_FORWARDED: "Call Is Being Forwarded",
    Status.REQUEST_URI_TOO_LONG: "Request-URI Too Long",
    Status.CALL_TRANSACTION_DOES_NOT_EXIST: "Call/Transaction Does Not Exist",
    Status.SERVER_TIMEOUT: "Server Time-out",
    Status.VERSION_NOT_SUPPORTED: "Version Not Supported",
    Status.NOT_ACCEPTABLE_ANYWHERE: "Not Acceptable",
}
