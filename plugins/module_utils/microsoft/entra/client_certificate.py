# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate that an application signs in with: a PEM file with its key, or a PFX file.

See docs/facts/entra.md#sign-in-with-a-certificate.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
import traceback
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ...missing_library import missing_library
from ...transport.errors import BadConnectionOption
from .proofs import assertion_form

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import pkcs12

    CRYPTOGRAPHY_IMPORT_ERROR = None
except ImportError:
    CRYPTOGRAPHY_IMPORT_ERROR = traceback.format_exc()

OPTION, PASSWORD_OPTION = "azure_client_certificate", "azure_client_certificate_password"
PEM_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
PEM_KEY = re.compile(rb"-----BEGIN (?P<kind>[A-Z ]*PRIVATE KEY)-----.+?-----END (?P=kind)-----", re.DOTALL)
# The first byte of a PFX file, a sequence in DER.
DER_SEQUENCE = 0x30
MAX_BYTES = 1_000_000
# Seconds. Entra advises to keep assertions short.
ASSERTION_LIFETIME = 300


@dataclass(frozen=True)
class ClientCertificate:
    """A certificate with its private key, read from the file `path`; `password` decrypts the key, "" if it is not encrypted."""

    path: str
    password: str = ""

    @property
    def key(self) -> str:
        """The file and its password."""
        return f"{self.path}\0{self.password}"

    def form(self, client: str, audience: str) -> dict[str, str]:
        """Return a new assertion for the token endpoint `audience`; raise `BadConnectionOption` for a certificate that cannot be used.

        The file is read each time, since certificates are renewed.
        """
        if CRYPTOGRAPHY_IMPORT_ERROR:
            raise BadConnectionOption(missing_library("cryptography", OPTION))
        certificate, key = self._load()
        now = int(time.time())
        self._check_dates(certificate, now)
        thumbprint = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest()
        header = {"alg": "PS256", "typ": "JWT", "x5t#S256": _encoded(thumbprint)}
        claims = {
            "aud": audience,
            "iss": client,
            "sub": client,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + ASSERTION_LIFETIME,
        }
        signed = ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)
        return assertion_form(f"{signed}.{_encoded(key.sign(signed.encode(), pss, hashes.SHA256()))}")

    def _load(self) -> tuple[Any, Any]:
        data = self._content()
        if data[:1] == bytes([DER_SEQUENCE]):
            certificates, key = self._from_pfx(data)
        else:
            certificates, key = self._from_pem(data)
        if key is None:
            raise self._unusable("holds no private key; add the key to the PEM file, or use a PFX file that has it")
        if not isinstance(key, rsa.RSAPrivateKey):
            raise self._unusable("holds a key that is not RSA, which Entra does not accept")
        numbers = key.public_key().public_numbers()
        for certificate in certificates:
            public = certificate.public_key()
            if isinstance(public, rsa.RSAPublicKey) and public.public_numbers() == numbers:
                return certificate, key
        raise self._unusable("holds no certificate of its private key")

    def _content(self) -> bytes:
        try:
            with open(self.path, "rb") as file:
                return file.read(MAX_BYTES)
        except OSError as error:
            raise self._unusable(f"cannot be read: {error.strerror}") from None

    def _from_pem(self, data: bytes) -> tuple[list[Any], Any]:
        certificates = [found[0] for found in PEM_CERTIFICATE.finditer(data)]
        keys = [found[0] for found in PEM_KEY.finditer(data)]
        if not certificates and not keys:
            raise self._unusable("is neither a PEM file nor a PFX file")
        try:
            loaded = [x509.load_pem_x509_certificate(certificate) for certificate in certificates]
        except ValueError:
            raise self._unusable("holds a damaged certificate") from None
        return loaded, self._pem_key(keys[0]) if keys else None

    def _pem_key(self, key: bytes) -> Any:
        encrypted = b"ENCRYPTED" in key
        try:
            # A password for a key that is not encrypted is not an error: the variable may be meant for another file.
            password = self.password.encode() if encrypted and self.password else None
            return serialization.load_pem_private_key(key, password)
        except TypeError:
            raise self._unusable(f"is encrypted; set {PASSWORD_OPTION}") from None
        except ValueError:
            raise self._undecryptable() if encrypted else self._unusable("holds a damaged private key") from None

    def _from_pfx(self, data: bytes) -> tuple[list[Any], Any]:
        try:
            password = self.password.encode() if self.password else None
            key, certificate, others = pkcs12.load_key_and_certificates(data, password)
        except (ValueError, TypeError):
            raise self._undecryptable() from None
        return [found for found in (certificate, *others) if found is not None], key

    def _undecryptable(self) -> BadConnectionOption:
        if self.password:
            return self._unusable(f"cannot be decrypted: {PASSWORD_OPTION} is wrong, or the file is damaged")
        return self._unusable(f"is encrypted or damaged; set {PASSWORD_OPTION}")

    def _check_dates(self, certificate: Any, now: int) -> None:
        begins, ends = _moments(certificate)
        if now >= ends.timestamp():
            raise self._unusable(
                f"expired on {ends:%Y-%m-%d}; renew it, and upload its public part (Entra > App registrations > Certificates & secrets)"
            )
        if now < begins.timestamp():
            raise self._unusable(f"is not valid before {begins:%Y-%m-%d %H:%M} UTC; check the clock of this machine")

    def _unusable(self, reason: str) -> BadConnectionOption:
        return BadConnectionOption(f"{OPTION} {self.path} {reason}")


def _moments(certificate: Any) -> Iterator[datetime]:
    """Yield when a certificate begins and ends; before cryptography 42 both lack their time zone."""
    for name in ("not_valid_before", "not_valid_after"):
        aware = getattr(certificate, f"{name}_utc", None)
        yield aware or getattr(certificate, name).replace(tzinfo=timezone.utc)


def _encoded(data: bytes) -> str:
    """Return bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
