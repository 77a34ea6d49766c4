"""The certificates that scripts/make_test_certificates.sh makes, once a run, and what servers and clients are told of them."""
import atexit
import functools
import os
import shutil
import ssl
import subprocess
import tempfile
import threading

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "make_test_certificates.sh")


LOCK = threading.Lock()


def folder():
    with LOCK:
        return made_folder()


@functools.lru_cache(None)
def made_folder():
    path = tempfile.mkdtemp(prefix="vedette-certificates-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    subprocess.run([SCRIPT, path], check=True, stdin=subprocess.DEVNULL)
    return path


def path(name):
    return os.path.join(folder(), name)


def server_options(name="server", *more):
    """The options of a server, or of a sentinel, with the certificate `name`."""
    return ["--tls-cert-file", path(f"{name}.crt"), "--tls-key-file", path(f"{name}.key"), "--tls-ca-cert-file", path("ca.crt"), *more]


def client_context(name="client", authority="ca", version=None):
    """A client that shows the certificate `name` (None: none) and trusts `authority` (None: everybody)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if authority is None:
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(path(f"{authority}.crt"))
    if name:
        context.load_cert_chain(path(f"{name}.crt"), path(f"{name}.key"))
    if version:
        context.minimum_version = context.maximum_version = version
    return context
