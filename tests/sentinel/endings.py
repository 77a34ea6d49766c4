"""The planned end, shutdown-failover: a primary that is told to end hands over first, and ends anyway where nobody takes over."""
from clients import PlainWriter, lost
from group import NAME, VEDETTE, HungUp, check, check_equal, eventually, our_servers_only, ours_only, topology

LONG = 600000  # a down-after that no test lives to see: what happens is not for a primary that is away
PLANNED = "shutdown-failover yes"
ASKED = "asking the sentinels"
IN_VAIN = "No replica has taken over"
HANDED_OVER = "A replica has taken over"


def tell_to_end(server, how):
    if how == "SIGTERM":
        server.process.terminate()
    else:
        server.connect().send(("SHUTDOWN", "NOSAVE"))


def ends_well(server, *said, unsaid=()):
    """Its exit code, and what its log says of how it ended."""
    check_equal(server.wait_for_end(), 0, f"exit code of {server.name}")
    log = server.log()
    for text in said:
        check(text in log, lambda: f"{server.name} logs {text!r}")
    for text in unsaid:
        check(text not in log, lambda: f"{server.name} logs {text!r}")


def requested(server):
    return server.info("replication")["shutdown_requested"] == "1"


def nobody_may_take_over(group):
    """All replicas have priority 0, and every sentinel knows."""
    for server in group.servers[1:]:
        server.config("replica-priority", 0)
    for sentinel in group.sentinels:
        eventually(lambda: {r["slave-priority"] for r in sentinel.replicas()} == {"0"}, f"{sentinel.name} knows that no replica may be promoted")


# ---- A replica takes over ----

def it_hands_over(group, mix, how, more=()):
    """A client writes all the time. `more`: further lines of the sentinels."""
    ours_only()
    our_servers_only()
    group.build(mix, each=lambda i: [PLANNED] if i == 0 else [], sentinel_lines=[line.format(name=NAME) for line in more], down_after=LONG)
    writer = group.add(PlainWriter(group))
    writer.goes_on(200)
    old = group.primary()
    tell_to_end(old, how)
    new = group.has_failed_over(old)
    ends_well(old, ASKED, HANDED_OVER, unsaid=(IN_VAIN,))
    writer.goes_on(200)
    told = writer.finish()
    check_equal(lost(new, told), [], f"acknowledged writes that are lost, of {len(told['acknowledged'])}")
    old.restart()
    group.converged(new)


def all_in_turn(group):
    """As an upgrade does it: each server ends and comes back, whoever is the primary then."""
    ours_only()
    our_servers_only()
    group.build("vvv-vvv", server_lines=[PLANNED], down_after=LONG)
    writer = group.add(PlainWriter(group))
    for _ in range(4):
        writer.goes_on(100)
        old = group.primary()
        old.process.terminate()
        new = group.has_failed_over(old)
        ends_well(old, HANDED_OVER)
        old.restart()
        group.ready()
    told = writer.finish()
    check_equal(lost(new, told), [], f"acknowledged writes that are lost, of {len(told['acknowledged'])}")


def a_replica_ends_at_once(group):
    ours_only()
    our_servers_only()
    group.build("vvv-vvv", server_lines=[PLANNED], down_after=LONG)
    group.servers[1].process.terminate()
    ends_well(group.servers[1], unsaid=(ASKED,))
    check_equal(group.primary(), group.servers[0], "the primary")


# ---- Nobody does ----

def nobody_is_there(group, who):
    """No one can take over, or no one would see to it: it does not even wait."""
    our_servers_only()
    if who == "no sentinels":
        primary, replica = group.server(VEDETTE, [PLANNED]), group.server(VEDETTE)
        replica.follow(primary)
        topology.in_sync(primary, replica)
    elif who == "no replicas":
        ours_only()
        primary = group.build("vvv-v", server_lines=[PLANNED]).servers[0]
    elif who == "sentinels of Redis":
        primary = group.build("rrr-vv", server_lines=[PLANNED], down_after=LONG).servers[0]
    elif who == "off":
        ours_only()
        primary = group.build("vvv-vvv", down_after=LONG).servers[0]
    else:
        ours_only()
        primary = group.build("vvv-vvv", server_lines=[PLANNED, "shutdown-timeout 0"], down_after=LONG).servers[0]
    group.write(primary)
    primary.process.terminate()
    ends_well(primary, unsaid=(ASKED, HANDED_OVER, IN_VAIN))


def nobody_acts(group, why):
    """It is asked for in vain: the server serves on until its patience ends, and ends as the primary, with nothing lost."""
    our_servers_only()
    patient = [PLANNED, "shutdown-timeout 2"]
    if why == "a subscriber is no sentinel":
        primary, replica = group.server(VEDETTE, patient), group.server(VEDETTE)
        replica.follow(primary)
        topology.in_sync(primary, replica)
        group.events(primary, "__vedette__:state")
    else:
        ours_only()
        primary = group.build("vvv-vvv", server_lines=patient, down_after=LONG).servers[0]
    if why == "no replica may be promoted":
        nobody_may_take_over(group)
    elif why == "the sentinels stand still":
        for sentinel in group.sentinels:
            sentinel.freeze()
    primary.process.terminate()
    eventually(lambda: ASKED in primary.log(), "the sentinels are asked")
    acknowledged = []
    try:
        client = primary.connect()
        while True:
            client.call("SET", f"w:{len(acknowledged)}", len(acknowledged))
            acknowledged.append(len(acknowledged))
    except (OSError, HungUp):  # it has ended
        pass
    ends_well(primary, ASKED, IN_VAIN, unsaid=(HANDED_OVER,))
    for replica in group.servers[1:]:
        check_equal(lost(replica, {"acknowledged": acknowledged}), [], f"writes that {replica.name} lacks, of {len(acknowledged)}")
    for sentinel in group.sentinels:
        sentinel.thaw()


def the_replicas_end_too(group):
    """The patience is long, but there is nobody left to hand over to."""
    ours_only()
    our_servers_only()
    primary = group.build("vvv-vvv", server_lines=[PLANNED, "shutdown-timeout 3600"], down_after=LONG).servers[0]
    nobody_may_take_over(group)
    primary.process.terminate()
    eventually(lambda: ASKED in primary.log(), "the sentinels are asked")
    for replica in group.servers[1:]:
        replica.kill()
    ends_well(primary, ASKED, IN_VAIN)


# ---- It is called off ----

def an_abort(group):
    """SHUTDOWN ABORT while it waits: it stays the primary, and a later end is one of its own."""
    ours_only()
    our_servers_only()
    group.build("vvv-vvv", server_lines=[PLANNED, "shutdown-timeout 3600"], down_after=LONG)
    primary = group.servers[0]
    nobody_may_take_over(group)
    events = [group.events(s) for s in group.sentinels]
    waiting = primary.connect()
    for how in ("SIGTERM", "SHUTDOWN"):
        if how == "SIGTERM":
            primary.process.terminate()
        else:
            waiting.send(("SHUTDOWN", "NOSAVE"))
        eventually(lambda: requested(primary), f"{how}: it is asked for")
        check_equal(primary.call("SET", "meanwhile", how), b"OK", "a write meanwhile")
        check_equal(primary.call("SHUTDOWN", "ABORT"), b"OK", "SHUTDOWN ABORT")
        check(not requested(primary), "it is asked for no longer")
        check_equal(primary.error("SHUTDOWN", "ABORT"), "ERR No shutdown in progress.", "a second abort")
    check_equal(waiting.next_reply(), b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n", "what is told whoever waited for the end")
    for replica in group.servers[1:]:
        replica.config("replica-priority", 100)
    for sentinel in group.sentinels:
        eventually(lambda: {r["slave-priority"] for r in sentinel.replicas()} == {"100"}, "the sentinels know that all may be promoted")
    group.converged(primary)
    check_equal([name for e in events for name in e.names() if name in ("+try-failover", "+switch-master")], [], "events")
    primary.process.terminate()
    new = group.has_failed_over(primary)
    ends_well(primary, HANDED_OVER)
    check_equal(new.call("GET", "meanwhile"), b"SHUTDOWN", "what was written meanwhile")


CASES = [
    (it_hands_over, [("vvv-vvv", "SIGTERM"), ("vvv-vvv", "SHUTDOWN"), ("vvr-vvv", "SIGTERM"), ("vvv-vrr", "SIGTERM"),
                    ("vvv-vvv", "SIGTERM", ("sentinel lease-milliseconds {name} 1000", "sentinel fast-evidence {name} yes"))]),
    (all_in_turn, None),
    (a_replica_ends_at_once, None),
    (nobody_is_there, ["no sentinels", "no replicas", "sentinels of Redis", "off", "no patience"]),
    (nobody_acts, ["a subscriber is no sentinel", "no replica may be promoted", "the sentinels stand still"]),
    (the_replicas_end_too, None),
    (an_abort, None),
]
