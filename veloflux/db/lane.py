"""One connection to Redis, shared by every task of the process without a lock.

Calls made in one turn of the event loop leave in one write, a large one at once; answers are read as they come and
handed out in order. A call ends in exactly one of: its value, its own ResponseError, `NotSent` (repeat freely),
`Unknown` (it may have happened: repeat only what carries a commit or event id). redis-py opens the connection (TLS,
AUTH, unix sockets) and no more: its own retries would execute a call again whose answer was lost.
"""

import asyncio
import collections
from typing import Any, NamedTuple

import hiredis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import ResponseError

from veloflux.errors import NotSent, Unknown

IN_FLIGHT_MAX = 16_384
READ_BYTES = 65_536
LARGE_BYTES = 1_500
"""A call of this size leaves at once: the server works on it while the next one is prepared."""
# These hold a connection or change its state: they need one of their own.
OWN_CONNECTION = frozenset(
    {"BLPOP", "BRPOP", "BLMOVE", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "XREAD", "XREADGROUP", "SUBSCRIBE"}
    | {"PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "MULTI", "EXEC", "WATCH", "WAIT", "WAITAOF", "SELECT", "AUTH", "HELLO"}
)


class _Call(NamedTuple):
    """One command; `asking` is sent after ASKING, whose answer is dropped; `confirms` is the WAIT of a turn."""

    packed: bytes
    answer: "asyncio.Future[Any]"
    since: float
    asking: bool
    confirms: bool = False


class Lane:
    """`timeout` is the longest wait for an answer, in seconds; after it the connection is given up.

    With `replicas`, the answers of a turn are handed out when so many replicas have its writes; half the timeout later
    without them, its calls end in `Unknown`. (Redis commands, "WAIT".)
    """

    def __init__(self, pool: ConnectionPool, timeout: float, replicas: int = 0) -> None:
        self._pool = pool
        self._timeout = timeout
        self._replicas = replicas
        self._unconfirmed: list[tuple[asyncio.Future[Any], Any]] = []
        self._waiting: list[_Call] = []
        self._sent: collections.deque[_Call] = collections.deque()
        self._writer: asyncio.StreamWriter | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._closed = False

    def call(self, *args: Any, asking: bool = False) -> "asyncio.Future[Any]":
        """Send one command; strings come back as str (bytes that are no UTF-8 as surrogates).

        :raises NotSent, Unknown, ResponseError: from the future.
        """
        if args[0] in OWN_CONNECTION:
            raise ValueError(f"{args[0]} needs a connection of its own")
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        if len(self._sent) + len(self._waiting) >= IN_FLIGHT_MAX:
            answer.set_exception(NotSent("Too many calls wait for Redis; try again in a moment"))
            return answer
        call = _Call(hiredis.pack_command(args), answer, loop.time(), asking)
        self._waiting.append(call)
        if len(call.packed) >= LARGE_BYTES:
            self._flush()
        elif len(self._waiting) == 1:
            loop.call_soon(self._flush)
        return answer

    async def burst(self, packed: bytes, count: int) -> list[Any]:
        """Send many commands at once (see `packed`) on a connection of their own; answers, errors among them, in order.

        :raises NotSent: when they could not be asked or not all were answered: only for what changes nothing.
        """
        try:
            async with asyncio.timeout(self._timeout):
                connection = self._pool.make_connection()
                await connection.connect()
                reader, writer = _taken_over(connection)
                try:
                    writer.write(packed)
                    return await _answers(reader, count)
                finally:
                    writer.close()
        except Exception as error:  # whatever it is, the asker must hear of it
            raise NotSent(f"Redis cannot be asked: {_reason(error)}") from None

    async def close(self) -> None:
        """End the connection; calls still under way end in `Unknown`."""
        self._closed = True
        if self._connecting:  # to its end: a connection that is cancelled half-way may stay open
            await asyncio.wait([self._connecting])
        if self._writer:
            self._lose(self._writer, "closed")
        if self._watching:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    def _flush(self) -> None:
        if self._closed:
            self._refuse("Redis cannot be reached: the connection was closed")
            return
        if self._writer is None:
            if self._connecting is None:
                self._connecting = asyncio.ensure_future(self._connect())
            return
        waiting, self._waiting = self._waiting, []
        live = [call for call in waiting if not call.answer.cancelled()]
        if any(call.asking for call in live):
            live = [part for call in live for part in (_asking(call), call) if part]
        if live:
            if self._replicas:
                live.append(self._confirmation())
            self._sent.extend(live)
            self._writer.write(b"".join([call.packed for call in live]))

    async def _connect(self) -> None:
        try:
            connection = self._pool.make_connection()
            await asyncio.wait_for(connection.connect(), self._timeout)
        except Exception as error:  # whatever it is, those who wait must hear of it
            self._connecting = None
            self._refuse(f"Redis cannot be reached: {_reason(error)}")
            return
        _, writer = _taken_over(connection)
        writer.transport.set_protocol(_Answers(self, writer))
        # Else uvloop writes at the end of its turn, when all that is ready in it has run.
        writer.transport.set_write_buffer_limits(0)
        self._writer, self._connecting = writer, None
        self._watching = asyncio.ensure_future(self._watch(writer))
        if writer.transport.is_closing():  # it ended before we listened
            self._lose(writer, "the connection was closed")
        else:
            self._flush()

    def _refuse(self, why: str) -> None:
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            if not call.answer.done():
                call.answer.set_exception(NotSent(why))

    def _take(self, value: Any) -> None:
        """The answer to the oldest call under way. :raises IndexError: there is none."""
        call = self._sent.popleft()
        if call.confirms:
            self._confirm(value)
        elif self._replicas:
            self._unconfirmed.append((call.answer, value))
        else:
            _settle(call.answer, value)

    def _confirmation(self) -> _Call:
        wait = packed("WAIT", self._replicas, round(500 * self._timeout))
        return _Call(wait, _dropped(), asyncio.get_running_loop().time(), asking=False, confirms=True)

    def _confirm(self, replicas: Any) -> None:
        answered, self._unconfirmed = self._unconfirmed, []
        for answer, value in answered:
            if isinstance(replicas, int) and replicas >= self._replicas:
                _settle(answer, value)
            elif not answer.done():
                answer.set_exception(Unknown(f"Only {replicas} replicas of {self._replicas} confirmed; it may be lost"))

    async def _watch(self, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while self._writer is writer:
            await asyncio.sleep(self._timeout / 4)
            if self._sent and loop.time() - self._sent[0].since > self._timeout:
                self._lose(writer, "no answer in time")

    def _lose(self, writer: asyncio.StreamWriter, why: str) -> None:
        if self._writer is not writer:
            return
        self._writer = None
        writer.close()
        sent, self._sent = self._sent, collections.deque()
        unconfirmed, self._unconfirmed = self._unconfirmed, []
        for answer in (*(answer for answer, _ in unconfirmed), *(call.answer for call in sent)):
            if not answer.done():
                answer.set_exception(Unknown(f"Redis did not answer ({why}); it may have happened"))
        if self._waiting:
            self._flush()


class _Answers(asyncio.Protocol):
    """Hands out what comes on a lane's connection, as it comes: a stream and a task to read it would take the process
    longer than all the rest of a call."""

    def __init__(self, lane: Lane, writer: asyncio.StreamWriter) -> None:
        self._lane = lane
        self._writer = writer
        self._parser = _parser()

    def data_received(self, data: bytes) -> None:
        parser, take = self._parser, self._lane._take
        if self._lane._writer is not self._writer:  # given up; what it owes belongs to no call any more
            return
        try:
            parser.feed(data)
            while (value := parser.gets()) is not False:
                take(value)
        except (hiredis.HiredisError, IndexError) as error:
            self._lane._lose(self._writer, _reason(error))

    def connection_lost(self, error: Exception | None) -> None:
        self._lane._lose(self._writer, _reason(error) if error else "the connection was closed")


def _settle(answer: "asyncio.Future[Any]", value: Any) -> None:
    # A cancelled call's answer is dropped here; those behind it keep their order.
    if answer.done():
        return
    if isinstance(value, ResponseError):
        answer.set_exception(value)
    else:
        answer.set_result(value)


def _asking(call: _Call) -> _Call | None:
    """The command that makes the server answer the next one though the slot is still on its way there."""
    if not call.asking:
        return None
    return _Call(packed("ASKING"), _dropped(), call.since, False)


def _dropped() -> "asyncio.Future[Any]":
    """Of an answer that nobody waits for."""
    dropped = asyncio.get_running_loop().create_future()
    dropped.cancel()
    return dropped


def packed(*args: Any) -> bytes:
    """A command as it is sent."""
    return bytes(hiredis.pack_command(args))


async def _answers(reader: asyncio.StreamReader, count: int) -> list[Any]:
    parser = _parser()
    answers: list[Any] = []
    while len(answers) < count:
        data = await reader.read(READ_BYTES)
        if not data:
            raise ConnectionError("the connection was closed")
        parser.feed(data)
        while (value := parser.gets()) is not False:
            answers.append(value)
    return answers


def _parser() -> Any:
    return hiredis.Reader(replyError=ResponseError, encoding="utf-8", errors="surrogateescape")


def _taken_over(connection: AbstractConnection) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The streams of a connection that redis-py has opened, and from here on leaves alone."""
    reader, writer = connection._reader, connection._writer
    assert reader, "connected"
    assert writer, "connected"
    connection._reader = connection._writer = None
    return reader, writer


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
