"""Commands and settings of replication, beside Redis 7.0.15 where it has them."""
import os
import re
import socket

from proxy import Proxy
from topology import REDIS, VEDETTE, Failed, ServerError, check, check_equal, dataset, eventually, fill, in_sync, same_data

V, R = VEDETTE, REDIS
OURS = ("replica_refuses_rollback", "replica_refuses_rollback_reason", "replica_zone", "shutdown_requested", "lease_state",
        "lease_milliseconds", "lease_grants", "lease_voters", "lease_left_ms")


def both(servers, *options):
    return servers.vedette(*options), servers.redis(*options)


def raw_replies(node, commands, ports=()):
    """As bytes; ports that differ between the servers are made equal."""
    client = node.connect()
    replies = []
    for command in commands:
        reply = client.raw(*command)
        for port in ports:
            reply = reply.replace(str(port).encode(), b"PORT")
        replies.append(reply)
    client.close()
    return replies


def compare(nodes, commands):
    mine, theirs = (raw_replies(node, commands) for node in nodes)
    for command, a, b in zip(commands, mine, theirs):
        check_equal(a, b, f"reply to {command}")


def replicaof_and_its_errors(servers):
    nodes = both(servers)
    compare(nodes, [("REPLICAOF", "127.0.0.1", "x"), ("REPLICAOF", "127.0.0.1", "-1"), ("REPLICAOF", "127.0.0.1", "65536"),
                    ("REPLICAOF", "127.0.0.1"), ("REPLICAOF", "no", "one"), ("SLAVEOF", "NO", "ONE"), ("REPLICAOF", "127.0.0.1", "1"),
                    ("REPLICAOF", "127.0.0.1", "1"), ("SLAVEOF", "127.0.0.1", "1"), ("REPLICAOF", "127.0.0.2", "1"),
                    ("SET", "a", "b"), ("WAIT", "0", "0"), ("REPLICAOF", "NO", "ONE"), ("SET", "a", "b"), ("WAIT", "0", "0"), ("WAIT", "0", "-1"),
                    ("WAIT", "x", "0"), ("WAIT", "0"), ("WAIT", "1", "10"), ("ROLE", "x"),
                    ("CONFIG", "SET", "replicaof", "127.0.0.1 1"), ("CONFIG", "GET", "replicaof")])


def replconf_in_all_forms(servers):
    nodes = both(servers)
    forms = [("REPLCONF",), ("REPLCONF", "listening-port"), ("REPLCONF", "listening-port", "1234"), ("REPLCONF", "listening-port", "x"),
             ("REPLCONF", "LISTENING-PORT", "1"), ("REPLCONF", "listening-port", "-5"), ("REPLCONF", "ip-address", "1.2.3.4"),
             ("REPLCONF", "ip-address", "x" * 300), ("REPLCONF", "ip-address", ""), ("REPLCONF", "capa", "eof"), ("REPLCONF", "capa", "psync2", "capa", "nonsense"),
             ("REPLCONF", "capa"), ("REPLCONF", "nonsense", "1"), ("REPLCONF", "capa", "eof", "nonsense", "1"), ("REPLCONF", "rdb-only", "1"),
             ("REPLCONF", "rdb-only", "0"), ("REPLCONF", "rdb-only", "x"), ("REPLCONF", "rdb-only", "2"), ("REPLCONF", "rdb-filter-only", ""),
             ("REPLCONF", "rdb-filter-only", "functions"), ("REPLCONF", "rdb-filter-only", "nonsense"), ("REPLCONF", "listening-port", "1", "ip-address"),
             ("replconf", "Capa", "EOF")]
    compare(nodes, forms)
    # Those that give no reply: the next reply is the PING's.
    for quiet in (("REPLCONF", "ACK", "0"), ("REPLCONF", "ACK", "x"), ("REPLCONF", "ACK", "5", "FACK", "5"), ("REPLCONF", "GETACK", "*"),
                  ("REPLCONF", "listening-port", "7", "ACK", "1"), ("REPLCONF", "getack", "")):
        replies = []
        for node in nodes:
            client = node.connect()
            replies.append(client.link.exchange_until([[word.encode() for word in quiet]], b"marker"))
        check_equal(replies[0], replies[1], f"replies to {quiet}")


def field_names(node):
    names = [line.split(":")[0] for line in node.call("INFO", "replication").decode().splitlines() if ":" in line]
    return [name for name in names if name not in OURS]


def info_and_role_in_each_role(servers):
    """A and B of each kind, and C below B: the same fields in the same order, the same shapes."""
    shapes = {}
    for kind in (V, R):
        a, b, c = (servers.node(kind) for _ in range(3))
        alone = (field_names(a), a.call("ROLE"))
        b.follow(a)
        in_sync(a, b)
        c.follow(b)
        in_sync(a, b, c)
        a.call("SET", "a", "b")
        eventually(lambda: f"state=online,offset={a.offset()}," in a.info("replication")["slave0"], "the replica has acknowledged")
        in_sync(a, b, c)
        row = a.call("ROLE")[2][0]
        check_equal(row, [b"127.0.0.1", str(b.port).encode(), str(a.offset()).encode()], "a row of ROLE")
        check_equal(b.call("ROLE"), [b"slave", b"127.0.0.1", a.port, b"connected", a.offset()], "ROLE of a replica")
        slave0 = re.sub(r"[0-9]+", "N", a.info("replication")["slave0"])
        values = [(name, a.info("replication")[name]) for name in ("role", "connected_slaves", "master_failover_state", "second_repl_offset", "repl_backlog_active", "repl_backlog_size")]
        replica = b.info("replication")
        values += [(name, replica[name]) for name in ("role", "master_link_status", "master_sync_in_progress", "slave_priority", "slave_read_only", "replica_announced", "connected_slaves", "second_repl_offset", "repl_backlog_active")]
        fields = [field_names(node) for node in (a, b, c)]
        a.kill()
        eventually(lambda: not b.link_up(), "the link is down")
        down = [name for name in field_names(b)]
        state = b.call("ROLE")
        check(state[3] in (b"connect", b"connecting") and state[4] == -1 or kind == R, f"ROLE of a replica without its primary: {state}")
        shapes[kind] = (alone, slave0, values, fields, down)
    for mine, theirs in zip(shapes[V], shapes[R]):
        check_equal(mine, theirs, "fields")


def wait_counts_replicas(servers, kinds):
    primary = servers.vedette()
    check_equal(primary.call("WAIT", 0, 0), 0, "WAIT 0")
    replicas = [servers.node(kind) for kind in kinds]
    proxy = servers.add(Proxy(primary.port))
    replicas[0].follow(primary)
    replicas[1].follow(proxy)
    in_sync(primary, *replicas)
    primary.call("SET", "a", 1)
    check_equal(primary.call("WAIT", 2, 20000), 2, "WAIT for both")
    check_equal(primary.call("WAIT", 1, 0), 2, "WAIT for one, when both have it")
    proxy.stall()
    primary.call("SET", "a", 2)
    check_equal(primary.call("WAIT", 1, 20000), 1, "WAIT for one of two")
    check_equal(primary.call("WAIT", 2, 50), 1, "WAIT for both, in vain")
    waiter = primary.connect()
    waiter.call("SET", "a", 3)
    waiter.send(("WAIT", 2, 0))
    proxy.resume()
    check_equal(waiter.next_reply(), b":2\r\n", "WAIT without end")
    check_equal(primary.connect().call("WAIT", 2, 0), 2, "a client that wrote nothing")
    check(primary.pipeline_of(("MULTI",), ("SET", "a", 4), ("WAIT", 2, 0), ("EXEC",))[-1][1] in (0, 1, 2), "WAIT in a transaction does not wait")
    check(str(replicas[0].error("WAIT", 0, 0)).startswith("ERR WAIT cannot be used with replica instances"), "WAIT on a replica")


def waitaof_counts_logs(servers):
    primary = servers.vedette("--appendonly", "yes", "--appendfsync", "everysec")
    replica = servers.vedette("--appendonly", "yes", "--appendfsync", "always")
    replica.follow(primary)
    in_sync(primary, replica)
    primary.call("SET", "a", 1)
    check_equal(primary.call("WAITAOF", 1, 1, 20000), [1, 1], "WAITAOF 1 1")
    primary.call("SET", "a", 2)
    check_equal(primary.call("WAITAOF", 0, 1, 20000)[1], 1, "WAITAOF 0 1")
    other = servers.vedette()
    other.follow(primary)
    in_sync(primary, other)
    primary.call("SET", "a", 3)
    check_equal(primary.call("WAITAOF", 0, 2, 3000)[1], 1, "a replica without a log does not count")
    check(other.error("WAITAOF", 1, 0, 0).startswith("ERR WAITAOF"), "WAITAOF on a replica without a log")


def min_replicas_to_write(servers):
    nodes = both(servers, "--min-replicas-to-write", "1", "--min-replicas-max-lag", "10")
    compare(nodes, [("SET", "a", "b"), ("GET", "a"), ("PING",), ("DEL", "a"), ("EVAL", "return 1", "0")][:4])
    replica = servers.vedette()
    replica.follow(nodes[0])
    eventually(lambda: nodes[0].info("replication").get("min_slaves_good_slaves") == "1", "one good replica")
    check_equal(nodes[0].call("SET", "a", "b"), b"OK", "a write with a replica")
    replica.kill()
    eventually(lambda: nodes[0].info("replication")["connected_slaves"] == "0", "the replica is gone")
    check_equal(nodes[0].error("SET", "a", "b"), "NOREPLICAS Not enough good replicas to write.", "a write without")


def min_replicas_max_lag(servers):
    primary, replica = servers.vedette("--min-replicas-to-write", "1", "--min-replicas-max-lag", "1"), servers.vedette()
    replica.follow(primary)
    in_sync(primary, replica)
    primary.call("SET", "a", "b")
    replica.freeze()
    eventually(lambda: primary.info("replication")["min_slaves_good_slaves"] == "0", "a replica that lags is not good")
    check_equal(primary.error("SET", "a", "b"), "NOREPLICAS Not enough good replicas to write.", "a write meanwhile")
    replica.thaw()
    eventually(lambda: primary.info("replication")["min_slaves_good_slaves"] == "1", "and good again")


def a_writable_replica(servers, pair):
    primary, replica = servers.node(pair[0]), servers.node(pair[1], "--replica-read-only", "no")
    replica.follow(primary)
    in_sync(primary, replica)
    offset = replica.offset()
    replica.call("SET", "own", "write", "PX", "50")
    replica.call("SET", "stays", "here")
    eventually(lambda: replica.call("GET", "own") is None, "its own key expires there")
    check_equal(primary.call("DBSIZE"), 0, "nothing of it at the primary")
    primary.call("SET", "stays", "no more")
    in_sync(primary, replica)
    check_equal(replica.call("GET", "stays"), b"no more", "the primary's word goes before")
    check(replica.offset() > offset, "only the primary's stream counts")
    check_equal(replica.info("replication")["slave_read_only"], "0", "slave_read_only")


def stale_data_is_not_served(servers):
    dead = servers.vedette()
    dead.kill()
    nodes = both(servers, "--replica-serve-stale-data", "no")
    for node in nodes:
        node.call("SET", "a", "b")
        node.follow(dead)
    compare(nodes, [("GET", "a"), ("SET", "a", "b"), ("PING",), ("INFO", "nonsense"), ("SELECT", "1"), ("CONFIG", "GET", "replica-serve-stale-data"),
                    ("PUBLISH", "a", "b"), ("MULTI",), ("DISCARD",), ("KEYS", "*"), ("SHUTDOWN", "nonsense")])
    for node in nodes:
        node.config("replica-serve-stale-data", "yes")
        check_equal(node.call("GET", "a"), b"b", "stale data that is served")


def passwords(servers, pair):
    primary = servers.node(pair[0])
    replica = servers.node(pair[1], "--masterauth", "wrong")
    fill(primary, keys=30, big=0)
    primary.config("requirepass", "right")
    replica.follow(primary)
    replica.wait_for_log("AUTH")
    check(not replica.link_up(), "no link with the wrong password")
    replica.config("masterauth", "right")
    eventually(replica.link_up, "the link with the right one")
    admin = primary.connect()
    admin.call("AUTH", "right")
    check_equal(admin.call("DBSIZE"), replica.call("DBSIZE"), "keys")
    check_equal(admin.call("ROLE")[0], b"master", "ROLE")
    replica.config("masterauth", "")
    admin.call("CLIENT", "KILL", "TYPE", "replica")
    eventually(lambda: not replica.link_up(), "no link without a password")
    replica.config("masterauth", "right")
    replica.config("masteruser", "default")
    eventually(replica.link_up, "the link with user and password")
    admin.call("CONFIG", "SET", "requirepass", "")


def announced_addresses(servers, pair):
    primary = servers.node(pair[0])
    replica = servers.node(pair[1], "--replica-announce-ip", "10.9.8.7", "--replica-announce-port", "1234", "--replica-priority", "7",
                           "--replica-announced", "no")
    replica.follow(primary)
    in_sync(primary, replica)
    eventually(lambda: primary.info("replication")["slave0"].startswith("ip=10.9.8.7,port=1234,state=online"),
               lambda: f"the replica is listed as announced: {primary.info('replication')}")
    check_equal(primary.call("ROLE")[2][0][:2], [b"10.9.8.7", b"1234"], "ROLE")
    own = replica.info("replication")
    check_equal((own["slave_priority"], own["replica_announced"]), ("7", "0"), "priority and announced")


def flags_of_clients(servers, pair):
    primary, replica = (servers.node(kind) for kind in pair)
    replica.follow(primary)
    in_sync(primary, replica)

    def flags(node, kind):
        return re.findall(r" flags=(\S+)", node.call("CLIENT", "LIST", "TYPE", kind).decode())
    check_equal((flags(primary, "replica"), flags(primary, "master")), (["S"], []), "links at the primary")
    check_equal((flags(replica, "replica"), flags(replica, "master")), ([], ["M"]), "links at the replica")
    link = replica.call("CLIENT", "LIST", "TYPE", "master").decode()
    check(f" addr=127.0.0.1:{primary.port} " in link, "the primary's address")
    check(re.search(r" laddr=127\.0\.0\.1:[1-9]", link), lambda: f"this end's address: {link}")
    check_equal(primary.call("CLIENT", "KILL", "TYPE", "slave"), 1, "CLIENT KILL TYPE slave")
    eventually(lambda: primary.partial_syncs() == 1, "it comes back")


def rewritten_configuration(servers):
    primary, node = servers.vedette(), servers.vedette()
    node.kill()
    path = node.path("vedette.conf")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"port {node.port}\nbind 127.0.0.1\ndir {node.folder.name}\nsave ''\n")
    node.start(config=path)
    check_equal(node.call("CONFIG", "GET", "replicaof"), [b"replicaof", b""], "replicaof of a primary")
    node.follow(primary)
    in_sync(primary, node)
    node.call("CONFIG", "REWRITE")
    check_equal(node.call("CONFIG", "GET", "replicaof"), [b"replicaof", f"127.0.0.1 {primary.port}".encode()], "replicaof of a replica")
    with open(path, encoding="ascii") as file:
        check(f"replicaof 127.0.0.1 {primary.port}\n" in file.read(), "the file names the primary")
    primary.call("SET", "a", "b")
    node.shutdown()
    node.start(config=path)
    same_data(primary, node)
    node.promote()
    node.call("CONFIG", "REWRITE")
    with open(path, encoding="ascii") as file:
        check("replicaof 127" not in file.read(), "the file names no primary any more")
    node.shutdown()
    node.start(config=path)
    check_equal(node.info("replication")["role"], "master", "role after a restart")


def replicaof_on_the_command_line(servers):
    primary = servers.redis()
    fill(primary, keys=30, big=0)
    for words in ((f"127.0.0.1 {primary.port}",), ("127.0.0.1", primary.port)):
        replica = servers.vedette("--replicaof", *words)
        same_data(primary, replica)
    replica = servers.vedette("--slaveof", "127.0.0.1", primary.port)
    same_data(primary, replica)


def a_replica_of_a_chain_that_has_no_head(servers, kind):
    """Who is not connected itself feeds nobody."""
    dead = servers.vedette()
    dead.kill()
    middle, lower = servers.vedette(), servers.node(kind)
    middle.follow(dead)
    lower.follow(middle)
    lower.wait_for_log("NOMASTERLINK")
    check_equal(middle.error("PSYNC", "?", "-1"), "NOMASTERLINK Can't SYNC while not connected with my master", "PSYNC")
    middle.promote()
    middle.call("SET", "a", "b")
    same_data(middle, lower)


def big_values_and_long_transactions(servers, pair):
    primary, replica = (servers.node(kind) for kind in pair)
    replica.follow(primary)
    in_sync(primary, replica)
    primary.call("SET", "big", os.urandom(5000000))
    client = primary.connect()
    client.pipeline([("MULTI",)] + [("SET", f"k{i}", "x" * 1000) for i in range(3000)] + [("APPEND", "big", "end"), ("EXEC",)])
    same_data(primary, replica)


def commands_that_a_replica_refuses_from_its_primary(servers):
    """Sent by a fake primary: nothing of it changes the replica's role, and it lives."""
    import fake
    primary = servers.add(fake.Primary())
    replica = servers.vedette()
    replica.follow(primary)
    primary.serve(fake.EMPTY_RDB)
    eventually(replica.link_up, "the link is up")
    primary.say(fake.command("SET", "a", "1"), fake.command("REPLICAOF", "NO", "ONE"), fake.command("PSYNC", "?", "-1"), fake.command("SYNC"),
                fake.command("REPLICAOF", "127.0.0.1", "1"), fake.command("NONSENSE", "x"), fake.command("WAIT", "1", "0"), fake.command("SUBSCRIBE", "a"),
                fake.command("MONITOR"), fake.command("GET"), fake.command("FAILOVER"), fake.command("INCR", "a"))
    eventually(lambda: replica.call("GET", "a") == b"2", "the stream goes on")
    check_equal(replica.info("replication")["role"], "slave", "role")
    for text in ("unknown command", "takes this from its primary"):
        check(text in replica.log() or "does not take this" in replica.log(), f"the log tells: {text}")


MIXES = ((V, V), (R, V), (V, R))

CASES = [
    (replicaof_and_its_errors, None),
    (replconf_in_all_forms, None),
    (info_and_role_in_each_role, None),
    (wait_counts_replicas, [((V, V),), ((V, R),)]),
    (waitaof_counts_logs, None),
    (min_replicas_to_write, None),
    (min_replicas_max_lag, None),
    (a_writable_replica, [((V, V),), ((R, V),)]),
    (stale_data_is_not_served, None),
    (passwords, [(pair,) for pair in MIXES]),
    (announced_addresses, [(pair,) for pair in MIXES]),
    (flags_of_clients, [(pair,) for pair in MIXES]),
    (rewritten_configuration, None),
    (replicaof_on_the_command_line, None),
    (a_replica_of_a_chain_that_has_no_head, [V, R]),
    (big_values_and_long_transactions, [(pair,) for pair in MIXES]),
    (commands_that_a_replica_refuses_from_its_primary, None),
]
