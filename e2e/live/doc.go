// Package live replays migrations on a real API server: the real kube-apiserver and etcd, Flux's real
// source-controller, kustomize-controller and helm-controller, and the real Flux Operator, all built from the Go
// modules that programs/go.mod pins and run on loopback. What a run prints is run by a shell, with the real kubectl and
// flux. It is all tests; `make e2e-live` runs them.
//
// At each step the cluster is verified: with the commands of verify --script, run by the real kubectl, and with the
// phase and the answer that are right there. -snapshots FOLDER keeps each snapshot beside its repository; those of
// fn/command/testdata/verify come from there.
//
// What was deleted is what the API server's own watch says, object by object. The run ends with a table of it.
//
// What is not real, and what stands in for it:
//   - The internet: a proxy answers for every host, with a certificate that the controllers trust. Git is served by Git's own
//     http-backend, ghcr.io by a registry in the test, and what is sent by http is taken and dropped: events, as there is no
//     notification-controller.
//   - The charts: flux-operator installs the operator's CRDs and a Deployment, flux-instance renders the FluxInstance from its values, and
//     flux2 installs the manifests of a release of Flux, whatever its values.
//   - There is no kubelet and no kube-controller-manager: the test sets the status of each Deployment, runs the operator for as long as
//     its Deployment is there, and a Namespace that is deleted stays Terminating, which counts as deleted.
//   - Flux's controllers are processes beside the cluster: they outlive the deletion of their own Deployments, and have the flags of the
//     test.
package live
