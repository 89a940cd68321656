"""What the overlays of deploy/kubernetes come to, held to the schemas of Kubernetes and to what the service needs.

Arguments: the release of Kubernetes, a file with what `kubectl kustomize` made of an overlay or with an example. Prints one sentence for each thing that is wrong.
"""

import json
import sys

import kubernetes_validate
import yaml

# Kinds that are not Kubernetes' own: their schemas come with whoever brings them.
OTHERS = {"PodMonitor"}
NAME = "app.kubernetes.io/name"


def main():
    release, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        manifests = [m for m in yaml.safe_load_all(file) if m]
    wrong = []
    for manifest in manifests:
        wrong += schema(manifest, release)
    by_kind = {manifest["kind"]: manifest for manifest in manifests}
    if "Deployment" in by_kind:
        wrong += deployment(by_kind["Deployment"], by_kind)
        wrong += selectors(by_kind)
        wrong += network(by_kind.get("NetworkPolicy"))
    for sentence in wrong:
        print(sentence)
    sys.exit(bool(wrong) or not manifests)


def schema(manifest, release):
    if manifest["kind"] in OTHERS:
        return []
    name = f"{manifest['kind']} {manifest['metadata']['name']}"
    try:
        kubernetes_validate.validate(manifest, release, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{name}: {'/'.join(map(str, error.path))}: {error.message[:200]}"]
    except (kubernetes_validate.SchemaNotFoundError, kubernetes_validate.InvalidSchemaError) as error:
        return [f"{name}: {error}"]
    return []


def deployment(manifest, by_kind):
    """Its own references exist, nothing secret stands in it, it is confined, and it outlasts the service's drain."""
    wrong = []
    pod = manifest["spec"]["template"]["spec"]
    container = pod["containers"][0]
    settings = by_kind["ConfigMap"]
    # What refers to it must have the generated name, or a change of a setting would be no rollout.
    if [s["configMapRef"]["name"] for s in container["envFrom"]] != [settings["metadata"]["name"]]:
        wrong.append("the replicas do not read the settings that the overlay makes")
    if pod["terminationGracePeriodSeconds"] * 1000 <= int(settings["data"]["SAA_SERVER__DRAIN_MS"]):
        wrong.append("terminationGracePeriodSeconds is not above SAA_SERVER__DRAIN_MS")
    if pod["serviceAccountName"] != by_kind["ServiceAccount"]["metadata"]["name"]:
        wrong.append("the service account is not there")
    for variable in container["env"]:
        if set(variable) != {"name", "valueFrom"} or "secretKeyRef" not in variable["valueFrom"]:
            wrong.append(f"{variable['name']} is no reference to a secret")
    if "Secret" in by_kind:
        wrong.append("a secret stands among the manifests")
    confined = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    if container["securityContext"] != confined or pod["securityContext"]["seccompProfile"] != {"type": "RuntimeDefault"}:
        wrong.append("the replicas are not confined")
    if not pod["securityContext"]["runAsNonRoot"] or pod["automountServiceAccountToken"]:
        wrong.append("the replicas run as root, or with a token of the cluster")
    ports = {port["name"] for port in container["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        if container[probe]["httpGet"]["port"] not in ports:
            wrong.append(f"{probe} asks a port that is not there")
    declared = {volume["name"] for volume in pod["volumes"]}
    if {mount["name"] for mount in container["volumeMounts"]} != declared:
        wrong.append("volumes and mounts are not the same")
    return wrong


def selectors(by_kind):
    labels = by_kind["Deployment"]["spec"]["template"]["metadata"]["labels"]
    chosen = {
        "Deployment": by_kind["Deployment"]["spec"]["selector"]["matchLabels"],
        "Service": by_kind["Service"]["spec"]["selector"],
        "PodDisruptionBudget": by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        "NetworkPolicy": by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    }
    for constraint in by_kind["Deployment"]["spec"]["template"]["spec"]["topologySpreadConstraints"]:
        chosen[f"spread over {constraint['topologyKey']}"] = constraint["labelSelector"]["matchLabels"]
    wrong = [f"{kind} selects {selector}, the replicas have {labels}" for kind, selector in chosen.items() if not selector.items() <= labels.items()]
    scaler = by_kind.get("HorizontalPodAutoscaler")
    if scaler and scaler["spec"]["scaleTargetRef"]["name"] != by_kind["Deployment"]["metadata"]["name"]:
        wrong.append("the autoscaler scales something else")
    if scaler and "replicas" in by_kind["Deployment"]["spec"]:
        wrong.append("the deployment takes back at every rollout what the autoscaler has chosen")
    return wrong


def network(policy):
    """Others are chosen by their own labels, and both directions are shut for whoever is not named."""
    if not policy or sorted(policy["spec"]["policyTypes"]) != ["Egress", "Ingress"]:
        return ["the network policy does not shut both directions"]
    peers = [peer for rule in policy["spec"]["egress"] for peer in rule["to"]] + [peer for rule in policy["spec"]["ingress"] for peer in rule["from"]]
    named = [peer["podSelector"]["matchLabels"] for peer in peers if "podSelector" in peer]
    wrong = [f"{labels} in the network policy is the service itself" for labels in named if labels.get(NAME) == "swagger-api-agent"]
    for expected in ({NAME: "redis"}, {NAME: "prometheus"}, {"k8s-app": "kube-dns"}):
        if expected not in named:
            wrong.append(f"{json.dumps(expected)} is not in the network policy")
    if not all("to" in rule for rule in policy["spec"]["egress"]) or not all("from" in rule for rule in policy["spec"]["ingress"]):
        wrong.append("a rule of the network policy is for everybody")
    return wrong


main()
