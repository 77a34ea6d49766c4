"""What sentinels must bear: hostile and stale messages, impossible epochs, garbage, injection, and files cut short."""
import random
import re
import subprocess

from group import NAME, Failed, HungUp, ServerError, check, check_equal, eventually, ours_only
from pretender import Pretender, bulk

HELLO = "__sentinel__:hello"
MAX = 2 ** 64 - 1
SOMEBODY = "a" * 40


def publish(node, *messages):
    """Each on its own connection's pipeline; the node passes them on to the sentinels."""
    client = node.connect()
    for reply in client.pipeline([("PUBLISH", HELLO, message) for message in messages]):
        check(isinstance(reply, int), lambda: f"PUBLISH at {node.name}: {reply}")
    client.close()


def heard(group, node):
    """Waits until every sentinel has had all that was published before: a hello of a stranger that is well formed comes last."""
    runid = f"{random.getrandbits(160):040x}"
    publish(node, f"127.0.0.1,1,{runid},0,unknown-name,127.0.0.1,1,0")
    for sentinel in group.sentinels:  # a round of its own questions has come after it
        eventually(lambda: int(sentinel.master()["info-refresh"]) < 400, "it has asked again")


def all_is_as_before(group, primary):
    group.ready()
    check_equal(group.primary().port, primary.port, "the primary's port")
    for sentinel in group.sentinels:
        master = sentinel.master()
        check_equal((master["config-epoch"], master["num-slaves"], master["num-other-sentinels"]), ("0", "2", "2"), f"what {sentinel.name} knows: epoch, replicas, sentinels")


def it_still_fails_over(group):
    old = group.primary()
    old.kill()
    new = group.has_failed_over(old)
    old.restart()
    group.converged(new)


def messages_that_are_no_hellos(group, mix):
    group.build(mix)
    primary = group.servers[0]
    group.heard = {s: group.events(s) for s in group.sentinels}
    rng = random.Random(4)
    port = primary.port
    good = ["127.0.0.1", "1", SOMEBODY, "0", NAME, "127.0.0.1", str(port), "0"]
    publish(primary, b"", b",", b",,,,,,,", b",,,,,,,,", b"\0" * 100, b"\r\n", b"x" * 1000000, b"," * 100000, ",".join(good[:7]), ",".join(good + ["0"]),
            *[rng.randbytes(rng.randrange(300)) for _ in range(200)],
            *[",".join(good[:i] + [bad] + good[i + 1:]) for i in (1,) for bad in ("", "x", "-1", "0", "65536", "99999999999999999999")],
            *[",".join(good[:4] + [bad] + good[5:]) for bad in ("", "*", NAME + " ", NAME.upper(), NAME + "\r\nx", "other")])
    heard(group, primary)
    all_is_as_before(group, primary)
    it_still_fails_over(group)


def hellos_with_impossible_content(group):
    """Redis takes most of these for true: it learns sentinels with any id, and epochs that leave no room for the next."""
    ours_only("which believes such messages")
    group.build("vvv-vvv")
    primary, port = group.servers[0], group.servers[0].port
    group.heard = {s: group.events(s) for s in group.sentinels}
    mine = group.sentinels[0].sentinel("MYID").decode()

    def hello(ip="127.0.0.1", at=1, runid=SOMEBODY, epoch=0, name=NAME, primary_ip="127.0.0.1", primary_port=port, config=0):
        return f"{ip},{at},{runid},{epoch},{name},{primary_ip},{primary_port},{config}"
    publish(primary,
            *[hello(runid=runid) for runid in ("", "short", "g" * 40, "a" * 39, "a" * 41, "A" * 39 + "\n", " " * 40, "a" * 5000)],
            *[hello(ip=ip) for ip in ("", "no host", "1.2.3.4.5", "127.0.0.1\r\nsentinel monitor evil 127.0.0.1 1 1", "a" * 5000)],
            *[hello(epoch=epoch) for epoch in (MAX, MAX - 1, 2 ** 63, 2 ** 64, "9" * 50, -1, "x", "", "1x", " 1")],
            *[hello(config=epoch, primary_port=1) for epoch in (MAX, 2 ** 63, 2 ** 64, "9" * 50, -1, "x", "", "1x")],
            *[hello(config=1, epoch=1, primary_port=at) for at in (0, -1, 65536, "x", "")],
            *[hello(config=1, epoch=1, primary_ip=ip) for ip in ("", "no host", "a" * 5000)],
            hello(runid=mine, at=2, epoch=0))
    heard(group, primary)
    all_is_as_before(group, primary)
    for sentinel in group.sentinels:
        sentinel.sentinel("FLUSHCONFIG")
        check("evil" not in sentinel.read_configuration(), "nothing was written into the file")
    it_still_fails_over(group)
    for sentinel in group.sentinels:
        check(int(sentinel.master()["config-epoch"]) < 1000, lambda: f"config epoch {sentinel.master()['config-epoch']}")


def stale_hellos(group, mix):
    """What was true before a failover, said again after it."""
    group.build(mix)
    old = group.servers[0]
    ids = [(s.port, s.sentinel("MYID").decode()) for s in group.sentinels]
    old.kill()
    new = group.has_failed_over(old)
    old.restart()
    group.converged(new)
    group.heard = {s: group.events(s) for s in group.sentinels}
    publish(new, *[f"127.0.0.1,{port},{runid},0,{NAME},127.0.0.1,{old.port},0" for port, runid in ids],
            *[f"127.0.0.1,{port},{runid},{new_epoch},{NAME},127.0.0.1,{old.port},0" for port, runid in ids for new_epoch in (0, 1)])
    heard(group, new)
    group.converged(new)
    check(not any(e.of("+switch-master") for e in group.heard.values()), "no +switch-master")


def impossible_votes(group):
    ours_only("which takes any epoch")
    group.build("vvv-vvv")
    port = group.servers[0].port
    sentinel = group.sentinels[0]
    for epoch in (MAX, 2 ** 63 - 1, 2 ** 63, -1, -2 ** 63, "9" * 40):
        for runid in (SOMEBODY, "x", "", "a" * 100000, "a\r\nb"):
            try:
                down, leader, told = sentinel.sentinel("IS-MASTER-DOWN-BY-ADDR", "127.0.0.1", port, epoch, runid)
                check(down == 0 and told < 1000, lambda: f"epoch {epoch} for {runid[:50]!r}: {down} {leader} {told}")
            except ServerError:
                pass
    all_is_as_before(group, group.servers[0])
    it_still_fails_over(group)


def an_info_of_garbage(group, mix):
    """A primary that says anything; another group, which the same sentinels watch, is not harmed."""
    ours_only("which ends at some of it")
    group.build(mix)
    rng = random.Random(7)
    good = ("# Server\r\nredis_version:7.0.15\r\nrun_id:" + "b" * 40 + "\r\n# Replication\r\nrole:master\r\nconnected_slaves:1\r\n")
    lines = ["slave0:ip=127.0.0.1,port=99999,state=online", "slave0:ip=,port=,state=", "slave0:ip=no host,port=1", "slave0:", "slave0:ip=127.0.0.1", "slave0:port=1,ip=127.0.0.1",
             "slave0:ip=127.0.0.1,port=-1", "slave" + "9" * 100 + ":ip=127.0.0.1,port=1x", "run_id:" + "c" * 100, "run_id:", "role:", "role:king", "role:slave", "master_port:x",
             "master_host:" + "a" * 100000, "slave_repl_offset:" + "9" * 50, "slave_priority:x", ":", "\0", "slave0:ip=127.0.0.1\tx,port=1\r\nslave0", "slave0:ip=" + "1" * 70000 + ",port=1"]
    replies = [bulk(""), bulk(good), *[bulk(good + line + "\r\n") for line in lines], bulk(rng.randbytes(100000)), bulk("a" * 5000000), b"$-1\r\n", b":1\r\n", b"*-1\r\n", b"*0\r\n",
               b"-ERR no\r\n", b"+OK\r\n", b"*1\r\n" * 5000 + b":1\r\n", b"$-5\r\n", b"$99999999999999\r\n", b"*99999999999\r\n", b"x\r\n", b"\r\n\r\n", b"\0" * 1000, b"$5\r\nab\r\n\r\n"]
    fakes = [group.add(Pretender(info)) for info in replies]
    for sentinel in group.sentinels[:1]:
        for i, fake in enumerate(fakes):
            check_equal(sentinel.sentinel("MONITOR", f"fake-{i}", fake.host, fake.port, 2), b"OK", "MONITOR")
        for i, fake in enumerate(fakes):
            eventually(lambda: fake.times_asked("INFO") >= 2 or not sentinel.alive(), lambda: f"INFO is asked of fake-{i}, which says {replies[i][:60]}; it was asked {fake.asked[-5:]}")
        check(sentinel.alive(), "the sentinel is alive")
        for fake in fakes[:10]:
            fake.say_to_all(b"*3\r\n$7\r\nmessage\r\n$18\r\n__sentinel__:hello\r\n$3\r\na,b\r\n" * 100 + rng.randbytes(100))
        sentinel.sentinel("FLUSHCONFIG")
        for line in sentinel.read_configuration().splitlines():
            check(re.match(r"(#.*|[a-z-]+( .*)?)?$", line), lambda: f"a line of the file: {line[:200]!r}")
        for i in range(len(fakes)):
            sentinel.sentinel("REMOVE", f"fake-{i}")
    group.ready()
    it_still_fails_over(group)


def injection(group):
    """Redis 7.0.15 writes some of these into its file as they are."""
    ours_only("which writes what it is given into its file")
    group.build("vvv-vvv")
    sentinel = group.sentinels[0]
    evil = "x\r\nsentinel monitor evil 127.0.0.1 1 1\r\n"
    for name in ("a\r\nb", "a\nb", "a b", "", "a\0b", "a\"b", "a'b", "a\\b", evil, "a," + NAME, "x" * 100000):
        try:
            reply = sentinel.sentinel("MONITOR", name, "127.0.0.1", group.servers[0].port, 2)
        except ServerError:
            continue
        check(re.fullmatch(r"[^\s,\"'\\\0]+", name), lambda: f"MONITOR {name[:50]!r} is answered with {reply}")
        sentinel.sentinel("REMOVE", name)
    for words in [("SET", NAME, option, evil) for option in ("auth-pass", "auth-user", "notification-script", "client-reconfig-script")] + [
            ("SET", NAME, "rename-command", "CONFIG", evil), ("SET", NAME, "rename-command", evil, "x"), ("SET", NAME, evil, "x"),
            ("CONFIG", "SET", "announce-ip", evil), ("CONFIG", "SET", "sentinel-user", evil), ("CONFIG", "SET", "sentinel-pass", evil)]:
        try:
            sentinel.sentinel(*words)
        except ServerError as error:
            check("\n" not in str(error) and "\r" not in str(error), lambda: f"the error has a line's end in it: {error}")
        except HungUp:
            raise Failed(f"{words} ends the connection") from None
        raw = sentinel.connect().raw(*["SENTINEL", *words])
        check(not raw.startswith(b"-") or raw.index(b"\r\n") == len(raw) - 2, lambda: f"the reply has a line's end in it: {raw}")
    try:
        sentinel.sentinel("FLUSHCONFIG")
    except ServerError:
        pass
    lines = [line for line in sentinel.read_configuration().splitlines() if line.startswith("sentinel monitor")]
    check_equal(lines, [line for line in lines if f" {NAME} " in line], "groups in the file")
    for words in (("SET", NAME, "auth-pass", ""), ("SET", NAME, "auth-user", ""), ("CONFIG", "SET", "announce-ip", ""), ("CONFIG", "SET", "sentinel-user", ""), ("CONFIG", "SET", "sentinel-pass", "")):
        sentinel.sentinel(*words)
    sentinel.kill()
    sentinel.restart()
    check_equal([one[1] for one in sentinel.sentinel("MASTERS")], [NAME.encode()], "groups after a start")
    group.ready()


def passwords_with_anything_in_them(group):
    """They survive the file."""
    ours_only()
    group.build("vvv-vvv")
    for secret in ("with space", "quote\"s and 'these'", "back\\slash", "#hash", "\xfc\x01\xff"):
        for server in group.servers:
            client = server.connect()
            client.call("CONFIG", "SET", "masterauth", secret.encode("latin1"))
            client.call("CONFIG", "SET", "requirepass", secret.encode("latin1"))
        for sentinel in group.sentinels:
            sentinel.sentinel("SET", NAME, "auth-pass", secret.encode("latin1"))
        sentinel = group.sentinels[0]
        sentinel.kill()
        sentinel.restart()
        group.ready()
        for server in group.servers:
            client = server.link()
            client.call("AUTH", secret.encode("latin1"))
            client.call("CONFIG", "SET", "requirepass", "")
            client.call("CONFIG", "SET", "masterauth", "")


def run_with(sentinel, path):
    """The exit code and what the process said when it is started with this file; None if it goes on."""
    words = [sentinel.binary, path]
    with open(sentinel.path("cut-log"), "w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            def decided():
                if process.poll() is not None:
                    return True
                with open(f"/proc/{process.pid}/net/tcp", encoding="ascii") as table:
                    return f":{sentinel.port:04X} 00000000:0000 0A" in table.read()
            eventually(decided, "it listens, or it ends")
            code = process.poll()
        finally:
            process.kill()
            process.wait()
        log.seek(0)
        return code, log.read()


def cuts(size, rng, count):
    return sorted({0, 1, size - 1, size - 2, *[rng.randrange(size) for _ in range(count)]})


def a_configuration_cut_short(group, mix):
    """At any byte: it starts with what there is, or it says what is wrong and ends with 1; it never crashes, and never hangs."""
    group.build(mix)
    old = group.servers[0]
    old.kill()
    group.has_failed_over(old)
    group.ready()
    sentinel = group.sentinels[0]
    sentinel.sentinel("FLUSHCONFIG")
    whole = sentinel.read_configuration()
    sentinel.kill()
    rng = random.Random(11)
    path = sentinel.path("cut.conf")
    first = whole.index("dir ")  # from there on: without its port it would take another's
    for cut in [c for c in cuts(len(whole), rng, 60) if c >= first]:
        with open(path, "w", encoding="utf-8") as file:
            file.write(whole[:cut])
        code, said = run_with(sentinel, path)
        check(code in (None, 1), lambda: f"cut at {cut}, {whole[max(0, cut - 30):cut]!r}: ended with {code}:\n{said[-1500:]}")
        check(code is None or said.strip(), lambda: f"cut at {cut}: it ended without a word")
    lines = whole.splitlines()
    for _ in range(30):  # a line torn, doubled or with something else in it
        changed = list(lines)
        at = rng.randrange(3, len(changed))
        changed[at:at + 1] = rng.choice([[], [changed[at]] * 2, [changed[at][::-1]], [changed[at] + " more"], ["sentinel nonsense x 1"], ["\0" * 20], [changed[at].replace(NAME, "nobody")]])
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(changed) + "\n")
        code, said = run_with(sentinel, path)
        check(code in (None, 1), lambda: f"changed line {at}, {changed[at:at + 1]}: ended with {code}:\n{said[-1500:]}")
    sentinel.restart()  # with the whole one
    group.ready()


def wrong_passwords_are_told(group):
    """An event and INFO say so at once."""
    ours_only()
    group.password = "secret"
    group.build("vvv-vvv")
    sentinel = group.sentinels[0]
    events = group.events(sentinel)
    sentinel.sentinel("SET", NAME, "auth-pass", "wrong")
    eventually(lambda: any("auth" in name for name in events.names()), lambda: f"an event with `auth` in its name: {events.seen}", 10)
    check("auth" in sentinel.call("INFO", "sentinel").decode().lower(), lambda: f"INFO sentinel says nothing of it: {sentinel.call('INFO', 'sentinel')}")
    sentinel.sentinel("SET", NAME, "auth-pass", "secret")
    group.ready()


def requests_that_are_no_requests(group, mix):
    """Bytes that no client would send; the others are served on."""
    group.build(mix)
    rng = random.Random(3)
    sentinel = group.sentinels[0]
    for data in (b"*1\r\n$99999999999\r\n", b"*99999999\r\n", b"*-5\r\n", b"$5\r\n", b"\0" * 1000, b"a" * 100000, b"*2\r\n$8\r\nSENTINEL\r\n$-1\r\n", rng.randbytes(5000), b"*1\r\n$4\r\nPI",
                 b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", b"SENTINEL MASTER \"unbalanced\r\n"):
        client = sentinel.connect()
        try:
            client.link.socket.send(data)
        except OSError:
            pass
        client.close()
        check_equal(sentinel.connect().call("PING"), b"PONG", f"PING after {data[:40]}")
    group.ready()


MIXES = ["vvv-vvv", "vvr-vrv"]
CASES = [
    (messages_that_are_no_hellos, MIXES),
    (hellos_with_impossible_content, None),
    (stale_hellos, MIXES),
    (impossible_votes, None),
    (an_info_of_garbage, MIXES),
    (injection, None),
    (passwords_with_anything_in_them, None),
    (a_configuration_cut_short, ["vvv-vvv"]),
    (wrong_passwords_are_told, None),
    (requests_that_are_no_requests, ["vvv-vvv"]),
]
