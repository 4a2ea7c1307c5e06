"""A server that is used does not end; one that is not, and runs nothing, does."""

import asyncio

from trialbook.server.rpc.activity import Activity


def test_T44_an_open_page_is_use_until_it_is_closed() -> None:
    now = [0.0]
    closed = asyncio.Event()

    async def stream(*_: object) -> None:
        await closed.wait()

    async def scene() -> None:
        activity = Activity(stream, clock=lambda: now[0])  # type: ignore[arg-type]
        now[0] = 50.0
        assert activity.idle_seconds() == 50.0
        listening = asyncio.create_task(activity({}, None, None))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        now[0] = 1000.0
        assert activity.idle_seconds() == 0.0
        closed.set()
        await listening
        now[0] = 1007.0
        assert activity.idle_seconds() == 7.0

    asyncio.run(scene())
