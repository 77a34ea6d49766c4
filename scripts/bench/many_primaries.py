#!/usr/bin/env python3
"""Sentinels that watch many primaries: what one uses at rest, and how long many failovers at once take.

  many_primaries.py --primaries 1000 vedette=build/server/vedette-server redis=/tmp/bench/redis-server
  many_primaries.py --primaries 100 --replicas 1 --sentinels 3 --kill 100 ...

`COMMAND FILE --sentinel` must start the sentinel. At rest: CPU of a core and memory of the first sentinel over --seconds, when all links stand. With
--kill: that many primaries get SIGKILL at once; the figure is when the last sentinel names another for the last of them, less down-after.
"""
import argparse
from common import *


def pairs(flat):
    return dict(zip(flat[::2], flat[1::2]))


def sentinel(name, command, groups, a):
    port, folder = free_port(), tempfile.mkdtemp(prefix="bench-")
    with open(folder + "/sentinel.conf", "w") as f:
        f.write(f"port {port}\nbind 127.0.0.1\ndir {folder}\nlogfile {folder}/log\n")
        for i, members in enumerate(groups):
            f.write(f"sentinel monitor g{i} 127.0.0.1 {members[0].port} {a.sentinels // 2 + 1}\n"
                    f"sentinel down-after-milliseconds g{i} {a.down_after}\nsentinel failover-timeout g{i} 20000\n")
            if "vedette" in command:
                f.writelines(f"sentinel {line.format(f'g{i}')}\n" for line in a.set)
    s = Server(name + " sentinel", f"{command} {folder}/sentinel.conf --sentinel --port {{port}}", port=port)
    s.folder = folder
    return s


def settled(c, a):
    # A round trip of SENTINEL MASTERS over 1,000 groups is work for the sentinel: it is asked rarely.
    groups = [pairs(m) for m in c("SENTINEL", "MASTERS")]
    return len(groups) == a.primaries and all(
        m["flags"] == "master" and int(m["num-slaves"]) == a.replicas and int(m["num-other-sentinels"]) == a.sentinels - 1 for m in groups)


def measure(name, command, a):
    note(f"{name}: {a.primaries * (1 + a.replicas)} servers start")
    groups = []
    # A thousand idle servers that look around ten times a second take more than a core, of the few that there are here.
    quiet = "--hz 1 --dynamic-hz no --repl-diskless-sync-delay 0"
    for _ in range(a.primaries):
        first = Server(name, command, quiet)
        groups.append([first] + [Server(name, command, f"{quiet} --replicaof 127.0.0.1 {first.port}") for _ in range(a.replicas)])
    sentinels = [sentinel(name, command, groups, a) for _ in range(a.sentinels)]
    clients = [s.client() for s in sentinels]
    deadline = time.time() + 300
    while not all(settled(c, a) for c in clients):
        if time.time() > deadline:
            raise SystemExit(f"{name}: the sentinels do not settle")
        time.sleep(2)
    time.sleep(5)
    row = [name, a.primaries, a.replicas, a.sentinels]
    before, at = sentinels[0].cpu_ns(), time.time()
    time.sleep(a.seconds)
    row += [f"{(sentinels[0].cpu_ns() - before) / 1e7 / (time.time() - at):.1f}", f"{sentinels[0].rss() / 2**20:.1f}"]
    if a.kill:
        killed = time.time()
        for members in groups[:a.kill]:
            members[0].process.send_signal(signal.SIGKILL)
        left = {(c, i) for c in range(len(clients)) for i in range(a.kill)}
        while left and time.time() < killed + 120:
            for c, client in enumerate(clients):
                mine = [i for k, i in left if k == c]
                said = client.pipeline([("SENTINEL", "get-master-addr-by-name", f"g{i}") for i in mine])
                left -= {(c, i) for i, address in zip(mine, said) if int(address[1]) != groups[i][0].port}
            time.sleep(0.02)
        row.append("-" if left else f"{(time.time() - killed) * 1000 - a.down_after:.0f}")
        note(f"{name}: {len(left)} left")
    for s in [*sentinels, *(s for members in groups for s in members)]:
        s.kill()
    for s in sentinels:
        shutil.rmtree(s.folder, ignore_errors=True)
    return row


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_servers_argument(ap)
    ap.add_argument("--primaries", type=int, default=1000)
    ap.add_argument("--replicas", type=int, default=0)
    ap.add_argument("--sentinels", type=int, default=1)
    ap.add_argument("--seconds", type=float, default=30)
    ap.add_argument("--down-after", type=int, default=2000)
    ap.add_argument("--kill", type=int, default=0)
    ap.add_argument("--set", action="append", default=[], help="a directive more for each group, {} is its name: 'fast-evidence {} yes' (Vedette's only)")
    a = ap.parse_args()
    rows = [measure(name, command, a) for name, command in named(a.servers).items()]
    head = ["server", "primaries", "replicas each", "sentinels", "% of a core", "MiB"]
    table(head + ([f"{a.kill} failovers at once, ms beyond down-after"] if a.kill else []), rows)


if __name__ == "__main__":
    try:
        main()
    finally:
        kill_all()
