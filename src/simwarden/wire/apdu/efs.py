"""The files of a USIM as their specification declares them: TS 102.221 13, TS 31.102 4.2, 4.6 and annex H."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import NamedTuple


class Structure(IntEnum):
    """Kind of a file; the value is the file descriptor byte of a shareable working file (TS 102.221 11.1.1.4.3)."""

    TRANSPARENT = 0x41
    LINEAR_FIXED = 0x42
    DIRECTORY = 0x78


class Access(Enum):
    """Who may do it: TS 102.221 9.2. The value is the key reference; None needs no key."""

    ALWAYS = None
    PIN1 = 0x01
    PIN2 = 0x81
    ADM1 = 0x0A
    NEVER = -1


class Ef(NamedTuple):
    """One elementary file: `size` is that of the file, of one record where `records` is not 0."""

    name: str
    fid: int
    size: int
    read: Access = Access.PIN1
    update: Access = Access.ADM1
    records: int = 0
    sfi: int = 0
    in_adf: bool = True

    @property
    def structure(self) -> Structure:
        """Transparent, or linear fixed when it has records."""
        return Structure.LINEAR_FIXED if self.records else Structure.TRANSPARENT

    @property
    def total(self) -> int:
        """Bytes of the whole file."""
        return self.size * (self.records or 1)


MF = 0x3F00
CURRENT_ADF = 0x7FFF
AID_USIM_PREFIX = bytes.fromhex("a0000000871002")
AID_USIM = AID_USIM_PREFIX + bytes.fromhex("ffffffff8907090000")
"""Registered prefix of a USIM (TS 101.220 annex E), then country, provider and application provider field."""

EF_DIR = Ef("EF.DIR", 0x2F00, 38, Access.ALWAYS, Access.ADM1, records=1, sfi=0x1E, in_adf=False)
EF_PL = Ef("EF.PL", 0x2F05, 4, Access.ALWAYS, Access.PIN1, sfi=0x05, in_adf=False)
EF_ARR_MF = Ef("EF.ARR", 0x2F06, 32, Access.ALWAYS, Access.ADM1, records=8, sfi=0x06, in_adf=False)
EF_ICCID = Ef("EF.ICCID", 0x2FE2, 10, Access.ALWAYS, Access.NEVER, sfi=0x02, in_adf=False)

EF_LI = Ef("EF.LI", 0x6F05, 4, Access.ALWAYS, Access.PIN1, sfi=0x02)
EF_ARR = Ef("EF.ARR", 0x6F06, 32, Access.ALWAYS, Access.ADM1, records=8, sfi=0x17)
EF_IMSI = Ef("EF.IMSI", 0x6F07, 9, sfi=0x07)
EF_KEYS = Ef("EF.Keys", 0x6F08, 33, update=Access.PIN1, sfi=0x08)
EF_KEYS_PS = Ef("EF.KeysPS", 0x6F09, 33, update=Access.PIN1, sfi=0x09)
EF_HPPLMN = Ef("EF.HPPLMN", 0x6F31, 1, sfi=0x12)
EF_UST = Ef("EF.UST", 0x6F38, 14, sfi=0x04)
EF_SMS = Ef("EF.SMS", 0x6F3C, 176, update=Access.PIN1, records=5)
EF_MSISDN = Ef("EF.MSISDN", 0x6F40, 28, update=Access.PIN1, records=1)
EF_SMSP = Ef("EF.SMSP", 0x6F42, 42, update=Access.PIN1, records=1)
EF_SMSS = Ef("EF.SMSS", 0x6F43, 2, update=Access.PIN1)
EF_SPN = Ef("EF.SPN", 0x6F46, 17, Access.ALWAYS)
EF_EST = Ef("EF.EST", 0x6F56, 1, update=Access.PIN2, sfi=0x05)
EF_START_HFN = Ef("EF.START-HFN", 0x6F5B, 6, update=Access.PIN1, sfi=0x0F)
EF_THRESHOLD = Ef("EF.THRESHOLD", 0x6F5C, 3, sfi=0x10)
EF_PSLOCI = Ef("EF.PSLOCI", 0x6F73, 14, update=Access.PIN1, sfi=0x0C)
EF_ACC = Ef("EF.ACC", 0x6F78, 2, sfi=0x06)
EF_FPLMN = Ef("EF.FPLMN", 0x6F7B, 12, update=Access.PIN1, sfi=0x0D)
EF_LOCI = Ef("EF.LOCI", 0x6F7E, 11, update=Access.PIN1, sfi=0x0B)
EF_AD = Ef("EF.AD", 0x6FAD, 4, Access.ALWAYS, sfi=0x03)
EF_ECC = Ef("EF.ECC", 0x6FB7, 4, Access.ALWAYS, records=2, sfi=0x01)
EF_NETPAR = Ef("EF.NETPAR", 0x6FC4, 46, update=Access.PIN1)
EF_EPSLOCI = Ef("EF.EPSLOCI", 0x6FE3, 18, update=Access.PIN1, sfi=0x1E)
EF_EPSNSC = Ef("EF.EPSNSC", 0x6FE4, 54, update=Access.PIN1, records=1, sfi=0x18)
EF_BIND = Ef("EF.BIND", 0xC001, 10, Access.PIN1, Access.ADM1)
"""The interlock's own area, ours: outside the identifiers that TS 102.221 13 and TS 31.102 reserve. See `Bind`."""
EF_AKA = Ef("EF.AKA", 0xC002, 33, Access.NEVER, Access.ADM1)
"""K and OPc as personalised (algorithm 01 Milenage, K, OPc): ours, written by the operator and read by nobody."""

FILES = tuple(each for each in list(vars().values()) if isinstance(each, Ef))

NAMES = {ef.fid: ef.name for ef in FILES} | {MF: "MF", CURRENT_ADF: "ADF.USIM"}
SFI_NAMES = {(ef.in_adf, ef.sfi): ef.name for ef in FILES if ef.sfi}


def file_name(fid: int) -> str:
    """Return a file's name by its identifier, the identifier in hexadecimal where we know no name."""
    return NAMES.get(fid, f"{fid:04X}")
