"""A private nginx for the tests: our certificate, ports of its own, nothing outside its folder."""

import json
import os
import shutil
import socket
import subprocess
import time

import pytest

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
needs_nginx = pytest.mark.skipif(not NGINX, reason="nginx is not installed")
SLOW_KB = 200  # a second, of what is below /slow/

CONFIGURATION = """
{user}daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    types {{ text/html html; application/octet-stream aci asc; }}
    log_format all escape=json
        '{{"path": "$request_uri", "status": $status, "http2": "$http2", "protocol": "$server_protocol",'
        ' "range": "$http_range", "ifRange": "$http_if_range", "ifNoneMatch": "$http_if_none_match",'
        ' "sent": $body_bytes_sent, "encoding": "$sent_http_content_encoding", "user": "$remote_user",'
        ' "certificate": "$ssl_client_s_dn", "tls": "$ssl_protocol", "https": "$https"}}';
    access_log {folder}/access.log all;
    client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp;
    uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
    sendfile on;
    gzip on; gzip_min_length 0; gzip_types *;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {certificate}; ssl_certificate_key {certificate};
    server {{
        listen 127.0.0.1:{tls} ssl http2;
        root {folder}/files;
        ssl_client_certificate {ca}; ssl_verify_client optional;
        autoindex on;
        location /slow/ {{ alias {folder}/files/; limit_rate {slow}k; }}
        location /packed/ {{ alias {folder}/files/; gzip_static always; }}
        location /private/ {{ alias {folder}/files/; auth_basic images; auth_basic_user_file {folder}/passwords; }}
        location /known/ {{ alias {folder}/files/; if ($ssl_client_verify != SUCCESS) {{ return 403; }} }}
        location /fresh/ {{ alias {folder}/files/; expires 1h; }}
        location = /app {{ default_type text/html; try_files /app.html =404; }}
    }}
    server {{
        listen 127.0.0.1:{plain};
        location / {{ return 301 https://localhost:{tls}$request_uri; }}
    }}
    server {{
        listen 127.0.0.1:{old} ssl;
        root {folder}/files;
        location /slow/ {{ alias {folder}/files/; limit_rate {slow}k; }}
    }}
}}
"""


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return found


class Nginx:
    """Serves the files of self.files at self.url (HTTP/2), self.old (HTTP/1.1), self.plain (sends to self.url)."""

    def __init__(self, folder, pki):
        self.ca, certificate = pki
        self.folder, self.files = folder, folder / "files"
        self.files.mkdir(parents=True)
        (folder / "tmp").mkdir()
        self.port, plain, old = free_ports(3)
        self.url, self.old = f"https://localhost:{self.port}", f"https://localhost:{old}"
        self.plain = f"http://localhost:{plain}"
        (folder / "passwords").write_text("me:{PLAIN}open sesame\n")
        (folder / "nginx.conf").write_text(CONFIGURATION.format(
            folder=folder, certificate=certificate, ca=self.ca, tls=self.port, plain=plain, old=old, slow=SLOW_KB,
            user="user root;\n" if os.geteuid() == 0 else ""))
        self.process = subprocess.Popen(
            [NGINX, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"], stderr=subprocess.PIPE)
        self.wait()

    def wait(self):
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                assert self.process.poll() is None, self.process.stderr.read().decode()
                assert time.monotonic() < end
                time.sleep(0.02)

    def put(self, name, body):
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return path

    def asked(self, path=None):
        """What was asked for PATH and answered, in order: dicts as log_format has them. An answer is
        written down when it has ended, so who was told of it may be a moment early."""
        time.sleep(0.1)
        lines = (self.folder / "access.log").read_text().splitlines()
        found = [json.loads(line) for line in lines]
        return [one for one in found if path in (None, one["path"])]

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()


def client_certificate(folder, ca):
    """The path of a certificate with key that CA (with its key beside it) made."""
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", *ec, "-days", "2", "-CA", ca, "-CAkey", ca.with_name("ca.key"), "-subj",
         "/CN=a client", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", folder / "client.key", "-out",
         folder / "client.crt"], check=True, stderr=subprocess.DEVNULL)
    both = folder / "client.pem"
    both.write_bytes((folder / "client.crt").read_bytes() + (folder / "client.key").read_bytes())
    return both
