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
        and gives access to routes that no application permission covers, the list of connectors and policies. Microsoft
        has announced its end without a date, so that each task with it has a warning.
      - If not set, E(MDA_API_TOKEN) is used. Without it, the C(azure_*) options are used, with the permissions of
        I(Microsoft Cloud App Security) in Entra. They are also used for the rest of a task once the tenant refuses the token
        with the status 401; a warning says so.
    type: str
  mda_portal_cookie:
    description:
      - Value of the header C(Cookie) of a signed-in portal session. Only used with contracts.
    type: str
  mda_portal_xsrf_token:
    description:
      - Value of the header C(X-XSRF-TOKEN) of the same session, which is the decoded cookie C(XSRF-TOKEN). Only used
        with contracts.
      - The portal replaces it every few minutes, by a cookie of its responses. The tasks of the same user that follow use the newer
        one, which is kept in the temporary directory, masked with O(mda_portal_cookie).
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
