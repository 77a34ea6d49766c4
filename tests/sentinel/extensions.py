"""What Redis' sentinel does not have: fast evidence, leases, planned failovers without loss, answers to "why", a state file."""
import os
import random
import stat
import subprocess
import threading
import time

import group as groups
from bad_input import cuts, run_with
from clients import PlainWriter, lost
from group import NAME, VEDETTE, HungUp, ServerError, check, check_equal, eventually, info_fields, our_servers_only, ours_only, topology
from network import Network

LONG = 600000  # a down-after that no test lives to see


def words_of(reply):
    """Everything that a reply says, as one text."""
    if isinstance(reply, (list, tuple)):
        return " ".join(words_of(item) for item in reply)
    return reply.decode("latin1") if isinstance(reply, bytes) else str(reply)


# ---- Fast evidence ----

FAST = [f"sentinel fast-evidence {NAME} yes"]


def silent_for(sentinel, milliseconds):
    """Waits until the primary has not answered for that long, as the sentinel sees it."""
    eventually(lambda: int(sentinel.master()["last-ok-ping-reply"]) > milliseconds, lambda: f"the primary is silent: {sentinel.master()}")


def refused_connections_open_a_failover(group, mix, how):
    ours_only()
    group.build(mix, sentinel_lines=FAST if how == "by the file" else (), down_after=LONG)
    if how == "by SET":
        for sentinel in group.sentinels:
            check_equal(sentinel.sentinel("SET", NAME, "fast-evidence", "yes"), b"OK", "SET fast-evidence")
    old = group.servers[0]
    group.write(old)
    group.converged(old)
    old.kill()
    new = group.has_failed_over(old)
    group.holds(new)
    old.restart()
    group.converged(new)


def silence_is_no_evidence(group):
    ours_only()
    group.build("vvv-vvv", sentinel_lines=FAST, down_after=LONG)
    primary = group.servers[0]
    events = [group.events(s) for s in group.sentinels]
    primary.freeze()
    for sentinel in group.sentinels:
        silent_for(sentinel, 3000)
    check_equal([name for e in events for name in e.names() if name in ("+sdown", "+odown", "+try-failover")], [], "events")
    primary.thaw()
    group.converged(primary)


def without_it_a_refusal_is_no_evidence(group):
    ours_only()
    group.build("vvv-vvv", down_after=LONG)
    primary = group.servers[0]
    events = [group.events(s) for s in group.sentinels]
    primary.kill()
    for sentinel in group.sentinels:
        silent_for(sentinel, 3000)
    check_equal([name for e in events for name in e.names() if name in ("+sdown", "+odown", "+try-failover")], [], "events")
    primary.restart()
    group.ready()


# ---- Leases ----

LEASE_MS = 1000
LEASE = [f"sentinel lease-milliseconds {NAME} {LEASE_MS}"]


def lease_state(server):
    return server.info("replication").get("lease_state")


def refusal(server):
    """The error that a write is refused with; empty if it is taken."""
    try:
        server.connect().call("SET", "probe", "x")
        return ""
    except ServerError as error:
        return str(error)


def held(group, primary):
    eventually(lambda: lease_state(primary) == "held" and not refusal(primary), lambda: f"{primary.name} holds the lease: {lease_state(primary)}, {refusal(primary)!r}")


def a_primary_without_its_sentinels_refuses_writes(group, mix):
    ours_only()
    our_servers_only()
    group.build(mix, sentinel_lines=LEASE, down_after=LONG)
    primary = group.servers[0]
    held(group, primary)
    for sentinel in group.sentinels:
        sentinel.freeze()
    eventually(lambda: refusal(primary), "writes are refused")
    check(refusal(primary).startswith("NOLEASE This primary holds no lease: "), lambda: f"the error is {refusal(primary)!r}")
    check_equal((lease_state(primary), primary.call("GET", "probe")), ("lost", b"x"), "its state, and a read")
    for sentinel in group.sentinels:
        sentinel.thaw()
    held(group, primary)
    for sentinel in group.sentinels[1:]:  # one is a minority
        sentinel.freeze()
    eventually(lambda: refusal(primary), "writes are refused again")
    group.sentinels[1].thaw()  # two are a majority
    held(group, primary)
    group.sentinels[2].thaw()
    for sentinel in [s for s in group.sentinels if s.is_vedette]:
        check_equal(sentinel.sentinel("SET", NAME, "lease-milliseconds", 0), b"OK", "the lease is withdrawn")
    eventually(lambda: lease_state(primary) == "none", "no lease is in force")
    for sentinel in group.sentinels:
        sentinel.freeze()
    time.sleep(2 * LEASE_MS / 1000)  # nothing can be waited for: nothing happens
    check_equal(refusal(primary), "", "a write without any lease")
    for sentinel in group.sentinels:
        sentinel.thaw()


class Prober:
    """Writes to one server all the time; when it began and when it ended each write that was taken."""

    def __init__(self, server):
        self.server = server
        self.taken = []
        self.ended = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        client = None
        while not self.ended:
            try:
                client = client or self.server.connect()
                began = time.monotonic()
                client.call("SET", "probe", "x")
                self.taken.append((began, time.monotonic()))
            except ServerError:
                pass
            except (OSError, HungUp):
                client = None
            time.sleep(0.002)

    def stop(self):
        self.ended = True
        self.thread.join(topology.DEADLINE)


def no_two_primaries_take_writes(group, how):
    """A write is taken somewhere between its beginning and its end: the last at the old one began before the first at the new one ended."""
    ours_only()
    our_servers_only()
    network = Network(group, 6)
    group.build("vvv-vvv", sentinel_lines=LEASE, places=network.hosts)
    old = group.servers[0]
    held(group, old)
    probers = {s: group.add(Prober(s)) for s in group.servers}
    eventually(lambda: len(probers[old].taken) > 50, "the primary takes writes")
    if how == "isolated":
        network.isolate(old.place)
    elif how == "away from the sentinels":
        network.part([old.place], [s.place for s in group.sentinels])
    elif how == "mute":
        for host in network.hosts[1:]:
            network.lose(old.place, host)
    else:
        old.freeze()
    new = group.has_failed_over(old)
    eventually(lambda: len(probers[new].taken) > 50, "the new primary takes writes")
    if how == "frozen":
        old.thaw()
    else:
        network.heal()
    group.ready()
    eventually(lambda: old.role() == "slave", "the former primary follows")
    for prober in probers.values():
        prober.stop()
    last, first = max(began for began, _ in probers[old].taken), min(ended for _, ended in probers[new].taken)
    check(last <= first, lambda: f"two primaries took writes for {(last - first) * 1000:.0f} ms at least")
    group.converged(new)


def a_lease_that_cannot_be_kept_is_refused(group, mix):
    ours_only()
    group.build(mix)
    mine = [s for s in group.sentinels if s.is_vedette][0]
    text = mine.error("SENTINEL", "SET", NAME, "lease-milliseconds", LEASE_MS)
    check("lease" in text.lower(), lambda: f"the error is {text!r}")
    check_equal(refusal(group.servers[0]), "", "a write")
    group.ready()


def a_killed_primary_with_a_lease(group):
    ours_only()
    our_servers_only()
    group.build("vvv-vvv", sentinel_lines=[*LEASE, *FAST])
    old = group.servers[0]
    held(group, old)
    old.kill()
    new = group.has_failed_over(old)
    held(group, new)
    old.restart()
    group.ready()
    check(group.primary() is new, "the new one stays")


def a_lease_by_hand(group):
    """The command itself, without a sentinel."""
    our_servers_only()
    server = group.server(VEDETTE)
    one, two = "1" * 40, "2" * 40
    token, is_held, left = server.call("LEASE", one, 2000, 2, "-")
    check_equal((is_held, left), (0, 0), "announced, not granted")
    check(refusal(server).startswith("NOLEASE"), "in force and not held")
    check_equal(server.call("LEASE", one, 2000, 2, token)[1], 0, "one of two")
    other = server.call("LEASE", two, 2000, 2, "-")[0]
    _, is_held, left = server.call("LEASE", two, 2000, 2, other)
    check(is_held == 1 and 0 < left <= 2000, lambda: f"held: {is_held}, {left}")
    check_equal(refusal(server), "", "a write")
    eventually(lambda: refusal(server), "it runs out")
    for bad in ("x", "", "deadbeef-1", token[:9] + b"99999999999999999", token):  # refused, or a grant of nothing
        for who in (one, two):
            server.connect().raw("LEASE", who, 2000, 2, bad)
        check(refusal(server).startswith("NOLEASE"), lambda: f"grants by {bad!r} are none")
    for words in (("LEASE",), ("LEASE", one), ("LEASE", one, "x", 2, "-"), ("LEASE", one, -1, 2, "-"), ("LEASE", one, 1000, 0, "-"), ("LEASE", one, 1000, 2, "-", "more")):
        server.error(*words)
    server.call("LEASE", one, 0, 2, "-")
    server.call("LEASE", two, 0, 2, "-")
    check_equal((refusal(server), lease_state(server)), ("", "none"), "withdrawn by both")


# ---- Planned failovers ----

def an_asked_for_failover_loses_nothing(group, mix):
    ours_only()
    group.build(mix)
    writer = group.add(PlainWriter(group))
    writer.goes_on(200)
    asked = [s for s in group.sentinels if s.is_vedette]
    for turn in range(4):
        old = group.primary()
        check_equal(asked[turn % len(asked)].sentinel("FAILOVER", NAME, "COORDINATED"), b"OK", "FAILOVER COORDINATED")
        group.has_failed_over(old)
        writer.goes_on(200)
        group.ready()
    told = writer.finish()
    gone = lost(group.converged(), told)
    check_equal(gone, [], f"acknowledged writes that are lost, of {len(told['acknowledged'])}")


def an_asked_for_failover_that_cannot_be(group):
    ours_only()
    group.build("vvv-vvv")
    sentinel, primary = group.sentinels[0], group.servers[0]
    check("ERR" in sentinel.error("SENTINEL", "FAILOVER", NAME, "nonsense"), "a wrong word")
    for server in group.servers[1:]:
        server.config("replica-priority", 0)
    eventually(lambda: {r["slave-priority"] for r in sentinel.replicas()} == {"0"}, "no replica may be promoted")
    check_equal(sentinel.error("SENTINEL", "FAILOVER", NAME, "COORDINATED"), "NOGOODSLAVE No suitable replica to promote", "COORDINATED")
    group.converged(primary)


def the_state_channel(group):
    our_servers_only()
    primary, replica = group.server(VEDETTE), group.server(VEDETTE)
    heard = {s: group.events(s, "__vedette__:state") for s in (primary, replica)}

    def last(server):
        payloads = heard[server].of("__vedette__:state")
        return info_fields(payloads[-1].encode("latin1")) if payloads else {}
    eventually(lambda: last(primary).get("role") == "master" and last(replica).get("role") == "master", "both say at once what they are")
    check_equal(last(primary)["run_id"], primary.info("server")["run_id"], "run_id")
    replica.follow(primary)
    eventually(lambda: last(replica).get("role") == "slave" and last(replica).get("master_link_status") == "up", lambda: f"the replica's state: {last(replica)}")
    check_equal((last(replica)["master_port"], last(replica)["loading"]), (str(primary.port), "0"), "its primary")
    eventually(lambda: last(primary).get("connected_slaves") == "1", lambda: f"the primary's state: {last(primary)}")
    group.write(primary)
    eventually(lambda: last(replica)["slave_repl_offset"] == primary.info("replication")["master_repl_offset"], "the offset")
    check_equal(primary.info("replication")["master_repl_offset"], str(primary.offset()), "what is told is no part of the stream")
    replica.promote()
    eventually(lambda: last(replica)["role"] == "master", "the promotion is told")
    for server in (primary, replica):
        check("vedette_version" in last(server) and last(server)["shutdown_requested"] == "0" and last(server)["lease_state"] == "none", lambda: f"{last(server)}")


# ---- Why, and what was ----

def explanations(group):
    ours_only()
    group.build("vvv-vvv", each=lambda i: ["replica-priority 0"] if i == 2 else [])
    sentinel = group.sentinels[0]

    def said():
        return words_of(sentinel.sentinel("EXPLAIN", NAME))
    eventually(lambda: "priority" in said(), lambda: f"why a replica is not chosen: {said()}")
    for server in group.servers[1:]:
        check(str(server.port) in said(), lambda: f"{server.name} is spoken of: {said()}")
    check(said().index(str(group.servers[1].port)) < said().index(str(group.servers[2].port)), lambda: f"who would be promoted comes first: {said()}")
    check_equal(sentinel.error("SENTINEL", "EXPLAIN", "nobody"), "ERR No such master with that name", "of a stranger")
    before = said()
    for other in group.sentinels[1:]:
        other.kill()
    eventually(lambda: sentinel.is_down(group.sentinels[1].port) and sentinel.is_down(group.sentinels[2].port), "the others are down")
    check(said() != before, lambda: f"what blocks a failover: {said()}")
    sentinel.error("SENTINEL", "EXPLAIN")
    sentinel.error("SENTINEL", "EXPLAIN", NAME, "more")


def histories(group):
    ours_only()
    group.build("vvv-vvv")
    for sentinel in group.sentinels:
        check_equal(sentinel.sentinel("HISTORY", NAME), [], "before any failover")
    old = group.servers[0]
    old.kill()
    new = group.has_failed_over(old)
    old.restart()
    group.converged(new)
    said = [words_of(s.sentinel("HISTORY", NAME)) for s in group.sentinels]
    for text in said:
        check(str(old.port) in text and str(new.port) in text, lambda: f"from and to: {text}")
    ids = [s.sentinel("MYID").decode() for s in group.sentinels]
    check(any(sum(i in text for i in ids) >= 2 for text in said), lambda: f"who voted: {said}")
    group.sentinels[0].sentinel("FAILOVER", NAME)
    group.converged(group.has_failed_over(new))
    eventually(lambda: len(group.sentinels[0].sentinel("HISTORY", NAME)) == 2, "the second one")
    check_equal(group.sentinels[0].error("SENTINEL", "HISTORY", "nobody"), "ERR No such master with that name", "of a stranger")


def forgetting(group):
    ours_only()
    group.build("vvv-vvv")
    sentinel, replica, other = group.sentinels[0], group.servers[2], group.sentinels[2]
    gone = other.sentinel("MYID")
    check("ERR" in sentinel.error("SENTINEL", "FORGET", NAME, f"127.0.0.1:{group.servers[0].port}"), "the primary is not forgotten")
    check("ERR" in sentinel.error("SENTINEL", "FORGET", NAME, "127.0.0.1:1"), "a stranger")
    replica.kill()
    other.kill()
    for one in group.living_sentinels():
        eventually(lambda: one.is_down(replica.port) and one.is_down(other.port), "both are down")
        eventually(lambda: one.sentinel("FORGET", NAME, f"127.0.0.1:{replica.port}") == b"OK", "FORGET of a replica")
        check_equal(one.sentinel("FORGET", NAME, gone), b"OK", "FORGET of a sentinel")
    for one in group.living_sentinels():
        eventually(lambda: (one.master()["num-slaves"], one.master()["num-other-sentinels"]) == ("1", "1"), lambda: f"{one.name} knows {one.master()}")
        one.kill()
        one.restart()
        check_equal((one.master()["num-slaves"], one.master()["num-other-sentinels"]), ("1", "1"), "after a start")
    replica.restart()
    other.restart()
    group.converged(group.servers[0])  # who is back is found again


def forgetting_by_itself(group):
    ours_only()
    group.build("vvv-vvv", sentinel_lines=[f"sentinel forget-after-seconds {NAME} 2"])
    replica = group.servers[2]
    replica.kill()
    for sentinel in group.sentinels:
        eventually(lambda: sentinel.flags(replica.port) is None, f"{sentinel.name} has forgotten it")
    replica.restart()
    group.converged(group.servers[0])


def a_replica_of_the_same_zone_is_preferred(group):
    ours_only()
    our_servers_only()
    group.build("vvv-vvvv", sentinel_lines=["sentinel zone here"], each=lambda i: [f"replica-zone {'here' if i == 2 else 'there'}"])
    group.servers[0].kill()
    check(group.has_failed_over(group.servers[0]) is group.servers[2], "the replica of the sentinels' zone is promoted")


# ---- State and configuration ----

def with_state_file(group):
    group.build("vvv-vvv", ready=False)
    for sentinel in group.sentinels:
        sentinel.kill()
        sentinel.write_configuration([*sentinel.first_lines(), *sentinel.lines, f"sentinel state-file {sentinel.path('sentinel.state')}"])
        os.chmod(sentinel.configuration(), stat.S_IRUSR)
        sentinel.restart()
    group.ready()


def a_configuration_that_is_only_read(group):
    ours_only()
    with_state_file(group)
    before = {s: (s.read_configuration(), os.stat(s.configuration()).st_ino) for s in group.sentinels}
    old = group.servers[0]
    old.kill()
    new = group.has_failed_over(old)
    group.ready()
    check_equal(group.sentinels[0].sentinel("SET", NAME, "failover-timeout", 7000), b"OK", "SET")
    check_equal(group.sentinels[0].sentinel("FLUSHCONFIG"), b"OK", "FLUSHCONFIG")
    for sentinel in group.sentinels:
        known = sentinel.sentinel("MYID"), sentinel.master()["config-epoch"], sentinel.master()["failover-timeout"]
        sentinel.kill()
        others = [s for s in group.sentinels if s is not sentinel]
        for other in others:
            other.freeze()
        sentinel.restart()
        check_equal((sentinel.sentinel("MYID"), sentinel.master()["config-epoch"], sentinel.master()["failover-timeout"]), known, "id, config epoch and setting")
        check_equal((sentinel.address(), len(sentinel.others()), len(sentinel.replicas())), (new.port, 2, 2), "primary, sentinels, replicas")
        for other in others:
            other.thaw()
        check_equal((sentinel.read_configuration(), os.stat(sentinel.configuration()).st_ino), before[sentinel], "the configuration")
    old.restart()
    group.converged(new)


def a_state_file_that_is_damaged(group):
    """Cut at any byte, or with any byte changed: it says so and does not start, since a forgotten vote is a double vote."""
    ours_only()
    with_state_file(group)
    old = group.servers[0]
    old.kill()
    group.has_failed_over(old)
    group.ready()
    sentinel = group.sentinels[0]
    path = sentinel.path("sentinel.state")
    sentinel.kill()
    with open(path, "rb") as file:
        whole = file.read()
    rng = random.Random(5)
    damaged = [whole[:cut] for cut in cuts(len(whole), rng, 40)] + [whole + b"x", whole + whole]
    for _ in range(20):
        at = rng.randrange(len(whole))
        damaged.append(whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1:])
    for data in damaged:
        with open(path, "wb") as file:
            file.write(data)
        code, said = run_with(sentinel, sentinel.configuration())
        check(code == 1, lambda: f"{len(data)} of {len(whole)} bytes: ended with {code}:\n{said[-1000:]}")
        check("sentinel.state" in said, lambda: f"it names the file: {said[-1000:]}")
    with open(path, "wb") as file:
        file.write(whole)
    sentinel.restart()
    group.ready()


def names_in_place_of_addresses(group, mix):
    """Redis' own behaviour too: resolve-hostnames and announce-hostnames."""
    for i, letter in enumerate(mix.partition("-")[2]):
        lines = ["replica-announce-ip localhost", *([f"replicaof localhost {group.servers[0].port}"] if i else [])]
        group.server(groups.KINDS[letter], lines)
    for letter in mix.partition("-")[0]:
        lines = ["sentinel resolve-hostnames yes", "sentinel announce-hostnames yes", *group.monitor_lines()]
        group.sentinel(groups.KINDS[letter], [line.replace(f"monitor {NAME} 127.0.0.1", f"monitor {NAME} localhost") for line in lines])
    group.ready()
    for sentinel in group.sentinels:
        check_equal(sentinel.sentinel("GET-MASTER-ADDR-BY-NAME", NAME), [b"localhost", str(group.servers[0].port).encode()], "address")
        eventually(lambda: {r["ip"] for r in sentinel.replicas()} == {"localhost"}, lambda: f"replicas' names: {[r['ip'] for r in sentinel.replicas()]}")
        check_equal(len(sentinel.replicas()), 2, "replicas")
    group.servers[0].kill()
    new = group.has_failed_over(group.servers[0])
    group.servers[0].restart()
    group.converged(new)
    for sentinel in group.sentinels:
        check_equal(sentinel.sentinel("GET-MASTER-ADDR-BY-NAME", NAME), [b"localhost", str(new.port).encode()], "address after the failover")


def a_name_that_does_not_resolve_blocks_nothing(group):
    """In a file it is a primary that is down; an operator's order with such a name is refused."""
    ours_only()
    unknown = ["sentinel monitor other no-such-host.invalid 6379 2", f"sentinel down-after-milliseconds other {group.down_after}"]
    group.build("vvv-vvv", sentinel_lines=["sentinel resolve-hostnames yes", *unknown])
    sentinel = group.sentinels[0]
    eventually(lambda: "s_down" in sentinel.master("other")["flags"], lambda: f"other: {sentinel.master('other')}")
    try:
        said = sentinel.sentinel("MONITOR", "third", "no-such-host.invalid", 6379, 2)
    except ServerError as error:
        said = str(error)
    check_equal(said, "ERR Invalid IP address or hostname specified", "MONITOR of a name that nobody has")
    old = group.servers[0]
    old.kill()
    group.has_failed_over(old)
    check_equal(sentinel.sentinel("REMOVE", "other"), b"OK", "REMOVE")


def the_server_program_starts_it(group):
    """`vedette-server FILE --sentinel`."""
    ours_only()
    our_servers_only()
    group.build("vv-vv", quorum=1)
    sentinel = group.sentinels[0]
    known = sentinel.sentinel("MYID")
    sentinel.kill()
    with open(sentinel.path("log"), "ab") as log:
        sentinel.process = subprocess.Popen([topology.BINARIES[VEDETTE], sentinel.configuration(), "--sentinel"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    sentinel.client = None
    sentinel.wait_until_ready()
    check_equal((sentinel.sentinel("MYID"), info_fields(sentinel.call("INFO", "server"))["redis_mode"]), (known, "sentinel"), "it is the sentinel")
    group.ready()


CASES = [
    (refused_connections_open_a_failover, [(mix, how) for mix in ("vvv-vvv", "vvv-rrr", "vvv-vrv") for how in ("by the file", "by SET") if mix == "vvv-vvv" or how == "by the file"]),
    (silence_is_no_evidence, None),
    (without_it_a_refusal_is_no_evidence, None),
    (a_primary_without_its_sentinels_refuses_writes, ["vvv-vvv"]),
    (no_two_primaries_take_writes, ["isolated", "away from the sentinels", "mute", "frozen"]),
    (a_lease_that_cannot_be_kept_is_refused, ["rrv-vvv", "vvv-rrr"]),
    (a_killed_primary_with_a_lease, None),
    (a_lease_by_hand, None),
    (an_asked_for_failover_loses_nothing, ["vvv-vvv", "vvv-rrr", "vvr-vrv"]),
    (an_asked_for_failover_that_cannot_be, None),
    (the_state_channel, None),
    (explanations, None),
    (histories, None),
    (forgetting, None),
    (forgetting_by_itself, None),
    (a_replica_of_the_same_zone_is_preferred, None),
    (a_configuration_that_is_only_read, None),
    (a_state_file_that_is_damaged, None),
    (names_in_place_of_addresses, ["vvv-vvv", "vvr-vrv"]),
    (a_name_that_does_not_resolve_blocks_nothing, None),
    (the_server_program_starts_it, None),
]
