"""Passwords of SMPP: 8 characters at most, so that only a slow hash and few tries keep them from being guessed."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from simulators.sms_gateway.config import Account

_MARK: Final = "scrypt:"
#: RFC 7914; some 25 ms and 8 MiB a try
_COST: Final = {"n": 1 << 13, "r": 8, "p": 1, "dklen": 32}


def hashed(password: str, salt: bytes) -> str:
    """Return what is kept of a password; of what is a hash already, or nothing, that."""
    if not password or password.startswith(_MARK):
        return password
    return f"{_MARK}{salt.hex()}:{hashlib.scrypt(password.encode(), salt=salt, **_COST).hex()}"


def matches(password: str, kept: str) -> bool:
    """Whether a password is the one of which this is kept; it takes as long where nothing is."""
    try:
        salt, expected = (bytes.fromhex(part) for part in kept.removeprefix(_MARK).split(":"))
    except ValueError:
        salt, expected = bytes(16), b""
    found = hashlib.scrypt(password.encode(), salt=salt, **_COST)
    return hmac.compare_digest(found, expected)


def with_hash(account: Account, salt: bytes) -> Account:
    """Return an account with the hash of its password in place of it."""
    return account.model_copy(update={"password": hashed(account.password, salt)})
