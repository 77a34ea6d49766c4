#!/usr/bin/env python3
"""What replication costs: CPU per write on a primary with replicas, CPU per write on a replica, many replicas reconnecting.

  replication.py --ref redis redis='/path/to/redis-server' vedette='/path/to/vedette'

`primary`: CPU of the primary per SET with --replicas of them attached, less nothing. `replica`: CPU of one replica per SET
applied. Both from one load of --ops SETs at --pipeline, in rounds. `reconnect`: --many replicas (bare sockets that speak
the handshake) are in sync, their connections are killed, and all come back by PSYNC at once: the time until each has been
answered +CONTINUE, and its stream has brought what was written meanwhile.
"""
import argparse, json, select
from common import *


def wait_in_sync(primary, replica, seconds=60):
    m, r = primary.client(), replica.client()
    deadline = time.time() + seconds
    while time.time() < deadline:
        i = r.info("replication")
        if i.get("master_link_status") == "up" and i.get("slave_repl_offset") == m.info("replication")["master_repl_offset"]:
            return
        time.sleep(0.05)
    raise RuntimeError(f"{replica.name} is not in sync after {seconds} s")


def writes(name, command, a):
    extra = "--repl-diskless-sync-delay 0 --repl-backlog-size 64mb"
    primary = Server(name, command, extra)
    replicas = [Server(name, command, extra) for _ in range(a.replicas)]
    for replica in replicas:
        replica.client()("REPLICAOF", "127.0.0.1", primary.port)
    for replica in replicas:
        wait_in_sync(primary, replica)
    load(a.build, primary.port, "-n", a.ops // 10, "-P", a.pipeline, "-c", 8, "-d", 32, "-k", 100000, "SET key:%k %v")
    wait_in_sync(primary, replicas[0])
    cpu, applied = primary.cpu_ns(), replicas[0].cpu_ns()
    load(a.build, primary.port, "-n", a.ops, "-P", a.pipeline, "-c", 8, "-d", 32, "-k", 100000, "SET key:%k %v")
    for replica in replicas:
        wait_in_sync(primary, replica)
    out = {"primary": (primary.cpu_ns() - cpu) / a.ops, "replica": (replicas[0].cpu_ns() - applied) / a.ops}
    for server in [primary, *replicas]:
        server.kill()
    return out


class Follower:
    """A replica as the primary sees it, and no more: handshake, the snapshot thrown away, offsets counted."""

    def __init__(self, port):
        self.port, self.id, self.offset = port, "?", -1

    def connect(self):
        self.s = socket.create_connection(("127.0.0.1", self.port))
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.s.sendall(b"REPLCONF listening-port 1 capa eof capa psync2\r\n")
        self.line()
        self.s.sendall(f"PSYNC {self.id} {self.offset + 1 if self.offset >= 0 else -1}\r\n".encode())

    def line(self):
        out = b""
        while not out.endswith(b"\n") or out == b"\n":
            out = b"" if out == b"\n" else out
            byte = self.s.recv(1)
            if not byte:
                raise ConnectionError
            out += byte
        return out.strip().decode()

    def full(self):
        word, self.id, offset = self.line().split()
        assert word == "+FULLRESYNC", word
        mark = self.line()[5:].encode()
        data = b""
        while not data.endswith(mark):
            data += self.s.recv(65536)
        self.offset = int(offset)
        self.s.sendall(f"REPLCONF ACK {self.offset}\r\n".encode())

    def take(self, until):
        while self.offset < until:
            data = self.s.recv(65536)
            if not data:
                raise ConnectionError
            self.offset += len(data)


def reconnect(name, command, a):
    primary = Server(name, command, "--repl-diskless-sync-delay 1 --repl-backlog-size 64mb --repl-ping-replica-period 3600")
    m = primary.client()
    followers = [Follower(primary.port) for _ in range(a.many)]
    for f in followers:
        f.connect()
    for f in followers:
        f.full()
    for _ in range(3):  # the first may have come before the primary has seen its snapshot end
        time.sleep(0.7)
        for f in followers:
            f.s.sendall(f"REPLCONF ACK {f.offset}\r\n".encode())
    load(a.build, primary.port, "-n", 1000, "-d", 100, "SET key:%i %v")
    end = int(m.info("replication")["master_repl_offset"])
    for f in followers:
        f.take(end)
        f.s.close()
    load(a.build, primary.port, "-n", 10000, "-d", 100, "SET key:%i %v")
    end = int(m.info("replication")["master_repl_offset"])
    begin = time.time()
    for f in followers:
        f.connect()
    for f in followers:
        word = f.line().split()[0]
        assert word == "+CONTINUE", word
    answered = time.time() - begin
    for f in followers:
        f.take(end)
    out = {"answered": answered, "caught_up": time.time() - begin}
    primary.kill()
    return out


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_servers_argument(ap)
    ap.add_argument("--ref")
    ap.add_argument("--replicas", type=int, default=3)
    ap.add_argument("--many", type=int, default=100)
    ap.add_argument("--ops", type=int, default=1000000)
    ap.add_argument("--pipeline", type=int, default=16)
    ap.add_argument("--rounds", type=int, default=3)
    a = ap.parse_args()
    servers = named(a.servers)
    raw = {n: [] for n in servers}
    for _ in range(a.rounds):
        for n, c in servers.items():
            raw[n].append(writes(n, c, a) | reconnect(n, c, a))
            note(n, json.dumps(raw[n][-1]))
    mid = lambda n, key: median([x[key] for x in raw[n]])
    ratio = lambda n, key: f" ({mid(n, key) / mid(a.ref, key):.2f})" if a.ref in servers and n != a.ref else ""
    table(["", *servers], [
        [f"primary, ns of CPU per SET with {a.replicas} replicas, pipeline {a.pipeline}"] + [f"{mid(n, 'primary'):.0f}{ratio(n, 'primary')}" for n in servers],
        ["replica, ns of CPU per SET applied"] + [f"{mid(n, 'replica'):.0f}{ratio(n, 'replica')}" for n in servers],
        [f"{a.many} replicas come back: all answered, s"] + [f"{mid(n, 'answered'):.3f}" for n in servers],
        ["... and caught up, s"] + [f"{mid(n, 'caught_up'):.3f}" for n in servers]])
    if a.json:
        json.dump(raw, open(a.json, "w"))


if __name__ == "__main__":
    try:
        main()
    finally:
        kill_all()
