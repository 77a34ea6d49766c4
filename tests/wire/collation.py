#!/usr/bin/env python3
"""The order of texts by a human language: SORT ... ALPHA as Redis 7.0.15 has it with the same locale, which is made here.

    collation.py --server build/server/vedette-server [--only WORD]
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import servers  # noqa: E402
from runner import Skipped, check, main  # noqa: E402
from servers import Link, ORACLE, Server  # noqa: E402

LOCALE = "en_US.utf8"
WORDS = ["Zebra", "apple", "\u00e9clair", "zebra", "Apple", "\u00c9cole", "banana", "a-b", "ab", "a b", "", "10", "9", "x" * 3000]


def make_locale(folder):
    """Puts the locale into the folder, and the folder into the environment."""
    made = subprocess.run(["localedef", "-i", "en_US", "-f", "UTF-8", "--no-archive", os.path.join(folder, LOCALE)], capture_output=True, text=True)
    if not os.path.exists(os.path.join(folder, LOCALE, "LC_COLLATE")):
        raise Skipped(f"no locale can be made: {made.stderr.splitlines()[:1]}")
    os.environ["LOCPATH"] = folder


def orders(link):
    """What SORT makes of the words, in several ways."""
    link.exchange([(b"DEL", b"list", b"stored"), (b"RPUSH", b"list", *[word.encode() for word in WORDS])])
    link.exchange([(b"SET", b"weight_" + word.encode(), word.swapcase().encode()) for word in WORDS])
    return link.exchange([(b"SORT", b"list", b"ALPHA"), (b"SORT", b"list", b"ALPHA", b"DESC", b"LIMIT", b"2", b"5"),
                          (b"SORT", b"list", b"ALPHA", b"BY", b"weight_*"), (b"SORT", b"list", b"ALPHA", b"STORE", b"stored"),
                          (b"LRANGE", b"stored", b"0", b"-1")])


def sort_follows_the_locale(folder):
    make_locale(folder)
    os.environ["LC_ALL"] = "C"
    bytewise = orders(Link(Server("vedette", servers.VEDETTE).port))
    check(bytewise == orders(Link(Server("redis", ORACLE).port)), "the order of bytes is another than Redis'")
    by_option = Server("vedette", servers.VEDETTE, more=["--locale-collate", LOCALE])
    os.environ["LC_ALL"] = LOCALE
    expected = orders(Link(Server("redis", ORACLE).port))
    check(expected[0] != bytewise[0] and expected[3:] == bytewise[3:], "this locale orders as bytes are ordered")
    check(orders(Link(by_option.port)) == expected, "locale-collate does not order as Redis does with that locale")
    by_environment = Server("vedette", servers.VEDETTE)
    check(orders(Link(by_environment.port)) == expected, "the environment's locale does not count")
    check(Link(by_environment.port).exchange([(b"CONFIG", b"SET", b"locale-collate", b"C")]) == [b"+OK\r\n"], "CONFIG SET")
    check(orders(Link(by_environment.port)) == bytewise, "a changed locale does not count")


CASES = [sort_follows_the_locale]


if __name__ == "__main__":
    sys.exit(main(CASES))
