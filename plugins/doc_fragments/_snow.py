# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of a ServiceNow instance. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    """Where the instance is, and how to sign in."""

    DOCUMENTATION = r"""
options:
  snow_url:
    description:
      - URL of the instance, such as V(https://acme-prod.service-now.com). The path prefix of a gateway is kept.
      - Credentials are only sent over HTTPS. Plain HTTP is refused except for loopback addresses.
      - If not set, E(SN_HOST) is used. One of the two is required.
    type: str
  snow_username:
    description:
      - User name of the account that calls the API, for the grants V(basic) and V(password).
      - If not set, E(SN_USERNAME) is used.
    type: str
  snow_password:
    description:
      - Password of O(snow_username).
      - If not set, E(SN_PASSWORD) is used.
    type: str
  snow_grant_type:
    description:
      - How to sign in.
      - If not set, E(SN_GRANT_TYPE) is used. Without it, the first of these whose options are all set is used,
        V(token), V(api_key), V(jwt_bearer), V(refresh_token), V(password), V(client_credentials), V(basic), V(mtls).
      - A token is fetched once for each task, loops included. It is renewed before it expires, and once if the instance
        refuses it.
      - Instances can refuse Basic authentication for accounts that may sign in interactively, and new instances do so
        by default. The response is the same as for a wrong password. See
        U(https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#sign-in-gates).
    type: str
    choices:
      basic: Sends user name and password with every request. Requires O(snow_username) and O(snow_password).
      password: Gets a token for a user name and a password. Requires O(snow_client_id), O(snow_client_secret),
        O(snow_username) and O(snow_password).
      client_credentials: Gets a token for the application, which acts as its OAuth application user. Requires
        O(snow_client_id) and O(snow_client_secret).
      refresh_token: Gets a token for a refresh token. Requires O(snow_client_id), O(snow_client_secret) and
        O(snow_refresh_token).
      jwt_bearer: Gets a token for a signed assertion. Requires O(snow_client_id), O(snow_client_secret) and
        O(snow_jwt_assertion).
      token: Uses an access token that was obtained elsewhere, for example by M(secops.servicenow_defender.snow_token).
        Requires O(snow_access_token).
      api_key: Sends an API key with every request. Requires O(snow_api_key).
      mtls: Uses the client certificate alone. Requires O(snow_client_cert).
  snow_client_id:
    description:
      - Client id of the OAuth application that the token is requested for.
      - If not set, E(SN_CLIENT_ID) is used.
    type: str
  snow_client_secret:
    description:
      - Client secret that goes with O(snow_client_id).
      - If not set, E(SN_CLIENT_SECRET) is used.
    type: str
  snow_refresh_token:
    description:
      - Refresh token for the grant V(refresh_token).
      - If not set, E(SN_REFRESH_TOKEN) is used.
    type: str
  snow_jwt_assertion:
    description:
      - Signed JSON Web Token for the grant V(jwt_bearer). The instance never issues such a token for an administrator.
    type: str
  snow_access_token:
    description:
      - Access token for the grant V(token). It cannot be renewed.
      - If not set, E(SN_ACCESS_TOKEN) is used.
    type: str
  snow_api_key:
    description:
      - API key for the grant V(api_key), sent in the header C(x-sn-apikey).
      - If not set, E(SN_API_KEY) is used.
    type: str
  snow_client_cert:
    description:
      - File (PEM) with the client certificate for the TLS connection. It can be combined with any grant, and is the
        only credential with V(mtls).
    type: path
  snow_client_key:
    description:
      - File (PEM) with the private key of O(snow_client_cert), not encrypted.
      - If not set, O(snow_client_cert) must also contain the key.
    type: path
notes:
  - No task runs on the instance itself. Use the connection V(local), or delegate to a host that can reach the instance.
  - Environment variables are read on the host where the module runs. Set them with the keyword C(environment).
  - Secrets in options never appear in results, messages or diffs.
"""
