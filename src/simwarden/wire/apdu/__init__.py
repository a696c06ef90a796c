"""Cards: APDUs, files of a USIM, AUTHENTICATE and toolkit commands (TS 102.221, TS 31.102, TS 31.111).

`command` and `status` are the exchange itself; `efs` declares the files, `contents` and `coding` what is in them;
`fcp` describes them; `authenticate` and `cat` are the two procedures with codings of their own.
"""

# mypy: implicit-reexport
# ruff: noqa: F401

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.apdu.command import CommandApdu, Ins, ResponseApdu, again_with
    from simwarden.wire.apdu.reading import dissect
    from simwarden.wire.apdu.status import explain

__getattr__ = offer(__name__, "command", "status", "reading")
