"""What sentinels send to servers: the words of Redis' own beside Redis 7.0.15, and those that only Vedette's sentinels know."""
import signal
import time

from topology import REDIS, VEDETTE, HungUp, check, check_equal, eventually, in_sync

V, R = VEDETTE, REDIS
HELLO = "__sentinel__:hello"
STATE = "__vedette__:state"
A, B = "a" * 40, "b" * 40


def transaction(*role):
    return [("MULTI",), ("SLAVEOF", *role), ("CONFIG", "REWRITE"), ("CLIENT", "KILL", "TYPE", "normal"), ("CLIENT", "KILL", "TYPE", "pubsub"),
            ("EXEC",)]


def is_cut(client):
    try:
        client.raw("PING")
        return False
    except (OSError, HungUp):
        return True


def reconfigure(node, role):
    """Sends the transaction while others are connected; its replies, and who was cut."""
    if node.client:
        node.client.close()
        node.client = None
    caller = node.connect()
    caller.call("CLIENT", "SETNAME", "sentinel-01234567-cmd")
    eventually(lambda: len(caller.call("CLIENT", "LIST", "TYPE", "normal").splitlines()) == 1, "earlier connections have gone")
    normal, listener, by_pattern = node.connect(), node.connect(), node.connect()
    normal.call("PING")
    listener.call("SUBSCRIBE", HELLO)
    by_pattern.call("PSUBSCRIBE", "*")
    replies = [caller.raw(*command) for command in transaction(*role)]
    return replies, [is_cut(client) for client in (normal, listener, by_pattern, caller)]


def with_file(servers, kind):
    """A node that was started with a file."""
    node = servers.node(kind)
    node.kill()
    path = node.path("server.conf")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"port {node.port}\nbind 127.0.0.1\ndir {node.folder.name}\nsave ''\n")
    return node.start(config=path)


def the_transaction_that_reconfigures(servers, has_file):
    """Whatever the roles before and after, and whether there is a file to rewrite: as Redis answers, and the caller stays."""
    outcomes = {}
    for kind in (V, R):
        primary = servers.node(kind)
        node = with_file(servers, kind) if has_file else servers.node(kind)
        seen = []
        for role in (("NO", "ONE"), ("127.0.0.1", primary.port), ("127.0.0.1", primary.port), ("NO", "ONE")):
            replies, cut = reconfigure(node, role)
            check_equal(cut, [True, True, True, False], f"{kind}: cut by {role}")
            seen.append(replies)
            if role[0] != "NO":
                in_sync(primary, node)
            if has_file:
                with open(node.path("server.conf"), encoding="ascii") as file:
                    check_equal(f"replicaof 127.0.0.1 {primary.port}" in file.read(), role[0] != "NO", f"{kind}: the file after {role}")
            else:
                check(b"-ERR The server is running without a config file" in replies[-1], lambda: f"{kind}: {replies[-1]}")
        outcomes[kind] = seen
    check_equal(outcomes[V], outcomes[R], "replies")


def hello_on_a_replica(servers):
    """A message that is published on a replica reaches its own listeners, and nobody else's."""
    for kind in (V, R):
        a, b, c = (servers.node(kind) for _ in range(3))
        b.follow(a)
        in_sync(a, b)
        c.follow(b)
        in_sync(a, b, c)
        listeners = [node.connect() for node in (a, b, c)]
        for listener in listeners:
            listener.call("SUBSCRIBE", HELLO)
        offset = b.offset()
        check_equal(b.call("PUBLISH", HELLO, "on the replica"), 1, f"{kind}: listeners on the replica")
        check(b"on the replica" in listeners[1].next_reply(), "it has come")
        check(b.offset() == offset == c.offset() or kind == R, "it is no part of the stream")
        check_equal(a.call("PUBLISH", HELLO, "on the primary"), 1, f"{kind}: listeners on the primary")
        for listener in listeners:
            message = listener.next_reply()
            check(b"on the primary" in message, lambda: f"{kind}: comes first {message}")


class State:
    """Listens to a server's state channel."""

    def __init__(self, node):
        self.client = node.connect()
        self.client.call("SUBSCRIBE", STATE)

    def next(self):
        text = self.client.next_reply().decode("latin1")
        check(STATE in text, lambda: f"a message of the state channel: {text}")
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line and not line.startswith("_"))

    def until(self, **wanted):
        """The first message that says so."""
        while True:
            fields = self.next()
            if all(fields.get(name) == value for name, value in wanted.items()):
                return fields


def the_state_channel(servers):
    a, b = servers.vedette("--replica-zone", "north"), servers.vedette("--replica-priority", 7)
    state_a, state_b = State(a), State(b)
    first = state_a.next()
    info = a.info()
    for name in ("run_id", "role", "loading", "connected_slaves", "master_failover_state", "shutdown_requested", "replica_zone", "lease_state",
                 "vedette_version"):
        check_equal(first[name], info[name], name)
    check_equal(first["replica_zone"], "north", "replica_zone")
    state_b.until(role="master")
    b.follow(a)
    state_b.until(role="slave", master_port=str(a.port))
    replica = state_b.until(master_link_status="up")
    check_equal((replica["slave_priority"], replica["replica_announced"], replica["replica_refuses_rollback"]), ("7", "1", "0"), "a replica's fields")
    in_sync(a, b)
    state_a.until(connected_slaves="1")
    a.call("SET", "k", "v")
    in_sync(a, b)
    state_a.until(master_repl_offset=str(a.offset()))
    state_b.until(slave_repl_offset=str(a.offset()))
    offset = a.offset()
    for _ in range(3):  # what is told is no part of the stream
        state_a.next()
    check(a.offset() - offset in (0, 14), "nothing but a PING")
    a.kill()
    lost = state_b.until(master_link_status="down")
    check(int(lost["master_link_down_since_seconds"]) <= 5, "since when it is down")
    b.promote()
    state_b.until(role="master")


def a_planned_end(servers):
    primary, replica = servers.vedette("--shutdown-failover", "yes", "--shutdown-timeout", 40), servers.vedette()
    replica.follow(primary)
    in_sync(primary, replica)
    state = State(primary)
    for how in ("a signal", "SHUTDOWN"):
        asking = primary.connect()
        if how == "a signal":
            primary.process.send_signal(signal.SIGTERM)
        else:
            asking.send(("SHUTDOWN",))
        state.until(shutdown_requested="1")
        check_equal(primary.info("replication")["shutdown_requested"], "1", "INFO")
        check_equal(primary.call("SET", "k", how), b"OK", "a write meanwhile")
        if how == "a signal":
            check_equal(primary.call("SHUTDOWN", "ABORT"), b"OK", "SHUTDOWN ABORT")
            state.until(shutdown_requested="0")
            check(primary.alive(), "it goes on")
    check_equal(primary.call("FAILOVER", "TO", "127.0.0.1", replica.port, "TIMEOUT", 20000), b"OK", "FAILOVER")
    state.until(role="slave")
    check_equal(primary.wait_for_end(), 0, "exit code")
    check_equal((replica.info("replication")["role"], replica.call("GET", "k")), ("master", b"SHUTDOWN"), "the replica")


def a_planned_end_that_nobody_waits_for(servers, case):
    primary, replica = servers.vedette("--shutdown-failover", "no" if case == "option off" else "yes", "--shutdown-timeout",
                                       1 if case == "nobody acts" else 40), servers.vedette()
    if case != "no replica":
        replica.follow(primary)
        in_sync(primary, replica)
    state = State(primary) if case != "no sentinel" else None
    if state:
        state.next()
    began = time.monotonic()
    primary.shutdown(*(["NOW"] if case == "now" else []))
    check(time.monotonic() - began < 30, "it does not wait for the whole of shutdown-timeout")
    check_equal("No replica has taken over" in primary.log(), case == "nobody acts", "what the log says")
    if case != "no replica":
        check_equal(replica.info("replication")["role"], "slave", "the replica's role")


def grant(node, sentinel, milliseconds, voters):
    token = node.call("LEASE", sentinel, milliseconds, voters, "-")[0]
    return node.call("LEASE", sentinel, milliseconds, voters, token)


def the_lease(servers):
    primary = servers.vedette()
    state = State(primary)
    state.until(lease_state="none")
    primary.call("LEASE", A, 60000, 3, "-")
    state.until(lease_state="lost")
    grant(primary, A, 60000, 3)
    check(primary.error("SET", "k", "v").startswith("NOLEASE This primary holds no lease: 1 of 3 sentinels have renewed it within 60000 ms, 2 are"),
          "a write with one of three")
    check_equal(grant(primary, B, 60000, 3)[1], 1, "held")
    state.until(lease_state="held")
    check_equal(primary.call("SET", "k", "v"), b"OK", "a write")
    for sentinel in (A, B):  # nothing happens from now on but that time passes
        grant(primary, sentinel, 50, 3)
    state.until(lease_state="lost")
    check(primary.error("SET", "k", "v").startswith("NOLEASE"), "a write after the end")
    check_equal(primary.call("GET", "k"), b"v", "a read")
    primary.wait_for_log("Lease: lost")
    for sentinel in (A, B):
        primary.call("LEASE", sentinel, 0, 0, "-")
    state.until(lease_state="none")
    check_equal(primary.call("SET", "k", "v"), b"OK", "a write that needs no lease")


def a_primary_that_stood_still(servers):
    """Its first write after the lease has ended is refused, though nothing told it of the end."""
    primary = servers.vedette()
    client = primary.connect()
    client.call("SET", "k", "old")
    token = client.call("LEASE", A, 1500, 1, "-")[0]
    reply = client.call("LEASE", A, 1500, 1, token)
    check(reply[1] == 1 and reply[2] <= 1500, "held")
    held_until = time.monotonic() + reply[2] / 1000
    primary.freeze()
    client.send(("SET", "k", "new"), ("GET", "k"))
    eventually(lambda: time.monotonic() > held_until + 0.01, "the lease has ended")
    primary.thaw()
    check(client.next_reply().startswith(b"-NOLEASE"), "the write")
    check_equal(client.next_reply(), b"$3\r\nold\r\n", "the read")


CASES = [
    (the_transaction_that_reconfigures, [(True,), (False,)]),
    (hello_on_a_replica, None),
    (the_state_channel, None),
    (a_planned_end, None),
    (a_planned_end_that_nobody_waits_for, [("no sentinel",), ("no replica",), ("option off",), ("now",), ("nobody acts",)]),
    (the_lease, None),
    (a_primary_that_stood_still, None),
]
