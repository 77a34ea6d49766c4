#!/usr/bin/env python3
"""TLS towards clients: who is let in, what an operator may change while it runs, and that the protocol does not notice.

    tls.py --server build/server/vedette-server [--only WORD]

The clients are Python's own TLS, redis-cli, and what speaks no TLS at all. The last line is `N passed, N failed`.
"""
import argparse
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import certificates  # noqa: E402
from certificates import client_context  # noqa: E402
from resp import ServerError, parse, plain, reply_end, request  # noqa: E402
from runner import Failed, check, cases, run_all  # noqa: E402

DEADLINE = 90.0  # seconds for any single wait; a sanitizer build on a busy machine is slow
ORACLE = "/usr/bin/redis-check-rdb"
BINARIES = {}


def equal(got, wanted, what):
    check(got == wanted, lambda: f"{what}: {got!r}, not {wanted!r}")


def eventually(condition, text):
    end = time.monotonic() + DEADLINE
    while not condition():
        check(time.monotonic() < end, lambda: "in vain: " + (text() if callable(text) else text))
        time.sleep(0.01)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Client:
    """One connection, with TLS if there is a context."""

    def __init__(self, port, context=None, session=None, name=None):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            try:
                self.socket = context.wrap_socket(self.socket, session=session, server_hostname=name)
            except BaseException:
                self.socket.close()
                raise
        self.data = bytearray()

    def send(self, *commands):
        self.socket.sendall(b"".join(request([word if isinstance(word, bytes) else str(word).encode() for word in words]) for words in commands))

    def reply_bytes(self):
        while True:
            end = reply_end(self.data, 0) if self.data else -1
            if end >= 0:
                reply = bytes(self.data[:end])
                del self.data[:end]
                return reply
            more = self.socket.recv(1 << 18)
            if not more:
                raise ConnectionError("closed by the server")
            self.data += more

    def call(self, *words):
        self.send(words)
        value = plain(parse(self.reply_bytes()))
        if isinstance(value, ServerError):
            raise value
        return value

    def error(self, *words):
        try:
            value = self.call(*words)
        except ServerError as error:
            return str(error)
        raise Failed(f"{words} gives {value!r}, not an error")

    def certificate(self):
        return self.socket.getpeercert(binary_form=True)

    def close(self):
        self.socket.close()

    def ended(self):
        """The server ends it, without a further word."""
        try:
            return self.socket.recv(100) == b""
        except (OSError, ssl.SSLError):
            return True


class Server:
    def __init__(self, binary, options):
        self.folder = tempfile.mkdtemp(prefix="vedette-tls-")
        self.port, self.tls_port = free_port(), free_port()
        self.binary = binary
        if binary == ORACLE:
            self.binary = os.path.join(self.folder, "redis-server")
            os.symlink(ORACLE, self.binary)
        common = ["--bind", "127.0.0.1", "--port", self.port, "--tls-port", self.tls_port, "--dir", self.folder, "--save", "",
                  "--loglevel", "verbose", "--enable-debug-command", "yes"]
        # The last word counts, so that a case may overrule all that.
        self.words = [str(word) for word in (self.binary, *common, *options)]
        self.port = int(self.words[len(self.words) - self.words[::-1].index("--port")])
        with open(self.log_path(), "ab") as log:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def log_path(self):
        return os.path.join(self.folder, "log")

    def log(self):
        with open(self.log_path(), encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait_until_ready(self):
        def ready():
            check(self.process.poll() is None, lambda: f"the server did not start:\n{self.log()}")
            try:
                socket.create_connection(("127.0.0.1", self.tls_port), DEADLINE).close()
                return True
            except OSError:
                return False
        eventually(ready, lambda: f"the server did not become ready:\n{self.log()}")

    def client(self, context=None, **how):
        return Client(self.tls_port, context or client_context(), **how)

    def plain_client(self):
        return Client(self.port)

    def wait_for_log(self, text):
        eventually(lambda: text in self.log(), lambda: f"the log says {text!r}; it says\n{self.log()[-3000:]}")


class Ground:
    """The servers of one case."""

    def __init__(self):
        self.servers = []

    def start(self, *options, certificate="server", binary="vedette", wait=True):
        server = Server(BINARIES[binary], [*certificates.server_options(certificate), *options])
        self.servers.append(server)
        if wait:
            server.wait_until_ready()
        return server

    def end(self, failed):
        problems = []
        for server in self.servers:
            if server.process.poll() is None:
                server.process.terminate()
                try:
                    server.process.wait(DEADLINE)
                except subprocess.TimeoutExpired:
                    server.process.kill()
                    server.process.wait()
                if server.process.returncode and server.binary != ORACLE:
                    problems.append(f"the server ends with {server.process.returncode}")
        return problems

    def logs(self):
        return "\n".join(f"--- {' '.join(server.words)}\n{server.log()[-5000:]}" for server in self.servers)

    def clean(self):
        for server in self.servers:
            shutil.rmtree(server.folder, ignore_errors=True)


def cli(server, *words, certificate="client", authority="ca", more=()):
    command = ["redis-cli", "-h", "127.0.0.1", "-p", str(server.tls_port), "--tls", *more]
    if authority:
        command += ["--cacert", certificates.path(f"{authority}.crt")]
    if certificate:
        command += ["--cert", certificates.path(f"{certificate}.crt"), "--key", certificates.path(f"{certificate}.key")]
    run = subprocess.run([*command, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE, text=True)
    return run.stdout.strip()


def let_in(server, context):
    """Whether a client with this context gets an answer. With TLS 1.3 it hears of a refusal only with its first reply."""
    try:
        client = server.client(context)
    except (ssl.SSLError, OSError):
        return False
    try:
        return client.call("PING") == b"PONG"
    except (ssl.SSLError, OSError):
        return False
    finally:
        client.close()


# ---- Who is let in ----

def redis_cli_speaks_tls(ground):
    server = ground.start()
    equal(cli(server, "PING"), "PONG", "PING")
    equal(cli(server, "SET", "k", "v"), "OK", "SET")
    equal(cli(server, "GET", "k"), "v", "GET")
    check("certificate verify failed" in cli(server, "PING", authority="other-ca"), "redis-cli trusts an authority that it was not told")
    equal(cli(server, "PING", authority=None, more=("--insecure",)), "PONG", "PING without verification")
    check("PONG" not in cli(server, "PING", certificate=None), "PONG without a certificate")


def who_must_show_a_certificate(ground, choice, version):
    server = ground.start("--tls-auth-clients", choice, *(("--tls-protocols", "TLSv1.2") if version == "TLSv1.2" else ()))
    wanted = {"yes": (True, False, False, False), "optional": (True, True, False, False), "no": (True, True, True, True)}[choice]
    for name, welcome in zip(("client", None, "stranger", "expired"), wanted):
        equal(let_in(server, client_context(name)), welcome, f"with the certificate {name}")
    if choice == "yes":
        server.wait_for_log("Error accepting a client connection: TLS handshake: peer did not return a certificate")
        server.wait_for_log("the client's certificate does not hold: certificate has expired")
    equal(server.client().call("PING"), b"PONG", "afterwards")


def an_expired_certificate_is_served_and_told_of(ground):
    server = ground.start(certificate="expired")
    server.wait_for_log("the certificate's time is over")
    check(not let_in(server, client_context()), "a client takes an expired certificate")
    check(let_in(server, client_context(authority=None)), "a client that does not verify is not let in")


def the_authorities_may_be_a_folder_and_the_key_encrypted(ground):
    server = ground.start("--tls-ca-cert-file", "", "--tls-ca-cert-dir", certificates.path("ca-dir"), "--tls-key-file-pass", "secret",
                          certificate="encrypted")
    check(let_in(server, client_context()), "let in")
    check(not let_in(server, client_context("stranger")), "a stranger is let in")


def versions_and_ciphers_are_what_is_configured(ground):
    server = ground.start("--tls-protocols", "TLSv1.2", "--tls-ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305")
    client = server.client()
    equal((client.socket.version(), client.socket.cipher()[0]), ("TLSv1.2", "ECDHE-ECDSA-CHACHA20-POLY1305"), "agreed on")
    check(not let_in(server, client_context(version=ssl.TLSVersion.TLSv1_3)), "TLS 1.3 is spoken")
    client.call("CONFIG", "SET", "tls-protocols", "TLSv1.3", "tls-ciphersuites", "TLS_AES_128_GCM_SHA256")
    new = server.client()
    equal((new.socket.version(), new.socket.cipher()[0]), ("TLSv1.3", "TLS_AES_128_GCM_SHA256"), "agreed on")
    equal(client.call("PING"), b"PONG", "the old connection")


def sessions_are_taken_up_again(ground, version):
    server = ground.start()
    context = client_context(version=getattr(ssl.TLSVersion, version))
    check(is_taken_up_again(server, context), "the session was not taken up again")
    server.client().call("CONFIG", "SET", "tls-session-caching", "no")
    check(not is_taken_up_again(server, context), "a session was taken up again")


def is_taken_up_again(server, context, meanwhile=lambda: None):
    first = server.client(context)
    first.call("PING")
    meanwhile()
    return server.client(context, session=first.socket.session).socket.session_reused


def sessions_end_with_their_time(ground, version):
    server = ground.start("--tls-session-cache-timeout", "1")
    context = client_context(version=getattr(ssl.TLSVersion, version))
    admin = server.client()
    check(not is_taken_up_again(server, context, lambda: time.sleep(2.5)), "a session was taken up again after its time")
    admin.call("CONFIG", "SET", "tls-session-cache-timeout", "300")
    check(is_taken_up_again(server, context), "the session was not taken up again")
    admin.call("CONFIG", "SET", "tls-session-cache-timeout", "0")
    check(not is_taken_up_again(server, context), "a session was taken up again, whose time is 0")


def as_many_sessions_are_remembered_as_configured(ground):
    """Of clients that take no tickets, whom alone the server remembers."""
    server = ground.start("--tls-session-cache-size", "1")
    admin = server.client()
    context = client_context(version=ssl.TLSVersion.TLSv1_2)
    context.options |= ssl.OP_NO_TICKET

    def others():
        for _ in range(3):
            server.client(context).call("PING")
    check(is_taken_up_again(server, context), "the one session was not taken up again")
    check(not is_taken_up_again(server, context, others), "more than one session is remembered")
    admin.call("CONFIG", "SET", "tls-session-cache-size", "100")
    check(is_taken_up_again(server, context, others), "the session was not remembered beside others")


def whose_order_of_ciphers_decides(ground):
    ours, theirs = "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"
    server = ground.start("--tls-protocols", "TLSv1.2", "--tls-ciphers", f"{ours}:{theirs}")
    context = client_context()
    context.set_ciphers(f"{theirs}:{ours}")
    client = server.client(context)
    equal(client.socket.cipher()[0], theirs, "agreed on")
    client.call("CONFIG", "SET", "tls-prefer-server-ciphers", "yes")
    equal(server.client(context).socket.cipher()[0], ours, "agreed on, when the server's order counts")


# ---- What is no TLS, and what is no end of one ----

def plaintext_on_the_tls_port_ends_at_once(ground, binary):
    server = ground.start(binary=binary)
    for words in (request([b"PING"]), b"PING\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x00\x01\x02\x03\x04\x05"):
        client = Client(server.tls_port)
        client.socket.sendall(words)
        check(client.ended(), f"the connection stays, or says something, after {words}")
    if binary == "vedette":
        server.wait_for_log("what comes is not TLS")
    equal(server.client().call("PING"), b"PONG", "afterwards")


def tls_on_the_plain_port_fails_at_once(ground):
    server = ground.start()
    try:
        Client(server.port, client_context())
        raise Failed("TLS on the plain port")
    except ssl.SSLError:
        pass
    equal(server.plain_client().call("PING"), b"PONG", "afterwards")


def who_never_ends_the_handshake_is_closed(ground):
    server = ground.start("--tls-handshake-timeout", "1", "--maxclients", "4")
    idle = [Client(server.tls_port) for _ in range(3)]
    idle[0].socket.sendall(b"\x16\x03\x01\x02\x00\x01")
    for client in idle:
        check(client.ended(), "an idle connection stays")
    server.wait_for_log("not over within 1 s (tls-handshake-timeout)")
    many = [server.client() for _ in range(4)]
    for client in many:
        equal(client.call("PING"), b"PONG", "afterwards")


def a_connection_in_its_handshake_has_a_clients_place(ground):
    server = ground.start("--maxclients", "3")
    admin = server.plain_client()
    equal(admin.call("PING"), b"PONG", "the first")

    def two_take_all_places():
        idle = [Client(server.tls_port) for _ in range(2)]  # again where one came while the last attempt's clients had not gone
        try:
            return refused(lambda: server.plain_client().call("PING"))
        finally:
            for client in idle:
                client.close()
    eventually(two_take_all_places, "a third client is let in")
    eventually(lambda: not refused(lambda: server.client().call("PING")), "nobody is let in")
    equal(admin.call("PING"), b"PONG", "the first")


def first_words():
    """A client's first message, with nothing behind it."""
    said = ssl.MemoryBIO()
    try:
        client_context().wrap_bio(ssl.MemoryBIO(), said).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return said.read()


def a_crowd_that_begins_at_once_is_served_over_many_turns(ground):
    """So that those who are connected do not wait for all of it."""
    server = ground.start()
    admin = server.plain_client()

    def turns():
        return int(admin.call("INFO", "stats").split(b"eventloop_cycles:")[1].split(b"\r\n")[0])
    crowd = [Client(server.tls_port) for _ in range(400)]
    equal(admin.call("PING"), b"PONG", "beside the crowd")
    hello, before = first_words(), turns()
    os.kill(server.process.pid, signal.SIGSTOP)  # all of it lies there when the turn begins
    for client in crowd:
        client.socket.sendall(hello)
    os.kill(server.process.pid, signal.SIGCONT)
    for client in crowd:
        check(client.socket.recv(100)[:1] == b"\x16", "one of the crowd is not answered")
    check(turns() - before > 20, lambda: f"400 handshakes in {turns() - before} turns")


def a_first_message_that_is_too_long_ends_at_once(ground):
    """And costs no more memory than it has bytes."""
    server = ground.start()
    for announced in (b"\x16\x03\x01\x40\x00\x01\x02\x00\x00", b"\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x03\xff\xff\xff"):
        client = Client(server.tls_port)
        client.socket.sendall(announced)
        check(client.ended(), "it stays")
    server.wait_for_log("the client's first message is too long")
    for size in (0x4001, 0xffff):  # of a record
        client = Client(server.tls_port)
        client.socket.sendall(b"\x16\x03\x01" + size.to_bytes(2, "big") + b"\x01\x00\x40\x00" + bytes(1000))
        client.socket.recv(100)  # OpenSSL says why
        check(client.ended(), "a record that is too long stays")
    equal(server.client().call("PING"), b"PONG", "afterwards")


def who_ends_his_direction_in_the_handshake_is_closed(ground):
    server = ground.start()
    for words in (b"", first_words()[:100], first_words()):
        client = Client(server.tls_port)
        client.socket.sendall(words)
        client.socket.shutdown(socket.SHUT_WR)
        client.socket.settimeout(DEADLINE)
        eventually(lambda: client.ended(), "it stays")
    equal(server.client().call("PING"), b"PONG", "afterwards")


def certificates_change_under_load(ground):
    """Nobody that is connected notices, and whoever comes sees the old or the new one."""
    server = ground.start()
    stop, failures, served = threading.Event(), [], [0, 0]

    def work(i):
        context = client_context()
        try:
            old = server.client(context)
            while not stop.is_set():
                equal(old.call("INCR", f"n{i}"), served[i] + 1, "INCR")
                served[i] += 1
                new = server.client(context)
                equal(new.call("PING"), b"PONG", "PING")
                new.close()
        except Exception as error:  # for the case to tell
            failures.append(repr(error))
    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    admin = server.plain_client()
    for turn in range(30):
        name = ("other-name", "server")[turn % 2]
        admin.call("CONFIG", "SET", "tls-cert-file", certificates.path(f"{name}.crt"), "tls-key-file", certificates.path(f"{name}.key"))
        admin.error("CONFIG", "SET", "tls-key-file", "/no/such/file")
        reached = list(served)
        eventually(lambda: failures or all(now > then for now, then in zip(served, reached)), "the load goes on")
    stop.set()
    for thread in threads:
        thread.join()
    equal(failures, [], "failures")


def a_user_of_the_access_lists_comes_through_tls(ground):
    server = ground.start()
    admin = server.client()
    admin.call("ACL", "SETUSER", "reader", "on", ">secret", "~a*", "+get", "+client|info")
    admin.call("SET", "a", "1")
    client = server.client()
    equal(client.call("AUTH", "reader", "secret"), b"OK", "AUTH")
    equal(client.call("GET", "a"), b"1", "GET")
    check(client.error("SET", "a", "2").startswith("NOPERM"), "SET")
    check(f" laddr=127.0.0.1:{server.tls_port} " in client.call("CLIENT", "INFO").decode() and b" user=reader " in client.call("CLIENT", "INFO"), "CLIENT INFO")
    admin.call("ACL", "SETUSER", "default", "resetpass", ">other")
    check(server.client().error("PING").startswith("NOAUTH"), "without a password")
    equal(cli(server, "GET", "a", more=("--user", "reader", "--pass", "secret", "--no-auth-warning")), "1", "redis-cli")


def redis_benchmark_speaks_tls(ground):
    server = ground.start()
    words = ["redis-benchmark", "-h", "127.0.0.1", "-p", str(server.tls_port), "--tls", "--cacert", certificates.path("ca.crt"), "--cert",
             certificates.path("client.crt"), "--key", certificates.path("client.key"), "-t", "set,get", "-n", "2000", "-c", "10", "-P", "8", "-q"]
    run = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE, text=True)
    check(run.returncode == 0 and "GET: " in run.stdout and "rror" not in run.stdout, run.stdout)
    count = [line for line in server.client().call("INFO", "commandstats").decode().split("\r\n") if line.startswith("cmdstat_get:calls=2000,")]
    equal(len(count), 1, "2000 GETs")


def refused(act):
    try:
        act()
        return False
    except (ServerError, OSError, ssl.SSLError):
        return True


def too_many_clients_end_without_a_word(ground, binary):
    server = ground.start("--maxclients", "3", binary=binary)
    clients = [server.client() for _ in range(3)]
    for client in clients:
        equal(client.call("PING"), b"PONG", "those that were first")
    try:
        more = Client(server.tls_port)  # the handshake would not be answered
        equal(more.socket.recv(100), b"", "what one too many hears")
    except ConnectionError:
        pass
    equal(clients[0].call("CONFIG", "GET", "maxclients")[1], b"3", "maxclients")
    clients[1].close()
    eventually(lambda: let_in(server, client_context()), "a place is free, and nobody is let in")


# ---- What an operator may change ----

def certificates_are_read_again_without_dropping_connections(ground):
    server = ground.start()
    old = server.client()
    for name in ("other-name", "server"):
        equal(old.call("CONFIG", "SET", "tls-cert-file", certificates.path(f"{name}.crt"), "tls-key-file", certificates.path(f"{name}.key")), b"OK",
              "CONFIG SET")
        new = server.client()
        wanted = ssl.PEM_cert_to_DER_cert(open(certificates.path(f"{name}.crt"), encoding="ascii").read())
        check(new.certificate() == wanted, f"a new connection does not see {name}")
        equal(old.call("PING"), b"PONG", "the old connection")
    mine = [os.path.join(server.folder, "mine.crt"), os.path.join(server.folder, "mine.key")]
    for name in ("server", "other-name"):  # the same names, other files
        for path, kind in zip(mine, ("crt", "key")):
            shutil.copy(certificates.path(f"{name}.{kind}"), path)
        if name == "server":
            old.call("CONFIG", "SET", "tls-cert-file", mine[0], "tls-key-file", mine[1])
            before = server.client().certificate()
        else:
            equal(server.client().certificate(), before, "before it is named again")
            old.call("CONFIG", "SET", "tls-cert-file", mine[0])
            check(server.client().certificate() != before, "what was named again was not read again")
    equal(old.call("PING"), b"PONG", "the old connection")


def what_does_not_hold_together_is_refused_and_changes_nothing(ground):
    server = ground.start()
    client = server.client()
    before = client.certificate()
    for words, reason in ((("tls-cert-file", "/no/such/file"), "tls-cert-file '/no/such/file': No such file or directory"),
                          (("tls-key-file", certificates.path("client.key")), "does not belong to tls-cert-file"),
                          (("tls-ca-cert-file", certificates.path("dh.pem")), "tls-ca-cert-file"),
                          (("tls-ca-cert-file", ""), "tls-auth-clients"),
                          (("tls-ciphers", "NONSENSE"), "tls-ciphers 'NONSENSE'"),
                          (("tls-ciphersuites", "NONSENSE"), "tls-ciphersuites"),
                          (("tls-dh-params-file", certificates.path("ca.crt")), "tls-dh-params-file"),
                          (("tls-port", "0", "tls-replication", "yes", "tls-ca-cert-file", ""), "tls-replication"),
                          (("maxmemory", "1gb", "tls-cert-file", "/no/such/file"), "No such file")):
        kept = client.call("CONFIG", "GET", words[-2])[1]
        error = client.error("CONFIG", "SET", *words)
        check("Unable to update TLS configuration" in error and reason in error, f"{words}: {error}")
        equal(client.call("CONFIG", "GET", words[-2])[1], kept, words[-2])
        equal(server.client().certificate(), before, "the certificate")
    check("'SSLv3' is no version" in client.error("CONFIG", "SET", "tls-protocols", "SSLv3"), "tls-protocols")
    equal(client.call("CONFIG", "GET", "maxmemory")[1], b"0", "maxmemory")
    check("Failed to configure TLS." in server.log(), "the log")


def who_is_let_in_changes_for_new_connections(ground):
    server = ground.start("--tls-auth-clients", "no")
    old = server.client(client_context(None))
    old.call("CONFIG", "SET", "tls-auth-clients", "yes")
    check(not let_in(server, client_context(None)), "let in without a certificate")
    equal(old.call("PING"), b"PONG", "the old connection")
    old.call("CONFIG", "SET", "tls-ca-cert-file", certificates.path("other-ca.crt"))
    check(not let_in(server, client_context()), "the old authority is trusted")
    check(let_in(server, client_context("stranger")), "the new authority is not trusted")


def ports_come_and_go(ground):
    server = ground.start()
    client, plain_client = server.client(), server.plain_client()
    fields = dict(line.split(":", 1) for line in client.call("INFO", "server").decode().split("\r\n") if ":" in line)
    equal(fields["tcp_port"], str(server.port), "tcp_port")
    equal(fields.get("listener0"), f"name=tcp,bind=127.0.0.1,port={server.port}", "listener0")
    equal(fields.get("listener1"), f"name=tls,bind=127.0.0.1,port={server.tls_port}", "listener1")
    old_tls, old_port = server.tls_port, server.port
    server.tls_port = free_port()
    client.call("CONFIG", "SET", "tls-port", server.tls_port)
    equal(server.client().call("PING"), b"PONG", "on the new port")
    check(refused(lambda: Client(old_tls, client_context())), "the old port is open")
    plain_client.call("CONFIG", "SET", "port", "0")
    check(refused(lambda: Client(old_port)), "port 0 is open")
    fields = dict(line.split(":", 1) for line in client.call("INFO", "server").decode().split("\r\n") if ":" in line)
    equal(fields["tcp_port"], str(server.tls_port), "tcp_port without port")
    plain_client.call("CONFIG", "SET", "tls-port", "0")
    check(refused(lambda: Client(server.tls_port, client_context())), "tls-port 0 is open")
    plain_client.call("CONFIG", "SET", "tls-port", server.tls_port, "port", old_port)
    equal(server.client().call("PING"), b"PONG", "on the TLS port again")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        error = client.error("CONFIG", "SET", "tls-port", taken.getsockname()[1])
        check("Unable to listen on this port" in error, error)
    equal(server.client().call("PING"), b"PONG", "after a port that is taken")
    client.call("CONFIG", "SET", "bind", "127.0.0.1 -::1")
    equal(server.client().call("PING"), b"PONG", "after bind")
    equal(server.plain_client().call("PING"), b"PONG", "after bind")


def a_server_may_have_a_tls_port_alone(ground):
    server = ground.start("--port", "0", "--proc-title-template", "{title} {listen-addr} {port} {tls-port}")
    equal(server.client().call("PING"), b"PONG", "PING")
    title = open(f"/proc/{server.process.pid}/cmdline", "rb").read().split(b"\0")[0].decode()
    check(title.endswith(f" 127.0.0.1:{server.tls_port} 0 {server.tls_port}"), f"the title is {title}")
    server.wait_for_log(f"Ready to accept TLS connections on port {server.tls_port}")


def a_start_that_cannot_be_says_why(ground):
    for options, reason in ((("--tls-cert-file", ""), "tls-cert-file: no certificate is named"),
                            (("--tls-key-file", "/no/such/key"), "tls-key-file '/no/such/key': No such file or directory"),
                            (("--tls-ca-cert-file", ""), "tls-auth-clients"),
                            (("--tls-port", "0", "--tls-replication", "yes", "--tls-ca-cert-file", ""), "tls-replication")):
        server = ground.start(*options, wait=False)
        equal(server.process.wait(DEADLINE), 1, "exit code")
        check(reason in server.log(), f"{options}: {server.log()}")
    server = ground.start(certificate="encrypted", wait=False)
    equal(server.process.wait(DEADLINE), 1, "exit code")
    check("has a passphrase, and tls-key-file-pass is empty" in server.log(), server.log())
    server = ground.start("--tls-protocols", "SSLv2", wait=False)
    equal(server.process.wait(DEADLINE), 1, "exit code")
    check("tls-protocols" in server.log() and "'SSLv2' is no version" in server.log(), server.log())


def files_are_not_read_while_nothing_speaks_tls(ground):
    server = ground.start("--tls-port", "0", "--tls-cert-file", "/no/such/file", wait=False)
    eventually(lambda: not refused(lambda: server.plain_client().call("PING")), lambda: server.log())
    client = server.plain_client()
    client.call("CONFIG", "SET", "tls-key-file", "/no/such/key")
    error = client.error("CONFIG", "SET", "tls-port", free_port())
    check("Unable to update TLS configuration" in error, error)
    equal(client.call("CONFIG", "GET", "tls-port")[1], b"0", "tls-port")


# ---- The protocol does not notice ----

def a_big_pipeline_keeps_its_order(ground):
    server = ground.start()
    client = server.client()
    count = 100000
    sender = threading.Thread(target=client.send, args=[("INCR", "n")] * count)
    sender.start()
    for i in range(count):
        equal(client.reply_bytes(), b":%d\r\n" % (i + 1), "reply")
    sender.join()


def values_of_every_size_come_back(ground):
    server = ground.start()
    client, other = server.client(), server.client()
    for size in (0, 1, 100, 16383, 16384, 16385, 65536, 1000000, 40000000):
        value = os.urandom(size)
        equal(client.call("SET", "k", value), b"OK", f"SET of {size}")
        check(other.call("GET", "k") == value, f"a value of {size} bytes has changed")
    many = [os.urandom(1 + i % 5000) for i in range(3000)]
    client.call("RPUSH", "list", *many)
    check(other.call("LRANGE", "list", 0, -1) == many, "a list has changed")


def one_byte_at_a_time(ground):
    server = ground.start()
    client = server.client()
    for byte in b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\nGET k\r\n":
        client.socket.sendall(bytes([byte]))
    equal((client.reply_bytes(), client.reply_bytes()), (b"+OK\r\n", b"$5\r\nvalue\r\n"), "replies")


def records_cut_into_segments(ground):
    """The ciphertext itself arrives in small pieces, handshake included."""
    server = ground.start()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context().wrap_bio(incoming, outgoing)
    wire = socket.create_connection(("127.0.0.1", server.tls_port), DEADLINE)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def move(act):
        while True:
            try:
                result, ended = act(), True
            except ssl.SSLWantReadError:
                result, ended = None, False
            out = outgoing.read()
            for at in range(0, len(out), 7):
                wire.sendall(out[at:at + 7])
            if ended:
                return result
            incoming.write(wire.recv(13))
    move(tls.do_handshake)
    move(lambda: tls.write(request([b"SET", b"k", b"v" * 3000]) + request([b"GET", b"k"])))
    got = b""
    while len(got) < 5 + 7 + 3002:
        got += move(lambda: tls.read(100))
    equal(got, b"+OK\r\n$3000\r\n" + b"v" * 3000 + b"\r\n", "replies")


def a_slow_reader_holds_nobody_up(ground):
    server = ground.start("--client-reply-backlog-limit", "1mb")
    slow, other = server.client(), server.client()
    slow.call("SET", "k", b"x" * 1000000)
    sender = threading.Thread(target=slow.send, args=[("GET", "k")] * 100)
    sender.start()
    for _ in range(200):
        equal(other.call("PING"), b"PONG", "PING beside a slow reader")
    for i in range(100):
        equal(len(slow.reply_bytes()), 1000000 + 12, f"reply {i}")
    sender.join()


def a_subscriber_that_does_not_read_is_closed_by_its_limit(ground):
    server = ground.start("--client-output-buffer-limit", "pubsub 8mb 0 0")
    slow, other = server.client(), server.client()
    equal(slow.call("SUBSCRIBE", "c")[2], 1, "SUBSCRIBE")
    for _ in range(200):
        if other.call("PUBLISH", "c", b"x" * 1000000) == 0:
            break
    eventually(lambda: other.call("PUBLISH", "c", "x") == 0, "the slow subscriber stays")
    equal(other.call("PING"), b"PONG", "the other")


def the_last_reply_comes_whole_before_the_end(ground):
    server = ground.start()
    client = server.client()
    client.call("SET", "k", b"x" * 5000000)
    client.send(("GET", "k"), ("QUIT",))
    equal(len(client.reply_bytes()), 5000000 + 12, "the value")
    equal(client.reply_bytes(), b"+OK\r\n", "QUIT")
    equal(client.socket.recv(10), b"", "behind it")  # Python's TLS would raise if the end were not announced


def many_clients_come_at_once(ground):
    server = ground.start()
    context, failures = client_context(), []

    def work(i):
        try:
            client = server.client(context)
            for j in range(20):
                equal(client.call("SET", f"k{i}", j), b"OK", "SET")
                equal(client.call("GET", f"k{i}"), b"%d" % j, "GET")
        except Exception as error:  # for the case to tell
            failures.append(repr(error))
    threads = [threading.Thread(target=work, args=(i,)) for i in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(failures, [], "failures")


def clients_that_break_off_leave_nothing_behind(ground):
    server = ground.start()
    admin = server.plain_client()
    for i in range(60):
        wire = socket.create_connection(("127.0.0.1", server.tls_port), DEADLINE)
        if i % 3 == 0:
            wire.sendall(b"\x16\x03\x01\x00\xff\x01" + os.urandom(i))
        elif i % 3 == 1:
            client = server.client()
            client.send(("SET", "k", b"x" * 100000))
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            client.close()
        wire.close()
    eventually(lambda: b"connected_clients:1\r\n" in admin.call("INFO", "clients"), "all are gone")


CASES = [
    (redis_cli_speaks_tls, None), (who_must_show_a_certificate, [(choice, version) for choice in ("yes", "no", "optional") for version in ("TLSv1.2", "TLSv1.3")]),
    (an_expired_certificate_is_served_and_told_of, None), (the_authorities_may_be_a_folder_and_the_key_encrypted, None),
    (versions_and_ciphers_are_what_is_configured, None), (sessions_are_taken_up_again, ["TLSv1_2", "TLSv1_3"]),
    (sessions_end_with_their_time, ["TLSv1_2", "TLSv1_3"]), (as_many_sessions_are_remembered_as_configured, None), (whose_order_of_ciphers_decides, None),
    (plaintext_on_the_tls_port_ends_at_once, ["vedette", "redis"]), (tls_on_the_plain_port_fails_at_once, None), (who_never_ends_the_handshake_is_closed, None),
    (a_connection_in_its_handshake_has_a_clients_place, None), (too_many_clients_end_without_a_word, ["vedette", "redis"]),
    (certificates_are_read_again_without_dropping_connections, None), (what_does_not_hold_together_is_refused_and_changes_nothing, None),
    (who_is_let_in_changes_for_new_connections, None), (ports_come_and_go, None), (a_server_may_have_a_tls_port_alone, None),
    (a_start_that_cannot_be_says_why, None), (files_are_not_read_while_nothing_speaks_tls, None), (a_big_pipeline_keeps_its_order, None),
    (values_of_every_size_come_back, None), (one_byte_at_a_time, None), (records_cut_into_segments, None), (a_slow_reader_holds_nobody_up, None),
    (a_subscriber_that_does_not_read_is_closed_by_its_limit, None), (the_last_reply_comes_whole_before_the_end, None),
    (a_crowd_that_begins_at_once_is_served_over_many_turns, None), (a_first_message_that_is_too_long_ends_at_once, None),
    (who_ends_his_direction_in_the_handshake_is_closed, None), (certificates_change_under_load, None),
    (a_user_of_the_access_lists_comes_through_tls, None), (redis_benchmark_speaks_tls, None),
    (many_clients_come_at_once, None), (clients_that_break_off_leave_nothing_behind, None),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=4)
    options = parser.parse_args()
    BINARIES.update(vedette=options.server, redis=ORACLE)
    certificates.folder()
    sys.modules["tls"] = sys.modules["__main__"]
    return run_all([case for case in cases(["tls"]) if options.only in case[0]], Ground, options.jobs)


if __name__ == "__main__":
    sys.exit(main())
