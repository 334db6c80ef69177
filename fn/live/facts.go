package live

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/Masterminds/semver/v3"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
)

// Facts are what a snapshot shows of a cluster.
type Facts struct {
	// Release is the release of Flux whose controllers run; empty where they are of no one release.
	Release string `json:"release"`
	// Distribution is the release that the controllers are labelled with.
	Distribution string `json:"distribution"`
	// Operator is the version of Flux Operator; empty where it does not run.
	Operator       string          `json:"operator"`
	Controllers    []Controller    `json:"controllers"`
	Sources        []Source        `json:"sources"`
	Kustomizations []Kustomization `json:"kustomizations"`
	HelmReleases   Releases        `json:"helmReleases"`
	Needs          []Need          `json:"needs"`
}

// State is whether an object is ready.
type State struct {
	Ready     bool `json:"ready"`
	Suspended bool `json:"suspended,omitempty"`
	// Reason is a word for why it is not ready. What else its condition says may hold what is secret, and is not kept.
	Reason string `json:"reason,omitempty"`
}

// Controller is a Deployment of Flux or of Flux Operator.
type Controller struct {
	Name  string `json:"name"`
	Image string `json:"image"`
	State
	// Owned tells that it is Flux Operator's.
	Owned bool `json:"owned"`
}

// Source is where a cluster syncs from.
type Source struct {
	ID       object.ID `json:"id"`
	URL      string    `json:"url"`
	Revision string    `json:"revision"`
	State
}

// Kustomization is a Flux Kustomization.
type Kustomization struct {
	ID       object.ID `json:"id"`
	Path     string    `json:"path"`
	Revision string    `json:"revision"`
	// Objects is the size of its inventory.
	Objects int `json:"objects"`
	State
}

// Releases are the HelmReleases of a cluster.
type Releases struct {
	All      int       `json:"all"`
	NotReady []Release `json:"notReady"`
}

// Release is a HelmRelease.
type Release struct {
	ID object.ID `json:"id"`
	State
}

// Need is a Secret or a ConfigMap that has to be there.
type Need struct {
	ID       object.ID `json:"id"`
	Present  bool      `json:"present"`
	Optional bool      `json:"optional,omitempty"`
	// Where says where it comes from.
	Where string `json:"where"`
}

// operatorName is the name of Flux Operator's Deployment.
const operatorName = "flux-operator"

// factsOf looks at a snapshot of a cluster.
func factsOf(s Snapshot, w Want) Facts {
	facts := Facts{Controllers: []Controller{}, Sources: []Source{}, Kustomizations: []Kustomization{},
		HelmReleases: Releases{NotReady: []Release{}}, Needs: []Need{}}
	for _, o := range s.Objects {
		switch {
		case o.Is("apps", "Deployment") && o.Namespace == w.Namespace && isFlux(o):
			facts.addController(o)
		case o.Group() == classic.SourceGroup && slices.Contains(sources, o.Kind):
			facts.Sources = append(facts.Sources, Source{o.ID, addressOf(o), o.Str("status", "artifact", "revision"),
				stateOf(o)})
		case o.Is(classic.KustomizeGroup, "Kustomization"):
			entries, _ := object.Get[[]any](o.Map(), "status", "inventory", "entries")
			facts.Kustomizations = append(facts.Kustomizations,
				Kustomization{o.ID, o.Str("spec", "path"), o.Str("status", "lastAppliedRevision"), len(entries),
					stateOf(o)})
		case o.Is(classic.HelmGroup, "HelmRelease"):
			facts.addRelease(o)
		}
	}
	facts.Release = releaseOf(facts.Controllers, facts.Distribution)
	for _, need := range w.Needs {
		if !slices.ContainsFunc(facts.Needs, func(n Need) bool { return n.ID.Same(need.ID) }) {
			facts.Needs = append(facts.Needs, s.need(need))
		}
	}
	by := func(a, b object.ID) int { return cmp.Compare(a.String(), b.String()) }
	slices.SortFunc(facts.Controllers, func(a, b Controller) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(facts.Sources, func(a, b Source) int { return by(a.ID, b.ID) })
	slices.SortFunc(facts.Kustomizations, func(a, b Kustomization) int { return by(a.ID, b.ID) })
	slices.SortFunc(facts.HelmReleases.NotReady, func(a, b Release) int { return by(a.ID, b.ID) })
	return facts
}

// need looks for a Secret or a ConfigMap.
func (s Snapshot) need(r instance.Requirement) Need {
	present := slices.ContainsFunc(s.Names, func(id object.ID) bool { return id.Same(r.ID) })
	return Need{r.ID, present, r.Optional, r.Where()}
}

// isFlux reports whether a Deployment is one of Flux's, or Flux Operator's.
func isFlux(o *object.Object) bool {
	part, _ := object.Get[string](o.Map(), "metadata", "labels", "app.kubernetes.io/part-of")
	return part == "flux" || isComponent(o.Name) || o.Name == operatorName
}

// isComponent reports whether a Deployment has the name of a controller of Flux.
func isComponent(name string) bool { return slices.Contains(components(), name) }

// components are the controllers of the newest Flux.
var components = sync.OnceValue(func() []string {
	releases := flux.Releases()
	return slices.Sorted(maps.Keys(flux.Controllers(releases[len(releases)-1].Original())))
})

// addController adds a Deployment.
func (f *Facts) addController(o *object.Object) {
	image := imageOf(o.Map())
	labels, _ := object.Get[map[string]any](o.Map(), "metadata", "labels")
	f.Controllers = append(f.Controllers, Controller{o.Name, image, deployed(o), ownedBy(o) != ""})
	version, _ := labels["app.kubernetes.io/version"].(string)
	switch {
	case o.Name == operatorName:
		f.Operator = cmp.Or(classic.TagOf(image), version, "of no version")
	case isComponent(o.Name) && version != "":
		f.Distribution = version
	}
}

// imageOf is the image of the container of a controller.
func imageOf(deployment map[string]any) string {
	containers, _ := object.Get[[]any](deployment, "spec", "template", "spec", "containers")
	image := ""
	for _, entry := range containers {
		container, _ := entry.(map[string]any)
		if image == "" || container["name"] == "manager" {
			image, _ = container["image"].(string)
		}
	}
	return image
}

// deployed is whether all that a Deployment asks for runs.
func deployed(o *object.Object) State {
	wanted := 1.0
	if _, set := object.Get[any](o.Map(), "spec", "replicas"); set {
		wanted = number(o.Map(), "spec", "replicas")
	}
	ready := min(number(o.Map(), "status", "readyReplicas"), number(o.Map(), "status", "updatedReplicas"))
	switch {
	case wanted == 0:
		return State{Reason: "scaled to 0"}
	case number(o.Map(), "status", "observedGeneration") < number(o.Map(), "metadata", "generation"):
		return State{Reason: "changes right now"}
	case ready < wanted:
		return State{Reason: fmt.Sprintf("%v of %v", ready, wanted)}
	}
	return State{Ready: true}
}

// releaseOf is the release of Flux that ships all of these controllers: the one that they are labelled with, or the
// newest.
func releaseOf(controllers []Controller, label string) string {
	var common []*semver.Version
	for n, c := range slices.DeleteFunc(slices.Clone(controllers),
		func(c Controller) bool { return !isComponent(c.Name) }) {
		ship := flux.ByController(c.Name, classic.TagOf(c.Image))
		if n == 0 {
			common = ship
		}
		common = slices.DeleteFunc(common, func(v *semver.Version) bool { return !slices.ContainsFunc(ship, v.Equal) })
	}
	release := ""
	for _, v := range common {
		if release = v.String(); release == strings.TrimPrefix(label, "v") {
			break
		}
	}
	return release
}

// stateOf is what the condition Ready of an object says of it as it is now.
func stateOf(o *object.Object) State {
	state := State{Reason: "no condition"}
	state.Suspended, _ = object.Get[bool](o.Map(), "spec", "suspend")
	conditions, _ := object.Get[[]any](o.Map(), "status", "conditions")
	for _, entry := range conditions {
		condition, _ := entry.(map[string]any)
		if condition["type"] != "Ready" {
			continue
		}
		observed, generation := number(condition, "observedGeneration"), number(o.Map(), "metadata", "generation")
		state.Reason = word(condition["reason"])
		switch {
		case o.Str("metadata", "deletionTimestamp") != "":
			state.Reason = "is being deleted"
		case condition["status"] == "True" && observed != 0 && observed < generation:
			state.Reason = "changed since"
		case condition["status"] == "True":
			state.Ready, state.Reason = true, ""
		}
	}
	return state
}

// word is the reason of a condition, which is one word.
func word(reason any) string {
	text, _ := reason.(string)
	if !oneWord.MatchString(text) {
		return "no reason"
	}
	return text
}

var oneWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,100}$`)

// addRelease adds a HelmRelease.
func (f *Facts) addRelease(o *object.Object) {
	f.HelmReleases.All++
	if state := stateOf(o); !state.Ready || state.Suspended {
		f.HelmReleases.NotReady = append(f.HelmReleases.NotReady, Release{o.ID, state})
	}
}

// addressOf is where a source fetches from, without credentials.
func addressOf(o *object.Object) string {
	at := cmp.Or(o.Str("spec", "url"), o.Str("spec", "endpoint"))
	if bucket := o.Str("spec", "bucketName"); bucket != "" {
		at += "/" + bucket
	}
	return inventory.WithoutCredentials(at)
}

// ownedBy is the FluxInstance that an object is labelled with, empty for none.
func ownedBy(o *object.Object) string {
	name, _ := object.Get[string](o.Map(), "metadata", "labels", nameLabel)
	return name
}
