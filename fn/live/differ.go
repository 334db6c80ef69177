package live

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
)

// unlike are the fields of a decoded object that are otherwise than wanted. What stands for something else is not
// looked at, and the order of a list of words does not matter.
func unlike(want, is map[string]any) []string {
	plain, _ := plainly(want).(map[string]any)
	found, _ := plainly(is).(map[string]any)
	return flux.Unlike(plain, found)
}

// plainly is a copy of a value without texts that stand for something else, and with its lists of words sorted.
func plainly(value any) any {
	switch value := value.(type) {
	case string:
		if unknown(value) {
			return nil
		}
	case []any:
		all := make([]any, 0, len(value))
		for _, entry := range value {
			all = append(all, plainly(entry))
		}
		if words(all) {
			slices.SortFunc(all, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		}
		return all
	case map[string]any:
		all := map[string]any{}
		for key, entry := range value {
			all[key] = plainly(entry)
		}
		if args, isArgs := value["args"]; isArgs {
			all["args"] = args // of a flag that is there twice the last one counts
		}
		return all
	}
	return value
}

// words reports whether all entries of a list are texts.
func words(list []any) bool {
	return !slices.ContainsFunc(list, func(entry any) bool { _, isText := entry.(string); return !isText })
}

// fieldsOf are fields as a person looks for them: at most two levels deep, each once.
func fieldsOf(paths []string) []string {
	var all []string
	for _, path := range paths {
		keys := strings.SplitN(inBrackets.ReplaceAllString(path, ""), ".", 3)
		all = append(all, strings.Join(keys[:min(len(keys), 2)], "."))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var inBrackets = regexp.MustCompile(`\[.*?\]`)

// Problem is something on a cluster that is not as Git says, or stands in the way.
type Problem struct {
	// Stops tells that the next step is not safe as long as this is so.
	Stops bool `json:"stops"`
	// Code is that of a finding: an Error where it stops, else a Warning.
	Code    finding.Code `json:"code"`
	Message string       `json:"message"`
}

// differ compares a snapshot with what Git says.
type differ struct {
	Snapshot
	want     Want
	facts    Facts
	phase    string
	problems []Problem
}

func (d *differ) add(p Problem) {
	if !slices.Contains(d.problems, p) {
		d.problems = append(d.problems, p)
	}
}

// stop says what has to be put right first.
func (d *differ) stop(code finding.Code, format string, args ...any) {
	d.add(Problem{true, code, printable.Line(fmt.Sprintf(format, args...))})
}

// remark says what is only told.
func (d *differ) remark(code finding.Code, format string, args ...any) {
	d.add(Problem{false, code, printable.Line(fmt.Sprintf(format, args...))})
}

// all are the problems, those that stop first.
func (d *differ) all(missing []Problem, now time.Time) []Problem {
	if why := d.Old(now); why != "" {
		d.stop(finding.SnapshotIncomplete, "the file cannot be relied on: %s", why)
		return d.problems // what it says may be as old
	}
	d.complete()
	for _, m := range missing {
		d.add(m)
	}
	d.withoutFile()
	d.generates()
	d.version()
	d.controllers()
	d.pair()
	d.dropped()
	d.guards()
	d.kustomizations()
	d.strangers()
	d.needs()
	slices.SortStableFunc(d.problems, func(a, b Problem) int {
		switch {
		case a.Stops == b.Stops:
			return 0
		case a.Stops:
			return -1
		}
		return 1
	})
	return d.problems
}

// complete wants all that the script lists, but for what the cluster does not serve.
func (d *differ) complete() {
	served := map[string]bool{}
	for _, o := range d.Objects {
		if o.Kind == "CustomResourceDefinition" {
			served[o.Name] = true
		}
	}
	var lacks []string
	for _, p := range partsOf(d.want.Namespace) {
		mayLack := p.resource == fluxInstances || p.resource == helmReleases
		if !d.listed[p.mark()] && (!mayLack || served[p.resource] || !d.listed[crds]) {
			lacks = append(lacks, p.mark())
		}
	}
	if len(lacks) > 0 {
		d.stop(finding.SnapshotIncomplete,
			"the file lacks %s: kubectl could not list that, or the script did not make the file; see what "+
				"kubectl says, and take a new one", some(lacks))
	}
}

// withoutFile tells of a FluxInstance that no file defines.
func (d *differ) withoutFile() {
	for _, o := range d.Objects {
		if o.Is(classic.OperatorGroup, "FluxInstance") && !o.ID.Same(d.want.Instance) {
			d.stop(finding.NotInGit,
				"%s is on the cluster, and no file defines it: pull, or bring its file back; where deploy was "+
					"taken back, follow its way back to the end", o.ID)
		}
	}
}

// version compares the release that runs with the classic install, as long as that is what runs.
func (d *differ) version() {
	if d.phase != Classic || d.want.Classic == nil {
		return
	}
	git, runs := d.want.Classic.Release, d.facts.release()
	if runs == nil {
		d.remark(finding.ReleaseDiffers,
			"the controllers are of no one release of Flux that is known: look at their images")
		runs, _ = semver.NewVersion(d.facts.Distribution)
	}
	switch {
	case runs == nil:
		d.stop(finding.ReleaseDiffers,
			"it cannot be told which Flux runs, and Git says %s: Flux Operator could change the minor version "+
				"in the take-over", d.want.Classic)
	case runs.Major() != git.Major() || runs.Minor() != git.Minor():
		d.stop(finding.ReleaseDiffers,
			"Flux %s runs, and Git says %s: Flux Operator would change the minor version in the take-over; "+
				"bring the two together first", runs, d.want.Classic)
	case d.want.Classic.Exact && !runs.Equal(git):
		d.remark(finding.ReleaseDiffers, "Flux %s runs, and Git says %s", runs, git)
	}
}

// expected are the objects that Git has in the place of this one: as Flux Operator generates it where it is its own,
// else as the classic install has it.
func (d *differ) expected(o *object.Object) map[string]any {
	from := d.want.Before
	if ownedBy(o) != "" && d.phase != Classic {
		from = d.want.After
	}
	return among(from, o.ID)
}

// among is an object by its ID, nil where it is not there.
func among(all []map[string]any, id object.ID) map[string]any {
	for _, m := range all {
		if object.IDOf(m).Same(id) {
			return m
		}
	}
	return nil
}

// controllers wants the controllers that Git has, ready, and as they are in Git.
func (d *differ) controllers() {
	wanted := d.want.Before
	if d.want.migrates() && d.phase != Classic {
		wanted = nil // what Flux Operator owns is asked for one by one
	}
	for _, m := range wanted {
		if id := object.IDOf(m); id.Kind == "Deployment" && d.find(id) == nil {
			d.stop(finding.NotOnCluster, "%s is not on the cluster, and Git has it", id)
		}
	}
	var unlike []sentence
	for _, c := range d.facts.Controllers {
		if !c.Ready {
			d.stop(finding.NotReady, "the controller %s is not ready (%s)", c.Name, c.Reason)
		}
		o := d.find(object.ID{APIVersion: "apps/v1", Kind: "Deployment", Namespace: d.want.Namespace, Name: c.Name})
		if fields := d.notArrived(o, d.expected(o)); len(fields) > 0 {
			unlike = append(unlike, sentence{o.ID, fmt.Sprintf("%s is not as Git has it, so that a patch has not "+
				"arrived or it was edited by hand: %s", o.ID, some(fields))})
		}
	}
	for _, text := range together(unlike, "these are not as Git has them, so that a patch has not arrived or they "+
		"were edited by hand") {
		d.remark(finding.ClusterDiffers, "%s", text)
	}
}

// notArrived are the fields of a controller that are otherwise than Git has them, often by a patch. Images are told
// by the release.
func (d *differ) notArrived(o *object.Object, m map[string]any) []string {
	if m == nil {
		return nil
	}
	pod := func(m map[string]any) map[string]any {
		spec, _ := object.Get[map[string]any](m, "spec", "template", "spec")
		return map[string]any{"pod": spec}
	}
	var fields []string
	if d.facts.Release == "" && d.phase == Classic && d.want.Classic.Exact &&
		classic.TagOf(imageOf(m)) != classic.TagOf(imageOf(o.Map())) {
		fields = append(fields, "image")
	}
	for _, field := range unlike(pod(m), pod(o.Map())) {
		if !strings.HasSuffix(field, ".image") {
			fields = append(fields, strings.TrimPrefix(field, "pod."))
		}
	}
	return fields
}

// some spells the first of many.
func some(words []string) string {
	if len(words) > few {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:few], ", "), len(words)-few)
	}
	return strings.Join(words, ", ")
}

// pair wants the sync pair at work, and as Git has it.
func (d *differ) pair() {
	for _, id := range []object.ID{d.want.Source, d.want.Root} {
		o := d.find(id)
		if o == nil {
			continue
		}
		m := d.expected(o)
		suspended, _ := object.Get[bool](m, "spec", "suspend")
		switch state := stateOf(o); {
		case state.Suspended && suspended:
			d.stop(finding.SuspendedOnCluster,
				"%s is suspended, in Git too: nothing of a commit reaches the cluster before it is resumed", id)
		case state.Suspended:
			d.stop(finding.SuspendedOnCluster,
				"%s is suspended on the cluster, and not in Git: nothing of a commit reaches the cluster before "+
					"it is resumed", id)
		case !state.Ready:
			d.stop(finding.NotReady, "%s is not ready (%s): what is pushed now may not be applied", id, state.Reason)
		}
		if fields := d.otherFields(o, m); len(fields) > 0 {
			d.stop(finding.ClusterDiffers, "%s is not as Git has it: %s", id, some(fields))
		}
	}
}

// otherFields are the fields of an object of Flux that are not as Git has them. The path of a root and the address of
// a source are looked at elsewhere.
func (d *differ) otherFields(o *object.Object, m map[string]any) []string {
	wanted, _ := object.Get[map[string]any](m, "spec")
	spec, _ := object.Get[map[string]any](o.Map(), "spec")
	wanted = maps.Clone(wanted)
	delete(wanted, "suspend")
	for _, name := range instance.Switches {
		if _, there := spec[name]; !there && wanted[name] == false {
			delete(wanted, name)
		}
	}
	if o.ID.Same(d.want.Root) {
		delete(wanted, "path")
	}
	if o.ID.Same(d.want.Source) {
		delete(wanted, "url")
	}
	var fields []string
	for _, field := range fieldsOf(unlike(wanted, spec)) {
		fields = append(fields, "spec."+field)
	}
	return fields
}

// dropped tells of what the classic install says of the pair and the take-over has dropped, because the FluxInstance
// does not restate it.
func (d *differ) dropped() {
	for _, id := range []object.ID{d.want.Source, d.want.Root} {
		o := d.find(id)
		if o == nil || ownedBy(o) == "" || d.phase == Classic || !d.want.Adopted {
			continue
		}
		var lost []string
		for _, field := range d.otherFields(o, among(d.want.Before, id)) {
			if !slices.Contains(changed, field) && !strings.HasPrefix(field, "spec.ref.") {
				lost = append(lost, field)
			}
		}
		if len(lost) > 0 {
			d.stop(finding.LostInTakeOver,
				"%s has lost in the take-over what Git says of it in the classic install: %s; restate it by a "+
					"patch of the FluxInstance", id, some(lost))
		}
	}
}

// changed are the fields that a take-over changes on purpose: a ref is spelled otherwise, and a guard is for before.
var changed = []string{"spec.ref", "spec.deletionPolicy", "spec.prune"}

// guards wants each guard that is in Git live. The pair and the install's own Flux Kustomization are looked at with
// the take-over.
func (d *differ) guards() {
	var lacking []sentence
	for _, id := range d.want.Guarded {
		o := d.find(id)
		inPair := id.Same(d.want.Root) || id.Same(d.want.Source)
		if o == nil || inPair && d.want.Adopted || inventory.EntryOf(o.Map()).Excluded() {
			continue
		}
		lacking = append(lacking, sentence{id, fmt.Sprintf("the guard of %s is in Git and not live: Flux would "+
			"still prune it", id)})
	}
	for _, text := range together(lacking, "these are guarded in Git, and the guards are not live, so that Flux "+
		"would still prune them") {
		d.stop(finding.GuardNotLive, "%s", text)
	}
}

// kustomizations wants the other Flux Kustomizations as Git has them.
func (d *differ) kustomizations() {
	for _, m := range d.want.Applied {
		id := object.IDOf(m)
		o := d.find(id)
		if id.Same(d.want.Root) || o == nil {
			continue
		}
		say := d.remark
		if slices.ContainsFunc(d.want.Deploys, id.Same) { // and so it is needed
			say = d.stop
			if d.phase == TakenOver {
				d.brings(o)
			}
		}
		inGit, _ := object.Get[bool](m, "spec", "suspend")
		if state := stateOf(o); state.Suspended && !inGit {
			say(finding.SuspendedOnCluster, "%s is suspended on the cluster, and not in Git", id)
		}
		if fields := d.otherFields(o, m); len(fields) > 0 && !id.Same(d.want.Owner) {
			say(finding.ClusterDiffers, "%s is not as Git has it: %s", id, some(fields))
		}
	}
}

// brings wants a Flux Kustomization that brings Flux Operator or the FluxInstance ready; it is a moment after what it
// waits for, which is looked at by itself.
func (d *differ) brings(o *object.Object) {
	switch state := stateOf(o); {
	case state.Ready || state.Suspended:
	case state.Reason == "Progressing":
		d.remark(finding.NotReady, "%s is not ready yet (Progressing): it follows what it waits for", o.ID)
	default:
		d.stop(finding.NotReady, "%s is not ready (%s): what Git says of Flux Operator or the FluxInstance may not be "+
			"live", o.ID, state.Reason)
	}
}

// strangers tells of Flux Kustomizations that no file defines, and of one that applies what the root does, whoever
// made it.
func (d *differ) strangers() {
	for _, o := range d.Objects {
		if !o.Is(classic.KustomizeGroup, "Kustomization") || o.ID.Same(d.want.Root) {
			continue
		}
		from := o.Str("spec", "sourceRef", "kind") + "/" + o.Str("spec", "sourceRef", "name")
		at, there := classic.CleanPath(o.Str("spec", "path")),
			cmp.Or(o.Str("spec", "sourceRef", "namespace"), o.Namespace)
		second := from == d.want.Source.Kind+"/"+d.want.Source.Name && there == d.want.Source.Namespace
		switch {
		case second && at == d.want.Path:
			d.stop(finding.SecondRoot,
				"%s applies ./%s as the root does: two roots take objects from each other; find out where it "+
					"comes from",
				o.ID, at)
		case !d.madeElsewhere(o) && among(d.want.Applied, o.ID) == nil:
			d.remark(finding.NotInGit, "%s is on the cluster, and no file of Git defines it", o.ID)
		}
	}
}

// generates wants a FluxInstance in Git that generates the sync pair under the names that it has.
func (d *differ) generates() {
	if !d.want.Adopted || d.want.Unknown != nil {
		return
	}
	for _, id := range []object.ID{d.want.Source, d.want.Root} {
		if among(d.want.After, id) == nil {
			d.stop(finding.PairNotGenerated,
				"%s in Git does not generate %s, which syncs this cluster: Flux Operator makes a second one, and "+
					"deletes what it generates no longer; what helps depends on what the cluster has, and the phase "+
					"cleanup says it",
				d.want.Instance, id)
		}
	}
}

// madeElsewhere reports whether something else than the files of this repository makes a Flux Kustomization, or may:
// what its label names is not the root, or part of what Git applies is in no file.
func (d *differ) madeElsewhere(o *object.Object) bool {
	labels, _ := object.Get[map[string]any](o.Map(), "metadata", "labels")
	by, applied := labels[ownerLabel].(string)
	namespace, _ := labels[classic.KustomizeGroup+"/namespace"].(string)
	ours := among(d.want.Applied, object.ID{APIVersion: classic.KustomizeGroup + "/v1", Kind: "Kustomization",
		Namespace: namespace, Name: by}) != nil
	return applied && (!ours || d.want.Open) || labels["app.kubernetes.io/managed-by"] != nil ||
		labels["helm.toolkit.fluxcd.io/name"] != nil
}

// needs wants the Secrets and ConfigMaps that the pair refers to.
func (d *differ) needs() {
	if !d.listed[named+" "+d.want.Namespace] {
		return
	}
	for _, n := range d.facts.Needs {
		if !n.Present && !n.Optional {
			d.stop(finding.NeededMissing, "%s is not on the cluster, and Flux needs it: %s", n.ID, n.Where)
		}
	}
}
