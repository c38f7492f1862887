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
      - Whether the certificate of the host has to be valid.
      - With V(false) anybody on the way can read and change what is sent, credentials included, and a warning says so.
        For a private certificate authority use O(ca_path) instead.
    type: bool
    default: true
  ca_path:
    description:
      - File (PEM) or directory (hashed by OpenSSL) with the certificate authorities to trust, in API calls and in the
        request for a token.
      - If left out, E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE) names it, and without these the authorities of the
        requests library are trusted.
      - It has no effect with O(validate_certs=false).
    type: path
  proxy:
    description:
      - Address of the proxy for API calls and for the request for a token, such as V(http://192.0.2.10:3128). It may
        hold a user name and a password.
      - If left out, E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY) (or their lower-case forms) apply. If given,
        E(NO_PROXY) does not.
    type: str
  timeout:
    description:
      - How long to wait for an answer, in seconds. A connection has to be made within this time, and within 15 seconds
        at most.
    type: float
    default: 60
  retries:
    description:
      - How many times a request is repeated at most, after a failed connection, a dropped or truncated answer, and the
        statuses 429, 500, 502, 503 and 504. Every repetition is shown as a warning. V(0) turns repetitions off.
      - The pauses are random and grow up to 30 seconds, unless the host names one (header C(Retry-After)).
      - A request that creates something is only repeated when it certainly had no effect. Where that is unclear, the
        object is looked up first.
    type: int
    default: 5
  retry_deadline:
    description:
      - How long after its first attempt a request may be repeated, in seconds. A repetition that would begin later is
        not made.
    type: float
    default: 120
"""
