"""When two replies count as the same.

Byte for byte, but for the few commands whose reply holds a time, a random choice or an unordered list:
for those the rule is by command, below. DIFFERENT lists what one side may answer on its own, with reasons.
"""
import re

from resp import parse

# Replies that tell a time: how far they may lie apart, in their own unit.
TOLERANCE = {b"TTL": 60, b"PTTL": 60_000, b"EXPIRETIME": 60, b"PEXPIRETIME": 60_000}

# (command, what the oracle answers, what Vedette answers, why): compared as prefixes of the reply.
# Vedette follows Redis 7.2 where the oracle, 7.0, differs.
DIFFERENT = [
    (b"BITCOUNT", b":0", b"-ERR ", "7.2 reads the range before it looks for the key"),
    (b"BITCOUNT", b"-WRONGTYPE", b"-ERR ", "the same"),
    (b"BITPOS", b":", b"-ERR ", "the same"),
    (b"BITPOS", b"-WRONGTYPE", b"-ERR ", "the same"),
    (b"COMMAND", b"-ERR wrong number of arguments for 'command|getkeys", b"-ERR ",
     "7.2 takes a command without arguments (arity -3), 7.0 wants one at least (-4)"),
    (b"CONFIG", b"-ERR CONFIG SET failed (possibly related to argument 'loglevel') - argument(s) must be one of the following: debug",
     b"-ERR CONFIG SET failed (possibly related to argument 'loglevel') - argument(s) must be one of the following: debug",
     "7.2 knows the further level 'nothing'"),
    (b"OBJECT", b"$9\r\nquicklist", b"$8\r\nlistpack", "7.2 keeps small lists as listpacks, and says so"),
    (b"ZRANK", b"-ERR wrong number of arguments for 'zrank'", b"-ERR syntax error", "7.2 takes a further argument, WITHSCORE"),
    (b"ZREVRANK", b"-ERR wrong number of arguments for 'zrevrank'", b"-ERR syntax error", "7.2 takes a further argument, WITHSCORE"),
    (b"OBJECT", b"$9\r\nhashtable", b"$8\r\nlistpack", "7.2 has a small form for sets that are not all integers"),
    (b"OBJECT", b"$9\r\nhashtable", b"$6\r\nintset", "SDIFFSTORE: the smallest form that the result has, whatever was in the making"),
    (b"OBJECT", b"$8\r\nskiplist", b"$8\r\nlistpack", "SORT of a sorted set leaves it as it is"),
    *((name, b"-ERR timeout is negative", b"-ERR timeout is " + said, "7.2 tells what is too large from what is negative")
      for said in (b"out of range", b"not a float or out of range") for name in (b"BLPOP", b"BRPOP", b"BLMOVE", b"BLMPOP", b"BRPOPLPUSH", b"BZPOPMIN", b"BZPOPMAX", b"BZMPOP")),
    (b"XREAD", b"-ERR Unbalanced XREAD list of streams:", b"-ERR Unbalanced 'xread' list of streams:", "7.2 names the command as it is"),
    (b"XREADGROUP", b"-ERR Unbalanced XREAD list of streams:", b"-ERR Unbalanced 'xreadgroup' list of streams:", "7.2 names the command as it is"),
]


def _shape(value):
    """`value` with every list of plain words in it sorted: flags and categories are sets."""
    kind, content = value
    if kind == "*" and content:
        items = [_shape(item) for item in content]
        if all(item[0] == "+" for item in items):
            items.sort()
        return (kind, items)
    return value


def _within(mine, theirs, tolerance):
    if mine[0] != ":" or theirs[0] != ":":
        return mine == theirs
    return mine == theirs or (mine[1] >= 0 and theirs[1] >= 0 and abs(mine[1] - theirs[1]) <= tolerance)


def same(command, mine, theirs):
    """Whether the replies (bytes) of Vedette and of the oracle to `command` count as the same."""
    if mine == theirs:
        return True
    name = command[0].upper() if command else b""
    for other, from_oracle, from_us, _ in DIFFERENT:
        if other == name and theirs.startswith(from_oracle) and mine.startswith(from_us):
            return True
    if name not in RULES:
        return False
    return RULES[name](command, parse(mine), parse(theirs))


def in_order(replies):
    """The replies of a subscriber with what has no order sorted: the patterns that match one message, the
    names that one UNSUBSCRIBE without arguments leaves, the names of a list."""
    ordered, group = [], None
    for kind, content in map(parse, replies):
        words = [item[1] for item in content] if kind == "*" and content else []
        word = words[0] if words else None
        if word == b"pmessage":
            mark, entries = (word, words[2], words[3]), [words[1]]
        elif word in (b"unsubscribe", b"punsubscribe", b"sunsubscribe"):
            mark, entries = (word,), [("name", words[1] or b""), ("left", words[2])]
        elif words and word not in (b"message", b"smessage", b"pong") and all(item[0] == "$" for item in content):
            mark, entries = None, sorted(words)
        else:
            mark, entries = None, [(kind, content)]
        if mark is None or mark != group:
            ordered.append([mark])
        ordered[-1].extend(entries)
        group = mark
    return [entry if entry[0] is None else [entry[0]] + sorted(entry[1:]) for entry in ordered]


def _time(command, mine, theirs):
    return _within(mine, theirs, TOLERANCE[command[0].upper()])


def _set(_, mine, theirs):
    if mine[0] != "*" or theirs[0] != "*":
        return mine == theirs
    return sorted(mine[1]) == sorted(theirs[1])


def _scan(command, mine, theirs):
    """Only a scan that begins at 0 and that both finish in one call can be compared: then as a set.
    What a cursor means is each server's own affair; whole scans in steps are compared in the contents."""
    if mine[0] != "*" or theirs[0] != "*":
        return mine == theirs
    whole = command[1] == b"0" and (mine[1][0], theirs[1][0]) == (("$", b"0"), ("$", b"0"))
    return not whole or _set(command, mine[1][1], theirs[1][1])


def _set_scan(command, mine, theirs):
    return _scan(command[1:], mine, theirs)


def _random_members(command, mine, theirs):
    """A large count gives all members; else only how many there are can be compared."""
    if mine[0] != "*" or theirs[0] != "*":
        return _random_choice(command, mine, theirs)
    return _set(command, mine, theirs) if command[2] == b"100000" else len(mine[1]) == len(theirs[1])


def _pairs(_, mine, theirs):
    """Pairs in no order, flat or as a map of RESP3."""
    if mine[0] != theirs[0] or mine[0] not in ("*", "%"):
        return mine == theirs
    return sorted(zip(mine[1][::2], mine[1][1::2])) == sorted(zip(theirs[1][::2], theirs[1][1::2]))


def _hash_scan(command, mine, theirs):
    """As SCAN, of pairs; where a large hash is not scanned whole, only the kind of reply counts."""
    if mine[0] != "*" or theirs[0] != "*":
        return mine == theirs
    whole = (mine[1][0], theirs[1][0]) == (("$", b"0"), ("$", b"0"))
    return not whole or command[2] != b"0" or _pairs(command, mine[1][1], theirs[1][1])


def _random_fields(command, mine, theirs):
    """As many as the other side has; all of them if all are wanted."""
    if mine[0] != "*" or theirs[0] != "*":
        return _random_choice(command, mine, theirs)
    if len(mine[1]) != len(theirs[1]):
        return False
    return command[2] != b"100000" or (_pairs if len(command) > 3 else _set)(command, mine, theirs)


def _config(command, mine, theirs):
    """CONFIG GET answers pairs in no order."""
    if mine[0] != "*" or theirs[0] != "*" or command[1].upper() != b"GET":
        return mine == theirs
    pairs = [sorted(zip(reply[1][::2], reply[1][1::2])) for reply in (mine, theirs)]
    return pairs[0] == pairs[1]


LATEST_TIME_MS = 1_000_000_000_000


def _times(mine, theirs, idle=False):
    """Equal but for times: moments, and where `idle`, how long something is ago."""
    if mine[0] != theirs[0]:
        return False
    if mine[0] == ":":
        bound = 0 if idle else LATEST_TIME_MS
        return _within(mine, theirs, 60_000) if min(mine[1], theirs[1]) >= bound else mine == theirs
    if mine[0] not in "*%" or not mine[1] or not theirs[1]:
        return mine == theirs
    return len(mine[1]) == len(theirs[1]) and all(_times(*pair, idle) for pair in zip(mine[1], theirs[1]))


def _pending(_, mine, theirs):
    """XPENDING's third number of four is how long an entry is idle."""
    if mine[0] != "*" or theirs[0] != "*" or len(mine[1]) != len(theirs[1]):
        return False
    for one, other in zip(mine[1], theirs[1]):
        four = one[0] == other[0] == "*" and one[1] and other[1] and len(one[1]) == len(other[1]) == 4 and one[1][2][0] == ":"
        if four:
            if one[1][:2] + one[1][3:] != other[1][:2] + other[1][3:] or not _times(one[1][2], other[1][2], True):
                return False
        elif one != other:
            return False
    return True


def _without_fields(value, names):
    """A reply's maps less some pairs."""
    kind, content = value
    if kind not in "*%" or not content:
        return value
    kept, at = [], 0
    while at < len(content):
        if content[at][0] == "$" and content[at][1] in names and at + 1 < len(content):
            at += 2
            continue
        kept.append(_without_fields(content[at], names))
        at += 1
    return (kind, kept)


def _xinfo(_, mine, theirs):
    """7.2 tells when a consumer was last active; how many nodes a tree has is each server's own; idle is a time ago."""
    own = {b"active-time", b"inactive", b"idle", b"radix-tree-nodes"}
    return _times(_without_fields(mine, own), _without_fields(theirs, own))


def _random_choice(_, mine, theirs):
    return mine[0] == theirs[0] and (mine[1] is None) == (theirs[1] is None)


def _object(command, mine, theirs):
    if len(command) > 1 and command[1].upper() == b"IDLETIME":
        return _within(mine, theirs, 60)
    if len(command) > 1 and command[1].upper() == b"REFCOUNT":
        # Small integers count as shared for ever; the oracle forgets it for a copy.
        return mine == theirs or {mine, theirs} == {(":", 1), (":", 2147483647)}
    return mine == theirs


def _without_tips(value):
    """COMMAND INFO's elements less their eighth field: 7.2 gives SCAN a further tip."""
    kind, content = value
    if kind == "*" and content and len(content) == 10 and content[0][0] == "$" and content[1][0] == ":":
        return (kind, content[:7] + content[8:9] + [_without_tips(content[9])])
    return (kind, [_without_tips(item) for item in content]) if kind == "*" and content else value


def _command(_, mine, theirs):
    return _without_tips(_shape(mine)) == _without_tips(_shape(theirs))


def _text(value):
    return value[1].decode("latin1") if value[0] == "$" and value[1] is not None else None


def _without_later_rules(text):
    """7.2 keeps the rules about commands as they were said, where 7.0 makes the shortest ones anew; and it tells of a flag that 7.0 only
    tells where it was said. Which commands that are, DRYRUN tells."""
    text = re.sub(r"[+-]@all( [+-][^ )]*)*", "COMMANDS", text)
    return re.sub(r" sanitize-payload", "", text)


def _acl_tree(value):
    kind, content = value
    if kind == "$":
        text = _text(value)
        return value if text is None else (kind, _without_later_rules(text))
    return (kind, [_acl_tree(item) for item in content if _text(item) != "sanitize-payload"]) if kind == "*" and content else value


def _acl(command, mine, theirs):
    what = command[1].upper() if len(command) > 1 else b""
    if what == b"CAT":
        return _set(command, mine, theirs) or len(command) > 2 and mine[0] == theirs[0] == "*" and set(theirs[1]) <= set(mine[1])
    if what == b"GENPASS":
        return mine[0] == theirs[0] and (mine[0] != "$" or len(mine[1]) == len(theirs[1]))
    if what == b"LOG":
        own = {b"age-seconds", b"client-info", b"entry-id", b"timestamp-created", b"timestamp-last-updated"}
        return _without_fields(mine, own) == _without_fields(theirs, own)
    return _acl_tree(mine) == _acl_tree(theirs) if what in (b"GETUSER", b"LIST") else mine == theirs


def _hello(_, mine, theirs):
    """Each side has its own version and its own count of clients."""
    if mine[0] != theirs[0] or mine[0] not in "*%":
        return mine == theirs
    own = {b"version", b"id"}
    pairs = [[pair for pair in zip(reply[1][::2], reply[1][1::2]) if pair[0][1] not in own] for reply in (mine, theirs)]
    return pairs[0] == pairs[1]


def _unordered(value):
    kind, content = value
    return (kind, sorted(map(_unordered, content), key=repr)) if isinstance(content, list) else value


def _script(command, mine, theirs):
    """What a script returns of a call is compared as the call would be. A map and a set of RESP3 become tables, which have no order."""
    script, called = command[1:2], list(command[3:])
    if not script or b"redis.call(unpack(ARGV))" not in script[0].replace(b"pcall", b"call") or not called:
        return False
    if b"setresp(3)" in script[0] and _unordered(mine) == _unordered(theirs):
        return True
    name = called[0].upper()
    return any(other == name and said.startswith(from_oracle) and own.startswith(from_us) for other, from_oracle, from_us, _ in DIFFERENT
               for own, said in [(_plain(mine), _plain(theirs))]) or name in RULES and RULES[name](called, mine, theirs)


def _plain(value):
    """The first line of a reply, as it came."""
    kind, content = value
    if kind == "$" and content is not None:
        return b"$%d\r\n%b" % (len(content), content)
    return kind.encode() + (b"%d" % content if isinstance(content, int) else content if isinstance(content, bytes) else b"")


RULES = {
    b"EVAL": _script,
    b"EVAL_RO": _script,
    **{name: _time for name in TOLERANCE},
    b"KEYS": _set,
    b"SCAN": _scan,
    b"RANDOMKEY": _random_choice,
    b"HKEYS": _set,
    b"HVALS": _set,
    b"HGETALL": _pairs,
    b"HSCAN": _hash_scan,
    b"HRANDFIELD": _random_fields,
    b"OBJECT": _object,
    b"COMMAND": _command,
    b"ACL": _acl,
    b"CONFIG": _config,
    b"HELLO": _hello,
    **{name: _set for name in (b"SMEMBERS", b"SINTER", b"SUNION", b"SDIFF", b"SPOP")},
    b"SSCAN": _set_scan,
    b"SRANDMEMBER": _random_members,
    b"ZRANDMEMBER": _random_members,
    b"ZSCAN": _set_scan,
    b"XINFO": _xinfo,
    b"XPENDING": _pending,
}
