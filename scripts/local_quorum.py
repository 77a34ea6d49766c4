#!/usr/bin/env python3
"""One primary, its replicas and their sentinels on this machine: start, look, fail over, stop. `scripts/run.sh` builds and calls it.

Everything that is known of a group is in its folder, so that any later call finds what an earlier one started:

    group.json            how it was made: ports, numbers, programs
    owner                 pid of the call that is in charge: one that starts the group, or runs it in the foreground
    server-PORT/, sentinel-PORT/
        node.conf         the configuration, which the program rewrites when roles change; it is never written twice
        pid, log, data

A process is the group's own if and only if its command line is its program and its node.conf: a pid alone may be another's
after a crash. What is not the group's own is never signalled. A group that nobody is in charge of and that still runs is one in the
background; one whose owner died (a closed terminal, a crash) is stopped by the next start.
"""
import argparse
import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import time
import tty

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOST = "127.0.0.1"
NAME = "vedette"  # of the group, for SENTINEL commands
LEASE_MS = 2000
DEADLINE = 60.0  # seconds until the group must be ready, or a failover done
PATIENCE = 10.0  # seconds that a process has to end before it is killed
PROBE = "vedette:failover-probe"  # the key whose first accepted write ends a failover; it is deleted afterwards


class Trouble(Exception):
    """What the person at the terminal has to know; ends the call with exit code 1."""


class ErrorReply(Exception):
    """A server's error as its text."""


# ---- Talking to a process ----

class Client:
    """One connection, RESP2. Bulks and statuses come as text, arrays as lists."""

    def __init__(self, port, timeout=2.0):
        self.socket = socket.create_connection((HOST, port), timeout)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def call(self, *words):
        self.send(*words)
        return self.reply()

    def send(self, *words):
        parts = [str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))

    def reply(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("the connection was closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise ErrorReply(rest.decode("utf-8", "replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode("utf-8", "replace")
        if kind == b"*":
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        return rest.decode("utf-8", "replace")


def ask(port, *words):
    """The reply of one command; None if there is none, or an error."""
    try:
        with Client(port) as client:
            return client.call(*words)
    except (OSError, ErrorReply, ValueError):
        return None


def info(port, section="replication"):
    return dict(line.split(":", 1) for line in (ask(port, "INFO", section) or "").splitlines() if ":" in line)


def fields(flat):
    """A map that came as a flat list."""
    return dict(zip(flat[::2], flat[1::2])) if flat else {}


# ---- One process ----

class Node:
    """A server or a sentinel, known by its folder."""

    def __init__(self, group_folder, kind, port, program):
        self.name = f"{kind}-{port}"
        self.kind = kind
        self.port = port
        self.program = program
        self.folder = os.path.join(group_folder, self.name)

    def path(self, name):
        return os.path.join(self.folder, name)

    def configure(self, lines):
        """Writes the configuration, unless there is one: what the program made of it since is worth more."""
        os.makedirs(self.folder, exist_ok=True)
        if os.path.exists(self.path("node.conf")):
            return
        # The title of the process is left alone: its command line is how it is recognised.
        common = [f"# {self.name} of a local group, made by scripts/run.sh.", f"bind {HOST}", f"port {self.port}",
                  f'dir "{self.folder}"', "set-proc-title no"]
        draft = self.path("node.conf.new")
        with open(draft, "w", encoding="utf-8") as file:
            file.write("\n".join(common + lines) + "\n")
        os.rename(draft, self.path("node.conf"))

    def start(self, *more):
        """Starts the process, in a session of its own so that a Ctrl-C reaches the group's owner alone."""
        with open(self.path("log"), "ab") as log:
            process = subprocess.Popen([self.program, self.path("node.conf"), *more], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, start_new_session=True, cwd=self.folder)
        self.remember(process.pid)
        # The kernel shows no command line for a moment while a program is being loaded.
        while not self.pid() and process.poll() is None:
            time.sleep(0.005)
        # From here on its end is seen by its pid, as that of a process which another call has started.
        process.returncode = 0

    def remember(self, pid):
        with open(self.path("pid"), "w", encoding="utf-8") as file:
            file.write(f"{pid}\n")

    def pid(self):
        """The pid of the process while it runs; 0 otherwise."""
        pid = read_pid(self.path("pid"))
        return pid if pid and self.owns(pid) else 0

    def owns(self, pid):
        return command_line(pid)[:2] == [self.program, self.path("node.conf")]

    def signal(self, number):
        pid = self.pid()
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def forget(self):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.path("pid"))

    def last_words(self):
        with contextlib.suppress(OSError):
            with open(self.path("log"), encoding="utf-8", errors="replace") as log:
                return "".join(log.readlines()[-10:])
        return ""


def read_pid(path):
    try:
        with open(path, encoding="utf-8") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0


def command_line(pid):
    """The words with which a process was started; none for one that has ended."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode("utf-8", "surrogateescape").split("\0")
    except OSError:
        return []


def reap():
    """Lets children that have ended go; they may be ours or, after a failover by another call, not."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def until(condition, seconds):
    """Whether the condition came to hold in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        reap()
        time.sleep(0.05)
    return True


# ---- The group ----

class Group:
    def __init__(self, folder, settings):
        self.folder = folder
        self.settings = settings
        ports = range(settings["port"], settings["port"] + settings["replicas"] + 1)
        self.servers = [Node(folder, "server", port, settings["server"]) for port in ports]
        ports = range(settings["sentinel_port"], settings["sentinel_port"] + settings["sentinels"])
        self.sentinels = [Node(folder, "sentinel", port, settings["sentinel"]) for port in ports]
        self.nodes = self.servers + self.sentinels

    def running(self):
        return [node for node in self.nodes if node.pid()]

    def adopt(self):
        """Finds own processes whose pid files were lost, or not written yet when their starter was interrupted."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            for node in self.nodes:
                if node.owns(pid) and not node.pid():
                    node.remember(pid)
        return self

    def primary(self):
        """The server that the first sentinel which answers calls the primary."""
        for sentinel in self.sentinels:
            address = sentinel.pid() and ask(sentinel.port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
            if address:
                return next((s for s in self.servers if s.port == int(address[1])), None)
        return None

    # ---- Start ----

    def start(self):
        for node in self.nodes:
            node.forget()
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, node.port))
                except OSError as error:
                    raise Trouble(f"{node.name} cannot have port {node.port}: {error.strerror}. "
                                  "Other ports: --port P and --sentinel-port P") from None
        first = self.servers[0]
        for server in self.servers:
            server.configure(["repl-diskless-sync-delay 0"] + ([f"replicaof {HOST} {first.port}"] if server is not first else []))
        for sentinel in self.sentinels:
            sentinel.configure([f"sentinel monitor {NAME} {HOST} {first.port} {len(self.sentinels) // 2 + 1}",
                                f"sentinel down-after-milliseconds {NAME} 3000", f"sentinel failover-timeout {NAME} 10000",
                                f"sentinel fast-evidence {NAME} yes"])
        for node in self.nodes:
            node.start()
        self.wait_for("the sentinels to agree and the replicas to be in sync", self.obstacle)
        # Only now, when every sentinel knows how many they are: a lease counts grants of their majority.
        for sentinel in self.sentinels:
            if ask(sentinel.port, "SENTINEL", "SET", NAME, "lease-milliseconds", LEASE_MS) != "OK":
                raise Trouble(f"{sentinel.name} refuses lease-milliseconds")
        self.wait_for("the primary's lease", self.lease_obstacle)

    def wait_for(self, what, obstacle):
        """Waits until nothing is in the way any more; a process that ends meanwhile is an error with its last words."""
        last = [""]

        def done():
            for node in self.nodes:
                if not node.pid():
                    raise Trouble(f"{node.name} has ended. Its log, {node.path('log')}, ends with:\n{node.last_words()}")
            last[0] = obstacle()
            return not last[0]
        if not until(done, DEADLINE):
            raise Trouble(f"waited {DEADLINE:.0f} s for {what}: {last[0]}")

    def obstacle(self):
        """What is missing for a group that is complete and would survive its primary; empty: nothing."""
        primary = self.primary()
        if not primary:
            return "no sentinel names a primary"
        said = info(primary.port)
        online = sum(key.startswith("slave") and "state=online" in value for key, value in said.items())
        if said.get("role") != "master" or online != len(self.servers) - 1:
            return f"{primary.name} is {said.get('role', 'silent')}, {online} of {len(self.servers) - 1} replicas are in sync"
        for server in self.servers:
            if server is not primary and info(server.port).get("master_link_status") != "up":
                return f"{server.name} is not in sync"
        for sentinel in self.sentinels:
            quorum = ask(sentinel.port, "SENTINEL", "CKQUORUM", NAME) or "no quorum"
            known = fields(ask(sentinel.port, "SENTINEL", "MASTER", NAME))
            counts = known.get("port"), known.get("num-slaves"), known.get("num-other-sentinels")
            if counts != (str(primary.port), str(len(self.servers) - 1), str(len(self.sentinels) - 1)) or not quorum.startswith("OK"):
                return f"{sentinel.name}: {quorum}; (primary, replicas, other sentinels) {counts}"
        return ""

    def lease_obstacle(self):
        primary = self.primary()
        state = primary and info(primary.port).get("lease_state")
        return "" if state == "held" else f"it is {state}"

    # ---- Stop ----

    def stop(self):
        """The sentinels first, so that none takes the end of the primary for a failure."""
        self.adopt()
        for nodes in (self.sentinels, self.servers):
            for node in nodes:
                node.signal(signal.SIGTERM)
            if not until(lambda: not any(node.pid() for node in nodes), PATIENCE):
                for node in nodes:
                    if node.pid():
                        print(f"{node.name} did not end within {PATIENCE:.0f} s and is killed", flush=True)
                        node.signal(signal.SIGKILL)
                until(lambda: not any(node.pid() for node in nodes), PATIENCE)
            for node in nodes:
                node.forget()

    # ---- A failover to watch ----

    def kill_primary(self):
        old = self.primary()
        if not old or not old.pid():
            raise Trouble("there is no primary to kill: the sentinels name none that runs")
        watcher = next(s for s in self.sentinels if s.pid())
        with Client(watcher.port) as events:
            events.call("SUBSCRIBE", "+switch-master")
            print(f"kill -9 {old.pid()} ({old.name}, the primary)", flush=True)
            began = time.monotonic()
            old.signal(signal.SIGKILL)
            switched, written, new = self.watch_failover(events, old, began)
        print(f"+switch-master after {1000 * switched:.0f} ms, the first accepted write after {1000 * written:.0f} ms: {new.name} is the primary")
        self.show_history(old, new)
        until(lambda: not old.pid(), PATIENCE)
        # As a replica at once: by its own file it would be a second primary until a sentinel tells it.
        old.start("--replicaof", f"{HOST} {new.port}")
        if not until(lambda: info(old.port).get("master_link_status") == "up", DEADLINE):
            raise Trouble(f"{old.name} was started again and is not in sync; its log is {old.path('log')}")
        ask(old.port, "CONFIG", "REWRITE")
        print(f"{old.name} runs again (pid {old.pid()}), as a replica of {new.name}", flush=True)

    def watch_failover(self, events, old, began):
        """(seconds to +switch-master, seconds to the first accepted write, the new primary)"""
        switched = written = new = None
        while switched is None or written is None:
            if time.monotonic() - began > DEADLINE:
                raise Trouble(f"no failover within {DEADLINE:.0f} s; SENTINEL EXPLAIN {NAME} tells what is in the way")
            if written is None:
                for server in self.servers:
                    if server is not old and ask(server.port, "SET", PROBE, "1") == "OK":
                        written, new = time.monotonic() - began, server
                        ask(server.port, "DEL", PROBE)
                        break
            if switched is None and select.select([events.socket], [], [], 0.01)[0]:
                events.reply()
                switched = time.monotonic() - began
            elif switched is not None:
                time.sleep(0.01)
            reap()
        return switched, written, new

    def show_history(self, old, new):
        """The last failover as its leader saw it, or another sentinel if the leader does not tell."""
        newest = []

        def told():
            newest[:] = []
            for sentinel in self.sentinels:
                records = ask(sentinel.port, "SENTINEL", "HISTORY", NAME)
                record = fields(records[0]) if records else {}
                if record.get("from") == f"{HOST}:{old.port}" and record["outcome"] != "under way":
                    newest.append((record["part"] != "leader", sentinel.name, record))
            return len(newest) == len([s for s in self.sentinels if s.pid()])
        until(told, 5)
        if not newest:
            print("no sentinel has finished its record of the failover yet: SENTINEL HISTORY " + NAME)
            return
        _, name, record = min(newest, key=lambda item: item[:2])
        print(f"SENTINEL HISTORY {NAME}, as {name} ({record['part']}) tells it: epoch {record['epoch']}, {record['outcome']}, "
              f"because: {record['reason'] or 'not known to it'}")
        for phase, milliseconds in fields(record["phases"]).items():
            print(f"  {milliseconds:6} ms  {phase}")
        for voter, choice in fields(record["votes"]).items():
            print(f"  vote of {voter[:8]} for {choice[:8]}")

    # ---- Telling ----

    def show(self):
        print(f"group {NAME} in {self.folder}")
        for server in self.servers:
            said = info(server.port)
            role = {"master": "primary", "slave": "replica"}.get(said.get("role"), "does not answer")
            more = ""
            if role == "primary":
                more = f"{said.get('connected_slaves')} replicas, lease {said.get('lease_state')}"
            elif role == "replica":
                more = f"of {said.get('master_port')}, link {said.get('master_link_status')}"
            print(f"  {server.name:16} pid {server.pid():<10} {role}{more and ', ' + more}" if server.pid() else f"  {server.name:16} not running")
        for sentinel in self.sentinels:
            quorum = sentinel.pid() and (ask(sentinel.port, "SENTINEL", "CKQUORUM", NAME) or "no quorum")
            print(f"  {sentinel.name:16} pid {sentinel.pid():<10} {quorum}" if sentinel.pid() else f"  {sentinel.name:16} not running")

    def show_how_to_connect(self):
        primary = self.primary() or self.servers[0]
        some = ", ".join(f'("{HOST}", {s.port})' for s in self.sentinels)
        print("to connect")
        print(f"  redis-cli -p {primary.port}")
        print(f"  redis-cli -p {self.sentinels[0].port} SENTINEL get-master-addr-by-name {NAME}")
        print(f'  redis.sentinel.Sentinel([{some}]).master_for("{NAME}").set("greeting", "hello")    # import redis.sentinel', flush=True)


# ---- The folder: who is in charge ----

def owner(folder):
    """The pid of the call that is in charge of the folder; 0: none lives. `-1`: one was and has died."""
    path = os.path.join(folder, "owner")
    pid = read_pid(path)
    if not os.path.exists(path):
        return 0
    words = command_line(pid) if pid else []
    return pid if any(os.path.basename(word) == os.path.basename(__file__) for word in words) else -1


@contextlib.contextmanager
def in_charge(folder):
    path = os.path.join(folder, "owner")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def saved_group(folder):
    try:
        with open(os.path.join(folder, "group.json"), encoding="utf-8") as file:
            return Group(folder, json.load(file)).adopt()
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Trouble(f"{folder}/group.json is not what this program writes ({error!r}); remove the folder, or name another with --dir") from None


def group_that_runs(folder):
    group = saved_group(folder)
    if not group or not group.running():
        raise Trouble(f"nothing runs in {folder}")
    return group


def prepare(folder, options):
    """The group to start: as the folder knows it, or new. What runs there already, or was made otherwise, is an error."""
    group = saved_group(folder)
    if group and group.running():
        if owner(folder) >= 0:
            pids = ", ".join(f"{node.name} {node.pid()}" for node in group.running())
            raise Trouble(f"a group runs already in {folder} (pids: {pids}). To stop it: scripts/run.sh --stop --dir {folder}")
        print(f"the call that started the group in {folder} has died; its processes are stopped: "
              + ", ".join(f"{node.name} {node.pid()}" for node in group.running()), flush=True)
        group.stop()
    defaults = group.settings if group else {"port": 6379, "sentinel_port": 26379, "replicas": 2, "sentinels": 3}
    settings = {}
    for key in ("port", "sentinel_port", "replicas", "sentinels"):
        wanted = getattr(options, key)
        if group and wanted not in (None, defaults[key]):
            raise Trouble(f"the group in {folder} was made with --{key.replace('_', '-')} {defaults[key]} and holds data: "
                          "start it so, name another folder with --dir, or remove that one")
        settings[key] = defaults[key] if wanted is None else wanted
    build = os.path.abspath(options.build)
    settings["server"] = os.path.join(build, "server", "vedette-server")
    settings["sentinel"] = os.path.join(build, "sentinel", "vedette-sentinel")
    check_numbers(settings)
    for program in (settings["server"], settings["sentinel"]):
        if not os.access(program, os.X_OK):
            raise Trouble(f"there is no program {program}; scripts/run.sh builds it")
    with open(os.path.join(folder, "group.json"), "w", encoding="utf-8") as file:
        json.dump(settings, file, indent=2)
    return Group(folder, settings)


def check_numbers(settings):
    if settings["replicas"] < 1:
        raise Trouble("--replicas: at least one, or nobody could take over")
    if settings["sentinels"] < 1 or settings["sentinels"] % 2 == 0:
        raise Trouble(f"--sentinels {settings['sentinels']}: an odd number is needed; one more than an odd number survives no more failures")
    servers = set(range(settings["port"], settings["port"] + settings["replicas"] + 1))
    sentinels = set(range(settings["sentinel_port"], settings["sentinel_port"] + settings["sentinels"]))
    if servers & sentinels:
        raise Trouble(f"servers and sentinels would share ports {sorted(servers & sentinels)}: see --port and --sentinel-port")
    if min(servers | sentinels) < 1 or max(servers | sentinels) > 65535:
        raise Trouble("ports are numbers from 1 to 65535")


# ---- The calls ----

def stop_call(folder):
    group = saved_group(folder)
    running = group.running() if group else []
    if group:
        group.stop()
        until(lambda: owner(folder) <= 0, PATIENCE)  # a call in the foreground sees it and ends too
    print(f"stopped {', '.join(node.name for node in running)}" if running else f"nothing runs in {folder}")
    return 0


def status_call(folder):
    group = group_that_runs(folder)
    group.show()
    wrong = group.obstacle()
    if wrong:
        raise Trouble(f"not complete: {wrong}")
    group.show_how_to_connect()
    return 0


def start_call(folder, options):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(f"a group is being started, or runs in the foreground, in {folder} (pid {owner(folder)}). "
                          f"To stop it: scripts/run.sh --stop --dir {folder}") from None
        group = prepare(folder, options)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        with in_charge(folder):
            try:
                group.start()
                group.show()
                group.show_how_to_connect()
                if options.background:
                    print(f"it runs in the background; to stop it: scripts/run.sh --stop --dir {folder}")
                    return 0
                watch(group)
            except KeyboardInterrupt:
                print()
            except BaseException:
                group.stop()
                raise
            # A second Ctrl-C must not leave half a group behind.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            group.stop()
            print("all stopped")
    return 0


@contextlib.contextmanager
def single_keys():
    """Keys arrive one by one while this lasts; yields whether there is a terminal at all."""
    if not sys.stdin.isatty():
        yield False
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield True
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def watch(group):
    """The foreground: until q, a signal, or the end of all processes."""
    said_gone = set()
    with single_keys() as keys:
        print("k kills the primary, q or Ctrl-C stops all" if keys else "Ctrl-C stops all", flush=True)
        while group.running():
            if keys and select.select([sys.stdin], [], [], 0.5)[0]:
                key = os.read(sys.stdin.fileno(), 1)
                if key in (b"q", b""):
                    return
                if key == b"k":
                    try:
                        group.kill_primary()
                    except Trouble as trouble:
                        print(trouble, flush=True)
            elif not keys:
                time.sleep(0.5)
            reap()
            gone = {node for node in group.nodes if not node.pid()}
            if len(gone) == len(group.nodes):
                return
            for node in gone - said_gone:
                print(f"{node.name} has ended; its log is {node.path('log')}", flush=True)
            said_gone = gone


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/run.sh", description="Starts a primary, replicas and sentinels on loopback, in the foreground.",
                                     epilog="scripts/run.sh --single [server arguments...] starts one server in the foreground.",
                                     allow_abbrev=False)
    parser.add_argument("--replicas", type=int, metavar="N", help="default 2")
    parser.add_argument("--sentinels", type=int, metavar="N", help="an odd number, default 3")
    parser.add_argument("--port", type=int, metavar="P", help="of the first server, default 6379; the others follow")
    parser.add_argument("--sentinel-port", type=int, metavar="P", help="of the first sentinel, default 26379")
    parser.add_argument("--dir", metavar="FOLDER", help="data, logs, configurations; default build/run/group")
    parser.add_argument("--build", metavar="FOLDER", default=os.path.join(ROOT, "build"), help=argparse.SUPPRESS)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--background", action="store_true", help="return when all is ready")
    what.add_argument("--stop", action="store_true", help="stop what runs in the folder")
    what.add_argument("--status", action="store_true", help="show it; exit code 1 if it is not complete")
    what.add_argument("--kill-primary", action="store_true", help="kill -9 the primary and show the failover")
    options = parser.parse_args(arguments)
    options.dir = options.dir or os.path.join(options.build, "run", "group")
    if options.stop or options.status or options.kill_primary:
        given = [key for key in ("port", "sentinel_port", "replicas", "sentinels") if getattr(options, key) is not None]
        if given:
            parser.error(f"--{given[0].replace('_', '-')} is for a start; what runs is found by its folder (--dir)")
    return options


def main():
    options = parse(sys.argv[1:])
    folder = os.path.realpath(options.dir)
    try:
        if options.stop:
            return stop_call(folder)
        if options.status:
            return status_call(folder)
        if options.kill_primary:
            group_that_runs(folder).kill_primary()
            return 0
        return start_call(folder, options)
    except Trouble as trouble:
        print(f"run.sh: {trouble}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
