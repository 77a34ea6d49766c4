#!/usr/bin/env python3
"""Scripts and functions from outside: libraries that go between Redis 7.0.15 and Vedette by snapshot, append-only file, payload and
replication; scripts that take long on a real loop.

    scripts.py --server build/server/vedette-server [--only WORD]
"""
import os
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import servers  # noqa: E402
from resp import request  # noqa: E402
from runner import Failed, check, main  # noqa: E402
from servers import HungUp, Link, ORACLE  # noqa: E402

LIBRARY = (b"#!lua name=lib\n"
           b"redis.register_function('put', function(keys, args) return redis.call('SET', keys[1], args[1]) end)\n"
           b"redis.register_function{function_name='show', callback=function(keys) return redis.call('GET', keys[1]) end, "
           b"flags={'no-writes'}, description='what is there'}")
OTHER = b"#!lua name=other\nredis.register_function('other', function() return 'other' end)"


class Process(servers.Server):
    """A server in a folder that may outlive it."""

    def __init__(self, name, binary, *options, keep=None):
        self.options = list(options)
        self.keep = keep
        super().__init__(name, binary)

    def start(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        words = [self.binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.keep or self.folder.name,
                 "--enable-debug-command", "yes", *self.options]
        with open(os.path.join(self.folder.name, "log"), "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(lambda: not self.answers(b"-LOADING"), "the start of " + self.name)

    def answers(self, prefix):
        try:
            return self.raw(b"PING").startswith(prefix)
        except (OSError, HungUp):
            if not self.alive():
                raise Failed(f"{self.name} did not start:\n{self.log()}") from None
            return True

    def raw(self, *words):
        """The bytes of the reply to one command."""
        link = Link(self.port)
        try:
            return link.exchange([words])[0]
        finally:
            link.close()


def wait_for(condition, what):
    end = time.monotonic() + servers.DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"waited in vain for {what}")
        time.sleep(0.01)


def pairs():
    return [(ORACLE, servers.VEDETTE), (servers.VEDETTE, ORACLE), (servers.VEDETTE, servers.VEDETTE)]


def name_of(binary):
    return "redis" if binary == ORACLE else "vedette"


def has_library(server, key=b"k"):
    check(server.raw(b"FCALL", b"put", b"1", key, b"value") == b"+OK\r\n", f"{server.name} does not know the function")
    check(server.raw(b"FCALL_RO", b"show", b"1", key) == b"$5\r\nvalue\r\n", f"{server.name} does not know the second function")
    code = server.raw(b"FUNCTION", b"LIST", b"LIBRARYNAME", b"lib", b"WITHCODE")
    check(LIBRARY in code and b"what is there" in code, f"{server.name} lists something else: {code!r}")


def a_snapshot_brings_libraries(folder):
    for writer, reader in pairs():
        own = tempfile.mkdtemp(dir=folder)
        first = Process(name_of(writer), writer, keep=own)
        check(first.raw(b"FUNCTION", b"LOAD", LIBRARY) == b"$3\r\nlib\r\n", "the library cannot be loaded")
        first.raw(b"FUNCTION", b"LOAD", OTHER)
        check(first.raw(b"SAVE") == b"+OK\r\n", "SAVE failed")
        first.stop()
        second = Process(name_of(reader), reader, keep=own)
        has_library(second)
        check(second.raw(b"FCALL", b"other", b"0") == b"$5\r\nother\r\n", "the second library is not there")
        check(second.raw(b"DEBUG", b"RELOAD") == b"+OK\r\n", "DEBUG RELOAD failed: " + second.log())
        has_library(second)
        second.stop()


def an_append_only_file_brings_libraries(folder):
    for base in (b"yes", b"no"):
        for writer, reader in pairs():
            own = tempfile.mkdtemp(dir=folder)
            options = ["--appendonly", "yes", "--aof-use-rdb-preamble", base.decode()]
            first = Process(name_of(writer), writer, *options, keep=own)
            first.raw(b"FUNCTION", b"LOAD", LIBRARY)
            first.raw(b"FCALL", b"put", b"1", b"before", b"1")
            first.raw(b"BGREWRITEAOF")
            wait_for(lambda: b"aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0" in first.raw(b"INFO", b"persistence"), "the rewrite")
            first.raw(b"FUNCTION", b"LOAD", OTHER)
            first.raw(b"EVAL", b"redis.call('SET', 'x', '1') redis.call('INCR', 'x')", b"0")
            first.stop()
            second = Process(name_of(reader), reader, *options, keep=own)
            has_library(second)
            check(second.raw(b"FCALL", b"other", b"0") == b"$5\r\nother\r\n", "the second library is not there")
            check(second.raw(b"GET", b"x") == b"$1\r\n2\r\n", "what the script wrote is not there")
            second.stop()


def payloads_go_both_ways(_folder):
    # Uncompressed, since the two do not find the same repetitions.
    redis, vedette = (Process(name, binary, "--rdbcompression", "no") for name, binary in (("redis", ORACLE), ("vedette", servers.VEDETTE)))
    for giver, taker in ((redis, vedette), (vedette, redis)):
        giver.raw(b"FUNCTION", b"FLUSH")
        taker.raw(b"FUNCTION", b"FLUSH")
        giver.raw(b"FUNCTION", b"LOAD", LIBRARY)
        payload = giver.raw(b"FUNCTION", b"DUMP").split(b"\r\n", 1)[1][:-2]
        check(taker.raw(b"FUNCTION", b"RESTORE", payload) == b"+OK\r\n", f"{taker.name} refuses the payload of {giver.name}")
        has_library(taker)
        check(taker.raw(b"FUNCTION", b"DUMP") == giver.raw(b"FUNCTION", b"DUMP"), "the payloads differ")
        check(taker.raw(b"FUNCTION", b"RESTORE", payload).startswith(b"-ERR Library lib already exists"), "no refusal")
        check(taker.raw(b"FUNCTION", b"RESTORE", payload, b"REPLACE") == b"+OK\r\n", "REPLACE failed")
        check(taker.raw(b"FUNCTION", b"RESTORE", payload, b"FLUSH") == b"+OK\r\n", "FLUSH failed")
    redis.stop()
    vedette.stop()


def replicas_get_libraries_and_effects(_folder):
    for writer, reader in pairs():
        primary, replica = (Process(name_of(binary), binary, "--repl-diskless-sync-delay", "0", "--rdbcompression", "no")
                            for binary in (writer, reader))
        primary.raw(b"FUNCTION", b"LOAD", LIBRARY)
        replica.raw(b"FUNCTION", b"LOAD", b"#!lua name=old\nredis.register_function('old', function() end)")
        replica.raw(b"REPLICAOF", b"127.0.0.1", str(primary.port).encode())
        wait_for(lambda: b"master_link_status:up" in replica.raw(b"INFO", b"replication"), "the link")
        primary.raw(b"FUNCTION", b"LOAD", OTHER)
        primary.raw(b"FCALL", b"put", b"1", b"k", b"value")
        primary.raw(b"EVAL", b"redis.call('SET', 'x', '1') redis.call('INCR', 'x') redis.call('EXPIRE', 'x', 1000)", b"0")
        primary.raw(b"SET", b"last", b"1")
        wait_for(lambda: replica.raw(b"GET", b"last") == b"$1\r\n1\r\n", "the stream")
        check(replica.raw(b"GET", b"x") == b"$1\r\n2\r\n", "the script's effects are not there")
        check(replica.raw(b"FCALL_RO", b"show", b"1", b"k") == b"$5\r\nvalue\r\n", "the library is not there")
        check(replica.raw(b"FCALL", b"other", b"0").startswith(b"-READONLY"), "a function that may write runs on a replica")
        check(replica.raw(b"FCALL", b"old", b"0") == b"-ERR Function not found\r\n", "the replica has kept a library")
        primary.raw(b"FUNCTION", b"DELETE", b"other")
        primary.raw(b"SET", b"last", b"2")
        wait_for(lambda: replica.raw(b"GET", b"last") == b"$1\r\n2\r\n", "the stream")
        check(replica.raw(b"FUNCTION", b"DUMP") == primary.raw(b"FUNCTION", b"DUMP"), "the libraries differ")
        primary.stop()
        replica.stop()


def send(port, *words):
    link = socket.create_connection(("127.0.0.1", port), servers.DEADLINE)
    link.sendall(request(words))
    return link


def others_are_served_while_a_script_takes_long(_folder):
    server = Process("vedette", servers.VEDETTE, "--busy-reply-threshold", "10")
    busy = b"-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n"
    link = send(server.port, b"EVAL", b"while true do end", b"0")
    wait_for(lambda: server.raw(b"PING") == busy, "BUSY")
    check(server.raw(b"SCRIPT", b"KILL") == b"+OK\r\n", "it cannot be killed")
    check(link.recv(1000).startswith(b"-ERR Script killed by user with SCRIPT KILL..."), "the script's reply is another")
    check(server.raw(b"PING") == b"+PONG\r\n", "it is busy still")
    # A client that goes does not end its script; its connection is let go when that ends.
    link = send(server.port, b"EVAL", b"redis.call('SET', 'k', '1') for i = 1, 3e7 do end redis.call('INCR', 'k')", b"0")
    wait_for(lambda: server.raw(b"PING") == busy, "BUSY")
    link.close()
    wait_for(lambda: server.raw(b"PING") == b"+PONG\r\n", "the end of the script")
    check(server.raw(b"GET", b"k") == b"$1\r\n2\r\n", "the script was not run to its end")
    wait_for(lambda: server.raw(b"CLIENT", b"LIST").count(b" fd=") == 1, "the end of the connection")
    server.stop()


# Scripts whose time goes by in few instructions: within functions that do not call back, or in those that walk through much.
HEAVY = [b"local t = {} for i = 1, 1e6 do t[i] = {} end while true do collectgarbage() end",
         b"local t = {} for i = 1, 1e6 do t[i] = {} end while true do pcall(string.rep, 'x', 1e9) end",
         b"local t = {} for i = 1, 3e6 do t[i] = i end while true do table.sort(t, rawequal) end",
         b"local t = {} for i = 1, 1e6 do t[i] = i end while true do table.sort(t, pcall) end",
         b"local t = {} for i = 1, 1e6 do t[i] = '' end while true do table.concat(t) end",
         b"local t = {} for i = 1, 3e6 do t[i] = i end for i = 1, 3e6 do t[i] = nil end while true do next(t) end",
         b"local t = {} for i = 1, 3e6 do t[i] = i end for i = 1, 3e6 do t[i] = nil end local f = pairs(t) while true do f(t) end",
         b"local s = 'x x ' .. ('a '):rep(5e5) while true do loadstring(s) end",
         b"local t, u = {}, {} for i = 1, 1e4 do t[i] = {} end for i = 1, 1e5 do u[i] = t end cmsgpack.pack(u)",
         b"local t, u = {}, {} for i = 1, 1e4 do t[i] = {} end for i = 1, 1e5 do u[i] = t end cjson.encode(u)",
         b"while true do cjson.encode_sparse_array(false, 0) pcall(cjson.encode, {[2147483647] = 1}) end",
         b"local s = (' '):rep(1e8) .. 'x' while true do pcall(cjson.decode, s) end",
         b"local s = ('x'):rep(1e7) while true do struct.size(s) end",
         b"local s = ('x'):rep(1e8) while true do redis.status_reply(s) redis.error_reply(s) end",
         b"local a = ('x'):rep(1e8) local b = a .. 'y' while true do local c = a < b end",
         b"local s = ('1'):rep(1e7) while true do tonumber(s) end",
         b"local s = ('X'):rep(1e8) while true do s:lower() s:upper() s:reverse() end"]


def others_are_served_whatever_the_time_goes_by_in(_folder):
    server = Process("vedette", servers.VEDETTE, "--busy-reply-threshold", "10")
    for script in HEAVY:
        link = send(server.port, b"EVAL", script, b"0")
        try:
            wait_for(lambda: server.raw(b"PING").startswith(b"-BUSY"), "BUSY")
            check(server.raw(b"SCRIPT", b"KILL") == b"+OK\r\n", "it cannot be killed")
            check(link.recv(1000).startswith(b"-ERR Script killed by user with SCRIPT KILL..."), "the script's reply is another")
        except (OSError, HungUp, Failed) as problem:
            raise Failed(f"{script!r}: {problem}") from None
        link.close()
    check(server.raw(b"PING") == b"+PONG\r\n", "it is busy still")
    server.stop()


def shutdown_nosave_ends_a_server_whose_script_has_written(folder):
    server = Process("vedette", servers.VEDETTE, "--busy-reply-threshold", "10", "--appendonly", "yes", keep=folder)
    server.raw(b"SET", b"k", b"whole")
    link = send(server.port, b"EVAL", b"redis.call('SET', 'k', 'half') while true do end", b"0")
    wait_for(lambda: server.raw(b"PING").startswith(b"-BUSY"), "BUSY")
    check(server.raw(b"SCRIPT", b"KILL").startswith(b"-UNKILLABLE"), "it can be killed")
    check(server.raw(b"SHUTDOWN").startswith(b"-BUSY"), "SHUTDOWN without NOSAVE is taken")
    try:
        reply = server.raw(b"SHUTDOWN", b"NOSAVE")
        raise Failed(f"SHUTDOWN NOSAVE was answered: {reply!r}")
    except (HungUp, OSError):
        pass
    check(server.process.wait(servers.DEADLINE) == 0, "the exit code is not 0: " + server.log())
    link.close()
    again = Process("vedette", servers.VEDETTE, "--appendonly", "yes", keep=folder)
    check(again.raw(b"GET", b"k") == b"$5\r\nwhole\r\n", "half of a script's work was kept")
    again.stop()


CASES = [a_snapshot_brings_libraries, an_append_only_file_brings_libraries, payloads_go_both_ways, replicas_get_libraries_and_effects,
         others_are_served_while_a_script_takes_long, others_are_served_whatever_the_time_goes_by_in,
         shutdown_nosave_ends_a_server_whose_script_has_written]


if __name__ == "__main__":
    sys.exit(main(CASES))
