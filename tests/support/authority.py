"""A certificate authority of a test, and HTTPS sinks with certificates of it."""

from __future__ import annotations

import datetime as dt
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path


#: what a key may be used for (RFC 5280 4.2.1.3)
_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class Authority:
    """Signs certificates for names; its own is in `file`."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        may = dict.fromkeys(_USES, False) | {"key_cert_sign": True, "crl_sign": True}
        own = self._made(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        own = own.add_extension(x509.KeyUsage(**may), critical=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _made(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number())
        # RFC 5280 4.2.1.1 and 4.2.1.2, which Python holds certificates to since 3.13
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = made.add_extension(issuer, critical=False)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        return made.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(days=1))

    def certificate(self, host: str) -> Path:
        """Return the file of a certificate for a host, with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        signed = self._made(name, key).add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        path = self._folder / f"{host}-{signed.serial_number}.pem"
        pem = serialization.Encoding.PEM
        path.write_bytes(key.private_bytes(pem, kind, plain) + signed.public_bytes(pem))
        return path


class Sink:
    """An HTTPS server on localhost that keeps what is posted, and says what it is told to, then 204."""

    def __init__(self, certificate: Path, *says: int, port: int = 0) -> None:
        self.says, self.posts = list(says), []  # type: ignore[var-annotated]
        self.at: list[float] = []  # when each began to come
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sink.at.append(time.monotonic())
                body = self.rfile.read(int(self.headers["Content-Length"]))
                said = sink.says.pop(0) if sink.says else 204
                sink.posts.append((said, self.path, dict(self.headers), json.loads(body)))
                self.send_response(said)
                if said == 302:
                    self.send_header("Location", self.path)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that does not trust us
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def taken(self) -> list[tuple[str, Any]]:
        """The events that it took: the last word of the type, and the data."""
        return [(body["type"].rpartition(".")[2], body["data"]) for said, _, _, body in self.posts if said < 300]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
