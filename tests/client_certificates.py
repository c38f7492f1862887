# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that applications sign in with, as files and as what an administrator uploads to Entra."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12
from cryptography.x509.oid import NameOID

PASSWORD = 'certificate"p&ss=wörd%7 ☃'


@dataclass(frozen=True)
class ClientCertificate:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: Any

    @property
    def uploaded(self) -> dict[str, Any]:
        """The public part as a key credential of an application."""
        content = base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()
        return {"key": content, "type": "AsymmetricX509Cert", "usage": "Verify"}

    def certificate_pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self, password: str = "") -> bytes:
        """The key alone."""
        protection = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        return bytes(self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection))

    def pem(self, file: Path, password: str = "") -> str:
        """Write certificate and key to a PEM file and return its path."""
        file.write_bytes(self.certificate_pem() + self.key_pem(password))
        return str(file)

    def pfx(self, file: Path, password: str = "") -> str:
        """Write certificate and key to a PFX file and return its path."""
        protection = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        file.write_bytes(pkcs12.serialize_key_and_certificates(b"client", self.key, self.certificate, None, protection))
        return str(file)


@cache
def client_certificate(name: str = "automation", days: float = 30, kind: str = "rsa") -> ClientCertificate:
    """Return a certificate that ends in some `days`, with a key of a `kind`: rsa or ec."""
    key: Any = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if kind == "rsa"
        else ec.generate_private_key(ec.SECP256R1())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    ends = datetime.now(timezone.utc) + timedelta(days=days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=60))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return ClientCertificate(certificate, key)
