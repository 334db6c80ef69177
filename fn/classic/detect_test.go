package classic

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// contents are files by their path.
type contents map[string]string

// set are the objects of the files.
func (c contents) set(t *testing.T) *object.Set {
	t.Helper()
	var objects []*object.Object
	for _, file := range slices.Sorted(maps.Keys(c)) {
		for i, document := range strings.Split(c[file], "---\n") {
			o, err := object.Parse(document, file, i)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			objects = append(objects, o)
		}
	}
	return object.NewSet(objects)
}

// fluxObject is an object of Flux.
func fluxObject(kind, name, spec string) string {
	version := map[string]string{"Kustomization": KustomizeGroup + "/v1", "HelmRelease": HelmGroup + "/v2"}[kind]
	if version == "" {
		version = SourceGroup + "/v1"
	}
	return "apiVersion: " + version + "\nkind: " + kind + "\n" +
		"metadata: {name: " + name + ", namespace: flux-system}\nspec: {interval: 1h, " + spec + "}\n"
}

// applies is a Flux Kustomization that applies a path of the repository.
func applies(name, path string) string {
	const from = "prune: true, sourceRef: {kind: GitRepository, name: flux-system}"
	return fluxObject("Kustomization", name, "path: "+path+", "+from)
}

// sync is the source and the root of a cluster.
func sync(path string) string {
	return fluxObject("GitRepository", "flux-system", "url: https://example.com/fleet, ref: {branch: main}") +
		"---\n" + applies("flux-system", path)
}

// artifact installs Flux from its OCI artifact, with more in the spec of its Flux Kustomization.
func artifact(ref, more string) string {
	const url, from = "url: oci://ghcr.io/fluxcd/flux-manifests", "path: ./, sourceRef: {kind: OCIRepository, name: flux-manifests}"
	return fluxObject("OCIRepository", "flux-manifests", url+", ref: {"+ref+"}") + "---\n" +
		fluxObject("Kustomization", "flux", "prune: true, "+from+more)
}

// chart installs Flux from the community's chart.
func chart(values string) string {
	const from = "chart: {spec: {chart: flux2, version: 2.16.4, sourceRef: {kind: HelmRepository, name: community}}}"
	return fluxObject("HelmRepository", "community", "url: https://fluxcd-community.github.io/helm-charts") + "---\n" +
		fluxObject("HelmRelease", "flux2", from+", values: {"+values+"}")
}

// resources is a kustomization.yaml that lists these.
func resources(entries ...string) string {
	return "apiVersion: " + ConfigGroup + "/v1beta1\nkind: Kustomization\nresources: [" + strings.Join(entries, ", ") + "]\n"
}

// bootstrapped is what flux bootstrap writes.
func bootstrapped(t *testing.T, dir string, options flux.Options) contents {
	t.Helper()
	built, err := flux.Install(options)
	if err != nil {
		t.Fatal(err)
	}
	var documents []string
	for _, o := range built {
		documents = append(documents, o.MustString())
	}
	namespace := ", namespace: " + options.Namespace + "}"
	return contents{
		dir + "/flux-system/gotk-components.yaml": strings.Join(documents, "---\n"),
		dir + "/flux-system/gotk-sync.yaml":       strings.ReplaceAll(sync(dir), ", namespace: flux-system}", namespace),
		dir + "/flux-system/kustomization.yaml":   resources("gotk-components.yaml", "gotk-sync.yaml"),
	}
}

// TestDetect holds what is found in a repository: a line for each install, and the place of each finding.
func TestDetect(t *testing.T) {
	few := flux.DefaultOptions("v2.6.4")
	few.Namespace, few.Components = "gitops", []string{"source-controller", "kustomize-controller"}
	const patch = ", patches: [{target: {kind: Deployment}, patch: '[{op: remove, path: /spec/replicas}]'}]"
	for _, c := range []struct {
		name  string
		files contents
		want  []string
	}{
		{
			"nothing", contents{"a/sync.yaml": sync("a"), "a/apps.yaml": applies("apps", "apps")},
			nil,
		}, {
			"artifact", contents{"a/sync.yaml": sync("a"), "a/flux.yaml": artifact("tag: v2.6.4", "")},
			[]string{"a: flux-manifests 2.6.4 in flux-system, 6 components, 0 patches, owned by flux"},
		}, {
			"artifact of a range", contents{"a/sync.yaml": sync("a"), "a/flux.yaml": artifact("semver: 2.6.x", "")},
			[]string{"a: flux-manifests 2.6.x in flux-system, 6 components, 0 patches, owned by flux"},
		}, {
			"artifact of any version", contents{"a/sync.yaml": sync("a"), "a/flux.yaml": artifact("tag: latest", "")},
			[]string{"error a/flux.yaml: OCIRepository/flux-system/flux-manifests: spec.ref"},
		}, {
			"artifact with a patch", contents{"a/sync.yaml": sync("a"), "a/flux.yaml": artifact("tag: v2.6.4", patch)},
			[]string{"a: flux-manifests 2.6.4 in flux-system, 6 components, 1 patches, owned by flux"},
		}, {
			"artifact without a root", contents{"a/flux.yaml": artifact("tag: v2.6.4", "")},
			[]string{"error a/flux.yaml: Kustomization/flux-system/flux"},
		}, {
			"two clusters", contents{"a/sync.yaml": sync("a"), "a/flux.yaml": artifact("tag: v2.6.4", ""),
				"b/sync.yaml": sync("b"), "b/flux.yaml": artifact("tag: v2.5.1", "")},
			[]string{"a: flux-manifests 2.6.4 in flux-system, 6 components, 0 patches, owned by flux",
				"b: flux-manifests 2.5.1 in flux-system, 6 components, 0 patches, owned by flux"},
		}, {
			"bootstrap", bootstrapped(t, "a", flux.DefaultOptions("v2.6.4")),
			[]string{"a: bootstrap 2.6.4 in flux-system, 4 components, 0 patches"},
		}, {
			"bootstrap of some components elsewhere", bootstrapped(t, "clusters/b", few),
			[]string{"clusters/b: bootstrap 2.6.4 in gitops, 2 components, 0 patches"},
		}, {
			"remote base", contents{"a/sync.yaml": sync("a"),
				"a/kustomization.yaml": resources("sync.yaml", "'https://github.com/fluxcd/flux2/manifests/install?ref=v2.6.4'")},
			[]string{"a: flux2-manifests 2.6.4 in flux-system, 6 components, 0 patches"},
		}, {
			"chart", contents{"a/sync.yaml": sync("a"), "a/apps.yaml": applies("apps", "apps"),
				"apps/flux.yaml": chart("imageAutomationController: {create: false}")},
			[]string{"a: flux2-chart 2.6.4 in flux-system, 5 components, 1 patches",
				"info apps/flux.yaml: HelmRelease/flux-system/flux2",
				"warning apps/flux.yaml: HelmRelease/flux-system/flux2: spec"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var found finding.List
			var got []string
			for _, install := range Detect(c.files.set(t), config.Default(), &found) {
				got = append(got, tell(install))
			}
			for _, f := range found.All() {
				got = append(got, string(f.Severity)+" "+f.Where())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("want\n%s\nhave\n%s", strings.Join(c.want, "\n"), strings.Join(got, "\n"))
			}
		})
	}
}

// tell is an install in one line.
func tell(i *Install) string {
	version, owner := i.Version.String(), ""
	if !i.Version.Exact {
		version = i.Version.MinorRange()
	}
	if i.Owner != nil {
		owner = ", owned by " + i.Owner.Name
	}
	return fmt.Sprintf("%s: %s %s in %s, %d components, %d patches%s", i.Cluster(), i.Layout, version, i.Namespace,
		len(i.Options.Components), len(i.Patches), owner)
}
