"""What may die, stop, come back or be asked for: the group is whole again each time, with the data it had."""
import os

from group import NAME, Failed, HungUp, ServerError, check, check_equal, eventually

# Sentinels, then servers; the first server is the primary.
MIXES = ["vvv-vvv", "vvv-rrr", "rrr-vvv", "vvr-vrv", "rrv-rvr"]


def the_primary_is_killed_and_comes_back(group, mix):
    group.build(mix)
    old = group.servers[0]
    group.write(old)
    group.converged(old)
    old.kill()
    new = group.has_failed_over(old)
    group.holds(new)
    group.write(new, prefix="after")
    group.converged(new)
    old.restart()  # its file says that it is a primary
    group.converged(new)
    group.holds(old, prefix="after")
    for sentinel in group.sentinels:
        check_equal(len(sentinel.replicas()), 2, f"replicas that {sentinel.name} knows")


def the_primary_stands_still_and_goes_on(group, mix):
    group.build(mix)
    old = group.servers[0]
    group.write(old)
    group.converged(old)
    old.freeze()
    new = group.has_failed_over(old)
    group.write(new, prefix="after")
    old.thaw()
    group.converged(new)
    group.holds(old, prefix="after")


def a_replica_is_killed(group, mix):
    group.build(mix)
    primary, replica = group.servers[:2]
    epochs = {s.master()["config-epoch"] for s in group.sentinels}
    replica.kill()
    for sentinel in group.sentinels:
        eventually(lambda: sentinel.is_down(replica.port), f"{sentinel.name} sees it down")
        check_equal(sentinel.master()["num-slaves"], "2", "replicas that are known")
    group.write(primary)
    replica.restart()
    group.converged(primary)
    check_equal({s.master()["config-epoch"] for s in group.sentinels}, epochs, "no failover: the config epochs")


def a_sentinel_is_killed(group, mix):
    group.build(mix)
    old, gone = group.servers[0], group.sentinels[0]
    gone.kill()
    for sentinel in group.living_sentinels():
        eventually(lambda: sentinel.is_down(gone.port), f"{sentinel.name} sees it down")
        check_equal(sentinel.sentinel("CKQUORUM", NAME), b"OK 2 usable Sentinels. Quorum and failover authorization can be reached", "CKQUORUM")
    old.kill()
    new = group.has_failed_over(old)
    gone.restart()  # it hears of the new primary from the others
    group.converged(new)


def too_few_sentinels_do_nothing(group, mix):
    group.build(mix)
    primary = group.servers[0]
    for sentinel in group.sentinels[:2]:
        sentinel.kill()
    last = group.sentinels[2]
    eventually(lambda: all(last.is_down(s.port) for s in group.sentinels[:2]), "the last one sees the others down")
    check(not last.can_reach_quorum(), "CKQUORUM tells it")
    try:
        last.sentinel("CKQUORUM", NAME)
    except ServerError as error:
        check_equal(str(error), "NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the specified quorum for this master. Not enough available "
                    "Sentinels to reach the majority and authorize a failover", "CKQUORUM")
    events = group.events(last)
    primary.kill()
    events.wait_for("+sdown", f"master {NAME}")
    eventually(lambda: "master_link_status:down" in "".join(f"{k}:{v}\n" for k, v in group.servers[1].info("replication").items()), "the link is down")
    check_equal([n for n in events.names() if n in ("+odown", "+try-failover", "+switch-master")], [], "events")
    for sentinel in group.sentinels[:2]:
        sentinel.restart()
    group.converged(group.has_failed_over(primary))


def the_leader_crashes(group, mix, moment):
    group.build(mix)
    group.expected_ends.add(99)  # what SIMULATE-FAILURE ends with
    old = group.servers[0]
    group.write(old)
    group.converged(old)
    for sentinel in group.sentinels:
        check_equal(sentinel.sentinel("SIMULATE-FAILURE", moment), b"OK", "SIMULATE-FAILURE")
    old.kill()
    eventually(lambda: len(group.living_sentinels()) < 3, "the leader crashes")
    # None from now on. The next leader may be crashing at this moment: its successor takes over within milliseconds.
    for sentinel in group.living_sentinels():
        try:
            sentinel.sentinel("SIMULATE-FAILURE", "help")
        except (OSError, HungUp):
            eventually(lambda: not sentinel.alive(), "the next leader crashes")
    crashed = [s for s in group.sentinels if not s.alive()]
    check_equal([s.process.returncode for s in crashed], [99] * len(crashed), "exit codes")
    for sentinel in crashed:
        sentinel.restart()
    new = group.has_failed_over(old)
    group.holds(new)
    old.restart()
    group.converged()


def an_operator_asks_for_it(group, mix):
    group.build(mix)
    old = group.servers[0]
    group.write(old)
    group.converged(old)
    asked = group.sentinels[0]
    check_equal(asked.sentinel("FAILOVER", NAME), b"OK", "SENTINEL FAILOVER")
    try:
        asked.sentinel("FAILOVER", NAME)
    except ServerError as error:
        check_equal(str(error), "INPROG Failover already in progress", "a second one")
    else:
        raise Failed("a second SENTINEL FAILOVER is accepted at once")
    new = group.has_failed_over(old)
    group.holds(new)
    group.converged(new)
    check(all(int(s.master()["config-epoch"]) > 0 for s in group.sentinels), "the config epoch grew")
    check_equal(group.sentinels[1].sentinel("FAILOVER", NAME), b"OK", "SENTINEL FAILOVER of another sentinel")
    group.converged(group.has_failed_over(new))


def the_lower_priority_is_preferred(group, mix):
    group.build(mix, each=lambda i: [f"replica-priority {(100, 100, 10)[i]}"])
    group.servers[0].kill()
    check(group.has_failed_over(group.servers[0]) is group.servers[2], "the replica of priority 10 is the new primary")
    group.converged(group.servers[2])


def priority_zero_is_never_promoted(group, mix):
    group.build(mix, each=lambda i: ["replica-priority 0"] if i else [])
    old = group.servers[0]
    for sentinel in group.sentinels:
        eventually(lambda: [r["slave-priority"] for r in sentinel.replicas()] == ["0", "0"], "the priorities are known")
    try:
        group.sentinels[0].sentinel("FAILOVER", NAME)
    except ServerError as error:
        check_equal(str(error), "NOGOODSLAVE No suitable replica to promote", "SENTINEL FAILOVER")
    else:
        raise Failed("SENTINEL FAILOVER promotes a replica of priority 0")
    events = [group.events(s) for s in group.sentinels]
    old.kill()
    eventually(lambda: any(e.of("-failover-abort-no-good-slave") for e in events), lambda: f"the failover is given up: {[e.seen for e in events]}")
    check_equal([s.role() for s in group.servers[1:]], ["slave", "slave"], "roles")
    check_equal({s.address() for s in group.sentinels}, {old.port}, "the primary's address")
    group.servers[1].config("replica-priority", 50)  # now there is one that may
    check(group.has_failed_over(old) is group.servers[1], "the replica of priority 50 is the new primary")


def the_promoted_one_dies_too(group, mix):
    group.build(mix)
    first = group.servers[0]
    group.write(first)
    group.converged(first)
    first.kill()
    second = group.has_failed_over(first)
    group.converged(second)
    second.kill()
    third = group.has_failed_over(second)
    group.holds(third)
    group.write(third, prefix="third")
    first.restart()
    second.restart()
    group.converged(third)


def a_replica_that_points_elsewhere_is_put_right(group, mix, elsewhere):
    group.build(mix)
    primary, replica = group.servers[:2]
    group.write(primary)
    group.converged(primary)
    events = [group.events(s) for s in group.sentinels]
    if elsewhere == "a stranger":
        stranger = group.server(primary.kind)
        group.servers.remove(stranger)  # not of the group
        stranger.call("SET", "strange", "x")
        replica.follow(stranger)
        channel = "+fix-slave-config"
    else:
        replica.promote()
        channel = "+convert-to-slave"
    eventually(lambda: any(str(replica.port) in text for e in events for text in e.of(channel)), lambda: f"{channel}: {[e.seen for e in events]}")
    group.converged(primary)


def wrong_passwords(group, mix):
    group.password = "secret"
    group.build(mix)
    primary, sentinel = group.servers[0], group.sentinels[0]
    group.write(primary)
    events = group.events(sentinel)
    check_equal(sentinel.sentinel("SET", NAME, "auth-pass", "wrong"), b"OK", "SET auth-pass")
    events.wait_for("+sdown", f"master {NAME}")
    check_equal(len(events.of("+odown")), 0, "the other sentinels see it well: +odown")
    check_equal(sentinel.sentinel("SET", NAME, "auth-pass", "secret"), b"OK", "SET auth-pass")
    events.wait_for("-sdown", f"master {NAME}")
    group.converged(primary)
    primary.kill()
    new = group.has_failed_over(primary)
    group.holds(new)
    group.converged(new)


def a_sentinel_is_started_again(group, mix):
    group.build(mix)
    old = group.servers[0]
    old.kill()
    new = group.has_failed_over(old)
    group.ready()
    for sentinel in group.sentinels:
        before = sentinel.master(), sentinel.sentinel("MYID"), sorted(o["runid"] for o in sentinel.others())
        sentinel.kill()
        others = [s for s in group.sentinels if s is not sentinel]
        for other in others:
            other.freeze()  # what it knows now, it knows from its file
        sentinel.restart()
        after = sentinel.master(), sentinel.sentinel("MYID"), sorted(o["runid"] for o in sentinel.others())
        for other in others:
            other.thaw()
        for name in ("port", "config-epoch", "quorum", "num-slaves", "num-other-sentinels", "down-after-milliseconds", "failover-timeout"):
            check_equal(after[0][name], before[0][name], f"{name} of {sentinel.name} after its start")
        check_equal(after[1:], before[1:], f"its id, and the other sentinels that {sentinel.name} knows")
        check_equal(sorted(int(r["port"]) for r in sentinel.replicas()), sorted(s.port for s in group.servers if s is not new), "replicas")
    group.converged(new)
    check(os.path.exists(group.sentinels[0].configuration()), "the file is there")


CASES = [
    (the_primary_is_killed_and_comes_back, MIXES),
    (the_primary_stands_still_and_goes_on, MIXES),
    (a_replica_is_killed, MIXES),
    (a_sentinel_is_killed, MIXES),
    (too_few_sentinels_do_nothing, ["vvv-vvv", "vvr-vrv"]),
    (the_leader_crashes, [(mix, moment) for mix in MIXES for moment in ("crash-after-election", "crash-after-promotion")]),
    (an_operator_asks_for_it, MIXES),
    (the_lower_priority_is_preferred, MIXES),
    (priority_zero_is_never_promoted, MIXES),
    (the_promoted_one_dies_too, MIXES),
    (a_replica_that_points_elsewhere_is_put_right, [(mix, where) for mix in MIXES for where in ("a stranger", "no one")]),
    (wrong_passwords, MIXES),
    (a_sentinel_is_started_again, MIXES),
]
