#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A crash collector for tests and the demo: takes uploads over HTTP or HTTPS, stores what arrived,
and answers as it is told to, also badly.

    receiver.py --folder DIR [--mode MODE[,MODE...]] [--port N] [--tls CERT KEY] [--lifetime S]

Prints its port as the first line once it listens, then nothing. Every request becomes a folder
DIR/0001, DIR/0002, ... that appears complete: request.json describes the request and its parts, and
each part lies beside it as a file. Several modes are played one per request; the last one stays.
Ends by itself after --lifetime seconds, or with SIGTERM or SIGINT, with the exit status 0.
"""

import argparse
import email.utils
import http.server
import json
import os
import signal
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
import zlib

MAX_BODY = 256 << 20
MAX_PARTS = 4096
RXID = "01000000-7e23-7a1e-0000-0000000000%02x"

# mode: (status, headers, content type, body); "%n" in a body is the request's number.
ANSWERS = {
    "ok": (200, {}, "application/json", None),  # Backtrace's: {"response":"ok","_rxid":"..."}
    "ok-text": (200, {}, "text/plain", "0f4f1f5c-2f0a-4a52-9a5e-0000000000%n\n"),
    "ok-id": (200, {}, "application/json", '{"id": %n, "url": "/crashreports/%n"}'),
    "ok-antenna": (200, {}, "text/plain", "CrashID=bp-11111111-2222-3333-4444-0000000000%n\n"),
    "ok-empty": (200, {}, "text/plain", ""),
    "ok-html": (200, {}, "text/html", "<!DOCTYPE html>\n<html><body>Welcome!</body></html>\n"),
    "discarded": (200, {}, "text/plain", "Discarded=rule_unsupported_product\n"),
    "error-on-200": (200, {}, "application/json",
                     '{"error": {"message": "invalid dump", "code": 6}}'),
    "400": (400, {}, "application/json", '{"detail": "missing minidump"}'),
    "401": (401, {}, "text/plain", "no key\n"),
    "403": (403, {}, "application/json", '{"error": {"message": "invalid token %u", "code": 5}}'),
    "404": (404, {}, "text/html", "<html><body>not here</body></html>"),
    "408": (408, {}, "text/plain", ""),
    "413": (413, {}, "text/plain", "too large\n"),
    "429": (429, {"Retry-After": "7"}, "text/plain", "slow down\n"),
    "429-date": (429, {"Retry-After": None}, "text/plain", "slow down\n"),  # a minute from now
    "429-bare": (429, {}, "text/plain", "slow down\n"),
    "429-far": (429, {"Retry-After": "99999999"}, "text/plain", "slow down\n"),
    "500": (500, {}, "text/plain", "internal error\n"),
    "503": (503, {}, "text/plain", "unavailable\n"),
    "redirect": (302, {"Location": "/elsewhere"}, "text/plain", "moved\n"),
    "redirect-permanent": (308, {"Location": "/elsewhere"}, "text/plain", "moved\n"),
}
# Misbehaviour: see Handler.misbehave().
MISDEEDS = ("reset", "reset-early", "413-early", "close", "stall", "stall-body", "cut-answer",
            "endless", "garbage")


class Broken(Exception):
    """The request cannot be read; the text says why."""


def parse_header_value(text):
    """Splits 'form-data; name="a"; filename="b"' into its value and parameters."""
    value, _, rest = text.partition(";")
    parameters = {}
    while rest:
        name, _, rest = rest.partition("=")
        rest = rest.lstrip()
        if rest.startswith('"'):
            content, rest = parse_quoted(rest)
        else:
            content, _, rest = rest.partition(";")
        parameters[name.strip(" ;").lower()] = content
    return value.strip().lower(), parameters


def parse_quoted(text):
    """The content of the quoted string that `text` begins with, and what follows it."""
    content, place = [], 1
    while place < len(text) and text[place] != '"':
        if text[place] == "\\" and place + 1 < len(text) and text[place + 1] in '\\"':
            place += 1
        content.append(text[place])
        place += 1
    return "".join(content), text[place + 1:].partition(";")[2]


def parse_multipart(body, boundary):
    """The parts of a multipart body as (headers, content)."""
    delimiter = b"--" + boundary.encode("latin-1")
    parts = []
    chunks = (b"\r\n" + body).split(b"\r\n" + delimiter)
    if len(chunks) < 2 or not chunks[-1].startswith(b"--"):
        raise Broken("the multipart body has no final boundary")
    for chunk in chunks[1:-1]:
        head, separator, content = chunk.partition(b"\r\n\r\n")
        if not separator or len(parts) >= MAX_PARTS:
            raise Broken("a part has no header or there are too many")
        headers = {}
        for line in head.decode("utf-8", "replace").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        parts.append((headers, content))
    return parts


def safe_name(name, number):
    """A file name made from a part's name."""
    kept = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)[:100]
    return "%03d-%s" % (number, kept.lstrip(".") or "part")


def describe_parts(folder, content_type, body):
    """Writes each part to a file in `folder`; returns fields (name: text) and files (a list)."""
    value, parameters = parse_header_value(content_type)
    fields, files = {}, []
    if value != "multipart/form-data":
        with open(os.path.join(folder, "body"), "wb") as file:
            file.write(body)
        return fields, files
    for number, (headers, content) in enumerate(parse_multipart(body, parameters["boundary"])):
        _, disposition = parse_header_value(headers.get("content-disposition", ""))
        name = disposition.get("name", "")
        stored = safe_name(name, number)
        with open(os.path.join(folder, stored), "wb") as file:
            file.write(content)
        if "filename" in disposition:
            files.append({"name": name, "filename": disposition["filename"], "stored": stored,
                          "type": headers.get("content-type"), "bytes": len(content)})
        else:
            fields[name] = content.decode("utf-8", "replace")
    return fields, files


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "cairn-receiver/1"
    timeout = 60  # seconds without a byte

    def log_message(self, format, *arguments):  # pylint: disable=redefined-builtin
        if self.server.verbose:
            sys.stderr.write("receiver: " + format % arguments + "\n")

    def do_GET(self):
        """So that a person or a script can see that it runs."""
        self.answer(200, {}, "text/plain", "send a POST\n")

    def do_POST(self):
        number, mode = self.server.next_request()
        if mode in ("reset", "reset-early"):
            self.reset(early=mode == "reset-early")
            return
        if mode == "413-early":
            self.refuse_early()
            return
        try:
            body = self.read_body()
            self.store(number, mode, body)
        except Broken as problem:
            self.answer(400, {}, "text/plain", str(problem) + "\n")
            return
        if mode in MISDEEDS:
            self.misbehave(mode)
        else:
            self.play(number, mode)

    def play(self, number, mode):
        """Answers as the table says."""
        status, headers, content_type, body = ANSWERS[mode]
        headers = dict(headers)
        if body is None:
            body = json.dumps({"response": "ok", "_rxid": RXID % (number % 256)})
        if headers.get("Retry-After", "") is None:
            headers["Retry-After"] = email.utils.formatdate(time.time() + 60, usegmt=True)
        # A rude server repeats the token of the address.
        self.answer(status, headers, content_type,
                    body.replace("%n", "%02d" % number).replace("%u", self.path))

    def answer(self, status, headers, content_type, text):
        content = text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def misbehave(self, mode):
        """What servers and networks do on bad days, once the request was read."""
        self.close_connection = True
        if mode == "stall":
            self.server.ended.wait()
        elif mode == "stall-body":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
            self.server.ended.wait()
        elif mode == "cut-answer":
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"response":"ok"')
        elif mode == "garbage":
            self.wfile.write(b"\x16\x03 this is not HTTP\r\n\r\n")
        elif mode == "endless":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
            try:
                while not self.server.ended.is_set():
                    self.wfile.write(b"a" * 65536)
            except OSError:
                pass
        # "close": not a byte of an answer

    def refuse_early(self):
        """Answers before the body was read, then closes as servers do: an end, a while to drain."""
        self.close_connection = True
        self.answer(413, {"Connection": "close"}, "text/plain", "too large\n")
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(10)
        try:
            while self.rfile.read1(65536):
                pass
        except OSError:
            pass

    def reset(self, early):
        """Breaks the connection with RST, after some of the body or at once."""
        if not early:
            self.rfile.read(min(int(self.headers.get("Content-Length", "0")) // 2, 65536))
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def read_body(self):
        """The request's body, without transfer and content encodings."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = self.read_chunks()
        else:
            length = self.headers.get("Content-Length")
            if length is None or not length.isdigit() or int(length) > MAX_BODY:
                raise Broken("the length of the body is missing or too large")
            body = self.rfile.read(int(length))
            if len(body) != int(length):
                raise Broken("the body ended early")
        if self.headers.get("Content-Encoding", "").lower() == "gzip":
            body = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(body, MAX_BODY)
        return body

    def read_chunks(self):
        body = bytearray()
        while True:
            try:
                length = int(self.rfile.readline(100).split(b";")[0], 16)
            except ValueError:
                raise Broken("a chunk has no length") from None
            if length == 0:
                break
            if len(body) + length > MAX_BODY:
                raise Broken("the body is too large")
            body += self.rfile.read(length)
            self.rfile.readline(3)
        while self.rfile.readline(8192).strip():
            pass  # trailers
        return bytes(body)

    def store(self, number, mode, body):
        """Makes the request's folder."""
        target = os.path.join(self.server.folder, "%04d" % number)
        temporary = os.path.join(self.server.folder, ".%04d.tmp" % number)
        os.mkdir(temporary)
        parts = urllib.parse.urlsplit(self.path)
        try:
            fields, files = describe_parts(temporary, self.headers.get("Content-Type", ""), body)
        except (KeyError, ValueError) as problem:
            raise Broken("the parts cannot be read: %r" % problem) from None
        description = {
            "number": number,
            "mode": mode,
            "method": self.command,
            "path": parts.path,
            "query": dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "tls": self.connection.version() if self.server.tls else None,
            "bytes": len(body),
            "fields": fields,
            "files": files,
        }
        with open(os.path.join(temporary, "request.json"), "w", encoding="utf-8") as file:
            json.dump(description, file, indent=2, sort_keys=True)
            file.write("\n")
        os.rename(temporary, target)


class Server(http.server.ThreadingHTTPServer):
    """Listens on the loopback address only."""

    daemon_threads = True

    def __init__(self, arguments):
        super().__init__(("127.0.0.1", arguments.port), Handler)
        self.folder = arguments.folder
        self.modes = arguments.mode
        self.verbose = arguments.verbose
        self.tls = arguments.tls is not None
        self.count = 0
        self.lock = threading.Lock()
        self.ended = threading.Event()
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*arguments.tls)
            # The handshake happens in the connection's thread: a silent client blocks nobody else.
            self.socket = context.wrap_socket(self.socket, server_side=True,
                                              do_handshake_on_connect=False)

    def next_request(self):
        with self.lock:
            self.count += 1
            return self.count, self.modes[min(self.count, len(self.modes)) - 1]

    def handle_error(self, request, client_address):
        if self.verbose:
            super().handle_error(request, client_address)


def parse_modes(text):
    modes = text.split(",")
    for mode in modes:
        if mode not in ANSWERS and mode not in MISDEEDS:
            raise argparse.ArgumentTypeError("there is no mode %r; there are %s" % (
                mode, " ".join(sorted(ANSWERS) + sorted(MISDEEDS))))
    return modes


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", required=True, help="where requests are stored; made if absent")
    parser.add_argument("--mode", type=parse_modes, default=["ok"], metavar="MODE[,MODE...]",
                        help="; ".join((" ".join(sorted(ANSWERS)), " ".join(MISDEEDS))))
    parser.add_argument("--port", type=int, default=0, help="0, the default: any that is free")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="PEM files; speak HTTPS")
    parser.add_argument("--lifetime", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--verbose", action="store_true", help="log requests to standard error")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    os.makedirs(arguments.folder, exist_ok=True)
    server = Server(arguments)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.ended.set())
    os.write(1, b"%d\n" % server.server_address[1])  # whole, whatever the buffering is
    server.ended.wait(arguments.lifetime)
    server.ended.set()
    # Stalled connections are daemon threads: they end with the process.
    return 0


if __name__ == "__main__":
    sys.exit(main())
