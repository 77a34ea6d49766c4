#!/usr/bin/env python3
"""Debian's python3-redis does a day's work against the server on port argv[1]."""
import os
import sys
import threading
import time
import traceback

import redis

PORT = int(sys.argv[1])
DEADLINE = 30
FOLDER = os.environ.get("VEDETTE_CERTIFICATES")
TLS = {"ssl": True, "ssl_ca_certs": f"{FOLDER}/ca.crt", "ssl_certfile": f"{FOLDER}/client.crt", "ssl_keyfile": f"{FOLDER}/client.key"} if FOLDER else {}


def connect(**options):
    return redis.Redis(port=PORT, socket_timeout=DEADLINE, **TLS, **options)


def values_and_expiry():
    """bytes, text, expiry and conditions"""
    client = connect()
    every_byte = bytes(range(256))
    assert client.set(every_byte, every_byte) is True
    assert client.get(every_byte) == every_byte
    assert client.get("absent") is None
    assert client.set("lock", "a", nx=True, ex=100) is True
    assert client.set("lock", "b", nx=True) is None
    assert 90 < client.ttl("lock") <= 100
    assert client.getex("lock", persist=True) == b"a"
    assert client.ttl("lock") == -1
    assert client.incrby("py:n", 5) == 5 and client.decr("py:n") == 4
    assert client.incrbyfloat("py:f", 1.25) == 1.25
    assert client.mset({"m1": 1, "m2": 2}) and client.mget("m1", "no", "m2") == [b"1", None, b"2"]


def pipelines():
    """a pipeline, with and without a transaction, and an error in the middle"""
    client = connect()
    pipe = client.pipeline(transaction=False)
    for number in range(5000):
        pipe.set(f"p:{number}", number)
    assert pipe.execute() == [True] * 5000
    pipe = client.pipeline()
    pipe.set("word", "abc").incr("word").get("word")
    results = pipe.execute(raise_on_error=False)
    assert results[0] is True and isinstance(results[1], redis.ResponseError) and results[2] == b"abc"


def optimistic_locking():
    """WATCH from several threads loses no step"""
    connect().set("shared", 0)

    def add_one(pipe):
        value = int(pipe.get("shared"))
        pipe.multi()
        pipe.set("shared", value + 1)

    def add():
        client = connect()
        for _ in range(20):
            client.transaction(add_one, "shared")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert connect().get("shared") == b"80"


def messages():
    """publish and subscribe, plain and by pattern"""
    client = connect()
    with client.pubsub() as subscriber:
        subscriber.subscribe("news")
        subscriber.psubscribe("n*")
        kinds = [subscriber.get_message(timeout=DEADLINE)["type"] for _ in range(2)]
        assert kinds == ["subscribe", "psubscribe"]
        assert client.publish("news", "hello") == 2
        assert subscriber.get_message(timeout=DEADLINE)["data"] == b"hello"
        assert subscriber.get_message(timeout=DEADLINE)["pattern"] == b"n*"
        assert client.pubsub_channels() == [b"news"] and client.pubsub_numsub("news") == [(b"news", 1)]


def scanning():
    """scan_iter while keys come and go finds all that stay"""
    client = connect(db=5)
    client.mset({f"stay:{number}": number for number in range(1000)})
    found = set()
    for turn, key in enumerate(client.scan_iter(match="stay:*", count=20)):
        found.add(key)
        client.set(f"come:{turn}", "x")
        client.delete(f"come:{turn - 5}")
    assert len(found) == 1000


def introspection():
    """INFO, CLIENT, CONFIG, COMMAND, MEMORY, SLOWLOG as the library parses them"""
    client = connect(client_name="pytest")
    info = client.info()
    for field in ("redis_version", "uptime_in_seconds", "connected_clients", "used_memory", "maxmemory_policy", "role",
                  "total_commands_processed", "keyspace_hits"):
        assert field in info, field
    assert info["db5"]["keys"] > 0
    assert [entry for entry in client.client_list() if entry["name"] == "pytest"]
    assert client.client_id() > 0 and client.client_getname() == "pytest"
    assert client.config_get("maxclients") == {"maxclients": "10000"}
    assert client.config_set("timeout", 1000) and client.config_get("timeout") == {"timeout": "1000"}
    assert client.config_set("timeout", 0)
    assert client.command()["get"]["arity"] == 2 and client.command_count() > 80
    client.set("measured", "x" * 1000)
    assert 1000 < client.memory_usage("measured") < 2000
    client.config_set("slowlog-log-slower-than", 0)
    client.set("logged", "x")
    client.config_set("slowlog-log-slower-than", 10000)
    assert any(entry["command"].startswith(b"SET logged") for entry in client.slowlog_get(10))
    assert abs(client.time()[0] - time.time()) < 60


def databases():
    """SELECT, MOVE, COPY, SWAPDB, FLUSHDB"""
    one, two = connect(db=7), connect(db=8)
    one.set("k", "v")
    assert one.move("k", 8) and two.get("k") == b"v" and not one.exists("k")
    assert two.copy("k", "k2", destination_db=7) and one.get("k2") == b"v"
    assert one.swapdb(7, 8) and one.get("k") == b"v"
    assert one.flushdb() and one.dbsize() == 0 and two.dbsize() == 1


def main():
    passed = failed = 0
    for case in (values_and_expiry, pipelines, optimistic_locking, messages, scanning, introspection, databases):
        try:
            case()
            passed += 1
        except Exception:  # whatever the library throws is this case's failure
            failed += 1
            print(f"failed: {case.__doc__}")
            traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
