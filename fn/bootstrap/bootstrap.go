// Package bootstrap writes what brings Flux back onto a rebuilt cluster, before Flux can sync: a helmfile, a shell
// script or a call of Flux Operator's Terraform module. It reads what Git says after the run, so that there is one
// place for each version and value.
package bootstrap

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"migrate-to-flux-operator/fn/checkout"
	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/shell"
)

// writers write the files of a cluster, one for each kind of bootstrap.
var writers = map[string]func(*writer){
	config.Helmfile:  (*writer).helmfile,
	config.Shell:     (*writer).shell,
	config.Terraform: (*writer).terraform,
}

// writer is one run for one cluster.
type writer struct {
	cluster
	files    fs.FS
	findings *finding.List
	changes  []checkout.Change
}

// Files are the changes that make the bootstrap of every cluster what the objects of the set say, and what there is to
// say about it. With an Error among the findings the changes are not to be used.
func Files(files fs.FS, set *object.Set, installs []*classic.Install, cfg config.Config) ([]checkout.Change,
	[]finding.Finding) {
	write, wanted := writers[cfg.Bootstrap]
	if !wanted {
		return nil, there(files, installs, cfg)
	}
	var all finding.List
	var changes []checkout.Change
	clusters := clustersOf(set, installs, cfg, &all)
	if len(clusters) == 0 && !all.Failed() {
		all.Error(finding.NoInstance, nil, "", "config field bootstrap: the repository holds no FluxInstance to "+
			"bootstrap; run the phase deploy first, or in the same run")
	}
	for _, c := range clusters {
		w := &writer{cluster: c, files: files, findings: all.For(c.path)}
		write(w)
		w.prerequisites()
		all.Merge(w.findings)
		changes = append(changes, w.changes...)
	}
	return changes, all.All()
}

// there names the helmfiles that install Flux Operator already, which a run without the config field bootstrap leaves
// as they are.
func there(files fs.FS, installs []*classic.Install, cfg config.Config) []finding.Finding {
	if cfg.Phase != config.Deploy || len(installs) == 0 {
		return nil
	}
	var all finding.List
	for _, name := range helmfileNames(files) {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			continue
		}
		h := readHelmfile(name, raw)
		if h.node == nil {
			continue
		}
		for _, at := range h.of(flux.OperatorChart) {
			version := cmp.Or(string(h.mask.restored([]byte(text(h.releases()[at], "version")))), "of any version")
			all.Add(finding.Finding{Severity: finding.Info, Code: finding.HelmfileDiffers, Topic: finding.Found,
				File: name, Message: fmt.Sprintf("a helmfile installs Flux Operator %s on a rebuilt cluster: "+
					"--bootstrap helmfile updates it", version)})
		}
	}
	return all.All()
}

// LeftOut says that a function cannot write files that are no Kubernetes objects.
func LeftOut(cfg config.Config) []finding.Finding {
	if cfg.Bootstrap == config.None {
		return nil
	}
	var all finding.List
	all.Info(finding.BootstrapByCommand, finding.Bootstrap, nil, "", "config field bootstrap: a KRM function writes "+
		"Kubernetes objects only; run the command apply on the checkout, with --bootstrap %s, for the rest",
		cfg.Bootstrap)
	return all.All()
}

// put makes a file. One that is there and says something else is its owner's, and stays.
func (w *writer) put(name, content string, mode fs.FileMode) {
	there, err := fs.ReadFile(w.files, name)
	switch {
	case err != nil:
		w.changes = append(w.changes, checkout.Change{Path: name, After: []byte(content), Mode: mode})
	case string(there) != content:
		w.say(finding.BootstrapFileKept, finding.Warning, name, "the file is not what this run writes, so it stays "+
			"as it is; delete it to have it written anew")
	}
}

// say adds a finding about a file that holds no objects.
func (w *writer) say(code finding.Code, severity finding.Severity, file, format string, args ...any) {
	w.findings.Add(finding.Finding{Severity: severity, Code: code, Topic: finding.Bootstrap, File: file,
		Message: fmt.Sprintf(format, args...)})
}

// told says how a file is run.
func (w *writer) told(file string, command shell.Line) {
	w.findings.Add(finding.Finding{Severity: finding.Info, Code: finding.RebuildCluster, Topic: finding.Bootstrap,
		File:    file,
		Message: "on a rebuilt cluster, and on none that still runs the classic install, Flux comes back with",
	}.With(command))
}

// prerequisites says what the bootstrap does not bring along.
func (w *writer) prerequisites() {
	for _, n := range w.needs {
		w.findings.Info(finding.RequiredObject, finding.Bootstrap, n.By, n.Field,
			"on a rebuilt cluster %s must exist before Flux can sync: %s", n.ID, n.how())
	}
}

// clustersOf are the clusters whose FluxInstance the set holds, those that the config names.
func clustersOf(set *object.Set, installs []*classic.Install, cfg config.Config, findings *finding.List) []cluster {
	existing := instance.Existings(set)
	var clusters []cluster
	for _, e := range existing {
		at := slices.IndexFunc(installs, func(i *classic.Install) bool {
			of := migrate.ExistingInstance(set, i, cfg)
			return of != nil && of.At == e.At
		})
		var install *classic.Install
		if at >= 0 {
			install = installs[at]
		}
		if len(cfg.Clusters) > 0 && !named(cfg, e, install) {
			continue
		}
		if c, ok := clusterOf(set, e, install, others(existing, installs, e, install), cfg, findings); ok {
			clusters = append(clusters, c)
		}
	}
	return clusters
}

// named reports whether the config names the cluster of a FluxInstance.
func named(cfg config.Config, e *instance.Existing, install *classic.Install) bool {
	at := classic.CleanPath(e.Str("spec", "sync", "path"))
	if install != nil {
		at = install.Cluster()
	}
	return slices.ContainsFunc(cfg.Clusters, func(name string) bool { return classic.CleanPath(name) == at })
}

// others are the folders of all clusters but one.
func others(existing []*instance.Existing, installs []*classic.Install, e *instance.Existing,
	install *classic.Install) []string {
	var dirs []string
	for _, other := range existing {
		if other != e {
			dirs = append(dirs, path.Dir(other.At.File))
		}
	}
	for _, other := range installs {
		if other != install {
			dirs = append(dirs, other.Pair.Dir())
		}
	}
	return dirs
}
