package inventory

import (
	"cmp"
	"encoding/json"
	"net/url"
	"path"
	"strings"
)

// SourceAbsent ends what is said of a source that the repository does not define.
const SourceAbsent = ", which is not in the repository"

// source returns the files that o reads, or says on o why there are none.
func (r *round) source(o *Owner) *snapshot {
	source, ours := r.resolve(o.Source)
	if !ours {
		o.Unread = "reads " + o.Source.String()
		if source == nil {
			o.Unread += SourceAbsent
		}
		return nil
	}
	r.includes(o, source)
	return r.artifact(source)
}

// includes notes the files of other repositories that the source puts where o
// reads.
func (r *round) includes(o *Owner, source map[string]any) {
	for _, include := range list(source, "spec", "include") {
		name := str(include, "repository", "name")
		to := path.Clean(cmp.Or(str(include, "toPath"), name))
		if within(to, o.Path) || within(o.Path, to) {
			r.note(o.Name, OpaqueSource, "files of GitRepository "+name+", which "+o.Source.String()+" includes")
		}
	}
}

// within reports whether a path is dir or below it.
func within(p, dir string) bool { return dir == "." || p == dir || strings.HasPrefix(p, dir+"/") }

// artifact returns the tree as a source packs it.
func (w *walk) artifact(source map[string]any) *snapshot {
	spec := dig(source, "spec")
	var ignore *string
	if text, ok := spec["ignore"].(string); ok {
		ignore = &text
	}
	sparse := texts(spec["sparseCheckout"])
	inputs, _ := json.Marshal([]any{ignore, sparse}) // strings can be written
	if _, ok := w.files.artifacts[string(inputs)]; !ok {
		w.files.artifacts[string(inputs)] = w.files.sparse(sparse).artifact(ignore, w.renderer.ignored)
	}
	return w.files.artifacts[string(inputs)]
}

// texts returns the strings in a list.
func texts(v any) []string {
	var out []string
	items, _ := v.([]any)
	for _, item := range items {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// resolve finds a source and says whether it is this repository: the source
// of a root, or one with the same address at the same ref.
func (w *walk) resolve(ref Ref) (map[string]any, bool) {
	source := w.known(ref)
	ours := w.assumed[ref]
	for _, root := range w.roots {
		of := refOf(dig(root.Kustomization, "spec", "sourceRef"), str(root.Kustomization, "metadata", "namespace"))
		given := root.Source
		if live := w.known(of); live != nil {
			given = live
		}
		if of == ref {
			return given, true
		}
		if source == nil && given != nil && ref == (Ref{str(given, "kind"), str(given, "metadata", "namespace"),
			str(given, "metadata", "name")}) {
			source = given
		}
		ours = ours || source != nil && given != nil && location(source) == location(given)
	}
	return source, ours
}

// known returns a source that the repository defines, or did until now.
func (w *walk) known(ref Ref) map[string]any {
	if source, ok := w.found.sources[ref]; ok {
		return source
	}
	return w.live.sources[ref]
}

// location is what a source fetches, in one spelling.
func location(source map[string]any) string {
	spec := dig(source, "spec")
	address := str(spec, "url") + str(spec, "endpoint")
	return strings.Join([]string{str(source, "kind"), canonical(address), str(spec, "bucketName"),
		revision(str(source, "kind"), dig(spec, "ref"))}, " ")
}

// canonical spells a repository's URL without scheme, user and suffix.
func canonical(s string) string {
	if u, err := url.Parse(s); err == nil && u.Host != "" {
		s = u.Hostname() + u.Path
	} else if _, rest, ok := strings.Cut(s, "@"); ok {
		s = strings.Replace(rest, ":", "/", 1)
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(s, "/"), ".git"))
}

// revision spells a ref, by the order in which source-controller looks at it.
func revision(kind string, ref map[string]any) string {
	switch {
	case str(ref, "commit") != "":
		return str(ref, "commit")
	case str(ref, "digest") != "":
		return str(ref, "digest")
	case str(ref, "name") != "":
		return str(ref, "name")
	case str(ref, "semver") != "":
		return "semver " + str(ref, "semver")
	case str(ref, "tag") != "":
		return "refs/tags/" + str(ref, "tag")
	case str(ref, "branch") != "":
		return "refs/heads/" + str(ref, "branch")
	case kind == "GitRepository":
		return "refs/heads/master"
	}
	return "refs/tags/latest"
}
