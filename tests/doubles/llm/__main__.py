"""`python -m tests.doubles.llm --port-file F`: translates by rule, and misbehaves as `POST /_double` tells.

The rule: "리나" becomes "en ub9acub098" (the letters as code points), so that a test sees which text became what.
Switches: `mode` (see `content` and `do_POST`), `seconds` before it answers, `key` that it demands. `GET /_double` gives
the questions so far.
"""

import argparse
import contextlib
import json
import os
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

STATE: dict[str, Any] = {"mode": "good", "seconds": 0.0, "key": ""}
QUESTIONS: list[dict[str, Any]] = []


def english(text: str) -> str:
    """Latin words for any text, each another for another text."""
    short = text if len(text) < 200 else text[:100] + text[-100:]
    return "en " + re.sub(r"[^\x00-\x7f]", lambda m: f"u{ord(m.group()):x}", short)


def content(body: dict[str, Any]) -> str:
    """What the model says, in the present mode."""
    texts = json.loads(body["messages"][1]["content"])
    good = {number: english(text) for number, text in texts.items()}
    said: dict[str, Any] = {
        "good": good,
        "partial": dict(list(good.items())[:1]),
        "echo": texts,
        "wrong_types": {number: [text] for number, text in good.items()},
        "other_keys": {f"x{number}": text for number, text in good.items()},
        "essay": {number: text + " and so on" * 2000 for number, text in good.items()},
    }
    mode = STATE["mode"]
    if mode == "words":
        return "I am sorry, I cannot do that."
    if mode == "broken":
        return json.dumps(good)[:-3]
    if mode == "fenced":
        return f"Here you are:\n```json\n{json.dumps(good)}\n```"
    return json.dumps(said.get(mode, good), ensure_ascii=False)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.reply(200, json.dumps(QUESTIONS).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/_double":
            STATE.update(body)
            return self.reply(200, b"{}")
        QUESTIONS.append({"path": self.path, "authorization": self.headers.get("Authorization", ""), **body})
        time.sleep(STATE["seconds"])
        mode = STATE["mode"]
        if self.path != "/v1/chat/completions":
            return self.reply(404, b"nothing here")
        if STATE["key"] and self.headers.get("Authorization") != f"Bearer {STATE['key']}":
            return self.reply(401, b'{"error": {"message": "no such key"}}')
        if mode == "error":
            return self.reply(500, b"<html>broken</html>")
        if mode == "redirect":
            self.send_response(307)
            self.send_header("Location", "/v1/elsewhere")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if mode == "html":
            return self.reply(200, b"<html>welcome</html>")
        if mode == "huge":
            return self.reply(200, b" " * 3_000_000)
        if mode == "drip":
            return self.drip()
        answer = {"choices": [{"message": {"role": "assistant", "content": content(body)}}]}
        return self.reply(200, json.dumps(answer).encode())

    def drip(self) -> None:
        """A byte now and then, for ever."""
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b" ")
                time.sleep(0.05)
        except OSError:
            pass

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):  # the client had enough
            self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.doubles.llm")
    parser.add_argument("--port-file", type=Path, required=True)
    wanted = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    part = wanted.port_file.with_suffix(".part")
    part.write_text(str(server.server_port), encoding="ascii")
    os.replace(part, wanted.port_file)
    server.serve_forever()
