"""One segment as an OS process of its own, that tells in lines of JSON what happens. See `Program`.

Told by its only argument; SIGTERM drains it.
"""

from __future__ import annotations

import json
import logging
import signal
import socket
import sys
from threading import Thread
from traceback import format_exception
from typing import Any

from tests.run.segments import graphs

import streampy as sp


def tell(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        tell(log=record.getMessage())


def main() -> None:
    told = json.loads(sys.argv[1])
    logging.getLogger("streampy").addHandler(Lines())
    process = getattr(graphs, told["graph"])(**told["options"])
    listen = socket.socket(fileno=told["fd"]) if "fd" in told else told.get("listen", "")
    end: dict[str, Any] = {}
    try:
        with sp.run(
            process,
            segment=told["segment"],
            listen=listen,
            dial=told.get("dial", {}),
            expect=told.get("expect", {}),
            start_within=told.get("start_within", 20.0),
        ) as running:
            signal.signal(signal.SIGTERM, lambda *_: Thread(target=running.drain, daemon=True).start())
            tell(up=True)
            for name in running._segment.outputs:
                for value in running.stream(name):
                    tell(out=value)
            running.wait()
    except BaseException as error:
        end["error"] = "".join(format_exception(error))
    else:
        ledger = running.stats().ledger
        end["ledger"] = {
            name: getattr(ledger, name)
            for name in (
                "born",
                "split",
                "joined",
                "delivered",
                "filtered",
                "dropped",
                "failed",
                "expired",
                "in_flight",
            )
        }
        end["balanced"] = ledger.balanced
    tell(end=end)


if __name__ == "__main__":
    main()
