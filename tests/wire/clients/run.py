#!/usr/bin/env python3
"""Existing clients against the real server: starts one, runs a client's script against it, stops it.

  run.py --server BINARY --client ioredis|node-redis|redis-py [--tls] [--work FOLDER]

The npm clients are installed into FOLDER, as package-lock.json pins them. Without the npm registry they
cannot be; then this fails, it does not skip. With --tls the client speaks TLS and shows a certificate; the
script finds the folder of certificates in VEDETTE_CERTIFICATES. The last line is `N passed, N failed`.
"""
import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

import certificates
from servers import Server

SCRIPTS = {"ioredis": "ioredis_test.cjs", "node-redis": "node_redis_test.cjs", "redis-py": "redis_py_test.py"}
DEADLINE = 300  # seconds for a client's whole script; each of its waits has a shorter one


def install(work):
    """Installs the npm packages into `work` unless they are there; False, with npm's words, if it failed."""
    os.makedirs(work, exist_ok=True)
    lock, stamp = os.path.join(HERE, "package-lock.json"), os.path.join(work, "installed.json")
    with open(lock, encoding="utf-8") as file:
        wanted = file.read()
    if os.path.exists(stamp):
        with open(stamp, encoding="utf-8") as file:
            if file.read() == wanted:
                return True
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(HERE, name), work)
    npm = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=work,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if npm.returncode != 0:
        print(npm.stdout)
        print("npm could not install the client packages (is the registry reachable?)")
        return False
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(wanted)
    return True


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--server", required=True)
    options.add_argument("--client", required=True, choices=SCRIPTS)
    options.add_argument("--tls", action="store_true")
    options.add_argument("--work", default=os.path.join(tempfile.gettempdir(), "vedette-client-tests"))
    chosen = options.parse_args()

    script = os.path.join(HERE, SCRIPTS[chosen.client])
    environment = dict(os.environ)
    if script.endswith(".cjs"):
        if not install(chosen.work):
            print("0 passed, 1 failed")
            return 1
        environment["NODE_PATH"] = os.path.join(os.path.abspath(chosen.work), "node_modules")
    interpreter = "node" if script.endswith(".cjs") else sys.executable

    port, more = None, []
    if chosen.tls:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        more = ["--tls-port", str(port), *certificates.server_options()]
        environment["VEDETTE_CERTIFICATES"] = certificates.folder()
    server = Server("vedette", chosen.server, more)
    try:
        code = subprocess.run([interpreter, script, str(port or server.port)], env=environment, stdin=subprocess.DEVNULL,
                              stderr=subprocess.STDOUT, timeout=DEADLINE).returncode
    except subprocess.TimeoutExpired:
        print(f"{chosen.client} did not end within {DEADLINE} s")
        code = 1
    exit_code = server.stop()
    if code or exit_code:
        print(f"--- the server's log (exit code {exit_code})\n{server.log()}")
    return 1 if code or exit_code else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(main())
