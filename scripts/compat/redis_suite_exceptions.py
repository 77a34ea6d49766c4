"""Which of the tests of Redis 7.0.15 cannot pass on Vedette, by file, each with its reason: data of redis_suite.py.

A name is that of a test, or with `/` before it a regular expression for several. What is listed here is left out of the run; then it
is tried alone, and what passes is told, so that the list stays true. A reason that begins with HANGS is not even tried.
"""
HANGS = "HANGS: "
CHILD = "it stops or kills the forked child that saves; there is none"
SNAPSHOT_FILE = "it presupposes that a snapshot for replicas is the one of the snapshot file"
BUFFERS = "it presupposes the sizes of Redis' own buffers of a client"
LATER = "as from Redis 7.2 on"
FORKS = "it counts forks; there are none"
LET_IN = "it wants a damaged payload to be let in, as Redis does without sanitize-dump-payload; every payload is checked in whole here"

DEBUGGER = "there is no debugger for scripts"
CLUSTERS = "there are no clusters"

# Files that ask for what there is not, or that are no tests: what is run by their names only.
NOT_APPLICABLE = {
    "unit/cluster": CLUSTERS,
    "unit/cluster-scripting": CLUSTERS,
    "unit/cluster/*": CLUSTERS,
    "unit/moduleapi/*": "there are no modules",
    "unit/tls": "without TLS it has nothing to test",
    "unit/type/list-common": "it has no tests: others read it",
    "integration/aof-race": "the suite's own list does not have it, and Redis 7.0.15 fails it: it removes the files that it then reads",
}

# Parts that are cut out: what each belongs to, its text, and why. What stands outside of any test would end its file.
PARTS = {
    "unit/oom-score-adj": [
        ("CONFIG SET oom-score-adj works as expected: its last part",
         """            wait_for_condition 100 10 {
                [get_oom_score_adj $child_pid] == [expr $base + 30]
            } else {
                fail "Set oom-score-adj of background child process is not ok"
            }
""", "it looks at the forked child that saves; there is none"),
    ],
    "unit/scripting": [
        ("a part outside of any test", "    r script debug sync\n    r eval {return 'hello'} 0\n    r eval {return 'hello'} 0\n", DEBUGGER),
    ],
}

# What the suite says of tests that it leaves out by itself, in other words.
SAID = {"large memory flag not provided": "it takes several GiB of memory"}

# Names of functions of Redis, which tests look for in the log, and those of ours that stand in the same place.
OTHER_NAMES = {
    "integration/logging": ("*debugCommand*", "*execute_request*"),
}

CANNOT_PASS = {
    "integration/aof": {
        "EVAL timeout with slow verbatim Lua script from AOF": "it presupposes that others are served while DEBUG LOADAOF loads; here it is one command",
    },
    "integration/aof-multi-part": {
        "AOF enable during BGSAVE will not write data util AOFRW finish": FORKS,
        "AOF will open a temporary INCR AOF to accumulate data until the first AOFRW success when AOF is dynamically enabled": f"{HANGS}{FORKS}",
        "AOF will trigger limit when AOFRW fails many times": "it goes by file numbers that the test before it leaves, which counts forks",
    },
    "integration/corrupt-dump": {
        "corrupt payload: fuzzer findings - NPD in streamIteratorGetID": LET_IN,
        "corrupt payload: fuzzer findings - gcc asan reports false leak on assert": LET_IN,
        "corrupt payload: fuzzer findings - infinite loop": LET_IN,
        "corrupt payload: fuzzer findings - listpack NPD on invalid stream": LET_IN,
        "corrupt payload: fuzzer findings - lpFind invalid access": LET_IN,
        "corrupt payload: fuzzer findings - negative reply length": LET_IN,
        "corrupt payload: fuzzer findings - stream bad lp_count - unsanitized": LET_IN,
        "corrupt payload: fuzzer findings - stream listpack lpPrev valgrind issue": LET_IN,
        "corrupt payload: fuzzer findings - stream listpack valgrind issue": LET_IN,
        "corrupt payload: fuzzer findings - stream with no records": LET_IN,
        "corrupt payload: listpack too long entry len": LET_IN,
        "corrupt payload: listpack very long entry len": LET_IN,
    },
    "integration/failover": {
        "failover aborts if target rejects sync request": "it counts resynchronisations: replicas are not disconnected for a failover that is refused",
    },
    "integration/psync2-master-restart": {
        "/PSYNC2: .* after Master restart (using RDB aux fields with expire|when too many key expired)":
            "it presupposes that what has expired is deleted while a snapshot is loaded; here replicas go on at once and are told as always",
    },
    "integration/psync2-pingoff": {
        "test various edge cases of repl topology changes with missing pings at the end":
            "a replica lets itself be put back by its primary after replica-refuse-rollback-ms only: a minute",
    },
    "integration/rdb": {
        "Test child sending info": CHILD,
        "failed bgsave prevents writes": CHILD,
    },
    "integration/replication": {
        "Kill rdb child process if its dumping RDB is not useful": SNAPSHOT_FILE,
        "diskless replication child being killed is collected": CHILD,
        "replica can handle EINTR if use diskless load": "it presupposes that a load waits for the socket, long enough for the watchdog to bark",
        "/replication child dies when parent is killed": CHILD,
    },
    "integration/replication-buffer": {
        "Replication backlog memory will become smaller if disconnecting with replica":
            "writers wait for a replica that is being synchronised, and it is given up after repl-timeout, which is 1000 s there",
    },
    "integration/replication-psync": {
        "/backlog expired": "a link that is killed ends with the turn, and the turn goes on for as long as the backlog has to live",
    },
    "unit/acl": {
        "ACLs set can include subcommands, if already full command exists": f"{LATER} a rule stays that adds nothing: it would count if another were taken back",
        "Validate subset of channels is prefixed with resetchannels flag": f"{LATER} a new user has the flag sanitize-payload",
    },
    "unit/aofrw": {
        "AOF rewrite of list with quicklist encoding, int data": f"{LATER} a list that fits into one listpack is called listpack",
        "Turning off AOF kills the background writing child if any": CHILD,
    },
    "unit/client-eviction": {
        "avoid client eviction when client is freed by output buffer limit": f"{BUFFERS}: qbuf holds the head of the request too",
    },
    "unit/introspection": {
        "CLIENT INFO": f"{BUFFERS}: qbuf does not count the request that is being executed",
        "CLIENT LIST": f"{BUFFERS}: qbuf does not count the request that is being executed",
        "CONFIG sanity": "it does not know the later names that are set at the start: log-format, server-cpulist and the like",
    },
    "unit/introspection-2": {
        "COMMAND LIST FILTERBY PATTERN - list all commands/subcommands": "HELP is answered for all containers alike, and is no command of its own",
    },
    "unit/latency-monitor": {
        "LATENCY of expire events are correctly collected": "it presupposes that freeing a large value holds up the cycle; here it is freed in the background",
    },
    "unit/lazyfree": {
        "lazy free a stream with all types of metadata": "it counts nodes; values below 1 MiB are freed at once here",
    },
    "unit/memefficiency": {
        "Active defrag eval scripts": "it presupposes that the test before it has had the memory defragmented; there is no active defragmentation",
    },
    "unit/multi": {
        "MULTI with BGREWRITEAOF": FORKS,
        "MULTI with config set appendonly": FORKS,
        "MULTI propagation of XREADGROUP": "as in later versions, XGROUP SETID follows, so that entries-read agrees",
    },
    "unit/other": {
        "Don't rehash if redis has child process": CHILD,
    },
    "unit/querybuf": {
        "query buffer resized correctly": BUFFERS,
        "query buffer resized correctly when not idle": BUFFERS,
    },
    "unit/replybufsize": {
        "verify reply buffer limits": f"{BUFFERS}: replies stand in chunks that all clients share, and an idle client holds none",
    },
    "unit/scripting": {
        "/EVAL - Scripts can't run (blpop|brpop|brpoplpush|blmove) command": f"{LATER} scripts may call it, and it does not wait",
        "EVAL - Scripts can't run XREAD and XREADGROUP with BLOCK option": f"{LATER} scripts may call them, and they do not wait",
        "EVAL - cmsgpack can pack and unpack circular references?": "the order of a table's keys differs from start to start",
        "/Test scripting debug": DEBUGGER,
    },
    "unit/shutdown": {
        "SHUTDOWN ABORT can cancel SIGTERM": "it stops the cron, which acts on signals there; here they are acted on at once",
        "Temp rdb will be deleted if we use bg_unlink when shutdown": CHILD,
    },
    "unit/type/stream-cgroups": {
        "/Blocking XREADGROUP: (key deleted|key type changed with SET|key type changed with transaction|flushed DB)": f"{LATER} the error says what is there instead",
        "/Blocking XREADGROUP: swapped DB, key (doesn't exist|is not a stream)": f"{LATER} the error says what is there instead",
        "Consumer without PEL is present in AOF after AOFRW": f"{LATER} a consumer is made when it asks",
    },
    "unit/type/set": {
        "SRANDMEMBER with a dict containing long chain": CHILD,
    },
    "unit/violations": {
        "single XADD big fields": "its request of 5 GB passes client-query-buffer-limit, which counts all of a request here",
    },
}
