"""Values of every type, in every encoding, in snapshots and payloads between Vedette and Debian's redis-server 7.0.15, both ways.

all_types.py --server build/server/vedette-server [--seed N]

Each value is made by commands on one of the two and asked for by commands on the other: elements in their order where the type has one,
as a multiset of lines where it has none.
"""
import argparse
import os
import random
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from servers import ORACLE, Link, Server  # noqa: E402

COUNTS = (1, 3, 100, 700, 5000)  # below and above all thresholds of compact encodings


def element(rng, i):
    return rng.choice((b"%d" % rng.randrange(-2 ** 40, 2 ** 40), b"element:%d" % i, rng.randbytes(rng.randrange(1, 90)), b"x" * rng.randrange(200),
                       b"%d" % i, b"\x00\r\n%d" % i))


def in_batches(command, words, each):
    step = 300 * each
    return [command + tuple(words[i:i + step]) for i in range(0, len(words), step)]


def dataset(rng):
    """{key: (commands that make it, questions whose answers are the same whole, questions whose answers are the same as lines)}"""
    made = {}
    for n in COUNTS:
        key = b"list:%d" % n
        made[key] = (in_batches((b"RPUSH", key), [element(rng, i) for i in range(n)], 1), [(b"LRANGE", key, b"0", b"-1")], [])
        key = b"ints:%d" % n
        numbers = [b"%d" % (i * rng.choice((1, 70000, 2 ** 40))) for i in range(n)]
        made[key] = (in_batches((b"SADD", key), numbers, 1), [(b"SCARD", key)], [(b"SMEMBERS", key)])
        key = b"set:%d" % n
        members = [element(rng, i) for i in range(n)]
        made[key] = (in_batches((b"SADD", key), members, 1), [(b"SCARD", key), (b"SMISMEMBER", key, *members[:500])], [(b"SMEMBERS", key)])
        key = b"hash:%d" % n
        fields = [element(rng, i) for i in range(n)]
        pairs = [word for field in fields for word in (field, element(rng, 7))]
        made[key] = (in_batches((b"HSET", key), pairs, 2), [(b"HLEN", key), (b"HMGET", key, *fields)], [(b"HKEYS", key)])
        key = b"sorted:%d" % n
        scored = [word for i in range(n) for word in (rng.choice((b"%d" % rng.randrange(9), b"%.17g" % rng.gauss(0, 1e9), b"inf", b"-inf", b"-0")),
                                                      element(rng, i))]
        made[key] = (in_batches((b"ZADD", key), scored, 2), [(b"ZRANGE", key, b"0", b"-1", b"WITHSCORES")], [])
        key = b"stream:%d" % n
        commands = [(b"XGROUP", b"CREATE", key, b"g", b"0", b"MKSTREAM"), (b"XGROUP", b"CREATE", key, b"other", b"$")]
        for i in range(n):
            names = (b"f", b"g") if i % 5 else (b"h%d" % (i % 7),)
            commands.append((b"XADD", key, b"%d-%d" % (1000 + i // 3, i % 3 + 1)) + tuple(word for name in names for word in (name, element(rng, i))))
        commands += [(b"XREADGROUP", b"GROUP", b"g", b"one", b"COUNT", b"%d" % (n // 2 + 1), b"STREAMS", key, b">"),
                     (b"XREADGROUP", b"GROUP", b"g", b"two", b"COUNT", b"3", b"STREAMS", key, b">"),
                     (b"XACK", key, b"g", b"1000-1", b"1001-2"), (b"XDEL", key, b"1000-2", b"1003-1")]
        made[key] = (commands, [(b"XRANGE", key, b"-", b"+"), (b"XLEN", key), (b"XPENDING", key, b"g"), (b"XINFO", b"GROUPS", key)], [])
    made[b"emptied stream"] = ([(b"XADD", b"emptied stream", b"5-1", b"a", b"b"), (b"XDEL", b"emptied stream", b"5-1")],
                               [(b"XLEN", b"emptied stream"), (b"XADD", b"emptied stream", b"5-1", b"a", b"b")], [])
    for n in (10, 20000):
        key = b"hyperloglog:%d" % n
        made[key] = (in_batches((b"PFADD", key), [b"%d" % i for i in range(n)], 1), [(b"PFCOUNT", key), (b"STRLEN", key)], [])
    made[b"places"] = ([(b"GEOADD", b"places", b"13.361389", b"38.115556", b"Palermo", b"15.087269", b"37.502669", b"Catania")],
                       [(b"GEODIST", b"places", b"Palermo", b"Catania"), (b"GEOHASH", b"places", b"Palermo")], [])
    for key, (commands, _, _) in made.items():
        if rng.random() < 0.3:
            commands.append((b"PEXPIREAT", key, b"4000000000000"))
    return made


def make(link, data):
    link.exchange([(b"FLUSHALL",)])
    for commands, _, _ in data.values():
        for command, reply in zip(commands, link.exchange(commands)):
            assert not reply.startswith(b"-"), (command[:4], reply)


def answers(link, data):
    told = {}
    for key, (_, whole, as_lines) in data.items():
        told[key] = link.exchange([(b"TYPE", key), (b"PEXPIRETIME", key)] + whole)
        told[key] += [sorted(reply.split(b"\r\n")) for reply in link.exchange(as_lines)] if as_lines else []
    return told


def check_same(expected, found, what):
    for key, told in expected.items():
        for i, (a, b) in enumerate(zip(told, found[key], strict=True)):
            assert a == b, f"{what}: {key!r}, answer {i}: {str(a)[:200]} became {str(b)[:200]}"


def snapshots(source, target, data):
    make(Link(source.port), data)
    expected = answers(Link(source.port), data)
    for compression in (b"yes", b"no"):
        link = Link(source.port)
        make(link, data)
        assert link.exchange([(b"CONFIG", b"SET", b"rdbcompression", compression), (b"SAVE",)]) == [b"+OK\r\n"] * 2
        target.stop()
        shutil.copy(os.path.join(source.folder.name, "dump.rdb"), os.path.join(target.folder.name, "dump.rdb"))
        target.start()
        link = Link(target.port)
        assert link.exchange([(b"DBSIZE",)]) == [b":%d\r\n" % len(data)]
        check_same(expected, answers(link, data), f"{target.name} from a snapshot of {source.name}, compression {compression.decode()}")


def payloads(source, target, data):
    from_source, to_target = Link(source.port), Link(target.port)
    to_target.exchange([(b"FLUSHALL",)])
    make(from_source, data)
    keys = list(data)
    for key, dump in zip(keys, from_source.exchange([(b"DUMP", key) for key in keys])):
        payload = dump[dump.index(b"\n") + 1:-2]
        expiry = from_source.exchange([(b"PEXPIRETIME", key)])[0][1:-2]
        reply = to_target.exchange([(b"RESTORE", key, expiry.replace(b"-1", b"0"), payload, b"ABSTTL")])[0]
        assert reply == b"+OK\r\n", (key, reply)
    found = answers(to_target, data)
    check_same(answers(from_source, data), found, f"{target.name} from payloads of {source.name}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    data = dataset(random.Random(args.seed))
    redis, vedette = Server("redis", ORACLE), Server("vedette", args.server)
    passed = 0
    for test in (snapshots, payloads):
        for source, target in ((redis, vedette), (vedette, redis)):
            test(source, target, data)
            passed += 1
            print(f"ok: {test.__name__} from {source.name} to {target.name}", flush=True)
    for server in (redis, vedette):
        server.stop()
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    main()
