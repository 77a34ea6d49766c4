"""What a primary makes of a replica that is broken or hostile: it is named in the log and closed, or waited for within bounds."""
import fake
from fake import command
from topology import VEDETTE, check, check_equal, eventually, fill, same_data

MEBIBYTE = 1 << 20


def lies_about_offsets(servers, what):
    primary = servers.vedette()
    primary.call("SET", "a", "b")
    replica = servers.add(fake.Replica(primary.port, listening_port=7654))
    _, offset = replica.synchronize()
    if what != "before the stream":
        replica.ack(offset)
        primary.call("SET", "a", "c")
        replica.hear(b"SET")
    replica.say({"ahead": command("REPLCONF", "ACK", 10**15), "negative": command("REPLCONF", "ACK", -1), "before the stream": command("REPLCONF", "ACK", 10**12),
                 "ahead with its log": command("REPLCONF", "ACK", offset, "FACK", 10**15)}[what])
    check(replica.heard_end(), "the primary closes the link")
    primary.wait_for_log("Replica 127.0.0.1:7654 closed: REPLCONF ACK of offset")
    check_equal(primary.call("WAIT", 0, 0), 0, "replicas")
    other = servers.vedette()
    other.follow(primary)
    same_data(primary, other)


def an_acknowledgement_that_goes_back_counts_for_nothing(servers):
    primary = servers.vedette()
    replica = servers.add(fake.Replica(primary.port))
    _, offset = replica.synchronize()
    replica.ack(offset)
    primary.call("SET", "a", "b")
    replica.hear(b"SET")
    eventually(lambda: primary.info("replication")["slave0"].startswith("ip=127.0.0.1,port=1,state=online"), "online")
    at = primary.offset()
    replica.ack(at)
    eventually(lambda: f"offset={at}," in primary.info("replication")["slave0"], "acknowledged")
    replica.ack(0).ack("x")
    replica.say(b"\n\n\n")
    check(f"offset={at}," in primary.info("replication")["slave0"], "and still is")
    check_equal(primary.call("WAIT", 1, 1000), 1, "WAIT")


def garbage(servers, phase):
    primary = servers.vedette()
    replica = servers.add(fake.Replica(primary.port))
    if phase == "stream":
        _, offset = replica.synchronize()
        replica.ack(offset)
    elif phase == "snapshot":
        replica.say(command("PSYNC", "?", "-1"))
    replica.say(b"*3\r\n$-9\r\n\xff\xfe\r\n")
    check(replica.heard_end(), "the primary closes the link")
    eventually(lambda: primary.info("replication")["connected_slaves"] == "0", "the replica is gone")
    check_equal(primary.call("PING"), b"PONG", "the primary lives")


def commands_that_no_replica_sends(servers):
    primary = servers.vedette()
    primary.call("SET", "a", "b")
    replica = servers.add(fake.Replica(primary.port))
    _, offset = replica.synchronize()
    replica.ack(offset)
    replica.say(command("GET", "a") + command("SET", "a", "c") + command("PSYNC", "?", "-1") + command("SYNC") + command("REPLICAOF", "NO", "ONE") +
                command("MULTI") + command("SUBSCRIBE", "x") + command("MONITOR") + command("WAIT", 1, 1) + command("DEBUG", "SLEEP", 0))
    eventually(lambda: primary.call("GET", "a") == b"b" and primary.info("replication")["role"] == "master", "nothing has changed")


def odd_requests(servers):
    primary = servers.vedette()
    for request in (("PSYNC", "x", "y"), ("PSYNC", "?", "x"), ("PSYNC", "f" * 40, "9223372036854775807"), ("PSYNC", "f" * 40, "-9223372036854775808"),
                    ("PSYNC", "x" * 100000, "1"), ("PSYNC", "?", "-1", "FAILOVER"), ("PSYNC", "?", "-1", "x"), ("PSYNC", "?", "-1", "FAILOVER", "x"),
                    ("REPLCONF", "ip-address", "\r\nevil"), ("REPLCONF", "listening-port", "99999999999")):
        replica = fake.Replica(primary.port)
        replica.say(command(*request))
        replica.hear(b"\r\n")
        replica.stop()
    for capabilities in ((), ("psync2",), ("eof",)):
        replica = fake.Replica(primary.port, capabilities=capabilities)
        replica.say(command("PSYNC", "?", "-1")).hear(b"REDIS0010")
        replica.stop()
    for _ in range(100):
        fake.Replica(primary.port).stop()
    eventually(lambda: primary.info("replication")["connected_slaves"] == "0", "no replica is left")
    check_equal(primary.call("PING"), b"PONG", "the primary lives")


def an_old_replica_that_knows_only_sync(servers):
    primary = servers.vedette("--repl-timeout", "1", "--repl-ping-replica-period", "1")
    primary.call("SET", "key", "value")
    replica = servers.add(fake.Replica(primary.port, capabilities=()))
    replica.say(b"SYNC\r\n").hear(b"REDIS0010")
    check(b"$EOF" not in replica.heard and b"FULLRESYNC" not in replica.heard, "a snapshot with its length")
    primary.call("SET", "more", "of it")
    replica.hear(b"of it")
    pings = replica.heard.count(b"PING")
    while replica.heard.count(b"PING") < pings + 3:  # longer than the timeout, without any acknowledgement
        replica.heard += replica.link.recv(65536)
    check_equal(primary.info("replication")["connected_slaves"], "1", "it is not dropped for its silence")


def never_acknowledges(servers, phase):
    primary = servers.vedette("--repl-timeout", "1", "--repl-ping-replica-period", "1")
    primary.call("SET", "a", "b")
    replica = servers.add(fake.Replica(primary.port, listening_port=7655))
    _, offset = replica.synchronize()
    if phase == "stream":
        replica.ack(offset)
    check(replica.heard_end(), "the primary closes the link")
    primary.wait_for_log("Disconnecting timedout replica")
    check("127.0.0.1:7655" in [line for line in primary.log().splitlines() if "timedout" in line][0], "the log names it")


def never_reads_the_stream(servers):
    """What it does not take is bounded by client-output-buffer-limit; then it goes."""
    primary = servers.vedette("--client-output-buffer-limit", "replica 8mb 0 0", "--repl-backlog-size", "1mb")
    replica = servers.add(fake.Replica(primary.port))
    _, offset = replica.synchronize()
    replica.ack(offset)
    before = primary.memory()
    peak = before
    value = "x" * MEBIBYTE
    for _ in range(100):
        primary.call("SET", "same", value)
        peak = max(peak, primary.memory())
    eventually(lambda: primary.info("replication")["connected_slaves"] == "0", "the replica is dropped")
    check(peak - before < 40 * MEBIBYTE, f"{(peak - before) // MEBIBYTE} MiB were kept for it")


def never_reads_its_snapshot(servers, diskless):
    primary = servers.vedette("--repl-timeout", "2", "--repl-ping-replica-period", "1", "--repl-diskless-sync", diskless, "--rdbcompression", "no")
    fill(primary, keys=3, big=50)
    before = primary.memory()
    replica = servers.add(fake.Replica(primary.port))
    replica.say(command("PSYNC", "?", "-1"))
    eventually(primary.sends_snapshot, "it is sent a snapshot")
    load = servers.load(primary, "never reads")
    load.has_done(200)
    primary.wait_for_log("Disconnecting timedout replica (full sync)")
    load.has_done(200)
    load.finish()
    check(primary.memory() - before < 60 * MEBIBYTE, f"{(primary.memory() - before) // MEBIBYTE} MiB more than before")
    other = servers.vedette()
    other.follow(primary)
    same_data(primary, other)


CASES = [
    (lies_about_offsets, ["ahead", "negative", "before the stream", "ahead with its log"]),
    (an_acknowledgement_that_goes_back_counts_for_nothing, None),
    (garbage, ["handshake", "snapshot", "stream"]),
    (commands_that_no_replica_sends, None),
    (odd_requests, None),
    (an_old_replica_that_knows_only_sync, None),
    (never_acknowledges, ["snapshot", "stream"]),
    (never_reads_the_stream, None),
    (never_reads_its_snapshot, ["yes", "no"]),
]
