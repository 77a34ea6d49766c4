"""The same requests to our sentinel and to Redis' in the same situation: one group, watched by both, the replies compared.

Ports, ids and times differ between the two by nature: ports and ids are replaced by what they stand for, times by their form.
Errors are compared byte for byte. What Redis 7.2 does otherwise than 7.0.15 is not asked for here.
"""
import os
import re
import socket
import stat

from group import NAME, REDIS, VEDETTE, ServerError, check, check_equal, eventually, info_fields, plain, topology

TIMES = {"last-ping-sent", "last-ok-ping-reply", "last-ping-reply", "info-refresh", "role-reported-time", "last-hello-message", "s-down-time", "o-down-time",
         "link-pending-commands", "slave-repl-offset", "master-link-down-time", "voted-leader-epoch"}


class Resp3:
    """A connection that speaks RESP3; replies are (type, value)."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), topology.DEADLINE)
        self.file = self.socket.makefile("rb")

    def call(self, *words):
        words = [topology.encoded(word) for word in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words))
        return self.reply()

    def reply(self):
        line = self.file.readline()
        kind, rest = line[:1].decode(), line[1:-2]
        if kind in "$=":
            return (kind, None) if rest == b"-1" else (kind, self.file.read(int(rest) + 2)[:-2])
        if kind in "*~>":
            return kind, None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        if kind == "%":
            return kind, [(self.reply(), self.reply()) for _ in range(int(rest))]
        return kind, rest

    def close(self):
        self.socket.close()


class Pair:
    """Our sentinel and Redis', which watch the same group, and a third one."""

    def __init__(self, group, servers="rrr", **how):
        group.build("vrr-" + servers, **how)
        self.group = group
        self.mine, self.theirs, self.third = group.sentinels
        self.ids = {s.port: s.sentinel("MYID").decode() for s in group.sentinels}
        self.run_ids = {s.port: s.info("server")["run_id"] for s in group.servers}

    def names(self, sentinel):
        """What ports and ids are called, seen from this sentinel."""
        other = self.theirs if sentinel is self.mine else self.mine
        roles = {sentinel.port: "ME", other.port: "OTHER", self.third.port: "THIRD"}
        roles.update({s.port: f"SERVER{i}" for i, s in enumerate(self.group.servers)})
        known = {str(port): role for port, role in roles.items()}
        known.update({self.ids[port]: f"ID-{roles[port]}" for port in self.ids})
        known.update({run_id: f"ID-{roles[port]}" for port, run_id in self.run_ids.items()})
        known[sentinel.folder.name] = "FOLDER"
        return known

    def named(self, sentinel, value):
        if isinstance(value, bytes):
            value = value.decode("latin1")
        if isinstance(value, str):
            for text, name in self.names(sentinel).items():
                value = value.replace(text, name)
            return value
        if isinstance(value, (list, tuple)):
            return type(value)(self.named(sentinel, item) for item in value)
        if isinstance(value, ServerError):
            return "error: " + self.named(sentinel, str(value))
        return value

    def item(self, sentinel, reply):
        """A flat map with its times replaced by their form; the order of the fields is kept."""
        words = self.named(sentinel, reply)
        check(len(words) % 2 == 0, lambda: f"a map of pairs: {words}")
        pairs = []
        for name, value in zip(words[::2], words[1::2]):
            if name in TIMES:
                check(re.fullmatch(r"\d+", value), lambda: f"{name} is {value!r}")
                value = "a number"
            pairs.append((name, value))
        return pairs

    def both(self, view, what):
        """The view of both is the same; asked again for a moment, since the two do not move in step."""
        last = {}

        def same():
            last["mine"], last["theirs"] = view(self.mine), view(self.theirs)
            return last["mine"] == last["theirs"]
        eventually(same, lambda: f"{what}:\n  ours  {last.get('mine')!r}\n  Redis {last.get('theirs')!r}", 15)

    def items(self, *words):
        def view(sentinel):
            reply = sentinel.sentinel(*words)
            if reply and not isinstance(reply[0], list):
                return self.item(sentinel, reply)
            return sorted(self.item(sentinel, one) for one in reply)
        self.both(view, " ".join(map(str, words)))

    def raw(self, *words):
        """The reply's bytes, ports and ids replaced."""
        self.both(lambda sentinel: re.sub(r"\$\d+\r\n", "$\r\n", self.named(sentinel, sentinel.connect().raw(*words))), " ".join(map(str, words)))


def told_by_info(pair, sentinel):
    """INFO sentinel without `sentinel_total_tilt`, which ours has as Valkey 9 does."""
    return re.sub(r"sentinel_total_tilt:\d+\r\n", "", pair.named(sentinel, sentinel.call("INFO", "sentinel")))


def compare_views(pair):
    for words in (("MASTERS",), ("MASTER", NAME), ("REPLICAS", NAME), ("SLAVES", NAME), ("SENTINELS", NAME)):
        pair.items(*words)
    pair.raw("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
    pair.raw("SENTINEL", "CKQUORUM", NAME)
    pair.raw("ROLE")
    pair.both(lambda s: told_by_info(pair, s), "INFO sentinel")


def what_is_told_of_a_group(group, state, servers):
    pair = Pair(group, servers)
    primary, replica = group.servers[:2]
    if state == "a replica down":
        replica.kill()
        eventually(lambda: all(s.is_down(replica.port) for s in group.sentinels), "the replica is seen down")
    elif state == "a sentinel down":
        pair.third.kill()
        eventually(lambda: all(s.is_down(pair.third.port) for s in group.living_sentinels()), "the sentinel is seen down")
    elif state == "the primary down":
        for sentinel in group.sentinels:
            sentinel.sentinel("SET", NAME, "quorum", 9)  # no failover
        primary.kill()
        eventually(lambda: all(s.is_down(primary.port) for s in group.sentinels), "the primary is seen down")
        eventually(lambda: all({r["master-link-status"] for r in s.replicas()} == {"err"} for s in group.sentinels), "the links are seen down")
        for sentinel in group.sentinels:
            text = [r["master-link-down-time"] for r in sentinel.replicas()]
            check(all(re.fullmatch(r"\d+", t) for t in text), lambda: f"master-link-down-time of {sentinel.name}: {text}")
    elif state == "a replica that hides":
        replica.config("replica-announced", "no")
        eventually(lambda: all(len(s.replicas()) == 1 for s in group.sentinels), "the replica is not shown")
    elif state == "after a failover":
        primary.kill()
        new = group.has_failed_over(primary)
        group.ready()
        primary.restart()
        group.converged(new)
        pair.run_ids = {s.port: s.info("server")["run_id"] for s in group.servers}
    compare_views(pair)


# Requests that a sentinel answers with an error, or with a fixed text, whatever it watches.
SUBCOMMANDS = ("MASTERS", "MASTER", "REPLICAS", "SLAVES", "SENTINELS", "GET-MASTER-ADDR-BY-NAME", "CKQUORUM", "CONFIG", "SET", "INFO-CACHE", "PENDING-SCRIPTS",
               "RESET", "FLUSHCONFIG", "MONITOR", "REMOVE", "FAILOVER", "IS-MASTER-DOWN-BY-ADDR", "MYID", "SIMULATE-FAILURE", "nonsense", "")
WITHOUT_ARGUMENTS_IT_ACTS = ("MASTERS", "PENDING-SCRIPTS", "FLUSHCONFIG", "MYID")
REQUESTS = [
    *[("SENTINEL", word) for word in SUBCOMMANDS if word not in WITHOUT_ARGUMENTS_IT_ACTS],
    *[("SENTINEL", word, "stranger") for word in SUBCOMMANDS if word not in ("SIMULATE-FAILURE", "INFO-CACHE")],
    *[("SENTINEL", word, "stranger", "more") for word in SUBCOMMANDS if word not in ("SIMULATE-FAILURE", "INFO-CACHE", "CONFIG")],
    ("SENTINEL",), ("sentinel", "master", "nobody"), ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", ""),
    ("SENTINEL", "INFO-CACHE", "stranger"), ("SENTINEL", "RESET", "no*such"),
    ("SENTINEL", "SIMULATE-FAILURE", "nonsense"), ("SENTINEL", "SIMULATE-FAILURE", "help"),
    *[("SENTINEL", "SET", NAME, *rest) for rest in (
        (), ("quorum",), ("nonsense", 1), ("quorum", 0), ("quorum", -1), ("quorum", "x"), ("quorum", "2x"), ("down-after-milliseconds", 0),
        ("down-after-milliseconds", "x"), ("down-after-milliseconds", -5), ("failover-timeout", 0), ("failover-timeout", "1.5"), ("parallel-syncs", 0),
        ("parallel-syncs", "many"), ("notification-script", "/no/such/script"), ("client-reconfig-script", "/no/such/script"),
        ("rename-command", "config"), ("rename-command", "", "x"), ("master-reboot-down-after-period", "x"), ("master-reboot-down-after-period", -1),
        ("quorum", 2, "parallel-syncs"), ("quorum", 2, "nonsense", 3), ("auth-pass",), ("auth-user",))],
    *[("SENTINEL", "CONFIG", *rest) for rest in (
        (), ("GET",), ("SET",), ("SET", "announce-ip"), ("nonsense", "x"), ("SET", "nonsense", 1), ("SET", "resolve-hostnames", "maybe"),
        ("SET", "announce-hostnames", "maybe"), ("SET", "announce-port", "x"), ("SET", "announce-port", -1), ("SET", "announce-port", 65536), ("GET", "nonsense"))],
    *[("SENTINEL", "DEBUG", *rest) for rest in (
        ("nonsense", 1), ("info-period",), ("info-period", "x"), ("info-period", 0), ("info-period", -1), ("ping-period", 200, "nonsense", 1))],
    *[("SENTINEL", "MONITOR", *rest) for rest in (
        (), ("one",), ("one", "127.0.0.1", 1), ("one", "127.0.0.1", 1, 1, 1), ("one", "127.0.0.1", 1, 0), ("one", "127.0.0.1", 1, -1), ("one", "127.0.0.1", 1, "x"),
        ("one", "127.0.0.1", "x", 1), ("one", "127.0.0.1", 65536, 1), ("one", "no such host", 1, 1), ("one", "localhost", 1, 1),
        (NAME, "127.0.0.1", 1, 1))],
    *[("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", *rest) for rest in (
        (), ("127.0.0.1",), ("127.0.0.1", 1), ("127.0.0.1", 1, 0), ("127.0.0.1", "x", 0, "*"), ("127.0.0.1", 1, "x", "*"), ("127.0.0.1", 1, 0, "*"),
        ("127.0.0.1", 1, 0, "*", 1), ("nowhere", 1, 0, "*"))],
    *[("SENTINEL", word, NAME, "more") for word in ("MASTER", "REPLICAS", "CKQUORUM", "FAILOVER", "REMOVE", "RESET")],
    # Commands of a server, which a sentinel does not have, and the few that it has.
    ("GET", "a"), ("SET", "a", "b"), ("KEYS", "*"), ("CONFIG", "GET", "port"), ("DEBUG", "SLEEP", 0), ("MONITOR",), ("MULTI",), ("EVAL", "return 1", 0),
    ("REPLICAOF", "NO", "ONE"), ("FLUSHALL",), ("SELECT", 0), ("ECHO", "a"), ("TIME",), ("SAVE",), ("nonsense",), ("nonsense", "a", "b" * 200), ("LATENCY", "DOCTOR"),
    ("SLOWLOG", "GET"), ("MEMORY", "USAGE", "a"), ("FAILOVER",), ("PSYNC", "?", -1), ("REPLCONF", "listening-port", 1),
    ("PING",), ("PING", "text"), ("PING", "a", "b"), ("ROLE", "x"), ("AUTH",), ("AUTH", "secret"), ("AUTH", "default", "secret"), ("AUTH", "a", "b", "c"),
    ("HELLO", 4), ("HELLO", "x"), ("HELLO", 3, "AUTH", "a"), ("HELLO", 3, "nonsense"), ("HELLO", 3, "AUTH", "nobody", "x"),
    ("PUBLISH",), ("PUBLISH", "a"), ("PUBLISH", "a", "b"), ("PUBLISH", "__sentinel__:hello", "x"), ("PUBLISH", "__sentinel__:hello", "a,b,c,d,e,f,g,h"),
    ("SUBSCRIBE",), ("PSUBSCRIBE",), ("UNSUBSCRIBE",), ("PUNSUBSCRIBE",), ("UNSUBSCRIBE", "a"), ("SUBSCRIBE", "a"), ("PSUBSCRIBE", "a*"),
    ("CLIENT", "GETNAME"), ("CLIENT", "SETNAME", "a b"), ("CLIENT", "SETNAME", "name"), ("CLIENT", "nonsense"), ("CLIENT", "KILL", "127.0.0.1:1"),
    ("CLIENT",), ("COMMAND", "nonsense"), ("COMMAND", "INFO", "get"), ("COMMAND", "GETKEYS", "get", "a"), ("SHUTDOWN", "nonsense"), ("SHUTDOWN", "NOSAVE", "SAVE"), ("INFO", "nonsense"),
]


def errors_and_fixed_replies(group):
    pair = Pair(group)
    wrong = []
    for words in REQUESTS:
        mine, theirs = (pair.named(s, s.connect().raw(*words)) for s in (pair.mine, pair.theirs))
        if mine != theirs:
            wrong.append(f"{' '.join(repr(str(word)[:40]) for word in words)}:\n    ours  {mine!r}\n    Redis {theirs!r}")
    check(not wrong, lambda: f"{len(wrong)} of {len(REQUESTS)} replies differ:\n  " + "\n  ".join(wrong))
    compare_views(pair)  # none of it changed anything


def settings_take_effect(group):
    pair = Pair(group)

    def do(*words):
        pair.raw("SENTINEL", *words)
    do("SET", NAME, "down-after-milliseconds", 2345)
    do("SET", NAME, "failover-timeout", 65432, "parallel-syncs", 3)
    do("SET", NAME, "QUORUM", 3)
    pair.items("MASTER", NAME)
    pair.items("REPLICAS", NAME)
    pair.items("SENTINELS", NAME)
    do("SET", NAME, "quorum", 2, "failover-timeout", "x")  # the first part of a wrong request
    pair.items("MASTER", NAME)
    do("SET", NAME, "auth-user", "someone")
    do("SET", NAME, "auth-user", "")
    do("SET", NAME, "notification-script", "/bin/true")  # denied unless the file allows it
    do("SET", NAME, "client-reconfig-script", "/bin/true")
    do("SET", NAME, "rename-command", "CONFIG", "GUESSME")
    do("SET", NAME, "rename-command", "CONFIG", "CONFIG")
    do("SET", NAME, "master-reboot-down-after-period", 5000)
    do("DEBUG", "info-period", 700, "tilt-trigger", 3000)
    do("DEBUG")
    do("DEBUG", *["info-period", 500])
    for name, value in (("announce-ip", "127.0.0.1"), ("announce-port", 0), ("resolve-hostnames", "no"), ("announce-hostnames", "no"), ("sentinel-user", "u"),
                        ("sentinel-user", ""), ("sentinel-pass", "p"), ("sentinel-pass", "")):
        do("CONFIG", "SET", name, value)
        do("CONFIG", "GET", name)
    do("MONITOR", "second", "127.0.0.1", group.servers[0].port, 2)
    do("GET-MASTER-ADDR-BY-NAME", "second")
    pair.both(lambda s: sorted(plain_names(s)), "names of MASTERS")
    pair.both(lambda s: sorted(x.decode() for x in s.call("ROLE")[1]), "names of ROLE")
    do("REMOVE", "second")
    do("REMOVE", "second")
    do("FLUSHCONFIG")
    do("RESET", "my*")
    group.ready()
    compare_views(pair)


def plain_names(sentinel):
    return [one[1].decode() for one in sentinel.sentinel("MASTERS")]


def scripts_may_be_set_when_allowed(group):
    pair = Pair(group, sentinel_lines=["sentinel deny-scripts-reconfig no"])
    path = os.path.join(group.servers[0].folder.name, "script")
    with open(path, "w", encoding="ascii") as file:
        file.write("#!/bin/sh\nsleep 3\n")
    os.chmod(path, stat.S_IRWXU)
    for option in ("notification-script", "client-reconfig-script"):
        pair.raw("SENTINEL", "SET", NAME, option, "/no/such/script")
        pair.raw("SENTINEL", "SET", NAME, option, path)
    pair.items("MASTER", NAME)
    group.servers[1].kill()  # +sdown runs the script
    eventually(lambda: all(s.is_down(group.servers[1].port) for s in group.sentinels), "it is seen down")

    def pending(sentinel):
        reply = sentinel.sentinel("PENDING-SCRIPTS")
        return [[re.sub(r"\d+", "N", str(word)) if i % 2 else word for i, word in enumerate(pair.named(sentinel, one))] for one in reply[:1]]
    pair.both(pending, "PENDING-SCRIPTS")
    pair.both(lambda s: info_fields(s.call("INFO", "sentinel"))["sentinel_running_scripts"] != "0", "scripts are running")
    pair.raw("SENTINEL", "SET", NAME, "notification-script", "")
    pair.items("MASTER", NAME)


def votes(group):
    """IS-MASTER-DOWN-BY-ADDR, asked for a vote: one in an epoch, for the first who asks."""
    pair = Pair(group)
    one, two = "1" * 40, "2" * 40
    port = group.servers[0].port
    for epoch, who in ((5, "*"), (50, one), (50, two), (49, two), (51, two), (51, one), (50, "*")):
        pair.raw("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", "127.0.0.1", port, epoch, who)


def cached_info(group):
    pair = Pair(group)

    def view(sentinel, *names):
        reply = sentinel.sentinel("INFO-CACHE", *names)
        shape = []
        for name, nodes in zip(reply[::2], reply[1::2]):
            told = []
            for age, info in nodes:
                check(isinstance(age, int) and 0 <= age < 60000, lambda: f"age {age}")
                told.append(info_fields(info)["tcp_port"])
            shape.append((name, pair.named(sentinel, sorted(told[1:])), pair.named(sentinel, told[:1])))
        return shape
    pair.both(lambda s: view(s, NAME), "INFO-CACHE of a name")
    pair.both(lambda s: view(s, NAME, "stranger", NAME), "INFO-CACHE of names")


# What a client or a monitor reads of a sentinel's INFO; ours may say more.
INFO_FIELDS = {
    "server": ["redis_version", "redis_mode", "os", "arch_bits", "multiplexing_api", "process_id", "run_id", "tcp_port", "server_time_usec", "uptime_in_seconds",
               "uptime_in_days", "hz", "executable", "config_file"],
    "clients": ["connected_clients", "maxclients", "blocked_clients"],
    "stats": ["total_connections_received", "total_commands_processed", "instantaneous_ops_per_sec", "total_net_input_bytes", "total_net_output_bytes",
              "rejected_connections", "pubsub_channels", "pubsub_patterns"],
    "cpu": ["used_cpu_sys", "used_cpu_user"],
}


def information(group):
    pair = Pair(group)
    for words in ((), ("default",), ("all",), ("everything",), ("server",), ("clients",), ("stats",), ("cpu",), ("sentinel",), ("sentinel", "cpu"), ("SERVER", "sentinel"),
                  ("memory",), ("replication",), ("keyspace",), ("nonsense",)):
        pair.both(lambda s: re.findall(r"^# (\w+)\r$", s.call("INFO", *words).decode("latin1"), re.M), f"sections of INFO {words}")
    for section, names in INFO_FIELDS.items():
        have = {s: info_fields(s.call("INFO", section)) for s in (pair.mine, pair.theirs)}
        for sentinel, found in have.items():
            check_equal([name for name in names if name not in found], [], f"fields that INFO {section} of {sentinel.name} lacks")
    for sentinel in (pair.mine, pair.theirs):
        found = info_fields(sentinel.call("INFO"))
        check_equal((found["redis_mode"], found["tcp_port"]), ("sentinel", str(sentinel.port)), f"INFO of {sentinel.name}")
    pair.both(lambda s: told_by_info(pair, s), "INFO sentinel")


def greeting(group):
    pair = Pair(group)
    for version in (2, 3):
        def view(sentinel, version=version):
            link = Resp3(sentinel.port)
            kind, reply = link.call("HELLO", version)
            flat = reply if kind == "*" else [part for entry in reply for part in entry]
            link.close()
            names = [part[1].decode() for part in flat[::2]]
            values = dict(zip(names, flat[1::2]))
            return kind, names, values["mode"], values["proto"], values["modules"], values["id"][0]
        pair.both(view, f"HELLO {version}")

    def types(sentinel, *words):
        link = Resp3(sentinel.port)
        link.call("HELLO", 3)
        reply = link.call(*words)
        link.close()

        def form(value):
            kind, content = value
            if kind == "%":
                return [(key[1].decode(), form(item)) for key, item in content]
            if isinstance(content, list):
                return kind, [form(item) for item in content][:1]
            return kind
        return form(reply)
    for words in (("SENTINEL", "MASTERS"), ("SENTINEL", "MASTER", NAME), ("SENTINEL", "REPLICAS", NAME), ("SENTINEL", "SENTINELS", NAME), ("SENTINEL", "MASTER", "stranger"),
                  ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME), ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "stranger"), ("SENTINEL", "PENDING-SCRIPTS"), ("SENTINEL", "DEBUG"),
                  ("SENTINEL", "INFO-CACHE", NAME), ("SENTINEL", "CONFIG", "GET", "announce-port"), ("ROLE",), ("INFO", "sentinel"), ("SUBSCRIBE", "+switch-master"),
                  ("SENTINEL", "CKQUORUM", NAME), ("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", "127.0.0.1", 1, 0, "*")):
        pair.both(lambda s: types(s, *words), f"types of {words} in RESP3")


def help_names_every_subcommand(group):
    pair = Pair(group)

    def named(sentinel):
        kind, lines = topology.parse(sentinel.connect().raw("SENTINEL", "HELP"))
        check_equal((kind, {line[0] for line in lines}), ("*", {"+"}), f"form of {sentinel.name}'s HELP")
        return {line[1].split()[0].decode() for line in lines if not line[1].startswith(b" ") and line[1].strip()}
    lacking = {word for word in named(pair.theirs) if word.isupper()} - named(pair.mine)
    check_equal(lacking, set(), "subcommands that our HELP lacks")
    pair.raw("SENTINEL", "HELP", "more")


def the_rewritten_file(group):
    """What both write into their files, line for line; in any order, and with what else ours may write."""
    pair = Pair(group, sentinel_lines=["sentinel parallel-syncs mymaster 2", "# a comment stays", "sentinel deny-scripts-reconfig yes"])
    group.servers[0].kill()
    new = group.has_failed_over(group.servers[0])
    group.ready()
    group.servers[0].restart()
    group.converged(new)
    pair.run_ids = {s.port: s.info("server")["run_id"] for s in group.servers}
    for sentinel in group.sentinels:
        sentinel.sentinel("FLUSHCONFIG")

    def lines(sentinel):
        found = [line for line in pair.named(sentinel, sentinel.read_configuration()).splitlines() if line.startswith("sentinel ") or "comment" in line]
        return sorted(re.sub(r"^(sentinel leader-epoch \S+) \d+", r"\1 N", line) for line in found)  # who voted and who was asked differ
    pair.both(lines, "lines of the file")
    for sentinel in group.sentinels:
        text = sentinel.read_configuration()
        check(text.startswith(f"bind 127.0.0.1\nprotected-mode no\nport {sentinel.port}\n"), lambda: f"the operator's own lines stay in front:\n{text}")


def one_file_for_both(group):
    """A file that Redis' sentinel has rewritten starts ours, and the other way round."""
    group.build("vrr-rrr")
    mine, theirs = group.sentinels[:2]
    group.servers[0].kill()
    new = group.has_failed_over(group.servers[0])
    group.ready()
    before = {s: (s.sentinel("MYID"), s.master()["config-epoch"], s.address(), len(s.replicas()), len(s.others())) for s in (mine, theirs)}
    for sentinel in (mine, theirs):
        sentinel.sentinel("FLUSHCONFIG")
        sentinel.kill()
    mine.program, theirs.program = theirs.program, mine.program
    mine.kind, theirs.kind = REDIS, VEDETTE
    for sentinel in (mine, theirs):
        sentinel.restart()
        after = (sentinel.sentinel("MYID"), sentinel.master()["config-epoch"], sentinel.address(), len(sentinel.replicas()), len(sentinel.others()))
        check_equal(after, before[sentinel], f"what {sentinel.name} knows when the other program reads its file")
    group.converged(new)


def the_hello_of_a_group(group):
    """What the sentinels publish: eight parts, ours as Redis'."""
    pair = Pair(group)
    heard = {s: group.events(s, "__sentinel__:hello") for s in group.servers[:1]}[group.servers[0]]

    def from_port(sentinel):
        return [payload for payload in heard.of("__sentinel__:hello") if payload.split(",")[1] == str(sentinel.port)]
    for sentinel in group.sentinels:
        eventually(lambda: from_port(sentinel), f"a hello of {sentinel.name}")
    pair.both(lambda s: pair.named(s, from_port(s)[-1]), "hello")
    check_equal(len(from_port(pair.mine)[0].split(",")), 8, "parts of a hello")


CASES = [
    (what_is_told_of_a_group, [(state, servers) for servers in ("rrr", "vvv")
                               for state in ("all well", "a replica down", "a sentinel down", "the primary down", "a replica that hides", "after a failover")]),
    (errors_and_fixed_replies, None),
    (settings_take_effect, None),
    (scripts_may_be_set_when_allowed, None),
    (votes, None),
    (cached_info, None),
    (information, None),
    (greeting, None),
    (help_names_every_subcommand, None),
    (the_rewritten_file, None),
    (one_file_for_both, None),
    (the_hello_of_a_group, None),
]
