package instance

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/reason"
)

// settle brings the draft as close to the classic install as it can: fields in the place of patches, and a patch for
// what neither says. It returns what is still different.
//
// It fails where Flux Operator would refuse the draft.
func (d *draft) settle(before []*kyaml.RNode) ([]flux.Difference, error) {
	differences, err := d.differences(before)
	if err != nil {
		d.mergeMetadata()
		differences, err = d.differences(before)
	}
	differences, err = d.prefer(before, differences, err)
	if err != nil || len(differences) == 0 {
		return differences, err
	}
	return d.repair(before, differences), nil
}

// mergeMetadata makes merges of the operations that add labels and annotations: Flux Operator patches objects before
// they have any, and an operation cannot add to what is not there.
func (d *draft) mergeMetadata() {
	for i, patch := range d.patches {
		if body, only := metadataMerge(patch.Body); only {
			d.patches[i] = patch.With(body, patch.Target)
		}
	}
}

// metadataMerge is the merge that does what the operations do; false where they do more than add labels and
// annotations.
func metadataMerge(body string) (string, bool) {
	ops, isJSON := classic.Operations(body)
	metadata := map[string]any{"name": "all"}
	for _, op := range ops {
		pointer, _ := op["path"].(string)
		keys := strings.Split(pointer, "/")
		value, isText := op["value"].(string)
		if !isText || op["op"] != "add" || len(keys) != 4 || keys[1] != "metadata" || keys[2] != "labels" &&
			keys[2] != "annotations" {
			return "", false
		}
		entries, _ := metadata[keys[2]].(map[string]any)
		if entries == nil {
			entries = map[string]any{}
		}
		entries[strings.NewReplacer("~1", "/", "~0", "~").Replace(keys[3])] = value
		metadata[keys[2]] = entries
	}
	return marshal(map[string]any{"apiVersion": "v1", "kind": "all", "metadata": metadata}), isJSON && len(ops) > 0
}

// prefer puts fields in the place of patches, each only where that brings no difference to the classic install.
func (d *draft) prefer(before []*kyaml.RNode, differences []flux.Difference, refused error) ([]flux.Difference, error) {
	for _, field := range preferred {
		tried := d.clone()
		if !field.put(tried, before) {
			continue
		}
		after, err := tried.differences(before)
		if err == nil && (refused != nil || within(after, differences)) {
			tried.replaced = append(tried.replaced, replacedBy(field.name, d.patches, tried.patches)...)
			*d, differences, refused = *tried, after, nil
		}
	}
	return differences, refused
}

// differences are what the draft renders differently. It keeps what it renders, and what Flux Operator changes by
// itself.
//
// It fails where Flux Operator would refuse the draft.
func (d *draft) differences(before []*kyaml.RNode) (found []flux.Difference, err error) {
	if d.after, err = d.render(); err != nil {
		return nil, err
	}
	found, d.imposed, err = flux.Compare(slices.Concat(before, d.taken), d.after)
	return found, err
}

// within reports whether all of some differences are among others.
func within(some, others []flux.Difference) bool {
	for _, d := range some {
		if !slices.Contains(others, d) {
			return false
		}
	}
	return true
}

// preference is a field that can say what patches say. put changes the draft and takes out the patches that the field
// stands for; false when there are none.
type preference struct {
	name string
	put  func(d *draft, before []*kyaml.RNode) bool
}

// preferred are the fields that can say what patches say, in the order in which they are tried.
var preferred = []preference{
	{"spec.cluster.networkPolicy", withoutNetworkPolicies},
	{"spec.distribution.registry", withRegistry},
	{"spec.distribution.imagePullSecret", withPullSecret},
	{"spec.cluster.type", withOpenShift},
	{"spec.cluster.domain", withDomain},
	{"spec.cluster.multitenant", withTenancy},
	{"spec.cluster.objectLevelWorkloadIdentity", withIdentity},
	{"spec.storage", withStorage},
	{"spec.sharding", withSharding},
	{"spec.commonMetadata", withCommonMetadata},
}

// replacement is a patch that a field says, or a part of it.
type replacement struct {
	patch classic.Patch
	field string
}

// replacedBy are the patches that a field took the place of.
func replacedBy(field string, before, after []classic.Patch) []replacement {
	var all []replacement
	for _, patch := range before {
		if !slices.ContainsFunc(after, func(p classic.Patch) bool {
			return sameOrigin(p, patch) &&
				p.Body == patch.Body
		}) {
			all = append(all, replacement{patch, field})
		}
	}
	return all
}

// sameOrigin reports whether two patches were found in the same place.
func sameOrigin(a, b classic.Patch) bool { return a.Object == b.Object && a.Field == b.Field }

// withCommonMetadata says spec.commonMetadata for the labels and annotations that are on everything that Flux installs,
// but for those that Flux itself puts there.
func withCommonMetadata(d *draft, before []*kyaml.RNode) bool {
	common := map[string]any{}
	if labels := onAll(before, (*kyaml.RNode).GetLabels); len(labels) > 0 {
		common["labels"] = labels
	}
	if annotations := onAll(before, (*kyaml.RNode).GetAnnotations); len(annotations) > 0 {
		common["annotations"] = annotations
	}
	d.extra["commonMetadata"] = common
	d.patches = slices.DeleteFunc(slices.Clone(d.patches),
		func(p classic.Patch) bool { return onlySets(p.Body, common) })
	return len(common) > 0
}

// onlySets reports whether a patch does nothing but set labels and annotations that are common to everything.
func onlySets(body string, common map[string]any) bool {
	if merged, isMetadata := metadataMerge(body); isMetadata {
		body = merged
	}
	var patch map[string]any
	if yaml.Unmarshal([]byte(body), &patch) != nil {
		return false
	}
	metadata, _ := patch["metadata"].(map[string]any)
	for _, field := range []string{"labels", "annotations"} {
		shared, _ := common[field].(map[string]any)
		own, _ := metadata[field].(map[string]any)
		for key, value := range own {
			if shared[key] != value {
				return false
			}
		}
		delete(metadata, field)
	}
	delete(metadata, "name")
	delete(metadata, "namespace")
	delete(patch, "apiVersion")
	delete(patch, "kind")
	return len(metadata) == 0 && len(patch) == 1
}

// onAll are the entries that all objects have.
func onAll(objects []*kyaml.RNode, get func(*kyaml.RNode, ...string) map[string]string) map[string]any {
	common := map[string]any{}
	for key, value := range get(objects[0]) {
		shared := !slices.ContainsFunc(objects,
			func(o *kyaml.RNode) bool { v, set := get(o)[key]; return !set || v != value })
		if shared && !strings.HasPrefix(key, "app.kubernetes.io/") {
			common[key] = value
		}
	}
	return common
}

// withoutNetworkPolicies says cluster.networkPolicy: false instead of deleting the NetworkPolicies.
func withoutNetworkPolicies(d *draft, before []*kyaml.RNode) bool {
	if slices.ContainsFunc(before, func(o *kyaml.RNode) bool { return o.GetKind() == "NetworkPolicy" }) {
		return false
	}
	var kept []classic.Patch
	for _, patch := range d.patches {
		if patch.Target["kind"] == "NetworkPolicy" {
			d.comments["networkPolicy"] = patch.Comment
			continue
		}
		kept = append(kept, patch)
	}
	dropped := len(kept) < len(d.patches)
	d.patches, d.cluster["networkPolicy"] = kept, false
	return dropped
}

// withRegistry says distribution.registry instead of patching every image.
func withRegistry(d *draft, before []*kyaml.RNode) bool {
	registries := map[string]bool{}
	for _, o := range before {
		if image := imageOf(o); image != "" {
			registries[image[:max(0, strings.LastIndex(image, "/"))]] = true
		}
	}
	if len(registries) != 1 || registries[d.plan.Install.Options.Registry] {
		return false
	}
	d.distribution["registry"] = slices.Collect(maps.Keys(registries))[0]
	d.dropOperations(func(op map[string]any) bool { return op["path"] == imagePath })
	return true
}

// pullSecretsField leads to the pull secrets of a pod.
var pullSecretsField = []string{"spec", "template", "spec", "imagePullSecrets"}

// withPullSecret says distribution.imagePullSecret instead of giving every pod the one pull secret.
func withPullSecret(d *draft, before []*kyaml.RNode) bool {
	secrets := map[string]bool{}
	for _, o := range before {
		if o.GetKind() == "Deployment" {
			list, _ := o.Pipe(kyaml.Lookup(pullSecretsField...))
			text, _ := list.String()
			secrets[text] = true
		}
	}
	var named []struct{ Name string }
	if len(secrets) != 1 || yaml.Unmarshal([]byte(slices.Collect(maps.Keys(secrets))[0]), &named) != nil ||
		len(named) != 1 || d.distribution["imagePullSecret"] != nil {
		return false
	}
	d.distribution["imagePullSecret"] = named[0].Name
	merged := d.dropMerged(pullSecretsField...)
	return d.dropOperations(func(op map[string]any) bool {
		return op["path"] == "/"+
			strings.Join(pullSecretsField, "/")
	}) || merged
}

// withOpenShift says cluster.type instead of removing what OpenShift sets itself.
func withOpenShift(d *draft, _ []*kyaml.RNode) bool {
	d.cluster["type"] = "openshift"
	return d.dropOperations(func(op map[string]any) bool {
		at, _ := op["path"].(string)
		return op["op"] == "remove" && (strings.Contains(at, "/securityContext") || strings.HasPrefix(at,
			"/metadata/labels/pod-security.kubernetes.io~1warn"))
	})
}

// withDomain says cluster.domain instead of patching the addresses that the controllers tell each other.
func withDomain(d *draft, before []*kyaml.RNode) bool {
	domains := map[string]bool{}
	for _, o := range before {
		for _, arg := range argsOf(o) {
			if strings.HasPrefix(arg, "--storage-adv-addr=") {
				if _, domain, found := strings.Cut(arg, ".svc."); found {
					domains[strings.TrimSuffix(domain, ".")] = true
				}
			}
		}
	}
	if len(domains) != 1 || domains["cluster.local"] || d.cluster["domain"] != nil {
		return false
	}
	d.cluster["domain"] = slices.Collect(maps.Keys(domains))[0]
	d.dropOperations(func(op map[string]any) bool {
		value, _ := op["value"].(string)
		return strings.HasPrefix(value, "--storage-adv-addr=") || strings.HasPrefix(value, "--events-addr=")
	})
	return true
}

// withTenancy says cluster.multitenant instead of the three arguments of the lockdown.
func withTenancy(d *draft, _ []*kyaml.RNode) bool {
	account := ""
	found := d.dropOperations(func(op map[string]any) bool {
		value, _ := op["value"].(string)
		if name, is := strings.CutPrefix(value, "--default-service-account="); is {
			account = name
			return true
		}
		return value == "--no-cross-namespace-refs=true" || value == "--no-remote-bases=true"
	})
	d.cluster["multitenant"] = true
	if account != "default" {
		d.cluster["tenantDefaultServiceAccount"] = account
	}
	return found && account != ""
}

// withIdentity says cluster.objectLevelWorkloadIdentity instead of the feature gate: the gate alone leaves the
// permission to create tokens out. Source: MIGRATION facts 9.
func withIdentity(d *draft, _ []*kyaml.RNode) bool {
	d.cluster["objectLevelWorkloadIdentity"] = true
	return d.dropOperations(func(op map[string]any) bool {
		return op["value"] == "--feature-gates=ObjectLevelWorkloadIdentity=true"
	})
}

// withSharding leaves it to spec.sharding, which is there as soon as there are shards, to keep the main controllers
// from their objects.
func withSharding(d *draft, _ []*kyaml.RNode) bool {
	sharding, sharded := d.extra["sharding"].(map[string]any)
	return sharded && d.dropOperations(func(op map[string]any) bool {
		return op["value"] == fmt.Sprintf("--watch-label-selector=!%s", sharding["key"])
	})
}

const (
	containerPath = "/spec/template/spec/containers/0"
	imagePath     = containerPath + "/image"
)

// dropOperations takes JSON6902 operations out of the patches; a patch that is left without any goes.
func (d *draft) dropOperations(match func(map[string]any) bool) bool {
	var patches []classic.Patch
	dropped := false
	for _, patch := range d.patches {
		ops, isJSON := classic.Operations(patch.Body)
		kept := slices.DeleteFunc(slices.Clone(ops), match)
		switch {
		case !isJSON || len(kept) == len(ops):
			patches = append(patches, patch)
			continue
		case len(kept) > 0:
			// Operations were decoded from YAML, so they can be written as YAML.
			body, _ := yaml.Marshal(kept)
			patches = append(patches, patch.With(string(body), patch.Target))
		}
		dropped = true
	}
	d.patches = patches
	return dropped
}

// dropMerged takes a field out of the merge patches; a patch that is left without any goes.
func (d *draft) dropMerged(field ...string) bool {
	var patches []classic.Patch
	dropped := false
	for _, patch := range d.patches {
		body, has := withoutField(patch.Body, field)
		if has {
			dropped, patch = true, patch.With(body, patch.Target)
		}
		if !has || body != "" {
			patches = append(patches, patch)
		}
	}
	d.patches = patches
	return dropped
}

// withoutField is a merge patch without a field; empty where it says nothing else, has is false where it does not say
// it.
func withoutField(body string, field []string) (without string, has bool) {
	node, err := reason.With(kyaml.Parse(body))
	if err != nil || node.YNode().Kind != kyaml.MappingNode {
		return "", false
	}
	for depth := len(field); depth > 0; depth-- {
		parent, err := node.Pipe(kyaml.Lookup(field[:depth-1]...))
		if err != nil || parent == nil {
			return "", false
		}
		if cleared, err := parent.Pipe(kyaml.Clear(field[depth-1])); err != nil || cleared == nil {
			return "", false
		}
		if len(parent.Content()) > 0 {
			break
		}
	}
	if fields, err := node.Fields(); err != nil ||
		!slices.ContainsFunc(fields, func(f string) bool {
			return !slices.Contains([]string{"apiVersion", "kind",
				"metadata"}, f)
		}) {
		return "", true
	}
	text, err := node.String()
	return text, err == nil
}

// imageOf is the image of a controller, empty for other objects.
func imageOf(o *kyaml.RNode) string {
	if o.GetKind() != "Deployment" {
		return ""
	}
	image, _ := o.Pipe(kyaml.Lookup("spec", "template", "spec", "containers", "0", "image"))
	return kyaml.GetValue(image)
}

// argsOf are the arguments of a controller.
func argsOf(o *kyaml.RNode) []string {
	if o.GetKind() != "Deployment" {
		return nil
	}
	list, err := o.Pipe(kyaml.Lookup("spec", "template", "spec", "containers", "0", "args"))
	if err != nil || list == nil {
		return nil
	}
	var args []string
	for _, arg := range list.Content() {
		args = append(args, fmt.Sprint(arg.Value))
	}
	return args
}
