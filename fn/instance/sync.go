package instance

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/fields"
	"migrate-to-flux-operator/fn/object"
)

// Sources of the tables: source.toolkit.fluxcd.io v1, v1beta2 and v1beta1, kustomize.toolkit.fluxcd.io v1, v1beta2 and
// v1beta1, of Flux 2.0 to 2.9; FluxInstance of Flux Operator 0.58.1. The census test holds them against those APIs.

// unset is why a switch that is off is not restated. Source: the defaults of these APIs, Flux 2.0 to 2.9.
const unset = "off is the default"

// Switches are the fields of the spec of a sync pair that mean the same off and not there.
var Switches = []string{"wait", "force", "suspend", "insecure", "recurseSubmodules"}

// off accepts a switch that is off.
func off(value any) (any, bool) { return value, value == false }

// identityRules are what every object of the pair has.
var identityRules = []fields.Rule{
	{From: "apiVersion", Why: "Flux Operator writes the version that the release serves"},
	{From: "kind", To: "kind"},
	{From: "metadata.name", To: "name"},
	{From: "metadata.namespace", Why: "Flux Operator writes the pair to its own namespace, which is checked to be " +
		"the same"},
	{From: "metadata.creationTimestamp", Why: "written by the API server"},
	{From: "metadata.resourceVersion", Why: "written by the API server"},
	{From: "metadata.uid", Why: "written by the API server"},
	{From: "metadata.generation", Why: "written by the API server"},
	{From: "metadata.managedFields", Why: "written by the API server"},
	{From: "metadata.selfLink", Why: "written by the API server"},
	{From: "metadata.finalizers", Why: "written by the controller"},
	{From: "metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]", Why: "written by kubectl"},
	{From: "metadata.annotations[" + PruneKey + "]", Why: "Flux Operator sets it on everything it applies"},
	{From: "metadata.annotations[kustomize.toolkit.fluxcd.io/ssa]", Why: "Flux Operator sets it on everything it " +
		"applies"},
	{From: "metadata.labels", Restate: true},
	{From: "metadata.annotations", Restate: true},
	{From: "status", Why: "written by the controller"},
}

// gitRules are about a GitRepository.
var gitRules = []fields.Rule{
	{From: "spec.url", To: "url"},
	{From: "spec.secretRef.name", To: "pullSecret"},
	{From: "spec.secretRef", Restate: true},
	{From: "spec.provider", To: "provider"},
	{From: "spec.provider", Restate: true},
	{From: "spec.interval", To: "interval"},
	{From: "spec.timeout", Restate: true},
	{From: "spec.verify", Restate: true},
	{From: "spec.proxySecretRef", Restate: true},
	{From: "spec.serviceAccountName", Restate: true},
	{From: "spec.ignore", Restate: true},
	{From: "spec.suspend", Via: off, Why: unset},
	{From: "spec.suspend", Restate: true},
	{From: "spec.recurseSubmodules", Via: off, Why: unset},
	{From: "spec.recurseSubmodules", Restate: true},
	{From: "spec.include", Restate: true},
	{From: "spec.sparseCheckout", Restate: true},
	{From: "spec.gitImplementation", Why: "without effect since Flux 0.35 and gone from v1"},
	{From: "spec.accessFrom", Why: "without effect in Flux 2 and gone from v1"},
	{From: "spec.ref", Via: only("name"), To: "ref"},
	{From: "spec.ref", Restate: true},
}

// ociRules are about an OCIRepository.
var ociRules = []fields.Rule{
	{From: "spec.url", To: "url"},
	{From: "spec.secretRef.name", To: "pullSecret"},
	{From: "spec.secretRef", Restate: true},
	{From: "spec.provider", To: "provider"},
	{From: "spec.provider", Restate: true},
	{From: "spec.interval", To: "interval"},
	{From: "spec.timeout", Restate: true},
	{From: "spec.verify", Restate: true},
	{From: "spec.layerSelector", Restate: true},
	{From: "spec.certSecretRef", Restate: true},
	{From: "spec.proxySecretRef", Restate: true},
	{From: "spec.serviceAccountName", Restate: true},
	{From: "spec.insecure", Via: off, Why: unset},
	{From: "spec.insecure", Restate: true},
	{From: "spec.ignore", Restate: true},
	{From: "spec.suspend", Via: off, Why: unset},
	{From: "spec.suspend", Restate: true},
	{From: "spec.ref", Via: only("tag"), To: "ref"},
	{From: "spec.ref", Restate: true},
}

// bucketRules are about a Bucket.
var bucketRules = []fields.Rule{
	{From: "spec.endpoint", To: "url"},
	{From: "spec.bucketName", To: "ref"},
	{From: "spec.secretRef.name", To: "pullSecret"},
	{From: "spec.secretRef", Restate: true},
	{From: "spec.provider", To: "provider"},
	{From: "spec.provider", Restate: true},
	{From: "spec.interval", To: "interval"},
	{From: "spec.timeout", Restate: true},
	{From: "spec.region", Restate: true},
	{From: "spec.prefix", Restate: true},
	{From: "spec.insecure", Via: off, Why: unset},
	{From: "spec.insecure", Restate: true},
	{From: "spec.sts", Restate: true},
	{From: "spec.certSecretRef", Restate: true},
	{From: "spec.proxySecretRef", Restate: true},
	{From: "spec.serviceAccountName", Restate: true},
	{From: "spec.ignore", Restate: true},
	{From: "spec.suspend", Via: off, Why: unset},
	{From: "spec.suspend", Restate: true},
	{From: "spec.accessFrom", Why: "without effect in Flux 2 and gone from v1"},
}

// rootRules are about the root Flux Kustomization. Flux Operator renders interval 10m, prune true, path and sourceRef;
// all else that the original says has to be restated, because the take-over drops what Flux Operator does not state.
var rootRules = []fields.Rule{
	{From: "spec.path", To: "path"},
	{From: "spec.sourceRef.kind", Why: "it is the source of the pair"},
	{From: "spec.sourceRef.name", Why: "it is the source of the pair"},
	{From: "spec.sourceRef", Restate: true},
	{From: "spec.interval", Restate: true},
	{From: "spec.retryInterval", Restate: true},
	{From: "spec.timeout", Restate: true},
	{From: "spec.prune", Restate: true},
	{From: "spec.wait", Via: off, Why: unset},
	{From: "spec.wait", Restate: true},
	{From: "spec.force", Via: off, Why: unset},
	{From: "spec.force", Restate: true},
	{From: "spec.suspend", Via: off, Why: unset},
	{From: "spec.suspend", Restate: true},
	{From: "spec.deletionPolicy", Restate: true},
	{From: "spec.dependsOn", Restate: true},
	{From: "spec.serviceAccountName", Restate: true},
	{From: "spec.kubeConfig", Restate: true},
	{From: "spec.targetNamespace", Restate: true},
	{From: "spec.namePrefix", Restate: true},
	{From: "spec.nameSuffix", Restate: true},
	{From: "spec.commonMetadata", Restate: true},
	{From: "spec.components", Restate: true},
	{From: "spec.ignoreMissingComponents", Restate: true},
	{From: "spec.images", Restate: true},
	{From: "spec.patches", Restate: true},
	{From: "spec.healthChecks", Restate: true},
	{From: "spec.healthCheckExprs", Restate: true},
	{From: "spec.decryption", Restate: true},
	{From: "spec.postBuild", Restate: true},
	{From: "spec.buildMetadata", Restate: true},
	{From: "spec.ignore", Restate: true},
	{From: "spec.patchesStrategicMerge", Why: classic.Unread},
	{From: "spec.patchesJson6902", Why: classic.Unread},
	{From: "spec.validation", Why: "only known to v1beta1, without effect since Flux 0.18"},
}

// only accepts a reference that says this one key and nothing else, in a text that stays one: Flux Operator writes it
// into YAML without quotes, where 1.10 becomes the number 1.1. Source: measured with Flux Operator 0.58.1.
func only(key string) func(any) (any, bool) {
	return func(value any) (any, bool) {
		ref, _ := value.(map[string]any)
		text, isString := ref[key].(string)
		return text, isString && len(ref) == 1 && staysText(text)
	}
}

func staysText(text string) bool {
	var read any
	err := yaml.Unmarshal([]byte(text), &read)
	return err == nil && read == text
}

// rulesOf are the rules for a source of this kind.
func rulesOf(kind string) []fields.Rule {
	return map[string][]fields.Rule{"GitRepository": gitRules, "OCIRepository": ociRules, "Bucket": bucketRules}[kind]
}

// Sync is what spec.sync and the patches on the pair say.
type Sync struct {
	// Spec is spec.sync.
	Spec map[string]any
	// Patches restate what spec.sync cannot say, the source's first.
	Patches []*kyaml.Node
	// Source and Root are the accounts of every field of the pair.
	Source, Root fields.Moved

	sourceMap, rootMap map[string]any
}

// syncOf maps the pair to spec.sync and the patches that restate the rest; newPath is where the root moves, empty where
// it stays. can tells whether the FluxInstance has a field or value.
//
// It fails when a rule is wrong, never on what the pair says.
func syncOf(pair classic.Pair, newPath string, can func(field string) bool) (Sync, error) {
	sync := Sync{Spec: map[string]any{}, sourceMap: pair.LiveSource.Map(), rootMap: at(newPath, pair.LiveRoot.Map())}
	var err error
	if sync.Source, err = fields.Move(sync.sourceMap, sync.Spec, sourceRules(pair.LiveSource, can)); err != nil {
		return Sync{}, fmt.Errorf("%s: %w", pair.Source.ID, err)
	}
	root := map[string]any{}
	if sync.Root, err = fields.Move(sync.rootMap, root, slices.Concat(identityRules, rootRules)); err != nil {
		return Sync{}, fmt.Errorf("%s: %w", pair.Root.ID, err)
	}
	sync.Spec["path"] = cmp.Or[any](root["path"], "./")
	if _, found := sync.Spec["ref"]; !found {
		sync.Spec["ref"] = refOf(pair.LiveSource)
	}
	sync.Patches = append(sync.sourcePatch(pair), sync.rootPatch(pair)...)
	return sync, nil
}

// sourceRules leave out the row that moves the provider where spec.sync does not know this one.
func sourceRules(source *object.Object, can func(field string) bool) []fields.Rule {
	rules := slices.Concat(identityRules, rulesOf(source.Kind))
	return slices.DeleteFunc(rules, func(r fields.Rule) bool {
		return r.To == "provider" && !can("spec.sync.provider="+source.Str("spec", "provider"))
	})
}

// refOf is the sync.ref that comes nearest to a reference that sync.ref cannot say; a patch restates the reference
// itself. Source of the default branch: source.toolkit.fluxcd.io/v1 GitRepositoryRef; of the default tag:
// OCIRepositoryRef.
func refOf(source *object.Object) string {
	ref := func(key string) string { return source.Str("spec", "ref", key) }
	switch {
	case source.Kind == "OCIRepository":
		return cmp.Or(ref("tag"), "latest")
	case ref("name") != "":
		return ref("name")
	case ref("tag") != "":
		return "refs/tags/" + ref("tag")
	default:
		return "refs/heads/" + cmp.Or(ref("branch"), "master")
	}
}

// Branch is the branch whose commits a source brings to the cluster; empty where it reads something else, or where the
// files do not tell. Source: source-controller v1.7.3, the order in which it looks at a ref.
func Branch(source *object.Object) string {
	branch, isBranch := strings.CutPrefix(refOf(source), "refs/heads/")
	ref := func(key string) string { return source.Str("spec", "ref", key) }
	lone := ref("commit") != "" && ref("branch") == ""
	if source.Kind != "GitRepository" || source.Str("spec", "url") == "" || !isBranch || ref("semver") != "" || lone ||
		strings.Contains(branch, "${") {
		return ""
	}
	return branch
}

// The comments that the patches carry, because a person will meet them in the FluxInstance years later.
const (
	sourceComment = "The source as it was before Flux Operator, restated: what is not stated here is dropped from " +
		"the object."
	rootComment = "The root Kustomization as it was before Flux Operator, restated: what is not stated here is " +
		"dropped from the object."
	renameComment = "\nThe first operation keeps its name. Never change or remove it: Flux Operator would delete the " +
		"Kustomization\nunder the old name, and that deletes everything it applied."
)

// refComment says why spec.sync.ref alone does not make the reference of a source. Sources: what Flux Operator 0.59.0
// generates for spec.sync; image-automation-controller v0.41, which needs a branch to push to.
func refComment(kind string) string {
	if kind == "OCIRepository" {
		return "\nspec.sync.ref alone is not enough: Flux Operator writes it to spec.ref.tag, which has no range and no " +
			"digest. To\nfollow another tag, change /spec/ref here together with spec.sync.ref."
	}
	return "\nspec.sync.ref alone is not enough: Flux Operator writes it to spec.ref.name, which has no range and no " +
		"commit, and\nimage automation that names no branch itself looks for spec.ref.branch. To follow another branch " +
		"or tag, change\n/spec/ref here together with spec.sync.ref."
}

func (s *Sync) sourcePatch(pair classic.Pair) []*kyaml.Node {
	ops := restate(withUnknown(s.Source, s.sourceMap), renderedSource)
	if _, hasRef := object.Get[any](pair.LiveSource.Map(), "spec", "ref"); !hasRef &&
		pair.Source.Kind == "GitRepository" {
		ops = append(ops, operation("remove", "/spec/ref", nil))
	}
	if len(ops) == 0 {
		return nil
	}
	comment := sourceComment
	if slices.ContainsFunc(ops, func(op *kyaml.Node) bool { return slices.ContainsFunc(op.Content, isRefPath) }) {
		comment += refComment(pair.Source.Kind)
	}
	return []*kyaml.Node{jsonPatch(comment, pair.Source.Kind, ops)}
}

func isRefPath(node *kyaml.Node) bool { return node.Value == "/spec/ref" }

func (s *Sync) rootPatch(pair classic.Pair) []*kyaml.Node {
	var ops []*kyaml.Node
	comment := rootComment
	if pair.LiveRoot.Name != pair.LiveSource.Name {
		comment += renameComment
		ops = append(ops, operation("replace", "/metadata/name", pair.LiveRoot.Name))
	}
	ops = append(ops, operation("add", "/metadata/annotations", s.rootAnnotations()))
	ops = append(ops, restate(withUnknown(s.Root, s.rootMap), renderedRoot)...)
	return []*kyaml.Node{jsonPatch(comment, "Kustomization", ops)}
}

// rootAnnotations are the root's own, and the one that keeps Flux Operator from deleting the root when it is no longer
// generated.
func (s *Sync) rootAnnotations() map[string]any {
	annotations := map[string]any{operatorPruneKey: "disabled"}
	for _, leaf := range s.Root.Restated {
		if own, isMap := leaf.Value.(map[string]any); leaf.Path == "metadata.annotations" && isMap {
			maps.Copy(annotations, own)
		}
	}
	return annotations
}

// renderedSource and renderedRoot are the fields that Flux Operator writes by itself, so that they are replaced, not
// added.
// Source: the objects that Flux Operator 0.58.1 generates for spec.sync.
var (
	renderedSource = map[string]any{"spec.ref": nil, "spec.interval": nil, "spec.url": nil}
	renderedRoot   = map[string]any{"spec.interval": "10m0s", "spec.prune": true, "metadata.annotations": nil}
)

// withUnknown are the restated fields and those of the spec that no rule knows, each as a whole: an unknown field is
// restated, never dropped.
func withUnknown(m fields.Moved, of map[string]any) []fields.Leaf {
	all := slices.Clone(m.Restated)
	for _, leaf := range m.Rest {
		keys := fields.Split(leaf.Path)
		if keys[0] != "spec" || len(keys) < 2 {
			continue
		}
		value, _ := object.Get[any](of, "spec", keys[1])
		whole := fields.Leaf{Path: fields.Join("spec", keys[1]), Value: value}
		if !slices.ContainsFunc(all, func(l fields.Leaf) bool { return l.Path == whole.Path }) {
			all = append(all, whole)
		}
	}
	return all
}

// at is a Flux Kustomization with another path, the same one where there is no other.
func at(newPath string, root map[string]any) map[string]any {
	if newPath == "" {
		return root
	}
	spec, _ := object.Get[map[string]any](root, "spec")
	root, spec = maps.Clone(root), maps.Clone(spec)
	spec["path"] = "./" + strings.TrimPrefix(newPath, ".")
	root["spec"] = spec
	return root
}

// restate makes the operations that set these fields; a field that comes out the same by itself needs none.
func restate(leaves []fields.Leaf, rendered map[string]any) []*kyaml.Node {
	var ops []*kyaml.Node
	for _, leaf := range leaves {
		was, isRendered := rendered[leaf.Path]
		switch {
		case leaf.Path == "metadata.annotations" && isRendered || isRendered && sameValue(was, leaf.Value):
		case leaf.Path == "spec.sourceRef" || leaf.Path == "spec.secretRef":
			ops = append(ops, restateKeys(leaf)...)
		case isRendered:
			ops = append(ops, operation("replace", pointer(leaf.Path), leaf.Value))
		default:
			ops = append(ops, operation("add", pointer(leaf.Path), leaf.Value))
		}
	}
	return ops
}

// restateKeys adds what is left of a reference to the reference that Flux Operator writes.
func restateKeys(leaf fields.Leaf) []*kyaml.Node {
	keys, isMap := leaf.Value.(map[string]any)
	if !isMap {
		return []*kyaml.Node{operation("add", pointer(leaf.Path), leaf.Value)}
	}
	var ops []*kyaml.Node
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		ops = append(ops, operation("add", pointer(fields.Join(leaf.Path, key)), keys[key]))
	}
	return ops
}

func sameValue(a, b any) bool { return a == b || sameDuration(a, b) }

// pointer is a dotted path as a JSON pointer (RFC 6901).
func pointer(path string) string {
	var out strings.Builder
	for _, key := range fields.Split(path) {
		out.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
	}
	return out.String()
}

// operation is one JSON6902 operation.
func operation(op, path string, value any) *kyaml.Node {
	return object.Map(object.F("op", op), object.F("path", path), object.F("value", value))
}

// quoteEnd puts the last text of a patch in quotes where it ends in a newline: kustomize trims the patch, and would
// trim the newline of a block with it.
func quoteEnd(ops []*kyaml.Node) {
	last := ops[len(ops)-1]
	for len(last.Content) > 0 {
		last = last.Content[len(last.Content)-1]
	}
	if strings.HasSuffix(last.Value, "\n") {
		last.Style = kyaml.DoubleQuotedStyle
	}
}

// jsonPatch is an entry of spec.kustomize.patches with JSON6902 operations on the one object of this kind.
func jsonPatch(comment, kind string, ops []*kyaml.Node) *kyaml.Node {
	quoteEnd(ops)
	// Print fails only on nodes that hold no YAML value; these hold decoded YAML.
	body, _ := object.Print(object.Value(ops))
	patch := object.Map(object.F("patch", body), object.F("target", object.Map(object.F("kind", kind))))
	patch.HeadComment = comment
	return patch
}
