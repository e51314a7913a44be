"""The ways of a batch through a worker by which what is traced is noted down.

Knows nothing of spans. What is not traced takes the ways that all take where nothing is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from streampy.model.headers import Headers
from streampy.model.item import NO_META, Batch, Header
from streampy.run.runners import BatchRunner
from streampy.run.trace.context import marked

if TYPE_CHECKING:
    from streampy.run.call import Onward
    from streampy.run.runners import Runner
    from streampy.run.trace.hops import Hops


@final
class Stamping:
    """Before the end of a chain: what is traced leaves with the span that sends it. See `Onward`."""

    def __init__(self, end: Onward, hops: Hops) -> None:
        self._end = end
        self._hops = hops

    def put(self, port: str, batch: Batch[Any]) -> None:
        """See `Onward.put`."""
        self._end.put(port, self._hops.stamped(batch))

    def put_one(self, port: str, header: Header, value: Any) -> None:
        """See `Onward.put_one`."""
        stamped = self._hops.stamp(header)
        if self._hops.is_amid_others:  # it stays a batch, or a pipe would take all that wait in it apart
            self._end.put(port, Batch([value], Headers.of((stamped,))))
        else:
            self._end.put_one(port, stamped, value)


@final
class Between:
    """The way from one runner of a chain to the next. See `Onward`."""

    def __init__(self, hops: Hops, runner: Runner) -> None:
        self._runner = runner
        self._hops = hops

    def put(self, port: str, batch: Batch[Any]) -> None:
        """See `Onward.put`."""
        del port
        if isinstance(self._runner, BatchRunner):
            with self._hops.turned_to(batch.headers):
                self._runner.run(batch)
            return
        for header, value in zip(batch.headers, batch, strict=True):
            self.put_one("", header, value)

    def put_one(self, port: str, header: Header, value: Any) -> None:
        """See `Onward.put_one`."""
        del port
        with self._hops.turned_to((header,)):
            self._runner.run_one(header, value)


@final
class Noting:
    """Two ways to call the same units: as ever, and so that all is noted down, for what is traced. See `Runner`."""

    onward: Onward

    def __init__(self, plain: Runner, noted: Runner, hops: Hops, *, takes_batches: bool) -> None:
        """takes_batches: whether the first unit is called with whole batches, which are not to be taken apart."""
        self.plain = plain
        self._run = plain.run
        self._noted = noted
        self._hops = hops
        self._open = hops.open
        self._takes_batches = takes_batches

    @property
    def appetite(self) -> float:
        """See `Runner.appetite`."""
        return self.plain.appetite

    def run(self, batch: Batch[Any]) -> None:
        """See `Runner.run`."""
        if not self._open:
            self._run(batch)
        elif self._takes_batches:
            with self._hops.listening(batch.headers):
                self._noted.run(batch)
        else:
            self._run_apart(batch)

    def _run_apart(self, batch: Batch[Any]) -> None:
        """Those that are traced by themselves, at their turn."""
        start = 0
        for at, header in enumerate(batch.headers):
            if self._hops.is_open(header):
                self._run_plain(batch, start, at)
                with self._hops.listening((header,)):
                    self._noted.run_one(header, batch[at])
                start = at + 1
        self._run_plain(batch, start, len(batch))

    def _run_plain(self, batch: Batch[Any], start: int, stop: int) -> None:
        if start < stop:
            self.plain.run(Batch(batch[start:stop], batch.headers[start:stop]))

    def run_one(self, header: Header, value: Any) -> None:
        """See `Runner.run_one`."""
        if self._open and self._hops.is_open(header):
            with self._hops.listening((header,)):
                self._noted.run_one(header, value)
        else:
            self.plain.run_one(header, value)


@final
class Behind:
    """The way from a source to the units that are fused with it. See `Onward`."""

    def __init__(self, runner: Noting, hops: Hops) -> None:
        self._runner = runner
        self._plain_run_one = runner.plain.run_one
        self._hops = hops

    def put(self, port: str, batch: Batch[Any]) -> None:
        """See `Onward.put`."""
        del port
        if self._hops.looks_at_all or marked(batch.headers):
            with self._hops.on_the_way(batch.headers):
                self._runner.run(batch)
        else:
            self._runner.run(batch)

    def put_one(self, port: str, header: Header, value: Any) -> None:
        """See `Onward.put_one`."""
        if header[5] is NO_META:
            self._plain_run_one(header, value)
        else:
            self.note_one(port, header, value)

    def note_one(self, port: str, header: Header, value: Any) -> None:
        """As `put_one`, for what may be told of."""
        del port
        with self._hops.on_the_way((header,)):
            self._runner.run_one(header, value)


@final
class BehindSlow:
    """As `Behind`, where any item may turn out to be slow."""

    def __init__(self, runner: Noting, hops: Hops) -> None:
        behind = Behind(runner, hops)
        self.put, self.put_one = behind.put, behind.note_one


@final
class Sending:
    """Before the line to another OS process: what is traced travels with the time when it left. See `Runner`."""

    onward: Onward

    def __init__(self, errand: Runner, hops: Hops) -> None:
        self._errand = errand
        self._hops = hops

    @property
    def appetite(self) -> float:
        """See `Runner.appetite`."""
        return self._errand.appetite

    def run(self, batch: Batch[Any]) -> None:
        """See `Runner.run`."""
        self._errand.run(self._hops.stamped(batch))

    def run_one(self, header: Header, value: Any) -> None:
        """See `Runner.run_one`."""
        self._errand.run_one(self._hops.stamp(header), value)
