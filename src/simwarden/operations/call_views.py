"""Names of the views in which elements report calls that they share (`Element.views`)."""

from __future__ import annotations

from typing import Final

#: calls at terminals: the terminal of each, by MSC and terminal
TERMINAL_CALLS: Final = "calls at terminals"
#: dialogues about calls: the card of each, by gsmSSF and gsmSCF
CAP_DIALOGUES: Final = "CAP dialogues"
#: prefix of the view of calls on a trunk; the element at the far end follows
TRUNK_CALLS: Final = "trunk calls "
