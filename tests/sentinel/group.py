"""A group: one primary, its replicas and their sentinels, each a process of Vedette's or of Redis'.

Kinds are letters in a mix: "vvr-rrr" are two of our sentinels and one of Redis' that watch three Redis servers, the first
of them the primary. Every process has a folder and a file of configuration of its own, which it may rewrite and is started
again with. Redis' sentinel may stand in for ours (STAND_IN), which tells whether a test or our sentinel is wrong.
"""
import os
import re
import shutil
import signal
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "replication"), os.path.join(HERE, "..", "support")]
import certificates  # noqa: E402
import servers  # noqa: E402
import topology  # noqa: E402
from runner import Failed, Skipped  # noqa: E402
from servers import HungUp, ORACLE  # noqa: E402
from topology import REDIS, VEDETTE, Client, ServerError, check, check_equal, eventually, plain, same_data  # noqa: E402

__all__ = ["HungUp", "REDIS", "VEDETTE", "Client", "Failed", "ServerError", "Skipped", "check", "check_equal", "eventually", "plain", "same_data"]

KINDS = {"v": VEDETTE, "r": REDIS}
SENTINELS = {REDIS: ORACLE}  # the program of each kind; run.py adds Vedette's
NAME = "mymaster"
DOWN_AFTER = 1000  # milliseconds
FAILOVER_TIMEOUT = 4000
WORK = ""  # where npm installs; run.py says it
# Shorter than an operator would have them, so that a test waits less; every sentinel takes them by SENTINEL DEBUG.
PERIODS = ("info-period", 500, "ping-period", 200, "ask-period", 200, "publish-period", 300, "min-link-reconnect-period", 1000)


def play(server, sentinel):
    """Which programs are Vedette's; `redis`: Redis' plays it."""
    for programs, value in ((topology.BINARIES, server), (SENTINELS, sentinel)):
        programs[VEDETTE] = ORACLE if value == "redis" else os.path.abspath(shutil.which(value) or value)


def stand_in():
    """Whether another program than ours plays our sentinel: what only ours can do is not tested then."""
    return SENTINELS[VEDETTE] == ORACLE


def ours_only(why="which has none of this"):
    if stand_in():
        raise Skipped(f"our sentinel is played by Redis', {why}")


def our_servers_only():
    if topology.BINARIES[VEDETTE] == ORACLE:
        raise Skipped("our server is played by Redis', which has none of this")


def fields(reply):
    """A map that came as a flat array; names and values as text."""
    words = [word.decode("latin1") if isinstance(word, bytes) else word for word in reply]
    return dict(zip(words[::2], words[1::2]))


def info_fields(text):
    return dict(line.split(":", 1) for line in text.decode("latin1").splitlines() if ":" in line)


class Process(topology.Node):
    """A node that is started with a file of configuration, at an address of its own. `encrypted`: its port speaks TLS, and it has no
    other."""

    encrypted = False

    def __init__(self, kind, name, lines, place=None):
        """`place`: the Host of a Network where it runs; without one it is on loopback."""
        self.lines = lines
        self.place = place
        self.host = place.address if place else "127.0.0.1"
        super().__init__(kind, name=name)

    def link(self):
        if self.encrypted:
            return Client(self.port, certificates.client_context())
        return self.place.client(self.port) if self.place else super().link()

    def first_lines(self):
        lines = [f"bind {'0.0.0.0' if self.place else self.host}", "protected-mode no"]
        folder = f"dir {self.folder.name}"
        if not self.encrypted:
            return [*lines, f"port {self.port}", folder]
        options = certificates.server_options()
        return [*lines, "port 0", f"tls-port {self.port}", folder, "tls-replication yes",
                *(f"{name[2:]} {value}" for name, value in zip(options[::2], options[1::2]))]

    def configuration(self):
        return self.path("node.conf")

    def write_configuration(self, lines=None):
        with open(self.configuration(), "w", encoding="utf-8") as file:
            file.write("\n".join(map(str, lines or [*self.first_lines(), *self.lines])) + "\n")

    def read_configuration(self):
        with open(self.configuration(), encoding="utf-8", errors="replace") as file:
            return file.read()

    def words(self):
        return [*(self.place.prefix() if self.place else ()), self.binary, self.configuration()]

    def launch(self):
        """Starts the process without waiting for anything."""
        if not os.path.exists(self.configuration()):
            self.write_configuration()
        self.client = None
        with open(self.path("log"), "ab") as log:
            self.process = servers.subprocess.Popen(self.words(), stdin=servers.subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def start(self):
        self.launch()
        self.wait_until_ready()
        return self

    def restart(self):
        """After a kill."""
        check(not self.alive(), f"{self.name} is to be started while it runs")
        return self.start()


class DataNode(Process):
    """A server with data. `password`: its requirepass and masterauth."""

    password = None

    def first_lines(self):
        return [*super().first_lines(), 'save ""', "enable-debug-command yes", "repl-diskless-sync-delay 0",
                f"loglevel {'verbose' if self.kind == REDIS else 'notice'}"]

    def connect(self):
        client = self.link()
        if self.password:
            client.call("AUTH", self.password)
        return client

    def call(self, *words):
        """Again on a new connection when the kept one was closed: a sentinel kills the clients of who changes roles."""
        try:
            return super().call(*words)
        except HungUp:
            return super().call(*words)

    def role(self):
        return self.info("replication")["role"]

    def follows(self):
        replication = self.info("replication")
        return int(replication["master_port"]) if replication["role"] == "slave" else None


class Sentinel(Process):
    """A sentinel; commands are about the group NAME unless told otherwise."""

    def __init__(self, kind, name, lines, place=None):
        self.program = SENTINELS[kind]
        super().__init__(kind, name, lines, place)
        self.hurry()

    def start(self):
        if self.program == ORACLE and not os.path.exists(self.path("redis-sentinel")):
            os.symlink(ORACLE, self.path("redis-sentinel"))
        self.binary = self.path("redis-sentinel") if self.program == ORACLE else self.program
        return super().start()

    def hurry(self):
        self.call("SENTINEL", "DEBUG", *PERIODS)
        return self

    def restart(self):
        return super().restart().hurry()

    def sentinel(self, *words):
        return self.call("SENTINEL", *words)

    def master(self, name=NAME):
        return fields(self.sentinel("MASTER", name))

    def replicas(self, name=NAME):
        return [fields(reply) for reply in self.sentinel("REPLICAS", name)]

    def others(self, name=NAME):
        return [fields(reply) for reply in self.sentinel("SENTINELS", name)]

    def address(self, name=NAME):
        reply = self.sentinel("GET-MASTER-ADDR-BY-NAME", name)
        return reply and int(reply[1])

    def flags(self, port, name=NAME):
        """The flags of whoever listens there; None if it is not known."""
        for item in [self.master(name), *self.replicas(name), *self.others(name)]:
            if int(item["port"]) == port:
                return set(item["flags"].split(","))
        return None

    def is_down(self, port, name=NAME):
        flags = self.flags(port, name)
        return flags is not None and "s_down" in flags

    def can_reach_quorum(self, name=NAME):
        try:
            return self.sentinel("CKQUORUM", name).startswith(b"OK ")
        except ServerError:
            return False


class Events:
    """What a process publishes, as (channel, payload), from a thread. `pattern`: a channel, or a glob with a star."""

    def __init__(self, node, pattern="*"):
        self.client = node.connect()
        self.client.call("PSUBSCRIBE" if "*" in pattern else "SUBSCRIBE", pattern)
        self.seen = []
        self.times = []
        self.ended = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.ended:
                message = plain(topology.parse(self.client.next_reply()))
                self.times.append(time.monotonic())
                self.seen.append((message[-2].decode(), message[-1].decode("latin1")))
        except (OSError, HungUp, ValueError):
            pass

    def of(self, channel):
        return [payload for name, payload in list(self.seen) if name == channel]

    def names(self):
        return [name for name, _ in list(self.seen)]

    def wait_for(self, channel, text="", seconds=topology.DEADLINE):
        eventually(lambda: any(text in payload for payload in self.of(channel)),
                   lambda: f"{channel} with {text!r}; there came {self.seen}", seconds)
        return [payload for payload in self.of(channel) if text in payload][0]

    def stop(self):
        self.ended = True
        try:
            self.client.link.socket.shutdown(2)
        except OSError:
            pass
        self.thread.join(5)


class Group(topology.Topology):
    """The processes of one test. `nodes` are the servers and the sentinels, in the order in which they were made."""

    def __init__(self):
        super().__init__()
        self.servers = []
        self.sentinels = []
        self.password = None
        self.encrypted = False
        self.quorum = 2
        self.down_after = DOWN_AFTER
        self.expected_ends = {0, -9, -15}
        self.network = None

    # ---- Making ----

    def build(self, mix="vvv-vvv", server_lines=(), sentinel_lines=(), down_after=DOWN_AFTER, quorum=None, ready=True, each=None, places=()):
        """The whole group, ready. `each`: server's index -> more lines of its configuration. `places`: the hosts of the servers, then
        of the sentinels."""
        places = list(places) or [None] * len(mix)
        sentinels, _, data = mix.partition("-")
        self.down_after = down_after
        self.quorum = quorum or len(sentinels) // 2 + 1
        for i, letter in enumerate(data):
            lines = list(server_lines) + (each(i) if each else [])
            if i:
                lines.append(f"replicaof {self.servers[0].host} {self.servers[0].port}")
            self.server(KINDS[letter], lines, places.pop(0))
        for letter in sentinels:
            self.sentinel(KINDS[letter], self.monitor_lines() + list(sentinel_lines), places.pop(0))
        if ready:
            self.ready()
        return self

    def server(self, kind, lines=(), place=None):
        lines = list(lines)
        if self.password:
            lines += [f"requirepass {self.password}", f"masterauth {self.password}"]
        node = DataNode.__new__(DataNode)
        node.password = self.password
        node.encrypted = self.encrypted
        node.__init__(kind, f"server {len(self.servers)} ({kind})", lines, place)
        self.servers.append(node)
        self.nodes.append(node)
        return node

    def monitor_lines(self, name=NAME, primary=None):
        primary = primary or self.servers[0]
        return [f"sentinel monitor {name} {primary.host} {primary.port} {self.quorum}",
                f"sentinel down-after-milliseconds {name} {self.down_after}",
                f"sentinel failover-timeout {name} {FAILOVER_TIMEOUT}",
                *([f"sentinel auth-pass {name} {self.password}"] if self.password else [])]

    def sentinel(self, kind=VEDETTE, lines=(), place=None):
        node = Sentinel.__new__(Sentinel)
        node.encrypted = self.encrypted
        node.__init__(kind, f"sentinel {len(self.sentinels)} ({kind})", list(lines), place)
        self.sentinels.append(node)
        self.nodes.append(node)
        return node

    def events(self, sentinel, pattern="*"):
        return self.add(Events(sentinel, pattern))

    # ---- Asking ----

    def living_sentinels(self):
        return [s for s in self.sentinels if s.alive()]

    def living_servers(self):
        return [s for s in self.servers if s.alive()]

    def at(self, port):
        return [s for s in self.servers if s.port == port][0]

    def primary(self):
        """The server that all living sentinels call the primary, once they agree."""
        found = {}

        def agreed():
            found["ports"] = {s.address() for s in self.living_sentinels()}
            return len(found["ports"]) == 1
        eventually(agreed, lambda: f"the sentinels agree on a primary: {found}")
        return self.at(found["ports"].pop())

    def ready(self, seconds=topology.DEADLINE):
        """Every living sentinel sees one primary, all living servers and all living sentinels well, and the same configuration."""
        self.last_look = ""
        eventually(self.is_ready, lambda: f"the group is ready: {self.last_look}", seconds)
        return self

    def is_ready(self):
        addresses, epochs = set(), set()
        servers_up = {s.port for s in self.living_servers()}
        for sentinel in self.living_sentinels():
            self.last_look = f"{sentinel.name}: "
            master, replicas, others = sentinel.master(), sentinel.replicas(), sentinel.others()
            self.last_look += f"{master}\n  {replicas}\n  {others}"
            addresses.add(int(master["port"]))
            epochs.add(master["config-epoch"])
            if master["flags"] != "master" or int(master["port"]) not in servers_up:
                return False
            well = {int(r["port"]) for r in replicas if r["flags"] == "slave" and r["master-link-status"] == "ok"
                    and r["master-port"] == master["port"]}
            if well & servers_up != servers_up - {int(master["port"])}:
                return False
            well = {int(o["port"]) for o in others if o["flags"] == "sentinel"}
            if well & {s.port for s in self.living_sentinels()} != {s.port for s in self.living_sentinels()} - {sentinel.port}:
                return False
        self.last_look = f"addresses {addresses}, epochs {epochs}"
        return len(addresses) == 1 and len(epochs) == 1

    def has_failed_over(self, old, seconds=topology.DEADLINE):
        """The new primary: all living sentinels name it, another than `old`, and it says that it is one."""
        eventually(lambda: all(s.address() != old.port for s in self.living_sentinels()),
                   lambda: f"a new primary in place of {old.name} ({old.port}): {[s.address() for s in self.living_sentinels()]}", seconds)
        primary = self.primary()
        eventually(lambda: primary.role() == "master", f"{primary.name} is the primary", seconds)
        return primary

    def converged(self, primary=None, seconds=topology.DEADLINE):
        """Ready, and the servers themselves agree: one primary, all others follow it, with the same data."""
        self.ready(seconds)
        now = self.primary()
        check(primary is None or primary is now, lambda: f"the primary is {now.name}, not {primary.name}")
        others = [s for s in self.living_servers() if s is not now]
        check_equal(now.role(), "master", f"role of {now.name}")
        for other in others:
            eventually(lambda: other.follows() == now.port, lambda: f"{other.name} follows {now.name}: {other.info('replication')}")
        same_data(now, *others)
        return now

    def write(self, node, count=200, prefix="k"):
        client = node.connect()
        for reply in client.pipeline([("SET", f"{prefix}:{i}", f"{prefix} {i}") for i in range(count)]):
            check(reply == b"OK", lambda: f"a write to {node.name}: {reply}")
        client.close()

    def holds(self, node, count=200, prefix="k"):
        client = node.connect()
        found = client.pipeline([("GET", f"{prefix}:{i}") for i in range(count)])
        client.close()
        wrong = [i for i, value in enumerate(found) if value != f"{prefix} {i}".encode()]
        check(not wrong, lambda: f"{node.name} lacks {len(wrong)} of {count} keys {prefix}:*, the first {wrong[:3]}")

    # ---- Ending ----

    def end(self, failed):
        for thing in self.others:
            thing.stop()
        problems = []
        for node in [*self.sentinels, *reversed(self.servers)]:
            if not node.process:
                continue
            if not node.alive():
                if node.process.returncode not in self.expected_ends:
                    problems.append(f"{node.name} ended with {node.process.returncode}")
                continue
            node.process.send_signal(signal.SIGCONT)
            if failed or not node.is_vedette:
                node.kill()
                continue
            if isinstance(node, DataNode):
                try:
                    node.config("shutdown-timeout", 0)
                except (ServerError, OSError, HungUp) as error:
                    problems.append(f"{node.name}: {error}")
            code = node.stop()  # its exit code tells a sanitizer's finding
            if code != 0:
                problems.append(f"{node.name} ends with {code}:\n{node.log()[-3000:]}")
        if self.network:
            self.network.stop()
        for node in self.nodes:  # a sanitizer that was told to go on
            found = re.search(r"ERROR: AddressSanitizer|runtime error:", node.log())
            if found:
                problems.append(f"{node.name} logs {found.group()}")
        return problems
