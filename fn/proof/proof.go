// Package proof shows, from files alone, that a commit makes Flux prune nothing that the repository still wants: it builds
// what each Flux Kustomization applies before and after, and judges every object that leaves an inventory.
package proof

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
)

// Proof is what was found, and what each Flux Kustomization applies.
type Proof struct {
	Findings []finding.Finding
	Trees    []Trees
}

// Trees are the inventories of one cluster before and after a run.
type Trees struct {
	Cluster       string
	Before, After *inventory.Inventory
}

// Prove compares the repository before and after a run, cluster by cluster. A loss is an Error, what could not be judged a
// Warning, and the count of the rest an Info.
func Prove(before, after fs.FS, installs []*classic.Install, cfg config.Config) Proof {
	var all finding.List
	var trees []Trees
	for _, install := range installs {
		findings := all.For(install.Cluster())
		if was, is := prove(before, after, install, cfg, findings); is != nil {
			trees = append(trees, Trees{install.Cluster(), was, is})
		}
		all.Merge(findings)
	}
	return Proof{all.All(), trees}
}

// LeftOut is the finding where the proof is switched off.
func LeftOut() finding.Finding {
	return finding.Finding{Severity: finding.Info, Topic: finding.Proof,
		Message: "left out (proof: off): it was not checked that Flux prunes nothing"}
}

// prove judges one cluster; the inventories are nil where they cannot be built.
func prove(before, after fs.FS, install *classic.Install, cfg config.Config, findings *finding.List) (was, is *inventory.Inventory) {
	root := inventory.Root{Kustomization: install.Pair.LiveRoot.Map(), Source: install.Pair.LiveSource.Map()}
	was, err := inventory.Build(before, inventory.Options{}, root)
	if err != nil {
		findings.Warn(install.Pair.Root, "spec.path", "it was not checked that Flux prunes nothing: %s", err)
		return nil, nil
	}
	is, err = inventory.Build(after, inventory.Options{Before: was}, root)
	if err != nil {
		findings.Error(install.Pair.Root, "spec.path", "the repository does not build any more: %s", err)
		return nil, nil
	}
	verdict := inventory.Compare(was, is, options(install, cfg))
	judge(verdict, install, findings)
	summarise(verdict, was, install, findings)
	return was, is
}

// options name what Flux Operator takes over and what cleanup means to remove.
func options(install *classic.Install, cfg config.Config) inventory.CompareOptions {
	adopted := map[inventory.ID]string{}
	for _, o := range []*object.Object{install.Pair.LiveSource, install.Pair.LiveRoot} {
		adopted[idOf(o)] = "Flux Operator generates it under the same name"
	}
	removed := map[inventory.ID]bool{}
	for _, o := range install.Objects {
		if install.Owner != nil {
			removed[idOf(o)] = true
		} else {
			adopted[idOf(o)] = "Flux Operator installs it under the same name"
		}
	}
	return inventory.CompareOptions{Adopted: adopted, TakenOver: cfg.TakenOver, Removed: func(e inventory.Entry) string {
		if removed[e.ID] {
			return "it installed Flux the classic way"
		}
		return ""
	}}
}

func idOf(o *object.Object) inventory.ID {
	return inventory.ID{Group: o.Group(), Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
}

// judge files the Errors and Warnings of a verdict: Errors one by one, Warnings one for each Flux Kustomization. What the
// classic install's own Kustomization applies is known without building it.
func judge(verdict inventory.Verdict, install *classic.Install, findings *finding.List) {
	for _, change := range verdict.Changes {
		file(change.Severity, change.File, change.String(), findings)
	}
	warnings := map[string][]inventory.Issue{}
	for _, issue := range verdict.Issues {
		owner := issue.Owner.String()
		switch {
		case issue.Severity == inventory.Error:
			file(issue.Severity, issue.File, owner+": "+issue.What, findings)
		case issue.Severity == inventory.Warning && (install.Owner == nil || issue.Owner.Name != install.Owner.Name):
			warnings[owner] = append(warnings[owner], issue)
		}
	}
	for _, owner := range slices.Sorted(maps.Keys(warnings)) {
		first := warnings[owner][0]
		more := ""
		if n := len(warnings[owner]); n > 1 {
			more = fmt.Sprintf(" (and %d more)", n-1)
		}
		file(first.Severity, first.File, owner+": "+first.What+more, findings)
	}
}

func file(severity inventory.Severity, path, message string, findings *finding.List) {
	switch severity {
	case inventory.Error:
		findings.Add(finding.Finding{Severity: finding.Error, Topic: finding.Proof, File: path, Message: "this commit would make Flux delete or lose something: " + message})
	case inventory.Warning:
		findings.Add(finding.Finding{Severity: finding.Warning, Topic: finding.Proof, File: path, Message: message})
	}
}

func summarise(verdict inventory.Verdict, was *inventory.Inventory, install *classic.Install, findings *finding.List) {
	opaque, all := was.Share()
	count := func(actions ...inventory.Action) int {
		n := 0
		for _, a := range actions {
			n += len(verdict.Of(a))
		}
		return n
	}
	findings.Info(finding.Proof, install.Pair.Root, "", "%d objects keep their owner, %d are new, %d are taken over by Flux Operator or stay, %d go on purpose, %d change their owner, %d are lost; "+
		"%d of %d Flux Kustomizations have parts that no file shows", verdict.Unchanged, count(inventory.New), count(inventory.Adopted, inventory.Kept),
		count(inventory.Removed), count(inventory.Moved), count(inventory.Lost), opaque, all)
}
