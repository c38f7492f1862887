# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleet files: every row becomes a host, and every row that is wrong one sentence with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.fleet import FAILURE
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.fleet_sources.instances import (
    FleetReader,
    Instance,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.fleet_sources.rows import (
    FleetFileError,
    rows_of,
)

COLUMNS = ("release", "environment", "services")
PATTERN = "https://{name}.service-now.com"


def read(text: str, name: str = "fleet.csv", **options: Any) -> tuple[dict[str, Instance], list[str]]:
    reader = FleetReader(name, options.get("url", PATTERN), options.get("group_by", COLUMNS))
    found = reader.read(rows_of(Path(name), text.encode(options.get("encoding", "utf-8"))))
    return {each.name: each for each in found}, reader.problems


def failure_of(instance: Instance) -> str:
    return str(instance.variables[FAILURE]["message"])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_row_of_csv_is_a_host_with_its_groups(delimiter: str, encoding: str) -> None:
    text = (
        "Name,release,environment,services,snow_username\n# a comment\n\nacme-dev,Zurich,Dev,mda mdc,svc\nacme-qa,,,,\n"
    )
    hosts, problems = read(text.replace(",", delimiter), encoding=encoding)
    assert not problems
    assert hosts["acme-dev"].variables == {
        "snow_url": "https://acme-dev.service-now.com",
        "snow_username": "svc",
        "servicenow_defender_services": ["mda", "mdc"],
        "servicenow_release": "Zurich",
        "servicenow_environment": "Dev",
    }
    assert hosts["acme-dev"].groups == ["service_mda", "service_mdc", "release_zurich", "environment_dev"]
    assert (hosts["acme-dev"].line, hosts["acme-qa"].line) == (4, 5)
    assert hosts["acme-qa"].variables == {"snow_url": "https://acme-qa.service-now.com"}


@pytest.mark.parametrize("head", ["", "plugin: secops.servicenow_defender.instances\ninstances:\n"])
def test_yaml_has_rows_with_lists_and_names_alone(head: str) -> None:
    text = (
        f"{head}  - name: acme-dev\n    services: [mda, msem]\n    url: http://127.0.0.1:8080/acme-dev/\n  - acme-qa\n"
    )
    hosts, problems = read(text, "fleet.yml", group_by=["services"])
    assert not problems
    assert hosts["acme-dev"].variables["snow_url"] == "http://127.0.0.1:8080/acme-dev"
    assert hosts["acme-dev"].groups == ["service_mda", "service_msem"]
    assert hosts["acme-qa"].line == (6 if head else 4)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("acme-x,zurich,dev,mdb,", "acme-x has an unknown service 'mdb'. Known services: mda, mdc, msem. Did you mean mdc?"),
        ("acme-x,,,,ftp://acme", "acme-x has the URL 'ftp://acme'"),
        ("acme-x,,,,https://me:pass-1@acme.example", "acme-x has the URL 'https://...@acme.example'"),
        ("acme-x,,,,https://acme.example:port", "acme-x has the URL"),
        ("acme-x,,,,https://ACME-dev.service-now.com/", "acme-x has the URL of acme-dev (line 2)"),
        ("acme-x,{{ lookup('pipe', 'id') }},,,", "the column release holds a template"),
        ("acme-x,,,,,more", "6 cells, but 5 columns"),
    ],
)  # fmt: skip
def test_a_row_that_is_wrong_is_a_host_that_failed(row: str, said: str) -> None:
    hosts, problems = read(f"name,release,environment,services,url\nacme-dev,,,,\n{row}\nacme-last,,,,\n")
    (problem,) = problems
    assert problem.startswith(f"fleet.csv line 3: {said}")
    assert failure_of(hosts["acme-x"]) == problem
    assert hosts["acme-x"].variables.keys() == {FAILURE}
    assert not hosts["acme-x"].groups
    assert FAILURE not in hosts["acme-dev"].variables
    assert FAILURE not in hosts["acme-last"].variables


def test_an_instance_without_any_service_is_not_connected_by_default() -> None:
    hosts, problems = read("- {name: acme-dev, services: []}\n- {name: acme-qa, services: }\n", "fleet.yml")
    (problem,) = problems
    assert problem.startswith("fleet.yml line 1: the column services is an empty list; name services")
    assert failure_of(hosts["acme-dev"]) == problem
    assert FAILURE not in hosts["acme-qa"].variables


@pytest.mark.parametrize("name", ["", "bad name", "-x", "x-", "{{ x }}", "ä", "all", "servicenow"])
def test_a_row_without_a_usable_name_is_named_after_its_line(name: str) -> None:
    hosts, problems = read(f"name,environment\nacme-dev,dev\n{name},qa\n")
    assert len(problems) == 1
    assert failure_of(hosts["fleet.csv-line-3"]) == problems[0]


def test_a_duplicate_is_one_sentence_and_only_a_failure_if_it_contradicts() -> None:
    rows = ["name,environment", "acme-dev,dev", "acme-dev,dev", "acme-qa,qa", "acme-qa,prod", "acme-qa,prod"]
    hosts, problems = read("\n".join(rows))
    assert problems == [
        "fleet.csv line 3: acme-dev again, as in line 2; remove one of the two",
        "fleet.csv line 5: acme-qa again with another environment, as in line 4; remove the wrong one",
        "fleet.csv line 6: acme-qa again with another environment, as in line 4; remove the wrong one",
    ]
    assert FAILURE not in hosts["acme-dev"].variables
    assert failure_of(hosts["acme-qa"]) == problems[1]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("snow_password", "the column snow_password holds a secret"),
        ("enviroment", "the column enviroment is not known. Did you mean environment?"),
        ("snow_usrname", "snow_usrname is not a variable of this collection. Did you mean snow_username?"),
        ("cost center", "the column 'cost center' cannot be the name of a variable"),
    ],
)
def test_a_column_is_checked(column: str, said: str) -> None:
    hosts, problems = read(f"name,{column}\nacme-dev,value-1\n")
    (problem,) = problems
    assert said in problem
    assert "value-1" not in problem
    assert FAILURE in hosts["acme-dev"].variables


def test_a_column_of_the_users_own_is_a_variable() -> None:
    hosts, problems = read("name,cost_center\nacme-dev,4711\n")
    assert not problems
    assert hosts["acme-dev"].variables["cost_center"] == "4711"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("fleet.csv", "", "fleet.csv has no instances"),
        ("fleet.csv", "name\n", "fleet.csv has no instances"),
        ("fleet.csv", "host,environment\nacme-dev,dev\n", "fleet.csv line 1: no column name, only host, environment"),
        ("fleet.csv", "name,url,url\nacme-dev,,\n", "fleet.csv line 1: the column url is there twice"),
        ("fleet.csv", 'name,"url\nacme-dev,x\n', "fleet.csv line 1: not CSV"),
        ("fleet.yml", "instances: acme-dev\n", "fleet.yml line 1: instances is not a list"),
        ("fleet.yml", "hosts: []\n", "fleet.yml has no list instances"),
        ("fleet.yml", "instances:\n  - {name: acme-dev\n", "fleet.yml line 3: not YAML"),
        ("fleet.yml", "instances: []\n", "fleet.yml has no instances"),
    ],
)
def test_a_file_without_rows_is_one_sentence(name: str, text: str, said: str) -> None:
    with pytest.raises(FleetFileError) as caught:
        read(text, name)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cell", ['"x', '"x"y', '"x,"y"'])
@pytest.mark.parametrize("after", ["", "acme-qa,qa\n", 'acme-qa,"qa"\n', 'acme-qa,qa\nacme-test,"test"\n'])
def test_a_row_with_wrong_quotes_fails_its_host_only(cell: str, after: str) -> None:
    hosts, problems = read(f"name,environment\nacme-first,dev\nacme-dev,{cell}\n{after}")
    (problem,) = problems
    assert problem.startswith("fleet.csv line 3: not CSV")
    assert failure_of(hosts["acme-dev"]) == problem
    assert [*hosts] == ["acme-first", "acme-dev", *(line.split(",")[0] for line in after.splitlines())]
    assert all(FAILURE not in host.variables for name, host in hosts.items() if name != "acme-dev")


def test_a_file_in_another_encoding_names_the_line() -> None:
    with pytest.raises(FleetFileError, match="fleet.csv line 2: not UTF-8 text"):
        rows_of(Path("fleet.csv"), "name,owner\nacme-dev,J\xfcrgen\n".encode("latin-1"))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{name: acme-dev, name: acme-qa}", "the column name is there twice"),
        ("[acme-dev]", "neither a name nor a row of columns"),
        ("{name: acme-dev, cost_center: !vault x}", "a value that is not plain YAML"),
        ("{name: acme-dev, environment: [dev]}", "the column environment holds no text"),
    ],
)
def test_a_row_of_yaml_that_is_wrong_is_one_sentence(row: str, said: str) -> None:
    hosts, problems = read(f"instances:\n  - {row}\n  - acme-last\n", "fleet.yml")
    (problem,) = problems
    assert problem.startswith(f"fleet.yml line 2: {said}")
    assert len(hosts) == 2
