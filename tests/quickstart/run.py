#!/usr/bin/env python3
"""scripts/run.sh as a person uses it: a group in the background and in the foreground, a failover, and what a crash leaves.

    run.py --build build [--only WORD]
"""
import argparse
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import runner  # noqa: E402
from resp import parse  # noqa: E402
from runner import Failed  # noqa: E402
from servers import DEADLINE, HungUp, Link  # noqa: E402

RUN = os.path.join(HERE, "..", "..", "scripts", "run.sh")
BUILD = None
NEXT_BASE = iter(range(20000 + os.getpid() % 400 * 20, 30000, 20))


def check(condition, text):
    if not condition:
        raise Failed(text)


def ports_from(base, count):
    """Whether so many ports from there on are free."""
    for port in range(base, base + count):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


class Session:
    """One folder, its ports, and what was started on them."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="vedette-quickstart-")
        self.folder = os.path.join(os.path.realpath(self.temporary.name), "a group")
        self.base = next(base for base in NEXT_BASE if ports_from(base, 20))
        self.started = []
        self.said = []

    def words(self, *options, ports=True):
        where = ["--port", str(self.base), "--sentinel-port", str(self.base + 10)] if ports else []
        return [RUN, "--dir", self.folder, *where, *options]

    def run(self, *options, code=0, ports=False):
        """What the call says, on both streams; its exit code is checked."""
        done = subprocess.run(self.words(*options, ports=ports), env={**os.environ, "BUILD": BUILD}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=4 * DEADLINE)
        self.said.append(f"$ {' '.join(options)}\n{done.stdout}")
        check(done.returncode == code, f"{options}: exit code {done.returncode}, not {code}")
        return done.stdout

    def begin(self):
        return self.run("--background", ports=True)

    def foreground(self, **streams):
        process = subprocess.Popen(self.words(), env={**os.environ, "BUILD": BUILD}, **streams)
        self.started.append(process)
        return process

    def processes(self):
        """pid -> command line of everything that names the folder, but for calls of run.sh."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().decode("utf-8", "replace")
            except OSError:
                continue
            if self.folder in words and "local_quorum.py" not in words:
                found[int(pid)] = words
        return found

    def call(self, port, *words):
        try:
            link = Link(port)
            try:
                return parse(link.exchange([[str(word).encode() for word in words]])[0])[1]
            finally:
                link.close()
        except (OSError, HungUp):
            return None

    def primary(self):
        return int(self.call(self.base + 10, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "vedette")[1][1])

    def pid_of(self, name):
        with open(os.path.join(self.folder, name, "pid"), encoding="utf-8") as file:
            return int(file.read())

    def ends(self, process):
        try:
            return process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise Failed("it does not end") from None

    def eventually(self, condition, text):
        end = time.monotonic() + DEADLINE
        while not condition():
            check(time.monotonic() < end, text)
            time.sleep(0.02)

    # ---- What the runner asks of it ----

    def end(self, failed):
        problems = []
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()
        left = self.processes()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        if left and not failed:
            problems.append(f"processes are left: {left}")
        if re.search("AddressSanitizer|runtime error", self.logs()):
            problems.append("a sanitizer has found something")
        return problems

    def logs(self):
        parts = list(self.said)
        for place, _, files in os.walk(self.folder):
            for name in files:
                if name == "log":
                    with open(os.path.join(place, name), encoding="utf-8", errors="replace") as log:
                        parts.append(f"--- {place}\n{log.read()[-3000:]}")
        return "\n".join(parts)

    def clean(self):
        self.temporary.cleanup()


def a_group_in_the_background(session):
    said = session.begin()
    for port in (session.base, session.base + 1, session.base + 2):
        check(f"server-{port}" in said, "every server is named")
    check(f"redis-cli -p {session.base}\n" in said, "how to connect")
    check(said.count("OK 3 usable Sentinels") == 3, "every sentinel reaches its quorum")
    check("lease held" in session.run("--status"), "the status")
    check(len(session.processes()) == 6, "six processes")
    check(session.call(session.base, "SET", "greeting", "hello") == b"OK", "a write")
    session.run("--stop")
    check(session.processes() == {}, "none is left")
    check("nothing runs" in session.run("--status", code=1), "the status says so")
    check("nothing runs" in session.run("--stop"), "a second stop is harmless")
    session.run("--background")
    check(session.call(session.base, "GET", "greeting") == b"hello", "the folder keeps ports and data")
    session.run("--stop")


def other_numbers(session):
    said = session.run("--background", "--replicas", "1", "--sentinels", "1", ports=True)
    check(said.count("OK 1 usable Sentinels") == 1 and len(session.processes()) == 3, "one replica, one sentinel")
    session.run("--stop")
    check("--replicas 1" in session.run("--background", "--replicas", "3", code=1), "a group that was made otherwise")


def what_cannot_be(session):
    check("odd" in session.run("--sentinels", "2", code=1), "an even number of sentinels")
    check("--replicas" in session.run("--replicas", "0", code=1), "nobody to take over")
    check("share" in session.run("--port", "7000", "--sentinel-port", "7001", code=1), "the same ports")
    check("65535" in session.run("--port", "65535", code=1), "no such ports")
    session.run("--stop", "--status", code=2)
    session.run("--stop", "--port", "7000", code=2)
    session.run("--port", "many", code=2)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", session.base + 1))
        taken.listen()
        check(f"port {session.base + 1}" in session.run("--background", code=1, ports=True), "a port that is taken")
    check(session.processes() == {}, "nothing was started")


def a_second_start_is_refused(session):
    session.begin()
    before = session.processes()
    said = session.run("--background", code=1, ports=True)
    check(session.folder in said and "--stop" in said and all(str(pid) in said for pid in before), "it names the folder, the pids and --stop")
    check(session.processes() == before, "and changes nothing")
    session.run("--stop")


def a_killed_primary_is_replaced(session):
    session.begin()
    check(session.call(session.base, "SET", "greeting", "hello") == b"OK", "a write")
    check(session.call(session.base, "WAIT", 2, 5000) == 2, "on both replicas")
    said = session.run("--kill-primary")
    new = session.primary()
    check(new != session.base, "another one is the primary")
    for words in ("+switch-master", "first accepted write", "SENTINEL HISTORY", f"server-{session.base} runs again"):
        check(words in said, words)
    check(session.call(new, "GET", "greeting") == b"hello", "with the data")
    check(session.call(new, "DBSIZE") == 1, "and nothing else")
    session.eventually(lambda: "not complete" not in session.run("--status") and len(session.processes()) == 6, "all are back")
    session.run("--stop")
    check(session.processes() == {}, "none is left")
    session.run("--background")
    check(session.primary() == new, "roles survive a stop")
    session.run("--stop")


def stale_pid_files(session):
    """After a crash of the machine: pids of others, of nobody, and what is no pid."""
    session.begin()
    for pid in session.processes():
        os.kill(pid, signal.SIGKILL)
    session.eventually(lambda: session.processes() == {}, "all are dead")
    stranger = subprocess.Popen(["sleep", "1000"])
    session.started.append(stranger)
    for name, text in ((f"server-{session.base}", str(stranger.pid)), (f"server-{session.base + 1}", "4194304"), (f"sentinel-{session.base + 10}", "x")):
        with open(os.path.join(session.folder, name, "pid"), "w", encoding="utf-8") as file:
            file.write(text + "\n")
    check("nothing runs" in session.run("--stop"), "none of them is its own")
    session.run("--background")
    check(stranger.poll() is None, "the stranger lives")
    check(session.pid_of(f"server-{session.base}") != stranger.pid, "the pid file is new")
    os.remove(os.path.join(session.folder, f"server-{session.base}", "pid"))
    session.run("--stop")
    check(session.processes() == {}, "without its pid file a process is found too")
    check(stranger.poll() is None, "the stranger lives still")


def a_starter_that_was_killed(session):
    starter = session.foreground(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    while b"stops all" not in (line := starter.stdout.readline()):
        check(line, "it ended before it was ready")
    check(str(starter.pid) in session.run("--background", code=1, ports=True), "it is in charge")
    starter.kill()
    starter.wait()
    before = session.processes()
    check(len(before) == 6, "its processes have survived it")
    said = session.run("--background", ports=True)
    check("has died" in said and not set(before) & set(session.processes()), "they are replaced")
    session.run("--stop")


def a_signal_stops_the_foreground(session, number):
    starter = session.foreground(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    while b"stops all" not in (line := starter.stdout.readline()):
        check(line, "it ended before it was ready")
    starter.send_signal(number)
    check(session.ends(starter) == 0, "exit code")
    check(session.processes() == {}, "none is left")


def a_stop_ends_the_foreground(session):
    starter = session.foreground(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    while b"stops all" not in (line := starter.stdout.readline()):
        check(line, "it ended before it was ready")
    session.run("--stop")
    check(session.ends(starter) == 0, "exit code")


def a_process_that_does_not_end_is_killed(session):
    session.begin()
    frozen = f"sentinel-{session.base + 11}"
    os.kill(session.pid_of(frozen), signal.SIGSTOP)
    check(f"{frozen} did not end" in session.run("--stop"), "it is named")
    check(session.processes() == {}, "none is left")


def keys(session):
    """On a terminal: k, then q."""
    ours, theirs = pty.openpty()
    starter = session.foreground(stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""

    def see(word):
        nonlocal seen
        end = time.monotonic() + DEADLINE
        while word not in seen:
            check(time.monotonic() < end, f"no {word} in {seen}")
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    seen += os.read(ours, 4096)
                except OSError:
                    raise Failed(f"it has ended; no {word} in {seen}") from None
    see(b"stops all")
    os.write(ours, b"k")
    see(b"runs again")
    check(session.primary() != session.base, "another one is the primary")
    os.write(ours, b"q")
    see(b"all stopped")
    check(session.ends(starter) == 0, "exit code")
    os.close(ours)


def one_server(session, word):
    os.mkdir(session.folder)
    server = subprocess.Popen([RUN, word, "--port", str(session.base), "--bind", "127.0.0.1", "--dir", session.folder], env={**os.environ, "BUILD": BUILD},
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    session.started.append(server)
    session.eventually(lambda: session.call(session.base, "PING") == b"PONG", "it answers")
    server.terminate()
    check(session.ends(server) == 0, "exit code")


CASES = [
    (a_group_in_the_background, None),
    (other_numbers, None),
    (what_cannot_be, None),
    (a_second_start_is_refused, None),
    (a_killed_primary_is_replaced, None),
    (stale_pid_files, None),
    (a_starter_that_was_killed, None),
    (a_signal_stops_the_foreground, [signal.SIGINT, signal.SIGTERM]),
    (a_stop_ends_the_foreground, None),
    (a_process_that_does_not_end_is_killed, None),
    (keys, None),
    (one_server, ["--single", "--"]),
]


def main():
    global BUILD
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    BUILD = os.path.abspath(options.build)
    chosen = []
    for function, parameters in CASES:
        for values in parameters or [()]:
            values = values if isinstance(values, tuple) else (values,)
            name = function.__name__.replace("_", " ") + (f" ({', '.join(map(str, values))})" if values else "")
            if options.only in name:
                chosen.append((name, function, values))
    return runner.run_all(chosen, Session, 3)


if __name__ == "__main__":
    sys.exit(main())
