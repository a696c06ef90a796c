"""The process of a served element: it starts, provisions, says that it is ready, and ends when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
from functools import partial
from typing import TYPE_CHECKING

from simwarden.cli.interrupts import is_by_nohup
from simwarden.cli.options import Level, LogForm
from simwarden.cli.serving import Service, address_in
from simwarden.cli.serving_events import BROKER
from simwarden.cli.serving_log import Log
from simwarden.cli.serving_provision import provision
from simwarden.errors import ConfigError, ManagementError, SimwardenError
from simwarden.model.interfaces import INTERFACES
from simwarden.runtime.clock import Clock, time_zone
from simwarden.runtime.host import Host
from simwarden.runtime.loop import TestbedLoop
from simwarden.runtime.store import StoreError
from simwarden.trace.trace import Trace
from simwarden.wire.mqtt.family import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import FileIO


def _take_all_descriptors() -> None:
    """Allow as many sockets as the system lets us have: peers that connect and say nothing must not use them up."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    with contextlib.suppress(OSError, ValueError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def serve_element(
    name: str, path: str, *, vpcd: bool = False, form: LogForm = LogForm.CONSOLE, level: Level = Level.INFO
) -> None:
    """Serve until told to stop; `vpcd`: a card, in the virtual reader of PC/SC. `form` and `level` are of the log."""
    service = Service(name, path, vpcd=vpcd)
    _take_all_descriptors()
    loop = TestbedLoop(virtual=False)
    try:
        with (
            service.added_to("records") as records,
            service.added_to("cdrs") as cdrs,
            _hearing_signals(loop) as stop,
        ):
            log = partial(Log, form=form, level=level)
            loop.run_until_complete(_serve(service, loop, log, stop, (records, cdrs)))
    finally:
        loop.close()


@contextlib.contextmanager
def _hearing_signals(loop: TestbedLoop) -> Iterator[asyncio.Event]:
    """Yield what the first signal sets, to end the element with its goodbyes; the second ends the process at once."""
    stop = asyncio.Event()
    numbers = [each for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) if not is_by_nohup(each)]

    def hear(_number: int, _frame: object) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_DFL)
        loop.call_soon_threadsafe(stop.set)

    former = {number: signal.signal(number, hear) for number in numbers}  # a loop that hangs hears none by asyncio
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


async def _serve(
    service: Service,
    loop: TestbedLoop,
    log_by: Callable[[Clock], Log],
    stop: asyncio.Event,
    kept: tuple[FileIO | None, FileIO | None],
) -> None:
    clock = Clock(loop)
    clock.zone = time_zone(service.file.utc_offset)
    log = log_by(clock)
    trace = Trace(clock.now, keep=False)
    trace.add_sink(log)
    _keep_records(trace, *kept, log, clock)
    host = Host(loop, clock, trace, service.settings)
    host.watch_loop()
    element = host.add(service.name, service.kind, service.config)
    if service.events is not None and service.events.kind is not None:
        host.add(BROKER, service.events.kind, service.events.kind.declaration.config())
    server = None
    try:
        if service.file.subscribers:
            host.transport.wiring.hold()
        await host.start_all()
        if service.file.subscribers:
            await provision(host, element, service.subscribers(), stop)
        url = ""
        if service.management is not None:
            from simwarden.operations.http import ManagementServer  # noqa: PLC0415 - only who manages pays for it

            server = ManagementServer(element, service.tokens, *service.management)
            url = await server.start()
            loop.add_signal_handler(signal.SIGHUP, _read_tokens, service, log)
        print(_ready(service, host, url), flush=True)
        await stop.wait()
    except ConfigError as error:
        raise ConfigError(error.reason, error.place or service.place_of(error), error.hint) from error
    except (ManagementError, StoreError, OSError) as error:
        raise ConfigError(f"{service.name} cannot serve: {_reason(error)}", service.place_of(error)) from error
    finally:
        if server is not None:
            await server.stop()
        await host.close()
    print(f"stopped {service.name}", flush=True)


def _read_tokens(service: Service, log: Log) -> None:
    """Take the tokens of the file as it is now; if it is wrong, those that were read last stay."""
    try:
        service.tokens.take(Service(service.name, service.path).tokens)
    except SimwardenError as error:
        log.say(Level.ERROR, f"the tokens stay as they are: {error}")
    else:
        log.say(Level.INFO, "the tokens were read again")


def _reason(error: Exception) -> str:
    """Say what is wrong in a line: of an address in the system's words alone, which asyncio's repeat."""
    if not isinstance(error, OSError) or error.errno is None:
        return str(error)
    address = address_in(error)
    return f"{address}: {os.strerror(error.errno)}" if address else str(error)


def _keep_records(trace: Trace, records: FileIO | None, cdrs: FileIO | None, log: Log, clock: Clock) -> None:
    if records is cdrs is None:
        return
    from simwarden.trace.records import Cdrs, Records  # noqa: PLC0415 - only who keeps them pays for it

    if records is not None:
        trace.add_sink(Records(lambda line: _write(records, log, "record", line.encode()), clock.wall))
    if cdrs is not None:
        trace.add_sink(Cdrs(partial(_write, cdrs, log, "CDR")))


def _write(stream: FileIO, log: Log, what: str, octets: bytes) -> None:
    try:
        _add(stream, octets)
    except OSError as error:  # a full disk: the element serves on, and what is lost is in the log
        lost = octets.decode().rstrip() if what == "record" else octets.hex()
        log.say(Level.ERROR, f"a {what} is not written ({error.strerror}): {lost}")


def _add(stream: FileIO, octets: bytes) -> None:
    """Add a record as a whole; of one for which there is no room nothing stays, or the next could not be read."""
    written = stream.write(octets)
    if written != len(octets):
        os.ftruncate(stream.fileno(), os.fstat(stream.fileno()).st_size - (written or 0))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _ready(service: Service, host: Host, url: str) -> str:
    """Say where the element listens: what was asked for, and the port that the system chose where that was 0.

    A reference point that its settings leave out is not there, and one at the address of another goes without saying.
    """
    parts = []
    for interface, asked in service.settings.placements[service.name].listen.items():
        try:
            there = host.transport.address_of(service.name, interface)
        except ConnectionError:
            continue
        address = there if asked[1] == 0 else asked
        carried = host.transport.carried(service.name, INTERFACES[interface])
        parts.append(f"{interface} {address[0]}:{address[1]}{f' ({carried})' if carried else ''}")
    if BROKER in host.elements and service.events is not None:
        address = host.transport.address_of(BROKER, EVENTS)
        parts.append(f"events mqtt://{address[0]}:{address[1]}")
    return f"ready {service.name}: {', '.join([*parts, *([f'management {url}'] if url else [])]) or 'no sockets'}"
