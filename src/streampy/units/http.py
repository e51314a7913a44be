"""What an address on the web answers, asked again and again; needs the extra `streampy[http]`.

Knows nothing of what the answers mean.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from math import inf
from types import MappingProxyType
from typing import Any, Literal

import streampy as sp
from streampy.units.missing import needs

with needs("streampy[http]"):
    import httpx

_NONE: Mapping[str, str] = MappingProxyType({})


class HttpPoll(sp.Unit):
    """Ask an address every so many seconds, and give what it answers. It waits in the event loop: it takes no thread.

    An answer that takes longer than `every` delays the next question; questions are never asked at once to catch up.
    """

    def __init__(
        self,
        *,
        url: str,
        every: float = 1.0,
        gives: Literal["json", "text", "bytes"] = "json",
        headers: Mapping[str, str] = _NONE,
        params: Mapping[str, str] = _NONE,
        timeout: float = 5.0,
        retries: float = 3,
        limit: float = inf,
    ) -> None:
        """Choose the address.

        Args:
            url: http:// or https://; it is logged, so secrets belong into the headers.
            every: seconds from one question to the next.
            gives: what of the answer: its JSON, its text, or its bytes.
            headers: sent with each question.
            params: what stands behind the `?` of the address.
            timeout: seconds after which a question has failed.
            retries: failures in a row, each logged and followed by the next question in its time, after which one more
                stops the unit; `inf` for never.
            limit: answers after which the source ends.

        """
        self.url = url
        self.every = every
        self.gives = gives
        self.headers = headers
        self.params = params
        self.timeout = timeout
        self.retries = retries
        self.limit = limit

    async def work(self) -> AsyncIterator[Any]:
        """Give the answers.

        Raises:
            httpx.HTTPError: the address can't be reached or answers with an error, once more than `retries` allow.
            ValueError: the answer is no JSON; also after that.

        """
        worker = sp.worker()
        failures = answers = 0
        if self.limit < inf:
            worker.expect(int(self.limit))
        async with httpx.AsyncClient(headers=dict(self.headers), timeout=self.timeout) as client:
            while answers < self.limit:
                begin = worker.now()
                try:
                    answer = await self._ask(client)
                except (httpx.HTTPError, ValueError) as error:
                    failures += 1
                    if failures > self.retries:
                        raise
                    worker.logger.warning("%s failed %d times in a row: %s", self.url, failures, error)
                else:
                    failures = 0
                    answers += 1
                    yield answer
                if answers < self.limit:
                    await asyncio.sleep(max(0.0, begin + self.every - worker.now()))

    async def _ask(self, client: httpx.AsyncClient) -> Any:
        response = await client.get(self.url, params=dict(self.params) or None)
        response.raise_for_status()
        if self.gives == "json":
            return response.json()
        return response.text if self.gives == "text" else response.content
