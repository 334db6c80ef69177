//go:build unix

package main

import (
	"bufio"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// repository is a made-up repository of a number of objects: a classic install with its sync pair, Flux Kustomizations
// and HelmReleases up to the number of relevant objects, and workloads.
type repository struct {
	items, relevant int
	// applied puts the workloads into the folders of the Flux Kustomizations, so that the proof has to build them.
	// Otherwise another cluster's Flux applies them.
	applied bool
	// style is that of the workloads; they have all styles where it is empty.
	style string
}

// object is one object of the repository: the file that it comes from, and its text.
type object struct {
	file, text string
}

// install is a classic install and its sync pair.
const install = `apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata:
  name: flux-manifests
  namespace: flux-system
spec:
  interval: 1h
  url: oci://ghcr.io/fluxcd/flux-manifests
  ref:
    tag: v2.6.4
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: flux
  namespace: flux-system
spec:
  interval: 1h
  path: ./
  prune: true
  wait: true
  sourceRef:
    kind: OCIRepository
    name: flux-manifests
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata:
  name: fleet
  namespace: flux-system
spec:
  interval: 1h
  url: https://github.com/example/fleet
  ref:
    branch: main
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: fleet
  namespace: flux-system
spec:
  interval: 1h
  path: ./cluster
  prune: true
  sourceRef:
    kind: GitRepository
    name: fleet
`

// app is a Flux Kustomization and what it applies.
const app = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: app-%[1]d
  namespace: flux-system
spec:
  interval: 1h
  path: ./apps/app-%[1]d
  prune: true
  sourceRef:
    kind: GitRepository
    name: fleet
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: app-%[1]d
  namespace: apps
spec:
  interval: 1h
  chart:
    spec:
      chart: app
      sourceRef:
        kind: HelmRepository
        name: charts
`

// workloads are what most objects of a repository are like, in the styles that people and programs write YAML in: some
// 1.5 KB each with the annotations of a list.
//
//go:embed workloads
var workloads embed.FS

// number is what stands for the number of an object in its text.
const number = "NUMBER"

// styles are the names of the workloads, sorted.
func styles() []string {
	entries, _ := workloads.ReadDir("workloads") // it is embedded
	var all []string
	for _, e := range entries {
		all = append(all, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return all
}

// workload is the text of an object of the repository: of its style, or of each style in turn where it has none.
func (r repository) workload(n int) string {
	style := r.style
	if style == "" {
		all := styles()
		style = all[n%len(all)]
	}
	text, _ := workloads.ReadFile("workloads/" + style + ".yaml") // it is embedded
	return strings.ReplaceAll(string(text), number, fmt.Sprint(n))
}

// objects are the objects in the order of their files.
func (r repository) objects(yield func(object) bool) {
	n := 0
	emit := func(file, text string) bool {
		n++
		return n > r.items || yield(object{file, text})
	}
	for text := range strings.SplitSeq(install, "---\n") {
		emit("cluster/flux.yaml", text)
	}
	apps := (r.relevant - n) / 2
	for i := range apps {
		kustomization, release, _ := strings.Cut(fmt.Sprintf(app, i), "---\n")
		emit(fmt.Sprintf("cluster/app-%d.yaml", i), kustomization)
		emit(fmt.Sprintf("apps/app-%d/release.yaml", i), release)
	}
	for i := 0; n < r.items; i++ {
		folder := fmt.Sprintf("other/team-%d", i%apps)
		if r.applied {
			folder = fmt.Sprintf("apps/app-%d", i%apps)
		}
		emit(fmt.Sprintf("%s/workload-%d.yaml", folder, i), r.workload(i))
	}
}

// list writes the repository as the ResourceList that kpt makes of it.
func (r repository) list(name string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	io.WriteString(out, "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n")
	seen := map[string]int{}
	r.objects(func(o object) bool {
		annotations := "\n  annotations:\n"
		for _, prefix := range []string{"internal.config.kubernetes.io/", "config.kubernetes.io/"} {
			annotations += fmt.Sprintf("    %sindex: '%d'\n    %[1]spath: '%[3]s'\n", prefix, seen[o.file], o.file)
		}
		seen[o.file]++
		text := strings.Replace(o.text, "\n  annotations:\n", annotations, 1)
		if text == o.text {
			text = strings.Replace(o.text, "\nmetadata:\n", "\nmetadata:"+annotations, 1)
		}
		_, err := io.WriteString(out, "- "+strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ")+"\n")
		return err == nil
	})
	return errors.Join(out.Flush(), file.Close())
}

// write writes the repository as files.
func (r repository) write(dir string) error {
	texts := map[string][]string{}
	r.objects(func(o object) bool {
		texts[o.file] = append(texts[o.file], o.text)
		return true
	})
	for file, documents := range texts {
		name := filepath.Join(dir, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(strings.Join(documents, "---\n")), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// kustomization writes the kustomization.yaml that builds the repository and calls a function.
func (r repository) kustomization(dir, function string) error {
	var text strings.Builder
	text.WriteString("transformers:\n- migrate.yaml\nresources:\n")
	last := ""
	r.objects(func(o object) bool {
		if o.file != last {
			text.WriteString("- " + path.Clean(o.file) + "\n")
		}
		last = o.file
		return true
	})
	config := fmt.Sprintf(`apiVersion: fn.kpt.dev/v1alpha1
kind: MigrateToFluxOperator
metadata:
  name: migrate
  annotations:
    config.kubernetes.io/function: |
      exec:
        path: %s
clusters: [./cluster]
`, function)
	return errors.Join(os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text.String()), 0o644),
		os.WriteFile(filepath.Join(dir, "migrate.yaml"), []byte(config), 0o644))
}
