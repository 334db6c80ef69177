package inventory

import (
	"strings"

	"migrate-to-flux-operator/fn/printable"
)

// Name is a namespace and a name.
type Name struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns namespace/name.
func (n Name) String() string { return printable.Line(n.Namespace + "/" + n.Name) }

// ID is the identity of an object as Flux's inventory has it: without the
// version, which may change.
type ID struct {
	Group     string `json:"group,omitempty"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Cluster is the kubeconfig of another cluster; empty for this one.
	Cluster string `json:"cluster,omitempty"`
}

// String returns Kind/namespace/name, as Flux prints objects.
func (id ID) String() string {
	parts := []string{id.Kind, id.Namespace, id.Name}
	if id.Namespace == "" {
		parts = []string{id.Kind, id.Name}
	}
	s := strings.Join(parts, "/")
	if id.Cluster != "" {
		s += " on " + id.Cluster
	}
	return printable.Line(readable(s))
}

// readable spells unknown values as the variables that they come from.
func readable(s string) string {
	for strings.Contains(s, unknown) {
		s = strings.Replace(strings.Replace(s, unknown, "${", 1), unknown, "}", 1)
	}
	return s
}

// compare orders identities by kind, namespace, name, group and cluster.
func (id ID) compare(o ID) int {
	return strings.Compare(id.key(), o.key())
}

// key is the identity as one sortable string.
func (id ID) key() string {
	return strings.Join([]string{id.Kind, id.Namespace, id.Name, id.Group, id.Cluster}, "\x00")
}
