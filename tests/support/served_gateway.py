"""A business gateway that is a process of its own, between an SMSC of real sockets and platforms that are not ours."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from business import ACCOUNTS, CODES, IMSI, provision
from served import serve
from smpp_centre import ACCOUNTS as AT_THE_SMSC
from smpp_centre import CARD
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from smpp_centre import Centre

GATEWAY_AT_THE_SMSC = next(iter(AT_THE_SMSC.items()))


@contextmanager
def gateway(folder: Path, centre: Centre, by: str = "SMPP", **more: Any) -> Iterator[int]:
    """Serve a gateway that is bound at the centre, and has a card; gives the port for platforms. `more` is settings."""
    cards = folder / "cards.yaml"
    cards.write_text(json.dumps({"subscribers": [provision(IMSI, CARD)]}))
    name, password = GATEWAY_AT_THE_SMSC
    settings: dict[str, Any] = {
        "settings": {"system_id": name, "password": password, "accounts": ACCOUNTS, "codes": CODES, **more},
        "peers": {"smsc": f"127.0.0.1:{centre.port}"},
        "listen": {"SMPP": "127.0.0.1:0", "CMPP": "127.0.0.1:0"},
        "store": f"sqlite:///{folder / 'gateway.db'}",
        "subscribers": str(cards),
    }
    with serve(folder, "sms_gateway", settings) as served:
        assert until(lambda: bool(centre.binds))
        yield served.where[by][1]
        assert served.faults() == ""
