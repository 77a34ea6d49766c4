"""Snapshots and payloads between Vedette and Debian's redis-server 7.0.15, both ways: what one writes the other reads, key for
key, value for value, expiry for expiry.

run.py --tool build/tests/rdb_tool --server build/server/vedette-server [--seed N]
"""
import argparse
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from servers import ORACLE, Link, Server  # noqa: E402

FAR = 4000000000000  # ms since the Unix epoch: no test meets it


def sample(seed):
    """{(db, key): (value, expiry in ms or -1)}: strings of every kind."""
    rng = random.Random(seed)
    values = [b"", b"0", b"-0", b"01", b"+1", b" 1", b"1 ", b"1.0", b"\x00", b"\xff" * 7, b"a" * 20, b"a" * 21, b"ab" * 5000, b"x" * 70000,
              bytes(range(256)) * 300, rng.randbytes(63), rng.randbytes(64), rng.randbytes(16383), rng.randbytes(16384),
              rng.randbytes(200000), b"word " * 300000]
    for bits in (7, 8, 15, 16, 31, 32, 63):
        for delta in (-2, -1, 0, 1):
            values += [b"%d" % (2 ** bits + delta), b"%d" % (-2 ** bits + delta)]
    values = [value for value in values if len(value) < 21 or not value.isdigit()]
    data = {}
    for i, value in enumerate(values):
        data[(i % 3, b"value:%d" % i)] = (value, -1 if i % 2 else FAR + i)
    for key in (b"", b"7", b"-300", b"70000", b"99999999999", b"\x00\r\n\xff", b"k" * 63, b"k" * 64, b"k" * 300, b"K" * 17000):
        data[(15, key)] = (b"of a special key", -1)
    for i in range(3000):
        value = b"".join(rng.choice((b"alpha", b"beta", rng.randbytes(9), b"%d" % i)) for _ in range(rng.randrange(40)))
        data[(rng.randrange(4), b"random:%d" % i)] = (value, rng.choice((-1, FAR + i)))
    return data


def fill(link, data):
    for db in sorted({db for db, _ in data}):
        commands = [(b"SELECT", b"%d" % db)]
        for (at, key), (value, expiry) in data.items():
            if at == db:
                commands.append((b"SET", key, value) + ((b"PXAT", b"%d" % expiry) if expiry >= 0 else ()))
        assert all(reply == b"+OK\r\n" for reply in link.exchange(commands))


def check_holds(link, data, what):
    counts = {}
    for db, _ in data:
        counts[db] = counts.get(db, 0) + 1
    for db in range(16):
        keys = [key for at, key in data if at == db]
        replies = link.exchange([(b"SELECT", b"%d" % db), (b"DBSIZE",)] + [(b"GET", key) for key in keys] +
                                [(b"PEXPIRETIME", key) for key in keys])
        assert replies[1] == b":%d\r\n" % counts.get(db, 0), f"{what}: db {db} holds {replies[1]!r}"
        for i, key in enumerate(keys):
            value, expiry = data[(db, key)]
            assert replies[2 + i] == b"$%d\r\n%s\r\n" % (len(value), value), f"{what}: value of {key!r}"
            assert replies[2 + len(keys) + i] == b":%d\r\n" % expiry, f"{what}: expiry of {key!r}"


def hexadecimal(data):
    return data.hex() or "-"


def lines_of(data):
    return sorted(f"{db} {expiry} {hexadecimal(key)} {hexadecimal(value)}" for (db, key), (value, expiry) in data.items())


def reads_what_redis_wrote(args, data):
    redis = Server("redis", ORACLE)
    link = Link(redis.port)
    path = os.path.join(redis.folder.name, "dump.rdb")
    fill(link, data)
    for compression in (b"yes", b"no"):
        for policy in (b"noeviction", b"allkeys-lru", b"allkeys-lfu"):
            assert link.exchange([(b"CONFIG", b"SET", b"rdbcompression", compression, b"maxmemory-policy", policy), (b"SAVE",)]) == \
                [b"+OK\r\n"] * 2
            printed = subprocess.run([args.tool, "print", path], capture_output=True, text=True, check=True).stdout
            assert sorted(printed.splitlines()) == lines_of(data), f"{compression} {policy}"
            checked = subprocess.run([args.server, "--check-rdb", path], capture_output=True, text=True, check=False)
            assert checked.returncode == 0, checked.stdout
            assert f"string: {len(data)} keys\n" in checked.stdout and checked.stdout.endswith("the file is good\n"), checked.stdout
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    checked = subprocess.run([args.server, "--check-rdb", path], capture_output=True, text=True, check=False)
    assert checked.returncode == 1 and "RDB: at byte " in checked.stdout, checked.stdout
    redis.stop()


def redis_reads_what_is_written(args, data):
    redis = Server("redis", ORACLE)
    path = os.path.join(redis.folder.name, "dump.rdb")
    for mode in ([], ["plain"]):
        redis.stop()
        subprocess.run([args.tool, "write", path] + mode, input="\n".join(lines_of(data)) + "\n", text=True, check=True)
        printed = subprocess.run([args.tool, "print", path], capture_output=True, text=True, check=True).stdout
        assert sorted(printed.splitlines()) == lines_of(data)
        redis.start()
        check_holds(Link(redis.port), data, f"redis after {mode}")
    redis.stop()


def payloads_go_both_ways(args, data):
    servers = {"redis": Server("redis", ORACLE), "vedette": Server("vedette", args.server)}
    links = {name: Link(server.port) for name, server in servers.items()}
    for source, target in (("redis", "vedette"), ("vedette", "redis")):
        for link in links.values():
            link.exchange([(b"FLUSHALL",)])
        fill(links[source], data)
        for db in sorted({db for db, _ in data}):
            keys = [key for at, key in data if at == db]
            payloads = links[source].exchange([(b"SELECT", b"%d" % db)] + [(b"DUMP", key) for key in keys])[1:]
            commands = [(b"SELECT", b"%d" % db)]
            for key, reply in zip(keys, payloads):
                expiry = data[(db, key)][1]
                commands.append((b"RESTORE", key, b"%d" % max(expiry, 0), reply[reply.index(b"\n") + 1:-2], b"ABSTTL"))
            replies = links[target].exchange(commands)
            assert all(reply == b"+OK\r\n" for reply in replies), [reply for reply in replies if reply != b"+OK\r\n"][:3]
        check_holds(links[target], data, f"{target} from {source}")
    for server in servers.values():
        server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    data = sample(args.seed)
    for test in (reads_what_redis_wrote, redis_reads_what_is_written, payloads_go_both_ways):
        test(args, data)
        print(f"ok: {test.__name__}", flush=True)


if __name__ == "__main__":
    main()
