"""Replication and MIGRATE through TLS, in all mixes with Redis; and what an operator is told where they do not come about."""
import socket
import ssl
import threading

import certificates
from proxy import Proxy
from topology import DEADLINE, REDIS, VEDETTE, check, check_equal, eventually, fill, free_port, in_sync, same_data

V, R = VEDETTE, REDIS


class Port:
    """What a replica is told to follow."""

    def __init__(self, port):
        self.port = port


def encrypted(servers, kind, *options, certificate="server"):
    """A node whose plain port stays, for what the test itself asks."""
    port = free_port()
    node = servers.node(kind, "--tls-port", port, "--tls-replication", "yes", *certificates.server_options(certificate), *options)
    node.tls = Port(port)
    return node


def full_and_partial_synchronization_under_load(servers, pair):
    primary, replica = (encrypted(servers, kind) for kind in pair)
    fill(primary)
    load = servers.load(primary, f"tls {pair}")
    load.has_done(200)
    replica.follow(primary.tls)
    eventually(replica.link_up, "the link is up")
    load.has_done(300)
    for i in range(3):
        done = primary.partial_syncs()
        check(primary.call("CLIENT", "KILL", "TYPE", "replica") >= 1, "a link was killed")
        eventually(lambda: primary.partial_syncs() > done, "the replica goes on")
        load.has_done(100)
    load.finish()
    same_data(primary, replica)
    check_equal(primary.full_syncs(), 1, "full synchronizations")
    check(f"port={replica.tls.port}," in primary.info("replication")["slave0"], "the replica's port is the TLS port")


def each_way_of_a_snapshot(servers, pair, diskless, loading):
    primary = encrypted(servers, pair[0], "--repl-diskless-sync", diskless)
    replica = encrypted(servers, pair[1], "--repl-diskless-load", loading)
    fill(primary, big=30)
    replica.follow(primary.tls)
    same_data(primary, replica)


def cuts_at_any_byte(servers, pair):
    primary, replica = (encrypted(servers, kind) for kind in pair)
    proxy = servers.add(Proxy(primary.tls.port))
    replica.follow(proxy)
    in_sync(primary, replica)
    load = servers.load(primary, f"tls cut {pair}")
    for i in range(4):
        load.has_done(40)
        cut = primary.partial_syncs()
        proxy.cut_after = 4000 + 1733 * i  # behind the handshakes
        proxy.cut()
        eventually(lambda: primary.partial_syncs() > cut + 1, "it goes on after a second cut")
        proxy.cut_after = None
    load.finish()
    same_data(primary, replica)


def a_slow_replica_is_waited_for(servers):
    primary, replica = encrypted(servers, V), encrypted(servers, V)
    fill(primary, big=20)
    proxy = servers.add(Proxy(primary.tls.port))
    proxy.bytes_per_second = 4000000
    replica.follow(proxy)
    load = servers.load(primary, "slow tls")
    eventually(replica.link_up, "the link is up")
    load.has_done(100)
    load.finish()
    same_data(primary, replica)


def a_chain_of_plain_and_encrypted_links(servers):
    top, middle, bottom = encrypted(servers, V), encrypted(servers, V, "--tls-replication", "no"), encrypted(servers, R)
    fill(top, keys=600, big=1)
    middle.follow(top)
    bottom.follow(middle.tls)
    same_data(top, middle, bottom)


def a_replica_of_a_primary_without_tls_says_what_is_wrong(servers):
    primary, replica = servers.vedette(), encrypted(servers, V)
    replica.follow(primary)
    replica.wait_for_log("TLS handshake: the answer is not TLS: does the peer listen for TLS on this port (tls-port)?")
    replica.config("tls-replication", "no")
    same_data(primary, replica)


def a_replica_without_tls_of_a_tls_port_says_what_is_wrong(servers):
    primary, replica = encrypted(servers, V), servers.vedette()
    replica.follow(primary.tls)
    replica.wait_for_log("perhaps it wants TLS (tls-replication)")


def certificates_that_do_not_hold_are_told_of_on_both_sides(servers):
    primary, replica = encrypted(servers, V, "--loglevel", "verbose"), encrypted(servers, V, certificate="stranger")
    replica.follow(primary.tls)
    replica.wait_for_log("the peer does not trust our certificate")
    primary.wait_for_log("the client's certificate does not hold")
    replica.call("CONFIG", "SET", "tls-client-cert-file", certificates.path("client.crt"), "tls-client-key-file", certificates.path("client.key"))
    same_data(primary, replica)  # with a client's certificate of its own
    old = encrypted(servers, V, certificate="expired")
    replica.follow(old.tls)
    replica.wait_for_log("the server's certificate does not hold: certificate has expired")


def names_are_verified_where_it_is_asked_for(servers):
    primary, replica = encrypted(servers, V, certificate="other-name"), encrypted(servers, V)
    replica.follow(primary.tls)
    in_sync(primary, replica)
    replica.config("tls-verify-names", "yes")
    primary.call("CLIENT", "KILL", "TYPE", "replica")
    replica.wait_for_log("mismatch; it must name the host that we connect to, or tls-verify-names must be no")
    primary.call("CONFIG", "SET", "tls-cert-file", certificates.path("server.crt"), "tls-key-file", certificates.path("server.key"))
    same_data(primary, replica)
    replica.call("REPLICAOF", "localhost", primary.tls.port)
    same_data(primary, replica)


def the_name_that_is_connected_to_is_told(servers):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.path("server.crt"), certificates.path("server.key"))
    names = []
    context.sni_callback = lambda connection, name, _: names.append(name)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(DEADLINE)

    def serve():
        for _ in range(2):
            connection, _ = listener.accept()
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                pass
    thread = threading.Thread(target=serve)
    thread.start()
    replica = encrypted(servers, V)
    for host, wanted in (("localhost", "localhost"), ("127.0.0.1", None)):
        known = len(names)
        replica.call("REPLICAOF", host, listener.getsockname()[1])
        eventually(lambda: len(names) > known, "a handshake")
        replica.promote()
        check_equal(names[known], wanted, f"the name told to {host}")
    thread.join()
    listener.close()


def options_change_without_losing_the_link(servers):
    primary, replica = encrypted(servers, V), encrypted(servers, V)
    replica.follow(primary.tls)
    in_sync(primary, replica)
    for node in (primary, replica):
        node.config("tls-cert-file", certificates.path("server.crt"))
        node.config("tls-protocols", "TLSv1.2")
        node.config("tls-protocols", "")
    fill(primary, keys=100, big=1)
    same_data(primary, replica)
    check_equal(primary.full_syncs(), 1, "full synchronizations")
    check_equal(primary.partial_syncs(), 0, "links that were made anew")


def keys_migrate_through_tls_with_tls_cluster(servers, pair):
    """Whatever tls-replication says."""
    source, target = (encrypted(servers, kind) for kind in pair)
    for key in ("k", "k2"):
        source.call("SET", key, b"v" * 3000000)
    check(source.error("MIGRATE", "127.0.0.1", target.tls.port, "k", 0, 5000).startswith("IOERR"), "MIGRATE to a TLS port without tls-cluster")
    check_equal(source.call("MIGRATE", "127.0.0.1", target.port, "k2", 0, 30000), b"OK", "MIGRATE to the plain port")
    source.config("tls-cluster", "yes")
    source.config("tls-replication", "no")
    check_equal(source.call("MIGRATE", "127.0.0.1", target.tls.port, "k", 0, 30000), b"OK", "MIGRATE")
    for key in ("k", "k2"):
        check_equal(target.call("GET", key), b"v" * 3000000, "the value")


PAIRS = [(V, V), (V, R), (R, V)]

CASES = [
    (full_and_partial_synchronization_under_load, [(pair,) for pair in PAIRS]),
    (each_way_of_a_snapshot, [(pair, diskless, loading) for pair in PAIRS for diskless, loading in (("yes", "swapdb"), ("no", "disabled"))]),
    (cuts_at_any_byte, [(pair,) for pair in PAIRS]), (a_slow_replica_is_waited_for, None), (a_chain_of_plain_and_encrypted_links, None),
    (a_replica_of_a_primary_without_tls_says_what_is_wrong, None), (a_replica_without_tls_of_a_tls_port_says_what_is_wrong, None),
    (certificates_that_do_not_hold_are_told_of_on_both_sides, None), (names_are_verified_where_it_is_asked_for, None),
    (the_name_that_is_connected_to_is_told, None), (options_change_without_losing_the_link, None),
    (keys_migrate_through_tls_with_tls_cluster, [(pair,) for pair in PAIRS]),
]
