# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in to an instance: one small way for every grant."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..transport.errors import BadConnectionOption, HttpError, SignInFailed
from ..transport.session import Response, Session
from ..transport.token_cache import Token, TokenCache, key_of

TOKEN_PATH = "/oauth_token.do"

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
WIRE_GRANT = {
    "password": "password",
    "client_credentials": "client_credentials",
    "refresh_token": "refresh_token",
    "jwt_bearer": JWT_BEARER,
}

# What each grant takes, by connection option. Client id and secret are sent where given.
NEEDS = {
    "basic": ("snow_username", "snow_password"),
    "password": ("snow_client_id", "snow_client_secret", "snow_username", "snow_password"),
    "client_credentials": ("snow_client_id", "snow_client_secret"),
    "refresh_token": ("snow_client_id", "snow_client_secret", "snow_refresh_token"),
    "jwt_bearer": ("snow_client_id", "snow_client_secret", "snow_jwt_assertion"),
    "token": ("snow_access_token",),
    "api_key": ("snow_api_key",),
    "mtls": ("snow_client_cert",),
}
# The order in which a grant is derived from what is given: the most specific first.
DERIVED = ("token", "api_key", "jwt_bearer", "refresh_token", "password", "client_credentials", "basic", "mtls")

ACCESS_DENIED_CAUSES = (
    "wrong user name or password",
    "the user is inactive, locked out or must reset the password",
    "multi-factor authentication is demanded of integrations (glide.authenticate.multifactor.for_integrations)",
    "the grant is switched off (glide.oauth.inbound.ropc.grant_type.disabled for passwords, "
    "glide.oauth.inbound.client.credential.grant_type.enabled for client credentials)",
    "the refresh token has expired or was revoked",
    "the application has a broken or unknown scope or profile (the instance's syslog says invalid_scope)",
    "some releases refuse accounts with web service access only",
)
INVALID_CLIENT_CAUSES = ("wrong client secret", "unknown client id", "the application is inactive")


def grant_of(params: Mapping[str, Any]) -> str:
    """Return the grant that a task's connection options ask for.

    Raises `BadConnectionOption` when they ask for none, or for one whose options are missing.
    """
    grant = params.get("snow_grant_type")
    if not grant:
        grant = next((name for name in DERIVED if all(params.get(option) for option in NEEDS[name])), "")
    if not grant:
        given = sorted(name for name in {o for options in NEEDS.values() for o in options} if params.get(name))
        found = (
            f"{' and '.join(given)} alone {'is' if len(given) == 1 else 'are'} not enough"
            if given
            else "no credentials are set"
        )
        raise BadConnectionOption(
            f"no way to sign in to {params.get('snow_url')}: {found}. Give snow_username and "
            f"snow_password, or the options of an OAuth grant, or snow_access_token, snow_api_key or snow_client_cert"
        )
    missing = [option for option in NEEDS[grant] if not params.get(option)]
    if missing:
        raise BadConnectionOption(f"snow_grant_type {grant} needs {', '.join(missing)}")
    return str(grant)


@dataclass
class FixedSigner:
    """Proof that cannot be renewed: Basic, API key, a given token, or none (client certificate)."""

    sent: dict[str, str]

    def headers(self) -> Mapping[str, str]:
        """Return the headers that authenticate the account."""
        return self.sent

    def renew(self) -> bool:
        """Return False: there are no newer credentials."""
        return False


# Seconds that a token should live for the requests that are to use it.
USEFUL_LIFE = 5.0
# One token for each instance and credentials in this process.
TOKENS = TokenCache(renew_before=60.0)


@dataclass
class TokenSigner:
    """A token from the instance's token endpoint, fetched on first use and again before it ends."""

    session: Session
    form: dict[str, str]

    def __post_init__(self) -> None:
        self._key = key_of(self.session.base_url, *(f"{k}={v}" for k, v in sorted(self.form.items())))

    def headers(self) -> Mapping[str, str]:
        """Return the bearer header, with a token that lives for at least another moment."""
        return {"Authorization": f"Bearer {self.token().text}"}

    def renew(self) -> bool:
        """Forget the token that was refused; the next request fetches another."""
        return TOKENS.forget(self._key)

    def token(self) -> Token:
        """Return a live token."""
        token = TOKENS.token(self._key, lambda: request_token(self.session, self.form))
        self.session.caller.redactor.add(token.text)
        return token


def ask_for_token(session: Session, form: Mapping[str, str]) -> Response:
    """POST to the token endpoint and return the answer, be it a token or an error. Changes nothing on the instance.

    A token that is about to expire is waited for once: while it lives, an instance returns it with what is left of its life, also to
    others that sign in as the same application and user (docs/facts/servicenow_platform.md#token-endpoint).
    """
    answer = _ask(session, form)
    if (left := _seconds_left(answer)) < USEFUL_LIFE:
        time.sleep(max(0.0, left) + 1)
        later = _ask(session, form)
        return later if later.status == 200 else answer
    return answer


def _ask(session: Session, form: Mapping[str, str]) -> Response:
    answer = session.request("POST", TOKEN_PATH, form=form, signed=False, only_reads=True, accept_errors=True)
    for name in ("access_token", "refresh_token"):
        if isinstance(answer.data, Mapping):
            session.caller.redactor.add(answer.data.get(name))
    return answer


def _seconds_left(answer: Response) -> float:
    """Return how long the token of an answer is valid; infinite where there is none."""
    issued = answer.status == 200 and isinstance(answer.data, Mapping) and answer.data.get("access_token")
    return lifetime(answer.data.get("expires_in")) if issued else float("inf")


def request_token(session: Session, form: Mapping[str, str]) -> Token:
    """Fetch a token, or raise `SignInFailed` with the likely causes."""
    answer = ask_for_token(session, form)
    data = answer.data if isinstance(answer.data, Mapping) else {}
    if answer.status >= 400 or not data.get("access_token"):
        raise SignInFailed(
            f"sign-in to {session.base_url} with grant {form['grant_type']} was refused. "
            f"{answer.error(session.caller.redactor.scrub_text)}. Likely causes: {'; '.join(likely_causes(answer))}"
        )
    return Token(str(data["access_token"]), lifetime(data.get("expires_in")), data)


def lifetime(value: Any) -> float:
    """Return `expires_in` (a number, or digits) in seconds; 1800, the platform's default, for anything else."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return 1800.0


def likely_causes(answer: Response) -> tuple[str, ...]:
    """Return what may be behind a refused token request: the platform's own word is generic.

    See docs/facts/servicenow_platform.md#token-errors.
    """
    if answer.status == 200:
        return ("the answer holds no access_token",)
    error = answer.data.get("error") if isinstance(answer.data, Mapping) else None
    if error == "invalid_client":
        return INVALID_CLIENT_CAUSES
    if error == "unauthorized_client":
        return ("the application has no OAuth application user, or that user is gone",)
    if error == "unsupported_grant_type":
        return ("this release or application does not know the grant",)
    if error == "invalid_grant":
        return ("the assertion or code is wrong or expired", "JWT bearer is never granted to an administrator")
    return ACCESS_DENIED_CAUSES


def token_form(grant: str, params: Mapping[str, Any]) -> dict[str, str]:
    """Return the body of the token request of `grant`, from connection options."""
    form = {"grant_type": WIRE_GRANT[grant]}
    sources = {"client_id": "snow_client_id", "client_secret": "snow_client_secret"}
    if grant == "password":
        sources |= {"username": "snow_username", "password": "snow_password"}
    elif grant == "refresh_token":
        sources["refresh_token"] = "snow_refresh_token"
    elif grant == "jwt_bearer":
        sources["assertion"] = "snow_jwt_assertion"
    for name, option in sources.items():
        if params.get(option):
            form[name] = str(params[option])
    return form


def basic_header(username: str, password: str) -> dict[str, str]:
    """Return the header of HTTP Basic authentication."""
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def signer_for(params: Mapping[str, Any], session: Session) -> FixedSigner | TokenSigner:
    """Return the signer for a task's connection options."""
    grant = grant_of(params)
    if grant in WIRE_GRANT:
        return TokenSigner(session, token_form(grant, params))
    if grant == "basic":
        return FixedSigner(basic_header(params["snow_username"], params["snow_password"]))
    if grant == "token":
        return FixedSigner({"Authorization": f"Bearer {params['snow_access_token']}"})
    if grant == "api_key":
        return FixedSigner({"x-sn-apikey": params["snow_api_key"]})
    return FixedSigner({})


def explain_401(grant: str, error: HttpError, username: str) -> str:
    """Return what a 401 of an API call means for someone who signed in with `grant`."""
    if grant == "basic":
        return (
            f"{error}. Likely causes: wrong user name or password of {username}; the user is inactive, locked out or must reset "
            f"the password; multi-factor authentication is demanded; or the instance "
            f"restricts Basic authentication to web-service-only users (glide.authenticate.basic_auth.restriction.enforce), which looks "
            f"just like a wrong password. Use an OAuth grant, or an account with web_service_access_only"
        )
    if grant == "token":
        return f"{error}. The access token has expired, was revoked, or belongs to another instance; get a new one"
    if grant == "api_key":
        return f"{error}. The API key is wrong, inactive or expired, or no access policy accepts API keys for this API"
    if grant == "mtls":
        return f"{error}. The instance does not know the client certificate, or maps it to no active user"
    return f"{error}. A fresh token was refused as well: an access policy of the instance may demand another way to sign in"
