# SPDX-License-Identifier: GPL-3.0-or-later
"""A throw-away certificate authority with a server and a client certificate, written next to the inventory."""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Certificates:
    """The files: authority, server pair, and a client pair whose common name is a user name."""

    authority: Path
    server_certificate: Path
    server_key: Path
    client_certificate: Path
    client_key: Path

    def server_context(self) -> ssl.SSLContext:
        """The server's side of TLS: client certificates of the authority are accepted, not demanded."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server_certificate, self.server_key)
        context.load_verify_locations(self.authority)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def paths(self) -> dict[str, str]:
        """The files that a client needs, by connection option."""
        return {
            "ca_path": str(self.authority),
            "client_cert": str(self.client_certificate),
            "client_key": str(self.client_key),
        }


def make_certificates(directory: Path, client_name: str) -> Certificates:
    """Create a new authority and its certificates in a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    files = Certificates(
        *(directory / f"sandbox-{name}.pem" for name in ("ca", "server", "server-key", "client", "client-key"))
    )
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _sign("Sandbox CA", authority_key, None, authority_key, is_authority=True)
    server_key = ec.generate_private_key(ec.SECP256R1())
    hosts: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    server = _sign("localhost", server_key, authority, authority_key, hosts=hosts)
    client_key = ec.generate_private_key(ec.SECP256R1())
    client = _sign(client_name, client_key, authority, authority_key)
    for path, content in (
        (files.authority, _pem(authority)),
        (files.server_certificate, _pem(server)),
        (files.server_key, _key_pem(server_key)),
        (files.client_certificate, _pem(client)),
        (files.client_key, _key_pem(client_key)),
    ):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    return files


def _sign(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    hosts: list[x509.GeneralName] | None = None,
    is_authority: bool = False,
) -> x509.Certificate:
    now = datetime.now(timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(_usage(is_authority), critical=True)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    if not is_authority:
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
