package migrate

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"
	"github.com/Masterminds/semver/v3"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

// deploy adds Flux Operator and the FluxInstance beside the classic install, and guards what the classic install could
// delete. It returns the plan; nil where nothing was planned.
func deploy(set *object.Set, install *classic.Install, existing *instance.Existing, cfg config.Config, before applied,
	others others, findings *finding.List) *instance.Plan {
	if existing != nil {
		checkExisting(set, existing, install, cfg, findings)
		if !existing.Adopts() {
			cfg.Sync.Mode = config.Keep
		}
		setGuards(set, install, cfg, before, others, findings)
		instance.GuideDeployed(set, install, existing, cfg, findings)
		return nil
	}
	plan := instance.New(set, install, cfg, findings)
	if plan == nil {
		return nil
	}
	objects, err := plan.Objects()
	if err != nil {
		findings.Error(finding.CannotBeEdited, install.Anchor, "", "the new objects cannot be written: %s", err)
		return nil
	}
	there := inNewFolder(set, install, plan)
	for _, o := range objects {
		add(set, install, o, findings)
	}
	if there != nil && !findings.Failed() {
		findings.Error(finding.OutputDir, there, "", "the new files go into ./%s, and the kustomization.yaml that "+
			"they bring would leave this out: set outputDir, or move it to another folder that Flux applies",
			plan.Dir)
	}
	setGuards(set, install, cfg, before, others, findings)
	move(set, install, plan, findings)
	listNewFolder(set, install, plan, findings)
	if err := openLists(set, install, objects); err != nil {
		findings.Error(finding.NotFollowed, install.Pair.Root, "spec.patches",
			"what they add to the new Flux Kustomizations cannot be followed: %s", err)
	}
	checkArrival(set, install, plan, objects, findings)
	plan.Guide(set, findings)
	tellSelectors(set, plan, findings)
	tellPatched(set, install, objects, findings)
	tellMarkers(install, findings)
	return plan
}

// inNewFolder is something that the root, or the child that applies the folder of the new files, applies from there;
// nil when there is nothing.
func inNewFolder(set *object.Set, install *classic.Install, plan *instance.Plan) *object.Object {
	if plan.Dir == "" {
		return nil
	}
	for _, o := range set.Below(plan.Dir) {
		if classic.Applies(set, install.Pair.Dir(), o.File) || plan.Above.Applies(set, o.File) {
			return o
		}
	}
	return nil
}

// add puts a new object in; what is already there under its name or in its file is not overwritten.
func add(set *object.Set, install *classic.Install, o *object.Object, findings *finding.List) {
	if o.Name != "" {
		for _, other := range set.Find(o.ID) {
			beside := o.File == "" || object.Within(path.Dir(other.File), path.Dir(path.Dir(o.File)))
			if beside || !set.IsNew(other) && classic.SameCluster(set, other, install) {
				findings.Error(finding.NameTaken, other, "", "%s", inTheWay(set, other, nameField(o)))
				return
			}
		}
	}
	if o.File != "" {
		if there := set.InFile(o.File); slices.ContainsFunc(there,
			func(other *object.Object) bool { return !set.IsNew(other) }) {
			findings.Error(finding.OutputDir, there[0], "", "the file is in the way of a new one: set outputDir")
			return
		}
	}
	set.Add(o)
}

// inTheWay says what to do with an object of the repository that has the name of a new one. A person may rename their
// own: a Flux Kustomization that prunes deletes what it applied when it goes, and Helm uninstalls a release.
func inTheWay(set *object.Set, other *object.Object, field string) string {
	text := "this object has the name of a new one: set the config field " + field + " to another name"
	if other.Is(classic.KustomizeGroup, "Kustomization") {
		text += ". To rename this one instead, set prune: false on it, push that, and wait until it is live: with " +
			"prune: true Flux deletes all that it applied"
	}
	text += ". Where it installs Flux Operator, set operator.install to external"
	if source := other.Str("spec", "sourceRef", "name"); source != "" && classic.SourceOf(set, other) == nil {
		return fmt.Sprintf("%s; its source %s/%s is not in the input: if it is meant to install Flux Operator, "+
			"correct that first, and deploy uses it",
			text, other.Str("spec", "sourceRef", "kind"), source)
	}
	return text
}

// nameField is the config field that names a new object.
func nameField(o *object.Object) string {
	group, field := "operator", "release"
	if slices.Contains([]string{path.Base(path.Dir(o.File)), path.Base(o.Str("spec", "path")),
		strings.TrimPrefix(o.Name, "flux-")}, "instance") {
		group = "instance"
	}
	if o.Is(classic.KustomizeGroup, "Kustomization") {
		field = "kustomization"
	}
	return group + "." + field
}

func setGuards(set *object.Set, install *classic.Install, cfg config.Config, before applied, others others,
	findings *finding.List) {
	if err := guard(set, install, cfg, before, others); err != nil {
		findings.Error(finding.CannotBeEdited, install.Anchor, "", "the guards cannot be set: %s", err)
	}
}

// guard keeps everything that the classic install applied from being deleted when its files go, however early they go.
// Only a guard that is live on the cluster before that counts, which is why it belongs to the first commit.
// Source: MIGRATION facts 10, run live.
func guard(set *object.Set, install *classic.Install, cfg config.Config, before applied, others others) error {
	if err := guardInstall(set, install, before, others); err != nil {
		return err
	}
	guardees := takenClaim(set, install, ExistingInstance(set, install, cfg))
	if cfg.Sync.Mode != config.Keep {
		guardees = append(guardees, install.Pair.Source, install.Pair.Root)
	}
	folder := folderOf(set, install)
	own, err := sharing{set, others}.apart(install, slices.DeleteFunc(guardees, func(o *object.Object) bool {
		return folder.Lists(o.File) && folder.Guarded()
	}))
	if err != nil {
		return err
	}
	return annotate(own)
}

// byFolder reports whether the kustomization.yaml of the folder of the install is what carries its guard.
func byFolder(install *classic.Install) bool {
	return install.ByHand == "" && install.Owner == nil && len(install.Guarded) == 0 && install.Anchor.File != ""
}

// takenClaim is the volume claim of source-controller, where the FluxInstance has Flux Operator make it.
func takenClaim(set *object.Set, install *classic.Install, existing *instance.Existing) []*object.Object {
	if existing == nil || existing.Str("spec", "storage", "size") == "" {
		return nil
	}
	if claim := instance.Claim(set, install); claim != nil {
		return []*object.Object{claim}
	}
	return nil
}

// guardInstall guards the install where it can be guarded: its own Flux Kustomization, the objects that it names, or
// its folder.
func guardInstall(set *object.Set, install *classic.Install, before applied, others others) error {
	switch {
	case install.ByHand != "":
		return nil
	case install.Owner != nil:
		return guardOwner(sharing{set, others}, install, before)
	case len(install.Guarded) > 0:
		own, err := sharing{set, others}.apart(install, install.Guarded)
		if err != nil {
			return err
		}
		return annotate(own)
	default:
		return guardFolder(set, install, others)
	}
}

// annotate puts the guard on objects.
func annotate(objects []*object.Object) error {
	for _, o := range objects {
		if inventory.EntryOf(o.Map()).Guarded() {
			continue
		}
		metadata, _ := object.Get[map[string]any](o.Map(), "metadata")
		annotations, written := metadata["annotations"]
		err := o.Edit(func(k *fn.KubeObject) error {
			if written && annotations == nil { // the key is there, and nothing below it
				if _, err := reason.With(k.RemoveNestedField("metadata", "annotations")); err != nil {
					return err
				}
			}
			return guardAnnotation(k)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// guardLine stands beside a guard, for whoever meets it later.
const guardLine = "guard of the migration to Flux Operator"

func guardAnnotation(k *fn.KubeObject) error {
	if err := reason.Of(k.SetAnnotation(instance.PruneKey, instance.Disabled)); err != nil {
		return err
	}
	return noted(k, "metadata", "annotations", instance.PruneKey)
}

// noted puts the comment beside a guard, behind one of its owner.
func noted(k *fn.KubeObject, field ...string) error {
	comment, _, _ := k.LineComment(field...) // where it fails, setting one does
	if comment = strings.TrimSpace(strings.TrimLeft(comment, "#")); comment != "" {
		comment += "; "
	}
	return reason.Of(k.SetLineComment(comment+guardLine, field...))
}

// guardOwner keeps the install's own Flux Kustomization from deleting the install when it is removed, by the first
// guard that this release of Flux knows. guardAll tries the others where that does not hold.
func guardOwner(s sharing, install *classic.Install, now applied) error {
	owner := install.Owner
	if now.orphans(install) || now.placed[owner] != nil {
		return nil
	}
	if _, shared := s.with(owner.File); shared {
		if done, err := s.patchOwn(install, owner, ownerPatch(owner, install.Version.Release)); done || err != nil {
			return err
		}
	}
	now.placed[owner] = &placing{owner: owner, release: install.Version.Release, was: owner.Text()}
	now.placed[owner].next()
	return nil
}

// ownerPatch has a Flux Kustomization leave what it applied when it goes.
func ownerPatch(owner *object.Object, release *semver.Version) *kyaml.Node {
	field, value := "prune", any(false)
	if inventory.HasDeletionPolicy(owner.APIVersion, release) {
		field, value = "deletionPolicy", "Orphan"
	}
	body := fmt.Sprintf("- op: add\n  path: /spec/%s\n  value: %v\n", field, value)
	target := object.Map(object.F("group", owner.Group()), object.F("kind", owner.Kind),
		object.F("name", regexp.QuoteMeta(owner.Name)))
	patch := object.Map(object.F("patch", body), object.F("target", target))
	patch.HeadComment = guardComment
	return patch
}

// ownerGuards are the guards that a Flux Kustomization can carry for what it applies, in the order in which they are
// tried.
var ownerGuards = []func(*fn.KubeObject) error{guardPolicy, guardPrune, guardObjects}

// placing tries the guards on a Flux Kustomization, one after the other.
type placing struct {
	owner   *object.Object
	release *semver.Version
	was     string // how it was without a guard
	tried   int
}

// next puts the next guard in the place of the one before, and reports whether there was one.
func (p *placing) next() bool {
	if p.tried == 0 && !inventory.HasDeletionPolicy(p.owner.APIVersion, p.release) {
		p.tried++
	}
	if p.tried == len(ownerGuards) {
		return false
	}
	p.tried++
	return p.owner.Restore(p.was) == nil && p.owner.Edit(ownerGuards[p.tried-1]) == nil
}

func guardPrune(k *fn.KubeObject) error {
	if err := reason.Of(k.SetNestedBool(false, "spec", "prune")); err != nil {
		return err
	}
	return noted(k, "spec", "prune")
}

func guardPolicy(k *fn.KubeObject) error {
	if err := reason.Of(k.SetNestedString("Orphan", "spec", "deletionPolicy")); err != nil {
		return err
	}
	return noted(k, "spec", "deletionPolicy")
}

func guardObjects(k *fn.KubeObject) error {
	if err := reason.Of(k.SetNestedString(instance.Disabled, "spec", "commonMetadata", "annotations",
		instance.PruneKey)); err != nil {
		return err
	}
	return noted(k, "spec", "commonMetadata", "annotations", instance.PruneKey)
}

// listNewFolder adds the new folder to the kustomization.yaml of the sync path, and of the one that the root moves to,
// where there is one. Where the sync path does not lead to the folder it is the nearest one that Flux reads.
func listNewFolder(set *object.Set, install *classic.Install, plan *instance.Plan, findings *finding.List) {
	if plan.Dir == "" {
		findings.Info(finding.ItemsWithoutPaths, finding.Found, nil, "", "the items carry no paths: list what is new "+
			"in the kustomization.yaml that the root applies, and put the FluxInstance and Flux Operator at "+
			"./%s/instance and ./%s/operator, which nothing else may apply", plan.SyncDir, plan.SyncDir)
		return
	}
	if above := plan.Above; above != nil {
		if above.List != nil {
			listIn(above.List, plan, findings)
		}
		return
	}
	dirs := []string{install.Pair.Dir()}
	if plan.NewPath != "" {
		dirs = []string{plan.NewPath, install.Pair.Dir()} // the old path may apply it by the new one
	}
	for _, dir := range dirs {
		parent := classic.KustomizationIn(set, dir)
		if parent == nil || classic.Applies(set, dir, path.Join(plan.Dir, "ks.yaml")) {
			continue
		}
		listIn(parent, plan, findings)
	}
}

// listIn adds the new folder to a kustomization.yaml.
func listIn(kustomization *object.Object, plan *instance.Plan, findings *finding.List) {
	if err := addEntry(kustomization, relative(path.Dir(kustomization.File), plan.Dir)); err != nil {
		findings.Error(finding.CannotBeEdited, kustomization, "resources", "the folder %s cannot be listed: %s",
			plan.Dir, err)
	}
}

// relative is the path from one folder to a file or folder.
func relative(from, to string) string {
	up := ""
	for !object.Within(to, from) {
		from, up = path.Dir(from), up+"../"
	}
	if from == to {
		return up
	}
	if from != "." {
		to = strings.TrimPrefix(to, from+"/")
	}
	return up + to
}
