"""A data node that is none: it answers a sentinel's commands with whatever a test wants it to say."""
import socket
import threading


def bulk(data):
    data = data if isinstance(data, bytes) else data.encode()
    return b"$%d\r\n%b\r\n" % (len(data), data)


class Pretender:
    """`info`: the reply to INFO, as bytes of the protocol; `answers`: those to other commands, by their name in capitals."""

    def __init__(self, info=None):
        self.info = info
        self.answers = {"PING": b"+PONG\r\n", "PUBLISH": b":1\r\n", "SUBSCRIBE": b"*3\r\n$9\r\nsubscribe\r\n$18\r\n__sentinel__:hello\r\n:1\r\n"}
        self.asked = []
        self.links = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.host = "127.0.0.1"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            self.links.append(link)
            threading.Thread(target=self.serve, args=(link,), daemon=True).start()

    def serve(self, link):
        file = link.makefile("rb")
        try:
            while True:
                line = file.readline()
                if not line:
                    return
                words = []
                for _ in range(int(line[1:])):
                    size = int(file.readline()[1:])
                    words.append(file.read(size + 2)[:-2])
                name = words[0].decode("latin1").upper()
                self.asked.append(name)
                reply = self.info if name == "INFO" and self.info is not None else self.answers.get(name, b"+OK\r\n")
                link.sendall(reply)
        except (OSError, ValueError):
            pass
        finally:
            link.close()

    def times_asked(self, name):
        return self.asked.count(name)

    def say_to_all(self, data):
        """Without having been asked."""
        for link in self.links:
            try:
                link.sendall(data)
            except OSError:
                pass

    def stop(self):
        self.listener.close()
        for link in self.links:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
