"""CMPP 2.0 client (the SP side), written from the message tables by somebody who has not seen our gateway or codec.

It imports nothing of the package under test. The tables were read in implementations that carry the text of the
specification (China Mobile, April 2002), at least two for each: a C header with the tables in its comments,
yedamao/go_cmpp, 271313469/libgy and bigwhite/gocmpp, whose 2.x octet vectors of CONNECT, SUBMIT and DELIVER it meets.
No vectors were found of a status report, QUERY and CANCEL: their widths only are known.

Each message has a header: Total_Length 4 (header and body), Command_Id 4, Sequence_Id 4; numbers are unsigned and
big-endian, an Octet String is filled with binary zeros on the right. Octets of the gateway (ISMG) that do not fit their
table raise ValueError out of the call that waits and out of `deliveries()`, and stay in `failure`. Codes (Status,
Result, Success_Id) raise nothing.
"""

from __future__ import annotations

import asyncio
import re
import struct
from datetime import datetime, timedelta, timezone
from hashlib import md5
from itertools import count
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

CHINA = timezone(timedelta(hours=8))  # whose time stamps and Msg_Ids are in
Record = dict[str, Any]  # the fields of one message by name
CONNECT, TERMINATE, SUBMIT, DELIVER, QUERY, CANCEL, ACTIVE_TEST = 1, 2, 4, 5, 6, 7, 8
RESP, REPORT = 0x80000000, -1  # REPORT is no command: the Msg_Content of a status report
CODECS = {0: "ascii", 8: "utf-16-be", 15: "gb18030"}  # Msg_Fmt of text; 3 is SIM, 4 binary
MAX_LENGTH = 12 + 126 + 99 * 21 + 160  # the longest message of the tables: a SUBMIT to 99 users
# name and width; no letter: unsigned integer, s: ASCII string, b: octets, *n: as many as n says
TABLES = {
    CONNECT: "Source_Addr 6s, AuthenticatorSource 16b, Version 1, Timestamp 4",
    CONNECT | RESP: "Status 1, AuthenticatorISMG 16b, Version 1",
    SUBMIT: "Msg_Id 8, Pk_total 1, Pk_number 1, Registered_Delivery 1, Msg_level 1, Service_Id 10s,"
    "Fee_UserType 1, Fee_terminal_Id 21s, TP_pId 1, TP_udhi 1, Msg_Fmt 1, Msg_src 6s,"
    "FeeType 2s, FeeCode 6s, ValId_Time 17s, At_Time 17s, Src_Id 21s, DestUsr_tl 1,"
    "Dest_terminal_Id 21s*DestUsr_tl, Msg_Length 1, Msg_Content b*Msg_Length, Reserve 8b",
    SUBMIT | RESP: "Msg_Id 8, Result 1",
    DELIVER | RESP: "Msg_Id 8, Result 1",
    DELIVER: "Msg_Id 8, Dest_Id 21s, Service_Id 10s, TP_pid 1, TP_udhi 1, Msg_Fmt 1,"
    "Src_terminal_Id 21s, Registered_Delivery 1, Msg_Length 1, Msg_Content b*Msg_Length,"
    "Reserved 8b",
    REPORT: "Msg_Id 8,Stat 7s,Submit_time 10s,Done_time 10s,Dest_terminal_Id 21s,SMSC_sequence 4",
    QUERY: "Time 8s, Query_Type 1, Query_Code 10s, Reserve 8b",
    QUERY | RESP: "Time 8s, Query_Type 1, Query_Code 10s, MT_TLMsg 4, MT_Tlusr 4, MT_Scs 4,"
    "MT_WT 4, MT_FL 4, MO_Scs 4, MO_WT 4, MO_FL 4",
    CANCEL: "Msg_Id 8",
    CANCEL | RESP: "Success_Id 1",
    TERMINATE: "",
    TERMINATE | RESP: "",
    ACTIVE_TEST: "",
    ACTIVE_TEST | RESP: "Reserved 1",
}
FIELDS = {
    table: [
        (n, int(w or 0), kind, counter) for n, w, kind, counter in re.findall(r"(\w+) (\d*)([sb]?)(?:\*(\w+))?", line)
    ]
    for table, line in TABLES.items()
}


def encode(table: int, **values: Any) -> bytes:
    """The body of a message. What is not given is empty, and a counter counts; what is given is
    checked against its width only, so that a test may send nonsense."""
    if unknown := values.keys() - {name for name, *_ in FIELDS[table]}:
        raise ValueError(f"no such field: {sorted(unknown)}")
    counts = {c: len(values.get(name, "")) for name, _, _, c in FIELDS[table] if c}
    body = b""
    for name, width, kind, counter in FIELDS[table]:
        value = values.get(name, "" if kind else counts.get(name, 0))
        for item in value if width and counter else [value]:
            if not kind:
                octets = item.to_bytes(max(width, (item.bit_length() + 7) // 8), "big")
            else:
                octets = item.encode("ascii") if isinstance(item, str) else item
            if width and len(octets) > width:
                raise ValueError(f"{name} {item!r} is longer than {width} octets")
            body += octets.ljust(width, b"\0")
    return body


def decode(table: int, body: bytes) -> Record:
    """The fields of a body (not a SUBMIT); ValueError unless its octets are those of the table."""
    record: Record = {}
    for name, width, kind, counter in FIELDS[table]:
        size = record[counter] if counter else width
        item, body, missing = body[:size], body[size:], size - len(body)
        string, _, tail = item.partition(b"\0")
        if missing > 0 or (kind == "s" and tail.strip(b"\0")):
            raise ValueError(f"{name} in {table:#x}: {item!r} is short or has a zero inside")
        if kind == "b":
            record[name] = item
        else:  # UnicodeDecodeError is a ValueError
            record[name] = string.decode("ascii") if kind else int.from_bytes(item, "big")
    if body:
        raise ValueError(f"table {table:#x}: {len(body)} octets too many")
    return record


def decode_deliver(sequence: int, body: bytes) -> Record:
    """A CMPP_DELIVER with Sequence_Id, udh, payload (of the content) and report: None or Msg_Id 8,
    Stat 7, Submit_time 10, Done_time 10, Dest_terminal_Id 21, SMSC_sequence 4, in all 60 octets."""
    deliver = decode(DELIVER, body)
    content, registered = deliver["Msg_Content"], deliver["Registered_Delivery"]
    report = decode(REPORT, content) if registered else None
    for when in (report["Submit_time"], report["Done_time"]) if report else ():
        if len(when) != 10:
            raise ValueError(f"{when!r} is not YYMMDDHHMM")
        datetime.strptime(when, "%y%m%d%H%M").replace(tzinfo=CHINA)  # or a ValueError
    size = 1 + (content or b"\0")[0] if deliver["TP_udhi"] and not report else 0
    if size > len(content) or max(registered, deliver["TP_udhi"]) > 1:
        raise ValueError(f"Registered_Delivery, TP_udhi or User Data Header of {deliver}")
    return deliver | {"Sequence_Id": sequence, "udh": content[:size], "payload": content[size:], "report": report}


def msg_id_parts(msg_id: int, year: int) -> tuple[datetime, int, int]:
    """Time, gateway code and sequence of a Msg_Id: from the top month 4 bits, day 5, hour 5, minute
    6, second 6, gateway code 22, sequence 16. ValueError where the time is none."""
    mon, day, h, m, s = (msg_id >> low & mask for low, mask in ((60, 15), (55, 31), (50, 31), (44, 63), (38, 63)))
    return datetime(year, mon, day, h, m, s, tzinfo=CHINA), msg_id >> 16 & 0x3FFFFF, msg_id & 0xFFFF


def split(content: str | bytes, msg_fmt: int, reference: int = 0) -> list[bytes]:
    """Msg_Contents of at most 140 octets (Msg_Fmt 0: fewer than 160). If one is not enough, each
    has the User Data Header 05 00 03 reference total number; no character is cut in two."""
    units = [c.encode(CODECS[msg_fmt]) if isinstance(c, str) else bytes([c]) for c in content]
    limit, parts = 159 if msg_fmt == 0 else 140, [b""]
    if sum(map(len, units)) <= limit:
        return [b"".join(units)]
    for unit in units:
        if len(parts[-1]) + len(unit) > limit - 6:
            parts.append(b"")
        parts[-1] += unit
    return [bytes([5, 0, 3, reference, len(parts), n]) + part for n, part in enumerate(parts, 1)]


class CmppClient:
    """One TCP connection, opened and closed by `async with CmppClient(host, port) as client`.
    `answer(command, record)`: the Result of a DELIVER_RESP, the octet of an ACTIVE_TEST_RESP, any
    number for a TERMINATE_RESP, or None to send no response."""

    def __init__(
        self,
        host: str,
        port: int = 7890,
        *,
        timeout: float = 60.0,
        answer: Callable[[int, Record], int | None] = lambda _command, _record: 0,
    ) -> None:
        self.host, self.port, self.timeout, self.answer = host, port, timeout, answer
        self.source_addr, self._sequences = "", count(1)
        self.failure: ValueError | None = None
        self.received: list[tuple[int, int, bytes]] = []  # every Command_Id, Sequence_Id and body
        self._pending: dict[tuple[int, int], asyncio.Future[Record]] = {}
        self._inbox: asyncio.Queue[Record | None] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self.host, self.port)
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        """Read messages; answer DELIVER, ACTIVE_TEST and TERMINATE; match the responses."""
        try:
            while True:
                head = b""
                head = await self._reader.readexactly(12)
                length, command, sequence = struct.unpack(">3I", head)
                if not 12 <= length <= MAX_LENGTH or command not in TABLES:
                    raise ValueError(  # noqa: TRY301 - told below
                        f"Total_Length {length}, Command_Id {command:#010x}"
                    )
                frame = command, sequence, await self._reader.readexactly(length - 12)
                self.received.append(frame)
                if (future := self._pending.get(frame[:2])) and not future.done():
                    future.set_result(decode(command, frame[2]))
                elif command in (DELIVER, ACTIVE_TEST, TERMINATE):
                    await self._answer(*frame)
        except asyncio.IncompleteReadError as error:
            if head or error.partial:
                self.failure = ValueError("the stream ends within a message")
        except (ValueError, OSError) as error:
            self.failure = error if isinstance(error, ValueError) else None
        finally:
            for future in self._pending.values():
                if not future.done():
                    future.set_exception(self.failure or ConnectionResetError("closed by the ISMG"))
            self._inbox.put_nowait(None)
            self._writer.close()

    async def _answer(self, command: int, sequence: int, body: bytes) -> None:
        record = decode_deliver(sequence, body) if command == DELIVER else decode(command, body)
        if command == DELIVER:
            self._inbox.put_nowait(record)
        if (result := self.answer(command, record)) is not None:
            values = {name: record.get(name, result) for name, *_ in FIELDS[command | RESP]}
            await self.send(command | RESP, sequence, encode(command | RESP, **values))
            if command == TERMINATE:
                raise ConnectionResetError("terminated by the ISMG")

    async def send(self, command: int, sequence: int, body: bytes = b"") -> None:
        self._writer.write(struct.pack(">3I", 12 + len(body), command, sequence) + body)
        await self._writer.drain()

    async def request(self, command: int, body: bytes = b"", sequence: int | None = None) -> Record:
        """Send a request and wait for the response of the same Sequence_Id: TimeoutError if none
        comes, ConnectionError if the connection ends. A test retransmits by `sequence`."""
        if self._task.done():
            raise self.failure or ConnectionResetError("the connection is closed")
        key = command | RESP, next(self._sequences) & 0xFFFFFFFF if sequence is None else sequence
        future = self._pending[key] = asyncio.get_running_loop().create_future()
        try:
            await self.send(command, key[1], body)
            return await asyncio.wait_for(future, self.timeout)
        finally:
            self._pending.pop(key, None)

    async def connect(
        self,
        source_addr: str,
        secret: str,
        *,
        version: int = 0x20,
        timestamp: int | None = None,
        authenticator: bytes | None = None,
    ) -> Record:
        """CMPP_CONNECT: Source_Addr 6, AuthenticatorSource 16 = MD5(Source_Addr + 9 zero octets +
        secret + timestamp as 10 digits MMDDHHMMSS), Version 1, Timestamp 4. Response: Status 1 (0
        ok, 1 structure, 2 source address, 3 authentication, 4 version too high, 5~ other), Version
        1, AuthenticatorISMG 16 = MD5(Status + AuthenticatorSource + secret): if so, authentic."""
        self.source_addr = source_addr
        stamp = int(f"{datetime.now(CHINA):%m%d%H%M%S}") if timestamp is None else timestamp
        plain = source_addr + "\0" * 9 + f"{secret}{stamp:010}"
        source = authenticator or md5(plain.encode()).digest()  # noqa: S324 - CMPP has it
        response = await self.request(
            CONNECT,
            encode(CONNECT, Source_Addr=source_addr, AuthenticatorSource=source, Version=version, Timestamp=stamp),
        )
        expected = md5(bytes([response["Status"]]) + source + secret.encode()).digest()  # noqa: S324
        return response | {"authentic": response["AuthenticatorISMG"] == expected}

    async def submit(
        self, content: str | bytes, destinations: Sequence[str], *, msg_fmt: int = 8, reference: int = 0, **fields: Any
    ) -> list[Record]:
        """CMPP_SUBMIT, one for each part of a long message; names and widths of `fields` are in
        TABLES[SUBMIT]. Responses: Msg_Id 8, Result 1 (0 ok, 1 structure, 2 command, 3 sequence
        repeated, 4 length, 5 fee code, 6 too long, 7 service code, 8 flow control, 9~ other)."""
        parts, responses = split(content, msg_fmt, reference), []
        for number, part in enumerate(parts, 1):
            values = {
                "Registered_Delivery": 1,
                "Fee_UserType": 2,
                "FeeType": "01",
                "FeeCode": "000000",
                "Pk_total": len(parts),
                "Pk_number": number,
                "TP_udhi": int(len(parts) > 1),
                "Msg_Fmt": msg_fmt,
                "Msg_src": self.source_addr,
                "Msg_Content": part,
                "Dest_terminal_Id": destinations,
            } | fields
            responses.append(await self.request(SUBMIT, encode(SUBMIT, **values)))
        return responses

    async def deliveries(self) -> AsyncIterator[Record]:
        """What the ISMG delivers (see `decode_deliver`), reports too, until the stream ends."""
        while (deliver := await self._inbox.get()) is not None:
            yield deliver
        self._inbox.put_nowait(None)
        if self.failure:
            raise self.failure

    async def active_test(self) -> Record:
        """CMPP_ACTIVE_TEST: no body. Response: Reserved 1."""
        return await self.request(ACTIVE_TEST)

    async def query(self, day: str, service_id: str = "") -> Record:
        """CMPP_QUERY: Time 8 (YYYYMMDD), Query_Type 1, Query_Code 10, Reserve 8; 8 counts of 4."""
        return await self.request(
            QUERY, encode(QUERY, Time=day, Query_Type=int(bool(service_id)), Query_Code=service_id)
        )

    async def cancel(self, msg_id: int) -> Record:
        """CMPP_CANCEL: Msg_Id 8. Response: Success_Id 1 (0 done, 1 failed)."""
        return await self.request(CANCEL, encode(CANCEL, Msg_Id=msg_id))

    async def terminate(self, grace: float = 5.0) -> bool:
        """CMPP_TERMINATE, no bodies. True if the ISMG closes the connection within `grace`."""
        await self.request(TERMINATE)
        return bool((await asyncio.wait({self._task}, timeout=grace))[0])
