"""A web server of our own, on this machine, that can misbehave in the ways that servers do."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message


@dataclass
class File:
    """A file on the server, and how the server serves it."""

    content: bytes
    etag: str = '"one"'
    date: str = ""
    ranges: bool = True
    """Whether ``Range`` is understood."""
    blind: bool = False
    """Whether ``If-Range`` is disregarded: a half of the old file is continued with the new one."""
    breaks: list[int] = field(default_factory=list)
    """After how many bytes the next answers end, before the file does."""
    fails: list[int] = field(default_factory=list)
    """The status of the next answers."""
    headers: dict[str, str] = field(default_factory=dict)
    says_size: bool = True


@dataclass
class Server:
    """Where the server is, what it holds, and what it was asked for."""

    address: str
    files: dict[str, File] = field(default_factory=dict)
    asked: list[tuple[str, Message]] = field(default_factory=list)

    def url(self, name: str) -> str:
        """Return the address of a file."""
        return f"{self.address}/{name}"

    def paths(self) -> list[str]:
        """Return the names of the files that were asked for, in order."""
        return [path.removeprefix("/") for path, _ in self.asked]

    def ranges(self, name: str) -> list[str | None]:
        """Return the ``Range`` of each question about a file."""
        return [headers["Range"] for path, headers in self.asked if path == f"/{name}"]


class _Handler(http.server.BaseHTTPRequestHandler):
    server_: Server

    def do_GET(self) -> None:
        self.server_.asked.append((self.path, self.headers))
        self.close_connection = True
        file = self.server_.files.get(self.path.removeprefix("/"))
        if file is None:
            self.send_error(404)
        elif file.fails:
            self.send_error(file.fails.pop(0))
        else:
            self._serve(file)

    def _serve(self, file: File) -> None:
        begin = self._begin(file)
        if begin > len(file.content):
            self.send_error(416)
            return
        body = file.content[begin:]
        self.send_response(206 if begin else 200)
        if begin:
            last = len(file.content) - 1
            self.send_header("Content-Range", f"bytes {begin}-{last}/{len(file.content)}")
        for name, value in {"ETag": file.etag, "Last-Modified": file.date, **file.headers}.items():
            if value:
                self.send_header(name, value)
        if file.says_size:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: file.breaks.pop(0) if file.breaks else None])

    def _begin(self, file: File) -> int:
        wanted = self.headers["Range"]
        version = self.headers["If-Range"]
        same = file.blind or version in (None, file.etag or None, file.date or None)
        return int(wanted[6:-1]) if wanted and file.ranges and same else 0

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server until the end of the block."""
    handler = type("Handler", (_Handler,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        server = Server(f"http://127.0.0.1:{running.server_port}")
        handler.server_ = server  # type: ignore[attr-defined]
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            running.shutdown()
            thread.join()
