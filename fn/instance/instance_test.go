package instance

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

const (
	source = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1m, url: https://example.com/fleet, ref: {branch: main}}
`
	root = `
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 10m, path: ./cluster, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
`
)

// plain is what a FluxInstance says of an install about which nothing is special.
var plain = []string{
	"cluster.networkPolicy = true", "cluster.type = kubernetes",
	"components = source-controller kustomize-controller helm-controller notification-controller",
	"distribution.registry = ghcr.io/fluxcd", "distribution.version = 2.6.x",
	"patch GitRepository: replace /spec/ref = map[branch:main]",
	"patch Kustomization: add /metadata/annotations = map[fluxcd.controlplane.io/prune:disabled]",
	"sync.interval = 1m", "sync.kind = GitRepository", "sync.name = flux-system", "sync.path = ./cluster",
	"sync.ref = refs/heads/main", "sync.url = https://example.com/fleet",
}

// TestNew holds what differs from that for each thing that an install, its pair or the config says.
func TestNew(t *testing.T) {
	in := strings.Replace
	const args = "/spec/template/spec/containers/0/args/"
	const most = "Deployment/(helm-controller|kustomize-controller|source-controller)"
	for _, c := range []struct {
		name         string
		source, root string // in the place of those above
		options      func(*flux.Options)
		patch        classic.Patch
		config       func(*config.Config)
		want         []string // what is said less and more, or what is found where there is no plan
	}{
		{name: "nothing"},
		{name: "a tag", source: in(source, "branch: main", "tag: v1", 1), want: []string{
			"-patch GitRepository: replace /spec/ref = map[branch:main]", "-sync.ref = refs/heads/main",
			"+patch GitRepository: replace /spec/ref = map[tag:v1]", "+sync.ref = refs/tags/v1"}},
		{name: "a secret of the source", source: in(source, "ref:", "secretRef: {name: token}, ref:", 1),
			want: []string{"+sync.pullSecret = token"}},
		{name: "a field of the source that sync has not", source: in(source, "ref:", "timeout: 2m, ref:", 1),
			want: []string{"+patch GitRepository: add /spec/timeout = 2m"}},
		{name: "a field of the root that sync has not", root: in(root, "prune:", "decryption: {provider: sops}, prune:", 1),
			want: []string{"+patch Kustomization: add /spec/decryption = map[provider:sops]"}},
		{name: "a field of the root that nobody knows", root: in(root, "prune:", "other: x, prune:", 1),
			want: []string{"+patch Kustomization: add /spec/other = x"}},
		{name: "flags with a field", options: func(o *flux.Options) { o.NetworkPolicy, o.Domain = false, "cluster.example" },
			want: []string{"-cluster.networkPolicy = true", "+cluster.domain = cluster.example",
				"+cluster.networkPolicy = false"}},
		{name: "a registry",
			options: func(o *flux.Options) { o.Registry, o.ImagePullSecret = "registry.example/fluxcd", "pull" },
			want: []string{"-distribution.registry = ghcr.io/fluxcd",
				"+distribution.imagePullSecret = pull", "+distribution.registry = registry.example/fluxcd"}},
		{name: "a flag without a field", options: func(o *flux.Options) { o.LogLevel = "debug" }, want: []string{
			"+patch " + most + ": replace " + args + "2 = --log-level=debug",
			"+patch " + most + ": test " + args + "2 = --log-level=info",
			"+patch Deployment/notification-controller: replace " + args + "1 = --log-level=debug",
			"+patch Deployment/notification-controller: test " + args + "1 = --log-level=info"}},
		{name: "fewer components", options: func(o *flux.Options) { o.Components = o.Components[:3] }, want: []string{
			"-components = source-controller kustomize-controller helm-controller notification-controller",
			"+components = source-controller kustomize-controller helm-controller"}},
		{name: "no helm-controller to install the operator",
			options: func(o *flux.Options) { o.Components = o.Components[:2] },
			want:    []string{"error cluster/root.yaml: Kustomization/flux-system/flux-system"}},
		{name: "a patch", patch: classic.Patch{
			Body:   `[{"op": "add", "path": "` + args + `-", "value": "--concurrent=20"}]`,
			Target: map[string]any{"kind": "Deployment", "name": "kustomize-controller"},
		}, want: []string{"+patch Deployment/kustomize-controller: add " + args + "- = --concurrent=20"}},
		{name: "a patch that a field stands for", patch: classic.Patch{
			Body:   "$patch: delete\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: all}\n",
			Target: map[string]any{"kind": "NetworkPolicy"},
		}, want: []string{"-cluster.networkPolicy = true", "+cluster.networkPolicy = false"}},
		{name: "the sync is kept", config: func(c *config.Config) { c.Sync.Mode = config.Keep }, want: []string{
			"-patch GitRepository: replace /spec/ref = map[branch:main]",
			"-patch Kustomization: add /metadata/annotations = map[fluxcd.controlplane.io/prune:disabled]",
			"-sync.interval = 1m", "-sync.kind = GitRepository", "-sync.name = flux-system", "-sync.path = ./cluster",
			"-sync.ref = refs/heads/main", "-sync.url = https://example.com/fleet"}},
		{name: "the exact version", config: func(c *config.Config) { c.Instance.Version = config.Exact },
			want: []string{"-distribution.version = 2.6.x", "+distribution.version = 2.6.4"}},
		{name: "a lower version", config: func(c *config.Config) { c.Instance.Version = "2.5.x" },
			want: []string{"error cluster/root.yaml: Kustomization/flux-system/flux-system"}},
		{name: "an operator that does not mark what it takes over",
			config: func(c *config.Config) { c.Operator.Version = "0.24.0" },
			want:   []string{"error "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			from, to := parse(t, cmp.Or(c.source, source), "source"), parse(t, cmp.Or(c.root, root), "root")
			install := &classic.Install{
				Anchor: to, Namespace: "flux-system", Options: flux.DefaultOptions("v2.6.4"),
				Version: classic.Version{Release: semver.MustParse("2.6.4"), Exact: true},
				Pair:    classic.Pair{Source: from, LiveSource: from, Root: to, LiveRoot: to, Path: "cluster"},
			}
			if c.options != nil {
				c.options(&install.Options)
			}
			if c.patch.Body != "" {
				c.patch.Object, c.patch.Field = to, "patches"
				install.Patches = []classic.Patch{c.patch}
			}
			cfg := config.Default()
			if c.config != nil {
				c.config(&cfg)
			}
			if got := planned(t, object.NewSet([]*object.Object{from, to}), install, cfg); !slices.Equal(got, c.want) {
				t.Errorf("want\n%s\nhave\n%s", strings.Join(c.want, "\n"), strings.Join(got, "\n"))
			}
		})
	}
}

// parse is an object in a file of the cluster.
func parse(t *testing.T, text, name string) *object.Object {
	t.Helper()
	o, err := object.Parse(text, "cluster/"+name+".yaml", 0)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// planned is what the FluxInstance of a plan says less and more than the plain one; without one, where Errors are.
func planned(t *testing.T, set *object.Set, install *classic.Install, cfg config.Config) (differs []string) {
	t.Helper()
	var found finding.List
	plan := New(set, install, cfg, &found)
	if plan == nil {
		for _, f := range found.All() {
			differs = append(differs, string(f.Severity)+" "+f.Where())
		}
		return differs
	}
	var o struct{ Spec map[string]any }
	if text, err := object.Print(plan.fluxInstance()); err != nil {
		t.Fatal(err)
	} else if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	says := said(t, "", o.Spec)
	slices.Sort(says)
	for _, line := range plain {
		if !slices.Contains(says, line) {
			differs = append(differs, "-"+line)
		}
	}
	for _, line := range says {
		if !slices.Contains(plain, line) {
			differs = append(differs, "+"+line)
		}
	}
	return differs
}

// said is a line for each field of a FluxInstance, and for each operation of a patch.
func said(t *testing.T, above string, spec map[string]any) (lines []string) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(spec)) {
		switch value := spec[key].(type) {
		case map[string]any:
			lines = append(lines, said(t, above+key+".", value)...)
		case []any:
			if key != "patches" {
				lines = append(lines, above+key+" = "+strings.Trim(fmt.Sprint(value), "[]"))
				continue
			}
			for _, patch := range value {
				lines = append(lines, operations(t, patch.(map[string]any))...)
			}
		default:
			lines = append(lines, fmt.Sprint(above, key, " = ", value))
		}
	}
	return lines
}

// operations are the lines of a patch.
func operations(t *testing.T, patch map[string]any) (lines []string) {
	t.Helper()
	target := patch["target"].(map[string]any)
	on := fmt.Sprint(target["kind"])
	if name, named := target["name"]; named {
		on += fmt.Sprint("/", name)
	}
	var all []struct {
		Op, Path string
		Value    any
	}
	if err := yaml.Unmarshal([]byte(patch["patch"].(string)), &all); err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		lines = append(lines, fmt.Sprint("patch ", on, ": ", o.Op, " ", o.Path, " = ", o.Value))
	}
	return lines
}
