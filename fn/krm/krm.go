// Package krm is the edge as a KRM function: a ResourceList in, a ResourceList out.
package krm

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/fn/framework"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/bootstrap"
	"migrate-to-flux-operator/fn/budget"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/limit"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/proof"
	"migrate-to-flux-operator/fn/reason"
)

// Run reads a ResourceList from in and writes the migrated one to out. With an Error the items are written as they
// came, with the results, and the error that is returned says the same words.
//
// It fails on what is no ResourceList, on a wrong function config, and on every Error of the migration.
func Run(in io.Reader, out io.Writer) error {
	raw, err := limit.Read(in, limit.List)
	if err != nil {
		return fmt.Errorf("the input cannot be read: %w", err)
	}
	if l, ok := cut(raw); ok {
		return runCut(l, out)
	}
	return runParsed(raw, out)
}

// runParsed parses and prints every item.
func runParsed(raw []byte, out io.Writer) error {
	written, err := execute(raw, func(rl *framework.ResourceList) error {
		return process(rl, &parsedItems{rl: rl})
	})
	if written == nil {
		return err
	}
	if _, err := out.Write(written); err != nil {
		return err
	}
	return err
}

// execute runs a function in the framework and returns what it writes, nil where the input is no ResourceList.
func execute(raw []byte, function framework.ResourceListProcessorFunc) (written []byte, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			written, err = nil, fmt.Errorf("internal error, nothing was changed: %w; please report it with the "+
				"input, without its Secrets", reason.Panic(broken))
		}
	}()
	var buffer bytes.Buffer
	source := &kio.ByteReadWriter{Reader: bytes.NewReader(raw), Writer: &buffer, KeepReaderAnnotations: true}
	var own error
	failed := reason.Of(framework.Execute(framework.ResourceListProcessorFunc(func(rl *framework.ResourceList) error {
		if own = errNotAList; source.WrappingKind == kio.ResourceListKind {
			own = function(rl)
		}
		return own
	}), source))
	if own != nil {
		failed = own
	}
	if source.WrappingKind != kio.ResourceListKind {
		return nil, cmp.Or(failed, errNotAList)
	}
	return buffer.Bytes(), failed
}

// errNotAList is what a person sees who pipes plain manifests in.
var errNotAList = errors.New("the input is not a ResourceList (config.kubernetes.io/v1): run it with kpt or " +
	"kustomize, or use the commands plan, diff, apply and check on a folder")

// items are the items of a ResourceList, however they were read.
type items interface {
	// read makes the set of objects.
	read() (*object.Set, error)
	// write puts the objects of the set in the place of the items.
	write(*object.Set) error
}

// process migrates the items, and puts the findings into the results.
func process(rl *framework.ResourceList, list items) error {
	cfg, err := readConfig(rl.FunctionConfig)
	if err != nil {
		return fail(rl, finding.Finding{Severity: finding.Error, Code: finding.InvalidInput, Message: err.Error()})
	}
	set, err := list.read()
	if err != nil {
		return fail(rl, finding.Finding{Severity: finding.Error, Code: finding.InvalidInput, Message: err.Error()})
	}
	if f, found := outside(set.Input()); found {
		return fail(rl, f)
	}
	budget.Allow(len(set.All()) / itemsOfFile)
	var outcome migrate.Outcome
	var results framework.Results
	if err := budget.Run(context.Background(), func(context.Context) error {
		outcome, results = migrated(set, cfg)
		return nil
	}); err != nil {
		return fail(rl, finding.Finding{Severity: finding.Error, Code: finding.LimitExceeded, Message: err.Error()})
	}
	if rl.Results = results; outcome.Failed() {
		return failure(outcome.Findings)
	}
	if err := list.write(set); err != nil {
		return fail(rl, finding.Finding{Severity: finding.Error, Code: finding.CannotBeEdited, Message: err.Error()})
	}
	return nil
}

// itemsOfFile is how many items may take what a file of a checkout may.
const itemsOfFile = 10

// migrated migrates the objects of the items, and says what it found.
func migrated(set *object.Set, cfg config.Config) (migrate.Outcome, framework.Results) {
	before := set.Original()
	outcome := migrate.Migrate(set, cfg, func(int, int) {})
	var trees []proof.Trees
	if !outcome.Failed() {
		outcome.Findings = append(outcome.Findings, bootstrap.LeftOut(cfg)...)
		proved := prove(outcome, before, set, cfg)
		outcome.Findings, trees = append(outcome.Findings, proved.Findings...), proved.Trees
	}
	outcome.Findings = finding.Standing(outcome.Findings)
	results := finding.Results(outcome.Findings)
	if cfg.Report == config.On {
		results = append(results, finding.Results([]finding.Finding{reported(set, outcome, trees, cfg)})...)
	}
	return outcome, results
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
