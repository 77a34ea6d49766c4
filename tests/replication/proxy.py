"""A TCP proxy between a replica and its primary: it can cut, stall, throttle and count what the primary sends."""
import socket
import threading
import time


class Proxy:
    """Forwards connections to `port`. What the primary sends ("down") can be held up; what the replica sends goes straight."""

    def __init__(self, port):
        self.target = port
        self.cut_after = None      # bytes down, of a connection; then it is cut
        self.bytes_per_second = None
        self.stalled = threading.Event()
        self.refusing = False
        self.down = 0              # bytes sent down, in all
        self.connections = 0
        self.pairs = []
        self.lock = threading.Lock()
        self.ended = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.ended:
            try:
                client, _ = self.listener.accept()
                if self.refusing:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self.target), 5)
                server.settimeout(None)
            except OSError:
                if not self.ended:
                    client.close()
                continue
            if self.bytes_per_second:  # what is in flight shall be little
                server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            with self.lock:
                self.connections += 1
                self.pairs.append((client, server))
            threading.Thread(target=self.serve, args=(client, server), daemon=True).start()

    def serve(self, client, server):
        up = threading.Thread(target=self.pump, args=(client, server, False), daemon=True)
        up.start()
        self.pump(server, client, True)
        up.join()
        with self.lock:
            self.pairs = [pair for pair in self.pairs if pair[0] is not client]
        client.close()
        server.close()

    def pump(self, source, sink, down):
        passed = 0
        try:
            while True:
                while down and self.stalled.is_set():
                    time.sleep(0.005)
                rate = self.bytes_per_second if down else None
                data = source.recv(max(1, rate // 50) if rate else 65536)
                if not data:
                    break
                while down and self.stalled.is_set():
                    time.sleep(0.005)
                if down and self.cut_after is not None and passed + len(data) >= self.cut_after:
                    sink.sendall(data[:self.cut_after - passed])
                    break
                sink.sendall(data)
                passed += len(data)
                if down:
                    self.down += len(data)
                if rate:
                    time.sleep(len(data) / rate)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Ends the connections that there are; new ones are accepted."""
        with self.lock:
            for pair in self.pairs:
                for end in pair:
                    try:
                        end.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass

    def stall(self):
        self.stalled.set()

    def resume(self):
        self.stalled.clear()

    def stop(self):
        self.ended = True
        self.stalled.clear()
        self.listener.close()
        self.cut()
