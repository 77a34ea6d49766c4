#!/usr/bin/env python3
"""Writes keys w:0, w:1, ... to the group's primary as Debian's python3-redis finds it, until its input ends.

argv: the group's name, the sentinels' ports. With VEDETTE_CERTIFICATES in the environment everything speaks TLS. Says `N acknowledged` now and then, and at the end all of it as JSON.
"""
import json
import os
import sys
import threading
import time

import redis
from redis.sentinel import Sentinel

name, ports = sys.argv[1], [int(port) for port in sys.argv[2:]]
folder = os.environ.get("VEDETTE_CERTIFICATES")
how = {"socket_timeout": 0.5}
if folder:
    how.update(ssl=True, ssl_ca_certs=f"{folder}/ca.crt", ssl_certfile=f"{folder}/client.crt", ssl_keyfile=f"{folder}/client.key")
primary = Sentinel([("127.0.0.1", port) for port in ports], sentinel_kwargs=how, **how).master_for(name, retry_on_timeout=False)
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
