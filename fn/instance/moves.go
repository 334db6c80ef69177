package instance

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/fields"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// Move says what becomes of one field of the classic install: for a person who reviews the migration.
type Move struct {
	// Object, File and Index are where the field stands; File is that of a patch file where there is one.
	Object object.ID `json:"object"`
	File   string    `json:"file,omitempty"`
	Index  int       `json:"index,omitempty"`
	Field  string    `json:"field"`
	// Value is the value in short; a list, a text of several lines and what could be confidential are not spelled out.
	Value string `json:"value,omitempty"`
	// To is the field of the FluxInstance, empty where the field is dropped.
	To string `json:"to,omitempty"`
	// Why is the reason to drop the field, or to say it in another way.
	Why string `json:"why,omitempty"`
}

// Moves account for everything that the classic install says, in the order in which a person reads it.
func (p *Plan) Moves() []Move {
	return slices.Concat(p.installMoves(), p.patchMoves(), p.droppedMoves(), p.pairMoves())
}

// moveOf is the account of a field of an object.
func moveOf(o *object.Object, field string) Move {
	return Move{Object: o.ID, File: o.File, Index: o.Index, Field: field}
}

// installMoves are the release, the components and the flags of `flux install`.
func (p *Plan) installMoves() []Move {
	o, defaults := p.Install.Options, flux.DefaultOptions(p.Install.Options.Version)
	var moves []Move
	add := func(what, value, to, why string) {
		move := moveOf(p.Install.Anchor, what)
		move.Value, move.To, move.Why = value, to, why
		moves = append(moves, move)
	}
	add("version", p.Install.Version.String(), "spec.distribution.version", p.versionReason())
	add("components", strings.Join(o.Components, ", "), "spec.components", "")
	add("registry", o.Registry, "spec.distribution.registry", "")
	add("network policies", yesOrNo(o.NetworkPolicy), "spec.cluster.networkPolicy", "")
	if o.ImagePullSecret != "" {
		add("image pull secret", o.ImagePullSecret, "spec.distribution.imagePullSecret", "")
	}
	if o.Domain != defaults.Domain && o.Domain != "" {
		add("cluster domain", o.Domain, "spec.cluster.domain", "")
	}
	return moves
}

// versionReason says how the version of the FluxInstance differs from the one that runs.
func (p *Plan) versionReason() string {
	if p.Version == p.Install.Version.String() {
		return "as it is"
	}
	return fmt.Sprintf("%s, which means Flux %s today", p.Version, p.Target)
}

func yesOrNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// patchMoves say where each patch of the owner went, and which patches say what else the install has.
func (p *Plan) patchMoves() []Move {
	var moves []Move
	var seen []classic.Patch
	for _, patch := range p.Install.Patches {
		if slices.ContainsFunc(seen, func(s classic.Patch) bool { return sameOrigin(s, patch) }) {
			continue
		}
		seen = append(seen, patch)
		moves = append(moves, p.patchMove(patch))
	}
	for i, patch := range p.draft.patches {
		if patch.Object == nil {
			move := moveOf(p.Install.Anchor, "rendered: "+patch.Field)
			move.To, move.Why = patchField(i), "no field of a FluxInstance says it"
			moves = append(moves, move)
		}
	}
	return moves
}

func patchField(n int) string { return fmt.Sprintf("spec.kustomize.patches[%d]", n) }

// patchMove is what became of one entry of the owner's, which may be several patches now, or a field.
func (p *Plan) patchMove(patch classic.Patch) Move {
	move := moveOf(patch.Object, patch.Field)
	if patch.File != "" {
		move.File, move.Index = patch.File, 0
	}
	move.Value = "on " + oneLine(patch.Target)
	var to []string
	for i, carried := range p.draft.patches {
		if sameOrigin(carried, patch) {
			to = append(to, patchField(i))
			move.Why = changed(patch, carried)
		}
	}
	for _, r := range p.draft.replaced {
		if sameOrigin(r.patch, patch) && !slices.Contains(to, r.field) {
			to = append(to, r.field)
			move.Why = "the field says what the patch did"
		}
	}
	for _, left := range p.left {
		if sameOrigin(left.patch, patch) {
			move.Why = left.why
		}
	}
	move.To = strings.Join(to, ", ")
	return move
}

// changed says in which way a patch was carried over.
func changed(was, is classic.Patch) string {
	switch {
	case was.Body != is.Body:
		return "only what no field says"
	case !maps.EqualFunc(was.Target, is.Target, func(a, b any) bool { return a == b }):
		return "with a target that selects the same objects under Flux Operator"
	default:
		return "as it is"
	}
}

// droppedMoves are the fields of the install's own object that have no counterpart.
func (p *Plan) droppedMoves() []Move {
	var moves []Move
	for _, leaf := range p.Install.Dropped {
		if keys := fields.Split(leaf.Path); keys[0] == "spec" {
			moves = append(moves, leafMove(p.Install.Anchor, leaf))
		}
	}
	return moves
}

// leafMove is the account of one leaf.
func leafMove(o *object.Object, leaf fields.Leaf) Move {
	move := moveOf(o, leaf.Path)
	move.Value, move.Why = short(leaf), leaf.Why
	return move
}

// pairMoves account for the sync pair, whose every field is moved, restated or dropped for a reason.
func (p *Plan) pairMoves() []Move {
	pair := p.Install.Pair
	if p.Config.Sync.Mode == config.Keep {
		source, root := moveOf(pair.Source, "all"), moveOf(pair.Root, "all")
		source.Why, root.Why = "stays in Git as it is", "stays in Git as it is"
		return []Move{source, root}
	}
	at := len(p.draft.patches)
	moves := p.accountOf(pair.Source, p.Sync.Source, p.Sync.sourceMap, renderedSource, at)
	if len(p.Sync.Patches) > 1 {
		at++
	}
	return append(moves, p.accountOf(pair.Root, p.Sync.Root, p.Sync.rootMap, renderedRoot, at)...)
}

// accountOf lists the fields of an object of the pair; patch is the number of the patch that restates them.
func (p *Plan) accountOf(o *object.Object, moved fields.Moved, content, rendered map[string]any, patch int) []Move {
	var moves []Move
	add := func(leaf fields.Leaf, to, why string) {
		move := leafMove(o, leaf)
		move.To = to
		if why != "" {
			move.Why = why
		}
		moves = append(moves, move)
	}
	for _, leaf := range moved.To {
		switch {
		case leaf.To == "path" && p.Config.Sync.Path != "":
			leaf.Value = p.Install.Pair.LiveRoot.Str("spec", "path")
			add(leaf, "spec.sync.path", fmt.Sprintf("moved to %v, as the config field sync.path says",
				p.Sync.Spec["path"]))
		case leaf.To == "name" && o == p.Install.Pair.Root &&
			p.Install.Pair.LiveRoot.Name != p.Install.Pair.LiveSource.Name:
			add(leaf, patchField(patch)+" /metadata/name", "Flux Operator would name it as the source")
		case leaf.To != "kind" || o == p.Install.Pair.Source:
			add(leaf, "spec.sync."+leaf.To, "")
		}
	}
	for _, leaf := range withUnknown(moved, content) {
		if was, isRendered := rendered[leaf.Path]; isRendered && was != nil && sameValue(was, leaf.Value) {
			add(leaf, "spec.sync", "Flux Operator writes the same")
			continue
		}
		to, why := patchField(patch)+" "+pointer(leaf.Path), "restated, because spec.sync cannot say it"
		if leaf.Path == "spec.ref" {
			to, why = "spec.sync.ref, "+to, "restated, because spec.sync.ref cannot say it exactly"
		}
		add(leaf, to, why)
	}
	for _, leaf := range moved.Dropped {
		if strings.HasPrefix(leaf.Path, "spec.") || strings.HasPrefix(leaf.Path, "metadata.annotations") {
			add(leaf, "", "")
		}
	}
	return moves
}

// short is the value of a leaf on one line. Substitutions may hold what nobody wants in a pull request.
func short(leaf fields.Leaf) string {
	if strings.HasPrefix(leaf.Path, "spec.postBuild") {
		return ""
	}
	switch v := leaf.Value.(type) {
	case string:
		return shortText(v)
	case []any:
		return fmt.Sprintf("%d entries", len(v))
	case map[string]any:
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, key+": "+short(fields.Leaf{Value: v[key]}))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		return fmt.Sprint(v)
	}
}

// shortText cuts a text to its first line and takes the password out of an address.
func shortText(text string) string {
	first, more, _ := strings.Cut(strings.TrimSuffix(text, "\n"), "\n")
	if more != "" {
		return fmt.Sprintf("%d lines", 1+strings.Count(text, "\n"))
	}
	if u, err := url.Parse(first); err == nil && u.User != nil {
		if _, has := u.User.Password(); has {
			u.User = url.User(u.User.Username())
			return u.String()
		}
	}
	return first
}
