// Package live replays migrations on a real API server: the real kube-apiserver and etcd, the real kustomize-controller
// and the real Flux Operator, all built from their Go modules and run on loopback. It is all tests; `make e2e-live` runs them.
//
// What is not real, and what stands in for it:
//   - There is no kubelet and no kube-controller-manager: the test sets the status of each Deployment, so that what waits for
//     them goes on, and a Namespace that is deleted stays Terminating, which counts as deleted.
//   - There is no source-controller: the test packs the repository, serves it, and sets the status of each source.
//   - What a HelmRelease would bring is not there, so that a FluxInstance by the flux-instance chart is not replayed: the function's own
//     cases and the operator's build show what the chart renders.
//   - There is no helm-controller: the test installs the operator's CRDs, starts the operator, and sets the HelmRelease's status.
//   - There is no notification-controller: the test takes its events and drops them.
//   - The controllers are processes beside the cluster, so they outlive the deletion of their own Deployments.
package live
