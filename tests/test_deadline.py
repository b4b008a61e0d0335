"""A deadline ends what takes too long, and nothing else."""

import asyncio

import pytest

from veloflux.kit.deadline import Deadline


async def test_what_takes_too_long_ends_in_a_timeout_and_the_task_goes_on() -> None:
    with pytest.raises(TimeoutError), Deadline(0.01):
        await asyncio.sleep(60)
    task = asyncio.current_task()
    assert task
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_what_is_done_in_time_is_not_touched_later() -> None:
    with Deadline(0.02):
        pass
    await asyncio.sleep(0.05)


async def test_an_error_of_its_own_and_a_cancellation_from_outside_go_on() -> None:
    with pytest.raises(KeyError), Deadline(60):
        raise KeyError

    async def slow() -> None:
        with Deadline(60):
            await asyncio.sleep(60)

    task = asyncio.ensure_future(slow())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
