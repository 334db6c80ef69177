package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/printable"
)

// maxNamed is how many of a cycle are named.
const maxNamed = 8

// waiting is who waits for whom before it applies anything, or before it is
// ready.
type waiting map[Ref]map[Ref]bool

// add notes that one object waits for another.
func (w waiting) add(from, to Ref) {
	if w[from] == nil {
		w[from] = map[Ref]bool{}
	}
	w[from][to] = true
}

// cycles reports the Flux Kustomizations and HelmReleases that wait for
// themselves. Each is named once, in the shortest cycle that it is part of.
func (r *round) cycles() {
	w := r.waiting()
	w.prune()
	named := map[Ref]bool{}
	for _, start := range slices.SortedFunc(maps.Keys(w), Ref.compare) {
		if named[start] {
			continue
		}
		if cycle := w.cycle(start); cycle != nil {
			for _, ref := range cycle {
				named[ref] = true
			}
			r.inv.Problems = append(r.inv.Problems, r.cycleProblem(cycle))
		}
	}
}

// cycleProblem is filed under whoever applies the first of the cycle.
func (r *round) cycleProblem(cycle []Ref) Problem {
	what := cycle[0].String() + " waits for "
	for i, ref := range cycle[1:] {
		if i == maxNamed {
			what += fmt.Sprintf("%d more in turn, the last of which waits for ", len(cycle)-1-i)
			break
		}
		what += ref.String() + ", which waits for "
	}
	what += cycle[0].String() + " (dependsOn, wait or healthChecks): none of them is ever ready; take one of these out"
	p := Problem{Kind: ProblemCycle, What: printable.Line(what)}
	for _, e := range r.inv.Entries {
		if e.waitedFor() && e.ref() == cycle[0] {
			p.Owner, p.File, p.Object = e.Owner, e.File, e.ID
		}
	}
	return p
}

// waiting collects the references by which one waits for another, as far as
// that is certain.
func (r *round) waiting() waiting {
	w, there := waiting{}, map[Ref]bool{}
	for _, o := range r.inv.Owners {
		there[o.ref()] = true
	}
	for _, e := range r.inv.Entries {
		there[e.ref()] = there[e.ref()] || e.waitedFor()
	}
	for _, e := range r.inv.Edges {
		if e.waits && there[e.From] && there[e.To] {
			w.add(e.From, e.To)
		}
	}
	for _, e := range r.inv.Entries {
		i, ok := r.inv.index[e.Owner]
		if ok && e.waitedFor() && r.inv.Owners[i].waitsForAll() && r.inv.Owners[i].ref() != e.ref() {
			w.add(r.inv.Owners[i].ref(), e.ref())
		}
	}
	return w
}

// waitsForAll reports whether a Flux Kustomization is ready only when everything
// else that it applies is.
func (o Owner) waitsForAll() bool { return boolean(o.object, "spec", "wait") && !o.Suspend }

// waitedFor reports whether the entry is a Flux object that may wait in turn.
func (e Entry) waitedFor() bool {
	return (e.Kind == "Kustomization" || e.Kind == "HelmRelease") && strings.HasSuffix(e.Group, fluxGroups) &&
		e.Cluster == "" && !e.Unknown
}

// prune takes out what waits for nothing that waits, again and again: what
// remains is a cycle, or waits for one.
func (w waiting) prune() {
	waiters := waiting{}
	var ready []Ref
	for from, tos := range w {
		for to := range tos {
			waiters.add(to, from)
		}
	}
	for to := range waiters {
		if len(w[to]) == 0 {
			ready = append(ready, to)
		}
	}
	for ; len(ready) > 0; ready = ready[1:] {
		for from := range waiters[ready[0]] {
			if delete(w[from], ready[0]); w[from] != nil && len(w[from]) == 0 {
				delete(w, from)
				ready = append(ready, from)
			}
		}
	}
}

// cycle is the shortest way from start back to itself, the first of its
// objects first; nothing if there is none.
func (w waiting) cycle(start Ref) []Ref {
	came := map[Ref]Ref{}
	for queue := []Ref{start}; len(queue) > 0; queue = queue[1:] {
		for _, to := range slices.SortedFunc(maps.Keys(w[queue[0]]), Ref.compare) {
			if _, ok := came[to]; ok {
				continue
			}
			if came[to] = queue[0]; to == start {
				return way(came, start)
			}
			queue = append(queue, to)
		}
	}
	return nil
}

// way follows the steps of a cycle, wherever the search started.
func way(came map[Ref]Ref, start Ref) []Ref {
	out := []Ref{start}
	for at := came[start]; at != start; at = came[at] {
		out = append(out, at)
	}
	slices.Reverse(out)
	first := slices.Index(out, slices.MinFunc(out, Ref.compare))
	return slices.Concat(out[first:], out[:first])
}
