"""Servers of both kinds, put together: nodes that keep their folder and port over restarts, loads, comparisons.

Nothing here sleeps for a fixed time: eventually() asks until a condition holds, with a deadline.
"""
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import servers  # noqa: E402
from resp import ServerError, parse, plain  # noqa: E402
from runner import Failed, check  # noqa: E402
from servers import HungUp, Link, ORACLE, TlsLink  # noqa: E402

DEADLINE = 90.0  # seconds for a condition; a sanitizer build on a busy machine is slow
DATABASES = (0, 1, 9)
VEDETTE, REDIS = "vedette", "redis"
BINARIES = {REDIS: ORACLE}  # run.py adds Vedette's
FAR_MS = 5000000  # an expiry that no test lives to see


def check_equal(mine, wanted, what):
    check(mine == wanted, lambda: f"{what}:\n  is     {mine!r}\n  wanted {wanted!r}")


def eventually(condition, text, seconds=DEADLINE):
    """Asks until it holds. Links that break meanwhile count as "not yet"."""
    end = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (OSError, HungUp, ServerError):
            pass
        if time.monotonic() > end:
            raise Failed("in vain: " + (text() if callable(text) else text))
        time.sleep(0.01)


def encoded(word):
    return word if isinstance(word, bytes) else str(word).encode()


class Client:
    """One connection that answers in Python values; with a `context` through TLS."""

    def __init__(self, port, context=None):
        self.link = TlsLink(port, context) if context else Link(port)

    def raw(self, *words):
        return self.link.exchange([[encoded(word) for word in words]])[0]

    def call(self, *words):
        value = plain(parse(self.raw(*words)))
        if isinstance(value, ServerError):
            raise value
        return value

    def pipeline(self, commands):
        return [plain(parse(reply)) for reply in self.link.exchange([[encoded(w) for w in c] for c in commands])]

    def send(self, *commands):
        """Without waiting for the replies: next_reply() takes them."""
        self.link._begin([[encoded(word) for word in command] for command in commands])
        sent = self.link.socket.send(self.link.out)
        check_equal(sent, len(self.link.out), "bytes sent at once")
        self.link.out = None

    def next_reply(self):
        """One that comes without being asked for."""
        replies = []
        while not replies:
            self.link._next_replies(replies, 1)  # takes one, if one is there; else waits for bytes
        return replies[0]

    def close(self):
        self.link.close()


PORTS = list(range(21000, 30000))  # below those that the system gives to whoever connects
taking_a_port = threading.Lock()
random.shuffle(PORTS)


def free_port():
    """One that nobody listens on, and that this run has not given away before."""
    with taking_a_port:
        while True:
            port = PORTS.pop()
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
                PORTS.insert(0, port)  # after all others it may be taken again
                return port


class Node(servers.Server):
    """A server that keeps its folder, port and options when it is started again."""

    def __init__(self, kind, *options, name=None):
        self.kind = kind
        self.options = [str(option) for option in options]
        self.port = free_port()
        self.client = None
        super().__init__(name or kind, BINARIES[kind])

    @property
    def is_vedette(self):
        return self.kind == VEDETTE

    def start(self, *more, config=None):
        """`config`: a file to be started with, in place of the options."""
        common = ["--bind", "127.0.0.1", "--port", self.port, "--dir", self.folder.name, "--save", "", "--enable-debug-command", "yes",
                  "--repl-diskless-sync-delay", "0", "--loglevel", "verbose" if self.kind == REDIS else "notice"]
        words = [self.binary, *([config] if config else [*common, *self.options]), *more]
        self.client = None
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait_until_ready()
        return self

    def wait_until_ready(self):
        end = time.monotonic() + servers.DEADLINE
        while True:
            check(self.alive(), lambda: f"{self.name} did not start:\n{self.log()}")
            try:
                if b"LOADING" not in self.link().raw("PING"):
                    return
            except (OSError, HungUp):
                pass
            check(time.monotonic() < end, lambda: f"{self.name} did not become ready:\n{self.log()}")
            time.sleep(0.01)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def link(self):
        """A connection as it is made, before anything was said on it."""
        return Client(self.port)

    def connect(self):
        return self.link()

    def call(self, *words):
        """On a connection that is kept; made anew when it broke."""
        try:
            if self.client is None:
                self.client = self.connect()
            return self.client.call(*words)
        except (OSError, HungUp):
            if self.client:
                self.client.close()
            self.client = None
            raise

    def pipeline_of(self, *commands):
        return self.connect().pipeline(commands)

    def error(self, *words):
        """The text of the error that the command is answered with."""
        try:
            value = self.call(*words)
        except ServerError as error:
            return str(error)
        raise Failed(f"{self.name} answers {words} with {value!r}, not with an error")

    def config(self, name, value):
        self.call("CONFIG", "SET", name, value)

    def info(self, section="everything"):
        fields = {}
        for line in self.call("INFO", section).decode("latin1").splitlines():
            name, colon, value = line.partition(":")
            if colon:
                fields[name] = value
        return fields

    def offset(self):
        return int(self.info("replication")["master_repl_offset"])

    def follow(self, primary):
        return self.call("REPLICAOF", "127.0.0.1", primary.port)

    def promote(self):
        return self.call("REPLICAOF", "NO", "ONE")

    def link_up(self):
        return self.info("replication").get("master_link_status") == "up"

    def sends_snapshot(self):
        return self.info("persistence")["rdb_bgsave_in_progress"] == "1"

    def full_syncs(self):
        return int(self.info("stats")["sync_full"])

    def partial_syncs(self):
        return int(self.info("stats")["sync_partial_ok"])

    def wait_for_log(self, text, seconds=DEADLINE, after=0):
        eventually(lambda: text in self.log()[after:], lambda: f"{self.name} logs {text!r}; it logs\n{self.log()[after:][-3000:]}", seconds)

    def crash(self):
        self.kill()

    def shutdown(self, *how):
        """SHUTDOWN, and that it ends well."""
        try:
            value = self.connect().call("SHUTDOWN", *how)
            raise Failed(f"SHUTDOWN answers {value!r}")
        except (OSError, HungUp):
            pass
        check_equal(self.wait_for_end(), 0, f"exit code of {self.name}")

    def wait_for_end(self):
        try:
            return self.process.wait(servers.DEADLINE)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} does not end:\n{self.log()[-3000:]}") from None

    def memory(self):
        """Bytes of memory that the process has at present."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise Failed(f"{self.name} tells no memory")

    def freeze(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.process.pid, signal.SIGCONT)


class Topology:
    """The nodes of one test; all of them end with it."""

    def __init__(self):
        self.nodes = []
        self.others = []

    def node(self, kind, *options):
        node = Node(kind, *options, name=f"{kind} {chr(ord('A') + len(self.nodes))}")
        self.nodes.append(node)
        return node

    def vedette(self, *options):
        return self.node(VEDETTE, *options)

    def redis(self, *options):
        return self.node(REDIS, *options)

    def add(self, thing):
        """Something else with a stop()."""
        self.others.append(thing)
        return thing

    def load(self, node, seed, **how):
        return self.add(Load(node, seed, **how))

    def end(self, failed):
        for thing in self.others:
            thing.stop()
        problems = []
        for node in self.nodes:
            if not node.alive():
                if node.process.returncode not in (0, -9, -15):
                    problems.append(f"{node.name} ended with {node.process.returncode}")
                continue
            node.process.send_signal(signal.SIGCONT)
            if failed or not node.is_vedette:
                node.kill()
                continue
            node.config("shutdown-timeout", 0)
            eventually(lambda: node.info("persistence")["aof_rewrite_in_progress"] == "0", "a log that was begun is whole")  # no end before
            code = node.stop()  # its exit code tells a sanitizer's finding
            if code != 0:
                problems.append(f"{node.name} ends with {code}:\n{node.log()[-3000:]}")
        return problems

    def logs(self):
        return "\n".join(f"--- log of {node.name} (port {node.port})\n{node.log()[-4000:]}" for node in self.nodes)

    def clean(self):
        for node in self.nodes:
            node.kill()
            try:
                node.folder.cleanup()
            except OSError:  # a child of the oracle was still writing there
                shutil.rmtree(node.folder.name, ignore_errors=True)


# ---- Data ----

def dataset(node):
    """Everything that is held: (database, key) -> value and absolute expiry."""
    content = {}
    client = node.connect()
    for db in DATABASES:
        client.call("SELECT", db)
        keys = sorted(client.call("KEYS", "*"))
        replies = client.pipeline([("GET", key) for key in keys] + [("PEXPIRETIME", key) for key in keys])
        for i, key in enumerate(keys):
            if replies[i] is not None:  # expired in between
                content[db, key] = (replies[i], replies[len(keys) + i])
    client.close()
    return content


def difference(mine, theirs):
    keys = [key for key in sorted(set(mine) | set(theirs)) if mine.get(key) != theirs.get(key)]
    shown = [f"{key}: {str(mine.get(key))[:60]} / {str(theirs.get(key))[:60]}" for key in keys[:5]]
    return f"{len(mine)} and {len(theirs)} keys, {len(keys)} differ: " + "; ".join(shown)


def in_sync(primary, *replicas):
    """All of them at the same offset, each link up."""
    def holds():
        at = primary.offset()
        return all(r.link_up() and r.offset() == at for r in replicas)

    def why():
        return f"{primary.name} in sync with {[r.name for r in replicas]}: {primary.info('replication')}" + "".join(
            f"\n  {r.name}: {r.info('replication')}" for r in replicas)
    eventually(holds, why)


def same_data(primary, *replicas):
    """In sync, and then the same keys, values and expiries."""
    in_sync(primary, *replicas)
    for replica in replicas:
        last = {}

        def same():
            last["text"] = ""
            mine, theirs = dataset(primary), dataset(replica)
            if mine != theirs:
                last["text"] = difference(mine, theirs)
            return mine == theirs
        # Once more if a key expired while it was being asked for.
        eventually(same, lambda: f"{primary.name} and {replica.name} hold the same: {last['text']}", 5)


def fill(node, keys=3000, big=3, seed=1):
    rng = random.Random(seed)
    client = node.connect()
    for db in DATABASES:
        commands = [("SELECT", db)]
        for i in range(keys // len(DATABASES)):
            expiry = ("PX", FAR_MS + rng.randrange(100000)) if i % 3 == 0 else ()
            commands.append(("SET", f"fill:{i}", rng.randbytes(rng.randrange(4, 120)), *expiry))
        commands += [("SET", f"big:{i}", rng.randbytes(400000)) for i in range(big)]
        for reply in client.pipeline(commands):
            check(reply == b"OK", f"fill: {reply}")
    client.close()


def batch(rng):
    """Some writes of all kinds, a transaction among them."""
    def key():
        return f"k:{rng.randrange(300)}"

    def value():
        return rng.randbytes(rng.choice((1, 8, 40, 500)))
    commands = []
    for _ in range(rng.randrange(8, 20)):
        kind = rng.randrange(17)
        if kind < 3:
            commands.append(("SET", key(), value()))
        elif kind == 3:
            commands.append(("SET", key(), value(), "PX", FAR_MS + rng.randrange(10000)))
        elif kind == 4:
            commands.append(("SET", f"soon:{rng.randrange(50)}", value(), "PX", rng.randrange(1, 80)))
        elif kind == 5:
            commands.append(("INCR", f"n:{rng.randrange(50)}"))
        elif kind == 6:
            commands.append(("APPEND", key(), value()))
        elif kind == 7:
            commands.append(("DEL", key(), key()))
        elif kind == 8:
            commands += [("MULTI",), ("SET", key(), value()), ("INCR", f"n:{rng.randrange(50)}"), ("DEL", key()), ("EXEC",)]
        elif kind == 9:
            commands.append(("EXPIRE", key(), rng.randrange(5000, 9000)))
        elif kind == 10:
            commands.append(("PERSIST", key()))
        elif kind == 11:
            commands += [("SELECT", rng.choice(DATABASES))]
        elif kind == 12:
            commands += [("SET", "from", value()), ("RENAME", "from", key())]
        elif kind == 13:
            commands.append(("SETRANGE", key(), rng.randrange(10), value()))
        elif kind == 14:
            commands.append(("INCRBYFLOAT", f"f:{rng.randrange(20)}", "0.5"))
        elif kind == 15:
            commands.append(("PUBLISH", "news", "x"))
        elif rng.randrange(6) == 0:
            commands.append(rng.choice((("SWAPDB", 1, 9), ("FLUSHDB",), ("MSET", key(), value(), key(), value()), ("GETDEL", key()))))
    return commands


class Load:
    """Writes until it is stopped, at a bounded rate, in a thread of its own."""

    def __init__(self, node, seed, pause=0.003):
        self.client = node.connect()
        self.rng = random.Random(seed)
        self.pause = pause
        self.commands = 0
        self.error = None
        self.halt = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.halt.wait(self.pause):
                for reply in self.client.pipeline(batch(self.rng)):
                    self.commands += 1
                    if isinstance(reply, ServerError):
                        raise reply
        except (OSError, HungUp, ServerError) as error:
            self.error = error

    def stop(self):
        """How many commands were answered; the first error is in `error`."""
        self.halt.set()
        self.thread.join()
        return self.commands

    def has_done(self, commands):
        """Waits until that many more have been answered."""
        wanted = self.commands + commands
        eventually(lambda: self.commands >= wanted or self.error, f"the load does {commands} commands")
        check(self.error is None, lambda: f"the load: {self.error}")

    def finish(self):
        self.stop()
        check(self.error is None, lambda: f"the load: {self.error}")
