# SPDX-License-Identifier: GPL-3.0-or-later
"""The initial rows of every instance of a release, built once from the tables in `data` and shared."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from . import hardening
from .base_rows import CREATED_ON, Base, read_cells, split_list
from .data import acls, applications, identity, properties
from .releases import RELEASES
from .role_grants import materialise
from .schema import Column, Table, schema_of
from .store import Database, Rows, stable_id

# The lengths of columns without one of their own; the simulator cuts no text without a length.
LENGTHS = {"reference": 32, "GUID": 32, "string": 4000}


@cache
def base_rows(release: str) -> dict[str, Rows]:
    """All base rows of a release by table."""
    base = Base(schema_of(release))
    for fill in (
        dictionary,
        _scopes,
        roles,
        users,
        _groups,
        _properties,
        _plugins,
        access_controls,
        _endpoints,
        _oauth,
        _tickets,
        _posture,
        _logs,
    ):
        fill(base)
    database = Database(base.schema, base.tables)
    for user in list(database.rows("sys_user").by_id):
        materialise(database, user, counted=True)
    for name, rows in database.changed_tables().items():
        base.tables[name] = Rows({row["sys_id"]: row for row in rows})
    return base.tables


def dictionary(base: Base, tables: Iterable[Table] | None = None) -> None:
    """Add the dictionary entries of tables; of all tables if none are given."""
    for table in base.schema.tables.values() if tables is None else tables:
        parent = stable_id("sys_db_object", table.parent) if table.parent else ""
        base.add("sys_db_object", table.name, name=table.name, label=table.label, super_class=parent)
        base.add(
            "sys_dictionary", f"{table.name}.", name=table.name, column_label=table.label, internal_type="collection"
        )
        for name in table.columns if not table.parent else table.own_columns:
            _dictionary_entry(base, table.name, table.columns[name])


def _dictionary_entry(base: Base, table: str, column: Column) -> None:
    base.add(
        "sys_dictionary",
        f"{table}.{column.name}",
        name=table,
        element=column.name,
        column_label=column.label,
        internal_type="string" if column.kind == "choice" else column.kind,
        reference=column.reference,
        max_length=str(column.max_length or LENGTHS.get(column.kind, 40)),
        default_value=column.default,
        choice="3" if column.choices else "0",
    )
    for place, (value, label) in enumerate(column.choices.items()):
        key = f"{table}.{column.name}.{value}"
        base.add("sys_choice", key, name=table, element=column.name, value=value, label=label, sequence=str(place))


def _scopes(base: Base) -> None:
    base.add("sys_scope", "global", sys_id="global", name="Global", scope="global", active="true", source="global")
    base.add("domain", "global", sys_id="global", name="global")


def roles(base: Base, text: str = identity.ROLES) -> None:
    """Add the roles of a data table: name, contained roles, description."""
    for named, contains, description in read_cells(text, 3):
        name, _, elevated = named.partition(" ")
        base.add(
            "sys_user_role",
            name,
            name=name,
            suffix=name.rpartition(".")[2],
            description=description,
            elevated_privilege="true" if elevated else "false",
        )
        for child in split_list(contains):
            role, contained = base.id_of("sys_user_role", name), base.id_of("sys_user_role", child)
            base.add("sys_user_role_contains", f"{name}>{child}", role=role, contains=contained)


def users(base: Base, text: str = identity.USERS) -> None:
    """Add the users of a data table: user name, full name, roles, columns that differ."""
    for user_name, full_name, granted, differing in read_cells(text, 4):
        columns = dict(pair.strip().split("=") for pair in differing.split(";") if pair.strip())
        if "manager" in columns:
            columns["manager"] = base.id_of("sys_user", columns["manager"])
        if "location" in columns:
            columns["location"] = base.id_of("cmn_location", columns["location"])
        first, _, last = full_name.partition(" ")
        base.add(
            "sys_user", user_name, user_name=user_name, name=full_name, first_name=first, last_name=last, **columns
        )
        for role in split_list(granted):
            ids = {"user": base.id_of("sys_user", user_name), "role": base.id_of("sys_user_role", role)}
            base.add("sys_user_has_role", f"{user_name}:{role}", inherited="false", **ids)


def _groups(base: Base) -> None:
    base.add("cmn_location", "Berlin", name="Berlin", time_zone="Europe/Berlin")
    for name, description, members, granted in read_cells(identity.GROUPS, 4):
        group = base.add("sys_user_group", name, name=name, description=description)
        for member in split_list(members):
            base.add("sys_user_grmember", f"{name}:{member}", group=group, user=base.id_of("sys_user", member))
        for role in split_list(granted):
            base.add("sys_group_has_role", f"{name}:{role}", group=group, role=base.id_of("sys_user_role", role))


def _properties(base: Base) -> None:
    useraccount = stable_id("sys_auth_scope", "useraccount")
    for name, value, kind, write_roles, read_roles in read_cells(properties.PROPERTIES, 5):
        stored = useraccount if value == "@useraccount" else value
        base.add(
            "sys_properties", name, name=name, value=stored, type=kind, write_roles=write_roles, read_roles=read_roles
        )
    release = base.schema.release
    for setting in hardening.shipped(release):
        base.add("sys_properties", setting.name, **property_row(setting))
    for name, value in build_properties(release.name).items():
        base.add("sys_properties", name, name=name, value=value, type="string", ignore_cache="true")


def property_row(setting: hardening.Setting) -> dict[str, str]:
    """The columns of the row of a hardening setting as shipped."""
    return {
        "name": setting.name,
        "value": setting.value or "",
        "type": setting.kind,
        "description": setting.description,
        "write_roles": setting.write_roles,
    }


def build_properties(release: str) -> dict[str, str]:
    """The properties that contain the build of a release (docs/facts/servicenow_platform.md#reading-the-release)."""
    known = RELEASES[release]
    return {
        "glide.buildname": known.label,
        "glide.buildtag": known.build_tag,
        "glide.buildtag.last": known.build_tag,
        "glide.war": f"{known.build_tag}.zip",
        "glide.war.assigned": f"{known.build_tag}.zip",
    }


def _plugins(base: Base) -> None:
    for plugin, name, active, since in read_cells(applications.PLUGINS, 4):
        if since and RELEASES[since].order > base.schema.release.order:
            continue
        base.add("v_plugin", plugin, id=plugin, name=name, version="1.0.0", active=active, scope="global")
        if active == "active":
            base.add("sys_plugins", plugin, source=plugin, scope=plugin, name=name, version="1.0.0", state="installed")
    for scope, name, newest in read_cells(applications.STORE_APPLICATIONS, 3):
        version = applications.INSTALLED_APPLICATIONS.get(scope)
        base.add("sys_app_version", scope, title=name, number=newest, source_app_id=scope)
        if version:
            base.add(
                "sys_store_app",
                scope,
                scope=scope,
                name=name,
                version=version,
                latest_version=newest,
                update_available="true",
            )


def access_controls(base: Base, text: str = acls.RULES) -> None:
    """Add the access controls of a data table: name, operations, roles, condition."""
    for marked, operations, asked, condition in read_cells(text, 4):
        name, _, strict = marked.partition(" ")
        for operation in operations.split():
            key = f"{name}:{operation}:{condition}"
            row = {"name": name, "operation": operation, "condition": condition}
            acl = base.add("sys_security_acl", key, type="record", admin_overrides="false" if strict else "true", **row)
            _access_roles(base, acl, key, [] if asked == "*" else split_list(asked))


def _endpoints(base: Base) -> None:
    for endpoint in acls.INACTIVE_ENDPOINTS:
        acl = base.add(
            "sys_security_acl", endpoint, name=endpoint, type="REST_Endpoint", operation="execute", active="false"
        )
        _access_roles(base, acl, endpoint, [acls.ENDPOINT_ROLE])


def _access_roles(base: Base, acl: str, key: str, names: list[str]) -> None:
    for role in names:
        # "-" refers to a role that does not exist: an ACL that requires it admits no one.
        target = base.id_of("sys_user_role", role) if role != "-" else stable_id("sys_user_role", "nobody")
        base.add("sys_security_acl_role", f"{key}:{role}", sys_security_acl=acl, sys_user_role=target)


def _oauth(base: Base) -> None:
    base.add("sys_auth_scope", "useraccount", name="useraccount", description="All that the user may do")
    for name, kind, comments in read_cells(applications.OAUTH_APPLICATIONS, 3):
        base.add(
            "oauth_entity",
            name,
            name=name,
            type=kind,
            comments=comments,
            client_id=stable_id("client_id", name),
            client_uuid=stable_id("client_uuid", name),
        )


def _tickets(base: Base) -> None:
    for number, text, state, caller in read_cells(applications.INCIDENTS, 4):
        who = base.id_of("sys_user", caller)
        values = {"short_description": text, "state": state, "incident_state": state, "opened_at": CREATED_ON}
        values["active"] = "false" if state in ("7", "8") else "true"
        if state == "7":
            values.update(close_code="Solution provided", close_notes="Password was reset", closed_at=CREATED_ON)
        base.add("incident", number, number=number, caller_id=who, opened_by=who, priority="5", **values)
    for name, text, starts_with in read_cells(applications.STANDARD_CHANGES, 3):
        template = base.add("sys_template", name, name=name, table="change_request", template=starts_with)
        producer = base.add("std_change_record_producer", name, name=name, short_description=text, template=template)
        version = f"{name} - 1"
        base.add("std_change_producer_version", version, name=version, version="1", std_change_producer=producer)
    for place, (table, condition, columns) in enumerate(read_cells(applications.DATA_POLICIES, 3)):
        title = f"Resolution of {table}"
        policy = base.add(
            "sys_data_policy2", str(place), short_description=title, model_table=table, conditions=condition
        )
        for column in split_list(columns):
            key = f"{place}.{column}"
            base.add("sys_data_policy_rule", key, sys_data_policy=policy, table=table, field=column, mandatory="true")


def _posture(base: Base) -> None:
    for name, event, active in read_cells(applications.SCRIPT_ACTIONS, 3):
        base.add("sysevent_script_action", name, name=name, event_name=event, active=active)
    base.add(
        "multi_factor_criteria", "Role based multi-factor authentication", name="Role based multi-factor authentication"
    )
    base.add("sys_public", "Virtual Agent embedded client", page="$sn-va-web-client-app")
    base.add("password_policy", "Default Password Policy", name="Default Password Policy")


def _logs(base: Base) -> None:
    base.add("sysevent", "login", name="login", parm1="itil_agent", parm2="192.0.2.10", state="processed")
    base.add("sysevent", "login.failed", name="login.failed", parm1="employee", parm2="198.51.100.7", state="processed")
    base.add(
        "syslog_transaction", "1", url="/incident_list.do", type="form", remote_ip="192.0.2.10", response_time="210"
    )
    base.add("syslog", "1", message="Instance started", source="glide", level="0")
    picture = base.add(
        "sys_attachment",
        "1",
        file_name="screen.png",
        content_type="image/png",
        table_name="incident",
        size_bytes="4096",
    )
    base.add("sys_attachment_doc", "1", sys_attachment=picture, position="0", length="4096")
