"""Real partitions, between hosts that are network namespaces. Where those are not allowed, all of this is skipped."""
from group import NAME, check, check_equal, eventually
from network import Network

MIXES = ["vvv-vvv", "rrr-vvv", "vvr-vrv"]


def three_hosts(group, mix):
    """A server and a sentinel on each of three hosts."""
    network = Network(group, 3)
    group.build(mix, places=network.hosts * 2)
    return network


def apart(group, mix):
    """Every process on a host of its own: the servers' hosts, then the sentinels'."""
    network = Network(group, len(mix) - 1)
    group.build(mix, places=network.hosts)
    return network


def majority_fails_over(group, sentinels, old):
    eventually(lambda: len({s.address() for s in sentinels}) == 1 and sentinels[0].address() != old.port, "the majority has a new primary")
    new = group.at(sentinels[0].address())
    eventually(lambda: new.role() == "master", "it says so")
    return new


def the_primary_is_with_a_minority(group, mix):
    network = three_hosts(group, mix)
    old, alone = group.servers[0], group.sentinels[0]
    group.write(old)
    group.converged(old)
    network.part(network.hosts[:1], network.hosts[1:])
    new = majority_fails_over(group, group.sentinels[1:], old)
    check_equal(alone.address(), old.port, "the minority stays with the former primary")
    check_equal(old.role(), "master", "its role meanwhile")
    eventually(lambda: not alone.can_reach_quorum(), "the minority knows that it is one")
    group.write(new, prefix="majority")
    network.heal()
    group.converged(new)
    group.holds(old, prefix="majority")
    check_equal(alone.address(), new.port, "the minority has learned")


def the_primary_is_isolated(group, mix):
    network = apart(group, mix)
    old = group.servers[0]
    group.write(old)
    group.converged(old)
    network.isolate(old.place)
    new = group.has_failed_over(old)
    group.holds(new)
    group.write(new, prefix="after")
    network.heal()
    group.converged(new)
    group.holds(old, prefix="after")


def a_minority_of_sentinels_is_isolated(group, mix):
    network = apart(group, mix)
    primary, alone = group.servers[0], group.sentinels[0]
    events = [group.events(s) for s in group.sentinels]
    network.isolate(alone.place)
    events[0].wait_for("+sdown", f"master {NAME}")
    eventually(lambda: all(s.is_down(alone.port) for s in group.sentinels[1:]), "the others see it down")
    network.heal()
    group.converged(primary)
    check_equal([name for e in events for name in e.names() if name in ("+odown", "+elected-leader", "+switch-master")], [], "events")
    check_equal({s.master()["config-epoch"] for s in group.sentinels}, {"0"}, "config epochs")


def what_the_primary_says_is_lost(group, mix):
    """It hears everybody, and nobody hears it."""
    network = apart(group, mix)
    old = group.servers[0]
    group.write(old)
    group.converged(old)
    for host in network.hosts:
        if host is not old.place:
            network.lose(old.place, host)
    new = group.has_failed_over(old)
    group.holds(new)
    network.heal()
    group.converged(new)


def the_primary_is_deaf_to_one_sentinel(group, mix):
    """One link of six is bad in one direction: nothing happens, and a real failure is still dealt with."""
    network = apart(group, mix)
    old, unheard = group.servers[0], group.sentinels[0]
    events = [group.events(s) for s in group.sentinels]
    network.lose(unheard.place, old.place)
    events[0].wait_for("+sdown", f"master {NAME}")
    check_equal([s.address() for s in group.sentinels], [old.port] * 3, "the primary that the sentinels name")
    check(not any(e.of("+odown") for e in events), "no +odown")
    old.kill()
    new = group.has_failed_over(old)
    network.heal()
    old.restart()
    group.converged(new)


def two_sentinels_do_not_hear_each_other(group, mix):
    network = apart(group, mix)
    old = group.servers[0]
    network.part([group.sentinels[0].place], [group.sentinels[1].place])
    eventually(lambda: group.sentinels[0].is_down(group.sentinels[1].port), "one sees the other down")
    old.kill()
    new = group.has_failed_over(old)
    network.heal()
    old.restart()
    group.converged(new)


def a_partition_comes_and_goes(group, mix):
    """Short ones, again and again: in the end all agree."""
    network = three_hosts(group, mix)
    group.write(group.servers[0])
    group.converged()
    seen = group.events(group.sentinels[2])
    for turn in range(6):
        host = network.hosts[turn % 2]
        network.isolate(host)
        eventually(lambda: group.sentinels[2].is_down(group.sentinels[turn % 2].port), "it is seen")
        network.heal()
        eventually(lambda: not group.sentinels[2].is_down(group.sentinels[turn % 2].port), "it is seen to be over")
    now = group.converged()
    group.holds(now)
    epochs = [int(text) for text in seen.of("+new-epoch")]
    check_equal(epochs, sorted(epochs), "epochs only grow")


CASES = [
    (the_primary_is_with_a_minority, MIXES),
    (the_primary_is_isolated, MIXES),
    (a_minority_of_sentinels_is_isolated, MIXES),
    (what_the_primary_says_is_lost, MIXES),
    (the_primary_is_deaf_to_one_sentinel, MIXES),
    (two_sentinels_do_not_hear_each_other, MIXES),
    (a_partition_comes_and_goes, MIXES),
]
