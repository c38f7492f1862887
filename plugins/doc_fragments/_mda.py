# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of Defender for Cloud Apps. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    """Connection options, and options that several modules share."""

    DOCUMENTATION = r"""
options:
  mda_url:
    description:
      - URL of the tenant's API, such as V(https://acme.us3.portal.cloudappsecurity.com). The portal shows it under
        Settings > Cloud Apps > System > About (API URL). The path prefix of a gateway is kept.
      - If not set, E(MDA_URL) is used. One of the two is required.
    type: str
  mda_api_token:
    description:
      - API token of Defender for Cloud Apps (legacy authentication). It has the permissions of the user who issued it
        and gives access to routes that no application permission covers.
      - If not set, E(MDA_API_TOKEN) is used. Without it, the C(azure_*) options are used, with the permissions of
        I(Microsoft Cloud App Security) in Entra.
    type: str
  mda_portal_cookie:
    description:
      - Value of the header C(Cookie) of a signed-in portal session. Only used with contracts.
    type: str
  mda_portal_xsrf_token:
    description:
      - Value of the header C(X-XSRF-TOKEN) of the same session, which is the decoded cookie C(XSRF-TOKEN). Only used
        with contracts.
    type: str
notes:
  - A tenant accepts 30 calls per minute. All tasks that run on one machine share a record of their calls (times only,
    in the temporary directory of Ansible) and wait as needed.
"""

    APP = r"""
options:
  app_id:
    description:
      - Id of the app in Defender for Cloud Apps. ServiceNow is V(14509).
    type: int
    default: 14509
"""
