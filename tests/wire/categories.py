#!/usr/bin/env python3
"""The categories of commands: each holds, of the commands that both know, what it holds in Redis 7.0.15.

    categories.py --server build/server/vedette-server [--only WORD]
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from resp import parse, plain  # noqa: E402
from runner import check, main  # noqa: E402
from servers import Link, ORACLE, Server  # noqa: E402

VEDETTE = None
LATER = {b"blocking": {b"wait"}}  # what 7.2 has changed


def ask(link, *words):
    return plain(parse(link.exchange([words])[0]))


def categories_hold_the_same_commands(_folder):
    ours, theirs = Link(Server("vedette", VEDETTE).port), Link(Server("redis", ORACLE).port)
    names = set(ask(theirs, b"ACL", b"CAT"))
    check(names == set(ask(ours, b"ACL", b"CAT")), "the categories are others")
    content = {link: {name: set(ask(link, b"ACL", b"CAT", name)) for name in names} for link in (ours, theirs)}
    both = set.intersection(*(set.union(*of.values()) for of in content.values()))
    check(len(both) > 300, f"only {len(both)} commands are known to both")
    for name in sorted(names):
        differing = (content[ours][name] ^ content[theirs][name]) & both - LATER.get(name, set())
        check(not differing, f"{name.decode()} differs in {sorted(differing)}")


CASES = [categories_hold_the_same_commands]


def play(server):
    global VEDETTE
    VEDETTE = server


if __name__ == "__main__":
    sys.exit(main(CASES, play))
