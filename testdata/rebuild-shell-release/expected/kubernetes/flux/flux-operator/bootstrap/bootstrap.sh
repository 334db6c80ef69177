#!/bin/sh
# Brings Flux back onto a rebuilt cluster; Flux then takes over what this installs, and syncs. Not for a cluster that
# still runs the classic install: there the guards in Git come first.
#
#   sh kubernetes/flux/flux-operator/bootstrap/bootstrap.sh
#
# It creates what a file defines, and stops where one of these is missing in the namespace flux-system:
#
#   Secret deploy-key: nothing in the repository defines it
#   Secret sops-age: nothing in the repository defines it
set -eu
cd "$(dirname "$0")/../../../.."

namespace='flux-system'

fail() {
  echo "$*" >&2
  exit 1
}

apply() {
  kubectl apply --server-side --field-manager=kustomize-controller "$@"
}

# has KIND NAME
has() {
  kubectl --namespace "$namespace" get "$1" "$2" >/dev/null 2>&1
}

# release NAME CHART [HELM FLAGS], with $version and $values. A release that is there is brought to the same state.
release() {
  printf '%s\n' "$values" |
    helm upgrade --install "$@" --version "$version" --namespace "$namespace" --values -
}

for tool in helm kubectl yq sops; do
  command -v "$tool" >/dev/null || fail "$tool is needed"
done
kubectl version >/dev/null || fail "no cluster answers"
if kubectl --namespace "$namespace" get deployment source-controller >/dev/null 2>&1 &&
  ! kubectl --namespace "$namespace" get fluxinstances.fluxcd.controlplane.io 'flux' >/dev/null 2>&1; then
  fail "this cluster runs Flux without Flux Operator: migrate it by Git, and do not bootstrap it"
fi

kubectl create namespace "$namespace" --dry-run=client --output=yaml | apply --filename=-
has secret 'deploy-key' || fail 'create the Secret deploy-key in the namespace flux-system, then run this again'
has secret 'sops-age' || fail 'create the Secret sops-age in the namespace flux-system, then run this again'
has configmap 'cluster-settings' || apply --namespace "$namespace" --filename='kubernetes/flux/vars/cluster-settings.yaml'
has secret 'cluster-secrets' || sops --decrypt 'kubernetes/flux/vars/cluster-secrets.sops.yaml' | apply --namespace "$namespace" --filename=-

version=$(yq -r -e '.spec.ref.tag' 'kubernetes/flux/flux-operator/operator/source.yaml')
values=$(yq '.spec.values // {}' 'kubernetes/flux/flux-operator/operator/helmrelease.yaml')
release flux-operator oci://ghcr.io/controlplaneio-fluxcd/charts/flux-operator --wait --timeout=10m
kubectl wait crd/fluxinstances.fluxcd.controlplane.io --for=condition=Established --timeout=1m
version=$(yq -r -e '.spec.ref.tag' 'kubernetes/flux/flux-operator/instance/source.yaml')
values=$(yq '.spec.values // {}' 'kubernetes/flux/flux-operator/instance/helmrelease.yaml')
release flux-instance oci://ghcr.io/controlplaneio-fluxcd/charts/flux-instance
kubectl --namespace "$namespace" wait fluxinstance/flux --for=condition=Ready --timeout=10m

echo "Flux runs and syncs: flux -n $namespace get kustomizations"
