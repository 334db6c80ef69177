package live

import (
	"slices"
	"time"

	"github.com/Masterminds/semver/v3"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
)

// The phases that a cluster is in.
const (
	Classic   = "classic"    // the classic install runs Flux
	Deploying = "deploying"  // Flux Operator is there, or on its way, and does not own all of Flux
	TakenOver = "taken over" // Flux Operator owns Flux, beside what is left of the classic install
	CleanedUp = "cleaned up" // nothing is left of the classic install
	Gone      = "no Flux"    // no controller of Flux runs
	Unknown   = "unknown"    // the snapshot is of another cluster
)

// The steps that come next.
const (
	Deploy  = "deploy"  // the phase deploy
	Push    = "push"    // let Flux apply what deploy wrote
	Wait    = "wait"    // until the cluster has what Git says
	Cleanup = "cleanup" // the phase cleanup
	Keep    = "keep"    // what the owner does in the place of cleanup
	Done    = "done"    // nothing is left to do
	Restore = "restore" // Git is not what the cluster runs on
	Pull    = "pull"    // Git here is older than the cluster
	Look    = "look"    // at the context of kubectl
)

// Report says how a cluster is, and what comes next.
type Report struct {
	Cluster  string    `json:"cluster"`
	Snapshot string    `json:"snapshot"`
	Context  string    `json:"context"`
	Taken    time.Time `json:"taken,omitzero"`
	Facts    Facts     `json:"facts"`
	Phase    string    `json:"phase"`
	Problems []Problem `json:"problems"`
	// Safe tells that the next step can be taken now.
	Safe bool   `json:"safe"`
	Step string `json:"step"`
	// Next is the step in words.
	Next string `json:"next"`
}

// Verify compares a snapshot with what Git says of its cluster.
func Verify(s Snapshot, w Want, now time.Time) Report {
	facts, checked := factsOf(s, w), check(s, w)
	if why := s.stranger(w); why != "" {
		return Report{Cluster: w.Cluster, Snapshot: s.Name, Context: s.Context, Taken: s.Taken, Facts: facts,
			Phase: Unknown, Problems: []Problem{{true, finding.SnapshotOfAnotherCluster, why}}, Step: Look,
			Next: "take the snapshot of the right cluster; where this is it, let Flux have what Git says of its source first"}
	}
	missing := checked.all()
	if w.Unknown != nil {
		missing = append(missing, Problem{Stops: true, Code: finding.InstanceUnknown,
			Message: "it is not known what Flux Operator generates: " + printable.Line(w.Unknown.Error())})
	}
	d := differ{Snapshot: s, want: w, facts: facts, phase: phaseOf(s, w, facts, checked.takenOver()),
		problems: []Problem{}}
	r := Report{Cluster: w.Cluster, Snapshot: s.Name, Context: s.Context, Taken: s.Taken, Facts: facts,
		Phase: d.phase, Problems: d.all(missing, now)}
	r.Step, r.Next, r.Safe = next(w, d.phase)
	if stopped := slices.ContainsFunc(r.Problems, func(p Problem) bool { return p.Stops }); stopped && r.Safe {
		r.Safe, r.Next = false, "set right what stops it (marked !), take a new snapshot, and look again"
		if r.Step == Deploy || r.Step == Cleanup {
			r.Next += "; do not run " + r.Step + " yet"
		}
	}
	return r
}

// phaseOf is the phase that a cluster is in.
func phaseOf(s Snapshot, w Want, facts Facts, owned bool) string {
	runs := slices.ContainsFunc(facts.Controllers, func(c Controller) bool { return isComponent(c.Name) })
	instance := slices.ContainsFunc(s.Objects, func(o *object.Object) bool {
		return o.Is(classic.OperatorGroup,
			"FluxInstance")
	})
	begun := slices.ContainsFunc(w.Deploys, func(id object.ID) bool { return s.find(id) != nil })
	switch {
	case !runs:
		return Gone
	case owned && w.Classic != nil && s.cleaned(w):
		return CleanedUp
	case owned && (w.Classic != nil || leftover(s)):
		return TakenOver
	case owned:
		return CleanedUp
	case instance && !w.migrates() && !slices.ContainsFunc(facts.Controllers,
		func(c Controller) bool { return isComponent(c.Name) && !c.Owned }):
		return TakenOver
	case instance || w.migrates() && (begun || facts.Operator != ""):
		return Deploying
	}
	return Classic
}

// leftover reports whether a Flux Kustomization still has the controllers in its inventory.
func leftover(s Snapshot) bool {
	return slices.ContainsFunc(s.Objects, func(o *object.Object) bool {
		entries, _ := object.Get[[]any](o.Map(), "status", "inventory", "entries")
		return o.Is(classic.KustomizeGroup, "Kustomization") && slices.ContainsFunc(entries, func(entry any) bool {
			m, _ := entry.(map[string]any)
			return slices.ContainsFunc(components(),
				func(name string) bool { return m["id"] == o.Namespace+"_"+name+"_apps_Deployment" })
		})
	})
}

// cleaned reports whether what applied the classic install has let go of it: its own Flux Kustomization is gone, or the
// one that applies it from Git no longer has it in its inventory.
func (s Snapshot) cleaned(w Want) bool {
	if w.Owner.Name != "" {
		return s.find(w.Owner) == nil
	}
	return w.Listed && !leftover(s)
}

// release is the release that runs, nil where that is none.
func (f Facts) release() *semver.Version {
	v, err := semver.NewVersion(f.Release)
	if err != nil {
		return nil
	}
	return v
}

// next is the step that comes next in a phase, in a word and in a sentence, and whether it can be taken where nothing
// stops it.
func next(w Want, phase string) (step, words string, safe bool) {
	switch {
	case phase == Gone:
		return Restore, "no controller of Flux runs here, so nothing is applied: is this the right cluster? If it " +
			"is, bring Flux back first", false
	case w.Classic == nil && phase == CleanedUp:
		return Done, "nothing: the migration is done", true
	case w.Classic == nil && phase == TakenOver:
		return Wait, "wait until Flux has applied the commit of cleanup, and look again", false
	case w.Classic == nil:
		return Restore, "Git has no classic install any more, and the cluster still needs it: do not push that, or " +
			"revert it before Flux applies it", false
	case !w.migrates() && phase == Classic:
		return Deploy, "the phase deploy", true
	case !w.migrates():
		return Restore, "Git has no FluxInstance, and the cluster has one: pull, or bring its file back, before " +
			"anything else", false
	case phase == Classic:
		return Push, "push the commit of deploy where that is not done, let Flux apply it, and look again; it is " +
			"too early for cleanup", false
	case phase == Deploying:
		return Wait, "wait until Flux Operator owns Flux, and look again; it is too early for cleanup", false
	case phase == CleanedUp:
		return Pull, "git pull: the classic install is no longer on the cluster, and the files here still have it",
			false
	case w.KeepReason != "":
		return Keep, w.KeepReason, true
	}
	return Cleanup, "the phase cleanup", true
}

// Stopped are the problems that make the next step unsafe.
func (r Report) Stopped() []string {
	var all []string
	for _, p := range r.Problems {
		if p.Stops {
			all = append(all, p.Message)
		}
	}
	return all
}
