package reason

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// What may be shown of a library's words: these, spelled as they are where nothing but a name can stand.
const (
	id      = `([\w.~\[\]-]+/[\w.\[\]-]+)`
	pointer = `"?(/[\w./~-]*)"?`
	field   = `([\w.\[\]/-]+)`
	file    = `([\w.][\w./@+~-]*)`
)

// class is a kind of error: the text that tells it, with at most one name behind, and what it means.
type class struct {
	pattern *regexp.Regexp
	words   string
}

// classes are those of kustomize v5.8, kyaml, envsubst, kpt's SDK and Kubernetes' selectors, the more exact ones first.
var classes = func() (all []class) {
	for _, c := range [][2]string{
		{`no matches for Id (?:` + id + `)?`, "a patch finds no object"},
		{`multiple matches for Id (?:` + id + `)?`, "a patch finds several objects"},
		{`already registered id: (?:` + id + `)?`, "an object is there twice"},
		{`Multiple Strategic-Merge Patches in one`, "several patches in one entry of patches, which has a target"},
		{`must specify a target for (?:JSON )?patch`, "a list of operations has no target"},
		{`unable to parse SM or JSON patch|JSON patch from|decoding "`, "a patch is neither an object nor a list of " +
			"operations"},
		{`must specify one of patch and path|patch and path can't be set`, "an entry of patches has to have one of " +
			"patch and path"},
		{`operation does not apply: [^:]*: (?:` + pointer + `)?`, "an operation of a patch finds no field"},
		{`testing value (?:` + pointer + `)? failed`, "an operation of a patch tests for another value"},
		{`Unexpected kind: `, "an operation of a patch is none that there is"},
		{`error parsing regexp: `, "a name is no regular expression"},
		{`unable to parse requirement|unable to parse labelSelector|invalid label (?:key|value)`,
			"a label selector cannot be read"},
		{`invalid literal source`, "a literal of a generator is not key=value"},
		{`illegally repeats the key`, "a generator has a key twice"},
		{`a configmap must have a name`, "a generator has no name"},
		{`key name or file path contains '='|missing (?:key|file) name`, "an entry of files of a generator is not " +
			"key=path"},
		{`loading KV pairs: env source files: .* doesn't exist`, "an env file of a generator is not there"},
		{`loading KV pairs: env source files`, "an env file of a generator cannot be read"},
		{`loading KV pairs`, "what a generator reads is not there"},
		{`does not exist; cannot merge or replace`, "a generator merges into an object that is not there"},
		{"fieldPath `" + field + "` is missing for replacement source", "a replacement finds no field in its source"},
		{`unable to find field "?(?:` + field + `)?`, "a replacement finds no field in its target"},
		{`options\.index`, "a replacement has an index that its value does not have"},
		{`nothing selected by (?:` + id + `)?`, "a replacement finds no source"},
		{`multiple matches for selector`, "a replacement finds several sources"},
		{`cannot be mapped to a field in the set of known resources`, "an entry of vars finds no object"},
		{`cycle detected`, "cycle detected, a kustomization.yaml lists itself or what lists it"},
		{`kustomization\.yaml is empty`, "kustomization.yaml is empty"},
		{`unable to find one of 'kustomization\.yaml'`, "a folder has no kustomization.yaml"},
		{`expected kind 'Component'`, "components has an entry that is no Component"},
		{`kind should be Kustomization`, "a kustomization.yaml is of another kind"},
		{`unknown field "?(?:` + field + `)?`, "a field that is not known"},
		{`resource with name (?:` + field + `)? does not match a config`, "replicas finds no object"},
		{`missing (?:metadata\.name|kind) in object`, "an object has no name or kind"},
		{`missing Resource metadata`, "a document is no object"},
		{`unable to load builtin`, "a plugin is not known"},
		{`[bB]ad substitution|missing closing brace|` +
			`unable to parse (?:variable name|substitution within function|default function)`,
			"a ${...} that cannot be read"},
		{`syntax error in pattern`, "a ${...} with a pattern that cannot be read"},
		{`expected exactly one object`, "it is not one object"},
		{`mismatched legacy and internal|annotation formatting in the input resources is not consistent`,
			"annotations that say two places for one item"},
		{`function "(\w+)" not defined`, "a function of templates that is not known here"},
		{`^template: `, "a template that cannot be read"},
		{`'(?:/source/tree/)?` + file + `' doesn't exist`, "a file or folder is not there"},
		{`doesn't exist`, "a file or folder is not there"},
	} {
		all = append(all, class{regexp.MustCompile(c[0]), c[1]})
	}
	return all
}()

// fromYAML are the words of a YAML parser.
var fromYAML = regexp.MustCompile(`(?:^|[^.\w])yaml: `)

// lines is how the parsers of YAML and templates say in which line they were.
var lines = regexp.MustCompile(`yaml: line (\d+): |yaml: unmarshal errors:\s+line (\d+): |^template: [^\n]*?:(\d+):`)

// syntax are words of YAML parsers that quote nothing. Source: go.yaml.in/yaml v2.4.4 and v3.0.5, scannerc.go,
// parserc.go and readerc.go.
var syntax = regexp.MustCompile(`(?:mapping values|mapping keys|block sequence entries) ` +
	`are not allowed in this context|` +
	`could not find expected '(?::|!)'|` +
	`did not find (?:the )?expected (?:',' or '[\]}]'|'-' indicator|'[!>]'|<document start>|key|node content|` +
	`alphabetic or numeric character|` +
	`comment or line break|whitespace or line break|whitespace|hexdecimal number|tag URI)|` +
	`found (?:a tab character that violates indentation|` +
	`a tab character where an indentation space is expected|character that cannot start any token|` +
	`unexpected end of stream|unexpected document indicator|unknown escape character|` +
	`invalid Unicode character escape code|undefined tag handle|` +
	`an indentation indicator equal to 0)|control characters are not allowed|` +
	`invalid (?:leading|trailing) UTF-8 octet|incomplete UTF-8 octet sequence|` +
	`invalid Unicode character|exceeded max depth of \d+|document contains excessive aliasing|` +
	`map merge requires map or sequence of maps as the value`)

// twice is how parsers say that a mapping has a key twice.
var twice = regexp.MustCompile(`line \d+: .*already (?:set in map|defined at line|set in type)`)

// yamlWords say what is wrong with a text that is no YAML.
func yamlWords(text string) string {
	said := text[fromYAML.FindStringIndex(text)[0]:]
	switch words := syntax.FindString(said); {
	case twice.MatchString(said):
		return "a key is there twice"
	case strings.Contains(said, "unknown anchor"):
		return "an alias of an anchor that is not there"
	case wrongTag.MatchString(said):
		return mistyped("", wrongTag.FindStringSubmatch(said)[1], wrongTag.FindStringSubmatch(said)[2])
	case words != "":
		return words
	}
	return "not YAML"
}

// The ways in which encoding/json, the YAML parsers and kyaml say that a value is of another type.
var (
	wrongType = regexp.MustCompile(`cannot unmarshal (\w+)[^\n]{0,99}? into Go ` +
		`(?:struct field ([\w.]+)|value) of type (\S+)`)
	wrongTag  = regexp.MustCompile(`cannot unmarshal !!(\w+) .*into (\S+)`)
	wrongNode = regexp.MustCompile(`wrong [nN]ode [kK]ind.*expected (\w+) but (?:was|got) (\w+)`)
)

// mistyped says that a field, where it is known, has a value of one type where another one is wanted.
func mistyped(field, value, wanted string) string {
	words := "a " + typed(value) + " where a " + typed(wanted) + " is expected"
	names := slices.DeleteFunc(strings.Split(field, "."),
		func(name string) bool { return name == "" || unicode.IsUpper(rune(name[0])) })
	if len(names) > 0 { // the others are Go's
		words = "field " + strings.Join(names, ".") + ": " + words
	}
	return words
}

// typed is what YAML calls a type of JSON, of Go or of a YAML tree.
func typed(name string) string {
	name, _, _ = strings.Cut(name, " ")
	switch {
	case strings.HasPrefix(name, "[]"), name == "array", name == "seq", name == "SequenceNode":
		return "list"
	case strings.HasPrefix(name, "bool"):
		return "boolean"
	case strings.HasPrefix(name, "int"), strings.HasPrefix(name, "uint"), strings.HasPrefix(name, "float"),
		name == "number":
		return "number"
	case name == "string", name == "str", name == "ScalarNode":
		return "text"
	}
	return "mapping"
}

// resource, folder and malformed are how kustomize says where it was; path is a path that is spelled like one.
var (
	resource  = regexp.MustCompile(`must build at directory: '(?:/source/tree/)?` + file + `': file is not directory`)
	folder    = regexp.MustCompile(`(?:of|from|for) path '(?:/source/tree/)?` + file + `'`)
	path      = regexp.MustCompile(`^` + file + `$`)
	malformed = regexp.MustCompile(` in File: ` + file)
)

// line is where a parser was, 0 where it does not say.
func line(text string) int {
	n, _ := strconv.Atoi(strings.Join(submatches(lines, text), ""))
	return n
}

// submatches are the groups of the first match; nil where there is none.
func submatches(pattern *regexp.Regexp, text string) []string {
	if found := pattern.FindStringSubmatch(text); found != nil {
		return found[1:]
	}
	return nil
}

// place is where kustomize was: the folder, or the file in it.
func place(text string) string {
	if not := resource.FindStringSubmatch(text); not != nil && !malformed.MatchString(text) {
		return not[1]
	}
	var parts []string
	if all := folder.FindAllStringSubmatch(text, -1); len(all) > 0 {
		parts = append(parts, all[len(all)-1][1])
	}
	if in := malformed.FindStringSubmatch(text); in != nil {
		parts = append(parts, in[1])
	}
	return strings.Join(parts, "/")
}

// named are words with the name that they are about, where it is known: that of an object as Flux spells it.
func named(words, name string) string {
	if name == "" {
		return words
	}
	return words + ": " + spelled(name)
}

var resID = regexp.MustCompile(`^([^./]+)\.[^/]*/(.+)\.([^.]+)$`)

func spelled(name string) string {
	parts := resID.FindStringSubmatch(name)
	switch {
	case parts == nil:
		return name
	case parts[3] == "[noNs]":
		return parts[1] + "/" + parts[2]
	}
	return parts[1] + "/" + parts[3] + "/" + parts[2]
}
