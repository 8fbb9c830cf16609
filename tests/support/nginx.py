"""nginx with deploy/nginx.conf in front of a site, on free ports and with a certificate of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import certificates
from tests.support.certificates import Certificate
from tests.support.site import ROOT, free_port, wait_until

EXAMPLE = ROOT / "deploy" / "nginx.conf"
NAME = "connect.example.com"
FRAME = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def program() -> str:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin") or ""


@dataclass(frozen=True)
class Nginx:
    """`port`: https; `plain_port`: http. Both know the site as localhost and www.localhost."""

    port: int = field(default_factory=free_port)
    plain_port: int = field(default_factory=free_port)

    @contextmanager
    def in_front_of(self, web_port: int, folder: Path) -> Iterator[Certificate]:
        """Run the example, with only its names, ports and files replaced."""
        certificate = certificates.self_signed(folder)
        (folder / "site.conf").write_text(self._example(web_port, str(certificate.file)))
        user = "user root;" if os.geteuid() == 0 else ""  # who may enter the folder
        (folder / "nginx.conf").write_text(FRAME.format(folder=folder, user=user))
        log = folder / "error.log"
        command = [program(), "-e", str(log), "-p", str(folder), "-c", str(folder / "nginx.conf")]
        process = subprocess.Popen(command)
        try:
            wait_until("nginx listens", lambda: process.poll() is not None or _listens(self.port))
            assert process.poll() is None, log.read_text()
            yield certificate
        finally:
            process.terminate()
            process.wait(20)

    def _example(self, web_port: int, certificate: str) -> str:
        replaced = {
            "127.0.0.1:8000": f"127.0.0.1:{web_port}",
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
            "    listen [::]:80;\n": "",
            "    listen [::]:443 ssl;\n": "",
            f"server_name {NAME};": "server_name localhost www.localhost;",
            f"https://{NAME}$request_uri": f"https://localhost:{self.port}$request_uri",
            f"/etc/ssl/certs/{NAME}.pem": certificate,
            f"/etc/ssl/private/{NAME}.key": certificate,
        }
        text = EXAMPLE.read_text()
        for old, new in replaced.items():
            assert old in text, old
            text = text.replace(old, new)
        return text


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
