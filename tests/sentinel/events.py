"""What sentinels publish: which events a failover has, in which order, and how their payloads read.

Redis' names have `slave` in them. Ours says each such event a second time, `replica` in its place, for the clients that wait
for that name.
"""
import re

from group import NAME, VEDETTE, check, check_equal, eventually, ours_only

# The leader's events in the order of a failover; what stands in between is not said here.
LEADER = ["+sdown", "+odown", "+new-epoch", "+try-failover", "+vote-for-leader", "+elected-leader", "+failover-state-select-slave", "+selected-slave",
          "+failover-state-send-slaveof-noone", "+failover-state-wait-promotion", "+promoted-slave", "+failover-state-reconf-slaves", "+slave-reconf-sent",
          "+slave-reconf-inprog", "+slave-reconf-done", "+failover-end", "+switch-master"]
MANUAL = ["+new-epoch", "+try-failover", "+vote-for-leader", "+elected-leader", "+failover-state-select-slave", "+selected-slave",
          "+failover-state-send-slaveof-noone", "+failover-state-wait-promotion", "+promoted-slave", "+failover-state-reconf-slaves", "+failover-end", "+switch-master"]


def told_early(names):
    """Ours says at the moment of the promotion who the primary is; Redis' only after the replicas have been led over."""
    names = [name for name in names if name != "+switch-master"]
    names.insert(names.index("+failover-state-reconf-slaves") + 1, "+switch-master")
    return names


ADDRESS = r"127\.0\.0\.1 \d+"
MASTER = rf"master (?:{NAME}|other) {ADDRESS}"
SLAVE = rf"slave {ADDRESS.replace(' ', ':')} {ADDRESS} @ (?:{NAME}|other) {ADDRESS}"
PAYLOADS = {
    "+monitor": rf"{MASTER} quorum \d+", "+odown": rf"{MASTER} #quorum \d+/\d+", "-odown": MASTER, "+new-epoch": r"\d+", "+try-failover": MASTER,
    "+vote-for-leader": r"[0-9a-f]{40} \d+", "+elected-leader": MASTER, "+failover-state-select-slave": MASTER, "+selected-slave": SLAVE,
    "+failover-state-send-slaveof-noone": SLAVE, "+failover-state-wait-promotion": SLAVE, "+promoted-slave": SLAVE, "+failover-state-reconf-slaves": MASTER,
    "+slave-reconf-sent": SLAVE, "+slave-reconf-inprog": SLAVE, "+slave-reconf-done": SLAVE, "+failover-end": MASTER,
    "+switch-master": rf"{NAME} {ADDRESS} {ADDRESS}", "+slave": SLAVE, "+convert-to-slave": SLAVE, "+fix-slave-config": SLAVE, "+reboot": rf"({MASTER}|{SLAVE})",
    "+role-change": rf"({MASTER}|{SLAVE}) new reported role is (master|slave)", "-role-change": rf"({MASTER}|{SLAVE}) new reported role is (master|slave)",
    "+sdown": rf"({MASTER}|{SLAVE}|sentinel [0-9a-f]{{40}} {ADDRESS} @ (?:{NAME}|other) {ADDRESS})", "+sentinel": rf"sentinel [0-9a-f]{{40}} {ADDRESS} @ (?:{NAME}|other) {ADDRESS}",
    "+config-update-from": rf"sentinel [0-9a-f]{{40}} {ADDRESS} @ (?:{NAME}|other) {ADDRESS}", "+set": rf"{MASTER} \S+ \S+.*", "+reset-master": MASTER, "-monitor": rf"{MASTER}",
    "-failover-abort-no-good-slave": MASTER, "-failover-abort-not-elected": MASTER,
}
PAYLOADS["-sdown"] = PAYLOADS["+sdown"]


def in_order(names, wanted):
    """The first of the wanted ones that does not follow the one before it; None if all do."""
    at = 0
    for name in wanted:
        try:
            at = names.index(name, at) + 1
        except ValueError:
            return name
    return None


def payloads_read_well(events):
    for channel, payload in list(events.seen):
        form = PAYLOADS.get(channel)
        check(form is None or re.fullmatch(form, payload), lambda: f"{channel} says {payload!r}; wanted {form}")


def without_twins(events):
    """The names without the replica-named ones, which only ours says; each follows its like at once."""
    names = events.names()
    return [name for name in names if "replica" not in name]


def a_failover_is_told(group, mix):
    group.build(mix)
    old = group.servers[0]
    heard = {s: group.events(s) for s in group.sentinels}
    old.kill()
    new = group.has_failed_over(old)
    for events in heard.values():
        switched = events.wait_for("+switch-master")
        check_equal(switched, f"{NAME} 127.0.0.1 {old.port} 127.0.0.1 {new.port}", "+switch-master")
    leaders = [s for s in group.sentinels if heard[s].of("+promoted-slave")]
    check_equal(len(leaders), 1, "sentinels that promoted a replica")
    leader = heard[leaders[0]]
    eventually(lambda: leader.of("+failover-end"), "the failover ends")
    missing = in_order(without_twins(leader), told_early(LEADER) if leaders[0].kind == VEDETTE else LEADER)
    check(missing is None, lambda: f"the leader does not say {missing} in its place; it says {leader.names()}")
    for sentinel in group.sentinels:
        events = heard[sentinel]
        payloads_read_well(events)
        check_equal(len(events.of("+switch-master")), 1, f"times that {sentinel.name} says +switch-master")
        if sentinel is not leaders[0]:
            missing = in_order(without_twins(events), ["+config-update-from", "+switch-master"])
            check(missing is None, lambda: f"{sentinel.name} does not say {missing} in its place; it says {events.names()}")
            check_equal(events.of("+failover-end"), [], f"+failover-end of {sentinel.name}")
    for sentinel in group.sentinels:
        eventually(lambda: sentinel.is_down(old.port), f"{sentinel.name} sees the former primary down, as a replica")
    old.restart()
    for events in heard.values():
        events.wait_for("-sdown", f"slave 127.0.0.1:{old.port} ")
    group.converged(new)


def a_manual_failover_is_told(group, mix):
    group.build(mix)
    events = group.events(group.sentinels[0])
    group.sentinels[0].sentinel("FAILOVER", NAME)
    new = group.has_failed_over(group.servers[0])
    eventually(lambda: events.of("+switch-master") and events.of("+failover-end"), "the failover ends")
    group.converged(new)
    missing = in_order(without_twins(events), told_early(MANUAL) if group.sentinels[0].kind == VEDETTE else MANUAL)
    check(missing is None, lambda: f"{missing} is not said in its place: {events.names()}")
    check_equal([name for name in events.names() if name in ("+sdown", "+odown")], [], "nothing is down")
    payloads_read_well(events)


def who_comes_and_goes_is_told(group, mix):
    group.build(mix)
    sentinel, replica, other = group.sentinels[0], group.servers[1], group.sentinels[1]
    events = group.events(sentinel)
    replica.kill()
    events.wait_for("+sdown", f"slave 127.0.0.1:{replica.port}")
    other.kill()
    events.wait_for("+sdown", "sentinel ")
    replica.restart()
    events.wait_for("+reboot", f"slave 127.0.0.1:{replica.port}")
    events.wait_for("-sdown", f"slave 127.0.0.1:{replica.port}")
    other.restart()
    events.wait_for("-sdown", "sentinel ")
    newcomer = group.server(VEDETTE, [f"replicaof 127.0.0.1 {group.servers[0].port}"])
    events.wait_for("+slave", f"slave 127.0.0.1:{newcomer.port} 127.0.0.1 {newcomer.port} @ {NAME}")
    guard = group.sentinel(lines=group.monitor_lines())
    events.wait_for("+sentinel", f"sentinel {guard.sentinel('MYID').decode()} 127.0.0.1 {guard.port} @ {NAME}")
    payloads_read_well(events)
    group.ready()


def what_operators_do_is_told(group, mix):
    group.build(mix)
    sentinel, port = group.sentinels[0], group.servers[0].port
    events = group.events(sentinel)
    sentinel.sentinel("SET", NAME, "quorum", 3)
    check_equal(events.wait_for("+set", "quorum"), f"master {NAME} 127.0.0.1 {port} quorum 3", "+set")
    sentinel.sentinel("SET", NAME, "auth-pass", "very-secret")
    events.wait_for("+set", "auth-pass")
    check(not any("very-secret" in payload for _, payload in events.seen), lambda: f"a password is published: {events.seen}")
    sentinel.sentinel("SET", NAME, "auth-pass", "")
    sentinel.sentinel("SET", NAME, "quorum", 2)
    sentinel.sentinel("MONITOR", "other", "127.0.0.1", port, 1)
    check_equal(events.wait_for("+monitor", "other"), f"master other 127.0.0.1 {port} quorum 1", "+monitor")
    sentinel.sentinel("REMOVE", "other")
    check_equal(events.wait_for("-monitor", "other"), f"master other 127.0.0.1 {port}", "-monitor")
    sentinel.sentinel("RESET", NAME)
    check_equal(events.wait_for("+reset-master"), f"master {NAME} 127.0.0.1 {port}", "+reset-master")
    group.ready()
    payloads_read_well(events)


def subscriptions_select(group, mix):
    """One channel, a pattern, and none of the others."""
    group.build(mix)
    one = group.sentinels[0].connect()
    one.call("SUBSCRIBE", "+switch-master")
    pattern = group.events(group.sentinels[0], "+s*")
    group.sentinels[0].sentinel("FAILOVER", NAME)
    group.has_failed_over(group.servers[0])
    message = one.next_reply()
    check(b"+switch-master" in message and message.startswith(b"*3\r\n$7\r\nmessage\r\n"), lambda: f"the message is {message}")
    pattern.wait_for("+switch-master")
    check_equal([name for name in pattern.names() if not name.startswith("+s")], [], "other channels")


def each_event_has_a_name_with_replica_in_it(group):
    """Ours only: beside `+slave-reconf-done` there is `+replica-reconf-done`, about the same node, and so for all others."""
    ours_only()
    group.build("vvv-vvv")
    heard = [group.events(s) for s in group.sentinels]
    old = group.servers[0]
    old.kill()
    new = group.has_failed_over(old)
    group.ready()
    old.restart()
    group.converged(new)
    replica = [s for s in group.servers if s is not new][0]
    replica.promote()
    eventually(lambda: any(e.of("+convert-to-slave") for e in heard), "+convert-to-slave")
    group.converged(new)
    found = set()
    for events in heard:
        for channel in {name for name in events.names() if "slave" in name}:
            twin = channel.replace("slaveof", "replicaof").replace("slave", "replica")
            found.add(twin)
            eventually(lambda: len(events.of(twin)) >= len(events.of(channel)),
                       lambda: f"{len(events.of(channel))} of {channel}, {len(events.of(twin))} of {twin}: {events.names()}", 5)
            for mine, theirs in zip(events.of(twin), events.of(channel)):
                check_equal(mine.replace("replica ", "slave ", 1).replace("primary ", "master ", 1), theirs, f"payload of {twin}")
    check("+replica-reconf-done" in found, lambda: f"+replica-reconf-done is said: {found}")


ALL = ["vvv-vvv", "vvv-rrr", "vvr-vrv"]
CASES = [
    (a_failover_is_told, ALL),
    (a_manual_failover_is_told, ALL),
    (who_comes_and_goes_is_told, ALL),
    (what_operators_do_is_told, ["vvv-vvv"]),
    (subscriptions_select, ["vvv-vvv"]),
    (each_event_has_a_name_with_replica_in_it, None),
]
