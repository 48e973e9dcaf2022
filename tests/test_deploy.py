"""What can be said of the manifests without a cluster: they parse, fit together, and keep every container narrow."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from qa.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))


def objects(name: str) -> list[Any]:
    return list(yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")))


APPLIED = [each for name in KUSTOMIZATION["resources"] for each in objects(name)]
PODS = {
    each["metadata"]["name"]: each["spec"]["template"] for each in APPLIED if each["kind"] == "StatefulSet"
}
SECRET, SETTINGS = objects("secret.example.yaml")[0], objects("settings.yaml")[0]


def containers() -> Iterator[Any]:
    for name, pod in PODS.items():
        for container in pod["spec"]["containers"]:
            yield pytest.param(container, id=f"{name}/{container['name']}")


each_pod = pytest.mark.parametrize("pod", PODS.values(), ids=PODS)
each_container = pytest.mark.parametrize("container", list(containers()))


def test_every_file_is_applied_but_the_example_of_a_secret() -> None:
    there = {path.name for path in FOLDER.glob("*.yaml")}
    assert there - set(KUSTOMIZATION["resources"]) == {"kustomization.yaml", "secret.example.yaml"}


@each_pod
def test_a_pod_is_somebody_without_rights(pod: Any) -> None:
    context = pod["spec"]["securityContext"]
    assert context["runAsNonRoot"] is True
    assert min(context["runAsUser"], context["runAsGroup"], context["fsGroup"]) > 10_000
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["spec"]["automountServiceAccountToken"] is False


def test_nutgraf_runs_as_the_user_of_its_image_and_writes_to_its_volumes_only() -> None:
    spec = PODS["nutgraf"]["spec"]
    user = re.search(r"useradd --uid (\d+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert user is not None
    assert spec["securityContext"]["runAsUser"] == int(user[1])
    assert spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


@each_container
def test_a_container_gains_nothing_and_has_bounds(container: Any) -> None:
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    for bounds in (container["resources"]["requests"], container["resources"]["limits"]):
        assert {"cpu", "memory"} <= bounds.keys()
    assert not container["image"].endswith(":latest")
    assert ":" in container["image"]


@each_container
def test_a_container_is_probed_at_a_port_it_has(container: Any) -> None:
    ports = {port["name"] for port in container["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] in ports


def test_the_probes_are_let_in_by_the_hosts_that_are_allowed() -> None:
    probe = PODS["nutgraf"]["spec"]["containers"][0]["readinessProbe"]["httpGet"]
    assert probe["httpHeaders"][0]["value"] in SETTINGS["data"]["NUTGRAF_ALLOWED_HOSTS"].split(",")


def test_settings_and_secrets_are_settings_and_no_secret_is_written_down() -> None:
    assert Settings.from_env(SETTINGS["data"]).store == "milvus+http://milvus:19530"
    assert set(SECRET["stringData"].values()) == {""}
    assert Settings.from_env(SECRET["stringData"]) == Settings()
    container = PODS["nutgraf"]["spec"]["containers"][0]
    assert [next(iter(each.values()))["name"] for each in container["envFrom"]] == [
        SETTINGS["metadata"]["name"],
        SECRET["metadata"]["name"],
    ]


def test_services_and_policies_reach_pods_that_are_there() -> None:
    for each in APPLIED:
        if each["kind"] == "Service":
            pod = PODS[each["spec"]["selector"]["app"]]
            names = {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
            assert pod["metadata"]["labels"] == each["spec"]["selector"]
            assert {port["targetPort"] for port in each["spec"]["ports"]} <= names
        elif each["kind"] == "NetworkPolicy":
            assert each["spec"]["podSelector"]["matchLabels"]["app"] in PODS


def test_what_can_run_only_once_is_not_scaled() -> None:
    """One writer a data folder: a second pod would answer from an index of its own."""
    for each in APPLIED:
        assert each["kind"] != "HorizontalPodAutoscaler"
        if each["kind"] == "StatefulSet":
            assert each["spec"]["replicas"] == 1
            claim = each["spec"]["volumeClaimTemplates"][0]["spec"]
            assert claim["accessModes"] == ["ReadWriteOncePod"]


def test_compose_starts_milvus_only_when_asked() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert services["milvus"]["profiles"] == ["milvus"]
    assert "ports" not in services["milvus"]
    assert services["milvus"]["image"] == PODS["milvus"]["spec"]["containers"][0]["image"]
