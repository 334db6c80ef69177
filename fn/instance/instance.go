// Package instance plans what replaces a classic install: the FluxInstance, Flux Operator, the two Flux Kustomizations
// that apply them, and the guards that keep the classic install from deleting anything.
package instance

import (
	"cmp"
	"path"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// The names of what deploy adds.
const (
	operatorName = flux.OperatorChart
	instanceName = flux.InstanceChart
	fluxName     = "flux"
)

// Plan is what deploy adds for one cluster.
type Plan struct {
	Install *classic.Install
	Config  config.Config
	// Operator is the Flux Operator release that will run.
	Operator flux.Operator
	// Target is the Flux release that Flux Operator will install.
	Target string
	// Version is distribution.version: the release or a range of one minor version.
	Version string
	// External says that Flux Operator is installed outside of what this plan adds.
	External bool
	// Dir is the folder of the new files, empty where items carry no paths.
	Dir string
	// SyncDir is the same folder as Flux Kustomizations name it, from the root of the repository.
	SyncDir string
	// Above is what applies Dir where the sync path does not lead to it by itself; nil where it does.
	Above *Above
	// NewPath is the sync path that the root moves to with the take-over, empty where it stays.
	NewPath string
	// Sync is what becomes of the sync pair.
	Sync Sync
	// Before is what the classic install renders, After what Flux Operator renders in its place.
	Before, After []*kyaml.RNode

	// imposed are what Flux Operator changes by itself between the two: that depends on the releases and on the
	// install, so it is looked at and not known.
	imposed []flux.Difference
	draft   *draft
	left    []leftOut
	// operatorRelease refers to the HelmRelease of Flux Operator; nil where none is known.
	operatorRelease *kyaml.Node
	present         *object.Object // the HelmRelease that already installs Flux Operator; nil where none does
	// follow are the values of Flux Operator that follow the controllers.
	follow map[string]any

	// claim is the volume claim of source-controller as it is on the cluster; nil when the repository has none.
	claim *object.Object

	// edits are the patches for what was changed by hand in the manifests.
	edits   []classic.Patch
	fields  *kyaml.Node
	patches []*kyaml.Node
}

// New plans the migration of one install.
//
// What stands in the way is an Error in findings, and then the plan is nil.
func New(set *object.Set, install *classic.Install, cfg config.Config, findings *finding.List) *Plan {
	plan := &Plan{Install: install, Config: cfg}
	plan.place(set)
	steps := []func(*object.Set, *finding.List){plan.checkPair, plan.checkMove, plan.checkPlace, plan.chooseOperator,
		plan.chooseVersion, plan.checkServed,
		plan.planSync, plan.planInstance, plan.checkVariables, plan.checkUnread, plan.checkRelease}
	for _, step := range steps {
		if step(set, findings); findings.Failed() {
			return nil
		}
	}
	return plan
}

// place decides where the new files go: in a folder of the sync path, so that each cluster has its own. The folder gets
// a kustomization.yaml that lists ks.yaml alone, so that the root applies the two Flux Kustomizations and not what is
// below them, even where kustomize-controller generates the root's own kustomization.yaml: it does not look into such a
// folder.
// Source: fluxcd/pkg/kustomize v1.39.0, the walk of the generator.
func (p *Plan) place(set *object.Set) {
	pair := p.Install.Pair
	p.NewPath = pair.NewPath(p.Config)
	at, dir := pair.Path, pair.Dir()
	if p.NewPath != "" && object.Within(p.NewPath, pair.Path) {
		at, dir = p.NewPath, p.NewPath // the old path applies what the new one does, until the root has moved
	}
	p.SyncDir = cmp.Or(p.Config.OutputDir, path.Join(at, operatorName))
	if !set.HasPaths() {
		return
	}
	p.Dir = path.Join(dir, operatorName)
	if p.Config.OutputDir != "" {
		p.Dir = path.Clean(p.Config.OutputDir)
		p.SyncDir = path.Join(pair.Prefix, p.Dir)
	}
}

// Objects are everything that deploy adds, in the order in which it is written.
//
// It fails when a node cannot be printed.
func (p *Plan) Objects() ([]*object.Object, error) {
	var all []*object.Object
	add := func(file string, nodes ...*kyaml.Node) error {
		for i, node := range nodes {
			o, err := object.Build(node, p.file(file))
			if err != nil {
				return err
			}
			o.Index = i
			all = append(all, o)
		}
		return nil
	}
	for _, file := range p.files() {
		if err := add(file.name, file.nodes...); err != nil {
			return nil, err
		}
	}
	return all, nil
}

type file struct {
	name  string
	nodes []*kyaml.Node
}

// files lists the new files; kustomization.yaml files only where there are files at all.
func (p *Plan) files() []file {
	files := []file{{"ks.yaml", p.kustomizations()}}
	if !p.External {
		files = append(files, p.operatorFiles()...)
	}
	files = append(files, p.instanceFiles()...)
	if p.Dir == "" {
		return files
	}
	return append(files, listing(files)...)
}

// listing are the kustomization.yaml files that list these files, each those of its folder.
func listing(files []file) []file {
	var dirs []string
	names := map[string][]string{}
	for _, f := range files {
		dir := path.Dir(f.name)
		if names[dir] == nil {
			dirs = append(dirs, dir)
		}
		names[dir] = append(names[dir], path.Base(f.name))
	}
	var all []file
	for _, dir := range dirs {
		all = append(all, file{path.Join(dir, "kustomization.yaml"), []*kyaml.Node{kustomization(names[dir]...)}})
	}
	return all
}

func (p *Plan) file(name string) string {
	if p.Dir == "" {
		return ""
	}
	return path.Join(p.Dir, name)
}

func kustomization(resources ...string) *kyaml.Node {
	var entries []*kyaml.Node
	for _, r := range resources {
		entries = append(entries, object.Value("./"+r))
	}
	return object.Map(object.F("apiVersion", classic.ConfigGroup+"/v1beta1"), object.F("kind", "Kustomization"),
		object.F("resources", entries))
}

// metadata is the name of a new object beside the controllers, with the annotations that it carries.
func (p *Plan) metadata(name string, annotations ...object.Field) *kyaml.Node {
	fields := []object.Field{object.F("name", name), object.F("namespace", p.Install.Namespace)}
	if len(annotations) > 0 {
		fields = append(fields, object.F("annotations", object.Map(annotations...)))
	}
	return object.Map(fields...)
}
