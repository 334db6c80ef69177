// Package inventory says what each Flux Kustomization applies, and what Flux
// would prune between two states of a repository.
//
// [Files.Build] starts at the root Flux Kustomizations and follows what they apply,
// from files alone: it builds each path as kustomize-controller does, takes
// the Flux Kustomizations out of the result (so that a parent's patches
// count) and goes on with them. [Compare] takes two inventories and judges
// every object as the controller's garbage collection would.
//
// Not handled, and reported as opaque instead: other sources, remote bases,
// Helm charts inside a kustomization.yaml, what another cluster applies
// (spec.kubeConfig), and names that depend on a value that is not in the
// repository.
package inventory
