# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every HTTP connection. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that all modules of the collection take."""

    DOCUMENTATION = r"""
requirements:
  - python >= 3.10
  - requests >= 2.28
options:
  validate_certs:
    description:
      - Whether to verify the TLS certificate of the host.
      - With V(false), the connection can be intercepted, credentials included, and a warning is issued. For a private
        certificate authority, use O(ca_path) instead.
    type: bool
    default: true
  ca_path:
    description:
      - File (PEM) or directory (hashed by OpenSSL) with the certificate authorities to trust, for API calls and token
        requests.
      - If not set, E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE) is used, otherwise the certificate authorities of the
        requests library.
      - It has no effect with O(validate_certs=false).
    type: path
  proxy:
    description:
      - URL of the proxy for API calls and token requests, such as V(http://192.0.2.10:3128). It may contain a user name
        and a password.
      - If not set, E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY) (or their lower-case forms) apply. If set, E(NO_PROXY)
        is ignored.
    type: str
  timeout:
    description:
      - Maximum time to wait for a response, in seconds. A connection must be established within this time, and within
        15 seconds at most.
    type: float
    default: 60
  retries:
    description:
      - Maximum number of retries of a request, after a failed connection, a dropped or truncated response, and the
        statuses 429, 500, 502, 503 and 504. Every retry issues a warning. V(0) disables retries.
      - The intervals are random and increase up to 30 seconds, unless the host sets one (header C(Retry-After)).
      - A request that creates an object is only retried if it certainly had no effect. If that is unclear, the object
        is looked up first.
    type: int
    default: 5
  retry_deadline:
    description:
      - Maximum time after the first attempt in which a request is retried, in seconds.
    type: float
    default: 120
"""
