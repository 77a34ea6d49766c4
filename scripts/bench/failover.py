#!/usr/bin/env python3
"""How long writes are impossible when a primary under three sentinels dies, falls silent or hands over, and what is lost of them.

  failover.py --fault kill --down-after 1000 --rounds 20 vedette=build/server/vedette-server redis=/tmp/bench/redis-server

NAME=COMMAND is the server's binary; `COMMAND FILE --sentinel` must start its sentinel. One client writes without pause, one command at a
time, to the primary that the sentinels name; it is subscribed to +switch-master and goes over as soon as it hears it. Faults:

  kill     SIGKILL: connections are refused
  stop     SIGSTOP: silence; SIGCONT when another has taken over
  planned  SENTINEL FAILOVER m COORDINATED (of Redis' sentinels: SENTINEL FAILOVER m)

The figure is the time from the fault to the first acknowledged write on another server; of `planned`, between the last acknowledged write on the
old one and the first on the new one. --set 'fast-evidence m yes' gives the sentinels a directive more (Vedette's only).
"""
import argparse, threading
from common import *


class Writer(threading.Thread):
    """Writes keys w:0, w:1, ...; notes when each was acknowledged, and by whom. A key without an acknowledgement is not written again."""

    def __init__(self, sentinels):
        super().__init__(daemon=True)
        self.sentinels, self.acked, self.halt = sentinels, [], False
        self.named, self.socket = None, None
        for port in sentinels:
            threading.Thread(target=self.listen, args=(port,), daemon=True).start()

    def listen(self, port):
        while not self.halt:
            try:
                c = Resp(port, 5)
                c("SUBSCRIBE", "+switch-master")
                while not self.halt:
                    try:
                        message = c.read()
                    except TimeoutError:
                        break  # a fresh connection: whatever was read of a line is lost
                    if isinstance(message, list) and message[0] == "message":
                        self.go_over(int(message[2].split()[4]))
            except (OSError, ConnectionError, ValueError):
                time.sleep(0.05)

    def go_over(self, to):
        if self.named == to:
            return
        self.named = to
        if self.socket:
            try:
                self.socket.s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def ask(self):
        for port in self.sentinels:
            try:
                c = Resp(port, 0.5)
                at = c("SENTINEL", "get-master-addr-by-name", "m")
                c.close()
                if isinstance(at, list):
                    return int(at[1])
            except (OSError, ConnectionError, ValueError):
                pass

    def run(self):
        n = 0
        while not self.halt:
            port = None
            try:
                port = self.named = self.ask()
                c = self.socket = Resp(port, 0.25)
                while not self.halt and self.named == port:
                    n += 1
                    if c(*("SET", f"w:{n}", "x")) != "OK":
                        break
                    self.acked.append((n, time.time(), port))
            except (OSError, ConnectionError, TypeError, ValueError):
                pass
            time.sleep(0.002)


class Quorum:
    """A primary, two replicas and three sentinels of one make."""

    def __init__(self, name, command, a):
        self.name, self.command = name, command
        self.ports = [free_port() for _ in range(3)]
        self.nodes = {p: self.node(p, None if p == self.ports[0] else self.ports[0]) for p in self.ports}
        self.folders = []
        self.sentinels = [self.sentinel(a) for _ in range(3)]
        self.clients = [Resp(s.port) for s in self.sentinels]

    def node(self, port, primary):
        return Server(self.name, self.command, "--repl-diskless-sync-delay 0" + (f" --replicaof 127.0.0.1 {primary}" if primary else ""), port=port)

    def sentinel(self, a):
        port, folder = free_port(), tempfile.mkdtemp(prefix="bench-")
        self.folders.append(folder)
        with open(folder + "/sentinel.conf", "w") as f:
            f.write(f"port {port}\nbind 127.0.0.1\ndir {folder}\nlogfile {folder}/log\nsentinel monitor m 127.0.0.1 {self.ports[0]} 2\n"
                    f"sentinel down-after-milliseconds m {a.down_after}\nsentinel failover-timeout m 6000\n")
            f.writelines(f"sentinel {line}\n" for line in a.set if "vedette" in self.command)
        return Server(self.name + " sentinel", f"{self.command} {folder}/sentinel.conf --sentinel --port {{port}}", port=port)

    def ready(self, timeout=60):
        deadline = time.time() + timeout
        while time.time() < deadline:
            if self.is_ready():
                return True
            time.sleep(0.1)
        raise SystemExit(f"{self.name}: the sentinels do not agree")

    def is_ready(self):
        named = set()
        pairs = lambda flat: dict(zip(flat[::2], flat[1::2]))
        for c in self.clients:
            m = pairs(c("SENTINEL", "master", "m"))
            named.add(m["port"])
            if m["flags"] != "master" or m["num-other-sentinels"] != "2":
                return False
            for kind in ("replicas", "sentinels"):
                good = [x for x in map(pairs, c("SENTINEL", kind, "m")) if not any(w in x["flags"] for w in ("down", "disconnected"))]
                if len(good) != 2 or (kind == "replicas" and any(x["master-link-status"] != "ok" or x["master-port"] != m["port"] for x in good)):
                    return False
        return len(named) == 1

    def primary(self):
        return int(self.clients[0]("SENTINEL", "get-master-addr-by-name", "m")[1])

    def strike(self, fault, old):
        if fault == "kill":
            self.nodes[old].kill()
        elif fault == "stop":
            self.nodes[old].process.send_signal(signal.SIGSTOP)
        else:
            more = ["COORDINATED"] if "vedette" in self.command else []
            said = self.clients[1]("SENTINEL", "FAILOVER", "m", *more)
            if said != "OK":
                raise SystemExit(f"{self.name}: SENTINEL FAILOVER: {said}")

    def mend(self, fault, old, new):
        if fault == "kill":
            self.nodes[old] = self.node(old, new)
        elif fault == "stop":
            self.nodes[old].process.send_signal(signal.SIGCONT)

    def stop(self):
        for s in [*self.sentinels, *self.nodes.values()]:
            s.kill()
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)


def measure(name, command, a):
    quorum = Quorum(name, command, a)
    quorum.ready()
    writer = Writer([s.port for s in quorum.sentinels])
    writer.start()
    gaps, lost, watched = [], [], []
    for turn in range(a.rounds):
        quorum.ready()
        time.sleep(1 + turn % 5 * 0.17)  # not in step with the sentinels' periods
        old, first, begun = quorum.primary(), len(writer.acked), time.time()
        quorum.strike(a.fault, old)
        ack, deadline = None, begun + a.wait
        while ack is None and time.time() < deadline:
            ack = next((x for x in list(writer.acked[first:]) if x[2] != old), None)
            time.sleep(0.002)
        if ack is None:
            raise SystemExit(f"{name}: no other primary in {a.wait} s")
        last = max((x[1] for x in writer.acked if x[2] == old and x[1] < ack[1]), default=begun)
        gap = (ack[1] - (last if a.fault == "planned" else begun)) * 1000
        time.sleep(0.3)
        mine = [x for x in writer.acked if x[2] == old and begun - 5 < x[1]][-20000:]
        c = Resp(ack[2])
        kept = sum(sum(c.pipeline([("EXISTS", f"w:{x[0]}") for x in mine[i:i + 500]])) for i in range(0, len(mine), 500))
        c.close()
        gaps.append(gap)
        lost.append(len(mine) - kept)
        watched.append(len(mine))
        note(f"{name}: {a.fault} {turn}: {gap:.0f} ms, lost {lost[-1]} of the last {watched[-1]}")
        quorum.mend(a.fault, old, quorum.primary())
    writer.halt = True
    quorum.stop()
    return [name, len(gaps), *(f"{f(gaps):.0f}" for f in (min, median, max)), f"{sum(lost)} of {sum(watched)}", max(lost)]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_servers_argument(ap)
    ap.add_argument("--fault", choices=["kill", "stop", "planned"], default="kill")
    ap.add_argument("--down-after", type=int, default=1000)
    ap.add_argument("--rounds", type=int, default=20)
    ap.add_argument("--wait", type=float, default=40)
    ap.add_argument("--set", action="append", default=[])
    a = ap.parse_args()
    rows = [measure(name, command, a) for name, command in named(a.servers).items()]
    print(f"{a.fault}, down-after {a.down_after} ms {' '.join(a.set)}: milliseconds without an accepted write\n")
    table(["server", "rounds", "min", "median", "max", "acknowledged writes lost", "most in one"], rows)


if __name__ == "__main__":
    try:
        main()
    finally:
        kill_all()
