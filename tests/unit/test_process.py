"""What a fork and a test forget."""

import os

import pytest

from trialbook.base import process


def test_what_is_kept_begins_again() -> None:
    one, lasting = process.Kept("first"), process.Kept(1, lasting=True)
    one.value, lasting.value = "later", 2
    process.forget()
    assert (one.value, lasting.value) == ("first", 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_child_finds_locks_open_and_is_told() -> None:
    lock, told = process.Lock(), process.Kept("nobody")

    def in_child() -> None:
        told.value = "child"

    def in_parent() -> None:
        told.value = "parent"

    process.after_fork(in_child, in_parent)
    reading, writing = os.pipe()
    with lock:
        child = os.fork()
        if child == 0:
            with lock:
                os.write(writing, told.value.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        assert file.read() == "child"
    os.waitpid(child, 0)
    assert told.value == "parent"
