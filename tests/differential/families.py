"""The generators: each family yields commands from a seeded random source, on few keys so that they meet.

A step is (connection, command): two connections, so that transactions and messages have somebody else.
Times are far away or long past, so that nothing expires between the two servers' answers.
"""
KEYS = [b"a", b"b", b"c", b"d", b"key:1", b"key:2", b"{tag}x", b"{tag}y", b"", b"\x00\xff\r\n", b"*", b"?[a-c]",
        b"long" * 20]
INTEGERS = [b"0", b"1", b"-1", b"2", b"7", b"10", b"100", b"-100", b"4294967295", b"2147483648", b"9999", b"10000",
            b"9223372036854775807", b"-9223372036854775808", b"9223372036854775806", b"1000000000000"]
ODD_NUMBERS = [b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616", b"007", b"+5", b" 5", b"5 ",
               b"1.5", b"1e3", b"0x10", b"-0", b"--1", b"", b"abc", b"nan", b"1\x00", b"99999999999999999999999"]
FLOATS = [b"0", b"1.5", b"-1.5", b"3.0", b"1e3", b"0.1", b"0.2", b"1e-3", b"-0.0", b"5.0e3", b"123456789.125", b"3.14159",
          b"10", b"1e17", b"-1e17", b"0.00000001"]
ODD_FLOATS = [b"inf", b"-inf", b"nan", b"1e400", b"abc", b"", b" 1", b"1 ", b"1,5", b"0x1p3", b"1e", b"infinity", b"+1"]
TEXTS = [b"", b"x", b"abc", b"hello world", b"ab" * 22, b"ab" * 22 + b"c", b"y" * 63, b"y" * 64, b"z" * 1000, b"\x00\x01\xff",
         b"line\r\nline", b"3.14", b"mystring", b"ohmytext", b"mynewtext", b"1234567890123456789012345678901234567890"]
OFFSETS = [b"0", b"1", b"2", b"3", b"5", b"10", b"43", b"44", b"45", b"100", b"-1", b"-2", b"-3", b"-100", b"1000"]
FAR_SECONDS = [b"1000000", b"2000000", b"100000000", b"9999999999"]
PAST_OR_FAR_SECONDS = [b"4102444800", b"4102444801", b"5000000000", b"9999999999", b"1", b"1000", b"1600000000", b"0", b"-1"]
WORDS = [b"NX", b"XX", b"GT", b"LT", b"GET", b"KEEPTTL", b"EX", b"PX", b"EXAT", b"PXAT", b"PERSIST", b"REPLACE", b"DB",
         b"MATCH", b"COUNT", b"TYPE", b"LEN", b"IDX", b"nonsense", b"nx", b"Ex"]
DATABASES = [b"0", b"1", b"2", b"15"]
ODD_DATABASES = [b"16", b"-1", b"abc", b"", b"99999999999999999999", b"1.0", b"01"]


class Source:
    """The random source of one run, with the choices that the families share."""

    def __init__(self, random):
        self.random = random
        self.chance = lambda probability: random.random() < probability
        self.of = random.choice

    def key(self):
        return self.of(KEYS)

    def keys(self, most=4):
        return [self.key() for _ in range(self.random.randint(1, most))]

    def integer(self):
        if self.chance(0.5):
            return b"%d" % self.random.randint(-1000, 1000)
        return self.of(ODD_NUMBERS) if self.chance(0.2) else self.of(INTEGERS)

    def float(self):
        return self.of(ODD_FLOATS) if self.chance(0.15) else self.of(FLOATS)

    def value(self):
        return self.integer() if self.chance(0.35) else self.float() if self.chance(0.1) else self.of(TEXTS)

    def offset(self):
        return self.of(ODD_NUMBERS) if self.chance(0.05) else self.of(OFFSETS)

    def far(self):
        """A relative time so far that nothing comes of it here; nearly never the same twice."""
        if self.chance(0.1):
            return self.of([b"0", b"-1", b"9223372036854775807", b"-9223372036854775808", b"abc", b"1.5", b""])
        return b"%d" % self.random.randint(10_000_000, 2_000_000_000)

    def expiry(self):
        word = self.of([b"EX", b"PX", b"EXAT", b"PXAT"])
        if word in (b"EX", b"PX"):
            return [word, self.far()]
        moment = self.of(PAST_OR_FAR_SECONDS)
        return [word, moment if word == b"EXAT" or len(moment) < 10 else moment + b"000"]

    def database(self):
        return self.of(ODD_DATABASES) if self.chance(0.1) else self.of(DATABASES)

    def pattern(self):
        return self.of([b"*", b"a", b"?", b"key:*", b"*:[12]", b"[^a]", b"[a-c]", b"\\*", b"", b"k*1", b"{tag}*", b"[", b"[a", b"\\",
                        b"*\\*", b"**a", b"[b-a]"])

    def some(self, words, probability=0.3):
        """Some of `words`, in any order; each is a word or a list of words."""
        chosen = [word for word in words if self.chance(probability)]
        self.random.shuffle(chosen)
        return [part for word in chosen for part in (word if isinstance(word, list) else [word])]


def string_command(s):
    key = s.key()
    return s.of(STRING_COMMANDS)(s, key)


STRING_COMMANDS = [
    lambda s, k: [b"SET", k, s.value()],
    lambda s, k: [b"SET", k, s.value()],
    lambda s, k: [b"SET", k, s.value()] + s.some([b"NX", b"XX", b"GET", b"KEEPTTL", s.expiry(), s.of(WORDS)], 0.25),
    lambda s, k: [b"GET", k],
    lambda s, k: [b"GETDEL", k],
    lambda s, k: [b"GETSET", k, s.value()],
    lambda s, k: [b"GETEX", k] + s.some([s.expiry(), b"PERSIST", s.of(WORDS)]),
    lambda s, k: [b"SETNX", k, s.value()],
    lambda s, k: [b"SETEX", k, s.far(), s.value()],
    lambda s, k: [b"PSETEX", k, s.far(), s.value()],
    lambda s, k: [b"APPEND", k, s.value()],
    lambda s, k: [b"STRLEN", k],
    lambda s, k: [b"GETRANGE", k, s.offset(), s.offset()],
    lambda s, k: [b"SUBSTR", k, s.offset(), s.offset()],
    lambda s, k: [b"SETRANGE", k, s.of([s.offset(), b"536870912", b"9223372036854775807"]), s.value()],
    lambda s, k: [b"INCR", k],
    lambda s, k: [b"DECR", k],
    lambda s, k: [b"INCRBY", k, s.integer()],
    lambda s, k: [b"DECRBY", k, s.integer()],
    lambda s, k: [b"INCRBYFLOAT", k, s.float()],
    lambda s, k: [b"MGET"] + s.keys(),
    lambda s, k: [b"MSET"] + [part for key in s.keys() for part in (key, s.value())],
    lambda s, k: [b"MSETNX"] + [part for key in s.keys() for part in (key, s.value())],
    lambda s, k: [b"LCS", k, s.key()] + s.some([b"LEN", b"IDX", [b"MINMATCHLEN", s.offset()], b"WITHMATCHLEN"], 0.3),
    lambda s, k: [b"OBJECT", b"ENCODING", k],
    lambda s, k: [b"TTL", k],
]

GENERIC_COMMANDS = [
    lambda s, k: [b"SET", k, s.value()],
    lambda s, k: [b"SET", k, s.value()] + s.expiry(),
    lambda s, k: [b"DEL"] + s.keys(),
    lambda s, k: [b"UNLINK"] + s.keys(),
    lambda s, k: [b"EXISTS"] + s.keys(),
    lambda s, k: [b"TOUCH"] + s.keys(),
    lambda s, k: [b"TYPE", k],
    lambda s, k: [b"RENAME", k, s.key()],
    lambda s, k: [b"RENAMENX", k, s.key()],
    lambda s, k: [b"COPY", k, s.key()] + s.some([b"REPLACE", [b"DB", s.database()], s.of(WORDS)], 0.25),
    lambda s, k: [b"MOVE", k, s.database()],
    lambda s, k: [b"KEYS", s.pattern()],
    lambda s, k: [b"DBSIZE"],
    lambda s, k: [b"RANDOMKEY"],
    lambda s, k: [b"PERSIST", k],
    lambda s, k: [b"OBJECT", s.of([b"ENCODING", b"REFCOUNT", b"IDLETIME", b"FREQ", b"nonsense"]), k],
    lambda s, k: [s.of([b"TTL", b"PTTL", b"EXPIRETIME", b"PEXPIRETIME"]), k],
    lambda s, k: [b"SELECT", s.database()],
    lambda s, k: [b"GET", k],
]

EXPIRY_COMMANDS = [
    lambda s, k: [b"SET", k, s.value()],
    lambda s, k: [s.of([b"EXPIRE", b"PEXPIRE"]), k, s.far()] + s.some([b"NX", b"XX", b"GT", b"LT", s.of(WORDS)], 0.2),
    lambda s, k: [b"EXPIREAT", k, s.of(PAST_OR_FAR_SECONDS)] + s.some([b"NX", b"XX", b"GT", b"LT"], 0.2),
    lambda s, k: [b"PEXPIREAT", k, s.of(PAST_OR_FAR_SECONDS) + b"000"] + s.some([b"NX", b"XX", b"GT", b"LT"], 0.2),
    lambda s, k: [s.of([b"EXPIREAT", b"PEXPIREAT"]), k, s.of([b"9223372036854775807", b"-9223372036854775808", b"abc", b""])],
    lambda s, k: [b"PERSIST", k],
    lambda s, k: [s.of([b"TTL", b"PTTL", b"EXPIRETIME", b"PEXPIRETIME"]), k],
    lambda s, k: [b"GETEX", k] + s.some([s.expiry(), b"PERSIST"], 0.5),
    lambda s, k: [b"SET", k, s.value()] + s.some([s.expiry(), b"KEEPTTL", b"XX"], 0.4),
    lambda s, k: [b"INCR", k],
    lambda s, k: [b"APPEND", k, b"1"],
    lambda s, k: [b"RENAME", k, s.key()],
    lambda s, k: [b"COPY", k, s.key(), b"REPLACE"],
    lambda s, k: [b"EXISTS", k],
    lambda s, k: [b"GETSET", k, s.value()],
    lambda s, k: [b"SETRANGE", k, b"1", b"x"],
    lambda s, k: [b"MSET", k, s.value()],
]

DATABASE_COMMANDS = [
    lambda s, k: [b"SELECT", s.database()],
    lambda s, k: [b"SET", k, s.value()],
    lambda s, k: [b"SET", k, s.value()] + s.expiry(),
    lambda s, k: [b"GET", k],
    lambda s, k: [b"MOVE", k, s.database()],
    lambda s, k: [b"COPY", k, s.key(), b"DB", s.database()] + s.some([b"REPLACE"], 0.5),
    lambda s, k: [b"SWAPDB", s.database(), s.database()],
    lambda s, k: [b"DBSIZE"],
    lambda s, k: [b"KEYS", b"*"],
    lambda s, k: [b"RENAME", k, s.key()],
    lambda s, k: [b"DEL", k],
    lambda s, k: [b"TTL", k],
    lambda s, k: [b"FLUSHDB"] + s.some([b"ASYNC", b"SYNC", b"nonsense"], 0.3) if s.chance(0.2) else [b"DBSIZE"],
    lambda s, k: [b"FLUSHALL"] + s.some([b"ASYNC", b"SYNC"], 0.3) if s.chance(0.1) else [b"DBSIZE"],
]

SCAN_COMMANDS = [
    lambda s, k: [b"SET", b"%d:%d" % (s.random.randint(0, 9), s.random.randint(0, 60)), s.value()],
    lambda s, k: [b"SET", k, s.value()],
    lambda s, k: [b"SCAN", b"0", b"COUNT", b"100000"] + s.some([[b"MATCH", s.pattern()], [b"TYPE", s.of([b"string", b"hash"])]]),
    lambda s, k: [b"SCAN", b"0", b"MATCH", b"%d:*" % s.random.randint(0, 9), b"COUNT", b"100000"],
    lambda s, k: [b"SCAN", s.of([b"abc", b"-1", b"", b"1.5", b"0x1", b"18446744073709551616"])],
    lambda s, k: [b"SCAN", b"0", b"COUNT", s.of([b"0", b"-1", b"abc", b""])],
    lambda s, k: [b"SCAN", b"0"] + s.some([b"MATCH", b"COUNT", b"TYPE", b"nonsense"], 0.3) + [b"COUNT"],
    lambda s, k: [b"KEYS", s.of([b"%d:*" % s.random.randint(0, 9), b"*", b"?:?", b"[1-3]:*", b"*1", s.pattern()])],
    lambda s, k: [b"DEL", b"%d:%d" % (s.random.randint(0, 9), s.random.randint(0, 60))],
    lambda s, k: [b"DBSIZE"],
    lambda s, k: [b"RANDOMKEY"],
]

CONNECTION_COMMANDS = [
    lambda s, k: [b"PING"] + s.some([s.value(), s.value()], 0.4),
    lambda s, k: [b"ECHO", s.value()],
    lambda s, k: [b"SELECT", s.database()],
    lambda s, k: [b"CLIENT", b"SETNAME", s.of([b"name", b"", b"with space", b"new\nline", b"x" * 100])],
    lambda s, k: [b"CLIENT", b"GETNAME"],
    lambda s, k: [b"CLIENT", s.of([b"NO-EVICT", b"REPLY"]), s.of([b"ON", b"nonsense"])],
    lambda s, k: [b"CLIENT", b"KILL", b"ID", s.of([b"0", b"-1", b"abc", b"999999"])],
    lambda s, k: [b"CLIENT", b"KILL", s.of([b"127.0.0.1:1", b"nonsense", b"TYPE", b"ADDR"])],
    lambda s, k: [b"CLIENT", b"LIST", s.of([b"TYPE", b"ID"]), s.of([b"nonsense", b"abc", b"-1"])],
    lambda s, k: [b"CLIENT", b"UNBLOCK", s.of([b"0", b"999999", b"abc"])] + s.some([b"TIMEOUT", b"ERROR", b"nonsense"], 0.2),
    lambda s, k: [b"CLIENT", b"PAUSE", s.of([b"abc", b"-1", b""])] + s.some([b"nonsense"], 0.3),
    lambda s, k: [b"CLIENT", b"UNPAUSE"],
    lambda s, k: [b"CLIENT", s.of([b"nonsense", b"ID2", b""])],
    lambda s, k: [b"AUTH", s.value()],
    lambda s, k: [b"AUTH", s.of([b"default", b"nobody"]), s.value()],
    lambda s, k: [b"HELLO", s.of([b"1", b"4", b"abc", b""])] + s.some([b"nonsense"], 0.3),
    # Without SETNAME: where a mistake follows it, 7.0 keeps the name, 7.2 and Vedette take all or nothing.
    lambda s, k: [b"HELLO", b"2", s.of([b"AUTH", b"nonsense"])] + s.some([b"x"], 0.3),
    lambda s, k: [b"RESET"],
    lambda s, k: [s.of([b"nosuch", b"", b"get\x00", b"x" * 200, b"SE T"])] + s.some([s.value(), s.value()], 0.5),
    lambda s, k: [s.of([b"READONLY", b"READWRITE", b"ASKING"])],
    lambda s, k: [b"SWAPDB", s.database(), s.database()],
    lambda s, k: [b"DBSIZE"],
    lambda s, k: [b"GET", k],
    lambda s, k: [b"SET", k, s.value()],
]

KNOWN = [b"get", b"set", b"mset", b"mget", b"del", b"unlink", b"exists", b"copy", b"rename", b"renamenx", b"expire", b"pexpireat",
         b"ttl", b"append", b"strlen", b"getrange", b"setrange", b"substr", b"incr", b"decrby", b"incrbyfloat", b"getdel",
         b"getset", b"getex", b"setex", b"psetex", b"setnx", b"msetnx", b"lcs", b"touch", b"type", b"keys", b"scan", b"randomkey",
         b"persist", b"move", b"swapdb", b"dbsize", b"flushdb", b"ping", b"echo", b"select", b"multi", b"exec", b"discard",
         b"watch", b"unwatch", b"subscribe", b"psubscribe", b"publish", b"spublish", b"ssubscribe", b"object|encoding", b"dump", b"restore",
         b"restore-asking"]

def crc64(data):
    """CRC-64 as snapshots and payloads end on it."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x95ac9329ac4bc9b5 if crc & 1 else 0)
    return crc


def payload(value, version=10):
    body = value + version.to_bytes(2, "little")
    return body + crc64(body).to_bytes(8, "little")


PAYLOADS = [payload(value) for value in (
    b"\x00\x05hello", b"\x00\x00", b"\x00\xc0\x05", b"\x00\xc1\x00\x80", b"\x00\xc2\xff\xff\xff\x7f", b"\x00\x0299",
    b"\x00\x139223372036854775807", b"\x00\x40\x04abcd", b"\x00\x80\x00\x00\x00\x03abc",
    b"\x00\x81\x00\x00\x00\x00\x00\x00\x00\x03abc")]
ODD_PAYLOADS = [b"", b"abc", PAYLOADS[0][:-1], PAYLOADS[0] + b"x", PAYLOADS[0][:-1] + b"x", payload(b"\x00\x10hello"), payload(b"\x00\x05hello", 4),
                payload(b"\x00\x05hello", 99), payload(b""), payload(b"\x00"), payload(b"\xff\x00"), payload(b"\x63\x00")]
# Only values too short to be packed: how they are packed is each server's own.
PAYLOAD_COMMANDS = [
    lambda s, k: [b"SET", k, s.of(INTEGERS + [b"", b"x", b"hello", b"12345678901234567890", b"\x00\xff"])],
    lambda s, k: [b"DUMP", k],
    lambda s, k: [b"RESTORE", k, s.of([b"0", b"0", b"-1", b"abc", b"50000000000"]), s.of(ODD_PAYLOADS if s.chance(0.2) else PAYLOADS)] +
        s.some([b"REPLACE", [b"IDLETIME", s.of([b"1000", b"-1", b"abc"])], [b"FREQ", s.of([b"1", b"255", b"256", b"-1"])]], 0.4),
    lambda s, k: [b"RESTORE", k, s.of(PAST_OR_FAR_SECONDS) + b"000", s.of(PAYLOADS), b"ABSTTL"] + s.some([b"REPLACE"], 0.8),
    lambda s, k: [b"GET", k],
    lambda s, k: [b"OBJECT", b"ENCODING", k],
    lambda s, k: [b"PTTL", k],
    lambda s, k: [b"DEL", k],
]
INTROSPECTION_COMMANDS = [
    lambda s, k: [b"COMMAND", b"INFO", s.of(KNOWN)],
    lambda s, k: [b"COMMAND", b"INFO", s.of([b"nosuch", b"", b"GeT", b"object|nosuch"])],
    lambda s, k: [b"COMMAND", b"GETKEYS"] + string_command(s),
    lambda s, k: [b"COMMAND", b"GETKEYS", s.of([b"DEL", b"EXISTS", b"TOUCH", b"MGET"])] + s.keys(),
    lambda s, k: [b"COMMAND", b"GETKEYS", s.of([b"PING", b"nosuch", b"COPY", b"RENAME", b"OBJECT"])] + s.some([k, k, k], 0.5),
    lambda s, k: [b"COMMAND", b"GETKEYSANDFLAGS"] + string_command(s),
    lambda s, k: [b"COMMAND", s.of([b"nonsense", b"LIST", b"GETKEYS", b"COUNT"]), b"nonsense"],
]

# Parameters whose value a test may change and that have one default on both sides.
PARAMETERS = {
    b"timeout": [b"0", b"100000", b"-1", b"abc", b""],
    b"tcp-keepalive": [b"0", b"300", b"-1", b"1.5"],
    b"maxmemory": [b"0", b"10gb", b"5000000000", b"10g", b"10xb", b"-1", b"9gB", b""],
    b"maxmemory-policy": [b"noeviction", b"allkeys-lru", b"volatile-ttl", b"VOLATILE-LFU", b"nonsense", b""],
    b"maxmemory-samples": [b"5", b"10", b"0", b"-5", b"abc"],
    b"lfu-log-factor": [b"10", b"0", b"-1", b"100"],
    b"lfu-decay-time": [b"1", b"0", b"-1"],
    b"hz": [b"10", b"0", b"1000", b"20", b"-1", b"abc"],
    b"active-expire-effort": [b"1", b"10", b"11", b"0"],
    b"lazyfree-lazy-user-del": [b"yes", b"no", b"YES", b"1", b""],
    b"lazyfree-lazy-expire": [b"yes", b"no", b"maybe"],
    b"slowlog-log-slower-than": [b"10000", b"-1", b"0", b"abc"],
    b"slowlog-max-len": [b"128", b"0", b"-1"],
    b"latency-monitor-threshold": [b"0", b"100000", b"-1"],
    b"notify-keyspace-events": [b"", b"KEA", b"Kg$", b"AKE", b"KEx", b"q"],
    b"client-output-buffer-limit": [b"normal 0 0 0", b"pubsub 32mb 8mb 60", b"slave 256mb 64mb 60", b"nonsense 0 0 0", b"normal 1", b"",
                                    b"normal 0 0 0 pubsub 33554432 8388608 60"],
    b"client-query-buffer-limit": [b"1gb", b"1mb", b"1", b"abc"],
    b"proto-max-bulk-len": [b"512mb", b"1mb", b"1", b"abc"],
    b"maxclients": [b"10000", b"9000", b"0", b"-1", b"abc"],
    b"loglevel": [b"notice", b"debug", b"WARNING", b"nonsense"],
    b"databases": [b"16", b"8"],
    b"daemonize": [b"yes", b"no"],
    b"port2": [b"1"],
}


def config_command(s):
    names = [s.of(list(PARAMETERS)) for _ in range(s.random.choice([1, 1, 1, 2, 3]))]
    if s.chance(0.4):
        return [b"CONFIG", b"GET"] + [s.of([name, name.upper(), name[:4] + b"*"]) if len(names) == 1 and s.chance(0.1) and
                                      name in (b"hz", b"timeout", b"maxclients") else name for name in names]
    if s.chance(0.05):
        return [b"CONFIG", s.of([b"nonsense", b"SET", b"GET"])]
    pairs = [part for name in names for part in (s.of([name, name, name.upper()]), s.of(PARAMETERS[name]))]
    return [b"CONFIG", b"SET"] + pairs + s.some([b"timeout"], 0.05)


TRANSACTION_COMMANDS = [
    lambda s, k: [b"MULTI"],
    lambda s, k: [b"EXEC"],
    lambda s, k: [b"EXEC"],
    lambda s, k: [b"DISCARD"],
    lambda s, k: [b"WATCH"] + s.keys(),
    lambda s, k: [b"UNWATCH"],
    lambda s, k: [b"SELECT", s.of([b"0", b"1"])],
    lambda s, k: [b"SET", k, s.value()],
    lambda s, k: [b"SET", k, s.value()],
    lambda s, k: [b"GET", k],
    lambda s, k: [b"INCR", k],
    lambda s, k: [b"APPEND", k, b"x"],
    lambda s, k: [b"DEL", k],
    lambda s, k: [b"MGET"] + s.keys(),
    lambda s, k: [b"RENAME", k, s.key()],
    lambda s, k: [b"EXPIREAT", k, s.of(PAST_OR_FAR_SECONDS)],
    lambda s, k: [b"EXISTS", k],
    lambda s, k: [b"SWAPDB", b"0", b"1"] if s.chance(0.2) else [b"GET", k],
    lambda s, k: [b"FLUSHDB"] if s.chance(0.1) else [b"GET", k],
    lambda s, k: [b"nosuch", k] if s.chance(0.3) else [b"GET", k],
    lambda s, k: [b"SET", k] if s.chance(0.3) else [b"GET", k],
]

CHANNELS = [b"a", b"b", b"news.1", b"news.2", b"", b"\x00\xff"]
PATTERNS = [b"*", b"news.*", b"a", b"?", b"[ab]", b"none*", b""]


def channels(s, source=None):
    return [s.of(source or CHANNELS) for _ in range(s.random.randint(1, 3))]


SUBSCRIBER_COMMANDS = [
    lambda s: [b"SUBSCRIBE"] + channels(s),
    lambda s: [b"UNSUBSCRIBE"] + (channels(s) if s.chance(0.8) else []),
    lambda s: [b"PSUBSCRIBE"] + channels(s, PATTERNS),
    lambda s: [b"PUNSUBSCRIBE"] + (channels(s, PATTERNS) if s.chance(0.8) else []),
    lambda s: [b"SSUBSCRIBE"] + channels(s),
    lambda s: [b"SUNSUBSCRIBE"] + (channels(s) if s.chance(0.8) else []),
    lambda s: [b"PING"] + s.some([b"x"], 0.5),
    lambda s: [b"GET", b"a"],
    lambda s: [b"PUBSUB", b"CHANNELS"],
    lambda s: [s.of([b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE", b"nosuch"])],
    lambda s: [b"RESET"] if s.chance(0.3) else [b"PING"],
]
PUBLISHER_COMMANDS = [
    lambda s: [b"PUBLISH", s.of(CHANNELS), s.value()],
    lambda s: [b"PUBLISH", s.of(CHANNELS), s.value()],
    lambda s: [b"SPUBLISH", s.of(CHANNELS), s.value()],
    lambda s: [b"PUBSUB", b"NUMSUB"] + channels(s),
    lambda s: [b"PUBSUB", b"NUMPAT"],
    lambda s: [b"PUBSUB", b"SHARDNUMSUB"] + channels(s),
    lambda s: [b"PUBSUB", b"CHANNELS", s.of(CHANNELS[:2])],
    lambda s: [b"PUBSUB", s.of([b"nonsense", b"NUMPAT"]), b"x"],
    lambda s: [b"PUBLISH", b"a"],
]

MEMBERS = [b"%d" % number for number in range(-5, 40)] + [b"m%d" % number for number in range(30)]


def members(s, most=5):
    if s.chance(0.03):
        most = s.of([130, 200, 600])  # past what an intset or a small set of another kind takes
        first = s.random.randint(0, 40)
        return [b"%d" % number for number in range(first, first + most)]
    return [s.value() if s.chance(0.1) else s.of(MEMBERS) for _ in range(s.random.randint(1, most))]


SET_COMMANDS = [
    lambda s, k: [b"SADD", k] + members(s),
    lambda s, k: [b"SADD", k] + members(s, 20),
    lambda s, k: [b"SADD", k, s.value()],
    lambda s, k: [b"SREM", k] + members(s, 12),
    lambda s, k: [b"SISMEMBER", k, s.of(MEMBERS)],
    lambda s, k: [b"SMISMEMBER", k] + members(s),
    lambda s, k: [b"SCARD", k],
    lambda s, k: [b"SMEMBERS", k],
    lambda s, k: [b"SMOVE", k, s.key(), s.of(MEMBERS)],
    lambda s, k: [b"SPOP", k, s.of([b"100000", b"100000", b"0", b"-1", b"abc", b""])],
    lambda s, k: [b"SPOP", s.of([b"nosuch", b"nosuch2"])] + s.some([b"1"], 0.5),
    lambda s, k: [b"SRANDMEMBER", k] + s.some([s.of([b"1", b"3", b"100000", b"0", b"-3", b"-20", b"abc", b"9223372036854775808"])], 0.8),
    lambda s, k: [s.of([b"SINTER", b"SUNION", b"SDIFF"])] + s.keys(),
    lambda s, k: [s.of([b"SUNION", b"SDIFF"])] + s.keys(9),
    lambda s, k: [s.of([b"SINTERSTORE", b"SUNIONSTORE", b"SDIFFSTORE"]), k] + s.keys(),
    lambda s, k: [b"SINTERCARD", b"%d" % s.random.randint(1, 3)] + s.keys(3) + s.some([[b"LIMIT", s.of([b"0", b"1", b"2", b"-1", b"abc"])]]),
    lambda s, k: [b"SINTERCARD", s.of(ODD_NUMBERS + [b"0", b"-1"])] + s.keys(3),
    lambda s, k: [b"SSCAN", k, b"0", b"COUNT", b"100000"] + s.some([[b"MATCH", s.of([b"m*", b"?", b"*1*", s.pattern()])]]),
    lambda s, k: [b"SSCAN", k, s.of([b"abc", b"-1", b"", b"18446744073709551616"])],
    lambda s, k: [b"SSCAN", k, b"0"] + s.some([b"MATCH", b"COUNT", b"TYPE", b"nonsense"], 0.4),
    lambda s, k: [b"OBJECT", b"ENCODING", k],
    lambda s, k: [b"TYPE", k],
    lambda s, k: [b"SET", k, s.value()] if s.chance(0.4) else [b"DEL", k],
    lambda s, k: [b"GET", k],
    lambda s, k: [b"COPY", k, s.key(), b"REPLACE"],
    lambda s, k: [b"RENAME", k, s.key()],
    lambda s, k: [b"PEXPIREAT", k, s.of(PAST_OR_FAR_SECONDS) + b"000"],
    lambda s, k: [b"PERSIST", k],
    lambda s, k: [b"EXISTS"] + s.keys(),
]


def sets(s, count):
    """SPOP is left as it is: with another count the two servers would pop different members."""
    for _ in range(count):
        command = s.of(SET_COMMANDS)(s, s.key())
        yield 0, tuple(command if command[0] == b"SPOP" else disturbed(s, command))


SCORES = [b"0", b"1", b"2", b"3", b"-1", b"-0", b"1.5", b"0.1", b"0.2", b"-2.5", b"1e3", b"1e17", b"-1e17", b"123456789012345678", b"inf",
          b"-inf", b"1e-320", b"3.0", b"0x10", b"4611686018427387904", b"9223372036854775807", b"1e300", b"0.30000000000000004"]
LEX_KEYS = [b"lex:1", b"lex:2"]  # all of their members have one score
LEX_BOUNDS = [b"-", b"+", b"[m1", b"(m1", b"[m2", b"(m25", b"[", b"(", b"[3", b"(9", b"[zz", b"(-1"]
ODD_BOUNDS = [b"", b"m1", b"+x", b"-x", b"abc", b"((1", b"nan", b"1x", b"[1"]


def score(s):
    return s.float() if s.chance(0.03) else s.of(SCORES) if s.chance(0.5) else b"%d" % s.random.randint(-9, 9)


def scored(s, most=5):
    if s.chance(0.03):
        first, count = s.random.randint(0, 40), s.of([120, 130, 300])
        return [part for number in range(first, first + count) for part in (b"%d" % (number % 37), b"%d" % number)]
    return [part for _ in range(s.random.randint(1, most)) for part in (score(s), s.value() if s.chance(0.05) else s.of(MEMBERS))]


def score_bounds(s):
    bound = lambda: s.of(ODD_BOUNDS) if s.chance(0.03) else (b"(" if s.chance(0.3) else b"") + score(s)
    return s.of([[b"-inf", b"+inf"], [bound(), bound()], [bound(), b"inf"], [b"-inf", bound()]])


def lex_bounds(s):
    return [s.of(ODD_BOUNDS) if s.chance(0.03) else s.of(LEX_BOUNDS) for _ in range(2)]


def limit(s):
    return [b"LIMIT", s.of([b"0", b"1", b"2", b"-1", b"100"]), s.of([b"0", b"1", b"3", b"-1", b"100", b"abc"])]


def inputs(s):
    keys = s.keys(3)
    weights = [b"WEIGHTS"] + [score(s) for _ in keys]
    return [b"%d" % len(keys)] + keys, s.some([weights, [b"AGGREGATE", s.of([b"SUM", b"MIN", b"MAX", b"sum", b"AVG"])]])


SORTED_SET_COMMANDS = [
    lambda s, k: [b"ZADD", k] + scored(s),
    lambda s, k: [b"ZADD", k] + scored(s, 20),
    lambda s, k: [b"ZADD", k] + s.some([b"NX", b"XX", b"GT", b"LT", b"CH"], 0.25) + scored(s),
    lambda s, k: [b"ZADD", k] + s.some([b"NX", b"XX", b"GT", b"LT", b"CH"], 0.15) + [b"INCR", score(s), s.of(MEMBERS)],
    lambda s, k: [b"ZADD", s.of(LEX_KEYS)] + [part for member in members(s, 12) for part in (b"0", member)],
    lambda s, k: [b"ZINCRBY", k, score(s), s.of(MEMBERS)],
    lambda s, k: [b"ZREM", k] + members(s, 12),
    lambda s, k: [b"ZREM", s.of(LEX_KEYS)] + members(s),
    lambda s, k: [s.of([b"ZSCORE", b"ZRANK", b"ZREVRANK"]), k, s.of(MEMBERS)],
    lambda s, k: [b"ZMSCORE", k] + members(s),
    lambda s, k: [b"ZCARD", k],
    lambda s, k: [b"ZCOUNT", k] + score_bounds(s),
    lambda s, k: [b"ZLEXCOUNT", s.of(LEX_KEYS)] + lex_bounds(s),
    lambda s, k: [b"ZRANGE", k, b"0", b"-1", b"WITHSCORES"],
    lambda s, k: [b"ZRANGE", k, s.offset(), s.offset()] + s.some([b"REV", b"WITHSCORES", limit(s)], 0.3),
    lambda s, k: [b"ZRANGE", k] + score_bounds(s) + [b"BYSCORE"] + s.some([b"REV", b"WITHSCORES", limit(s), b"BYLEX"], 0.3),
    lambda s, k: [b"ZRANGE", s.of(LEX_KEYS)] + lex_bounds(s) + [b"BYLEX"] + s.some([b"REV", limit(s), b"WITHSCORES"], 0.3),
    lambda s, k: [b"ZREVRANGE", k, s.offset(), s.offset()] + s.some([b"WITHSCORES", b"REV"], 0.3),
    lambda s, k: [s.of([b"ZRANGEBYSCORE", b"ZREVRANGEBYSCORE"]), k] + score_bounds(s) + s.some([b"WITHSCORES", limit(s)]),
    lambda s, k: [s.of([b"ZRANGEBYLEX", b"ZREVRANGEBYLEX"]), s.of(LEX_KEYS)] + lex_bounds(s) + s.some([limit(s)]),
    lambda s, k: [b"ZRANGESTORE", s.key(), k, s.offset(), s.offset()] + s.some([b"REV", limit(s), b"WITHSCORES"], 0.2),
    lambda s, k: [b"ZRANGESTORE", s.key(), k] + score_bounds(s) + [b"BYSCORE"] + s.some([b"REV", limit(s)]),
    lambda s, k: [b"ZREMRANGEBYRANK", k, s.offset(), s.offset()],
    lambda s, k: [b"ZREMRANGEBYSCORE", k] + score_bounds(s) if s.chance(0.4) else [b"ZCARD", k],
    lambda s, k: [b"ZREMRANGEBYLEX", s.of(LEX_KEYS)] + lex_bounds(s) if s.chance(0.4) else [b"ZCARD", k],
    lambda s, k: [s.of([b"ZPOPMIN", b"ZPOPMAX"]), k] + s.some([s.of([b"0", b"1", b"2", b"100", b"-1", b"abc"])], 0.6),
    lambda s, k: [b"ZMPOP", b"%d" % s.random.randint(1, 3)] + s.keys(3) + [s.of([b"MIN", b"MAX", b"min", b"MID"])] +
        s.some([[b"COUNT", s.of([b"1", b"2", b"50", b"0", b"abc"])]]),
    lambda s, k: (lambda keys, options: [s.of([b"ZUNION", b"ZINTER"])] + keys + options + s.some([b"WITHSCORES"], 0.7))(*inputs(s)),
    lambda s, k: (lambda keys, options: [s.of([b"ZUNIONSTORE", b"ZINTERSTORE"]), k] + keys + options)(*inputs(s)),
    lambda s, k: [b"ZDIFF"] + inputs(s)[0] + s.some([b"WITHSCORES"], 0.7),
    lambda s, k: [b"ZDIFFSTORE", k] + inputs(s)[0],
    lambda s, k: [b"ZINTERCARD"] + inputs(s)[0] + s.some([[b"LIMIT", s.of([b"0", b"1", b"2", b"-1", b"abc"])]]),
    lambda s, k: [b"ZRANDMEMBER", k] + s.some([s.of([b"1", b"3", b"100000", b"0", b"-3", b"-20", b"abc", b"9223372036854775808"])], 0.8),
    lambda s, k: [b"ZRANDMEMBER", k, b"100000", b"WITHSCORES"],
    lambda s, k: [b"ZSCAN", k, b"0", b"COUNT", b"100000"] + s.some([[b"MATCH", s.of([b"m*", b"?", b"*1*", s.pattern()])]]),
    lambda s, k: [b"ZSCAN", k, s.of([b"abc", b"-1", b"", b"18446744073709551616"])],
    lambda s, k: [b"ZSCAN", k, b"0"] + s.some([b"MATCH", b"COUNT", b"TYPE", b"nonsense"], 0.4),
    lambda s, k: [b"OBJECT", b"ENCODING", k],
    lambda s, k: [b"TYPE", k],
    lambda s, k: [b"SADD", k] + members(s),
    lambda s, k: [b"SET", k, s.value()] if s.chance(0.3) else [b"DEL", k],
    lambda s, k: [b"COPY", k, s.key(), b"REPLACE"],
    lambda s, k: [b"PEXPIREAT", k, s.of(PAST_OR_FAR_SECONDS) + b"000"],
    lambda s, k: [b"PERSIST", k],
    lambda s, k: [s.of([b"BZPOPMIN", b"BZPOPMAX"])] + s.keys(3) + [s.of([b"0.01", b"0.01", b"-1", b"abc"])],
    lambda s, k: [b"BZMPOP", s.of([b"0.01", b"0.01", b"-1", b"abc"]), b"2", k, s.key(), s.of([b"MIN", b"MAX", b"MID"])] +
        s.some([[b"COUNT", s.of([b"1", b"2", b"0"])]]),
]


def sorted_sets(s, count):
    """A mistake in the timeout of a command that waits could make it wait for ever; one in a score of LEX_KEYS would make
    ranges by name what nobody defines."""
    for _ in range(count):
        command = s.of(SORTED_SET_COMMANDS)(s, s.key())
        as_it_is = command[0].startswith(b"BZ") or (command[0] == b"ZADD" and command[1] in LEX_KEYS)
        yield 0, tuple(command if as_it_is else disturbed(s, command))


# Commands whose number means a time from now: a small one would expire between the two servers.
RELATIVE_TIMES = {b"EXPIRE": 2, b"PEXPIRE": 2, b"SETEX": 2, b"PSETEX": 2, b"RESTORE": 2}
FAR_AWAY = b"100000000"


FAR_MOMENT = b"5000000000000"  # a far time both in seconds and in milliseconds


def keep_far(command, past):
    """`command` with every small positive relative time in it moved far away; and, unless `past`, every
    moment that SET is given: a key that is born expired counts in DBSIZE until somebody notices."""
    def far(number, bound=10_000_000, instead=FAR_AWAY):
        try:
            return instead if 0 < int(number) < bound else number
        except ValueError:
            return number
    name = command[0].upper()
    if name in RELATIVE_TIMES and len(command) > RELATIVE_TIMES[name]:
        place = RELATIVE_TIMES[name]
        command[place] = far(command[place])
    elif name in (b"SET", b"GETEX"):
        for place in range(1, len(command)):
            if command[place - 1].upper() in (b"EX", b"PX"):
                command[place] = far(command[place])
            if name == b"SET" and not past and command[place - 1].upper() in (b"EXAT", b"PXAT"):
                command[place] = far(command[place], 4_000_000_000_000, FAR_MOMENT)
    return command


def disturbed(s, command, past=False):
    """`command`, now and then with a mistake in it: an argument too few, too many, or another one."""
    roll = s.random.random()
    if command[0] == b"CLIENT":
        return command  # a number in the wrong place would pause or kill in earnest
    if roll < 0.03 and len(command) > 1:
        command = command[:-1]
    elif roll < 0.05:
        command = command + [s.of(WORDS + ODD_NUMBERS)]
    elif roll < 0.07 and len(command) > 1:
        place = s.random.randrange(1, len(command))
        command = command[:place] + [s.of(WORDS + ODD_NUMBERS + INTEGERS)] + command[place + 1:]
    elif roll < 0.12:
        command = [s.of([command[0].lower(), command[0].capitalize()])] + command[1:]
    return keep_far(list(command), past)


def from_rows(rows, past=False):
    def steps(s, count):
        for _ in range(count):
            yield 0, tuple(disturbed(s, s.of(rows)(s, s.key()), past))
    return steps


def payloads(s, count):
    for _ in range(count):
        yield 0, tuple(keep_far(s.of(PAYLOAD_COMMANDS)(s, s.key()), True))


def introspection(s, count):
    for _ in range(count):
        yield 0, tuple(s.of(INTROSPECTION_COMMANDS)(s, s.key()))


def config(s, count):
    for _ in range(count):
        yield 0, tuple(config_command(s))


def transactions(s, count):
    """Two connections in turn, so that one changes what the other watches or has queued on."""
    connection = 0
    for _ in range(count):
        if s.chance(0.2):
            connection = 1 - connection
        yield connection, tuple(disturbed(s, s.of(TRANSACTION_COMMANDS)(s, s.of(KEYS[:4]))))


def pubsub(s, count):
    for _ in range(count):
        if s.chance(0.5):
            yield 0, tuple(s.of(SUBSCRIBER_COMMANDS)(s))
        else:
            yield 1, tuple(s.of(PUBLISHER_COMMANDS)(s))


# name -> (generator, commands a run)
FAMILIES = {
    "string": (from_rows(STRING_COMMANDS, past=True), 4000),
    "generic": (from_rows(GENERIC_COMMANDS), 3000),
    "expiry": (from_rows(EXPIRY_COMMANDS, past=True), 3000),
    "databases": (from_rows(DATABASE_COMMANDS), 2000),
    "scan": (from_rows(SCAN_COMMANDS), 1000),
    "connection": (from_rows(CONNECTION_COMMANDS), 1500),
    "introspection": (introspection, 500),
    "payloads": (payloads, 2000),
    "config": (config, 1000),
    "transactions": (transactions, 3000),
    "pubsub": (pubsub, 1000),
    "sets": (sets, 4000),
    "sorted-sets": (sorted_sets, 4000),
}
SEVERAL_REPLIES = {"pubsub"}  # a command may have no reply of its own, or many
