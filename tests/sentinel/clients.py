"""Clients of their own making that keep writing through failovers: python3-redis, ioredis, node-redis.

Each writes keys one after the other; what was acknowledged and is not on the new primary is counted as lost, and told.
Replication does not wait for replicas, so a crash may lose the last writes: only where nothing crashes must all be there.
"""
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading

import certificates
import group as groups
from group import HERE, NAME, HungUp, ServerError, Skipped, check, eventually

WRITERS = {"python3-redis": "redis_py.py", "ioredis": "ioredis.cjs", "node-redis": "node_redis.cjs"}
installing = threading.Lock()


def node_path():
    """Where the npm clients are: the wire tests' installer puts them there, as its package-lock.json pins them."""
    spec = importlib.util.spec_from_file_location("wire_clients", os.path.join(HERE, "..", "wire", "clients", "run.py"))
    installer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(installer)
    with installing:
        if not installer.install(groups.WORK):
            raise Skipped("the npm registry cannot be reached, so there is no client to test with")
    return os.path.join(groups.WORK, "node_modules")


class Writer:
    """A client's process."""

    def __init__(self, client, sentinels, encrypted=False):
        script = os.path.join(HERE, "writers", WRITERS[client])
        environment = dict(os.environ)
        if encrypted:
            environment["VEDETTE_CERTIFICATES"] = certificates.folder()
        if script.endswith(".cjs"):
            environment["NODE_PATH"] = node_path()
        words = ["node" if script.endswith(".cjs") else sys.executable, script, NAME, *[str(s.port) for s in sentinels]]
        self.process = subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.count = 0
        self.lines = []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            found = re.fullmatch(r"(\d+) acknowledged\n", line)
            if found:
                self.count = int(found.group(1))
            else:
                self.lines.append(line)

    def goes_on(self, writes=100):
        wanted = self.count + writes
        eventually(lambda: self.count >= wanted or self.process.poll() is not None, lambda: f"{writes} more writes are acknowledged; {self.lines[-20:]}")
        check(self.process.poll() is None, lambda: f"the client ended: {''.join(self.lines[-20:])}")

    def finish(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.thread.join(30)
        return json.loads(self.lines[-1])

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class PlainWriter:
    """A client of ours, in a thread: it asks the sentinels, and writes to whom they name, and moves on when a write fails."""

    def __init__(self, group):
        self.group = group
        self.acknowledged = []
        self.refusals = []
        self.tried = 0
        self.ended = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        client = None
        asked = {s: None for s in self.group.sentinels}
        while not self.ended:
            try:
                if client is None:
                    for sentinel in self.group.living_sentinels():
                        asked[sentinel] = asked[sentinel] or sentinel.connect()
                        port = asked[sentinel].call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
                        client = self.group.at(int(port[1])).connect()
                        break
                client.call("SET", f"w:{self.tried}", self.tried)
                self.acknowledged.append(self.tried)
            except ServerError as error:
                self.refusals.append(str(error))
                client = None
            except (OSError, HungUp):
                client = None
                asked = {s: None for s in self.group.sentinels}
            self.tried += 1
            threading.Event().wait(0.001)

    def goes_on(self, writes=100):
        wanted = len(self.acknowledged) + writes
        eventually(lambda: len(self.acknowledged) >= wanted, lambda: f"{writes} more writes are acknowledged; refused were {self.refusals[-5:]}")

    def finish(self):
        self.stop()
        return {"acknowledged": self.acknowledged, "tried": self.tried}

    def stop(self):
        self.ended = True
        self.thread.join(groups.topology.DEADLINE)


def lost(primary, told):
    """Which acknowledged writes the primary does not have."""
    client = primary.connect()
    found = client.pipeline([("GET", f"w:{number}") for number in told["acknowledged"]])
    return [number for number, value in zip(told["acknowledged"], found) if value != str(number).encode()]


def it_keeps_writing(group, client, mix, what):
    group.build(mix)
    writer = group.add(Writer(client, group.sentinels, group.encrypted))
    writer.goes_on(200)
    for turn in range(2):
        old = group.primary()
        if what == "kill":
            old.kill()
        elif what == "stop":
            old.freeze()
        else:
            check(group.sentinels[turn].sentinel("FAILOVER", NAME) == b"OK", "SENTINEL FAILOVER")
        new = group.has_failed_over(old)
        writer.goes_on(200)
        if what == "kill":
            old.restart()
        elif what == "stop":
            old.thaw()
        group.ready()
        writer.goes_on(100)
    told = writer.finish()
    gone = lost(group.converged(), told)
    print(f"    {client}, {mix}, {what}: {len(told['acknowledged'])} acknowledged of {told['tried']}, {len(gone)} lost, "
          f"{told['longest_ms']} ms the longest without a write, errors {told['errors']}")
    # A plain SENTINEL FAILOVER tells the former primary late: what it took meanwhile is gone, however much that is.
    check(what == "ask" or len(gone) < len(told["acknowledged"]) / 2, lambda: f"{len(gone)} acknowledged writes are lost: {gone[:20]}")


CASES = [
    (it_keeps_writing, [(client, mix, what) for client in WRITERS for mix, what in
                        (("vvv-vvv", "kill"), ("vvv-vvv", "stop"), ("vvv-vvv", "ask"), ("vvr-vrv", "kill"), ("vvv-rrr", "kill"))]),
]
