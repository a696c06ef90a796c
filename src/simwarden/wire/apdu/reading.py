"""APDUs in the field's own words, for ladders and expectations. Keys, PINs and what may hold them are masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.model.form import Slot
from simwarden.wire.apdu import cat, efs
from simwarden.wire.apdu.authenticate import AuthenticateResponse, parse_challenge
from simwarden.wire.apdu.command import PIN_INSTRUCTIONS, CommandApdu, Ins, ResponseApdu
from simwarden.wire.apdu.control import Control, control_of, insertion_of, is_atr
from simwarden.wire.apdu.efs import Structure
from simwarden.wire.apdu.fcp import Fcp
from simwarden.wire.apdu.status import is_text, is_word
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import Export, Known, MessageField, MessageInfo, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MASK = "***"
_HEADER_LENGTH = 4
_ATR_STARTS = (b"\x3b", b"\x3f")
_AUTHENTICATED = b"\xdb"
_ALWAYS = ("cla", "ins", "p1", "p2", "sw", "status")
_NAMES = {int(ins): ins.name.lower().replace("_", "-") for ins in Ins}
_PINS = {0x01: "PIN1", 0x81: "PIN2", 0x0A: "ADM1", 0x11: "universal PIN"}
_QUALIFIERS = {int(what): f"{what.name}" for what in cat.Local}

Fields = dict[str, Any]


def dissect(data: bytes, *, is_response: bool = False, command: bytes | None = None) -> Dissection:
    """Decode a command, or a response (to `command`, where that is known). Raises PeerError."""
    slot = insertion_of(data)
    if slot is not None:
        return Dissection("insertion", f"Contact, slot {slot.name.lower()}", {"slot": slot})
    if is_response:
        if is_atr(data):
            return Dissection("answer-to-reset", "Answer to reset", {"atr": data})
        return _response(ResponseApdu.parse(data), _parsed(command))
    control = control_of(data)
    if control is not None:
        name = control.name.lower().replace("_", "-")
        return Dissection(name, _title(name))
    return _command(CommandApdu.parse(data))


def _parsed(command: bytes | None) -> CommandApdu | None:
    try:
        return CommandApdu.parse(command) if command else None
    except PeerError:  # the response to a malformed command is a response all the same
        return None


def shown(data: bytes) -> str | bytes:
    """Return data as it may be shown: all of it, or the mask when it has the shape of what holds a key.

    That is EFKeys, EFKeysPS and EF.AKA (33 bytes), EFEPSNSC, and a successful response to AUTHENTICATE.
    """
    keys = (
        len(data) == 33 or (data[:2] == b"\xa0\x34" and b"\x81\x20" in data) or data[:2] in (b"\xdb\x08", b"\xdb\x10")
    )
    return MASK if keys else data


def _command(apdu: CommandApdu) -> Dissection:
    name = _NAMES.get(apdu.ins, f"command-{apdu.ins:02x}")
    decode = _COMMANDS.get(apdu.ins)
    fields, detail = decode(apdu) if decode else _plain(apdu)
    words = _title(name) + (f" {detail}" if detail else "")
    header: Fields = {"cla": apdu.cla, "ins": apdu.ins, "p1": apdu.p1, "p2": apdu.p2}
    return Dissection(name, words, header | fields)


def _title(name: str) -> str:
    return name.replace("-", " ").upper()


def _plain(apdu: CommandApdu) -> tuple[Fields, str]:
    return ({"data": shown(apdu.data)} if apdu.data else {}), ""


def _select(apdu: CommandApdu) -> tuple[Fields, str]:
    if apdu.p1 == 0x04:
        usim = apdu.data.startswith(efs.AID_USIM_PREFIX)
        return {
            "aid": apdu.data.hex(),
            "file": "ADF.USIM" if usim else apdu.data.hex(),
        }, "ADF.USIM" if usim else "by AID"
    fids = [int.from_bytes(apdu.data[i : i + 2], "big") for i in range(0, len(apdu.data) - 1, 2)]
    path = "/".join(efs.file_name(fid) for fid in fids)
    return {"fid": apdu.data.hex(), "file": path.rsplit("/", 1)[-1]}, path


def _sfi_name(sfi: int) -> str:
    """Name by short identifier; a USIM's files first, since that application is what a terminal has selected."""
    return efs.SFI_NAMES.get((True, sfi)) or efs.SFI_NAMES.get((False, sfi)) or f"SFI {sfi:02X}"


def _binary(apdu: CommandApdu) -> tuple[Fields, str]:
    by_sfi = bool(apdu.p1 & 0x80)
    fields: Fields = {"offset": apdu.p2 if by_sfi else apdu.p1 << 8 | apdu.p2}
    if by_sfi:
        fields["file"] = _sfi_name(apdu.p1 & 0x1F)
    return fields | _amount(apdu), fields.get("file", "")


def _record(apdu: CommandApdu) -> tuple[Fields, str]:
    mode = {2: "next", 3: "previous", 4: "absolute"}.get(apdu.p2 & 0x07, "unknown")
    fields: Fields = {"record": apdu.p1, "mode": mode}
    if apdu.p2 >> 3:
        fields["file"] = _sfi_name(apdu.p2 >> 3)
    detail = f"{fields.get('file', '')} record {apdu.p1 if mode == 'absolute' else mode}".strip()
    return fields | _amount(apdu), detail


def _amount(apdu: CommandApdu) -> Fields:
    return {"data": shown(apdu.data)} if apdu.data else {"length": apdu.le or 256}


def _pin(apdu: CommandApdu) -> tuple[Fields, str]:
    key = _PINS.get(apdu.p2, f"key {apdu.p2:02X}")
    fields: Fields = {"key": key}
    if apdu.data:
        fields["value"] = MASK
    return fields, key if apdu.data else f"{key}, tries left?"


def _authenticate(apdu: CommandApdu) -> tuple[Fields, str]:
    try:
        rand, autn = parse_challenge(apdu.data)
    except PeerError as error:
        return {"malformed": error.reason}, f"({error.reason})"
    return {"rand": rand, "autn": autn, "context": "3g" if apdu.p2 == 0x81 else f"{apdu.p2:02x}"}, ""


def _profile(apdu: CommandApdu) -> tuple[Fields, str]:
    profile = cat.TerminalProfile.parse(apdu.data)
    can = [name for name, able in (("IMEI", profile.imei), ("IMEISV", profile.imeisv)) if able]
    return profile._asdict(), f"({', '.join(can) or 'no IMEI'})"


def _terminal_response(apdu: CommandApdu) -> tuple[Fields, str]:
    try:
        response = cat.TerminalResponse.parse(apdu.data)
    except PeerError as error:
        return {"malformed": error.reason}, f"({error.reason})"
    fields: Fields = {"command_type": response.kind, "result": response.result}
    if response.imei:
        fields["imei"] = response.imei
    if response.imeisv:
        fields["imeisv"] = response.imeisv
    return fields, response.identity or f"result {response.result:02X}"


_COMMANDS: dict[int, Callable[[CommandApdu], tuple[Fields, str]]] = {
    Ins.SELECT: _select,
    Ins.READ_BINARY: _binary,
    Ins.UPDATE_BINARY: _binary,
    Ins.READ_RECORD: _record,
    Ins.UPDATE_RECORD: _record,
    **dict.fromkeys(PIN_INSTRUCTIONS, _pin),
    Ins.AUTHENTICATE: _authenticate,
    Ins.TERMINAL_PROFILE: _profile,
    Ins.TERMINAL_RESPONSE: _terminal_response,
}


def _response(apdu: ResponseApdu, command: CommandApdu | None) -> Dissection:
    name = _response_name(apdu, command)
    fields: Fields = {"sw": f"{apdu.sw:04x}", "status": apdu.text}
    inner, detail = _inner(apdu.data)
    if apdu.data:
        fields |= inner or {"data": shown(apdu.data)}
    summary = f"{apdu.sw:04X} {apdu.text}" + (f": {detail}" if detail else "")
    return Dissection(name, summary, fields, cause="" if apdu.ok else apdu.text)


def _response_name(apdu: ResponseApdu, command: CommandApdu | None) -> str:
    if command is None:
        return "response"
    if command.ins == Ins.GET_RESPONSE and apdu.data:
        # what is fetched belongs to the command before
        return _FETCHED.get(apdu.data[0], "get-response") + "-response"
    return _NAMES.get(command.ins, f"command-{command.ins:02x}") + "-response"


def _inner(data: bytes) -> tuple[Fields, str]:
    decode = _BODIES.get(data[0]) if data else None
    if decode is None:
        return {}, ""
    try:
        return decode(data)
    except PeerError:
        return {}, ""  # the content of a file may begin with any byte


def _authenticated(data: bytes) -> tuple[Fields, str]:
    response = AuthenticateResponse.parse(data)
    if response.auts:
        return {"auts": response.auts}, "synchronisation failure"
    return {"res": response.res, "ck": MASK, "ik": MASK}, "RES, CK, IK"


def _fcp(data: bytes) -> tuple[Fields, str]:
    fcp = Fcp.parse(data)
    file = "ADF.USIM" if fcp.aid else efs.file_name(fcp.fid) if fcp.fid is not None else "unnamed"
    fields: Fields = {"file": file, "structure": fcp.structure.name.lower()}
    if fcp.size is not None:
        fields["size"] = fcp.size
    if fcp.records:
        fields |= {"record_size": fcp.record_size, "records": fcp.records}
    return fields, file


def _proactive(data: bytes) -> tuple[Fields, str]:
    command = cat.ProactiveCommand.parse(data)
    try:
        kind = cat.CommandType(command.kind).name.replace("_", " ")
    except ValueError:
        kind = f"proactive command {command.kind:02X}"
    asked = ""
    if command.kind == cat.CommandType.PROVIDE_LOCAL_INFORMATION:
        asked = _QUALIFIERS.get(command.qualifier, f"{command.qualifier:02X}")
    detail = f"{kind} {asked}".strip()
    return {"proactive_command": kind.lower().replace(" ", "-"), "qualifier": command.qualifier}, detail


_FILE = v.Values("a file", tuple(dict.fromkeys(efs.NAMES.values())), fits=v.OCTETS.fits)
_DATA = v.Values("octets, or the mask of keys", (MASK,), fits=v.OCTETS.fits)
_HEADER = dict.fromkeys(("cla", "ins", "p1", "p2"), v.NUMBER)
_OF_FILE = {"file": _FILE, "data": _DATA, "length": v.NUMBER}
_OF_BINARY = {**_OF_FILE, "offset": v.NUMBER}
_OF_RECORD = {**_OF_FILE, "record": v.NUMBER, "mode": v.one_of("next", "previous", "absolute", "unknown")}
_OF_PIN = {"key": v.one_of(*_PINS.values()), "value": v.one_of(MASK)}
_MORE: dict[int, dict[str, v.Values]] = {
    Ins.SELECT: {"file": _FILE, "aid": v.OCTETS, "fid": v.OCTETS},
    Ins.READ_BINARY: _OF_BINARY,
    Ins.UPDATE_BINARY: _OF_BINARY,
    Ins.READ_RECORD: _OF_RECORD,
    Ins.UPDATE_RECORD: _OF_RECORD,
    **dict.fromkeys(PIN_INSTRUCTIONS, _OF_PIN),
    Ins.AUTHENTICATE: {"rand": v.OCTETS, "autn": v.OCTETS, "context": v.one_of("3g") | v.OCTETS, "malformed": v.TEXT},
    Ins.TERMINAL_PROFILE: dict.fromkeys(cat.TerminalProfile._fields, v.SWITCH),
    Ins.TERMINAL_RESPONSE: {
        **dict.fromkeys(("imei", "imeisv"), v.IMEI),
        **dict.fromkeys(("command_type", "result"), v.NUMBER),
        "malformed": v.TEXT,
    },
}
_PROACTIVE = v.one_of(*(kind.name.lower().replace("_", "-") for kind in cat.CommandType))
_RESPONSE = {
    "sw": v.Values("a status word of TS 102.221, 4 hexadecimal digits", fits=is_word),
    "status": v.Values("a status in the words of TS 102.221", fits=is_text),
    "data": _DATA,
    "file": _FILE,
    "structure": v.one_of(*(each.name.lower() for each in Structure)),
    **dict.fromkeys(("size", "record_size", "records", "qualifier"), v.NUMBER),
    "proactive_command": _PROACTIVE | v.shaped("a proactive command", "proactive-command-[0-9a-f]{2}"),
    **dict.fromkeys(("res", "auts"), v.OCTETS),
    **dict.fromkeys(("ck", "ik"), v.one_of(MASK)),
}


def fields_of(name: str) -> dict[str, v.Values] | None:
    """Return the fields of a message by its name; None for a name that there is not.

    A response may have those of any: what its data are is told by their first octet.
    """
    if name == "insertion":
        return {"slot": v.members(Slot)}
    if name == "answer-to-reset":
        return {"atr": v.OCTETS}
    code = next((code for code, known in _NAMES.items() if known == name), None)
    if code is not None:
        return {**_HEADER, **_MORE.get(code, {"data": _DATA})}
    if name in _CONTROLS:
        return {}
    return _RESPONSE if name == "response" or name.endswith("-response") else None


_CONTROLS = frozenset(each.name.lower().replace("_", "-") for each in Control)
_FETCHED = {0x62: "select", 0xDB: "authenticate", 0xDC: "authenticate"}
_BODIES: dict[int, Callable[[bytes], tuple[Fields, str]]] = {
    0x62: _fcp,
    0xD0: _proactive,
    0xDB: _authenticated,
    0xDC: _authenticated,
}


class Apdu(Reading):
    """How APDUs are read."""

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """See Reading. Less than four octets are a contact (power, reset, insertion), no APDU."""
        if known.from_client:
            return dissect(data)
        return dissect(data, is_response=True, command=known.asked if len(known.asked) >= _HEADER_LENGTH else None)

    def mask(self, data: bytes) -> bytes:
        """See Reading."""
        octets = bytearray(data)
        if data[:1] == _AUTHENTICATED:
            for start, stop in _session_keys(data):
                octets[start:stop] = bytes(stop - start)
        elif len(data) > 5 and data[1] in PIN_INSTRUCTIONS and data[4] <= len(data) - 5:
            octets[5 : 5 + data[4]] = bytes(data[4])
        else:
            # The content of a file: what a command's fifth octet counts, or all before the status word of a response.
            behind = 5 + data[4] if len(data) > 5 and data[4] in (len(data) - 5, len(data) - 6) else 0
            for start, stop in ((5, behind), (0, len(data) - 2)):
                if stop > start and shown(data[start:stop]) == MASK:
                    octets[start:stop] = bytes(stop - start)
                    break
        return bytes(octets)

    def export(self, data: bytes, known: Known) -> Export | None:
        """See Reading; a command and its response are one packet, as T=0 has them."""
        if known.from_client:
            return None if len(data) >= _HEADER_LENGTH else Export()
        if known.asked:
            return Export("gsm_sim", _t0(known.asked) + data, named=False)
        return Export("iso7816.atr", data) if data[:1] in _ATR_STARTS else Export()

    def messages(self) -> Iterable[str]:
        """See Reading."""
        words = [each.name.lower().replace("_", "-") for each in (*Ins, *Control)]
        return (*words, *(f"{word}-response" for word in words), "response", "answer-to-reset", "insertion")

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        found = fields_of(name)
        if found is None:
            return None
        about = "what a terminal does to the contacts of a card"
        if "cla" in found:
            code = next(each for each in Ins if each.name.lower().replace("_", "-") == name)
            about = f"command to the card, INS {int(code):02X}; its data give further fields"
        elif "sw" in found:
            about = "response of the card: its status word, and it in words; its data give further fields"
        always = tuple(MessageField(part, True, found[part]) for part in _ALWAYS if part in found)
        others = tuple(MessageField(part, False, values) for part, values in found.items() if part not in _ALWAYS)
        return MessageInfo(about, always, others=others)


def _session_keys(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where CK, IK and Kc stand in a response to AUTHENTICATE (TS 31.102 7.1.2.1): all values but the first."""
    at = 1
    first = True
    while at < len(data):
        stop = min(at + 1 + data[at], len(data))
        if not first and data[at] >= 8 and stop == at + 1 + data[at]:
            yield at + 1, stop
        first = False
        at = stop


def _t0(command: bytes) -> bytes:
    """Return a command as T=0 has it: five octets of header, no Le behind data."""
    if len(command) == _HEADER_LENGTH:
        return command + b"\0"
    return command[: 5 + command[4]] if len(command) > 5 else command
