package instance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/object"
)

// Requirement is a Secret or ConfigMap that must be on the cluster for Flux to sync.
type Requirement struct {
	ID object.ID
	// By and Field are what refers to it.
	By    *object.Object
	Field string
	// Optional tells that Flux syncs without it too.
	Optional bool
	// Defined is where the repository defines it; nil where it does not.
	Defined *object.Object
	// Maker is what makes it on the cluster; nil where nothing in the repository does.
	Maker *object.Object
}

// Where says where it comes from.
func (r Requirement) Where() string {
	switch {
	case r.Defined != nil && r.Defined.File != "":
		return "defined in " + r.Defined.File
	case r.Defined != nil:
		return "defined in the input"
	case r.Maker != nil:
		return strings.TrimSuffix("made by "+r.Maker.ID.String()+" in "+r.Maker.File, " in ")
	case r.Optional:
		return "optional, not in Git"
	}
	return "not in Git"
}

// Provided reports whether Git brings it to the cluster, or Flux can do without it.
func (r Requirement) Provided() bool { return r.Defined != nil || r.Maker != nil || r.Optional }

// secretFields name the Secrets that the pair needs; substituteFrom names ConfigMaps too.
var secretFields = [][]string{{"secretRef"}, {"decryption", "secretRef"}, {"certSecretRef"}, {"proxySecretRef"},
	{"verify", "secretRef"},
	{"sts", "secretRef"}, {"kubeConfig", "secretRef"}}

// Requirements are the Secrets and ConfigMaps that the objects of a sync pair refer to, in their order.
func Requirements(set *object.Set, namespace string, pair ...*object.Object) []Requirement {
	var all []Requirement
	add := func(by *object.Object, kind, name, field string, optional bool) {
		r := Require(set, object.ID{APIVersion: "v1", Kind: kind, Namespace: namespace, Name: name}, by, field)
		r.Optional = optional
		all = append(all, r)
	}
	for _, o := range pair {
		for _, field := range secretFields {
			path := append([]string{"spec"}, field...)
			if name := o.Str(append(path, "name")...); name != "" {
				add(o, "Secret", name, dotted(path), false)
			}
		}
		list, _ := object.Get[[]any](o.Map(), "spec", "postBuild", "substituteFrom")
		for i, entry := range list {
			ref, _ := entry.(map[string]any)
			kind, _ := ref["kind"].(string)
			name, _ := ref["name"].(string)
			optional, _ := ref["optional"].(bool)
			add(o, kind, name, fmt.Sprintf("spec.postBuild.substituteFrom[%d]", i), optional)
		}
	}
	return all
}

// Require is the requirement of one object, which a field of another one names.
func Require(set *object.Set, id object.ID, by *object.Object, field string) Requirement {
	return Requirement{ID: id, By: by, Field: field, Defined: defined(set, id, by), Maker: makerOf(set, id)}
}

// makers are the kinds whose controllers make a Secret, and where they say its name when it is not their own.
// Source: external-secrets.io/v1 ExternalSecret, bitnami.com/v1alpha1 SealedSecret, onepassword.com/v1 OnePasswordItem.
var makers = []struct {
	group, kind string
	name        []string
}{
	{"external-secrets.io", "ExternalSecret", []string{"spec", "target", "name"}},
	{"bitnami.com", "SealedSecret", []string{"spec", "template", "metadata", "name"}},
	{"onepassword.com", "OnePasswordItem", nil},
}

// makerOf is the object whose controller makes a Secret, nil when none is in the input.
func makerOf(set *object.Set, id object.ID) *object.Object {
	for _, m := range makers {
		for _, o := range set.Of(m.group, m.kind) {
			name := o.Name
			if m.name != nil {
				name = cmp.Or(o.Str(m.name...), name)
			}
			if id.Kind == "Secret" && name == id.Name && (o.Namespace == "" || o.Namespace == id.Namespace) {
				return o
			}
		}
	}
	return nil
}

// defined finds an object by name, the one of the same cluster where several have it; one without a namespace counts,
// because a Kustomization may set it.
func defined(set *object.Set, id object.ID, by *object.Object) *object.Object {
	found := set.Find(id)
	id.Namespace = ""
	found = append(found, set.Find(id)...)
	slices.SortStableFunc(found, object.Compare)
	return classic.Nearest(found, by)
}
