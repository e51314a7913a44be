"""Takes from a source that may raise, or give nothing for too long: it is opened again as often as its policy says.

Knows nothing of items; sources without such a policy are taken from directly.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streampy.run.call import Call


class Reopened:
    """The values of a source. One that is given counts as a success: the tries begin anew."""

    def __init__(self, call: Call, opened: Callable[[], Iterator[Any]]) -> None:
        self._call = call
        self._open = opened
        self._values: Iterator[Any] | None = None
        self._attempts = iter(call.trouble.tries)
        self._is_trying = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        while True:
            try:
                with self._call.in_time(()):
                    if self._values is None:
                        self._values = self._open()
                    value = next(self._values)
            except StopIteration:
                raise
            except Exception as error:
                self.close()
                if not try_again(self._call, self._attempts, error):
                    raise StopIteration from error
                self._is_trying = True
                continue
            if self._is_trying:
                self._is_trying, self._attempts = False, iter(self._call.trouble.tries)
            return value

    def close(self) -> None:
        """Close what is open."""
        close = getattr(self._values, "close", None)
        self._values = None
        if close is not None:
            with suppress(Exception):  # it has raised already, and that is what is told
                close()


class ReopenedAsync:
    """As `Reopened`, for an `async def` source."""

    def __init__(self, call: Call, opened: Callable[[], AsyncIterator[Any]]) -> None:
        self._call = call
        self._open = opened
        self._values: AsyncIterator[Any] | None = None
        self._attempts = iter(call.trouble.tries)
        self._is_trying = False

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        while True:
            try:
                async with self._limit():
                    if self._values is None:
                        self._values = self._open()
                    value = await anext(self._values)
            except StopAsyncIteration:
                raise
            except Exception as error:
                await self.aclose()
                attempt = next(self._attempts, None)
                if attempt is None:
                    self._call.trouble.give_up_source(error)
                    raise StopAsyncIteration from error
                self._call.meter.retried += 1
                await asyncio.sleep(self._call.trouble.backoff(attempt))
                self._is_trying = True
                continue
            if self._is_trying:
                self._is_trying, self._attempts = False, iter(self._call.trouble.tries)
            return value

    def _limit(self) -> Any:
        return asyncio.timeout(self._call.plan.spec.timeout) if self._call.has_limit else nullcontext()

    async def aclose(self) -> None:
        """Close what is open."""
        close = getattr(self._values, "aclose", None)
        self._values = None
        if close is not None:
            with suppress(Exception):
                await close()


def try_again(call: Call, attempts: Iterator[int], error: Exception) -> bool:
    """Wait before the next try; False where there is none, and the source is to end. Raises UnitFailed."""
    attempt = next(attempts, None)
    if attempt is None:
        call.trouble.give_up_source(error)
        return False
    call.pause(attempt)
    return True
