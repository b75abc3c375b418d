"""Web servers for the tests: our own, which can do everything wrong, over TLS with an own CA."""

import contextlib
import email.utils
import hashlib
import http.server
import select
import socket
import ssl
import subprocess
import threading
import time

HOST = "localhost"


def make_ca(folder, name="test CA"):
    """A CA and a certificate of localhost by it; returns the paths (CA, certificate with key)."""
    ca, server = folder / "ca.pem", folder / "server.pem"
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    request = ["openssl", "req", "-x509", *ec, "-days", "2"]
    subprocess.run(
        [*request, "-subj", f"/CN={name}", "-keyout", folder / "ca.key", "-out", ca],
        check=True, stderr=subprocess.DEVNULL)
    subprocess.run(
        [*request, "-CA", ca, "-CAkey", folder / "ca.key", "-subj", f"/CN={HOST}",
         "-addext", f"subjectAltName=DNS:{HOST},DNS:example.com,DNS:*.example.com,IP:127.0.0.1",
         "-addext", "basicConstraints=critical,CA:FALSE",
         "-keyout", folder / "server.key", "-out", folder / "server.crt"],
        check=True, stderr=subprocess.DEVNULL)
    server.write_bytes((folder / "server.crt").read_bytes() + (folder / "server.key").read_bytes())
    return ca, server


def tls_context(certificate):
    """None without one."""
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class Request:
    """What was asked: method, path (with query), headers (names in lower case)."""

    def __init__(self, method, path, headers):
        self.method, self.path = method, path
        self.headers = {name.lower(): value for name, value in headers.items()}

    def __repr__(self):
        return f"{self.method} {self.path} {self.headers}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        self.request.settimeout(60)
        super().setup()

    def log_message(self, *_):
        pass

    def do_GET(self):
        web = self.server.web
        asked = Request(self.command, self.path, self.headers)
        with web.lock:
            web.requests.append(asked)
            answer = web.routes.get(self.path) or web.routes.get(self.path.split("?")[0])
        try:
            if answer:
                answer(self, asked)
            else:
                self.reply(404, b"nothing here\n")
        except (BrokenPipeError, ConnectionError, ssl.SSLError, TimeoutError):
            self.close_connection = True

    def reply(self, status, body=b"", headers=(), length=None):
        """An answer with BODY; LENGTH replaces its Content-Length (False: none, and the end closes)."""
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        if length is not False:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def reset(self):
        """Ends the connection with RST, as a crashed peer does."""
        self.wfile.flush()
        raw = self.connection
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close_connection = True
        with contextlib.suppress(OSError):
            socket.socket.close(raw)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass

    def finish_request(self, request, address):
        # the handshake belongs into the thread of the connection: one that hangs stops nobody else
        if self.web.context:
            request.settimeout(60)
            request = self.web.context.wrap_socket(request, server_side=True)
        super().finish_request(request, address)


class Web:
    """A server at self.url. Routes are functions of (handler, request)."""

    def __init__(self, certificate=None):
        self.context = tls_context(certificate)
        self.routes, self.requests, self.lock = {}, [], threading.Lock()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.web = self
        self.port = self.server.server_address[1]
        self.host = f"{HOST}:{self.port}"
        self.url = f"{'https' if certificate else 'http'}://{self.host}"
        # how often it looks whether it is to end
        threading.Thread(target=self.server.serve_forever, args=[0.02], daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def asked(self, path):
        """The requests for PATH so far."""
        with self.lock:
            return [asked for asked in self.requests if asked.path.split("?")[0] == path]

    def route(self, path, answer):
        self.routes[path] = answer

    def file(self, path, body, **more):
        self.route(path, File(body, **more))

    def status(self, path, status, headers=(), body=b""):
        self.route(path, lambda handler, _: handler.reply(status, body, headers))

    def redirect(self, path, where, status=302):
        self.status(path, status, {"Location": where})


class File:
    """A file served as it should be: ETag, Last-Modified, revalidation, ranges. What is done wrong is
    done by who derives from it, or by the arguments."""

    def __init__(self, body, etag=True, modified=True, ranges=True, headers=(), drop_at=(), end_at=(), delay=0,
                 slow_until=1 << 62, block=16384):
        self.body = body
        self.etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"' if etag is True else etag
        self.modified = "Mon, 02 Nov 2026 10:00:00 GMT" if modified is True else modified
        self.ranges, self.headers, self.delay, self.block = ranges, dict(headers), delay, block
        self.slow_until = slow_until  # from this offset on nothing is delayed
        # offsets at which the connection is reset (what is on its way may be lost), or ended; each once
        self.drop_at, self.end_at = list(drop_at), list(end_at)

    def is_same(self, asked):
        tag, date = asked.headers.get("if-none-match"), asked.headers.get("if-modified-since")
        if tag is not None:
            return self.etag is not None and tag == self.etag
        return date is not None and date == self.modified

    def wants_rest(self, asked):
        """The offset asked for, or None: the whole file is sent."""
        wanted = asked.headers.get("range", "")
        proof = asked.headers.get("if-range")
        if not self.ranges or not wanted.startswith("bytes=") or proof not in (None, self.etag, self.modified):
            return None
        return int(wanted.removeprefix("bytes=").split("-")[0])

    def fields(self):
        found = dict(self.headers)
        if self.etag:
            found["ETag"] = self.etag
        if self.modified:
            found["Last-Modified"] = self.modified
        return found

    def __call__(self, handler, asked):
        if self.is_same(asked):
            handler.reply(304, b"", self.fields(), length=0)
            return
        start = self.wants_rest(asked)
        if start is None:
            self.send(handler, 200, 0, self.fields())
        elif start >= len(self.body):
            handler.reply(416, b"", {"Content-Range": f"bytes */{len(self.body)}"})
        else:
            end = self.end(asked)
            part = f"bytes {start}-{end - 1}/{len(self.body)}"
            self.send(handler, 206, start, {**self.fields(), "Content-Range": part}, end)

    def end(self, asked):
        """Behind the last byte asked for."""
        last = asked.headers.get("range", "-").rpartition("-")[2]
        return int(last) + 1 if last else len(self.body)

    def send(self, handler, status, start, fields, end=None):
        handler.send_response(status)
        for name, value in fields.items():
            handler.send_header(name, value)
        last = len(self.body) if end is None else end
        handler.send_header("Content-Length", str(last - start))
        handler.end_headers()
        at = start
        while at < last:
            end = min(at + self.block, last)
            drops = [offset for offset in self.drop_at + self.end_at if at <= offset < end]
            if drops:
                handler.wfile.write(self.body[at : drops[0]])
                handler.close_connection = True
                if drops[0] in self.drop_at:
                    handler.reset()
                for offsets in self.drop_at, self.end_at:
                    if drops[0] in offsets:
                        offsets.remove(drops[0])
                return
            handler.wfile.write(self.body[at:end])
            at = end
            if self.delay and at < self.slow_until:
                time.sleep(self.delay)


class Proxy:
    """An HTTP proxy that takes every CONNECT to WEB: any name of a host, with a certificate of ours. With a
    CERTIFICATE it is spoken to by TLS itself."""

    def __init__(self, web, certificate=None):
        self.web, self.asked = web, []
        self.context = tls_context(certificate)
        self.refuses = None  # the status that every CONNECT gets instead
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.listener.getsockname()[1]}"
        self.server = threading.Thread(target=self.serve, daemon=True)
        self.server.start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.connect, args=[client], daemon=True).start()

    def connect(self, client):
        if self.context:
            try:
                client = self.context.wrap_socket(client, server_side=True)
            except OSError:
                return
        head = b""
        while b"\r\n\r\n" not in head:
            more = client.recv(4096)
            if not more:
                return
            head += more
        self.asked.append(head.split()[1].decode())
        if self.refuses:
            client.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % self.refuses)
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", self.web.port))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with contextlib.suppress(OSError):
            self.copy(client, server)
        for end in client, server:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def copy(client, server):
        """Both ways, until one of them ends."""
        other = {client: server, server: client}
        while True:
            kept = isinstance(client, ssl.SSLSocket) and client.pending()
            for one in [client] if kept else select.select([client, server], [], [])[0]:
                data = one.recv(65536)
                if not data:
                    return
                other[one].sendall(data)

    def close(self):
        # who still waits for a connection may find that of the next proxy, which gets the same descriptor
        self.listener.shutdown(socket.SHUT_RDWR)
        self.server.join()
        self.listener.close()


def http_date(seconds_from_now):
    return email.utils.formatdate(time.time() + seconds_from_now, usegmt=True)
