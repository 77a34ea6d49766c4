#!/usr/bin/env python3
"""scripts/hooks/zookeeper-publish against a real ZooKeeper: Debian's packages, unpacked into a folder, on loopback.

    zookeeper.py --server vedette-server|redis --sentinel vedette-sentinel|redis [--work FOLDER]

Nothing is installed: the packages are fetched by apt-get with lists of its own and unpacked. Where they cannot be fetched,
everything is skipped with the reason. The last line is `N passed, N failed`.
"""
import argparse
import glob
import importlib.machinery
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile

import group as groups
from group import NAME, Skipped, check, check_equal, eventually
from runner import run_all
from topology import free_port

HOOK = os.path.join(groups.HERE, "..", "..", "scripts", "hooks", "zookeeper-publish")
PACKAGES = ["libzookeeper-java", "libslf4j-java", "liblog4j1.2-java", "libnetty-java", "libsnappy-java", "libdropwizard-metrics-java", "libcommons-cli-java", "libcommons-io-java",
            "libjackson2-core-java", "libjackson2-databind-java", "libjackson2-annotations-java"]
JAVA = "openjdk-17-jre-headless"


def load_hook():
    """The hook as a module, for what the test itself says to ZooKeeper."""
    loader = importlib.machinery.SourceFileLoader("zookeeper_publish", HOOK)
    spec = importlib.util.spec_from_loader("zookeeper_publish", loader)
    sys.dont_write_bytecode = True
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


hook = load_hook()


def mirror():
    """Where the system takes the packages of this release from."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Codename: bookworm", "Component: main"]
    found = subprocess.run(asked, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.split()
    if not found:
        raise Skipped("apt knows no source of Debian 12's packages: set VEDETTE_DEBIAN_MIRROR")
    return found[0]


def install(work):
    """The folder where the packages are unpacked."""
    root = os.path.join(work, "root")
    if os.path.exists(os.path.join(work, "installed")):
        return root
    shutil.rmtree(work, ignore_errors=True)
    for folder in ("lists/partial", "cache/archives/partial", "packages", "root"):
        os.makedirs(os.path.join(work, folder))
    source = os.environ.get("VEDETTE_DEBIAN_MIRROR") or mirror()
    with open(os.path.join(work, "sources.list"), "w", encoding="utf-8") as file:
        file.write(f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {source} bookworm main\n")
    apt = ["apt-get", "-o", f"Dir::Etc::sourcelist={work}/sources.list", "-o", "Dir::Etc::sourceparts=/dev/null", "-o", f"Dir::State::Lists={work}/lists",
           "-o", f"Dir::Cache={work}/cache", "-o", f"APT::Sandbox::User={os.environ.get('USER', 'root') if os.geteuid() else 'root'}", "-o", "Acquire::Retries=2"]
    wanted = PACKAGES + ([] if shutil.which("java") else [JAVA])
    for words in (apt + ["update"], apt + ["download", *wanted]):
        done = subprocess.run(words, cwd=os.path.join(work, "packages"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        if done.returncode:
            raise Skipped(f"ZooKeeper's packages cannot be fetched: {done.stdout.strip()[-300:]}")
    for package in glob.glob(os.path.join(work, "packages", "*.deb")):
        subprocess.run(["dpkg-deb", "-x", package, root], check=True)
    for link in glob.glob(os.path.join(root, "usr/lib/jvm/*/**"), recursive=True):  # what points into /etc points into the folder's
        if os.path.islink(link) and os.readlink(link).startswith("/etc/"):
            target = root + os.readlink(link)
            os.remove(link)
            os.symlink(target, link)
    open(os.path.join(work, "installed"), "w", encoding="ascii").close()
    return root


class ZooKeeper:
    """The server's process."""

    def __init__(self, root):
        self.folder = tempfile.mkdtemp(prefix="vedette-zookeeper-")
        self.port = free_port()
        with open(self.path("zoo.cfg"), "w", encoding="ascii") as file:
            file.write(f"tickTime=500\ndataDir={self.folder}\nclientPort={self.port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n")
        java = shutil.which("java") or (glob.glob(os.path.join(root, "usr/lib/jvm/*/bin/java")) + ["java"])[0]
        loggers = ("slf4j-nop", "slf4j-log4j12", "slf4j-jcl", "slf4j-jdk14")  # one is enough: slf4j-simple
        jars = [jar for jar in glob.glob(os.path.join(root, "usr/share/java/*.jar")) if not os.path.basename(jar).startswith(loggers)]
        self.words = [java, "-Xmx128m", "-cp", ":".join(jars), "org.apache.zookeeper.server.ZooKeeperServerMain", self.path("zoo.cfg")]
        self.process = None
        self.start()

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(lambda: self.session(1).close() is None, lambda: f"ZooKeeper is ready:\n{self.log()}")

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as log:
            return log.read()[-4000:]

    def session(self, timeout=10):
        return hook.ZooKeeper([("127.0.0.1", self.port)], timeout, "")

    def value(self, path=f"/vedette/{NAME}/primary"):
        session = self.session()
        found = session.read(path)
        session.close()
        return found and found[0].decode()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def environment(keeper, sentinel, **more):
    return {**os.environ, "VEDETTE_ZOOKEEPER": f"127.0.0.1:{keeper.port}", "VEDETTE_SENTINEL": f"127.0.0.1:{sentinel.port}", "VEDETTE_ZOOKEEPER_TIMEOUT": "60", **more}


def run_hook(keeper, sentinel, *arguments, **more):
    done = subprocess.run([HOOK, *arguments], env=environment(keeper, sentinel, **more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    return done.returncode, done.stdout.strip()


def made(group):
    return group.add(ZooKeeper(install(groups.WORK)))


def address_of(node):
    return f"127.0.0.1:{node.port}"


def a_failover_is_published(group, script):
    keeper = made(group)
    group.build("vvv-vvv", ready=False)
    for sentinel in group.sentinels:  # each has the environment that its hook needs
        sentinel.kill()
        path = sentinel.path("publish")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\nVEDETTE_ZOOKEEPER=127.0.0.1:{keeper.port} VEDETTE_SENTINEL=127.0.0.1:{sentinel.port} exec {HOOK} \"$@\" >>{sentinel.path('hook.log')} 2>&1\n")
        os.chmod(path, 0o700)
        sentinel.write_configuration([*sentinel.first_lines(), *sentinel.lines, f"sentinel {script} {NAME} {path}"])
        sentinel.restart()
    group.ready()
    old = group.servers[0]
    check_equal(run_hook(keeper, group.sentinels[0], NAME)[0], 0, "the first publication")
    check_equal(keeper.value(), address_of(old), "what is published before")
    for _ in range(2):
        old = group.primary()
        old.kill()
        new = group.has_failed_over(old)
        eventually(lambda: keeper.value() == address_of(new), lambda: f"{address_of(new)} is published: {keeper.value()}")
        eventually(lambda: keeper.value(f"/vedette/{NAME}/primary/epoch") == group.sentinels[0].master()["config-epoch"], "its epoch")
        old.restart()
        group.converged(new)
    check_equal(keeper.value(), address_of(new), "what is published in the end")


def many_at_once(group):
    """All sentinels' hooks, several times each, on an empty ZooKeeper: one value, and no one fails."""
    keeper = made(group)
    group.build("vvv-v")
    running = [subprocess.Popen([HOOK, NAME], env=environment(keeper, group.sentinels[i % 3], VEDETTE_ZNODE="/a/b/c/{name}"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True) for i in range(12)]
    said = [(process.communicate(timeout=120)[0].strip(), process.returncode) for process in running]
    check_equal([one for one in said if one[1]], [], "hooks that failed")
    check_equal(keeper.value(f"/a/b/c/{NAME}"), address_of(group.servers[0]), "what is published")
    check_equal(len([one for one in said if " now, epoch" in one[0]]), 1, "hooks that wrote")


def what_is_older_is_not_published(group):
    keeper = made(group)
    group.build("vv-vv", quorum=2)
    sentinel, path = group.sentinels[0], f"/vedette/{NAME}/primary"
    check_equal(run_hook(keeper, sentinel, NAME)[0], 0, "published")
    session = keeper.session()
    check(session.write_both([(path, b"10.0.0.1:1", session.read(path)[1]), (path + "/epoch", b"77", session.read(path + "/epoch")[1])]), "another writes")
    check(not session.write_both([(path, b"x", 0), (path + "/epoch", b"1", 0)]), "a write over what has changed fails")
    code, said = run_hook(keeper, sentinel, NAME)
    check((code, keeper.value()) == (0, "10.0.0.1:1") and "77" in said, lambda: f"the higher epoch stays: {code}, {said}")
    check_equal(run_hook(keeper, sentinel, "--force", NAME)[0], 0, "by force")
    check_equal((keeper.value(), keeper.value(path + "/epoch")), (address_of(group.servers[0]), "0"), "what is published")


def arguments_and_mistakes(group):
    keeper = made(group)
    group.build("v-v", quorum=1)
    sentinel = group.sentinels[0]
    port = str(group.servers[0].port)
    for arguments in (("+sdown", f"master {NAME} 127.0.0.1 {port}"), ("+slave", "x"), ("-monitor", f"master {NAME} 127.0.0.1 1")):
        check_equal((run_hook(keeper, sentinel, *arguments)[0], keeper.value()), (0, None), f"{arguments}: nothing to do")
    for arguments in ((NAME, "leader", "start", "127.0.0.1", "1", "127.0.0.1", "2"), ("+switch-master", f"{NAME} 127.0.0.1 1 127.0.0.1 2"), ("+reset-master", f"master {NAME} 127.0.0.1 {port}")):
        check_equal((run_hook(keeper, sentinel, *arguments)[0], keeper.value()), (0, address_of(group.servers[0])), f"{arguments}: what the sentinel says is published")
    check_equal(run_hook(keeper, sentinel, "stranger")[0], 2, "a group that the sentinel does not know")
    check_equal(run_hook(keeper, sentinel)[0], 2, "no arguments")
    check_equal(run_hook(keeper, sentinel, NAME, VEDETTE_ZNODE="no/slash")[0], 2, "a path that is none")
    check_equal(run_hook(keeper, sentinel, NAME, VEDETTE_ZOOKEEPER_CONF="/no/such/file")[0], 2, "a file that is not there")
    settings = os.path.join(keeper.folder, "hook.conf")
    with open(settings, "w", encoding="ascii") as file:
        file.write("# where\nVEDETTE_ZNODE = /from/file\n")
    check_equal((run_hook(keeper, sentinel, NAME, VEDETTE_ZOOKEEPER_CONF=settings)[0], keeper.value("/from/file")), (0, address_of(group.servers[0])), "settings of a file")
    code, said = run_hook(keeper, sentinel, NAME, VEDETTE_ZNODE="/guarded", VEDETTE_ZOOKEEPER_AUTH="digest:vedette:secret")
    check_equal((code, keeper.value("/guarded")), (0, address_of(group.servers[0])), f"with a user: {said}")
    session = keeper.session()
    try:
        session.write_both([("/guarded", b"x", session.read("/guarded")[1]), ("/guarded/epoch", b"9", session.read("/guarded/epoch")[1])])
        check(False, "a stranger overwrites what a user guards")
    except hook.ZooKeeperError as error:
        check_equal(error.code, -102, "a stranger's write")
    sentinel.kill()
    check_equal(run_hook(keeper, sentinel, NAME)[0], 1, "without a sentinel: later")


def zookeeper_is_away(group):
    """The hook ends within its time limit, whatever happens, and says that it may be tried again."""
    keeper = made(group)
    group.build("v-v", quorum=1)
    sentinel = group.sentinels[0]
    keeper.kill()
    check_equal(run_hook(keeper, sentinel, NAME)[0], 1, "nobody listens")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code, said = run_hook(keeper, sentinel, NAME, VEDETTE_ZOOKEEPER=f"127.0.0.1:{silent.getsockname()[1]}", VEDETTE_ZOOKEEPER_TIMEOUT="1")
        check_equal(code, 1, f"one that says nothing: {said}")
    keeper.start()
    check_equal((run_hook(keeper, sentinel, NAME, VEDETTE_ZOOKEEPER=f"127.0.0.1:1,127.0.0.1:{keeper.port}")[0], keeper.value()), (0, address_of(group.servers[0])), "one of two is there")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts = f"127.0.0.1:{silent.getsockname()[1]},127.0.0.1:{keeper.port}"
        check_equal({run_hook(keeper, sentinel, NAME, VEDETTE_ZOOKEEPER=hosts, VEDETTE_ZOOKEEPER_TIMEOUT="12")[0] for _ in range(4)}, {0}, "one of two is silent")


CASES = [
    ("client-reconfig-script", a_failover_is_published, ("client-reconfig-script",)),
    ("notification-script", a_failover_is_published, ("notification-script",)),
    ("many at once", many_at_once, ()),
    ("what is older is not published", what_is_older_is_not_published, ()),
    ("arguments and mistakes", arguments_and_mistakes, ()),
    ("zookeeper is away", zookeeper_is_away, ()),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True, help="vedette-server, or `redis`")
    parser.add_argument("--sentinel", required=True, help="vedette-sentinel, or `redis`")
    parser.add_argument("--work", default=os.path.join(tempfile.gettempdir(), "vedette-zookeeper"), help="where ZooKeeper's packages are unpacked")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    groups.play(options.server, options.sentinel)
    groups.WORK = os.path.abspath(options.work)
    try:
        install(groups.WORK)
    except (Skipped, OSError, subprocess.SubprocessError) as reason:
        print(f"{len(CASES)} skipped: {reason}\n0 passed, 0 failed")
        return 0
    return run_all([case for case in CASES if options.only in case[0]], groups.Group, 3)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(main())
