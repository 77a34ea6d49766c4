#!/usr/bin/env python3
"""Writes keys w:0, w:1, ... to the group's primary as Debian's python3-redis finds it, until its input ends.

argv: the group's name, the sentinels' ports. Says `N acknowledged` now and then, and at the end all of it as JSON.
"""
import json
import sys
import threading
import time

import redis
from redis.sentinel import Sentinel

name, ports = sys.argv[1], [int(port) for port in sys.argv[2:]]
primary = Sentinel([("127.0.0.1", port) for port in ports], socket_timeout=0.5).master_for(name, socket_timeout=0.5, retry_on_timeout=False)
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
acknowledged, errors, number, longest, last = [], {}, 0, 0.0, time.monotonic()
while not ended.is_set():
    try:
        primary.set(f"w:{number}", number)
        acknowledged.append(number)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
        if len(acknowledged) % 20 == 0:
            print(f"{len(acknowledged)} acknowledged", flush=True)
    except (redis.RedisError, OSError) as error:
        errors[type(error).__name__] = errors.get(type(error).__name__, 0) + 1
        time.sleep(0.01)
    number += 1  # a key that was not acknowledged is never written again
    time.sleep(0.001)
print(json.dumps({"acknowledged": acknowledged, "tried": number, "errors": errors, "longest_ms": round(longest * 1000)}), flush=True)
