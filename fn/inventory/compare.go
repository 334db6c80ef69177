package inventory

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/finding"

	"github.com/Masterminds/semver/v3"
)

// Action says what becomes of an object.
type Action string

// What can become of an object between two inventories.
const (
	Unchanged Action = "unchanged" // same owner
	New       Action = "new"
	Adopted   Action = "adopted"  // leaves the files; Flux Operator has it from now on
	Moved     Action = "moved"    // another Flux Kustomization applies it
	Replaced  Action = "replaced" // a generated name with another hash
	Removed   Action = "removed"  // on purpose
	Kept      Action = "kept"     // leaves the files, but Flux does not delete it
	Stuck     Action = "stuck"    // its owner can no longer be built: neither applied nor pruned
	Lost      Action = "lost"     // Flux deletes it
	Unjudged  Action = "unjudged"
)

// Change is the verdict on one object.
type Change struct {
	Action   Action           `json:"action"`
	Severity finding.Severity `json:"severity"`
	ID       ID               `json:"object"`
	From     []Name           `json:"from,omitempty"`
	To       []Name           `json:"to,omitempty"`
	File     *Origin          `json:"file,omitzero"` // where it was before, or is now if it is new
	Why      string           `json:"why,omitempty"`
}

// String describes the change for people.
func (c Change) String() string {
	s := string(c.Action) + " " + c.ID.String()
	if c.Why != "" {
		s += ": " + c.Why
	}
	return s
}

// CompareOptions are what the caller knows and no file shows.
type CompareOptions struct {
	// Adopted are the objects that Flux Operator takes over, each with a
	// sentence on why that is safe.
	Adopted map[ID]string
	// TakenOver says that the take-over was checked on the cluster, so that
	// no guard is needed for what is adopted.
	TakenOver bool
	// Deleted are the objects that something else than a Flux Kustomization
	// deletes, each with the reason.
	Deleted map[ID]string
	// Removed says why an object is meant to go, or nothing if it is not.
	Removed func(Entry) string
	// Release is the one of Flux that runs; the newest where it is not known.
	Release *semver.Version
	// AdoptedBase reports whether Flux Operator takes over what comes from a
	// remote base.
	AdoptedBase func(address string) bool
}

// Issue is something that is not about one object's fate.
type Issue struct {
	Severity finding.Severity `json:"severity"`
	Owner    Name             `json:"owner"`
	What     string           `json:"what"`
	File     *Origin          `json:"file,omitzero"`
}

// Beside is what it says where its file is named beside it.
func (i Issue) Beside() string { return strings.TrimSuffix(i.What, " ("+i.File.String()+")") }

// code is that of the finding which a change is; nothing where it is none.
func (c Change) code() finding.Code {
	switch c.Severity {
	case finding.Error:
		return finding.WouldDelete
	case finding.Warning:
		return finding.NotJudged
	}
	return ""
}

// MarshalJSON adds the code.
func (c Change) MarshalJSON() ([]byte, error) {
	type fields Change
	return json.Marshal(struct {
		fields
		Code finding.Code `json:"code,omitempty"`
	}{fields(c), c.code()})
}

// code is that of the finding which an issue is.
func (i Issue) code() finding.Code {
	switch {
	case i.Severity == finding.Error:
		return finding.WouldBreak
	case strings.HasPrefix(i.What, ProblemTwice):
		return finding.TwoOwners
	}
	return finding.Incomplete
}

// MarshalJSON adds the code.
func (i Issue) MarshalJSON() ([]byte, error) {
	type fields Issue
	return json.Marshal(struct {
		fields
		Code finding.Code `json:"code"`
	}{fields(i), i.code()})
}

// Verdict is the outcome of a comparison.
type Verdict struct {
	Changes   []Change `json:"changes"` // all but the unchanged, in order of identity
	Issues    []Issue  `json:"issues"`
	Unchanged int      `json:"unchanged"`
}

// Of returns the changes of one action.
func (v Verdict) Of(a Action) []Change {
	var out []Change
	for _, c := range v.Changes {
		if c.Action == a {
			out = append(out, c)
		}
	}
	return out
}

// OK reports whether nothing is lost and nothing breaks.
func (v Verdict) OK() bool {
	return !slices.ContainsFunc(v.Changes, func(c Change) bool { return c.Severity == finding.Error }) &&
		!slices.ContainsFunc(v.Issues, func(i Issue) bool { return i.Severity == finding.Error })
}

// Compare judges the way from one inventory to another as
// kustomize-controller's garbage collection and finalizers would go it.
func Compare(before, after *Inventory, o CompareOptions) Verdict {
	j := &judge{before: before, options: o}
	j.against(after)
	j.followOrphans()
	var v Verdict
	for _, id := range j.ids() {
		c := j.judge(id)
		if c.Action == Unchanged {
			v.Unchanged++
			continue
		}
		v.Changes = append(v.Changes, c)
	}
	v.Issues = j.issues()
	return v
}

// judge compares two inventories object by object.
type judge struct {
	before, after *Inventory
	options       CompareOptions
	missing       []Opaque // the files that only the after side misses
	dangling      []Edge   // the references that only there lead nowhere
	memo          map[ID]Change
}

// against sets the after side and forgets what was judged with another one.
func (j *judge) against(after *Inventory) {
	j.after, j.memo, j.missing, j.dangling = after, map[ID]Change{}, nil, nil
	known := map[Ref]bool{}
	for _, e := range j.before.Dangling() {
		known[e.To] = true
	}
	for _, e := range after.Dangling() {
		if !known[e.To] {
			j.dangling = append(j.dangling, e)
		}
	}
	for _, o := range after.Opaque {
		if o.Reason == OpaqueMissing && !slices.Contains(j.before.Opaque, o) {
			j.missing = append(j.missing, o)
		}
	}
}

// ids returns every identity of either side, in order.
func (j *judge) ids() []ID {
	ids := slices.Concat(j.before.IDs(), j.after.IDs(), slices.Collect(maps.Keys(j.options.Deleted)))
	slices.SortFunc(ids, ID.compare)
	return slices.Compact(ids)
}

// followOrphans adds to the after side the Flux Kustomizations that leave the
// files but stay on the cluster: they go on reading their path.
func (j *judge) followOrphans() {
	for {
		var orphans []Root
		for _, o := range j.before.Owners {
			if _, ok := j.after.Owner(o.Name); !ok && j.survives(o) && o.Unread == "" {
				orphans = append(orphans, Root{Kustomization: o.object, Source: j.before.walk.found.sources[o.Source]})
			}
		}
		if len(orphans) == 0 {
			return
		}
		j.against(j.after.with(orphans))
	}
}

// survives reports whether a Flux Kustomization that no root and no file has
// any longer is still on the cluster afterwards.
func (j *judge) survives(o Owner) bool {
	id := o.id()
	if len(j.before.Find(id)) == 0 {
		return false // a root that the caller left out of the after side
	}
	a := j.judge(id).Action
	return a == Kept || a == Adopted || a == Stuck
}

// id is the identity of the Flux Kustomization itself.
func (o Owner) id() ID {
	return ID{Group: kustomizeGroup, Kind: "Kustomization", Namespace: o.Namespace, Name: o.Name.Name}
}

// with is the inventory with more roots.
func (inv *Inventory) with(roots []Root) *Inventory {
	return inv.From(append(slices.Clone(inv.walk.roots), roots...)...)
}

// judge decides what becomes of one object.
func (j *judge) judge(id ID) Change {
	if c, ok := j.memo[id]; ok {
		return c
	}
	was, is := j.before.Find(id), j.after.Find(id)
	// A Flux Kustomization that applies itself is asked about while it is
	// being judged: it stays if it is still in its own output.
	j.memo[id] = Change{Action: Lost, Severity: finding.Error, ID: id}
	if len(is) > 0 {
		j.memo[id] = Change{Action: Unchanged, ID: id}
	}
	c := j.decide(id, was, is)
	j.memo[id] = c
	return c
}

// decide is judge without the memory.
func (j *judge) decide(id ID, was, is []Entry) Change {
	c := Change{ID: id, Severity: finding.Info, From: owners(was), To: owners(is)}
	if all := slices.Concat(was, is); len(all) > 0 {
		c.File = all[0].File
	}
	if why, deleted := j.options.Deleted[id]; deleted {
		c.Action, c.Severity, c.Why = Lost, finding.Error, why
		return c
	}
	switch {
	case len(was) == 0:
		c.Action = New
	case sameOwner(c.From, c.To):
		j.stays(&c, was)
	case was[0].Unknown:
		c.Action, c.Severity, c.Why = Unjudged, finding.Warning, "its name depends on a value that is not in the repository"
	case len(is) > 0:
		j.moved(&c, was)
	default:
		j.gone(&c, was)
	}
	return c
}

// owners returns who applies the entries.
func owners(entries []Entry) []Name {
	var out []Name
	for _, e := range entries {
		out = append(out, e.Owner)
	}
	return out
}

// sameOwner reports whether one of those who applied the object still does.
func sameOwner(from, to []Name) bool {
	return slices.ContainsFunc(from, func(n Name) bool { return slices.Contains(to, n) })
}

// stays judges an object that its owner still applies: it goes nevertheless
// if the owner itself is deleted, for the finalizer does not read files, or if
// another one that applied it too leaves it and was the last to do so.
func (j *judge) stays(c *Change, was []Entry) {
	c.Action = Unchanged
	for _, e := range was {
		owner, _ := j.before.Owner(e.Owner)
		if !slices.Contains(c.To, e.Owner) {
			if _, safe := j.handsOver(e, c.To[0]); !safe {
				c.Action, c.Severity = Moved, finding.Error
				c.Why = fmt.Sprintf("%s may have been the last to apply it, and then deletes it, though %s applies "+
					"it as well: %s", e.Owner, c.To[0], guardFirst(e))
			}
			continue
		}
		if !j.deleted(owner) || j.guarded(e) {
			continue
		}
		if action, severity, why := j.finalized(e, owner); action == Lost {
			c.Action, c.Severity, c.Why = action, severity, why
		}
	}
}

// guarded reports whether Flux leaves an object when its owner itself goes. One that something applies afterwards has
// its guard then as well: the owner can apply the new commit before it goes, and with it takes the guard away.
func (j *judge) guarded(e Entry) bool {
	return e.Guarded() && !slices.ContainsFunc(j.after.Find(e.ID), func(a Entry) bool { return !a.Guarded() })
}

// guardFirst is how an object stays while its owner changes.
func guardFirst(e Entry) string {
	guard := PruneKey + ": " + Disabled
	if e.Guarded() { // which the owner that goes can take away
		return "leave " + guard + " on it in this commit, and take it away in a later one"
	}
	return "guard it with " + guard + " one commit earlier"
}

// deleted reports whether Flux deletes the Flux Kustomization itself.
func (j *judge) deleted(o Owner) bool {
	id := o.id()
	return len(j.before.Find(id)) > 0 && j.judge(id).Action == Lost
}

// gone judges an object that is in no file any longer.
func (j *judge) gone(c *Change, was []Entry) {
	reason, adopted := j.options.Adopted[c.ID]
	if adopted {
		j.adopted(c, was, reason)
		return
	}
	if j.options.Removed != nil {
		if why := j.options.Removed(was[0]); why != "" {
			c.Action, c.Why = Removed, why
			return
		}
	}
	if j.replaced(was[0]) {
		c.Action, c.Why = Replaced, "its contents changed, and with them the hash in its name"
		return
	}
	j.fate(c, was)
}

// fate takes the worst that an owner does to an object it no longer applies.
func (j *judge) fate(c *Change, was []Entry) {
	for i, e := range was {
		action, severity, why := j.pruned(e)
		if i == 0 || action == Lost {
			c.Action, c.Severity, c.Why = action, severity, why
		}
	}
}

// adopted judges an object that Flux Operator takes over: until it has, the
// old owner deletes it unless a guard is live.
func (j *judge) adopted(c *Change, was []Entry, reason string) {
	j.fate(c, was)
	lost := c.Action == Lost
	c.Action, c.Severity = Adopted, finding.Info
	switch {
	case !lost:
		c.Why = reason + "; until then: " + c.Why
	case j.options.TakenOver:
		c.Why = reason
	default:
		c.Severity = finding.Error
		c.Why = reason + ", but without a guard that is live before: " + c.Why + " unless the take-over is complete"
	}
}

// hashed matches a name that kustomize generated.
var hashed = regexp.MustCompile(`^(.+)-[bcdfghkmt2456789]{10}$`)

// replaced reports whether the owner generates the same object under another hash.
func (j *judge) replaced(e Entry) bool {
	m := hashed.FindStringSubmatch(e.Name)
	if m == nil || e.Kind != "ConfigMap" && e.Kind != "Secret" {
		return false
	}
	return slices.ContainsFunc(j.after.Entries, func(a Entry) bool {
		n := hashed.FindStringSubmatch(a.Name)
		return n != nil && n[1] == m[1] && a.Kind == e.Kind && a.Namespace == e.Namespace && a.Owner == e.Owner
	})
}

// pruned says what the owner of e does to it when it is no longer applied.
func (j *judge) pruned(e Entry) (Action, finding.Severity, string) {
	was, _ := j.before.Owner(e.Owner)
	is, stays := j.after.Owner(e.Owner)
	switch {
	case stays && j.stuck(is) != "":
		return Stuck, finding.Info, fmt.Sprintf("Flux Kustomization %s does not build: %s", e.Owner, j.stuck(is))
	case stays && is.Unread != "":
		return Unjudged, finding.Error, fmt.Sprintf("Flux Kustomization %s now %s", e.Owner, is.Unread)
	case stays && j.renamed(e):
		return Unjudged, finding.Error, "its name now depends on a value that is not in the repository"
	case stays && e.Guarded() || j.guarded(e):
		return Kept, finding.Info, "it is annotated against pruning"
	case stays && !was.Prune && !is.Prune:
		return Kept, finding.Info, fmt.Sprintf("Flux Kustomization %s does not prune", e.Owner)
	case stays && was.Suspend && is.Suspend:
		return Lost, finding.Error, fmt.Sprintf("Flux Kustomization %s prunes it as soon as it is resumed", e.Owner)
	case stays:
		return Lost, finding.Error, fmt.Sprintf("Flux Kustomization %s prunes it", e.Owner)
	}
	return j.finalized(e, was)
}

// renamed reports whether the owner applies an object of that kind whose name is
// no longer known.
func (j *judge) renamed(e Entry) bool {
	return slices.ContainsFunc(j.after.Entries, func(a Entry) bool {
		return a.Unknown && a.Owner == e.Owner && a.Group == e.Group && a.Kind == e.Kind &&
			a.File.String() == e.File.String()
	})
}

// prunes reports whether objects that leave the inventory are deleted.
func (o Owner) prunes() bool { return o.Prune && !o.Suspend }

// stuck says why an owner fails to build though it did before.
func (j *judge) stuck(is Owner) string {
	if is.Broken != "" {
		return is.Broken
	}
	for _, o := range j.missing {
		if o.Owner == is.Name {
			return o.String()
		}
	}
	return ""
}

// finalized says what becomes of e when its owner itself goes.
func (j *judge) finalized(e Entry, owner Owner) (Action, finding.Severity, string) {
	id := owner.id()
	if len(j.before.Find(id)) > 0 {
		if c := j.judge(id); c.Action == Stuck || c.Action == Unjudged || c.Action == Unchanged {
			return c.Action, c.Severity, fmt.Sprintf("as Flux Kustomization %s: %s", owner.Name, c.Why)
		}
	}
	if owner.Suspend {
		return Kept, finding.Info, fmt.Sprintf("Flux Kustomization %s goes while it is suspended", owner.Name)
	}
	if why := owner.Orphans(j.options.Release); why != "" {
		return Kept, finding.Info, fmt.Sprintf("Flux Kustomization %s %s", owner.Name, why)
	}
	return Lost, finding.Error, fmt.Sprintf("Flux Kustomization %s goes, and its finalizer deletes it", owner.Name)
}

// moved judges an object that another Flux Kustomization applies from now on.
func (j *judge) moved(c *Change, was []Entry) {
	c.Action = Moved
	for _, e := range was {
		why, safe := j.handsOver(e, c.To[0])
		if c.Why = why; !safe {
			c.Severity = finding.Error
			return
		}
	}
}

// handsOver says what keeps an owner from deleting an object that another one
// applies afterwards; not safe where nothing does. The old owner leaves it
// alone once the new one has labelled it, so what counts is who comes first.
func (j *judge) handsOver(e Entry, to Name) (why string, safe bool) {
	action, _, why := j.pruned(e)
	switch {
	case action != Lost:
		return why, true
	case j.asleep(to):
		return fmt.Sprintf("%s, and %s, which has it now, does not reconcile", why, to), false
	case j.suspended(e.Owner):
		return fmt.Sprintf("Flux Kustomization %s is suspended while %s takes it over", e.Owner, to), true
	case j.waits(e.Owner, to):
		return fmt.Sprintf("Flux Kustomization %s depends on %s, which takes it over first", e.Owner, to), true
	case j.takesFirst(e.Owner, to):
		return fmt.Sprintf("Flux Kustomization %s takes it over before it removes %s", to, e.Owner), true
	}
	return fmt.Sprintf("%s may delete it before %s takes it over: %s", e.Owner, to, guardFirst(e)), false
}

// asleep reports whether an owner applies nothing: it is suspended, or does not
// build.
func (j *judge) asleep(n Name) bool {
	is, _ := j.after.Owner(n)
	return is.Suspend || is.Broken != ""
}

// suspended reports whether an owner neither applies nor prunes, now and before.
func (j *judge) suspended(n Name) bool {
	was, _ := j.before.Owner(n)
	is, stays := j.after.Owner(n)
	return stays && was.Suspend && is.Suspend
}

// waits reports whether from reconciles a revision only after to has applied it,
// now and before.
func (j *judge) waits(from, to Name) bool {
	was, _ := j.before.Owner(from)
	is, ok := j.after.Owner(from)
	return ok && slices.Contains(was.DependsOn, to) && slices.Contains(is.DependsOn, to)
}

// takesFirst reports whether to is what applied from, which goes: it applies
// everything before it prunes. It holds only while from cannot act on its
// own, because its path is gone or still has the object.
func (j *judge) takesFirst(from, to Name) bool {
	was, _ := j.before.Owner(from)
	if _, stays := j.after.Owner(from); stays || was.Parent != to {
		return false
	}
	alone := j.after.with([]Root{{Kustomization: was.object, Source: j.before.walk.found.sources[was.Source]}})
	is, _ := alone.Owner(from)
	return is.Broken != ""
}

// issues lists what breaks, what was broken, and what could not be read.
func (j *judge) issues() []Issue {
	var out []Issue
	for _, p := range j.after.Problems {
		severity := finding.Error
		if slices.ContainsFunc(j.before.Problems, p.same) {
			severity = finding.Warning
		}
		out = append(out, Issue{severity, p.Owner, p.Kind + ": " + p.What, p.File})
	}
	out = append(out, j.blindIssues()...)
	out = append(out, j.baseIssues()...)
	out = append(out, j.sourceIssues()...)
	out = append(out, j.danglingIssues()...)
	out = append(out, j.installerIssues()...)
	for _, o := range j.after.Opaque {
		if slices.Contains(j.missing, o) {
			out = append(out, Issue{finding.Error, o.Owner, ProblemBuild + ": " + o.String(), at(o.File)})
			continue
		}
		out = append(out, Issue{finding.Warning, o.Owner, "not judged: " + o.String(), at(o.File)})
	}
	return out
}

// blindIssues are the Flux Kustomizations that prune again though no file
// shows what they applied last: they did not build, or read something else.
func (j *judge) blindIssues() []Issue {
	var out []Issue
	for _, was := range j.before.Owners {
		is, stays := j.after.Owner(was.Name)
		if why := was.blind(); stays && why != "" && is.blind() == "" && is.prunes() {
			out = append(out, Issue{Severity: finding.Warning, Owner: was.Name, What: "not judged: it prunes what it applied " +
				"last, which no file shows: until now it " + why})
		}
	}
	return out
}

// baseIssues are the remote bases that an owner applied and does not apply any
// longer: no file shows what that makes Flux prune.
func (j *judge) baseIssues() []Issue {
	var out []Issue
	for _, was := range j.before.Opaque {
		is, stays := j.after.Owner(was.Owner)
		if was.Reason != OpaqueRemote || !stays || !is.Prune || j.stuck(is) != "" || is.Unread != "" ||
			j.options.AdoptedBase != nil && j.options.AdoptedBase(was.What) {
			continue
		}
		if slices.ContainsFunc(j.after.Opaque, was.sameBase) {
			continue
		}
		if guarded, _ := j.before.GuardsAll(was.File); !guarded {
			out = append(out, Issue{finding.Error, was.Owner, "prunes what it applied from the " + was.String() +
				", which is gone", at(was.File)})
		}
	}
	return out
}

// sourceIssues are the sources of this repository that fetch something else
// from now on, another branch for one: what that has, no file here shows.
func (j *judge) sourceIssues() []Issue {
	var out []Issue
	seen := map[Ref]bool{}
	for _, was := range j.before.Owners {
		is, stays := j.after.Owner(was.Name)
		if !stays || was.Source != is.Source || was.Unread != "" || is.Unread != "" || seen[was.Source] {
			continue
		}
		seen[was.Source] = true
		before, _ := j.before.walk.resolve(was.Source)
		after, _ := j.after.walk.resolve(is.Source)
		if from, to := location(before), location(after); from != to {
			out = append(out, Issue{Severity: finding.Warning, Owner: was.Name, What: fmt.Sprintf("not judged: %s fetches %s "+
				"from now on and not %s: Flux prunes what that does not have", was.Source, spoken(to), spoken(from))})
		}
	}
	return out
}

// spoken is a location for people: the parts that there are.
func spoken(location string) string { return strings.Join(strings.Fields(location), " ") }

// sameBase reports whether both are one remote base of one owner, at any version.
func (o Opaque) sameBase(other Opaque) bool {
	return other.Reason == OpaqueRemote && o.Owner == other.Owner && unversioned(o.What) == unversioned(other.What)
}

// unversioned is the address of a remote base without what names a version:
// the host, the repository, and the last part of the path.
func unversioned(address string) string {
	if _, rest, found := strings.Cut(address, "://"); found {
		address = rest
	}
	address, _, _ = strings.Cut(address, "?")
	parts := strings.Split(strings.Trim(path.Clean(address), "/"), "/")
	last := strings.TrimSuffix(parts[len(parts)-1], ".git")
	return path.Join(append(slices.Clone(parts[:min(3, len(parts)-1)]), last)...)
}

// blind says why the files do not show what an owner has applied.
func (o Owner) blind() string {
	if o.Broken != "" {
		return ProblemBuild + ": " + o.Broken
	}
	return o.Unread
}

// danglingIssues are the references that led somewhere, or were not there,
// and now lead nowhere.
func (j *judge) danglingIssues() []Issue {
	had := map[Ref]bool{}
	for _, e := range j.before.Entries {
		had[e.ref()] = true
	}
	var out []Issue
	for _, e := range j.dangling {
		if e.Optional && !had[e.To] || j.kept(e.To) {
			continue
		}
		out = append(out, Issue{Severity: finding.Error, Owner: e.Owner, What: fmt.Sprintf("%s: %s of %s is %s, which "+
			"nothing applies", ProblemDangling, e.Field, e.From, e.To)})
	}
	return out
}

// kept reports whether an object that no file has stays on the cluster.
func (j *judge) kept(r Ref) bool {
	for _, e := range j.before.Entries {
		if e.ref() == r {
			a := j.judge(e.ID).Action
			return a == Kept || a == Adopted || a == Stuck
		}
	}
	return false
}

// operatorGroup is the API group of Flux Operator.
const operatorGroup = "fluxcd.controlplane.io"

// installerIssues are the kinds that come with the HelmRelease that brings
// their CRD: Flux checks all objects of a Flux Kustomization before it
// applies one, so neither ever arrives.
func (j *judge) installerIssues() []Issue {
	kinds := map[ID]bool{}
	for _, e := range j.before.Entries {
		kinds[ID{Group: e.Group, Kind: e.Kind}] = true
	}
	installers := map[Name]bool{}
	for _, e := range j.after.Entries {
		if e.Kind == "HelmRelease" && len(j.before.Find(e.ID)) == 0 {
			installers[e.Owner] = true
		}
	}
	var out []Issue
	for _, e := range j.after.Entries {
		if !installers[e.Owner] || kinds[ID{Group: e.Group, Kind: e.Kind}] || !customGroup(e.Group) || j.definesCRD(e) {
			continue
		}
		severity := finding.Warning
		if e.Group == operatorGroup {
			severity = finding.Error
		}
		out = append(out, Issue{severity, e.Owner, ProblemCRD + ": " + e.ID.String() + " is the first of its kind, " +
			"beside a new HelmRelease", e.File})
	}
	return out
}

// customGroup reports whether a group is neither Kubernetes' own nor Flux's.
func customGroup(group string) bool {
	return strings.Contains(group, ".") && !strings.HasSuffix(group, ".k8s.io") && !strings.HasSuffix(group, fluxGroups)
}

// definesCRD reports whether the repository itself holds the CRD of e's kind.
func (j *judge) definesCRD(e Entry) bool {
	return slices.ContainsFunc(append(slices.Clone(j.before.Entries), j.after.Entries...), func(c Entry) bool {
		return c.Kind == "CustomResourceDefinition" && strings.HasSuffix(c.Name, "."+e.Group)
	})
}
