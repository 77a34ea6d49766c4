"""The generators: each family yields commands from a seeded random source, on few keys so that they meet.

A step is (connection, command): two connections, so that transactions and messages have somebody else.
Times are far away or long past, so that nothing expires between the two servers' answers.
"""
from scripts import scripts

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

FIELDS = [b"f", b"g", b"h", b"1", b"-7", b"field:1", b"field:2", b"", b"\x00\xff", b"n" * 64, b"n" * 65, b"12345678901234567890"]


def pairs(s):
    """Fields and values, now and then so many that the hash becomes large."""
    if s.chance(0.02):
        start = s.random.randint(0, 400)
        return [part for i in range(start, start + 200) for part in (b"%d" % i, s.of([b"x", b"%d" % i]))]
    return [part for _ in range(s.random.randint(1, 4)) for part in (s.of(FIELDS), s.value())]


HASH_COMMANDS = [
    lambda s, k: [b"HSET", k] + pairs(s),
    lambda s, k: [b"HSET", k] + pairs(s),
    lambda s, k: [b"HMSET", k] + pairs(s),
    lambda s, k: [b"HSETNX", k, s.of(FIELDS), s.value()],
    lambda s, k: [b"HGET", k, s.of(FIELDS)],
    lambda s, k: [b"HMGET", k] + [s.of(FIELDS) for _ in range(s.random.randint(1, 4))],
    lambda s, k: [s.of([b"HGETALL", b"HKEYS", b"HVALS", b"HLEN"]), k],
    lambda s, k: [s.of([b"HEXISTS", b"HSTRLEN"]), k, s.of(FIELDS)],
    lambda s, k: [b"HDEL", k] + [s.of(FIELDS) for _ in range(s.random.randint(1, 4))],
    lambda s, k: [b"HDEL", k] + FIELDS,
    lambda s, k: [b"HINCRBY", k, s.of(FIELDS), s.integer()],
    lambda s, k: [b"HINCRBYFLOAT", k, s.of(FIELDS), s.float()],
    lambda s, k: [b"HRANDFIELD", k] + s.some([s.of([b"0", b"1", b"100000", b"-1", b"-3", b"abc", b"9223372036854775807"])], 0.8) +
        s.some([b"WITHVALUES", s.of(WORDS)], 0.3),
    lambda s, k: [b"HSCAN", k, b"0", b"COUNT", b"100000"] + s.some([[b"MATCH", s.of([b"*", b"f*", b"[fg]", b"?"])]], 0.5),
    lambda s, k: [b"HSCAN", k, s.of([b"abc", b"-1", b"0"])] + s.some([b"COUNT", b"MATCH", b"nonsense", [b"COUNT", b"0"]], 0.2),
    lambda s, k: [b"OBJECT", b"ENCODING", k],
    lambda s, k: [b"TYPE", k],
    lambda s, k: [b"COPY", k, s.key()] + s.some([b"REPLACE"], 0.5),
    lambda s, k: [b"RENAME", k, s.key()],
    lambda s, k: [b"DEL", k] if s.chance(0.2) else [b"HLEN", k],
    lambda s, k: [b"SET", k, s.value()] if s.chance(0.1) else [b"HLEN", k],
    lambda s, k: [b"HGETALL", k],
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
         b"restore-asking", b"lpush", b"rpushx", b"lpop", b"llen", b"lindex", b"lset", b"lrange", b"linsert", b"lrem", b"ltrim", b"lpos",
         b"lmove", b"rpoplpush", b"lmpop", b"hset", b"hmset", b"hsetnx", b"hget", b"hmget", b"hgetall", b"hkeys", b"hvals", b"hlen", b"hexists",
         b"hstrlen", b"hdel", b"hincrby", b"hincrbyfloat", b"hrandfield", b"hscan"]

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
ELEMENTS = [b"x", b"y", b"z", b"", b"1", b"-1", b"12345", b"007", b"9223372036854775807", b"a" * 63, b"a" * 64, b"b" * 500, b"c" * 4096,
            b"d" * 9000, b"\x00\r\n"]
SIDES = [b"LEFT", b"RIGHT", b"left", b"Right"]


def side(s):
    return s.of([b"nonsense", b""]) if s.chance(0.03) else s.of(SIDES)


def elements(s, most=6):
    if s.chance(0.05):
        return [s.of(ELEMENTS[:9])] * s.random.randint(100, 1500)
    return [s.of(ELEMENTS) if s.chance(0.8) else s.value() for _ in range(s.random.randint(1, most))]


def take_count(s):
    return s.some([[b"COUNT", s.of([b"1", b"2", b"100", b"0", b"-1", b"abc"])]], 0.4)


# Where a command could wait, it finds something or is in a mistake: a key is pushed to before, in a transaction.
LIST_COMMANDS = [
    lambda s, k: [s.of([b"LPUSH", b"RPUSH"]), k] + elements(s),
    lambda s, k: [s.of([b"LPUSH", b"RPUSH"]), k] + elements(s),
    lambda s, k: [s.of([b"LPUSHX", b"RPUSHX"]), k] + elements(s),
    lambda s, k: [s.of([b"LPOP", b"RPOP"]), k],
    lambda s, k: [s.of([b"LPOP", b"RPOP"]), k, s.of([b"0", b"1", b"2", b"10", b"500", b"-1", b"abc", b"9223372036854775807"])],
    lambda s, k: [b"LLEN", k],
    lambda s, k: [b"LINDEX", k, s.of([s.offset(), s.integer()])],
    lambda s, k: [b"LSET", k, s.offset(), s.of(ELEMENTS)],
    lambda s, k: [b"LRANGE", k, s.offset(), s.offset()],
    lambda s, k: [b"LRANGE", k, b"0", b"-1"],
    lambda s, k: [b"LINSERT", k, s.of([b"BEFORE", b"AFTER", b"after", b"nonsense"]), s.of(ELEMENTS), s.of(ELEMENTS)],
    lambda s, k: [b"LREM", k, s.of([b"0", b"1", b"-1", b"2", b"-3", b"-9223372036854775808", b"abc"]), s.of(ELEMENTS)],
    lambda s, k: [b"LTRIM", k, s.offset(), s.offset()] if s.chance(0.4) else [b"LTRIM", k, b"0", b"-2"],
    lambda s, k: [b"LPOS", k, s.of(ELEMENTS)] + s.some([[b"RANK", s.of([b"1", b"-1", b"2", b"-2", b"0", b"abc"])],
                                                        [b"COUNT", s.of([b"0", b"1", b"2", b"-1", b"abc"])],
                                                        [b"MAXLEN", s.of([b"0", b"1", b"10", b"1000", b"-1", b"abc"])], s.of(WORDS)], 0.3),
    lambda s, k: [b"LMOVE", k, s.key(), side(s), side(s)],
    lambda s, k: [b"RPOPLPUSH", k, s.key()],
    lambda s, k: [b"LMPOP", s.of([b"1", b"2", b"2", b"0", b"-1", b"abc", b"9"]), k, s.key(), side(s)] + take_count(s),
    lambda s, k: [b"LMPOP", b"1", k, side(s)] + take_count(s) + s.some([b"nonsense"], 0.1),
    lambda s, k: [s.of([b"BLPOP", b"BRPOP"]), k, s.key(), s.of([b"-1", b"abc", b""])],
    lambda s, k: [b"BLMPOP", s.of([b"-1", b"abc"]), b"1", k, side(s)],
    lambda s, k: [b"BLMOVE", k, s.key(), side(s), side(s), s.of([b"-1", b"abc"])],
    lambda s, k: [b"OBJECT", b"ENCODING", k],
    lambda s, k: [b"TYPE", k],
    lambda s, k: [s.of([b"COPY", b"RENAME"]), k, s.key()],
    lambda s, k: [b"DEL", k] if s.chance(0.3) else [b"SET", k, s.value()] if s.chance(0.3) else [b"EXISTS", k],
]


def lists(s, count):
    """Commands that may wait run in transactions, where they do not."""
    blocking = [
        lambda k: [s.of([b"BLPOP", b"BRPOP"]), k, s.key(), b"0"],
        lambda k: [b"BLMPOP", b"0", b"2", k, s.key(), side(s)] + take_count(s),
        lambda k: [b"BLMOVE", k, s.key(), side(s), side(s), b"0"],
        lambda k: [b"BRPOPLPUSH", k, s.key(), b"0"],
    ]
    for _ in range(count):
        if s.chance(0.1):
            for command in ([b"MULTI"], s.of(blocking)(s.key()), [b"EXEC"]):
                yield 0, tuple(command)
        else:
            command = s.of(LIST_COMMANDS)(s, s.of(KEYS[:5]))
            yield 0, tuple(command if command[0].startswith(b"B") else disturbed(s, command))  # a mistake less, and it would wait


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

BITS = [b"0", b"1", b"3", b"7", b"8", b"9", b"15", b"31", b"63", b"64", b"65", b"100", b"1000", b"32767", b"32768", b"140000"]
ODD_BITS = [b"4294967296", b"4294967295999", b"-1", b"#1", b"#", b"", b"abc", b"9223372036854775807"]
BITMAPS = [b"", b"\x00", b"\xff", b"\xff" * 9, b"\x00" * 9, b"foobar", b"\x00" * 40 + b"\x01", b"\xff" * 40 + b"\xfe", b"12345",
           b"\xaa\x55" * 50, b"\xff" * 5000, b"\x0f" * 4097, bytes(range(256)) * 2]
FIELD_TYPES = [b"u8", b"i8", b"u1", b"i1", b"u63", b"i64", b"i5", b"u4", b"u16", b"i32", b"u17", b"i57"]
ODD_FIELD_TYPES = [b"u64", b"i65", b"u0", b"x8", b"8", b"", b"i", b"u08", b"I8"]


def bit_offset(s, counts_fields=False):
    if s.chance(0.02):
        return s.of(ODD_BITS)
    return (b"#%d" % s.random.randint(0, 20)) if counts_fields and s.chance(0.3) else s.of(BITS[:12] if s.chance(0.8) else BITS)


def bit_range(s):
    """What may follow the key of BITCOUNT."""
    return [s.offset(), s.offset()] + s.some([s.of([b"BYTE", b"BIT", b"bit", b"NIBBLE"])], 0.6)


def field_operation(s):
    kind = s.of(FIELD_TYPES) if s.chance(0.98) else s.of(ODD_FIELD_TYPES)
    place = [kind, bit_offset(s, True)]
    word = s.of([b"GET", b"SET", b"INCRBY", b"incrby", b"OVERFLOW"])
    if word == b"GET":
        return [word] + place
    if word == b"OVERFLOW":
        return [word, s.of([b"WRAP", b"SAT", b"FAIL"]) if s.chance(0.97) else b"wrapped"]
    return [word] + place + [s.integer() if s.chance(0.5) else b"%d" % s.random.randint(-20, 20)]


def field_operations(s):
    return [part for _ in range(s.random.randint(0, 5)) for part in field_operation(s)]


BITMAP_COMMANDS = [
    lambda s, k: [b"SET", k, s.of(BITMAPS)],
    lambda s, k: [b"SET", k, s.value()],
    lambda s, k: [b"SETBIT", k, bit_offset(s), s.of([b"0", b"1"]) if s.chance(0.97) else b"2"],
    lambda s, k: [b"SETBIT", k, bit_offset(s), s.of([b"0", b"1"])],
    lambda s, k: [b"GETBIT", k, bit_offset(s)],
    lambda s, k: [b"BITCOUNT", k],
    lambda s, k: [b"BITCOUNT", k] + bit_range(s),
    lambda s, k: [b"BITPOS", k, s.of([b"0", b"1"]) if s.chance(0.97) else s.offset()],
    lambda s, k: [b"BITPOS", k, s.of([b"0", b"1"])] + bit_range(s)[:s.random.randint(1, 3)],
    lambda s, k: [b"BITOP", s.of([b"AND", b"OR", b"XOR", b"and", b"NOT"]), k] + s.keys(),
    lambda s, k: [b"BITOP", b"NOT", k, s.key()],
    lambda s, k: [b"BITFIELD", k] + field_operations(s),
    lambda s, k: [b"BITFIELD", k] + field_operations(s),
    lambda s, k: [b"BITFIELD_RO", k] + [part for _ in range(s.random.randint(0, 3)) for part in (b"GET", s.of(FIELD_TYPES), bit_offset(s, True))],
    lambda s, k: [b"GET", k],
    lambda s, k: [b"OBJECT", b"ENCODING", k],
    lambda s, k: [b"EXPIREAT", k, b"9999999999"],
    lambda s, k: [b"TTL", k],
    lambda s, k: [b"DEL", k],
]


def counted_elements(s):
    """What PFADD is given: mostly little, now and then so much that the form becomes dense."""
    count = s.of([0, 1, 1, 2, 3, 10, 300 if s.chance(0.4) else 5])
    bound = s.of([10, 1000, 1000000])
    return [b"%d" % s.random.randrange(bound) if s.chance(0.7) else b"element:%d" % s.random.randrange(bound) for _ in range(count)]


HYPERLOGLOG_COMMANDS = [
    lambda s, k: [b"PFADD", k] + counted_elements(s),
    lambda s, k: [b"PFADD", k] + counted_elements(s),
    lambda s, k: [b"PFADD", k] + counted_elements(s),
    lambda s, k: [b"PFCOUNT", k],
    lambda s, k: [b"PFCOUNT", k],
    lambda s, k: [b"PFCOUNT"] + s.keys(),
    lambda s, k: [b"PFMERGE", k] + (s.keys() if s.chance(0.9) else []),
    lambda s, k: [b"PFDEBUG", s.of([b"ENCODING", b"DECODE", b"decode", b"nosuch"]), k],
    lambda s, k: [b"PFDEBUG", s.of([b"TODENSE", b"GETREG"]), k] if s.chance(0.05) else [b"PFDEBUG", b"DECODE", k],
    lambda s, k: [b"GET", k],
    lambda s, k: [b"OBJECT", b"ENCODING", k],
    lambda s, k: [b"SET", k, s.value()] if s.chance(0.1) else [b"GET", k],
    lambda s, k: [b"SETRANGE", k, b"%d" % s.random.randrange(8), s.of([b"\x00", b"\x01", b"\x02", b"H"])] if s.chance(0.1) else [b"PFCOUNT", k],
    lambda s, k: [b"APPEND", k, b"\x00"] if s.chance(0.1) else [b"STRLEN", k],
    lambda s, k: [b"DEL", k],
    lambda s, k: [b"DEL"] + s.keys() if s.chance(0.3) else [b"PFADD", k] + counted_elements(s),
]


GEO_MEMBERS = [b"Palermo", b"Catania", b"m1", b"m2", b"m3", b"m4", b"m5", b"m6", b"m7", b"m8", b"m9", b"42", b"", b"x" * 70]
DEGREES = [b"0", b"13.361389", b"15.087269", b"-74.0059731", b"180", b"-180", b"85.05112878", b"-85.05112878", b"1e1"]
ODD_DEGREES = [b"180.1", b"-85.06", b"90", b"abc", b"nan", b"inf", b""]
UNITS = [b"m", b"km", b"KM", b"ft", b"mi"]


def place(s):
    if s.chance(0.03):
        return [s.of(DEGREES + ODD_DEGREES), s.of(DEGREES + ODD_DEGREES)]
    spread = s.of([180, 20, 1])
    return [b"%.6f" % s.random.uniform(-spread, spread), b"%.6f" % s.random.uniform(-min(spread, 85), min(spread, 85))]


def unit(s):
    return s.of(UNITS) if s.chance(0.98) else s.of([b"parsec", b"", b"M"])


def length(s):
    return s.of([b"0", b"1", b"10.5", b"100", b"500", b"2000", b"10000", b"30000"]) if s.chance(0.97) else s.of(ODD_FLOATS + [b"-1"])


def geo_options(s, stores=False):
    """Without COUNT ANY there is an order, because the order of what is found may not be compared where distances are equal."""
    options = [[b"COUNT", s.of([b"1", b"2", b"5", b"0", b"-1", b"x"])] + s.some([b"ANY"]), s.of([b"ASC", b"DESC"])]
    return s.some(options + ([] if stores else [b"WITHDIST", b"WITHCOORD", b"WITHHASH"]), 0.35)


def area(s):
    origin = [b"FROMMEMBER", s.of(GEO_MEMBERS)] if s.chance(0.5) else [b"FROMLONLAT"] + place(s)
    shape = [b"BYRADIUS", length(s), unit(s)] if s.chance(0.5) else [b"BYBOX", length(s), length(s), unit(s)]
    parts = [part for part in (origin, shape) if s.chance(0.98)]
    s.random.shuffle(parts)
    return [word for part in parts for word in part]


GEO_COMMANDS = [
    lambda s, k: [b"GEOADD", k] + s.some([b"NX", b"XX", b"CH"], 0.15) + [word for _ in range(s.random.randint(1, 6)) for word in place(s) + [s.of(GEO_MEMBERS)]],
    lambda s, k: [b"GEOADD", k] + [word for _ in range(s.random.randint(1, 6)) for word in place(s) + [s.of(GEO_MEMBERS)]],
    lambda s, k: [b"GEODIST", k, s.of(GEO_MEMBERS), s.of(GEO_MEMBERS)] + s.some([unit(s)], 0.5),
    lambda s, k: [b"GEOHASH", k] + [s.of(GEO_MEMBERS) for _ in range(s.random.randint(0, 3))],
    lambda s, k: [b"GEOPOS", k] + [s.of(GEO_MEMBERS) for _ in range(s.random.randint(0, 3))],
    lambda s, k: [b"GEOSEARCH", k] + area(s) + geo_options(s),
    lambda s, k: [b"GEOSEARCH", k] + area(s) + geo_options(s),
    lambda s, k: [b"GEOSEARCHSTORE", k, s.key()] + area(s) + geo_options(s, True) + s.some([b"STOREDIST", b"WITHDIST"], 0.2),
    lambda s, k: [b"GEORADIUS", k] + place(s) + [length(s), unit(s)] + geo_options(s),
    lambda s, k: [b"GEORADIUS", k] + place(s) + [length(s), unit(s)] + geo_options(s, True) + [s.of([b"STORE", b"STOREDIST"]), s.key()],
    lambda s, k: [b"GEORADIUS_RO", k] + place(s) + [length(s), unit(s)] + geo_options(s) + s.some([[b"STORE", b"a"]], 0.05),
    lambda s, k: [b"GEORADIUSBYMEMBER", k, s.of(GEO_MEMBERS), length(s), unit(s)] + geo_options(s) + s.some([[b"STORE", s.key()]], 0.1),
    lambda s, k: [b"GEORADIUSBYMEMBER_RO", k, s.of(GEO_MEMBERS), length(s), unit(s)] + geo_options(s),
    lambda s, k: [b"ZADD", k, s.float(), s.of(GEO_MEMBERS)] if s.chance(0.2) else [b"ZCARD", k],
    lambda s, k: [b"ZRANGE", k, b"0", b"-1", b"WITHSCORES"],
    lambda s, k: [b"SET", k, b"text"] if s.chance(0.1) else [b"TYPE", k],
    lambda s, k: [b"DEL", k] if s.chance(0.3) else [b"OBJECT", b"ENCODING", k],
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


# No number that overflows: the oracle refuses all that comes after one.
SORTED = [b"list", b"list2", b"set", b"zset"]
WEIGHTS = [b"3", b"-1", b"10", b"2.5", b" 7", b"0x10", b"1e2", b"", b"-inf"]


def sort_options(s, key):
    """What both sides must answer in one order: sets have none of their own, and equal texts keep that of a list only if all are sorted."""
    by = [b"BY", s.of([b"w_*", b"h_*->w", b"*", b"h_*->none"])]
    if s.chance(0.2) and key != b"set":
        by = [b"BY", b"nosort"]
    alpha = [b"ALPHA"] if by[1] == b"nosort" or not s.chance(0.7) else []
    limit = [b"LIMIT", s.of(OFFSETS), s.of(OFFSETS)]
    get = [part for _ in range(s.random.randint(1, 3)) for part in (b"GET", s.of([b"#", b"w_*", b"h_*->w", b"h_*", b"none", b"w_*->w"]))]
    if alpha and by[1] != b"nosort":
        return s.some([alpha, get, s.of([b"ASC", b"DESC"])], 0.5) + (by if key.startswith(b"list") else [])
    return s.some([by, limit, get, alpha, s.of([b"ASC", b"DESC"])], 0.5)


# No number is out of range here: Redis 7.0 takes the error of one conversion for that of a later one.
SORT_COMMANDS = [
    lambda s, k: [b"RPUSH", s.of(SORTED[:2])] + [b"%d" % s.random.randint(0, 30) for _ in range(s.random.randint(1, 9))],
    lambda s, k: [b"SADD", b"set"] + [b"%d" % s.random.randint(0, 30) for _ in range(s.random.randint(1, 9))],
    # The long member makes it large from the start: the oracle's SORT leaves a small one large.
    lambda s, k: [b"ZADD", b"zset", b"0", b"0" * 65] + [part for _ in range(s.random.randint(1, 9)) for part in (b"%d" % s.random.randint(0, 9),
                                                                                             b"%d" % s.random.randint(0, 30))],
    lambda s, k: [b"SET", b"w_%d" % s.random.randint(0, 30), s.of(WEIGHTS) if s.chance(0.98) else b"abc"],
    lambda s, k: [b"HSET", b"h_%d" % s.random.randint(0, 30), b"w", s.of(WEIGHTS)],
    lambda s, k: [b"RPUSH", b"list", s.of(WEIGHTS + [b"nan", b"abc"])] if s.chance(0.3) else [b"DEL", s.of(SORTED)],
    lambda s, k: [b"DEL", b"w_%d" % s.random.randint(0, 30)],
    lambda s, k: [b"LRANGE", s.of([b"list", b"stored"]), b"0", b"-1"],
    lambda s, k: [b"SORT", b"w_1"] + s.some([b"LIMIT", b"nonsense", b"BY", b"1", b"STORE"], 0.2),
    *[lambda s, k: (lambda key: [b"SORT", key] + sort_options(s, key) + s.some([[b"STORE", s.of([b"stored", key])]], 0.2))(s.of(SORTED[:2]))] * 4,
    *[lambda s, k: (lambda key: [s.of([b"SORT", b"SORT_RO"]), key] + sort_options(s, key))(s.of(SORTED))] * 6,
]


def sort(s, count):
    """Without zero bytes, at which the oracle's comparison ends."""
    for connection, command in from_rows(SORT_COMMANDS)(s, count):
        yield connection, tuple(word.replace(b"\x00", b"0") for word in command)


def sets(s, count):
    """SPOP is left as it is: with another count the two servers would pop different members."""
    for _ in range(count):
        command = s.of(SET_COMMANDS)(s, s.key())
        yield 0, tuple(command if command[0] == b"SPOP" else disturbed(s, command))


# Without -0: a listpack loses its sign, and which results have been one for a while differs by the version.
SCORES = [b"0", b"1", b"2", b"3", b"-1", b"1.5", b"0.1", b"0.2", b"-2.5", b"1e3", b"1e17", b"-1e17", b"123456789012345678", b"inf",
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


STREAM_KEYS = [b"s", b"t", b"{tag}s", b"\x00\xff\r\n"]
STREAM_GROUPS = [b"g", b"h", b"", b"with space"]
STREAM_CONSUMERS = [b"alice", b"bob", b"carol", b""]
STREAM_IDS = [b"%d-%d" % (ms, seq) for ms in (1, 2, 3, 5, 8) for seq in (0, 1, 2, 3, 7)] + [b"1", b"3", b"5", b"0-1", b"0", b"0-0"]
ODD_STREAM_IDS = [b"abc", b"", b"-", b"+", b"$", b">", b"1-", b"-1", b"1-1-1", b"1--1", b"1--01", b"+1-1", b" 1-1", b"01-1", b"1-1\x00", b"1-*",
                  b"18446744073709551615-18446744073709551615", b"18446744073709551615", b"18446744073709551616-0", b"1-18446744073709551615",
                  b"(1-1", b"((1", b"(", b"*", b"1" * 130]
STREAM_COUNTS = [b"0", b"1", b"2", b"3", b"10", b"-1", b"abc", b"9223372036854775807"]
# An entry is younger than the one and older than the other, whatever the two servers' clocks say.
IDLE_TIMES = [b"0", b"0", b"0", b"100000000", b"-1"]


def stream_id(s):
    return s.of(ODD_STREAM_IDS) if s.chance(0.06) else s.of(STREAM_IDS)


def stream_bound(s):
    return s.of([b"-", b"+", b"(" + stream_id(s), stream_id(s)])


def stream_ids(s):
    return [stream_id(s) for _ in range(s.random.choice([1, 1, 2, 3, 6]))]


def stream_trim(s):
    kind = s.of([[b"MAXLEN"], [b"MINID"]])
    threshold = s.of(STREAM_COUNTS) if kind == [b"MAXLEN"] else stream_id(s)
    return kind + s.some([s.of([b"~", b"="])], 0.6) + [threshold] + s.some([[b"LIMIT", s.of(STREAM_COUNTS)]], 0.2)


def stream_fields(s):
    if s.chance(0.5):
        return [b"name", s.value(), b"age", s.of(INTEGERS)]
    return [part for _ in range(s.random.choice([1, 1, 2, 3])) for part in (s.of([b"a", b"b", b"", b"17"]), s.value())]


STREAM_COMMANDS = [
    lambda s, k: [b"XADD", k] + s.some([b"NOMKSTREAM"], 0.1) + (stream_trim(s) if s.chance(0.2) else []) +
        [stream_id(s) if s.chance(0.3) else b"%d-*" % s.random.choice([1, 2, 5, 8, 9])] + stream_fields(s),
    lambda s, k: [b"XADD", k, b"%d-*" % s.random.choice([5, 8, 9])] + stream_fields(s),
    lambda s, k: [b"XADD", k, b"9-*"] + stream_fields(s),
    lambda s, k: [b"XLEN", k],
    lambda s, k: [s.of([b"XRANGE", b"XREVRANGE"]), k, stream_bound(s), stream_bound(s)] + s.some([[b"COUNT", s.of(STREAM_COUNTS)]], 0.4),
    lambda s, k: [b"XRANGE", k, b"-", b"+"],
    lambda s, k: [b"XDEL", k] + stream_ids(s),
    lambda s, k: [b"XTRIM", k] + stream_trim(s),
    lambda s, k: [b"XREAD"] + s.some([[b"COUNT", s.of(STREAM_COUNTS)], b"NOACK", [b"GROUP", b"g", b"c"]], 0.15) + [b"STREAMS", k, s.of(STREAM_KEYS)] +
        [b"0" if id == b"+" else id for id in (s.of([b"$", stream_id(s), stream_id(s)]), stream_id(s))],  # "+" is of 7.4
    # Greater than what was deleted: that it must be, only 7.2 says.
    lambda s, k: [b"XSETID", k, s.of([b"9-1000", b"9-2000", b"abc", b"$", b"-"])] + s.some([[b"ENTRIESADDED", s.of(STREAM_COUNTS)], [b"MAXDELETEDID", stream_id(s)]], 0.2),
    lambda s, k: [b"XGROUP", b"CREATE", k, s.of(STREAM_GROUPS), s.of([b"$", b"0", stream_id(s)])] +
        s.some([b"MKSTREAM", [b"ENTRIESREAD", s.of(STREAM_COUNTS)], s.of(WORDS)], 0.2),
    lambda s, k: [b"XGROUP", b"SETID", k, s.of(STREAM_GROUPS), s.of([b"$", b"0", stream_id(s)])] + s.some([[b"ENTRIESREAD", s.of(STREAM_COUNTS)]], 0.2),
    lambda s, k: [b"XGROUP", b"CREATECONSUMER", k, s.of(STREAM_GROUPS), s.of(STREAM_CONSUMERS)],
    lambda s, k: [b"XGROUP", b"DELCONSUMER", k, s.of(STREAM_GROUPS), s.of(STREAM_CONSUMERS)] if s.chance(0.3) else [b"XLEN", k],
    lambda s, k: [b"XGROUP", b"DESTROY", k, s.of(STREAM_GROUPS)] if s.chance(0.2) else [b"XLEN", k],
    lambda s, k: [b"XGROUP", s.of([b"nonsense", b"CREATE", b"SETID"])] + s.some([k], 0.5),
    lambda s, k: [b"XACK", k, s.of(STREAM_GROUPS)] + stream_ids(s),
    lambda s, k: [b"XPENDING", k, s.of(STREAM_GROUPS)],
    lambda s, k: [b"XPENDING", k, s.of(STREAM_GROUPS)] + s.some([[b"IDLE", s.of(IDLE_TIMES)]], 0.3) +
        [stream_bound(s), stream_bound(s), s.of(STREAM_COUNTS)] + s.some([s.of(STREAM_CONSUMERS)], 0.3),
    lambda s, k: [b"XINFO", b"STREAM", k] + s.some([[b"FULL"] + s.some([[b"COUNT", s.of(STREAM_COUNTS)]], 0.5)], 0.5),
    lambda s, k: [b"XINFO", b"GROUPS", k],
    lambda s, k: [b"XINFO", b"CONSUMERS", k, s.of(STREAM_GROUPS)],
    lambda s, k: [b"COPY", k, s.of(STREAM_KEYS), b"REPLACE"] if s.chance(0.3) else [b"TYPE", k],
    lambda s, k: [b"SET", k, b"no stream"] if s.chance(0.1) else [b"OBJECT", b"ENCODING", k],
    lambda s, k: [b"DEL", k] if s.chance(0.3) else [b"EXISTS", k],
]
# They name a consumer. Whether a consumer comes into being when it gets nothing differs between 7.0 and 7.2: so it is made before.
STREAM_CONSUMER_COMMANDS = [
    lambda s, k, g, c: [b"XREADGROUP", b"GROUP", g, c] + s.some([[b"COUNT", s.of(STREAM_COUNTS)], b"NOACK"], 0.3) + [b"STREAMS", k, b">"],
    lambda s, k, g, c: [b"XREADGROUP", b"GROUP", g, c, b"COUNT", s.of([b"1", b"2"]), b"STREAMS", k, b">"],
    lambda s, k, g, c: [b"XREADGROUP", b"GROUP", g, c] + s.some([[b"COUNT", s.of(STREAM_COUNTS)]], 0.3) + [b"STREAMS", k, stream_id(s).replace(b"+", b"0")],  # "+" is of 7.4
    lambda s, k, g, c: [b"XCLAIM", k, g, c, s.of(IDLE_TIMES)] + stream_ids(s) +
        s.some([[b"IDLE", s.of([b"0", b"5000", b"abc"])], [b"TIME", s.of([b"1000", b"-1", b"99999999999999"])],
                [b"RETRYCOUNT", s.of(STREAM_COUNTS)], b"FORCE", b"JUSTID", [b"LASTID", stream_id(s)], s.of(WORDS)], 0.15),
    lambda s, k, g, c: [b"XAUTOCLAIM", k, g, c, s.of(IDLE_TIMES), stream_bound(s)] + s.some([[b"COUNT", s.of(STREAM_COUNTS)], b"JUSTID"], 0.3),
]


def streams(s, count):
    """Blocks of three entries, so that there are many of them."""
    yield 0, (b"CONFIG", b"SET", b"stream-node-max-entries", s.of([b"3", b"5", b"100"]))
    for _ in range(count):
        key = s.of(STREAM_KEYS)
        if s.chance(0.35):
            group, consumer = s.of(STREAM_GROUPS), s.of(STREAM_CONSUMERS)
            yield 0, (b"XGROUP", b"CREATECONSUMER", key, group, consumer)
            yield 0, tuple(s.of(STREAM_CONSUMER_COMMANDS)(s, key, group, consumer))
        else:
            command = s.of(STREAM_COMMANDS)(s, key)
            command = command if command[0] == b"XSETID" else disturbed(s, command)
            if command[0].upper() == b"XADD":  # the two servers' clocks would give different ids
                command = [b"9-*" if word == b"*" else word for word in command]
            yield 0, tuple(command)
    for key in STREAM_KEYS:
        yield 0, (b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0")
    yield 0, (b"CONFIG", b"SET", b"stream-node-max-entries", b"100")


# Users "u" and "v" are changed, looked at and deleted by connection 0; connection 1 is "w", which is changed only.
ACL_COMMANDS = [b"get", b"set", b"GET", b"mget", b"lpush", b"config", b"config|get", b"config|set", b"client", b"client|id", b"client|help", b"acl|whoami", b"object",
                b"object|encoding", b"ping", b"publish", b"select", b"sort", b"debug", b"nosuch", b"config|nosuch", b"get|x", b"select|0", b"SELECT|1", b"debug|object",
                b"config|get|x", b"nosuch|x", b"select|", b"multi", b"exec", b"acl", b"xgroup|create", b"xgroup", b"flushall", b""]
ACL_CATEGORIES = [b"keyspace", b"read", b"write", b"set", b"sortedset", b"list", b"hash", b"string", b"bitmap", b"hyperloglog", b"geo", b"stream", b"pubsub", b"admin",
                  b"fast", b"slow", b"blocking", b"dangerous", b"connection", b"transaction", b"all", b"ALL", b"Read", b"nosuch", b""]
ACL_PATTERNS = [b"a", b"a*", b"key:*", b"key:1", b"?", b"[ab]", b"*", b"", b"{tag}*", b"long-prefix-of-keys:*", b"b d", b"*x"]
ACL_SECRETS = [b"p", b"q", b"", b"a longer one"]
ACL_HASHES = [b"148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940", b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", b"12", b"A" * 64]


def selector_rule(s):
    kind = s.random.randint(0, 9)
    if kind < 3:
        return s.of([b"+", b"-"]) + s.of(ACL_COMMANDS)
    if kind < 5:
        return s.of([b"+@", b"-@"]) + s.of(ACL_CATEGORIES)
    if kind < 7:
        # "%RW~*" is another form of "~*" here, after which there can be no pattern.
        pattern = s.of(ACL_PATTERNS)
        return s.of([b"~", b"%R~", b"%W~", b"%rw~", b"%X~", b"%~"] if pattern != b"*" else [b"~", b"%R~"]) + pattern
    if kind == 7:
        return b"&" + s.of(ACL_PATTERNS)
    return s.of([b"allkeys", b"resetkeys", b"allchannels", b"resetchannels", b"allcommands", b"nocommands", b"RESETKEYS", b"nosuch", b"%", b"~", b"&", b"+", b"-"])


def user_rule(s):
    kind = s.random.randint(0, 11)
    if kind < 7:
        return selector_rule(s)
    if kind == 7:
        return b"(" + b" ".join(selector_rule(s) for _ in range(s.random.randint(0, 3))) + s.of([b")", b")", b")", b" )", b""])
    if kind == 8:
        return s.of([b">", b"<"]) + s.of(ACL_SECRETS)
    if kind == 9:
        return s.of([b"#", b"!"]) + s.of(ACL_HASHES)
    return s.of([b"on", b"off", b"nopass", b"resetpass", b"reset", b"clearselectors", b"sanitize-payload", b"skip-sanitize-payload", b"ON", b"", b"(", b")", b"()"])


def user_rules(s, most):
    """Of rules that open a parenthesis and do not close it, the oracle forgets all but the last; here that is refused."""
    rules, opens = [], False
    for _ in range(s.random.randint(0, most)):
        rule = user_rule(s)
        opening = rule.startswith(b"(") and not (rule.endswith(b")") and len(rule) > 1)
        if not (opening and opens):
            rules.append(rule)
        opens = opens or opening
    return rules


def acl_request(s):
    """Something to be permitted or not: of keys and channels. (WAIT is of another category in 7.2.)"""
    key = s.of([b"a", b"ab", b"b", b"key:1", b"key:12", b"{tag}x", b"long-prefix-of-keys:7", b"long-prefix", b"", b"zx"])
    other = s.of([b"a", b"b", b"key:2", b"ax"])
    return s.of([
        [b"GET", key], [b"SET", key, b"v"], [b"SET", key, b"v", b"GET"], [b"set", key, b"v", b"EX", b"get"], [b"MGET", key, other], [b"MSET", key, b"1", other, b"2"],
        [b"DEL", key, other], [b"EXISTS", key], [b"TYPE", key], [b"STRLEN", key], [b"LPUSH", b"l" + key, b"x"], [b"GETEX", key], [b"GETDEL", key], [b"APPEND", key, b"x"],
        [b"COPY", key, other], [b"RENAME", key, other], [b"SORT", b"l" + key], [b"SORT", b"l" + key, b"STORE", other], [b"SORT", b"l" + key, b"BY", b"w*"],
        [b"SORT_RO", b"l" + key, b"GET", b"#"], [b"BITFIELD", key, b"GET", b"u4", b"0"], [b"BITFIELD", key, b"SET", b"u4", b"0", b"1"], [b"ZUNIONSTORE", key, b"1", other],
        [b"ZUNIONSTORE", key, b"5", other], [b"SINTERCARD", b"2", key, other], [b"GEORADIUS", key, b"0", b"0", b"1", b"m", b"STORE", other],
        [b"GEOSEARCHSTORE", key, other, b"FROMLONLAT", b"0", b"0", b"BYBOX", b"1", b"1", b"m"], [b"XADD", b"x" + key, b"1-1", b"f", b"v"],
        [b"XREAD", b"STREAMS", key, other, b"0", b"0"], [b"XGROUP", b"CREATE", b"x" + key, b"g", b"0"], [b"OBJECT", b"ENCODING", key],
        [b"PUBLISH", key, b"m"], [b"SPUBLISH", key, b"m"], [b"PFCOUNT", key, other], [b"PFMERGE", key, other], [b"TOUCH", key], [b"UNLINK", key], [b"EXPIRE", key, b"100000"],
        [b"PING"], [b"SELECT", b"0"], [b"SELECT", b"1"], [b"CLIENT", b"GETNAME"], [b"CONFIG", b"GET", b"hz"], [b"FLUSHALL"],
        [b"ACL", b"WHOAMI"], [b"NOSUCH"], [b"CONFIG", b"NOSUCH"], [b"GET"], [b"DBSIZE"], [b"ECHO", b"x"], [b"AUTH", b"w", b"x"],
    ])


def acl_dry_request(s):
    """The same, and what the two sides would not answer alike."""
    key = s.of([b"a", b"b", b"key:1", b""])
    return acl_request(s) if s.chance(0.8) else s.of([
        [b"ACL", b"LIST"], [b"CLIENT", b"ID"], [b"CLIENT", b"HELP"], [b"CONFIG", b"HELP"], [b"OBJECT", b"HELP"], [b"COMMAND"], [b"DEBUG", b"OBJECT", key], [b"DEBUG", b"x"],
        [b"MIGRATE", b"127.0.0.1", b"1", key, b"0", b"1"], [b"MIGRATE", b"h", b"1", b"", b"0", b"1", b"KEYS", key, b"a"], [b"SUBSCRIBE", key, b"a"], [b"PSUBSCRIBE", key],
        [b"SSUBSCRIBE", b"a", key], [b"UNSUBSCRIBE", key], [b"BLPOP", key, b"a", b"0"], [b"XREADGROUP", b"GROUP", b"g", b"c", b"STREAMS", key, b">"], [b"MONITOR"],
        [b"SHUTDOWN"], [b"SWAPDB", b"0", b"1"], [b"HELLO"], [b"QUIT"], [b"RESET"], [b"GEORADIUS_RO", key, b"0", b"0", b"1", b"m"], [b"SINTERSTORE", key, b"a", b"b"],
        [b"BITOP", b"AND", key, b"a", b"b"], [b"LMPOP", b"1", key, b"LEFT"], [b"ZMPOP", b"2", key, b"a", b"MIN"], [b"LMOVE", key, b"a", b"LEFT", b"LEFT"],
    ])


def acl(s, count):
    yield 0, (b"CONFIG", b"SET", b"acl-pubsub-default", s.of([b"resetchannels", b"allchannels"]))
    yield 0, (b"ACL", b"LOG", b"RESET")
    for name in (b"u", b"v"):
        yield 0, (b"ACL", b"SETUSER", name)
    yield 0, (b"ACL", b"DELUSER", b"u", b"v")
    yield 0, (b"ACL", b"SETUSER", b"w", b"reset", b"on", b"nopass")
    yield 1, (b"AUTH", b"w", b"x")
    for _ in range(count):
        chance, user = s.random.random(), s.of([b"u", b"v"])
        if chance < 0.3:
            yield 0, (b"ACL", b"SETUSER", user, *user_rules(s, 4))
        elif chance < 0.4:
            rules = [rule for rule in user_rules(s, 3) if rule.lower() not in (b"off", b"reset", b"resetpass") and rule[:1] not in b"<>#!"]
            yield 0, (b"ACL", b"SETUSER", b"w") + tuple(rules)
        elif chance < 0.5:
            yield 0, (b"ACL", b"GETUSER", s.of([user, b"w", b"default", b"nobody"]))
        elif chance < 0.55:
            yield 0, (b"ACL", s.of([b"LIST", b"USERS"]))
        elif chance < 0.57:
            yield 0, (b"ACL", b"DELUSER", s.of([user, b"nobody", b"default"]), s.of([user, b"nobody"]))
        elif chance < 0.59:
            yield 0, s.of([(b"ACL", b"CAT"), (b"ACL", b"CAT", b"transaction"), (b"ACL", b"CAT", b"nosuch"), (b"ACL", b"LOG", b"RESET"), (b"ACL", b"LOG", b"x"),
                           (b"ACL", b"GENPASS", s.of([b"1", b"5", b"256", b"4096", b"0", b"4097", b"x"])), (b"ACL", b"nosuch"), (b"ACL", b"SAVE"), (b"ACL", b"LOAD")])
        elif chance < 0.62:
            yield 0, (b"ACL", b"LOG", s.of([b"1", b"3", b"10", b"-1"]))
        elif chance < 0.8:
            yield 0, (b"ACL", b"DRYRUN", s.of([user, b"w", user, b"nobody"])) + tuple(acl_dry_request(s))
        elif chance < 0.82:
            yield 1, s.of([(b"MULTI",), (b"EXEC",), (b"DISCARD",)])
        else:
            yield 1, tuple(acl_request(s))
    yield 1, (b"RESET",)
    yield 0, (b"ACL", b"LIST")
    yield 0, (b"ACL", b"DELUSER", b"u", b"v")
    yield 0, (b"CONFIG", b"SET", b"acl-pubsub-default", b"resetchannels")


# name -> (generator, commands a run)
FAMILIES = {
    "acl": (acl, 3000),
    "bitmap": (from_rows(BITMAP_COMMANDS), 4000),
    "string": (from_rows(STRING_COMMANDS, past=True), 4000),
    "generic": (from_rows(GENERIC_COMMANDS), 3000),
    "hash": (from_rows(HASH_COMMANDS), 4000),
    "expiry": (from_rows(EXPIRY_COMMANDS, past=True), 3000),
    "lists": (lists, 3000),
    "databases": (from_rows(DATABASE_COMMANDS), 2000),
    "geo": (from_rows(GEO_COMMANDS), 3000),
    "hyperloglog": (from_rows(HYPERLOGLOG_COMMANDS), 2500),
    "scan": (from_rows(SCAN_COMMANDS), 1000),
    "streams": (streams, 3000),
    "connection": (from_rows(CONNECTION_COMMANDS), 1500),
    "introspection": (introspection, 500),
    "payloads": (payloads, 2000),
    "config": (config, 1000),
    "transactions": (transactions, 3000),
    "pubsub": (pubsub, 1000),
    "sets": (sets, 4000),
    "sorted-sets": (sorted_sets, 4000),
    "sort": (sort, 3000),
    "scripts": (scripts(lambda s, key: keep_far(s.of(STRING_COMMANDS + HASH_COMMANDS + GENERIC_COMMANDS)(s, key), False)), 4000),
}
SEVERAL_REPLIES = {"pubsub"}  # a command may have no reply of its own, or many
