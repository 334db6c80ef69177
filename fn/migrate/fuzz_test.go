package migrate

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"migrate-to-flux-operator/fn/checkout/split"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/object"
)

// FuzzGotk migrates a bootstrap folder with any text in gotk-components.yaml, gotk-sync.yaml and kustomization.yaml: it
// never panics, and says the same in any order of the objects. The seeds are of a release that is too old to be
// rendered, so that a run reads the files and is fast.
func FuzzGotk(f *testing.F) {
	dir := filepath.Join("..", "..", "testdata", "bootstrap-deploy", "input")
	seeds, err := filepath.Glob(filepath.Join(dir, "*", "*", "flux-system", "gotk-sync.yaml"))
	if err != nil || len(seeds) == 0 {
		seeds, _ = filepath.Glob(filepath.Join(dir, "*", "flux-system", "gotk-sync.yaml"))
	}
	for _, seed := range seeds {
		sync, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		components, err := os.ReadFile(filepath.Join(filepath.Dir(seed), "gotk-components.yaml"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(strings.ReplaceAll(string(deployments(components)), "v2.6.4", "v2.1.2"), string(sync), "resources: [gotk-components.yaml, gotk-sync.yaml]\n")
	}
	f.Add(gotk, "", "resources: [gotk-components.yaml]\npatches:\n- patch: '[{op: remove, path: /spec}]'\n  target: {kind: Deployment}\nimages: [{name: x, newTag: y}]\n")
	f.Fuzz(func(t *testing.T, components, sync, kustomization string) {
		run := func(reversed bool) Outcome {
			objects := slices.Concat(parse("cluster/flux-system/gotk-components.yaml", components),
				parse("cluster/flux-system/gotk-sync.yaml", sync), parse("cluster/flux-system/kustomization.yaml", kustomization))
			if reversed {
				slices.Reverse(objects)
			}
			return Migrate(object.NewSet(objects), config.Default(), func(int, int) {})
		}
		if one, other := run(false), run(true); !reflect.DeepEqual(one.Findings, other.Findings) || !reflect.DeepEqual(one.Clusters, other.Clusters) {
			t.Errorf("%+v\nand in another order\n%+v", one, other)
		}
	})
}

// gotk is a controller as flux install writes it.
const gotk = `apiVersion: apps/v1
kind: Deployment
metadata:
  labels: {app.kubernetes.io/part-of: flux, app.kubernetes.io/version: v2.1.2}
  name: source-controller
  namespace: flux-system
spec:
  selector: {matchLabels: {app: source-controller}}
  template:
    spec:
      containers:
      - name: manager
        image: ghcr.io/fluxcd/source-controller:v1.1.2
        args: [--log-level=info, --storage-adv-addr=x]
`

// deployments are the Deployments of manifests: the rest is large, and is only looked at as a whole.
func deployments(manifests []byte) []byte {
	var kept []string
	for _, doc := range split.Split(manifests) {
		if text := string(manifests[doc.Body:doc.End]); strings.Contains(text, "kind: Deployment\n") {
			kept = append(kept, text)
		}
	}
	return []byte(strings.Join(kept, "---\n"))
}

// parse reads the objects of a file, as far as they are YAML.
func parse(file, text string) []*object.Object {
	var all []*object.Object
	for _, doc := range split.Split([]byte(text)) {
		if doc.Index < 0 {
			continue
		}
		if o, err := object.Parse(text[doc.Body:doc.End], file, doc.Index); err == nil {
			if o.Kind == "" && strings.HasSuffix(file, "/kustomization.yaml") {
				o.ID = object.ID{APIVersion: "kustomize.config.k8s.io/v1beta1", Kind: "Kustomization"}
			}
			all = append(all, o)
		}
	}
	return all
}
