"""A small model server for the tests: `model_server.py PORT [MODE]`; says its version, and misbehaves when asked to."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = os.environ.get("RELEASE_GATE_VERSION", "?")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path == "/close":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if self.path == "/short":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if self.path.startswith("/slow"):
            time.sleep(0.3)
        status = 500 if self.path == "/500" else 503 if mode == "unhealthy" else 200
        body = json.dumps({"version": VERSION, "pid": os.getpid()}).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nX-Version: {VERSION}\r\n\r\n".encode()
        self.wfile.write(head + body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 256


if __name__ == "__main__":
    port, mode = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "good"
    if mode == "dies":
        sys.exit("the model is not there")
    if mode == "worker":
        worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        print(f"worker {worker.pid}", flush=True)
    if mode == "late":
        time.sleep(1.0)
    print(f"serving {VERSION}", flush=True)
    Server(("127.0.0.1", port), Handler).serve_forever()
