"""A real broker and a real subscriber: mosquitto in a process of its own, and paho-mqtt.

Both begin with their `with` block and are gone after it, also when a test fails inside.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from waiting import LONG, reserved_port, until

if TYPE_CHECKING:
    from pathlib import Path

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin") or ""


class Mosquitto:
    """A mosquitto that can be killed and started again on the same port; `persistent` ones keep what they have."""

    def __init__(self, folder: Path, *lines: str, persistent: bool = False, listener: str = "") -> None:
        self._log, self._config = folder / "mosquitto.log", folder / "mosquitto.conf"
        limits = ["max_queued_messages 0", "max_inflight_messages 0"]  # else bursts are dropped in silence
        keeping = [f"persistence {str(persistent).lower()}", f"persistence_location {folder}/"]
        if persistent:
            keeping += ["autosave_on_changes true", "autosave_interval 1"]
        self._lines = [listener or "listener PORT 127.0.0.1", *limits, *keeping]
        self._lines += ["log_dest stderr", "user root", *(lines or ["allow_anonymous true"])]
        self._held = ExitStack()
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.port = stack.enter_context(reserved_port())
            self._config.write_text("\n".join(self._lines).replace("PORT", str(self.port)) + "\n")
            stack.callback(self.kill)
            self.start()
            self._held = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)], stderr=log, stdout=log)  # noqa: S603
        assert until(self._listens), self._log.read_text()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """Kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """Stop as an operator does: what is to be kept is written."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()


class Subscriber:
    """A system of the operator's, with a session that the broker keeps while it is away."""

    def __init__(self, port: int, topic: str = "simwarden/#", *, host: str = "127.0.0.1") -> None:
        self.events: list[dict[str, Any]] = []
        self.topics: list[str] = []
        self._where = host, port
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="ops", clean_session=False)
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        self._client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._take

    def _take(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        self.topics.append(message.topic)
        self.events.append(json.loads(message.payload))

    def __enter__(self) -> Self:
        self._client.connect(*self._where)
        self._client.loop_start()
        try:
            assert self._ready.wait(LONG)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        sock = self._client.socket()
        if sock is not None:  # the loop did not get to close it
            sock.close()

    def numbers(self) -> list[int]:
        """The events' numbers as they came, those that came again left out."""
        return list(dict.fromkeys(int(each["sequence"]) for each in list(self.events)))
