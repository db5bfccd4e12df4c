"""The compose file and the Kubernetes manifests hold together: names, commands, settings and rights. They are not run here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.documentation import meanings
from infra.documentation.tables import dispatcher
from tests.support.documents import ROOT, help_of, options_of

COMPOSE = ROOT / "infra" / "compose" / "compose.yaml"
KUBERNETES = sorted((ROOT / "infra" / "kubernetes").glob("*.yaml"))
SERVICE_KEYS = {
    "image", "build", "restart", "cap_drop", "security_opt", "environment", "command", "depends_on", "healthcheck", "ports", "volumes",
    "profiles",
}  # fmt: skip
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
VERSIONS = {
    "v1": {"Namespace", "ServiceAccount", "ConfigMap", "PersistentVolumeClaim", "Service"},
    "rbac.authorization.k8s.io/v1": {"Role", "RoleBinding"},
    "networking.k8s.io/v1": {"NetworkPolicy"},
    "apps/v1": {"Deployment"},
    "batch/v1": {"Job"},
    "flink.apache.org/v1beta1": {"FlinkDeployment"},
}
RESOURCES = [
    pytest.param(document, id=f"{path.stem}-{document['kind']}-{document['metadata']['name']}")
    for path in KUBERNETES
    for document in yaml.safe_load_all(path.read_text())
]
NAMED = {(found.values[0]["kind"], found.values[0]["metadata"]["name"]) for found in RESOURCES}


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return found


SERVICES: dict[str, Any] = compose()["services"]


def check_command(words: list[str]) -> None:
    """A command of ours exists with its options."""
    if words[0] == "infra/tickflow":
        command = dispatcher()
        assert command.is_present(words[1])
        module, rest = command.VERBS[words[1]][0], words[2:]
    elif words[:2] == ["python", "-m"]:
        module, rest = (f"{words[2]}.__main__" if (ROOT / Path(*words[2].split("."))).is_dir() else words[2]), words[3:]
    else:
        return
    verbs = [word for word in rest[:1] if not word.startswith("--")]
    assert {word for word in rest if word.startswith("--")} <= options_of(help_of(module, *verbs))


def settings_exist(names: set[str]) -> None:
    table = (ROOT / "README.md").read_text()
    assert not sorted(name for name in names if name.startswith("TICKFLOW_") and f"`{name}`" not in table)


def test_compose_has_what_it_takes() -> None:
    assert {"kafka", "redis", "s3", "jobmanager", "taskmanager", "live", "gateway", "online-store", "serve", "notify"} <= set(SERVICES)
    assert set(compose()) <= {"name", "services", "volumes", "x-tickflow", "x-flink"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_well_formed(name: str) -> None:
    service = SERVICES[name]
    assert set(service) <= SERVICE_KEYS
    assert re.fullmatch(r"[\w./-]+:[\w.-]+", service["image"]), "an image has a version"
    assert not service["image"].endswith(":latest")
    assert all(isinstance(value, str | int) for value in service.get("environment", {}).values())
    for other, how in service.get("depends_on", {}).items():
        assert other in SERVICES
        assert how["condition"] in CONDITIONS
        assert how["condition"] != "service_healthy" or "healthcheck" in SERVICES[other]
    for volume in service.get("volumes", []):
        assert isinstance(volume, dict) or volume.split(":")[0] in compose()["volumes"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), "nothing is offered to the network"
    check_command(service.get("command", [""]))


def test_compose_holds_no_secret() -> None:
    for service in SERVICES.values():
        secrets = [value for name, value in service.get("environment", {}).items() if re.search("SECRET|PASSWORD|ACCESS_KEY", name)]
        assert all(re.fullmatch(r"\$\{\w+:\?\}", value) for value in secrets)


def test_compose_sets_what_is_read() -> None:
    settings_exist({name for service in SERVICES.values() for name in service.get("environment", {})})
    hosts = {match for service in SERVICES.values() for match in re.findall(r"//([a-z0-9-]+):\d", str(service.get("environment", "")))}
    assert hosts
    assert hosts <= set(SERVICES)


def test_who_steers_the_job_keeps_its_audit_log() -> None:
    """Whatever submits, halts or opens breakers writes to the one volume that outlives its container."""
    folder = compose()["x-tickflow"]["environment"]["TICKFLOW_AUDIT"]
    steering = [service for service in SERVICES.values() if service.get("command", [""])[0] == "infra/tickflow"]
    assert len(steering) == 3
    assert all(f"audit:{folder}" in service["volumes"] for service in steering)
    pods = [spec for found in RESOURCES for spec in pod_specs(found.values[0])]
    owners = [spec for spec in pods if any(name in str(spec["containers"]) for name in ("infra/tickflow", "jobs.monitor"))]
    assert len(owners) == 3
    for spec in owners:
        (mount,) = [found for found in spec["containers"][0]["volumeMounts"] if found["mountPath"] == folder]
        (volume,) = [found for found in spec["volumes"] if found["name"] == mount["name"]]
        assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in NAMED


def test_the_image_installs_this_flink() -> None:
    text = (ROOT / "infra" / "compose" / "Dockerfile").read_text()
    lock = (ROOT / "requirements.lock").read_text()
    version = re.search(r"^apache-flink==(\S+)", lock, re.MULTILINE)
    assert version
    assert set(re.findall(r"(?:flink:|presto-)(\d+\.\d+\.\d+)", text)) == {version[1]}
    assert "USER flink" in text.splitlines()[-12:] or text.rindex("USER flink") > text.rindex("USER root")


def pod_specs(resource: dict[str, Any]) -> list[dict[str, Any]]:
    spec = resource.get("spec", {})
    return [found["spec"] for found in (spec.get("template"), spec.get("podTemplate")) if found]


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_resource_is_well_formed(resource: dict[str, Any]) -> None:
    assert resource["kind"] in VERSIONS[resource["apiVersion"]]
    metadata = resource["metadata"]
    assert re.fullmatch(r"[a-z0-9-]{1,63}", metadata["name"])
    assert resource["kind"] == "Namespace" or metadata["namespace"] == "tickflow"
    if resource["kind"] == "Deployment":
        labels = resource["spec"]["template"]["metadata"]["labels"]
        assert resource["spec"]["selector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("resource", RESOURCES)
def test_pods_have_few_rights(resource: dict[str, Any]) -> None:
    for pod in pod_specs(resource):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes
            check_command(container.get("command", [""]))
        if resource["kind"] != "FlinkDeployment":
            assert pod["automountServiceAccountToken"] is False
            assert ("ServiceAccount", pod["serviceAccountName"]) in NAMED
            assert all("limits" in container["resources"] for container in pod["containers"])


@pytest.mark.parametrize("resource", RESOURCES)
def test_what_pods_refer_to_is_there(resource: dict[str, Any]) -> None:
    for pod in pod_specs(resource):
        for container in pod["containers"]:
            for source in container["envFrom"]:
                kind, reference = next(iter(source.items()))
                assert (kind == "secretRef" and reference["name"] == "tickflow-secrets") or ("ConfigMap", reference["name"]) in NAMED


def test_a_service_leads_to_a_port_of_its_pods() -> None:
    resources = [found.values[0] for found in RESOURCES]
    for service in (found for found in resources if found["kind"] == "Service"):
        labels = [found["spec"]["template"] for found in resources if found["kind"] == "Deployment"]
        (pod,) = [found["spec"] for found in labels if service["spec"]["selector"].items() <= found["metadata"]["labels"].items()]
        ports = {port["name"] for container in pod["containers"] for port in container["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_volumes_that_pods_claim_are_there() -> None:
    """The market data of the gateway is the user's own."""
    claims = {
        volume["persistentVolumeClaim"]["claimName"]
        for found in RESOURCES
        for pod in pod_specs(found.values[0])
        for volume in pod.get("volumes", [])
        if "persistentVolumeClaim" in volume
    }
    assert {name for name in claims if ("PersistentVolumeClaim", name) not in NAMED} == {"tickflow-source"}


def test_flink_is_configured_as_the_profile_live() -> None:
    """What is set in both places is set alike; memory sizes and folders belong to the place."""
    (flink,) = (found.values[0] for found in RESOURCES if found.values[0]["kind"] == "FlinkDeployment")
    profile = yaml.safe_load((ROOT / "flink-conf" / "live" / "config.yaml").read_text())
    own = flink["spec"]["flinkConfiguration"]
    assert all(isinstance(value, str) for value in own.values())
    alike = [key for key in own if key in profile and not key.endswith(("executable", "taskmanager"))]
    assert len(alike) > 10
    assert {key: own[key].lower() for key in alike} == {key: str(profile[key]).lower() for key in alike}
    assert ("ServiceAccount", flink["spec"]["serviceAccount"]) in NAMED


def test_roles_grant_nothing_but_config_maps() -> None:
    rules = [rule for found in RESOURCES if found.values[0]["kind"] == "Role" for rule in found.values[0]["rules"]]
    assert [rule["resources"] for rule in rules] == [["configmaps"]]
    assert all("*" not in rule["verbs"] for rule in rules)


def test_config_maps_hold_settings_and_no_secret() -> None:
    values = next(found.values[0]["data"] for found in RESOURCES if found.values[0]["kind"] == "ConfigMap")
    settings_exist(set(values))
    assert not [name for name in values if re.search("PASSWORD|SECRET|TOKEN", name)]
    assert {name for name in values if name.startswith("TICKFLOW_LAKE")} <= set(meanings.ENVIRONMENT)
