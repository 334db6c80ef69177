package bootstrap

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"text/template/parse"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

// evaluate renders a values file of a helmfile, as far as it uses the functions that read the values of a HelmRelease.
// Source: helmfile v1.8.0, template functions; readFile starts in the folder of the template.
func evaluate(files fs.FS, name, release, namespace string) (map[string]any, error) {
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	text := string(raw)
	if strings.HasSuffix(name, ".gotmpl") {
		e := evaluation{functions(files, path.Dir(name)),
			map[string]any{"Release": map[string]any{"Name": release, "Namespace": namespace}}}
		if text, err = e.template(name, text); err != nil {
			return nil, err
		}
	}
	values := map[string]any{}
	return values, reason.Of(yaml.Unmarshal([]byte(text), &values))
}

// evaluation evaluates the text, the pipelines, the functions and the fields of templates, and refuses everything else.
// Package text/template knows the rest, and calls methods by their name: the linker then keeps all methods of all
// types, a sixth of the program.
type evaluation struct {
	functions map[string]any // each a function
	dot       map[string]any
}

// template evaluates a text.
func (e evaluation) template(name, text string) (string, error) {
	trees, err := reason.With(parse.Parse(name, text, "", "", e.functions))
	if err != nil {
		return "", fmt.Errorf("template %s: %w", name, err)
	}
	if trees[name] == nil { // a template of nothing but definitions
		return "", nil
	}
	var out strings.Builder
	for _, node := range trees[name].Root.Nodes {
		switch node := node.(type) {
		case *parse.TextNode:
			out.Write(node.Text)
		case *parse.ActionNode:
			value, err := e.pipe(node.Pipe)
			if err != nil {
				return "", fmt.Errorf("template %s:%d: %w", name, lineOf(text, node), err)
			}
			fmt.Fprint(&out, value)
		default:
			return "", fmt.Errorf("template %s:%d: %w", name, lineOf(text, node), errNotKnown)
		}
	}
	return out.String(), nil
}

// lineOf is the line of a part of a template.
func lineOf(text string, node parse.Node) int { return 1 + strings.Count(text[:node.Position()], "\n") }

// errNotKnown says that a part of a template is not evaluated.
var errNotKnown = errors.New("only pipelines of functions and fields are known here")

// pipe evaluates a pipeline: each command takes what the one before it gave as its last argument.
func (e evaluation) pipe(pipe *parse.PipeNode) (value any, err error) {
	if len(pipe.Decl) > 0 {
		return nil, errNotKnown
	}
	for i, command := range pipe.Cmds {
		args := command.Args[1:]
		var values []any
		for _, arg := range args {
			v, err := e.value(arg)
			if err != nil {
				return nil, err
			}
			values = append(values, v)
		}
		if i > 0 {
			values = append(values, value)
		}
		if name, isCall := command.Args[0].(*parse.IdentifierNode); isCall {
			value, err = e.call(name.Ident, values)
		} else if value, err = e.value(command.Args[0]); len(values) > 0 {
			err = errNotKnown
		}
		if err != nil {
			return nil, err
		}
	}
	return value, nil
}

// value evaluates an argument.
func (e evaluation) value(node parse.Node) (any, error) {
	switch node := node.(type) {
	case *parse.IdentifierNode:
		return e.call(node.Ident, nil)
	case *parse.StringNode:
		return node.Text, nil
	case *parse.PipeNode:
		return e.pipe(node)
	case *parse.FieldNode:
		return field(e.dot, node.Ident)
	case *parse.ChainNode:
		of, err := e.value(node.Node)
		if err != nil {
			return nil, err
		}
		return field(of, node.Field)
	}
	return nil, errNotKnown
}

// field is the field at a path of names.
func field(of any, names []string) (any, error) {
	for _, name := range names {
		fields, _ := of.(map[string]any)
		value, found := fields[name]
		if !found {
			return nil, fmt.Errorf("no field %s", name)
		}
		of = value
	}
	return of, nil
}

// call calls a function, which the parser knows to be there.
func (e evaluation) call(name string, args []any) (any, error) {
	value, err := e.functions[name].(function)(args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return value, nil
}

// function is a function of templates.
type function func(args []any) (any, error)

// functions are those of helmfile that are known here.
func functions(files fs.FS, dir string) map[string]any {
	return map[string]any{
		"readFile": taking(1, func(args []any) (any, error) {
			text, err := fs.ReadFile(files, path.Join(dir, fmt.Sprint(args[0])))
			return string(text), err
		}),
		"fromYaml": taking(1, func(args []any) (any, error) {
			read := map[string]any{}
			return read, reason.Of(yaml.Unmarshal([]byte(fmt.Sprint(args[0])), &read))
		}),
		"toYaml": taking(1, func(args []any) (any, error) {
			text, err := yaml.Marshal(args[0])
			return string(text), err
		}),
		"dict": taking(0, func([]any) (any, error) { return map[string]any{}, nil }),
		"get": taking(3, func(args []any) (any, error) {
			from, _ := args[2].(map[string]any)
			if value, found := object.Get[any](from, strings.Split(fmt.Sprint(args[0]), ".")...); found {
				return value, nil
			}
			return args[1], nil
		}),
		"printf": function(func(args []any) (any, error) {
			if len(args) == 0 {
				return "", nil
			}
			return fmt.Sprintf(fmt.Sprint(args[0]), args[1:]...), nil
		}),
	}
}

// taking is a function that takes so many arguments.
func taking(n int, f function) function {
	return func(args []any) (any, error) {
		if len(args) != n {
			return nil, fmt.Errorf("takes %d arguments here, not %d", n, len(args))
		}
		return f(args)
	}
}
