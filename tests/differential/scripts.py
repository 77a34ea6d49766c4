"""The generator of scripts: what they return, what their calls give them, and what the libraries make of values.

Tables have one key besides those from 1 on, since the order of several is the interpreter's own, and so is where a table with holes
ends. Numbers that are none are nan here and -nan there, of a number with a 5 behind its 14 digits the last one may differ, and string.format
takes NULs as any byte here. Tables without a text are not
raised as errors, and nothing is nested without end: Redis does not survive the one and tells its own depth of the other.
"""
NUMBERS = ["0", "1", "-1", "7", "10", "127", "128", "255", "256", "65535", "65536", "-32", "-33", "-128", "-129", "2147483647", "2147483648",
           "-2147483649", "4294967295", "4294967296", "9007199254740992", "-9007199254740993", "0.5", "-0.5", "0.1", "3.14159", "1e15", "1e16", "1e17",
           "1e100", "-1e-7", "123456789.125", "2^63", "-2^63", "2^53", "1e300", "16777217", "0.333333333333333"]
STRINGS = ["''", "'x'", "'abc'", "'hello world'", "'a\\0b'", "'\\r\\n'", "'10'", "'1e2'", "'0x10'", "' 5 '", "'\\255\\254'", "('ab'):rep(30)", "'%d'",
           "'\\/\\-'", "'\\x41\\.\\q'", "'key'", "'\"quoted\" \\\\ /'", "'\\127\\1'"]
NAMES = ["a", "ok", "err", "x1", "key", "double", "map", "set"]
FIELDS = ["ok", "err", "double", "map", "set", "big_number", "verbatim_string"]
JSON = ["{}", "[]", "[1,2,3]", '{"a":1}', '{"a":{"b":[true,false,null]}}', '"x"', '"\\u00e9\\ud83d\\ude00"', "1e5", "-0.5", "[1,", '{"a"', '{"a":', "tru",
        '"abc', '"\\x"', '"\\ud800"', "[1 2]", '{"a" 1}', "{1:2}", "01", "+1", "nan", "-inf", "0x10", "[[[[1]]]]", " [ 1 , 2 ] ", "1 2", "", "]", "[1,]", "{\"a\":1,}",
        '"\\u12"', "null", "\t\n1", "1.", ".5", "-", "1e", '"\t"']
PATTERNS = ["", ".", "a", "b+", "a*", "a-b", "(a)(b)", "^a", "c$", "^$", "[a-c]+", "[^a]", "%a+", "%d", "%s*", "%w-", "()", "(a*(b))", "%b()", "%f[%w]%w+",
            "[%]]", "[]]", "[a-]", "%", "[", "[a", "(", ")", "(()", "%1", "(a)%1", "%bx", "%f", "%z", "%%", ".-b", "x?y?", "[%a_][%w_]*", "(%w+) (%w+)", "%g", "%u%l"]
SUBJECTS = ["''", "'abc'", "'aaab'", "'hello world'", "'f(a(b)c)d'", "'THE (quick) fox'", "'a\\0b'", "'key = value'", "'abab'", "'100%'", "'x]y'"]
FORMATS = ["%d", "%5d", "%-5d|", "%05d", "%+d", "%i", "%u", "%x", "%X", "%o", "%s", "%10s", "%-10s|", "%.2s", "%f", "%.3f", "%10.2f", "%e", "%g", "%G", "%.14g",
           "%%", "%y", "%", "%s %s", "%d%d", "%q"]
STRUCTS = ["b", "B", "h", "H", "l", "L", "i", "I", "i1", "I2", "i3", "I4", "i8", "f", "d", "s", "c3", "c0", "x", ">", "<", "=", "!", "!4", " ", "T", "I5", "i32", "i33",
           "!3", "z", ""]
COMPILES = ["x x", "return", "return return", "if x then", "for", "x = = 1", "return }", "local t = {1, 2", "return 'abc", "return 1LL", "return 0b1", "local function a() end end",
            "return 1 return 2", "return '\\/\\-\\%'", "return ('a.b'):gsub('\\.', 'x')", "return {'\\x41', '\\z  a', \"\\u{48}\"}",
            "local s = '\\.' x x", "return 'a\\\nb'", "(", "goto = 1", "return 3..2", "#!lua\nx x", "#!lua flags=x\nreturn 1", "#!lua", "#!js\n", "#!lua flags=no-writes\nreturn 1", "return 5 // 2"]
FAILURES = ["error('x')", "error('x', 0)", "error('x', 2)", "error({err='MY x'})", "error({err='x\\ny'})", "error()", "error(12)", "error(true)", "return nope", "nope = 1",
            "_G.nope = 1", "string.nope = 1", "local t; t.x = 1", "local t = {}; t.a.b = 1", "return 'a' + 1", "return {} .. 'x'", "return #nil", "return {} < {}",
            "return 1 < 'x'", "local x; x()", "('x'):bad()", "for i = 1, 'x' do end", "local t = {} t[nil] = 1", "assert(false)", "assert(nil, 'm')", "string.rep()",
            "return tonumber({}, {})", "return math.floor('a')", "local x = math.floor() return x", "local x = math.ceil() return x", "local x = math.sqrt() return x",
            "return cjson.encode_max_depth('x')", "return cjson.encode_number_precision(99)", "return loadstring(\"error('stack overflow', 0)\", '')()",
            "return loadstring(\"error('x')\")()", "return table.concat({1, {}})", "return table.concat()", "return table.maxn()", "return string.lower()", "return string.upper({})",
            "return string.reverse()", "local x = xpcall(1)", "return {xpcall(function(...) return select('#', ...) end, function(e) return e end, 1, 2)}",
            "return redis.acl_check_cmd('config', 'nosuch')", "return redis.acl_check_cmd('config')", "return redis.acl_check_cmd('get')", "return setmetatable(1, {})", "return string.char(256)", "table.insert({}, 1, 2, 3)", "redis.call()",
            "redis.call({})", "redis.call('set', true)", "redis.call('nosuch')", "redis.call('get')", "redis.call('multi')", "redis.call('object', 'nosuch')",
            "redis.pcall('nosuch')", "return redis.pcall('nosuch')", "return redis.pcall()", "return redis.error_reply()", "return redis.status_reply({})",
            "return redis.sha1hex()", "return redis.setresp(4)", "return redis.set_repl(9)", "return redis.log(1)", "return redis.log('a', 'b')", "return redis.log(9, 'b')",
            "return redis.error_reply('x')", "return redis.error_reply('-x y')", "return redis.error_reply('')", "setmetatable(_G, {})", "rawset(_G, 'x', 1)",
            "getmetatable('').__index = 1", "KEYS = {}", "redis.x = 1", "return redis.acl_check_cmd('nosuch')", "return math.random(0)", "return next({}, 'x')",
            "local a, b = pcall(redis.call, 'nosuch') return b", "local a, b = pcall(error, {err='X y'}) return b", "local a, b = pcall(error, 'x') return b",
            "local a, b = pcall(function() error('x') end) return b", "return xpcall(function() error('x') end, function(e) return e end)",
            "local function f()\n\n error('deep') end\nf()", "\n\nreturn redis.call('get')", "local r = redis.pcall('get')\nreturn r.err", "local r = redis.pcall('get')\nerror(r)"]


def text(s):
    return s.of(STRINGS)


def number(s):
    return s.of(NUMBERS)


def value(s, depth=0, ordered=False):
    """A value as a script would write it. `ordered`: without tables of two keys, since their order is seen."""
    kind = s.random.randrange(12 if depth < 3 else 5)
    if kind == 0:
        return s.of(["nil", "true", "false", "true", "false"])
    if kind in (1, 2):
        return number(s)
    if kind in (3, 4):
        return text(s)
    if kind in (5, 6, 7):
        return "{" + ",".join(value(s, depth + 1, ordered) for _ in range(s.random.randint(0, 4))) + "}"
    if kind == 8:
        return "{" + s.of(NAMES) + "=" + value(s, depth + 1, ordered) + "}"
    field = s.of(FIELDS[:-1] if ordered else FIELDS)
    inner = {"ok": text(s), "err": text(s), "double": number(s), "map": "{[" + s.of([number(s), text(s)]) + "]=" + value(s, depth + 1, ordered) + "}",
             "set": "{[" + s.of([number(s), text(s)]) + "]=true}", "big_number": s.of(["'123'", "'-1'", "'x\\ny'"]),
             "verbatim_string": "{format=" + s.of(["'txt'", "'mkd'", "'t'", "'long'"]) + ",string=" + text(s) + "}"}[field]
    return "{" + field + "=" + inner + "}"


def small(s):
    return s.of(NUMBERS[:9])


def returned(s, key):
    return s.of(["", "redis.setresp(3) ", "redis.setresp(2) "]) + "return " + value(s)


def numbers(s, key):
    a, b = number(s), number(s)
    return s.of([f"local x = {a} {s.of('+-*/%^')} {b} return redis.call('echo', x == x and x or 0)", f"return {a} {s.of(['<', '<=', '==', '~='])} {b}", f"return tostring(tonumber({text(s)}))",
                 f"return tostring(math.{s.of(['floor', 'ceil', 'abs'])}({a}))", f"return tostring(math.sqrt(math.abs({a})))", f"return {{math.max({a},{b}), math.min({a},{b})}}",
                 f"return tostring(tonumber({text(s)}, {s.of(['2', '8', '10', '16', '36'])}))", f"return {a} .. ''", f"math.randomseed({a}) return math.random(1000)",
                 f"return bit.tohex({a}) .. bit.tohex(bit.{s.of(['band', 'bor', 'bxor', 'lshift', 'rshift', 'arshift', 'rol', 'ror'])}({a},{b}))",
                 f"return redis.call('echo', {a})"])


def strings(s, key):
    subject, pattern = s.of(SUBJECTS), s.of(PATTERNS).replace("\\", "\\\\")
    return s.of([f"return {{pcall(string.find, {subject}, '{pattern}')}}", f"return {{pcall(string.match, {subject}, '{pattern}', {s.of(['1', '2', '-2', '10'])})}}",
                 f"return {{pcall(string.gsub, {subject}, '{pattern}', {s.of(['<%0>', '%1', '%2', '', '%%', 'x%'])!r})}}",
                 f"return {{pcall(string.gsub, {subject}, '{pattern}', {{a='1', b=false}}, {s.of(['1', '2', '100'])})}}",
                 f"return {{pcall(string.gsub, {subject}, '{pattern}', function(...) return select('#', ...) end)}}",
                 f"local r = {{}} local ok, e = pcall(function() for a, b in string.gmatch({subject}, '{pattern}') do r[#r + 1] = tostring(a) .. tostring(b) if #r > 20 then break end end end) return {{tostring(ok), r}}",
                 f"return {{pcall(string.format, '{s.of(FORMATS)}', {s.of([small(s), s.of(STRINGS[:4])])}, {small(s)})}}",
                 f"return {{({text(s)}):sub({s.of(['1', '2', '-2', '0'])}, {s.of(['1', '3', '-1', '100'])}), #{text(s)}, ({text(s)}):upper(), ({text(s)}):reverse(), ({text(s)}):rep(2)}}",
                 f"return {{({text(s)}):byte(1, 3)}}", f"return {{pcall(table.concat, {{{text(s)}, {number(s)}}}, {text(s)})}}"])


def calls(s, key):
    how = s.of(["redis.call", "redis.pcall", "redis.call"])
    version = s.of(["", "redis.setresp(3) "])
    return f"{version}return {how}(unpack(ARGV))"


def json(s, key):
    return s.of([f"return cjson.encode({value(s, ordered=True)})", f"return {{pcall(cjson.encode, {value(s, ordered=True)})}}", "return {pcall(cjson.decode, [==[" + s.of(JSON) + "]==])}",
                 "local v = cjson.decode([==[" + s.of(JSON) + "]==]) return {type(v), cjson.encode(v)}", f"return cjson.encode({number(s)})", f"return cjson.encode({text(s)})",
                 f"return {{pcall(cjson.encode, {{[{number(s)}]=1}})}}", "return {cjson.encode(cjson.null), cjson.encode({1,nil,3})}", "return {pcall(cjson.encode, {[1]=1,[1000]=2})}",
                 "return {pcall(cjson.encode, 0/0)}", "return cjson.encode_max_depth()", "return {pcall(cjson.decode)}", "return {pcall(cjson.encode, 1, 2)}",
                 "local t = {} for i = 1, 1001 do t = {t} end return {pcall(cjson.encode, t)}", "return {pcall(cjson.decode, ('['):rep(1100))}"])


def msgpack(s, key):
    cut = s.of(["1", "2", "3", "5"])
    return s.of([f"return cmsgpack.pack({value(s, ordered=True)})", f"return cmsgpack.pack({value(s, ordered=True)}, {value(s, ordered=True)})", f"return {{cmsgpack.unpack(cmsgpack.pack({value(s, ordered=True)}))}}",
                 f"return {{pcall(cmsgpack.unpack, cmsgpack.pack({value(s, ordered=True)}):sub(1, -{cut}))}}", f"return {{pcall(cmsgpack.unpack, {text(s)})}}", "return {pcall(cmsgpack.pack)}",
                 f"return {{cmsgpack.unpack_one(cmsgpack.pack(1, {value(s, ordered=True)}))}}", f"return {{pcall(cmsgpack.unpack_one, cmsgpack.pack(1, 2, 3), {s.of(['0', '1', '2', '3', '-1', '9'])})}}",
                 f"return {{pcall(cmsgpack.unpack_limit, cmsgpack.pack(1, 2, 3), {s.of(['1', '2', '5', '0', '-1'])}, {s.of(['0', '1', '9'])})}}"])


def structs(s, key):
    form = "".join(s.of(STRUCTS) for _ in range(s.random.randint(1, 4)))
    arguments = ",".join(s.of([number(s), text(s), "5", "'abcdef'"]) for _ in range(4))
    return s.of([f"return {{pcall(struct.pack, '{form}', {arguments})}}", f"return {{pcall(struct.size, '{form}')}}",
                 f"return {{pcall(struct.unpack, '{form}', 'abcdefghijklmnopqrstuvwxyz' .. ('\\\\0'):rep(40), {s.of(['1', '2', '5', '60', '100', '0', '-1', '-5'])})}}",
                 f"local r = {{pcall(struct.unpack, '{form}', {text(s)})}} for i = 1, #r do r[i] = tostring(r[i]) end return r"])


def fails(s, key):
    return s.of(FAILURES)


def compiles(s, key):
    return s.of(COMPILES)


def tables(s, key):
    items = ",".join(s.of([number(s)]) for _ in range(s.random.randint(0, 8)))
    return s.of([f"local t = {{{items}}} table.sort(t) return t", f"local t = {{{items}}} table.sort(t, function(a, b) return a > b end) return t",
                 f"local t = {{{items}}} table.insert(t, {s.of(['1', '#t + 1'])}, 5) return {{#t, t}}", f"local t = {{{items}}} return {{table.remove(t), #t, t}}",
                 f"return {{select({s.of(['1', '2', '-1'])}, {items or '1'})}}", f"return {{unpack({{{items}}}, 2)}}", f"return {{#{{{items}}}, table.maxn({{{items}}})}}",
                 f"local r = {{}} for i, v in ipairs({{{items}}}) do r[i] = v end return r", f"return {{table.concat({{{items}}}, ',')}}"])


MAKERS = [returned, returned, returned, numbers, strings, strings, calls, calls, calls, json, json, msgpack, msgpack, structs, structs, fails, fails, compiles, tables]
KEYWORDS = [b"EVAL", b"EVAL", b"EVAL", b"EVAL_RO"]


def scripts(command):
    """The family; what scripts call is made by `command`."""
    def steps(s, count):
        for i in range(count):
            key = s.key()
            if s.chance(0.02):
                yield 0, (b"HELLO", s.of([b"2", b"3"]))
                continue
            if s.chance(0.05):
                yield 0, tuple(command(s, key))
                continue
            made = s.of(MAKERS)
            script = made(s, key).encode("latin1")
            words = [b"EVAL_RO" if s.chance(0.1) else b"EVAL", script, b"0"]
            if made is calls:
                words += command(s, key)
            elif s.chance(0.02):
                words[2] = s.of([b"1", b"-1", b"x", b"99"])
            yield 0, tuple(words)
    return steps
