"""Going on in the stream without a full synchronization: after a cut, a restart, a promotion, a crash."""
from proxy import Proxy
from topology import REDIS, VEDETTE, check, check_equal, eventually, fill, in_sync, same_data

V, R = VEDETTE, REDIS


def after_client_kill(servers, pair):
    primary, replica = (servers.node(kind) for kind in pair)
    fill(primary, keys=300, big=1)
    replica.follow(primary)
    in_sync(primary, replica)
    load = servers.load(primary, f"kill {pair}")
    for i, victim in enumerate(((primary, "replica"), (replica, "master"), (primary, "slave"))):
        load.has_done(100)
        check(victim[0].call("CLIENT", "KILL", "TYPE", victim[1]) >= 1, "a link was killed")
        eventually(lambda: primary.partial_syncs() > i, "the replica goes on")
    load.has_done(100)
    load.finish()
    same_data(primary, replica)
    check_equal(primary.full_syncs(), 1, "full synchronizations")


def after_cuts_at_any_byte(servers, pair):
    primary, replica = (servers.node(kind) for kind in pair)
    proxy = servers.add(Proxy(primary.port))
    replica.follow(proxy)
    in_sync(primary, replica)
    load = servers.load(primary, f"cut {pair}")
    for i in range(6):
        load.has_done(40)
        cut = primary.partial_syncs()
        proxy.cut_after = 200 + 1733 * i  # behind the handshake, in the middle of some command
        proxy.cut()
        eventually(lambda: primary.partial_syncs() > cut + 1, "it goes on after a second cut")
        proxy.cut_after = None
    load.has_done(40)
    load.finish()
    same_data(primary, replica)
    check_equal(primary.full_syncs(), 1, "full synchronizations")


def a_transaction_that_was_cut_comes_again(servers, pair):
    """The link breaks in the middle of a transaction: none of it is seen, and then all of it once."""
    primary, replica = (servers.node(kind) for kind in pair)
    proxy = servers.add(Proxy(primary.port))
    replica.follow(proxy)
    in_sync(primary, replica)
    primary.call("SET", "n", 0)
    in_sync(primary, replica)
    proxy.cut()
    eventually(lambda: not replica.link_up() or primary.partial_syncs() >= 1, "the link is cut")
    proxy.cut_after = 150
    client = primary.connect()
    client.pipeline([("MULTI",)] + [("INCR", "n")] * 40 + [("EXEC",)])
    eventually(lambda: proxy.connections >= 4, "the transaction is cut now and then")
    check_equal(replica.call("GET", "n"), b"0", "what is seen of half a transaction")
    proxy.cut_after = None
    same_data(primary, replica)
    check_equal(replica.call("GET", "n"), b"40", "the transaction was done once")


def a_backlog_that_is_too_short(servers, pair):
    primary, replica = servers.node(pair[0], "--repl-backlog-size", "20kb"), servers.node(pair[1])
    proxy = servers.add(Proxy(primary.port))
    replica.follow(proxy)
    in_sync(primary, replica)
    proxy.refusing = True
    proxy.cut()
    eventually(lambda: primary.info("replication")["connected_slaves"] == "0", "the replica is gone")
    for i in range(20):
        primary.call("SET", f"big{i}", "x" * 10000)
    proxy.refusing = False
    same_data(primary, replica)
    check_equal(primary.full_syncs(), 2, "full synchronizations")


def after_the_restart_of_a_replica(servers, pair):
    primary, replica = (servers.node(kind) for kind in pair)
    fill(primary, keys=300, big=1)
    replica.follow(primary)
    in_sync(primary, replica)
    load = servers.load(primary, f"restart {pair}")
    load.has_done(200)
    replica.shutdown("SAVE")
    load.has_done(200)
    replica.start("--replicaof", f"127.0.0.1 {primary.port}")
    eventually(replica.link_up, "the replica is back")
    load.has_done(100)
    load.finish()
    same_data(primary, replica)
    check_equal((primary.full_syncs(), primary.partial_syncs()), (1, 1), "full and partial synchronizations")


def after_the_restart_of_a_primary(servers, pair):
    primary, replica = (servers.node(kind) for kind in pair)
    fill(primary, keys=300, big=1)
    replica.follow(primary)
    primary.call("SET", "last", "word")
    in_sync(primary, replica)
    primary.shutdown("SAVE")
    eventually(lambda: not replica.link_up(), "the replica has noticed")
    primary.start()
    eventually(replica.link_up, "the replica is back")
    primary.call("SET", "further", "words")
    same_data(primary, replica)
    check_equal((primary.full_syncs(), primary.partial_syncs()), (0, 1), "full and partial synchronizations")


def stand_still(node):
    """No expiry of its own: what the others do not have yet would make its history longer than theirs."""
    node.call("DEBUG", "SET-ACTIVE-EXPIRE", "0")


def a_promoted_replica_goes_on_with_its_siblings(servers, kinds):
    """A feeds B and C; B is promoted under a load; C and A become its replicas; then back."""
    a, b, c = (servers.node(kind) for kind in kinds)
    fill(a, keys=300, big=1)
    b.follow(a)
    c.follow(a)
    load = servers.load(a, f"promotion {kinds}")
    eventually(lambda: b.link_up() and c.link_up(), "both are up")
    load.has_done(300)
    load.finish()
    stand_still(a)
    in_sync(a, b, c)
    full = [node.full_syncs() for node in (a, b, c)]
    b.promote()
    c.follow(b)
    load = servers.load(b, f"promoted {kinds}")
    a.follow(b)
    eventually(lambda: a.link_up() and c.link_up(), "both follow the new primary")
    load.has_done(300)
    load.finish()
    same_data(b, a, c)
    stand_still(b)
    in_sync(b, a, c)
    a.promote()
    b.follow(a)
    c.follow(a)
    a.call("SET", "the", "end")
    same_data(a, b, c)
    check_equal([node.full_syncs() for node in (a, b, c)], full, "full synchronizations")


def a_chain_is_turned_over(servers, kinds):
    a, b, c = (servers.node(kind) for kind in kinds)
    fill(a, keys=300, big=1)
    b.follow(a)
    in_sync(a, b)
    c.follow(b)
    stand_still(a)
    in_sync(a, b, c)
    full = [node.full_syncs() for node in (a, b, c)]
    b.promote()
    b.call("SET", "of", "b")
    in_sync(b, c)
    a.follow(c)
    in_sync(b, c, a)
    b.call("SET", "through", "c")
    same_data(b, c, a)
    check_equal([node.full_syncs() for node in (a, b, c)], full, "full synchronizations")


def a_primary_that_crashed_without_a_tail_of_its_own_rejoins(servers, kind):
    primary = servers.vedette("--appendonly", "yes", "--appendfsync", "always")
    replica = servers.node(kind)
    fill(primary, keys=300, big=1)
    replica.follow(primary)
    load = servers.load(primary, "crash")
    eventually(replica.link_up, "the link is up")
    load.has_done(200)
    load.finish()
    in_sync(primary, replica)
    primary.crash()
    replica.promote()
    replica.call("SET", "after", "the crash")
    primary.start("--replicaof", f"127.0.0.1 {replica.port}")
    same_data(replica, primary)
    check_equal((replica.full_syncs(), replica.partial_syncs()), (0, 1), "full and partial synchronizations")


def a_primary_that_ended_well_rejoins(servers, pair):
    primary, replica = (servers.node(kind) for kind in pair)
    fill(primary, keys=300, big=1)
    replica.follow(primary)
    primary.call("SET", "last", "word")
    in_sync(primary, replica)
    primary.shutdown("SAVE")
    replica.promote()
    replica.call("SET", "after", "the end")
    primary.start("--replicaof", f"127.0.0.1 {replica.port}")
    same_data(replica, primary)
    check_equal((replica.full_syncs(), replica.partial_syncs()), (0, 1), "full and partial synchronizations")


def a_divergent_tail_is_given_up(servers, kinds, how):
    """The primary wrote what nobody heard: what it has more of is gone when it comes back."""
    options = ("--appendonly", "yes", "--appendfsync", "always") if how == "crashed" else ()
    primary, replica = servers.node(kinds[0], *options), servers.node(kinds[1])
    proxy = servers.add(Proxy(primary.port))
    fill(primary, keys=300, big=1)
    replica.follow(proxy)
    in_sync(primary, replica)
    primary.call("SET", "shared", "by both")
    in_sync(primary, replica)
    proxy.stall()
    proxy.refusing = True
    primary.call("SET", "unheard", "of")
    if how == "crashed":
        primary.crash()
    elif how == "shut down":
        primary.shutdown("SAVE", "NOW")
    proxy.cut()
    replica.promote()
    replica.call("SET", "other", "things")
    if how == "alive":
        primary.follow(replica)
    else:
        primary.start("--replicaof", f"127.0.0.1 {replica.port}")
    same_data(replica, primary)
    check_equal((primary.call("GET", "unheard"), primary.call("GET", "shared")), (None, b"by both"), "what is left")
    check_equal(replica.full_syncs(), 1, "full synchronizations")


def a_replica_crashes_with_a_log(servers, pair):
    primary = servers.node(pair[0])
    replica = servers.node(pair[1], "--appendonly", "yes", "--appendfsync", "always")
    fill(primary, keys=300, big=1)
    replica.follow(primary)
    load = servers.load(primary, f"replica's crash {pair}")
    eventually(replica.link_up, "the link is up")
    load.has_done(200)
    replica.crash()
    load.has_done(200)
    replica.start("--replicaof", f"127.0.0.1 {primary.port}")
    eventually(replica.link_up, "the replica is back")
    load.has_done(100)
    load.finish()
    same_data(primary, replica)


MIXES = ((V, V), (R, V), (V, R))
TRIPLES = ((V, V, V), (R, V, V), (V, R, V), (V, V, R), (R, V, R), (V, R, R), (R, R, V))

CASES = [
    (after_client_kill, [(pair,) for pair in MIXES]),
    (after_cuts_at_any_byte, [(pair,) for pair in MIXES]),
    (a_transaction_that_was_cut_comes_again, [((V, V),), ((R, V),)]),
    (a_backlog_that_is_too_short, [(pair,) for pair in MIXES]),
    (after_the_restart_of_a_replica, [(pair,) for pair in MIXES]),
    (after_the_restart_of_a_primary, [(pair,) for pair in MIXES]),
    (a_promoted_replica_goes_on_with_its_siblings, [(kinds,) for kinds in TRIPLES]),
    (a_chain_is_turned_over, [(kinds,) for kinds in TRIPLES]),
    (a_primary_that_crashed_without_a_tail_of_its_own_rejoins, [V, R]),
    (a_primary_that_ended_well_rejoins, [((V, V),), ((V, R),)]),
    (a_divergent_tail_is_given_up, [(pair, how) for pair in MIXES for how in ("alive", "crashed", "shut down")]),
    (a_replica_crashes_with_a_log, [((V, V),), ((R, V),)]),
]
