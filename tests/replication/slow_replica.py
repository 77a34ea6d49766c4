"""A replica that takes its snapshot in slowly, under a load: the primary's memory stays bounded, and one synchronization is enough."""
import os

from proxy import Proxy
from topology import REDIS, VEDETTE, check, check_equal, eventually, fill, same_data

MEBIBYTE = 1 << 20


def big_data(primary, mebibytes):
    client = primary.connect()
    value = os.urandom(MEBIBYTE // 8)
    for i in range(mebibytes * 8):
        client.call("SET", f"data:{i}", value[:-8] + b"%08d" % i)
    client.close()


def a_slow_synchronization(servers, diskless, kind):
    primary = servers.vedette("--repl-diskless-sync", diskless, "--rdbcompression", "no")
    replica = servers.node(kind)
    big_data(primary, 96)
    before = peak = primary.memory()
    proxy = servers.add(Proxy(primary.port))
    proxy.bytes_per_second = 24 * MEBIBYTE
    load = servers.load(primary, f"slow {diskless} {kind}", pause=0.01)
    replica.follow(proxy)

    def done():
        nonlocal peak
        peak = max(peak, primary.memory())
        return replica.link_up()
    eventually(done, "the link is up", 120)
    load.has_done(100)
    load.finish()
    proxy.bytes_per_second = None
    same_data(primary, replica)
    check_equal(primary.full_syncs(), 1, "full synchronizations")
    check(peak - before < 48 * MEBIBYTE, f"the primary had {(peak - before) // MEBIBYTE} MiB more than the {before // MEBIBYTE} before")


def writers_wait_when_the_stream_outgrows_its_limit(servers):
    primary = servers.vedette("--client-output-buffer-limit", "replica 4mb 0 0", "--rdbcompression", "no", "--repl-backlog-size", "64kb")
    replica = servers.vedette()
    big_data(primary, 40)
    before = peak = primary.memory()
    proxy = servers.add(Proxy(primary.port))
    proxy.bytes_per_second = 10 * MEBIBYTE
    replica.follow(proxy)
    eventually(primary.sends_snapshot, "the snapshot is being sent")
    client = primary.connect()
    for i in range(24):
        check_equal(client.call("SET", "new", b"%07d" % i * 75000), b"OK", "a write")  # half a MiB
        peak = max(peak, primary.memory())
    primary.wait_for_log("Writes wait: ")
    primary.wait_for_log("Writes go on: ")
    same_data(primary, replica)
    check_equal(primary.full_syncs(), 1, "full synchronizations")
    check(peak - before < 40 * MEBIBYTE, f"the primary had {(peak - before) // MEBIBYTE} MiB more than the {before // MEBIBYTE} before")


CASES = [
    (a_slow_synchronization, [(diskless, kind) for diskless in ("yes", "no") for kind in (VEDETTE, REDIS)]),
    (writers_wait_when_the_stream_outgrows_its_limit, None),
]
