#!/usr/bin/env python3
"""What TLS costs: server CPU per operation through it in paired rounds, what a new connection costs, and the memory of idle ones.

  tls.py --ref redis redis='/path/to/redis-server' vedette='/path/to/vedette'

Each server has a TLS port beside its plain one. All rounds of a workload are interleaved: A B, B A, ...
"""
import argparse, resource
from common import *

WORKLOADS = [  # name, pipeline, requests, keys, value bytes, command
    ("GET, P1", 1, 60000, 100000, 64, "GET key:%k"),
    ("GET, P16", 16, 400000, 100000, 64, "GET key:%k"),
    ("SET, P16", 16, 400000, 100000, 64, "SET key:%k %v"),
    ("GET 1 KiB, P16", 16, 150000, 10000, 1024, "GET big:%k"),
    ("GET 100 KiB, P1", 1, 10000, 100, 102400, "GET huge:%k"),
]


def start(name, command, certificates, extra=""):
    tls_port = free_port()
    s = Server(name, command, f"--tls-port {tls_port} --tls-cert-file {certificates}/server.crt --tls-key-file {certificates}/server.key "
                              f"--tls-auth-clients no {extra}", core=0)
    s.tls_port = tls_port
    return s


def workloads(a, servers):
    rows, n = [], len(servers)
    for s in servers:
        for count, size, command in ((100000, 64, "SET key:%i %v"), (10000, 1024, "SET big:%i %v"), (100, 102400, "SET huge:%i %v")):
            load(a.build, s.port, "-n", count, "-P", 16, "-d", size, command, core=1)
    for what, pipeline, requests, keys, size, command in WORKLOADS:
        if a.only and not any(word in what for word in a.only):
            continue
        ns = {s.name: [] for s in servers}
        for turn in range(a.rounds):
            for s in servers[turn % n:] + servers[:turn % n]:
                before = s.cpu_ns()
                r = load(a.build, s.tls_port, "-T", "-n", int(requests * a.scale), "-c", 50, "-P", pipeline, "-k", keys, "-d", size, command, core=1)
                ns[s.name].append((s.cpu_ns() - before) / r["ops"])
                if r["errors"] or r["unanswered"]:
                    note(s.name, what, r["errors"], "errors", r["unanswered"], "unanswered", r["stderr"])
        note(what, {name: [round(x) for x in each] for name, each in ns.items()})
        ref = ns[a.ref or servers[0].name]
        cells = []
        for s in servers:
            ratio = median([x / y for x, y in zip(ns[s.name], ref)])
            cells.append(f"{median(ns[s.name]):.0f}" + (f" ({ratio:.2f})" if ns[s.name] is not ref else ""))
        rows.append([what] + cells)
    table(["server CPU ns per operation (median ratio of the pairs)"] + [s.name for s in servers], rows)


def idle(a, name, command, certificates, mutual):
    """Resident memory and CPU of a new connection that says PING once, and then nothing. `mutual`: the clients show certificates."""
    s = start(name, command, certificates,
              f"--maxclients {a.connections + 1000}" + (f" --tls-auth-clients yes --tls-ca-cert-file {certificates}/ca.crt" if mutual else ""))
    shown = ["-C", f"{certificates}/client"] if mutual else []
    control = s.client()
    load(a.build, s.tls_port, "-T", *shown, "-n", 100, "-c", 10, "PING")  # what is there once for all
    before, cpu = s.rss(), s.cpu_ns()
    many = Load(a.build, s.tls_port, "-T", *shown, "-c", a.connections, "-R", a.connections / 2, "-t", 1000, "PING", core=1)
    deadline = time.time() + 600
    while int(control.info("clients")["connected_clients"]) <= a.connections and time.time() < deadline:
        time.sleep(0.2)
    spent = s.cpu_ns() - cpu
    time.sleep(5)  # all have said something
    connected = int(control.info("clients")["connected_clients"]) - 1
    row = [name, "yes" if mutual else "no", connected, f"{(s.rss() - before) / connected / 1024:.1f}", f"{spent / connected / 1000:.0f}"]
    many.stop()
    s.kill()
    return row


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_servers_argument(ap)
    ap.add_argument("--ref")
    ap.add_argument("--rounds", type=int, default=7)
    ap.add_argument("--scale", type=float, default=1, help="multiplies the number of requests")
    ap.add_argument("--connections", type=int, default=10000, help="idle ones; 0 leaves that part out")
    ap.add_argument("--only", nargs="*", help="workloads with these words in their name alone")
    a = ap.parse_args()
    wanted = a.connections + 1200
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"{wanted} files must be open at once, the limit is {hard}: fewer --connections, or a higher ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    certificates = os.path.abspath(os.path.join(a.build, "certificates"))
    subprocess.run([os.path.join(HERE, "..", "make_test_certificates.sh"), certificates], check=True)
    servers = [start(name, command, certificates) for name, command in named(a.servers).items()]
    workloads(a, servers)
    kill_all()
    if a.connections:
        table(["server", "clients show certificates", "idle TLS connections", "KiB of RSS each", "CPU us to accept one"],
              [idle(a, name, command, certificates, mutual) for mutual in (False, True) for name, command in named(a.servers).items()])


if __name__ == "__main__":
    try:
        main()
    finally:
        kill_all()
