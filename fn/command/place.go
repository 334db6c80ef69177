package command

import (
	"bytes"
	"strconv"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/checkout/split"
	"migrate-to-flux-operator/fn/finding"
)

// places finds the lines of objects and their fields in the files of a checkout, each document parsed once.
type places struct {
	read      func(file string) ([]byte, error)
	documents map[document]*located
}

// document is a document of a file.
type document struct {
	file  string
	index int
}

// located is where a document starts, 0 where it is not known, and the line of the first thing that it holds.
type located struct {
	line, first int
	text        []byte      // nil once it is parsed
	root        *kyaml.Node // what it holds, nil when it is not YAML
}

func newPlaces(read func(string) ([]byte, error)) *places {
	return &places{read: read, documents: map[document]*located{}}
}

// located is a copy of a finding whose file says the line as well, where it is known.
func (p *places) located(f finding.Finding) finding.Finding {
	if line := p.of(f); line > 0 {
		f.File += ":" + strconv.Itoa(line)
	}
	return f
}

// of is the line of what a finding is about, 0 where it is about no object or its file is a new one.
func (p *places) of(f finding.Finding) int {
	if f.File == "" || f.Object.Kind == "" {
		return 0
	}
	return p.line(f.File, f.Index, f.Field)
}

// line is the line of a field of an object, or of the nearest thing around it that is there; 0 where it cannot be told.
func (p *places) line(file string, index int, field string) int {
	at := document{file, index}
	if _, known := p.documents[at]; !known {
		p.documents[at] = p.locate(at)
	}
	doc := p.documents[at]
	if field == "" {
		return doc.first
	}
	doc.parse()
	if doc.root == nil {
		return doc.line
	}
	return doc.line + lineOf(doc.root, field) - 1
}

func (p *places) locate(at document) *located {
	raw, err := p.read(at.file)
	if err != nil {
		return &located{}
	}
	doc, found := split.Find(raw, at.index)
	if !found {
		return &located{}
	}
	l := &located{line: 1 + bytes.Count(raw[:doc.Body], []byte("\n")), text: raw[doc.Body:doc.End]}
	l.first = l.line
	for line := range bytes.Lines(l.text) {
		if text := bytes.TrimSpace(line); len(text) > 0 && text[0] != '#' {
			break
		}
		l.first++
	}
	return l
}

// parse parses the document, unless it was.
func (l *located) parse() {
	if l.text == nil {
		return
	}
	if node, err := kyaml.Parse(string(l.text)); err == nil {
		l.root = node.YNode()
	}
	l.text = nil
}

// lineOf walks a dotted field path, such as spec.patches[0].target, as far as it leads.
func lineOf(node *kyaml.Node, field string) int {
	line := node.Line
	for field != "" {
		key, child, rest := step(node, field)
		if child == nil {
			break
		}
		node, line, field = child, key.Line, strings.TrimPrefix(rest, ".")
	}
	return line
}

// step follows the first part of a field path. Keys may hold dots themselves: the longest one that fits is meant.
func step(node *kyaml.Node, field string) (key, child *kyaml.Node, rest string) {
	if node.Kind == kyaml.SequenceNode {
		number, rest, closed := strings.Cut(strings.TrimPrefix(field, "["), "]")
		if n, err := strconv.Atoi(number); closed && err == nil && n < len(node.Content) {
			return node.Content[n], node.Content[n], rest
		}
		return nil, nil, ""
	}
	if node.Kind != kyaml.MappingNode {
		return nil, nil, ""
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i].Value
		after, fits := strings.CutPrefix(field, name)
		ends := after == "" || after[0] == '.' || after[0] == '['
		if fits && ends && (key == nil || len(name) > len(key.Value)) {
			key, child, rest = node.Content[i], node.Content[i+1], after
		}
	}
	return key, child, rest
}
