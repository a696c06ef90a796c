"""`init` and `doctor`: for those who begin."""

from __future__ import annotations

import importlib.util
import json
import platform
import shutil
import socket
import sys
from pathlib import Path

import typer

from simwarden import __version__
from simwarden.campaign.grid import check_names, write
from simwarden.cli import exits
from simwarden.errors import ConfigError, Place, SimwardenError

_FIRST = """\
# A first scenario. Run it with:  simwarden run {path}
# What a word means:              simwarden explain power_on
scenario: My card, bound to my meter, is refused in a phone
proves: [bind.hss.given]
twin: {twin}

cards:
  card: {{profile: meter, binding: {{by: hss, imei: meter.imei}}}}
devices:
  meter: {{type: module}}
  phone: {{type: handset}}

steps:
  - insert: {{card: card, into: phone}}
  - power_on: phone
  - expect:
      phone: {{attach: rejected, emm_cause: EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED}}
      decision: {{by: hss, control: bind.hss.given}}
"""
_TWIN = """\
# The same story with one fact changed: the card is in the terminal it is bound to, and is served.
scenario: My card, bound to my meter, is served in my meter

cards:
  card: {profile: meter, binding: {by: hss, imei: meter.imei}}
devices:
  meter: {type: module}
  phone: {type: handset}

steps:
  - insert: {card: card, into: meter}
  - power_on: meter
  - expect:
      meter: {attach: accepted}
"""


#: the schema that `init` writes beside a story, and the line by which editors find it
_SCHEMA = "simwarden.schema.json"
_EDITORS = f"# yaml-language-server: $schema={_SCHEMA}\n"


def write_first(path: str, *, force: bool, use: str = "", misuse: str = "") -> None:
    """Write a scenario, its twin, and the schema by which editors check both. Raises ConfigError if one is there."""
    first = Path(path)
    if not first.name:
        raise ConfigError(f"a file is expected, not {path!r}")
    twin = first.with_name(f"{first.stem}-twin{first.suffix}")
    for each in (first, twin):
        if each.exists() and not force:
            raise ConfigError("is there already", Place(str(each)), "--force writes over it")
    if misuse:
        from simwarden.cli.drafting import draft  # noqa: PLC0415 - only who asks for it pays for a run

        story, other = draft(misuse, use, twin.name)
    else:
        story, other = (_of(text, use) for text in (_FIRST.format(path=path, twin=twin.name), _TWIN))
    from simwarden.scenario.registry import Registry  # noqa: PLC0415
    from simwarden.scenario.schema import scenario_schema  # noqa: PLC0415

    schema = json.dumps(scenario_schema(Registry.installed()), indent=1, ensure_ascii=False)
    write(first, _EDITORS + story)
    write(twin, _EDITORS + other)
    write(first.with_name(_SCHEMA), f"{schema}\n")
    print(f"wrote {first} and its twin {twin}, and {_SCHEMA} for editors\nrun them: simwarden run {first} {twin}")


def _of(text: str, use: str) -> str:
    """Return a story with cards of another use. Raises ConfigError for one that the guideline does not have."""
    if not use:
        return text
    from simwarden.model.profile import uses  # noqa: PLC0415

    check_names([use], uses(), "use of cards")
    return text.replace("profile: meter", f"use: {use}")


_TOOLS = (
    ("tshark", "decodes captures on the command line"),
    ("wireshark", "shows captures"),
    ("chromium", "shows reports in tests of their pages"),
    ("pcscd", "with vsmartcard-vpcd: shows a served card to PC/SC programs (serve uicc --vpcd)"),
    ("freeDiameterd", "asks the HSS and the EIR in tests, as an MME that is not ours"),
    ("osmo-auc-gen", "is an authentication centre that is not ours, in tests"),
    ("docker", "runs elements as containers (docker/compose.yaml)"),
    ("mosquitto", "carries events over MQTT"),
)
_PACKAGES = (
    ("psycopg", "PostgreSQL as the store of served elements: pip install 'simwarden[postgres]'"),
)  # fmt: skip


def examine() -> None:
    """Print what is there; end with the code for a bad set-up if something needed is missing."""
    print(f"simwarden {__version__} on Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    fine = sys.version_info >= (3, 11)
    try:
        from simwarden.scenario.registry import Registry  # noqa: PLC0415

        print(f"ok       elements: {', '.join(Registry.installed().kinds)}")
    except SimwardenError as error:
        fine = False
        print(f"broken   elements: {error}")
    for name, enables in _TOOLS:
        print(_line(f"{name}: {enables}", there=_found(name)))
    for name, enables in _PACKAGES:
        print(_line(f"{name}: {enables}", there=importlib.util.find_spec(name) is not None))
    print(_sctp())
    print(_loopback())
    if not fine:
        raise typer.Exit(exits.USAGE)


def _line(what: str, *, there: bool) -> str:
    return f"{'ok' if there else 'missing':<7}  {what}"


def _found(name: str) -> bool:
    # Debian puts servers where the path of an ordinary user does not lead.
    return any(shutil.which(name, path=path) for path in (None, "/usr/local/sbin:/usr/sbin"))


def _sctp() -> str:
    from simwarden.runtime.transport.sctp import open_socket  # noqa: PLC0415 - only doctor pays for it

    enables = "--transport sctp, and real peers on S1-MME, M3UA and Diameter"
    try:
        sock = open_socket()
    except ConfigError:
        return _line(f"SCTP: {enables} (modprobe sctp, or apt install libusrsctp2)", there=False)
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    carried = sock.carried()
    sock.close()
    return _line(f"{carried}: {enables}", there=True)


def _loopback() -> str:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("127.9.9.1", 0))
            there = True
    except OSError:
        there = False
    return _line("all of 127.0.0.0/8: each element has an address of its own with --transport tcp", there=there)
