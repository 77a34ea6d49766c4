#!/usr/bin/env python3
"""What commands say of themselves, beside Redis 7.0.15: COMMAND INFO, and which category of access control holds what.

    command_table.py --server build/server/vedette-server [--only WORD]
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import servers  # noqa: E402
from resp import parse, plain  # noqa: E402
from runner import check, main  # noqa: E402
from servers import Link, ORACLE, Server  # noqa: E402

FIELDS = ("name", "arity", "flags", "first key", "last key", "step", "categories", "tips", "key specifications")
# What 7.2 has changed: (command, field).
LATER = {(name, "flags") for name in (b"blmove", b"blpop", b"brpop", b"brpoplpush", b"wait")} | {
    (b"wait", "categories"), (b"zrank", "arity"), (b"zrevrank", "arity"), (b"command|getkeys", "arity"),
    (b"command|getkeysandflags", "arity"), (b"randomkey", "tips"), (b"scan", "tips"), (b"acl|deluser", "tips"), (b"acl|save", "tips"),
    (b"acl|setuser", "tips"), (b"config|rewrite", "tips"), (b"config|resetstat", "tips")}
OWN_WORDS = {(b"sort", "key specifications"), (b"sort_ro", "key specifications")}  # their notes are sentences
WITHOUT_MODULES = {b"module|load", b"module|loadex", b"module|unload"}


def ask(link, *words):
    return plain(parse(link.exchange([words])[0]))


def both():
    return Link(Server("vedette", servers.VEDETTE).port), Link(Server("redis", ORACLE).port)


def sorted_words(field):
    return sorted(field) if isinstance(field, list) and all(isinstance(word, bytes) for word in field) else field


def differences(ours, theirs):
    """Of one command and its subcommands: (name, field, ours, theirs)."""
    name = theirs[0]
    for field, mine, other in zip(FIELDS, ours, theirs):
        if sorted_words(mine) != sorted_words(other) and (name, field) not in LATER | OWN_WORDS:
            yield name, field, mine, other
    known = {subcommand[0]: subcommand for subcommand in ours[9]}
    for subcommand in theirs[9]:
        if subcommand[0] in known:
            yield from differences(known[subcommand[0]], subcommand)
        elif subcommand[0] not in WITHOUT_MODULES and not subcommand[0].endswith(b"|help"):
            yield subcommand[0], "missing", None, None


def commands_say_the_same_of_themselves(_folder):
    ours, theirs = both()
    names = sorted(name for name in ask(theirs, b"COMMAND", b"LIST") if b"|" not in name)
    check(len(names) > 200, f"only {len(names)} commands")
    found = []
    for mine, other in zip(ask(ours, b"COMMAND", b"INFO", *names), ask(theirs, b"COMMAND", b"INFO", *names)):
        found += [(other[0], "missing", None, None)] if mine is None else differences(mine, other)
    check(not found, "\n".join(map(str, found)))


def categories_hold_the_same_commands(_folder):
    ours, theirs = both()
    names = set(ask(theirs, b"ACL", b"CAT"))
    check(names == set(ask(ours, b"ACL", b"CAT")), "the categories are others")
    content = {link: {name: set(ask(link, b"ACL", b"CAT", name)) for name in names} for link in (ours, theirs)}
    known = set.intersection(*(set.union(*of.values()) for of in content.values()))
    check(len(known) > 300, f"only {len(known)} commands are known to both")
    for name in sorted(names):
        differing = {command for command in (content[ours][name] ^ content[theirs][name]) & known if (command, "categories") not in LATER}
        check(not differing, f"{name.decode()} differs in {sorted(differing)}")


CASES = [commands_say_the_same_of_themselves, categories_hold_the_same_commands]


if __name__ == "__main__":
    sys.exit(main(CASES))
