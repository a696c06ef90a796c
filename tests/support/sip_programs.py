"""Programs of others that speak SIP: the telephone baresip, steered by TCP, and kamailio as the border of a network."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from waiting import LONG, reserved_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BARESIP = shutil.which("baresip") or ""
KAMAILIO = shutil.which("kamailio") or shutil.which("kamailio", path="/usr/sbin") or ""
_CONFIG: Final = """\
module_path /usr/lib/baresip/modules
module account.so
module g711.so
module aubridge.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
audio_source aubridge,none
audio_player aubridge,none
"""
#: a proxy that stays in the way (Record-Route), and vouches for who calls from its own side (RFC 3325)
_BORDER: Final = """\
#!KAMAILIO
debug=0
log_stderror=yes
fork=no
disable_tcp=yes
listen=udp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
request_route {{
    if (is_method("CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if (has_totag()) {{
        if (loose_route() || (is_method("ACK") && t_check_trans())) t_relay();
        else if (!is_method("ACK")) sl_send_reply("404", "Not here");
        exit;
    }}
    record_route();
    if ($sp == {inside}) {{
        append_hf("P-Asserted-Identity: <$fu>\\r\\n");
        $du = "sip:127.0.0.1:{outside}";
    }} else {{
        $du = "sip:127.0.0.1:{inside}";
    }}
    t_relay();
}}
"""


class Baresip:
    """A telephone that runs."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def order(self, command: str, what: str = "") -> None:
        """Have it do something."""
        said = json.dumps({"command": command, "params": what}).encode()
        self._writer.write(b"%d:%s," % (len(said), said))

    async def event(self, *types: str) -> tuple[str, str]:
        """Wait until one of these happens; return which, and what it says of that."""
        while True:
            length = int((await self._reader.readuntil(b":"))[:-1])
            told: dict[str, Any] = json.loads(await self._reader.readexactly(length))
            await self._reader.readexactly(1)
            if told.get("type") in types:
                return told["type"], told.get("param", "")


@asynccontextmanager
async def baresip(folder: Path, number: str, port: int) -> AsyncIterator[Baresip]:
    """Have a telephone with a number, which answers calls by itself."""
    folder.mkdir()
    with reserved_port() as control:
        (folder / "config").write_text(_CONFIG.format(control=control, port=port))
        (folder / "accounts").write_text(f"<sip:{number}@127.0.0.1:{port}>;regint=0;answermode=auto\n")
        (folder / "contacts").touch()
        async with _running(BARESIP, "-f", str(folder), log=folder / "log"):
            reader, writer = await _reach(control)
            yield Baresip(reader, writer)
            writer.close()


async def _reach(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(LONG):
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def border(folder: Path, port: int, inside: int, outside: int) -> AsyncIterator[None]:
    """Have a proxy between a telephone `inside` and what is `outside`."""
    file = folder / "kamailio.cfg"
    file.write_text(_BORDER.format(port=port, inside=inside, outside=outside))
    async with _running(KAMAILIO, "-f", str(file), "-w", str(folder), "-Y", str(folder), log=folder / "kamailio.log"):
        yield


@asynccontextmanager
async def _running(*command: str, log: Path) -> AsyncIterator[None]:
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield
        assert process.returncode is None, log.read_text(errors="replace")[-2000:]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
