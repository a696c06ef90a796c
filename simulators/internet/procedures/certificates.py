"""Certificates of hosts: each signs its own, for its names and addresses (RFC 5280)."""

from __future__ import annotations

import datetime as dt
import ipaddress
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

    from simulators.internet.core import Core

_DAY = dt.timedelta(days=1)


def certificate_of(core: Core, address: str) -> ssl.SSLContext:
    """Return what the host at an address needs for TLS; it is made when somebody asks first."""
    from simwarden.runtime.ip.tls import server_context  # noqa: PLC0415 - OpenSSL takes time to load

    host = core.hosts[address]
    known = core.contexts.get(host.addresses[0])
    if known is None:
        with tempfile.TemporaryDirectory(prefix="simwarden-") as folder:  # OpenSSL takes keys from files alone
            path = Path(folder) / "host.pem"
            path.write_bytes(_make(core, host.names, host.addresses))
            known = core.contexts[host.addresses[0]] = server_context(str(path))
    return known


def _make(core: Core, names: tuple[str, ...], addresses: tuple[str, ...]) -> bytes:
    """Return key and certificate (PEM). Signatures of Ed25519 are of one length, so that runs count the same octets."""
    from cryptography import x509  # noqa: PLC0415 - few runs have TLS
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - as above

    key = Ed25519PrivateKey.from_private_bytes(core.site.rng.randbytes(32))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, (names or addresses)[0][:64])])
    alternatives: list[x509.GeneralName] = [x509.DNSName(each) for each in names]
    alternatives += [x509.IPAddress(ipaddress.ip_address(each)) for each in addresses]
    now = core.site.clock.wall().replace(microsecond=0)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1 + core.site.rng.getrandbits(63))
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 3650 * _DAY)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, None)
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + made.public_bytes(serialization.Encoding.PEM)
