"""What a replica makes of a primary that is broken or hostile: a line in its log that names it, another try, never a crash."""
import os
import resource

import fake
from fake import EMPTY_RDB, ID, ONE_KEY_RDB, command
from proxy import Proxy
from topology import Failed, check, check_equal, eventually, fill, same_data


def recovers(replica, primary, mark=0):
    """Its log has named the primary, and it takes the next offer."""
    replica.wait_for_log(f"MASTER 127.0.0.1:{primary.port} <-> REPLICA: ", after=mark)
    primary.serve(ONE_KEY_RDB)
    eventually(replica.link_up, lambda: f"the replica recovers; {replica.log()[-800:]}")
    check_equal(replica.call("GET", "key"), b"value", "the data")


STEPS = ("PING", "listening-port", "psync2", "PSYNC", "payload")
NONSENSE = {"no line": b"nonsense\r\n", "a bulk": b"$5\r\nhello\r\n", "an endless line": b"+" + b"x" * 5000, "zeros": b"\0" * 100 + b"\r\n",
            "http": b"HTTP/1.1 200 OK\r\n\r\n", "an array": b"*2147483647\r\n"}


def play_to(primary, step):
    primary.accept().hear("PING")
    for answer, expected, name in (("+PONG\r\n", "listening-port", "listening-port"), ("+OK\r\n", "psync2", "psync2"), ("+OK\r\n", "PSYNC\r\n", "PSYNC"),
                                   (f"+FULLRESYNC {ID} 100\r\n", "", "payload")):
        if step == "PING":
            return
        primary.say(answer)
        primary.hear(expected)
        if name == step:
            return


def nonsense_in_the_handshake(servers, step, what):
    primary = servers.add(fake.Primary())
    replica = servers.vedette()
    replica.call("SET", "own", "data")
    replica.follow(primary)
    play_to(primary, step)
    primary.say(NONSENSE[what])
    replica.wait_for_log("no synchronization")
    check_equal(replica.call("GET", "own"), b"data", "old data")
    recovers(replica, primary)


def nonsense_for_psync(servers, answer):
    primary = servers.add(fake.Primary())
    replica = servers.vedette()
    replica.follow(primary)
    primary.shake_hands().say(answer.replace("ID", ID) + "\r\n")
    replica.wait_for_log("no synchronization")
    recovers(replica, primary)


def errors_in_the_handshake(servers):
    """Those of REPLCONF are not fatal, one of PSYNC asks for SYNC, LOADING and NOMASTERLINK mean later."""
    primary = servers.add(fake.Primary())
    replica = servers.vedette()
    replica.follow(primary)
    primary.accept().hear("PING").say("-LOADING wait\r\n")
    primary.accept().hear("PING").say("-NOAUTH Authentication required.\r\n").hear("listening-port").say("-ERR unknown\r\n")
    primary.hear("psync2").say("-ERR unknown\r\n").hear("PSYNC\r\n").say("\n", "\n", "-NOMASTERLINK wait\r\n")
    primary.accept().hear("PING").say("+PONG\r\n").hear("psync2").say("+OK\r\n+OK\r\n").hear("PSYNC\r\n").say("-ERR unknown command\r\n")
    primary.hear("\r\nSYNC\r\n").say("\n", f"${len(ONE_KEY_RDB)}\r\n", ONE_KEY_RDB, command("SET", "more", "1"))
    eventually(lambda: replica.call("GET", "more") == b"1", "the stream behind SYNC")
    check_equal(replica.call("GET", "key"), b"value", "the data of SYNC")


def a_cut_after_each_byte(servers, diskless):
    primary, replica = servers.vedette("--repl-diskless-sync", diskless), servers.vedette()
    primary.call("SET", "a", "b")
    proxy = servers.add(Proxy(primary.port))
    for size in range(1, 600):
        proxy.cut_after = size
        mark = len(replica.log())
        replica.follow(proxy)
        eventually(lambda: replica.link_up() or "no synchronization" in replica.log()[mark:], "it is cut, or up")
        if replica.link_up() and size > 100:
            break
        replica.promote()
    else:
        raise Failed("it never got up")
    proxy.cut_after = None
    primary.call("SET", "c", "d")
    same_data(primary, replica)


def snapshots_that_are_none(servers, what, loading):
    whole = fake.rdb(b"\xfe\x00" + b"".join(b"\x00\x03k%02d\x05value" % i for i in range(50)))
    flipped = bytearray(whole)
    flipped[len(flipped) // 2] ^= 0x55
    header, payload = {
        "flipped": (f"${len(whole)}", bytes(flipped)),
        "cut": (f"${len(whole)}", whole[:-60]),
        "shorter than said": (f"${len(whole) + 20}", whole),
        "longer than said": (f"${len(whole) - 20}", whole),
        "no magic": ("$40", b"x" * 40),
        "a version to come": (f"${len(whole)}", whole.replace(b"REDIS0010", b"REDIS9999")),
        "an unknown type": ("$13", b"REDIS0010\xfe\x00\x7f\x01"),
        "a length without end": ("$30", b"REDIS0010\xfe\x00\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff" + b"x" * 10),
        "empty": ("$0", b""),
        "a negative length": ("$-1", b""),
        "a huge length": ("$999999999999999999999", b""),
        "a mark that is too short": ("$EOF:abc", whole),
        "a mark that never comes": ("$EOF:" + "e" * 40, whole),
        "an error": ("-ERR out of snapshots", b""),
    }[what]
    primary = servers.add(fake.Primary())
    replica = servers.vedette("--repl-diskless-load", loading)
    replica.call("SET", "own", "data")
    replica.follow(primary)
    primary.shake_hands().say(f"+FULLRESYNC {ID} 100\r\n{header}\r\n", payload)
    if what in ("cut", "shorter than said", "a mark that never comes"):
        primary.link.close()
    replica.wait_for_log("no synchronization")
    if loading == "swapdb":
        check_equal(replica.call("GET", "own"), b"data", "old data")
    check_equal(replica.call("GET", "k01"), None, "data of a snapshot that is none")
    recovers(replica, primary)


STREAMS = {"a length that is none": b"*1\r\n$abc\r\n", "a bulk without a mark": b"*1\r\nabc\r\n", "a huge bulk": b"*1\r\n$99999999999999\r\n",
           "a huge array": b"*99999999999\r\n", "a negative bulk": b"*2\r\n$3\r\nGET\r\n$-7\r\n"}


def broken_streams(servers, what):
    primary = servers.add(fake.Primary())
    replica = servers.vedette()
    replica.follow(primary)
    primary.serve(EMPTY_RDB)
    eventually(replica.link_up, "the link is up")
    primary.say(command("SET", "before", "1"), STREAMS[what])
    replica.wait_for_log("the stream is broken")
    primary.accept().hear("PING").say("+PONG\r\n").hear("psync2").say("+OK\r\n+OK\r\n").hear("PSYNC\r\n").hear("?")
    check_equal(replica.call("GET", "before"), b"1", "what came before")
    primary.say(f"+FULLRESYNC {ID} 500\r\n${len(ONE_KEY_RDB)}\r\n", ONE_KEY_RDB)
    eventually(lambda: replica.call("GET", "key") == b"value", "the next snapshot")


def silence(servers, step):
    primary = servers.add(fake.Primary())
    replica = servers.vedette("--repl-timeout", "1")
    replica.follow(primary)
    if step == "stream":
        primary.serve(EMPTY_RDB)
    else:
        play_to(primary, step.split(" ")[0])
        if step == "payload half":
            primary.say(f"${len(ONE_KEY_RDB)}\r\n", ONE_KEY_RDB[:12])
    replica.wait_for_log("for 1 s (repl-timeout)")
    recovers(replica, primary)


def a_transaction_that_never_ends(servers):
    primary = servers.add(fake.Primary())
    replica = servers.vedette()
    replica.follow(primary)
    primary.serve(EMPTY_RDB)
    eventually(replica.link_up, "the link is up")
    primary.say(command("SET", "before", "1"), command("MULTI"), command("SET", "a", "1"))
    eventually(lambda: replica.call("GET", "before") == b"1", "what came before")
    applied = replica.offset()
    primary.accept().hear("PING").say("+PONG\r\n").hear("psync2").say("+OK\r\n+OK\r\n") if primary.link.close() is None else None
    primary.hear("PSYNC\r\n").hear(f"{applied + 1}").say("+CONTINUE\r\n", command("MULTI"), command("SET", "a", "2"), command("EXEC"))
    eventually(lambda: replica.call("GET", "a") == b"2", "the transaction comes again")


def a_disk_that_takes_nothing(servers, who, how):
    """The folder is gone, or the disk full: an error each time, and a synchronization when it is mended."""
    protected = ("--enable-protected-configs", "yes")
    primary, replica = servers.vedette("--repl-diskless-sync", "no", *protected), servers.vedette(*protected)
    fill(primary, keys=300, big=1)
    node = primary if who == "primary" else replica
    folder = node.path("other")
    os.mkdir(folder)
    node.config("dir", folder)
    if how == "gone":
        os.rmdir(folder)
    else:
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (100000, resource.RLIM_INFINITY))
    marks = len(node.log())
    replica.follow(primary)
    node.wait_for_log("No such file or directory" if how == "gone" else "File too large", after=marks)
    # The log itself is a file too: what it lacks while the limit holds does not matter.
    check(not replica.link_up(), "no link")
    check_equal(primary.call("PING"), b"PONG", "the primary lives")
    if how == "gone":
        os.mkdir(folder)
    else:
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    same_data(primary, replica)
    eventually(lambda: not [name for name in os.listdir(folder) if name.startswith("temp-")], "no temporary files are left")


PSYNC_ANSWERS = ("+FULLRESYNC", "+FULLRESYNC ID", "+FULLRESYNC ID x", "+FULLRESYNC ID -1", "+FULLRESYNC ID 99999999999999999999", "+FULLRESYNC short 1",
                 "+CONTINUE short", "+CONTINUE ID", "+OK", ":1")
SNAPSHOTS = ("flipped", "cut", "shorter than said", "longer than said", "no magic", "a version to come", "an unknown type", "a length without end", "empty",
             "a negative length", "a huge length", "a mark that is too short", "a mark that never comes", "an error")

CASES = [
    (nonsense_in_the_handshake, [(step, what) for step in STEPS for what in NONSENSE if not (what == "a bulk" and step == "payload")]),
    (nonsense_for_psync, list(PSYNC_ANSWERS)),
    (errors_in_the_handshake, None),
    (a_cut_after_each_byte, ["yes", "no"]),
    (snapshots_that_are_none, [(what, loading) for what in SNAPSHOTS for loading in ("disabled", "swapdb")]),
    (broken_streams, list(STREAMS)),
    (silence, ["PING", "psync2", "PSYNC", "payload", "payload half", "stream"]),
    (a_transaction_that_never_ends, None),
    (a_disk_that_takes_nothing, [(who, how) for who in ("primary", "replica") for how in ("gone", "full")]),
]
