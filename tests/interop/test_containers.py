"""The commands of docker/compose.yaml without a container engine: containers' addresses become loopback ones."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml
from mosquitto import MOSQUITTO, Subscriber
from waiting import LONG, until

DOCKER = Path(__file__).parents[2] / "docker"
#: ports are those of the file, so each run of the tests on a machine has addresses of its own
NET = f"127.91.{os.getpid() % 254 + 1}"
HOSTS = {name: f"{NET}.{number}" for number, name in enumerate(("hss", "eir", "mme", "mosquitto", "sgw", "pgw"), 1)}
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
SIMWARDEN = [sys.executable, "-m", "simwarden"]


def moved_to_loopback(text: str, name: str, state: Path) -> str:
    """Put addresses and folders of this machine in place of those of the container `name`."""
    text = text.replace("0.0.0.0", HOSTS[name]).replace("/state/", f"{state}/")  # noqa: S104 - replaced, not bound
    for other, host in HOSTS.items():
        networks = COMPOSE["services"][other].get("networks")
        if networks is not None:
            text = text.replace(networks["default"]["ipv4_address"], host)
        text = text.replace(f'"{other}:', f'"{host}:').replace(f"//{other}:", f"//{host}:")
    return text


@contextmanager
def event_broker(folder: Path) -> Iterator[Subscriber]:
    """Run the command of the event broker, and subscribe to it."""
    command = COMPOSE["services"]["mosquitto"]["command"]
    assert command == ["mosquitto", "-c", "/etc/simwarden/mosquitto.conf"]
    config, data = folder / "mosquitto.conf", folder / "data"
    data.mkdir(mode=0o777)
    text = moved_to_loopback((DOCKER / "mosquitto.conf").read_text(encoding="utf-8"), "mosquitto", folder)
    config.write_text(text.replace("/mosquitto/data/", f"{data}/") + "user root\n")
    with subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL) as process:  # noqa: S603 - as above
        try:
            assert until(lambda: answers(HOSTS["mosquitto"], 1883))
            with Subscriber(1883, host=HOSTS["mosquitto"]) as subscriber:
                yield subscriber
        finally:
            process.terminate()


def answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


@contextmanager
def container(name: str, folder: Path) -> Iterator[None]:
    """Run the command of a service until it is ready, and stop it as an engine does."""
    command = COMPOSE["services"][name]["command"]
    assert command == ["serve", name, "--config", f"/etc/simwarden/{name}.yaml"]
    config = folder / f"{name}.yaml"
    config.write_text(moved_to_loopback((DOCKER / f"{name}.yaml").read_text(encoding="utf-8"), name, folder))
    env = os.environ | {"SIMWARDEN_OPERATOR_TOKEN": "secret"}
    arguments = [*SIMWARDEN, "serve", name, "--config", str(config)]
    with subprocess.Popen(arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert ready.startswith(f"ready {name}: "), process.stderr.read() if process.stderr else ""
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(LONG) == 0
        finally:
            process.kill()


@pytest.mark.interop
@pytest.mark.skipif(not MOSQUITTO, reason="mosquitto is not installed (apt install mosquitto)")
@pytest.mark.skipif(sys.platform != "linux", reason="needs all of 127.0.0.0/8")
def test_the_core_in_processes_of_its_own_refuses_the_moved_card(tmp_path: Path) -> None:
    demo = str(DOCKER.parent / "scenarios" / "demo" / "moved-card.yaml")
    exported = subprocess.run([*SIMWARDEN, "export", demo], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    (tmp_path / "subscribers.yaml").write_text(exported.stdout)
    network = (DOCKER / "network.yaml").read_text(encoding="utf-8")
    for name, host in HOSTS.items():
        network = network.replace(f'{name}: {{external: "127.0.0.1', f'{name}: {{external: "{host}')
    (tmp_path / "network.yaml").write_text(network)
    with ExitStack() as engine:
        subscriber = engine.enter_context(event_broker(tmp_path))
        for name in [each for each in COMPOSE["services"] if each != "mosquitto"]:
            engine.enter_context(container(name, tmp_path))
        command = [
            *SIMWARDEN,
            "run",
            demo,
            "--network",
            str(tmp_path / "network.yaml"),
            "--report",
            str(tmp_path / "r"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        wanted = "simwarden/hss/card/refused/001010000000001"
        assert until(lambda: wanted in subscriber.topics), subscriber.topics
    assert done.returncode == 1, done.stdout
    assert "inconclusive" in done.stdout
    events = (tmp_path / "r" / "events.jsonl").read_text(encoding="utf-8")
    assert '"observable":"emm_cause","value":"8 EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED"' in events
