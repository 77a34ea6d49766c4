"""FAILOVER between servers of both kinds, with and without a load."""
import threading

from proxy import Proxy
from topology import REDIS, VEDETTE, Failed, HungUp, ServerError, check, check_equal, eventually, in_sync, same_data

V, R = VEDETTE, REDIS


class Counter:
    """Increments a key at whoever is the primary; what was acknowledged must not be lost."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.acknowledged = 0
        self.unknown = 0
        self.halt = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        at = 0
        clients = [node.connect() for node in self.nodes]
        while not self.halt.wait(0.001):
            try:
                clients[at].call("INCR", "counter")
                self.acknowledged += 1
            except ServerError as error:
                if not str(error).startswith("READONLY") and not str(error).startswith("UNBLOCKED"):
                    raise
                at = (at + 1) % len(clients)
            except (OSError, HungUp):
                self.unknown += 1
                clients[at] = self.nodes[at].connect()

    def stop(self):
        self.halt.set()
        self.thread.join()


def errors_beside_redis(servers):
    nodes = [servers.node(V), servers.node(R)]
    commands = [("FAILOVER",), ("FAILOVER", "ABORT"), ("FAILOVER", "TIMEOUT", 0), ("FAILOVER", "TIMEOUT", -1), ("FAILOVER", "TIMEOUT", "x"),
                ("FAILOVER", "TIMEOUT"), ("FAILOVER", "TO", "127.0.0.1"), ("FAILOVER", "TO", "127.0.0.1", "x"), ("FAILOVER", "TO", "127.0.0.1", 1),
                ("FAILOVER", "TO", "127.0.0.1", 1, "FORCE"), ("FAILOVER", "FORCE"), ("FAILOVER", "FORCE", "TIMEOUT", 10), ("FAILOVER", "ABORT", "TIMEOUT", 10),
                ("FAILOVER", "nonsense"), ("FAILOVER", "TIMEOUT", 1, "TIMEOUT", 2), ("FAILOVER", "ABORT", "ABORT"), ("FAILOVER", "TO", "a", 1, "TO", "b", 2)]

    def compare(what):
        for command in commands:
            mine, theirs = (node.connect().raw(*command) for node in nodes)
            check_equal(mine, theirs, f"{what}: reply to {command}")
    compare("without replicas")
    replicas = [servers.node(V), servers.node(R)]
    for node, replica in zip(nodes, replicas):
        replica.follow(node)
        in_sync(node, replica)
    commands[:] = [command for command in commands if command != ("FAILOVER",)]
    compare("with a replica")
    nodes[:] = replicas
    commands.append(("FAILOVER",))
    compare("of a replica")


def roles_change(servers, pair, how):
    primary, replica = (servers.node(kind) for kind in pair)
    third = servers.vedette()
    replica.follow(primary)
    third.follow(primary)
    in_sync(primary, replica, third)
    if how == "plain":
        third.kill()
        eventually(lambda: primary.info("replication")["connected_slaves"] == "1", "one replica is left")
    counter = servers.add(Counter([primary, replica]))
    eventually(lambda: counter.acknowledged > 50, "the counter counts")
    full = primary.full_syncs() + replica.full_syncs()
    words = {"plain": (), "to": ("TO", "127.0.0.1", replica.port), "timed": ("TO", "127.0.0.1", replica.port, "TIMEOUT", 20000),
             "forced": ("TO", "127.0.0.1", replica.port, "TIMEOUT", 20000, "FORCE")}[how]
    check_equal(primary.call("FAILOVER", *words), b"OK", "FAILOVER")
    eventually(lambda: replica.info("replication")["role"] == "master" and primary.info("replication")["role"] == "slave", "the roles have changed")
    eventually(primary.link_up, "the former primary follows")
    check_equal(primary.info("replication")["master_failover_state"], "no-failover", "state after it")
    before = counter.acknowledged
    eventually(lambda: counter.acknowledged > before + 50, "the counter counts on")
    counter.stop()
    total = int(replica.call("GET", "counter"))
    check(counter.acknowledged <= total <= counter.acknowledged + counter.unknown, f"{counter.acknowledged} acknowledged (and {counter.unknown} "
          f"unknown), {total} counted")
    same_data(replica, primary)
    check_equal(primary.full_syncs() + replica.full_syncs(), full, "full synchronizations")


def a_target_that_does_not_catch_up(servers, how):
    primary, replica = servers.vedette(), servers.vedette()
    proxy = servers.add(Proxy(primary.port))
    replica.follow(proxy)
    in_sync(primary, replica)
    proxy.stall()
    primary.call("SET", "a", "b")
    words = ("TIMEOUT", 300) if how == "timeout" else ()
    check_equal(primary.call("FAILOVER", "TO", "127.0.0.1", replica.port, *words), b"OK", "FAILOVER")
    writer = primary.connect()
    writer.send(("SET", "a", "c"))
    if how == "abort":
        check_equal(primary.info("replication")["master_failover_state"], "waiting-for-sync", "state")
        check_equal(primary.error("FAILOVER"), "ERR FAILOVER already in progress.", "a second one")
        check_equal(primary.error("REPLICAOF", "127.0.0.1", 1), "ERR REPLICAOF not allowed while failing over.", "REPLICAOF meanwhile")
        check_equal(primary.call("GET", "a"), b"b", "a write waits meanwhile")
        check_equal(primary.call("FAILOVER", "ABORT"), b"OK", "FAILOVER ABORT")
    check_equal(writer.next_reply(), b"+OK\r\n", "the write that waited")
    eventually(lambda: primary.info("replication")["master_failover_state"] == "no-failover", "it is over")
    check_equal(primary.info("replication")["role"], "master", "role")
    proxy.resume()
    same_data(primary, replica)


def a_forced_failover_to_a_lagging_target(servers):
    primary, replica = servers.vedette(), servers.vedette()
    proxy = servers.add(Proxy(primary.port))
    replica.follow(proxy)
    in_sync(primary, replica)
    primary.call("SET", "held", "by both")
    in_sync(primary, replica)
    proxy.stall()
    primary.call("SET", "lost", "as asked")
    check_equal(primary.call("FAILOVER", "TO", "127.0.0.1", replica.port, "TIMEOUT", 200, "FORCE"), b"OK", "FAILOVER")
    eventually(lambda: replica.info("replication")["role"] == "master", "the target took over")
    eventually(primary.link_up, "the former primary follows")
    proxy.stop()
    same_data(replica, primary)
    check_equal((primary.call("GET", "held"), primary.call("GET", "lost")), (b"by both", None), "what is left")


def a_target_that_refuses(servers):
    """It became a primary by itself just before: the failover is given up, and no write is lost."""
    primary, replica = servers.vedette(), servers.vedette()
    replica.follow(primary)
    in_sync(primary, replica)
    replica.call("CONFIG", "SET", "requirepass", "secret")  # the primary has no masterauth
    primary.call("SET", "a", "b")
    check_equal(primary.call("FAILOVER", "TO", "127.0.0.1", replica.port, "TIMEOUT", 3000), b"OK", "FAILOVER")
    eventually(lambda: primary.info("replication")["master_failover_state"] == "no-failover", "it is given up")
    eventually(lambda: primary.info("replication")["role"] == "master", "the primary is one again")
    check_equal(primary.call("SET", "a", "c"), b"OK", "a write")
    admin = replica.connect()
    admin.call("AUTH", "secret")
    admin.call("CONFIG", "SET", "requirepass", "")
    same_data(primary, replica)


CASES = [
    (errors_beside_redis, None),
    (roles_change, [(pair, how) for pair in ((V, V), (V, R), (R, V)) for how in ("plain", "to", "timed", "forced")]),
    (a_target_that_does_not_catch_up, ["timeout", "abort"]),
    (a_forced_failover_to_a_lagging_target, None),
    (a_target_that_refuses, None),
]
