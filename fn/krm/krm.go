// Package krm is the edge as a KRM function: a ResourceList in, a ResourceList out.
package krm

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/fn/framework"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/kio/kioutil"
	"sigs.k8s.io/kustomize/kyaml/yaml"
	kyaml "sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/bootstrap"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/proof"
)

// Run reads a ResourceList from in and writes the migrated one to out. With an Error the items are written as they came,
// with the results, and the error that is returned says the same words.
//
// It fails on what is no ResourceList, on a wrong function config, and on every Error of the migration.
func Run(in io.Reader, out io.Writer) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("internal error, nothing was changed: %v; please report it with the input", broken)
		}
	}()
	var written bytes.Buffer
	source := &kio.ByteReadWriter{Reader: in, Writer: &written, KeepReaderAnnotations: true}
	failed := framework.Execute(framework.ResourceListProcessorFunc(func(rl *framework.ResourceList) error {
		if source.WrappingKind != kio.ResourceListKind {
			return errNotAList
		}
		return process(rl)
	}), source)
	if source.WrappingKind != kio.ResourceListKind {
		return cmp.Or(failed, errNotAList)
	}
	if _, err := out.Write(written.Bytes()); err != nil {
		return err
	}
	return failed
}

// errNotAList is what a person sees who pipes plain manifests in.
var errNotAList = errors.New("the input is not a ResourceList (config.kubernetes.io/v1): run it with kpt or kustomize, or use the commands plan, diff, apply and check on a folder")

func process(rl *framework.ResourceList) error {
	cfg, err := readConfig(rl.FunctionConfig)
	if err != nil {
		return fail(rl, finding.Finding{Severity: finding.Error, Message: err.Error()})
	}
	set, items, err := read(rl.Items)
	if err != nil {
		return fail(rl, finding.Finding{Severity: finding.Error, Message: err.Error()})
	}
	before := filesOf(set.Current())
	outcome := migrate.Migrate(set, cfg)
	var trees []proof.Trees
	if !outcome.Failed() {
		outcome.Findings = append(outcome.Findings, bootstrap.LeftOut(cfg)...)
		proved := prove(before, set, outcome.Installs, cfg)
		outcome.Findings, trees = append(outcome.Findings, proved.Findings...), proved.Trees
	}
	rl.Results = finding.Results(outcome.Findings)
	if cfg.Report == config.On {
		rl.Results = append(rl.Results, finding.Results([]finding.Finding{reported(set, outcome, trees, cfg)})...)
	}
	if outcome.Failed() {
		return failure(outcome.Findings)
	}
	migrated, err := write(set, items)
	if err != nil {
		return fail(rl, finding.Finding{Severity: finding.Error, Message: err.Error()})
	}
	rl.Items = migrated
	return nil
}

func fail(rl *framework.ResourceList, f finding.Finding) error {
	rl.Results = finding.Results([]finding.Finding{f})
	return failure([]finding.Finding{f})
}

// failure is the error that says every Error on a line of its own.
func failure(findings []finding.Finding) error {
	var lines []string
	for _, f := range findings {
		if f.Severity == finding.Error {
			lines = append(lines, f.String())
		}
	}
	return errors.New(strings.Join(lines, "\n"))
}

func readConfig(node *yaml.RNode) (config.Config, error) {
	if node.IsNilOrEmpty() {
		return config.Parse(nil)
	}
	text, err := node.String()
	if err != nil {
		return config.Config{}, err
	}
	return config.Parse([]byte(text))
}

// read makes the set of objects; items keeps each object's node, which is written back as it is where nothing changed.
func read(nodes []*yaml.RNode) (*object.Set, map[*object.Object]*yaml.RNode, error) {
	items := make(map[*object.Object]*yaml.RNode, len(nodes))
	objects := make([]*object.Object, 0, len(nodes))
	for i, node := range nodes {
		text, err := node.String()
		if err != nil {
			return nil, nil, fmt.Errorf("item %d: %w", i, err)
		}
		file, index := place(node)
		o, err := object.Parse(text, file, index)
		if err != nil {
			return nil, nil, fmt.Errorf("item %d: %w", i, err)
		}
		objects = append(objects, o)
		items[o] = node
	}
	set := object.NewSet(objects)
	set.Read = func(file string) ([]byte, bool) { return readFile(set, file) }
	return set, items, nil
}

// legacyPath and legacyIndex are what the annotations were called before kyaml 0.13; kpt still writes and reads them.
const (
	legacyPath  = "config.kubernetes.io/path"
	legacyIndex = "config.kubernetes.io/index"
)

// place reads the path and index that the item came from.
func place(node *yaml.RNode) (string, int) {
	annotations := node.GetAnnotations()
	file, index := annotations[kioutil.PathAnnotation], annotations[kioutil.IndexAnnotation]
	if file == "" {
		file, index = annotations[legacyPath], annotations[legacyIndex]
	}
	n, err := strconv.Atoi(index)
	if err != nil || file == "" {
		n = 0
	}
	return file, n
}

// readFile puts a file together from the items that came from it.
func readFile(set *object.Set, file string) ([]byte, bool) {
	var docs []string
	for _, o := range set.InFile(file) {
		// Map leaves out the annotations that only carry the item; it was decoded from YAML, so it can be written as YAML.
		doc, _ := kyaml.Marshal(o.Map())
		docs = append(docs, string(doc))
	}
	return []byte(strings.Join(docs, "---\n")), len(docs) > 0
}

// write returns the nodes in their order, the edited ones in their place, the new ones at the end.
func write(set *object.Set, items map[*object.Object]*yaml.RNode) ([]*yaml.RNode, error) {
	var nodes []*yaml.RNode
	for _, o := range set.All() {
		node := items[o]
		if o.Changed() {
			edited, err := o.Node()
			if err != nil {
				return nil, err
			}
			node = edited
		}
		nodes = append(nodes, node)
	}
	for _, o := range set.Added() {
		node, err := added(o)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// added is a new object with the annotations that say which file it goes to, in the current and in the legacy form.
func added(o *object.Object) (*yaml.RNode, error) {
	node, err := o.Node()
	if err != nil || o.File == "" {
		return node, err
	}
	index := strconv.Itoa(o.Index)
	for _, a := range [][2]string{{kioutil.IndexAnnotation, index}, {kioutil.PathAnnotation, o.File},
		{legacyIndex, index}, {legacyPath, o.File}} {
		if err := node.PipeE(yaml.SetAnnotation(a[0], a[1])); err != nil {
			return nil, err
		}
	}
	return node, nil
}
