#!/usr/bin/env python3
"""The append-only file from outside: what survives a kill, a torn end, a rewrite under load; and that Redis 7.0.15 and
Vedette load each other's folders.

    append_log.py --server build/server/vedette-server [--only WORD]
"""
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import servers  # noqa: E402
from resp import parse  # noqa: E402
from runner import Failed, check, main  # noqa: E402
from servers import HungUp, Link, ORACLE  # noqa: E402

FOLDER = "appendonlydir"


class Process(servers.Server):
    """A server with a log, in a folder that outlives it."""

    def __init__(self, name, binary, folder, *options):
        self.options = list(options)
        self.keep = folder
        super().__init__(name, binary)

    def start(self):
        import socket
        import subprocess
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        words = [self.binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.keep,
                 "--enable-debug-command", "yes", "--appendonly", "yes", *self.options]
        with open(os.path.join(self.folder.name, "log"), "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_until_ready(self):
        end = time.monotonic() + servers.DEADLINE
        while True:
            if not self.alive():
                raise Failed(f"{self.name} did not start:\n{self.log()}")
            try:
                if b"PONG" in Link(self.port).exchange([(b"PING",)])[0]:
                    return self
            except (OSError, HungUp):
                pass
            check(time.monotonic() < end, f"{self.name} did not become ready:\n{self.log()}")
            time.sleep(0.01)

    def wait_for_end(self):
        try:
            return self.process.wait(servers.DEADLINE)
        except Exception:
            raise Failed(f"{self.name} did not end:\n{self.log()}") from None

    def link(self):
        return Link(self.port)

    def call(self, *words):
        return parse(self.link().exchange([[w if isinstance(w, bytes) else str(w).encode() for w in words]])[0])[1]

    def info(self, field):
        for line in self.call("INFO", "everything").decode().splitlines():
            if line.startswith(field + ":"):
                return line.split(":", 1)[1]
        raise Failed(f"INFO has no {field}")


def vedette(folder, *options):
    return Process("Vedette", servers.VEDETTE, folder, *options).wait_until_ready()


def redis(folder, *options):
    return Process("Redis", ORACLE, folder, *options).wait_until_ready()


def eventually(condition, text):
    end = time.monotonic() + servers.DEADLINE
    while not condition():
        check(time.monotonic() < end, text)
        time.sleep(0.01)


def dataset(server):
    """Everything that can be asked for, and so compared between servers: values and absolute expiries."""
    link = server.link()
    content = {}
    for db in (0, 1, 9):
        link.exchange([(b"SELECT", b"%d" % db)])
        keys = sorted(key for _, key in parse(link.exchange([(b"KEYS", b"*")])[0])[1])
        replies = link.exchange([(b"GET", key) for key in keys] + [(b"PEXPIRETIME", key) for key in keys])
        for i, key in enumerate(keys):
            content[db, key] = (replies[i], replies[len(keys) + i])
    return content


def some_writes(seed, count=400):
    rng = random.Random(seed)
    def key():
        return b"key:%d" % rng.randrange(60)
    commands = []
    for _ in range(count):
        kind = rng.randrange(9)
        value = bytes(rng.randrange(256) for _ in range(rng.randrange(30)))
        if kind == 0: commands.append((b"SELECT", rng.choice((b"0", b"1", b"9"))))
        elif kind == 1: commands.append((b"APPEND", key(), value))
        elif kind == 2: commands.append((b"INCR", b"n" + key()))
        elif kind == 3: commands.append((b"SET", key(), value, b"EX", b"%d" % rng.randrange(5000, 9000)))
        elif kind == 4: commands.append((b"DEL", key(), key()))
        elif kind == 5: commands.append((b"PEXPIRE", key(), b"%d" % rng.randrange(5000000, 9000000)))
        elif kind == 6: commands += [(b"MULTI",), (b"SET", key(), value), (b"INCR", b"m" + key()), (b"EXEC",)]
        elif kind == 7: commands.append((b"SETRANGE", key(), b"3", value))
        else: commands.append((b"SET", key(), value * rng.choice((1, 1, 40))))
    return commands


def increments(folder):
    path = os.path.join(folder, FOLDER)
    return sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith(".incr.aof"))


# ---- The cases ----

def restart_keeps_everything_in_each_mode(folder):
    for mode in ("always", "everysec", "no"):
        server = vedette(folder, "--appendfsync", mode)
        server.link().exchange(some_writes(mode))
        wanted = dataset(server)
        check(server.stop() == 0, server.log())
        server = vedette(folder, "--appendfsync", mode)
        check(dataset(server) == wanted, f"after a restart with {mode} the dataset differs")
        server.stop()


def kill_loses_no_acknowledged_write(folder):
    # Not so with everysec: a write may be put off while a sync is under way.
    for mode in ("always", "no"):
        home = os.path.join(folder, mode)
        os.mkdir(home)
        for round_number in range(4):
            server = vedette(home, "--appendfsync", mode)
            acknowledged = [0] * 4

            def write(which, port=server.port, round_number=round_number, acknowledged=acknowledged):
                try:
                    link = Link(port)
                    for i in range(1, 1000000):
                        link.exchange([(b"SET", b"r%d:%d" % (round_number, which), b"%d" % i)] * 3)
                        acknowledged[which] = i
                except (HungUp, OSError):
                    pass

            threads = [threading.Thread(target=write, args=(which,)) for which in range(4)]
            for thread in threads:
                thread.start()
            eventually(lambda: min(acknowledged) > 50, "no writes get through")
            if round_number % 2:
                server.call("BGREWRITEAOF")
            os.kill(server.process.pid, signal.SIGKILL)
            for thread in threads:
                thread.join()
            server.process.wait()
            server = vedette(home, "--appendfsync", mode)
            for which in range(4):
                value = int(server.call("GET", f"r{round_number}:{which}"))
                check(value in (acknowledged[which], acknowledged[which] + 1),
                      f"{mode}: {value} is there, {acknowledged[which]} was acknowledged")
            server.stop()


def rewrite_under_load(folder):
    for preamble in ("yes", "no"):
        home = os.path.join(folder, preamble)
        os.mkdir(home)
        server = vedette(home, "--aof-use-rdb-preamble", preamble)
        server.call("DEBUG", "POPULATE", 50000, "p", 100)
        link, i = server.link(), 0
        for _ in range(3):
            before = int(server.info("aof_rewrites"))
            check(b"started" in server.call("BGREWRITEAOF"), "not started")
            while server.info("aof_rewrite_in_progress") == "1" or int(server.info("aof_rewrites")) == before:
                link.exchange([(b"SET", b"p:%d" % ((i + n) * 7919 % 50000), b"%d" % (i + n)) for n in range(200)])
                i += 200
        check(server.info("aof_last_bgrewrite_status") == "ok", server.log())
        wanted = dataset(server)
        server.process.kill()
        server.process.wait()
        server = vedette(home)
        check(dataset(server) == wanted, "after a rewrite under load the dataset differs")
        check(len(os.listdir(os.path.join(home, FOLDER))) == 3, str(os.listdir(os.path.join(home, FOLDER))))
        server.stop()
        other = redis(home)
        check(dataset(other) == wanted, "Redis loads something else")
        other.stop()


def torn_end(folder):
    server = vedette(folder)
    server.link().exchange([(b"SET", b"a", b"1"), (b"MULTI",), (b"SET", b"b", b"1"), (b"SET", b"c", b"1"), (b"EXEC",)])
    server.stop()
    log = increments(folder)[-1]
    size = os.path.getsize(log)
    os.truncate(log, size - 5)
    strict = Process("Vedette", servers.VEDETTE, folder, "--aof-load-truncated", "no")
    check(strict.wait_for_end() == 1, "a torn end is accepted")
    check("Unexpected end of file reading the append only file" in strict.log(), strict.log())
    check(os.path.getsize(log) == size - 5, "the refused file was changed")
    server = vedette(folder)
    check(server.call("MGET", "a", "b", "c")[1:] == [("$", None), ("$", None)], "half a transaction was loaded")
    check("Truncating the AOF" in server.log(), server.log())
    server.call("SET", "d", "1")
    server.stop()
    server = vedette(folder, "--aof-load-truncated", "no")
    check(server.call("GET", "d") == b"1", "what was logged after the cut is lost")
    server.stop()


def damage_is_refused(folder):
    server = vedette(folder)
    server.call("SET", "a", "1")
    server.stop()
    log = increments(folder)[-1]
    for damage, text in ((b"!!!", "Bad file format reading the append only file"),
                         (b"*1\r\n$3\r\nbla\r\n", "Unknown command 'bla' reading the append only file")):
        whole = open(log, "rb").read()
        with open(log, "ab") as file:
            file.write(damage)
        refused = Process("Vedette", servers.VEDETTE, folder)
        check(refused.wait_for_end() == 1 and text in refused.log().splitlines()[-1], refused.log())
        with open(log, "wb") as file:
            file.write(whole)
    os.remove(log)
    refused = Process("Vedette", servers.VEDETTE, folder)
    check(refused.wait_for_end() == 1 and "incr.aof cannot be read: No such file or directory" in refused.log(), refused.log())


def redis_loads_ours(folder):
    for options in (("--aof-use-rdb-preamble", "yes"), ("--aof-use-rdb-preamble", "no", "--aof-timestamp-enabled", "yes")):
        home = tempfile.mkdtemp(dir=folder)
        server = vedette(home, *options)
        server.link().exchange(some_writes(1))
        server.call("BGREWRITEAOF")
        eventually(lambda: server.info("aof_rewrite_in_progress") == "0", "the rewrite does not end")
        server.link().exchange(some_writes(2))
        wanted = dataset(server)
        server.stop()
        # Lines that tell where replication stood are comments to Redis, between commands.
        log = increments(home)[-1]
        with open(log, "ab") as file:
            file.write(b"#VEDETTE-REPL:" + b"a" * 40 + b" 18446744073709551615\r\n#VEDETTE-REPL:12\r\n")
        other = redis(home, "--aof-load-truncated", "no")
        check(dataset(other) == wanted, "Redis loads something else")
        other.stop()


def we_load_redis(folder):
    for options in (("--aof-use-rdb-preamble", "yes"), ("--aof-use-rdb-preamble", "no"), ("--aof-timestamp-enabled", "yes")):
        home = tempfile.mkdtemp(dir=folder)
        other = redis(home, *options)
        other.link().exchange(some_writes(3))
        other.call("BGREWRITEAOF")
        eventually(lambda: other.info("aof_rewrite_in_progress") == "0", "the rewrite does not end")
        other.link().exchange(some_writes(4))
        wanted = dataset(other)
        other.stop()
        server = vedette(home, "--aof-load-truncated", "no")
        check(dataset(server) == wanted, "Vedette loads something else")
        server.call("SET", "back", "again")
        wanted = dataset(server)
        server.stop()
        other = redis(home)
        check(dataset(other) == wanted, "and Redis loads something else again")
        other.stop()


def single_file_of_old(folder):
    other = redis(folder, "--aof-use-rdb-preamble", "yes")
    other.link().exchange(some_writes(5))
    other.call("BGREWRITEAOF")
    eventually(lambda: other.info("aof_rewrite_in_progress") == "0", "the rewrite does not end")
    wanted = dataset(other)
    other.stop()
    path = os.path.join(folder, FOLDER)
    base = next(name for name in os.listdir(path) if name.endswith(".base.rdb"))
    shutil.move(os.path.join(path, base), os.path.join(folder, "appendonly.aof"))
    tail = open(increments(folder)[-1], "rb").read()
    with open(os.path.join(folder, "appendonly.aof"), "ab") as file:
        file.write(tail + b"*3\r\n$3\r\nSET\r\n$4\r\ntail\r\n$1\r\n1\r\n")
    shutil.rmtree(path)
    server = vedette(folder)
    check(server.call("GET", "tail") == b"1", "the tail after the preamble was not loaded")
    server.call("DEL", "tail")
    check(dataset(server) == wanted, "the old file loads as something else")
    check(not os.path.exists(os.path.join(folder, "appendonly.aof")), "the old file was not moved")
    server.stop()
    check(dataset(vedette(folder)) == wanted, "and differs after the move")


def on_and_off_while_serving(folder):
    server = vedette(folder, "--appendonly", "no")
    server.link().exchange(some_writes(6))
    check(server.call("CONFIG", "SET", "appendonly", "yes") == b"OK", server.log())
    server.link().exchange(some_writes(7))
    eventually(lambda: server.info("aof_rewrite_in_progress") == "0" and server.info("aof_rewrite_scheduled") == "0", "no first set")
    server.link().exchange(some_writes(8))
    wanted = dataset(server)
    server.process.kill()
    server.process.wait()
    server = vedette(folder)
    check(dataset(server) == wanted, "the log that was turned on is not complete")
    check(server.call("CONFIG", "SET", "appendonly", "no") == b"OK", server.log())
    server.call("SET", "unlogged", "1")
    check(server.info("aof_enabled") == "0", "still on")
    server.stop()
    check(dataset(vedette(folder)) == wanted, "what came after turning it off was logged")


def loading_is_told(folder):
    server = vedette(folder)
    server.link().exchange([(b"SET", b"k%d" % i, b"v" * 100) for i in range(3000)])
    server.stop()
    server = Process("Vedette", servers.VEDETTE, folder, "--key-load-delay", "1000")
    def reply():
        try:
            return server.link().exchange([(b"GET", b"k1")])[0]
        except OSError:
            return b""
    eventually(lambda: reply().startswith(b"-LOADING"), "no -LOADING")
    check(server.info("loading") == "1" and int(server.info("loading_total_bytes")) > 300000, "INFO does not tell")
    eventually(lambda: reply() == b"$100\r\n" + b"v" * 100 + b"\r\n", "loading does not end")
    server.stop()


def loadaof(folder):
    server = vedette(folder)
    server.link().exchange(some_writes(9))
    wanted = dataset(server)
    check(server.call("DEBUG", "LOADAOF") == b"OK", server.log())
    check(dataset(server) == wanted, "DEBUG LOADAOF loads something else")
    server.call("BGREWRITEAOF")
    eventually(lambda: server.info("aof_rewrite_in_progress") == "0", "the rewrite does not end")
    check(server.call("DEBUG", "LOADAOF") == b"OK" and dataset(server) == wanted, "nor after a rewrite")
    server.stop()


def a_disk_that_is_full_for_a_while(folder):
    server = vedette(folder)
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (20000, resource.RLIM_INFINITY))
    server.link().exchange([(b"SET", b"k%d" % i, b"v" * 100) for i in range(100)])
    server.link().exchange([(b"SET", b"l%d" % i, b"v" * 100) for i in range(100)])
    eventually(lambda: server.info("aof_last_write_status") == "err", "the full disk is not told")
    check(os.path.getsize(increments(folder)[-1]) <= 20000, "the limit does not hold")
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
    eventually(lambda: server.info("aof_last_write_status") == "ok", "the log is not tried again")
    wanted = dataset(server)
    server.process.kill()
    server.process.wait()
    check(dataset(vedette(folder, "--aof-load-truncated", "no")) == wanted, "something of it was lost")


def a_failing_disk_ends_always(folder):
    server = vedette(folder, "--appendfsync", "always")
    server.call("SET", "k", "1")
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    try:
        answer = server.call("SET", "big", "v" * 5000)
    except (HungUp, OSError):
        answer = None
    check(answer is None, "a write is acknowledged that is not on the disk")
    check(server.wait_for_end() == 1, server.log())
    server = vedette(folder, "--aof-load-truncated", "no")
    check(server.call("GET", "k") == b"1" and server.call("EXISTS", "big") == 0, "what was half written was not cut off")
    server.stop()


CASES = [restart_keeps_everything_in_each_mode, kill_loses_no_acknowledged_write, rewrite_under_load, torn_end, damage_is_refused,
         redis_loads_ours, we_load_redis, single_file_of_old, on_and_off_while_serving, loading_is_told, loadaof,
         a_disk_that_is_full_for_a_while, a_failing_disk_ends_always]


if __name__ == "__main__":
    sys.exit(main(CASES))
