package flux

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/reason"
)

// Options are the flags of `flux install`. Use DefaultOptions and change what differs; an empty text is a default too.
type Options struct {
	Version            string   // the Flux release, its manifests must be here (Has)
	Namespace          string   // --namespace
	Components         []string // --components and --components-extra
	Registry           string   // --registry
	ImagePullSecret    string   // --image-pull-secret
	NetworkPolicy      bool     // --network-policy
	Domain             string   // --cluster-domain
	LogLevel           string   // --log-level
	WatchAllNamespaces bool     // --watch-all-namespaces
	TolerationKeys     []string // --toleration-keys

	// RemoteBase renders github.com/fluxcd/flux2/manifests/install?ref=<Version> instead: no flags, namespace
	// flux-system, and the cluster roles and their bindings without the -<namespace> suffix. Only Version and
	// Components are read.
	RemoteBase bool

	// manifestTags leaves the images at the tags of the manifests, as the operator does for a registry that it does not
	// know.
	manifestTags bool
}

// defaultNamespace is the one that the release manifests name.
const defaultNamespace = "flux-system"

// DefaultOptions are the defaults of `flux install` for a release. Source: flux2 pkg/manifestgen/install/options.go.
func DefaultOptions(version string) Options {
	return Options{
		Version:            tag(version),
		Namespace:          defaultNamespace,
		Components:         DefaultComponents(),
		Registry:           "ghcr.io/fluxcd",
		NetworkPolicy:      true,
		Domain:             "cluster.local",
		LogLevel:           "info",
		WatchAllNamespaces: true,
	}
}

// Install renders what `flux install --export` prints, and so what the flux-manifests artifact and gotk-components.yaml
// hold, with CRDs cut down to what they serve. Source: flux2 pkg/manifestgen/install at v2.2.3 to v2.9.4.
func Install(o Options) ([]*yaml.RNode, error) {
	if o.RemoteBase {
		o = Options{Version: o.Version, Components: o.Components, RemoteBase: true}
	}
	o = o.withDefaults()
	if err := checkComponents(o.Version, o.Components); err != nil {
		return nil, err
	}
	ops := o.installOps
	if o.RemoteBase {
		ops = func(string) []op { return nil }
	}
	tree, err := o.tree(ops)
	if err != nil {
		return nil, err
	}
	return o.install(tree)
}

// withDefaults fills the texts and lists that are empty.
func (o Options) withDefaults() Options {
	d := DefaultOptions(o.Version)
	o.Version = d.Version
	o.Namespace = or(o.Namespace, d.Namespace)
	o.Registry = strings.TrimSuffix(or(o.Registry, d.Registry), "/")
	o.Domain = or(o.Domain, d.Domain)
	o.LogLevel = or(o.LogLevel, d.LogLevel)
	if len(o.Components) == 0 {
		o.Components = d.Components
	}
	return o
}

// or is the first of two texts that is not empty.
func or(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

// tree holds the release manifests that an install needs, with operations on the Deployment of each component, and the
// Namespace. Where the namespace is another one, the subjects of the role bindings are changed in the text, because
// kustomize cannot: both `flux install` and the operator do so.
func (o Options) tree(ops func(component string) []op) (files, error) {
	tree := files{}
	for _, component := range o.Components {
		c, err := controllerOf(o.Version, component)
		if err != nil {
			return nil, err
		}
		if tree["/"+component+".yaml"], err = c.with(append(ops(component), o.imageOp(component, c))); err != nil {
			return nil, fmt.Errorf("%s of Flux %s: %w", component, o.Version, err)
		}
	}
	policies, err := manifest(o.Version, "policies")
	if err != nil {
		return nil, err
	}
	rbac, err := manifest(o.Version, "rbac")
	if err != nil {
		return nil, err
	}
	tree["/policies.yaml"] = policies
	tree["/roles/rbac.yaml"] = bytes.ReplaceAll(rbac, []byte(defaultNamespace), []byte(o.Namespace))
	return tree, tree.add("/namespace.yaml", map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": o.Namespace, "labels": map[string]any{
			"pod-security.kubernetes.io/warn":         "restricted",
			"pod-security.kubernetes.io/warn-version": "latest",
		}},
	})
}

// installOps are the operations of `flux install` on a controller.
func (o Options) installOps(component string) []op {
	ops := o.flagOps(component, o.eventsAddr())
	if component == sourceWatcher && !atLeast(o.Version, "2.7.2") {
		// A bug of `flux install` v2.7.0 and v2.7.1, which the operator does not have.
		ops = append(ops, setArg(6, o.storageAddr(sourceController)))
	}
	return append(ops, o.artifactGate(component)...)
}

// install does what kustomize does for `flux install`, and for manifests/install. There are no patches, so that it is
// the same for every release, and a build by kustomize costs ten times as much.
func (o Options) install(tree files) ([]*yaml.RNode, error) {
	roles, err := documents(tree["/roles/rbac.yaml"])
	if err == nil && !o.RemoteBase {
		err = suffix(roles, "-"+o.Namespace)
	}
	if err != nil {
		return nil, err
	}
	resources := []string{"/namespace.yaml"}
	if o.NetworkPolicy || o.RemoteBase {
		resources = append(resources, "/policies.yaml")
	}
	var objects []*yaml.RNode
	add := func(file string) {
		read, failed := documents(tree[file])
		objects, err = append(objects, read...), first(err, failed)
	}
	for _, file := range resources {
		add(file)
	}
	objects = append(objects, roles...)
	for _, component := range o.Components {
		add("/" + component + ".yaml")
	}
	for _, object := range objects {
		err = first(err, o.own(object))
	}
	return objects, err
}

// own gives an object the namespace, unless its kind has none, and Flux's own labels; the pods have them since v2.7.0.
func (o Options) own(object *yaml.RNode) error {
	labels := map[string]string{"app.kubernetes.io/instance": o.Namespace, "app.kubernetes.io/part-of": "flux"}
	if !o.RemoteBase {
		labels["app.kubernetes.io/version"] = o.Version
	}
	err := merge(object, labels, "metadata", "labels")
	if object.GetKind() == "Deployment" && atLeast(o.Version, "2.7.0") {
		err = first(err, merge(object, labels, "spec", "template", "metadata", "labels"))
	}
	return first(err, o.place(object))
}

// place puts an object into the namespace, unless its kind has none.
func (o Options) place(object *yaml.RNode) error {
	switch object.GetKind() {
	case "Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding":
		return nil
	}
	return merge(object, map[string]string{"namespace": o.Namespace}, "metadata")
}

// suffix renames the cluster roles, their bindings and the quota. A binding follows the role that it refers to, if that
// is one of them.
func suffix(roles []*yaml.RNode, suffix string) error {
	var names []string
	for _, role := range roles {
		if role.GetKind() == "ClusterRole" {
			names = append(names, role.GetName())
		}
	}
	for _, role := range roles {
		if err := reason.Of(role.SetName(role.GetName() + suffix)); err != nil {
			return err
		}
		ref, err := reason.With(role.Pipe(yaml.Lookup("roleRef", "name")))
		if err != nil {
			return err
		}
		if ref != nil && slices.Contains(names, ref.YNode().Value) {
			ref.YNode().Value += suffix
		}
	}
	return nil
}

// documents reads the objects of a manifest that is ours.
func documents(manifest []byte) ([]*yaml.RNode, error) {
	read, err := documentsOf(manifest)
	var objects []*yaml.RNode
	for _, d := range read {
		objects = append(objects, d.object)
	}
	return objects, err
}

// document is one object of a manifest that is ours, and its text.
type document struct {
	text   []byte
	object *yaml.RNode
}

// documentsOf are the documents of such a manifest.
func documentsOf(manifest []byte) ([]document, error) {
	var all []document
	for text := range bytes.SplitSeq(manifest, []byte("---\n")) {
		if len(text) == 0 {
			continue
		}
		object, err := reason.With(yaml.Parse(string(text)))
		if err != nil {
			return nil, err
		}
		all = append(all, document{text, object})
	}
	return all, nil
}

// first is the first error of several steps that do not depend on each other.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// root is the kustomization of what `flux install` and the operator have in common.
func (o Options) root() types.Kustomization {
	resources := []string{"namespace.yaml"}
	if o.NetworkPolicy {
		resources = append(resources, "policies.yaml")
	}
	resources = append(resources, "roles")
	for _, c := range o.Components {
		resources = append(resources, c+".yaml")
	}
	return kustomization(o.Namespace, resources...)
}

// roles is the kustomization that gives the cluster roles, their bindings and the quota the namespace as suffix.
func (o Options) roles(patches ...types.Patch) types.Kustomization {
	roles := kustomization(o.Namespace, "rbac.yaml")
	roles.NameSuffix = "-" + o.Namespace
	roles.Patches = patches
	return roles
}

// podOps set what all pods share: the node selector, the pull secret and the tolerations. The manifests have none of
// them.
func (o Options) podOps() []op {
	set := func(field string, value any) op {
		return op{Op: "add", Path: "/spec/template/spec/" + field, Value: value}
	}
	ops := []op{set("nodeSelector", map[string]any{"kubernetes.io/os": "linux"})}
	if o.ImagePullSecret != "" {
		ops = append(ops, set("imagePullSecrets", []any{map[string]any{"name": o.ImagePullSecret}}))
	}
	var tolerations []any
	for _, key := range o.TolerationKeys {
		tolerations = append(tolerations, map[string]any{"key": key, "operator": "Exists"})
	}
	if tolerations != nil {
		ops = append(ops, set("tolerations", tolerations))
	}
	return ops
}

// flagOps set what depends on flags in a controller: what all pods share, and the arguments by their place in the
// release manifests.
func (o Options) flagOps(component, eventsAddr string) []op {
	args := []string{
		"--events-addr=" + eventsAddr,
		fmt.Sprintf("--watch-all-namespaces=%t", o.WatchAllNamespaces),
		"--log-level=" + o.LogLevel,
	}
	if component == notificationController {
		args = args[1:]
	}
	ops := o.podOps()
	for i, arg := range args {
		ops = append(ops, setArg(i, arg))
	}
	if component == sourceController || component == sourceWatcher {
		ops = append(ops, setArg(6, o.storageAddr(component)))
	}
	return ops
}

// storageAddr is where a component that stores artifacts says they are.
func (o Options) storageAddr(component string) string {
	return fmt.Sprintf("--storage-adv-addr=%s.$(RUNTIME_NAMESPACE).svc.%s.", component, o.Domain)
}

// eventsAddr is where controllers send events, empty without notification-controller. Flux fills the namespace in on
// its own up to v2.7.1.
func (o Options) eventsAddr() string {
	if atLeast(o.Version, "2.7.2") {
		return o.eventsAddrIn("$(RUNTIME_NAMESPACE)")
	}
	return o.eventsAddrIn(o.Namespace)
}

// eventsAddrIn is eventsAddr with the namespace spelled as given.
func (o Options) eventsAddrIn(namespace string) string {
	if !o.has(notificationController) {
		return ""
	}
	return fmt.Sprintf("http://%s.%s.svc.%s./", notificationController, namespace, o.Domain)
}

// artifactGate lets kustomize- and helm-controller read what source-watcher makes.
func (o Options) artifactGate(component string) []op {
	if o.has(sourceWatcher) && (component == kustomizeController || component == helmController) {
		return []op{addArg("--feature-gates=ExternalArtifact=true")}
	}
	return nil
}
