# SPDX-License-Identifier: GPL-3.0-or-later
"""A token from the Azure CLI of the user who runs the play (docs/facts/entra.md#azure-cli)."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass

from ...ansible_module import TaskContext
from ...transport.errors import SignInFailed
from ...transport.token_cache import Token
from .tokens import token_of

PROGRAM = "az"


@dataclass
class AzureCli:
    """`az account get-access-token`, for the user signed in with `az login`; `timeout` in seconds."""

    tenant: str
    timeout: float
    context: TaskContext

    @property
    def key(self) -> str:
        """One user of this machine, one tenant."""
        return f"cli\0{self.tenant}"

    def fetch(self, scope: str) -> Token:
        """Run the program."""
        program = shutil.which(PROGRAM)
        if not program:
            raise SignInFailed("azure_auth_source cli: the Azure CLI (az) is not installed where the task runs")
        command = [program, "account", "get-access-token", "--resource", scope.removesuffix("/.default"), "-o", "json"]
        command += ["--tenant", self.tenant] if self.tenant else []
        try:
            # No shell; the program is the user's own, and its arguments are ours.
            done = subprocess.run(command, capture_output=True, text=True, timeout=self.timeout, check=False)  # noqa: S603
            if done.returncode:
                words = " ".join(self.context.redactor.scrub_text(done.stderr).split())
                raise SignInFailed(f"the Azure CLI returned no token: {words[:500]}. Sign in with 'az login' first")
            data = json.loads(done.stdout)
            return token_of({"access_token": data["accessToken"], "expires_on": data.get("expires_on")})
        except subprocess.TimeoutExpired:
            raise SignInFailed(f"the Azure CLI returned no token within {self.timeout:g} s (option timeout)") from None
        except (OSError, ValueError, KeyError, TypeError):
            raise SignInFailed("the Azure CLI returned an unexpected format; check that it is up to date") from None
