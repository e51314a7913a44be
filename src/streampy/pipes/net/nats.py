"""Letters by way of NATS with JetStream, which stores them.

Knows nothing of what they say. Needs `nats-py` (`pip install "streampy[nats]"`). In JetStream there are two streams for
each process, both of letters that go when they were taken:

    STREAMPY_process_queues  streampy.process.queues.TO.FROM           one consumer for all OS processes of a segment
    STREAMPY_process_letters streampy.process.letters.TO.FROM.INSTANCE one consumer for each; they expire after an hour

A letter that is larger than the server takes (`max_payload`) lies in the same stream in pieces, and the letter itself
says which. Whoever wants other limits, or copies on several servers, makes the streams himself: what is there is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError as NotDone
from contextlib import suppress
from functools import partial
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, final
from urllib.parse import unquote, urlsplit

import nats
import nats.errors
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from streampy.pipes.net.broker import Account, Mailbox, Reader, plain
from streampy.pipes.net.errors import LinkError
from streampy.pipes.net.nats_said import TROUBLES, shown, told
from streampy.pipes.net.nats_storing import Storing
from streampy.pipes.net.nats_taking import AT_ONCE, OURS, Taking

if TYPE_CHECKING:
    from nats.aio.msg import Msg

_TEND: Final = 0.5
"""Seconds after which it looks at what waits for an answer of the server."""
_LATER: Final = 1.0
"""Seconds until streams are looked for again that could not be made."""
_ONE_TRY: Final = 4.0
"""Seconds in which a server must answer."""
_ONCE: Final[dict[str, Any]] = {"allow_reconnect": False, "max_reconnect_attempts": 1, "reconnect_time_wait": 0.1}
_FOR_EVER: Final[dict[str, Any]] = {"max_reconnect_attempts": -1, "reconnect_time_wait": 0.2}
_HOUR: Final = 3600.0
_GONE: Final = 600.0
"""Seconds without a word, after which nobody keeps letters for an OS process."""
_LAST: Final = 1.0
"""Seconds for the last words to the server."""
_PORT: Final = 4222


@final
class Nats:
    """See `Broker`. It has a thread of its own, with an event loop."""

    def __init__(self, account: Account, box: Mailbox, reader: Reader) -> None:
        self._account = account
        self._box = box
        self._reader = reader
        process, here, there = plain(box.process), plain(box.segment), plain(box.other)
        self._here, self._there = here, there
        root = f"streampy.{process}"
        queues, letters = (f"STREAMPY_{process}_{kind}" for kind in ("queues", "letters"))
        self._roots = {queues: f"{root}.queues", letters: f"{root}.letters"}
        """Of each stream how the subjects of its letters begin."""
        self._calls, self._called = f"{root}.calls.{there}.{here}", f"{root}.calls.{here}.{there}"
        self._nc = Client()
        self._js = self._nc.jetstream()
        self._storing = Storing(
            self._nc,
            box.instance,
            trouble=lambda text: self._trouble(f"does not store a letter: {text}; tried again"),
            missing=lambda: self._spawn(self._renew()),
            drained=reader.on_drained,
        )
        taking = partial(Taking, self._nc, trouble=reader.on_trouble, soon=self._soon)
        self._queued = taking(queues, f"{here}_of_{there}", box.window, reader.on_queued)
        self._told = taking(letters, f"{here}_{plain(box.instance)}_of_{there}", AT_ONCE, reader.on_told)
        self._filters = {
            self._queued: f"{root}.queues.{here}.{there}",
            self._told: f"{root}.letters.{here}.{there}.{plain(box.instance)}",
        }
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name=f"streampy nats of {box.segment}", daemon=True)
        self._said = "no answer"
        """The last error, in the library's words."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_given_up = self._is_closing = self._is_renewing = False

    def __repr__(self) -> str:
        return f"<Nats of {self._box.instance}: {self.waiting} letters wait>"

    @property
    def is_full(self) -> bool:
        """See `Broker`."""
        return self._storing.is_full

    @property
    def waiting(self) -> int:
        """See `Broker`."""
        return self._storing.waiting

    def open(self, until: float) -> None:
        """See `Broker`."""
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._open(until), self._loop).result()
        except BaseException:
            self._end()
            raise

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def give_up(self) -> None:
        """See `Broker`."""
        self._is_given_up = True

    async def _open(self, until: float) -> None:
        options = self._options()
        while True:
            try:
                async with asyncio.timeout(min(_ONE_TRY, max(0.1, until - monotonic()))):
                    probe = await nats.connect(**options, **_ONCE)
                    await probe.close()
                    await self._nc.connect(
                        **options,
                        **_FOR_EVER,
                        disconnected_cb=self._on_away,
                        reconnected_cb=self._on_back,
                    )
                    break
            except TROUBLES as error:
                if "authorization" in f"{error} {self._said}".lower():
                    raise LinkError(
                        f"the NATS server at {self._where} does not let this segment in ({shown(self._said)}): give it "
                        f"a user or a token, via: nats://USER:PASSWORD@HOST:PORT, or `token`"
                    ) from None
            if monotonic() >= until or self._is_given_up:
                raise LinkError(f"no NATS server answers at {self._where}: {shown(self._said)}")
            await asyncio.sleep(min(0.2, max(0.0, until - monotonic())))
        await self._begin()

    @property
    def _where(self) -> str:
        address = urlsplit(self._account.url)
        return f"{address.hostname}:{address.port or _PORT}"

    def _options(self) -> dict[str, Any]:
        address = urlsplit(self._account.url)
        options: dict[str, Any] = {
            "servers": [f"{'tls' if self._account.tls else 'nats'}://{address.netloc.rpartition('@')[2]}"],
            "name": f"streampy {self._box.process} {self._box.instance}",
            "error_cb": self._on_error,
            "connect_timeout": 2,
            "ping_interval": 2,
            "max_outstanding_pings": 2,
        }
        if address.password is not None:
            options |= {"user": unquote(address.username or ""), "password": unquote(address.password)}
        elif token := unquote(address.username or "") or self._account.token:
            options["token"] = token
        if (files := self._account.tls) is not None:
            options |= {"tls": files.dialling(), "tls_hostname": files.server_name or address.hostname}
        return options

    async def _begin(self) -> None:
        try:
            await self._js.account_info()
        except TROUBLES as error:
            raise LinkError(
                f"the NATS server at {self._where} has no JetStream for this segment ({told(error)}), and stores "
                "nothing without: start it with `nats-server -js -sd FOLDER`, or allow it for the account"
            ) from None
        try:
            await self._make_streams()
            await self._make_consumers()
            await self._storing.open()
            await self._nc.subscribe(self._called, cb=self._on_called)
            for taking in self._filters:
                await taking.open()
        except TROUBLES as error:
            raise LinkError(
                f"the NATS server at {self._where} does not give this segment a stream and a consumer: {told(error)}"
            ) from None
        self._spawn(self._storing.write())
        self._spawn(self._tend())

    async def _make_streams(self) -> None:
        for name, root in self._roots.items():
            is_queue = name == self._queued.stream
            with suppress(NotFoundError):
                await self._js.stream_info(name)
                continue
            config = StreamConfig(
                name=name,
                subjects=[f"{root}.>"],
                retention=RetentionPolicy.WORK_QUEUE,
                storage=StorageType.FILE,
                discard=DiscardPolicy.NEW,
                max_age=0 if is_queue else _HOUR,
            )
            await self._js.add_stream(config)

    async def _make_consumers(self) -> bool:
        """Returns whether that of this OS process was not there."""
        is_new = False
        for taking, subject in self._filters.items():
            with suppress(NotFoundError):
                await self._js.consumer_info(taking.stream, taking.consumer)
                continue
            is_new = is_new or taking is self._told
            config = ConsumerConfig(
                durable_name=taking.consumer,
                filter_subject=subject,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=OURS,
                max_ack_pending=-1,
                inactive_threshold=_GONE if taking is self._told else None,
            )
            await self._js.add_consumer(taking.stream, config)
        return is_new

    def queue(self, letter: bytes) -> None:
        """See `Broker`."""
        self._put(self._queued, f"{self._there}.{self._here}", letter, bool)

    def tell(self, instance: str, letter: bytes, then: Callable[[], object] = bool) -> None:
        """See `Broker`."""
        self._put(self._told, f"{self._there}.{self._here}.{plain(instance)}", letter, then)

    def _put(self, among: Taking, to: str, letter: bytes, then: Callable[[], object]) -> None:
        stored = self._storing.begin(letter, then)
        self._soon(lambda: self._storing.send(self._roots[among.stream], to, letter, stored))

    async def _tend(self) -> None:
        """Whatever goes by the clock."""
        while True:
            await asyncio.sleep(_TEND)
            if self._nc.is_connected:
                self._storing.again()
                for taking in self._filters:
                    await taking.tend()

    def call(self, letter: bytes) -> None:
        """See `Broker`."""
        self._soon(lambda: self._spawn(self._call(letter)))

    async def _call(self, letter: bytes) -> None:
        if self._nc.is_connected:
            with suppress(*TROUBLES):
                await self._nc.publish(self._calls, letter)

    async def _on_called(self, message: Msg) -> None:
        self._reader.on_called(message.data)

    async def _on_error(self, error: Exception) -> None:
        self._said = str(error) or type(error).__name__
        if "permissions violation" in str(error).lower():
            self._trouble(f"says: {shown(str(error))}")

    def _trouble(self, text: str) -> None:
        self._reader.on_trouble(f"the NATS server at {self._where} {text}")

    async def _on_away(self) -> None:
        if not self._is_closing:
            self._reader.on_away()

    async def _on_back(self) -> None:
        await self._renew()

    async def _renew(self) -> None:
        """The server is there again, or has lost what it had."""
        if self._is_renewing or self._is_closing or not self._nc.is_connected:
            return
        self._is_renewing = True
        try:
            await self._renew_now()
        finally:
            self._is_renewing = False

    async def _renew_now(self) -> None:
        try:
            await self._make_streams()
            forgot = await self._make_consumers()
        except TROUBLES as error:
            self._trouble(f"is not ready: {told(error)}; tried again")
            self._loop.call_later(_LATER, lambda: self._spawn(self._renew()))
            return
        self._storing.again(is_all=True)
        for taking in self._filters:
            await taking.again()
        self._reader.on_back(forgot=forgot)

    def retire(self) -> None:
        """See `Broker`."""
        self._queued.is_over = True

    def has_all(self, count: int) -> bool:
        """See `Broker`."""
        with suppress(*TROUBLES, RuntimeError, NotDone):
            asked = self._js.consumer_info(self._queued.stream, self._queued.consumer)
            known = asyncio.run_coroutine_threadsafe(asked, self._loop).result(2.0)
            return not known.num_pending and (known.num_ack_pending or 0) <= count
        return False

    def close(self, until: float) -> None:
        """See `Broker`."""
        if self._thread.ident is None or not self._thread.is_alive():
            return
        with suppress(Exception):
            asyncio.run_coroutine_threadsafe(self._close(until), self._loop).result()
        self._end()

    async def _close(self, until: float) -> None:
        await self._storing.flush(until)
        self._is_closing = True
        if self._nc.is_connected:
            with suppress(*TROUBLES):
                async with asyncio.timeout(_LAST):
                    for taking in self._filters:
                        await taking.close()
                    await self._js.delete_consumer(self._told.stream, self._told.consumer)
                    await self._nc.flush()
        with suppress(*TROUBLES):
            async with asyncio.timeout(_LAST):
                await self._nc.close()

    def _end(self) -> None:
        async def stop() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        with suppress(Exception):
            asyncio.run_coroutine_threadsafe(stop(), self._loop).result(5.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _soon(self, what: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # it is closed
            self._loop.call_soon_threadsafe(what)

    def _spawn(self, doing: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
