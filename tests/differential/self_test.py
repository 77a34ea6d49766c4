#!/usr/bin/env python3
"""The differential test's own test: it must see a planted difference, and see none where there is none."""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from comparison import in_order, same
from families import FAMILIES, Source, keep_far
from resp import parse, reply_end, request
from run import Pair
from servers import ORACLE, Link


def steps_of(family, seed, count):
    return list(FAMILIES[family][0](Source(random.Random(f"{family}:{seed}")), count))


def test_replies_are_cut_at_their_boundaries():
    replies = [b"+OK\r\n", b"-ERR x\r\n", b":1\r\n", b"$-1\r\n", b"$0\r\n\r\n", b"$3\r\n\r\nx\r\n", b"*0\r\n", b"*-1\r\n",
               b"*2\r\n*1\r\n:1\r\n$1\r\na\r\n"]
    for reply in replies:
        for size in range(len(reply)):
            assert reply_end(reply[:size], 0) == -1, reply[:size]
        assert reply_end(reply + b"+more", 0) == len(reply)
        parse(reply)


def test_a_request_is_an_array_of_bulk_strings():
    assert request((b"GET", b"")) == b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n"


def test_every_family_gives_the_same_steps_for_the_same_seed():
    for family in FAMILIES:
        assert steps_of(family, 1, 200) == steps_of(family, 1, 200)
        assert steps_of(family, 1, 200) != steps_of(family, 2, 200)


def test_near_times_are_moved_far_away():
    assert keep_far([b"SETEX", b"k", b"5", b"v"], False)[2] == b"100000000"
    assert keep_far([b"SET", b"k", b"v", b"px", b"1"], False)[4] == b"100000000"
    assert keep_far([b"SET", b"k", b"v", b"EX", b"-1"], False)[4] == b"-1"
    assert keep_far([b"GET", b"5"], False) == [b"GET", b"5"]


def test_times_and_orders_are_compared_by_their_rules():
    assert same((b"PTTL", b"k"), b":100000\r\n", b":100500\r\n")
    assert not same((b"PTTL", b"k"), b":-1\r\n", b":100500\r\n")
    assert not same((b"GET", b"k"), b"$1\r\na\r\n", b"$1\r\nb\r\n")
    assert same((b"KEYS", b"*"), b"*2\r\n+a\r\n+b\r\n", b"*2\r\n+b\r\n+a\r\n")
    assert not same((b"KEYS", b"*"), b"*1\r\n+a\r\n", b"*2\r\n+b\r\n+a\r\n")
    assert not same((b"RANDOMKEY",), b"$-1\r\n", b"$1\r\na\r\n")
    one, two = b"*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\na\r\n$1\r\nm\r\n", b"*4\r\n$8\r\npmessage\r\n$1\r\n?\r\n$1\r\na\r\n$1\r\nm\r\n"
    assert in_order([one, two]) == in_order([two, one])
    assert in_order([one, b":1\r\n", two]) != in_order([two, b":1\r\n", one])


def test_a_planted_difference_is_found_and_shrunk_to_one_step():
    pair = Pair(ORACLE, ORACLE)
    try:
        steps = steps_of("string", 1, 300)
        assert pair.run(steps, False) is None
        link = Link(pair.servers[0].port)
        link.exchange([(b"CONFIG", b"SET", b"maxmemory", b"1")])
        mismatch = pair.run(steps, False)
        assert mismatch is not None
        shortest, mismatch = pair.shrink(steps, False, mismatch)
        assert len(shortest) == 1 and mismatch.mine.startswith(b"-OOM"), shortest
    finally:
        assert pair.stop() == []


def test_a_server_that_dies_is_a_difference_and_is_started_again():
    pair = Pair(ORACLE, ORACLE)
    try:
        steps = steps_of("string", 1, 50)
        mismatch = pair.run([(0, (b"SHUTDOWN", b"NOSAVE"))] + steps, False)
        assert mismatch is not None and "closed" in mismatch.what, mismatch.what
        assert pair.run(steps, False) is None
    finally:
        assert pair.stop() == []


def main():
    passed = failed = 0
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            try:
                test()
                passed += 1
            except AssertionError as error:
                failed += 1
                print(f"failed: {name} (line {error.__traceback__.tb_next.tb_lineno}): {error}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
