#!/usr/bin/env python3
"""What ten thousand clients that wait in BLPOP cost the others: CPU per GET before and with them, idle CPU, memory of each.

  blocked_clients.py redis='/path/to/redis-server' vedette='/path/to/vedette'
"""
import argparse, resource
from common import *


def get_ns(a, s):
    before = s.cpu_ns()
    r = load(a.build, s.port, "-n", 2000000, "-c", 20, "-P", 16, "-k", 100000, "-d", 64, "GET key:%k", core=1)
    return (s.cpu_ns() - before) / r["ops"]


def idle_percent(s, seconds=2):
    before = s.cpu_ns()
    time.sleep(seconds)
    return (s.cpu_ns() - before) / seconds / 1e7


def one(name, command, a):
    s = Server(name, command, f"--maxclients {a.clients + 1000}", core=0)
    load(a.build, s.port, "-n", 100000, "-P", 64, "-d", 64, "SET key:%i %v", core=1)
    before, idle_before, rss = median([get_ns(a, s) for _ in range(a.rounds)]), idle_percent(s), s.rss()
    waiting = []
    for i in range(a.clients):
        c = socket.create_connection(("127.0.0.1", s.port))
        c.sendall(Resp.encode(["BLPOP", f"queue:{i}", "0"]))
        waiting.append(c)
    control, deadline = s.client(), time.time() + 30
    while int(control.info("clients")["blocked_clients"]) < a.clients and time.time() < deadline:
        time.sleep(0.1)
    blocked = int(control.info("clients")["blocked_clients"])
    each = (s.rss() - rss) / max(blocked, 1)
    row = [name, blocked, f"{before:.0f}", f"{median([get_ns(a, s) for _ in range(a.rounds)]):.0f}", f"{idle_before:.2f}", f"{idle_percent(s):.2f}",
           f"{each / 1024:.2f}"]
    s.kill()
    for c in waiting:
        c.close()
    return row


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_servers_argument(ap)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--clients", type=int, default=10000)
    a = ap.parse_args()
    wanted = a.clients + 200
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"{wanted} files must be open at once, the limit is {hard}: fewer --clients, or a higher ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    table(["server", "blocked", "ns per GET before", "with them", "% of a core idle before", "with them", "KiB each"],
          [one(n, c, a) for n, c in named(a.servers).items()])


if __name__ == "__main__":
    try:
        main()
    finally:
        kill_all()
