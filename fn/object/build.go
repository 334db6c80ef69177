package object

import (
	"bytes"
	"fmt"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// Field is one key of a mapping with its value; Comment stands above it.
type Field struct {
	Key     string
	Value   any
	Comment string
}

// F makes a Field.
func F(key string, value any) Field { return Field{Key: key, Value: value} }

// Because makes a Field with a comment above it, which says why it is there.
func Because(comment, key string, value any) Field {
	return Field{Key: key, Value: value, Comment: comment}
}

// Map makes a YAML mapping with its keys in the order given; a Field whose value is nil is left out.
func Map(fields ...Field) *kyaml.Node {
	node := &kyaml.Node{Kind: kyaml.MappingNode, Tag: kyaml.NodeTagMap}
	for _, f := range fields {
		if f.Value == nil {
			continue
		}
		key := scalar(f.Key)
		key.HeadComment = f.Comment
		node.Content = append(node.Content, key, Value(f.Value))
	}
	return node
}

// Value makes a YAML node of a Go value; the keys of maps come out sorted, strings of several lines as block scalars.
func Value(value any) *kyaml.Node {
	switch v := value.(type) {
	case *kyaml.Node:
		return v
	case string:
		return scalar(v)
	case []*kyaml.Node:
		return &kyaml.Node{Kind: kyaml.SequenceNode, Tag: kyaml.NodeTagSeq, Content: v}
	default:
		node := &kyaml.Node{}
		// Encode fails only on values that no decoded YAML holds: channels and functions.
		if err := node.Encode(v); err != nil {
			return scalar(fmt.Sprint(v))
		}
		return node
	}
}

func scalar(text string) *kyaml.Node {
	node := &kyaml.Node{}
	node.SetString(text)
	return node
}

// Print is the text of a YAML node as this project writes it: two spaces, lists indented below their key.
//
// It fails when the node cannot be written as YAML.
func Print(node *kyaml.Node) (string, error) {
	var out bytes.Buffer
	encoder := kyaml.NewEncoderWithOptions(&out, &kyaml.EncoderOptions{SeqIndent: kyaml.WideSequenceStyle})
	if err := encoder.Encode(node); err != nil {
		return "", err
	}
	if err := encoder.Close(); err != nil {
		return "", err
	}
	return out.String(), nil
}

// Build makes a new Object of a YAML node, to be written to file.
//
// It fails when the node is not one Kubernetes object.
func Build(node *kyaml.Node, file string) (*Object, error) {
	text, err := Print(node)
	if err != nil {
		return nil, err
	}
	return Parse(text, file, 0)
}
