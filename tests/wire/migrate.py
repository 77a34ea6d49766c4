#!/usr/bin/env python3
"""MIGRATE between real processes: Vedette to Redis 7.0.15, back, and among Vedettes; replies, values, expiries, and targets
that refuse, are silent, hang up or are not there.

    migrate.py --server build/server/vedette-server [--only WORD]
"""
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import servers  # noqa: E402
from resp import parse, request  # noqa: E402
from runner import Failed, check, play_alone  # noqa: E402
from servers import HungUp, Link, ORACLE  # noqa: E402

DAY_MS = 86400000
RUNNING = []


def equal(got, wanted, what):
    check(got == wanted, f"{what}: {got!r}, not {wanted!r}")


class Process(servers.Server):
    def __init__(self, name, binary):
        super().__init__(name, binary)
        self.connection = Link(self.port)
        RUNNING.append(self)

    def end(self):
        code = self.stop()
        check(code == 0 or self.name != "Vedette", f"Vedette ended with {code}:\n{self.log()}")

    def raw(self, *words):
        return self.connection.exchange([words_of(words)])[0]

    def call(self, *words):
        return parse(self.raw(*words))[1]

    def info(self, field):
        for line in self.call("INFO", "everything").decode().splitlines():
            if line.startswith(field + ":"):
                return line.split(":", 1)[1]
        raise Failed(f"INFO has no {field}")


def words_of(words):
    return [w if isinstance(w, bytes) else str(w).encode() for w in words]


def vedette():
    return Process("Vedette", servers.VEDETTE)


def redis():
    return Process("Redis", ORACLE)


PAIRS = [("Vedette to Redis", vedette, redis), ("Redis to Vedette", redis, vedette), ("Vedette to Vedette", vedette, vedette)]


def eventually(condition, text):
    end = time.monotonic() + servers.DEADLINE
    while not condition():
        check(time.monotonic() < end, text)
        time.sleep(0.01)


def move(source, target, key, *options, db=0, timeout=30000):
    return source.raw("MIGRATE", "127.0.0.1", target if isinstance(target, int) else target.port, key, db, timeout, *options)


def send(link, *commands):
    """Sends without waiting for replies."""
    link.out = memoryview(b"")
    link.socket.sendall(b"".join(request(words_of(words)) for words in commands))


def more_replies(link, count):
    """Replies that come without a request, or to those of send()."""
    link.out = memoryview(b"")
    replies = []
    while len(replies) < count:
        link._next_replies(replies, count)
    return replies


# ---- Between real servers: each case with each pair ----

def a_key_moves_with_its_value(source, target):
    for value in (b"v", b"", b"12345", b"x" * 100, b"\x00\r\n$\xff" * 1000, os.urandom(3_000_000)):
        source.call("SET", "k", value)
        equal(move(source, target, "k"), b"+OK\r\n", "reply")
        equal(source.call("EXISTS", "k"), 0, "at the source")
        equal(target.call("GETDEL", "k"), value, "at the target")


def its_expiry_goes_along(source, target):
    source.call("SET", "k", "v", "PX", DAY_MS)
    source.call("SET", "forever", "v")
    equal(move(source, target, "", "KEYS", "k", "forever"), b"+OK\r\n", "reply")
    check(DAY_MS - 600000 < target.call("PTTL", "k") <= DAY_MS, "expiry")
    equal(target.call("PTTL", "forever"), -1, "no expiry")


def a_copy_stays(source, target):
    source.call("SET", "k", "v")
    equal(move(source, target, "k", "COPY"), b"+OK\r\n", "reply")
    equal((source.call("GET", "k"), target.call("GET", "k")), (b"v", b"v"), "both")


def an_occupied_key_needs_replace(source, target):
    source.call("SET", "k", "new")
    target.call("SET", "k", "old")
    equal(move(source, target, "k"), b"-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n", "reply")
    equal((source.call("GET", "k"), target.call("GET", "k")), (b"new", b"old"), "both untouched")
    equal(move(source, target, "k", "REPLACE"), b"+OK\r\n", "reply")
    equal((source.call("GET", "k"), target.call("GET", "k")), (None, b"new"), "moved")


def one_refusal_does_not_stop_the_others(source, target):
    for key in ("a", "b", "c"):
        source.call("SET", key, key)
    target.call("SET", "b", "there")
    reply = move(source, target, "", "KEYS", "a", "missing", "b", "c")
    equal(reply, b"-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n", "reply")
    equal(source.call("KEYS", "*"), [("$", b"b")], "left")
    equal([target.call("GET", key) for key in "abc"], [b"a", b"there", b"c"], "there")


def many_keys_move(source, target):
    names = [b"key:%d" % i for i in range(5000)]
    source.connection.exchange([(b"SET", name, b"v" + name) for name in names])
    equal(move(source, target, "", "KEYS", *names), b"+OK\r\n", "reply")
    equal((source.call("DBSIZE"), target.call("DBSIZE")), (0, len(names)), "sizes")
    equal(target.call("GET", "key:4321"), b"vkey:4321", "a value")


def databases(source, target):
    source.call("SELECT", 3)
    source.call("SET", "k", "v")
    equal(move(source, target, "k", db=7), b"+OK\r\n", "reply")
    source.call("SET", "k2", "v")
    equal(move(source, target, "k2", db=0), b"+OK\r\n", "reply to another database")
    if source.name == "Redis":  # it sends keys in spite of the refusal: they end in a database that nobody named
        return
    source.call("SET", "k3", "v")
    for bad in (-1, 99):
        equal(move(source, target, "k3", db=bad), b"-ERR Target instance replied with error: ERR DB index is out of range\r\n", "reply")
    equal(move(source, target, "k3", db=7), b"+OK\r\n", "reply")
    equal(target.call("KEYS", "*"), [("$", b"k2")], "database 0")
    target.call("SELECT", 7)
    equal(target.call("DBSIZE"), 2, "database 7")


def nothing_to_move(source, target):
    for words in (("none",), ("", "KEYS", "none", "neither"), ("", "KEYS"), ("none", "COPY", "REPLACE")):
        equal(move(source, target, *words), b"+NOKEY\r\n", str(words))


def passwords(source, target):
    source.call("SET", "k", "v")
    target.call("CONFIG", "SET", "requirepass", "secret")
    for options, reply in (((), b"NOAUTH Authentication required."),
                           (("AUTH", "wrong"), b"WRONGPASS invalid username-password pair or user is disabled."),
                           (("AUTH2", "nobody", "secret"), b"WRONGPASS invalid username-password pair or user is disabled.")):
        equal(move(source, target, "k", *options), b"-ERR Target instance replied with error: " + reply + b"\r\n", str(options))
    equal(move(source, target, "k", "COPY", "AUTH", "secret"), b"+OK\r\n", "AUTH")
    equal(move(source, target, "", "REPLACE", "AUTH2", "default", "secret", "KEYS", "k"), b"+OK\r\n", "AUTH2")
    equal(target.raw("GET", "k"), b"$1\r\nv\r\n", "there")


def a_target_without_memory(source, target):
    source.call("SET", "k", "v" * 1000)
    target.call("CONFIG", "SET", "maxmemory", "1mb" if target.name == "Vedette" else "1")
    if target.name == "Vedette":
        for i in range(20000):
            if target.raw("SET", f"fill:{i}", "x" * 4000).startswith(b"-OOM"):
                break
    reply = move(source, target, "k")
    check(reply.startswith(b"-ERR Target instance replied with error: OOM command not allowed"), str(reply))
    equal(source.call("GET", "k"), b"v" * 1000, "kept")


def a_connection_is_kept_for_a_while(source, target):
    source.call("MSET", "a", "1", "b", "2", "c", "3")
    connections = int(target.info("total_connections_received"))
    for key in "ab":
        equal(move(source, target, key), b"+OK\r\n", "reply")
    equal(int(target.info("total_connections_received")), connections + 1, "connections made")
    equal(source.info("migrate_cached_sockets"), "1", "migrate_cached_sockets")
    # The target has closed it: the next migration makes another.
    target.raw("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    equal(move(source, target, "c"), b"+OK\r\n", "reply")
    eventually(lambda: source.info("migrate_cached_sockets") == "0", "an idle connection is kept for ever")


def events_and_watches(source, target):
    source.call("CONFIG", "SET", "notify-keyspace-events", "KEA")
    listener = Link(source.port)
    listener.exchange([(b"SUBSCRIBE", b"__keyevent@0__:del")])
    source.call("SET", "k", "v")
    watcher = Link(source.port)
    watcher.exchange([(b"WATCH", b"k"), (b"MULTI",), (b"PING",)])
    equal(move(source, target, "k"), b"+OK\r\n", "reply")
    equal(watcher.exchange([(b"EXEC",)])[0], b"*-1\r\n", "EXEC")
    replies = more_replies(listener, 1)
    check(replies[0].endswith(b"$1\r\nk\r\n") and b"message" in replies[0], str(replies))


def mistakes_are_told_alike(source, target):
    source.call("SET", "k", "v")
    here = ("MIGRATE", "127.0.0.1", target.port)
    for words in (("k", "x", "100"), ("k", "0", "y"), ("k", "x", "100", "FOO"), ("k", "0", "100", "KEYS", "k"), ("k", "0", "100", "AUTH"),
                  ("k", "0", "100", "AUTH2", "a"), ("k", "0", "100", "COPY", "KEYS"), ("k", "0")):
        reply = source.raw(*here, *words)
        wanted = (b"-ERR wrong number of arguments for 'migrate' command\r\n" if len(words) == 2 else
                  b"-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string\r\n" if "KEYS" in words else
                  b"-ERR syntax error\r\n" if len(words) > 3 else b"-ERR value is not an integer or out of range\r\n")
        equal(reply, wanted, str(words))
    equal(source.call("GET", "k"), b"v", "kept")


# ---- A Vedette as the source ----

class Listener:
    """A target that is not a server: answers each connection's bytes as a function says (None: hangs up), or not at all."""

    def __init__(self, answer):
        self.answer = answer
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(50)
        self.port = self.socket.getsockname()[1]
        self.received = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        kept = []
        while True:
            connection, _ = self.socket.accept()
            kept.append(connection)
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        while True:
            try:
                got = connection.recv(1 << 16)
                if not got:
                    return
                self.received.append(got)
                answer = self.answer(got)
                if answer is None:
                    return connection.close()
                connection.sendall(answer)
            except OSError:
                return


def nobody_is_there():
    source = vedette()
    source.call("SET", "k", "v")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for place in (port, 0, 70000):
        equal(move(source, place, "k"), b"-IOERR error or timeout connecting to the client\r\n", str(place))
    equal(source.raw("MIGRATE", "no.such.host.invalid", 1, "k", 0, 30000), b"-IOERR error or timeout connecting to the client\r\n", "a name")
    equal(source.call("GET", "k"), b"v", "kept")
    equal(source.info("migrate_cached_sockets"), "0", "migrate_cached_sockets")


def a_silent_target_holds_up_its_caller_only():
    source = vedette()
    source.call("SET", "k", "v")
    silent = Listener(lambda got: b"")
    caller = Link(source.port)
    send(caller, ("MIGRATE", "127.0.0.1", silent.port, "k", 0, 1500), ("GET", "k"))
    eventually(lambda: silent.received, "nothing is sent")
    equal(source.call("APPEND", "k", "w"), 2, "another client meanwhile")
    equal(source.info("blocked_clients"), "1", "blocked_clients")
    equal(more_replies(caller, 2), [b"-IOERR error or timeout reading to target instance\r\n", b"$2\r\nvw\r\n"], "replies")


def nonsense_and_hanging_up():
    source = vedette()
    source.call("SET", "k", "v")
    for answer in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"$5\r\nhello\r\n", b"+OK\r\n:1\r\n", b"*1\r\n*1\r\n*1\r\n", b"+" + b"x" * 100000, None,
                   b"+OK\r\n$-1\r\n", b"\x00\x01\x02\r\n"):
        target = Listener(lambda got: answer)
        equal(move(source, target.port, "k", timeout=2000), b"-IOERR error or timeout reading to target instance\r\n", repr(answer)[:60])
    equal(source.call("GET", "k"), b"v", "kept")


def keys_under_change_lose_no_increment():
    """Counters are incremented at the source while they move; who finds one gone goes on at the target. Nothing may be lost."""
    source, target = vedette(), vedette()
    names = [b"n:%d" % i for i in range(200)]
    source.connection.exchange([(b"SET", name, b"0") for name in names])
    stop = threading.Event()
    counts = [{name: 0 for name in names} for _ in range(3)]

    def increment(own):
        here = Link(source.port)
        while not stop.is_set():
            for name in names:
                # Only where the key still is: one that has moved must not come into being again.
                if here.exchange([(b"WATCH", name), (b"EXISTS", name)])[1] == b":1\r\n":
                    done = here.exchange([(b"MULTI",), (b"INCR", name), (b"EXEC",)])[2]
                    own[name] += done.startswith(b"*1\r\n")
                else:
                    here.exchange([(b"UNWATCH",)])

    threads = [threading.Thread(target=increment, args=(own,)) for own in counts]
    for thread in threads:
        thread.start()
    try:
        for _ in range(500):
            if move(source, target, "", "REPLACE", "KEYS", *names) == b"+NOKEY\r\n":
                break
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    equal(move(source, target, "", "REPLACE", "KEYS", *names) in (b"+OK\r\n", b"+NOKEY\r\n"), True, "the rest")
    equal(source.call("DBSIZE"), 0, "left at the source")
    for name in names:
        equal(int(target.call("GET", name)), sum(own[name] for own in counts), name)
    check(sum(map(sum, (own.values() for own in counts))) > 0, "nothing was incremented")


def the_secret_is_nowhere_shown():
    source, target = vedette(), redis()
    source.call("SET", "k", "v")
    source.call("CONFIG", "SET", "slowlog-log-slower-than", 0)
    monitor = Link(source.port)
    monitor.exchange([(b"MONITOR",)])
    move(source, target, "k", "AUTH", "hush-hush")
    move(source, target, "k", "AUTH2", "someone", "hush-hush")
    move(source, target, "k", "BAD", "AUTH", "hush-hush")
    source.call("ECHO", "end")
    lines = []
    while not lines or b'"end"' not in lines[-1]:
        lines += more_replies(monitor, 1)
    check(sum(b"(redacted)" in line for line in lines) == 3, str(lines))
    check(not any(b"hush" in line or b"someone" in line for line in lines), str(lines))
    check(b"hush" not in source.raw("SLOWLOG", "GET", 100), "SLOWLOG")
    check("hush" not in source.log(), "the server's log")


def replicas_see_the_deletion():
    source, target, replica = vedette(), redis(), redis()
    replica.call("REPLICAOF", "127.0.0.1", source.port)
    eventually(lambda: replica.info("master_link_status") == "up", "the replica does not come up")
    source.connection.exchange([(b"SET", b"k:%d" % i, b"v") for i in range(300)])
    equal(move(source, target, "", "KEYS", *(b"k:%d" % i for i in range(300))), b"+OK\r\n", "reply")
    equal(source.call("WAIT", 1, 30000), 1, "WAIT after it")
    equal(replica.call("DBSIZE"), 0, "at the replica")
    check(replica.raw("SET", "x", "1").startswith(b"-READONLY"), "the replica takes writes")


def not_inside_a_transaction():
    source, target = vedette(), vedette()
    source.call("SET", "k", "v")
    source.call("MULTI")
    source.call("MIGRATE", "127.0.0.1", target.port, "k", 0, 1000)
    reply = source.raw("EXEC")
    equal(reply, b"*1\r\n-ERR MIGRATE waits for the target, which is not possible inside a transaction or script\r\n", "reply")
    equal(source.call("GET", "k"), b"v", "kept")


def to_itself():
    server = vedette()
    server.call("SET", "k", "v")
    equal(move(server, server, "k"), b"-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n", "the same place")
    reply = move(server, server, "k", "REPLACE")
    equal((reply, server.call("GET", "k")), (b'-IOERR key changed while it was migrated: "k"\r\n', b"v"), "and with REPLACE")
    equal(move(server, server, "k", db=1), b"+OK\r\n", "another database")
    equal(server.call("EXISTS", "k"), 0, "moved")


BETWEEN = [a_key_moves_with_its_value, its_expiry_goes_along, a_copy_stays, an_occupied_key_needs_replace, one_refusal_does_not_stop_the_others,
           many_keys_move, databases, nothing_to_move, passwords, a_target_without_memory, a_connection_is_kept_for_a_while, events_and_watches,
           mistakes_are_told_alike]
ALONE = [nobody_is_there, a_silent_target_holds_up_its_caller_only, nonsense_and_hanging_up, keys_under_change_lose_no_increment,
         the_secret_is_nowhere_shown, replicas_see_the_deletion, not_inside_a_transaction, to_itself]


class Servers:
    """Those that a case has started. They end with it, and well."""

    def end(self, failed):
        problems = []
        while RUNNING:
            server = RUNNING.pop()
            try:
                server.kill() if failed else server.end()
            except Failed as problem:
                problems.append(str(problem))
        return problems

    def logs(self):
        return ""

    def clean(self):
        pass


def cases():
    for case in BETWEEN:
        for name, source, target in PAIRS:
            title = f"{case.__name__} {name}".replace("_", " ")
            yield title, (lambda _, case=case, source=source, target=target: case(source(), target())), ()
    for case in ALONE:
        yield case.__name__.replace("_", " "), (lambda _, case=case: case()), ()


if __name__ == "__main__":
    sys.exit(play_alone(list(cases()), Servers))
