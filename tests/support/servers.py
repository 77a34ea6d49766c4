"""One server process and the connections of one run to it."""
import atexit
import os
import select
import socket
import ssl
import subprocess
import tempfile
import time

from resp import reply_end, request

DEADLINE = 60.0  # seconds for any single wait; a sanitizer build on a busy machine is slow
VEDETTE = None  # the server under test, of a suite that runner.main() plays
ORACLE = "/usr/bin/redis-check-rdb"  # the same binary as the server; its name decides what it is


class HungUp(Exception):
    """The server closed the connection, or did not answer in time."""


class Server:
    """A server on a free loopback port with a folder of its own. `name`: what reports call it. `more`: further options."""

    def __init__(self, name, binary, more=()):
        self.name = name
        self.more = more
        self.folder = tempfile.TemporaryDirectory(prefix="vedette-differential-")
        if binary == ORACLE:
            binary = os.path.join(self.folder.name, "redis-server")
            os.symlink(ORACLE, binary)
        self.binary = binary
        self.process = None
        atexit.register(self.kill)  # no run leaves a server behind, however it ends
        self.start()

    def start(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with open(os.path.join(self.folder.name, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir",
                 self.folder.name, *self.more], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + DEADLINE
        while True:
            try:
                if not Link(self.port).exchange([(b"PING",)])[0].startswith(b"-LOADING"):
                    return
                time.sleep(0.01)
            except (OSError, HungUp):
                if self.process.poll() is not None or time.monotonic() > end:
                    raise SystemExit(f"{self.name} did not start:\n{self.log()}") from None
                time.sleep(0.01)

    def log(self):
        with open(os.path.join(self.folder.name, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()[-8000:]

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        if self.process and self.alive():
            self.process.kill()
            self.process.wait()

    def settle(self):
        """After a connection broke: gives a process that is ending a moment to have ended."""
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            pass

    def stop(self):
        """Asks the process to end; its exit code."""
        if self.alive():
            self.process.terminate()
        try:
            return self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Link:
    """One connection. Requests go out and replies come in at the same time, so that a server which
    stops reading while its replies wait is no deadlock."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.data = bytearray()
        self.start = 0  # where the next reply begins

    def close(self):
        self.socket.close()

    def exchange(self, commands):
        """Sends the commands as one pipeline; as many replies, each as its bytes."""
        self._begin(commands)
        replies = []
        while len(replies) < len(commands):
            self._next_replies(replies, len(commands))
        return replies

    def exchange_until(self, commands, marker):
        """The same for commands that give no reply or several: a PING of `marker` comes last, and all
        replies before its own are given."""
        self._begin(list(commands) + [(b"PING", marker)])
        replies = []
        while not (replies and replies[-1].endswith(marker + b"\r\n")):
            self._next_replies(replies, len(replies) + 1)
        return replies[:-1]

    def _begin(self, commands):
        del self.data[:self.start]
        self.start = 0
        self.out = memoryview(b"".join(map(request, commands)))

    def _next_replies(self, replies, wanted):
        while len(replies) < wanted:
            end = reply_end(self.data, self.start) if self.start < len(self.data) else -1
            if end < 0:
                break
            replies.append(bytes(self.data[self.start:end]))
            self.start = end
        else:
            return
        self._move()

    def _move(self):
        readable, writable, _ = select.select([self.socket], [self.socket] if self.out else [], [], DEADLINE)
        if not readable and not writable:
            raise HungUp("no answer within the deadline")
        try:
            if writable:
                self.out = self.out[self.socket.send(self.out):]
            if readable:
                received = self.socket.recv(1 << 18)
                if not received:
                    raise HungUp("the server closed the connection")
                self.data += received
        except (ConnectionError, BrokenPipeError) as error:
            raise HungUp(str(error)) from error


class TlsLink(Link):
    """The same through TLS."""

    def __init__(self, port, context):
        super().__init__(port)
        self.socket.setblocking(True)
        self.socket.settimeout(DEADLINE)
        try:
            self.socket = context.wrap_socket(self.socket)
        except (ConnectionError, ssl.SSLError) as error:
            self.socket.close()
            raise HungUp(str(error)) from error
        self.socket.setblocking(False)

    def _move(self):
        if not self.socket.pending():
            readable, writable, _ = select.select([self.socket], [self.socket] if self.out else [], [], DEADLINE)
            if not readable and not writable:
                raise HungUp("no answer within the deadline")
        try:
            if self.out:
                self._unless_busy(lambda: setattr(self, "out", self.out[self.socket.send(self.out):]))
            self._unless_busy(self._receive)
        except (ConnectionError, ssl.SSLError) as error:
            raise HungUp(str(error)) from error

    def _receive(self):
        received = self.socket.recv(1 << 18)
        if not received:
            raise HungUp("the server closed the connection")
        self.data += received

    @staticmethod
    def _unless_busy(act):
        try:
            act()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
