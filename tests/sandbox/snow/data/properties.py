# SPDX-License-Identifier: GPL-3.0-or-later
"""System properties out of the box; more in hardening.txt.

A property that the platform treats as absent has no row here. The values are those of an upgraded instance without
hardening, so a session cookie still works after its token has expired.

See docs/facts/servicenow_platform.md#scope-restriction, docs/facts/servicenow_platform.md#oauth-properties,
docs/facts/servicenow_platform.md#limits, docs/facts/servicenow_platform.md#sign-in-gates,
docs/facts/servicenow_platform.md#reading-the-release, docs/facts/servicenow_platform.md#property-rows,
docs/facts/servicenow_hardening.md#connection-impact.
"""

# name | value | type | write roles | read roles
PROPERTIES = """
com.snc.platform.security.oauth.is.active                      | true   | boolean |
com.snc.platform.security.oauth.hours.expired.credential.is.kept | 24   | integer |
glide.oauth.token.scope.useraccount                            | @useraccount | string |
glide.rest.api.auth.scope.check.enable                         | true   | boolean |
glide.session_timeout.integration_as_a_service                 | 30     | integer |
glide.authenticate.basic_auth.restriction.active               | true   | boolean |
glide.authenticate.basic_auth.restriction.enforce              | false  | boolean | security_admin
glide.authenticate.basic_auth.restriction.default_decision     | track  | string  | security_admin
glide.authenticate.basic_auth.allowed_roles                    |        | string  | security_admin
glide.authenticate.basic_auth.allowed_users                    |        | string  | security_admin
glide.authenticate.multifactor.for_integrations                | false  | boolean |
glide.rest.max_content_length                                  | 10     | integer |
glide.rest.batch.max.inputSize                                 | 5      | integer |
glide.rest.batch.max.outputSize                                | 10     | integer |
glide.rest.debug                                               | false  | boolean |
glide.processors.session.private                               | true   | boolean | security_admin | security_admin
com.glide.update_operation.job_cancel_timeout_minutes          | 2880   | integer |
glide.sys.default.tz                                           | UTC    | timezone |
glide.sys.date_format                                          | yyyy-MM-dd | string |
glide.sys.time_format                                          | HH:mm:ss | string |
glide.product.name                                             | ServiceNow | string |
glide.email.smtp.active                                        | false  | boolean |
glide.tiny_url_min_length                                      | 1024   | integer |
glide.update_set.auto_preview                                  | true   | boolean |
"""
