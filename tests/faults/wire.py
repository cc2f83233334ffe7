"""wire.py: a TCP proxy of our own, in front of one server: a wire that can be cut, or is slow."""
import socket
import struct
import threading
import time


class Wire:
    """Passes bytes both ways until cut(); mend() lets new connections through again. With a rate,
    all that the server sends passes at so many bytes a second together."""

    def __init__(self, port, rate=None):
        self.to, self.ends, self.whole, self.lock = port, [], True, threading.Lock()
        self.rate, self.free_at = rate, 0.0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                try:
                    if not self.whole:
                        raise OSError("cut")
                    far = socket.create_connection(("127.0.0.1", self.to))
                except OSError:
                    near.close()
                    continue
                self.ends += [near, far]
            threading.Thread(target=self._pass, args=(near, far, None), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, self.rate), daemon=True).start()

    def _pass(self, source, sink, rate):
        try:
            while chunk := source.recv(1 << 14 if rate else 1 << 16):
                if rate:
                    self._wait(len(chunk) / rate)
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)
        except OSError:                 # one side is gone: the other must hear of it
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _wait(self, seconds):
        with self.lock:
            self.free_at = max(self.free_at, time.monotonic()) + seconds
            until = self.free_at
        time.sleep(max(0.0, until - time.monotonic()))

    def cut(self):
        """Every connection is gone at once, with a reset, as when a router forgets them."""
        with self.lock:
            self.whole = False
            for end in self.ends:
                try:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.shutdown(socket.SHUT_RDWR)
                    end.close()
                except OSError:
                    pass
            self.ends = []

    def mend(self):
        with self.lock:
            self.whole = True

    def close(self):
        self.listener.close()
        self.cut()
