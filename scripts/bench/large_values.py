#!/usr/bin/env python3
"""What one command on a value of a million elements costs everybody else.

  large_values.py redis='/path/to/redis-server' vedette='/path/to/vedette'

A steady probe (GETs, open loop) runs beside; each command is sent once and its reply read to the end. `computing` is the time
until the command's first byte came back: whoever comes in between must wait for it on any server with one thread. What the
longest wait has beyond it is the server's own doing: sending, freeing, writing it all at once.
"""
import argparse, json
from common import *

FILL = ["HSET hash f:%i %v", "HSET hash2 f:%i %v", "RPUSH list e:%i", "ZADD zset %n mem:%i"]
COMMANDS = [["DEL", "hash"], ["UNLINK", "hash2"], ["ZRANGE", "zset", "0", "-1"], ["LRANGE", "list", "0", "-1"], ["DEL", "zset"],
            ["UNLINK", "list"]]


def ask(port, command):
    """Seconds until the first byte of the reply, and until it has all come."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        reader = s.makefile("rb", 1 << 20)
        started = time.time()
        s.sendall(Resp.encode(command))
        line = reader.readline()
        first = time.time() - started
        for _ in range(int(line[1:]) if line[:1] == b"*" else 0):
            reader.read(int(reader.readline()[1:]) + 2)
        return first, time.time() - started


def one(name, command, a):
    s = Server(name, command, core=0)
    for fill in FILL:
        load(a.build, s.port, "-n", a.elements, "-P", 64, "-c", 4, "-d", 16, fill, core=1)
    load(a.build, s.port, "-n", 100000, "-P", 64, "-d", 64, "SET key:%i %v", core=1)
    probe = Load(a.build, s.port, "-t", 600, "-R", a.rate, "-c", 20, "-k", 100000, "-d", 64, "-w", 50, "GET key:%k", core=1, nice=-10)
    time.sleep(3)
    marks = [("nothing", 0, time.time() - 2.5, time.time() - 0.5)]
    for words in COMMANDS:
        began = time.time()
        first, whole = ask(s.port, words)
        marks.append((" ".join(words), first * 1000, began - 0.05, began + whole + 0.5))
        time.sleep(1)
    result = probe.stop()
    s.kill()
    return {what: {"computing": first, "longest": merge_windows(result, begin, end)["max"]} for what, first, begin, end in marks}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_servers_argument(ap)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--rate", type=int, default=10000)
    ap.add_argument("--elements", type=int, default=1000000)
    a = ap.parse_args()
    servers = named(a.servers)
    raw = {n: [] for n in servers}
    for _ in range(a.rounds):
        for n, command in servers.items():
            raw[n].append(one(n, command, a))
            note(n, {w: f"{f['longest']:.1f} ({f['computing']:.1f})" for w, f in raw[n][-1].items()})
    if a.json:
        json.dump(raw, open(a.json, "w"))
    print(f"Longest wait of {a.rate} GET/s, ms (until the command's own first byte, ms); values of {a.elements}; medians of {a.rounds}\n")
    rows = [[what] + [f"{median([r[what]['longest'] for r in raw[n]]):.1f} ({median([r[what]['computing'] for r in raw[n]]):.1f})" for n in servers]
            for what in next(iter(raw.values()))[0]]
    table(["meanwhile", *servers], rows)


if __name__ == "__main__":
    try:
        main()
    finally:
        kill_all()
