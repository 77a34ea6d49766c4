#!/usr/bin/env python3
"""The differential test: the same seeded commands to Vedette and to Redis 7.0.15, replies and final
contents compared.

  run.py --server BINARY [--seeds N] [--family NAME] [--seed S] [--scale F]

One test is one family with one seed. A failure prints the seed and the shortest sequence found that
still fails. The last line is `N passed, N failed`.
"""
import argparse
import itertools
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from comparison import in_order, same
from families import FAMILIES, PARAMETERS, SEVERAL_REPLIES, Source
from resp import parse
from servers import ORACLE, HungUp, Link, Server

DATABASES = 16
# What looking for a shorter sequence may cost: a run in which everything fails must end in bounded time.
SHRINK_RUNS = 400
SHRINK_SECONDS = 15
SHRINKS = 2  # of the failures of one family


class Mismatch:
    """The first difference of a run: after which step, of what, and what each side said."""

    def __init__(self, step, what, mine, theirs):
        self.step, self.what, self.mine, self.theirs = step, what, mine, theirs


def batches(steps):
    """Consecutive steps of one connection go out together: (first step, connection, commands)."""
    first = 0
    for connection, group in itertools.groupby(steps, key=lambda step: step[0]):
        commands = [command for _, command in group]
        for start in range(0, len(commands), 200):
            yield first + start, connection, commands[start:start + 200]
        first += len(commands)


def fresh_links(server):
    links = [Link(server.port), Link(server.port)]
    answer = links[0].exchange([(b"FLUSHALL",)])[0]
    if answer != b"+OK\r\n":
        raise ValueError(f"{server.name}: FLUSHALL answers {answer!r}")
    return links


def scan(link):
    """All keys of the selected database by SCAN in small steps."""
    found, cursor = set(), b"0"
    while True:
        cursor, page = (item[1] for item in parse(link.exchange([(b"SCAN", cursor, b"COUNT", b"7")])[0])[1])
        found.update(item[1] for item in page)
        if cursor == b"0":
            return found


def contents(server):
    """Everything a server holds: (database, key) -> (type, value, encoding, PEXPIRETIME)."""
    held = {}
    link = Link(server.port)
    for database in range(DATABASES):
        keys = parse(link.exchange([(b"SELECT", b"%d" % database), (b"KEYS", b"*")])[1])[1]
        keys = sorted(item[1] for item in keys)
        if set(keys) != scan(link):
            raise ValueError(f"{server.name}: SCAN and KEYS disagree in database {database}")
        for key in keys:
            replies = link.exchange([(b"TYPE", key), (b"GET", key), (b"LRANGE", key, b"0", b"-1"), (b"OBJECT", b"ENCODING", key),
                                     (b"PEXPIRETIME", key)])
            held[database, key] = replies
    link.close()
    return held


def compare_contents(mine, theirs, last):
    names = ((b"TYPE",), (b"GET",), (b"LRANGE",), (b"OBJECT", b"ENCODING"), (b"PEXPIRETIME",))
    for place in sorted(set(mine) | set(theirs)):
        if place not in mine or place not in theirs:
            return Mismatch(last, f"final contents: key {place[1]!r} of database {place[0]}",
                            "there" if place in mine else "absent", "there" if place in theirs else "absent")
        for name, my_reply, their_reply in zip(names, mine[place], theirs[place]):
            if not same(name, my_reply, their_reply):
                return Mismatch(last, f"final contents: {b' '.join(name).decode()} of key {place[1]!r} in database {place[0]}",
                                my_reply, their_reply)
    return None


class Pair:
    """The two servers."""

    def __init__(self, binary, oracle):
        self.servers = [Server("vedette", binary), Server("oracle", oracle)]
        self.marker = 0
        self.defaults = None

    def _parameters(self, server):
        link = Link(server.port)
        kind, values = parse(link.exchange([(b"CONFIG", b"GET") + tuple(PARAMETERS)])[0])
        link.close()
        if kind != "*":
            raise ValueError(f"{server.name}: CONFIG GET answers {values!r}")
        return [item[1] for item in values]

    def _restore_parameters(self):
        for server, values in zip(self.servers, self.defaults):
            link = Link(server.port)
            link.exchange([(b"CONFIG", b"SET", *pair) for pair in zip(values[::2], values[1::2])])
            link.close()

    def run(self, steps, several_replies):
        """Runs `steps` on both from empty; the first Mismatch or None. A server that died is started again."""
        sides = []
        configures = any(command[:1] == (b"CONFIG",) for _, command in steps)
        try:
            if configures and not self.defaults:
                self.defaults = [self._parameters(server) for server in self.servers]
            sides = [fresh_links(server) for server in self.servers]
            for first, connection, commands in batches(steps):
                mismatch = self._batch(sides, first, connection, commands, several_replies)
                if mismatch:
                    return mismatch
            return compare_contents(*map(contents, self.servers), len(steps) - 1)
        except (HungUp, ValueError, OSError) as error:
            for server in self.servers:
                server.settle()
            return Mismatch(len(steps) - 1, f"{error} ({self._states()})", "", "")
        finally:
            for links in sides:
                for link in links:
                    link.close()
            for server in self.servers:
                if not server.alive():
                    server.start()
            if configures and self.defaults:
                self._restore_parameters()

    def _states(self):
        """Which server ended, and its log."""
        ended = [server for server in self.servers if not server.alive()]
        return "; ".join(f"{server.name} ended with {server.process.wait()}:\n{server.log()}" for server in ended) or "both run"

    def _batch(self, sides, first, connection, commands, several_replies):
        answers = []
        self.marker += 1
        for server, links in zip(self.servers, sides):
            try:
                if several_replies:
                    answers.append(links[connection].exchange_until(commands, b"marker-%d" % self.marker))
                else:
                    answers.append(links[connection].exchange(commands))
            except (HungUp, ValueError) as error:
                server.settle()
                return Mismatch(first + len(commands) - 1, f"{server.name}: {error} ({self._states()})", "", "")
        mine, theirs = answers
        if several_replies:
            # Replies cannot be told to commands; the shrinking finds the command.
            if mine == theirs or in_order(mine) == in_order(theirs):
                return None
            mine, theirs = in_order(mine), in_order(theirs)
            place = next((at for at, (one, other) in enumerate(zip(mine, theirs)) if one != other), min(len(mine), len(theirs)))
            return Mismatch(first + len(commands) - 1, f"reply {place}", mine[place:place + 4], theirs[place:place + 4])
        for place, (command, my_reply, their_reply) in enumerate(zip(commands, mine, theirs)):
            if not same(command, my_reply, their_reply):
                return Mismatch(first + place, "reply", my_reply, their_reply)
        return None

    def shrink(self, steps, several_replies, mismatch):
        """Leaves out pieces of the failing `steps`, halving their size, as long as the rest still fails."""
        steps = steps[:mismatch.step + 1]
        size, runs, end = max(1, len(steps) // 2), 0, time.monotonic() + SHRINK_SECONDS
        while size and runs < SHRINK_RUNS and time.monotonic() < end:
            start = 0
            while start < len(steps) and runs < SHRINK_RUNS and time.monotonic() < end:
                shorter = steps[:start] + steps[start + size:]
                runs += 1
                found = self.run(shorter, several_replies) if shorter else None
                if found:
                    steps, mismatch = shorter[:found.step + 1], found
                else:
                    start += size
            size //= 2
        return steps, mismatch

    def stop(self):
        """Ends both; the names of those that did not end well."""
        return [server.name for server in self.servers if server.stop() != 0]


def shown(value):
    text = repr(value)
    return text if len(text) <= 600 else text[:400] + f" ... ({len(text)} characters)"


def report(family, seed, steps, mismatch):
    print(f"FAILED: --family {family} --seed {seed}: {mismatch.what}")
    for connection, command in steps[-40:]:
        print(f"  connection {connection}: {b' '.join(repr(word)[1:].encode() for word in command).decode()[:400]}")
    print(f"  vedette: {shown(mismatch.mine)}\n  oracle:  {shown(mismatch.theirs)}", flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--server", required=True)
    options.add_argument("--oracle", default=ORACLE)
    options.add_argument("--seeds", type=int, default=8, help="runs of each family")
    options.add_argument("--seed", type=int, help="only this seed")
    options.add_argument("--family", help="only this family")
    options.add_argument("--scale", type=float, default=1.0, help="factor on the commands of a run")
    chosen = options.parse_args()
    families = {chosen.family: FAMILIES[chosen.family]} if chosen.family else FAMILIES
    seeds = [chosen.seed] if chosen.seed is not None else range(1, chosen.seeds + 1)

    pair = Pair(chosen.server, chosen.oracle)
    passed = failed = commands = 0
    for family, (generate, count) in families.items():
        began, bad = time.monotonic(), 0
        for seed in seeds:
            source = Source(random.Random(f"{family}:{seed}"))
            steps = list(generate(source, max(1, int(count * chosen.scale))))
            commands += len(steps)
            several_replies = family in SEVERAL_REPLIES
            mismatch = pair.run(steps, several_replies)
            if mismatch:
                if bad < SHRINKS:
                    steps, mismatch = pair.shrink(steps, several_replies, mismatch)
                bad += 1
                report(family, seed, steps, mismatch)
        passed += len(seeds) - bad
        failed += bad
        print(f"{family}: seeds {seeds[0]} to {seeds[-1]}, {bad} failed, {time.monotonic() - began:.1f} s", flush=True)
    for name in pair.stop():
        failed += 1
        print(f"FAILED: {name} did not end with exit code 0")
    print(f"{commands} commands compared")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
