# SPDX-License-Identifier: GPL-3.0-or-later
"""System properties out of the box (platform facts 1.5, 1.9, 3.8, 3.9, 7.1, 8; hardening facts 3.1 and 7).

A property that the platform treats as absent has no row here. The values are those of an upgraded instance that
nobody has hardened, so that a session cookie still works after its token has expired.
"""

# name | value | type | write roles | read roles
PROPERTIES = """
com.snc.platform.security.oauth.is.active                      | true   | boolean |
com.snc.platform.security.oauth.hours.expired.credential.is.kept | 24   | integer |
glide.oauth.allow.parameters.in.post.body.only                 | true   | boolean |
glide.oauth.inbound.ropc.grant_type.disabled                   | false  | boolean |
glide.oauth.state.parameter.required                           | true   | boolean |
glide.oauth.clients.allowed.for.implicit.grant                 |        | string  |
glide.oauth.token.scope.useraccount                            | @useraccount | string |
glide.oauth.enforce_restricted_binding_for_ui                  | false  | boolean |
glide.rest.api.auth.scope.check.enable                         | true   | boolean |
glide.authenticate.oauth.post.token.expiration.cookie_auth.disabled | false | boolean |
glide.session_timeout.integration_as_a_service                 | 30     | integer |
glide.authenticate.basic_auth.restriction.active               | true   | boolean |
glide.authenticate.basic_auth.restriction.enforce              | false  | boolean | security_admin
glide.authenticate.basic_auth.restriction.default_decision     | track  | string  | security_admin
glide.authenticate.basic_auth.allowed_roles                    |        | string  | security_admin
glide.authenticate.basic_auth.allowed_users                    |        | string  | security_admin
glide.authenticate.multifactor                                 | false  | boolean |
glide.authenticate.multifactor.for_integrations                | false  | boolean |
glide.authenticate.multifactor.setup.bypass.count              | 0      | integer |
glide.authenticate.multifactor.self_enrolment_period           | 30     | integer |
glide.authenticate.api.user.reset_password.mandatory           | false  | boolean |
glide.authenticate.only.allow.active.user.login                | true   | boolean |
glide.authenticate.limit.concurrent.interactive.sessions       | false  | boolean |
glide.basicauth.required.api                                   | true   | boolean |
glide.basicauth.required.jsonv2                                | true   | boolean |
glide.basicauth.required.soap                                  | true   | boolean | security_admin
glide.basicauth.required.unl                                   | true   | boolean | security_admin
glide.basicauth.required.scriptedprocessor                     | false  | boolean | security_admin
glide.ui.concourse.onmessage_enforce_same_origin               | true   | boolean |
glide.ui.concourse.onmessage_enforce_same_origin_whitelist     |        | string  |
glide.enable.password_policy                                   | false  | boolean |
glide.http.cache_control                                       | private | string |
glide.login.no_blank_password                                  | true   | boolean |
glide.script.ccsi.ispublic                                     | true   | boolean |
glide.script.secure.ajaxgliderecord                            | true   | boolean |
glide.script.use.sandbox                                       | true   | boolean |
glide.sm.default_mode                                          | deny   | string  |
glide.soap.require_content_type_xml                            | false  | boolean |
glide.soap.strict_security                                     | true   | boolean | security_admin
glide.ui.session_timeout                                       | 120    | integer |
glide.security.use_csrf_token                                  | true   | boolean | security_admin
glide.ui.user_cookie.max_life_span_in_days                     | 365    | integer |
glide.user.max_unlock_attempts                                 | 5      | integer |
glide.user.unlock_timeout_in_mins                              | 15     | integer |
glide.security.strict_elevate_privilege                        | true   | boolean |
glide.ip.authenticate.strict                                   | false  | boolean | security_admin
glide.integrations.active.session.life_span                    | 0      | integer |
glide.rest.table_api.admin_only_sys_fields                     | false  | boolean |
glide.rest.max_content_length                                  | 10     | integer |
glide.rest.batch.max.inputSize                                 | 5      | integer |
glide.rest.batch.max.outputSize                                | 10     | integer |
glide.rest.debug                                               | false  | boolean |
glide.processors.session.private                               | true   | boolean | security_admin | security_admin
com.glide.processors.aprocessor.donot_reuse_api_session        | false  | boolean |
com.glide.security.protected_table.enabled                     | false  | boolean |
com.glide.update_operation.job_cancel_timeout_minutes          | 2880   | integer |
com.glide.communications.httpclient.verify_hostname            | true   | boolean | security_admin
com.glide.communications.trustmanager_trust_all                | false  | boolean |
glide.sys.default.tz                                           | UTC    | timezone |
glide.sys.date_format                                          | yyyy-MM-dd | string |
glide.sys.time_format                                          | HH:mm:ss | string |
glide.product.name                                             | ServiceNow | string |
glide.email.smtp.active                                        | false  | boolean |
glide.tiny_url_min_length                                      | 1024   | integer |
glide.update_set.auto_preview                                  | true   | boolean |
"""
