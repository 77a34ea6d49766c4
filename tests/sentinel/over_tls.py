"""Groups whose servers and sentinels have nothing but a TLS port; and what a sentinel says where TLS does not come about."""
import os

import certificates
from clients import WRITERS, it_keeps_writing
from group import NAME, REDIS, VEDETTE, Client, ServerError, check, check_equal, eventually, ours_only
from topology import free_port

MIXES = ["vvv-vvv", "vvv-rrr", "rrr-vvv", "vvr-vrv"]


def the_primary_is_killed_and_comes_back(group, mix):
    group.encrypted = True
    group.build(mix)
    old = group.servers[0]
    group.write(old)
    group.converged(old)
    old.kill()
    new = group.has_failed_over(old)
    group.write(new, prefix="after")
    group.converged(new)
    old.restart()
    group.converged(new)
    group.holds(old, prefix="after")


def a_planned_failover(group):
    group.encrypted = True
    group.build("vvv-vvv")
    ours_only()
    old = group.servers[0]
    group.write(old)
    check_equal(group.sentinels[0].sentinel("FAILOVER", NAME, "COORDINATED"), b"OK", "SENTINEL FAILOVER")
    new = group.has_failed_over(old)
    group.converged(new)
    group.holds(new)


def clients_keep_writing(group, client):
    """That know the sentinels alone."""
    group.encrypted = True
    it_keeps_writing(group, client, "vvv-vvv", "kill")


def the_tls_ports_are_what_is_announced(group):
    """Beside plain ones, where both are there."""
    lines = ["tls-replication yes", *certificate_lines()]
    for i in range(2):
        node = group.server(VEDETTE, [f"tls-port {free_port()}", *lines, *([f"replicaof 127.0.0.1 {tls_port_of(group.servers[0])}"] if i else [])])
    eventually(node.link_up, "the link is up")
    for _ in range(2):
        group.sentinel(VEDETTE, [f"tls-port {free_port()}", *lines, f"sentinel monitor {NAME} 127.0.0.1 {tls_port_of(group.servers[0])} 2"])
    for sentinel, other in (group.sentinels, group.sentinels[::-1]):
        eventually(lambda: [int(reply["port"]) for reply in sentinel.replicas()] == [tls_port_of(node)], lambda: f"the replica: {sentinel.replicas()}")
        eventually(lambda: [int(reply["port"]) for reply in sentinel.others()] == [tls_port_of(other)], lambda: f"the other sentinel: {sentinel.others()}")
        eventually(lambda: "disconnected" not in sentinel.others()[0]["flags"], "they are connected")


def tls_port_of(node):
    return int([line for line in node.lines if line.startswith("tls-port")][0].split()[1])


def certificate_lines(name="server"):
    words = certificates.server_options(name)
    return [f"{option[2:]} {value}" for option, value in zip(words[::2], words[1::2])]


def a_primary_without_tls_is_told_of(group):
    ours_only("which says nothing")
    primary = group.server(VEDETTE)
    sentinel = group.sentinel(VEDETTE, ["tls-replication yes", *certificate_lines(), *group.monitor_lines()])
    sentinel.wait_for_log(f"-tls-refused master {NAME} 127.0.0.1 {primary.port} TLS handshake: the answer is not TLS: does the peer listen for TLS on this port")
    check("tls_refused=1" in sentinel.info("sentinel")["master0"], sentinel.info("sentinel")["master0"])
    check(any(b"the answer is not TLS" in line for line in flat(sentinel.sentinel("EXPLAIN", NAME))), "EXPLAIN names it")
    eventually(lambda: sentinel.is_down(primary.port), "the primary is down for it")
    said = sentinel.log().count("-tls-refused")
    sentinel.wait_for_log("+sdown")
    check_equal(said, 1, "lines about it")
    sentinel.sentinel("CONFIG", "SET", "tls-replication", "no")
    eventually(lambda: not sentinel.is_down(primary.port), "the primary is well when TLS is off")
    check("tls_refused" not in sentinel.info("sentinel")["master0"], sentinel.info("sentinel")["master0"])


def flat(reply):
    if isinstance(reply, list):
        return [item for part in reply for item in flat(part)]
    return [reply if isinstance(reply, bytes) else str(reply).encode()]


def a_primary_that_wants_tls_is_told_of(group, kind):
    ours_only("which says nothing")
    port = free_port()
    primary = group.server(kind, [f"tls-port {port}", *certificate_lines()])
    sentinel = group.sentinel(VEDETTE, [f"sentinel monitor {NAME} 127.0.0.1 {port} 1", f"sentinel down-after-milliseconds {NAME} 1000"])
    sentinel.wait_for_log("-tls-refused master")
    check("set tls-replication yes" in sentinel.log(), sentinel.log()[-2000:])
    check(primary.alive(), "the primary")


def certificates_that_do_not_hold_are_told_of(group):
    ours_only("which says nothing")
    group.encrypted = True
    primary = group.server(VEDETTE)
    sentinel = group.sentinel(VEDETTE, [*group.monitor_lines(), f"tls-client-cert-file {certificates.path('stranger.crt')}",
                                        f"tls-client-key-file {certificates.path('stranger.key')}"])
    sentinel.wait_for_log("the peer does not trust our certificate")
    eventually(lambda: sentinel.is_down(primary.port), "the primary is down")


def a_sentinel_reads_its_certificates_again(group):
    ours_only("which cannot")
    group.encrypted = True
    group.build("v-v", quorum=1)
    sentinel = group.sentinels[0]
    old = sentinel.link()
    before = sentinel.link().link.socket.getpeercert(binary_form=True)
    paths = {line.split()[0]: line.split()[1] for line in sentinel.lines + sentinel.first_lines() if line.startswith("tls-")}
    mine = [sentinel.path("mine.crt"), sentinel.path("mine.key")]
    check(os.path.exists(paths["tls-cert-file"]), "the certificate")
    for name, path in (("crt", mine[0]), ("key", mine[1])):
        with open(certificates.path(f"other-name.{name}"), "rb") as one, open(path, "wb") as other:
            other.write(one.read())
    try:
        sentinel.sentinel("CONFIG", "SET", "tls-cert-file", "/no/such/file")
        check(False, "a file that is not there is taken")
    except ServerError as error:
        check("tls-cert-file '/no/such/file': No such file or directory" in str(error), str(error))
    try:
        sentinel.sentinel("CONFIG", "SET", "tls-cert-file", mine[0])
        check(False, "a certificate is taken without its key")
    except ServerError as error:
        check("does not belong to" in str(error), str(error))
    check_equal(sentinel.link().link.socket.getpeercert(binary_form=True), before, "the certificate")
    sentinel.sentinel("CONFIG", "SET", "tls-auth-clients", "no")
    check_equal(Client(sentinel.port, certificates.client_context(None)).call("PING"), b"PONG", "PING without a certificate")
    check_equal(old.call("PING"), b"PONG", "the old connection")
    eventually(lambda: "tls-auth-clients no" in sentinel.read_configuration(), "the change is kept")


CASES = [
    (the_primary_is_killed_and_comes_back, MIXES), (a_planned_failover, None), (clients_keep_writing, list(WRITERS)), (the_tls_ports_are_what_is_announced, None),
    (a_primary_without_tls_is_told_of, None), (a_primary_that_wants_tls_is_told_of, [VEDETTE, REDIS]),
    (certificates_that_do_not_hold_are_told_of, None), (a_sentinel_reads_its_certificates_again, None),
]
