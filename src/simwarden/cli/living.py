"""`live`: the page is served, and opened where there is a browser."""

from __future__ import annotations

import os
import sys
import webbrowser

from simwarden.web.server import serve


def serve_live(host: str, port: int, *, to_open: bool) -> None:
    """Serve the live page until Ctrl-C. Raises ConfigError."""

    def told(address: str, token: str) -> None:
        print(f"simwarden live: {address} (Ctrl-C ends it)", flush=True)
        if token:
            print(f"it asks for this token: {token}", flush=True)
        if to_open and not (_has_screen() and webbrowser.open(address)):
            print("no browser is here: open the address in one", flush=True)

    serve(host, port, told)


def _has_screen() -> bool:
    """Whether a browser would have a window: one of the terminal alone shows no page."""
    return sys.platform != "linux" or any(os.environ.get(each) for each in ("DISPLAY", "WAYLAND_DISPLAY"))
