#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_recommendation_info
short_description: Read the recommendations of Defender for Cloud
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the recommendations (assessments) of subscriptions, management groups or security connectors, one for each
    resource and kind of finding, with severity and remedy.
  - All pages are read, those of many scopes in one task.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  scope:
    description:
      - Whose recommendations, a subscription (V(/subscriptions/<id>)), a management group
        (V(/providers/Microsoft.Management/managementGroups/<name>)) or the resource id of a security connector.
      - If left out, the subscription of O(azure_subscription_id).
    type: str
  scopes:
    description:
      - Several of them, read one after the other. One that is refused becomes an entry of RV(problems), and the others
        are read all the same; the task fails when all are refused.
    type: list
    elements: str
  status:
    description:
      - Which statuses to choose. An empty list chooses all.
    type: list
    elements: str
    choices: [Unhealthy, Healthy, NotApplicable]
    default: [Unhealthy]
  severities:
    description:
      - Which severities to choose. If left out, all.
      - Severity belongs to the kind of a recommendation (its metadata), not to the single finding; RV(recommendations[].risk_level)
        does.
    type: list
    elements: str
    choices: [Critical, High, Medium, Low]
  filter:
    description:
      - A condition in JMESPath that is applied to each recommendation, with the keys of RV(recommendations), such as
        V(severity == 'High' && contains(resource_id, '/rg-prod/')).
      - What it gives is taken for true unless it is null, false or empty.
    type: str
  limit:
    description:
      - How many recommendations to choose at most. V(0) means all. No page is read beyond.
    type: int
    default: 0
  include_unselected:
    description:
      - Whether to return those too that O(status), O(severities) and O(filter) do not choose, with V(false) in
        RV(recommendations[].selected). Tickets need them, to tell a finding that has healed from one that was never chosen.
    type: bool
    default: false
  assignments:
    description:
      - Whether to read the governance assignment of each unhealthy recommendation that is chosen, with the ticket that it names. Costs
        one list for each kind of recommendation in a subscription or connector.
    type: bool
    default: false
  source:
    description:
      - Where to read.
    type: str
    choices:
      assessments: The lists of the security provider, page by page. They are always up to date.
      resource_graph: Resource Graph, which chooses O(status) and O(severities) on the server and takes far fewer calls for many
        subscriptions. It lags behind, leaves out without a word what may not be read, and takes neither management groups nor
        O(include_unselected); RV(scopes_read) stays empty. Not for tickets.
    default: assessments
requirements:
  - jmespath, with O(filter)
notes:
  - Security Reader is enough.
  - The list of assessments takes no filter (api-version 2025-05-04), so every page is read, and chosen from here.
  - Severity, remedy and categories are joined from C(assessmentMetadata), whose lists are read once for the tenant, and once for
    each subscription that has recommendations of its own.
seealso:
  - module: secops.servicenow_defender.mdc_assignments
  - plugin: secops.servicenow_defender.tickets_for_recommendations
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read what is severe in production
  secops.servicenow_defender.mdc_recommendation_info:
    azure_tenant_id: "{{ azure_tenant_id }}"
    azure_client_id: "{{ azure_client_id }}"
    azure_client_secret: "{{ vault_azure_client_secret }}"
    scopes:
      - /subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23
      - /subscriptions/c32e05d9-7207-4e22-bdf4-4f7d9c72e5fd
    severities: [Critical, High]
    filter: contains(resource_id, '/resourceGroups/prod')
  register: found
"""

RETURN = r"""
msg:
  description: One sentence that says what was found or done.
  returned: always
  type: str
recommendations:
  description: The recommendations, ordered by their ids.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Resource id of the assessment.
      type: str
    key:
      description: C(mdc-) and the first 40 hex digits of the SHA-256 of the id in lower case without slashes around it. The same
        for ever, it is the C(correlation_id) of the ticket.
      type: str
    name:
      description: Name of the assessment, the same for all resources. It is C(recommendation) in M(secops.servicenow_defender.mdc_assignments).
      type: str
    display_name:
      description: What the portal calls it.
      type: str
    severity:
      description: V(Critical), V(High), V(Medium) or V(Low); empty where there are no metadata.
      type: str
    risk_level:
      description: Risk of this finding, V(Critical), V(High), V(Medium), V(Low) or V(None); empty where it was not judged.
      type: str
    status:
      description: V(Unhealthy), V(Healthy) or V(NotApplicable).
      type: str
    cause:
      description: Code of the cause of the status.
      type: str
    description:
      description: The status in words.
      type: str
    first_evaluated_at:
      description: When it was first evaluated, as the platform writes it, UTC.
      type: str
    changed_at:
      description: When the status last changed, as the platform writes it, UTC.
      type: str
    resource_id:
      description: Id of the assessed resource.
      type: str
    resource_name:
      description: Its name.
      type: str
    resource_type:
      description: Its type.
      type: str
    source:
      description: Where it is, in lower case, such as V(azure), V(aws), V(gcp), V(github) or V(onpremise).
      type: str
    connector:
      description: Id of the security connector through which it was found; empty for a resource of Azure.
      type: str
    subscription_id:
      description: Id of the subscription.
      type: str
    portal_url:
      description: Its page in the portal; empty where the platform names none.
      type: str
    assessment_description:
      description: Why it matters, from the metadata.
      type: str
    remediation:
      description: What to do about it, from the metadata. It can hold HTML.
      type: str
    categories:
      description: Categories, from the metadata.
      type: list
      elements: str
    is_deprecated:
      description: Whether the month in which the kind of recommendation was to end has passed.
      type: bool
    selected:
      description: Whether O(status), O(severities) and O(filter) choose it.
      type: bool
    assignment:
      description:
        - What is assigned, with C(id), C(owner), C(due_date), C(eta), C(eta_justification), C(grace_period), C(ticket_number),
          C(ticket_link) and C(ticket_status); null where nothing is. Only with O(assignments), and for unhealthy ones.
      type: dict
  sample:
    - id: /subscriptions/1/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/vm1/providers/Microsoft.Security/assessments/1195afff
      key: mdc-81867afc09f34c38c6e0d4a03962459f27ad2df0
      name: 1195afff
      display_name: Machines should have vulnerability findings resolved
      severity: High
      status: Unhealthy
      resource_name: vm1
      source: azure
      selected: true
scopes_read:
  description: The scopes that were read to their end, with the subscriptions that turned up in a management group. Only there
    does a missing recommendation mean that it is gone.
  returned: success
  type: list
  elements: str
  sample: [/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23]
problems:
  description:
    - What stands in the way. C(scope_refused:...) names a scope that could not be read, C(integration_scope) the security connectors
      whose recommendations no integration on a subscription covers.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Name of the problem, the same in every run.
      type: str
    severity:
      description: V(warning) or V(error).
      type: str
    message:
      description: What it is.
      type: str
    remedy:
      description: What to do.
      type: str
  sample: []
api_calls:
  description: Number of HTTP requests that the task sent, as R(every module returns it,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.engine.errors import InvalidInput
from ..module_utils.microsoft.arm import AZURE_OPTIONS, client_for
from ..module_utils.microsoft.defender_cloud.assessments import SEVERITIES, STATUSES, UNHEALTHY
from ..module_utils.microsoft.defender_cloud.recommendation_assignments import add_assignments
from ..module_utils.microsoft.defender_cloud.recommendation_filter import Selection
from ..module_utils.microsoft.defender_cloud.recommendations import Reader, ResourceGraphReader, scopes_of

SPEC = ansible_module.ModuleSpec(
    options={
        "scope": {"type": "str"},
        "scopes": {"type": "list", "elements": "str"},
        "status": {"type": "list", "elements": "str", "choices": STATUSES, "default": [UNHEALTHY]},
        "severities": {"type": "list", "elements": "str", "choices": SEVERITIES},
        "filter": {"type": "str"},
        "limit": {"type": "int", "default": 0},
        "include_unselected": {"type": "bool", "default": False},
        "assignments": {"type": "bool", "default": False},
        "source": {"type": "str", "choices": ["assessments", "resource_graph"], "default": "assessments"},
    },
    groups=[AZURE_OPTIONS],
    rules={"mutually_exclusive": [("scope", "scopes")]},
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return recommendations."""
    if params["limit"] < 0:
        raise InvalidInput(f"limit must be 0 (all) or more, not {params['limit']}")
    scopes = scopes_of(params)
    selection = Selection(params["status"], params["severities"] or [], params["filter"] or "")
    client = client_for(params, context)
    reader = ResourceGraphReader if params["source"] == "resource_graph" else Reader
    reading = reader(client, scopes, selection, params["limit"], params["include_unselected"]).read()
    if params["assignments"]:
        add_assignments(client, reading.rows)
    return ansible_module.information(
        msg=reading.summary(scopes),
        recommendations=reading.rows,
        scopes_read=reading.scopes_read,
        problems=[problem.as_dict() for problem in reading.problems],
    )


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
