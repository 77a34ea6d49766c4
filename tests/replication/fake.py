"""Peers that are no servers: a primary and a replica made of a socket, who say what a test wants."""
import socket
import threading

from topology import DEADLINE, Failed

ID = "0123456789abcdef0123456789abcdef01234567"


def command(*words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        word = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(word), word))
    return b"".join(parts)


def crc64(data):
    """The sum at the end of a snapshot: Jones' polynomial, reflected."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x95ac9329ac4bc9b5 if crc & 1 else 0)
    return crc


def rdb(body):
    data = b"REDIS0010" + body + b"\xff"
    return data + crc64(data).to_bytes(8, "little")


EMPTY_RDB = rdb(b"")
ONE_KEY_RDB = rdb(b"\xfe\x00\x00\x03key\x05value")


class Primary:
    """Listens; answers the handshake by itself, or as `answers` says, and then does as it is told."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(DEADLINE)
        self.port = self.listener.getsockname()[1]
        self.link = None
        self.heard = b""
        self.ended = False

    def accept(self):
        """The next connection of the replica."""
        if self.link:
            self.link.close()
        self.link, _ = self.listener.accept()
        self.link.settimeout(DEADLINE)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.heard = b""
        return self

    def hear(self, text):
        """Reads until `text` has come."""
        text = text if isinstance(text, bytes) else text.encode()
        while text.lower() not in self.heard.lower():
            data = self.link.recv(65536)
            if not data:
                raise Failed(f"the replica went before it said {text!r}; it said {self.heard!r}")
            self.heard += data
        return self

    def say(self, *pieces):
        for piece in pieces:
            self.link.sendall(piece if isinstance(piece, bytes) else piece.encode())
        return self

    def shake_hands(self):
        """Up to the replica's PSYNC."""
        self.accept().hear("PING")
        self.say("+PONG\r\n").hear("listening-port").say("+OK\r\n").hear("psync2").say("+OK\r\n").hear("PSYNC\r\n")
        return self

    def serve(self, snapshot, offset=100):
        """A full synchronization with this snapshot."""
        self.shake_hands().say(f"+FULLRESYNC {ID} {offset}\r\n", f"${len(snapshot)}\r\n", snapshot)
        return self

    def answer_in_thread(self, work):
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def stop(self):
        self.ended = True
        self.listener.close()
        if self.link:
            self.link.close()


class Replica:
    """Connects to a primary and asks for synchronization."""

    def __init__(self, port, listening_port=1, capabilities=("eof", "psync2")):
        self.link = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.heard = b""
        self.say(command("REPLCONF", "listening-port", listening_port))
        if capabilities:
            self.say(command("REPLCONF", *[word for capability in capabilities for word in ("capa", capability)]))
            self.hear(b"+OK\r\n+OK\r\n")
        else:
            self.hear(b"+OK\r\n")

    def say(self, data):
        self.link.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def hear(self, text):
        while text not in self.heard:
            data = self.link.recv(65536)
            if not data:
                raise Failed(f"the primary closed before it said {text!r}; it said {self.heard[-200:]!r}")
            self.heard += data
        return self

    def heard_end(self):
        """Reads until the primary closes."""
        try:
            while True:
                data = self.link.recv(65536)
                if not data:
                    return True
                self.heard += data
        except TimeoutError:
            return False
        except OSError:
            return True

    def synchronize(self):
        """A full synchronization by a mark, up to the end of the snapshot; gives (id, offset)."""
        self.say(command("PSYNC", "?", "-1")).hear(b"$EOF:")
        head, _, rest = self.heard.partition(b"$EOF:")
        self.heard = rest
        self.hear(b"\r\n")
        mark, _, self.heard = self.heard.partition(b"\r\n")
        self.hear(mark)
        self.heard = self.heard.partition(mark)[2]
        line = [part for part in head.split(b"\r\n") if b"FULLRESYNC" in part][0].strip()
        _, history, offset = line.split(b" ")
        return history, int(offset)

    def ack(self, offset):
        return self.say(command("REPLCONF", "ACK", offset))

    def stop(self):
        self.link.close()
