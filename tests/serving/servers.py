"""A server for tests that misbehaves as it is told: `python servers.py PORT [MODE]`, dependency-free."""

from __future__ import annotations

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODE = sys.argv[2] if len(sys.argv) > 2 else "good"
BEGAN = time.monotonic()


class Handler(BaseHTTPRequestHandler):
    """Health and predictions: the score of a row is its x."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if MODE == "unhealthy":
            self.answer(503, {"status": "warming up"})
        elif MODE == "pathless" or (MODE == "late" and time.monotonic() - BEGAN < 1):
            self.answer(404, {"error": "no such path"})
        else:
            self.answer(200, {"status": "ok", "version": os.environ.get("RELEASE_GATE_VERSION"), "tags": ["a", "b"]})

    def do_POST(self) -> None:  # noqa: C901 - one branch a mode
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if MODE == "dies":
            os._exit(9)
        if MODE == "hangs":
            time.sleep(60)
        if MODE == "slow":
            time.sleep(0.05)
        if MODE == "not json":
            self.answer(200, b"<html>")
            return
        if MODE == "floods":
            self.answer(200, b"0" * 2_000_000)
            return
        if MODE == "accepts all":
            self.answer(200, {"predictions": []})
            return
        try:
            rows = json.loads(body)["rows"]
            scores: list[Any] = [row["x"] for row in (rows if isinstance(rows, list) else [rows])]
        except (ValueError, KeyError, TypeError):
            self.answer(422, {"error": "not what is asked for"})
            return
        if MODE == "off":
            scores = [score + 0.5 for score in scores]
        if MODE == "short":
            scores = scores[1:]
        if MODE == "nan":
            scores = [float("nan")] * len(scores)
        if MODE == "text":
            scores = ["high"] * len(scores)
        self.answer(200, {"predictions": [{"score": score} for score in scores]})

    def answer(self, status: int, content: Any) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        print("asked", *words, flush=True)


if __name__ == "__main__":
    if MODE == "exits":
        print("the model is not there", flush=True)
        sys.exit(3)
    if MODE == "silent":
        time.sleep(60)
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
