"""Full synchronization in all mixes: each way of sending and loading a snapshot, under a load; chains; tools."""
import itertools
import os
import subprocess

from proxy import Proxy
from topology import REDIS, VEDETTE, Failed, check, check_equal, dataset, eventually, fill, in_sync, same_data

V, R = VEDETTE, REDIS


def full_sync_under_load(servers, pair, diskless, loading):
    primary = servers.node(pair[0], "--repl-diskless-sync", diskless)
    replica = servers.node(pair[1], "--repl-diskless-load", loading)
    fill(primary)
    if loading == "swapdb":  # a replica with data of its own, which it shall lose
        replica.call("SET", "own", "data")
    load = servers.load(primary, f"{pair}{diskless}{loading}")
    load.has_done(200)
    replica.follow(primary)
    eventually(replica.link_up, "the link is up")
    load.has_done(500)
    load.finish()
    same_data(primary, replica)
    check(replica.call("GET", "own") is None, "what the replica had is gone")
    check_equal(primary.full_syncs(), 1, "full synchronizations")
    check_equal(replica.error("SET", "a", "b"), "READONLY You can't write against a read only replica.", "a write to a replica")


def chain_under_load(servers, kinds):
    nodes = [servers.node(kind) for kind in kinds]
    fill(nodes[0], keys=600, big=1)
    load = servers.load(nodes[0], f"chain {kinds}")
    for upper, lower in zip(nodes, nodes[1:]):
        lower.follow(upper)
        eventually(lower.link_up, f"{lower.name} follows {upper.name}")
    load.has_done(800)
    load.finish()
    same_data(*nodes)
    ids = {node.info("replication")["master_replid"] for node in nodes}
    check_equal(len(ids), 1, "histories in the chain")


def replicas_that_come_together_share_a_snapshot(servers, kind):
    primary = servers.vedette("--repl-diskless-sync-delay", "1", "--repl-diskless-sync-max-replicas", "3")
    fill(primary)
    replicas = [servers.node(kind if i else V) for i in range(3)]
    load = servers.load(primary, "three")
    for replica in replicas:
        replica.follow(primary)
    eventually(lambda: all(r.link_up() for r in replicas), "three replicas are up")
    load.has_done(200)
    load.finish()
    same_data(primary, *replicas)


def a_replica_hears_what_is_published(servers, pair):
    primary, replica = (servers.node(kind) for kind in pair)
    replica.follow(primary)
    in_sync(primary, replica)
    subscriber = replica.connect()
    subscriber.raw("SUBSCRIBE", "news")
    primary.call("PUBLISH", "news", "from above")
    check_equal(subscriber.next_reply(), b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$10\r\nfrom above\r\n", "what the subscriber hears")


def keys_expire_on_the_primarys_word(servers, pair):
    primary, replica = (servers.node(kind) for kind in pair)
    replica.follow(primary)
    in_sync(primary, replica)
    primary.call("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    primary.call("SET", "short", "lived", "PX", 20)
    primary.call("SET", "long", "lived")
    eventually(lambda: replica.call("GET", "long") == b"lived" and replica.call("GET", "short") is None, "the key has expired")
    check_equal(replica.call("DBSIZE"), 2, "keys on the replica before the primary's DEL")
    check(primary.call("GET", "short") is None, "and on the primary")
    eventually(lambda: replica.call("DBSIZE") == 1, "the DEL arrives")
    same_data(primary, replica)


def a_replica_without_a_disk_of_its_own_memory_limit_keeps_all_keys(servers):
    primary, replica = servers.vedette(), servers.vedette("--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru")
    fill(primary, keys=600, big=5)
    replica.follow(primary)
    primary.call("SET", "one", "more")
    same_data(primary, replica)
    check_equal(replica.info("stats")["evicted_keys"], "0", "keys that the replica evicted")


def redis_cli_takes_a_snapshot(servers, kind):
    primary = servers.node(kind)
    fill(primary, keys=300, big=1)
    wanted = dataset(primary)
    path = primary.path("taken.rdb")
    cli = subprocess.run(["redis-cli", "-p", str(primary.port), "--rdb", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, timeout=60, check=False)
    check(cli.returncode == 0, f"redis-cli --rdb: {cli.stdout.decode()}")
    tool = subprocess.run(["redis-check-rdb", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    check(tool.returncode == 0, f"redis-check-rdb: {tool.stdout.decode()}")
    for reader in (V, R):
        node = servers.node(reader)
        node.kill()
        os.replace(path, node.path("dump.rdb")) if reader == R else subprocess.run(["cp", path, node.path("dump.rdb")], check=True)
        node.start()
        check(dataset(node) == wanted, f"what {reader} loads of it is the same")
    eventually(lambda: primary.info("replication")["connected_slaves"] == "0", "the tool is no replica any more")


def redis_cli_prints_the_stream(servers, kind):
    primary = servers.node(kind)
    fill(primary, keys=300, big=1)
    with open(primary.path("printed"), "wb") as out:
        cli = subprocess.Popen(["redis-cli", "-p", str(primary.port), "--replica"], stdin=subprocess.DEVNULL, stdout=out,
                               stderr=subprocess.STDOUT)
    try:
        def printed():
            with open(primary.path("printed"), encoding="latin1") as text:
                return text.read()
        eventually(lambda: "state=online" in primary.info("replication").get("slave0", ""), "the tool is a replica")
        primary.call("SET", "streamed", "to a tool", "EX", 100)
        eventually(lambda: '"streamed"' in printed() and '"PXAT"' in printed(), lambda: f"the write is printed: {printed()[-300:]}")
    finally:
        cli.kill()
        cli.wait()


def a_snapshot_is_cut_anywhere_and_comes_again(servers, diskless, loading):
    primary, replica = servers.vedette("--repl-diskless-sync", diskless), servers.vedette("--repl-diskless-load", loading)
    fill(primary, keys=300, big=3)
    replica.call("SET", "own", "data")
    proxy = servers.add(Proxy(primary.port))
    proxy.cut_after = 300000
    replica.follow(proxy)
    replica.wait_for_log("no synchronization")
    if loading == "disabled":
        check_equal(replica.call("GET", "own"), b"data", "data of a replica that has not got the new one whole")
    proxy.cut_after = 2000000
    eventually(lambda: proxy.connections >= 2, "it tries again")
    proxy.cut_after = None
    eventually(replica.link_up, "the link is up in the end")
    same_data(primary, replica)


def a_snapshot_stays_on_the_disk_unless_that_keeps_nothing(servers):
    for options, stays in ((), True), (("--rdb-del-sync-files", "yes"), False), (("--rdb-del-sync-files", "yes", "--appendonly", "yes"), True):
        primary, replica = servers.vedette(), servers.vedette(*options)
        fill(primary, keys=10)
        replica.follow(primary)
        eventually(replica.link_up, "the link is up")
        there = os.path.exists(os.path.join(replica.call("CONFIG", "GET", "dir")[1].decode(), "dump.rdb"))
        check_equal(there, stays, f"whether the snapshot that came is kept, with {options}")


def the_end_of_a_replica_in_a_sync_ends_its_walk(servers):
    primary, replica = servers.vedette(), servers.vedette()
    fill(primary, keys=300, big=10)
    proxy = servers.add(Proxy(primary.port))
    proxy.bytes_per_second = 200000
    replica.follow(proxy)
    eventually(primary.sends_snapshot, "the snapshot is being sent")
    replica.kill()
    eventually(lambda: primary.info("replication")["connected_slaves"] == "0", "the replica is gone")
    primary.call("SET", "a", "b")
    other = servers.vedette()
    other.follow(primary)
    same_data(primary, other)


MIXES = ((V, V), (R, V), (V, R))
CHAINS = ((V, V, V), (R, V, R), (V, R, V), (R, R, V), (V, V, R), (R, V, V), (V, R, R), (V, V, V, V))
LOADINGS = {V: ("disabled", "on-empty-db", "swapdb"), R: ("disabled", "swapdb")}

CASES = [
    (full_sync_under_load, [(pair, diskless, loading) for pair in MIXES for diskless in ("yes", "no") for loading in LOADINGS[pair[1]]]),
    (chain_under_load, [(chain,) for chain in CHAINS]),
    (replicas_that_come_together_share_a_snapshot, [V, R]),
    (a_replica_hears_what_is_published, [(pair,) for pair in MIXES]),
    (keys_expire_on_the_primarys_word, [(pair,) for pair in MIXES]),
    (a_replica_without_a_disk_of_its_own_memory_limit_keeps_all_keys, None),
    (redis_cli_takes_a_snapshot, [V, R]),
    (redis_cli_prints_the_stream, [V]),
    (a_snapshot_is_cut_anywhere_and_comes_again, list(itertools.product(("yes", "no"), ("disabled", "on-empty-db", "swapdb")))),
    (a_snapshot_stays_on_the_disk_unless_that_keeps_nothing, None),
    (the_end_of_a_replica_in_a_sync_ends_its_walk, None),
]
