"""Whether what runs is being ended."""

import asyncio


def is_ending() -> bool:
    """Say whether the present task was cancelled.

    A driver that is just connecting turns a cancellation into an error of its own, so whoever goes
    on after any error looks here first.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
