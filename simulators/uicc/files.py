"""The file system of a card: TS 102.221 8 (files and their selection), 11.1.3 to 11.1.8 (reading and writing).

What all cards of an operator have in common is one shared mapping; a card keeps only the files that were written on it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from simulators.uicc.status_error import StatusError
from simwarden.wire.apdu import contents, efs
from simwarden.wire.apdu.coding import NO_PLMN
from simwarden.wire.apdu.contents import AdministrativeData, Application, Services
from simwarden.wire.apdu.efs import Access, Ef, Structure
from simwarden.wire.apdu.fcp import Fcp, PinStatus, access_rule
from simwarden.wire.apdu.status import StatusWord, exact_length

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simwarden.model.identity import Plmn

_BY_FID = {
    True: {ef.fid: ef for ef in efs.FILES if ef.in_adf},
    False: {ef.fid: ef for ef in efs.FILES if not ef.in_adf},
}
_BY_SFI = {place: {ef.sfi: ef for ef in files.values() if ef.sfi} for place, files in _BY_FID.items()}


def _rules(in_adf: bool) -> list[tuple[Access, Access]]:  # noqa: FBT001 - says which of the two directories
    return list(dict.fromkeys((ef.read, ef.update) for ef in efs.FILES if ef.in_adf is in_adf))


_RULES = {place: _rules(place) for place in (True, False)}
_ARR = {True: efs.EF_ARR, False: efs.EF_ARR_MF}
SERVICES = Services({10, 12, 19, 21, 34, 85})
"""EFUST: short messages and their parameters, provider name, MSISDN, enabled services, EMM information."""


@lru_cache(maxsize=64)
def common_files(home: Plmn, provider: str, service_centre: str, language: str) -> Mapping[int, bytes]:
    """Return what all cards of an operator hold when they leave the factory; empty files are not in it."""
    rules = {
        place: b"".join(access_rule(*rule).ljust(32, b"\xff") for rule in _RULES[place]).ljust(256, b"\xff")
        for place in (True, False)
    }
    return {
        efs.EF_DIR.fid: Application(efs.AID_USIM, "USIM").to_bytes(efs.EF_DIR.size),
        efs.EF_PL.fid: contents.encode_languages([language, "en"], 4),
        efs.EF_ARR_MF.fid: rules[False],
        efs.EF_LI.fid: contents.encode_languages([language, "en"], 4),
        efs.EF_ARR.fid: rules[True],
        efs.EF_KEYS.fid: contents.EMPTY_KEYS,
        efs.EF_KEYS_PS.fid: contents.EMPTY_KEYS,
        efs.EF_HPPLMN.fid: b"\x0a",
        efs.EF_UST.fid: SERVICES.to_bytes(efs.EF_UST.size),
        efs.EF_SMS.fid: b"\x00".ljust(efs.EF_SMS.size, b"\xff") * efs.EF_SMS.records,  # free space, each (4.2.25)
        efs.EF_SMSP.fid: contents.SmsParameters(service_centre).to_bytes(),
        efs.EF_SPN.fid: contents.ServiceProvider(provider, 1).to_bytes(),
        efs.EF_EST.fid: b"\x00",
        efs.EF_START_HFN.fid: contents.EMPTY_START_HFN,
        efs.EF_THRESHOLD.fid: b"\x0f\x00\x00",
        efs.EF_PSLOCI.fid: contents.EMPTY_PSLOCI,
        efs.EF_FPLMN.fid: NO_PLMN * 4,
        efs.EF_LOCI.fid: contents.EMPTY_LOCI,
        efs.EF_AD.fid: AdministrativeData(mnc_length=len(home.mnc)).to_bytes(),
        efs.EF_ECC.fid: b"\x11\xf2\xff\x00" + b"\x11\xf0\xff\x00",  # 112, 110
        efs.EF_EPSLOCI.fid: contents.EpsLoci().to_bytes(home),
        efs.EF_EPSNSC.fid: contents.EpsNsc().to_bytes(),
        efs.EF_BIND.fid: contents.Bind().to_bytes(),
    }


class FileSystem:
    """MF and ADF.USIM with their files, and what is selected. `may` tells whether an access condition is met."""

    __slots__ = ("_common", "_own", "adf_active", "in_adf", "may", "record", "selected")

    def __init__(self, common: Mapping[int, bytes], may: Callable[[Access], bool]) -> None:
        self._common = common
        self._own: dict[int, bytes] = {}
        self.may = may
        self.reset()

    def reset(self) -> None:
        """Select the MF; no application is active."""
        self.in_adf = self.adf_active = False
        self.selected: Ef | None = None
        self.record = 0

    @property
    def selection(self) -> tuple[bool, bool, Ef | None, int]:
        """What is selected: whether the application is active, whether its directory is, the file, the record."""
        return self.adf_active, self.in_adf, self.selected, self.record

    @selection.setter
    def selection(self, held: tuple[bool, bool, Ef | None, int]) -> None:
        self.adf_active, self.in_adf, self.selected, self.record = held

    # -- contents

    def content(self, ef: Ef) -> bytes:
        """Return the whole file, whoever asks."""
        held = self._own.get(ef.fid)
        if held is None:
            held = self._common.get(ef.fid)
        return held if held is not None else b"\xff" * ef.total

    def put(self, ef: Ef, octets: bytes) -> None:
        """Write the whole file, whoever asks."""
        self._own[ef.fid] = octets

    # -- selection

    def select_fid(self, fid: int) -> None:
        """Select a file below, beside or above the current directory (TS 102.221 8.4.1)."""
        if fid == efs.MF:
            self._enter(in_adf=False)
        elif fid == efs.CURRENT_ADF:
            self._enter_adf()
        else:
            ef = _BY_FID[self.in_adf].get(fid)
            if ef is None:
                raise StatusError(StatusWord.FILE_NOT_FOUND)
            self._choose(ef)

    def select_path(self, path: bytes, *, from_mf: bool) -> None:
        """Select by path from the MF or from the current directory (TS 102.221 8.4.2); nothing changes on failure."""
        if not path or len(path) % 2:
            raise StatusError(StatusWord.INCORRECT_DATA)
        before = self.in_adf, self.selected, self.record
        if from_mf:
            self._enter(in_adf=False)
        try:
            for at in range(0, len(path), 2):
                self._step(int.from_bytes(path[at : at + 2], "big"), first=at == 0)
        except StatusError:
            self.in_adf, self.selected, self.record = before
            raise

    def _step(self, fid: int, *, first: bool) -> None:
        # 7FFF stands for the application's directory at the head of a path only, and nothing is below an EF
        if (fid in (efs.CURRENT_ADF, efs.MF) and not first) or (self.selected is not None and not first):
            raise StatusError(StatusWord.FILE_NOT_FOUND)
        self.select_fid(fid)

    def select_application(self, aid: bytes) -> None:
        """Select the USIM by its AID, whole or cut on the right (TS 102.221 8.4.3)."""
        if not 5 <= len(aid) <= 16 or not efs.AID_USIM.startswith(aid):
            raise StatusError(StatusWord.FILE_NOT_FOUND)
        self.adf_active = True
        self._enter(in_adf=True)

    def select_parent(self) -> None:
        """Select the directory above the current one."""
        self._enter(in_adf=False)

    def end_application(self) -> None:
        """Close the session of the USIM (TS 102.221 11.1.1.2)."""
        self.adf_active = False
        self._enter(in_adf=False)

    def _enter_adf(self) -> None:
        if not self.adf_active:
            raise StatusError(StatusWord.FILE_NOT_FOUND)
        self._enter(in_adf=True)

    def _enter(self, *, in_adf: bool) -> None:
        self.in_adf, self.selected, self.record = in_adf, None, 0

    def _choose(self, ef: Ef) -> None:
        self.selected, self.record = ef, 0

    def _target(self, sfi: int) -> Ef:
        ef = _BY_SFI[self.in_adf].get(sfi) if sfi else self.selected
        if ef is None:
            raise StatusError(StatusWord.FILE_NOT_FOUND if sfi else StatusWord.NO_EF_SELECTED)
        return ef

    def _open(self, sfi: int, structure: Structure, *, write: bool) -> Ef:
        """Return the file that a command means, after its structure and access condition are checked."""
        ef = self._target(sfi)
        if ef.structure is not structure:
            raise StatusError(StatusWord.INCOMPATIBLE_WITH_FILE_STRUCTURE)
        if not self.may(ef.update if write else ef.read):
            raise StatusError(StatusWord.SECURITY_STATUS_NOT_SATISFIED)
        if sfi and ef is not self.selected:
            self._choose(ef)
        return ef

    # -- reading and writing

    def read_binary(self, sfi: int, offset: int, le: int | None) -> bytes:
        """READ BINARY (TS 102.221 11.1.3). Le of 256 means all there is; one that is too long is told the length."""
        ef = self._open(sfi, Structure.TRANSPARENT, write=False)
        available = ef.size - offset
        if available <= 0:
            raise StatusError(StatusWord.WRONG_P1_P2)
        if le is None or available < le < 256:
            raise StatusError(exact_length(available))
        return self.content(ef)[offset : offset + le]

    def update_binary(self, sfi: int, offset: int, data: bytes) -> None:
        """UPDATE BINARY (TS 102.221 11.1.4)."""
        ef = self._open(sfi, Structure.TRANSPARENT, write=True)
        if offset >= ef.size:
            raise StatusError(StatusWord.WRONG_P1_P2)
        if not data or offset + len(data) > ef.size:
            raise StatusError(StatusWord.WRONG_LENGTH)
        held = self.content(ef)
        self.put(ef, held[:offset] + data + held[offset + len(data) :])

    def read_record(self, sfi: int, number: int, mode: int, le: int | None) -> bytes:
        """READ RECORD (TS 102.221 11.1.5); `mode` 2 next, 3 previous, 4 absolute (number 0: the current one)."""
        ef = self._open(sfi, Structure.LINEAR_FIXED, write=False)
        if le not in (ef.size, 256):
            raise StatusError(exact_length(ef.size))
        at = self._find_record(ef, number, mode) - 1
        return self.content(ef)[at * ef.size : (at + 1) * ef.size]

    def update_record(self, sfi: int, number: int, mode: int, data: bytes) -> None:
        """UPDATE RECORD (TS 102.221 11.1.6), modes as in READ RECORD."""
        ef = self._open(sfi, Structure.LINEAR_FIXED, write=True)
        if len(data) != ef.size:
            raise StatusError(StatusWord.WRONG_LENGTH)
        start = (self._find_record(ef, number, mode) - 1) * ef.size
        held = self.content(ef)
        self.put(ef, held[:start] + data + held[start + ef.size :])

    def _find_record(self, ef: Ef, number: int, mode: int) -> int:
        if mode not in (2, 3, 4) or (mode != 4 and number):
            raise StatusError(StatusWord.INCORRECT_P1_P2)
        wanted = number or self.record
        if mode == 2:
            wanted = self.record + 1
        elif mode == 3:
            # without a record pointer, the previous one is the last (TS 102.221 8.3.2)
            wanted = self.record - 1 if self.record else ef.records
        if not 1 <= wanted <= ef.records:
            raise StatusError(StatusWord.RECORD_NOT_FOUND)
        if mode != 4:
            self.record = wanted
        return wanted

    # -- description

    def describe(self, pins: tuple[PinStatus, ...], *, directory: bool = False) -> bytes:
        """Return the FCP template of what is selected, or of the current directory."""
        if self.selected is not None and not directory:
            return _describe_file(self.selected)
        return _describe_directory(self.in_adf, pins)


@lru_cache
def _describe_file(ef: Ef) -> bytes:
    record_size = ef.size if ef.records else 0
    arr = _ARR[ef.in_adf].fid, _RULES[ef.in_adf].index((ef.read, ef.update)) + 1
    return Fcp(ef.fid, ef.structure, ef.total, record_size, ef.records, ef.sfi, arr).to_bytes()


@lru_cache
def _describe_directory(in_adf: bool, pins: tuple[PinStatus, ...]) -> bytes:  # noqa: FBT001 - a key of the cache
    fid, aid = (None, efs.AID_USIM) if in_adf else (efs.MF, b"")
    return Fcp(fid, Structure.DIRECTORY, aid=aid, arr=(_ARR[in_adf].fid, 1), pins=pins).to_bytes()
