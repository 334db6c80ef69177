package command

import (
	"bytes"
	"cmp"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/object"
)

// style is how the files of a repository look, so that new ones look the same.
type style struct {
	// marked says that files start with ---.
	marked bool
	// separator stands between two documents.
	separator string
	// schemas is the address before <group>/<kind>_<version>.json in the comments for editors, empty when there are
	// none.
	schemas string
	// kustomizationSchema is the whole comment that kustomization.yaml files carry.
	kustomizationSchema string
	// renovate is the comment by which Renovate finds the version of Flux, empty where the repository has no such
	// comments.
	renovate string
	newline  string
}

// schemaComment is the comment by which editors find the schema of a custom resource.
var schemaComment = regexp.MustCompile(`(?m)^# yaml-language-server: \$schema=` +
	`(\S+/)[a-z0-9.-]+\.[a-z0-9.-]+/[a-z]+_v[a-z0-9]+\.json\s*$`)

// anySchema is that comment, for whatever schema.
var anySchema = regexp.MustCompile(`(?m)^# yaml-language-server: \$schema=\S+`)

// style looks at the files beside the installs: those that define Flux objects and kustomization.yaml files.
func (r *repository) style() style {
	var files, marked, crlf int
	schemas, kustomizations := map[string]int{}, map[string]int{}
	var fluxFiles, kustomizationFiles int
	for _, file := range r.tree.Files() {
		if !r.isNeighbour(file) {
			continue
		}
		raw, err := r.tree.ReadFile(file)
		if err != nil {
			continue
		}
		files++
		if bytes.HasPrefix(raw, []byte("---")) {
			marked++
		}
		if bytes.Contains(raw, []byte("\r\n")) {
			crlf++
		}
		if isKustomizationFile(file) {
			kustomizationFiles++
			kustomizations[string(anySchema.Find(raw))]++
		} else {
			fluxFiles++
			for _, found := range schemaComment.FindAllSubmatch(raw, 1) {
				schemas[string(found[1])]++
			}
		}
	}
	s := style{marked: 2*marked > files, separator: "---\n", newline: "\n", renovate: r.renovate()}
	if 2*crlf > files {
		s.newline = "\r\n"
	}
	if prefix, count := commonest(schemas); 2*count > fluxFiles {
		s.schemas = prefix
	}
	if comment, count := commonest(kustomizations); 2*count > kustomizationFiles {
		s.kustomizationSchema = comment
	}
	return s
}

// isNeighbour reports whether a file defines something of Flux or is a kustomization.yaml.
func (r *repository) isNeighbour(file string) bool {
	if isKustomizationFile(file) {
		return true
	}
	return slices.ContainsFunc(r.set.InFile(file), func(o *object.Object) bool {
		return o.Group() == classic.KustomizeGroup || o.Group() == classic.SourceGroup
	})
}

func commonest(counts map[string]int) (string, int) {
	keys := slices.SortedFunc(maps.Keys(counts),
		func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	if len(keys) == 0 {
		return "", 0
	}
	return keys[0], counts[keys[0]]
}

// document is the text of a new object, as the first of its file or a later one.
func (s style) document(o *object.Object, first bool) []byte {
	var out strings.Builder
	if first && s.marked {
		out.WriteString("---\n")
	}
	if comment := s.schema(o); comment != "" {
		out.WriteString(comment + "\n")
	}
	out.WriteString(s.annotated(o.Text()))
	return []byte(strings.ReplaceAll(out.String(), "\n", s.newline))
}

// schema is the comment for editors, where the repository has such comments.
func (s style) schema(o *object.Object) string {
	if o.Is(classic.ConfigGroup, "Kustomization") {
		return s.kustomizationSchema
	}
	if s.schemas == "" {
		return ""
	}
	return "# yaml-language-server: $schema=" + s.schemas +
		path.Join(o.Group(), strings.ToLower(o.Kind)+"_"+o.Version()+".json")
}
