"""A TCP proxy between a program and the server, whose wire can be cut."""

import socket
import threading


class Proxy:
    """Forwards connections to ``port`` until it is cut; while cut, connections are accepted and go nowhere.

    Args:
        port: of the server on loopback.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._cut = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Take the network away: what is open stops moving and is dropped, nothing new gets through."""
        self._cut.set()
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()

    def mend(self) -> None:
        """Give the network back."""
        self._cut.clear()

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._cut.is_set():
                # Kept open without an answer, as a dead link does.
                with self._lock:
                    self._open.add(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(1 << 16):
                if self._cut.is_set():
                    break
                target.sendall(data)
        except OSError:
            pass
        finally:
            source.close()
            target.close()
