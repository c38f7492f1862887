# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of Microsoft Entra and what stands behind it. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    """Which tenant, which cloud, and how to sign in."""

    DOCUMENTATION = r"""
options:
  azure_tenant_id:
    description:
      - Id or domain of the Microsoft Entra tenant.
      - If not set, E(AZURE_TENANT_ID) or E(AZURE_TENANT) is used.
    type: str
  azure_client_id:
    description:
      - Client id of the application that signs in. With O(azure_auth_source=managed_identity), the client id of the
        identity to use if the machine has several.
      - If not set, E(AZURE_CLIENT_ID) is used.
    type: str
  azure_client_secret:
    description:
      - Secret of O(azure_client_id), the value, not its id.
      - If not set, E(AZURE_CLIENT_SECRET) or E(AZURE_SECRET) is used.
    type: str
  azure_client_certificate:
    description:
      - File with a certificate of O(azure_client_id) and its private key (RSA), as PEM or PFX. Its public part is uploaded to the application
        in Entra. It is read at each sign-in.
      - If not set, E(AZURE_CLIENT_CERTIFICATE_PATH) or E(AZURE_CERTIFICATE_PATH) is used.
    type: path
  azure_client_certificate_password:
    description:
      - Password of O(azure_client_certificate), if its key is encrypted.
      - If not set, E(AZURE_CLIENT_CERTIFICATE_PASSWORD) is used.
    type: str
  azure_federated_token_file:
    description:
      - File with a token of another issuer that O(azure_client_id) trusts (workload identity federation). It is read at
        each sign-in.
      - If not set, E(AZURE_FEDERATED_TOKEN_FILE) is used.
    type: path
  azure_access_token:
    description:
      - Access token that was obtained elsewhere. It is valid for one API only and cannot be renewed.
    type: str
  azure_auth_source:
    description:
      - How to sign in.
      - A token is fetched once for each task, loops included. It is renewed before it expires, and once if an API
        refuses it.
    type: str
    choices:
      auto: The first of V(token), V(client_secret), V(certificate) and V(federated) whose options are all set. If there is none,
        V(managed_identity) if the environment provides one (E(IDENTITY_ENDPOINT), E(IDENTITY_HEADER)), otherwise V(cli)
        if the Azure CLI is installed.
      client_secret: Requires O(azure_tenant_id), O(azure_client_id) and O(azure_client_secret).
      certificate: Requires O(azure_tenant_id), O(azure_client_id) and O(azure_client_certificate), and the Python library cryptography, which
        ansible-core brings to the controller.
      federated: Requires O(azure_tenant_id), O(azure_client_id) and O(azure_federated_token_file).
      managed_identity: The managed identity of the machine on which the task runs.
      cli: The Azure CLI of the user who runs the task, after C(az login).
      token: Requires O(azure_access_token).
    default: auto
  azure_subscription_id:
    description:
      - Id of the subscription, for the modules of Defender for Cloud.
      - If not set, E(AZURE_SUBSCRIPTION_ID) is used.
    type: str
  azure_cloud:
    description:
      - Microsoft cloud. It determines the endpoints.
      - If not set, E(AZURE_CLOUD_ENVIRONMENT) is used.
    type: str
    choices: [AzureCloud, AzureUSGovernment, AzureChinaCloud]
    default: AzureCloud
  azure_authority_url:
    description:
      - URL of the sign-in endpoint, without tenant and path, if it differs from that of O(azure_cloud).
      - If not set, E(AZURE_AUTHORITY_HOST) is used.
    type: str
  azure_arm_url:
    description:
      - URL of Azure Resource Manager, if it differs from that of O(azure_cloud).
    type: str
  azure_graph_url:
    description:
      - URL of Microsoft Graph, without version, if it differs from that of O(azure_cloud).
    type: str
notes:
  - Environment variables are read on the host where the module runs. Set them with the keyword C(environment).
  - Secrets in options never appear in results, messages or diffs.
"""

    SCOPE = r"""
options:
  scope:
    description:
      - Scope, as V(/subscriptions/<id>), V(/providers/Microsoft.Management/managementGroups/<name>), or the resource id of a
        security connector.
      - Findings of AWS and GCP are only covered on the scope of their security connector, not on the subscription.
      - If not set, the subscription O(azure_subscription_id) is used.
    type: str
"""
