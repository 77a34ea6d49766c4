"""Users: sentinels that log in with few rights, at servers and at each other; users of a sentinel, which outlive it."""
from group import NAME, VEDETTE, ServerError, check, check_equal, eventually, fields, ours_only

MIXES = ["vvv-vvv", "vvv-rrr", "rrv-vvv"]

# What a sentinel asks of a server, a replica of its primary, and a sentinel of another.
WATCHER = "user watcher on >watch allchannels +ping +info +subscribe +publish +multi +exec +slaveof +config|rewrite +client|kill +client|setname"
COPIER = "user copier on >copy +psync +replconf +ping"
PEER = "user peer on >meet &__sentinel__:hello +ping +info +publish +client|setname +sentinel|is-master-down-by-addr"


def refusal(link, *words):
    """The error of a call that must fail."""
    try:
        answer = link.call(*words)
    except ServerError as error:
        return str(error)
    check(False, f"{words} is refused: {answer}")


def users_at(node):
    return {word[5:] for line in node.call("CLIENT", "LIST").decode("latin1").splitlines() for word in line.split(" ") if word.startswith("user=")}


def refusals_at(node):
    return [entry for entry in map(fields, node.call("ACL", "LOG", 100)) if entry["username"] in ("watcher", "copier", "peer")]


def few_rights_are_enough(group, mix):
    group.build(mix, server_lines=[WATCHER, COPIER, "masteruser copier", "masterauth copy"],
                sentinel_lines=[PEER, f"sentinel auth-user {NAME} watcher", f"sentinel auth-pass {NAME} watch", "sentinel sentinel-user peer",
                                "sentinel sentinel-pass meet"])
    old = group.servers[0]
    group.write(old)
    group.converged(old)
    check({"watcher", "copier"} <= users_at(old), f"who is at the primary: {users_at(old)}")
    eventually(lambda: all("peer" in users_at(sentinel) for sentinel in group.sentinels), "the sentinels log in at each other")
    old.kill()
    new = group.has_failed_over(old)
    group.holds(new)
    old.restart()
    group.converged(new)
    for node in group.servers + group.sentinels:
        check_equal(refusals_at(node), [], f"refusals at {node.name}")
    check("user watcher" in new.read_configuration() and ">watch" not in new.read_configuration(), "the new primary's file has users, and digests of their passwords")


def a_wrong_user_is_told(group):
    ours_only()
    group.build("vv-v", quorum=1, server_lines=[WATCHER])
    sentinel = group.sentinels[0]
    events = group.events(sentinel)
    check_equal(sentinel.sentinel("SET", NAME, "auth-user", "nobody"), b"OK", "SET auth-user")
    check_equal(sentinel.sentinel("SET", NAME, "auth-pass", "watch"), b"OK", "SET auth-pass")
    events.wait_for("-auth-refused", "WRONGPASS")
    check_equal(sentinel.sentinel("SET", NAME, "auth-user", "watcher"), b"OK", "SET auth-user")
    eventually(lambda: "watcher" in users_at(group.servers[0]), "it has logged in")


def users_of_a_sentinel_outlive_it(group):
    ours_only()
    group.build("v-v", quorum=1)
    sentinel = group.sentinels[0]
    check("user " not in sentinel.read_configuration(), "no user needs to be told")
    check_equal(sentinel.call("ACL", "SETUSER", "ann", "on", ">p", "+ping", "+sentinel|myid"), b"OK", "SETUSER")
    eventually(lambda: "\nuser ann on sanitize-payload #" in sentinel.read_configuration(), "the user is in the file")
    check(">p" not in sentinel.read_configuration(), "but not its password")
    sentinel.kill()
    sentinel.restart()
    link = sentinel.link()
    check_equal(link.call("AUTH", "ann", "p"), b"OK", "AUTH")
    check_equal(link.call("SENTINEL", "MYID"), sentinel.sentinel("MYID"), "MYID")
    check("no permissions to run the 'sentinel|masters' command" in refusal(link, "SENTINEL", "MASTERS"), "what is not permitted is refused")
    check_equal(sentinel.call("ACL", "DELUSER", "ann"), 1, "DELUSER")
    eventually(lambda: "user ann" not in sentinel.read_configuration(), "the user is gone from the file")
    check_equal(sentinel.call("ACL", "SETUSER", "default", "off"), b"OK", "the default user off")
    check("NOAUTH" in refusal(sentinel.link(), "PING"), "strangers stay outside")


def users_of_a_sentinel_in_a_file(group):
    ours_only()
    group.quorum = 1
    server = group.server(VEDETTE)
    path = server.path("users.acl")
    with open(path, "w", encoding="utf-8") as file:
        file.write("user ann on >p +ping\n")
    sentinel = group.sentinel(VEDETTE, group.monitor_lines() + [f"aclfile {path}", "acllog-max-len 3"])
    group.ready()
    check_equal(sentinel.call("ACL", "USERS"), [b"ann", b"default"], "USERS")
    check_equal(sentinel.call("ACL", "SETUSER", "bob", "on", "nopass", "+ping"), b"OK", "SETUSER")
    check_equal(sentinel.call("ACL", "SAVE"), b"OK", "SAVE")
    with open(path, encoding="utf-8") as file:
        check("\nuser bob on nopass sanitize-payload resetchannels -@all +ping\n" in "\n" + file.read(), "it is in the file of users")
    check("user " not in sentinel.read_configuration(), "the configuration says nothing of users")
    ann = sentinel.link()
    check_equal(ann.call("AUTH", "ann", "p"), b"OK", "AUTH")
    with open(path, "w", encoding="utf-8") as file:
        file.write("user ann on >p +ping +nosuch\n")
    check(f"{path}:1: Error in applying operation '+nosuch'" in refusal(sentinel, "ACL", "LOAD"), "a file that is wrong is refused")
    check_equal(ann.call("PING"), b"PONG", "and changes nothing")
    for name in ("a", "b", "c", "d"):
        refusal(ann, "AUTH", name, "x")
    check_equal(len(sentinel.call("ACL", "LOG", 10)), 3, "entries of the log")


CASES = [
    (few_rights_are_enough, MIXES),
    (a_wrong_user_is_told, None),
    (users_of_a_sentinel_outlive_it, None),
    (users_of_a_sentinel_in_a_file, None),
]
