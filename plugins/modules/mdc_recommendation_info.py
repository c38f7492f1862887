#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mdc_recommendation_info
short_description: List the recommendations of Defender for Cloud
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the recommendations (assessments) of subscriptions, management groups or security connectors, one for each
    resource and type of finding, with severity and remediation.
  - All pages are read, for any number of scopes in one task.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_azure
  - secops.servicenow_defender._attributes.info_module
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._transport
options:
  scope:
    description:
      - Scope to read, a subscription (V(/subscriptions/<id>)), a management group
        (V(/providers/Microsoft.Management/managementGroups/<name>)) or the resource id of a security connector.
      - If not set, the subscription O(azure_subscription_id) is used.
    type: str
  scopes:
    description:
      - Scopes to read, instead of O(scope). A refused scope is reported in RV(problems) and the others are read; the
        task fails if all are refused.
    type: list
    elements: str
  status:
    description:
      - Statuses to select. An empty list selects all.
    type: list
    elements: str
    choices: [Unhealthy, Healthy, NotApplicable]
    default: [Unhealthy]
  severities:
    description:
      - Severities to select, V(Critical), V(High), V(Medium) or V(Low), in upper or lower case. If not set, all are selected.
      - The severity is that of the recommendation (its metadata), not of a single finding; see
        RV(recommendations[].risk_level) for the latter.
    type: list
    elements: str
  risk_levels:
    description:
      - Risk levels to select, V(Critical), V(High), V(Medium), V(Low) or V(None), in upper or lower case. If not set, all are selected.
    type: list
    elements: str
  categories:
    description:
      - Categories to select, of RV(recommendations[].recommendation_category) or RV(recommendations[].categories), in upper or lower case.
        If not set, all are selected.
    type: list
    elements: str
  attack_paths:
    description:
      - Whether to select only recommendations that are part of an attack path, as far as the platform says so.
    type: bool
    default: false
  min_age_days:
    description:
      - For how many days, at least, a recommendation has had its status. One without a date is selected.
    type: int
    default: 0
  filter:
    description:
      - JMESPath expression that is applied to each recommendation, with the keys of RV(recommendations), such as
        V(severity == 'High' && contains(resource_id, '/rg-prod/')).
      - A recommendation is selected unless the result is null, false or empty.
    type: str
  limit:
    description:
      - Maximum number of recommendations to select. V(0) selects all. No further pages are read.
    type: int
    default: 0
  include_unselected:
    description:
      - Whether to also return recommendations that O(status), O(severities) and O(filter) do not select, with
        RV(recommendations[].selected) set to V(false). Ticketing requires them, to distinguish a resolved finding from
        one that was never selected.
    type: bool
    default: false
  assignments:
    description:
      - Whether to read the governance assignment of each selected unhealthy recommendation, with its ticket. It
        requires one list call for each type of recommendation in a subscription or connector.
    type: bool
    default: false
  tags:
    description:
      - Keys of tags. The tags of the assessed resources with these keys are read from Resource Graph, for selected recommendations.
      - Requires Reader on the subscriptions. Where Resource Graph shows no resource of one, that is a problem, and with O(include_unselected)
        its recommendations about resources are not selected.
    type: list
    elements: str
    default: []
  source:
    description:
      - API to read from.
    type: str
    choices:
      assessments: The lists of the security provider, page by page. They are always up to date.
      resource_graph: Resource Graph, which filters by O(status) and O(severities) on the server and requires far fewer
        calls for many subscriptions. It is updated with a delay, silently omits what cannot be read, and supports
        neither management groups nor O(include_unselected); RV(scopes_read) is empty. Do not use it for tickets.
    default: assessments
requirements:
  - jmespath, with O(filter)
notes:
  - Requires Security Reader on the scope.
  - The list of assessments does not support filters (API version 2025-05-04), so every page is read and filtered
    locally.
  - Severity, remediation and categories are joined from C(assessmentMetadata), which is read once for the tenant, and
    once for each subscription with custom recommendations.
seealso:
  - module: secops.servicenow_defender.mdc_assignments
  - plugin: secops.servicenow_defender.tickets_for_recommendations
    plugin_type: filter
  - name: 'Facts: Assessments'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/defender_for_cloud.md#assessments
"""

EXAMPLES = r"""
- name: List severe recommendations in production
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
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 431 recommendations in 2 scopes, 57 selected
recommendations:
  description: The recommendations, sorted by id.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Resource id of the assessment.
      type: str
    key:
      description: C(mdc-) and the first 40 hex digits of the SHA-256 of the id, in lower case and without leading and
        trailing slashes. It never changes and is the C(correlation_id) of the ticket.
      type: str
    name:
      description: Name of the assessment, the same for all resources. It is C(recommendation) in M(secops.servicenow_defender.mdc_assignments).
      type: str
    display_name:
      description: Name in the portal.
      type: str
    severity:
      description: V(Critical), V(High), V(Medium) or V(Low); empty without metadata.
      type: str
    risk_level:
      description: Risk of this finding, V(Critical), V(High), V(Medium), V(Low) or V(None); empty if it was not
        assessed.
      type: str
    attack_paths:
      description: Number of attack paths that the finding is part of; 0 if the platform names none.
      type: int
    status:
      description: V(Unhealthy), V(Healthy) or V(NotApplicable).
      type: str
    cause:
      description: Code of the cause of the status.
      type: str
    is_exempt:
      description: Whether an exemption is the cause of the status.
      type: bool
    description:
      description: Description of the status.
      type: str
    first_evaluated_at:
      description: Time of the first evaluation, as returned by the platform, UTC.
      type: str
    changed_at:
      description: Time of the last status change, as returned by the platform, UTC.
      type: str
    resource_id:
      description: Id of the assessed resource.
      type: str
    resource_name:
      description: Name of the resource.
      type: str
    resource_type:
      description: Type of the resource.
      type: str
    source:
      description: Environment of the resource, in lower case, such as V(azure), V(aws), V(gcp), V(github) or
        V(onpremise).
      type: str
    environment:
      description: Where the resource is, V(azure), V(aws), V(gcp), V(on_premises) (also a machine that Azure Arc projects into Azure), else
        the source.
      type: str
    connector:
      description: Id of the security connector; empty for a resource in Azure.
      type: str
    subscription_id:
      description: Id of the subscription.
      type: str
    resource_group:
      description: Name of the resource group; empty if it has none.
      type: str
    portal_url:
      description: URL in the portal; empty if not returned.
      type: str
    assessment_description:
      description: Description of the recommendation, from the metadata.
      type: str
    remediation:
      description: Remediation, from the metadata. It can contain HTML.
      type: str
    recommendation_category:
      description: Recommendation category, such as V(SoftwareUpdate) or V(ExposedSecrets), from the metadata; empty if it has none.
      type: str
    categories:
      description: Categories, from the metadata.
      type: list
      elements: str
    is_deprecated:
      description: Whether the planned month of deprecation has passed.
      type: bool
    selected:
      description: Whether O(status), O(severities) and O(filter) select it.
      type: bool
    tags:
      description: Tags of the resource with the keys of O(tags). Only with O(tags), and for selected recommendations.
      type: dict
    assignment:
      description:
        - The governance assignment, with C(id), C(owner), C(due_date), C(eta), C(eta_justification), C(grace_period),
          C(ticket_number), C(ticket_link) and C(ticket_status); null if there is none. Only with O(assignments), and
          for unhealthy recommendations.
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
  description: Scopes that were read completely, including the subscriptions found in a management group. Only in these
    scopes does a missing recommendation mean that it no longer exists.
  returned: success
  type: list
  elements: str
  sample: [/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23]
problems:
  description:
    - Problems. C(scope_refused:...) contains a scope that could not be read, C(foundational_off:...) a subscription that has no
      recommendations because the plan Foundational CSPM is off, C(integration_scope) the security connectors whose recommendations no
      integration on a subscription covers, C(tags_unread:...) a subscription whose resources Resource Graph does not show.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the problem, stable across runs.
      type: str
    severity:
      description: V(warning) or V(error).
      type: str
    message:
      description: The problem.
      type: str
    remedy:
      description: How to fix it.
      type: str
  sample: []
unproven:
  description: What could not be compared, and why, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: success
  type: list
  elements: dict
api_calls:
  description: Number of HTTP requests that the task sent, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.microsoft.arm import AZURE_OPTIONS, client_for
from ..module_utils.microsoft.defender_cloud.assessments import STATUSES, UNHEALTHY, risk_levels_of, severities_of
from ..module_utils.microsoft.defender_cloud.recommendation_assignments import add_assignments
from ..module_utils.microsoft.defender_cloud.recommendation_filter import Context, Selection
from ..module_utils.microsoft.defender_cloud.recommendations import Reader, ResourceGraphReader, scopes_of
from ..module_utils.microsoft.defender_cloud.resource_tags import add_tags

SPEC = ansible_module.ModuleSpec(
    options={
        "scope": {"type": "str"},
        "scopes": {"type": "list", "elements": "str"},
        "status": {"type": "list", "elements": "str", "choices": STATUSES, "default": [UNHEALTHY]},
        "severities": {"type": "list", "elements": "str"},
        "risk_levels": {"type": "list", "elements": "str"},
        "categories": {"type": "list", "elements": "str"},
        "attack_paths": {"type": "bool", "default": False},
        "min_age_days": {"type": "int", "default": 0},
        "filter": {"type": "str"},
        "limit": {"type": "int", "default": 0},
        "include_unselected": {"type": "bool", "default": False},
        "assignments": {"type": "bool", "default": False},
        "tags": {"type": "list", "elements": "str", "default": []},
        "source": {"type": "str", "choices": ["assessments", "resource_graph"], "default": "assessments"},
    },
    groups=[AZURE_OPTIONS],
    rules={"mutually_exclusive": [("scope", "scopes")]},
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Return recommendations."""
    scopes = scopes_of(params)
    context_of = Context(
        risk_levels_of(params["risk_levels"]),
        [name.strip().casefold() for name in params["categories"] or []],
        params["attack_paths"],
        params["min_age_days"],
    )
    selection = Selection(params["status"], severities_of(params["severities"]), params["filter"] or "", context_of)
    client = client_for(params, context)
    reader = ResourceGraphReader if params["source"] == "resource_graph" else Reader
    reading = reader(client, scopes, selection, params["limit"], params["include_unselected"]).read()
    if params["assignments"]:
        add_assignments(client, reading.rows)
    if params["tags"]:
        reading.problems += add_tags(client, reading.rows, params["tags"], deselects=params["include_unselected"])
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
