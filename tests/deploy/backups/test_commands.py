"""What a restore does beside the database: what Redis holds was true of another past."""

import pytest
from redis import Redis

from deploy.backups.commands import _empty_caches
from deploy.backups.errors import BackupError


@pytest.mark.stack
def test_a_redis_of_ones_own_is_emptied(valkey_url):
    own = f"{valkey_url}{'&' if '?' in valkey_url else '?'}db=15"  # Others work in the first.
    with Redis.from_url(own) as redis:
        redis.set("cached", "of another past")

        _empty_caches(own)

        assert redis.dbsize() == 0


def test_one_that_cannot_be_emptied_is_told_with_what_to_do():
    with pytest.raises(BackupError, match="run FLUSHDB there before you start anything"):
        _empty_caches("redis://127.0.0.1:9/0")


def test_that_of_the_stack_begins_empty_by_itself():
    _empty_caches("")
