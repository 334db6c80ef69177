package checkout

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"migrate-to-flux-operator/fn/checkout/split"
	"migrate-to-flux-operator/fn/limit"
)

// secrecy is whether a line may be shown. Of a text that no parser reads nobody knows: it is shown where it changes,
// and not around a change.
type secrecy int

const (
	shown secrecy = iota
	unknown
	secret
)

// secrets are the lines of a file, counted from 1, that hold the values of a Secret, of a generator, or of what SOPS
// has encrypted.
type secrets map[int]secrecy

// hide makes lines at least as secret as that.
func (s secrets) hide(from, to int, how secrecy) {
	for line := from; line <= to; line++ {
		s[line] = max(s[line], how)
	}
}

// secretsOf looks for secrets in the documents of a file.
func secretsOf(file []byte) secrets {
	all := secrets{}
	for _, doc := range split.Split(file) {
		start, body := 1+bytes.Count(file[:doc.Start], []byte("\n")), 1+bytes.Count(file[:doc.Body], []byte("\n"))
		v := veilOf(file[doc.Body:doc.End])
		if v.whole == shown && len(v.lines) > 0 && hasOtherBreaks.Match(doc.Bytes(file)) {
			v.whole, v.lines = secret, nil // the parser counts other lines
		}
		for line, how := range v.lines {
			all.hide(body+line-1, body+line-1, how)
		}
		if v.whole == shown {
			continue
		}
		for text := range bytes.Lines(doc.Bytes(file)) {
			if !harmless.Match(bytes.TrimRight(text, "\r\n")) {
				all.hide(start, start, v.whole)
			}
			start++
		}
	}
	return all
}

// hasOtherBreaks finds what ends a line in YAML, and does not elsewhere.
var hasOtherBreaks = regexp.MustCompile("\r[^\n]|\u0085|\u2028|\u2029")

// harmless are the lines of a Secret that hold no value: the start of its document, and what it is.
var harmless = regexp.MustCompile(`^(---|\s*|apiVersion: *[\w./]+|kind: *\w+|(metadata|data|stringData):)$`)

// veil is what is secret in a document: all of it, or lines.
type veil struct {
	whole secrecy
	lines secrets
	ends  map[*yaml.Node]int // the last line of each node
}

// veilOf looks at what a parser makes of a document.
func veilOf(text []byte) veil {
	v := veil{lines: secrets{}, ends: map[*yaml.Node]int{}}
	if !mayHold.Match(text) {
		return v
	}
	var document yaml.Node
	if limit.Check(text) != nil || yaml.Unmarshal(text, &document) != nil {
		v.whole = unknown
		return v
	}
	for _, root := range document.Content {
		v.measure(root, 1+bytes.Count(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")))
		if v.whole = secrecyOf(root); v.whole == shown {
			v.look(root)
		}
	}
	return v
}

// mayHold finds what a text with secrets in it has, however it is written: an escape or a tag can spell the rest.
var mayHold = regexp.MustCompile(`Secret|sops|Generator|stringData|target|[\\!]`)

// measure notes where each node ends: before the next one begins.
func (v *veil) measure(n *yaml.Node, end int) {
	v.ends[n] = max(end, n.Line)
	for i, child := range n.Content {
		to := end
		if i+1 < len(n.Content) {
			if to = n.Content[i+1].Line; n.Style&yaml.FlowStyle == 0 {
				to--
			}
		}
		v.measure(child, to)
	}
}

// hide hides a node, and the anchors of its aliases.
func (v *veil) hide(n *yaml.Node, how secrecy) {
	v.lines.hide(n.Line, v.ends[n], how)
	for _, child := range n.Content {
		v.hide(child, how)
	}
	if n.Kind == yaml.AliasNode && v.lines[n.Alias.Line] < how { // which is met once
		v.hide(n.Alias, how)
	}
}

// look goes through what is not secret as a whole.
func (v *veil) look(n *yaml.Node) {
	for i, child := range n.Content {
		how := secrecyOf(child)
		if n.Kind == yaml.MappingNode && i%2 == 1 && slices.Contains(secretFields, textOf(n.Content[i-1])) {
			how = secret
		}
		if how == shown {
			v.look(child)
		} else {
			v.hide(child, how)
		}
	}
}

// secretFields hold secrets wherever they are, and secretKinds are objects, and plugins of kustomize, that do.
var (
	secretFields = []string{"secretGenerator", "configMapGenerator", "stringData"}
	secretKinds  = []string{"Secret", "SecretList", "SecretGenerator", "ConfigMapGenerator"}
)

// secrecyOf tells a Secret, what SOPS has encrypted, a patch of a Secret, and a text that spells one of them.
func secrecyOf(n *yaml.Node) secrecy {
	switch n.Kind {
	case yaml.ScalarNode:
		return ofText(n.Value)
	case yaml.MappingNode:
		for _, kind := range valuesOf(n, "kind") {
			if mayNameSecrets(kind) && !refers(n) {
				return secret
			}
		}
		if len(valuesOf(n, "sops")) > 0 {
			return secret
		}
		for _, patch := range valuesOf(n, "patch") {
			if how := ofPatch(patch, valuesOf(n, "target")); how != shown {
				return how
			}
		}
	}
	return shown
}

// mayNameSecrets reports whether a kind is one that holds secrets. A tag can spell it in another way, as !!binary does;
// a mapping is no kind: the schema of a CRD describes its field of that name.
func mayNameSecrets(kind *yaml.Node) bool {
	return kind.Kind == yaml.ScalarNode && (kind.ShortTag() != "!!str" || slices.Contains(secretKinds, kind.Value))
}

// references are the fields of what names a Secret, or selects Secrets.
var references = []string{"apiVersion", "group", "version", "kind", "name", "namespace", "labelSelector",
	"annotationSelector", "fieldPath", "options", "valuesKey",
	"targetPath", "optional"}

// refers reports whether a mapping has no fields but those of a reference.
func refers(n *yaml.Node) bool {
	for i := 0; i < len(n.Content); i += 2 {
		if !slices.Contains(references, textOf(n.Content[i])) {
			return false
		}
	}
	return true
}

// collection is how a mapping or a list begins that stands on one line.
var collection = regexp.MustCompile(`^([{\[]|[-?]\s)`)

// ofText looks into a text that may be YAML itself.
func ofText(text string) secrecy {
	if start := strings.TrimSpace(text); !strings.Contains(start, "\n") && !collection.MatchString(start) {
		return shown
	}
	how := shown
	for _, doc := range split.Split([]byte(text)) {
		v := veilOf([]byte(text[doc.Body:doc.End]))
		for _, line := range v.lines {
			how = max(how, line)
		}
		how = max(how, v.whole)
	}
	return how
}

// ofPatch tells a patch that sets the data of what may be a Secret. One without a target names its object itself.
func ofPatch(patch *yaml.Node, targets []*yaml.Node) secrecy {
	var body yaml.Node
	if len(targets) == 0 || patch.Kind != yaml.ScalarNode || !slices.ContainsFunc(targets, mayBeSecret) {
		return shown
	}
	if limit.Check([]byte(patch.Value)) != nil || yaml.Unmarshal([]byte(patch.Value), &body) != nil {
		return unknown
	}
	for _, root := range body.Content {
		if len(valuesOf(root, "data"))+len(valuesOf(root, "stringData")) > 0 {
			return secret
		}
		for _, operation := range root.Content {
			if slices.ContainsFunc(valuesOf(operation, "path"), setsData) {
				return secret
			}
		}
	}
	return shown
}

// mayBeSecret reports whether a target may select a Secret.
func mayBeSecret(target *yaml.Node) bool {
	kinds := valuesOf(target, "kind")
	return len(kinds) == 0 || slices.ContainsFunc(kinds, func(kind *yaml.Node) bool {
		pattern, err := regexp.Compile("^(" + kind.Value + ")$")
		return err != nil || kind.Value == "" || pattern.MatchString("Secret")
	})
}

// setsData reports whether the path of an operation may lead to the data of a Secret.
func setsData(path *yaml.Node) bool {
	return path.Value == "" || strings.HasPrefix(path.Value, "/data") || strings.HasPrefix(path.Value, "/stringData")
}

// valuesOf are the values of a key of a mapping, behind aliases, with those that a merge key brings in.
func valuesOf(n *yaml.Node, key string) (values []*yaml.Node) {
	if n = behind(n); n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		value := behind(n.Content[i+1])
		switch textOf(n.Content[i]) {
		case key:
			values = append(values, value)
		case "<<":
			for _, from := range append([]*yaml.Node{value}, value.Content...) {
				values = append(values, valuesOf(from, key)...)
			}
		}
	}
	return values
}

func textOf(n *yaml.Node) string { return behind(n).Value }

// behind is the node that an alias stands for.
func behind(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
