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
      - If left out, E(AZURE_TENANT_ID) or E(AZURE_TENANT) is used.
    type: str
  azure_client_id:
    description:
      - Client id of the application that signs in. With O(azure_auth_source=managed_identity), that of the identity, where
        the machine has several.
      - If left out, E(AZURE_CLIENT_ID) is used.
    type: str
  azure_client_secret:
    description:
      - Secret of O(azure_client_id), the value and not the id of it.
      - If left out, E(AZURE_CLIENT_SECRET) or E(AZURE_SECRET) is used.
    type: str
  azure_federated_token_file:
    description:
      - File with a token of another issuer that O(azure_client_id) trusts (workload identity). It is read for each sign-in.
      - If left out, E(AZURE_FEDERATED_TOKEN_FILE) is used.
    type: path
  azure_access_token:
    description:
      - Access token that was fetched elsewhere. It is good for one API only, and cannot be renewed.
    type: str
  azure_auth_source:
    description:
      - How to sign in.
      - A token is fetched once for each task, loops included. It is renewed before it ends, and once when an API refuses it.
    type: str
    choices:
      auto: The first of these whose options are all given, V(token), V(client_secret), V(federated). Without any,
        V(managed_identity) where the environment announces one (E(IDENTITY_ENDPOINT), E(IDENTITY_HEADER)), and V(cli) where the
        Azure CLI is installed.
      client_secret: Takes O(azure_tenant_id), O(azure_client_id) and O(azure_client_secret).
      federated: Takes O(azure_tenant_id), O(azure_client_id) and O(azure_federated_token_file).
      managed_identity: The identity that Azure gave the machine on which the task runs.
      cli: The Azure CLI of the user who runs the task, after C(az login).
      token: Takes O(azure_access_token).
    default: auto
  azure_subscription_id:
    description:
      - Id of the subscription, for modules of Defender for Cloud.
      - If left out, E(AZURE_SUBSCRIPTION_ID) is used.
    type: str
  azure_cloud:
    description:
      - Which cloud of Microsoft. It chooses the endpoints.
      - If left out, E(AZURE_CLOUD_ENVIRONMENT) is used.
    type: str
    choices: [AzureCloud, AzureUSGovernment, AzureChinaCloud]
    default: AzureCloud
  azure_authority_url:
    description:
      - Address that signs in, without tenant and path, where it is not that of O(azure_cloud).
      - If left out, E(AZURE_AUTHORITY_HOST) is used.
    type: str
  azure_arm_url:
    description:
      - Address of Azure Resource Manager, where it is not that of O(azure_cloud).
    type: str
  azure_graph_url:
    description:
      - Address of Microsoft Graph, without version, where it is not that of O(azure_cloud).
    type: str
notes:
  - Environment variables are read where the module runs; the keyword C(environment) sets them.
  - Secrets appear neither in results nor in messages nor in the diff.
"""
