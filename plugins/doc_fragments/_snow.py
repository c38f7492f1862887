# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of a ServiceNow instance. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    """Where the instance is, and how to sign in."""

    DOCUMENTATION = r"""
options:
  snow_url:
    description:
      - Address of the instance, such as V(https://acme-prod.service-now.com). A path that a gateway puts before it is
        kept.
      - Credentials are only sent over https. Plain http is refused for all but loopback addresses.
      - If left out, E(SN_HOST) is used. One of the two is required.
    type: str
  snow_username:
    description:
      - User name of the account that calls the API, for the grants V(basic) and V(password).
      - If left out, E(SN_USERNAME) is used.
    type: str
  snow_password:
    description:
      - Password of O(snow_username).
      - If left out, E(SN_PASSWORD) is used.
    type: str
  snow_grant_type:
    description:
      - How to sign in.
      - If left out, E(SN_GRANT_TYPE) is used. Without it, the first of these whose options are all given is taken,
        V(token), V(api_key), V(jwt_bearer), V(refresh_token), V(password), V(client_credentials), V(basic), V(mtls).
      - A token is fetched once for each task, loops included. It is renewed before it ends, and once when the instance
        refuses it.
      - Instances can refuse Basic authentication to accounts that may sign in interactively, and new ones do. The
        answer looks like a wrong password.
    type: str
    choices:
      basic: User name and password with every request. Takes O(snow_username) and O(snow_password).
      password: A token for a user name and a password. Takes O(snow_client_id), O(snow_client_secret), O(snow_username)
        and O(snow_password).
      client_credentials: A token for the application, which acts as its OAuth application user. Takes O(snow_client_id)
        and O(snow_client_secret).
      refresh_token: A token for a refresh token. Takes O(snow_client_id), O(snow_client_secret) and
        O(snow_refresh_token).
      jwt_bearer: A token for a signed assertion. Takes O(snow_client_id), O(snow_client_secret) and
        O(snow_jwt_assertion).
      token: An access token that was fetched elsewhere, such as by M(secops.servicenow_defender.snow_token). Takes
        O(snow_access_token).
      api_key: An API key with every request. Takes O(snow_api_key).
      mtls: The client certificate alone. Takes O(snow_client_cert).
  snow_client_id:
    description:
      - Client id of the OAuth application that the token is fetched with.
      - If left out, E(SN_CLIENT_ID) is used.
    type: str
  snow_client_secret:
    description:
      - Client secret that goes with O(snow_client_id).
      - If left out, E(SN_CLIENT_SECRET) is used.
    type: str
  snow_refresh_token:
    description:
      - Refresh token for the grant V(refresh_token).
      - If left out, E(SN_REFRESH_TOKEN) is used.
    type: str
  snow_jwt_assertion:
    description:
      - Signed JSON Web Token for the grant V(jwt_bearer). The instance issues no such token for an administrator.
    type: str
  snow_access_token:
    description:
      - Access token for the grant V(token). It cannot be renewed.
      - If left out, E(SN_ACCESS_TOKEN) is used.
    type: str
  snow_api_key:
    description:
      - API key for the grant V(api_key), sent in the header C(x-sn-apikey).
      - If left out, E(SN_API_KEY) is used.
    type: str
  snow_client_cert:
    description:
      - File (PEM) with the client certificate for the TLS connection. It goes with any grant, and is the only proof
        with V(mtls).
    type: path
  snow_client_key:
    description:
      - File (PEM) with the private key of O(snow_client_cert), not encrypted.
      - If left out, the file of the certificate holds the key, too.
    type: path
notes:
  - No task runs on the instance itself. Let the connection be V(local), or delegate to a host that reaches the
    instance.
  - Environment variables are read where the module runs; the keyword C(environment) sets them.
  - Secrets appear neither in results nor in messages nor in the diff.
"""
