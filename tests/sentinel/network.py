"""Hosts of their own for the processes of a test, on one network whose links the test may cut, in one direction or both.

Each host is a network namespace with one card on a common bridge, which is in a namespace too, so that nothing of this
machine's network is touched and all of it goes with the processes that hold the namespaces. A link is cut by the neighbour
table: the host sends what is for that address to a card that nobody has, so packets are lost in silence, as on a real network.
The test itself talks to a process over the loopback of the process' own host, which no cut reaches.
"""
import contextlib
import ctypes
import os
import shutil
import subprocess
import time

from group import Client, Failed, Skipped

NEW_NET = 0x40000000
NOBODY = "02:00:00:00:00:99"
allowed = False  # once there was a network, what fails is a failure


def impossible(why):
    return (Failed if allowed else Skipped)(f"no network namespaces here: {why}")


def run(*words):
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise impossible(f"{' '.join(map(str, words))}: {done.stdout.strip()}")


class Namespace:
    """A network namespace, as long as a process of ours is in it."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "3600"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.pid = self.holder.pid
        self.path = f"/proc/{self.pid}/ns/net"
        own = os.readlink("/proc/self/ns/net")
        end = time.monotonic() + 60
        while True:
            if self.holder.poll() is not None or time.monotonic() > end:
                raise impossible(f"{self.holder.stderr.read().strip() if self.holder.poll() is not None else 'unshare does nothing'}")
            try:
                if os.readlink(self.path) != own:
                    break
            except OSError:  # it has just ended
                pass
            time.sleep(0.002)
        self.run("ip", "link", "set", "lo", "up")

    def prefix(self):
        return "nsenter", f"--net={self.path}"

    def run(self, *words):
        run(*self.prefix(), *words)

    @contextlib.contextmanager
    def inside(self):
        """This thread is in the namespace meanwhile; a socket stays where it was made."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net", encoding="ascii") as before, open(self.path, encoding="ascii") as there:
            if libc.setns(there.fileno(), NEW_NET):
                raise impossible(f"setns: {os.strerror(ctypes.get_errno())}")
            try:
                yield
            finally:
                if libc.setns(before.fileno(), NEW_NET):
                    os.abort()  # this thread would go on in the wrong network

    def stop(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stderr.close()


class Host(Namespace):
    def __init__(self, number):
        super().__init__()
        self.address = f"10.77.0.{number}"

    def client(self, port):
        with self.inside():
            return Client(port)


class Network:
    def __init__(self, group, hosts):
        global allowed
        if os.geteuid() != 0:
            raise Skipped("no network namespaces here: only root may have them")
        for program in ("ip", "unshare", "nsenter"):
            if not shutil.which(program):
                raise Skipped(f"no network namespaces here: the program {program} is missing")
        group.network = self
        self.spaces = []
        self.hosts = []
        self.hub = self.hold(Namespace())
        self.hub.run("ip", "link", "add", "hub", "type", "bridge")
        self.hub.run("ip", "link", "set", "hub", "up")
        for number in range(1, hosts + 1):
            host = self.hold(Host(number))
            self.hub.run("ip", "link", "add", f"port{number}", "type", "veth", "peer", "name", "card", "netns", host.pid)
            self.hub.run("ip", "link", "set", f"port{number}", "master", "hub", "up")
            host.run("ip", "address", "add", f"{host.address}/24", "dev", "card")
            host.run("ip", "link", "set", "card", "up")
            self.hosts.append(host)
        allowed = True

    def hold(self, space):
        self.spaces.append(space)
        return space

    def lose(self, sender, receiver):
        """What `sender` sends to `receiver` is lost; the other direction is as it was."""
        sender.run("ip", "neighbour", "replace", receiver.address, "lladdr", NOBODY, "dev", "card", "nud", "permanent")

    def part(self, here, there):
        """Nothing passes between these hosts and those."""
        for one in here:
            for other in there:
                self.lose(one, other)
                self.lose(other, one)

    def isolate(self, host):
        self.part([host], [other for other in self.hosts if other is not host])

    def heal(self):
        for host in self.hosts:
            host.run("ip", "neighbour", "flush", "dev", "card", "nud", "permanent")

    def stop(self):
        for space in self.spaces:
            space.stop()
