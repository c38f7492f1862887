# SPDX-License-Identifier: GPL-3.0-or-later
"""The knobs of an instance. Names and defaults are part of the control API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..faults import Fault, read_fault
from ..settings import merge
from .releases import DEFAULT_RELEASE, RELEASES


def _one_of(*choices: Any) -> Any:
    return field(default=choices[0], metadata={"choices": choices})


def _release() -> Any:
    return field(default=DEFAULT_RELEASE, metadata={"choices": tuple(RELEASES)})


@dataclass(frozen=True)
class Acl:
    """Denials for every caller, administrators included, in addition to the ACLs."""

    deny_table: dict[str, str] = field(default_factory=dict)
    """Table -> "empty" (200 without rows) or "403"."""
    deny_field: dict[str, list[str]] = field(default_factory=dict)
    """Table -> columns that are omitted from responses and refused in queries."""
    deny_match: dict[str, list[str]] = field(default_factory=dict)
    """Table -> columns (`*`: all) that can be read but not queried by `=`, `IN`, `ISEMPTY`: a failing query_match rule."""
    deny_range: dict[str, list[str]] = field(default_factory=dict)
    """The same for all other operators and for sorting: a failing query_range rule."""
    hidden_rows: dict[str, str] = field(default_factory=dict)
    """Table -> encoded query of the rows that are hidden; `total_count` decides whether they are counted."""
    deny_insert: list[str] = field(default_factory=list)
    deny_update: list[str] = field(default_factory=list)
    deny_delete: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class BatchLimits:
    """The Batch API. `unserviced` is the number of requests served of each batch; null serves all."""

    disabled: bool = False
    unserviced: int | None = None
    inner_errors: dict[str, int] = field(default_factory=dict)
    """Path pattern -> status of inner requests that match."""
    max_input: int = 5 * 1024 * 1024
    max_output: int = 10 * 1024 * 1024


@dataclass(frozen=True)
class CiCd:
    """The CI/CD API. An operation ends in `outcome` (2, 3 or 4) at its `steps`-th progress read."""

    disabled: bool = False
    paused: bool = False
    steps: int = 2
    outcome: str = _one_of("2", "3", "4")
    progress: str = _one_of("ok", "401", "403")
    error_style: str = _one_of("result", "error")
    request_only: list[str] | None = None
    """Plugins that only ServiceNow support activates; null means the known ones."""
    request_only_answer: str = _one_of("failed", "405")
    not_entitled: list[str] = field(default_factory=list)
    preview_problems: list[str] = field(default_factory=list)
    """Descriptions of errors that every preview of an update set reports, in addition to those that it finds."""
    commit_acls: str = _one_of("allowed", "skipped")
    """Whether a commit through the API writes access rules: UNKNOWN in the field, so both."""
    skipped_updates: int = 0
    """How many of the last updates of a set a commit leaves out, as its log would report."""
    roles_by_name: bool = True
    """Whether a reference to a role with another sys_id is found by its name (LIKELY)."""
    backed_out_state: str = _one_of("loaded", "committed")
    """State of a retrieved update set whose commit was backed out: UNKNOWN in the field, so both."""


@dataclass(frozen=True)
class Tickets:
    """Incident, problem and change request (docs/facts/servicenow_tickets.md#tables)."""

    numbering: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Table -> `prefix`, `digits` and `first` of its numbers, each optional."""
    close_codes: str = _one_of("new", "old")
    """The resolution codes of incidents; `old` ones are Solved (Permanently) and similar."""
    choices: dict[str, dict[str, str]] = field(default_factory=dict)
    """Column, such as `incident.close_code` -> value -> label: the choice list this instance has instead."""
    mandatory: dict[str, list[str]] = field(default_factory=dict)
    """Table -> columns that a data policy of this instance makes mandatory in every state."""
    closing: str = _one_of("refused", "ignored", "allowed")
    """State 7 of an incident sent by a user who is neither itil_admin nor admin."""
    closed_read_only: bool = True
    """A ticket that is not active is read-only to itil (LIKELY)."""
    problem_model: str = _one_of("madrid", "legacy")
    """States 101 to 107, or 1 to 4."""
    problem_transitions: str = _one_of("ignored", "refused", "allowed")
    """How the Table API handles a state change of a problem."""
    change_transitions: str = _one_of("enforced", "free")
    change_array: bool = False
    """The change API wraps a record in an array of one element, as the documented examples of POST do."""
    whole_numbers: str = _one_of("plain", "decimal")
    """Numbers of tickets in the Table API: `3`, or `3.0` as in some exports."""
    change_values: str = _one_of("typed", "text")
    """`value` in the change API: numbers and booleans as in the documented replies, or text."""


@dataclass(frozen=True)
class Compliance:
    """The Defender for Cloud integration, where it is installed.

    See docs/facts/configuration_compliance.md#the-application, docs/facts/configuration_compliance.md#the-integration.
    """

    line: str = _one_of("usem", "classic")
    listed: str = _one_of("both", "plugin", "store")
    """Where Configuration Compliance itself is listed: as plugin com.snc.vulc, as store application, or both."""
    asc_scope: str = _one_of("app-vul-asc", "sn_vul_asc")
    """`sys_store_app.scope` of the old application."""
    storage: str = _one_of("private_table", "parameters")
    """Where the configuration is stored: UNKNOWN in the field, so both."""
    tvm_table: str = "sn_vul_msft_tvm_dfc_setup"
    """The private configuration table of the new application; its name is UNKNOWN in the field and made up here."""
    asc_table: str = "sn_vul_asc_setup"
    """The same of the old application."""
    record: str = _one_of("absent", "blank")
    """Whether the default integration instance has a record in the private table from the start."""
    cross_scope: str = _one_of("allowed", "refused")
    """Whether the configuration can be written through REST from another application scope."""
    own_role_only: bool = False
    """Only the integration's own roles can access the private table, administrators included."""
    run_words: str = _one_of("lower", "upper")
    """Case of state and substate of a run: builds differ."""
    source: str = "MicrosoftDefenderForCloud"
    """`source` of tests, results and runs: UNKNOWN in the field."""


@dataclass(frozen=True)
class TokenLifetimes:
    """Seconds that override those of the OAuth application; null uses the application's."""

    access: int | None = None
    refresh: int | None = None


@dataclass(frozen=True)
class Knobs:
    """All knobs of one instance."""

    release: str = _release()
    secret_mode: str = _one_of("ciphertext", "masked", "empty")
    """What GET shows of an encrypted column."""
    requires_input_display: bool = True
    """A two-way secret written without `sysparm_input_display_value=true` is unusable."""
    auto_generate: bool = True
    """The platform generates a client secret if none is given."""
    password_by_rest: bool = True
    """A password can be set through REST; one report claims that it never works."""
    cc_property: str = _one_of("absent", "false", "true")
    """The property that switches the client credentials grant on."""
    default_scope_status: str = ""
    """`scope_restriction_status` of an application that was created without one."""
    basic_auth_enforced: bool = False
    invalid_query: str = _one_of("drop", "no_rows")
    choice: str = _one_of("store", "drop")
    null_booleans: list[str] = field(default_factory=list)
    """Columns, such as `sys_user.web_service_access_only`, that are NULL in all rows that exist when the knob is turned."""
    lengths: dict[str, int] = field(default_factory=dict)
    """Column, such as `oauth_entity.name` -> its length here: longer values are cut; `sys_dictionary` shows it."""
    total_count: str = _one_of("before_acl", "after_acl", "absent")
    """What `X-Total-Count` counts; absent: a proxy removes it."""
    max_rows: int = 0
    """Rows that a page holds at most, regardless of the limit asked for; 0 has no such limit."""
    role_management_v2: bool = True
    refresh_probe: str = _one_of("invalid_client", "access_denied")
    """The response of the token endpoint to a wrong client secret."""
    integration_user_status: int = _one_of(400, 401)
    """Status of `unauthorized_client`."""
    token_reuse: bool = True
    token_lifetimes: TokenLifetimes = field(default_factory=TokenLifetimes)
    lockout_after: int = 5
    """Failed sign-ins that lock a user; 0 never locks."""
    api_keys: dict[str, str] = field(default_factory=dict)
    """Key -> user name."""
    allowed_auth: list[str] | None = None
    """Sign-in methods that an API access policy admits: basic, oauth, api_key, mtls; null admits all."""
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    """User name -> columns (`locked_out`, `active`, `password_needs_reset`, ...), plus `password` and `roles`."""
    properties: dict[str, str | None] = field(default_factory=dict)
    """Property -> value; null removes the row."""
    applications: list[str] = field(default_factory=list)
    """Applications that ship their own hardening settings: sn_hr_core, generative_ai, mid_server ..."""
    hidden_properties: list[str] = field(default_factory=list)
    """Properties whose rows are hidden from every caller, administrators included."""
    scoped_writes: str = _one_of("refused", "allowed")
    """Whether an administrator may write properties of another application's scope."""
    irreversible: str = _one_of("locked", "open")
    """A property marked "safe harbor" cannot be changed again once it was changed or created."""
    elevation: bool = False
    """Whether the undocumented endpoint elevates security_admin for a cookie session."""
    plugins: dict[str, bool] = field(default_factory=dict)
    plugin_literal: str = _one_of("active", "true")
    """Value of `v_plugin.active`: clients in the field report both."""
    dup: list[str] = field(default_factory=list)
    """Names of OAuth applications that exist twice."""
    abort: dict[str, str] = field(default_factory=dict)
    """Table -> name of a business rule that aborts every write to it."""
    acl: Acl = field(default_factory=Acl)
    batch: BatchLimits = field(default_factory=BatchLimits)
    cicd: CiCd = field(default_factory=CiCd)
    tickets: Tickets = field(default_factory=Tickets)
    configuration_compliance: str = _one_of("absent", "tvm", "asc", "both", "not_entitled")
    """Configuration Compliance with the new integration application, the old one, or both."""
    compliance: Compliance = field(default_factory=Compliance)
    faults: list[Any] = field(default_factory=list)
    latency_ms: float = 0.0
    time_shift: float = 0.0
    """Seconds that the instance's clock is ahead, so that tokens expire without waiting."""
    unstable_order: bool = False
    """Rows without a sort order are returned in a different order each time."""
    hide_build: bool = False
    max_url_length: int = 16000
    own_port: bool = False
    """Serve the instance at the root of its own port, as in the field, instead of under a path."""


def turn(current: Knobs, data: Mapping[str, Any]) -> Knobs:
    """Return the knobs with some of them changed; raises SettingError for unknown names and wrong values."""
    changed = merge(current, data)
    object.__setattr__(changed, "faults", [read_fault(fault) for fault in changed.faults])
    return changed


def faults_of(knobs: Knobs) -> list[Fault]:
    """The faults of an instance; their remaining counts are kept in the objects themselves."""
    return knobs.faults
