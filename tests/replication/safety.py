"""What goes beyond Redis: replicas that do not let themselves be emptied, writes that are answered when replicas hold them."""
from proxy import Proxy
from topology import REDIS, VEDETTE, Failed, ServerError, check, check_equal, dataset, eventually, fill, in_sync, same_data

V, R = VEDETTE, REDIS


def emptied_primary(servers, kind, grace):
    primary, replica = servers.node(kind), servers.vedette("--replica-refuse-rollback-ms", grace)
    fill(primary, keys=300, big=0)
    replica.follow(primary)
    primary.call("SET", "last", "word")
    in_sync(primary, replica)
    before = dataset(replica)
    primary.crash()
    primary.start()
    return primary, replica, before


def a_replica_keeps_its_data_when_its_primary_comes_back_empty(servers, kind):
    primary, replica, before = emptied_primary(servers, kind, 600000)
    replica.wait_for_log("refused for up to")
    eventually(lambda: replica.info("replication").get("replica_refuses_rollback") == "1", lambda: f"INFO tells it: {replica.info('replication')}")
    check(dataset(replica) == before, "the replica keeps its data")
    check(f"127.0.0.1:{primary.port}" in replica.log().split("refused for up to")[0].splitlines()[-1], "the log names the primary")
    eventually(lambda: replica.log().count("older than ours") >= 2, "it goes on asking")
    replica.promote()
    replica.call("SET", "after", "promotion")
    check_equal(replica.call("GET", "last"), b"word", "data of the promoted replica")
    check("replica_refuses_rollback" not in replica.info("replication"), "a primary refuses nothing")
    primary.follow(replica)
    same_data(replica, primary)


def a_replica_obeys_after_the_grace(servers, kind):
    primary, replica, _ = emptied_primary(servers, kind, 1500)
    replica.wait_for_log("refused for up to")
    same_data(primary, replica)
    check_equal(replica.call("GET", "last"), None, "what is left")


def a_replica_without_grace_obeys_at_once(servers, kind):
    primary, replica, _ = emptied_primary(servers, kind, 0)
    same_data(primary, replica)
    check_equal(replica.call("GET", "last"), None, "what is left")
    check("refused for up to" not in replica.log(), "nothing was refused")


def a_replica_obeys_another_primary(servers):
    first, other, replica = servers.vedette(), servers.vedette(), servers.vedette()
    fill(first, keys=300, big=0)
    replica.follow(first)
    in_sync(first, replica)
    replica.follow(other)
    same_data(other, replica)
    check_equal(replica.call("DBSIZE"), 0, "keys of the other primary")


def a_refusal_survives_an_empty_primary_that_is_written_to(servers):
    primary, replica, before = emptied_primary(servers, V, 600000)
    primary.call("SET", "new", "world")
    replica.wait_for_log("refused for up to")
    eventually(lambda: replica.log().count("older than ours") >= 2, "it goes on asking")
    check(dataset(replica) == before, "the replica keeps its data")


def writes_wait_for_replicas(servers):
    primary = servers.vedette("--repl-ack-replicas", 1, "--repl-ack-timeout-ms", 200)
    error = primary.error("SET", "a", 1)
    check(error.startswith("NOACK "), f"without replicas: {error}")
    check_equal(primary.call("GET", "a"), b"1", "the write stands")
    replica = servers.vedette()
    replica.follow(primary)
    in_sync(primary, replica)
    primary.config("repl-ack-timeout-ms", 20000)
    for i in range(50):
        check_equal(primary.call("INCR", "a"), 2 + i, "an acknowledged write")
        check_equal(replica.call("GET", "a"), str(2 + i).encode(), "what the replica holds by then")
    primary.config("repl-ack-replicas", 2)
    primary.config("repl-ack-timeout-ms", 200)
    error = primary.error("SET", "a", 0)
    check("1 of 2 replicas" in error, f"with one of two replicas: {error}")
    check_equal(primary.error("SET", "a"), "ERR wrong number of arguments for 'set' command", "an error waits for nobody")
    primary.config("repl-ack-replicas", 0)
    check_equal(primary.call("SET", "a", 5), b"OK", "a write that waits for nobody")


def pipelines_of_writes_and_reads(servers):
    primary, replica = servers.vedette("--repl-ack-replicas", 1, "--repl-ack-timeout-ms", 20000), servers.vedette()
    proxy = servers.add(Proxy(primary.port))
    replica.follow(proxy)
    in_sync(primary, replica)
    client = primary.connect()
    commands = [("SET", "a", 1), ("GET", "a"), ("INCR", "a"), ("MULTI",), ("INCR", "a"), ("GET", "a"), ("EXEC",), ("PING",), ("GET", "a"),
                ("SETRANGE", "a", "x", 1), ("APPEND", "a", 0), ("STRLEN", "a")]

    def shown(replies):
        return ["NOACK" if str(reply).startswith("NOACK") else "error" if isinstance(reply, ServerError) else reply for reply in replies]
    wanted = [b"OK", b"1", 2, b"OK", b"QUEUED", b"QUEUED", [3, b"3"], b"PONG", b"3", "error", 2, 2]
    for _ in range(5):
        check_equal(shown(client.pipeline(commands)), wanted, "replies while the replica acknowledges")
    check_equal(replica.call("GET", "a"), b"30", "the replica")
    primary.config("repl-ack-timeout-ms", 300)
    proxy.stall()
    denied = ["NOACK", b"1", "NOACK", b"OK", b"QUEUED", b"QUEUED", "NOACK", b"PONG", b"3", "error", "NOACK", 2]
    check_equal(shown(client.pipeline(commands)), denied, "replies while it does not")
    check_equal(shown(client.pipeline([("GET", "a"), ("PING",)])), [b"30", b"PONG"], "reads wait for nobody")
    other = primary.connect()
    check_equal(other.call("GET", "a"), b"30", "another client's read")
    primary.config("repl-ack-timeout-ms", 20000)
    client.send(("SET", "a", 9), ("PING",))
    eventually(lambda: other.call("GET", "a") == b"9", "the write is done")
    proxy.resume()
    check_equal([client.next_reply(), client.next_reply()], [b"+OK\r\n", b"+PONG\r\n"], "replies when the replica has caught up")


def a_write_that_waits_when_the_role_changes(servers):
    primary, other = servers.vedette("--repl-ack-replicas", 1, "--repl-ack-timeout-ms", 60000), servers.vedette()
    client = primary.connect()
    client.send(("SET", "a", 1), ("GET", "a"))
    eventually(lambda: primary.call("GET", "a") == b"1", "the write is done")
    primary.follow(other)
    reply = client.next_reply()
    check(reply.startswith(b"-NOACK "), f"the reply: {reply}")
    check_equal(client.next_reply(), b"$1\r\n1\r\n", "the read behind it")


def a_client_chooses_its_acknowledgements(servers):
    primary, replica = servers.vedette("--repl-ack-timeout-ms", 200), servers.vedette()
    careful, careless = primary.connect(), primary.connect()
    check_equal(careful.call("CLIENT", "ACK-REPLICAS", 1), b"OK", "CLIENT ACK-REPLICAS")
    for words, error in ((("x",), "ERR value is not an integer or out of range"), ((-1,), "ERR the number of replicas is out of range"),
                         ((1, 2), "ERR wrong number of arguments for 'client|ack-replicas' command")):
        check_equal(str(careful.pipeline([("CLIENT", "ACK-REPLICAS", *words)])[0]), error, f"CLIENT ACK-REPLICAS {words}")
    check(str(careful.pipeline([("SET", "a", 1)])[0]).startswith("NOACK"), "without a replica")
    check_equal(careless.call("SET", "a", 2), b"OK", "another client's write")
    replica.follow(primary)
    in_sync(primary, replica)
    primary.config("repl-ack-timeout-ms", 20000)
    check_equal(careful.call("SET", "a", 3), b"OK", "with a replica")
    check_equal(replica.call("GET", "a"), b"3", "and it holds it")
    primary.config("repl-ack-timeout-ms", 200)
    primary.config("repl-ack-replicas", 2)
    check_equal(careful.call("SET", "a", 4), b"OK", "the client's own number goes before the server's")
    check(str(careless.pipeline([("SET", "a", 5)])[0]).startswith("NOACK"), "the server's number")
    check_equal(careless.call("CLIENT", "ACK-REPLICAS", 0), b"OK", "a client that need not wait")
    check_equal(careless.call("SET", "a", 6), b"OK", "and does not")
    careless.call("CLIENT", "ACK-REPLICAS", "DEFAULT")
    check(str(careless.pipeline([("SET", "a", 7)])[0]).startswith("NOACK"), "as the server says again")
    primary.config("repl-ack-replicas", 0)
    careful.call("CLIENT", "ACK-REPLICAS", 3)
    careful.call("RESET")
    check_equal(careful.call("SET", "a", 8), b"OK", "after RESET")


def the_tail_of_a_chain_acknowledges(servers):
    head = servers.vedette("--repl-ack-replicas", 1, "--repl-ack-timeout-ms", 20000)
    middle, tail = servers.vedette("--repl-ack-chain", "yes"), servers.vedette()
    proxy = servers.add(Proxy(middle.port))
    middle.follow(head)
    in_sync(head, middle)
    tail.follow(proxy)
    in_sync(head, middle, tail)
    for i in range(30):
        check_equal(head.call("INCR", "n"), 1 + i, "an acknowledged write")
        check_equal(tail.call("GET", "n"), str(1 + i).encode(), "what the tail holds by then")
    proxy.stall()
    head.config("repl-ack-timeout-ms", 300)
    check(head.error("INCR", "n").startswith("NOACK"), "a tail that does not answer")
    check_equal(middle.call("GET", "n"), b"31", "the middle holds it")
    middle.config("repl-ack-chain", "no")
    head.config("repl-ack-timeout-ms", 20000)
    check_equal(head.call("INCR", "n"), 32, "the middle's own acknowledgement")
    middle.config("repl-ack-chain", "yes")
    proxy.resume()
    check_equal(head.call("INCR", "n"), 33, "the tail's, when it is back")
    check_equal(tail.call("GET", "n"), b"33", "what the tail holds")


def acknowledged_writes_survive_the_primary(servers, kind):
    """The primary is killed under a load of acknowledged writes: what was answered OK is on the replica."""
    primary = servers.vedette("--repl-ack-replicas", 1, "--repl-ack-timeout-ms", 20000)
    replica = servers.node(kind)
    replica.follow(primary)
    in_sync(primary, replica)
    clients = [primary.connect() for _ in range(4)]
    last = 0
    for i in range(200):
        for number, client in enumerate(clients):
            client.send(("SET", f"c{number}", i))
        if i == 199:
            primary.crash()
            break
        for client in clients:
            check_equal(client.next_reply(), b"+OK\r\n", "an acknowledged write")
        last = i
    replica.promote()
    for number in range(4):
        check(int(replica.call("GET", f"c{number}")) >= last, "an acknowledged write is there")


CASES = [
    (a_replica_keeps_its_data_when_its_primary_comes_back_empty, [V, R]),
    (a_replica_obeys_after_the_grace, [V, R]),
    (a_replica_without_grace_obeys_at_once, [V]),
    (a_replica_obeys_another_primary, None),
    (a_refusal_survives_an_empty_primary_that_is_written_to, None),
    (writes_wait_for_replicas, None),
    (pipelines_of_writes_and_reads, None),
    (a_write_that_waits_when_the_role_changes, None),
    (a_client_chooses_its_acknowledgements, None),
    (the_tail_of_a_chain_acknowledges, None),
    (acknowledged_writes_survive_the_primary, [V, R]),
]
