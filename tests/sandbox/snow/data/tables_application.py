# SPDX-License-Identifier: GPL-3.0-or-later
"""The OAuth application registry and related tables.

The columns of the Machine Identity Console came with Yokohama; an older release drops them silently on write.

See docs/facts/servicenow_platform.md#application-registry, docs/facts/servicenow_platform.md#related-oauth-tables.
"""

TABLES = """
sys_protocol_profile | Protocol Profile | sys_metadata | name
    name                            | string(100)
oauth_entity | Application Registries | sys_metadata | name
    name                            | string(100)
    type                            | choice  | client | client=OAuth Client; oauth_provider=OAuth Provider; \
        consumer=OAuth Consumer
    client_id (Client ID)           | string(512)
    client_uuid (Client UUID)       | string(40)
    client_secret                   | password2
    redirect_url (Redirect URL)     | string(4000)
    logo_url (Logo URL)             | url
    active                          | boolean | true
    access_token_lifespan           | integer | 1800
    refresh_token_lifespan          | integer | 8640000
    auth_code_lifespan              | integer | 60
    id_token_lifespan               | integer | 3600
    message_signature_lifespan      | integer | 300
    comments                        | string(4000)
    access (Accessible from)        | choice  | public | public=All application scopes; \
        package_private=This application scope only
    default_grant_type              | choice  |        | authorization_code=Authorization Code; \
        client_credentials=Client Credentials; password=Resource Owner Password Credentials; \
        urn:ietf:params:oauth:grant-type:jwt-bearer=JWT Bearer; \
        urn:ietf:params:oauth:grant-type:saml2-bearer=SAML2 Bearer
    public_client                   | boolean | false
    use_pkce (Use PKCE)             | boolean | false
    code_challenge_method           | choice  |        | S256=S256; plain=Plain
    send_client_credentials_as (Send Credentials) | choice | request_body_parameter \
        | request_body_parameter=In Request Body (Form URL-Encoded); \
        basic_authorization_header=As Basic Authorization Header; private_key_jwt=As Private Key JWT
    user (OAuth Application User)   | reference:sys_user
    skip_authorize                  | boolean | false
    oauth_api_script (OAuth API Script) | reference:sys_script_include
    protocol_name                   | reference:sys_protocol_profile
    jwt_provider (JWT provider)     | reference:jwt_provider
    auth_url (Authorization URL)    | url
    token_url (Token URL)           | url
    refresh_token_url               | url
    revoke_token_url                | url
    certificate_url                 | url
    use_mutual_auth (Use mutual authentication) | boolean | false
    salt                            | string(100)
    inbound_grant_type              | choice  |        | authz_code=Authorization code; \
        client_credential=Client credentials; jwt=JWT; multiple=Multiple | yokohama
    client_type                     | choice  |        | integration_as_a_user=Integration as a User; \
        integration_as_a_service=Integration as a Service; iframe_embedded=Iframe Embedded | yokohama
    token_format                    | choice  | opaque | opaque=Opaque; jwt=JWT | yokohama
    sub_claim (Subject Claim)       | string(40) | sys_id | | yokohama
    scope_restriction_status (Scope restriction) | choice | | unrestricted=Broadly Scoped; \
        restricted=Securely Scoped | yokohama
oauth_jwt | OAuth JWT API endpoint | oauth_entity | name
    user_field                      | string(40) | email
    clock_skew                      | integer | 300
    enable_jti_verification         | boolean | true
    jti_claim                       | string(40) | jti
    jwks_url (JWKS URL)             | url
    jwks_cache_lifespan             | integer | 720
oauth_oidc_entity | OIDC Provider to verify ID tokens | oauth_entity | name
    oidc_provider_configuration     | reference:oidc_provider_configuration
oauth_entity_cimd | Client ID Metadata Document client | oauth_entity | name | zurich
    metadata_url                    | url
oidc_provider_configuration | OIDC Provider Configuration | sys_metadata | name
    name                            | string(100)
    oidc_url (OIDC Metadata URL)    | url
    oidc_config_cache_life_span     | integer | 120
    user_claim                      | string(40) | sub
    user_field                      | string(40) | email
    enable_jti_verification         | boolean | true

oauth_entity_profile | OAuth Entity Profile | sys_metadata | name
    name                            | string(100)
    oauth_entity                    | reference:oauth_entity
    grant_type                      | choice  |        | authorization_code=Authorization Code; \
        client_credentials=Client Credentials; password=Resource Owner Password Credentials; \
        urn:ietf:params:oauth:grant-type:jwt-bearer=JWT Bearer
    default (Is default)            | boolean | false
    jwt_provider                    | reference:jwt_provider
oauth_entity_scope | OAuth Entity Scope | sys_metadata | name
    name                            | string(100)
    oauth_entity_scope (OAuth scope) | string(512)
    oauth_entity                    | reference:oauth_entity
    in_default_profile              | boolean | false
oauth_entity_profile_scope | OAuth Entity Profile Scope | sys_metadata | oauth_entity_scope
    oauth_entity_profile            | reference:oauth_entity_profile
    oauth_entity_scope              | reference:oauth_entity_scope
oauth_entity_auth_scope_mapping | Auth Scopes | sys_metadata | auth_scope
    oauth_entity                    | reference:oauth_entity
    auth_scope                      | reference:sys_auth_scope
sys_auth_scope | REST API Auth Scope | sys_metadata | name
    name                            | string(100)
    description                     | string(1000)
    active                          | boolean | true
sys_api_access_scope | REST API Auth Scope Mapping | sys_metadata | auth_scope
    auth_scope                      | reference:sys_auth_scope
    api                             | string(200)
    api_path (API path)             | string(200)
    http_method                     | string(10)
    apply_all_methods               | boolean | true
    apply_all_resources             | boolean | true
    apply_all_versions              | boolean | true
    disable_client_restriction      | boolean | false
oauth_credential | OAuth Token | | type
    token                           | password2
    token_received                  | password2
    type                            | choice  | access_token | access_token=Access Token; refresh_token=Refresh Token
    expires                         | glide_date_time
    peer                            | reference:oauth_entity
    user                            | reference:sys_user
    scopes                          | string(4000)
    requestor_id                    | string(100)
    oauth_requestor_profile         | string(100)
    login_method                    | string(40)
    last_access                     | glide_date_time

jwt_provider | JWT Provider | sys_metadata | name
    name                            | string(100)
    expiry_interval_sec             | integer | 60
jwt_verifier_map | JWT Verifier Map | sys_metadata | name
    name                            | string(100)
    oauth_jwt                       | reference:oauth_jwt
    sys_certificate                 | reference:sys_certificate
    kid (Key ID)                    | string(255)
    shared_key                      | password2
jwt_keystore_aliases | JWT Key | sys_metadata | name
    name                            | string(100)
    signing_key_password            | password2
    kid (Key ID)                    | string(255)
jwt_claim_validation | JWT Claim Validation | sys_metadata | claim
    claim                           | string(100)
    oauth_jwt                       | reference:oauth_jwt

sys_auth_profile | Authentication Profile | sys_metadata | name
    name                            | string(100)
    type                            | string(40)
inbound_auth_profile | Inbound Authentication Profile | sys_auth_profile | name
sys_api_access_policy | REST API Access Policy | sys_metadata | name
    name                            | string(100)
    rest_api                        | string(200)
    active                          | boolean | true
sys_auth_profile_mapping | Authentication Profile Mapping | sys_metadata | inbound_auth_profile
    api_access_policy               | reference:sys_api_access_policy
    inbound_auth_profile            | reference:inbound_auth_profile
"""
