//go:build unix

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// repository is a made-up repository of a number of objects: a classic install with its sync pair, Flux Kustomizations and
// HelmReleases up to the number of relevant objects, and workloads.
type repository struct {
	items, relevant int
	// applied puts the workloads into the folders of the Flux Kustomizations, so that the proof has to build them. Otherwise
	// another cluster's Flux applies them.
	applied bool
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

// workload is what most objects of a repository are like, of 1.5 KB with the annotations of a list.
const workload = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: workload-%[1]d
  namespace: apps
  labels:
    app.kubernetes.io/name: workload-%[1]d
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: workload-%[1]d
  template:
    metadata:
      labels:
        app.kubernetes.io/name: workload-%[1]d
    spec:
      serviceAccountName: workload-%[1]d
      containers:
      - name: main
        image: ghcr.io/example/workload:1.%[1]d.0
        args:
        - --listen=:8080
        - --log-level=info
        ports:
        - name: http
          containerPort: 8080
        env:
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        - name: PASSWORD
          valueFrom:
            secretKeyRef:
              name: workload-%[1]d
              key: password
        resources: # measured
          requests:
            cpu: 100m
            memory: 128Mi
          limits:
            memory: "256Mi"
        livenessProbe:
          httpGet:
            path: /healthz
            port: http
        readinessProbe:
          httpGet:
            path: /readyz
            port: http
`

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
		emit(fmt.Sprintf("%s/workload-%d.yaml", folder, i), fmt.Sprintf(workload, i))
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
		annotations := "  annotations:\n"
		for _, prefix := range []string{"internal.config.kubernetes.io/", "config.kubernetes.io/"} {
			annotations += fmt.Sprintf("    %sindex: '%d'\n    %[1]spath: '%[3]s'\n", prefix, seen[o.file], o.file)
		}
		seen[o.file]++
		text := strings.Replace(o.text, "spec:\n", annotations+"spec:\n", 1)
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
