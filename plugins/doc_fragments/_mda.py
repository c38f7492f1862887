# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of Defender for Cloud Apps. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    """Where the tenant's API is, and how to sign in where not with Entra."""

    DOCUMENTATION = r"""
options:
  mda_url:
    description:
      - Address of the tenant's API, such as V(https://acme.us3.portal.cloudappsecurity.com). The portal shows it under
        Settings > Cloud Apps > System > About (API URL). A path that a gateway puts before it is kept.
      - If left out, E(MDA_URL) is used. One of the two is required.
    type: str
  mda_api_token:
    description:
      - API token of Defender for Cloud Apps (the older way to sign in). It carries the rights of the user who issued it, and
        reaches routes that no application permission covers.
      - If left out, E(MDA_API_TOKEN) is used. Without it the C(azure_*) options are, with the permissions of I(Microsoft
        Cloud App Security) in Entra.
    type: str
  mda_portal_cookie:
    description:
      - Value of the header C(Cookie) of a signed-in portal session. Used with contracts only.
    type: str
  mda_portal_xsrf_token:
    description:
      - Value of the header C(X-XSRF-TOKEN) of the same session, the cookie C(XSRF-TOKEN) decoded. Used with contracts only.
    type: str
notes:
  - A tenant answers 30 calls a minute. All tasks that run on one machine share a record of them (times only, in the
    temporary folder of Ansible) and wait for their turn.
"""
