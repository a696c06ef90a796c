"""PINs and the administrative key: TS 102.221 9.4, 9.5 and 11.1.9 to 11.1.13."""

from __future__ import annotations

from simulators.uicc.status_error import StatusError
from simwarden.wire.apdu.efs import Access
from simwarden.wire.apdu.fcp import PinStatus
from simwarden.wire.apdu.status import StatusWord, retries_left

PIN1, PIN2, ADM1 = 0x01, 0x81, 0x0A
_TRIES, _UNBLOCK_TRIES, _ADM_TRIES = 3, 10, 10


def padded(digits: str) -> bytes:
    """Return a PIN of 4 to 8 digits as it is presented: ASCII, filled with FF to 8 bytes (TS 102.221 9.5.1)."""
    return digits.encode("ascii").ljust(8, b"\xff")


class Pin:
    """One key reference. `puk` is empty where nothing unblocks it (the administrative key)."""

    __slots__ = ("_code", "_puk", "enabled", "limit", "tries", "unblock_tries", "verified")

    def __init__(self, code: bytes, puk: bytes = b"", *, enabled: bool = True, limit: int = _TRIES) -> None:
        self._code, self._puk = code, puk
        self.enabled, self.limit, self.tries = enabled, limit, limit
        self.unblock_tries = _UNBLOCK_TRIES
        self.verified = False

    @property
    def blocked(self) -> bool:
        """No try is left."""
        return self.tries == 0

    def present(self, code: bytes) -> None:
        """Compare and count. Raises StatusError (63 CX, 69 83)."""
        if self.blocked:
            raise StatusError(StatusWord.AUTHENTICATION_METHOD_BLOCKED)
        if code != self._code:
            self.verified = False
            self.tries -= 1
            raise StatusError(retries_left(self.tries))
        self.tries = self.limit

    def unblock(self, puk: bytes, code: bytes) -> None:
        """UNBLOCK PIN: the right PUK sets a new code, enables and verifies it. Raises StatusError."""
        if self.unblock_tries == 0:
            raise StatusError(StatusWord.AUTHENTICATION_METHOD_BLOCKED)
        if puk != self._puk:
            self.unblock_tries -= 1
            raise StatusError(retries_left(self.unblock_tries))
        self.unblock_tries = _UNBLOCK_TRIES
        self._code, self.tries, self.enabled, self.verified = code, self.limit, True, True

    @property
    def can_be_unblocked(self) -> bool:
        """There is a PUK for it."""
        return bool(self._puk)

    def change(self, code: bytes) -> None:
        """Set a new code; the old one was presented before."""
        self._code = code


class Pins:
    """The keys of a card. All answers that are no success are StatusErrors."""

    __slots__ = ("_pins",)

    def __init__(self, *, adm: str, pin1: str, puk1: str, pin1_enabled: bool) -> None:
        pin1_, puk1_ = padded(pin1), padded(puk1)
        self._pins = {
            PIN1: Pin(pin1_, puk1_, enabled=pin1_enabled),
            PIN2: Pin(pin1_, puk1_),
            ADM1: Pin(padded(adm), limit=_ADM_TRIES),
        }

    def reset(self) -> None:
        """Forget what was verified."""
        for pin in self._pins.values():
            pin.verified = False

    @property
    def verified(self) -> tuple[bool, ...]:
        """Which keys are verified now, in a fixed order."""
        return tuple(pin.verified for pin in self._pins.values())

    @verified.setter
    def verified(self, states: tuple[bool, ...]) -> None:
        for pin, state in zip(self._pins.values(), states, strict=True):
            pin.verified = state

    def may(self, access: Access) -> bool:
        """Tell whether an access condition is met; PIN1 that is disabled is met always (TS 102.221 9.4.1)."""
        if access is Access.ALWAYS:
            return True
        pin = self._pins.get(access.value)
        return pin is not None and (pin.verified or not pin.enabled)

    def status(self) -> tuple[PinStatus, ...]:
        """Return what the FCP of a directory says of them."""
        return tuple(PinStatus(reference, pin.enabled) for reference, pin in self._pins.items())

    def _pin(self, p1: int, reference: int) -> Pin:
        if p1:
            raise StatusError(StatusWord.WRONG_P1_P2)
        pin = self._pins.get(reference)
        if pin is None:
            raise StatusError(StatusWord.REFERENCED_DATA_NOT_FOUND)
        return pin

    def _code(self, data: bytes, codes: int = 1) -> None:
        if len(data) != 8 * codes:
            raise StatusError(StatusWord.WRONG_LENGTH)

    def verify(self, p1: int, reference: int, data: bytes) -> None:
        """VERIFY PIN (11.1.9); without data it asks for the tries left."""
        pin = self._pin(p1, reference)
        if not data:
            raise StatusError(retries_left(pin.tries))
        self._code(data)
        self._needs_enabled(pin)
        pin.present(data)
        pin.verified = True

    def change(self, p1: int, reference: int, data: bytes) -> None:
        """CHANGE PIN (11.1.10): old and new."""
        pin = self._pin(p1, reference)
        self._code(data, 2)
        self._needs_enabled(pin)
        pin.present(data[:8])
        pin.change(data[8:])
        pin.verified = True

    def disable(self, p1: int, reference: int, data: bytes) -> None:
        """DISABLE PIN (11.1.11), PIN1 only; no other key takes its place."""
        pin = self._switchable(p1, reference)
        self._code(data)
        self._needs_enabled(pin)
        pin.present(data)
        pin.enabled = False

    def enable(self, p1: int, reference: int, data: bytes) -> None:
        """ENABLE PIN (11.1.12), PIN1 only."""
        pin = self._switchable(p1, reference)
        self._code(data)
        if pin.enabled:
            raise StatusError(StatusWord.REFERENCED_DATA_INVALIDATED)
        pin.present(data)
        pin.enabled = pin.verified = True

    def unblock(self, p1: int, reference: int, data: bytes) -> None:
        """UNBLOCK PIN (11.1.13): PUK and new PIN; without data it asks for the tries left of the PUK."""
        pin = self._pin(p1, reference)
        if not pin.can_be_unblocked:
            raise StatusError(StatusWord.REFERENCED_DATA_NOT_FOUND)
        if not data:
            raise StatusError(retries_left(pin.unblock_tries))
        self._code(data, 2)
        pin.unblock(data[:8], data[8:])

    def _switchable(self, p1: int, reference: int) -> Pin:
        pin = self._pin(p1, reference)
        if reference != PIN1:
            raise StatusError(StatusWord.FUNCTION_NOT_SUPPORTED)
        return pin

    def _needs_enabled(self, pin: Pin) -> None:
        if not pin.enabled:
            raise StatusError(StatusWord.REFERENCED_DATA_INVALIDATED)
