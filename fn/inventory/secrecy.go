package inventory

import (
	"regexp"
	"slices"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/yaml"
)

// A replacement or a variable of kustomize can copy a value of a Secret into the name of an object, or into what Flux
// reads, and those are shown. Such a one is left out of the build, and noted.

// copied is the note for what is left out.
const copied = "a value that is copied out of a Secret"

// showsSecret reports whether a replacement copies a value of a Secret to where it would be shown.
func showsSecret(r types.Replacement) bool {
	return r.Source != nil && mayBeValue(r.Source.Gvk, r.Source.FieldPath) && slices.ContainsFunc(r.Targets, shows)
}

// mayBeValue reports whether a field can be the data of a Secret: a reference may leave the kind out, and an annotation
// can be a copy of the whole object.
func mayBeValue(of resid.Gvk, field string) bool {
	return (of.Kind == "Secret" || of.Kind == "") && !noValue.MatchString(field)
}

// noValue are the fields of a Secret that hold no value; without a field it is the name.
var noValue = regexp.MustCompile(`^(kind|apiVersion|type|metadata\.(name|namespace|labels\..*))?$`)

// shows reports whether what a target sets may be shown: not what is below the spec or the data of one kind, a Secret
// among them, of which nothing is read. A kind can be a regular expression, a part of a path a wildcard, and without a
// path it is the name.
func shows(target *types.TargetSelector) bool {
	if target == nil || target.Select == nil || !oneKind.MatchString(target.Select.Kind) ||
		len(target.FieldPaths) == 0 {
		return true
	}
	names := slices.ContainsFunc(target.FieldPaths, func(field string) bool { return !belowSpec.MatchString(field) })
	return names || slices.Contains(read, target.Select.Kind)
}

var (
	oneKind   = regexp.MustCompile(`^\w+$`)
	belowSpec = regexp.MustCompile(`^(spec|data|stringData)\.`)
)

// read are the kinds of which this program reads more than the metadata.
var read = []string{
	"ConfigMap", "Kustomization", "GitRepository", "OCIRepository", "Bucket", "HelmRepository", "HelmChart",
	"HelmRelease", "Deployment",
	"FluxInstance", "CustomResourceDefinition",
}

// showsSecretIn is showsSecret for a file of replacements. What does not parse, kustomize refuses.
func showsSecretIn(content []byte) bool {
	var one types.Replacement
	var list []types.Replacement
	if yaml.Unmarshal(content, &list) != nil {
		if yaml.Unmarshal(content, &one) != nil {
			return false
		}
		list = append(list, one)
	}
	return slices.ContainsFunc(list, showsSecret)
}
