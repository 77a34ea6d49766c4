"""RESP2 and RESP3 as bytes: building requests, and cutting a stream of replies at its boundaries."""


def request(arguments):
    """One request: an array of bulk strings."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        parts.append(b"$%d\r\n%b\r\n" % (len(argument), argument))
    return b"".join(parts)


def reply_end(data, start):
    """The index after the reply that begins at `start`, or -1 while it is incomplete."""
    missing = 1
    while missing:
        line_end = data.find(b"\r\n", start)
        if line_end < 0:
            return -1
        kind = data[start]
        missing -= 1
        if kind in b"$=":
            size = int(data[start + 1:line_end])
            start = line_end + 2 if size < 0 else line_end + size + 4
            if start > len(data):
                return -1
        elif kind in b"*~>":
            missing += max(0, int(data[start + 1:line_end]))
            start = line_end + 2
        elif kind in b"%|":
            missing += 2 * int(data[start + 1:line_end]) + (kind == 124)  # an attribute stands before its value
            start = line_end + 2
        elif kind in b"+-:_#,(":
            start = line_end + 2
        else:
            raise ValueError(f"not a reply: {bytes(data[start:start + 40])!r}")
    return start


def parse(data):
    """A whole reply as a Python value: (kind, content) with the first byte as kind, a list for what holds replies (a map's keys
    and values in turn), and None for null."""
    value, end = _parse(data, 0)
    if end != len(data):
        raise ValueError("more than one reply")
    return value


def _parse(data, start):
    line_end = data.index(b"\r\n", start)
    kind, line = chr(data[start]), data[start + 1:line_end]
    after = line_end + 2
    if kind in "+-#,(":
        return (kind, line), after
    if kind == "_":
        return (kind, None), after
    if kind == ":":
        return (kind, int(line)), after
    size = int(line)
    if size < 0:
        return (kind, None), after
    if kind in "$=":
        return (kind, data[after:after + size]), after + size + 2
    items = []
    for _ in range(2 * size if kind == "%" else size):
        item, after = _parse(data, after)
        items.append(item)
    return (kind, items), after


class ServerError(Exception):
    """An error reply."""


def plain(reply):
    """A parsed reply as a Python value; an error is an object, not raised."""
    kind, value = reply
    if kind == "-":
        return ServerError(value.decode("latin1"))
    if kind == "*" and value is not None:
        return [plain(item) for item in value]
    return value
